//! Frames that break RFC 6455: the first broken rule by offset decides, what follows it is its consequence.

use super::{Found, Rule};
use crate::diagnosis::words::after_milestone;
use crate::diagnosis::{Case, Ending};
use crate::observation::{Direction, Moment};
use crate::wire::{Violation, ViolationKind};

pub(super) const RULES: &[Rule] = &[
    Rule::new("http-body-after-101", text_among_frames),
    Rule::new("middlebox-injection", text_among_frames),
    Rule::new("two-writers-interleave", text_among_frames),
    Rule::new("data-after-close", violation),
    Rule::new("close-illegal-code", violation),
    Rule::new("close-1byte", violation),
    Rule::new("close-bad-utf8", violation),
    Rule::new("close-too-long", violation),
    Rule::new("proto-masked-server", violation),
    Rule::new("proto-rsv1-no-deflate", violation),
    Rule::new("proto-rsv1-on-continuation", violation),
    Rule::new("proto-rsv2-3", violation),
    Rule::new("proto-bad-opcode", violation),
    Rule::new("proto-control-fragmented", violation),
    Rule::new("proto-control-too-long", violation),
    Rule::new("proto-continuation", violation),
    Rule::new("proto-interleaved-data", violation),
    Rule::new("proto-bad-utf8", violation),
    Rule::new("proto-nonminimal-length", violation),
    Rule::new("proto-length-highbit", violation),
    Rule::new("proto-deflate-corrupt", violation),
    Rule::new("garbage-after-close", garbage),
];

/// The violations of the frame that broke a rule first; what comes later may be nonsense read out of step.
fn first_frame<'a>(case: &Case<'a>) -> impl Iterator<Item = (Moment, &'a Violation)> {
    let first = case.story.first_fatal_violation().map(|(_, violation)| violation.offset);
    let all = case.story.violations.iter().map(|(at, violation)| (*at, violation));
    all.filter(move |(_, v)| v.direction == Direction::ServerToClient && v.kind.is_fatal() && Some(v.offset) == first)
}

fn violation(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let (at, violation) = first_frame(case).find(|(_, violation)| violation.kind.cause_id() == id)?;
    let is_first = case.story.first_fatal_violation().is_some_and(|(_, first)| first == violation);
    let what = violation.kind.rule();
    let frame = format!("the frame at byte {}", violation.offset);
    let summary = format!(
        "The server broke the protocol {}: {what} ({}), and {}.",
        after_milestone(case, at),
        violation.kind.section(),
        consequence(&violation.kind)
    );
    let mut found = Found::certain(summary).seen_at(
        at,
        Direction::ServerToClient,
        violation.offset,
        format!("{frame}: {}", violation.kind.rule()),
    );
    if let Some(close) = &case.story.close_received {
        let code = close.info.code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
        found = found.seen_at(
            close.at,
            Direction::ServerToClient,
            close.info.offset,
            format!("the server's Close: {code} {}", case.reason_words(close)),
        );
    }
    if let Some(text) = &case.story.endpoint_error {
        found = found.seen(at, format!("the WebSocket library reported: {}", case.quote(text, 120)));
    }
    let later = case.story.violation_count.saturating_sub(1);
    if later > 0 {
        found = found.seen(at, format!("{later} more broken rules after it, which may only follow from this one"));
    }
    Some(rivals(&violation.kind, found).cause_if(is_first && ending == Ending::ProtocolError))
}

/// What clients make of it.
fn consequence(kind: &ViolationKind) -> &'static str {
    match kind {
        ViolationKind::NonMinimalLength { .. } => {
            "browsers fail the connection for it, while Node and Python accept it"
        }
        ViolationKind::CloseIllegalCode { code: 1005 | 1006 | 1015 } => {
            "browsers and other clients fail the connection for it"
        }
        ViolationKind::CloseIllegalCode { .. } => {
            "Chrome passes it on as if nothing were wrong, while Node and Python fail the connection"
        }
        ViolationKind::DataAfterClose => {
            "Chrome turns the code into a 1006 for it, while Node and Python ignore the data"
        }
        ViolationKind::MaskedByServer
        | ViolationKind::UnmaskedByClient
        | ViolationKind::Rsv1WithoutDeflate
        | ViolationKind::Rsv1OnContinuation
        | ViolationKind::DeflateCorrupt { .. }
        | ViolationKind::Rsv2Or3 { .. }
        | ViolationKind::ReservedOpcode { .. }
        | ViolationKind::ControlFragmented
        | ViolationKind::ControlTooLong { .. }
        | ViolationKind::CloseTooLong { .. }
        | ViolationKind::ContinuationWithoutStart
        | ViolationKind::InterleavedData
        | ViolationKind::BadUtf8 { .. }
        | ViolationKind::LengthHighBit { .. }
        | ViolationKind::CloseOneByte
        | ViolationKind::CloseBadUtf8 { .. }
        | ViolationKind::GarbageAfterClose { .. }
        | ViolationKind::TextAmongFrames { .. } => "clients fail the connection for it",
    }
}

