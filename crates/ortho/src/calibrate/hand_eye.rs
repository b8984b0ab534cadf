//! Hand-eye calibration: `A X = X B`.

use crate::register::linear::{IDENTITY, ZERO, add_outer, apply, minus, solve, svd, transpose};
use crate::register::rms;
use crate::track::mean;
use telehand_vocab::Vec3;
use telehand_vocab::space::{Base, Flange, Guide, Pose, Tracker};

/// Stations below which a calibration is refused.
pub const LEAST_POSES: usize = 12;

/// The axes about which the flange was turned must differ by more than this, radians (40 degrees).
pub const AXES_SPREAD_RAD: f64 = 40.0 * core::f64::consts::PI / 180.0;

/// A turn between two stations that is smaller tells no axis, radians (5 degrees).
const LEAST_TURN: f64 = 5.0 * core::f64::consts::PI / 180.0;

/// One station of the robot: where its joints put the flange, and where the tracker sees the marker
/// on the guide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Station {
    /// From the joints.
    pub base_from_flange: Pose<Base, Flange>,
    /// From the tracker.
    pub tracker_from_guide: Pose<Tracker, Guide>,
}

/// What a calibration found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HandEye {
    /// Where the tracked guide is on the flange.
    pub flange_from_guide: Pose<Flange, Guide>,
    /// Where the tracker stands.
    pub base_from_tracker: Pose<Base, Tracker>,
    /// Root mean square distance between where joints and tracker put the guide, metres.
    pub residual_m: f64,
    /// The same as an angle, radians.
    pub residual_rad: f64,
    /// The largest angle between two axes of rotation, radians.
    pub spread_rad: f64,
}

/// Why stations give no calibration.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoHandEye {
    /// Too few.
    #[error("{stations} stations, at least {LEAST_POSES} are needed; nothing was calibrated")]
    TooFew {
        /// Stations given.
        stations: usize,
    },
    /// The flange was turned about nearly one axis.
    #[error(
        "the axes of rotation differ by {spread_deg:.0} deg, more than 40 are needed; nothing was \
         calibrated: turn the guide about other axes, too"
    )]
    OneAxis {
        /// The largest angle between two axes, degrees.
        spread_deg: f64,
    },
    /// A pose holds numbers that are not finite.
    #[error("station {station} is not finite; nothing was calibrated: measure it again")]
    NotFinite {
        /// Which.
        station: usize,
    },
    /// The equations leave a direction open.
    #[error("the stations leave the place of the guide open; nothing was calibrated: turn more")]
    Open,
}

/// Finds where the guide is on the flange and where the tracker stands, from at least
/// [`LEAST_POSES`] stations: rotations first (Park and Martin, IEEE Transactions on Robotics and
/// Automation 10(5), 1994), then translations by least squares. All pairs of stations count.
///
/// # Errors
/// Too few stations, axes of rotation within 40 degrees, numbers that are not finite.
pub fn hand_eye(stations: &[Station]) -> Result<HandEye, NoHandEye> {
    if stations.len() < LEAST_POSES {
        return Err(NoHandEye::TooFew { stations: stations.len() });
    }
    let finite = |s: &Station| {
        s.base_from_flange.translation.is_finite() && s.tracker_from_guide.translation.is_finite()
    };
    if let Some(station) = stations.iter().position(|s| !finite(s)) {
        return Err(NoHandEye::NotFinite { station });
    }
    let moves = moves(stations);
    let spread_rad = spread(&moves);
    if spread_rad <= AXES_SPREAD_RAD {
        return Err(NoHandEye::OneAxis { spread_deg: spread_rad.to_degrees() });
    }
    let flange_from_guide = solve_moves(&moves).ok_or(NoHandEye::Open)?;
    let placed: Vec<Pose<Base, Tracker>> = stations
        .iter()
        .map(|s| s.base_from_flange * flange_from_guide * s.tracker_from_guide.inverse())
        .collect();
    let base_from_tracker = mean(&placed);
    let off: Vec<(f64, f64)> = stations
        .iter()
        .map(|s| {
            let joints = s.base_from_flange * flange_from_guide;
            let seen = base_from_tracker * s.tracker_from_guide;
            let angle = (joints.rotation.inverse() * seen.rotation).angle();
            ((joints.translation - seen.translation).norm(), angle)
        })
        .collect();
    let (far, turned): (Vec<f64>, Vec<f64>) = off.into_iter().unzip();
    Ok(HandEye {
        flange_from_guide,
        base_from_tracker,
        residual_m: rms(&far),
        residual_rad: rms(&turned),
        spread_rad,
    })
}

/// One move from station to station, as the flange and as the guide made it.
type Move = (Pose<Flange, Flange>, Pose<Guide, Guide>);

fn moves(stations: &[Station]) -> Vec<Move> {
    let mut moves = Vec::new();
    for (i, a) in stations.iter().enumerate() {
        for b in stations.iter().skip(i + 1) {
            moves.push((
                a.base_from_flange.inverse() * b.base_from_flange,
                a.tracker_from_guide.inverse() * b.tracker_from_guide,
            ));
        }
    }
    moves
}

/// The largest angle between the axes of two moves; an axis and its opposite are one.
fn spread(moves: &[Move]) -> f64 {
    let axes: Vec<Vec3> = moves
        .iter()
        .map(|(flange, _)| flange.rotation.rotation_vector())
        .filter(|turn| turn.norm() >= LEAST_TURN)
        .filter_map(Vec3::unit)
        .collect();
    let mut least: f64 = 1.0;
    for (i, a) in axes.iter().enumerate() {
        for b in axes.iter().skip(i + 1) {
            least = least.min(a.dot(*b).abs());
        }
    }
    libm::acos(least.min(1.0))
}

