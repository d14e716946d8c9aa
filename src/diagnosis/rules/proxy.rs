//! Between us and the server stands a proxy, and it could not be reached or gave no way.

use super::{Found, Rule, refused};
use crate::diagnosis::words::span;
use crate::diagnosis::{Case, Ending};
use crate::observation::{Moment, Route, TunnelFailure, TunnelFailureKind};
use crate::store::{AttemptOutcome, Tunnel};
use crate::wire::ProxyKind;

pub(super) const RULES: &[Rule] = &[
    Rule::new("proxy-auth-407", auth),
    Rule::new("proxy-unreachable", unreachable).implies(&[
        "tcp-refused",
        "tcp-drop",
        "tcp-unreachable",
        "tcp-backlog-full",
        "localhost-family-mismatch",
    ]),
    Rule::new("proxy-refused", refused_by_http),
    Rule::new("socks-refused", refused_by_socks),
];

/// The proxy of this connection, and who named it.
fn proxy<'a>(case: &Case<'a>) -> Option<(ProxyKind, &'a str, &'a str)> {
    match &case.plan()?.route {
        Route::Proxy { kind, place, source } => Some((*kind, place, source)),
        Route::Direct | Route::Bypassed { .. } => None,
    }
}

/// The tunnel that was refused.
fn refusal<'a>(case: &Case<'a>, ending: Ending) -> Option<(&'a Tunnel, &'a TunnelFailure, Moment)> {
    let tunnel = case.story.tunnel.as_ref().filter(|_| ending == Ending::ConnectFailed)?;
    Some((tunnel, tunnel.failure.as_ref()?, tunnel.ended.unwrap_or(tunnel.started)))
}

fn auth(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let Some((_, failure, at)) = refusal(case, ending) else {
        return refused::status(case, ending, id);
    };
    let (_, place, source) = proxy(case)?;
    (failure.kind == TunnelFailureKind::Status(407)).then(|| {
        Found::certain(format!(
            "The proxy {} wants a login: it answered our CONNECT with 407, and the server never heard of us.",
            case.quote(place, 80)
        ))
        .seen(at, case.quote(&failure.text, 160))
        .with_answer(case, at, &failure.response)
        .seen(at, format!("the proxy comes from {source}"))
    })
}

fn unreachable(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (kind, place, source) = proxy(case).filter(|_| ending == Ending::ConnectFailed)?;
    let place = case.quote(place, 80);
    let what = kind.words();
    if let Some(resolve) = case.story.resolve.as_ref()
        && let Some(failure) = &resolve.failure
    {
        let at = resolve.ended.unwrap_or(resolve.started);
        return Some(
            Found::certain(format!("The {what} {place} has no address: its name could not be resolved."))
                .seen(at, format!("the resolver answered: {}", failure.text))
                .seen(at, format!("the proxy comes from {source}")),
        );
    }
    if case.story.tunnel.is_some() {
        return None;
    }
    let at = case.all_attempts_failed()?;
    let began = case.story.attempts.first().map_or(at, |attempt| attempt.started);
    let mut found = Found::certain(format!(
        "The {what} {place} could not be reached within {}, so the server was never asked.",
        span(at.millis_since(began))
    ));
    for attempt in &case.story.attempts {
        if let AttemptOutcome::Failed(failure) = &attempt.outcome {
            found = found.seen(attempt.ended.unwrap_or(at), format!("{}: {}", attempt.address, failure.text));
        }
    }
    Some(found.seen(at, format!("the proxy comes from {source}")))
}

fn refused_by_http(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (tunnel, failure, at) = refusal(case, ending)?;
    let (_, place, source) = proxy(case)?;
    if tunnel.kind == ProxyKind::Socks5 || failure.kind == TunnelFailureKind::Status(407) {
        return None;
    }
    let place = case.quote(place, 80);
    let summary = match failure.kind {
        TunnelFailureKind::Status(status) => format!(
            "The proxy {place} gave no way to {}: it answered our CONNECT with {status}{}.",
            case.port_words(),
            if matches!(status, 502..=504) { ", so it could not reach the server either" } else { "" }
        ),
        TunnelFailureKind::NotHttp => format!("What listens at {place} is no HTTP proxy: its answer is not HTTP."),
        TunnelFailureKind::Tls => {
            format!("TLS to the proxy {place} itself failed, so it was not asked for a way to the server.")
        }
        TunnelFailureKind::Ended => format!("The proxy {place} ended TCP in place of an answer to our CONNECT."),
        TunnelFailureKind::TimedOut => format!("The proxy {place} did not answer our CONNECT in time."),
        TunnelFailureKind::Reply(_) | TunnelFailureKind::Authentication | TunnelFailureKind::NotSocks => return None,
    };
    Some(
        Found::certain(summary)
            .seen(at, case.quote(&failure.text, 160))
            .with_answer(case, at, &failure.response)
            .seen(at, format!("the proxy comes from {source}")),
    )
}

