//! A damaged picture is never shown unflagged.
//!
//! A decoder that lost a frame goes on and shows smears without a word: success of a decoder is not
//! integrity. So the receiver counts. Each frame says which frame it predicts from and which it
//! keeps ([`crate::wire`]); the receiver follows what a decoder behind it holds and forwards only
//! frames whose whole chain was forwarded. The rest is held back, the page is told since when the
//! picture stands still, and the sender is told ([`Feedback`]) what the receiver has, until a frame
//! that predicts from just that restarts the chain, one round trip later.
//!
//! No decoder and no H.264 parser is needed at the receiver.

mod feedback;
mod ledger;
mod receiver;

pub use feedback::{FEEDBACK_BYTES, Feedback, FeedbackError};
pub use ledger::{Ledger, LedgerError, MarkOutcome, Recover, Requests};
pub use receiver::{Counts, Picture, Receiver, ReceiverConfig};
