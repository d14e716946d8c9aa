//! Compressed messages that break RFC 7692, and answers that agree on permessage-deflate in a wrong way.

use super::opening::answer;
use super::{ENDED, FAILED, GOOD, Misbehaviour, Then, after_101};

/// A misbehaviour behind a 101 that accepted permessage-deflate.
fn deflated(
    name: &'static str,
    bytes: impl Into<Vec<u8>>,
    then: Then,
    theirs: &[&'static str],
    ours: &[&'static str],
    facts: &[&'static str],
) -> Misbehaviour {
    after_101(name, bytes, then, theirs, ours, facts).head(agreed("permessage-deflate"))
}

/// A violation for which we fail the connection with 1002.
fn fails(name: &'static str, bytes: impl Into<Vec<u8>>, theirs: &[&'static str]) -> Misbehaviour {
    deflated(name, bytes, Then::FinWhenTold, theirs, &["88 2 1002"], FAILED)
}

/// The head of an answer with this value of `Sec-WebSocket-Extensions`.
fn agreed(extensions: &str) -> String {
    GOOD.replace("\r\n\r\n", &format!("\r\nSec-WebSocket-Extensions: {extensions}\r\n\r\n"))
}

pub(super) fn rows() -> Vec<Misbehaviour> {
    let bad = |name, extensions: &str, cause: &'static str| {
        answer(name, agreed(extensions), Then::Fin, &["101"], &[cause, "end fin", "we closed"])
    };
    // 2000 zeros in 16 bytes.
    let zeros = *b"\xC1\x10\x62\x60\x18\x05\xA3\x60\x14\x8C\x82\x51\x30\x0A\x46\xC1\x50\x07";
    vec![
        fails(
            "RSV1 on a continuation frame",
            *b"\x41\x03\xF2\x48\xCD\xC0\x04\xC9\xC9\x07\x00",
            &["41 3 He", "c0 4 llo", "!5 Rsv1OnContinuation"],
        ),
        fails("RSV1 on a ping, compression agreed on", *b"\xC9\x00", &["c9 0", "!0 Rsv1OnContinuation"]),
        fails("RSV2 on a compressed text", *b"\xE1\x07\xF2\x48\xCD\xC9\xC9\x07\x00", &["e1 7 Hello", "!0 Rsv2Or3 6"]),
        fails("a block type that does not exist", *b"\xC1\x02\xFF\xFF", &["c1 2", "!0 DeflateCorrupt 0"]),
        deflated(
            "compressed text in Latin-1",
            *b"\xC1\x06\x4A\x4E\x4C\x7B\x09\x00",
            Then::FinWhenTold,
            &["c1 6 caf\\xe9", "!0 BadUtf8 3"],
            &["88 2 1007"],
            FAILED,
        ),
        deflated(
            "a compressed message cut short",
            *b"\xC1\x07\xF2\x48",
            Then::Fin,
            &["c1 7 H", "cut payload @0, 2 of 7"],
            &[],
            ENDED,
        ),
        deflated(
            "a compressed message over our limit",
            zeros,
            Then::FinWhenTold,
            &["c1 16 \\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00…"],
            &["88 2 1009"],
            &["opened", "limit inflated { wire_bytes: 16 } 1000 2000", "begun limit", "end fin", "we closed"],
        )
        .with(|options| options.limit_bytes = 1_000),
        bad("window bits of 16", "permessage-deflate; server_max_window_bits=16", "check extension-bad-params"),
        bad("window bits of 7", "permessage-deflate; server_max_window_bits=7", "check extension-bad-params"),
        bad("window bits without a value", "permessage-deflate; client_max_window_bits", "check extension-bad-params"),
        bad("a parameter that does not exist", "permessage-deflate; level=9", "check extension-bad-params"),
        bad(
            "a parameter twice",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "check extension-bad-params",
        ),
        bad("compression that was not offered", "permessage-deflate", "check extension-unrequested")
            .with(|options| options.extensions = None),
    ]
}
