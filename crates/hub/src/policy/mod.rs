//! The alliance's policies, read from files that people can read, and asked by Cedar.
//!
//! They are the second lock: `telehand_alliance` judges every rule and tells all reasons; these
//! files say the same in a page, and a machine proves what they can never allow ([`prove`]). A
//! thing is allowed only where both say yes.

pub mod cli;
pub mod prove;
mod question;

pub use question::{Action, Circumstances, Hospital, Person, Privilege, Question, Session};

use cedar_policy::{Authorizer, Decision, PolicySet, Schema, ValidationMode, Validator};
use std::path::Path;

/// The vocabulary that this program fills in. An alliance edits the policies, not this.
const SCHEMA: &str = include_str!("../../policies/alliance.cedarschema");
const SHIPPED: &str = include_str!("../../policies/alliance.cedar");

/// A policy set that was read and checked against the vocabulary.
#[derive(Debug)]
pub struct Policies {
    schema: Schema,
    set: PolicySet,
}

/// Why a policy file was not taken. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read as a file.
    #[error("the policy file cannot be read: {0}")]
    File(#[from] std::io::Error),
    /// It is not Cedar.
    #[error("the policies cannot be understood: {0}")]
    Syntax(String),
    /// It speaks of what the vocabulary does not have, or compares what cannot be compared.
    #[error("the policies do not fit the vocabulary:\n  {0}")]
    Vocabulary(String),
    /// A rule has no name of its own, by which a refusal could name it.
    #[error("{0} rule(s) have no @id(\"...\"): a refusal could not name them; give each one")]
    Nameless(usize),
    /// A question could not be put: an identifier is not one.
    #[error("the question cannot be put: {0}")]
    Question(String),
    /// The solver is missing or did not answer.
    #[error("nothing was proved: {0}")]
    Solver(String),
}

/// What the policies said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The names (`@id`) of the rules that decided; empty when no rule allowed it.
    pub rules: Vec<String>,
    /// Rules that could not be judged. Never of a shipped policy: that is proved.
    pub errors: Vec<String>,
}

impl Policies {
    /// The rules that come with the program.
    ///
    /// # Errors
    /// Never for what was built; the tests hold it.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::from_text(SHIPPED)
    }

    /// An alliance's own rules.
    ///
    /// # Errors
    /// When the file cannot be read, is not Cedar, does not fit the vocabulary, or has a rule
    /// without a name.
    pub fn from_file(file: &Path) -> Result<Self, PolicyError> {
        Self::from_text(&std::fs::read_to_string(file)?)
    }

    /// Rules as text, in Cedar.
    ///
    /// # Errors
    /// As [`Self::from_file`].
    pub fn from_text(text: &str) -> Result<Self, PolicyError> {
        let syntax = |why: &dyn std::fmt::Display| PolicyError::Syntax(why.to_string());
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|why| syntax(&why))?;
        let read: PolicySet = text.parse().map_err(|why| syntax(&why))?;
        let set = named(&read)?;
        let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        if !checked.validation_passed() {
            let faults: Vec<String> =
                checked.validation_errors().map(ToString::to_string).collect();
            return Err(PolicyError::Vocabulary(faults.join("\n  ")));
        }
        Ok(Self { schema, set })
    }

    /// Asks. A rule that cannot be judged forbids: doubt never moves a robot.
    ///
    /// # Errors
    /// When the question itself is malformed.
    pub fn ask(&self, question: &Question) -> Result<Answer, PolicyError> {
        let (request, entities) = question.to_cedar(&self.schema)?;
        let response = Authorizer::new().is_authorized(&request, &self.set, &entities);
        let errors: Vec<String> =
            response.diagnostics().errors().map(ToString::to_string).collect();
        Ok(Answer {
            allowed: response.decision() == Decision::Allow && errors.is_empty(),
            rules: response.diagnostics().reason().map(ToString::to_string).collect(),
            errors,
        })
    }
}

/// The set with every rule under its own name (`@id`).
fn named(read: &PolicySet) -> Result<PolicySet, PolicyError> {
    let syntax = |why: &dyn std::fmt::Display| PolicyError::Syntax(why.to_string());
    let nameless = read.policies().filter(|rule| rule.annotation("id").is_none()).count();
    if nameless > 0 {
        return Err(PolicyError::Nameless(nameless));
    }
    let rules = read.policies().map(|rule| {
        let name = rule.annotation("id").unwrap_or_default();
        rule.new_id(cedar_policy::PolicyId::new(name))
    });
    PolicySet::from_policies(rules).map_err(|why| syntax(&why))
}

#[cfg(test)]
mod tests;
