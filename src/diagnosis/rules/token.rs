//! The token's text: missing, a placeholder, wrapped, encoded twice, cut.

use super::{Found, Rule};
use crate::diagnosis::credential::{self, Suspect};
use crate::diagnosis::words::capital;
use crate::diagnosis::{Case, Certainty, Ending, Evidence};

pub(super) const RULES: &[Rule] = &[
    Rule::new("token-missing", check).implies(REFUSALS),
    Rule::new("token-placeholder", check).implies(REFUSALS),
    Rule::new("token-bearer-prefix", check).implies(REFUSALS),
    Rule::new("token-quoted", check).implies(REFUSALS),
    Rule::new("token-whitespace", check).implies(REFUSALS),
    Rule::new("token-double-encoded", check).implies(REFUSALS),
    Rule::new("token-plus-in-query", check).implies(REFUSALS),
    Rule::new("token-truncated", check).implies(REFUSALS_AND_SIGNATURE),
];

/// The refusals that a fault of the token explains.
pub(super) const REFUSALS: &[&str] = &[
    "jwt-malformed",
    "http-400",
    "http-401",
    "http-403",
    "http-403-starlette",
    "http-500",
    "close-1002",
    "close-1008",
    "close-1011",
    "close-3000",
    "close-3003",
    "close-application",
    "connection-terminated",
    "connection-reset",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
];

const REFUSALS_AND_SIGNATURE: &[&str] = &[
    "jwt-malformed",
    "jwt-wrong-secret",
    "jwt-alg-none",
    "http-400",
    "http-401",
    "http-403",
    "http-403-starlette",
    "http-500",
    "close-1002",
    "close-1008",
    "close-1011",
    "close-3000",
    "close-3003",
    "close-application",
    "connection-terminated",
    "connection-reset",
    "upgrade-fin-nobytes",
    "upgrade-rst-nobytes",
];

/// The cause if the server refused for it; else a finding, where it is a fault whatever the server thinks.
pub(super) fn check(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let suspect = credential::suspect(case, ending);
    if let Some(suspect) = suspect.as_ref().filter(|suspect| suspect.id == id) {
        return Some(refused(case, suspect));
    }
    if matches!(ending, Ending::NotAttempted) {
        return None;
    }
    let at = suspect.map_or_else(|| end_of(case), |suspect| suspect.refusal.at);
    let fault = credential::faults(case, at).into_iter().find(|fault| fault.id == id)?;
    // Servers take other credentials than JWTs, and some want none: without a refusal that is no fault.
    let is_certain = fault.certainty == Certainty::Certain && fault.id != "token-missing";
    is_certain.then(|| {
        let at = case.story.request.as_ref().map_or(case.story.last_at, |request| request.at);
        let mut found =
            Found::new(fault.certainty, format!("{}.", capital(&fault.says))).seen(at, fault.says).finding();
        found.evidence.extend(notes(case));
        found
    })
}

/// When the connection ended, for judging dates.
fn end_of(case: &Case<'_>) -> crate::observation::Moment {
    case.tcp_end().map(|(at, _)| at).or(case.story.close_begun.map(|(at, _)| at)).unwrap_or(case.story.last_at)
}

fn refused(case: &Case<'_>, suspect: &Suspect) -> Found {
    let refusal = &suspect.refusal;
    let summary = format!("{}: {}.", capital(&suspect.says), refusal.words);
    let mut found = Found::new(suspect.certainty, summary).seen(refusal.at, refusal.words.clone());
    if let Some(request) = &case.story.request {
        found = found.seen(request.at, suspect.says.clone());
    }
    if let Some((line, _)) = &refusal.console {
        found = found.with(vec![line.clone()]);
    }
    found = found.with(notes(case));
    if suspect.certainty == Certainty::Certain {
        return found;
    }
    found
        .or_if(
            refusal.has_fingerprint,
            "http-403-starlette",
            "look at the server's console for the rejected connection",
        )
        .or_if(suspect.id == "token-missing", "http-403-origin", "repeat with the page's Origin and without one")
        .or_if(suspect.id != "token-missing", "http-401", "repeat with a token that is known to be good")
        .or_if(
            suspect.id == "jwt-wrong-secret",
            "token-truncated",
            "give the server's secret, so that the signature can be checked",
        )
}

/// What the examination of the token noted.
fn notes(case: &Case<'_>) -> Vec<Evidence> {
    let Some(token) = &case.story.token else {
        return Vec::new();
    };
    let notes = token.notes.iter().take(3);
    notes
        .map(|note| Evidence {
            at: case.story.request.as_ref().map_or(case.story.last_at, |r| r.at),
            text: case.quote(note, 200),
            place: None,
        })
        .collect()
}
