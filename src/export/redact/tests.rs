//! No secret survives, in whatever form it stands.

use super::*;

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const OTHER: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJiIn0.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A generator of numbers that is the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn secret(&mut self) -> String {
        const SIGNS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+/=%&\"\\ !$";
        let len = 8 + self.roll(80);
        let secret: String = (0..len).map(|_| char::from(SIGNS[self.roll(SIGNS.len())])).collect();
        // What begins an escape at the very end would become another one with the text behind it.
        secret.trim_end_matches(['\\', '%', '&']).to_owned()
    }
}

fn percent_all(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| format!("{out}%{byte:02X}"))
}

fn percent_some(text: &str) -> String {
    let encode = |c: char| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("%{:02x}", u32::from(c)) };
    text.chars().map(encode).collect()
}

#[test]
fn patterns_can_be_built() {
    assert!(Patterns::default().is_complete());
}

#[test]
fn no_form_of_a_secret_survives() {
    let mut dice = Dice(0x5eed);
    for _ in 0..300 {
        let secret = dice.secret();
        if canonical(secret.as_bytes()).len() < 6 {
            continue;
        }
        let mut redactor = Redactor::new();
        redactor.learn_token(&secret);
        let base64 = base64::engine::general_purpose::STANDARD.encode(format!("x{secret}"));
        let json = serde_json::to_string(&secret).unwrap();
        for form in [
            secret.clone(),
            percent_all(&secret),
            percent_some(&secret),
            percent_all(&percent_all(&secret)),
            percent_some(&percent_some(&secret)),
            json.trim_matches('"').to_owned(),
            serde_json::to_string(&json).unwrap(),
            secret.replace('&', "&amp;").replace('"', "&quot;"),
            base64,
        ] {
            for (before, after) in [("", ""), ("{\"a\": \"", "\"}"), ("at /?x=", "&y=1"), ("é", "ü\n")] {
                let text = format!("{before}{form}{after}");
                let redacted = redactor.text(&text);
                assert!(redacted.contains("<token#1>"), "{secret:?} in {text:?} gave {redacted:?}");
                assert!(!redacted.contains(secret.trim()), "{secret:?} in {redacted:?}");
                let undone = canonical(redacted.as_bytes());
                let plain = canonical(secret.as_bytes());
                assert!(!undone.windows(plain.len()).any(|w| w == plain), "{secret:?} in {redacted:?}");
            }
        }
    }
}

#[test]
fn each_secret_has_one_mark() {
    let mut redactor = Redactor::new();
    let text = format!("{TOKEN} {OTHER} {TOKEN} {}", percent_all(OTHER));
    assert_eq!(redactor.text(&text), "<token#1> <token#2> <token#1> <token#2>");
    let parts: Vec<&str> = TOKEN.split('.').collect();
    assert_eq!(redactor.text(&format!("signature {} only", parts[2])), "signature <token#1> only");
    assert_eq!(redactor.text(&format!("began with {}…", &TOKEN[21..40])), "began with <token#1>…");
}

#[test]
fn urls_keep_their_shape() {
    let mut redactor = Redactor::new();
    let check = |redactor: &mut Redactor, url: &str, wanted: &str| assert_eq!(redactor.url(url), wanted, "{url}");
    check(
        &mut redactor,
        &format!("ws://localhost:3001/?token={TOKEN}&agentId=a1"),
        "ws://localhost:3001/?token=<token#1>&agentId=a1",
    );
    check(&mut redactor, "ws://h/?token=undefined&key=null", "ws://h/?token=undefined&key=null");
    check(&mut redactor, "ws://h/?token=", "ws://h/?token=");
    check(&mut redactor, "ws://h/?token=abc", "ws://h/?token=<token#2>");
    check(&mut redactor, "ws://h/?x=1&api_key=k-123&y", "ws://h/?x=1&api_key=<secret#1>&y");
    check(&mut redactor, "ws://me:hunter22@h/", "ws://me:<secret#2>@h/");
    check(&mut redactor, &format!("ws://h/?token=Bearer%20{TOKEN}"), "ws://h/?token=Bearer%20<token#1>");
    check(&mut redactor, "ws://h/?token=ab%2526cdefg%26rest", "ws://h/?token=<token#3>");
}

#[test]
fn headers_lose_their_credentials_only() {
    let mut redactor = Redactor::new();
    let mut check = |name: &str, value: &str, wanted: &str| assert_eq!(redactor.header(name, value), wanted, "{name}");
    check("Authorization", &format!("Bearer {TOKEN}"), "Bearer <token#1>");
    check("Authorization", "Bearer opaque-1", "Bearer <token#2>");
    check("authorization", "Basic dTpodW50ZXIyMg==", "Basic <authorization#1>");
    check("Cookie", "sid=s3cr3t-1; theme=dark", "sid=<cookie#1>; theme=<cookie#2>");
    check("Set-Cookie", "sid=s3cr3t-1; Path=/; HttpOnly", "sid=<cookie#1>; Path=/; HttpOnly");
    check("X-Api-Key", "k-123", "<secret#1>");
    check("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==");
    check("Host", "localhost:3001", "localhost:3001");
}

