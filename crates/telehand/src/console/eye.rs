//! Our own decoder: sees what a page would show, without a browser; and the scripted surgeon's eyes.

use super::Booth;
use super::endpoint::fate;
use super::shown::Passed;
use crate::clock;
use crate::lock;
use anyhow::Result;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;
use telehand_sim::surgeon::{Surgeon, SurgeonConfig};
use telehand_video::{Decoder, I420, WireFrame, stamp};
use telehand_vocab::{Mono, Span};

/// How often the scripted surgeon moves the hands.
const HAND_PERIOD: Span = Span::from_millis(1);
/// How often it says what it does.
const PHASE_WAIT: Duration = Duration::from_millis(100);

/// Decodes until the process ends, or the scripted surgeon is done.
pub fn run(
    booth: &Booth,
    frames: &Receiver<WireFrame>,
    surgeon: Option<SurgeonConfig>,
) -> Result<()> {
    let mut eye = Eye { booth, decoder: Decoder::new()? };
    match surgeon {
        None => loop {
            match frames.recv_timeout(PHASE_WAIT) {
                Ok(frame) => drop(eye.look(&frame)?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        },
        Some(config) => operate(&mut eye, frames, Surgeon::new(config)),
    }
}

fn operate(eye: &mut Eye<'_>, frames: &Receiver<WireFrame>, mut surgeon: Surgeon) -> Result<()> {
    let mut next = clock::now();
    let mut phase = String::new();
    let mut felt = Mono::ZERO;
    loop {
        match frames.try_recv() {
            Ok(frame) => {
                if let Some((picture, born)) = eye.look(&frame)? {
                    let intact = true;
                    surgeon.see(clock::now(), &picture, born, intact);
                }
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return Ok(()),
        }
        let now = clock::now();
        if let Some(feedback) = eye.booth.feedback().filter(|f| f.at > felt) {
            felt = feedback.at;
            surgeon.feel(now, &feedback);
        }
        lock(&eye.booth.hands).put(now, surgeon.hands(now));
        if surgeon.phase() != phase {
            surgeon.phase().clone_into(&mut phase);
            eye.booth.tape.note("surgeon", phase.clone());
        }
        if let Some(outcome) = surgeon.done() {
            eye.booth.tape.note("outcome", format!("{outcome:?}"));
            lock(&eye.booth.hands).let_go();
            eye.booth.done.notify_one();
            return Ok(());
        }
        next = next.max(now) + HAND_PERIOD;
        clock::sleep_until(next);
    }
}

struct Eye<'a> {
    booth: &'a Booth,
    decoder: Decoder,
}

impl Eye<'_> {
    /// Decodes one frame and shows it: the picture and its birth on our clock. A damaged one is
    /// never shown.
    fn look(&mut self, frame: &WireFrame) -> Result<Option<(I420, Mono)>> {
        let decoded = self.decoder.decode(&frame.access_unit);
        let now = clock::now();
        let passed = Passed::of(frame);
        let picture = match decoded {
            Ok(Some(picture)) => picture,
            Ok(None) => return Ok(None),
            Err(_) => {
                self.booth.damaged.store(true, Ordering::Release);
                lock(&self.booth.shown).damaged += 1;
                self.booth.tape.write(now, fate(now, passed, "damaged", None, None));
                // What the decoder holds is in doubt: begin with a new one at the next IDR.
                self.decoder = Decoder::new()?;
                return Ok(None);
            }
        };
        let Some(at_patient) = self.booth.at_patient(now) else { return Ok(None) };
        let mark = stamp::read(&picture).filter(|mark| mark.frame == frame.seq & 0x00FF_FFFF);
        let age = lock(&self.booth.shown).show(now, at_patient, mark);
        let born = mark.and(age).map(|age| now - age);
        let word = if mark.is_some() { "shown" } else { "shown_unstamped" };
        self.booth.tape.write(now, fate(now, passed, word, born, age));
        Ok(born.map(|born| (picture, born)))
    }
}
