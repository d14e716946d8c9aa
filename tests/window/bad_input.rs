//! Bad input in every field: words at the field, no panic, nothing that a widget would have to lay out.

use crate::app::{first_start, replace};
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::ui::App;
use sockeye::ui::action::{Action, Tab};
use sockeye::ui::form::{ExpectChoice, HeaderRow, PlaceChoice};
use std::collections::BTreeSet;

type Window = Harness<'static, App>;

/// A window so tall that no field is outside of it.
const TALL: [f32; 2] = [1280.0, 2400.0];

/// What people and programs paste by mistake, by name.
fn bad_texts() -> [(&'static str, String); 6] {
    let bytes: Vec<u8> = (0..=255).cycle().take(2048).collect();
    [
        ("binary", String::from_utf8_lossy(&bytes).into_owned()),
        ("bidi", "\u{202E}gnp.exe\u{2066}\u{200B}\u{FEFF}".to_owned()),
        ("NUL", "a\0b".to_owned()),
        ("1e9", "1e9".to_owned()),
        ("lines", "one\r\ntwo: three\n\n".to_owned()),
        ("10 MB", "x\0\u{202E}é".repeat(1_500_000)),
    ]
}

/// The form with every section open and every choice that brings a field with it.
fn window() -> Window {
    let mut window = first_start(Theme::Dark, TALL, 1.0);
    window.state_mut().act(Action::OwnForm);
    window.run_steps(2);
    let form = window.state_mut().form_mut();
    form.headers.push(HeaderRow { is_on: true, name: "X-Trace".to_owned(), value: "1".to_owned() });
    form.recheck();
    window.run_steps(2);
    let closed = |node: &egui_kittest::Node<'_>| node.accesskit_node().data().is_expanded() == Some(false);
    let titles: Vec<String> =
        window.root().children_recursive().filter(closed).filter_map(|node| node.accesskit_node().label()).collect();
    for title in titles {
        let found = window.query_all_by_label(&title).next().map(|node| node.click()).is_some();
        assert!(found, "{title} is there");
        window.run_steps(4);
    }
    window
}

/// The names of the fields that can be typed into at the moment.
fn fields(window: &Window) -> BTreeSet<String> {
    let roles = [Role::TextInput, Role::MultilineTextInput, Role::PasswordInput];
    let nodes = window.root().children_recursive();
    nodes
        .filter(|node| roles.contains(&node.accesskit_node().role()) && !node.accesskit_node().is_disabled())
        .filter_map(|node| node.accesskit_node().label())
        .collect()
}

fn paste_into(window: &mut Window, field: &str, text: &str) {
    let Some(node) = window.query_all_by_label(field).next() else {
        return;
    };
    node.focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.event(Event::Paste(text.to_owned()));
    window.run_steps(2);
}

/// Takes the text out again, of a field or of the summary that stands for a big text.
fn empty(window: &mut Window, field: &str) {
    let clear = window.query_all_by_label("Clear").next().map(|button| button.click());
    window.run_steps(2);
    if clear.is_none() {
        paste_into(window, field, " ");
    }
}

/// The longest value or label that any widget of this pass holds.
fn longest(window: &Window) -> usize {
    let len = |text: Option<String>| text.map_or(0, |text| text.len());
    let nodes = window.root().children_recursive();
    nodes.map(|node| len(node.value()).max(len(node.accesskit_node().label()))).max().unwrap_or(0)
}

/// Each tab with the fields that it brings, one choice of the form after the other, so that no field is left out.
#[test]
fn every_field_takes_every_bad_text_without_harm() {
    let places = [PlaceChoice::Query, PlaceChoice::Header, PlaceChoice::Cookie, PlaceChoice::FirstMessage];
    let expectations = [ExpectChoice::First, ExpectChoice::Contains, ExpectChoice::JsonPointer, ExpectChoice::Regex];
    let mut seen = BTreeSet::new();
    let mut window = window();
    for (place, expect) in places.into_iter().zip(expectations) {
        for tab in [Tab::Connection, Tab::Token, Tab::Practice, Tab::Sessions] {
            let form = window.state_mut().form_mut();
            form.move_token(place);
            form.expect = expect;
            form.recheck();
            window.state_mut().act(Action::Tab(tab));
            window.run_steps(2);
            for field in fields(&window).into_iter().filter(|field| !seen.contains(field)).collect::<Vec<_>>() {
                for (name, text) in bad_texts() {
                    paste_into(&mut window, &field, &text);
                    let most = longest(&window);
                    assert!(most <= 80 * 1024, "{name} in {field}: {most} bytes in a widget");
                }
                empty(&mut window, &field);
                seen.insert(field);
            }
        }
    }
    assert!(seen.len() >= 20, "{seen:#?}");
}

#[test]
fn what_is_wrong_is_told_at_the_field() {
    let mut window = window();
    for (field, text, words) in [
        ("URL", "ws://localhost:1000000000/", "port"),
        ("URL", "localhost:3001/", "ws://"),
        ("URL", "ws://h\0ost/", "cannot stand in a host name"),
        ("Header 1 value", "a\0b", "cannot travel in a header"),
        ("Header 1 name", "X \u{202E}", "no header name may"),
        ("Origin", "http://a\u{7}", "cannot travel in a header"),
        ("Subprotocols", "a b", "subprotocol"),
        ("Connect time-out in seconds", "1e9", "at most 86400"),
        ("Upgrade time-out in seconds", "\u{202E}5", "is no number of seconds"),
        ("Confirmation time-out in seconds", "-1", "at most 86400"),
        ("Path of the authority's file", "ca\0.pem", "which no path can"),
        ("Path of the secret's file", "\u{1b}[31m", "which no path can"),
    ] {
        replace(&mut window, field, text);
        let said = window.query_all_by_label_contains(words).next().is_some();
        assert!(said, "{field}: nothing says “{words}” of {text:?}");
    }
}
