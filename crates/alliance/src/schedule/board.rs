//! What is taken, and what is still free, while a plan is made.

#![expect(clippy::indexing_slicing, reason = "Problem::check has bounded every index")]

use alloc::vec;
use alloc::vec::Vec;

use super::Plan;
use super::bits::{Counts, Rows, runs};
use super::problem::Case;
use super::{
    CaseIx, Choice, Flaw, Placement, Problem, RoomIx, Span, StandbyIx, SurgeonIx, consoles,
};

/// Where a case could go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub start: u32,
    pub room: RoomIx,
    pub standby: Option<StandbyIx>,
    pub choice: u32,
}

/// A place that is free, and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    pub spot: Spot,
    pub value: i64,
}

/// One part of a day's starts: the first slot, and which of the 128 starts from it are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    pub number: u32,
    pub from: u32,
    pub starts: u128,
}

#[derive(Debug, Clone)]
pub(super) struct Board<'p> {
    pub problem: &'p Problem,
    pub rooms: Use,
    pub standbys: Use,
    pub surgeons: Use,
    pub pair_open: Rows,
    pub pairs: Counts,
    pub pools: Counts,
    /// Elective cases at consoles: some consoles are kept for emergencies.
    pub elective_pools: Counts,
    reserves: bool,
    /// Cases a surgeon answers for.
    pub answering: Counts,
    answers: Vec<bool>,
    pool_of: Vec<usize>,
    /// By surgeon and local day.
    day_used: Vec<u32>,
    days: usize,
    night_used: Vec<u32>,
    /// What each choice of each case adds.
    extra: Vec<Vec<i64>>,
    placed: Vec<Option<(Spot, i64)>>,
    value: i64,
}

/// When a resource is there, and when it is taken.
#[derive(Debug, Clone)]
pub(super) struct Use {
    pub open: Rows,
    pub elective: Rows,
    pub busy: Rows,
}

impl Use {
    fn new<'a>(rows: impl ExactSizeIterator<Item = (&'a [Span], &'a [Span])>, slots: u32) -> Self {
        let count = rows.len();
        let mut new = Self {
            open: Rows::new(count, slots),
            elective: Rows::new(count, slots),
            busy: Rows::new(count, slots),
        };
        for (row, (open, reserve)) in rows.enumerate() {
            for span in open {
                new.open.set(row, cut(*span, slots));
                new.elective.set(row, cut(*span, slots));
            }
            for span in reserve {
                new.elective.clear(row, cut(*span, slots));
            }
        }
        new
    }

    #[inline]
    pub(super) fn hours(&self, row: usize, from: u32, emergency: bool) -> u128 {
        if emergency { self.open.window(row, from) } else { self.elective.window(row, from) }
    }
}

fn open_rows<'a>(rows: impl ExactSizeIterator<Item = &'a [Span]>, slots: u32) -> Rows {
    let mut open = Rows::new(rows.len(), slots);
    for (row, spans) in rows.enumerate() {
        for span in spans {
            open.set(row, cut(*span, slots));
        }
    }
    open
}

const fn cut(span: Span, slots: u32) -> Span {
    Span::new(span.from, if span.until < slots { span.until } else { slots })
}

