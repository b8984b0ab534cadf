//! Every frame carries its own birth time; late is worse than coarse.

pub mod h264;
pub mod i420;
pub mod stamp;

pub use i420::I420;
pub use stamp::Stamp;
