//! What there is to see: one moment of the invented operating field, as plain data.
//!
//! The world makes a [`Scene`], another process draws it. All poses are in the `World` frame (z up,
//! board top at z = 0, metres). Derived geometry is included so that a renderer needs no
//! kinematics. [`Scene::encode`] writes at most [`SCENE_BYTES_MAX`] bytes with 32-bit floats (a
//! resolution of 10 nm at 0.1 m); [`Scene::decode`] takes any bytes and never panics.

mod bytes;

pub use bytes::SceneError;

use telehand_vocab::space::{Base, Camera, Pose, Quat, Tip, Vec3, World};
use telehand_vocab::{ArmId, Mono};

/// Most objects on the board.
pub const OBJECTS_MAX: usize = 6;
/// Pegs on the board: six on each side.
pub const PEGS: usize = 12;
/// Longest encoding of a scene, in bytes.
pub const SCENE_BYTES_MAX: usize = 1_000;

/// Length of a jaw from the wrist-yaw pin (the `Tip` origin) to its end along tip +z, metres
/// (Large Needle Driver 400006).
pub const JAW_LENGTH_M: f64 = 0.0102;
/// Thickness of one jaw in its opening direction, metres (invented).
pub const JAW_THICKNESS_M: f64 = 0.0010;
/// Width of one jaw along the yaw axis, metres (invented).
pub const JAW_WIDTH_M: f64 = 0.0024;
/// An opening that takes the tube of a demo ring between the jaws without touching the peg in its
/// hole, radians (36 deg): both inner faces are then 0.4 mm off the tube.
pub const RING_GRASP_JAW_RAD: f64 = 0.63;
/// Radius of the instrument shaft, metres (an 8 mm instrument).
pub const SHAFT_RADIUS_M: f64 = 0.0042;

/// Object colours as sRGB, by [`Object::colour`]: apart from each other for colour-blind eyes too
/// (Okabe and Ito 2008).
pub const COLOURS: [[u8; 3]; OBJECTS_MAX] = [
    [0xD5, 0x5E, 0x00],
    [0x00, 0x72, 0xB2],
    [0xF0, 0xE4, 0x42],
    [0xCC, 0x79, 0xA7],
    [0x00, 0x9E, 0x73],
    [0x56, 0xB4, 0xE9],
];

/// One moment of the operating field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scene {
    /// When (patient-side clock).
    pub at: Mono,
    /// The simulation step it belongs to (1 kHz).
    pub tick: u64,
    /// The two instruments, by [`ArmId::index`].
    pub instruments: [Instrument; 2],
    /// The endoscope.
    pub endoscope: Endoscope,
    /// The board and its pegs.
    pub board: Board,
    /// The objects to transfer; the first `None` ends the list.
    pub objects: [Option<Object>; OBJECTS_MAX],
}

/// One instrument as it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instrument {
    /// Where the arm's remote centre of motion is; the shaft passes through its origin.
    pub world_from_base: Pose<World, Base>,
    /// Measured joints: radians, the third in metres.
    pub joints: [f64; 6],
    /// Angle between the two jaws in radians; 0 is closed, negative squeezes.
    pub jaw_rad: f64,
    /// The wrist-yaw pin. The jaws run from here along +z, [`JAW_LENGTH_M`] long, and open by
    /// half of `jaw_rad` to each side along +-[`JAW_OPENING_AXIS`].
    pub world_from_tip: Pose<World, Tip>,
    /// The wrist-pitch axis, where the straight shaft ends, in World.
    pub wrist: Vec3,
    /// Estimated contact force on the jaws, newtons.
    pub force_n: f64,
    /// True while the motors are on.
    pub powered: bool,
}

/// The direction in the `Tip` frame in which the two jaws move apart.
pub const JAW_OPENING_AXIS: Vec3 = Vec3::new(0.0, 1.0, 0.0);

/// The endoscope as it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Endoscope {
    /// Where the arm's remote centre of motion is.
    pub world_from_base: Pose<World, Base>,
    /// Measured joints: radians, the third in metres; the last two are 0.
    pub joints: [f64; 6],
    /// The optical frame between both eyes: x right, y down, z away from the lens.
    pub world_from_camera: Pose<World, Camera>,
    /// True while the motors are on.
    pub powered: bool,
}

