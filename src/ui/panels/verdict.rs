//! The answer: what happened and why, what shows it, how to mend it; below it the probes and the guide's checklist.
//!
//! Everything comes from the story's last verdict and the catalogue's words. A click on a line of evidence goes to its
//! row.

use super::fact_words::certainty_word;
use super::parts::{copy_button, first_upper, mark, section_ui, teach_ui, words_ui};
use super::probe_words::{outcome_words, probe_words};
use super::row_text;
use crate::diagnosis::catalogue::{cause, ending};
use crate::diagnosis::close_code::{CloseCode, close_code, convention};
use crate::diagnosis::{Alternative, Case, CheckItem, Evidence, Finding, Remedy, Verdict, checklist, useful_probes};
use crate::store::{CloseSeen, State, Story};
use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::theme::{self, Palette};
use crate::ui::visible;
use egui::text::{LayoutJob, TextFormat};
use egui::{CollapsingHeader, CornerRadius, Frame, Label, Margin, Response, Sense, Stroke, StrokeKind, Ui, vec2};

/// The verdict card with all that belongs to it.
#[derive(Debug, Default)]
pub struct VerdictPanel {
    wants_focus: bool,
}

impl VerdictPanel {
    /// Gives the focus to the first line of evidence, in the next pass.
    pub fn focus(&mut self) {
        self.wants_focus = true;
    }

    /// Shows the verdict of the shown connection in all the room that `ui` has left.
    pub fn show(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        egui::ScrollArea::vertical().id_salt("verdict").auto_shrink(false).show(ui, |ui| {
            let Some(view) = ctx.view else {
                teach_ui(
                    ui,
                    "Verdict",
                    &[
                        "When a connection closes, its close code stands at the top left, and here stands why: one sentence, what shows it, \
                         and how to mend it.",
                        "It waits for the first connection.",
                    ],
                );
                return;
            };
            let story = &view.story;
            if let Some(verdict) = &story.verdict {
                let wants_focus = std::mem::take(&mut self.wants_focus);
                verdict_ui(ui, ctx, story, verdict, wants_focus, actions);
            } else {
                waiting_ui(ui, story);
                close_ui(ui, story);
            }
            probes_ui(ui, story);
            let probes_pending = story.verdict.as_ref().is_some_and(|verdict| verdict.provisional);
            checklist_ui(ui, &checklist(&Case { story, probes_pending }));
        });
    }
}

fn verdict_ui(
    ui: &mut Ui,
    ctx: &Context<'_>,
    story: &Story,
    verdict: &Verdict,
    wants_focus: bool,
    actions: &mut Actions,
) {
    let palette = theme::palette(ui);
    theme::card(palette).show(ui, |ui| {
        ui.set_width(ui.available_width());
        headline_ui(ui, verdict, palette);
        words_ui(ui, safe(&verdict.summary), palette.text);
        ui.add_space(theme::STEP);
        chip_ui(ui, certainty_word(verdict.certainty), palette);
        if verdict.provisional {
            let (done, all) = (story.probe_outcomes().count(), story.probes.len());
            let text = match all {
                0 => "Provisional: follow-up probes may still change it.".to_owned(),
                _ => format!("Provisional: {done} of {all} probes have answered, the others may still change it."),
            };
            words_ui(ui, text, palette.warn);
        }
    });
    ui.add_space(theme::STEP);
    evidence_ui(ui, "Because", &verdict.evidence, wants_focus, actions);
    consent_ui(ui, ctx, story, actions);
    fixes_ui(ui, "Mend it", &verdict.fixes, actions);
    if !verdict.browser_shows.is_empty() {
        section_ui(ui, "A browser shows");
        words_ui(ui, safe(&verdict.browser_shows), palette.text);
    }
    close_ui(ui, story);
    alternatives_ui(ui, &verdict.alternatives);
    findings_ui(ui, &verdict.findings, actions);
    if let Some(cause) = cause(&verdict.cause) {
        ui.add_space(2.0 * theme::STEP);
        CollapsingHeader::new("More about this cause").id_salt("more").show(ui, |ui| {
            words_ui(ui, cause.what, palette.text);
            if !cause.seen_with.is_empty() {
                words_ui(ui, format!("Seen with {}.", cause.seen_with.join(", ")), palette.muted);
            }
            words_ui(ui, format!("In reports: {}", cause.id), palette.muted);
        });
    }
}

