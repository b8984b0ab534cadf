use super::drill::{Drill, HANDS, Load};
use crate::keys::SessionKeys;
use crate::rng::Rng;
use crate::seal::{Header, Kind};
use crate::session::{Arrival, Config, Event, Role, Session};
use telehand_sim::network::Direction;
use telehand_vocab::{Mono, Span};

const FULL: Load = Load { messages: true, picture: Some(9_000), ..HANDS };

/// A session in full swing and what went out of the console and the patient side in its last 300 ms.
fn recorded() -> (Drill, Vec<(Direction, usize, Vec<u8>)>) {
    let mut drill = Drill::new(&["delay_ms = 5", "delay_ms = 8"], 6, FULL);
    drill.run(Span::from_millis(1_000));
    drill.keep_datagrams = true;
    drill.run(Span::from_millis(300));
    drill.keep_datagrams = false;
    let datagrams = std::mem::take(&mut drill.log.datagrams);
    drill.settle();
    (drill, datagrams)
}

fn feed(drill: &mut Drill, direction: Direction, path: usize, bytes: &mut [u8]) -> Arrival {
    match direction {
        Direction::Out => {
            let there = drill.patient_now();
            drill.patient.handle_datagram(there, path, bytes)
        }
        Direction::Back => drill.console.handle_datagram(drill.now, path, bytes),
    }
}

fn no_events(drill: &mut Drill) {
    for session in [&mut drill.console, &mut drill.patient] {
        assert_eq!(session.poll_event(), None);
    }
}

#[test]
fn l_130_what_was_recorded_and_played_again_does_nothing() {
    let (mut drill, datagrams) = recorded();
    let kinds: Vec<_> = datagrams.iter().map(|d| Header::parse(&d.2).unwrap().kind).collect();
    for kind in [Kind::Command, Kind::State, Kind::Message, Kind::Video, Kind::Probe, Kind::Report]
    {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
    for path in 0..2 {
        for (direction, own, bytes) in &datagrams {
            let arrival = feed(&mut drill, *direction, path, &mut bytes.clone());
            assert_eq!(arrival, Arrival::Replayed, "{own} on {path}");
            assert!(arrival.is_authentic() && !arrival.moves_path());
        }
    }
    no_events(&mut drill);
    assert!(drill.patient.figures().replays > 300);
    assert_eq!(drill.patient.figures().forgeries, 0);
}

#[test]
fn l_131_a_datagram_with_any_byte_changed_does_nothing() {
    let (mut drill, datagrams) = recorded();
    let mut rng = Rng::new(1);
    for kind in [Kind::Command, Kind::State, Kind::Message, Kind::Video, Kind::Probe, Kind::Report]
    {
        let (direction, path, bytes) = datagrams
            .iter()
            .find(|(_, _, bytes)| Header::parse(bytes).unwrap().kind == kind)
            .unwrap();
        for place in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[place] ^= 1 + rng.below(255) as u8;
            let arrival = feed(&mut drill, *direction, *path, &mut bad);
            assert!(!arrival.is_authentic(), "{kind:?} byte {place}: {arrival:?}");
        }
        for len in 0..bytes.len() {
            let arrival = feed(&mut drill, *direction, *path, &mut bytes[..len].to_vec());
            assert!(!arrival.is_authentic());
        }
    }
    no_events(&mut drill);
    assert!(drill.patient.figures().forgeries > 100);
}

#[test]
fn l_132_a_datagram_sent_back_to_its_sender_does_not_open() {
    let (mut drill, datagrams) = recorded();
    for (direction, path, bytes) in datagrams {
        let back = if direction == Direction::Out { Direction::Back } else { Direction::Out };
        assert_eq!(feed(&mut drill, back, path, &mut bytes.clone()), Arrival::Forged);
    }
    no_events(&mut drill);
}

