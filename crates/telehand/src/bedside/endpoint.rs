//! The bedside's end of the session: commands go on to the arm, feedback to the camera.

use super::Ward;
use super::camera::CameraNote;
use crate::arm::wire::{Action, Input, LinkInput};
use crate::net::{Endpoint, Status};
use crate::view;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use telehand_link::identity::PeerIdentity;
use telehand_link::session::{Event, Session};
use telehand_record::{CommandDelivered, LinkFigures, PathFigures};
use telehand_vocab::{Mono, Span};

/// How often the arm is told how the link does, and the tape too.
const FIGURES_EVERY: Span = Span::from_millis(100);

/// Tellings in one second: the window that loss and forgeries are judged over.
const WINDOW: usize = 10;

/// First byte of a message of the console: hold.
pub const HOLD: u8 = b'H';
/// First byte of a message of the bedside: what its pictures are, in JSON.
pub const VIDEO_CONFIG: u8 = b'V';
/// First byte of a message of the bedside: how the arm stands with the console, in JSON.
pub const ADMISSION: u8 = b'A';
/// First byte of a message of the console: its grant and the proof of its key, for the arm.
pub const GRANT: u8 = b'G';

/// The endpoint; it lives on the network thread.
pub struct BedsideEnd {
    ward: Arc<Ward>,
    told: Mono,
    /// As estimated at the last telling; a thousand commands a second need no fresh one each.
    clock_error: Span,
    /// What was counted at the last tellings, oldest first: one second of them.
    counted: VecDeque<Counted>,
}

impl BedsideEnd {
    /// For this process.
    pub fn new(ward: Arc<Ward>) -> Self {
        let clock_error = Span::MAX;
        Self { ward, told: Mono::ZERO, clock_error, counted: VecDeque::with_capacity(WINDOW + 1) }
    }

    fn command(&mut self, now: Mono, session: &Session, event: &CommandEvent<'_>) {
        let clock = session.clock();
        let here = clock.map(|clock| clock.local_from_peer(event.issued_at));
        self.ward.tape.write(
            now,
            CommandDelivered {
                seq: event.seq,
                issued_ns: event.issued_at.as_nanos(),
                issued_here_ns: here.map(Mono::as_nanos),
                clock_error_ns: clock.map(|clock| clock.error.as_nanos()),
                received_ns: now.as_nanos(),
                newest: event.newest,
            },
        );
        if !event.newest {
            return;
        }
        let (Some(issued_at), Some(arm)) = (here, self.ward.arm.get()) else { return };
        let clock_error = self.clock_error;
        arm.tell(&Input::Command { issued_at, clock_error, bytes: event.bytes });
    }

    fn tell_arm_about_the_link(&mut self, now: Mono) {
        self.told = now;
        let Some(snapshot) = self.ward.link_snapshot() else { return };
        self.clock_error = view::clock_estimate(&snapshot);
        let figures = snapshot.figures.clone().unwrap_or_default();
        let now_counted = Counted {
            delivered: figures.commands,
            lost: figures.commands_lost,
            forged: figures.forgeries,
        };
        let before = self.counted.front().copied().unwrap_or(now_counted);
        self.counted.push_back(now_counted);
        if self.counted.len() > WINDOW {
            self.counted.pop_front();
        }
        let new_delivered = figures.commands.saturating_sub(before.delivered);
        let new_lost = figures.commands_lost.saturating_sub(before.lost);
        let new_forged = figures.forgeries.saturating_sub(before.forged);
        let best = figures
            .paths
            .iter()
            .filter(|path| path.up && path.one_way_in.is_some())
            .min_by_key(|path| path.one_way_in);
        let link = LinkInput {
            paths_up: figures.paths.iter().filter(|path| path.up).count() as u8,
            loss: new_lost as f64 / (new_lost + new_delivered).max(1) as f64,
            jitter: best.map_or(Span::ZERO, |path| path.jitter_in),
            clock_error: self.clock_error,
            forgeries: u32::try_from(new_forged).unwrap_or(u32::MAX),
        };
        if let Some(arm) = self.ward.arm.get() {
            arm.tell(&Input::Link(link));
            if self.ward.arm_awaits_console() {
                arm.tell(&Input::Console);
            }
        }
        self.ward.tape.write(now, figures_message(now, &snapshot));
    }
}

