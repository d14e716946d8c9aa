//! The token of a connection: what is provably wrong with it, and whether the server's refusal is about it.
//!
//! Faults stand in the order in which a verifier meets them: is there a token, can it be read, its algorithm, its
//! signature, its dates. Nothing is blamed here without a refusal that speaks of authentication; see [`suspect`].

use super::words::{long_span, span};
use super::{Case, Certainty, Ending};
use crate::observation::{Moment, TokenPlace};
use crate::token::{ProblemKind, Shape, Signature, TokenReport, Validity, place, unexpected, validity_at};

mod refusal;

pub(super) use refusal::{Refusal, Said, refusal};

/// Something that is provably wrong with the token that was sent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    /// Its id in the catalogue.
    pub(super) id: &'static str,
    /// How sure it is that this is wrong.
    pub(super) certainty: Certainty,
    /// The clause for a sentence: `the token expired 2 hours ago`.
    pub(super) says: String,
}

/// Why the server refused, if the refusal is about the token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Suspect {
    /// Its id in the catalogue.
    pub(super) id: &'static str,
    /// How sure it is that this was the reason.
    pub(super) certainty: Certainty,
    /// The clause for a sentence.
    pub(super) says: String,
    /// How the server refused.
    pub(super) refusal: Refusal,
}

/// The token fault that the server refused for.
pub(super) fn suspect(case: &Case<'_>, ending: Ending) -> Option<Suspect> {
    let refusal = refusal(case, ending)?;
    let faults = faults(case, refusal.at);
    if let Some(said) = refusal.said {
        let proven = faults.iter().find(|fault| said.fits(fault.id));
        let (id, certainty, says) = match proven {
            // What the server expects, it alone knows: the user's word for it proves nothing.
            Some(fault) if matches!(said, Said::Audience | Said::Issuer) => {
                (fault.id, fault.certainty, fault.says.clone())
            }
            Some(fault) => (fault.id, Certainty::Certain, fault.says.clone()),
            None if said.fits("token-missing") && is_absent(case) => {
                ("token-missing", Certainty::Certain, "no token was sent".to_owned())
            }
            None if said == Said::SecretMissing && refusal.is_told_now() => {
                (said.id(), Certainty::Certain, said.clause().to_owned())
            }
            None => (said.id(), Certainty::Likely, said.clause().to_owned()),
        };
        return Some(Suspect { id, certainty, says, refusal });
    }
    let strength = refusal.strength?;
    let hides = |fault: &Fault| fault.id == "token-missing" && refusal.has_fingerprint;
    if let Some(fault) = faults.into_iter().find(|fault| !hides(fault)) {
        let certainty = fault.certainty.min(strength);
        return Some(Suspect { id: fault.id, certainty, says: fault.says, refusal });
    }
    let has_none = is_absent(case) && !case.plan().is_some_and(|plan| plan.credentials);
    (has_none && !refusal.has_fingerprint).then(|| Suspect {
        id: "token-missing",
        certainty: Certainty::Likely,
        says: "no token and no other credential was sent".to_owned(),
        refusal,
    })
}

/// Whether no token was sent at all.
pub(super) fn is_absent(case: &Case<'_>) -> bool {
    case.story.token.as_ref().is_none_or(|token| matches!(token.shape, Shape::Absent | Shape::Empty))
}

