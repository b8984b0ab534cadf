//! How well a screw or wire came to lie: deviation from its plan and breach of its pedicle.
//!
//! [`metal_axis`] finds the metal in a control scan, [`Control`] is that scan's frame (each vertebra
//! is carried over on its own, [`carry_vertebra`]), [`Deviation`] compares with the plan,
//! [`breach_by_field`] and [`breach_by_mesh`] grade independently, and [`judge`] flags what they do
//! not agree on (O-017).

mod breach;
mod deviation;
mod field_wall;
mod judge;
mod mesh_wall;
mod metal;
#[cfg(test)]
mod tests;
mod triangle;

pub use breach::{Breach, Direction, Grade, NoGrade};
pub use deviation::{Axis, Class, Control, Deviation, NoDeviation, carry_vertebra};
pub use field_wall::breach_by_field;
pub use judge::{AGREE_M, Verdict, judge};
pub use mesh_wall::breach_by_mesh;
pub use metal::{NoMetal, metal_axis};
