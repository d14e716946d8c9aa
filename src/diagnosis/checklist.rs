//! The guide's status list, filled in by the program: what passed, what failed, what is not known yet.

use super::asked::{listeners_words, process_words};
use super::console::near::{exit_words, had_ended};
use super::words::{addresses, count, long_span, span};
use super::{Case, CheckItem};
use crate::observation::{Deadline, Expect, IoKind, Listener};
use crate::store::{AttemptOutcome, ConsoleAttached, ConsoleSeen};
use crate::token::{Expectations, Shape, Signature, TokenReport, Validity, unexpected, validity_at};

/// Every line of the status list, in the order in which a connection passes them.
pub fn checklist(case: &Case<'_>) -> Vec<CheckItem> {
    let mut items = token_items(case);
    items.push(resolves(case));
    items.push(port_open(case));
    items.push(who_listens(case));
    if case.is_secure() {
        items.push(tls(case));
    }
    items.push(upgrade(case));
    items.push(confirmation(case));
    items.push(close(case));
    items.extend(server_console(case));
    items
}

/// Whether the server's console spoke while we were connected; nothing where none is attached.
fn server_console(case: &Case<'_>) -> Option<CheckItem> {
    const ITEM: &str = "server console";
    let story = case.story;
    let (gone, live): (Vec<_>, Vec<_>) = story.consoles.iter().partition(|console| had_ended(case, &console.source));
    let names = |consoles: &[&ConsoleAttached]| {
        consoles.iter().map(|console| case.quote(&console.source, 60)).collect::<Vec<_>>().join(", ")
    };
    if live.is_empty() {
        let why = "had ended before the connection was taken";
        return (!gone.is_empty()).then(|| item(ITEM, None, format!("{} {why}", names(&gone))));
    }
    let exit = story.exits.iter().rev().find(|exit| live.iter().any(|console| console.source == exit.source));
    let exit = exit.map(|exit| format!("; {}", exit_words(case, exit))).unwrap_or_default();
    let Some(began) = story.attempts.first().map(|attempt| attempt.started) else {
        return Some(item(ITEM, None, format!("{} is attached{exit}", names(&live))));
    };
    let is_theirs = |line: &&ConsoleSeen| live.iter().any(|console| console.source == line.source);
    let came = story.console.iter().filter(|line| !line.is_pasted && line.at >= began).filter(is_theirs).count() as u64;
    let detail = if came == 0 {
        format!("{} printed no line since we began to connect{exit}", names(&live))
    } else {
        format!("{} printed {} since we began to connect{exit}", names(&live), count(came, "line"))
    };
    // A server that nobody reached has nothing to say.
    let is_missed = story.connected().is_some() && (story.finished.is_some() || story.verdict.is_some());
    Some(item(ITEM, if came > 0 { Some(true) } else { is_missed.then_some(false) }, detail))
}

fn item(item: &str, ok: impl Into<Option<bool>>, detail: impl Into<String>) -> CheckItem {
    CheckItem { item: item.to_owned(), ok: ok.into(), detail: detail.into() }
}

fn token_items(case: &Case<'_>) -> Vec<CheckItem> {
    let Some(token) = case.story.token.as_deref().filter(|token| token.shape != Shape::Absent) else {
        let uses_other = case.plan().is_some_and(|plan| plan.credentials);
        let detail = if uses_other { "no token; another credential is sent" } else { "no token is sent" };
        return vec![
            item("secret known", None, "no token to check"),
            item("token present", if uses_other { None } else { Some(false) }, detail),
            item("token decodes", None, "no token"),
            item("signature", None, "no token"),
            item("dates", None, "no token"),
        ];
    };
    let decodes = matches!(token.shape, Shape::Jws | Shape::Jwe);
    let mut items = vec![
        secret(token),
        item("token present", token.present && token.shape != Shape::Placeholder, present_words(token)),
        item("token decodes", decodes, decode_words(token)),
        signature(token),
        dates(case, token),
    ];
    if let Some(plan) = case.plan() {
        items.extend(expected_items(case, token, &plan.claims));
    }
    items
}

