//! A scene as bytes and back: fixed order, little endian, 32-bit floats, CRC-32 at the end.

use telehand_vocab::space::{Pose, Quat, Vec3};
use telehand_vocab::{ArmId, Mono};

use super::{
    Board, COLOURS, Endoscope, Instrument, OBJECTS_MAX, Object, PEGS, Peg, SCENE_BYTES_MAX, Scene,
};

/// Why bytes are not a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SceneError {
    /// Too short or too long for what it says it holds.
    #[error("scene: {bytes} bytes do not hold one whole scene; the picture keeps the last one")]
    Length {
        /// The bytes given.
        bytes: usize,
    },
    /// Not a scene, or of another version.
    #[error(
        "scene: header {found:#010x} is not {MAGIC:#010x}; both processes must be of one version"
    )]
    Header {
        /// The header found.
        found: u32,
    },
    /// The bytes changed on their way.
    #[error(
        "scene: checksum {found:#010x} is not {expected:#010x}; the picture keeps the last one"
    )]
    Checksum {
        /// The checksum found.
        found: u32,
        /// The checksum of the bytes.
        expected: u32,
    },
    /// A value no scene can have.
    #[error("scene: {what} is out of range; the picture keeps the last one")]
    Value {
        /// Which value.
        what: &'static str,
    },
}

/// "THS" and the version.
const MAGIC: u32 = 0x5448_5301;
/// No length in a scene is longer, metres.
const LENGTH_MAX_M: f64 = 10.0;

impl Scene {
    /// Appends the scene to `out`: header, fields in order (little endian), CRC-32.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&MAGIC.to_le_bytes());
        out.extend_from_slice(&self.at.as_nanos().to_le_bytes());
        out.extend_from_slice(&self.tick.to_le_bytes());
        for instrument in &self.instruments {
            put_instrument(out, instrument);
        }
        let ecm = &self.endoscope;
        put_pose(out, ecm.world_from_base);
        put_all(out, &ecm.joints);
        put_pose(out, ecm.world_from_camera);
        out.push(u8::from(ecm.powered));
        put_board(out, &self.board);
        let objects = self.objects.iter().map_while(|o| o.as_ref());
        out.push(objects.clone().count() as u8);
        for object in objects {
            out.push(object.id);
            out.push(object.colour);
            out.push(object.held_by.map_or(u8::MAX, |arm| arm as u8));
            put_all(out, &object.position.to_array());
            put_all(out, &object.rotation.to_array());
        }
        let sum = crc32(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&sum.to_le_bytes());
    }

    /// Reads what [`Scene::encode`] wrote. Every number is finite and in a sane range afterwards.
    pub fn decode(bytes: &[u8]) -> Result<Self, SceneError> {
        if bytes.len() > SCENE_BYTES_MAX {
            return Err(SceneError::Length { bytes: bytes.len() });
        }
        let (body, sum) =
            bytes.split_last_chunk::<4>().ok_or(SceneError::Length { bytes: bytes.len() })?;
        let mut read = Reader { rest: body, total: bytes.len() };
        let magic = u32::from_le_bytes(read.take()?);
        if magic != MAGIC {
            return Err(SceneError::Header { found: magic });
        }
        let (found, expected) = (u32::from_le_bytes(*sum), crc32(body));
        if found != expected {
            return Err(SceneError::Checksum { found, expected });
        }
        let scene = Self {
            at: Mono::from_nanos(u64::from_le_bytes(read.take()?)),
            tick: u64::from_le_bytes(read.take()?),
            instruments: [read.instrument()?, read.instrument()?],
            endoscope: Endoscope {
                world_from_base: read.pose()?,
                joints: read.numbers("ECM joint")?,
                world_from_camera: read.pose()?,
                powered: read.flag("ECM power")?,
            },
            board: read.board()?,
            objects: read.objects()?,
        };
        if read.rest.is_empty() {
            Ok(scene)
        } else {
            Err(SceneError::Length { bytes: bytes.len() })
        }
    }
}

fn put_instrument(out: &mut Vec<u8>, instrument: &Instrument) {
    put_pose(out, instrument.world_from_base);
    put_all(out, &instrument.joints);
    put_all(out, &[instrument.jaw_rad]);
    put_pose(out, instrument.world_from_tip);
    put_all(out, &instrument.wrist.to_array());
    put_all(out, &[instrument.force_n]);
    out.push(u8::from(instrument.powered));
}