fn rivals(kind: &ViolationKind, found: Found) -> Found {
    match kind {
        ViolationKind::ContinuationWithoutStart | ViolationKind::InterleavedData => {
            found.or("two-writers-interleave", "look for two places in the server that write to the same connection")
        }
        ViolationKind::Rsv1WithoutDeflate => {
            found.or("two-writers-interleave", "repeat without offering compression, and see whether it heals")
        }
        ViolationKind::MaskedByServer
        | ViolationKind::UnmaskedByClient
        | ViolationKind::Rsv1OnContinuation
        | ViolationKind::DeflateCorrupt { .. }
        | ViolationKind::Rsv2Or3 { .. }
        | ViolationKind::ReservedOpcode { .. }
        | ViolationKind::ControlFragmented
        | ViolationKind::ControlTooLong { .. }
        | ViolationKind::CloseTooLong { .. }
        | ViolationKind::BadUtf8 { .. }
        | ViolationKind::NonMinimalLength { .. }
        | ViolationKind::LengthHighBit { .. }
        | ViolationKind::CloseOneByte
        | ViolationKind::CloseBadUtf8 { .. }
        | ViolationKind::CloseIllegalCode { .. }
        | ViolationKind::DataAfterClose
        | ViolationKind::GarbageAfterClose { .. }
        | ViolationKind::TextAmongFrames { .. } => found,
    }
}

/// HTTP or HTML where a frame should begin: at once, or after whole frames.
fn text_among_frames(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let (at, violation) = case.story.first_fatal_violation().filter(|_| ending == Ending::ProtocolError)?;
    let ViolationKind::TextAmongFrames { after_frames, preview } = &violation.kind else {
        return None;
    };
    let is_foreign_path = !case.is_loopback() && !case.is_secure();
    let own = match after_frames {
        0 => "http-body-after-101",
        _ if is_foreign_path => "middlebox-injection",
        _ => "two-writers-interleave",
    };
    if own != id {
        return None;
    }
    let text = if case.story.opaque.is_empty() {
        preview.clone()
    } else {
        String::from_utf8_lossy(&case.story.opaque).into_owned()
    };
    let shown = case.quote(text.split('\u{fffd}').next().unwrap_or(""), 100);
    let when = after_milestone(case, *at);
    let found = match id {
        "http-body-after-101" => Found::certain(format!(
            "Plain text came where the first frame should be, {when} (\u{201c}{shown}\u{201d}): a second handler wrote an \
             ordinary response on the upgraded connection."
        )),
        "middlebox-injection" => Found::likely(format!(
            "Plain text came between the frames {when} (\u{201c}{shown}\u{201d}): something on the unencrypted way wrote into \
             the connection."
        ))
        .or("two-writers-interleave", "repeat over wss://: what lies between cannot write there"),
        _ => Found::certain(format!(
            "Plain text came between the frames {when} (\u{201c}{shown}\u{201d}): two writers share the server's end of the \
             connection."
        )),
    };
    Some(found.seen_at(
        *at,
        Direction::ServerToClient,
        violation.offset,
        format!("the bytes there: \u{201c}{shown}\u{201d}"),
    ))
}

