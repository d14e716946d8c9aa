//! Test tokens: a claims editor with an algorithm and a key of its own, kept apart from verifying.

use crate::token::{SIGNING, holds_secret, is_by_secret, mint};
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::panels::parts::words_ui;
use crate::ui::theme;
use crate::ui::visible;
use egui::{ComboBox, TextEdit, Ui};

/// What a test token is to be made of.
pub(super) struct Mint {
    claims: String,
    alg: &'static str,
    secret: String,
    made: Option<Result<String, String>>,
}

impl Default for Mint {
    fn default() -> Self {
        Self { claims: String::new(), alg: "HS256", secret: String::new(), made: None }
    }
}

impl Mint {
    /// Shows the editor; returns a token that is to be inspected.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        decoded_claims: Option<&str>,
        now_unix: i64,
        actions: &mut Actions,
    ) -> Option<String> {
        let palette = theme::palette(ui);
        words_ui(
            ui,
            "For tests only: made here, with a secret that you type. Nothing is issued by your server.",
            palette.warn,
        );
        ui.horizontal_wrapped(|ui| {
            for (name, expires) in [("Valid 1 h", 3600), ("Expired", -60), ("Not yet valid", 7200)] {
                if ui.button(name).on_hover_text("Fills in claims with such dates").clicked() {
                    self.claims = preset(now_unix, expires);
                    self.made = None;
                }
            }
            if let Some(claims) = decoded_claims
                && ui.button("From above").on_hover_text("Takes the claims of the token above").clicked()
            {
                claims.clone_into(&mut self.claims);
                self.made = None;
            }
        });
        let claims = BigText::new("Claims as JSON").hint("{\"sub\": \"tester\"}").rows(5).show(ui, &mut self.claims);
        if claims.response.changed() | self.key_ui(ui) {
            self.made = None;
        }
        if ui.button("Mint").on_hover_text("Makes the token from the claims, byte for byte").clicked() {
            let made = mint(&self.claims, self.alg, self.secret.as_bytes());
            self.made = Some(made.map_err(|error| error.to_string()));
        }
        match &self.made {
            None => None,
            Some(Err(why)) => {
                words_ui(ui, format!("✗ {}", visible::one_line(why, 300).text), palette.bad);
                None
            }
            Some(Ok(token)) => made_ui(ui, token, "the test token", actions),
        }
    }

    /// Whether the text holds the secret that test tokens are signed with.
    pub(super) fn secret_is_in(&self, text: &str) -> bool {
        holds_secret(text, &self.secret)
    }

    /// Algorithm and key; returns whether one of them changed.
    fn key_ui(&mut self, ui: &mut Ui) -> bool {
        let mut is_changed = false;
        ui.horizontal(|ui| {
            let combo = ComboBox::from_id_salt("mint alg").width(72.0).selected_text(self.alg);
            let combo = combo.show_ui(ui, |ui| {
                for alg in SIGNING.into_iter().chain(["none"]) {
                    is_changed |= ui.selectable_value(&mut self.alg, alg, alg).changed();
                }
            });
            combo.response.on_hover_text("Algorithm");
            let hint = if is_by_secret(self.alg) { "secret" } else { "private key, PEM or JWK" };
            let width = (ui.available_width() - 8.0).max(60.0);
            let edit = TextEdit::singleline(&mut self.secret).password(true).hint_text(hint).desired_width(width);
            let is_signed = self.alg != "none";
            is_changed |= ui.add_enabled(is_signed, edit).accessible_name("Secret for the test token").changed();
        });
        is_changed
    }
}

/// A token that was made, and what to do with it; returns it if it is to be inspected.
pub(super) fn made_ui(ui: &mut Ui, token: &str, what: &str, actions: &mut Actions) -> Option<String> {
    ui.label(theme::mono(visible::middle_ellipsis(token, 40)));
    ui.horizontal_wrapped(|ui| {
        if ui.button("Use it").on_hover_text("Puts it into the connection form").clicked() {
            actions.push(Action::UseToken(token.to_owned()));
        }
        if ui.button(format!("Copy {what}")).clicked() {
            actions.push(Action::Copy { text: token.to_owned(), what: what.to_owned() });
        }
        ui.button("Inspect it above").clicked().then(|| token.to_owned())
    })
    .inner
}

/// Claims that expire so many seconds from now; those that are not yet valid begin an hour before that.
fn preset(now_unix: i64, expires: i64) -> String {
    let exp = now_unix.saturating_add(expires);
    if expires > 3600 {
        let nbf = now_unix.saturating_add(3600);
        format!("{{\n  \"sub\": \"tester\",\n  \"iat\": {now_unix},\n  \"nbf\": {nbf},\n  \"exp\": {exp}\n}}")
    } else {
        let iat = now_unix.min(exp.saturating_sub(3600));
        format!("{{\n  \"sub\": \"tester\",\n  \"iat\": {iat},\n  \"exp\": {exp}\n}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Validity, examine};

    #[test]
    fn presets_give_what_they_say() {
        for (expires, validity) in [(3600, Validity::Valid), (-60, Validity::Expired), (7200, Validity::NotYetValid)] {
            let token = mint(&preset(1_700_000_000, expires), "HS256", b"s").unwrap();
            assert_eq!(examine(&token, &[], 1_700_000_000).validity, validity);
        }
    }
}
