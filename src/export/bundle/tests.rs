//! What leaves in a bundle: every file, and no secret in any shape.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::export::testing::{TOKEN, Told, chat, opening, received, sent};
use crate::wire::encode_frame;

fn unzipped(bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut files = BTreeMap::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        files.insert(file.name().unwrap().into_owned(), content);
    }
    files
}

fn contains(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

const JWT_SECRET: &str = "s3cr3t/With+Signs=and\"quotes\"";
const PASSWORD: &str = "tr0ub4dor-and-3";
const API_KEY: &str = "k-9f8e7d6c5b4a";
const BASIC: &str = "admin:open-Sesame-7";

/// A session in which four secrets stand in more than ten shapes.
fn planted() -> Told {
    let key = Some([9, 8, 7, 6]);
    let hex = |text: &str| text.bytes().fold(String::new(), |out, byte| format!("{out}{byte:02x}"));
    let percent = |text: &str| text.bytes().fold(String::new(), |out, byte| format!("{out}%{byte:02X}"));
    let line = |text: String| Fact::ConsoleLine { source: "npm run dev".to_owned(), text };
    let json =
        serde_json::json!({"type": "auth", "password": PASSWORD, "nested": format!("{{\"apiKey\": \"{API_KEY}\"}}")});
    let inner = STANDARD.encode(format!("{{\"password\":\"{PASSWORD}\",\"apiKey\":\"{API_KEY}\"}}"));
    let mut facts = opening();
    let fragments = encode_frame(0x01, key, &format!("{{\"session\":\"{TOKEN}").as_bytes()[..40]);
    let rest = encode_frame(0x80, key, &format!("{{\"session\":\"{TOKEN}\"}}").as_bytes()[40..]);
    facts.extend([
        line(format!("JWT_SECRET={JWT_SECRET}")),
        line(format!("> node server.js --token {TOKEN} --api-key={API_KEY}")),
        line(format!("GET /?token={} 101", percent(TOKEN))),
        line(format!("secret is {} in base64", STANDARD.encode(JWT_SECRET))),
        line(format!("Authorization: Basic {}", STANDARD.encode(BASIC))),
        sent(encode_frame(0x81, key, json.to_string().as_bytes())),
        sent([fragments, rest].concat()),
        received(encode_frame(0x81, None, serde_json::json!({"echo": json.to_string()}).to_string().as_bytes())),
        received(encode_frame(0x81, None, format!("{{\"data\":\"{inner}\"}}").as_bytes())),
        received(encode_frame(0x82, None, format!("\0\u{1}{PASSWORD}\0{API_KEY}\0").as_bytes())),
        received(encode_frame(0x81, None, format!("hex {}", hex(PASSWORD)).as_bytes())),
        received(encode_frame(0x81, None, format!("<p>{}</p>", JWT_SECRET.replace('"', "&quot;")).as_bytes())),
        received(encode_frame(0x81, None, URL_SAFE_NO_PAD.encode(format!("x{TOKEN}")).as_bytes())),
        received(encode_frame(0x88, None, format!("\u{3}\u{f0}bad key {API_KEY}").as_bytes())),
        Fact::EndpointError { text: format!("connect ws://{BASIC}@h/?secret={}", percent(JWT_SECRET)) },
        Fact::ReadEnded(crate::observation::ReadEnd::Fin),
    ]);
    Told::new(facts)
}

/// Every shape in which a byte search looks for a secret.
fn shapes(secret: &str) -> Vec<Vec<u8>> {
    let percent = |upper: bool| {
        secret.bytes().fold(String::new(), |out, byte| {
            if upper { format!("{out}%{byte:02X}") } else { format!("{out}%{byte:02x}") }
        })
    };
    let some: String = secret
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("%{:02X}", u32::from(c)) })
        .collect();
    let json = serde_json::to_string(secret).unwrap().trim_matches('"').to_owned();
    let twice = serde_json::to_string(&json).unwrap().trim_matches('"').to_owned();
    let hex = secret.bytes().fold(String::new(), |out, byte| format!("{out}{byte:02x}"));
    let mut shapes = vec![
        secret.to_owned(),
        secret.chars().rev().take(secret.len().min(20)).collect::<Vec<_>>().into_iter().rev().collect(),
        secret.chars().take(20).collect(),
        percent(true),
        percent(false),
        some,
        json,
        twice,
        hex.to_uppercase(),
        hex,
        secret.replace('"', "&quot;").replace('&', "&amp;"),
        secret.replace('"', "&#34;"),
    ];
    for before in ["", "x", "xy"] {
        // The digits that depend on the secret alone.
        let text = STANDARD.encode(format!("{before}{secret}"));
        let whole = (before.len() + secret.len()) / 3 * 4;
        let from = (before.len() * 8).div_ceil(6);
        shapes.push(text[from..whole].to_owned());
        shapes.push(text[from..whole].replace('+', "-").replace('/', "_"));
    }
    shapes.into_iter().map(String::into_bytes).collect()
}

#[test]
fn no_planted_secret_leaves_in_any_shape() {
    let told = planted();
    let plain = unzipped(&told.export("bundle", None));
    let files = unzipped(&told.export("bundle", Some(&mut Redactor::new())));
    let password = BASIC.split(':').nth(1).unwrap();
    let signature = TOKEN.rsplit('.').next().unwrap();
    for secret in [TOKEN, signature, JWT_SECRET, PASSWORD, API_KEY, BASIC, password, "cookie-value-1"] {
        let is_there = shapes(secret).iter().any(|shape| plain.values().any(|file| contains(file, shape)));
        assert!(is_there, "{secret} is planted");
        for (name, file) in &files {
            for shape in shapes(secret) {
                let shown = String::from_utf8_lossy(&shape).into_owned();
                assert!(!contains(file, &shape), "{name} holds {secret} as {shown}");
            }
        }
    }
}

#[test]
fn one_secret_has_one_mark_in_every_file() {
    let files = unzipped(&planted().export("bundle", Some(&mut Redactor::new())));
    let text = |name: &str| String::from_utf8_lossy(&files[name]).into_owned();
    for name in ["session.jsonl", "handshake.txt", "console.txt", "ticket.md"] {
        assert!(text(name).contains("<token#1>"), "{name}");
        assert!(!text(name).contains("<token#2>"), "{name} has a second mark for the only token");
    }
    assert!(text("report.html").contains("&lt;token#1&gt;"));
    assert!(text("README.txt").contains("<token#1>"), "{}", text("README.txt"));
}

#[test]
fn a_preview_tells_what_would_be_written() {
    let told = Told::new(chat());
    let zipped = unzipped(&told.export("bundle", Some(&mut Redactor::new())));
    let checklist = Vec::new();
    let selection = crate::export::Selection::All;
    let material =
        Material { story: &told.story, checklist: &checklist, source: &told, selection: &selection, system: &[] };
    let mut redactor = Redactor::new();
    let preview = crate::export::exporter(ID).unwrap().preview(&material, Some(&mut redactor)).unwrap();
    let names: Vec<&str> = preview.files.iter().map(|file| file.name.as_str()).collect();
    assert!(names.iter().all(|name| zipped.contains_key(*name)) && names.len() == zipped.len(), "{names:?}");
    let lines = preview.files.iter().find(|file| file.name == "session.jsonl").unwrap();
    assert_eq!(lines.beginning, zipped["session.jsonl"]);
    assert_eq!(lines.len_bytes, zipped["session.jsonl"].len() as u64);
    assert!(preview.marks.iter().any(|mark| mark.words == "<token#1>" && mark.times > 3), "{:?}", preview.marks);
}
