//! What one beat costs: `cargo bench -p telehand-link --bench beat`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::time::Instant;
use telehand_link::session::{Config, Role, Session};
use telehand_link::{Cipher, SessionKeys};
use telehand_vocab::Mono;

const BEATS: u64 = 100_000;

fn main() {
    for cipher in [Cipher::Aes128Gcm, Cipher::ChaCha20Poly1305] {
        beats(cipher);
    }
    pictures();
}

fn pair(cipher: Cipher) -> (Session, Session) {
    let keys = SessionKeys { cipher, ..SessionKeys::for_test(1) };
    let new = |role| Session::new(role, keys.clone(), Config::new(2), Mono::ZERO);
    (new(Role::Console), new(Role::Patient))
}

/// A command sealed once and given to two paths; then both copies opened and one delivered.
fn beats(cipher: Cipher) {
    let (mut console, mut patient) = pair(cipher);
    let (mut send, mut receive) = (0.0, 0.0);
    let mut datagrams = [Vec::new(), Vec::new()];
    let mut command = [7; 92];
    for beat in 0..BEATS {
        let now = Mono::from_millis(beat);
        command[8] = beat as u8;
        command[40] = (beat >> 3) as u8;
        let start = Instant::now();
        console.send_command(now, &command);
        for datagram in &mut datagrams {
            console.poll_transmit(now, datagram);
        }
        send += start.elapsed().as_secs_f64();
        let start = Instant::now();
        for (path, datagram) in datagrams.iter_mut().enumerate() {
            patient.handle_datagram(now, path, datagram);
        }
        while patient.poll_event().is_some() {}
        receive += start.elapsed().as_secs_f64();
    }
    let micros = |seconds: f64| seconds * 1e6 / BEATS as f64;
    for (what, took) in [("seal and two datagrams", send), ("open two and deliver", receive)] {
        println!(
            "{{\"name\":\"{what}, {cipher:?}\",\"unit\":\"us\",\"p50\":{:.2},\
             \"note\":\"mean of {BEATS} beats\"}}",
            micros(took)
        );
    }
}

/// Everything `from` has to send reaches `to` at once.
fn exchange(from: &mut Session, to: &mut Session, now: Mono, datagram: &mut Vec<u8>) {
    from.handle_timeout(now);
    while let Some(transmit) = from.poll_transmit(now, datagram) {
        to.handle_datagram(now, transmit.path, datagram);
    }
}

/// Pictures of 41.7 kB on two paths: cut, given as much parity, sealed, opened, put together.
fn pictures() {
    let (mut console, mut patient) = pair(Cipher::preferred());
    let mut datagram = Vec::new();
    // the paths come up
    let mut now = Mono::ZERO;
    for ms in 0..200 {
        now = Mono::from_millis(ms);
        exchange(&mut console, &mut patient, now, &mut datagram);
        exchange(&mut patient, &mut console, now, &mut datagram);
    }
    while console.poll_event().is_some() {}
    let picture: Vec<u8> = (0..41_700_u32).map(|n| ((n * n) >> 7) as u8).collect();
    let (start, count) = (Instant::now(), 2_000);
    let mut delivered = 0;
    for seq in 0..count {
        now = Mono::from_nanos(now.as_nanos() + 16_700_000);
        patient.send_video(now, seq, now, &picture);
        now = Mono::from_nanos(now.as_nanos() + 10_000_000);
        exchange(&mut patient, &mut console, now, &mut datagram);
        exchange(&mut console, &mut patient, now, &mut datagram);
        while console.poll_event().is_some() {
            delivered += 1;
        }
    }
    let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(count);
    println!(
        "{{\"name\":\"picture of 41.7 kB on two paths, both ends\",\"unit\":\"us\",\"p50\":{micros:.0},\
         \"note\":\"mean; {delivered} of {count} delivered\"}}"
    );
}
