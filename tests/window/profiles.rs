//! Profiles of the connection form: saved, chosen, deleted, and never with a token.

use crate::app::{first_start, wait_for_state};
use crate::panels_fixture::{Stage, stage};
use crate::support::shot;
use egui::accesskit::Role;
use egui::{Theme, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sockeye::engine::Profile;
use sockeye::ui::action::Action;
use sockeye::ui::form::Form;
use sockeye::ui::form::kept::KeptForm;
use sockeye::ui::panels::connect::ConnectPanel;
use sockeye::ui::profiles::Profiles;

const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn form(url: &str) -> Form {
    let mut form = Form::default();
    form.set_url(url);
    form
}

fn on_disk() -> Vec<Profile> {
    [("local", "ws://localhost:3001/?token=&agentId=a1"), ("staging", "wss://staging.example/ws?token=&agentId=a1")]
        .map(|(name, url)| Profile::new(name.to_owned(), serde_json::to_value(KeptForm::of(&form(url))).unwrap()))
        .into()
}

/// The form's panel over a form that came from `current`.
fn panel(theme: Theme, current: Option<&str>, form: Form) -> (Harness<'static>, Stage<ConnectPanel>) {
    let mut profiles = Profiles::new(current.map(str::to_owned));
    profiles.listed(on_disk());
    let form = std::cell::RefCell::new(form);
    stage(theme, vec2(280.0, 520.0), None, ConnectPanel::default(), move |panel, ui, ctx, actions| {
        panel.show(ui, &mut form.borrow_mut(), &profiles, ctx, actions);
    })
}

#[test]
fn a_profile_is_chosen_by_its_name() {
    for (theme, name) in [(Theme::Dark, "profiles-dark"), (Theme::Light, "profiles-light")] {
        let (mut harness, stage) = panel(theme, None, Form::first());
        harness.get_by_role_and_label(Role::ComboBox, "Profile").click();
        harness.run_steps(4);
        shot(&mut harness, name).unwrap();
        harness.get_by_label("staging").click();
        harness.run_steps(3);
        assert_eq!(stage.taken(), ["UseProfile(\"staging\")"]);
    }
}

#[test]
fn the_form_is_saved_under_a_name() {
    let (mut harness, stage) = panel(Theme::Dark, None, Form::first());
    harness.get_by_label("Save the form as a profile").click();
    harness.run_steps(4);
    harness.get_by_label("Tokens and secrets are left out.");
    assert!(harness.get_by_role_and_label(Role::TextInput, "Name of the profile").is_focused());
    harness.get_by_role_and_label(Role::TextInput, "Name of the profile").type_text("production");
    harness.run_steps(3);
    shot(&mut harness, "profiles-name").unwrap();
    harness.get_by_role_and_label(Role::Button, "Save").click();
    harness.run_steps(3);
    assert_eq!(stage.taken(), ["SaveProfile(\"production\")"]);
    assert!(harness.query_by_label("Tokens and secrets are left out.").is_none());
}

#[test]
fn the_last_letter_may_come_with_enter() {
    let (mut harness, stage) = panel(Theme::Dark, None, Form::first());
    harness.get_by_label("Save the form as a profile").click();
    harness.run_steps(4);
    harness.get_by_role_and_label(Role::TextInput, "Name of the profile").type_text("voic");
    harness.run_steps(3);
    let enter = |pressed| egui::Event::Key {
        key: egui::Key::Enter,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: egui::Modifiers::NONE,
    };
    harness.input_mut().events.extend([egui::Event::Text("e".to_owned()), enter(true), enter(false)]);
    harness.run_steps(3);
    assert_eq!(stage.taken(), ["SaveProfile(\"voice\")"]);
}

#[test]
fn a_changed_form_says_so_and_may_replace_its_profile() {
    let changed = form("wss://staging.example/other?token=&agentId=a1");
    let (mut harness, stage) = panel(Theme::Dark, Some("staging"), changed);
    assert_eq!(harness.get_by_role_and_label(Role::ComboBox, "Profile").value().as_deref(), Some("staging, changed"));
    harness.get_by_label("Save the form as a profile").click();
    harness.run_steps(4);
    harness.get_by_role_and_label(Role::Button, "Replace").click();
    harness.run_steps(3);
    assert_eq!(stage.taken(), ["SaveProfile(\"staging\")"]);
}

#[test]
fn deleting_a_profile_asks() {
    let (mut harness, stage) = panel(Theme::Dark, Some("local"), form("ws://localhost:3001/?token=&agentId=a1"));
    assert_eq!(harness.get_by_role_and_label(Role::ComboBox, "Profile").value().as_deref(), Some("local"));
    harness.get_by_label("Delete this profile").click();
    harness.run_steps(3);
    harness.get_by_label("Delete the profile “local”?");
    shot(&mut harness, "profiles-delete").unwrap();
    harness.get_by_role_and_label(Role::Button, "Keep").click();
    harness.run_steps(3);
    assert_eq!(stage.taken(), Vec::<String>::new());
    harness.get_by_label("Delete this profile").click();
    harness.run_steps(3);
    harness.get_by_role_and_label(Role::Button, "Delete").click();
    harness.run_steps(3);
    assert_eq!(stage.taken(), ["DeleteProfile(\"local\")"]);
}

#[test]
fn no_token_goes_from_one_profile_to_another_and_there_is_a_way_back() {
    let mut window = first_start(Theme::Dark, [1280.0, 800.0], 1.0);
    window.state_mut().act(Action::OwnForm);
    window.run_steps(2);
    window.state_mut().form_mut().set_url(format!("ws://localhost:3001/?token={TOKEN}&agentId=mine"));
    window.state_mut().profiles_mut().listed(on_disk());
    window.state_mut().act(Action::UseProfile("staging".to_owned()));
    window.run_steps(3);
    assert_eq!(window.state().form().url, "wss://staging.example/ws?token=&agentId=a1");
    assert_eq!(window.state().form().token, "");
    shot(&mut window, "profiles-used").unwrap();
    window.state_mut().act(Action::LeaveProfile);
    window.run_steps(3);
    assert!(window.state().form().url.ends_with("agentId=mine"));
    assert_eq!(window.state().form().token, TOKEN);
}

#[test]
fn a_connected_form_is_not_replaced_and_a_token_is_no_name() {
    let mut window = first_start(Theme::Dark, [1280.0, 800.0], 1.0);
    window.state_mut().profiles_mut().listed(on_disk());
    window.key_press(egui::Key::Enter);
    wait_for_state(&mut window, "Open");
    window.state_mut().act(Action::UseProfile("staging".to_owned()));
    window.run_steps(3);
    window.get_by_label_contains("the form is locked while connected");
    assert!(window.state().form().practice.is_some());
    window.state_mut().act(Action::Abort);
    wait_for_state(&mut window, "Closed");
    window.state_mut().act(Action::UseProfile("local".to_owned()));
    window.run_steps(3);
    assert_eq!(window.state().form().url, "ws://localhost:3001/?token=&agentId=a1");
    window.state_mut().act(Action::SaveProfile(TOKEN.to_owned()));
    window.run_steps(3);
    window.get_by_label_contains("is no name for a profile");
    window.state_mut().act(Action::NameProfile);
    window.run_steps(3);
    window.get_by_role_and_label(Role::TextInput, "Name of the profile");
}
