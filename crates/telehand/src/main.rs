//! `telehand`: the one program. Every subcommand is a module of the library beside this file.

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "telehand",
    version,
    about = "Open telesurgery: console, patient-side robot, secured link, video, guard, recording",
    long_about = "Open telesurgery: console, patient-side robot, secured link over several bad networks, \
                  video, guard and recording.\n\nNot a medical device. What is simulated is labelled \
                  SIMULATED. Start with `telehand demo`."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The patient-side arm process (run), and its kinematics (fk, ik, params)
    #[command(subcommand)]
    Arm(Arm),
    /// The patient side's network, camera, recording and page
    Bedside(telehand::bedside::BedsideArgs),
    /// The field's languages: OpenIGTLink, NDI
    #[command(subcommand)]
    Bridge(telehand::bridge_cli::BridgeCommand),
    /// The surgeon's side: hands, picture, page
    Console(telehand::console::ConsoleArgs),
    /// Everything on one machine: arm, bedside, console and a bad network between them
    Demo(Demo),
    /// The alliance's server: hospitals, people, robots, links, cases
    #[command(subcommand)]
    Hub(telehand_hub::cli::HubCommand),
    /// Make demo keys for both sides
    Keys(telehand::keys_cli::KeysArgs),
    /// Try the secured link alone: pump
    #[command(subcommand)]
    Link(Link),
    /// The audit log and evidence bundles, checked offline: verify
    #[command(subcommand)]
    Log(telehand_hub::log_cli::LogCommand),
    /// Orthopaedics without a site: import, plan, study, grade
    #[command(subcommand)]
    Ortho(telehand::ortho_cli::OrthoCommand),
    /// The surgeon's side of orthopaedics: series in, plans and intents out, several sites
    Planner(telehand::planner::PlannerArgs),
    /// Recordings: info, check, replay, report
    #[command(subcommand)]
    Record(telehand::record_cli::RecordCommand),
    /// A hospital's patient side of orthopaedics: simulated theatre, arbiter, local page
    Site(telehand::site::SiteArgs),
    /// Relay UDP over an emulated bad network: several paths, one seed
    Wan(telehand::wan::WanArgs),
}

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
struct Demo {
    #[command(subcommand)]
    other: Option<OtherDemo>,
    #[command(flatten)]
    arms: telehand::demo::DemoArgs,
}

#[derive(Subcommand)]
enum OtherDemo {
    /// Three simulated hospitals, one surgeon, pedicle screws
    Ortho(telehand::ortho_demo::OrthoDemoArgs),
}

#[derive(Subcommand)]
enum Link {
    /// Send numbered commands over several networks, or log when each arrives
    Pump(telehand::pump::PumpArgs),
}

#[derive(Subcommand)]
enum Arm {
    /// Guard, motion and the simulated cart, 1,000 times a second
    Run(telehand::arm::ArmArgs),
    /// Forward kinematics: joints to a tip pose
    Fk(telehand::kinematics_cli::FkArgs),
    /// Inverse kinematics: a tip pose to joints
    Ik(telehand::kinematics_cli::IkArgs),
    /// The parameters of the robots
    Params(telehand::kinematics_cli::ParamsArgs),
}

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    if matches!(
        cli.command,
        Command::Arm(Arm::Fk(_) | Arm::Ik(_) | Arm::Params(_))
            | Command::Keys(_)
            | Command::Ortho(_)
            | Command::Record(_)
    ) {
        end_with_the_reader();
    }
    let outcome: anyhow::Result<()> = match cli.command {
        Command::Arm(Arm::Run(args)) => telehand::arm::run(&args),
        Command::Arm(Arm::Fk(args)) => telehand::kinematics_cli::fk(&args),
        Command::Arm(Arm::Ik(args)) => telehand::kinematics_cli::ik(&args),
        Command::Arm(Arm::Params(args)) => telehand::kinematics_cli::params(&args),
        Command::Bedside(args) => telehand::bedside::run(&args),
        Command::Bridge(command) => telehand::bridge_cli::run(&command),
        Command::Console(args) => telehand::console::run(&args),
        Command::Demo(Demo { other: Some(OtherDemo::Ortho(args)), .. }) => {
            telehand::ortho_demo::run(&args)
        }
        Command::Demo(Demo { other: None, arms }) => telehand::demo::run(&arms),
        Command::Hub(command) => telehand_hub::cli::run(&command),
        Command::Keys(args) => telehand::keys_cli::run(&args),
        Command::Link(Link::Pump(args)) => telehand::pump::run(&args),
        Command::Log(command) => telehand_hub::log_cli::run(&command),
        Command::Ortho(command) => telehand::ortho_cli::run(&command),
        Command::Planner(args) => telehand::planner::run(&args),
        Command::Record(command) => telehand::record_cli::run(&command),
        Command::Site(args) => telehand::site::run(&args),
        Command::Wan(args) => telehand::wan::run(args),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("telehand: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// A command that only prints ends, without a word, when nobody reads on (`telehand ... | head`), as
/// a signal would end other programs. What runs a robot never ends for want of a reader.
fn end_with_the_reader() {
    /// 128 and the number of SIGPIPE.
    const BROKEN_PIPE: i32 = 141;
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to stdout") && said.contains("Broken pipe") {
            std::process::exit(BROKEN_PIPE);
        }
        usual(panic);
    }));
}
