//! One robot with one instrument: its kinematics both ways, and its parameters.

use super::{Numbers, Robot};
use anyhow::Context as _;
use serde_json::{Value, json};
use std::fmt::Write as _;
use telehand_motion::Range;
use telehand_motion::dh::{Kind, Row, Transform};
use telehand_motion::ecm::Ecm;
use telehand_motion::psm::{Psm, Tool};
use telehand_motion::solve::MIN_DEPTH_M;
use telehand_motion::ur::Ur;
use telehand_vocab::Pose;
use telehand_vocab::space::{Base, Tip};

/// One robot with one instrument.
pub(super) struct Model {
    robot: Robot,
    psm: Psm,
}

impl Model {
    pub(super) const fn new(robot: Robot, tool: Tool) -> Self {
        Self { robot, psm: Psm::new(tool) }
    }

    const fn name(&self) -> &'static str {
        match self.robot {
            Robot::Psm => "psm",
            Robot::Ecm => "ecm",
            Robot::Ur5e => "ur5e",
            Robot::Ur10e => "ur10e",
        }
    }

    const fn ur(&self) -> Ur {
        if matches!(self.robot, Robot::Ur5e) { Ur::UR5E } else { Ur::UR10E }
    }

    fn rows(&self) -> Vec<Row> {
        match self.robot {
            Robot::Psm => self.psm.rows().to_vec(),
            Robot::Ecm => Ecm::ROWS.to_vec(),
            Robot::Ur5e | Robot::Ur10e => self.ur().rows().to_vec(),
        }
    }

    fn limits(&self) -> Vec<Range> {
        match self.robot {
            Robot::Psm => self.psm.limits().to_vec(),
            Robot::Ecm => Ecm::LIMITS.to_vec(),
            Robot::Ur5e | Robot::Ur10e => Ur::LIMITS.to_vec(),
        }
    }

    const fn joint_names(&self) -> &'static [&'static str] {
        match self.robot {
            Robot::Psm => &["yaw", "pitch", "insertion", "roll", "wrist_pitch", "wrist_yaw"],
            Robot::Ecm => &["yaw", "pitch", "insertion", "roll"],
            Robot::Ur5e | Robot::Ur10e => {
                &["shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3"]
            }
        }
    }

    pub(super) fn middle(&self) -> Numbers {
        Numbers(self.limits().iter().map(|r| f64::midpoint(r.min, r.max)).collect())
    }

    fn joints<const N: usize>(&self, joints: &[f64]) -> anyhow::Result<[f64; N]> {
        joints.try_into().ok().with_context(|| {
            format!(
                "the {} has {N} joints ({}), {} numbers were given",
                self.name(),
                self.joint_names().join(", "),
                joints.len()
            )
        })
    }

    pub(super) fn fk(&self, joints: &[f64]) -> anyhow::Result<Transform> {
        Ok(match self.robot {
            Robot::Psm => self.psm.fk_matrix(&self.joints(joints)?),
            Robot::Ecm => Ecm::fk_dh(&self.joints(joints)?),
            Robot::Ur5e | Robot::Ur10e => self.ur().fk_matrix(&self.joints(joints)?),
        })
    }

    /// Every solution within limits, the nearest to `near` first.
    fn ik(&self, asked: &Transform, near: &[f64]) -> anyhow::Result<Vec<Vec<f64>>> {
        let pose: Pose<Base, Tip> = asked.to_pose();
        let refused = |why| anyhow::anyhow!("no joints reach this pose: {why}");
        match self.robot {
            Robot::Psm => {
                let joints = self.psm.ik(&pose, &self.joints(near)?).map_err(refused)?;
                Ok(vec![joints.to_vec()])
            }
            Robot::Ecm => {
                // the tip of the endoscope arm is its camera
                let found = Ecm::ik(&pose.relabel(), &self.joints(near)?).map_err(refused)?;
                Ok(vec![found.to_vec()])
            }
            Robot::Ur5e | Robot::Ur10e => {
                let near = self.joints(near)?;
                let nearest = self.ur().ik(&pose, &near).map_err(refused)?;
                let [.., near_q6] = near;
                let all = self.ur().ik_all(&pose, near_q6);
                let others = all.as_slice().iter().filter(|other| !same_turns(other, &nearest));
                let others = others.map(|joints| joints.to_vec());
                Ok(std::iter::once(nearest.to_vec()).chain(others).collect())
            }
        }
    }

    pub(super) fn fk_json(&self, joints: &[f64]) -> anyhow::Result<Value> {
        let found = self.fk(joints)?;
        let mut answer = json!({
            "robot": self.name(),
            "joints": joints,
            "position_m": found.at,
            "rotation": found.rows,
        });
        let warnings = self.out_of_range(joints);
        if let (Some(object), false) = (answer.as_object_mut(), warnings.is_empty()) {
            object.insert("warnings".to_owned(), json!(warnings));
        }
        Ok(answer)
    }

    fn out_of_range(&self, joints: &[f64]) -> Vec<String> {
        let limits = self.limits();
        let named = self.joint_names().iter().zip(joints).zip(&limits);
        named
            .filter(|((_, q), range)| !range.contains(**q))
            .map(|((name, q), range)| {
                format!(
                    "{name} {q} is outside {} to {}: the arm would refuse",
                    range.min, range.max
                )
            })
            .collect()
    }

    pub(super) fn ik_json(
        &self,
        asked: &Transform,
        Numbers(near): &Numbers,
    ) -> anyhow::Result<Value> {
        let solutions = self.ik(asked, near)?;
        let best = solutions.first().context("no joints reach this pose")?;
        let (off_m, off_rad) = apart(asked, &self.fk(best)?);
        Ok(json!({
            "robot": self.name(),
            "joints": best,
            "solutions": solutions,
            "off_m": off_m,
            "off_rad": off_rad,
        }))
    }

    /// Random joints inside the limits, there and back.
    pub(super) fn round_trips(&self, poses: u32, seed: u64) -> anyhow::Result<Value> {
        let mut limits = self.limits();
        if let (Robot::Psm, Some(insertion)) = (self.robot, limits.get_mut(2)) {
            // nearer to the remote centre the arm refuses to work
            insertion.min = MIN_DEPTH_M - self.psm.depth_m(0.0);
        }
        if let (Robot::Ecm, Some(insertion)) = (self.robot, limits.get_mut(2)) {
            insertion.min = 0.001;
        }
        let mut random = seed;
        let (mut solved, mut worst_m, mut worst_rad) = (0_u32, 0.0_f64, 0.0_f64);
        for _ in 0..poses {
            let joints: Vec<f64> =
                limits.iter().map(|r| r.min + (r.max - r.min) * unit(&mut random)).collect();
            let asked = self.fk(&joints)?;
            let Ok(solutions) = self.ik(&asked, &joints) else { continue };
            solved += 1;
            for solution in solutions {
                let (off_m, off_rad) = apart(&asked, &self.fk(&solution)?);
                worst_m = worst_m.max(off_m);
                worst_rad = worst_rad.max(off_rad);
            }
        }
        Ok(json!({
            "robot": self.name(),
            "seed": seed,
            "poses": poses,
            "solved": solved,
            "worst_m": worst_m,
            "worst_rad": worst_rad,
        }))
    }

    const fn convention(&self) -> &'static str {
        match self.robot {
            Robot::Psm | Robot::Ecm => "modified",
            Robot::Ur5e | Robot::Ur10e => "standard",
        }
    }

    pub(super) fn params_json(&self) -> Value {
        let rows = self.rows();
        let described = self.joint_names().iter().zip(&rows).zip(self.limits());
        let joints: Vec<Value> = described
            .map(|((name, row), range)| {
                json!({
                    "name": name,
                    "type": kind_name(row.kind),
                    "alpha_rad": row.alpha,
                    "a_m": row.a,
                    "d_m": row.d,
                    "offset": row.offset,
                    "min": range.min,
                    "max": range.max,
                })
            })
            .collect();
        let tip = if self.robot == Robot::Psm { Psm::TIP } else { Transform::IDENTITY };
        let mut answer = json!({
            "robot": self.name(),
            "convention": self.convention(),
            "joints": joints,
            "tip": {"rotation": tip.rows, "position_m": tip.at},
        });
        if let (Robot::Psm, Some(object)) = (self.robot, answer.as_object_mut()) {
            let tool = self.psm.tool;
            let jaw = tool.jaw.map(|r| json!({"min": r.min, "max": r.max}));
            object.insert(
                "tool".to_owned(),
                json!({"name": tool.name, "jaw": jaw, "joints_from_disks": tool.coupling}),
            );
        }
        answer
    }

    pub(super) fn params_table(&self) -> String {
        let mut text = format!("{} ({} DH; radians, metres)\n", self.name(), self.convention());
        if self.robot == Robot::Psm {
            let _ = writeln!(text, "instrument {}", self.psm.tool.name);
        }
        let _ = writeln!(
            text,
            "{:<14}{:<10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "joint", "type", "alpha", "a", "d", "offset", "min", "max"
        );
        let rows = self.rows();
        for ((name, row), range) in self.joint_names().iter().zip(&rows).zip(self.limits()) {
            let kind = kind_name(row.kind);
            let Row { alpha, a, d, offset, .. } = row;
            let _ = writeln!(
                text,
                "{name:<14}{kind:<10}{alpha:>10.5}{a:>10.5}{d:>10.5}{offset:>10.5}{:>10.5}{:>10.5}",
                range.min, range.max
            );
        }
        text
    }
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Revolute => "revolute",
        Kind::Prismatic => "prismatic",
    }
}

/// Whether two joint vectors are the same up to whole turns.
fn same_turns(a: &[f64; 6], b: &[f64; 6]) -> bool {
    a.iter().zip(b).all(|(x, y)| {
        let turns = (x - y) / std::f64::consts::TAU;
        (turns - turns.round()).abs() < 1e-9
    })
}

/// How far two poses are apart: metres and radians.
fn apart(a: &Transform, b: &Transform) -> (f64, f64) {
    let (a, b): (Pose<Base, Tip>, Pose<Base, Tip>) = (a.to_pose(), b.to_pose());
    ((a.translation - b.translation).norm(), (a.rotation.inverse() * b.rotation).angle())
}

/// Uniform in [0, 1): splitmix64 (S. Vigna), seeded.
fn unit(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
