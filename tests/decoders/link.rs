//! What comes over the network, and what proves who sent it.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use telehand_link::handshake::{Acceptor, Handshake};
use telehand_link::identity::{Credentials, DemoAuthority, PeerIdentity, Role as Identity};
use telehand_link::session::bodies;
use telehand_link::{Config, Role, Session, SessionKeys, command, feedback};
use telehand_vocab::{
    ArmId, Command, Engage, Feedback, HandIntent, Lease, Mono, Quat, Span, ToolIntent, Vec3,
    message::PictureEcho,
};

/// 20 November 2026, for certificates.
const WALL: Span = Span::from_millis(1_795_000_000_000);
const PATHS: usize = 2;

/// A command as the console sends it.
pub fn link_command(data: &[u8]) {
    if let Ok(read) = command::decode(data) {
        let mut bytes = Vec::new();
        command::encode(&read, &mut bytes);
        assert_eq!(
            command::decode(&bytes).ok(),
            Some(read),
            "a command that was read is sent again"
        );
    }
}

/// Feedback as the patient side sends it. A number that is none travels too, so bytes are compared.
pub fn link_feedback(data: &[u8]) {
    let write = |read: &Feedback| {
        let mut bytes = Vec::new();
        feedback::encode(read, &mut bytes);
        bytes
    };
    if let Ok(read) = feedback::decode(data) {
        let bytes = write(&read);
        let again = feedback::decode(&bytes).map(|read| write(&read));
        assert_eq!(again, Ok(bytes), "feedback that was read is sent again");
    }
}

/// The bodies of packets, as they are after opening.
pub fn link_bodies(data: &[u8]) {
    let _ = bodies::messages(data);
    let _ = bodies::probe(data);
    let _ = bodies::picture(data);
    let _ = bodies::report(data);
    let _ = bodies::beat(data, |seq| seq % 2 == 0);
}

/// Two live sessions and a network between them that does what the bytes say: sends all kinds of
/// things, delivers, loses, repeats, damages and makes up datagrams.
pub fn link_session(data: &[u8]) {
    let mut net = Net::new();
    let mut rest = data;
    while let Some((op, after)) = rest.split_first() {
        let (size, after) = after.split_first().unwrap_or((&0, after));
        let length = usize::from(*size).min(after.len());
        let (bytes, after) = after.split_at(length);
        rest = after;
        net.step(*op, bytes);
    }
    for _ in 0..20 {
        net.step(1, &[]);
    }
    for side in &mut net.sides {
        let _ = side.figures();
        while side.poll_event().is_some() {}
    }
}

struct Net {
    now: Mono,
    sides: [Session; 2],
    /// On their way: to which side, on which path.
    travelling: Vec<(usize, usize, Vec<u8>)>,
    pictures: u32,
}

impl Net {
    fn new() -> Self {
        let now = Mono::from_millis(1_000);
        let side = |role| Session::new(role, SessionKeys::for_test(2), Config::new(PATHS), now);
        let sides = [side(Role::Console), side(Role::Patient)];
        let mut net = Self { now, sides, travelling: Vec::new(), pictures: 0 };
        for _ in 0..4 {
            net.step(1, &[]);
        }
        net
    }

    fn step(&mut self, op: u8, bytes: &[u8]) {
        let which = usize::from(op >> 4) % 2;
        let [console, patient] = &mut self.sides;
        match op & 0x0F {
            0 => drop(console.send_command(self.now, bytes)),
            1 => self.pass(30),
            2 => console.send_state(self.now, bytes),
            3 => patient.send_state(self.now, bytes),
            4 => drop(console.send_event(self.now, bytes)),
            5 => drop(patient.send_event(self.now, bytes)),
            6 => {
                self.pictures += 1;
                let picture = bytes.repeat(1 + usize::from(op >> 4) * 8);
                patient.send_video(self.now, self.pictures, self.now, &picture);
            }
            // The newest is lost, twice there, or first.
            7 => drop(self.travelling.pop()),
            8 => self.travelling.extend(self.travelling.last().cloned()),
            9 => self.travelling.reverse(),
            10 => {
                if let Some((_, _, datagram)) = self.travelling.last_mut() {
                    for (place, byte) in datagram.iter_mut().zip(bytes) {
                        *place ^= byte;
                    }
                }
            }
            11 => self.travelling.push((which, usize::from(op >> 5), bytes.to_vec())),
            12 => self.pass(u64::from(op >> 4) * 100),
            13 => {
                let seed = 2 + u64::from(op >> 4);
                for side in &mut self.sides {
                    side.rekey(self.now, SessionKeys::for_test(seed));
                }
            }
            _ => self.pass(1),
        }
        self.collect();
    }

