//! The claims set: each claim with its raw text and what it means, and what the dates say at a moment.
//!
//! RFC 7519 §4.1 for the registered claims; the others are of login services and everyday practice.

use serde::{Deserialize, Serialize};

use super::members::{self, Member};

/// One claim, in the order of the token; a duplicate is a claim of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim's name.
    pub name: String,
    /// The raw JSON text of its value.
    pub raw: String,
    /// What it means, for registered and common claims.
    pub explanation: Option<String>,
    /// Seconds since 1970-01-01Z, where the claim is a NumericDate.
    pub date: Option<f64>,
}

impl Claim {
    /// The value's text if it is a string.
    pub fn as_string(&self) -> Option<String> {
        members::as_string(&self.raw)
    }
}

/// What the dates of a token say at a moment (RFC 7519 §4.1.4, §4.1.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// Between `nbf` and `exp`.
    Valid,
    /// At or after `exp`.
    Expired,
    /// Before `nbf`.
    NotYetValid,
    /// Valid, and for ever: there is no `exp`.
    NoExpiry,
    /// The dates cannot be read.
    #[default]
    Unknown,
}

/// The dates that decide, each as the last of its name says, as in `JSON.parse`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Dates {
    pub(super) exp: Option<f64>,
    pub(super) nbf: Option<f64>,
    pub(super) is_readable: bool,
}

impl Dates {
    /// What the dates say at `moment`, allowing `leeway_secs` on both sides.
    pub(super) fn validity_at(self, moment: f64, leeway_secs: f64) -> Validity {
        if !self.is_readable {
            return Validity::Unknown;
        }
        if self.nbf.is_some_and(|nbf| nbf > moment + leeway_secs) {
            return Validity::NotYetValid;
        }
        match self.exp {
            None => Validity::NoExpiry,
            Some(exp) if moment >= exp + leeway_secs => Validity::Expired,
            Some(_) => Validity::Valid,
        }
    }
}

/// The claim that a member of the claims set is.
pub(super) fn claim(member: Member) -> Claim {
    let date = is_date(&member.name).then(|| members::as_number(&member.raw)).flatten();
    let meaning = CLAIMS.iter().find(|(name, _)| *name == member.name).map(|&(_, meaning)| meaning);
    let written = date.map(in_utc);
    let explanation = match (meaning, written) {
        (Some(meaning), Some(written)) => Some(format!("{meaning}: {written}")),
        (Some(meaning), None) => Some(meaning.to_owned()),
        (None, Some(written)) => Some(written),
        (None, None) => None,
    };
    Claim { name: member.name, raw: member.raw, explanation, date }
}

/// The parameter that a member of the JOSE header is.
pub(super) fn parameter(member: Member) -> Claim {
    let explanation = PARAMETERS.iter().find(|(name, _)| *name == member.name).map(|&(_, meaning)| meaning.to_owned());
    Claim { name: member.name, raw: member.raw, explanation, date: None }
}

/// Whether a claim of this name is a NumericDate.
pub(super) fn is_date(name: &str) -> bool {
    matches!(name, "exp" | "nbf" | "iat" | "auth_time" | "updated_at")
}

/// A NumericDate in UTC, or the bare number where a calendar has no such day.
pub(super) fn in_utc(date: f64) -> String {
    jiff::Timestamp::from_second(date.floor() as i64)
        .map_or_else(|_| format!("{date:e}, beyond the calendar"), |moment| moment.to_string())
}

/// A span of time in words, to its two largest units.
pub(super) fn span(secs: f64) -> String {
    let whole = secs.abs().round();
    if whole > BEYOND_SECS {
        return "thousands of years".to_owned();
    }
    if whole < 1.0 {
        return format!("{} ms", (secs.abs() * 1000.0).round());
    }
    let units = [("d", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0)];
    let mut words = Vec::new();
    let mut rest = whole;
    for (unit, len) in units {
        let count = (rest / len).floor();
        if count > 0.0 {
            words.push(format!("{count} {unit}"));
            rest -= count * len;
        }
        if words.len() == 2 || (words.len() == 1 && count == 0.0) {
            break;
        }
    }
    words.join(" ")
}

/// Two thousand years.
const BEYOND_SECS: f64 = 63_113_904_000.0;

