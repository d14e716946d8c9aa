//! Every exporter over the same session.

use super::testing::{TOKEN, Told, chat, opening, received, sent};
use super::*;
use crate::wire::encode_frame;
use serde_json::Value;

#[test]
fn ids_and_extensions_are_unique() {
    let mut names: Vec<&str> = EXPORTERS.iter().map(|e| e.id).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), EXPORTERS.len());
    let mut extensions: Vec<&str> = EXPORTERS.iter().flat_map(|e| e.extensions).copied().collect();
    let all = extensions.len();
    extensions.sort_unstable();
    extensions.dedup();
    assert_eq!(extensions.len(), all);
    assert_eq!(exporter_for_extension("TXT").map(|e| e.id), Some("text"));
    assert!(exporter("jsonl").is_some() && exporter("sockeye").is_none());
}

#[test]
fn no_exporter_writes_the_token_unless_asked() {
    let told = Told::new(chat());
    let contains = |bytes: &[u8], what: &str| bytes.windows(what.len()).any(|window| window == what.as_bytes());
    // A zip is looked into by the tests of the bundle.
    for exporter in EXPORTERS.iter().filter(|exporter| exporter.id != "bundle") {
        let redacted = told.export(exporter.id, Some(&mut Redactor::new()));
        for secret in [TOKEN, "cookie-value-1", TOKEN.rsplit('.').next().unwrap()] {
            assert!(!contains(&redacted, secret), "{} writes {secret}", exporter.id);
        }
        let plain = told.export(exporter.id, None);
        assert!(contains(&plain, TOKEN) || exporter.id == "json", "{} without redaction", exporter.id);
    }
}

