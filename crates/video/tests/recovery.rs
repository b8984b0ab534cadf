//! Loss, recovery and joining, with the decoder and the pixels as judges.

mod common;

use common::{Line, Run, run};
use telehand_video::{EncoderConfig, Picture};

fn vga() -> EncoderConfig {
    EncoderConfig { width: 640, height: 480, bitrate_bps: 2_000_000, ..EncoderConfig::default() }
}

#[test]
fn v_040_a_lost_frame_is_healed_by_a_long_term_reference_and_nothing_damaged_is_shown() {
    let line = Line { lost: [50].into(), ..Line::default() };
    let run = run(vga(), 90, &line);
    for (seq, one) in &run.outcomes {
        println!("{seq} {} {} {:?}", one.idr, one.bytes, one.shown_db);
    }
    run.assert_nothing_damaged(40.0, "one loss");
    assert_eq!(run.idrs(), [0]);
}
