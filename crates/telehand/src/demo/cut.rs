//! `fibre@10s+5s`: which path is cut, when, and for how long.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// One cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The path's name, or `all`.
    pub path: String,
    /// After the surgeon first moved the arms.
    pub at: Duration,
    /// How long it stays cut.
    pub length: Duration,
}

impl FromStr for Cut {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is not PATH@AT+FOR, for example fibre@10s+5s or all@1.5s+200ms");
        let (path, times) = text.split_once('@').ok_or_else(wrong)?;
        let (at, length) = times.split_once('+').ok_or_else(wrong)?;
        let (at, length) = (time(at).ok_or_else(wrong)?, time(length).ok_or_else(wrong)?);
        if path.is_empty() || length.is_zero() {
            return Err(wrong());
        }
        Ok(Self { path: path.to_owned(), at, length })
    }
}

fn time(text: &str) -> Option<Duration> {
    let (number, unit_s) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s')?, 1.0),
    };
    let seconds = number.parse::<f64>().ok()? * unit_s;
    (0.0..=86_400.0).contains(&seconds).then(|| Duration::from_secs_f64(seconds))
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {:?}", self.path, self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_read_and_a_wrong_one_teaches() {
        let cut: Cut = "fibre@10s+5s".parse().unwrap();
        assert_eq!((cut.at, cut.length), (Duration::from_secs(10), Duration::from_secs(5)));
        let cut: Cut = "all@1.5s+200ms".parse().unwrap();
        assert_eq!(cut.length, Duration::from_millis(200));
        for wrong in
            ["fibre", "fibre@10s", "fibre@10+5", "@1s+1s", "a@-1s+1s", "a@1s+0s", "a@nans+1s"]
        {
            assert!(wrong.parse::<Cut>().unwrap_err().contains("fibre@10s+5s"), "{wrong}");
        }
    }
}
