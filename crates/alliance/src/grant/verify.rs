//! The judgement of a grant: at start, at hand-over, at reconnect, and at no other time.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::claims::Claims;
use super::holder::{CHALLENGE_SECONDS, Challenge, HolderProof, Use, thumbprint};
use super::revoked::{Revocations, SignedRevocations};
use super::token::Token;
use crate::entity::device::Firmware;
use crate::entity::session::GrantRole;
use crate::ids::{ModelCode, OrgId, SessionId, SiteId};
use crate::log::PublicKey;
use crate::refusal::{Finding, Refusal, Rule};
use crate::time::Utc;

/// Whom an arm believes. Kept by the patient's site; old keys stay while their grants may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The hubs' keys.
    pub hubs: BTreeMap<OrgId, Vec<PublicKey>>,
    /// The sites' keys: usually this site's only.
    pub sites: BTreeMap<SiteId, Vec<PublicKey>>,
    /// The newest list of revocations that reached the site, as bytes.
    pub revocations: Option<Vec<u8>>,
    /// The highest number of a list seen so far.
    pub least_list: u64,
    /// How old the list may be at a start, hours. 24 by default.
    pub list_hours: u32,
}

impl Default for Trust {
    /// Believes nobody.
    fn default() -> Self {
        Self {
            hubs: BTreeMap::new(),
            sites: BTreeMap::new(),
            revocations: None,
            least_list: 0,
            list_hours: 24,
        }
    }
}

/// What is presented to the arm, and what the arm knows of itself.
#[derive(Debug, Clone)]
pub struct Presented {
    /// The arm's own copy of its challenge; to be forgotten after this one judgement.
    pub challenge: Challenge,
    /// The console's answer.
    pub proof: HolderProof,
    /// The robot's serial number.
    pub robot_serial: String,
    /// The robot's model.
    pub robot_model: ModelCode,
    /// The robot's firmware.
    pub robot_firmware: Firmware,
    /// Now, on the patient side's clock.
    pub now: Utc,
}

/// A grant that was judged good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What it says.
    pub claims: Claims,
    /// What to tell the team, none of which hinders.
    pub warnings: Vec<Finding>,
}

/// Judges a grant: every refusal names its rule, and changes nothing at the robot.
pub fn verify(bytes: &[u8], trust: &Trust, presented: &Presented) -> Result<Grant, Refusal> {
    let token = Token::parse(bytes).map_err(|e| {
        no(Rule::Grant, "the grant", &e.to_string(), "a whole, unchanged token", ASK_AGAIN)
    })?;
    let claims = token.claims();
    both_signed(&token, trust)?;
    this_robot(claims, presented)?;
    this_console(claims, presented)?;
    let warnings = in_time(claims, trust, presented)?;
    Ok(Grant { claims: claims.clone(), warnings })
}

/// Looks at a grant while its session runs. It warns and does nothing else, whatever it finds:
/// motion is never cut for a paper. A revocation met here is a request to the local
/// supervisor, who decides.
pub fn judge_running(claims: &Claims, trust: &Trust, now: Utc) -> Vec<Finding> {
    let mut warnings = Vec::new();
    if now >= claims.window.until {
        let (value, limit) = (now.to_string(), claims.window.until.to_string());
        warnings.push(warning("the grant has ended", &value, &limit, TELL_SUPERVISOR));
    }
    match revocations(claims, trust, now) {
        Ok(list) => warnings.extend(taken_back(claims, &list).map(|refusal| {
            warning(&refusal.what, &refusal.value, &refusal.limit, TELL_SUPERVISOR)
        })),
        Err(refusal) => warnings.push(as_warning(&refusal)),
    }
    warnings
}

const ASK_AGAIN: &str = "Ask the hub for the grant again.";
const TELL_SUPERVISOR: &str = "The session goes on. The local supervisor decides.";

