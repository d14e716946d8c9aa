//! Checks a signature with the secrets at hand, and finds out which slip made it fail.
//!
//! The bytes are the secret's own; another reading that fits is named, and does not make the signature valid. Public keys
//! are in [`keys`](super::keys), the arithmetic in [`crypto`](super::crypto).

use serde::{Deserialize, Serialize};

use super::crypto::{self, Family};
use super::jws::Decoded;
use super::keys::{self, Key, Keys};
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
    pub(super) kid_unknown: bool,
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
    let Some(family) = Family::of(alg) else {
        let note = format!("not checked: {} is not supported here", shown(alg));
        return Check::new(Signature::Unchecked, note);
    };
    let input = text.get(signed.input.clone()).unwrap_or_default().as_bytes();
    let signature = text.get(signed.signature.clone()).unwrap_or_default();
    if signature.is_empty() {
        let note = "a secret is expected, but the signature is empty".to_owned();
        return Check::new(Signature::Invalid, note);
    }
    let family = family.of_signature(signature.len());
    let job = Job { alg, family, kid: decoded.kid.as_deref(), input, signature };
    match family {
        Family::Hmac => job.with_secrets(secrets),
        Family::Rsa | Family::Ec(_) | Family::Ed | Family::Ed25519 | Family::Ed448 => job.with_keys(secrets, first),
    }
}

struct Job<'a> {
    alg: &'a str,
    family: Family,
    kid: Option<&'a str>,
    input: &'a [u8],
    signature: &'a str,
}

