//! Recorded pictures as an MP4 file that browsers and players open.
//!
//! One video track, `avc1`, pictures in the order of their recording (the endoscope's encoder makes
//! no B pictures), each shown as long as it was then: a picture that froze for two seconds freezes
//! for two seconds here. Boxes after ISO/IEC 14496-12 (container) and 14496-15 (H.264 in it).

/// Ticks a second of all times in the file.
const TIMESCALE: u64 = 90_000;
/// How long the last picture is shown when there is no other to learn from, in ticks.
const LAST_TICKS: u32 = 3_000;
/// Row-major identity transform of the track and movie headers, 16.16 and 2.30 fixed point.
const IDENTITY: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;
const NAL_DELIMITER: u8 = 9;

/// One picture: an H.264 access unit with start codes (Annex B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit<'a> {
    /// When the picture was born, nanoseconds of any clock.
    pub at_ns: u64,
    /// The access unit.
    pub bytes: &'a [u8],
}

/// The pictures as one MP4 file, from the first that starts by itself on. `None` when none does.
///
/// `width` and `height` are those of the shown picture in pixels. A picture whose time is not after
/// the one before is shown for one tick (11 us).
#[must_use]
pub fn write(units: &[Unit<'_>], width: u16, height: u16) -> Option<Vec<u8>> {
    let start = units.iter().position(|unit| starts_by_itself(unit.bytes))?;
    let units = units.get(start..)?;
    let sets = ParameterSets::of(units)?;
    let samples: Vec<Sample> = units.iter().filter_map(|unit| sets.sample(unit)).collect();
    let durations = durations(&samples);

    let movie = Movie { width, height, sets: &sets, samples: &samples, durations: &durations };
    let mut file = Vec::new();
    atom(&mut file, *b"ftyp", |b| {
        b.extend(b"isom");
        b.extend(0x200_u32.to_be_bytes());
        b.extend(b"isomiso2avc1mp41");
    });
    // The places of the pictures have a fixed width, so the header's length does not change.
    let mut header = Vec::new();
    movie.header(&mut header, 0);
    let data: u64 = samples.iter().map(|sample| sample.bytes.len() as u64).sum();
    let first = (file.len() + header.len()) as u64 + 16;
    movie.header(&mut file, first);
    file.extend(1_u32.to_be_bytes());
    file.extend(b"mdat");
    file.extend((data + 16).to_be_bytes());
    file.extend(samples.iter().flat_map(|sample| &sample.bytes));
    Some(file)
}

/// The parts of an Annex B stream, without start codes and trailing zeros.
pub fn nal_units(stream: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(stream);
    std::iter::from_fn(move || {
        let body = rest?;
        let end = body.windows(3).position(|w| w == [0, 0, 1]);
        rest = end.and_then(|end| body.get(end + 3..));
        let mut unit = body.get(..end.unwrap_or(body.len()))?;
        while let Some((0, before)) = unit.split_last() {
            unit = before;
        }
        Some(unit)
    })
    .filter(|unit| !unit.is_empty())
}

fn after_start_code(stream: &[u8]) -> Option<&[u8]> {
    stream.windows(3).position(|w| w == [0, 0, 1]).and_then(|at| stream.get(at + 3..))
}

fn kind(nal: &[u8]) -> u8 {
    nal.first().copied().unwrap_or_default() & 0x1F
}

/// An IDR picture together with the parameter sets that it needs.
fn starts_by_itself(unit: &[u8]) -> bool {
    [NAL_IDR, NAL_SPS, NAL_PPS].iter().all(|wanted| nal_units(unit).any(|nal| kind(nal) == *wanted))
}

struct Sample {
    bytes: Vec<u8>,
    at_ns: u64,
    idr: bool,
}

/// What the decoder must know before the first picture.
struct ParameterSets<'a> {
    sps: Vec<&'a [u8]>,
    pps: Vec<&'a [u8]>,
    /// The stream has no others: they need not be repeated in the pictures.
    constant: bool,
}

impl<'a> ParameterSets<'a> {
    /// Those of the first picture.
    fn of(units: &[Unit<'a>]) -> Option<Self> {
        let all = |bytes: &'a [u8], wanted| {
            // One with a length that `avcC` cannot say is no parameter set.
            let fits = move |nal: &&[u8]| kind(nal) == wanted && (4..=0xFFFF).contains(&nal.len());
            nal_units(bytes).filter(fits).take(31)
        };
        let first = units.first()?.bytes;
        let sps: Vec<_> = all(first, NAL_SPS).collect();
        let pps: Vec<_> = all(first, NAL_PPS).collect();
        let constant = units.iter().all(|unit| {
            all(unit.bytes, NAL_SPS).all(|nal| sps.contains(&nal))
                && all(unit.bytes, NAL_PPS).all(|nal| pps.contains(&nal))
        });
        (!sps.is_empty() && !pps.is_empty()).then_some(Self { sps, pps, constant })
    }

