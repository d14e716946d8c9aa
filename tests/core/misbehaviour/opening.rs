//! Answers to the opening handshake that break RFC 6455 §4, or are none.

use super::{GOOD, Misbehaviour, Then, after_101};

/// An answer that is no acceptable 101.
pub(super) fn answer(
    name: &'static str,
    head: impl Into<String>,
    then: Then,
    theirs: &[&'static str],
    facts: &[&'static str],
) -> Misbehaviour {
    Misbehaviour { theirs: theirs.to_vec(), ..after_101(name, Vec::new(), then, &[], &[], facts).head(head) }
}

pub(super) fn rows() -> Vec<Misbehaviour> {
    [checks(), no_http(), cuts(), refusals()].into_iter().flatten().collect()
}

/// A 101 with one thing wrong.
fn checks() -> Vec<Misbehaviour> {
    let row = |name, from: &str, to: &str, facts: &[&'static str]| {
        answer(name, GOOD.replace(from, to), Then::Fin, &["101"], &[facts, &["end fin", "we closed"]].concat())
    };
    vec![
        row("another key's accept", "{accept}", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", &["check upgrade-wrong-accept"]),
        row("the accept in lower case", "{accept}", "c3ppLmbItXaq9KygZZHzrBk+XoO=", &["check upgrade-wrong-accept"]),
        row("no accept", "Sec-WebSocket-Accept: {accept}\r\n", "", &["check upgrade-no-accept"]),
        row("two accepts", "{accept}\r\n", "{accept}\r\nSec-WebSocket-Accept: x\r\n", &["check upgrade-dup-accept"]),
        row("no Upgrade", "Upgrade: websocket\r\n", "", &["check upgrade-header-missing"]),
        row("an upgrade to something else", "Upgrade: websocket", "Upgrade: h2c", &["check upgrade-header-wrong"]),
        row("no Connection", "Connection: Upgrade\r\n", "", &["check upgrade-header-missing"]),
        row("Connection: close", "Connection: Upgrade", "Connection: close", &["check upgrade-header-wrong"]),
        row("HTTP/1.0", "HTTP/1.1", "HTTP/1.0", &["check upgrade-http-version", "opened"]),
        row("lines ended in LF alone", "\r\n", "\n", &["check upgrade-bare-lf", "opened"]),
        row(
            "a subprotocol nobody offered",
            "\r\n\r\n",
            "\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
            &["check subprotocol-unrequested"],
        ),
        row(
            "an extension nobody offered",
            "\r\n\r\n",
            "\r\nSec-WebSocket-Extensions: x-mux\r\n\r\n",
            &["check extension-unrequested"],
        ),
        row(
            "a 101 with nothing of a handshake",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n",
            "",
            &["check upgrade-header-missing", "check upgrade-header-missing", "check upgrade-no-accept"],
        ),
        row("a subprotocol offered, none chosen", "", "", &["check subprotocol-unanswered"])
            .with(|options| options.subprotocols = vec!["chat".to_owned()]),
        row(
            "another subprotocol than offered",
            "\r\n\r\n",
            "\r\nSec-WebSocket-Protocol: talk\r\n\r\n",
            &["check subprotocol-mismatch"],
        )
        .with(|options| options.subprotocols = vec!["chat".to_owned(), "superchat".to_owned()]),
    ]
}

fn no_http() -> Vec<Misbehaviour> {
    let row =
        |name, head: &str, theirs: &[&'static str]| answer(name, head, Then::Fin, theirs, &["end fin", "we closed"]);
    vec![
        row("an SSH server", "SSH-2.0-OpenSSH_9.2\r\n", &["opaque SSH-2.0-Open…"]),
        row("a mail server", "220 mail.example ESMTP\r\n", &["opaque 220 mail.exa…"]),
        row("a TLS alert", "\u{15}\u{3}\u{1}\0\u{2}\u{2}F", &["opaque \\x15\\x03\\x01\\x00\\x02\\x02F"]),
        row("frames without a handshake", "\u{1}\u{2}hi", &["opaque \\x01\\x02hi"]),
        row("a status that is no number", "HTTP/1.1 abc\r\n\r\n", &["opaque HTTP/1.1 abc…"]),
        row("HTTP/2", "HTTP/2 101\r\n\r\n", &["opaque HTTP/2 101\\r\\n…"]),
        row("an empty line first", "\r\nHTTP/1.1 101 Switching Protocols\r\n\r\n", &["opaque \\r\\nHTTP/1.1 1…"]),
    ]
}

fn cuts() -> Vec<Misbehaviour> {
    let closed = &["end fin", "we closed"];
    let reset = &["end reset", "we closed"];
    let upgrade = |options: &mut sockeye::engine::ConnectOptions| options.time_outs.upgrade_millis = 200;
    vec![
        answer("no answer, FIN", "", Then::Fin, &[], closed),
        answer("no answer, RST", "", Then::Reset, &[], reset),
        answer("no answer at all", "", Then::Stay, &[], &["time-out upgrade", "we closed"]).with(upgrade),
        answer("FIN amid the status line", "HTTP/1.1 1", Then::Fin, &[], closed),
        answer("FIN amid the headers", "HTTP/1.1 101 Switching Protocols\r\nUpgr", Then::Fin, &[], closed),
        answer("RST amid the headers", "HTTP/1.1 101 Switching Protocols\r\nUpgr", Then::Reset, &[], reset),
        answer(
            "a head that is never finished",
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n",
            Then::Stay,
            &[],
            &["time-out upgrade", "we closed"],
        )
        .with(upgrade),
    ]
}

fn refusals() -> Vec<Misbehaviour> {
    let closed = &["end fin", "we closed"];
    vec![
        answer(
            "a refusal cut short of its Content-Length",
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nno entry",
            Then::Fin,
            &["403", "body no entry"],
            closed,
        ),
        answer(
            "a refusal with a chunk cut short",
            "HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nsorry",
            Then::Fin,
            &["500", "body 20\\r\\nsorry"],
            closed,
        ),
        answer(
            "a chunk size that is no number",
            "HTTP/1.1 500 Internal Server Error\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nsorry\r\n0\r\n\r\n",
            Then::Fin,
            &["500", "body zz\\r\\nsorry\\r\\n0…"],
            closed,
        ),
        answer(
            "a page with status 200",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
            Then::Fin,
            &["200", "body <html>"],
            closed,
        ),
        answer(
            "a refusal without a body or a length",
            "HTTP/1.1 401 Unauthorized\r\n\r\n",
            Then::Fin,
            &["401"],
            closed,
        ),
        answer(
            "status 204 with bytes behind it",
            "HTTP/1.1 204 No Content\r\n\r\nxx",
            Then::Fin,
            &["204", "opaque xx"],
            closed,
        ),
        answer("103 and nothing more", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", Then::Fin, &["103"], closed),
        answer("100 Continue and nothing more", "HTTP/1.1 100 Continue\r\n\r\n", Then::Fin, &["100"], closed),
        answer(
            "the refusal comes, then RST amid its body",
            "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 10\r\n\r\nbad",
            Then::Reset,
            &["502", "body bad"],
            &["end reset", "we closed"],
        ),
    ]
}
