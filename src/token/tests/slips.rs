//! Shapes, problems and their positions, claims and dates.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{CLAIMS, HS256_HEADER, HS256_KEY, HS256_SIGNATURE, a1, kinds, secret, token};
use crate::token::{ProblemKind, Shape, Signature, TokenReport, Validity, decode, examine, validity_at};

#[test]
fn each_text_has_its_shape() {
    let whole = a1();
    let cases = [
        ("", Shape::Empty),
        ("  ", Shape::Empty),
        ("\"\"", Shape::Empty),
        ("undefined", Shape::Placeholder),
        ("Bearer null", Shape::Placeholder),
        ("eyJ...", Shape::Malformed),
        ("eyJhbGciOiJIUzI1NiJ9.eyJz…", Shape::Truncated),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJz...c8", Shape::Truncated),
        ("abc123", Shape::Opaque),
        ("sk_live_51H+/=", Shape::Opaque),
        ("www.example.com", Shape::Malformed),
        ("a.b", Shape::Malformed),
        ("a.b.c.d", Shape::Malformed),
        ("..", Shape::Malformed),
        (".", Shape::Malformed),
        (&whole[..20], Shape::Malformed),
        (&whole[..HS256_HEADER.len()], Shape::Truncated),
        (&whole[..60], Shape::Truncated),
        (&whole[..whole.len() - HS256_SIGNATURE.len() - 1], Shape::Truncated),
        (&whole[..whole.len() - 1], Shape::Truncated),
        (&whole[..whole.len() - HS256_SIGNATURE.len()], Shape::Jws),
        (&whole, Shape::Jws),
    ];
    for (text, shape) in cases {
        assert_eq!(decode(text).shape, shape, "{text:?}");
        let report = examine(text, &secret("x"), 0);
        assert_eq!(report.present, shape != Shape::Empty, "{text:?}");
    }
    assert_eq!(TokenReport::absent().shape, Shape::Absent);
}

#[test]
fn each_slip_is_a_problem_and_the_rest_is_read() {
    use ProblemKind::{
        BadBase64, BearerPrefix, DoubleEncoded, EmptySignature, PartCount, Plus, Quoted, SignatureLength,
        SurroundingText, Whitespace,
    };
    let whole = a1();
    let signature_at = whole.len() - HS256_SIGNATURE.len();
    let cases: [(String, &[ProblemKind], bool); 15] = [
        (format!("Bearer {whole}"), &[BearerPrefix], true),
        (format!("\"{whole}\""), &[Quoted, Quoted], true),
        (format!("{whole}\r\n"), &[Whitespace], true),
        (format!("\u{feff}{whole}"), &[Whitespace], true),
        (format!("{}\n{}", &whole[..76], &whole[76..]), &[Whitespace], true),
        (whole.replace('.', "%2E"), &[DoubleEncoded], true),
        (whole.replace('-', "+").replace('_', "/") + "=", &[Plus], true),
        (whole.replace('-', " "), &[Whitespace], true),
        (format!("ws://localhost:3001/?token={whole}&agentId=a1"), &[SurroundingText, SurroundingText], true),
        (format!("{{\"token\":\"{whole}\"}}"), &[SurroundingText, SurroundingText], true),
        (format!("{whole}x"), &[SignatureLength], false),
        (format!("{whole}xy"), &[SignatureLength], false),
        (format!("{whole}.x"), &[PartCount], false),
        (whole[..signature_at].to_owned(), &[EmptySignature], false),
        (format!("{}!{}", &whole[..signature_at + 5], &whole[signature_at + 6..]), &[BadBase64], false),
    ];
    let key = URL_SAFE_NO_PAD.decode(HS256_KEY).unwrap();
    for (text, expected, is_mendable) in cases {
        let decoded = decode(&text);
        let found: Vec<_> = decoded.problems.iter().map(|problem| problem.kind).collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(decoded.mended.as_deref() == Some(whole.as_str()), is_mendable, "{text} {:?}", decoded.mended);
        assert_eq!(decoded.claims.len(), 3, "{text}");
        let expected = if is_mendable { Signature::Valid } else { Signature::Invalid };
        let signature = examine(&text, &secret(key.clone()), 0).signature;
        if decoded.signed.is_some() {
            assert_eq!(signature, expected, "{text}");
        }
    }
}

