//! What a token says: its header and its claims, dates in three ways.

use crate::token::{Claim, Decoded, TokenReport};
use crate::ui::panels::dates;
use crate::ui::panels::parts::{section_ui, words_ui};
use crate::ui::theme;
use crate::ui::{units, visible};
use egui::{Label, Ui};

/// Shows header and claims.
pub(super) fn claims_ui(ui: &mut Ui, decoded: &Decoded, report: &TokenReport, now: f64) {
    let palette = theme::palette(ui);
    for (title, members) in [("Header", &decoded.parameters), ("Claims", &decoded.claims)] {
        if members.is_empty() {
            continue;
        }
        section_ui(ui, title);
        for member in members.iter().take(MOST_SHOWN) {
            member_ui(ui, member, now);
        }
        let more = members.len().saturating_sub(MOST_SHOWN);
        if more > 0 {
            words_ui(ui, format!("and {} more", units::count(more as u64)), palette.muted);
        }
    }
    if let Some(lifetime) = report.lifetime_secs() {
        if lifetime > 0.0 {
            words_ui(ui, format!("Made for {} (exp − iat)", dates::length(lifetime)), palette.muted);
        } else {
            let words =
                "⚠ exp is not later than iat: it had expired when it was issued. Look at the issuer, not at the clock.";
            words_ui(ui, words, palette.warn);
        }
    }
}

fn member_ui(ui: &mut Ui, member: &Claim, now: f64) {
    let palette = theme::palette(ui);
    let mut job = egui::text::LayoutJob::default();
    let format = |colour| egui::TextFormat::simple(theme::mono_font(), colour);
    job.append(&visible::one_line(&member.name, 100).text, 0.0, format(palette.sent));
    job.append(&visible::one_line(&member.raw, VALUE_CHARS).with_note(), 2.0 * theme::STEP, format(palette.text));
    job.wrap.max_width = ui.available_width();
    job.wrap.break_anywhere = true;
    ui.add(Label::new(job).wrap().selectable(true));
    ui.indent(&member.name, |ui| {
        if let Some(explanation) = &member.explanation {
            // A date's explanation ends in the same moment, which stands above already.
            let meaning =
                if member.date.is_some() { explanation.split(": ").next() } else { Some(explanation.as_str()) };
            words_ui(ui, visible::one_line(meaning.unwrap_or_default(), 400).text, palette.muted);
        }
        if let Some(date) = member.date {
            let Some(local) = dates::local(date) else {
                let words = dates::local(date / 1000.0).map_or_else(
                    || "not a date that can be written".to_owned(),
                    |local| format!("if it counts milliseconds: {local}, {}", dates::relative(date / 1000.0, now)),
                );
                words_ui(ui, words, palette.warn);
                return;
            };
            words_ui(ui, format!("{local}, {}", dates::relative(date, now)), palette.text);
            // In UTC itself one line is enough.
            if let Some(utc) = dates::utc(date).filter(|_| !local.ends_with("+00:00")) {
                words_ui(ui, utc, palette.muted);
            }
        }
    });
}

/// Members that are shown of each part; characters of a value.
const MOST_SHOWN: usize = 100;
const VALUE_CHARS: usize = 300;
