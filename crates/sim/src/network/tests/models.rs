//! Every model against its own parameters and against published figures.

use super::*;

const MANY: u64 = 200_000;

fn share_lost(fates: &[Fate]) -> f64 {
    fates.iter().filter(|fate| is_lost(fate)).count() as f64 / fates.len() as f64
}

/// Lengths of runs of losses, in packets.
fn runs(fates: &[Fate]) -> Vec<u64> {
    let mut runs = Vec::new();
    let mut run = 0;
    for fate in fates {
        if is_lost(fate) {
            run += 1;
        } else if run > 0 {
            runs.push(run);
            run = 0;
        }
    }
    runs
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (count, sum) =
        values.into_iter().fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
    sum / count
}

/// Delays in milliseconds of the packets that arrive.
fn delays(fates: &[Fate]) -> Vec<f64> {
    let delay = |(n, fate): (usize, &Fate)| match fate {
        Fate::Arrives { at, .. } => {
            Some(at.since(START + Span::from_millis(n as u64)).as_millis_f64())
        }
        Fate::Lost(_) => None,
    };
    fates.iter().enumerate().filter_map(delay).collect()
}

fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values.iter().copied());
    mean(values.iter().map(|value| (value - centre).powi(2))).sqrt()
}

#[track_caller]
fn near(value: f64, wanted: f64, tolerance: f64) {
    assert!((value - wanted).abs() <= tolerance, "{value} is not {wanted} +- {tolerance}");
}

#[test]
fn s_080_random_loss_has_its_rate_and_no_memory() {
    for loss in [0.003, 0.01, 0.05, 0.5] {
        let fates = fates(&mut lane(&format!("loss = {loss}"), 11), MANY);
        let noise = (loss * (1.0 - loss) / MANY as f64).sqrt();
        near(share_lost(&fates), loss, 4.0 * noise);
        let run = mean(runs(&fates).iter().map(|run| *run as f64));
        near(run, 1.0 / (1.0 - loss), 0.03);
    }
    assert_eq!(share_lost(&fates(&mut lane("loss = 0", 1), 1_000)), 0.0);
    assert_eq!(share_lost(&fates(&mut lane("loss = 1", 1), 1_000)), 1.0);
}

#[test]
fn s_081_timed_bursts_have_their_length_and_frequency_whatever_the_traffic() {
    let text = "burst = { model = 'timed', mean_ms = 20, gap_ms = 1000 }";
    let fates = fates(&mut lane(text, 4), 2_000_000);
    near(share_lost(&fates), 20.0 / 1020.0, 0.002);
    let runs = runs(&fates);
    near(runs.len() as f64, 2_000_000.0 / 1020.0, 120.0);
    // a burst between two packets is not seen at all, so the mean seen is a little over 20 packets
    near(mean(runs.iter().map(|run| *run as f64)), 20.5, 1.2);

    let share_at = |step_ms: u64| {
        let mut lane = lane(text, 4);
        let lost = |n| is_lost(&lane.offer(START + Span::from_millis(n * step_ms), 128, false));
        (0..2_000_000 / step_ms).map(lost).filter(|lost| *lost).count() as f64 * step_ms as f64
    };
    near(share_at(5) / share_at(1), 1.0, 0.02);
}

#[test]
fn s_081_timed_bursts_can_be_bounded_and_can_let_some_through() {
    let text = "burst = { model = 'timed', mean_ms = 50, gap_ms = 500, max_ms = 60 }";
    let longest = runs(&fates(&mut lane(text, 5), MANY)).into_iter().max().unwrap();
    assert!((50..=61).contains(&longest), "{longest}");
    let text = "burst = { model = 'timed', mean_ms = 100, gap_ms = 100, loss = 0.3 }";
    near(share_lost(&fates(&mut lane(text, 5), MANY)), 0.15, 0.02);
}

#[test]
fn s_082_packet_bursts_follow_the_chain() {
    let text = "burst = { model = 'packets', start = 0.01, stop = 0.25 }";
    let fates_ = fates(&mut lane(text, 6), MANY);
    near(share_lost(&fates_), 0.01 / (0.01 + 0.25), 0.003);
    near(mean(runs(&fates_).iter().map(|run| *run as f64)), 4.0, 0.25);

    let text =
        "burst = { model = 'packets', start = 0.01, stop = 0.5, loss = 0.8, loss_between = 0.02 }";
    let bad = 0.01 / 0.51;
    near(share_lost(&fates(&mut lane(text, 6), MANY)), bad * 0.8 + (1.0 - bad) * 0.02, 0.003);

    let text = "burst = { model = 'packets', start = 0.05, stop = 0.1, max_packets = 2 }";
    assert_eq!(runs(&fates(&mut lane(text, 6), MANY)).into_iter().max(), Some(2));
}