    /// A unit with lengths in place of start codes; `None` when it holds no picture.
    fn sample(&self, unit: &Unit<'_>) -> Option<Sample> {
        if !nal_units(unit.bytes).any(|nal| (1..=NAL_IDR).contains(&kind(nal))) {
            return None;
        }
        let mut bytes = Vec::with_capacity(unit.bytes.len() + 8);
        for nal in nal_units(unit.bytes) {
            let known = self.constant && matches!(kind(nal), NAL_SPS | NAL_PPS);
            if !known && kind(nal) != NAL_DELIMITER {
                bytes.extend((nal.len() as u32).to_be_bytes());
                bytes.extend(nal);
            }
        }
        let idr = nal_units(unit.bytes).any(|nal| kind(nal) == NAL_IDR);
        Some(Sample { bytes, at_ns: unit.at_ns, idr })
    }

    /// `AVCDecoderConfigurationRecord`, ISO/IEC 14496-15, 5.3.3.1.
    fn configuration(&self, b: &mut Vec<u8>) {
        let profile = self.sps.first().and_then(|sps| sps.get(1..4)).unwrap_or(&[66, 0, 31]);
        b.push(1);
        b.extend(profile);
        // Lengths have four bytes; all reserved bits are one.
        b.push(0xFF);
        b.push(0xE0 | self.sps.len() as u8);
        for sps in &self.sps {
            b.extend((sps.len() as u16).to_be_bytes());
            b.extend(*sps);
        }
        b.push(self.pps.len() as u8);
        for pps in &self.pps {
            b.extend((pps.len() as u16).to_be_bytes());
            b.extend(*pps);
        }
        if profile.first().is_some_and(|profile| matches!(profile, 100 | 110 | 122 | 144)) {
            // 4:2:0, eight bits, no extensions: the only form the endoscope has.
            b.extend([0xFD, 0xF8, 0xF8, 0]);
        }
    }
}

/// From each picture to the next, in ticks; rounding errors do not add up.
fn durations(samples: &[Sample]) -> Vec<u32> {
    let start = samples.first().map_or(0, |sample| sample.at_ns);
    let ticks = |sample: &Sample| {
        let since = u128::from(sample.at_ns.saturating_sub(start));
        (since * u128::from(TIMESCALE) / 1_000_000_000) as u64
    };
    let mut shown_at = 0;
    let mut durations = Vec::with_capacity(samples.len());
    for next in samples.iter().skip(1) {
        let next_at = ticks(next).clamp(shown_at + 1, shown_at + u64::from(u32::MAX));
        durations.push((next_at - shown_at) as u32);
        shown_at = next_at;
    }
    durations.push(durations.last().copied().unwrap_or(LAST_TICKS));
    durations
}

struct Movie<'a> {
    width: u16,
    height: u16,
    sets: &'a ParameterSets<'a>,
    samples: &'a [Sample],
    durations: &'a [u32],
}

