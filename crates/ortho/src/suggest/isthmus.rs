//! Where the pedicles of a vertebra are, found in its bone alone.

use crate::distance::Field;
use crate::plan::{Landmarks, Pedicle, Vertebra, exit, outward, usual_axial_angle};
use crate::screw::{Level, Side};
use telehand_vocab::Vec3;

const MM: f64 = 1e-3;

/// The axes of a vertebra and the middle of its body.
#[derive(Debug, Clone, Copy)]
struct Frame {
    body: Vec3,
    left: Vec3,
    posterior: Vec3,
    superior: Vec3,
}

/// The spinal canal where the pedicles bound it.
#[derive(Debug, Clone, Copy)]
struct Canal {
    /// Between both pedicles, in the front part of the canal.
    middle: Vec3,
    /// From the middle to a pedicle, metres.
    half_width: f64,
    /// From its front wall to the middle, metres.
    ahead: f64,
}

/// Finds body, canal and both isthmuses in the bone of ONE vertebra (`level` is taken as given).
/// The vertebra may be tilted by some 30 degrees about any axis, its image on a left- or
/// right-handed grid. The error says what was not found.
pub fn find_vertebra(bone: &Field, level: Level) -> Result<Vertebra, &'static str> {
    let points = inner_points(bone);
    let mut canal = seed(&points, bone).ok_or("canal")?;
    let mut frame = upright(&points, &canal).ok_or("body in front of the canal")?;
    let mut found = Err("canal");
    for _ in 0..4 {
        frame.body = body(&points, &frame, &canal).ok_or("body in front of the canal")?;
        frame = levelled(frame, bone);
        canal = ringed(&frame, &canal, bone).ok_or("canal between two pedicles")?;
        let [left, right] = isthmuses(&frame, &canal, bone).ok_or("two pedicles")?;
        frame = turned(frame, left, right).ok_or("two pedicles")?;
        found = Ok((left, right));
    }
    let (left_isthmus, right_isthmus) = found?;
    // the front wall at the height of the pedicles
    let middle = right_isthmus + (left_isthmus - right_isthmus) * 0.5;
    let height = (middle - frame.body).dot(frame.superior);
    let start = frame.body + frame.superior * height;
    let inside = bone.at(start).is_some_and(|v| v < 0.0);
    let from = if inside { start } else { frame.body };
    let depth = exit(from, -frame.posterior, 50.0 * MM, bone).ok_or("front wall")?;
    let anterior = from - frame.posterior * depth;
    let clicks = Landmarks { anterior, left_isthmus, right_isthmus };
    let vertebra = Vertebra::from_landmarks(level, &clicks).map_err(|_| "vertebra's measures")?;
    let Frame { left, posterior, superior, .. } = frame;
    let mut vertebra = Vertebra { left, posterior, superior, ..vertebra };
    vertebra.left_pedicle.axis = vertebra.direction(Side::Left, usual_axial_angle(level), 0.0);
    vertebra.right_pedicle.axis = vertebra.direction(Side::Right, usual_axial_angle(level), 0.0);
    Ok(centred(vertebra, bone))
}

/// Every other voxel inside of bone.
fn inner_points(bone: &Field) -> Vec<Vec3> {
    let [ni, nj, _] = bone.grid.size;
    let inside = bone.metres.iter().enumerate().filter(|(_, metres)| **metres < 0.0);
    inside
        .step_by(2)
        .map(|(at, _)| {
            let (i, j, k) = (at % ni, at / ni % nj, at / (ni * nj));
            bone.grid.point([i as f64, j as f64, k as f64])
        })
        .collect()
}

fn centroid(points: impl Iterator<Item = Vec3>) -> Option<Vec3> {
    let (sum, n) = points.fold((Vec3::ZERO, 0.0), |(sum, n), p| (sum + p, n + 1.0));
    (n > 0.0).then(|| sum * (1.0 / n))
}

/// The widest free place near the centroid that has bone on all eight sides of its axial plane.
fn seed(points: &[Vec3], bone: &Field) -> Option<Canal> {
    let middle = centroid(points.iter().copied())?;
    let (h, d) = (core::f64::consts::FRAC_1_SQRT_2, 25.0 * MM);
    let ways = [(1.0, 0.0), (0.0, 1.0), (h, h), (h, -h)].map(|(x, y)| Vec3::new(x, y, 0.0));
    let mut best: Option<(f64, Vec3)> = None;
    for x in -9..=9_i32 {
        for y in -12..=12_i32 {
            for z in -8..=8_i32 {
                let [x, y, z] = [x, y, z].map(|n| f64::from(n) * 2.0 * MM);
                let at = middle + Vec3::new(x, y, z);
                let Some(free) = bone.at(at).filter(|v| *v > 3.0 * MM) else { continue };
                let wider = best.is_none_or(|(widest, _)| free > widest);
                if wider
                    && ways.iter().all(|w| [*w, -*w].iter().all(|w| hit(at, *w, d, bone).is_some()))
                {
                    best = Some((free, at));
                }
            }
        }
    }
    best.map(|(free, middle)| Canal { middle, half_width: free, ahead: free })
}

