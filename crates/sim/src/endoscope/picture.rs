//! Softens the stairs at the edges of bodies.
//!
//! Where two bodies meet, a pixel is blended with its neighbours along the edge, so that the
//! edge looks straight and its place can be measured to a fraction of a pixel. The direction of the
//! edge comes from the brightness of the four corners around the pixel, the idea of post-process
//! edge smoothing (Lottes, FXAA, 2009).

#![expect(clippy::indexing_slicing, reason = "indices stay inside the picture's border")]

/// The raw picture of one eye.
pub struct Raw<'a> {
    /// RGBA pixels.
    pub colours: &'a [u32],
    /// The body at each pixel.
    pub keys: &'a [u8],
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
}

/// Longest reach along an edge, pixels.
const REACH: f32 = 6.0;

impl Raw<'_> {
    /// Writes row `y`, softened, as RGBA bytes.
    pub fn soften_row(&self, y: usize, out: &mut [u8]) {
        let start = y * self.width;
        let row = &self.colours[start..start + self.width];
        for (bytes, colour) in out.chunks_exact_mut(4).zip(row) {
            bytes.copy_from_slice(&colour.to_le_bytes());
        }
        if y == 0 || y + 1 >= self.height {
            return;
        }
        let mut x = 1;
        while x + 1 < self.width {
            if x + 9 < self.width && self.same_around(start + x) {
                x += 8;
                continue;
            }
            let last = (x + 8).min(self.width - 1);
            for x in x..last {
                if self.edge(start + x) {
                    let soft = self.blend(x, y);
                    out[4 * x..4 * x + 4].copy_from_slice(&soft.to_le_bytes());
                }
            }
            x = last;
        }
    }

    /// Whether eight pixels and all their neighbours belong to one body.
    #[inline]
    fn same_around(&self, at: usize) -> bool {
        let eight = |at: usize| {
            let mut keys = [0; 8];
            keys.copy_from_slice(&self.keys[at..at + 8]);
            u64::from_le_bytes(keys)
        };
        let here = eight(at);
        here == eight(at - self.width)
            && here == eight(at + self.width)
            && here == eight(at - 1)
            && here == eight(at + 1)
    }

    #[inline]
    fn edge(&self, at: usize) -> bool {
        let key = self.keys[at];
        key != self.keys[at - 1]
            || key != self.keys[at + 1]
            || key != self.keys[at - self.width]
            || key != self.keys[at + self.width]
    }

    /// The colour of an edge pixel, from taps along the edge.
    fn blend(&self, x: usize, y: usize) -> u32 {
        let at = y * self.width + x;
        let bright = |at: usize| luma(self.colours[at]);
        let (nw, ne) = (bright(at - self.width - 1), bright(at - self.width + 1));
        let (sw, se) = (bright(at + self.width - 1), bright(at + self.width + 1));
        let middle = bright(at);
        let across = [sw + se - nw - ne, nw + sw - ne - se];
        let smallest = across[0].abs().min(across[1].abs());
        let calm = (nw + ne + sw + se) * 0.03 + 1.0;
        let k = 1.0 / (smallest + calm);
        let along = across.map(|d| (d * k).clamp(-REACH, REACH));
        let tap = |t: f32| self.sample(x as f32 + along[0] * t, y as f32 + along[1] * t);
        let near = mean(tap(-1.0 / 6.0), tap(1.0 / 6.0));
        let wide = mean(near, mean(tap(-0.5), tap(0.5)));
        let low = middle.min(nw).min(ne).min(sw).min(se);
        let high = middle.max(nw).max(ne).max(sw).max(se);
        let brightness = 2.0 * wide[0] + 5.0 * wide[1] + wide[2];
        let [r, g, b] = if brightness < low || brightness > high { near } else { wide }
            .map(|c| (c + 0.5) as u32);
        0xFF00_0000 | b << 16 | g << 8 | r
    }

    /// The colour between pixels; coordinates count from pixel centres.
    fn sample(&self, x: f32, y: f32) -> [f32; 3] {
        let x = x.clamp(0.0, self.width as f32 - 1.001);
        let y = y.clamp(0.0, self.height as f32 - 1.001);
        let (i, j) = (x as usize, y as usize);
        let (fx, fy) = (x - i as f32, y - j as f32);
        let at = j * self.width + i;
        let below = at + self.width;
        let [a, b, c, d] = [at, at + 1, below, below + 1].map(|k| parts(self.colours[k]));
        core::array::from_fn(|k| {
            let upper = a[k] + fx * (b[k] - a[k]);
            let lower = c[k] + fx * (d[k] - c[k]);
            upper + fy * (lower - upper)
        })
    }
}

fn parts(colour: u32) -> [f32; 3] {
    [colour & 255, (colour >> 8) & 255, (colour >> 16) & 255].map(|c| c as f32)
}

/// Eight times the brightness of a pixel.
fn luma(colour: u32) -> f32 {
    let [r, g, b] = parts(colour);
    2.0 * r + 5.0 * g + b
}

fn mean(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    core::array::from_fn(|k| 0.5 * (a[k] + b[k]))
}
