//! CT images over a real socket: ours to ours, and ours against a peer that misbehaves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use common::{changed, files, folder, oblique, put};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::InMemDicomObject;
use dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN;
use dicom_ul::Pdu;
use dicom_ul::association::{ClientAssociation, ClientAssociationOptions};
use dicom_ul::pdu::{PDataValue, PDataValueType};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use telehand_bridge::dicom::network::{PushError, Received, Scp, ScpOptions, Serving, echo, push};
use telehand_bridge::dicom::{File, Refused, read_series};
use telehand_ortho::series::assemble;

fn serve(options: ScpOptions) -> (Serving, Receiver<Received>) {
    let (tell, told) = channel();
    let scp = Scp::bind("127.0.0.1:0", options).unwrap();
    let serving = scp.serve(move |what| tell.send(what).unwrap()).unwrap();
    (serving, told)
}

fn options(dir: &Path) -> ScpOptions {
    ScpOptions::new("PLANNER", dir)
}

#[test]
fn a_pushed_series_is_on_the_disk_and_is_the_same_volume() {
    let dir = folder("push");
    let (serving, told) = serve(options(&dir));
    let volume = oblique();
    let pushed = push(serving.address(), "SCANNER", "PLANNER", &files(&volume)).unwrap();
    assert_eq!(pushed.stored, 4);
    for _ in 0..4 {
        let Received::Instance { from, series, path, .. } = told.recv().unwrap() else { panic!() };
        assert_eq!((from.as_str(), series.as_str()), ("SCANNER", volume.series.as_str()));
        assert!(path.is_file());
    }
    let ended = told.recv().unwrap();
    let from = "SCANNER".to_owned();
    assert_eq!(ended, Received::Ended { from, stored: 4, refused: 0, released: true });
    let back = assemble(read_series(&dir, None).unwrap().slices).unwrap().volume;
    assert_eq!(back.hu, volume.hu);
    let parts = std::fs::read_dir(dir.join(volume.series.as_str())).unwrap();
    assert_eq!(parts.count(), 4, "no part file is left");

    // The same again is a success without a second copy; the same UID with other pixels is not.
    assert_eq!(push(serving.address(), "SCANNER", "PLANNER", &files(&volume)).unwrap().stored, 4);
    let mut other = volume;
    other.hu[0] += 1;
    let refused = push(serving.address(), "SCANNER", "PLANNER", &files(&other)).unwrap_err();
    assert!(matches!(refused, PushError::Status { status: 0x0111, stored: 0, .. }), "{refused}");
    serving.stop();
}

#[test]
fn an_echo_is_answered_and_a_wrong_title_is_not() {
    let dir = folder("echo");
    let known = ScpOptions { callers: Some(vec!["SCANNER".into()]), ..options(&dir) };
    let (serving, _told) = serve(known);
    echo(serving.address(), "SCANNER", "PLANNER").unwrap();
    for (calling, called) in [("SCANNER", "OTHER"), ("STRANGER", "PLANNER")] {
        let refused = echo(serving.address(), calling, called).unwrap_err();
        assert!(matches!(refused, PushError::Association { .. }), "{refused}");
    }
    let long = echo(serving.address(), "A TITLE OF MORE THAN 16", "PLANNER").unwrap_err();
    assert!(matches!(long, PushError::Title));
    serving.stop();
}

#[test]
fn trap_08_an_object_without_class_is_never_sent() {
    let dir = folder("no-class");
    let (serving, told) = serve(options(&dir));
    let mut all = files(&oblique());
    all[2].bytes = changed(&all[2].bytes, |object| put(object, tags::SOP_CLASS_UID, VR::UI, ""));
    let refused = push(serving.address(), "SCANNER", "PLANNER", &all).unwrap_err();
    assert!(matches!(refused, PushError::File { why: Refused::EmptySopClass, .. }), "{refused}");
    serving.stop();
    assert!(told.try_recv().is_err(), "nobody was called");
}

#[test]
fn another_class_is_not_taken() {
    let dir = folder("other-class");
    let (serving, _told) = serve(options(&dir));
    let bytes = changed(&files(&oblique())[0].bytes, |object| {
        put(object, tags::SOP_CLASS_UID, VR::UI, uids::MR_IMAGE_STORAGE);
    });
    let mr = [File { name: "mr".into(), bytes }];
    assert!(push(serving.address(), "SCANNER", "PLANNER", &mr).is_err());
    serving.stop();
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
}

/// A peer that says what it likes.
struct Peer(ClientAssociation<TcpStream>);

impl Peer {
    fn connect(serving: &Serving) -> Self {
        let wanted = ClientAssociationOptions::new()
            .calling_ae_title("PEER")
            .called_ae_title("PLANNER")
            .with_presentation_context(
                uids::CT_IMAGE_STORAGE,
                vec![uids::EXPLICIT_VR_LITTLE_ENDIAN],
            );
        Self(wanted.establish(serving.address()).unwrap())
    }

