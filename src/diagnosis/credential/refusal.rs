//! Whether a refusal of the server is about authentication, and what its own words say.

use crate::diagnosis::console::near::{Line, nearest, standing};
use crate::diagnosis::console::{Scope, is_secret_known};
use crate::diagnosis::rules::{code_id, is_403_fingerprint, status_id};
use crate::diagnosis::words::after_milestone;
use crate::diagnosis::{Case, Certainty, Ending, Evidence};
use crate::observation::Moment;

/// How the server refused.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::diagnosis) struct Refusal {
    /// When.
    pub(in crate::diagnosis) at: Moment,
    /// The clause for a sentence: `the server closed with 1008 and …`.
    pub(in crate::diagnosis) words: String,
    /// How strongly the code alone speaks of authentication; `None` if it does not.
    pub(in crate::diagnosis) strength: Option<Certainty>,
    /// What its text says about the token.
    pub(in crate::diagnosis) said: Option<Said>,
    /// The id that the refusal has without a look at the token.
    pub(in crate::diagnosis) carrier: &'static str,
    /// Whether the response has the fingerprint of another cause.
    pub(in crate::diagnosis) has_fingerprint: bool,
    /// The line of the server's console that says why, and how long it holds.
    pub(in crate::diagnosis) console: Option<(Evidence, Scope)>,
}

impl Refusal {
    /// Whether the server's console spoke of this very refusal.
    pub(in crate::diagnosis) fn is_told_now(&self) -> bool {
        self.console.as_ref().is_some_and(|(_, scope)| *scope == Scope::Connection)
    }
}

/// What a server says about a token, in the words of its library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::diagnosis) enum Said {
    /// Nothing was there.
    Missing,
    /// It cannot be read.
    Malformed,
    /// It is not signed.
    Unsigned,
    /// The algorithm is not accepted.
    BadAlgorithm,
    /// The signature does not verify.
    BadSignature,
    /// It has expired.
    Expired,
    /// It is not valid yet.
    NotActive,
    /// It is for another audience.
    Audience,
    /// It is of another issuer.
    Issuer,
    /// The server itself has no secret.
    SecretMissing,
    /// The server looks for a key by `kid` and finds none.
    KidMissing,
}

impl Said {
    /// Reads a close reason, a response body or a console line.
    pub(in crate::diagnosis) fn read(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        SAYINGS.iter().find(|(needle, _)| text.contains(needle)).map(|(_, said)| *said)
    }

    /// What an id of the catalogue says, if it is about a token.
    fn of(id: &str) -> Option<Self> {
        SAYINGS.iter().map(|(_, said)| *said).find(|said| said.id() == id)
    }

    /// The id that it names by itself.
    pub(in crate::diagnosis) fn id(self) -> &'static str {
        match self {
            Self::Missing => "token-missing",
            Self::Malformed => "jwt-malformed",
            Self::Unsigned => "jwt-alg-none",
            Self::BadAlgorithm => "jwt-alg-mismatch",
            Self::BadSignature => "jwt-wrong-secret",
            Self::Expired => "jwt-expired",
            Self::NotActive => "jwt-not-active",
            Self::Audience => "jwt-audience",
            Self::Issuer => "jwt-issuer",
            Self::SecretMissing => "jwt-secret-missing",
            Self::KidMissing => "jwt-kid-missing",
        }
    }

    /// Whether a fault of the token explains these words.
    pub(in crate::diagnosis) fn fits(self, id: &str) -> bool {
        let is_surface = matches!(
            id,
            "token-placeholder"
                | "token-bearer-prefix"
                | "token-quoted"
                | "token-whitespace"
                | "token-double-encoded"
                | "token-plus-in-query"
                | "token-truncated"
        );
        match self {
            Self::Missing => id == "token-missing",
            Self::Malformed => is_surface || matches!(id, "jwt-malformed" | "token-missing"),
            Self::BadSignature => {
                matches!(id, "token-truncated" | "token-plus-in-query" | "token-whitespace" | "jwt-wrong-secret")
            }
            Self::BadAlgorithm => matches!(id, "jwt-alg-mismatch" | "jwt-alg-none" | "jwt-malformed"),
            Self::Unsigned => matches!(id, "jwt-alg-none" | "token-truncated"),
            Self::Expired => matches!(id, "jwt-expired" | "jwt-expired-mid-session" | "jwt-clock-skew"),
            Self::NotActive => matches!(id, "jwt-not-active" | "jwt-clock-skew"),
            Self::Audience | Self::Issuer | Self::SecretMissing | Self::KidMissing => id == self.id(),
        }
    }

    /// The clause for a sentence that rests on the server's words alone.
    pub(in crate::diagnosis) fn clause(self) -> &'static str {
        match self {
            Self::Missing => "the server says that it got no token",
            Self::Malformed => "the server could not read the token",
            Self::Unsigned => "the server wants a signed token",
            Self::BadAlgorithm => "the server does not accept the token's algorithm",
            Self::BadSignature => "the server could not verify the token's signature, so it uses another secret or key",
            Self::Expired => "the server says that the token has expired",
            Self::NotActive => "the server says that the token is not valid yet",
            Self::Audience => "the token is not meant for this audience",
            Self::Issuer => "the token is not of the issuer that the server trusts",
            Self::SecretMissing => "the server itself has no secret to verify tokens with",
            Self::KidMissing => "the server looks its key up by kid and did not find it",
        }
    }
}

