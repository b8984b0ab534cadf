//! Translates, never decides.
