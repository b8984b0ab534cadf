//! The case and the authority, seen from outside: every rule as a table or a timeline.
//!
//! Tests are named `o_0NN_...` after the rule of SAFETY.md they prove, and `trap_NN_...` after the
//! mistakes that spine navigation is known for.
#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected must fail")]

mod approach;
mod case;
mod desk;
mod epochs;
mod every_pair;
mod hand_off;
mod messages;
mod patient;
mod rules;
mod theatre;
mod words;
