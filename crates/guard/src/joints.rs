//! The guard's own copy of what the joints of each arm are: it checks without trusting `motion`.

use crate::limits::Limits;
use core::f64::consts::FRAC_PI_2;
use telehand_vocab::ArmId;

/// What a joint is, which decides its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JointKind {
    /// Yaw and pitch of the whole instrument about the remote centre; radians.
    Outer,
    /// The insertion; metres.
    Insertion,
    /// Roll and wrist; radians.
    Wrist,
}

/// Kind, lowest and highest position of each joint, first joint first; `None` where an arm has no
/// such joint.
pub type JointTable = [Option<(JointKind, f64, f64)>; 6];

/// The joints of an arm.
///
/// Source: sawIntuitiveResearchKit @9e535e68, `share/kinematic/PSM.json`, `ECM.json` and
/// `share/tool/LARGE_NEEDLE_DRIVER_400006.json` (position limits).
pub(crate) const fn table(arm: ArmId) -> &'static JointTable {
    use JointKind::{Insertion, Outer, Wrist};
    const PSM: JointTable = [
        Some((Outer, -1.588, 1.588)),
        Some((Outer, -0.925_025, 0.925_025)),
        Some((Insertion, 0.0, 0.24)),
        Some((Wrist, -4.537_86, 4.537_86)),
        Some((Wrist, -1.396_26, 1.396_26)),
        Some((Wrist, -1.396_26, 1.396_26)),
    ];
    const ECM: JointTable = [
        Some((Outer, -FRAC_PI_2, FRAC_PI_2)),
        Some((Outer, -0.767_94, 1.1344)),
        Some((Insertion, 0.0, 0.255)),
        Some((Wrist, -1.552, 1.552)),
        None,
        None,
    ];
    match arm {
        ArmId::Psm1 | ArmId::Psm2 => &PSM,
        ArmId::Ecm => &ECM,
    }
}

/// Lowest and highest jaw angle, radians. Same source.
pub(crate) const JAW: (f64, f64) = (-0.698_132, 1.396_26);

/// Speed, acceleration and step limits of a kind of joint, in its SI units.
pub(crate) struct KindLimits {
    pub(crate) speed: f64,
    pub(crate) acceleration: f64,
    pub(crate) step: f64,
}

impl JointKind {
    pub(crate) const fn limits(self, of: &Limits) -> KindLimits {
        let (speed, acceleration, step) = match self {
            Self::Outer => (
                of.outer_speed_max_rad_s(),
                of.outer_acceleration_max_rad_s2(),
                of.outer_step_max_rad(),
            ),
            Self::Insertion => (
                of.insertion_speed_max_m_s(),
                of.insertion_acceleration_max_m_s2(),
                of.insertion_step_max_m(),
            ),
            Self::Wrist => (
                of.wrist_speed_max_rad_s(),
                of.wrist_acceleration_max_rad_s2(),
                of.wrist_step_max_rad(),
            ),
        };
        KindLimits { speed, acceleration, step }
    }
}
