//! What was written is there, whole, or the place of the damage is named.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod support;

use mcap::records::MessageHeader;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{Cursor, Seek, SeekFrom, Write};
use std::rc::Rc;
use support::{BEGIN, MS, OFFSET, Random, recording};
use telehand_record::chain::{Chain, Link};
use telehand_record::check::{Broken, check};
use telehand_record::read::{self, Raw};
use telehand_record::{
    ArmInput, ArmTick, CommandDelivered, CommandSent, CompressedVideo, Event, Frame, GuardChange,
    LinkFigures, Recorded, Recorder, Refused, Start,
};

fn messages(file: &[u8]) -> Vec<Raw> {
    let mut all = Vec::new();
    read::each(file, |raw| all.push(raw)).unwrap();
    all
}

fn start() -> Start {
    Start { side: "bedside".into(), mono_ns: BEGIN, wall_ns: 1_700_000_000_000_000_000 }
}

#[test]
fn r_001_what_is_read_is_what_was_written() {
    fn back<M: Recorded + PartialEq + std::fmt::Debug>(file: &[u8], written: &[M]) {
        assert_eq!(read::all::<M>(file).unwrap(), written, "{}", M::TOPIC);
    }
    fn put<M: Recorded>(r: &mut Recorder<Cursor<Vec<u8>>>, all: &[M], at: impl Fn(&M) -> u64) {
        for message in all {
            r.write(at(message), message).unwrap();
        }
    }
    let session = support::session();
    let inputs = [ArmInput { tick: 3, hex: "00ff".into() }];
    let video = [CompressedVideo {
        timestamp: telehand_record::messages::Timestamp { sec: 1, nsec: 999_999_999 },
        frame_id: "endoscope".into(),
        data: "AAAAAQ==".into(),
        format: "h264".into(),
    }];
    let mut ticks = session.ticks.clone();
    // Every bit of a number survives its decimal form.
    ticks[0].joints[0] = [0.1 + 0.2, -0.0, 1e-308, 5e-324, f64::MAX, 1.0 / 3.0];
    let mut recorder = Recorder::create(Cursor::new(Vec::new()), &start()).unwrap();
    let r = &mut recorder;
    put(r, &session.sent, |m| m.issued_ns);
    put(r, &session.delivered, |m| m.received_ns);
    put(r, &ticks, |m| m.at_ns);
    put(r, &session.changes, |m| m.at_ns);
    put(r, &session.refused, |m| m.at_ns);
    put(r, &session.bedside_link, |m| m.at_ns);
    put(r, &session.bedside_frames, |m| m.at_ns);
    put(r, &session.bedside_events, |m| m.at_ns);
    put(r, &inputs, |_| BEGIN);
    put(r, &video, |_| BEGIN);
    let file = recorder.finish().unwrap().into_inner();

    back::<Start>(&file, &[start()]);
    back::<CommandSent>(&file, &session.sent);
    back::<CommandDelivered>(&file, &session.delivered);
    back::<ArmTick>(&file, &ticks);
    back::<GuardChange>(&file, &session.changes);
    back::<Refused>(&file, &session.refused);
    back::<LinkFigures>(&file, &session.bedside_link);
    back::<Frame>(&file, &session.bedside_frames);
    back::<Event>(&file, &session.bedside_events);
    back::<ArmInput>(&file, &inputs);
    back::<CompressedVideo>(&file, &video);
    assert_eq!(
        read::all::<ArmTick>(&file).unwrap()[0].joints[0][1].to_bits(),
        (-0.0_f64).to_bits()
    );
    let whole = check(&file).unwrap();
    assert_eq!(whole.messages, messages(&file).len() as u64);
    assert_eq!((whole.unlinked, whole.finished), (0, true), "the last link holds all before it");
    let shifted = &messages(&file)[1];
    assert_eq!(shifted.log_time, start().wall_ns - OFFSET, "wall time of a monotonic moment");
}

/// A file that stays readable while it is written.
#[derive(Clone, Default)]
struct Disk(Rc<RefCell<Cursor<Vec<u8>>>>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}

