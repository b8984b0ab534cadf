use super::*;
use crate::ids::{PlanHash, RegistrationId, SeriesUid};

/// Signs by writing the statement itself; whoever is called Mallory has no key.
struct Keys;

impl Verify for Keys {
    fn verify(&self, _: Role, name: &str, statement: &[u8], signature: &[u8]) -> bool {
        name != "Mallory" && statement == signature
    }
}

fn signature(role: Role, name: &str, hash: PlanHash) -> Signature {
    Signature { role, name: name.into(), at_ms: 5, hash, bytes: statement(role, name, &hash) }
}

fn sign(chart: &mut Chart, role: Role, name: &str) -> Result<(), PlanRefusal> {
    let hash = chart.plan().hash();
    chart.sign(signature(role, name, hash), &Keys)
}

fn series(text: &str) -> SeriesUid {
    SeriesUid::new(text).unwrap()
}

fn set(chart: &mut Chart, screw: Screw) {
    let base = chart.plan().version();
    chart.edit(base, Edit::Set(screw), &by("Tian"), &Anatomy::default()).unwrap();
}

/// Two screws, registered, on version 3.
fn drawn() -> Chart {
    let mut chart = Chart::new(series("1.2.3"), by("Tian"));
    set(&mut chart, screw("L3L", 0.0));
    set(&mut chart, screw("L3R", 0.0));
    chart.register(RegistrationId::of(b"first"), &by("Tian"));
    chart
}

fn approved() -> Chart {
    let mut chart = drawn();
    sign(&mut chart, Role::Remote, "Tian").unwrap();
    sign(&mut chart, Role::Local, "Li").unwrap();
    assert!(chart.approved().is_ok());
    chart
}

#[test]
fn o_001_every_change_voids_both_approvals() {
    type Doing<'a> = (&'a str, &'a dyn Fn(&mut Chart));
    let moved = Screw { tip: screw("L3L", 0.0).tip + mm(0.0, 0.0, 0.001), ..screw("L3L", 0.0) };
    let changes: [Doing<'_>; 8] = [
        ("set", &|c| set(c, screw("L4L", 35.0))),
        ("a micrometre", &|c| set(c, moved)),
        ("set the same", &|c| set(c, screw("L3L", 0.0))),
        ("remove", &|c| {
            let (version, id) = (c.plan().version(), "L3R".parse().unwrap());
            c.edit(version, Edit::Remove(id), &by("Tian"), &Anatomy::default()).unwrap();
        }),
        ("undo", &|c| {
            c.undo(c.plan().version(), &by("Tian")).unwrap();
        }),
        ("register", &|c| {
            c.register(RegistrationId::of(b"second"), &by("Tian"));
        }),
        ("void the registration", &|c| {
            c.unregister(&by("Tian"));
        }),
        ("scan again", &|c| {
            c.rescan(series("1.2.4"), &by("Tian"));
        }),
    ];
    for (what, change) in changes {
        let mut chart = approved();
        let hash = chart.plan().hash();
        change(&mut chart);
        assert_ne!(chart.plan().hash(), hash, "{what}");
        assert_eq!(chart.signature(Role::Remote), None, "{what}");
        assert_eq!(chart.signature(Role::Local), None, "{what}");
        let no = chart.approved().unwrap_err();
        assert_eq!(no.id(), "O-002", "{what}: {no}");
    }
}

#[test]
fn o_001_a_signature_for_an_older_version_counts_for_nothing() {
    let mut chart = drawn();
    let old = signature(Role::Remote, "Tian", chart.plan().hash());
    let version = chart.plan().version();
    set(&mut chart, screw("L4L", 35.0));
    chart.undo(chart.plan().version(), &by("Tian")).unwrap();
    // the same screws again, and still another version than the one that was signed
    let same = chart.history()[version as usize].plan.screws().clone();
    assert_eq!(*chart.plan().screws(), same);
    let no = chart.sign(old, &Keys).unwrap_err();
    assert_eq!(no.id(), "O-001", "{no}");
    assert!(chart.signature(Role::Remote).is_none());
}

