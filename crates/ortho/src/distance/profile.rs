//! Where a bone ends: half-way between its cortex and what lies outside, along the line across.
//!
//! A level that is right for one bone is wrong for the next: 250 HU puts the wall of a pedicle with
//! a cortex of 900 HU 0.4 mm too far out, on each side, which is all of the safety margin. The
//! scanner blurs an edge evenly to both sides, so half of the local rise is where the edge was.
//!
//! A cortex not much thicker than the blur never reaches its full height in the picture, and half
//! of what it reaches lies outside the bone (0.07 mm for 1.5 mm of cortex and a blur of 0.5 mm). So
//! the height is set right first: with a blur of Gaussian form, the height reached, the slope on
//! the flank and the way from flank to peak give the full height.

use super::surfel::{Grey, Surfel};
use core::cell::Cell;

/// Distance between the values read along a line, metres.
const STEP: f32 = 0.2e-3;
/// How far outside the soft tissue is looked for, steps.
const OUTSIDE: i32 = 15;
/// How far inside the peak of the cortex is looked for, steps.
const INSIDE: i32 = 12;
/// What lies that near to the coarse edge is still blurred bone, steps.
const BLURRED: i32 = 4;
/// A fall by this part of the rise ends the peak: what comes behind is another cortex.
const FALL: f32 = 0.3;
/// By how much of the rise the flanks lie below the peak where its middle is taken between them.
const RIM: f32 = 0.2;
/// The least part of its height that a cortex is taken to reach: below, the correction would follow
/// the noise.
const THINNEST: f32 = 0.75;

/// The disc moved along its own normal to the local half maximum; unmoved where there is none.
pub(super) fn refined(grey: &Grey<'_>, disc: Surfel) -> Surfel {
    let line = Line::new(grey, &disc);
    let at = |step: i32| line.at(step);
    let soft = outside(grey.level, at);
    let Cortex { peak, place, middle } = cortex(soft, at);
    let half = f32::midpoint(peak, soft);
    let mut before = peak;
    for step in place + 1..=OUTSIDE {
        let now = at(step);
        if now < half {
            let part = (before - half) / (before - now);
            let crossing = step as f32 - 1.0 + part;
            let flank = |s: f32| {
                let low = s.floor();
                let (a, b) = (at(low as i32), at(low as i32 + 1));
                a + (b - a) * (s - low)
            };
            let slope = (flank(crossing - 1.0) - flank(crossing + 1.0)) / 2.0;
            let s = crossing - shortfall(peak - soft, slope, crossing - middle);
            let mut moved = disc;
            for (f, o) in moved.foot.iter_mut().zip(disc.out) {
                *f += o * s * STEP;
            }
            // the coarse edge is faint: here the slope is steep and less moved by noise
            moved.out = grey.out(moved.foot).unwrap_or(disc.out);
            return moved;
        }
        before = now;
    }
    disc
}

/// The innermost step asked for: a flank behind the innermost peak, and one for the slope.
const FIRST: i32 = -(2 * INSIDE + 1);
const LENGTH: usize = (OUTSIDE + 2 - FIRST + 1) as usize;

/// The grey values along a disc's normal, each read once: most are asked for several times.
struct Line<'a> {
    grey: &'a Grey<'a>,
    /// The foot in voxels, and one step.
    foot: [f32; 3],
    step: [f32; 3],
    read: [Cell<f32>; LENGTH],
}

impl<'a> Line<'a> {
    fn new(grey: &'a Grey<'a>, disc: &Surfel) -> Self {
        let (mut foot, mut step) = (disc.foot, disc.out);
        for ((f, o), s) in foot.iter_mut().zip(&mut step).zip(grey.spacing) {
            *f /= s;
            *o *= STEP / s;
        }
        Self { grey, foot, step, read: [const { Cell::new(f32::NAN) }; LENGTH] }
    }

    fn at(&self, step: i32) -> f32 {
        let slot = usize::try_from(step - FIRST).ok().and_then(|n| self.read.get(n));
        let held = slot.map_or(f32::NAN, Cell::get);
        if !held.is_nan() {
            return held;
        }
        let s = step as f32;
        let ([x, y, z], [u, v, w]) = (self.foot, self.step);
        let value = self.grey.within([x + u * s, y + v * s, z + w * s]);
        if let Some(slot) = slot {
            slot.set(value);
        }
        value
    }
}

/// How far outside the edge the half of the height reached lies, steps.
///
/// A cortex of width 2h, blurred by a Gaussian of deviation sigma, reaches the part
/// r = erf(h / (sigma sqrt 2)) of its full height; half of that is crossed where the normal
/// distribution is r/2. `rise` is the height reached, `slope` the fall per step at the crossing,
/// `inwards` the way from there to the peak, steps.
fn shortfall(rise: f32, slope: f32, inwards: f32) -> f32 {
    if slope <= 0.0 || rise <= 0.0 {
        return 0.0;
    }
    let mut place = 0.0_f32;
    let mut sigma = rise * 0.398_942_3 / slope;
    for _ in 0..2 {
        let half = (inwards + place * sigma).max(0.0);
        let reached = libm::erff(half / (sigma * core::f32::consts::SQRT_2)).max(THINNEST);
        place = quantile(0.5 * reached);
        sigma = rise / reached * 0.398_942_3 * libm::expf(-0.5 * place * place) / slope;
    }
    -place * sigma
}

/// Where the normal distribution is `p`, for 0.3 to 0.5: a series around the middle.
fn quantile(p: f32) -> f32 {
    let x = (p - 0.5) * 2.506_628_3;
    x + x * x * x / 6.0 + 7.0 * x * x * x * x * x / 120.0
}

/// The grey value of what the bone lies in: the mean beyond the blurred edge, up to the next bone.
fn outside(level: f32, at: impl Fn(i32) -> f32) -> f32 {
    let (mut sum, mut count, mut lowest) = (0.0, 0.0_f32, f32::INFINITY);
    for step in 1..=OUTSIDE {
        let value = at(step);
        if step > 2 && value > level {
            break;
        }
        lowest = lowest.min(value);
        if step > BLURRED {
            sum += value;
            count += 1.0;
        }
    }
    if count >= 3.0 { sum / count } else { lowest.min(level) }
}

/// The nearest cortex: the height of its peak, where that is, and where its middle is; steps.
///
/// The middle is half-way between where both flanks are a fifth below the peak: the very highest
/// value is moved about by noise.
fn cortex(soft: f32, at: impl Fn(i32) -> f32) -> Cortex {
    let (mut peak, mut place) = (at(0), 0);
    for step in 1..=INSIDE {
        let value = at(-step);
        if value > peak {
            (peak, place) = (value, -step);
        } else if value < peak - FALL * (peak - soft) {
            break;
        }
    }
    let rim = peak - RIM * (peak - soft);
    let flank = |way: i32| {
        let mut before = peak;
        for step in 1..=INSIDE {
            let now = at(place + way * step);
            if now < rim {
                return step as f32 - 1.0 + (before - rim) / (before - now);
            }
            before = now;
        }
        INSIDE as f32
    };
    let middle = place as f32 + 0.5 * (flank(1) - flank(-1));
    Cortex { peak, place, middle }
}

struct Cortex {
    peak: f32,
    place: i32,
    middle: f32,
}
