//! The site's end of the session: everything that comes goes to the core thread, nothing waits.

use super::wire::DESK;
use super::{Hall, Order};
use crate::net::Endpoint;
use std::sync::Arc;
use telehand_link::identity::PeerIdentity;
use telehand_link::session::{Event, Session};
use telehand_ortho::authority::{LEN, Message};
use telehand_vocab::Mono;

/// The endpoint; it lives on the network thread.
pub struct SiteEnd {
    hall: Arc<Hall>,
}

impl SiteEnd {
    /// For this process.
    pub const fn new(hall: Arc<Hall>) -> Self {
        Self { hall }
    }
}

impl Endpoint for SiteEnd {
    fn on_up(&mut self, _now: Mono, _session: &mut Session, peer: &PeerIdentity) {
        self.hall.order(Order::LinkUp { surgeon: peer.name.clone() });
        self.hall.viewer_joins();
    }

    fn on_event(&mut self, now: Mono, _session: &mut Session, event: Event) {
        match event {
            Event::Message { bytes } => {
                if let Some((&DESK, said)) = bytes.split_first() {
                    for message in said.chunks(LEN).filter_map(|one| Message::decode(one).ok()) {
                        self.hall.order(Order::Desk { at: now, message });
                    }
                } else if let Some(message) = super::wire::decode(&bytes) {
                    self.hall.order(Order::Planner(Box::new(message)));
                }
            }
            Event::State { bytes } => self.hall.picture_feedback(bytes),
            Event::PeerGone => self.hall.order(Order::LinkGone),
            Event::Command { .. }
            | Event::Frame { .. }
            | Event::FrameLost { .. }
            | Event::PathUp { .. }
            | Event::PathDown { .. } => {}
        }
    }
}