const CLAIMS: [(&str, &str); 42] = [
    ("iss", "who issued the token (RFC 7519 §4.1.1)"),
    ("sub", "whom the token is about (RFC 7519 §4.1.2)"),
    ("aud", "whom the token is meant for (RFC 7519 §4.1.3)"),
    ("exp", "not accepted from here on (RFC 7519 §4.1.4)"),
    ("nbf", "not accepted before (RFC 7519 §4.1.5)"),
    ("iat", "issued (RFC 7519 §4.1.6)"),
    ("jti", "the token's own id (RFC 7519 §4.1.7)"),
    ("scope", "what it allows, separated by spaces (RFC 8693 §4.2)"),
    ("scp", "what it allows (Microsoft, Okta)"),
    ("roles", "the subject's roles"),
    ("role", "the subject's role"),
    ("groups", "the subject's groups"),
    ("permissions", "what the subject may do"),
    ("azp", "the client that asked for the token (OpenID Connect)"),
    ("appid", "the client that asked for the token (Microsoft)"),
    ("client_id", "the client that asked for the token (RFC 8693 §4.3)"),
    ("tid", "the tenant (Microsoft)"),
    ("oid", "the subject's object id (Microsoft)"),
    ("tenant", "the tenant"),
    ("tenantId", "the tenant"),
    ("tenant_id", "the tenant"),
    ("org_id", "the organization"),
    ("user", "the user"),
    ("userId", "the user's id"),
    ("user_id", "the user's id"),
    ("id", "an id, often the user's"),
    ("uid", "the user's id"),
    ("username", "the user's name"),
    ("preferred_username", "the name the user goes by (OpenID Connect)"),
    ("agentId", "the agent that the token is for"),
    ("agent_id", "the agent that the token is for"),
    ("name", "the full name (OpenID Connect)"),
    ("given_name", "the first name (OpenID Connect)"),
    ("family_name", "the last name (OpenID Connect)"),
    ("email", "the e-mail address (OpenID Connect)"),
    ("email_verified", "whether the e-mail address was checked (OpenID Connect)"),
    ("picture", "the address of a picture (OpenID Connect)"),
    ("nonce", "ties the token to one login (OpenID Connect)"),
    ("auth_time", "logged in (OpenID Connect)"),
    ("updated_at", "profile changed (OpenID Connect)"),
    ("sid", "the login session's id (OpenID Connect)"),
    ("cnf", "the key that the sender must prove to have (RFC 7800)"),
];

const PARAMETERS: [(&str, &str); 14] = [
    ("alg", "how it is signed or encrypted (RFC 7515 §4.1.1)"),
    ("jku", "where the issuer's keys are said to be (RFC 7515 §4.1.2)"),
    ("jwk", "the key itself, which proves nothing (RFC 7515 §4.1.3)"),
    ("kid", "which key was used (RFC 7515 §4.1.4)"),
    ("x5u", "where the certificate is said to be (RFC 7515 §4.1.5)"),
    ("x5c", "the certificate chain (RFC 7515 §4.1.6)"),
    ("x5t", "the certificate's SHA-1 thumbprint (RFC 7515 §4.1.7)"),
    ("x5t#S256", "the certificate's SHA-256 thumbprint (RFC 7515 §4.1.8)"),
    ("typ", "what the whole is (RFC 7515 §4.1.9)"),
    ("cty", "what the payload is (RFC 7515 §4.1.10)"),
    ("crit", "parameters that must be understood (RFC 7515 §4.1.11)"),
    ("enc", "how the content is encrypted (RFC 7516 §4.1.2)"),
    ("zip", "how the content is compressed (RFC 7516 §4.1.3)"),
    ("b64", "whether the payload is base64url (RFC 7797 §3)"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_judged_as_the_rfc_says() {
        let dates = |exp, nbf| Dates { exp, nbf, is_readable: true };
        let cases = [
            (dates(Some(100.0), None), 99.9, 0.0, Validity::Valid),
            (dates(Some(100.0), None), 100.0, 0.0, Validity::Expired),
            (dates(Some(100.0), None), 104.0, 5.0, Validity::Valid),
            (dates(Some(100.0), Some(50.0)), 49.0, 0.0, Validity::NotYetValid),
            (dates(Some(100.0), Some(50.0)), 50.0, 0.0, Validity::Valid),
            (dates(Some(100.0), Some(50.0)), 49.0, 1.0, Validity::Valid),
            (dates(None, None), 0.0, 0.0, Validity::NoExpiry),
            (dates(None, Some(1.0)), 0.0, 0.0, Validity::NotYetValid),
            (Dates::default(), 0.0, 0.0, Validity::Unknown),
        ];
        for (dates, moment, leeway, expected) in cases {
            assert_eq!(dates.validity_at(moment, leeway), expected, "{dates:?} at {moment}");
        }
    }

    #[test]
    fn spans_and_dates_read_well() {
        assert_eq!(span(0.25), "250 ms");
        assert_eq!(span(-61.0), "1 min 1 s");
        assert_eq!(span(7200.0), "2 h");
        assert_eq!(span(1e300), "thousands of years");
        assert_eq!(span(90_061.0), "1 d 1 h");
        assert_eq!(in_utc(1_300_819_380.0), "2011-03-22T18:43:00Z");
        assert!(in_utc(1e300).contains("beyond"));
    }
}
