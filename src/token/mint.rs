//! Makes test tokens: signed with a shared secret or a private key, or unsecured and marked as a test.
//!
//! What the claims say is the caller's business; they are signed byte for byte as written, so that a duplicate claim or a
//! date in milliseconds can be made on purpose.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::alg;
use super::crypto::{self, Family};
use super::keys;
use super::members;
use super::secret::Secret;

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum MintError {
    /// The claims are not a JSON object.
    #[error("claims are not a JSON object: {reason}")]
    Claims {
        /// What the parser says.
        reason: String,
    },
    /// The algorithm is not one of those that can be signed with here.
    #[error("cannot sign with {alg}: there are {}, and none", SIGNING.join(", "))]
    Algorithm {
        /// The algorithm asked for.
        alg: String,
    },
    /// The key is not a private key of the algorithm's kind.
    #[error("cannot sign with {alg}: {found}")]
    Key {
        /// The algorithm.
        alg: String,
        /// What was found in the key's place.
        found: String,
    },
}

/// The algorithms that tokens can be signed with.
pub const SIGNING: [&str; 14] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
    "ES256K", "EdDSA",
];

/// Makes a token from the text of a JSON object; `alg` is one of [`SIGNING`] or `none`.
///
/// For HMAC the secret is taken byte for byte; else it is a private key in PEM or a JWK. An unsecured token carries the
/// header parameter `"test": true`; its secret is ignored.
pub fn mint(claims_json: &str, alg: &str, secret: &[u8]) -> Result<String, MintError> {
    mint_as(claims_json, alg, None, &Secret::new("the key", secret))
}

/// The same with a `kid` in the header.
pub fn mint_as(claims_json: &str, alg: &str, kid: Option<&str>, secret: &Secret) -> Result<String, MintError> {
    let is_none = alg == "none";
    if !is_none && !SIGNING.contains(&alg) {
        return Err(MintError::Algorithm { alg: alg.to_owned() });
    }
    match members::read(claims_json).1 {
        None => {}
        Some(members::Fault::NotAnObject) => {
            return Err(MintError::Claims { reason: "it is JSON of another type".to_owned() });
        }
        Some(members::Fault::Syntax { at, message }) => {
            return Err(MintError::Claims { reason: format!("{message} at byte {at}") });
        }
    }
    let kid = kid.map(|kid| format!(r#","kid":{}"#, serde_json::Value::from(kid))).unwrap_or_default();
    let test = if is_none { r#","test":true"# } else { "" };
    let header = format!(r#"{{"alg":"{alg}","typ":"JWT"{kid}{test}}}"#);
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims_json.trim()));
    let signature = if is_none { String::new() } else { signature(alg, secret, &input)? };
    Ok(format!("{input}.{signature}"))
}

/// The signature of `input` by `alg` with a shared secret or a private key.
pub(super) fn signature(alg: &str, secret: &Secret, input: &str) -> Result<String, MintError> {
    if Family::of(alg) == Some(Family::Hmac) {
        let signed = crypto::sign_with_secret(alg, secret.bytes(), input.as_bytes());
        return signed.ok_or_else(|| MintError::Algorithm { alg: alg.to_owned() });
    }
    let keys = keys::of(secret).map(|found| found.all).unwrap_or_default();
    let signed = keys.iter().find_map(|key| crypto::sign(alg, key, input.as_bytes()));
    signed.ok_or_else(|| {
        let kinds: Vec<String> = keys.iter().take(3).map(keys::Key::kind).collect();
        let found = match kinds.as_slice() {
            [] => format!("it takes a private key in PEM or a JWK, and {} is a text", secret.name),
            kinds => format!("it takes a private key of its own kind, and {} is {}", secret.name, kinds.join(", ")),
        };
        MintError::Key { alg: alg.to_owned(), found }
    })
}

/// Whether tokens of this algorithm are signed with a shared secret.
pub fn is_by_secret(alg: &str) -> bool {
    Family::of(alg) == Some(Family::Hmac)
}

/// Another algorithm that the same key can sign with, if there is one.
pub(super) fn sibling(alg: &str) -> Option<&'static str> {
    match alg {
        "HS256" => Some("HS512"),
        "HS384" | "HS512" => Some("HS256"),
        "RS256" => Some("RS512"),
        "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => Some("RS256"),
        _ => None,
    }
}

/// Whether `alg` is one that can be signed with, or `none`.
pub(super) fn can_sign(alg: &str) -> bool {
    SIGNING.contains(&alg) || alg::is_none(Some(alg))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Shape, Signature, examine};

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
        assert!(matches!(mint("{}", "RS256", b"k"), Err(MintError::Key { .. })));
        assert!(matches!(mint("{}", "None", b"k"), Err(MintError::Algorithm { .. })));
        let error = mint("{}", "RS256", crate::token::tests::RS256_PEM.as_bytes()).unwrap_err();
        assert!(error.to_string().ends_with("the key is a public RSA key"), "{error}");
    }
}