/// Both signatures, by two different keys, under the names that the claims name.
pub fn both_signed(token: &Token, trust: &Trust) -> Result<(), Refusal> {
    let claims = token.claims();
    let none: &[PublicKey] = &[];
    let hub_keys = trust.hubs.get(&claims.hub).map_or(none, Vec::as_slice);
    let site_keys = trust.sites.get(&claims.site).map_or(none, Vec::as_slice);
    let missing = |what: &str, whose: String, keys: &[PublicKey]| {
        let value = if keys.is_empty() {
            format!("{whose} is not known here")
        } else {
            format!("none of {} by a known key of {whose}", token.signatures())
        };
        no(Rule::Grant, what, &value, "one valid signature", ASK_AGAIN)
    };
    let hub = token
        .signer(hub_keys)
        .ok_or_else(|| missing("the hub's signature", claims.hub.to_string(), hub_keys))?;
    let site = token
        .signer(site_keys)
        .ok_or_else(|| missing("the site's signature", claims.site.to_string(), site_keys))?;
    if hub == site || token.signatures() != 2 {
        let value = format!("{} signatures", token.signatures());
        let limit = "one of the hub and one of the site, by two keys";
        return Err(no(Rule::Grant, "the signatures", &value, limit, ASK_AGAIN));
    }
    Ok(())
}

fn this_robot(claims: &Claims, presented: &Presented) -> Result<(), Refusal> {
    let differs = |what, value: String, limit: String| {
        Err(no(Rule::Grant, what, &value, &limit, "Ask for a grant for this robot."))
    };
    let firmware = presented.robot_firmware;
    if claims.robot_serial != presented.robot_serial {
        return differs("the robot", presented.robot_serial.clone(), claims.robot_serial.clone());
    }
    if claims.robot_model != presented.robot_model {
        let (value, limit) = (&presented.robot_model, &claims.robot_model);
        return differs("the robot's model", value.to_string(), limit.to_string());
    }
    if !claims.robot_firmware.contains(firmware) {
        let range = &claims.robot_firmware;
        let limit = format!("{} to {}", range.from, range.to);
        return differs("the robot's firmware", firmware.to_string(), limit);
    }
    Ok(())
}

/// The console holds the key, answers this very challenge, and seats somebody who may control.
fn this_console(claims: &Claims, presented: &Presented) -> Result<(), Refusal> {
    let Presented { challenge, proof, .. } = presented;
    let refuse = |what, value: &str, limit: &str| {
        Err(no(Rule::Grant, what, value, limit, "Present the grant again at its own console."))
    };
    let key = thumbprint(&proof.key);
    if key != claims.console_key {
        let (value, limit) = (key.to_string(), claims.console_key.to_string());
        return refuse("the console's key", &value, &limit);
    }
    if !challenge.is_answered_by(proof) {
        return refuse("the console's proof", "a signature over something else", "this challenge");
    }
    if challenge.grant != claims.id || challenge.robot_serial != presented.robot_serial {
        return refuse("the challenge", "for another grant or robot", "for this one");
    }
    let age_us = presented.now.0.saturating_sub(challenge.at.0);
    if !(0..=CHALLENGE_SECONDS * 1_000_000).contains(&age_us) {
        let value = format!("{} s old", age_us / 1_000_000);
        return refuse("the challenge", &value, &format!("0 to {CHALLENGE_SECONDS} s"));
    }
    if let Some(session) = running(&challenge.purpose)
        && *session != claims.session
    {
        let limit = session.to_string();
        return refuse("the grant's session", &claims.session.to_string(), &limit);
    }
    match claims.people.get(&challenge.person) {
        Some(GrantRole::Control) => Ok(()),
        Some(role) => {
            let value = format!("{} may {role:?}", challenge.person);
            refuse("the person at the console", &value, "Control")
        }
        None => {
            let value = format!("{} is not named", challenge.person);
            refuse("the person at the console", &value, "Control")
        }
    }
}

