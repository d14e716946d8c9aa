//! What `jsonwebtoken` 9 for Node says of a token: the text of its refusal, which servers pass on as a close reason.
//!
//! Written after its `verify.js` and the `jws` package below it, with their forgiveness and their order; independent of
//! [`decode`](super::decode), which is kinder. `tests/peers/tokens.py` compares it with the real library.

use serde::de::IgnoredAny;

use super::crypto::{self, Family};
use super::jws::decode;
use super::keys::{self, Curve, Key, Public};
use super::secret::Secret;
use super::validate::Expectations;
use super::{members, parts};

/// The message of the error that `jwt.verify(text, secret)` throws at `now`, in seconds; `None` if it accepts the token.
///
/// `text` is what the server passes: after the query or header was decoded. A `secret` is passed as a string, a JWK as a key.
pub fn node_refusal(text: &str, secret: Option<&Secret>, now: i64, expected: &Expectations) -> Option<String> {
    let refusal = |words: &str| Some(words.to_owned());
    if text.is_empty() {
        return refusal("jwt must be provided");
    }
    let all: Vec<&str> = text.split('.').take(4).collect();
    let &[header, payload, signature] = all.as_slice() else {
        return refusal("jwt malformed");
    };
    let is_of_alphabet = |part: &str| part.bytes().all(parts::is_base64url);
    let is_whole = !header.is_empty() && !payload.is_empty();
    if !(is_whole && [header, payload, signature].into_iter().all(is_of_alphabet)) {
        return refusal("invalid token");
    }
    let Some(header) = Header::read(header) else {
        return refusal("invalid token");
    };
    let payload = String::from_utf8_lossy(&parts::lenient(payload)).into_owned();
    let is_json = serde_json::from_str::<IgnoredAny>(&payload).is_ok();
    if header.is_typed_jwt && !is_json {
        return refusal(JSON_ERROR);
    }
    let secret = secret.filter(|secret| !secret.bytes().is_empty());
    match (signature.is_empty(), secret) {
        (true, Some(_)) => return refusal("jwt signature is required"),
        (false, None) => return refusal("secret or public key must be provided"),
        (true, None) => return refusal("please specify \"none\" in \"algorithms\" to verify unsigned tokens"),
        (false, Some(_)) => {}
    }
    let input = text.rsplit_once('.').map_or(text, |(input, _)| input);
    signature_refusal(&header, secret?, input, signature).or_else(|| claims_refusal(&payload, now, expected))
}

/// What the library says of a token, and of what it would be once mended, in one sentence.
///
/// `None` where there is no secret and nothing else to be said than that.
pub fn node_words(text: &str, secret: Option<&Secret>, now: i64, expected: &Expectations) -> Option<String> {
    let refused = |text: &str| {
        let words = node_refusal(text, secret, now, expected);
        words.map(|words| format!("says \u{201c}{words}\u{201d}"))
    };
    let as_it_is = refused(text);
    let is_about_secret = as_it_is.as_ref().is_some_and(|words| words.contains("secret or public key must"));
    if secret.is_none() && (as_it_is.is_none() || is_about_secret) {
        return None;
    }
    let mended = decode(text).mended.filter(|_| as_it_is.is_some());
    let once_mended = mended.map(|mended| refused(&mended)).filter(|words| *words != as_it_is);
    let more = match once_mended {
        Some(Some(words)) if secret.is_some() => format!("; once mended, it {words}"),
        Some(None) => "; once mended, it accepts the token".to_owned(),
        Some(Some(_)) | None => String::new(),
    };
    let words = as_it_is.unwrap_or_else(|| "accepts it".to_owned());
    Some(format!("jsonwebtoken for Node {words}{more}"))
}

/// What of a header matters to the library.
struct Header {
    alg: Option<String>,
    is_typed_jwt: bool,
}

impl Header {
    /// The header reads its bytes as Latin-1, and takes any JSON that is true in JavaScript.
    fn read(part: &str) -> Option<Self> {
        let text: String = parts::lenient(part).into_iter().map(char::from).collect();
        serde_json::from_str::<IgnoredAny>(&text).ok()?;
        if matches!(text.trim(), "null" | "false" | "0" | "-0" | "\"\"") {
            return None;
        }
        let (members, _) = members::read(&text);
        let last = |name: &str| members.iter().rev().find(|member| member.name == name);
        let string = |name: &str| last(name).and_then(|member| members::as_string(&member.raw));
        Some(Self { alg: string("alg"), is_typed_jwt: string("typ").as_deref() == Some("JWT") })
    }
}

