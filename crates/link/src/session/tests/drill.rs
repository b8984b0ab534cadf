//! A whole session in virtual time over a seeded network.

use crate::keys::SessionKeys;
use crate::rng::Rng;
use crate::session::{Config, Event, Role, Session};
use std::collections::BTreeMap;
use telehand_sim::network::{Delivery, Direction, Network, Profile};
use telehand_vocab::{Mono, Span};

const MS: u64 = 1_000_000;
/// The patient side's clock is this far ahead at the start.
const AHEAD: u64 = 1_000_000 * MS;
const START: Mono = Mono::from_millis(1_000);

/// What both sides do besides commands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// A command each millisecond.
    pub commands: bool,
    /// A state each two milliseconds.
    pub states: bool,
    /// A message from each side each 50 ms.
    pub messages: bool,
    /// Pictures of about so many bytes, 60 a second.
    pub picture: Option<u64>,
    /// How much faster the patient side's clock runs.
    pub drift_ppm: f64,
}

pub(super) const HANDS: Load =
    Load { commands: true, states: true, messages: false, picture: None, drift_ppm: 0.0 };

#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub sent: Mono,
    pub arrived: Option<Mono>,
}

/// Everything that happened, in true time.
#[derive(Default)]
pub(super) struct Log {
    pub commands: Vec<Sample>,
    pub executed: Vec<(Mono, u64)>,
    pub states: Vec<(Mono, u64)>,
    pub messages: [Vec<u64>; 2],
    pub messages_sent: u64,
    pub pictures: BTreeMap<u32, Sample>,
    pub pictures_lost: Vec<(Mono, u32)>,
    pub changes: Vec<(Mono, Role, Event)>,
    /// The worst error of the mapped time, as a fraction of its bound, and the worst in ms.
    pub clock_share: f64,
    pub clock_worst_ms: f64,
    pub sent_bytes: [u64; 2],
    pub datagrams: Vec<(Direction, usize, Vec<u8>)>,
}

pub(super) struct Drill {
    pub console: Session,
    pub patient: Session,
    pub network: Network<Vec<u8>>,
    pub load: Load,
    pub now: Mono,
    pub log: Log,
    pub keep_datagrams: bool,
    rng: Rng,
    tick: u64,
    pictures: BTreeMap<u32, Vec<u8>>,
}

/// A network of these paths: lines of TOML each.
pub(super) fn network(paths: &[&str]) -> Profile {
    let mut text = String::from("name = \"t\"\nabout = \"t\"\nabout_zh = \"t\"\nsource = \"t\"\n");
    for (n, path) in paths.iter().enumerate() {
        text.push_str(&["[[path]]\nname = \"p", &n.to_string(), "\"\n", path, "\n"].concat());
    }
    Profile::parse(&text).unwrap_or_else(|e| panic!("{e}"))
}

impl Drill {
    pub(super) fn new(paths: &[&str], seed: u64, load: Load) -> Self {
        let config = Config::new(paths.len());
        Self::with(paths, seed, load, config)
    }

    pub(super) fn with(paths: &[&str], seed: u64, load: Load, config: Config) -> Self {
        let profile = network(paths);
        let keys = SessionKeys::for_test(seed);
        let patient_start = patient_clock(START, load.drift_ppm);
        Self {
            console: Session::new(Role::Console, keys.clone(), config.clone(), START),
            patient: Session::new(Role::Patient, keys, config, patient_start),
            network: Network::new(&profile, seed, START),
            load,
            now: START,
            log: Log::default(),
            keep_datagrams: false,
            rng: Rng::new(seed),
            tick: 0,
            pictures: BTreeMap::new(),
        }
    }

    pub(super) fn patient_now(&self) -> Mono {
        patient_clock(self.now, self.load.drift_ppm)
    }

    pub(super) fn run(&mut self, span: Span) {
        let (end, mut still) = (self.now + span, 0);
        while self.now < end {
            let tick_at = START + Span::from_nanos(self.tick * MS);
            let patient = self.patient.poll_timeout().map(|at| true_time(at, self.load.drift_ppm));
            let next = [self.network.next_due(), self.console.poll_timeout(), patient]
                .into_iter()
                .flatten()
                .fold(tick_at, Mono::min);
            still = if next > self.now { 0 } else { still + 1 };
            assert!(still < 20_000, "time stands still: a timeout is never served");
            self.now = next.max(self.now);
            self.step(tick_at);
        }
    }

