//! `telehand arm fk | ik | params`: the kinematics that move the arms, for checking them from
//! outside.
//!
//! Everything goes in and comes out in radians and metres. The numbers printed by `params` are the
//! ones the servo loop uses, so a program of somebody else can build the same robot and compare.

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::str::FromStr;
use telehand_motion::Range;
use telehand_motion::dh::{Kind, Row, Transform};
use telehand_motion::ecm::Ecm;
use telehand_motion::psm::{Psm, Tool};
use telehand_motion::solve::MIN_DEPTH_M;
use telehand_motion::ur::Ur;
use telehand_vocab::space::{Base, Tip};
use telehand_vocab::{Pose, Quat};

/// A robot whose kinematics are known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Robot {
    /// da Vinci Classic patient-side manipulator: yaw, pitch, insertion, roll, wrist pitch and yaw
    Psm,
    /// da Vinci Classic endoscope arm: yaw, pitch, insertion, roll
    Ecm,
    /// Universal Robots e-series, 5 kg
    Ur5e,
    /// Universal Robots e-series, 12.5 kg
    Ur10e,
}

/// Where the tip is at given joints.
#[derive(Debug, Clone, clap::Args)]
pub struct FkArgs {
    /// Which robot
    #[arg(long, value_enum)]
    pub robot: Robot,
    /// Joint values, radians and metres, separated by commas
    #[arg(long, value_name = "Q1,Q2,..", allow_hyphen_values = true)]
    #[arg(required_unless_present = "stdin", conflicts_with = "stdin")]
    pub joints: Option<Numbers>,
    /// Read joint values from standard input, one vector a line; one JSON object a line comes out
    #[arg(long)]
    pub stdin: bool,
    /// Instrument of the PSM, by part number: 400006, 400093, 400183 or 420172
    #[arg(long, value_name = "NUMBER", default_value = "400006", value_parser = tool)]
    pub tool: Tool,
}

/// The joints that reach a pose.
#[derive(Debug, Clone, clap::Args)]
#[command(group(clap::ArgGroup::new("asked").required(true).args(["position", "joints", "random"])))]
pub struct IkArgs {
    /// Which robot
    #[arg(long, value_enum)]
    pub robot: Robot,
    /// Where the tip shall be in the base frame, metres
    #[arg(long, value_name = "X,Y,Z", allow_hyphen_values = true, requires = "rotation")]
    pub position: Option<Numbers>,
    /// How the tip shall be turned: nine matrix elements, row by row
    #[arg(long, value_name = "R11,R12,..R33", allow_hyphen_values = true, requires = "position")]
    pub rotation: Option<Numbers>,
    /// Take the pose of these joints (there and back)
    #[arg(long, value_name = "Q1,Q2,..", allow_hyphen_values = true)]
    pub joints: Option<Numbers>,
    /// The joints to stay near; the middle of every range unless given
    #[arg(long, value_name = "Q1,Q2,..", allow_hyphen_values = true)]
    pub near: Option<Numbers>,
    /// Invert this many random poses and say how well
    #[arg(long, value_name = "N")]
    pub random: Option<u32>,
    /// Where the random numbers start
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Instrument of the PSM, by part number: 400006, 400093, 400183 or 420172
    #[arg(long, value_name = "NUMBER", default_value = "400006", value_parser = tool)]
    pub tool: Tool,
}

/// The parameters of the robots.
#[derive(Debug, Clone, clap::Args)]
pub struct ParamsArgs {
    /// Only this robot
    #[arg(long, value_enum)]
    pub robot: Option<Robot>,
    /// As JSON instead of a table
    #[arg(long)]
    pub json: bool,
    /// Instrument of the PSM, by part number: 400006, 400093, 400183 or 420172
    #[arg(long, value_name = "NUMBER", default_value = "400006", value_parser = tool)]
    pub tool: Tool,
}

/// Numbers separated by commas, all finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers(Vec<f64>);

impl FromStr for Numbers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |word: &str| match word.trim().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) => Err(format!("\"{}\" is not finite", word.trim())),
            Err(_) => Err(format!(
                "\"{}\" is not a number; write numbers separated by commas, like 0.1,-0.2,0.12",
                word.trim()
            )),
        };
        text.split(',').map(number).collect::<Result<_, _>>().map(Self)
    }
}

fn tool(number: &str) -> Result<Tool, String> {
    let known = Tool::ALL.into_iter().find(|t| t.name.ends_with(number) && number.len() == 6);
    known.ok_or_else(|| {
        let names: Vec<_> = Tool::ALL.iter().map(|t| t.name).collect();
        format!("no instrument {number}; there are {}", names.join(", "))
    })
}

/// Runs `telehand arm fk`.
///
/// # Errors
/// When the joints are not numbers or too many or too few.
pub fn fk(args: &FkArgs) -> anyhow::Result<()> {
    let arm = Model::new(args.robot, args.tool);
    let mut out = std::io::stdout().lock();
    if let Some(Numbers(joints)) = &args.joints {
        writeln!(out, "{}", arm.fk_json(joints)?)?;
        return Ok(());
    }
    fk_lines(&arm, std::io::stdin().lock(), out)
}

