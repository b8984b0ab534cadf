use super::*;
use crate::spine::phantom::Spec;
use telehand_ortho::Level;

#[test]
fn regimes_are_found_by_name() {
    assert_eq!(Regime::named("typical"), Some(Regime::TYPICAL));
    assert_eq!(Regime::named("best"), None);
}

#[test]
fn a_short_study_keeps_the_targets_of_the_good_regime() {
    let spec = Spec { vary: true, ..Spec::mean(Level::L2, Level::L4, 1) };
    let patients = Patients::one(&spec, &Regime::GOOD.protocol());
    assert_eq!(patients.screws(), 6);
    let report = run(&patients, &Regime::GOOD, 120, 1);
    println!("{report}");
    assert_eq!(report.screws, 120);
    assert!(report.target.mean_mm <= 0.76 && report.target.p95_mm <= 1.5, "{report}");
    assert_eq!(report.unreported, 0);
    let again = run(&patients, &Regime::GOOD, 120, 1);
    assert_eq!(report, again, "one seed is one study");
    let typical = run(&patients, &Regime::TYPICAL, 120, 1);
    println!("{typical}");
    assert!(typical.target.mean_mm > report.target.mean_mm && typical.target.mean_mm <= 1.5);
    assert!(typical.true_grades.a_percent() >= 95.3, "{typical}");
    assert_eq!(typical.unreported, 0);
}