#[test]
fn o_002_two_people_sign_the_same_hash_in_two_roles() {
    let mut chart = drawn();
    assert!(chart.approved().is_err());
    sign(&mut chart, Role::Remote, "Tian").unwrap();
    let no = chart.approved().unwrap_err();
    assert!(no.to_string().contains("1 of 2"), "{no}");
    let no = sign(&mut chart, Role::Local, "Tian").unwrap_err();
    assert_eq!(no, PlanRefusal::OnePerson { name: "Tian".into() });
    let no = sign(&mut chart, Role::Local, "Mallory").unwrap_err();
    assert_eq!(no, PlanRefusal::Forged { name: "Mallory".into() });
    sign(&mut chart, Role::Local, "Li").unwrap();
    let approved = chart.approved().unwrap();
    assert_eq!(approved.hash, chart.plan().hash());
    assert_eq!((approved.remote.name.as_str(), approved.local.name.as_str()), ("Tian", "Li"));
}

#[test]
fn o_002_a_yes_in_one_role_is_none_in_the_other() {
    let mut chart = drawn();
    let hash = chart.plan().hash();
    let local = signature(Role::Local, "Li", hash);
    for stolen in [
        Signature { role: Role::Remote, ..local.clone() },
        Signature { name: "Wang".into(), ..local.clone() },
    ] {
        let no = chart.sign(stolen, &Keys).unwrap_err();
        assert!(matches!(no, PlanRefusal::Forged { .. }), "{no}");
    }
    chart.sign(local, &Keys).unwrap();
}

#[test]
fn o_002_there_must_be_something_to_sign() {
    let mut chart = Chart::new(series("1.2.3"), by("Tian"));
    assert_eq!(
        sign(&mut chart, Role::Remote, "Tian"),
        Err(PlanRefusal::NotReady { missing: "screw" })
    );
    set(&mut chart, screw("L3L", 0.0));
    assert_eq!(
        sign(&mut chart, Role::Remote, "Tian"),
        Err(PlanRefusal::NotReady { missing: "registration" })
    );
}

#[test]
fn an_edit_of_an_older_version_is_refused_by_name() {
    let mut chart = drawn();
    let before = chart.clone();
    let edit = Edit::Set(screw("L4L", 35.0));
    let no = chart.edit(1, edit, &by("Tian"), &Anatomy::default()).unwrap_err();
    assert_eq!(no, PlanRefusal::Stale { base: 1, version: 3 });
    assert_eq!(chart, before);
}

#[test]
fn only_the_writer_edits_until_the_pen_is_given_away() {
    let mut chart = approved();
    let edit = Edit::Remove("L3L".parse().unwrap());
    let no = chart.edit(3, edit, &by("Li"), &Anatomy::default()).unwrap_err();
    assert!(matches!(no, PlanRefusal::NotTheWriter { .. }), "{no}");
    assert!(chart.hand_over(&by("Li"), "Li").is_err());
    chart.hand_over(&by("Tian"), "Li").unwrap();
    assert!(chart.approved().is_ok(), "the plan is the same");
    assert!(chart.edit(3, edit, &by("Tian"), &Anatomy::default()).is_err());
    chart.edit(3, edit, &by("Li"), &Anatomy::default()).unwrap();
    assert_eq!(chart.history().last().unwrap().by.name, "Li");
}

#[test]
fn undo_goes_back_step_by_step_and_restore_forth() {
    let mut chart = Chart::new(series("1.2.3"), by("Tian"));
    for id in ["L3L", "L3R"] {
        set(&mut chart, screw(id, 0.0));
    }
    chart.register(RegistrationId::of(b"first"), &by("Tian"));
    let count = |chart: &Chart| chart.plan().screws().len();
    chart.undo(3, &by("Tian")).unwrap();
    assert_eq!(count(&chart), 1);
    assert!(chart.plan().registration().is_some(), "an undo is about screws");
    chart.undo(4, &by("Tian")).unwrap();
    assert_eq!(count(&chart), 0);
    assert!(chart.undo(5, &by("Tian")).is_err(), "nothing is left to undo");
    chart.restore(5, 2, &by("Tian")).unwrap();
    assert_eq!(count(&chart), 2);
    assert_eq!(chart.plan().version(), 6);
    let told: Vec<_> = chart.history().iter().map(|v| v.what.to_string()).collect();
    let expected =
        ["began", "L3L set", "L3R set", "registered", "back to version 1", "back to version 0"];
    assert_eq!(told[..6], expected);
}