/// How the server refused, if it did with a response or a Close of its own, or if its console says so.
pub(in crate::diagnosis) fn refusal(case: &Case<'_>, ending: Ending) -> Option<Refusal> {
    let mut refusal = on_the_wire(case, ending).or_else(|| cut(case, ending))?;
    let span = (refusal.at, refusal.at);
    if !may_be_about_token(case, ending) {
        return Some(refusal);
    }
    let near = nearest(case, span, |_, known| {
        let said = Said::of(known.cause);
        known.scope == Scope::Connection && said.is_some() && (refusal.said.is_none() || refusal.said == said)
    });
    let line = near.or_else(|| without_secret(case, &refusal));
    if let Some(line) = line {
        if refusal.said.is_none() {
            refusal.said = Said::of(line.known.cause);
            let quote = case.quote(&line.known.quote, 120);
            refusal.words = format!("{}; its console said \u{201c}{quote}\u{201d}", refusal.words);
        }
        refusal.console = Some((line.evidence(case), line.known.scope));
    }
    let is_silent = matches!(ending, Ending::Fin | Ending::Rst | Ending::UpgradeCut) && refusal.said.is_none();
    (!is_silent).then_some(refusal)
}

/// Whether servers that refuse a token end a connection like this.
fn may_be_about_token(case: &Case<'_>, ending: Ending) -> bool {
    match ending {
        Ending::UpgradeRefused => matches!(case.story.answer.status(), Some(400..=403 | 500)),
        Ending::Closed | Ending::ClosedUnclean => {
            let code = case.server_close().and_then(|close| close.info.code);
            !matches!(code, Some(1001..=1003 | 1007 | 1009 | 1010 | 1012))
        }
        _ => true,
    }
}

/// An end of TCP, which is a refusal only if the console says so.
fn cut(case: &Case<'_>, ending: Ending) -> Option<Refusal> {
    let (at, _) = case.tcp_end().filter(|_| matches!(ending, Ending::Fin | Ending::Rst | Ending::UpgradeCut))?;
    let words = format!("the server ended TCP with {} and without a word", case.tcp_end_words());
    let carrier = match ending {
        Ending::UpgradeCut => "upgrade-fin-nobytes",
        Ending::Rst => "connection-reset",
        _ => "connection-terminated",
    };
    Some(Refusal { at, words, strength: None, said: None, carrier, has_fingerprint: false, console: None })
}

/// The line with which a server without a secret started, where it refused a token and says nothing more particular.
fn without_secret<'a>(case: &Case<'a>, refusal: &Refusal) -> Option<Line<'a>> {
    let is_open_question = refusal.strength.is_some() && refusal.said.is_none() && !super::is_absent(case);
    let says_anything = || case.story.console.iter().any(|seen| contains_secret(&seen.text));
    if !is_open_question || !says_anything() {
        return None;
    }
    let line = standing(case, refusal.at, "jwt-secret-missing")?;
    let is_known_since = case.story.console.iter().any(|s| s.at > line.seen.at && is_secret_known(&s.text));
    (!is_known_since).then_some(line)
}

/// Most consoles never speak of it: this is cheaper than reading every line.
fn contains_secret(line: &str) -> bool {
    ["JWT_SECRET", "jwt_secret", "JWT secret", "jwt secret"].iter().any(|word| line.contains(word))
}

