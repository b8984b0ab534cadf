//! What planner and site say to each other over the secured link.
//!
//! Reliable messages carry JSON behind one byte, or what the desk says ([`DESK`]): in order and
//! once, so that a confirmation is never overtaken by the motion that rests on it; a message that a
//! bad line delayed is refused by the arbiter for its age. States carry [`Pulse`], small and newest
//! wins. Who is at the other end, and that nobody reads or changes a byte, is the link's.

use crate::planner::state::{ScrewState, SiteState, Verification};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use telehand_ortho::authority::{Bindings, Epoch, Holder};
use telehand_ortho::case::{Party, PersonId, RobotId, SeatId, SiteId};
use telehand_ortho::ids::PatientKey;
use telehand_ortho::plan::{Plan, Signature};
use telehand_ortho::{PlanHash, RegistrationId, ScrewId, SeriesUid};
use telehand_vocab::Mono;

/// First byte of a JSON message; the video configuration has another one.
pub const JSON: u8 = b'J';

/// First byte of a message of the desk: [`telehand_ortho::authority::Message`]s follow.
pub const DESK: u8 = b'D';

/// A site says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "a few a second, and the large one is the usual one")]
pub enum FromSite {
    /// Everything a page shows of it.
    State {
        /// It.
        site: SiteState,
    },
    /// What became of an action.
    Reply {
        /// The action's number.
        id: u64,
        /// `None` for done.
        refusal: Option<Refused>,
    },
    /// The local team has signed.
    Signed {
        /// Its signature.
        signature: Signature,
    },
    /// A series is on its way to the planner's DICOM address.
    Series {
        /// Which.
        uid: SeriesUid,
        /// How many instances.
        instances: usize,
        /// What it was taken for.
        purpose: Purpose,
    },
    /// Image and patient are registered.
    Registered {
        /// Which.
        id: RegistrationId,
        /// On which series.
        series: SeriesUid,
        /// The balls it rests on: their numbers on the plate, and their places in frame Image,
        /// millimetres.
        fiducials_mm: Vec<(usize, [f64; 3])>,
        /// The localisation error that predictions use, millimetres.
        fle_mm: f64,
        /// How the patient reference is turned in the image: a unit quaternion, w first.
        reference_wxyz: [f64; 4],
        /// Where it is there, millimetres.
        reference_mm: [f64; 3],
    },
    /// No registration holds.
    RegistrationVoid {
        /// In words.
        why: String,
    },
    /// A wire is verified, or a screw is in: what the plan's table shows.
    Placed {
        /// Which.
        screw: ScrewId,
        /// `wire`, `verified` or `placed`.
        state: String,
    },
}

/// What a series was taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To plan on.
    Plan,
    /// To measure the wire that lies now.
    Wire(ScrewId),
    /// To grade the screws.
    Final,
}

/// The planner says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub enum FromPlanner {
    /// A button of the surgeon.
    Act {
        /// To answer to.
        id: u64,
        /// Which of the planner's experts, by number.
        person: u32,
        /// What.
        act: SurgeonAct,
    },
    /// The plan in force.
    Plan {
        /// It.
        plan: Plan,
        /// What was found about it.
        found: Findings,
        /// The same screw by screw, for the eyes of the one who co-signs.
        judged: Vec<ScrewState>,
        /// The surgeon's signature under it, once given.
        signature: Option<Signature>,
    },
    /// A series arrived, or did not.
    Imported {
        /// Which.
        uid: SeriesUid,
        /// Every instance, evenly spaced.
        complete: bool,
        /// Thin enough to register.
        registration_allowed: bool,
        /// What is wrong with it.
        refusal: Option<String>,
    },
    /// A wire was measured in a series.
    Measured {
        /// Whose trajectory.
        screw: ScrewId,
        /// Larger of entry and target deviation, millimetres.
        deviation_mm: f64,
        /// Degrees.
        angle_deg: f64,
        /// Of the screw that would follow it, millimetres.
        margin_mm: f64,
        /// The whole table line.
        line: Verification,
    },
    /// The screws were graded, and the report is filed.
    Graded {
        /// Table lines.
        lines: Vec<Verification>,
        /// Each was measured.
        complete: bool,
    },
}

/// A button of the surgeon that the site judges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum SurgeonAct {
    /// The hospital signs, and the surgeon comes on the line.
    Authorise,
    /// Identity and spoken code match.
    SpokenCode,
    /// Signs the checklist.
    TimeOut,
    /// The registration is good.
    AcceptRegistration,
    /// The guide points where it should.
    ConfirmPose {
        /// Which.
        screw: ScrewId,
    },
    /// Accepts a measured wire, or not.
    Verify {
        /// Which.
        screw: ScrewId,
        /// Whether.
        accept: bool,
    },
    /// Please hold.
    Stop,
    /// Closes the case.
    Close,
}

/// What a plan was found to be, millimetres and counts.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Findings {
    /// The smallest of (bone margin less the required one); `None` when a margin is not known.
    pub spare_margin_mm: Option<f64>,
    /// Screws of a wrong length.
    pub wrong_lengths: u32,
    /// Collisions.
    pub collisions: u32,
    /// Screws whose vertebra nobody has pointed at.
    pub unlabelled: u32,
}

/// Why an action was refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refused {
    /// `O-003`.
    pub id: String,
    /// In words.
    pub message: String,
    /// What was found.
    pub value: Option<f64>,
    /// What is allowed.
    pub limit: Option<f64>,
    /// Of both.
    #[serde(default)]
    pub unit: Box<str>,
    /// What ends it.
    pub clears: String,
}

