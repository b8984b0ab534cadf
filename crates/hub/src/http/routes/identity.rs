//! Coming in and going out: passkeys, enrolment, recovery.

use crate::http::call::{Call, Caller, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Method, Route, Who};
use crate::http::session_cookie;
use crate::identity::passkey::{Assertion, Attestation, EDDSA, ES256};
use crate::identity::token;
use axum::http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use telehand_alliance::command::Strength;
use telehand_alliance::ids::PersonId;
use telehand_alliance::refusal::Rule;
use telehand_alliance::time::Utc;

const TAG: &str = "identity";
const PEOPLE: Who = Who::People(&[]);

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::slow(Method::Post, "/v1/login:begin", "login_begin", login_begin)
        .open()
        .about(TAG, "A challenge for a passkey"),
    Route::slow(Method::Post, "/v1/login:finish", "login_finish", login_finish)
        .open()
        .about(TAG, "The passkey's answer: a session cookie"),
    Route::slow(Method::Post, "/v1/login:recover", "login_recover", recover)
        .open()
        .about(TAG, "A recovery code: a session that can only enrol a new passkey"),
    Route::slow(Method::Post, "/v1/login:demo", "login_demo", demo)
        .open()
        .about(TAG, "Only in a demonstration: a session for anybody, with the token of its start"),
    Route::slow(Method::Post, "/v1/enrol:begin", "enrol_begin", enrol_begin)
        .open()
        .about(TAG, "What an enrolment link is for, and a challenge for the new passkey"),
    Route::slow(Method::Post, "/v1/enrol:finish", "enrol_finish", enrol_finish)
        .open()
        .about(TAG, "The new passkey: the link is used up, a session cookie"),
    Route::slow(Method::Post, "/v1/logout", "logout", logout)
        .open()
        .about(TAG, "End the own session"),
    Route::read("/v1/me", "me", me).who(Who::Member).about(TAG, "Who is logged in, and how"),
    Route::read("/v1/me/passkeys", "passkeys", |office, call| {
        let (person, _) = call.person()?;
        let items = office.registry.passkeys(person).into_iter().map(|(made_us, key)| {
            json!({"id": key.id, "enrolled": Utc(made_us), "backed_up": key.backed_up})
        });
        Ok(Reply::list(&items.collect::<Vec<_>>(), None))
    })
    .who(PEOPLE)
    .about(TAG, "The own passkeys"),
    Route::slow(Method::Delete, "/v1/me/passkeys/{passkey}", "remove_passkey", |office, call| {
        let (person, _) = call.person()?;
        office.registry.remove_passkey(person, call.parameter("passkey"))?;
        Ok(Reply::empty())
    })
    .who(PEOPLE)
    .about(TAG, "Remove one of the own passkeys"),
    Route::slow(Method::Post, "/v1/me:enrol", "enrol_self", enrol_self)
        .who(PEOPLE)
        .about(TAG, "A link to enrol a further passkey of one's own"),
    Route::slow(Method::Post, "/v1/me/recovery-codes", "recovery_codes", recovery_codes)
        .who(PEOPLE)
        .about(TAG, "New recovery codes, shown once; the old ones are void"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// The challenge.
    id: String,
    credential: Credential,
    #[serde(default)]
    token: Option<String>,
}

/// `PublicKeyCredential.toJSON()` (`WebAuthn` Level 3, section 5.1.8).
#[derive(Deserialize)]
struct Credential {
    id: String,
    response: Response,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    #[serde(default)]
    attestation_object: String,
    #[serde(default)]
    authenticator_data: String,
    #[serde(default)]
    signature: String,
    #[serde(default)]
    user_handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    token: String,
}