fn headline_ui(ui: &mut Ui, verdict: &Verdict, palette: &Palette) {
    let (sign, colour) = match verdict.cause.as_str() {
        "healthy" => ("✓", palette.ok),
        "undetermined" => ("?", palette.warn),
        "ended-by-user" | "page-navigation" | "our-limit" => ("·", palette.event),
        _ => ("✗", palette.bad),
    };
    let ending = ending(verdict.ending.id()).map_or(verdict.ending.id(), |ending| ending.title);
    ui.add(Label::new(theme::tinted(ending, palette.muted).size(theme::SMALL_SIZE)).wrap());
    let title = cause(&verdict.cause).map_or_else(|| safe(&verdict.cause), |cause| cause.title.to_owned());
    let mut job = LayoutJob::default();
    let font = egui::FontId::new(theme::HEADING_SIZE, crate::ui::fonts::strong_family());
    job.append(sign, 0.0, TextFormat::simple(font.clone(), colour));
    job.append(&title, 2.0 * theme::STEP, TextFormat::simple(font, palette.text));
    ui.add(Label::new(job).wrap());
}

/// A word on a thin plate: how sure something is.
fn chip_ui(ui: &mut Ui, word: &str, palette: &Palette) {
    Frame::NONE
        .fill(palette.background)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(CornerRadius::same(theme::CORNER))
        .inner_margin(Margin::symmetric(6, 1))
        .show(ui, |ui| ui.label(theme::tinted(word, palette.text).size(theme::SMALL_SIZE)))
        .response
        .on_hover_text(
            "certain: on the wire, from the system or from cryptography, and nothing else fits\nlikely: one cause is \
             left after a probe or a fact beside it\npossible: it fits, others fit as well",
        );
}

fn evidence_ui(ui: &mut Ui, title: &str, evidence: &[Evidence], wants_focus: bool, actions: &mut Actions) {
    if evidence.is_empty() {
        return;
    }
    section_ui(ui, title);
    for (nth, line) in evidence.iter().enumerate() {
        let response = evidence_line_ui(ui, line);
        if wants_focus && nth == 0 {
            response.request_focus();
        }
        if response.clicked() {
            actions.push(line.place.map_or(Action::GoToMoment(line.at), Action::GoToPlace));
        }
    }
}

/// A line that goes to its row when it is clicked, or when Enter is pressed on it.
fn evidence_line_ui(ui: &mut Ui, line: &Evidence) -> Response {
    let palette = theme::palette(ui);
    let text = first_upper(&safe(&line.text));
    let time = row_text::time(line.at);
    let mut job = LayoutJob::default();
    job.append(&time, 0.0, format(theme::mono_font(), palette.muted));
    job.append(&text, 2.0 * theme::STEP, format(theme::body_font(), palette.text));
    job.append("→", 2.0 * theme::STEP, format(theme::body_font(), palette.accent));
    job.wrap.max_width = ui.available_width() - 2.0 * theme::STEP;
    let galley = ui.painter().layout_job(job);
    let size = vec2(ui.available_width(), galley.size().y + theme::STEP);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    ui.painter().galley(rect.min + vec2(theme::STEP, theme::STEP / 2.0), galley, palette.text);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Link, true, format!("{text}, at {time} s")));
    let response = response.on_hover_text("Goes to the row in the log").on_hover_cursor(egui::CursorIcon::PointingHand);
    if response.hovered() || response.has_focus() {
        let stroke = Stroke::new(1.0, if response.has_focus() { palette.accent } else { palette.line });
        ui.painter().rect_stroke(response.rect, theme::CORNER, stroke, StrokeKind::Inside);
    }
    response
}

fn fixes_ui(ui: &mut Ui, title: &str, fixes: &[Remedy], actions: &mut Actions) {
    if fixes.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    section_ui(ui, title);
    for (index, fix) in fixes.iter().enumerate() {
        let number = if fixes.len() > 1 { format!("{}. ", index + 1) } else { String::new() };
        words_ui(ui, format!("{number}{}", safe_lines(&fix.text)), palette.text);
        if let Some(command) = &fix.command {
            command_ui(ui, command, actions);
        }
    }
}