#[test]
fn r_002_a_killed_recorder_leaves_everything_it_flushed() {
    let disk = Disk::default();
    let mut recorder = Recorder::create(disk.clone(), &start()).unwrap();
    let (mut written, mut flushed) = (0, 0);
    for n in 0..700 {
        recorder.write(BEGIN + n * MS, &support::tick(n)).unwrap();
        written += 1;
        if n % 61 == 0 {
            recorder.flush().unwrap();
            flushed = written;
        }
        if n % 7 == 0 || n % 61 == 0 {
            let left = disk.0.borrow().get_ref().clone();
            let ticks = read::all::<ArmTick>(&left).unwrap();
            assert!((flushed..=written).contains(&ticks.len()), "{} of {written}", ticks.len());
            assert!(ticks.iter().zip(0..).all(|(tick, n)| *tick == support::tick(n)));
            let whole = check(&left).unwrap();
            assert!(!whole.finished && whole.messages >= flushed as u64);
        }
    }
}

#[test]
fn r_003_a_file_cut_anywhere_is_read_up_to_the_cut() {
    let file = recording(120);
    let all = messages(&file);
    let mut random = Random(3);
    let cuts = (0..600).chain((0..1_500).map(|_| random.below(file.len())));
    let mut most = 0;
    for cut in cuts.chain(file.len() - 200..file.len()) {
        let left = &file[..cut];
        let mut found = Vec::new();
        assert!(!read::each(left, |raw| found.push(raw)).unwrap(), "cut at {cut}");
        assert_eq!(found, all[..found.len()], "cut at {cut}");
        let whole = check(left).unwrap();
        assert_eq!((whole.messages, whole.finished), (found.len() as u64, false), "cut at {cut}");
        most = most.max(found.len());
    }
    assert_eq!(most, all.len(), "the summary holds no messages");
}

fn flipped(file: &[u8], at: usize, bit: usize) -> Vec<u8> {
    let mut changed = file.to_vec();
    changed[at] ^= 1 << bit;
    changed
}

#[test]
fn r_004_a_changed_bit_of_a_finished_file_is_named_with_its_place() {
    let file = recording(60);
    assert!(check(&file).unwrap().finished);
    let mut random = Random(4);
    let picked = (0..1_200).map(|_| random.below(file.len()));
    let ends = (0..80).chain(file.len() - 400..file.len());
    let mut bits = Random(44);
    for at in picked.chain(ends) {
        let bit = bits.below(8);
        match check(&flipped(&file, at, bit)) {
            Ok(whole) => panic!("bit {bit} of byte {at} of {} unseen: {whole:?}", file.len()),
            Err(Broken { from, to, what }) => assert!(
                (from..to).contains(&(at as u64)),
                "bit {bit} of byte {at} is not in {from}..{to}: {what}"
            ),
        }
    }
}

#[test]
fn r_005_a_changed_bit_of_a_cut_file_is_named_or_changed_no_message() {
    let disk = Disk::default();
    let mut recorder = Recorder::create(disk.clone(), &start()).unwrap();
    for n in 0..90 {
        recorder.write(BEGIN + n * MS, &support::tick(n)).unwrap();
        if n % 30 == 29 {
            recorder.flush().unwrap();
        }
    }
    let file = disk.0.borrow().get_ref().clone();
    let all = messages(&file);
    let mut random = Random(5);
    let mut unseen = 0;
    for _ in 0..1_500 {
        let (at, bit) = (random.below(file.len()), random.below(8));
        let changed = flipped(&file, at, bit);
        if let Err(Broken { from, to, .. }) = check(&changed) {
            assert!((from..to).contains(&(at as u64)), "bit {bit} of byte {at}");
        } else {
            assert_eq!(messages(&changed), all, "bit {bit} of byte {at}");
            unseen += 1;
        }
    }
    assert!(unseen < 60, "{unseen}: only names in the header and idle bits of the packing");
}

