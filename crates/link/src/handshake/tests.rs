//! Both sides over a bad network, in virtual time.

use super::*;
use crate::HANDSHAKE_FIRST_BYTE;
use crate::identity::{DemoAuthority, Role};
use std::net::{IpAddr, Ipv4Addr};

const WALL: Span = Span::from_millis(1_790_000_000_000);
const DAY: Span = Span::from_millis(24 * 3600 * 1000);

/// `SplitMix64`: the seed of a test decides what the network does.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

fn authority() -> DemoAuthority {
    DemoAuthority::new(WALL, DAY).unwrap()
}

fn credentials(trusted: &DemoAuthority, signer: &DemoAuthority, role: Role) -> Credentials {
    let who = PeerIdentity::new(role, "test").unwrap();
    let issued = signer.issue(&who).unwrap();
    Credentials::from_pem(trusted.pem(), &issued.certificate_pem, &issued.key_pem).unwrap()
}

struct Ether {
    dice: Dice,
    loss_percent: u64,
    /// (arrives at, to the server?, path, bytes)
    flying: Vec<(Mono, bool, usize, Vec<u8>)>,
    to_server: usize,
    to_client: usize,
    delivered_to_server: usize,
}

impl Ether {
    fn new(seed: u64, loss_percent: u64) -> Self {
        let (flying, to_server, to_client) = (Vec::new(), 0, 0);
        Self {
            dice: Dice(seed),
            loss_percent,
            flying,
            to_server,
            to_client,
            delivered_to_server: 0,
        }
    }

    /// 30 to 70 ms one way, so that datagrams overtake each other; one in ten comes twice.
    fn send(&mut self, now: Mono, up: bool, path: usize, bytes: &[u8]) {
        *(if up { &mut self.to_server } else { &mut self.to_client }) += bytes.len();
        assert!(bytes.len() <= wire::HEADER_LEN + wire::PIECE_MAX);
        assert!(bytes[0] >= HANDSHAKE_FIRST_BYTE);
        let copies = 1 + usize::from(self.dice.chance(10));
        for _ in 0..copies {
            if !self.dice.chance(self.loss_percent) {
                let delay = Span::from_micros(30_000 + self.dice.next() % 40_000);
                self.flying.push((now + delay, up, path, bytes.to_vec()));
            }
        }
    }

    fn arrived(&mut self, now: Mono) -> Vec<(bool, usize, Vec<u8>)> {
        let mut here: Vec<_> = Vec::new();
        self.flying.retain(|(at, up, path, bytes)| {
            let arrives = *at <= now;
            if arrives {
                here.push((*at, *up, *path, bytes.clone()));
            }
            !arrives
        });
        here.sort_by_key(|(at, ..)| *at);
        here.into_iter().map(|(_, up, path, bytes)| (up, path, bytes)).collect()
    }
}

fn address(client: u8, path: usize) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(10, path as u8, 0, client), 4000))
}

type Ends = (Result<Established, HandshakeError>, Option<Outcome>, Mono);

/// Runs one console against one bedside until the console has its outcome and the bedside too, or
/// `PATIENCE` twice over.
fn meet(ether: &mut Ether, client: &mut Handshake, server: &mut Acceptor, paths: usize) -> Ends {
    let (mut at_client, mut at_server, mut ended_at) = (None, None, Mono::ZERO);
    for ms in 0..PATIENCE.as_millis() * 2 {
        let now = Mono::from_millis(ms);
        for (up, path, mut bytes) in ether.arrived(now) {
            if up {
                ether.delivered_to_server += bytes.len();
                server.handle_datagram(now, path, address(1, path), &bytes);
            } else {
                // What a stranger sends is ignored.
                client.handle_datagram(now, path, &bytes[..bytes.len() - 1]);
                client.handle_datagram(now, path, &bytes);
                bytes[5] ^= 1;
                client.handle_datagram(now, path, &bytes);
            }
        }
        client.handle_timeout(now);
        server.handle_timeout(now);
        let mut out = Vec::new();
        while let Some(Transmit { path, to }) = client.poll_transmit(now, &mut out) {
            assert!(path < paths && to.is_none());
            ether.send(now, true, path, &std::mem::take(&mut out));
        }
        while let Some(Transmit { path, to }) = server.poll_transmit(now, &mut out) {
            assert_eq!(to, Some(address(1, path)));
            ether.send(now, false, path, &std::mem::take(&mut out));
        }
        if let Some(outcome) = client.poll_outcome() {
            ended_at = now;
            at_client = Some(outcome);
        }
        at_server = at_server.or_else(|| server.poll_outcome());
        if at_client.is_some() && at_server.is_some() {
            break;
        }
    }
    (at_client.expect("the console always gets an outcome"), at_server, ended_at)
}

