//! What stays as it is when the computers of a theatre start again: the patient with what is in the
//! bones, where the robot stands, what is clamped where.
//!
//! Everything else of a theatre follows from its [`Setup`]; noise goes on with a stream of its own
//! for every start.

use super::{PlacedScrew, Setup, Theatre, Wire};
use crate::random::Random;
use crate::spine::drill::Path;
use crate::spine::tracker::Camera;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use telehand_ortho::{ScrewId, SeriesUid};
use telehand_vocab::{Pose, Quat, Vec3};

/// A theatre as it stands, to be written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    joints: [f64; 6],
    apnoea: bool,
    plate_on: bool,
    bone_from_reference: Place,
    patient_from_plate: Place,
    /// Bone, depth and line of a wire in the sleeve.
    wire: Option<Drilled>,
    scans: u64,
    series: Vec<SeriesUid>,
    wires: BTreeMap<ScrewId, PlacedScrew>,
    screws: BTreeMap<ScrewId, PlacedScrew>,
    dragged: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Drilled {
    bone: usize,
    depth: f64,
    #[serde(with = "place")]
    entry: Vec3,
    #[serde(with = "place")]
    direction: Vec3,
    incidence: f64,
    from_mouth: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Place {
    #[serde(with = "place")]
    turn: Vec3,
    #[serde(with = "place")]
    at: Vec3,
}

impl Place {
    fn of<A, B>(pose: &Pose<A, B>) -> Self {
        Self { turn: pose.rotation.rotation_vector(), at: pose.translation }
    }

    fn pose<A, B>(self) -> Pose<A, B> {
        Pose::new(Quat::from_rotation_vector(self.turn), self.at)
    }
}

/// Three numbers in metres.
pub(super) mod place {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use telehand_vocab::Vec3;

    pub fn serialize<S: Serializer>(v: &Vec3, to: S) -> Result<S::Ok, S::Error> {
        v.to_array().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec3, D::Error> {
        <[f64; 3]>::deserialize(from).map(Vec3::from_array)
    }
}

impl Theatre {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        Standing {
            joints: self.arm.joints(),
            apnoea: self.apnoea,
            plate_on: self.plate_on,
            bone_from_reference: Place::of(&self.bone_from_reference),
            patient_from_plate: Place::of(&self.patient_from_plate),
            wire: self.wire.map(|Wire { bone, path, depth }| Drilled {
                bone,
                depth,
                entry: path.entry,
                direction: path.direction,
                incidence: path.incidence,
                from_mouth: path.from_mouth,
            }),
            scans: self.scans,
            series: self.truth.series().cloned().collect(),
            wires: self.truth.wires.clone(),
            screws: self.truth.screws.clone(),
            dragged: self.truth.dragged,
        }
    }

    /// The theatre of `setup` as it stood when its computers were started for the `starts`th time:
    /// the same patient, the robot braked where it was.
    pub fn resume(setup: &Setup, standing: &Standing, starts: u32) -> Self {
        let mut new = Self::new(setup);
        let mut random = Random::stream(setup.seed, &format!("theatre, start {starts}"));
        new.camera = Camera::new(&setup.regime, random.next_u64());
        new.random = random;
        new.arm.stand(standing.joints);
        (new.apnoea, new.plate_on) = (standing.apnoea, standing.plate_on);
        new.bone_from_reference = standing.bone_from_reference.pose();
        new.patient_from_plate = standing.patient_from_plate.pose();
        new.wire = standing.wire.map(|wire| {
            let Drilled { bone, depth, entry, direction, incidence, from_mouth } = wire;
            Wire { bone, depth, path: Path { entry, direction, incidence, from_mouth } }
        });
        new.scans = standing.scans;
        let image_from_patient = new.patient_from_image.inverse();
        for series in &standing.series {
            new.truth.remember(series, image_from_patient);
        }
        new.truth.wires.clone_from(&standing.wires);
        new.truth.screws.clone_from(&standing.screws);
        new.truth.dragged = standing.dragged;
        // what a wire presses on stays pressed
        let _ = new.advance(0.0);
        new
    }
}
