//! The page and the film of a session.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

mod support;

use support::session;
use telehand_record::mp4::{self, Unit};
use telehand_record::summary::Process;
use telehand_record::{Summary, report};

const CLIP: &[u8] = include_bytes!("data/clip.h264");

/// The access units of the clip: each begins with a delimiter.
fn units() -> Vec<&'static [u8]> {
    let starts: Vec<usize> = CLIP
        .windows(5)
        .enumerate()
        .filter(|(_, w)| w[..4] == [0, 0, 0, 1] && w[4] & 0x1F == 9)
        .map(|(at, _)| at)
        .collect();
    let ends = starts.iter().skip(1).copied().chain([CLIP.len()]);
    starts.iter().zip(ends).map(|(from, to)| &CLIP[*from..to]).collect()
}

fn timed<'a>(units: &[&'a [u8]]) -> Vec<Unit<'a>> {
    let at = |n: usize| 7_000_000_000 + n as u64 * 40_000_000;
    units.iter().enumerate().map(|(n, bytes)| Unit { at_ns: at(n), bytes }).collect()
}

/// The content of the box at this place in the tree.
fn find<'a>(mut boxes: &'a [u8], path: &[&str]) -> &'a [u8] {
    for name in path {
        loop {
            let short = u32::from_be_bytes(boxes[..4].try_into().unwrap()) as usize;
            let (head, length) = match short {
                1 => (16, u64::from_be_bytes(boxes[8..16].try_into().unwrap()) as usize),
                _ => (8, short),
            };
            if &boxes[4..8] == name.as_bytes() {
                boxes = &boxes[head..length];
                break;
            }
            boxes = &boxes[length..];
        }
        // Tables and entries have fields before their boxes.
        boxes = &boxes[match *name {
            "stsd" => 8,
            "avc1" => 78,
            _ => 0,
        }..];
    }
    boxes
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|w| u32::from_be_bytes(w.try_into().unwrap())).collect()
}

const TABLE: [&str; 5] = ["moov", "trak", "mdia", "minf", "stbl"];

fn table<'a>(file: &'a [u8], name: &str) -> &'a [u8] {
    find(file, &[&TABLE[..], &[name]].concat())
}

#[test]
fn r_020_the_film_holds_every_picture_in_order_where_its_table_says() {
    let units = units();
    let file = mp4::write(&timed(&units), 128, 64).unwrap();
    let sizes = words(&table(&file, "stsz")[8..]);
    assert_eq!(sizes.len(), 1 + 30);
    let places = table(&file, "co64")[8..].chunks_exact(8);
    for ((place, size), unit) in places.zip(&sizes[1..]).zip(&units) {
        let at = u64::from_be_bytes(place.try_into().unwrap()) as usize;
        let mut sample = &file[at..at + *size as usize];
        let mut found = Vec::new();
        while !sample.is_empty() {
            let length = u32::from_be_bytes(sample[..4].try_into().unwrap()) as usize;
            found.push(&sample[4..4 + length]);
            sample = &sample[4 + length..];
        }
        let wanted: Vec<&[u8]> =
            mp4::nal_units(unit).filter(|nal| !matches!(nal[0] & 0x1F, 7..=9)).collect();
        assert_eq!(found, wanted);
    }
    let sets = find(&file, &[&TABLE[..], &["stsd", "avc1", "avcC"]].concat());
    let sps = mp4::nal_units(units[0]).find(|nal| nal[0] & 0x1F == 7).unwrap();
    assert_eq!(&sets[1..4], &sps[1..4], "profile and level");
    assert!(sets.windows(sps.len()).any(|w| w == sps));
    assert_eq!(words(table(&file, "stss")), [0, 2, 1, 16], "the IDR pictures, counted from one");
}

#[test]
fn r_021_pictures_are_shown_as_long_as_they_were() {
    let units = units();
    let mut timed = timed(&units[..4]);
    // The third froze for two seconds; the clock of the fourth went back.
    timed[2].at_ns += 1;
    timed[3].at_ns = timed[2].at_ns + 2_000_000_000;
    timed.push(Unit { at_ns: timed[1].at_ns, bytes: units[4] });
    let file = mp4::write(&timed, 128, 64).unwrap();
    let runs: Vec<u32> = words(&table(&file, "stts")[8..]);
    assert_eq!(runs, [2, 3_600, 1, 180_000, 2, 1], "count and ticks of 1/90000 s");
}

#[test]
fn r_022_a_film_begins_with_the_first_picture_that_starts_by_itself() {
    let units = units();
    let file = mp4::write(&timed(&units[5..]), 128, 64).unwrap();
    assert_eq!(words(table(&file, "stsz"))[2], 15, "from the second IDR on");
    assert_eq!(mp4::write(&timed(&units[5..15]), 128, 64), None, "no IDR");
    assert_eq!(mp4::write(&[], 128, 64), None);
}

