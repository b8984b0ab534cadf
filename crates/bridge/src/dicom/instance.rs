//! One CT image object: where it lies, whose it is, its CT numbers.

use super::parse::{self, Parsed};
use super::pixels;
use super::refusal::Refused;
use super::value::{number, numbers, text, whole};
use dicom_core::dictionary::UidDictionary;
use dicom_dictionary_std::{StandardSopClassDictionary, tags, uids};
use dicom_object::InMemDicomObject;
use telehand_ortho::SeriesUid;
use telehand_ortho::series::Slice;
use telehand_vocab::Vec3;

/// Whose images these are, as the file says it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patient {
    /// Patient's Name (0010,0010), components separated by `^`.
    pub name: String,
    /// Patient ID (0010,0020).
    pub id: String,
    /// Patient's Birth Date (0010,0030), `YYYYMMDD`; empty when unknown.
    pub birth_date: String,
    /// Patient's Sex (0010,0040): `M`, `F`, `O`; empty when unknown.
    pub sex: String,
}

/// The study and series a slice says it belongs to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Whose images these are.
    pub patient: Patient,
    /// Study Instance UID (0020,000D).
    pub study_uid: String,
    /// Study ID (0020,0010).
    pub study_id: String,
    /// Study Date (0008,0020), `YYYYMMDD`.
    pub study_date: String,
    /// Study Time (0008,0030), `HHMMSS`.
    pub study_time: String,
    /// Accession Number (0008,0050).
    pub accession: String,
    /// Series Description (0008,103E).
    pub description: String,
    /// Convolution Kernel (0018,1210).
    pub kernel: String,
    /// Manufacturer (0008,0070).
    pub manufacturer: String,
    /// Patient Identity Removed (0012,0062) is YES.
    pub deidentified: bool,
    /// Lossy Image Compression (0028,2110) is 01: fine detail may be invented.
    pub lossy: bool,
}

/// One CT image object.
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    /// SOP Class UID; empty in some real files, which can be read but never sent.
    pub sop_class: String,
    /// UID of the transfer syntax.
    pub syntax: String,
    /// Where it says it comes from.
    pub origin: Origin,
    /// Geometry and CT numbers.
    pub slice: Slice,
}

/// Reads one CT image from the bytes of a DICOM file.
pub fn read_instance(bytes: &[u8]) -> Result<Instance, Refused> {
    let parsed = parse::file(bytes)?;
    check(&parsed)?;
    let Geometry { series, instance, frame_of_reference, position, row, column, pixel_spacing } =
        geometry(&parsed.object)?;
    let object = &parsed.object;
    let slice = Slice {
        series,
        instance,
        frame_of_reference,
        position,
        row,
        column,
        pixel_spacing,
        rows: 0,
        columns: 0,
        hu: Vec::new(),
        gantry_tilt_rad: number(object, tags::GANTRY_DETECTOR_TILT).map(f64::to_radians),
        patient_position: text(object, tags::PATIENT_POSITION).unwrap_or_default(),
        thickness: number(object, tags::SLICE_THICKNESS).map(|mm| mm * 1e-3),
        number: whole(object, tags::INSTANCE_NUMBER),
    };
    let (sop_class, origin) = (sop_class(&parsed), origin(object));
    let syntax = parsed.syntax.clone();
    let pixels = pixels::hounsfield(parsed)?;
    let slice = Slice { rows: pixels.rows, columns: pixels.columns, hu: pixels.hu, ..slice };
    Ok(Instance { sop_class, syntax, origin, slice })
}

/// The SOP class that the object names, or else the file around it.
pub(super) fn sop_class(parsed: &Parsed) -> String {
    text(&parsed.object, tags::SOP_CLASS_UID).unwrap_or_else(|| parsed.media_class.clone())
}

/// Whether the object is a CT slice at all.
pub(super) fn check(parsed: &Parsed) -> Result<(), Refused> {
    let object = &parsed.object;
    let class = sop_class(parsed);
    let frames = whole(object, tags::NUMBER_OF_FRAMES).unwrap_or(1);
    let enhanced =
        [uids::ENHANCED_CT_IMAGE_STORAGE, uids::LEGACY_CONVERTED_ENHANCED_CT_IMAGE_STORAGE];
    if enhanced.contains(&class.as_str()) || (class == uids::CT_IMAGE_STORAGE && frames > 1) {
        return Err(Refused::MultiFrame { frames: u32::try_from(frames).unwrap_or(0) });
    }
    if !class.is_empty() && class != uids::CT_IMAGE_STORAGE {
        let known = StandardSopClassDictionary.by_uid(&class);
        let name = known.map_or_else(|| "unknown".into(), |entry| entry.name.to_owned());
        return Err(Refused::NotCt { uid: parse::shown(&class), name });
    }
    match text(object, tags::MODALITY) {
        Some(modality) if modality == "CT" => (),
        modality => {
            let modality = modality.unwrap_or_default().chars().take(16).collect();
            return Err(Refused::Modality { modality });
        }
    }
    let kind = text(object, tags::IMAGE_TYPE).unwrap_or_default();
    if kind.split('\\').any(|part| part.trim() == "LOCALIZER") {
        return Err(Refused::Localizer);
    }
    Ok(())
}

