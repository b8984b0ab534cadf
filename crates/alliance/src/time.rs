//! Time as the alliance knows it: an argument, never a clock.
//!
//! [`Utc`] counts microseconds, [`Day`] days and [`Slot`] quarters of an hour, all since
//! 1970-01-01T00:00Z. Readable formats show RFC 3339; binary ones the number.

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::ops::{Add, Sub};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// The length of a slot, microseconds.
pub const SLOT_US: i64 = 900 * SECOND;

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Utc(pub i64);

/// A day in UTC: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub i32);

/// A quarter of an hour: its number since 1970-01-01T00:00Z. A number in every format.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Slot(pub u32);

/// Slots from `from` up to, not including, `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Slots {
    /// The first slot.
    pub from: Slot,
    /// The slot after the last.
    pub until: Slot,
}

/// A time from `from` up to, not including, `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The first moment.
    pub from: Utc,
    /// The first moment after it.
    pub until: Utc,
}

/// Text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no {1}; nothing was changed")]
pub struct NotATime(String, &'static str);

impl Utc {
    /// The day it falls in, UTC.
    pub const fn day(self) -> Day {
        Day(self.0.div_euclid(DAY) as i32)
    }

    /// The slot it falls in; 0 before 1970.
    pub const fn slot(self) -> Slot {
        let slot = self.0.div_euclid(SLOT_US);
        Slot(if slot < 0 { 0 } else { slot as u32 })
    }

    /// `hours` later (or earlier).
    pub const fn plus_hours(self, hours: i64) -> Self {
        self.plus_minutes(hours.saturating_mul(60))
    }

    /// `minutes` later (or earlier).
    pub const fn plus_minutes(self, minutes: i64) -> Self {
        Self(self.0.saturating_add(minutes.saturating_mul(60 * SECOND)))
    }

    /// Whole minutes from `earlier` to here.
    pub const fn minutes_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / (60 * SECOND)
    }

    /// From RFC 3339 text, e.g. `2026-11-20T18:40:00Z` or `2026-11-21T02:40:00.5+08:00`.
    pub fn parse(text: &str) -> Result<Self, NotATime> {
        read_moment(text).ok_or_else(|| {
            NotATime(text.chars().take(64).collect(), "time like 2026-11-20T18:40:00Z")
        })
    }
}

impl Day {
    /// The first moment of the day.
    pub const fn start(self) -> Utc {
        Utc(self.0 as i64 * DAY)
    }

    /// `days` later (or earlier).
    pub const fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Days from `earlier` to here.
    pub const fn since(self, earlier: Self) -> i32 {
        self.0.saturating_sub(earlier.0)
    }

    /// From text like `2026-11-20`.
    pub fn parse(text: &str) -> Result<Self, NotATime> {
        read_day(text)
            .ok_or_else(|| NotATime(text.chars().take(64).collect(), "day like 2026-11-20"))
    }

    /// From year, month 1..=12, day 1..=31; `None` where the calendar has no such day.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let made = Self(days_from_civil(year, month, day));
        (civil_from_days(made.0) == (year, month, day)).then_some(made)
    }

    /// Year, month 1..=12, day 1..=31.
    pub fn ymd(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }

    /// 0 = Monday .. 6 = Sunday.
    pub const fn weekday(self) -> u8 {
        (self.0 as i64 + 3).rem_euclid(7) as u8
    }
}

impl Slot {
    /// Its first moment.
    pub const fn start(self) -> Utc {
        Utc(self.0 as i64 * SLOT_US)
    }

    /// `count` slots later.
    pub const fn plus(self, count: u32) -> Self {
        Self(self.0.saturating_add(count))
    }
}

impl Slots {
    /// `count` slots from `from`.
    pub const fn starting(from: Slot, count: u32) -> Self {
        Self { from, until: from.plus(count) }
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.until.0.saturating_sub(self.from.0)
    }

    /// True if the two share a slot.
    pub const fn overlaps(self, other: Self) -> bool {
        self.from.0 < other.until.0 && other.from.0 < self.until.0
    }

    /// Every slot in it.
    pub fn iter(self) -> impl Iterator<Item = Slot> {
        (self.from.0..self.until.0).map(Slot)
    }

    /// The time it covers.
    pub const fn window(self) -> Window {
        Window { from: self.from.start(), until: self.until.start() }
    }
}

impl Window {
    /// True from `from` until just before `until`.
    pub const fn contains(self, at: Utc) -> bool {
        self.from.0 <= at.0 && at.0 < self.until.0
    }
}

impl Add<i32> for Day {
    type Output = Self;
    fn add(self, days: i32) -> Self {
        self.plus(days)
    }
}

