//! Registrations and fiducials as DICOM objects: Spatial Registration (PS3.3 A.39) and Spatial
//! Fiducials (A.40), written and read back.

use super::compose::{Composer, WriteError, decimals, uid};
use super::instance::{self, Origin};
use super::parse;
use super::refusal::Refused;
use super::value::{items, numbers, text};
use super::write::{File, patient_and_study};
use dicom_core::VR;
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use telehand_vocab::space::{Image, Pose, Quat, Vec3};

/// When and by which program an object was made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Made {
    /// `YYYYMMDD`.
    pub date: String,
    /// `HHMMSS`.
    pub time: String,
    /// Version of the program.
    pub version: String,
    /// Everything behind it was simulated; said in the object in words.
    pub simulated: bool,
}

/// Where another frame lies in the image.
#[derive(Debug, Clone, PartialEq)]
pub struct SpatialRegistration<B> {
    /// Patient and study it belongs to.
    pub origin: Origin,
    /// When it was made.
    pub made: Made,
    /// Frame of Reference UID of the images.
    pub image_frame: String,
    /// Frame of Reference UID of the other frame (plate, patient reference).
    pub other_frame: String,
    /// What the other frame is, for a person: at most 64 characters.
    pub label: String,
    /// Where the other frame sits in the image, metres.
    pub image_from_other: Pose<Image, B>,
}

/// Named points in the image.
#[derive(Debug, Clone, PartialEq)]
pub struct SpatialFiducials {
    /// Patient and study they belong to.
    pub origin: Origin,
    /// When they were made.
    pub made: Made,
    /// Frame of Reference UID of the images.
    pub frame_of_reference: String,
    /// Names of at most 16 characters, and points in the frame Image, metres.
    pub points: Vec<(String, Vec3)>,
}

/// Writes a Spatial Registration object: the image's frame as the registered one, and the rigid
/// matrix that carries the other frame's points into it (millimetres).
pub fn encode_registration<B>(what: &SpatialRegistration<B>) -> Result<File, WriteError> {
    let pose = what.image_from_other;
    let [r0, r1, r2] = pose.rotation.to_rows();
    let [x, y, z] = (pose.translation * 1e3).to_array();
    let row = |[a, b, c]: [f64; 3], d: f64| [a, b, c, d];
    let matrix = [row(r0, x), row(r1, y), row(r2, z), [0.0, 0.0, 0.0, 1.0]];
    let one = row([1.0, 0.0, 0.0], 0.0);
    let identity = [one, [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]];
    let name = format!(
        "registration/{}/{}/{}{}/{matrix:?}",
        what.image_frame, what.other_frame, what.made.date, what.made.time
    );
    let composer = common(&what.origin, &what.made, "REG", &name)
        .text(tags::FRAME_OF_REFERENCE_UID, VR::UI, &what.image_frame)
        .text(tags::POSITION_REFERENCE_INDICATOR, VR::LO, "")
        .text(tags::CONTENT_LABEL, VR::CS, "REGISTRATION")
        .text(tags::CONTENT_DESCRIPTION, VR::LO, &described(&what.made, &what.label))
        .sequence(
            tags::REGISTRATION_SEQUENCE,
            vec![
                registered(&what.image_frame, identity, "the images"),
                registered(&what.other_frame, matrix, &what.label),
            ],
        );
    let instance = uid(&name);
    let bytes = composer.file(uids::SPATIAL_REGISTRATION_STORAGE, &instance)?;
    Ok(File { name: "registration.dcm".into(), bytes })
}

fn registered(frame: &str, matrix: [[f64; 4]; 4], label: &str) -> Composer {
    let matrix = Composer::new()
        .text(
            tags::FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX,
            VR::DS,
            &decimals(matrix.into_iter().flatten()),
        )
        .text(tags::FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX_TYPE, VR::CS, "RIGID");
    let registration = Composer::new()
        .text(tags::FRAME_OF_REFERENCE_TRANSFORMATION_COMMENT, VR::LO, label)
        .sequence(tags::REGISTRATION_TYPE_CODE_SEQUENCE, Vec::new())
        .sequence(tags::MATRIX_SEQUENCE, vec![matrix]);
    Composer::new()
        .text(tags::FRAME_OF_REFERENCE_UID, VR::UI, frame)
        .sequence(tags::MATRIX_REGISTRATION_SEQUENCE, vec![registration])
}

