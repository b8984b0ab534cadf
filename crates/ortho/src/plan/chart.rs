//! The keeper of one plan: one writer, numbered versions, two signatures.

use super::approval::{Approved, Role, Signature, Verify, statement};
use super::library::Library;
use super::refusal::PlanRefusal;
use super::sheet::{Plan, on_nanometres};
use super::vertebra::Anatomy;
use crate::ids::{RegistrationId, SeriesUid};
use crate::screw::{Screw, ScrewId};
use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who did something, and when by the caller's clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// The name.
    pub name: String,
    /// Unix milliseconds.
    pub at_ms: i64,
}

/// One edit of the screws.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Edit {
    /// Puts this screw, in place of the one with its name.
    Set(Screw),
    /// Takes this screw out.
    Remove(ScrewId),
}

/// What made a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The empty plan.
    Began,
    /// A screw was put or moved.
    Set(ScrewId),
    /// A screw was taken out.
    Removed(ScrewId),
    /// The screws are again those of this version.
    Restored(u64),
    /// Bound to this registration.
    Registered(RegistrationId),
    /// The registration is void.
    Unregistered,
    /// A new series: the screws of the old one are gone with it.
    Rescanned(SeriesUid),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Began => f.write_str("began"),
            Self::Set(id) => write!(f, "{id} set"),
            Self::Removed(id) => write!(f, "{id} removed"),
            Self::Restored(version) => write!(f, "back to version {version}"),
            Self::Registered(_) => f.write_str("registered"),
            Self::Unregistered => f.write_str("registration void"),
            Self::Rescanned(_) => f.write_str("new series"),
        }
    }
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The plan as it then was.
    pub plan: Plan,
    /// What was done.
    pub what: Change,
    /// Who did it, when.
    pub by: By,
    /// The version that one undo goes back to.
    before: Option<u64>,
}

/// A [`Chart`] on disk: see [`Chart::saved`] and [`Chart::resume`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    writer: String,
    past: Vec<Version>,
    signatures: Vec<Signature>,
}

/// The keeper of one plan.
///
/// Only the writer edits, on the newest version; every change makes a new version and voids both
/// signatures (O-001). [`Chart::approved`] answers only while both are on the newest (O-002).
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    library: Library,
    writer: String,
    /// Never empty; version n stands at index n.
    past: Vec<Version>,
    newest: Plan,
    remote: Option<Signature>,
    local: Option<Signature>,
}

impl Chart {
    /// The empty plan on `series`; `by` becomes the writer.
    pub fn new(series: SeriesUid, by: By) -> Self {
        let newest = Plan { version: 0, series, registration: None, screws: BTreeMap::new() };
        let writer = by.name.clone();
        let first = Version { plan: newest.clone(), what: Change::Began, by, before: None };
        let library = Library::STANDARD;
        Self { library, writer, past: vec![first], newest, remote: None, local: None }
    }

    /// The newest version.
    pub const fn plan(&self) -> &Plan {
        &self.newest
    }

    /// Every version, oldest first.
    pub fn history(&self) -> &[Version] {
        &self.past
    }

    /// Who may edit.
    pub fn writer(&self) -> &str {
        &self.writer
    }

    /// The signature in this role on the newest version.
    pub const fn signature(&self, role: Role) -> Option<&Signature> {
        match role {
            Role::Remote => self.remote.as_ref(),
            Role::Local => self.local.as_ref(),
        }
    }

    /// Edits the newest version. A screw is brought to the nearest size of the library (entry and
    /// direction stay) and to whole nanometres, and must lie where its name says, as far as
    /// `anatomy` knows.
    pub fn edit(
        &mut self,
        base: u64,
        edit: Edit,
        by: &By,
        anatomy: &Anatomy,
    ) -> Result<&Plan, PlanRefusal> {
        self.may_write(base, by)?;
        let mut screws = self.newest.screws.clone();
        let what = match edit {
            Edit::Set(screw) => {
                let screw = self.fitted(&screw)?;
                anatomy.check(&screw, &screws).map_err(|why| PlanRefusal::Mislabelled { why })?;
                screws.insert(screw.id, screw);
                Change::Set(screw.id)
            }
            Edit::Remove(id) => {
                screws.remove(&id).ok_or(PlanRefusal::NoScrew { id })?;
                Change::Removed(id)
            }
        };
        let plan = Plan { screws, ..self.newest.clone() };
        Ok(self.turn(plan, what, by.clone(), Some(base)))
    }

