//! A story told by bytes, and its report.

use std::sync::Arc;

use super::*;
use crate::diagnosis::{Certainty, Ending};
use crate::observation::{Direction, Fact, Moment, Observation};
use crate::store::Story;
use crate::wire::Decoder;
use bytes::Bytes;

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A story that is told by the server's bytes.
pub(crate) fn story(answer: &[u8]) -> Story {
    let mut story = Story::default();
    let mut decoder = Decoder::default();
    let request = format!(
        "GET /?token={TOKEN} HTTP/1.1\r\nHost: h\r\nCookie: sid=s3cr3t-1\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nUpgrade: websocket\r\n\r\n"
    );
    let facts = [
        Fact::TcpStarted { address: "127.0.0.1:3001".parse().unwrap() },
        Fact::TcpConnected { address: "127.0.0.1:3001".parse().unwrap(), local: None },
        Fact::Bytes { direction: Direction::ClientToServer, data: Bytes::from(request.into_bytes()) },
        Fact::Bytes { direction: Direction::ServerToClient, data: Bytes::copy_from_slice(answer) },
        Fact::Opened,
        Fact::ReadEnded(crate::observation::ReadEnd::Fin),
    ];
    for (nth, fact) in facts.into_iter().enumerate() {
        let observation =
            Observation { conn: crate::observation::ConnId(1), at: Moment::from_millis(nth as u64), fact };
        story.apply(&mut decoder, observation.at, &observation.fact, &mut |_| {});
    }
    story.verdict = Some(Arc::new(Verdict {
        ending: Ending::Fin,
        cause: "connection-terminated".to_owned(),
        certainty: Certainty::Certain,
        summary: format!("ended; the token was {TOKEN}"),
        browser_shows: "code 1006".to_owned(),
        evidence: vec![Evidence { at: Moment::from_millis(5), text: "FIN\u{1b}[31m".to_owned(), place: None }],
        fixes: vec![Remedy { text: "look".to_owned(), command: Some(format!("sockeye token {TOKEN}")) }],
        findings: Vec::new(),
        alternatives: Vec::new(),
        provisional: false,
    }));
    story
}

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Set-Cookie: id=a-cookie-1\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[test]
fn a_report_tells_each_step_and_no_secret() {
    let story = story(ANSWER.as_bytes());
    let mut redactor = Redactor::for_story(&story);
    let text = render(&report(&story, &[], Some(&mut redactor)), Some(80), false);
    for wanted in [
        "✓ TCP",
        "127.0.0.1:3001 connected",
        "101 Switching Protocols",
        "FIN from the server",
        "a browser shows 1006",
        "What to do",
        "FIN\\u{1b}[31m",
    ] {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
    assert!(!text.contains(TOKEN) && !text.contains('\u{1b}'), "{text}");
    assert!(text.contains("<token#1>"), "{text}");
    let plain = render(&report(&story, &[], None), None, false);
    assert!(plain.contains(TOKEN));
}
