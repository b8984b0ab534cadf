//! What an arm process was started with: read from a file, told to the bedside, kept in recordings.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use telehand_guard::{LimitError, Limits};
use telehand_vocab::Lease;

/// The word on everything that is invented.
pub const SIMULATED: &str = "SIMULATED";

/// Everything a replay needs to build the same arm again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmConfig {
    /// What the robot is: [`SIMULATED`] here.
    pub robot: String,
    /// Rings on the board.
    pub objects: u8,
    /// Seed of the simulation.
    pub seed: u64,
    /// The lease before the first one given out.
    pub first_lease: u32,
    /// Every limit of the guard, by name.
    pub limits: BTreeMap<String, f64>,
}

impl ArmConfig {
    /// Of a simulated cart.
    pub fn new(objects: u8, seed: u64, first_lease: Lease, limits: &Limits) -> Self {
        Self {
            robot: SIMULATED.into(),
            objects,
            seed,
            first_lease: first_lease.0,
            limits: limits.entries().map(|(key, value)| (key.to_owned(), value)).collect(),
        }
    }

    /// The greeting to the bedside.
    pub fn to_message(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// The limits as the guard takes them.
    pub fn limits(&self) -> Result<Limits> {
        let mut limits = Limits::default();
        for (key, value) in &self.limits {
            set(&mut limits, key, *value)?;
        }
        Ok(limits)
    }

    /// The limits that are not the default, in words, for the log.
    pub fn changed_limits(&self) -> Vec<String> {
        let defaults = Limits::default();
        defaults
            .entries()
            .filter_map(|(key, default)| {
                let value = *self.limits.get(key)?;
                (value != default).then(|| format!("{key} = {value} (default {default})"))
            })
            .collect()
    }
}

/// The guard's limits from a TOML file of `key = value`; the defaults without one.
pub fn limits(path: Option<&Path>) -> Result<Limits> {
    let mut limits = Limits::default();
    let Some(path) = path else { return Ok(limits) };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the limits file {}", path.display()))?;
    parse(&text, &mut limits).with_context(|| format!("in {}", path.display()))?;
    Ok(limits)
}

/// Reads `key = value` lines into `limits`; on an error nothing of them may be used.
pub fn parse(text: &str, limits: &mut Limits) -> Result<()> {
    let table: BTreeMap<String, toml::Value> = toml::from_str(text)?;
    for (key, value) in table {
        let number = match value {
            toml::Value::Float(number) => number,
            toml::Value::Integer(number) => number as f64,
            other => bail!("{key} = {other} is not a number; the arm does not start"),
        };
        set(limits, &key, number)?;
    }
    Ok(())
}

fn set(limits: &mut Limits, key: &str, value: f64) -> Result<()> {
    match limits.set(key, value) {
        Ok(_) => Ok(()),
        Err(LimitError::OutOfRange { limit, .. }) => bail!(
            "{key} = {value} is outside {} to {}; the arm does not start. The default is {}",
            limit.min,
            limit.max,
            limit.default
        ),
        Err(_) => {
            let near = Limits::KEYS
                .iter()
                .min_by_key(|limit| distance(limit.key, key))
                .map_or("", |limit| limit.key);
            bail!("there is no limit {key:?}; the arm does not start. Did you mean {near:?}?")
        }
    }
}

/// Letters to change to make one word of another (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        for (slot, y) in row.iter_mut().skip(1).zip(b.chars()) {
            let up = *slot;
            let next = (up + 1).min(left + 1).min(corner + usize::from(x != y));
            corner = up;
            left = next;
            *slot = next;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limits_file_moves_limits_and_teaches_about_mistakes() {
        let mut limits = Limits::default();
        parse("silence_hold_s = 0.05", &mut limits).unwrap();
        assert_eq!(limits.silence_hold_s(), 0.05);
        for (text, word) in [
            ("silence_hold = 0.05", "silence_hold_s"),
            ("silence_hold_s = 7", "outside"),
            ("silence_hold_s = \"x\"", "not a number"),
            ("silence_hold_s = nan", "outside"),
        ] {
            let error = parse(text, &mut limits).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        assert!(parse("[[", &mut limits).is_err());
    }

    #[test]
    fn a_config_builds_the_same_limits_again() {
        let mut limits = Limits::default();
        parse("silence_hold_s = 0.05", &mut limits).unwrap();
        let config = ArmConfig::new(2, 7, Lease(5), &limits);
        let back: ArmConfig = serde_json::from_slice(&config.to_message().unwrap()).unwrap();
        assert_eq!(back.limits().unwrap(), limits);
        assert_eq!(back.changed_limits().len(), 1);
    }
}
