//! Robots, consoles, compatibility, recalls, the catalogue of procedures.

use super::session::revoke_unstarted;
use super::{Decision, fresh, in_order, known, name_of, refuse, text, within};
use crate::command::{Command, Context};
use crate::entity::case::Phases;
use crate::entity::device::{Console, DeviceState, Firmware, FirmwareRange, Recall, Robot};
use crate::event::Event;
use crate::ids::Hash32;
use crate::refusal::{Refusal, Rule};
use crate::state::Alliance;
use crate::time::{Day, Slots};
use alloc::boxed::Box;
use alloc::vec;

/// The most service windows of a device.
const WINDOWS: usize = 200;
/// The longest case, slots of 15 minutes.
pub(super) const LONGEST_CASE: u32 = 64;

pub(super) fn decide(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::SetProcedure(procedure) => {
            text::plain("the name of the procedure", &procedure.name)?;
            phases_are_sound(procedure.phases)?;
            Ok(vec![Event::ProcedureSet(procedure.clone())])
        }
        Command::AddRobot(robot) => add_robot(state, robot),
        Command::AddConsole(console) => add_console(state, console),
        Command::SetRobotState { robot, state: to } => {
            let found = known(state.robot(robot), "the robot", robot)?;
            moves(found.state, *to)?;
            let mut events = vec![Event::RobotStateSet { robot: robot.clone(), state: *to }];
            if *to != DeviceState::Ready {
                events.extend(revoke_unstarted(state, |grant| grant.robot == *robot));
            }
            Ok(events)
        }
        Command::SetConsoleState { console, state: to } => {
            let found = known(state.console(console), "the console", console)?;
            moves(found.state, *to)?;
            let mut events = vec![Event::ConsoleStateSet { console: console.clone(), state: *to }];
            if *to != DeviceState::Ready {
                events.extend(revoke_unstarted(state, |grant| grant.console == *console));
            }
            Ok(events)
        }
        Command::SetRobotFirmware { robot, firmware } => {
            known(state.robot(robot), "the robot", robot)?;
            let mut events =
                vec![Event::RobotFirmwareSet { robot: robot.clone(), firmware: *firmware }];
            events.extend(revoke_unstarted(state, |grant| {
                grant.robot == *robot && !grant.robot_firmware.contains(*firmware)
            }));
            Ok(events)
        }
        Command::SetConsoleFirmware { console, firmware, key } => {
            known(state.console(console), "the console", console)?;
            key_is_there(*key)?;
            let (firmware, key) = (*firmware, *key);
            let mut events =
                vec![Event::ConsoleFirmwareSet { console: console.clone(), firmware, key }];
            events.extend(revoke_unstarted(state, |grant| {
                grant.console == *console && grant.console_key != key
            }));
            Ok(events)
        }
        Command::CheckRobot { robot, until } => {
            known(state.robot(robot), "the robot", robot)?;
            let today = context.now.day();
            within("the last day of the check", *until, today, today.plus(1_830))?;
            Ok(vec![Event::RobotChecked { robot: robot.clone(), until: *until }])
        }
        Command::PlanRobotMaintenance { robot, slots } => {
            known(state.robot(robot), "the robot", robot)?;
            windows_are_sound(slots)?;
            let (robot, slots) = (robot.clone(), slots.clone());
            Ok(vec![Event::RobotMaintenancePlanned { robot, slots }])
        }
        Command::PlanConsoleMaintenance { console, slots } => {
            known(state.console(console), "the console", console)?;
            windows_are_sound(slots)?;
            let (console, slots) = (console.clone(), slots.clone());
            Ok(vec![Event::ConsoleMaintenancePlanned { console, slots }])
        }
        _ => combinations(state, context, command),
    }
}