/// Reads a Spatial Registration of two frames, one of them the registered one.
pub fn read_registration<B>(bytes: &[u8]) -> Result<SpatialRegistration<B>, Refused> {
    let parsed = parse::file(bytes)?;
    let object = &parsed.object;
    class(&parsed, uids::SPATIAL_REGISTRATION_STORAGE)?;
    let attribute = "Frame of Reference UID (0020,0052)";
    let frame = |of| text(of, tags::FRAME_OF_REFERENCE_UID).ok_or(Refused::Missing { attribute });
    let image_frame = frame(object)?;
    let mut other = None;
    for item in items(object, tags::REGISTRATION_SEQUENCE) {
        let uid = frame(item)?;
        if uid != image_frame {
            other = Some((uid, item));
        }
    }
    let attribute = "Registration Sequence (0070,0308)";
    let (other_frame, item) = other.ok_or(Refused::Missing { attribute })?;
    let registration = items(item, tags::MATRIX_REGISTRATION_SEQUENCE).first();
    let label = registration
        .and_then(|of| text(of, tags::FRAME_OF_REFERENCE_TRANSFORMATION_COMMENT))
        .unwrap_or_default();
    let matrices = registration.map(|of| items(of, tags::MATRIX_SEQUENCE)).unwrap_or_default();
    let image_from_other = match matrices {
        [only] => rigid(only)?,
        _ => return Err(Refused::Missing { attribute: "Matrix Sequence (0070,030A)" }),
    };
    Ok(SpatialRegistration {
        origin: instance::origin(object),
        made: made(object),
        image_frame,
        other_frame,
        label,
        image_from_other,
    })
}

/// A matrix of which the rotation is one: orthonormal to 1e-4 and no reflection.
fn rigid<B>(item: &InMemDicomObject) -> Result<Pose<Image, B>, Refused> {
    let attribute = "Frame of Reference Transformation Matrix (3006,00C6)";
    let m: [f64; 16] = numbers(item, tags::FRAME_OF_REFERENCE_TRANSFORMATION_MATRIX)
        .ok_or(Refused::Missing { attribute })?;
    let [a, b, c, x, d, e, f, y, g, h, i, z, p, q, r, s] = m;
    let rows = [[a, b, c], [d, e, f], [g, h, i]];
    let [first, second, third] = rows.map(Vec3::from_array);
    let near = |value: f64, wanted: f64| (value - wanted).abs() < 1e-4;
    let unit = [first, second, third].into_iter().all(|row| near(row.norm(), 1.0));
    let square = near(first.dot(second), 0.0)
        && near(first.cross(second).dot(third), 1.0)
        && near(second.dot(third), 0.0);
    if !unit || !square || [p, q, r, s] != [0.0, 0.0, 0.0, 1.0] {
        let allowed = "a rotation without reflection, and a translation";
        return Err(Refused::Value { attribute, value: format!("{m:?}"), allowed });
    }
    Ok(Pose::new(Quat::from_rows(rows), Vec3::new(x, y, z) * 1e-3))
}

/// Writes a Spatial Fiducials object.
pub fn encode_fiducials(what: &SpatialFiducials) -> Result<File, WriteError> {
    let name = format!(
        "fiducials/{}/{}{}/{:?}",
        what.frame_of_reference, what.made.date, what.made.time, what.points
    );
    let mut points = Vec::with_capacity(what.points.len());
    for (index, (label, at)) in what.points.iter().enumerate() {
        if !(1..=16).contains(&label.chars().count()) {
            let value = label.clone();
            let allowed = "1 to 16 characters";
            return Err(WriteError::Value { what: "the name of a fiducial", value, allowed });
        }
        points.push(
            Composer::new()
                .text(tags::FIDUCIAL_IDENTIFIER, VR::SH, label)
                .text(tags::FIDUCIAL_DESCRIPTION, VR::ST, label)
                .text(tags::FIDUCIAL_UID, VR::UI, &uid(&format!("{name}/{index}")))
                .text(tags::SHAPE_TYPE, VR::CS, "POINT")
                .text(tags::NUMBER_OF_CONTOUR_POINTS, VR::IS, "1")
                .text(tags::CONTOUR_DATA, VR::DS, &decimals((*at * 1e3).to_array())),
        );
    }
    let set = Composer::new()
        .text(tags::FRAME_OF_REFERENCE_UID, VR::UI, &what.frame_of_reference)
        .sequence(tags::FIDUCIAL_SEQUENCE, points);
    let composer = common(&what.origin, &what.made, "FID", &name)
        .text(tags::CONTENT_LABEL, VR::CS, "FIDUCIALS")
        .text(tags::CONTENT_DESCRIPTION, VR::LO, &described(&what.made, "fiducials of the plate"))
        .sequence(tags::FIDUCIAL_SET_SEQUENCE, vec![set]);
    let bytes = composer.file(uids::SPATIAL_FIDUCIALS_STORAGE, &uid(&name))?;
    Ok(File { name: "fiducials.dcm".into(), bytes })
}