fn dial(seed: u64, loss: u64, paths: usize, trusted: [&Credentials; 2]) -> Ends {
    let [console, bedside] = trusted;
    let mut client = Handshake::client(console, paths, None, Mono::ZERO, WALL).unwrap();
    let mut server = Acceptor::new(bedside, paths, WALL).unwrap();
    meet(&mut Ether::new(seed, loss), &mut client, &mut server, paths)
}

fn both() -> [Credentials; 2] {
    let authority = authority();
    [Role::Console, Role::Bedside].map(|role| credentials(&authority, &authority, role))
}

#[test]
fn l_082_both_ends_get_the_same_keys_and_each_others_name() {
    let [console, bedside] = both();
    for paths in 1..=3 {
        let (client, server, ended_at) = dial(1, 0, paths, [&console, &bedside]);
        let client = client.unwrap();
        let Some(Outcome::Accepted(server)) = server else { panic!("{server:?}") };
        assert_eq!(client.keys.session, server.keys.session);
        assert_eq!(client.keys.console_to_patient, server.keys.console_to_patient);
        assert_eq!(client.keys.patient_to_console, server.keys.patient_to_console);
        assert_eq!(client.keys.cipher, server.keys.cipher);
        assert_ne!(client.keys.console_to_patient, client.keys.patient_to_console);
        assert_eq!(client.peer, *bedside.own());
        assert_eq!(server.peer, *console.own());
        let proven = server.remotes.iter().flatten().count();
        assert!(proven >= 1 && server.remotes.len() == paths);
        // Three round trips of at most 140 ms, and no timer in between.
        assert!(ended_at <= Mono::from_millis(3 * 140 + 10), "{ended_at:?}");
    }
}

#[test]
fn l_082_every_handshake_makes_new_keys() {
    let [console, bedside] = both();
    let session = |seed| dial(seed, 0, 1, [&console, &bedside]).0.unwrap().keys.session;
    assert_ne!(session(1), session(1));
}

#[test]
fn l_083_the_handshake_survives_loss_repeats_and_disorder() {
    let [console, bedside] = both();
    for seed in 0..30 {
        for (loss, paths) in [(10, 1), (30, 2), (50, 2)] {
            let (client, server, _) = dial(seed, loss, paths, [&console, &bedside]);
            let client = client.unwrap_or_else(|e| panic!("seed {seed}, {loss} %: {e}"));
            let Some(Outcome::Accepted(server)) = server else {
                panic!("seed {seed}, {loss} %: {server:?}")
            };
            assert_eq!(client.keys.session, server.keys.session);
        }
    }
}

#[test]
fn l_084_silence_is_told_as_silence() {
    let [console, bedside] = both();
    let (client, server, ended_at) = dial(1, 100, 2, [&console, &bedside]);
    assert_eq!(client.unwrap_err(), HandshakeError::NoAnswer { after: PATIENCE });
    assert!(server.is_none());
    assert_eq!(ended_at, Mono::ZERO + PATIENCE);
}

