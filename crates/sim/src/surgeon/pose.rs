//! Where the board is, from the caps of its target pegs.
//!
//! A surgeon knows the board: which pegs wear caps and how far apart they stand. The camera's pose
//! over it is the one that puts the caps where both eyes see them (least squares of the distances
//! in the picture, Gauss-Newton).

use telehand_vocab::space::{Camera, Pose, Quat, Vec3, World};

use super::vision::Blob;
use crate::endoscope::Optics;

/// A found pose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Where the board is.
    pub camera_from_board: Pose<Camera, World>,
    /// Caps used, both eyes together.
    pub caps: usize,
    /// Root of the mean square distance in the picture, pixels.
    pub error_px: f64,
}

/// Guesses of how steeply the endoscope looks down, degrees, and from how far, metres.
const GUESSES: [(f64, f64); 6] =
    [(50.0, 0.13), (40.0, 0.13), (60.0, 0.13), (50.0, 0.10), (50.0, 0.16), (70.0, 0.12)];
/// A cap matches a spot nearer than this, pixels of a 480-row picture, from round to round.
const GATES: [f64; 7] = [60.0, 40.0, 25.0, 12.0, 6.0, 4.0, 3.0];

/// Finds the board from spots in both eyes; `known` is the last good answer, if any.
pub fn find(
    optics: &Optics,
    model: &[Vec3],
    spots: [&[Blob]; 2],
    known: Option<Pose<Camera, World>>,
) -> Option<Found> {
    let from_known = known.map(|start| refine(optics, model, spots, start, &GATES[3..]));
    if let Some(Some(found)) = from_known
        && found.caps >= 2 * model.len() - 3
    {
        return Some(found);
    }
    let mut best: Option<Found> = None;
    for (down_deg, distance) in GUESSES {
        let found = refine(optics, model, spots, looking(down_deg, distance), &GATES);
        if let Some(found) = found
            && best.is_none_or(|b| (found.caps, -found.error_px) > (b.caps, -b.error_px))
        {
            best = Some(found);
        }
    }
    best
}

/// A camera that looks at the board's middle, image right along board x.
fn looking(down_deg: f64, distance: f64) -> Pose<Camera, World> {
    let (s, c) = (libm::sin(down_deg.to_radians()), libm::cos(down_deg.to_radians()));
    let rows = [[1.0, 0.0, 0.0], [0.0, -s, -c], [0.0, c, -s]];
    Pose::from_rows(rows, [0.0, 0.0, distance])
}

fn refine(
    optics: &Optics,
    model: &[Vec3],
    spots: [&[Blob]; 2],
    start: Pose<Camera, World>,
    gates: &[f64],
) -> Option<Found> {
    let unit = optics.height as f64 / 480.0;
    let mut pose = start;
    let mut last = None;
    for gate in gates {
        for _ in 0..3 {
            let pairs = matches(optics, model, spots, &pose, gate * unit);
            if pairs.len() < 6 {
                return None;
            }
            let (next, error_px) = improve(optics, &pairs, &pose)?;
            pose = next;
            last = Some(Found { camera_from_board: pose, caps: pairs.len(), error_px });
        }
    }
    last.filter(|f| f.error_px < 1.6 * unit)
}

/// A cap of the model and the pixel where an eye sees it.
type Pair = (usize, Vec3, [f64; 2]);

fn matches(
    optics: &Optics,
    model: &[Vec3],
    spots: [&[Blob]; 2],
    pose: &Pose<Camera, World>,
    gate: f64,
) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (eye, blobs) in spots.into_iter().enumerate() {
        let mut taken = vec![false; blobs.len()];
        for point in model {
            let Some([x, y]) = optics.pixel(eye, pose.point(*point)) else { continue };
            let away = |b: &Blob| libm::hypot(b.at[0] - x, b.at[1] - y);
            let nearest = blobs
                .iter()
                .enumerate()
                .filter(|(k, b)| away(b) < gate && taken.get(*k) == Some(&false))
                .min_by(|a, b| away(a.1).total_cmp(&away(b.1)));
            if let Some((k, blob)) = nearest {
                if let Some(mark) = taken.get_mut(k) {
                    *mark = true;
                }
                pairs.push((eye, *point, blob.at));
            }
        }
    }
    pairs
}

