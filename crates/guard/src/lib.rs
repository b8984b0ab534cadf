//! The only door to a motor: no motion without a permit; nothing here allocates, blocks or trusts.
#![no_std]
