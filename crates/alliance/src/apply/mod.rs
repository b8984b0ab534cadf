//! The only place that changes the state. It never judges and never refuses what [`crate::decide`]
//! made; a repeated event is ignored, a missing one is told.

mod case;
mod session;

use crate::entity::member::Membership;
use crate::entity::network::Qualification;
use crate::entity::privilege::PrivilegeState;
use crate::event::{Event, Stamped};
use crate::state::Alliance;
use crate::time::Day;

/// Simulator drills that are remembered per person.
const DRILLS_KEPT: usize = 32;

/// An event that is not the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "event {found} came where {expected} was expected: events are missing. The state was left at \
     event {}. Read the log again from there.", .expected - 1
)]
pub struct NotNext {
    /// The number that was expected.
    pub expected: u64,
    /// The number that came.
    pub found: u64,
}

/// Applies one event. One that was applied before changes nothing.
pub fn apply(state: &mut Alliance, stamped: &Stamped) -> Result<(), NotNext> {
    let expected = state.seq + 1;
    if stamped.seq < expected {
        return Ok(());
    }
    if stamped.seq > expected {
        return Err(NotNext { expected, found: stamped.seq });
    }
    state.seq = stamped.seq;
    members(state, stamped);
    Ok(())
}

/// Organisations, sites, agreements, people.
fn members(state: &mut Alliance, stamped: &Stamped) {
    let version = stamped.seq;
    match &stamped.event {
        Event::Founded { org, administrator } | Event::OrgInvited { org, administrator } => {
            if matches!(stamped.event, Event::Founded { .. }) {
                state.operator = Some(org.id.clone());
            }
            let mut org = (**org).clone();
            org.version = version;
            state.orgs.insert(org.id.clone(), org);
            let mut administrator = (**administrator).clone();
            administrator.version = version;
            state.people.insert(administrator.id.clone(), administrator);
        }
        Event::OrgJoined { org } | Event::OrgReinstated { org } => {
            set_membership(state, org, Membership::Member, version);
        }
        Event::OrgSuspended { org } => set_membership(state, org, Membership::Suspended, version),
        Event::OrgLeft { org } => set_membership(state, org, Membership::Left, version),
        Event::OrgRenewed { org, until } => {
            if let Some(org) = state.orgs.get_mut(org) {
                (org.until, org.version) = (*until, version);
            }
        }
        Event::SiteSet(site) => {
            let mut site = (**site).clone();
            site.version = version;
            state.sites.insert(site.id.clone(), site);
        }
        Event::RoomAdded(room) => drop(state.rooms.insert(room.id.clone(), room.clone())),
        Event::AgreementDrafted(agreement) => {
            let mut agreement = (**agreement).clone();
            agreement.version = version;
            for party in &agreement.parties {
                state.agreements_of.entry(party.clone()).or_default().push(agreement.id.clone());
            }
            state.agreements.insert(agreement.id.clone(), agreement);
        }
        Event::AgreementSigned { agreement, org, .. } => {
            if let Some(agreement) = state.agreements.get_mut(agreement) {
                agreement.signed.insert(org.clone(), stamped.at);
                agreement.version = version;
            }
        }
        Event::AgreementEnded { agreement, day } => {
            if let Some(agreement) = state.agreements.get_mut(agreement) {
                (agreement.ended, agreement.version) = (Some(*day), version);
            }
        }
        _ => people(state, stamped),
    }
}

fn set_membership(
    state: &mut Alliance,
    org: &crate::ids::OrgId,
    membership: Membership,
    version: u64,
) {
    if let Some(org) = state.orgs.get_mut(org) {
        (org.state, org.version) = (membership, version);
    }
}

