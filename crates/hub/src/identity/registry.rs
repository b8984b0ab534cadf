//! Who may come in: passkeys, sessions, enrolment links, recovery codes, machines, invitations.
//!
//! Everything is in memory for reading and in the vault before it counts. The clock is an argument.

use super::passkey::{self, Assertion, Attestation, Credential, Expected, PasskeyError};
use super::record::{Enrolment, Invited, Machine, Passkey, Recovery, Session};
use super::recovery;
use super::token;
use super::vault::{Change, Vault};
use crate::clock::hex;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use telehand_alliance::command::Strength;
use telehand_alliance::ids::{GrantId, OrgId, PersonId, SiteId};

/// How long an answer to a challenge may take, microseconds.
const CHALLENGE_US: i64 = 5 * 60 * 1_000_000;
/// Open challenges at most; the oldest go first.
const CHALLENGES_MAX: usize = 10_000;
/// Passkeys of one person at most.
const PASSKEYS_MAX: usize = 10;

/// How long things live, microseconds, and whose passkeys these are.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The passkeys' relying party.
    pub rp_id: String,
    /// The page's origin.
    pub origin: String,
    /// A session that nobody uses.
    pub idle_us: i64,
    /// Any session.
    pub absolute_us: i64,
    /// An enrolment link.
    pub enrolment_us: i64,
    /// An invitation.
    pub invitation_us: i64,
}

/// Why somebody does not come in. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The link, code or challenge is unknown, used or over.
    #[error("the {what} is unknown, used or over; ask for a new one")]
    Over {
        /// What.
        what: &'static str,
    },
    /// The passkey is not enrolled here.
    #[error("this passkey is not enrolled here, or was removed")]
    Unknown,
    /// The authenticator's answer is not accepted.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// One passkey is enrolled once.
    #[error("this passkey is enrolled already")]
    Twice,
    /// More would be hard to oversee.
    #[error("there are {PASSKEYS_MAX} passkeys of this person, the most there may be; remove one")]
    TooMany,
    /// The disk.
    #[error("the identity could not be stored; nothing was changed. Try again later")]
    Store(#[source] anyhow::Error),
}

/// A session that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Its name: the hash of its token.
    pub name: [u8; 32],
    /// The session.
    pub session: Session,
}

struct Open {
    session: Session,
    used_us: AtomicI64,
    /// What the vault knows of `used_us`.
    stored_us: AtomicI64,
}

#[derive(Default)]
struct State {
    passkeys: BTreeMap<String, Passkey>,
    sessions: HashMap<[u8; 32], Arc<Open>>,
    enrolments: BTreeMap<String, Enrolment>,
    recoveries: BTreeMap<String, Recovery>,
    machines: BTreeMap<String, Machine>,
    invitations: BTreeMap<String, Invited>,
    tokens: BTreeMap<String, String>,
    challenges: BTreeMap<Vec<u8>, Challenge>,
}

struct Challenge {
    /// The enrolment it belongs to; none: a login.
    enrolment: Option<String>,
    until_us: i64,
}

/// Who may come in.
pub struct Registry {
    vault: Arc<dyn Vault>,
    terms: Terms,
    state: RwLock<State>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("terms", &self.terms).finish_non_exhaustive()
    }
}

impl Registry {
    /// Reads the vault.
    ///
    /// # Errors
    /// When the vault cannot be read or holds something else.
    pub fn open(vault: Arc<dyn Vault>, terms: Terms) -> anyhow::Result<Self> {
        let mut state = State {
            passkeys: read(&*vault, "credential")?,
            enrolments: read(&*vault, "enrolment")?,
            recoveries: read(&*vault, "recovery")?,
            machines: read(&*vault, "machine")?,
            invitations: read(&*vault, "invitation")?,
            tokens: read(&*vault, "token")?,
            ..State::default()
        };
        for (name, session) in read::<Session>(&*vault, "session")? {
            if let Some(name) = super::signing::unhex(&name) {
                state.sessions.insert(name, Arc::new(Open::of(session)));
            }
        }
        Ok(Self { vault, terms, state: RwLock::new(state) })
    }

