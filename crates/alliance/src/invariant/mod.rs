//! What must always hold, checked from the history alone by plain means: its own small model of
//! slots, holders and uploads, and its own look at consent, privilege and paths. It shares no code
//! with [`crate::decide`], so that a rule broken there shows here.

mod grant;
mod probe;
mod watch;

pub use probe::probe;
pub use watch::Watch;

use crate::event::Stamped;
use crate::state::Alliance;
use alloc::format;
use alloc::string::String;
use core::fmt;

/// The invariants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// At most one control holder per robot and epoch.
    I1,
    /// No grant without valid consent, privilege, qualification and stand-by; two people sign.
    I2,
    /// No resource and slot twice.
    I3,
    /// Every state change has exactly one log leaf, and replaying the log gives the state.
    I4,
    /// No patient data in what the hub keeps.
    I5,
    /// A hub that was down changes nothing: a site's record arrives whole, in order, once.
    I6,
    /// Local take-over is accepted in every reachable state.
    I7,
    /// Tenants are apart.
    I8,
    /// A published booking is changed only by a decision with a reason.
    I9,
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub invariant: Invariant,
    /// At which event.
    pub seq: u64,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} broken at event {}: {}", self.invariant, self.seq, self.what)
    }
}

impl core::error::Error for Broken {}

/// Replays the whole history with every check, then compares with the state.
pub fn check(state: &Alliance, history: &[Stamped]) -> Result<(), Broken> {
    let mut watch = Watch::new();
    for stamped in history {
        watch.see(stamped)?;
    }
    if watch.state() == state {
        return Ok(());
    }
    let what = format!("replaying {} events gives another state", history.len());
    Err(Broken { invariant: Invariant::I4, seq: state.seq(), what })
}

/// Looks for words that must not be there (planted by a test) in what the events say.
pub fn canaries(history: &[Stamped], words: &[&str]) -> Result<(), Broken> {
    for stamped in history {
        let text = format!("{stamped:?}");
        if let Some(word) = words.iter().find(|word| text.contains(**word)) {
            let what = format!("{word:?} is in the log");
            return Err(Broken { invariant: Invariant::I5, seq: stamped.seq, what });
        }
    }
    Ok(())
}