/// Image axes turned about z so that the body, most of the bone, lies in front of the canal.
fn upright(points: &[Vec3], canal: &Canal) -> Option<Frame> {
    let superior = Vec3::new(0.0, 0.0, 1.0);
    let all = centroid(points.iter().copied())?;
    // of a vertebra cut across at its canal, the heavier half is the body's
    let mut posterior = Vec3::new(0.0, 1.0, 0.0);
    let mut body = all;
    for _ in 0..3 {
        let front = points.iter().filter(|p| (**p - canal.middle).dot(posterior) < -canal.ahead);
        body = centroid(front.copied())?;
        let back = canal.middle - body;
        posterior = (back - superior * back.dot(superior)).unit()?;
    }
    Some(Frame { body, left: posterior.cross(superior), posterior, superior })
}

/// The middle of all bone in front of the canal, between the transverse processes.
fn body(points: &[Vec3], frame: &Frame, canal: &Canal) -> Option<Vec3> {
    let front = points.iter().filter(|p| {
        let d = **p - canal.middle;
        d.dot(frame.posterior) < -canal.ahead && d.dot(frame.left).abs() < 25.0 * MM
    });
    centroid(front.copied())
}

/// Turns the axes about left and posterior until both endplates, on average, are level, and puts
/// the body's middle halfway between them.
fn levelled(frame: Frame, bone: &Field) -> Frame {
    let Frame { mut body, mut left, mut posterior, mut superior } = frame;
    for _ in 0..4 {
        let mut slopes = Vec::new();
        let mut heights = Vec::new();
        for d in [superior, -superior] {
            let mut hits = Vec::new();
            for a in -4..=4_i32 {
                for b in -3..=3_i32 {
                    let (a, b) = (f64::from(a) * 2.0 * MM, f64::from(b) * 2.0 * MM);
                    let start = body + left * a + posterior * b;
                    if bone.at(start).is_some_and(|v| v < 0.0)
                        && let Some(t) = exit(start, d, 30.0 * MM, bone)
                    {
                        hits.push([a, b, t * d.dot(superior)]);
                    }
                }
            }
            if let Some([a, b, height]) = plane(&hits) {
                slopes.push((a, b));
                heights.push(height);
            }
        }
        let ([(a1, b1), (a2, b2)], [up, down]) = (slopes.as_slice(), heights.as_slice()) else {
            break;
        };
        let (a, b) = (f64::midpoint(*a1, *a2), f64::midpoint(*b1, *b2));
        body += superior * f64::midpoint(*up, *down);
        let Some(new) = (superior - left * a - posterior * b).unit() else { break };
        superior = new;
        let Some(new) = left.cross(superior).unit() else { break };
        posterior = -new;
        left = posterior.cross(superior);
        if a.abs().max(b.abs()) < 0.002 {
            break;
        }
    }
    Frame { body, left, posterior, superior }
}

/// Least squares `t = c + a x + b y`, twice: the second time without what lies more than 2.5 mm off.
/// Gives [a, b, c].
fn plane(hits: &[[f64; 3]]) -> Option<[f64; 3]> {
    let mut fit = [0.0, 0.0, f64::NAN];
    for round in 0..2 {
        let near = |h: &&[f64; 3]| {
            let [x, y, t] = **h;
            round == 0 || (t - fit[2] - fit[0] * x - fit[1] * y).abs() < 2.5 * MM
        };
        let kept: Vec<_> = hits.iter().filter(near).collect();
        if kept.len() < 12 {
            return None;
        }
        let n = kept.len() as f64;
        let mean = kept.iter().fold([0.0; 3], |s, h| [s[0] + h[0], s[1] + h[1], s[2] + h[2]]);
        let [mx, my, mt] = mean.map(|m| m / n);
        let (mut xx, mut xy, mut yy, mut xt, mut yt) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for [x, y, t] in kept {
            let (x, y, t) = (x - mx, y - my, t - mt);
            xx += x * x;
            xy += x * y;
            yy += y * y;
            xt += x * t;
            yt += y * t;
        }
        let det = xx * yy - xy * xy;
        if det <= 1e-6 * xx * yy {
            return None;
        }
        let (a, b) = ((xt * yy - yt * xy) / det, (yt * xx - xt * xy) / det);
        fit = [a, b, mt - a * mx - b * my];
    }
    Some(fit)
}

