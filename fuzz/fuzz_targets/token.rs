//! Any text as a token, as a place of tokens, and as a `.env` file: no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye::token::{Secret, examine, find_tokens, place, secrets_from_env};

fuzz_target!(|text: &str| {
    examine(text, &[Secret::new("fuzz", b"secret".as_slice())], 1_700_000_000);
    for range in find_tokens(text) {
        assert!(text.get(range).is_some());
    }
    place::lint_sent(text);
    place::in_query(text, "token");
    secrets_from_env(text);
});