#[test]
fn trap_15_a_new_scan_takes_registration_and_screws_with_it() {
    let mut chart = drawn();
    chart.rescan(series("1.2.4"), &by("Tian"));
    assert!(chart.plan().registration().is_none());
    assert!(chart.plan().screws().is_empty());
    let no = chart.restore(4, 3, &by("Tian")).unwrap_err();
    assert_eq!(no, PlanRefusal::NoVersion { version: 3 });
    assert!(chart.undo(4, &by("Tian")).is_err());
    // the same series again is no new scan
    chart.rescan(series("1.2.4"), &by("Tian"));
    assert_eq!(chart.plan().version(), 4);
}

#[test]
fn a_screw_takes_a_size_of_the_library_or_is_refused() {
    let mut chart = Chart::new(series("1.2.3"), by("Tian"));
    let drawn = screw("L3L", 0.0);
    set(&mut chart, Screw { diameter: 6.4 * MM, ..drawn });
    let kept = chart.plan().screws()[&drawn.id];
    assert!((kept.diameter - 6.5 * MM).abs() < 1e-12);
    assert!((kept.length() - 45.0 * MM).abs() < 2e-9, "44.7 mm became 45 mm");
    assert!((kept.entry - drawn.entry).norm() < 1e-12);
    let nan = Vec3::new(f64::NAN, 0.0, 0.0);
    let far = Vec3::new(20.0, 0.0, 0.0);
    for wrong in [
        Screw { diameter: 9.0 * MM, ..drawn },
        Screw { diameter: 3.0 * MM, ..drawn },
        Screw { diameter: -6.5 * MM, ..drawn },
        Screw { diameter: f64::INFINITY, ..drawn },
        Screw { tip: drawn.entry, ..drawn },
        Screw { tip: drawn.entry + mm(0.0, -80.0, 0.0), ..drawn },
        Screw { tip: nan, ..drawn },
        Screw { entry: far, tip: far + mm(0.0, -45.0, 0.0), ..drawn },
    ] {
        let no = chart.edit(1, Edit::Set(wrong), &by("Tian"), &Anatomy::default()).unwrap_err();
        assert_eq!(no.id(), "plan-size", "{no}");
    }
    assert_eq!(chart.plan().version(), 1);
}

#[test]
fn a_saved_chart_goes_on_where_it_was() {
    let chart = approved();
    let text = serde_json::to_string(&chart.saved()).unwrap();
    let read: Saved = serde_json::from_str(&text).unwrap();
    assert_eq!(Chart::resume(read, &Keys).unwrap(), chart);
    // a signature that somebody wrote into the file is none
    let forged = text.replace("\"Li\"", "\"Mallory\"");
    let read: Saved = serde_json::from_str(&forged).unwrap();
    assert!(matches!(Chart::resume(read, &Keys), Err(PlanRefusal::Forged { .. })));
    // nor is one for a screw that was moved in the file
    let moved = text.replace("6.5", "7.0");
    let read: Saved = serde_json::from_str(&moved).unwrap();
    assert!(matches!(Chart::resume(read, &Keys), Err(PlanRefusal::OtherHash { .. })));
    let gap = text.replacen("\"version\":1", "\"version\":2", 1);
    let read: Saved = serde_json::from_str(&gap).unwrap();
    assert!(matches!(Chart::resume(read, &Keys), Err(PlanRefusal::Damaged { .. })));
}

#[test]
fn trap_19_entry_tip_and_angle_are_compared_apart() {
    let mut chart = drawn();
    let old = chart.plan().clone();
    let moved = screw("L3L", 0.0);
    // turned about its middle: the mean of both ends does not move at all
    let half = mm(1.5, 0.0, 0.0);
    set(&mut chart, Screw { entry: moved.entry + half, tip: moved.tip - half, ..moved });
    set(&mut chart, screw("L4R", 35.0));
    let version = chart.plan().version();
    let remove = Edit::Remove("L3R".parse().unwrap());
    chart.edit(version, remove, &by("Tian"), &Anatomy::default()).unwrap();
    let found = compare(&old, chart.plan());
    let names: Vec<_> = found.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(names, ["L3L", "L3R", "L4R"]);
    assert_eq!((found[1].1, found[2].1), (Difference::Removed, Difference::Added));
    let Difference::Moved(moved) = found[0].1 else { panic!("{:?}", found[0]) };
    assert!((moved.entry - 1.5 * MM).abs() < 1e-8);
    assert!(moved.tip > 1.0 * MM && moved.angle.to_degrees() > 3.0, "{moved:?}");
    assert_eq!(compare(&old, &old), []);
}
