//! The da Vinci Classic patient-side manipulator and its instruments.
//!
//! Base is the remote centre of motion (RCM); at joints 0 the shaft points along base -z. Tip is
//! the wrist-yaw axis with z along the jaws ([`JAW_TIP_M`] further on is the end of the jaws).
//! Joints: yaw, pitch, insertion (m), roll, wrist pitch, wrist yaw.
//!
//! Source of the numbers: github.com/jhu-dvrk/sawIntuitiveResearchKit @9e535e68,
//! `share/kinematic/PSM.json`, `share/tool/*.json`, with exact pi/2 where the files write 1.5708.

use core::f64::consts::FRAC_PI_2;

use telehand_vocab::Pose;
use telehand_vocab::space::{Base, Tip};

use crate::dh::{Row, Transform, cross, dot, nearest_turn};
use crate::{IkError, Range};

/// From the wrist-yaw axis to the end of the jaws along tip z, metres (`dvrk_model`, `tip_006`).
pub const JAW_TIP_M: f64 = 0.0102;

/// Closer to the RCM than this the shaft direction is not solved, metres.
pub const CENTRE_LIMIT_M: f64 = 0.001;

const INSERTION_OFFSET: f64 = -0.4318;

/// What an instrument changes in the arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tool {
    /// Name and part number.
    pub name: &'static str,
    /// DH d of the roll joint, metres.
    pub roll_d: f64,
    /// DH a between wrist pitch and wrist yaw, metres.
    pub wrist_a: f64,
    /// Roll range.
    pub roll: Range,
    /// Wrist pitch range.
    pub wrist_pitch: Range,
    /// Wrist yaw range.
    pub wrist_yaw: Range,
    /// Jaw range; `None` for a tool without jaws.
    pub jaw: Option<Range>,
    /// Joints (roll, wrist pitch, wrist yaw, jaw) from disks 4..7, by rows.
    pub coupling: [[f64; 4]; 4],
}

const DEG: f64 = core::f64::consts::PI / 180.0;

impl Tool {
    /// Large needle driver, Classic 8 mm.
    pub const LARGE_NEEDLE_DRIVER_400006: Self = Self {
        name: "LARGE_NEEDLE_DRIVER_400006",
        roll_d: 0.4162,
        wrist_a: 0.0091,
        roll: Range::symmetric(4.537_86),
        wrist_pitch: Range::symmetric(1.396_26),
        wrist_yaw: Range::symmetric(1.396_26),
        jaw: Some(Range::new(-0.698_132, 1.396_26)),
        coupling: [
            [-1.5632, 0.0, 0.0, 0.0],
            [0.0, 1.0186, 0.0, 0.0],
            [0.0, -0.8306, 0.6089, 0.6089],
            [0.0, 0.0, -1.2177, 1.2177],
        ],
    };

    /// `ProGrasp` forceps.
    pub const PROGRASP_400093: Self = Self {
        name: "PROGRASP_400093",
        roll_d: 0.4162,
        wrist_a: 0.0107,
        roll: Range::symmetric(4.537_86),
        wrist_pitch: Range::symmetric(80.0 * DEG),
        wrist_yaw: Range::symmetric(80.0 * DEG),
        jaw: Some(Range::new(-20.0 * DEG, 80.0 * DEG)),
        coupling: [
            [-1.5631, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, -0.5068, -0.5135, -0.5135],
            [0.0, 0.0, -0.5279, 0.5279],
        ],
    };

    /// Permanent cautery hook; it has no jaws.
    pub const CAUTERY_HOOK_400183: Self = Self {
        name: "PERMANENT_CAUTERY_HOOK_400183",
        roll_d: 0.4162,
        wrist_a: 0.0093,
        roll: Range::symmetric(4.537_86),
        wrist_pitch: Range::symmetric(80.0 * DEG),
        wrist_yaw: Range::symmetric(85.0 * DEG),
        jaw: None,
        coupling: [
            [-1.5632, 0.0, 0.0, 0.0],
            [0.0, 1.1353, 0.0, 0.0],
            [0.0, 0.7827, -1.0582, 0.0],
            [0.0, 0.0, 0.0, 1.0],
        ],
    };

