//! What is really so in a theatre: for scorers only.

use crate::spine::phantom::Phantom;
use crate::spine::raster::Rod;
use crate::spine::{Bone, Patient};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use telehand_ortho::{Level, ScrewId, SeriesUid};
use telehand_vocab::space::Image;
use telehand_vocab::{Pose, Vec3};

/// A wire or a screw in a vertebra, frame Bone.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlacedScrew {
    /// The vertebra it really is in.
    pub level: Level,
    /// Where it enters the bone.
    #[serde(with = "super::standing::place")]
    pub entry: Vec3,
    /// Its far end.
    #[serde(with = "super::standing::place")]
    pub tip: Vec3,
    /// Metres.
    pub radius: f64,
    /// Between the sleeve's axis and the bone's inward normal, radians.
    pub incidence: f64,
}

/// What is really so.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Wires in bone.
    pub wires: BTreeMap<ScrewId, PlacedScrew>,
    /// Screws in bone.
    pub screws: BTreeMap<ScrewId, PlacedScrew>,
    /// How far the sleeve moved while a wire was in it, metres: anything above the arm's own rest
    /// is a failure of the product.
    pub dragged: f64,
    patient_from_bone: BTreeMap<Level, Pose<Patient, Bone>>,
    image_from_patient: BTreeMap<SeriesUid, Pose<Image, Patient>>,
}

impl Truth {
    pub(super) fn of(phantom: &Phantom) -> Self {
        Self {
            wires: BTreeMap::new(),
            screws: BTreeMap::new(),
            dragged: 0.0,
            patient_from_bone: phantom
                .bones
                .iter()
                .map(|b| (b.level, b.patient_from_bone))
                .collect(),
            image_from_patient: BTreeMap::new(),
        }
    }

    pub(super) fn remember(&mut self, series: &SeriesUid, place: Pose<Image, Patient>) {
        self.image_from_patient.insert(series.clone(), place);
    }

    /// All series that were taken.
    pub(super) fn series(&self) -> impl Iterator<Item = &SeriesUid> {
        self.image_from_patient.keys()
    }

    /// Where a vertebra lay in a series.
    pub fn image_from_bone(&self, series: &SeriesUid, level: Level) -> Option<Pose<Image, Bone>> {
        let image_from_patient = self.image_from_patient.get(series)?;
        self.patient_from_bone.get(&level).map(|bone| *image_from_patient * *bone)
    }

    /// Where a point of the patient lay in a series.
    pub fn in_image(&self, series: &SeriesUid, point: Vec3) -> Option<Vec3> {
        self.image_from_patient.get(series).map(|at| at.point(point))
    }

    /// All metal in the bones, in the image.
    pub(super) fn rods(
        &self,
        phantom: &Phantom,
        image_from_bone: &[Pose<Image, Bone>],
    ) -> Vec<Rod> {
        let place = |screw: &PlacedScrew| {
            let n = phantom.bones.iter().position(|b| b.level == screw.level)?;
            let at = image_from_bone.get(n)?;
            let back = (screw.entry - screw.tip).unit()?;
            // a head, or the end of a wire, stands out of the bone
            let out = if screw.radius > 1.5e-3 { 0.008 } else { 0.080 };
            let from = at.point(screw.entry + back * out);
            Some(Rod { from, to: at.point(screw.tip), radius: screw.radius })
        };
        self.wires.values().chain(self.screws.values()).filter_map(place).collect()
    }
}
