//! The log: empty, full, filtered, paused, a million rows.

use crate::panels_fixture::{Recording, Stage, broken, died, endless, long, stage};
use crate::support::shot;
use egui::accesskit::Role;
use egui::{Event, Key, Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::diagnosis::Place;
use sockeye::observation::{Direction, Moment};
use sockeye::store::View;
use sockeye::ui::panels::timeline::Timeline;
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn log(view: Option<View>) -> (Harness<'static>, Stage<Timeline>) {
    stage(Theme::Dark, vec2(720.0, 420.0), view, Timeline::default(), Timeline::show)
}

fn rows(harness: &Harness<'_>) -> Vec<String> {
    let list = harness.get_by_role_and_label(Role::ListBox, "Log");
    let rows = list.children_recursive().filter(|row| row.accesskit_node().role() == Role::ListBoxOption);
    rows.filter_map(|row| row.accesskit_node().label()).collect()
}

fn grow(stage: &Stage<Timeline>, rows: u64) {
    let view = stage.view.borrow().as_ref().map(|view| View { rows, ..(**view).clone() });
    *stage.view.borrow_mut() = view.map(Arc::new);
}

#[test]
fn an_empty_log_teaches_and_offers_the_practice_server() {
    let (mut harness, stage) = log(None);
    harness.get_by_label_contains("every step stands here");
    harness.get_by_role_and_label(Role::Button, "Connect to the practice server").click();
    harness.run_steps(2);
    assert_eq!(stage.taken(), ["Practice(None)"]);
    let (harness, _) = log(Some(Recording::default().view()));
    harness.get_by_label("Nothing has happened yet");
}

#[test]
fn phases_frames_and_the_end_stand_in_one_list() {
    let (harness, _) = log(Some(died().view()));
    let rows = rows(&harness);
    let has = |text: &str| rows.iter().any(|row| row.contains(text));
    assert!(has("received text, 104 B, {\"type\":\"ready\""), "{rows:#?}");
    assert!(has("sent ping, 1 B"));
    assert!(has("event tcp, [::1]:3001: connection refused (os error 111)"));
    assert!(has("event console, [WebSocket] ⟨U+202E⟩❌ Fatal error"));
    assert!(has("received FIN, the server ended TCP (FIN), at 2.312 s, 2.28 s after the row above"));
    assert!(rows.iter().all(|row| !row.contains('\u{202E}')));
}

#[test]
fn violations_close_frames_and_cuts_say_what_they_are() {
    let (harness, _) = log(Some(broken().view()));
    harness.get_by_label_contains("received violation, a server must not mask");
    harness.get_by_label_contains("received close, 15 B, 1008 Policy Violation “token expired”");
    let (harness, _) = log(Some(long().view()));
    harness.get_by_label_contains("received cut off, declared 5\u{202F}000 B, received 1\u{202F}196 B");
}

#[test]
fn rows_that_are_being_loaded_are_placeholders_and_then_appear() {
    let (view, is_pending) = died().pending_view();
    is_pending.store(true, Ordering::Relaxed);
    let (mut harness, stage) = log(Some(view.clone()));
    assert!(rows(&harness).iter().all(|row| row.ends_with("is being loaded")));
    stage.panel.borrow_mut().go_to_place(&view, Place { direction: Direction::ServerToClient, offset: 0 });
    harness.run_steps(2);
    assert_eq!(stage.panel.borrow().selected_row(), None);
    is_pending.store(false, Ordering::Relaxed);
    harness.run_steps(3);
    let selected = stage.panel.borrow().selected_row().expect("a row");
    harness.get_by_label_contains("received text");
    assert!(selected > 8);
}

#[test]
fn rows_that_were_seen_stay_while_their_page_is_loaded_again() {
    let (view, is_pending) = died().pending_view();
    let (mut harness, _) = log(Some(view));
    is_pending.store(true, Ordering::Relaxed);
    harness.run_steps(3);
    harness.get_by_label_contains("sent ping");
    assert!(harness.query_by_label_contains("is being loaded").is_none());
}

#[test]
fn a_million_rows_scroll_exactly() {
    let (mut harness, stage) = log(Some(endless(1_000_000)));
    harness.get_by_label_contains("row 999999,");
    for row in [0, 333_333, 777_777, 999_999] {
        stage.panel.borrow_mut().select_row(row);
        harness.run_steps(3);
        assert_eq!(stage.panel.borrow().selected_row(), Some(row));
        harness.get_by_label_contains(&format!("row {row},"));
    }
    let view = stage.view.borrow().clone().expect("a view");
    stage.panel.borrow_mut().go_to_moment(&view, Moment::from_millis(421_337));
    harness.run_steps(3);
    harness.get_by_label_contains("row 421337,").click();
    harness.run_steps(2);
    harness.key_press(Key::ArrowDown);
    harness.run_steps(2);
    assert_eq!(stage.panel.borrow().selected_row(), Some(421_338));
    harness.key_press(Key::Home);
    harness.run_steps(2);
    assert_eq!(stage.panel.borrow().selected_row(), Some(0));
    assert!(rows(&harness).len() < 30);
}

#[test]
fn the_log_follows_only_at_its_end_and_says_what_is_new() {
    let (mut harness, stage) = log(Some(endless(100)));
    grow(&stage, 101);
    harness.run_steps(2);
    harness.get_by_label_contains("row 100,");
    harness.get_by_label_contains("row 95,").click();
    harness.run_steps(2);
    grow(&stage, 1305);
    harness.run_steps(2);
    harness.get_by_label_contains("row 95,");
    harness.get_by_role_and_label(Role::Button, "↓ 1\u{202F}204 new").click();
    harness.run_steps(3);
    harness.get_by_label_contains("row 1304,");
}

#[test]
fn space_pauses_the_view_and_not_the_recording() {
    let (mut harness, stage) = log(Some(endless(100)));
    harness.get_by_label_contains("row 99,").click();
    harness.run_steps(2);
    harness.key_press(Key::Space);
    harness.run_steps(2);
    grow(&stage, 140);
    harness.run_steps(2);
    assert!(harness.query_by_label_contains("row 139,").is_none());
    harness.get_by_label("40 new rows are recorded.");
    harness.get_by_role_and_label(Role::Button, "Go on").click();
    harness.run_steps(3);
    harness.get_by_label_contains("row 139,");
}

#[test]
fn clearing_hides_and_keeps() {
    let (mut harness, stage) = log(Some(endless(1204)));
    harness.get_by_role_and_label(Role::Button, "Clear").click();
    harness.run_steps(2);
    harness.get_by_label("The log was cleared");
    grow(&stage, 1206);
    harness.run_steps(2);
    assert_eq!(rows(&harness).len(), 2);
    harness.get_by_label("Show 1\u{202F}204 hidden rows").click();
    harness.run_steps(3);
    stage.panel.borrow_mut().select_row(3);
    harness.run_steps(3);
    harness.get_by_label_contains("row 3,");
}

#[test]
fn a_filter_says_how_far_it_has_looked_and_finds_all() {
    let (mut harness, stage) = log(Some(endless(100_000)));
    harness.get_by_label("Filter by text").click();
    harness.run_steps(2);
    harness.event(Event::Text("\"ROW 9999".to_owned()));
    harness.step();
    harness.get_by_label_contains("looked at ");
    harness.run_steps(12);
    harness.get_by_label("11 of 100\u{202F}000 rows");
    assert_eq!(rows(&harness).len(), 11);
    harness.get_by_label_contains("row 99995,").click();
    harness.run_steps(2);
    assert_eq!(stage.panel.borrow().selected_row(), Some(99_995));
    stage.panel.borrow_mut().next_match(true);
    harness.run_steps(3);
    assert_eq!(stage.panel.borrow().selected_row(), Some(99_994));
    stage.panel.borrow_mut().select_row(5);
    harness.run_steps(3);
    assert!(stage.taken().iter().any(|action| action.contains("filter")));
    harness.get_by_label_contains("row 5,");
}

#[test]
fn a_filter_that_finds_nothing_can_be_taken_away() {
    let (mut harness, _) = log(Some(died().view()));
    harness.get_by_label("Filter by text").click();
    harness.run_steps(2);
    harness.event(Event::Text("no such text".to_owned()));
    harness.run_steps(3);
    harness.get_by_label("No row fits the filter");
    harness.get_by_role_and_label(Role::Button, "Show all rows").click();
    harness.run_steps(3);
    harness.get_by_label_contains("sent ping");
}

#[test]
fn a_mistake_in_the_filter_is_told_and_leaves_the_last_filter_in_force() {
    let (mut harness, _) = log(Some(died().view()));
    harness.get_by_label("Filter by text").click();
    harness.run_steps(2);
    harness.event(Event::Text("kind:ping".to_owned()));
    harness.run_steps(3);
    assert!(rows(&harness).iter().all(|row| row.contains("sent ping")));
    let found = rows(&harness).len();
    harness.event(Event::Text(" size:many".to_owned()));
    harness.run_steps(3);
    harness.get_by_label_contains("size:many: after size: stands a number of bytes");
    assert_eq!(rows(&harness).len(), found);
    shot(&mut harness, "timeline-filter-mistake").expect("the picture is written");
}

#[test]
fn what_could_be_typed_next_is_offered_and_taken_by_a_click() {
    let (mut harness, _) = log(Some(died().view()));
    harness.get_by_label("Filter by text").click();
    harness.run_steps(2);
    harness.event(Event::Text("kind:pi".to_owned()));
    harness.run_steps(3);
    shot(&mut harness, "timeline-filter-typing").expect("the picture is written");
    harness.get_by_role_and_label(Role::Button, "kind:ping").click();
    harness.run_steps(3);
    assert!(!rows(&harness).is_empty() && rows(&harness).iter().all(|row| row.contains("sent ping")));
}

#[test]
fn hits_are_marked_among_all_rows_if_the_others_are_not_hidden() {
    let (mut harness, stage) = log(Some(died().view()));
    harness.get_by_label("Filter by text").click();
    harness.run_steps(2);
    harness.event(Event::Text("ready".to_owned()));
    harness.run_steps(3);
    let hits = rows(&harness).len();
    assert!((1..5).contains(&hits), "{hits} rows");
    harness.get_by_role_and_label(Role::CheckBox, "Show only hits").click();
    harness.run_steps(3);
    assert!(rows(&harness).len() > 10);
    stage.panel.borrow_mut().next_match(false);
    harness.run_steps(3);
    harness.get_by_label("hit 1 is selected");
    let first = stage.panel.borrow().selected_row();
    stage.panel.borrow_mut().next_match(true);
    harness.run_steps(3);
    assert!(first.is_some());
    shot(&mut harness, "timeline-hits").expect("the picture is written");
}

#[test]
fn the_menu_filters_marks_and_copies() {
    let (mut harness, stage) = log(Some(died().view()));
    harness.get_by_label_contains("sent text").click_secondary();
    harness.run_steps(3);
    shot(&mut harness, "timeline-menu").expect("the picture is written");
    harness.get_by_role_and_label(Role::Button, "Copy payload").click();
    harness.run_steps(2);
    assert_eq!(stage.copied().as_deref(), Some(r#"{"hello":1,"file":"gnp\u202Eexe"}"#));
    harness.get_by_label_contains("sent text").click_secondary();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, "Mark (M)").click();
    harness.run_steps(3);
    harness.get_by_label_contains("marked, sent text").click_secondary();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, "Show only sent").click();
    harness.run_steps(3);
    assert!(rows(&harness).iter().all(|row| row.contains("sent ")));
}

#[test]
fn a_long_payload_is_copied_once_it_is_loaded() {
    let recording = long();
    let is_pending = Arc::clone(&recording.is_payload_pending);
    let (mut harness, stage) = log(Some(recording.view()));
    harness.get_by_label_contains("received text").click_secondary();
    harness.run_steps(3);
    is_pending.store(true, Ordering::Relaxed);
    harness.get_by_role_and_label(Role::Button, "Copy payload").click();
    harness.run_steps(3);
    assert_eq!(stage.copied(), None);
    is_pending.store(false, Ordering::Relaxed);
    harness.run_steps(2);
    assert!(stage.copied().is_some_and(|text| text.len() > 100_000));
}

#[test]
fn jump_to_close_selects_the_close_frame() {
    let (mut harness, stage) = log(Some(broken().view()));
    harness.get_by_role_and_label(Role::Button, "To close").click();
    harness.run_steps(3);
    let list = harness.get_by_label_contains("1008 Policy Violation “token expired”");
    assert_eq!(list.accesskit_node().is_selected(), Some(true));
    assert!(stage.panel.borrow().selected_row().is_some());
}

#[test]
fn a_narrow_log_keeps_its_buttons_in_a_menu() {
    let view = Some(broken().view());
    let (mut harness, stage) = stage(Theme::Dark, vec2(545.0, 300.0), view, Timeline::default(), Timeline::show);
    assert!(harness.query_by_role_and_label(Role::Button, "To close").is_none());
    harness.get_by_role_and_label(Role::Button, "More").click();
    harness.run_steps(3);
    shot(&mut harness, "timeline-more").expect("the picture is written");
    harness.get_by_role_and_label(Role::Button, "To close").click();
    harness.run_steps(3);
    assert!(stage.panel.borrow().selected_row().is_some());
}

#[test]
fn columns_can_be_chosen() {
    let (mut harness, _) = log(Some(died().view()));
    harness.get_by_role_and_label(Role::Button, "Columns").click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::CheckBox, "flags").click();
    harness.run_steps(3);
    shot(&mut harness, "timeline-columns").expect("the picture is written");
}

#[test]
fn pictures_of_the_log() {
    for (theme, name) in [(Theme::Dark, "dark"), (Theme::Light, "light")] {
        let views = [("empty", None), ("full", Some(died().view())), ("broken", Some(broken().view()))];
        for (state, view) in views {
            let (mut harness, stage) = stage(theme, vec2(720.0, 440.0), view, Timeline::default(), Timeline::show);
            stage.panel.borrow_mut().select_row(12);
            harness.run_steps(4);
            shot(&mut harness, &format!("timeline-{state}-{name}")).expect("the picture is written");
        }
        let (mut harness, _) =
            stage(theme, vec2(420.0, 300.0), Some(long().view()), Timeline::default(), Timeline::show);
        harness.run_steps(2);
        shot(&mut harness, &format!("timeline-narrow-{name}")).expect("the picture is written");
    }
}
