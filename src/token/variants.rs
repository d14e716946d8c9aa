//! Variants of one token, each wrong in one way, to see how a server answers them.
//!
//! The claims are those of the token, name by name and byte for byte, save what the variant changes.

use super::crypto::Family;
use super::jws::{Decoded, decode};
use super::keys::{self, Public};
use super::members::{self, Member};
use super::mint::{self, MintError, can_sign, mint_as, sibling};
use super::secret::Secret;
use super::{claims, parts, pem};

/// A token that is made from another one.
#[derive(Clone, PartialEq, Eq)]
pub struct Variant {
    /// Its name: `expired`, `without-sub`.
    pub name: String,
    /// What is different about it, in a few words.
    pub about: String,
    /// The token itself.
    pub token: String,
    /// Whether a careful server accepts it; `None` where servers may differ.
    pub should_pass: Option<bool>,
}

impl std::fmt::Debug for Variant {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Variant").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Every variant of `token`, made with the secret or private key that signs it, at `now` in seconds since 1970-01-01Z.
///
/// The first is the token as it is; the second is the same with fresh dates, which a server that knows the secret accepts.
pub fn variants(token: &str, secret: &Secret, now: i64) -> Result<Vec<Variant>, MintError> {
    let decoded = decode(token);
    let text = decoded.text(token).to_owned();
    let payload = decoded.payload.clone().unwrap_or_default();
    let (members, fault) = members::read(&payload);
    if fault.is_some() || decoded.signed.is_none() {
        return Err(MintError::Claims { reason: "the claims of the token cannot be read".to_owned() });
    }
    let alg = decoded.alg.as_deref().filter(|alg| can_sign(alg)).unwrap_or("HS256");
    // An unsecured token is signed as most servers want it.
    let alg = if alg.eq_ignore_ascii_case("none") { "HS256" } else { alg };
    let maker = Maker { members: &members, alg, kid: decoded.kid.as_deref(), secret, now };
    let mut all = Vec::new();
    let mut add = |name: &str, about: &str, token: String, should_pass: Option<bool>| {
        all.push(Variant { name: name.to_owned(), about: about.to_owned(), token, should_pass });
    };
    let fresh = maker.fresh()?;
    add("as-it-is", "the token as it was given", text, None);
    add("fresh", "the same claims, valid for an hour from now", fresh.clone(), Some(true));
    add("expired", "expired a minute ago", maker.dated(-3660, None, Some("-60"))?, Some(false));
    add("not-yet-valid", "valid in an hour from now", maker.dated(0, Some(3600), Some("7200"))?, Some(false));
    add("issued-later", "issued in an hour from now", maker.dated(3600, None, Some("7200"))?, None);
    add("no-exp", "without `exp`, so it never expires", maker.dated(0, None, None)?, None);
    add(
        "exp-milliseconds",
        "`exp` in milliseconds, 1000 times too far",
        maker.exp(&format!("{}000", now + 3600))?,
        None,
    );
    add("exp-text", "`exp` is a text", maker.exp(&format!("\"{}\"", now + 3600))?, Some(false));
    add("other-secret", "signed with another secret or key", maker.other_secret(&fresh)?, Some(false));
    if let Some(other) = sibling(alg) {
        let token = mint_as(&maker.claims(|_| true, &maker.dates(0, None, Some("3600"))), other, maker.kid, secret)?;
        add("other-alg", &format!("signed with {other} and the same key"), token, None);
    }
    if let Some(token) = maker.confused()? {
        let about = "signed by HS256 with the text of the public key: algorithm confusion";
        add("confused-alg", about, token, Some(false));
    }
    let claims = maker.claims(|_| true, &maker.dates(0, None, Some("3600")));
    add("alg-none", "`alg` is none, and nothing is signed", mint_as(&claims, "none", None, secret)?, Some(false));
    let input = fresh.rsplit_once('.').map_or("", |(input, _)| input);
    add("no-signature", "the signature is taken off", format!("{input}."), Some(false));
    add("changed-claims", "a claim is changed and the old signature kept", maker.changed(&fresh), Some(false));
    add(
        "cut",
        "the last ten characters are missing",
        fresh.get(..fresh.len().saturating_sub(10)).unwrap_or_default().to_owned(),
        Some(false),
    );
    add("bearer-prefix", "`Bearer ` is part of the token", format!("Bearer {fresh}"), None);
    add("quoted", "in quotes", format!("\"{fresh}\""), None);
    for member in others(&members) {
        let name = member.name.chars().take(40).collect::<String>();
        let token = maker.mint(|one| one.name != member.name)?;
        add(&format!("without-{name}"), &format!("without the claim `{name}`"), token, None);
    }
    Ok(all)
}

/// One variant of a token by its name.
pub fn variant(token: &str, secret: &Secret, now: i64, name: &str) -> Result<Option<Variant>, MintError> {
    Ok(variants(token, secret, now)?.into_iter().find(|variant| variant.name == name))
}

/// Whether the token could be made into variants: its claims can be read.
pub fn can_vary(decoded: &Decoded) -> bool {
    decoded.signed.is_some() && decoded.payload.as_deref().is_some_and(|json| members::read(json).1.is_none())
}

/// The claims that are no dates, once each.
fn others(members: &[Member]) -> Vec<&Member> {
    let mut seen = Vec::new();
    for member in members.iter().filter(|member| !claims::is_date(&member.name)) {
        if !seen.iter().any(|earlier: &&Member| earlier.name == member.name) && seen.len() < MOST_CLAIMS {
            seen.push(member);
        }
    }
    seen
}

struct Maker<'a> {
    members: &'a [Member],
    alg: &'a str,
    kid: Option<&'a str>,
    secret: &'a Secret,
    now: i64,
}

