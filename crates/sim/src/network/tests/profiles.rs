//! The shipped profiles, and the reader of everyone's own.

use super::*;
use crate::random::Random;

#[test]
fn s_054_every_shipped_profile_parses_and_says_where_it_comes_from() {
    for (name, text) in profile::SHIPPED {
        let profile = Profile::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(profile.name, *name);
        assert!(profile.source.len() > 20 && !profile.about.en.is_empty(), "{name}");
        assert_ne!(profile.about.en, profile.about.zh, "{name}");
        assert_eq!(Profile::shipped(name), Some(profile));
    }
    assert_eq!(Profile::shipped("no-such"), None);
}

#[test]
fn s_089_no_shipped_path_is_faster_than_light() {
    // one way, in fibre along the great circle, or in vacuum to the satellite and back
    for (name, floor_ms) in [
        ("shanghai-kashgar", 20.5),
        ("beijing-rome", 39.8),
        ("geo-satellite", 238.7),
        ("leo", 20.4),
    ] {
        for path in Profile::shipped(name).unwrap().paths {
            for (direction, conditions) in
                [(Direction::Out, path.out), (Direction::Back, path.back)]
            {
                let mut lane = Lane::new(conditions, 1, &path.name, direction, START);
                for (n, fate) in (0..).zip(fates(&mut lane, 20_000)) {
                    let Fate::Arrives { at, .. } = fate else { continue };
                    let delay = at.since(START + Span::from_millis(n)).as_millis_f64();
                    assert!(delay > floor_ms, "{name} {}: {delay} ms", path.name);
                }
            }
        }
    }
}

#[test]
fn s_089_on_the_kashgar_5g_path_no_three_packets_in_a_row_are_lost() {
    let profile = Profile::shipped("shanghai-kashgar").unwrap();
    for seed in 0..5 {
        let mut network = Network::new(&profile, seed, START);
        let path = network.find("5g").unwrap();
        let mut send =
            |n| is_lost(&network.send(START + Span::from_millis(n), path, Direction::Out, 128, n));
        let lost: Vec<bool> = (0..100_000).map(&mut send).collect();
        let share = lost.iter().filter(|lost| **lost).count() as f64 / lost.len() as f64;
        assert!((0.002..0.004).contains(&share), "about 0.3 %: {share}");
        assert!(!lost.windows(3).any(|three| three.iter().all(|lost| *lost)));
    }
}

#[test]
fn s_090_direction_tables_override_the_path_and_only_what_they_name() {
    let profile = profile(
        "[[path]]\nname = 'a'\ndelay_ms = 20\nloss = 0.1\nrate_mbit_s = 5\nqueue_ms = 30\n\
         [path.back]\nloss = 0.2\nrate_mbit_s = 9\n[[path]]\nname = 'b'",
    );
    let [a, b] = profile.paths.as_slice() else { panic!() };
    assert_eq!((a.out.loss, a.back.loss), (0.1, 0.2));
    assert_eq!((a.out.delay, a.back.delay), (Span::from_millis(20), Span::from_millis(20)));
    let queue = Span::from_millis(30);
    assert_eq!(a.out.rate, Some(Rate { bits_per_s: 5e6, queue }));
    assert_eq!(a.back.rate, Some(Rate { bits_per_s: 9e6, queue }));
    assert_eq!((&b.out, &b.back), (&Conditions::default(), &Conditions::default()));
    let table: toml::Table = "rate_mbit_s = 0\njitter_ms = 0".parse().unwrap();
    assert_eq!(a.back.with(&table, false).unwrap().rate, None, "0 takes the limit away");
}