impl<'p> Board<'p> {
    /// The board with nothing on it but the cases that are frozen.
    pub(super) fn new(problem: &'p Problem) -> Result<Self, Flaw> {
        problem.check()?;
        let slots = problem.slots;
        let days = problem.zones.iter().map(|zone| zone.midnights.len()).max().unwrap_or(0);
        let limits = |reserve: bool| {
            let size = |pool: &super::Pool| {
                let kept = if reserve { pool.reserve } else { 0 };
                (pool.consoles.len() as u16).saturating_sub(kept)
            };
            problem.pools.iter().map(size).collect()
        };
        let concurrent = problem.surgeons.iter().map(|s| s.concurrent.unwrap_or(u16::MAX));
        let answers = problem.surgeons.iter().map(|s| s.concurrent.is_some()).collect::<Vec<_>>();
        let limited = if answers.contains(&true) { concurrent.collect() } else { Vec::new() };
        let none: &[Span] = &[];
        let mut board = Self {
            problem,
            rooms: Use::new(problem.rooms.iter().map(|r| (&*r.open, &*r.reserve)), slots),
            standbys: Use::new(problem.standbys.iter().map(|s| (&*s.open, none)), slots),
            surgeons: Use::new(problem.surgeons.iter().map(|s| (&*s.open, &*s.reserve)), slots),
            pair_open: open_rows(problem.pairs.iter().map(|p| &*p.open), slots),
            pairs: Counts::new(problem.pairs.iter().map(|p| p.sessions).collect(), slots),
            pools: Counts::new(limits(false), slots),
            elective_pools: Counts::new(limits(true), slots),
            reserves: problem.pools.iter().any(|pool| pool.reserve > 0),
            answering: Counts::new(limited, slots),
            answers,
            pool_of: problem.surgeons.iter().map(|surgeon| surgeon.pool.at()).collect(),
            day_used: vec![0; problem.surgeons.len() * days],
            days,
            night_used: vec![0; problem.surgeons.len()],
            extra: problem
                .cases
                .iter()
                .map(|case| case.choices.iter().map(|c| problem.choice_value(case, c)).collect())
                .collect(),
            placed: vec![None; problem.cases.len()],
            value: 0,
        };
        for (row, pool) in problem.pools.iter().enumerate() {
            let mut down = pool.down.clone();
            down.sort_unstable();
            let mut last = (u32::MAX, 0);
            for (console, span) in down {
                // one console that is down for two reasons is one console
                let from = if console == last.0 { span.from.max(last.1) } else { span.from };
                board.pools.take(row, cut(Span::new(from, span.until), slots));
                last =
                    (console, if console == last.0 { last.1.max(span.until) } else { span.until });
            }
        }
        for (at, case) in problem.cases.iter().enumerate() {
            if let Some(placed) = case.published.filter(|_| problem.frozen(case)) {
                board.put(CaseIx::from(at), Spot::of(&placed));
            }
        }
        Ok(board)
    }

    pub(super) const fn value(&self) -> i64 {
        self.value
    }

    pub(super) fn spot(&self, case: CaseIx) -> Option<Spot> {
        self.placed[case.at()].map(|(spot, _)| spot)
    }

    /// Puts `case` where it is, free or not.
    pub(super) fn put(&mut self, case: CaseIx, spot: Spot) {
        let value = self.problem.value(&spot.placement(case)).unwrap_or(0);
        self.put_valued(case, spot, value);
    }

    /// Puts `case` where `best` has offered.
    pub(super) fn put_valued(&mut self, case: CaseIx, spot: Spot, value: i64) {
        debug_assert!(self.placed[case.at()].is_none(), "a case is put once");
        self.value += value;
        self.mark(case, spot, true);
        self.placed[case.at()] = Some((spot, value));
    }

    pub(super) fn take(&mut self, case: CaseIx) -> Option<(Spot, i64)> {
        let (spot, value) = self.placed[case.at()].take()?;
        self.value -= value;
        self.mark(case, spot, false);
        Some((spot, value))
    }

