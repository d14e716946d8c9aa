//! Test tokens: claims as JSON, an algorithm, a secret of their own. Kept apart from verifying.

use crate::token::mint;
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::context::Actions;
use crate::ui::panels::parts::words_ui;
use crate::ui::theme;
use crate::ui::visible;
use egui::{CollapsingHeader, ComboBox, TextEdit, Ui};

/// What a test token is to be made of.
#[derive(Default)]
pub(super) struct Mint {
    claims: String,
    alg: Alg,
    secret: String,
    made: Option<Result<String, String>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Alg {
    #[default]
    Hs256,
    Hs384,
    Hs512,
    None,
}

impl Alg {
    const ALL: [Self; 4] = [Self::Hs256, Self::Hs384, Self::Hs512, Self::None];

    fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::None => "none",
        }
    }
}

impl Mint {
    /// Shows the section; returns a token that is to be inspected.
    pub(super) fn show(
        &mut self,
        ui: &mut Ui,
        decoded_claims: Option<&str>,
        now_unix: i64,
        actions: &mut Actions,
    ) -> Option<String> {
        ui.add_space(2.0 * theme::STEP);
        let header = CollapsingHeader::new(theme::strong("Mint a test token")).id_salt("mint");
        header.show(ui, |ui| self.body_ui(ui, decoded_claims, now_unix, actions)).body_returned.flatten()
    }

    fn body_ui(
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
        let mut is_changed = claims.response.changed();
        ui.horizontal(|ui| {
            let combo = ComboBox::from_id_salt("mint alg").width(72.0).selected_text(self.alg.name());
            let combo = combo.show_ui(ui, |ui| {
                for alg in Alg::ALL {
                    is_changed |= ui.selectable_value(&mut self.alg, alg, alg.name()).changed();
                }
            });
            combo.response.on_hover_text("Algorithm");
            let edit = TextEdit::singleline(&mut self.secret).password(true).hint_text("secret");
            let is_signed = self.alg != Alg::None;
            is_changed |= ui.add_enabled(is_signed, edit).accessible_name("Secret for the test token").changed();
        });
        if is_changed {
            self.made = None;
        }
        if ui.button("Mint").on_hover_text("Makes the token from the claims, byte for byte").clicked() {
            let made = mint(&self.claims, self.alg.name(), self.secret.as_bytes());
            self.made = Some(made.map_err(|error| error.to_string()));
        }
        match &self.made {
            None => None,
            Some(Err(why)) => {
                words_ui(ui, format!("✗ {}", visible::one_line(why, 300).text), palette.bad);
                None
            }
            Some(Ok(token)) => {
                ui.label(theme::mono(visible::middle_ellipsis(token, 40)));
                let copy = ui.button("Copy the test token").clicked();
                if copy {
                    actions.push(Action::Copy { text: token.clone(), what: "the test token".to_owned() });
                }
                ui.button("Inspect it above").clicked().then(|| token.clone())
            }
        }
    }
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
