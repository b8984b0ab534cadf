//! One request on its way to a handler, and what comes back.

use super::problem::Problem;
use super::route::Route;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::net::IpAddr;
use telehand_alliance::command::{Actor, Strength, Who};
use telehand_alliance::entity::people::Role;
use telehand_alliance::ids::{OrgId, PersonId};
use telehand_alliance::state::Alliance;

/// What a handler answers.
pub type Outcome = Result<Reply, Problem>;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody is logged in.
    Nobody,
    /// A person or a machine.
    Known {
        /// As the alliance knows it.
        actor: Actor,
        /// When a passkey was touched last, microseconds since 1970.
        asserted_us: i64,
        /// The session's name, for logging out; machines have none.
        session: Option<[u8; 32]>,
    },
}

/// One request.
#[derive(Debug)]
pub struct Call {
    /// The row of the table that takes it.
    pub route: &'static Route,
    /// Who asks.
    pub caller: Caller,
    /// From where.
    pub ip: IpAddr,
    /// The path's parameters.
    pub parameters: Vec<(&'static str, String)>,
    /// What stands behind the question mark.
    pub query: Vec<(String, String)>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The idempotency key, on writes.
    pub key: Option<String>,
    /// When it came, microseconds since 1970.
    pub now_us: i64,
}

impl Call {
    /// A parameter of the path.
    #[must_use]
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the path as an id.
    ///
    /// # Errors
    /// A problem saying what an id looks like.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Problem> {
        parse(name, self.parameter(name))
    }

    /// A parameter behind the question mark.
    #[must_use]
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
            .filter(|v| !v.is_empty())
    }

    /// A parameter behind the question mark as an id or a number.
    ///
    /// # Errors
    /// A problem saying that it is none.
    pub fn asked_id<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.asked(name).map(|text| parse(name, text)).transpose()
    }

    /// The body as an object.
    ///
    /// # Errors
    /// A problem saying what is wrong with it.
    pub fn object(&self) -> Result<serde_json::Map<String, Value>, Problem> {
        if self.body.is_empty() {
            return Ok(serde_json::Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(fields)) => Ok(fields),
            Ok(_) => Err(Problem::bad("the body is JSON, but no object; nothing was done")),
            Err(error) => {
                Err(Problem::bad(format!("the body is not JSON: {error}; nothing was done")))
            }
        }
    }

    /// The body as a value of ours.
    ///
    /// # Errors
    /// A problem saying which field is wrong.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Problem::bad(format!("the body does not fit: {error}; nothing was done"))
        })
    }

    /// Who asks, as the alliance knows them.
    ///
    /// # Errors
    /// 401 when nobody is logged in.
    pub fn actor(&self) -> Result<&Actor, Problem> {
        match &self.caller {
            Caller::Known { actor, .. } => Ok(actor),
            Caller::Nobody => Err(Problem::login()),
        }
    }

    /// The person who asks.
    ///
    /// # Errors
    /// 401 when nobody is logged in, 403 for a machine.
    pub fn person(&self) -> Result<(&PersonId, &OrgId), Problem> {
        let actor = self.actor()?;
        match &actor.who {
            Who::Person(person) => Ok((person, &actor.org)),
            Who::Site(_) | Who::Hub => Err(Problem::new(
                StatusCode::FORBIDDEN,
                "this is for people, and a machine asked; nothing was done",
            )),
        }
    }

    /// Whether a person with this role asks, who is active and not suspended.
    #[must_use]
    pub fn acts_as(&self, alliance: &Alliance, role: Role) -> bool {
        let Caller::Known { actor, .. } = &self.caller else { return false };
        actor
            .person()
            .and_then(|person| alliance.person(person))
            .is_some_and(|person| person.acts_as(role))
    }

    /// How the caller proved who they are.
    #[must_use]
    pub fn strength(&self) -> Option<Strength> {
        match &self.caller {
            Caller::Known { actor, .. } => Some(actor.strength),
            Caller::Nobody => None,
        }
    }
}

/// An id or number out of a text.
fn parse<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|_| {
        Problem::bad(format!(
            "{name} is not what it should be (ids have 1 to 64 letters, digits and hyphens); \
             nothing was done"
        ))
    })
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, String)>,
    body: Body,
}

impl Reply {
    /// 204.
    #[must_use]
    pub fn empty() -> Self {
        Self { status: StatusCode::NO_CONTENT, headers: Vec::new(), body: Body::empty() }
    }

    /// 200 with JSON.
    #[must_use]
    pub fn json(value: &impl serde::Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => Self::bytes("application/json", bytes),
            Err(error) => Self::text(format!("the answer could not be written: {error}"))
                .status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// 200 with a list: `{"items": [...], "next": cursor or null}`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "a cursor is made for this answer")]
    pub fn list(items: &[Value], next: Option<String>) -> Self {
        Self::json(&json!({"items": items, "next": next}))
    }

    /// 200 with plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::bytes("text/plain; charset=utf-8", text.into().into_bytes())
    }

    /// 200 with bytes of a media type.
    #[must_use]
    pub fn bytes(kind: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self::stream(kind, Body::from(bytes.into()))
    }

    /// 200 with a body that may take its time.
    #[must_use]
    pub fn stream(kind: &'static str, body: Body) -> Self {
        Self { status: StatusCode::OK, headers: vec![(header::CONTENT_TYPE, kind.into())], body }
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// With a header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With the version of what is answered, for `If-Match`.
    #[must_use]
    pub fn version(self, version: u64) -> Self {
        self.with(header::ETAG, format!("\"{version}\""))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}