fn people(state: &mut Alliance, stamped: &Stamped) {
    let (Event::RolesSet { person: id, .. }
    | Event::LicencesSet { person: id, .. }
    | Event::PersonSuspended { person: id, .. }
    | Event::PersonReinstated { person: id }
    | Event::PersonRemoved { person: id }) = &stamped.event
    else {
        if let Event::PersonAdded(person) = &stamped.event {
            let mut person = (**person).clone();
            person.version = stamped.seq;
            state.people.insert(person.id.clone(), person);
            return;
        }
        return privileges(state, stamped);
    };
    let Some(person) = state.people.get_mut(id) else { return };
    person.version = stamped.seq;
    match &stamped.event {
        Event::RolesSet { roles, .. } => person.roles.clone_from(roles),
        Event::LicencesSet { licences, .. } => person.licences.clone_from(licences),
        Event::PersonSuspended { suspension, .. } => person.suspended = Some(suspension.clone()),
        Event::PersonReinstated { .. } => person.suspended = None,
        _ => person.active = false,
    }
}

fn privileges(state: &mut Alliance, stamped: &Stamped) {
    let (Event::EvidenceAdded { privilege: id, .. }
    | Event::PrivilegeDecided { privilege: id, .. }
    | Event::PrivilegeReviewed { privilege: id, .. }
    | Event::PrivilegeLapsed { privilege: id, .. }) = &stamped.event
    else {
        if let Event::PrivilegeApplied(privilege) = &stamped.event {
            let mut privilege = (**privilege).clone();
            privilege.version = stamped.seq;
            let of = state.privileges_of.entry(privilege.surgeon.clone()).or_default();
            of.push(privilege.id.clone());
            state.privileges.insert(privilege.id.clone(), privilege);
            return;
        }
        return devices(state, stamped);
    };
    let Some(privilege) = state.privileges.get_mut(id) else { return };
    privilege.version = stamped.seq;
    match &stamped.event {
        Event::EvidenceAdded { evidence, .. } => privilege.evidence.push(evidence.clone()),
        Event::PrivilegeDecided { decision, until, .. } => {
            privilege.state = decision.state;
            if decision.state == PrivilegeState::Granted {
                (privilege.from, privilege.until) = (decision.day, *until);
                (privilege.reviewed, privilege.lapse_noted) = (None, None);
            }
            privilege.decisions.push(decision.clone());
        }
        Event::PrivilegeReviewed { decision, until, .. } => {
            (privilege.reviewed, privilege.until) = (Some(decision.day), *until);
            privilege.state = decision.state;
            privilege.decisions.push(decision.clone());
        }
        Event::PrivilegeLapsed { day, .. } => privilege.lapse_noted = Some(*day),
        _ => {}
    }
}

fn devices(state: &mut Alliance, stamped: &Stamped) {
    let version = stamped.seq;
    match &stamped.event {
        Event::RobotAdded(robot) => {
            let mut robot = (**robot).clone();
            robot.version = version;
            state.robots.insert(robot.id.clone(), robot);
        }
        Event::ConsoleAdded(console) => {
            let mut console = (**console).clone();
            console.version = version;
            state.consoles.insert(console.id.clone(), console);
        }
        Event::RobotStateSet { robot, .. }
        | Event::RobotFirmwareSet { robot, .. }
        | Event::RobotChecked { robot, .. }
        | Event::RobotMaintenancePlanned { robot, .. } => {
            let Some(robot) = state.robots.get_mut(robot) else { return };
            robot.version = version;
            match &stamped.event {
                Event::RobotStateSet { state, .. } => robot.state = *state,
                Event::RobotFirmwareSet { firmware, .. } => robot.firmware = *firmware,
                Event::RobotChecked { until, .. } => robot.checked_until = *until,
                Event::RobotMaintenancePlanned { slots, .. } => robot.maintenance.clone_from(slots),
                _ => {}
            }
        }
        Event::ConsoleStateSet { console, .. }
        | Event::ConsoleFirmwareSet { console, .. }
        | Event::ConsoleMaintenancePlanned { console, .. } => {
            let Some(console) = state.consoles.get_mut(console) else { return };
            console.version = version;
            match &stamped.event {
                Event::ConsoleStateSet { state, .. } => console.state = *state,
                Event::ConsoleFirmwareSet { firmware, key, .. } => {
                    (console.firmware, console.key) = (*firmware, *key);
                }
                Event::ConsoleMaintenancePlanned { slots, .. } => {
                    console.maintenance.clone_from(slots);
                }
                _ => {}
            }
        }
        Event::CompatibilityDeclared(compatibility) => {
            let id = compatibility.id.clone();
            state.compatibilities.insert(id, (**compatibility).clone());
        }
        Event::CompatibilityWithdrawn { compatibility } => {
            if let Some(compatibility) = state.compatibilities.get_mut(compatibility) {
                compatibility.valid = false;
            }
        }
        Event::RecallOpened(recall) => {
            state.recalls.insert(recall.id.clone(), (**recall).clone());
        }
        Event::RecallLifted { recall, day } => {
            if let Some(recall) = state.recalls.get_mut(recall) {
                recall.lifted = Some(*day);
            }
        }
        _ => network(state, stamped),
    }
}

