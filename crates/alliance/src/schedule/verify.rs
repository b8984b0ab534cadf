//! A second look at a plan, by a slow and plain way that shares nothing with the search.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Case, CaseIx, Choice, Placement, Plan, Problem, Span};

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The case at fault.
    pub case: CaseIx,
    /// What is wrong, with value and limit.
    pub what: String,
}

/// Every fault of `plan`; an empty list means that it holds: no (resource, slot) twice, everyone at
/// work, frozen cases unmoved, limits kept, values as told.
pub fn verify(problem: &Problem, plan: &Plan) -> Vec<Fault> {
    let mut book =
        Book { problem, taken: BTreeMap::new(), sums: BTreeMap::new(), faults: Vec::new() };
    let mut seen = BTreeMap::new();
    for placed in &plan.placements {
        if seen.insert(placed.case, placed).is_some() {
            book.fault(placed.case, "is placed twice".into());
        }
        book.enter(placed);
    }
    for case in &plan.unplaced {
        if seen.contains_key(case) {
            book.fault(*case, "is placed and told as unplaced".into());
        }
    }
    for (at, case) in problem.cases.iter().enumerate() {
        let ix = CaseIx::from(at);
        let Some(was) = case.published.filter(|_| problem.frozen(case)) else { continue };
        let moved = |now: &&Placement| {
            (now.start, now.room, now.choice) != (was.start, was.room, was.choice)
        };
        if seen.get(&ix).is_none_or(moved) {
            book.fault(ix, format!("is frozen at slot {} and was moved", was.start));
        }
    }
    if plan.placements.len() + plan.unplaced.len() != problem.cases.len() {
        let told = plan.placements.len() + plan.unplaced.len();
        let what = format!("is one of {}, but the plan tells of {told}", problem.cases.len());
        book.fault(CaseIx(0), what);
    }
    let value: i64 = plan.placements.iter().filter_map(|placed| problem.value(placed)).sum();
    if value != plan.value {
        book.fault(CaseIx(0), format!("the plan tells the value {}, it is {value}", plan.value));
    }
    book.faults
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Room(u32),
    Standby(u32),
    Surgeon(u32),
    Console(u32, u32),
    ElectiveConsoles(u32),
    Pair(u32),
    Answering(u32),
}

struct Book<'p> {
    problem: &'p Problem,
    /// How many hold a resource in a slot.
    taken: BTreeMap<(What, u32), u32>,
    /// Remote slots by surgeon and day; by surgeon at night (day `None`).
    sums: BTreeMap<(u32, Option<u32>), u32>,
    faults: Vec<Fault>,
}

