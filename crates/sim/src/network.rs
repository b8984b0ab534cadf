//! Bad networks, invented from a seed: several paths, two directions each, sans-IO.
//!
//! Times go in with every packet, arrival times come out; nothing here waits or reads a clock, so the
//! same code serves tests in virtual time and the real-time relay `telehand wan`. Every path and
//! direction, and in it every cause of trouble, draws from its own random stream: what one path
//! carries never shifts another's fate, and the n-th packet of a lane keeps its fate whatever happened
//! to the packets before it, unless they share a queue.
//!
//! ```
//! use telehand_sim::network::{Direction, Network, Profile};
//! use telehand_vocab::{Mono, Span};
//!
//! let profile = Profile::shipped("bench-clean").expect("shipped");
//! let start = Mono::ZERO;
//! let mut network = Network::new(&profile, 7, start);
//! network.send(start, 0, Direction::Out, 128, b"a beat".to_vec());
//! assert!(network.poll(start).is_none());
//! let there = start + Span::from_millis(35);
//! assert_eq!(network.poll(there).expect("arrived").payload, b"a beat");
//! ```

mod conditions;
mod lane;
mod models;
mod profile;

use std::collections::BTreeMap;

use telehand_vocab::{Mono, Span};

pub use conditions::{Burst, Conditions, Jitter, Outage, Phase, RandomOutage, Rate, Tail};
pub use lane::{Counters, Fate, Lane, Loss};
pub use profile::{About, PATHS_MAX, PathProfile, Profile, ProfileError, shipped_names};

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From the surgeon's side to the patient's: commands. (For a relay: client to target.)
    Out,
    /// From the patient's side to the surgeon's: state and video. (For a relay: target to client.)
    Back,
}

impl Direction {
    /// Both directions, `Out` first.
    pub const BOTH: [Self; 2] = [Self::Out, Self::Back];

    /// The word used in profiles, logs and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Out => "out",
            Self::Back => "back",
        }
    }
}

/// A packet that has come out at the far end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery<T> {
    /// The path it took, counted from 0.
    pub path: usize,
    /// The way it went.
    pub direction: Direction,
    /// When it was sent.
    pub sent_at: Mono,
    /// When it is due at the far end: never after the time given to [`Network::poll`].
    pub due_at: Mono,
    /// What was sent.
    pub payload: T,
}

/// Several emulated paths with the packets now on them. `T` is what a packet carries.
#[derive(Debug, Clone)]
pub struct Network<T = Vec<u8>> {
    paths: Vec<Path>,
    flying: BTreeMap<(Mono, u64), Delivery<T>>,
    sent: u64,
}

#[derive(Debug, Clone)]
struct Path {
    name: String,
    lanes: [Lane; 2],
    cut: Cut,
}

/// A cut made by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Whole,
    Until(Mono),
    Forever,
}

impl<T: Clone> Network<T> {
    /// The network of `profile`, its scheduled outages counted from `start`.
    #[must_use]
    pub fn new(profile: &Profile, seed: u64, start: Mono) -> Self {
        let paths = profile.paths.iter().map(|path| Path::new(path, seed, start)).collect();
        Self { paths, flying: BTreeMap::new(), sent: 0 }
    }

    /// Sends a packet of `length` bytes of UDP payload and says what becomes of it.
    ///
    /// `now` must not go back from call to call. A path that does not exist loses everything.
    pub fn send(
        &mut self,
        now: Mono,
        path: usize,
        direction: Direction,
        length: usize,
        payload: T,
    ) -> Fate {
        let Some(road) = self.paths.get_mut(path) else { return Fate::Lost(Loss::Cut) };
        let cut = road.cut_at(now);
        let fate = road.lane_mut(direction).offer(now, length, cut);
        if let Fate::Arrives { at, copy } = fate {
            let delivery =
                |due_at, payload| Delivery { path, direction, sent_at: now, due_at, payload };
            if let Some(copy_at) = copy {
                self.enqueue(delivery(copy_at, payload.clone()));
            }
            self.enqueue(delivery(at, payload));
        }
        fate
    }

