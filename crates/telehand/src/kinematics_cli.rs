//! `telehand arm fk | ik | params`: the kinematics that move the arms, for checking them from
//! outside.
//!
//! Everything goes in and comes out in radians and metres. The numbers printed by `params` are the
//! ones the servo loop uses, so a program of somebody else can build the same robot and compare.

mod model;

use anyhow::{Context as _, bail, ensure};
use model::Model;
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use std::str::FromStr;
use telehand_motion::dh::Transform;
use telehand_motion::psm::Tool;
use telehand_vocab::Quat;

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

#[cfg(test)]
mod tests;
