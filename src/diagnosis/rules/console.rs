//! What only the server's console tells: a line refines why, it never overrides what happened.
//!
//! A line about a connection counts within two seconds of the event on the wire; a line about the process counts until
//! the next start. What the lines mean is in `diagnosis/console`. What they say of a token is in `credential`.

use super::{Found, Rule};
use crate::diagnosis::close_code::close_code;
use crate::diagnosis::console::near::{Line, exit_before, exit_words, nearest, standing};
use crate::diagnosis::console::{Recognised, is_consequence};
use crate::diagnosis::credential;
use crate::diagnosis::words::{capital, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{Deadline, IoKind, Moment};
use crate::store::ConsoleSeen;

pub(super) const RULES: &[Rule] = &[
    Rule::new("out-of-memory", out_of_memory).implies(GENERAL),
    Rule::new("address-in-use", address_in_use).implies(&["tcp-refused", "boot-crash"]),
    Rule::new("boot-crash", boot_crash).implies(&["tcp-refused"]),
    Rule::new("server-process-died", died_before).implies(&["tcp-refused"]),
    Rule::new("fd-limit", fd_limit).implies(GENERAL),
    Rule::new("db-unreachable", db_unreachable).implies(GENERAL),
    Rule::new("http-403-origin", origin).implies(&[
        "http-400",
        "http-401",
        "http-403",
        "http-404",
        "http-403-starlette",
        "token-missing",
        "close-1008",
        "close-application",
        "connection-terminated",
        "upgrade-fin-nobytes",
    ]),
    Rule::new("server-restarted", restarted).implies(GENERAL),
    Rule::new("handler-exception", handler_exception).implies(GENERAL),
];

/// What a line of the console explains.
const GENERAL: &[&str] = &[
    "handler-exception",
    "connection-terminated",
    "connection-reset",
    "close-1001",
    "close-1011",
    "close-1012",
    "close-1013",
    "close-application",
    "http-500",
    "http-502",
    "http-503",
    "http-504",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
    "upgrade-unanswered",
    "confirmation-missing",
    "tcp-refused",
    "tcp-drop",
    "tcp-backlog-full",
];

/// What happened on the wire, for a line to be near to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// Nothing accepted the connection.
    Refused,
    /// The listener did not answer.
    Unaccepted,
    /// TCP ended without a word.
    Cut,
    /// A response other than 101.
    Status(u16),
    /// A Close frame of the server, with this code.
    Close(Option<u16>),
    /// Something that was due did not come.
    Silence,
}

/// The event of an ending, from when until when it lasted, and its words; `None` where no line could be the reason.
fn event(case: &Case<'_>, ending: Ending) -> Option<(Event, (Moment, Moment), String)> {
    let story = case.story;
    let at = |event, at: Moment, words: String| Some((event, (at, at), words));
    let asked = || story.request.as_ref().map(|request| request.at);
    match ending {
        Ending::ConnectFailed => {
            let refused = case.failed_attempts(&[IoKind::Refused]);
            let from = story.attempts.first()?.started;
            if refused.len() == story.attempts.len() {
                let to = case.all_attempts_failed()?;
                let is_elsewhere = case.other_family_accepts().is_some();
                return (!is_elsewhere).then(|| (Event::Refused, (from, to), format!("{} refuses", case.port_words())));
            }
            let to = case.all_attempts_failed().or(story.ran_out(Deadline::Connect).map(|(at, _)| at))?;
            Some((Event::Unaccepted, (from, to), format!("{} did not answer", case.port_words())))
        }
        Ending::UpgradeCut if case.tls_answered().is_some() => None,
        Ending::UpgradeCut => {
            let words = format!("TCP ended with {} in place of an answer", case.tcp_end_words());
            at(Event::Cut, case.tcp_end()?.0, words)
        }
        Ending::Fin | Ending::Rst => {
            let words = format!("TCP ended with {} and no Close frame", case.tcp_end_words());
            at(Event::Cut, case.tcp_end()?.0, words)
        }
        Ending::UpgradeRefused => {
            let status = story.answer.status()?;
            at(Event::Status(status), case.head_at(), format!("the server answered {status}"))
        }
        Ending::Closed | Ending::ClosedUnclean => {
            let close = case.server_close()?;
            let words = match close.info.code {
                Some(code) => {
                    let name = close_code(code).name;
                    format!("the server closed with {code} ({name}) {}", case.reason_words(close))
                }
                None => "the server closed with an empty Close frame".to_owned(),
            };
            at(Event::Close(close.info.code), close.at, words)
        }
        Ending::UpgradeUnanswered => {
            let (to, _) = story.ran_out(Deadline::Upgrade)?;
            Some((Event::Silence, (asked()?, to), format!("{} request was not answered", case.our())))
        }
        Ending::Unconfirmed => {
            let confirmation = story.confirmation.as_ref().filter(|c| c.preview.is_none())?;
            Some((Event::Silence, (asked()?, confirmation.at), "no confirmation came".to_owned()))
        }
        Ending::NotAttempted
        | Ending::ResolveFailed
        | Ending::TlsFailed
        | Ending::UpgradeInvalid
        | Ending::ProtocolError
        | Ending::NetworkTimeout
        | Ending::Open
        | Ending::EndedByUs => None,
    }
}

