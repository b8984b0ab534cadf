//! What the supervisor is told. Plain facts, measured elsewhere, judged only here.

use telehand_vocab::message::PictureEcho;
use telehand_vocab::{ArmId, Command, Engage, HandIntent, Lease, Mono, Span};

/// What happened, from the bedside, from the surgeon, or from the machine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// Bedside: switch the motors on. OFF to LOCAL.
    Enable,
    /// Bedside: switch the motors off. Any state but `SAFE_OFF` to OFF.
    Disable,
    /// Bedside: hand the arms to the surgeon. LOCAL to ARMED, under a new lease.
    Grant,
    /// Bedside: take the arms back. One action, always obeyed.
    TakeOver,
    /// Anybody at the patient: stop. Latched.
    Stop,
    /// Bedside: the reason of the stop is dealt with. `SAFE_OFF` to OFF.
    ClearStop,
    /// Surgeon: hold. The only stop the network can ask for, and only inside the sealed session.
    RemoteHold,
    /// The bedside process lives.
    BedsideBeat,
    /// A command arrived over the sealed session.
    Command(CommandFacts),
    /// How the link does; a few times a second.
    Link(LinkFacts),
    /// How one arm does; every tick.
    Servo(ServoFacts),
}

/// What one hand of a command asks, as far as authority goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandFacts {
    /// Which arm this hand drives.
    pub arm: ArmId,
    /// The engage epoch it counts from.
    pub engage: Engage,
    /// Deadman down and not clutched.
    pub engaged: bool,
}

/// One command, as far as authority goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CommandFacts {
    /// Its order number.
    pub seq: u64,
    /// How long ago it was made, on the patient side's clock.
    pub age: Span,
    /// How far in the future it claims to be made; zero for an honest one.
    pub ahead: Span,
    /// The estimated error of the clock map behind `age` and `ahead`.
    pub clock_error: Span,
    /// The lease it answers to.
    pub lease: Lease,
    /// Left and right hand.
    pub hands: [HandFacts; 2],
    /// What the surgeon sees.
    pub picture: PictureEcho,
    /// All its numbers are finite and its hands drive different arms.
    pub well_formed: bool,
}

impl CommandFacts {
    /// From a command whose age was measured elsewhere.
    #[must_use]
    pub fn new(command: &Command, age: Span, clock_error: Span) -> Self {
        let [left, right] = command.hands;
        let finite = |hand: HandIntent| {
            hand.intent.translation.is_finite() && hand.intent.jaw_rad.is_finite()
        };
        Self {
            seq: command.seq,
            age,
            ahead: Span::ZERO,
            clock_error,
            lease: command.lease,
            hands: command.hands.map(|h| HandFacts {
                arm: h.arm,
                engage: h.engage,
                engaged: h.engaged,
            }),
            picture: command.picture,
            well_formed: left.arm != right.arm && finite(left) && finite(right),
        }
    }

    /// From a command and the moment it was made, mapped to the patient side's clock.
    #[must_use]
    pub fn dated(command: &Command, issued_at: Mono, now: Mono, clock_error: Span) -> Self {
        let facts = Self::new(command, now.since(issued_at), clock_error);
        Self { ahead: issued_at.since(now), ..facts }
    }

    /// The epoch some hand drives `arm` in, if one does.
    pub(crate) fn engaged(&self, arm: ArmId) -> Option<Engage> {
        self.hands.iter().find(|hand| hand.arm == arm && hand.engaged).map(|hand| hand.engage)
    }
}

/// The link as measured over the last second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinkFacts {
    /// Paths that carry the session now.
    pub paths_up: u8,
    /// Share of commands lost after repetition and merging, 0 to 1.
    pub loss: f64,
    /// Jitter of the commands, p99 - p50.
    pub jitter: Span,
    /// The whole loop, hand to eye, p95; `None` while nobody has measured it.
    pub loop_delay: Option<Span>,
    /// The estimated error of the clock map.
    pub clock_error: Span,
    /// Packets a second that did not open.
    pub forgeries_per_s: f64,
}

/// One arm as measured in this tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServoFacts {
    /// Which arm.
    pub arm: ArmId,
    /// Distance between measured and commanded tip, metres.
    pub tracking_m: f64,
    /// Measured speed of the tip, metres a second.
    pub tip_speed_m_s: f64,
    /// Contact force, newtons.
    pub force_n: f64,
    /// Age of the joint reading; `Span::MAX` when there is none.
    pub reading_age: Span,
    /// How late this tick began.
    pub overrun: Span,
    /// The arm reports a fault of its own.
    pub fault: bool,
}
