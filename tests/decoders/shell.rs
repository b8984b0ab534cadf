//! What comes over pipes, files and pages of the program itself.

use telehand::arm::wire::{self, Action, Input, LinkInput, Report};
use telehand::arm::{self, ArmConfig};
use telehand::console;
use telehand::wan::control;
use telehand_guard::Limits;
use telehand_sim::network::Profile;
use telehand_sim::scene::Scene;
use telehand_vocab::{Lease, Mono, Span};

/// A message to the arm process, in a run of messages.
pub fn arm_input(data: &[u8]) {
    let mut bytes = Vec::new();
    for message in wire::messages(data).chain([data]) {
        if let Ok(input) = wire::decode_input(message) {
            wire::encode_input(&input, &mut bytes);
            let again = wire::decode_input(&bytes).ok();
            // A number that is none is not equal to itself.
            assert_eq!(format!("{again:?}"), format!("{:?}", Some(input)));
        }
    }
}

/// A report of the arm process.
pub fn arm_report(data: &[u8]) {
    // Without the poses: reading makes unit quaternions of them, to the last bit but one.
    let told = |report: &Report| {
        let joints = report.feedback.arms.each_ref().map(|arm| arm.joints);
        let without = Report { feedback: Report::empty().feedback, ..report.clone() };
        format!("{joints:?} {without:?}")
    };
    if let Ok(report) = wire::decode_report(data) {
        let mut bytes = Vec::new();
        wire::encode_report(&report, &mut bytes);
        let again = wire::decode_report(&bytes).ok();
        assert_eq!(again.as_ref().map(told), Some(told(&report)));
    }
}

/// The arm's greeting, which a replay builds its arm from.
pub fn arm_config(data: &[u8]) {
    if let Ok(config) = serde_json::from_slice::<ArmConfig>(data) {
        let _ = config.limits();
        let _ = config.changed_limits();
    }
}

/// A file of limits for the guard.
pub fn limits_toml(data: &[u8]) {
    let mut limits = Limits::default();
    let _ = arm::parse_limits(&String::from_utf8_lossy(data), &mut limits);
}

/// The readings of the hands, as a page sends them.
pub fn hands_json(data: &[u8]) {
    if let Ok(body) = serde_json::from_slice(data)
        && let Some(samples) = console::from_page(Mono::ZERO, &body)
    {
        assert!(samples.iter().all(|s| s.hand_from_grip.translation.is_finite()));
    }
}

/// A network profile.
pub fn network_profile(data: &[u8]) {
    let _ = Profile::parse(&String::from_utf8_lossy(data));
}

/// The bodies of the network emulation's page.
pub fn wan_bodies(data: &[u8]) {
    let _ = control::parse_cut(data);
    let _ = control::parse_restore(data);
    let _ = control::parse_set(data);
}

/// A scene for the renderer.
pub fn sim_scene(data: &[u8]) {
    if let Ok(scene) = Scene::decode(data) {
        let mut bytes = Vec::new();
        scene.encode(&mut bytes);
        assert_eq!(
            Scene::decode(&bytes).ok(),
            Some(scene),
            "a scene that was read is written again"
        );
    }
}

pub fn input_seeds() -> Vec<Vec<u8>> {
    let link = LinkInput {
        paths_up: 2,
        loss: 0.01,
        jitter: Span::from_millis(2),
        clock_error: Span::from_millis(1),
        forgeries: 0,
    };
    let command = super::link::command_seeds().pop().unwrap_or_default();
    let issued_at = Mono::from_millis(5);
    [
        Input::Beat,
        Input::Action { id: 9, action: Action::Enable },
        Input::Command { issued_at, clock_error: Span::from_millis(1), bytes: &command },
        Input::Link(link),
    ]
    .iter()
    .map(|input| {
        let mut bytes = Vec::new();
        wire::encode_input(input, &mut bytes);
        bytes
    })
    .collect()
}

pub fn report_seeds() -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    wire::encode_report(&Report::empty(), &mut bytes);
    vec![bytes]
}

pub fn config_seeds() -> Vec<Vec<u8>> {
    let config = ArmConfig::new(6, 7, Lease(5), &Limits::default());
    config.to_message().into_iter().collect()
}

pub fn limits_seeds() -> Vec<Vec<u8>> {
    vec![b"silence_hold_s = 0.05\ntip_speed_floor_m_s = 0.01\n".to_vec()]
}

pub fn hands_seeds() -> Vec<Vec<u8>> {
    let hand = r#"{"x":0.1,"y":-0.2,"z":0.3,"q":[1,0,0,0],"grip":0.4}"#;
    let pedals = r#"{"follow":true,"clutch":false,"camera":false}"#;
    vec![format!(r#"{{"type":"hands","hands":[{hand},{hand}],"pedals":{pedals}}}"#).into_bytes()]
}

pub fn profile_seeds() -> Vec<Vec<u8>> {
    const WHOLE: &str = include_str!("../../crates/sim/profiles/shanghai-kashgar.toml");
    const BURSTS: &str = include_str!("../../crates/sim/profiles/bench-burst.toml");
    [WHOLE, BURSTS].map(|text| text.as_bytes().to_vec()).to_vec()
}

pub fn wan_seeds() -> Vec<Vec<u8>> {
    [
        r#"{"path":"fibre","for_s":5}"#,
        r#"{"path":"all"}"#,
        r#"{"path":"5g","direction":"out","burst":{"model":"timed","mean_ms":20,"gap_ms":9}}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

pub fn scene_seeds() -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    Scene::example().encode(&mut bytes);
    vec![bytes]
}