impl Maker<'_> {
    fn fresh(&self) -> Result<String, MintError> {
        self.mint(|_| true)
    }

    /// With fresh dates, and those of the other claims that are to stay.
    fn mint(&self, stays: impl Fn(&Member) -> bool) -> Result<String, MintError> {
        self.sign(&self.claims(stays, &self.dates(0, None, Some("3600"))))
    }

    /// With dates that count from now.
    fn dated(&self, iat: i64, nbf: Option<i64>, exp: Option<&str>) -> Result<String, MintError> {
        self.sign(&self.claims(|_| true, &self.dates(iat, nbf, exp)))
    }

    /// With this text for `exp`.
    fn exp(&self, exp: &str) -> Result<String, MintError> {
        let dates = [("iat", self.now.to_string()), ("exp", exp.to_owned())];
        self.sign(&self.claims(|_| true, &dates))
    }

    fn dates(&self, iat: i64, nbf: Option<i64>, exp: Option<&str>) -> Vec<(&'static str, String)> {
        let at = |after: i64| self.now.saturating_add(after).to_string();
        let mut dates = vec![("iat", at(iat))];
        dates.extend(nbf.map(|nbf| ("nbf", at(nbf))));
        dates.extend(exp.and_then(|exp| exp.parse().ok()).map(|exp: i64| ("exp", at(exp))));
        dates
    }

    /// The claims as JSON: those of the token without its dates, then `dates`.
    fn claims(&self, stays: impl Fn(&Member) -> bool, dates: &[(&'static str, String)]) -> String {
        let is_ours = |member: &&Member| !matches!(member.name.as_str(), "iat" | "nbf" | "exp");
        let kept = self.members.iter().filter(is_ours).filter(|member| stays(member));
        let kept = kept.map(|member| (member.name.as_str(), member.raw.as_str()));
        let dates = dates.iter().map(|(name, value)| (*name, value.as_str()));
        let all = kept.chain(dates).map(|(name, raw)| format!("{}:{raw}", serde_json::Value::from(name)));
        format!("{{{}}}", all.collect::<Vec<_>>().join(","))
    }

    fn sign(&self, claims: &str) -> Result<String, MintError> {
        mint_as(claims, self.alg, self.kid, self.secret)
    }

    /// The signature of another key: for HMAC a real one, else that of the token with a bit changed.
    fn other_secret(&self, fresh: &str) -> Result<String, MintError> {
        let (input, signature) = fresh.rsplit_once('.').unwrap_or((fresh, ""));
        if mint::is_by_secret(self.alg) {
            let other = Secret::new("another secret", [self.secret.bytes(), b" (not this one)"].concat());
            return Ok(format!("{input}.{}", mint::signature(self.alg, &other, input)?));
        }
        let mut bytes = parts::lenient(signature);
        if let Some(byte) = bytes.first_mut() {
            *byte ^= 1;
        }
        Ok(format!("{input}.{}", parts::encode(&bytes)))
    }

    /// Signed by HMAC with the text of the public key, where that is at hand.
    fn confused(&self) -> Result<Option<String>, MintError> {
        let is_key = Family::of(self.alg) != Some(Family::Hmac);
        let text = keys::of(self.secret).filter(|_| is_key).and_then(|found| {
            let key = found.all.into_iter().find(|key| !matches!(key.public, Public::Secret(_)))?;
            if key.private.is_none() && pem::is_pem(self.secret.bytes()) {
                return Some(self.secret.bytes().to_vec());
            }
            keys::to_pem(&key).map(String::into_bytes)
        });
        let Some(text) = text else {
            return Ok(None);
        };
        let claims = self.claims(|_| true, &self.dates(0, None, Some("3600")));
        mint_as(&claims, "HS256", None, &Secret::new("the public key", text)).map(Some)
    }

    /// One claim more, under the signature of the token without it.
    fn changed(&self, fresh: &str) -> String {
        let (input, signature) = fresh.rsplit_once('.').unwrap_or((fresh, ""));
        let header = input.split('.').next().unwrap_or_default();
        let mut dates = self.dates(0, None, Some("3600"));
        dates.push(("admin", "true".to_owned()));
        let claims = self.claims(|_| true, &dates);
        format!("{header}.{}.{signature}", parts::encode(claims.as_bytes()))
    }
}

/// Claims that are left out one by one.
const MOST_CLAIMS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Expectations, ProblemKind, Signature, Validity, examine, mint, node_refusal};

    #[test]
    fn each_variant_is_wrong_in_its_own_way() {
        let secret = Secret::new("s", "s3cret");
        let token =
            mint(r#"{"sub":"a","aud":"x","n":12345678901234567890,"iat":1,"exp":2}"#, "HS256", b"s3cret").unwrap();
        let all = variants(&token, &secret, 1_700_000_000).unwrap();
        let names: Vec<&str> = all.iter().map(|variant| variant.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "as-it-is",
                "fresh",
                "expired",
                "not-yet-valid",
                "issued-later",
                "no-exp",
                "exp-milliseconds",
                "exp-text",
                "other-secret",
                "other-alg",
                "alg-none",
                "no-signature",
                "changed-claims",
                "cut",
                "bearer-prefix",
                "quoted",
                "without-sub",
                "without-aud",
                "without-n"
            ]
        );
        let expected = Expectations::default();
        for variant in &all {
            let refusal = node_refusal(&variant.token, Some(&secret), 1_700_000_000, &expected);
            if let Some(should_pass) = variant.should_pass {
                assert_eq!(refusal.is_none(), should_pass, "{} {refusal:?}", variant.name);
            }
            let report = examine(&variant.token, std::slice::from_ref(&secret), 1_700_000_000);
            let is_well = (report.signature, report.validity) == (Signature::Valid, Validity::Valid);
            let wanted =
                !matches!(variant.should_pass, Some(false)) && !matches!(variant.name.as_str(), "as-it-is" | "no-exp");
            assert_eq!(is_well, wanted, "{} {report:?}", variant.name);
        }
        let report = examine(&all[1].token, &[], 0);
        assert_eq!(report.claim("n").unwrap().raw, "12345678901234567890");
        let report = examine(&all[6].token, &[], 0);
        assert!(report.problem(ProblemKind::MillisecondsDate).is_some());
        assert!(examine(&all[16].token, &[], 0).claim("sub").is_none());
    }

    #[test]
    fn a_private_key_makes_them_too_and_confusion_with_its_public_half() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let secret = Secret::new("the key", key.clone());
        let token = mint(r#"{"sub":"a"}"#, "ES256", key.as_bytes()).unwrap();
        let all = variants(&token, &secret, 1_700_000_000).unwrap();
        let find = |name: &str| all.iter().find(|variant| variant.name == name).unwrap();
        let secrets = [secret.clone()];
        assert_eq!(examine(&find("fresh").token, &secrets, 0).signature, Signature::Valid);
        assert_eq!(examine(&find("other-secret").token, &secrets, 0).signature, Signature::Invalid);
        assert_eq!(examine(&find("confused-alg").token, &secrets, 0).alg.as_deref(), Some("HS256"));
    }

    #[test]
    fn what_has_no_claims_has_no_variants() {
        for text in ["", "abc", "a.b.c", "eyJhbGciOiJIUzI1NiJ9.WzFd.c2ln"] {
            assert!(variants(text, &Secret::new("s", "s"), 0).is_err(), "{text}");
            assert!(!can_vary(&decode(text)), "{text}");
        }
        let token = mint("{}", "HS256", b"s").unwrap();
        assert!(variant(&token, &Secret::new("s", "s"), 0, "expired").unwrap().is_some());
    }
}