/// Paths, drills, templates, forms.
fn network(state: &mut Alliance, stamped: &Stamped) {
    match &stamped.event {
        Event::PathAdded(path) => {
            let mut path = (**path).clone();
            path.version = stamped.seq;
            for end in [&path.a, &path.b] {
                state.paths_of.entry(end.clone()).or_default().push(path.id.clone());
            }
            state.paths.insert(path.id.clone(), path);
        }
        Event::PathClosed { path } => {
            if let Some(path) = state.paths.get_mut(path) {
                (path.open, path.version) = (false, stamped.seq);
            }
        }
        Event::PathChecked { path, check } => {
            if let Some(path) = state.paths.get_mut(path) {
                (path.check, path.version) = (Some(check.clone()), stamped.seq);
            }
        }
        Event::PathQualified(qualification) => set_qualification(state, qualification),
        Event::DrillRecorded(drill) => {
            if drill.passed {
                note_currency(state, drill);
            }
            state.drills.insert(drill.id.clone(), (**drill).clone());
        }
        Event::TemplateSet(template) => {
            match state.templates.iter_mut().find(|known| known.key == template.key) {
                Some(known) => *known = (**template).clone(),
                None => state.templates.push((**template).clone()),
            }
        }
        Event::GateSet(gate) => {
            if let Some(known) = state.gates.iter_mut().find(|known| known.class == gate.class) {
                *known = (**gate).clone();
            }
        }
        Event::ProcedureSet(procedure) => {
            state.procedures.insert(procedure.code.clone(), (**procedure).clone());
        }
        Event::FormPublished(form) => drop(state.forms.insert(form.version, (**form).clone())),
        _ => case::apply(state, stamped),
    }
}

fn set_qualification(state: &mut Alliance, new: &Qualification) {
    let of = state.qualifications.entry(new.path.clone()).or_default();
    match of.iter_mut().find(|known| known.class == new.class) {
        Some(known) => *known = new.clone(),
        None => of.push(new.clone()),
    }
}

fn note_currency(state: &mut Alliance, drill: &crate::entity::drill::Drill) {
    for person in &drill.people {
        let currency = state.currency.entry(person.clone()).or_default();
        if drill.live {
            currency.last_live = currency.last_live.max(Some(drill.at));
            continue;
        }
        let place = currency.simulator.partition_point(|at| *at <= drill.at);
        currency.simulator.insert(place, drill.at);
        if currency.simulator.len() > DRILLS_KEPT {
            currency.simulator.remove(0);
        }
    }
}

/// Notes a case in the privileges under which it was done.
fn note_case(
    state: &mut Alliance,
    person: Option<&crate::ids::PersonId>,
    role: crate::entity::privilege::PrivilegeRole,
    procedure: &crate::ids::ProcedureCode,
    model: &crate::ids::ModelCode,
    day: Day,
) {
    let Some(ids) = person.and_then(|person| state.privileges_of.get(person)) else { return };
    for id in ids {
        let Some(privilege) = state.privileges.get_mut(id) else { continue };
        if privilege.role == role
            && privilege.procedure == *procedure
            && privilege.robot_model == *model
        {
            let place = privilege.cases.partition_point(|known| *known <= day);
            privilege.cases.insert(place, day);
            privilege.cases.retain(|known| day.since(*known) <= 730);
        }
    }
}
