//! A patient cart, a bedside and a console that can be switched on and off, in virtual time.

use telehand_guard::{CommandFacts, Event, HandFacts, LinkFacts, Refusal, ServoFacts};
use telehand_guard::{Limits, Supervisor};
use telehand_vocab::message::{Alarm, PictureEcho};
use telehand_vocab::{ArmId, ArmState, Cause, Engage, Lease, Mono, Span};

pub const FIRST: Lease = Lease(40);

/// Milliseconds, in fractions if need be.
pub fn ms(ms: f64) -> Span {
    Span::from_nanos((ms * 1e6).round() as u64)
}

pub fn at(ms: u64) -> Mono {
    Mono::from_millis(ms)
}

/// Everything green.
pub const LINK: LinkFacts = LinkFacts {
    paths_up: 2,
    loss: 0.0,
    jitter: Span::ZERO,
    loop_delay: Some(Span::from_millis(40)),
    clock_error: Span::ZERO,
    forgeries_per_s: 0.0,
};

/// Everything green.
pub const fn servo(arm: ArmId) -> ServoFacts {
    ServoFacts {
        arm,
        tracking_m: 0.0,
        tip_speed_m_s: 0.0,
        force_n: 0.0,
        reading_age: Span::ZERO,
        overrun: Span::ZERO,
        fault: false,
    }
}

pub const PICTURE: PictureEcho = PictureEcho { age: Span::from_millis(90), intact: true };

/// The play: once a millisecond the cart's time passes; every tenth, the bedside beats and the
/// console sends a command, while they are on.
#[derive(Clone)]
pub struct Theatre {
    pub sup: Supervisor,
    pub now: u64,
    pub bedside: bool,
    pub console: bool,
    /// What the next command will say. Its lease follows the cart while `learns`.
    pub say: CommandFacts,
    pub learns: bool,
    pub answer: Result<(), Refusal>,
}

impl Theatre {
    pub fn new() -> Self {
        Self::with(Limits::default())
    }

    pub fn with(limits: Limits) -> Self {
        let up = |arm| HandFacts { arm, engage: Engage(0), engaged: false };
        Self {
            sup: Supervisor::new(limits, FIRST),
            now: 0,
            bedside: true,
            console: false,
            say: CommandFacts {
                seq: 0,
                age: Span::from_millis(35),
                ahead: Span::ZERO,
                clock_error: Span::ZERO,
                lease: FIRST,
                hands: [up(ArmId::Psm1), up(ArmId::Psm2)],
                picture: PICTURE,
                well_formed: true,
            },
            learns: true,
            answer: Ok(()),
        }
    }

    /// Granted, the console speaks, the pedal is up, the link is ready.
    pub fn armed() -> Self {
        let mut play = Self::new();
        play.give(Event::Link(LINK)).unwrap();
        play.give(Event::Enable).unwrap();
        play.give(Event::Grant).unwrap();
        play.console = true;
        play.run_to(1_100);
        assert_eq!(play.sup.state(), ArmState::Armed);
        play
    }

    /// PSM1 follows engagement 1; the last command came at 1100 ms.
    pub fn following() -> Self {
        let mut play = Self::armed();
        play.press(0);
        play.command().unwrap();
        assert_eq!(play.sup.state(), ArmState::Following);
        play
    }

    /// The surgeon asked to hold; the last command came at 1100 ms, under the lease before.
    pub fn held() -> Self {
        let mut play = Self::following();
        play.give(Event::RemoteHold).unwrap();
        assert_eq!(play.sup.state(), ArmState::Hold);
        play
    }

    pub fn in_state(state: ArmState) -> Self {
        let mut play = match state {
            ArmState::Armed => Self::armed(),
            ArmState::Following => Self::following(),
            ArmState::Hold => Self::held(),
            _ => Self::new(),
        };
        match state {
            ArmState::Local => play.give(Event::Enable).unwrap(),
            ArmState::SafeOff => play.give(Event::Stop).unwrap(),
            _ => {}
        }
        assert_eq!(play.sup.state(), state);
        while play.sup.poll_transition().is_some() {}
        play
    }

