//! Attaching a console: a file that is followed, or a command that is started; and what is attached.

use std::path::PathBuf;

use egui::{Key, Response, Ui};
use egui_material_icons::icons::ICON_FOLDER_OPEN;

use crate::engine::{Command, ConsoleSource, ConsoleState};
use crate::observation::ConsoleKind;
use crate::ui::action::{Action, FileField};
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::fields::{ICON_BUTTON, explain_ui, icon_button};
use crate::ui::theme;
use crate::ui::units;
use crate::ui::visible;

/// What the form to attach a console holds.
#[derive(Debug, Default)]
pub struct AttachForm {
    /// The path of a log file.
    pub path: String,
    /// A command line that starts the server.
    pub command: String,
}

impl AttachForm {
    /// Shows the form; returns whether a console was asked for.
    pub(super) fn show(&mut self, ui: &mut Ui, wants_focus: bool, actions: &mut Actions) -> bool {
        ui.add_space(theme::STEP);
        let mut is_asked = false;
        ui.label(theme::strong("Follow a log file"));
        ui.horizontal(|ui| {
            let is_path = is_usable(&self.path);
            let width = ui.available_width() - ICON_BUTTON - BUTTON - 4.0 * theme::STEP;
            let field = ui.allocate_ui(egui::vec2(width, theme::CONTROL_HEIGHT), |ui| {
                let field = BigText::new("Path of the server's log").hint("path to server.log");
                let output = field.show(ui, &mut self.path);
                if wants_focus {
                    output.response.request_focus();
                }
                output
            });
            let is_entered = is_path && is_entered(ui, &field.inner.response);
            if icon_button(ui, ICON_FOLDER_OPEN, "Choose the server's log…").clicked() {
                actions.push(Action::ChooseFile(FileField::ServerLog));
            }
            let follow = ui.add_enabled(is_path, egui::Button::new("Follow"));
            if follow.on_disabled_hover_text("Type the path of a file first").clicked() || is_entered {
                actions.push(Action::AttachConsole(ConsoleSource::File(PathBuf::from(self.path.trim()))));
                is_asked = true;
            }
        });
        explain_ui(ui, "From its end on; also when it is rotated, truncated, or written only later.");
        ui.label(theme::strong("Start the server"));
        ui.horizontal(|ui| {
            let width = ui.available_width() - BUTTON - 3.0 * theme::STEP;
            let field = ui.allocate_ui(egui::vec2(width, theme::CONTROL_HEIGHT), |ui| {
                BigText::new("Command that starts the server").hint("npm run dev:websocket").show(ui, &mut self.command)
            });
            let is_command = is_usable(&self.command);
            let is_entered = is_command && is_entered(ui, &field.inner.response);
            let start = ui.add_enabled(is_command, egui::Button::new("Start"));
            if start.on_disabled_hover_text("Type a command first").clicked() || is_entered {
                actions.push(Action::AttachConsole(ConsoleSource::Command(self.command.trim().to_owned())));
                is_asked = true;
            }
        });
        explain_ui(ui, "Your shell runs it. When Sockeye ends, it ends, with everything that it has started.");
        is_asked
    }
}

/// What is attached, and how to let it go.
pub(super) fn attached_ui(ui: &mut Ui, consoles: &[ConsoleState], actions: &mut Actions) {
    let palette = theme::palette(ui);
    for state in consoles {
        ui.horizontal_wrapped(|ui| {
            let name = visible::one_line(&state.source, 60).text;
            let (kind, verb) = match state.kind {
                ConsoleKind::File => ("Follows", "Detach"),
                ConsoleKind::Command if state.exit.is_some() => ("Ran", "Remove"),
                ConsoleKind::Command => ("Runs", "Stop"),
                ConsoleKind::StandardInput => ("Reads", "Detach"),
            };
            ui.label(theme::tinted(kind, palette.muted));
            ui.label(theme::mono(name.as_str()));
            let lines = match state.lines {
                0 => "no line so far".to_owned(),
                1 => "1 line".to_owned(),
                lines => format!("{} lines", units::count(lines)),
            };
            ui.label(theme::tinted(lines, palette.muted));
            if let Some(status) = state.exit {
                let (sign, colour) = if status.is_success() { ("·", palette.event) } else { ("✗", palette.bad) };
                ui.label(theme::tinted(format!("{sign} ended with {status}"), colour));
            }
            let button = ui.small_button(verb);
            let label = format!("{verb} {name}");
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, label.as_str()));
            if button.clicked() {
                actions.push(Action::Engine(Command::DetachConsole { console: state.console }));
            }
        });
    }
}

/// Whether Enter ended the typing in a field.
fn is_entered(ui: &Ui, field: &Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

fn is_usable(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MOST_BYTES && !text.contains('\0')
}

const BUTTON: f32 = 72.0;
const MOST_BYTES: usize = 4096;