/// `…: the console says “…”, 12 ms before TCP ended with FIN and no Close frame.`
fn told(case: &Case<'_>, line: &Line<'_>, what: &str, (from, to): (Moment, Moment), wire: &str) -> Found {
    let at = line.seen.at;
    let gap = if line.seen.is_pasted {
        "and ".to_owned()
    } else if at < from {
        format!("{} before ", span(from.millis_since(at)))
    } else if at > to {
        format!("{} after ", span(at.millis_since(to)))
    } else if from < to {
        "and ".to_owned()
    } else {
        "as ".to_owned()
    };
    let quote = case.quote(&line.known.quote, 160);
    let mut found =
        Found::likely(format!("{}: the server's console said \u{201c}{quote}\u{201d}, {gap}{wire}.", capital(what)));
    found.evidence.push(line.evidence(case));
    found.seen(to, wire)
}

/// The verdict for a line of this cause near the event, if the event fits.
fn near(case: &Case<'_>, ending: Ending, cause: &str, fits: fn(Event) -> bool) -> Option<Found> {
    let (event, span, wire) = event(case, ending).filter(|(event, _, _)| fits(*event))?;
    debug_assert!(event != Event::Refused, "nobody is there to print a line about a refused connection");
    let line = nearest(case, span, |_, known| known.cause == cause)?;
    Some(told(case, &line, line.known.meaning, span, &wire))
}

fn db_unreachable(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    // A refusal that speaks of the token, or a token that is provably bad, needs no database to explain it.
    let is_about_token = credential::suspect(case, ending).is_some();
    if is_about_token {
        return None;
    }
    near(case, ending, "db-unreachable", |event| match event {
        Event::Cut | Event::Silence => true,
        Event::Status(status) => status >= 500,
        Event::Close(code) => !matches!(code, Some(1001 | 1002 | 1003 | 1007 | 1009 | 1010 | 1012)),
        Event::Refused | Event::Unaccepted => false,
    })
}

fn fd_limit(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    near(case, ending, "fd-limit", |event| match event {
        Event::Cut | Event::Silence | Event::Unaccepted => true,
        Event::Status(status) => status >= 500,
        Event::Close(code) => matches!(code, Some(1011 | 1013)),
        Event::Refused => false,
    })
}

fn origin(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let found = near(case, ending, "http-403-origin", |event| match event {
        Event::Cut => true,
        Event::Status(status) => matches!(status, 400 | 401 | 403 | 404),
        Event::Close(code) => matches!(code, Some(1008 | 3000 | 3003 | 4000..=4999)),
        Event::Refused | Event::Unaccepted | Event::Silence => false,
    })?;
    let origin = case.plan().and_then(|plan| plan.origin.as_deref());
    let sent = origin.map_or_else(|| "no Origin was sent".to_owned(), |o| format!("Origin: {}", case.quote(o, 80)));
    Some(match &case.story.request {
        Some(request) => found.seen(request.at, sent),
        None => found,
    })
}

fn restarted(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    near(case, ending, "server-restarted", |event| match event {
        Event::Cut => true,
        Event::Close(code) => matches!(code, Some(1001 | 1011 | 1012) | None),
        Event::Status(_) | Event::Refused | Event::Unaccepted | Event::Silence => false,
    })
}

fn handler_exception(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if credential::suspect(case, ending).is_some() {
        return None;
    }
    let (event, span, wire) = event(case, ending)?;
    let fits = match event {
        Event::Cut | Event::Silence => true,
        Event::Status(status) => status == 500,
        Event::Close(code) => is_failure(code),
        Event::Refused | Event::Unaccepted => false,
    };
    if !fits {
        return None;
    }
    let line = nearest(case, span, |seen, known| is_exception(case, seen, known))?;
    let mut found = told(case, &line, line.known.meaning, span, &wire);
    if let Some(last) = python_exception(case, line.seen) {
        found.summary = format!(
            "{}: the server's console said \u{201c}{}\u{201d} after a Python traceback, and {wire}.",
            capital("the connection handler raised an exception"),
            case.quote(&last.text, 160)
        );
        let quote = case.quote(&last.text, 200);
        found.evidence.insert(
            0,
            crate::diagnosis::Evidence {
                at: last.at,
                text: format!("the exception: \u{201c}{quote}\u{201d}"),
                place: None,
            },
        );
    }
    Some(found)
}

/// Whether a close code is what servers send after an exception.
fn is_failure(code: Option<u16>) -> bool {
    match code {
        Some(1011) => true,
        // The ranges of applications, but for what is about who may come in.
        Some(code) => matches!(code, 3001..=3002 | 3004..=4399 | 4500..=4999),
        None => false,
    }
}

