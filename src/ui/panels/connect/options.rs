//! The sections below the token: secret, confirmation, headers, subprotocols, time-outs.

use std::path::PathBuf;

use egui::{ComboBox, Ui};
use egui_material_icons::icons::{ICON_ADD, ICON_CLOSE, ICON_FOLDER_OPEN};

use super::{cell, problem, section};
use crate::observation::Preset;
use crate::ui::action::{Action, FileField};
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::fields::{self, ICON_BUTTON, explain_ui, hold_button, icon_button, labelled_ui};
use crate::ui::form::checks::Field;
use crate::ui::form::{ExpectChoice, Form, HeaderRow};
use crate::ui::panels::expected::expected_ui;
use crate::ui::theme;

/// The secret with which the token's signature is checked; it never leaves the form.
pub(super) fn secret_ui(ui: &mut Ui, form: &mut Form, actions: &mut Actions) {
    section(ui, "Secret", false, |ui| {
        explain_ui(ui, "Checks the token's signature on this machine. It is never sent and never saved.");
        let palette = theme::palette(ui);
        ui.horizontal(|ui| {
            let width = ui.available_width() - ICON_BUTTON - theme::STEP;
            let is_shown = ui.data(|data| data.get_temp(ui.unique_id())).unwrap_or(false);
            let field = BigText::new("Secret").hint("JWT_SECRET").secret(!is_shown);
            cell(ui, width, |ui| field.show(ui, &mut form.secret));
            let is_held = hold_button(ui, "Hold to show the secret");
            ui.data_mut(|data| data.insert_temp(ui.unique_id(), is_held));
        });
        ui.label(theme::tinted("or read it from a file, such as .env", palette.muted));
        let field = BigText::new("Path of the secret's file").hint("path to .env");
        let changed = path_ui(ui, field, &mut form.secret_file, FileField::Secret, actions);
        if changed {
            form.secrets_read.clear();
            form.variables.clear();
            form.recheck();
        }
        problem(ui, form, Field::SecretFile);
        let is_readable = !form.secret_file.trim().is_empty() && !form.checks.fields.contains_key(&Field::SecretFile);
        let read = ui.add_enabled(is_readable, egui::Button::new("Read the file"));
        if read.on_disabled_hover_text("Type the path of a file first").clicked() {
            actions.push(Action::ReadSecretFile(PathBuf::from(form.secret_file.trim())));
        }
        if !form.secrets_read.is_empty() {
            let names: Vec<_> = form.secrets_read.iter().map(|secret| secret.name.as_str()).collect();
            fields::note_ui(ui, &format!("Read: {}", names.join(", ")));
        }
        if !form.variables.is_empty() {
            let words = "Its variables stand for {{NAME}} in the URL, in headers and in messages";
            explain_ui(ui, words);
        }
    });
}

/// What the server expects of the token's claims.
pub(super) fn claims_ui(ui: &mut Ui, form: &mut Form) {
    section(ui, "Expected claims", false, |ui| {
        explain_ui(ui, "What the server demands of the token; where it differs, the verdict says so.");
        if expected_ui(ui, &mut form.claims) {
            form.recheck();
        }
    });
}

/// When the connection counts as confirmed.
pub(super) fn expect_ui(ui: &mut Ui, form: &mut Form) {
    section(ui, "Confirmation", false, |ui| {
        let palette = theme::palette(ui);
        let before = form.expect;
        ui.horizontal(|ui| {
            let label = ui.label(theme::tinted("Expect", palette.muted));
            let combo = ComboBox::from_id_salt("expect").selected_text(words(form.expect)).width(ui.available_width());
            let response = combo.show_ui(ui, |ui| {
                for choice in EXPECTATIONS {
                    ui.selectable_value(&mut form.expect, choice, words(choice));
                }
            });
            response.response.labelled_by(label.id);
        });
        let texts = &mut form.expected;
        let is_changed = match form.expect {
            ExpectChoice::First | ExpectChoice::None => false,
            ExpectChoice::Contains => {
                labelled_ui(ui, "Text", BigText::new("Expected text").hint("ready"), &mut texts.contains).changed()
            }
            ExpectChoice::JsonPointer => {
                let pointer = BigText::new("JSON pointer").hint("/type");
                let value = BigText::new("Expected value").hint("ready");
                let pointer = labelled_ui(ui, "JSON pointer", pointer, &mut texts.pointer).changed();
                let value = labelled_ui(ui, "Value there", value, &mut texts.value).changed();
                pointer || value
            }
            ExpectChoice::Regex => {
                let field = BigText::new("Expected pattern").hint("\"type\":\\s*\"ready\"");
                labelled_ui(ui, "Regular expression", field, &mut texts.pattern).changed()
            }
        };
        if is_changed || form.expect != before {
            form.recheck();
        }
        problem(ui, form, Field::Expect);
        if form.expect != ExpectChoice::None {
            secs_ui(ui, "Wait for it, seconds", "Confirmation time-out in seconds", Field::ConfirmTimeOut, form);
        }
    });
}

