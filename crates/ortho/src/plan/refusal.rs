//! What a plan says when it says no.

use super::vertebra::Mislabel;
use crate::ids::PlanHash;
use crate::screw::ScrewId;

/// A change, a signature or a question that was refused; the plan stays as it was.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PlanRefusal {
    /// The edit was made on an older version than the newest one.
    #[error(
        "The edit was made on version {base}, but version {version} is the newest. The plan stays \
         as it is. {}", self.clears()
    )]
    Stale {
        /// The version the edit was made on.
        base: u64,
        /// The newest version.
        version: u64,
    },
    /// Somebody else holds the pen.
    #[error("{by} may not write: the writer is {writer}. The plan stays as it is. {}", self.clears())]
    NotTheWriter {
        /// Who tried.
        by: String,
        /// Who may.
        writer: String,
    },
    /// A screw with impossible numbers.
    #[error(
        "{id} has no direction, or a number that is not finite or beyond 10 m. The plan stays as \
         it is. {}", self.clears()
    )]
    Impossible {
        /// The screw.
        id: ScrewId,
    },
    /// A screw of a size that does not exist.
    #[error(
        "{id} is {value_mm:.2} mm {what}, but the library ends at {limit_mm:.1} mm. The plan stays \
         as it is. {}", self.clears()
    )]
    OutOfLibrary {
        /// The screw.
        id: ScrewId,
        /// `thick` or `long`.
        what: &'static str,
        /// Its size, mm.
        value_mm: f64,
        /// The nearest size there is, mm.
        limit_mm: f64,
    },
    /// The screw lies in another vertebra or on the other side than its name says.
    #[error("{why} The plan stays as it is. {}", self.clears())]
    Mislabelled {
        /// Where it lies.
        why: Mislabel,
    },
    /// No such screw in the plan.
    #[error("There is no {id} in the plan. The plan stays as it is. {}", self.clears())]
    NoScrew {
        /// The screw.
        id: ScrewId,
    },
    /// No such version, or one of another series.
    #[error(
        "Version {version} is none of this series. The plan stays as it is. {}", self.clears()
    )]
    NoVersion {
        /// The version asked for.
        version: u64,
    },
    /// A signature over something else than the newest version.
    #[error(
        "O-001: the signature is for {signed}, the plan is {plan}. It counts for nothing. {}",
        self.clears()
    )]
    OtherHash {
        /// What was signed.
        signed: PlanHash,
        /// What is to be signed.
        plan: PlanHash,
    },
    /// A signature that does not verify.
    #[error("O-002: the signature of {name} does not verify. It counts for nothing. {}", self.clears())]
    Forged {
        /// Who is said to have signed.
        name: String,
    },
    /// One person in both roles.
    #[error(
        "O-002: {name} has already signed in the other role; two people sign. The second \
         signature counts for nothing. {}", self.clears()
    )]
    OnePerson {
        /// Who.
        name: String,
    },
    /// Nothing to sign yet.
    #[error("O-002: there is nothing to sign: the plan has no {missing}. {}", self.clears())]
    NotReady {
        /// `screw` or `registration`.
        missing: &'static str,
    },
    /// A saved plan that cannot be gone on with.
    #[error("The saved plan is damaged: {what}. It was not taken. {}", self.clears())]
    Damaged {
        /// What is wrong.
        what: &'static str,
    },
    /// Not both have signed the newest version.
    #[error(
        "O-002: {signatures} of 2 signatures are on version {version}. No robot may be grabbed. {}",
        self.clears()
    )]
    NotApproved {
        /// How many have signed.
        signatures: u32,
        /// The newest version.
        version: u64,
    },
}

impl PlanRefusal {
    /// The rule's id in SAFETY.md, or a short name where there is no rule.
    pub const fn id(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "plan-stale",
            Self::NotTheWriter { .. } => "plan-writer",
            Self::Impossible { .. } | Self::OutOfLibrary { .. } => "plan-size",
            Self::Mislabelled { .. } => "plan-label",
            Self::NoScrew { .. } | Self::NoVersion { .. } => "plan-absent",
            Self::Damaged { .. } => "plan-damaged",
            Self::OtherHash { .. } => "O-001",
            Self::Forged { .. }
            | Self::OnePerson { .. }
            | Self::NotReady { .. }
            | Self::NotApproved { .. } => "O-002",
        }
    }

    /// What the person at the screen can do.
    pub const fn clears(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "Look at the newest version and make the edit on it.",
            Self::NotTheWriter { .. } => "Ask the writer to hand the plan over.",
            Self::Impossible { .. } | Self::OutOfLibrary { .. } => {
                "Draw the screw again within the library's sizes."
            }
            Self::Mislabelled { .. } => {
                "Check level and side on the image, then name the screw right."
            }
            Self::NoScrew { .. } | Self::NoVersion { .. } => "Look at the newest version.",
            Self::Damaged { .. } => "Take the copy of the other hospital, or plan anew.",
            Self::OtherHash { .. } => "Review the newest version and sign that.",
            Self::Forged { .. } => "Sign again with the key that the hospital has registered.",
            Self::OnePerson { .. } => "The other surgeon signs.",
            Self::NotReady { .. } => "Register the patient and plan the screws first.",
            Self::NotApproved { .. } => "Both surgeons review and sign this version.",
        }
    }
}
