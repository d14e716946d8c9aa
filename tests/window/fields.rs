//! Every text field of the whole window, and what people and programs paste into it by mistake.

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::ui::App;
use sockeye::ui::action::{Action, Tab};
use sockeye::ui::form::{ExpectChoice, HeaderRow, PlaceChoice};
use std::collections::BTreeSet;

pub(crate) type Window = Harness<'static, App>;

/// A window so tall that no field is outside of it.
pub(crate) const TALL: [f32; 2] = [1280.0, 2400.0];

/// What people and programs paste by mistake, by name.
pub(crate) fn bad_texts() -> [(&'static str, String); 6] {
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

/// Opens every section of the form of `window`, with a header beside what is there.
pub(crate) fn open_sections(window: &mut Window) {
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
}

/// Goes through each tab with the fields that it brings, one choice of the form after the other, and gives every field to
/// `visit` once; returns their names.
pub(crate) fn each_field(window: &mut Window, mut visit: impl FnMut(&mut Window, &str)) -> BTreeSet<String> {
    let places = [PlaceChoice::Query, PlaceChoice::Header, PlaceChoice::Cookie, PlaceChoice::FirstMessage];
    let expectations = [ExpectChoice::First, ExpectChoice::Contains, ExpectChoice::JsonPointer, ExpectChoice::Regex];
    let mut seen = BTreeSet::new();
    for (place, expect) in places.into_iter().zip(expectations) {
        for tab in [Tab::Connection, Tab::Token, Tab::Practice, Tab::Sessions, Tab::Console] {
            let form = window.state_mut().form_mut();
            form.move_token(place);
            form.expect = expect;
            form.recheck();
            window.state_mut().act(Action::Tab(tab));
            window.run_steps(2);
            for field in names(window).into_iter().filter(|field| !seen.contains(field)).collect::<Vec<_>>() {
                visit(window, &field);
                empty(window, &field);
                seen.insert(field);
            }
        }
    }
    seen
}

/// Selects all that is in a field and puts `text` in its place; the paste is taken in the next pass.
pub(crate) fn begin_paste(window: &mut Window, field: &str, text: &str) {
    let Some(node) = window.query_all_by_label(field).next() else {
        return;
    };
    node.focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.event(Event::Paste(text.to_owned()));
}

/// The names of the fields that can be typed into at the moment.
fn names(window: &Window) -> BTreeSet<String> {
    let roles = [Role::TextInput, Role::MultilineTextInput, Role::PasswordInput];
    let nodes = window.root().children_recursive();
    nodes
        .filter(|node| roles.contains(&node.accesskit_node().role()) && !node.accesskit_node().is_disabled())
        .filter_map(|node| node.accesskit_node().label())
        .collect()
}

/// Takes the text out again, of a field or of the summary that stands for a big text.
fn empty(window: &mut Window, field: &str) {
    let clear = window.query_all_by_label("Clear").next().map(|button| button.click());
    window.run_steps(2);
    if clear.is_none() {
        begin_paste(window, field, " ");
        window.run_steps(2);
    }
}
