//! Is what the surgeon sees alive? Told from the picture itself.
//!
//! Packets may flow and decoders decode while the camera, the capture card or a program in between
//! repeats one old picture. So the birth time burnt into the picture ([`crate::stamp`]) is what
//! counts: while it does not advance the view is frozen, and its distance from now is the age.

use crate::stamp::Stamp;
use telehand_vocab::{Mono, Span};

/// When a view is late or frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreezeLimits {
    /// The birth time did not advance for this long: frozen.
    pub frozen_after: Span,
    /// Age over this: late. The warning limit of SAFETY.md.
    pub late_after: Span,
    /// A birth this far in the future is a wrong stamp; less is the error of the clock mapping.
    pub clock_slack: Span,
}

impl Default for FreezeLimits {
    fn default() -> Self {
        Self {
            frozen_after: Span::from_millis(150),
            late_after: Span::from_millis(150),
            clock_slack: Span::from_millis(50),
        }
    }
}

/// What the surgeon sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// No stamped picture was ever shown.
    Waiting,
    /// Alive and in time.
    Fresh {
        /// From birth to now.
        age: Span,
    },
    /// Alive, but old.
    Late {
        /// From birth to now.
        age: Span,
    },
    /// Pictures stopped, or the same one is shown again and again.
    Frozen {
        /// When the picture last changed (local clock).
        since: Mono,
        /// From birth to now.
        age: Span,
    },
}

/// Counts over the watch's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Pictures shown.
    pub pictures: u64,
    /// Of these, older than the limit when they were shown.
    pub late: u64,
    /// Of these, born no later than the one before.
    pub repeated: u64,
    /// Of these, without a readable or possible stamp.
    pub unreadable: u64,
}

/// Watches the stamps of the pictures shown to one eye.
#[derive(Debug, Clone)]
pub struct Watch {
    limits: FreezeLimits,
    newest: Option<Newest>,
    counts: Counts,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    /// Sender's clock.
    born: Mono,
    /// Local clock.
    advanced_at: Mono,
}

impl Watch {
    /// Has seen nothing yet.
    #[must_use]
    pub fn new(limits: FreezeLimits) -> Self {
        Self { limits, newest: None, counts: Counts::default() }
    }

    /// A picture was shown, with the stamp read from it. `now_at_sender` is the present in the
    /// sender's clock. The age of this picture, if its stamp can be true.
    pub fn handle_picture(
        &mut self,
        now: Mono,
        now_at_sender: Mono,
        stamp: Option<Stamp>,
    ) -> Option<Span> {
        self.counts.pictures += 1;
        let latest = now_at_sender + self.limits.clock_slack;
        let born = stamp.map(|stamp| stamp.born_near(now_at_sender)).filter(|born| *born <= latest);
        let Some(born) = born else {
            self.counts.unreadable += 1;
            return None;
        };
        let age = now_at_sender.since(born);
        if age > self.limits.late_after {
            self.counts.late += 1;
        }
        if self.newest.is_some_and(|newest| born <= newest.born) {
            self.counts.repeated += 1;
        } else {
            self.newest = Some(Newest { born, advanced_at: now });
        }
        Some(age)
    }

    /// What the surgeon sees now; ask as often as you like.
    #[must_use]
    pub fn view(&self, now: Mono, now_at_sender: Mono) -> View {
        let Some(Newest { born, advanced_at: since }) = self.newest else { return View::Waiting };
        let age = now_at_sender.since(born);
        if now.since(since) > self.limits.frozen_after {
            View::Frozen { since, age }
        } else if age > self.limits.late_after {
            View::Late { age }
        } else {
            View::Fresh { age }
        }
    }

    /// Counts so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_MS: u64 = 33;
    /// The sender's clock is far ahead of the local one.
    const AHEAD: Span = Span::from_millis(5_000_000);

    fn local(ms: u64) -> Mono {
        Mono::from_millis(1_000 + ms)
    }

    fn remote(ms: u64) -> Mono {
        local(ms) + AHEAD
    }

