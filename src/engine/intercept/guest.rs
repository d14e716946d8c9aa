//! A client of somebody else: what it asks for, and what it is told at the end.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::TOLD_CODE;
use crate::engine::ConnectOptions;
use crate::observation::{Between, Expect, Preset, TokenPlace};
use crate::token::looks_like_token;
use crate::token::place::{bearer, in_query};
use crate::wire::{RequestHead, Target, accept_for, encode_frame, parse_request};

/// What a client sent first.
pub(super) enum First {
    /// A request: its head, and all that was read, which goes on behind it.
    Request(RequestHead, Vec<u8>),
    /// Nothing.
    Nothing,
    /// The beginning of TLS.
    Tls,
    /// Something else.
    NotHttp,
    /// A head without an end.
    TooLong,
}

/// Reads until the head of a request is whole.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> First {
    let mut read = Vec::new();
    loop {
        let before = read.len();
        if !matches!(stream.read_buf(&mut read).await, Ok(len) if len > 0) {
            return if read.is_empty() { First::Nothing } else { First::NotHttp };
        }
        if before == 0 && read.first() == Some(&TLS_HANDSHAKE) {
            return First::Tls;
        }
        if before < METHOD_BYTES && !begins_like_http(&read) {
            return First::NotHttp;
        }
        if let Some(head) = parse_request(&read) {
            return First::Request(head, read);
        }
        if read.len() > MAX_HEAD_BYTES {
            return First::TooLong;
        }
    }
}

/// Whether bytes may begin a request: a method is letters, then a space.
fn begins_like_http(bytes: &[u8]) -> bool {
    let method = bytes.iter().take(METHOD_BYTES).take_while(|byte| **byte != b' ');
    method.clone().all(u8::is_ascii_uppercase) && bytes.first() != Some(&b' ')
}

/// How a client's connection is made and judged: what it asks for in place of what the user typed.
pub(super) fn options(template: &ConnectOptions, target: &Target, head: &RequestHead) -> ConnectOptions {
    let port = if target.explicit_port { format!(":{}", target.port) } else { String::new() };
    let path = if head.target.starts_with('/') { head.target.as_str() } else { "/" };
    let mut options = template.clone();
    // A request may hold what no URL may.
    let path = path.replace('#', "%23");
    options.url = format!("{}://{}{port}{path}", target.scheme(), target.bracketed_host());
    options.preset = Preset::Bare;
    options.expect = Expect::None;
    options.reconnect = None;
    options.origin = head.values("origin").next().map(str::to_owned);
    options.extensions = joined(head, "sec-websocket-extensions");
    let protocols = joined(head, "sec-websocket-protocol").unwrap_or_default();
    options.subprotocols = protocols.split(',').map(str::trim).filter(|p| !p.is_empty()).map(str::to_owned).collect();
    options.headers = head.headers.iter().filter(|(name, _)| !is_of_the_handshake(name)).cloned().collect();
    (options.token, options.token_place) = token(head);
    if options.token.is_some() {
        options.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    }
    options
}

/// Whether a request is an opening handshake, right or wrong.
pub(super) fn asks_for_websocket(head: &RequestHead) -> bool {
    let is_upgrade = head.values("upgrade").any(|value| value.to_ascii_lowercase().contains("websocket"));
    is_upgrade || head.values("sec-websocket-key").next().is_some()
}