    pub fn time(&self) -> Mono {
        at(self.now)
    }

    pub fn give(&mut self, event: Event) -> Result<(), Refusal> {
        self.sup.handle(self.time(), event)
    }

    /// Lets time pass up to and including `until_ms`.
    pub fn run_to(&mut self, until_ms: u64) {
        while self.now < until_ms {
            self.now += 1;
            self.sup.handle_timeout(self.time());
            if self.now.is_multiple_of(10) {
                if self.bedside {
                    self.give(Event::BedsideBeat).unwrap();
                }
                if self.console {
                    self.answer = self.command();
                }
            }
        }
    }

    pub fn run(&mut self, for_ms: u64) {
        self.run_to(self.now + for_ms);
    }

    /// Sends one command now.
    pub fn command(&mut self) -> Result<(), Refusal> {
        if self.learns {
            self.say.lease = self.sup.lease();
        }
        self.say.seq += 1;
        self.give(Event::Command(self.say))
    }

    /// The hand presses: a new engagement.
    pub fn press(&mut self, hand: usize) {
        let hand = &mut self.say.hands[hand];
        *hand = HandFacts { engage: Engage(hand.engage.0 + 1), engaged: true, ..*hand };
    }

    pub fn release(&mut self, hand: usize) {
        self.say.hands[hand].engaged = false;
    }

    /// What the feedback shows: state, and the cause in HOLD and `SAFE_OFF`.
    pub fn shows(&self) -> (ArmState, Option<Cause>) {
        (self.sup.state(), self.sup.hold_cause())
    }

    pub fn alarm(&self, cause: Cause) -> Option<Alarm> {
        self.sup.alarms().into_iter().flatten().find(|alarm| alarm.cause == cause)
    }

    /// Plays a timeline. A row is `at_ms | what happens | state, and the cause if there is one`.
    ///
    /// `-` lets time pass. A row that is refused reads `no G-number` before the state.
    #[track_caller]
    pub fn check(&mut self, timeline: &str) {
        for row in timeline.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let [at_ms, event, expected] = cells[..] else { panic!("three cells: {row}") };
            self.run_to(at_ms.parse().expect("milliseconds"));
            let outcome = self.happens(event);
            let refused = outcome.err().map(|no| format!("no {}", no.cause.number()));
            let cause = self.sup.hold_cause().map(|cause| cause.number().to_string());
            let state = Some(self.sup.state().name().to_string());
            let seen: Vec<String> = [refused, state, cause].into_iter().flatten().collect();
            let seen = seen.join(" ");
            assert_eq!(seen, expected, "at {at_ms} ms, after {event:?}");
        }
    }

    fn happens(&mut self, event: &str) -> Result<(), Refusal> {
        match event {
            "-" => {}
            "console on" => self.console = true,
            "console off" => self.console = false,
            "bedside off" => self.bedside = false,
            "bedside on" => self.bedside = true,
            "left down" => self.press(0),
            "left up" => self.release(0),
            "right down" => self.press(1),
            "right up" => self.release(1),
            "console restarts" => {
                for hand in &mut self.say.hands {
                    *hand = HandFacts { engage: Engage(0), engaged: false, ..*hand };
                }
                self.say.seq = 0;
            }
            "console does not learn the lease" => self.learns = false,
            "console learns the lease" => self.learns = true,
            "command" => return self.command(),
            "link" => return self.give(Event::Link(LINK)),
            "enable" => return self.give(Event::Enable),
            "disable" => return self.give(Event::Disable),
            "grant" => return self.give(Event::Grant),
            "take over" => return self.give(Event::TakeOver),
            "stop" => return self.give(Event::Stop),
            "clear stop" => return self.give(Event::ClearStop),
            "remote hold" => return self.give(Event::RemoteHold),
            "beat" => return self.give(Event::BedsideBeat),
            other => panic!("unknown event {other:?}"),
        }
        Ok(())
    }
}