/// Reads a Spatial Fiducials object with one set of points.
pub fn read_fiducials(bytes: &[u8]) -> Result<SpatialFiducials, Refused> {
    let parsed = parse::file(bytes)?;
    let object = &parsed.object;
    class(&parsed, uids::SPATIAL_FIDUCIALS_STORAGE)?;
    let [set] = items(object, tags::FIDUCIAL_SET_SEQUENCE) else {
        return Err(Refused::Missing { attribute: "Fiducial Set Sequence (0070,031C), one item" });
    };
    let frame_of_reference = text(set, tags::FRAME_OF_REFERENCE_UID)
        .ok_or(Refused::Missing { attribute: "Frame of Reference UID (0020,0052)" })?;
    let mut points = Vec::new();
    for item in items(set, tags::FIDUCIAL_SEQUENCE) {
        let label = text(item, tags::FIDUCIAL_IDENTIFIER)
            .ok_or(Refused::Missing { attribute: "Fiducial Identifier (0070,0310)" })?;
        let at: [f64; 3] = numbers(item, tags::CONTOUR_DATA)
            .ok_or(Refused::Missing { attribute: "Contour Data (3006,0050), one point" })?;
        points.push((label, Vec3::from_array(at) * 1e-3));
    }
    let (origin, made) = (instance::origin(object), made(object));
    Ok(SpatialFiducials { origin, made, frame_of_reference, points })
}

/// Patient, study, series, equipment and content of an object that is no image.
pub(super) fn common(origin: &Origin, made: &Made, modality: &str, name: &str) -> Composer {
    let manufacturer = if made.simulated { "telehand SIMULATED" } else { "telehand" };
    patient_and_study(origin)
        .text(tags::MODALITY, VR::CS, modality)
        .text(tags::SERIES_INSTANCE_UID, VR::UI, &uid(&format!("series/{name}")))
        .text(tags::SERIES_NUMBER, VR::IS, "1")
        .text(tags::BODY_PART_EXAMINED, VR::CS, "SPINE")
        .text(tags::MANUFACTURER, VR::LO, manufacturer)
        .text(tags::MANUFACTURER_MODEL_NAME, VR::LO, "telehand")
        .text(tags::DEVICE_SERIAL_NUMBER, VR::LO, "0")
        .text(tags::SOFTWARE_VERSIONS, VR::LO, &made.version)
        .text(tags::INSTANCE_NUMBER, VR::IS, "1")
        .text(tags::CONTENT_DATE, VR::DA, &made.date)
        .text(tags::CONTENT_TIME, VR::TM, &made.time)
        .text(tags::CONTENT_CREATOR_NAME, VR::PN, "")
}

fn described(made: &Made, label: &str) -> String {
    let label = if made.simulated { format!("SIMULATED {label}") } else { label.to_owned() };
    label.chars().take(64).collect()
}

/// When and by what an object was made.
pub(super) fn made(object: &InMemDicomObject) -> Made {
    let of = |tag| text(object, tag).unwrap_or_default();
    Made {
        date: of(tags::CONTENT_DATE),
        time: of(tags::CONTENT_TIME),
        version: of(tags::SOFTWARE_VERSIONS),
        simulated: of(tags::MANUFACTURER).contains("SIMULATED"),
    }
}

/// The object must be of this class.
pub(super) fn class(parsed: &parse::Parsed, wanted: &str) -> Result<(), Refused> {
    let found = instance::sop_class(parsed);
    if found.is_empty() {
        return Err(Refused::EmptySopClass);
    }
    if found != wanted {
        return Err(Refused::Value {
            attribute: "SOP Class UID",
            value: parse::shown(&found),
            allowed: "the class of this kind of object",
        });
    }
    Ok(())
}
