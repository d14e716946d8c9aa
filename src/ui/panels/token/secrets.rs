//! What to verify with: a secret that is typed, or a file: a `.env` with its kin, a PEM key, a certificate, a JWK Set.
//!
//! Secrets are dots unless a button is held down. They stay in memory here and go nowhere.

use std::path::PathBuf;

use crate::token::{Secret, SecretForm, holds_secret, secrets_from_env};
use crate::ui::big_text::BigText;
use crate::ui::files::{SecretFile, secrets_of_file};
use crate::ui::panels::job::{Job, Outcome};
use crate::ui::panels::parts::words_ui;
use crate::ui::theme;
use crate::ui::visible;
use egui::{Button, ComboBox, Key, TextEdit, Ui};

/// The secrets at hand.
#[derive(Default)]
pub(super) struct Secrets {
    typed: String,
    form: SecretForm,
    /// A path to a file, or the text of a `.env` or a key.
    file: String,
    from_file: Vec<Secret>,
    /// The one of the file that decides, by its name; the rest only explains.
    decisive: Option<String>,
    /// Those of the connection form.
    of_form: Vec<Secret>,
    error: Option<String>,
    loading: Option<Job<Result<SecretFile, String>>>,
    is_held: bool,
}

impl Secrets {
    /// Shows the fields; returns whether the secrets are others than before.
    pub(super) fn show(&mut self, ui: &mut Ui) -> bool {
        let mut is_changed = self.poll();
        is_changed |= self.typed_ui(ui);
        is_changed |= self.file_ui(ui);
        if let Some(first) = self.of_form.first() {
            let more = if self.of_form.len() > 1 { " and the others of the form" } else { "" };
            let words = format!("✓ Tries {}{more} too", visible::one_line(&first.name, 100).text);
            words_ui(ui, words, theme::palette(ui).text);
        }
        is_changed
    }