/// A command on a plate of its own, with a button that copies it.
fn command_ui(ui: &mut Ui, command: &str, actions: &mut Actions) {
    let palette = theme::palette(ui);
    Frame::NONE
        .fill(palette.background)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(CornerRadius::same(theme::CORNER))
        .inner_margin(Margin::symmetric(8, 6))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let mut job =
                LayoutJob::single_section(safe_lines(command), TextFormat::simple(theme::mono_font(), palette.text));
            job.wrap.max_width = ui.available_width();
            ui.add(Label::new(job).wrap().selectable(true));
            let first = command.lines().next().unwrap_or_default();
            let name = format!("Copy {}", visible::one_line(first, 60).text);
            copy_button(ui, &name, "the command", actions, || command.to_owned());
        });
}

fn close_ui(ui: &mut Ui, story: &Story) {
    let is_over = matches!(story.state(), State::Closed(_));
    let has_close = story.close_received.is_some() || story.close_sent.is_some();
    if story.opened.is_none() || !(is_over || has_close) {
        return;
    }
    let palette = theme::palette(ui);
    section_ui(ui, "Close code");
    let mut line = |words: String, code: Option<CloseCode>| {
        words_ui(ui, words, palette.text);
        let Some(code) = code else {
            return;
        };
        words_ui(ui, code.meaning, palette.muted);
        if let Some(habit) = convention(code.code) {
            words_ui(ui, format!("Often used for: {habit}."), palette.muted);
        }
        words_ui(ui, format!("Sent by {}. {}", code.sender, code.reference), palette.muted);
    };
    let seen = |close: &CloseSeen| {
        let reason =
            if close.info.reason.is_empty() { String::new() } else { format!(", “{}”", safe(&close.info.reason)) };
        let code = close.info.code.map(close_code);
        let words = code.map_or_else(|| "no code".to_owned(), |code| format!("{} {}", code.code, code.name));
        (format!("{words}{reason}"), code)
    };
    if let Some(close) = &story.close_received {
        let (words, code) = seen(close);
        line(format!("Received from the server: {words}"), code);
    }
    if let Some(close) = &story.close_sent {
        let (words, code) = seen(close);
        // An echo needs no second explanation.
        let is_echo = story.close_received.as_ref().is_some_and(|other| other.info.code == close.info.code);
        line(format!("Sent by us: {words}"), code.filter(|_| !is_echo));
    }
    if is_over && story.close_received.is_none() {
        let code = close_code(story.browser_code());
        line(format!("No Close frame came. A browser says {} {}.", code.code, code.name), Some(code));
    }
}

fn alternatives_ui(ui: &mut Ui, alternatives: &[Alternative]) {
    if alternatives.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    section_ui(ui, "Also possible");
    for rival in alternatives {
        let title = cause(&rival.cause).map_or_else(|| safe(&rival.cause), |cause| cause.title.to_owned());
        words_ui(ui, format!("{title} ({})", certainty_word(rival.certainty)), palette.text);
        words_ui(ui, format!("To decide: {}", safe(&rival.decide_by)), palette.muted);
    }
}

fn findings_ui(ui: &mut Ui, findings: &[Finding], actions: &mut Actions) {
    if findings.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    section_ui(ui, "Also true");
    for (index, finding) in findings.iter().enumerate() {
        let title = cause(&finding.id).map_or_else(|| safe(&finding.id), |cause| cause.title.to_owned());
        words_ui(ui, format!("{title} ({})", certainty_word(finding.certainty)), palette.text);
        words_ui(ui, safe(&finding.summary), palette.muted);
        if finding.evidence.is_empty() && finding.fixes.is_empty() {
            continue;
        }
        ui.push_id(index, |ui| {
            CollapsingHeader::new("Why, and what to do").id_salt("finding").show(ui, |ui| {
                evidence_ui(ui, "Because", &finding.evidence, false, actions);
                fixes_ui(ui, "Mend it", &finding.fixes, actions);
            });
        });
    }
}