impl Sub for Day {
    type Output = i32;
    fn sub(self, earlier: Self) -> i32 {
        self.since(earlier)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.rem_euclid(DAY);
        let (seconds, micros) = (rest / SECOND, rest % SECOND);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{}T{hour:02}:{minute:02}:{second:02}", self.day())?;
        if micros != 0 {
            let digits = format!("{micros:06}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start())
    }
}

macro_rules! as_text_or_number {
    ($name:ident, $number:ty, $visit:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = String::deserialize(deserializer)?;
                    $name::parse(&text).map_err(serde::de::Error::custom)
                } else {
                    <$number>::deserialize(deserializer).map($name)
                }
            }
        }
    };
}

as_text_or_number!(Utc, i64, visit_i64);
as_text_or_number!(Day, i32, visit_i32);

fn read_moment(text: &str) -> Option<Utc> {
    let (day, rest) = (text.get(..10)?, text.get(10..)?);
    let day = read_day(day)?;
    let rest = rest.strip_prefix(['T', 't', ' '])?;
    let at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = (rest.get(..at)?, rest.get(at..)?);
    let (clock, fraction) = clock.split_once('.').map_or((clock, ""), |(c, f)| (c, f));
    let mut parts = clock.split(':');
    let mut two = || parts.next().filter(|p| p.len() == 2).and_then(digits);
    let (hour, minute, second) = (two()?, two()?, two()?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 59 || fraction.len() > 9 {
        return None;
    }
    let mut micros = 0;
    for index in 0..6 {
        let digit = fraction.as_bytes().get(index).copied().unwrap_or(b'0');
        micros = micros * 10 + i64::from(digit.checked_sub(b'0').filter(|d| *d < 10)?);
    }
    fraction.bytes().all(|b| b.is_ascii_digit()).then_some(())?;
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let (hours, minutes) = (digits(hours)?, digits(minutes)?);
            if hours > 23 || minutes > 59 || zone.len() != 6 {
                return None;
            }
            let size = hours * 60 + minutes;
            if zone.starts_with('-') { -size } else { size }
        }
    };
    let seconds = hour * 3600 + (minute - offset) * 60 + second;
    Some(Utc(day.start().0 + seconds * SECOND + micros))
}

fn read_day(text: &str) -> Option<Day> {
    let mut parts = text.splitn(3, '-');
    let mut part = |len: usize| parts.next().filter(|p| p.len() == len).and_then(digits);
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    Day::from_ymd(year as i32, month as u32, day as u32)
}

/// A number of ASCII digits only (no sign).
fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Days since 1970-01-01 of a date of the Gregorian calendar.
/// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", public domain.
fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let month = month as i32;
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day as i32 - 1;
    let day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = i64::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
    let year = (year + era * 400) as i32 + i32::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn days_and_dates_agree_over_400_years() {
        assert_eq!(Day::parse("1970-01-01"), Ok(Day(0)));
        assert_eq!(Day::parse("2026-11-20"), Ok(Day(20_777)));
        assert_eq!(Day(20_777).weekday(), 4, "2026-11-20 is a Friday");
        for day in -80_000..80_000 {
            let (year, month, date) = Day(day).ymd();
            assert_eq!(Day::from_ymd(year, month, date), Some(Day(day)));
        }
        for text in ["2026-02-29", "2026-13-01", "2026-1-01", "", "x", "2026-00-10", "2026-04-31"] {
            assert!(Day::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_rfc_3339() {
        let noon = Utc::parse("2026-11-20T12:00:00Z").unwrap();
        assert_eq!(noon.to_string(), "2026-11-20T12:00:00Z");
        assert_eq!(Utc::parse("2026-11-20T20:00:00+08:00"), Ok(noon));
        let half = Utc::parse("2026-11-20T12:00:00.5Z").unwrap();
        assert_eq!(half.0 - noon.0, 500_000);
        assert_eq!(half.to_string(), "2026-11-20T12:00:00.5Z");
        assert_eq!(serde_json::to_string(&half).unwrap(), "\"2026-11-20T12:00:00.5Z\"");
        assert_eq!(Utc(-1).to_string(), "1969-12-31T23:59:59.999999Z");
        for text in ["2026-11-20", "2026-11-20T25:00:00Z", "2026-11-20T12:00:00", "\u{661}", ""] {
            assert!(Utc::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_bytes_break_the_readers() {
        let mut state = 1_u64;
        for _ in 0..10_000 {
            let mut text = String::from("2026-11-20T12:00:00.123456+08:00");
            for _ in 0..3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let at = (state >> 33) as usize % text.len();
                let new = char::from((state >> 41) as u8);
                if text.is_char_boundary(at) {
                    text.insert(at, new);
                }
            }
            let _ = Utc::parse(&text);
            let _ = Day::parse(&text);
        }
    }

    #[test]
    fn slots_touch_but_do_not_overlap() {
        let at = |from, count| Slots::starting(Slot(from), count);
        assert!(!at(4, 4).overlaps(at(8, 1)));
        assert!(at(4, 5).overlaps(at(8, 1)));
        assert_eq!(Utc::parse("1970-01-01T01:14:59Z").unwrap().slot(), Slot(4));
    }
}
