//! The whole window over a real engine and the practice server on loopback.

use crate::support::{app, kept_app, shot, wait_for};
use egui::accesskit::{Node as AccessNode, Role};
use egui::{Event, Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::engine::practice::FAULTS;
use sockeye::ui::App;
use sockeye::ui::action::{Action, Tab};
use std::path::{Path, PathBuf};
use std::sync::Arc;

type Window = Harness<'static, App>;

const WIDE: [f32; 2] = [1280.0, 800.0];

pub(crate) fn first_start(theme: Theme, size: [f32; 2], scale: f32) -> Window {
    let mut window = app(theme, size, scale);
    wait_for(&mut window, "the practice URL", |window| window.state().form().practice.is_some());
    window
}

pub(crate) fn state_of(window: &Harness<'_, App>) -> String {
    let labels = window.get_all_by_role(Role::Status).filter_map(|node| node.accesskit_node().label());
    labels.filter_map(|label| label.strip_prefix("State: ").map(str::to_owned)).collect()
}

pub(crate) fn wait_for_state(window: &mut Window, state: &str) {
    wait_for(window, state, |window| state_of(window).starts_with(state));
}

pub(crate) fn wait_for_verdict(window: &mut Window, cause: &str) {
    wait_for(window, cause, |window| {
        let view = window.state().connections().shown_view();
        let verdict = view.and_then(|view| view.story.verdict.as_ref());
        verdict.is_some_and(|verdict| verdict.cause == cause && !verdict.provisional)
    });
    window.run_steps(3);
}

pub(crate) fn command(window: &mut Window, key: Key) {
    window.key_press_modifiers(Modifiers::COMMAND, key);
    window.run_steps(2);
}

/// Puts the cursor into a field and replaces what is in it.
pub(crate) fn replace(window: &mut Window, field: &str, text: &str) {
    window.get_by_role_and_label(Role::TextInput, field).focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.event(Event::Paste(text.to_owned()));
    window.run_steps(2);
}

fn act(window: &mut Window, action: Action) {
    window.state_mut().act(action);
    window.run_steps(2);
}

/// Says whether some widget shows these words.
fn says(window: &Harness<'_, App>, words: &str) -> bool {
    window.query_all_by_label_contains(words).next().is_some()
}

#[test]
fn first_start_and_enter_are_a_healthy_session() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    assert_eq!(state_of(&window), "Not connected");
    shot(&mut window, "first-start").unwrap();
    window.key_press(Key::Enter);
    wait_for_state(&mut window, "Open");
    shot(&mut window, "open").unwrap();
    command(&mut window, Key::D);
    wait_for_state(&mut window, "Closed 1000");
    wait_for(&mut window, "the verdict", |window| says(window, "You closed the connection"));
    shot(&mut window, "closed-by-user").unwrap();
}

#[test]
fn the_practice_server_shows_a_healthy_session() {
    let mut window = first_start(Theme::Light, WIDE, 1.0);
    act(&mut window, Action::Practice(None));
    wait_for_verdict(&mut window, "healthy");
    assert_eq!(state_of(&window), "Closed 1000");
    shot(&mut window, "healthy").unwrap();
}