/// From outside bone along `d` to the next bone, metres.
fn hit(point: Vec3, d: Vec3, limit: f64, bone: &Field) -> Option<f64> {
    let (step, mut t) = (0.25 * MM, 0.0);
    while t <= limit {
        let v = bone.at(point + d * t)?;
        if v < 0.0 {
            return Some(t);
        }
        t += v.max(step);
    }
    None
}

/// The canal where bone closes it on both sides: the height of the pedicles.
fn ringed(frame: &Frame, canal: &Canal, bone: &Field) -> Option<Canal> {
    let rings: Vec<Canal> = (-14..=14_i32)
        .filter_map(|z| ring(canal.middle + frame.superior * (f64::from(z) * MM), frame, bone))
        .collect();
    if rings.len() < 3 {
        return None;
    }
    let mean = |f: fn(&Canal) -> f64| rings.iter().map(f).sum::<f64>() / rings.len() as f64;
    Some(Canal {
        middle: centroid(rings.iter().map(|r| r.middle))?,
        half_width: mean(|r| r.half_width),
        ahead: mean(|r| r.ahead),
    })
}

fn ring(start: Vec3, frame: &Frame, bone: &Field) -> Option<Canal> {
    if bone.at(start)? < 0.0 {
        return None;
    }
    // beside the middle too: there the veins of the body come out
    let front = [-4.0 * MM, 0.0, 4.0 * MM]
        .into_iter()
        .filter_map(|x| hit(start + frame.left * x, -frame.posterior, 25.0 * MM, bone))
        .fold(f64::INFINITY, f64::min);
    if !front.is_finite() {
        return None;
    }
    let wall = start - frame.posterior * front;
    // without a lamina behind (it may have been removed) the canal is as deep as usual
    let depth = hit(start, frame.posterior, 25.0 * MM, bone).map_or(16.0 * MM, |d| d + front);
    let ahead = (0.4 * depth).min(6.5 * MM);
    let inside = wall + frame.posterior * ahead;
    let left = hit(inside, frame.left, 20.0 * MM, bone)?;
    let right = hit(inside, -frame.left, 20.0 * MM, bone)?;
    let half_width = f64::midpoint(left, right);
    let middle = inside + frame.left * ((left - right) / 2.0);
    (half_width > 5.0 * MM && depth > 7.0 * MM).then_some(Canal { middle, half_width, ahead })
}

/// The pedicle begins this far behind the back wall of the body at most, metres: what is as narrow
/// further back is the arch.
const DEEPEST: f64 = 9.0 * MM;

/// Sections whose thickest places differ by less are equally thick, metres.
const ALIKE: f64 = 0.2 * MM;

/// The narrowest part of the bridges between body and arch beside the canal: of the thickest place
/// of each plane across, the thinnest; for both sides together, then by a few millimetres for each.
fn isthmuses(frame: &Frame, canal: &Canal, bone: &Field) -> Option<[Vec3; 2]> {
    let count = ((DEEPEST + 2.0 * MM) / MM) as i32;
    let sections = |side| -> Vec<(f64, Vec3)> {
        (0..=count)
            .map(|n| section(frame, canal, side, f64::from(n) * MM - 2.0 * MM - canal.ahead, bone))
            .collect()
    };
    let (left, right) = (sections(Side::Left), sections(Side::Right));
    let sum: Vec<f64> = left.iter().zip(&right).map(|(l, r)| l.0 + r.0).collect();
    let (narrowest, most) = sum.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    // an evenly wide bridge is narrowest anywhere: the middle of all that is as narrow as that
    let alike = |v: &&f64| **v >= most - 2.0 * ALIKE;
    let before = sum.iter().take(narrowest).rev().take_while(alike).count();
    let after = sum.iter().skip(narrowest + 1).take_while(alike).count();
    let both = (2 * narrowest + after - before) / 2;
    let of = |sections: &[(f64, Vec3)]| {
        let near = sections.get(both.saturating_sub(3)..(both + 4).min(sections.len()))?;
        let narrowest = near.iter().map(|(v, _)| *v).fold(f64::NEG_INFINITY, f64::max);
        // the middle of the stretch that is as narrow as that
        let narrow: Vec<_> = near.iter().filter(|(v, _)| *v >= narrowest - ALIKE).collect();
        let thickest = narrow.get(narrow.len() / 2).filter(|_| narrowest < 0.0)?.1;
        // a pedicle is higher than wide: its thickest place may lie anywhere along its height
        Some(middle(thickest, -frame.posterior, frame.superior, bone).unwrap_or(thickest))
    };
    Some([of(&left)?, of(&right)?])
}

