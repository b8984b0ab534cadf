//! The keys of one session: what the handshake hands over and the seal consumes.

use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Which AEAD seals the packets of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Cipher {
    /// AES-128-GCM (RFC 5116, `AEAD_AES_128_GCM`): for processors with AES instructions.
    Aes128Gcm = 1,
    /// ChaCha20-Poly1305 (RFC 8439): fast and constant-time everywhere else.
    ChaCha20Poly1305 = 2,
}

impl Cipher {
    /// The cipher that follows from the TLS 1.3 suite both sides agreed on in the handshake
    /// (RFC 8446 appendix B.4). This is the whole choice rule: the client offers its suites in
    /// the order of [`Cipher::preferred`], TLS decides, both ends derive the same answer.
    ///
    /// `None` for a suite that is not one of AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305.
    #[must_use]
    pub const fn from_tls_suite(suite: u16) -> Option<Self> {
        match suite {
            0x1301 | 0x1302 => Some(Self::Aes128Gcm),
            0x1303 => Some(Self::ChaCha20Poly1305),
            _ => None,
        }
    }

    /// What this processor does best: AES-128-GCM where it has AES and carry-less multiplication.
    #[must_use]
    pub fn preferred() -> Self {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        let accelerated = std::arch::is_x86_feature_detected!("aes")
            && std::arch::is_x86_feature_detected!("pclmulqdq");
        #[cfg(target_arch = "aarch64")]
        let accelerated = std::arch::is_aarch64_feature_detected!("aes")
            && std::arch::is_aarch64_feature_detected!("pmull");
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
        let accelerated = false;
        if accelerated { Self::Aes128Gcm } else { Self::ChaCha20Poly1305 }
    }

    /// Bytes of key this cipher uses, from the front of the 32 that [`SessionKeys`] holds.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::ChaCha20Poly1305 => 32,
        }
    }
}

/// The keys of one session, one per direction, from the TLS exporter.
///
/// Never printed, and wiped from memory when dropped.
#[derive(Clone)]
pub struct SessionKeys {
    /// Names the session in every packet. Both directions use the same; a new handshake makes a
    /// new one, so that packets under old keys are told apart.
    pub session: u64,
    /// Seals what the console sends. AES-128-GCM uses the first 16 bytes.
    pub console_to_patient: [u8; 32],
    /// Seals what the patient side sends.
    pub patient_to_console: [u8; 32],
    /// Which AEAD both sides use.
    pub cipher: Cipher,
}

impl SessionKeys {
    /// Keys anybody can guess, for tests and virtual-time drills only.
    #[must_use]
    pub fn for_test(seed: u64) -> Self {
        let mut state = seed;
        let mut next = || {
            // SplitMix64 (Steele, Lea, Flood 2014)
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        let session = next();
        let mut fill = |key: &mut [u8; 32]| {
            for chunk in key.chunks_exact_mut(8) {
                chunk.copy_from_slice(&next().to_le_bytes());
            }
        };
        let (mut console_to_patient, mut patient_to_console) = ([0; 32], [0; 32]);
        fill(&mut console_to_patient);
        fill(&mut patient_to_console);
        let cipher =
            if seed.is_multiple_of(2) { Cipher::Aes128Gcm } else { Cipher::ChaCha20Poly1305 };
        Self { session, console_to_patient, patient_to_console, cipher }
    }
}

impl fmt::Debug for SessionKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionKeys")
            .field("session", &format_args!("{:016x}", self.session))
            .field("cipher", &self.cipher)
            .finish_non_exhaustive()
    }
}

impl Drop for SessionKeys {
    fn drop(&mut self) {
        self.console_to_patient.zeroize();
        self.patient_to_console.zeroize();
    }
}

impl ZeroizeOnDrop for SessionKeys {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l_001_keys_are_never_printed() {
        let mut keys = SessionKeys::for_test(4);
        keys.console_to_patient = [0xAB; 32];
        keys.patient_to_console = [0xCD; 32];
        let text = format!("{keys:?}").to_lowercase();
        for trace in ["ab, ab", "abab", "171", "205", "cdcd", "cd, cd"] {
            assert!(!text.contains(trace), "{text}");
        }
        assert!(text.contains("aes128gcm"), "{text}");
    }

    #[test]
    fn l_001_every_seed_makes_its_own_keys_and_both_directions_differ() {
        let (a, b) = (SessionKeys::for_test(1), SessionKeys::for_test(2));
        assert_ne!(a.session, b.session);
        assert_ne!(a.console_to_patient, b.console_to_patient);
        assert_ne!(a.console_to_patient, a.patient_to_console);
        assert_eq!(a.console_to_patient, SessionKeys::for_test(1).console_to_patient);
    }

    #[test]
    fn l_001_the_tls_suite_decides_the_cipher() {
        assert_eq!(Cipher::from_tls_suite(0x1301), Some(Cipher::Aes128Gcm));
        assert_eq!(Cipher::from_tls_suite(0x1302), Some(Cipher::Aes128Gcm));
        assert_eq!(Cipher::from_tls_suite(0x1303), Some(Cipher::ChaCha20Poly1305));
        assert_eq!(Cipher::from_tls_suite(0xC02F), None);
    }
}
