#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first fault")]

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Shape {
    Empty,
    One(u32),
    Two(i64, String),
    Named { zulu: Option<bool>, a: Vec<f64>, map: BTreeMap<String, u8> },
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
}

fn named() -> Shape {
    Shape::Named {
        zulu: Some(true),
        a: vec![0.0, 1.5, 1e300, 3.4e38, -0.0],
        map: [("bb".into(), 1), ("a".into(), 24), ("ccc".into(), 255)].into(),
    }
}

#[test]
fn every_shape_comes_back_and_its_form_is_canonical() {
    for shape in [Shape::Empty, Shape::One(70_000), Shape::Two(i64::MIN, "腰椎".into()), named()]
    {
        let bytes = to_vec(&shape).unwrap();
        assert_eq!(canonical(&bytes).unwrap(), bytes);
        assert_eq!(from_slice::<Shape>(&bytes).unwrap(), shape);
        assert_eq!(from_own::<Shape>(&bytes).unwrap(), shape);
    }
}

#[test]
fn maps_are_in_the_bytewise_order_of_their_keys() {
    // RFC 8949, section 4.2.1: 10, 100, -1, "z", "aa", [100], [-1], false
    let bytes = hex("a80a01186402200361 7a0462616105811864068120 07f408".replace(' ', "").as_str());
    assert_eq!(canonical(&bytes).unwrap(), bytes);
    let turned = hex("a8f408812007811864066261610561 7a0420031864020a01".replace(' ', "").as_str());
    assert_eq!(canonical(&turned).unwrap(), bytes);
}

#[test]
fn rfc_8949_appendix_a_in_shortest_form() {
    // (longer form, deterministic form)
    for (long, short) in [
        ("1800", "00"),
        ("1b0000000000000017", "17"),
        ("1900ff", "18ff"),
        ("3803", "23"),
        ("fb3ff8000000000000", "f93e00"),
        ("fa47c35000", "fa47c35000"),
        ("fb7e37e43c8800759c", "fb7e37e43c8800759c"),
        ("fa7f800000", "f97c00"),
        ("fb7ff8000000000001", "f97e00"),
        ("f98000", "f98000"),
        ("9f01ff", "8101"),
        ("bf616201616102ff", "a2616102616201"),
        ("5803010203", "43010203"),
    ] {
        assert_eq!(canonical(&hex(long)).unwrap(), hex(short), "{long}");
        if long != short {
            assert!(is_canonical(&hex(long)).is_err(), "{long}");
        }
    }
}

#[test]
fn what_the_data_model_has_not_is_refused() {
    for bad in [
        "c11a514b67b0",   // tag
        "f7",             // undefined
        "f0",             // simple value
        "f818",           // simple value in two bytes
        "5f4101ff",       // bytes in pieces
        "7f6161ff",       // text in pieces
        "61ff",           // not UTF-8
        "a2616101616102", // one key twice
        "1c",             // reserved
        "ff",             // a lone break
        "",
        "8201",
        "1b00",
        "0000",                 // two items
        "9bffffffffffffffff",   // an array that cannot be
        "5bffffffffffffffff00", // bytes that cannot be
    ] {
        assert!(canonical(&hex(bad)).is_err(), "{bad}");
        assert!(from_slice::<Shape>(&hex(bad)).is_err(), "{bad}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |n: usize| [vec![0x81; n], vec![0x00]].concat();
    assert!(canonical(&nested(MAX_DEPTH)).is_ok());
    assert_eq!(canonical(&nested(MAX_DEPTH + 1)), Err(CborError::TooDeep { at: MAX_DEPTH }));
    assert!(from_slice::<Shape>(&nested(1_000_000)).is_err());
    assert!(from_own::<Shape>(&nested(1_000_000)).is_err());
    let long = vec![0_u8; MAX_BYTES + 1];
    assert_eq!(canonical(&long), Err(CborError::TooLong { bytes: MAX_BYTES + 1 }));
    assert!(from_own::<Shape>(&long).is_err());
}

#[test]
fn no_changed_bytes_panic_or_are_read_as_two_forms_of_one_value() {
    let good = to_vec(&named()).unwrap();
    let mut seed = 1_u64;
    let mut draw = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let mut read = 0;
    for _ in 0..10_000 {
        let mut bytes = good.clone();
        for _ in 0..=draw(3) {
            let at = draw(bytes.len());
            match draw(3) {
                0 => bytes[at] = draw(256) as u8,
                1 => bytes.insert(at, draw(256) as u8),
                _ => drop(bytes.drain(at..at + draw(bytes.len() - at).min(4))),
            }
        }
        if let Ok(value) = from_slice::<Shape>(&bytes) {
            read += 1;
            assert_eq!(to_vec(&value).unwrap(), bytes);
        }
        let _ = from_own::<Shape>(&bytes);
    }
    assert!(read > 0, "some changes leave a value");
}

#[test]
fn the_texts_of_a_document_are_found_at_any_depth() {
    let bytes = to_vec(&(Shape::Two(5, "case-1".into()), [named()])).unwrap();
    let texts = texts(&bytes).unwrap();
    assert_eq!(texts, ["Two", "case-1", "Named", "a", "map", "a", "bb", "ccc", "zulu"]);
    assert_eq!(super::texts(&[0x18, 0x01]), None);
}