/// `X` of `A X = X B`: the axes of A are those of B turned by X; then the translations are linear.
fn solve_moves(moves: &[Move]) -> Option<Pose<Flange, Guide>> {
    let mut h = ZERO;
    for (a, b) in moves {
        add_outer(&mut h, b.rotation.rotation_vector(), a.rotation.rotation_vector(), 1.0);
    }
    let svd = svd(h);
    let [u1, u2, u3] = svd.u;
    let [v1, v2, v3] = svd.v;
    let handed = (u1.cross(u2).dot(u3) * v1.cross(v2).dot(v3)).signum();
    let mut rows = ZERO;
    for ((u, v), sign) in svd.u.iter().zip(svd.v).zip([1.0, 1.0, handed]) {
        add_outer(&mut rows, v, *u, sign);
    }
    // (R_A - 1) t_X = R_X t_B - t_A, all moves at once by normal equations.
    let (mut normal, mut right) = (ZERO, Vec3::ZERO);
    for (a, b) in moves {
        let m = minus(&a.rotation.to_rows(), &IDENTITY);
        let target = apply(&rows, b.translation) - a.translation;
        for row in m {
            let row = Vec3::from_array(row);
            add_outer(&mut normal, row, row, 1.0);
        }
        right += apply(&transpose(m), target);
    }
    let translation = solve(normal, right, 1e-6)?;
    Some(Pose::from_rows(rows, translation.to_array()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::test_random::Random;
    use telehand_vocab::space::Quat;

    fn stations(random: &mut Random, count: usize, noise: f64) -> (Vec<Station>, HandEye) {
        let truth = HandEye {
            flange_from_guide: Pose::new(random.rotation(3.0), random.vector(0.1)),
            base_from_tracker: Pose::new(random.rotation(3.0), random.vector(1.0)),
            residual_m: 0.0,
            residual_rad: 0.0,
            spread_rad: 0.0,
        };
        let all = (0..count)
            .map(|_| {
                let base_from_flange = Pose::new(random.rotation(0.7), random.vector(0.15));
                let exact =
                    truth.base_from_tracker.inverse() * base_from_flange * truth.flange_from_guide;
                let turn = Quat::from_rotation_vector(random.vector(noise * 10.0));
                let tracker_from_guide =
                    Pose::new(exact.rotation * turn, exact.translation + random.vector(noise));
                Station { base_from_flange, tracker_from_guide }
            })
            .collect();
        (all, truth)
    }

    #[test]
    fn exact_stations_give_the_exact_answer() {
        let mut random = Random::new(21);
        for _ in 0..50 {
            let (stations, truth) = stations(&mut random, 12, 0.0);
            let found = hand_eye(&stations).unwrap();
            for (a, b) in [
                (
                    found.flange_from_guide.relabel::<Base, Base>(),
                    truth.flange_from_guide.relabel::<Base, Base>(),
                ),
                (
                    found.base_from_tracker.relabel(),
                    truth.base_from_tracker.relabel::<Base, Base>(),
                ),
            ] {
                assert!((a.translation - b.translation).norm() < 1e-11);
                assert!((a.rotation.inverse() * b.rotation).angle() < 1e-11);
            }
            assert!(found.residual_m < 1e-11 && found.residual_rad < 1e-11);
        }
    }

    #[test]
    fn noise_is_averaged_and_told() {
        let mut random = Random::new(22);
        let (mut off, rounds) = (0.0, 60);
        for _ in 0..rounds {
            let (stations, truth) = stations(&mut random, 24, 1e-4);
            let found = hand_eye(&stations).unwrap();
            let away = found.flange_from_guide.translation - truth.flange_from_guide.translation;
            off += away.dot(away) / f64::from(rounds);
            assert!((1e-4..8e-4).contains(&found.residual_m), "{}", found.residual_m);
        }
        let off = libm::sqrt(off);
        assert!(off < 4e-4, "{off}");
    }

    #[test]
    fn turns_about_one_axis_or_too_few_stations_are_refused() {
        let mut random = Random::new(23);
        let (stations, _) = stations(&mut random, 30, 1e-5);
        assert!(matches!(hand_eye(&stations[..11]), Err(NoHandEye::TooFew { stations: 11 })));
        // Axes that lean by a few degrees only.
        let narrow: Vec<Station> = (0..14)
            .map(|i| {
                let lean = Vec3::new(random.uniform(-0.03, 0.03), 0.0, 0.0);
                let spin = Vec3::new(0.0, 0.0, 0.2 * f64::from(i) - 1.4);
                let turn = Quat::from_rotation_vector(spin) * Quat::from_rotation_vector(lean);
                let pose = Pose::new(turn, random.vector(0.1));
                Station { base_from_flange: pose, tracker_from_guide: pose.relabel() }
            })
            .collect();
        let refusal = hand_eye(&narrow);
        assert!(matches!(refusal, Err(NoHandEye::OneAxis { .. })), "{refusal:?}");
        let mut wrong = stations;
        wrong[3].tracker_from_guide.translation.x = f64::NAN;
        assert_eq!(hand_eye(&wrong), Err(NoHandEye::NotFinite { station: 3 }));
    }
}
