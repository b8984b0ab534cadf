//! The encoder side of the wrapper.

#![expect(unsafe_code, reason = "the codec library is C++ behind a table of C functions")]

use super::CodecError;
use crate::i420::I420;
use openh264_sys2 as sys;
use std::ffi::c_void;
use std::ptr::{NonNull, from_mut, null_mut};

/// What an encoder is made for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// Pixels, even.
    pub width: i32,
    /// Pixels, even.
    pub height: i32,
    /// Frames a second, 1 to 60.
    pub fps: f32,
    /// Bits a second.
    pub bitrate_bps: i32,
    /// Frames between two long-term marks.
    pub mark_period: u32,
}

/// One encoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Annex B bytes of all its units.
    pub bytes: Vec<u8>,
    /// It needs nothing before it.
    pub idr: bool,
}

/// One encoder of the library. One slice, no frame skipping, no scene-change IDR, infinite group of
/// pictures, two long-term references.
pub struct RawEncoder {
    /// The library's object: a pointer to its table of functions.
    object: NonNull<sys::ISVCEncoder>,
    output: Box<sys::SFrameBSInfo>,
}

// SAFETY: the object is owned by this value alone, the library binds it to no thread (it is made
// with one thread and no callbacks), and every call needs `&mut self`.
unsafe impl Send for RawEncoder {}

impl RawEncoder {
    /// Makes and initialises an encoder.
    pub fn new(parameters: Parameters) -> Result<Self, CodecError> {
        let mut object: *mut sys::ISVCEncoder = null_mut();
        // SAFETY: `object` is a valid place for the library to write its pointer to.
        let code = unsafe { sys::source::APILoader::WelsCreateSVCEncoder(&raw mut object) };
        CodecError::check("WelsCreateSVCEncoder", code)?;
        let object = NonNull::new(object).ok_or(CodecError::missing("WelsCreateSVCEncoder"))?;
        let mut encoder = Self { object, output: Box::default() };
        // before initialising, so that it prints no warning about frame skipping; errors come back as
        // codes and are the caller's to log
        let mut level = sys::WELS_LOG_QUIET;
        encoder.set("trace level", sys::ENCODER_OPTION_TRACE_LEVEL, &mut level)?;
        let full = encoder.full_parameters(parameters)?;
        let initialise =
            encoder.table().InitializeExt.ok_or(CodecError::missing("InitializeExt"))?;
        // SAFETY: the object is live and not yet initialised, `full` is a complete structure that
        // outlives the call.
        let code = unsafe { initialise(encoder.object.as_ptr(), &raw const full) };
        CodecError::check("InitializeExt", code)?;
        Ok(encoder)
    }

    /// Encodes one picture of the size the encoder was made for. `None` when the library skipped it.
    pub fn encode(&mut self, picture: &I420, at_ms: i64) -> Result<Option<Encoded>, CodecError> {
        let encode = self.table().EncodeFrame.ok_or(CodecError::missing("EncodeFrame"))?;
        if !picture.is_sound() {
            return Err(CodecError { call: "EncodeFrame", code: i64::from(sys::cmInitParaError) });
        }
        let (width, height) = (picture.width as i32, picture.height as i32);
        let source = sys::SSourcePicture {
            iColorFormat: sys::videoFormatI420,
            iStride: [width, width / 2, width / 2, 0],
            pData: [
                picture.y.as_ptr().cast_mut(),
                picture.u.as_ptr().cast_mut(),
                picture.v.as_ptr().cast_mut(),
                null_mut(),
            ],
            iPicWidth: width,
            iPicHeight: height,
            uiTimeStamp: at_ms,
            ..sys::SSourcePicture::default()
        };
        // SAFETY: the object is initialised; the planes have the length that size and strides ask
        // for (checked above) and the library only reads them; `output` is a complete structure
        // which the library overwrites.
        let code =
            unsafe { encode(self.object.as_ptr(), &raw const source, from_mut(&mut *self.output)) };
        CodecError::check("EncodeFrame", code)?;
        match self.output.eFrameType {
            sys::videoFrameTypeSkip => Ok(None),
            sys::videoFrameTypeInvalid => {
                Err(CodecError { call: "EncodeFrame", code: i64::from(sys::cmUnknownReason) })
            }
            kind => Ok(Some(Encoded { bytes: self.copy(), idr: kind == sys::videoFrameTypeIDR })),
        }
    }

