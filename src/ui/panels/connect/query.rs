//! The query as a table, bound both ways to the URL.

use egui::Ui;
use egui_material_icons::icons::{ICON_ADD, ICON_CLOSE};

use super::{cell, section};
use crate::ui::big_text::BigText;
use crate::ui::fields::{self, ICON_BUTTON, icon_button};
use crate::ui::form::Form;
use crate::ui::theme;

pub(super) fn show(ui: &mut Ui, form: &mut Form) {
    section(ui, "Query", true, |ui| {
        if form.query.is_too_long {
            fields::explain_ui(ui, "This query is too long for a table; edit it in the URL.");
            return;
        }
        let mut is_changed = false;
        let mut removed = None;
        for (nth, row) in form.query.rows.iter_mut().enumerate() {
            let number = nth + 1;
            ui.push_id(nth, |ui| {
                ui.horizontal(|ui| {
                    ui.spacing_mut().item_spacing.x = theme::STEP;
                    let name = format!("Send query row {number}");
                    let check = ui.checkbox(&mut row.is_on, "").on_hover_text("Send it, or keep it aside");
                    is_changed |= check.accessible_name(name).changed();
                    let rest = ui.available_width() - ICON_BUTTON - 2.0 * theme::STEP;
                    let name_width = (rest * 0.4).floor();
                    is_changed |= cell(ui, name_width, |ui| {
                        let name = format!("Query row {number} name");
                        BigText::new(&name).hint("name").show(ui, &mut row.name).response.changed()
                    });
                    is_changed |= cell(ui, rest - name_width, |ui| {
                        let name = format!("Query row {number} value");
                        let field = BigText::new(&name).hint("value").shortened(VALUE_CHARS);
                        field.show(ui, &mut row.value).response.changed()
                    });
                    if icon_button(ui, ICON_CLOSE, &format!("Remove query row {number}")).clicked() {
                        removed = Some(nth);
                    }
                });
            });
        }
        if let Some(nth) = removed {
            form.query.rows.remove(nth);
            is_changed = true;
        }
        if is_changed {
            form.query_typed();
        }
        let add = ui.add(egui::Button::new((fields::icon(ICON_ADD), "Add a parameter")).frame_when_inactive(false));
        if add.accessible_name("Add a query parameter").clicked() {
            form.add_query_row();
        }
    });
}

/// How many characters of a value fit.
const VALUE_CHARS: usize = 12;
