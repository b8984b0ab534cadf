//! iCalendar (RFC 5545): the bookings of a person, a robot, a console or a room as a feed.
//!
//! No patient appears: an event says which case, procedure and hospital it is.

use std::fmt::Write as _;
use telehand_alliance::entity::booking::{Booking, Resource};
use telehand_alliance::state::Alliance;
use telehand_alliance::time::Utc;

/// The feed of one resource. `name` is the calendar's title; `now` stamps the file.
#[must_use]
pub fn feed(alliance: &Alliance, resource: &Resource, name: &str, now: Utc) -> String {
    let mut out = String::new();
    for text in
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//telehand//hub//EN", "CALSCALE:GREGORIAN"]
    {
        line(&mut out, text);
    }
    line(&mut out, &format!("X-WR-CALNAME:{}", escaped(name)));
    for booking in alliance.bookings().values() {
        for claim in booking.claims.iter().filter(|claim| claim.resource == *resource) {
            event(&mut out, alliance, booking, claim.slots.window(), now);
        }
    }
    line(&mut out, "END:VCALENDAR");
    out
}

fn event(
    out: &mut String,
    alliance: &Alliance,
    booking: &Booking,
    window: telehand_alliance::time::Window,
    now: Utc,
) {
    let case = alliance.case(&booking.case);
    let procedure = case.and_then(|case| alliance.procedure(&case.procedure));
    let site = case.and_then(|case| alliance.site(&case.site));
    let title = procedure.map_or("remote operation", |known| known.name.as_str());
    let status = if booking.published { "CONFIRMED" } else { "TENTATIVE" };
    line(out, "BEGIN:VEVENT");
    // Two claims of one booking (before and after the remote phase) are two events.
    line(out, &format!("UID:{}.{}@telehand", booking.id, window.from.0));
    line(out, &format!("DTSTAMP:{}", stamp(now)));
    line(out, &format!("SEQUENCE:{}", booking.moved));
    line(out, &format!("DTSTART:{}", stamp(window.from)));
    line(out, &format!("DTEND:{}", stamp(window.until)));
    line(out, &format!("SUMMARY:{}", escaped(&format!("{title} ({})", booking.case))));
    if let Some(site) = site {
        line(out, &format!("LOCATION:{}", escaped(&site.name)));
    }
    line(out, &format!("STATUS:{status}"));
    line(out, "CLASS:CONFIDENTIAL");
    line(out, "END:VEVENT");
}

/// UTC, to the second: `20261120T083000Z`.
fn stamp(at: Utc) -> String {
    let text = at.to_string();
    let digits: String = text.chars().take(19).filter(|c| *c != '-' && *c != ':').collect();
    format!("{digits}Z")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// One content line, folded at 75 bytes between characters.
fn line(out: &mut String, text: &str) {
    let mut length = 0;
    for c in text.chars() {
        if length + c.len_utf8() > 75 {
            out.push_str("\r\n ");
            length = 1;
        }
        length += c.len_utf8();
        // Writing to a string cannot fail.
        let _ = out.write_char(c);
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_folded_between_characters_and_unfold_to_the_same() {
        let text = format!("SUMMARY:{}", "\u{690e}\u{5f13}a".repeat(40));
        let mut out = String::new();
        line(&mut out, &text);
        assert!(out.split("\r\n").all(|line| line.len() <= 75), "{out:?}");
        assert_eq!(out.trim_end().replace("\r\n ", ""), text);
    }

    #[test]
    fn moments_and_words_are_written_as_the_standard_has_them() {
        let at = Utc::parse("2026-11-20T08:30:00Z").unwrap();
        assert_eq!(stamp(at), "20261120T083000Z");
        assert_eq!(escaped("a, b; c\\d\ne\u{7}"), "a\\, b\\; c\\\\d\\ne");
    }
}
