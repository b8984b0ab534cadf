//! From access units back to pictures, for the headless console and for tests.

pub use crate::codec::{Damaged, Decoder};
