//! The bedside page: state, arm and grant, take over, stop.

use super::{ActionError, Ward};
use crate::arm::wire::{Action, Verdict};
use crate::http::{Backend, Denied, Feed, VideoMessage};
use crate::{clock, lock, view};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use telehand_guard::Refusal;
use telehand_vocab::{ArmState, Cause, Mono, Span};
use tokio::sync::broadcast;

/// A drill takes over an arm that has held and pressed for so long.
const PRESSED_LONG: Span = Span::from_millis(3_000);
/// How often a drill looks whether the arms can be granted.
const DRILL_LOOKS: Span = Span::from_millis(100);

/// Without a new picture for this long the camera stands still.
const FROZEN_AFTER: Span = Span::from_millis(300);

/// What the page talks to.
pub struct Desk {
    ward: Arc<Ward>,
}

impl Desk {
    /// For this process.
    pub const fn new(ward: Arc<Ward>) -> Self {
        Self { ward }
    }
}

impl Desk {
    /// The camera lives while pictures leave it.
    fn picture(&self, now: Mono, mbit_s: f64) -> Value {
        let pictured = self.ward.pictured_ns.load(Ordering::Relaxed);
        let age = (pictured > 0).then(|| now.since(Mono::from_nanos(pictured)));
        let state = match age {
            None => "none",
            Some(age) if age > FROZEN_AFTER => "frozen",
            Some(_) => "intact",
        };
        json!({"state": state, "age_ms": age.map(Span::as_millis_f64), "mbit_s": mbit_s})
    }
}

impl Backend for Desk {
    fn page(&self) -> &'static str {
        "bedside.html"
    }

    fn state(&self, controls: bool) -> Value {
        let now = clock::now();
        let report = self.ward.report();
        let feedback = report.as_ref().map(|report| &report.feedback);
        let link = self.ward.link_snapshot().map_or(Value::Null, |snapshot| view::link(&snapshot));
        let mbit = f64::from(self.ward.bitrate_bps.load(Ordering::Relaxed)) * 1e-6;
        json!({
            "type": "state",
            "side": "bedside",
            "simulated": true,
            "now_us": now.as_nanos() / 1000,
            "controls": controls,
            "link": link,
            "guard": view::guard(feedback, Some(now)),
            "arms": view::arms(feedback),
            "hands": [],
            "scale": null,
            "picture": self.picture(now, mbit),
            "ticks": report.as_ref().map(|report| json!({
                "total": report.feedback.tick + 1,
                "overruns": report.overruns,
                "unsent": report.unsent,
                "refusals": report.refusals,
            })),
            "admission": view::admission(lock(&self.ward.admission).as_ref()),
            "demo": null,
        })
    }

    fn action(&self, body: &Value) -> Result<Value, Denied> {
        let name = body.get("action").and_then(Value::as_str).unwrap_or_default();
        let action = Action::ALL
            .into_iter()
            .filter(|action| *action != Action::RemoteHold)
            .find(|action| action.name() == name)
            .ok_or_else(|| {
                Denied::Bad(format!(
                    "there is no action {name:?} at the bedside; there are enable, disable, grant, \
                     take_over, stop and clear_stop"
                ))
            })?;
        self.ward.press(action).map(|()| json!({"ok": true})).map_err(|error| denied(&error))
    }

    fn hands(&self, _body: &Value) {}

    fn hands_gone(&self) {}

    fn feed(&self, name: &str) -> Option<Arc<dyn Feed>> {
        name.is_empty().then(|| Arc::new(Self::new(self.ward.clone())) as Arc<dyn Feed>)
    }

    fn wan(&self, _body: Option<&Value>) -> Result<Value, Denied> {
        Err(Denied::Bad("the emulated network is controlled from the console's page".into()))
    }
}

impl Feed for Desk {
    fn join_video(&self) {
        self.ward.note_to_camera(super::CameraNote::Join);
    }

    fn video(&self) -> broadcast::Receiver<VideoMessage> {
        self.ward.video.subscribe()
    }

    fn video_config(&self) -> Option<Value> {
        lock(&self.ward.video_config).clone()
    }
}

fn denied(error: &ActionError) -> Denied {
    match *error {
        ActionError::Refused(Verdict { cause, value, limit }) => {
            let refusal = Refusal::new(cause, value, limit);
            Denied::Refused(json!({
                "ok": false,
                "code": view::code(cause),
                "name": cause.name(),
                "value": value.is_finite().then_some(value),
                "limit": limit.is_finite().then_some(limit),
                "message": refusal.to_string(),
            }))
        }
        ActionError::NoAnswer => Denied::Refused(json!({
            "ok": false,
            "code": null,
            "name": "arm_silent",
            "message": "The arm process does not answer. Its own deadman holds the arm. \
                        Use the stop button at the cart, then restart it.",
        })),
    }
}

/// Granting before the clocks are known would only end in a hold (G-014).
fn clock_is_known(ward: &Ward) -> bool {
    ward.link_snapshot().is_some_and(|snapshot| view::clock_estimate(&snapshot) < Span::MAX)
}

/// A drill without a person at the bedside: enables and grants whenever that is possible and
/// nobody took over or stopped, and frees an arm that holds because it presses.
pub fn grant_for_ever(ward: &Ward) {
    let mut pressed_since = None;
    let mut resting = false;
    loop {
        clock::sleep_until(clock::now() + DRILL_LOOKS);
        let Some(report) = ward.report() else { continue };
        let console = ward.console_up.load(Ordering::Acquire);
        if ward.people_act.load(Ordering::Acquire) {
            continue;
        }
        let (state, hold) = (report.feedback.state, report.feedback.hold);
        // An arm that holds because it presses presses on: no surgeon can engage it. The people at
        // the table take it over, let its motors rest where it is, and give it back.
        let presses = state == ArmState::Hold && hold == Some(Cause::Force);
        let since = pressed_since.filter(|_| presses).unwrap_or_else(clock::now);
        pressed_since = presses.then_some(since);
        let action = match state {
            ArmState::Off => Action::Enable,
            ArmState::Hold if presses && clock::now().since(since) > PRESSED_LONG => {
                resting = true;
                Action::TakeOver
            }
            ArmState::Local if std::mem::take(&mut resting) => Action::Disable,
            ArmState::Local if console && clock_is_known(ward) => Action::Grant,
            _ => continue,
        };
        if let Err(ActionError::Refused(verdict)) = ward.do_action(action) {
            ward.tape.note("drill", format!("{}: {}", action.name(), view::code(verdict.cause)));
        }
    }
}
