//! What no plan is made from: a problem that contradicts itself.

use alloc::string::String;
use core::fmt;

use super::problem::{LONGEST, LONGEST_DAY};
use super::{Case, Problem};

/// A problem that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flaw {
    /// A list is pointed into beyond its end.
    Missing {
        /// Which thing points.
        of: String,
        /// Into which list.
        list: &'static str,
        /// Where.
        at: u32,
    },
    /// A number outside its range.
    Range {
        /// Of which thing.
        of: String,
        /// Which number.
        what: &'static str,
        /// Its value.
        value: i64,
        /// The most it may be.
        limit: i64,
    },
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { of, list, at } => {
                write!(
                    f,
                    "{of} names place {at} of the {list}, which is not there; no plan is made"
                )
            }
            Self::Range { of, what, value, limit } => {
                write!(f, "{of}: {what} is {value}, the most is {limit}; no plan is made")
            }
        }
    }
}

impl core::error::Error for Flaw {}

impl Problem {
    /// The first contradiction: an index beyond its list, phases that are too long or empty, days
    /// that do not rise, or small terms of the objective that could outweigh a day.
    pub fn check(&self) -> Result<(), Flaw> {
        let weights = self.weights;
        let day = weights.unit.saturating_mul(weights.early);
        range("the weights", "the sum of the smaller terms", weights.smaller_terms(), day)?;
        range("the problem", "the horizon in slots", self.slots.into(), 35_040)?;
        for zone in &self.zones {
            for (from, until) in zone.midnights.iter().zip(zone.midnights.iter().skip(1)) {
                let slots = i64::from(*until) - i64::from(*from);
                range(&zone.name, "the length of a day in slots", slots, LONGEST_DAY.into())?;
                range(&zone.name, "a day that ends before it begins, in slots", -slots, -1)?;
            }
        }
        for site in &self.sites {
            inside(&site.id, "zones", site.zone.0, self.zones.len())?;
            range(&site.id, "the equity figure", site.equity.into(), 9)?;
        }
        for room in &self.rooms {
            inside(&room.id, "sites", room.site.0, self.sites.len())?;
        }
        for pool in &self.pools {
            for (console, _) in &pool.down {
                inside(&pool.id, "consoles", *console, pool.consoles.len())?;
            }
        }
        for surgeon in &self.surgeons {
            inside(&surgeon.id, "pools", surgeon.pool.0, self.pools.len())?;
            inside(&surgeon.id, "zones", surgeon.zone.0, self.zones.len())?;
        }
        self.cases.iter().try_for_each(|case| self.check_case(case))
    }

    fn check_case(&self, case: &Case) -> Result<(), Flaw> {
        let id = &case.id;
        inside(id, "sites", case.site.0, self.sites.len())?;
        let phases = case.phases;
        let parts = [phases.pre, phases.remote, phases.post, phases.late, phases.room_late];
        let longest = parts.iter().fold(0_u32, |sum, part| sum.saturating_add(*part));
        range(id, "the length with buffers, in slots", longest.into(), LONGEST.into())?;
        range(id, "the early buffer, in slots", phases.early.into(), phases.pre.into())?;
        range(id, "a remote phase of no slots", -i64::from(phases.remote), -1)?;
        for room in &case.rooms {
            inside(id, "rooms", room.0, self.rooms.len())?;
            let turnover = self.rooms.get(room.at()).map_or(0, |room| room.turnover);
            let with = longest.saturating_add(turnover);
            range(id, "the length with buffers and turnover", with.into(), LONGEST.into())?;
        }
        for standby in &case.standbys {
            inside(id, "stand-by surgeons", standby.0, self.standbys.len())?;
        }
        for choice in &case.choices {
            inside(id, "surgeons", choice.surgeon.0, self.surgeons.len())?;
            if let Some(pair) = choice.pair {
                inside(id, "path pairs", pair.0, self.pairs.len())?;
            }
            range(id, "the round trip figure", choice.rtt_margin.into(), 9)?;
            range(id, "the travel figure", choice.travel.into(), 9)?;
        }
        if let Some(placed) = &case.published {
            inside(id, "choices", placed.choice, case.choices.len())?;
            inside(id, "rooms", placed.room.0, self.rooms.len())?;
            if let Some(standby) = placed.standby {
                inside(id, "stand-by surgeons", standby.0, self.standbys.len())?;
            }
        }
        Ok(())
    }
}

fn inside(of: &str, list: &'static str, at: u32, len: usize) -> Result<(), Flaw> {
    if (at as usize) < len { Ok(()) } else { Err(Flaw::Missing { of: of.into(), list, at }) }
}

fn range(of: &str, what: &'static str, value: i64, limit: i64) -> Result<(), Flaw> {
    if value <= limit { Ok(()) } else { Err(Flaw::Range { of: of.into(), what, value, limit }) }
}
