//! What the follow-up probes and the list of listeners add to a verdict, whatever its cause.

use super::{Found, Rule};
use crate::diagnosis::asked::{listeners_words, process_words, waiting_words};
use crate::diagnosis::words::{after_milestone, span};
use crate::diagnosis::{Case, Ending, Evidence};
use crate::observation::{Change, Handshaken, Moment, ProbeOutcome};

/// Another process answers: after the rules of the console, before the one that says that nobody does.
pub(super) const RULES: &[Rule] = &[
    Rule::new("server-restarted", restarted).implies(&[
        "server-process-died",
        "connection-terminated",
        "connection-reset",
        "close-1001",
        "close-1012",
        "undetermined",
    ]),
    Rule::new("engineio-error", polls).implies(&[
        "upgrade-fin-nobytes",
        "upgrade-rst-nobytes",
        "http-400",
        "http-403",
        "http-404",
    ]),
];

/// The port belongs to another process than before, or refused and came back.
fn restarted(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, _) = case.tcp_end()?;
    let says_goodbye = case.server_close().is_some_and(|close| matches!(close.info.code, Some(1001 | 1012)));
    let is_bare = matches!(ending, Ending::Fin | Ending::Rst | Ending::UpgradeCut)
        || ending == Ending::ClosedUnclean && case.story.close_received.is_none();
    let is_cause = is_bare || says_goodbye && matches!(ending, Ending::Closed | Ending::ClosedUnclean);
    let when = after_milestone(case, at);
    let word = case.tcp_end_words();
    let port = case.port_words();
    let found = match (case.restart(), case.came_back()) {
        (Some(restart), _) => {
            let before = restart
                .before
                .as_ref()
                .map_or_else(String::new, |before| format!(", before it was {}", process_words(before)));
            let whose = if restart.is_other_program() { "another program" } else { "a younger process" };
            Found::certain(format!(
                "The server was restarted: TCP ended with {word} {when}, and {port} now belongs to {whose}, {}{before}.",
                process_words(&restart.after)
            ))
            .seen(at, format!("TCP ended with {word}"))
            .seen(restart.at, format!("{port} is held by {}", process_words(&restart.after)))
        }
        (None, Some(back)) => Found::likely(format!(
            "The server was restarted: TCP ended with {word} {when}, {port} refused, and {} later it accepted again.",
            span(back.millis_since(at))
        ))
        .seen(at, format!("TCP ended with {word}"))
        .seen(back, format!("{port} accepts again after it had refused"))
        .or("server-process-died", "look at the console: did a supervisor start it again after an error?"),
        (None, None) => return None,
    };
    Some(found.cause_if(is_cause))
}

/// The port answers a poll of Engine.IO, and had no use for our opening handshake.
fn polls(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (polled, answer) = case.polls_as_engineio()?;
    let (at, what) = match ending {
        Ending::UpgradeCut if case.story.answer.bytes_seen == 0 => {
            (case.tcp_end()?.0, format!("TCP ended with {} in place of an answer", case.tcp_end_words()))
        }
        Ending::UpgradeRefused => (case.head_at(), format!("it answered {}", case.story.answer.status()?)),
        _ => return None,
    };
    Some(
        Found::certain(format!(
            "A Socket.IO server listens on {}, which a bare WebSocket cannot talk to: {what}, while a poll of /socket.io/ was \
             answered with {answer}.",
            case.port_words()
        ))
        .seen(at, what)
        .seen(polled, format!("GET /socket.io/?EIO=4&transport=polling: {answer}")),
    )
}

/// What the probes showed beside what the rule of the cause has said already.
pub(super) fn evidence(case: &Case<'_>, ending: Ending) -> Vec<Evidence> {
    let mut all = Vec::new();
    let mut add = |at: Moment, text: String| all.push(Evidence { at, text, place: None });
    if ending == Ending::UpgradeRefused || ending == Ending::UpgradeCut {
        for path in own_and_root(case) {
            if let Some((at, outcome)) = case.plain_get_of(&path) {
                add(at, format!("a plain GET of {} {}", case.quote(&path, 60), get_words(case, outcome)));
            }
        }
    }
    for (change, with_token, at, found) in case.handshakes() {
        add(at, format!("the same opening handshake {}: {}", change_words(case, change, with_token), met(case, found)));
    }
    if let Some((at, outcome)) = nameless(case) {
        add(at, format!("a ClientHello without a name {outcome}"));
    }
    if let Some((at, process)) = case.same_process() {
        add(at, format!("{} is held by the same process as before: {}", case.port_words(), process_words(&process)));
    } else if case.restart().is_none()
        && let Some((at, listeners)) = case.listeners_after()
    {
        add(at, format!("the system lists as listening on this port: {}", listeners_words(listeners, None)));
    }
    if let Some(listener) = case.listener().filter(|_| ending == Ending::UpgradeUnanswered)
        && let (Some((at, _)), false) = (case.listeners_after(), waiting_words(listener).is_empty())
    {
        add(at, waiting_words(listener));
    }
    all
}

