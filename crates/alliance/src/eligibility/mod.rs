//! May these people, with these devices, over these paths, do this case at this time?
//!
//! Every rule is judged, not only the first that fails, so that a page can show the whole list. The
//! same judgement is made when a case is booked, when a grant is given and when a session starts;
//! what can still be renewed before the operation (consent, path checks, the pause) is asked for at
//! the grant only.

mod assets;
mod network;
mod people;
mod qualify;
mod standing;
mod suggest;

pub use qualify::qualify;
pub use standing::{lapses, standing};
pub use suggest::suggest;

use crate::entity::booking::Request;
use crate::entity::case::Case;
use crate::refusal::{Finding, Refusal, Rule};
use crate::state::Alliance;
use crate::time::{Day, Utc};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
use serde::{Deserialize, Serialize};

/// When it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// When the case is booked: what ends must not end before the operation.
    Booking,
    /// When the grant is given: everything, now.
    Grant,
    /// When the session starts, is handed over or comes back.
    Start,
}

/// Judges every rule. `request` may be for a case that is not booked yet.
///
/// Costs some microseconds: a few look-ups by name, no search through all members.
pub fn check(
    state: &Alliance,
    now: Utc,
    case: &Case,
    request: &Request,
    stage: Stage,
) -> Vec<Finding> {
    let mut findings = Findings { all: true, list: Vec::with_capacity(32) };
    judge(&Question::new(state, now, case, request, stage), &mut findings);
    findings.list
}

/// The first rule that fails.
pub fn require(
    state: &Alliance,
    now: Utc,
    case: &Case,
    request: &Request,
    stage: Stage,
) -> Result<(), Refusal> {
    let mut findings = Findings { all: false, list: Vec::new() };
    judge(&Question::new(state, now, case, request, stage), &mut findings);
    findings.list.into_iter().next().map_or(Ok(()), |finding| Err(finding.into()))
}

fn judge(question: &Question<'_>, findings: &mut Findings) {
    people::judge(question, findings);
    assets::judge(question, findings);
    network::judge(question, findings);
}

/// What is asked.
struct Question<'a> {
    state: &'a Alliance,
    now: Utc,
    case: &'a Case,
    request: &'a Request,
    stage: Stage,
    /// The day on which everything must be in date.
    day: Day,
}

impl<'a> Question<'a> {
    fn new(
        state: &'a Alliance,
        now: Utc,
        case: &'a Case,
        request: &'a Request,
        stage: Stage,
    ) -> Self {
        let planned = request.slots().until.start().day();
        let day = planned.max(now.day());
        Self { state, now, case, request, stage, day }
    }
}

/// Collects judgements: all of them for people, only failures for decisions.
struct Findings {
    all: bool,
    list: Vec<Finding>,
}

impl Findings {
    /// Adds a judgement. `words` (what, value, limit) are only asked for when they are needed.
    fn add<W, V, L>(
        &mut self,
        rule: Rule,
        ok: bool,
        satisfy: &str,
        words: impl FnOnce() -> (W, V, L),
    ) where
        W: Display,
        V: Display,
        L: Display,
    {
        if ok && !self.all {
            return;
        }
        let (what, value, limit) = words();
        let satisfy = if ok { String::new() } else { satisfy.into() };
        let [what, value, limit] = [what.to_string(), value.to_string(), limit.to_string()];
        self.list.push(Finding { rule, ok, what, value, limit, satisfy });
    }
}
