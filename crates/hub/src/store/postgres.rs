//! `PostgreSQL` 15 or later: several hubs on one database, of which one leads.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use bytes::BytesMut;
use postgres::config::Host;
use postgres::error::SqlState;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, NoTls, Statement};

use super::StoreError;
use super::pool::Database;
use super::sql::{Connection, Param, Row, Value};

/// The advisory lock of the leader: "telehand" in ASCII.
const LEADER_LOCK: i64 = i64::from_be_bytes(*b"telehand");

/// A database on a `PostgreSQL` server.
pub(crate) struct Postgres {
    config: Config,
}

impl Postgres {
    /// Reads the address; nothing is connected yet.
    pub(crate) fn new(address: &str) -> Result<Self, StoreError> {
        let mut config: Config = address.parse().map_err(|error: postgres::Error| {
            StoreError::database("reading the database's address", error)
        })?;
        if let Some(host) = config.get_hosts().iter().find_map(far) {
            return Err(StoreError::database(
                "choosing how to connect",
                format!(
                    "{host} is not this machine, and the connection would not be encrypted. \
                     Reach it through a Unix socket or a local TLS tunnel"
                ),
            ));
        }
        // A server that is gone is noticed within half a minute, not within hours.
        config
            .application_name("telehand hub")
            .connect_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(10))
            .tcp_user_timeout(Duration::from_secs(20));
        Ok(Self { config })
    }
}

/// The name of a host that is not this machine.
fn far(host: &Host) -> Option<String> {
    match host {
        Host::Tcp(name) if name == "localhost" => None,
        Host::Tcp(name) if name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) => {
            None
        }
        Host::Tcp(name) => Some(name.clone()),
        #[cfg(unix)]
        Host::Unix(_) => None,
    }
}

impl Database for Postgres {
    fn connect(&self, writes: bool) -> Result<Box<dyn Connection>, StoreError> {
        let client = self
            .config
            .connect(NoTls)
            .map_err(|error| StoreError::database("connecting to the database", error))?;
        let mut link = PostgresLink { client, prepared: HashMap::new() };
        // A leader that hangs inside a transaction must not block its successor for ever.
        link.script(
            "SET synchronous_commit = on; SET statement_timeout = '30s'; SET lock_timeout = '20s'; \
             SET idle_in_transaction_session_timeout = '10s'; SET client_min_messages = warning;",
        )?;
        if writes {
            link.durable()?;
        } else {
            link.script("SET default_transaction_read_only = on")?;
        }
        Ok(Box::new(link))
    }

    fn lock(&self, connection: &mut dyn Connection) -> Result<(), StoreError> {
        let sql = "SELECT CASE WHEN pg_try_advisory_lock($1) THEN 1::BIGINT ELSE 0::BIGINT END";
        let taken = connection.query(sql, &[Param::Int(LEADER_LOCK)])?;
        if taken.into_iter().next().map(|mut row| row.int()).transpose()? == Some(1) {
            return Ok(());
        }
        Err(StoreError::Led { holder: super::query::head(connection)?.holder })
    }

    fn unseat(&self, connection: &mut dyn Connection) -> Result<(), StoreError> {
        // An advisory lock of 64 bits shows as two numbers of 32.
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks \
                   WHERE locktype = 'advisory' AND objsubid = 1 \
                   AND classid::BIGINT = $1 AND objid::BIGINT = $2 AND pid <> pg_backend_pid() \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let params = [Param::Int(LEADER_LOCK >> 32), Param::Int(LEADER_LOCK & i64::from(u32::MAX))];
        connection.query(sql, &params)?;
        Ok(())
    }

    fn remote(&self) -> bool {
        true
    }
}

struct PostgresLink {
    client: Client,
    prepared: HashMap<String, Statement>,
}

impl PostgresLink {
    /// Refuses a server that says "written" before it is.
    fn durable(&mut self) -> Result<(), StoreError> {
        for setting in ["fsync", "full_page_writes"] {
            let rows = self.query(&format!("SHOW {setting}"), &[])?;
            let value = rows.into_iter().next().map(|mut row| row.text()).transpose()?;
            if value.as_deref() != Some("on") {
                return Err(StoreError::database(
                    "checking the server's settings",
                    format!(
                        "{setting} is {value:?} and must be on: with it off, what was acknowledged \
                         is lost when the power fails. Set it in postgresql.conf and reload"
                    ),
                ));
            }
        }
        Ok(())
    }

    fn statement(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(statement) = self.prepared.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql)?;
        self.prepared.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn run(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, postgres::Error> {
        let statement = self.statement(sql)?;
        let rows = self.client.query(&statement, &borrowed(params))?;
        rows.iter()
            .map(|row| {
                (0..row.len())
                    .map(|column| value(row, column))
                    .collect::<Result<_, _>>()
                    .map(Row::new)
            })
            .collect()
    }
}

fn borrowed<'a>(params: &'a [Param<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|param| param as &(dyn ToSql + Sync)).collect()
}

impl Connection for PostgresLink {
    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.client.batch_execute(sql).map_err(|error| failure("running a script", error))
    }

    fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let run = |link: &mut Self| {
            let statement = link.statement(sql)?;
            link.client.execute(&statement, &borrowed(params))
        };
        run(self).map_err(|error| failure("writing", error))
    }

    fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>, StoreError> {
        self.run(sql, params).map_err(|error| failure("reading", error))
    }

    fn alive(&self) -> bool {
        !self.client.is_closed()
    }

    fn begin(&self) -> &'static str {
        "BEGIN"
    }

    fn number_key(&self) -> &'static str {
        "BIGINT PRIMARY KEY"
    }

    fn text(&self) -> &'static str {
        "TEXT COLLATE \"C\""
    }
}

impl ToSql for Param<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Int(value) => value.to_sql_checked(kind, out),
            Self::Text(value) => value.to_sql_checked(kind, out),
            Self::Bytes(value) => value.to_sql_checked(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::INT8 || *kind == Type::TEXT || *kind == Type::BYTEA
    }

    to_sql_checked!();
}

fn value(row: &postgres::Row, column: usize) -> Result<Value, postgres::Error> {
    let kind = row.columns().get(column).map(postgres::Column::type_);
    Ok(match kind {
        Some(kind) if *kind == Type::INT8 => {
            row.try_get::<_, Option<i64>>(column)?.map_or(Value::Null, Value::Int)
        }
        Some(kind) if *kind == Type::TEXT => {
            row.try_get::<_, Option<String>>(column)?.map_or(Value::Null, Value::Text)
        }
        Some(kind) if *kind == Type::BYTEA => {
            row.try_get::<_, Option<Vec<u8>>>(column)?.map_or(Value::Null, Value::Bytes)
        }
        // No query of ours asks for anything else.
        _ => Value::Null,
    })
}

fn failure(at: &'static str, error: postgres::Error) -> StoreError {
    if error.code() == Some(&SqlState::UNIQUE_VIOLATION) {
        return StoreError::Taken { resource: String::new(), slot: 0 };
    }
    StoreError::database(at, error)
}
