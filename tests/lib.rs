//! Whole-system tests live in the files beside this one.

pub mod decoders;
