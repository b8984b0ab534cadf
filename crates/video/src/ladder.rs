//! Adapts the bit rate to the link: worse at once, better slowly.
//!
//! Late is worse than coarse. When packets are lost or begin to queue, the next lower step is taken
//! with the next frame; a higher one only after the link was good for a while, and for longer each
//! time a higher step turned out too high. The loss thresholds (over 10 % down, under 2 % up) are
//! those of Google Congestion Control (Carlucci, De Cicco, Holmer, Mascolo 2016, section 3.2).

use telehand_vocab::{Mono, Span};

/// The steps in bits a second, worst first.
pub const STEPS_BPS: [u32; 5] = [500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000];

/// What the link measured over the last fraction of a second, on the path that carries video.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkFigures {
    /// Share of video packets that did not arrive, 0 to 1. Not a number counts as all.
    pub loss: f64,
    /// How much longer packets take than the shortest in recent memory: they queue.
    pub growth: Span,
}

/// When a link is bad, good or terrible, and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LadderConfig {
    /// Highest step that may be taken, an index into [`STEPS_BPS`].
    pub highest: usize,
    /// Worse than either of these is bad: one step down.
    pub bad: LinkFigures,
    /// Worse than either of these is terrible: two steps down.
    pub terrible: LinkFigures,
    /// Better than both of these is good.
    pub good: LinkFigures,
    /// After a step down the queue needs time to drain before the figures mean anything.
    pub settle: Span,
    /// How long the link must be good before a step up, at first.
    pub patience: Span,
    /// And at most, after steps up that failed.
    pub patience_max: Span,
}

impl Default for LadderConfig {
    fn default() -> Self {
        Self {
            highest: STEPS_BPS.len() - 1,
            bad: LinkFigures { loss: 0.10, growth: Span::from_millis(25) },
            terrible: LinkFigures { loss: 0.25, growth: Span::from_millis(80) },
            good: LinkFigures { loss: 0.02, growth: Span::from_millis(8) },
            settle: Span::from_millis(300),
            patience: Span::from_millis(5_000),
            patience_max: Span::from_millis(60_000),
        }
    }
}

/// Which step to encode at.
#[derive(Debug, Clone)]
pub struct Ladder {
    config: LadderConfig,
    step: usize,
    patience: Span,
    good_since: Option<Mono>,
    down_at: Option<Mono>,
    up_at: Option<Mono>,
}

impl Ladder {
    /// Starts at the step whose rate is nearest below `bitrate_bps`, or the lowest.
    #[must_use]
    pub fn new(bitrate_bps: u32, config: LadderConfig) -> Self {
        let highest = config.highest.min(STEPS_BPS.len() - 1);
        let start = STEPS_BPS.iter().rposition(|step| *step <= bitrate_bps).unwrap_or(0);
        Self {
            config: LadderConfig { highest, ..config },
            step: start.min(highest),
            patience: config.patience,
            good_since: None,
            down_at: None,
            up_at: None,
        }
    }

    /// The present target in bits a second.
    #[must_use]
    pub fn bitrate_bps(&self) -> u32 {
        let [lowest, ..] = STEPS_BPS;
        STEPS_BPS.get(self.step).copied().unwrap_or(lowest)
    }

    /// The present step, an index into [`STEPS_BPS`].
    #[must_use]
    pub fn step(&self) -> usize {
        self.step
    }

    /// Takes new figures, several times a second. The new target when it changed.
    pub fn handle(&mut self, now: Mono, figures: LinkFigures) -> Option<u32> {
        let before = self.step;
        if worse(figures, self.config.bad) {
            self.good_since = None;
            self.fall(now, worse(figures, self.config.terrible));
        } else if worse(figures, self.config.good) {
            self.good_since = None;
        } else {
            self.rise(now);
        }
        (self.step != before).then(|| self.bitrate_bps())
    }

    fn fall(&mut self, now: Mono, terrible: bool) {
        if self.down_at.is_some_and(|at| now.since(at) < self.config.settle) {
            return;
        }
        self.down_at = Some(now);
        self.step = self.step.saturating_sub(if terrible { 2 } else { 1 });
        // a fall soon after a rise: that step was too high, try it less often
        if self.up_at.take().is_some_and(|at| now.since(at) < self.config.patience_max) {
            let doubled = self.patience.plus(self.patience);
            self.patience = doubled.min(self.config.patience_max);
        }
    }

    fn rise(&mut self, now: Mono) {
        let since = *self.good_since.get_or_insert(now);
        // a rise that has held this long was right
        if self.up_at.is_some_and(|at| now.since(at) >= self.config.patience_max) {
            self.up_at = None;
            self.patience = self.config.patience;
        }
        if self.step < self.config.highest && now.since(since) >= self.patience {
            self.step += 1;
            self.up_at = Some(now);
            self.good_since = Some(now);
        }
    }
}

