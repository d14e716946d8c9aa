//! The opening handshake as text: request and response heads, and the checks of RFC 6455 §4.1.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha1::{Digest as _, Sha1};

use super::MAX_HEAD_BYTES;
use super::extension::{Deflate, negotiate};

/// The head of the request that we sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHead {
    /// The request line's target: path and query.
    pub target: String,
    /// Names and values in order, as sent.
    pub headers: Vec<(String, String)>,
    /// Bytes of the head with its empty line.
    pub len_bytes: usize,
}

impl RequestHead {
    /// Every value of a header, in order; names are compared without case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        values(&self.headers, name)
    }
}

/// The head of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHead {
    /// The minor version: 0 for HTTP/1.0.
    pub minor_version: u8,
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// Names and values in order, as received; bytes outside UTF-8 replaced.
    pub headers: Vec<(String, String)>,
    /// Bytes of the head with its empty line.
    pub len_bytes: usize,
    /// Whether a line ended in LF alone.
    pub bare_lf: bool,
}

impl ResponseHead {
    /// Every value of a header, in order; names are compared without case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        values(&self.headers, name)
    }

    /// The first value of a header.
    pub fn value<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.values(name).next()
    }
}

fn values<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

/// What the beginning of an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadOutcome {
    /// Not whole yet.
    Partial,
    /// A whole head.
    Head(Box<ResponseHead>),
    /// Not HTTP/1.x.
    NotHttp,
    /// Longer than [`MAX_HEAD_BYTES`] without an end.
    TooBig,
}

/// Reads a response head from the front of `bytes`.
pub fn parse_response(bytes: &[u8]) -> HeadOutcome {
    const PREFIX: &[u8] = b"HTTP/1.";
    let begin = bytes.len().min(PREFIX.len());
    if bytes[..begin] != PREFIX[..begin] {
        return HeadOutcome::NotHttp;
    }
    let Some(end) = head_end(bytes) else {
        return if bytes.len() > MAX_HEAD_BYTES { HeadOutcome::TooBig } else { HeadOutcome::Partial };
    };
    if end > MAX_HEAD_BYTES {
        return HeadOutcome::TooBig;
    }
    read_head(&bytes[..end]).map_or(HeadOutcome::NotHttp, |head| HeadOutcome::Head(Box::new(head)))
}

/// Reads the head by lines, so that one odd header does not hide the others.
fn read_head(head: &[u8]) -> Option<ResponseHead> {
    let mut bare_lf = false;
    let mut lines = head.split_inclusive(|b| *b == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or_else(|| {
            bare_lf = true;
            line
        })
    });
    let status_line = String::from_utf8_lossy(lines.next()?).into_owned();
    let mut words = status_line.splitn(3, ' ');
    let minor_version = words.next()?.strip_prefix("HTTP/1.")?.parse().ok()?;
    let status: u16 = words.next().filter(|w| w.len() == 3)?.parse().ok()?;
    let reason = words.next().unwrap_or("").to_owned();
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in lines {
        let text = String::from_utf8_lossy(line);
        if text.is_empty() {
            continue;
        }
        if text.starts_with([' ', '\t'])
            && let Some((_, value)) = headers.last_mut()
        {
            value.push(' ');
            value.push_str(text.trim());
            continue;
        }
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        headers.push((name.trim_end().to_owned(), value.trim().to_owned()));
    }
    Some(ResponseHead { minor_version, status, reason, headers, len_bytes: head.len(), bare_lf })
}

/// Reads the request head that we sent.
pub fn parse_request(bytes: &[u8]) -> Option<RequestHead> {
    let end = head_end(bytes)?;
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.lines();
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    Some(RequestHead { target, headers, len_bytes: end })
}

/// The length of the head with its empty line, if it is whole.
fn head_end(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(i) = bytes.get(from..)?.iter().position(|b| *b == b'\n') {
        let next = from + i + 1;
        match (bytes.get(next), bytes.get(next + 1)) {
            (Some(b'\n'), _) => return Some(next + 1),
            (Some(b'\r'), Some(b'\n')) => return Some(next + 2),
            _ => from = next,
        }
    }
    None
}

/// One check of the response, passed or failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Which check.
    pub check: CheckName,
    /// Whether it passed.
    pub ok: bool,
    /// What should have been there.
    pub expected: String,
    /// What was there.
    pub got: String,
    /// The id in the catalogue of causes, if it failed.
    pub cause_id: Option<String>,
    /// Whether an endpoint fails the connection for it.
    pub fatal: bool,
}

/// The checks of RFC 6455 §4.1 in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckName {
    /// The status is 101.
    Status,
    /// The status line says HTTP/1.1.
    HttpVersion,
    /// Lines end in CRLF.
    LineEnds,
    /// `Upgrade: websocket`.
    Upgrade,
    /// `Connection` contains `Upgrade`.
    Connection,
    /// `Sec-WebSocket-Accept` is right.
    Accept,
    /// The subprotocol is one that was offered.
    Subprotocol,
    /// Only extensions that were offered, with legal parameters.
    Extensions,
}

