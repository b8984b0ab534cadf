//! What a grant says, and its deterministic CBOR.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ciborium::Value;
use serde::{Deserialize, Serialize};

use crate::cbor::{self, CborError};
use crate::entity::device::{Firmware, FirmwareRange};
use crate::entity::session::{GrantRecord, GrantRole};
use crate::ids::{CaseId, GrantId, ModelCode, OrgId, PersonId, ProcedureCode, SessionId, SiteId};
use crate::log::Hash;
use crate::refusal::{Refusal, Rule};
use crate::time::{Utc, Window};

/// The head of the log on which the hub decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// Leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// What a grant says. Times are kept to whole seconds, as CWT's `NumericDate`s are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The token's own name (`cti`).
    pub id: GrantId,
    /// The organisation whose hub issued it (`iss`).
    pub hub: OrgId,
    /// The session that it opens (`sub`).
    pub session: SessionId,
    /// The case.
    pub case: CaseId,
    /// The robot's serial number (`aud`).
    pub robot_serial: String,
    /// When it counts (`nbf`, `exp`): the planned time and 24 h more.
    pub window: Window,
    /// When it was issued (`iat`).
    pub issued: Utc,
    /// RFC 9679 thumbprint of the console's key (`cnf`), see [`super::thumbprint`].
    pub console_key: Hash,
    /// Who may do what.
    pub people: BTreeMap<PersonId, GrantRole>,
    /// What is to be done.
    pub procedure: ProcedureCode,
    /// The robot's model.
    pub robot_model: ModelCode,
    /// Firmware it is good for, both ends included.
    pub robot_firmware: FirmwareRange,
    /// The patient's site, whose signature is the second.
    pub site: SiteId,
    /// The network class's limit of the round trip, microseconds.
    pub rtt_max_us: u32,
    /// SHA-256 of what was consented to.
    pub consent_hash: Hash,
    /// SHA-256 of what was planned.
    pub plan_hash: Hash,
    /// The first control epoch.
    pub epoch_base: u32,
    /// The log that the decision was made on.
    pub log: LogHead,
}

// RFC 8392, section 4.
const ISS: i64 = 1;
const SUB: i64 = 2;
const AUD: i64 = 3;
const EXP: i64 = 4;
const NBF: i64 = 5;
const IAT: i64 = 6;
const CTI: i64 = 7;
// RFC 8747, section 3.1; RFC 9679, section 5.6 for the thumbprint inside it.
const CNF: i64 = 8;
const CKT: i64 = 5;
// Private use (IANA "CWT Claims": integers less than -65536).
const ROLES: i64 = -70_001;
const PROCEDURE: i64 = -70_002;
const ROBOT_MODEL: i64 = -70_003;
const FIRMWARE: i64 = -70_004;
const SITE: i64 = -70_005;
const RTT_MAX_US: i64 = -70_006;
const CONSENT: i64 = -70_007;
const PLAN: i64 = -70_008;
const EPOCH_BASE: i64 = -70_009;
const LOG: i64 = -70_010;
const CASE: i64 = -70_011;

const SECOND_US: i64 = 1_000_000;
/// How long a grant outlives the planned end, hours: no paper ends a case that runs late.
const MARGIN_HOURS: i64 = 24;

impl Claims {
    /// The claims of a grant that the alliance decided on.
    pub fn of(record: &GrantRecord, hub: OrgId, issued: Utc, log: LogHead) -> Self {
        Self {
            id: record.id.clone(),
            hub,
            session: record.session.clone(),
            case: record.case.clone(),
            robot_serial: record.robot_serial.clone(),
            window: record.window,
            issued,
            console_key: record.console_key,
            people: record.people.iter().cloned().collect(),
            procedure: record.procedure.clone(),
            robot_model: record.robot_model.clone(),
            robot_firmware: record.robot_firmware,
            site: record.site.clone(),
            rtt_max_us: record.rtt_max_us,
            consent_hash: record.consent_hash,
            plan_hash: record.plan_hash,
            epoch_base: record.epoch_base,
            log,
        }
    }

    /// The gate before a start: refuses a grant that does not outlive the planned end by 24 h.
    pub fn outlives(&self, planned_end: Utc) -> Result<(), Refusal> {
        let needed = planned_end.plus_hours(MARGIN_HOURS);
        if self.window.until >= needed {
            return Ok(());
        }
        let (value, limit) = (self.window.until.to_string(), needed.to_string());
        let satisfy = "Ask for a grant that lasts 24 h longer than the plan.";
        Err(Refusal::new(Rule::Expiry, "the grant's end", &value, &limit, satisfy))
    }

    /// The claims set in deterministic CBOR. Times are cut to whole seconds: the window to the
    /// inside, so that it never grows.
    pub fn to_cbor(&self) -> Result<Vec<u8>, CborError> {
        let text = |text: &dyn ToString| Value::Text(text.to_string());
        let bytes = |hash: &Hash| Value::Bytes(hash.0.to_vec());
        let seconds = |at: Utc| Value::from(at.0.div_euclid(SECOND_US));
        let begin = Utc(self.window.from.0.saturating_add(SECOND_US - 1));
        let people = self.people.iter().map(|(person, role)| (text(person), role_number(*role)));
        let firmware = [self.robot_firmware.from, self.robot_firmware.to];
        let map = [
            (ISS, text(&self.hub)),
            (SUB, text(&self.session)),
            (AUD, text(&self.robot_serial)),
            (EXP, seconds(self.window.until)),
            (NBF, seconds(begin)),
            (IAT, seconds(self.issued)),
            (CTI, Value::Bytes(self.id.to_string().into_bytes())),
            (CNF, Value::Map([(Value::from(CKT), bytes(&self.console_key))].into())),
            (ROLES, Value::Map(people.map(|(p, r)| (p, Value::from(r))).collect())),
            (PROCEDURE, text(&self.procedure)),
            (ROBOT_MODEL, text(&self.robot_model)),
            (FIRMWARE, Value::Array(firmware.iter().map(|f| text(f)).collect())),
            (SITE, text(&self.site)),
            (RTT_MAX_US, Value::from(self.rtt_max_us)),
            (CONSENT, bytes(&self.consent_hash)),
            (PLAN, bytes(&self.plan_hash)),
            (EPOCH_BASE, Value::from(self.epoch_base)),
            (LOG, Value::Array([Value::from(self.log.size), bytes(&self.log.root)].into())),
            (CASE, text(&self.case)),
        ];
        cbor::to_vec(&Value::Map(map.into_iter().map(|(k, v)| (Value::from(k), v)).collect()))
    }

