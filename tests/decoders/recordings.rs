//! Recordings from anybody's disk.

use std::io::Cursor;
use telehand_record::mp4::{self, Unit};
use telehand_record::summary::Session;
use telehand_record::{Event, Recorder, Start, Summary, check, read, report};

/// Reads, checks, and makes the account.
pub fn recording(data: &[u8]) {
    let mut messages = 0;
    let read = read::each(data, |_| messages += 1);
    if let Ok(whole) = check::check(data) {
        assert_eq!(read.ok(), Some(whole.finished), "what is whole can be read");
        assert_eq!(messages, whole.messages);
    }
    if let Ok(session) = Session::read([data], [data]) {
        let summary = Summary::of(&session, "<task>", Vec::new());
        let page = report::html(&session, &summary, Some("film"));
        assert!(!page.contains("<task>"), "text of others is no markup");
    }
}

/// Pictures of a recording as a film: the bytes are an Annex B stream, cut in three.
pub fn film(data: &[u8]) {
    let third = data.len() / 3;
    let (first, rest) = data.split_at(third);
    let (second, last) = rest.split_at(third.min(rest.len()));
    let units = [(0, first), (7, second), (u64::MAX, last), (3, data)]
        .map(|(at_ns, bytes)| Unit { at_ns, bytes });
    let _ = mp4::write(&units, u16::MAX, 2);
}

pub fn recording_seeds() -> Vec<Vec<u8>> {
    let start = Start { side: "bedside".into(), mono_ns: 5, wall_ns: 1_700_000_000_000_000_000 };
    let make = || {
        let mut recorder = Recorder::create(Cursor::new(Vec::new()), &start)?;
        for at_ns in 0..300 {
            let kind = if at_ns % 2 == 0 { "note" } else { "score" };
            recorder.write(at_ns, &Event { at_ns, kind: kind.into(), text: "x".into() })?;
        }
        recorder.finish().map(Cursor::into_inner)
    };
    make().into_iter().collect()
}

pub fn film_seeds() -> Vec<Vec<u8>> {
    const CLIP: &[u8] = include_bytes!("../../crates/record/tests/data/clip.h264");
    CLIP.get(..1_500).into_iter().map(<[u8]>::to_vec).collect()
}
