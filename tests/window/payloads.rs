//! Payloads: the hex dump and the JSON tree.

use crate::support::window;
use egui::accesskit::Role;
use egui::{Event, Key, OutputCommand, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use serde_json::{Value, json};
use sockeye::ui::hex_view::{HexField, HexOutput, HexState, HexView};
use sockeye::ui::json_tree::{JsonOutput, JsonTree};
use std::cell::RefCell;
use std::rc::Rc;

/// A masked text frame, RFC 6455 §5.7: `Hello`.
const HELLO: [u8; 11] = [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58];

fn hello_fields() -> Vec<HexField> {
    [
        (0..1, "FIN/RSV/opcode", "FIN, text"),
        (1..2, "MASK/length", "masked, 5 bytes"),
        (2..6, "masking-key", "37 FA 21 3D"),
        (6..11, "payload", ""),
    ]
    .map(|(range, label, meaning)| HexField { range, label: label.to_owned(), meaning: meaning.to_owned() })
    .to_vec()
}

fn dump(bytes: Vec<u8>, fields: Vec<HexField>) -> (Harness<'static>, Rc<RefCell<(HexState, HexOutput)>>) {
    let seen = Rc::new(RefCell::new((HexState::default(), HexOutput::default())));
    let inner = Rc::clone(&seen);
    let harness = window(vec2(700.0, 240.0), move |ui| {
        let (state, output) = &mut *inner.borrow_mut();
        *output = HexView::new("Frame", &bytes).fields(&fields).show(ui, state);
    });
    (harness, seen)
}

fn tree(value: Value) -> (Harness<'static>, Rc<RefCell<JsonOutput>>) {
    let seen = Rc::new(RefCell::new(JsonOutput::default()));
    let inner = Rc::clone(&seen);
    let mut tree = JsonTree::new();
    let harness = window(vec2(500.0, 400.0), move |ui| {
        *inner.borrow_mut() = tree.show(ui, "Message", &value);
    });
    (harness, seen)
}

fn copied(harness: &Harness<'_>) -> Option<String> {
    let commands = &harness.output().platform_output.commands;
    commands.iter().find_map(|command| match command {
        OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

fn nodes(harness: &Harness<'_>) -> usize {
    harness.root().children_recursive().count()
}

#[test]
fn hovering_a_byte_names_its_field_and_the_reverse() {
    let (mut harness, seen) = dump(HELLO.to_vec(), hello_fields());
    harness.run();
    let row = harness.get_by_role(Role::ListBoxOption).rect();
    // The third byte: eight digits, two blanks and two bytes to its left.
    let width = 7.53;
    let third = egui::pos2(row.left() + 8.0 + (10.0 + 6.5) * width, row.center().y);
    harness.hover_at(third);
    harness.run_steps(3);
    assert_eq!(seen.borrow().1.hovered, Some(2));
    assert_eq!(seen.borrow().1.hovered_field, Some(2));

    harness.get_by_label_contains("payload").hover();
    harness.run_steps(3);
    assert_eq!(seen.borrow().1.hovered_field, Some(3));
}

#[test]
fn a_chip_selects_its_bytes_and_they_can_be_copied() {
    let (mut harness, seen) = dump(HELLO.to_vec(), hello_fields());
    harness.get_by_label_contains("masking-key").click();
    harness.run_steps(3);
    assert_eq!(seen.borrow().0.selection(), Some(2..6));
    harness.get_by_role_and_label(Role::ListBox, "Frame").focus();
    harness.run_steps(2);
    harness.event(Event::Copy);
    harness.step();
    assert_eq!(copied(&harness).as_deref(), Some("37 fa 21 3d"));
}

#[test]
fn sixty_four_mebibytes_are_a_handful_of_rows() {
    let (mut harness, seen) = dump(vec![0xAB; 64 << 20], Vec::new());
    harness.run();
    assert!(nodes(&harness) < 60, "{} nodes", nodes(&harness));
    seen.borrow_mut().0.select((64 << 20) - 1..64 << 20);
    harness.run();
    harness.get_by_label_contains("3FFFFF0: ab ab");
}

#[test]
fn an_empty_dump_says_so() {
    let (harness, _) = dump(Vec::new(), Vec::new());
    harness.get_by_label("No bytes");
}

#[test]
fn nodes_open_by_click_and_by_key() {
    let (mut harness, seen) = tree(json!({
        "type": "ready",
        "user": {"id": 7, "roles": ["admin", "tester"]},
    }));
    harness.get_by_label("type: ready");
    harness.get_by_label("id: 7");
    assert!(harness.query_by_label("1: tester").is_none());

    harness.get_by_label("roles: array, 2 items").click();
    harness.run();
    harness.get_by_label("1: tester").click();
    harness.run();
    assert_eq!(seen.borrow().selected.as_deref(), Some("/user/roles/1"));

    harness.key_press(Key::ArrowLeft);
    harness.run();
    assert_eq!(seen.borrow().selected.as_deref(), Some("/user/roles"));
    harness.key_press(Key::ArrowLeft);
    harness.run();
    assert!(harness.query_by_label("1: tester").is_none());
    harness.key_press(Key::ArrowRight);
    harness.run();
    harness.get_by_label("1: tester");
}

#[test]
fn the_selected_value_is_copied_whole() {
    let long = "x".repeat(5000);
    let (mut harness, _) = tree(json!({ "long": long }));
    harness.get_by_label_contains("long: x").click();
    harness.run();
    harness.event(Event::Copy);
    harness.step();
    assert_eq!(copied(&harness), Some(long));
}

#[test]
fn a_million_items_stay_a_page_of_widgets() {
    let (mut harness, _) = tree(Value::Array((0..1_000_000).map(Value::from).collect()));
    harness.run();
    assert!(nodes(&harness) < 200, "{} nodes", nodes(&harness));
    harness.get_by_label("members 0 to 9999").click();
    harness.run();
    harness.get_by_label("members 100 to 199").click();
    harness.run();
    harness.get_by_label("100: 100");
    assert!(nodes(&harness) < 200, "{} nodes", nodes(&harness));
}

#[test]
fn a_peers_bidi_override_is_drawn_as_its_code() {
    let (harness, _) = tree(json!({"file": "gnp\u{202E}exe.png"}));
    harness.get_by_label("file: gnp⟨U+202E⟩exe.png");
}