impl Movie<'_> {
    /// The `moov` box; `first` is where the first picture lies in the file.
    fn header(&self, out: &mut Vec<u8>, first: u64) {
        let length: u64 = self.durations.iter().map(|ticks| u64::from(*ticks)).sum();
        atom(out, *b"moov", |b| {
            full(b, *b"mvhd", 1, 0, |b| {
                times(b, None, length);
                b.extend(0x1_0000_u32.to_be_bytes());
                b.extend(0x100_u16.to_be_bytes());
                b.extend([0; 10]);
                b.extend(IDENTITY.iter().flat_map(|word| word.to_be_bytes()));
                b.extend([0; 24]);
                b.extend(2_u32.to_be_bytes());
            });
            atom(b, *b"trak", |b| {
                // Flags: enabled, in the movie, in the preview.
                full(b, *b"tkhd", 1, 7, |b| {
                    times(b, Some(1), length);
                    b.extend([0; 16]);
                    b.extend(IDENTITY.iter().flat_map(|word| word.to_be_bytes()));
                    b.extend((u32::from(self.width) << 16).to_be_bytes());
                    b.extend((u32::from(self.height) << 16).to_be_bytes());
                });
                atom(b, *b"mdia", |b| self.media(b, length, first));
            });
        });
    }

    fn media(&self, b: &mut Vec<u8>, length: u64, first: u64) {
        full(b, *b"mdhd", 1, 0, |b| {
            times(b, None, length);
            // "und" in three times five bits, then a reserved word.
            b.extend(0x55C4_u16.to_be_bytes());
            b.extend([0; 2]);
        });
        full(b, *b"hdlr", 0, 0, |b| {
            b.extend([0; 4]);
            b.extend(b"vide");
            b.extend([0; 12]);
            b.extend(b"endoscope\0");
        });
        atom(b, *b"minf", |b| {
            full(b, *b"vmhd", 0, 1, |b| b.extend([0; 8]));
            atom(b, *b"dinf", |b| {
                full(b, *b"dref", 0, 0, |b| {
                    b.extend(1_u32.to_be_bytes());
                    // Flag: the data are in this file.
                    full(b, *b"url ", 0, 1, |_| {});
                });
            });
            atom(b, *b"stbl", |b| self.table(b, first));
        });
    }

    fn table(&self, b: &mut Vec<u8>, first: u64) {
        full(b, *b"stsd", 0, 0, |b| {
            b.extend(1_u32.to_be_bytes());
            atom(b, *b"avc1", |b| self.entry(b));
        });
        let runs: Vec<(usize, u32)> = self
            .durations
            .chunk_by(PartialEq::eq)
            .filter_map(|run| Some((run.len(), *run.first()?)))
            .collect();
        full(b, *b"stts", 0, 0, |b| {
            b.extend((runs.len() as u32).to_be_bytes());
            for (count, ticks) in &runs {
                b.extend((*count as u32).to_be_bytes());
                b.extend(ticks.to_be_bytes());
            }
        });
        let idrs = self.samples.iter().zip(1_u32..).filter(|(sample, _)| sample.idr);
        let idrs: Vec<u32> = idrs.map(|(_, number)| number).collect();
        full(b, *b"stss", 0, 0, |b| {
            b.extend((idrs.len() as u32).to_be_bytes());
            b.extend(idrs.iter().flat_map(|number| number.to_be_bytes()));
        });
        full(b, *b"stsc", 0, 0, |b| {
            // From chunk 1 on: one picture a chunk, described by entry 1.
            b.extend([1_u32; 4].iter().flat_map(|word| word.to_be_bytes()));
        });
        full(b, *b"stsz", 0, 0, |b| {
            b.extend(0_u32.to_be_bytes());
            b.extend((self.samples.len() as u32).to_be_bytes());
            let sizes = self.samples.iter().map(|sample| sample.bytes.len() as u32);
            b.extend(sizes.flat_map(u32::to_be_bytes));
        });
        full(b, *b"co64", 0, 0, |b| {
            b.extend((self.samples.len() as u32).to_be_bytes());
            let mut at = first;
            for sample in self.samples {
                b.extend(at.to_be_bytes());
                at += sample.bytes.len() as u64;
            }
        });
    }

    /// `VisualSampleEntry` of ISO/IEC 14496-12, 12.1.3.
    fn entry(&self, b: &mut Vec<u8>) {
        b.extend([0; 6]);
        b.extend(1_u16.to_be_bytes());
        b.extend([0; 16]);
        b.extend(self.width.to_be_bytes());
        b.extend(self.height.to_be_bytes());
        // 72 dots an inch both ways, as everybody writes.
        b.extend(0x48_0000_u32.to_be_bytes());
        b.extend(0x48_0000_u32.to_be_bytes());
        b.extend([0; 4]);
        b.extend(1_u16.to_be_bytes());
        b.extend([0; 32]);
        b.extend(24_u16.to_be_bytes());
        b.extend(0xFFFF_u16.to_be_bytes());
        atom(b, *b"avcC", |b| self.sets.configuration(b));
        atom(b, *b"colr", |b| {
            // BT.709 primaries, transfer and matrix; limited range.
            b.extend(b"nclx");
            b.extend([0, 1, 0, 1, 0, 1, 0]);
        });
    }
}

/// Made and changed at no known time; then the timescale, or the track's number and a reserved
/// word; then the length. Version 1: 64 bits a time.
fn times(b: &mut Vec<u8>, track: Option<u32>, length: u64) {
    b.extend([0; 16]);
    match track {
        None => b.extend((TIMESCALE as u32).to_be_bytes()),
        Some(number) => {
            b.extend(number.to_be_bytes());
            b.extend([0; 4]);
        }
    }
    b.extend(length.to_be_bytes());
}

/// A box: length, name, content.
fn atom(out: &mut Vec<u8>, name: [u8; 4], content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend([0; 4]);
    out.extend(name);
    content(out);
    let length = (out.len() - at) as u32;
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// A box with version and flags.
fn full(
    out: &mut Vec<u8>,
    name: [u8; 4],
    version: u8,
    flags: u32,
    content: impl FnOnce(&mut Vec<u8>),
) {
    atom(out, name, |b| {
        b.extend((u32::from(version) << 24 | flags).to_be_bytes());
        content(b);
    });
}
