use super::*;
use crate::ids::{RegistrationId, SeriesUid};
use serde_json::{from_str, to_string};

fn random_plan(random: &mut Random) -> Plan {
    let mut chart = Chart::new(SeriesUid::new("1.2.840.99").unwrap(), by("Tian"));
    for level in Level::ALL {
        for side in [Side::Left, Side::Right] {
            if random.unit() < 0.6 {
                continue;
            }
            let x = random.within(0.0, 0.1) * if side == Side::Left { 1.0 } else { -1.0 };
            let entry = Vec3::new(x, random.within(-0.9, 0.9), random.within(-0.9, 0.9));
            let along = Vec3::new(
                random.within(-1.0, 1.0),
                random.within(-1.0, 1.0),
                random.within(-1.0, 1.0),
            );
            let (length, diameter) = (random.within(0.025, 0.06), random.within(0.004, 0.0085));
            let id = crate::ScrewId { level, side };
            let screw = Screw::along(id, entry, along, length, diameter).unwrap();
            let base = chart.plan().version();
            let set = chart.edit(base, Edit::Set(screw), &by("Tian"), &Anatomy::default());
            set.unwrap();
        }
    }
    chart.register(RegistrationId::of(&random.bits().to_be_bytes()), &by("Tian"));
    chart.plan().clone()
}

#[test]
fn a_plan_comes_back_from_json_to_the_last_bit() {
    let mut random = Random(3);
    for _ in 0..200 {
        let plan = random_plan(&mut random);
        let text = to_string(&plan).unwrap();
        let back: Plan = from_str(&text).unwrap();
        assert_eq!(back, plan);
        assert_eq!(back.bytes(), plan.bytes());
        assert_eq!(to_string(&back).unwrap(), text);
    }
}

#[test]
fn the_json_of_a_plan_is_in_millimetres() {
    let mut chart = Chart::new(SeriesUid::new("1.2.3").unwrap(), by("Tian"));
    let mut screw = screw("L3L", 0.0);
    screw.tip = screw.entry + mm(0.0, -45.0, 0.0);
    chart.edit(0, Edit::Set(screw), &by("Tian"), &Anatomy::default()).unwrap();
    let expected = concat!(
        r#"{"version":1,"series":"1.2.3","registration":null,"screws":[{"id":"L3L","#,
        r#""entry_mm":[20.0,30.0,0.0],"tip_mm":[20.0,-15.0,0.0],"diameter_mm":6.5}]}"#,
    );
    assert_eq!(to_string(chart.plan()).unwrap(), expected);
}

#[test]
fn the_canonical_bytes_are_those_of_form_1() {
    let mut chart = Chart::new(SeriesUid::new("1.2.3").unwrap(), by("Tian"));
    let mut screw = screw("T12R", 0.0);
    screw.tip = screw.entry + mm(0.0, -45.0, 0.0);
    chart.edit(0, Edit::Set(screw), &by("Tian"), &Anatomy::default()).unwrap();
    let mut expected = b"telehand plan 1".to_vec();
    expected.extend([0, 0, 0, 0, 0, 0, 0, 1, 5]);
    expected.extend(b"1.2.3");
    expected.extend([0, 0, 0, 0, 1, 11, 1]);
    for nanometres in [-20_000_000, 30_000_000, 0, -20_000_000, -15_000_000, 0, 6_500_000_i64] {
        expected.extend(nanometres.to_be_bytes());
    }
    assert_eq!(chart.plan().bytes(), expected);
}

#[test]
fn every_part_of_a_plan_is_in_its_hash() {
    let mut random = Random(8);
    let plan = random_plan(&mut random);
    let text = to_string(&plan).unwrap();
    let digits = plan.registration().unwrap().to_string();
    let other: [Plan; 4] = [
        text.replacen("1.2.840.99", "1.2.840.98", 1),
        text.replacen("\"version\":", "\"version\":1", 1),
        text.replacen(&digits, &RegistrationId::of(b"other").to_string(), 1),
        text.replacen("\"diameter_mm\":", "\"diameter_mm\":1", 1),
    ]
    .map(|text| from_str(&text).unwrap());
    for other in other {
        assert_ne!(other.hash(), plan.hash());
    }
}

#[test]
fn no_text_makes_the_reader_panic() {
    let mut random = Random(11);
    let plan = random_plan(&mut random);
    let text = to_string(&plan).unwrap().into_bytes();
    for _ in 0..10_000 {
        let mut bytes = text.clone();
        for _ in 0..=random.bits() % 4 {
            let at = (random.bits() % bytes.len() as u64) as usize;
            match random.bits() % 4 {
                0 => bytes[at] = random.bits() as u8,
                1 => bytes.truncate(at + 1),
                2 => bytes.insert(at, b"0123456789-.eE\"{}[],:"[(random.bits() % 20) as usize]),
                _ => {
                    bytes.remove(at);
                }
            }
            if bytes.is_empty() {
                break;
            }
        }
        if let Ok(read) = serde_json::from_slice::<Plan>(&bytes) {
            // what is read is a plan: on nanometres, each screw once
            let again: Plan = from_str(&to_string(&read).unwrap()).unwrap();
            assert_eq!(again.bytes(), read.bytes());
        }
    }
}

#[test]
fn a_plan_with_the_same_screw_twice_is_not_read() {
    let screw = r#"{"id":"L3L","entry_mm":[0,0,0],"tip_mm":[0,-45,0],"diameter_mm":6.5}"#;
    let twice =
        format!(r#"{{"version":1,"series":"1.2","registration":null,"screws":[{screw},{screw}]}}"#);
    let no = from_str::<Plan>(&twice).unwrap_err();
    assert!(no.to_string().contains("twice"), "{no}");
    assert!(from_str::<Plan>(&twice.replacen(&format!("{screw},"), "", 1)).is_ok());
}
