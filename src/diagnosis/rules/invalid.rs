//! The answer to the opening handshake: a 101 that breaks the rules, half an answer, or none.

use super::{Found, Rule};
use crate::diagnosis::case::TcpEnd;
use crate::diagnosis::words::{capital, count, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{Deadline, Limit, Moment, ProbeOutcome};
use crate::wire::{Check, CheckName};

pub(super) const RULES: &[Rule] = &[
    Rule::new("upgrade-headers-too-big", too_big),
    Rule::new("upgrade-1xx", interim),
    Rule::new("upgrade-header-missing", failed_check),
    Rule::new("upgrade-header-wrong", failed_check),
    Rule::new("upgrade-no-accept", failed_check),
    Rule::new("upgrade-dup-accept", failed_check),
    Rule::new("upgrade-wrong-accept", failed_check),
    Rule::new("subprotocol-unanswered", failed_check),
    Rule::new("subprotocol-unrequested", failed_check),
    Rule::new("subprotocol-mismatch", failed_check),
    Rule::new("extension-unrequested", failed_check),
    Rule::new("extension-bad-params", failed_check),
    Rule::new("upgrade-http-version", failed_check),
    Rule::new("upgrade-bare-lf", failed_check),
];

/// Cut off or unanswered; after the rule that asks whether the server is still there.
pub(super) const CUT: &[Rule] = &[
    Rule::new("upgrade-partial", partial),
    Rule::new("upgrade-fin-nobytes", no_bytes),
    Rule::new("upgrade-rst-nobytes", no_bytes),
    Rule::new("upgrade-trickle", trickle),
    Rule::new("upgrade-unanswered", unanswered),
];

fn too_big(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if ending != Ending::UpgradeInvalid {
        return None;
    }
    let by_limit =
        case.story.limit_passed.filter(|(_, limit, _, _)| *limit == Limit::ResponseHead).map(|(at, _, _, _)| at);
    let at = case.story.answer.head_too_big.or(by_limit)?;
    Some(
        Found::certain("The head of the response has no end within 256 KiB, where browsers stop reading too.").seen(
            at,
            format!("{} of the answer came without an empty line", count(case.story.answer.bytes_seen, "byte")),
        ),
    )
}

fn interim(case: &Case<'_>, _: Ending, _: &'static str) -> Option<Found> {
    let (at, head) = case.story.answer.interim.first()?;
    let then = match case.story.answer.status() {
        Some(status) => format!("before the {status}"),
        None => "in place of the 101".to_owned(),
    };
    let is_cause = case.head().is_none_or(|head| head.status == 101);
    Some(
        Found::certain(format!(
            "The server sent an interim {} {then}, which browsers take for the answer and fail.",
            head.status
        ))
        .seen(*at, format!("HTTP/1.{} {} {}", head.minor_version, head.status, case.quote(&head.reason, 40)))
        .cause_if(is_cause),
    )
}

fn failed_check(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let check = case.story.answer.checks.iter().find(|check| check.cause_id.as_deref() == Some(id))?;
    if case.story.answer.status() != Some(101) {
        return None;
    }
    let at = case.head_at();
    let (expected, got) = (case.quote(&check.expected, 80), case.quote(&check.got, 80));
    let found = Found::certain(check_sentence(case, check, id)).seen(
        at,
        format!(
            "{}: expected {expected}, got {got} ({}{})",
            check.check.words(),
            check.check.section(),
            if check.fatal { "" } else { "; Chrome goes on" }
        ),
    );
    Some(found.cause_if(check.fatal && ending == Ending::UpgradeInvalid))
}

fn check_sentence(case: &Case<'_>, check: &Check, id: &str) -> String {
    let got = case.quote(&check.got, 80);
    let field = check.check.words();
    match id {
        "upgrade-header-missing" => {
            format!("The 101 has no {field} field: it was dropped on the way back, or the server does not write it.")
        }
        "upgrade-header-wrong" => match check.check {
            CheckName::Upgrade => {
                format!("The 101 switches to another protocol: Upgrade is \u{201c}{got}\u{201d}, not websocket.")
            }
            _ => format!("The 101 says Connection: {got}, which does not contain Upgrade."),
        },
        "upgrade-no-accept" => {
            "The 101 has no Sec-WebSocket-Accept, so nothing proves that the server read the key.".to_owned()
        }
        "upgrade-dup-accept" => {
            "The 101 carries Sec-WebSocket-Accept more than once: two handlers answered.".to_owned()
        }
        "upgrade-wrong-accept" => {
            "The Sec-WebSocket-Accept does not follow from the key: a cached, mixed-up or hand-made 101.".to_owned()
        }
        "subprotocol-unanswered" => {
            format!(
                "{} offered a subprotocol ({}), and the 101 chose none.",
                capital(case.we()),
                case.quote(&offered(case), 80)
            )
        }
        "subprotocol-unrequested" => {
            format!("The 101 chose the subprotocol \u{201c}{got}\u{201d}, though none was offered.")
        }
        "subprotocol-mismatch" => format!(
            "The 101 chose the subprotocol \u{201c}{got}\u{201d}, which is not among those offered ({}).",
            case.quote(&offered(case), 80)
        ),
        "extension-unrequested" => format!("The 101 names an extension that was not offered: {got}."),
        "extension-bad-params" => format!("The 101 accepts compression with parameters that are not legal: {got}."),
        "upgrade-http-version" => {
            "The 101 came in HTTP/1.0: browsers and Node's ws go on, Python's websockets refuse.".to_owned()
        }
        _ => "Lines of the 101 end in LF alone: browsers go on, Node's ws and Python's websockets refuse.".to_owned(),
    }
}

fn offered(case: &Case<'_>) -> String {
    case.story.request.as_ref().map_or_else(String::new, |request| {
        request.head.values("sec-websocket-protocol").collect::<Vec<_>>().join(", ")
    })
}

fn asked_at(case: &Case<'_>) -> Moment {
    case.story.request.as_ref().map_or(Moment::default(), |request| request.at)
}

fn partial(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let answer = &case.story.answer;
    let (at, _) = case.tcp_end().filter(|_| ending == Ending::UpgradeCut && answer.bytes_seen > 0)?;
    let (what, place) = match case.head() {
        Some(head) => (format!("a {}", head.status), "within its body"),
        None => (
            "the response".to_owned(),
            if answer.raw.contains(&b'\n') { "within its fields" } else { "within its first line" },
        ),
    };
    Some(
        Found::certain(format!(
            "TCP ended with {} {place}: {what} began to come, {} of it, and was never finished.",
            case.tcp_end_words(),
            count(answer.bytes_seen, "byte")
        ))
        .seen(at, format!("TCP ended with {}", case.tcp_end_words()))
        .seen(
            answer.first_at.unwrap_or(at),
            format!("what came: \u{201c}{}\u{201d}", case.quote(&String::from_utf8_lossy(&answer.raw), 120)),
        )
        .or_if(
            case.tcp_after().is_none(),
            "server-process-died",
            "connect again and see whether the port refuses",
        ),
    )
}

fn no_bytes(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let (at, end) = case.tcp_end().filter(|_| ending == Ending::UpgradeCut && case.story.answer.bytes_seen == 0)?;
    let own = match end {
        TcpEnd::Fin => "upgrade-fin-nobytes",
        TcpEnd::Rst => "upgrade-rst-nobytes",
        TcpEnd::Silence => return None,
    };
    if own != id {
        return None;
    }
    let (our, word) = (case.our(), case.tcp_end_words());
    let mut found = Found::certain(format!(
        "The server ended TCP with {word} {} after {our} request, without a single byte of an answer{}.",
        span(at.millis_since(asked_at(case))),
        if case.port_accepts().is_some() { "; the port still accepts connections" } else { "" }
    ))
    .seen(at, format!("{word} with no byte received"));
    if let Some(at) = case.port_accepts() {
        found = found.seen(at, format!("{} still accepts connections", case.port_words()));
    }
    let found = found.or_if(
        case.tcp_after().is_none(),
        "server-process-died",
        "connect again and see whether the port refuses",
    );
    Some(match end {
        TcpEnd::Rst => found
            .or_if(
                !case.is_secure() && !case.asked_for_tls(),
                "plain-to-tls",
                "send a ClientHello to the port, or try wss://",
            )
            .or("handler-exception", "look at the server's console"),
        TcpEnd::Fin | TcpEnd::Silence => found
            .or_if(
                matches!(case.plain_get(), Some((_, ProbeOutcome::Silent))),
                "server-blocked",
                "look at the process: does it use the CPU, does it read?",
            )
            .or("handler-exception", "look at the server's console"),
    })
}

fn ran_out(case: &Case<'_>, ending: Ending) -> Option<(Moment, u64)> {
    case.story.ran_out(Deadline::Upgrade).filter(|_| ending == Ending::UpgradeUnanswered)
}

fn trickle(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, millis) = ran_out(case, ending)?;
    let answer = &case.story.answer;
    (answer.bytes_seen > 0).then(|| {
        Found::certain(format!(
            "The response came in drops and its head never ended: {} in {} within {}.",
            count(answer.bytes_seen, "byte"),
            count(answer.reads, "read"),
            span(millis as f64)
        ))
        .seen(at, format!("our time limit of {} ran out", span(millis as f64)))
        .seen(
            answer.first_at.unwrap_or(at),
            format!("what came: \u{201c}{}\u{201d}", case.quote(&String::from_utf8_lossy(&answer.raw), 120)),
        )
    })
}