/// The thickest place of a plane across the pedicle, `back` behind the canal's middle.
fn section(frame: &Frame, canal: &Canal, side: Side, back: f64, bone: &Field) -> (f64, Vec3) {
    let across = frame.left * outward(side);
    let plane = canal.middle + frame.posterior * back;
    let mut best = (f64::INFINITY, plane);
    for out in 0..=11_i32 {
        let out = canal.half_width + f64::from(out - 1) * MM;
        for up in -9..=9_i32 {
            let p = plane + across * out + frame.superior * (f64::from(up) * MM);
            let v = bone.at(p).unwrap_or(f64::INFINITY);
            if v < best.0 {
                best = (v, p);
            }
        }
    }
    best
}

/// The axes with left along the line from isthmus to isthmus.
fn turned(frame: Frame, left_isthmus: Vec3, right_isthmus: Vec3) -> Option<Frame> {
    let left = (left_isthmus - right_isthmus).unit()?;
    if left.dot(frame.left) < 0.7 {
        return None;
    }
    let superior = (frame.superior - left * frame.superior.dot(left)).unit()?;
    let posterior = superior.cross(left);
    let midline = right_isthmus + (left_isthmus - right_isthmus) * 0.5;
    let body = frame.body + left * (midline - frame.body).dot(left);
    Some(Frame { body, left, posterior, superior })
}

/// A click is brought to the middle of the pedicle if that is no further than this, metres.
const CLICK: f64 = 5.0 * MM;
/// From the middle of a pedicle to its wall at most, metres.
const WALL: f64 = 12.0 * MM;
/// The direction of a pedicle is seen over this much to both sides of the isthmus, metres.
const SEEN: f64 = 3.0 * MM;

/// The same vertebra with each isthmus in the middle of its pedicle's section, and each axis along
/// the middles of the sections in front and behind.
pub(super) fn centred(vertebra: Vertebra, bone: &Field) -> Vertebra {
    let v = vertebra;
    let of = |pedicle: &Pedicle| {
        let mut new = *pedicle;
        for _ in 0..2 {
            let Some(isthmus) = middle(new.isthmus, new.axis, v.superior, bone) else { break };
            if (isthmus - pedicle.isthmus).norm() > CLICK {
                break;
            }
            new.isthmus = isthmus;
            new.axis = along(&new, &v, bone).unwrap_or(new.axis);
        }
        new
    };
    Vertebra { left_pedicle: of(&v.left_pedicle), right_pedicle: of(&v.right_pedicle), ..v }
}

/// The middle of a section across `axis`: halfway between the walls, up and down, left and right.
/// A way to a wall that is no part of the pedicle (up a facet) does not count.
fn middle(start: Vec3, axis: Vec3, superior: Vec3, bone: &Field) -> Option<Vec3> {
    let sideways = axis.cross(superior).unit()?;
    let up = sideways.cross(axis);
    let mut at = inside(start, sideways, up, bone)?;
    for _ in 0..3 {
        for d in [up, sideways] {
            if let (Some(a), Some(b)) = (exit(at, d, WALL, bone), exit(at, -d, WALL, bone)) {
                let moved = at + d * ((a - b) / 2.0);
                if bone.at(moved)? <= 0.8 * bone.at(at)? {
                    at = moved;
                }
            }
        }
    }
    Some(at)
}

/// `start`, or the deepest place within 3 mm across where that lies outside of bone.
fn inside(start: Vec3, sideways: Vec3, up: Vec3, bone: &Field) -> Option<Vec3> {
    let mut best = (bone.at(start)?, start);
    if best.0 < -0.5 * MM {
        return Some(start);
    }
    for a in -6..=6_i32 {
        for b in -6..=6_i32 {
            let (a, b) = (f64::from(a) * 0.5 * MM, f64::from(b) * 0.5 * MM);
            let p = start + sideways * a + up * b;
            let v = bone.at(p)?;
            if v < best.0 {
                best = (v, p);
            }
        }
    }
    (best.0 < 0.0).then_some(best.1)
}

/// The axis through the middles, sideways, of the sections in front of the isthmus and behind it:
/// level, and no more than 20 degrees from the one before.
fn along(pedicle: &Pedicle, v: &Vertebra, bone: &Field) -> Option<Vec3> {
    let sideways = pedicle.axis.cross(v.superior).unit()?;
    let section = |offset: f64| {
        let at = pedicle.isthmus + pedicle.axis * offset;
        let (a, b) = (exit(at, sideways, WALL, bone)?, exit(at, -sideways, WALL, bone)?);
        Some(at + sideways * ((a - b) / 2.0))
    };
    let axis = (section(SEEN)? - section(-SEEN)?).unit()?;
    (axis.dot(pedicle.axis) > 0.94).then_some(axis)
}