impl Book<'_> {
    fn fault(&mut self, case: CaseIx, what: String) {
        self.faults.push(Fault { case, what });
    }

    fn enter(&mut self, placed: &Placement) {
        let Some(case) = self.problem.cases.get(placed.case.at()) else {
            return self.fault(placed.case, "is not in the problem".into());
        };
        let Some(choice) = case.choices.get(placed.choice as usize) else {
            return self.fault(placed.case, format!("has no choice {}", placed.choice));
        };
        let frozen = self.problem.frozen(case);
        if !frozen && placed.start < case.earliest.max(self.problem.open_from) {
            self.fault(placed.case, format!("begins at slot {}, too early", placed.start));
        }
        if self.problem.value(placed).is_none_or(|value| value <= 0) && !frozen {
            self.fault(placed.case, "is placed where it is worth nothing".into());
        }
        self.enter_room(placed, case);
        self.enter_standby(placed, case);
        self.enter_surgeon(placed, case, choice);
        self.enter_console(placed, case, choice);
        if let Some(pair) = choice.pair {
            let Some(row) = self.problem.pairs.get(pair.at()) else {
                return self.fault(placed.case, "has a path pair that is not there".into());
            };
            self.inside(placed, &row.open, remote(placed, case), "the path pair");
            let kept = kept(placed, case);
            self.hold(placed, What::Pair(pair.0), kept, row.sessions.into());
        }
    }

    fn enter_room(&mut self, placed: &Placement, case: &Case) {
        let Some(room) = self.problem.rooms.get(placed.room.at()) else {
            return self.fault(placed.case, "has a room that is not there".into());
        };
        if !case.rooms.contains(&placed.room) {
            self.fault(placed.case, format!("cannot be done in room {}", room.id));
        }
        let whole = Span::new(placed.start, placed.start + case.phases.total());
        self.inside(placed, &room.open, whole, "the room");
        self.outside(placed, case, &room.reserve, whole);
        let until = whole.until + case.phases.room_late + room.turnover;
        self.hold(placed, What::Room(placed.room.0), Span::new(whole.from, until), 1);
    }

    fn enter_standby(&mut self, placed: &Placement, case: &Case) {
        let Some(at) = placed.standby else {
            if !case.standbys.is_empty() {
                self.fault(placed.case, "has no stand-by surgeon".into());
            }
            return;
        };
        let Some(standby) = self.problem.standbys.get(at.at()) else {
            return self.fault(placed.case, "has a stand-by surgeon who is not there".into());
        };
        if !case.standbys.contains(&at) {
            self.fault(placed.case, format!("{} cannot stand by", standby.id));
        }
        let whole = Span::new(placed.start, placed.start + case.phases.total());
        self.inside(placed, &standby.open, whole, "the stand-by surgeon");
        let until = whole.until + case.phases.room_late;
        self.hold(placed, What::Standby(at.0), Span::new(whole.from, until), 1);
    }

    fn enter_surgeon(&mut self, placed: &Placement, case: &Case, choice: &Choice) {
        let Some(surgeon) = self.problem.surgeons.get(choice.surgeon.at()) else {
            return self.fault(placed.case, "has a surgeon who is not there".into());
        };
        let (remote, at) = (remote(placed, case), choice.surgeon.0);
        self.inside(placed, &surgeon.open, remote, "the surgeon");
        self.outside(placed, case, &surgeon.reserve, remote);
        self.hold(placed, What::Surgeon(at), kept(placed, case), 1);
        if let Some(limit) = surgeon.concurrent {
            let whole = Span::new(placed.start, placed.start + case.phases.total());
            self.hold(placed, What::Answering(at), whole, limit.into());
        }
        let Some(zone) = self.problem.zones.get(surgeon.zone.at()) else { return };
        let day = zone.midnights.iter().filter(|midnight| **midnight <= remote.from).count() as u32;
        let night = (remote.from..remote.until)
            .filter(|slot| zone.nights.iter().any(|n| n.from <= *slot && *slot < n.until))
            .count() as u32;
        for (key, more, limit) in
            [(Some(day), remote.slots(), surgeon.day_limit), (None, night, surgeon.night_limit)]
        {
            let sum = self.sums.entry((at, key)).or_insert(0);
            *sum += more;
            let sum = *sum;
            if let Some(limit) = limit.filter(|limit| sum > *limit) {
                self.fault(placed.case, format!("brings surgeon {at} to {sum} slots of {limit}"));
            }
        }
    }

    fn enter_console(&mut self, placed: &Placement, case: &Case, choice: &Choice) {
        let pool = self.problem.surgeons.get(choice.surgeon.at()).map(|surgeon| surgeon.pool);
        let Some((at, pool)) = pool.and_then(|at| Some((at.0, self.problem.pools.get(at.at())?)))
        else {
            return self.fault(placed.case, "has a centre that is not there".into());
        };
        let kept = kept(placed, case);
        if placed.console as usize >= pool.consoles.len() {
            self.fault(placed.case, format!("has console {}, which is not there", placed.console));
        }
        if pool.down.iter().any(|(console, down)| *console == placed.console && down.meets(kept)) {
            self.fault(placed.case, format!("has console {}, which is down", placed.console));
        }
        self.hold(placed, What::Console(at, placed.console), kept, 1);
        let limit = (pool.consoles.len() as u32).saturating_sub(pool.reserve.into());
        if !case.emergency {
            self.hold(placed, What::ElectiveConsoles(at), kept, limit);
        }
    }

    /// The span lies in hours that follow each other without a gap.
    fn inside(&mut self, placed: &Placement, open: &[Span], span: Span, who: &str) {
        for slot in span.from..span.until {
            if !open.iter().any(|hours| hours.from <= slot && slot < hours.until) {
                let what = format!("needs slot {slot}, when {who} is not open");
                return self.fault(placed.case, what);
            }
        }
    }

    fn outside(&mut self, placed: &Placement, case: &Case, reserve: &[Span], span: Span) {
        if !case.emergency && reserve.iter().any(|kept| kept.meets(span)) {
            self.fault(placed.case, "uses a reserve for emergencies".into());
        }
    }

    fn hold(&mut self, placed: &Placement, what: What, span: Span, limit: u32) {
        for slot in span.from..span.until {
            let taken = self.taken.entry((what, slot)).or_insert(0);
            *taken += 1;
            let taken = *taken;
            if taken > limit {
                let text = format!("makes {taken} in slot {slot} of {what:?}, the most is {limit}");
                return self.fault(placed.case, text);
            }
        }
    }
}

fn remote(placed: &Placement, case: &Case) -> Span {
    let from = placed.start + case.phases.pre;
    Span::new(from, from + case.phases.remote)
}

fn kept(placed: &Placement, case: &Case) -> Span {
    let remote = remote(placed, case);
    Span::new(remote.from - case.phases.early, remote.until + case.phases.late)
}
