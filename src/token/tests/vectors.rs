//! The examples of RFC 7515, 7516, 7519 and 8037.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{
    CLAIMS, ED25519_JWK, ED25519_TOKEN, ES256_JWK, ES256_PEM, ES256_SIGNATURE, HS256_KEY, RS256_N, RS256_PEM,
    RS256_SIGNATURE, a1, kinds, secret,
};
use crate::token::{ProblemKind, Shape, Signature, Validity, candidates, examine, validity_at};

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
