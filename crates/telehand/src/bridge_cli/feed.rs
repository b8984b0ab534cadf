//! What the servers tell: the newest frame of a tracker and the newest scan.
//!
//! Only the newest: a server that is late goes on with what is true now, and nothing piles up.

use crate::clock;
use std::sync::Arc;
use telehand_bridge::igtl;
use telehand_ortho::Volume;
use telehand_sim::spine::tracker::TrackerFrame;
use telehand_vocab::space::{Image, Reference, Tip, Tracker};
use telehand_vocab::{Mono, Pose};
use tokio::sync::watch;

/// What is tracked, in the order of [`Frame::poses`]: reference, guide, plate, and the surveillance
/// marker that watches the reference. Short: a device has 20 bytes for its name.
pub const BODIES: [&str; 4] = ["Reference", "Guide", "Plate", "Watch"];

/// The device of a scan.
const SCAN: &str = "Scan";

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Frame {
    /// Counted from 1; 0 before the first.
    pub number: u32,
    /// When it was exposed, nanoseconds since 1970.
    pub time_ns: u64,
    /// Where the [`BODIES`] are; `None` for one that is not seen.
    pub poses: [Option<Pose<Tracker, Tip>>; 4],
    /// Where the reference is in the scan, while a registration holds.
    pub image_from_reference: Option<Pose<Image, Reference>>,
}

impl Frame {
    /// Where the guide is on the reference, when both are seen.
    pub fn reference_from_guide(&self) -> Option<Pose<Reference, Tip>> {
        let [reference, guide, ..] = self.poses;
        // the reference's own tip is its frame
        let reference: Pose<Tracker, Reference> = reference?.relabel();
        Some(reference.inverse() * guide?)
    }

    /// Where the guide is in the scan (LPS), when both bodies are seen and a registration holds.
    pub fn image_from_guide(&self) -> Option<Pose<Image, Tip>> {
        Some(self.image_from_reference? * self.reference_from_guide()?)
    }
}

/// Where a tracker's process puts what it sees.
#[derive(Debug)]
pub struct Publisher {
    frames: watch::Sender<Frame>,
    scan: watch::Sender<Option<Arc<Vec<u8>>>>,
    case: watch::Sender<Option<Case>>,
}

/// How a patient's case stands, in a few words. Nobody is asked who listens: no patient is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Whether all is well.
    pub code: igtl::StatusCode,
    /// Its state; a program gets 20 bytes of it.
    pub name: String,
    /// The rest.
    pub words: String,
}

/// Where servers read it. They end when the publisher is gone.
#[derive(Debug, Clone)]
pub struct Feed {
    pub(super) frames: watch::Receiver<Frame>,
    /// A packet: every client gets the same bytes.
    pub(super) scan: watch::Receiver<Option<Arc<Vec<u8>>>>,
    pub(super) case: watch::Receiver<Option<Case>>,
}

/// A publisher and its feed.
pub fn pair() -> (Publisher, Feed) {
    let (frames, frame) = watch::channel(Frame::default());
    let (scan, scanned) = watch::channel(None);
    let (case, stands) = watch::channel(None);
    (Publisher { frames, scan, case }, Feed { frames: frame, scan: scanned, case: stands })
}

impl Publisher {
    /// A frame that was exposed at `at` on this machine's clock, and where the reference is in the
    /// scan while a registration holds.
    pub fn frame(
        &self,
        at: Mono,
        seen: &TrackerFrame,
        image_from_reference: Option<Pose<Image, Reference>>,
    ) {
        let time_ns = clock::wall().as_nanos().saturating_sub(clock::now().since(at).as_nanos());
        // what each pose's frame is, its place among the bodies says from here on
        let poses = [
            seen.reference.map(Pose::relabel),
            seen.guide.map(Pose::relabel),
            seen.plate.map(Pose::relabel),
            seen.surveillance.map(Pose::relabel),
        ];
        self.tell(time_ns, poses, image_from_reference);
    }

    /// The same for poses that are at hand, in the order of [`BODIES`].
    pub fn tell(
        &self,
        time_ns: u64,
        poses: [Option<Pose<Tracker, Tip>>; 4],
        image_from_reference: Option<Pose<Image, Reference>>,
    ) {
        self.frames.send_modify(|frame| {
            let number = frame.number.wrapping_add(1);
            *frame = Frame { number, time_ns, poses, image_from_reference };
        });
    }

    /// How the case stands; told on when it is another word than before.
    pub fn case(&self, case: Case) {
        self.case.send_if_modified(|told| {
            let new = told.as_ref() != Some(&case);
            *told = Some(case);
            new
        });
    }

    /// A new scan; `false` when a side has over 65,535 voxels and it cannot be told.
    pub fn scan(&self, volume: &Volume) -> bool {
        let packet = igtl::Image::of(volume).map(|image| {
            let message = igtl::Message::Image(Box::new(image));
            let time_ns = clock::wall().as_nanos();
            Arc::new(igtl::Packet { device: SCAN.into(), time_ns, message }.encode())
        });
        let told = packet.is_some();
        self.scan.send_replace(packet);
        told
    }
}