fn signature_refusal(header: &Header, secret: &Secret, input: &str, signature: &str) -> Option<String> {
    let refusal = |words: &str| Some(words.to_owned());
    let key = key_of(secret);
    let alg = header.alg.as_deref().unwrap_or_default();
    let Some(family) = Family::of(alg) else {
        return refusal("invalid algorithm");
    };
    let Some(key) = key else {
        if family != Family::Hmac {
            return refusal("invalid algorithm");
        }
        let is_valid = crypto::verifies_with_secret(alg, secret.bytes(), input.as_bytes(), signature);
        return if is_valid { None } else { refusal("invalid signature") };
    };
    // Without a list of its own the library allows what the kind of key allows.
    let is_allowed = match (&key.public, family) {
        (Public::Rsa(_) | Public::Ed25519(_) | Public::Ed448(_), Family::Rsa) => true,
        (Public::Ec(_, _), Family::Ec(curve)) => curve != Curve::Secp256k1,
        (_, _) => false,
    };
    if !is_allowed {
        return refusal("invalid algorithm");
    }
    let curve = match (&key.public, family) {
        (Public::Ec(own, _), Family::Ec(wanted)) if *own != wanted => Some(wanted),
        (_, _) => None,
    };
    if let Some(wanted) = curve {
        let name = match wanted {
            Curve::P256 | Curve::Secp256k1 => "prime256v1",
            Curve::P384 => "secp384r1",
            Curve::P521 => "secp521r1",
        };
        return Some(format!("\"alg\" parameter \"{alg}\" requires curve \"{name}\"."));
    }
    match key.public {
        Public::Ed25519(_) => return refusal("Unknown key type \"ed25519\"."),
        Public::Ed448(_) => return refusal("Unknown key type \"ed448\"."),
        Public::Secret(_) | Public::Rsa(_) | Public::Ec(_, _) | Public::Other(_) => {}
    }
    let raw = parts::lenient(signature);
    if let Family::Ec(curve) = family {
        let wanted = match curve {
            Curve::P256 | Curve::Secp256k1 => 64,
            Curve::P384 => 96,
            Curve::P521 => 132,
        };
        if raw.len() != wanted {
            return Some(format!("\"{alg}\" signatures must be \"{wanted}\" bytes, saw \"{}\"", raw.len()));
        }
    }
    let canonical = parts::encode(&raw);
    if crypto::verifies(alg, &key, input.as_bytes(), &canonical) { None } else { refusal("invalid signature") }
}

/// The key that `createPublicKey` makes of a secret; `None` if it is taken for a shared secret.
fn key_of(secret: &Secret) -> Option<Key> {
    let found = keys::of(secret).filter(|found| found.misread.is_none())?;
    found.all.into_iter().next().filter(|key| !matches!(key.public, Public::Secret(_)))
}

fn claims_refusal(payload: &str, now: i64, expected: &Expectations) -> Option<String> {
    let (members, fault) = members::read(payload);
    // A payload that is no object stays a string, which has no claims.
    let last = |name: &str| members.iter().rev().find(|member| fault.is_none() && member.name == name);
    let number =
        |raw: &str| raw.parse::<f64>().ok().filter(|_| raw.starts_with(|c: char| c == '-' || c.is_ascii_digit()));
    let now = now as f64;
    if let Some(nbf) = last("nbf") {
        match number(&nbf.raw) {
            None => return Some("invalid nbf value".to_owned()),
            Some(nbf) if nbf > now + expected.leeway_secs => return Some("jwt not active".to_owned()),
            Some(_) => {}
        }
    }
    if let Some(exp) = last("exp") {
        match number(&exp.raw) {
            None => return Some("invalid exp value".to_owned()),
            Some(exp) if now >= exp + expected.leeway_secs => return Some("jwt expired".to_owned()),
            Some(_) => {}
        }
    }
    if let Some(wanted) = &expected.audience {
        let one = |raw: &str| members::as_string(raw).map(|aud| vec![aud]);
        let found =
            last("aud").map(|aud| one(&aud.raw).or_else(|| serde_json::from_str(&aud.raw).ok()).unwrap_or_default());
        if !found.unwrap_or_default().contains(wanted) {
            return Some(format!("jwt audience invalid. expected: {wanted}"));
        }
    }
    let issuer = expected.issuer.as_ref();
    let other =
        issuer.filter(|wanted| last("iss").and_then(|iss| members::as_string(&iss.raw)).as_ref() != Some(wanted));
    other.map(|wanted| format!("jwt issuer invalid. expected: {wanted}"))
}

