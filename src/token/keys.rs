//! Keys in every form that people have: PEM, certificates, JWK and JWK Sets (RFC 7517, 8037).
//!
//! A private key stands for its public half as well, as it does in OpenSSL. What cannot be read is no key: the caller says
//! so, with the name of the file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed448_goldilocks_plus as ed448;
use p256::elliptic_curve::sec1::ToEncodedPoint as _;
use p256::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _, LineEnding, PrivateKeyInfo};
use rsa::pkcs1::{
    DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _, EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _,
};
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey};
use serde_json::{Map, Value};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

use super::pem::{self, Block};
use super::secret::Secret;

/// A key, and its name in a JWK Set.
#[derive(Clone)]
pub(super) struct Key {
    /// `kid` of a JWK.
    pub(super) kid: Option<String>,
    /// What verifies.
    pub(super) public: Public,
    /// What signs, if it is a private key.
    pub(super) private: Option<Private>,
}

/// What verifies a signature.
#[derive(Clone)]
pub(super) enum Public {
    /// A shared secret, from a JWK of the type `oct`.
    Secret(Vec<u8>),
    /// RSA: the `RSAPublicKey` of PKCS #1 in DER.
    Rsa(Vec<u8>),
    /// ECDSA: a point, uncompressed as in SEC 1.
    Ec(Curve, Vec<u8>),
    /// `EdDSA` over Ed25519.
    Ed25519([u8; 32]),
    /// `EdDSA` over Ed448.
    Ed448([u8; 57]),
    /// A key of another kind, by its name.
    Other(String),
}

/// What signs.
#[derive(Clone)]
pub(super) enum Private {
    /// RSA: the `RSAPrivateKey` of PKCS #1 in DER.
    Rsa(Vec<u8>),
    /// The scalar of an elliptic curve.
    Ec(Curve, Vec<u8>),
    /// The seed of Ed25519.
    Ed25519([u8; 32]),
    /// The seed of Ed448.
    Ed448([u8; 57]),
}

/// The curves of RFC 7518 §3.4 and RFC 8812.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

/// What a secret is when it is taken for a key.
pub(super) struct Keys {
    /// The keys.
    pub(super) all: Vec<Key>,
    /// What had to be forgiven to read them; a server does not forgive it.
    pub(super) misread: Option<String>,
    /// Whether they are of a JWK Set or a JWK.
    pub(super) is_jwk: bool,
}

impl Key {
    fn public(public: Public) -> Self {
        Self { kid: None, public, private: None }
    }

    /// What kind of key it is, in words.
    pub(super) fn kind(&self) -> String {
        let of = match &self.public {
            Public::Secret(_) => return "a shared secret".to_owned(),
            Public::Rsa(_) => "RSA",
            Public::Ec(Curve::P256, _) => "P-256",
            Public::Ec(Curve::P384, _) => "P-384",
            Public::Ec(Curve::P521, _) => "P-521",
            Public::Ec(Curve::Secp256k1, _) => "secp256k1",
            Public::Ed25519(_) => "Ed25519",
            Public::Ed448(_) => "Ed448",
            Public::Other(name) => name,
        };
        format!("{} {of} key", if self.private.is_some() { "a private" } else { "a public" })
    }
}

