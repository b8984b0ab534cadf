//! Which ball of a scan is which ball of the plate.

use super::balls::Ball;
use super::plate::PlateModel;
use super::rigid::{Fit, NoFit, rigid};
use telehand_vocab::Vec3;
use telehand_vocab::space::{Image, Plate};

/// Two distances belong together when they differ by no more than this, metres: an error of 0.3 mm
/// at each of two balls.
const DISTANCE: f64 = 0.6e-3;

/// A ball further than this from where the plate has it is not that ball, metres.
const NEAR: f64 = 1.0e-3;

/// A ball is rejected when it is further than this (metres) from where the others put it, and also
/// four times further than the others are off.
const REJECT: f64 = 0.3e-3;

/// Two ways to see the plate that move no ball by more than this are one, metres.
const SAME: f64 = 1.0e-3;

/// Balls of a scan that are searched.
const MOST_BALLS: usize = 64;

/// Steps after which a search is given up: a volume full of metal.
const MOST_STEPS: usize = 2_000_000;

/// A plate recognised in a scan.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// For each recognised ball: its number on the plate, where the plate has it (frame Plate,
    /// metres), where it was found (frame Image, metres). In the order of the plate.
    pub pairs: Vec<Pair>,
    /// The motion from the plate to the image, and what is left.
    pub fit: Fit<Image, Plate>,
    /// Balls of the plate: `pairs` are some or all of them.
    pub plate_balls: usize,
    /// Numbers of the plate's balls that were seen near their place, but too far from it.
    pub rejected: Vec<usize>,
}

/// One recognised ball.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Its number on the plate.
    pub ball: usize,
    /// Where the plate has it, frame Plate, metres.
    pub plate: Vec3,
    /// Where it was found, frame Image, metres.
    pub image: Vec3,
}

/// Why no plate was recognised.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NoMatch {
    /// More pieces of metal than can be searched.
    #[error(
        "the scan holds {found} balls or pieces like balls, {limit} can be searched; nothing was \
         registered: take metal out of the field and scan again"
    )]
    TooMany {
        /// Pieces found.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// No subset of the balls has the plate's distances.
    #[error(
        "{recognised} of the plate's {plate} balls were recognised among {found} found, at least \
         {needed} are needed; nothing was registered: bring the whole plate into the scan"
    )]
    TooFew {
        /// The largest subset that fits.
        recognised: usize,
        /// Balls of the plate.
        plate: usize,
        /// Balls found in the scan.
        found: usize,
        /// Balls that make it certain.
        needed: usize,
    },
    /// Two subsets fit equally well.
    #[error(
        "the plate fits the scan in two ways with {recognised} balls each; nothing was registered: \
         remove the second plate or scan again"
    )]
    Ambiguous {
        /// Balls of either way.
        recognised: usize,
    },
    /// The recognised balls give no motion: a mirrored image, for instance.
    #[error(transparent)]
    NoFit(#[from] NoFit),
}

/// Recognises the plate among the balls of a scan by their mutual distances (within 0.6 mm), with
/// balls missing and other balls present. Then every ball of the plate is looked for within 1 mm
/// of its place, and one that stands out by more than 0.3 mm is rejected.
///
/// # Errors
/// No subset of [`PlateModel::needed`] balls and no more than three missing, two ways to see the
/// plate, a mirror image.
pub fn match_plate(plate: &PlateModel, found: &[Ball]) -> Result<Match, NoMatch> {
    let points: Vec<Vec3> = found.iter().map(|b| b.at).filter(|p| p.is_finite()).collect();
    if points.len() > MOST_BALLS {
        return Err(NoMatch::TooMany { found: points.len(), limit: MOST_BALLS });
    }
    let ways = assignments(plate.balls(), &points, plate.needed(), DISTANCE)?;
    let mut settled = Vec::new();
    let mut refusal = None;
    for names in &ways {
        match settle(plate.balls(), &points, pairs_of(plate.balls(), &points, names)) {
            Ok(way) => settled.push(way),
            Err(no) => refusal = Some(no),
        }
    }
    // A thin plate hardly shows in its distances that one ball lies too high: what is left tells.
    let least = settled.iter().map(|(_, fit, _)| fit.fre).fold(f64::INFINITY, f64::min);
    settled.retain(|(_, fit, _)| fit.fre <= 3.0 * least + 5e-5);
    settled.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then(a.1.fre.total_cmp(&b.1.fre)));
    let mut settled = settled.into_iter();
    let Some((pairs, fit, rejected)) = settled.next() else {
        let few = NoMatch::TooFew {
            recognised: 0,
            plate: plate.balls().len(),
            found: points.len(),
            needed: plate.needed(),
        };
        return Err(refusal.unwrap_or(few));
    };
    let elsewhere = |(_, other, _): &Settled| {
        let away = |b: &Vec3| (other.pose.point(*b) - fit.pose.point(*b)).norm();
        plate.balls().iter().any(|b| away(b) > SAME)
    };
    if settled.take_while(|way| way.0.len() >= pairs.len()).any(|way| elsewhere(&way)) {
        return Err(NoMatch::Ambiguous { recognised: pairs.len() });
    }
    Ok(Match { pairs, fit, plate_balls: plate.balls().len(), rejected })
}

fn pairs_of(model: &[Vec3], found: &[Vec3], names: &[(usize, usize)]) -> Vec<Pair> {
    let pair = |(i, j): &(usize, usize)| {
        Some(Pair { ball: *i, plate: *model.get(*i)?, image: *found.get(*j)? })
    };
    names.iter().filter_map(pair).collect()
}

type Settled = (Vec<Pair>, Fit<Image, Plate>, Vec<usize>);

