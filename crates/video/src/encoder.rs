//! From pictures to access units, steered by what the receiver has.
//!
//! H.264 constrained baseline, one slice, one reference, infinite group of pictures: an IDR comes
//! first, on [`Encoder::request_idr`] and when nothing else helps. After a loss the next frame
//! predicts from a long-term reference the receiver has acknowledged, and costs no more than any
//! other.

use crate::codec::{CodecError, Encoded, Parameters, RawEncoder};
use crate::i420::I420;
use crate::integrity::{Feedback, FeedbackError, Ledger, LedgerError};
use crate::references::Links;
use crate::wire::WireFrame;
use telehand_vocab::{Mono, Span};

/// Largest picture in pixels: 3840 x 2160.
const PIXELS_MAX: usize = 3_840 * 2_160;
/// Smallest side in pixels.
const SIDE_MIN: usize = 16;
/// Bits a second that may be asked for.
const BITRATE_BPS: std::ops::RangeInclusive<u32> = 50_000..=100_000_000;
/// Frames a second that the library takes.
const FPS: std::ops::RangeInclusive<f64> = 1.0..=60.0;

/// What an encoder is made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncoderConfig {
    /// Picture width in pixels, even; both eyes together for a side-by-side picture.
    pub width: usize,
    /// Picture height in pixels, even.
    pub height: usize,
    /// Frames a second, 1 to 60.
    pub fps: f64,
    /// Target in bits a second.
    pub bitrate_bps: u32,
    /// Frames between two long-term references, 10 to 30.
    pub mark_period: u32,
    /// Least time between two IDRs after the first: a page that reloads in a loop must not flood
    /// the uplink.
    pub idr_interval: Span,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            width: 640,
            height: 480,
            fps: 30.0,
            bitrate_bps: 2_000_000,
            mark_period: 10,
            idr_interval: Span::from_millis(500),
        }
    }
}

/// Why there is no access unit.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A setting is outside its range.
    #[error("{name} is {value}; it must be {range}. The encoder keeps its old setting, if any")]
    Setting {
        /// Which setting.
        name: &'static str,
        /// What was asked.
        value: f64,
        /// What is possible.
        range: &'static str,
    },
    /// The picture has another size than the encoder, or its planes disagree.
    #[error(
        "the picture is {width} x {height} or its planes are not that long; the encoder takes \
         {expected_width} x {expected_height}. The frame is dropped"
    )]
    Picture {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
        /// Pixels.
        expected_width: usize,
        /// Pixels.
        expected_height: usize,
    },
    /// The library failed. The next frame will be an IDR.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The library's output could not be followed. The next frame will be an IDR.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// One encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// The number given to [`Encoder::encode`].
    pub seq: u32,
    /// The time given to [`Encoder::encode`].
    pub captured_at: Mono,
    /// It needs nothing before it.
    pub idr: bool,
    /// What it predicts from and what it keeps.
    pub links: Links,
    /// Annex B bytes.
    pub bytes: Vec<u8>,
}

impl AccessUnit {
    /// As the frame that goes over the wire.
    #[must_use]
    pub fn into_wire(self, encoded_at: Mono) -> WireFrame {
        WireFrame {
            seq: self.seq,
            links: self.links,
            captured_at: self.captured_at,
            encoded_at,
            access_unit: self.bytes,
        }
    }
}

/// One encoder with its account of what the receiver has.
pub struct Encoder {
    raw: RawEncoder,
    ledger: Ledger,
    config: EncoderConfig,
    idr_wanted: bool,
    idr_at: Option<Mono>,
}

impl Encoder {
    /// An encoder for pictures of one size.
    pub fn new(config: EncoderConfig) -> Result<Self, EncodeError> {
        check(&config)?;
        let raw = RawEncoder::new(parameters(&config))?;
        Ok(Self { raw, ledger: Ledger::default(), config, idr_wanted: false, idr_at: None })
    }

