//! Before any protocol is spoken: names, addresses, ports, and ports that speak something else.

use std::net::SocketAddr;

use super::{Found, Rule};
use crate::diagnosis::asked::waiting_words;
use crate::diagnosis::case::{TcpEnd, is_loopback};
use crate::diagnosis::console::near::listens_elsewhere;
use crate::diagnosis::words::{addresses, capital, span};
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
    let name = resolve.host.to_ascii_lowercase();
    let browsers = if format!(".{}", name.trim_end_matches('.')).ends_with(".localhost") {
        " Browsers do not ask for names under localhost, they take this machine: a page may get through."
    } else {
        ""
    };
    Some(
        Found::certain(format!(
            "The name \u{201c}{host}\u{201d} does not exist, so there was no address to connect to.{browsers}"
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
    let elsewhere = case.story.connected_elsewhere();
    if let Some(connected) = elsewhere.or(case.story.connected()) {
        if connected.address.is_ipv4() == first.is_ipv4() {
            return None;
        }
        let connected_at = connected.ended.unwrap_or(connected.started);
        let summary = if elsewhere.is_some() {
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
        return Some(found.cause_if(ending == Ending::ConnectFailed));
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
    let listed = case
        .listeners_after()
        .filter(|(_, listeners)| listeners.iter().any(|listener| listener.waiting.is_some_and(|waiting| waiting > 0)));
    silent.iter().all(|address| is_loopback(address.ip())).then(|| {
        let summary = format!(
            "{} did not answer within {} although it is this machine, where a port without a listener refuses at once: the \
             listener's queue of new connections is full, because its process does not accept.",
            addresses(&silent),
            waited(case)
        );
        let found = if listed.is_some() { Found::certain(summary) } else { Found::likely(summary) };
        let found = found.seen(at, format!("no answer from {}", addresses(&silent)));
        if let Some((looked, listeners)) = listed {
            let waiting = listeners.iter().find(|listener| listener.waiting.is_some_and(|waiting| waiting > 0));
            return found.seen(looked, waiting.map(waiting_words).unwrap_or_default());
        }
        found.or("tcp-drop", "look for a firewall rule on the loopback interface, and for the port in the list of listeners")
    })
}

fn dropped(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (silent, at) = timed_out(case, ending)?;
    Some(
        Found::certain(format!(
            "No answer at all came from {} within {}: what was sent was dropped on the way or the machine is not there.",
            addresses(&silent),
            waited(case)
        ))
        .seen(at, format!("no answer from {}", addresses(&silent)))
        .or("tcp-backlog-full", "look on the server whether the port is in the list of listeners"),
    )
}

fn refused(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if let Some((at, path, failure)) = case.socket_failed()
        && ending == Ending::ConnectFailed
        && failure.kind != IoKind::PermissionDenied
    {
        let words =
            format!("Nobody listens at the socket {}: {}.", case.quote(path, 80), case.quote(&failure.text, 80));
        return Some(Found::certain(words).seen(at, case.quote(&failure.text, 120)));
    }
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
    if let Some((line, port)) = listens_elsewhere(case) {
        let words = format!(" The server listens on port {port}, as its console says: the URL names another port.");
        found.summary.push_str(&words);
        found = found.seen(line.at, format!("the console said \u{201c}{}\u{201d}", case.quote(&line.text, 160)));
    }
    let is_local = list.iter().all(|address| is_loopback(address.ip()));
    Some(found.or_if(!is_local, "tcp-unreachable", "look on the server whether the port is in the list of listeners"))
}

fn unreachable(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if let Some((at, path, failure)) = case.socket_failed()
        && ending == Ending::ConnectFailed
        && failure.kind == IoKind::PermissionDenied
    {
        let words = format!("This user may not open the socket {}.", case.quote(path, 80));
        return Some(Found::certain(words).seen(at, case.quote(&failure.text, 120)));
    }
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
                    capital(&port)
                ))
                .seen(at, "the answer begins with a TLS record, not with HTTP"),
            )
        }
        Ending::UpgradeRefused => {
            let body = case.body_beginning().to_ascii_lowercase();
            let says = PLAIN_TO_TLS_BODIES.iter().any(|text| body.contains(text));
            (says && answer.status() == Some(400)).then(|| {
                Found::certain(format!("{} wants TLS, and the server says so in clear: use wss://.", capital(&port)))
                    .seen(case.head_at(), format!("400: {}", case.quote(&case.body_beginning(), 160)))
            })
        }
        Ending::UpgradeCut if answer.bytes_seen == 0 => {
            let probed_at = case.tls_answered()?;
            let (at, _) = case.tcp_end()?;
            Some(
                Found::certain(format!(
                    "{} speaks TLS: it ended our plain connection without an answer, and answers a ClientHello.",
                    capital(&port)
                ))
                .seen(at, format!("TCP ended with {} in place of an answer", case.tcp_end_words()))
                .seen(probed_at, "a ClientHello was answered with a TLS record"),
            )
        }
        _ => None,
    }
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
    let port = capital(&case.port_words());
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
        | ProbeOutcome::Listening { .. }
        | ProbeOutcome::Handshaken(_)
        | ProbeOutcome::Ended(_) => None,
    }
}

