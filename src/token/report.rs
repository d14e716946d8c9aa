//! What is known about one token at one moment: decoded, verified and validated, ready to be stored.
//!
//! A report holds no secret and no signature; it goes into journals and JSON output as it is.

use serde::{Deserialize, Serialize};

use super::claims::{self, Claim, Dates, Validity};
use super::jws::{self, Decoded, Shape};
use super::problem::{Problem, ProblemKind};
use super::secret::Secret;
use super::verify::{self, Signature};

/// Everything known about a token, without the signature and without any secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TokenReport {
    /// Whether there is anything at all.
    pub present: bool,
    /// What kind of thing it is.
    pub shape: Shape,
    /// `alg` of the header.
    pub alg: Option<String>,
    /// `typ` of the header.
    pub typ: Option<String>,
    /// `kid` of the header.
    pub kid: Option<String>,
    /// The header's JSON text.
    pub header: Option<String>,
    /// The claims, in order, duplicates included.
    pub claims: Vec<Claim>,
    /// What is wrong or odd, by position in the text that was given.
    pub problems: Vec<Problem>,
    /// Whether the signature verifies with the expected secret, byte for byte.
    pub signature: Signature,
    /// What does verify it: `--secret-file`, or `--secret-file, without its line end`.
    pub verified_as: Option<String>,
    /// Whether `alg` and the given secret are of different kinds.
    pub alg_mismatch: bool,
    /// Whether `kid` names a key that the given JWK Set does not hold.
    #[serde(default)]
    pub kid_unknown: bool,
    /// What the dates say at the moment of the examination, without leeway.
    pub validity: Validity,
    /// `exp`: seconds since 1970-01-01Z.
    pub exp: Option<f64>,
    /// `nbf`: seconds since 1970-01-01Z.
    pub nbf: Option<f64>,
    /// `iat`: seconds since 1970-01-01Z.
    pub iat: Option<f64>,
    /// The length of the text that was given.
    pub length_bytes: usize,
    /// What else is worth saying, a sentence each.
    pub notes: Vec<String>,
}

impl TokenReport {
    /// The report where there is no place for a token: no parameter, no header.
    pub fn absent() -> Self {
        Self::default()
    }

    /// The first problem of a kind.
    pub fn problem(&self, kind: ProblemKind) -> Option<&Problem> {
        self.problems.iter().find(|problem| problem.kind == kind)
    }

    /// The value of a claim as `JSON.parse` would give it: the last of its name.
    pub fn claim(&self, name: &str) -> Option<&Claim> {
        self.claims.iter().rev().find(|claim| claim.name == name)
    }

    /// Whom the token is meant for: `aud`, which is one string or an array of them (RFC 7519 §4.1.3).
    pub fn audiences(&self) -> Vec<String> {
        let Some(claim) = self.claim("aud") else {
            return Vec::new();
        };
        claim.as_string().map_or_else(|| serde_json::from_str(&claim.raw).unwrap_or_default(), |one| vec![one])
    }

    /// `exp` − `iat`, where both are known.
    pub fn lifetime_secs(&self) -> Option<f64> {
        Some(self.exp? - self.iat?)
    }
}

/// Decodes `text`, verifies it with `secrets` and validates it at `now` (seconds since 1970-01-01Z).
///
/// What can be mended is mended first, and said: the signature is that of the mended text. Of several secrets the first
/// called `JWT_SECRET` is the expected one.
pub fn examine(text: &str, secrets: &[Secret], now: i64) -> TokenReport {
    let decoded = jws::decode(text);
    let check = verify::check(&decoded, decoded.text(text), secrets);
    let iat = decoded.claim("iat").and_then(|claim| claim.date);
    let mut notes = check.notes;
    let moment = now as f64;
    let validity = decoded.dates.validity_at(moment, 0.0);
    date_notes(decoded.dates, iat, validity, moment, &mut notes);
    if check.signature == Signature::Valid && decoded.mended.is_some() {
        notes.push("the signature is valid once the token is mended".to_owned());
    }
    let Decoded {
        shape,
        header,
        claims,
        alg,
        typ,
        kid,
        problems,
        dates,
        mended: _,
        segments: _,
        parameters: _,
        payload: _,
        signed: _,
    } = decoded;
    TokenReport {
        present: !matches!(shape, Shape::Absent | Shape::Empty),
        shape,
        alg,
        typ,
        kid,
        header,
        claims,
        problems,
        signature: check.signature,
        verified_as: check.verified_as,
        alg_mismatch: check.alg_mismatch,
        kid_unknown: check.kid_unknown,
        validity,
        exp: dates.exp,
        nbf: dates.nbf,
        iat,
        length_bytes: text.len(),
        notes,
    }
}

/// What the dates of an examined token say at another moment: connect time, close time, the server's clock.
///
/// `moment` counts seconds since 1970-01-01Z; `leeway_secs` is allowed on both sides.
pub fn validity_at(report: &TokenReport, moment: f64, leeway_secs: f64) -> Validity {
    let dates = Dates { exp: report.exp, nbf: report.nbf, is_readable: report.validity != Validity::Unknown };
    dates.validity_at(moment, leeway_secs)
}

fn date_notes(dates: Dates, iat: Option<f64>, validity: Validity, now: f64, notes: &mut Vec<String>) {
    match (validity, dates.exp, dates.nbf) {
        (Validity::Expired, Some(exp), _) => {
            notes.push(format!("expired {} ago, at {}", claims::span(now - exp), claims::in_utc(exp)));
        }
        (Validity::NotYetValid, _, Some(nbf)) => {
            notes.push(format!("not valid for another {}, until {}", claims::span(nbf - now), claims::in_utc(nbf)));
        }
        (Validity::NoExpiry, _, _) => notes.push("never expires: there is no `exp`".to_owned()),
        (Validity::Valid | Validity::Expired | Validity::NotYetValid | Validity::Unknown, _, _) => {}
    }
    if let Some(iat) = iat.filter(|&iat| iat > now) {
        notes.push(format!(
            "issued {} in the future (`iat`); jsonwebtoken for Node accepts that, some libraries refuse it",
            claims::span(iat - now)
        ));
    }
    if let (Some(exp), Some(nbf)) = (dates.exp, dates.nbf)
        && exp <= nbf
    {
        notes.push("`exp` is not after `nbf`: the token is never valid".to_owned());
    }
}
