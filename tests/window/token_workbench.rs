//! The token workbench in the whole window, over a real engine and the practice server on loopback.

use crate::app::{command, first_start, wait_for_state, wait_for_verdict};
use crate::support::{shot, wait_for};
use egui::accesskit::Role;
use egui::{Event, Key, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sockeye::token::mint;
use sockeye::ui::App;
use sockeye::ui::action::{Action, Tab};

type Window = Harness<'static, App>;

const WIDE: [f32; 2] = [1280.0, 900.0];

/// The secret with which the practice server verifies, as the form knows it.
fn practice_secret(window: &Window) -> String {
    let secrets = window.state().form().secrets();
    secrets.first().map(|secret| String::from_utf8_lossy(secret.bytes()).into_owned()).unwrap()
}

fn says(window: &Window, words: &str) -> bool {
    window.query_all_by_label_contains(words).next().is_some()
}

#[test]
fn a_token_goes_from_the_clipboard_to_the_connection_without_a_mouse() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    let token = mint(r#"{"sub":"by keyboard","exp":1}"#, "HS256", practice_secret(&window).as_bytes()).unwrap();
    command(&mut window, Key::T);
    window.event(Event::Paste(format!("Authorization: Bearer {token}")));
    window.run_steps(4);
    assert!(says(&window, "belongs in an Authorization header") && says(&window, "by keyboard"));
    window.key_press(Key::Tab);
    window.run_steps(2);
    assert!(window.get_by_role_and_label(Role::Button, "Use in connection").is_focused());
    window.key_press(Key::Tab);
    window.run_steps(2);
    assert!(window.get_by_role_and_label(Role::Button, "Mend").is_focused());
    window.key_press(Key::Enter);
    window.run_steps(4);
    assert!(window.get_by_role_and_label(Role::Button, "Use in connection").is_focused());
    window.key_press(Key::Enter);
    window.run_steps(4);
    assert_eq!(window.state().form().token, token);
    command(&mut window, Key::Enter);
    wait_for_state(&mut window, "Closed 1008");
    wait_for_verdict(&mut window, "jwt-expired");
}

#[test]
fn every_variant_is_tried_on_the_server_and_its_answer_tabulated() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    let token = window.state().form().token.clone();
    window.state_mut().act(Action::InspectToken(token));
    window.run_steps(4);
    assert!(says(&window, "Tries the practice secret too") && says(&window, "Signature valid"));
    window.get_by_label("Variants and token matrix").click_accesskit();
    wait_for(&mut window, "the variants", |window| says(window, "on the server"));
    window.get_by_label_contains("on the server").click_accesskit();
    wait_for(&mut window, "the first answers", |window| says(window, "accepted, confirmed"));
    wait_for(&mut window, "every answer", |window| says(window, "as a careful server does"));
    for words in ["jwt expired", "jwt not active", "invalid signature", "invalid token"] {
        assert!(says(&window, words), "{words}");
    }
    window.get_by_label_contains("as a careful server does").scroll_to_me();
    window.run_steps(12);
    shot(&mut window, "token-matrix").unwrap();
    let matrix = window.state().connections().views.len();
    assert!(matrix >= 20, "{matrix} connections");
}

#[test]
fn an_open_connection_counts_down_to_the_end_of_its_token() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    window.key_press(Key::Enter);
    wait_for_state(&mut window, "Open");
    wait_for(&mut window, "the countdown", |window| says(window, "The token expires in"));
    window.state_mut().act(Action::Tab(Tab::Token));
    window.run_steps(3);
    shot(&mut window, "token-countdown").unwrap();
}

#[test]
fn variables_of_a_env_file_stand_in_the_url() {
    let mut window = first_start(Theme::Dark, WIDE, 1.0);
    let url = window.state().form().url.clone();
    let port = url.split(':').nth(2).and_then(|rest| rest.split('/').next()).unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(".env");
    std::fs::write(&path, format!("PRACTICE_PORT={port}\nJWT_SECRET={}\n", practice_secret(&window))).unwrap();
    let form = window.state_mut().form_mut();
    form.set_url(url.replace(&port, "{{PRACTICE_PORT}}"));
    window.run_steps(2);
    assert!(says(&window, "no variable PRACTICE_PORT"));
    window.state_mut().act(Action::ReadSecretFile(path));
    wait_for(&mut window, "the variables", |window| !window.state().form().variables.is_empty());
    window.run_steps(2);
    assert!(!says(&window, "no variable"));
    command(&mut window, Key::Enter);
    wait_for_state(&mut window, "Open");
    assert!(window.state().form().url.contains("{{PRACTICE_PORT}}"));
}
