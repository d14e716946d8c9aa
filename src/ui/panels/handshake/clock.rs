//! The server's clock, as its `Date` header tells it, against ours at the moment of the answer.

use super::{heading_ui, safe};
use crate::store::Story;
use crate::ui::panels::dates;
use crate::ui::panels::parts::words_ui;
use crate::ui::theme;
use egui::Ui;
use std::time::UNIX_EPOCH;

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
    match ahead_secs(story) {
        None => words_ui(ui, format!("The Date header cannot be read: {}", safe(date)), palette.warn),
        Some(ahead) if ahead.abs() <= CLOSE_SECS => {
            words_ui(ui, format!("✓ Agrees with ours to the second. Date: {}", safe(date)), palette.text);
        }
        Some(ahead) => {
            let way = if ahead > 0.0 { "ahead of" } else { "behind" };
            let length = dates::length(ahead.abs());
            words_ui(ui, format!("⚠ {length} {way} ours. Date: {}", safe(date)), palette.warn);
            words_ui(
                ui,
                "A token that is valid here may be expired or not yet valid there (`exp`, `nbf`, `iat`).",
                palette.muted,
            );
        }
    }
}

/// How many seconds the server's clock is ahead of ours.
fn ahead_secs(story: &Story) -> Option<f64> {
    let (at, _) = story.answer.head.as_ref()?;
    let theirs = httpdate::parse_http_date(date(story)?).ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
    let ours = story.plan.as_ref()?.began_unix_millis as f64 / 1000.0 + at.as_millis() / 1000.0;
    Some((theirs - ours).round())
}

fn date(story: &Story) -> Option<&str> {
    story.answer.head.as_ref()?.1.value("date")
}

/// Differences up to here come from the header's whole seconds and the way of the answer.
const CLOSE_SECS: f64 = 2.0;
