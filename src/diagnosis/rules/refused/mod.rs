//! A whole HTTP response other than 101: first what body and fields give away, then the status alone.

mod fingerprint;
mod redirect;

use super::{Found, Rule};
use crate::diagnosis::words::{capital, span};
use crate::diagnosis::{Case, Ending};

pub(in crate::diagnosis) use fingerprint::is_403_fingerprint;

pub(super) const RULES: &[Rule] = &[
    Rule::new("engineio-error", fingerprint::engineio).implies(&["http-*"]),
    Rule::new("http-400-missing-key", fingerprint::missing_key).implies(&["http-400", "http-upgrade-stripped"]),
    Rule::new("http-426", fingerprint::other_version).implies(&["http-other"]),
    Rule::new("http-upgrade-stripped", fingerprint::upgrade_stripped).implies(&[
        "http-400",
        "http-404",
        "http-426",
        "http-500",
        "http-other",
    ]),
    Rule::new("http-400-path-mismatch", fingerprint::path_mismatch).implies(&["http-400"]),
    Rule::new("http-403-origin", fingerprint::forbidden).implies(&["http-403", "http-404"]),
    Rule::new("http-403-proxy", fingerprint::forbidden).implies(&["http-403"]),
    Rule::new("http-403-starlette", fingerprint::forbidden).implies(&["http-403"]),
    Rule::new("http-redirect-login", redirect::check).implies(&["http-redirect", "http-other"]),
    Rule::new("http-redirect-https", redirect::check).implies(&["http-redirect", "http-other"]),
    Rule::new("http-redirect-slash", redirect::check).implies(&["http-redirect", "http-other"]),
    Rule::new("http-redirect", redirect::check).implies(&["http-other"]),
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
pub(in crate::diagnosis) fn status_id(status: u16) -> &'static str {
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
pub(super) fn status(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    if !matches!(ending, Ending::UpgradeRefused | Ending::UpgradeCut) {
        return None;
    }
    let head = case.head()?;
    if status_id(head.status) != id {
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
        429 => ": there are too many requests",
        500 => ": it failed before it accepted",
        502 => ": a gateway got no good answer from the server behind it",
        503 => ": nobody is there to serve it",
        504 => ": a gateway waited in vain for the server behind it",
        505 => ": it was addressed in a version of HTTP that it does not speak",
        _ if case.body_beginning().trim().is_empty() => "",
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

#[cfg(test)]
mod tests {
    use crate::diagnosis::testing::{Scene, finds, rivals, token};

    const HTML: &str = "Content-Type: text/html\r\n";
    const JSON: &str = "Content-Type: application/json\r\n";
    const NGINX: &str = "Server: nginx/1.22.1\r\nContent-Type: text/html\r\n";

    /// With a good token, so that nothing is laid on a missing one.
    fn answer(status: &str, fields: &str, body: &str) -> Scene {
        Scene::with_token(&token(3600)).tcp().request().answer(status, fields, body)
    }

    fn check(status: &str, fields: &str, body: &str, cause: &str) {
        answer(status, fields, body).certain("upgrade-refused", cause);
    }

    #[test]
    fn each_status_alone() {
        for (status, cause) in [
            ("200 OK", "http-200"),
            ("204 No Content", "http-204"),
            ("400 Bad Request", "http-400"),
            ("401 Unauthorized", "http-401"),
            ("403 Forbidden", "http-403"),
            ("404 Not Found", "http-404"),
            ("405 Method Not Allowed", "http-405"),
            ("407 Proxy Authentication Required", "proxy-auth-407"),
            ("413 Content Too Large", "http-413"),
            ("414 URI Too Long", "http-414"),
            ("429 Too Many Requests", "http-429"),
            ("431 Request Header Fields Too Large", "http-431"),
            ("500 Internal Server Error", "http-500"),
            ("502 Bad Gateway", "http-502"),
            ("503 Service Unavailable", "http-503"),
            ("504 Gateway Time-out", "http-504"),
            ("505 HTTP Version Not Supported", "http-505"),
            ("418 I'm a teapot", "http-other"),
            ("304 Not Modified", "http-other"),
        ] {
            check(status, "", "", cause);
        }
    }

    #[test]
    fn the_servers_own_words_are_told_without_markup() {
        let body = "<html><head><style>p{}</style></head><body><p>plan does not include voice</p></body></html>";
        let verdict = answer("403 Forbidden", HTML, body).certain("upgrade-refused", "http-403");
        assert!(
            verdict.summary.contains("plan does not include voice") && !verdict.summary.contains('<'),
            "{}",
            verdict.summary
        );
        let verdict = answer("502 Bad Gateway", NGINX, "").certain("upgrade-refused", "http-502");
        assert!(verdict.summary.contains("nginx"), "{}", verdict.summary);
    }

    #[test]
    fn no_brand_is_told_from_a_number() {
        for status in ["502 Bad Gateway", "503 Service Unavailable", "504 Gateway Time-out", "403 Forbidden"] {
            let verdict = answer(status, "", "").verdict();
            let lower = verdict.summary.to_lowercase();
            assert!(
                !["nginx", "haproxy", "caddy", "apache", "cloudflare"].iter().any(|b| lower.contains(b)),
                "{lower}"
            );
        }
    }

    #[test]
    fn a_page_is_told_from_other_bodies() {
        let page =
            "<!doctype html>\n<html><head><title>Voice</title></head><body><div id=\"root\"></div></body></html>";
        check("200 OK", HTML, page, "http-200-spa");
        check("200 OK", JSON, "{\"status\":\"ok\"}", "http-200");
        check("200 OK", HTML, "<html><body>hello</body></html>", "http-200");
        check("404 Not Found", HTML, page, "http-404");
    }

    #[test]
    fn upgrade_required_by_mark_and_version() {
        check("426 Upgrade Required", NGINX, "Upgrade Required", "http-upgrade-stripped");
        answer("426 Upgrade Required", "", "Upgrade Required").likely("upgrade-refused", "http-upgrade-stripped");
        check("426 Upgrade Required", "Sec-WebSocket-Version: 8, 7\r\n", "", "http-426");
        answer("426 Upgrade Required", "Sec-WebSocket-Version: 13\r\n", "")
            .likely("upgrade-refused", "http-upgrade-stripped");
        let gorilla = "Bad Request\nwebsocket: the client is not using the websocket protocol: 'upgrade' token not found in \
            'Connection' header\n";
        check("400 Bad Request", "", gorilla, "http-upgrade-stripped");
        check("404 Not Found", HTML, "<pre>Cannot GET /socket</pre>", "http-404");
        let verdict = answer("404 Not Found", HTML, "<pre>Cannot GET /socket</pre>").verdict();
        assert!(rivals(&verdict).contains(&"http-upgrade-stripped"), "{verdict:#?}");
    }

    #[test]
    fn bodies_of_ws_and_engineio() {
        let ws = "Connection: close\r\nContent-Type: text/html\r\n";
        check("400 Bad Request", ws, "Bad Request", "http-400-path-mismatch");
        check("400 Bad Request", ws, "Bad Request!", "http-400");
        check("400 Bad Request", JSON, "Bad Request", "http-400");
        check("400 Bad Request", ws, "Missing or invalid Sec-WebSocket-Key header", "http-400-missing-key");
        check("400 Bad Request", JSON, "{\"code\":0,\"message\":\"Transport unknown\"}", "engineio-error");
        check("400 Bad Request", JSON, "{\"error\":\"room parameter is required\"}", "http-400");
    }

    #[test]
    fn who_said_403() {
        let text = "Content-Type: text/plain; charset=utf-8\r\n";
        let origin = "Failed to open a WebSocket connection: invalid Origin header: http://localhost:3000.\n";
        check("403 Forbidden", text, origin, "http-403-origin");
        check("404 Not Found", text, "Request origin not allowed", "http-403-origin");
        check("403 Forbidden", "content-type: text/plain\r\n", "", "http-403-starlette");
        check("403 Forbidden", "content-type: text/plain\r\n", "no", "http-403");
        let nginx =
            "<html><body><center><h1>403 Forbidden</h1></center><hr><center>nginx/1.22.1</center></body></html>";
        check("403 Forbidden", NGINX, nginx, "http-403-proxy");
        answer("403 Forbidden", "server: envoy\r\n", "").likely("upgrade-refused", "http-403-proxy");
        check(
            "403 Forbidden",
            "Server: nginx\r\nContent-Type: application/json\r\n",
            "{\"error\":\"plan\"}",
            "http-403",
        );
        let expired = Scene::with_token(&token(-60)).tcp().request().answer("403 Forbidden", NGINX, nginx);
        let verdict = expired.certain("upgrade-refused", "http-403-proxy");
        assert!(finds(&verdict, "jwt-expired"), "{verdict:#?}");
    }

    #[test]
    fn each_redirect() {
        let to = |status: &str, location: &str| {
            Scene::to("ws://127.0.0.1:3001/ws").tcp().request().answer(status, &format!("Location: {location}\r\n"), "")
        };
        to("301 Moved Permanently", "/ws/").certain("upgrade-refused", "http-redirect-slash");
        let verdict =
            to("308 Permanent Redirect", "https://127.0.0.1:3001/ws").certain("upgrade-refused", "http-redirect-https");
        let command = |verdict: crate::diagnosis::Verdict| verdict.fixes[0].command.clone().unwrap();
        assert_eq!(command(verdict), "sockeye check \"wss://127.0.0.1:3001/ws\"");
        // What a shell would read is not put into a command.
        let verdict =
            to("301 Moved", "https://127.0.0.1:3001/ws?a=$(id)").certain("upgrade-refused", "http-redirect-https");
        assert!(!command(verdict).contains("id"));
        to("302 Found", "/login?next=/ws").certain("upgrade-refused", "http-redirect-login");
        to("307 Temporary Redirect", "/v2/socket").certain("upgrade-refused", "http-redirect");
        to("304 Not Modified", "/v2/socket").certain("upgrade-refused", "http-other");
    }

    #[test]
    fn a_cut_body_is_no_whole_response() {
        let scene = Scene::asked().server("HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf").fin().accepts();
        let verdict = scene.certain("upgrade-cut", "upgrade-partial");
        assert!(finds(&verdict, "http-500"), "{verdict:#?}");
        let whole = Scene::asked().server("HTTP/1.1 500 Oops\r\n\r\nhalf").fin();
        whole.certain("upgrade-refused", "http-500");
        let bare = Scene::with_token(&token(3600)).tcp().request().server("HTTP/1.1 401 Unauthorized\r\n\r\n").fin();
        bare.certain("upgrade-refused", "http-401");
        let chunked = "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
        Scene::asked().server(chunked).fin().certain("upgrade-cut", "upgrade-partial");
        Scene::asked().server(format!("{chunked}0\r\n\r\n")).rst().certain("upgrade-refused", "http-500");
    }
}
