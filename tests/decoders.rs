//! Every decoder, as a function of bytes that nobody vouches for.
//!
//! Two runners call them: `fuzz_short.rs`, with seeded inputs in every test run, and the coverage
//! guided targets in `fuzz/`. A target fails by panicking: in the decoder, or in an assertion here
//! about what came out of it.

#![expect(clippy::missing_panics_doc, reason = "a target fails by panicking")]

mod bridge;
mod link;
mod recordings;
mod shell;
mod video;

pub use bridge::{desk_message, dicom_instance, dicom_objects, igtl_stream, ndi_talk, nifti_file};
pub use link::{handshake, identity_pem, link_bodies, link_command, link_feedback, link_session};
pub use recordings::{film, recording};
pub use shell::{
    arm_config, arm_input, arm_report, hands_json, limits_toml, network_profile, sim_scene,
    wan_bodies,
};
pub use video::{video_feedback, video_frame, video_stamp, video_stream};

/// One decoder.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The function's name.
    pub name: &'static str,
    /// Decodes; panics on a fault.
    pub run: fn(&[u8]),
    /// Inputs that are accepted, to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many inputs the short run feeds; slow targets get fewer.
    pub inputs: usize,
}

macro_rules! targets {
    ($($name:ident: $seeds:path, $inputs:literal;)*) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[$(Target {
            name: stringify!($name),
            run: $name,
            seeds: $seeds,
            inputs: $inputs,
        }),*];
    };
}

targets! {
    link_session: link::session_seeds, 5_000;
    link_bodies: link::body_seeds, 20_000;
    link_command: link::command_seeds, 20_000;
    link_feedback: link::feedback_seeds, 20_000;
    handshake: link::handshake_seeds, 5_000;
    identity_pem: link::pem_seeds, 5_000;
    video_frame: video::frame_seeds, 20_000;
    video_feedback: video::feedback_seeds, 20_000;
    video_stream: video::stream_seeds, 20_000;
    video_stamp: video::stamp_seeds, 10_000;
    sim_scene: shell::scene_seeds, 20_000;
    network_profile: shell::profile_seeds, 5_000;
    wan_bodies: shell::wan_seeds, 20_000;
    arm_input: shell::input_seeds, 20_000;
    arm_report: shell::report_seeds, 20_000;
    arm_config: shell::config_seeds, 5_000;
    limits_toml: shell::limits_seeds, 5_000;
    hands_json: shell::hands_seeds, 5_000;
    recording: recordings::recording_seeds, 5_000;
    film: recordings::film_seeds, 10_000;
    dicom_instance: bridge::instance_seeds, 4_000;
    dicom_objects: bridge::object_seeds, 4_000;
    nifti_file: bridge::nifti_seeds, 10_000;
    igtl_stream: bridge::igtl_seeds, 10_000;
    ndi_talk: bridge::ndi_seeds, 10_000;
    desk_message: bridge::desk_seeds, 20_000;
}