/// Audience and issuer, as far as the user said what the server expects.
fn expected_items(case: &Case<'_>, token: &TokenReport, expected: &Expectations) -> Vec<CheckItem> {
    let is_read = token.shape == Shape::Jws || !token.claims.is_empty();
    let objections = unexpected(token, expected);
    let rows = [("audience", "jwt-audience", &expected.audience), ("issuer", "jwt-issuer", &expected.issuer)];
    let expected = rows.into_iter().filter_map(|(name, cause, wanted)| Some((name, cause, wanted.as_deref()?)));
    expected
        .map(|(name, cause, wanted)| match objections.iter().find(|one| one.cause == cause) {
            Some(objection) => item(name, false, case.quote(&objection.message, 300)),
            None if is_read => item(name, true, case.quote(wanted, 100)),
            None => item(name, None, "the claims cannot be read"),
        })
        .collect()
}

fn present_words(token: &TokenReport) -> String {
    match token.shape {
        Shape::Empty => "its place is empty".to_owned(),
        Shape::Placeholder => "a placeholder word stands in its place".to_owned(),
        Shape::Absent | Shape::Jws | Shape::Jwe | Shape::Opaque | Shape::Malformed | Shape::Truncated => {
            format!("{} long", count(token.length_bytes as u64, "byte"))
        }
    }
}

fn decode_words(token: &TokenReport) -> String {
    match token.shape {
        Shape::Jws => format!("a JWT, {}", token.alg.as_deref().unwrap_or("without alg")),
        Shape::Jwe => "an encrypted JWT".to_owned(),
        Shape::Opaque => "one word without a dot: no JWT".to_owned(),
        Shape::Truncated => "its end is missing".to_owned(),
        Shape::Absent | Shape::Empty | Shape::Placeholder => "there is nothing to decode".to_owned(),
        Shape::Malformed => {
            token.problems.first().map_or_else(|| "it cannot be read".to_owned(), |problem| problem.message.clone())
        }
    }
}

fn secret(token: &TokenReport) -> CheckItem {
    match token.signature {
        Signature::Valid | Signature::Invalid => item("secret known", true, "a secret or key was given"),
        Signature::Unchecked if token.alg_mismatch => item("secret known", true, "a key of another kind was given"),
        Signature::Unchecked => item("secret known", None, "no secret was given, so the signature was not checked"),
    }
}

fn signature(token: &TokenReport) -> CheckItem {
    match token.signature {
        Signature::Valid => {
            let with = token.verified_as.as_ref().map_or_else(String::new, |name| format!(" with {name}"));
            item("signature", true, format!("verifies{with}"))
        }
        Signature::Invalid => {
            let but = token.verified_as.as_ref().map_or_else(String::new, |name| format!(", but does with {name}"));
            item("signature", false, format!("does not verify under the given secret{but}"))
        }
        Signature::Unchecked if token.alg_mismatch => {
            item("signature", false, "the key is of another kind than alg says")
        }
        Signature::Unchecked => item("signature", None, "not checked"),
    }
}

fn dates(case: &Case<'_>, token: &TokenReport) -> CheckItem {
    let leeway_secs = case.plan().map_or(0.0, |plan| plan.claims.leeway_secs);
    let validity = validity_at(token, case.story.token_now_unix as f64, leeway_secs);
    if leeway_secs > 0.0 && validity != token.validity {
        let leeway = long_span(leeway_secs);
        return item("dates", true, format!("valid when we connected, with {leeway} of leeway"));
    }
    match token.validity {
        Validity::Valid => item("dates", true, "valid when we connected"),
        Validity::NoExpiry => item("dates", true, "never expires"),
        Validity::Expired => item("dates", false, "expired"),
        Validity::NotYetValid => item("dates", false, "not valid yet"),
        Validity::Unknown => item("dates", None, "cannot be read"),
    }
}

