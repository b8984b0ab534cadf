//! The console's end of the session: a command each beat, pictures and state back.

use super::Booth;
use super::shown::Passed;
use crate::arm::admission::Note;
use crate::bedside::{ADMISSION, GRANT, VIDEO_CONFIG, figures_message, write_picture};
use crate::clock as wall;
use crate::http::VideoMessage;
use crate::lock;
use crate::net::{BEAT, Endpoint};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use telehand_link::identity::PeerIdentity;
use telehand_link::session::{Event, Session};
use telehand_record::{CommandSent, Frame, HandCommand};
use telehand_video::integrity::Picture;
use telehand_video::{Receiver, ReceiverConfig};
use telehand_vocab::message::PictureEcho;
use telehand_vocab::{Command, Feedback, HandIntent, Lease, Mono, Span};

/// Before the first picture, and after a new session began.
const NOTHING_SEEN: PictureEcho = PictureEcho { age: Span::MAX, intact: false };
/// How often the link's figures go onto the tape.
const FIGURES_EVERY: Span = Span::from_millis(100);

/// The endpoint; it lives on the network thread.
pub struct ConsoleEnd {
    booth: Arc<Booth>,
    receiver: Receiver,
    seq: u64,
    taped: Mono,
    told: Option<Picture>,
    /// The newest of each, for beats that find a lock taken.
    felt: Option<Feedback>,
    hands: Option<[HandIntent; 2]>,
    picture: PictureEcho,
    bytes: Vec<u8>,
}

impl ConsoleEnd {
    /// For this process.
    pub fn new(booth: Arc<Booth>) -> Self {
        Self {
            booth,
            receiver: Receiver::new(0, ReceiverConfig::default()),
            seq: 0,
            taped: Mono::ZERO,
            told: None,
            felt: None,
            hands: None,
            picture: NOTHING_SEEN,
            bytes: Vec::with_capacity(256),
        }
    }

    fn command(&mut self, now: Mono, session: &mut Session) {
        let at_patient = session.clock().map(|clock| clock.peer_from_local(now));
        // A thread of lower priority may have been put aside with a lock in its hand. A beat does
        // not wait for it: the hands stay where they were, and the picture is a beat older.
        match self.booth.shown.try_lock() {
            Ok(shown) => self.picture = shown.echo(now, at_patient),
            Err(_) => self.picture.age = self.picture.age.plus(BEAT),
        }
        if let Ok(mut hands) = self.booth.hands.try_lock() {
            self.hands = Some(hands.beat(now, self.felt.as_ref(), self.picture.age));
        }
        let Some(hands) = self.hands else { return };
        let lease = self.felt.map_or(Lease(0), |f| f.lease);
        let picture = self.picture;
        let command = Command { seq: self.seq, issued_at: now, lease, hands, picture };
        self.bytes.clear();
        telehand_link::command::encode(&command, &mut self.bytes);
        self.seq = session.send_command(now, &self.bytes) + 1;
        self.booth.tape.write(now, sent(&command));
    }

    /// Lets the receiver's clock run, and sends what it wants the camera to know.
    fn care_for_pictures(&mut self, now: Mono, session: &mut Session) {
        if self.booth.damaged.swap(false, Ordering::AcqRel) {
            self.receiver.handle_damaged(now);
        }
        if self.booth.join.swap(false, Ordering::AcqRel) {
            self.receiver.request_idr(now);
        }
        self.receiver.handle_timeout(now);
        self.pass_on(now, session);
        if let Some(feedback) = self.receiver.poll_feedback(now) {
            session.send_state(now, &feedback);
        }
        let picture = self.receiver.picture(now);
        if self.told != Some(picture) {
            self.told = Some(picture);
            lock(&self.booth.shown).chain = Some(picture);
            let message = picture_message(picture);
            // Nobody looking is no error.
            let _ = self.booth.video.send(VideoMessage::Text(message.into()));
        }
    }

    fn pass_on(&mut self, now: Mono, session: &Session) {
        while let Some(frame) = self.receiver.poll_frame() {
            let here = |at: Mono| session.clock().map_or(at, |clock| clock.local_from_peer(at));
            let page =
                frame.page_message(here(frame.captured_at), here(frame.encoded_at), wall::now());
            lock(&self.booth.shown).pass(&frame);
            let message = VideoMessage::Unit { bytes: page.into(), idr: frame.is_idr() };
            let _ = self.booth.video.send(message);
            if self.booth.tape.runs() {
                write_picture(&self.booth.tape, now, here(frame.captured_at), &frame.access_unit);
            }
            if let Some(eye) = &self.booth.eye
                && eye.try_send(frame).is_err()
            {
                // Our decoder is behind by its whole queue; it must begin anew with an IDR.
                self.booth.damaged.store(true, Ordering::Release);
            }
        }
    }

    /// The bedside says what its pictures are.
    fn announce(&self, config: &[u8]) {
        let Ok(config) = serde_json::from_slice::<Value>(config) else { return };
        let _ = self.booth.video.send(VideoMessage::Text(config.to_string().into()));
        *lock(&self.booth.video_config) = Some(config);
        self.booth.join.store(true, Ordering::Release);
    }

