//! Proofs: what the policies can never allow, whatever the facts are.
//!
//! Cedar's symbolic compiler turns the policies into formulas and the solver cvc5 (Debian's package
//! `cvc5`) decides them. An invariant is itself a small policy file: either everything that the
//! policies allow for an action is allowed by it (`@implied_by`), or everything that it allows is
//! allowed by them (`@implies`). A proof speaks of the rules; that the facts fed to them are true
//! is another matter.

use super::{Policies, PolicyError};
use cedar_policy::{EntityUid, PolicySet};
use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env};

/// The invariants that come with the program: file name without ending, text.
pub const INVARIANTS: &[(&str, &str)] = &[
    shipped!("A-003-control-only-by-the-privileged-lead"),
    shipped!("A-005-control-only-with-a-standby"),
    shipped!("A-006-control-only-over-two-paths"),
    shipped!("A-007-control-only-with-consent"),
    shipped!("A-007-observers-only-with-consent"),
    shipped!("A-012-takeover-is-never-forbidden"),
    shipped!("A-012-takeover-only-by-the-standby"),
    shipped!("A-017-nothing-for-the-suspended"),
    shipped!("A-018-only-between-members-in-date"),
    shipped!("A-020-control-only-where-licensed"),
    shipped!("A-021-control-only-with-fitting-devices"),
    shipped!("A-022-control-only-with-a-passkey"),
];

macro_rules! shipped {
    ($name:literal) => {
        ($name, include_str!(concat!("../../policies/invariants/", $name, ".cedar")))
    };
}
use shipped;

/// The answer about one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The invariant's name, or the rule's for "never errs".
    pub name: String,
    /// For which action.
    pub action: String,
    /// What breaks it, in words; `None` when it is proved.
    pub counterexample: Option<String>,
}

/// Proves `invariants` (name, text) for the policies, and that no rule can ever err.
///
/// # Errors
/// When an invariant is not understood, or the solver is missing or does not answer.
pub async fn prove(
    policies: &Policies,
    invariants: &[(&str, &str)],
) -> Result<Vec<Proof>, PolicyError> {
    let solver = LocalSolver::cvc5().map_err(|why| {
        PolicyError::Solver(format!(
            "{why}. Install Debian's package cvc5, or set CVC5 to its program"
        ))
    })?;
    let mut compiler = CedarSymCompiler::new(solver).map_err(unsolved)?;
    let mut proofs = Vec::new();
    for environment in policies.schema.request_envs() {
        let action = last_word(environment.action());
        let compile = |set: &PolicySet| {
            CompiledPolicySet::compile(set, &environment, &policies.schema).map_err(unsolved)
        };
        let rules = compile(&policies.set)?;
        for (name, text) in invariants {
            let invariant = Invariant::read(name, text)?;
            let Some(direction) = invariant.about(&action) else { continue };
            let claimed = compile(&invariant.set)?;
            let (narrow, wide) = match direction {
                Direction::ImpliedBy => (&rules, &claimed),
                Direction::Implies => (&claimed, &rules),
            };
            let broken = compiler
                .check_implies_with_counterexample_opt(narrow, wide)
                .await
                .map_err(unsolved)?;
            proofs.push(Proof {
                name: (*name).to_owned(),
                action: action.clone(),
                counterexample: broken.as_ref().map(words),
            });
        }
        for rule in policies.set.policies() {
            let compiled =
                CompiledPolicy::compile(rule, &environment, &policies.schema).map_err(unsolved)?;
            let broken = compiler
                .check_never_errors_with_counterexample_opt(&compiled)
                .await
                .map_err(unsolved)?;
            proofs.push(Proof {
                name: format!("{} never errs", rule.id()),
                action: action.clone(),
                counterexample: broken.as_ref().map(words),
            });
        }
    }
    Ok(proofs)
}

/// A small policy file that says what must hold, and of which actions.
struct Invariant {
    set: PolicySet,
    implied_by: Vec<String>,
    implies: Vec<String>,
}

enum Direction {
    ImpliedBy,
    Implies,
}

impl Invariant {
    fn read(name: &str, text: &str) -> Result<Self, PolicyError> {
        let set: PolicySet =
            text.parse().map_err(|why| PolicyError::Syntax(format!("{name}: {why}")))?;
        let actions = |key| -> Vec<String> {
            let marks = set.policies().filter_map(|policy| policy.annotation(key));
            marks.flat_map(str::split_whitespace).map(str::to_owned).collect()
        };
        let (implied_by, implies) = (actions("implied_by"), actions("implies"));
        if implied_by.is_empty() && implies.is_empty() {
            let why =
                format!("{name}: neither @implied_by(\"action ...\") nor @implies(\"action ...\")");
            return Err(PolicyError::Syntax(why));
        }
        Ok(Self { set, implied_by, implies })
    }

    fn about(&self, action: &str) -> Option<Direction> {
        if self.implied_by.iter().any(|a| a == action) {
            return Some(Direction::ImpliedBy);
        }
        self.implies.iter().any(|a| a == action).then_some(Direction::Implies)
    }
}

/// The counter-example as a person can read it: the request, and what is known of everybody in it.
fn words(broken: &Env) -> String {
    let mut entities: Vec<String> =
        broken.entities.iter().map(|entity| format!("  {}", entity.to_string().trim())).collect();
    entities.sort();
    format!("{}\n{}", broken.request, entities.join("\n"))
}

fn last_word(action: &EntityUid) -> String {
    action.id().unescaped().to_owned()
}

fn unsolved(why: impl std::fmt::Display) -> PolicyError {
    PolicyError::Solver(why.to_string())
}