impl CheckName {
    /// The words for it in window and terminal.
    pub fn words(self) -> &'static str {
        match self {
            Self::Status => "status 101",
            Self::HttpVersion => "HTTP/1.1",
            Self::LineEnds => "line ends",
            Self::Upgrade => "Upgrade",
            Self::Connection => "Connection",
            Self::Accept => "Sec-WebSocket-Accept",
            Self::Subprotocol => "subprotocol",
            Self::Extensions => "extensions",
        }
    }

    /// The section that the rule stands in.
    pub fn section(self) -> &'static str {
        match self {
            Self::Status | Self::Upgrade | Self::Connection | Self::Accept | Self::Subprotocol => "RFC 6455 §4.1",
            // A 101 is of HTTP/1.1: to a client of 1.0 a server must not send any 1xx.
            Self::HttpVersion => "RFC 9110 §15.2",
            Self::LineEnds => "RFC 9112 §2.2",
            Self::Extensions => "RFC 6455 §9.1",
        }
    }
}

/// Checks a final response against the request (RFC 6455 §4.1); with another status than 101 only the status counts.
pub fn checks(request: &RequestHead, response: &ResponseHead) -> Vec<Check> {
    let status =
        row(CheckName::Status, response.status == 101, "101", &response.status.to_string(), "http-other", true);
    if response.status != 101 {
        return vec![status];
    }
    let version = format!("HTTP/1.{}", response.minor_version);
    let lf = if response.bare_lf { "LF alone" } else { "CRLF" };
    vec![
        status,
        row(CheckName::HttpVersion, response.minor_version == 1, "HTTP/1.1", &version, "upgrade-http-version", false),
        row(CheckName::LineEnds, !response.bare_lf, "CRLF", lf, "upgrade-bare-lf", false),
        token_header(response, CheckName::Upgrade, "upgrade", "websocket"),
        token_header(response, CheckName::Connection, "connection", "upgrade"),
        accept(request, response),
        subprotocol(request, response),
        extensions(request, response),
    ]
}

fn row(check: CheckName, ok: bool, expected: &str, got: &str, cause: &str, fatal: bool) -> Check {
    Check {
        check,
        ok,
        expected: expected.to_owned(),
        got: got.to_owned(),
        cause_id: (!ok).then(|| cause.to_owned()),
        fatal: fatal && !ok,
    }
}

fn joined(response: &ResponseHead, name: &str) -> Option<String> {
    let all: Vec<&str> = response.values(name).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn token_header(response: &ResponseHead, check: CheckName, name: &str, wanted: &str) -> Check {
    match joined(response, name) {
        None => row(check, false, wanted, "(missing)", "upgrade-header-missing", true),
        Some(got) => {
            let ok = match check {
                CheckName::Connection => got.split(',').any(|t| t.trim().eq_ignore_ascii_case(wanted)),
                _ => got.eq_ignore_ascii_case(wanted),
            };
            row(check, ok, wanted, &got, "upgrade-header-wrong", true)
        }
    }
}

fn accept(request: &RequestHead, response: &ResponseHead) -> Check {
    let expected = accept_for(request.values("sec-websocket-key").next().unwrap_or(""));
    let all: Vec<&str> = response.values("sec-websocket-accept").collect();
    let (ok, got, cause) = match all.as_slice() {
        [] => (false, "(missing)".to_owned(), "upgrade-no-accept"),
        [one] => (**one == *expected, (*one).to_owned(), "upgrade-wrong-accept"),
        more => (false, more.join(", "), "upgrade-dup-accept"),
    };
    row(CheckName::Accept, ok, &expected, &got, cause, true)
}

fn subprotocol(request: &RequestHead, response: &ResponseHead) -> Check {
    let offered: Vec<&str> =
        request.values("sec-websocket-protocol").flat_map(|v| v.split(',')).map(str::trim).collect();
    let expected = if offered.is_empty() { "none".to_owned() } else { format!("one of {}", offered.join(", ")) };
    match joined(response, "sec-websocket-protocol") {
        None if offered.is_empty() => row(CheckName::Subprotocol, true, "none", "none", "", false),
        None => row(CheckName::Subprotocol, false, &expected, "none", "subprotocol-unanswered", true),
        Some(got) if offered.is_empty() => {
            row(CheckName::Subprotocol, false, "none", &got, "subprotocol-unrequested", true)
        }
        Some(got) => {
            let ok = offered.contains(&got.as_str());
            row(CheckName::Subprotocol, ok, &expected, &got, "subprotocol-mismatch", true)
        }
    }
}

fn extensions(request: &RequestHead, response: &ResponseHead) -> Check {
    let offered = request.values("sec-websocket-extensions").collect::<Vec<_>>().join(", ");
    let expected = if offered.is_empty() { "none" } else { &offered };
    let Some(got) = joined(response, "sec-websocket-extensions").filter(|v| !v.trim().is_empty()) else {
        return row(CheckName::Extensions, true, expected, "none", "", false);
    };
    match negotiate(&offered, &got) {
        Ok(_) => row(CheckName::Extensions, true, expected, &got, "", false),
        Err(problem) => {
            let got = format!("{got} ({})", problem.words());
            row(CheckName::Extensions, false, expected, &got, problem.cause_id(), true)
        }
    }
}

/// What permessage-deflate was agreed on with, if both heads are right about it.
pub fn agreed_deflate(request: &RequestHead, response: &ResponseHead) -> Option<Deflate> {
    let offered = request.values("sec-websocket-extensions").collect::<Vec<_>>().join(", ");
    negotiate(&offered, &joined(response, "sec-websocket-extensions")?).ok()?
}

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455 §4.2.2, item 5.4).
pub fn accept_for(key: &str) -> String {
    let digest = Sha1::new().chain_update(key).chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11").finalize();
    STANDARD.encode(digest)
}

