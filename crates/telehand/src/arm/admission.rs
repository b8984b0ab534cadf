//! Who is let to the arms: before the bedside can grant them, the console shows a session grant.
//!
//! The arm asks each new console with a fresh challenge; the console answers with the grant and its
//! key's signature over the challenge. Checking that takes longer than a tick, so a thread of its
//! own does it; the loop only looks whether there is an answer. Nothing that was let in is cut
//! later: a grant that ends or is revoked meanwhile is found at the next start, hand-over
//! or reconnect. Local stop and local take-over pass here unseen.

use super::wire::{Action, Input, Reply, Verdict, decode_input};
use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use telehand_alliance::grant::Use;
use telehand_alliance::ids::{Hash32, SessionId};
use telehand_alliance::refusal::Refusal;
use telehand_alliance::time::Utc;
use telehand_vocab::Cause;

/// Grants that may wait to be checked; a console that shows more is answered late.
const WAITING: usize = 4;

/// How the arm stands with the console, as the bedside and the console hear it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Whether a grant is needed at all: not in a demo.
    pub needed: bool,
    /// What the console's key is to sign; `None` while no console is there.
    pub asks: Option<Asks>,
    /// The grant that was accepted.
    pub admitted: Option<Admitted>,
    /// Why the last one was not.
    pub refused: Option<Refusal>,
}

/// The arm's own part of a [`telehand_alliance::grant::Challenge`]: the console adds its grant's id
/// and who sits there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asks {
    /// Drawn for this one console session.
    pub nonce: Hash32,
    /// Start, or back in a session that was let in before.
    pub purpose: Use,
    /// The robot that asks.
    pub robot_serial: String,
    /// When it asked, by the patient side's clock.
    pub at: Utc,
}

/// A grant that was accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    /// Its id.
    pub grant: String,
    /// The session that it opens.
    pub session: SessionId,
    /// The case.
    pub case: String,
    /// Who may control.
    pub surgeon: String,
    /// Its end (RFC 3339); nothing is cut then.
    pub until: String,
    /// What is not as it should be, and stops nothing now.
    pub warnings: Vec<String>,
}

/// What a console showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What it was asked.
    pub asked: Asks,
    /// What it sent.
    pub bytes: Vec<u8>,
}

/// Judges what a console shows; it may read files and the wall clock.
pub type Judge = Box<dyn FnMut(&Shown) -> Result<Admitted, Refusal> + Send>;

/// What becomes of one message of the bedside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fate {
    /// The loop consumes it.
    Passes,
    /// It was for the door.
    Taken,
    /// It is not for who was not let in; a button is answered.
    Refused(Option<Reply>),
}

/// The door's memory.
pub struct Admission {
    checks: Option<Checks>,
    asks: Option<Asks>,
    admitted: Option<Admitted>,
    refused: Option<Refusal>,
    /// The session that was let in last, until the motors are switched off: who shows its grant
    /// again comes back.
    before: Option<SessionId>,
    told: bool,
}

/// The line to the thread that checks.
struct Checks {
    robot_serial: String,
    ask: SyncSender<Shown>,
    answers: Receiver<(Shown, Result<Admitted, Refusal>)>,
}

/// What refuses who was not let in.
pub const NOT_ADMITTED: Verdict = Verdict { cause: Cause::NoSessionGrant, value: 0.0, limit: 0.0 };

impl Admission {
    /// Lets everybody in: a demo, where robot and patient are invented.
    #[must_use]
    pub const fn open() -> Self {
        Self { checks: None, asks: None, admitted: None, refused: None, before: None, told: false }
    }