/// Everything that is provably wrong with the token at a moment, in the order in which a verifier meets it.
pub(super) fn faults(case: &Case<'_>, at: Moment) -> Vec<Fault> {
    let Some(token) = case.story.token.as_deref() else {
        return Vec::new();
    };
    let mut faults = surface_faults(case, token);
    match token.shape {
        Shape::Empty if case.plan().is_some_and(|plan| plan.credentials) => {}
        Shape::Empty => faults.push(Fault {
            id: "token-missing",
            certainty: Certainty::Likely,
            says: "the place of the token is empty".to_owned(),
        }),
        Shape::Opaque => faults.push(Fault {
            id: "jwt-malformed",
            certainty: Certainty::Likely,
            says: "what was sent is one word without a dot, not a JWT".to_owned(),
        }),
        Shape::Malformed => faults.push(certain("jwt-malformed", malformed_clause(token))),
        Shape::Absent | Shape::Placeholder | Shape::Truncated | Shape::Jws | Shape::Jwe => {}
    }
    if faults.is_empty() {
        faults.extend(form_fault(token));
    }
    if token.problem(ProblemKind::AlgNone).is_some() {
        faults.push(certain(
            "jwt-alg-none",
            "the token's algorithm is \u{201c}none\u{201d}, it is not signed".to_owned(),
        ));
    } else if token.problem(ProblemKind::EmptySignature).is_some() {
        faults.push(certain("jwt-alg-none", "the token's signature is empty".to_owned()));
    }
    if token.alg_mismatch {
        let alg = token.alg.as_deref().unwrap_or("no algorithm");
        let says = match &token.verified_as {
            Some(reading) => format!("the token names {alg}, and the given key fits only as {reading}"),
            None => format!("the token names {alg}, and the given key is of another kind"),
        };
        faults.push(certain("jwt-alg-mismatch", says));
    }
    if token.kid_unknown {
        let says = "the token's kid names a key that the given key set does not hold".to_owned();
        faults.push(Fault { id: "jwt-kid-missing", certainty: Certainty::Likely, says });
    }
    if token.signature == Signature::Invalid {
        faults.push(certain("jwt-wrong-secret", signature_clause(token)));
    }
    faults.extend(date_fault(case, token, at));
    if let Some(plan) = case.plan() {
        let objections = unexpected(token, &plan.claims).into_iter();
        faults.extend(objections.map(|objection| {
            // The user says what the server expects; the server's own table is not seen.
            let says = format!("the token's {}", case.quote(&objection.message, 300));
            Fault { id: objection.cause, certainty: Certainty::Likely, says }
        }));
    }
    let mut seen = Vec::new();
    faults.retain(|fault| {
        !seen.contains(&fault.id) && {
            seen.push(fault.id);
            true
        }
    });
    faults
}

fn certain(id: &'static str, says: String) -> Fault {
    Fault { id, certainty: Certainty::Certain, says }
}

/// Faults of the text as it was sent: for a query as it stands in the request, else as the report has them.
fn surface_faults(case: &Case<'_>, token: &TokenReport) -> Vec<Fault> {
    let sent = case.raw_query_token().map(place::lint_sent);
    let has = |kind: ProblemKind| match &sent {
        Some(sent) => sent.iter().any(|problem| problem.kind == kind),
        None => token.problem(kind).is_some(),
    };
    let in_query = matches!(case.plan().and_then(|plan| plan.token_place.as_ref()), Some(TokenPlace::Query { .. }));
    let mut faults = Vec::new();
    if has(ProblemKind::Placeholder) || token.shape == Shape::Placeholder {
        let says = "a placeholder word stands where the token should be".to_owned();
        faults.push(certain("token-placeholder", says));
        return faults;
    }
    let rows = [
        (ProblemKind::BearerPrefix, "token-bearer-prefix", "the value begins with \u{201c}Bearer \u{201d}"),
        (ProblemKind::Quoted, "token-quoted", "the token was sent in quotes"),
        (ProblemKind::Whitespace, "token-whitespace", "the token was sent with white space or a line end"),
        (ProblemKind::DoubleEncoded, "token-double-encoded", "the token was percent-encoded twice"),
    ];
    faults.extend(rows.into_iter().filter(|(kind, _, _)| has(*kind)).map(|(_, id, says)| certain(id, says.to_owned())));
    let is_token_like = token.shape != Shape::Opaque;
    if in_query && is_token_like && has(ProblemKind::Plus) {
        let says = "the token holds +, which servers read as a space in a query".to_owned();
        faults.push(certain("token-plus-in-query", says));
    }
    if token.shape == Shape::Truncated || has(ProblemKind::Truncated) {
        faults.push(certain("token-truncated", "the end of the token is missing".to_owned()));
    }
    faults
}