/// Whether a `Sec-WebSocket-Key` is 16 bytes in base64, as RFC 6455 §4.1 demands.
pub fn is_key(value: &str) -> bool {
    STANDARD.decode(value).is_ok_and(|bytes| bytes.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(extra: &str) -> RequestHead {
        let text =
            format!("GET /a?b=c HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{extra}\r\n");
        parse_request(text.as_bytes()).unwrap()
    }

    fn failed(request_extra: &str, response: &str) -> Vec<String> {
        let HeadOutcome::Head(head) = parse_response(response.as_bytes()) else { panic!("{response}") };
        checks(&request(request_extra), &head).into_iter().filter_map(|c| c.cause_id).collect()
    }

    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    /// RFC 6455 §1.3.
    #[test]
    fn the_accept_of_the_rfc_passes() {
        assert_eq!(failed("", &format!("{GOOD}\r\n")), Vec::<String>::new());
        assert!(is_key("dGhlIHNhbXBsZSBub25jZQ==") && !is_key("short"));
    }

    #[test]
    fn each_check_fails_alone() {
        let check = |request: &str, response: String, cause: &str| {
            assert_eq!(failed(request, &response), [cause.to_owned()], "{response}");
        };
        let offer = "Sec-WebSocket-Protocol: a, b\r\n";
        let deflate = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
        check("", format!("{}\r\n", GOOD.replace("s3p", "xxx")), "upgrade-wrong-accept");
        check("", format!("{}\r\n", GOOD.replace("Sec-WebSocket-Accept", "X")), "upgrade-no-accept");
        check("", format!("{GOOD}Sec-WebSocket-Accept: x\r\n\r\n"), "upgrade-dup-accept");
        check("", format!("{}\r\n", GOOD.replace("Upgrade: WebSocket", "X: y")), "upgrade-header-missing");
        check("", format!("{}\r\n", GOOD.replace("WebSocket\r", "h2c\r")), "upgrade-header-wrong");
        check("", format!("{}\r\n", GOOD.replace("keep-alive, Upgrade", "close")), "upgrade-header-wrong");
        check("", format!("{}\r\n", GOOD.replace("HTTP/1.1", "HTTP/1.0")), "upgrade-http-version");
        check("", format!("{}\n", GOOD.replace("\r\n", "\n")), "upgrade-bare-lf");
        check(offer, format!("{GOOD}\r\n"), "subprotocol-unanswered");
        check("", format!("{GOOD}Sec-WebSocket-Protocol: z\r\n\r\n"), "subprotocol-unrequested");
        check(offer, format!("{GOOD}Sec-WebSocket-Protocol: z\r\n\r\n"), "subprotocol-mismatch");
        check("", format!("{GOOD}Sec-WebSocket-Extensions: x-foo\r\n\r\n"), "extension-unrequested");
        check(
            deflate,
            format!("{GOOD}Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16\r\n\r\n"),
            "extension-bad-params",
        );
        assert!(
            failed(
                deflate,
                &format!("{GOOD}Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n")
            )
            .is_empty()
        );
    }

    #[test]
    fn what_is_not_http_is_said_so() {
        assert_eq!(parse_response(b"SSH-2.0"), HeadOutcome::NotHttp);
        assert_eq!(parse_response(b"HTTP/1.1 abc\r\n\r\n"), HeadOutcome::NotHttp);
        assert_eq!(parse_response(b"HTT"), HeadOutcome::Partial);
        assert_eq!(parse_response(b""), HeadOutcome::Partial);
        assert_eq!(parse_response(b"HTTP/2 200\r\n\r\n"), HeadOutcome::NotHttp);
        let mut endless = b"HTTP/1.1 200 OK\r\n".to_vec();
        endless.resize(MAX_HEAD_BYTES + 1, b'a');
        assert_eq!(parse_response(&endless), HeadOutcome::TooBig);
    }

    #[test]
    fn every_cut_is_partial() {
        let whole = format!("{GOOD}\r\n");
        for cut in 0..whole.len() {
            assert_eq!(parse_response(&whole.as_bytes()[..cut]), HeadOutcome::Partial, "{cut}");
        }
    }
}
