//! Whose it is: which organisations a command concerns, and who sees a case.

use crate::command::{Actor, Command as C, Context, Who};
use crate::decide::refuse;
use crate::entity::case::{Case, ClosedCase};
use crate::entity::member::OrgKind;
use crate::ids::{BookingId, CaseId, OrgId, PersonId, PrivilegeId, SiteId};
use crate::mutant::{self, Mutant};
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;

/// Whom a command concerns.
enum Party<'a> {
    /// Every member.
    Everyone,
    /// The operator of the hub.
    Operator,
    /// The operator and suppliers.
    Makers,
    /// These organisations.
    These([Option<&'a OrgId>; 3]),
    /// The site's organisation and, by the second, who stands in for it.
    Agreement(&'a alloc::collections::BTreeSet<OrgId>),
}

///
pub fn check(state: &Alliance, context: &Context, command: &C) -> Result<(), Refusal> {
    let actor = &context.actor;
    let ok = match parties(state, command) {
        Party::Everyone => true,
        Party::Operator => actor.who == Who::Hub || state.operator() == Some(&actor.org),
        Party::Makers => {
            let kind = state.org(&actor.org).map(|org| org.kind);
            state.operator() == Some(&actor.org) || kind == Some(OrgKind::Supplier)
        }
        Party::These(orgs) => actor.who == Who::Hub || orgs.contains(&Some(&actor.org)),
        Party::Agreement(orgs) => orgs.contains(&actor.org),
    };
    if ok || mutant::is(Mutant::TenantsMix) {
        return Ok(());
    }
    refuse(
        Rule::Tenant,
        "what it is about",
        "not known to this organisation",
        "the own organisation's, or one that is shared with it",
        "Ask the organisation that it belongs to.",
    )
}

const fn one(org: Option<&OrgId>) -> Party<'_> {
    Party::These([org, None, None])
}

fn parties<'a>(state: &'a Alliance, command: &'a C) -> Party<'a> {
    match command {
        C::Found { .. } | C::Sweep => Party::Everyone,
        C::InviteOrg { .. }
        | C::SuspendOrg { .. }
        | C::ReinstateOrg { .. }
        | C::RenewOrg { .. }
        | C::SetTemplate(_)
        | C::SetGate(_)
        | C::SetProcedure(_)
        | C::DeclareCompatible(_)
        | C::WithdrawCompatible { .. }
        | C::PublishForm(_) => Party::Operator,
        C::OpenRecall(_) | C::LiftRecall { .. } => Party::Makers,
        C::JoinOrg { org } | C::LeaveOrg { org } => one(Some(org)),
        C::AddSite(site) | C::ChangeSite(site) => one(Some(&site.org)),
        C::AddRoom(room) => one(state.org_of(&room.site)),
        C::DraftAgreement(agreement) => Party::Agreement(&agreement.parties),
        C::SignAgreement { agreement, .. } | C::EndAgreement { agreement, .. } => {
            state.agreement(agreement).map_or(one(None), |known| Party::Agreement(&known.parties))
        }
        C::AddPerson(person) => one(Some(&person.org)),
        C::SetRoles { person, .. }
        | C::SetLicences { person, .. }
        | C::SuspendPerson { person }
        | C::ReinstatePerson { person }
        | C::RemovePerson { person } => one(employer(state, person)),
        C::ApplyPrivilege(request) => one(employer(state, &request.surgeon)),
        C::AddEvidence { privilege, .. }
        | C::DecidePrivilege { privilege, .. }
        | C::ReviewPrivilege { privilege, .. }
        | C::SuspendPrivilege { privilege }
        | C::ReinstatePrivilege { privilege }
        | C::RevokePrivilege { privilege } => one(privileged(state, privilege)),
        _ => things(state, command),
    }
}

/// Devices, paths, drills, incidents.
fn things<'a>(state: &'a Alliance, command: &'a C) -> Party<'a> {
    let site = |site: &SiteId| one(state.org_of(site));
    match command {
        C::AddRobot(robot) => site(&robot.site),
        C::AddConsole(console) => site(&console.site),
        C::SetRobotState { robot, .. }
        | C::SetRobotFirmware { robot, .. }
        | C::CheckRobot { robot, .. }
        | C::PlanRobotMaintenance { robot, .. } => {
            state.robot(robot).map_or(one(None), |robot| site(&robot.site))
        }
        C::SetConsoleState { console, .. }
        | C::SetConsoleFirmware { console, .. }
        | C::PlanConsoleMaintenance { console, .. } => {
            state.console(console).map_or(one(None), |console| site(&console.site))
        }
        C::AddPath(path) => ends(state, &path.a, &path.b),
        C::ClosePath { path } | C::SubmitSurvey { path, .. } | C::CheckPath { path, .. } => {
            state.path(path).map_or(one(None), |path| ends(state, &path.a, &path.b))
        }
        C::RecordDrill(drill) => site(&drill.site),
        C::RaiseIncident(report) => match &report.case {
            Some(case) => case_party(state, case, None),
            None => site(&report.site),
        },
        C::NoteIncident { incident, .. } | C::CloseIncident { incident } => {
            one(state.incident(incident).map(|incident| &incident.org))
        }
        _ => cases(state, command),
    }
}

fn cases<'a>(state: &'a Alliance, command: &'a C) -> Party<'a> {
    match command {
        C::ReferCase(referral) => one(state.org_of(&referral.site)),
        C::TriageCase { case, .. } => case_party(state, case, None),
        C::JudgeEligibility { case, request }
        | C::Hold { case, request, .. }
        | C::Book { case, request, .. } => case_party(state, case, Some(&request.surgeon)),
        C::SignConsent(consent) => patient(state, &consent.case),
        C::SetTeam { case, .. }
        | C::WithdrawConsent { case, .. }
        | C::Brief { case, .. }
        | C::UploadSession { case, .. }
        | C::CloseCase { case }
        | C::WithdrawCase { case } => patient(state, case),
        C::ReleaseHold { hold } => {
            let case = state.hold(hold).map(|hold| &hold.case);
            case.map_or(one(None), |case| case_party(state, case, None))
        }
        C::PublishBooking { booking, .. } | C::CancelBooking { booking } => {
            booked(state, booking, None)
        }
        C::MoveBooking { booking, request } => booked(state, booking, Some(&request.surgeon)),
        C::ProposeGrant(request) => {
            let case = state.case(&request.case);
            let surgeon = case.and_then(|case| case.team.surgeon.as_ref());
            one(surgeon.and_then(|surgeon| employer(state, surgeon)))
        }
        C::CosignGrant { grant } => {
            one(state.grant(grant).and_then(|grant| state.org_of(&grant.site)))
        }
        C::RevokeGrant { grant } => {
            let case = state.grant(grant).map(|grant| &grant.case);
            case.map_or(one(None), |case| case_party(state, case, None))
        }
        C::AdmitObserver(request) => patient(state, &request.case),
        C::DismissObserver { observer } => {
            let session = state.observer(observer).and_then(|o| state.session(&o.session));
            session.map_or(one(None), |session| case_party(state, &session.case, None))
        }
        C::AddRecording(recording) => patient(state, &recording.case),
        C::RecordOutcome(outcome) => case_party(state, &outcome.case, None),
        _ => one(None),
    }
}

fn employer<'a>(state: &'a Alliance, person: &PersonId) -> Option<&'a OrgId> {
    state.person(person).map(|person| &person.org)
}

