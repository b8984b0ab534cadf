//! What a study found, as numbers and as text.

use super::{Outcome, Patients, Regime};
use crate::spine::MM;
use crate::spine::scorer::TrueGrade;
use core::fmt;
use serde::Serialize;
use telehand_ortho::grade::Grade;
use telehand_ortho::series::registration_allowed;

/// A measure over many screws, millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean_mm: f64,
    /// Standard deviation.
    pub sd_mm: f64,
    /// 95th percentile.
    pub p95_mm: f64,
    /// Largest.
    pub max_mm: f64,
}

impl Spread {
    /// Over values in metres; zeros for none.
    pub fn of(metres: impl Iterator<Item = f64>) -> Self {
        let mut all: Vec<f64> = metres.map(|m| m / MM).collect();
        all.sort_unstable_by(f64::total_cmp);
        let n = all.len().max(1) as f64;
        let mean = all.iter().sum::<f64>() / n;
        let variance = all.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / n;
        let rank = (libm::ceil(0.95 * all.len() as f64) as usize).saturating_sub(1);
        Self {
            mean_mm: mean,
            sd_mm: libm::sqrt(variance),
            p95_mm: all.get(rank).copied().unwrap_or_default(),
            max_mm: all.last().copied().unwrap_or_default(),
        }
    }
}

/// Screws by grade, A to E.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[expect(missing_docs, reason = "the names of the grades")]
pub struct Tally {
    pub a: usize,
    pub b: usize,
    pub c: usize,
    pub d: usize,
    pub e: usize,
}

impl Tally {
    fn of(grades: impl Iterator<Item = TrueGrade>) -> Self {
        let mut tally = Self::default();
        for grade in grades {
            *match grade {
                TrueGrade::A => &mut tally.a,
                TrueGrade::B => &mut tally.b,
                TrueGrade::C => &mut tally.c,
                TrueGrade::D => &mut tally.d,
                TrueGrade::E => &mut tally.e,
            } += 1;
        }
        tally
    }

    /// All screws.
    pub const fn total(&self) -> usize {
        self.a + self.b + self.c + self.d + self.e
    }

    /// Grade A, per cent.
    pub fn a_percent(&self) -> f64 {
        100.0 * self.a as f64 / self.total().max(1) as f64
    }

    /// Grades A and B, per cent.
    pub fn ab_percent(&self) -> f64 {
        100.0 * (self.a + self.b) as f64 / self.total().max(1) as f64
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { a, b, c, d, e } = self;
        write!(f, "A {a}  B {b}  C {c}  D {d}  E {e}  (A {:.1} %)", self.a_percent())
    }
}

/// The parameters of a regime, millimetres.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Parameters {
    /// Error of a ball in the scan, RMS.
    pub fle_mm: f64,
    /// Noise of a marker across the line of sight, SD of an axis.
    pub marker_in_plane_mm: f64,
    /// Noise of a marker along the line of sight, SD.
    pub marker_depth_mm: f64,
    /// Error of the calibrations, 3D RMS.
    pub calibration_mm: f64,
    /// Error of the robot, 3D RMS.
    pub robot_mm: f64,
    /// Skiving, SD of a direction.
    pub skive_mm: f64,
    /// Tracker frames averaged.
    pub frames: u32,
}