    /// A new version with the screws from before the last edit that still stands; again and again
    /// goes further back.
    pub fn undo(&mut self, base: u64, by: &By) -> Result<&Plan, PlanRefusal> {
        let before = self.version(self.newest.version).and_then(|v| v.before);
        let version = before.ok_or(PlanRefusal::NoVersion { version: self.newest.version })?;
        self.restore(base, version, by)
    }

    /// A new version with the screws of an older one of the same series. Series and registration
    /// stay those of today.
    pub fn restore(&mut self, base: u64, version: u64, by: &By) -> Result<&Plan, PlanRefusal> {
        self.may_write(base, by)?;
        let old = self
            .version(version)
            .filter(|old| old.plan.series == self.newest.series)
            .ok_or(PlanRefusal::NoVersion { version })?;
        let (screws, before) = (old.plan.screws.clone(), old.before);
        let plan = Plan { screws, ..self.newest.clone() };
        Ok(self.turn(plan, Change::Restored(version), by.clone(), before))
    }

    /// Binds the plan to a registration of its series; the same one again changes nothing.
    pub fn register(&mut self, registration: RegistrationId, by: &By) -> &Plan {
        if self.newest.registration == Some(registration) {
            return &self.newest;
        }
        let plan = Plan { registration: Some(registration), ..self.newest.clone() };
        self.carry(plan, Change::Registered(registration), by)
    }

    /// The registration is void: the reference moved, or the plate.
    pub fn unregister(&mut self, by: &By) -> &Plan {
        if self.newest.registration.is_none() {
            return &self.newest;
        }
        let plan = Plan { registration: None, ..self.newest.clone() };
        self.carry(plan, Change::Unregistered, by)
    }

    /// A new scan. Its coordinates are others: the plan begins again without screws and without
    /// registration; the old versions stay readable.
    pub fn rescan(&mut self, series: SeriesUid, by: &By) -> &Plan {
        if self.newest.series == series {
            return &self.newest;
        }
        let plan = Plan {
            series: series.clone(),
            registration: None,
            screws: BTreeMap::new(),
            ..self.newest.clone()
        };
        self.turn(plan, Change::Rescanned(series), by.clone(), None)
    }

    /// The writer gives the pen away. Signatures stay: the plan is the same.
    pub fn hand_over(&mut self, by: &By, to: &str) -> Result<(), PlanRefusal> {
        self.is_writer(by)?;
        to.clone_into(&mut self.writer);
        Ok(())
    }

    /// Takes a signature on the newest version.
    ///
    /// Refused: another hash (O-001); a plan without screws or registration, a signature that does
    /// not verify, the name of the other role's signer (O-002).
    pub fn sign(&mut self, signature: Signature, keys: &impl Verify) -> Result<(), PlanRefusal> {
        let plan = self.newest.hash();
        if signature.hash != plan {
            return Err(PlanRefusal::OtherHash { signed: signature.hash, plan });
        }
        if self.newest.screws.is_empty() {
            return Err(PlanRefusal::NotReady { missing: "screw" });
        }
        if self.newest.registration.is_none() {
            return Err(PlanRefusal::NotReady { missing: "registration" });
        }
        let Signature { role, name, .. } = &signature;
        if !keys.verify(*role, name, &statement(*role, name, &plan), &signature.bytes) {
            return Err(PlanRefusal::Forged { name: name.clone() });
        }
        let (own, other) = match role {
            Role::Remote => (&mut self.remote, &self.local),
            Role::Local => (&mut self.local, &self.remote),
        };
        if other.as_ref().is_some_and(|other| other.name == *name) {
            return Err(PlanRefusal::OnePerson { name: name.clone() });
        }
        *own = Some(signature);
        Ok(())
    }

