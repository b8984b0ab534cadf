//! Independent checks of a registration, and the gate it must pass.

use super::linear::centroid;
use super::registration::{Accuracy, CHECK_LIMIT, FRE_LIMIT, Registration, TRE_LIMIT, Void};
use crate::screw::Level;
use serde::Serialize;
use telehand_vocab::Vec3;

/// A bone landmark or a divot that was touched, and where the scan has it.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckPoint {
    /// What was touched.
    pub name: String,
    /// On which vertebra, when it was one.
    pub level: Option<Level>,
    /// From where the scan has it to where the touch carries it, frame Image, metres.
    pub error: Vec3,
}

impl CheckPoint {
    /// How far off, metres.
    pub fn distance(&self) -> f64 {
        self.error.norm()
    }
}

impl Registration {
    /// A point that was touched: `in_reference` is where the tracked tip was (frame Reference), and
    /// `in_image` where the scan has the same point (frame Image), metres. It must not be a point
    /// that the registration rests on.
    pub fn check_point(
        &self,
        name: &str,
        level: Option<Level>,
        in_image: Vec3,
        in_reference: Vec3,
    ) -> CheckPoint {
        let carried = self.image_from_reference().point(in_reference);
        CheckPoint { name: name.to_owned(), level, error: carried - in_image }
    }
}

/// One condition of a gate, as a person reads it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// What is asked.
    pub name: String,
    /// What it is now.
    pub value: f64,
    /// What it must reach or stay below.
    pub limit: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// Whether it is met.
    pub ok: bool,
}

impl Condition {
    fn at_most(name: String, value: f64, limit: f64) -> Self {
        // Written so that a number that is none is no pass.
        Self { name, value: value * 1e3, limit: limit * 1e3, unit: "mm", ok: value <= limit }
    }
}

/// The least number of check points.
pub const CHECK_POINTS: usize = 3;

/// What a registration must meet before a plan may rest on it: all balls recognised, at most 0.5 mm
/// left at the balls, at most 0.7 mm predicted at every level, three check points or more and each
/// within 1 mm.
pub fn conditions(accuracy: &Accuracy, checks: &[CheckPoint]) -> Vec<Condition> {
    let balls = Condition {
        name: "balls recognised".to_owned(),
        value: accuracy.balls() as f64,
        limit: accuracy.of_balls() as f64,
        unit: "",
        ok: accuracy.balls() == accuracy.of_balls(),
    };
    let touched = Condition {
        name: "check points".to_owned(),
        value: checks.len() as f64,
        limit: CHECK_POINTS as f64,
        unit: "",
        ok: checks.len() >= CHECK_POINTS,
    };
    let mut all = vec![balls];
    for p in accuracy.predicted() {
        let name = format!("predicted error at {}", p.at);
        all.push(Condition::at_most(name, p.tre_mm * 1e-3, TRE_LIMIT));
    }
    let fre = accuracy.fre_mm() * 1e-3;
    all.push(Condition::at_most("left at the balls".to_owned(), fre, FRE_LIMIT));
    all.push(touched);
    for check in checks {
        let name = format!("check point {}", check.name);
        all.push(Condition::at_most(name, check.distance(), CHECK_LIMIT));
    }
    all
}

/// A vertebra whose check points have all moved the same way by more than 1 mm while those of
/// another level have not: it moved on its own, and no rigid motion of the whole spine describes
/// it. The worst one; `None` when all levels agree or only one was touched.
pub fn moved_vertebra(checks: &[CheckPoint]) -> Option<Void> {
    let mut levels: Vec<Level> = checks.iter().filter_map(|c| c.level).collect();
    levels.sort_unstable();
    levels.dedup();
    let shift = |level: &Level| {
        let errors: Vec<Vec3> =
            checks.iter().filter(|c| c.level == Some(*level)).map(|c| c.error).collect();
        (*level, centroid(&errors).norm())
    };
    let shifts: Vec<(Level, f64)> = levels.iter().map(shift).collect();
    let steady = shifts.iter().any(|(_, by)| *by <= CHECK_LIMIT);
    let (level, by) = shifts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let moved = steady && by > CHECK_LIMIT;
    moved.then_some(Void::VertebraMoved { level, moved_mm: by * 1e3 })
}
