//! The few shapes that all panels share: what an empty region says, a section, a row of name and value.

use crate::ui::action::Action;
use crate::ui::context::Actions;
use crate::ui::theme::{self, Palette};
use egui::{Button, Frame, Label, Margin, Ui};

/// Says what an empty region waits for, a little away from its corner.
pub(super) fn teach_ui(ui: &mut Ui, title: &str, words: &[&str]) {
    let palette = theme::palette(ui);
    Frame::NONE.inner_margin(Margin::same(16)).show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(560.0));
        ui.label(theme::heading(title));
        for line in words {
            ui.add(Label::new(theme::tinted(*line, palette.muted)).wrap());
        }
    });
}

/// The title of a section, with room above it.
pub(super) fn section_ui(ui: &mut Ui, title: &str) {
    ui.add_space(2.0 * theme::STEP);
    ui.label(theme::strong(title));
}

/// Words that wrap, in the colour of a role.
pub(super) fn words_ui(ui: &mut Ui, text: impl Into<String>, colour: egui::Color32) {
    ui.add(Label::new(theme::tinted(text, colour)).wrap());
}

/// A name and a value that a machine wrote, for a grid of two columns; the value wraps and can be selected.
pub(super) fn field_ui(ui: &mut Ui, name: &str, value: &str) {
    let palette = theme::palette(ui);
    ui.label(theme::tinted(name, palette.muted));
    ui.add(Label::new(theme::mono(value)).wrap().selectable(true));
    ui.end_row();
}

/// Names and values in two columns, the second as wide as the room allows.
pub(super) fn fields_ui(ui: &mut Ui, id: &str, fields: &[(String, String)]) {
    let names = 140.0_f32.min(ui.available_width() * 0.4);
    egui::Grid::new(ui.make_persistent_id(id))
        .num_columns(2)
        .min_row_height(18.0)
        .spacing(egui::vec2(12.0, 2.0))
        .min_col_width(names)
        .max_col_width((ui.available_width() - names - 16.0).max(names))
        .show(ui, |ui| {
            for (name, value) in fields {
                field_ui(ui, name, value);
            }
        });
}

/// A mark for passed, failed and not known: a shape and a colour.
pub(super) fn mark(ok: Option<bool>, palette: &Palette) -> (&'static str, egui::Color32, &'static str) {
    match ok {
        Some(true) => ("✓", palette.ok, "passed"),
        Some(false) => ("✗", palette.bad, "failed"),
        None => ("–", palette.muted, "not known"),
    }
}

/// A small button that copies; `what` is the word for the toast, `name` for screen readers.
pub(super) fn copy_button(ui: &mut Ui, name: &str, what: &str, actions: &mut Actions, text: impl FnOnce() -> String) {
    let response = ui.add(Button::new("Copy").small());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    if response.on_hover_text(name).clicked() {
        actions.push(Action::Copy { text: text(), what: what.to_owned() });
    }
}

/// The text with its first letter in upper case.
pub(super) fn first_upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
