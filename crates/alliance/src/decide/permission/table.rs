//! The table: command by command, which roles, which machines, how strong a login, whether a reason.

use crate::command::Command as C;
use crate::entity::people::Role::{
    self, Administrator, Anaesthetist, ClinicalEngineer, Committee, NetworkEngineer, Nurse,
    Quality, Scheduler, StandbySurgeon, Surgeon,
};

/// One row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are the columns of the table")]
pub struct Row {
    /// Roles that may. None = no person.
    pub roles: &'static [Role],
    /// True if a site's node may.
    pub node: bool,
    /// True if the hub itself may.
    pub hub: bool,
    /// True if it takes a passkey.
    pub strong: bool,
    /// True if it takes a reason.
    pub reason: bool,
    /// True if it makes things safer: allowed without membership.
    pub safety: bool,
}

const fn people(roles: &'static [Role]) -> Row {
    Row { roles, node: false, hub: false, strong: false, reason: false, safety: false }
}

impl Row {
    const fn strong(mut self) -> Self {
        self.strong = true;
        self
    }
    const fn because(mut self) -> Self {
        self.reason = true;
        self
    }
    const fn node(mut self) -> Self {
        self.node = true;
        self
    }
    const fn hub(mut self) -> Self {
        self.hub = true;
        self
    }
    const fn safety(mut self) -> Self {
        self.safety = true;
        self
    }
}

const ADMIN: &[Role] = &[Administrator];
const COMMITTEE: &[Role] = &[Committee];
const DEVICES: &[Role] = &[ClinicalEngineer, Administrator];
const NETWORK: &[Role] = &[NetworkEngineer, Administrator];
const SURGEONS: &[Role] = &[Surgeon, StandbySurgeon];
const PLANNERS: &[Role] = &[Scheduler, Surgeon, StandbySurgeon];
const TABLESIDE: &[Role] = &[StandbySurgeon, Surgeon, Anaesthetist, Nurse];
const ANYBODY: &[Role] = &Role::ALL;
const STOPPERS: &[Role] = &[
    Surgeon,
    StandbySurgeon,
    Anaesthetist,
    Nurse,
    NetworkEngineer,
    ClinicalEngineer,
    Committee,
    Quality,
    Administrator,
];

