//! An alliance in memory: for tests and figures, never for an alliance that matters.

use super::engine::{Committed, Engine, Later, Request, Undecided};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, RwLock};
use telehand_alliance::apply::apply;
use telehand_alliance::command::{Command, Context};
use telehand_alliance::decide::decide;
use telehand_alliance::event::Stamped;
use telehand_alliance::state::Alliance;
use tokio::sync::watch;

/// An alliance that is forgotten with its process.
#[derive(Debug)]
pub struct Memory {
    state: RwLock<Alliance>,
    log: Mutex<Log>,
    seq: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Log {
    events: Vec<Stamped>,
    answers: BTreeMap<[u8; 32], ([u8; 32], Committed)>,
}

impl Default for Memory {
    fn default() -> Self {
        let (seq, _) = watch::channel(0);
        Self { state: RwLock::new(Alliance::new()), log: Mutex::default(), seq }
    }
}

impl Memory {
    fn now(
        &self,
        context: &Context,
        command: &Command,
        request: Option<Request>,
    ) -> Result<Committed, Undecided> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(request) = request
            && let Some((body, known)) = log.answers.get(&request.name)
        {
            if *body != request.body {
                return Err(Undecided::KeyReused);
            }
            return Ok(Committed { repeated: true, ..known.clone() });
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let events = decide(&state, context, command)?;
        let count = events.len() as u64;
        for event in events {
            let stamped = Stamped {
                seq: state.seq() + 1,
                at: context.now,
                actor: context.actor.clone(),
                reason: context.reason.clone(),
                event,
            };
            apply(&mut state, &stamped)
                .map_err(|error| Undecided::Unavailable { reason: error.to_string() })?;
            log.events.push(stamped);
        }
        let done = Committed { seq: state.seq(), events: count, repeated: false };
        if let Some(request) = request {
            log.answers.insert(request.name, (request.body, done.clone()));
        }
        self.seq.send_replace(done.seq);
        Ok(done)
    }
}

impl Engine for Memory {
    fn look(&self, at: &mut dyn FnMut(&Alliance)) {
        at(&self.state.read().unwrap_or_else(PoisonError::into_inner));
    }

    fn submit(
        &self,
        context: Context,
        command: Command,
        request: Option<Request>,
    ) -> Later<Result<Committed, Undecided>> {
        let outcome = self.now(&context, &command, request);
        Box::pin(async move { outcome })
    }

    fn events(&self, after: u64, limit: usize) -> anyhow::Result<Vec<Stamped>> {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(log.events.iter().skip(after as usize).take(limit).cloned().collect())
    }

    fn follow(&self) -> watch::Receiver<u64> {
        self.seq.subscribe()
    }
}
