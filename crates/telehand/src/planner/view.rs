//! Parts of the state that site and planner show alike.

use super::state::{LinkState, PathState, SeriesState};
use crate::net::{Snapshot, Status};
use telehand_ortho::series::registration_allowed;
use telehand_ortho::{Side, Volume};
use telehand_vocab::{Span, Vec3};

/// A series, millimetres.
pub fn series(volume: &Volume) -> SeriesState {
    let grid = &volume.grid;
    let refusal = registration_allowed(grid).err().map(|why| why.to_string());
    let values = || volume.hu.iter().copied().filter(|hu| *hu != Volume::PADDING);
    SeriesState {
        uid: volume.series.to_string(),
        size: grid.size,
        spacing_mm: grid.spacing.map(|metres| metres * 1e3),
        value_range_hu: [
            values().min().unwrap_or_default().into(),
            values().max().unwrap_or_default().into(),
        ],
        registration_allowed: refusal.is_none(),
        refusal,
        box_mm: grid.bounds().map(mm),
        centre_mm: mm(grid.centre()),
    }
}

/// A point in millimetres.
pub fn mm(point: Vec3) -> [f64; 3] {
    point.to_array().map(|metres| metres * 1e3)
}

/// `left` or `right`.
pub const fn side(side: Side) -> &'static str {
    match side {
        Side::Left => "left",
        Side::Right => "right",
    }
}

/// The link by its best path; `age` is that of the newest state.
pub fn link(snapshot: Option<&Snapshot>, age: Option<Span>) -> LinkState {
    let Some(snapshot) = snapshot else { return LinkState::default() };
    let paths = snapshot.figures.as_ref().map(|figures| figures.paths.as_slice());
    let best = paths
        .unwrap_or_default()
        .iter()
        .filter(|path| path.up)
        .min_by_key(|path| path.rtt.unwrap_or(Span::MAX));
    LinkState {
        up: matches!(snapshot.status, Status::Up { .. }),
        rtt_ms: best.and_then(|path| path.rtt).map(Span::as_millis_f64),
        loss: best.map_or(0.0, |path| path.loss_in.max(path.loss_out)),
        age_ms: age.map(Span::as_millis_f64),
        paths: snapshot
            .sockets
            .iter()
            .zip(paths.unwrap_or_default())
            .map(|(socket, path)| PathState {
                name: socket.label.clone(),
                up: path.up,
                rtt_ms: path.rtt.map(Span::as_millis_f64),
                jitter_ms: path.jitter_in.as_millis_f64(),
                loss: path.loss_in.max(path.loss_out),
            })
            .collect(),
    }
}
