//! The catalogue's fixes, filled in for the target of one connection; no secret of the URL gets into them.

use super::catalogue::{Platform, Target, cause};
use super::{Case, Remedy};
use crate::token::find_tokens;

/// What to do about a cause.
pub(super) fn remedies(case: &Case<'_>, id: &str) -> Vec<Remedy> {
    let target = target(case);
    let fixes = cause(id).map_or(&[][..], |cause| cause.fixes);
    fixes
        .iter()
        .map(|fix| Remedy { text: fix.text_for(&target), command: fix.command_for(&target, Platform::current()) })
        .collect()
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