    fn pass(&mut self, ms: u64) {
        self.now += Span::from_millis(ms);
        for (to, path, mut datagram) in std::mem::take(&mut self.travelling) {
            if let Some(side) = self.sides.get_mut(to) {
                side.handle_datagram(self.now, path, &mut datagram);
            }
        }
        for side in &mut self.sides {
            side.handle_timeout(self.now);
            while side.poll_event().is_some() {}
        }
    }

    fn collect(&mut self) {
        for (from, side) in self.sides.iter_mut().enumerate() {
            let mut datagram = Vec::new();
            while let Some(to) = side.poll_transmit(self.now, &mut datagram) {
                if self.travelling.len() < 1_000 {
                    self.travelling.push((1 - from, to.path, datagram.clone()));
                }
                datagram.clear();
            }
        }
    }
}

struct Identities {
    authority: String,
    console: [String; 2],
    bedside: [String; 2],
}

fn make_identities() -> Option<Identities> {
    let authority = DemoAuthority::new(WALL, Span::from_millis(86_400_000)).ok()?;
    let issue = |role, name| {
        let issued = authority.issue(&PeerIdentity::new(role, name).ok()?).ok()?;
        Some([issued.certificate_pem.clone(), issued.key_pem.clone()])
    };
    Some(Identities {
        authority: authority.pem().to_owned(),
        console: issue(Identity::Console, "a")?,
        bedside: issue(Identity::Bedside, "b")?,
    })
}

thread_local! {
    static IDENTITIES: Option<Identities> = make_identities();
    static ACCEPTOR: RefCell<Option<(Acceptor, Mono)>> = RefCell::new(IDENTITIES.with(|made| {
        let Identities { authority, bedside: [certificate, key], .. } = made.as_ref()?;
        let own = Credentials::from_pem(authority, certificate, key).ok()?;
        Some((Acceptor::new(&own, PATHS, WALL).ok()?, Mono::from_millis(1_000)))
    }));
}

/// Handshake datagrams to a patient side that listens for long already, and to a console that
/// dials.
pub fn handshake(data: &[u8]) {
    let Some((head, bytes)) = data.split_first() else { return };
    let path = usize::from(head >> 7);
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 1_000 + u16::from(head & 3)));
    ACCEPTOR.with_borrow_mut(|acceptor| {
        let Some((acceptor, now)) = acceptor else { panic!("the demo identities are not made") };
        *now += Span::from_millis(u64::from(head & 0x7C) * 4);
        acceptor.handle_timeout(*now);
        acceptor.handle_datagram(*now, path, from, bytes);
        let mut out = Vec::new();
        while acceptor.poll_transmit(*now, &mut out).is_some() {
            out.clear();
        }
        assert!(acceptor.poll_outcome().is_none(), "bytes that nobody signed made a session");
        assert!(acceptor.pending() < 1_000, "{} handshakes under way", acceptor.pending());
    });
    // Dialling makes keys, which is slow: one input in eight.
    if head & 0x1C == 0 {
        dial(bytes, path);
    }
}

fn dial(bytes: &[u8], path: usize) {
    let now = Mono::from_millis(1_000);
    let mut dialling = IDENTITIES.with(|made| {
        let Identities { authority, console: [certificate, key], .. } = made.as_ref()?;
        let own = Credentials::from_pem(authority, certificate, key).ok()?;
        Handshake::client(&own, PATHS, None, now, WALL).ok()
    });
    let Some(dialling) = &mut dialling else { panic!("the demo console cannot dial") };
    dialling.handle_datagram(now, path, bytes);
    dialling.handle_timeout(now + Span::from_millis(500));
    if let Some(Ok(_)) = dialling.poll_outcome() {
        panic!("bytes that nobody signed made a session");
    }
}

