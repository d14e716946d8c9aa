//! The opening handshake once more, with one thing changed: the same bytes, a fresh key, and a short look at what follows.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::{Asker, connect, preview};
use crate::engine::client::failure::{io_failure, read_end};
use crate::observation::{Change, Direction, Fact, Handshaken, Moment, ProbeOutcome, ReadEnd, TokenPlace};
use crate::store::Story;
use crate::wire::{Decoder, ResponseHead, encode_frame};

/// How long is looked on after a 101 at least and at most.
const LOOK_ON: (u64, u64) = (300, 1_500);
/// What the first connection took to fail after its 101, and this much more, is waited for.
const MARGIN_MILLIS: u64 = 300;
/// How long the answer is waited for.
const ANSWER: Duration = Duration::from_millis(1_800);
/// How much is read at most.
const MOST_BYTES: usize = 256 * 1024;

impl Asker<'_> {
    pub(super) async fn handshake(&self, address: SocketAddr, change: &Change, with_token: bool) -> ProbeOutcome {
        let (Some(plan), Some(sent)) = (&self.story.plan, &self.story.request) else {
            return ProbeOutcome::Silent;
        };
        let request = changed(&sent.raw, plan.token_place.as_ref(), change, with_token, &generate_key());
        let stream = match self.connect_to(address, change).await {
            Ok(stream) => stream,
            Err(outcome) => return outcome,
        };
        let inside_tls = match change {
            Change::Backend { tls, .. } => *tls,
            Change::None
            | Change::Origin { .. }
            | Change::NoExtensions
            | Change::NoSubprotocol
            | Change::Path { .. } => plan.target.as_ref().is_some_and(|target| target.secure),
        };
        let look_on = look_on_millis(self.story);
        if !inside_tls {
            return watch(stream, &request, look_on).await;
        }
        match self.inside_tls(stream).await {
            Ok(stream) => watch(stream, &request, look_on).await,
            Err(outcome) => outcome,
        }
    }

    async fn connect_to(&self, address: SocketAddr, change: &Change) -> Result<TcpStream, ProbeOutcome> {
        match change {
            Change::Backend { host, .. } if address.ip().is_unspecified() => {
                let name = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name);
                let found = lookup_host((name, address.port())).await;
                match found.map(|mut all| all.next()) {
                    Ok(Some(address)) => connect(address).await,
                    Ok(None) => Err(ProbeOutcome::Silent),
                    Err(error) => Err(ProbeOutcome::Failed(io_failure(&error))),
                }
            }
            _ => connect(address).await,
        }
    }
}

/// Long enough to see the same end that the connection came to.
fn look_on_millis(story: &Story) -> u64 {
    let end = [
        story.read_end.as_ref().map(|(at, _)| *at),
        story.close_received.as_ref().map(|close| close.at),
        story.violations.first().map(|(at, _)| *at),
    ];
    let took = match (story.opened, end.into_iter().flatten().min()) {
        (Some(opened), Some(end)) => end.millis_since(opened) as u64,
        _ => 0,
    };
    (took + MARGIN_MILLIS).clamp(LOOK_ON.0, LOOK_ON.1)
}

/// Sends the request, reads the answer, and after a 101 looks on for a while; then closes politely.
async fn watch(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &[u8], look_on_millis: u64) -> ProbeOutcome {
    let began = Instant::now();
    let mut witness = Witness::new(request);
    let mut deadline = began + ANSWER;
    let mut opened_at = None;
    if let Err(error) = stream.write_all(request).await {
        return ProbeOutcome::Ended(read_end(&error));
    }
    // What the flush could not get out, the answer will miss.
    stream.flush().await.ok();
    let mut buffer = vec![0; 16 * 1024];
    let end = loop {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Err(_elapsed) => break None,
            Ok(Ok(0)) => break Some(ReadEnd::Fin),
            Ok(Err(error)) => break Some(read_end(&error)),
            Ok(Ok(read)) => witness.take(buffer.get(..read).unwrap_or(&[])),
        }
        if witness.has_opened() && opened_at.is_none() {
            opened_at = Some(Instant::now());
            deadline = Instant::now() + Duration::from_millis(look_on_millis);
        }
        if witness.knows_enough() || witness.received.len() > MOST_BYTES {
            break None;
        }
    };
    if let Some(end) = &end {
        witness.apply(&Fact::ReadEnded(end.clone()));
    }
    if opened_at.is_some() && end.is_none() {
        // A polite end; nobody waits for the answer.
        stream.write_all(&encode_frame(0x88, Some([1, 2, 3, 4]), &1000_u16.to_be_bytes())).await.ok();
        stream.flush().await.ok();
    }
    witness.outcome(end, opened_at.map_or(0, |at| u64::try_from(at.elapsed().as_millis()).unwrap_or(u64::MAX)))
}

