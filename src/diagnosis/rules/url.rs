//! The URL: what cannot be dialled at all, and what other clients would take otherwise.

use super::{Found, Rule};
use crate::diagnosis::words::capital;
use crate::diagnosis::{Case, Ending};
use crate::observation::Moment;

/// The URL or the options cannot work.
pub(super) const NOT_ATTEMPTED: &[Rule] = &[
    Rule::new("url-scheme-typo", not_attempted),
    Rule::new("url-relative", not_attempted),
    Rule::new("url-fragment", not_attempted),
    Rule::new("url-bad-port", not_attempted),
    Rule::new("url-host-placeholder", not_attempted),
    Rule::new("url-subprotocol-invalid", not_attempted),
];

/// The URL works, but not everywhere.
pub(super) const ATTEMPTED: &[Rule] = &[
    Rule::new("url-too-long", too_long).implies(&["http-4*"]),
    Rule::new("url-scheme-http", scheme_http),
    Rule::new("url-unsafe-port", unsafe_port),
    Rule::new("url-space-or-quote", space_or_quote),
    Rule::new("url-userinfo", userinfo),
];

fn not_attempted(case: &Case<'_>, _: Ending, id: &'static str) -> Option<Found> {
    let (at, problem) = case.story.not_attempted.as_ref()?;
    (problem.kind.cause_id() == id).then(|| {
        let message = case.quote(&problem.message, 200);
        let found = Found::certain(format!("Nothing was sent: {message}.")).seen(*at, capital(&message));
        match &problem.suggestion {
            Some(suggestion) => found.seen(*at, format!("probably meant: {}", case.quote(suggestion, 200))),
            None => found,
        }
    })
}

/// The request line's target as it was sent.
fn sent_target<'a>(case: &Case<'a>) -> Option<(&'a str, usize, Moment)> {
    let request = case.story.request.as_ref()?;
    Some((request.head.target.as_str(), request.head.len_bytes, request.at))
}

fn too_long(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (target, head_bytes, at) = sent_target(case)?;
    let len = target.len();
    let evidence = format!("the request line's target has {len} bytes, the whole head {head_bytes}");
    if ending == Ending::UpgradeRefused {
        let status = case.story.answer.status()?;
        let is_most = len * 2 > head_bytes;
        let is_cause = match status {
            414 => len > 2_000,
            413 | 431 => len > 4_000 && is_most,
            400 => len > 8_000 && is_most,
            _ => false,
        };
        if is_cause {
            let summary = format!(
                "The URL is too long for this server: it answered {status} to a request line of {len} bytes{}.",
                case.server_words()
            );
            let found = if status == 400 { Found::likely(summary) } else { Found::certain(summary) };
            return Some(found.seen(at, evidence).seen(case.head_at(), format!("the server answered {status}")));
        }
    }
    (len > 8_000).then(|| {
        Found::certain(format!("The URL has {len} bytes; many servers take no more than 8 KiB."))
            .seen(at, evidence)
            .finding()
    })
}

fn scheme_http(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let target = case.target().filter(|_| ending != Ending::NotAttempted)?;
    target.http_scheme.then(|| {
        let (typed, meant) = if target.secure { ("https", "wss") } else { ("http", "ws") };
        Found::certain(format!(
            "The URL begins with {typed}://; new browsers rewrite it to {meant}://, older ones and other clients refuse it."
        ))
        .seen(Moment::default(), format!("scheme as typed: {typed}"))
        .finding()
    })
}

fn unsafe_port(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let port = case.target().filter(|_| ending != Ending::NotAttempted)?.port;
    BLOCKED_PORTS.contains(&port).then(|| {
        Found::certain(format!(
            "Browsers refuse to dial port {port} (ERR_UNSAFE_PORT) although other clients, such as this one, may."
        ))
        .seen(Moment::default(), format!("port {port} is on the list of blocked ports"))
        .finding()
    })
}

fn space_or_quote(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let target = case.target().filter(|_| ending != Ending::NotAttempted)?;
    (!target.encoded.is_empty()).then(|| {
        let chars: Vec<String> = target.encoded.chars().take(8).map(|c| format!("{c:?}")).collect();
        Found::certain(format!(
            "The URL held {}, which was percent-encoded or dropped in silence, so the server sees another text than the \
             one that was typed.",
            chars.join(", ")
        ))
        .seen(Moment::default(), format!("changed on the way: {}", chars.join(", ")))
        .finding()
    })
}

