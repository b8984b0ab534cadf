//! The patients of a study and the product's plans for them.

use crate::random::Random;
use crate::spine::phantom::{Phantom, Spec};
use crate::spine::raster::{Scene, rasterise};
use crate::spine::scanner::{Protocol, uid};
use crate::spine::study::Graded;
use crate::spine::theatre::PlacedScrew;
use crate::spine::theatre::room::image_place;
use crate::spine::{Bone, MM, Patient};
use telehand_ortho::distance::Field;
use telehand_ortho::grade::judge;
use telehand_ortho::plan::{Landmarks, Library, Vertebra};
use telehand_ortho::suggest::from_landmarks;
use telehand_ortho::surface::{Mesh, of_field};
use telehand_ortho::{Level, Screw, ScrewId, SeriesUid, Side, Volume};
use telehand_vocab::space::Image;
use telehand_vocab::{Pose, Vec3};

/// Three vertebrae with their scan, and the screws planned on it.
#[derive(Debug, Clone)]
pub struct Case {
    pub(super) phantom: Phantom,
    pub(super) image_from_patient: Pose<Image, Patient>,
    pub(super) series: SeriesUid,
    pub(super) grid: telehand_ortho::Grid,
    pub(super) plans: Vec<Planned>,
    pub(super) bones: Vec<Known>,
}

/// What the product knows of one vertebra.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) level: Level,
    pub(super) vertebra: Vertebra,
    pub(super) field: Field,
    pub(super) mesh: Mesh,
}

/// One screw as the product planned it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Planned {
    pub(super) screw: Screw,
    pub(super) margin: f64,
}

/// The patients of a study. Making them is the expensive part; one set serves every regime with
/// the same scan protocol.
#[derive(Debug, Clone)]
pub struct Patients {
    pub(super) cases: Vec<Case>,
    pub(super) persons: usize,
    pub(super) refused: usize,
    pub(super) narrow: usize,
    pub(super) wall: f64,
}

/// The wall that the invented surgeon keeps around a screw, metres: a proposal that keeps less is
/// replaced by the thickest screw of the library that keeps it, and a pedicle too narrow for the
/// thinnest one is passed over. Our own choice: twice the lateral error (standard deviation of one
/// direction) of the typical regime.
pub const WALL: f64 = 1.5 * MM;

/// The three stretches of a spine from T9 to L5 that are operated on in one case each.
const STRETCHES: [(Level, Level); 3] =
    [(Level::T9, Level::T11), (Level::T12, Level::L2), (Level::L3, Level::L5)];

impl Patients {
    /// Invents `persons` patients, T9 to L5 in three cases each, scans them and lets the product
    /// plan both pedicles of every vertebra from clicks that are 0.5 mm off (RMS).
    /// `wall` is what the surgeon keeps around a screw, see [`WALL`]; 0 takes the proposals as
    /// they are.
    pub fn invented(persons: usize, protocol: &Protocol, wall: f64, seed: u64) -> Self {
        let mut all = Self { cases: Vec::new(), persons, refused: 0, narrow: 0, wall };
        for person in 0..persons {
            let mut random = Random::stream(seed, &format!("patient {person}"));
            for (from, to) in STRETCHES {
                let seed = random.next_u64();
                let spec = Spec { from, to, seed, vary: true, osteoporosis: 0.0 };
                all.add(&spec, protocol, &mut random);
            }
        }
        all
    }

    /// One case only, for short tests.
    pub fn one(spec: &Spec, protocol: &Protocol) -> Self {
        let mut all = Self { cases: Vec::new(), persons: 1, refused: 0, narrow: 0, wall: WALL };
        all.add(spec, protocol, &mut Random::stream(spec.seed, "patient"));
        all
    }

    /// How many different screws are planned.
    pub fn screws(&self) -> usize {
        self.cases.iter().map(|c| c.plans.len()).sum()
    }

    /// Pedicles for which the product proposed no screw.
    pub const fn refused(&self) -> usize {
        self.refused
    }

    /// Pedicles too narrow for the surgeon's wall.
    pub const fn narrow(&self) -> usize {
        self.narrow
    }