/// Reads the answer as the store does, on a story of its own.
struct Witness {
    decoder: Decoder,
    story: Story,
    received: Vec<u8>,
}

impl Witness {
    fn new(request: &[u8]) -> Self {
        let mut witness = Self { decoder: Decoder::default(), story: Story::default(), received: Vec::new() };
        let data = Bytes::copy_from_slice(request);
        witness.apply(&Fact::Bytes { direction: Direction::ClientToServer, data });
        witness
    }

    fn apply(&mut self, fact: &Fact) {
        self.story.apply(&mut self.decoder, Moment::default(), fact, &mut |_| {});
    }

    fn take(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        self.apply(&Fact::Bytes { direction: Direction::ServerToClient, data: Bytes::copy_from_slice(bytes) });
    }

    fn has_opened(&self) -> bool {
        let answer = &self.story.answer;
        answer.status() == Some(101) && answer.interim.is_empty() && !answer.checks.iter().any(|check| check.fatal)
    }

    /// Whether nothing that follows would change the outcome.
    fn knows_enough(&self) -> bool {
        let story = &self.story;
        let is_known = |head: &ResponseHead| self.received.len() >= 512 || is_whole(head, &story.answer.body);
        let is_refused = !self.has_opened() && story.answer.head.as_ref().is_some_and(|(_, head)| is_known(head));
        is_refused
            || story.answer.not_http.is_some()
            || story.close_received.is_some()
            || story.first_fatal_violation().is_some()
    }

    fn outcome(self, end: Option<ReadEnd>, watched_millis: u64) -> ProbeOutcome {
        let story = &self.story;
        if self.received.is_empty() {
            return end.map_or(ProbeOutcome::Silent, ProbeOutcome::Ended);
        }
        let broken_check = story.answer.checks.iter().find(|check| check.fatal && story.answer.status() == Some(101));
        let broken = match broken_check {
            Some(check) => check.cause_id.as_deref().map(ToOwned::to_owned),
            None => story.first_fatal_violation().map(|(_, violation)| violation.kind.cause_id().to_owned()),
        };
        ProbeOutcome::Handshaken(Box::new(Handshaken {
            status: story.answer.status(),
            preview: preview(&self.received),
            opened: self.has_opened(),
            broken,
            close: story.close_received.as_ref().map(|close| close.info.code.unwrap_or(1005)),
            message: story.first_message.is_some(),
            end,
            watched_millis,
        }))
    }
}

/// Whether an answer is all there, by its own word, and its sender does not say that it ends the connection as well.
fn is_whole(head: &ResponseHead, body: &[u8]) -> bool {
    let says = |name: &str, word: &str| head.values(name).any(|value| value.to_ascii_lowercase().contains(word));
    if head.minor_version == 0 || says("connection", "close") || head.status == 101 {
        false
    } else if says("transfer-encoding", "chunked") {
        body.ends_with(b"0\r\n\r\n")
    } else {
        let len_bytes = head.value("content-length").and_then(|value| value.trim().parse().ok());
        matches!(head.status, 204 | 304) || len_bytes.is_some_and(|len_bytes| body.len() >= len_bytes)
    }
}

/// The request as it was sent, with a fresh key and one thing changed.
fn changed(raw: &[u8], place: Option<&TokenPlace>, change: &Change, with_token: bool, key: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(raw);
    let mut lines = text.split("\r\n").take_while(|line| !line.is_empty());
    let mut words = lines.next().unwrap_or_default().splitn(3, ' ');
    let (method, target) = (words.next().unwrap_or("GET"), words.next().unwrap_or("/"));
    let version = words.next().unwrap_or("HTTP/1.1");
    let without = if with_token { None } else { place };
    let mut head = vec![format!("{method} {} {version}", changed_target(target, without, change))];
    let mut has_origin = false;
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let Some(value) = changed_field(name, value.trim(), without, change, key) else {
            continue;
        };
        has_origin |= name.eq_ignore_ascii_case("origin");
        head.push(format!("{name}: {value}"));
    }
    if let (Change::Origin { origin: Some(origin) }, false) = (change, has_origin) {
        head.push(format!("Origin: {origin}"));
    }
    head.push("\r\n".to_owned());
    head.join("\r\n").into_bytes()
}

