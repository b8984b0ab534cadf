//! Whom the arm believes, from a file that the patient's site keeps, and the judgement by it.

use super::admission::{Admission, Admitted, Asks, Judge, Shown};
use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use telehand_alliance::cbor;
use telehand_alliance::entity::device::Firmware;
use telehand_alliance::grant::{
    Challenge, HolderProof, Presented, PublicKey, Token, Trust, verify,
};
use telehand_alliance::ids::{Hash32, ModelCode, OrgId, PersonId, SiteId};
use telehand_alliance::log::Hash;
use telehand_alliance::refusal::{Refusal, Rule};
use telehand_alliance::time::Utc;

/// Who is let to the arms.
#[derive(Debug, Clone, clap::Args)]
#[group(required = true, multiple = false)]
pub struct AdmissionArgs {
    /// Let only a console in that shows a session grant signed by hub and site; whom to believe
    /// stands in this TOML file (docs/reference/trust.md)
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Let every console in that the bedside knows: robot and patient are simulated
    #[arg(long)]
    demo: bool,
}

/// The file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    robot: Robot,
    hubs: BTreeMap<OrgId, Vec<Hash32>>,
    sites: BTreeMap<SiteId, Vec<Hash32>>,
    revocations: Option<PathBuf>,
    #[serde(default = "list_hours")]
    list_hours: u32,
}

/// The robot, as grants name it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Robot {
    serial: String,
    model: ModelCode,
    firmware: Firmware,
}

const fn list_hours() -> u32 {
    24
}

/// What a console sends: the grant, who sits there, and the proof of its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shows {
    /// The grant's bytes.
    pub grant: Vec<u8>,
    /// Who sits at the console.
    pub person: PersonId,
    /// The console's signature over the challenge.
    pub proof: HolderProof,
}

/// The whole challenge, as both sides make it from the arm's part and the console's.
pub fn challenge(asks: &Asks, token: &Token, person: &PersonId) -> Challenge {
    Challenge {
        nonce: Hash(asks.nonce.0),
        grant: token.claims().id.clone(),
        purpose: asks.purpose.clone(),
        person: person.clone(),
        robot_serial: asks.robot_serial.clone(),
        at: asks.at,
    }
}

/// The patient side's clock, for windows of grants; never for motion.
pub fn wall_clock() -> Utc {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Utc(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

impl AdmissionArgs {
    /// The door that these arguments ask for.
    ///
    /// # Errors
    /// When the file cannot be used; the arm does not start.
    pub fn open(&self) -> Result<Admission> {
        let Some(path) = &self.trust else { return Ok(Admission::open()) };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read the trust file {}", path.display()))?;
        let file = parse(&text).with_context(|| {
            format!("in {}: the arm does not start (docs/reference/trust.md)", path.display())
        })?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let serial = file.robot.serial.clone();
        Admission::guarded(serial, judge(file, folder))
    }
}

fn parse(text: &str) -> Result<TrustFile> {
    let file: TrustFile = toml::from_str(text)?;
    anyhow::ensure!(!file.robot.serial.is_empty(), "robot.serial is empty");
    Ok(file)
}

fn judge(file: TrustFile, folder: PathBuf) -> Judge {
    let mut least_list = 0;
    Box::new(move |shown| {
        let trust = file.trust(&folder, least_list);
        let verdict = file.judge(shown, &trust, wall_clock());
        least_list = least_list.max(list_number(&trust));
        verdict
    })
}

/// The number of the newest list of a believed hub.
fn list_number(trust: &Trust) -> u64 {
    let list = trust.revocations.as_deref();
    let list = list.and_then(|b| telehand_alliance::grant::SignedRevocations::parse(b).ok());
    let numbers =
        trust.hubs.values().filter_map(|keys| Some(list.as_ref()?.verified(keys)?.number));
    numbers.max().unwrap_or(0)
}

impl TrustFile {
    fn trust(&self, folder: &Path, least_list: u64) -> Trust {
        let keys = |keys: &Vec<Hash32>| keys.iter().map(|key| PublicKey::new(key.0)).collect();
        // An absent list is judged as such: it hinders a start, not a reconnect.
        let revocations =
            self.revocations.as_ref().and_then(|file| std::fs::read(folder.join(file)).ok());
        Trust {
            hubs: self.hubs.iter().map(|(org, own)| (org.clone(), keys(own))).collect(),
            sites: self.sites.iter().map(|(site, own)| (site.clone(), keys(own))).collect(),
            revocations,
            least_list,
            list_hours: self.list_hours,
        }
    }

    fn judge(&self, shown: &Shown, trust: &Trust, now: Utc) -> Result<Admitted, Refusal> {
        let unreadable = |why: &dyn std::fmt::Display| {
            let satisfy = "Fetch the grant from the hub again, whole.";
            Refusal::new(
                Rule::Grant,
                "what the console shows",
                &why.to_string(),
                "a grant and the proof of its key",
                satisfy,
            )
        };
        let ticket: Shows = cbor::from_slice(&shown.bytes).map_err(|why| unreadable(&why))?;
        let token = Token::parse(&ticket.grant).map_err(|why| unreadable(&why))?;
        let presented = Presented {
            challenge: challenge(&shown.asked, &token, &ticket.person),
            proof: ticket.proof,
            robot_serial: self.robot.serial.clone(),
            robot_model: self.robot.model.clone(),
            robot_firmware: self.robot.firmware,
            now,
        };
        let grant = verify(&ticket.grant, trust, &presented)?;
        Ok(Admitted {
            grant: grant.claims.id.to_string(),
            session: grant.claims.session.clone(),
            case: grant.claims.case.to_string(),
            surgeon: ticket.person.to_string(),
            until: grant.claims.window.until.to_string(),
            warnings: grant.warnings.into_iter().map(|w| Refusal::from(w).to_string()).collect(),
        })
    }
}