/// Bytes after the Close frame that are no frame: harmless, but odd.
fn garbage(case: &Case<'_>, _: Ending, _: &'static str) -> Option<Found> {
    let (at, violation) = case.story.violations.iter().find(|(_, violation)| {
        violation.direction == Direction::ServerToClient
            && matches!(violation.kind, ViolationKind::GarbageAfterClose { .. })
    })?;
    let ViolationKind::GarbageAfterClose { preview } = &violation.kind else {
        return None;
    };
    let shown = case.quote(preview, 60);
    Some(
        Found::certain("After its Close frame the server sent bytes that are no frame; browsers ignore them.")
            .seen_at(*at, Direction::ServerToClient, violation.offset, format!("the bytes: \u{201c}{shown}\u{201d}"))
            .finding(),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::testing::{Scene, finds};
    use crate::observation::{CloseOrigin, Direction, Fact};
    use crate::wire::{Violation, ViolationKind, encode_frame};

    fn sent(bytes: &[u8]) -> Scene {
        Scene::confirmed().server(bytes)
    }

    fn check(bytes: &[u8], cause: &str) {
        let scene = sent(bytes);
        let verdict = scene.certain("protocol-error", cause);
        assert!(verdict.evidence[0].place.is_some(), "{verdict:#?}");
        let failed = scene.fact(Fact::CloseBegun { by: CloseOrigin::Violation }).client_close(1002).fin();
        failed.certain("protocol-error", cause);
    }

    #[test]
    fn each_broken_rule_of_framing() {
        check(&encode_frame(0x81, Some([1, 2, 3, 4]), b"Hello"), "proto-masked-server");
        check(&[0xC1, 1, b'a'], "proto-rsv1-no-deflate");
        check(&[0xA1, 1, b'a'], "proto-rsv2-3");
        check(&[0x83, 1, b'a'], "proto-bad-opcode");
        check(&[0x09, 1, b'a'], "proto-control-fragmented");
        check(&encode_frame(0x89, None, &[0; 126]), "proto-control-too-long");
        check(&[0x80, 1, b'a'], "proto-continuation");
        check(&[0x01, 1, b'a', 0x81, 1, b'b'], "proto-interleaved-data");
        check(&[0x81, 2, 0xC3, 0x28], "proto-bad-utf8");
        check(&[0x81, 126, 0, 1, b'a'], "proto-nonminimal-length");
        check(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1], "proto-length-highbit");
        sent(&[0x81, 1, b'a']).is_not("proto-bad-utf8");
    }

    #[test]
    fn rsv1_on_a_continuation_of_a_compressed_message() {
        let fields = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
        let scene = Scene::to("ws://127.0.0.1:3001/").fields(fields).tcp().request().accept_with(fields);
        let bytes = [0x41, 1, b'a', 0xC0, 1, b'b'];
        scene.server(bytes).certain("protocol-error", "proto-rsv1-on-continuation");
    }

    #[test]
    fn what_shows_only_when_it_is_inflated() {
        for (kind, cause) in [
            (ViolationKind::DeflateCorrupt { inflated_bytes: 5 }, "proto-deflate-corrupt"),
            (ViolationKind::BadUtf8 { at: 5 }, "proto-bad-utf8"),
        ] {
            let violation = Violation { direction: Direction::ServerToClient, offset: 20, kind };
            let scene = Scene::confirmed()
                .fact(Fact::Violated(violation))
                .fact(Fact::EndpointError { text: "a compressed message does not inflate".to_owned() })
                .fact(Fact::CloseBegun { by: CloseOrigin::Violation })
                .client_close(1002)
                .fin();
            let verdict = scene.certain("protocol-error", cause);
            assert!(verdict.evidence[0].place.is_some(), "{verdict:#?}");
        }
    }

    #[test]
    fn each_broken_close_frame() {
        check(&[0x88, 1, 3], "close-1byte");
        check(&[0x88, 3, 3, 0xE8, 0xFF], "close-bad-utf8");
        check(&encode_frame(0x88, None, &[[3, 0xE8].as_slice(), &[b'r'; 198]].concat()), "close-too-long");
        check(&[0x88, 2, 3, 0xE8, 0x81, 1, b'a'], "data-after-close");
        for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            let verdict = Scene::confirmed().server_close(code, "").client_close(1002).fin();
            let verdict = verdict.certain("protocol-error", "close-illegal-code");
            let expected = if matches!(code, 1005 | 1006 | 1015) { "1006" } else { "passes" };
            assert!(verdict.browser_shows.contains(expected), "{code}: {}", verdict.browser_shows);
        }
        Scene::confirmed().closed_by_server(1000, "").is_not("close-illegal-code");
    }

    #[test]
    fn text_at_once_or_between_frames() {
        let at_once = |bytes: &[u8]| Scene::open().server(bytes).certain("protocol-error", "http-body-after-101");
        at_once(b"HTTP/1.1 404 Not Found\r\n\r\n");
        at_once(b"<!DOCTYPE html>\n<html></html>");
        at_once(b"{\"error\":\"not found\"}");
        sent(b"<!DOCTYPE html>").certain("protocol-error", "two-writers-interleave");
        let remote = |url: &str| Scene::to(url).tcp().request().accept().confirm().server(b"<!DOCTYPE html>");
        remote("ws://192.0.2.1:3001/").likely("protocol-error", "middlebox-injection");
        remote("wss://192.0.2.1:3001/").certain("protocol-error", "two-writers-interleave");
    }

    #[test]
    fn the_first_broken_rule_decides_and_outranks_what_follows() {
        let verdict = sent(&[0xA3, 1, b'a', 0x80, 1, b'a']).certain("protocol-error", "proto-rsv2-3");
        assert!(finds(&verdict, "proto-bad-opcode") && !finds(&verdict, "proto-continuation"), "{verdict:#?}");
        sent(&[0x83, 1, b'a']).client_close(1002).rst().refuses().certain("protocol-error", "proto-bad-opcode");
        sent(&[0x83, 1, b'a']).server_close(1000, "").certain("protocol-error", "proto-bad-opcode");
    }

    #[test]
    fn garbage_after_close_is_a_finding() {
        let scene = Scene::confirmed().server(b"\x88\x02\x03\xe8\xff\xff\xff\xff").client_close(1000).fin();
        let verdict = scene.certain("closed", "close-1000");
        assert!(finds(&verdict, "garbage-after-close"), "{verdict:#?}");
    }

    #[test]
    fn a_violation_that_only_the_library_saw_is_undetermined() {
        let scene = Scene::confirmed()
            .fact(Fact::EndpointError { text: "odd".to_owned() })
            .fact(Fact::CloseBegun { by: CloseOrigin::Violation })
            .client_close(1002);
        let verdict = scene.verdict();
        assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("protocol-error", "undetermined"));
        assert!(verdict.evidence[0].text.contains("odd"), "{verdict:#?}");
    }
}
