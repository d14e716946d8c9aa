//! Checks a signature with the secrets at hand, and finds out which slip made it fail.
//!
//! The bytes are the secret's own; another reading that fits is named, and does not make the signature valid. Public keys
//! are in [`keys`](super::keys).

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};

use super::jws::Decoded;
use super::keys;
use super::readings;
use super::secret::Secret;

/// What a signature check came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signature {
    /// It verifies with the expected secret or key, byte for byte.
    Valid,
    /// It does not.
    Invalid,
    /// Nothing to check, or nothing to check it with.
    #[default]
    Unchecked,
}

/// The outcome of a check, with what is worth saying.
#[derive(Clone, Debug, Default)]
pub(super) struct Check {
    pub(super) signature: Signature,
    pub(super) verified_as: Option<String>,
    pub(super) alg_mismatch: bool,
    pub(super) notes: Vec<String>,
}

impl Check {
    fn new(signature: Signature, note: String) -> Self {
        Self { signature, notes: vec![note], ..Self::default() }
    }
}

/// Checks the signature of `decoded`, read from `text`, with `secrets`.
pub(super) fn check(decoded: &Decoded, text: &str, secrets: &[Secret]) -> Check {
    let Some(first) = secrets.first() else {
        return Check::default();
    };
    let Some(signed) = &decoded.signed else {
        return Check::default();
    };
    let Some(alg) = decoded.alg.as_deref() else {
        let note = "not checked: the header names no algorithm".to_owned();
        return Check::new(Signature::Unchecked, note);
    };
    if alg.eq_ignore_ascii_case("none") {
        let note = "a secret is expected, but `alg` is none: there is no signature to check".to_owned();
        return Check::new(Signature::Invalid, note);
    }
    let Ok(algorithm) = alg.parse::<Algorithm>() else {
        let note = format!("not checked: {} is not supported here", shown(alg));
        return Check::new(Signature::Unchecked, note);
    };
    let input = text.get(signed.input.clone()).unwrap_or_default().as_bytes();
    let signature = text.get(signed.signature.clone()).unwrap_or_default();
    if signature.is_empty() {
        let note = "a secret is expected, but the signature is empty".to_owned();
        return Check::new(Signature::Invalid, note);
    }
    let job = Job { alg, algorithm, kid: decoded.kid.as_deref(), input, signature };
    match algorithm.family() {
        AlgorithmFamily::Hmac => job.with_secrets(secrets),
        AlgorithmFamily::Rsa | AlgorithmFamily::Ec | AlgorithmFamily::Ed => job.with_keys(secrets, first),
    }
}

struct Job<'a> {
    alg: &'a str,
    algorithm: Algorithm,
    kid: Option<&'a str>,
    input: &'a [u8],
    signature: &'a str,
}

