//! A short look by a fuzzer at every decoder, the same in every run. A longer one, guided by
//! coverage: `make fuzz`.
#![expect(clippy::indexing_slicing, reason = "a test may fail loudly")]

use telehand_sim::random::Random;
use telehand_tests::decoders::{TARGETS, Target};

/// The same input again when a target fails: its number is in the message.
fn input(target: &Target, seeds: &[Vec<u8>], number: usize) -> Vec<u8> {
    let mut random = Random::new(number as u64 ^ 0x5EED_0000);
    let mut below = |limit: usize| random.below(limit.max(1) as u64) as usize;
    if seeds.is_empty() || number.is_multiple_of(8) {
        let length = below(if number.is_multiple_of(16) { 300 } else { 40 });
        return (0..length).map(|_| below(256) as u8).collect();
    }
    let mut bytes = seeds[number % seeds.len()].clone();
    assert!(!bytes.is_empty(), "{} has an empty seed", target.name);
    for _ in 0..=below(5) {
        if bytes.is_empty() {
            break;
        }
        let at = below(bytes.len());
        match below(8) {
            0 => bytes.truncate(at),
            1 => bytes[at] = [0, 1, 0x7F, 0x80, 0xFF][below(5)],
            2 => bytes.insert(at, below(256) as u8),
            3 => drop(bytes.remove(at)),
            4 => {
                let other = &seeds[below(seeds.len())];
                let from = below(other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            5 => bytes[at] ^= 1 << below(8),
            6 => {
                let to = (at + below(8)).min(bytes.len());
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes[at] = below(256) as u8,
        }
    }
    bytes
}

fn short(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name);
    let target = target.unwrap_or_else(|| panic!("there is no target {name}"));
    let seeds = (target.seeds)();
    assert!(!seeds.is_empty(), "{name} has no seed");
    for seed in &seeds {
        (target.run)(seed);
    }
    for number in 0..target.inputs {
        let bytes = input(target, &seeds, number);
        let outcome = std::panic::catch_unwind(|| (target.run)(&bytes));
        assert!(outcome.is_ok(), "{name} fails at input {number}: {bytes:?}");
    }
}

macro_rules! each {
    ($($test:ident: $name:literal;)*) => {
        $(#[test] fn $test() { short($name); })*

        #[test]
        fn every_decoder_has_its_short_run() {
            let here = [$($name),*];
            let all: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(all, here);
        }
    };
}

each! {
    l_100_no_bytes_break_a_pair_of_sessions: "link_session";
    l_101_no_bytes_break_the_packet_bodies: "link_bodies";
    l_102_no_bytes_break_a_command: "link_command";
    l_103_no_bytes_break_feedback: "link_feedback";
    l_104_no_bytes_break_the_handshake: "handshake";
    l_105_no_bytes_break_an_identity: "identity_pem";
    v_100_no_bytes_break_a_frame_or_its_receiver: "video_frame";
    v_101_no_bytes_break_video_feedback_or_its_sender: "video_feedback";
    v_102_no_bytes_break_the_stream_parser: "video_stream";
    v_103_no_bytes_break_the_stamp: "video_stamp";
    s_100_no_bytes_break_a_scene: "sim_scene";
    s_101_no_bytes_break_a_profile: "network_profile";
    s_102_no_bytes_break_the_network_page: "wan_bodies";
    g_100_no_bytes_break_the_arm_process: "arm_input";
    g_101_no_bytes_break_the_arms_report: "arm_report";
    g_102_no_bytes_break_the_arms_greeting: "arm_config";
    g_103_no_bytes_break_a_file_of_limits: "limits_toml";
    m_100_no_bytes_of_a_page_break_the_hands: "hands_json";
    r_100_no_bytes_break_a_recordings_reader: "recording";
    r_101_no_bytes_break_the_film: "film";
    o_100_no_bytes_break_a_ct_image: "dicom_instance";
    o_101_no_bytes_break_registrations_plans_and_masks: "dicom_objects";
    o_102_no_bytes_break_a_nifti_file: "nifti_file";
    o_103_no_bytes_break_an_openigtlink_connection: "igtl_stream";
    o_104_no_bytes_break_a_trackers_line: "ndi_talk";
    o_105_no_bytes_break_a_desks_message: "desk_message";
}

#[test]
fn every_decoder_has_its_coverage_guided_target() {
    let fuzz = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz");
    let manifest = std::fs::read_to_string(format!("{fuzz}/Cargo.toml")).unwrap_or_default();
    for target in TARGETS {
        let name = target.name;
        let source = std::fs::read_to_string(format!("{fuzz}/fuzz_targets/{name}.rs"));
        let call = format!("telehand_tests::decoders::{name}(data)");
        assert!(source.is_ok_and(|text| text.contains(&call)), "fuzz/fuzz_targets/{name}.rs");
        assert!(manifest.contains(&format!("name = \"{name}\"\n")), "{name} in fuzz/Cargo.toml");
    }
}