#[test]
fn r_023_other_parameter_sets_on_the_way_stay_in_the_pictures() {
    let units = units();
    let other = [units[15], &[0, 0, 1, 0x67, 66, 0, 10, 1, 2, 3]].concat();
    let mut all = units.clone();
    all[15] = &other;
    let file = mp4::write(&timed(&all), 128, 64).unwrap();
    let sizes = words(&table(&file, "stsz")[12..]);
    let plain = mp4::write(&timed(&units), 128, 64).unwrap();
    assert!(sizes[0] > words(&table(&plain, "stsz")[12..])[0], "the first keeps its own too");
    assert!(file.windows(6).any(|w| w == [66, 0, 10, 1, 2, 3]));
}

#[test]
fn r_024_no_bytes_make_the_film_fail() {
    let mut random = support::Random(24);
    let units = units();
    for _ in 0..2_000 {
        let mut bytes = units[random.below(units.len())].to_vec();
        for _ in 0..random.below(20) {
            let at = random.below(bytes.len());
            bytes[at] = if random.below(2) == 0 { 0 } else { random.next() as u8 };
        }
        let junk = random.bytes(40);
        let at_ns = random.next();
        let film = [
            Unit { at_ns: 5, bytes: units[0] },
            Unit { at_ns, bytes: &bytes },
            Unit { at_ns: at_ns / 2, bytes: &junk },
        ];
        assert!(mp4::write(&film, 128, 64).is_some());
        let _ = mp4::write(&film[1..], 128, 64);
    }
}

fn page(session: &telehand_record::summary::Session, task: &str, video: Option<&str>) -> String {
    let process = Process { name: "<i>arm</i>".into(), cpu_s: 1.0, rss_mib: 20.0 };
    let summary = Summary::of(session, task, vec![process]);
    report::html(session, &summary, video)
}

#[test]
fn r_030_nothing_from_a_recording_becomes_markup() {
    const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&\u{0}";
    let mut session = session();
    for figures in session.bedside_link.iter_mut().chain(&mut session.console_link) {
        figures.status = EVIL.into();
        figures.peer = Some(EVIL.into());
        figures.paths[0].name = EVIL.into();
    }
    session.changes[0].cause = Some(EVIL.into());
    session.changes[1].to = format!("{EVIL}{EVIL}");
    session.refused[0].cause = EVIL.into();
    session.refused[0].what = EVIL.into();
    session.ticks[0].state = EVIL.into();
    session.console_events.push(support::event(0, EVIL, EVIL));
    session.bedside_events.push(support::event(0, EVIL, EVIL));
    session.console_frames[0].fate = EVIL.into();
    let page = page(&session, EVIL, Some("javascript:alert(1)//\"><script>"));
    let lower = page.to_lowercase();
    assert!(!lower.contains("<script") && !lower.contains("<img") && !lower.contains("<i>"));
    assert!(!page.contains('\u{0}'));
    assert!(page.contains("&lt;script&gt;"), "it is there as text");
    assert!(page.contains("src=\"javascript%3Aalert%281%29%2F%2F%22%3E%3Cscript%3E\""));
}

#[test]
fn r_031_the_page_says_what_it_is_and_asks_nothing_of_anybody() {
    let page = page(&session(), "peg transfer", Some("endoscope.mp4"));
    assert!(page.contains("SIMULATED - not a medical device"));
    assert!(page.contains("模拟演示 · 非医疗器械"));
    assert!(page.contains("<title>Session: peg transfer - telehand</title>"));
    assert!(page.contains("src=\"endoscope.mp4\""));
    for outside in ["http:", "https:", "//", "url(", "@import", "<link", "<script", "<iframe"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("1: G-003 0.30 s") && page.contains("G-003 link silent"));
    assert!(page.contains("G-002 stale lease (7)"));
}

#[test]
fn r_032_a_curve_has_at_most_two_thousand_points_and_keeps_its_peaks() {
    let mut session = session();
    let spike = 1_234.5;
    session.delivered[700].received_ns += 1_204_500_000;
    let page = page(&session, "x", None);
    for curve in page.split("<path d=\"").skip(1).chain(page.split("points=\"").skip(1)) {
        let curve = curve.split('"').next().unwrap_or_default();
        let points = curve.matches('L').count() + curve.matches(',').count();
        assert!(points <= 2_100, "{points} points");
    }
    // The highest point lies on the top edge of its plot.
    assert!(
        page.contains(" 14.0L") || page.contains(" 14.0\""),
        "the spike of {spike} ms is drawn"
    );
    assert!(!page.contains("NaN") && !page.contains("inf\""));
}

#[test]
fn r_033_an_empty_session_has_a_page_too() {
    let page = page(&telehand_record::summary::Session::default(), "", None);
    assert!(page.contains("Nothing was measured") && page.contains("The arms never held"));
    assert!(!page.contains("NaN") && !page.contains("inf"));
}