fn userinfo(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let target = case.target().filter(|_| ending != Ending::NotAttempted)?;
    target.userinfo.is_some().then(|| {
        Found::certain(
            "The URL carries a user and a password; browsers send them only when a 401 asks for them, other clients at \
             once, as Basic credentials.",
        )
        .seen(Moment::default(), "user and password before the @")
        .finding()
    })
}

/// The ports that browsers block (WHATWG Fetch, "bad port").
const BLOCKED_PORTS: &[u16] = &[
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
    110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531,
    532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060,
    5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
];

#[cfg(test)]
mod tests {
    use crate::diagnosis::testing::{Scene, finds, token};
    use crate::observation::{CloseOrigin, Fact};
    use crate::wire::{UrlProblem, UrlProblemKind, check_subprotocols, parse_url};

    fn not_attempted(problem: UrlProblem) -> Scene {
        Scene::to("x").fact(Fact::NotAttempted { problem })
    }

    fn healthy(url: &str) -> Scene {
        Scene::to(url).tcp().request().accept().confirm().we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin()
    }

    #[test]
    fn each_impossible_url_is_named() {
        let check = |url: &str, cause: &str| {
            let verdict = not_attempted(parse_url(url).unwrap_err()).certain("not-attempted", cause);
            assert!(!verdict.browser_shows.is_empty(), "{verdict:?}");
        };
        check("localhost:3001/x", "url-scheme-typo");
        check("/echo", "url-relative");
        check("ws://h/#top", "url-fragment");
        check("ws://h:99999/", "url-bad-port");
        check("ws://undefined:3001/", "url-host-placeholder");
        let offered = ["Bearer eyJhbGciOiJIUzI1NiJ9.e30=".to_owned()];
        let verdict = not_attempted(check_subprotocols(&offered).unwrap_err()).verdict();
        assert_eq!(verdict.cause, "url-subprotocol-invalid");
        assert!(UrlProblemKind::SubprotocolInvalid.cause_id() == verdict.cause);
    }

    #[test]
    fn oddities_of_a_working_url_are_findings() {
        let check = |url: &str, id: &str| {
            assert!(finds(&healthy(url).certain("open", "healthy"), id), "{url}");
        };
        check("http://127.0.0.1:3001/", "url-scheme-http");
        check("ws://127.0.0.1:6667/", "url-unsafe-port");
        check("ws://127.0.0.1:3001/?a=b c", "url-space-or-quote");
        check("ws://u:p@127.0.0.1:3001/", "url-userinfo");
        check(&format!("ws://127.0.0.1:3001/?{}", "a".repeat(9_000)), "url-too-long");
        let plain = healthy("ws://127.0.0.1:3001/").certain("open", "healthy");
        assert!(plain.findings.is_empty(), "{plain:?}");
    }

    #[test]
    fn refused_for_its_length_only_if_it_is_long() {
        let answer = |len: usize, status: &str| {
            let url = format!("ws://127.0.0.1:3001/?{}", "a".repeat(len));
            Scene::to(&url).tcp().request().answer(status, "Connection: close\r\n", "")
        };
        answer(20_000, "431 Request Header Fields Too Large").certain("upgrade-refused", "url-too-long");
        answer(9_000, "414 Request-URI Too Large").certain("upgrade-refused", "url-too-long");
        answer(40_000, "400 Bad Request").likely("upgrade-refused", "url-too-long");
        answer(100, "431 Request Header Fields Too Large").certain("upgrade-refused", "http-431");
        answer(100, "414 Request-URI Too Large").certain("upgrade-refused", "http-414");
    }

    #[test]
    fn no_secret_of_the_url_gets_into_a_fix() {
        let good = token(3600);
        let verdict =
            Scene::with_token(&good).tcp_failed("127.0.0.1:3001", crate::observation::IoKind::Refused).verdict();
        assert!(!format!("{verdict:?}").contains(&good[..30]), "{verdict:?}");
    }
}
