//! A first guess for a booking: who and what fits a case and a surgeon at a time.

use super::{Stage, check};
use crate::entity::booking::{Request, Resource};
use crate::entity::case::Case;
use crate::entity::network::Grade;
use crate::entity::people::Role;
use crate::ids::{ConsoleId, PathId, PersonId, RobotId, SiteId};
use crate::refusal::Finding;
use crate::state::Alliance;
use crate::time::{Slot, Slots, Utc};
use alloc::vec::Vec;

/// The best that can be found for a surgeon and a start: robot, room, stand-by surgeon, console and
/// paths, free ones first, with the judgement of it. `None` if the site has no robot, no room or no
/// stand-by surgeon at all, or the surgeon's hospital no console.
///
/// Reads all robots, rooms, consoles and the people of the site: for a page, not for a plan.
pub fn suggest(
    state: &Alliance,
    now: Utc,
    case: &Case,
    surgeon: &PersonId,
    start: Slot,
) -> Option<(Request, Vec<Finding>)> {
    let slots = Slots::starting(start, case.phases.total());
    let lead = state.person(surgeon)?;
    let mut robots: Vec<&RobotId> =
        state.robots().values().filter(|known| known.site == case.site).map(|r| &r.id).collect();
    robots
        .sort_by_key(|id| state.table().conflict(&Resource::Robot((*id).clone()), slots).is_some());
    let org = state.org_of(&case.site)?;
    let mut standbys: Vec<&PersonId> = state
        .people()
        .values()
        .filter(|known| known.org == *org && known.acts_as(Role::StandbySurgeon))
        .map(|known| &known.id)
        .filter(|id| *id != surgeon)
        .collect();
    standbys.sort_by_key(|id| {
        state.table().conflict(&Resource::Person((*id).clone()), slots).is_some()
    });
    let consoles = state
        .consoles()
        .values()
        .filter(|known| state.org_of(&known.site) == Some(&lead.org) && known.site != case.site);
    let consoles: Vec<(&ConsoleId, &SiteId)> = consoles.map(|c| (&c.id, &c.site)).collect();
    let mut best: Option<(usize, Request, Vec<Finding>)> = None;
    for robot in robots.iter().take(4) {
        let fixed = state.robot(robot).and_then(|known| known.room.clone());
        let any = || state.rooms().values().find(|r| r.site == case.site).map(|r| r.id.clone());
        let Some(room) = fixed.or_else(any) else { continue };
        for standby in standbys.iter().take(6) {
            for (console, at) in consoles.iter().take(4) {
                let request = Request {
                    surgeon: surgeon.clone(),
                    standby: (*standby).clone(),
                    robot: (*robot).clone(),
                    console: (*console).clone(),
                    room: room.clone(),
                    paths: paths(state, case, at),
                    start,
                    phases: case.phases,
                };
                let findings = check(state, now, case, &request, Stage::Booking);
                let failed = findings.iter().filter(|finding| !finding.ok).count();
                if best.as_ref().is_none_or(|(least, ..)| failed < *least) {
                    best = Some((failed, request, findings));
                }
                if failed == 0 {
                    break;
                }
            }
        }
    }
    best.map(|(_, request, findings)| (request, findings))
}

/// The best primary path, then the best path of another group.
fn paths(state: &Alliance, case: &Case, console: &SiteId) -> Vec<PathId> {
    let class = state.procedure(&case.procedure).map(|known| known.class);
    let mut all: Vec<_> = state.paths_between(console, &case.site).filter(|p| p.open).collect();
    all.sort_by_key(|path| {
        let found = class.and_then(|class| state.qualification(&path.id, class));
        let grade = found.map_or(Grade::Fail, |known| known.grade);
        let rtt = found.map_or(u32::MAX, |known| known.survey.rtt_p999_us);
        (!path.medium.wired(), core::cmp::Reverse(grade), rtt)
    });
    let Some(first) = all.first() else { return Vec::new() };
    let second = all.iter().find(|path| path.diversity_group != first.diversity_group);
    core::iter::once(first).chain(second).map(|path| path.id.clone()).collect()
}
