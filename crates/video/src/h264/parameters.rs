//! Sequence and picture parameter sets (ITU-T H.264, 7.3.2.1 and 7.3.2.2).

use super::{Bits, ParseError};

/// What a slice header needs from the sequence, and the picture size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sps {
    /// `profile_idc`.
    pub profile: u8,
    /// The byte of constraint flags.
    pub constraints: u8,
    /// `level_idc`, ten times the level.
    pub level: u8,
    /// Bits of `frame_num`, 4..=16.
    pub frame_num_bits: u8,
    /// How many reference pictures a decoder keeps at most.
    pub references_max: u32,
    /// Displayed width in pixels.
    pub width: u32,
    /// Displayed height in pixels.
    pub height: u32,
    /// True for progressive pictures only.
    pub frames_only: bool,
    pub(super) separate_planes: bool,
    pub(super) order_count: OrderCount,
}

/// How the display order is coded in the slice header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderCount {
    /// Type 0, with so many bits.
    Bits(u8),
    /// Type 1; true when the slice carries no difference.
    Cycle { always_zero: bool },
    /// Type 2: display order is decoding order.
    Decoding,
}

/// Profiles whose SPS has the chroma fields (7.3.2.1.1).
const HIGH_PROFILES: [u8; 12] = [100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134];

impl Sps {
    /// Reads an SPS from its bytes after the NAL header, up to the picture size.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let mut bits = Bits::new(body);
        let profile = bits.number(8, "profile_idc")? as u8;
        let constraints = bits.number(8, "constraint_set_flags")? as u8;
        let level = bits.number(8, "level_idc")? as u8;
        bits.bounded(31, "seq_parameter_set_id")?;
        let (chroma, separate_planes) =
            if HIGH_PROFILES.contains(&profile) { chroma(&mut bits)? } else { (1, false) };
        let frame_num_bits = bits.bounded(12, "log2_max_frame_num_minus4")? as u8 + 4;
        let order_count = order_count(&mut bits)?;
        let references_max = bits.bounded(16, "max_num_ref_frames")?;
        bits.flag("gaps_in_frame_num_value_allowed_flag")?;
        let wide = bits.bounded(1_023, "pic_width_in_mbs_minus1")? + 1;
        let high = bits.bounded(1_023, "pic_height_in_map_units_minus1")? + 1;
        let frames_only = bits.flag("frame_mbs_only_flag")?;
        if !frames_only {
            bits.flag("mb_adaptive_frame_field_flag")?;
        }
        bits.flag("direct_8x8_inference_flag")?;
        let (coded_width, coded_height) = (wide * 16, high * if frames_only { 16 } else { 32 });
        let (cut_width, cut_height) = cropping(&mut bits, chroma, frames_only)?;
        let size = |coded: u32, cut: u32| {
            let value = u64::from(cut);
            coded
                .checked_sub(cut)
                .filter(|left| *left > 0)
                .ok_or(ParseError::Value { field: "frame_crop_offset", value })
        };
        Ok(Self {
            profile,
            constraints,
            level,
            frame_num_bits,
            references_max,
            width: size(coded_width, cut_width)?,
            height: size(coded_height, cut_height)?,
            frames_only,
            separate_planes,
            order_count,
        })
    }

    /// One more than the largest `frame_num`.
    pub fn frame_num_period(&self) -> u32 {
        1 << self.frame_num_bits
    }
}

/// `chroma_format_idc` and `separate_colour_plane_flag`; scaling lists are read over.
fn chroma(bits: &mut Bits) -> Result<(u32, bool), ParseError> {
    let chroma = bits.bounded(3, "chroma_format_idc")?;
    let separate = chroma == 3 && bits.flag("separate_colour_plane_flag")?;
    bits.bounded(6, "bit_depth_luma_minus8")?;
    bits.bounded(6, "bit_depth_chroma_minus8")?;
    bits.flag("qpprime_y_zero_transform_bypass_flag")?;
    if bits.flag("seq_scaling_matrix_present_flag")? {
        for list in 0..if chroma == 3 { 12 } else { 8 } {
            if bits.flag("seq_scaling_list_present_flag")? {
                scaling_list(bits, if list < 6 { 16 } else { 64 })?;
            }
        }
    }
    Ok((chroma, separate))
}

