//! Resolving, TCP, TLS, the request, the answer and the token of two sessions.

use std::collections::BTreeSet;

use super::volatile::{is_volatile_header, is_volatile_name};
use super::{Comparison, Part};
use crate::observation::TokenPlace;
use crate::store::{AttemptOutcome, Story};
use crate::token::{TokenReport, Validity};

/// Resolving, TCP and TLS.
pub(super) fn connection(one: &Story, other: &Story, found: &mut Comparison) {
    let part = Part::Connection;
    let both = [one, other];
    let [ours, theirs] = both.map(|story| story.not_attempted.as_ref().map(|(_, problem)| problem.message.clone()));
    found.add(part, "the URL cannot be used", ours, theirs);
    let resolved = |story: &Story| {
        let resolve = story.resolve.as_ref()?;
        let all: Vec<String> = resolve.addresses.iter().map(ToString::to_string).collect();
        Some(resolve.failure.as_ref().map_or_else(|| all.join(", "), |failure| failure.text.clone()))
    };
    let [ours, theirs] = both.map(resolved);
    found.add(part, "what the name resolves to", ours, theirs);
    let attempts = |story: &Story| {
        let words = story.attempts.iter().map(|attempt| {
            let outcome = match &attempt.outcome {
                AttemptOutcome::Pending => "pending".to_owned(),
                AttemptOutcome::Connected => "connected".to_owned(),
                AttemptOutcome::Failed(failure) => format!("failed ({})", failure.text),
                AttemptOutcome::Abandoned => "abandoned".to_owned(),
            };
            format!("{} {outcome}", attempt.address)
        });
        Some(words.collect::<Vec<_>>().join(", ")).filter(|words| !words.is_empty())
    };
    let [ours, theirs] = both.map(attempts);
    found.add(part, "the TCP attempts", ours, theirs);
    let tls = |pick: &dyn Fn(&crate::observation::TlsInfo) -> String| {
        both.map(|story| story.tls.as_ref().and_then(|tls| tls.info.as_ref()).map(pick))
    };
    let [ours, theirs] = tls(&|info| format!("{} {}", info.version, info.cipher));
    found.add(part, "TLS version and cipher", ours, theirs);
    let [ours, theirs] = tls(&|info| info.chain.first().map_or_else(String::new, |leaf| leaf.subject.clone()));
    found.add(part, "the certificate's subject", ours, theirs);
    let [ours, theirs] = tls(&|info| info.defects.join(", "));
    found.add(part, "what is wrong with the certificate", ours, theirs);
    let [ours, theirs] = both.map(|story| story.tls.as_ref()?.failure.as_ref().map(|failure| failure.text.clone()));
    found.add(part, "how TLS failed", ours, theirs);
}

/// The request.
pub(super) fn request(one: &Story, other: &Story, found: &mut Comparison) {
    let part = Part::Request;
    let both = [one, other];
    let [ours, theirs] = both.map(|story| story.request.as_ref());
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        let [ours, theirs] = both.map(|story| story.request.as_ref().map(|_| "was sent".to_owned()));
        return found.add(part, "the request", ours, theirs);
    };
    let split = |target: &str| {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (path.to_owned(), query.to_owned())
    };
    let ((our_path, our_query), (their_path, their_query)) = (split(&ours.head.target), split(&theirs.head.target));
    found.add(part, "the path", Some(our_path), Some(their_path));
    query(&our_query, &their_query, token_parameter(one).or(token_parameter(other)), found);
    headers(part, &ours.head.headers, &theirs.head.headers, found);
}

/// The answer.
pub(super) fn response(one: &Story, other: &Story, found: &mut Comparison) {
    let part = Part::Response;
    let both = [one, other];
    let status = |story: &Story| story.answer.head.as_ref().map(|(_, head)| format!("{} {}", head.status, head.reason));
    let [ours, theirs] = both.map(status);
    found.add(part, "the status", ours, theirs);
    let [ours, theirs] = both.map(|story| story.opened.map(|_| "open".to_owned()));
    found.add(part, "whether it opened", ours, theirs);
    if let (Some((_, ours)), Some((_, theirs))) = (&one.answer.head, &other.answer.head) {
        headers(part, &ours.headers, &theirs.headers, found);
        if ours.status != 101 {
            let [ours, theirs] = both.map(|story| Some(story.answer.body_text()).filter(|body| !body.is_empty()));
            found.add(part, "the body", ours, theirs);
        }
    }
    let failed = |story: &Story| {
        let failed: Vec<&str> = story.answer.checks.iter().filter(|c| !c.ok).map(|c| c.check.words()).collect();
        Some(failed.join(", ")).filter(|failed| !failed.is_empty())
    };
    let [ours, theirs] = both.map(failed);
    found.add(part, "the checks that failed", ours, theirs);
}

