//! The model of a decoder's picture memory, on hand-made slice headers.

use crate::line::at;
use telehand_video::h264::{Marking, MemoryOperation, Order, Reader, Slice, SliceKind, Sps};
use telehand_video::references::{Kept, Links, ReferenceError, References};
use telehand_video::{Encoder, EncoderConfig, I420};

/// Three references, `frame_num` of 15 bits.
fn sps() -> Sps {
    let config = EncoderConfig { width: 64, height: 64, ..EncoderConfig::default() };
    let unit = Encoder::new(config).unwrap().encode(&I420::new(64, 64), at(0), 0);
    let mut reader = Reader::default();
    reader.read(&unit.unwrap().unwrap().bytes).unwrap();
    reader.sps().unwrap().clone()
}

fn idr() -> Slice {
    Slice {
        idr: true,
        reference: true,
        kind: SliceKind::Intra,
        frame_num: 0,
        idr_pic_id: Some(1),
        references: 0,
        order: vec![],
        marking: Marking::Idr { long: true },
    }
}

fn predicted(frame_num: u32, order: Order) -> Slice {
    Slice {
        idr: false,
        kind: SliceKind::Predicted,
        frame_num,
        idr_pic_id: None,
        references: 1,
        order: vec![order],
        marking: Marking::Sliding,
        ..idr()
    }
}

fn marked(slice: Slice, operations: Vec<MemoryOperation>) -> Slice {
    Slice { marking: Marking::Adaptive(operations), ..slice }
}

/// After an IDR at 100 and frames 101 to 103.
fn running(sps: &Sps) -> References {
    let mut memory = References::default();
    let kept = Some(Kept { seq: 100, slot: 0 });
    assert_eq!(memory.follow(100, &idr(), sps), Ok(Links { needs: None, keeps: kept }));
    let first = predicted(1, Order::Long(0));
    assert_eq!(memory.follow(101, &first, sps).unwrap().needs, Some(100));
    for ahead in 2..4 {
        let links = memory.follow(100 + ahead, &predicted(ahead, Order::Before(1)), sps);
        assert_eq!(links, Ok(Links { needs: Some(99 + ahead), keeps: None }));
    }
    memory
}

#[test]
fn v_022_the_oldest_short_term_picture_slides_out() {
    let sps = sps();
    let mut memory = running(&sps);
    assert_eq!(
        memory.clone().follow(104, &predicted(4, Order::Before(2)), &sps).unwrap().needs,
        Some(102)
    );
    let gone = memory.follow(104, &predicted(4, Order::Before(3)), &sps);
    assert_eq!(gone, Err(ReferenceError::Unknown));
}

#[test]
fn v_022_an_idr_empties_the_memory() {
    let sps = sps();
    let mut memory = running(&sps);
    let keeps = vec![MemoryOperation::ShortToLong { ago: 1, slot: 1 }];
    let kept = memory.follow(104, &marked(predicted(4, Order::Before(1)), keeps), &sps).unwrap();
    assert_eq!(kept.keeps, Some(Kept { seq: 103, slot: 1 }));
    memory.follow(105, &idr(), &sps).unwrap();
    let old = memory.clone().follow(106, &predicted(1, Order::Long(1)), &sps);
    assert_eq!(old, Err(ReferenceError::Unknown));
    let old = memory.follow(106, &predicted(5, Order::Before(1)), &sps);
    assert_eq!(old, Err(ReferenceError::Unknown));
}

#[test]
fn v_022_picture_numbers_count_across_the_wrap() {
    let sps = sps();
    let mut memory = running(&sps);
    // 103 has frame_num 3; a frame 5 before it lies at 32,766
    memory.follow(104, &predicted(32_766, Order::Long(0)), &sps).unwrap();
    let wrapped = memory.follow(105, &predicted(1, Order::Before(3)), &sps).unwrap();
    assert_eq!(wrapped.needs, Some(104));
}

#[test]
fn v_022_what_cannot_be_followed_is_refused() {
    let sps = sps();
    let memory = running(&sps);
    let follow = |slice: &Slice| memory.clone().follow(104, slice, &sps);
    let plain = predicted(4, Order::Before(1));
    let several = Slice { references: 2, ..plain.clone() };
    assert_eq!(follow(&several), Err(ReferenceError::Several(2)));
    let both = Slice { kind: SliceKind::Bidirectional, ..plain.clone() };
    assert_eq!(follow(&both), Err(ReferenceError::Bidirectional));
    let high = marked(plain.clone(), vec![MemoryOperation::ThisLong(2)]);
    assert_eq!(follow(&high), Err(ReferenceError::Slot(2)));
    let dropped = marked(plain, vec![MemoryOperation::DropAll]);
    assert_eq!(follow(&dropped).unwrap().needs, Some(103));
}
