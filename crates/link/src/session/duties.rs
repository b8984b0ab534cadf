//! What the session does by itself: seals and queues, reports, judges its paths, routes pictures.

use crate::seal::{BODY_MAX, HEADER_LEN, Kind};
use crate::session::outgoing::{Class, Transmit};
use crate::session::paths::{Change, Path};
use crate::session::reassembly::Fate;
use crate::session::repeat::Weather;
use crate::session::report::{self, Report};
use crate::session::video::Route;
use crate::session::{Event, REPORT_GAP, Session};
use telehand_vocab::{Mono, Span};

impl Session {
    /// The slowest round trip of the paths that are up; 100 ms while it is not known.
    pub(super) fn round_trip(&self) -> Span {
        let known = self.paths.iter().filter(|path| path.up).filter_map(|path| path.round_trip);
        known.max().unwrap_or(Span::from_millis(100))
    }

    /// Seals one body and queues it for every path. `write` returns false to send nothing.
    pub(super) fn broadcast(
        &mut self,
        kind: Kind,
        class: Class,
        write: impl FnOnce(&mut Self, &mut Vec<u8>) -> bool,
    ) -> bool {
        let paths = 0..self.paths.len();
        self.seal(kind, 0, paths, class, write)
    }

    pub(super) fn seal(
        &mut self,
        kind: Kind,
        stream: usize,
        paths: std::ops::Range<usize>,
        class: Class,
        write: impl FnOnce(&mut Self, &mut Vec<u8>) -> bool,
    ) -> bool {
        let mut packet = self.outgoing.buffer();
        if self.seal_into(kind, stream, &mut packet, write) {
            self.outgoing.push(packet, paths, class);
            true
        } else {
            self.outgoing.give_back(packet);
            false
        }
    }

    /// Seals one packet into `packet`. False when there was nothing to send, or the key is worn out.
    pub(super) fn seal_into(
        &mut self,
        kind: Kind,
        stream: usize,
        packet: &mut Vec<u8>,
        write: impl FnOnce(&mut Self, &mut Vec<u8>) -> bool,
    ) -> bool {
        let Some(counter) = self.counters.get(stream).copied() else { return false };
        self.keyring.sealer.begin(packet, kind, stream as u8, counter);
        if !write(self, packet) || self.keyring.sealer.seal(packet).is_err() {
            return false;
        }
        if let Some(next) = self.counters.get_mut(stream) {
            *next += 1;
        }
        true
    }

    pub(super) fn send_beat(&mut self, now: Mono) {
        let patience = self.round_trip().plus(Span::from_millis(25));
        self.broadcast(Kind::Command, Class::Command, |session, out| {
            if let Some(repeater) = &mut session.repeater {
                repeater.write(now, patience, BODY_MAX, out);
            }
            out.len() > HEADER_LEN
        });
    }

    pub(super) fn send_messages(&mut self, now: Mono) {
        let round_trip = self.round_trip();
        while self.broadcast(Kind::Message, Class::Control, |session, out| {
            session.outbox.write(now, round_trip, BODY_MAX, out)
        }) {}
    }

    pub(super) fn send_probes(&mut self, now: Mono) {
        let every = self.config.probe_every;
        for number in 0..self.paths.len() {
            if self.paths.get(number).is_some_and(|path| path.next_probe() <= now) {
                self.seal(
                    Kind::Probe,
                    number + 1,
                    number..number + 1,
                    Class::Control,
                    |session, out| {
                        if let Some(path) = session.paths.get_mut(number) {
                            path.write_probe(now, every, out);
                        }
                        true
                    },
                );
            }
        }
    }

    /// Brings the next report forward, but keeps its distance from the last one.
    pub(super) fn report_soon(&mut self, now: Mono) {
        let soon = now.max(self.reported_at + REPORT_GAP);
        self.report_at = self.report_at.min(soon);
    }

    pub(super) fn send_report(&mut self, now: Mono) {
        // the console's is less urgent: it names no commands
        let every = self.config.report_every;
        self.report_at = now + if self.arrivals.is_some() { every } else { every.plus(every) };
        self.reported_at = now;
        self.reports_sent += 1;
        let (pieces_below, piece_bits) = self.inbox.confirm();
        let mut report = Report {
            number: self.reports_sent,
            pieces_below,
            piece_bits,
            paths: self.paths.iter().map(Path::report).collect(),
            ..Report::default()
        };
        if let Some(arrivals) = &self.arrivals {
            report.commands_below = arrivals.floor();
            // when no beat comes any more, what the next ones would have brought is missing too
            let idle = now.since(self.command_at) > Span::from_millis(60);
            arrivals.missing(idle, &mut report.missing);
        }
        let round_trip = self.round_trip();
        self.reassembly.asks(now, round_trip, &mut report.asks);
        self.broadcast(Kind::Report, Class::Control, |_, out| {
            report::encode(&report, out);
            true
        });
    }

