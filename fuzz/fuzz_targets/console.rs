//! Any text as lines of a server's console and as a pasted console: no panic, no escape sequence in what is quoted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye::diagnosis::catalogue::cause;
use sockeye::diagnosis::console::{explain_lines, good_sign, is_start, recognise, recognise_browser, still_holding, without_escapes};

fuzz_target!(|text: &str| {
    let plain = without_escapes(text);
    assert!(plain.len() <= text.len());
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for line in &lines {
        is_start(line);
        good_sign(line);
        if let Some(known) = recognise(line) {
            assert!(cause(known.cause).is_some() && !known.quote.contains('\u{1b}'));
        }
        if let Some(known) = recognise_browser(line) {
            assert!(known.cause.is_none_or(|id| cause(id).is_some()) && !known.quote.contains('\u{1b}'));
        }
    }
    assert!(still_holding(&lines).len() <= lines.len());
    for line in explain_lines(text) {
        assert!(line.line <= lines.len() && line.quote.chars().count() <= 300);
    }
});
