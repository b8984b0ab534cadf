#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is wrong"
)]

use super::*;
use telehand_ortho::{Grid, SeriesUid, Volume};
use telehand_vocab::space::{Tip, Tracker};

fn pose() -> Pose<Tracker, Tip> {
    Pose::new(
        Quat::from_rotation_vector(Vec3::new(0.3, -0.8, 1.1)),
        Vec3::new(0.0125, -0.25, 1.875),
    )
}

fn drill() -> Pose<Tracker, Tip> {
    Pose::new(Quat::IDENTITY, Vec3::new(0.0, 0.0, -0.110_755))
}

fn packet(message: Message) -> Packet {
    Packet { device: "NAV".into(), time_ns: 0, message }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |k: usize| u8::from_str_radix(&digits[k..k + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn read(bytes: &[u8]) -> Vec<Result<Packet, IgtlError>> {
    let mut stream = Stream::default();
    stream.push(bytes);
    std::iter::from_fn(|| stream.next_packet()).collect()
}

#[test]
fn the_checksum_is_that_of_the_standard() {
    assert_eq!(crc64(b"123456789"), 0x6C40_DF5F_0B49_7347);
}

/// Packed by the C++ library 1.11.
#[test]
fn tdata_has_the_bytes_of_the_reference_library() {
    let golden = hex("0001 544441544100000000000000 4e41560000000000000000000000000000000000
         0000000000000000 0000000000000046 e13f6089ff977973
         4472696c6c000000000000000000000000000000 02 00
         3f800000 00000000 00000000 00000000 3f800000 00000000
         00000000 00000000 3f800000 00000000 00000000 c2dd828f");
    let item = Tracked { name: "Drill".into(), kind: ToolKind::SixD, pose: drill() };
    assert_eq!(packet(Message::Tdata(vec![item])).encode(), golden);
    let body = packet(Message::Transform(drill())).encode();
    assert_eq!(crc64(&body[58..]), 0xac57_93ab_7a20_30e0);
}

#[test]
fn every_message_survives_its_bytes_however_they_are_cut() {
    let said = [
        Message::Tdata(Vec::new()),
        Message::StartTdata { period_ms: 50, frame: "Patient".into() },
        Message::StopTdata,
        Message::ReadyTdata { accepted: false },
        Message::Status {
            code: StatusCode::NotReady,
            sub_code: -3,
            name: "OCCLUDED".into(),
            text: "the reference is not seen".into(),
        },
        Message::GetStatus,
        Message::Text("第三腰椎".into()),
        Message::GetCapability,
        Message::Capability(vec!["TDATA".into(), "IMAGE".into()]),
    ];
    let packets: Vec<Packet> = said
        .into_iter()
        .map(|message| Packet {
            device: "Guide".into(),
            time_ns: 1_700_000_000_123_456_789,
            message,
        })
        .collect();
    let bytes: Vec<u8> = packets.iter().flat_map(Packet::encode).collect();
    for step in [1, 7, 58, 1_000] {
        let mut stream = Stream::default();
        let mut heard = Vec::new();
        for part in bytes.chunks(step) {
            stream.push(part);
            heard.extend(std::iter::from_fn(|| stream.next_packet()).map(Result::unwrap));
        }
        assert_eq!(heard, packets);
    }
}

#[test]
fn a_name_that_is_too_long_is_cut_between_characters() {
    let device = "第三腰椎左侧椎弓根".to_owned();
    let bytes = Packet { device, time_ns: 0, message: Message::GetStatus }.encode();
    let [Ok(back)] = &read(&bytes)[..] else { panic!("not read") };
    assert_eq!(back.device, "第三腰椎左侧", "18 of 20 bytes");
}

#[test]
fn poses_come_back_in_metres_and_a_matrix_that_is_no_rotation_does_not() {
    let bytes = packet(Message::Transform(pose())).encode();
    let [Ok(Packet { message: Message::Transform(back), .. })] = &read(&bytes)[..] else {
        panic!("no transform")
    };
    assert!((back.translation - pose().translation).norm() < 1e-7);
    assert!((back.rotation.inverse() * pose().rotation).angle() < 1e-6);
    let mut mirrored = bytes;
    let (head, body) = mirrored.split_at_mut(58);
    body[0] ^= 0x80;
    body[4] ^= 0x80;
    body[8] ^= 0x80;
    head[50..58].copy_from_slice(&crc64(body).to_be_bytes());
    assert!(matches!(read(&mirrored)[..], [Err(IgtlError::Malformed { .. })]));
}

/// Trap 1: what is left in LPS is left in RAS, and a patient is not mirrored.
#[test]
fn trap_01_lps_becomes_ras_without_a_mirror() {
    let left_behind_above = Pose::<Tracker, Tip>::new(pose().rotation, Vec3::new(0.1, 0.2, 0.3));
    let ras = ras_from_lps(left_behind_above);
    assert_eq!(ras.translation, Vec3::new(-0.1, -0.2, 0.3));
    let axis = |pose: &Pose<Tracker, Tip>, v| pose.rotation.rotate(v);
    for v in [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)] {
        let (lps, ras) = (axis(&left_behind_above, v), axis(&ras, v));
        assert!((ras - Vec3::new(-lps.x, -lps.y, lps.z)).norm() < 1e-12);
    }
    assert!((ras_from_lps(ras).translation - left_behind_above.translation).norm() < 1e-15);
}

#[test]
fn a_volume_keeps_its_place_and_its_numbers() {
    let turn = Quat::from_rotation_vector(Vec3::new(0.1, 0.2, -0.4));
    let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, -1.0)];
    let grid = Grid {
        size: [5, 4, 3],
        origin: Vec3::new(-0.05, 0.02, -0.3),
        axes: axes.map(|axis| turn.rotate(axis)),
        spacing: [0.0005, 0.0006, 0.00125],
    };
    let hu = (0..60).map(|n| n * 37 - 1_000).collect();
    let volume = Volume { series: SeriesUid::new("1.2.3").unwrap(), grid, hu };
    let image = Image::of(&volume).unwrap();
    let bytes = packet(Message::Image(Box::new(image.clone()))).encode();
    assert_eq!(bytes.len(), 58 + 72 + 120);
    let [Ok(Packet { message: Message::Image(back), .. })] = &read(&bytes)[..] else {
        panic!("no image")
    };
    assert_eq!(back.values, image.values);
    for corner in [[0.0; 3], [4.0, 3.0, 2.0], [4.0, 0.0, 1.0]] {
        assert!((back.grid.point(corner) - grid.point(corner)).norm() < 1e-7);
    }
}

#[test]
fn a_server_answers_what_it_is_asked_and_says_what_it_does_not_speak() {
    let mut session = Session::default();
    let start = Message::StartTdata { period_ms: 20, frame: String::new() };
    assert_eq!(session.handle(&start), Some(Message::ReadyTdata { accepted: true }));
    assert_eq!(session.tdata_every, Some(telehand_vocab::Span::from_millis(20)));
    assert_eq!(session.handle(&Message::StopTdata), Some(Message::ReadyTdata { accepted: true }));
    assert_eq!(session.tdata_every, None);
    let Some(Message::Capability(kinds)) = session.handle(&Message::GetCapability) else {
        panic!("no answer")
    };
    assert!(kinds.iter().any(|kind| kind == "TDATA"));
    let other = session.handle(&Message::Other { kind: "NDARRAY".into() });
    assert!(matches!(other, Some(Message::Status { code: StatusCode::UnknownInstruction, .. })));
}

#[test]
fn what_is_damaged_is_ignored_and_what_is_foreign_ends_the_connection() {
    let good = packet(Message::Transform(pose())).encode();
    let mut bad = good.clone();
    bad[70] ^= 1;
    let stream = [bad, good].concat();
    let heard = read(&stream);
    assert!(matches!(heard[..], [Err(IgtlError::Checksum { .. }), Ok(_)]), "{heard:?}");
    let mut stream = Stream::default();
    stream.push(b"GET / HTTP/1.1\r\n");
    let error = stream.next_packet().unwrap().unwrap_err();
    assert!(error.is_fatal(), "{error}");
    let mut long = packet(Message::GetStatus).encode();
    long[42..50].copy_from_slice(&u64::MAX.to_be_bytes());
    let [Err(error)] = &read_once(&long)[..] else { panic!("taken") };
    assert!(error.is_fatal(), "{error}");
}

fn read_once(bytes: &[u8]) -> Vec<Result<Packet, IgtlError>> {
    let mut stream = Stream::default();
    stream.push(bytes);
    stream.next_packet().into_iter().collect()
}

/// Version 3, as pyigtl sends it with `header_version=2`: an extended header before, meta data
/// behind.
#[test]
fn bodies_of_version_3_are_unwrapped() {
    let plain = packet(Message::Transform(pose())).encode();
    let mut body = Vec::new();
    body.extend(12_u16.to_be_bytes());
    body.extend(2_u16.to_be_bytes());
    body.extend(0_u32.to_be_bytes());
    body.extend(7_u32.to_be_bytes());
    body.extend_from_slice(&plain[58..]);
    body.extend(0_u16.to_be_bytes());
    let mut bytes = plain[..58].to_vec();
    bytes[..2].copy_from_slice(&2_u16.to_be_bytes());
    bytes[42..50].copy_from_slice(&(body.len() as u64).to_be_bytes());
    bytes[50..58].copy_from_slice(&crc64(&body).to_be_bytes());
    bytes.extend(body);
    assert!(matches!(read(&bytes)[..], [Ok(Packet { message: Message::Transform(_), .. })]));
}

/// Ten thousand damaged streams: an error or a message, never a panic, never a hang.
#[test]
fn bytes_of_any_kind_never_panic() {
    let item = Tracked { name: "Drill".into(), kind: ToolKind::SixD, pose: drill() };
    let grid = Grid {
        size: [2, 2, 2],
        origin: Vec3::ZERO,
        axes: [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)],
        spacing: [0.001; 3],
    };
    let seeds = [
        packet(Message::Tdata(vec![item])).encode(),
        packet(Message::Image(Box::new(Image { grid, values: vec![1; 8] }))).encode(),
        packet(Message::Text("hello".into())).encode(),
        packet(Message::Capability(vec!["TDATA".into()])).encode(),
    ];
    let mut state = 7_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut taken = 0;
    for round in 0..10_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=random(4) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        if round % 3 == 0 && bytes.len() > 58 {
            let sum = crc64(&bytes[58..]);
            bytes[50..58].copy_from_slice(&sum.to_be_bytes());
        }
        taken += usize::from(read_once(&bytes).iter().any(Result::is_ok));
    }
    assert!(taken > 100, "{taken} of the damaged streams still had their checksum");
}
