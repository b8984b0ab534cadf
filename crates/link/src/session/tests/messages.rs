use super::drill::{Drill, HANDS, Load};
use crate::keys::SessionKeys;
use crate::session::{Arrival, Class, Config, Role, Session};
use telehand_sim::network::Direction;
use telehand_vocab::{Mono, Span};

#[test]
fn l_110_messages_arrive_in_order_exactly_once_over_any_network() {
    let lossy = "delay_ms = 35\nloss = 0.1\nreorder = 0.1\nreorder_ms = 9\nduplicate = 0.1\n\
                 duplicate_ms = 4";
    let burst = "delay_ms = 50\nburst = { model = \"timed\", mean_ms = 60, gap_ms = 300 }";
    for paths in [&[lossy][..], &[lossy, burst], &[burst]] {
        for seed in 0..3 {
            let mut drill = Drill::new(paths, seed, Load { messages: true, ..HANDS });
            drill.run(Span::from_millis(8_000));
            drill.settle();
            let expected: Vec<u64> = (0..drill.log.messages_sent).collect();
            assert_eq!(drill.log.messages, [expected.clone(), expected]);
        }
    }
}

#[test]
fn l_111_new_keys_take_over_without_a_gap() {
    for patient_first in [true, false] {
        let mut drill =
            Drill::new(&["delay_ms = 35\nloss = 0.05"], 8, Load { messages: true, ..HANDS });
        drill.run(Span::from_millis(3_000));
        drill.keep_datagrams = true;
        drill.run(Span::from_millis(20));
        drill.keep_datagrams = false;
        let old = std::mem::take(&mut drill.log.datagrams);
        let keys = SessionKeys::for_test(77);
        for side in [patient_first, !patient_first] {
            if side {
                let there = drill.patient_now();
                drill.patient.rekey(there, keys.clone());
            } else {
                drill.console.rekey(drill.now, keys.clone());
            }
            drill.run(Span::from_millis(60));
        }
        drill.run(Span::from_millis(3_000));
        let new = drill.console.figures().sealed;
        assert!((2_500..4_000).contains(&new), "{new} under the new keys");
        // the old ones are dead now
        let there = drill.patient_now();
        for (direction, path, mut bytes) in old {
            if direction == Direction::Out {
                let arrival = drill.patient.handle_datagram(there, path, &mut bytes);
                assert_eq!(arrival, Arrival::Foreign);
            }
        }
        drill.settle();
        let score = drill.commands(Span::from_millis(35));
        assert_eq!(score.lost(), 0);
        // while one side has the new keys alone, only the patient side may lead
        let late = if patient_first { 1_000 } else { 5 };
        assert!(score.late() <= late, "{score:?}");
        assert!(drill.log.messages.iter().all(|m| m.len() as u64 == drill.log.messages_sent));
    }
}

#[test]
fn l_112_a_command_never_waits_behind_a_picture() {
    let mut drill = Drill::new(&["delay_ms = 1", "delay_ms = 2"], 1, HANDS);
    drill.run(Span::from_millis(1_000));
    let now = drill.now;
    // the console may send pictures too
    assert!(drill.console.send_video(now, 0, now, &vec![1; 60_000]));
    drill.console.send_command(now, b"now");
    let mut out = Vec::new();
    let mut order = Vec::new();
    while let Some(transmit) = drill.console.poll_transmit(now, &mut out) {
        order.push(transmit.class);
    }
    assert_eq!(order[..2], [Class::Command; 2], "{order:?}");
    assert!(order.contains(&Class::Video) && order.is_sorted(), "{order:?}");
}

#[test]
fn l_113_a_peer_that_never_spoke_is_gone_too() {
    let mut session =
        Session::new(Role::Patient, SessionKeys::for_test(1), Config::new(1), Mono::ZERO);
    session.handle_timeout(Mono::from_millis(999));
    assert_eq!(session.poll_event(), None);
    session.handle_timeout(Mono::from_millis(1_000));
    assert_eq!(session.poll_event(), Some(crate::session::Event::PeerGone));
    session.handle_timeout(Mono::from_millis(3_000));
    assert_eq!(session.poll_event(), None);
}
