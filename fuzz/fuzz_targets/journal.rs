//! Any bytes as a journal: no panic, and it ends.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use sockeye::journal::Reader;
use sockeye::observation::ConnId;

fuzz_target!(|bytes: &[u8]| {
    let Ok(reader) = Reader::open(Cursor::new(bytes), ConnId(0)) else {
        return;
    };
    for entry in reader {
        if entry.is_err() {
            break;
        }
    }
});
