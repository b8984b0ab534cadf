//! How a hospital joins: a signed invitation out, public keys and a one-time code in, a certificate back.
//!
//! Nothing secret travels in the invitation but the code; the site's private keys never travel at all.

use super::call::{Call, Outcome, Reply};
use super::engine::Request;
use super::office::Office;
use super::problem::Problem;
use super::route::Fields;
use crate::clock;
use crate::identity::authority::SiteName;
use crate::identity::record::{Invited, Machine};
use crate::identity::signing::{self, unhex};
use crate::identity::token;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;
use telehand_alliance::command::{Actor, Command, Context};
use telehand_alliance::ids::{OrgId, PersonId, SiteId};
use telehand_alliance::time::Utc;

/// What a hospital gets on paper, stick or mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// The alliance's name.
    pub alliance: String,
    /// Where the hub is.
    pub url: String,
    /// The authority whose certificate the hub shows: the site trusts no other.
    pub authority: String,
    /// The hub's Ed25519 key, hexadecimal: it signs this, checkpoints and grants.
    pub hub_key: String,
    /// The organisation.
    pub org: OrgId,
    /// Its first site.
    pub site: SiteId,
    /// Good once, until `until`.
    pub code: String,
    /// RFC 3339.
    pub until: Utc,
    /// The hub's signature over all of the above, hexadecimal.
    #[serde(default)]
    pub signature: String,
}

impl Invitation {
    fn signed_bytes(&self) -> Vec<u8> {
        let plain = Self { signature: String::new(), ..self.clone() };
        let mut bytes = b"telehand invitation v1\n".to_vec();
        bytes.extend(serde_json::to_vec(&plain).unwrap_or_default());
        bytes
    }

    /// Whether nothing of it was changed since the hub signed it.
    #[must_use]
    pub fn holds(&self) -> bool {
        let key = unhex::<32>(&self.hub_key);
        let signature = unhex::<64>(&self.signature);
        let (Some(key), Some(signature)) = (key, signature) else { return false };
        signing::verified(&key, &self.signed_bytes(), &signature)
    }
}

/// What a site sends to join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joining {
    /// The invitation's code.
    pub code: String,
    /// The Ed25519 key of its certificate, hexadecimal.
    pub tls_key: String,
    /// The Ed25519 key with which it signs grants, hexadecimal.
    pub sign_key: String,
    /// Signatures of both keys over the other three, hexadecimal: it holds the private halves.
    pub proofs: [String; 2],
}

impl Joining {
    /// What both keys sign.
    #[must_use]
    pub fn signed_bytes(code: &str, tls_key: &str, sign_key: &str) -> Vec<u8> {
        format!("telehand join v1\n{code}\n{tls_key}\n{sign_key}\n").into_bytes()
    }
}

/// What a site gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Its certificate, PEM.
    pub certificate: String,
    /// The authority's certificate, PEM.
    pub authority: String,
    /// The hub's Ed25519 key, hexadecimal.
    pub hub_key: String,
    /// The organisation.
    pub org: OrgId,
    /// The site.
    pub site: SiteId,
    /// The link by which the first administrator enrols a passkey.
    pub enrolment: String,
}

/// `POST /v1/orgs:invite`: `{org, administrator, site?}` with what is known; ids are made here.
pub fn invite(office: &Arc<Office>, call: &Call) -> Outcome {
    let fields = call.object()?;
    super::text::check(&fields)?;
    let key = call.key.clone().filter(|key| !key.is_empty()).unwrap_or_else(token::fresh);
    let asked = invite_org(office, call.actor()?.clone(), &fields, &key, call.now_us);
    Ok(Reply::json(&wait(asked)?).status(StatusCode::CREATED))
}