    /// Runs on without new commands until nothing more is to come.
    pub(super) fn settle(&mut self) {
        self.load =
            Load { commands: false, states: false, messages: false, picture: None, ..self.load };
        self.run(Span::from_millis(3_000));
    }

    fn step(&mut self, tick_at: Mono) {
        let now = self.now;
        while let Some(Delivery { path, direction, mut payload, .. }) = self.network.poll(now) {
            match direction {
                Direction::Out => {
                    self.patient.handle_datagram(self.patient_now(), path, &mut payload)
                }
                Direction::Back => self.console.handle_datagram(now, path, &mut payload),
            };
        }
        if now >= tick_at {
            self.work();
            self.tick += 1;
        }
        let there = self.patient_now();
        if self.console.poll_timeout().is_some_and(|at| at <= now) {
            self.console.handle_timeout(now);
        }
        if self.patient.poll_timeout().is_some_and(|at| at <= there) {
            self.patient.handle_timeout(there);
        }
        self.transmit();
        self.take_events();
    }

    fn work(&mut self) {
        let (now, there, tick) = (self.now, self.patient_now(), self.tick);
        if self.load.commands {
            let seq = self.console.send_command(now, &command(self.log.commands.len() as u64));
            assert_eq!(seq as usize, self.log.commands.len());
            self.log.commands.push(Sample { sent: now, arrived: None });
        }
        if self.load.states && tick % 2 == 0 {
            self.patient.send_state(there, &[tick.to_be_bytes().as_slice(), &[9; 220]].concat());
        }
        if self.load.messages && tick % 50 == 0 {
            let mut bytes = self.log.messages_sent.to_be_bytes().to_vec();
            bytes.resize([8, 700, 3_000][(tick / 50 % 3) as usize], 5);
            self.log.messages_sent += 1;
            self.console.send_event(now, &bytes).unwrap();
            self.patient.send_event(there, &bytes).unwrap();
        }
        if let Some(about) = self.load.picture
            && tick * 60 / 1_000 != (tick + 1) * 60 / 1_000
        {
            let seq = self.log.pictures.len() as u32;
            // sizes vary, as an encoder's do
            let len = (about as f64 * (0.6 + 0.8 * self.rng.unit())) as u64;
            let bytes: Vec<u8> = (0..len).map(|_| self.rng.next() as u8).collect();
            assert!(self.patient.send_video(there, seq, there, &bytes));
            self.log.pictures.insert(seq, Sample { sent: now, arrived: None });
            self.pictures.insert(seq, bytes);
            self.pictures.remove(&seq.wrapping_sub(400));
        }
        if let Some(clock) = self.console.clock() {
            let off = clock.local_from_peer(there).as_nanos() as f64 - now.as_nanos() as f64;
            let share = off.abs() / clock.error.as_nanos() as f64;
            self.log.clock_share = self.log.clock_share.max(share);
            self.log.clock_worst_ms = self.log.clock_worst_ms.max(off.abs() * 1e-6);
        }
    }

    fn transmit(&mut self) {
        let (now, there) = (self.now, self.patient_now());
        let mut out = Vec::new();
        for direction in Direction::BOTH {
            loop {
                let transmit = match direction {
                    Direction::Out => self.console.poll_transmit(now, &mut out),
                    Direction::Back => self.patient.poll_transmit(there, &mut out),
                };
                let Some(transmit) = transmit else { break };
                assert!(out.len() <= crate::seal::DATAGRAM_MAX);
                // with 28 bytes of IP and UDP
                self.log.sent_bytes[direction as usize] += out.len() as u64 + 28;
                if self.keep_datagrams {
                    self.log.datagrams.push((direction, transmit.path, out.clone()));
                }
                self.network.send(now, transmit.path, direction, out.len(), out.clone());
            }
        }
    }

    fn take_events(&mut self) {
        while let Some(event) = self.patient.poll_event() {
            self.take_event(Role::Patient, event);
        }
        while let Some(event) = self.console.poll_event() {
            self.take_event(Role::Console, event);
        }
    }

