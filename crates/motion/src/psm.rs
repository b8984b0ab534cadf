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
        if !t6.is_finite() || near.iter().any(|q| !q.is_finite()) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::{Random, assert_golden, difference};

    #[test]
    fn m_002_fk_gives_the_golden_poses() {
        let psm = Psm::LND_400006;
        assert_golden(
            &psm.fk_matrix(&[0.1, -0.2, 0.12, 0.3, 0.4, -0.5]),
            [0.010_060_081, 0.019_088_307, -0.110_755_094],
            [
                [0.291_482_067, 0.831_188_083, -0.473_460_215],
                [0.939_748_778, -0.341_248_598, -0.020_533_618],
                [-0.178_634_933, -0.438_948_477, -0.880_575_832],
            ],
        );
        assert_golden(
            &psm.fk_matrix(&[-0.7, 0.5, 0.2, 1.0, -0.6, 0.9]),
            [-0.106_047_946, -0.089_570_470, -0.132_616_086],
            [
                [0.712_675_142, 0.573_083_001, 0.404_561_510],
                [0.662_045_060, -0.358_802_754, -0.657_994_622],
                [-0.231_927_749, 0.736_774_360, -0.635_116_574],
            ],
        );
        assert_golden(
            &psm.fk_matrix(&[0.0, 0.0, 0.12, 0.0, 0.0, 0.0]),
            [0.0, 0.0, -0.1135],
            [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]],
        );
    }

    #[test]
    fn m_003_a_pose_through_the_quaternion_loses_nothing() {
        let psm = Psm::LND_400006;
        let mut random = Random::new(3);
        for _ in 0..5_000 {
            let q = random.joints(&psm.limits());
            let (at, rows) = difference(&psm.fk_matrix(&q), &Transform::from_pose(&psm.fk(&q)));
            assert!(at == 0.0 && rows < 1e-14, "{at:e} {rows:e}");
        }
    }

    /// `poses` random poses: the joints come back, and exactly one candidate is within limits.
    fn round_trip(psm: &Psm, seed: u64, poses: u32) {
        let mut random = Random::new(seed);
        let (mut worst_at, mut worst_rows, mut worst_joint) = (0.0_f64, 0.0_f64, 0.0_f64);
        let limits = psm.limits();
        for i in 0..poses {
            let mut q = random.joints(&limits);
            // the wrist stays out of the remote centre, as the depth rule demands
            q[2] = random.within(Range::new(0.045 - psm.depth_m(0.0), 0.240));
            let pose = psm.fk(&q);
            let back = psm.ik(&pose, &q).unwrap_or_else(|e| panic!("pose {i} {q:?}: {e}"));
            let (at, rows) = difference(&psm.fk_matrix(&back), &psm.fk_matrix(&q));
            worst_at = worst_at.max(at);
            worst_rows = worst_rows.max(rows);
            for (a, b) in back.iter().zip(q) {
                worst_joint = worst_joint.max((a - b).abs());
            }
            let inside = psm
                .ik_candidates(&pose, &q)
                .unwrap()
                .iter()
                .filter(|c| limits.iter().zip(**c).all(|(l, q)| l.contains(q)))
                .count();
            assert_eq!(inside, 1, "pose {i} {q:?}");
        }
        std::println!(
            "{}: {poses} poses, worst {worst_at:e} m, {worst_rows:e}, joint {worst_joint:e}",
            psm.tool.name
        );
        assert!(worst_at <= 1e-9 && worst_rows <= 1e-9 && worst_joint <= 1e-9);
    }

    #[test]
    fn m_004_ik_inverts_20000_poses_with_one_candidate_in_limits() {
        round_trip(&Psm::LND_400006, 400_006, 20_000);
    }

    #[test]
    fn m_004_ik_inverts_the_poses_of_the_other_tools() {
        for (seed, tool) in Tool::ALL.into_iter().enumerate().skip(1) {
            // yaw at 90 deg of tool 420172 is the edge of the closed form; stay just inside
            let mut tool = tool;
            let edge = tool.wrist_yaw.max.min(89.0 * DEG);
            tool.wrist_yaw = Range::symmetric(edge);
            round_trip(&Psm::new(tool), seed as u64, 5_000);
        }
    }

    #[test]
    fn m_005_the_roll_takes_the_turn_nearest_to_the_present_one() {
        let psm = Psm::LND_400006;
        for roll in [-4.4, -3.0, 0.2, 3.3, 4.5] {
            let q = [0.1, 0.2, 0.15, roll, 0.3, -0.2];
            let back = psm.ik(&psm.fk(&q), &q).unwrap();
            assert!((back[3] - roll).abs() < 1e-9, "{roll}: {back:?}");
        }
        // a turn away there is no range left: it comes back on the other side
        let q = [0.1, 0.2, 0.15, 4.5, 0.3, -0.2];
        let beyond = [0.1, 0.2, 0.15, 4.5 - core::f64::consts::TAU, 0.3, -0.2];
        let back = psm.ik(&psm.fk(&q), &beyond).unwrap();
        assert!((back[3] - beyond[3]).abs() < 1e-9, "{back:?}");
    }

    #[test]
    fn m_006_ik_names_what_is_wrong() {
        let psm = Psm::LND_400006;
        let home = [0.0, 0.0, 0.12, 0.0, 0.0, 0.0];
        let at = |x: f64, y: f64, z: f64| {
            Pose::<Base, Tip>::new(psm.fk(&home).rotation, telehand_vocab::Vec3::new(x, y, z))
        };
        assert!(matches!(psm.ik(&at(0.0, 0.0, -0.0005), &home), Err(IkError::NearCentre { .. })));
        assert_eq!(psm.ik(&at(f64::NAN, 0.0, 0.0), &home), Err(IkError::NotFinite));
        let far = psm.ik(&at(0.0, 0.0, -0.5), &home);
        assert!(matches!(far, Err(IkError::OutOfRange { joint: 3, .. })), "{far:?}");
        let above = psm.ik(&at(0.0, 0.0, 0.1), &home);
        assert!(matches!(above, Err(IkError::OutOfRange { .. })), "{above:?}");
        assert!(std::format!("{}", far.unwrap_err()).contains("joint 3"));
    }

    #[test]
    fn m_007_the_coupling_of_every_tool_can_be_inverted() {
        for tool in Tool::ALL {
            // lower triangular but for the jaw block: the determinant is a product
            let c = tool.coupling;
            let jaw = c[2][2] * c[3][3] - c[2][3] * c[3][2];
            assert!((c[0][0] * c[1][1] * jaw).abs() > 0.1, "{}", tool.name);
            assert!(tool.roll.contains(0.0) && tool.wrist_a > 0.0 && tool.roll_d > 0.4);
        }
    }
}