fn resolves(case: &Case<'_>) -> CheckItem {
    const ITEM: &str = "host resolves";
    if case.story.not_attempted.is_some() {
        return item(ITEM, None, "nothing was sent");
    }
    if let Some(way) = proxied(case) {
        return item(ITEM, None, format!("asked of the proxy: {way}"));
    }
    let Some(resolve) = &case.story.resolve else {
        let is_literal = !case.story.attempts.is_empty();
        return if is_literal { item(ITEM, true, "the host is an address") } else { item(ITEM, None, "not asked yet") };
    };
    if let Some(failure) = &resolve.failure {
        return item(ITEM, false, failure.text.clone());
    }
    if resolve.ended.is_none() {
        return item(ITEM, None, "being asked");
    }
    let list: Vec<String> = resolve.addresses.iter().map(ToString::to_string).collect();
    item(ITEM, !list.is_empty(), list.join(", "))
}

/// The way through the proxy, if there is one.
fn proxied(case: &Case<'_>) -> Option<String> {
    case.plan().map(|plan| &plan.route).filter(|route| route.is_proxied()).map(|route| case.quote(&route.words(), 120))
}

fn port_open(case: &Case<'_>) -> CheckItem {
    const ITEM: &str = "port open";
    if let Some(at) = case.port_refuses() {
        let when = span(at.as_millis());
        return item(ITEM, false, format!("{} refused {when} after the beginning", case.port_words()));
    }
    if let Some(way) = proxied(case) {
        let tunnel = case.story.tunnel.as_ref();
        let is_open = tunnel.filter(|tunnel| tunnel.ended.is_some()).map(|tunnel| tunnel.failure.is_none());
        return item(ITEM, is_open, way);
    }
    if let Some(connected) = case.story.connected() {
        let refused: Vec<_> =
            case.failed_attempts(&[IoKind::Refused]).into_iter().map(|(address, _)| address).collect();
        let but = if refused.is_empty() { String::new() } else { format!("; {} refused", addresses(&refused)) };
        return item(ITEM, true, format!("{} accepted{but}", connected.address));
    }
    if case.story.attempts.is_empty() {
        return item(ITEM, None, "not tried");
    }
    let words: Vec<String> = case
        .story
        .attempts
        .iter()
        .map(|attempt| match &attempt.outcome {
            AttemptOutcome::Failed(failure) => format!("{}: {}", attempt.address, failure.text),
            AttemptOutcome::Pending => format!("{}: no answer yet", attempt.address),
            AttemptOutcome::Connected | AttemptOutcome::Abandoned => attempt.address.to_string(),
        })
        .collect();
    let ok = if case.all_attempts_failed().is_some() { Some(false) } else { None };
    item(ITEM, ok, words.join("; "))
}

fn who_listens(case: &Case<'_>) -> CheckItem {
    const ITEM: &str = "who listens";
    let now = case.unix_at(case.story.last_at);
    let words = |listeners: &[Listener]| case.quote(&listeners_words(listeners, now), 200);
    if let Some(restart) = case.restart() {
        return item(ITEM, false, format!("another process than before: {}", process_words(&restart.after)));
    }
    match (case.listeners_after(), case.story.listeners.as_ref().map(|(at, all)| (*at, all.as_slice()))) {
        (Some((_, after)), Some((_, before))) if after.is_empty() && !before.is_empty() => {
            item(ITEM, false, format!("nobody any more; before, {}", words(before)))
        }
        (Some((_, listeners)), _) | (None, Some((_, listeners))) => item(ITEM, !listeners.is_empty(), words(listeners)),
        (None, None) if case.is_loopback() => item(ITEM, None, "not looked up"),
        (None, None) => item(ITEM, None, "the server is another machine"),
    }
}