/// One JSON object for each line of joints; a line that is wrong gives its error there, and makes
/// the whole fail at the end.
fn fk_lines(arm: &Model, lines: impl BufRead, mut out: impl Write) -> anyhow::Result<()> {
    let mut wrong = 0;
    for (number, line) in lines.lines().enumerate() {
        let line = line.context("standard input could not be read")?;
        if line.trim().is_empty() {
            continue;
        }
        let joints = line.parse::<Numbers>().map_err(anyhow::Error::msg);
        match joints.and_then(|Numbers(joints)| arm.fk_json(&joints)) {
            Ok(found) => writeln!(out, "{found}")?,
            Err(error) => {
                wrong += 1;
                writeln!(out, "{}", json!({"line": number + 1, "error": error.to_string()}))?;
            }
        }
    }
    ensure!(wrong == 0, "{wrong} lines could not be used; their errors stand in the output");
    Ok(())
}

/// Runs `telehand arm ik`.
///
/// # Errors
/// When the pose is malformed or no joints reach it.
pub fn ik(args: &IkArgs) -> anyhow::Result<()> {
    let arm = Model::new(args.robot, args.tool);
    let found = match (&args.position, &args.rotation, &args.joints, args.random) {
        (_, _, _, Some(poses)) => arm.round_trips(poses, args.seed)?,
        (_, _, Some(Numbers(joints)), _) => {
            arm.ik_json(&arm.fk(joints)?, args.near.as_ref().unwrap_or(&Numbers(joints.clone())))?
        }
        (Some(position), Some(rotation), None, None) => {
            let asked = asked_pose(position, rotation)?;
            arm.ik_json(&asked, args.near.as_ref().unwrap_or(&arm.middle()))?
        }
        _ => bail!("say what to reach: --position with --rotation, --joints, or --random"),
    };
    writeln!(std::io::stdout(), "{found}")?;
    Ok(())
}

/// Runs `telehand arm params`.
///
/// # Errors
/// When standard output is closed.
pub fn params(args: &ParamsArgs) -> anyhow::Result<()> {
    let all = [Robot::Psm, Robot::Ecm, Robot::Ur5e, Robot::Ur10e];
    let models = all
        .into_iter()
        .filter(|robot| args.robot.is_none_or(|only| only == *robot))
        .map(|robot| Model::new(robot, args.tool));
    let mut out = std::io::stdout().lock();
    if args.json {
        let robots: Vec<Value> = models.map(|m| m.params_json()).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&json!({"robots": robots}))?)?;
    } else {
        for model in models {
            writeln!(out, "{}", model.params_table())?;
        }
    }
    Ok(())
}

fn asked_pose(
    Numbers(position): &Numbers,
    Numbers(rotation): &Numbers,
) -> anyhow::Result<Transform> {
    let at: [f64; 3] = position.as_slice().try_into().ok().with_context(|| {
        format!("--position needs 3 numbers (x,y,z in metres), {} were given", position.len())
    })?;
    let elements: [f64; 9] = rotation.as_slice().try_into().ok().with_context(|| {
        format!("--rotation needs 9 numbers (row by row), {} were given", rotation.len())
    })?;
    let [a, b, c, d, e, f, g, h, i] = elements;
    let given = [[a, b, c], [d, e, f], [g, h, i]];
    let nearest = Quat::from_rows(given);
    let off = nearest
        .to_rows()
        .as_flattened()
        .iter()
        .zip(elements)
        .map(|(x, y)| (x - y).abs())
        .fold(0.0, f64::max);
    ensure!(
        off <= 1e-6,
        "--rotation is not a rotation matrix: off by {off:.1e} from the nearest one, 1e-6 is \
         allowed. Rows must be perpendicular unit vectors with determinant +1"
    );
    Ok(Transform { rows: nearest.to_rows(), at })
}

/// One robot with one instrument.
struct Model {
    robot: Robot,
    psm: Psm,
}