    /// The arm asks for the grant, or says what it thinks of it.
    fn show_grant(&self, now: Mono, session: &mut Session, note: &[u8]) {
        let Ok(note) = serde_json::from_slice::<Note>(note) else { return };
        if note.admitted.is_none()
            && note.refused.is_none()
            && let (Some(ticket), Some(asks)) = (&self.booth.ticket, &note.asks)
            && let Some(shown) = ticket.show(asks)
        {
            let mut message = vec![GRANT];
            message.extend(shown);
            // A full queue means that nothing arrives anyway; the next session asks again.
            let _ = session.send_event(now, &message);
        }
        self.booth.tape.note("admission", serde_json::to_string(&note).unwrap_or_default());
        *lock(&self.booth.admission) = Some(note);
    }

    fn lost(&mut self, now: Mono, seq: u32) {
        self.receiver.handle_lost(now, seq);
        lock(&self.booth.shown).lost += 1;
        let lost = Passed { seq, captured_at: Mono::ZERO, bytes: 0, idr: false };
        self.booth.tape.write(now, fate(now, lost, "lost", None, None));
    }

    fn feel(&mut self, bytes: &[u8]) {
        // Authentic but of another version: the old feedback ages, and the page shows it.
        let Ok(feedback) = telehand_link::feedback::decode(bytes) else { return };
        let before = self.felt.replace(feedback);
        *lock(&self.booth.feedback) = Some(feedback);
        if before.map(|f| (f.state, f.hold)) != Some((feedback.state, feedback.hold)) {
            self.booth.tape.note("guard", guard_words(&feedback));
        }
    }
}

impl Endpoint for ConsoleEnd {
    fn on_up(&mut self, now: Mono, _session: &mut Session, peer: &PeerIdentity) {
        let life = (now.as_nanos() / 1_000_000) as u32;
        self.receiver = Receiver::new(life, ReceiverConfig::default());
        self.seq = 0;
        self.hands = None;
        self.picture = NOTHING_SEEN;
        lock(&self.booth.hands).begin_session();
        self.booth.tape.note("peer", format!("{} answers", peer.name));
    }

    fn on_beat(&mut self, now: Mono, session: &mut Session) {
        if let Ok(mut clock) = self.booth.clock.try_lock() {
            *clock = session.clock();
        }
        self.command(now, session);
        self.care_for_pictures(now, session);
        if now.since(self.taped) >= FIGURES_EVERY {
            self.taped = now;
            if let Some(snapshot) = self.booth.link_snapshot() {
                self.booth.tape.write(now, figures_message(now, &snapshot));
            }
        }
    }

    fn on_event(&mut self, now: Mono, session: &mut Session, event: Event) {
        match event {
            Event::State { bytes } => self.feel(&bytes),
            Event::Frame { bytes, .. } => {
                // A malformed frame is counted by the receiver and never shown.
                let _ = self.receiver.handle_frame(now, &bytes);
                self.care_for_pictures(now, session);
            }
            Event::FrameLost { seq } => {
                self.lost(now, seq);
                self.care_for_pictures(now, session);
            }
            Event::PathUp { path } => self.booth.tape.note("path", format!("{path} up")),
            Event::PathDown { path } => self.booth.tape.note("path", format!("{path} down")),
            Event::PeerGone => self.booth.tape.note("peer", "silent"),
            Event::Message { bytes } => match bytes.split_first() {
                Some((&VIDEO_CONFIG, config)) => self.announce(config),
                Some((&ADMISSION, note)) => self.show_grant(now, session, note),
                _ => {}
            },
            Event::Command { .. } => {}
        }
    }
}

/// One line about a picture, for the tape.
pub fn fate(now: Mono, frame: Passed, fate: &str, born: Option<Mono>, age: Option<Span>) -> Frame {
    let late_after = telehand_video::freeze::FreezeLimits::default().late_after;
    Frame {
        seq: frame.seq,
        fate: fate.into(),
        born_ns: born.map(Mono::as_nanos),
        at_ns: now.as_nanos(),
        bytes: frame.bytes as u64,
        idr: frame.idr,
        glass_to_glass_ms: age.map(Span::as_millis_f64),
        late: age.is_some_and(|age| age > late_after),
    }
}

fn picture_message(picture: Picture) -> String {
    let (state, since) = picture_words(picture);
    json!({"type": "picture", "state": state, "since_us": since.map(|at| at.as_nanos() / 1000)})
        .to_string()
}

/// The state of the picture in one word, and since when it stands still.
pub const fn picture_words(picture: Picture) -> (&'static str, Option<Mono>) {
    match picture {
        Picture::Waiting => ("none", None),
        Picture::Intact => ("intact", None),
        Picture::Frozen { since } => ("frozen", Some(since)),
        Picture::Recovering { since } => ("recovering", Some(since)),
    }
}

fn sent(command: &Command) -> CommandSent {
    let age = command.picture.age;
    CommandSent {
        seq: command.seq,
        issued_ns: command.issued_at.as_nanos(),
        lease: command.lease.0,
        hands: command.hands.map(hand_words),
        picture_age_ms: (age < Span::MAX).then(|| age.as_millis_f64()),
        picture_intact: command.picture.intact,
    }
}

fn hand_words(hand: HandIntent) -> HandCommand {
    HandCommand {
        arm: hand.arm.name().into(),
        engage: hand.engage.0,
        engaged: hand.engaged,
        translation_m: hand.intent.translation.to_array(),
        rotation: hand.intent.rotation.to_array(),
        jaw_rad: hand.intent.jaw_rad,
    }
}

fn guard_words(feedback: &Feedback) -> String {
    let hold = feedback.hold.map(crate::view::code).unwrap_or_default();
    format!("{} {hold}", feedback.state.name())
}
