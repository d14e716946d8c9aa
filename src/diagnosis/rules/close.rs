//! The closing handshake: the code that the server sent, and peers that do not play it to the end.

use super::{Found, Rule};
use crate::diagnosis::case::TcpEnd;
use crate::diagnosis::close_code::close_code;
use crate::diagnosis::credential;
use crate::diagnosis::words::{after_milestone, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{CloseOrigin, Deadline, Direction};
use crate::store::CloseSeen;
use crate::token::Signature;

/// Only the reason text speaks.
pub(super) const BY_REASON: &[Rule] =
    &[Rule::new("duplicate-kick", by_reason).implies(CODES), Rule::new("http-403-origin", by_reason).implies(CODES)];

pub(super) const RULES: &[Rule] = &[
    Rule::new("message-too-big-by-server", by_code),
    Rule::new("close-1000", by_code),
    Rule::new("close-1001", by_code),
    Rule::new("close-1002", by_code),
    Rule::new("close-1003", by_code),
    Rule::new("close-1007", by_code),
    Rule::new("close-1008", by_code),
    Rule::new("close-1010", by_code),
    Rule::new("close-1011", by_code),
    Rule::new("close-1012", by_code),
    Rule::new("close-1013", by_code),
    Rule::new("close-1014", by_code),
    Rule::new("close-3000", by_code),
    Rule::new("close-3003", by_code),
    Rule::new("close-application", by_code),
    Rule::new("close-empty", by_code),
    Rule::new("peer-drops-tcp-on-our-close", drops_tcp),
    Rule::new("peer-never-answers-close", never_answers),
    Rule::new("peer-never-closes-tcp", never_closes_tcp),
    Rule::new("close-then-gone", then_gone),
];

const CODES: &[&str] =
    &["close-1000", "close-1002", "close-1008", "close-1011", "close-3000", "close-3003", "close-application"];

/// The id of a code that came in a Close frame without a broken rule.
fn id_of(code: Option<u16>) -> &'static str {
    match code {
        None => "close-empty",
        Some(1000) => "close-1000",
        Some(1001) => "close-1001",
        Some(1002) => "close-1002",
        Some(1003) => "close-1003",
        Some(1007) => "close-1007",
        Some(1008) => "close-1008",
        Some(1009) => "message-too-big-by-server",
        Some(1010) => "close-1010",
        Some(1011) => "close-1011",
        Some(1012) => "close-1012",
        Some(1013) => "close-1013",
        Some(1014) => "close-1014",
        Some(3000) => "close-3000",
        Some(3003) => "close-3003",
        Some(_) => "close-application",
    }
}

/// The Close of the server that ended this connection.
fn deciding<'a>(case: &Case<'a>, ending: Ending) -> Option<&'a CloseSeen> {
    case.server_close().filter(|_| matches!(ending, Ending::Closed | Ending::ClosedUnclean))
}

fn said(case: &Case<'_>, close: &CloseSeen) -> String {
    match close.info.code {
        Some(code) => format!("{code} ({}) {}", close_code(code).name, case.reason_words(close)),
        None => "an empty Close frame: no code, no reason".to_owned(),
    }
}

fn by_code(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let close = deciding(case, ending).filter(|close| id_of(close.info.code) == id)?;
    let when = after_milestone(case, close.at);
    let said = said(case, close);
    let summary = match id {
        "message-too-big-by-server" => {
            format!("A message of ours was too long for the server: it closed {when} with {said}{}.", sent_clause(case))
        }
        "close-1002" => {
            format!("The server closed {when} with {said}: its library or its application did not accept what we sent.")
        }
        _ => format!("The server closed {when} with {said}."),
    };
    let is_late_answer = case.we_closed_first();
    let mut found = if is_late_answer { Found::likely(summary) } else { Found::certain(summary) };
    found =
        found.seen_at(close.at, Direction::ServerToClient, close.info.offset, format!("the server's Close: {said}"));
    if is_late_answer {
        found = found.seen(close.at, "we had begun to close already, so the two may have crossed");
    }
    if let Some(sent) = &case.story.close_sent {
        found = found.seen_at(sent.at, Direction::ClientToServer, sent.info.offset, "our Close");
    }
    let has_token = !credential::is_absent(case);
    let is_unchecked = case.story.token.as_ref().is_some_and(|token| token.signature == Signature::Unchecked);
    let is_refusal = matches!(id, "close-1008" | "close-3000" | "close-3003");
    Some(
        found
            .or_if(
                is_refusal && has_token && is_unchecked,
                "jwt-wrong-secret",
                "give the server's secret, so that the signature can be checked",
            )
            .or_if(is_refusal && has_token, "jwt-secret-missing", "look at the server's console")
            .or_if(
                is_refusal && has_token,
                "jwt-audience",
                "compare the token's aud and iss with what the server expects",
            )
            .or_if(is_refusal && !has_token, "token-missing", "repeat with a token")
            .or_if(id == "close-1011", "handler-exception", "attach the server's console and repeat")
            .or_if(
                matches!(id, "close-1001" | "close-1012"),
                "server-restarted",
                "compare the server's process id before and after",
            )
            .or_if(
                id == "close-empty",
                "engineio-ping-timeout",
                "see whether the server speaks Socket.IO: does it send 0{\"sid\"…}?",
            ),
    )
}

