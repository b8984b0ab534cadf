use super::*;
use crate::distance::Field;
use crate::grade::Grade;
use crate::volume::Grid;

/// Two round tubes of 9 mm through the isthmuses of [`vertebra`], from 25 mm behind to 25 mm in
/// front, closed in front by a wall, with a rod of bone 9 mm beside the left one.
struct Tubes;

impl Distance for Tubes {
    fn at(&self, p: Vec3) -> Option<f64> {
        let tube = |x: f64, half: f64| {
            let (u, v) = (p.x - x, p.z);
            libm::sqrt(u * u + v * v) - half
        };
        let ends = (p.y - 20.0 * MM).abs() - 25.0 * MM;
        let tubes = tube(16.0 * MM, 4.5 * MM).min(tube(-16.0 * MM, 4.5 * MM)).max(ends);
        Some(tubes.min(tube(29.0 * MM, 4.0 * MM)))
    }

    fn uncertainty(&self) -> f64 {
        0.25 * MM
    }
}

fn straight(x: f64, z: f64, diameter: f64) -> Screw {
    let id = "L3L".parse().unwrap();
    let entry = mm(16.0 + x, 44.0, z);
    Screw { id, entry, tip: entry + mm(0.0, -40.0, 0.0), diameter: diameter * MM }
}

/// The pedicle's own axis is that of the tube here.
fn tubed() -> Vertebra {
    let mut vertebra = vertebra(Level::L3, 0.0);
    let axis = mm(0.0, -1.0, 0.0) * 1e3;
    vertebra.left_pedicle.axis = axis;
    vertebra.right_pedicle.axis = axis;
    vertebra
}

#[test]
fn the_margin_is_that_of_the_formula_inside_and_outside() {
    // 6.5 mm in 9 mm; beyond 1 mm outside the rod beside is nearer than the pedicle
    for offset in [0.0, 0.5, 1.25, 2.0, 3.0, 4.5, 8.0] {
        let found = margin(&straight(offset, 0.0, 6.5), &tubed(), &Tubes).unwrap();
        let truth = (4.5 - offset - 3.25) * MM;
        assert!((found.metres - truth).abs() < 0.02 * MM, "{offset}: {}", found.metres / MM);
        assert_eq!(found.uncertainty, 0.25 * MM);
        let grade = match offset {
            ..=1.25 => Grade::A,
            ..=3.0 => Grade::B,
            ..=4.5 => Grade::C,
            _ => Grade::E,
        };
        assert_eq!(found.grade(), grade, "{offset}");
        if offset > 0.0 {
            assert_eq!(found.toward, Toward::Lateral, "{offset}");
            assert!(found.outward.x > 0.99 && found.at.x > 19.0 * MM);
        }
        let tip = found.tip_to_cortex;
        if offset < 4.0 {
            assert!((tip.unwrap() - 9.0 * MM).abs() < 0.01 * MM, "{tip:?}");
        }
    }
}

#[test]
fn the_worst_wall_is_named() {
    for (x, z, toward) in [
        (1.0, 0.2, Toward::Lateral),
        (-1.0, 0.2, Toward::Medial),
        (0.2, 1.0, Toward::Superior),
        (0.2, -1.0, Toward::Inferior),
    ] {
        let left = straight(x, z, 5.0);
        assert_eq!(margin(&left, &tubed(), &Tubes).unwrap().toward, toward);
        let flip = |p: Vec3| Vec3::new(-p.x, p.y, p.z);
        let right = Screw {
            id: "L3R".parse().unwrap(),
            entry: flip(left.entry),
            tip: flip(left.tip),
            ..left
        };
        assert_eq!(margin(&right, &tubed(), &Tubes).unwrap().toward, toward, "mirrored");
    }
}

#[test]
fn colours_follow_margin_and_uncertainty() {
    let colour = |x: f64| margin(&straight(x, 0.0, 6.5), &tubed(), &Tubes).unwrap().colour;
    assert_eq!(colour(0.2), Colour::Green, "1.05 mm of the 1 mm that a lumbar screw keeps");
    assert_eq!(colour(0.3), Colour::Amber);
    assert_eq!(colour(1.2), Colour::Amber, "0.05 mm inside");
    assert_eq!(colour(1.3), Colour::Red);
    assert!(required_margin(Level::T12) < required_margin(Level::L1));
}

#[test]
fn a_tip_through_the_front_wall_has_a_negative_rest() {
    let deep = Screw { tip: mm(16.0, -8.0, 0.0), ..straight(0.0, 0.0, 6.5) };
    let found = margin(&deep, &tubed(), &Tubes).unwrap();
    assert!((found.tip_to_cortex.unwrap() + 3.0 * MM).abs() < 0.01 * MM);
}

#[test]
fn no_margin_is_made_up() {
    let v = tubed();
    let along = straight(0.0, 0.0, 6.5);
    let across = Screw { tip: along.entry + mm(40.0, 0.0, 0.0), ..along };
    assert_eq!(margin(&across, &v, &Tubes), Err(NoMargin::Across));
    let backwards = Screw { entry: along.tip, tip: along.entry, ..along };
    assert_eq!(margin(&backwards, &v, &Tubes), Err(NoMargin::Across));
    let short = Screw { tip: along.entry + mm(0.0, -10.0, 0.0), ..along };
    assert_eq!(margin(&short, &v, &Tubes), Err(NoMargin::Short));
    let none = Screw { tip: along.entry, ..along };
    assert_eq!(margin(&none, &v, &Tubes), Err(NoMargin::Across));
    let grid = Grid {
        size: [4, 4, 4],
        origin: Vec3::ZERO,
        axes: [mm(1e3, 0.0, 0.0), mm(0.0, 1e3, 0.0), mm(0.0, 0.0, 1e3)],
        spacing: [MM; 3],
    };
    let elsewhere = Field::from_fn(grid, |_| -1.0);
    assert_eq!(margin(&along, &v, &elsewhere), Err(NoMargin::Unknown));
}

#[test]
fn a_field_of_half_millimetre_voxels_errs_by_less_than_0_15_mm() {
    let grid = Grid {
        size: [60, 120, 60],
        origin: mm(1.0, -8.0, -15.0),
        axes: [mm(1e3, 0.0, 0.0), mm(0.0, 1e3, 0.0), mm(0.0, 0.0, 1e3)],
        spacing: [0.5 * MM; 3],
    };
    let field = Field::from_fn(grid, |p| Tubes.at(p).unwrap());
    for offset in [0.0, 0.5, 1.25, 2.0, 3.0] {
        let found = margin(&straight(offset, 0.3, 6.5), &tubed(), &field).unwrap();
        let truth = (4.5 - 3.25) * MM - libm::hypot(offset, 0.3) * MM;
        assert!((found.metres - truth).abs() < 0.15 * MM, "{offset}: {}", found.metres / MM);
    }
}
