//! The deterministic form, made and checked on bytes.

use alloc::vec::Vec;

use half::f16;

use super::{CborError, MAX_BYTES, MAX_DEPTH};

/// The deterministic form of one well-formed CBOR item: shortest integers, lengths and floats,
/// definite lengths, map keys in bytewise order and unique.
pub fn canonical(bytes: &[u8]) -> Result<Vec<u8>, CborError> {
    if bytes.len() > MAX_BYTES {
        return Err(CborError::TooLong { bytes: bytes.len() });
    }
    let mut rewrite = Rewrite { bytes, at: 0, out: Vec::with_capacity(bytes.len()) };
    rewrite.item(0)?;
    if rewrite.at == bytes.len() {
        Ok(rewrite.out)
    } else {
        Err(CborError::NotCanonical { at: rewrite.at })
    }
}

/// Whether `bytes` are one item in its deterministic form; says where they are not.
pub fn is_canonical(bytes: &[u8]) -> Result<(), CborError> {
    let form = canonical(bytes)?;
    if form == bytes {
        return Ok(());
    }
    let at = form.iter().zip(bytes).take_while(|(a, b)| a == b).count();
    Err(CborError::NotCanonical { at })
}

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const INDEFINITE: u8 = 31;
const BREAK: u8 = 0xff;

struct Rewrite<'a> {
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
}

/// One map entry in `out`: where its key begins and ends, and where its value ends.
#[derive(Clone, Copy)]
struct Entry {
    key: usize,
    value: usize,
    end: usize,
}

impl<'a> Rewrite<'a> {
    fn item(&mut self, depth: usize) -> Result<(), CborError> {
        let start = self.at;
        let first = self.byte()?;
        let (major, info) = (first >> 5, first & 31);
        if matches!(major, ARRAY | MAP) && depth >= MAX_DEPTH {
            return Err(CborError::TooDeep { at: start });
        }
        match major {
            UNSIGNED | NEGATIVE => {
                let n = self.argument(info, start)?;
                self.head(major, n);
                Ok(())
            }
            BYTES | TEXT => self.string(major, info, start),
            ARRAY => self.array(info, start, depth),
            MAP => self.map(info, start, depth),
            TAG => Err(CborError::Unsupported { at: start, what: "tag" }),
            _ => self.simple(info, start),
        }
    }

    fn string(&mut self, major: u8, info: u8, start: usize) -> Result<(), CborError> {
        if info == INDEFINITE {
            return Err(CborError::Unsupported { at: start, what: "string in pieces" });
        }
        let length = self.argument(info, start)?;
        let taken = self.take(usize::try_from(length).unwrap_or(usize::MAX))?;
        if major == TEXT && core::str::from_utf8(taken).is_err() {
            return Err(CborError::Unsupported { at: start, what: "text that is not UTF-8" });
        }
        self.head(major, length);
        self.out.extend_from_slice(taken);
        Ok(())
    }

    fn array(&mut self, info: u8, start: usize, depth: usize) -> Result<(), CborError> {
        if info != INDEFINITE {
            let count = self.argument(info, start)?;
            self.head(ARRAY, count);
            for _ in 0..count {
                self.item(depth + 1)?;
            }
            return Ok(());
        }
        let body = self.out.len();
        let mut count = 0_u64;
        while !self.at_break()? {
            self.item(depth + 1)?;
            count += 1;
        }
        self.put_head_before(body, ARRAY, count);
        Ok(())
    }