    /// Encodes one picture taken at `at` (any clock that only grows; the wire calls it captured).
    /// `seq` must grow from call to call. `None` when the library skipped the picture.
    ///
    /// After an error the chain of references is cut: the next frame is an IDR.
    pub fn encode(
        &mut self,
        picture: &I420,
        at: Mono,
        seq: u32,
    ) -> Result<Option<AccessUnit>, EncodeError> {
        let (width, height) = (self.config.width, self.config.height);
        if picture.width != width || picture.height != height || !picture.is_sound() {
            return Err(EncodeError::Picture {
                width: picture.width,
                height: picture.height,
                expected_width: width,
                expected_height: height,
            });
        }
        if self.idr_wanted && self.idr_is_due(at) {
            self.raw.force_idr().inspect_err(|_| self.idr_at = None)?;
        }
        let at_ms = at.as_nanos() / 1_000_000;
        let encoded = match self.raw.encode(picture, at_ms as i64) {
            Ok(encoded) => encoded,
            Err(_) => self.start_again(picture, at_ms as i64).inspect_err(|_| self.cut())?,
        };
        let Some(encoded) = encoded else { return Ok(None) };
        let links = self.ledger.enter(seq, &encoded.bytes).inspect_err(|_| self.cut())?;
        if encoded.idr {
            self.idr_wanted = false;
            self.idr_at = Some(at);
        }
        if self.ledger.must_send_idr(seq, links) {
            self.idr_wanted = true;
        }
        let idr = encoded.idr;
        Ok(Some(AccessUnit { seq, captured_at: at, idr, links, bytes: encoded.bytes }))
    }

    /// Acts on one feedback message of the receiver. `now` is of the same clock as the `at` of
    /// [`Encoder::encode`]. Old, repeated and reordered messages are harmless.
    pub fn handle_feedback(&mut self, now: Mono, bytes: &[u8]) -> Result<(), FeedbackError> {
        let requests = self.ledger.judge(&Feedback::decode(bytes)?)?;
        // a refusal of the library here shows in the next frame, which the ledger examines
        if let Some(mark) = requests.mark {
            let _ = self.raw.mark_feedback(mark.idr_pic_id, mark.frame_num, mark.held);
        }
        if let Some(ask) = requests.recover {
            let _ = self.raw.recover(ask.idr_pic_id, ask.last_correct, ask.current);
        }
        // feedback repeats, so a request that comes too early need not be remembered
        if requests.idr && self.idr_is_due(now) {
            self.idr_wanted = true;
        }
        Ok(())
    }

    /// Asks for an IDR with the next frame, or, within [`EncoderConfig::idr_interval`] of the last
    /// one, as soon as that is over.
    pub fn request_idr(&mut self) {
        self.idr_wanted = true;
    }

    /// Changes the target in bits a second from the next frame on.
    pub fn set_bitrate(&mut self, bitrate_bps: u32) -> Result<(), EncodeError> {
        let config = EncoderConfig { bitrate_bps, ..self.config };
        check(&config)?;
        self.raw.set_bitrate(bitrate_bps as i32)?;
        self.config = config;
        Ok(())
    }

    /// The settings in force.
    pub fn config(&self) -> &EncoderConfig {
        &self.config
    }

    fn idr_is_due(&self, now: Mono) -> bool {
        self.idr_at.is_none_or(|at| now.since(at) >= self.config.idr_interval)
    }

    /// After some errors the library has torn its encoder down, so a fresh one takes the picture,
    /// as an IDR.
    fn start_again(&mut self, picture: &I420, at_ms: i64) -> Result<Option<Encoded>, CodecError> {
        self.raw = RawEncoder::new(parameters(&self.config))?;
        self.raw.encode(picture, at_ms)
    }

    /// The receiver cannot follow any more: start again as soon as a frame comes out.
    fn cut(&mut self) {
        self.idr_wanted = true;
        self.idr_at = None;
    }
}

fn parameters(config: &EncoderConfig) -> Parameters {
    Parameters {
        width: config.width as i32,
        height: config.height as i32,
        fps: config.fps as f32,
        bitrate_bps: config.bitrate_bps as i32,
        mark_period: config.mark_period,
    }
}

fn check(config: &EncoderConfig) -> Result<(), EncodeError> {
    let setting = |ok: bool, name, value: f64, range| {
        if ok { Ok(()) } else { Err(EncodeError::Setting { name, value, range }) }
    };
    for (name, side) in [("picture width", config.width), ("picture height", config.height)] {
        let ok = side >= SIDE_MIN && side.is_multiple_of(2) && side <= PIXELS_MAX / SIDE_MIN;
        setting(ok, name, side as f64, "even and at least 16 pixels")?;
    }
    let pixels = config.width * config.height;
    setting(pixels <= PIXELS_MAX, "picture size", pixels as f64, "at most 3840 x 2160 pixels")?;
    setting(FPS.contains(&config.fps), "frame rate", config.fps, "1 to 60 a second")?;
    let rate = config.bitrate_bps;
    setting(BITRATE_BPS.contains(&rate), "bit rate", f64::from(rate), "0.05 to 100 Mbit/s")?;
    let period = config.mark_period;
    setting((1..=300).contains(&period), "mark period", f64::from(period), "1 to 300 frames")
}