/// Identities as PEM: the bytes are the three bodies, one after the other, with a zero between.
pub fn identity_pem(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut parts = text.split('\0');
    let [authority, certificate, key] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    if let Ok(read) = Credentials::from_pem(authority, certificate, key) {
        let uri = read.own().uri();
        assert_eq!(PeerIdentity::from_uri(&uri).as_ref(), Some(read.own()), "{uri}");
    }
    let _ = PeerIdentity::from_uri(&text);
}

pub fn command_seeds() -> Vec<Vec<u8>> {
    let hand = |arm, engaged| HandIntent {
        arm,
        engage: Engage(7),
        engaged,
        intent: ToolIntent {
            translation: Vec3::new(0.01, -0.02, 0.003),
            rotation: Quat::default(),
            jaw_rad: 0.4,
        },
    };
    let command = |seq, engaged| Command {
        seq,
        issued_at: Mono::from_millis(12_345),
        lease: Lease(3),
        hands: [hand(ArmId::Psm1, engaged), hand(ArmId::Psm2, !engaged)],
        picture: PictureEcho { age: Span::from_millis(80), intact: engaged },
    };
    [command(0, true), command(u64::MAX / 2, false)]
        .iter()
        .map(|command| {
            let mut bytes = Vec::new();
            command::encode(command, &mut bytes);
            bytes
        })
        .collect()
}

pub fn feedback_seeds() -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    feedback::encode(&telehand::arm::wire::Report::empty().feedback, &mut bytes);
    vec![bytes]
}

pub fn body_seeds() -> Vec<Vec<u8>> {
    // A probe with an echo; a picture of one piece; a report that says nothing is missing.
    let probe = [&[1][..], &[0, 0, 0, 0, 0, 0, 4, 0], &[1], &[0; 16]].concat();
    let picture = [&[0; 16][..], &[0, 0, 0, 4, 0, 1, 0, 1, 0, 0], &[0; 4], &[1, 2, 3, 4]].concat();
    let mut seeds = vec![probe, picture];
    seeds.extend((1..64).step_by(7).map(|length| vec![0; length]));
    seeds
}

pub fn session_seeds() -> Vec<Vec<u8>> {
    let command = [&[0x00, 8][..], b"commands"].concat();
    let picture = [&[0xF6, 200][..], &[9; 200]].concat();
    let talk = [&[0x04, 3][..], b"one", &[0x05, 3], b"two", &[1, 0], &[0x07, 0], &[1, 0]].concat();
    let forged = [&[0x1B, 40][..], &[1; 40], &[1, 0], &[0x0A, 4, 1, 2, 3, 4], &[1, 0]].concat();
    vec![
        [&command[..], &picture, &[1, 0, 1, 0]].concat(),
        [&talk[..], &talk, &[0xFC, 0, 1, 0]].concat(),
        [&command[..], &forged, &[0x1D, 0, 1, 0], &command].concat(),
    ]
}

pub fn handshake_seeds() -> Vec<Vec<u8>> {
    let now = Mono::from_millis(1_000);
    let made = IDENTITIES.with(|made| {
        let Identities { authority, console: [certificate, key], .. } = made.as_ref()?;
        let own = Credentials::from_pem(authority, certificate, key).ok()?;
        Handshake::client(&own, PATHS, None, now, WALL).ok()
    });
    let mut seeds = Vec::new();
    if let Some(mut dialling) = made {
        let mut datagram = Vec::new();
        while dialling.poll_transmit(now, &mut datagram).is_some() {
            seeds.push([&[0][..], &datagram].concat());
            datagram.clear();
        }
    }
    seeds
}

pub fn pem_seeds() -> Vec<Vec<u8>> {
    IDENTITIES.with(|made| {
        let made = made.iter();
        made.map(|made| {
            let [certificate, key] = &made.console;
            [&made.authority, certificate, key].map(String::as_str).join("\0").into_bytes()
        })
        .collect()
    })
}
