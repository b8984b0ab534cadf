//! Thousands of seeded lives of random length, with every kind of event at random moments, and
//! checkers that must hold after each one. A failure prints the seed that repeats it.

use crate::theatre::{FIRST, LINK, PICTURE, at, ms, servo};
use telehand_guard::{
    CommandFacts, Event, Gate, HandFacts, IntentAsk, JointAsk, JointReading, Limits, LinkFacts,
    Permit, ServoFacts, Supervisor,
};
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{ArmId, ArmState, Authority, Engage, Lease, Mono, Span, Vec3};

/// `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("repeat it with Life::new({}).live(4_000)", self.seed);
        }
    }
}

/// One life: the cart, a console that mostly behaves, and what the checkers remember.
struct Life {
    seed: u64,
    dice: Dice,
    sup: Supervisor,
    now: u64,
    tick: u64,
    say: CommandFacts,
    behaves: u64,
    /// Since the last hold or grant: the lease it ended with, and what the console showed since.
    pedal_up_since: bool,
    admitted_at: Option<u64>,
    beat_at: u64,
    permits: u32,
    holds: u32,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let hand = |arm| HandFacts { arm, engage: Engage(0), engaged: false };
        let behaves = 10 + dice.below(2_000);
        Self {
            seed,
            dice,
            sup: Supervisor::new(Limits::new(), FIRST),
            now: 1,
            tick: 0,
            say: CommandFacts {
                seq: 0,
                age: ms(35.0),
                ahead: Span::ZERO,
                clock_error: Span::ZERO,
                lease: FIRST,
                hands: [hand(ArmId::Psm1), hand(ArmId::Psm2)],
                picture: PICTURE,
                well_formed: true,
            },
            behaves,
            pedal_up_since: false,
            admitted_at: None,
            beat_at: 0,
            permits: 0,
            holds: 0,
        }
    }

    fn time(&self) -> Mono {
        at(self.now)
    }

    fn live(&mut self, events: u32) {
        for _ in 0..events {
            let event = self.happens();
            let before = (self.sup.state(), self.sup.lease());
            let outcome = self.sup.handle(self.time(), event);
            self.check_event(before, event, outcome.is_ok());
            self.check_step();
            self.now += if self.dice.one_in(self.behaves) { self.dice.below(300) } else { 1 };
        }
    }

    /// Mostly what keeps an operation going; sometimes anything.
    fn happens(&mut self) -> Event {
        if self.dice.one_in(self.behaves) {
            return self.surprise();
        }
        match (self.sup.state(), self.dice.below(8)) {
            (ArmState::Off, 0) => Event::Enable,
            (ArmState::Local, 0) => Event::Grant,
            (ArmState::SafeOff, 0) if self.dice.one_in(20) => Event::ClearStop,
            (_, 1 | 2) => Event::BedsideBeat,
            (_, 3) => Event::Link(LINK),
            (_, 4) => Event::Servo(servo(ArmId::ALL[self.dice.below(3) as usize])),
            _ => self.speak(),
        }
    }

    fn speak(&mut self) -> Event {
        self.say.seq += 1;
        self.say.lease = self.sup.lease();
        for hand in &mut self.say.hands {
            if self.dice.one_in(100) {
                hand.engaged = !hand.engaged;
                hand.engage.0 += u32::from(hand.engaged);
            }
        }
        Event::Command(self.say)
    }

    fn surprise(&mut self) -> Event {
        let arm = ArmId::ALL[self.dice.below(3) as usize];
        match self.dice.below(20) {
            0 => Event::Enable,
            1 => Event::Disable,
            2..=4 => Event::Grant,
            5 => Event::TakeOver,
            6 => Event::Stop,
            7 => Event::ClearStop,
            8 => Event::RemoteHold,
            9 => Event::Link(LinkFacts { loss: 0.2, ..LINK }),
            10 => Event::Link(LinkFacts { loop_delay: Some(ms(900.0)), ..LINK }),
            11 => Event::Servo(ServoFacts { fault: true, ..servo(arm) }),
            12 => Event::Servo(ServoFacts { force_n: f64::NAN, ..servo(arm) }),
            13 => Event::Command(CommandFacts { lease: self.older(), ..self.say }),
            14 => Event::Command(CommandFacts { age: ms(150.0), ..self.say }),
            15 => {
                self.say.seq = self.dice.below(self.say.seq + 2);
                self.speak()
            }
            16 => {
                self.say.hands = self.say.hands.map(|h| HandFacts {
                    engage: Engage(self.dice.below(5) as u32),
                    engaged: self.dice.one_in(2),
                    ..h
                });
                self.speak()
            }
            17 => {
                let echo = PictureEcho { age: ms(500.0), intact: self.dice.one_in(2) };
                Event::Command(CommandFacts { picture: echo, ..self.say })
            }
            18 => {
                self.say.hands[1].arm = if self.dice.one_in(2) { ArmId::Ecm } else { ArmId::Psm2 };
                self.speak()
            }
            _ => {
                self.say.hands = self.say.hands.map(|h| HandFacts { engaged: false, ..h });
                self.speak()
            }
        }
    }

    fn older(&mut self) -> Lease {
        Lease(self.sup.lease().0.wrapping_sub(1 + self.dice.below(5) as u32))
    }

    fn check_event(&mut self, (before, lease): (ArmState, Lease), event: Event, accepted: bool) {
        let after = self.sup.state();
        if self.sup.lease() != lease {
            self.pedal_up_since = false;
            self.admitted_at = None;
        }
        if after == ArmState::Hold && before != ArmState::Hold {
            self.holds += 1;
            assert_ne!(self.sup.lease(), lease, "a hold gives out a new lease");
        }
        match event {
            Event::Stop => assert_eq!(after, ArmState::SafeOff),
            Event::TakeOver => {
                assert_ne!(self.sup.authority(), Authority::Remote);
                assert_ne!(after, ArmState::Hold, "a take-over ends a hold");
            }
            Event::BedsideBeat => self.beat_at = self.now,
            Event::Grant if after == ArmState::Armed && before == ArmState::Local => {
                self.beat_at = self.now;
            }
            Event::Command(facts) if accepted && facts.lease == self.sup.lease() => {
                self.admitted_at = Some(self.now);
                self.pedal_up_since |= facts.hands.iter().all(|hand| !hand.engaged);
            }
            Event::Command(facts) if facts.lease == self.sup.lease() => {
                // refused, yet it may have been heard: then it kept the watchdog quiet
                self.admitted_at = self.admitted_at.map(|_| self.now);
            }
            _ => {}
        }
        if before == ArmState::SafeOff && after != ArmState::SafeOff {
            assert_eq!(event, Event::ClearStop, "a stop is latched");
            assert_eq!(after, ArmState::Off);
        }
        if before != ArmState::Following && after == ArmState::Following {
            assert!(matches!(event, Event::Command(_)) && accepted);
            assert!(self.pedal_up_since, "no engagement before the pedal was up");
        }
        let slipped = before == ArmState::Hold && after == ArmState::Armed;
        assert!(!slipped, "a hold ends in an engagement or at the bedside");
    }

    /// Asks every gate for a step, whatever the state.
    fn check_step(&mut self) {
        self.tick += 1;
        for arm in ArmId::ALL {
            let engage = self.say.hands.iter().find(|h| h.arm == arm).map(|h| h.engage);
            let Ok(permit) = self.step(arm, engage.unwrap_or(Engage(1))) else { continue };
            self.permits += 1;
            assert!(permit.moves() && permit.arm() == arm && permit.tick() == self.tick);
            assert_eq!(self.sup.state(), ArmState::Following);
            assert_eq!(self.sup.authority(), Authority::Remote);
            assert_eq!(self.sup.following(arm), engage);
            assert!(self.pedal_up_since, "moved before the pedal was up under this lease");
            let heard = self.admitted_at.expect("moved before any command under this lease");
            assert!(self.now - heard < 100, "moved {} ms after a command", self.now - heard);
            assert!(self.now - self.beat_at < 100, "moved without the bedside");
        }
    }

    fn step(&mut self, arm: ArmId, engage: Engage) -> Result<Permit, telehand_guard::Refusal> {
        let mut gate = Gate::new(arm);
        let (now, tick) = (self.time(), self.tick);
        let intent = IntentAsk {
            tick,
            engage,
            command_age: ms(40.0),
            distance_m: 0.001,
            angle_rad: 0.0,
            speed_m_s: 0.01,
            turn_rad_s: 0.0,
            position: Vec3::ZERO,
        };
        let pose = [0.0, 0.0, 0.1, 0.0, 0.0, 0.0];
        let joints = JointAsk {
            tick,
            next: pose,
            jaw_rad: 0.0,
            previous: pose,
            measured: JointReading { joints: pose, jaw_rad: 0.0, age: Span::ZERO },
            dt: ms(1.0),
        };
        let lease = self.sup.lease();
        let outcome = gate
            .judge_intent(now, &mut self.sup, &intent)
            .and_then(|pass| gate.judge_joints(now, &mut self.sup, pass, &joints));
        if self.sup.lease() != lease {
            self.pedal_up_since = false;
            self.admitted_at = None;
        }
        outcome
    }
}

#[test]
fn no_life_breaks_a_rule() {
    let (mut permits, mut holds, mut dropped) = (0, 0, 0);
    for seed in 0..150 {
        let mut life = Life::new(seed);
        life.live(4_000);
        permits += life.permits;
        holds += life.holds;
        dropped += life.sup.dropped_transitions();
    }
    // the swarm must reach what it checks
    assert!(permits > 10_000, "{permits} permits");
    assert!(holds > 250, "{holds} holds");
    assert!(dropped > 0, "nobody polls here, and that is counted");
}
