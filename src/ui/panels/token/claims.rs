//! What a token says: its header and its claims, dates in three ways, and whether it is valid at the moments that matter.

use super::validity_look;
use crate::token::{Claim, Decoded, TokenReport, validity_at};
use crate::ui::context::Context;
use crate::ui::panels::dates;
use crate::ui::panels::fact_words::validity_words;
use crate::ui::panels::parts::{first_upper, section_ui, words_ui};
use crate::ui::theme;
use crate::ui::{units, visible};
use egui::{Label, Ui};
use std::time::UNIX_EPOCH;

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
    if let Some(lifetime) = report.lifetime_secs().filter(|secs| *secs > 0.0) {
        words_ui(ui, format!("Made for {} (exp − iat)", dates::length(lifetime)), palette.muted);
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
                words_ui(ui, "not a date that can be written", palette.warn);
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

/// Shows what the dates say now, and at the connection's moments by both clocks.
pub(super) fn moments_ui(ui: &mut Ui, report: &TokenReport, ctx: &Context<'_>, now: f64) {
    if report.exp.is_none() && report.nbf.is_none() {
        return;
    }
    let palette = theme::palette(ui);
    section_ui(ui, "Valid when");
    let mut moments = vec![("Now".to_owned(), now)];
    if let Some(view) = ctx.view
        && let Some(plan) = &view.story.plan
    {
        let began = plan.began_unix_millis as f64 / 1000.0;
        moments.push(("When connecting".to_owned(), began));
        if let Some((at, _)) = &view.story.read_end {
            moments.push(("When it closed".to_owned(), began + at.as_millis() / 1000.0));
        }
        let date = view.story.answer.head.as_ref().and_then(|(_, head)| head.value("date"));
        let theirs = date.and_then(|date| httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok());
        if let Some(theirs) = theirs {
            moments.push(("By the server's clock".to_owned(), theirs.as_secs_f64()));
        }
    }
    for (name, at) in moments {
        let validity = validity_at(report, at, 0.0);
        let (sign, colour) = validity_look(validity, palette);
        words_ui(ui, format!("{sign} {name}: {}", validity_words(validity)), colour);
    }
    if let Some(exp) = report.exp {
        let words = if exp > now { "Expires" } else { "Expired" };
        words_ui(ui, first_upper(&format!("{words} {}", dates::relative(exp, now))), palette.muted);
    }
}

/// Members that are shown of each part; characters of a value.
const MOST_SHOWN: usize = 100;
const VALUE_CHARS: usize = 300;
