//! Any bytes as a file that somebody drops on the window: what it is, what it is about, and its rows in every format.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use sockeye::journal::{OtherFile, Reader, summary};
use sockeye::observation::ConnId;
use sockeye::store::{Replay, Session};

fuzz_target!(|bytes: &[u8]| {
    assert!(!OtherFile::of(bytes).to_string().is_empty());
    // The two ends of it, as the list of sessions reads them.
    let about = summary(Cursor::new(bytes));
    let Ok(mut reader) = Reader::open(Cursor::new(bytes), ConnId(0)) else {
        assert!(about.is_err());
        return;
    };
    // The whole of it, as the log shows it.
    if let Ok(session) = Session::read(&mut reader) {
        let rows = Replay::new(Cursor::new(bytes), session.index());
        assert_eq!(rows.take_while(Result::is_ok).count() as u64, session.rows());
    }
});
