//! A session with known numbers, and bytes that nobody chose.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(missing_docs, reason = "the names say it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::io::Cursor;
use telehand_record::summary::Session;
use telehand_record::{
    ArmTick, CommandDelivered, CommandSent, Event, Frame, GuardChange, HandCommand, LinkFigures,
    PathFigures, Recorder, Refused, Start,
};

/// One millisecond in nanoseconds.
pub const MS: u64 = 1_000_000;
/// The bedside's clock is ahead of the console's by this.
pub const OFFSET: u64 = 5_000 * MS;
/// The patient side begins here, on its own clock.
pub const BEGIN: u64 = 100_000 * MS;

/// Small and seeded: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

pub fn tick(tick: u64) -> ArmTick {
    ArmTick {
        tick,
        at_ns: BEGIN + tick * MS,
        took_ns: 40_000,
        overruns: 0,
        state: "FOLLOWING".into(),
        authority: "remote".into(),
        lease: 1,
        hold: None,
        command_seq: 0,
        command_age_ns: 0,
        joints: [[0.1; 6]; 3],
        setpoints: [[0.1; 6]; 3],
        jaws_rad: [0.2; 3],
        tips_m: [[0.01, -0.02, 0.11]; 3],
        forces_n: [0.0; 3],
        following: [true, true, false],
        verdicts: [None, None, None],
    }
}

pub fn delivered(seq: u64, issued_ns: u64, delay_ns: u64) -> CommandDelivered {
    CommandDelivered {
        seq,
        issued_ns,
        issued_here_ns: Some(issued_ns + OFFSET),
        clock_error_ns: Some(30_000),
        received_ns: issued_ns + OFFSET + delay_ns,
        newest: true,
    }
}

pub fn sent(seq: u64, issued_ns: u64) -> CommandSent {
    let hand = |arm: &str| HandCommand {
        arm: arm.into(),
        engage: 1,
        engaged: true,
        translation_m: [0.001, 0.0, -0.002],
        rotation: [1.0, 0.0, 0.0, 0.0],
        jaw_rad: 0.3,
    };
    CommandSent {
        seq,
        issued_ns,
        lease: 1,
        hands: [hand("PSM1"), hand("PSM2")],
        picture_age_ms: Some(80.5),
        picture_intact: true,
    }
}

pub fn change(at_ms: u64, from: &str, to: &str, cause: Option<&str>) -> GuardChange {
    GuardChange {
        at_ns: BEGIN + at_ms * MS,
        from: from.into(),
        to: to.into(),
        cause: cause.map(Into::into),
        value: cause.map(|_| 0.052),
        limit: cause.map(|_| 0.05),
    }
}

pub fn figures(at_ns: u64, name: &str, in_ms: f64, loss_in: f64) -> LinkFigures {
    let path = PathFigures {
        name: name.into(),
        up: true,
        out_ms: Some(in_ms + 1.0),
        in_ms: Some(in_ms),
        error_ms: Some(0.1),
        rtt_ms: Some(2.0 * in_ms),
        jitter_ms: Some(0.2),
        loss_out: Some(0.0),
        loss_in: Some(loss_in),
        bytes_out: 1000,
        bytes_in: 2000,
    };
    LinkFigures {
        at_ns,
        status: "up".into(),
        peer: Some("demo".into()),
        clock_error_ms: Some(0.05),
        forgeries: 0,
        paths: vec![path],
    }
}

pub fn frame(seq: u32, fate: &str, at_ns: u64, glass_to_glass_ms: Option<f64>) -> Frame {
    Frame {
        seq,
        fate: fate.into(),
        born_ns: Some(at_ns - MS),
        at_ns,
        bytes: 1_000,
        idr: seq == 0,
        glass_to_glass_ms,
        late: glass_to_glass_ms.is_some_and(|ms| ms > 150.0),
    }
}

pub fn event(at_ns: u64, kind: &str, text: &str) -> Event {
    Event { at_ns, kind: kind.into(), text: text.into() }
}

/// Two seconds: following for 500 ms, a hold of 300 ms for the silence of 500..560 ms, following
/// again. Commands every millisecond of following, 20 ms on their way; every tenth takes 30 ms.
pub fn session() -> Session {
    let console = BEGIN - OFFSET;
    let mut session = Session::default();
    for n in (0..480_u64).chain(820..2_000) {
        let issued = console + n * MS;
        session.sent.push(sent(n, issued));
        let delay = if n % 10 == 0 { 30 } else { 20 };
        session.delivered.push(delivered(n, issued, delay * MS));
    }
    for n in 0..2_000 {
        let mut t = tick(n);
        let held = (560..860).contains(&n);
        t.state = if held { "HOLD" } else { "FOLLOWING" }.into();
        t.following = [!held, !held, false];
        t.command_seq = if n < 500 { n.saturating_sub(20) } else { n.saturating_sub(20).max(479) };
        if (500..860).contains(&n) {
            t.command_seq = 479;
        }
        t.command_age_ns = if n < 20 { 0 } else { 20 * MS };
        // Braking after the hold began: 0.5 mm, there and back 0.2 mm.
        let moved = f64::from(u32::try_from(n.clamp(560, 570) - 560).unwrap()) * 5e-5;
        t.tips_m[0][0] += if n >= 600 { moved - 2e-4 } else { moved };
        t.overruns = u64::from(n > 1_500) * 3;
        session.ticks.push(t);
    }
    session.changes = vec![
        change(560, "FOLLOWING", "HOLD", Some("G-003")),
        change(860, "HOLD", "FOLLOWING", None),
    ];
    for n in 0..7 {
        session.refused.push(Refused {
            at_ns: BEGIN + (600 + n) * MS,
            what: "command".into(),
            cause: "G-002".into(),
            value: 1.0,
            limit: 2.0,
            total: n + 1,
        });
    }
    for n in 0..60_u32 {
        let at = BEGIN + u64::from(n) * 33 * MS;
        session.bedside_frames.push(frame(n, "sent", at, None));
        let late = if n == 30 { 200.0 } else { 80.0 };
        session.console_frames.push(frame(n, "shown", at - OFFSET + 80 * MS, Some(late)));
    }
    for n in 0..20 {
        let at = BEGIN + n * 100 * MS;
        session.bedside_link.push(figures(at, "a", 19.0 + (n % 2) as f64, 0.01));
        session.console_link.push(figures(at - OFFSET, "a", 21.0, 0.02));
    }
    session.bedside_events.push(event(
        BEGIN + 1_900 * MS,
        "score",
        r#"{"objects":6,"done":4,"drops":1,"collisions":2,"time_s":1.9,"score":55.5}"#,
    ));
    session.console_events.push(event(BEGIN - OFFSET, "peer", "bedside answers"));
    session
}

/// A recording of a patient side: `count` ticks with something of everything between them.
pub fn recording(count: u64) -> Vec<u8> {
    let start =
        Start { side: "bedside".into(), mono_ns: BEGIN, wall_ns: 1_700_000_000_000_000_000 };
    let mut recorder = Recorder::create(Cursor::new(Vec::new()), &start).unwrap();
    for n in 0..count {
        let at = BEGIN + n * MS;
        recorder.write(at, &tick(n)).unwrap();
        recorder.write(at, &delivered(n, at - OFFSET, 20 * MS)).unwrap();
        if n % 50 == 0 {
            recorder.write(at, &figures(at, "a", 20.0, 0.01)).unwrap();
            recorder.write(at, &event(at, "note", "all is well")).unwrap();
            recorder.flush().unwrap();
        }
    }
    recorder.finish().unwrap().into_inner()
}