#[test]
fn secrets_are_found_by_the_names_before_them() {
    let mut redactor = Redactor::new();
    let mut check = |text: &str, wanted: &str| assert_eq!(redactor.text(text), wanted);
    check("JWT_SECRET=s3cr3t!", "JWT_SECRET=<secret#1>");
    check("node server.js --secret s3cr3t!x --port 3001", "node server.js --secret <secret#2> --port 3001");
    check(
        "sockeye token --secret-file key.txt --token-in query:token",
        "sockeye token --secret-file key.txt --token-in query:token",
    );
    check("  JWT_SECRET: s3cr3t!x", "  JWT_SECRET: <secret#2>");
    check(r#"{"accessToken": "abc-123", "code": 1008}"#, r#"{"accessToken": "<token#1>", "code": 1008}"#);
    check(r#"{"token":"expired","auth":"ok"}"#, r#"{"token":"expired","auth":"ok"}"#);
    check("Cookie: a=bcdefgh\r\nHost: x", "Cookie: a=<cookie#1>\r\nHost: x");
    check("see ws://h/?next=ws%3A%2F%2Fi%2F%3Ftoken%3Dabc-124", "see ws://h/?next=ws%3A%2F%2Fi%2F%3Ftoken%3D<token#2>");
    check(
        "[WebSocket] Request URL: /?token=qwerty-9&agentId=1",
        "[WebSocket] Request URL: /?token=<token#3>&agentId=1",
    );
    check(
        "[WebSocket] JWT_SECRET configured: Yes (custom secret)",
        "[WebSocket] JWT_SECRET configured: Yes (custom secret)",
    );
    check("the token was sent as qwerty-9", "the token was sent as <token#3>");
    check("Bearer prefix", "Bearer prefix");
    check("<token#1> stays", "<token#1> stays");
}

#[test]
fn secrets_of_the_user_are_found_in_other_readings() {
    let mut redactor = Redactor::new();
    redactor.learn_secret(b"\"my-very-own-secret\"\n");
    assert_eq!(redactor.text("it was my-very-own-secret"), "it was <secret#1>");
    assert_eq!(redactor.text("my%2Dvery%2Down%2Dsecret!"), "<secret#1>!");
}

#[test]
fn a_secret_cut_into_fragments_does_not_survive() {
    let mut redactor = Redactor::new();
    redactor.learn_token(TOKEN);
    let text = format!("x {TOKEN} y");
    for size in [1, 2, 7, 30] {
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
        let redacted = redactor.pieces(&pieces);
        assert_eq!(redacted.len(), pieces.len());
        assert_eq!(String::from_utf8(redacted.concat()).unwrap(), "x <token#1> y", "{size}");
    }
}

#[test]
fn binary_around_a_secret_is_kept() {
    let mut redactor = Redactor::new();
    redactor.learn_token(TOKEN);
    let mut bytes = vec![0xFF, 0x00, b'%', b'+'];
    bytes.extend_from_slice(TOKEN.as_bytes());
    bytes.extend_from_slice(&[0xC3, 0x28]);
    assert_eq!(redactor.bytes(&bytes), [&[0xFF, 0x00, b'%', b'+'][..], b"<token#1>", &[0xC3, 0x28]].concat());
}

#[test]
fn json_values_are_redacted_save_closed_words() {
    let mut redactor = Redactor::new();
    redactor.learn_secret(b"certain");
    let mut value = serde_json::json!({"certainty": "certain", "text": ["it is certain"], "url": "ws://h/?token=ab1"});
    redactor.value(&mut value, &["certainty"]);
    assert_eq!(
        value,
        serde_json::json!({"certainty": "certain", "text": ["it is <secret#1>"], "url": "ws://h/?token=<token#1>"})
    );
}

#[test]
fn large_texts_take_little_time() {
    let mut redactor = Redactor::new();
    redactor.learn_token(TOKEN);
    for unit in [
        "{\"type\":\"audio\",\"seq\":123456,\"data\":\"AAECAwQFBgc=\"}",
        "%25",
        "\\u00",
        "eyJ.",
        "token=",
        "&#x2F;",
        "a=b&",
    ] {
        let text = unit.repeat((1 << 15) / unit.len());
        redactor.text(&text);
    }
}

#[test]
fn a_token_in_the_first_message_is_known_by_its_template() {
    use crate::observation::{Direction, Moment};
    use crate::store::{FrameRow, Row, RowBody};
    use crate::wire::{FrameHeader, Opcode};
    let mut redactor = Redactor::new();
    redactor.place = Some(TokenPlace::FirstMessage { template: "hello {{token}}!".to_owned() });
    let frame = FrameRow {
        direction: Direction::ClientToServer,
        offset: 0,
        header: FrameHeader { first: 0x81, ..FrameHeader::default() },
        message: Opcode::Text,
        compressed: false,
        inflated: None,
        preview: bytes::Bytes::from_static(b"hello opaque-words!"),
        received: 19,
    };
    redactor.learn_row(&Row { number: 0, at: Moment::default(), body: RowBody::Frame(frame) });
    assert_eq!(redactor.text("you said opaque-words"), "you said <token#1>");
}

#[test]
fn our_own_words_are_no_secrets() {
    use crate::diagnosis::catalogue::causes;
    let mut redactor = Redactor::new();
    let mut changed = Vec::new();
    for cause in causes() {
        let mut texts = vec![cause.title, cause.what, cause.browser];
        texts.extend(cause.seen_with);
        for fix in cause.fixes {
            texts.push(fix.text);
            texts.extend(fix.command.iter().flat_map(|command| [command.unix, command.macos, command.windows]));
        }
        for text in texts {
            let redacted = redactor.text(text);
            if redacted != text {
                changed.push(format!("{}: {redacted}", cause.id));
            }
        }
    }
    assert!(changed.is_empty(), "{changed:#?}");
}