struct Geometry {
    series: SeriesUid,
    instance: String,
    frame_of_reference: String,
    position: Vec3,
    row: Vec3,
    column: Vec3,
    pixel_spacing: [f64; 2],
}

fn geometry(object: &InMemDicomObject) -> Result<Geometry, Refused> {
    let series = text(object, tags::SERIES_INSTANCE_UID)
        .and_then(|uid| SeriesUid::new(&uid).ok())
        .ok_or(Refused::Missing { attribute: "Series Instance UID (0020,000E)" })?;
    let instance = text(object, tags::SOP_INSTANCE_UID)
        .ok_or(Refused::Missing { attribute: "SOP Instance UID (0008,0018)" })?;
    let frame_of_reference = text(object, tags::FRAME_OF_REFERENCE_UID)
        .ok_or(Refused::Missing { attribute: "Frame of Reference UID (0020,0052)" })?;
    let [x, y, z] = numbers(object, tags::IMAGE_POSITION_PATIENT)
        .ok_or(Refused::Missing { attribute: "Image Position (Patient) (0020,0032)" })?;
    let [rx, ry, rz, cx, cy, cz] = numbers(object, tags::IMAGE_ORIENTATION_PATIENT)
        .ok_or(Refused::Missing { attribute: "Image Orientation (Patient) (0020,0037)" })?;
    let (row, column) = directions(Vec3::new(rx, ry, rz), Vec3::new(cx, cy, cz))?;
    let pixel_spacing: [f64; 2] = numbers(object, tags::PIXEL_SPACING)
        .filter(|mm| mm.iter().all(|mm| (0.01..=20.0).contains(mm)))
        .ok_or(Refused::Missing { attribute: "Pixel Spacing (0028,0030), 0.01 to 20 mm" })?;
    Ok(Geometry {
        series,
        instance,
        frame_of_reference,
        position: Vec3::new(x, y, z) * 1e-3,
        row,
        column,
        pixel_spacing: pixel_spacing.map(|mm| mm * 1e-3),
    })
}

/// Two directions, unit and at a right angle to 1e-3. They are decimal text of up to 16 characters,
/// rounded by the scanner, so they are made exactly unit; a wrong angle is never mended.
fn directions(row: Vec3, column: Vec3) -> Result<(Vec3, Vec3), Refused> {
    let wrong = || Refused::Value {
        attribute: "Image Orientation (Patient)",
        value: format!("{row:?}, {column:?}"),
        allowed: "two unit directions at a right angle",
    };
    let near = |value: f64, wanted: f64| (value - wanted).abs() < 1e-3;
    if !near(row.norm(), 1.0) || !near(column.norm(), 1.0) || !near(row.dot(column), 0.0) {
        return Err(wrong());
    }
    let row = row.unit().ok_or_else(wrong)?;
    let column = (column - row * row.dot(column)).unit().ok_or_else(wrong)?;
    Ok((row, column))
}

pub(super) fn origin(object: &InMemDicomObject) -> Origin {
    let of = |tag| text(object, tag).unwrap_or_default();
    Origin {
        patient: Patient {
            name: of(tags::PATIENT_NAME),
            id: of(tags::PATIENT_ID),
            birth_date: of(tags::PATIENT_BIRTH_DATE),
            sex: of(tags::PATIENT_SEX),
        },
        study_uid: of(tags::STUDY_INSTANCE_UID),
        study_id: of(tags::STUDY_ID),
        study_date: of(tags::STUDY_DATE),
        study_time: of(tags::STUDY_TIME),
        accession: of(tags::ACCESSION_NUMBER),
        description: of(tags::SERIES_DESCRIPTION),
        kernel: of(tags::CONVOLUTION_KERNEL),
        manufacturer: of(tags::MANUFACTURER),
        deidentified: of(tags::PATIENT_IDENTITY_REMOVED) == "YES",
        lossy: of(tags::LOSSY_IMAGE_COMPRESSION) == "01",
    }
}