/// Guesses cost time: a caller's address has few.
fn guess(office: &Office, call: &Call) -> Result<(), Problem> {
    office.guesses.take(&call.ip, call.now_us).map_err(|wait_s| {
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too many attempts; nothing was done")
            .retry_after(wait_s)
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a handler")]
fn login_begin(office: &Arc<Office>, _: &Call) -> Outcome {
    let challenge = token::text(&office.registry.begin_login(crate::clock::now_us()));
    Ok(Reply::json(&json!({
        "id": challenge,
        "options": {
            "challenge": challenge,
            "rpId": office.registry.terms().rp_id,
            "timeout": 300_000,
            "userVerification": "required",
            "allowCredentials": [],
        },
    })))
}

fn login_finish(office: &Arc<Office>, call: &Call) -> Outcome {
    guess(office, call)?;
    let Answer { id, credential, .. } = call.json()?;
    let challenge = challenge(&id)?;
    let answer = Assertion {
        credential: credential.id,
        client_data: credential.response.client_data,
        authenticator_data: credential.response.authenticator_data,
        signature: credential.response.signature,
        user_handle: credential.response.user_handle,
    };
    let passkey = office.registry.finish_login(&challenge, &answer, call.now_us)?;
    if let Caller::Known { session: Some(old), .. } = &call.caller {
        office.registry.end_session(old)?;
    }
    let token = office.registry.begin_session(
        &passkey.person,
        &passkey.org,
        Strength::Passkey,
        call.now_us,
    )?;
    Ok(come_in(office, &passkey.person, &token))
}

fn challenge(id: &str) -> Result<Vec<u8>, Problem> {
    token::bytes(id)
        .ok_or_else(|| Problem::bad("the challenge's id is not base64url; nothing was done"))
}

/// The session's cookie. It is only ever sent back to this hub's own pages.
fn come_in(office: &Office, person: &PersonId, token: &str) -> Reply {
    let secure = if office.config.public_url.tls { "; Secure" } else { "" };
    let age_s = office.config.session_absolute_h * 3600;
    let cookie = format!(
        "{}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={age_s}{secure}",
        session_cookie(office)
    );
    Reply::json(&json!({"person": person})).with(header::SET_COOKIE, cookie)
}

fn logout(office: &Arc<Office>, call: &Call) -> Outcome {
    if let Caller::Known { session: Some(name), .. } = &call.caller {
        office.registry.end_session(name)?;
    }
    let cookie =
        format!("{}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0", session_cookie(office));
    Ok(Reply::json(&json!({})).with(header::SET_COOKIE, cookie))
}

fn enrol_begin(office: &Arc<Office>, call: &Call) -> Outcome {
    guess(office, call)?;
    let Code { token: code } = call.json()?;
    let (enrolment, challenge, known) = office.registry.begin_enrolment(&code, call.now_us)?;
    let name = office
        .look(|alliance| alliance.person(&enrolment.person).map(|person| person.name.clone()))
        .unwrap_or_default();
    let challenge = token::text(&challenge);
    let known: Vec<Value> =
        known.iter().map(|id| json!({"type": "public-key", "id": id})).collect();
    let kinds = [EDDSA, ES256].map(|alg| json!({"type": "public-key", "alg": alg}));
    Ok(Reply::json(&json!({
        "id": challenge,
        "options": {
            "challenge": challenge,
            "rp": {"id": office.registry.terms().rp_id, "name": office.config.name},
            "user": {
                "id": token::text(enrolment.person.to_string().as_bytes()),
                "name": name, "displayName": name,
            },
            "pubKeyCredParams": kinds,
            "timeout": 300_000,
            "attestation": "none",
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            },
            "excludeCredentials": known,
        },
    })))
}

fn enrol_finish(office: &Arc<Office>, call: &Call) -> Outcome {
    guess(office, call)?;
    let Answer { id, credential, token: code } = call.json()?;
    let code = code.ok_or_else(|| Problem::bad("the link's token is missing; nothing was done"))?;
    let answer = Attestation {
        client_data: credential.response.client_data,
        attestation_object: credential.response.attestation_object,
    };
    let challenge = challenge(&id)?;
    let passkey = office.registry.finish_enrolment(&code, &challenge, &answer, call.now_us)?;
    let token = office.registry.begin_session(
        &passkey.person,
        &passkey.org,
        Strength::Passkey,
        call.now_us,
    )?;
    Ok(come_in(office, &passkey.person, &token))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recovering {
    person: PersonId,
    code: String,
}

fn recover(office: &Arc<Office>, call: &Call) -> Outcome {
    guess(office, call)?;
    let Recovering { person, code } = call.json()?;
    let org = office.registry.recover(&person, &code)?;
    let token = office.registry.begin_session(&person, &org, Strength::Recovery, call.now_us)?;
    Ok(come_in(office, &person, &token))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Demo {
    token: String,
    person: PersonId,
}

/// In a demonstration everything is invented, and so is the passkey.
fn demo(office: &Arc<Office>, call: &Call) -> Outcome {
    guess(office, call)?;
    let Demo { token: given, person } = call.json()?;
    let fits =
        office.demo.as_ref().is_some_and(|own| token::same(own.as_bytes(), given.as_bytes()));
    if !fits {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "this is for `telehand hub run --demo` with the token it printed; nothing was done",
        ));
    }
    let org = office
        .look(|alliance| alliance.person(&person).map(|person| person.org.clone()))
        .ok_or_else(|| Problem::absent("the person"))?;
    let token = office.registry.begin_session(&person, &org, Strength::Passkey, call.now_us)?;
    Ok(come_in(office, &person, &token))
}

fn me(office: &Office, call: &Call) -> Outcome {
    let actor = call.actor()?;
    let simulated = office.demo.is_some();
    let Some(id) = actor.person() else {
        return Ok(Reply::json(&json!({
            "person": null, "site": actor.who, "org": actor.org, "roles": [],
            "strength": actor.strength, "simulated": simulated,
        })));
    };
    let Caller::Known { asserted_us, .. } = &call.caller else { return Err(Problem::login()) };
    let expires = Utc(asserted_us.saturating_add(office.registry.terms().absolute_us));
    let person = office.look(|alliance| alliance.person(id).cloned());
    let person = person.ok_or_else(|| Problem::absent("the person"))?;
    let operator = office.look(|alliance| alliance.operator() == Some(&actor.org));
    Ok(Reply::json(&json!({
        "person": id, "name": person.name, "org": actor.org, "roles": person.roles,
        "strength": actor.strength, "expires": expires, "operator": operator,
        "simulated": simulated,
    })))
}

fn enrol_self(office: &Arc<Office>, call: &Call) -> Outcome {
    let (person, org) = call.person()?;
    let fits = matches!(call.strength(), Some(Strength::Passkey | Strength::Recovery));
    if !fits {
        return Err(Problem::refused(
            Rule::Strength,
            "the login",
            "no passkey and no recovery code",
            "one of them",
            "Log in with a passkey, or ask the administrator for a link.",
        ));
    }
    let code = office.registry.invite_person(person, org, call.now_us)?;
    Ok(Reply::json(&json!({"link": crate::http::enrolment_link(&office.config, &code)})))
}

fn recovery_codes(office: &Arc<Office>, call: &Call) -> Outcome {
    let (person, org) = call.person()?;
    if call.strength() != Some(Strength::Passkey) {
        return Err(Problem::refused(
            Rule::Strength,
            "the login",
            "no passkey",
            "a passkey",
            "Log in with the passkey and ask again.",
        ));
    }
    Ok(Reply::json(&json!({"codes": office.registry.new_recovery_codes(person, org)?})))
}
