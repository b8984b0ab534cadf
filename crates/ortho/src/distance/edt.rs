//! The Euclidean distance transform, with the nearest seed of every voxel.
//!
//! Method: P. F. Felzenszwalb and D. P. Huttenlocher, "Distance Transforms of Sampled Functions",
//! Theory of Computing 8 (2012): along each axis in turn, the lower envelope of one parabola for
//! each voxel. Voxels may be longer along one axis than along another, and a seed may lie off the
//! centre of its voxel: its parabolas are shifted by as much. With seeds on the centres the result
//! is exact.
#![expect(
    clippy::indexing_slicing,
    reason = "every index of the inner loops is below a length fixed some lines above"
)]

/// No seed: what a voxel holds before it is reached, and for ever where there is no seed at all.
pub(super) const NONE: u32 = u32::MAX;
/// Squared distance to no seed. Finite: the envelope subtracts it.
const FAR: f32 = 1e30;
/// Columns that are copied out side by side: a cache line of f32.
const LANES: usize = 16;

/// Replaces [`NONE`] in `seeds` (one entry for each voxel, i fastest) by the entry of the nearest
/// voxel that has one, and gives the squared distance to that seed.
///
/// `spacing` is along i, j, k; `place` of a seed is in the same unit from the first voxel's centre,
/// at most half a voxel off the centre of its voxel.
pub(super) fn spread(
    size: [usize; 3],
    spacing: [f32; 3],
    seeds: &mut [u32],
    place: impl Fn(u32) -> [f32; 3],
) -> Vec<f32> {
    let [ni, nj, nk] = size;
    let [si, sj, sk] = spacing;
    let mut squared = vec![FAR; seeds.len()];
    if squared.is_empty() {
        return squared;
    }
    let mut left = vec![NONE; ni];
    for (seeds, squared) in seeds.chunks_exact_mut(ni).zip(squared.chunks_exact_mut(ni)) {
        along_row(&mut left, seeds, squared, si, |seed| place(seed)[0]);
    }
    let mut envelope = Envelope::new(nj, sj);
    let slices = seeds.chunks_exact_mut(ni * nj).zip(squared.chunks_exact_mut(ni * nj));
    for (seeds, squared) in slices {
        envelope.columns(ni, seeds, squared, |seed| place(seed)[1]);
    }
    // a row of i at one j is a column's cell: what is left is one "slice" of nk such rows
    Envelope::new(nk, sk).columns(ni * nj, seeds, &mut squared, |seed| place(seed)[2]);
    squared
}

/// Along i every distance is to a seed of the same row: once forth and once back.
fn along_row(
    left: &mut [u32],
    seeds: &mut [u32],
    squared: &mut [f32],
    spacing: f32,
    place: impl Fn(u32) -> f32,
) {
    let mut last = NONE;
    for (&seed, left) in seeds.iter().zip(left.iter_mut()) {
        if seed != NONE {
            last = seed;
        }
        *left = last;
    }
    let mut next = (NONE, f32::INFINITY);
    let mut before = (NONE, f32::INFINITY);
    for (i, (seed, squared)) in seeds.iter_mut().zip(squared).enumerate().rev() {
        let x = i as f32 * spacing;
        if *seed != NONE {
            next = (*seed, place(*seed));
        }
        if left[i] != before.0 {
            before = (left[i], if left[i] == NONE { f32::INFINITY } else { place(left[i]) });
        }
        let (to_next, to_before) = ((next.1 - x).abs(), (x - before.1).abs());
        let (name, d) =
            if to_before <= to_next { (before.0, to_before) } else { (next.0, to_next) };
        if name != NONE {
            *seed = name;
            *squared = d * d;
        }
    }
}

/// One parabola of the envelope.
#[derive(Clone, Copy)]
struct Parabola {
    /// Where it is lowest, in voxels.
    at: f32,
    /// From where on it is below all others, in voxels.
    from: f32,
    /// How high it is at its lowest: a squared distance.
    height: f32,
    /// The seed it belongs to.
    name: u32,
}

/// Room for the envelope of one line, and for the lines copied out.
struct Envelope {
    length: usize,
    spacing: f32,
    lowest: Vec<Parabola>,
    heights: Vec<f32>,
    names: Vec<u32>,
}

impl Envelope {
    fn new(length: usize, spacing: f32) -> Self {
        Self {
            length,
            spacing,
            lowest: vec![Parabola { at: 0.0, from: 0.0, height: FAR, name: NONE }; length],
            heights: vec![FAR; length * LANES],
            names: vec![NONE; length * LANES],
        }
    }

