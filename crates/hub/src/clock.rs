//! The hub's wall clock and its random numbers: nothing else in the hub asks the machine for either.

use ring::rand::{SecureRandom, SystemRandom};
use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970-01-01T00:00Z.
#[must_use]
pub fn now_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Random bytes of the operating system.
///
/// # Panics
/// When the operating system gives none: a hub without randomness must not hand out tokens.
#[must_use]
#[expect(clippy::expect_used, reason = "a token that can be guessed is worse than a dead hub")]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the operating system gives no random numbers");
    bytes
}

/// A new UUID, version 7 (RFC 9562 section 5.7): sorted by the time of its making, the rest random.
#[must_use]
pub fn uuid_v7() -> String {
    let mut bytes: [u8; 16] = random();
    let millis = (now_us() / 1000).to_be_bytes();
    for (slot, byte) in bytes.iter_mut().zip(millis.iter().skip(2)) {
        *slot = *byte;
    }
    uuid(bytes, 0x70)
}

/// A UUID, version 8 (RFC 9562 section 5.8), out of a hash: the same hash, the same id.
#[must_use]
pub fn uuid_v8(hash: &[u8; 32]) -> String {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(hash) {
        *slot = *byte;
    }
    uuid(bytes, 0x80)
}

fn uuid(mut bytes: [u8; 16], version: u8) -> String {
    bytes[6] = (bytes[6] & 0x0F) | version;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    let hex = hex(&bytes);
    let part = |range| hex.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_version_7_sorted_by_time_and_different() {
        let many: Vec<_> = (0..1000).map(|_| uuid_v7()).collect();
        for id in &many {
            assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'), "{id}");
            assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        }
        let prefix = |id: &String| id[..13].to_owned();
        assert!(many.windows(2).all(|w| prefix(&w[0]) <= prefix(&w[1])));
        let unique: std::collections::BTreeSet<_> = many.iter().collect();
        assert_eq!(unique.len(), 1000);
    }
}
