//! A pasted console, explained line by line; where a session is shown, its verdict takes the lines into account.

use egui::{ScrollArea, Ui};

use crate::diagnosis::catalogue;
use crate::diagnosis::console::{Explained, explain_lines};
use crate::observation::PastedConsole;
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::{Actions, Context};
use crate::ui::fields::explain_ui;
use crate::ui::panels::job::{Job, Outcome};
use crate::ui::panels::parts::words_ui;
use crate::ui::theme;
use crate::ui::visible;

/// The form for a pasted console.
#[derive(Debug)]
pub(super) struct PasteForm {
    text: String,
    console: PastedConsole,
    explained: Option<Vec<Explained>>,
    explaining: Option<Job<Vec<Explained>>>,
}

impl Default for PasteForm {
    fn default() -> Self {
        Self { text: String::new(), console: PastedConsole::Browser, explained: None, explaining: None }
    }
}

impl PasteForm {
    /// Shows the form and what its lines mean.
    pub(super) fn show(&mut self, ui: &mut Ui, wants_focus: bool, ctx: &Context<'_>, actions: &mut Actions) {
        ui.add_space(theme::STEP);
        ui.horizontal(|ui| {
            ui.label("From");
            ui.selectable_value(&mut self.console, PastedConsole::Browser, "the browser's console");
            ui.selectable_value(&mut self.console, PastedConsole::Server, "the server's console");
        });
        let field = BigText::new("Lines of a console").rows(4).hint("WebSocket connection to 'ws://…' failed: …");
        let response = field.show(ui, &mut self.text).response;
        if wants_focus {
            response.request_focus();
        }
        if response.changed() {
            self.explained = None;
        }
        let is_empty = self.text.trim().is_empty();
        ui.horizontal(|ui| {
            let explain = ui.add_enabled(!is_empty, theme::primary_button_if(ui, !is_empty, "Explain"));
            if explain.on_disabled_hover_text("Paste some lines first").clicked() {
                self.explain(ui.ctx());
            }
            let can_add = ctx.view.is_some() && !is_empty;
            let add = ui.add_enabled(can_add, egui::Button::new("Add it to the session"));
            let add = add.on_hover_text("Its lines become a part of the shown session, and its verdict is given again");
            if add.on_disabled_hover_text("Connect first, or paste some lines").clicked() {
                self.explain(ui.ctx());
                let text = beginning(&self.text).to_owned();
                actions.push(Action::PasteConsole { console: self.console, text });
            }
        });
        match self.explaining.as_ref().map(Job::poll) {
            Some(Outcome::Done(explained)) => {
                self.explained = Some(explained);
                self.explaining = None;
            }
            // Nobody is there to read it; the button is.
            Some(Outcome::Lost) => self.explaining = None,
            Some(Outcome::Running) | None => {}
        }
    }

    /// Whether there are lines to explain, in the room below the form.
    pub(super) fn is_explained(&self) -> bool {
        self.explained.is_some()
    }

    /// Shows what the lines mean.
    pub(super) fn explained_ui(&self, ui: &mut Ui) {
        if let Some(explained) = &self.explained {
            explained_ui(ui, explained);
        }
    }

    /// Reads the lines off the pass: there may be thousands.
    fn explain(&mut self, ctx: &egui::Context) {
        let text = beginning(&self.text).to_owned();
        self.explaining = Some(Job::start("explain", ctx, move || explain_lines(&text)));
    }
}

fn explained_ui(ui: &mut Ui, explained: &[Explained]) {
    let palette = theme::palette(ui);
    if explained.is_empty() {
        explain_ui(ui, "No line says anything of a WebSocket, as far as Sockeye knows.");
        return;
    }
    ScrollArea::vertical().id_salt("explained").auto_shrink(false).show(ui, |ui| {
        for line in explained.iter().take(MOST_SHOWN) {
            let quote = visible::one_line(&line.quote, QUOTE_CHARS).text;
            ui.add(egui::Label::new(theme::mono(format!("{:>4}  {quote}", line.line)).color(palette.muted)).wrap());
            let meaning = visible::one_line(&line.meaning, QUOTE_CHARS).text;
            match line.cause.and_then(catalogue::cause) {
                Some(cause) => {
                    words_ui(ui, format!("✗ {}: {meaning}", cause.title), palette.bad);
                    if let Some(fix) = cause.fixes.first() {
                        let fix = fix.text_for(&catalogue::Target::example());
                        words_ui(ui, format!("Mend it: {fix}"), palette.text);
                    }
                }
                None if line.is_good => words_ui(ui, format!("✓ {meaning}"), palette.ok),
                None => words_ui(ui, format!("· {meaning}"), palette.event),
            }
        }
        if explained.len() > MOST_SHOWN {
            explain_ui(ui, &format!("{} more lines mean something.", explained.len() - MOST_SHOWN));
        }
    });
}

/// What is read of a pasted text: as much as a session keeps.
fn beginning(text: &str) -> &str {
    let mut end = text.len().min(crate::observation::Fact::PASTED_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

const MOST_SHOWN: usize = 100;
const QUOTE_CHARS: usize = 300;
