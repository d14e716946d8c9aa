//! The token: its place, its text, and what is odd about it with a mend of one click.

use egui::{ComboBox, Id, Ui};

use super::{problem, section};
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::fields::{self, hold_button, labelled_ui, was_pasted};
use crate::ui::form::checks::Field;
use crate::ui::form::pasted::NoteAt;
use crate::ui::form::{Form, PlaceChoice};
use crate::ui::paste::BIG;
use crate::ui::theme;
use crate::ui::visible;

pub(super) fn show(ui: &mut Ui, form: &mut Form, actions: &mut Actions) {
    section(ui, "Token", true, |ui| {
        place_ui(ui, form);
        token_ui(ui, form, actions);
        odd_ui(ui, form);
    });
}

fn place_ui(ui: &mut Ui, form: &mut Form) {
    let palette = theme::palette(ui);
    let before = form.place;
    let mut place = form.place;
    ui.horizontal(|ui| {
        let label = ui.label(theme::tinted("Sent as", palette.muted));
        let combo = ComboBox::from_id_salt("token place").selected_text(words(place)).width(ui.available_width());
        let response = combo.show_ui(ui, |ui| {
            for choice in PLACES {
                ui.selectable_value(&mut place, choice, words(choice));
            }
        });
        response.response.labelled_by(label.id);
    });
    if place != before {
        form.move_token(place);
    }
    let old = if form.names.query.len() > BIG { String::new() } else { form.names.query.clone() };
    let names = &mut form.names;
    let changed = match form.place {
        PlaceChoice::Query => labelled_ui(ui, "Parameter name", BigText::new("Token parameter name"), &mut names.query),
        PlaceChoice::Header => labelled_ui(ui, "Header name", BigText::new("Token header name"), &mut names.header),
        PlaceChoice::Cookie => labelled_ui(ui, "Cookie name", BigText::new("Token cookie name"), &mut names.cookie),
        PlaceChoice::FirstMessage => {
            labelled_ui(ui, "Message with {{token}}", BigText::new("First message").rows(2), &mut names.template)
        }
        PlaceChoice::Bearer | PlaceChoice::Subprotocol => return,
    }
    .changed();
    if changed && form.place == PlaceChoice::Query {
        form.rename_token(&old);
    } else if changed {
        form.recheck();
    }
    problem(ui, form, Field::Place);
}

fn token_ui(ui: &mut Ui, form: &mut Form, actions: &mut Actions) {
    let palette = theme::palette(ui);
    let old = if form.token.len() > BIG { String::new() } else { form.token.clone() };
    let mut is_held = false;
    ui.horizontal(|ui| {
        ui.set_height(theme::CONTROL_HEIGHT);
        ui.label(theme::tinted("Paste the token here", palette.muted));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.add_enabled_ui(!form.token.is_empty(), |ui| {
                is_held = hold_button(ui, "Hold to show the whole token");
                if ui.small_button("Inspect").on_hover_text("Read it in the token panel").clicked() {
                    actions.push(Action::InspectToken(form.token.clone()));
                }
            });
        });
    });
    let field = BigText::new("Token").id(field_id()).hint("paste a token").shortened(TOKEN_CHARS);
    let output = field.show(ui, &mut form.token);
    let response = output.response;
    if response.changed() {
        if output.is_big || was_pasted(ui) { form.token_pasted(&old) } else { form.token_typed() }
    }
    if is_held {
        let whole = visible::one_line(&form.token, 4096).text;
        ui.add(egui::Label::new(theme::mono(whole)).wrap());
    }
    problem(ui, form, Field::Token);
}

/// What a paste became, and what is odd about the token.
fn odd_ui(ui: &mut Ui, form: &mut Form) {
    if let Some(note) = form.note.clone().filter(|note| note.at == NoteAt::Token) {
        fields::note_ui(ui, &note.text);
        if note.can_undo() && ui.small_button("Keep it as pasted").clicked() {
            form.undo_note();
        }
    }
    if form.checks.fields.contains_key(&Field::Token) && form.checks.token_mended.is_none() {
        return;
    }
    for odd in form.checks.token.iter().take(MAX_ODD) {
        fields::warning_ui(ui, &odd.message);
    }
    if let Some(mended) = form.checks.token_mended.clone() {
        let about = "Puts the token in that was probably meant";
        if ui.button("Mend the token").on_hover_text(about).clicked() {
            form.set_token(mended);
        }
    }
}

/// The identity of the token's field.
pub(super) fn field_id() -> Id {
    Id::unique("token field")
}

fn words(place: PlaceChoice) -> &'static str {
    match place {
        PlaceChoice::Query => "Query parameter",
        PlaceChoice::Bearer => "Authorization: Bearer",
        PlaceChoice::Header => "Header",
        PlaceChoice::Cookie => "Cookie",
        PlaceChoice::Subprotocol => "Subprotocol",
        PlaceChoice::FirstMessage => "First message",
    }
}

const PLACES: [PlaceChoice; 6] = [
    PlaceChoice::Query,
    PlaceChoice::Bearer,
    PlaceChoice::Header,
    PlaceChoice::Cookie,
    PlaceChoice::Subprotocol,
    PlaceChoice::FirstMessage,
];
const TOKEN_CHARS: usize = 28;
const MAX_ODD: usize = 3;