/// The first line of a greeting, or the first readable piece of one that is not text.
fn greeting(bytes: &[u8]) -> String {
    let begin = bytes.get(..80).unwrap_or(bytes);
    let line = begin.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or(begin);
    let is_text = line.len() >= 3 && line.iter().all(|b| (0x20..0x7F).contains(b));
    let mut pieces = begin.split(|b| !(0x20..0x7F).contains(b));
    let piece = if is_text { line } else { pieces.find(|piece| piece.len() >= 4).unwrap_or(line) };
    String::from_utf8_lossy(piece).into_owned()
}

/// Another protocol's port.
fn port_not_http(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let port = capital(&case.port_words());
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
            case.quote(&greeting(bytes), 60)
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use crate::diagnosis::testing::{Scene, finds, rivals};
    use crate::observation::{
        CloseOrigin, Deadline, Fact, IoKind, Probe, ProbeOutcome, ResolveFailure, ResolveKind, TlsFailureKind,
    };

    fn unresolved(kind: ResolveKind) -> Scene {
        unresolved_name("nowhere.invalid", kind)
    }

    fn unresolved_name(host: &str, kind: ResolveKind) -> Scene {
        let failure = ResolveFailure { kind, code: None, text: "the resolver's words".to_owned() };
        Scene::to(&format!("ws://{host}/"))
            .fact(Fact::ResolveStarted { host: host.to_owned() })
            .fact(Fact::ResolveFailed(failure))
    }

    fn localhost(addresses: &[&str], added: &[&str]) -> Scene {
        let ips = |list: &[&str]| list.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect();
        Scene::to("ws://localhost:3001/")
            .fact(Fact::ResolveStarted { host: "localhost".to_owned() })
            .fact(Fact::Resolved { addresses: ips(addresses), added: ips(added) })
    }

    const V4: &str = "127.0.0.1:3001";
    const V6: &str = "[::1]:3001";

    #[test]
    fn only_a_clear_answer_is_nxdomain() {
        unresolved(ResolveKind::NoSuchName).certain("resolve-failed", "dns-nxdomain");
        for (host, is_browsers) in [("app.localhost", true), ("localhost.", true), ("mylocalhost", false)] {
            let verdict = unresolved_name(host, ResolveKind::NoSuchName).certain("resolve-failed", "dns-nxdomain");
            assert_eq!(verdict.summary.contains("a page may get through"), is_browsers, "{host}");
        }
        unresolved(ResolveKind::TryAgain).certain("resolve-failed", "dns-unreachable");
        unresolved(ResolveKind::Other).likely("resolve-failed", "dns-unreachable");
        Scene::to("ws://nowhere.invalid/")
            .fact(Fact::ResolveStarted { host: "nowhere.invalid".to_owned() })
            .ran_out(Deadline::Resolve, 1_000)
            .certain("resolve-failed", "dns-unreachable");
    }

    #[test]
    fn each_way_of_not_connecting() {
        let remote = |kind| Scene::to("ws://192.0.2.1:3001/").tcp_failed("192.0.2.1:3001", kind);
        let refused = remote(IoKind::Refused).certain("connect-failed", "tcp-refused");
        assert!(!refused.summary.contains("firewall"), "{}", refused.summary);
        remote(IoKind::TimedOut).certain("connect-failed", "tcp-drop");
        remote(IoKind::HostUnreachable).certain("connect-failed", "tcp-unreachable");
        remote(IoKind::NetworkUnreachable).certain("connect-failed", "tcp-unreachable");
        localhost(&["127.0.0.1"], &["::1"])
            .tcp_failed(V4, IoKind::TimedOut)
            .likely("connect-failed", "tcp-backlog-full");
        let mixed = remote(IoKind::Refused).tcp_failed("[2001:db8::1]:3001", IoKind::NetworkUnreachable);
        mixed.certain("connect-failed", "tcp-refused");
        let silent = remote(IoKind::TimedOut).tcp_failed("[2001:db8::1]:3001", IoKind::Refused);
        silent.certain("connect-failed", "tcp-drop");
        remote(IoKind::Other).is_not("tcp-refused");
    }

    #[test]
    fn the_other_family_is_the_cause_only_if_all_that_were_given_refused() {
        let done =
            |scene: Scene| scene.request().accept().confirm().we_close(CloseOrigin::WatchEnded).server_close(1000, "");
        let added = localhost(&["127.0.0.1"], &["::1"]).tcp_failed(V4, IoKind::Refused).tcp_connected(V6);
        added.certain("connect-failed", "localhost-family-mismatch");
        let second = localhost(&["::1", "127.0.0.1"], &[]).tcp_failed(V6, IoKind::Refused).tcp_connected(V4);
        let verdict = done(second).certain("open", "healthy");
        assert!(finds(&verdict, "localhost-family-mismatch"), "{verdict:#?}");
        localhost(&["127.0.0.1"], &["::1"])
            .tcp_failed(V4, IoKind::Refused)
            .tcp_failed(V6, IoKind::Refused)
            .certain("connect-failed", "tcp-refused");
    }

    #[test]
    fn a_literal_address_is_probed_in_the_other_family() {
        let scene = Scene::to("ws://127.0.0.1:3001/").tcp_failed(V4, IoKind::Refused);
        let probe = Probe::Tcp { address: V6.parse().unwrap() };
        assert!(scene.next_probes().contains(&probe));
        let accepted = scene.clone().probe(probe.clone(), ProbeOutcome::Accepted);
        accepted.certain("connect-failed", "localhost-family-mismatch");
        assert!(!accepted.next_probes().contains(&probe));
        let failure = crate::diagnosis::testing::failure(IoKind::Refused);
        scene.probe(probe, ProbeOutcome::Failed(failure)).certain("connect-failed", "tcp-refused");
    }

    #[test]
    fn plain_request_to_a_tls_port() {
        let alert = Scene::asked().server(b"\x15\x03\x01\x00\x02\x02\x46").fin();
        alert.certain("upgrade-invalid", "plain-to-tls");
        let body = "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>";
        let nginx =
            Scene::asked().answer("400 Bad Request", "Server: nginx/1.22.1\r\nContent-Type: text/html\r\n", body);
        nginx.certain("upgrade-refused", "plain-to-tls");
        let reset = Scene::asked().rst();
        assert_eq!(reset.next_probes().len(), 2);
        reset.clone().accepts().answers_tls().certain("upgrade-cut", "plain-to-tls");
        let silent = reset.accepts();
        let verdict = silent.certain("upgrade-cut", "upgrade-rst-nobytes");
        assert!(rivals(&verdict).contains(&"plain-to-tls"), "{verdict:#?}");
    }

    #[test]
    fn tls_to_a_plain_port_and_to_a_stranger() {
        let wss = || Scene::to("wss://127.0.0.1:3001/").tcp();
        let http = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
        wss().tls_failed(TlsFailureKind::NotTls, http).certain("tls-failed", "tls-to-plain");
        wss().tls_failed(TlsFailureKind::NotTls, b"SSH-2.0-OpenSSH_9.6\r\n").certain("tls-failed", "port-not-http");
        let silent = wss().tls_failed(TlsFailureKind::TimedOut, b"");
        assert_eq!(silent.next_probes().len(), 2);
        let answered = ProbeOutcome::Answered { status: Some(200), preview: "HTTP/1.1 200 OK".to_owned(), tls: false };
        silent.clone().plain_get(answered).certain("tls-failed", "tls-to-plain");
        silent.plain_get(ProbeOutcome::Silent).certain("tls-failed", "tls-silent");
    }

    #[test]
    fn banners_are_quoted() {
        let greeted = |bytes: &[u8]| Scene::asked().server(bytes).fin();
        let ssh = greeted(b"SSH-2.0-OpenSSH_9.6\r\n").certain("upgrade-invalid", "port-not-http");
        assert!(ssh.summary.contains("SSH-2.0"), "{}", ssh.summary);
        let mysql = greeted(b"J\0\0\0\n8.0.36\0").certain("upgrade-invalid", "port-not-http");
        assert!(mysql.summary.contains("8.0.36"), "{}", mysql.summary);
        greeted(b"-ERR unknown command 'GET'\r\n").certain("upgrade-invalid", "port-not-http");
        greeted(b"220 mail ESMTP\r\n").certain("upgrade-invalid", "port-not-http");
        greeted(b"hello\r\n").certain("upgrade-invalid", "port-not-http");
        greeted(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").is_not("port-not-http");
    }
}
