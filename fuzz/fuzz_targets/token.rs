//! Any text as a token, as a place of tokens, and as a `.env` file: no panic.
#![no_main]

mod promises;

libfuzzer_sys::fuzz_target!(|text: &str| promises::token(text));
