//! The choice between several tokens in one text.

use egui::Ui;

use crate::token::Candidate;
use crate::ui::panels::parts::words_ui;
use crate::ui::theme;
use crate::ui::visible;

/// Shows the tokens that were found; returns the one that was chosen instead.
pub(super) fn choice_ui(ui: &mut Ui, several: &[Candidate], chosen: usize) -> Option<usize> {
    if several.is_empty() {
        return None;
    }
    let palette = theme::palette(ui);
    let words = match several.len() {
        1 => "A token in JSON serialization".to_owned(),
        count => format!("{count} tokens in this text"),
    };
    words_ui(ui, words, palette.text);
    let mut picked = None;
    for (nth, one) in several.iter().enumerate().take(MOST_SHOWN) {
        let about = visible::one_line(&one.about, 90).text;
        let response = ui.radio(nth == chosen, format!("{} {about}", nth + 1));
        if response.on_hover_text(visible::middle_ellipsis(&one.text, 40)).clicked() && nth != chosen {
            picked = Some(nth);
        }
    }
    let more = several.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        words_ui(ui, format!("and {more} more"), palette.muted);
    }
    picked
}

const MOST_SHOWN: usize = 20;