/// Invites an organisation on behalf of `actor`. The same `key` gives the same organisation, and a
/// new code.
///
/// # Errors
/// The alliance's refusal; 400 for fields that do not fit.
pub async fn invite_org(
    office: &Office,
    actor: Actor,
    fields: &Fields,
    key: &str,
    now_us: i64,
) -> Result<Invitation, Problem> {
    let seed = |what: &str| token::sha256(format!("{:?}\n{key}\n{what}", actor.who).as_bytes());
    let id = |what: &str| json!(clock::uuid_v8(&seed(what)));
    let bad = |error: serde_json::Error| {
        Problem::bad(format!("the body does not fit: {error}; nothing was done"))
    };
    let part = |name: &str, fixed: Value| {
        let mut part = Fields::new();
        part.insert("id".into(), id(name));
        if let Some(Value::Object(given)) = fields.get(name) {
            part.extend(given.clone());
        }
        if let Value::Object(fixed) = fixed {
            part.extend(fixed);
        }
        part
    };
    let org = part("org", json!({"state": "invited", "kind": "hospital"}));
    let org_id = org.get("id").cloned().unwrap_or_default();
    let administrator =
        part("administrator", json!({"org": org_id, "roles": ["administrator"], "active": true}));
    let person = administrator.get("id").cloned().unwrap_or_default();
    let site = fields.get("site").cloned().unwrap_or_else(|| id("site"));
    let site: SiteId = serde_json::from_value(site).map_err(bad)?;
    let command: Command =
        serde_json::from_value(json!({"invite_org": {"org": org, "administrator": administrator}}))
            .map_err(bad)?;
    let org: OrgId = serde_json::from_value(org_id).map_err(bad)?;
    let person: PersonId = serde_json::from_value(person).map_err(bad)?;
    let body = token::sha256(&serde_json::to_vec(fields).unwrap_or_default());
    let request = Request { name: seed("request"), body };
    let context = Context { now: Utc(now_us), actor, reason: None, expected: None };
    office.submit(context, command, Some(request)).await?;
    invitation(office, org, site, person, now_us)
}

/// A signed invitation with a new code.
///
/// # Errors
/// 503 when the code cannot be stored.
fn invitation(
    office: &Office,
    org: OrgId,
    site: SiteId,
    administrator: PersonId,
    now_us: i64,
) -> Result<Invitation, Problem> {
    let Some(authority) = &office.authority else {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "this hub has no authority of its own and can sign no site's certificate; make one with \
             `telehand hub init`",
        ));
    };
    let invited = Invited { org: org.clone(), site: site.clone(), administrator, until_us: 0 };
    let code = office.registry.invite_site(invited, now_us)?;
    let mut invitation = Invitation {
        alliance: office.config.name.clone(),
        url: office.config.public_url.origin(),
        authority: authority.pem().to_owned(),
        hub_key: clock::hex(&office.key.public()),
        org,
        site,
        code,
        until: Utc(now_us.saturating_add(office.registry.terms().invitation_us)),
        signature: String::new(),
    };
    invitation.signature = clock::hex(&office.key.sign(&invitation.signed_bytes()));
    Ok(invitation)
}

/// `POST /v1/join`.
pub fn join(office: &Arc<Office>, call: &Call) -> Outcome {
    office.guesses.take(&call.ip, call.now_us).map_err(|wait_s| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many attempts; nothing was done")
            .retry_after(wait_s)
    })?;
    let asked: Joining = call.json()?;
    let Some(authority) = &office.authority else {
        return Err(Problem::new(StatusCode::CONFLICT, "this hub signs no certificates"));
    };
    let invited = office.registry.invitation(&asked.code, call.now_us)?;
    let keys = (unhex::<32>(&asked.tls_key), unhex::<32>(&asked.sign_key));
    let message = Joining::signed_bytes(&asked.code, &asked.tls_key, &asked.sign_key);
    let proven = |key: &[u8; 32], proof: Option<&String>| {
        let proof = proof.and_then(|proof| unhex::<64>(proof));
        proof.is_some_and(|proof| signing::verified(key, &message, &proof))
    };
    let (Some(tls), Some(sign)) = keys else {
        return Err(Problem::bad("a key is not 64 hexadecimal digits; nothing was done"));
    };
    let [first, second] = &asked.proofs;
    if tls == sign || !proven(&tls, Some(first)) || !proven(&sign, Some(second)) {
        return Err(Problem::bad(
            "the two keys are not different keys whose private halves signed the request; nothing was done",
        ));
    }
    let now_s = call.now_us / 1_000_000;
    let days = office.config.certificate_days;
    let name = SiteName { org: invited.org.to_string(), site: invited.site.to_string() };
    let certificate = authority
        .issue_site(&name, &tls, now_s, days)
        .map_err(|error| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    let machine = Machine {
        org: invited.org.clone(),
        site: invited.site.clone(),
        tls_key: asked.tls_key,
        sign_key: asked.sign_key,
        until_s: now_s.saturating_add_unsigned(days.saturating_mul(86_400)),
        revoked: false,
    };
    let enrolment =
        office.registry.invite_person(&invited.administrator, &invited.org, call.now_us)?;
    office.registry.admit(&asked.code, machine, call.now_us)?;
    Ok(Reply::json(&Joined {
        certificate,
        authority: authority.pem().to_owned(),
        hub_key: clock::hex(&office.key.public()),
        org: invited.org,
        site: invited.site,
        enrolment: super::enrolment_link(&office.config, &enrolment),
    })
    .status(StatusCode::CREATED))
}

/// Waits on a thread that may.
pub(super) fn wait<T>(later: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(later)
}