#[test]
fn l_133_a_hundred_thousand_random_datagrams_do_nothing() {
    let (mut drill, datagrams) = recorded();
    let mut rng = Rng::new(2);
    for round in 0..100_000_usize {
        let mut bytes = rng.bytes(if round % 100 == 0 { 1_500 } else { 90 });
        // most begin like real ones
        if round % 4 != 0 {
            let real = &datagrams[round % datagrams.len()].2;
            let like = (rng.below(19) as usize).min(bytes.len());
            bytes[..like].copy_from_slice(&real[..like]);
        }
        let direction = Direction::BOTH[round % 2];
        let arrival = feed(&mut drill, direction, rng.below(3) as usize, &mut bytes);
        assert!(!arrival.is_authentic());
    }
    no_events(&mut drill);
    assert!(drill.patient.figures().forgeries > 1_000);
    // and the session is as well as before
    drill.load = HANDS;
    drill.run(Span::from_millis(500));
    drill.settle();
    assert_eq!(drill.commands(Span::from_millis(5)).lost(), 0);
}

/// The peer has the keys and lies: nothing falls, memory stays bounded, and the honest go on.
#[test]
fn l_134_an_authentic_liar_breaks_nothing() {
    let mut rng = Rng::new(3);
    let mut session =
        Session::new(Role::Patient, SessionKeys::for_test(2), Config::new(2), Mono::ZERO);
    let mut console =
        Session::new(Role::Console, SessionKeys::for_test(2), Config::new(2), Mono::ZERO);
    let kinds = [Kind::Command, Kind::State, Kind::Message, Kind::Video, Kind::Probe, Kind::Report];
    let mut bodies: Vec<Vec<u8>> = Vec::new();
    for round in 0..30_000_u64 {
        let now = Mono::from_nanos(round * 100_000);
        let kind = kinds[rng.below(6) as usize];
        let mut body = rng.bytes(100);
        if round % 3 == 0 && !bodies.is_empty() {
            body = bodies[rng.below(bodies.len() as u64) as usize].clone();
        }
        if rng.below(3) == 0 {
            // numbers that look honest
            for byte in body.iter_mut().take(20) {
                *byte &= 3;
            }
        }
        let (counter, path) = (round, rng.below(2) as usize);
        let stream = [0, path + 1][rng.below(2) as usize] as u8;
        let header = Header { kind, session: 0, stream, counter };
        for side in [&mut session, &mut console] {
            if side.take(now, path, header, &body).is_ok() && bodies.len() < 500 {
                bodies.push(body.clone());
            }
            side.handle_timeout(now);
            let _ = side.figures();
            while let Some(event) = side.poll_event() {
                if let Event::Frame { bytes, .. } = event {
                    assert!(bytes.len() <= crate::session::PICTURE_MAX);
                }
            }
            let mut out = Vec::new();
            while side.poll_transmit(now, &mut out).is_some() {}
            let _ = side.clock().map(|clock| clock.local_from_peer(Mono::MAX));
            let _ = side.poll_timeout();
        }
    }
    assert!(bodies.len() > 100, "{}", bodies.len());
}

#[test]
fn l_135_only_a_fresh_packet_of_its_own_path_moves_the_path() {
    let keys = SessionKeys::for_test(9);
    let now = Mono::from_millis(5);
    let mut console = Session::new(Role::Console, keys.clone(), Config::new(2), now);
    let mut patient = Session::new(Role::Patient, keys, Config::new(2), now);
    console.send_command(now, b"x");
    console.handle_timeout(now);
    let (mut out, mut sent) = (Vec::new(), Vec::new());
    while let Some(transmit) = console.poll_transmit(now, &mut out) {
        sent.push((transmit.path, out.clone()));
    }
    let mut moved = 0;
    for (path, bytes) in &sent {
        let kind = Header::parse(bytes).unwrap().kind;
        // on the wrong path first: never
        let other = patient.handle_datagram(now, 1 - path, &mut bytes.clone());
        assert!(!other.moves_path());
        let arrival = patient.handle_datagram(now, *path, &mut bytes.clone());
        assert_eq!(arrival.moves_path(), kind == Kind::Probe, "{kind:?}");
        moved += u32::from(arrival.moves_path());
    }
    assert_eq!(moved, 2);
}
