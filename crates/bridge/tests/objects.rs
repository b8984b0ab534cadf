//! Registrations, fiducials and reports: written, read back, and left for a foreign validator.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{Random, changed, files, folder, oblique, origin, put};
use dicom_core::VR;
use dicom_dictionary_std::tags;
use telehand_bridge::dicom::{
    Made, Origin, PlanReport, Refused, ReportedApproval, ReportedResult, ReportedScrew,
    SpatialFiducials, SpatialRegistration, encode_fiducials, encode_plan, encode_registration,
    read_fiducials, read_instance, read_plan, read_registration,
};
use telehand_ortho::{PlanHash, RegistrationId, Screw, SeriesUid};
use telehand_vocab::Vec3;
use telehand_vocab::space::{Plate, Pose, Quat};

/// What an object that is no image says of its origin.
fn told() -> Origin {
    let manufacturer = "telehand SIMULATED".into();
    Origin { description: String::new(), manufacturer, ..origin() }
}

fn made() -> Made {
    Made {
        date: "20260102".into(),
        time: "101112".into(),
        version: "0.1.0".into(),
        simulated: true,
    }
}

fn registration() -> SpatialRegistration<Plate> {
    let rotation = Quat::from_rotation_vector(Vec3::new(0.3, -1.1, 2.0));
    SpatialRegistration {
        origin: told(),
        made: made(),
        image_frame: common::FRAME.into(),
        other_frame: "2.25.1002".into(),
        label: "plate".into(),
        image_from_other: Pose::new(rotation, Vec3::new(0.012_345_678_9, -0.1, 0.7)),
    }
}

fn fiducials() -> SpatialFiducials {
    let at = |k: u32| Vec3::new(0.01 * f64::from(k), -0.123_456_789, 1e-6 * f64::from(k));
    let points = (0..10).map(|k| (format!("BALL {k}"), at(k))).collect();
    let frame_of_reference = common::FRAME.into();
    SpatialFiducials { origin: told(), made: made(), frame_of_reference, points }
}

fn plan() -> PlanReport {
    let entry = Vec3::new(0.0123, 0.0456, -0.7);
    let tip = Vec3::new(0.0023, 0.0056, -0.71);
    let screw = |id: &str| Screw { id: id.parse().unwrap(), entry, tip, diameter: 6.5e-3 };
    let result = ReportedResult {
        entry_lateral: 0.4e-3,
        target_lateral: 1.0e-3,
        angle: 0.02,
        depth: Some(-1e-3),
        breach: 0.3e-3,
        breach_uncertainty: 0.25e-3,
        grade: 'B',
        second_grade: Some('A'),
        flagged: true,
    };
    let planned = ReportedScrew {
        screw: screw("L3L"),
        margin: Some(1.2e-3),
        margin_uncertainty: Some(0.4e-3),
        tre: Some(0.5e-3),
        result: None,
    };
    let placed = ReportedScrew { screw: screw("L3R"), result: Some(result), ..planned.clone() };
    PlanReport {
        origin: told(),
        made: made(),
        series: SeriesUid::new("2.25.7").unwrap(),
        frame_of_reference: common::FRAME.into(),
        version: 12,
        hash: PlanHash::of(b"plan"),
        registration: Some(RegistrationId::of(b"registration")),
        approvals: vec![
            ReportedApproval {
                role: "remote".into(),
                by: "Dr. 田".into(),
                at: "20260102101112".into(),
            },
            ReportedApproval {
                role: "local".into(),
                by: String::new(),
                at: "20260102101113".into(),
            },
        ],
        screws: vec![planned, placed],
    }
}

/// Everything this room writes lies here for `tests/python/dicom_validate.py`.
#[test]
fn one_object_of_every_kind_is_left_for_the_validator() {
    let dir = folder("dicom-objects");
    let mut all = vec![files(&oblique()).remove(0)];
    let mut padded = oblique();
    padded.hu[3] = telehand_ortho::Volume::PADDING;
    let mut slice = files(&padded).remove(0);
    slice.name = "padded.dcm".into();
    all.push(slice);
    all.push(encode_registration(&registration()).unwrap());
    all.push(encode_fiducials(&fiducials()).unwrap());
    all.push(encode_plan(&plan()).unwrap());
    for file in &all {
        std::fs::write(dir.join(&file.name), &file.bytes).unwrap();
    }
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 5);
}

#[test]
fn a_registration_survives_its_object() {
    let written = registration();
    let read = read_registration(&encode_registration(&written).unwrap().bytes).unwrap();
    for point in [Vec3::ZERO, Vec3::new(0.1, 0.2, 0.3)] {
        let off = written.image_from_other.point(point) - read.image_from_other.point(point);
        assert!(off.norm() < 1e-11, "{} m", off.norm());
    }
    let read = SpatialRegistration { image_from_other: written.image_from_other, ..read };
    assert_eq!(read, written);
}