/// The keys in a secret: as a server reads them, else as somebody meant them.
pub(super) fn of(secret: &Secret) -> Option<Keys> {
    let found = |keys: Vec<Key>, misread: Option<&str>, is_jwk| {
        (!keys.is_empty()).then(|| Keys { all: keys, misread: misread.map(str::to_owned), is_jwk })
    };
    let bytes = secret.bytes();
    if bytes.len() > JWK_LIMIT {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    found(from_jwk(text), None, true)
        .or_else(|| found(from_blocks(pem::strict(text)), None, false))
        .or_else(|| {
            let (phrase, blocks) = pem::forgiving(text)?;
            found(from_blocks(blocks), Some(phrase), false)
        })
        .or_else(|| {
            let der = pem::bare(text)?;
            let inner = std::str::from_utf8(&der).ok().map(|text| from_blocks(pem::strict(text)));
            inner.and_then(|keys| found(keys, Some("decoded from base64"), false)).or_else(|| {
                let keys = from_bare(&der);
                found(keys, Some("once its BEGIN and END lines are put around it"), false)
            })
        })
        .or_else(|| {
            let inner = super::readings::from_any_base64(text.trim().as_bytes())?;
            let inner = String::from_utf8(inner).ok()?;
            found(from_blocks(pem::strict(&inner)), Some("decoded from base64"), false)
        })
        .or_else(|| {
            secret.others().iter().find_map(|(phrase, bytes)| {
                let text = std::str::from_utf8(bytes).ok()?;
                found(from_blocks(pem::strict(text)), Some(phrase), false)
            })
        })
}

/// The public half of a key as PEM, as OpenSSL writes it.
pub(super) fn to_pem(key: &Key) -> Option<String> {
    let ending = LineEnding::LF;
    match &key.public {
        Public::Rsa(der) => RsaPublicKey::from_pkcs1_der(der).ok()?.to_public_key_pem(ending).ok(),
        Public::Ec(Curve::P256, point) => p256::PublicKey::from_sec1_bytes(point).ok()?.to_public_key_pem(ending).ok(),
        Public::Ec(Curve::P384, point) => p384::PublicKey::from_sec1_bytes(point).ok()?.to_public_key_pem(ending).ok(),
        Public::Ec(Curve::P521, point) => p521::PublicKey::from_sec1_bytes(point).ok()?.to_public_key_pem(ending).ok(),
        Public::Ec(Curve::Secp256k1, point) => {
            k256::PublicKey::from_sec1_bytes(point).ok()?.to_public_key_pem(ending).ok()
        }
        Public::Ed25519(bytes) => ed25519_dalek::VerifyingKey::from_bytes(bytes).ok()?.to_public_key_pem(ending).ok(),
        Public::Ed448(bytes) => ed448::PublicKeyBytes(*bytes).to_public_key_pem(ending).ok(),
        Public::Secret(_) | Public::Other(_) => None,
    }
}

fn from_blocks(blocks: Vec<Block>) -> Vec<Key> {
    blocks.into_iter().take(MANY).filter_map(|block| from_block(&block)).collect()
}

fn from_block(block: &Block) -> Option<Key> {
    let der = &block.der;
    match block.label.as_str() {
        "PUBLIC KEY" => from_spki(&SubjectPublicKeyInfo::from_der(der).ok()?.1),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            from_spki(X509Certificate::from_der(der).ok()?.1.public_key())
        }
        "RSA PUBLIC KEY" => Some(Key::public(Public::Rsa(der.clone()))),
        "PRIVATE KEY" => from_pkcs8(der),
        "RSA PRIVATE KEY" => from_rsa(&RsaPrivateKey::from_pkcs1_der(der).ok()?),
        "EC PRIVATE KEY" => from_sec1(der),
        _ => None,
    }
}

fn from_bare(der: &[u8]) -> Vec<Key> {
    let spki = || from_spki(&SubjectPublicKeyInfo::from_der(der).ok()?.1);
    let certificate = || from_spki(X509Certificate::from_der(der).ok()?.1.public_key());
    spki().or_else(certificate).or_else(|| from_pkcs8(der)).into_iter().collect()
}

fn from_spki(info: &SubjectPublicKeyInfo<'_>) -> Option<Key> {
    let bits = info.subject_public_key.data.to_vec();
    let public = match info.algorithm.algorithm.to_id_string().as_str() {
        RSA_OID | PSS_OID => Public::Rsa(bits),
        EC_OID => {
            let parameters = info.algorithm.parameters.as_ref()?;
            match curve_of(&parameters.as_oid().ok()?.to_id_string()) {
                Some(curve) => Public::Ec(curve, bits),
                None => Public::Other("elliptic curve".to_owned()),
            }
        }
        ED25519_OID => Public::Ed25519(bits.try_into().ok()?),
        ED448_OID => Public::Ed448(bits.try_into().ok()?),
        _ => return None,
    };
    Some(Key::public(public))
}