/// What a study found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Always `SIMULATED`.
    pub label: &'static str,
    /// Which regime.
    pub regime: &'static str,
    /// The seed.
    pub seed: u64,
    /// Screws placed.
    pub screws: usize,
    /// Invented patients.
    pub patients: usize,
    /// Pedicles for which the product proposed no screw.
    pub not_proposed: usize,
    /// Pedicles passed over because no screw keeps the wall.
    pub too_narrow: usize,
    /// The wall the surgeon keeps around a screw, millimetres.
    pub wall_mm: f64,
    /// The error model.
    pub parameters: Parameters,
    /// Distance of the axis from the planned entry, across the plan.
    pub entry: Spread,
    /// The same at the planned tip.
    pub target: Spread,
    /// Mean angle between planned and actual axis, degrees.
    pub angle_mean_deg: f64,
    /// Grades by the truth.
    pub true_grades: Tally,
    /// Grades by the product; empty where it could not grade.
    pub product_grades: Tally,
    /// Screws that the product was asked to grade: all near a wall, and one in twenty of the others.
    pub graded: usize,
    /// Those of them that it gives no grade.
    pub no_grade: usize,
    /// Screws whose true breach is farther than 0.25 mm from every boundary of the grades, yet which
    /// the product grades otherwise.
    pub grades_apart: usize,
    /// Screws that the product asks a person to look at.
    pub flagged: usize,
    /// Truly C or worse, yet neither graded so nor flagged.
    pub unreported: usize,
    /// Wires that met no bone.
    pub missed: usize,
    /// Against an earlier computation, in words.
    pub comparison: String,
    /// What the product says to a registration on such scans, if it refuses it.
    pub refusal: Option<String>,
    /// Every screw.
    #[serde(skip)]
    pub outcomes: Vec<Outcome>,
}

/// The chain computed once before for each regime: mean and SD at entry and at target (45 mm deep), p95
/// at the target, mm. An independent Monte-Carlo of 4000 draws with fixed geometry.
const EARLIER: [(&str, [f64; 5]); 4] = [
    ("ideal", [0.35, 0.19, 0.45, 0.24, 0.89]),
    ("good", [0.32, 0.17, 0.47, 0.24, 0.91]),
    ("typical", [0.92, 0.49, 1.25, 0.66, 2.45]),
    ("poor", [1.54, 0.82, 2.18, 1.16, 4.3]),
];

impl Report {
    pub(super) fn of(
        regime: &Regime,
        seed: u64,
        patients: &Patients,
        outcomes: Vec<Outcome>,
    ) -> Self {
        let scores = || outcomes.iter().filter_map(|o| o.score);
        let entry = Spread::of(scores().map(|s| s.entry));
        let target = Spread::of(scores().map(|s| s.target));
        let count = scores().count().max(1) as f64;
        let angle = scores().map(|s| s.angle).sum::<f64>() / count;
        let comparison = EARLIER.iter().find(|(name, _)| *name == regime.name).map_or_else(
            String::new,
            |(_, [e, es, t, ts, p])| {
                format!(
                    "an earlier Monte-Carlo with fixed geometry gave entry {e:.2} ± {es:.2}, \
                     target {t:.2} ± {ts:.2} mm, p95 {p:.2} mm; here the target differs by \
                     {:+.2} mm in the mean",
                    target.mean_mm - t
                )
            },
        );
        Self {
            label: "SIMULATED",
            regime: regime.name,
            seed,
            screws: outcomes.len(),
            patients: patients.persons,
            not_proposed: patients.refused,
            too_narrow: patients.narrow,
            wall_mm: patients.wall / MM,
            parameters: Parameters {
                fle_mm: regime.fle / MM,
                marker_in_plane_mm: regime.in_plane / MM,
                marker_depth_mm: regime.depth / MM,
                calibration_mm: regime.calibration / MM,
                robot_mm: regime.robot / MM,
                skive_mm: regime.skive / MM,
                frames: regime.frames,
            },
            entry,
            target,
            angle_mean_deg: angle.to_degrees(),
            true_grades: Tally::of(outcomes.iter().map(Outcome::grade)),
            product_grades: Tally::of(outcomes.iter().filter_map(|o| o.graded?.grade).map(as_true)),
            graded: outcomes.iter().filter(|o| o.graded.is_some()).count(),
            no_grade: outcomes
                .iter()
                .filter(|o| o.graded.is_some_and(|g| g.grade.is_none()))
                .count(),
            grades_apart: outcomes.iter().filter(|o| apart(o)).count(),
            flagged: outcomes.iter().filter(|o| o.graded.is_some_and(|g| g.flagged)).count(),
            unreported: outcomes.iter().filter(|o| o.unreported()).count(),
            missed: outcomes.iter().filter(|o| o.score.is_none()).count(),
            comparison,
            refusal: patients
                .cases
                .first()
                .and_then(|c| registration_allowed(&c.grid).err().map(|why| why.to_string())),
            outcomes,
        }
    }
}