    /// How long things live.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The session of a token, if it is still one; it counts as used now.
    #[must_use]
    pub fn login(&self, token: &str, now_us: i64) -> Option<Login> {
        let name = token::hash(token);
        let open = self.read().sessions.get(&name)?.clone();
        let used_us = open.used_us.load(Ordering::Relaxed);
        let idle = now_us.saturating_sub(used_us) >= self.terms.idle_us;
        let old = now_us.saturating_sub(open.session.made_us) >= self.terms.absolute_us;
        if idle || old {
            return None;
        }
        open.used_us.fetch_max(now_us, Ordering::Relaxed);
        Some(Login { name, session: open.session.clone() })
    }

    /// A new session; its token is for the caller alone.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn begin_session(
        &self,
        person: &PersonId,
        org: &OrgId,
        strength: Strength,
        now_us: i64,
    ) -> Result<String, Denied> {
        let token = token::fresh();
        let session = Session {
            person: person.clone(),
            org: org.clone(),
            strength,
            made_us: now_us,
            used_us: now_us,
        };
        let name = token::hash(&token);
        let expires_us = now_us.saturating_add(self.terms.absolute_us);
        self.keep(vec![put("session", &hex(&name), &session, expires_us)])?;
        self.write().sessions.insert(name, Arc::new(Open::of(session)));
        Ok(token)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn end_session(&self, name: &[u8; 32]) -> Result<(), Denied> {
        self.keep(vec![remove("session", hex(name))])?;
        self.write().sessions.remove(name);
        Ok(())
    }

    /// Ends every session of somebody, and forgets passkeys, links and codes: they left.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn shut_out(&self, person: &PersonId) -> Result<(), Denied> {
        let mut state = self.write();
        let mut changes = Vec::new();
        let own = |p: &PersonId| p == person;
        for (name, open) in &state.sessions {
            if own(&open.session.person) {
                changes.push(remove("session", hex(name)));
            }
        }
        for (id, passkey) in &state.passkeys {
            if own(&passkey.person) {
                changes.push(remove("credential", id.clone()));
            }
        }
        for (hash, enrolment) in &state.enrolments {
            if own(&enrolment.person) {
                changes.push(remove("enrolment", hash.clone()));
            }
        }
        changes.push(remove("recovery", person.to_string()));
        self.keep(changes)?;
        state.sessions.retain(|_, open| !own(&open.session.person));
        state.passkeys.retain(|_, passkey| !own(&passkey.person));
        state.enrolments.retain(|_, enrolment| !own(&enrolment.person));
        state.recoveries.remove(&person.to_string());
        Ok(())
    }

    /// A code by which somebody enrols a passkey, once.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn invite_person(
        &self,
        person: &PersonId,
        org: &OrgId,
        now_us: i64,
    ) -> Result<String, Denied> {
        let code = token::fresh();
        let until_us = now_us.saturating_add(self.terms.enrolment_us);
        let enrolment = Enrolment { person: person.clone(), org: org.clone(), until_us };
        let hash = hex(&token::hash(&code));
        self.keep(vec![put("enrolment", &hash, &enrolment, until_us)])?;
        self.write().enrolments.insert(hash, enrolment);
        Ok(code)
    }

    /// Who a code is for, and a challenge for their new passkey.
    ///
    /// # Errors
    /// [`Denied::Over`], [`Denied::TooMany`].
    pub fn begin_enrolment(
        &self,
        code: &str,
        now_us: i64,
    ) -> Result<(Enrolment, Vec<u8>, Vec<String>), Denied> {
        let hash = hex(&token::hash(code));
        let mut state = self.write();
        let enrolment = state.enrolment(&hash, now_us)?.clone();
        let known: Vec<_> = state.passkeys_of(&enrolment.person).map(|(id, _)| id).collect();
        if known.len() >= PASSKEYS_MAX {
            return Err(Denied::TooMany);
        }
        Ok((enrolment, state.challenge(Some(hash), now_us), known))
    }

    /// Takes the new passkey; the code is used up.
    ///
    /// # Errors
    /// [`Denied`]; the code stays good, the challenge does not.
    pub fn finish_enrolment(
        &self,
        code: &str,
        challenge: &[u8],
        answer: &Attestation,
        now_us: i64,
    ) -> Result<Passkey, Denied> {
        let hash = hex(&token::hash(code));
        let mut state = self.write();
        let enrolment = state.enrolment(&hash, now_us)?.clone();
        if state.take_challenge(challenge, now_us)?.enrolment.as_deref() != Some(&hash) {
            return Err(Denied::Over { what: "challenge" });
        }
        let credential = passkey::register(answer, &self.expected(challenge))?;
        if state.passkeys.contains_key(&credential.id) {
            return Err(Denied::Twice);
        }
        let passkey =
            Passkey { person: enrolment.person, org: enrolment.org, credential, made_us: now_us };
        let id = passkey.credential.id.clone();
        self.keep(vec![put("credential", &id, &passkey, 0), remove("enrolment", hash.clone())])?;
        state.enrolments.remove(&hash);
        state.passkeys.insert(id, passkey.clone());
        Ok(passkey)
    }

    /// A challenge for a login.
    #[must_use]
    pub fn begin_login(&self, now_us: i64) -> Vec<u8> {
        self.write().challenge(None, now_us)
    }

    /// Checks a login's answer; tells whose passkey it was.
    ///
    /// # Errors
    /// [`Denied`]; nobody is logged in, and the challenge is used up.
    pub fn finish_login(
        &self,
        challenge: &[u8],
        answer: &Assertion,
        now_us: i64,
    ) -> Result<Passkey, Denied> {
        let mut state = self.write();
        if state.take_challenge(challenge, now_us)?.enrolment.is_some() {
            return Err(Denied::Over { what: "challenge" });
        }
        let mut passkey = state.passkeys.get(&answer.credential).ok_or(Denied::Unknown)?.clone();
        let user = passkey.person.to_string();
        let expected = self.expected(challenge);
        let count = passkey::assert(answer, &passkey.credential, user.as_bytes(), &expected)?;
        if count != passkey.credential.count {
            passkey.credential.count = count;
            self.keep(vec![put("credential", &answer.credential, &passkey, 0)])?;
            state.passkeys.insert(answer.credential.clone(), passkey.clone());
        }
        Ok(passkey)
    }

    /// Somebody's passkeys.
    #[must_use]
    pub fn passkeys(&self, person: &PersonId) -> Vec<(i64, Credential)> {
        let state = self.read();
        state.passkeys_of(person).map(|(_, p)| (p.made_us, p.credential.clone())).collect()
    }

    /// Removes one of somebody's passkeys.
    ///
    /// # Errors
    /// [`Denied::Unknown`], [`Denied::Store`].
    pub fn remove_passkey(&self, person: &PersonId, id: &str) -> Result<(), Denied> {
        let mut state = self.write();
        state.passkeys.get(id).filter(|p| p.person == *person).ok_or(Denied::Unknown)?;
        self.keep(vec![remove("credential", id.to_owned())])?;
        state.passkeys.remove(id);
        Ok(())
    }

    /// New recovery codes for somebody; the old ones are void. Slow on purpose (argon2id).
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn new_recovery_codes(
        &self,
        person: &PersonId,
        org: &OrgId,
    ) -> Result<Vec<String>, Denied> {
        let (codes, hashes) = recovery::fresh();
        let kept = Recovery { org: Some(org.clone()), hashes };
        self.keep(vec![put("recovery", &person.to_string(), &kept, 0)])?;
        self.write().recoveries.insert(person.to_string(), kept);
        Ok(codes)
    }

    /// Uses up a recovery code; tells the organisation. Slow on purpose (argon2id).
    ///
    /// # Errors
    /// [`Denied::Over`] for a wrong person as for a wrong code.
    pub fn recover(&self, person: &PersonId, code: &str) -> Result<OrgId, Denied> {
        let over = || Denied::Over { what: "recovery code" };
        let known = self.read().recoveries.get(&person.to_string()).cloned().unwrap_or_default();
        let place = recovery::matching(&known.hashes, code).ok_or_else(over)?;
        let mut state = self.write();
        let mut kept = state.recoveries.get(&person.to_string()).cloned().ok_or_else(over)?;
        let (Some(slot), Some(org)) = (kept.hashes.get_mut(place), kept.org.clone()) else {
            return Err(over());
        };
        if known.hashes.get(place) != Some(slot) || slot.is_empty() {
            return Err(over());
        }
        slot.clear();
        self.keep(vec![put("recovery", &person.to_string(), &kept, 0)])?;
        state.recoveries.insert(person.to_string(), kept);
        Ok(org)
    }

    /// A one-time code for a hospital to join.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn invite_site(&self, mut invited: Invited, now_us: i64) -> Result<String, Denied> {
        let code = token::fresh();
        invited.until_us = now_us.saturating_add(self.terms.invitation_us);
        let hash = hex(&token::hash(&code));
        self.keep(vec![put("invitation", &hash, &invited, invited.until_us)])?;
        self.write().invitations.insert(hash, invited);
        Ok(code)
    }

    /// What a code invites to, while it is good.
    ///
    /// # Errors
    /// [`Denied::Over`].
    pub fn invitation(&self, code: &str, now_us: i64) -> Result<Invited, Denied> {
        let state = self.read();
        state
            .invitations
            .get(&hex(&token::hash(code)))
            .filter(|invited| now_us < invited.until_us)
            .cloned()
            .ok_or(Denied::Over { what: "invitation" })
    }

    /// Lets a machine in, and uses up the invitation's code.
    ///
    /// # Errors
    /// [`Denied::Over`], [`Denied::Store`].
    pub fn admit(&self, code: &str, machine: Machine, now_us: i64) -> Result<(), Denied> {
        self.invitation(code, now_us)?;
        let mut state = self.write();
        let hash = hex(&token::hash(code));
        if state.invitations.remove(&hash).is_none() {
            return Err(Denied::Over { what: "invitation" });
        }
        let site = machine.site.to_string();
        self.keep(vec![put("machine", &site, &machine, 0), remove("invitation", hash)])?;
        state.machines.insert(site, machine);
        Ok(())
    }

    /// The machine of a site, if it is let in.
    #[must_use]
    pub fn machine(&self, site: &SiteId) -> Option<Machine> {
        self.read().machines.get(&site.to_string()).filter(|m| !m.revoked).cloned()
    }

    /// Every machine.
    #[must_use]
    pub fn machines(&self) -> Vec<Machine> {
        self.read().machines.values().cloned().collect()
    }

    /// Lets a machine in no longer. Sessions under way do not notice.
    ///
    /// # Errors
    /// [`Denied::Unknown`], [`Denied::Store`].
    pub fn revoke_machine(&self, site: &SiteId) -> Result<(), Denied> {
        let mut state = self.write();
        let mut machine = state.machines.get(&site.to_string()).ok_or(Denied::Unknown)?.clone();
        machine.revoked = true;
        self.keep(vec![put("machine", &site.to_string(), &machine, 0)])?;
        state.machines.insert(site.to_string(), machine);
        Ok(())
    }

    /// The token of a grant, as far as it is signed.
    #[must_use]
    pub fn token(&self, grant: &GrantId) -> Option<Vec<u8>> {
        self.read().tokens.get(&grant.to_string()).and_then(|text| token::bytes(text))
    }

    /// Keeps the token of a grant.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn keep_token(&self, grant: &GrantId, bytes: &[u8]) -> Result<(), Denied> {
        let text = token::text(bytes);
        self.keep(vec![put("token", &grant.to_string(), &text, 0)])?;
        self.write().tokens.insert(grant.to_string(), text);
        Ok(())
    }

    /// Writes down which sessions were used, forgets what is over. Called now and then.
    ///
    /// # Errors
    /// [`Denied::Store`].
    pub fn tidy(&self, now_us: i64) -> Result<(), Denied> {
        let mut changes = Vec::new();
        {
            let mut state = self.write();
            let terms = &self.terms;
            state.challenges.retain(|_, challenge| now_us < challenge.until_us);
            state.enrolments.retain(|_, enrolment| now_us < enrolment.until_us);
            state.invitations.retain(|_, invited| now_us < invited.until_us);
            state.sessions.retain(|name, open| {
                let used_us = open.used_us.load(Ordering::Relaxed);
                let stored_us = open.stored_us.swap(used_us, Ordering::Relaxed);
                let over = now_us.saturating_sub(used_us) >= terms.idle_us
                    || now_us.saturating_sub(open.session.made_us) >= terms.absolute_us;
                if over {
                    changes.push(remove("session", hex(name)));
                } else if stored_us != used_us {
                    let session = Session { used_us, ..open.session.clone() };
                    let expires_us = session.made_us.saturating_add(terms.absolute_us);
                    changes.push(put("session", &hex(name), &session, expires_us));
                }
                !over
            });
        }
        if changes.is_empty() { Ok(()) } else { self.keep(changes) }
    }

    fn expected<'a>(&'a self, challenge: &'a [u8]) -> Expected<'a> {
        Expected { rp_id: &self.terms.rp_id, origin: &self.terms.origin, challenge }
    }

    fn keep(&self, changes: Vec<Change>) -> Result<(), Denied> {
        self.vault.write(changes).map_err(Denied::Store)
    }

    /// A panic while the lock was held leaves a state that is at worst older than the vault.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Open {
    fn of(session: Session) -> Self {
        let used_us = session.used_us;
        Self { session, used_us: AtomicI64::new(used_us), stored_us: AtomicI64::new(used_us) }
    }
}

