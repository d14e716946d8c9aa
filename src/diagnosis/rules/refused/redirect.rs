//! Redirects, which no browser follows for a WebSocket.

use super::evidence;
use crate::diagnosis::rules::Found;
use crate::diagnosis::{Case, Ending};
use crate::wire::{Target, parse_url};

/// Where a redirect leads: to the login, to TLS, to the same path with or without a slash, or elsewhere.
pub(super) fn check(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let head =
        case.head().filter(|head| ending == Ending::UpgradeRefused && matches!(head.status, 301..=303 | 307 | 308))?;
    let location = head.value("location").unwrap_or("");
    if kind(case.target(), location) != id {
        return None;
    }
    let shown = case.quote(location, 160);
    let status = head.status;
    let summary = match id {
        "http-redirect-login" => format!(
            "The server sends us to its login ({status} to {shown}): the session's cookie is missing or belongs to another host."
        ),
        "http-redirect-https" => format!("The server wants TLS and redirects ({status} to {shown}): use wss://."),
        "http-redirect-slash" => format!(
            "The server wants the path with or without its last slash ({status} to {shown}): use that URL exactly."
        ),
        _ if shown.is_empty() => format!("The server answered with a redirect ({status}) that names no other place."),
        _ => format!("The server redirects ({status} to {shown}), which browsers do not follow for a WebSocket."),
    };
    Some(evidence(case, Found::certain(summary).seen(case.head_at(), format!("Location: {shown}"))))
}

fn kind(target: Option<&Target>, location: &str) -> &'static str {
    let absolute = parse_url(location.split('#').next().unwrap_or("")).ok();
    let path = match &absolute {
        Some(there) => there.path(),
        None => location.split(['?', '#']).next().unwrap_or(""),
    };
    let lower = path.to_ascii_lowercase();
    let words = lower.split(['/', '-', '_', '.']);
    let is_login = words.into_iter().any(|word| {
        matches!(
            word,
            "login" | "signin" | "sso" | "oauth" | "oauth2" | "auth" | "authorize" | "logon" | "cas" | "saml"
        )
    }) || lower.contains("sign-in")
        || lower.contains("sign_in");
    let own = target.map_or("/", Target::path);
    let is_same_host =
        absolute.as_ref().is_none_or(|there| target.is_none_or(|t| t.host.eq_ignore_ascii_case(&there.host)));
    let is_same_path = path.trim_end_matches('/') == own.trim_end_matches('/');
    let to_tls = absolute.as_ref().is_some_and(|there| there.secure) && !target.is_some_and(|target| target.secure);
    if is_login && !is_same_path {
        "http-redirect-login"
    } else if to_tls {
        "http-redirect-https"
    } else if is_same_host && is_same_path && path != own {
        "http-redirect-slash"
    } else {
        "http-redirect"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_tells_the_kind() {
        let target = parse_url("ws://h:3001/ws?token=a").unwrap();
        let check = |location: &str, id: &str| assert_eq!(kind(Some(&target), location), id, "{location}");
        check("/ws/?token=a", "http-redirect-slash");
        check("http://h:3001/ws/", "http-redirect-slash");
        check("https://h:3001/ws?token=a", "http-redirect-https");
        check("https://h/ws/", "http-redirect-https");
        check("wss://other/ws", "http-redirect-https");
        check("/login?next=/ws", "http-redirect-login");
        check("https://sso.example.com/oauth2/authorize", "http-redirect-login");
        check("/v2/socket", "http-redirect");
        check("http://other/ws/", "http-redirect");
        check("", "http-redirect");
        check("/blogin", "http-redirect");
    }
}
