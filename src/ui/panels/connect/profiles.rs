//! The profiles at the foot of the form: choose one, save the form as one, delete one.

use egui::{Button, ComboBox, Key, Ui};
use egui_material_icons::icons::{ICON_CLOSE, ICON_DELETE, ICON_SAVE};

use super::cell;
use crate::engine::Profile;
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::fields::{ICON_BUTTON, explain_ui, icon_button, problem_ui};
use crate::ui::form::Form;
use crate::ui::profiles::Profiles;
use crate::ui::theme;
use crate::ui::visible;

/// What is being done about profiles.
#[derive(Debug, Default)]
pub(super) struct ProfilesStrip {
    doing: Doing,
}

#[derive(Debug, Default)]
enum Doing {
    #[default]
    Nothing,
    /// A name is typed.
    Naming { name: String, wants_focus: bool },
    /// Deleting this one was asked for.
    Deleting(String),
}

impl ProfilesStrip {
    /// Asks for a name to save the form under.
    pub(super) fn begin_naming(&mut self, profiles: &Profiles) {
        let name = profiles.current().unwrap_or_default().to_owned();
        self.doing = Doing::Naming { name, wants_focus: true };
    }

    /// Shows it; while a connection lives, none can be chosen.
    pub(super) fn show(&mut self, ui: &mut Ui, profiles: &Profiles, form: &Form, is_live: bool, actions: &mut Actions) {
        let is_practice = form.practice.is_some();
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::STEP;
            let palette = theme::palette(ui);
            let label = ui.label(theme::tinted("Profile", palette.muted));
            let width = ui.available_width() - 2.0 * (ICON_BUTTON + theme::STEP);
            ui.add_enabled_ui(!is_live, |ui| {
                let words = match profiles.current().filter(|_| !is_practice) {
                    Some(name) if profiles.is_changed(form) => format!("{}, changed", shown(name)),
                    Some(name) => shown(name),
                    None => "none".to_owned(),
                };
                let combo = ComboBox::from_id_salt("profile").selected_text(words).truncate().width(width);
                let shown = combo.show_ui(ui, |ui| choices_ui(ui, profiles, is_practice, actions));
                shown.response.labelled_by(label.id);
            });
            ui.add_enabled_ui(!is_practice, |ui| {
                let save = icon_button(ui, ICON_SAVE, "Save the form as a profile");
                if save.on_disabled_hover_text("The practice server needs no profile").clicked() {
                    self.begin_naming(profiles);
                }
            });
            ui.add_enabled_ui(profiles.current().is_some() && !is_practice, |ui| {
                let delete = icon_button(ui, ICON_DELETE, "Delete this profile");
                if delete.on_disabled_hover_text("Choose a profile first").clicked() {
                    self.doing = profiles.current().map_or(Doing::Nothing, |name| Doing::Deleting(name.to_owned()));
                }
            });
        });
        let is_done = match &mut self.doing {
            Doing::Nothing => false,
            Doing::Naming { name, wants_focus } => naming_ui(ui, name, wants_focus, profiles, actions) || is_practice,
            Doing::Deleting(name) => deleting_ui(ui, name, actions) || profiles.current() != Some(name),
        };
        if is_done {
            self.doing = Doing::Nothing;
        }
    }
}

fn choices_ui(ui: &mut Ui, profiles: &Profiles, is_practice: bool, actions: &mut Actions) {
    if profiles.list().is_empty() {
        ui.label("None yet: the disk beside it saves the form under a name");
    }
    for profile in profiles.list() {
        let is_current = profiles.current() == Some(&profile.name) && !is_practice;
        if ui.selectable_label(is_current, shown(&profile.name)).clicked() {
            actions.push(Action::UseProfile(profile.name.clone()));
        }
    }
    if profiles.has_before() {
        ui.separator();
        if ui.selectable_label(false, "Back to the form before").clicked() {
            actions.push(Action::LeaveProfile);
        }
    }
}

/// Takes a name; returns whether that is over.
fn naming_ui(
    ui: &mut Ui,
    name: &mut String,
    wants_focus: &mut bool,
    profiles: &Profiles,
    actions: &mut Actions,
) -> bool {
    let is_there = profiles.list().iter().any(|profile| profile.name == name.trim());
    let is_good = Profile::name_of(name).is_some();
    let mut is_wanted = false;
    let mut is_over = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = theme::STEP;
        let width = ui.available_width() - ICON_BUTTON - SAVE_WIDTH - 2.0 * theme::STEP;
        let field = cell(ui, width, |ui| BigText::new("Name of the profile").hint("staging").show(ui, name).response);
        if *wants_focus {
            // The click that asked for the name still takes it away once.
            *wants_focus = !field.has_focus();
            field.request_focus();
        }
        is_wanted = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        is_over = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape));
        let save = Button::new(if is_there { "Replace" } else { "Save" }).min_size(egui::vec2(SAVE_WIDTH, 0.0));
        is_wanted |= ui.add_enabled(is_good, save).clicked();
        is_over |= icon_button(ui, ICON_CLOSE, "Save no profile").clicked();
    });
    if !is_good && !name.is_empty() {
        problem_ui(ui, &format!("a name has 1 to {} characters of one line", Profile::NAME_CHARS));
    } else {
        explain_ui(ui, "Tokens and secrets are left out.");
    }
    // The last letter may have come in the same pass as Enter.
    if is_wanted && let Some(name) = Profile::name_of(name) {
        actions.push(Action::SaveProfile(name.to_owned()));
        return true;
    }
    is_over
}

/// Asks whether to delete; returns whether there is an answer.
fn deleting_ui(ui: &mut Ui, name: &str, actions: &mut Actions) -> bool {
    ui.label(format!("Delete the profile “{}”?", shown(name)));
    ui.horizontal(|ui| {
        let delete = ui.button("Delete");
        if delete.clicked() {
            actions.push(Action::DeleteProfile(name.to_owned()));
        }
        ui.button("Keep").clicked() || delete.clicked()
    })
    .inner
}

fn shown(name: &str) -> String {
    visible::one_line(name, SHOWN_CHARS).text
}

const SHOWN_CHARS: usize = 40;
/// Points of the button that saves.
const SAVE_WIDTH: f32 = 64.0;
