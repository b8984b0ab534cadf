//! A leaf is the deterministic CBOR of a stamped event, and comes back from it whole.

use super::*;
use crate::cbor;
use crate::command::{Actor, Strength, Who};
use crate::entity::session::{Happening, Owner, SessionEvent, Signed};
use crate::event::{Event, Stamped};
use crate::ids::Signature64;
use crate::time::Utc;

fn signed(by: &str) -> Signed {
    Signed { by: by.parse().unwrap(), key: digest(by.as_bytes()), signature: Signature64([7; 64]) }
}

fn session(happenings: Vec<Happening>) -> Event {
    let events = happenings.into_iter().enumerate();
    let events = events.map(|(n, what)| SessionEvent { seq: n as u32, at: Utc(n as i64), what });
    Event::SessionUploaded {
        case: "case-1".parse().unwrap(),
        session: "session-1".parse().unwrap(),
        events: events.collect(),
    }
}

fn events() -> Vec<Event> {
    let happenings = alloc::vec![
        Happening::Started { grant: "grant-1".parse().unwrap(), epoch: 7 },
        Happening::HandedOver {
            from: Owner::Nobody,
            to: Owner::Remote("surgeon".parse().unwrap()),
            epoch: 8,
            reason: "begin".into(),
            giver: signed("local"),
            taker: signed("surgeon"),
            held_ms: 40,
        },
        Happening::Ended { complete: true },
    ];
    [
        Event::GrantRevoked { grant: "grant-1".parse().unwrap() },
        Event::GrantIssued {
            grant: "grant-1".parse().unwrap(),
            cosigned_by: "local".parse().unwrap(),
        },
        session(happenings),
        session(Vec::new()),
    ]
    .into()
}

#[test]
fn an_event_has_one_leaf_and_comes_back_from_it() {
    let mut before = Vec::new();
    for (index, event) in events().into_iter().enumerate() {
        let stamped = Stamped {
            seq: index as u64 + 1,
            at: Utc(-1_000_001),
            actor: Actor {
                who: if index == 0 { Who::Hub } else { Who::Person("surgeon".parse().unwrap()) },
                org: "kashgar".parse().unwrap(),
                strength: Strength::Passkey,
            },
            reason: (index == 1).then(|| "两个字".into()),
            event,
        };
        let leaf = cbor::to_vec(&stamped).unwrap();
        assert_eq!(cbor::from_slice::<Stamped>(&leaf).unwrap(), stamped);
        assert_eq!(cbor::from_own::<Stamped>(&leaf).unwrap(), stamped);
        let names_case = cbor::texts(&leaf).unwrap().iter().any(|text| text == "case-1");
        assert_eq!(names_case, index >= 2);
        assert!(!before.contains(&leaf));
        before.push(leaf);
    }
}

#[test]
fn a_014_every_changed_byte_of_a_leaf_is_another_leaf_or_none() {
    let stamped = Stamped {
        seq: 1,
        at: Utc(5),
        actor: Actor {
            who: Who::Site("kashgar".parse().unwrap()),
            org: "kashgar".parse().unwrap(),
            strength: Strength::Machine,
        },
        reason: Some("why".into()),
        event: events().swap_remove(2),
    };
    let leaf = cbor::to_vec(&stamped).unwrap();
    for at in 0..leaf.len() {
        for bit in 0..8 {
            let mut changed = leaf.clone();
            changed[at] ^= 1 << bit;
            assert_ne!(leaf_hash(&changed), leaf_hash(&leaf));
            if let Ok(read) = cbor::from_slice::<Stamped>(&changed) {
                assert_ne!(read, stamped, "byte {at}, bit {bit}: two leaves of one event");
            }
        }
    }
}
