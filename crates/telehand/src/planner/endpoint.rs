//! The planner's end of one session: what a site says, and its pictures on their way to the page.

use super::objects;
use super::office::{Office, Registered, Room};
use super::workup::Change;
use crate::bedside::VIDEO_CONFIG;
use crate::http::VideoMessage;
use crate::net::Endpoint;
use crate::site::wire::{self, FromSite, Pulse};
use crate::{clock, lock};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use telehand_link::identity::PeerIdentity;
use telehand_link::session::{Event, Session};
use telehand_ortho::plan::By;
use telehand_video::integrity::Picture;
use telehand_video::{Receiver, ReceiverConfig};
use telehand_vocab::Mono;

/// The endpoint; it lives on the network thread of its site.
pub struct PlannerEnd {
    office: Arc<Office>,
    room: Arc<Room>,
    receiver: Receiver,
    told: Option<Picture>,
    /// To the thread that may wait for disk and image.
    clerk: Sender<FromSite>,
}

impl PlannerEnd {
    /// For one site, with a clerk of its own.
    pub fn new(office: Arc<Office>, room: Arc<Room>) -> Self {
        let (clerk, inbox) = channel();
        let (working, of) = (office.clone(), room.clone());
        let started = std::thread::Builder::new().name("clerk".into()).spawn(move || {
            while let Ok(message) = inbox.recv() {
                file(&working, &of, message);
            }
        });
        if let Err(error) = started {
            eprintln!("telehand planner: no thread for {}: {error}", room.id);
        }
        Self {
            office,
            room,
            receiver: Receiver::new(0, ReceiverConfig::default()),
            told: None,
            clerk,
        }
    }

    fn pictures(&mut self, now: Mono, session: &mut Session) {
        if self.room.join.swap(false, Ordering::AcqRel) {
            self.receiver.request_idr(now);
        }
        self.receiver.handle_timeout(now);
        while let Some(frame) = self.receiver.poll_frame() {
            let here = |at: Mono| session.clock().map_or(at, |clock| clock.local_from_peer(at));
            let page =
                frame.page_message(here(frame.captured_at), here(frame.encoded_at), clock::now());
            // Nobody looking is no error.
            let idr = frame.is_idr();
            let _ = self.room.video.send(VideoMessage::Unit { bytes: page.into(), idr });
        }
        if let Some(feedback) = self.receiver.poll_feedback(now) {
            session.send_state(now, &feedback);
        }
        let picture = self.receiver.picture(now);
        if self.told != Some(picture) {
            self.told = Some(picture);
            let (state, since) = crate::console::picture_words(picture);
            let since = since.map(|at| at.as_nanos() / 1000);
            let message = json!({"type": "picture", "state": state, "since_us": since}).to_string();
            let _ = self.room.video.send(VideoMessage::Text(message.into()));
        }
    }

    fn hear(&self, now: Mono, message: FromSite) {
        match message {
            FromSite::State { site } => {
                let mut heard = lock(&self.room.heard);
                (heard.state, heard.at) = (Some(site), now);
            }
            FromSite::Reply { id, refusal } => self.room.answered(id, refusal),
            // What may take a while must not hold up the line.
            other => {
                let _ = self.clerk.send(other);
            }
        }
    }
}

impl Endpoint for PlannerEnd {
    fn on_up(&mut self, now: Mono, _session: &mut Session, peer: &PeerIdentity) {
        if peer.name != self.room.id {
            eprintln!("telehand planner: {} answers where {} should", peer.name, self.room.id);
        }
        let life = (now.as_nanos() / 1_000_000) as u32;
        self.receiver = Receiver::new(life, ReceiverConfig::default());
        let _ = self.clerk.send(FromSite::Reply { id: 0, refusal: None });
    }

    fn on_beat(&mut self, now: Mono, session: &mut Session) {
        self.pictures(now, session);
    }

    fn on_event(&mut self, now: Mono, session: &mut Session, event: Event) {
        match event {
            Event::State { bytes } => {
                let Some(pulse) = wire::decode::<Pulse>(&bytes) else { return };
                for expert in self.office.experts() {
                    lock(&expert.desk).hear(now, &pulse.bindings());
                }
                let mut heard = lock(&self.room.heard);
                (heard.pulse, heard.at) = (Some(pulse), now);
            }
            Event::Message { bytes } => {
                if let Some((&VIDEO_CONFIG, config)) = bytes.split_first() {
                    if let Ok(config) = serde_json::from_slice::<Value>(config) {
                        let text = config.to_string();
                        let _ = self.room.video.send(VideoMessage::Text(text.into()));
                        *lock(&self.room.video_config) = Some(config);
                        self.room.join.store(true, Ordering::Release);
                    }
                } else if let Some(message) = wire::decode(&bytes) {
                    self.hear(now, message);
                }
            }
            Event::Frame { bytes, .. } => {
                // A malformed frame is counted by the receiver and never shown.
                let _ = self.receiver.handle_frame(now, &bytes);
                self.pictures(now, session);
            }
            Event::FrameLost { seq } => self.receiver.handle_lost(now, seq),
            Event::Command { .. }
            | Event::PathUp { .. }
            | Event::PathDown { .. }
            | Event::PeerGone => {}
        }
    }
}

/// What a site says that goes to the disk or needs the image; on the clerk's thread.
fn file(office: &Office, room: &Room, message: FromSite) {
    let by = By { name: office.surgeon.clone(), at_ms: super::calendar::now_ms() };
    match message {
        // The line is new: the site may not know the plan.
        FromSite::Reply { .. } => room.send_plan(),
        FromSite::State { .. } => {}
        FromSite::Signed { signature } => {
            let mut workup = lock(&room.workup);
            if let Err(why) = workup.sign(signature, office.keys()) {
                eprintln!("telehand planner: a signature of {} does not count: {why}", room.id);
            }
            let approved = workup.chart().is_some_and(|chart| chart.approved().is_ok());
            drop(workup);
            if approved && let Err(why) = objects::write_plan(room, &[]) {
                eprintln!("telehand planner: {}: the plan's DICOM object: {why:#}", room.id);
            }
        }
        FromSite::Series { uid, instances, purpose } => {
            lock(&room.expected).insert(uid, (instances, purpose));
            super::inbox::look(office, room);
        }
        FromSite::Registered { id, series, fiducials_mm, fle_mm, reference_wxyz, reference_mm } => {
            let place = (reference_wxyz, reference_mm);
            let told = Registered::told(id, series, &fiducials_mm, fle_mm, place);
            if let Err(why) = objects::write_registration(room, &told) {
                eprintln!("telehand planner: {}: the registration's objects: {why:#}", room.id);
            }
            *lock(&room.registered) = Some(told);
            let mut workup = lock(&room.workup);
            let known = workup.plan().and_then(|plan| plan.registration().copied());
            if workup.plan().is_some()
                && known != Some(id)
                && let Err(why) = workup.change(Change::Register { id }, by)
            {
                eprintln!("telehand planner: {}: {why}", room.id);
            }
            drop(workup);
            room.analyse();
            room.send_plan();
        }
        FromSite::RegistrationVoid { .. } => {
            *lock(&room.registered) = None;
            let mut workup = lock(&room.workup);
            if workup.plan().is_some_and(|plan| plan.registration().is_some())
                && let Err(why) = workup.change(Change::Unregister, by)
            {
                eprintln!("telehand planner: {}: {why}", room.id);
            }
            drop(workup);
            room.analyse();
            room.send_plan();
        }
        FromSite::Placed { screw, state } => {
            lock(&room.placed).insert(screw, state);
        }
    }
}