#[test]
fn s_083_netfi_losses_are_the_published_ones() {
    for (name, loss, burst) in [
        ("netfi-loss-10", 0.098, 1.40),
        ("netfi-loss-30", 0.304, 1.77),
        ("netfi-loss-50", 0.505, 2.45),
    ] {
        let path = &Profile::shipped(name).unwrap().paths[0];
        let mut lane = Lane::new(path.out.clone(), 2, "main", Direction::Out, START);
        let fates = fates(&mut lane, 400_000);
        near(share_lost(&fates), loss, 0.003);
        near(mean(runs(&fates).iter().map(|run| *run as f64)), burst, 0.03);
        assert_eq!(path.back, Conditions::default(), "{name}: the way back is clean");
    }
}

#[test]
fn s_083_netfi_delays_are_the_published_ones() {
    for (name, wanted, spread, p99) in [
        ("netfi-delay-100", 100.0, 34.0, 228.0),
        ("netfi-delay-300", 299.0, 90.0, 631.0),
        ("netfi-delay-500", 501.0, 96.0, 848.0),
    ] {
        let path = &Profile::shipped(name).unwrap().paths[0];
        let mut lane = Lane::new(path.out.clone(), 2, "main", Direction::Out, START);
        let mut delays = delays(&fates(&mut lane, MANY));
        near(mean(delays.iter().copied()), wanted, 1.0);
        near(deviation(&delays), spread, 1.5);
        delays.sort_by(f64::total_cmp);
        near(delays[delays.len() * 99 / 100], p99, 0.03 * p99);
    }
}

#[test]
fn s_083_netfi_outages_have_the_published_share_of_time() {
    for (name, duty) in
        [("netfi-outage-10", 0.15), ("netfi-outage-30", 0.333), ("netfi-outage-50", 0.5)]
    {
        let path = &Profile::shipped(name).unwrap().paths[0];
        let mut lane = Lane::new(path.out.clone(), 2, "main", Direction::Out, START);
        let lost = |n: u64| is_lost(&lane.offer(START + Span::from_millis(n * 20), 128, false));
        let share = (0..1_000_000).map(lost).filter(|lost| *lost).count() as f64 / 1e6;
        near(share, duty, 0.006);
    }
}

#[test]
fn s_084_normal_jitter_has_its_spread_and_is_cut_at_three_deviations() {
    let sharp =
        delays(&fates(&mut lane("delay_ms = 50\njitter_ms = 4\nkeep_order = false", 9), MANY));
    near(mean(sharp.iter().copied()), 50.0, 0.05);
    // cutting at three deviations takes 1.3 % off the spread
    near(deviation(&sharp), 4.0 * 0.9866, 0.05);
    assert!(sharp.iter().all(|delay| (38.0..=62.000_001).contains(delay)));

    let floor =
        delays(&fates(&mut lane("delay_ms = 1\njitter_ms = 4\nkeep_order = false", 9), MANY));
    assert!(floor.contains(&0.0) && floor.iter().all(|delay| *delay >= 0.0));
}

#[test]
fn s_084_correlated_jitter_moves_slowly_and_keeps_its_spread() {
    let text = "delay_ms = 50\njitter_ms = 4\njitter_correlation_ms = 100\nkeep_order = false";
    let slow = delays(&fates(&mut lane(text, 9), 1_000_000));
    near(deviation(&slow), 4.0 * 0.985, 0.15);
    let steps: Vec<f64> = slow.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // first-order autoregressive: step deviation = spread * sqrt(2 (1 - e^-0.01))
    near(deviation(&steps), 4.0 * 0.985 * (2.0 * (1.0 - (-0.01_f64).exp())).sqrt(), 0.03);
}

#[test]
fn s_084_a_path_that_keeps_order_is_never_overtaken() {
    let text = "delay_ms = 50\njitter_ms = 10";
    let arrivals = |text: &str| {
        let at = |fate: Fate| match fate {
            Fate::Arrives { at, .. } => at,
            Fate::Lost(_) => panic!("nothing is lost here"),
        };
        fates(&mut lane(text, 9), 20_000).into_iter().map(at).collect::<Vec<_>>()
    };
    assert!(arrivals(text).is_sorted());
    assert!(!arrivals(&format!("{text}\nkeep_order = false")).is_sorted());
}

