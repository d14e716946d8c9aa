//! The connection form, section by section; every input is named, and what is wrong with it stands under it.
//!
//! The URL itself stands at the top of the window. While a connection lives, the form is locked.

mod intercept;
mod network;
mod options;
mod profiles;
mod query;
mod token;

use egui::{CollapsingHeader, Frame, Margin, Panel, ScrollArea, Ui};

use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::fields;
use crate::ui::focus::follow_focus;
use crate::ui::form::Form;
use crate::ui::form::checks::Field;
use crate::ui::intercept::InterceptDraft;
use crate::ui::profiles::Profiles;
use crate::ui::theme;
use intercept::InterceptSection;
use profiles::ProfilesStrip;

/// The connection form's own state: nothing but what is open.
#[derive(Debug, Default)]
pub struct ConnectPanel {
    profiles: ProfilesStrip,
    intercept: InterceptSection,
}

impl ConnectPanel {
    /// Asks for a name to save the form under.
    pub fn name_profile(&mut self, profiles: &Profiles) {
        self.profiles.begin_naming(profiles);
    }

    /// What is typed in the section for a page's own connection.
    pub fn intercept(&self) -> &InterceptDraft {
        &self.intercept.draft
    }

    /// Puts there what was typed before.
    pub fn recall_intercept(&mut self, draft: InterceptDraft) {
        self.intercept.draft = draft;
    }

    /// Opens the section for a page's own connection, and brings it into view.
    pub fn open_intercept(&mut self) {
        self.intercept.open();
    }

    /// Shows the form; what is typed stands in `form` at once.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        form: &mut Form,
        profiles: &Profiles,
        ctx: &Context<'_>,
        actions: &mut Actions,
    ) {
        let foot = Frame::NONE.inner_margin(Margin { top: 8, ..Margin::ZERO });
        Panel::bottom("profiles").frame(foot).show(ui, |ui| {
            self.profiles.show(ui, profiles, form, ctx.locks_form, actions);
        });
        ScrollArea::vertical().id_salt("connection form").auto_shrink(false).show(ui, |ui| {
            if ctx.locks_form {
                fields::note_ui(ui, "Locked while connected: disconnect to change it");
            } else if let Some(terms) = &form.practice {
                let words = match &terms.fault {
                    Some(fault) => format!("Practice: {fault}"),
                    None if ctx.views.is_empty() => "Practice server: press Connect for a first session".to_owned(),
                    None => "Practice server".to_owned(),
                };
                fields::note_ui(ui, &words);
                if ui.button("Use my own server").on_hover_text("Back to a form of your own").clicked() {
                    actions.push(Action::OwnForm);
                }
            }
            ui.add_enabled_ui(!ctx.locks_form, |ui| {
                query::show(ui, form);
                token::show(ui, form, actions);
                options::secret_ui(ui, form, actions);
                options::claims_ui(ui, form);
                options::expect_ui(ui, form);
                options::headers_ui(ui, form);
                options::subprotocols_ui(ui, form);
                options::time_outs_ui(ui, form);
                network::tls_ui(ui, form, actions);
                network::way_ui(ui, form);
                network::keep_alive_ui(ui, form);
            });
            self.intercept.show(ui, form, ctx.intercept, actions);
            follow_focus(ui);
        });
    }
}

/// A section with a title, which opens by a click or by Enter.
fn section(ui: &mut Ui, title: &str, is_open: bool, body: impl FnOnce(&mut Ui)) {
    CollapsingHeader::new(theme::heading(title)).id_salt(title).default_open(is_open).show_unindented(ui, |ui| {
        body(ui);
        ui.add_space(theme::STEP);
    });
}

/// Says what is wrong with `field`, if anything is.
fn problem(ui: &mut Ui, form: &Form, field: Field) {
    if let Some(words) = form.checks.fields.get(&field) {
        fields::problem_ui(ui, words);
    }
}

/// A part of a row, `width` points wide.
fn cell<R>(ui: &mut Ui, width: f32, body: impl FnOnce(&mut Ui) -> R) -> R {
    let size = egui::vec2(width.max(0.0), theme::CONTROL_HEIGHT);
    let layout = egui::Layout::left_to_right(egui::Align::Center);
    ui.allocate_ui_with_layout(size, layout, |ui| {
        ui.set_width(width.max(0.0));
        body(ui)
    })
    .inner
}
