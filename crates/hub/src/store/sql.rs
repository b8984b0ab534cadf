//! The little of SQL that both databases speak alike.

use super::StoreError;

/// One value that goes into a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Param<'a> {
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// One value that comes out of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One connection to one database.
pub(crate) trait Connection: Send {
    /// Runs several statements without values.
    fn script(&mut self, sql: &str) -> Result<(), StoreError>;
    /// Runs one statement; says how many rows it changed.
    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError>;
    /// Runs one query.
    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError>;
    /// Whether it still serves; a dead one is thrown away.
    fn alive(&self) -> bool;
    /// How a transaction that writes begins.
    fn begin(&self) -> &'static str;
    /// What stands for `{number_key}` in the schema.
    fn number_key(&self) -> &'static str;
    /// What stands for `{text}` in the schema: a text that compares by its bytes.
    fn text(&self) -> &'static str;
}

/// A row whose values are taken in order.
#[derive(Debug)]
pub(crate) struct Row(std::vec::IntoIter<Value>);

impl Row {
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self(values.into_iter())
    }

    pub(crate) fn int(&mut self) -> Result<i64, StoreError> {
        match self.0.next() {
            Some(Value::Int(value)) => Ok(value),
            other => Err(wrong("a number", other.as_ref())),
        }
    }

    pub(crate) fn count(&mut self) -> Result<u64, StoreError> {
        let value = self.int()?;
        u64::try_from(value)
            .map_err(|_| StoreError::broken(format!("{value} where a count from 0 belongs")))
    }

    pub(crate) fn text(&mut self) -> Result<String, StoreError> {
        match self.0.next() {
            Some(Value::Text(value)) => Ok(value),
            other => Err(wrong("a text", other.as_ref())),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Value::Bytes(value)) => Ok(value),
            other => Err(wrong("bytes", other.as_ref())),
        }
    }

    pub(crate) fn digest(&mut self) -> Result<super::Digest, StoreError> {
        let bytes = self.bytes()?;
        super::Digest::try_from(bytes.as_slice()).map_err(|_| {
            StoreError::broken(format!("{} bytes where a hash of 32 belongs", bytes.len()))
        })
    }
}

fn wrong(wanted: &str, found: Option<&Value>) -> StoreError {
    let found = match found {
        None => "nothing",
        Some(Value::Null) => "null",
        Some(Value::Int(_)) => "a number",
        Some(Value::Text(_)) => "a text",
        Some(Value::Bytes(_)) => "bytes",
    };
    StoreError::broken(format!("{found} where {wanted} belongs"))
}

/// A count as the databases keep it.
///
/// Counts here are numbers of events and slots: 2^63 of them never come to be.
pub(crate) fn int(count: u64) -> Param<'static> {
    Param::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Runs `work` in one transaction: all of it, or nothing.
pub(crate) fn transaction<T>(
    connection: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.script(connection.begin())?;
    match work(connection) {
        Ok(done) => {
            if let Err(error) = connection.script("COMMIT") {
                // A failed commit may leave the transaction open (a full disk); its end is tried,
                // and the first error is what counts.
                let _ = connection.script("ROLLBACK");
                return Err(error);
            }
            Ok(done)
        }
        Err(error) => {
            let _ = connection.script("ROLLBACK");
            Err(error)
        }
    }
}

/// Inserts many rows with few statements. `head` ends before `VALUES`, `tail` begins after it.
///
/// Only five statement texts exist per table, so that each is prepared once.
pub(crate) fn insert(
    connection: &mut dyn Connection,
    head: &str,
    tail: &str,
    width: usize,
    values: &[Param<'_>],
) -> Result<(), StoreError> {
    const ROWS: [usize; 5] = [256, 64, 16, 4, 1];
    let mut rest = values;
    for rows in ROWS {
        if rest.len() < rows * width {
            continue;
        }
        let sql = statement(head, tail, width, rows);
        while let Some((now, later)) = rest.split_at_checked(rows * width) {
            connection.execute(&sql, now)?;
            rest = later;
        }
    }
    Ok(())
}

fn statement(head: &str, tail: &str, width: usize, rows: usize) -> String {
    use std::fmt::Write as _;
    let mut sql = String::with_capacity(head.len() + tail.len() + rows * width * 5);
    sql.push_str(head);
    sql.push_str(" VALUES ");
    for row in 0..rows {
        sql.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            let comma = if column == 0 { "" } else { "," };
            // Writing into a String cannot fail.
            let _ = write!(sql, "{comma}${}", row * width + column + 1);
        }
        sql.push(')');
    }
    sql.push(' ');
    sql.push_str(tail);
    sql
}