    /// Reads a claims set; refuses any that [`Claims::to_cbor`] would not write: an unknown claim
    /// is one whose meaning this program does not keep.
    pub fn from_cbor(bytes: &[u8]) -> Result<Self, CborError> {
        let Value::Map(map) = cbor::from_slice::<Value>(bytes)? else {
            return Err(CborError::Shape("claims are a map".to_string()));
        };
        let mut fields = Fields::default();
        for (key, value) in map {
            match key.as_integer().and_then(|key| i64::try_from(key).ok()) {
                Some(key) => drop(fields.0.insert(key, value)),
                None => return Err(CborError::Shape("a claim's key is an integer".to_string())),
            }
        }
        let claims = fields.claims()?;
        match fields.0.keys().next() {
            Some(unknown) => Err(CborError::Shape(format!("claim {unknown} is not known here"))),
            None => Ok(claims),
        }
    }
}

const fn role_number(role: GrantRole) -> u8 {
    match role {
        GrantRole::Control => 1,
        GrantRole::Standby => 2,
        GrantRole::Mentor => 3,
        GrantRole::Observe => 4,
    }
}

fn role_of(value: &Value) -> Option<GrantRole> {
    match u8::try_from(value.as_integer()?).ok()? {
        1 => Some(GrantRole::Control),
        2 => Some(GrantRole::Standby),
        3 => Some(GrantRole::Mentor),
        4 => Some(GrantRole::Observe),
        _ => None,
    }
}

/// The claims that have not been read yet.
#[derive(Default)]
struct Fields(BTreeMap<i64, Value>);

impl Fields {
    fn claims(&mut self) -> Result<Claims, CborError> {
        Ok(Claims {
            id: self.take(CTI, |v| parsed(core::str::from_utf8(v.as_bytes()?).ok()?))?,
            hub: self.take(ISS, parsed_text)?,
            session: self.take(SUB, parsed_text)?,
            case: self.take(CASE, parsed_text)?,
            robot_serial: self.take(AUD, parsed_text)?,
            window: Window { from: self.take(NBF, seconds)?, until: self.take(EXP, seconds)? },
            issued: self.take(IAT, seconds)?,
            console_key: self.take(CNF, thumbprint_of)?,
            people: self.take(ROLES, people_of)?,
            procedure: self.take(PROCEDURE, parsed_text)?,
            robot_model: self.take(ROBOT_MODEL, parsed_text)?,
            robot_firmware: self.take(FIRMWARE, firmware_of)?,
            site: self.take(SITE, parsed_text)?,
            rtt_max_us: self.take(RTT_MAX_US, |v| u32::try_from(v.as_integer()?).ok())?,
            consent_hash: self.take(CONSENT, hash_of)?,
            plan_hash: self.take(PLAN, hash_of)?,
            epoch_base: self.take(EPOCH_BASE, |v| u32::try_from(v.as_integer()?).ok())?,
            log: self.take(LOG, log_of)?,
        })
    }

    fn take<T>(
        &mut self,
        key: i64,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<T, CborError> {
        let value = self.0.remove(&key);
        value.as_ref().and_then(read).ok_or_else(|| {
            CborError::Shape(format!("claim {key} is absent or not as it should be"))
        })
    }
}

fn parsed<T: core::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn parsed_text<T: core::str::FromStr>(value: &Value) -> Option<T> {
    parsed(value.as_text()?)
}

fn seconds(value: &Value) -> Option<Utc> {
    let seconds = i64::try_from(value.as_integer()?).ok()?;
    seconds.checked_mul(SECOND_US).map(Utc)
}

fn hash_of(value: &Value) -> Option<Hash> {
    value.as_bytes()?.as_slice().try_into().ok().map(Hash)
}

fn thumbprint_of(value: &Value) -> Option<Hash> {
    match value.as_map()?.as_slice() {
        [(key, hash)] if key.as_integer() == Some(CKT.into()) => hash_of(hash),
        _ => None,
    }
}

fn people_of(value: &Value) -> Option<BTreeMap<PersonId, GrantRole>> {
    let people = value.as_map()?.iter();
    people.map(|(person, role)| Some((parsed_text(person)?, role_of(role)?))).collect()
}

fn firmware_of(value: &Value) -> Option<FirmwareRange> {
    let [from, to] = value.as_array()?.as_slice() else { return None };
    Some(FirmwareRange {
        from: Firmware::parse(from.as_text()?)?,
        to: Firmware::parse(to.as_text()?)?,
    })
}

fn log_of(value: &Value) -> Option<LogHead> {
    let [size, root] = value.as_array()?.as_slice() else { return None };
    Some(LogHead { size: u64::try_from(size.as_integer()?).ok()?, root: hash_of(root)? })
}
