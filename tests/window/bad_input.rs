//! Bad input in every field: words at the field, no panic, nothing that a widget would have to lay out.

use crate::app::{first_start, replace};
use crate::fields::{TALL, Window, bad_texts, begin_paste, each_field, open_sections};
use egui::Theme;
use egui_kittest::kittest::{NodeT as _, Queryable as _};

/// The form with every section open.
fn window() -> Window {
    let mut window = first_start(Theme::Dark, TALL, 1.0);
    open_sections(&mut window);
    window
}

/// The longest value or label that any widget of this pass holds.
fn longest(window: &Window) -> usize {
    let len = |text: Option<String>| text.map_or(0, |text| text.len());
    let nodes = window.root().children_recursive();
    nodes.map(|node| len(node.value()).max(len(node.accesskit_node().label()))).max().unwrap_or(0)
}

#[test]
fn every_field_takes_every_bad_text_without_harm() {
    let mut window = window();
    let seen = each_field(&mut window, |window, field| {
        for (name, text) in bad_texts() {
            begin_paste(window, field, &text);
            window.run_steps(2);
            let most = longest(window);
            assert!(most <= 80 * 1024, "{name} in {field}: {most} bytes in a widget");
        }
    });
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
