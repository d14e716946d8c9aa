//! Whether the claims are valid at the moments that matter, with a leeway and for an expected audience and issuer.

use std::time::UNIX_EPOCH;

use egui::Ui;

use super::validity_look;
use crate::token::{TokenReport, Validity, unexpected, validity_at};
use crate::ui::context::Context;
use crate::ui::form::claims::ClaimTexts;
use crate::ui::panels::dates;
use crate::ui::panels::expected::expected_ui;
use crate::ui::panels::fact_words::validity_words;
use crate::ui::panels::parts::{first_upper, section_ui, words_ui};
use crate::ui::theme;
use crate::ui::visible;

/// Shows the section; returns whether something else is expected than before.
pub(super) fn validate_ui(
    ui: &mut Ui,
    texts: &mut ClaimTexts,
    report: &TokenReport,
    ctx: &Context<'_>,
    now: f64,
) -> bool {
    let palette = theme::palette(ui);
    section_ui(ui, "Validate");
    let expected = texts.expectations();
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
    let objections = unexpected(report, &expected);
    for objection in &objections {
        words_ui(ui, format!("✗ {}", visible::one_line(&objection.message, 300).text), palette.bad);
    }
    if expected.audience.is_some() && !has(&objections, "jwt-audience") {
        words_ui(ui, "✓ For this audience", palette.ok);
    }
    if expected.issuer.is_some() && !has(&objections, "jwt-issuer") {
        words_ui(ui, "✓ Of this issuer", palette.ok);
    }
    expected_ui(ui, texts)
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

/// Seconds before `exp` that are told in the colour of a warning.
const SOON: f64 = 60.0;
