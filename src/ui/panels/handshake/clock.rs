//! The server's clock, as its `Date` header tells it, against ours at the moment of the answer.

use super::{heading_ui, safe};
use crate::store::{ServerClock, Story};
use crate::ui::panels::dates;
use crate::ui::panels::parts::words_ui;
use crate::ui::theme;
use egui::Ui;

/// Shows the difference of the clocks, once there is an answer.
pub(super) fn clock_ui(ui: &mut Ui, story: &Story) {
    if story.answer.head.is_none() {
        return;
    }
    let palette = theme::palette(ui);
    heading_ui(ui, "The server's clock", |_| {});
    let Some(date) = date(story) else {
        words_ui(ui, "The answer has no Date header, so the server's clock is not known.", palette.muted);
        return;
    };
    match ServerClock::of(story) {
        None => words_ui(ui, format!("The Date header cannot be read: {}", safe(date)), palette.warn),
        Some(clock) if clock.may_agree() => {
            words_ui(ui, format!("✓ It {}. Date: {}", clock.words(), safe(date)), palette.text);
        }
        Some(clock) => {
            let length = dates::length(clock.middle_secs().abs());
            words_ui(ui, format!("⚠ It {}: {length}. Date: {}", clock.words(), safe(date)), palette.warn);
            words_ui(
                ui,
                "A token that is valid here may be expired or not yet valid there (`exp`, `nbf`, `iat`).",
                palette.muted,
            );
        }
    }
}

fn date(story: &Story) -> Option<&str> {
    story.answer.head.as_ref()?.1.value("date")
}