/// True when either figure is over its limit; a loss that is no number is over any.
fn worse(figures: LinkFigures, limit: LinkFigures) -> bool {
    figures.loss.is_nan() || figures.loss > limit.loss || figures.growth > limit.growth
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: LinkFigures = LinkFigures { loss: 0.0, growth: Span::ZERO };
    const BAD: LinkFigures = LinkFigures { loss: 0.15, growth: Span::ZERO };
    const QUEUE: LinkFigures = LinkFigures { loss: 0.0, growth: Span::from_millis(30) };
    const TERRIBLE: LinkFigures = LinkFigures { loss: 0.0, growth: Span::from_millis(200) };
    const SO_SO: LinkFigures = LinkFigures { loss: 0.05, growth: Span::ZERO };

    /// Feeds figures every 100 ms over a time in ms; the changes with their times.
    fn feed(ladder: &mut Ladder, from: u64, to: u64, figures: LinkFigures) -> Vec<(u64, u32)> {
        let times = (from..to).step_by(100);
        times.filter_map(|ms| Some((ms, ladder.handle(Mono::from_millis(ms), figures)?))).collect()
    }

    #[test]
    fn v_060_worse_is_taken_at_once_and_better_slowly() {
        let mut ladder = Ladder::new(4_000_000, LadderConfig::default());
        assert_eq!(feed(&mut ladder, 0, 100, BAD), [(0, 2_000_000)]);
        assert_eq!(feed(&mut ladder, 100, 5_000, GOOD), []);
        assert_eq!(feed(&mut ladder, 5_000, 5_200, GOOD), [(5_100, 4_000_000)]);
    }

    #[test]
    fn v_060_a_queue_is_as_bad_as_loss_and_a_long_one_worse() {
        let mut ladder = Ladder::new(8_000_000, LadderConfig::default());
        assert_eq!(feed(&mut ladder, 0, 100, QUEUE), [(0, 4_000_000)]);
        let mut ladder = Ladder::new(8_000_000, LadderConfig::default());
        assert_eq!(feed(&mut ladder, 0, 100, TERRIBLE), [(0, 2_000_000)]);
    }

    #[test]
    fn v_060_after_a_step_down_the_queue_gets_time_to_drain() {
        let mut ladder = Ladder::new(8_000_000, LadderConfig::default());
        let steps = feed(&mut ladder, 0, 1_000, BAD);
        assert_eq!(steps, [(0, 4_000_000), (300, 2_000_000), (600, 1_000_000), (900, 500_000)]);
        assert_eq!(feed(&mut ladder, 1_000, 9_000, BAD), [], "there is no lower step");
    }

    #[test]
    fn v_060_a_step_that_fails_is_tried_less_often() {
        let mut ladder = Ladder::new(1_000_000, LadderConfig::default());
        let mut now = 0;
        let mut waits = Vec::new();
        while waits.len() < 6 {
            let start = now;
            while ladder.step() == 1 {
                ladder.handle(Mono::from_millis(now), GOOD);
                now += 100;
            }
            waits.push(now - 100 - start);
            // the higher step turns out too high
            assert_eq!(ladder.handle(Mono::from_millis(now), BAD), Some(1_000_000));
            now += 100;
        }
        assert_eq!(waits, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
        // a step that holds makes it bold again
        feed(&mut ladder, now, now + 130_000, GOOD);
        assert_eq!(ladder.patience, LadderConfig::default().patience);
    }

    #[test]
    fn v_060_between_good_and_bad_nothing_changes() {
        let mut ladder = Ladder::new(2_000_000, LadderConfig::default());
        assert_eq!(feed(&mut ladder, 0, 100_000, SO_SO), []);
        // one so-so moment restarts the wait
        feed(&mut ladder, 100_000, 104_900, GOOD);
        feed(&mut ladder, 104_900, 105_000, SO_SO);
        assert_eq!(feed(&mut ladder, 105_000, 109_900, GOOD), []);
    }

    #[test]
    fn v_060_unknown_loss_counts_as_bad_and_the_highest_step_is_kept() {
        let nothing = LinkFigures { loss: f64::NAN, growth: Span::ZERO };
        let mut ladder = Ladder::new(2_000_000, LadderConfig::default());
        assert_eq!(ladder.handle(Mono::ZERO, nothing), Some(500_000));
        let config = LadderConfig { highest: 2, ..LadderConfig::default() };
        let mut ladder = Ladder::new(u32::MAX, config);
        assert_eq!(ladder.bitrate_bps(), 2_000_000);
        assert_eq!(feed(&mut ladder, 0, 200_000, GOOD), []);
        assert_eq!(Ladder::new(0, LadderConfig::default()).bitrate_bps(), 500_000);
    }
}
