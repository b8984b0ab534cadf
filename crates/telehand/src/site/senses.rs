//! What the devices of a site tell: the tracker's frames, the reference's rest and drift.

use super::core::Core;
use telehand_ortho::authority::{Guide, Senses};
use telehand_ortho::case::{Act, Drift, ReferenceFacts};
use telehand_ortho::track::{self, Sighting};
use telehand_vocab::{Mono, Pose, Span};

/// Frames kept: three seconds.
pub(super) const FRAMES: usize = 180;
/// Frames whose mean the drift of the reference is told from.
pub(super) const MUTUAL: usize = 40;

impl Core {
    /// Takes the tracker's frames.
    pub(super) fn look(&mut self, now: Mono) {
        let device_now = self.theatre.now();
        for frame in self.theatre.take_frames() {
            let age = device_now.since(frame.at).as_secs_f64() / self.setup.speed;
            let at = now - Span::from_secs_f64(age);
            self.sight.frame(frame.at, frame.reference);
            self.show_frame(at, &frame);
            if frame.reference.is_some() && frame.guide.is_some() {
                self.tracked = at;
            }
            if let (Some(reference), Some(surveillance)) = (frame.reference, frame.surveillance) {
                self.mutual.push(reference.inverse() * surveillance);
                self.watch_reference(at);
            }
            if self.frames.len() == FRAMES {
                self.frames.pop_front();
            }
            self.frames.push_back((at, frame));
        }
        let seen = self.sight.seen();
        self.machine(
            now,
            Act::Reference(ReferenceFacts {
                watched_s: seen.span.as_secs_f64() + 0.05,
                visible: seen.visible,
                jitter: seen.jitter_m,
            }),
        );
        let Some(watch) = self.monitor.as_mut().map(|monitor| monitor.watch(now)) else { return };
        self.machine(now, Act::Drift(Drift { metres: watch.drift_m, radians: watch.drift_rad }));
        if watch.drift == track::Drift::Stop && self.registration_holds() {
            if let Some(registration) = &mut self.registration {
                registration.void(telehand_ortho::register::Void::ReferenceMoved {
                    drift_mm: watch.drift_m * 1e3,
                    drift_deg: watch.drift_rad.to_degrees(),
                });
            }
            self.machine(now, Act::ReferenceMoved);
        }
    }

    /// Gives the monitor the mean of some frames at a time: one frame of two bodies 200 mm apart is
    /// too noisy for it.
    fn watch_reference(&mut self, at: Mono) {
        if self.mutual.len() < MUTUAL {
            return;
        }
        let mean = super::motion::mean(&self.mutual);
        self.mutual.clear();
        if let (Some(monitor), Some(mean)) = (&mut self.monitor, mean) {
            monitor.frame(&Sighting {
                at,
                reference: Some(Pose::IDENTITY),
                surveillance: Some(mean.relabel()),
            });
        }
    }

    pub(super) fn senses(&mut self, now: Mono) -> Senses {
        let drift = self.monitor.as_mut().map_or(Drift::default(), |monitor| {
            let watch = monitor.watch(now);
            Drift { metres: watch.drift_m, radians: watch.drift_rad }
        });
        let guide = if self.theatre.guide_occupied() { Guide::Occupied } else { Guide::Free };
        let base_from_guide = self.theatre.believed_base_from_guide();
        Senses { guide, tracked: self.tracked, drift, base_from_guide }
    }
}
