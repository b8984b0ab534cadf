//! Rules broken on purpose, so that tests can show that the invariants notice. Without the feature
//! `mutants` (a test-only feature, off in every program) [`is`] is the constant `false`.

/// A broken rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// Somebody else's case can be read and changed.
    TenantsMix,
    /// A published booking is moved without a reason.
    PublishedMovesFreely,
    /// Conflicts of slots are not looked for.
    SlotsTwice,
    /// Consent is not asked for at the grant.
    NoConsent,
    /// Lapses of privileges are not judged.
    NoLapse,
    /// One path is enough.
    OnePath,
    /// One person signs a grant for both sides.
    OnePerson,
    /// A site's record is refused once its grant is revoked.
    RevokedCannotTakeOver,
    /// A repeated upload is taken twice.
    UploadTwice,
    /// Text is not looked at for patient data.
    PhiPasses,
    /// A second grant for a robot whose session runs is given.
    RobotTwice,
}

impl Mutant {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::TenantsMix,
        Self::PublishedMovesFreely,
        Self::SlotsTwice,
        Self::NoConsent,
        Self::NoLapse,
        Self::OnePath,
        Self::OnePerson,
        Self::RevokedCannotTakeOver,
        Self::UploadTwice,
        Self::PhiPasses,
        Self::RobotTwice,
    ];
}

#[cfg(feature = "mutants")]
mod switch {
    extern crate std;
    use super::Mutant;
    use core::cell::Cell;

    std::thread_local! {
        static BROKEN: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Breaks one rule on this thread, or none.
    pub fn break_rule(mutant: Option<Mutant>) {
        BROKEN.set(mutant);
    }

    /// True if this rule is broken on this thread.
    pub fn is(mutant: Mutant) -> bool {
        BROKEN.get() == Some(mutant)
    }
}

#[cfg(feature = "mutants")]
pub use switch::{break_rule, is};

/// Never: rules are whole.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn is(_: Mutant) -> bool {
    false
}
