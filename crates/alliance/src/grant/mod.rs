//! The session grant: what lets one console control one robot for one case.
//!
//! A CWT (RFC 8392) in COSE (RFC 9052), signed with Ed25519 by the hub AND by the patient's site,
//! verified by the arm without any network. It is bound to the console's key, so a copy of it is
//! worth nothing.
//!
//! It is judged at start, at hand-over and at reconnect, and never while an instrument moves
//! . Local stop and local take-over need no grant: nothing here is called for them.

mod claims;

pub use claims::{Claims, LogHead};
