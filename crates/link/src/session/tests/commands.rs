use super::drill::{Drill, HANDS, Load, Score};
use crate::session::{Event, Role};
use telehand_vocab::Span;

const ONE: &str = "delay_ms = 35";
const TWO: &str = "delay_ms = 37";
const NEAR: Span = Span::from_millis(35);

fn seconds(n: u64) -> Span {
    Span::from_millis(n * 1_000)
}

/// Many seeds, summed; prints what it found (shown with `--nocapture`).
fn sum(name: &str, paths: &[&str], seeds: std::ops::Range<u64>, span: Span) -> Score {
    let mut total = Score::default();
    let mut bytes = 0;
    for seed in seeds {
        let mut drill = Drill::new(paths, seed, Load { messages: true, ..HANDS });
        drill.run(span);
        bytes += drill.log.sent_bytes[0];
        drill.settle();
        total.add(drill.commands(NEAR));
        let figures = drill.patient.figures();
        assert_eq!((figures.commands_lost, figures.forgeries), (0, 0));
        assert_eq!((figures.malformed, figures.foreign), (0, 0));
        assert_eq!(figures.commands as usize, drill.log.commands.len());
    }
    println!(
        "{name}: {:.4} % in time of {}, {} late, {} lost, longest gap {:.1} ms, {} bytes a beat",
        total.percent(),
        total.sent,
        total.late(),
        total.lost(),
        total.gap.as_millis_f64(),
        bytes / total.sent as u64,
    );
    assert_eq!(total.lost(), 0, "{name}: every command is there for the record");
    total
}

#[test]
fn l_100_on_a_clean_network_every_command_arrives_at_once() {
    for (name, paths) in [("clean, one path", &[ONE][..]), ("clean, two", &[ONE, TWO])] {
        let score = sum(name, paths, 0..2, seconds(10));
        assert_eq!(score.late(), 0);
        assert_eq!(score.gap, Span::from_millis(1));
    }
}

#[test]
fn l_101_random_loss_on_one_path_is_cured_in_time() {
    for (name, loss) in [("1 % loss", "loss = 0.01"), ("5 % loss", "loss = 0.05")] {
        let path = format!("{ONE}\n{loss}");
        let score = sum(name, &[&path], 0..5, seconds(20));
        assert!(score.percent() >= 99.99, "{name}: {score:?}");
    }
}

#[test]
fn l_101_random_loss_with_reordering_and_duplicates_is_cured_in_time() {
    let path = "delay_ms = 35\nloss = 0.02\nreorder = 0.05\nreorder_ms = 3\nduplicate = 0.05\n\
                duplicate_ms = 2";
    let score = sum("2 % loss, 5 % reordered, 5 % doubled", &[path, path], 0..3, seconds(10));
    assert!(score.percent() >= 99.99, "{score:?}");
    let mut drill = Drill::new(&[path, path], 9, HANDS);
    drill.run(seconds(5));
    // the doubled ones are seen and dropped; nothing else is taken for a replay
    let replays = drill.patient.figures().replays as f64;
    let packets: u64 = drill.patient.figures().paths.iter().map(|p| p.packets_in).sum();
    assert!((0.03..0.07).contains(&(replays / packets as f64)), "{replays} of {packets}");
}

#[test]
fn l_102_bursts_on_both_paths_cost_only_what_both_lose_at_once() {
    let burst = "burst = { model = \"timed\", mean_ms = 20, gap_ms = 1000 }";
    let (one, two) = (format!("{ONE}\n{burst}"), format!("{TWO}\n{burst}"));
    let score = sum("20 ms bursts on each of two", &[&one, &two], 0..6, seconds(15));
    // both are in a burst for 0.04 % of the time
    assert!(score.percent() >= 99.9, "{score:?}");
    let score = sum("20 ms bursts on one of two", &[&one, TWO], 0..3, seconds(15));
    assert_eq!(score.late(), 0, "{score:?}");
}

#[test]
fn l_103_an_outage_of_one_path_costs_nothing() {
    let mut drill = Drill::new(&[ONE, TWO], 3, HANDS);
    drill.run(seconds(5));
    drill.network.cut(drill.now, 0, Some(seconds(2)));
    let cut_at = drill.now;
    drill.run(seconds(5));
    let score = drill.commands(NEAR);
    drill.settle();
    assert_eq!(drill.commands(NEAR).lost(), 0);
    // of what was sent, only what is still flying is not there
    assert!(score.late() <= 40 && score.gap <= Span::from_millis(3), "{score:?}");
    for role in [Role::Console, Role::Patient] {
        let of: Vec<_> = drill.log.changes.iter().filter(|(_, who, _)| *who == role).collect();
        let down = of.iter().find(|(_, _, e)| *e == Event::PathDown { path: 0 }).unwrap();
        let took = down.0.since(cut_at).as_millis();
        assert!((300..450).contains(&took), "{role:?} noticed after {took} ms");
        let up = of.iter().rfind(|(_, _, e)| *e == Event::PathUp { path: 0 }).unwrap();
        let took = up.0.since(cut_at).as_millis();
        assert!((2_000..2_400).contains(&took), "{role:?} came back after {took} ms");
        assert!(!of.iter().any(|(_, _, e)| matches!(e, Event::PathDown { path: 1 })));
    }
}

