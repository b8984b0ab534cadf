//! Where the pedicles of a vertebra are, found in its bone alone.

use crate::distance::Field;
use crate::plan::{Landmarks, Pedicle, Vertebra, exit, outward};
use crate::screw::{Level, Side};
use telehand_vocab::Vec3;

const MM: f64 = 1e-3;

/// The axes of a vertebra and two places in it.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// The middle of the body.
    body: Vec3,
    left: Vec3,
    posterior: Vec3,
    superior: Vec3,
}

/// The spinal canal where the pedicles bound it.
#[derive(Debug, Clone, Copy)]
struct Canal {
    /// Its middle.
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
    let (body, centroid) = masses(bone).ok_or("body")?;
    let superior = Vec3::new(0.0, 0.0, 1.0);
    let back = centroid - body;
    let posterior = (back - superior * back.dot(superior)).unit().ok_or("arch behind its body")?;
    let left = posterior.cross(superior);
    let mut frame = Frame { body, left, posterior, superior };
    let mut found = Err("canal");
    for _ in 0..3 {
        frame = levelled(frame, bone);
        let canal = canal(&frame, bone).ok_or("canal between two pedicles")?;
        let left = isthmus(&frame, &canal, Side::Left, bone).ok_or("left pedicle")?;
        let right = isthmus(&frame, &canal, Side::Right, bone).ok_or("right pedicle")?;
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
    let vertebra = Vertebra {
        left: frame.left,
        posterior: frame.posterior,
        superior: frame.superior,
        ..vertebra
    };
    Ok(centred(vertebra, bone))
}

/// The middle of the body (the thickest part of the bone) and the centroid of all bone.
fn masses(bone: &Field) -> Option<(Vec3, Vec3)> {
    let deepest = bone.metres.iter().copied().fold(0.0_f32, f32::min);
    if deepest > -0.002 {
        return None;
    }
    let [ni, nj, _] = bone.grid.size;
    let (mut all, mut core) = ((Vec3::ZERO, 0.0), (Vec3::ZERO, 0.0));
    for (at, &metres) in bone.metres.iter().enumerate() {
        if metres >= 0.0 {
            continue;
        }
        let (i, j, k) = (at % ni, at / ni % nj, at / (ni * nj));
        let point = bone.grid.point([i as f64, j as f64, k as f64]);
        all = (all.0 + point, all.1 + 1.0);
        if metres <= 0.75 * deepest {
            core = (core.0 + point, core.1 + 1.0);
        }
    }
    Some((core.0 * (1.0 / core.1), all.0 * (1.0 / all.1)))
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
            for a in -3..=3_i32 {
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

/// Least squares `t = c + a x + b y`, twice: the second time without what lies more than 2 mm off.
/// Gives [a, b, c].
fn plane(hits: &[[f64; 3]]) -> Option<[f64; 3]> {
    let mut fit = [0.0, 0.0, f64::NAN];
    for round in 0..2 {
        let near = |h: &&[f64; 3]| {
            let [x, y, t] = **h;
            round == 0 || (t - fit[2] - fit[0] * x - fit[1] * y).abs() < 2.0 * MM
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
fn canal(frame: &Frame, bone: &Field) -> Option<Canal> {
    let mut sideways = 0.0;
    let mut found = None;
    for _ in 0..2 {
        let rings: Vec<Ring> = (-14..=14_i32)
            .filter_map(|z| {
                let up = frame.superior * (f64::from(z) * MM);
                ring(frame.body + up + frame.left * sideways, frame, bone)
            })
            .collect();
        if rings.len() < 3 {
            return None;
        }
        let mean = |f: fn(&Ring) -> f64| rings.iter().map(f).sum::<f64>() / rings.len() as f64;
        let sum = rings.iter().fold(Vec3::ZERO, |sum, r| sum + r.middle);
        sideways += mean(|r| r.aside);
        found = Some(Canal {
            middle: sum * (1.0 / rings.len() as f64),
            half_width: mean(|r| r.half_width),
            ahead: mean(|r| r.ahead),
        });
    }
    found
}

/// The canal at one height.
struct Ring {
    middle: Vec3,
    aside: f64,
    half_width: f64,
    ahead: f64,
}

fn ring(start: Vec3, frame: &Frame, bone: &Field) -> Option<Ring> {
    if bone.at(start)? >= 0.0 {
        return None;
    }
    let wall = exit(start, frame.posterior, 35.0 * MM, bone)?;
    let front = start + frame.posterior * (wall + 0.3 * MM);
    // without a lamina behind (it may have been removed) the canal is as deep as usual
    let depth = hit(front, frame.posterior, 26.0 * MM, bone).unwrap_or(16.0 * MM);
    if depth < 7.0 * MM {
        return None;
    }
    let ahead = (0.4 * depth).min(6.5 * MM);
    let inside = front + frame.posterior * ahead;
    let left = hit(inside, frame.left, 20.0 * MM, bone)?;
    let right = hit(inside, -frame.left, 20.0 * MM, bone)?;
    let (aside, half_width) = ((left - right) / 2.0, f64::midpoint(left, right));
    (half_width > 5.0 * MM).then(|| Ring {
        middle: inside + frame.left * aside,
        aside,
        half_width,
        ahead,
    })
}

/// The narrowest part of the bridge between body and arch beside the canal: of the thickest place
/// of each plane across, the thinnest.
fn isthmus(frame: &Frame, canal: &Canal, side: Side, bone: &Field) -> Option<Vec3> {
    let outward = frame.left * outward(side);
    let steps = |from: f64, to: f64| {
        let count = ((to - from) / MM) as i32;
        (0..=count).map(move |n| from + f64::from(n) * MM)
    };
    let mut thickest = Vec::new();
    for back in steps(-canal.ahead - 2.0 * MM, 8.0 * MM) {
        let mut best = (f64::INFINITY, Vec3::ZERO);
        for out in steps(canal.half_width - 1.0 * MM, canal.half_width + 15.0 * MM) {
            for up in steps(-9.0 * MM, 9.0 * MM) {
                let p = canal.middle + frame.posterior * back + outward * out + frame.superior * up;
                let v = bone.at(p).unwrap_or(f64::INFINITY);
                if v < best.0 {
                    best = (v, p);
                }
            }
        }
        thickest.push(best);
    }
    let narrowest = thickest.iter().map(|(v, _)| *v).fold(f64::NEG_INFINITY, f64::max);
    if narrowest >= 0.0 {
        return None;
    }
    // the middle of the stretch that is as narrow as that
    let narrow: Vec<_> = thickest.iter().filter(|(v, _)| *v >= narrowest - 0.15 * MM).collect();
    narrow.get(narrow.len() / 2).map(|(_, p)| *p)
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
fn middle(start: Vec3, axis: Vec3, superior: Vec3, bone: &Field) -> Option<Vec3> {
    let sideways = axis.cross(superior).unit()?;
    let up = sideways.cross(axis);
    let mut at = inside(start, sideways, up, bone)?;
    for _ in 0..3 {
        for d in [sideways, up] {
            if let (Some(a), Some(b)) = (exit(at, d, WALL, bone), exit(at, -d, WALL, bone)) {
                at += d * ((a - b) / 2.0);
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
