//! Robots and consoles: which, where, whether they may be used, and which work together.

use super::members::values;
use crate::http::call::{Call, Outcome, Reply};
use crate::http::office::Office;
use crate::http::problem::Problem;
use crate::http::route::{Fields, Method, Route, Show, Who, shown};
use serde_json::json;
use telehand_alliance::entity::people::Role;
use telehand_alliance::ids::{ConsoleId, RobotId};

const ROBOT: Show =
    |a, f| shown(f, "robot", |id| a.robot(id)).or_else(|| shown(f, "id", |id| a.robot(id)));
const CONSOLE: Show =
    |a, f| shown(f, "console", |id| a.console(id)).or_else(|| shown(f, "id", |id| a.console(id)));
const COMPAT: Show = |a, f| {
    shown(f, "compatibility", |id| a.compatibility(id))
        .or_else(|| shown(f, "id", |id| a.compatibility(id)))
};
const RECALL: Show =
    |a, f| shown(f, "recall", |id| a.recall(id)).or_else(|| shown(f, "id", |id| a.recall(id)));
const DEVICES: Who = Who::People(&[Role::ClinicalEngineer, Role::Administrator]);
const MAKERS: Who = Who::People(&[Role::ClinicalEngineer, Role::Quality]);
const TAG: &str = "devices";

/// The rows.
pub const ROUTES: &[Route] = &[
    Route::command(Method::Post, "/v1/robots", "add_robot", ROBOT)
        .mint("id")
        .who(DEVICES)
        .own()
        .about(TAG, "Add a robot"),
    Route::command(Method::Put, "/v1/robots/{robot}/state", "set_robot_state", ROBOT)
        .who(DEVICES)
        .own()
        .about(TAG, "Set whether a robot may be used"),
    Route::command(Method::Put, "/v1/robots/{robot}/firmware", "set_robot_firmware", ROBOT)
        .who(DEVICES)
        .own()
        .about(TAG, "A robot got another firmware"),
    Route::command(Method::Put, "/v1/robots/{robot}/maintenance", "plan_robot_maintenance", ROBOT)
        .who(DEVICES)
        .own()
        .about(TAG, "Set when a robot is serviced"),
    Route::command(Method::Post, "/v1/robots/{robot}:check", "check_robot", ROBOT)
        .who(DEVICES)
        .own()
        .about(TAG, "A robot was checked, and counts until a day"),
    Route::command(Method::Post, "/v1/consoles", "add_console", CONSOLE)
        .mint("id")
        .who(DEVICES)
        .own()
        .about(TAG, "Add a console"),
    Route::command(Method::Put, "/v1/consoles/{console}/state", "set_console_state", CONSOLE)
        .who(DEVICES)
        .own()
        .about(TAG, "Set whether a console may be used"),
    Route::command(Method::Put, "/v1/consoles/{console}/firmware", "set_console_firmware", CONSOLE)
        .who(DEVICES)
        .own()
        .about(TAG, "A console got another firmware or key"),
    Route::command(
        Method::Put,
        "/v1/consoles/{console}/maintenance",
        "plan_console_maintenance",
        CONSOLE,
    )
    .who(DEVICES)
    .own()
    .about(TAG, "Set when a console is serviced"),
    Route::read("/v1/compat", "compat", compat)
        .query(&["console", "robot"])
        .about(TAG, "What is declared to work together; with console and robot: whether they do"),
    Route::command(Method::Post, "/v1/compat", "declare_compatible", COMPAT)
        .mint("id")
        .who(Who::People(&[Role::ClinicalEngineer]))
        .about(TAG, "Declare that a console and a robot work together"),
    Route::command(
        Method::Post,
        "/v1/compat/{compatibility}:withdraw",
        "withdraw_compatible",
        COMPAT,
    )
    .who(Who::People(&[Role::ClinicalEngineer]))
    .about(TAG, "Withdraw that"),
    Route::read("/v1/recalls", "recalls", |office, _| {
        Ok(Reply::list(&office.look(|a| values(a.recalls())), None))
    })
    .about(TAG, "What takes no part until it is repaired"),
    Route::command(Method::Post, "/v1/recalls", "open_recall", RECALL)
        .mint("id")
        .fill(because)
        .who(MAKERS)
        .about(TAG, "A model takes no part from now on"),
    Route::command(Method::Post, "/v1/recalls/{recall}:lift", "lift_recall", RECALL)
        .who(MAKERS)
        .about(TAG, "It takes part again"),
];

/// A recall keeps its reason: it is a field of its own beside the event's.
fn because(_: &Office, call: &Call, fields: &mut Fields) -> Result<(), Problem> {
    if let Some(reason) = call.object()?.remove("reason") {
        fields.insert("reason".into(), reason);
    }
    Ok(())
}

fn compat(office: &Office, call: &Call) -> Outcome {
    let (console, robot): (Option<ConsoleId>, Option<RobotId>) =
        (call.asked_id("console")?, call.asked_id("robot")?);
    let (Some(console), Some(robot)) = (console, robot) else {
        return Ok(Reply::list(&office.look(|a| values(a.compatibilities())), None));
    };
    let found = office.look(|alliance| {
        let (console, robot) = (alliance.console(&console)?, alliance.robot(&robot)?);
        let by = alliance.compatibilities().values().find(|known| known.covers(console, robot));
        Some(json!({"compatible": by.is_some(), "by": by}))
    });
    found
        .map(|value| Reply::json(&value))
        .ok_or_else(|| Problem::absent("the console or the robot"))
}