/// Headers and the origin.
pub(super) fn headers_ui(ui: &mut Ui, form: &mut Form) {
    section(ui, "Headers", false, |ui| {
        let palette = theme::palette(ui);
        ui.horizontal(|ui| {
            let label = ui.label(theme::tinted("Request", palette.muted));
            let combo = ComboBox::from_id_salt("preset").selected_text(form.preset.words()).width(ui.available_width());
            let before = form.preset;
            let response = combo.show_ui(ui, |ui| {
                for choice in Preset::ALL {
                    ui.selectable_value(&mut form.preset, choice, choice.words());
                }
            });
            response.response.labelled_by(label.id);
            if form.preset != before {
                // Neither does the RFC demand compression, nor does anybody who asks for little want it.
                form.is_uncompressed = form.preset == Preset::Bare;
            }
        });
        let hint = match form.preset {
            Preset::Chrome => "that of the server itself",
            Preset::NodeWs | Preset::Bare => "none",
        };
        let origin = BigText::new("Origin").hint(hint);
        if labelled_ui(ui, "Origin", origin, &mut form.origin).changed() {
            form.recheck();
        }
        problem(ui, form, Field::Origin);
        let mut is_changed = false;
        let mut removed = None;
        for nth in 0..form.headers.len() {
            ui.push_id(nth, |ui| {
                if let Some(row) = form.headers.get_mut(nth) {
                    is_changed |= header_ui(ui, nth, row, &mut removed);
                }
                problem(ui, form, Field::Header(nth));
            });
        }
        if let Some(nth) = removed {
            form.headers.remove(nth);
            is_changed = true;
        }
        if is_changed {
            form.recheck();
        }
        let add = ui.add(egui::Button::new((fields::icon(ICON_ADD), "Add a header")).frame_when_inactive(false));
        if add.accessible_name("Add a header").clicked() {
            form.headers.push(HeaderRow { is_on: true, ..HeaderRow::default() });
        }
    });
}

fn header_ui(ui: &mut Ui, nth: usize, row: &mut HeaderRow, removed: &mut Option<usize>) -> bool {
    let number = nth + 1;
    let mut is_changed = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::STEP;
        let check = ui.checkbox(&mut row.is_on, "").on_hover_text("Send it, or keep it aside");
        is_changed |= check.accessible_name(format!("Send header {number}")).changed();
        let rest = ui.available_width() - ICON_BUTTON - 2.0 * theme::STEP;
        let name_width = (rest * 0.45).floor();
        is_changed |= cell(ui, name_width, |ui| {
            let name = format!("Header {number} name");
            BigText::new(&name).hint("name").show(ui, &mut row.name).response.changed()
        });
        is_changed |= cell(ui, rest - name_width, |ui| {
            let name = format!("Header {number} value");
            BigText::new(&name).hint("value").shortened(12).show(ui, &mut row.value).response.changed()
        });
        if icon_button(ui, ICON_CLOSE, &format!("Remove header {number}")).clicked() {
            *removed = Some(nth);
        }
    });
    is_changed
}

/// The subprotocols and the compression that are offered.
pub(super) fn subprotocols_ui(ui: &mut Ui, form: &mut Form) {
    section(ui, "Subprotocols and compression", false, |ui| {
        let field = BigText::new("Subprotocols").hint("graphql-transport-ws, v2.chat");
        if labelled_ui(ui, "Offered in this order, parted by commas", field, &mut form.subprotocols).changed() {
            form.recheck();
        }
        problem(ui, form, Field::Subprotocols);
        let mut is_offered = !form.is_uncompressed;
        let check = ui.checkbox(&mut is_offered, "Offer compression (permessage-deflate)");
        if check.on_hover_text("As browsers do; without it every message travels as it is").changed() {
            form.is_uncompressed = !is_offered;
        }
    });
}

/// How long each phase may take.
pub(super) fn time_outs_ui(ui: &mut Ui, form: &mut Form) {
    section(ui, "Time-outs", false, |ui| {
        secs_ui(ui, "Resolve and TCP, seconds", "Connect time-out in seconds", Field::ConnectTimeOut, form);
        secs_ui(ui, "Answer to the upgrade, seconds", "Upgrade time-out in seconds", Field::UpgradeTimeOut, form);
    });
}

fn secs_ui(ui: &mut Ui, label: &str, name: &str, field: Field, form: &mut Form) {
    let limits = &mut form.time_outs;
    let text = match field {
        Field::UpgradeTimeOut => &mut limits.upgrade,
        Field::ConfirmTimeOut => &mut limits.confirm,
        _ => &mut limits.connect,
    };
    if labelled_ui(ui, label, BigText::new(name), text).changed() {
        form.recheck();
    }
    problem(ui, form, field);
}

/// A path with a button that opens a dialog; returns whether it was changed.
pub(super) fn path_ui(
    ui: &mut Ui,
    field: BigText<'_>,
    path: &mut String,
    what: FileField,
    actions: &mut Actions,
) -> bool {
    ui.horizontal(|ui| {
        let width = ui.available_width() - ICON_BUTTON - theme::STEP;
        let response = cell(ui, width, |ui| field.show(ui, path).response);
        let name = match what {
            FileField::Secret => "Choose the secret's file…",
            FileField::Authority => "Choose the authority's file…",
            FileField::ClientCertificate => "Choose the client certificate…",
            FileField::ClientKey => "Choose the client certificate's key…",
            FileField::KeyLog => "Choose the file for the keys…",
            FileField::Payload => "Choose the file to send…",
            FileField::ServerLog => "Choose the server's log…",
        };
        if icon_button(ui, ICON_FOLDER_OPEN, name).clicked() {
            actions.push(Action::ChooseFile(what));
        }
        response.changed()
    })
    .inner
}

fn words(choice: ExpectChoice) -> &'static str {
    match choice {
        ExpectChoice::First => "The first message",
        ExpectChoice::None => "Nothing, the 101 is enough",
        ExpectChoice::Contains => "A text that contains",
        ExpectChoice::JsonPointer => "A JSON value",
        ExpectChoice::Regex => "A text that matches",
    }
}

const EXPECTATIONS: [ExpectChoice; 5] =
    [ExpectChoice::First, ExpectChoice::None, ExpectChoice::Contains, ExpectChoice::JsonPointer, ExpectChoice::Regex];