fn put_board(out: &mut Vec<u8>, board: &Board) {
    put_all(out, &[board.half_m, board.peg_radius_m, board.peg_height_m]);
    put_all(out, &[board.ring_major_m, board.ring_minor_m]);
    for peg in &board.pegs {
        put_all(out, &[peg.x_m, peg.y_m]);
        out.push(u8::from(peg.target));
    }
}

fn put_pose<A, B>(out: &mut Vec<u8>, pose: Pose<A, B>) {
    put_all(out, &pose.translation.to_array());
    put_all(out, &pose.rotation.to_array());
}

fn put_all(out: &mut Vec<u8>, values: &[f64]) {
    for value in values {
        out.extend_from_slice(&(*value as f32).to_le_bytes());
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    total: usize,
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SceneError> {
        let (head, rest) =
            self.rest.split_first_chunk::<N>().ok_or(SceneError::Length { bytes: self.total })?;
        self.rest = rest;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, SceneError> {
        self.take::<1>().map(|[byte]| byte)
    }

    fn flag(&mut self, what: &'static str) -> Result<bool, SceneError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(SceneError::Value { what }),
        }
    }

    /// Finite numbers up to 1,000 in size: joints, angles, newtons, metres.
    fn numbers<const N: usize>(&mut self, what: &'static str) -> Result<[f64; N], SceneError> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = f64::from(f32::from_le_bytes(self.take()?));
            if !value.is_finite() || value.abs() > 1_000.0 {
                return Err(SceneError::Value { what });
            }
        }
        Ok(values)
    }

    fn number(&mut self, what: &'static str) -> Result<f64, SceneError> {
        self.numbers::<1>(what).map(|[value]| value)
    }

    fn length(&mut self, what: &'static str) -> Result<f64, SceneError> {
        let value = self.number(what)?;
        if value > 0.0 && value <= LENGTH_MAX_M {
            Ok(value)
        } else {
            Err(SceneError::Value { what })
        }
    }

    fn position(&mut self) -> Result<Vec3, SceneError> {
        let values = self.numbers::<3>("position")?;
        if values.iter().all(|v| v.abs() <= LENGTH_MAX_M) {
            Ok(Vec3::from_array(values))
        } else {
            Err(SceneError::Value { what: "position" })
        }
    }

    fn rotation(&mut self) -> Result<Quat, SceneError> {
        let bad = SceneError::Value { what: "rotation" };
        let [w, x, y, z] = self.numbers("rotation")?;
        let norm2 = w * w + x * x + y * y + z * z;
        if (norm2 - 1.0).abs() > 1e-4 {
            return Err(bad);
        }
        Quat::new(w, x, y, z).ok_or(bad)
    }

    fn pose<A, B>(&mut self) -> Result<Pose<A, B>, SceneError> {
        let translation = self.position()?;
        Ok(Pose::new(self.rotation()?, translation))
    }

    fn instrument(&mut self) -> Result<Instrument, SceneError> {
        Ok(Instrument {
            world_from_base: self.pose()?,
            joints: self.numbers("PSM joint")?,
            jaw_rad: self.number("jaw")?,
            world_from_tip: self.pose()?,
            wrist: self.position()?,
            force_n: self.number("force")?,
            powered: self.flag("PSM power")?,
        })
    }

    fn board(&mut self) -> Result<Board, SceneError> {
        let mut board = Board {
            half_m: self.length("board size")?,
            peg_radius_m: self.length("peg radius")?,
            peg_height_m: self.length("peg height")?,
            ring_major_m: self.length("ring radius")?,
            ring_minor_m: self.length("ring tube")?,
            pegs: [Peg::default(); PEGS],
        };
        for peg in &mut board.pegs {
            let [x_m, y_m] = self.numbers("peg place")?;
            *peg = Peg { x_m, y_m, target: self.flag("peg kind")? };
        }
        Ok(board)
    }

    fn objects(&mut self) -> Result<[Option<Object>; OBJECTS_MAX], SceneError> {
        let count = usize::from(self.byte()?);
        if count > OBJECTS_MAX {
            return Err(SceneError::Value { what: "number of objects" });
        }
        let mut objects = [None; OBJECTS_MAX];
        for slot in objects.iter_mut().take(count) {
            let (id, colour, held_by) = (self.byte()?, self.byte()?, self.byte()?);
            if usize::from(colour) >= COLOURS.len() {
                return Err(SceneError::Value { what: "colour" });
            }
            let held_by = match held_by {
                u8::MAX => None,
                arm => Some(ArmId::from_index(arm).ok_or(SceneError::Value { what: "holder" })?),
            };
            let position = self.position()?;
            *slot = Some(Object { id, colour, position, rotation: self.rotation()?, held_by });
        }
        Ok(objects)
    }
}

