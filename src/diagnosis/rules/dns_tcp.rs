//! Before any protocol is spoken: names, addresses, ports, and ports that speak something else.

use std::net::SocketAddr;

use super::{Found, Rule};
use crate::diagnosis::case::{TcpEnd, is_loopback};
use crate::diagnosis::words::{addresses, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{Deadline, IoKind, Moment, ProbeOutcome, ResolveKind, TlsFailureKind};
use crate::store::AttemptOutcome;
use crate::wire::banner;

pub(super) const RULES: &[Rule] = &[
    Rule::new("dns-nxdomain", nxdomain),
    Rule::new("dns-unreachable", dns_unreachable),
    Rule::new("localhost-family-mismatch", family_mismatch).implies(&["tcp-refused", "healthy"]),
    Rule::new("tcp-backlog-full", backlog_full).implies(&["tcp-drop", "tcp-refused", "tcp-unreachable"]),
    Rule::new("tcp-drop", dropped).implies(&["tcp-refused", "tcp-unreachable"]),
    Rule::new("tcp-refused", refused).implies(&["tcp-unreachable"]),
    Rule::new("tcp-unreachable", unreachable),
    Rule::new("plain-to-tls", plain_to_tls).implies(&[
        "port-not-http",
        "http-400",
        "upgrade-rst-nobytes",
        "upgrade-fin-nobytes",
        "upgrade-unanswered",
    ]),
    Rule::new("tls-to-plain", tls_to_plain).implies(&["port-not-http", "tls-silent", "tls-fin-after-hello"]),
    Rule::new("port-not-http", port_not_http).implies(&["tls-silent"]),
];

fn nxdomain(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let resolve = case.story.resolve.as_ref().filter(|_| ending == Ending::ResolveFailed)?;
    let failure = resolve.failure.as_ref().filter(|failure| failure.kind == ResolveKind::NoSuchName)?;
    let host = case.quote(&resolve.host, 80);
    let at = resolve.ended.unwrap_or(resolve.started);
    Some(
        Found::certain(format!(
            "The name \u{201c}{host}\u{201d} does not exist, so there was no address to connect to."
        ))
        .seen(at, format!("the resolver answered: {}", failure.text)),
    )
}

fn dns_unreachable(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let resolve = case.story.resolve.as_ref().filter(|_| ending == Ending::ResolveFailed)?;
    let host = case.quote(&resolve.host, 80);
    let at = resolve.ended.unwrap_or(case.story.last_at);
    let summary = format!(
        "The name \u{201c}{host}\u{201d} could not be looked up: the name service did not answer; whether the name exists is \
         not known."
    );
    let Some(failure) = &resolve.failure else {
        let (at, millis) = case.story.ran_out(Deadline::Resolve)?;
        return Some(Found::certain(summary).seen(at, format!("no answer within {}", span(millis as f64))));
    };
    let found = match failure.kind {
        ResolveKind::NoSuchName => return None,
        ResolveKind::TryAgain => Found::certain(summary),
        ResolveKind::Other => {
            Found::likely(format!("The name \u{201c}{host}\u{201d} could not be looked up: {}.", failure.text))
        }
    };
    Some(found.seen(at, failure.text.clone()))
}

/// The addresses that the resolver gave all refused, and the other loopback address accepts.
fn family_mismatch(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let refused = case.failed_attempts(&[IoKind::Refused]);
    let (first, at) = *refused.first()?;
    if !refused.iter().all(|(address, _)| is_loopback(address.ip())) {
        return None;
    }
    let list = addresses(&refused.iter().map(|(address, _)| *address).collect::<Vec<_>>());
    if let Some(connected) = case.story.connected() {
        if connected.address.is_ipv4() == first.is_ipv4() {
            return None;
        }
        let was_added = case.story.resolve.as_ref().is_some_and(|r| r.added.contains(&connected.address.ip()));
        let connected_at = connected.ended.unwrap_or(connected.started);
        let summary = if was_added {
            format!(
                "The name resolves to {list} alone, where nothing listens; the server listens on {}, which we tried beside \
                 it: clients that take only what the resolver gives are refused.",
                connected.address
            )
        } else {
            format!("{list} refused and {} accepted: the server listens on one address family only.", connected.address)
        };
        let found = Found::certain(summary)
            .seen(at, format!("{list} refused"))
            .seen(connected_at, format!("{} accepted", connected.address));
        return Some(found.cause_if(was_added && ending == Ending::Open));
    }
    let (probed_at, other) = case.other_family_accepts()?;
    (ending == Ending::ConnectFailed && other.is_ipv4() != first.is_ipv4()).then(|| {
        Found::certain(format!(
            "Nothing listens on {list}, but {other} accepts: the server listens on the other address family of this machine."
        ))
        .seen(at, format!("{list} refused"))
        .seen(probed_at, format!("{other} accepts"))
    })
}

fn timed_out(case: &Case<'_>, ending: Ending) -> Option<(Vec<SocketAddr>, Moment)> {
    if ending != Ending::ConnectFailed {
        return None;
    }
    let mut silent = case.failed_attempts(&[IoKind::TimedOut]);
    if let Some((at, _)) = case.story.ran_out(Deadline::Connect) {
        let pending = case.story.attempts.iter().filter(|attempt| attempt.outcome == AttemptOutcome::Pending);
        silent.extend(pending.map(|attempt| (attempt.address, at)));
    }
    let at = silent.iter().map(|(_, at)| *at).max()?;
    Some((silent.into_iter().map(|(address, _)| address).collect(), at))
}

fn waited(case: &Case<'_>) -> String {
    case.plan().map_or_else(|| "our time limit".to_owned(), |plan| span(plan.time_outs.connect_millis as f64))
}

fn backlog_full(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (silent, at) = timed_out(case, ending)?;
    silent.iter().all(|address| is_loopback(address.ip())).then(|| {
        Found::likely(format!(
            "{} did not answer within {} although it is this machine, where a port without a listener refuses at once: the \
             listener's queue of new connections is full, because its process does not accept.",
            addresses(&silent),
            waited(case)
        ))
        .seen(at, format!("no answer from {}", addresses(&silent)))
        .or("tcp-drop", "look for a firewall rule on the loopback interface, and for the port in the list of listeners")
    })
}

fn dropped(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (silent, at) = timed_out(case, ending)?;
    Some(
        Found::certain(format!(
            "No answer at all came from {} within {}: what we sent was dropped on the way or the machine is not there.",
            addresses(&silent),
            waited(case)
        ))
        .seen(at, format!("no answer from {}", addresses(&silent)))
        .or("tcp-backlog-full", "look on the server whether the port is in the list of listeners"),
    )
}

fn refused(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let refused = case.failed_attempts(&[IoKind::Refused]);
    let at = refused.iter().map(|(_, at)| *at).max().filter(|_| ending == Ending::ConnectFailed)?;
    let list: Vec<SocketAddr> = refused.iter().map(|(address, _)| *address).collect();
    let took = case.story.attempts.first().map_or(0.0, |attempt| at.millis_since(attempt.started));
    let mut found = Found::certain(format!(
        "Nothing listens on {}: {} refused the connection after {}.",
        case.port_words(),
        addresses(&list),
        span(took)
    ));
    for (address, at) in refused {
        found = found.seen(at, format!("{address} refused"));
    }
    let is_local = list.iter().all(|address| is_loopback(address.ip()));
    Some(found.or_if(!is_local, "tcp-unreachable", "look on the server whether the port is in the list of listeners"))
}

fn unreachable(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let kinds =
        [IoKind::HostUnreachable, IoKind::NetworkUnreachable, IoKind::AddressNotAvailable, IoKind::PermissionDenied];
    let failed = case.failed_attempts(&kinds);
    let at = failed.iter().map(|(_, at)| *at).max().filter(|_| ending == Ending::ConnectFailed)?;
    let list: Vec<SocketAddr> = failed.iter().map(|(address, _)| *address).collect();
    let mut found = Found::certain(format!("There is no way to {}: the network says so at once.", addresses(&list)));
    for attempt in &case.story.attempts {
        if let AttemptOutcome::Failed(failure) = &attempt.outcome {
            found = found.seen(attempt.ended.unwrap_or(at), format!("{}: {}", attempt.address, failure.text));
        }
    }
    Some(found)
}

/// `ws://` to a port that speaks TLS.
fn plain_to_tls(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if case.is_secure() {
        return None;
    }
    let answer = &case.story.answer;
    let port = case.port_words();
    match ending {
        Ending::UpgradeInvalid if answer.not_http.is_some() && is_tls_record(&answer.raw) => {
            let at = answer.first_at.unwrap_or(case.story.last_at);
            Some(
                Found::certain(format!(
                    "{} speaks TLS: it answered our plain request with a TLS record.",
                    capital_port(&port)
                ))
                .seen(at, "the answer begins with a TLS record, not with HTTP"),
            )
        }
        Ending::UpgradeRefused => {
            let body = answer.body_text().to_ascii_lowercase();
            let says = PLAIN_TO_TLS_BODIES.iter().any(|text| body.contains(text));
            (says && answer.status() == Some(400)).then(|| {
                Found::certain(format!(
                    "{} wants TLS, and the server says so in clear: use wss://.",
                    capital_port(&port)
                ))
                .seen(case.head_at(), format!("400: {}", case.quote(&answer.body_text(), 160)))
            })
        }
        Ending::UpgradeCut if answer.bytes_seen == 0 => {
            let probed_at = case.tls_answered()?;
            let (at, _) = case.tcp_end()?;
            Some(
                Found::certain(format!(
                    "{} speaks TLS: it ended our plain connection without an answer, and answers a ClientHello.",
                    capital_port(&port)
                ))
                .seen(at, format!("TCP ended with {} in place of an answer", case.tcp_end_words()))
                .seen(probed_at, "a ClientHello was answered with a TLS record"),
            )
        }
        _ => None,
    }
}

fn capital_port(port: &str) -> String {
    crate::diagnosis::words::capital(port)
}

fn is_tls_record(bytes: &[u8]) -> bool {
    matches!(bytes, [0x14..=0x17, 3, 0..=4, ..])
}

const PLAIN_TO_TLS_BODIES: &[&str] = &[
    "plain http request was sent to https port",
    "speaking plain http to an ssl-enabled server port",
    "client sent an http request to an https server",
    "this combination of host and port requires tls",
];

/// `wss://` to a port that speaks cleartext HTTP.
fn tls_to_plain(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if ending != Ending::TlsFailed {
        return None;
    }
    let tls = case.story.tls.as_ref()?;
    let port = capital_port(&case.port_words());
    let at = tls.ended.unwrap_or(case.story.last_at);
    if tls.first_bytes.starts_with(b"HTTP/") {
        let text = case.quote(&String::from_utf8_lossy(&tls.first_bytes), 60);
        return Some(
            Found::certain(format!("{port} does not speak TLS: it answered our ClientHello with HTTP in clear."))
                .seen(at, format!("the server's first bytes: {text}")),
        );
    }
    let is_silent_or_odd = tls.failure.as_ref().is_none_or(|failure| {
        matches!(
            failure.kind,
            TlsFailureKind::NotTls | TlsFailureKind::TimedOut | TlsFailureKind::Fin | TlsFailureKind::Other
        )
    });
    let (probed_at, outcome) = case.plain_get()?;
    match outcome {
        ProbeOutcome::Answered { status: Some(status), .. } if is_silent_or_odd && banner(&tls.first_bytes).is_none() => {
            Some(
                Found::certain(format!(
                    "{port} does not speak TLS: it had no use for our ClientHello, but answers a plain GET with {status}."
                ))
                .seen(at, "no TLS came back")
                .seen(probed_at, format!("a plain GET was answered with {status}")),
            )
        }
        ProbeOutcome::Answered { .. }
        | ProbeOutcome::Accepted
        | ProbeOutcome::Failed(_)
        | ProbeOutcome::Silent
        | ProbeOutcome::Ended(_) => None,
    }
}

/// Another protocol's port.
fn port_not_http(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let port = capital_port(&case.port_words());
    let (bytes, at) = match ending {
        Ending::UpgradeInvalid if case.story.answer.not_http.is_some() => {
            (case.story.answer.raw.as_slice(), case.story.answer.first_at.unwrap_or(case.story.last_at))
        }
        Ending::TlsFailed => {
            let tls = case.story.tls.as_ref()?;
            let is_foreign = tls.failure.as_ref().is_some_and(|failure| failure.kind == TlsFailureKind::NotTls)
                || banner(&tls.first_bytes).is_some();
            if !is_foreign || tls.first_bytes.is_empty() || is_tls_record(&tls.first_bytes) {
                return None;
            }
            (tls.first_bytes.as_slice(), tls.ended.unwrap_or(case.story.last_at))
        }
        _ => return None,
    };
    let found = match banner(bytes) {
        Some(banner) => Found::certain(format!(
            "{port} belongs to {}: it greeted us with \u{201c}{}\u{201d}.",
            banner.what,
            case.quote(&banner.quote, 60)
        )),
        None => Found::certain(format!("What listens on {} does not speak HTTP.", case.port_words())),
    };
    let text = case.quote(&String::from_utf8_lossy(bytes.get(..64).unwrap_or(bytes)), 60);
    let found = found.seen(at, format!("the server's first bytes: \u{201c}{text}\u{201d}"));
    Some(match case.tcp_end() {
        Some((at, TcpEnd::Fin | TcpEnd::Rst)) => found.seen(at, format!("TCP ended with {}", case.tcp_end_words())),
        Some((_, TcpEnd::Silence)) | None => found,
    })
}
