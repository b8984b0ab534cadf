//! Who and where: numbers that stand for sites, robots, people and seats.
//!
//! Names and colours belong to the shell; decisions compare numbers only.

use core::fmt;
use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub struct $name(pub u32);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// One operating theatre of one hospital.
    SiteId
}
number! {
    /// One robot; it belongs to one site.
    RobotId
}
number! {
    /// One person with a credential: a remote surgeon or a member of a local team.
    PersonId
}
number! {
    /// One place a person acts from: one browser tab or one console. The same surgeon in two tabs
    /// is one person on two seats.
    SeatId
}

/// Which side a person stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Party {
    /// The surgeon far away.
    Remote,
    /// The team in the theatre.
    Local,
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The surgeon far away.
    Remote(PersonId),
    /// A member of the team in the theatre.
    Local(PersonId),
    /// A sensor or a computation of the site; never a person.
    Machine,
}

impl By {
    /// The person, if it was one.
    pub const fn person(self) -> Option<PersonId> {
        match self {
            Self::Remote(person) | Self::Local(person) => Some(person),
            Self::Machine => None,
        }
    }
}

/// One value for the remote surgeon and one for the local team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Both<T> {
    /// The surgeon far away.
    pub remote: T,
    /// The team in the theatre.
    pub local: T,
}

impl<T> Both<T> {
    /// The value of one party.
    pub const fn of(&self, party: Party) -> &T {
        match party {
            Party::Remote => &self.remote,
            Party::Local => &self.local,
        }
    }

    /// The value of one party, to change it.
    pub const fn of_mut(&mut self, party: Party) -> &mut T {
        match party {
            Party::Remote => &mut self.remote,
            Party::Local => &mut self.local,
        }
    }
}
