use super::*;
use crate::ids::SeriesUid;
use crate::screw::Screw;
use crate::volume::Grid;
use telehand_vocab::Vec3;

const MM: f64 = 1e-3;

fn grid() -> Grid {
    Grid {
        size: [24, 20, 16],
        origin: Vec3::new(3.0, -20.0, 100.0) * MM,
        axes: [Vec3::new(0.8, 0.6, 0.0), Vec3::new(-0.6, 0.8, 0.0), Vec3::new(0.0, 0.0, 1.0)],
        spacing: [0.8 * MM, 0.7 * MM, 1.1 * MM],
    }
}

fn volume(grid: Grid, mut hu: impl FnMut([usize; 3]) -> i16) -> Volume {
    let [ni, nj, _] = grid.size;
    let at = |n: usize| [n % ni, n / ni % nj, n / ni / nj];
    let hu = (0..grid.len()).map(|n| hu(at(n))).collect();
    Volume { series: SeriesUid::new("1").unwrap(), grid, hu }
}

/// The same shells, stripes and missing corner as in `tests/golden/cuts.py`.
fn shells() -> Volume {
    volume(grid(), |[i, j, k]| {
        let (x, y, z) = (i as i32 - 12, j as i32 - 9, k as i32 - 7);
        let q = 9 * x * x + 16 * y * y + 25 * z * z;
        match q {
            _ if i < 3 && j < 3 => Volume::PADDING,
            ..400 => 220,
            400..900 => 900,
            _ => 40 + 10 * ((7 * i + 13 * j + 29 * k) % 11) as i16,
        }
    })
}

fn view(width: usize, height: usize, pixel_mm: f64) -> View {
    View { width, height, pixel: pixel_mm * MM }
}

fn screw() -> Screw {
    let middle = grid().centre();
    Screw {
        id: "L3R".parse().unwrap(),
        entry: middle + Vec3::new(-4.0, 6.0, -1.5) * MM,
        tip: middle + Vec3::new(1.0, -5.0, 0.5) * MM,
        diameter: 6.5 * MM,
    }
}

/// Every picture is the one that an independent program draws, to one grey level.
#[test]
fn cuts_are_the_golden_pictures() {
    let (shells, middle) = (shells(), grid().centre());
    let (right, down) = (Vec3::new(0.36, 0.48, -0.8), Vec3::new(-0.8, 0.6, 0.0));
    let off = middle + Vec3::new(0.3, -0.4, 0.2) * MM;
    let oblique = Plane::centred(middle, right, down, view(48, 48, 0.5));
    let wide = view(48, 40, 0.5);
    for (plane, golden) in [
        (Plane::axial(middle, wide), &include_bytes!("../../tests/golden/axial.pgm")[..]),
        (Plane::coronal(middle, wide), include_bytes!("../../tests/golden/coronal.pgm")),
        (Plane::sagittal(middle, wide), include_bytes!("../../tests/golden/sagittal.pgm")),
        (
            Plane::centred(off, right, down, view(64, 64, 0.37)),
            include_bytes!("../../tests/golden/oblique.pgm"),
        ),
        (oblique.with_slab(Slab::Max(3.0 * MM)), include_bytes!("../../tests/golden/highest.pgm")),
        (oblique.with_slab(Slab::Mean(2.0 * MM)), include_bytes!("../../tests/golden/mean.pgm")),
        (
            Plane::along_screw_a(&screw(), view(40, 48, 0.5)).unwrap(),
            include_bytes!("../../tests/golden/along_a.pgm"),
        ),
        (
            Plane::along_screw_b(&screw(), wide).unwrap(),
            include_bytes!("../../tests/golden/along_b.pgm"),
        ),
        (
            Plane::across_screw(&screw(), 4.0 * MM, view(40, 40, 0.4)).unwrap(),
            include_bytes!("../../tests/golden/across.pgm"),
        ),
    ] {
        let head = format!("P5\n{} {}\n255\n", plane.width, plane.height);
        let golden = golden.strip_prefix(head.as_bytes()).unwrap();
        let window_of = Window { centre: 400.0, width: 1800.0 };
        let drawn = window(&reslice(&shells, &plane), window_of);
        assert_eq!(drawn.len(), golden.len());
        let off = drawn.iter().zip(golden).filter(|(a, b)| a.abs_diff(**b) > 1).count();
        let lit = golden.iter().filter(|&&g| g > 0).count();
        assert_eq!(off, 0, "{plane:?}");
        assert!(lit * 4 > golden.len(), "a picture of nothing proves nothing");
    }
}

