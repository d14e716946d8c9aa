//! Broken and huge texts: nothing panics, positions stay within the text, time stays linear.

use super::{CLAIMS, ED25519_TOKEN, a1, secret, token};
use crate::token::{Shape, Signature, decode, examine, find_tokens, looks_like_token, place, secrets_from_env};

#[test]
fn mutations_never_panic_and_keep_positions_within_the_text() {
    let mut state: u64 = 0x5eed;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).unwrap()
    };
    let seeds = [
        a1(),
        format!("Bearer \"{}\"", a1()),
        a1().replace('.', "%2E"),
        format!("ws://h/?token={}&x=é", a1()),
        token(r#"{"exp":1,"exp":"é","n":12345678901234567890123}"#),
        ED25519_TOKEN.to_owned(),
        format!("eyJhbGciOiJub25lIn0.{CLAIMS}."),
        "${TOKEN}".to_owned(),
    ];
    let inserts = [
        ".", "%", "%2", "%2E", "\"", " ", "\n", "+", "/", "=", "é", "\u{feff}", "\0", "eyJ", "Bearer ", "日本", "%F0",
        "{", "}",
    ];
    let secrets = secrets_from_env("JWT_SECRET=s3cret\n");
    for round in 0..10_000 {
        let mut text = seeds[round % seeds.len()].clone();
        for _ in 0..=random(4) {
            let at = text.floor_char_boundary(random(text.len() + 1));
            match random(3) {
                0 => text.insert_str(at, inserts[random(inserts.len())]),
                1 => text.truncate(at),
                _ if at < text.len() => {
                    text.remove(at);
                }
                _ => {}
            }
        }
        let decoded = decode(&text);
        for problem in decoded.problems.iter().chain(&place::lint_sent(&text)) {
            assert!(text.get(problem.at..problem.at + problem.len).is_some(), "{text:?} {problem:?}");
        }
        for range in [&decoded.segments.header, &decoded.segments.payload, &decoded.segments.signature] {
            assert!(range.start <= range.end && range.end <= text.len(), "{text:?} {range:?}");
        }
        if let Some(mended) = &decoded.mended {
            let again = decode(mended);
            if decoded.shape == Shape::Jws {
                assert_eq!(again.shape, Shape::Jws, "{text:?} {mended:?}");
            }
        }
        let mut end = 0;
        for range in find_tokens(&text) {
            assert!(range.start >= end && text.get(range.clone()).is_some(), "{text:?}");
            end = range.end;
        }
        looks_like_token(&text);
        if round % 10 == 0 {
            examine(&text, &secrets, 1000);
        }
    }
}

#[test]
fn a_mebibyte_of_anything_is_read_in_linear_time() {
    let (size, piece) = (1 << 20, 1 << 17);
    for unit in ["A", ".", "\"", "%41", "%2E", " ", "e+", "\u{feff}", "\"'", "Bearer "] {
        let text = unit.repeat(piece / unit.len());
        decode(&text);
        decode(&format!("eyJhbGciOiJIUzI1NiJ9.{text}"));
    }
    decode(&"eyJhbGciOiJIUzI1NiJ9.".repeat(size / 21));
    let many = format!("{{\"a\":[{}0]}}", "0,".repeat(size / 2));
    assert_eq!(examine(&token(&many), &secret("s3cret"), 0).signature, Signature::Valid);
    let members = format!("{{{}\"z\":0}}", "\"a\":0,".repeat(20_000));
    assert_eq!(decode(&token(&members)).claims.len(), 20_001);
}