/// CRC-32 (ISO 3309, reflected polynomial 0xEDB88320).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8)
            .fold(sum ^ u32::from(*byte), |s, _| (s >> 1) ^ (0xEDB8_8320 & (s & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(scene: &Scene) -> Vec<u8> {
        let mut bytes = Vec::new();
        scene.encode(&mut bytes);
        bytes
    }

    /// Replaces the checksum, so that what comes before it is judged.
    fn resealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let at = bytes.len() - 4;
        let sum = crc32(&bytes[..at]);
        bytes[at..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    #[test]
    fn s_001_a_scene_survives_its_bytes() {
        let mut scene = Scene::example();
        scene.objects[1].as_mut().unwrap().held_by = Some(ArmId::Psm2);
        scene.tick = u64::MAX;
        scene.at = Mono::from_millis(123_456);
        let bytes = bytes_of(&scene);
        assert!(bytes.len() < SCENE_BYTES_MAX, "{}", bytes.len());
        let back = Scene::decode(&bytes).unwrap();
        assert_eq!((back.at, back.tick), (scene.at, scene.tick));
        let (a, b) = (back.instruments[1], scene.instruments[1]);
        assert!((a.world_from_tip.translation - b.world_from_tip.translation).norm() < 1e-7);
        assert_eq!(back.objects[1].unwrap().held_by, Some(ArmId::Psm2));
        assert_eq!(back.objects[2], None);
        assert_eq!(Scene::decode(&bytes_of(&back)).unwrap().board, back.board);
    }

    #[test]
    fn s_001_a_full_board_stays_below_the_limit() {
        let mut scene = Scene::example();
        scene.objects = [scene.objects[0]; OBJECTS_MAX];
        let bytes = bytes_of(&scene);
        assert!(bytes.len() <= SCENE_BYTES_MAX, "{}", bytes.len());
        assert!(Scene::decode(&bytes).unwrap().objects[5].is_some());
    }

    #[test]
    fn s_002_every_single_flipped_bit_is_refused() {
        let bytes = bytes_of(&Scene::example());
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(Scene::decode(&bad).is_err(), "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert!(Scene::decode(&bytes[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn s_002_values_out_of_range_are_named() {
        let mut scene = Scene::example();
        scene.instruments[0].jaw_rad = f64::NAN;
        let error = Scene::decode(&bytes_of(&scene)).unwrap_err();
        assert_eq!(error, SceneError::Value { what: "jaw" });
        scene = Scene::example();
        scene.objects[0].as_mut().unwrap().colour = 6;
        let error = Scene::decode(&bytes_of(&scene)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "scene: colour is out of range; the picture keeps the last one"
        );
    }

    #[test]
    fn s_002_no_bytes_make_the_decoder_panic() {
        let good = bytes_of(&Scene::example());
        let mut state = 0x5EED_u64;
        let mut next = || {
            // splitmix64, Steele, Lea and Flood 2014
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        let mut decoded = 0;
        for round in 0..20_000 {
            let mut bytes = good.clone();
            if round % 4 == 0 {
                bytes.truncate((next() % 1_200) as usize);
            }
            for _ in 0..=next() % 4 {
                let at = (next() as usize) % bytes.len().max(1);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = next() as u8;
                }
            }
            if bytes.len() >= 4 && round % 8 != 0 {
                bytes = resealed(bytes);
            }
            if let Ok(scene) = Scene::decode(&bytes) {
                decoded += 1;
                assert!(scene.board.half_m.is_finite());
                Scene::decode(&bytes_of(&scene)).unwrap();
            }
        }
        assert!(decoded > 1_000, "the fuzz must also pass the checks: {decoded}");
    }
}
