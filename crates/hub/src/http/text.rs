//! A-015 at the door: no text that looks like a patient's.
//!
//! The hub knows pseudonyms and codes. Where words are needed at all (a reason, an incident, a name
//! of a hospital) they are short, and refused when they hold what a machine can recognise: a date, a
//! long number, a telephone number, an address of electronic mail. A bare name cannot be recognised;
//! the site's own node, which knows its patients, is the place that can.

use super::problem::Problem;
use serde_json::Value;
use telehand_alliance::refusal::Rule;

/// Longest text of any field, characters.
const TEXT_MAX: usize = 280;
/// Longest run of digits in a text with other characters; longer ones number people.
const DIGITS_MAX: usize = 6;
/// Deepest nesting of a body.
const DEPTH_MAX: usize = 12;

/// Words are expected here, in these fields of commands, and nowhere else.
const WORDS: &[&str] = &[
    "name",
    "name_local",
    "contact_24h",
    "insurer",
    "register",
    "provider",
    "diversity_group",
    "serial",
    "what",
    "text",
    "reason",
    "zone",
    "rule",
    "source",
];

/// Checks every text of a body.
///
/// # Errors
/// A-015 naming the field, never its content.
pub fn check(fields: &serde_json::Map<String, Value>) -> Result<(), Problem> {
    fields.iter().try_for_each(|(key, value)| walk(key, value, 0))
}

fn walk(key: &str, value: &Value, depth: usize) -> Result<(), Problem> {
    if depth > DEPTH_MAX {
        return Err(Problem::bad("the body is nested too deeply; nothing was done"));
    }
    match value {
        Value::String(text) => text_of(key, text),
        Value::Array(items) => items.iter().try_for_each(|item| walk(key, item, depth + 1)),
        Value::Object(fields) => {
            fields.iter().try_for_each(|(key, value)| walk(key, value, depth + 1))
        }
        _ => Ok(()),
    }
}

fn text_of(key: &str, text: &str) -> Result<(), Problem> {
    let limit = |found: &str, limit: &str| {
        Err(Problem::refused(
            Rule::NoPhi,
            &format!("the text in {:?}", key.chars().take(40).collect::<String>()),
            found,
            limit,
            "Send codes, ids and times here; what concerns the patient stays at the site.",
        ))
    };
    let length = text.chars().count();
    if length > TEXT_MAX {
        return limit(&format!("{length} characters"), &format!("{TEXT_MAX} characters"));
    }
    if text.chars().any(char::is_control) {
        return limit("control characters", "printable characters in one line");
    }
    if !WORDS.contains(&key) {
        // A code, an id, a time, a hash: no spaces, no letters beyond ASCII.
        let code = |c: char| c.is_ascii_alphanumeric() || "-._:+/,".contains(c);
        if text.chars().all(code) {
            return Ok(());
        }
        return limit("words", "a code, an id, a time or a hash");
    }
    // Serial numbers and numbers of registers and telephones of a hospital are long by nature.
    if matches!(
        key,
        "serial" | "register" | "contact_24h" | "rule" | "zone" | "diversity_group" | "source"
    ) {
        return Ok(());
    }
    if holds_date(text) {
        return limit("something like a date", "words without dates");
    }
    if longest_digits(text) > DIGITS_MAX {
        return limit("a long number", &format!("numbers of {DIGITS_MAX} digits at most"));
    }
    if text.contains('@') {
        return limit("an address", "words without addresses");
    }
    Ok(())
}

fn longest_digits(text: &str) -> usize {
    // Separators do not make a telephone number shorter.
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        if c.is_numeric() {
            run += 1;
            longest = longest.max(run);
        } else if !matches!(c, ' ' | '-' | '.' | '/') {
            run = 0;
        }
    }
    longest
}

/// Four digits that may be a year, and one or two numbers around them: 1957-03-02, 2.3.1957, 1957年3月.
fn holds_date(text: &str) -> bool {
    let mut numbers: Vec<(usize, usize, &str)> = Vec::new();
    let mut begin = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_ascii_digit(), begin) {
            (true, None) => begin = Some(at),
            (false, Some(from)) => {
                numbers.push((from, at, text.get(from..at).unwrap_or_default()));
                begin = None;
            }
            _ => {}
        }
    }
    numbers.windows(2).any(|pair| {
        let [(_, end, a), (from, _, b)] = pair else { return false };
        let near = text.get(*end..*from).is_some_and(|between| between.chars().count() <= 2);
        let year = |n: &str| n.len() == 4 && (n.starts_with("19") || n.starts_with("20"));
        let small = |n: &str| n.len() <= 2 && n.parse::<u8>().is_ok_and(|n| (1..=31).contains(&n));
        near && ((year(a) && small(b)) || (small(a) && year(b)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(value: &Value) -> Option<Rule> {
        check(value.as_object().unwrap()).err().and_then(|problem| problem.rule)
    }

    #[test]
    fn a_015_what_looks_like_a_patient_is_refused() {
        for (key, text) in [
            ("what", "Zhang San, born 1957-03-02"),
            ("what", "geb. 2.3.1957"),
            ("what", "1957年3月2日"),
            ("reason", "ID 110105195703020019"),
            ("reason", "call 139 1234 5678"),
            ("text", "zhang.san@example.com"),
            ("name", "Zhang San 110105195703020019"),
            ("pseudonym", "Zhang San"),
            ("pseudonym", "张三"),
            ("region", "a b"),
            ("unknown", "free words"),
            ("what", "two\nlines"),
            ("what", &"x".repeat(281)),
        ] {
            assert_eq!(checked(&json!({key: text})), Some(Rule::NoPhi), "{key}: {text}");
            let nested = json!({"deep": [{key: text}]});
            assert_eq!(checked(&nested), Some(Rule::NoPhi), "{key}: {text}");
        }
    }

    #[test]
    fn codes_times_hashes_and_plain_words_pass() {
        let body = json!({
            "what": "The link was lost for 4 s; the arm held. Path 2 took over.",
            "reason": "robot in repair until Tuesday",
            "name": "Lhasa Hospital (SIMULATED)", "name_local": "拉萨医院（模拟）",
            "due": "2026-11-20", "at": "2026-11-20T18:40:00.5+08:00",
            "document": "ab".repeat(32), "id": "01890a5d-ac96-774b-bcce-b302099a8057",
            "contact_24h": "+86 891 633 0000", "register": "110000000012345", "firmware": "4.2.0",
            "number": 7, "list": ["a", "b"], "resource": "path/p-1/0",
        });
        assert_eq!(checked(&body), None);
    }

    #[test]
    fn a_body_nested_without_end_is_refused() {
        let mut value = json!("x");
        for _ in 0..40 {
            value = json!({"a": value});
        }
        assert!(check(value.as_object().unwrap()).is_err());
    }
}