    fn map(&mut self, info: u8, start: usize, depth: usize) -> Result<(), CborError> {
        let announced = if info == INDEFINITE { None } else { Some(self.argument(info, start)?) };
        if let Some(n) = announced {
            self.head(MAP, n);
        }
        let body = self.out.len();
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            match announced {
                Some(n) if entries.len() as u64 >= n => break,
                None if self.at_break()? => break,
                _ => {}
            }
            let key = self.out.len();
            self.item(depth + 1)?;
            let value = self.out.len();
            self.item(depth + 1)?;
            entries.push(Entry { key, value, end: self.out.len() });
        }
        self.sort(body, &mut entries, start)?;
        if announced.is_none() {
            self.put_head_before(body, MAP, entries.len() as u64);
        }
        Ok(())
    }

    /// Brings the entries from `body` on into the order of their keys' bytes.
    fn sort(&mut self, body: usize, entries: &mut [Entry], at: usize) -> Result<(), CborError> {
        let out = &self.out;
        let rank = |a: &Entry, b: &Entry| out.get(a.key..a.value).cmp(&out.get(b.key..b.value));
        if entries.is_sorted_by(|a, b| rank(a, b).is_lt()) {
            return Ok(());
        }
        entries.sort_by(rank);
        if entries.windows(2).any(|w| matches!(w, [a, b] if rank(a, b).is_eq())) {
            return Err(CborError::Unsupported { at, what: "map with one key twice" });
        }
        let mut sorted = Vec::with_capacity(out.len() - body);
        for entry in entries.iter() {
            sorted.extend_from_slice(out.get(entry.key..entry.end).unwrap_or(&[]));
        }
        self.out.truncate(body);
        self.out.extend_from_slice(&sorted);
        Ok(())
    }

    fn simple(&mut self, info: u8, start: usize) -> Result<(), CborError> {
        match info {
            20..=22 => self.out.push(0xe0 | info),
            25 => {
                let raw = self.argument(info, start)? as u16;
                self.float(f64::from(f16::from_bits(raw)));
            }
            26 => {
                let raw = self.argument(info, start)? as u32;
                self.float(f64::from(f32::from_bits(raw)));
            }
            27 => {
                let raw = self.argument(info, start)?;
                self.float(f64::from_bits(raw));
            }
            _ => return Err(CborError::Unsupported { at: start, what: "simple value" }),
        }
        Ok(())
    }

    /// The shortest of the three widths that keeps the value; every NaN is the same one.
    fn float(&mut self, value: f64) {
        let short = f16::from_f64(value);
        let single = value as f32;
        if value.is_nan() {
            self.out.extend_from_slice(&[0xf9, 0x7e, 0x00]);
        } else if f64::from(short).to_bits() == value.to_bits() {
            self.out.push(0xf9);
            self.out.extend_from_slice(&short.to_bits().to_be_bytes());
        } else if f64::from(single).to_bits() == value.to_bits() {
            self.out.push(0xfa);
            self.out.extend_from_slice(&single.to_be_bytes());
        } else {
            self.out.push(0xfb);
            self.out.extend_from_slice(&value.to_be_bytes());
        }
    }

    fn argument(&mut self, info: u8, start: usize) -> Result<u64, CborError> {
        let width = match info {
            0..=23 => return Ok(u64::from(info)),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return Err(CborError::Unsupported { at: start, what: "reserved length" }),
        };
        let raw = self.take(width)?;
        Ok(raw.iter().fold(0_u64, |n, b| (n << 8) | u64::from(*b)))
    }

    fn head(&mut self, major: u8, n: u64) {
        write_head(&mut self.out, major, n);
    }

    /// Puts the head of an array or map whose items already stand in `out` from `body` on.
    fn put_head_before(&mut self, body: usize, major: u8, n: u64) {
        let mut head = Vec::with_capacity(9);
        write_head(&mut head, major, n);
        self.out.splice(body..body, head);
    }

    fn at_break(&mut self) -> Result<bool, CborError> {
        match self.bytes.get(self.at) {
            None => Err(CborError::Short { at: self.at }),
            Some(&BREAK) => {
                self.at += 1;
                Ok(true)
            }
            Some(_) => Ok(false),
        }
    }

    fn byte(&mut self) -> Result<u8, CborError> {
        let byte = *self.bytes.get(self.at).ok_or(CborError::Short { at: self.at })?;
        self.at += 1;
        Ok(byte)
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], CborError> {
        let end = self.at.checked_add(count).ok_or(CborError::Short { at: self.bytes.len() })?;
        let taken =
            self.bytes.get(self.at..end).ok_or(CborError::Short { at: self.bytes.len() })?;
        self.at = end;
        Ok(taken)
    }
}

fn write_head(out: &mut Vec<u8>, major: u8, n: u64) {
    let top = major << 5;
    let wide = n.to_be_bytes();
    let width = match n {
        0..=23 => {
            out.push(top | n as u8);
            return;
        }
        24..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    };
    out.push(top | [0, 24, 25, 0, 26, 0, 0, 0, 27].get(width).copied().unwrap_or(27));
    out.extend_from_slice(wide.get(8 - width..).unwrap_or(&wide));
}