#[test]
fn s_091_every_mistake_is_named_with_its_place_and_what_would_be_right() {
    let path = |keys: &str| format!("name = 'x'\n[[path]]\nname = 'a'\n{keys}");
    for (text, wanted) in [
        (String::new(), "`name` is missing"),
        ("name = 'x'".into(), "profile: `path` is missing"),
        ("name = 'x'\npath = []".into(), "at least one [[path]]"),
        ("name = 'Lab 1'\npath = []".into(), "must be 1 to 32 of a-z 0-9 -, not \"Lab 1\""),
        (
            "name = 'x'\nsauce = ''\n".into(),
            "unknown key `sauce`; the nearest known key is `source`",
        ),
        ("name = 'x".into(), "not valid TOML"),
        (path("delay = 3"), "path `a`: unknown key `delay`; the nearest known key is `delay_ms`"),
        (
            path("[path.out]\nlos = 1"),
            "path `a`, out: unknown key `los`; the nearest known key is `loss`",
        ),
        (path("[path.out]\nout = {}"), "unknown key `out`"),
        (path("delay_ms = '3'"), "`delay_ms` must be a number, not \"3\""),
        (path("delay_ms = -1"), "path `a`: `delay_ms` = -1 is outside 0 to 60000"),
        (path("loss = 1.5"), "`loss` = 1.5 is outside 0 to 1"),
        (path("loss = nan"), "`loss` = NaN is outside 0 to 1"),
        (path("keep_order = 1"), "`keep_order` must be true or false, not 1"),
        (path("queue_ms = 3"), "`queue_ms` means nothing without `rate_mbit_s`"),
        (path("burst = 3"), "`burst` must be a table, not 3"),
        (path("burst = {}"), "path `a`, burst: `model` is missing"),
        (path("burst = { model = 'time' }"), "must be one of none, timed, packets, lomax"),
        (path("burst = { model = 'timed', mean_ms = 3 }"), "path `a`, burst: `gap_ms` is missing"),
        (
            path("burst = { model = 'packets', start = 0.1, stop = 1, mean_ms = 3 }"),
            "unknown key `mean_ms`",
        ),
        (
            path("jitter_ms = 1\nhyper_exponential = { weights = [1], rates_per_ms = [1] }"),
            "exclude each other",
        ),
        (
            path("hyper_exponential = { weights = [1, 2], rates_per_ms = [1] }"),
            "`weights` has 2 numbers and `rates_per_ms` has 1",
        ),
        (path("outage = [{ at_s = 1 }]"), "path `a`, outage 1: `for_s` is missing"),
        (path("outage = [3]"), "`outage` must be at most 64 tables"),
        (path("random_outage = { max_ms = 5, cooldown_ms = 0 }"), "outside 1 to 1000000000"),
        (path("[[path]]\nname = 'a'"), "two paths are named `a`"),
        ("name = 'x'\n[[path]]\nname = 'all'".into(), "cannot be named `all`"),
    ] {
        let error = Profile::parse(&text).expect_err(&text).to_string();
        assert!(error.contains(wanted), "{text}\n-> {error}");
    }
}

#[test]
fn s_092_no_bytes_make_the_profile_reader_panic() {
    let mut random = Random::new(92);
    let mut parsed = 0;
    for round in 0..10_000 {
        let (_, text) = profile::SHIPPED[round % profile::SHIPPED.len()];
        let mut bytes: Vec<u8> = if round % 5 == 0 {
            (0..random.below(200)).map(|_| random.next_u32() as u8).collect()
        } else {
            text.bytes().collect()
        };
        for _ in 0..random.below(6) {
            let place = random.below(bytes.len() as u64) as usize;
            match random.below(3) {
                0 if !bytes.is_empty() => bytes[place] = random.next_u32() as u8,
                1 => bytes.truncate(place),
                _ => bytes.insert(place, b"0129.-[]{}='\"\n,eE_"[random.below(18) as usize]),
            }
        }
        let Ok(profile) = Profile::parse(&String::from_utf8_lossy(&bytes)) else { continue };
        parsed += 1;
        // whatever was accepted also runs
        let mut network = Network::new(&profile, 1, START);
        for n in 0..20 {
            network.send(START + Span::from_millis(n * 300), 0, Direction::Out, 1_000, ());
        }
    }
    assert!(parsed > 1_000, "many mutated profiles are still profiles: {parsed}");
}
