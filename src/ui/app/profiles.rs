//! Profiles: the form saved under a name, and put back from one.

use std::path::PathBuf;

use super::App;
use crate::engine::{Command, Profile};
use crate::ui::action::Action;
use crate::ui::fields;
use crate::ui::form::Form;
use crate::ui::form::kept::KeptForm;
use crate::ui::visible;

impl App {
    /// Saves the form; a name that is a secret itself is not taken.
    pub(super) fn save_profile(&mut self, name: &str) {
        if self.form.practice.is_some() {
            return;
        }
        if self.holds_secret(name) {
            self.banner = Some("A token or a secret is no name for a profile: names are not hidden".to_owned());
            return;
        }
        match serde_json::to_value(KeptForm::of(&self.form)) {
            Ok(form) => {
                self.profiles.saving(name);
                self.on_disk(Command::SaveProfile { name: name.to_owned(), form });
            }
            Err(error) => self.banner = Some(format!("The form cannot be saved: {error}")),
        }
    }

    /// Takes the profiles on disk, and says so if one of them was just saved.
    pub(super) fn profiles_listed(&mut self, profiles: Vec<Profile>) {
        if let Some(name) = self.profiles.listed(profiles) {
            self.toasts.done(format!("Saved the profile {}, without tokens and secrets", shown(name)));
        }
    }

    /// Says why the profiles cannot be read or changed.
    pub(super) fn profiles_failed(&mut self, why: &str) {
        self.profiles.not_saved();
        self.banner = Some(fields::sentence(why));
    }

    /// Puts a profile in the form's place. No token goes with it from one server to another.
    pub(super) fn use_profile(&mut self, name: &str) {
        if !self.can_change_form() {
            return;
        }
        match self.profiles.form(name) {
            Ok(form) => {
                let before = self.replace_form(form);
                self.profiles.used(name, before);
                self.toasts.done(format!("Profile {}: tokens and secrets are not in it", shown(name)));
            }
            Err(why) => self.banner = Some(format!("The profile {} cannot be read: {why}", shown(name))),
        }
    }

    /// Goes back to the form that a profile took the place of.
    pub(super) fn leave_profile(&mut self) {
        if !self.can_change_form() {
            return;
        }
        let now = self.own_form.take().unwrap_or_else(|| self.form.clone());
        if let Some(form) = self.profiles.go_back(now) {
            self.replace_form(form);
        }
    }

    fn can_change_form(&mut self) -> bool {
        let is_live = self.connections.locks_form();
        if is_live {
            self.banner = Some("Disconnect first: the form is locked while connected".to_owned());
        }
        !is_live
    }

    /// Puts another form of the user's own in the place of what is there; gives the one of their own that was.
    fn replace_form(&mut self, form: Form) -> Form {
        let old = std::mem::replace(&mut self.form, form);
        let own = self.own_form.take().unwrap_or(old);
        let file = self.form.secret_file.trim();
        if !file.is_empty() {
            // Its variables stand for names in the form.
            self.actions.push(Action::ReadSecretFile(PathBuf::from(file)));
        }
        own
    }
}

fn shown(name: &str) -> String {
    format!("“{}”", visible::one_line(name, SHOWN_CHARS).text)
}

const SHOWN_CHARS: usize = 40;
