//! One version of a plan, and the bytes that its hash is taken over.

use super::form::PlanForm;
use crate::ids::{PlanHash, RegistrationId, SeriesUid};
use crate::screw::{Screw, ScrewId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use telehand_vocab::Vec3;

/// One version of a plan: a value that never changes. Every coordinate is a whole number of
/// nanometres, so every text and byte form gives back the same plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "PlanForm", into = "PlanForm")]
pub struct Plan {
    pub(super) version: u64,
    pub(super) series: SeriesUid,
    pub(super) registration: Option<RegistrationId>,
    pub(super) screws: BTreeMap<ScrewId, Screw>,
}

impl Plan {
    /// 0 is the empty plan; every change adds one.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The series it is drawn on.
    pub const fn series(&self) -> &SeriesUid {
        &self.series
    }

    /// The registration that carries it to the patient.
    pub const fn registration(&self) -> Option<&RegistrationId> {
        self.registration.as_ref()
    }

    /// Every screw, from head to foot, left before right.
    pub const fn screws(&self) -> &BTreeMap<ScrewId, Screw> {
        &self.screws
    }

    /// The hash that both surgeons sign, over [`Plan::bytes`].
    pub fn hash(&self) -> PlanHash {
        PlanHash::of(&self.bytes())
    }

    /// The canonical bytes, form 1. Integers are big-endian.
    ///
    /// | bytes | what |
    /// |---|---|
    /// | 15 | `telehand plan 1` |
    /// | 8 | version |
    /// | 1 + n | length and text of the series UID |
    /// | 1 (+ 32) | 0, or 1 and the registration id |
    /// | 4 | number of screws |
    /// | per screw 1, 1 | level (0 = T1 … 17 = S1), side (0 left, 1 right) |
    /// | per screw 7 × 8 | entry x y z, tip x y z, diameter: signed nanometres |
    ///
    /// The version is part of it, so a signature given for one version says nothing about a later
    /// one that happens to hold the same screws.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"telehand plan 1".to_vec();
        bytes.extend(self.version.to_be_bytes());
        let series = self.series.as_str().as_bytes();
        bytes.push(series.len() as u8); // a UID has at most 64
        bytes.extend(series);
        match &self.registration {
            None => bytes.push(0),
            Some(id) => {
                bytes.push(1);
                bytes.extend(id.bytes());
            }
        }
        bytes.extend((self.screws.len() as u32).to_be_bytes());
        for screw in self.screws.values() {
            bytes.extend([screw.id.level as u8, screw.id.side as u8]);
            let numbers = screw.entry.to_array().into_iter().chain(screw.tip.to_array());
            for metres in numbers.chain([screw.diameter]) {
                bytes.extend(whole_nanometres(metres).to_be_bytes());
            }
        }
        bytes
    }
}

/// Coordinates beyond 10 m from the origin are a mistake in units.
const FAR: f64 = 10.0;

/// Whole nanometres; the argument is finite and near, as everything in a plan is.
fn whole_nanometres(metres: f64) -> i64 {
    libm::round(metres * 1e9) as i64
}

/// The nearest whole nanometre, in metres; `None` for what is not finite or further than 10 m.
pub(super) fn nanometre(metres: f64) -> Option<f64> {
    // by way of an integer: no negative zero
    (metres.abs() <= FAR).then(|| whole_nanometres(metres) as f64 / 1e9)
}

/// The same screw on whole nanometres; `None` when a number is not finite, further than 10 m, or
/// the screw has no length or thickness.
pub(super) fn on_nanometres(screw: &Screw) -> Option<Screw> {
    let point = |p: Vec3| Some(Vec3::new(nanometre(p.x)?, nanometre(p.y)?, nanometre(p.z)?));
    let screw = Screw {
        id: screw.id,
        entry: point(screw.entry)?,
        tip: point(screw.tip)?,
        diameter: nanometre(screw.diameter)?,
    };
    (screw.diameter > 0.0 && screw.direction().is_some()).then_some(screw)
}
