//! The little CBOR (RFC 8949) of authenticators: definite lengths, shortest forms, small depth
//! (CTAP 2.1 section 8, "canonical CBOR"). It tells where a value ends: keys lie amid other bytes.

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// `true`, `false` and `null`: authenticators send them, nothing here needs them.
    Simple,
}

/// CTAP allows four levels of nesting.
const DEPTH_MAX: u8 = 4;

impl Value {
    /// The value under an integer key.
    pub(super) fn at(&self, key: i64) -> Option<&Self> {
        self.entry(|k| *k == Self::Int(key))
    }

    /// The value under a text key.
    pub(super) fn named(&self, key: &str) -> Option<&Self> {
        self.entry(|k| matches!(k, Self::Text(text) if text == key))
    }

    pub(super) fn int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn entry(&self, wanted: impl Fn(&Self) -> bool) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        pairs.iter().find(|(key, _)| wanted(key)).map(|(_, value)| value)
    }
}

/// The first value of `bytes` and what lies behind it; `None` for anything that is not canonical.
pub(super) fn first(bytes: &[u8]) -> Option<(Value, &[u8])> {
    value(bytes, 0)
}

fn value(bytes: &[u8], depth: u8) -> Option<(Value, &[u8])> {
    let (major, argument, rest) = head(bytes)?;
    match major {
        0 => Some((Value::Int(i64::try_from(argument).ok()?), rest)),
        1 => Some((Value::Int(-1 - i64::try_from(argument).ok()?), rest)),
        2 => {
            let (own, rest) = split(rest, argument)?;
            Some((Value::Bytes(own.to_vec()), rest))
        }
        3 => {
            let (own, rest) = split(rest, argument)?;
            Some((Value::Text(std::str::from_utf8(own).ok()?.to_owned()), rest))
        }
        4 if depth < DEPTH_MAX => items(rest, argument, depth),
        5 if depth < DEPTH_MAX => pairs(rest, argument, depth),
        7 if (20..=22).contains(&argument) => Some((Value::Simple, rest)),
        _ => None,
    }
}

fn items(mut rest: &[u8], count: u64, depth: u8) -> Option<(Value, &[u8])> {
    let mut items = Vec::new();
    // Every item takes a byte at least: a count beyond that is a lie, and nothing is reserved for it.
    for _ in 0..bounded(count, rest)? {
        let (item, after) = value(rest, depth + 1)?;
        items.push(item);
        rest = after;
    }
    Some((Value::Array(items), rest))
}

fn pairs(mut rest: &[u8], count: u64, depth: u8) -> Option<(Value, &[u8])> {
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    for _ in 0..bounded(count, rest)? {
        let (key, after) = value(rest, depth + 1)?;
        let (held, after) = value(after, depth + 1)?;
        if pairs.iter().any(|(known, _)| *known == key) {
            return None;
        }
        pairs.push((key, held));
        rest = after;
    }
    Some((Value::Map(pairs), rest))
}

fn bounded(count: u64, rest: &[u8]) -> Option<usize> {
    usize::try_from(count).ok().filter(|count| *count <= rest.len())
}

fn split(bytes: &[u8], count: u64) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(usize::try_from(count).ok()?)
}

/// Major type, argument, and what is behind them. Only the shortest form is one.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (major, small) = (first >> 5, first & 31);
    let long = |count: usize, least: u64| {
        let (own, rest) = rest.split_at_checked(count)?;
        let argument = own.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        (argument >= least && major != 7).then_some((major, argument, rest))
    };
    match small {
        0..=23 => Some((major, u64::from(small), rest)),
        24 => long(1, 24),
        25 => long(2, 1 << 8),
        26 => long(4, 1 << 16),
        27 => long(8, 1 << 32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_values_are_read_and_the_rest_is_told() {
        let (value, rest) = first(&[0xA2, 0x01, 0x02, 0x26, 0x43, 1, 2, 3, 0xFF]).unwrap();
        assert_eq!(value.at(1).and_then(Value::int), Some(2));
        assert_eq!(value.at(-7).and_then(Value::bytes), Some([1, 2, 3].as_slice()));
        assert_eq!(rest, [0xFF]);
        let (value, _) =
            first(&[0xA1, 0x63, b'f', b'm', b't', 0x64, b'n', b'o', b'n', b'e']).unwrap();
        assert_eq!(value.named("fmt").and_then(Value::text), Some("none"));
        assert_eq!(
            first(&[0x82, 0xF5, 0x80]).unwrap().0,
            Value::Array(vec![Value::Simple, Value::Array(vec![])])
        );
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for bad in [
            &[][..],
            &[0x18, 0x17],                         // 23 in two bytes
            &[0x5F, 0x41, 1, 0xFF],                // indefinite length
            &[0x42, 1],                            // too short
            &[0x9A, 0xFF, 0xFF, 0xFF, 0xFF],       // a long lie
            &[0xA2, 0x01, 0x02, 0x01, 0x03],       // a key twice
            &[0x61, 0xFF],                         // not UTF-8
            &[0x81, 0x81, 0x81, 0x81, 0x81, 0x01], // too deep
            &[0xFB, 0, 0, 0, 0, 0, 0, 0, 0],       // a float
            &[0xC0, 0x00],                         // a tag
        ] {
            assert_eq!(first(bad), None, "{bad:02x?}");
        }
    }
}