/// The token that was sent: what it says, and what was found about it.
pub(super) fn token(one: &Story, other: &Story, found: &mut Comparison) {
    let part = Part::Token;
    let [ours, theirs] = [one, other].map(|story| story.token.as_deref().filter(|report| report.present));
    let (Some(ours), Some(theirs)) = (ours, theirs) else {
        let [ours, theirs] = [ours, theirs].map(|report| report.map(|_| "was sent".to_owned()));
        return found.add(part, "the token", ours, theirs);
    };
    let both = [ours, theirs];
    let mut add = |what: &str, pick: &dyn Fn(&TokenReport) -> Option<String>| {
        let [ours, theirs] = both.map(pick);
        found.add(part, what, ours, theirs);
    };
    add("alg", &|report| report.alg.clone());
    add("kid", &|report| report.kid.clone());
    add("its shape", &|report| Some(format!("{:?}", report.shape)));
    add("the signature", &|report| Some(format!("{:?}", report.signature).to_lowercase()));
    add("the dates", &|report| Some(dates(report.validity).to_owned()));
    let names: Vec<&String> = ours.claims.iter().chain(&theirs.claims).map(|claim| &claim.name).collect();
    let mut seen = BTreeSet::new();
    for name in names.into_iter().filter(|name| seen.insert(name.as_str())) {
        let [ours, theirs] = both.map(|report| report.claim(name).map(|claim| claim.raw.clone()));
        let is_volatile = is_volatile_name(name) && ours.is_some() && theirs.is_some();
        found.push(part, format!("the claim {name}"), ours, theirs, is_volatile);
    }
}

fn dates(validity: Validity) -> &'static str {
    match validity {
        Validity::Valid => "valid",
        Validity::Expired => "expired",
        Validity::NotYetValid => "not yet valid",
        Validity::NoExpiry => "no expiry",
        Validity::Unknown => "unknown",
    }
}

fn token_parameter(story: &Story) -> Option<&str> {
    match story.plan.as_ref()?.token_place.as_ref()? {
        TokenPlace::Query { name } => Some(name),
        TokenPlace::Bearer
        | TokenPlace::Header { .. }
        | TokenPlace::Cookie { .. }
        | TokenPlace::Subprotocol
        | TokenPlace::FirstMessage { .. } => None,
    }
}

fn query(ours: &str, theirs: &str, token: Option<&str>, found: &mut Comparison) {
    let pairs = |query: &str| -> Vec<(String, String)> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect()
    };
    let (ours, theirs) = (pairs(ours), pairs(theirs));
    for name in names(&ours, &theirs) {
        let [one, other] = [&ours, &theirs].map(|pairs| joined(pairs, &name));
        // Another token is not another request; the part of the token tells what is new about it.
        let is_volatile = token == Some(name.as_str()) && one.is_some() && other.is_some();
        found.push(Part::Request, format!("the query parameter {name}"), one, other, is_volatile);
    }
    order(Part::Request, "the order of the query parameters", &ours, &theirs, found);
}

fn headers(part: Part, ours: &[(String, String)], theirs: &[(String, String)], found: &mut Comparison) {
    let lower = |pairs: &[(String, String)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect()
    };
    let (our_lower, their_lower) = (lower(ours), lower(theirs));
    for name in names(&our_lower, &their_lower) {
        let [one, other] = [&our_lower, &their_lower].map(|pairs| joined(pairs, &name));
        let is_credential = name == "authorization";
        let is_volatile = (is_volatile_header(&name) || is_credential) && one.is_some() && other.is_some();
        found.push(part, format!("the header {name}"), one, other, is_volatile);
    }
    order(part, "the order or the letter case of the headers", ours, theirs, found);
}

/// The order of names that both have the same of.
fn order(part: Part, what: &str, ours: &[(String, String)], theirs: &[(String, String)], found: &mut Comparison) {
    let names = |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (ours, theirs) = (names(ours), names(theirs));
    let sorted = |names: &[String]| {
        let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names
    };
    if sorted(&ours) == sorted(&theirs) {
        found.add(part, what, Some(ours.join(", ")), Some(theirs.join(", ")));
    }
}

/// Every name of two lists, once, in order.
fn names(ours: &[(String, String)], theirs: &[(String, String)]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    ours.iter().chain(theirs).map(|(name, _)| name.clone()).filter(|name| seen.insert(name.clone())).collect()
}

/// Every value of a name.
fn joined(pairs: &[(String, String)], name: &str) -> Option<String> {
    let values: Vec<&str> = pairs.iter().filter(|(own, _)| own == name).map(|(_, v)| v.as_str()).collect();
    (!values.is_empty()).then(|| values.join(", "))
}