#[test]
fn a_reflected_matrix_is_refused() {
    let file = encode_registration(&registration()).unwrap();
    let mirrored = changed(&file.bytes, |object| {
        let mut sequence = object.take_element(tags::REGISTRATION_SEQUENCE).unwrap();
        let items = sequence.items_mut().unwrap();
        let matrix = "1\\0\\0\\0\\0\\1\\0\\0\\0\\0\\-1\\0\\0\\0\\0\\1";
        items[1]
            .update_value_at(
                (
                    tags::MATRIX_REGISTRATION_SEQUENCE,
                    0,
                    tags::MATRIX_SEQUENCE,
                    0,
                    tags::FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX,
                ),
                |value| *value = dicom_core::value::Value::from(matrix),
            )
            .unwrap();
        object.put(sequence);
    });
    let refused = read_registration::<Plate>(&mirrored).unwrap_err();
    assert!(matches!(refused, Refused::Value { .. }), "{refused}");
}

#[test]
fn fiducials_survive_their_object() {
    let written = fiducials();
    let read = read_fiducials(&encode_fiducials(&written).unwrap().bytes).unwrap();
    assert_eq!(read.points.len(), 10);
    for ((name, at), (read_name, read_at)) in written.points.iter().zip(&read.points) {
        assert_eq!(name, read_name);
        assert!((*at - *read_at).norm() < 1e-11);
    }
    let mut long = written;
    long.points[0].0 = "a name of more than sixteen".into();
    assert!(encode_fiducials(&long).is_err());
}

#[test]
fn a_plan_survives_its_report() {
    let written = plan();
    let read = read_plan(&encode_plan(&written).unwrap().bytes).unwrap();
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} and {b}");
    assert_eq!(
        (read.version, read.hash, read.registration, &read.series),
        (12, written.hash, written.registration, &written.series)
    );
    assert_eq!((&read.approvals, &read.origin), (&written.approvals, &written.origin));
    assert_eq!((&read.made, read.screws.len()), (&written.made, 2));
    for (read, written) in read.screws.iter().zip(&written.screws) {
        assert_eq!(read.screw.id, written.screw.id);
        assert!((read.screw.entry - written.screw.entry).norm() < 1e-7, "32-bit floats");
        assert!((read.screw.tip - written.screw.tip).norm() < 1e-7);
        close(read.screw.diameter, written.screw.diameter);
        close(read.margin.unwrap(), written.margin.unwrap());
        close(read.tre.unwrap(), written.tre.unwrap());
    }
    assert_eq!(read.screws[0].result, None);
    let (result, wanted) =
        (read.screws[1].result.as_ref().unwrap(), written.screws[1].result.as_ref().unwrap());
    close(result.angle, wanted.angle);
    close(result.depth.unwrap(), wanted.depth.unwrap());
    close(result.breach, wanted.breach);
    assert_eq!((result.grade, result.second_grade, result.flagged), ('B', Some('A'), true));
}

#[test]
fn an_object_of_another_kind_is_refused() {
    let plan = encode_plan(&plan()).unwrap().bytes;
    let slice = files(&oblique()).remove(0).bytes;
    assert!(read_plan(&slice).is_err());
    assert!(read_fiducials(&plan).is_err());
    assert!(read_registration::<Plate>(&plan).is_err());
    assert!(read_instance(&plan).is_err());
    let unnamed = changed(&plan, |object| {
        put(object, tags::SOP_CLASS_UID, VR::UI, "");
        object.update_meta(|meta| meta.media_storage_sop_class_uid = String::new());
    });
    assert_eq!(read_plan(&unnamed), Err(Refused::EmptySopClass));
}

#[test]
fn changed_objects_never_panic() {
    let originals = [
        encode_plan(&plan()).unwrap().bytes,
        encode_registration(&registration()).unwrap().bytes,
        encode_fiducials(&fiducials()).unwrap().bytes,
    ];
    let mut random = Random::new(7);
    let mut refused = 0;
    for round in 0..3_000 {
        let mut bytes = originals[round % 3].clone();
        for _ in 0..=random.below(6) {
            let at = 132 + random.below(bytes.len() - 132);
            bytes[at] = random.next() as u8;
        }
        let plan = read_plan(&bytes).is_ok();
        let registration = read_registration::<Plate>(&bytes).is_ok();
        refused += usize::from(!plan && !registration && read_fiducials(&bytes).is_err());
    }
    assert!((1..3_000).contains(&refused), "{refused}");
}
