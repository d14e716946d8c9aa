//! Answers that give their sender away by body and fields.

use super::evidence;
use crate::diagnosis::asked::is_engineio_error;
use crate::diagnosis::rules::Found;
use crate::diagnosis::words::capital;
use crate::diagnosis::{Case, Ending, credential};
use crate::observation::{Change, Moment};
use crate::wire::ResponseHead;

fn answered<'a>(case: &Case<'a>, ending: Ending, statuses: &[u16]) -> Option<&'a ResponseHead> {
    case.head().filter(|head| ending == Ending::UpgradeRefused && statuses.contains(&head.status))
}

fn body(case: &Case<'_>) -> String {
    case.body_beginning()
}

/// The body for people: markup taken out of HTML.
pub(super) fn readable_body(case: &Case<'_>) -> String {
    let body = body(case);
    if !is_html(case, &body) {
        return body.trim().to_owned();
    }
    let whole = without_markup(&body);
    let visible = body.split_once("</head>").map_or_else(String::new, |(_, visible)| without_markup(visible));
    if visible.is_empty() { whole } else { visible }
}

fn without_markup(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let lower = after.get(..after.len().min(8)).unwrap_or("").to_ascii_lowercase();
        let close = if lower.starts_with("script") {
            "</script>"
        } else if lower.starts_with("style") {
            "</style>"
        } else {
            ">"
        };
        rest = after.split_once(close).map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_html(case: &Case<'_>, body: &str) -> bool {
    let typed = case
        .head()
        .and_then(|head| head.value("content-type"))
        .is_some_and(|t| t.to_ascii_lowercase().contains("html"));
    let begin: String = body.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    begin.starts_with("<!doctype html") || begin.starts_with("<html") || typed && begin.starts_with('<')
}

/// Engine.IO's errors: a code and a message, or the bare words.
pub(super) fn engineio(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    answered(case, ending, &[400, 403])?;
    let body = body(case);
    let lower = body.to_ascii_lowercase();
    let words = ["transport unknown", "session id unknown", "bad handshake method", "unsupported protocol version"];
    let is_coded = is_engineio_error(&body);
    (is_coded || words.iter().any(|word| lower.contains(word))).then(|| {
        let found = Found::certain(format!(
            "This is a Socket.IO server, which a bare WebSocket cannot talk to: it answered \u{201c}{}\u{201d}.",
            case.quote(&body, 100)
        ));
        evidence(case, found)
    })
}

/// A server that misses a field which we did send.
pub(super) fn missing_key(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    answered(case, ending, &[400, 426])?;
    let body = body(case).to_ascii_lowercase();
    let names_field = body.contains("sec-websocket-key") || body.contains("sec-websocket-version");
    let complains = ["missing", "invalid", "not found", "required", "expected"].iter().any(|word| body.contains(word));
    let sent =
        case.story.request.as_ref().is_some_and(|request| request.head.values("sec-websocket-key").next().is_some());
    (names_field && complains && sent).then(|| {
        let found = Found::certain(format!(
            "The server misses a field of the opening handshake that was sent (\u{201c}{}\u{201d}): something on the way \
             removed it.",
            case.quote(&readable_body(case), 80)
        ));
        evidence(case, found)
    })
}

/// 426 that names another protocol version.
pub(super) fn other_version(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let head = answered(case, ending, &[426])?;
    let versions = wanted_versions(head)?;
    Some(evidence(
        case,
        Found::certain(format!(
            "The server speaks another version of the protocol ({versions}) than 13, the one of RFC 6455."
        ))
        .seen(case.head_at(), format!("Sec-WebSocket-Version: {versions}")),
    ))
}

/// The versions a server asks for, if 13 is not among them.
fn wanted_versions(head: &ResponseHead) -> Option<String> {
    let all: Vec<&str> = head.values("sec-websocket-version").flat_map(|v| v.split(',')).map(str::trim).collect();
    (!all.is_empty() && !all.contains(&"13")).then(|| all.join(", "))
}

/// The backend saw no Upgrade although we sent one.
pub(super) fn upgrade_stripped(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let head = answered(case, ending, &[400, 404, 426, 500])?;
    let sent = case.story.request.as_ref().is_none_or(|request| request.head.values("upgrade").next().is_some());
    let text = readable_body(case);
    let lower = text.to_ascii_lowercase();
    let is_426 = head.status == 426 && wanted_versions(head).is_none();
    let says = STRIPPED_WORDS.iter().any(|words| lower.contains(words));
    // Only a WebSocket endpoint names the version, and ours was right: it did not see the handshake as we sent it.
    let misses = head.status == 400 && head.value("sec-websocket-version").is_some() && wanted_versions(head).is_none();
    let direct = case.handshakes().find(|(change, _, _, other)| {
        matches!(change, Change::Backend { .. }) && (other.opened || other.status == Some(101))
    });
    if !sent || !(is_426 || says || misses || direct.is_some()) {
        return None;
    }
    if let Some((_, _, at, _)) = direct {
        let summary = format!(
            "The proxy on the way is at fault: it answered {}, while the server behind it answers the same opening handshake \
             with 101.",
            head.status
        );
        return Some(evidence(case, Found::certain(summary).seen(at, "the server behind the proxy: 101")));
    }
    let mark = proxy_mark(head);
    let our = capital(case.our());
    let what = if text.is_empty() {
        format!("{}", head.status)
    } else {
        format!("{} \u{201c}{}\u{201d}", head.status, case.quote(&text, 100))
    };
    let summary = match mark {
        Some(mark) => format!(
            "{our} request did carry Upgrade, yet the backend saw a plain request ({what}): the proxy on the way ({}) dropped it.",
            case.quote(mark, 40)
        ),
        None => format!(
            "{our} request did carry Upgrade, yet the server saw a plain request ({what}): something on the way dropped it."
        ),
    };
    let is_plain = mark.is_some() || says && !is_426;
    let found = if is_plain { Found::certain(summary) } else { Found::likely(summary) };
    let found = found.or_if(misses && !is_plain, "http-400", "look at the server's console: which field does it miss?");
    Some(evidence(case, found))
}

const STRIPPED_WORDS: &[&str] = &[
    "'upgrade' token not found",
    "not a websocket handshake",
    "not using the websocket protocol",
    "upgrade != websocket",
    "invalid upgrade header",
    "invalid \"upgrade\" header",
    "missing or invalid upgrade header",
    "can \"upgrade\" only to \"websocket\"",
    "no \"upgrade\" header",
    "upgrade header is missing",
    "expected websocket upgrade",
    "not a websocket request",
    "failed to open a websocket connection: missing connection header",
    "failed to open a websocket connection: invalid upgrade header",
    "missing upgrade header",
    "'connection' header must contain 'upgrade'",
    "'upgrade' header must contain 'websocket'",
    "header did not include 'upgrade'",
    "header did not include 'websocket'",
    "header did not include `upgrade`",
    "header did not include `websocket`",
    "no websocket upgrade header",
    "no websocket upgrade hdr",
    "websocket upgrade required",
    "expected a websocket",
];

/// The field by which a proxy shows itself.
fn proxy_mark(head: &ResponseHead) -> Option<&str> {
    let server = head.value("server").filter(|value| {
        let value = value.to_ascii_lowercase();
        PROXIES.iter().any(|proxy| value.contains(proxy))
    });
    server.or_else(|| {
        ["via", "x-varnish", "cf-ray", "x-amz-cf-id", "x-cache"].into_iter().find_map(|name| head.value(name))
    })
}

const PROXIES: &[&str] = &[
    "nginx",
    "openresty",
    "apache",
    "lighttpd",
    "varnish",
    "haproxy",
    "caddy",
    "envoy",
    "traefik",
    "cloudflare",
    "awselb",
    "cloudfront",
    "akamai",
    "squid",
    "google frontend",
    "gws",
    "ats",
    "microsoft-iis",
    "istio",
    "kong",
    "tengine",
];

/// Exactly what Node's ws answers when its `path` is another one.
pub(super) fn path_mismatch(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let head = answered(case, ending, &[400])?;
    let is_html = head.value("content-type").is_some_and(|value| value.eq_ignore_ascii_case("text/html"));
    let closes = head.value("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let is_bare = head.value("server").is_none() && head.value("date").is_none();
    (body(case) == "Bad Request" && is_html && closes && is_bare).then(|| {
        let path = case.target().map_or_else(|| "this path".to_owned(), |target| case.quote(target.path(), 80));
        let found = Found::certain(format!(
            "The ws library behind the server serves another path than {path}: this 400 is its answer to a path that is not \
             its own."
        ));
        evidence(case, found)
    })
}

/// The fingerprint that a 403 (or a 404 about the origin) has, if any.
pub(in crate::diagnosis) fn is_403_fingerprint(case: &Case<'_>) -> Option<&'static str> {
    let head = case.head().filter(|head| matches!(head.status, 403 | 404))?;
    if flipped(case).is_some() {
        return Some("http-403-origin");
    }
    let text = body(case);
    let lower = text.to_ascii_lowercase();
    let names_origin = [
        "origin header",
        "origin not allowed",
        "invalid origin",
        "origin is not allowed",
        "origin mismatch",
        "check_origin",
        "cross-origin",
        "cross origin",
        "is not authorized for host",
    ];
    if names_origin.iter().any(|words| lower.contains(words)) {
        return Some("http-403-origin");
    }
    if head.status != 403 {
        return None;
    }
    let is_plain = head.value("content-type").is_some_and(|value| value.to_ascii_lowercase().starts_with("text/plain"));
    let is_empty = text.is_empty() && head.value("content-length") == Some("0");
    let server = head.value("server").unwrap_or("").to_ascii_lowercase();
    if is_empty && is_plain && (server.is_empty() || server.contains("uvicorn")) {
        return Some("http-403-starlette");
    }
    let brand = [
        "<center><h1>403 forbidden",
        "<center>nginx",
        "<center>openresty",
        "request forbidden by administrative rules",
        "cloudflare",
        "<address>apache",
        "envoy",
        "aws waf",
        "access denied by waf",
        "varnish cache server",
        "<center>microsoft-azure",
        "generated by cloudfront",
        // Apache's own page, and Akamai's.
        "you don't have permission to access",
        // The page of IIS.
        "403 - forbidden: access is denied",
    ];
    let is_branded = brand.iter().any(|words| lower.contains(words));
    let is_bare_page = server.contains("lighttpd") && is_html(case, &text) && readable_body(case) == "403 Forbidden";
    let is_branded = is_branded || is_bare_page;
    let is_proxy_alone = text.trim().is_empty() && proxy_mark(head).is_some();
    (is_branded || is_proxy_alone || head.value("cf-ray").is_some() && is_html(case, &text)).then_some("http-403-proxy")
}

/// The three kinds of 403 that show who said no.
pub(super) fn forbidden(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let head = answered(case, ending, &[403, 404])?;
    if is_403_fingerprint(case) != Some(id) {
        return None;
    }
    if let Some(found) = origin_flips(case, head.status) {
        return Some(found);
    }
    let words = case.quote(&readable_body(case), 100);
    let origin = case.plan().and_then(|plan| plan.origin.as_deref());
    let no_token = credential::is_absent(case) && !case.plan().is_some_and(|plan| plan.credentials);
    let found = match id {
        "http-403-origin" => {
            let sent = origin.map_or_else(|| "none was sent".to_owned(), |origin| case.quote(origin, 80));
            Found::certain(format!(
                "The server does not accept the Origin ({sent}): {} \u{201c}{words}\u{201d}.",
                head.status
            ))
        }
        "http-403-starlette" => Found::certain(
            "The server refused before accept(), as uvicorn does: this empty 403 stands for an unknown path, a missing parameter or a close() \
             before accept(), whose code is lost.",
        ),
        _ => {
            let who = proxy_mark(head).map_or_else(String::new, |mark| format!(" ({})", case.quote(mark, 40)));
            let summary = format!(
                "A proxy on the way{who} said no before the application was asked: 403 \u{201c}{words}\u{201d}."
            );
            if words.is_empty() { Found::likely(summary) } else { Found::certain(summary) }
        }
    };
    let found = found.or_if(no_token && id != "http-403-origin", "token-missing", "repeat with a token");
    Some(evidence(case, found))
}

/// The `Origin` with which the same opening handshake opened, and when that was seen.
fn flipped<'a>(case: &Case<'a>) -> Option<(Option<&'a str>, Moment)> {
    case.handshakes().find_map(|(change, _, at, other)| match change {
        Change::Origin { origin } if other.opened || other.status == Some(101) => Some((origin.as_deref(), at)),
        _ => None,
    })
}

/// Another `Origin`, and nothing else, made the difference.
fn origin_flips(case: &Case<'_>, status: u16) -> Option<Found> {
    let (origin, at) = flipped(case)?;
    let sent = case.plan().and_then(|plan| plan.origin.as_deref());
    let words = |origin: Option<&str>| match origin {
        Some(origin) => format!("with Origin: {}", case.quote(origin, 80)),
        None => "without an Origin".to_owned(),
    };
    let (ours, theirs) = (words(sent), words(origin));
    let found = Found::certain(format!(
        "The server refuses by the Origin: {ours} it answered {status}, {theirs} the same opening handshake opens."
    ));
    Some(evidence(case, found.seen(at, format!("{theirs}: 101"))))
}

/// A page where a socket should be.
pub(super) fn spa(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    answered(case, ending, &[200])?;
    let body = body(case);
    let lower = body.to_ascii_lowercase();
    let marks = [
        "id=\"root\"",
        "id=root",
        "id='root'",
        "id=\"app\"",
        "id=app",
        "id=\"__next\"",
        "<app-root",
        "<script",
        "index.html",
    ];
    (is_html(case, &body) && marks.iter().any(|mark| lower.contains(mark))).then(|| {
        let title = body
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>"))
            .map_or_else(String::new, |(title, _)| format!(" (\u{201c}{}\u{201d})", case.quote(title, 60)));
        let found = Found::certain(format!(
            "The answer is the page of a web application{title}, not a socket: the path, the port or the proxy's rule is \
             wrong, or the server has no upgrade listener{}.",
            case.server_words()
        ));
        evidence(case, found)
    })
}
