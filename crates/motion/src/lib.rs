//! Same input, same output, bit for bit; one step has one bounded cost.
#![no_std]