/// The file again, message by message, as somebody would who keeps all checksums right.
fn rewritten(file: &[u8], mut each: impl FnMut(usize, &mut Raw) -> bool) -> Vec<u8> {
    let mut writer = mcap::Writer::new(Cursor::new(Vec::new())).unwrap();
    let mut channels = BTreeMap::new();
    for (index, mut raw) in messages(file).into_iter().enumerate() {
        if !each(index, &mut raw) {
            continue;
        }
        let channel_id = *channels.entry(raw.topic.clone()).or_insert_with(|| {
            writer.add_channel(0, &raw.topic, "json", &BTreeMap::new()).unwrap()
        });
        let (sequence, log_time) = (index as u32, raw.log_time);
        let header = MessageHeader { channel_id, sequence, log_time, publish_time: log_time };
        writer.write_to_known_channel(&header, &raw.data).unwrap();
    }
    writer.finish().unwrap();
    writer.into_inner().into_inner()
}

#[test]
fn r_006_the_chain_names_a_change_behind_right_checksums() {
    let file = recording(300);
    let same = rewritten(&file, |_, _| true);
    assert_eq!(check(&same).unwrap().links, 3);

    let changed = rewritten(&file, |index, raw| {
        if index == 100 {
            raw.data = String::from_utf8(raw.data.clone()).unwrap().replace('1', "2").into_bytes();
        }
        true
    });
    let named = check(&changed).unwrap_err();
    assert!(named.what.contains("was changed"), "{named}");

    let earlier = rewritten(&file, |index, raw| {
        raw.log_time -= u64::from(index == 100);
        true
    });
    assert!(check(&earlier).unwrap_err().what.contains("was changed"));
}

#[test]
fn r_007_the_chain_names_a_message_taken_away_or_added() {
    let file = recording(300);
    for gone in [1, 100, 255, 400, 520] {
        let less = rewritten(&file, |index, _| index != gone);
        let named = check(&less).unwrap_err();
        assert!(named.what.contains("was changed") || named.what.contains("taken"), "{named}");
    }
    // The last before a link: all marks that are left fit.
    let links: Vec<usize> = messages(&file)
        .iter()
        .enumerate()
        .filter(|(_, raw)| raw.topic == "/chain")
        .map(|(index, _)| index)
        .collect();
    let less = rewritten(&file, |index, _| index != links[0] - 1);
    assert!(check(&less).unwrap_err().what.contains("taken away"));
    let no_link = rewritten(&file, |index, _| index != links[0]);
    assert!(check(&no_link).is_err());
}

#[test]
fn r_008_a_wrong_link_is_named() {
    let file = recording(300);
    let forged = |change: fn(&mut Link)| {
        let mut done = false;
        rewritten(&file, |_, raw| {
            if raw.topic == "/chain" && !done {
                done = true;
                let mut link: Link = serde_json::from_slice(&raw.data).unwrap();
                change(&mut link);
                raw.data = serde_json::to_vec(&link).unwrap();
            }
            true
        })
    };
    assert!(check(&forged(|_| {})).is_ok());
    for change in [
        (|link| link.index += 1) as fn(&mut Link),
        |link| link.digest = "0".repeat(64),
        |link| link.marks = String::new(),
        |link| link.marks = "é".repeat(40),
        |link| link.digest.clear(),
    ] {
        assert!(check(&forged(change)).is_err());
    }
    let torn = rewritten(&file, |_, raw| {
        if raw.topic == "/chain" {
            raw.data = b"{".to_vec();
        }
        true
    });
    assert!(check(&torn).unwrap_err().what.contains("link of the chain cannot be read"));
}

#[test]
fn r_009_a_chain_begun_anew_in_the_middle_does_not_pass() {
    // Somebody drops the first half and makes new links for the rest.
    let file = recording(300);
    let mut chain = Chain::default();
    let mut dropped = 0;
    let half = rewritten(&file, |index, raw| {
        if index < 300 {
            dropped += 1;
            return false;
        }
        if raw.topic == "/chain" {
            raw.data = serde_json::to_vec(&chain.close()).unwrap();
        }
        chain.add(&raw.topic, raw.log_time, &raw.data);
        true
    });
    assert_eq!(dropped, 300);
    let named = check(&half).unwrap_err();
    assert!(named.what.contains("does not begin"), "{named}");
}
