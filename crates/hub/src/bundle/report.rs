//! What a check found, line by line.

use std::fmt;

use serde::Serialize;

/// How one thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// Looked at, and it holds.
    Holds,
    /// Looked at, and it does not hold.
    Fails,
    /// Not looked at, or not there, and why.
    Unchecked,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// How it stands.
    pub mark: Mark,
    /// What.
    pub what: String,
    /// What was found.
    pub found: String,
}

/// Everything that was looked at, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// The lines.
    pub lines: Vec<Line>,
}

impl Report {
    /// True if nothing that was looked at failed, and something was.
    pub fn holds(&self) -> bool {
        self.lines.iter().any(|line| line.mark == Mark::Holds)
            && self.lines.iter().all(|line| line.mark != Mark::Fails)
    }

    pub(super) fn line(&mut self, mark: Mark, what: &str, found: impl Into<String>) {
        self.lines.push(Line { mark, what: what.to_string(), found: found.into() });
    }

    /// A line that holds or fails.
    pub(super) fn judge<T>(
        &mut self,
        what: &str,
        result: Result<T, String>,
        good: &str,
    ) -> Option<T> {
        match result {
            Ok(value) => {
                self.line(Mark::Holds, what, good);
                Some(value)
            }
            Err(why) => {
                self.line(Mark::Fails, what, why);
                None
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            let mark = match line.mark {
                Mark::Holds => "holds    ",
                Mark::Fails => "FAILS    ",
                Mark::Unchecked => "unchecked",
            };
            writeln!(f, "{mark}  {}: {}", line.what, line.found)?;
        }
        let failed = self.lines.iter().filter(|line| line.mark == Mark::Fails).count();
        let unchecked = self.lines.iter().filter(|line| line.mark == Mark::Unchecked).count();
        match (self.holds(), unchecked) {
            (true, 0) => writeln!(f, "Everything holds."),
            (true, _) => writeln!(f, "What was checked holds; {unchecked} not checked."),
            (false, _) => writeln!(f, "It does NOT hold: {failed} of {} failed.", self.lines.len()),
        }
    }
}