/// What can be read here and is refused by stricter readers.
fn form_fault(token: &TokenReport) -> Option<Fault> {
    let has = |kind: ProblemKind| token.problem(kind).is_some();
    let says = if has(ProblemKind::Plus) {
        "the token is standard base64, where base64url without padding belongs"
    } else if has(ProblemKind::SurroundingText) {
        "other text stands around the token"
    } else if has(ProblemKind::NonNumericDate) && token.validity == Validity::Unknown {
        "a date of the token is not a number"
    } else {
        return None;
    };
    Some(certain("jwt-malformed", says.to_owned()))
}

fn malformed_clause(token: &TokenReport) -> String {
    let kinds = [
        ProblemKind::PartCount,
        ProblemKind::BadBase64,
        ProblemKind::BadJson,
        ProblemKind::NotAnObject,
        ProblemKind::SurroundingText,
    ];
    match kinds.into_iter().find_map(|kind| token.problem(kind)) {
        Some(problem) => format!("the token cannot be read: {} (byte {})", problem.message, problem.at),
        None => "the token cannot be read as a JWT".to_owned(),
    }
}

fn signature_clause(token: &TokenReport) -> String {
    match &token.verified_as {
        Some(reading) => format!("the token's signature does not verify under the given secret, but with {reading}"),
        None => "the token's signature does not verify under the given secret".to_owned(),
    }
}

fn date_fault(case: &Case<'_>, token: &TokenReport, at: Moment) -> Option<Fault> {
    let ours = case.unix_at(at).unwrap_or(case.story.token_now_unix as f64);
    let leeway_secs = case.plan().map_or(0.0, |plan| plan.claims.leeway_secs);
    let by_ours = validity_at(token, ours, leeway_secs);
    if let Some(skew) = case.clock_skew_secs().filter(|skew| skew.abs() > SKEW_SECS) {
        let by_theirs = validity_at(token, ours + skew, leeway_secs);
        let is_good = |validity| matches!(validity, Validity::Valid | Validity::NoExpiry);
        if by_theirs != by_ours && (is_good(by_theirs) || is_good(by_ours)) {
            let side = if skew > 0.0 { "ahead of" } else { "behind" };
            return Some(Fault {
                id: "jwt-clock-skew",
                certainty: Certainty::Likely,
                says: format!(
                    "the server's clock is {} {side} ours, and by its clock the token is {}, by ours {}",
                    long_span(skew),
                    validity_words(by_theirs),
                    validity_words(by_ours)
                ),
            });
        }
    }
    if let (Some(exp), Some(opened)) = (token.exp.map(|exp| exp + leeway_secs), case.opened_at())
        && let Some(opened_unix) = case.unix_at(opened)
        && validity_at(token, opened_unix, leeway_secs) == Validity::Valid
        && (ours - exp).abs() <= MID_SESSION_SECS
        && at.millis_since(opened) > 1_000.0
    {
        let says = format!(
            "the token expired while the connection was open, within {} of the end",
            span((ours - exp).abs() * 1e3)
        );
        return Some(Fault { id: "jwt-expired-mid-session", certainty: Certainty::Likely, says });
    }
    match by_ours {
        Validity::Expired => {
            let ago = token.exp.map_or_else(String::new, |exp| format!(" {} before", long_span(ours - exp)));
            Some(certain("jwt-expired", format!("the token had expired{ago}")))
        }
        Validity::NotYetValid => {
            let ahead = token.nbf.map_or_else(String::new, |nbf| format!(" for another {}", long_span(nbf - ours)));
            Some(certain("jwt-not-active", format!("the token is not valid yet{ahead}")))
        }
        Validity::Valid | Validity::NoExpiry | Validity::Unknown => None,
    }
}

fn validity_words(validity: Validity) -> &'static str {
    match validity {
        Validity::Valid | Validity::NoExpiry => "valid",
        Validity::Expired => "expired",
        Validity::NotYetValid => "not valid yet",
        Validity::Unknown => "not to be judged",
    }
}

/// Clocks further apart than this are worth a word.
const SKEW_SECS: f64 = 60.0;
/// How near to `exp` an end counts as caused by it.
const MID_SESSION_SECS: f64 = 5.0;
