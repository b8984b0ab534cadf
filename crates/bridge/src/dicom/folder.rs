//! A folder of files to one CT series.

use super::instance::{self, Instance, Origin, read_instance};
use super::parse;
use super::refusal::{ImportError, Refused};
use super::value::text;
use dicom_dictionary_std::tags;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use telehand_ortho::SeriesUid;
use telehand_ortho::series::Slice;

/// Most files looked at in one folder and its subfolders.
pub const FILE_LIMIT: usize = 20_000;
/// Deepest subfolder looked into; a DICOM CD has 4.
const FOLDER_DEPTH: usize = 12;
/// What is read of a file to learn its series; nearly every header fits.
const HEAD_BYTES: u64 = 256 << 10;

/// One CT series of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesSummary {
    /// Series Instance UID.
    pub uid: SeriesUid,
    /// How many files belong to it.
    pub files: usize,
    /// Series Description.
    pub description: String,
    /// Patient ID, to tell patients apart.
    pub patient_id: String,
}

/// What a folder holds.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// The CT series, by UID, with their files in the order of their paths.
    pub series: BTreeMap<SeriesUid, (SeriesSummary, Vec<PathBuf>)>,
    /// DICOM files that cannot be read: they may belong to any of the series.
    pub broken: Vec<(PathBuf, Refused)>,
    /// Files that are no CT slices, and why.
    pub skipped: Vec<(PathBuf, Refused)>,
}

/// The slices of one series and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its UID.
    pub uid: SeriesUid,
    /// What its first file says of patient and study.
    pub origin: Origin,
    /// The slices, in the order of the files' paths; `ortho::series::assemble` puts them in order.
    pub slices: Vec<Slice>,
    /// What a person should know about the import.
    pub notes: Vec<String>,
}

/// Looks through a folder and its subfolders, whatever the files are called. Symbolic links are not
/// followed.
pub fn list(folder: &Path) -> Result<Listing, ImportError> {
    let mut paths = Vec::new();
    walk(folder, FOLDER_DEPTH, &mut paths)?;
    paths.sort();
    let mut listing = Listing::default();
    let found = parallel(&paths, |path| head(path))?;
    for (path, found) in paths.into_iter().zip(found) {
        match found {
            Ok((uid, summary)) => {
                let entry = listing.series.entry(uid).or_insert_with(|| (summary, Vec::new()));
                entry.0.files = entry.1.len() + 1;
                entry.1.push(path);
            }
            Err(why @ (Refused::Broken { .. } | Refused::TooLarge { .. })) => {
                listing.broken.push((path, why));
            }
            Err(why) => listing.skipped.push((path, why)),
        }
    }
    Ok(listing)
}

/// Reads one CT series from a folder: the one that is there, or `wanted` of several.
pub fn read_series(folder: &Path, wanted: Option<&SeriesUid>) -> Result<Series, ImportError> {
    let mut listing = list(folder)?;
    // A broken file may be a slice of this series. It is named instead of the gap it would leave.
    if let Some((path, why)) = listing.broken.pop() {
        return Err(ImportError::File { path, why });
    }
    let summaries = || listing.series.values().map(|(summary, _)| summary.clone()).collect();
    let uid = match wanted {
        Some(wanted) => wanted.clone(),
        None if listing.series.len() > 1 => {
            return Err(ImportError::Several { list: summaries() });
        }
        None => {
            let only = listing.series.keys().next().cloned();
            only.ok_or_else(|| no_series(&listing))?
        }
    };
    if !listing.series.contains_key(&uid) {
        let wanted = uid.to_string();
        return Err(ImportError::NoSuchSeries { wanted, list: summaries() });
    }
    let paths = listing.series.remove(&uid).map(|(_, paths)| paths).unwrap_or_default();
    let instances: Vec<Instance> = parallel(&paths, |path| {
        let bytes = fs::read(path).map_err(|source| io(path, source))?;
        read_instance(&bytes).map_err(|why| ImportError::File { path: path.clone(), why })
    })?;
    let mut notes = notes(&listing, &instances);
    notes
        .extend(listing.series.keys().map(|other| format!("another series was left out: {other}")));
    Ok(series(uid, instances, notes))
}

/// Says why there is none: the first refusal that is not just "no DICOM file".
fn no_series(listing: &Listing) -> ImportError {
    let reasons = listing.skipped.iter().map(|(_, why)| why.clone());
    let first = reasons.reduce(|a, b| if a == Refused::NotDicom { b } else { a });
    ImportError::NoSeries { files: listing.skipped.len(), first }
}