/// Whatever happens to either path, as long as it never happens to both at once: 20 ms bursts on
/// each by turns, and a 2 s outage of one.
#[test]
fn l_103_bursts_on_each_and_an_outage_of_one_cost_nothing_while_either_carries() {
    let dark = |first: f64, more: &str| {
        let bursts = (0..6).map(|n| first + 3.0 * f64::from(n));
        let list: Vec<String> = bursts
            .map(|at| format!("{{ at_s = {at}, for_s = 0.02 }}"))
            .chain([more.into()])
            .collect();
        format!("outage = [{}]", list.join(", "))
    };
    let one = format!("{ONE}\n{}", dark(1.0, ""));
    let two = format!("{TWO}\n{}", dark(2.5, "{ at_s = 10.1, for_s = 2 }"));
    let score = sum("bursts on each by turns, 2 s outage of one", &[&one, &two], 0..4, seconds(18));
    assert_eq!(score.late(), 0, "{score:?}");
    assert!(score.gap <= Span::from_millis(3), "{score:?}");
    // The bursts are real: at the same moments on both they take what nothing can bring in time.
    let both = format!("{TWO}\n{}", dark(1.0, ""));
    let score = sum("bursts on both at once", &[&one, &both], 0..1, seconds(18));
    assert!((100..=140).contains(&score.late()), "{score:?}");
}

#[test]
fn l_104_after_both_paths_were_dead_all_is_recorded_and_nothing_old_is_newest() {
    let mut drill = Drill::new(&[ONE, TWO], 4, Load { messages: true, ..HANDS });
    drill.run(seconds(3));
    for path in 0..2 {
        drill.network.cut(drill.now, path, Some(seconds(2)));
    }
    let cut_at = drill.now;
    drill.run(seconds(2));
    let gone: Vec<_> = drill
        .log
        .changes
        .iter()
        .filter(|(_, _, event)| *event == Event::PeerGone)
        .map(|(at, _, _)| at.since(cut_at).as_millis())
        .collect();
    assert_eq!(gone.len(), 2, "each side once: {:?}", drill.log.changes);
    assert!(gone.iter().all(|ms| (1_000..1_050).contains(ms)), "{gone:?}");
    drill.run(seconds(3));
    let score = drill.commands(NEAR);
    let waited =
        drill.log.commands.iter().filter_map(|c| Some(c.arrived?.since(c.sent))).max().unwrap();
    println!(
        "both dead 2 s: gap {:.0} ms, last one recorded after {:.0} ms",
        score.gap.as_millis_f64(),
        waited.as_millis_f64()
    );
    drill.settle();
    let score = drill.commands(NEAR);
    assert_eq!(score.lost(), 0);
    // what arrived for the record only is not in `executed`: 2 s of commands, less the newest
    let executed = drill.log.executed.len();
    assert!(score.sent - executed > 1_950, "{executed} executed of {}", score.sent);
    assert!(score.gap < Span::from_millis(2_010), "back within 10 ms: {score:?}");
    let commands_again = drill.console.figures().commands_again;
    assert!((1_950..6_500).contains(&commands_again), "{commands_again}");
    assert!(drill.log.messages.iter().all(|got| got.len() as u64 == drill.log.messages_sent));
}

#[test]
fn l_105_very_different_paths_work_together() {
    let far = "delay_ms = 300\nloss = 0.05\njitter_ms = 5";
    let score = sum(
        "fibre with 5 % loss and a satellite",
        &[&format!("{ONE}\nloss = 0.05"), far],
        0..3,
        seconds(15),
    );
    assert!(score.percent() >= 99.99, "{score:?}");
}

#[test]
fn l_106_the_last_commands_arrive_although_none_follows() {
    for seed in 0..40 {
        let mut drill = Drill::new(&["delay_ms = 20\nloss = 0.3"], seed, HANDS);
        drill.run(Span::from_millis(100 + seed));
        drill.settle();
        assert_eq!(drill.commands(NEAR).lost(), 0, "seed {seed}");
    }
}

#[test]
fn l_107_two_clean_paths_cost_at_most_three_raw_streams() {
    let mut drill = Drill::new(&[ONE, TWO], 1, HANDS);
    drill.run(seconds(6));
    let before = drill.log.sent_bytes[0];
    drill.run(seconds(10));
    let beat = (drill.log.sent_bytes[0] - before) / 10_000;
    // one raw stream of 128 bytes: 156 with IP and UDP headers; the command here has 92
    println!("two clean paths: {beat} bytes a beat with headers, probes and reports");
    assert!(beat <= 3 * 156, "{beat} bytes a beat");
    assert_eq!(drill.console.figures().repeats, 2);
}

#[test]
fn l_108_states_are_only_ever_newer_and_arrive_over_either_path() {
    let mut drill = Drill::new(&[&format!("{ONE}\nloss = 0.05"), TWO], 5, HANDS);
    drill.run(seconds(5));
    drill.network.cut(drill.now, 1, Some(seconds(1)));
    drill.run(seconds(5));
    let share = drill.log.states.len() as f64 / 5_000.0;
    assert!(share > 0.98, "{share}");
}