#[test]
fn l_085_another_authority_is_refused_on_both_sides() {
    let (ours, theirs) = (authority(), authority());
    let console = credentials(&ours, &ours, Role::Console);
    let stranger = credentials(&ours, &theirs, Role::Bedside);
    let (client, server, _) = dial(2, 20, 2, [&console, &stranger]);
    assert_eq!(client.unwrap_err(), HandshakeError::Untrusted);
    let Some(Outcome::Refused { error, .. }) = server else { panic!("{server:?}") };
    assert_eq!(error, HandshakeError::RefusedByPeer { why: PeerRefusal::Untrusted });

    let bedside = credentials(&ours, &ours, Role::Bedside);
    let stranger = credentials(&ours, &theirs, Role::Console);
    let (client, server, _) = dial(3, 20, 2, [&stranger, &bedside]);
    assert_eq!(client.unwrap_err(), HandshakeError::RefusedByPeer { why: PeerRefusal::Untrusted });
    let Some(Outcome::Refused { error, .. }) = server else { panic!("{server:?}") };
    assert_eq!(error, HandshakeError::Untrusted);
}

#[test]
fn l_086_a_valid_certificate_of_the_wrong_role_is_refused_by_name() {
    let authority = authority();
    let [console, bedside] =
        [Role::Console, Role::Bedside].map(|role| credentials(&authority, &authority, role));
    let wrong = |found: Role| HandshakeError::WrongRole { found, wanted: found.peer() };
    let refused = HandshakeError::RefusedByPeer { why: PeerRefusal::Role };

    let (client, server, _) = dial(4, 0, 1, [&console, &console]);
    assert_eq!(client.unwrap_err(), wrong(Role::Console));
    let Some(Outcome::Refused { error, .. }) = server else { panic!("{server:?}") };
    assert_eq!(error, refused);

    let (client, server, _) = dial(5, 0, 1, [&bedside, &bedside]);
    assert_eq!(client.unwrap_err(), refused);
    let Some(Outcome::Refused { error, .. }) = server else { panic!("{server:?}") };
    assert_eq!(error, wrong(Role::Bedside));
}

#[test]
fn l_087_time_decides_over_certificates_and_the_message_says_by_how_much() {
    let [console, bedside] = both();
    // The authority began a day before WALL and ends a day after.
    let mut client = Handshake::client(
        &console,
        1,
        None,
        Mono::ZERO,
        WALL.plus(DAY).plus(Span::from_millis(7_200_000)),
    )
    .unwrap();
    let mut server = Acceptor::new(&bedside, 1, WALL).unwrap();
    let (outcome, _, _) = meet(&mut Ether::new(6, 0), &mut client, &mut server, 1);
    let error = outcome.unwrap_err();
    assert_eq!(error, HandshakeError::Expired { by: Span::from_millis(7_200_000) });
    assert!(error.to_string().contains("2.0 hours ago"), "{error}");

    let mut client = Handshake::client(&console, 1, None, Mono::ZERO, WALL).unwrap();
    let early = WALL.less(DAY).less(Span::from_millis(3_600_000));
    let mut server = Acceptor::new(&bedside, 1, early).unwrap();
    let (outcome, refusal, _) = meet(&mut Ether::new(7, 0), &mut client, &mut server, 1);
    assert_eq!(outcome.unwrap_err(), HandshakeError::RefusedByPeer { why: PeerRefusal::Expired });
    let Some(Outcome::Refused { error, .. }) = refusal else { panic!("{refusal:?}") };
    assert_eq!(error, HandshakeError::NotYetValid { by: Span::from_millis(3_600_000) });
}

#[test]
fn l_088_a_second_console_is_told_busy_and_the_holder_may_come_back() {
    let authority = authority();
    let bedside = credentials(&authority, &authority, Role::Bedside);
    let console = credentials(&authority, &authority, Role::Console);
    let other = PeerIdentity::new(Role::Console, "other").unwrap();

    let mut server = Acceptor::new(&bedside, 1, WALL).unwrap();
    let live = |peer, held| Some(Live { session: 7, peer, held });
    server.set_live(live(other.clone(), true));
    let mut client = Handshake::client(&console, 1, None, Mono::ZERO, WALL).unwrap();
    let (outcome, refusal, _) = meet(&mut Ether::new(8, 10), &mut client, &mut server, 1);
    assert_eq!(outcome.unwrap_err(), HandshakeError::Busy);
    assert!(matches!(refusal, Some(Outcome::Refused { error: HandshakeError::Busy, .. })));

    let mut server = Acceptor::new(&bedside, 1, WALL).unwrap();
    for holder in [live(console.own().clone(), true), live(other, false)] {
        server.set_live(holder);
        let mut client = Handshake::client(&console, 1, None, Mono::ZERO, WALL).unwrap();
        let (outcome, _, _) = meet(&mut Ether::new(8, 10), &mut client, &mut server, 1);
        assert_eq!(outcome.unwrap().renews, None);
    }
}

