//! The catalogue's fixes, filled in for the target of one connection; no secret of the URL gets into them.

use super::catalogue::{Platform, Target, cause};
use super::{Case, Remedy};
use crate::token::{Signature, find_tokens};
use crate::wire::parse_url;

/// What to do about a cause.
pub(super) fn remedies(case: &Case<'_>, id: &str) -> Vec<Remedy> {
    let target = target(case);
    let fixes = cause(id).map_or(&[][..], |cause| cause.fixes);
    let remedies: Vec<Remedy> = fixes
        .iter()
        .enumerate()
        .map(|(nth, fix)| {
            let named = if nth == 0 && id == "http-redirect-https" { redirected(case) } else { None };
            let command = named.or_else(|| fix.command_for(&target, Platform::current()));
            Remedy { text: fix.text_for(&target), command }
        })
        .collect();
    // What has been given is not asked for again.
    let has_secret = case.story.token.as_ref().is_some_and(|token| token.signature != Signature::Unchecked);
    let given = [(!case.story.consoles.is_empty(), "--server-log "), (has_secret, "--env-file .env")];
    let is_given = |remedy: &Remedy| {
        let command = remedy.command.as_deref().unwrap_or_default();
        command.starts_with("sockeye check ") && given.iter().any(|(is, option)| *is && command.contains(option))
    };
    if remedies.iter().all(is_given) { remedies } else { remedies.into_iter().filter(|r| !is_given(r)).collect() }
}

/// The check of the very address that the server redirects to.
fn redirected(case: &Case<'_>) -> Option<String> {
    let there = parse_url(case.head()?.value("location")?.split('#').next()?).ok().filter(|there| there.secure)?;
    let url = format!("wss://{}{}", there.host_header(), there.path_and_query);
    let url = without_token(&url, case.raw_query_token());
    // The server's own text goes into a command only where no shell reads anything into it.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@&*+,;=%".contains(c);
    url.chars().all(is_plain).then(|| format!("sockeye check \"{url}\""))
}

fn target(case: &Case<'_>) -> Target {
    let Some(plan) = case.plan() else {
        return Target::default();
    };
    let url = without_token(&plan.url, case.raw_query_token());
    let pid = case.listener().and_then(|listener| Some(listener.process.as_ref()?.pid));
    let Some(target) = case.target() else {
        return Target { scheme: "ws".to_owned(), host: "HOST".to_owned(), port: 80, path: "/".to_owned(), url, pid };
    };
    Target {
        scheme: target.scheme().to_owned(),
        host: target.host.clone(),
        port: target.port,
        path: target.path().to_owned(),
        url,
        pid,
    }
}

fn without_token(url: &str, raw_token: Option<&str>) -> String {
    let mut clear = String::with_capacity(url.len());
    let mut from = 0;
    for range in find_tokens(url) {
        clear.push_str(url.get(from..range.start).unwrap_or(""));
        clear.push_str("TOKEN");
        from = range.end;
    }
    clear.push_str(url.get(from..).unwrap_or(""));
    match raw_token {
        Some(raw) if raw.len() >= 8 => clear.replace(raw, "TOKEN"),
        Some(_) | None => clear,
    }
}