/// Counts of the session at one moment.
#[derive(Debug, Clone, Copy)]
struct Counted {
    delivered: u64,
    lost: u64,
    forged: u64,
}

struct CommandEvent<'a> {
    seq: u64,
    issued_at: Mono,
    bytes: &'a [u8],
    newest: bool,
}

impl Endpoint for BedsideEnd {
    fn on_up(&mut self, now: Mono, session: &mut Session, peer: &PeerIdentity) {
        if let Some(message) = self.ward.video_message() {
            // A fresh session takes its first message; if not, the page waits for the next one.
            let _ = session.send_event(now, &message);
        }
        self.counted.clear();
        self.clock_error = Span::MAX;
        self.told = Mono::ZERO;
        self.ward.console_up.store(true, Ordering::Release);
        if let Some(arm) = self.ward.arm.get() {
            arm.tell(&Input::Console);
        }
        self.ward.tape.note("peer", format!("{} connected", peer.name));
        self.ward.note_to_camera(CameraNote::Join);
    }

    fn on_beat(&mut self, now: Mono, _session: &mut Session) {
        if now.since(self.told) >= FIGURES_EVERY {
            self.tell_arm_about_the_link(now);
        }
    }

    fn on_event(&mut self, now: Mono, session: &mut Session, event: Event) {
        match event {
            Event::Command { seq, issued_at, bytes, newest, .. } => {
                let event = CommandEvent { seq, issued_at, bytes: &bytes, newest };
                self.command(now, session, &event);
            }
            Event::State { bytes } => self.ward.note_to_camera(CameraNote::Feedback(bytes)),
            Event::Message { bytes } => {
                let Some(arm) = self.ward.arm.get() else { return };
                match bytes.split_first() {
                    Some((&HOLD, _)) => {
                        arm.tell(&Input::Action { id: 0, action: Action::RemoteHold });
                    }
                    Some((&GRANT, shown)) => {
                        arm.tell(&Input::Grant(shown));
                    }
                    _ => {}
                }
            }
            Event::PathUp { path } => self.ward.tape.note("path", format!("{path} up")),
            Event::PathDown { path } => self.ward.tape.note("path", format!("{path} down")),
            Event::PeerGone => {
                self.ward.console_up.store(false, Ordering::Release);
                self.ward.tape.note("peer", "gone");
            }
            Event::Frame { .. } | Event::FrameLost { .. } => {}
        }
    }
}

/// The link as it goes onto the tape, on either side.
pub fn figures_message(now: Mono, snapshot: &crate::net::Snapshot) -> LinkFigures {
    let figures = snapshot.figures.clone().unwrap_or_default();
    let (status, peer) = match &snapshot.status {
        Status::Up { peer, .. } => ("up", Some(peer.name.clone())),
        Status::Silent { peer, .. } => ("silent", Some(peer.name.clone())),
        Status::Waiting { .. } => ("waiting", None),
        Status::Ended => ("ended", None),
    };
    let estimate = view::clock_estimate(snapshot);
    LinkFigures {
        at_ns: now.as_nanos(),
        status: status.into(),
        peer,
        clock_error_ms: (estimate < Span::MAX).then(|| estimate.as_millis_f64()),
        forgeries: figures.forgeries,
        paths: figures
            .paths
            .iter()
            .zip(&snapshot.sockets)
            .map(|(path, socket)| PathFigures {
                name: socket.label.clone(),
                up: path.up,
                out_ms: path.one_way_out.map(Span::as_millis_f64),
                in_ms: path.one_way_in.map(Span::as_millis_f64),
                error_ms: Some(path.one_way_error.as_millis_f64()),
                rtt_ms: path.rtt.map(Span::as_millis_f64),
                jitter_ms: Some(path.jitter_in.as_millis_f64()),
                loss_out: Some(path.loss_out),
                loss_in: Some(path.loss_in),
                bytes_out: path.bytes_out,
                bytes_in: path.bytes_in,
            })
            .collect(),
    }
}