/// The window, and what was taken back. A list that is missing or old hinders a start only.
fn in_time(claims: &Claims, trust: &Trust, presented: &Presented) -> Result<Vec<Finding>, Refusal> {
    let now = presented.now;
    let window = claims.window;
    if now < window.from || now >= window.until {
        let what = if now < window.from { "the grant's beginning" } else { "the grant's end" };
        let limit = format!("{} to {}", window.from, window.until);
        return Err(no(Rule::Expiry, what, &now.to_string(), &limit, ASK_AGAIN));
    }
    match revocations(claims, trust, now) {
        Ok(list) => taken_back(claims, &list).next().map_or_else(|| Ok(Vec::new()), Err),
        Err(refusal) if presented.challenge.purpose == Use::Start => Err(refusal),
        // a session under way is not ended because a list is late; what an old list says counts
        Err(refusal) => match listed(claims, trust) {
            Some(list) => taken_back(claims, &list)
                .next()
                .map_or_else(|| Ok([as_warning(&refusal)].into()), Err),
            None => Ok([as_warning(&refusal)].into()),
        },
    }
}

const fn running(purpose: &Use) -> Option<&SessionId> {
    match purpose {
        Use::Start => None,
        Use::HandOver { session } | Use::Reconnect { session } => Some(session),
    }
}

/// The hub's list, if it is signed, whatever its age.
fn listed(claims: &Claims, trust: &Trust) -> Option<Revocations> {
    let signed = SignedRevocations::parse(trust.revocations.as_deref()?).ok()?;
    let list = signed.verified(trust.hubs.get(&claims.hub)?)?;
    (list.hub == claims.hub).then(|| list.clone())
}

/// The hub's list, if it is signed, not older than allowed and not an older one shown again.
fn revocations(claims: &Claims, trust: &Trust, now: Utc) -> Result<Revocations, Refusal> {
    let limit =
        format!("signed, number {} or above, {} h old at most", trust.least_list, trust.list_hours);
    let refuse = |value: &str| {
        let satisfy = "Fetch the list from the hub, or take over locally.";
        Err(no(Rule::Expiry, "the list of revoked grants", value, &limit, satisfy))
    };
    let Some(list) = listed(claims, trust) else {
        return refuse("absent, or not signed by the grant's hub");
    };
    let minutes = now.minutes_since(list.issued);
    if list.number < trust.least_list {
        return refuse(&format!("number {}", list.number));
    }
    if minutes > i64::from(trust.list_hours) * 60 {
        return refuse(&format!("{minutes} min old"));
    }
    Ok(list)
}

/// Everything in the list that concerns this grant: the token, its people, its robot.
fn taken_back<'a>(claims: &'a Claims, list: &'a Revocations) -> impl Iterator<Item = Refusal> + 'a {
    let grant = list.grants.get(&claims.id).map(|at| {
        let value = format!("taken back at {at}");
        no(Rule::Expiry, "the grant", &value, "not taken back", "Ask for a new grant.")
    });
    let robot = list.robots.get(&claims.robot_serial).map(|at| {
        let value = format!("recalled at {at}");
        no(Rule::Suspended, "the robot", &value, "not recalled", "Use another robot.")
    });
    let people = claims.people.iter().filter_map(|(person, role)| {
        // observers watch and move nothing: their suspension ends their view, not the case
        let at = list.people.get(person).filter(|_| *role != GrantRole::Observe)?;
        let (what, value) = (format!("{person}, {role:?}"), format!("suspended at {at}"));
        Some(no(Rule::Suspended, &what, &value, "not suspended", "Name somebody else."))
    });
    grant.into_iter().chain(robot).chain(people)
}

fn no(rule: Rule, what: &str, value: &str, limit: &str, satisfy: &str) -> Refusal {
    Refusal::new(rule, what, value, limit, satisfy)
}

fn warning(what: &str, value: &str, limit: &str, satisfy: &str) -> Finding {
    as_warning(&no(Rule::Expiry, what, value, limit, satisfy))
}

/// What would have hindered a start, as a warning in a session under way.
fn as_warning(refusal: &Refusal) -> Finding {
    let Refusal { rule, what, value, limit, satisfy } = refusal.clone();
    Finding { rule, ok: false, what, value, limit, satisfy }
}