impl Refused {
    /// As a page reads it.
    pub fn answer(&self) -> Value {
        serde_json::json!({
            "ok": false,
            "message": self.message,
            "refusal": {
                "id": self.id, "value": self.value, "limit": self.limit, "unit": self.unit,
                "clears": self.clears,
            },
        })
    }
}

impl From<telehand_ortho::case::Refusal> for Refused {
    fn from(refusal: telehand_ortho::case::Refusal) -> Self {
        let shown = refusal.shown();
        Self {
            id: refusal.id(),
            message: refusal.to_string(),
            value: shown.map(|(value, ..)| value).filter(|value| value.is_finite()),
            limit: shown.map(|(_, limit, _)| limit),
            unit: shown.map_or_else(Box::default, |(.., unit)| unit.into()),
            clears: refusal.clears().to_owned(),
        }
    }
}

/// The heartbeat of a site: what a desk must know at every moment. Newest wins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// The site's own clock when it was said, nanoseconds.
    pub now_ns: u64,
    /// Number of the site.
    pub site: u32,
    /// Number of its robot.
    pub robot: u32,
    /// The patient on the table.
    pub patient: PatientKey,
    /// The epoch in force.
    pub epoch: u64,
    /// Who holds the robot: `none`, `remote` or `local`.
    pub holder: String,
    /// The person who does, by number.
    pub person: Option<u32>,
    /// The seat they hold it from.
    pub seat: Option<u32>,
    /// Who must stay because a wire is in.
    pub pinned: Option<u32>,
    /// 0 to 14.
    pub state: u8,
    /// The approved plan in force.
    pub plan: Option<PlanHash>,
    /// The registration in force.
    pub registration: Option<RegistrationId>,
    /// The trajectory the robot has.
    pub target: Option<ScrewId>,
    /// The screw whose wire is in.
    pub critical: Option<ScrewId>,
    /// What the robot does: `parked`, `moving`, `held` or `stopped`.
    pub drive: String,
    /// Distance of the guide's axis at the entry, millimetres.
    pub guide_mm: Option<f64>,
    /// Its angle, degrees.
    pub guide_deg: Option<f64>,
    /// The hold-to-run signals: the surgeon's, the local team's.
    pub holds: [bool; 2],
}

impl Pulse {
    /// What the desk binds its next message to.
    pub fn bindings(&self) -> Bindings {
        let party = if self.holder == "local" { Party::Local } else { Party::Remote };
        let holder = self.person.zip(self.seat);
        Bindings {
            said: Mono::from_nanos(self.now_ns),
            site: SiteId(self.site),
            robot: RobotId(self.robot),
            patient: Some(self.patient),
            epoch: Epoch(self.epoch),
            holder: holder.map(|(person, seat)| Holder {
                party,
                person: PersonId(person),
                seat: SeatId(seat),
            }),
            pinned: self.pinned.map(PersonId),
            plan: self.plan,
            registration: self.registration,
            target: self.target,
        }
    }
}

/// A message behind its first byte.
///
/// # Errors
/// Only for a value that JSON cannot hold, and there is none here.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = vec![JSON];
    serde_json::to_writer(&mut bytes, message)?;
    Ok(bytes)
}

/// The message in `bytes`; `None` for what is of another kind or version.
pub fn decode<T: for<'a> Deserialize<'a>>(bytes: &[u8]) -> Option<T> {
    let (first, rest) = bytes.split_first()?;
    if *first == JSON { serde_json::from_slice(rest).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pulse() -> Pulse {
        Pulse {
            now_ns: u64::MAX,
            site: u32::MAX,
            robot: u32::MAX,
            patient: PatientKey::of(b"p"),
            epoch: u64::MAX,
            holder: "remote".into(),
            person: Some(u32::MAX),
            seat: Some(u32::MAX),
            pinned: Some(u32::MAX),
            state: 14,
            plan: Some(PlanHash::of(b"p")),
            registration: Some(RegistrationId::of(b"r")),
            target: "T12R".parse().ok(),
            critical: "T12R".parse().ok(),
            drive: "stopped".into(),
            guide_mm: Some(123.456_789_012_345_6),
            guide_deg: Some(123.456_789_012_345_6),
            holds: [false, false],
        }
    }

    #[test]
    fn the_longest_pulse_is_one_packet() {
        let bytes = encode(&pulse()).unwrap();
        assert!(bytes.len() <= telehand_link::session::STATE_MAX, "{}", bytes.len());
        assert_eq!(decode::<Pulse>(&bytes), Some(pulse()));
    }

    #[test]
    fn any_bytes_are_a_message_or_none() {
        let good = encode(&FromPlanner::Act { id: 7, person: 1, act: SurgeonAct::Stop }).unwrap();
        let mut state = 1_u64;
        for _ in 0..10_000 {
            let mut bytes = good.clone();
            for _ in 0..3 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
                let at = (state >> 33) as usize % bytes.len();
                bytes[at] = (state >> 24) as u8;
            }
            bytes.truncate((state >> 40) as usize % (good.len() + 1));
            // whatever it is, it is not a panic
            let _ = decode::<FromPlanner>(&bytes);
            let _ = decode::<FromSite>(&bytes);
        }
        assert_eq!(decode::<FromSite>(&good), None, "what a planner says, a site does not");
    }
}
