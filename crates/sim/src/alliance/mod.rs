//! An invented alliance of hospitals: its demand, its life, its faults.

pub mod demand;
