//! Reading a TOML table key by key, with errors that say where and what would be right.

use telehand_vocab::Span;
use toml::Value;

use super::ProfileError;

/// A TOML table and where it stands in the file.
#[derive(Debug, Clone)]
pub struct Keys<'a> {
    table: &'a toml::Table,
    place: String,
}

impl<'a> Keys<'a> {
    pub fn new(table: &'a toml::Table, place: &str) -> Self {
        Self { table, place: if place.is_empty() { "settings".into() } else { place.into() } }
    }

    /// The same table under another name in errors.
    pub fn at(&self, place: String) -> Self {
        Self { table: self.table, place }
    }

    /// Refuses every key that is not `known`.
    pub fn only(&self, known: &[&'static str]) -> Result<(), ProfileError> {
        match self.table.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(()),
            Some(key) => Err(ProfileError::UnknownKey {
                place: self.place.clone(),
                key: shorten(key),
                nearest: nearest(key, known),
            }),
        }
    }

    pub fn number(
        &self,
        key: &'static str,
        low: f64,
        high: f64,
    ) -> Result<Option<f64>, ProfileError> {
        self.table.get(key).map(|value| self.in_range(key, value, low, high)).transpose()
    }

    pub fn required_number(
        &self,
        key: &'static str,
        low: f64,
        high: f64,
    ) -> Result<f64, ProfileError> {
        self.number(key, low, high)?.ok_or_else(|| self.missing(key))
    }

    pub fn required_numbers(
        &self,
        key: &'static str,
        most: usize,
        low: f64,
        high: f64,
    ) -> Result<Vec<f64>, ProfileError> {
        let value = self.table.get(key).ok_or_else(|| self.missing(key))?;
        let wanted = format!("1 to {most} numbers");
        match value.as_array() {
            Some(list) if !list.is_empty() && list.len() <= most => {
                list.iter().map(|value| self.in_range(key, value, low, high)).collect()
            }
            _ => Err(self.wrong_kind(key, &wanted, value)),
        }
    }

    pub fn millis(
        &self,
        key: &'static str,
        low: f64,
        high: f64,
    ) -> Result<Option<Span>, ProfileError> {
        Ok(self.number(key, low, high)?.map(|millis| Span::from_secs_f64(millis * 1e-3)))
    }

    pub fn required_millis(
        &self,
        key: &'static str,
        low: f64,
        high: f64,
    ) -> Result<Span, ProfileError> {
        Ok(Span::from_secs_f64(self.required_number(key, low, high)? * 1e-3))
    }

    pub fn required_seconds(
        &self,
        key: &'static str,
        low: f64,
        high: f64,
    ) -> Result<Span, ProfileError> {
        Ok(Span::from_secs_f64(self.required_number(key, low, high)?))
    }

    pub fn flag(&self, key: &'static str) -> Result<Option<bool>, ProfileError> {
        let read = |value: &Value| {
            value.as_bool().ok_or_else(|| self.wrong_kind(key, "true or false", value))
        };
        self.table.get(key).map(read).transpose()
    }

