//! Makes test tokens: signed with HMAC, or unsecured and marked as a test.
//!
//! What the claims say is the caller's business; they are signed byte for byte as written, so that a duplicate claim or a
//! date in milliseconds can be made on purpose.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};

use super::members;

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The claims are not a JSON object.
    #[error("claims are not a JSON object: {reason}")]
    Claims {
        /// What the parser says.
        reason: String,
    },
    /// The algorithm is none of HS256, HS384, HS512 and `none`.
    #[error("cannot sign with {alg}: only HS256, HS384, HS512 and none are offered")]
    Algorithm {
        /// The algorithm asked for.
        alg: String,
    },
    /// Signing failed.
    #[error("signing with {alg} failed")]
    Sign {
        /// The algorithm.
        alg: String,
        /// What the library says.
        source: jsonwebtoken::errors::Error,
    },
}

/// Makes a token from the text of a JSON object; `alg` is `HS256`, `HS384`, `HS512` or `none`.
///
/// An unsecured token carries the header parameter `"test": true`; its secret is ignored.
pub fn mint(claims_json: &str, alg: &str, secret: &[u8]) -> Result<String, MintError> {
    let algorithm = match alg {
        "HS256" => Some(Algorithm::HS256),
        "HS384" => Some(Algorithm::HS384),
        "HS512" => Some(Algorithm::HS512),
        "none" => None,
        _ => {
            return Err(MintError::Algorithm { alg: alg.to_owned() });
        }
    };
    match members::read(claims_json).1 {
        None => {}
        Some(members::Fault::NotAnObject) => {
            return Err(MintError::Claims { reason: "it is JSON of another type".to_owned() });
        }
        Some(members::Fault::Syntax { at, message }) => {
            return Err(MintError::Claims { reason: format!("{message} at byte {at}") });
        }
    }
    let header = match algorithm {
        Some(_) => format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#),
        None => r#"{"alg":"none","typ":"JWT","test":true}"#.to_owned(),
    };
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims_json.trim()));
    let Some(algorithm) = algorithm else {
        return Ok(format!("{input}."));
    };
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &key, algorithm)
        .map_err(|source| MintError::Sign { alg: alg.to_owned(), source })?;
    Ok(format!("{input}.{signature}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Secret, Shape, Signature, examine};

    #[test]
    fn minted_tokens_verify_with_their_secret_alone() {
        for alg in ["HS256", "HS384", "HS512"] {
            let token = mint(r#" {"sub":"a","sub":"b","exp":2000} "#, alg, b"secret-1").unwrap();
            let report = examine(&token, &[Secret::new("s", "secret-1")], 1000);
            assert_eq!((report.shape, report.signature), (Shape::Jws, Signature::Valid), "{alg}");
            assert_eq!(report.claims.len(), 3);
            let report = examine(&token, &[Secret::new("s", "secret-2")], 1000);
            assert_eq!(report.signature, Signature::Invalid);
        }
    }

    #[test]
    fn an_unsecured_token_says_that_it_is_a_test() {
        let token = mint("{}", "none", b"").unwrap();
        let report = examine(&token, &[], 0);
        assert!(report.header.unwrap().contains("\"test\":true"));
        assert!(token.ends_with('.'));
    }

    #[test]
    fn what_cannot_be_minted_is_refused() {
        assert!(matches!(mint("[]", "HS256", b"k"), Err(MintError::Claims { .. })));
        assert!(matches!(mint("{\"a\":}", "HS256", b"k"), Err(MintError::Claims { .. })));
        assert!(matches!(mint("{}", "RS256", b"k"), Err(MintError::Algorithm { .. })));
        assert!(matches!(mint("{}", "None", b"k"), Err(MintError::Algorithm { .. })));
    }
}