fn scaling_list(bits: &mut Bits, size: usize) -> Result<(), ParseError> {
    let (mut last, mut next) = (8_i64, 8_i64);
    for _ in 0..size {
        if next != 0 {
            next = (last + i64::from(bits.signed("delta_scale")?)).rem_euclid(256);
        }
        last = if next == 0 { last } else { next };
    }
    Ok(())
}

fn order_count(bits: &mut Bits) -> Result<OrderCount, ParseError> {
    match bits.bounded(2, "pic_order_cnt_type")? {
        0 => Ok(OrderCount::Bits(bits.bounded(12, "log2_max_pic_order_cnt_lsb_minus4")? as u8 + 4)),
        1 => {
            let always_zero = bits.flag("delta_pic_order_always_zero_flag")?;
            bits.signed("offset_for_non_ref_pic")?;
            bits.signed("offset_for_top_to_bottom_field")?;
            for _ in 0..bits.bounded(255, "num_ref_frames_in_pic_order_cnt_cycle")? {
                bits.signed("offset_for_ref_frame")?;
            }
            Ok(OrderCount::Cycle { always_zero })
        }
        _ => Ok(OrderCount::Decoding),
    }
}

/// Pixels cut from width and height.
fn cropping(bits: &mut Bits, chroma: u32, frames_only: bool) -> Result<(u32, u32), ParseError> {
    if !bits.flag("frame_cropping_flag")? {
        return Ok((0, 0));
    }
    let mut side = || bits.bounded(16_383, "frame_crop_offset");
    let (left, right, top, bottom) = (side()?, side()?, side()?, side()?);
    let unit_x = if chroma == 1 || chroma == 2 { 2 } else { 1 };
    let unit_y = if chroma == 1 { 2 } else { 1 } * if frames_only { 1 } else { 2 };
    Ok(((left + right) * unit_x, (top + bottom) * unit_y))
}

/// What a slice header needs from the picture parameter set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pps {
    /// References in list 0 when the slice does not say.
    pub references_default: u32,
    pub(super) bottom_order_present: bool,
    pub(super) weighted: bool,
    pub(super) redundant_count_present: bool,
}

impl Pps {
    /// Reads a PPS from its bytes after the NAL header. Slice groups are refused.
    pub fn parse(body: &[u8]) -> Result<Self, ParseError> {
        let mut bits = Bits::new(body);
        bits.bounded(255, "pic_parameter_set_id")?;
        bits.bounded(31, "seq_parameter_set_id")?;
        bits.flag("entropy_coding_mode_flag")?;
        let bottom_order_present = bits.flag("bottom_field_pic_order_in_frame_present_flag")?;
        bits.bounded(0, "num_slice_groups_minus1")?;
        let references_default = bits.bounded(31, "num_ref_idx_l0_default_active_minus1")? + 1;
        bits.bounded(31, "num_ref_idx_l1_default_active_minus1")?;
        let weighted = bits.flag("weighted_pred_flag")?;
        bits.number(2, "weighted_bipred_idc")?;
        bits.signed("pic_init_qp_minus26")?;
        bits.signed("pic_init_qs_minus26")?;
        bits.signed("chroma_qp_index_offset")?;
        bits.flag("deblocking_filter_control_present_flag")?;
        bits.flag("constrained_intra_pred_flag")?;
        let redundant_count_present = bits.flag("redundant_pic_cnt_present_flag")?;
        Ok(Self { references_default, bottom_order_present, weighted, redundant_count_present })
    }
}
