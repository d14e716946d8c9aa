//! Validates the claims of a token against what a server expects: dates with a leeway, audience, issuer.
//!
//! RFC 7519 §4.1, §7.2. The moment is the caller's: now, when it connected, when it closed, by whichever clock.

use serde::{Deserialize, Serialize};

use super::claims;
use super::report::{TokenReport, validity_at};
use super::{ProblemKind, Shape, Validity};

/// What a server expects of the claims; nothing of what is not set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Expectations {
    /// Whom the token must be meant for.
    pub audience: Option<String>,
    /// Who must have issued it.
    pub issuer: Option<String>,
    /// What is allowed on both sides of the dates, in seconds.
    pub leeway_secs: f64,
}

/// A reason for which a server refuses the claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// The id in the catalogue of causes.
    pub cause: &'static str,
    /// One sentence for people, in lower case and without a full stop.
    pub message: String,
}

/// Everything that speaks against the claims at `moment`, in seconds since 1970-01-01Z.
pub fn validate(report: &TokenReport, moment: f64, expected: &Expectations) -> Vec<Objection> {
    dates(report, moment, expected.leeway_secs).into_iter().chain(unexpected(report, expected)).collect()
}

/// What speaks against the claims whatever the time is: audience and issuer. None of a token whose claims cannot be read.
pub fn unexpected(report: &TokenReport, expected: &Expectations) -> Vec<Objection> {
    let mut objections = Vec::new();
    if report.claims.is_empty() && report.shape != Shape::Jws {
        return objections;
    }
    if let Some(wanted) = &expected.audience {
        let found = report.audiences();
        if !found.contains(wanted) {
            let there = match found.as_slice() {
                [] => "there is none".to_owned(),
                names => format!("it is {}", quoted(names)),
            };
            let message = format!("`aud` must hold `{wanted}`, but {there}");
            objections.push(Objection { cause: "jwt-audience", message });
        }
    }
    if let Some(wanted) = &expected.issuer {
        let claim = report.claim("iss");
        let found = claim.and_then(claims::Claim::as_string);
        if found.as_ref() != Some(wanted) {
            let there = match (claim, found) {
                (None, _) => "there is none".to_owned(),
                (Some(_), Some(found)) => format!("it is {}", quoted(&[found])),
                (Some(_), None) => "it is not a text".to_owned(),
            };
            let message = format!("`iss` must be `{wanted}`, but {there}");
            objections.push(Objection { cause: "jwt-issuer", message });
        }
    }
    objections
}

fn dates(report: &TokenReport, moment: f64, leeway_secs: f64) -> Option<Objection> {
    let objection = |cause, message| Some(Objection { cause, message });
    let with =
        if leeway_secs > 0.0 { format!(", with {} of leeway", claims::span(leeway_secs)) } else { String::new() };
    match validity_at(report, moment, leeway_secs) {
        Validity::Expired => {
            let ago = report.exp.map(|exp| format!(" {} before", claims::span(moment - exp))).unwrap_or_default();
            objection("jwt-expired", format!("expired{ago}{with}"))
        }
        Validity::NotYetValid => {
            let ahead =
                report.nbf.map(|nbf| format!(" for another {}", claims::span(nbf - moment))).unwrap_or_default();
            objection("jwt-not-active", format!("not valid{ahead}{with}"))
        }
        Validity::Unknown if report.problem(ProblemKind::NonNumericDate).is_some() => {
            objection("jwt-malformed", "a date is not a number".to_owned())
        }
        Validity::Unknown | Validity::Valid | Validity::NoExpiry => None,
    }
}

fn quoted(names: &[String]) -> String {
    let short = |name: &String| format!("`{}`", name.chars().take(60).collect::<String>());
    names.iter().take(5).map(short).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{examine, mint};

    fn causes(claims: &str, moment: f64, expected: &Expectations) -> Vec<&'static str> {
        let report = examine(&mint(claims, "HS256", b"s").unwrap(), &[], 0);
        validate(&report, moment, expected).into_iter().map(|objection| objection.cause).collect()
    }

    #[test]
    fn dates_are_validated_with_their_leeway() {
        let plain = Expectations::default();
        let lenient = Expectations { leeway_secs: 30.0, ..Expectations::default() };
        let claims = r#"{"nbf":100,"exp":200}"#;
        for (moment, expected, causes_of) in [
            (99.0, &plain, &["jwt-not-active"][..]),
            (99.0, &lenient, &[]),
            (150.0, &plain, &[]),
            (200.0, &plain, &["jwt-expired"]),
            (229.0, &lenient, &[]),
            (230.0, &lenient, &["jwt-expired"]),
        ] {
            assert_eq!(causes(claims, moment, expected), causes_of, "{moment} {expected:?}");
        }
        assert_eq!(causes(r#"{"exp":"soon"}"#, 0.0, &plain), ["jwt-malformed"]);
    }

    #[test]
    fn audience_and_issuer_are_compared_whole() {
        let expected = Expectations {
            audience: Some("voice".to_owned()),
            issuer: Some("https://id".to_owned()),
            ..Expectations::default()
        };
        for (claims, found) in [
            (r#"{"aud":"voice","iss":"https://id"}"#, &[][..]),
            (r#"{"aud":["a","voice"],"iss":"https://id"}"#, &[]),
            (r#"{"aud":"voice2","iss":"https://id/"}"#, &["jwt-audience", "jwt-issuer"]),
            (r#"{"aud":["a"],"iss":1}"#, &["jwt-audience", "jwt-issuer"]),
            ("{}", &["jwt-audience", "jwt-issuer"]),
        ] {
            assert_eq!(causes(claims, 0.0, &expected), found, "{claims}");
        }
        let report = examine(&mint(r#"{"aud":"other"}"#, "HS256", b"s").unwrap(), &[], 0);
        assert_eq!(validate(&report, 0.0, &expected)[0].message, "`aud` must hold `voice`, but it is `other`");
        for unread in ["", "undefined", "a.b.c", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXY.Y2lwaGVydGV4dA.dGFn"] {
            assert_eq!(unexpected(&examine(unread, &[], 0), &expected), [], "{unread}");
        }
    }
}
