//! The examples of RFC 7515, 7516, 7519 and 8037, and a key of RFC 8032 over Ed448.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{
    CLAIMS, ED25519_JWK, ED25519_TOKEN, ES256_JWK, ES256_PEM, ES256_SIGNATURE, HS256_KEY, RS256_N, RS256_PEM,
    RS256_SIGNATURE, a1, kinds, secret,
};
use crate::token::{ProblemKind, Shape, Signature, Validity, candidates, examine, mint, validity_at};

#[test]
fn rfc_7515_a1_and_rfc_7519_3_1_decode_and_verify() {
    let token = a1();
    let key = URL_SAFE_NO_PAD.decode(HS256_KEY).unwrap();
    let report = examine(&token, &secret(key), 1_300_819_379);
    assert_eq!(report.shape, Shape::Jws);
    assert_eq!((report.alg.as_deref(), report.typ.as_deref()), (Some("HS256"), Some("JWT")));
    assert_eq!(report.signature, Signature::Valid);
    assert_eq!(report.validity, Validity::Valid);
    assert_eq!(report.problems, []);
    let names: Vec<_> = report.claims.iter().map(|claim| claim.name.as_str()).collect();
    assert_eq!(names, ["iss", "exp", "http://example.com/is_root"]);
    assert_eq!(report.claim("iss").unwrap().raw, "\"joe\"");
    assert_eq!(report.exp, Some(1_300_819_380.0));
    assert_eq!(validity_at(&report, 1_300_819_380.0, 0.0), Validity::Expired);
    assert_eq!(validity_at(&report, 1_300_819_380.0, 60.0), Validity::Valid);
}

