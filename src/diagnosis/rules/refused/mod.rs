//! A whole HTTP response other than 101: first what body and fields give away, then the status alone.

mod fingerprint;
mod redirect;

use super::{Found, Rule};
use crate::diagnosis::words::{capital, span};
use crate::diagnosis::{Case, Ending};

pub(in crate::diagnosis) use fingerprint::is_403_fingerprint;

pub(super) const RULES: &[Rule] = &[
    Rule::new("proxy-auth-407", status),
    Rule::new("engineio-error", fingerprint::engineio).implies(&["http-*"]),
    Rule::new("http-400-missing-key", fingerprint::missing_key).implies(&["http-400", "http-upgrade-stripped"]),
    Rule::new("http-426", fingerprint::other_version),
    Rule::new("http-upgrade-stripped", fingerprint::upgrade_stripped).implies(&["http-400", "http-404", "http-426"]),
    Rule::new("http-400-path-mismatch", fingerprint::path_mismatch).implies(&["http-400"]),
    Rule::new("http-403-origin", fingerprint::forbidden).implies(&["http-403", "http-404"]),
    Rule::new("http-403-proxy", fingerprint::forbidden).implies(&["http-403"]),
    Rule::new("http-403-starlette", fingerprint::forbidden).implies(&["http-403"]),
    Rule::new("http-redirect-login", redirect::check).implies(&["http-redirect"]),
    Rule::new("http-redirect-https", redirect::check).implies(&["http-redirect"]),
    Rule::new("http-redirect-slash", redirect::check).implies(&["http-redirect"]),
    Rule::new("http-redirect", redirect::check),
    Rule::new("http-200-spa", fingerprint::spa).implies(&["http-200"]),
    Rule::new("http-200", status),
    Rule::new("http-204", status),
    Rule::new("http-400", status),
    Rule::new("http-401", status),
    Rule::new("http-403", status),
    Rule::new("http-404", status),
    Rule::new("http-405", status),
    Rule::new("http-413", status),
    Rule::new("http-414", status),
    Rule::new("http-429", status),
    Rule::new("http-431", status),
    Rule::new("http-500", status),
    Rule::new("http-502", status),
    Rule::new("http-503", status),
    Rule::new("http-504", status),
    Rule::new("http-505", status),
    Rule::new("http-other", status),
];

/// The id that a status has when nothing finer fits.
fn id_of(status: u16) -> &'static str {
    match status {
        200 => "http-200",
        204 => "http-204",
        400 => "http-400",
        401 => "http-401",
        403 => "http-403",
        404 => "http-404",
        405 => "http-405",
        407 => "proxy-auth-407",
        413 => "http-413",
        414 => "http-414",
        429 => "http-429",
        431 => "http-431",
        500 => "http-500",
        502 => "http-502",
        503 => "http-503",
        504 => "http-504",
        505 => "http-505",
        _ => "http-other",
    }
}

/// The status alone, with the server's own words; a finding where the response was cut short.
fn status(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    if !matches!(ending, Ending::UpgradeRefused | Ending::UpgradeCut) {
        return None;
    }
    let head = case.head()?;
    if id_of(head.status) != id {
        return None;
    }
    let asked = case.story.request.as_ref().map_or(case.story.last_at, |request| request.at);
    let took = span(case.head_at().millis_since(asked));
    let server = case.server_words();
    let what = meaning(case, head.status);
    let found = Found::certain(format!(
        "The server answered {} in place of 101 after {took}{server}{what}{}.",
        status_words(head.status, &head.reason),
        body_clause(case)
    ));
    let mut found = evidence(case, found);
    for name in ["retry-after", "www-authenticate", "allow", "proxy-authenticate", "location"] {
        if let Some(value) = head.value(name) {
            found = found.seen(case.head_at(), format!("{}: {}", field_name(name), case.quote(value, 120)));
        }
    }
    Some(rivals(case, head.status, found).cause_if(ending == Ending::UpgradeRefused))
}

fn status_words(status: u16, reason: &str) -> String {
    if reason.is_empty() { status.to_string() } else { format!("{status} {reason}") }
}

/// What the status means for a WebSocket, as a clause.
fn meaning(case: &Case<'_>, status: u16) -> &'static str {
    match status {
        200 => ": to it this was an ordinary request, not an upgrade",
        204 => ": the endpoint is there, but not as a WebSocket",
        401 => ": it wants other credentials",
        403 => ": it understood and said no",
        404 => ": nothing lives at this path, or it has no upgrade listener and took this for a page request",
        405 => ": this path does not take GET",
        407 => ": a proxy wants credentials",
        413 | 414 | 431 => ": it finds the request too large",
        429 => ": we connect too often",
        500 => ": it failed before it accepted",
        502 => ": a gateway got no good answer from the server behind it",
        503 => ": nobody is there to serve us",
        504 => ": a gateway waited in vain for the server behind it",
        505 => ": it was addressed in a version of HTTP that it does not speak",
        _ if case.story.answer.body_text().trim().is_empty() => "",
        _ => ": see its own words",
    }
}

fn body_clause(case: &Case<'_>) -> String {
    let body = fingerprint::readable_body(case);
    if body.is_empty() { String::new() } else { format!(" \u{2013} \u{201c}{}\u{201d}", case.quote(&body, 100)) }
}

/// The status line, the fields that name the layer, and the body.
fn evidence(case: &Case<'_>, found: Found) -> Found {
    let Some(head) = case.head() else {
        return found;
    };
    let at = case.head_at();
    let mut found =
        found.seen(at, format!("HTTP/1.{} {}", head.minor_version, status_words(head.status, &head.reason)));
    for name in ["server", "via", "x-powered-by"] {
        if let Some(value) = head.value(name) {
            found = found.seen(at, format!("{}: {}", capital(name), case.quote(value, 80)));
        }
    }
    let body = fingerprint::readable_body(case);
    if !body.is_empty() {
        found = found.seen(case.story.answer.last_at.unwrap_or(at), format!("body: {}", case.quote(&body, 240)));
    }
    found
}

fn field_name(lower: &str) -> String {
    lower.split('-').map(capital).collect::<Vec<_>>().join("-")
}

fn rivals(case: &Case<'_>, status: u16, found: Found) -> Found {
    let has_origin = case.plan().is_some_and(|plan| plan.origin.is_some());
    let has_token = !crate::diagnosis::credential::is_absent(case);
    match status {
        401 => {
            found.or_if(has_token, "jwt-wrong-secret", "give the server's secret, so that the signature can be checked")
        }
        403 => found
            .or("http-403-origin", if has_origin { "repeat without Origin" } else { "repeat with the page's Origin" })
            .or_if(has_token, "jwt-wrong-secret", "give the server's secret, so that the signature can be checked")
            .or_if(!has_token, "token-missing", "repeat with a token"),
        404 => found
            .or("http-upgrade-stripped", "connect to the server behind the proxy directly")
            .or("http-403-origin", "repeat with another Origin"),
        400 => found
            .or("http-upgrade-stripped", "connect to the server behind the proxy directly")
            .or("url-too-long", "repeat with a shorter URL"),
        431 => found.or("url-too-long", "repeat without cookies, then with a shorter URL"),
        500 => found.or("handler-exception", "look at the server's console"),
        504 => found.or("server-blocked", "ask the server behind the gateway directly"),
        _ => found,
    }
}
