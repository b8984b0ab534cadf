//! Append only; what was recorded can be run again through the same code.
