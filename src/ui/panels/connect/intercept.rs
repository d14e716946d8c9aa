//! The section that stands between a page and its server: where to listen, and what has come.

use egui::{Align, Button, CollapsingHeader, Ui, vec2};
use egui_material_icons::icons::ICON_CONTENT_COPY;

use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::fields::{explain_ui, icon_button, problem_ui};
use crate::ui::form::Form;
use crate::ui::intercept::{InterceptDraft, Interception};
use crate::ui::theme;

/// What is typed there.
#[derive(Debug, Default)]
pub(super) struct InterceptSection {
    pub(super) draft: InterceptDraft,
    /// For so many passes more it is brought into view: it opens slowly.
    scrolls: u8,
}

impl InterceptSection {
    /// Opens it in the next pass, and brings it into view.
    pub(super) fn open(&mut self) {
        self.scrolls = OPENING_PASSES;
    }

    /// Shows it; it can be used while a connection lives.
    pub(super) fn show(&mut self, ui: &mut Ui, form: &Form, intercept: &Interception, actions: &mut Actions) {
        let title = theme::heading("A page's own connection");
        let is_wanted = self.scrolls > 0;
        self.scrolls = self.scrolls.saturating_sub(1);
        let opens = is_wanted || intercept.is_on();
        let header = CollapsingHeader::new(title).id_salt("intercept").open(opens.then_some(true));
        header.show_unindented(ui, |ui| {
            if intercept.is_on() {
                listening_ui(ui, intercept, actions);
            } else {
                self.ask_ui(ui, form, actions);
            }
            ui.add_space(theme::STEP);
            if is_wanted {
                ui.scroll_to_cursor(Some(Align::BOTTOM));
                ui.ctx().request_repaint();
            }
        });
    }

    fn ask_ui(&mut self, ui: &mut Ui, form: &Form, actions: &mut Actions) {
        explain_ui(
            ui,
            "Your page connects to a port of this machine, every byte goes through to the URL's server, and you see here \
             why it closes.",
        );
        let draft = &mut self.draft;
        let port = draft.port();
        let obstacle = port.as_ref().err().cloned().or_else(|| form.checks.obstacle());
        ui.horizontal(|ui| {
            ui.label("Port");
            ui.allocate_ui(vec2(PORT_WIDTH, theme::CONTROL_HEIGHT), |ui| {
                BigText::new("Port to listen on").hint("9001").show(ui, &mut draft.port);
            });
            let listen = ui.add_enabled(obstacle.is_none(), Button::new("Listen"));
            if listen.on_disabled_hover_text(obstacle.unwrap_or_default()).clicked()
                && let Ok(port) = port
            {
                actions.push(Action::Intercept { port, renames: draft.renames, tells: draft.tells });
            }
        });
        if let Err(problem) = &port {
            problem_ui(ui, problem);
        }
        ui.checkbox(&mut draft.renames, "Put the server's name into Host")
            .on_hover_text("For servers that refuse another name; every other byte stays as it is");
        ui.checkbox(&mut draft.tells, "Tell the page why it was refused or dropped")
            .on_hover_text("By close code 4999, with the cause as the reason");
    }
}

fn listening_ui(ui: &mut Ui, intercept: &Interception, actions: &mut Actions) {
    let palette = theme::palette(ui);
    let Some(url) = intercept.url() else {
        ui.label("Begins to listen…");
        return;
    };
    ui.horizontal(|ui| {
        ui.label(theme::strong(&url));
        if icon_button(ui, ICON_CONTENT_COPY, "Copy the address to point the page to").clicked() {
            actions.push(Action::Copy { text: url.clone(), what: "the address".to_owned() });
        }
        if ui.button("Stop").on_hover_text("Connections that go through go on").clicked() {
            actions.push(Action::StopIntercept);
        }
    });
    explain_ui(ui, &format!("Point your page there in place of {}; path and query stay its own.", intercept.target()));
    ui.label(theme::tinted(intercept.words(), palette.muted));
}

/// Points of the field for the port.
const PORT_WIDTH: f32 = 72.0;
/// How many passes a section takes to open, and some more.
const OPENING_PASSES: u8 = 20;
