//! Public keys: PEM, JWK and JWK Set (RFC 7517), as the crate that verifies wants them.
//!
//! A key that cannot be read is no key: the caller says so, with the name of the file.

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{AlgorithmFamily, DecodingKey};

/// Whether the bytes are a PEM text or a JWK rather than a shared secret.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    is_pem(bytes) || !jwks(bytes).is_empty()
}

/// Whether the bytes are a PEM text with a private key.
pub(super) fn is_private_pem(bytes: &[u8]) -> bool {
    is_pem(bytes) && std::str::from_utf8(bytes).is_ok_and(|text| text.contains("PRIVATE KEY-----"))
}

/// The keys in `bytes` that belong to `family`.
pub(super) fn find(bytes: &[u8], family: AlgorithmFamily, kid: Option<&str>) -> Vec<DecodingKey> {
    let mut keys = from_jwk(bytes, kid);
    if is_pem(bytes) && bytes.len() <= PEM_LIMIT {
        let unfolded = unfold(bytes);
        let key = match family {
            AlgorithmFamily::Hmac => return Vec::new(),
            AlgorithmFamily::Rsa => DecodingKey::from_rsa_pem(&unfolded),
            AlgorithmFamily::Ec => DecodingKey::from_ec_pem(&unfolded),
            AlgorithmFamily::Ed => DecodingKey::from_ed_pem(&unfolded),
        };
        keys.extend(key.ok());
    }
    keys.retain(|key| key.family() == family && is_safe(key));
    keys
}

/// The keys of a JWK or JWK Set, only those called `kid` if there are any.
pub(super) fn from_jwk(bytes: &[u8], kid: Option<&str>) -> Vec<DecodingKey> {
    let all = jwks(bytes);
    let named: Vec<&Jwk> = all.iter().filter(|jwk| kid.is_some() && jwk.common.key_id.as_deref() == kid).collect();
    let chosen = if named.is_empty() { all.iter().collect() } else { named };
    chosen.into_iter().filter_map(|jwk| DecodingKey::from_jwk(jwk).ok()).filter(is_safe).collect()
}

fn jwks(bytes: &[u8]) -> Vec<Jwk> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Vec::new();
    }
    if let Ok(set) = serde_json::from_slice::<JwkSet>(bytes) {
        return set.keys;
    }
    serde_json::from_slice::<Jwk>(bytes).into_iter().collect()
}

fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).take(PEM_LIMIT).any(|window| window == BEGIN)
}

/// PEM in one line, as `.env` files have it, gets its line ends back.
fn unfold(bytes: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(bytes).replace("\\r", "").replace("\\n", "\n");
    let start = text.find("-----BEGIN").unwrap_or_default();
    text.get(start..).unwrap_or_default().trim_end_matches(['"', '\'']).as_bytes().to_vec()
}

/// An Ed25519 key has 32 bytes; the crate takes that for granted.
fn is_safe(key: &DecodingKey) -> bool {
    match key.family() {
        AlgorithmFamily::Ed => key.try_get_as_bytes().is_ok_and(|bytes| bytes.len() == 32),
        AlgorithmFamily::Hmac | AlgorithmFamily::Rsa | AlgorithmFamily::Ec => true,
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const PEM_LIMIT: usize = 64 << 10;