#[test]
fn the_main_task_needs_no_mouse() {
    let mut window = first_start(Theme::Light, WIDE, 1.0);
    let url = window.state().form().url.clone();
    command(&mut window, Key::L);
    assert!(window.get_by_role_and_label(Role::TextInput, "URL").is_focused());
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.event(Event::Text(url));
    window.run_steps(2);
    command(&mut window, Key::Enter);
    wait_for_state(&mut window, "Open");
    command(&mut window, Key::M);
    window.event(Event::Text("hello, practice".to_owned()));
    window.run_steps(2);
    command(&mut window, Key::Enter);
    wait_for(&mut window, "the echo", |window| {
        window.state().connections().shown_view().is_some_and(|view| view.story.received.messages >= 2)
    });
    window.key_press(Key::ArrowUp);
    window.run_steps(2);
    let message = window.get_by_role_and_label(Role::TextInput, "Message");
    assert_eq!(message.value().as_deref(), Some("hello, practice"));
    // Line ends that are pasted or typed are part of the message.
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.event(Event::Paste("a\nb".to_owned()));
    window.run_steps(2);
    let text = |window: &Window| window.get_by_label("Message").accesskit_node().value().unwrap();
    assert_eq!(text(&window), "a\nb");
    command(&mut window, Key::Enter);
    wait_for(&mut window, "the second echo", |window| {
        let view = window.state().connections().shown_view().unwrap();
        view.story.received.data_bytes == view.story.first_message.as_ref().unwrap().1.len() as u64 + 15 + 3
    });
    window.event(Event::Text("c".to_owned()));
    window.run_steps(1);
    window.key_press(Key::Enter);
    window.run_steps(1);
    window.event(Event::Text("d".to_owned()));
    window.run_steps(2);
    assert_eq!(text(&window), "c\nd");
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::D);
    wait_for_state(&mut window, "Closed 1006 (you aborted)");
}

#[test]
fn a_connection_that_would_come_again_is_stopped_by_the_key() {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    let form = window.state_mut().form_mut();
    form.practice = None;
    form.set_url(format!("ws://{address}/"));
    form.network.reconnects = true;
    act(&mut window, Action::Connect);
    wait_for(&mut window, "the line of the countdown", |window| says(window, "Connects again after"));
    let tabs = |window: &Window| window.get_by_label("Handshake").rect().top();
    let before = tabs(&window);
    wait_for(&mut window, "the countdown", |window| says(window, "Connects again in"));
    assert!((tabs(&window) - before).abs() < 1.5, "{} {before}", tabs(&window));
    command(&mut window, Key::D);
    wait_for(&mut window, "the word that it stops", |window| says(window, "It is not connected again"));
}

#[test]
fn enter_on_evidence_goes_to_its_row() {
    let mut window = first_start(Theme::Dark, [1024.0, 700.0], 1.0);
    act(&mut window, Action::Practice(Some("server-process-died".to_owned())));
    wait_for_verdict(&mut window, "server-process-died");
    assert!(window.query_by_label("Why").is_some(), "the answer is in sight");
    shot(&mut window, "answer").unwrap();
    command(&mut window, Key::J);
    window.run_steps(3);
    assert!(window.query_by_label("Why").is_none());
    let evidence = window.get_all_by_role(Role::Link).find(egui_kittest::Node::is_focused);
    assert!(evidence.is_some(), "the first line of evidence has the focus");
    window.key_press(Key::Enter);
    window.run_steps(4);
    let selected =
        window.get_all_by_role(Role::ListBoxOption).find(|row| row.accesskit_node().is_selected() == Some(true));
    assert!(selected.is_some(), "its row is selected");
    shot(&mut window, "evidence").unwrap();
}

#[test]
fn the_tab_key_goes_from_the_url_to_connect_to_the_menu() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    command(&mut window, Key::L);
    for name in ["Connect", "Menu"] {
        window.key_press(Key::Tab);
        window.run_steps(2);
        assert!(window.get_by_role_and_label(Role::Button, name).is_focused(), "{name}");
    }
}

#[test]
fn a_fault_is_shown_with_its_verdict() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    act(&mut window, Action::Tab(Tab::Practice));
    shot(&mut window, "practice").unwrap();
    let fault = FAULTS.iter().find(|fault| fault.ending == "closed" && fault.id.contains("1008")).expect("a 1008");
    replace(&mut window, "Search the faults", fault.id);
    window.get_by_label(&format!("{} ({})", fault.title, fault.id)).click();
    window.run_steps(2);
    shot(&mut window, "practice-lesson").unwrap();
    window.get_by_role_and_label(Role::Button, "Show me this failure").click();
    wait_for_state(&mut window, "Closed 1008");
    act(&mut window, Action::Tab(Tab::Verdict));
    window.run_steps(4);
    shot(&mut window, "fault-1008").unwrap();
    act(&mut window, Action::OwnForm);
    assert!(window.state().form().practice.is_none());
}

