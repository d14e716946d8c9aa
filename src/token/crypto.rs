//! The signatures of RFC 7518 §3, RFC 8037 and RFC 8812, made and checked with the keys of [`keys`](super::keys).
//!
//! The `jsonwebtoken` crate does HMAC and RSA; the curves are their own crates, because it knows neither P-521, secp256k1 nor Ed448.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed448_goldilocks_plus as ed448;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use p256::ecdsa::signature::{Signer as _, Verifier as _};

use super::keys::{Curve, Key, Private, Public};

/// The kinds of algorithms, each with its kind of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// HMAC with a shared secret.
    Hmac,
    /// RSA, either padding.
    Rsa,
    /// ECDSA on a curve.
    Ec(Curve),
    /// `EdDSA` over either curve, as the key says.
    Ed,
    /// `EdDSA` over Ed25519 alone.
    Ed25519,
    /// `EdDSA` over Ed448 alone.
    Ed448,
}

impl Family {
    /// The kind of an algorithm that can be checked here.
    pub(super) fn of(alg: &str) -> Option<Self> {
        match alg {
            "HS256" | "HS384" | "HS512" => Some(Self::Hmac),
            "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => Some(Self::Rsa),
            "ES256" => Some(Self::Ec(Curve::P256)),
            "ES384" => Some(Self::Ec(Curve::P384)),
            "ES512" => Some(Self::Ec(Curve::P521)),
            "ES256K" => Some(Self::Ec(Curve::Secp256k1)),
            "EdDSA" => Some(Self::Ed),
            "Ed25519" => Some(Self::Ed25519),
            "Ed448" => Some(Self::Ed448),
            _ => None,
        }
    }

    /// The same, more exactly where a signature's length in base64url tells over which curve `EdDSA` is.
    pub(super) fn of_signature(self, len: usize) -> Self {
        match (self, len) {
            (Self::Ed, 86) => Self::Ed25519,
            (Self::Ed, 152) => Self::Ed448,
            (family, _) => family,
        }
    }

    /// Whether a key is of this kind.
    pub(super) fn takes(self, key: &Key) -> bool {
        match &key.public {
            Public::Secret(_) => self == Self::Hmac,
            Public::Rsa(_) => self == Self::Rsa,
            Public::Ec(curve, _) => self == Self::Ec(*curve),
            Public::Ed25519(_) => matches!(self, Self::Ed | Self::Ed25519),
            Public::Ed448(_) => matches!(self, Self::Ed | Self::Ed448),
            Public::Other(_) => false,
        }
    }
}

/// Whether `signature`, in base64url, is that of `input` by `alg` with a shared secret.
pub(super) fn verifies_with_secret(alg: &str, secret: &[u8], input: &[u8], signature: &str) -> bool {
    by_crate(alg, &DecodingKey::from_secret(secret), input, signature)
}

/// Whether `signature`, in base64url, is that of `input` by `alg` with a key of its family.
pub(super) fn verifies(alg: &str, key: &Key, input: &[u8], signature: &str) -> bool {
    let raw = || URL_SAFE_NO_PAD.decode(signature).ok();
    match &key.public {
        Public::Secret(secret) => verifies_with_secret(alg, secret, input, signature),
        Public::Rsa(der) => by_crate(alg, &DecodingKey::from_rsa_der(der), input, signature),
        Public::Ec(Curve::P256 | Curve::P384, point) => {
            by_crate(alg, &DecodingKey::from_ec_der(point), input, signature)
        }
        Public::Ec(Curve::P521, point) => raw().is_some_and(|raw| is_p521(point, input, &raw)),
        Public::Ec(Curve::Secp256k1, point) => raw().is_some_and(|raw| is_secp256k1(point, input, &raw)),
        Public::Ed25519(bytes) => by_crate("EdDSA", &DecodingKey::from_ed_der(bytes), input, signature),
        Public::Ed448(bytes) => raw().is_some_and(|raw| is_ed448(bytes, input, &raw)),
        Public::Other(_) => false,
    }
}

fn by_crate(alg: &str, key: &DecodingKey, input: &[u8], signature: &str) -> bool {
    let Ok(algorithm) = alg.parse::<Algorithm>() else {
        return false;
    };
    jsonwebtoken::crypto::verify(signature, input, key, algorithm).unwrap_or(false)
}

fn is_p521(point: &[u8], input: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = p521::ecdsa::VerifyingKey::from_sec1_bytes(point) else {
        return false;
    };
    p521::ecdsa::Signature::from_slice(signature).is_ok_and(|signature| key.verify(input, &signature).is_ok())
}

fn is_secp256k1(point: &[u8], input: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = k256::ecdsa::VerifyingKey::from_sec1_bytes(point) else {
        return false;
    };
    let Ok(signature) = k256::ecdsa::Signature::from_slice(signature) else {
        return false;
    };
    // The crate wants the lower of two equal signatures, as Bitcoin does; RFC 8812 takes both.
    let lower = signature.normalize_s().unwrap_or(signature);
    key.verify(input, &lower).is_ok()
}

fn is_ed448(point: &[u8; 57], input: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = ed448::VerifyingKey::from_bytes(point) else {
        return false;
    };
    ed448::Signature::try_from(signature).is_ok_and(|signature| key.verify_raw(&signature, input).is_ok())
}

/// The signature of `input` by `alg` with a shared secret, in base64url.
pub(super) fn sign_with_secret(alg: &str, secret: &[u8], input: &[u8]) -> Option<String> {
    let algorithm = alg.parse::<Algorithm>().ok().filter(|_| Family::of(alg) == Some(Family::Hmac))?;
    jsonwebtoken::crypto::sign(input, &EncodingKey::from_secret(secret), algorithm).ok()
}

/// The signature of `input` by `alg` with a private key of its family, in base64url.
pub(super) fn sign(alg: &str, key: &Key, input: &[u8]) -> Option<String> {
    if !Family::of(alg)?.takes(key) {
        return None;
    }
    let raw = match key.private.as_ref()? {
        Private::Rsa(der) => {
            let algorithm = alg.parse::<Algorithm>().ok()?;
            return jsonwebtoken::crypto::sign(input, &EncodingKey::from_rsa_der(der), algorithm).ok();
        }
        Private::Ec(Curve::P256, scalar) => {
            let signature: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from_slice(scalar).ok()?.sign(input);
            signature.to_vec()
        }
        Private::Ec(Curve::P384, scalar) => {
            let signature: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from_slice(scalar).ok()?.sign(input);
            signature.to_vec()
        }
        Private::Ec(Curve::P521, scalar) => {
            let signature: p521::ecdsa::Signature = p521::ecdsa::SigningKey::from_slice(scalar).ok()?.sign(input);
            signature.to_vec()
        }
        Private::Ec(Curve::Secp256k1, scalar) => {
            let signature: k256::ecdsa::Signature = k256::ecdsa::SigningKey::from_slice(scalar).ok()?.sign(input);
            signature.to_vec()
        }
        Private::Ed25519(seed) => ed25519_dalek::SigningKey::from_bytes(seed).sign(input).to_vec(),
        Private::Ed448(seed) => ed448::SigningKey::try_from(seed.as_slice()).ok()?.sign_raw(input).to_bytes().to_vec(),
    };
    Some(URL_SAFE_NO_PAD.encode(raw))
}
