//! Any text as console lines, on a screen, and through the redaction: no panic, nothing obeyed, no secret left.
#![no_main]

mod promises;

libfuzzer_sys::fuzz_target!(|text: &str| promises::console(text));