#[test]
fn on_its_own_grid_a_slice_comes_out_as_it_went_in() {
    let shells = shells();
    let [a, b, _] = shells.grid.axes;
    let even = Grid { spacing: [0.8 * MM; 3], ..shells.grid };
    let shells = Volume { grid: even, ..shells };
    for k in [0, 7, 15] {
        let origin = even.point([0.0, 0.0, k as f64]);
        let slab = Slab::Thin;
        let plane =
            Plane { origin, right: a, down: b, pixel: 0.8 * MM, width: 24, height: 20, slab };
        let slice = &shells.hu[k * 480..(k + 1) * 480];
        assert_eq!(reslice(&shells, &plane), slice, "slice {k}");
    }
}

#[test]
fn between_the_voxels_a_ramp_stays_a_ramp_at_any_angle() {
    let ramp = volume(grid(), |[i, j, k]| (20 * i + 31 * j + 47 * k) as i16);
    for turn in 0..40 {
        let angle = f64::from(turn) * 0.157;
        let (s, c) = (libm::sin(angle), libm::cos(angle));
        let right = Vec3::new(c, 0.6 * s, 0.8 * s);
        let down = Vec3::new(0.0, 0.8, -0.6);
        let plane = Plane::centred(grid().centre(), right, down, view(60, 50, 0.31));
        let mut inside = 0;
        for (n, &hu) in reslice(&ramp, &plane).iter().enumerate() {
            let [i, j, k] = grid().voxel(plane.point([(n % 60) as f64, (n / 60) as f64]));
            if hu == Volume::PADDING {
                let far = [(i, 23.0), (j, 19.0), (k, 15.0)];
                assert!(far.iter().any(|&(v, last)| !(1e-3..=last - 1e-3).contains(&v)));
            } else {
                let exact = 20.0 * i + 31.0 * j + 47.0 * k;
                assert!((f64::from(hu) - exact).abs() <= 0.53, "{hu} {exact}");
                inside += 1;
            }
        }
        assert!(inside > 500, "{inside}");
    }
}

#[test]
fn outside_is_padding_and_padding_is_not_mixed_with_bone() {
    let mut bone = volume(grid(), |_| 800);
    let plane = Plane::axial(grid().centre(), view(80, 80, 0.5));
    let hole = grid().index([12, 10, 8]).unwrap();
    bone.hu[hole] = Volume::PADDING;
    for slab in [Slab::Thin, Slab::Mean(4.0 * MM), Slab::Max(4.0 * MM), Slab::Mean(f64::NAN)] {
        let cut = reslice(&bone, &plane.with_slab(slab));
        assert!(cut.iter().all(|&hu| hu == 800 || hu == Volume::PADDING), "{slab:?}");
        assert_eq!(cut.first(), Some(&Volume::PADDING));
        assert!(cut.contains(&800));
    }
    for away in [1.0, -1.0, 1e12, f64::NAN, f64::INFINITY] {
        let plane = Plane { origin: plane.origin + Vec3::new(0.0, 0.0, away), ..plane };
        assert!(reslice(&bone, &plane).iter().all(|&hu| hu == Volume::PADDING));
    }
    let none = Plane { width: 0, ..plane };
    assert!(reslice(&bone, &none).is_empty());
}

#[test]
fn a_volume_of_one_slice_can_be_looked_at() {
    let grid = Grid { size: [24, 20, 1], ..grid() };
    let slice = volume(grid, |[i, j, _]| (i + 24 * j) as i16);
    let plane = Plane::axial(grid.centre(), view(3, 3, 0.01));
    let cut = reslice(&slice, &plane);
    assert!(cut.iter().all(|hu| (230..260).contains(hu)), "{cut:?}");
}

/// Where a bright voxel appears in a cut through it: column and row of the brightest pixel.
fn brightest(cut: Through, toward: Vec3) -> (usize, usize) {
    let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    let grid = Grid { size: [21; 3], axes, spacing: [MM; 3], origin: Vec3::ZERO };
    let [x, y, z] = toward.to_array().map(|v| (10.0 + v * 6.0) as usize);
    let marked = volume(grid, |at| if at == [x, y, z] { 3000 } else { 0 });
    let plane = Plane::through(cut, grid.centre(), view(21, 21, 1.0));
    let hu = reslice(&marked, &plane);
    let at = hu.iter().position(|&v| v == 3000).unwrap();
    (at % 21, at / 21)
}

