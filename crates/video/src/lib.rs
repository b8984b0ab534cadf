//! Every frame carries its own birth time; late is worse than coarse.
//!
//! Patient side: [`stamp::burn`] writes the birth time into a picture, [`Encoder`] makes an access
//! unit of it, [`WireFrame`] is what `link` carries. Console side: [`Receiver`] forwards only frames
//! whose whole chain of references arrived, to a browser or a [`Decoder`]; its feedback makes the
//! encoder recover from what the receiver has. [`ladder`] sets the bit rate, [`freeze`] watches
//! that the picture lives.
//!
//! ```
//! use telehand_video::{Decoder, Encoder, EncoderConfig, I420, Receiver, ReceiverConfig, Stamp};
//! use telehand_video::stamp;
//! use telehand_vocab::Mono;
//!
//! let mut encoder = Encoder::new(EncoderConfig::default())?;
//! let mut receiver = Receiver::new(1, ReceiverConfig::default());
//! let mut decoder = Decoder::new()?;
//! let now = Mono::from_millis(1_000);
//!
//! let mut picture = I420::new(640, 480);
//! let stamp = Stamp { stream: 0, eye: 0, frame: 0, born_us: 1_000_000 };
//! stamp::burn(&mut picture, &stamp);
//! let unit = encoder.encode(&picture, now, 0)?.expect("the first frame is never skipped");
//! receiver.handle_frame(now, &unit.into_wire(now).encode())?;
//!
//! let frame = receiver.poll_frame().expect("an IDR needs nothing before it");
//! let shown = decoder.decode(&frame.access_unit)?.expect("one in, one out");
//! assert_eq!(stamp::read(&shown), Some(stamp));
//! encoder.handle_feedback(now, &receiver.poll_feedback(now).expect("news is due at once"))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod codec;
pub mod decoder;
pub mod encoder;
pub mod freeze;
pub mod h264;
pub mod i420;
pub mod integrity;
pub mod ladder;
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