#[test]
fn a_jwk_with_a_symmetric_key_verifies() {
    let jwk = format!(r#"{{"kty":"oct","k":"{HS256_KEY}"}}"#);
    assert_eq!(examine(&a1(), &secret(jwk), 0).signature, Signature::Valid);
}

#[test]
fn rfc_7515_a2_verifies_with_pem_and_jwk_set() {
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.{RS256_SIGNATURE}");
    let set = format!(r#"{{"keys":[{ES256_JWK},{{"kty":"RSA","n":"{RS256_N}","e":"AQAB"}}]}}"#);
    for key in [RS256_PEM.to_owned(), set] {
        let report = examine(&token, &secret(key), 0);
        assert_eq!((report.signature, report.problems.len()), (Signature::Valid, 0), "{report:?}");
    }
    let cut = &token[..token.len() - 300];
    assert_eq!(examine(cut, &secret(RS256_PEM), 0).shape, Shape::Truncated);
    let changed = token.replacen(".cC4", ".cC5", 1);
    assert_eq!(examine(&changed, &secret(RS256_PEM), 0).signature, Signature::Invalid);
    assert_eq!(examine(&token, &secret(ES256_PEM), 0).signature, Signature::Unchecked);
    let report = examine(&token, &secret("text"), 0);
    assert_eq!((report.signature, report.alg_mismatch), (Signature::Unchecked, true));
}

#[test]
fn rfc_7515_a3_verifies_with_pem_and_jwk() {
    let token = format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.{ES256_SIGNATURE}");
    for key in [ES256_JWK, ES256_PEM] {
        let report = examine(&token, &secret(key), 0);
        assert_eq!((report.signature, report.problems.len()), (Signature::Valid, 0), "{report:?}");
    }
}

#[test]
fn rfc_7515_a4_verifies_although_it_holds_no_claims() {
    let jwk = r#"{"kty":"EC","crv":"P-521",
        "x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}"#;
    let token = "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZq\
                 wqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    let report = examine(token, &secret(jwk), 0);
    assert_eq!((report.signature, report.shape), (Signature::Valid, Shape::Malformed));
    assert_eq!(kinds(token), [ProblemKind::BadJson]);
}

#[test]
fn rfc_7515_a6_and_a7_are_tokens_in_json_serialization() {
    let rs256 = format!(
        r#"{{"protected":"eyJhbGciOiJSUzI1NiJ9","header":{{"kid":"2010-12-29"}},"signature":"{RS256_SIGNATURE}"}}"#
    );
    let es256 = format!(r#""protected":"eyJhbGciOiJFUzI1NiJ9","signature":"{ES256_SIGNATURE}""#);
    let general = format!(r#"{{"payload":"{CLAIMS}","signatures":[{rs256},{{{es256}}}]}}"#);
    let found = candidates(&general);
    assert_eq!(found.len(), 2);
    for (one, key) in found.iter().zip([RS256_PEM, ES256_PEM]) {
        let report = examine(&one.text, &secret(key), 0);
        assert_eq!((report.signature, report.problems.len()), (Signature::Valid, 0), "{report:?}");
    }
    let flattened = candidates(&format!(r#"{{"payload":"{CLAIMS}",{es256}}}"#));
    assert_eq!(flattened, [found[1].clone()]);
}

#[test]
fn rfc_7515_a5_is_unsecured() {
    let token = format!("eyJhbGciOiJub25lIn0.{CLAIMS}.");
    let report = examine(&token, &[], 0);
    assert_eq!((report.shape, report.signature), (Shape::Jws, Signature::Unchecked));
    assert_eq!(kinds(&token), [ProblemKind::AlgNone]);
    assert_eq!(examine(&token, &secret("s"), 0).signature, Signature::Invalid);
}

#[test]
fn rfc_8037_a4_verifies_although_it_holds_no_claims() {
    let report = examine(ED25519_TOKEN, &secret(ED25519_JWK), 0);
    assert_eq!((report.signature, report.shape), (Signature::Valid, Shape::Malformed));
    assert_eq!(report.validity, Validity::Unknown);
    assert!(report.problem(ProblemKind::BadJson).is_some());
    let short = r#"{"kty":"OKP","crv":"Ed25519","x":"11qY"}"#;
    assert_eq!(examine(ED25519_TOKEN, &secret(short), 0).signature, Signature::Unchecked);
}

/// The key of RFC 8032 §7.4 for a message of one byte, written as RFC 8037 §2 says; the signatures are OpenSSL's.
#[test]
fn rfc_8032_ed448_key_verifies_and_signs() {
    let jwk = |more: &str| {
        let x = "Q7oo9DDN_0Vq5TFUX37NCsg0pV2TWMA3K_oMbGeYwIZq6gHrAHQoArhDjqTLghacI1FgYntMOpSA";
        format!(r#"{{"kty":"OKP","crv":"Ed448","x":"{x}"{more}}}"#)
    };
    let d = r#","d":"xOqwXTVwB8Yy89u0hImSTVUrCP4MNToNSh8ArNosRjr76mfF6NKHfF47w5emWZSe-AIelU4KEidO""#;
    let claims = "eyJzdWIiOiJhIn0";
    let by_openssl = format!("eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.{claims}.{ED448_SIGNATURE}");
    let named = format!("eyJhbGciOiJFZDQ0OCIsInR5cCI6IkpXVCJ9.{claims}.{ED448_NAMED_SIGNATURE}");
    for key in [jwk(""), jwk(d)] {
        for token in [&by_openssl, &named] {
            let report = examine(token, &secret(key.as_str()), 0);
            assert_eq!((report.signature, report.problems.as_slice()), (Signature::Valid, &[][..]), "{report:?}");
            let changed = token.replacen(claims, "eyJzdWIiOiJiIn0", 1);
            assert_eq!(examine(&changed, &secret(key.as_str()), 0).signature, Signature::Invalid);
        }
    }
    assert_eq!(mint(r#"{"sub":"a"}"#, "EdDSA", jwk(d).as_bytes()).unwrap(), by_openssl);
    let report = examine(&named, &secret(ED25519_JWK), 0);
    assert_eq!((report.signature, report.alg_mismatch), (Signature::Unchecked, true));
    for x in ["", "Q7oo", &"_".repeat(76)] {
        let broken = format!(r#"{{"kty":"OKP","crv":"Ed448","x":"{x}"}}"#);
        assert_ne!(examine(&named, &secret(broken), 0).signature, Signature::Valid, "{x}");
    }
}

#[test]
fn rfc_7516_a1_is_encrypted() {
    let header = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ";
    let report = examine(&format!("{header}.OKOawDo13.48V1_ALb6US04U3b.5eym8TW.XFBoMYUZ"), &secret("s"), 0);
    assert_eq!((report.shape, report.alg.as_deref()), (Shape::Jwe, Some("RSA-OAEP")));
    assert_eq!(report.problems, []);
    assert_eq!(examine(&format!("{header}.OKOawDo13.48V1"), &[], 0).shape, Shape::Truncated);
    let rfc_7519_a1 =
        "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.QR1Owv2ug2.AxY8DCtDaGlsbGljb3RoZQ.MKOle7UQrG.XFBo";
    let report = examine(rfc_7519_a1, &[], 0);
    assert_eq!((report.shape, report.alg.as_deref()), (Shape::Jwe, Some("RSA1_5")));
}

const ED448_SIGNATURE: &str = "NQP1n6iItukVNV_kfqi7or4bpHmWaDzDik5XhyvZoqG_bdBvuIWLjSKVr8H5vmrdjhbw7XNPEewAoUhOwOmkDUYUnAm6\
                               HjrKTFZOy_jtvgRia9StanoxHbG8PkvkVIoH5vo7V0NqjC-98rMWuD7L3zUA";
const ED448_NAMED_SIGNATURE: &str = "fBCc5j7NlIdjyD-oAK4itN7NrtiFEwoPl3tHFhSIQYWyKYAKMXLUB52ggSsmYh62ufW5NAHgwWOAdT1iecaXV1xv\
                                     zKMJhPqGWS98_ZmeuZldA5pdPlow7fyPMzcN0UehL_JwxhTGleS9g0beN1fVdSYA";