/// In a low window the questions that follow would push the Close frame out of sight.
#[test]
fn after_the_end_the_log_rests_where_the_connection_closed() {
    let mut window = first_start(Theme::Dark, [1024.0, 520.0], 1.0);
    act(&mut window, Action::Practice(Some("jwt-expired".to_owned())));
    wait_for_verdict(&mut window, "jwt-expired");
    act(&mut window, Action::Tab(Tab::Log));
    assert!(says(&window, "received close"), "the Close frame is in sight");
    assert!(says(&window, "new"), "what came later is counted");
}

#[test]
fn a_wrong_url_is_told_at_the_field_and_mended_by_a_click() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    for (url, words) in [
        ("htp://localhost:3001/", "is no WebSocket scheme"),
        ("ws://localhost:1e9/", "is no port"),
        ("ws://undefined:3001/", "undefined"),
        ("ws://h/#x", "begins a fragment"),
        ("ws://\u{202E}h\0/", "character"),
    ] {
        replace(&mut window, "URL", url);
        assert!(says(&window, words), "{url:?}: nothing says {words:?}");
    }
    replace(&mut window, "URL", "localhost:3001/chat");
    shot(&mut window, "url-error").unwrap();
    window.get_by_label_contains("Use ws://localhost:3001/chat").click();
    window.run_steps(2);
    assert_eq!(window.state().form().url, "ws://localhost:3001/chat");
    assert!(!says(&window, "begin with ws://"));
}

#[test]
fn fields_are_locked_while_connected() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    let is_disabled = |window: &Window, name: &str| {
        let field = window.get_by_role_and_label(Role::TextInput, name);
        let node: AccessNode = field.accesskit_node().data().clone();
        node.is_disabled()
    };
    for name in ["URL", "Token", "Query row 1 value"] {
        assert!(!is_disabled(&window, name), "{name}");
    }
    window.key_press(Key::Enter);
    wait_for_state(&mut window, "Open");
    for name in ["URL", "Token", "Query row 1 value"] {
        assert!(is_disabled(&window, name), "{name}");
    }
    assert!(!is_disabled(&window, "Message"));
    command(&mut window, Key::D);
    wait_for_state(&mut window, "Closed 1000");
    assert!(!is_disabled(&window, "URL") && is_disabled_button(&window, "Send"));
}

fn is_disabled_button(window: &Window, name: &str) -> bool {
    window.get_by_role_and_label(Role::Button, name).accesskit_node().data().is_disabled()
}

#[test]
fn url_and_table_follow_each_other_on_screen() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    replace(&mut window, "URL", "ws://localhost:1/?token=a&agentId=b&token=c");
    assert_eq!(window.state().form().query.rows.len(), 3);
    replace(&mut window, "Query row 2 value", "new");
    assert_eq!(window.state().form().url, "ws://localhost:1/?token=a&agentId=new&token=c");
    window.get_by_label("Send query row 3").click();
    window.run_steps(2);
    assert_eq!(window.state().form().url, "ws://localhost:1/?token=a&agentId=new");
}

/// The longest value or label that any widget of this pass holds.
fn longest(window: &Window) -> usize {
    let nodes = window.root().children_recursive();
    let len = |text: Option<String>| text.map_or(0, |text| text.len());
    nodes.map(|node| len(node.value()).max(len(node.accesskit_node().label()))).max().unwrap_or(0)
}

/// 10 MB into any field: words at the field, and nothing that a widget would have to lay out.
#[test]
fn ten_megabytes_stay_out_of_every_widget() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    for name in ["Token", "Query row 1 name", "Query row 2 value", "Message", "URL"] {
        window.state_mut().form_mut().set_url("ws://localhost:1/?token=a&agentId=b");
        window.run_steps(2);
        window.get_by_role_and_label(Role::TextInput, name).focus();
        window.run_steps(2);
        window.event(Event::Paste("x\0\u{202E}".repeat(2_500_000)));
        window.step();
        window.run_steps(2);
        assert!(longest(&window) < 64 * 1024, "{name}: {} bytes in a widget", longest(&window));
    }
    assert!(says(&window, "too long for a URL"));
    shot(&mut window, "ten-megabytes").unwrap();
}

