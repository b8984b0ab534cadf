//! How often one caller may ask: a token bucket each, so that one site's fault is not everybody's.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Mutex;

const SHARDS: usize = 16;
/// Callers remembered in one shard; above it, those whose bucket is full again are forgotten.
const CALLERS_MAX: usize = 4096;

/// The buckets of all callers.
#[derive(Debug)]
pub struct Limiter {
    per_s: f64,
    burst: f64,
    shards: [Mutex<HashMap<u64, Bucket>>; SHARDS],
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at_us: i64,
}

impl Limiter {
    /// `per_s` sustained, `burst` at once.
    #[must_use]
    pub fn new(per_s: u64, burst: u64) -> Self {
        Self {
            per_s: per_s as f64,
            burst: burst.max(1) as f64,
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Takes one token of a caller at `now_us`; `Err` with the seconds until there is one.
    ///
    /// # Errors
    /// Whole seconds to wait, at least 1.
    pub fn take(&self, caller: &impl Hash, now_us: i64) -> Result<(), u64> {
        let mut hasher = DefaultHasher::new();
        caller.hash(&mut hasher);
        let name = hasher.finish();
        let Some(shard) = self.shards.get(name as usize % SHARDS) else { return Ok(()) };
        let Ok(mut shard) = shard.lock() else { return Ok(()) };
        if shard.len() >= CALLERS_MAX && !shard.contains_key(&name) {
            let (per_s, burst) = (self.per_s, self.burst);
            shard.retain(|_, bucket| bucket.filled(now_us, per_s, burst) < burst);
        }
        let full = Bucket { tokens: self.burst, at_us: now_us };
        let bucket = shard.entry(name).or_insert(full);
        bucket.tokens = bucket.filled(now_us, self.per_s, self.burst);
        bucket.at_us = now_us;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err((((1.0 - bucket.tokens) / self.per_s).ceil() as u64).max(1))
    }
}

impl Bucket {
    fn filled(&self, now_us: i64, per_s: f64, burst: f64) -> f64 {
        let since_s = now_us.saturating_sub(self.at_us).max(0) as f64 / 1e6;
        (self.tokens + since_s * per_s).min(burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_a_burst_then_a_rate_and_others_are_not_touched() {
        let limiter = Limiter::new(2, 5);
        for _ in 0..5 {
            assert_eq!(limiter.take(&"a", 1_000_000), Ok(()));
        }
        assert_eq!(limiter.take(&"a", 1_000_000), Err(1));
        assert_eq!(limiter.take(&"b", 1_000_000), Ok(()));
        assert_eq!(limiter.take(&"a", 1_500_000), Ok(()));
        assert_eq!(limiter.take(&"a", 1_500_000), Err(1));
        // A clock that goes back gives nothing away.
        assert_eq!(limiter.take(&"a", 0), Err(1));
    }

    #[test]
    fn callers_who_went_away_are_forgotten() {
        let limiter = Limiter::new(1, 1);
        for caller in 0..200_000_u64 {
            assert_eq!(limiter.take(&caller, 10_000_000 * caller as i64), Ok(()));
        }
        let kept: usize = limiter.shards.iter().map(|s| s.lock().unwrap().len()).sum();
        assert!(kept <= SHARDS * CALLERS_MAX, "{kept}");
    }
}
