//! Scans of a theatre.

use super::Theatre;
use crate::spine::raster::Scene;
use crate::spine::scanner::{Breath, Scan, scan};
use crate::spine::{Bone, MM};
use telehand_ortho::SeriesUid;
use telehand_ortho::register::PlateModel;
use telehand_vocab::space::Image;
use telehand_vocab::{Pose, Vec3};

impl Theatre {
    /// Takes a series: the patient, the plate if it lies there, wires and screws.
    pub fn scan(&mut self) -> Scan {
        let image_from_patient = self.patient_from_image.inverse();
        let image_from_bone: Vec<Pose<Image, Bone>> =
            self.phantom.bones.iter().map(|b| image_from_patient * b.patient_from_bone).collect();
        let image_from_plate = self.plate_on.then(|| image_from_patient * self.patient_from_plate);
        let balls = image_from_plate.map_or_else(Vec::new, |plate| {
            PlateModel::demo().balls().iter().map(|b| plate.point(*b)).collect()
        });
        let rods = self.truth.rods(&self.phantom, &image_from_bone);
        let wire = self.wire_in_image(&image_from_bone);
        let scene = Scene {
            phantom: &self.phantom,
            image_from_patient,
            image_from_bone,
            image_from_plate,
            balls,
            rods: rods.into_iter().chain(wire).collect(),
        };
        let protocol = self.setup.protocol.long_enough(self.chain_length());
        let middle = image_from_patient.point(Vec3::new(0.0, self.skin_middle(), 0.0));
        let breath =
            (!self.apnoea).then_some(Breath { amplitude: self.setup.breathing, slices: 22.0 });
        let names = (self.setup.seed, self.scans);
        let scan = scan(&scene, &protocol, middle, breath, &self.person, names);
        self.scans += 1;
        self.truth.remember(&scan.volume.series, image_from_patient);
        scan
    }

    /// Where the plate's balls truly lay in a series, if it lay there as it lies now.
    pub fn balls(&self, series: &SeriesUid) -> Vec<Vec3> {
        let demo = PlateModel::demo();
        let balls = demo.balls().iter().filter(|_| self.plate_on);
        balls
            .filter_map(|b| self.truth.in_image(series, self.patient_from_plate.point(*b)))
            .collect()
    }

    /// From the lowest to the highest bone, with 20 mm to spare.
    fn chain_length(&self) -> f64 {
        let z = |b: &crate::spine::phantom::Placed| b.patient_from_bone.translation.z;
        let high = self.phantom.bones.iter().map(z).fold(0.0, f64::max);
        let low = self.phantom.bones.iter().map(z).fold(0.0, f64::min);
        high - low + 40.0 * MM
    }

    /// The middle of the field of a scan: from in front of the bodies to behind the plate.
    fn skin_middle(&self) -> f64 {
        0.5 * self.phantom.skin_back
    }
}
