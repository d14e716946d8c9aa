//! Big text, big pastes, toasts.

use crate::support::window;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::ui::big_text::BigText;
use sockeye::ui::paste::{BIG, take_big_paste};
use sockeye::ui::toasts::Toasts;
use std::cell::RefCell;
use std::rc::Rc;

fn field() -> (Harness<'static>, Rc<RefCell<String>>) {
    let text = Rc::new(RefCell::new(String::new()));
    let inner = Rc::clone(&text);
    let harness = window(vec2(600.0, 120.0), move |ui| {
        BigText::new("Message").hint("Text to send").show(ui, &mut inner.borrow_mut());
    });
    (harness, text)
}

/// The longest value or label that any widget of this pass holds.
fn longest(harness: &Harness<'_>) -> usize {
    let nodes = harness.root().children_recursive();
    nodes
        .map(|node| {
            let node = node.accesskit_node();
            let value = node.value().map_or(0, |value| value.len());
            let label = node.label().map_or(0, |label| label.len());
            value.max(label)
        })
        .max()
        .unwrap_or(0)
}

#[test]
fn small_text_is_a_text_field() {
    let (mut harness, text) = field();
    harness.get_by_label("Message").focus();
    harness.run();
    harness.get_by_label("Message").type_text("hello");
    harness.run();
    harness.event(Event::Paste(" there".to_owned()));
    harness.run();
    assert_eq!(*text.borrow(), "hello there");
    harness.get_by_role_and_label(Role::TextInput, "Message");
}

#[test]
fn a_big_paste_never_reaches_a_text_field() {
    let (mut harness, text) = field();
    harness.get_by_label("Message").focus();
    harness.run();
    let paste = format!("first line\n{}", "x".repeat(10_000_000));
    harness.event(Event::Paste(paste.clone()));
    harness.run();
    assert_eq!(*text.borrow(), paste);
    assert!(harness.query_by_role(Role::TextInput).is_none());
    harness.get_by_label("Message: 9.5 MiB of text");
    harness.get_by_label("first line");
    assert!(longest(&harness) < 1000, "{} bytes in a widget", longest(&harness));

    harness.get_by_role_and_label(Role::Button, "Clear").click();
    harness.run();
    assert_eq!(*text.borrow(), "");
    assert!(harness.get_by_role_and_label(Role::TextInput, "Message").is_focused());
}

#[test]
fn a_big_paste_replaces_what_is_selected() {
    let (mut harness, text) = field();
    *text.borrow_mut() = "keep drop".to_owned();
    harness.get_by_label("Message").focus();
    harness.run();
    harness.key_press(Key::End);
    harness.run();
    harness.key_press_modifiers(Modifiers::SHIFT | Modifiers::CTRL, Key::ArrowLeft);
    harness.run();
    harness.event(Event::Paste("y".repeat(BIG + 1)));
    harness.run();
    assert!(text.borrow().starts_with("keep yyy"));
    assert_eq!(text.borrow().len(), "keep ".len() + BIG + 1);
}

#[test]
fn a_big_paste_without_focus_waits_for_whoever_asks() {
    let taken = Rc::new(RefCell::new(None));
    let inner = Rc::clone(&taken);
    let mut other = String::new();
    let mut harness = window(vec2(600.0, 120.0), move |ui| {
        BigText::new("Message").show(ui, &mut other);
        if let Some(text) = take_big_paste(ui.ctx()) {
            *inner.borrow_mut() = Some((text.len(), other.len()));
        }
    });
    harness.event(Event::Paste("z".repeat(BIG + 1)));
    harness.run();
    assert_eq!(*taken.borrow(), Some((BIG + 1, 0)));
}

#[test]
fn a_toast_is_announced_and_leaves_after_three_seconds() {
    let toasts = Rc::new(RefCell::new(Toasts::default()));
    let inner = Rc::clone(&toasts);
    let mut harness = window(vec2(600.0, 200.0), move |ui| {
        ui.label("content");
        inner.borrow_mut().show(ui);
    });
    toasts.borrow_mut().done("Copied the value");
    harness.run_steps(6);
    harness.get_by_role_and_label(Role::Status, "Copied the value");
    harness.run_steps(14);
    assert!(toasts.borrow().is_empty());
    harness.step();
    assert!(harness.query_by_label("Copied the value").is_none());
}