    fn take_event(&mut self, who: Role, event: Event) {
        let now = self.now;
        match event {
            Event::Command { seq, issued_at, bytes, newest, .. } => {
                let sample = &mut self.log.commands[seq as usize];
                assert_eq!(sample.arrived, None, "command {seq} came twice");
                assert_eq!((issued_at, &bytes), (sample.sent, &command(seq)));
                sample.arrived = Some(now);
                if newest {
                    let before = self.log.executed.last().map(|(_, seq)| *seq);
                    assert!(before.is_none_or(|b| b < seq), "{seq} executed after {before:?}");
                    self.log.executed.push((now, seq));
                }
            }
            Event::State { bytes } => {
                let number = u64::from_be_bytes(*bytes.first_chunk().unwrap());
                assert!(self.log.states.last().is_none_or(|(_, n)| *n < number));
                self.log.states.push((now, number));
            }
            Event::Message { bytes } => {
                let number = u64::from_be_bytes(*bytes.first_chunk().unwrap());
                self.log.messages[who as usize].push(number);
            }
            Event::Frame { seq, bytes, .. } => {
                assert_eq!(Some(&bytes), self.pictures.get(&seq), "picture {seq} is damaged");
                let sample = self.log.pictures.get_mut(&seq).unwrap();
                assert_eq!(sample.arrived, None, "picture {seq} came twice");
                sample.arrived = Some(now);
            }
            Event::FrameLost { seq } => self.log.pictures_lost.push((now, seq)),
            other => self.log.changes.push((now, who, other)),
        }
    }

    /// Commands that arrived within `propagation` and 5 ms, of those sent; and all that arrived.
    pub(super) fn commands(&self, propagation: Span) -> Score {
        let limit = propagation.plus(Span::from_millis(5));
        let mut score = Score { sent: self.log.commands.len(), ..Score::default() };
        for sample in &self.log.commands {
            let Some(arrived) = sample.arrived else { continue };
            score.arrived += 1;
            score.in_time += usize::from(arrived.since(sample.sent) <= limit);
        }
        for pair in self.log.executed.windows(2) {
            score.gap = score.gap.max(pair[1].0.since(pair[0].0));
        }
        score
    }

    /// The same for pictures, within `propagation` and `budget`.
    pub(super) fn pictures(&self, propagation: Span, budget: Span) -> Score {
        let limit = propagation.plus(budget);
        let mut score = Score { sent: self.log.pictures.len(), ..Score::default() };
        for sample in self.log.pictures.values() {
            let Some(arrived) = sample.arrived else { continue };
            score.arrived += 1;
            score.in_time += usize::from(arrived.since(sample.sent) <= limit);
        }
        score
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Score {
    pub sent: usize,
    pub in_time: usize,
    pub arrived: usize,
    /// The longest time without a newer command.
    pub gap: Span,
}

impl Score {
    pub(super) fn late(&self) -> usize {
        self.sent - self.in_time
    }

    pub(super) fn lost(&self) -> usize {
        self.sent - self.arrived
    }

    pub(super) fn add(&mut self, other: Self) {
        self.sent += other.sent;
        self.in_time += other.in_time;
        self.arrived += other.arrived;
        self.gap = self.gap.max(other.gap);
    }

    pub(super) fn percent(&self) -> f64 {
        100.0 * self.in_time as f64 / self.sent as f64
    }
}

fn patient_clock(now: Mono, drift_ppm: f64) -> Mono {
    let drift = now.as_nanos() as f64 * drift_ppm * 1e-6;
    Mono::from_nanos((AHEAD + now.as_nanos()).saturating_add_signed(drift as i64))
}

/// The first true time at which the patient side's clock shows `at`.
fn true_time(at: Mono, drift_ppm: f64) -> Mono {
    let local = at.as_nanos().saturating_sub(AHEAD) as f64 / (1.0 + drift_ppm * 1e-6);
    let mut guess = Mono::from_nanos((local as u64).saturating_sub(5));
    while patient_clock(guess, drift_ppm) < at {
        guess += Span::from_nanos(1);
    }
    guess
}

/// A command as the console makes them: most bytes stand still.
pub(super) fn command(seq: u64) -> Vec<u8> {
    let mut bytes = vec![3; 92];
    bytes[1..9].copy_from_slice(&seq.to_be_bytes());
    for (n, place) in [(1, 31), (2, 35), (3, 39), (5, 64), (6, 68), (7, 72)] {
        let wave = (seq as f64 * 1e-3 * f64::from(n)).sin() * 4e7;
        bytes[place..place + 4].copy_from_slice(&(wave as i32).to_be_bytes());
    }
    bytes
}
