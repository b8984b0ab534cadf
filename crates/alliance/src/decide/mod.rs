//! Says what happens, or why not. Pure: the same state, context and command give the same answer, and
//! nothing is changed here.
//!
//! Every command goes through the same door first ([`permission`]): who may, whose it is
//! suspended or not, member or not, how the actor proved who they are
//! with a reason where one is needed, on the version that was read.

mod booking;
mod case;
mod device;
mod member;
mod network;
mod people;
pub mod permission;
mod privilege;
mod result;
mod session;
mod text;

use crate::command::{Command, Context};
use crate::event::Event;
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

/// What a decision comes to.
pub type Decision = Result<Vec<Event>, Refusal>;

/// Answers a command with events or a refusal. An empty list says: nothing new (a repeated upload).
pub fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    permission::check(state, context, command)?;
    match command {
        Command::Found { .. }
        | Command::InviteOrg { .. }
        | Command::JoinOrg { .. }
        | Command::SuspendOrg { .. }
        | Command::ReinstateOrg { .. }
        | Command::RenewOrg { .. }
        | Command::LeaveOrg { .. }
        | Command::AddSite(_)
        | Command::ChangeSite(_)
        | Command::AddRoom(_)
        | Command::DraftAgreement(_)
        | Command::SignAgreement { .. }
        | Command::EndAgreement { .. } => member::decide(state, context, command),
        Command::AddPerson(_)
        | Command::SetRoles { .. }
        | Command::SetLicences { .. }
        | Command::SuspendPerson { .. }
        | Command::ReinstatePerson { .. }
        | Command::RemovePerson { .. } => people::decide(state, context, command),
        Command::SetTemplate(_)
        | Command::ApplyPrivilege(_)
        | Command::AddEvidence { .. }
        | Command::DecidePrivilege { .. }
        | Command::ReviewPrivilege { .. }
        | Command::SuspendPrivilege { .. }
        | Command::ReinstatePrivilege { .. }
        | Command::RevokePrivilege { .. }
        | Command::Sweep => privilege::decide(state, context, command),
        Command::SetProcedure(_)
        | Command::AddRobot(_)
        | Command::AddConsole(_)
        | Command::SetRobotState { .. }
        | Command::SetConsoleState { .. }
        | Command::SetRobotFirmware { .. }
        | Command::SetConsoleFirmware { .. }
        | Command::CheckRobot { .. }
        | Command::PlanRobotMaintenance { .. }
        | Command::PlanConsoleMaintenance { .. }
        | Command::DeclareCompatible(_)
        | Command::WithdrawCompatible { .. }
        | Command::OpenRecall(_)
        | Command::LiftRecall { .. } => device::decide(state, context, command),
        Command::AddPath(_)
        | Command::ClosePath { .. }
        | Command::SetGate(_)
        | Command::SubmitSurvey { .. }
        | Command::CheckPath { .. }
        | Command::RecordDrill(_) => network::decide(state, context, command),
        Command::PublishForm(_)
        | Command::ReferCase(_)
        | Command::TriageCase { .. }
        | Command::JudgeEligibility { .. }
        | Command::SetTeam { .. }
        | Command::SignConsent(_)
        | Command::WithdrawConsent { .. }
        | Command::Brief { .. }
        | Command::CloseCase { .. }
        | Command::WithdrawCase { .. } => case::decide(state, context, command),
        Command::Hold { .. }
        | Command::ReleaseHold { .. }
        | Command::Book { .. }
        | Command::PublishBooking { .. }
        | Command::MoveBooking { .. }
        | Command::CancelBooking { .. } => booking::decide(state, context, command),
        Command::ProposeGrant(_)
        | Command::CosignGrant { .. }
        | Command::RevokeGrant { .. }
        | Command::UploadSession { .. }
        | Command::AdmitObserver(_)
        | Command::DismissObserver { .. } => session::decide(state, context, command),
        Command::AddRecording(_)
        | Command::RecordOutcome(_)
        | Command::RaiseIncident(_)
        | Command::NoteIncident { .. }
        | Command::CloseIncident { .. } => result::decide(state, context, command),
    }
}

/// A refusal.
fn refuse<T>(
    rule: Rule,
    what: &str,
    value: impl Display,
    limit: impl Display,
    satisfy: &str,
) -> Result<T, Refusal> {
    Err(Refusal::new(rule, what, &value.to_string(), &limit.to_string(), satisfy))
}

/// Something that must be there.
fn known<'a, T>(found: Option<&'a T>, what: &str, id: &impl Display) -> Result<&'a T, Refusal> {
    found.ok_or_else(|| {
        let value = format!("{id} is not known");
        Refusal::new(Rule::Known, what, &value, "one that is known", "Look it up and ask again.")
    })
}

/// A name that must be new.
fn fresh(taken: bool, what: &str, id: &impl Display) -> Result<(), Refusal> {
    if taken {
        let value = format!("{id} is taken");
        return refuse(Rule::Known, what, value, "a new name", "Ask again with a new name.");
    }
    Ok(())
}

/// A number in its range, both ends included.
#[expect(clippy::needless_pass_by_value, reason = "numbers read better without &")]
fn within<T: PartialOrd + Display>(what: &str, value: T, low: T, high: T) -> Result<(), Refusal> {
    if value < low || value > high {
        let limit = format!("{low} to {high}");
        return refuse(Rule::Range, what, value, limit, "Correct the value and ask again.");
    }
    Ok(())
}

/// A step that must not come yet, or no more.
fn in_order(ok: bool, what: &str, found: impl Display, wanted: &str) -> Result<(), Refusal> {
    if ok {
        return Ok(());
    }
    refuse(Rule::Order, what, found, wanted, "Take the steps in order; look at the case again.")
}

/// A serde name as text, for values in refusals.
fn name_of(value: &impl core::fmt::Debug) -> String {
    format!("{value:?}").to_lowercase()
}
