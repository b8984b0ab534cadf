//! The state as pages and tests read it: JSON with the unit in each name.

use crate::arm::admission::Note;
use crate::net::{Snapshot, Status};
use serde_json::{Value, json};
use telehand_vocab::message::Alarm;
use telehand_vocab::{ArmId, Cause, Feedback, Mono, Span};

/// The link and its paths. `names` are what people call the paths.
pub fn link(snapshot: &Snapshot) -> Value {
    let (status, peer, trouble) = match &snapshot.status {
        Status::Up { peer, .. } => ("up", Some(peer.name.clone()), None),
        Status::Silent { peer, last_error, .. } => {
            ("down", Some(peer.name.clone()), last_error.clone())
        }
        Status::Waiting { last_error } => ("handshaking", None, last_error.clone()),
        Status::Ended => ("down", None, None),
    };
    let figures = snapshot.figures.as_ref();
    let paths: Vec<Value> = snapshot
        .sockets
        .iter()
        .enumerate()
        .map(|(index, socket)| {
            let path = figures.and_then(|f| f.paths.get(index)).cloned().unwrap_or_default();
            json!({
                "name": socket.label,
                "up": path.up,
                "out_ms": path.one_way_out.map(Span::as_millis_f64),
                "in_ms": path.one_way_in.map(Span::as_millis_f64),
                "error_ms": path.one_way_error.as_millis_f64(),
                "rtt_ms": path.rtt.map(Span::as_millis_f64),
                "jitter_ms": path.jitter_in.as_millis_f64(),
                "loss_out": path.loss_out,
                "loss_in": path.loss_in,
                "bytes_out": path.bytes_out,
                "bytes_in": path.bytes_in,
            })
        })
        .collect();
    let estimate = clock_estimate(snapshot);
    let error = (estimate < Span::MAX).then(|| estimate.as_millis_f64());
    json!({"status": status, "peer": peer, "trouble": trouble, "clock_error_ms": error,
           "paths": paths})
}

/// How the arm stands with the console: `null` before the arm said anything.
pub fn admission(note: Option<&Note>) -> Value {
    note.map_or(
        Value::Null,
        |note| json!({"needed": note.needed, "admitted": note.admitted, "refused": note.refused}),
    )
}

/// How wrong the clock mapping is by what the paths say of each other.
///
/// The hard bound (half the smallest round trip) holds for any asymmetry of the routes. The paths
/// are diverse: were one route asymmetric, its one-way delays, measured by the common clock, would
/// differ from each other while another path's do not. Half the largest such difference estimates
/// the error. A single path tells nothing of its own asymmetry; its jitter stands in, which is no
/// bound.
#[must_use]
pub fn clock_estimate(snapshot: &Snapshot) -> Span {
    let Some(figures) = &snapshot.figures else { return Span::MAX };
    let floor = Span::from_micros(200);
    let up = || figures.paths.iter().filter(|path| path.up);
    let alone = up().count() == 1;
    let differences = up().filter_map(|path| {
        let (out, back) = (path.one_way_out?, path.one_way_in?);
        let half = Span::from_nanos(out.as_nanos().abs_diff(back.as_nanos()) / 2);
        Some(if alone { half.max(path.jitter_in).max(path.jitter_out) } else { half })
    });
    differences.max().map_or(Span::MAX, |difference| difference.max(floor))
}

/// The guard's state, or null before the first feedback.
pub fn guard(feedback: Option<&Feedback>, now_at_patient: Option<Mono>) -> Value {
    let Some(f) = feedback else { return Value::Null };
    let alarms: Vec<Value> = f.alarms.iter().flatten().map(|a| alarm(a, now_at_patient)).collect();
    json!({
        "state": f.state.name(),
        "crtk": f.state.crtk(),
        "authority": f.authority.name(),
        "lease": f.lease.0,
        "hold": f.hold.map(cause),
        "alarms": alarms,
        "command_age_ms": (f.command_seq > 0).then(|| f.command_age.as_millis_f64()),
        "state_age_ms": now_at_patient.map(|now| now.since(f.at).as_millis_f64()),
    })
}

/// `{"code": "G-003", "name": "link_silent"}`.
pub fn cause(cause: Cause) -> Value {
    json!({"code": code(cause), "name": cause.name()})
}

/// `G-003`.
#[must_use]
pub fn code(cause: Cause) -> String {
    format!("G-{:03}", cause.number())
}

fn alarm(alarm: &Alarm, now: Option<Mono>) -> Value {
    json!({
        "code": code(alarm.cause),
        "name": alarm.cause.name(),
        "value": finite(alarm.value),
        "limit": finite(alarm.limit),
        "active": alarm.active,
        "since_s": now.map(|now| now.since(alarm.since).as_secs_f64()),
    })
}

/// JSON has no infinity, and the longest span stands for an unknown one.
fn finite(value: f64) -> Option<f64> {
    (value.abs() < 1e9).then_some(value)
}

/// The three arms as measured.
pub fn arms(feedback: Option<&Feedback>) -> Value {
    let Some(f) = feedback else { return json!([]) };
    ArmId::ALL
        .iter()
        .zip(&f.arms)
        .map(|(id, arm)| {
            let tip = arm.camera_from_tip.translation.to_array();
            json!({
                "id": id.name(),
                "following": arm.following,
                "limited": arm.limited,
                "engage": arm.engage.0,
                "joints": arm.joints,
                "jaw_rad": arm.jaw_rad,
                "force_n": arm.force_n,
                "tip_mm": tip.map(|v| v * 1e3),
            })
        })
        .collect()
}
