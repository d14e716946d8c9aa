//! Tokens as the guide's server reads and signs them: HS256 only, in the words of Node's `jsonwebtoken`.
//!
//! Deliberately small: no other algorithm, no diagnosis. Start at [`verify`] and [`mint`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Map, Value, json};

/// The claims that the guide's server reads.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claims {
    /// `userId`, or else `sub`.
    pub(super) user: String,
    /// `tenantId`.
    pub(super) tenant: String,
    /// `exp`, if there is one.
    pub(super) expires_at: Option<f64>,
    /// `aud`, if it is a text.
    pub(super) audience: Option<String>,
    /// `iss`, if it is a text.
    pub(super) issuer: Option<String>,
}

/// Verifies and validates `token` at `now_unix`; the error is the text of Node's `jsonwebtoken` 9.
pub(super) fn verify(token: &str, secret: &[u8], now_unix: i64) -> Result<Claims, String> {
    if token.is_empty() {
        return Err("jwt must be provided".into());
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return Err("jwt malformed".into());
    };
    let alphabet = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if header.is_empty() || payload.is_empty() || !parts.iter().all(|part| alphabet(part)) {
        return Err("invalid token".into());
    }
    let (Some(header_claims), Some(claims)) = (object(header), object(payload)) else {
        return Err("invalid token".into());
    };
    if signature.is_empty() {
        return Err("jwt signature is required".into());
    }
    if secret.is_empty() {
        return Err("secret or public key must be provided".into());
    }
    if header_claims.get("alg").and_then(Value::as_str) != Some("HS256") {
        return Err("invalid algorithm".into());
    }
    let signing_input = format!("{header}.{payload}");
    if sign(&signing_input, secret)? != *signature {
        return Err("invalid signature".into());
    }
    let now = now_unix as f64;
    match claims.get("nbf").map(Value::as_f64) {
        Some(None) => return Err("invalid nbf value".into()),
        Some(Some(not_before)) if not_before > now => return Err("jwt not active".into()),
        Some(Some(_)) | None => {}
    }
    let expires_at = match claims.get("exp").map(Value::as_f64) {
        Some(None) => return Err("invalid exp value".into()),
        Some(Some(expires)) if now >= expires => return Err("jwt expired".into()),
        Some(Some(expires)) => Some(expires),
        None => None,
    };
    let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Claims {
        user: text("userId").or_else(|| text("sub")).unwrap_or_else(|| "undefined".into()),
        tenant: text("tenantId").unwrap_or_else(|| "undefined".into()),
        expires_at,
        audience: text("aud"),
        issuer: text("iss"),
    })
}

/// Signs `claims` with HS256 and returns the compact serialization.
pub(super) fn mint(claims: &Value, secret: &[u8]) -> String {
    mint_as(&json!({"alg": "HS256", "typ": "JWT"}), claims, secret)
}

/// As [`mint`], under any JOSE header; the signature stays HMAC-SHA-256.
pub(super) fn mint_as(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let signing_input = unsigned(header, claims);
    let signature = sign(&signing_input, secret).unwrap_or_default();
    format!("{signing_input}.{signature}")
}

/// The signing input alone: `header.payload`, without a signature.
pub(super) fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn sign(signing_input: &str, secret: &[u8]) -> Result<String, String> {
    crypto::sign(signing_input.as_bytes(), &EncodingKey::from_secret(secret), Algorithm::HS256)
        .map_err(|error| error.to_string())
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn check(token: &str, said: &str) {
        assert_eq!(verify(token, b"secret", NOW), Err(said.to_owned()), "{token}");
    }

    #[test]
    fn good_token_gives_its_claims() {
        let token = mint(&json!({"userId": "u1", "tenantId": "t1", "exp": NOW + 1}), b"secret");
        let claims = verify(&token, b"secret", NOW).unwrap();
        assert_eq!((claims.user.as_str(), claims.tenant.as_str()), ("u1", "t1"));
        assert_eq!(claims.expires_at, Some((NOW + 1) as f64));
    }

    #[test]
    fn bad_tokens_are_refused_in_the_words_of_jsonwebtoken() {
        let good = mint(&json!({"exp": NOW + 60}), b"secret");
        check("", "jwt must be provided");
        check("undefined", "jwt malformed");
        check("a.b", "jwt malformed");
        check("a.b.c", "invalid token");
        check(&format!("Bearer {good}"), "invalid token");
        check(&format!("\"{good}\""), "invalid token");
        check(&format!("{good}\n"), "invalid token");
        check(&mint(&json!({"exp": NOW}), b"secret"), "jwt expired");
        check(&mint(&json!({"nbf": NOW + 1}), b"secret"), "jwt not active");
        check(&mint(&json!({"exp": "soon"}), b"secret"), "invalid exp value");
        check(&mint(&json!({"exp": NOW + 60}), b"other"), "invalid signature");
        check(&good[..good.len() - 4], "invalid signature");
        let none = json!({"alg": "none"});
        check(&format!("{}.", unsigned(&none, &json!({}))), "jwt signature is required");
        check(&mint_as(&json!({"alg": "RS256"}), &json!({}), b"secret"), "invalid algorithm");
        assert_eq!(verify(&good, b"", NOW), Err("secret or public key must be provided".to_owned()));
    }
}
