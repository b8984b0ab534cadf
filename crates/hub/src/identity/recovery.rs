//! Recovery codes: for somebody who lost every passkey. Each opens, once, a session that can do
//! nothing but enrol a new passkey. The hub keeps them hashed with argon2id.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};

/// How many codes somebody gets.
const CODES: usize = 8;
/// Letters and digits that nobody confuses.
const ALPHABET: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// New codes for their owner's eyes only, and their hashes. A code begins with its own number, so
/// that one hash is tried, not all.
#[must_use]
pub fn fresh() -> (Vec<String>, Vec<String>) {
    (0..CODES)
        .filter_map(|number| {
            let letters: String = crate::clock::random::<16>()
                .iter()
                .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
                .map(|letter| char::from(*letter))
                .collect();
            let part = |range| letters.get(range).unwrap_or_default();
            let code = format!(
                "{}-{}-{}-{}-{}",
                number + 1,
                part(0..4),
                part(4..8),
                part(8..12),
                part(12..16)
            );
            let hash = hash(&code)?;
            Some((code, hash))
        })
        .unzip()
}

/// The place of the code among the hashes.
#[must_use]
pub fn matching(hashes: &[String], code: &str) -> Option<usize> {
    let code = code.trim().to_ascii_uppercase();
    let number: usize = code.split('-').next()?.parse().ok()?;
    let place = number.checked_sub(1)?;
    let hash = hashes.get(place).filter(|hash| !hash.is_empty())?;
    let parsed = PasswordHash::new(hash).ok()?;
    Argon2::default().verify_password(code.as_bytes(), &parsed).ok().map(|()| place)
}

/// argon2id with the crate's defaults (RFC 9106's memory-saving choice: 19 MiB, 2 passes).
fn hash(code: &str) -> Option<String> {
    let salt = SaltString::encode_b64(&crate::clock::random::<16>()).ok()?;
    Some(Argon2::default().hash_password(code.as_bytes(), &salt).ok()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_opens_its_own_hash_and_no_other() {
        let (codes, mut hashes) = fresh();
        assert_eq!((codes.len(), hashes.len()), (CODES, CODES));
        assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$")), "{hashes:?}");
        assert_eq!(matching(&hashes, &codes[2].to_lowercase()), Some(2));
        let wrong = format!("3{}", &codes[1][1..]);
        assert_eq!(matching(&hashes, &wrong), None);
        for wrong in ["", "0-AAAA", "9-AAAA", "x"] {
            assert_eq!(matching(&hashes, wrong), None);
        }
        hashes[2].clear();
        assert_eq!(matching(&hashes, &codes[2]), None);
    }
}
