//! A plan as JSON: millimetres, with the unit in the key.

use super::sheet::{Plan, on_nanometres};
use crate::ids::{RegistrationId, SeriesUid};
use crate::screw::{Screw, ScrewId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use telehand_vocab::Vec3;

/// A screw in a text: millimetres in the frame Image (DICOM LPS).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScrewForm {
    /// Which screw, `L3L`.
    pub id: ScrewId,
    /// Where the axis enters the bone, mm.
    pub entry_mm: [f64; 3],
    /// The far end, mm.
    pub tip_mm: [f64; 3],
    /// Outer thread diameter, mm.
    pub diameter_mm: f64,
}

impl From<&Screw> for ScrewForm {
    fn from(screw: &Screw) -> Self {
        Self {
            id: screw.id,
            entry_mm: screw.entry.to_array().map(millimetres),
            tip_mm: screw.tip.to_array().map(millimetres),
            diameter_mm: millimetres(screw.diameter),
        }
    }
}

impl ScrewForm {
    /// The screw on whole nanometres; `None` when a number is not finite, further than 10 m from
    /// the origin, or the screw has no length or thickness.
    pub fn screw(&self) -> Option<Screw> {
        let point = |p: [f64; 3]| Vec3::from_array(p.map(metres));
        on_nanometres(&Screw {
            id: self.id,
            entry: point(self.entry_mm),
            tip: point(self.tip_mm),
            diameter: metres(self.diameter_mm),
        })
    }
}

/// Through whole nanometres: their quotient by a million is the double nearest to the decimal
/// number that a person reads, and it comes back to the same nanometre.
fn millimetres(metres: f64) -> f64 {
    // and no negative zero
    libm::round(metres * 1e9) / 1e6 + 0.0
}

fn metres(millimetres: f64) -> f64 {
    libm::round(millimetres * 1e6) / 1e9
}

/// What a [`Plan`] is in a text.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanForm {
    version: u64,
    series: SeriesUid,
    registration: Option<RegistrationId>,
    screws: Vec<ScrewForm>,
}

impl From<Plan> for PlanForm {
    fn from(plan: Plan) -> Self {
        Self {
            version: plan.version,
            series: plan.series,
            registration: plan.registration,
            screws: plan.screws.values().map(ScrewForm::from).collect(),
        }
    }
}

impl TryFrom<PlanForm> for Plan {
    type Error = String;
    fn try_from(form: PlanForm) -> Result<Self, String> {
        let mut screws = BTreeMap::new();
        for screw in &form.screws {
            let id = screw.id;
            let read = screw
                .screw()
                .ok_or_else(|| format!("screw {id} has no size, or lies beyond 10 m; not read"))?;
            if screws.insert(id, read).is_some() {
                return Err(format!("screw {id} stands in the plan twice; the plan was not read"));
            }
        }
        let PlanForm { version, series, registration, .. } = form;
        Ok(Self { version, series, registration, screws })
    }
}
