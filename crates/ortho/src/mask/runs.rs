//! Connected parts, found row by row: a row is a few runs, and only runs are joined.

/// A run of voxels of one kind in one row: first and first beyond, flat.
#[derive(Debug, Clone, Copy)]
struct Run {
    from: usize,
    to: usize,
}

/// The parts of what is set, joined through faces (6 neighbours).
pub(crate) struct Parts {
    runs: Vec<Run>,
    parent: Vec<u32>,
    touches_border: Vec<bool>,
}

impl Parts {
    /// The parts of the voxels for which `set` holds, of a grid of `size`.
    pub(crate) fn of<T>(size: [usize; 3], voxels: &[T], set: impl Fn(&T) -> bool) -> Self {
        let [ni, nj, nk] = size;
        let mut parts = Self { runs: Vec::new(), parent: Vec::new(), touches_border: Vec::new() };
        // where the runs of each row begin
        let mut rows = vec![0_usize];
        for (number, row) in voxels.chunks_exact(ni.max(1)).enumerate() {
            let (j, k) = (number % nj, number / nj);
            let rim = j == 0 || j + 1 == nj || k == 0 || k + 1 == nk;
            parts.row(number * ni, row, rim, &set);
            let here = rows.last().copied().unwrap_or(0)..parts.runs.len();
            if j > 0 {
                parts.join(&rows, number - 1, ni, here.clone());
            }
            if k > 0 {
                parts.join(&rows, number - nj, ni * nj, here);
            }
            rows.push(parts.runs.len());
        }
        parts
    }

    fn row<T>(&mut self, start: usize, row: &[T], rim: bool, set: impl Fn(&T) -> bool) {
        let mut at = 0;
        while let Some(first) = row.get(at..).and_then(|r| r.iter().position(&set)) {
            let from = at + first;
            let length = row.get(from..).and_then(|r| r.iter().position(|v| !set(v)));
            let to = length.map_or(row.len(), |n| from + n);
            self.parent.push(self.runs.len() as u32);
            self.runs.push(Run { from: start + from, to: start + to });
            self.touches_border.push(rim || from == 0 || to == row.len());
            at = to;
        }
    }

    /// Joins the runs `here` with those of row `other`, which lies `stride` voxels before.
    fn join(&mut self, rows: &[usize], other: usize, stride: usize, here: core::ops::Range<usize>) {
        let (Some(&start), Some(&end)) = (rows.get(other), rows.get(other + 1)) else { return };
        let (mut a, mut b) = (start, here.start);
        while a < end && b < here.end {
            let (Some(&p), Some(&q)) = (self.runs.get(a), self.runs.get(b)) else { return };
            if p.from + stride < q.to && q.from < p.to + stride {
                self.unite(a as u32, b as u32);
            }
            if p.to + stride < q.to {
                a += 1;
            } else {
                b += 1;
            }
        }
    }

    fn root(&mut self, of: u32) -> u32 {
        let mut at = of;
        while let Some(&up) = self.parent.get(at as usize) {
            if up == at {
                break;
            }
            // every second step is cut short, so that the next search is shorter
            let over = self.parent.get(up as usize).copied().unwrap_or(up);
            if let Some(slot) = self.parent.get_mut(at as usize) {
                *slot = over;
            }
            at = over;
        }
        at
    }

    fn unite(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        let (low, high) = (a.min(b), a.max(b));
        if let Some(slot) = self.parent.get_mut(high as usize) {
            *slot = low;
        }
    }

    /// What each part is: voxels and whether it touches the border of the grid.
    pub(crate) fn survey(&mut self) -> Vec<Part> {
        let mut parts = vec![Part::default(); self.runs.len()];
        for run in 0..self.runs.len() {
            let root = self.root(run as u32) as usize;
            if let (Some(part), Some(r), Some(&border)) =
                (parts.get_mut(root), self.runs.get(run), self.touches_border.get(run))
            {
                part.voxels += r.to - r.from;
                part.touches_border |= border;
            }
        }
        parts
    }

    /// Calls `paint` with the voxels of every run whose part is `chosen`.
    pub(crate) fn each(
        &mut self,
        parts: &[Part],
        chosen: impl Fn(usize, &Part) -> bool,
        mut paint: impl FnMut(core::ops::Range<usize>),
    ) {
        for run in 0..self.runs.len() {
            let root = self.root(run as u32) as usize;
            if let (Some(part), Some(r)) = (parts.get(root), self.runs.get(run))
                && chosen(root, part)
            {
                paint(r.from..r.to);
            }
        }
    }
}

/// One connected part; all zero where a run is not the first of its part.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Part {
    pub(crate) voxels: usize,
    pub(crate) touches_border: bool,
}