    /// The next picture becomes an IDR.
    pub fn force_idr(&mut self) -> Result<(), CodecError> {
        let force = self.table().ForceIntraFrame.ok_or(CodecError::missing("ForceIntraFrame"))?;
        // SAFETY: the object is initialised.
        let code = unsafe { force(self.object.as_ptr(), true) };
        CodecError::check("ForceIntraFrame", code)
    }

    /// Changes the target from the next picture on.
    pub fn set_bitrate(&mut self, bitrate_bps: i32) -> Result<(), CodecError> {
        let mut rate = sys::SBitrateInfo { iLayer: sys::SPATIAL_LAYER_ALL, iBitrate: bitrate_bps };
        self.set("bit rate", sys::ENCODER_OPTION_BITRATE, &mut rate)
    }

    /// Tells whether the receiver holds the picture of this number as a long-term reference.
    pub fn mark_feedback(
        &mut self,
        idr_pic_id: u32,
        frame_num: u32,
        held: bool,
    ) -> Result<(), CodecError> {
        let kind = if held { sys::LTR_MARKING_SUCCESS } else { sys::LTR_MARKING_FAILED };
        let mut feedback = sys::SLTRMarkingFeedback {
            uiFeedbackType: kind as u32,
            uiIDRPicId: idr_pic_id,
            iLTRFrameNum: frame_num as i32,
            iLayerId: 0,
        };
        self.set("mark feedback", sys::ENCODER_LTR_MARKING_FEEDBACK, &mut feedback)
    }

    /// The next picture shall predict from a confirmed long-term reference; marks made after
    /// `last_correct` up to `current` are void.
    pub fn recover(
        &mut self,
        idr_pic_id: u32,
        last_correct: u32,
        current: u32,
    ) -> Result<(), CodecError> {
        let mut request = sys::SLTRRecoverRequest {
            uiFeedbackType: sys::LTR_RECOVERY_REQUEST as u32,
            uiIDRPicId: idr_pic_id,
            iLastCorrectFrameNum: last_correct as i32,
            iCurrentFrameNum: current as i32,
            iLayerId: 0,
        };
        self.set("recovery request", sys::ENCODER_LTR_RECOVERY_REQUEST, &mut request)
    }