const fn as_true(grade: Grade) -> TrueGrade {
    match grade {
        Grade::A => TrueGrade::A,
        Grade::B => TrueGrade::B,
        Grade::C => TrueGrade::C,
        Grade::D => TrueGrade::D,
        Grade::E => TrueGrade::E,
    }
}

/// Graded otherwise than the truth though no boundary is near.
fn apart(outcome: &Outcome) -> bool {
    let Some((protrusion, graded)) = outcome.score.and_then(|s| s.protrusion).zip(outcome.graded)
    else {
        return false;
    };
    let clear = [0.0, 2.0, 4.0, 6.0].iter().all(|b| (protrusion.metres / MM - b).abs() > 0.25);
    clear && graded.grade.map(as_true) != Some(outcome.grade())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let p = &self.parameters;
        let line = |f: &mut fmt::Formatter<'_>, name: &str, s: &Spread| {
            writeln!(
                f,
                "  {name} deviation  {:.2} ± {:.2} mm   p95 {:.2}   max {:.2}",
                s.mean_mm, s.sd_mm, s.p95_mm, s.max_mm
            )
        };
        writeln!(
            f,
            "SIMULATED  regime {}, {} screws in {} invented patients, seed {}; the surgeon keeps \
             {:.1} mm of wall",
            self.regime, self.screws, self.patients, self.seed, self.wall_mm
        )?;
        writeln!(
            f,
            "  error model: balls {:.2} mm, marker {:.2}/{:.2} mm (across/along sight), calibration \
             {:.2}, robot {:.2}, skiving {:.2} mm, {} frame(s) averaged",
            p.fle_mm,
            p.marker_in_plane_mm,
            p.marker_depth_mm,
            p.calibration_mm,
            p.robot_mm,
            p.skive_mm,
            p.frames
        )?;
        writeln!(
            f,
            "  pedicles without a screw: {} too narrow for the wall, {} without a proposal",
            self.too_narrow, self.not_proposed
        )?;
        line(f, "entry ", &self.entry)?;
        line(f, "target", &self.target)?;
        writeln!(f, "  angle {:.2} deg in the mean", self.angle_mean_deg)?;
        writeln!(f, "  true grades     {}", self.true_grades)?;
        writeln!(
            f,
            "  product grades  {}, of {} near a wall or sampled",
            self.product_grades, self.graded
        )?;
        writeln!(
            f,
            "  flagged {}, without a grade {}, graded otherwise than the truth 0.25 mm or more from a \
             boundary {}, truly C or worse and unreported {}, no bone met {}",
            self.flagged, self.no_grade, self.grades_apart, self.unreported, self.missed
        )?;
        if let Some(why) = &self.refusal {
            writeln!(f, "  in a theatre the product refuses this: {why}")?;
        }
        write!(f, "  {}", self.comparison)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_what_its_values_are() {
        let s = Spread::of((1..=100).map(|n| f64::from(n) * MM));
        assert!((s.mean_mm - 50.5).abs() < 1e-9 && (s.p95_mm - 95.0).abs() < 1e-9);
        assert!((s.max_mm - 100.0).abs() < 1e-9 && (s.sd_mm - 28.866).abs() < 1e-3);
        assert_eq!(Spread::of(core::iter::empty()).max_mm, 0.0);
    }

    #[test]
    fn a_tally_counts_every_grade() {
        use TrueGrade::{A, B, C, D, E};
        let tally = Tally::of([A, A, A, B, C, D, E, E].into_iter());
        assert_eq!(tally, Tally { a: 3, b: 1, c: 1, d: 1, e: 2 });
        assert!(
            (tally.a_percent() - 37.5).abs() < 1e-9 && (tally.ab_percent() - 50.0).abs() < 1e-9
        );
    }
}
