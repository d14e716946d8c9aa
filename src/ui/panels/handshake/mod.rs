//! The opening handshake: each step, each check of RFC 6455 §4.1, both heads byte for byte, TLS, the server's clock.
//!
//! `steps` lists what happened until the answer, `tls` the certificates.

mod clock;
mod steps;
mod tls;

use super::lines::{LinesView, short_lines_ui};
use super::parts::{copy_button, mark, teach_ui, words_ui};
use super::short_token::short_tokens_in;
use crate::observation::ConnId;
use crate::store::{Story, View};
use crate::ui::context::{Actions, Context};
use crate::ui::{theme, units, visible};
use crate::wire::Check;
use egui::{Align, CornerRadius, Frame, Grid, Label, Layout, Margin, ScrollArea, Stroke, Ui, vec2};

/// The opening handshake of the shown connection.
#[derive(Debug, Default)]
pub struct Handshake {
    whole_tokens: bool,
    texts: Option<Texts>,
    request: LinesView,
    response: LinesView,
    body: LinesView,
}

/// The three texts as they are shown, made anew when something came or another connection is shown.
#[derive(Debug, PartialEq, Eq)]
struct Texts {
    key: (ConnId, usize, u64, bool),
    request: Vec<u8>,
    response: Vec<u8>,
    body: Vec<u8>,
    has_tokens: bool,
}

impl Handshake {
    /// Shows the handshake in all the room that `ui` has left.
    pub fn show(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let Some(view) = ctx.view else {
            teach_ui(
                ui,
                "The opening handshake",
                &[
                    "Connect, and the request and the answer stand here as they travelled, with each check that a client \
                 must make of the answer (RFC 6455 §4.1), the certificates, and the server's clock.",
                ],
            );
            return;
        };
        let story = &view.story;
        self.read(view);
        ScrollArea::vertical().id_salt("handshake").auto_shrink(false).show(ui, |ui| {
            Frame::NONE.inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
                ui.set_width(ui.available_width());
                steps::steps_ui(ui, story);
                if !story.answer.checks.is_empty() {
                    heading_ui(ui, "Checks of the answer", |_| {});
                    checks_ui(ui, &story.answer.checks);
                }
                self.texts_ui(ui, story, actions);
                tls::tls_ui(ui, story, ctx.now_unix_millis);
                clock::clock_ui(ui, story);
            });
        });
    }

    fn read(&mut self, view: &View) {
        let story = &view.story;
        let answer = &story.answer;
        let key = (view.conn, story.request.as_ref().map_or(0, |r| r.raw.len()), answer.bytes_seen, self.whole_tokens);
        if self.texts.as_ref().is_some_and(|texts| texts.key == key) {
            return;
        }
        let raw = story.request.as_ref().map(|request| request.raw.to_vec()).unwrap_or_default();
        let short = short_tokens_in(&raw);
        let has_tokens = short != raw;
        let head = answer.head.as_ref().map(|(_, head)| head.len_bytes);
        let interim: usize = answer.interim.iter().map(|(_, head)| head.len_bytes).sum();
        let response_len = head.map_or(answer.raw.len(), |head| interim + head).min(answer.raw.len());
        let body = if answer.body.is_empty() { String::new() } else { answer.body_text() };
        let same_conn = self.texts.as_ref().is_some_and(|texts| texts.key.0 == view.conn);
        if !same_conn {
            (self.request, self.response, self.body) = <(LinesView, LinesView, LinesView)>::default();
        }
        self.texts = Some(Texts {
            key,
            request: if self.whole_tokens { raw } else { short },
            response: answer.raw.get(..response_len).unwrap_or_default().to_vec(),
            body: body.into_bytes(),
            has_tokens,
        });
        for view in [&mut self.request, &mut self.response, &mut self.body] {
            view.cut_again();
        }
    }

    fn texts_ui(&mut self, ui: &mut Ui, story: &Story, actions: &mut Actions) {
        let palette = theme::palette(ui);
        let Some(texts) = &self.texts else {
            return;
        };
        if let Some(request) = &story.request {
            let whole = &mut self.whole_tokens;
            heading_ui(ui, "Request", |ui| {
                copy_button(ui, "Copy the request", "the request", actions, || lossy(&request.raw));
                if texts.has_tokens {
                    ui.checkbox(whole, "Whole tokens");
                }
            });
            block_ui(ui, "Request", &texts.request, true, &mut self.request);
        }
        let answer = &story.answer;
        if answer.bytes_seen > 0 {
            let title = if answer.not_http.is_some() { "Answer, which is not HTTP" } else { "Response" };
            heading_ui(ui, title, |ui| {
                copy_button(ui, "Copy the response", "the response", actions, || lossy(&texts.response));
            });
            block_ui(ui, "Response", &texts.response, true, &mut self.response);
            if answer.head_too_big.is_some() {
                words_ui(ui, "The head has no end within the limit that browsers have as well (256 KiB).", palette.bad);
            }
        } else if story.request.is_some() {
            heading_ui(ui, "Response", |_| {});
            let words = if story.finished.is_some() { "No answer came." } else { "Waits for the answer …" };
            words_ui(ui, words, palette.muted);
        }
        if !texts.body.is_empty() {
            let size = units::size(answer.body.len() as u64);
            heading_ui(ui, &format!("Body of the answer, {size}"), |ui| {
                copy_button(ui, "Copy the body", "the body", actions, || lossy(&texts.body));
            });
            block_ui(ui, "Body", &texts.body, false, &mut self.body);
            if answer.body.len() >= crate::store::Answer::MAX_RAW_BYTES {
                words_ui(ui, "Only the first MiB is kept.", palette.warn);
            }
        }
    }
}