    /// Maryland bipolar forceps of the Si.
    pub const MARYLAND_BIPOLAR_420172: Self = Self {
        name: "MARYLAND_BIPOLAR_420172",
        roll_d: 0.4670,
        wrist_a: 0.0107,
        roll: Range::symmetric(4.4506),
        wrist_pitch: Range::symmetric(70.0 * DEG),
        wrist_yaw: Range::symmetric(90.0 * DEG),
        jaw: Some(Range::new(-20.0 * DEG, 80.0 * DEG)),
        coupling: [
            [-1.563_233, 0.0, 0.0, 0.0],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, -0.630_273, 0.457_982, 0.457_982],
            [0.0, 0.0, -0.915_964, 0.915_964],
        ],
    };

    /// Every tool here.
    pub const ALL: [Self; 4] = [
        Self::LARGE_NEEDLE_DRIVER_400006,
        Self::PROGRASP_400093,
        Self::CAUTERY_HOOK_400183,
        Self::MARYLAND_BIPOLAR_420172,
    ];
}

/// The arm with one instrument on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Psm {
    /// The instrument.
    pub tool: Tool,
}

impl Psm {
    /// With the large needle driver.
    pub const LND_400006: Self = Self::new(Tool::LARGE_NEEDLE_DRIVER_400006);

    /// With any instrument.
    pub const fn new(tool: Tool) -> Self {
        Self { tool }
    }

    /// The modified-DH table.
    pub const fn rows(&self) -> [Row; 6] {
        [
            Row::revolute(FRAC_PI_2, 0.0, 0.0, FRAC_PI_2),
            Row::revolute(-FRAC_PI_2, 0.0, 0.0, -FRAC_PI_2),
            Row::prismatic(FRAC_PI_2, 0.0, INSERTION_OFFSET),
            Row::revolute(0.0, 0.0, self.tool.roll_d, 0.0),
            Row::revolute(-FRAC_PI_2, 0.0, 0.0, -FRAC_PI_2),
            Row::revolute(-FRAC_PI_2, self.tool.wrist_a, 0.0, -FRAC_PI_2),
        ]
    }

    /// From the last DH frame to the tip.
    pub const TIP: Transform =
        Transform { rows: [[0.0, -1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]], at: [0.0; 3] };

    /// Joint ranges.
    pub const fn limits(&self) -> [Range; 6] {
        [
            Range::symmetric(1.588),
            Range::symmetric(0.925_025),
            Range::new(0.0, 0.240),
            self.tool.roll,
            self.tool.wrist_pitch,
            self.tool.wrist_yaw,
        ]
    }

    /// How far the wrist lies below the RCM at this insertion, metres.
    pub const fn depth_m(&self, insertion_m: f64) -> f64 {
        insertion_m + INSERTION_OFFSET + self.tool.roll_d
    }

    /// Where the tip is.
    pub fn fk(&self, joints: &[f64; 6]) -> Pose<Base, Tip> {
        self.fk_matrix(joints).to_pose()
    }

    /// Where the tip is, as a matrix.
    pub fn fk_matrix(&self, joints: &[f64; 6]) -> Transform {
        self.rows()
            .iter()
            .zip(joints)
            .fold(Transform::IDENTITY, |t, (row, q)| t.then(&row.modified(*q)))
            .then(&Self::TIP)
    }

    /// The joints that reach `base_from_tip`, within limits, roll nearest to `near`.
    ///
    /// Closed form with two candidates, of which at most one lies within the limits. The roll is
    /// the nearest turn inside its range: compare with `near` before moving there.
    pub fn ik(
        &self,
        base_from_tip: &Pose<Base, Tip>,
        near: &[f64; 6],
    ) -> Result<[f64; 6], IkError> {
        let limits = self.limits();
        let mut best: Option<([f64; 6], f64)> = None;
        for joints in self.ik_candidates(base_from_tip, near)? {
            let out: f64 = limits.iter().zip(joints).map(|(l, q)| l.excess(q).abs()).sum();
            if best.is_none_or(|(_, least)| out < least) {
                best = Some((joints, out));
            }
        }
        let (joints, out) = best.ok_or(IkError::NotFinite)?;
        if out == 0.0 { Ok(joints) } else { Err(first_excess(&limits, &joints)) }
    }

