//! A million commands against the authority of three robots.
//!
//! Three sites and two surgeons in virtual time, over a line that loses, repeats, reorders, delays
//! and cuts, while programs crash, disks fail, plans are edited, patients re-registered and
//! swapped, tabs opened and stale messages replayed. An oracle that knows what is really so (who
//! lies on which table, what was signed, which wire is in, whose hand is where) looks at every
//! permit. It shares no code and no state with the arbiter.
//!
//! [`Broken`] stands between the world and an arbiter and undoes one of its checks: a campaign that
//! does not catch every one of them would prove nothing.

mod broken;
mod hands;
mod line;
mod oracle;
mod site;
mod team;
mod world;

pub use broken::Broken;
pub use oracle::{Breach, Violation};

use std::collections::BTreeMap;
use telehand_vocab::Span;

/// What to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Motion commands to deliver.
    pub commands: u64,
    /// Every invention comes from it.
    pub seed: u64,
    /// Which check of the arbiters is undone; `None` for arbiters as they are.
    pub broken: Option<Broken>,
    /// Stop at the first violation of this kind.
    pub stop_at: Option<Breach>,
}

impl Settings {
    /// Arbiters as they are.
    pub const fn new(commands: u64, seed: u64) -> Self {
        Self { commands, seed, broken: None, stop_at: None }
    }
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Motion commands that reached a site.
    pub commands: u64,
    /// Ticks for which a motion along a trajectory was permitted.
    pub permits: u64,
    /// Motions that began.
    pub motions: u64,
    /// Messages and acts refused, by rule (`O-003`).
    pub refusals: BTreeMap<String, u64>,
    /// What happened, by name.
    pub happened: BTreeMap<&'static str, u64>,
    /// Permits that should not have been given, and epochs given twice. At most 100 are kept.
    pub violations: Vec<Violation>,
    /// How many there were of each kind.
    pub breaches: BTreeMap<Breach, u64>,
    /// How often the robot came to hold because its surgeon's line was cut while it moved.
    pub cuts_in_motion: u64,
    /// The longest time from such a cut to the hold.
    pub worst_hold: Span,
    /// Local take-overs completed (a permit under the local team's lease) while lines were cut.
    pub take_overs: u64,
    /// The longest time from the grab at the panel in the theatre to the lease.
    pub worst_take_over: Span,
    /// Virtual time.
    pub lasted: Span,
}

/// Runs a campaign. The same settings give the same outcome on every machine.
pub fn run(settings: &Settings) -> Outcome {
    world::World::new(settings).run()
}

#[cfg(test)]
mod tests;
