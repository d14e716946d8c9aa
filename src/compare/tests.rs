//! Sessions that differ in one thing, and what is said of them.

use super::*;
use crate::export::testing::{TOKEN, Told, chat, opening, received, sent};
use crate::observation::{Fact, ReadEnd};
use crate::wire::encode_frame;

fn compared(one: &Told, other: &Told) -> Comparison {
    let one = Side { story: &one.story, source: one };
    compare(one, Side { story: &other.story, source: other }, &mut Redactor::new()).unwrap()
}

fn text(message: &str) -> Fact {
    received(encode_frame(0x81, None, message.as_bytes()))
}

fn with(messages: &[&str]) -> Told {
    let mut facts = opening();
    facts.extend(messages.iter().map(|message| text(message)));
    facts.push(Fact::ReadEnded(ReadEnd::Fin));
    Told::new(facts)
}

/// What differs, and what it is in each.
fn decisive(found: &Comparison) -> Vec<(Part, String, [Option<String>; 2])> {
    let decisive = found.differences.iter().filter(|difference| !difference.is_volatile);
    decisive.map(|difference| (difference.part, difference.what.clone(), difference.values.clone())).collect()
}

#[test]
fn a_session_is_the_same_as_itself() {
    let told = Told::new(chat());
    let found = compared(&told, &told);
    assert_eq!((found.differences.len(), found.is_same(true), found.messages), (0, true, [4, 4]));
}

#[test]
fn volatile_fields_stand_apart() {
    let one = with(&[r#"{"type":"ready","ts":1763800000123,"id":"123e4567-e89b-12d3-a456-426614174000"}"#]);
    let other = with(&[r#"{"type":"ready","ts":1763800009999,"id":"00000000-e89b-12d3-a456-426614174000"}"#]);
    let found = compared(&one, &other);
    assert!(found.is_same(false) && !found.is_same(true), "{found:?}");
    let names: Vec<&str> = found.differences.iter().map(|difference| difference.what.as_str()).collect();
    assert_eq!(names, ["message 1 received, /ts", "message 1 received, /id"]);
}

#[test]
fn the_member_that_differs_is_named_with_its_rows() {
    let found =
        compared(&with(&[r#"{"type":"ready","ok":true}"#, "same"]), &with(&[r#"{"type":"ready","ok":false}"#, "same"]));
    let first = found.first().unwrap();
    assert_eq!((first.part, first.what.as_str()), (Part::Frames, "message 1 received, /ok"));
    assert_eq!(first.values, [Some("true".to_owned()), Some("false".to_owned())]);
    assert_eq!(first.rows, [Some(6), Some(6)]);
}

#[test]
fn a_message_more_does_not_make_the_rest_differ() {
    let found = compared(&with(&["a", "b", "c", "d"]), &with(&["a", "x", "y", "b", "c", "d", "e"]));
    let frames = |found: &Comparison| decisive(found).into_iter().filter(|d| d.0 == Part::Frames).collect::<Vec<_>>();
    let what: Vec<(String, bool)> =
        frames(&found).into_iter().map(|(_, what, values)| (what, values[0].is_none())).collect();
    let wanted = [("message 2 received", true), ("message 3 received", true), ("message 7 received", true)];
    assert_eq!(what, wanted.map(|(what, missing)| (what.to_owned(), missing)));
    assert_eq!(found.messages, [4, 7]);
}

#[test]
fn texts_differ_from_a_byte_on_and_binaries_too() {
    let found = compared(&with(&["hello world"]), &with(&["hello there"]));
    assert_eq!(decisive(&found)[0].1, "message 1 received, from byte 6 on");
    let bytes = |payload: &[u8]| {
        let mut facts = opening();
        facts.push(received(encode_frame(0x82, None, payload)));
        Told::new(facts)
    };
    let found = compared(&bytes(&[1, 2, 3]), &bytes(&[1, 2, 4, 5]));
    assert_eq!(decisive(&found)[0].2, [Some("3 bytes".to_owned()), Some("4 bytes".to_owned())]);
}

#[test]
fn close_and_verdict_differ() {
    let mut facts = chat();
    facts.truncate(10);
    facts.push(Fact::ReadEnded(ReadEnd::Reset));
    let found = compared(&Told::new(chat()), &Told::new(facts));
    let parts: Vec<Part> = decisive(&found).into_iter().map(|difference| difference.0).collect();
    assert!(parts.contains(&Part::Close) && parts.contains(&Part::Verdict) && parts.is_sorted(), "{parts:?}");
}

#[test]
fn headers_and_parameters_are_compared_by_name() {
    let request = |target: &str, headers: &str| {
        let mut facts = opening();
        facts[3] = sent(format!(
            "GET {target} HTTP/1.1\r\nHost: h\r\n{headers}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ));
        Told::new(facts)
    };
    let one = request(&format!("/?token={TOKEN}&a=1"), "Origin: http://a\r\n");
    let other = request("/?token=other-token-9&a=2&b=", "origin: http://a\r\nX-New: 1\r\n");
    let found = compared(&one, &other);
    let what: Vec<String> = decisive(&found).into_iter().map(|difference| difference.1).collect();
    for wanted in ["the query parameter a", "the query parameter b", "the header x-new"] {
        assert!(what.iter().any(|what| what == wanted), "{wanted} in {what:?}");
    }
    assert!(found.of(Part::Request).any(|d| d.what == "the query parameter token" && d.is_volatile));
    let same = compared(&one, &one);
    assert!(same.is_same(true));
}

#[test]
fn a_report_holds_no_secret() {
    let one = with(&[r#"{"password":"tr0ub4dor-and-3","n":1}"#]);
    let other = with(&[r#"{"password":"corr3ct-horse","n":2}"#]);
    let mut redactor = Redactor::new();
    let found =
        compare(Side { story: &one.story, source: &one }, Side { story: &other.story, source: &other }, &mut redactor)
            .unwrap();
    let lines = report(&found, ["a.sockeye", "b.sockeye"], Some(&mut redactor));
    let text: String = lines.iter().map(|line| line.text() + "\n").collect();
    let json = as_json(&found, Some(&mut redactor)).to_string();
    for text in [&text, &json] {
        assert!(!text.contains("tr0ub4dor") && !text.contains("corr3ct") && text.contains("<secret#1>"), "{text}");
    }
    assert!(text.contains("First difference: frames, message 1 received, /password"), "{text}");
}