#[test]
fn l_088_a_session_goes_on_only_when_both_sides_still_have_it() {
    let [console, bedside] = both();
    let own = console.own().clone();
    let other = PeerIdentity::new(Role::Console, "other").unwrap();
    for (previous, live, renews) in [
        (Some(7), Some((7, &own)), Some(7)),
        (Some(7), Some((8, &own)), None),
        (Some(7), Some((7, &other)), None),
        (Some(7), None, None),
        (None, Some((7, &own)), None),
        (None, Some((0, &own)), None),
    ] {
        let mut server = Acceptor::new(&bedside, 2, WALL).unwrap();
        server.set_live(live.map(|(session, peer)| Live {
            session,
            peer: peer.clone(),
            held: false,
        }));
        let mut client = Handshake::client(&console, 2, previous, Mono::ZERO, WALL).unwrap();
        let (at_client, at_server, _) = meet(&mut Ether::new(8, 20), &mut client, &mut server, 2);
        let Some(Outcome::Accepted(at_server)) = at_server else { panic!("{at_server:?}") };
        assert_eq!((at_client.unwrap().renews, at_server.renews), (renews, renews));
    }
}

#[test]
fn l_089_an_unproven_address_gets_no_more_than_it_sent_and_leaves_no_trace() {
    let [console, bedside] = both();
    let mut server = Acceptor::new(&bedside, 1, WALL).unwrap();
    let mut client = Handshake::client(&console, 1, None, Mono::ZERO, WALL).unwrap();
    let (mut hello, mut reply) = (Vec::new(), Vec::new());
    client.poll_transmit(Mono::ZERO, &mut hello).unwrap();
    for spoofed in 0..200u8 {
        server.handle_datagram(Mono::ZERO, 0, address(spoofed, 0), &hello);
        reply.clear();
        server.poll_transmit(Mono::ZERO, &mut reply).expect("a token");
        assert!(reply.len() <= hello.len() && reply.len() == wire::HEADER_LEN);
        assert!(server.poll_transmit(Mono::ZERO, &mut reply).is_none());
    }
    assert_eq!(server.pending(), 0);
    // A token is good for the address it was sent to and for no other, and not for ever.
    client.handle_datagram(Mono::ZERO, 0, &reply);
    hello.clear();
    client.poll_transmit(Mono::ZERO, &mut hello).unwrap();
    for wrong in [address(1, 0), SocketAddr::from((Ipv4Addr::new(10, 0, 0, 199), 4001))] {
        server.handle_datagram(Mono::ZERO, 0, wrong, &hello);
        assert_eq!(server.pending(), 0);
    }
    server.handle_datagram(Mono::from_millis(180_000), 0, address(199, 0), &hello);
    assert_eq!(server.pending(), 0);
    server.handle_datagram(Mono::from_millis(60_000), 0, address(199, 0), &hello);
    assert_eq!(server.pending(), 1);
}