    fn stamp(born: Mono) -> Stamp {
        Stamp { born_us: born.as_nanos() / 1_000 % (1 << 27), ..Stamp::default() }
    }

    fn show(watch: &mut Watch, at_ms: u64, born_ms: u64) {
        watch.handle_picture(local(at_ms), remote(at_ms), Some(stamp(remote(born_ms))));
    }

    #[test]
    fn v_070_pictures_that_flow_but_do_not_change_are_a_freeze() {
        let mut watch = Watch::new(FreezeLimits::default());
        assert_eq!(watch.view(local(0), remote(0)), View::Waiting);
        for frame in 0..10 {
            show(&mut watch, frame * FRAME_MS + 40, frame * FRAME_MS);
        }
        let alive = 9 * FRAME_MS + 40;
        let fresh = View::Fresh { age: Span::from_millis(40) };
        assert_eq!(watch.view(local(alive), remote(alive)), fresh);
        // the camera repeats its last picture; every packet arrives
        for frame in 10..20 {
            show(&mut watch, frame * FRAME_MS + 40, 9 * FRAME_MS);
        }
        let now = 19 * FRAME_MS + 40;
        let frozen =
            View::Frozen { since: local(alive), age: Span::from_millis(10 * FRAME_MS + 40) };
        assert_eq!(watch.view(local(now), remote(now)), frozen);
        assert_eq!(watch.counts().repeated, 10);
        // and comes back
        show(&mut watch, now + FRAME_MS, now + FRAME_MS - 40);
        assert_eq!(watch.view(local(now + FRAME_MS), remote(now + FRAME_MS)), fresh);
    }

    #[test]
    fn v_070_silence_is_a_freeze_and_the_age_grows() {
        let mut watch = Watch::new(FreezeLimits::default());
        show(&mut watch, 40, 0);
        assert!(matches!(watch.view(local(150), remote(150)), View::Fresh { .. }));
        let frozen = View::Frozen { since: local(40), age: Span::from_millis(400) };
        assert_eq!(watch.view(local(400), remote(400)), frozen);
    }

    #[test]
    fn v_071_a_steady_but_old_stream_is_late() {
        let mut watch = Watch::new(FreezeLimits::default());
        for frame in 0..10 {
            show(&mut watch, frame * FRAME_MS + 220, frame * FRAME_MS);
        }
        let now = 9 * FRAME_MS + 220;
        let late = View::Late { age: Span::from_millis(220) };
        assert_eq!(watch.view(local(now), remote(now)), late);
        assert_eq!(watch.counts().late, 10);
    }

    #[test]
    fn v_070_an_unreadable_or_impossible_stamp_proves_nothing() {
        let mut watch = Watch::new(FreezeLimits::default());
        show(&mut watch, 40, 0);
        for frame in 1..10 {
            let at = frame * FRAME_MS + 40;
            let future = stamp(remote(at) + Span::from_millis(500));
            let wrong = (frame % 2 != 0).then_some(future);
            assert_eq!(watch.handle_picture(local(at), remote(at), wrong), None);
        }
        assert!(matches!(watch.view(local(337), remote(337)), View::Frozen { .. }));
        assert_eq!(watch.counts().unreadable, 9);
        // a little in the future is the clock mapping's error, not the camera's
        let born = remote(340) + Span::from_millis(3);
        assert_eq!(
            watch.handle_picture(local(340), remote(340), Some(stamp(born))),
            Some(Span::ZERO)
        );
    }

    #[test]
    fn v_070_the_watch_goes_on_across_the_wrap_of_the_stamp() {
        let mut watch = Watch::new(FreezeLimits::default());
        for ms in (0..300_000).step_by(FRAME_MS as usize) {
            show(&mut watch, ms + 40, ms);
            let fresh = View::Fresh { age: Span::from_millis(40) };
            assert_eq!(watch.view(local(ms + 40), remote(ms + 40)), fresh);
        }
        assert_eq!(watch.counts().repeated, 0);
    }
}