/// Reads the slices of one series from files in memory; `name` says which file a refusal is about.
pub fn read_series_bytes(files: &[(String, Vec<u8>)]) -> Result<Series, ImportError> {
    let mut instances = Vec::new();
    for (name, bytes) in files {
        let read = read_instance(bytes);
        instances.push(read.map_err(|why| ImportError::File { path: name.into(), why })?);
    }
    let Some(uid) = instances.first().map(|instance| instance.slice.series.clone()) else {
        return Err(ImportError::NoSeries { files: 0, first: None });
    };
    let notes = notes(&Listing::default(), &instances);
    Ok(series(uid, instances, notes))
}

fn series(uid: SeriesUid, mut instances: Vec<Instance>, mut notes: Vec<String>) -> Series {
    let origin = instances.first().map(|i| i.origin.clone()).unwrap_or_default();
    // Anonymisers exist that give every file its own frame of reference. Within one series of one
    // scan that means nothing, and no two slices can be said to disagree. Anything between one
    // frame and one for each slice stays as it is and is refused where the volume is put together.
    let frames: BTreeSet<&str> =
        instances.iter().map(|i| i.slice.frame_of_reference.as_str()).collect();
    if origin.deidentified && instances.len() > 2 && frames.len() == instances.len() {
        notes.push(
            "every file names another frame of reference, as some anonymisers write it: the series' \
             own UID was taken instead"
                .into(),
        );
        for instance in &mut instances {
            instance.slice.frame_of_reference = uid.to_string();
        }
    }
    let slices = instances.into_iter().map(|instance| instance.slice).collect();
    Series { uid, origin, slices, notes }
}

fn notes(listing: &Listing, instances: &[Instance]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (_, why) in &listing.skipped {
        *reasons.entry(why.to_string()).or_default() += 1;
    }
    notes.extend(reasons.iter().map(|(why, count)| format!("{count} files left out: {why}")));
    let unnamed = instances.iter().filter(|i| i.sop_class.is_empty()).count();
    if unnamed > 0 {
        notes.push(format!(
            "{unnamed} files have an empty SOP Class UID: they can be read here, but no archive takes them"
        ));
    }
    if instances.iter().any(|i| i.origin.lossy) {
        notes.push("the images were compressed with loss: fine detail may be missing".into());
    }
    notes
}

fn io(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Io { path: path.to_owned(), source }
}

fn walk(folder: &Path, depth: usize, to: &mut Vec<PathBuf>) -> Result<(), ImportError> {
    for entry in fs::read_dir(folder).map_err(|source| io(folder, source))? {
        let entry = entry.map_err(|source| io(folder, source))?;
        let kind = entry.file_type().map_err(|source| io(&entry.path(), source))?;
        if kind.is_dir() && depth > 0 {
            walk(&entry.path(), depth - 1, to)?;
        } else if kind.is_file() {
            to.push(entry.path());
        }
        if to.len() > FILE_LIMIT {
            return Err(ImportError::TooMany { found: to.len(), limit: FILE_LIMIT });
        }
    }
    Ok(())
}

type Head = Result<(SeriesUid, SeriesSummary), Refused>;

/// The series of a file, from its first bytes where they suffice.
fn head(path: &Path) -> Result<Head, ImportError> {
    let mut file = fs::File::open(path).map_err(|source| io(path, source))?;
    let size = file.metadata().map_err(|source| io(path, source))?.len();
    if size > parse::OBJECT_LIMIT {
        return Ok(Err(Refused::TooLarge { bytes: size, limit: parse::OBJECT_LIMIT }));
    }
    let mut bytes = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut bytes).map_err(|source| io(path, source))?;
    let mut parsed = parse::head(&bytes);
    if matches!(parsed, Err(Refused::Broken { .. })) && size > HEAD_BYTES {
        file.read_to_end(&mut bytes).map_err(|source| io(path, source))?;
        parsed = parse::head(&bytes);
    }
    Ok(parsed.and_then(|parsed| {
        instance::check(&parsed)?;
        let uid = text(&parsed.object, tags::SERIES_INSTANCE_UID)
            .and_then(|uid| SeriesUid::new(&uid).ok())
            .ok_or(Refused::Missing { attribute: "Series Instance UID (0020,000E)" })?;
        let Origin { description, patient, .. } = instance::origin(&parsed.object);
        let patient_id = patient.id;
        Ok((uid.clone(), SeriesSummary { uid, files: 1, description, patient_id }))
    }))
}

/// `work` on every item, on as many threads as there are processors; results in the items' order.
/// Each thread ends at its first error, so that hostile files cost little.
fn parallel<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let share = items.len().div_ceil(threads).max(1);
    let parts: Result<Vec<Vec<R>>, E> = std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = items
            .chunks(share)
            .map(|chunk| scope.spawn(move || chunk.iter().map(work).collect()))
            .collect();
        let joined = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    Ok(parts?.into_iter().flatten().collect())
}
