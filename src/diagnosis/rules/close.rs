//! The closing handshake: the code that the server sent, and peers that do not play it to the end.

use super::{Found, Rule};
use crate::diagnosis::case::TcpEnd;
use crate::diagnosis::close_code::close_code;
use crate::diagnosis::credential;
use crate::diagnosis::words::{after_milestone, capital, span};
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
pub(in crate::diagnosis) fn code_id(code: Option<u16>) -> &'static str {
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
    let close = deciding(case, ending).filter(|close| code_id(close.info.code) == id)?;
    let when = after_milestone(case, close.at);
    let said = said(case, close);
    let summary = match id {
        "message-too-big-by-server" => {
            format!(
                "A message {} was too long for the server: it closed {when} with {said}{}.",
                if case.is_between() { "of the client" } else { "of ours" },
                sent_clause(case)
            )
        }
        "close-1002" => {
            format!(
                "The server closed {when} with {said}: its library or its application did not accept what {} sent.",
                case.we()
            )
        }
        _ => format!("The server closed {when} with {said}."),
    };
    let is_late_answer = case.we_closed_first();
    let mut found = if is_late_answer { Found::likely(summary) } else { Found::certain(summary) };
    found =
        found.seen_at(close.at, Direction::ServerToClient, close.info.offset, format!("the server's Close: {said}"));
    if is_late_answer {
        found = found.seen(close.at, format!("{} had begun to close already, so the two may have crossed", case.we()));
    }
    if let Some(sent) = &case.story.close_sent {
        found =
            found.seen_at(sent.at, Direction::ClientToServer, sent.info.offset, format!("{} Close frame", case.our()));
    }
    let has_token = !credential::is_absent(case);
    let is_unchecked = case.story.token.as_ref().is_some_and(|token| token.signature == Signature::Unchecked);
    let is_refusal = credential::refusal(case, ending).is_some_and(|refusal| refusal.strength.is_some());
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
        0 | 1 => format!("; {} had sent {} bytes", case.we(), sent.data_bytes),
        n => format!("; {} had sent {} bytes in {n} messages", case.we(), sent.data_bytes),
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
            "session replaced",
            "connection replaced",
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
        ("http-403-origin", words, "the server does not accept this Origin")
    };
    let matches =
        own == id && words.iter().any(|word| reason.contains(word)) && credential::Said::read(&reason).is_none();
    matches.then(|| {
        let said = said(case, close);
        Found::likely(format!("By the server's own words {what}: it closed with {said}."))
            .seen_at(close.at, Direction::ServerToClient, close.info.offset, format!("the server's Close: {said}"))
            .or(code_id(close.info.code), "look at the server's console")
    })
}

/// Whether we began to close of our own will.
fn we_closed(case: &Case<'_>) -> bool {
    case.story.close_sent.is_some()
        && case.begun_by(&[CloseOrigin::User, CloseOrigin::Client, CloseOrigin::WatchEnded, CloseOrigin::Unconfirmed])
}

