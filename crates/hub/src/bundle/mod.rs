//! The evidence of one case in one file, and the export of a whole log: both are checked without
//! any network, by anybody, years later.
//!
//! A bundle is a plain tar archive: documents (consent, credentials, qualification, checklists,
//! latency, guard events, video index, outcome form, grant), the log's leaves of the case with
//! their inclusion proofs, the checkpoint with its witnesses' cosignatures, and a manifest with the
//! SHA-256 of every file under a seal. It is made at the patient's site and holds patient data:
//! it does not pass through the hub.
//!
//! What a bundle cannot show is that no leaf was left out of it: for that, check the whole log
//! ([`check_log`]).

mod archive;
mod check;
mod export;
mod make;
mod manifest;
mod report;
#[cfg(test)]
mod tests;

pub use archive::{BundleError, Files, pack, unpack};
pub use check::{Believed, check_bundle};
pub use export::{Directory, LEAVES_PER_FILE, Source, check_log, write_log};
pub use make::{Evidence, LeafProof, make, names};
pub use manifest::{FileEntry, Kind, LeafEntry, Manifest};
pub use report::{Line, Mark, Report};
