//! The slice header up to the marking of reference pictures (ITU-T H.264, 7.3.3).

use super::parameters::OrderCount;
use super::{Bits, ParseError, Pps, Sps};

/// Longest list of reordering or marking operations taken.
const OPERATIONS_MAX: usize = 66;

/// What a slice predicts from and what it keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The picture is an IDR: nothing before it is needed.
    pub idr: bool,
    /// Other pictures may predict from this one.
    pub reference: bool,
    /// Which kind of prediction.
    pub kind: SliceKind,
    /// Counts reference pictures since the IDR, modulo [`Sps::frame_num_period`].
    pub frame_num: u32,
    /// Tells one IDR from the next; only in an IDR.
    pub idr_pic_id: Option<u32>,
    /// How many pictures list 0 holds, for P and B.
    pub references: u32,
    /// How list 0 differs from its default order.
    pub order: Vec<Order>,
    /// What happens to the kept pictures.
    pub marking: Marking,
}

/// Which kind of prediction a slice uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceKind {
    /// From inside the picture only.
    Intra,
    /// From one list of pictures.
    Predicted,
    /// From two lists.
    Bidirectional,
}

/// One operation on list 0 (7.3.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// A short-term picture so many picture numbers before the last named one.
    Before(u32),
    /// A short-term picture so many picture numbers after the last named one.
    After(u32),
    /// The long-term picture of this number.
    Long(u32),
}

/// What happens to the kept pictures (7.3.3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marking {
    /// This picture is not kept.
    Unused,
    /// The oldest short-term picture makes room.
    Sliding,
    /// An IDR: all others go; true when it becomes long-term picture 0 itself.
    Idr {
        /// `long_term_reference_flag`.
        long: bool,
    },
    /// As listed.
    Adaptive(Vec<MemoryOperation>),
}

/// One memory management control operation (7.4.3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemoryOperation {
    /// 1: drop the short-term picture so many picture numbers ago.
    DropShort(u32),
    /// 2: drop the long-term picture of this number.
    DropLong(u32),
    /// 3: the short-term picture so many picture numbers ago becomes long-term.
    ShortToLong {
        /// How many picture numbers ago.
        ago: u32,
        /// The long-term index it gets.
        slot: u32,
    },
    /// 4: so many long-term indices exist; those at or above are dropped.
    LongMax(u32),
    /// 5: drop all.
    DropAll,
    /// 6: this picture becomes long-term with this index.
    ThisLong(u32),
}

impl Slice {
    /// Reads a slice header from its bytes after the NAL header.
    pub fn parse(
        body: &[u8],
        idr: bool,
        reference: bool,
        sps: &Sps,
        pps: &Pps,
    ) -> Result<Self, ParseError> {
        let mut bits = Bits::new(body);
        bits.unsigned("first_mb_in_slice")?;
        let kind = kind(bits.bounded(9, "slice_type")?)?;
        bits.bounded(255, "pic_parameter_set_id")?;
        if sps.separate_planes {
            bits.number(2, "colour_plane_id")?;
        }
        let frame_num = bits.number(sps.frame_num_bits, "frame_num")?;
        let field = !sps.frames_only && bits.flag("field_pic_flag")?;
        if field {
            return Err(ParseError::Value { field: "field_pic_flag", value: 1 });
        }
        let idr_pic_id = if idr { Some(bits.bounded(65_535, "idr_pic_id")?) } else { None };
        skip_order_count(&mut bits, sps, pps)?;
        let references = references(&mut bits, kind, pps)?;
        let order = if kind == SliceKind::Intra { Vec::new() } else { order(&mut bits)? };
        if kind == SliceKind::Bidirectional {
            order_of_list_1(&mut bits)?;
        }
        if pps.weighted && kind == SliceKind::Predicted {
            return Err(ParseError::Value { field: "weighted_pred_flag", value: 1 });
        }
        let marking = match (reference, idr) {
            (false, _) => Marking::Unused,
            (true, true) => {
                bits.flag("no_output_of_prior_pics_flag")?;
                Marking::Idr { long: bits.flag("long_term_reference_flag")? }
            }
            (true, false) => marking(&mut bits)?,
        };
        Ok(Self { idr, reference, kind, frame_num, idr_pic_id, references, order, marking })
    }
}