/// Whether a line is about an exception in a process that was running.
fn is_exception(case: &Case<'_>, seen: &ConsoleSeen, known: &Recognised) -> bool {
    match known.cause {
        "handler-exception" => python_exception(case, seen).is_none_or(|last| !is_consequence(&last.text)),
        // A module or a text that cannot be loaded, in a handler: the process had started long before.
        "boot-crash" => case.port_refuses().is_none() && !is_consequence(&seen.text),
        _ => false,
    }
}

/// The last line of the Python traceback that begins with this line, or right after it.
fn python_exception<'a>(case: &Case<'a>, head: &ConsoleSeen) -> Option<&'a ConsoleSeen> {
    const TRACE_LINES: usize = 200;
    let from = case.story.console.iter().position(|seen| std::ptr::eq(seen, head))?;
    let lines = case.story.console.iter().skip(from).filter(|seen| seen.source == head.source);
    let mut lines = lines.take(TRACE_LINES);
    lines.by_ref().take(3).find(|seen| seen.text.contains("Traceback (most recent call last)"))?;
    lines.find(|seen| !seen.text.starts_with([' ', '\t', '|', '+']))
}

fn out_of_memory(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (event, span, wire) = event(case, ending)?;
    let line = match event {
        Event::Refused => standing(case, span.1, "out-of-memory")?,
        Event::Cut => nearest(case, span, |_, known| known.cause == "out-of-memory")?,
        Event::Unaccepted | Event::Status(_) | Event::Close(_) | Event::Silence => return None,
    };
    let mut found = told(case, &line, line.known.meaning, span, &wire);
    if let Some(at) = case.port_refuses() {
        found = found.seen(at, format!("{} refuses connections since then", case.port_words()));
    }
    Some(found)
}

fn boot_crash(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let refused = event(case, ending).filter(|(event, _, _)| *event == Event::Refused);
    if let Some((_, span, wire)) = refused {
        let Some(line) = standing(case, span.1, "boot-crash") else {
            return ended_before_it_listened(case, span.1, &wire);
        };
        let what = format!("the server did not get as far as listening, {}", line.known.meaning);
        return Some(told(case, &line, &what, span, &wire));
    }
    // The port refuses after the end because the next process does not start.
    let refuses = case.port_refuses()?;
    let line = standing(case, refuses, "boot-crash")?;
    let (end, _) = case.tcp_end().filter(|(end, _)| line.seen.at >= *end)?;
    let quote = case.quote(&line.known.quote, 160);
    let mut found = Found::likely(format!(
        "The server did not come back, {}: its console said \u{201c}{quote}\u{201d} {} after the end.",
        line.known.meaning,
        span(line.seen.at.millis_since(end))
    ));
    found.evidence.push(line.evidence(case));
    Some(found.finding())
}

/// The process that we had started ended without a word that it listens.
fn ended_before_it_listened(case: &Case<'_>, until: Moment, wire: &str) -> Option<Found> {
    let (exit, false) = exit_before(case, until)? else {
        return None;
    };
    let how = exit_words(case, exit);
    let summary = format!("The server ended before it listened: {how}, and {wire}.");
    Some(Found::likely(summary).seen(exit.at, how).seen(until, wire))
}

/// The process that we had started listened once, and had ended before we connected.
fn died_before(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (Event::Refused, (_, until), wire) = event(case, ending)? else {
        return None;
    };
    let (exit, true) = exit_before(case, until)? else {
        return None;
    };
    let how = exit_words(case, exit);
    let summary = format!("The server had died before {} connected: {how}, and {wire}.", case.we());
    Some(Found::likely(summary).seen(exit.at, how).seen(until, wire))
}

fn address_in_use(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let until = case.tcp_end().map_or(case.story.last_at, |(at, _)| at);
    let line = standing(case, until, "address-in-use")?;
    let port = case.address().map(|a| a.port()).or_else(|| case.target().map(|t| t.port))?;
    if !may_name(&line.known.quote, port) {
        return None;
    }
    if let Some((_, span, wire)) = event(case, ending).filter(|(event, _, _)| *event == Event::Refused) {
        let what = "the server could not listen, because another process held its port";
        return Some(told(case, &line, what, span, &wire));
    }
    let connected = case.story.connected()?.ended?;
    let quote = case.quote(&line.known.quote, 160);
    let mut found = Found::likely(format!(
        "We talked to an older process: a newer one could not listen on port {port}, its console said \u{201c}{quote}\u{201d}.",
    ));
    found.evidence.push(line.evidence(case));
    Some(found.seen(connected, format!("port {port} accepted us all the same")).finding())
}

/// Whether a line may be about this port: it names it, or it names none.
fn may_name(line: &str, port: u16) -> bool {
    let mut names_other = false;
    for run in line.split(|c: char| !c.is_ascii_digit() && c != '-' && c != '/') {
        match run.parse::<u16>() {
            Ok(number) if number == port => return true,
            // Shorter numbers are parts of times and addresses.
            Ok(number) if number >= 1_000 => names_other = true,
            Ok(_) | Err(_) => {}
        }
    }
    !names_other
}

#[cfg(test)]
mod tests;
