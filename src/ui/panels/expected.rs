//! The fields of what the server expects of the token's claims, in the connection form and in the token panel.

use egui::Ui;

use crate::ui::big_text::BigText;
use crate::ui::fields::{labelled_ui, problem_ui};
use crate::ui::form::claims::ClaimTexts;

/// Shows the fields; returns whether something else is expected than before.
pub(super) fn expected_ui(ui: &mut Ui, texts: &mut ClaimTexts) -> bool {
    let rows = [
        ("Audience: aud is or holds", "Expected aud", "any", &mut texts.audience),
        ("Issuer: iss is", "Expected iss", "any", &mut texts.issuer),
        ("Leeway for the dates, in seconds", "Leeway in seconds", "0", &mut texts.leeway),
    ];
    let mut is_changed = false;
    for (label, name, hint, text) in rows {
        is_changed |= labelled_ui(ui, label, BigText::new(name).hint(hint), text).changed();
    }
    if let Some(problem) = texts.problem() {
        problem_ui(ui, &problem);
    }
    is_changed
}
