//! The decoder side of the wrapper: for the headless console and for tests, where it is the judge
//! of integrity, because unlike a browser's decoder it says when a picture is damaged.

#![expect(unsafe_code, reason = "the codec library is C++ behind a table of C functions")]

use super::CodecError;
use crate::i420::I420;
use openh264_sys2 as sys;
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

/// The decoder has no whole picture for these bytes; what it has must not be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the picture is damaged ({}); it is not shown, ask for recovery", self.reason())]
pub struct Damaged {
    /// The library's decoding state, a set of bits.
    pub state: u32,
}

impl Damaged {
    /// The worst thing the decoder found, in words.
    #[must_use]
    pub fn reason(self) -> &'static str {
        let names = [
            (sys::dsRefLost, "a picture it predicts from is missing"),
            (sys::dsNoParamSets, "no parameter sets yet"),
            (sys::dsBitstreamError, "the bytes are not a valid stream"),
            (sys::dsDataErrorConcealed, "parts are made up"),
            (sys::dsRefListNullPtrs, "its list of references has holes"),
            (sys::dsDepLayerLost, "a layer is missing"),
        ];
        let found = names.iter().find(|(bit, _)| self.state & *bit as u32 != 0);
        found.map_or("the decoder failed", |(_, words)| words)
    }
}

/// One H.264 decoder, one picture in, one picture out, no delay.
pub struct Decoder {
    /// The library's object: a pointer to its table of functions.
    object: NonNull<sys::ISVCDecoder>,
}

// SAFETY: the object is owned by this value alone, the library binds it to no thread (it decodes
// in the caller's thread, without callbacks), and every call needs `&mut self`.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Makes and initialises a decoder.
    pub fn new() -> Result<Self, CodecError> {
        let mut object: *mut sys::ISVCDecoder = null_mut();
        // SAFETY: `object` is a valid place for the library to write its pointer to.
        let code = unsafe { sys::source::APILoader::WelsCreateDecoder(&raw mut object) };
        CodecError::check("WelsCreateDecoder", code)?;
        let object = NonNull::new(object).ok_or(CodecError::missing("WelsCreateDecoder"))?;
        let mut decoder = Self { object };
        // nobody reads the library's log: the state it returns says the same
        decoder.set("trace level", sys::DECODER_OPTION_TRACE_LEVEL, sys::WELS_LOG_QUIET)?;
        let parameters = sys::SDecodingParam {
            // with 0 (off) the decoder refuses everything after a loss until an IDR; with 2 it
            // names the damaged pictures and then plays the recovery frame
            eEcActiveIdc: sys::ERROR_CON_SLICE_COPY,
            sVideoProperty: sys::SVideoProperty {
                size: size_of::<sys::SVideoProperty>() as u32,
                eVideoBsType: sys::VIDEO_BITSTREAM_AVC,
            },
            ..sys::SDecodingParam::default()
        };
        let initialise = decoder.table().Initialize.ok_or(CodecError::missing("Initialize"))?;
        // SAFETY: the object is live and not yet initialised, `parameters` outlives the call.
        let code = unsafe { initialise(decoder.object.as_ptr(), &raw const parameters) };
        CodecError::check("Initialize", code)?;
        let concealment = sys::ERROR_CON_SLICE_COPY;
        decoder.set("error concealment", sys::DECODER_OPTION_ERROR_CON_IDC, concealment)?;
        Ok(decoder)
    }

    /// Decodes one access unit.
    ///
    /// `Ok(None)` when it holds no picture. After [`Damaged`] the decoder goes on: the next picture
    /// that predicts only from whole ones decodes again. A picture from a frame whose chain is
    /// broken is reported here, but do not rely on this alone: [`crate::integrity`] decides what
    /// may be shown. The bytes should come from an authenticated peer: the library is C++ and
    /// has had memory errors on hostile streams (CVE-2025-27091, fixed in 2.6.0).
    pub fn decode(&mut self, access_unit: &[u8]) -> Result<Option<I420>, Damaged> {
        let failed = Damaged { state: sys::dsInvalidArgument as u32 };
        if access_unit.is_empty() {
            return Ok(None);
        }
        let length = i32::try_from(access_unit.len()).map_err(|_| failed)?;
        let decode = self.table().DecodeFrameNoDelay.ok_or(failed)?;
        let mut planes: [*mut u8; 3] = [null_mut(); 3];
        let mut info = sys::SBufferInfo::default();
        // SAFETY: the object is initialised, the bytes are live for the whole call and only read,
        // `planes` has room for three pointers and `info` is a complete structure.
        let state = unsafe {
            decode(
                self.object.as_ptr(),
                access_unit.as_ptr(),
                length,
                planes.as_mut_ptr(),
                &raw mut info,
            )
        };
        if state != sys::dsErrorFree {
            return Err(Damaged { state: state as u32 });
        }
        if info.iBufferStatus != 1 {
            return Ok(None);
        }
        // SAFETY: the union has one member, which the library filled (status 1).
        let memory = unsafe { info.UsrData.sSystemBuffer };
        copy(planes, &memory).map(Some).ok_or(failed)
    }

    fn set(
        &mut self,
        call: &'static str,
        option: sys::DECODER_OPTION,
        mut value: i32,
    ) -> Result<(), CodecError> {
        let set = self.table().SetOption.ok_or(CodecError::missing("SetOption"))?;
        // SAFETY: the object is live; the options used in this file take a pointer to an int.
        let code = unsafe { set(self.object.as_ptr(), option, (&raw mut value).cast::<c_void>()) };
        CodecError::check(call, code)
    }

    fn table(&self) -> &sys::ISVCDecoderVtbl {
        // SAFETY: the object is live and begins with the pointer to its table, which is static.
        unsafe { &**self.object.as_ptr() }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        if let Some(end) = self.table().Uninitialize {
            // SAFETY: the object is live; uninitialising before initialising is allowed.
            unsafe { end(self.object.as_ptr()) };
        }
        // SAFETY: the object came from WelsCreateDecoder and is not used again.
        unsafe { sys::source::APILoader::WelsDestroyDecoder(self.object.as_ptr()) };
    }
}

/// Copies the library's planes, whose rows are padded. `None` when its figures make no sense.
fn copy(planes: [*mut u8; 3], memory: &sys::SSysMEMBuffer) -> Option<I420> {
    let width = usize::try_from(memory.iWidth).ok()?;
    let height = usize::try_from(memory.iHeight).ok()?;
    let [luma, colour] = memory.iStride;
    let mut picture = I420::new(width, height);
    if !picture.is_sound() || picture.width != width || picture.height != height {
        return None;
    }
    let [y, u, v] = planes;
    copy_plane(y, luma, width, &mut picture.y)?;
    copy_plane(u, colour, width / 2, &mut picture.u)?;
    copy_plane(v, colour, width / 2, &mut picture.v)?;
    Some(picture)
}

fn copy_plane(from: *const u8, stride: i32, width: usize, to: &mut [u8]) -> Option<()> {
    let stride = usize::try_from(stride).ok()?;
    if from.is_null() || stride < width {
        return None;
    }
    for (row, out) in to.chunks_exact_mut(width).enumerate() {
        // SAFETY: the library's plane has as many rows as the picture, `stride` bytes apart, and
        // stays valid until its next call; `width <= stride`.
        let line = unsafe { std::slice::from_raw_parts(from.add(row * stride), width) };
        out.copy_from_slice(line);
    }
    Some(())
}
