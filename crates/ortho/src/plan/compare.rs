//! What differs between two versions of a plan.

use super::sheet::Plan;
use crate::screw::{Screw, ScrewId};
use std::collections::BTreeSet;

/// How one screw differs between two versions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Difference {
    /// Only the later version has it.
    Added,
    /// Only the earlier version has it.
    Removed,
    /// Both have it, elsewhere or in another size.
    Moved(Moved),
}

/// How far a screw moved from the earlier version to the later one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moved {
    /// The entry, metres.
    pub entry: f64,
    /// The tip, metres.
    pub tip: f64,
    /// The axis, radians.
    pub angle: f64,
    /// Longer by, metres.
    pub length: f64,
    /// Thicker by, metres.
    pub diameter: f64,
}

/// Every screw that differs, from head to foot.
pub fn compare(earlier: &Plan, later: &Plan) -> Vec<(ScrewId, Difference)> {
    let ids: BTreeSet<_> = earlier.screws().keys().chain(later.screws().keys()).collect();
    ids.into_iter()
        .filter_map(|id| {
            let difference = match (earlier.screws().get(id), later.screws().get(id)) {
                (None, _) => Difference::Added,
                (_, None) => Difference::Removed,
                (Some(a), Some(b)) if a == b => return None,
                (Some(a), Some(b)) => Difference::Moved(moved(a, b)),
            };
            Some((*id, difference))
        })
        .collect()
}

fn moved(a: &Screw, b: &Screw) -> Moved {
    let angle = match (a.direction(), b.direction()) {
        (Some(u), Some(v)) => libm::atan2(u.cross(v).norm(), u.dot(v)),
        _ => 0.0, // a plan holds no screw without direction
    };
    Moved {
        entry: (b.entry - a.entry).norm(),
        tip: (b.tip - a.tip).norm(),
        angle,
        length: b.length() - a.length(),
        diameter: b.diameter - a.diameter,
    }
}