fn from_pkcs8(der: &[u8]) -> Option<Key> {
    let info = PrivateKeyInfo::try_from(der).ok()?;
    match info.algorithm.oid.to_string().as_str() {
        RSA_OID | PSS_OID => from_rsa(&RsaPrivateKey::from_pkcs1_der(info.private_key).ok()?),
        EC_OID => {
            let curve = curve_of(&info.algorithm.parameters_oid().ok()?.to_string())?;
            from_scalar(
                curve,
                &match curve {
                    Curve::P256 => p256::SecretKey::from_pkcs8_der(der).ok()?.to_bytes().to_vec(),
                    Curve::P384 => p384::SecretKey::from_pkcs8_der(der).ok()?.to_bytes().to_vec(),
                    Curve::P521 => p521::SecretKey::from_pkcs8_der(der).ok()?.to_bytes().to_vec(),
                    Curve::Secp256k1 => k256::SecretKey::from_pkcs8_der(der).ok()?.to_bytes().to_vec(),
                },
            )
        }
        ED25519_OID => Some(from_seed(ed25519_dalek::SigningKey::from_pkcs8_der(der).ok()?.to_bytes())),
        // An OCTET STRING of 57 bytes within that of PKCS #8 (RFC 8410 §7).
        ED448_OID => from_ed448_seed(info.private_key.strip_prefix(&[0x04, 57])?),
        _ => None,
    }
}

fn from_sec1(der: &[u8]) -> Option<Key> {
    let p256 = || from_scalar(Curve::P256, &p256::SecretKey::from_sec1_der(der).ok()?.to_bytes());
    let p384 = || from_scalar(Curve::P384, &p384::SecretKey::from_sec1_der(der).ok()?.to_bytes());
    let p521 = || from_scalar(Curve::P521, &p521::SecretKey::from_sec1_der(der).ok()?.to_bytes());
    let k256 = || from_scalar(Curve::Secp256k1, &k256::SecretKey::from_sec1_der(der).ok()?.to_bytes());
    p256().or_else(p384).or_else(p521).or_else(k256)
}

fn from_rsa(key: &RsaPrivateKey) -> Option<Key> {
    let public = RsaPublicKey::from(key).to_pkcs1_der().ok()?.as_bytes().to_vec();
    let private = key.to_pkcs1_der().ok()?.as_bytes().to_vec();
    Some(Key { kid: None, public: Public::Rsa(public), private: Some(Private::Rsa(private)) })
}

