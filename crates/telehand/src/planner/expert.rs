//! The remote experts at this planner: the surgeon, and perhaps a second one who can take over.
//!
//! Each has a page, a token and a desk of their own. At a site they are told apart by number: the
//! robot goes from one to the other only by an offer and a read-back. Plans are drawn and signed by
//! the surgeon alone, whose key the sites know.

use super::office::Room;
use crate::clock;
use std::sync::Mutex;
use telehand_ortho::authority::{Desk, Holder};
use telehand_ortho::case::{Party, PersonId, SeatId};

/// The surgeon, by number: his name stands in the certificate.
pub const SURGEON: PersonId = PersonId(1);
/// The second expert.
pub const SECOND: PersonId = PersonId(2);
/// The leader of a local team, as sites number people.
pub const TEAM: PersonId = PersonId(100);

/// One of them.
pub struct Expert {
    /// What people call them.
    pub name: String,
    /// Their number.
    pub person: PersonId,
    /// The one window that their page server lets control.
    pub seat: SeatId,
    /// One robot at a time.
    pub desk: Mutex<Desk>,
}

impl Expert {
    /// At their desk.
    pub fn new(name: String, person: PersonId) -> Self {
        let seat = SeatId(person.0);
        let mut desk = Desk::new(person);
        desk.open(clock::now(), seat);
        Self { name, person, seat, desk: Mutex::new(desk) }
    }

    /// The one who draws and signs plans.
    pub fn is_surgeon(&self) -> bool {
        self.person == SURGEON
    }

    /// As a site knows who holds a robot.
    pub const fn holder(&self) -> Holder {
        Holder { party: Party::Remote, person: self.person, seat: self.seat }
    }

    /// Whether the robot of `room` is offered to this one now.
    pub fn is_offered(&self, room: &Room) -> bool {
        let heard = crate::lock(&room.heard);
        let offered = heard.state.as_ref().and_then(|state| state.lease.offered);
        offered == Some(self.person.0)
    }
}