/// Every value of a header, with commas between them.
fn joined(head: &RequestHead, name: &str) -> Option<String> {
    let values: Vec<&str> = head.values(name).collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Whether our own request has a line of this name already.
fn is_of_the_handshake(name: &str) -> bool {
    let own = ["host", "connection", "upgrade", "origin", "content-length", "transfer-encoding"];
    own.iter().any(|known| name.eq_ignore_ascii_case(known))
        || name.get(..14).is_some_and(|begin| begin.eq_ignore_ascii_case("sec-websocket-"))
}

/// The client's token, and where it is: in the query, by its usual name or by its looks, or as a bearer's.
fn token(head: &RequestHead) -> (Option<String>, Option<TokenPlace>) {
    let is_there = |name: &&str| {
        let values = in_query(&head.target, name);
        values.iter().any(|value| !value.raw.is_empty() && (*name == TOKEN_NAMES[0] || looks_like_token(value.raw)))
    };
    if let Some(name) = TOKEN_NAMES.iter().find(|name| is_there(name)) {
        return (None, Some(TokenPlace::Query { name: (*name).to_owned() }));
    }
    match head.values("authorization").find_map(bearer) {
        Some(token) => (Some(token.to_owned()), Some(TokenPlace::Bearer)),
        None => (None, None),
    }
}

/// The same bytes, with another value of `Host` in the head.
///
/// A request for something else than a WebSocket asks for no second one on its connection, whose `Host` would stay as it is.
pub(super) fn renamed(read: &[u8], head: &RequestHead, host: &str) -> Vec<u8> {
    let closes = !asks_for_websocket(head);
    let (head, rest) = read.split_at_checked(head.len_bytes).unwrap_or((read, &[]));
    let mut out = Vec::with_capacity(read.len() + host.len());
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let is = |name: &[u8]| line.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
        let value = if is(b"host:") {
            Some((5, host))
        } else if closes && is(b"connection:") {
            Some((11, "close"))
        } else {
            None
        };
        if let Some((name_len, value)) = value {
            out.extend_from_slice(line.get(..name_len).unwrap_or_default());
            out.extend_from_slice(b" ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(if line.ends_with(b"\r\n") { b"\r\n" } else { b"\n" });
        } else {
            out.extend_from_slice(line);
        }
    }
    out.extend_from_slice(rest);
    out
}

/// A client of somebody else, whose connection goes through us.
pub(crate) struct Guest {
    /// Its connection; `None` once it is over.
    pub(super) stream: Option<TcpStream>,
    /// Between whom we stand.
    pub(crate) between: Between,
    /// What it sent first, for the server: a request and what follows it.
    pub(super) first: Vec<u8>,
    /// How far its connection came.
    pub(super) state: GuestState,
}

/// What the client has seen of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GuestState {
    /// No answer; of one that was held back, these bytes.
    Unanswered(Vec<u8>),
    /// An answer that opened the connection, and then whole frames.
    Open,
    /// Something else, or a Close frame: there is nothing to be added.
    Over,
}

impl Guest {
    /// A client that sent this first.
    pub(super) fn new(stream: TcpStream, between: Between, first: Vec<u8>) -> Self {
        Self { stream: Some(stream), between, first, state: GuestState::Unanswered(Vec::new()) }
    }

    /// Whether it asks for a WebSocket.
    pub(crate) fn asks_for_websocket(&self) -> bool {
        parse_request(&self.first).is_some_and(|head| asks_for_websocket(&head))
    }

    /// Ends the client's connection, unless it is to be told why the server did.
    pub(crate) fn part(&mut self) {
        if !self.between.tells || self.state == GuestState::Over {
            self.stream = None;
        }
    }

    /// Whether the client waits for a word.
    pub(crate) fn waits(&self) -> bool {
        self.stream.is_some()
    }

    /// Tells the client why by a Close frame, and ends its connection; gives code and reason if that could be done.
    ///
    /// A handshake that no answer could open gets the server's answer as it was.
    pub(crate) async fn tell(mut self, cause: &str, summary: &str) -> Option<(u16, String)> {
        let mut stream = self.stream.take()?;
        let reason = reason(cause, summary);
        let close = encode_frame(0x88, None, &[&TOLD_CODE.to_be_bytes(), reason.as_bytes()].concat());
        let words = match &self.state {
            GuestState::Open => Some(close),
            GuestState::Unanswered(_) => acceptance(&self.first).map(|answer| [answer.into_bytes(), close].concat()),
            GuestState::Over => None,
        };
        let Some(words) = words else {
            if let GuestState::Unanswered(held) = &self.state {
                // A client that is gone or does not read does not miss it.
                timeout(ANSWER_LIMIT, stream.write_all(held)).await.ok();
            }
            return None;
        };
        timeout(ANSWER_LIMIT, stream.write_all(&words)).await.ok()?.ok()?;
        // It answers with a Close of its own; ending before it has read ours could take that away from it.
        stream.shutdown().await.ok();
        let mut scratch = [0; 4096];
        let answered = async { while matches!(stream.read(&mut scratch).await, Ok(len) if len > 0) {} };
        timeout(ANSWER_LIMIT, answered).await.ok();
        Some((TOLD_CODE, reason))
    }
}

