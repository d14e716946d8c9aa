//! Any bytes as a journal: no panic, and reading ends.
#![no_main]

mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| promises::journal(bytes));