fn combinations(state: &Alliance, context: &Context, command: &Command) -> Decision {
    match command {
        Command::DeclareCompatible(declared) => {
            let id = &declared.id;
            fresh(state.compatibility(id).is_some(), "the combination", id)?;
            let own = context.actor.person() == Some(&declared.by) && declared.valid;
            in_order(own, "who declares", &declared.by, "who asks")?;
            range_is_sound(declared.console_firmware)?;
            range_is_sound(declared.robot_firmware)?;
            Ok(vec![Event::CompatibilityDeclared(declared.clone())])
        }
        Command::WithdrawCompatible { compatibility } => {
            let found =
                known(state.compatibility(compatibility), "the combination", compatibility)?;
            in_order(found.valid, "the combination", "withdrawn", "valid")?;
            let mut events =
                vec![Event::CompatibilityWithdrawn { compatibility: compatibility.clone() }];
            events.extend(revoke_unstarted(state, |grant| {
                let robot = state.robot(&grant.robot);
                let console = state.console(&grant.console);
                robot.zip(console).is_some_and(|(robot, console)| found.covers(console, robot))
            }));
            Ok(events)
        }
        Command::OpenRecall(recall) => open_recall(state, context, recall),
        Command::LiftRecall { recall } => {
            let found = known(state.recall(recall), "the recall", recall)?;
            in_order(found.lifted.is_none(), "the recall", "lifted", "open")?;
            let day = context.now.day();
            Ok(vec![Event::RecallLifted { recall: recall.clone(), day }])
        }
        _ => Ok(vec![]),
    }
}

fn add_robot(state: &Alliance, robot: &Robot) -> Decision {
    fresh(state.robot(&robot.id).is_some(), "the robot", &robot.id)?;
    serial_is_sound(&robot.serial)?;
    windows_are_sound(&robot.maintenance)?;
    within("instruments", robot.instruments.len(), 0, 64)?;
    for instrument in &robot.instruments {
        serial_is_sound(&instrument.serial)?;
    }
    if let Some(room) = &robot.room {
        let here = state.room(room).is_some_and(|room| room.site == robot.site);
        in_order(here, "the room of the robot", room, "a room of its site")?;
    }
    Ok(vec![Event::RobotAdded(Box::new(robot.clone()))])
}

fn add_console(state: &Alliance, console: &Console) -> Decision {
    fresh(state.console(&console.id).is_some(), "the console", &console.id)?;
    serial_is_sound(&console.serial)?;
    windows_are_sound(&console.maintenance)?;
    key_is_there(console.key)?;
    Ok(vec![Event::ConsoleAdded(Box::new(console.clone()))])
}

fn moves(from: DeviceState, to: DeviceState) -> Result<(), Refusal> {
    let ok = from != DeviceState::Retired && from != to;
    in_order(ok, "the device", name_of(&from), "another state, and not retired")
}

/// A serial number is long digits by nature; it is looked at as a name, not as text.
fn serial_is_sound(serial: &str) -> Result<(), Refusal> {
    let sound = |c: char| c.is_ascii_graphic();
    within("characters of the serial number", serial.len(), 1, 64)?;
    in_order(
        serial.chars().all(sound),
        "the serial number",
        name_of(&serial),
        "ASCII letters, digits, signs",
    )
}

fn windows_are_sound(slots: &[Slots]) -> Result<(), Refusal> {
    within("service windows", slots.len(), 0, WINDOWS)?;
    for window in slots {
        within("slots of a service window", window.count(), 1, 96 * 90)?;
    }
    Ok(())
}

fn range_is_sound(range: FirmwareRange) -> Result<(), Refusal> {
    within("the highest firmware", range.to, range.from, Firmware(u16::MAX, u16::MAX, u16::MAX))
}

fn key_is_there(key: Hash32) -> Result<(), Refusal> {
    if key == Hash32::default() {
        return refuse(
            Rule::Grant,
            "the key of the console",
            "none",
            "the thumbprint of a key",
            "Read the thumbprint on the console and enter it.",
        );
    }
    Ok(())
}

pub(super) fn phases_are_sound(phases: Phases) -> Result<(), Refusal> {
    within("slots of the case", phases.total(), 1, LONGEST_CASE)?;
    within("slots of the remote phase", phases.remote, 1, LONGEST_CASE as u8)
}

fn open_recall(state: &Alliance, context: &Context, recall: &Recall) -> Decision {
    fresh(state.recall(&recall.id).is_some(), "the recall", &recall.id)?;
    text::plain("the reason of the recall", &recall.reason)?;
    range_is_sound(recall.firmware)?;
    within("its first day", recall.since, Day(0), context.now.day())?;
    in_order(recall.lifted.is_none(), "a new recall", "lifted", "open")?;
    let mut events = vec![Event::RecallOpened(Box::new(recall.clone()))];
    events.extend(revoke_unstarted(state, |grant| {
        let robot = state.robot(&grant.robot).map(|known| (&known.model, known.firmware));
        let console = state.console(&grant.console).map(|known| (&known.model, known.firmware));
        [robot, console]
            .into_iter()
            .flatten()
            .any(|(model, firmware)| *model == recall.model && recall.firmware.contains(firmware))
    }));
    Ok(events)
}