fn refused_by_socks(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (tunnel, failure, at) = refusal(case, ending)?;
    let (_, place, source) = proxy(case)?;
    if tunnel.kind != ProxyKind::Socks5 {
        return None;
    }
    let place = case.quote(place, 80);
    let summary = match failure.kind {
        TunnelFailureKind::Reply(code) => format!(
            "The SOCKS5 proxy {place} gave no way to {}: reply {code}, {} (RFC 1928 \u{a7}6).",
            case.port_words(),
            reply_name(code)
        ),
        TunnelFailureKind::Authentication => {
            format!("The SOCKS5 proxy {place} did not let us in: {}.", case.quote(&failure.text, 120))
        }
        TunnelFailureKind::TimedOut => format!("The SOCKS5 proxy {place} did not answer in time."),
        TunnelFailureKind::Ended => format!("The SOCKS5 proxy {place} ended TCP in place of an answer."),
        TunnelFailureKind::NotSocks
        | TunnelFailureKind::Status(_)
        | TunnelFailureKind::NotHttp
        | TunnelFailureKind::Tls => {
            format!("What listens at {place} is no SOCKS5 proxy: its answer is not SOCKS version 5.")
        }
    };
    Some(
        Found::certain(summary)
            .seen(at, case.quote(&failure.text, 160))
            .seen(at, format!("the proxy comes from {source}")),
    )
}

/// The name of a SOCKS reply (RFC 1928 §6).
fn reply_name(code: u8) -> &'static str {
    match code {
        0 => "succeeded",
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unassigned",
    }
}

impl Found {
    /// The same, shown by the fields and the body of a proxy's answer that say why.
    fn with_answer(mut self, case: &Case<'_>, at: Moment, response: &str) -> Self {
        let (head, body) = response.split_once("\r\n\r\n").unwrap_or((response, ""));
        let telling = ["proxy-authenticate", "server", "via", "x-squid-error", "proxy-status"];
        for line in head.lines().skip(1).filter(|line| {
            let name = line.split(':').next().unwrap_or_default().to_ascii_lowercase();
            telling.contains(&name.as_str())
        }) {
            self = self.seen(at, case.quote(line, 160));
        }
        let body = body.trim();
        if body.is_empty() { self } else { self.seen(at, format!("it says: {}", case.quote(body, 200))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Scene, failure};
    use crate::observation::{Fact, IoKind, ResolveFailure, ResolveKind};

    fn through(kind: ProxyKind) -> Scene {
        let place = "proxy.test:3128".to_owned();
        let source = "HTTPS_PROXY".to_owned();
        Scene::to("wss://example.test/").plan(|plan| plan.route = Route::Proxy { kind, place, source })
    }

    fn refused(kind: ProxyKind, failure: TunnelFailureKind, response: &str) -> Scene {
        let failure = TunnelFailure { kind: failure, text: "refused".to_owned(), response: response.to_owned() };
        through(kind)
            .tcp_connected("192.0.2.1:3128")
            .fact(Fact::TunnelStarted { kind, request: "CONNECT example.test:443 HTTP/1.1".to_owned() })
            .fact(Fact::TunnelFailed(Box::new(failure)))
            .fact(Fact::WeClosedTcp)
            .fact(Fact::Finished)
    }

    #[test]
    fn a_proxy_that_is_not_there() {
        let verdict = through(ProxyKind::Http)
            .tcp_failed("192.0.2.1:3128", IoKind::Refused)
            .certain("connect-failed", "proxy-unreachable");
        assert!(verdict.findings.is_empty(), "{verdict:#?}");
        assert!(verdict.summary.contains("HTTP proxy proxy.test:3128"), "{}", verdict.summary);
        let nowhere = ResolveFailure { kind: ResolveKind::NoSuchName, code: None, text: "no such name".to_owned() };
        through(ProxyKind::Socks5)
            .fact(Fact::ResolveStarted { host: "proxy.test".to_owned() })
            .fact(Fact::ResolveFailed(nowhere))
            .certain("connect-failed", "proxy-unreachable");
    }

    #[test]
    fn a_proxy_that_says_no() {
        let answer = "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"office\"\r\n\r\n";
        let verdict = refused(ProxyKind::Http, TunnelFailureKind::Status(407), answer);
        let verdict = verdict.certain("connect-failed", "proxy-auth-407");
        assert!(verdict.evidence.iter().any(|e| e.text.contains("office")), "{verdict:#?}");
        for kind in [
            TunnelFailureKind::Status(403),
            TunnelFailureKind::Status(503),
            TunnelFailureKind::NotHttp,
            TunnelFailureKind::Ended,
            TunnelFailureKind::TimedOut,
        ] {
            refused(ProxyKind::Http, kind, "").certain("connect-failed", "proxy-refused");
        }
        refused(ProxyKind::Https, TunnelFailureKind::Tls, "").certain("connect-failed", "proxy-refused");
        for kind in [TunnelFailureKind::Reply(5), TunnelFailureKind::Authentication, TunnelFailureKind::NotSocks] {
            refused(ProxyKind::Socks5, kind, "").certain("connect-failed", "socks-refused");
        }
        let verdict = refused(ProxyKind::Socks5, TunnelFailureKind::Reply(2), "").verdict();
        assert!(verdict.summary.contains("not allowed by ruleset"), "{}", verdict.summary);
    }

    #[test]
    fn nothing_behind_a_proxy_is_probed_or_laid_on_its_port() {
        let ended = through(ProxyKind::Http)
            .tcp_connected("127.0.0.1:3128")
            .fact(Fact::TunnelStarted { kind: ProxyKind::Http, request: "CONNECT".to_owned() })
            .fact(Fact::TunnelOpened { response: "HTTP/1.1 200 OK".to_owned() })
            .request()
            .accept()
            .confirm()
            .fin();
        assert!(ended.next_probes().is_empty());
        let verdict = ended.verdict();
        assert_eq!(verdict.cause, "connection-terminated", "{verdict:#?}");
        let reset = through(ProxyKind::Http).tcp_connected("127.0.0.1:3128");
        let reset = reset.request().fact(Fact::WriteFailed(failure(IoKind::Reset))).verdict();
        assert!(!reset.summary.contains("3128"), "{}", reset.summary);
    }
}
