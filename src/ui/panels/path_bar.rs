//! A line with a path field, for machines that have no file dialog.

use std::path::{Path, PathBuf};

use egui::{Id, Key, Ui};

use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::fields::problem_ui;
use crate::ui::files::Pick;
use crate::ui::theme;

/// The line while it is open.
#[derive(Debug)]
pub struct PathBar {
    /// What the path is for.
    pub pick: Pick,
    /// What went wrong with the last try.
    pub problem: Option<String>,
    path: String,
    /// The file that is there already and would be replaced, once the user was told.
    replaces: Option<PathBuf>,
    has_begun: bool,
}

impl PathBar {
    /// A line for `pick`, with `path` to begin with.
    pub fn new(pick: Pick, path: String) -> Self {
        Self { pick, problem: None, path, replaces: None, has_begun: false }
    }

    /// Shows the line; returns whether it stays open.
    pub fn show(&mut self, ui: &mut Ui, actions: &mut Actions) -> bool {
        let (words, verb) = match self.pick {
            Pick::Save => ("Save to", "Save"),
            Pick::Export => ("Write to", "Write"),
            Pick::Open => ("Open", "Open"),
            Pick::Field(_) => ("Path of the file", "Use"),
        };
        let mut stays = true;
        ui.horizontal(|ui| {
            ui.label(theme::strong(words));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                stays = !ui.button("Cancel").clicked();
                let path = self.path.trim();
                let is_known = self.replaces.as_deref() == Some(Path::new(path));
                let verb = if is_known { "Replace" } else { verb };
                let is_path = !path.is_empty() && path.len() <= 4096 && !path.contains('\0');
                let button = if is_path { theme::primary_button(ui, verb) } else { egui::Button::new(verb) };
                let is_clicked = ui.add_enabled(is_path, button).clicked();
                let field = BigText::new("Path").id(field_id()).hint("/home/me/session.sockeye");
                if !std::mem::replace(&mut self.has_begun, true) {
                    ui.memory_mut(|memory| memory.request_focus(field_id()));
                }
                let response = field.show(ui, &mut self.path).response;
                let is_entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
                if (is_clicked || is_entered) && is_path {
                    let path = PathBuf::from(self.path.trim());
                    self.problem = None;
                    // As a file dialog does.
                    if matches!(self.pick, Pick::Save | Pick::Export) && !is_known && path.is_file() {
                        self.problem =
                            Some("This file is there already: Replace it, or choose another name".to_owned());
                        self.replaces = Some(path);
                        self.has_begun = false;
                        return;
                    }
                    match self.pick {
                        Pick::Save => actions.push(Action::Save(Some(path))),
                        Pick::Export => actions.push(Action::ExportTo(path)),
                        Pick::Open => actions.push(Action::Open(Some(path))),
                        Pick::Field(field) => {
                            actions.push(Action::FileChosen(field, path));
                            stays = false;
                        }
                    }
                }
            });
        });
        stays &= !ui.input(|input| input.key_pressed(Key::Escape));
        if let Some(problem) = &self.problem {
            problem_ui(ui, problem);
        }
        if self.pick == Pick::Save {
            let muted = theme::palette(ui).muted;
            let words = ".sockeye keeps every byte, the token too. .html, .md, .jsonl, .har, .pcapng and .zip come with secrets replaced.";
            ui.label(theme::tinted(words, muted));
        }
        stays
    }
}

fn field_id() -> Id {
    Id::unique("path field")
}