#[test]
fn what_a_window_keeps_has_no_token_and_comes_back() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    act(&mut window, Action::OwnForm);
    let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    replace(&mut window, "URL", &format!("ws://localhost:9/chat?token={token}&agentId=a7"));
    act(&mut window, Action::ToggleRight);
    let kept = window.state().kept();
    assert!(!kept.contains("eyJ"), "{kept}");
    let window = kept_app(Theme::Dark, WIDE, 1.0, Some(kept));
    assert_eq!(window.state().form().url, "ws://localhost:9/chat?token=&agentId=a7");
    assert!(window.query_by_label("Verdict").is_none());
}

#[test]
fn what_is_typed_before_the_palette_has_the_focus_is_not_lost() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    window.key_press_modifiers(Modifiers::COMMAND, Key::K);
    window.step();
    for letter in ["k", "e", "y", "s"] {
        window.event(Event::Text(letter.to_owned()));
        window.step();
    }
    window.key_press(Key::Enter);
    window.run_steps(3);
    assert!(says(&window, "Ctrl+Shift+D"), "the help is open");
    assert_eq!(state_of(&window), "Not connected");
}

#[test]
fn palette_help_and_menu_name_the_same_actions() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    command(&mut window, Key::K);
    window.event(Event::Text("hand".to_owned()));
    window.run_steps(2);
    shot(&mut window, "palette").unwrap();
    window.key_press(Key::Enter);
    window.run_steps(3);
    assert!(window.query_by_label("Search the actions").is_none());
    assert_eq!(state_of(&window), "Not connected");
    assert!(says(&window, "Checks of the answer") || says(&window, "handshake"));
    window.key_press(Key::F1);
    window.run_steps(3);
    assert!(says(&window, "Ctrl+Shift+D"));
    shot(&mut window, "help").unwrap();
    window.key_press(Key::Escape);
    window.run_steps(2);
    window.get_by_role_and_label(Role::Button, "Menu").click();
    window.run_steps(3);
    shot(&mut window, "menu").unwrap();
    assert!(says(&window, "Save…"));
}

/// Every region in both themes, three sizes and at scale 2: pictures to be looked at.
#[test]
fn every_size_and_theme_has_its_picture() {
    for (name, theme, size, scale) in [
        ("narrow-dark", Theme::Dark, [1024.0, 700.0], 1.0),
        ("narrow-light", Theme::Light, [1024.0, 700.0], 1.0),
        ("small-dark", Theme::Dark, [760.0, 480.0], 1.0),
        ("wide-light", Theme::Light, WIDE, 1.0),
        ("wide-dark-2x", Theme::Dark, WIDE, 2.0),
    ] {
        let mut window = first_start(theme, size, scale);
        shot(&mut window, &format!("{name}-first")).unwrap();
        act(&mut window, Action::Practice(Some("server-process-died".to_owned())));
        wait_for_state(&mut window, "Closed 1006");
        wait_for_verdict(&mut window, "server-process-died");
        window.run_steps(4);
        shot(&mut window, &format!("{name}-log")).unwrap();
        for tab in
            [Tab::Token, Tab::Handshake, Tab::Console, Tab::Verdict, Tab::Practice, Tab::Sessions, Tab::Connection]
        {
            act(&mut window, Action::Tab(tab));
            window.run_steps(3);
            if scale < 1.5 {
                shot(&mut window, &format!("{name}-{tab:?}").to_lowercase()).unwrap();
            }
        }
    }
}

