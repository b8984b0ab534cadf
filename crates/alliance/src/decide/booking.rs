//! Holds and bookings: one resource, one slot, one booking.

use super::case::open;
use super::{Decision, fresh, in_order, known, name_of, refuse, within};
use crate::command::{Command, Context};
use crate::eligibility::{self, Stage};
use crate::entity::booking::{Booking, Claim, Hold, Request, Resource};
use crate::entity::case::{Case, CaseState};
use crate::event::Event;
use crate::ids::{BookingId, PathId};
use crate::mutant::{self, Mutant};
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use crate::time::{Slot, Slots, Utc};
use alloc::boxed::Box;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

/// P(an anaesthetised patient waits more than 15 minutes) at most, per million.
pub const WAIT_RISK_PPM: u32 = 50_000;
/// The longest hold, minutes.
const LONGEST_HOLD: u16 = 1_440;
/// The latest start, days from now.
const LATEST_START: i64 = 400;
/// Slots of a day.
const DAY: u32 = 96;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::Hold { hold, case, request, minutes } => {
            fresh(taken(state, hold), "the hold", hold)?;
            within("minutes of the hold", *minutes, 1, LONGEST_HOLD)?;
            let (mut events, claims) = claim(state, context, case, hold, request, true)?;
            events.push(Event::Held(Box::new(Hold {
                id: hold.clone(),
                case: case.clone(),
                request: (**request).clone(),
                claims,
                until: context.now.plus_minutes(i64::from(*minutes)),
            })));
            Ok(events)
        }
        Command::ReleaseHold { hold } => {
            known(state.hold(hold), "the hold", hold)?;
            Ok(vec![Event::HoldReleased { hold: hold.clone() }])
        }
        Command::Book { booking, case, request } => {
            fresh(state.booking(booking).is_some(), "the booking", booking)?;
            if let Some(hold) = state.hold(booking) {
                in_order(hold.case == *case, "the hold", &hold.case, "one of this case")?;
            }
            let (mut events, claims) = claim(state, context, case, booking, request, true)?;
            events.push(Event::Booked(Box::new(Booking {
                id: booking.clone(),
                case: case.clone(),
                request: (**request).clone(),
                claims,
                published: false,
                wait_risk_ppm: None,
                moved: 0,
                version: 0,
            })));
            Ok(events)
        }
        Command::PublishBooking { booking, wait_risk_ppm } => {
            let found = known(state.booking(booking), "the booking", booking)?;
            in_order(!found.published, "the booking", "published", "not yet published")?;
            if *wait_risk_ppm > WAIT_RISK_PPM {
                return refuse(
                    Rule::WaitRisk,
                    "P(an anaesthetised patient waits > 15 min)",
                    format!("{:.1} %", f64::from(*wait_risk_ppm) / 1e4),
                    format!("{:.1} %", f64::from(WAIT_RISK_PPM) / 1e4),
                    "Plan longer buffers or a second eligible surgeon.",
                );
            }
            let (booking, wait_risk_ppm) = (booking.clone(), *wait_risk_ppm);
            Ok(vec![Event::BookingPublished { booking, wait_risk_ppm }])
        }
        Command::MoveBooking { booking, request } => {
            let found = known(state.booking(booking), "the booking", booking)?;
            movable(open(state, &found.case)?)?;
            let (mut events, claims) = claim(state, context, &found.case, booking, request, false)?;
            let (booking, request) = (booking.clone(), request.clone());
            events.push(Event::BookingMoved { booking, request, claims });
            Ok(events)
        }
        Command::CancelBooking { booking } => {
            let found = known(state.booking(booking), "the booking", booking)?;
            movable(open(state, &found.case)?)?;
            Ok(vec![Event::BookingCancelled { booking: booking.clone() }])
        }
        _ => Ok(vec![]),
    }
}

fn taken(state: &Alliance, id: &BookingId) -> bool {
    state.hold(id).is_some() || state.booking(id).is_some()
}

/// Not under a grant: that is taken back first.
fn movable(case: &Case) -> Result<(), Refusal> {
    let ok = case.state < CaseState::Granted && case.session.is_none();
    let ok = ok || (case.state < CaseState::Granted && case.grant.is_none());
    in_order(ok, "the case", name_of(&case.state), "without a grant in force")
}