/// The row of a command.
#[expect(clippy::match_same_arms, reason = "one arm per family reads as a table")]
pub const fn row(command: &C) -> Row {
    match command {
        C::Found { .. } => people(&[]).hub(),
        // The operator at the hub's own terminal acts as the hub.
        C::InviteOrg { .. } => people(ADMIN).strong().hub(),
        C::RenewOrg { .. } => people(ADMIN).strong(),
        C::SuspendOrg { .. } | C::ReinstateOrg { .. } => people(ADMIN).strong().because(),
        C::JoinOrg { .. } => people(ADMIN).strong(),
        C::LeaveOrg { .. } => people(ADMIN).strong().because(),
        C::AddSite(_) | C::ChangeSite(_) | C::AddRoom(_) => people(ADMIN),
        C::DraftAgreement(_) => people(ADMIN),
        C::SignAgreement { .. } => people(ADMIN).strong(),
        C::EndAgreement { .. } => people(ADMIN).strong().because(),
        C::AddPerson(_) | C::SetRoles { .. } => people(ADMIN).strong(),
        C::SetLicences { .. } => people(&[Administrator, Committee]),
        C::SuspendPerson { .. } => people(&[Administrator, Committee, Quality]).because().safety(),
        C::ReinstatePerson { .. } => people(COMMITTEE).strong().because(),
        C::RemovePerson { .. } => people(ADMIN).because().safety(),
        C::SetTemplate(_) => people(COMMITTEE).strong().because(),
        C::ApplyPrivilege(_) => people(&[Surgeon, StandbySurgeon, Committee, Administrator]),
        C::AddEvidence { .. } => people(&[Committee, Surgeon, StandbySurgeon, Quality]),
        C::DecidePrivilege { .. } | C::ReviewPrivilege { .. } => {
            people(COMMITTEE).strong().because()
        }
        C::ReinstatePrivilege { .. } => people(COMMITTEE).strong().because(),
        C::SuspendPrivilege { .. } | C::RevokePrivilege { .. } => {
            people(&[Committee, Quality]).because().safety()
        }
        C::Sweep => people(&[]).hub(),
        C::SetProcedure(_) => people(&[Committee, Administrator]),
        C::AddRobot(_) | C::AddConsole(_) => people(DEVICES),
        C::SetRobotState { .. } | C::SetConsoleState { .. } => people(DEVICES),
        C::SetRobotFirmware { .. } | C::SetConsoleFirmware { .. } => people(DEVICES).strong(),
        C::CheckRobot { .. } => people(DEVICES),
        C::PlanRobotMaintenance { .. } | C::PlanConsoleMaintenance { .. } => people(DEVICES),
        C::DeclareCompatible(_) => people(&[ClinicalEngineer]).strong(),
        C::WithdrawCompatible { .. } => people(&[ClinicalEngineer]).because().safety(),
        C::OpenRecall(_) => people(&[ClinicalEngineer, Quality]).safety(),
        C::LiftRecall { .. } => people(&[ClinicalEngineer, Quality]).strong().because(),
        C::AddPath(_) => people(NETWORK),
        C::ClosePath { .. } => people(NETWORK).because(),
        C::SetGate(_) => people(&[Committee, NetworkEngineer]).strong().because(),
        C::SubmitSurvey { .. } | C::CheckPath { .. } => people(NETWORK).node(),
        C::RecordDrill(_) => {
            people(&[Quality, Committee, ClinicalEngineer, NetworkEngineer, Administrator]).node()
        }
        C::PublishForm(_) => people(&[Committee, Quality, Administrator]).strong(),
        C::ReferCase(_) => people(PLANNERS).node(),
        C::TriageCase { .. } => people(SURGEONS),
        C::JudgeEligibility { .. } => people(PLANNERS),
        C::SetTeam { .. } => people(PLANNERS),
        C::SignConsent(_) => people(TABLESIDE).node(),
        C::WithdrawConsent { .. } => people(TABLESIDE).node().safety(),
        C::Hold { .. } | C::ReleaseHold { .. } | C::Book { .. } => people(PLANNERS),
        C::PublishBooking { .. } | C::MoveBooking { .. } | C::CancelBooking { .. } => {
            people(PLANNERS)
        }
        C::Brief { .. } => people(TABLESIDE),
        C::ProposeGrant(_) => people(&[Surgeon]).strong(),
        C::CosignGrant { .. } => {
            people(&[StandbySurgeon, Anaesthetist, Nurse, ClinicalEngineer]).strong()
        }
        C::RevokeGrant { .. } => people(STOPPERS).because().safety(),
        C::UploadSession { .. } => people(&[]).node().safety(),
        C::AdmitObserver(_) => people(PLANNERS),
        C::DismissObserver { .. } => people(STOPPERS).node().safety(),
        C::AddRecording(_) => people(&[ClinicalEngineer, Quality]).node().safety(),
        C::RecordOutcome(_) => people(&[Surgeon, StandbySurgeon, Nurse, Quality]).node().safety(),
        C::RaiseIncident(_) => people(ANYBODY).node().hub().safety(),
        C::NoteIncident { .. } => {
            people(&[Quality, Administrator, ClinicalEngineer, NetworkEngineer, Committee])
        }
        C::CloseIncident { .. } => people(&[Quality, Committee]).because(),
        C::CloseCase { .. } => people(&[Surgeon, StandbySurgeon, Quality]).node(),
        C::WithdrawCase { .. } => people(PLANNERS).because(),
    }
}
