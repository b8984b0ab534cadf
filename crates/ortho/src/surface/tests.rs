use super::*;
use std::collections::BTreeMap;
use telehand_vocab::Vec3;

const CENTRE: Vec3 = Vec3::new(0.02, -0.31, 0.18);
const MM: f64 = 1e-3;

fn grid(size: [usize; 3], mirrored: bool) -> Grid {
    let up = if mirrored { -1.0 } else { 1.0 };
    let axes = [Vec3::new(0.8, 0.6, 0.0), Vec3::new(-0.6, 0.8, 0.0), Vec3::new(0.0, 0.0, up)];
    let spacing = [0.5 * MM, 0.6 * MM, 0.8 * MM];
    let mut grid = Grid { size, origin: Vec3::ZERO, axes, spacing };
    grid.origin = CENTRE - grid.centre();
    grid
}

fn ball(radius_mm: f64, mirrored: bool) -> Field {
    Field::from_fn(grid([60, 50, 40], mirrored), |p| (p - CENTRE).norm() - radius_mm * MM)
}

/// Every edge belongs to two triangles, which run along it in opposite ways.
fn assert_closed(mesh: &Mesh) {
    let mut edges: BTreeMap<(u32, u32), (u32, u32)> = BTreeMap::new();
    for [a, b, c] in &mesh.triangles {
        for (from, to) in [(a, b), (b, c), (c, a)] {
            assert_ne!(from, to);
            let (forth, back) = edges.entry((*from.min(to), *from.max(to))).or_default();
            *if from < to { forth } else { back } += 1;
        }
    }
    assert!(edges.values().all(|&uses| uses == (1, 1)));
}

#[test]
fn a_sphere_has_the_volume_and_the_area_of_a_sphere() {
    for mirrored in [false, true] {
        let radius = 12.0 * MM;
        let mesh = of_field(&ball(12.0, mirrored), 1);
        assert_closed(&mesh);
        let volume = mesh.volume() / (4.0 / 3.0 * core::f64::consts::PI * radius * radius * radius);
        let area = mesh.area() / (4.0 * core::f64::consts::PI * radius * radius);
        assert!((volume - 1.0).abs() < 2e-3 && (area - 1.0).abs() < 4e-3, "{volume} {area}");
        for vertex in &mesh.vertices {
            let [x, y, z] = vertex.map(f64::from);
            let off = (Vec3::new(x, y, z) - CENTRE).norm() - radius;
            assert!(off.abs() < 0.03 * MM, "{off}");
        }
    }
}

#[test]
fn every_second_voxel_gives_a_lighter_mesh_of_the_same_sphere() {
    let field = ball(12.0, false);
    let (fine, light) = (of_field(&field, 1), of_field(&field, 2));
    assert_closed(&light);
    assert!(light.triangles.len() * 3 < fine.triangles.len());
    assert!((light.volume() / fine.volume() - 1.0).abs() < 0.01);
}

#[test]
fn noise_makes_no_hole_and_no_edge_of_four() {
    let grid = grid([14, 15, 13], false);
    let mut random = 88_172_645_463_325_252_u64;
    let hu = (0..grid.len()).map(|_| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % 2000) as i16 - 1000
    });
    let volume = Volume { series: crate::SeriesUid::new("1").unwrap(), grid, hu: hu.collect() };
    let mesh = of_volume(&volume, 0.0, 1);
    assert!(mesh.triangles.len() > 10_000);
    assert_closed(&mesh);
    assert_closed(&of_volume(&volume, 900.0, 1));
}

#[test]
fn what_reaches_the_border_is_closed_half_a_voxel_outside() {
    let grid = grid([5, 4, 3], false);
    let field = Field::from_fn(grid, |_| -1.0);
    let mesh = of_field(&field, 1);
    assert_closed(&mesh);
    // a box without its edges and corners, which the tetrahedra cut off
    let whole = 60.0 * 0.5 * 0.6 * 0.8 * MM * MM * MM;
    assert!((0.8..1.0).contains(&(mesh.volume() / whole)), "{}", mesh.volume() / whole);
    assert_eq!(of_field(&Field::from_fn(grid, |_| 1.0), 1), Mesh::default());
}

#[test]
fn a_triangle_that_names_no_vertex_has_no_corners() {
    let mesh = Mesh { vertices: vec![[0.0; 3]], triangles: vec![[0, 0, 1]] };
    assert_eq!(mesh.corners([0, 0, 1]), None);
    assert_eq!((mesh.volume(), mesh.area()), (0.0, 0.0));
}
