//! One path: is it up, how long does it take each way, what does it lose.
//!
//! A probe: `path 1 | sent at ns 8 | flags 1 | echo: the peer's probe was sent 8, arrived here 8`.
//! Both sides probe; each probe carries back the newest one heard, so every one that arrives
//! completes an exchange of four times, however many others were lost.

use crate::session::clock::{Clock, Exchange};
use crate::session::loss::LossMeter;
use crate::session::report::PathReport;
use crate::wire::{DecodeError, Reader};
use telehand_vocab::{Mono, Span};

/// Probes remembered for delay and jitter: ten seconds.
const DELAYS: usize = 200;
/// Good probes in a row before a path is up.
const GOOD: u32 = 3;
/// How long the first probes follow each other fast.
const EAGER: Span = Span::from_millis(500);
const EAGER_EVERY: Span = Span::from_millis(10);
const ECHO: u8 = 1;

/// A probe as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The path it was sent on.
    pub path: u8,
    /// When (sender's clock).
    pub sent_at: Mono,
    /// The newest probe the sender heard: when it was sent (receiver's clock) and when it arrived
    /// (sender's clock).
    pub echo: Option<(Mono, Mono)>,
}

/// Appends the probe.
pub fn encode_probe(probe: &Probe, out: &mut Vec<u8>) {
    out.push(probe.path);
    out.extend_from_slice(&probe.sent_at.as_nanos().to_be_bytes());
    out.push(if probe.echo.is_some() { ECHO } else { 0 });
    if let Some((sent, arrived)) = probe.echo {
        out.extend_from_slice(&sent.as_nanos().to_be_bytes());
        out.extend_from_slice(&arrived.as_nanos().to_be_bytes());
    }
}

/// Reads a probe from exactly these bytes.
///
/// # Errors
/// [`DecodeError`] for anything [`encode_probe`] does not write.
pub fn decode_probe(bytes: &[u8]) -> Result<Probe, DecodeError> {
    let mut reader = Reader::new(bytes);
    let path = reader.u8()?;
    let sent_at = Mono::from_nanos(reader.u64()?);
    let echo = match crate::fixed::flags(&mut reader, "probe flags", ECHO)? {
        0 => None,
        _ => Some((Mono::from_nanos(reader.u64()?), Mono::from_nanos(reader.u64()?))),
    };
    reader.end()?;
    Ok(Probe { path, sent_at, echo })
}

/// The last delays of one direction, in nanoseconds of the two clocks' difference: only
/// differences between them mean something until the clock is known.
#[derive(Debug, Default)]
struct Delays {
    ring: Vec<i64>,
    next: usize,
}

impl Delays {
    fn push(&mut self, delay: i64) {
        if let Some(place) = self.ring.get_mut(self.next) {
            *place = delay;
        } else {
            self.ring.push(delay);
        }
        self.next = (self.next + 1) % DELAYS;
    }

    /// p50 and p99.
    fn percentiles(&self) -> Option<(i64, i64)> {
        let mut sorted = self.ring.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        Some((*sorted.get(last / 2)?, *sorted.get(last * 99 / 100)?))
    }
}

/// A change of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Up,
    Down,
}

/// What is known of one path.
#[derive(Debug)]
pub(crate) struct Path {
    number: usize,
    born: Mono,
    pub(crate) up: bool,
    good: u32,
    heard_at: Option<Mono>,
    /// The newest of our own probes that the peer has told of.
    echoed: Option<Mono>,
    to_echo: Option<(Mono, Mono)>,
    next_probe: Mono,
    /// Smoothed, RFC 6298 weights.
    pub(crate) round_trip: Option<Span>,
    into: Delays,
    out: Delays,
    /// Of what goes out of every path.
    pub(crate) shared: LossMeter,
    /// Of what goes out of this path only.
    pub(crate) own: LossMeter,
    /// How the peer sees what we send on this path.
    pub(crate) remote: Option<PathReport>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) packets_in: u64,
    pub(crate) packets_out: u64,
}

impl Path {
    pub(crate) fn new(number: usize, now: Mono) -> Self {
        Self {
            number,
            born: now,
            up: false,
            good: 0,
            heard_at: None,
            echoed: None,
            to_echo: None,
            next_probe: now,
            round_trip: None,
            into: Delays::default(),
            out: Delays::default(),
            shared: LossMeter::default(),
            own: LossMeter::default(),
            remote: None,
            bytes_in: 0,
            bytes_out: 0,
            packets_in: 0,
            packets_out: 0,
        }
    }

    /// Something authentic arrived on this path.
    pub(crate) fn on_heard(&mut self, now: Mono, bytes: usize) {
        self.heard_at = Some(now);
        self.bytes_in += bytes as u64;
        self.packets_in += 1;
    }

    /// A probe that was not seen before. Returns the exchange it completes.
    pub(crate) fn on_probe(&mut self, now: Mono, probe: &Probe) -> Option<Exchange> {
        if self.to_echo.is_none_or(|(sent, _)| probe.sent_at >= sent) {
            self.to_echo = Some((probe.sent_at, now));
        }
        let (t1, t2) = probe.echo?;
        let exchange = Exchange { t1, t2, t3: probe.sent_at, t4: now };
        let round_trip = exchange.round_trip()?;
        if t1 < self.born {
            return None;
        }
        self.echoed = self.echoed.max(Some(t1));
        self.good = self.good.saturating_add(1);
        let smooth = self.round_trip.map_or(round_trip, |old| {
            Span::from_nanos((old.as_nanos() / 8).saturating_mul(7) + round_trip.as_nanos() / 8)
        });
        self.round_trip = Some(smooth);
        self.into.push(now.as_nanos().wrapping_sub(probe.sent_at.as_nanos()) as i64);
        self.out.push(t2.as_nanos().wrapping_sub(t1.as_nanos()) as i64);
        Some(exchange)
    }