fn tls(case: &Case<'_>) -> CheckItem {
    const ITEM: &str = "TLS";
    let Some(tls) = &case.story.tls else {
        return item(ITEM, None, "not begun");
    };
    match (&tls.failure, &tls.info) {
        (Some(failure), _) => item(ITEM, false, case.quote(&failure.text, 120)),
        (None, Some(info)) if info.defects.is_empty() => item(ITEM, true, format!("{}, {}", info.version, info.cipher)),
        (None, Some(info)) => {
            item(ITEM, false, format!("went on although: {}", case.quote(&info.defects.join("; "), 160)))
        }
        (None, None) => match case.story.ran_out(Deadline::Tls) {
            Some((_, millis)) => item(ITEM, false, format!("no answer within {}", span(millis as f64))),
            None => item(ITEM, None, "not finished"),
        },
    }
}

fn upgrade(case: &Case<'_>) -> CheckItem {
    const ITEM: &str = "upgrade";
    if case.is_open() {
        return item(ITEM, true, "101, every check passed");
    }
    let answer = &case.story.answer;
    if let Some(head) = case.head() {
        let failed = answer.checks.iter().find(|check| check.fatal && head.status == 101);
        return match failed {
            Some(check) => {
                item(ITEM, false, format!("101, but {} is {}", check.check.words(), case.quote(&check.got, 80)))
            }
            None => item(ITEM, false, format!("{} {}", head.status, case.quote(&head.reason, 60))),
        };
    }
    if answer.not_http.is_some() {
        return item(ITEM, false, "the answer is not HTTP");
    }
    if let Some((_, millis)) = case.story.ran_out(Deadline::Upgrade) {
        return item(ITEM, false, format!("no whole answer within {}", span(millis as f64)));
    }
    if case.story.request.is_some() && case.tcp_end().is_some() {
        return item(ITEM, false, format!("TCP ended with {} before a whole answer", case.tcp_end_words()));
    }
    let detail = if case.story.request.is_some() { "waiting for the answer" } else { "not asked" };
    item(ITEM, None, detail)
}

fn confirmation(case: &Case<'_>) -> CheckItem {
    const ITEM: &str = "confirmation";
    match &case.story.confirmation {
        Some(confirmation) if confirmation.ok => {
            let after = case.opened_at().map_or_else(String::new, |opened| {
                format!("{} after the 101", span(confirmation.at.millis_since(opened)))
            });
            match &confirmation.preview {
                Some(preview) => item(ITEM, true, format!("{after}: {}", case.quote(preview, 80))),
                None => item(ITEM, true, "none was asked for"),
            }
        }
        Some(confirmation) => match &confirmation.preview {
            Some(preview) => item(ITEM, false, format!("another message came: {}", case.quote(preview, 80))),
            None => item(ITEM, false, "no message came"),
        },
        None if case.plan().is_some_and(|plan| plan.expect == Expect::None) => item(ITEM, None, "none was asked for"),
        None if case.is_open() && case.tcp_end().is_some() => item(ITEM, false, "the connection ended before it"),
        None => item(ITEM, None, "not yet"),
    }
}