#[test]
fn cuts_hang_as_a_radiologist_hangs_them() {
    let (left, front, head) =
        (Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, -1.0, 0.0), Vec3::new(0.0, 0.0, 1.0));
    assert_eq!(brightest(Through::Axial, left), (16, 10));
    assert_eq!(brightest(Through::Axial, front), (10, 4));
    assert_eq!(brightest(Through::Coronal, left), (16, 10));
    assert_eq!(brightest(Through::Coronal, head), (10, 4));
    assert_eq!(brightest(Through::Sagittal, front), (4, 10));
    assert_eq!(brightest(Through::Sagittal, head), (10, 4));
}

#[test]
fn cuts_along_a_screw_show_all_of_it_and_the_probes_eye_looks_down_on_it() {
    let screw = screw();
    let ahead = screw.direction().unwrap();
    let view = view(41, 41, 0.5);
    let a = Plane::along_screw_a(&screw, view).unwrap();
    let b = Plane::along_screw_b(&screw, view).unwrap();
    for plane in [a, b] {
        for point in [screw.entry, screw.tip] {
            let (_, depth) = plane.pixel_of(point);
            assert!(depth.abs() < 1e-12);
        }
    }
    let ([ex, ey], _) = a.pixel_of(screw.entry);
    let ([tx, ty], _) = a.pixel_of(screw.tip);
    assert!((ex - tx).abs() < 1e-9 && ty < ey, "the tip is up");
    let ([ex, ey], _) = b.pixel_of(screw.entry);
    let ([tx, ty], _) = b.pixel_of(screw.tip);
    assert!((ey - ty).abs() < 1e-9 && tx < ex, "the tip is on the left");
    assert!(a.right.x > 0.0 && b.down.z < 0.0 && a.away().dot(b.away()).abs() < 1e-12);
    for depth in [0.0, 5.0 * MM] {
        let eye = Plane::across_screw(&screw, depth, view).unwrap();
        let (middle, off) = eye.pixel_of(screw.entry + ahead * depth);
        assert!((middle[0] - 20.0).abs() < 1e-9 && (middle[1] - 20.0).abs() < 1e-9);
        assert!(off.abs() < 1e-12 && (eye.away() - ahead).norm() < 1e-12);
        assert!(eye.right.x < 0.0 && eye.down.z < 0.0, "from behind, head up");
    }
    let upright = Screw { tip: screw.entry + Vec3::new(0.0, 0.0, 0.03), ..screw };
    assert!(Plane::along_screw_a(&upright, view).is_some());
    let none = Screw { tip: screw.entry, ..screw };
    assert_eq!(Plane::along_screw_a(&none, view), None);
    assert_eq!(Plane::along_screw_b(&none, view), None);
    assert_eq!(Plane::across_screw(&none, 0.0, view), None);
}

#[test]
fn a_pixel_leads_to_its_point_and_back() {
    let right = Vec3::new(0.36, 0.48, -0.8);
    let plane =
        Plane::centred(grid().centre(), right, Vec3::new(-0.8, 0.6, 0.0), view(31, 20, 0.3));
    for pixel in [[0.0, 0.0], [30.0, 19.0], [4.25, -7.5]] {
        let (back, depth) = plane.pixel_of(plane.point(pixel));
        assert!((back[0] - pixel[0]).abs() < 1e-9 && (back[1] - pixel[1]).abs() < 1e-9);
        assert!(depth.abs() < 1e-12);
    }
    // trap 9: the middle pixel of an odd number shows the middle, not half a pixel beside it
    assert!((plane.point([15.0, 9.5]) - grid().centre()).norm() < 1e-12);
    let (_, behind) = plane.pixel_of(grid().centre() + plane.away() * 0.01);
    assert!((behind - 0.01).abs() < 1e-12);
}