fn changed_target(target: &str, without: Option<&TokenPlace>, change: &Change) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let path = match change {
        Change::Path { path } => path,
        Change::None
        | Change::Origin { .. }
        | Change::NoExtensions
        | Change::NoSubprotocol
        | Change::Backend { .. } => path,
    };
    let query = query.map(|query| match without {
        Some(TokenPlace::Query { name }) => {
            let kept = query.split('&').filter(|pair| pair.split('=').next() != Some(name.as_str()));
            kept.collect::<Vec<_>>().join("&")
        }
        Some(_) | None => query.to_owned(),
    });
    match query.filter(|query| !query.is_empty()) {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    }
}

/// The field's new value; `None` leaves it out.
fn changed_field(name: &str, value: &str, without: Option<&TokenPlace>, change: &Change, key: &str) -> Option<String> {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if is("sec-websocket-key") {
        return Some(key.to_owned());
    }
    match change {
        Change::Origin { origin } if is("origin") => return origin.clone(),
        Change::NoExtensions if is("sec-websocket-extensions") => return None,
        Change::NoSubprotocol if is("sec-websocket-protocol") => return None,
        Change::Backend { host, .. } if is("host") => return Some(host.clone()),
        Change::Origin { .. }
        | Change::NoExtensions
        | Change::NoSubprotocol
        | Change::Backend { .. }
        | Change::None
        | Change::Path { .. } => {}
    }
    match without {
        Some(TokenPlace::Bearer) if is("authorization") => None,
        Some(TokenPlace::Header { name: place }) if is(place) => None,
        Some(TokenPlace::Cookie { name: place }) if is("cookie") => {
            let kept = value.split(';').map(str::trim).filter(|pair| pair.split('=').next() != Some(place.as_str()));
            let kept = kept.collect::<Vec<_>>().join("; ");
            (!kept.is_empty()).then_some(kept)
        }
        Some(TokenPlace::Subprotocol) if is("sec-websocket-protocol") => {
            // The token is offered last.
            value.rsplit_once(',').map(|(others, _)| others.trim().to_owned())
        }
        Some(_) | None => Some(value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENT: &str = "GET /ws?token=abc&agentId=1 HTTP/1.1\r\nHost: h:3001\r\nOrigin: http://a\r\n\
        Sec-WebSocket-Key: old\r\nSec-WebSocket-Protocol: chat, tok\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\
        Cookie: a=1; sid=tok; b=2\r\nAuthorization: Bearer tok\r\n\r\n";

    #[expect(clippy::needless_pass_by_value, reason = "cases are made where they are told")]
    fn check(place: Option<TokenPlace>, change: Change, with_token: bool, from: &str, to: &str) {
        let made = changed(SENT.as_bytes(), place.as_ref(), &change, with_token, "new");
        let expected = SENT.replace("old", "new").replace(from, to);
        assert_eq!(String::from_utf8(made).unwrap(), expected, "{change:?}");
    }

    #[test]
    fn one_thing_is_changed_and_the_key_is_fresh() {
        let query = || Some(TokenPlace::Query { name: "token".to_owned() });
        check(query(), Change::None, true, "", "");
        check(query(), Change::None, false, "token=abc&", "");
        check(Some(TokenPlace::Bearer), Change::None, false, "Authorization: Bearer tok\r\n", "");
        check(Some(TokenPlace::Cookie { name: "sid".to_owned() }), Change::None, false, " sid=tok;", "");
        check(Some(TokenPlace::Subprotocol), Change::None, false, "chat, tok", "chat");
        let named = Some(TokenPlace::Header { name: "origin".to_owned() });
        check(named, Change::None, false, "Origin: http://a\r\n", "");
        check(None, Change::NoExtensions, true, "Sec-WebSocket-Extensions: permessage-deflate\r\n", "");
        check(None, Change::NoSubprotocol, true, "Sec-WebSocket-Protocol: chat, tok\r\n", "");
        check(None, Change::Origin { origin: None }, true, "Origin: http://a\r\n", "");
        check(None, Change::Origin { origin: Some("http://b".to_owned()) }, true, "http://a", "http://b");
        check(None, Change::Path { path: "/ws/".to_owned() }, true, "/ws?", "/ws/?");
        check(None, Change::Backend { host: "b:1".to_owned(), tls: false }, true, "h:3001", "b:1");
    }

    #[test]
    fn an_origin_is_added_where_none_was_sent() {
        let made = changed(
            b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
            None,
            &Change::Origin { origin: Some("http://b".to_owned()) },
            true,
            "new",
        );
        assert_eq!(made, b"GET / HTTP/1.1\r\nHost: h\r\nOrigin: http://b\r\n\r\n");
    }
}