#[test]
fn s_085_a_rate_limit_spaces_packets_and_drops_the_tail() {
    // 128 + 28 bytes at 1.248 Mbit/s take exactly 1 ms
    let mut lane = lane("rate_mbit_s = 1.248\nqueue_ms = 10", 1);
    let fates: Vec<_> = (0..50).map(|_| lane.offer(START, 128, false)).collect();
    for (n, fate) in fates.iter().enumerate() {
        let expected = if n <= 10 {
            let at = START + Span::from_millis(n as u64 + 1);
            Fate::Arrives { at, copy: None }
        } else {
            Fate::Lost(Loss::Queue)
        };
        assert_eq!(*fate, expected, "packet {n}");
    }
    assert_eq!(
        lane.offer(START + Span::from_millis(100), 128, false),
        Fate::Arrives { at: START + Span::from_millis(101), copy: None }
    );
}

#[test]
fn s_086_scheduled_outages_begin_and_end_on_the_moment() {
    let mut lane = lane("outage = [{ at_s = 5, for_s = 2 }, { at_s = 10, for_s = 0.5 }]", 1);
    for (millis, lost) in [
        (0, false),
        (4_999, false),
        (5_000, true),
        (6_999, true),
        (7_000, false),
        (10_200, true),
        (10_500, false),
    ] {
        let fate = lane.offer(START + Span::from_millis(millis), 128, false);
        assert_eq!(fate == Fate::Lost(Loss::Outage), lost, "{millis} ms");
    }
}

#[test]
fn s_086_an_outage_of_a_path_takes_both_ways_and_one_of_a_way_only_that() {
    let outage = "random_outage = { max_ms = 200, cooldown_ms = 100 }";
    let count = |text: &str| {
        let mut network = Network::<()>::new(&profile(text), 4, START);
        let mut up = [0, 0];
        let mut differ = 0;
        for n in 0..20_000 {
            let now = START + Span::from_millis(n);
            let [out, back] = Direction::BOTH.map(|direction| network.is_up(now, 0, direction));
            up[0] += u32::from(out);
            up[1] += u32::from(back);
            differ += u32::from(out != back);
        }
        (up, differ)
    };
    let (up, differ) = count(&format!("[[path]]\nname = 'a'\n{outage}"));
    assert!((8_000..12_000).contains(&up[0]) && differ == 0, "{up:?} {differ}");
    let mut late = Network::<()>::new(&profile("[[path]]\nname = 'a'"), 4, START);
    for direction in Direction::BOTH {
        let changed = Conditions::default().with(&outage.parse().unwrap(), true).unwrap();
        late.set(START, 0, direction, changed);
    }
    for n in 0..5_000 {
        let now = START + Span::from_millis(n);
        assert_eq!(late.is_up(now, 0, Direction::Out), late.is_up(now, 0, Direction::Back));
    }
    let (up, _) = count(&format!("[[path]]\nname = 'a'\n[path.out]\n{outage}"));
    assert!((8_000..12_000).contains(&up[0]) && up[1] == 20_000, "{up:?}");
    let (_, differ) =
        count(&format!("[[path]]\nname = 'a'\n[path.out]\n{outage}\n[path.back]\n{outage}"));
    assert!(differ > 5_000, "each way on its own: {differ}");
}

#[test]
fn s_087_duplicates_and_reordering_have_their_share() {
    let mut doubled = lane("delay_ms = 10\nduplicate = 0.2\nduplicate_ms = 3", 2);
    let copies = fates(&mut doubled, MANY).into_iter().filter_map(|fate| match fate {
        Fate::Arrives { at, copy } => copy.map(|copy| copy.since(at)),
        Fate::Lost(_) => None,
    });
    let copies: Vec<Span> = copies.collect();
    near(copies.len() as f64 / MANY as f64, 0.2, 0.004);
    assert!(copies.iter().all(|after| *after == Span::from_millis(3)));

    let delays = delays(&fates(&mut lane("delay_ms = 10\nreorder = 0.1\nreorder_ms = 7", 2), MANY));
    let held = delays.iter().filter(|delay| **delay == 17.0).count();
    near(held as f64 / MANY as f64, 0.1, 0.003);
    assert_eq!(held + delays.iter().filter(|delay| **delay == 10.0).count(), delays.len());
}

#[test]
fn s_088_a_leap_to_the_end_of_time_is_cheap() {
    let text = "burst = { model = 'timed', mean_ms = 0.01, gap_ms = 1 }\n\
                random_outage = { max_ms = 1, cooldown_ms = 1 }\njitter_ms = 1\njitter_correlation_ms = 1";
    let mut lane = lane(text, 1);
    for now in [START, Mono::MAX - Span::from_millis(1), Mono::MAX, Mono::MAX] {
        lane.offer(now, usize::MAX, false);
    }
    assert_eq!(lane.counters().offered, 4);
}