    pub fn text(&self, key: &'static str, most: usize) -> Result<Option<String>, ProfileError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        match value.as_str() {
            Some(text) if text.len() <= most => Ok(Some(text.into())),
            _ => Err(self.wrong_kind(key, &format!("a text of at most {most} bytes"), value)),
        }
    }

    /// A name: 1 to `most` of `a-z 0-9 -`.
    pub fn name(&self, key: &'static str, most: usize) -> Result<String, ProfileError> {
        let value = self.table.get(key).ok_or_else(|| self.missing(key))?;
        let fits = |text: &str| {
            (1..=most).contains(&text.len())
                && text.bytes().all(|c| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        match value.as_str() {
            Some(text) if fits(text) => Ok(text.into()),
            _ => Err(self.wrong_kind(key, &format!("1 to {most} of a-z 0-9 -"), value)),
        }
    }

    pub fn choice(
        &self,
        key: &'static str,
        known: &[&'static str],
    ) -> Result<&'static str, ProfileError> {
        let value = self.table.get(key).ok_or_else(|| self.missing(key))?;
        let chosen = value.as_str().and_then(|text| known.iter().find(|known| **known == text));
        chosen
            .copied()
            .ok_or_else(|| self.wrong_kind(key, &format!("one of {}", known.join(", ")), value))
    }

    pub fn table(&self, key: &'static str) -> Result<Option<Keys<'a>>, ProfileError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let table = value.as_table().ok_or_else(|| self.wrong_kind(key, "a table", value))?;
        Ok(Some(Keys { table, place: format!("{}, {key}", self.place) }))
    }

    pub fn tables(
        &self,
        key: &'static str,
        most: usize,
    ) -> Result<Option<Vec<Keys<'a>>>, ProfileError> {
        let Some(value) = self.table.get(key) else { return Ok(None) };
        let wanted = format!("at most {most} tables");
        let list = value
            .as_array()
            .filter(|list| list.len() <= most)
            .ok_or_else(|| self.wrong_kind(key, &wanted, value))?;
        let inner = |(index, value): (usize, &'a Value)| {
            let table = value.as_table().ok_or_else(|| self.wrong_kind(key, &wanted, value))?;
            Ok(Keys { table, place: format!("{}, {key} {}", self.place, index + 1) })
        };
        list.iter().enumerate().map(inner).collect::<Result<Vec<_>, _>>().map(Some)
    }

    pub fn missing(&self, key: &'static str) -> ProfileError {
        ProfileError::Missing { place: self.place.clone(), key }
    }

    pub fn clash(&self, one: &str, other: &str) -> ProfileError {
        self.together(&format!("`{one}` and `{other}` exclude each other; keep one"))
    }

    pub fn needs(&self, key: &str, needed: &str) -> ProfileError {
        self.together(&format!("`{key}` means nothing without `{needed}`; give both"))
    }

    pub fn uneven(&self, one: &str, ones: usize, other: &str, others: usize) -> ProfileError {
        self.together(&format!(
            "`{one}` has {ones} numbers and `{other}` has {others}; give one for each"
        ))
    }

    pub fn together(&self, problem: &str) -> ProfileError {
        ProfileError::Together { place: self.place.clone(), problem: problem.into() }
    }

    fn in_range(
        &self,
        key: &'static str,
        value: &Value,
        low: f64,
        high: f64,
    ) -> Result<f64, ProfileError> {
        let number = match value {
            Value::Integer(whole) => *whole as f64,
            Value::Float(number) => *number,
            _ => return Err(self.wrong_kind(key, "a number", value)),
        };
        // written so that not-a-number is outside as well
        if number >= low && number <= high {
            Ok(number)
        } else {
            Err(ProfileError::OutOfRange {
                place: self.place.clone(),
                key,
                value: number,
                low,
                high,
            })
        }
    }

    fn wrong_kind(&self, key: &'static str, wanted: &str, value: &Value) -> ProfileError {
        let found = match value {
            Value::String(text) => format!("\"{}\"", shorten(text)),
            Value::Array(list) => format!("a list of {}", list.len()),
            Value::Table(_) => "a table".into(),
            plain => plain.to_string(),
        };
        ProfileError::WrongKind { place: self.place.clone(), key, wanted: wanted.into(), found }
    }
}

/// At most 40 characters of what somebody wrote.
fn shorten(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

/// The known key with the fewest single-letter edits from `key`.
fn nearest(key: &str, known: &[&'static str]) -> &'static str {
    let short: String = shorten(key);
    known.iter().copied().min_by_key(|known| edits(&short, known)).unwrap_or("")
}

/// Levenshtein distance, one row at a time.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut next = vec![i + 1];
        for (j, (y, above)) in b.iter().zip(row.iter().skip(1)).enumerate() {
            let left = next.last().copied().unwrap_or(0) + 1;
            let diagonal = row.get(j).copied().unwrap_or(0) + usize::from(x != *y);
            next.push(left.min(above + 1).min(diagonal));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