    fn send(&mut self, kind: PDataValueType, data: Vec<u8>, is_last: bool) {
        let value = PDataValue { presentation_context_id: 1, value_type: kind, is_last, data };
        self.0.send(&Pdu::PData { data: vec![value] }).unwrap();
    }

    /// C-STORE of `data` under `class` and `instance`; the status of the answer.
    fn store(&mut self, class: &str, instance: &str, data: &[u8]) -> u16 {
        let us = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
        let ui = |tag: Tag, uid: &str| DataElement::new(tag, VR::UI, PrimitiveValue::from(uid));
        let command = InMemDicomObject::command_from_element_iter([
            ui(tags::AFFECTED_SOP_CLASS_UID, class),
            us(tags::COMMAND_FIELD, 1),
            us(tags::MESSAGE_ID, 9),
            us(tags::PRIORITY, 0),
            us(tags::COMMAND_DATA_SET_TYPE, 1),
            ui(tags::AFFECTED_SOP_INSTANCE_UID, instance),
        ]);
        let mut bytes = Vec::new();
        command.write_dataset_with_ts(&mut bytes, &IMPLICIT_VR_LITTLE_ENDIAN.erased()).unwrap();
        self.send(PDataValueType::Command, bytes, true);
        self.send(PDataValueType::Data, data.to_vec(), true);
        let Pdu::PData { data } = self.0.receive().unwrap() else { panic!() };
        let implicit = IMPLICIT_VR_LITTLE_ENDIAN.erased();
        let answer =
            InMemDicomObject::read_dataset_with_ts(data[0].data.as_slice(), &implicit).unwrap();
        answer.element(tags::STATUS).unwrap().to_int().unwrap()
    }
}

/// The data set and the instance UID of one slice.
fn data_set(file: &File) -> (Vec<u8>, String) {
    let object = dicom_object::from_reader(file.bytes.as_slice()).unwrap();
    let mut bytes = Vec::new();
    object.write_dataset(&mut bytes).unwrap();
    (bytes, object.element(tags::SOP_INSTANCE_UID).unwrap().to_str().unwrap().into_owned())
}

#[test]
fn a_lying_peer_is_told_why_and_stores_nothing() {
    let dir = folder("lies");
    let (serving, told) = serve(options(&dir));
    let (data, instance) = data_set(&files(&oblique())[0]);
    let mut peer = Peer::connect(&serving);
    assert_eq!(peer.store("", &instance, &data), 0x0122, "empty class");
    assert_eq!(peer.store(uids::MR_IMAGE_STORAGE, &instance, &data), 0x0122, "class not agreed on");
    let ct = uids::CT_IMAGE_STORAGE;
    assert_eq!(peer.store(ct, "1.2.3", &data), 0xa900, "another instance");
    assert_eq!(peer.store(ct, &instance, &data[..data.len() - 9]), 0xc000, "cut short");
    assert_eq!(peer.store(ct, "../../x", &data), 0xa900, "no UID");
    assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
    assert_eq!(peer.store(ct, &instance, &data), 0x0000);
    drop(peer);
    let ended = told.iter().find(|what| matches!(what, Received::Ended { .. })).unwrap();
    let from = "PEER".to_owned();
    assert_eq!(ended, Received::Ended { from, stored: 1, refused: 5, released: false });
    serving.stop();
}

#[test]
fn an_object_above_the_limit_ends_the_association() {
    let dir = folder("large");
    let (serving, told) = serve(ScpOptions { object_limit: 500, ..options(&dir) });
    let refused = push(serving.address(), "SCANNER", "PLANNER", &files(&oblique())).unwrap_err();
    assert!(matches!(refused, PushError::Broken { stored: 0, .. }), "{refused}");
    let ended = told.recv().unwrap();
    assert!(matches!(ended, Received::Ended { stored: 0, released: false, .. }), "{ended:?}");
    serving.stop();
}

#[test]
fn rubbish_on_the_port_harms_nobody_else() {
    use std::io::Write as _;
    let dir = folder("rubbish");
    let (serving, _told) = serve(ScpOptions { association_limit: 1000, ..options(&dir) });
    let mut random = common::Random::new(3);
    for round in 0..200 {
        let mut stream = TcpStream::connect(serving.address()).unwrap();
        let mut bytes: Vec<u8> = (0..200).map(|_| random.next() as u8).collect();
        // Half of them begin like an association request of a plausible length.
        if round % 2 == 0 {
            bytes[..6].copy_from_slice(&[1, 0, 0, 0, 0, 194]);
        }
        let _ = stream.write_all(&bytes);
    }
    let pushed = push(serving.address(), "SCANNER", "PLANNER", &files(&oblique())).unwrap();
    assert_eq!(pushed.stored, 4);
    serving.stop();
}