    fn typed_ui(&mut self, ui: &mut Ui) -> bool {
        let palette = theme::palette(ui);
        let mut is_changed = false;
        let label = ui.label(theme::tinted("Secret (JWT_SECRET)", palette.muted));
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 64.0).max(60.0);
            let edit = TextEdit::singleline(&mut self.typed).password(!self.is_held).desired_width(width);
            is_changed |= ui.add(edit).labelled_by(label.id).changed();
            let show = ui.add(Button::new("Show")).on_hover_text("Shows the secrets while it is held down");
            let by_key = show.has_focus() && ui.input(|input| input.key_down(Key::Space));
            self.is_held = show.is_pointer_button_down_on() || by_key;
        });
        ui.horizontal_wrapped(|ui| {
            ui.label(theme::tinted("written as", palette.muted));
            for form in SecretForm::ALL {
                is_changed |= ui.radio_value(&mut self.form, form, form.name()).changed();
            }
        });
        if self.typed_secret().is_none() && !self.typed.is_empty() {
            words_ui(ui, format!("✗ This is not written in {}", self.form.name()), palette.bad);
        }
        is_changed
    }

    fn file_ui(&mut self, ui: &mut Ui) -> bool {
        let palette = theme::palette(ui);
        let mut is_changed = false;
        let words = "or a .env, a PEM key, a certificate, a JWK Set: its path, or its text";
        ui.add(egui::Label::new(theme::tinted(words, palette.muted)).wrap());
        let is_hidden = !self.file.is_empty() && !self.is_path() && !self.is_held;
        let field = BigText::new(".env path or text").hint("./.env").secret(is_hidden);
        if field.show(ui, &mut self.file).response.changed() {
            is_changed |= self.take_text();
        }
        ui.horizontal(|ui| {
            let is_path = self.is_path();
            if ui.add_enabled(is_path, Button::new("Read the file")).clicked() {
                let path = PathBuf::from(self.file.trim());
                self.loading = Some(Job::start("secrets", ui.ctx(), move || secrets_of_file(&path)));
            }
            if self.loading.is_some() {
                ui.label(theme::tinted("reading …", palette.muted));
            }
        });
        if let Some(error) = &self.error {
            words_ui(ui, format!("✗ {}", visible::one_line(error, 300).text), palette.bad);
        }
        if !self.from_file.is_empty() {
            let names: Vec<&str> = self.from_file.iter().map(|secret| secret.name.as_str()).collect();
            words_ui(ui, format!("✓ Tries {}", visible::one_line(&names.join(", "), 300).text), palette.text);
        }
        if self.from_file.len() > 1 {
            is_changed |= self.decisive_ui(ui);
        }
        is_changed
    }

    /// Which of several secrets the server uses.
    fn decisive_ui(&mut self, ui: &mut Ui) -> bool {
        let palette = theme::palette(ui);
        let before = self.decisive.clone();
        ui.horizontal(|ui| {
            let label = ui.label(theme::tinted("Server uses", palette.muted));
            let usual = "JWT_SECRET, if there is one";
            let shown = self.decisive.as_deref().unwrap_or(usual);
            let combo = ComboBox::from_id_salt("decisive secret").width(ui.available_width() - 8.0);
            let combo = combo.selected_text(visible::one_line(shown, 40).text).truncate();
            let response = combo.show_ui(ui, |ui| {
                ui.selectable_value(&mut self.decisive, None, usual);
                for secret in &self.from_file {
                    let words = visible::one_line(&secret.name, 60).text;
                    ui.selectable_value(&mut self.decisive, Some(secret.name.clone()), words);
                }
            });
            response.response.labelled_by(label.id);
        });
        before != self.decisive
    }

    /// Every secret, the typed one first.
    pub(super) fn all(&self) -> Vec<Secret> {
        let from_file = self
            .from_file
            .iter()
            .cloned()
            .map(|secret| if self.decisive.as_ref() == Some(&secret.name) { secret.decisive() } else { secret });
        let typed = self.typed_secret().map(Secret::decisive);
        typed.into_iter().chain(from_file).chain(self.of_form.iter().cloned()).collect()
    }

    /// Takes the secrets of the connection form; returns whether they are others than before.
    pub(super) fn take_form(&mut self, secrets: Vec<Secret>) -> bool {
        let is_same = |(a, b): (&Secret, &Secret)| a.name == b.name && a.bytes() == b.bytes();
        if secrets.len() == self.of_form.len() && secrets.iter().zip(&self.of_form).all(is_same) {
            return false;
        }
        self.of_form = secrets;
        true
    }

    /// The one that signs: the typed one, that which decides, else the first.
    pub(super) fn signer(&self) -> Option<Secret> {
        let decisive = || self.from_file.iter().find(|secret| self.decisive.as_ref() == Some(&secret.name));
        let given = || decisive().or_else(|| self.from_file.first()).or_else(|| self.of_form.first()).cloned();
        self.typed_secret().or_else(given)
    }

    /// Whether there is nothing to verify with.
    pub(super) fn is_empty(&self) -> bool {
        self.typed.is_empty() && self.from_file.is_empty() && self.of_form.is_empty()
    }

    /// Whether the text holds the secret as it was typed, in base64 or hex perhaps.
    pub(super) fn typed_is_in(&self, text: &str) -> bool {
        holds_secret(text, &self.typed)
    }

    fn typed_secret(&self) -> Option<Secret> {
        let secret = || Secret::written("the secret above", &self.typed, self.form);
        Some(&self.typed).filter(|typed| !typed.is_empty()).and_then(|_| secret())
    }

    /// Whether the field can only be a path: one line without an equals sign and no JSON.
    fn is_path(&self) -> bool {
        let text = self.file.trim();
        !text.is_empty() && text.len() < 4096 && !text.contains(['\n', '=']) && !is_key_text(text)
    }

    fn take_text(&mut self) -> bool {
        self.error = None;
        self.decisive = None;
        let before = self.from_file.len();
        let text = self.file.trim();
        self.from_file = if self.is_path() || text.is_empty() {
            Vec::new()
        } else if is_key_text(text) {
            vec![Secret::new("the key above", self.file.as_bytes())]
        } else {
            secrets_from_env(&self.file)
        };
        before > 0 || !self.from_file.is_empty()
    }

    fn poll(&mut self) -> bool {
        let outcome = match self.loading.as_ref().map(Job::poll) {
            None | Some(Outcome::Running) => return false,
            Some(Outcome::Done(outcome)) => outcome,
            Some(Outcome::Lost) => Err("the thread for it ended early".to_owned()),
        };
        self.loading = None;
        self.decisive = None;
        match outcome {
            Ok(file) => (self.from_file, self.error) = (file.secrets, None),
            Err(why) => self.error = Some(format!("cannot read it: {why}")),
        }
        if self.error.is_none() && self.from_file.is_empty() {
            self.error = Some("no variable in it looks like a secret".to_owned());
        }
        true
    }
}

/// Whether a text is that of a key, not of a `.env`.
fn is_key_text(text: &str) -> bool {
    text.starts_with(['{', '-', '"']) && (text.contains("-----BEGIN ") || text.contains("\"kty\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_a_text() {
        let of = |file: &str| Secrets { file: file.to_owned(), ..Secrets::default() };
        assert!(of("../.env").is_path());
        assert!(!of("JWT_SECRET=x").is_path() && !of("a\nb").is_path() && !of("").is_path());
        assert!(!of("{\"kty\":\"oct\",\"k\":\"AA\"}").is_path() && !of("-----BEGIN PUBLIC KEY-----").is_path());
        let mut secrets = of("JWT_SECRET=x\nOTHER=1");
        assert!(secrets.take_text());
        assert_eq!(secrets.all().len(), 1);
        let mut secrets = of("{\"kty\":\"oct\",\"k\":\"AA\"}");
        assert!(secrets.take_text());
        assert_eq!(secrets.all()[0].name, "the key above");
    }

    #[test]
    fn the_typed_secret_signs_else_the_decisive_one() {
        let mut secrets = Secrets { file: "JWT_SECRET=a\nOTHER_SECRET=b".to_owned(), ..Secrets::default() };
        assert!(secrets.signer().is_none());
        secrets.take_text();
        assert_eq!(secrets.signer().unwrap().bytes(), b"a");
        secrets.decisive = Some(".env OTHER_SECRET".to_owned());
        assert_eq!(secrets.signer().unwrap().bytes(), b"b");
        secrets.typed = "6363".to_owned();
        secrets.form = SecretForm::Hex;
        assert_eq!(secrets.signer().unwrap().bytes(), b"cc");
    }
}