fn drops_tcp(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let sent = case.story.close_sent.as_ref().filter(|_| we_closed(case) && case.story.close_received.is_none())?;
    let (at, end) = case.tcp_end().filter(|(at, _)| *at >= sent.at && !case.client_went_first())?;
    let word = match end {
        TcpEnd::Fin => "FIN",
        TcpEnd::Rst => "RST",
        TcpEnd::Silence => return None,
    };
    Some(
        Found::certain(format!(
            "{} closed with {}, and the server ended TCP with {word} {} later in place of its own Close frame; a browser \
             shows 1006 for that.",
            capital(case.we()),
            sent.info.code.map_or_else(|| "no code".to_owned(), |code| code.to_string()),
            span(at.millis_since(sent.at))
        ))
        .seen_at(sent.at, Direction::ClientToServer, sent.info.offset, format!("{} Close frame", case.our()))
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
            "{} closed, and the server neither answered the Close frame nor ended TCP within {}.",
            capital(case.we()),
            span(millis as f64)
        ))
        .seen_at(sent.at, Direction::ClientToServer, sent.info.offset, format!("{} Close frame", case.our()))
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
            "The server ended TCP {} after its Close frame, before {} could answer it; a browser shows its code with \
             wasClean false.",
            span(at.millis_since(close.at)),
            if case.is_between() { "the client's" } else { "ours" }
        ))
        .seen_at(close.at, Direction::ServerToClient, close.info.offset, "the server's Close frame")
        .seen(at, format!("TCP ended with {}", case.tcp_end_words()))
        .finding(),
    )
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::testing::{Scene, failure, finds, rivals, token};
    use crate::observation::{CloseOrigin, Deadline, Fact, IoKind};
    use crate::wire::encode_frame;

    /// With a good token, so that nothing is laid on a missing one.
    fn confirmed() -> Scene {
        Scene::with_token(&token(3600)).tcp().request().accept().confirm()
    }

    #[test]
    fn each_code_is_its_cause_and_the_reason_is_quoted() {
        for (code, cause) in [
            (1000, "close-1000"),
            (1001, "close-1001"),
            (1002, "close-1002"),
            (1003, "close-1003"),
            (1007, "close-1007"),
            (1008, "close-1008"),
            (1009, "message-too-big-by-server"),
            (1010, "close-1010"),
            (1011, "close-1011"),
            (1012, "close-1012"),
            (1013, "close-1013"),
            (1014, "close-1014"),
            (3000, "close-3000"),
            (3003, "close-3003"),
            (3500, "close-application"),
            (4000, "close-application"),
        ] {
            let verdict = confirmed().closed_by_server(code, "see the log").certain("closed", cause);
            assert!(
                verdict.summary.contains("see the log") && verdict.summary.contains(&code.to_string()),
                "{}",
                verdict.summary
            );
            assert!(verdict.browser_shows.contains(&code.to_string()), "{code}: {}", verdict.browser_shows);
        }
        confirmed()
            .server(b"\x88\x00")
            .client(&encode_frame(0x88, Some([0; 4]), b""))
            .fin()
            .certain("closed", "close-empty");
        let verdict = confirmed().closed_by_server(1011, "").verdict();
        assert!(rivals(&verdict).contains(&"handler-exception"), "{verdict:#?}");
    }

    #[test]
    fn only_the_reason_speaks() {
        let kicked = confirmed().closed_by_server(4001, "kicked: duplicate session for this agentId");
        let verdict = kicked.likely("closed", "duplicate-kick");
        assert!(!finds(&verdict, "close-application"), "{verdict:#?}");
        confirmed().closed_by_server(1008, "Origin not allowed").likely("closed", "http-403-origin");
        confirmed().closed_by_server(4001, "Agent is busy").certain("closed", "close-application");
    }

    #[test]
    fn what_tcp_does_after_a_close_is_never_the_cause() {
        confirmed().server_close(1008, "").client_close(1008).rst().certain("closed", "close-1008");
        let gone = confirmed().server_close(1000, "").fin();
        let verdict = gone.certain("closed-unclean", "close-1000");
        assert!(finds(&verdict, "close-then-gone"), "{verdict:#?}");
        assert!(verdict.browser_shows.contains("1000"), "{}", verdict.browser_shows);
        let reset = confirmed().server_close(1011, "").rst().certain("closed-unclean", "close-1011");
        assert!(finds(&reset, "close-then-gone"), "{reset:#?}");
        let died = confirmed().closed_by_server(1009, "").refuses().certain("closed", "message-too-big-by-server");
        assert!(finds(&died, "server-process-died"), "{died:#?}");
        let alive = confirmed().closed_by_server(1009, "").accepts().verdict();
        assert!(!finds(&alive, "server-process-died"), "{alive:#?}");
    }

    #[test]
    fn the_watch_ends_well_or_the_peer_does_not_play_along() {
        let closing = || confirmed().we_close(CloseOrigin::WatchEnded);
        let verdict = closing().server_close(1000, "").fin().certain("open", "healthy");
        assert!(verdict.browser_shows.contains("1000"), "{}", verdict.browser_shows);
        closing().server(b"\x88\x00").fin().certain("open", "healthy");
        closing().server_close(1011, "late").fin().likely("closed", "close-1011");
        let mute = closing().ran_out(Deadline::Close, 4_000);
        mute.certain("closed-unclean", "peer-never-answers-close");
        assert_eq!(mute.next_probes().len(), 1);
        let dropped = closing().fin();
        dropped.certain("closed-unclean", "peer-drops-tcp-on-our-close");
        assert_eq!(dropped.next_probes().len(), 1);
        dropped.clone().accepts().certain("closed-unclean", "peer-drops-tcp-on-our-close");
        let died = dropped.refuses().certain("closed-unclean", "server-process-died");
        assert!(finds(&died, "peer-drops-tcp-on-our-close"), "{died:#?}");
        let lingering = closing().server_close(1000, "").ran_out(Deadline::TcpEnd, 2_500).certain("open", "healthy");
        assert!(finds(&lingering, "peer-never-closes-tcp"), "{lingering:#?}");
        let both = confirmed().server_close(1000, "").client_close(1000).ran_out(Deadline::TcpEnd, 2_500);
        assert!(finds(&both.certain("closed", "close-1000"), "peer-never-closes-tcp"));
    }

    #[test]
    fn closes_that_crossed_are_the_servers() {
        let begun = confirmed().fact(Fact::CloseBegun { by: CloseOrigin::WatchEnded });
        begun.server_close(1011, "").fin().likely("closed-unclean", "close-1011");
        let failed = confirmed().fact(Fact::CloseBegun { by: CloseOrigin::Violation }).client_close(1002);
        assert_eq!(failed.server_close(1011, "").verdict().ending.id(), "protocol-error");
    }

    #[test]
    fn a_close_that_could_not_be_answered() {
        let scene = confirmed().server_close(1008, "").fact(Fact::WriteFailed(failure(IoKind::BrokenPipe)));
        scene.certain("closed-unclean", "close-1008");
    }

    #[test]
    fn a_close_by_the_user_is_no_fault_of_the_server() {
        let user = confirmed().we_close(CloseOrigin::User).server_close(1000, "").fin();
        let verdict = user.certain("ended-by-us", "ended-by-user");
        assert!(!verdict.summary.starts_with("The server"), "{}", verdict.summary);
        let mute = confirmed().we_close(CloseOrigin::User).ran_out(Deadline::Close, 4_000);
        mute.certain("closed-unclean", "peer-never-answers-close");
    }
}