/// From a certain subset to all balls near their place, less those that stand out.
fn settle(model: &[Vec3], found: &[Vec3], mut pairs: Vec<Pair>) -> Result<Settled, NoMatch> {
    let mut fit = fit_of(&pairs)?;
    for _ in 0..3 {
        let near: Vec<Pair> = model
            .iter()
            .enumerate()
            .filter_map(|(ball, plate)| {
                let expected = fit.pose.point(*plate);
                let away = |p: &Vec3| (*p - expected).norm();
                let nearest = found.iter().min_by(|a, b| away(a).total_cmp(&away(b)))?;
                let pair = Pair { ball, plate: *plate, image: *nearest };
                (away(nearest) <= NEAR).then_some(pair)
            })
            .collect();
        if near.len() >= pairs.len() {
            pairs = near;
        }
        fit = fit_of(&pairs)?;
    }
    let mut rejected = Vec::new();
    while let Some(worst) = outlier(&pairs) {
        rejected.push(pairs.remove(worst).ball);
        fit = fit_of(&pairs)?;
    }
    rejected.sort_unstable();
    Ok((pairs, fit, rejected))
}

fn fit_of(pairs: &[Pair]) -> Result<Fit<Image, Plate>, NoFit> {
    let from: Vec<Vec3> = pairs.iter().map(|p| p.plate).collect();
    let to: Vec<Vec3> = pairs.iter().map(|p| p.image).collect();
    rigid(&from, &to)
}

/// The ball without which the others fit best, when it stands out from them.
fn outlier(pairs: &[Pair]) -> Option<usize> {
    if pairs.len() <= 5 {
        return None;
    }
    let without = |i: usize| {
        let mut others = pairs.to_vec();
        let one = others.remove(i);
        let fit = fit_of(&others).ok()?;
        Some((i, fit.fre, (fit.pose.point(one.plate) - one.image).norm()))
    };
    let best = (0..pairs.len()).filter_map(without).min_by(|a, b| a.1.total_cmp(&b.1));
    best.filter(|(_, fre, off)| *off > REJECT && *off > 4.0 * fre).map(|(i, ..)| i)
}

/// The only largest assignment of model points to found points that keeps all distances within
/// `tolerance`: pairs (model, found). See [`assignments`].
pub(crate) fn assign(
    model: &[Vec3],
    found: &[Vec3],
    needed: usize,
    tolerance: f64,
) -> Result<Vec<(usize, usize)>, NoMatch> {
    let mut all = assignments(model, found, needed, tolerance)?.into_iter();
    let best = all.next().unwrap_or_default();
    if all.next().is_some() {
        return Err(NoMatch::Ambiguous { recognised: best.len() });
    }
    Ok(best)
}

/// All largest assignments, up to 256. At most three model points may be missing, and at least
/// `needed` must be there.
fn assignments(
    model: &[Vec3],
    found: &[Vec3],
    needed: usize,
    tolerance: f64,
) -> Result<Vec<Vec<(usize, usize)>>, NoMatch> {
    let needed = needed.max(model.len().saturating_sub(3)).max(3);
    let mut search = Search {
        model: distances(model),
        found: distances(found),
        tolerance,
        needed,
        steps: 0,
        deepest: 0,
        largest: 0,
        best: Vec::new(),
    };
    search.extend(&mut Vec::new(), 0);
    if search.steps >= MOST_STEPS {
        return Err(NoMatch::TooMany { found: found.len(), limit: MOST_BALLS });
    }
    if search.best.is_empty() {
        return Err(NoMatch::TooFew {
            recognised: search.deepest,
            plate: model.len(),
            found: found.len(),
            needed,
        });
    }
    Ok(search.best)
}

fn distances(points: &[Vec3]) -> Vec<Vec<f64>> {
    points.iter().map(|a| points.iter().map(|b| (*a - *b).norm()).collect()).collect()
}

struct Search {
    model: Vec<Vec<f64>>,
    found: Vec<Vec<f64>>,
    tolerance: f64,
    needed: usize,
    steps: usize,
    deepest: usize,
    largest: usize,
    /// All assignments of the largest size.
    best: Vec<Vec<(usize, usize)>>,
}

impl Search {
    /// Names model point `next` or leaves it out, then goes on.
    fn extend(&mut self, pairs: &mut Vec<(usize, usize)>, next: usize) {
        self.steps += 1;
        let reachable = pairs.len() + self.model.len() - next;
        if self.steps >= MOST_STEPS || reachable < self.needed.max(self.largest) {
            return;
        }
        self.deepest = self.deepest.max(pairs.len());
        if next == self.model.len() {
            self.keep(pairs);
            return;
        }
        for j in 0..self.found.len() {
            if self.fits(pairs, next, j) {
                pairs.push((next, j));
                self.extend(pairs, next + 1);
                pairs.pop();
            }
        }
        self.extend(pairs, next + 1);
    }

    fn fits(&self, pairs: &[(usize, usize)], i: usize, j: usize) -> bool {
        let far = |table: &[Vec<f64>], a: usize, b: usize| {
            table.get(a).and_then(|row| row.get(b)).copied().unwrap_or(f64::NAN)
        };
        pairs.iter().all(|(a, b)| {
            let apart = (far(&self.model, i, *a) - far(&self.found, j, *b)).abs();
            *b != j && apart <= self.tolerance
        })
    }

    fn keep(&mut self, pairs: &[(usize, usize)]) {
        if pairs.len() > self.largest {
            self.largest = pairs.len();
            self.best.clear();
        }
        if self.best.len() < 256 {
            self.best.push(pairs.to_vec());
        }
    }
}