impl State {
    fn enrolment(&self, hash: &str, now_us: i64) -> Result<&Enrolment, Denied> {
        self.enrolments
            .get(hash)
            .filter(|enrolment| now_us < enrolment.until_us)
            .ok_or(Denied::Over { what: "enrolment link" })
    }

    fn passkeys_of(&self, person: &PersonId) -> impl Iterator<Item = (String, &Passkey)> {
        let own = move |(_, passkey): &(&String, &Passkey)| passkey.person == *person;
        self.passkeys.iter().filter(own).map(|(id, passkey)| (id.clone(), passkey))
    }

    fn challenge(&mut self, enrolment: Option<String>, now_us: i64) -> Vec<u8> {
        self.challenges.retain(|_, challenge| now_us < challenge.until_us);
        if self.challenges.len() >= CHALLENGES_MAX {
            let oldest = self.challenges.iter().min_by_key(|(_, c)| c.until_us);
            if let Some(oldest) = oldest.map(|(bytes, _)| bytes.clone()) {
                self.challenges.remove(&oldest);
            }
        }
        let bytes = crate::clock::random::<32>().to_vec();
        let until_us = now_us.saturating_add(CHALLENGE_US);
        self.challenges.insert(bytes.clone(), Challenge { enrolment, until_us });
        bytes
    }

    /// A challenge counts once, whatever comes of it.
    fn take_challenge(&mut self, bytes: &[u8], now_us: i64) -> Result<Challenge, Denied> {
        self.challenges
            .remove(bytes)
            .filter(|challenge| now_us < challenge.until_us)
            .ok_or(Denied::Over { what: "challenge" })
    }
}

fn read<T: DeserializeOwned>(
    vault: &dyn Vault,
    space: &'static str,
) -> anyhow::Result<BTreeMap<String, T>> {
    use anyhow::Context;
    vault
        .all(space)?
        .into_iter()
        .map(|(key, body)| {
            let value = serde_json::from_slice(&body)
                .with_context(|| format!("{space} {key} in the store is not readable"))?;
            Ok((key, value))
        })
        .collect()
}

fn put(space: &'static str, key: &str, value: &impl Serialize, expires_us: i64) -> Change {
    let body = Some(serde_json::to_vec(value).unwrap_or_default());
    Change { space, key: key.to_owned(), body, expires_us }
}

const fn remove(space: &'static str, key: String) -> Change {
    Change { space, key, body: None, expires_us: 0 }
}