    /// Every column of `length` rows of `width`.
    fn columns(
        &mut self,
        width: usize,
        seeds: &mut [u32],
        squared: &mut [f32],
        place: impl Fn(u32) -> f32,
    ) {
        let n = self.length;
        for start in (0..width).step_by(LANES) {
            let lanes = LANES.min(width - start);
            for row in 0..n {
                let from = row * width + start;
                let cells = squared[from..from + lanes].iter().zip(&seeds[from..from + lanes]);
                for (lane, (&height, &name)) in cells.enumerate() {
                    self.heights[lane * n + row] = height;
                    self.names[lane * n + row] = name;
                }
            }
            for lane in 0..lanes {
                self.line(lane * n, &place);
            }
            for row in 0..n {
                let from = row * width + start;
                let squared = &mut squared[from..from + lanes];
                for (lane, (height, name)) in
                    squared.iter_mut().zip(&mut seeds[from..from + lanes]).enumerate()
                {
                    *height = self.heights[lane * n + row];
                    *name = self.names[lane * n + row];
                }
            }
        }
    }

    /// Replaces the line that begins at `start` of the copies by its lower envelope.
    fn line(&mut self, start: usize, place: impl Fn(u32) -> f32) {
        let heights = &mut self.heights[start..start + self.length];
        let names = &mut self.names[start..start + self.length];
        let lowest = &mut self.lowest[..self.length];
        let to_voxels = 1.0 / self.spacing;
        let half = 0.5 * to_voxels * to_voxels;
        let mut count = 0;
        for (&height, &name) in heights.iter().zip(names.iter()) {
            if name == NONE {
                continue;
            }
            let at = place(name) * to_voxels;
            let mut from = f32::NEG_INFINITY;
            while count > 0 {
                let v = lowest[count - 1];
                // two seeds on one border meet nowhere: the least step keeps the lower one
                let apart = (at - v.at).max(1e-6);
                let meet = (height - v.height) * half / apart + 0.5 * (at + v.at);
                if meet > v.from {
                    from = meet;
                    break;
                }
                count -= 1;
            }
            lowest[count] = Parabola { at, from, height, name };
            count += 1;
        }
        let Some((first, rest)) = lowest[..count].split_first() else { return };
        let (mut now, mut rest) = (first, rest.iter().peekable());
        let square = self.spacing * self.spacing;
        for (q, (height, name)) in heights.iter_mut().zip(names.iter_mut()).enumerate() {
            while let Some(next) = rest.next_if(|next| next.from < q as f32) {
                now = next;
            }
            let d = q as f32 - now.at;
            *height = d * d * square + now.height;
            *name = now.name;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_distance_is_the_one_a_plain_search_finds() {
        let mut random = 0x9E37_79B9_u64;
        for (size, spacing, share) in [
            ([7, 5, 6], [1.0, 1.0, 1.0], 20),
            ([19, 18, 3], [0.5, 0.7, 2.0], 40),
            ([1, 9, 33], [3.0, 0.4, 0.9], 9),
            ([20, 17, 11], [0.8, 0.8, 1.0], 900),
        ] {
            let len = size.iter().product::<usize>();
            let place = |at: usize| [at % size[0], at / size[0] % size[1], at / size[0] / size[1]];
            let mut seeds = vec![NONE; len];
            for (at, seed) in seeds.iter_mut().enumerate() {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                if random.is_multiple_of(share) {
                    *seed = at as u32;
                }
            }
            let at: Vec<usize> = (0..len).filter(|&at| seeds[at] != NONE).collect();
            let centre = |seed: u32| {
                let [i, j, k] = place(seed as usize);
                [i as f32 * spacing[0], j as f32 * spacing[1], k as f32 * spacing[2]]
            };
            let squared = spread(size, spacing, &mut seeds, centre);
            for voxel in 0..len {
                let to = |seed: usize| {
                    let (a, b) = (place(voxel), place(seed));
                    (0..3).map(|k| ((a[k] as f32 - b[k] as f32) * spacing[k]).powi(2)).sum::<f32>()
                };
                let nearest = at.iter().map(|&seed| to(seed)).fold(FAR, f32::min);
                let limit = 1e-5 * nearest + 1e-9;
                assert!((squared[voxel] - nearest).abs() <= limit, "{size:?} {voxel}");
                if let Some(seed) = at.first().map(|_| seeds[voxel] as usize) {
                    assert!((to(seed) - nearest).abs() <= limit, "{size:?} {voxel}");
                }
            }
        }
    }

    #[test]
    fn without_a_seed_everything_is_far() {
        let mut seeds = vec![NONE; 24];
        assert!(spread([4, 3, 2], [1.0; 3], &mut seeds, |_| [0.0; 3]).iter().all(|&d| d == FAR));
        assert!(seeds.iter().all(|&s| s == NONE));
        assert!(spread([0, 3, 2], [1.0; 3], &mut [], |_| [0.0; 3]).is_empty());
    }
}
