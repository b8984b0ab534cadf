//! Robot, console, room: together, ready, not recalled, not being serviced.

use super::{Findings, Question};
use crate::entity::device::{DeviceState, Firmware};
use crate::ids::ModelCode;
use crate::refusal::Rule;
use crate::time::Slots;
use alloc::format;

pub(super) fn judge(question: &Question<'_>, findings: &mut Findings) {
    let request = question.request;
    robot(question, findings);
    console(question, findings);
    let state = question.state;
    let room = state.room(&request.room);
    let fixed = state.robot(&request.robot).and_then(|robot| robot.room.as_ref());
    let here = room.is_some_and(|room| room.site == question.case.site)
        && fixed.is_none_or(|fixed| *fixed == request.room);
    findings.add(Rule::Assets, here, "Choose the room in which the robot stands.", || {
        let value = room.map_or("not known", |room| room.name.as_str());
        ("the room", value, "at the patient's site, with the robot")
    });
    compatible(question, findings);
}

fn robot(question: &Question<'_>, findings: &mut Findings) {
    let id = &question.request.robot;
    let Some(robot) = question.state.robot(id) else {
        findings.add(Rule::Assets, false, "Choose a robot.", || ("the robot", "not known", "one"));
        return;
    };
    let ready = robot.state == DeviceState::Ready && robot.site == question.case.site;
    findings.add(Rule::Assets, ready, "Choose a robot that is ready at this site.", || {
        let value = format!("{:?} at {}", robot.state, robot.site);
        (format!("the robot {id}"), value, format!("ready at {}", question.case.site))
    });
    let checked = question.day <= robot.checked_until;
    findings.add(Rule::Assets, checked, "Have the robot checked.", || {
        let value = format!("until {}", robot.checked_until);
        (format!("the periodic check of robot {id}"), value, format!("on {}", question.day))
    });
    let worn = robot.instruments.iter().find(|instrument| instrument.uses_left == 0);
    if let Some(worn) = worn {
        findings.add(Rule::Assets, false, "Replace the instrument.", || {
            (format!("uses left of instrument {}", worn.serial), "0", "1 at least")
        });
    }
    serviced(&robot.maintenance, question.request.slots(), "robot", findings);
    recalled(question, &robot.model, robot.firmware, "robot", findings);
}

fn console(question: &Question<'_>, findings: &mut Findings) {
    let id = &question.request.console;
    let Some(console) = question.state.console(id) else {
        findings
            .add(Rule::Assets, false, "Choose a console.", || ("the console", "not known", "one"));
        return;
    };
    let ready = console.state == DeviceState::Ready;
    findings.add(Rule::Assets, ready, "Choose a console that is ready.", || {
        (format!("the console {id}"), format!("{:?}", console.state), "ready")
    });
    serviced(&console.maintenance, question.request.remote(), "console", findings);
    recalled(question, &console.model, console.firmware, "console", findings);
}

fn serviced(planned: &[Slots], slots: Slots, what: &str, findings: &mut Findings) {
    let clash = planned.iter().find(|window| window.overlaps(slots));
    findings.add(Rule::Assets, clash.is_none(), "Choose another time or device.", || {
        let value = clash.map_or_else(
            || "none".into(),
            |window| format!("from {} until {}", window.from, window.until),
        );
        (format!("service of the {what}"), value, "none during the case")
    });
}

///
fn recalled(
    question: &Question<'_>,
    model: &ModelCode,
    firmware: Firmware,
    what: &str,
    findings: &mut Findings,
) {
    let open = question.state.recalls().values().find(|recall| {
        recall.lifted.is_none() && recall.model == *model && recall.firmware.contains(firmware)
    });
    findings.add(Rule::Suspended, open.is_none(), "Install the corrected firmware.", || {
        let value = open.map_or_else(
            || "none".into(),
            |recall| format!("{} {firmware} since {}", recall.model, recall.since),
        );
        (format!("recalls of the {what}"), value, "none")
    });
}

///
fn compatible(question: &Question<'_>, findings: &mut Findings) {
    let robot = question.state.robot(&question.request.robot);
    let console = question.state.console(&question.request.console);
    let (Some(robot), Some(console)) = (robot, console) else { return };
    let declared =
        question.state.compatibilities().values().find(|known| known.covers(console, robot));
    findings.add(
        Rule::Compatible,
        declared.is_some(),
        "Declare the combination after testing it, or choose another console or firmware.",
        || {
            let value = format!(
                "{} {} with {} {}",
                console.model, console.firmware, robot.model, robot.firmware
            );
            ("console and robot", value, "a combination that was declared")
        },
    );
}