fn own_and_root(case: &Case<'_>) -> Vec<String> {
    let own = case.target().map_or_else(|| "/".to_owned(), |target| target.path().to_owned());
    if own == "/" { vec![own] } else { vec![own, "/".to_owned()] }
}

fn get_words(case: &Case<'_>, outcome: &ProbeOutcome) -> String {
    match outcome {
        ProbeOutcome::Answered { status: Some(status), preview, .. } => {
            let server = preview.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("server").then(|| case.quote(value, 40))
            });
            let server = server.map_or_else(String::new, |server| format!(" (Server: {server})"));
            format!("is answered with {status}{server}")
        }
        ProbeOutcome::Answered { status: None, .. } => "is answered, but not with HTTP".to_owned(),
        ProbeOutcome::Silent => "hangs".to_owned(),
        ProbeOutcome::Ended(_) => "ends without an answer as well".to_owned(),
        ProbeOutcome::Accepted
        | ProbeOutcome::Failed(_)
        | ProbeOutcome::Listening { .. }
        | ProbeOutcome::Handshaken(_) => "is not answered".to_owned(),
    }
}

/// `without the token and from the origin http://localhost`.
fn change_words(case: &Case<'_>, change: &Change, with_token: bool) -> String {
    let has_token = !crate::diagnosis::credential::is_absent(case);
    let token = if with_token || !has_token { "" } else { "without the token" };
    let what = match change {
        Change::None => String::new(),
        Change::Origin { origin: Some(origin) } => format!("with Origin: {}", case.quote(origin, 60)),
        Change::Origin { origin: None } => "without an Origin".to_owned(),
        Change::NoExtensions => "without offering extensions".to_owned(),
        Change::NoSubprotocol => "without offering a subprotocol".to_owned(),
        Change::Path { path } => format!("at {}", case.quote(path, 80)),
        Change::Backend { host, .. } => format!("sent to {} itself", case.quote(host, 60)),
    };
    match (what.is_empty(), token.is_empty()) {
        (false, false) => format!("{what} and {token}"),
        (true, _) => token.to_owned(),
        (false, true) => what,
    }
}

fn met(case: &Case<'_>, found: &Handshaken) -> String {
    let alike = if case.failed_alike(found) { ", as before" } else { "" };
    let what = match (found.opened, found.status, found.close, &found.broken) {
        (true, _, Some(1005), _) => "it opened and was closed without a code".to_owned(),
        (true, _, Some(code), _) => format!("it opened and was closed with {code}"),
        (true, _, None, Some(broken)) => format!("it opened and the server broke a rule ({broken})"),
        (true, _, None, None) if found.end.is_some() => "it opened and TCP ended".to_owned(),
        (true, _, None, None) if found.message => "it opened, and a message came".to_owned(),
        (true, _, None, None) => "it opened".to_owned(),
        (false, Some(101), _, Some(broken)) => format!("101, but not a valid one ({broken})"),
        (false, Some(status), _, _) => status.to_string(),
        (false, None, _, _) => "no HTTP came back".to_owned(),
    };
    format!("{what}{alike}")
}

fn nameless(case: &Case<'_>) -> Option<(Moment, &'static str)> {
    use crate::observation::Probe;
    let seen = case
        .story
        .probes
        .iter()
        .find(|seen| matches!(&seen.probe, Probe::TlsHello { server_name, .. } if server_name.is_empty()))?;
    let words = match seen.outcome.as_ref()? {
        ProbeOutcome::Answered { tls: true, .. } => "is answered, so the name is what is not liked",
        ProbeOutcome::Ended(_) => "is cut off as well",
        ProbeOutcome::Silent => "is not answered either",
        ProbeOutcome::Answered { .. }
        | ProbeOutcome::Accepted
        | ProbeOutcome::Failed(_)
        | ProbeOutcome::Listening { .. }
        | ProbeOutcome::Handshaken(_) => "did not help",
    };
    Some((seen.ended.unwrap_or(seen.started), words))
}
