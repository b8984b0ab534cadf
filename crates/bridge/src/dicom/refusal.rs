//! Why something in DICOM was not taken, by name.

use std::path::PathBuf;

/// Why a DICOM object was not taken. Nothing of it is used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message beside each variant documents its fields")]
pub enum Refused {
    #[error("no DICOM file: the letters DICM are missing at byte 128; it was skipped")]
    NotDicom,
    #[error(
        "the file ({size} bytes) is cut short or its structure is broken; nothing of it was used; copy it again"
    )]
    Broken { size: u64 },
    #[error(
        "sequences are nested {depth} deep, the limit is {limit}; nothing of the file was used"
    )]
    Nested { depth: usize, limit: usize },
    #[error(
        "the object has {bytes} bytes, the limit is {limit}; nothing of it was used; send single-frame CT slices"
    )]
    TooLarge { bytes: u64, limit: u64 },
    #[error(
        "transfer syntax {uid} ({name}) is not supported; nothing of the file was used; export the series \
         uncompressed or as JPEG-LS, JPEG 2000, JPEG lossless, RLE or deflated"
    )]
    TransferSyntax { uid: String, name: String },
    #[error("SOP Class UID is empty, and a CT image must name its class; nothing was stored")]
    EmptySopClass,
    #[error("SOP class {uid} ({name}) is no CT image; it was skipped")]
    NotCt { uid: String, name: String },
    #[error("modality is {modality:?}, CT is needed; the image was skipped")]
    Modality { modality: String },
    #[error(
        "a multi-frame CT object with {frames} frames (Enhanced CT) is not supported; nothing of it was \
         used; export the series as single-frame CT images"
    )]
    MultiFrame { frames: u32 },
    #[error("a scout (localizer) image, not a slice; it was skipped")]
    Localizer,
    #[error("a colour image ({photometric}) holds no CT numbers; it was not used")]
    Colour { photometric: String },
    #[error(
        "{attribute} is missing or no valid value: where or what the voxels are is unknown; the slice was \
         refused; export the series again with all its attributes"
    )]
    Missing { attribute: &'static str },
    #[error(
        "{attribute} is {value}, allowed is {allowed}; the slice was refused; export the series again"
    )]
    Value { attribute: &'static str, value: String, allowed: &'static str },
    #[error(
        "the pixel data has {bytes} bytes where {needed} are needed; the slice was refused; copy it again"
    )]
    PixelBytes { bytes: u64, needed: u64 },
    #[error("the pixel data cannot be decoded ({syntax}): {why}; the slice was refused")]
    Undecodable { syntax: String, why: String },
}

/// Why a folder gave no series.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message beside each variant documents its fields")]
pub enum ImportError {
    #[error("cannot read {}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error(
        "there are {found} entries, the limit is {limit}; nothing was imported; name the series' own folder"
    )]
    TooMany { found: usize, limit: usize },
    #[error("no CT series was found in {files} files; nothing was imported{}", because(first.as_ref()))]
    NoSeries { files: usize, first: Option<Refused> },
    #[error("there are {} CT series; nothing was imported; choose one by its UID:{}", list.len(), lines(list))]
    Several { list: Vec<crate::dicom::SeriesSummary> },
    #[error("no CT series has the UID {wanted}; nothing was imported; there are:{}", lines(list))]
    NoSuchSeries { wanted: String, list: Vec<crate::dicom::SeriesSummary> },
    #[error("{}: {why}. A series with a slice missing is not a volume: nothing was imported", path.display())]
    File { path: PathBuf, why: Refused },
}

fn because(first: Option<&Refused>) -> String {
    first.map_or_else(String::new, |why| format!("; the first refusal: {why}"))
}

fn lines(list: &[crate::dicom::SeriesSummary]) -> String {
    list.iter().fold(String::new(), |text, series| {
        let (uid, files, description) = (&series.uid, series.files, &series.description);
        format!("{text}\n  {uid} ({files} files) {description}")
    })
}
