//! How two sessions closed, how long things took, and why they closed.

use super::{Comparison, Part};
use crate::observation::{Moment, ReadEnd};
use crate::store::{CloseSeen, Story};

/// How it closed.
pub(super) fn close(one: &Story, other: &Story, found: &mut Comparison) {
    let both = [one, other];
    let mut add = |what: &str, pick: &dyn Fn(&Story) -> Option<String>| {
        let [ours, theirs] = both.map(pick);
        found.add(Part::Close, what, ours, theirs);
    };
    let frame = |close: &CloseSeen| {
        let code = close.info.code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
        format!("{code} {}", close.info.reason).trim_end().to_owned()
    };
    add("whether a confirmation came", &|story| {
        story
            .confirmation
            .as_ref()
            .map(|confirmation| if confirmation.ok { "confirmed" } else { "not confirmed" }.to_owned())
    });
    add("the Close frame received", &|story| story.close_received.as_ref().map(frame));
    add("the Close frame sent", &|story| story.close_sent.as_ref().map(frame));
    add("the end of TCP", &|story| {
        let words = |end: &ReadEnd| match end {
            ReadEnd::Fin => "FIN".to_owned(),
            ReadEnd::Reset => "RST".to_owned(),
            ReadEnd::CloseNotify => "close_notify".to_owned(),
            ReadEnd::Failed(failure) => failure.text.clone(),
        };
        let ends = [&story.read_end, &story.transport_end];
        let ends: Vec<String> = ends.into_iter().flatten().map(|(_, end)| words(end)).collect();
        Some(ends.join(", then ")).filter(|ends| !ends.is_empty())
    });
    add("whether it was cleanly closed", &|story| Some(if story.is_clean() { "yes" } else { "no" }.to_owned()));
    add("the code that a browser shows", &|story| story.opened.map(|_| story.browser_code().to_string()));
    add("the first broken rule", &|story| story.violations.first().map(|(_, broken)| broken.kind.rule().clone()));
}

/// How long things took, where the two are far apart.
pub(super) fn timing(one: &Story, other: &Story, found: &mut Comparison) {
    let both = [one, other];
    let mut add = |what: &str, pick: &dyn Fn(&Story) -> Option<f64>| {
        let [Some(ours), Some(theirs)] = both.map(pick) else { return };
        let (less, more) = (ours.min(theirs), ours.max(theirs));
        if more - less >= APART_MILLIS && more >= less * APART_TIMES {
            let words = |ms: f64| Some(format!("{ms:.1} ms"));
            found.push(Part::Timing, what, words(ours), words(theirs), true);
        }
    };
    let span = |from: Moment, to: Option<Moment>| to.map(|to| to.millis_since(from));
    add("resolving the name", &|story| span(story.resolve.as_ref()?.started, story.resolve.as_ref()?.ended));
    add("connecting TCP", &|story| span(story.connected()?.started, story.connected()?.ended));
    add("the TLS handshake", &|story| span(story.tls.as_ref()?.started, story.tls.as_ref()?.ended));
    add("the response", &|story| span(story.request.as_ref()?.at, story.answer.first_at));
    add("the confirmation", &|story| span(story.opened?, story.confirmation.as_ref().map(|c| c.at)));
    add("from the first message to the last", &|story| span(story.received.first_at?, story.received.last_at));
    add("from open to the end of TCP", &|story| {
        span(story.opened?, story.read_end.as_ref().map(|(at, _)| *at).or(story.we_closed_tcp))
    });
}

/// Why it closed.
pub(super) fn verdict(one: &Story, other: &Story, found: &mut Comparison) {
    let [ours, theirs] = [one, other].map(|story| story.verdict.as_deref());
    let both = [ours, theirs];
    let [ours, theirs] = both.map(|verdict| verdict.map(|verdict| verdict.cause.clone()));
    found.add(Part::Verdict, "the cause", ours, theirs);
    let [ours, theirs] = both.map(|verdict| verdict.map(|verdict| verdict.ending.id().to_owned()));
    found.add(Part::Verdict, "the ending", ours, theirs);
    let findings = |verdict: Option<&crate::diagnosis::Verdict>| {
        let mut ids: Vec<&str> = verdict?.findings.iter().map(|finding| finding.id.as_str()).collect();
        ids.sort_unstable();
        Some(ids.join(", ")).filter(|ids| !ids.is_empty())
    };
    let [ours, theirs] = both.map(findings);
    found.add(Part::Verdict, "the findings", ours, theirs);
}

/// Two durations are far apart if both hold: so many milliseconds, and so many times.
const APART_MILLIS: f64 = 50.0;
const APART_TIMES: f64 = 2.0;
