//! The hub over HTTP: one table of routes, one way through, one place where it is decided who may ask.

pub mod access;
pub mod call;
pub mod connection;
pub mod engine;
mod granting;
pub mod joining;
pub mod ledger;
pub mod limit;
pub mod log;
pub mod memory;
pub mod metrics;
pub mod office;
pub mod openapi;
mod page;
mod pipeline;
pub mod problem;
pub mod route;
mod routes;
mod shape;
mod stream;
pub mod table;
mod text;
pub mod tls;

use crate::config::Config;
use office::Office;

/// The session's cookie. Cookies do not know ports: two hubs of one machine must not share one.
fn session_cookie(office: &Office) -> String {
    let url = &office.config.public_url;
    if url.tls {
        return "__Host-telehand_session".into();
    }
    format!("telehand_session_{}", url.port)
}

/// The address at which somebody enrols a passkey. The code stands behind `#`: no log gets it.
#[must_use]
pub fn enrolment_link(config: &Config, code: &str) -> String {
    format!("{}/#/enrol/{code}", config.public_url.origin())
}
