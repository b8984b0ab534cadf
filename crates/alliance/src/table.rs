//! Who has what when: no resource and slot twice.
//!
//! Kept as runs of slots, so that a booking of a day costs one entry per resource. A store keeps one
//! row per (resource, slot) with that pair as its primary key, which is the same rule a second time.

use crate::entity::booking::{Claim, Resource};
use crate::ids::BookingId;
use crate::time::{Slot, Slots};
use alloc::collections::BTreeMap;
use serde::{Deserialize, Serialize};

/// Taken slots by resource.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlotTable {
    taken: BTreeMap<Resource, BTreeMap<Slot, Run>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    until: Slot,
    by: BookingId,
}

impl SlotTable {
    /// Who has a resource in any of these slots: the first of them and its slots.
    pub fn conflict(&self, resource: &Resource, slots: Slots) -> Option<(&BookingId, Slots)> {
        self.runs(resource, slots).next()
    }

    /// Everybody who has a resource in any of these slots.
    pub fn runs(
        &self,
        resource: &Resource,
        slots: Slots,
    ) -> impl Iterator<Item = (&BookingId, Slots)> {
        let runs = self.taken.get(resource);
        let before = runs.and_then(|runs| runs.range(..=slots.from).next_back());
        let first = before.map_or(slots.from, |(from, _)| *from);
        runs.into_iter()
            .flat_map(move |runs| runs.range(first..slots.until))
            .map(|(from, run)| (&run.by, Slots { from: *from, until: run.until }))
            .filter(move |(_, taken)| taken.overlaps(slots))
    }

    /// Every resource with what is taken of it.
    pub fn iter(&self) -> impl Iterator<Item = (&Resource, Slots, &BookingId)> {
        self.taken.iter().flat_map(|(resource, runs)| {
            runs.iter().map(move |(from, run)| {
                (resource, Slots { from: *from, until: run.until }, &run.by)
            })
        })
    }

    /// Takes them. The caller has asked [`Self::conflict`] before.
    pub(crate) fn take(&mut self, claims: &[Claim], by: &BookingId) {
        for claim in claims {
            let run = Run { until: claim.slots.until, by: by.clone() };
            self.taken.entry(claim.resource.clone()).or_default().insert(claim.slots.from, run);
        }
    }

    /// Lets them go.
    pub(crate) fn free(&mut self, claims: &[Claim], by: &BookingId) {
        for claim in claims {
            let Some(runs) = self.taken.get_mut(&claim.resource) else { continue };
            if runs.get(&claim.slots.from).is_some_and(|run| run.by == *by) {
                runs.remove(&claim.slots.from);
            }
            if runs.is_empty() {
                self.taken.remove(&claim.resource);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn claim(from: u32, count: u32) -> Claim {
        let resource = Resource::parse("robot/r-1").unwrap();
        Claim { resource, slots: Slots::starting(Slot(from), count) }
    }

    /// Against a map of single slots, the plain meaning of the rule.
    #[test]
    fn a_008_runs_mean_the_same_as_single_slots() {
        let mut state = 7_u64;
        let mut draw = |bound: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % bound
        };
        let mut table = SlotTable::default();
        let mut plain: BTreeMap<u32, BookingId> = BTreeMap::new();
        let mut held: Vec<(BookingId, Claim)> = Vec::new();
        for round in 0..5_000 {
            if draw(3) == 0 && !held.is_empty() {
                let (by, claim) = held.swap_remove(draw(held.len() as u64) as usize);
                table.free(core::slice::from_ref(&claim), &by);
                plain.retain(|_, owner| *owner != by);
                continue;
            }
            let claim = claim(draw(300) as u32, 1 + draw(14) as u32);
            let free = claim.slots.iter().all(|slot| !plain.contains_key(&slot.0));
            assert_eq!(table.conflict(&claim.resource, claim.slots).is_none(), free, "{claim:?}");
            if free {
                let by = BookingId::new(&alloc::format!("b-{round}")).unwrap();
                claim.slots.iter().for_each(|slot| drop(plain.insert(slot.0, by.clone())));
                table.take(core::slice::from_ref(&claim), &by);
                held.push((by, claim));
            }
        }
        assert!(held.len() > 5);
    }
}
