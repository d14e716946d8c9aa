//! Bytes of both directions: no panic, and the same items however they are cut.
#![no_main]

mod promises;

libfuzzer_sys::fuzz_target!(|input: (u8, bool, Vec<u8>)| promises::decoder(input.0.into(), input.1, &input.2));
