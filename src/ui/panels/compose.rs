//! The compose line: text, JSON, binary, ping, pong and close; disabled with a reason unless the connection is open.

mod draft;

use std::path::PathBuf;

use egui::{ComboBox, Id, Key, Modifiers, Ui};
use egui_material_icons::icons::ICON_FOLDER_OPEN;

use crate::engine::{Command, Outgoing};
use crate::observation::ConnId;
use crate::store::State;
use crate::ui::action::{Action, FileField};
use crate::ui::big_text::{self, BigText};
use crate::ui::context::{Actions, Context};
use crate::ui::fields::{self, icon_button};
use crate::ui::theme;
pub use draft::{Draft, Kind};

/// The compose line.
#[derive(Debug, Default)]
pub struct ComposePanel {
    /// What is being written.
    pub draft: Draft,
    history: Vec<(Kind, String)>,
    /// How far back in the history the field stands.
    back: usize,
    /// What was in the field before the history was opened.
    aside: String,
}

impl ComposePanel {
    /// Shows the line; `Ctrl/⌘+Enter` comes as [`ComposePanel::send`].
    pub fn show(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let why_not = why_not(ctx);
        ui.horizontal(|ui| {
            self.kind_ui(ui);
            let button_width = 92.0;
            let width = ui.available_width() - button_width - 2.0 * theme::STEP;
            ui.allocate_ui_with_layout(
                egui::vec2(width.max(80.0), theme::CONTROL_HEIGHT),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| self.field_ui(ui, why_not.is_none(), actions),
            );
            let problem = self.draft.problem();
            let reason = why_not.map(str::to_owned).or_else(|| problem.clone());
            let button = if reason.is_none() { theme::primary_button(ui, "Send") } else { egui::Button::new("Send") };
            let button = ui.add_enabled(reason.is_none(), button.min_size(egui::vec2(button_width, 0.0)));
            let button = button.on_hover_text(format!("Send it ({})", ui.format_shortcut(&crate::ui::menu::CONFIRM)));
            let button = button.on_disabled_hover_text(reason.unwrap_or_default());
            if button.clicked() {
                self.send(ctx, actions);
            }
        });
        let is_started = !self.draft.text.is_empty() || self.draft.kind == Kind::Close;
        if let Some(problem) = self.draft.problem().filter(|_| is_started) {
            fields::problem_ui(ui, &problem);
        } else if let Some(reason) = why_not.filter(|_| is_started) {
            fields::note_ui(ui, reason);
        }
    }

    /// The identity of the field, for the key that gives it the focus.
    pub fn field_id() -> Id {
        Id::unique("compose field")
    }

    /// Whether the line has the focus.
    pub fn has_focus(ctx: &egui::Context) -> bool {
        [Self::field_id(), code_id(), reason_id()].iter().any(|id| ctx.memory(|memory| memory.has_focus(*id)))
    }

    /// Sends what is written, if it can be sent.
    pub fn send(&mut self, ctx: &Context<'_>, actions: &mut Actions) {
        let (Some(conn), None) = (ctx.conn(), why_not(ctx)) else {
            return;
        };
        if self.draft.problem().is_some() {
            return;
        }
        match self.draft.kind {
            Kind::File => actions.push(Action::SendFile(PathBuf::from(self.draft.text.trim()))),
            Kind::Close => {
                let (code, reason) = self.draft.close();
                actions.push(Action::Engine(Command::Close { conn, code, reason }));
            }
            Kind::Text | Kind::Json | Kind::Hex | Kind::Base64 | Kind::Ping | Kind::Pong => {
                let Some(message) = self.draft.message() else {
                    return;
                };
                actions.push(send(conn, message));
            }
        }
        self.remember();
    }

    fn remember(&mut self) {
        if self.draft.kind == Kind::Close {
            return;
        }
        let text = std::mem::take(&mut self.draft.text);
        self.back = 0;
        if text.len() <= MAX_REMEMBERED && !text.is_empty() {
            let entry = (self.draft.kind, text);
            self.history.retain(|old| *old != entry);
            self.history.push(entry);
            let excess = self.history.len().saturating_sub(MAX_HISTORY);
            self.history.drain(..excess);
        }
    }

    fn kind_ui(&mut self, ui: &mut Ui) {
        let combo = ComboBox::from_id_salt("message kind").selected_text(self.draft.kind.word()).width(88.0);
        let response = combo.show_ui(ui, |ui| {
            for kind in Kind::ALL {
                ui.selectable_value(&mut self.draft.kind, kind, kind.word());
            }
        });
        response.response.on_hover_text("What to send").accessible_name("Kind of message");
    }

