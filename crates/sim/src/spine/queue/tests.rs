//! The simulated queue against its closed form, and the script against plain sums.

use super::*;
use telehand_ortho::queue::steady;

const GATED: Days = Days {
    sites: 3,
    days: 300,
    mode: Mode::Gated,
    script: Script::Spine,
    stagger_min: 0.0,
    seed: 1,
};

#[test]
fn the_simulated_queue_agrees_with_the_closed_form_within_one_percent() {
    for sites in [2, 3, 5] {
        let theory = steady(sites, 2.0, 6.0).expect("a queue");
        let found = machine_repair(sites as usize, 2.0, 6.0, 400_000, u64::from(sites));
        let apart = (found.utilisation / theory.utilisation - 1.0).abs();
        assert!(apart < 0.01, "{sites}: {found:?} {theory:?}");
        let apart = (found.wait / theory.wait - 1.0).abs();
        assert!(apart < 0.01, "{sites}: {found:?} {theory:?}");
    }
    let alone = machine_repair(1, 2.0, 6.0, 100_000, 9);
    assert!(alone.wait.abs() < 1e-9 && (alone.utilisation - 0.25).abs() < 0.005, "{alone:?}");
}

#[test]
fn one_site_waits_for_nobody() {
    for mode in [Mode::Full, Mode::Gated, Mode::Pinned] {
        let found = spine_days(&Days { sites: 1, mode, ..GATED });
        assert!(found.wait_max_min < 1e-9 && found.switch_min <= 0.5, "{found:?}");
        assert!((2.0..2.7).contains(&found.cases_per_day), "{found:?}");
        assert!(found.unattended_per_day.abs() < 1e-12, "{found:?}");
        let sum = 35.0 + 12.0 + 9.0 + 3.0 + 65.0 + if mode == Mode::Full { 47.4 } else { 42.6 };
        assert!((found.case_min / sum - 1.0).abs() < 0.03, "{mode:?}: {found:?}");
    }
}

#[test]
fn one_to_three_gated_keeps_the_wait_under_anaesthesia_within_the_target() {
    let found = spine_days(&GATED);
    assert!(found.wait_min <= 18.0 && found.wait_p95_min <= 35.0, "{found:?}");
}

#[test]
fn more_sites_make_every_patient_wait_longer_and_gating_less_so() {
    let mut last = (0.0, 0.0);
    for sites in [1, 2, 3, 4, 6] {
        let full = spine_days(&Days { sites, mode: Mode::Full, ..GATED }).wait_min;
        let gated = spine_days(&Days { sites, ..GATED }).wait_min;
        assert!(full >= last.0 && gated >= last.1 && gated <= full, "{sites}: {full} {gated}");
        last = (full, gated);
    }
}

#[test]
fn o_008_a_pinned_surgeon_leaves_no_wire_unattended_and_no_wire_waiting() {
    let pinned = spine_days(&Days { mode: Mode::Pinned, ..GATED });
    let gated = spine_days(&GATED);
    assert!(pinned.unattended_per_day.abs() < 1e-12 && pinned.critical_p95_min.abs() < 1e-12);
    assert!(gated.unattended_per_day > 1.0 && gated.critical_p95_min > 1.0, "{gated:?}");
    // and what that costs is not hidden
    assert!(pinned.wait_min > gated.wait_min, "{pinned:?} {gated:?}");
}

#[test]
fn staggered_starts_shorten_the_wait() {
    let together = spine_days(&Days { sites: 4, ..GATED });
    let staggered = spine_days(&Days { sites: 4, stagger_min: 20.0, ..GATED });
    assert!(staggered.wait_min < together.wait_min, "{staggered:?} {together:?}");
}

#[test]
fn a_seed_repeats_its_days() {
    assert_eq!(spine_days(&GATED), spine_days(&GATED));
    assert_ne!(spine_days(&GATED), spine_days(&Days { seed: 2, ..GATED }));
}
