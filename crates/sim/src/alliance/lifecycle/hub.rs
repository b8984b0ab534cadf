//! A hub that can lose what it did not acknowledge, and nothing else.

use crate::random::Random;
use telehand_alliance::apply::apply;
use telehand_alliance::command::{Command, Context};
use telehand_alliance::decide::decide;
use telehand_alliance::event::Stamped;
use telehand_alliance::invariant::{self, Broken, Invariant, Watch};
use telehand_alliance::refusal::Refusal;
use telehand_alliance::state::Alliance;

/// Events between two snapshots.
const SNAPSHOT: usize = 512;

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Acknowledged, with so many events.
    Done(usize),
    /// Refused.
    Refused(Refusal),
    /// No answer came: the hub died, before or after it kept the events.
    Silence,
}

/// The hub of a simulation.
#[derive(Debug, Clone, Default)]
pub struct SimHub {
    state: Alliance,
    log: Vec<Stamped>,
    snapshot: Alliance,
    watch: Watch,
    ids: u64,
    /// What [`SimHub::need`] was asked for, where somebody wants to play it again elsewhere.
    pub script: Option<Vec<(Context, Command)>>,
    /// The first invariant that broke.
    pub broken: Option<Broken>,
    /// How often it died.
    pub crashes: u64,
}

impl SimHub {
    /// What it knows.
    pub const fn state(&self) -> &Alliance {
        &self.state
    }

    /// What it acknowledged, in order.
    pub fn log(&self) -> &[Stamped] {
        &self.log
    }

    /// A new name.
    pub fn next_id<T: core::str::FromStr>(&mut self, kind: &str) -> T {
        self.ids += 1;
        super::super::cast::id(&format!("{kind}-{}", self.ids))
    }

    /// Decides and keeps, without faults.
    pub fn submit(&mut self, context: &Context, command: &Command) -> Result<usize, Refusal> {
        let events = decide(&self.state, context, command)?;
        let count = events.len();
        for event in events {
            let stamped = Stamped {
                seq: self.state.seq() + 1,
                at: context.now,
                actor: context.actor.clone(),
                reason: context.reason.clone(),
                event,
            };
            if let Err(broken) = self.watch.see(&stamped) {
                self.broken.get_or_insert(broken);
            }
            if let Err(error) = apply(&mut self.state, &stamped) {
                let (invariant, seq) = (Invariant::I4, stamped.seq);
                self.broken.get_or_insert(Broken { invariant, seq, what: error.to_string() });
            }
            self.log.push(stamped);
            if self.log.len().is_multiple_of(SNAPSHOT) {
                self.snapshot.clone_from(&self.state);
            }
        }
        Ok(count)
    }

    /// The same for what must succeed.
    pub fn need(&mut self, context: &Context, command: Command) -> Result<(), Refusal> {
        self.submit(context, &command)?;
        if let Some(script) = &mut self.script {
            script.push((context.clone(), command));
        }
        Ok(())
    }

    /// Decides and keeps; dies now and then, before or after keeping, and comes back.
    pub fn request(&mut self, context: &Context, command: &Command, faults: &mut Random) -> Answer {
        let fault = faults.below(400);
        if fault == 0 {
            // decided, not kept, not acknowledged: gone
            drop(decide(&self.state, context, command));
            self.crash();
            return Answer::Silence;
        }
        let answer = match self.submit(context, command) {
            Ok(count) => Answer::Done(count),
            Err(refusal) => Answer::Refused(refusal),
        };
        if fault == 1 {
            self.crash();
            return Answer::Silence;
        }
        answer
    }

    /// Forgets everything and reads the snapshot and the log after it.
    pub fn crash(&mut self) {
        self.crashes += 1;
        let mut state = self.snapshot.clone();
        let from = state.seq() as usize;
        for stamped in self.log.iter().skip(from) {
            if apply(&mut state, stamped).is_err() {
                break;
            }
        }
        if state != self.state {
            let seq = self.state.seq();
            let what = String::from("after a crash the state is another one");
            self.broken.get_or_insert(Broken { invariant: Invariant::I4, seq, what });
        }
        self.state = state;
    }

    /// The last look: every invariant over the whole history.
    pub fn verify(&self) -> Result<(), Broken> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        if self.watch.state() == &self.state {
            return Ok(());
        }
        invariant::check(&self.state, &self.log)
    }
}