    fn field_ui(&mut self, ui: &mut Ui, is_open: bool, actions: &mut Actions) {
        if self.draft.kind == Kind::Close {
            ui.allocate_ui(egui::vec2(72.0, theme::CONTROL_HEIGHT), |ui| {
                BigText::new("Close code").id(code_id()).hint("1000").show(ui, &mut self.draft.code);
            });
            BigText::new("Close reason")
                .id(reason_id())
                .hint("reason, at most 123 bytes")
                .show(ui, &mut self.draft.reason);
            return;
        }
        if self.draft.kind == Kind::File && icon_button(ui, ICON_FOLDER_OPEN, "Choose the file to send…").clicked() {
            actions.push(Action::ChooseFile(FileField::Payload));
        }
        self.history_keys(ui);
        self.line_ends(ui);
        let hint = if is_open { self.draft.kind.hint() } else { "Write a message here once the connection is open" };
        let field = BigText::new("Message").id(Self::field_id()).hint(hint);
        let field = if self.draft.text.contains('\n') { field.rows(lines(&self.draft.text)) } else { field };
        if field.show(ui, &mut self.draft.text).response.changed() {
            self.back = 0;
        }
    }

    /// Line ends belong to a message: Enter makes one, and what is pasted keeps its own; a field of one line has none.
    fn line_ends(&mut self, ui: &Ui) {
        let has_focus = ui.memory(|memory| memory.has_focus(Self::field_id()));
        if !has_focus || self.draft.kind == Kind::File || self.draft.text.contains('\n') {
            return;
        }
        let mut piece = None;
        ui.input_mut(|input| {
            input.events.retain(|event| match event {
                egui::Event::Paste(text) if text.contains(['\n', '\r']) => {
                    piece = Some(text.clone());
                    false
                }
                _ => true,
            });
            if input.consume_key(Modifiers::NONE, Key::Enter) || input.consume_key(Modifiers::SHIFT, Key::Enter) {
                piece.get_or_insert_default().push('\n');
            }
        });
        if let Some(piece) = piece {
            big_text::insert(ui, Self::field_id(), &mut self.draft.text, &piece);
            self.back = 0;
        }
    }

    /// ↑ and ↓ go through what was sent, in a field of one line.
    fn history_keys(&mut self, ui: &Ui) {
        let has_focus = ui.memory(|memory| memory.has_focus(Self::field_id()));
        if !has_focus || self.draft.text.contains('\n') || self.history.is_empty() {
            return;
        }
        let (older, newer) = ui.input_mut(|input| {
            let older = input.consume_key(Modifiers::NONE, Key::ArrowUp);
            (older, input.consume_key(Modifiers::NONE, Key::ArrowDown))
        });
        if older && self.back < self.history.len() {
            if self.back == 0 {
                self.aside.clone_from(&self.draft.text);
            }
            self.back += 1;
        } else if newer && self.back > 0 {
            self.back -= 1;
        } else {
            return;
        }
        let entry = self.history.len().checked_sub(self.back).and_then(|at| self.history.get(at));
        match entry {
            Some((kind, text)) if self.back > 0 => {
                self.draft.kind = *kind;
                self.draft.text.clone_from(text);
            }
            _ => self.draft.text.clone_from(&self.aside),
        }
        big_text::place_cursor(ui, Self::field_id(), self.draft.text.chars().count());
    }
}

fn send(conn: ConnId, message: Outgoing) -> Action {
    Action::Engine(Command::Send { conn, message })
}

/// Why nothing can be sent at the moment.
fn why_not(ctx: &Context<'_>) -> Option<&'static str> {
    let Some(view) = ctx.view else {
        return Some("Connect first: there is no open connection");
    };
    if view.story.plan.as_ref().is_some_and(|plan| plan.between.is_some()) {
        return Some("The page sends its own messages: nothing can be sent in its place");
    }
    match view.story.state() {
        State::Open(_) | State::WaitingForConfirmation => None,
        State::Closing => Some("The connection is closing"),
        State::Closed(_) | State::Failed => Some("This connection is over"),
        State::NotConnected | State::Resolving | State::Connecting | State::Tls | State::Upgrading => {
            Some("The connection is not open yet")
        }
    }
}

fn lines(text: &str) -> usize {
    text.matches('\n').take(MAX_LINES).count().clamp(1, MAX_LINES - 1) + 1
}

fn code_id() -> Id {
    Id::unique("close code field")
}

fn reason_id() -> Id {
    Id::unique("close reason field")
}

const MAX_LINES: usize = 6;
const MAX_HISTORY: usize = 50;
const MAX_REMEMBERED: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_remembered_once() {
        let mut panel = ComposePanel::default();
        for text in ["a", "b", "a"] {
            panel.draft.text = text.to_owned();
            panel.remember();
        }
        let texts: Vec<_> = panel.history.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["b", "a"]);
        assert!(panel.draft.text.is_empty());
    }
}
