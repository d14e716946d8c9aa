//! URLs as typed and answers as received: no panic, and places within the text.
#![no_main]

mod promises;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| promises::handshake(bytes));