    fn add(&mut self, spec: &Spec, protocol: &Protocol, random: &mut Random) {
        let phantom = Phantom::new(spec);
        let image_from_patient = image_place(random);
        let volume = scanned(&phantom, image_from_patient, protocol, random);
        let mut case = Case {
            image_from_patient,
            series: volume.series.clone(),
            grid: volume.grid,
            plans: Vec::new(),
            bones: Vec::new(),
            phantom,
        };
        for placed in &case.phantom.bones {
            let at = image_from_patient * placed.patient_from_bone;
            let clicks = clicks(placed, &at, random);
            let Ok(suggestion) = from_landmarks(&volume, placed.level, &clicks) else {
                self.refused += 2;
                continue;
            };
            for side in [Side::Left, Side::Right] {
                match suggestion.side(side) {
                    Ok(proposal) => {
                        let id = ScrewId { level: placed.level, side };
                        let screw = Screw { id, ..proposal.screw };
                        let plan = Planned { screw, margin: proposal.margin.metres };
                        match thinner(plan, self.wall) {
                            Some(plan) => case.plans.push(plan),
                            None => self.narrow += 1,
                        }
                    }
                    Err(_) => self.refused += 1,
                }
            }
            let (vertebra, field) = (suggestion.vertebra, suggestion.bone);
            let mesh = of_field(&field, 1);
            case.bones.push(Known { level: placed.level, vertebra, field, mesh });
        }
        self.cases.push(case);
    }
}

/// The same way with a thinner screw, if that is what the wall takes; `None` when no screw of the
/// library keeps it.
fn thinner(plan: Planned, wall: f64) -> Option<Planned> {
    let Planned { mut screw, margin } = plan;
    if wall <= 0.0 {
        return Some(plan);
    }
    let room = margin + 0.5 * screw.diameter;
    // a nanometre more, so that 1.5 mm keeps 1.5 mm
    let wanted = Library::STANDARD.thickest_within(2.0 * (room - wall) + 1e-9)?;
    screw.diameter = screw.diameter.min(wanted);
    Some(Planned { screw, margin: room - 0.5 * screw.diameter })
}

/// The scan a plan is made on: three vertebrae without plate.
pub(super) fn scanned(
    phantom: &Phantom,
    image_from_patient: Pose<Image, Patient>,
    protocol: &Protocol,
    random: &mut Random,
) -> Volume {
    let [_, _, dk] = protocol.spacing;
    let size = |length: f64, d: f64| libm::ceil(length / d) as usize;
    let z = |b: &crate::spine::phantom::Placed| b.patient_from_bone.translation.z;
    let high = phantom.bones.iter().map(z).fold(0.0, f64::max);
    let low = phantom.bones.iter().map(z).fold(0.0, f64::min);
    let [di, dj, _] = protocol.spacing;
    let sized = Protocol {
        size: [size(0.096, di), size(0.100, dj), size(high - low + 0.050, dk)],
        ..*protocol
    };
    let middle = image_from_patient.point(Vec3::new(0.0, 0.020, 0.5 * (high + low)));
    let grid = sized.grid(middle);
    let scene = Scene {
        phantom,
        image_from_patient,
        image_from_bone: phantom
            .bones
            .iter()
            .map(|b| image_from_patient * b.patient_from_bone)
            .collect(),
        image_from_plate: None,
        balls: Vec::new(),
        rods: Vec::new(),
    };
    let hu = rasterise(&scene, &grid, &protocol.quality, &[], random.next_u64());
    let series = SeriesUid::new(&uid(random)).unwrap_or_else(|e| unreachable!("{e}"));
    Volume { series, grid, hu }
}

/// What a person would click: near the right points.
fn clicks(
    placed: &crate::spine::phantom::Placed,
    at: &Pose<Image, Bone>,
    random: &mut Random,
) -> Landmarks {
    let [left, right] = [Side::Left, Side::Right].map(|side| placed.bone.pedicle(side).isthmus);
    let front = Vec3::new(0.0, -0.5 * placed.bone.shape().body_depth, left.z);
    let mut near = |p: Vec3| {
        let mut off = || 0.5 * MM / libm::sqrt(3.0) * random.normal();
        at.point(p + Vec3::new(off(), off(), off()))
    };
    Landmarks { anterior: near(front), left_isthmus: near(left), right_isthmus: near(right) }
}

/// The product's judgement of a placed screw, whose axis it measures in a control scan with an
/// error of 0.1 mm at either end (RMS): both graders and what they flag.
pub(super) fn graded(
    case: &Case,
    planned: &Screw,
    placed: &PlacedScrew,
    image_from_bone: &Pose<Image, Bone>,
    random: &mut Random,
) -> Graded {
    let Some(known) = case.bones.iter().find(|k| k.level == planned.id.level) else {
        return Graded { breach: 0.0, grade: None, flagged: true };
    };
    let mut off = || 0.1 * MM / libm::sqrt(3.0) * random.normal();
    let mut seen = |p: Vec3| image_from_bone.point(p) + Vec3::new(off(), off(), off());
    let screw = Screw { entry: seen(placed.entry), tip: seen(placed.tip), ..*planned };
    let verdict = judge(&screw, &known.vertebra, &known.field, &known.mesh);
    let breaches = [&verdict.first, &verdict.second].map(|b| b.as_ref().ok().map(|b| b.metres));
    Graded {
        breach: breaches.into_iter().flatten().fold(0.0, f64::max),
        grade: verdict.grade(),
        flagged: verdict.flagged,
    }
}
