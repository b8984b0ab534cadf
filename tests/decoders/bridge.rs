//! What other people's programs send: DICOM, `NIfTI`, `OpenIGTLink`, NDI; and the desk's messages.

#![expect(clippy::expect_used, reason = "a target fails by panicking")]

use telehand_bridge::dicom::{
    Made, Origin, SpatialFiducials, SpatialRegistration, encode_fiducials, encode_registration,
    encode_series, read_fiducials, read_instance, read_plan, read_registration, read_segmentation,
    uid,
};
use telehand_bridge::{igtl, ndi, nifti};
use telehand_ortho::authority::{Body, Envelope, Epoch, Message};
use telehand_ortho::case::{PersonId, RobotId, SeatId, SiteId};
use telehand_ortho::ids::PatientKey;
use telehand_ortho::{Grid, SeriesUid, Volume};
use telehand_vocab::space::Plate;
use telehand_vocab::{Mono, Pose, Vec3};

const FRAME: &str = "2.25.7";

/// One CT image object.
pub fn dicom_instance(data: &[u8]) {
    if let Ok(instance) = read_instance(data) {
        let slice = instance.slice;
        assert_eq!(slice.hu.len(), slice.rows * slice.columns);
    }
}

/// Registrations, fiducials, plans and segmentations.
pub fn dicom_objects(data: &[u8]) {
    if let Ok(read) = read_registration::<Plate>(data) {
        assert!(read.image_from_other.translation.is_finite());
    }
    if let Ok(read) = read_fiducials(data) {
        assert!(read.points.iter().all(|(_, at)| at.is_finite()));
    }
    let _ = read_plan(data);
    let grid = volume().grid;
    if let Ok(read) = read_segmentation(data, &grid, FRAME) {
        assert_eq!(read.mask.labels.len(), grid.len());
    }
}

/// Masks and volumes of `NIfTI` files, packed or not.
pub fn nifti_file(data: &[u8]) {
    if let Ok(mask) = nifti::read_mask(data) {
        assert_eq!(mask.labels.len(), mask.grid.len());
    }
    if let Ok(volume) = nifti::read_volume(data) {
        assert_eq!(volume.hu.len(), volume.grid.len());
    }
}

/// A stream of packets, and what a server answers to them.
pub fn igtl_stream(data: &[u8]) {
    let mut stream = igtl::Stream::default();
    let mut session = igtl::Session::default();
    for part in data.chunks(97) {
        stream.push(part);
        while let Some(packet) = stream.next_packet() {
            match packet {
                Ok(packet) => drop(session.handle(&packet.message)),
                Err(error) if error.is_fatal() => return,
                Err(_) => {}
            }
        }
    }
}

/// Both ends of a tracker's line.
pub fn ndi_talk(data: &[u8]) {
    let tool = ndi::Tool { manufacturer: "telehand".into(), part: "body".into(), serial: 1 };
    let mut emulator = ndi::Emulator::new(vec![tool]);
    let _ = emulator.handle(data, &[ndi::Seen::Missing], 1);
    let mut client = ndi::Client::new(vec![vec![1; 70]]).expect("a definition of 70 bytes");
    for part in data.split_inclusive(|byte| *byte == b'\r') {
        client.poll();
        if client.handle(part).is_err() {
            return;
        }
    }
}

/// What a surgeon's desk tells a robot's site.
pub fn desk_message(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        assert_eq!(message.encode(), data, "there is one way to say it");
    }
}

pub fn instance_seeds() -> Vec<Vec<u8>> {
    let files = encode_series(&volume(), &origin(), FRAME).expect("a small series");
    files.into_iter().take(1).map(|file| file.bytes).collect()
}

