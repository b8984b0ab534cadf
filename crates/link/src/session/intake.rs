//! What a datagram that arrives does to the session.

use crate::replay::Seen;
use crate::seal::{Header, Kind};
use crate::session::{Event, Session, paths, repeat, report};
use crate::wire::{DecodeError, Reader};
use telehand_vocab::Mono;

/// What a datagram turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// No packet of this session: noise, another version, an old session.
    Foreign,
    /// It names this session and does not open.
    Forged,
    /// Authentic, but it came on this path before or long after its time.
    Replayed,
    /// Authentic; another path brought it first.
    Twin,
    /// Authentic and new.
    Fresh,
    /// Authentic, new, and made for this path alone, after everything else made for it: the peer
    /// sends from the address it came from.
    Proof,
}

impl Arrival {
    /// Whether the peer made it.
    #[must_use]
    pub const fn is_authentic(self) -> bool {
        matches!(self, Self::Replayed | Self::Twin | Self::Fresh | Self::Proof)
    }

    /// Whether the shell may move the path's remote address to where it came from. Only probes and
    /// pictures can: what goes out of every path as the same bytes could be copied from another one.
    #[must_use]
    pub const fn moves_path(self) -> bool {
        matches!(self, Self::Proof)
    }
}

impl Session {
    /// Takes a datagram that arrived on a path; it is opened in place.
    pub fn handle_datagram(&mut self, now: Mono, path: usize, datagram: &mut [u8]) -> Arrival {
        self.now = self.now.max(now);
        let len = datagram.len();
        let header = Header::parse(datagram)
            .filter(|h| path < self.paths.len() && self.keyring.knows(now, h.session));
        let Some(header) = header else {
            self.counts.foreign += 1;
            return Arrival::Foreign;
        };
        let Ok(body) = self.keyring.open(header, datagram) else {
            self.counts.forgeries += 1;
            return Arrival::Forged;
        };
        let arrival = self.number(now, path, header, len);
        match arrival {
            Arrival::Fresh | Arrival::Proof => {
                if self.take(now, path, header, body).is_err() {
                    self.counts.malformed += 1;
                }
            }
            Arrival::Twin => self.counts.duplicates += 1,
            _ => self.counts.replays += 1,
        }
        arrival
    }

    /// Books the packet's number: on its path for the loss, in its stream against replay.
    fn number(&mut self, now: Mono, path: usize, header: Header, len: usize) -> Arrival {
        let stream = usize::from(header.stream);
        let Some(at) = self.paths.get_mut(path) else { return Arrival::Foreign };
        let own = stream == path + 1;
        if !own && stream != 0 {
            // made for another path: the two sides number their paths differently, or a copy
            self.counts.malformed += 1;
            return Arrival::Replayed;
        }
        let meter = if own { &mut at.own } else { &mut at.shared };
        if !meter.on_packet(now, header.counter) {
            return Arrival::Replayed;
        }
        let newest = meter.is_newest(header.counter);
        at.on_heard(now, len);
        self.heard_at = now;
        self.gone = false;
        match self.windows.get_mut(stream).map(|window| window.accept(header.counter)) {
            Some(Seen::Fresh) if own && newest => Arrival::Proof,
            Some(Seen::Fresh) => Arrival::Fresh,
            Some(Seen::Again) => Arrival::Twin,
            Some(Seen::TooOld) | None => Arrival::Replayed,
        }
    }

    pub(super) fn take(
        &mut self,
        now: Mono,
        path: usize,
        header: Header,
        body: &[u8],
    ) -> Result<(), DecodeError> {
        match header.kind {
            Kind::Command => self.take_beat(now, path, body),
            Kind::State => self.take_state(body),
            Kind::Message => self.take_pieces(now, body),
            Kind::Video => self.take_picture(now, body),
            Kind::Probe => self.take_probe(now, path, body),
            Kind::Report => self.take_report(now, body),
        }
    }

    fn take_beat(&mut self, now: Mono, path: usize, body: &[u8]) -> Result<(), DecodeError> {
        let Some(arrivals) = &mut self.arrivals else {
            return Err(DecodeError::Field { field: "command from the patient side", value: 0 });
        };
        let (newest, mut commands) = repeat::decode_beat(body, |seq| arrivals.is_wanted(seq))?;
        // older ones first, so that numbers go up within one beat
        commands.sort_unstable_by_key(|command| command.seq);
        for command in commands {
            let Some(ahead) = arrivals.accept(command.seq) else { continue };
            self.counts.commands += 1;
            if ahead {
                self.command_at = now;
            }
            self.events.push_back(Event::Command {
                seq: command.seq,
                issued_at: command.issued_at,
                bytes: command.bytes,
                newest: ahead && command.seq == newest,
                path,
            });
        }
        Ok(())
    }

    fn take_state(&mut self, body: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(body);
        let number = reader.u64()?;
        if number > self.states_seen {
            self.states_seen = number;
            self.events.push_back(Event::State { bytes: reader.rest().to_vec() });
        }
        Ok(())
    }

    fn take_pieces(&mut self, now: Mono, body: &[u8]) -> Result<(), DecodeError> {
        self.report_soon(now);
        let events = &mut self.events;
        self.inbox.on_packet(body, |bytes| events.push_back(Event::Message { bytes }))
    }

    fn take_picture(&mut self, now: Mono, body: &[u8]) -> Result<(), DecodeError> {
        if let Some(lost) = self.reassembly.on_piece(now, body)? {
            self.deliver_picture(lost);
        }
        self.deliver_pictures(now);
        Ok(())
    }

    fn take_probe(&mut self, now: Mono, path: usize, body: &[u8]) -> Result<(), DecodeError> {
        let probe = paths::decode_probe(body)?;
        if usize::from(probe.path) != path {
            return Err(DecodeError::Field { field: "probe path", value: probe.path.into() });
        }
        let exchange = self.paths.get_mut(path).and_then(|path| path.on_probe(now, &probe));
        if let Some(exchange) = exchange {
            self.clock.on_exchange(path, &exchange);
        }
        self.judge_paths(now);
        Ok(())
    }

    fn take_report(&mut self, now: Mono, body: &[u8]) -> Result<(), DecodeError> {
        let report = report::decode(body)?;
        if report.number <= self.reports_seen {
            return Ok(());
        }
        self.reports_seen = report.number;
        self.first_report.get_or_insert(now);
        for (path, remote) in self.paths.iter_mut().zip(&report.paths) {
            path.remote = Some(*remote);
        }
        let weather = self.weather(now);
        if let Some(repeater) = &mut self.repeater {
            repeater.weather = weather;
            repeater.on_report(report.commands_below, &report.missing);
        }
        self.outbox.on_confirmed(report.pieces_below, report.piece_bits);
        if let Some(best) = self.best {
            let path = self.other_path(best).unwrap_or(best);
            let remote = self.paths.get(path).and_then(|path| path.remote).unwrap_or_default();
            for ask in &report.asks {
                self.pictures.on_ask(now, ask, path, remote.random.max(remote.video));
            }
        }
        Ok(())
    }
}
