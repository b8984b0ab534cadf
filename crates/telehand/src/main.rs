//! The one binary of telehand.
fn main() {}