    /// Lets in whose grant for the robot with this serial number `judge` accepts.
    ///
    /// # Errors
    /// When the checking thread cannot start.
    pub fn guarded(robot_serial: String, mut judge: Judge) -> Result<Self> {
        let (ask, asked) = sync_channel::<Shown>(WAITING);
        let (answer, answers) = sync_channel(WAITING);
        std::thread::Builder::new().name("admission".into()).spawn(move || {
            for shown in asked {
                let verdict = judge(&shown);
                if answer.send((shown, verdict)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { checks: Some(Checks { robot_serial, ask, answers }), ..Self::open() })
    }

    /// Looks at a message before the loop does. `wall` reads the patient side's clock.
    pub fn look(&mut self, message: &[u8], wall: impl FnOnce() -> Utc) -> Fate {
        match decode_input(message) {
            Ok(Input::Console) => {
                self.welcome(wall());
                Fate::Taken
            }
            Ok(Input::Grant(bytes)) => {
                self.check(bytes);
                Fate::Taken
            }
            Ok(Input::Command { .. }) if !self.admits() => Fate::Refused(None),
            Ok(Input::Action { id, action: Action::Grant }) if !self.admits() => {
                Fate::Refused(Some(Reply { id, refusal: Some(NOT_ADMITTED) }))
            }
            Ok(Input::Action { action: Action::Disable, .. }) => {
                self.before = None;
                Fate::Passes
            }
            _ => Fate::Passes,
        }
    }

    /// What is to be told to the bedside, when it is new.
    pub fn poll(&mut self) -> Option<Note> {
        while let Some((shown, verdict)) =
            self.checks.as_ref().and_then(|c| c.answers.try_recv().ok())
        {
            // An answer to an older console's challenge lets nobody in.
            if Some(&shown.asked) == self.asks.as_ref() {
                self.take(verdict);
            }
        }
        if std::mem::replace(&mut self.told, true) { None } else { Some(self.note()) }
    }

    /// A new visitor knows nothing yet, and who comes through it was not let in.
    pub fn begin(&mut self) {
        self.leave();
        self.asks = None;
    }

    fn admits(&self) -> bool {
        self.checks.is_none() || self.admitted.is_some()
    }

    fn welcome(&mut self, at: Utc) {
        self.leave();
        let Some(checks) = &self.checks else { return };
        let mut nonce = [0; 32];
        let drawn = ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut nonce);
        let purpose = match &self.before {
            None => Use::Start,
            Some(session) => Use::Reconnect { session: session.clone() },
        };
        let robot_serial = checks.robot_serial.clone();
        // Without randomness nobody is asked, and so nobody is let in.
        self.asks =
            drawn.is_ok().then_some(Asks { nonce: Hash32(nonce), purpose, robot_serial, at });
    }

    fn leave(&mut self) {
        self.admitted = None;
        self.refused = None;
        self.told = false;
    }

    fn check(&mut self, bytes: &[u8]) {
        let (Some(checks), Some(asked)) = (&self.checks, self.asks.clone()) else { return };
        let shown = Shown { asked, bytes: bytes.to_vec() };
        // A full queue drops it: the console shows it again.
        let _ = checks.ask.try_send(shown);
    }

    fn take(&mut self, verdict: Result<Admitted, Refusal>) {
        match verdict {
            Ok(admitted) => {
                self.before = Some(admitted.session.clone());
                self.admitted = Some(admitted);
                self.refused = None;
            }
            // One that was let in is not thrown out by a later, worse paper.
            Err(refusal) => self.refused = Some(refusal),
        }
        self.told = false;
    }

    fn note(&self) -> Note {
        Note {
            needed: self.checks.is_some(),
            asks: self.asks.clone(),
            admitted: self.admitted.clone(),
            refused: self.refused.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arm::wire::encode_input;
    use std::time::{Duration, Instant};
    use telehand_alliance::refusal::Rule;

    fn message(input: &Input<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode_input(input, &mut bytes);
        bytes
    }

    fn command() -> Vec<u8> {
        let at = telehand_vocab::Mono::ZERO;
        message(&Input::Command {
            issued_at: at,
            clock_error: telehand_vocab::Span::ZERO,
            bytes: b"",
        })
    }

    fn button(action: Action) -> Vec<u8> {
        message(&Input::Action { id: 7, action })
    }

    /// Accepts "good", knows the session "s1".
    fn guarded() -> Admission {
        let judge: Judge = Box::new(|shown| {
            if shown.bytes == b"good" {
                Ok(Admitted {
                    grant: "g1".into(),
                    session: SessionId::new("s1").unwrap(),
                    case: "c1".into(),
                    surgeon: "p1".into(),
                    until: String::new(),
                    warnings: Vec::new(),
                })
            } else {
                Err(Refusal::new(Rule::Grant, "the grant", "forged", "signed", "a signed one"))
            }
        });
        Admission::guarded("R-1".into(), judge).unwrap()
    }

    fn look(admission: &mut Admission, message: &[u8]) -> Fate {
        admission.look(message, || Utc(0))
    }

    fn settled(admission: &mut Admission) -> Note {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(60) {
            if let Some(note) = admission.poll() {
                return note;
            }
            std::thread::yield_now();
        }
        panic!("no note");
    }

    #[test]
    fn a_010_without_a_grant_neither_button_nor_command_passes_and_the_bedside_keeps_its_own() {
        let mut admission = guarded();
        assert!(settled(&mut admission).needed);
        assert_eq!(look(&mut admission, &command()), Fate::Refused(None));
        let refused = Reply { id: 7, refusal: Some(NOT_ADMITTED) };
        assert_eq!(look(&mut admission, &button(Action::Grant)), Fate::Refused(Some(refused)));
        for local in Action::ALL.into_iter().filter(|action| *action != Action::Grant) {
            assert_eq!(look(&mut admission, &button(local)), Fate::Passes, "A-012: {local:?}");
        }
        assert_eq!(look(&mut admission, &message(&Input::Beat)), Fate::Passes);
    }

    #[test]
    fn a_010_a_good_grant_lets_in_and_a_bad_one_does_not() {
        let mut admission = guarded();
        look(&mut admission, &message(&Input::Console));
        assert_eq!(settled(&mut admission).asks.unwrap().purpose, Use::Start);
        look(&mut admission, &message(&Input::Grant(b"bad")));
        assert!(settled(&mut admission).refused.is_some());
        assert_eq!(look(&mut admission, &command()), Fate::Refused(None));
        look(&mut admission, &message(&Input::Grant(b"good")));
        assert!(settled(&mut admission).admitted.is_some());
        assert_eq!(look(&mut admission, &command()), Fate::Passes);
        assert_eq!(look(&mut admission, &button(Action::Grant)), Fate::Passes);
        // what comes later does not throw out who was let in.
        look(&mut admission, &message(&Input::Grant(b"bad")));
        assert!(settled(&mut admission).refused.is_some());
        assert_eq!(look(&mut admission, &command()), Fate::Passes);
    }

    #[test]
    fn a_011_a_console_that_comes_again_shows_its_grant_again() {
        let mut admission = guarded();
        look(&mut admission, &message(&Input::Console));
        let first = settled(&mut admission).asks.unwrap();
        look(&mut admission, &message(&Input::Grant(b"good")));
        settled(&mut admission);
        look(&mut admission, &message(&Input::Console));
        let note = settled(&mut admission);
        let second = note.asks.unwrap();
        assert!(note.admitted.is_none() && second.nonce != first.nonce);
        assert_eq!(second.purpose, Use::Reconnect { session: SessionId::new("s1").unwrap() });
        assert_eq!(look(&mut admission, &command()), Fate::Refused(None));
    }

    #[test]
    fn motors_off_end_the_session_for_the_arm() {
        let mut admission = guarded();
        look(&mut admission, &message(&Input::Console));
        settled(&mut admission);
        look(&mut admission, &message(&Input::Grant(b"good")));
        settled(&mut admission);
        look(&mut admission, &button(Action::Disable));
        look(&mut admission, &message(&Input::Console));
        assert_eq!(settled(&mut admission).asks.unwrap().purpose, Use::Start);
    }

    #[test]
    fn a_demo_lets_everybody_in() {
        let mut admission = Admission::open();
        assert!(!admission.poll().unwrap().needed);
        assert_eq!(look(&mut admission, &command()), Fate::Passes);
        assert_eq!(look(&mut admission, &button(Action::Grant)), Fate::Passes);
    }
}