/// What a request takes, after judging who may and what is free. Holds that are over give way.
fn claim(
    state: &Alliance,
    context: &Context,
    case: &crate::ids::CaseId,
    own: &BookingId,
    request: &Request,
    new: bool,
) -> Result<(Vec<Event>, Vec<Claim>), Refusal> {
    let case = open(state, case)?;
    if new {
        let early = matches!(case.state, CaseState::Triaged | CaseState::Eligible);
        in_order(early, "the case", name_of(&case.state), "triaged, not yet booked")?;
    }
    let same = request.phases == case.phases;
    in_order(same, "slots of the phases", name_of(&request.phases), &name_of(&case.phases))?;
    let earliest = Slot(context.now.slot().0);
    let latest = context.now.plus_hours(24 * LATEST_START).slot();
    within("the start", request.start, earliest, latest)?;
    eligibility::require(state, context.now, case, request, Stage::Booking)?;
    enough_rest(state, request)?;
    let mut free = Free { state, now: context.now, own, over: Vec::new() };
    let (whole, remote) = (request.slots(), request.remote());
    let mut claims = Vec::with_capacity(5 + request.paths.len());
    for (resource, slots) in [
        (Resource::Robot(request.robot.clone()), whole),
        (Resource::Room(request.room.clone()), whole),
        (Resource::Person(request.standby.clone()), whole),
        (Resource::Person(request.surgeon.clone()), remote),
        (Resource::Console(request.console.clone()), remote),
    ] {
        free.require(&resource, slots)?;
        claims.push(Claim { resource, slots });
    }
    for path in &request.paths {
        claims.push(Claim { resource: free.lane(path, remote)?, slots: remote });
    }
    free.over.sort();
    free.over.dedup();
    let events = free.over.into_iter().map(|hold| Event::HoldReleased { hold }).collect();
    Ok((events, claims))
}

struct Free<'a> {
    state: &'a Alliance,
    now: Utc,
    own: &'a BookingId,
    over: Vec<BookingId>,
}

impl Free<'_> {
    ///
    fn require(&mut self, resource: &Resource, slots: Slots) -> Result<(), Refusal> {
        for (by, taken) in self.state.table().runs(resource, slots) {
            if by == self.own || mutant::is(Mutant::SlotsTwice) {
                continue;
            }
            if self.state.hold(by).is_some_and(|hold| hold.until <= self.now) {
                self.over.push(by.clone());
                continue;
            }
            return refuse(
                Rule::Slot,
                &format!("{resource}"),
                format!("taken from {} until {}", taken.from, taken.until),
                format!("free from {} until {}", slots.from, slots.until),
                "Choose another time or another one.",
            );
        }
        Ok(())
    }

    /// A free lane of a path.
    fn lane(&mut self, path: &PathId, slots: Slots) -> Result<Resource, Refusal> {
        let lanes = self.state.path(path).map_or(1, |path| path.lanes);
        let mut last = Ok(());
        for lane in 0..lanes.max(1) {
            let resource = Resource::Path(path.clone(), lane);
            let before = self.over.len();
            last = self.require(&resource, slots);
            if last.is_ok() {
                return Ok(resource);
            }
            self.over.truncate(before);
        }
        last.map(|()| Resource::Path(path.clone(), 0))
    }
}

/// A surgeon's remote slots within 24 hours up to the end of this case.
fn enough_rest(state: &Alliance, request: &Request) -> Result<(), Refusal> {
    let limit = state.person(&request.surgeon).map_or(0, |person| person.max_slots_per_day);
    if limit == 0 {
        return Ok(());
    }
    let remote = request.remote();
    let day = Slots { from: Slot(remote.until.0.saturating_sub(DAY)), until: remote.until };
    let resource = Resource::Person(request.surgeon.clone());
    let before: u32 = state
        .table()
        .runs(&resource, day)
        .filter(|(_, taken)| !taken.overlaps(remote))
        .map(|(_, taken)| taken.count())
        .sum();
    let all = before + remote.count();
    within("slots of remote surgery within 24 h", all, 1, u32::from(limit))
}