impl Job<'_> {
    fn verifies(&self, key: &DecodingKey) -> bool {
        jsonwebtoken::crypto::verify(self.signature, self.input, key, self.algorithm).unwrap_or(false)
    }

    fn verifies_with(&self, secret: &[u8]) -> bool {
        self.verifies(&DecodingKey::from_secret(secret))
    }

    /// HMAC: the expected secret decides; everything else only explains.
    fn with_secrets(&self, secrets: &[Secret]) -> Check {
        let expected = expected(secrets);
        let usable = |secret: &Secret| self.verifies_with(secret.bytes()) || self.verifies_by_jwk(secret);
        let decides: Vec<&Secret> = expected.map_or_else(|| secrets.iter().collect(), |one| vec![one]);
        if let Some(secret) = decides.iter().find(|secret| usable(secret)) {
            return Check { signature: Signature::Valid, verified_as: Some(secret.name.clone()), ..Check::default() };
        }
        let is_small = self.input.len() <= READINGS_LIMIT;
        for secret in &decides {
            if let Some(check) = self.by_reading(secret).filter(|_| is_small) {
                return check;
            }
        }
        for secret in secrets {
            if usable(secret) {
                let wanted = expected.map_or("the expected one", |one| one.name.as_str());
                let note = format!("verifies with {}, not with {wanted}", secret.name);
                return Check { verified_as: Some(secret.name.clone()), ..Check::new(Signature::Invalid, note) };
            }
            if let Some(check) = self.by_reading(secret).filter(|_| is_small) {
                return check;
            }
        }
        if let Some(fallback) = FALLBACKS.iter().find(|fallback| is_small && self.verifies_with(fallback.as_bytes())) {
            let name = format!("the common fallback secret `{fallback}`");
            let note = format!("verifies with {name}: whoever signs it does not see the secret");
            return Check { verified_as: Some(name), ..Check::new(Signature::Invalid, note) };
        }
        self.failed(&decides)
    }

    fn failed(&self, decides: &[&Secret]) -> Check {
        if let Some(len) = decides.iter().find_map(|secret| self.agrees_until_cut(secret)) {
            let note = format!(
                "the {len} characters of the signature that are there fit the secret: the secret is right, the token is cut"
            );
            return Check::new(Signature::Invalid, note);
        }
        if let Some(key) = decides.iter().find(|secret| keys::is_key(secret.bytes())) {
            let note = format!(
                "not checked: `alg` is {}, which takes a shared secret, but {} is a public or private key",
                self.alg, key.name
            );
            return Check { alg_mismatch: true, ..Check::new(Signature::Unchecked, note) };
        }
        let names: Vec<&str> = decides.iter().take(5).map(|secret| secret.name.as_str()).collect();
        let mut check = Check::new(
            Signature::Invalid,
            format!("does not verify with {}, nor with any usual misreading of it", names.join(", ")),
        );
        for secret in decides.iter().filter(|secret| secret.bytes().is_empty()) {
            check.notes.push(format!("{} is empty", secret.name));
        }
        check
    }

    fn by_reading(&self, secret: &Secret) -> Option<Check> {
        let reading = readings::of(secret).into_iter().find(|reading| self.verifies_with(&reading.bytes))?;
        let note = format!("verifies with {} {}", secret.name, reading.phrase);
        Some(Check {
            verified_as: Some(format!("{}, {}", secret.name, reading.phrase)),
            ..Check::new(Signature::Invalid, note)
        })
    }

    fn verifies_by_jwk(&self, secret: &Secret) -> bool {
        keys::from_jwk(secret.bytes(), self.kid)
            .iter()
            .any(|key| key.family() == AlgorithmFamily::Hmac && self.verifies(key))
    }

    /// How much of the signature is there, if it is the beginning of the right one.
    fn agrees_until_cut(&self, secret: &Secret) -> Option<usize> {
        let key = EncodingKey::from_secret(secret.bytes());
        let whole = jsonwebtoken::crypto::sign(self.input, &key, self.algorithm).ok()?;
        let len = self.signature.len();
        (len >= CUT_FROM && len < whole.len() && whole.starts_with(self.signature)).then_some(len)
    }

    /// RSA, ECDSA and `EdDSA`: any key that fits decides.
    fn with_keys(&self, secrets: &[Secret], first: &Secret) -> Check {
        let mut fits = Vec::new();
        let mut notes = Vec::new();
        for secret in secrets.iter().filter(|secret| keys::is_key(secret.bytes())) {
            if keys::is_private_pem(secret.bytes()) {
                notes.push(format!("{} is a private key; checking takes the public one", secret.name));
                continue;
            }
            let found = keys::find(secret.bytes(), self.algorithm.family(), self.kid);
            if found.iter().any(|key| self.verifies(key)) {
                return Check {
                    signature: Signature::Valid,
                    verified_as: Some(secret.name.clone()),
                    ..Check::default()
                };
            }
            if found.is_empty() {
                notes.push(format!("{} holds no key for {}", secret.name, self.alg));
            } else {
                fits.push(secret.name.as_str());
            }
        }
        if !fits.is_empty() {
            notes.insert(0, format!("does not verify with {}", fits.join(", ")));
            return Check { signature: Signature::Invalid, notes, ..Check::default() };
        }
        let has_key = !notes.is_empty();
        let has_private = secrets.iter().any(|secret| keys::is_private_pem(secret.bytes()));
        if !has_key {
            notes.push(format!(
                "not checked: `alg` is {}, which takes a public key, but {} is a shared secret; a server that has only \
                 this secret refuses the token",
                self.alg, first.name
            ));
        }
        Check { alg_mismatch: !has_private, notes, ..Check::default() }
    }
}

/// The secret that the server is expected to use: the first called `JWT_SECRET`, else the only one.
fn expected(secrets: &[Secret]) -> Option<&Secret> {
    secrets.iter().find(|secret| secret.name.ends_with("JWT_SECRET")).or(match secrets {
        [only] => Some(only),
        _ => None,
    })
}

/// At most forty characters of a name that a peer chose.
fn shown(alg: &str) -> String {
    alg.chars().take(40).collect()
}

/// Beyond this only the secret's own bytes are tried: each reading hashes the whole token.
const READINGS_LIMIT: usize = 1 << 20;
/// Six bits a character: eight of them agree by chance once in 2^48.
const CUT_FROM: usize = 8;

/// What servers fall back to when their secret is missing, as tutorials have it.
const FALLBACKS: [&str; 16] = [
    "secret",
    "your-secret-key",
    "your_secret_key",
    "your-secret",
    "your_jwt_secret",
    "your-jwt-secret",
    "jwt_secret",
    "jwt-secret",
    "secretkey",
    "secret_key",
    "secret-key",
    "changeme",
    "default-secret",
    "default_secret",
    "undefined",
    "",
];