    /// The next packet due at or before `now`, in order of arrival.
    pub fn poll(&mut self, now: Mono) -> Option<Delivery<T>> {
        let entry = self.flying.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    /// When the next packet comes out.
    #[must_use]
    pub fn next_due(&self) -> Option<Mono> {
        self.flying.first_key_value().map(|((due, _), _)| *due)
    }

    /// Packets now on the way.
    #[must_use]
    pub fn flying(&self) -> usize {
        self.flying.len()
    }

    fn enqueue(&mut self, delivery: Delivery<T>) {
        self.sent = self.sent.wrapping_add(1);
        self.flying.insert((delivery.due_at, self.sent), delivery);
    }
}

/// Looking at the paths and changing them while packets fly.
impl<T> Network<T> {
    /// How many paths there are.
    #[must_use]
    pub const fn paths(&self) -> usize {
        self.paths.len()
    }

    /// The path's name.
    #[must_use]
    pub fn name(&self, path: usize) -> Option<&str> {
        self.paths.get(path).map(|path| path.name.as_str())
    }

    /// The path of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.paths.iter().position(|path| path.name == name)
    }

    /// Cuts a path both ways, for a time or until [`Network::restore`]. What already flies arrives.
    pub fn cut(&mut self, now: Mono, path: usize, length: Option<Span>) {
        if let Some(path) = self.paths.get_mut(path) {
            path.cut = length.map_or(Cut::Forever, |length| Cut::Until(now + length));
        }
    }

    /// Mends a path cut by hand. Outages of the profile are not touched.
    pub fn restore(&mut self, path: usize) {
        if let Some(path) = self.paths.get_mut(path) {
            path.cut = Cut::Whole;
        }
    }

    /// Whether the path is cut by hand at `now`.
    #[must_use]
    pub fn is_cut(&self, now: Mono, path: usize) -> bool {
        self.paths.get(path).is_some_and(|path| path.cut_at(now))
    }

    /// Whether the path's lane of that direction would carry a packet at `now`: neither cut by hand
    /// nor in an outage of its profile. (Looking moves the lane's timeline on to `now`.)
    pub fn is_up(&mut self, now: Mono, path: usize, direction: Direction) -> bool {
        self.paths
            .get_mut(path)
            .is_some_and(|path| !path.cut_at(now) && !path.lane_mut(direction).in_outage(now))
    }

    /// The conditions in force on a lane.
    #[must_use]
    pub fn conditions(&self, path: usize, direction: Direction) -> Option<&Conditions> {
        self.paths.get(path).map(|path| path.lane(direction).conditions())
    }

    /// Puts new conditions in force from `now`; packets already flying keep their fate.
    pub fn set(&mut self, now: Mono, path: usize, direction: Direction, conditions: Conditions) {
        if let Some(path) = self.paths.get_mut(path) {
            path.lane_mut(direction).set(now, conditions);
        }
    }

    /// What a lane has carried and lost so far.
    #[must_use]
    pub fn counters(&self, path: usize, direction: Direction) -> Counters {
        self.paths.get(path).map(|path| *path.lane(direction).counters()).unwrap_or_default()
    }
}

impl Path {
    fn new(profile: &PathProfile, seed: u64, start: Mono) -> Self {
        let lane = |direction: Direction, conditions: &Conditions| {
            Lane::new(conditions.clone(), seed, &profile.name, direction, start)
        };
        Self {
            name: profile.name.clone(),
            lanes: [lane(Direction::Out, &profile.out), lane(Direction::Back, &profile.back)],
            cut: Cut::Whole,
        }
    }

    fn cut_at(&self, now: Mono) -> bool {
        match self.cut {
            Cut::Whole => false,
            Cut::Until(end) => now < end,
            Cut::Forever => true,
        }
    }

    const fn lane(&self, direction: Direction) -> &Lane {
        let [out, back] = &self.lanes;
        match direction {
            Direction::Out => out,
            Direction::Back => back,
        }
    }

    const fn lane_mut(&mut self, direction: Direction) -> &mut Lane {
        let [out, back] = &mut self.lanes;
        match direction {
            Direction::Out => out,
            Direction::Back => back,
        }
    }
}

#[cfg(test)]
mod tests;