fn close(case: &Case<'_>) -> CheckItem {
    const ITEM: &str = "close";
    let story = case.story;
    let words =
        |close: &crate::store::CloseSeen| close.info.code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
    match (&story.close_received, &story.close_sent) {
        (Some(received), Some(sent)) => {
            let first = if case.we_closed_first() { case.we() } else { "the server" };
            item(
                ITEM,
                story.is_clean(),
                format!("received {}, sent {}; {first} closed first", words(received), words(sent)),
            )
        }
        (Some(received), None) => item(ITEM, false, format!("received {}, not answered", words(received))),
        (None, Some(sent)) => {
            let is_over = case.tcp_end().is_some() || story.ran_out(Deadline::Close).is_some();
            item(ITEM, is_over.then_some(false), format!("sent {}, not answered", words(sent)))
        }
        (None, None) if case.is_open() && case.tcp_end().is_some() => {
            item(ITEM, false, format!("no Close frame; TCP ended with {}", case.tcp_end_words()))
        }
        (None, None) => item(ITEM, None, "not closed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::{Scene, token};
    use crate::observation::CloseOrigin;

    fn list(scene: &Scene) -> Vec<(String, Option<bool>)> {
        let story = scene.story();
        let items = checklist(&Case { story: &story, probes_pending: false });
        items.into_iter().map(|item| (item.item, item.ok)).collect()
    }

    fn ok(scene: &Scene, item: &str) -> Option<bool> {
        list(scene).into_iter().find(|(name, _)| name == item).unwrap().1
    }

    #[test]
    fn the_guides_list_is_ticked_where_all_is_well() {
        let scene = Scene::with_token(&token(3600)).tcp().request().accept().confirm();
        let done = scene.listens(4711, "node", false).we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin();
        let items: Vec<String> = list(&done).into_iter().map(|(item, ok)| format!("{item} {ok:?}")).collect();
        assert!(items.iter().all(|item| item.ends_with("Some(true)")), "{items:#?}");
        assert_eq!(items.len(), 11);
        assert_eq!(list(&Scene::to("wss://127.0.0.1/").tcp()).len(), 12);
    }

    #[test]
    fn audience_issuer_and_leeway_are_lines_where_they_are_expected() {
        let sent = crate::diagnosis::testing::signed(crate::diagnosis::testing::SECRET, r#"{"aud":"web","iss":"me"}"#);
        let expecting = |token: &str, audience: Option<&str>, issuer: Option<&str>, leeway_secs: f64| {
            Scene::with_token(token).plan(|plan| {
                plan.claims = Expectations {
                    audience: audience.map(str::to_owned),
                    issuer: issuer.map(str::to_owned),
                    leeway_secs,
                };
            })
        };
        let scene = expecting(&sent, Some("voice"), Some("me"), 0.0);
        assert_eq!((ok(&scene, "audience"), ok(&scene, "issuer")), (Some(false), Some(true)));
        let names = |scene: &Scene| list(scene).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert!(!names(&expecting(&sent, None, Some("me"), 0.0)).contains(&"audience".to_owned()));
        assert_eq!(ok(&expecting("undefined", Some("voice"), None, 0.0), "audience"), None);
        for (leeway_secs, is_valid) in [(0.0, false), (30.0, false), (90.0, true)] {
            assert_eq!(ok(&expecting(&token(-60), None, None, leeway_secs), "dates"), Some(is_valid), "{leeway_secs}");
        }
    }

    #[test]
    fn each_line_fails_alone() {
        let expired = Scene::with_token(&token(-60)).tcp().request().accept();
        assert_eq!((ok(&expired, "dates"), ok(&expired, "signature")), (Some(false), Some(true)));
        let wrong = Scene::with_token(&crate::diagnosis::testing::signed("other", "{}")).tcp();
        assert_eq!(ok(&wrong, "signature"), Some(false));
        let unknown = Scene::with_token_and(&token(60), &[]).tcp();
        assert_eq!((ok(&unknown, "secret known"), ok(&unknown, "signature")), (None, None));
        let refused = Scene::to("ws://127.0.0.1:3001/").tcp_failed("127.0.0.1:3001", IoKind::Refused);
        assert_eq!((ok(&refused, "port open"), ok(&refused, "token present")), (Some(false), Some(false)));
        let forbidden = Scene::asked().answer("403 Forbidden", "", "");
        assert_eq!((ok(&forbidden, "port open"), ok(&forbidden, "upgrade")), (Some(true), Some(false)));
        let cut = Scene::open().fin();
        assert_eq!(
            (ok(&cut, "upgrade"), ok(&cut, "confirmation"), ok(&cut, "close")),
            (Some(true), Some(false), Some(false))
        );
        let running = Scene::open();
        assert_eq!((ok(&running, "confirmation"), ok(&running, "close")), (None, None));
        assert_eq!(ok(&running, "who listens"), None);
        let gone = Scene::open().listens(4711, "node", false).fin().listening(Vec::new(), true);
        assert_eq!(ok(&gone, "who listens"), Some(false));
        let other = Scene::open().listens(4711, "node", false).fin().listens(4712, "node", true);
        assert_eq!(ok(&other, "who listens"), Some(false));
        assert_eq!(ok(&Scene::open().listens(4711, "node", false), "who listens"), Some(true));
    }
}