#[test]
fn positions_point_at_the_fault_in_the_original() {
    let whole = a1();
    let at = HS256_HEADER.len() + 1 + 10;
    let broken = format!("Bearer {}!{}", &whole[..at], &whole[at + 1..]);
    let decoded = decode(&broken);
    let problem = decoded.problem(ProblemKind::BadBase64).unwrap();
    assert_eq!((problem.at, problem.len), (7 + at, 1));
    assert_eq!(&broken[decoded.segments.header.clone()], HS256_HEADER);
    assert_eq!(&broken[decoded.segments.signature.clone()], HS256_SIGNATURE);

    let doubled = token(r#"{"exp":"soon","sub":"a","sub":"b"}"#);
    let decoded = decode(&doubled);
    for (kind, json) in [(ProblemKind::NonNumericDate, "\"soon\""), (ProblemKind::DuplicateClaim, "\"b\"")] {
        let problem = decoded.problem(kind).unwrap();
        let start = (problem.at - decoded.segments.payload.start) / 4 * 4;
        let part = &doubled[decoded.segments.payload.start + start..decoded.segments.payload.end];
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        assert!(text.find(json).is_some_and(|at| at <= 3), "{kind:?} {text}");
    }
}

#[test]
fn claims_keep_their_raw_texts_and_say_what_is_odd() {
    use ProblemKind::{DuplicateClaim, HugeNumber, MillisecondsDate, NonNumericDate};
    let cases: [(&str, &[ProblemKind], Validity); 12] = [
        (r#"{"exp":2000}"#, &[], Validity::Valid),
        (r#"{"exp":999.5}"#, &[], Validity::Expired),
        (r#"{"exp":2000,"nbf":1500}"#, &[], Validity::NotYetValid),
        ("{}", &[], Validity::NoExpiry),
        (r#"{"exp":"2000"}"#, &[NonNumericDate], Validity::Unknown),
        (r#"{"exp":null}"#, &[NonNumericDate], Validity::Unknown),
        (r#"{"iat":"x","exp":2000}"#, &[NonNumericDate], Validity::Valid),
        (r#"{"exp":1700000000000}"#, &[MillisecondsDate], Validity::Valid),
        (r#"{"exp":1,"exp":2000}"#, &[DuplicateClaim], Validity::Valid),
        (r#"{"id":12345678901234567890123}"#, &[HugeNumber], Validity::NoExpiry),
        (r#"{"id":9007199254740991}"#, &[], Validity::NoExpiry),
        (r#"{"exp":1e400}"#, &[NonNumericDate], Validity::Unknown),
    ];
    for (claims, expected, validity) in cases {
        let report = examine(&token(claims), &secret("s3cret"), 1000);
        let found: Vec<_> = report.problems.iter().map(|problem| problem.kind).collect();
        assert_eq!((found.as_slice(), report.validity), (expected, validity), "{claims}");
        assert_eq!(report.signature, Signature::Valid);
        assert_eq!(validity_at(&report, 1000.0, 0.0), validity, "{claims}");
    }
    let report = examine(&token(r#"{"id":12345678901234567890123,"iat":2000}"#), &[], 1000);
    assert_eq!(report.claims[0].raw, "12345678901234567890123");
    assert!(report.notes.iter().any(|note| note.contains("in the future")));
}

#[test]
fn headers_say_what_is_odd() {
    use ProblemKind::{AlgNone, MissingAlg, NonStringKid, NotAnObject, UnknownAlg};
    let cases: [(&str, &[ProblemKind]); 7] = [
        (r#"{"typ":"JWT"}"#, &[MissingAlg]),
        (r#"{"alg":256}"#, &[MissingAlg]),
        (r#"{"alg":"hs256"}"#, &[UnknownAlg]),
        (r#"{"alg":"HS512","kid":1}"#, &[NonStringKid]),
        (r#"{"alg":"NONE"}"#, &[AlgNone, ProblemKind::SignatureLength]),
        ("[1]", &[NotAnObject]),
        (r#"{"alg":"ES256K"}"#, &[]),
    ];
    for (header, expected) in cases {
        let signature = "A".repeat(86);
        let text = format!("{}.{CLAIMS}.{signature}", URL_SAFE_NO_PAD.encode(header));
        assert_eq!(kinds(&text), expected, "{header}");
    }
}

#[test]
fn audiences_are_one_string_or_several() {
    let audiences = |claims: &str| examine(&token(claims), &[], 0).audiences();
    assert_eq!(audiences(r#"{"aud":"a"}"#), ["a"]);
    assert_eq!(audiences(r#"{"aud":["a","b"]}"#), ["a", "b"]);
    assert!(audiences(r#"{"aud":1}"#).is_empty() && audiences("{}").is_empty());
}
