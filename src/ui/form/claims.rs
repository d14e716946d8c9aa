//! What the server expects of the token's claims, as it is typed; text in, [`Expectations`] out.

use serde::{Deserialize, Serialize};

use super::checks;
use crate::token::Expectations;

/// What is expected of the claims, as it is typed; an empty text expects nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimTexts {
    /// Whom the token must be meant for.
    pub audience: String,
    /// Who must have issued it.
    pub issuer: String,
    /// What is allowed on both sides of the dates, in seconds.
    pub leeway: String,
}

impl ClaimTexts {
    /// What is expected; a leeway that is no number counts as none.
    pub fn expectations(&self) -> Expectations {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Expectations {
            audience: text(&self.audience),
            issuer: text(&self.issuer),
            leeway_secs: self.leeway_secs().unwrap_or_default(),
        }
    }

    /// What is wrong with the leeway.
    pub fn problem(&self) -> Option<String> {
        self.leeway_secs().err()
    }

    fn leeway_secs(&self) -> Result<f64, String> {
        match self.leeway.trim() {
            "" | "0" => Ok(0.0),
            typed => checks::secs(typed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_expected() {
        let of = |leeway: &str, audience: &str| ClaimTexts {
            leeway: leeway.to_owned(),
            audience: audience.to_owned(),
            issuer: String::new(),
        };
        assert_eq!(of("", " ").expectations(), Expectations::default());
        assert!((of("30.5", " voice ").expectations().leeway_secs - 30.5).abs() < f64::EPSILON);
        assert_eq!(of("30", " voice ").expectations().audience.as_deref(), Some("voice"));
        for good in ["", " 0 ", "30"] {
            assert_eq!(of(good, "").problem(), None, "{good}");
        }
        for bad in ["-1", "x", "1e30", "NaN"] {
            assert_eq!(of(bad, "").expectations(), Expectations::default(), "{bad}");
            assert!(of(bad, "").problem().is_some(), "{bad}");
        }
    }
}