impl Model {
    const fn new(robot: Robot, tool: Tool) -> Self {
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

    fn middle(&self) -> Numbers {
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

    fn fk(&self, joints: &[f64]) -> anyhow::Result<Transform> {
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

    fn fk_json(&self, joints: &[f64]) -> anyhow::Result<Value> {
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

    fn ik_json(&self, asked: &Transform, Numbers(near): &Numbers) -> anyhow::Result<Value> {
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
    fn round_trips(&self, poses: u32, seed: u64) -> anyhow::Result<Value> {
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

    fn params_json(&self) -> Value {
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

    fn params_table(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    enum Cli {
        Fk(FkArgs),
        Ik(IkArgs),
        Params(ParamsArgs),
    }

    fn parse(line: &str) -> Result<Cli, String> {
        let words = std::iter::once("arm").chain(line.split(' '));
        Cli::try_parse_from(words).map_err(|e| e.to_string())
    }

    fn model(robot: Robot) -> Model {
        Model::new(robot, Tool::LARGE_NEEDLE_DRIVER_400006)
    }

    #[test]
    fn m_070_joints_may_begin_with_a_minus() {
        let Ok(Cli::Fk(args)) = parse("fk --robot psm --joints -0.7,0.5,0.2,1,-0.6,0.9") else {
            panic!("not parsed")
        };
        assert_eq!(args.joints, Some(Numbers(vec![-0.7, 0.5, 0.2, 1.0, -0.6, 0.9])));
        assert!(parse("fk --robot ur5e --stdin").is_ok());
        assert!(parse("params --json").is_ok());
        assert!(parse("ik --robot ecm --joints -0.1,0,0.1,0").is_ok());
    }

    #[test]
    fn m_070_what_is_wrong_is_named() {
        let wrong = |line: &str| parse(line).unwrap_err();
        let robot = wrong("fk --robot panda --joints 1");
        assert!(robot.contains("panda") && robot.contains("ur10e"), "{robot}");
        assert!(wrong("fk --robot psm --joints 1,x").contains("\"x\" is not a number"));
        assert!(wrong("fk --robot psm --joints 1,inf").contains("not finite"));
        assert!(wrong("fk --robot psm").contains("--joints"));
        assert!(wrong("fk --robot psm --stdin --tool 1").contains("PROGRASP_400093"));
        assert!(wrong("ik --robot psm --position 1,2,3").contains("--rotation"));
        let count = model(Robot::Ecm).fk(&[0.0; 6]).unwrap_err().to_string();
        assert!(count.contains("4 joints") && count.contains("6 numbers"), "{count}");
    }

    #[test]
    fn m_071_joints_out_of_range_are_computed_with_a_warning() {
        let inside = model(Robot::Psm).fk_json(&[0.0, 0.0, 0.12, 0.0, 0.0, 0.0]).unwrap();
        assert!(inside.get("warnings").is_none());
        let outside = model(Robot::Psm).fk_json(&[0.0, 0.0, 0.3, 0.0, 0.0, 0.0]).unwrap();
        let said = outside["warnings"][0].as_str().unwrap();
        assert!(said.contains("insertion 0.3") && said.contains("0.24"), "{said}");
        assert!((outside["position_m"][2].as_f64().unwrap() + 0.2935).abs() < 1e-12);
    }

    #[test]
    fn m_071_each_line_gets_its_answer_and_a_bad_one_its_error() {
        let mut out = Vec::new();
        let lines = "0,0,0.12,0\n\n1,2\n0.1,0.1,0.1,0.1\n";
        let failed = fk_lines(&model(Robot::Ecm), lines.as_bytes(), &mut out).unwrap_err();
        assert!(failed.to_string().starts_with("1 lines"), "{failed}");
        let answers: Vec<Value> = String::from_utf8(out)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(answers.len(), 3);
        assert_eq!(answers[1]["line"], 3);
        assert_eq!(answers[2]["robot"], "ecm");
    }

    #[test]
    fn m_072_random_poses_are_all_inverted() {
        for robot in [Robot::Psm, Robot::Ecm, Robot::Ur5e, Robot::Ur10e] {
            let found = model(robot).round_trips(500, 7).unwrap();
            assert_eq!(found["solved"], 500, "{found}");
            assert!(found["worst_m"].as_f64().unwrap() <= 1e-9, "{found}");
            assert!(found["worst_rad"].as_f64().unwrap() <= 1e-9, "{found}");
        }
    }

    #[test]
    fn m_072_a_pose_there_and_back_and_a_matrix_that_is_none() {
        let arm = model(Robot::Ur5e);
        let joints = Numbers(vec![0.3, -1.2, 1.5, -1.8, -1.4, 0.7]);
        let found = arm.ik_json(&arm.fk(&joints.0).unwrap(), &joints).unwrap();
        assert!(found["solutions"].as_array().unwrap().len() >= 2);
        assert!((found["joints"][0].as_f64().unwrap() - 0.3).abs() < 1e-9);
        let bad = asked_pose(
            &Numbers(vec![0.0; 3]),
            &Numbers(vec![1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 1.0]),
        );
        assert!(bad.unwrap_err().to_string().contains("not a rotation matrix"));
        let far = asked_pose(
            &Numbers(vec![9.0, 0.0, 0.0]),
            &Numbers(vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
        );
        let refused = arm.ik_json(&far.unwrap(), &joints).unwrap_err().to_string();
        assert!(refused.contains("no joints reach"), "{refused}");
    }

    #[test]
    fn m_073_parameters_are_complete_for_every_robot() {
        for (robot, joints) in
            [(Robot::Psm, 6), (Robot::Ecm, 4), (Robot::Ur5e, 6), (Robot::Ur10e, 6)]
        {
            let arm = model(robot);
            let params = arm.params_json();
            assert_eq!(params["joints"].as_array().unwrap().len(), joints);
            assert!(arm.params_table().lines().count() > joints);
        }
    }
}