#[test]
fn a_secret_that_is_named_late_is_found_early() {
    let mut facts = opening();
    facts.push(received(encode_frame(0x81, None, b"your word is tr0ub4dor-and-3")));
    facts.push(sent(encode_frame(0x81, Some([1; 4]), br#"{"password":"tr0ub4dor-and-3"}"#)));
    let told = Told::new(facts);
    let lines = told.text("jsonl", Some(&mut Redactor::new()));
    assert!(!lines.contains("tr0ub4dor") && lines.contains("your word is <secret#"), "{lines}");
}

#[test]
fn a_secret_that_is_named_in_a_row_that_is_left_out_is_found_in_the_others() {
    let mut facts = opening();
    facts.push(sent(encode_frame(0x81, Some([1; 4]), br#"{"password":"tr0ub4dor-and-3"}"#)));
    facts.push(received(encode_frame(0x81, None, b"your word is tr0ub4dor-and-3")));
    let told = Told::new(facts);
    let all = told.text("jsonl", None);
    let row = all.lines().position(|line| line.contains("your word")).unwrap() as u64;
    let some = told.export_some("jsonl", Some(&mut Redactor::new()), &Selection::of_rows([row]));
    let some = String::from_utf8(some).unwrap();
    assert!(!some.contains("tr0ub4dor") && some.contains("your word is <secret#"), "{some}");
}

#[test]
fn json_lines_are_json_and_a_selection_is_kept() {
    let told = Told::new(chat());
    let all = told.text("jsonl", None);
    let rows: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.iter().filter(|row| row["kind"] == "frame").count(), 8);
    let some = told.export_some("jsonl", None, &Selection::of_rows([2, 5]));
    let some = String::from_utf8(some).unwrap();
    let numbers: Vec<u64> =
        some.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [2, 5]);
}

#[test]
fn har_holds_the_handshake_and_whole_messages() {
    let told = Told::new(chat());
    let har: Value = serde_json::from_slice(&told.export("har", Some(&mut Redactor::new()))).unwrap();
    let entry = &har["log"]["entries"][0];
    assert_eq!(entry["startedDateTime"], "2025-11-22T08:26:40.123Z");
    assert_eq!(entry["request"]["url"], "ws://localhost:3001/?token=<token#1>&agentId=a1");
    assert_eq!(entry["request"]["queryString"][1]["value"], "a1");
    assert_eq!(entry["request"]["cookies"][0], serde_json::json!({"name": "sid", "value": "<cookie#1>"}));
    assert_eq!((&entry["response"]["status"], &entry["serverIPAddress"]), (&101.into(), &"127.0.0.1".into()));
    let messages: Vec<(String, u64, String)> = entry["_webSocketMessages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            (m["type"].as_str().unwrap().into(), m["opcode"].as_u64().unwrap(), m["data"].as_str().unwrap().into())
        })
        .collect();
    let wanted = [
        ("receive", 1, r#"{"type":"ready","n":1}"#),
        ("send", 1, "hello <b>\u{202E}é"),
        ("receive", 9, "beat"),
        ("receive", 1, "one two"),
        ("receive", 2, "AAEC/w=="),
        ("receive", 8, "1000 bye"),
        ("send", 8, "1000"),
    ];
    assert_eq!(messages, wanted.map(|(kind, opcode, data)| (kind.to_owned(), opcode, data.to_owned())));
}

#[test]
fn har_of_a_refusal_holds_its_body() {
    let mut facts = opening();
    facts.truncate(4);
    facts.push(received(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nSet-Cookie: sid=new-cookie-9\r\nContent-Length: 7\r\n\r\nno way!",
    ));
    let told = Told::new(facts);
    let har: Value = serde_json::from_slice(&told.export("har", Some(&mut Redactor::new()))).unwrap();
    let entry = &har["log"]["entries"][0];
    assert_eq!(entry["response"]["content"]["text"], "no way!");
    assert_eq!(entry["response"]["cookies"][0]["value"], "<cookie#3>");
    assert_eq!(entry["_webSocketMessages"], serde_json::json!([]));
}

/// The TCP payload of each direction, put together from a pcapng by a reader of its own.
fn streams(pcapng: &[u8]) -> ([Vec<u8>; 2], Vec<u8>) {
    let u32_at = |at: usize| u32::from_le_bytes(pcapng[at..at + 4].try_into().unwrap()) as usize;
    let (mut at, mut streams, mut flags) = (0, [Vec::new(), Vec::new()], Vec::new());
    let mut next = [0_u32; 2];
    while at < pcapng.len() {
        let len = u32_at(at + 4);
        assert_eq!(u32_at(at + len - 4), len, "both lengths of a block are the same");
        if u32_at(at) == 6 {
            let packet = &pcapng[at + 28..at + 28 + u32_at(at + 20)];
            let tcp = &packet[20..];
            let side = usize::from(u16::from_be_bytes([tcp[0], tcp[1]]) == 3001);
            let data = &tcp[usize::from(tcp[12] >> 4) * 4..];
            assert_eq!(u32::from_be_bytes(tcp[4..8].try_into().unwrap()), next[side], "sequence numbers go on");
            next[side] = next[side].wrapping_add(data.len() as u32 + u32::from(tcp[13] & 3 != 0));
            streams[side].extend_from_slice(data);
            flags.push(tcp[13]);
        }
        at += len;
    }
    (streams, flags)
}

#[test]
fn pcapng_holds_every_byte_of_the_session() {
    let facts = chat();
    let mut wanted = [Vec::new(), Vec::new()];
    for fact in &facts {
        if let Fact::Bytes { direction, data } = fact {
            wanted[direction.index()].extend_from_slice(data);
        }
    }
    let told = Told::new(facts);
    let (exact, flags) = streams(&told.export("pcapng", None));
    assert_eq!(exact, wanted);
    assert_eq!((flags[..3].to_vec(), flags[flags.len() - 2..].to_vec()), (vec![2, 0x12, 0x10], vec![0x11, 0x11]));
    let all_rows = Selection::of_ranges(std::iter::once(0..1_000));
    assert_eq!(streams(&told.export_some("pcapng", None, &all_rows)).0, wanted, "rows give the same bytes");
    let redacted = streams(&told.export("pcapng", Some(&mut Redactor::new()))).0;
    assert_eq!(redacted[1], wanted[1], "nothing from the server was secret");
    assert!(redacted[0].starts_with(b"GET /?token=<token#1>&agentId=a1 HTTP/1.1\r\n"));
}

#[test]
fn reports_obey_nothing_that_a_peer_says() {
    let mut facts = opening();
    facts.push(received(encode_frame(0x81, None, b"</td><script>alert(1)</script> \x1b[31m `@someone` ```")));
    let told = Told::new(facts);
    let html = told.text("html", Some(&mut Redactor::new()));
    assert!(!html.contains("<script") && !html.contains('\x1b'), "{html}");
    for outside in ["src=", "href=\"http", "url(", "@import", "<link", "<img"] {
        assert!(!html.contains(outside), "the page asks for {outside}");
    }
    let markdown = told.text("md", Some(&mut Redactor::new()));
    assert!(markdown.contains("````text"), "the fence is longer than what is inside: {markdown}");
    assert!(!markdown.contains('\x1b'));
}

#[test]
fn long_logs_are_cut_in_sight() {
    let mut facts = opening();
    facts.extend((0..7_000).map(|n| received(encode_frame(0x81, None, format!("message {n}").as_bytes()))));
    let told = Told::new(facts);
    let html = told.text("html", None);
    assert!(
        html.contains("rows are left out here") && html.contains("message 6999") && !html.contains("message 3000<")
    );
    let markdown = told.text("md", None);
    assert!(markdown.contains("rows left out") && markdown.contains("message 6999") && markdown.len() < 20_000);
}
