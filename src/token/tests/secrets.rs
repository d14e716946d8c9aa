//! Verification: the expected secret, its misreadings, other variables.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::{RS256_PEM, secret, token};
use crate::token::{Secret, SecretForm, Shape, Signature, TokenReport, examine, mint, mint_as, secrets_from_env};

#[test]
fn the_reading_that_verifies_is_named() {
    let token = token("{}");
    let cases: [(&[u8], &str); 8] = [
        (b"s3cret\n", "without its line end"),
        (b"s3cret\r\n", "without its line end"),
        (b" s3cret", "without the white space around it"),
        (b"\"s3cret\"", "without its quotes"),
        (b"\xef\xbb\xbfs3cret", "without its byte order mark"),
        (b"czNjcmV0", "decoded from base64"),
        (b"733363726574", "decoded from hex"),
        (b"\xff\xfes\x003\0c\0r\0e\0t\0\r\0\n\0", "read as UTF-16, as PowerShell writes files"),
    ];
    for (bytes, phrase) in cases {
        let report = examine(&token, &secret(bytes), 0);
        assert_eq!(report.signature, Signature::Invalid, "{phrase}");
        assert_eq!(report.verified_as, Some(format!("--secret-file, {phrase}")));
        assert!(report.notes.contains(&format!("verifies with --secret-file {phrase}")), "{:?}", report.notes);
    }
    let signed_with_line_end = mint("{}", "HS256", b"s3cret\n").unwrap();
    let report = examine(&signed_with_line_end, &secret("s3cret"), 0);
    assert_eq!(report.verified_as.as_deref(), Some("--secret-file, with a line end added"));
    let report = examine(&mint("{}", "HS512", b"your-secret-key").unwrap(), &secret("s3cret"), 0);
    assert!(report.verified_as.unwrap().contains("fallback"));
}

#[test]
fn the_expected_variable_decides_and_another_is_named() {
    let secrets = secrets_from_env("SESSION_SECRET=s3cret\nJWT_SECRET=other\n");
    let report = examine(&token("{}"), &secrets, 0);
    assert_eq!(report.signature, Signature::Invalid);
    assert_eq!(report.verified_as.as_deref(), Some(".env SESSION_SECRET"));
    assert!(report.notes[0].contains(".env SESSION_SECRET, not with .env JWT_SECRET"));

    let secrets = secrets_from_env("SESSION_SECRET=s3cret\nAUTH_SECRET=x\n");
    let report = examine(&token("{}"), &secrets, 0);
    assert_eq!(report.signature, Signature::Valid);
    assert_eq!(report.verified_as.as_deref(), Some(".env SESSION_SECRET"));

    let report = examine(&token("{}"), &secrets_from_env("JWT_SECRET=\n"), 0);
    assert_eq!(report.signature, Signature::Invalid);
    assert!(report.notes.iter().any(|note| note.ends_with("is empty")));

    let report = examine(&token("{}"), &secrets_from_env("A=3c\nJWT_SECRET=s${A}ret\n"), 0);
    assert!(report.verified_as.unwrap().contains("Next.js"));
}

#[test]
fn a_cut_signature_still_tells_whether_the_secret_is_right() {
    let token = token("{}");
    let cut = &token[..token.len() - 4];
    let report = examine(cut, &secret("s3cret"), 0);
    assert_eq!((report.shape, report.signature), (Shape::Truncated, Signature::Invalid));
    assert!(report.notes.iter().any(|note| note.contains("the secret is right")));
}

#[test]
fn a_certificate_verifies_what_its_key_signed() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap().pem();
    let private = key.serialize_pem();
    let token = mint("{}", "ES256", private.as_bytes()).unwrap();
    assert_eq!(examine(&token, &secret(certificate), 0).signature, Signature::Valid);
    let report = examine(&token, &secret(private), 0);
    assert_eq!(report.signature, Signature::Valid);
    assert!(report.notes[0].contains("is a private key") && !report.alg_mismatch);
}

#[test]
fn a_public_key_that_lost_its_lines_is_named_as_a_slip() {
    let key = rcgen::KeyPair::generate().unwrap();
    let token = mint("{}", "ES256", key.serialize_pem().as_bytes()).unwrap();
    let pem = key.public_key_pem();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    for (text, phrase) in [
        (pem.trim().replace('\n', "\\n"), "with its `\\n` read as line ends"),
        (pem.replace('\n', " "), "with its line ends put back"),
        (format!("\"{}\"", pem.trim()), "without its quotes"),
        (STANDARD.encode(&pem), "decoded from base64"),
        (body, "once its BEGIN and END lines are put around it"),
    ] {
        let report = examine(&token, &secret(text.clone()), 0);
        assert_eq!((report.signature, report.alg_mismatch), (Signature::Invalid, true), "{text}");
        assert_eq!(report.verified_as, Some(format!("--secret-file, {phrase}")), "{text}");
    }
    let env = format!("JWT_PUBLIC_KEY=\"{}\"\n", pem.trim().replace('\n', "\\n"));
    assert_eq!(examine(&token, &secrets_from_env(&env), 0).signature, Signature::Valid);
}

