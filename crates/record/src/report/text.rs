//! Text into markup.

use std::fmt::Write as _;

/// Text as it may stand between tags and in quoted attributes.
pub fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // No character that a page may not hold.
            c if c.is_control() && !c.is_whitespace() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
        out
    })
}

/// The name of a file beside the page as a relative address: it cannot become another scheme,
/// host or folder, whatever it is.
pub fn file_name(name: &str) -> String {
    name.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// A heading in two languages.
pub fn heading(english: &str, chinese: &str) -> String {
    format!("<h2>{english} <span lang=\"zh\">{chinese}</span></h2>\n")
}

/// A line of the table of figures. `value` is markup.
pub fn row(english: &str, chinese: &str, value: &str) -> String {
    format!("<tr><th>{english}<span lang=\"zh\">{chinese}</span></th><td>{value}</td></tr>\n")
}

/// `G-003` with its words: `G-003 link silent`. Not escaped.
pub fn cause(code: &str) -> String {
    let number = code.strip_prefix("G-").and_then(|number| number.parse().ok());
    match number.and_then(telehand_vocab::Cause::from_number) {
        Some(cause) => format!("{code} {}", cause.name().replace('_', " ")),
        None => code.to_owned(),
    }
}
