use super::*;
use telehand_vocab::Vec3;

fn grid(size: [usize; 3]) -> Grid {
    let axes = [Vec3::new(1.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0), Vec3::new(0.0, 0.0, 1.0)];
    Grid { size, origin: Vec3::ZERO, axes, spacing: [1e-3; 3] }
}

/// Labels of one slice, a row a line, repeated for `slices`.
fn mask(rows: &[&str], slices: usize) -> Mask {
    let grid = grid([rows[0].len(), rows.len(), slices]);
    let one = rows.iter().flat_map(|row| row.bytes().map(|b| u16::from(b - b'0')));
    let one: Vec<u16> = one.collect();
    Mask::new(grid, one.repeat(slices)).unwrap()
}

#[test]
fn labels_are_counted_picked_and_found() {
    let mask = mask(&["0012", "2200", "1111"], 2);
    assert_eq!(mask.counts().into_iter().collect::<Vec<_>>(), [(1, 10), (2, 6)]);
    assert_eq!(mask.only(&[2]).labels.iter().filter(|&&l| l == 1).count(), 6);
    assert_eq!(mask.only(&[0, 9]).counts().len(), 0);
    assert_eq!(mask.at(Vec3::new(3.4, -0.4, 1.0) * 1e-3), Some(2));
    assert_eq!(mask.at(Vec3::new(3.6, 0.0, 0.0) * 1e-3), None);
    assert_eq!(mask.at(Vec3::new(-0.6, 0.0, 0.0) * 1e-3), None);
    assert_eq!(mask.at(Vec3::new(f64::NAN, 0.0, 0.0)), None);
    assert_eq!(Mask::new(grid([2, 2, 2]), vec![0; 7]), None);
}

#[test]
fn the_largest_part_is_the_one_joined_through_faces() {
    let found = mask(&["11011", "10010", "00100", "11101"], 1).largest(1);
    // corners join nothing: 3 + 3 + 4 (the foot with its tip) + 1
    assert_eq!(found.labels, mask(&["00000", "00000", "00100", "11100"], 1).labels);
    let other = mask(&["22011", "20010"], 1);
    assert_eq!(other.largest(2).counts().get(&1), Some(&3));
    assert_eq!(other.largest(7).counts().len(), 0);
    assert_eq!(other.largest(0).counts().len(), 0);
}

/// Parts by a plain flood, against which the runs are held.
fn flood(mask: &Mask) -> Vec<usize> {
    let [ni, nj, nk] = mask.grid.size;
    let mut seen = vec![false; mask.labels.len()];
    let mut sizes = Vec::new();
    for start in 0..mask.labels.len() {
        if seen[start] || mask.labels[start] == 0 {
            continue;
        }
        let (mut stack, mut size) = (vec![start], 0);
        seen[start] = true;
        while let Some(at) = stack.pop() {
            size += 1;
            let (i, j, k) = (at % ni, at / ni % nj, at / ni / nj);
            let mut next = Vec::new();
            next.extend((i > 0).then(|| at - 1));
            next.extend((i + 1 < ni).then_some(at + 1));
            next.extend((j > 0).then(|| at - ni));
            next.extend((j + 1 < nj).then_some(at + ni));
            next.extend((k > 0).then(|| at - ni * nj));
            next.extend((k + 1 < nk).then_some(at + ni * nj));
            for to in next {
                if mask.labels[to] != 0 && !seen[to] {
                    seen[to] = true;
                    stack.push(to);
                }
            }
        }
        sizes.push(size);
    }
    sizes.sort_unstable();
    sizes
}

#[test]
fn runs_find_the_parts_that_a_flood_finds() {
    let mut random = 0xABCD_u64;
    for share in [2, 3, 4, 6] {
        for size in [[13, 9, 7], [1, 20, 20], [30, 1, 5], [9, 11, 1]] {
            let labels = (0..size.iter().product()).map(|_: usize| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                u16::from(!random.is_multiple_of(share))
            });
            let mask = Mask::new(grid(size), labels.collect()).unwrap();
            let mut parts = Parts::of(size, &mask.labels, |&l| l != 0);
            let survey = parts.survey();
            let mut sizes: Vec<_> = survey.iter().map(|p| p.voxels).filter(|&n| n > 0).collect();
            sizes.sort_unstable();
            assert_eq!(sizes, flood(&mask));
            let mut painted = 0;
            parts.each(&survey, |_, _| true, |run| painted += run.len());
            assert_eq!(painted, mask.labels.iter().filter(|&&l| l != 0).count());
        }
    }
}

#[test]
fn only_what_touches_no_border_is_enclosed() {
    let ring = mask(&["11111", "10001", "11111"], 1);
    let outside = |mask: &Mask| {
        let mut parts = Parts::of(mask.grid.size, &mask.labels, |&l| l == 0);
        parts.survey().iter().filter(|p| p.voxels > 0).map(|p| p.touches_border).collect::<Vec<_>>()
    };
    // one slice thick: every voxel is on the border
    assert_eq!(outside(&ring), [true]);
    let mut box_of_three = mask(&["11111", "10001", "11111"], 3);
    for end in [0..15, 30..45] {
        box_of_three.labels[end].fill(1);
    }
    assert_eq!(outside(&box_of_three), [false]);
    box_of_three.labels[7] = 0;
    assert_eq!(outside(&box_of_three), [true]);
}

#[test]
fn a_level_makes_a_mask() {
    let grid = grid([2, 1, 2]);
    let series = crate::SeriesUid::new("1").unwrap();
    let volume = Volume { series, grid, hu: vec![-2000, 149, 150, 900] };
    assert_eq!(Mask::at_least(&volume, 150).labels, [0, 0, 1, 1]);
}
