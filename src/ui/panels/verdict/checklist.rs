//! The guide's status checklist, filled in from the story.

use crate::diagnosis::CheckItem;
use crate::store::{AttemptOutcome, Story};
use crate::token::{Signature, Validity};
use crate::ui::panels::fact_words::{io_words, read_end_words, tls_words, validity_words};

/// What the story says to each line of the list; lines that make no sense for it are left out.
pub(super) fn checklist(story: &Story) -> Vec<CheckItem> {
    let mut items = Vec::new();
    let mut add = |item: &str, ok: Option<bool>, detail: String| {
        items.push(CheckItem { item: item.to_owned(), ok, detail });
    };
    if let Some(token) = story.token.as_ref().filter(|token| token.present) {
        let decodes = token.header.is_some() && !token.claims.is_empty();
        add("Token decodes", Some(decodes), token.problems.first().map(|p| p.message.clone()).unwrap_or_default());
        let signature = match token.signature {
            Signature::Valid => (Some(true), token.verified_as.clone().unwrap_or_default()),
            Signature::Invalid => (Some(false), token.notes.first().cloned().unwrap_or_default()),
            Signature::Unchecked => (None, "no secret was given to check it with".to_owned()),
        };
        add("Signature", signature.0, signature.1);
        let dates = match token.validity {
            Validity::Valid | Validity::NoExpiry => Some(true),
            Validity::Expired | Validity::NotYetValid => Some(false),
            Validity::Unknown => None,
        };
        add("Dates", dates, validity_words(token.validity).to_owned());
    }
    if let Some(resolve) = &story.resolve {
        let ok = resolve.ended.map(|_| resolve.failure.is_none());
        let detail = resolve.failure.as_ref().map_or_else(
            || resolve.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            |failure| failure.text.clone(),
        );
        add("Host name resolves", ok, detail);
    }
    if let Some(last) = story.attempts.last() {
        let connected = story.connected();
        let failure = story.attempts.iter().rev().find_map(|attempt| match &attempt.outcome {
            AttemptOutcome::Failed(failure) => Some(format!("{}: {}", attempt.address, io_words(failure))),
            AttemptOutcome::Pending | AttemptOutcome::Connected | AttemptOutcome::Abandoned => None,
        });
        let ok = if connected.is_some() { Some(true) } else { failure.as_ref().map(|_| false) };
        let detail = connected.map(|attempt| attempt.address.to_string()).or(failure);
        add("Port open", ok, detail.unwrap_or_else(|| last.address.to_string()));
    }
    if let Some(tls) = &story.tls {
        let detail = match (&tls.info, &tls.failure) {
            (Some(info), _) => info.version.clone(),
            (None, Some(failure)) => tls_words(failure.kind),
            (None, None) => String::new(),
        };
        add("TLS", tls.ended.map(|_| tls.failure.is_none()), detail);
    }
    if let Some(status) = story.answer.status() {
        add("Upgrade", Some(story.opened.is_some()), format!("status {status}"));
    } else if story.request.is_some() {
        let over = story.finished.is_some();
        add("Upgrade", over.then_some(false), if over { "no answer" } else { "waits for an answer" }.to_owned());
    }
    if story.opened.is_some() {
        let confirmation = story.confirmation.as_ref();
        let detail = confirmation.and_then(|confirmation| confirmation.preview.clone()).unwrap_or_default();
        add("Confirmation", confirmation.map(|confirmation| confirmation.ok), detail);
    }
    if story.opened.is_some() && story.read_end.is_some() {
        let end = story.read_end.as_ref().map(|(_, end)| read_end_words(end)).unwrap_or_default();
        let detail = match &story.close_received {
            Some(close) => close.info.code.map_or_else(|| "no code".to_owned(), |code| format!("code {code}")),
            None => format!("no Close frame; {end}"),
        };
        add("Cleanly closed", Some(story.is_clean()), detail);
    }
    items
}