fn waiting_ui(ui: &mut Ui, story: &Story) {
    let (title, words) = match story.state() {
        State::NotConnected => ("Not connected", "The verdict waits for the first step of the connection."),
        State::Resolving => ("Resolving", "The verdict comes when the connection ends, or if no address is found."),
        State::Connecting => ("Connecting", "The verdict comes when the connection ends, or if nobody answers."),
        State::Tls => ("TLS handshake", "The verdict comes when the connection ends, or if encryption fails."),
        State::Upgrading => ("Upgrading", "The verdict waits for the server's answer to the opening handshake."),
        State::WaitingForConfirmation => (
            "Waiting for confirmation",
            "Open. The server's first message decides whether the connection is confirmed.",
        ),
        State::Open(_) => ("Open", "All is well so far. The verdict comes when the connection ends."),
        State::Closing => ("Closing", "The verdict waits for the end of TCP: how it ends is evidence."),
        State::Closed(_) | State::Failed => ("Over", "The verdict is being worked out."),
    };
    teach_ui(ui, title, &[words]);
}

fn probes_ui(ui: &mut Ui, story: &Story) {
    if story.probes.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    section_ui(ui, "Follow-up probes");
    words_ui(ui, "Asked of the same target after the end, without your token unless it says so.", palette.muted);
    for seen in &story.probes {
        words_ui(ui, safe(&probe_words(&seen.probe)), palette.text);
        let answer = seen.outcome.as_ref().map_or_else(|| "waits for an answer …".to_owned(), outcome_words);
        words_ui(ui, format!("→ {}", safe(&answer)), palette.muted);
    }
}

/// The questions that would go to another machine: shown first, asked on consent.
fn consent_ui(ui: &mut Ui, ctx: &Context<'_>, story: &Story, actions: &mut Actions) {
    let case = Case { story, probes_pending: false };
    let is_settled = story.finished.is_some() && story.verdict.as_ref().is_some_and(|verdict| !verdict.provisional);
    let probes = if is_settled && !ctx.is_from_file { useful_probes(&case) } else { Vec::new() };
    let (Some(conn), false) = (ctx.conn(), probes.is_empty()) else {
        return;
    };
    let palette = theme::palette(ui);
    section_ui(ui, "Questions that may decide");
    theme::card(palette).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let host = story.plan.as_ref().and_then(|plan| plan.target.as_ref()).map(|target| safe(&target.host_header()));
        let host = host.unwrap_or_else(|| "the server".to_owned());
        words_ui(ui, format!("Nothing was asked of {host} by itself, because it is not this machine."), palette.muted);
        for probe in &probes {
            words_ui(ui, safe(&first_upper(&probe_words(probe))), palette.text);
        }
        let button = ui.add(theme::primary_button(ui, format!("Ask {host}")));
        if button.on_hover_text("Each question once, at most two seconds").clicked() {
            actions.push(Action::AskFurther(conn));
        }
    });
}

fn checklist_ui(ui: &mut Ui, items: &[CheckItem]) {
    if items.is_empty() {
        return;
    }
    let palette = theme::palette(ui);
    section_ui(ui, "Checklist");
    for item in items {
        let (sign, colour, word) = mark(item.ok, palette);
        let mut job = LayoutJob::default();
        let name = first_upper(&safe(&item.item));
        job.append(sign, 0.0, format(theme::body_font(), colour));
        job.append(&name, 2.0 * theme::STEP, format(theme::body_font(), palette.text));
        if !item.detail.is_empty() {
            job.append(&safe(&item.detail), 2.0 * theme::STEP, format(theme::body_font(), palette.muted));
        }
        let response = ui.add(Label::new(job).wrap());
        let name = format!("{name}: {word}. {}", item.detail);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, safe(&name)));
    }
}

fn format(font: egui::FontId, colour: egui::Color32) -> TextFormat {
    TextFormat { line_height: Some(theme::LINE_HEIGHT), ..TextFormat::simple(font, colour) }
}

fn safe(text: &str) -> String {
    visible::one_line(text, TEXT_CHARS).text
}

fn safe_lines(text: &str) -> String {
    visible::many_lines(text, TEXT_CHARS).text
}

/// The most characters of one text of a verdict: a peer's words may be in it.
const TEXT_CHARS: usize = 2000;