impl Job<'_> {
    fn verifies(&self, key: &Key) -> bool {
        crypto::verifies(self.alg, key, self.input, self.signature)
    }

    fn verifies_with(&self, secret: &[u8]) -> bool {
        crypto::verifies_with_secret(self.alg, secret, self.input, self.signature)
    }

    /// HMAC: the expected secret decides; everything else only explains.
    fn with_secrets(&self, secrets: &[Secret]) -> Check {
        let expected = expected(secrets);
        let usable = |secret: &Secret| self.verifies_with(secret.bytes()) || self.verifies_by_jwk(secret);
        let decides: Vec<&Secret> = expected.map_or_else(|| secrets.iter().collect(), |one| vec![one]);
        if let Some(check) = secrets.iter().find_map(|secret| self.confused(secret)) {
            return check;
        }
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
        let foreign = decides.iter().find_map(|secret| Some((*secret, self.foreign_key(secret)?)));
        if let Some((secret, key)) = foreign {
            let note = format!(
                "not checked: `alg` is {}, which takes a shared secret, but {} is {}",
                self.alg,
                secret.name,
                key.kind()
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
        keys::of(secret).is_some_and(|found| found.all.iter().any(|key| self.family.takes(key) && self.verifies(key)))
    }

    /// Algorithm confusion: the text of a public key, which everybody may know, was used as a shared secret.
    fn confused(&self, secret: &Secret) -> Option<Check> {
        let is_public = keys::of(secret)?.all.iter().any(|key| !self.family.takes(key) && key.private.is_none());
        let raw = secret.bytes();
        let trimmed = raw.trim_ascii();
        let with_line_end = [trimmed, b"\n"].concat();
        let verifies = [raw, trimmed, &with_line_end].into_iter().any(|bytes| self.verifies_with(bytes));
        (is_public && verifies).then(|| Check {
            verified_as: Some(format!("the text of {} as a shared secret", secret.name)),
            alg_mismatch: true,
            ..Check::new(
                Signature::Invalid,
                format!(
                    "algorithm confusion: signed by {} with the text of the public key {} as the secret; anybody who knows \
                     the public key can make such a token, and a server that accepts it is open to everybody",
                    self.alg, secret.name
                ),
            )
        })
    }

    /// How much of the signature is there, if it is the beginning of the right one.
    fn agrees_until_cut(&self, secret: &Secret) -> Option<usize> {
        let whole = crypto::sign_with_secret(self.alg, secret.bytes(), self.input)?;
        let len = self.signature.len();
        (len >= CUT_FROM && len < whole.len() && whole.starts_with(self.signature)).then_some(len)
    }

    /// The first key in a secret, if none there is of the token's family.
    fn foreign_key(&self, secret: &Secret) -> Option<Key> {
        let found = keys::of(secret)?;
        let is_foreign = !found.all.iter().any(|key| self.family.takes(key));
        found.all.into_iter().next().filter(|_| is_foreign)
    }

    /// RSA, ECDSA and `EdDSA`: any key that fits decides.
    fn with_keys(&self, secrets: &[Secret], first: &Secret) -> Check {
        let mut tried = Vec::new();
        let mut notes = Vec::new();
        for secret in secrets {
            let Some(found) = keys::of(secret) else {
                continue;
            };
            let mut fitting: Vec<&Key> = found.all.iter().filter(|key| self.family.takes(key)).collect();
            // The one that the token names comes first: a set may hold a key twice.
            fitting.sort_by_key(|key| !self.is_meant(key));
            if fitting.is_empty() {
                let kinds: Vec<String> = found.all.iter().take(3).map(Key::kind).collect();
                notes.push(format!("{} holds no key for {}, but {}", secret.name, self.alg, kinds.join(", ")));
                continue;
            }
            match fitting.into_iter().find(|key| self.verifies(key)) {
                Some(key) => return self.verified(secret, &found, key),
                None => tried.push((secret.name.as_str(), found)),
            }
        }
        if !tried.is_empty() {
            let names: Vec<&str> = tried.iter().map(|(name, _)| *name).collect();
            notes.insert(0, format!("does not verify with {}", names.join(", ")));
            let kid_unknown = tried.iter().all(|(_, found)| self.is_unknown(found));
            if let Some((_, found)) = tried.first().filter(|_| kid_unknown) {
                notes.push(self.unknown_note(found));
            }
            return Check { signature: Signature::Invalid, notes, kid_unknown, ..Check::default() };
        }
        if notes.is_empty() {
            notes.push(format!(
                "not checked: `alg` is {}, which takes a public key, but {} is a shared secret; a server that has only \
                 this secret refuses the token",
                self.alg, first.name
            ));
        }
        Check { alg_mismatch: true, notes, ..Check::default() }
    }

    /// What it means that `key`, found in `secret`, verifies.
    fn verified(&self, secret: &Secret, found: &Keys, key: &Key) -> Check {
        let name = match &key.kid {
            Some(kid) if found.all.len() > 1 => format!("the key `{}` of {}", shown(kid), secret.name),
            Some(_) | None => secret.name.clone(),
        };
        if let Some(phrase) = &found.misread {
            let note = format!(
                "verifies with {name} {phrase}; as it stands no library reads it as a key, and a server takes it for a \
                 shared secret"
            );
            let check = Check::new(Signature::Invalid, note);
            return Check { verified_as: Some(format!("{name}, {phrase}")), alg_mismatch: true, ..check };
        }
        let mut check = Check { signature: Signature::Valid, verified_as: Some(name.clone()), ..Check::default() };
        if !self.is_meant(key) && found.all.iter().any(|other| self.is_meant(other)) {
            check.signature = Signature::Invalid;
            let kid = shown(self.kid.unwrap_or_default());
            check.notes.push(format!("verifies with {name}, but its `kid` names another key, `{kid}`"));
        } else if self.is_unknown(found) {
            check.kid_unknown = true;
            check.notes.push(self.unknown_note(found));
        } else if self.kid.is_none() && found.all.len() > 1 {
            let count = found.all.len();
            check
                .notes
                .push(format!("the token has no `kid`: found by trying all {count} keys; some servers refuse that"));
        }
        if key.private.is_some() {
            let note = format!(
                "{} is a private key, whose public half was taken: who only verifies should not have it",
                secret.name
            );
            check.notes.push(note);
        }
        check
    }

    /// Whether the token names this key.
    fn is_meant(&self, key: &Key) -> bool {
        self.kid.is_some() && key.kid.as_deref() == self.kid
    }

    /// Whether the token names a key, and the named keys of a set do not hold it.
    fn is_unknown(&self, found: &Keys) -> bool {
        found.is_jwk
            && self.kid.is_some_and(|kid| found.all.iter().all(|key| key.kid.as_deref().is_some_and(|own| own != kid)))
    }

    fn unknown_note(&self, found: &Keys) -> String {
        let names: Vec<String> = found.all.iter().filter_map(|key| key.kid.as_deref()).take(5).map(shown).collect();
        format!(
            "no key is called `{}`, there is {}; a server that looks its key up by `kid` finds none",
            shown(self.kid.unwrap_or_default()),
            names.join(", ")
        )
    }
}

/// The secret that the server is expected to use: a decisive one, the first called `JWT_SECRET`, else the only one.
fn expected(secrets: &[Secret]) -> Option<&Secret> {
    let decisive = secrets.iter().find(|secret| secret.is_decisive());
    decisive.or_else(|| secrets.iter().find(|secret| secret.name.ends_with("JWT_SECRET"))).or(match secrets {
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