/// The peg board: a square plate, its top at z = 0, centred at the World origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Board {
    /// Half the side of the plate, metres.
    pub half_m: f64,
    /// Radius of a peg, metres.
    pub peg_radius_m: f64,
    /// Height of a peg above the plate, metres.
    pub peg_height_m: f64,
    /// Distance from the centre of a ring object to the middle of its tube, metres.
    pub ring_major_m: f64,
    /// Radius of the tube of a ring object, metres.
    pub ring_minor_m: f64,
    /// The pegs.
    pub pegs: [Peg; PEGS],
}

/// One peg, upright on the plate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Peg {
    /// World x of its axis, metres.
    pub x_m: f64,
    /// World y of its axis, metres.
    pub y_m: f64,
    /// True for a peg that objects must come to.
    pub target: bool,
}

/// One ring object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Object {
    /// Its number, fixed for the session.
    pub id: u8,
    /// Index into [`COLOURS`].
    pub colour: u8,
    /// Centre in World, metres.
    pub position: Vec3,
    /// How it is turned; the axis of the ring is its local +z.
    pub rotation: Quat,
    /// The arm that holds it.
    pub held_by: Option<ArmId>,
}

impl Scene {
    /// A still scene to draw and to test with: closed instruments over the board, two rings, the
    /// endoscope 120 mm from the middle looking 50 degrees down.
    #[must_use]
    pub fn example() -> Self {
        let down = Quat::from_rows([[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]);
        let instrument = |x: f64| Instrument {
            world_from_base: Pose::new(Quat::IDENTITY, Vec3::new(2.5 * x, 0.03, 0.16)),
            joints: [0.0, 0.0, 0.13, 0.0, 0.0, 0.0],
            jaw_rad: 0.5,
            world_from_tip: Pose::new(down, Vec3::new(x, 0.0, 0.05)),
            wrist: Vec3::new(x, 0.0, 0.0591),
            force_n: 0.0,
            powered: true,
        };
        let (sin, cos) = (libm::sin(0.872_665), libm::cos(0.872_665));
        let looks = Quat::from_rows([[1.0, 0.0, 0.0], [0.0, -sin, cos], [0.0, -cos, -sin]]);
        let eye = Vec3::new(0.0, -cos, sin);
        let board = Board::demo();
        let mut objects = [None; OBJECTS_MAX];
        for (id, (slot, peg)) in objects.iter_mut().zip(board.pegs).take(2).enumerate() {
            *slot = Some(Object {
                id: id as u8,
                colour: id as u8,
                position: Vec3::new(peg.x_m, peg.y_m, board.ring_minor_m),
                rotation: Quat::IDENTITY,
                held_by: None,
            });
        }
        Self {
            at: Mono::ZERO,
            tick: 0,
            instruments: [instrument(-0.03), instrument(0.03)],
            endoscope: Endoscope {
                world_from_base: Pose::new(looks, eye * 0.25),
                joints: [0.0, 0.0, 0.13, 0.0, 0.0, 0.0],
                world_from_camera: Pose::new(looks, eye * 0.12),
                powered: true,
            },
            board,
            objects,
        }
    }
}

impl Board {
    /// The board of the demo: pegs of 2 x 25 mm on a 30 mm grid with 32 mm between the sides;
    /// objects start on the left (x < 0) and belong on the right.
    #[must_use]
    pub fn demo() -> Self {
        let mut pegs = [Peg::default(); PEGS];
        let sides = [(-1.0, false), (1.0, true)];
        let places = sides.iter().flat_map(|&(side, target)| {
            [0.016, 0.046].into_iter().flat_map(move |x| {
                [0.0, 0.030, -0.030].map(|y_m| Peg { x_m: side * x, y_m, target })
            })
        });
        for (peg, place) in pegs.iter_mut().zip(places) {
            *peg = place;
        }
        Self {
            half_m: 0.062,
            peg_radius_m: 0.002,
            peg_height_m: 0.025,
            ring_major_m: 0.007,
            ring_minor_m: 0.0022,
            pegs,
        }
    }
}
