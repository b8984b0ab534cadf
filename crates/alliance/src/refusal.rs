//! Every "no" of the alliance: which rule, what was found, what the limit is, what would satisfy it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $id:literal, $title:literal;)*) => {
        /// A rule of the alliance. Its text is its id: `A-007`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* #[doc = concat!($id, ": ", $title)] $name,)*
        }

        impl Rule {
            /// Every rule, by number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its id, as in code, tests, log, page and SAFETY.md.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$name => $id),* }
            }

            /// The rule in a few words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            /// The rule with this id.
            pub fn from_id(id: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|rule| rule.id() == id)
            }
        }
    };
}

rules! {
    Permission = "A-001", "what no role allows is denied";
    Tenant = "A-002", "one hospital neither reads nor changes another's";
    Evidence = "A-003", "a privilege needs the evidence of its template";
    Lapse = "A-004", "a privilege lapses by end, volume, gap, drill age or missed review";
    StandBy = "A-005", "a stand-by surgeon with a privilege is at the patient's site";
    Paths = "A-006", "two qualified, diverse paths in date";
    Consent = "A-007", "consent in a valid version and scope, not withdrawn";
    Slot = "A-008", "one resource, one slot, one booking";
    Published = "A-009", "a published booking is changed only by a logged decision with a reason";
    Grant = "A-010", "a grant has two signatures, one console key, one robot, one window";
    Expiry = "A-011", "expiry is judged at start, hand-over and reconnect, never in motion";
    TakeOver = "A-012", "local take-over asks nobody";
    Path0 = "A-013", "the hub is never in the path of a session";
    Log = "A-014", "the log tells every deletion, reordering, truncation and fork";
    NoPhi = "A-015", "no patient data in hub or log";
    WaitRisk = "A-016", "a plan in which an anaesthetised patient may wait is not published";
    Suspended = "A-017", "who is suspended and what is recalled takes no part";
    Member = "A-018", "membership and agreement are in date";
    Durable = "A-019", "what was acknowledged is kept; a repeated request is answered, not repeated";
    Licence = "A-020", "licensed at the patient's site";
    Compatible = "A-021", "console and robot are declared compatible";
    Strength = "A-022", "control needs a phishing-resistant login";
    Endpoint = "A-023", "every endpoint has an authorisation test";
    Certificates = "A-024", "no door without certificates but on loopback";
    Order = "A-025", "one step after the other";
    Known = "A-026", "every name is known, and used once";
    Range = "A-027", "every value is in its range";
    TwoPeople = "A-028", "two people, not one in two roles";
    Version = "A-029", "a change is made on the version that was read";
    Privilege = "A-030", "a privilege for this procedure, robot model and role";
    Briefing = "A-031", "the team paused and ticked every point before the first cut";
    Upload = "A-032", "a site's events come in order, each once, none rewritten";
    Assets = "A-033", "robot, console and room are ready for the whole time";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let id = String::deserialize(deserializer)?;
        Self::from_id(&id).ok_or_else(|| serde::de::Error::custom("no such rule"))
    }
}

/// An expected "no". The state is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{rule}: {what}: {value}; the limit is {limit}. Nothing was changed. {satisfy}")]
pub struct Refusal {
    /// The rule that says no.
    pub rule: Rule,
    /// What was asked, or what it is about.
    pub what: String,
    /// What was found.
    pub value: String,
    /// What would have been enough.
    pub limit: String,
    /// What to do so that it is.
    pub satisfy: String,
}

impl Refusal {
    /// A refusal from its parts.
    pub fn new(rule: Rule, what: &str, value: &str, limit: &str, satisfy: &str) -> Self {
        let [what, value, limit, satisfy] = [what, value, limit, satisfy].map(ToOwned::to_owned);
        Self { rule, what, value, limit, satisfy }
    }
}

/// One rule's judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// True if it is satisfied.
    pub ok: bool,
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub value: String,
    /// What is enough.
    pub limit: String,
    /// What to do; empty if it is satisfied.
    pub satisfy: String,
}

impl From<Finding> for Refusal {
    fn from(finding: Finding) -> Self {
        let Finding { rule, what, value, limit, satisfy, .. } = finding;
        Self { rule, what, value, limit, satisfy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn rules_are_numbered_without_gaps() {
        for (index, rule) in Rule::ALL.iter().enumerate() {
            assert_eq!(rule.id(), alloc::format!("A-{:03}", index + 1));
            let json = serde_json::to_string(rule).unwrap();
            assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), *rule);
        }
        assert!(serde_json::from_str::<Rule>("\"A-999\"").is_err());
    }

    #[test]
    fn a_refusal_says_what_how_much_and_what_now() {
        let refusal = Refusal::new(
            Rule::Lapse,
            "the age of the last live drill",
            "91 d",
            "90 d",
            "Record a live drill.",
        );
        assert_eq!(
            refusal.to_string(),
            "A-004: the age of the last live drill: 91 d; the limit is 90 d. Nothing was changed. \
             Record a live drill."
        );
    }
}
