//! What the patient agreed to. The signed paper and the name stay at the site.

use crate::ids::{CaseId, ConsentId, Hash32, PersonId};
use crate::time::{Day, Utc};
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// What a patient may agree to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The treatment.
    Treat,
    /// By a surgeon who is far away.
    Remote,
    /// That it is recorded.
    Record,
    /// That the recording teaches.
    Teach,
    /// That others watch.
    Observers,
}

/// One version of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentForm {
    /// Its number, rising.
    pub version: u32,
    /// The languages it exists in (BCP 47).
    pub languages: Vec<String>,
    /// The document.
    pub document: Hash32,
    /// The first day it may be signed.
    pub from: Day,
    /// The last day it may be signed; an operation on an older signature still counts until
    /// `valid_days` later.
    pub until: Day,
    /// Days a signature counts.
    pub valid_days: u16,
}

/// A signed consent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Its id.
    pub id: ConsentId,
    /// The case.
    pub case: CaseId,
    /// The version of the form.
    pub version: u32,
    /// The language it was explained in (BCP 47).
    pub language: String,
    /// What was agreed to.
    pub scopes: BTreeSet<Scope>,
    /// The salted commitment to the signed paper.
    pub document: Hash32,
    /// When it was signed.
    pub signed: Utc,
    /// Who explained it.
    pub explained_by: PersonId,
    /// When it was withdrawn.
    #[serde(default)]
    pub withdrawn: Option<Utc>,
}
