//! Keys and the first steps, over everything.

use egui::{Grid, Id, Modal, ScrollArea, Ui};

use crate::ui::menu::{ACTIONS, Group, LOG_KEYS};
use crate::ui::theme;

/// Shows the help; returns whether it stays open.
pub fn show(ui: &mut Ui) -> bool {
    let modal = Modal::new(Id::unique("help")).show(ui, |ui| {
        ui.set_width(600.0);
        let palette = theme::palette(ui);
        ui.label(theme::heading("Sockeye tells you why your WebSocket closed"));
        let height = ui.ctx().content_rect().height() - 160.0;
        ScrollArea::vertical().max_height(height.max(200.0)).show(ui, |ui| {
            for step in STEPS {
                ui.add(egui::Label::new(step).wrap());
            }
            ui.add_space(2.0 * theme::STEP);
            ui.columns(2, |columns| {
                let [left, right] = columns else {
                    return;
                };
                for group in Group::ALL {
                    let side = if matches!(group, Group::Connection | Group::Go) { &mut *left } else { &mut *right };
                    keys_ui(side, group);
                }
                right.label(theme::tinted("In the log", palette.muted));
                Grid::new("log keys").num_columns(2).show(right, |ui| {
                    for (keys, words) in LOG_KEYS {
                        ui.label(theme::strong(*keys));
                        ui.add(egui::Label::new(*words).wrap());
                        ui.end_row();
                    }
                });
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
    Grid::new(group.words()).num_columns(2).show(ui, |ui| {
        for entry in ACTIONS.iter().filter(|entry| entry.group == group) {
            let Some(key) = entry.key else {
                continue;
            };
            ui.label(theme::strong(ui.format_shortcut(&key)));
            ui.label(entry.name);
            ui.end_row();
        }
    });
    ui.add_space(theme::STEP);
}

const STEPS: [&str; 4] = [
    "1.  Type or paste the URL, put the token in, and connect.",
    "2.  The log shows every frame; the line above it every phase, and how it ended.",
    "3.  The verdict on the right says why it closed, with the rows that show it and what to do.",
    "4.  Save the session, and attach the file to the ticket.",
];