pub fn object_seeds() -> Vec<Vec<u8>> {
    let registration = SpatialRegistration::<Plate> {
        origin: origin(),
        made: Made::default(),
        image_frame: FRAME.into(),
        other_frame: uid("plate"),
        label: "plate".into(),
        image_from_other: Pose::IDENTITY,
    };
    let fiducials = SpatialFiducials {
        origin: origin(),
        made: Made::default(),
        frame_of_reference: FRAME.into(),
        points: vec![("ball 1".into(), Vec3::new(0.01, 0.02, 0.03))],
    };
    let made = [encode_registration(&registration), encode_fiducials(&fiducials)];
    made.into_iter().map(|file| file.expect("small objects").bytes).collect()
}

/// A file of 2 x 2 x 2 voxels of 16 bits, by the header of NIfTI-1.
pub fn nifti_seeds() -> Vec<Vec<u8>> {
    let mut file = vec![0; 352];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(place) = file.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    };
    put(0, &348_i32.to_le_bytes());
    for (n, side) in [3_i16, 2, 2, 2, 1, 1, 1, 1].into_iter().enumerate() {
        put(40 + 2 * n, &side.to_le_bytes());
    }
    put(70, &4_i16.to_le_bytes());
    put(72, &16_i16.to_le_bytes());
    for n in 0..4 {
        put(76 + 4 * n, &1_f32.to_le_bytes());
    }
    put(108, &352_f32.to_le_bytes());
    put(112, &1_f32.to_le_bytes());
    put(123, &[2]);
    put(254, &1_i16.to_le_bytes());
    for (row, at) in [280, 296, 312].into_iter().enumerate() {
        put(at + 4 * row, &1_f32.to_le_bytes());
    }
    put(344, b"n+1\0");
    file.extend((0..8_i16).flat_map(i16::to_le_bytes));
    vec![file]
}

pub fn igtl_seeds() -> Vec<Vec<u8>> {
    let item =
        igtl::Tracked { name: "Drill".into(), kind: igtl::ToolKind::SixD, pose: Pose::IDENTITY };
    let image = igtl::Image::of(&volume()).expect("a small volume");
    let said = [
        igtl::Message::Tdata(vec![item]),
        igtl::Message::Transform(Pose::IDENTITY),
        igtl::Message::StartTdata { period_ms: 20, frame: "Patient".into() },
        igtl::Message::Text("hello".into()),
        igtl::Message::Image(Box::new(image)),
        igtl::Message::GetCapability,
    ];
    let packet = |message| igtl::Packet { device: "NAV".into(), time_ns: 1, message }.encode();
    said.into_iter().map(packet).collect()
}

pub fn ndi_seeds() -> Vec<Vec<u8>> {
    let talk: &[&[u8]] = &[
        b"INIT \rPHSR 02\rPINIT 01\rPENA 01D\rTSTART \rTX 0001\r",
        b"VER 4\rPHRQ *********1****\rPHINF 010005\rBX 0801\rPHF 01\r",
        b"OKAYA896\r01OKAYA896\r",
    ];
    talk.iter().map(|bytes| bytes.to_vec()).collect()
}

pub fn desk_seeds() -> Vec<Vec<u8>> {
    let envelope = Envelope {
        seq: 7,
        heard: Mono::from_nanos(1_000_000),
        epoch: Epoch(3),
        site: SiteId(1),
        robot: RobotId(2),
        patient: PatientKey::of(b"patient"),
        person: PersonId(4),
        seat: SeatId(5),
    };
    let say = |body| Message { envelope, body }.encode();
    vec![say(Body::Grab), say(Body::Renew), say(Body::Release)]
}

fn volume() -> Volume {
    let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    let grid = Grid { size: [4, 3, 2], origin: Vec3::ZERO, axes, spacing: [0.001; 3] };
    let series = SeriesUid::new("2.25.9").expect("a UID");
    Volume { series, grid, hu: (0..24).map(|n| n * 10).collect() }
}

fn origin() -> Origin {
    Origin { study_uid: uid("study"), study_date: "20260101".into(), ..Origin::default() }
}
