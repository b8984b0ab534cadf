//! An invented alliance of hospitals: its demand, its life, its faults.

pub mod cast;
pub mod demand;
pub mod lifecycle;