#[test]
fn without_a_dialog_a_path_field_saves_and_opens() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    command(&mut window, Key::O);
    wait_for(&mut window, "the path field", |window| window.query_by_label("Path").is_some());
    shot(&mut window, "path-field").unwrap();
    replace(&mut window, "Path", "/nowhere/at-all.sockeye");
    window.key_press(Key::Enter);
    wait_for(&mut window, "the problem", |window| says(window, "at-all.sockeye:"));
}

/// A file that is dragged onto the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody reads it here".to_owned())
    }
}

#[test]
fn a_session_is_saved_and_opened_with_the_same_rows_and_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a session.sockeye");
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    act(&mut window, Action::Practice(Some("server-process-died".to_owned())));
    wait_for_verdict(&mut window, "server-process-died");
    wait_for(&mut window, "the end", |window| {
        window.state().connections().shown_view().is_some_and(|view| view.story.finished.is_some())
    });
    let rows = window.state().connections().shown_view().unwrap().rows;
    command(&mut window, Key::S);
    wait_for(&mut window, "the path field", |window| window.query_by_label("Path").is_some());
    replace(&mut window, "Path", &path.to_string_lossy());
    shot(&mut window, "save").unwrap();
    window.key_press(Key::Enter);
    wait_for(&mut window, "the word that it was saved", |window| says(window, "Saved a session.sockeye"));
    assert!(window.query_by_label("Path").is_none());

    // What is there already is not lost by one key.
    let notes = folder.path().join("notes.md");
    std::fs::write(&notes, "mine").unwrap();
    command(&mut window, Key::S);
    wait_for(&mut window, "the path field again", |window| window.query_by_label("Path").is_some());
    replace(&mut window, "Path", &notes.to_string_lossy());
    window.key_press(Key::Enter);
    wait_for(&mut window, "the question", |window| says(window, "This file is there already"));
    window.run_steps(2);
    assert_eq!(std::fs::read_to_string(&notes).unwrap(), "mine");
    window.get_by_role_and_label(Role::Button, "Replace").click();
    wait_for(&mut window, "the word that it was replaced", |window| says(window, "Saved notes.md"));
    assert!(std::fs::read_to_string(&notes).unwrap().starts_with("## "));

    let dropped: egui::DroppedFileHandle = Arc::new(Dropped(path));
    window.input_mut().dropped_files.push(dropped);
    window.run_steps(2);
    wait_for(&mut window, "the session", |window| window.state().connections().views.len() == 2);
    wait_for_verdict(&mut window, "server-process-died");
    let view = window.state().connections().shown_view().unwrap();
    assert_eq!(view.rows, rows);
    assert_eq!(state_of(&window), "Closed 1006 (no Close frame)");
    act(&mut window, Action::Tab(Tab::Sessions));
    window.run_steps(2);
    shot(&mut window, "two-sessions").unwrap();
}

#[test]
fn a_repetition_counts_what_became_of_each() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    act(&mut window, Action::Practice(Some("close-1008".to_owned())));
    wait_for_verdict(&mut window, "close-1008");
    act(&mut window, Action::Tab(Tab::Sessions));
    window.get_by_label("Repeat the connection").click();
    wait_for(&mut window, "the field", |window| window.query_by_label("How many times").is_some());
    window.run_steps(8);
    replace(&mut window, "How many times", "0");
    assert!(says(&window, "number from 1 to 1000"));
    replace(&mut window, "How many times", "3");
    window.get_by_role_and_label(Role::Button, "Repeat").click();
    wait_for(&mut window, "the third", |window| says(window, "3 of 3 done"));
    shot(&mut window, "repeat").unwrap();
    assert_eq!(window.state().connections().views.len(), 4);
}

#[test]
fn a_url_of_ones_own_has_nothing_of_the_practice_server() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    assert_eq!(window.state().form().secrets().len(), 1);
    replace(&mut window, "URL", "ws://localhost:3001/?token=a");
    window.run_steps(2);
    assert!(window.state().form().practice.is_none() && window.state().form().secrets().is_empty());
    assert_eq!(window.state().form().url, "ws://localhost:3001/?token=a");
    assert!(window.query_by_label("Use my own server").is_none());
}
