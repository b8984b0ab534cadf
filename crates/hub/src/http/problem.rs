//! Every "no" over HTTP: `application/problem+json` (RFC 9457) with rule, value, limit and what helps.

use crate::identity::registry::Denied;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use telehand_alliance::refusal::{Refusal, Rule};

/// One "no". Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// `about:blank`, or the rule's name as a URN.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// A few words, the same for every problem of this kind.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened, what the hub did, what helps.
    pub detail: String,
    /// The rule that says no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Why, in parts.
    #[serde(flatten)]
    pub why: Option<Box<Why>>,
    /// Seconds to wait, when waiting helps.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

/// What kind of problem it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(Option<Rule>);

impl Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(rule) => serializer.collect_str(&format_args!("urn:telehand:rule:{rule}")),
            None => serializer.serialize_str("about:blank"),
        }
    }
}

/// A refusal's parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// What was found.
    pub value: String,
    /// What would have been enough.
    pub limit: String,
    /// What to do.
    pub satisfy: String,
}

impl Problem {
    /// A problem of plain HTTP.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: Kind(None),
            title: status.canonical_reason().unwrap_or("problem"),
            status: status.as_u16(),
            detail: detail.into(),
            rule: None,
            why: None,
            retry_after_s: None,
        }
    }

    /// The same, with the seconds after which another try makes sense.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The request is not understood.
    #[must_use]
    pub fn bad(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// Nobody is logged in.
    #[must_use]
    pub fn login() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "nobody is logged in, or the session is over; nothing was done. Log in with a passkey; \
             a machine shows its certificate",
        )
    }

    /// There is nothing of this name for the caller: the same words whether it exists or not.
    #[must_use]
    pub fn absent(what: &str) -> Self {
        let refusal = Refusal::new(
            Rule::Tenant,
            what,
            "none of this name that you may see",
            "your own hospital's, and cases that your centre was asked for",
            "Check the name in the list.",
        );
        Self { status: StatusCode::NOT_FOUND.as_u16(), ..Self::from(refusal) }
    }

    /// A refusal of the hub itself, before the alliance was asked.
    #[must_use]
    pub fn refused(rule: Rule, what: &str, value: &str, limit: &str, satisfy: &str) -> Self {
        Self::from(Refusal::new(rule, what, value, limit, satisfy))
    }

    /// The status as axum knows it.
    #[must_use]
    pub fn code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal.rule {
            Rule::Permission | Rule::Tenant | Rule::Strength => StatusCode::FORBIDDEN,
            Rule::Version => StatusCode::PRECONDITION_FAILED,
            Rule::Range | Rule::NoPhi => StatusCode::UNPROCESSABLE_ENTITY,
            _ => StatusCode::CONFLICT,
        };
        let detail = refusal.to_string();
        let Refusal { rule, value, limit, satisfy, .. } = refusal;
        Self {
            kind: Kind(Some(rule)),
            title: rule.title(),
            rule: Some(rule),
            why: Some(Box::new(Why { value, limit, satisfy })),
            ..Self::new(status, detail)
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let status = match &denied {
            Denied::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            Denied::Twice | Denied::TooMany => StatusCode::CONFLICT,
            _ => StatusCode::FORBIDDEN,
        };
        Self::new(status, format!("{denied}. Nothing was changed"))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.code(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
