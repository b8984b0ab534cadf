//! Which ball of a scan is which ball of the plate.

use super::balls::Ball;
use super::plate::PlateModel;
use super::rigid::{Fit, NoFit, rigid, rms};
use telehand_vocab::Vec3;
use telehand_vocab::space::{Image, Plate};

/// Two distances belong together when they differ by no more than this, metres: an error of 0.3 mm
/// at each of two balls.
const DISTANCE: f64 = 0.6e-3;

/// A ball further than this from where the plate has it is not that ball, metres.
const NEAR: f64 = 1.0e-3;

/// A ball is rejected when it is further off than this (metres) and also three times further than
/// the other balls are.
const REJECT: f64 = 0.3e-3;

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
    let names = assign(plate.balls(), &points, plate.needed(), DISTANCE)?;
    let start: Vec<Pair> = pairs_of(plate.balls(), &points, &names);
    let (pairs, fit, rejected) = settle(plate.balls(), &points, start)?;
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
    while let Some(worst) = outlier(&fit.residuals).filter(|_| pairs.len() > 4) {
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

/// The place of the largest residual when it stands out from the others.
fn outlier(residuals: &[f64]) -> Option<usize> {
    let (at, worst) = residuals.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
    let others: Vec<f64> =
        residuals.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, r)| *r).collect();
    (*worst > REJECT && *worst > 3.0 * rms(&others)).then_some(at)
}

/// The largest assignment of model points to found points that keeps all distances within
/// `tolerance`: pairs (model, found). At most three model points may be missing, and at least
/// `needed` must be there.
pub(crate) fn assign(
    model: &[Vec3],
    found: &[Vec3],
    needed: usize,
    tolerance: f64,
) -> Result<Vec<(usize, usize)>, NoMatch> {
    let needed = needed.max(model.len().saturating_sub(3)).max(3);
    let mut search = Search {
        model: distances(model),
        found: distances(found),
        tolerance,
        needed,
        steps: 0,
        deepest: 0,
        best: Vec::new(),
        rivals: Vec::new(),
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
    search.judge()
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
    best: Vec<(usize, usize)>,
    /// Other assignments that were as large as the best when they were met.
    rivals: Vec<Vec<(usize, usize)>>,
}

impl Search {
    /// Names model point `next` or leaves it out, then goes on.
    fn extend(&mut self, pairs: &mut Vec<(usize, usize)>, next: usize) {
        self.steps += 1;
        let reachable = pairs.len() + self.model.len() - next;
        if self.steps >= MOST_STEPS || reachable < self.needed.max(self.best.len()) {
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
        if pairs.len() > self.best.len() {
            self.rivals.clear();
            self.best = pairs.to_vec();
        } else if self.rivals.len() < 256 {
            self.rivals.push(pairs.to_vec());
        }
    }

    /// The best one, unless a rival of its size names more than one ball otherwise.
    fn judge(self) -> Result<Vec<(usize, usize)>, NoMatch> {
        let other = |rival: &Vec<(usize, usize)>| {
            rival.iter().filter(|pair| !self.best.contains(pair)).count() > 1
        };
        if self.rivals.iter().any(other) {
            return Err(NoMatch::Ambiguous { recognised: self.best.len() });
        }
        Ok(self.best)
    }
}