/// One Gauss-Newton step: the better pose, and the error before it.
fn improve(
    optics: &Optics,
    pairs: &[Pair],
    pose: &Pose<Camera, World>,
) -> Option<(Pose<Camera, World>, f64)> {
    const STEP: f64 = 1e-6;
    let mut normal = [[0.0; 7]; 6];
    let mut squares = 0.0;
    let moved = |k: usize| {
        let mut six = [0.0; 6];
        if let Some(one) = six.get_mut(k) {
            *one = STEP;
        }
        nudged(pose, six)
    };
    let nudges = [0, 1, 2, 3, 4, 5].map(moved);
    for &(eye, point, [sx, sy]) in pairs {
        let [x, y] = optics.pixel(eye, pose.point(point))?;
        let mut slopes = [[0.0; 6]; 2];
        for (k, nudge) in nudges.iter().enumerate() {
            let [nx, ny] = optics.pixel(eye, nudge.point(point))?;
            for (row, slope) in slopes.iter_mut().zip([(nx - x) / STEP, (ny - y) / STEP]) {
                if let Some(slot) = row.get_mut(k) {
                    *slot = slope;
                }
            }
        }
        for (row, error) in slopes.iter().zip([sx - x, sy - y]) {
            squares += error * error;
            for (line, a) in normal.iter_mut().zip(row) {
                for (slot, b) in line.iter_mut().zip(row.iter().chain([&error])) {
                    *slot += a * b;
                }
            }
        }
    }
    let step = solved(normal)?;
    Some((nudged(pose, step), libm::sqrt(squares / pairs.len() as f64)))
}

/// The pose turned by the first three and moved by the last three numbers, in the camera frame.
fn nudged(pose: &Pose<Camera, World>, [a, b, c, x, y, z]: [f64; 6]) -> Pose<Camera, World> {
    let turn = Quat::from_rotation_vector(Vec3::new(a, b, c));
    Pose::new(turn * pose.rotation, pose.translation + Vec3::new(x, y, z))
}

/// Solves six equations by elimination with pivoting; `None` when they do not determine the answer.
#[expect(clippy::indexing_slicing, reason = "all indices are below the fixed sizes")]
fn solved(mut m: [[f64; 7]; 6]) -> Option<[f64; 6]> {
    for k in 0..6 {
        let pivot = (k..6).max_by(|&a, &b| m[a][k].abs().total_cmp(&m[b][k].abs()))?;
        m.swap(k, pivot);
        if m[k][k].abs() < 1e-9 {
            return None;
        }
        for row in k + 1..6 {
            let factor = m[row][k] / m[k][k];
            let above = m[k];
            for (slot, value) in m[row].iter_mut().zip(above).skip(k) {
                *slot -= factor * value;
            }
        }
    }
    let mut x = [0.0; 6];
    for k in (0..6).rev() {
        let rest: f64 = (k + 1..6).map(|c| m[k][c] * x[c]).sum();
        x[k] = (m[k][6] - rest) / m[k][k];
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps() -> Vec<Vec3> {
        [0.016, 0.046]
            .into_iter()
            .flat_map(|x| [-0.03, 0.0, 0.03].map(|y| Vec3::new(x, y, 0.023)))
            .collect()
    }

    #[test]
    fn s_021_the_board_is_found_from_any_plausible_camera() {
        let optics = Optics::new(640, 480, true);
        for (down, distance) in [(45.0, 0.12), (50.0, 0.13), (62.0, 0.14)] {
            let turn = Quat::from_rotation_vector(Vec3::new(0.03, -0.05, 0.04));
            let straight = looking(down, distance);
            let truth: Pose<Camera, World> = Pose::new(
                turn * straight.rotation,
                straight.translation + Vec3::new(4e-3, 2e-3, 0.0),
            );
            let seen = |eye| -> Vec<Blob> {
                let at = caps().into_iter().filter_map(|p| optics.pixel(eye, truth.point(p)));
                at.map(|at| Blob { at, samples: 30 }).collect()
            };
            let found = find(&optics, &caps(), [&seen(0), &seen(1)], None).unwrap();
            let off = found.camera_from_board.translation - truth.translation;
            let turned = (found.camera_from_board.rotation.inverse() * truth.rotation).angle();
            assert!(off.norm() < 1e-6 && turned < 1e-5, "{found:?}");
            assert_eq!(found.caps, 12);
        }
    }

    #[test]
    fn s_021_too_few_caps_give_no_answer() {
        let optics = Optics::new(640, 480, true);
        let blob = Blob { at: [300.0, 200.0], samples: 30 };
        assert_eq!(find(&optics, &caps(), [&[blob], &[blob]], None), None);
    }
}
