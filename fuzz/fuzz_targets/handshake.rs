//! URLs as typed and answers as received: no panic, and places within the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye::wire::{HeadOutcome, checks, decoded_body, framing, parse_request, parse_response, parse_url};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Err(problem) = parse_url(text)
    {
        assert!(problem.at + problem.len <= text.len());
    }
    if let HeadOutcome::Head(head) = parse_response(bytes) {
        let request = parse_request(b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
        if let Some(request) = request {
            checks(&request, &head);
        }
        decoded_body(framing(&head), &bytes[head.len_bytes..]);
    }
});