fn sent_clause(case: &Case<'_>) -> String {
    let sent = case.story.sent;
    match sent.messages {
        0 if sent.data_frames == 0 => String::new(),
        0 | 1 => format!("; we had sent {} bytes", sent.data_bytes),
        n => format!("; we had sent {} bytes in {n} messages", sent.data_bytes),
    }
}

fn by_reason(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let close = deciding(case, ending)?;
    let reason = close.info.reason.to_ascii_lowercase();
    let (own, words, what): (_, &[&str], _) = if id == "duplicate-kick" {
        let words: &[&str] = &[
            "kicked",
            "duplicate",
            "another session",
            "another connection",
            "other connection",
            "new connection",
            "replaced by",
            "logged in elsewhere",
            "already connected",
            "session taken over",
            "connected from another",
        ];
        ("duplicate-kick", words, "another connection took this one's place")
    } else {
        let words: &[&str] = &[
            "origin not allowed",
            "invalid origin",
            "origin is not allowed",
            "bad origin",
            "origin mismatch",
            "forbidden origin",
            "origin",
        ];
        ("http-403-origin", words, "the server does not accept our Origin")
    };
    let matches =
        own == id && words.iter().any(|word| reason.contains(word)) && credential::Said::read(&reason).is_none();
    matches.then(|| {
        let said = said(case, close);
        Found::likely(format!("By the server's own words {what}: it closed with {said}."))
            .seen_at(close.at, Direction::ServerToClient, close.info.offset, format!("the server's Close: {said}"))
            .or(id_of(close.info.code), "look at the server's console")
    })
}

/// Whether we began to close of our own will.
fn we_closed(case: &Case<'_>) -> bool {
    case.story.close_sent.is_some()
        && case.begun_by(&[CloseOrigin::User, CloseOrigin::WatchEnded, CloseOrigin::Unconfirmed])
}

fn drops_tcp(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let sent = case.story.close_sent.as_ref().filter(|_| we_closed(case) && case.story.close_received.is_none())?;
    let (at, end) = case.tcp_end().filter(|(at, _)| *at >= sent.at)?;
    let word = match end {
        TcpEnd::Fin => "FIN",
        TcpEnd::Rst => "RST",
        TcpEnd::Silence => return None,
    };
    Some(
        Found::certain(format!(
            "We closed with {}, and the server ended TCP with {word} {} later in place of its own Close frame; a browser shows \
             1006 for that.",
            sent.info.code.map_or_else(|| "no code".to_owned(), |code| code.to_string()),
            span(at.millis_since(sent.at))
        ))
        .seen_at(sent.at, Direction::ClientToServer, sent.info.offset, "our Close frame")
        .seen(at, format!("TCP ended with {word}, no Close frame came"))
        .or_if(case.tcp_after().is_none(), "server-process-died", "connect again and see whether the port refuses")
        .cause_if(ending == Ending::ClosedUnclean),
    )
}

fn never_answers(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let sent = case.story.close_sent.as_ref().filter(|_| we_closed(case) && case.story.close_received.is_none())?;
    let (at, millis) =
        case.story.ran_out(Deadline::Close).filter(|(at, _)| case.tcp_end().is_none_or(|(end, _)| end > *at))?;
    Some(
        Found::certain(format!(
            "We closed, and the server neither answered our Close frame nor ended TCP within {}.",
            span(millis as f64)
        ))
        .seen_at(sent.at, Direction::ClientToServer, sent.info.offset, "our Close frame")
        .seen(at, format!("our time limit of {} ran out", span(millis as f64)))
        .or_if(case.plain_get().is_none(), "server-blocked", "send a plain GET to the same port: does it hang as well?")
        .cause_if(ending == Ending::ClosedUnclean),
    )
}

fn never_closes_tcp(case: &Case<'_>, _: Ending, _: &'static str) -> Option<Found> {
    let (Some(received), Some(sent)) = (&case.story.close_received, &case.story.close_sent) else {
        return None;
    };
    let (at, millis) = case.story.ran_out(Deadline::TcpEnd).filter(|_| case.tcp_end().is_none())?;
    Some(
        Found::certain(format!(
            "Both Close frames travelled, but the server did not end TCP within {}, which is its task.",
            span(millis as f64)
        ))
        .seen(received.at.max(sent.at), "both Close frames had travelled")
        .seen(at, format!("our time limit of {} ran out", span(millis as f64)))
        .finding(),
    )
}

/// The server sent its Close and was gone before ours could reach it.
fn then_gone(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let close = case.server_close()?;
    let (at, _) = case.tcp_end().filter(|_| ending == Ending::ClosedUnclean || case.story.write_failed.is_some())?;
    Some(
        Found::certain(format!(
            "The server ended TCP {} after its Close frame, before ours could answer it; a browser shows its code with \
             wasClean false.",
            span(at.millis_since(close.at))
        ))
        .seen_at(close.at, Direction::ServerToClient, close.info.offset, "the server's Close frame")
        .seen(at, format!("TCP ended with {}", case.tcp_end_words()))
        .finding(),
    )
}
