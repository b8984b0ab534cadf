//! The simulated theatre behind the servers: a thread that lets its time pass as ours does.

use super::feed::Publisher;
use crate::clock;
use anyhow::{Context as _, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use telehand_ortho::Volume;
use telehand_ortho::register::{PlateModel, find_balls, match_plate};
use telehand_ortho::track::average;
use telehand_sim::spine::theatre::{self, Setup};
use telehand_sim::spine::tracker::PERIOD;
use telehand_vocab::space::{Image, Plate, Reference};
use telehand_vocab::{Pose, Span};

/// How long the plate is watched for a registration, in the theatre's time.
const WATCHED: Span = Span::from_millis(2_000);
/// After a longer pause of this machine the theatre goes on where it stood.
const PAUSE_MAX: Span = Span::from_millis(500);

/// A running theatre; it ends when it is dropped.
pub struct Theatre {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Theatre {
    /// Sets a theatre up, scans and registers it if asked to, and publishes what its tracker sees.
    ///
    /// # Errors
    /// A scan that cannot be registered; a machine without threads.
    pub fn start(seed: u64, scan: bool, publisher: Publisher) -> Result<Self> {
        let mut theatre = theatre::Theatre::new(&Setup::demo(seed));
        let image_from_reference = if scan {
            let (volume, registered) = scanned(&mut theatre)?;
            publisher.scan(&volume);
            Some(registered)
        } else {
            None
        };
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let thread = std::thread::Builder::new().name("theatre".into()).spawn(move || {
            let mut then = clock::now();
            while !told.load(Ordering::Relaxed) {
                clock::sleep_until(then + PERIOD);
                let now = clock::now();
                theatre.step(now.since(then).min(PAUSE_MAX));
                then = now;
                for frame in theatre.take_frames() {
                    let at = now - theatre.now().since(frame.at);
                    publisher.frame(at, &frame, image_from_reference);
                }
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Theatre {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // its panic was printed; there is nothing more to end
            let _ = thread.join();
        }
    }
}

/// A scan in apnoea, and where the reference is in it by the plate's balls.
fn scanned(theatre: &mut theatre::Theatre) -> Result<(Volume, Pose<Image, Reference>)> {
    theatre.hold_breath(true);
    theatre.step(WATCHED);
    let seen = theatre.take_frames();
    let volume = theatre.scan().volume;
    theatre.hold_breath(false);
    let plate: Vec<Pose<Reference, Plate>> =
        seen.iter().filter_map(|frame| Some(frame.reference?.inverse() * frame.plate?)).collect();
    let rest = average(&plate).context("the plate was not at rest; nothing is served")?;
    let found = match_plate(&PlateModel::demo(), &find_balls(&volume))
        .context("the plate was not found in the scan; nothing is served")?;
    Ok((volume, found.fit.pose * rest.pose.inverse()))
}