fn on_the_wire(case: &Case<'_>, ending: Ending) -> Option<Refusal> {
    match ending {
        Ending::UpgradeRefused => {
            let status = case.story.answer.status()?;
            let body = case.body_beginning();
            let said = Said::read(&body).filter(|_| matches!(status, 400..=403 | 500));
            let (strength, has_fingerprint) = match status {
                401 => (Some(Certainty::Certain), false),
                403 => match is_403_fingerprint(case) {
                    Some("http-403-origin" | "http-403-proxy") => (None, true),
                    other => (Some(Certainty::Likely), other.is_some()),
                },
                _ => (None, false),
            };
            let words = if body.trim().is_empty() {
                format!("the server answered {status}")
            } else {
                format!("the server answered {status} (\u{201c}{}\u{201d})", case.quote(&body, 80))
            };
            let carrier = is_403_fingerprint(case).unwrap_or_else(|| status_id(status));
            Some(Refusal { at: case.head_at(), words, strength, said, carrier, has_fingerprint, console: None })
        }
        Ending::Closed | Ending::ClosedUnclean => {
            let close = case.server_close()?;
            let reason = close.info.reason.as_str();
            let code = close.info.code?;
            let said = Said::read(reason);
            let speaks_of_other = !reason.trim().is_empty() && !is_about_authentication(reason);
            let strength = match code {
                _ if speaks_of_other => None,
                1008 | 3000 | 4401 => Some(Certainty::Certain),
                3003 | 4400..=4405 | 4407 | 4410..=4428 | 4430..=4499 => Some(Certainty::Likely),
                _ if names_authentication(reason) => Some(Certainty::Likely),
                _ => None,
            };
            let when = after_milestone(case, close.at);
            let words = format!("the server closed {when} with {code} {}", case.reason_words(close));
            let carrier = code_id(Some(code));
            Some(Refusal { at: close.at, words, strength, said, carrier, has_fingerprint: false, console: None })
        }
        Ending::NotAttempted
        | Ending::ResolveFailed
        | Ending::ConnectFailed
        | Ending::TlsFailed
        | Ending::UpgradeCut
        | Ending::UpgradeUnanswered
        | Ending::UpgradeInvalid
        | Ending::ProtocolError
        | Ending::Fin
        | Ending::Rst
        | Ending::NetworkTimeout
        | Ending::Unconfirmed
        | Ending::Open
        | Ending::EndedByUs => None,
    }
}

fn is_about_authentication(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    let words = [
        "auth",
        "token",
        "jwt",
        "credential",
        "login",
        "log in",
        "signin",
        "sign in",
        "forbidden",
        "denied",
        "permission",
        "policy",
        "session",
        "api key",
        "apikey",
        "secret",
        "not allowed",
        "expired",
        "verif",
        "invalid user",
        "access",
    ];
    words.iter().any(|word| reason.contains(word))
}

/// Whether a reason names authentication so clearly that the code does not matter.
fn names_authentication(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["unauthori", "authenticat", "token", "jwt", "credential"].iter().any(|word| reason.contains(word))
}

/// What the usual libraries say, the more particular words first.
const SAYINGS: &[(&str, Said)] = &[
    ("secret or public key must be provided", Said::SecretMissing),
    ("secretorprivatekey must have a value", Said::SecretMissing),
    ("jwt must be provided", Said::Missing),
    ("token is required", Said::Missing),
    ("token required", Said::Missing),
    ("missing token", Said::Missing),
    ("no token", Said::Missing),
    ("token missing", Said::Missing),
    ("token not provided", Said::Missing),
    ("jwt signature is required", Said::Unsigned),
    ("jwt audience invalid", Said::Audience),
    ("invalid audience", Said::Audience),
    ("audience doesn't match", Said::Audience),
    ("unexpected \"aud\" claim", Said::Audience),
    ("token has invalid audience", Said::Audience),
    ("jwt issuer invalid", Said::Issuer),
    ("invalid issuer", Said::Issuer),
    ("unexpected \"iss\" claim", Said::Issuer),
    ("token has invalid issuer", Said::Issuer),
    ("no kid specified", Said::KidMissing),
    ("unable to find a signing key that matches", Said::KidMissing),
    ("jwt not active", Said::NotActive),
    ("not yet valid", Said::NotActive),
    ("not valid yet", Said::NotActive),
    ("\"nbf\" claim timestamp check failed", Said::NotActive),
    ("jwt expired", Said::Expired),
    ("token expired", Said::Expired),
    ("token is expired", Said::Expired),
    ("token has expired", Said::Expired),
    ("signature has expired", Said::Expired),
    ("expired token", Said::Expired),
    ("\"exp\" claim timestamp check failed", Said::Expired),
    ("invalid algorithm", Said::BadAlgorithm),
    ("requires curve", Said::BadAlgorithm),
    ("secretorpublickey must be", Said::BadAlgorithm),
    ("alg value is not allowed", Said::BadAlgorithm),
    ("signing method", Said::BadAlgorithm),
    ("invalid signature", Said::BadSignature),
    ("signature verification failed", Said::BadSignature),
    ("signature is invalid", Said::BadSignature),
    ("signature does not match", Said::BadSignature),
    ("jwt malformed", Said::Malformed),
    ("not enough segments", Said::Malformed),
    ("invalid number of segments", Said::Malformed),
    ("token is malformed", Said::Malformed),
    ("malformed token", Said::Malformed),
    ("invalid compact jws", Said::Malformed),
    ("invalid exp value", Said::Malformed),
    ("invalid nbf value", Said::Malformed),
    ("in json at position", Said::Malformed),
    ("end of json input", Said::Malformed),
    ("is not valid json", Said::Malformed),
];
