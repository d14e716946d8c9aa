//! A whole session from its bytes to its exports: no panic, and the same rows however the bytes are cut.
#![no_main]

mod promises;

libfuzzer_sys::fuzz_target!(|input: (u8, bool, Vec<u8>)| promises::session(input.0.into(), input.1, &input.2));