    /// Decides whether the path is up. Down: nothing heard for `silence`, or none of our probes
    /// told of for that and a round trip (the way out is dead, the way in is not).
    pub(crate) fn judge(&mut self, now: Mono, silence: Span) -> Option<Change> {
        let alive = self.silent_at(silence).is_some_and(|at| now < at);
        if !alive {
            self.good = 0;
        }
        let up = alive && (self.up || self.good >= GOOD);
        if up == self.up {
            return None;
        }
        self.up = up;
        Some(if up { Change::Up } else { Change::Down })
    }

    /// When the path counts as silent if nothing more comes; `None` when it is anyway.
    pub(crate) fn silent_at(&self, silence: Span) -> Option<Mono> {
        // a probe waits for the next one of the peer to be told of
        let round = self.round_trip?.plus(Span::from_millis(60));
        Some((self.heard_at? + silence).min(self.echoed? + silence.plus(round)))
    }

    pub(crate) const fn next_probe(&self) -> Mono {
        self.next_probe
    }

    /// Writes the next probe and sets the time of the one after it.
    pub(crate) fn write_probe(&mut self, now: Mono, every: Span, out: &mut Vec<u8>) {
        let every = if now.since(self.born) < EAGER { EAGER_EVERY } else { every };
        // keep the beat unless it was missed altogether
        let next = self.next_probe + every;
        self.next_probe = if next > now { next } else { now + every };
        let probe = Probe { path: self.number as u8, sent_at: now, echo: self.to_echo };
        encode_probe(&probe, out);
    }

    /// One-way delay of what arrives here: median and p99 less p50 over ten seconds.
    pub(crate) fn delay_in(&self, clock: &Clock) -> Option<(Span, Span)> {
        delay(&self.into, clock.offset_ns)
    }

    /// One-way delay of what we send: median and p99 less p50 over ten seconds.
    pub(crate) fn delay_out(&self, clock: &Clock) -> Option<(Span, Span)> {
        delay(&self.out, clock.offset_ns.wrapping_neg())
    }

    /// p99 less p50 of the delay in; needs no clock.
    pub(crate) fn jitter_in(&self) -> Span {
        self.into
            .percentiles()
            .map_or(Span::ZERO, |(p50, p99)| Span::from_nanos(p99.wrapping_sub(p50).max(0) as u64))
    }

    /// What to tell the peer of what it sends.
    pub(crate) fn report(&self) -> PathReport {
        let (shared, own) = (self.shared.loss(), self.own.loss());
        PathReport {
            random: shared.random.max(self.shared.recent().random),
            all: shared.all,
            video: own.random.max(self.own.recent().random),
            longest: shared.longest,
            jitter: self.jitter_in(),
        }
    }
}

fn delay(delays: &Delays, correction: i64) -> Option<(Span, Span)> {
    let (p50, p99) = delays.percentiles()?;
    let median = p50.wrapping_add(correction).max(0) as u64;
    Some((Span::from_nanos(median), Span::from_nanos(p99.wrapping_sub(p50).max(0) as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn at(ms: u64) -> Mono {
        Mono::from_millis(ms)
    }

    fn probe(sent: u64, echo: Option<(u64, u64)>) -> Probe {
        Probe { path: 0, sent_at: at(sent), echo: echo.map(|(a, b)| (at(a), at(b))) }
    }

    const SILENCE: Span = Span::from_millis(300);

    #[test]
    fn l_033_a_path_comes_up_after_three_good_probes_and_down_after_silence() {
        let mut path = Path::new(0, at(0));
        for n in 0..3 {
            assert_eq!(path.judge(at(100 + n * 50), SILENCE), None);
            path.on_heard(at(100 + n * 50), 60);
            let sent = 30 + n * 50;
            assert!(
                path.on_probe(at(100 + n * 50), &probe(65 + n * 50, Some((sent, sent + 35))))
                    .is_some()
            );
        }
        assert_eq!(path.judge(at(200), SILENCE), Some(Change::Up));
        assert_eq!(path.round_trip, Some(Span::from_millis(70)));
        assert_eq!(path.silent_at(SILENCE), Some(at(500)));
        assert_eq!(path.judge(at(499), SILENCE), None);
        assert_eq!(path.judge(at(500), SILENCE), Some(Change::Down));
    }

    #[test]
    fn l_033_a_dead_way_out_is_noticed_although_the_way_in_lives() {
        let mut path = Path::new(0, at(0));
        let mut down_at = None;
        for n in 0..40 {
            let now = 100 + n * 50;
            path.on_heard(at(now), 60);
            // the peer hears us only up to 500 ms
            let sent = (now - 70).min(500);
            path.on_probe(at(now), &probe(now - 35, Some((sent, sent + 35))));
            if path.judge(at(now), SILENCE) == Some(Change::Down) {
                down_at = Some(now);
            }
        }
        assert_eq!(down_at, Some(950));
    }

    #[test]
    fn l_034_probes_come_back_and_no_bytes_make_the_decoder_fall() {
        let mut rng = Rng::new(1);
        for sent in [probe(5, None), probe(7, Some((1, 2)))] {
            let mut bytes = Vec::new();
            encode_probe(&sent, &mut bytes);
            assert_eq!(decode_probe(&bytes), Ok(sent));
            for len in 0..bytes.len() {
                assert!(decode_probe(&bytes[..len]).is_err());
            }
        }
        for _ in 0..10_000 {
            let bytes = rng.bytes(40);
            if let Ok(probe) = decode_probe(&bytes) {
                let mut path = Path::new(0, at(0));
                path.on_probe(Mono::from_nanos(rng.next()), &probe);
            }
        }
    }
}
