#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

use super::*;
use telehand_vocab::space::{Pose, Tip, Tracker};
use telehand_vocab::{Quat, Vec3};

fn tools(count: u32) -> Vec<Tool> {
    let tool = |n| Tool { manufacturer: "telehand".into(), part: format!("body {n}"), serial: n };
    (1..=count).map(tool).collect()
}

fn at(x: f64) -> Seen {
    let rotation = Quat::from_rotation_vector(Vec3::new(0.2, -0.4, 0.9));
    let pose = Pose::<Tracker, Tip>::new(rotation, Vec3::new(x, -0.123_45, -1.5));
    Seen::At { pose, error: 0.000_045 }
}

fn say(emulator: &mut Emulator, command: &str) -> String {
    let reply = emulator.handle(format!("{command}\r").as_bytes(), &[at(0.1), Seen::Missing], 7);
    String::from_utf8(reply).unwrap()
}

#[test]
fn the_checksum_is_that_of_the_trackers_guide() {
    // the check value of this polynomial for the digits 1 to 9
    assert_eq!(crc16(b"123456789"), 0xBB3D);
}

#[test]
fn a_client_and_the_emulator_understand_each_other() {
    let mut emulator = Emulator::new(tools(2));
    let mut client = Client::new(Vec::new()).unwrap();
    let seen = [at(0.1), Seen::Missing];
    let mut rounds = Vec::new();
    for frame in 0..12 {
        let command = client.poll().unwrap();
        assert!(client.poll().is_none(), "one command at a time");
        let reply = emulator.handle(&command, &seen, frame);
        rounds.extend(client.handle(&reply).unwrap());
    }
    let [first, second, ..] = &rounds[..] else { panic!("{rounds:?}") };
    assert_eq!((first.handle, second.handle, second.seen), (1, 2, Seen::Missing));
    let (Seen::At { pose, error }, Seen::At { pose: true_pose, .. }) = (first.seen, at(0.1)) else {
        panic!("{first:?}")
    };
    assert!((pose.translation - true_pose.translation).norm() < 1e-5);
    assert!((pose.rotation.inverse() * true_pose.rotation).angle() < 2e-4);
    assert!((error - 45e-6).abs() < 1e-7);
}

#[test]
fn a_passive_tool_is_loaded_part_by_part_before_it_is_tracked() {
    let mut emulator = Emulator::new(Vec::new());
    let mut client = Client::new(vec![(0..150).collect()]).unwrap();
    let mut said = Vec::new();
    for frame in 0..10 {
        let command = client.poll().unwrap();
        said.push(String::from_utf8(command.clone()).unwrap());
        client.handle(&emulator.handle(&command, &[], frame)).unwrap();
    }
    let names: Vec<&str> = said.iter().map(|s| s.split(':').next().unwrap()).collect();
    assert_eq!(
        names,
        ["INIT", "PHRQ", "PVWR", "PVWR", "PVWR", "PHSR", "PINIT", "PHSR", "PENA", "TSTART"]
    );
    assert!(said[3].starts_with("PVWR:0100404041"), "{}", said[3]);
    assert!(said.iter().filter(|s| s.starts_with("PVWR")).all(|s| s.len() == 5 + 6 + 128 + 5));
    assert_eq!(Client::new(vec![vec![0; 1_025]]).unwrap_err(), ClientError::Definition(1_025));
}

#[test]
fn commands_with_and_without_a_checksum_are_taken_and_a_wrong_one_is_refused() {
    let mut emulator = Emulator::new(tools(1));
    assert_eq!(say(&mut emulator, "INIT "), format!("OKAY{:04X}\r", crc16(b"OKAY")));
    let sum = format!("INIT:{:04X}", crc16(b"INIT:"));
    assert!(say(&mut emulator, &sum).starts_with("OKAY"));
    assert!(say(&mut emulator, "INIT:0000").starts_with("ERROR04"));
    assert!(say(&mut emulator, "HELLO ").starts_with("ERROR01"));
    assert!(say(&mut emulator, "TX 0001").starts_with("ERROR0C"), "not tracking");
    assert!(say(&mut emulator, "PENA 01D").starts_with("ERROR0E"), "not initialised");
    assert!(say(&mut emulator, "PINIT 07").starts_with("ERROR08"), "no such handle");
    assert!(say(&mut emulator, &"X".repeat(3_000)).starts_with("ERROR02"));
    assert!(say(&mut emulator, "VER 4").contains("SIMULATED"));
}

#[test]
fn what_cannot_be_told_is_refused_and_a_tool_says_what_it_is() {
    let mut emulator = Emulator::new(tools(1));
    for command in ["INIT ", "PINIT 01", "PENA 01D", "TSTART "] {
        assert!(say(&mut emulator, command).starts_with("OKAY"), "{command}");
    }
    assert!(say(&mut emulator, "TX 1000").starts_with("ERROR07"));
    assert!(say(&mut emulator, "PHINF 010005").starts_with("02000000telehand    00100000001"));
    let reply = say(&mut emulator, "TX 0001");
    assert!(reply.starts_with("0101"), "{reply}");
    let binary = emulator.handle(b"BX 0001\r", &[at(0.1)], 7);
    assert_eq!(binary[..2], [0xC4, 0xA5]);
    assert_eq!(binary.len(), 6 + 1 + 2 + 32 + 8 + 2 + 2);
    say(&mut emulator, "PHF 01");
    assert!(say(&mut emulator, "PHSR 00").starts_with("00"));
}

#[test]
fn bytes_of_any_kind_never_panic() {
    let mut state = 11_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let commands: [&[u8]; 6] = [
        b"INIT \r",
        b"PHRQ *********1****\r",
        b"PINIT 01\r",
        b"PHSR 02\r",
        b"TX 0001\r",
        b"PHF 01\r",
    ];
    let mut emulator = Emulator::new(tools(3));
    let mut heard = 0;
    for round in 0..10_000 {
        let mut bytes = commands[random(commands.len())].to_vec();
        if round % 2 == 0 {
            let place = random(bytes.len());
            bytes[place] = random(256) as u8;
        }
        let reply = emulator.handle(&bytes, &[at(0.0), Seen::Missing], round);
        heard += reply.len();
        let mut client = Client::new(Vec::new()).unwrap();
        client.poll();
        let mut damaged = reply;
        if !damaged.is_empty() {
            let place = random(damaged.len());
            damaged[place] = random(256) as u8;
        }
        let _ = client.handle(&damaged);
    }
    assert!(heard > 10_000);
}