/// In place of the text of `JSON.parse`, which differs between versions of Node.
pub const JSON_ERROR: &str = "a SyntaxError of JSON.parse";

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::token::mint;
    use crate::token::tests::{RS256_PEM, a1};

    fn said(text: &str, secret: &str) -> String {
        let secret = Secret::new("s", secret);
        node_refusal(text, Some(&secret), 1000, &Expectations::default()).unwrap_or_default()
    }

    #[test]
    fn each_refusal_is_told_in_the_words_of_the_library() {
        let token = mint(r#"{"exp":2000}"#, "HS256", b"s").unwrap();
        let of = |claims: &str| mint(claims, "HS256", b"s").unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let made = |header: &str, payload: &str| {
            format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
        };
        for (text, secret, wanted) in [
            (token.clone(), "s", ""),
            (token.clone(), "other", "invalid signature"),
            (token.clone(), "", "secret or public key must be provided"),
            (token.clone(), RS256_PEM, "invalid algorithm"),
            (format!("{input}."), "s", "jwt signature is required"),
            (format!("{input}."), "", "please specify \"none\" in \"algorithms\" to verify unsigned tokens"),
            (input.to_owned(), "s", "jwt malformed"),
            (String::new(), "s", "jwt must be provided"),
            ("undefined".to_owned(), "s", "jwt malformed"),
            (format!("Bearer {token}"), "s", "invalid token"),
            (format!("{token}\n"), "s", "invalid token"),
            ("..".to_owned(), "s", "invalid token"),
            (made("{", "{}"), "s", "invalid token"),
            (made(r#"{"alg":"HS256","typ":"JWT"}"#, "{"), "s", JSON_ERROR),
            (made(r#"{"alg":"HS256"}"#, "{"), "s", "invalid signature"),
            (made(r#"{"alg":"none"}"#, "{}"), "s", "invalid algorithm"),
            (made("[]", "{}"), "s", "invalid algorithm"),
            (made("null", "{}"), "s", "invalid token"),
            (of(r#"{"exp":999}"#), "s", "jwt expired"),
            (of(r#"{"exp":1000}"#), "s", "jwt expired"),
            (of(r#"{"exp":"2000"}"#), "s", "invalid exp value"),
            (of(r#"{"exp":1e999}"#), "s", ""),
            (of(r#"{"nbf":1001}"#), "s", "jwt not active"),
            (of(r#"{"nbf":null}"#), "s", "invalid nbf value"),
            (of(r#"{"iat":5000}"#), "s", ""),
            (a1(), RS256_PEM, "invalid algorithm"),
        ] {
            assert_eq!(said(&text, secret), wanted, "{text} with {secret:?}");
        }
    }

    #[test]
    fn what_it_says_is_told_for_the_mended_token_too() {
        let token = mint(r#"{"exp":2000}"#, "HS256", b"s").unwrap();
        let secret = Secret::new("s", "s");
        let told = |text: &str, now: i64| node_words(text, Some(&secret), now, &Expectations::default()).unwrap();
        assert_eq!(told(&token, 0), "jsonwebtoken for Node accepts it");
        let bearer = format!("Bearer {token}");
        let words = "jsonwebtoken for Node says \u{201c}invalid token\u{201d}; once mended, it accepts the token";
        assert_eq!(told(&bearer, 0), words);
        assert!(told(&bearer, 2000).ends_with("once mended, it says \u{201c}jwt expired\u{201d}"));
        assert_eq!(node_words(&token, None, 0, &Expectations::default()), None);
        let words = node_words("undefined", None, 0, &Expectations::default());
        assert_eq!(words.as_deref(), Some("jsonwebtoken for Node says \u{201c}jwt malformed\u{201d}"));
    }

    #[test]
    fn audience_and_issuer_are_refused_in_its_words() {
        let secret = Secret::new("s", "s");
        let expected =
            Expectations { audience: Some("a".to_owned()), issuer: Some("i".to_owned()), ..Expectations::default() };
        let said = |claims: &str| {
            let token = mint(claims, "HS256", b"s").unwrap();
            node_refusal(&token, Some(&secret), 0, &expected).unwrap_or_default()
        };
        assert_eq!(said(r#"{"aud":["b","a"],"iss":"i"}"#), "");
        assert_eq!(said(r#"{"iss":"i"}"#), "jwt audience invalid. expected: a");
        assert_eq!(said(r#"{"aud":"a"}"#), "jwt issuer invalid. expected: i");
    }
}