    /// Both solutions, limits not judged except that the roll takes a turn inside its range.
    pub fn ik_candidates(
        &self,
        base_from_tip: &Pose<Base, Tip>,
        near: &[f64; 6],
    ) -> Result<[[f64; 6]; 2], IkError> {
        let t6 = Transform::from_pose(base_from_tip).then(&Self::TIP.inverse());
        if !t6.is_finite() {
            return Err(IkError::NotFinite);
        }
        let p = t6.at;
        let distance_m = libm::sqrt(dot(p, p));
        if distance_m < CENTRE_LIMIT_M {
            return Err(IkError::NearCentre { distance_m, limit_m: CENTRE_LIMIT_M });
        }
        let [x6, _, z6] = t6.axes();
        // p parallel to the yaw axis leaves the wrist plane open; it lies outside the limits
        let n = unit(cross(z6, p))
            .ok_or(IkError::NearCentre { distance_m, limit_m: CENTRE_LIMIT_M })?;
        let side = cross(n, z6);
        Ok([1.0, -1.0].map(|s| self.branch(p, x6, z6, side.map(|c| c * s), near)))
    }

    fn branch(
        &self,
        p: [f64; 3],
        x6: [f64; 3],
        z6: [f64; 3],
        x5: [f64; 3],
        near: &[f64; 6],
    ) -> [f64; 6] {
        let a = self.tool.wrist_a;
        let [px, py, pz] = p;
        let [ex, ey, ez] = x5;
        let wrist = [px - a * ex, py - a * ey, pz - a * ez];
        let r = libm::sqrt(dot(wrist, wrist));
        let [ux, uy, uz] = if r > 0.0 { wrist.map(|c| c / r) } else { [0.0, 0.0, -1.0] };
        let q1 = libm::atan2(ux, -uz);
        let q2 = libm::asin((-uy).clamp(-1.0, 1.0));
        let q3 = r - self.tool.roll_d - INSERTION_OFFSET;
        let (s1, c1) = (libm::sin(q1), libm::cos(q1));
        let (s2, c2) = (libm::sin(q2), libm::cos(q2));
        // rows of R03 transposed are the columns of R03
        let into3 = [[-s1 * s2, -c2, c1 * s2], [-c1, 0.0, -s1], [s1 * c2, -s2, -c1 * c2]];
        let x @ [x_x, x_y, x_z] = into3.map(|row| dot(row, x5));
        let [w_x, w_y, w_z] = into3.map(|row| dot(row, z6));
        let v = into3.map(|row| dot(row, x6));
        let q5 = libm::atan2(-w_z, x_z);
        let (s5, c5) = (libm::sin(q5), libm::cos(q5));
        let q4 = libm::atan2(x_y * s5 + w_y * c5, x_x * s5 + w_x * c5);
        let q6 = libm::atan2(dot(v, x), dot(v, [-libm::sin(q4), libm::cos(q4), 0.0]));
        let [_, _, _, near_roll, _, _] = *near;
        [q1, q2, q3, self.roll_turn(q4, near_roll), q5, q6]
    }

    /// The turn of `roll` nearest to `near`, if inside the range; else the one beside it.
    fn roll_turn(&self, roll: f64, near: f64) -> f64 {
        let nearest = nearest_turn(roll, near);
        let excess = self.tool.roll.excess(nearest);
        if excess == 0.0 { nearest } else { nearest - core::f64::consts::TAU.copysign(excess) }
    }
}

fn unit(v: [f64; 3]) -> Option<[f64; 3]> {
    let length = libm::sqrt(dot(v, v));
    (length > 1e-12).then(|| v.map(|c| c / length))
}

/// The first joint out of its range, as the reason.
pub(crate) fn first_excess<const N: usize>(limits: &[Range; N], joints: &[f64; N]) -> IkError {
    for (i, (range, q)) in limits.iter().zip(joints).enumerate() {
        if !range.contains(*q) {
            let limit = if *q < range.min { range.min } else { range.max };
            return IkError::OutOfRange { joint: i as u8 + 1, value: *q, limit };
        }
    }
    IkError::NotFinite
}