#[test]
fn l_089_a_crowd_of_handshakes_is_bounded_and_does_not_lock_a_console_out() {
    let [console, bedside] = both();
    let mut server = Acceptor::new(&bedside, 1, WALL).unwrap();
    let now = Mono::ZERO;
    let knock = |server: &mut Acceptor, from: SocketAddr| {
        let mut client = Handshake::client(&console, 1, None, now, WALL).unwrap();
        let mut bytes = Vec::new();
        client.poll_transmit(now, &mut bytes).unwrap();
        server.handle_datagram(now, 0, from, &bytes);
        bytes.clear();
        while server.poll_transmit(now, &mut bytes).is_some_and(|t| t.to != Some(from)) {
            bytes.clear();
        }
        client.handle_datagram(now, 0, &bytes[..wire::HEADER_LEN]);
        bytes.clear();
        client.poll_transmit(now, &mut bytes).unwrap();
        server.handle_datagram(now, 0, from, &bytes);
        let mut ours = false;
        bytes.clear();
        while let Some(transmit) = server.poll_transmit(now, &mut bytes) {
            ours |= transmit.to == Some(from) && bytes.len() > wire::HEADER_LEN;
            bytes.clear();
        }
        ours
    };
    for crowd in 0..3 * PENDING_MAX {
        assert_eq!(knock(&mut server, address(66, 0)), crowd < PENDING_MAX);
        assert!(server.pending() <= PENDING_MAX);
    }
    assert!(knock(&mut server, address(7, 0)), "another address makes its way");
    assert_eq!(server.pending(), PENDING_MAX);
    // A crowd from many addresses costs a bounded share of the processor.
    let begun = (100..200u8).filter(|host| knock(&mut server, address(*host, 0))).count();
    assert_eq!(begun, 16 - PENDING_MAX - 1);
    server.handle_timeout(now + PATIENCE);
    assert_eq!(server.pending(), 0);
}

#[test]
fn l_090_any_bytes_at_any_time_do_no_harm() {
    let [console, bedside] = both();
    let mut dice = Dice(9);
    let mut server = Acceptor::new(&bedside, 2, WALL).unwrap();
    let mut client = Handshake::client(&console, 2, None, Mono::ZERO, WALL).unwrap();
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for step in 0..20_000u64 {
        let now = Mono::from_millis(step / 10);
        let mut bytes = match seen.len() {
            0 => Vec::new(),
            n => seen[(dice.next() as usize) % n].clone(),
        };
        match dice.next() % 4 {
            0 => bytes = (0..dice.next() % 1300).map(|_| dice.next() as u8).collect(),
            1 => bytes.truncate((dice.next() as usize) % (bytes.len() + 1)),
            2 => {
                for _ in 0..=dice.next() % 4 {
                    let at = dice.next() as usize % bytes.len().max(1);
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = dice.next() as u8;
                    }
                }
            }
            _ => {}
        }
        let path = (dice.next() % 3) as usize;
        client.handle_datagram(now, path, &bytes);
        server.handle_datagram(now, path, address((dice.next() % 4) as u8, path), &bytes);
        let mut out = Vec::new();
        while client.poll_transmit(now, &mut out).is_some() {
            seen.push(std::mem::take(&mut out));
        }
        while server.poll_transmit(now, &mut out).is_some() {
            seen.push(std::mem::take(&mut out));
        }
        if seen.len() > 64 {
            seen.drain(..32);
        }
        assert!(server.pending() <= PENDING_MAX);
        let _ = (client.poll_outcome(), server.poll_outcome());
        if step % 500 == 0 {
            client = Handshake::client(&console, 2, None, now, WALL).unwrap();
        }
    }
}

#[test]
fn l_090_a_client_at_an_address_of_the_other_family_is_served_too() {
    let [console, bedside] = both();
    let mut server = Acceptor::new(&bedside, 1, WALL).unwrap();
    let mut client = Handshake::client(&console, 1, None, Mono::ZERO, WALL).unwrap();
    let from = SocketAddr::new(IpAddr::V6("2001:db8::1".parse().unwrap()), 5000);
    let mut accepted = false;
    for ms in 0..100 {
        let (now, mut out) = (Mono::from_millis(ms), Vec::new());
        while client.poll_transmit(now, &mut out).is_some() {
            server.handle_datagram(now, 0, from, &std::mem::take(&mut out));
        }
        while let Some(transmit) = server.poll_transmit(now, &mut out) {
            assert_eq!(transmit.to, Some(from));
            client.handle_datagram(now, 0, &std::mem::take(&mut out));
        }
        accepted |= matches!(server.poll_outcome(), Some(Outcome::Accepted(_)));
    }
    assert!(accepted && client.poll_outcome().is_some_and(|outcome| outcome.is_ok()));
}