    /// Both signatures on the newest version, or which are missing.
    pub fn approved(&self) -> Result<Approved, PlanRefusal> {
        match (&self.remote, &self.local) {
            (Some(remote), Some(local)) => Ok(Approved {
                hash: self.newest.hash(),
                remote: remote.clone(),
                local: local.clone(),
            }),
            (remote, local) => Err(PlanRefusal::NotApproved {
                signatures: u32::from(remote.is_some()) + u32::from(local.is_some()),
                version: self.newest.version,
            }),
        }
    }

    /// Everything, for the disk.
    pub fn saved(&self) -> Saved {
        Saved {
            writer: self.writer.clone(),
            past: self.past.clone(),
            signatures: self.remote.iter().chain(&self.local).cloned().collect(),
        }
    }

    /// Goes on with what was saved. Every signature is verified again; versions must follow each
    /// other without a gap.
    pub fn resume(saved: Saved, keys: &impl Verify) -> Result<Self, PlanRefusal> {
        let Saved { writer, past, signatures } = saved;
        let damaged = |what| PlanRefusal::Damaged { what };
        let numbered = |(n, v): (usize, &Version)| {
            v.plan.version == n as u64 && v.before.is_none_or(|before| before < v.plan.version)
        };
        if !past.iter().enumerate().all(numbered) {
            return Err(damaged("its versions do not follow each other"));
        }
        let newest = past.last().ok_or(damaged("it has no version"))?.plan.clone();
        let library = Library::STANDARD;
        let mut chart = Self { library, writer, past, newest, remote: None, local: None };
        for signature in signatures {
            chart.sign(signature, keys)?;
        }
        Ok(chart)
    }

    fn version(&self, version: u64) -> Option<&Version> {
        self.past.get(usize::try_from(version).ok()?)
    }

    fn may_write(&self, base: u64, by: &By) -> Result<(), PlanRefusal> {
        self.is_writer(by)?;
        let version = self.newest.version;
        if base == version { Ok(()) } else { Err(PlanRefusal::Stale { base, version }) }
    }

    fn is_writer(&self, by: &By) -> Result<(), PlanRefusal> {
        if by.name == self.writer {
            return Ok(());
        }
        Err(PlanRefusal::NotTheWriter { by: by.name.clone(), writer: self.writer.clone() })
    }

    fn fitted(&self, screw: &Screw) -> Result<Screw, PlanRefusal> {
        let id = screw.id;
        let screw = on_nanometres(screw).ok_or(PlanRefusal::Impossible { id })?;
        let fitted = self.library.fit(&screw).ok_or(PlanRefusal::Impossible { id })?;
        let sizes = [
            ("thick", screw.diameter, fitted.diameter, self.library.diameter_step),
            ("long", screw.length(), fitted.length(), self.library.length_step),
        ];
        for (what, value, limit, step) in sizes {
            // more than half a step off: there is no such screw, and a silent one would surprise
            if (value - limit).abs() > step / 2.0 + 1e-8 {
                let (value_mm, limit_mm) = (value * 1e3, limit * 1e3);
                return Err(PlanRefusal::OutOfLibrary { id, what, value_mm, limit_mm });
            }
        }
        on_nanometres(&fitted).ok_or(PlanRefusal::Impossible { id })
    }

    /// A change that keeps the screws: an undo after it goes where it would have gone before it.
    fn carry(&mut self, plan: Plan, what: Change, by: &By) -> &Plan {
        let before = self.version(self.newest.version).and_then(|v| v.before);
        self.turn(plan, what, by.clone(), before)
    }

    /// The one place where a version is made, and both signatures fall.
    fn turn(&mut self, plan: Plan, what: Change, by: By, before: Option<u64>) -> &Plan {
        self.newest = Plan { version: self.newest.version + 1, ..plan };
        self.past.push(Version { plan: self.newest.clone(), what, by, before });
        self.remote = None;
        self.local = None;
        &self.newest
    }
}
