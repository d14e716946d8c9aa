//! What to verify with: a secret that is typed, a `.env` that is pasted or read from a path.
//!
//! Secrets are dots unless a button is held down. They stay in memory here and go nowhere.

use crate::token::{Secret, secrets_from_env};
use crate::ui::big_text::BigText;
use crate::ui::panels::job::{Job, Outcome};
use crate::ui::panels::parts::words_ui;
use crate::ui::theme;
use crate::ui::visible;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use egui::{Button, Key, TextEdit, Ui};

/// The secrets at hand.
#[derive(Default)]
pub(super) struct Secrets {
    typed: String,
    form: Form,
    /// A path to a file, or the text of a `.env`.
    env: String,
    from_env: Vec<Secret>,
    env_error: Option<String>,
    loading: Option<Job<Result<Vec<u8>, String>>>,
    is_held: bool,
}

/// How the typed secret is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Text,
    Base64,
    Hex,
}

impl Form {
    const ALL: [Self; 3] = [Self::Text, Self::Base64, Self::Hex];

    fn words(self) -> &'static str {
        match self {
            Self::Text => "as text",
            Self::Base64 => "base64",
            Self::Hex => "hex",
        }
    }
}

impl Secrets {
    /// Shows the fields; returns whether the secrets are others than before.
    pub(super) fn show(&mut self, ui: &mut Ui) -> bool {
        let palette = theme::palette(ui);
        let mut is_changed = self.poll();
        let label = ui.label(theme::tinted("Secret (JWT_SECRET)", palette.muted));
        ui.horizontal(|ui| {
            let width = (ui.available_width() - 64.0).max(60.0);
            let edit = TextEdit::singleline(&mut self.typed).password(!self.is_held).desired_width(width);
            is_changed |= ui.add(edit).labelled_by(label.id).changed();
            let show = ui.add(Button::new("Show")).on_hover_text("Shows the secret while it is held down");
            let by_key = show.has_focus() && ui.input(|input| input.key_down(Key::Space));
            self.is_held = show.is_pointer_button_down_on() || by_key;
        });
        ui.horizontal(|ui| {
            ui.label(theme::tinted("written", palette.muted));
            for form in Form::ALL {
                is_changed |= ui.radio_value(&mut self.form, form, form.words()).changed();
            }
        });
        if let Err(why) = self.typed_bytes() {
            words_ui(ui, format!("✗ {why}"), palette.bad);
        }
        ui.label(theme::tinted("or a .env: its path, or its text", palette.muted));
        let output = BigText::new(".env path or text").hint("./.env").show(ui, &mut self.env);
        if output.response.changed() {
            is_changed |= self.take_env_text();
        }
        ui.horizontal(|ui| {
            let is_path = self.is_path();
            if ui.add_enabled(is_path, Button::new("Read the file")).clicked() {
                let path = self.env.trim().to_owned();
                let read = move || std::fs::read(&path).map_err(|error| format!("cannot read it: {error}"));
                self.loading = Some(Job::start("env", ui.ctx(), read));
            }
            if self.loading.is_some() {
                ui.label(theme::tinted("reading …", palette.muted));
            }
        });
        if let Some(error) = &self.env_error {
            words_ui(ui, format!("✗ {}", visible::one_line(error, 300).text), palette.bad);
        }
        if !self.from_env.is_empty() {
            let names: Vec<&str> = self.from_env.iter().map(|secret| secret.name.as_str()).collect();
            words_ui(ui, format!("✓ Tries {}", visible::one_line(&names.join(", "), 300).text), palette.text);
        }
        is_changed
    }

    /// Every secret, the typed one first.
    pub(super) fn all(&self) -> Vec<Secret> {
        let typed = self.typed_bytes().ok().flatten().map(|bytes| Secret::new("the secret above", bytes));
        typed.into_iter().chain(self.from_env.iter().cloned()).collect()
    }

    /// Whether there is nothing to verify with.
    pub(super) fn is_empty(&self) -> bool {
        self.typed.is_empty() && self.from_env.is_empty()
    }

    fn typed_bytes(&self) -> Result<Option<Vec<u8>>, &'static str> {
        if self.typed.is_empty() {
            return Ok(None);
        }
        match self.form {
            Form::Text => Ok(Some(self.typed.clone().into_bytes())),
            Form::Base64 => {
                let text = self.typed.trim();
                let engines = [&STANDARD, &URL_SAFE, &URL_SAFE_NO_PAD];
                let bytes = engines.into_iter().find_map(|engine| engine.decode(text).ok());
                bytes.map(Some).ok_or("This is not base64")
            }
            Form::Hex => from_hex(self.typed.trim()).map(Some).ok_or("This is not hexadecimal"),
        }
    }

    /// Whether the `.env` field can only be a path: one line without an equals sign.
    fn is_path(&self) -> bool {
        let text = self.env.trim();
        !text.is_empty() && text.len() < 4096 && !text.contains(['\n', '='])
    }

    fn take_env_text(&mut self) -> bool {
        self.env_error = None;
        let before = self.from_env.len();
        self.from_env = if self.is_path() { Vec::new() } else { secrets_from_env(&self.env) };
        before > 0 || !self.from_env.is_empty()
    }

    /// Takes a file that was read; a file without variables is a secret as a whole.
    fn poll(&mut self) -> bool {
        let outcome = match self.loading.as_ref().map(Job::poll) {
            None | Some(Outcome::Running) => return false,
            Some(Outcome::Done(outcome)) => outcome,
            Some(Outcome::Lost) => Err("the thread for it ended early".to_owned()),
        };
        self.loading = None;
        match outcome {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                self.from_env = secrets_from_env(&text);
                if self.from_env.is_empty() && !bytes.is_empty() && !text.contains('=') {
                    self.from_env.push(Secret::new("the file", bytes));
                }
                self.env_error = self.from_env.is_empty().then(|| "no variable in it looks like a secret".to_owned());
            }
            Err(why) => self.env_error = Some(why),
        }
        true
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, odd) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes = pairs.iter().map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok());
    if odd.is_empty() { bytes.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(text: &str, form: Form) -> Result<Option<Vec<u8>>, &'static str> {
        Secrets { typed: text.to_owned(), form, ..Secrets::default() }.typed_bytes()
    }

    #[test]
    fn a_secret_is_text_base64_or_hex() {
        assert_eq!(typed("", Form::Hex), Ok(None));
        assert_eq!(typed(" a ", Form::Text), Ok(Some(b" a ".to_vec())));
        assert_eq!(typed("c2VjcmV0", Form::Base64), Ok(Some(b"secret".to_vec())));
        assert_eq!(typed("-_8", Form::Base64), Ok(Some(vec![0xFB, 0xFF])));
        assert_eq!(typed("0aFF", Form::Hex), Ok(Some(vec![10, 255])));
        assert!(typed("0aF", Form::Hex).is_err() && typed("é!", Form::Base64).is_err());
    }

    #[test]
    fn a_path_is_told_from_a_text() {
        let of = |env: &str| Secrets { env: env.to_owned(), ..Secrets::default() };
        assert!(of("../.env").is_path());
        assert!(!of("JWT_SECRET=x").is_path() && !of("a\nb").is_path() && !of("").is_path());
        let mut secrets = of("JWT_SECRET=x\nOTHER=1");
        assert!(secrets.take_env_text());
        assert_eq!(secrets.all().len(), 1);
    }
}