    fn mark(&mut self, at: CaseIx, spot: Spot, taken: bool) {
        let case = &self.problem.cases[at.at()];
        let choice = &case.choices[spot.choice as usize];
        let surgeon = choice.surgeon.at();
        let (kept, room) = (kept(case, spot.start), self.room_span(case, spot));
        let change = |rows: &mut Rows, row, span| {
            if taken { rows.set(row, span) } else { rows.clear(row, span) }
        };
        let count = |counts: &mut Counts, row, span| {
            if taken { counts.take(row, span) } else { counts.give(row, span) }
        };
        change(&mut self.rooms.busy, spot.room.at(), room);
        if let Some(standby) = spot.standby {
            let until = spot.start + case.phases.total() + case.phases.room_late;
            change(&mut self.standbys.busy, standby.at(), Span::new(spot.start, until));
        }
        change(&mut self.surgeons.busy, surgeon, kept);
        count(&mut self.pools, self.pool_of[surgeon], kept);
        if self.reserves && !case.emergency {
            count(&mut self.elective_pools, self.pool_of[surgeon], kept);
        }
        if let Some(pair) = choice.pair {
            count(&mut self.pairs, pair.at(), kept);
        }
        if self.answers[surgeon] {
            let whole = Span::new(spot.start, spot.start + case.phases.total());
            count(&mut self.answering, surgeon, whole);
        }
        let (day, night) = self.tiring(choice.surgeon, remote(case, spot.start));
        for used in [&mut self.day_used[day], &mut self.night_used[surgeon]]
            .into_iter()
            .zip([case.phases.remote, night])
        {
            *used.0 = if taken { *used.0 + used.1 } else { *used.0 - used.1 };
        }
    }

    fn room_span(&self, case: &Case, spot: Spot) -> Span {
        let turnover = self.problem.rooms[spot.room.at()].turnover;
        let slots = case.phases.total() + case.phases.room_late + turnover;
        Span::new(spot.start, spot.start + slots)
    }

    /// Where the surgeon's hours of this day are counted, and the slots that are at night.
    fn tiring(&self, surgeon: SurgeonIx, remote: Span) -> (usize, u32) {
        let zone = &self.problem.zones[self.problem.surgeons[surgeon.at()].zone.at()];
        let begun = zone.midnights.partition_point(|midnight| *midnight <= remote.from);
        let day = begun.saturating_sub(1).min(self.days.saturating_sub(1));
        let night = |span: &Span| {
            let until = span.until.min(remote.until);
            until.saturating_sub(span.from.max(remote.from))
        };
        let nights = match self.problem.surgeons[surgeon.at()].night_limit {
            Some(_) => zone.nights.iter().map(night).sum(),
            None => 0,
        };
        (surgeon.at() * self.days + day, nights)
    }

    /// `None` if the surgeon may do this remote phase too; else what, the sum, and the limit.
    pub(super) fn tired(&self, at: SurgeonIx, remote: Span) -> Option<(&'static str, u32, u32)> {
        let surgeon = &self.problem.surgeons[at.at()];
        if surgeon.day_limit.is_none() && surgeon.night_limit.is_none() {
            return None;
        }
        let (day, night) = self.tiring(at, remote);
        let (day, night) = (self.day_used[day] + remote.slots(), self.night_used[at.at()] + night);
        match (surgeon.day_limit, surgeon.night_limit) {
            (Some(limit), _) if day > limit => Some(("remote slots on one day", day, limit)),
            (_, Some(limit)) if night > limit => Some(("remote slots at night", night, limit)),
            _ => None,
        }
    }