fn from_scalar(curve: Curve, scalar: &[u8]) -> Option<Key> {
    let point = match curve {
        Curve::P256 => {
            p256::SecretKey::from_slice(scalar).ok()?.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Curve::P384 => {
            p384::SecretKey::from_slice(scalar).ok()?.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Curve::P521 => {
            p521::SecretKey::from_slice(scalar).ok()?.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
        Curve::Secp256k1 => {
            k256::SecretKey::from_slice(scalar).ok()?.public_key().to_encoded_point(false).as_bytes().to_vec()
        }
    };
    Some(Key { kid: None, public: Public::Ec(curve, point), private: Some(Private::Ec(curve, scalar.to_vec())) })
}

fn from_seed(seed: [u8; 32]) -> Key {
    let public = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    Key { kid: None, public: Public::Ed25519(public), private: Some(Private::Ed25519(seed)) }
}

fn from_ed448_seed(seed: &[u8]) -> Option<Key> {
    let public = ed448::SigningKey::try_from(seed).ok()?.verifying_key().to_bytes();
    let private = Private::Ed448(seed.try_into().ok()?);
    Some(Key { kid: None, public: Public::Ed448(public), private: Some(private) })
}

/// The keys of a JWK or JWK Set; one that cannot be read leaves the others alone (RFC 7517 §5).
fn from_jwk(text: &str) -> Vec<Key> {
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with('{') {
        return Vec::new();
    }
    let Ok(Value::Object(object)) = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}')) else {
        return Vec::new();
    };
    match object.get("keys") {
        Some(Value::Array(keys)) => keys.iter().take(MANY).filter_map(|key| jwk(key.as_object()?)).collect(),
        Some(_) => Vec::new(),
        None => jwk(&object).into_iter().collect(),
    }
}

fn jwk(object: &Map<String, Value>) -> Option<Key> {
    let text = |name: &str| object.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
    let mut key = match text("kty")? {
        "oct" => Key::public(Public::Secret(bytes("k")?)),
        "RSA" => rsa_jwk(&bytes)?,
        "EC" => {
            let Some(curve) = curve_named(text("crv")?) else {
                return Some(Key::public(Public::Other(text("crv")?.chars().take(20).collect())));
            };
            match bytes("d") {
                Some(scalar) => from_scalar(curve, &scalar)?,
                None => Key::public(Public::Ec(curve, [vec![4], bytes("x")?, bytes("y")?].concat())),
            }
        }
        "OKP" if text("crv")? == "Ed25519" => match bytes("d") {
            Some(seed) => from_seed(seed.try_into().ok()?),
            None => Key::public(Public::Ed25519(bytes("x")?.try_into().ok()?)),
        },
        "OKP" if text("crv")? == "Ed448" => match bytes("d") {
            Some(seed) => from_ed448_seed(&seed)?,
            None => Key::public(Public::Ed448(bytes("x")?.try_into().ok()?)),
        },
        "OKP" => Key::public(Public::Other(text("crv")?.chars().take(20).collect())),
        _ => return None,
    };
    key.kid = text("kid").map(str::to_owned);
    Some(key)
}

fn rsa_jwk(bytes: &impl Fn(&str) -> Option<Vec<u8>>) -> Option<Key> {
    let number = |name: &str| bytes(name).filter(|bytes| bytes.len() <= RSA_LIMIT).map(|b| BigUint::from_bytes_be(&b));
    let (n, e) = (number("n")?, number("e")?);
    if let (Some(d), Some(p), Some(q)) = (number("d"), number("p"), number("q")) {
        return from_rsa(&RsaPrivateKey::from_components(n, e, d, vec![p, q]).ok()?);
    }
    let public = RsaPublicKey::new(n, e).ok()?.to_pkcs1_der().ok()?;
    Some(Key::public(Public::Rsa(public.as_bytes().to_vec())))
}

fn curve_of(oid: &str) -> Option<Curve> {
    match oid {
        "1.2.840.10045.3.1.7" => Some(Curve::P256),
        "1.3.132.0.34" => Some(Curve::P384),
        "1.3.132.0.35" => Some(Curve::P521),
        "1.3.132.0.10" => Some(Curve::Secp256k1),
        _ => None,
    }
}

fn curve_named(name: &str) -> Option<Curve> {
    match name {
        "P-256" => Some(Curve::P256),
        "P-384" => Some(Curve::P384),
        "P-521" => Some(Curve::P521),
        "secp256k1" => Some(Curve::Secp256k1),
        _ => None,
    }
}

const RSA_OID: &str = "1.2.840.113549.1.1.1";
const PSS_OID: &str = "1.2.840.113549.1.1.10";
const EC_OID: &str = "1.2.840.10045.2.1";
const ED25519_OID: &str = "1.3.101.112";
const ED448_OID: &str = "1.3.101.113";

/// Keys that are read of one file; bytes of the largest JWK Set; bytes of the largest RSA number (8192 bits).
const MANY: usize = 200;
const JWK_LIMIT: usize = 1 << 20;
const RSA_LIMIT: usize = 1024;
