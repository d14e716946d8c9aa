//! Rows that are no bytes: facts with their fields, broken rules, bytes that ended too early.

use super::sender;
use crate::diagnosis::catalogue::{Platform, Target, cause};
use crate::observation::Fact;
use crate::store::{Row, RowBody, Story, View};
use crate::ui::panels::fact_words::{fact_fields, fact_words};
use crate::ui::panels::parts::{fields_ui, first_upper, section_ui, words_ui as wrapped_ui};
use crate::ui::panels::row_text::cut_words;
use crate::ui::{theme, visible};
use crate::wire::{Cut, Violation};
use egui::{Frame, Margin, ScrollArea, Ui};

/// Shows a row that is no bytes.
pub(super) fn words_ui(ui: &mut Ui, view: &View, row: &Row) {
    let palette = theme::palette(ui);
    ScrollArea::vertical().id_salt("words").auto_shrink(false).show(ui, |ui| {
        Frame::NONE.inner_margin(Margin::symmetric(8, 4)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            match &row.body {
                RowBody::Fact(fact) => {
                    // The fields of a plan begin with what its phrase says.
                    if !matches!(**fact, Fact::Planned(_)) {
                        wrapped_ui(ui, safe(&fact_words(fact).text), palette.text);
                    }
                    let fields: Vec<_> = fact_fields(fact)
                        .into_iter()
                        .filter(|(name, _)| name != "What")
                        .map(|(name, value)| (name, safe(&value)))
                        .collect();
                    if !fields.is_empty() {
                        ui.add_space(theme::STEP);
                        fields_ui(ui, "fact fields", &fields);
                    }
                }
                RowBody::Violation(violation) => violation_ui(ui, &view.story, violation),
                RowBody::Cut(cut) => cut_ui(ui, cut),
                RowBody::Request { .. }
                | RowBody::Response { .. }
                | RowBody::Opaque { .. }
                | RowBody::Body { .. }
                | RowBody::Frame(_) => {}
            }
        });
    });
}

fn violation_ui(ui: &mut Ui, story: &Story, violation: &Violation) {
    let palette = theme::palette(ui);
    let kind = &violation.kind;
    ui.label(theme::strong(safe(&first_upper(&kind.rule()))));
    let who = first_upper(sender(violation.direction));
    wrapped_ui(ui, format!("{who} broke {}, at byte {} of its bytes.", kind.section(), violation.offset), palette.text);
    let chrome = if kind.is_accepted_by_chrome() {
        "Chrome goes on as if nothing were wrong."
    } else {
        "Chrome fails the connection: the page sees close code 1006."
    };
    wrapped_ui(ui, chrome, palette.text);
    let ours = if kind.is_fatal() { "We fail the connection for it." } else { "We take note of it and go on." };
    wrapped_ui(ui, ours, palette.muted);
    let Some(cause) = cause(kind.cause_id()) else {
        return;
    };
    section_ui(ui, cause.title);
    wrapped_ui(ui, cause.what, palette.text);
    if !cause.browser.is_empty() {
        wrapped_ui(ui, format!("A browser shows: {}", cause.browser), palette.muted);
    }
    section_ui(ui, "Mend it");
    let target = target_of(story);
    for fix in cause.fixes {
        wrapped_ui(ui, safe(&fix.text_for(&target)), palette.text);
        if let Some(command) = fix.command_for(&target, Platform::current()) {
            ui.add(
                egui::Label::new(theme::mono(visible::many_lines(&command, TEXT_CHARS).text)).wrap().selectable(true),
            );
        }
    }
}

fn cut_ui(ui: &mut Ui, cut: &Cut) {
    let palette = theme::palette(ui);
    let title = match cut {
        Cut::Header { .. } => "The connection ended inside a frame's header",
        Cut::Payload { .. } => "The connection ended inside a frame",
        Cut::Fragment { .. } => "The connection ended between two fragments",
    };
    ui.label(theme::strong(title));
    wrapped_ui(ui, first_upper(&cut_words(cut)), palette.text);
    if let Cut::Payload { declared, received, .. } = cut {
        let share = (*received as f64 / (*declared).max(1) as f64 * 100.0).floor();
        wrapped_ui(ui, format!("{share} % of the frame's payload has come."), palette.muted);
    }
    wrapped_ui(ui, "The sender died, or was cut off, while it was writing. A browser shows 1006.", palette.muted);
}

/// What the placeholders of fixes stand for.
fn target_of(story: &Story) -> Target {
    let Some(target) = story.plan.as_ref().and_then(|plan| plan.target.as_ref()) else {
        return Target::default();
    };
    Target {
        scheme: target.scheme().to_owned(),
        host: target.host.clone(),
        port: target.port,
        path: target.path().to_owned(),
        url: format!("{}://{}{}", target.scheme(), target.host_header(), target.path()),
        pid: None,
    }
}

fn safe(text: &str) -> String {
    visible::many_lines(text, TEXT_CHARS).text
}

const TEXT_CHARS: usize = 4000;