    pub(super) fn judge_paths(&mut self, now: Mono) {
        let silence = self.config.path_silence;
        for (number, path) in self.paths.iter_mut().enumerate() {
            match path.judge(now, silence) {
                Some(Change::Up) => self.events.push_back(Event::PathUp { path: number }),
                Some(Change::Down) => self.events.push_back(Event::PathDown { path: number }),
                None => {}
            }
        }
        if !self.gone && now.since(self.heard_at) >= self.config.gone_after {
            self.gone = true;
            self.events.push_back(Event::PeerGone);
        }
        self.choose_best(now);
    }

    /// Pictures stay on their path until it is down or another one was clearly better for a second.
    pub(super) fn choose_best(&mut self, now: Mono) {
        let cost = |path: &Path| -> Option<u64> {
            let remote = path.remote.unwrap_or_default();
            // one percent of loss weighs as two milliseconds, bursts as five
            let loss = remote.random.max(remote.video) * 200e6;
            let burst = if remote.longest >= 6 { 5_000_000 } else { 0 };
            Some(path.round_trip?.as_nanos() / 2 + loss as u64 + burst).filter(|_| path.up)
        };
        let costs = || self.paths.iter().enumerate().filter_map(|(n, p)| Some((cost(p)?, n)));
        let cheapest = costs().min();
        let present = self.best.and_then(|best| costs().find(|(_, n)| *n == best));
        match (present, cheapest) {
            (Some((old, _)), Some((new, number))) if new + 5_000_000 < old => {
                let since = *self.better_since.get_or_insert(now);
                if now.since(since) >= Span::from_millis(1_000) {
                    self.best = Some(number);
                    self.better_since = None;
                }
            }
            (Some(_), _) => self.better_since = None,
            (None, cheapest) => {
                self.best = cheapest.map(|(_, number)| number);
                self.better_since = None;
            }
        }
    }

    /// How a picture goes now; `None` while no path is up.
    pub(super) fn route(&mut self, now: Mono) -> Option<Route> {
        self.judge_paths(now);
        let data = self.best?;
        let remote = self.paths.get(data)?.remote.unwrap_or_default();
        Some(Route {
            data,
            parity: self.other_path(data),
            loss: remote.random.max(remote.video),
            own_parity: self.config.own_parity,
            other_parity: self.config.other_parity,
            spread: self.config.frame_spread,
        })
    }

    /// The fastest path that is up, besides this one.
    pub(super) fn other_path(&self, but: usize) -> Option<usize> {
        let others = self.paths.iter().enumerate().filter(|(n, path)| *n != but && path.up);
        others.min_by_key(|(_, path)| path.round_trip).map(|(number, _)| number)
    }

    pub(super) fn next_piece(&mut self, now: Mono, out: &mut Vec<u8>) -> Option<Transmit> {
        let mut body = self.outgoing.buffer();
        let path = self.pictures.write(now, &mut body);
        let sealed = path.filter(|path| {
            self.seal_into(Kind::Video, path + 1, out, |_, out| {
                out.extend_from_slice(&body);
                true
            })
        });
        self.outgoing.give_back(body);
        Some(Transmit { path: sealed?, class: Class::Video })
    }

    pub(super) fn deliver_pictures(&mut self, now: Mono) {
        let round_trip = self.round_trip();
        while let Some(fate) = self.reassembly.poll(now, round_trip) {
            self.deliver_picture(fate);
        }
    }

    pub(super) fn deliver_picture(&mut self, fate: Fate) {
        self.events.push_back(match fate {
            Fate::Whole { seq, born, bytes } => Event::Frame { seq, born, bytes },
            Fate::Lost { seq } => Event::FrameLost { seq },
        });
    }

    /// How the link looks to the repeats: the worst of the paths that are up, so that one of them
    /// alone would do.
    pub(super) fn weather(&self, now: Mono) -> Weather {
        let ready = self.first_report.is_some_and(|at| now.since(at) > Span::from_millis(2_000));
        let remotes = self.paths.iter().filter(|path| path.up).filter_map(|path| path.remote);
        let measured = remotes.fold(None, |worst: Option<Weather>, remote| {
            let worst = worst.unwrap_or(Weather { loss: 0.0, burst: 0 });
            Some(Weather {
                loss: worst.loss.max(remote.random),
                burst: worst.burst.max(remote.longest),
            })
        });
        measured.filter(|_| ready).unwrap_or_default()
    }
}
