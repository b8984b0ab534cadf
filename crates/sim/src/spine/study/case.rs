//! One case: a registration and its screws.

use super::plan::{Case, Planned};
use super::{Outcome, Regime};
use crate::random::Random;
use crate::spine::drill::Path;
use crate::spine::robot::{near_nothing, sleeve_along};
use crate::spine::scorer::score;
use crate::spine::theatre::PlacedScrew;
use crate::spine::theatre::room::{patient_place, reference_place, tracker_place};
use crate::spine::tracker::{Body, measured};
use crate::spine::{Bone, MM};
use telehand_ortho::register::{Match, Pair, PlateModel, ReferenceId, Registration, rigid};
use telehand_ortho::track::{LEAST_FRAMES, average};
use telehand_vocab::space::{Guide, Image, Plate, Reference, Tracker};
use telehand_vocab::{Pose, Vec3};

/// From the mouth of the sleeve to the planned entry.
const STAND_OFF: f64 = 30.0 * MM;

/// The product grades every screw with less true wall left than this, metres,
const NEAR_WALL: f64 = 0.3 * MM;
/// and one in so many of the others: both graders take longer than all the rest.
const SAMPLED: u64 = 20;

/// What is true in a case and what its instruments do.
struct Site<'a> {
    case: &'a Case,
    regime: &'a Regime,
    image_from_plate: Pose<Image, Plate>,
    tracker_from_plate: Pose<Tracker, Plate>,
    tracker_from_reference: Pose<Tracker, Reference>,
    /// The sleeve against its markers: what the pivot calibration got wrong.
    marker_error: Pose<Guide, Guide>,
}

/// Registers and places every planned screw once.
pub(super) fn operate(case: &Case, regime: &Regime, random: &mut Random) -> Vec<Outcome> {
    let tracker_from_patient = tracker_place().inverse() * patient_place(&case.phantom);
    let patient_from_plate = case.phantom.patient_from_plate();
    let site = Site {
        case,
        regime,
        image_from_plate: case.image_from_patient * patient_from_plate,
        tracker_from_plate: tracker_from_patient * patient_from_plate,
        tracker_from_reference: tracker_from_patient * reference_place(&case.phantom),
        marker_error: near_nothing(regime.calibration, 0.15, random),
    };
    let Some(registration) = site.registered(random) else { return Vec::new() };
    case.plans.iter().filter_map(|plan| site.place(plan, &registration, random)).collect()
}