/// Shows each check as passed or failed, with what was expected and what came.
pub(super) fn checks_ui(ui: &mut Ui, checks: &[Check]) {
    let palette = theme::palette(ui);
    if checks.is_empty() {
        words_ui(ui, "Checks are made once the answer's head is whole.", palette.muted);
        return;
    }
    Frame::NONE.show(ui, |ui| {
        let width = ((ui.available_width() - 230.0) / 2.0).max(80.0);
        let grid = Grid::new("checks").num_columns(4).max_col_width(width).min_col_width(16.0);
        grid.min_row_height(18.0).spacing(vec2(12.0, 4.0)).show(ui, |ui| {
            for title in ["", "Check", "Expected", "Got"] {
                ui.label(theme::tinted(title, palette.muted).size(theme::SMALL_SIZE));
            }
            ui.end_row();
            for check in checks {
                check_ui(ui, check);
            }
        });
    });
}

fn check_ui(ui: &mut Ui, check: &Check) {
    let palette = theme::palette(ui);
    let (sign, colour, word) = match (check.ok, check.fatal) {
        (false, false) => ("⚠", palette.warn, "odd, but allowed"),
        (ok, _) => mark(Some(ok), palette),
    };
    let name = check.check.words();
    let (expected, got) = (safe(&check.expected), safe(&check.got));
    let response = ui.label(theme::tinted(sign, colour));
    let section = check.check.section();
    let spoken = format!("{name}: {word}, expected {expected}, got {got}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, spoken.as_str()));
    response.on_hover_text(format!("{word} ({section})"));
    ui.label(theme::tinted(name, if check.ok { palette.text } else { colour }));
    ui.add(Label::new(theme::mono(expected).color(palette.muted)).wrap());
    ui.add(Label::new(theme::mono(got).color(if check.ok { palette.text } else { colour })).wrap().selectable(true));
    ui.end_row();
}

/// The title of a section, with `right` at the right edge.
fn heading_ui(ui: &mut Ui, title: &str, right: impl FnOnce(&mut Ui)) {
    ui.add_space(3.0 * theme::STEP);
    ui.horizontal(|ui| {
        ui.label(theme::strong(title));
        ui.with_layout(Layout::right_to_left(Align::Center), right);
    });
}

/// A raw text on a plate: as labels while it is short, as a list of its own once it is long.
fn block_ui(ui: &mut Ui, name: &str, bytes: &[u8], with_ends: bool, lines: &mut LinesView) {
    let palette = theme::palette(ui);
    Frame::NONE
        .fill(palette.background)
        .stroke(Stroke::new(1.0, palette.line))
        .corner_radius(CornerRadius::same(theme::CORNER))
        .inner_margin(Margin::symmetric(8, 6))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let is_short = bytes.len() <= SHORT_BYTES && bytes.split(|byte| *byte == b'\n').nth(SHORT_LINES).is_none();
            if is_short {
                short_lines_ui(ui, bytes, with_ends);
            } else {
                ui.allocate_ui(vec2(ui.available_width(), LONG_HEIGHT), |ui| {
                    lines.show(ui, name, bytes, with_ends);
                });
            }
        });
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn safe(text: &str) -> String {
    visible::one_line(text, TEXT_CHARS).text
}

/// Up to here a raw text is shown as labels; a longer one gets so many points.
const SHORT_BYTES: usize = 6 * 1024;
const SHORT_LINES: usize = 40;
const LONG_HEIGHT: f32 = 320.0;
const TEXT_CHARS: usize = 1000;