fn privileged<'a>(state: &'a Alliance, privilege: &PrivilegeId) -> Option<&'a OrgId> {
    state.privilege(privilege).and_then(|privilege| employer(state, &privilege.surgeon))
}

fn ends<'a>(state: &'a Alliance, a: &SiteId, b: &SiteId) -> Party<'a> {
    Party::These([state.org_of(a), state.org_of(b), None])
}

/// The patient's organisation.
fn patient<'a>(state: &'a Alliance, case: &CaseId) -> Party<'a> {
    let open = state.case(case).map(|case| &case.site);
    let site = open.or_else(|| state.closed_case(case).map(|case| &case.site));
    one(site.and_then(|site| state.org_of(site)))
}

/// The patient's organisation, the centre that was asked, and the surgeon's. A case that asks any
/// centre is open to whoever brings its own surgeon (`asked`) and may see it.
fn case_party<'a>(state: &'a Alliance, id: &CaseId, asked: Option<&PersonId>) -> Party<'a> {
    if let Some(case) = state.case(id) {
        let named = case.team.surgeon.as_ref().and_then(|surgeon| employer(state, surgeon));
        let asked = asked.and_then(|surgeon| employer(state, surgeon));
        let asked = asked.filter(|org| case.centre.is_none() && partner(state, case, org));
        return Party::These([state.org_of(&case.site), case.centre.as_ref().or(named), asked]);
    }
    let Some(closed) = state.closed_case(id) else { return one(None) };
    let surgeon = closed.surgeon.as_ref().and_then(|surgeon| employer(state, surgeon));
    Party::These([state.org_of(&closed.site), surgeon, None])
}

fn booked<'a>(state: &'a Alliance, booking: &BookingId, asked: Option<&PersonId>) -> Party<'a> {
    let case = state.booking(booking).map(|booking| &booking.case);
    case.map_or(one(None), |case| case_party(state, case, asked))
}

