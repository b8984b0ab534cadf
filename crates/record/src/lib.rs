//! Append only; what was recorded can be run again through the same code.
//!
//! A recording is an MCAP file with JSON messages and JSON schemas, so that Foxglove, the `mcap`
//! tools and plain scripts read it. A hash chain runs through it: [`check`] names the place of the
//! first byte that is not what was written.
//!
//! ```
//! use std::io::Cursor;
//! use telehand_record::{Event, Recorder, Start, read};
//!
//! let start = Start { side: "bedside".into(), mono_ns: 0, wall_ns: 1_700_000_000_000_000_000 };
//! let mut recorder = Recorder::create(Cursor::new(Vec::new()), &start)?;
//! recorder.write(5, &Event { at_ns: 5, kind: "note".into(), text: "cut the fibre".into() })?;
//! let file = recorder.finish()?.into_inner();
//! assert_eq!(read::all::<Event>(&file)?.len(), 1);
//! assert!(telehand_record::check::check(&file).is_ok());
//! # Ok::<(), telehand_record::RecordError>(())
//! ```

pub mod chain;
pub mod check;
pub mod figures;
mod file;
pub mod messages;
pub mod mp4;
pub mod read;
pub mod recorder;
pub mod report;
pub mod summary;

pub use figures::Percentiles;
pub use messages::{
    ArmInput, ArmTick, CommandDelivered, CommandSent, CompressedVideo, Event, Frame, GuardChange,
    HandCommand, LinkFigures, PathFigures, Recorded, Refused,
};
pub use recorder::{Recorder, Start};
pub use summary::Summary;

/// What can go wrong with a recording.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The file could not be written or is not MCAP.
    #[error("the recording could not be written or read: {0}")]
    Mcap(#[from] mcap::McapError),
    /// The output failed.
    #[error("the recording's file failed: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not what was written.
    #[error(
        "the recording cannot be read from byte {at} on: {what}. What lies before is whole; \
         `telehand record check` says more"
    )]
    Broken {
        /// The first byte of the record that cannot be read.
        at: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A message is not what its topic says.
    #[error("message {index} on {topic} is not what its schema says: {source}")]
    Message {
        /// Counts the messages of this topic from 0.
        index: usize,
        /// The topic.
        topic: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}
