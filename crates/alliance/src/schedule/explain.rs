//! Why not, and where else: for each day, room and surgeon what binds, and the next free places.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::bits::runs;
use super::board::{Board, Day, Spot, kept, remote};
use super::{Case, CaseIx, Choice, Flaw, Placement, Plan, Problem, RoomIx, SurgeonIx};

/// What keeps a case from a day, a room and a surgeon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Binding {
    /// Opening hours of the room, in slots in a row.
    RoomHours,
    /// Free slots of the room in a row, in its hours, with turnover.
    RoomTaken,
    /// Free slots of a stand-by surgeon in a row.
    Standby,
    /// Working hours of the surgeon, in slots in a row.
    SurgeonHours,
    /// Free slots of the surgeon in a row.
    SurgeonTaken,
    /// Slots in a row in which the centre has a free console.
    Consoles,
    /// Slots in a row in which the path pair is qualified.
    PathHours,
    /// Slots in a row in which the path pair has room for one more session.
    PathTaken,
    /// Slots in a row in which the surgeon may answer for one more case.
    Answering,
    /// Remote slots of the surgeon on that day; the limit is the most.
    DayLimit,
    /// Remote slots of the surgeon at night; the limit is the most.
    NightLimit,
    /// The case would be worth nothing on so late a day; the limit is the first such day.
    TooLate,
    /// Each is free for long enough, but not at the same time: starts in common, at least one.
    Together,
}

/// One reason: what there is, and what it would have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// What binds.
    pub binding: Binding,
    /// What there is.
    pub value: u32,
    /// What is needed; for limits, the most there may be.
    pub limit: u32,
}

/// What can be said of one day, room and choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// Day of the horizon, in the site's zone.
    pub day: u32,
    /// The room.
    pub room: RoomIx,
    /// The surgeon.
    pub surgeon: SurgeonIx,
    /// Place in the case's choices.
    pub choice: u32,
    /// The earliest free start, if there is one.
    pub start: Option<u32>,
    /// Why not; empty where there is a start.
    pub reasons: Vec<Reason>,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { value, limit, .. } = self;
        let who = match self.binding {
            Binding::RoomHours => "the room is open for",
            Binding::RoomTaken => "the room is free for",
            Binding::Standby => "a stand-by surgeon is free for",
            Binding::SurgeonHours => "the surgeon works for",
            Binding::SurgeonTaken => "the surgeon is free for",
            Binding::Consoles => "a console is free for",
            Binding::PathHours => "the paths are qualified for",
            Binding::PathTaken => "the paths have room for",
            Binding::Answering => "the surgeon may answer for one more case for",
            Binding::DayLimit => {
                return write!(
                    f,
                    "the surgeon would operate {value} slots that day, the most is {limit}"
                );
            }
            Binding::NightLimit => {
                return write!(
                    f,
                    "the surgeon would operate {value} slots at night, the most is {limit}"
                );
            }
            Binding::TooLate => {
                return write!(f, "day {value} is too late, day {limit} is already");
            }
            Binding::Together => {
                return write!(f, "everyone is free for long enough, but never at the same time");
            }
        };
        write!(f, "{who} {value} slots in a row, {limit} are needed")
    }
}

/// For each day, each room and each choice (of `surgeon`, or of all): the earliest start, or why
/// there is none. The case itself is taken off the plan first. Errors: the problem contradicts
/// itself.
pub fn explain(
    problem: &Problem,
    plan: &Plan,
    case: CaseIx,
    surgeon: Option<SurgeonIx>,
) -> Result<Vec<Why>, Flaw> {
    let board = board_without(problem, plan, case)?;
    let mut all = Vec::new();
    let Some(asked) = problem.cases.get(case.at()) else { return Ok(all) };
    for day in board.days(asked) {
        for room in &asked.rooms {
            for (number, choice) in asked.choices.iter().enumerate() {
                if surgeon.is_some_and(|surgeon| surgeon != choice.surgeon) {
                    continue;
                }
                let starts = board.room_starts(asked, *room, day);
                let both = board.choice_starts(asked, choice, day, starts);
                let start = board.first(asked, choice, *room, day, both).map(|(start, _)| start);
                let worth = problem.day_value(asked, day.number) > 0;
                let start = start.filter(|_| worth);
                let reasons = match start {
                    Some(_) => Vec::new(),
                    None => reasons(&board, asked, choice, *room, day),
                };
                let (day, choice_at) = (day.number, number as u32);
                let (room, surgeon) = (*room, choice.surgeon);
                all.push(Why { day, room, surgeon, choice: choice_at, start, reasons });
            }
        }
    }
    Ok(all)
}

/// The next free places for `case` beside the plan, the most valuable first, at most `most`; each
/// with a console that is free as the plan stands. Errors: the problem contradicts itself.
pub fn find(
    problem: &Problem,
    plan: &Plan,
    case: CaseIx,
    most: usize,
) -> Result<Vec<Placement>, Flaw> {
    let board = board_without(problem, plan, case)?;
    let Some(asked) = problem.cases.get(case.at()) else { return Ok(Vec::new()) };
    let mut found: Vec<(i64, Placement)> = Vec::new();
    for day in board.days(asked) {
        for room in &asked.rooms {
            let starts = board.room_starts(asked, *room, day);
            for (number, choice) in asked.choices.iter().enumerate() {
                let both = board.choice_starts(asked, choice, day, starts);
                let Some((start, _)) = board.first(asked, choice, *room, day, both) else {
                    continue;
                };
                let standby = board.standby_at(asked, start);
                let spot = Spot { start, room: *room, standby, choice: number as u32 };
                let mut placed = spot.placement(case);
                let Some(console) = free_console(problem, plan, &placed) else { continue };
                placed.console = console;
                found.extend(problem.value(&placed).filter(|v| *v > 0).map(|v| (v, placed)));
            }
        }
    }
    found.sort_by_key(|(value, placed)| (-value, placed.start));
    Ok(found.into_iter().map(|(_, placed)| placed).take(most).collect())
}