/// True if the organisation has an agreement with the patient's for the procedure.
fn partner(state: &Alliance, case: &Case, org: &OrgId) -> bool {
    let Some(own) = state.org_of(&case.site) else { return false };
    own == org
        || state.agreements_of(org).any(|agreement| {
            agreement.parties.contains(own)
                && agreement.covers(&case.procedure)
                && agreement.ended.is_none()
                && agreement.parties.iter().all(|party| agreement.signed.contains_key(party))
        })
}

/// True if the actor may read an open case: the patient's organisation, the centre that was asked
/// (or, if any centre was asked, one with an agreement), the surgeon's, and an observer's while
/// admitted. The operator of the hub is none of them.
pub fn visible(state: &Alliance, actor: &Actor, case: &CaseId) -> bool {
    if mutant::is(Mutant::TenantsMix) {
        return true;
    }
    let Some(case) = state.case(case) else { return visible_closed(state, actor, case) };
    let org = &actor.org;
    let surgeon = case.team.surgeon.as_ref();
    state.org_of(&case.site) == Some(org)
        || case.centre.as_ref() == Some(org)
        || surgeon.and_then(|surgeon| employer(state, surgeon)) == Some(org)
        || (case.centre.is_none() && surgeon.is_none() && partner(state, case, org))
        || case.observers.iter().filter_map(|id| state.observer(id)).any(|observer| {
            observer.dismissed.is_none() && Some(&observer.person) == actor.person()
        })
}

/// The same for a case that is over: the patient's and the surgeon's organisation.
pub fn visible_closed(state: &Alliance, actor: &Actor, case: &CaseId) -> bool {
    let Some(case) = state.closed_case(case) else { return false };
    sees_closed(state, &actor.org, case)
}

fn sees_closed(state: &Alliance, org: &OrgId, case: &ClosedCase) -> bool {
    let surgeon = case.surgeon.as_ref();
    state.org_of(&case.site) == Some(org)
        || surgeon.and_then(|surgeon| employer(state, surgeon)) == Some(org)
}

/// The version of what a command changes.
pub fn version(state: &Alliance, command: &C) -> Option<u64> {
    match command {
        C::ChangeSite(site) => state.site(&site.id).map(|site| site.version),
        C::JoinOrg { org }
        | C::LeaveOrg { org }
        | C::SuspendOrg { org }
        | C::ReinstateOrg { org }
        | C::RenewOrg { org, .. } => state.org(org).map(|org| org.version),
        C::SignAgreement { agreement, .. } | C::EndAgreement { agreement, .. } => {
            state.agreement(agreement).map(|agreement| agreement.version)
        }
        C::SetRoles { person, .. }
        | C::SetLicences { person, .. }
        | C::SuspendPerson { person }
        | C::ReinstatePerson { person }
        | C::RemovePerson { person } => state.person(person).map(|person| person.version),
        C::AddEvidence { privilege, .. }
        | C::DecidePrivilege { privilege, .. }
        | C::ReviewPrivilege { privilege, .. }
        | C::SuspendPrivilege { privilege }
        | C::ReinstatePrivilege { privilege }
        | C::RevokePrivilege { privilege } => state.privilege(privilege).map(|known| known.version),
        C::SetRobotState { robot, .. }
        | C::SetRobotFirmware { robot, .. }
        | C::CheckRobot { robot, .. }
        | C::PlanRobotMaintenance { robot, .. } => state.robot(robot).map(|robot| robot.version),
        C::SetConsoleState { console, .. }
        | C::SetConsoleFirmware { console, .. }
        | C::PlanConsoleMaintenance { console, .. } => {
            state.console(console).map(|console| console.version)
        }
        C::ClosePath { path } => state.path(path).map(|path| path.version),
        C::PublishBooking { booking, .. }
        | C::MoveBooking { booking, .. }
        | C::CancelBooking { booking } => state.booking(booking).map(|booking| booking.version),
        _ => case_of(command).and_then(|case| version_of_case(state, case)),
    }
}

fn version_of_case(state: &Alliance, case: &CaseId) -> Option<u64> {
    let open = state.case(case).map(|case| case.version);
    open.or_else(|| state.closed_case(case).map(|case| case.version))
}

fn case_of(command: &C) -> Option<&CaseId> {
    match command {
        C::TriageCase { case, .. }
        | C::JudgeEligibility { case, .. }
        | C::SetTeam { case, .. }
        | C::WithdrawConsent { case, .. }
        | C::Hold { case, .. }
        | C::Book { case, .. }
        | C::Brief { case, .. }
        | C::CloseCase { case }
        | C::WithdrawCase { case } => Some(case),
        C::SignConsent(consent) => Some(&consent.case),
        C::ProposeGrant(request) => Some(&request.case),
        C::AdmitObserver(request) => Some(&request.case),
        C::AddRecording(recording) => Some(&recording.case),
        C::RecordOutcome(outcome) => Some(&outcome.case),
        _ => None,
    }
}