    /// The library's defaults with our choices.
    fn full_parameters(&self, ask: Parameters) -> Result<sys::SEncParamExt, CodecError> {
        let mut full = sys::SEncParamExt::default();
        let defaults =
            self.table().GetDefaultParams.ok_or(CodecError::missing("GetDefaultParams"))?;
        // SAFETY: the object is live, `full` is a complete structure which the library overwrites.
        let code = unsafe { defaults(self.object.as_ptr(), &raw mut full) };
        CodecError::check("GetDefaultParams", code)?;
        full.iUsageType = sys::CAMERA_VIDEO_REAL_TIME;
        full.iPicWidth = ask.width;
        full.iPicHeight = ask.height;
        full.fMaxFrameRate = ask.fps;
        full.iTargetBitrate = ask.bitrate_bps;
        full.iMaxBitrate = sys::UNSPECIFIED_BIT_RATE as i32;
        full.iRCMode = sys::RC_BITRATE_MODE;
        // late is worse than coarse: a frame may be coarse, but it comes
        full.bEnableFrameSkip = false;
        full.bEnableSceneChangeDetect = false;
        // together these two cost 1.7 dB on endoscope-like pictures
        full.bEnableAdaptiveQuant = false;
        full.bEnableBackgroundDetection = false;
        full.bEnableDenoise = false;
        full.iComplexityMode = sys::LOW_COMPLEXITY;
        full.iEntropyCodingModeFlag = 0;
        full.uiIntraPeriod = 0;
        full.iTemporalLayerNum = 1;
        full.iSpatialLayerNum = 1;
        full.iMultipleThreadIdc = 1;
        full.bEnableLongTermReference = true;
        full.iLTRRefNum = 2;
        full.iLtrMarkPeriod = ask.mark_period;
        full.eSpsPpsIdStrategy = sys::CONSTANT_ID;
        let [layer, ..] = &mut full.sSpatialLayers;
        layer.iVideoWidth = ask.width;
        layer.iVideoHeight = ask.height;
        layer.fFrameRate = ask.fps;
        layer.iSpatialBitrate = ask.bitrate_bps;
        layer.iMaxSpatialBitrate = sys::UNSPECIFIED_BIT_RATE as i32;
        // several slices break the library's rate control (cisco/openh264 #2591)
        layer.sSliceArgument.uiSliceMode = sys::SM_SINGLE_SLICE;
        layer.bVideoSignalTypePresent = true;
        layer.bFullRange = false;
        layer.bColorDescriptionPresent = true;
        layer.uiColorPrimaries = sys::CP_BT709 as u8;
        layer.uiTransferCharacteristics = sys::TRC_BT709 as u8;
        layer.uiColorMatrix = sys::CM_BT709 as u8;
        Ok(full)
    }

    /// The bytes of all units of the picture just encoded.
    fn copy(&self) -> Vec<u8> {
        let mut bytes =
            Vec::with_capacity(usize::try_from(self.output.iFrameSizeInBytes).unwrap_or(0));
        let layers = usize::try_from(self.output.iLayerNum).unwrap_or(0);
        for layer in self.output.sLayerInfo.iter().take(layers) {
            let units = usize::try_from(layer.iNalCount).unwrap_or(0);
            if units == 0 || layer.pNalLengthInByte.is_null() || layer.pBsBuf.is_null() {
                continue;
            }
            // SAFETY: the library fills `iNalCount` lengths and, one after the other from `pBsBuf`,
            // the bytes of as many units; both stay valid until its next call.
            unsafe {
                let lengths = std::slice::from_raw_parts(layer.pNalLengthInByte, units);
                let total = lengths.iter().map(|one| usize::try_from(*one).unwrap_or(0)).sum();
                bytes.extend_from_slice(std::slice::from_raw_parts(layer.pBsBuf, total));
            }
        }
        bytes
    }

    fn set<T>(
        &mut self,
        call: &'static str,
        option: sys::ENCODER_OPTION,
        value: &mut T,
    ) -> Result<(), CodecError> {
        let set = self.table().SetOption.ok_or(CodecError::missing("SetOption"))?;
        // SAFETY: the object is live (before initialising the library takes the trace level only);
        // every caller in this file passes the structure that the option is documented to take
        // (codec_app_def.h).
        let code = unsafe { set(self.object.as_ptr(), option, from_mut(value).cast::<c_void>()) };
        CodecError::check(call, code)
    }

    fn table(&self) -> &sys::ISVCEncoderVtbl {
        // SAFETY: the object is live and begins with the pointer to its table, which is static.
        unsafe { &**self.object.as_ptr() }
    }
}

impl Drop for RawEncoder {
    fn drop(&mut self) {
        if let Some(end) = self.table().Uninitialize {
            // SAFETY: the object is live; uninitialising twice or before initialising is allowed.
            unsafe { end(self.object.as_ptr()) };
        }
        // SAFETY: the object came from WelsCreateSVCEncoder and is not used again.
        unsafe { sys::source::APILoader::WelsDestroySVCEncoder(self.object.as_ptr()) };
    }
}