fn board_without<'p>(problem: &'p Problem, plan: &Plan, case: CaseIx) -> Result<Board<'p>, Flaw> {
    let mut board = Board::new(problem)?;
    for placed in &plan.placements {
        let known = problem.cases.get(placed.case.at());
        if known.is_some_and(|case| (placed.choice as usize) < case.choices.len())
            && placed.room.at() < problem.rooms.len()
            && board.spot(placed.case).is_none()
        {
            board.put(placed.case, Spot::of(placed));
        }
    }
    if case.at() < problem.cases.len() {
        board.take(case);
    }
    Ok(board)
}

fn free_console(problem: &Problem, plan: &Plan, placed: &Placement) -> Option<u32> {
    let pool_of =
        |placed: &Placement| Some(problem.surgeons.get(placed.surgeon(problem)?.at())?.pool);
    let centre = pool_of(placed)?;
    let pool = problem.pools.get(centre.at())?;
    let span = kept(problem.cases.get(placed.case.at())?, placed.start);
    let busy = |console: u32| {
        let down = pool.down.iter().any(|(at, when)| *at == console && when.meets(span));
        let taken = |other: &&Placement| {
            let theirs = problem.cases.get(other.case.at()).map(|case| kept(case, other.start));
            other.case != placed.case
                && other.console == console
                && pool_of(other) == Some(centre)
                && theirs.is_some_and(|theirs| theirs.meets(span))
        };
        down || plan.placements.iter().any(|other| taken(&other))
    };
    (0..pool.consoles.len() as u32).find(|console| !busy(*console))
}

/// Every resource alone: does it have a start on this day?
fn reasons(board: &Board<'_>, case: &Case, choice: &Choice, room: RoomIx, day: Day) -> Vec<Reason> {
    let (phases, problem) = (case.phases, board.problem);
    let mut found = Vec::new();
    if problem.day_value(case, day.number) <= 0 {
        let first = (0..day.number).find(|d| problem.day_value(case, *d) <= 0);
        let limit = first.unwrap_or(day.number);
        found.push(Reason { binding: Binding::TooLate, value: day.number, limit });
    }
    let mut test = |binding, free: u128, need: u32| {
        let lacking = runs(free, need) & day.starts == 0;
        if lacking {
            found.push(Reason { binding, value: longest(free, day.starts), limit: need });
        }
        lacking
    };
    let total = phases.total();
    let hours = board.rooms.hours(room.at(), day.from, case.emergency);
    if !test(Binding::RoomHours, hours, total) {
        test(Binding::RoomTaken, hours & !board.rooms.busy.window(room.at(), day.from), total);
    }
    if !case.standbys.is_empty() {
        let free = |standby: &super::StandbyIx| {
            let open = board.standbys.open.window(standby.at(), day.from);
            open & !board.standbys.busy.window(standby.at(), day.from)
        };
        let best = case.standbys.iter().map(free).max_by_key(|free| longest(*free, day.starts));
        test(Binding::Standby, best.unwrap_or(0), total);
    }
    let surgeon = choice.surgeon.at();
    let (nominal, from) = (day.from + phases.pre, day.from + phases.pre - phases.early);
    let length = phases.early + phases.remote + phases.late;
    let works = board.surgeons.hours(surgeon, nominal, case.emergency);
    if !test(Binding::SurgeonHours, works, phases.remote) {
        let free = works & !board.surgeons.busy.window(surgeon, nominal);
        test(Binding::SurgeonTaken, free, phases.remote);
    }
    if let Some(pool) = problem.surgeons.get(surgeon).map(|surgeon| surgeon.pool.at()) {
        let elective = if case.emergency { 0 } else { board.elective_pools.full(pool, from) };
        test(Binding::Consoles, !(board.pools.full(pool, from) | elective), length);
    }
    if let Some(pair) = choice.pair {
        let open = board.pair_open.window(pair.at(), nominal);
        if !test(Binding::PathHours, open, phases.remote) {
            test(Binding::PathTaken, !board.pairs.full(pair.at(), from), length);
        }
    }
    if problem.surgeons.get(surgeon).is_some_and(|surgeon| surgeon.concurrent.is_some()) {
        test(Binding::Answering, !board.answering.full(surgeon, day.from), total);
    }
    let starts = board.room_starts(case, room, day);
    let both = board.choice_starts(case, choice, day, starts);
    if both != 0 {
        let start = day.from + both.trailing_zeros();
        if let Some((_, value, limit)) = board.tired(choice.surgeon, remote(case, start)) {
            let day_limit = problem.surgeons.get(surgeon).and_then(|surgeon| surgeon.day_limit);
            let by_day = day_limit == Some(limit);
            let binding = if by_day { Binding::DayLimit } else { Binding::NightLimit };
            found.push(Reason { binding, value, limit });
        }
    }
    if found.is_empty() {
        found.push(Reason { binding: Binding::Together, value: 0, limit: 1 });
    }
    found
}

/// The longest run of bits that begins at one of `starts`.
fn longest(free: u128, starts: u128) -> u32 {
    (1..=128).take_while(|len| runs(free, *len) & starts != 0).last().unwrap_or(0)
}