impl Site<'_> {
    /// The product's registration from balls and frames with the regime's errors.
    fn registered(&self, random: &mut Random) -> Option<Registration> {
        let each = self.regime.fle / libm::sqrt(3.0);
        let plate = PlateModel::demo();
        let pairs: Vec<Pair> = plate
            .balls()
            .iter()
            .enumerate()
            .map(|(ball, at)| {
                let mut off = || each * random.normal();
                let off = Vec3::new(off(), off(), off());
                Pair { ball, plate: *at, image: self.image_from_plate.point(*at) + off }
            })
            .collect();
        let from: Vec<Vec3> = pairs.iter().map(|p| p.plate).collect();
        let to: Vec<Vec3> = pairs.iter().map(|p| p.image).collect();
        let fit = rigid::<Image, Plate>(&from, &to).ok()?;
        let plate_balls = pairs.len();
        let found = Match { pairs, fit, plate_balls, rejected: Vec::new() };
        let seen = self.averaged(random, |random| {
            let reference = self.seen(&self.tracker_from_reference, Body::Reference, random)?;
            let plate = self.seen(&self.tracker_from_plate, Body::Plate, random)?;
            Some(reference.inverse() * plate)
        })?;
        let reference = ReferenceId { body: "reference".to_owned(), fixation: 1 };
        Registration::new(self.case.series.clone(), &self.case.grid, reference, seen, &found).ok()
    }

    /// Brings the sleeve, drills the wire, lays the screw over it.
    fn place(
        &self,
        plan: &Planned,
        registration: &Registration,
        random: &mut Random,
    ) -> Option<Outcome> {
        let screw = plan.screw;
        let direction = screw.direction()?;
        let level = screw.id.level;
        let placed = self.case.phantom.bone(level)?;
        let reference_from_guide = self.brought(registration, &screw, direction, random)?;
        let image_from_reference =
            self.image_from_plate * self.tracker_from_plate.inverse() * self.tracker_from_reference;
        let image_from_bone = self.case.image_from_patient * placed.patient_from_bone;
        let bone_from_guide: Pose<Bone, Guide> =
            image_from_bone.inverse() * image_from_reference * reference_from_guide;
        let along = bone_from_guide.rotation.rotate(Vec3::new(0.0, 0.0, 1.0));
        let mouth = bone_from_guide.translation;
        let path = Path::drilled(&placed.bone, mouth, along, self.regime.skive, random);
        let mut outcome = Outcome {
            planned: screw,
            case: (0, 0),
            margin: plan.margin,
            predicted: registration.tre_at((screw.entry + screw.tip) * 0.5),
            score: None,
            incidence: path.map_or(0.0, |p| p.incidence),
            graded: None,
        };
        let Some(path) = path else { return Some(outcome) };
        let in_bone = PlacedScrew {
            level,
            entry: path.entry,
            tip: path.at(screw.length()),
            radius: 0.5 * screw.diameter,
            incidence: path.incidence,
        };
        outcome.score = score(&self.case.phantom, &screw, &in_bone, &image_from_bone);
        let wall = outcome.score.and_then(|s| s.protrusion).map_or(0.0, |p| -p.metres);
        if wall < NEAR_WALL || random.below(SAMPLED) == 0 {
            outcome.graded =
                Some(super::plan::graded(self.case, &screw, &in_bone, &image_from_bone, random));
        }
        Some(outcome)
    }

    /// Where the sleeve comes to stand on the reference when the product has brought it to where
    /// the tracker, so it says, sees it on the plan.
    fn brought(
        &self,
        registration: &Registration,
        screw: &telehand_ortho::Screw,
        direction: Vec3,
        random: &mut Random,
    ) -> Option<Pose<Reference, Guide>> {
        let mouth = screw.entry - direction * STAND_OFF;
        // the robot stands to the patient's left
        let image_from_guide: Pose<Image, Guide> =
            sleeve_along(mouth, direction, mouth + Vec3::new(1.0, 0.0, 0.0))?;
        let wanted = registration.image_from_reference().inverse() * image_from_guide;
        let tracker_from_guide = self.tracker_from_reference * wanted;
        let seen = self.averaged(random, |random| {
            let reference = self.seen(&self.tracker_from_reference, Body::Reference, random)?;
            let guide = self.seen(&tracker_from_guide, Body::Guide, random)?;
            Some(reference.inverse() * guide)
        })?;
        // the loop closes on what is seen: the markers stand where their noise makes them look right
        let noise: Pose<Guide, Guide> = wanted.inverse() * seen;
        let robot: Pose<Guide, Guide> = near_nothing(self.regime.robot, 0.5, random);
        Some(wanted * noise.inverse() * robot * self.marker_error.inverse())
    }

    fn seen<B>(
        &self,
        at: &Pose<Tracker, B>,
        body: Body,
        random: &mut Random,
    ) -> Option<Pose<Tracker, B>> {
        let noise = [self.regime.in_plane, self.regime.in_plane, self.regime.depth];
        measured(at, body, noise, random)
    }

    /// The product's mean over the regime's frames; fewer than it averages are used one at a time.
    fn averaged<A, B>(
        &self,
        random: &mut Random,
        mut frame: impl FnMut(&mut Random) -> Option<Pose<A, B>>,
    ) -> Option<Pose<A, B>> {
        let frames: Vec<Pose<A, B>> =
            (0..self.regime.frames).filter_map(|_| frame(random)).collect();
        if frames.len() >= LEAST_FRAMES {
            return average(&frames).ok().map(|rest| rest.pose);
        }
        frames.last().copied()
    }
}