#[test]
fn the_whole_picture_stays_still_while_the_point_moves() {
    let grid = grid();
    let [low, high] = grid.bounds();
    for cut in [Through::Axial, Through::Coronal, Through::Sagittal] {
        let first = Plane::whole(cut, &grid, grid.centre(), 120, 100);
        for corner in [low, high] {
            let ([x, y], _) = first.pixel_of(corner);
            assert!((-1e-6..=119.0 + 1e-6).contains(&x) && (-1e-6..=99.0 + 1e-6).contains(&y));
        }
        let moved = Plane::whole(cut, &grid, grid.point([3.0, 4.0, 2.0]), 120, 100);
        assert_eq!(moved.pixel.to_bits(), first.pixel.to_bits());
        assert!((moved.pixel_of(grid.point([3.0, 4.0, 2.0])).1).abs() < 1e-12);
        let shift = moved.origin - first.origin;
        assert!(shift.cross(first.away()).norm() < 1e-12 && shift.norm() > 1e-4);
    }
}

#[test]
fn a_window_is_the_linear_one_of_dicom() {
    // PS3.3 C.11.2.1.2.1, note 1: centre 2048, width 4096 leaves 12 bits as they are
    let wide = Window { centre: 2048.0, width: 4096.0 };
    assert_eq!(window(&[-1, 0, 2048, 4095, 5000], wide), [0, 0, 127, 255, 255]);
    // with centre 0 and width 100: y = 0 at -50 and below, full at 49 and above
    let narrow = Window { centre: 0.0, width: 100.0 };
    assert_eq!(window(&[-51, -50, 0, 49, 50], narrow), [0, 0, 128, 255, 255]);
    // a width of 1 is a threshold: 0 at centre - 0.5 and below, full above
    for width in [1.0, 0.0, -5.0] {
        assert_eq!(window(&[9, 10], Window { centre: 10.0, width }), [0, 255]);
    }
    assert_eq!(window(&[Volume::PADDING], Window::BONE), [0]);
}

/// Viewers that draw volumes on a graphics card show nothing where there is none, and a test machine
/// has none. Here every view is drawn by the processor: each pixel against the closed form, so that a
/// blank, shifted or mirrored picture fails.
#[test]
fn trap_25_every_view_of_a_volume_is_drawn_without_a_graphics_card() {
    let grid = Grid { size: [40, 36, 32], ..grid() };
    // CT numbers that rise evenly along three directions: exact under linear interpolation
    let [along, across, up] = grid.axes;
    let rise = |p: Vec3| {
        let d = p - grid.origin;
        (d.dot(along) * 20.0 + d.dot(across) * 11.0 + d.dot(up) * 9.0) / MM
    };
    let ramp = volume(grid, |[i, j, k]| {
        libm::round(rise(grid.point([i as f64, j as f64, k as f64]))) as i16
    });
    let middle = grid.centre();
    let (entry, tip) =
        (middle + Vec3::new(-4.0, 6.0, -1.5) * MM, middle + Vec3::new(1.0, -5.0, 0.5) * MM);
    let screw = Screw { entry, tip, ..screw() };
    let small = view(17, 13, 0.4);
    let oblique =
        Plane::centred(middle, Vec3::new(0.36, 0.48, -0.8), Vec3::new(-0.8, 0.6, 0.0), small);
    for (name, plane) in [
        ("axial", Plane::axial(middle, small)),
        ("coronal", Plane::coronal(middle, small)),
        ("sagittal", Plane::sagittal(middle, small)),
        ("oblique", oblique),
        ("mean of a slab", oblique.with_slab(Slab::Mean(2.0 * MM))),
        ("along the screw, level", Plane::along_screw_a(&screw, small).unwrap()),
        ("along the screw, upright", Plane::along_screw_b(&screw, small).unwrap()),
        ("across the screw", Plane::across_screw(&screw, 4.0 * MM, small).unwrap()),
    ] {
        let drawn = reslice(&ramp, &plane);
        assert_eq!(drawn.len(), small.width * small.height, "{name}");
        for (n, hu) in drawn.iter().enumerate() {
            let (column, row) = ((n % small.width) as f64, (n / small.width) as f64);
            let at = plane.origin + (plane.right * column + plane.down * row) * plane.pixel;
            let off = f64::from(*hu) - rise(at);
            assert!(off.abs() <= 2.0, "{name}, pixel {n}: {hu} HU, {off:+.2} off");
        }
        let grey = window(&drawn, Window { centre: rise(middle) as f32, width: 400.0 });
        let (dark, light) = (grey.iter().min().unwrap(), grey.iter().max().unwrap());
        assert!(light - dark > 20, "{name}: {dark} to {light} is hardly a picture");
    }
}
