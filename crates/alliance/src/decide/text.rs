//! Free text: short, printable, and without what looks like a patient.
//!
//! No filter knows every name. This one refuses what can be told by form: long runs of digits
//! (identity cards have 18, telephones 11, insurance numbers 9 and more) and full dates, which are
//! how patients are told apart. Names and stories belong into the site's own records.

use crate::refusal::{Refusal, Rule};
use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

/// Digits in a row that are refused.
const DIGITS: usize = 8;
/// The longest free text, characters.
const LONGEST: usize = 500;
/// What stands for text that was withheld.
pub const WITHHELD: &str = "[withheld: it looked like patient data]";

/// Refuses text that is empty, too long, unprintable, or looks like patient data.
pub fn plain(what: &str, text: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if text.trim().is_empty() || length > LONGEST || text.chars().any(char::is_control) {
        let value = format!("{length} characters");
        let limit = format!("1 to {LONGEST} printable characters");
        return super::refuse(Rule::Range, what, value, limit, "Correct the text and ask again.");
    }
    if looks_personal(text) {
        return super::refuse(
            Rule::NoPhi,
            what,
            "a long number or a full date",
            "no patient data",
            "Leave out numbers of 8 and more digits and full dates; keep them in the site's record.",
        );
    }
    Ok(())
}

/// Text that may be empty.
pub fn plain_or_empty(what: &str, text: &str) -> Result<(), Refusal> {
    if text.is_empty() { Ok(()) } else { plain(what, text) }
}

/// What a site's record says, without what looks like patient data. Never refuses.
pub fn withheld(text: &str) -> String {
    let control = text.chars().any(char::is_control);
    if text.chars().count() > LONGEST || control || looks_personal(text) {
        WITHHELD.to_owned()
    } else {
        text.to_owned()
    }
}

/// True for a run of digits that is too long, or for something like 1961-04-12, 12.04.1961.
/// Separators between digits do not end a run: `138 0013 8000` is one number.
pub fn looks_personal(text: &str) -> bool {
    let mut run = 0;
    let mut gap = 0;
    for c in text.chars() {
        if c.is_numeric() {
            run += 1;
            gap = 0;
            if run >= DIGITS {
                return true;
            }
        } else if matches!(c, ' ' | '-' | '.' | '/' | '年' | '月') && run > 0 && gap == 0 {
            gap = 1;
        } else {
            (run, gap) = (0, 0);
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_015_what_looks_like_a_patient_is_refused() {
        let personal = [
            "ID 110101196104120013",
            "call 138 0013 8000",
            "born 1961-04-12",
            "born 12.04.1961",
            "生于1961年04月12日",
            "file 00012345",
            "６５４３２１０９",
        ];
        for text in personal {
            assert_eq!(plain("the reason", text).unwrap_err().rule, Rule::NoPhi, "{text}");
            assert_eq!(withheld(text), WITHHELD);
        }
        for text in ["robot down since 06:30", "RTT 112 ms > 100 ms, 3 of 72 h", "更换机器人"]
        {
            assert_eq!(plain("the reason", text), Ok(()), "{text}");
            assert_eq!(withheld(text), text);
        }
    }

    #[test]
    fn text_is_short_and_printable() {
        for text in ["", "   ", "a\nb", &"x".repeat(501)] {
            assert_eq!(plain("the reason", text).unwrap_err().rule, Rule::Range, "{text:?}");
        }
    }
}
