//! A volume as a series of CT Image Storage objects (PS3.3 A.3).

use super::compose::{Composer, WriteError, decimal, decimals, uid};
use super::instance::Origin;
use dicom_core::{PrimitiveValue, VR};
use dicom_dictionary_std::{tags, uids};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use telehand_ortho::Volume;

/// A file as it shall lie on a disk or cross a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// A name for it.
    pub name: String,
    /// The whole file (PS3.10).
    pub bytes: Vec<u8>,
}

/// The slices of `volume` as DICOM files, from the first k on: signed 16 bits, slope 1, intercept
/// 0, explicit VR little endian. `frame_of_reference` is the Frame of Reference UID. The same
/// volume gives the same bytes and UIDs.
pub fn encode_series(
    volume: &Volume,
    origin: &Origin,
    frame_of_reference: &str,
) -> Result<Vec<File>, WriteError> {
    let grid = &volume.grid;
    let [columns, rows, slices] = grid.size;
    let side = |what, value: usize| match u16::try_from(value) {
        Ok(side) if (1..=4096).contains(&side) => Ok(side),
        _ => Err(WriteError::Value { what, value: value.to_string(), allowed: "1 to 4096" }),
    };
    let (wide, high) = (side("the number of columns", columns)?, side("the number of rows", rows)?);
    let padded = volume.hu.contains(&Volume::PADDING);
    let mut files = Vec::with_capacity(slices);
    for (k, pixels) in volume.hu.chunks(columns * rows).take(slices).enumerate() {
        let [a, b, _] = grid.axes;
        let position = grid.point([0.0, 0.0, k as f64]) * 1e3;
        let [across, down, step] = grid.spacing.map(|metres| metres * 1e3);
        let number = (k + 1).to_string();
        let mut slice = Composer::new()
            .with(patient_and_study(origin))
            .with(series(volume, origin, frame_of_reference))
            .text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL")
            .text(tags::CONTENT_DATE, VR::DA, &origin.study_date)
            .text(tags::CONTENT_TIME, VR::TM, &origin.study_time)
            .text(tags::INSTANCE_NUMBER, VR::IS, &number)
            .text(tags::ACQUISITION_NUMBER, VR::IS, "1")
            .text(tags::KVP, VR::DS, "")
            .text(tags::SLICE_THICKNESS, VR::DS, &decimal(step))
            .text(tags::IMAGE_POSITION_PATIENT, VR::DS, &decimals(position.to_array()))
            .text(
                tags::IMAGE_ORIENTATION_PATIENT,
                VR::DS,
                &decimals(a.to_array().into_iter().chain(b.to_array())),
            )
            .text(tags::PIXEL_SPACING, VR::DS, &decimals([down, across]))
            .value(tags::SAMPLES_PER_PIXEL, VR::US, PrimitiveValue::from(1_u16))
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
            .value(tags::ROWS, VR::US, PrimitiveValue::from(high))
            .value(tags::COLUMNS, VR::US, PrimitiveValue::from(wide))
            .value(tags::BITS_ALLOCATED, VR::US, PrimitiveValue::from(16_u16))
            .value(tags::BITS_STORED, VR::US, PrimitiveValue::from(16_u16))
            .value(tags::HIGH_BIT, VR::US, PrimitiveValue::from(15_u16))
            .value(tags::PIXEL_REPRESENTATION, VR::US, PrimitiveValue::from(1_u16))
            .text(tags::RESCALE_INTERCEPT, VR::DS, "0")
            .text(tags::RESCALE_SLOPE, VR::DS, "1")
            .text(tags::RESCALE_TYPE, VR::LO, "HU");
        if padded {
            let padding = PrimitiveValue::from(Volume::PADDING);
            slice = slice.value(tags::PIXEL_PADDING_VALUE, VR::SS, padding);
        }
        let words: Vec<u16> = pixels.iter().map(|hu| hu.cast_unsigned()).collect();
        slice = slice.value(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(words.into()));
        let instance = uid(&format!("{}/{k}", volume.series));
        let bytes = slice.file(uids::CT_IMAGE_STORAGE, &instance)?;
        files.push(File { name: format!("{:05}.dcm", k + 1), bytes });
    }
    Ok(files)
}

/// Writes the slices of `volume` into `folder`, which is made when missing.
pub fn write_series(
    volume: &Volume,
    origin: &Origin,
    frame_of_reference: &str,
    folder: &Path,
) -> Result<Vec<PathBuf>, WriteError> {
    let files = encode_series(volume, origin, frame_of_reference)?;
    fs::create_dir_all(folder)
        .map_err(|source| WriteError::Io { path: folder.to_owned(), source })?;
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        let path = folder.join(&file.name);
        fs::write(&path, &file.bytes)
            .map_err(|source| WriteError::Io { path: path.clone(), source })?;
        paths.push(path);
    }
    Ok(paths)
}

/// Writes a file so that after a cut of power it is there whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let failed = |source| WriteError::Io { path: path.to_owned(), source };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut file = fs::File::create(&part).map_err(failed)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    fs::rename(&part, path).map_err(failed)?;
    // The new name itself is on the disk only after its folder is.
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Patient Module (PS3.3 C.7.1.1) and General Study Module (C.7.2.1).
pub(super) fn patient_and_study(origin: &Origin) -> Composer {
    let Origin { patient, .. } = origin;
    let composer = Composer::new()
        .text(tags::PATIENT_NAME, VR::PN, &patient.name)
        .text(tags::PATIENT_ID, VR::LO, &patient.id)
        .text(tags::PATIENT_BIRTH_DATE, VR::DA, &patient.birth_date)
        .text(tags::PATIENT_SEX, VR::CS, &patient.sex)
        .text(tags::STUDY_INSTANCE_UID, VR::UI, &origin.study_uid)
        .text(tags::STUDY_DATE, VR::DA, &origin.study_date)
        .text(tags::STUDY_TIME, VR::TM, &origin.study_time)
        .text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, "")
        .text(tags::STUDY_ID, VR::SH, &origin.study_id)
        .text(tags::ACCESSION_NUMBER, VR::SH, &origin.accession);
    if origin.deidentified {
        return composer.text(tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES").text(
            tags::DEIDENTIFICATION_METHOD,
            VR::LO,
            "as received",
        );
    }
    composer
}

fn series(volume: &Volume, origin: &Origin, frame_of_reference: &str) -> Composer {
    Composer::new()
        .text(tags::MODALITY, VR::CS, "CT")
        .text(tags::SERIES_INSTANCE_UID, VR::UI, volume.series.as_str())
        .text(tags::SERIES_NUMBER, VR::IS, "1")
        .text(tags::BODY_PART_EXAMINED, VR::CS, "SPINE")
        .text(tags::SERIES_DESCRIPTION, VR::LO, &origin.description)
        // A spine patient lies prone, head first. No reader should take geometry from this.
        .text(tags::PATIENT_POSITION, VR::CS, "HFP")
        .text(tags::FRAME_OF_REFERENCE_UID, VR::UI, frame_of_reference)
        .text(tags::POSITION_REFERENCE_INDICATOR, VR::LO, "")
        .text(tags::MANUFACTURER, VR::LO, &origin.manufacturer)
        .text(tags::CONVOLUTION_KERNEL, VR::SH, &origin.kernel)
}
