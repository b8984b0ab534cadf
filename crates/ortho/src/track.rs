//! What the optical tracker says about the patient reference: where it is, whether it is still
//! where it was at the registration, and whether it is seen at all.
//!
//! [`MarkerBody`] fits a body to its markers, [`average`] takes at least 30 frames at rest,
//! [`Monitor`] holds the reference against a surveillance marker (O-011), [`Sight`] is the gate
//! before the scan, [`respiration`] the breathing amplitude.

mod body;
mod drift;
#[cfg(test)]
mod drift_tests;
mod rest;
mod sight;

pub use body::{BadBody, MarkerBody, NoBody};
pub use drift::{
    ALARM_M, ALARM_RAD, Drift, HELD_OCCLUSION, MOTION_OCCLUSION, Missing, Monitor, NOISE_LIMIT_M,
    NOISE_LIMIT_RAD, NoMonitor, STOP_M, STOP_RAD, Sighting, Surveillance, Watch,
};
pub(crate) use rest::mean;
pub use rest::{LEAST_FRAMES, NotAtRest, Rest, average};
pub use sight::{JITTER_LIMIT_M, Respiration, SIGHT_SPAN, Seen, Sight, VISIBLE_SHARE, respiration};