#[test]
fn a_jwk_set_is_searched_by_kid_and_then_whole() {
    let keys: Vec<_> = (0..3).map(|_| rcgen::KeyPair::generate().unwrap()).collect();
    let jwk = |nth: usize, kid: &str| {
        let point = keys[nth].public_key_raw();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        format!(r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"{x}","y":"{y}"}}"#)
    };
    let set = format!(r#"{{"keys":[{},{},{{"kty":"new"}},{}]}}"#, jwk(0, "a"), jwk(1, "b"), jwk(2, "c"));
    let signer = Secret::new("the key", keys[1].serialize_pem());
    let made = |kid: Option<&str>| mint_as("{}", "ES256", kid, &signer).unwrap();
    let examined = |kid| examine(&made(kid), &secret(set.clone()), 0);
    let report = examined(Some("b"));
    assert_eq!(
        (report.signature, report.notes.as_slice()),
        (Signature::Valid, &["never expires: there is no `exp`".to_owned()][..])
    );
    assert_eq!(report.verified_as.as_deref(), Some("the key `b` of --secret-file"));
    let report = examined(None);
    assert!(report.signature == Signature::Valid && report.notes[0].contains("trying all 3 keys"));
    let report = examined(Some("a"));
    assert!(report.signature == Signature::Invalid && report.notes[0].contains("names another key, `a`"));
    let report = examined(Some("gone"));
    assert!(report.signature == Signature::Valid && report.kid_unknown, "{report:?}");
    assert!(report.notes[0].contains("no key is called `gone`, there is a, b, c"));
    let other = format!(r#"{{"keys":[{}]}}"#, jwk(0, "a"));
    let report = examine(&made(Some("b")), &secret(other), 0);
    assert!(report.signature == Signature::Invalid && report.kid_unknown);
}

#[test]
fn every_algorithm_signs_and_verifies_with_its_key() {
    let keys = [
        ("ES256", include_str!("keys/p256.pem")),
        ("ES384", include_str!("keys/p384.pem")),
        ("ES512", include_str!("keys/p521.pem")),
        ("ES256K", include_str!("keys/secp256k1.pem")),
        ("EdDSA", include_str!("keys/ed25519.pem")),
        ("EdDSA", include_str!("keys/ed448.pem")),
        ("RS256", include_str!("keys/rsa.pem")),
        ("RS384", include_str!("keys/rsa.pem")),
        ("RS512", include_str!("keys/rsa.pem")),
        ("PS256", include_str!("keys/rsa.pem")),
        ("PS384", include_str!("keys/rsa.pem")),
        ("PS512", include_str!("keys/rsa.pem")),
    ];
    for (alg, key) in keys {
        let token = mint(r#"{"sub":"a"}"#, alg, key.as_bytes()).unwrap();
        assert_eq!(examine(&token, &secret(key), 0).signature, Signature::Valid, "{alg}");
        for (other, foreign) in keys {
            if foreign != key {
                let report = examine(&token, &secret(foreign), 0);
                assert_eq!((report.signature, report.alg_mismatch), (Signature::Unchecked, true), "{alg} {other}");
            }
        }
        let changed = token.replacen(".eyJ", ".eyK", 1);
        assert_eq!(examine(&changed, &secret(key), 0).signature, Signature::Invalid, "{alg}");
    }
}

#[test]
fn a_token_signed_with_the_text_of_a_public_key_is_algorithm_confusion() {
    let token = mint("{}", "HS256", RS256_PEM.as_bytes()).unwrap();
    let report = examine(&token, &secret(RS256_PEM), 0);
    assert_eq!((report.signature, report.alg_mismatch), (Signature::Invalid, true));
    assert!(report.notes[0].starts_with("algorithm confusion"), "{report:?}");
}

#[test]
fn a_secret_given_as_base64_may_be_meant_as_text() {
    let token = mint("{}", "HS256", b"czNjcmV0").unwrap();
    let given = Secret::written("--secret", "czNjcmV0", SecretForm::Base64).unwrap();
    let report = examine(&token, &[given], 0);
    assert_eq!(report.verified_as.as_deref(), Some("--secret, taken as text, not decoded"));
}

#[test]
fn an_hmac_token_with_a_public_key_is_a_mismatch() {
    let report = examine(&token("{}"), &secret(RS256_PEM), 0);
    assert_eq!((report.signature, report.alg_mismatch), (Signature::Unchecked, true));
}

#[test]
fn reports_hold_neither_secret_nor_signature_and_survive_json() {
    let token = token(r#"{"sub":"a","exp":1}"#);
    let signature = token.rsplit('.').next().unwrap();
    for text in [token.clone(), format!("Bearer {token}"), token[..token.len() - 3].to_owned(), format!("{token}AAA")] {
        for bytes in ["s3cret", "s3cret\n", "another-one"] {
            let report = examine(&text, &secret(bytes), 1000);
            let json = serde_json::to_string(&report).unwrap();
            assert!(!json.contains("s3cret") && !json.contains("another-one"), "{json}");
            assert!(!json.contains(&signature[..12]), "{json}");
            assert_eq!(serde_json::from_str::<TokenReport>(&json).unwrap(), report);
        }
    }
    let json = serde_json::to_value(examine(&token, &[], 1000)).unwrap();
    assert_eq!(json["signature"], "unchecked");
    assert_eq!(json["validity"], "expired");
    assert_eq!(json["shape"], "jws");
}
