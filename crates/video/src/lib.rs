//! Every frame carries its own birth time; late is worse than coarse.

mod codec;
pub mod decoder;
pub mod encoder;
pub mod h264;
pub mod i420;
pub mod integrity;
pub mod references;
pub mod stamp;
pub mod wire;

pub use codec::CodecError;
pub use decoder::{Damaged, Decoder};
pub use encoder::{AccessUnit, EncodeError, Encoder, EncoderConfig};
pub use i420::I420;
pub use integrity::{Picture, Receiver, ReceiverConfig};
pub use stamp::Stamp;
pub use wire::WireFrame;