/// An answer that opens a connection for which this request asks, if it does.
fn acceptance(request: &[u8]) -> Option<String> {
    let head = parse_request(request)?;
    let key = head.values("sec-websocket-key").next()?;
    // Browsers fail a connection for which they offered subprotocols and got none.
    let protocol = head.values("sec-websocket-protocol").next().and_then(|all| all.split(',').next());
    let protocol = protocol.map_or_else(String::new, |one| format!("Sec-WebSocket-Protocol: {}\r\n", one.trim()));
    Some(format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{protocol}\r\n",
        accept_for(key)
    ))
}

/// A cause as a close reason, which may be 123 bytes long (RFC 6455 §5.5).
fn reason(cause: &str, summary: &str) -> String {
    let mut reason = format!("{cause}: {summary}");
    if reason.len() > MAX_REASON_BYTES {
        let mut end = MAX_REASON_BYTES - '…'.len_utf8();
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        reason.push('…');
    }
    reason
}

/// The longest request head that is taken.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The type of a TLS record that begins a handshake (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 22;
/// By then a method has ended.
const METHOD_BYTES: usize = 16;
/// The longest close reason.
const MAX_REASON_BYTES: usize = 123;
/// What tokens are called in queries; the first is one whatever it looks like.
const TOKEN_NAMES: [&str; 5] = ["token", "access_token", "jwt", "auth", "authToken"];
/// How long a client may take to end its side after it was told.
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse_url;

    fn head(text: &str) -> RequestHead {
        parse_request(text.as_bytes()).unwrap()
    }

    fn adapted(text: &str) -> ConnectOptions {
        let template = ConnectOptions::new("wss://voice.example:8443/ignored");
        options(&template, &parse_url(&template.url).unwrap(), &head(text))
    }

    #[test]
    fn the_client_says_what_is_connected_to() {
        let options = adapted(
            "GET /ws?token=a.b.c&agentId=1 HTTP/1.1\r\nHost: localhost:9001\r\nOrigin: http://localhost:5173\r\n\
             Cookie: sid=1\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Protocol: chat, v2\r\n\
             Sec-WebSocket-Extensions: permessage-deflate\r\nX-Own: 1\r\n\r\n",
        );
        assert_eq!(options.url, "wss://voice.example:8443/ws?token=a.b.c&agentId=1");
        assert_eq!(options.token_place, Some(TokenPlace::Query { name: "token".to_owned() }));
        assert_eq!(options.origin.as_deref(), Some("http://localhost:5173"));
        assert_eq!(options.subprotocols, ["chat", "v2"]);
        assert_eq!(options.extensions.as_deref(), Some("permessage-deflate"));
        let names: Vec<&str> = options.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Cookie", "X-Own"]);
        let bearer = adapted("GET / HTTP/1.1\r\nAuthorization: Bearer x.y.z\r\n\r\n");
        assert_eq!((bearer.token.as_deref(), bearer.token_place), (Some("x.y.z"), Some(TokenPlace::Bearer)));
        assert!(bearer.headers.is_empty());
        assert_eq!(adapted("GET /?auth=basic HTTP/1.1\r\n\r\n").token_place, None);
        let jwt = adapted("GET /?token=&auth=eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln HTTP/1.1\r\n\r\n");
        assert_eq!(jwt.token_place, Some(TokenPlace::Query { name: "auth".to_owned() }));
        assert_eq!(adapted("GET * HTTP/1.1\r\n\r\n").url, "wss://voice.example:8443/");
    }

    #[test]
    fn only_the_host_is_renamed() {
        let read =
            b"GET / HTTP/1.1\r\nhost:  localhost:9001\r\nX-Host: localhost:9001\r\n\r\nHost: no line of the head\n";
        let head = parse_request(read).unwrap();
        let out = String::from_utf8(renamed(read, &head, "voice.example")).unwrap();
        assert_eq!(
            out,
            "GET / HTTP/1.1\r\nhost: voice.example\r\nX-Host: localhost:9001\r\n\r\nHost: no line of the head\n"
        );
    }

    #[test]
    fn a_renamed_request_for_a_page_asks_for_no_second_one() {
        let page = b"GET / HTTP/1.1\r\nHost: localhost:9001\r\nConnection: keep-alive\r\n\r\n";
        let out = renamed(page, &parse_request(page).unwrap(), "voice.example");
        assert_eq!(out, b"GET / HTTP/1.1\r\nHost: voice.example\r\nConnection: close\r\n\r\n");
        let upgrade = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";
        let out = renamed(upgrade, &parse_request(upgrade).unwrap(), "b");
        assert_eq!(out, b"GET / HTTP/1.1\r\nHost: b\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n");
    }

    #[test]
    fn a_reason_fits_into_a_close_frame() {
        assert_eq!(reason("http-401", "No."), "http-401: No.");
        let long = reason("http-401", &"größe ".repeat(40));
        assert!(long.len() <= 123 && long.ends_with('…') && long.len() > 118, "{long}");
    }

    #[test]
    fn an_acceptance_answers_the_offer() {
        let asked =
            b"GET / HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a, b\r\n\r\n";
        let answer = acceptance(asked).unwrap();
        assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: a\r\n\r\n"), "{answer}");
        assert_eq!(acceptance(b"GET / HTTP/1.1\r\n\r\n"), None);
    }

    #[tokio::test]
    async fn what_is_no_request_is_seen_at_once() {
        for (sent, expected) in [
            (&b""[..], "nothing"),
            (b"\x16\x03\x01\x02\x00", "tls"),
            (b"\x00\x01", "not http"),
            (b"GET / HTTP/1.1\r\nHost: h\r\n", "not http"),
            (b"GET / HTTP/1.1\r\nHost: h\r\n\r\nmore", "request"),
            (b" GET / HTTP/1.1\r\n\r\n", "not http"),
        ] {
            let first = match read_head(&mut &sent[..]).await {
                First::Request(_, read) => {
                    assert_eq!(read, sent);
                    "request"
                }
                First::Nothing => "nothing",
                First::Tls => "tls",
                First::NotHttp => "not http",
                First::TooLong => "too long",
            };
            assert_eq!(first, expected, "{sent:?}");
        }
        let endless = [b"GET / HTTP/1.1\r\n".as_slice(), &b"X: y\r\n".repeat(20_000)].concat();
        assert!(matches!(read_head(&mut endless.as_slice()).await, First::TooLong));
    }

    /// Good requests with bytes flipped, put in, taken out and doubled, from a fixed seed.
    fn mutated(rounds: u64) -> impl Iterator<Item = Vec<u8>> {
        const SEEDS: [&[u8]; 3] = [
            b"GET /ws?token=eyJhbGciOiJub25lIn0.e30.&a=%zz#x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nCookie: a=b\r\n\r\n\x81\x80",
            b"POST http://other/ HTTP/1.1\nhOsT : x\nConnection: keep-alive\nAuthorization: Bearer a.b.c\n\nbody",
            b"OPTIONS * HTTP/1.0\r\n\r\n",
        ];
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let mut below = move |end: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % end.max(1) as u64).unwrap()
        };
        (0..rounds).map(move |_| {
            let mut bytes = SEEDS[below(SEEDS.len())].to_vec();
            for _ in 0..=below(5) {
                let at = below(bytes.len() + 1);
                match below(4) {
                    0 => bytes.insert(at, [0, b'\r', b'\n', b':', b' ', 0xFF][below(6)]),
                    1 if at < bytes.len() => bytes[at] ^= 1 << below(8),
                    2 if at < bytes.len() => drop(bytes.remove(at)),
                    _ => bytes.extend_from_within(..at),
                }
            }
            bytes
        })
    }

    #[tokio::test]
    async fn odd_requests_are_read_and_renamed_without_harm() {
        let template = ConnectOptions::new("wss://voice.example:8443/");
        let target = parse_url(&template.url).unwrap();
        let mut whole = 0;
        for bytes in mutated(20_000) {
            let First::Request(head, read) = read_head(&mut bytes.as_slice()).await else { continue };
            whole += 1;
            let options = options(&template, &target, &head);
            assert!(options.url.starts_with("wss://voice.example:8443/"), "{:?}", options.url);
            // What may be said of the URL is said; it is the same server in any case.
            if let Ok(asked) = parse_url(&options.url) {
                assert_eq!((asked.host.as_str(), asked.port), ("voice.example", 8443), "{:?}", options.url);
            }
            let out = renamed(&read, &head, "voice.example:8443");
            let rest = &read[head.len_bytes..];
            assert!(out.ends_with(rest), "what follows the head is as it was");
            let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').count();
            assert_eq!(lines(&out), lines(&read), "{:?}", String::from_utf8_lossy(&read));
            acceptance(&read);
        }
        assert!(whole > 10_000, "{whole}");
    }
}
