//! What happened until the answer: every step with its time and its result.

use super::{heading_ui, safe};
use crate::observation::Moment;
use crate::store::{AttemptOutcome, Story};
use crate::ui::panels::fact_words::{io_words, tls_words};
use crate::ui::panels::parts::words_ui;
use crate::ui::{theme, units};
use egui::{Grid, Label, Ui, vec2};
use std::time::Duration;

/// A step: its name, whether it worked out, what came of it, how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    name: &'static str,
    ok: Option<bool>,
    text: String,
    took: Option<Duration>,
}

/// Shows the steps as a table.
pub(super) fn steps_ui(ui: &mut Ui, story: &Story) {
    let palette = theme::palette(ui);
    heading_ui(ui, "Steps", |_| {});
    let steps = steps(story);
    if steps.is_empty() {
        words_ui(ui, "Nothing has been done yet.", palette.muted);
        return;
    }
    let width = (ui.available_width() - 230.0).max(100.0);
    let grid = Grid::new("steps").num_columns(4).max_col_width(width).min_col_width(16.0);
    grid.min_row_height(18.0).spacing(vec2(12.0, 4.0)).show(ui, |ui| {
        for step in steps {
            let (sign, colour) = match step.ok {
                Some(true) => ("✓", palette.ok),
                Some(false) => ("✗", palette.bad),
                None => ("·", palette.muted),
            };
            ui.label(theme::tinted(sign, colour));
            ui.label(step.name);
            let took = step.took.map(units::span).unwrap_or_default();
            ui.label(theme::mono(format!("{took:>8}")).color(palette.muted));
            let colour = if step.ok == Some(false) { palette.bad } else { palette.text };
            ui.add(Label::new(theme::tinted(safe(&step.text), colour)).wrap());
            ui.end_row();
        }
    });
}

fn steps(story: &Story) -> Vec<Step> {
    let mut steps = Vec::new();
    let took = |from: Moment, to: Option<Moment>| Some(Duration::from_nanos(to?.0.saturating_sub(from.0)));
    if let Some((_, problem)) = &story.not_attempted {
        steps.push(Step { name: "Not sent", ok: Some(false), text: problem.message.clone(), took: None });
    }
    if let Some(resolve) = &story.resolve {
        let text = resolve.failure.as_ref().map_or_else(
            || {
                let all = resolve.addresses.iter().chain(&resolve.added).map(ToString::to_string);
                format!("{} is {}", resolve.host, all.collect::<Vec<_>>().join(", "))
            },
            |failure| format!("{}: {}", resolve.host, failure.text),
        );
        let is_over = resolve.ended.is_some();
        steps.push(Step {
            name: "Resolve",
            ok: is_over.then_some(resolve.failure.is_none()),
            text: if is_over { text } else { resolve.host.clone() },
            took: took(resolve.started, resolve.ended),
        });
    }
    for attempt in &story.attempts {
        let (ok, text) = match &attempt.outcome {
            AttemptOutcome::Pending => (None, format!("{} …", attempt.address)),
            AttemptOutcome::Connected => (Some(true), format!("{} connected", attempt.address)),
            AttemptOutcome::Failed(failure) => (Some(false), format!("{} {}", attempt.address, io_words(failure))),
            AttemptOutcome::Abandoned => (None, format!("{} given up, another one was faster", attempt.address)),
        };
        steps.push(Step { name: "TCP", ok, text, took: took(attempt.started, attempt.ended) });
    }
    if let Some((_, path, failure)) = &story.socket {
        let text = failure.as_ref().map_or_else(|| "connected".to_owned(), io_words);
        steps.push(Step { name: "Socket", ok: Some(failure.is_none()), text: format!("{path} {text}"), took: None });
    }
    if let Some(tunnel) = &story.tunnel {
        let answer = tunnel.response.lines().next().unwrap_or_default();
        let text = tunnel.failure.as_ref().map_or(answer, |failure| failure.text.as_str());
        let asked = tunnel.request.lines().next().unwrap_or_default();
        steps.push(Step {
            name: "Proxy",
            ok: tunnel.ended.map(|_| tunnel.failure.is_none()),
            text: format!("{asked}: {text}"),
            took: took(tunnel.started, tunnel.ended),
        });
    }
    if let Some(tls) = &story.tls {
        let (ok, text) = match (&tls.info, &tls.failure) {
            (Some(info), _) => (Some(info.defects.is_empty()), format!("{} {}", info.version, info.cipher)),
            (None, Some(failure)) => (Some(false), tls_words(failure.kind)),
            (None, None) => (None, tls.server_name.clone()),
        };
        steps.push(Step { name: "TLS", ok, text, took: took(tls.started, tls.ended) });
    }
    let Some(request) = &story.request else {
        return steps;
    };
    let answer = &story.answer;
    let (ok, text) = match &answer.head {
        Some((_, head)) => (Some(story.opened.is_some()), format!("{} {}", head.status, head.reason)),
        None if answer.not_http.is_some() => (Some(false), "the answer is not HTTP".to_owned()),
        None if story.finished.is_some() => (Some(false), "no whole answer".to_owned()),
        None => (None, "waits for the answer …".to_owned()),
    };
    let answered = answer.head.as_ref().map(|(at, _)| *at);
    steps.push(Step { name: "Upgrade", ok, text, took: took(request.at, answered) });
    if let (Some(opened), Some(confirmation)) = (story.opened, &story.confirmation) {
        let text = confirmation.preview.clone().unwrap_or_else(|| {
            let words = if confirmation.ok { "the 101 was enough" } else { "no message came in time" };
            words.to_owned()
        });
        let took = took(opened, Some(confirmation.at));
        steps.push(Step { name: "Confirmation", ok: Some(confirmation.ok), text, took });
    }
    steps
}
