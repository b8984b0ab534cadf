//! What is remembered under one lease, and forgotten with it.
//!
//! A new lease starts from nothing: no command heard, no pedal seen, no engagement known. So
//! nothing from before a hold can move an arm after it, and a console that was restarted and
//! counts from zero again can engage once it answers to the new lease.

use crate::refusal::Refusal;
use telehand_vocab::{ArmId, Cause, Engage, Lease, Mono, Span};

/// One value for each arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PerArm<T>(pub(crate) T, pub(crate) T, pub(crate) T);

impl<T> PerArm<T> {
    pub(crate) const fn of(&self, arm: ArmId) -> &T {
        match arm {
            ArmId::Psm1 => &self.0,
            ArmId::Psm2 => &self.1,
            ArmId::Ecm => &self.2,
        }
    }

    pub(crate) const fn of_mut(&mut self, arm: ArmId) -> &mut T {
        match arm {
            ArmId::Psm1 => &mut self.0,
            ArmId::Psm2 => &mut self.1,
            ArmId::Ecm => &mut self.2,
        }
    }
}

/// The engagements of one arm under one lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    following: Option<Engage>,
    newest_seen: Option<Engage>,
}

#[derive(Debug, Clone)]
pub(crate) struct Tenancy {
    lease: Lease,
    heard: Option<Mono>,
    newest: Option<u64>,
    good_since: Option<Mono>,
    pedal_up: bool,
    arms: PerArm<Hold>,
}

impl Tenancy {
    pub(crate) const fn new(lease: Lease) -> Self {
        let none = Hold { following: None, newest_seen: None };
        Self {
            lease,
            heard: None,
            newest: None,
            good_since: None,
            pedal_up: false,
            arms: PerArm(none, none, none),
        }
    }

    /// The next lease, with nothing remembered.
    pub(crate) const fn next(&self) -> Self {
        Self::new(Lease(self.lease.0.wrapping_add(1)))
    }

    /// The next lease after a hold. A console that fell silent stays missed until it speaks.
    pub(crate) fn next_after(&self, cause: Cause) -> Self {
        let missed = if cause == Cause::LinkSilent { self.heard } else { None };
        Self { heard: missed, ..self.next() }
    }

    /// Whether a command was admitted under this lease.
    pub(crate) const fn spoken(&self) -> bool {
        self.newest.is_some()
    }

    pub(crate) const fn lease(&self) -> Lease {
        self.lease
    }

    /// When the console was last heard, if it is missed when silent.
    pub(crate) const fn heard(&self) -> Option<Mono> {
        self.heard
    }

    /// Admits a command under this lease and in order, or says why not.
    pub(crate) fn admit(&mut self, now: Mono, lease: Lease, seq: u64) -> Result<(), Refusal> {
        if lease != self.lease {
            let [asked, valid] = [lease, self.lease].map(|l| f64::from(l.0));
            return Err(Refusal::new(Cause::StaleLease, asked, valid));
        }
        if self.newest.is_some_and(|newest| seq <= newest) {
            return Err(Refusal::plain(Cause::OutOfOrder));
        }
        self.newest = Some(seq);
        self.heard = Some(now);
        Ok(())
    }

    /// Notes that the link is good, or that it is not.
    pub(crate) fn note_link(&mut self, now: Mono, good: bool) {
        self.good_since = if good { self.good_since.or(Some(now)) } else { None };
    }

    /// How long the link has been good.
    pub(crate) fn good_for(&self, now: Mono) -> Span {
        self.good_since.map_or(Span::ZERO, |since| now.since(since))
    }

    pub(crate) const fn see_pedal_up(&mut self) {
        self.pedal_up = true;
    }

    pub(crate) const fn pedal_seen_up(&self) -> bool {
        self.pedal_up
    }

    pub(crate) const fn following(&self, arm: ArmId) -> Option<Engage> {
        self.arms.of(arm).following
    }

    pub(crate) fn anybody_follows(&self) -> bool {
        ArmId::ALL.iter().any(|arm| self.following(*arm).is_some())
    }

    /// Notes an engagement; true if it is newer than every one seen for this arm.
    pub(crate) fn is_new(&mut self, arm: ArmId, engage: Engage) -> bool {
        let seen = &mut self.arms.of_mut(arm).newest_seen;
        let new = seen.is_none_or(|newest| engage > newest);
        *seen = (*seen).max(Some(engage));
        new
    }

    pub(crate) const fn follow(&mut self, arm: ArmId, engage: Option<Engage>) {
        self.arms.of_mut(arm).following = engage;
    }
}