fn unanswered(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, millis) = ran_out(case, ending)?;
    if case.story.answer.bytes_seen > 0 {
        return None;
    }
    let (our, waited) = (case.our(), span(millis as f64));
    let limit = format!("our time limit of {waited} ran out without a byte");
    match case.plain_get() {
        Some((probed, ProbeOutcome::Answered { .. })) => Some(
            Found::certain(format!(
                "The server took {our} request and did not answer it within {waited}, while it answers an ordinary GET: its \
                 upgrade listener never calls back."
            ))
            .seen(at, limit)
            .seen(probed, "a plain GET on the same port was answered"),
        ),
        Some((_, ProbeOutcome::Silent)) => None,
        Some((_,
            ProbeOutcome::Accepted
            | ProbeOutcome::Failed(_)
            | ProbeOutcome::Ended(_)
            | ProbeOutcome::Listening { .. }
            | ProbeOutcome::Handshaken(_),
        )) | None => Some(
            Found::certain(format!("The server took {our} request and did not answer it within {waited}."))
                .seen(at, limit)
                .or("server-blocked", "send a plain GET to the same port: does it hang as well?"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::testing::{GOOD, Scene, finds, rivals};
    use crate::observation::{CloseOrigin, Deadline, Limit, ProbeOutcome};

    fn answered(head: &str) -> Scene {
        Scene::asked().server(format!("{head}\r\n"))
    }

    #[test]
    fn each_broken_101() {
        let check = |head: String, cause: &str| answered(&head).certain("upgrade-invalid", cause);
        check(GOOD.replace("s3p", "xxx"), "upgrade-wrong-accept");
        check(GOOD.replace("Sec-WebSocket-Accept", "X"), "upgrade-no-accept");
        check(format!("{GOOD}Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "upgrade-dup-accept");
        check(GOOD.replace("Upgrade: websocket", "X: y"), "upgrade-header-missing");
        check(GOOD.replace("Connection: Upgrade\r\n", ""), "upgrade-header-missing");
        check(GOOD.replace("websocket", "h2c"), "upgrade-header-wrong");
        check(GOOD.replace("Connection: Upgrade", "Connection: keep-alive"), "upgrade-header-wrong");
        check(format!("{GOOD}Sec-WebSocket-Protocol: zzz\r\n"), "subprotocol-unrequested");
        check(format!("{GOOD}Sec-WebSocket-Extensions: x-foo\r\n"), "extension-unrequested");
        answered(GOOD).is_not("upgrade-wrong-accept");
    }

    #[test]
    fn subprotocols_and_compression_that_were_offered() {
        let offers = |fields: &str| Scene::to("ws://127.0.0.1:3001/").fields(fields).tcp().request();
        let chat = || offers("Sec-WebSocket-Protocol: chat.v1\r\n");
        chat().server(format!("{GOOD}\r\n")).certain("upgrade-invalid", "subprotocol-unanswered");
        let other = format!("{GOOD}Sec-WebSocket-Protocol: zzz\r\n\r\n");
        chat().server(other).certain("upgrade-invalid", "subprotocol-mismatch");
        let bad = format!("{GOOD}Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99\r\n\r\n");
        let deflate = offers("Sec-WebSocket-Extensions: permessage-deflate\r\n");
        deflate.server(bad).certain("upgrade-invalid", "extension-bad-params");
    }

    #[test]
    fn what_chrome_accepts_is_a_finding() {
        let check = |head: String, id: &str| {
            let scene = Scene::asked().server(head).fact(crate::observation::Fact::Opened).confirm();
            let verdict = scene.we_close(CloseOrigin::WatchEnded).server_close(1000, "").certain("open", "healthy");
            assert!(finds(&verdict, id), "{verdict:#?}");
        };
        check(format!("{}\r\n", GOOD.replace("HTTP/1.1", "HTTP/1.0")), "upgrade-http-version");
        check(format!("{}\n", GOOD.replace("\r\n", "\n")), "upgrade-bare-lf");
    }

    #[test]
    fn an_interim_answer_fails_the_handshake() {
        let early = Scene::asked().server("HTTP/1.1 103 Early Hints\r\n\r\n");
        early.certain("upgrade-invalid", "upgrade-1xx");
        early.clone().server(format!("{GOOD}\r\n")).certain("upgrade-invalid", "upgrade-1xx");
        let refused = early.answer("404 Not Found", "", "").certain("upgrade-refused", "http-404");
        assert!(finds(&refused, "upgrade-1xx"), "{refused:#?}");
    }

    #[test]
    fn a_head_without_end() {
        let endless = format!("HTTP/1.1 101 X\r\n{}", "a".repeat(256 * 1024 + 1));
        Scene::asked()
            .server(endless)
            .limit(Limit::ResponseHead, 300_000)
            .certain("upgrade-invalid", "upgrade-headers-too-big");
    }

    #[test]
    fn cut_before_a_whole_answer() {
        let fin = Scene::asked().fin();
        fin.clone().accepts().certain("upgrade-cut", "upgrade-fin-nobytes");
        let verdict = fin.clone().certain("upgrade-cut", "upgrade-fin-nobytes");
        assert!(rivals(&verdict).contains(&"server-process-died"), "{verdict:#?}");
        let died = fin.refuses().certain("upgrade-cut", "server-process-died");
        assert!(finds(&died, "upgrade-fin-nobytes"), "{died:#?}");
        Scene::asked().rst().accepts().certain("upgrade-cut", "upgrade-rst-nobytes");
        let half = Scene::asked().server("HTTP/1.1 101 Switching").fin();
        half.clone().accepts().certain("upgrade-cut", "upgrade-partial");
        let died = half.refuses().certain("upgrade-cut", "server-process-died");
        assert!(finds(&died, "upgrade-partial"), "{died:#?}");
    }

    #[test]
    fn silence_is_told_from_a_blocked_server() {
        let silent = Scene::asked().ran_out(Deadline::Upgrade, 500);
        assert_eq!(silent.next_probes().len(), 2);
        let verdict = silent.certain("upgrade-unanswered", "upgrade-unanswered");
        assert!(rivals(&verdict).contains(&"server-blocked"), "{verdict:#?}");
        let answered = ProbeOutcome::Answered { status: Some(426), preview: String::new(), tls: false };
        let verdict = silent.clone().plain_get(answered).certain("upgrade-unanswered", "upgrade-unanswered");
        assert!(verdict.alternatives.is_empty(), "{verdict:#?}");
        silent.plain_get(ProbeOutcome::Silent).likely("upgrade-unanswered", "server-blocked");
        let drops = Scene::asked().server("HT").server("TP/1.1 101").ran_out(Deadline::Upgrade, 500);
        drops.certain("upgrade-unanswered", "upgrade-trickle");
        Scene::asked().fin().ran_out(Deadline::Upgrade, 500).is_not("upgrade-unanswered");
    }
}
