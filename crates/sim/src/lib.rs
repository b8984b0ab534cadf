//! The only room that may invent data; every invention has a seed.

pub mod scene;

pub mod network;
pub mod random;

#[cfg(feature = "patient")]
pub mod arm;

#[cfg(feature = "patient")]
pub mod cart;

#[cfg(feature = "patient")]
pub mod peg_board;

#[cfg(feature = "patient")]
pub mod score;

#[cfg(feature = "patient")]
pub mod endoscope;

#[cfg(feature = "patient")]
pub mod surgeon;

#[cfg(feature = "spine")]
pub mod spine;

#[cfg(feature = "alliance")]
pub mod alliance;
