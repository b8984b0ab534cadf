//! Big-endian fields, fixed texts and poses, both ways.

use telehand_vocab::Vec3;
use telehand_vocab::space::Pose;

/// Reads fields from the front; `None` at the first that is not there.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Finite or not there.
    pub fn f32(&mut self) -> Option<f32> {
        self.array().map(f32::from_be_bytes).filter(|value| value.is_finite())
    }

    /// A text of fixed length, up to its first zero; bytes that are no UTF-8 are replaced.
    pub fn text(&mut self, count: usize) -> Option<String> {
        let bytes = self.take(count)?;
        let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
        Some(String::from_utf8_lossy(bytes.get(..end)?).into_owned())
    }

    pub fn vector(&mut self) -> Option<[f32; 3]> {
        Some([self.f32()?, self.f32()?, self.f32()?])
    }

    /// Twelve numbers, column by column, the last column in millimetres. `None` for what is no
    /// rotation within 1 %.
    pub fn pose<A, B>(&mut self) -> Option<Pose<A, B>> {
        let [c0, c1, c2, at] = [self.vector()?, self.vector()?, self.vector()?, self.vector()?];
        let wide = |v: [f32; 3]| v.map(f64::from);
        let [c0, c1, c2, at] = [c0, c1, c2, at].map(wide);
        let [a, b, c] = [c0, c1, c2].map(Vec3::from_array);
        let turned = (a.cross(b) - c).norm() < 0.01 && a.dot(b).abs() < 0.01;
        let unit = (a.norm() - 1.0).abs() < 0.01 && (b.norm() - 1.0).abs() < 0.01;
        if !(turned && unit) {
            return None;
        }
        let rows = [[a.x, b.x, c.x], [a.y, b.y, c.y], [a.z, b.z, c.z]];
        Some(Pose::from_rows(rows, at.map(|mm| mm * 1e-3)))
    }
}

/// A text of fixed length, cut at a character where it is too long, then zeros.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str, length: usize) {
    let text = cut(text, length);
    out.extend_from_slice(text.as_bytes());
    out.resize(out.len() + length - text.len(), 0);
}

/// The beginning of a text, at most so many bytes and only whole characters.
pub(super) fn cut(text: &str, most: usize) -> &str {
    (0..=most.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// The pose as twelve numbers, column by column, millimetres.
pub(super) fn put_pose<A, B>(out: &mut Vec<u8>, pose: &Pose<A, B>) {
    let [[a, b, c], [d, e, f], [g, h, i]] = pose.rotation.to_rows();
    let [x, y, z] = pose.translation.to_array().map(|m| m * 1e3);
    for value in [a, d, g, b, e, h, c, f, i, x, y, z] {
        out.extend((value as f32).to_be_bytes());
    }
}
