//! The grant as a token: the hub signs what the alliance decided, the site's machine adds its own
//! signature, and the arm verifies both without any network.

use super::call::{Call, Outcome, Reply};
use super::office::Office;
use super::problem::Problem;
use crate::identity::signing::{SigningKey, unhex};
use crate::identity::token as text;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use telehand_alliance::command::Who;
use telehand_alliance::entity::session::{GrantRecord, GrantState};
use telehand_alliance::grant::{Claims, LogHead, Token, Trust, both_signed};
use telehand_alliance::ids::GrantId;
use telehand_alliance::log::{EMPTY_ROOT, PublicKey, SignedCheckpoint, Signer};
use telehand_alliance::refusal::Rule;
use telehand_alliance::time::Utc;
use telehand_alliance::view;

impl Signer for SigningKey {
    fn public_key(&self) -> PublicKey {
        PublicKey::new(self.public())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        Self::sign(self, message)
    }
}

/// `GET /v1/sessions/{session}/grants/{grant}`: `application/cose`.
pub fn token(office: &Arc<Office>, call: &Call) -> Outcome {
    let (record, signed) = issued(office, call)?;
    let bytes = match signed {
        Some(bytes) => bytes,
        None => half(office, &record, call.now_us)?,
    };
    Ok(Reply::bytes("application/cose", bytes))
}

/// The record of an issued grant, and its token as far as it was kept.
fn issued(office: &Office, call: &Call) -> Result<(GrantRecord, Option<Vec<u8>>), Problem> {
    let (actor, id): (_, GrantId) = (call.actor()?, call.id("grant")?);
    let session = call.parameter("session");
    let record = office.look(|alliance| {
        let record = alliance.grant(&id).filter(|g| g.session.to_string() == session)?;
        view::visible(alliance, actor, &record.case).then(|| record.clone())
    });
    let record = record.ok_or_else(|| Problem::absent("the grant"))?;
    if record.state != GrantState::Issued {
        return Err(Problem::refused(
            Rule::Grant,
            "the grant",
            &format!("{:?}", record.state).to_lowercase(),
            "issued",
            "The surgeon asks, a second person of the site signs; a revoked grant is asked for anew.",
        ));
    }
    let kept = office.registry.token(&id);
    Ok((record, kept))
}

/// The token with the hub's signature. It is kept, so that everybody gets the same one.
fn half(office: &Office, record: &GrantRecord, now_us: i64) -> Result<Vec<u8>, Problem> {
    let broken = |why: String| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why).retry_after(1);
    let operator = office.look(|alliance| alliance.operator().cloned());
    let operator = operator.ok_or_else(|| broken("the alliance is not founded".into()))?;
    let head = match &office.log {
        Some(log) => {
            let note = log.checkpoint().map_err(|error| broken(error.to_string()))?;
            note.and_then(|(_, note)| SignedCheckpoint::parse(&note).ok()).map_or(
                LogHead { size: 0, root: EMPTY_ROOT },
                |signed| LogHead { size: signed.checkpoint().size, root: signed.checkpoint().root },
            )
        }
        None => LogHead { size: 0, root: EMPTY_ROOT },
    };
    let claims = Claims::of(record, operator, Utc(now_us), head);
    let bytes = Token::new(&claims)
        .map(|token| token.sign(&*office.key))
        .and_then(|token| token.to_bytes())
        .map_err(|error| broken(format!("the token cannot be written: {error}")))?;
    office.registry.keep_token(&record.id, &bytes)?;
    Ok(bytes)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    /// The whole token with both signatures, base64url.
    token: String,
}

/// `POST /v1/sessions/{session}/grants/{grant}:cosign`, by the machine of the patient's site.
pub fn cosign(office: &Arc<Office>, call: &Call) -> Outcome {
    let Signed { token: given } = call.json()?;
    let (record, kept) = issued(office, call)?;
    let Who::Site(site) = &call.actor()?.who else { return Err(Problem::absent("the grant")) };
    let own = office.registry.machine(site).filter(|_| *site == record.site);
    let Some(key) = own.and_then(|machine| unhex::<32>(&machine.sign_key)) else {
        return Err(Problem::refused(
            Rule::Tenant,
            "who signs for the site",
            "another site's machine",
            "the machine of the patient's site",
            "Sign it there.",
        ));
    };
    let bad = |why: &str| Problem::bad(format!("{why}; nothing was done"));
    let bytes = text::bytes(&given).ok_or_else(|| bad("the token is not base64url"))?;
    let token = Token::parse(&bytes).map_err(|error| bad(&error.to_string()))?;
    let half = kept.and_then(|bytes| Token::parse(&bytes).ok());
    if half.is_none_or(|half| half.claims() != token.claims()) {
        return Err(Problem::refused(
            Rule::Grant,
            "what the token says",
            "something else than the hub signed",
            "the hub's own token with one more signature",
            "Fetch the token, sign that one.",
        ));
    }
    let hub = token.claims().hub.clone();
    let trust = Trust {
        hubs: [(hub, vec![PublicKey::new(office.key.public())])].into(),
        sites: [(record.site.clone(), vec![PublicKey::new(key)])].into(),
        ..Trust::default()
    };
    both_signed(&token, &trust)?;
    office.registry.keep_token(&record.id, &bytes)?;
    Ok(Reply::json(&json!({"grant": record.id, "signatures": token.signatures()})))
}
