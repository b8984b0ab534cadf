//! The bytes of a message.

use crate::patient::{A, B};
use telehand_ortho::authority::{
    Body, DecodeError, Envelope, Epoch, Holder, LEN, Message, MotionCommand, ReadBack, Reason,
};
use telehand_ortho::case::{Party, PersonId, RobotId, SeatId, SiteId};
use telehand_ortho::ids::PatientKey;
use telehand_ortho::{Level, PlanHash, RegistrationId, ScrewId, Side};
use telehand_vocab::Mono;

/// xorshift64*: enough to spoil bytes.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

fn every_body() -> Vec<Body> {
    let motion = MotionCommand {
        visit: 3,
        plan: PlanHash::of(b"plan"),
        registration: RegistrationId::of(b"registration"),
        trajectory: B,
        press: 9,
        held: true,
    };
    let mut all = vec![
        Body::Grab,
        Body::Renew,
        Body::Release,
        Body::Motion(motion),
        Body::Motion(MotionCommand { held: false, ..motion }),
        Body::ReadBack(ReadBack { plan: motion.plan, screw: None }),
    ];
    for level in Level::ALL {
        for side in [Side::Left, Side::Right] {
            let screw = ScrewId { level, side };
            all.push(Body::Confirm { visit: 2, screw });
            all.push(Body::ReadBack(ReadBack { plan: motion.plan, screw: Some(screw) }));
        }
    }
    for reason in [Reason::Released, Reason::NeededElsewhere, Reason::BadLink, Reason::CaseEnded] {
        for party in [Party::Remote, Party::Local] {
            let to = Holder { party, person: PersonId(5), seat: SeatId(6) };
            all.push(Body::HandOff { to, reason });
        }
    }
    all
}

fn message(body: Body) -> Message {
    let envelope = Envelope {
        seq: 77,
        heard: Mono::from_millis(123_456),
        epoch: Epoch(12),
        site: SiteId(1),
        robot: RobotId(2),
        patient: PatientKey::of(b"patient"),
        person: PersonId(3),
        seat: SeatId(4),
    };
    Message { envelope, body }
}

#[test]
fn every_message_survives_its_bytes() {
    for body in every_body() {
        let sent = message(body);
        let bytes = sent.encode();
        assert_eq!(bytes.len(), LEN);
        assert_eq!(Message::decode(&bytes), Ok(sent));
    }
}

#[test]
fn a_cut_stretched_or_foreign_message_is_refused() {
    let good = message(Body::Renew).encode();
    for len in 0..LEN {
        assert_eq!(Message::decode(&good[..len]), Err(DecodeError::Length { found: len }));
    }
    let mut long = good.clone();
    long.push(0);
    assert!(Message::decode(&long).is_err());
    let spoil = |place: usize, value: u8| {
        let mut bytes = message(Body::Confirm { visit: 1, screw: A }).encode();
        bytes[place] = value;
        Message::decode(&bytes)
    };
    assert_eq!(spoil(0, 2), Err(DecodeError::Version { found: 2 }));
    let fields: [(usize, u8); 8] =
        [(1, 0), (1, 8), (142, 0), (142, 19), (143, 2), (148, 1), (149, 1), (80, 1)];
    for (place, value) in fields {
        let outcome = spoil(place, value);
        assert!(matches!(outcome, Err(DecodeError::Field { .. })), "{place}: {outcome:?}");
        assert!(outcome.unwrap_err().to_string().contains("dropped"));
    }
}

#[test]
fn no_bytes_make_the_reader_fall_and_what_it_reads_writes_the_same_bytes() {
    let mut dice = Dice(7);
    let bodies = every_body();
    let mut read = 0;
    for round in 0..20_000 {
        let mut bytes = message(bodies[dice.below(bodies.len())]).encode();
        match round % 4 {
            0 => bytes = (0..dice.below(2 * LEN)).map(|_| dice.next() as u8).collect(),
            1 => bytes.truncate(dice.below(LEN)),
            _ => {
                for _ in 0..=dice.below(3) {
                    let place = dice.below(LEN);
                    bytes[place] = dice.next() as u8;
                }
            }
        }
        if let Ok(message) = Message::decode(&bytes) {
            read += 1;
            assert_eq!(message.encode(), bytes);
        }
    }
    assert!(read > 1_000, "spoilt messages reach past the first checks: {read}");
}
