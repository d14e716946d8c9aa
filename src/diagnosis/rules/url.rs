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
            "The URL carries a user and a password; browsers drop them, other clients send them as Basic credentials.",
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