/// `slice_type` modulo 5 (table 7-6); switching slices are refused.
fn kind(value: u32) -> Result<SliceKind, ParseError> {
    match value % 5 {
        0 => Ok(SliceKind::Predicted),
        1 => Ok(SliceKind::Bidirectional),
        2 => Ok(SliceKind::Intra),
        _ => Err(ParseError::Value { field: "slice_type", value: u64::from(value) }),
    }
}

fn skip_order_count(bits: &mut Bits, sps: &Sps, pps: &Pps) -> Result<(), ParseError> {
    match sps.order_count {
        OrderCount::Bits(count) => {
            bits.number(count, "pic_order_cnt_lsb")?;
            if pps.bottom_order_present {
                bits.signed("delta_pic_order_cnt_bottom")?;
            }
        }
        OrderCount::Cycle { always_zero: false } => {
            bits.signed("delta_pic_order_cnt")?;
            if pps.bottom_order_present {
                bits.signed("delta_pic_order_cnt")?;
            }
        }
        OrderCount::Cycle { always_zero: true } | OrderCount::Decoding => {}
    }
    if pps.redundant_count_present {
        bits.bounded(127, "redundant_pic_cnt")?;
    }
    Ok(())
}

fn references(bits: &mut Bits, kind: SliceKind, pps: &Pps) -> Result<u32, ParseError> {
    if kind == SliceKind::Intra {
        return Ok(0);
    }
    if kind == SliceKind::Bidirectional {
        bits.flag("direct_spatial_mv_pred_flag")?;
    }
    if !bits.flag("num_ref_idx_active_override_flag")? {
        return Ok(pps.references_default);
    }
    let count = bits.bounded(31, "num_ref_idx_l0_active_minus1")? + 1;
    if kind == SliceKind::Bidirectional {
        bits.bounded(31, "num_ref_idx_l1_active_minus1")?;
    }
    Ok(count)
}

fn order(bits: &mut Bits) -> Result<Vec<Order>, ParseError> {
    let mut list = Vec::new();
    if !bits.flag("ref_pic_list_modification_flag")? {
        return Ok(list);
    }
    while list.len() < OPERATIONS_MAX {
        list.push(match bits.bounded(3, "modification_of_pic_nums_idc")? {
            0 => Order::Before(bits.unsigned("abs_diff_pic_num_minus1")?.saturating_add(1)),
            1 => Order::After(bits.unsigned("abs_diff_pic_num_minus1")?.saturating_add(1)),
            2 => Order::Long(bits.unsigned("long_term_pic_num")?),
            _ => return Ok(list),
        });
    }
    Err(ParseError::Value { field: "ref_pic_list_modification", value: OPERATIONS_MAX as u64 })
}

fn order_of_list_1(bits: &mut Bits) -> Result<(), ParseError> {
    order(bits).map(|_| ())
}

fn marking(bits: &mut Bits) -> Result<Marking, ParseError> {
    if !bits.flag("adaptive_ref_pic_marking_mode_flag")? {
        return Ok(Marking::Sliding);
    }
    let mut list = Vec::new();
    while list.len() < OPERATIONS_MAX {
        let ago =
            |bits: &mut Bits| Ok(bits.unsigned("difference_of_pic_nums_minus1")?.saturating_add(1));
        list.push(match bits.bounded(6, "memory_management_control_operation")? {
            0 => return Ok(Marking::Adaptive(list)),
            1 => MemoryOperation::DropShort(ago(bits)?),
            2 => MemoryOperation::DropLong(bits.unsigned("long_term_pic_num")?),
            3 => MemoryOperation::ShortToLong {
                ago: ago(bits)?,
                slot: bits.bounded(15, "long_term_frame_idx")?,
            },
            4 => MemoryOperation::LongMax(bits.bounded(16, "max_long_term_frame_idx_plus1")?),
            5 => MemoryOperation::DropAll,
            _ => MemoryOperation::ThisLong(bits.bounded(15, "long_term_frame_idx")?),
        });
    }
    Err(ParseError::Value { field: "dec_ref_pic_marking", value: OPERATIONS_MAX as u64 })
}
