//! Keys and the first steps, over everything.

use egui::{Frame, Id, Modal, ScrollArea, Ui};

use crate::ui::menu::{ACTIONS, Group, LOG_KEYS};
use crate::ui::theme;

/// Shows the help; returns whether it stays open.
pub fn show(ui: &mut Ui) -> bool {
    let frame = Frame::popup(ui.style()).inner_margin(4.0 * theme::STEP);
    let modal = Modal::new(Id::unique("help")).frame(frame).show(ui, |ui| {
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 64.0));
        let palette = theme::palette(ui);
        ui.label(theme::heading("Sockeye tells you why your WebSocket closed"));
        let height = ui.ctx().content_rect().height() - 160.0;
        ScrollArea::vertical().max_height(height.max(200.0)).min_scrolled_height(height.max(200.0)).show(ui, |ui| {
            for step in STEPS {
                ui.add(egui::Label::new(step).wrap());
            }
            ui.add_space(2.0 * theme::STEP);
            ui.columns(2, |columns| {
                let [left, right] = columns else {
                    return;
                };
                let has_keys = |group: &Group| ACTIONS.iter().any(|entry| entry.group == *group && entry.key.is_some());
                for group in Group::ALL.into_iter().filter(has_keys) {
                    let side = if matches!(group, Group::Connection | Group::Go) { &mut *left } else { &mut *right };
                    keys_ui(side, group);
                }
                right.label(theme::tinted("In the log", palette.muted));
                for (keys, words) in LOG_KEYS {
                    key_ui(right, keys, words);
                }
            });
        });
        ui.add_space(theme::STEP);
        ui.button("Close the help").clicked()
    });
    !modal.inner && !modal.should_close()
}

fn keys_ui(ui: &mut Ui, group: Group) {
    let palette = theme::palette(ui);
    ui.label(theme::tinted(group.words(), palette.muted));
    for entry in ACTIONS.iter().filter(|entry| entry.group == group) {
        if let Some(key) = entry.key {
            key_ui(ui, &ui.format_shortcut(&key), entry.name);
        }
    }
    ui.add_space(2.0 * theme::STEP);
}

fn key_ui(ui: &mut Ui, keys: &str, words: &str) {
    ui.horizontal(|ui| {
        ui.allocate_ui(egui::vec2(KEYS, theme::LINE_HEIGHT), |ui| {
            ui.set_width(KEYS);
            ui.label(theme::strong(keys));
        });
        ui.add(egui::Label::new(words).wrap());
    });
}

const WIDTH: f32 = 760.0;
const KEYS: f32 = 152.0;

const STEPS: [&str; 4] = [
    "1.  Type or paste the URL, put the token in, and connect.",
    "2.  The log shows every frame; the line above it every phase, and how it ended.",
    "3.  The verdict on the right says why it closed, with the rows that show it and what to do.",
    "4.  Save the session, and attach the file to the ticket.",
];
