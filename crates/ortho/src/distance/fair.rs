//! One disc is moved about by noise; its neighbours know better together.

use super::surfel::{Surfel, Surfels, dot};

/// Discs that look this much the same way (cosine) belong to one wall.
const SAME_WALL: f32 = 0.7;

impl Surfels {
    /// Sets each disc, along its normal, to the mean of its neighbours in the 26 voxels around.
    ///
    /// Heights are taken over the mean of both normals, which is zero for two discs of one sphere
    /// or cylinder however small: a plain mean would shrink what is round.
    pub(super) fn fair(&mut self, size: [usize; 3]) {
        let [ni, nj, nk] = size;
        let mut faired = self.discs.clone();
        let rows = self.seeds.chunks_exact(ni.max(1)).enumerate();
        for (number, row) in rows {
            let (j, k) = (number % nj, number / nj);
            for (i, &seed) in row.iter().enumerate() {
                let Some(&disc) = self.discs.get(seed as usize) else { continue };
                let mut mean = Mean::of(disc);
                for k in k.saturating_sub(1)..(k + 2).min(nk) {
                    for j in j.saturating_sub(1)..(j + 2).min(nj) {
                        let from = (k * nj + j) * ni + i.saturating_sub(1);
                        let to = (k * nj + j) * ni + (i + 2).min(ni);
                        for &other in self.seeds.get(from..to).unwrap_or_default() {
                            if let Some(other) = self.discs.get(other as usize) {
                                mean.add(other);
                            }
                        }
                    }
                }
                if let Some(slot) = faired.get_mut(seed as usize) {
                    *slot = mean.disc();
                }
            }
        }
        self.discs = faired;
    }
}

struct Mean {
    disc: Surfel,
    count: f32,
    height: f32,
    out: [f32; 3],
}

impl Mean {
    fn of(disc: Surfel) -> Self {
        Self { disc, count: 0.0, height: 0.0, out: [0.0; 3] }
    }

    fn add(&mut self, other: &Surfel) {
        if dot(self.disc.out, other.out) < SAME_WALL {
            return;
        }
        let normals = other.out.into_iter().zip(self.disc.out);
        let ways = other.foot.into_iter().zip(self.disc.foot);
        for ((sum, (n, m)), (f, g)) in self.out.iter_mut().zip(normals).zip(ways) {
            self.height += 0.5 * (f - g) * (n + m);
            *sum += n;
        }
        self.count += 1.0;
    }

    fn disc(self) -> Surfel {
        let mut disc = self.disc;
        let length = dot(self.out, self.out).sqrt();
        if self.count > 0.0 && length > 0.0 {
            let height = self.height / self.count;
            for (foot, out) in disc.foot.iter_mut().zip(disc.out) {
                *foot += out * height;
            }
            disc.out = self.out.map(|o| o / length);
        }
        disc
    }
}
