//! What was decided.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{CaseIx, Problem, RoomIx, Span, StandbyIx, SurgeonIx};

/// Where and when a case is done, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Which case.
    pub case: CaseIx,
    /// Its first slot.
    pub start: u32,
    /// The room.
    pub room: RoomIx,
    /// The stand-by surgeon.
    pub standby: Option<StandbyIx>,
    /// Place in the case's choices: the surgeon and the paths.
    pub choice: u32,
    /// Place in the consoles of the surgeon's centre.
    pub console: u32,
    /// A second eligible surgeon, at work in the remote phase, who takes over if the first is late.
    pub second: Option<SurgeonIx>,
}

impl Placement {
    /// The slots of the whole case, without buffers and turnover.
    #[must_use]
    pub fn whole(&self, problem: &Problem) -> Span {
        let total = problem.cases.get(self.case.at()).map_or(0, |case| case.phases.total());
        Span::new(self.start, self.start + total)
    }

    /// The slots of the remote phase, without buffers.
    #[must_use]
    pub fn remote(&self, problem: &Problem) -> Span {
        let Some(case) = problem.cases.get(self.case.at()) else { return Span::new(0, 0) };
        let from = self.start + case.phases.pre;
        Span::new(from, from + case.phases.remote)
    }

    /// Who operates.
    #[must_use]
    pub fn surgeon(&self, problem: &Problem) -> Option<SurgeonIx> {
        let case = problem.cases.get(self.case.at())?;
        Some(case.choices.get(self.choice as usize)?.surgeon)
    }
}

/// A plan of the horizon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// One entry per placed case, by rising case.
    pub placements: Vec<Placement>,
    /// Cases that found no place, by rising case.
    pub unplaced: Vec<CaseIx>,
    /// The sum of the placements' values.
    pub value: i64,
}

/// What a plan reaches, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Cases asked for.
    pub cases: u32,
    /// Cases placed.
    pub placed: u32,
    /// Placed after their due day.
    pub late: u32,
    /// Slots of surgeons at consoles.
    pub remote_slots: u32,
    /// The objective.
    pub value: i64,
}

impl Plan {
    /// Where `case` is.
    #[must_use]
    pub fn of(&self, case: CaseIx) -> Option<&Placement> {
        let at = self.placements.binary_search_by_key(&case, |placed| placed.case).ok()?;
        self.placements.get(at)
    }

    /// Counts.
    #[must_use]
    pub fn figures(&self, problem: &Problem) -> Figures {
        let late = |placed: &&Placement| {
            let case = problem.cases.get(placed.case.at());
            case.is_some_and(|case| {
                problem.day_of(case, placed.start).is_some_and(|day| day > case.due_day)
            })
        };
        Figures {
            cases: problem.cases.len() as u32,
            placed: self.placements.len() as u32,
            late: self.placements.iter().filter(late).count() as u32,
            remote_slots: self.placements.iter().map(|p| p.remote(problem).slots()).sum(),
            value: self.value,
        }
    }
}
