//! The whole window over a real engine and the practice server on loopback.

use crate::support::{app, shot, wait_for};
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use sockeye::ui::App;

const WIDE: [f32; 2] = [1280.0, 800.0];

fn first_start(theme: Theme, size: [f32; 2], scale: f32) -> Harness<'static, App> {
    let mut harness = app(theme, size, scale);
    wait_for(&mut harness, "the practice URL", |harness| harness.state().form().practice.is_some());
    harness
}

fn state_of(harness: &Harness<'_, App>) -> String {
    let states = harness.get_all_by_role(Role::Status);
    let labels = states.filter_map(|node| node.accesskit_node().label());
    labels.filter(|label| label.starts_with("State: ")).collect()
}

#[test]
fn first_start_and_enter_are_a_healthy_session() {
    let mut harness = first_start(Theme::Dark, WIDE, 1.0);
    assert_eq!(state_of(&harness), "State: Not connected");
    shot(&mut harness, "first-start").unwrap();
    harness.key_press(Key::Enter);
    wait_for(&mut harness, "an open connection", |harness| state_of(harness) == "State: Open");
    shot(&mut harness, "open").unwrap();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::D);
    wait_for(&mut harness, "the end", |harness| state_of(harness) == "State: Closed 1000");
    wait_for(&mut harness, "the verdict", |harness| {
        harness.state().connections().views.iter().any(|view| view.story.verdict.is_some())
    });
    shot(&mut harness, "healthy").unwrap();
}
