use super::*;
use crate::rng::Rng;

fn moving(n: u64) -> Vec<u8> {
    // like a real command: most bytes stand still from beat to beat
    let mut bytes = vec![7; 92];
    bytes[1..9].copy_from_slice(&n.to_be_bytes());
    bytes[40..44].copy_from_slice(&(n as u32 * 40_000).to_be_bytes());
    bytes
}

fn beat(repeater: &mut Repeater, now: Mono) -> Vec<u8> {
    let mut out = Vec::new();
    repeater.write(now, Span::from_millis(90), 1_100, &mut out);
    out
}

#[test]
fn l_040_the_repeats_follow_the_loss_and_the_bursts() {
    let list = |loss, burst| ages(Weather { loss, burst }).collect::<Vec<_>>();
    assert_eq!(list(0.0, 0), [1, 2]);
    assert_eq!(list(0.01, 2), [1, 2]);
    assert_eq!(list(0.05, 3), [1, 2, 3]);
    assert_eq!(list(0.3, 3), [1, 2, 3, 4]);
    assert_eq!(list(0.01, 20), [1, 2, 12, 24]);
    assert_eq!(list(0.05, 25), [1, 2, 3, 14, 29]);
    assert_eq!(list(0.05, 2_000), [1, 2, 3, 21, 43]);
    assert_eq!(list(f64::NAN, 0), [1, 2]);
}

#[test]
fn l_041_a_beat_carries_the_newest_and_the_older_ones_in_few_bytes() {
    let mut repeater = Repeater::new(400);
    for n in 0..100 {
        repeater.push(Mono::from_millis(n), &moving(n));
    }
    let body = beat(&mut repeater, Mono::from_millis(99));
    let (newest, kept) = decode_beat(&body, |_| true).unwrap();
    assert_eq!(newest, 99);
    assert_eq!(kept.iter().map(|c| c.seq).collect::<Vec<_>>(), [99, 98, 97, 96, 85, 70]);
    for command in &kept {
        assert_eq!(command.bytes, moving(command.seq));
        assert_eq!(command.issued_at, Mono::from_millis(command.seq));
    }
    assert!(body.len() < 92 + 12 + 5 * 26, "{} bytes", body.len());
}

#[test]
fn l_041_two_repeats_are_there_even_when_nothing_compresses_and_the_budget_is_nil() {
    let (mut repeater, mut rng) = (Repeater::new(0), Rng::new(1));
    let commands: Vec<Vec<u8>> =
        (0..50).map(|_| (0..200).map(|_| rng.next() as u8).collect()).collect();
    for (n, bytes) in commands.iter().enumerate() {
        repeater.push(Mono::from_millis(n as u64), bytes);
    }
    let (_, kept) = decode_beat(&beat(&mut repeater, Mono::from_millis(49)), |_| true).unwrap();
    assert_eq!(kept.iter().map(|c| c.seq).collect::<Vec<_>>(), [49, 48, 47]);
    assert!(kept.iter().all(|c| c.bytes == commands[c.seq as usize]));
}

#[test]
fn l_042_what_the_peer_misses_is_sent_again_but_not_in_every_beat() {
    let mut repeater = Repeater::new(400);
    for n in 0..300 {
        repeater.push(Mono::from_millis(n), &moving(n));
    }
    repeater.on_report(10, &[(10, 12), (200, 201)]);
    let seqs = |repeater: &mut Repeater, ms| {
        let body = beat(repeater, Mono::from_millis(ms));
        let (_, kept) = decode_beat(&body, |_| true).unwrap();
        kept.iter().map(|c| c.seq).skip(6).collect::<Vec<_>>()
    };
    assert_eq!(seqs(&mut repeater, 300), [10, 11, 200]);
    assert_eq!(seqs(&mut repeater, 301), [0; 0]);
    assert_eq!(seqs(&mut repeater, 391), [10, 11, 200]);
    assert_eq!(repeater.sent_again, 6);
    assert_eq!(repeater.flush_at(), Some(Mono::from_millis(411)));
    repeater.on_report(300, &[]);
    assert_eq!(repeater.flush_at(), None);
}

#[test]
fn l_042_a_lie_about_what_is_missing_does_no_harm() {
    let mut repeater = Repeater::new(400);
    repeater.on_report(u64::MAX, &[(0, 9)]);
    assert!(beat(&mut repeater, Mono::ZERO).is_empty());
    repeater.push(Mono::ZERO, b"x");
    repeater.on_report(u64::MAX, &[(0, 500)]);
    let (_, kept) = decode_beat(&beat(&mut repeater, Mono::ZERO), |_| true).unwrap();
    assert_eq!(kept.len(), 1);
}

#[test]
fn l_043_no_bytes_make_the_beat_decoder_fall() {
    let mut rng = Rng::new(9);
    let mut repeater = Repeater::new(400);
    for n in 0..100 {
        repeater.push(Mono::from_millis(n), &moving(n));
    }
    let good = beat(&mut repeater, Mono::from_millis(99));
    for len in 0..good.len() {
        assert!(decode_beat(&good[..len], |_| true).is_err());
    }
    let mut read = 0;
    for round in 0..30_000 {
        let mut bytes = if round % 2 == 0 { rng.bytes(300) } else { good.clone() };
        let place = rng.below(bytes.len().max(1) as u64) as usize;
        if let Some(byte) = bytes.get_mut(place) {
            *byte = rng.next() as u8;
        }
        if let Ok((_, kept)) = decode_beat(&bytes, |_| true) {
            assert!(kept.iter().all(|c| c.bytes.len() <= COMMAND_MAX));
            read += 1;
        }
    }
    assert!(read > 1_000, "{read}");
}