    /// The days on which `case` may begin, by falling value.
    pub(super) fn days(&self, case: &Case) -> impl Iterator<Item = Day> + use<'p> {
        let earliest = case.earliest.max(self.problem.open_from);
        let zone = &self.problem.zones[self.problem.sites[case.site.at()].zone.at()];
        let days = zone.midnights.iter().zip(zone.midnights.iter().skip(1)).enumerate();
        days.filter_map(move |(number, (from, until))| {
            let slots = until.saturating_sub((*from).max(earliest));
            let first = (*from).max(earliest);
            let starts = if slots >= 128 { u128::MAX } else { (1 << slots) - 1 };
            (slots > 0).then_some(Day { number: number as u32, from: first, starts })
        })
    }

    /// Starts at which `room` is free for the whole case, and one of the stand-by surgeons with it.
    pub(super) fn room_starts(&self, case: &Case, room: RoomIx, day: Day) -> u128 {
        let (total, late) = (case.phases.total(), case.phases.room_late);
        let turnover = self.problem.rooms[room.at()].turnover;
        let hours = self.rooms.hours(room.at(), day.from, case.emergency);
        let busy = self.rooms.busy.window(room.at(), day.from);
        let mut starts = day.starts & runs(hours & !busy, total);
        if late + turnover > 0 {
            starts &= runs(!busy, total + late + turnover);
        }
        if starts != 0 && !case.standbys.is_empty() {
            let any = |sum, standby: &StandbyIx| sum | self.standby_starts(case, *standby, day);
            starts &= case.standbys.iter().fold(0, any);
        }
        starts
    }

    pub(super) fn standby_starts(&self, case: &Case, standby: StandbyIx, day: Day) -> u128 {
        let (total, late) = (case.phases.total(), case.phases.room_late);
        let open = self.standbys.open.window(standby.at(), day.from);
        let free = !self.standbys.busy.window(standby.at(), day.from);
        let starts = runs(open & free, total);
        if late == 0 { starts } else { starts & runs(free, total + late) }
    }

    /// Those of `starts` at which surgeon, console and paths are free for the remote phase and its
    /// buffers.
    #[inline]
    pub(super) fn choice_starts(
        &self,
        case: &Case,
        choice: &Choice,
        day: Day,
        starts: u128,
    ) -> u128 {
        let phases = case.phases;
        let surgeon = choice.surgeon.at();
        let nominal = day.from + phases.pre;
        let from = nominal - phases.early;
        let length = phases.early + phases.remote + phases.late;
        let hours = self.surgeons.hours(surgeon, nominal, case.emergency);
        let mut left = starts & runs(hours, phases.remote);
        // most are out by now: what follows is asked of few
        if left == 0 {
            return 0;
        }
        let mut taken = self.surgeons.busy.window(surgeon, from);
        taken |= self.pools.full(self.pool_of[surgeon], from);
        if self.reserves && !case.emergency {
            taken |= self.elective_pools.full(self.pool_of[surgeon], from);
        }
        left &= runs(!taken, length);
        if left == 0 {
            return 0;
        }
        if let Some(pair) = choice.pair {
            left &= runs(self.pair_open.window(pair.at(), nominal), phases.remote);
            left &= runs(!self.pairs.full(pair.at(), from), length);
        }
        if left != 0 && self.answers[surgeon] {
            left &= runs(!self.answering.full(surgeon, day.from), phases.total());
        }
        left
    }

    /// The most valuable free place; among equals the earliest. `skip` is asked once for each
    /// choice of each day and room, and leaves it out on true.
    pub(super) fn best(&self, at: CaseIx, mut skip: impl FnMut() -> bool) -> Option<Offer> {
        let case = &self.problem.cases[at.at()];
        for day in self.days(case) {
            let base = self.problem.day_value(case, day.number);
            let mut best: Option<(i64, Spot)> = None;
            for room in &case.rooms {
                let starts = self.room_starts(case, *room, day);
                if starts == 0 {
                    continue;
                }
                for (number, choice) in case.choices.iter().enumerate() {
                    if skip() {
                        continue;
                    }
                    let both = self.choice_starts(case, choice, day, starts);
                    let extra = self.extra[at.at()][number];
                    let Some((start, stable)) = self.first(case, choice, *room, day, both) else {
                        continue;
                    };
                    let value = base + extra + stable;
                    let better = best.is_none_or(|(most, spot)| {
                        value > most || (value == most && start < spot.start)
                    });
                    if value > 0 && better {
                        let choice = number as u32;
                        best = Some((value, Spot { start, room: *room, standby: None, choice }));
                    }
                }
            }
            // a later day is worth less whatever the smaller terms say
            if let Some((value, mut spot)) = best {
                spot.standby = self.standby_at(case, spot.start);
                return Some(Offer { spot, value });
            }
        }
        None
    }

    /// The published start where it is free, else the earliest at which the surgeon is rested;
    /// and the value of stability.
    #[inline]
    pub(super) fn first(
        &self,
        case: &Case,
        choice: &Choice,
        room: RoomIx,
        day: Day,
        starts: u128,
    ) -> Option<(u32, i64)> {
        let rested = |start| self.tired(choice.surgeon, remote(case, start)).is_none();
        if let Some(was) = &case.published {
            let bit = was.start.wrapping_sub(day.from);
            let same = was.room == room
                && case.choices.get(was.choice as usize).map(|c| c.surgeon) == Some(choice.surgeon);
            if same && bit < 128 && starts >> bit & 1 == 1 && rested(was.start) {
                return Some((was.start, self.problem.weights.stability));
            }
        }
        let mut left = starts;
        while left != 0 {
            let start = day.from + left.trailing_zeros();
            if rested(start) {
                return Some((start, 0));
            }
            left &= left - 1;
        }
        None
    }

    /// A stand-by surgeon who is free for a case that begins at `start`.
    pub(super) fn standby_at(&self, case: &Case, start: u32) -> Option<StandbyIx> {
        let day = Day { number: 0, from: start, starts: 1 };
        let free = |standby: &&StandbyIx| self.standby_starts(case, **standby, day) & 1 == 1;
        case.standbys.iter().find(free).copied()
    }

    /// True if `case` may be at `spot`, and `spot` is free.
    pub(super) fn fits(&self, at: CaseIx, spot: Spot) -> bool {
        let case = &self.problem.cases[at.at()];
        let Some(choice) = case.choices.get(spot.choice as usize) else { return false };
        let standby = match spot.standby {
            Some(standby) => case.standbys.contains(&standby),
            None => case.standbys.is_empty(),
        };
        let now = case.earliest.max(self.problem.open_from);
        if !case.rooms.contains(&spot.room) || !standby || spot.start < now {
            return false;
        }
        let day = Day { number: 0, from: spot.start, starts: 1 };
        let starts = self.room_starts(case, spot.room, day);
        let starts = self.choice_starts(case, choice, day, starts);
        let standby = spot.standby.is_none_or(|s| self.standby_starts(case, s, day) & 1 == 1);
        let worth = self.problem.value(&spot.placement(at)).is_some_and(|value| value > 0);
        starts & 1 == 1
            && standby
            && worth
            && self.tired(choice.surgeon, remote(case, spot.start)).is_none()
    }

    /// The plan on the board, with a console for each case; `before` keeps its consoles where it
    /// can.
    pub(super) fn plan(&self, before: Option<&Plan>) -> Plan {
        let mut plan = Plan::default();
        for (at, spot) in self.placed.iter().enumerate() {
            let case = CaseIx::from(at);
            match spot {
                Some((spot, _)) => plan.placements.push(spot.placement(case)),
                None => plan.unplaced.push(case),
            }
        }
        consoles::assign(self.problem, &mut plan, before);
        plan.value = plan.placements.iter().filter_map(|p| self.problem.value(p)).sum();
        plan
    }
}

impl Spot {
    pub(super) const fn of(placed: &Placement) -> Self {
        let Placement { start, room, standby, choice, .. } = *placed;
        Self { start, room, standby, choice }
    }

    pub(super) const fn placement(self, case: CaseIx) -> Placement {
        let Self { start, room, standby, choice } = self;
        Placement { case, start, room, standby, choice, console: 0, second: None }
    }
}

/// The remote phase of `case` begun at `start`.
pub(super) const fn remote(case: &Case, start: u32) -> Span {
    let from = start + case.phases.pre;
    Span::new(from, from + case.phases.remote)
}

/// The slots in which surgeon, console and paths are kept for `case` begun at `start`.
pub(super) const fn kept(case: &Case, start: u32) -> Span {
    let remote = remote(case, start);
    Span::new(remote.from - case.phases.early, remote.until + case.phases.late)
}
