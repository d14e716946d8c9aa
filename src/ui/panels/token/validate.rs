//! Whether the claims are valid at the moments that matter, with a leeway and for an expected audience and issuer.

use std::time::UNIX_EPOCH;

use egui::{Grid, TextEdit, Ui};

use super::validity_look;
use crate::token::{Expectations, TokenReport, Validity, validate, validity_at};
use crate::ui::context::Context;
use crate::ui::panels::dates;
use crate::ui::panels::fact_words::validity_words;
use crate::ui::panels::parts::{first_upper, section_ui, words_ui};
use crate::ui::theme;
use crate::ui::visible;

/// What is expected of the claims, as it is typed.
#[derive(Debug, Default)]
pub(super) struct Expected {
    leeway: String,
    audience: String,
    issuer: String,
}

impl Expected {
    /// What is expected; a leeway that is no number counts as none.
    pub(super) fn expectations(&self) -> Expectations {
        let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Expectations {
            audience: text(&self.audience),
            issuer: text(&self.issuer),
            leeway_secs: self.leeway_secs().unwrap_or_default(),
        }
    }

    /// Shows the section; returns whether something else is expected than before.
    pub(super) fn show(&mut self, ui: &mut Ui, report: &TokenReport, ctx: &Context<'_>, now: f64) -> bool {
        let palette = theme::palette(ui);
        section_ui(ui, "Validate");
        let expected = self.expectations();
        if report.exp.is_some() || report.nbf.is_some() {
            for (name, at) in moments(ctx, now) {
                let validity = validity_at(report, at, expected.leeway_secs);
                let (sign, colour) = validity_look(validity, palette);
                words_ui(ui, format!("{sign} {name}: {}", validity_words(validity)), colour);
            }
        } else {
            let (sign, colour) = validity_look(report.validity, palette);
            words_ui(ui, format!("{sign} {}", first_upper(validity_words(report.validity))), colour);
        }
        if let Some(exp) = report.exp {
            let words = if exp > now { "Expires" } else { "Expired" };
            words_ui(ui, first_upper(&format!("{words} {}", dates::relative(exp, now))), palette.muted);
        }
        for objection in validate(report, now, &expected) {
            if matches!(objection.cause, "jwt-audience" | "jwt-issuer") {
                words_ui(ui, format!("✗ {}", visible::one_line(&objection.message, 300).text), palette.bad);
            }
        }
        if expected.audience.is_some() && !has(&validate(report, now, &expected), "jwt-audience") {
            words_ui(ui, "✓ For this audience", palette.ok);
        }
        if expected.issuer.is_some() && !has(&validate(report, now, &expected), "jwt-issuer") {
            words_ui(ui, "✓ Of this issuer", palette.ok);
        }
        let is_changed = self.fields_ui(ui);
        if !self.leeway.trim().is_empty() && self.leeway_secs().is_none() {
            words_ui(ui, "✗ The leeway is no number of seconds", palette.bad);
        }
        is_changed
    }

    fn fields_ui(&mut self, ui: &mut Ui) -> bool {
        let palette = theme::palette(ui);
        let rows = [
            ("Leeway in seconds", "0", &mut self.leeway),
            ("Expected aud", "any", &mut self.audience),
            ("Expected iss", "any", &mut self.issuer),
        ];
        let mut is_changed = false;
        Grid::new(ui.make_persistent_id("expected")).num_columns(2).spacing(egui::vec2(8.0, 4.0)).show(ui, |ui| {
            for (name, hint, text) in rows {
                let label = ui.label(theme::tinted(name, palette.muted));
                let width = (ui.available_width() - 8.0).max(80.0);
                let edit = TextEdit::singleline(text).hint_text(hint).desired_width(width);
                is_changed |= ui.add(edit).labelled_by(label.id).changed();
                ui.end_row();
            }
        });
        is_changed
    }

    fn leeway_secs(&self) -> Option<f64> {
        self.leeway.trim().parse().ok().filter(|secs: &f64| (0.0..=MOST_LEEWAY).contains(secs))
    }
}

fn has(objections: &[crate::token::Objection], cause: &str) -> bool {
    objections.iter().any(|objection| objection.cause == cause)
}

/// Now, and the connection's moments by both clocks, in seconds since 1970-01-01Z.
fn moments(ctx: &Context<'_>, now: f64) -> Vec<(&'static str, f64)> {
    let mut moments = vec![("Now", now)];
    let Some((view, plan)) = ctx.view.and_then(|view| Some((view, view.story.plan.as_ref()?))) else {
        return moments;
    };
    let began = plan.began_unix_millis as f64 / 1000.0;
    moments.push(("When connecting", began));
    if let Some((at, _)) = &view.story.read_end {
        moments.push(("When it closed", began + at.as_millis() / 1000.0));
    }
    let date = view.story.answer.head.as_ref().and_then(|(_, head)| head.value("date"));
    let theirs = date.and_then(|date| httpdate::parse_http_date(date).ok()?.duration_since(UNIX_EPOCH).ok());
    if let Some(theirs) = theirs {
        moments.push(("By the server's clock", theirs.as_secs_f64()));
    }
    moments
}

/// How long until the token of an open connection expires, in words; `None` if it is over or has no end.
pub fn countdown(ctx: &Context<'_>) -> Option<(String, bool)> {
    let story = &ctx.view.filter(|_| ctx.is_live)?.story;
    let token = story.token.as_ref()?;
    let now = ctx.now_unix_millis as f64 / 1000.0;
    let left = token.exp? - now;
    if validity_at(token, now, 0.0) == Validity::NotYetValid {
        return None;
    }
    Some(if left > 0.0 {
        (format!("expires in {}", dates::length(left)), left < SOON)
    } else {
        (format!("expired {} ago; servers that watch close now", dates::length(-left)), true)
    })
}

/// The longest leeway that is taken for one, in seconds; seconds before `exp` that are told in the colour of a warning.
const MOST_LEEWAY: f64 = 1e9;
const SOON: f64 = 60.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_expected() {
        let of = |leeway: &str, audience: &str| {
            Expected { leeway: leeway.to_owned(), audience: audience.to_owned(), issuer: String::new() }.expectations()
        };
        assert_eq!(of("", " "), Expectations::default());
        assert!((of("30.5", " voice ").leeway_secs - 30.5).abs() < f64::EPSILON);
        assert_eq!(of("30", " voice ").audience.as_deref(), Some("voice"));
        for bad in ["-1", "x", "1e30", "NaN"] {
            assert_eq!(of(bad, ""), Expectations::default(), "{bad}");
        }
    }
}
