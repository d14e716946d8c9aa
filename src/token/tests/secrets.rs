//! Verification: the expected secret, its misreadings, other variables.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{RS256_PEM, secret, token};
use crate::token::{Shape, Signature, TokenReport, examine, mint, secrets_from_env};

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
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256"}"#), URL_SAFE_NO_PAD.encode("{}"));
    let private = key.serialize_pem();
    let signer = jsonwebtoken::EncodingKey::from_ec_pem(private.as_bytes()).unwrap();
    let signature = jsonwebtoken::crypto::sign(input.as_bytes(), &signer, jsonwebtoken::Algorithm::ES256).unwrap();
    let token = format!("{input}.{signature}");
    assert_eq!(examine(&token, &secret(certificate), 0).signature, Signature::Valid);
    let report = examine(&token, &secret(private), 0);
    assert_eq!(report.signature, Signature::Unchecked);
    assert!(report.notes[0].contains("private key") && !report.alg_mismatch);
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
