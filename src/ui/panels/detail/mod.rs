//! The selected row, whole: payload as JSON tree, text or hex, the frame's header field by field, a fact in its words.
//!
//! A payload longer than the row's preview is asked of the view, and read off the window's thread when it is long.
//! `payload` prepares, `frame` knows the header, `words` shows rows that are no bytes.

mod frame;
mod packed;
mod payload;
mod words;

use super::job::{Job, Outcome};
use super::lines::LinesView;
use super::parts::{copy_button, teach_ui};
use super::row_text::{RowText, row_text};
use crate::observation::{ConnId, Direction};
use crate::store::{FrameRow, Page, Row, RowBody, View};
use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::hex_view::{HexState, HexView};
use crate::ui::json_tree::JsonTree;
use crate::ui::theme::{self, Palette};
use crate::ui::units;
use bytes::Bytes;
use egui::{Align, Frame, Layout, Margin, Ui};
use payload::{Prepared, Source, prepare};

/// The detail of the row that is selected in the log.
#[derive(Debug, Default)]
pub struct Detail {
    /// The row to show, of the shown connection; the window sets it to what is selected in the log.
    pub row: Option<u64>,
    tab: Option<Tab>,
    shown: Option<Shown>,
    tree: JsonTree,
    text: LinesView,
    hex: HexState,
    as_on_the_wire: bool,
    whole_tokens: bool,
}

/// How the bytes of a row are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tab {
    Json,
    Text,
    Hex,
    Frame,
    Checks,
}

/// What is known of the shown row.
#[derive(Debug)]
struct Shown {
    key: Key,
    row: Row,
    content: Content,
}

/// What the content depends on; another key means another content.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    conn: ConnId,
    row: u64,
    /// Payload bytes that have come, for a frame that is still being received.
    received: u64,
    is_whole: bool,
    whole_tokens: bool,
}

/// The bytes of a row, read or being read.
#[derive(Debug)]
enum Content {
    /// The row is no bytes.
    Nothing,
    Preparing(Job<Prepared>),
    Ready(Box<Prepared>),
    Lost,
}

impl Detail {
    /// Shows the row in all the room that `ui` has left.
    pub fn show(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let (Some(view), Some(row)) = (ctx.view, self.row) else {
            teach_ui(
                ui,
                "No row is selected",
                &["Select a row of the log to read it here: as JSON, as text, byte by byte, and what its header says."],
            );
            return;
        };
        self.load(ui, view, row);
        let Some(mut shown) = self.shown.take() else {
            teach_ui(ui, "Loading…", &["The row is read from the journal."]);
            ui.ctx().request_repaint_after(RETRY);
            return;
        };
        if let Content::Preparing(job) = &shown.content {
            match job.poll() {
                Outcome::Running => {}
                Outcome::Done(prepared) => {
                    self.text = LinesView::with_lines(prepared.lines.clone());
                    shown.content = Content::Ready(Box::new(prepared));
                }
                Outcome::Lost => shown.content = Content::Lost,
            }
        }
        self.shown_ui(ui, view, &shown, actions);
        self.shown = Some(shown);
    }

    /// Fetches the row and begins to read its bytes, if it is another one or has grown.
    fn load(&mut self, ui: &Ui, view: &View, number: u64) {
        let is_same = |shown: &Shown| shown.key.conn == view.conn && shown.key.row == number;
        // A row that is whole does not change any more.
        let whole_tokens = self.whole_tokens;
        let is_final = |shown: &Shown| is_same(shown) && shown.key.is_whole && shown.key.whole_tokens == whole_tokens;
        if self.shown.as_ref().is_some_and(is_final) {
            return;
        }
        let Page::Ready(rows) = view.page(number..number.saturating_add(1)) else {
            self.shown.take_if(|shown| !is_same(shown));
            return;
        };
        let Some(row) = rows.into_iter().next() else {
            self.shown = None;
            return;
        };
        let has_grown = |shown: &Shown| shown.key.received != view.story.answer.body.len() as u64;
        if matches!(row.body, RowBody::Body { .. })
            && view.story.finished.is_none()
            && self.shown.as_ref().is_some_and(|shown| is_same(shown) && !has_grown(shown))
        {
            return;
        }
        let (source, received, is_whole) = self.source(view, &row);
        let key = Key { conn: view.conn, row: number, received, is_whole, whole_tokens };
        if self.shown.as_ref().is_some_and(|shown| shown.key == key) {
            if !is_whole {
                ui.ctx().request_repaint_after(RETRY);
            }
            return;
        }
        if !self.shown.as_ref().is_some_and(is_same) {
            self.tree = JsonTree::new();
            self.hex = HexState::default();
        }
        let content = match source {
            None => Content::Nothing,
            Some(source) if source.bytes.len() > PREPARED_IN_A_PASS => {
                Content::Preparing(Job::start("payload", ui.ctx(), move || prepare(source)))
            }
            Some(source) => {
                let prepared = prepare(source);
                self.text = LinesView::with_lines(prepared.lines.clone());
                Content::Ready(Box::new(prepared))
            }
        };
        self.shown = Some(Shown { key, row, content });
    }

    /// The bytes of a row, how many have come, and whether more may come.
    fn source(&self, view: &View, row: &Row) -> (Option<Source>, u64, bool) {
        let raw = |bytes: &Bytes| Source { bytes: bytes.clone(), frame: None, hide_tokens: false };
        match &row.body {
            RowBody::Fact(_) | RowBody::Violation(_) | RowBody::Cut(_) => (None, 0, true),
            RowBody::Request { raw: bytes } => {
                let source = Source { hide_tokens: !self.whole_tokens, ..raw(bytes) };
                (Some(source), 0, true)
            }
            RowBody::Response { raw: bytes, .. } | RowBody::Opaque { raw: bytes, .. } => (Some(raw(bytes)), 0, true),
            RowBody::Body { .. } => {
                let answer = &view.story.answer;
                let whole = Bytes::from(answer.body_text());
                let is_over = view.story.finished.is_some();
                (Some(raw(&whole)), answer.body.len() as u64, is_over)
            }
            RowBody::Frame(frame) => {
                let (bytes, is_whole) = frame_payload(view, frame);
                let source = Source { bytes, frame: Some(frame.clone()), hide_tokens: false };
                (Some(source), frame.received, is_whole)
            }
        }
    }

    fn shown_ui(&mut self, ui: &mut Ui, view: &View, shown: &Shown, actions: &mut Actions) {
        let text = row_text(&shown.row, None);
        let prepared = match &shown.content {
            Content::Nothing => None,
            Content::Ready(prepared) => Some(&**prepared),
            Content::Preparing(_) => {
                title_ui(ui, &text, |_| {});
                teach_ui(ui, "Reading the payload…", &["It is long, and is read beside the window."]);
                return;
            }
            Content::Lost => {
                title_ui(ui, &text, |_| {});
                teach_ui(
                    ui,
                    "The payload could not be read",
                    &["The thread for it ended early. Select the row again."],
                );
                return;
            }
        };
        let Some(prepared) = prepared else {
            title_ui(ui, &text, |ui| {
                copy_button(ui, "Copy the row", "the row", actions, || text.line());
            });
            words::words_ui(ui, view, &shown.row);
            return;
        };
        let tab = self.tabs_ui(ui, &shown.row, prepared, &text, actions);
        self.remarks_ui(ui, &shown.row, prepared, shown.key.is_whole);
        match (tab, &prepared.json) {
            (Tab::Json, Ok(value)) => {
                let output = self.tree.show(ui, "Payload as JSON", value);
                if let Some(what) = output.copied {
                    actions.push(Action::Toast(format!("Copied the {what}")));
                }
            }
            (Tab::Text | Tab::Json, _) => self.text_ui(ui, &shown.row, prepared),
            (Tab::Hex, _) => self.hex_ui(ui, prepared, actions),
            (Tab::Frame, _) => frame::frame_ui(ui, view, &shown.row),
            (Tab::Checks, _) => {
                egui::ScrollArea::vertical().id_salt("checks").auto_shrink(false).show(ui, |ui| {
                    Frame::NONE.inner_margin(Margin::symmetric(8, 4)).show(ui, |ui| {
                        super::handshake::checks_ui(ui, &view.story.answer.checks);
                    });
                });
            }
        }
    }

    /// The row's title and its tabs; returns the tab to show.
    fn tabs_ui(&mut self, ui: &mut Ui, row: &Row, prepared: &Prepared, text: &RowText, actions: &mut Actions) -> Tab {
        let tabs: &[Tab] = match &row.body {
            RowBody::Frame(_) => &[Tab::Json, Tab::Text, Tab::Hex, Tab::Frame],
            RowBody::Response { .. } => &[Tab::Text, Tab::Hex, Tab::Checks],
            RowBody::Body { .. } => &[Tab::Json, Tab::Text, Tab::Hex],
            RowBody::Request { .. }
            | RowBody::Opaque { .. }
            | RowBody::Fact(_)
            | RowBody::Violation(_)
            | RowBody::Cut(_) => &[Tab::Text, Tab::Hex],
        };
        let fits = |tab: Tab| tabs.contains(&tab) && (tab != Tab::Json || prepared.json.is_ok());
        let tab = self.tab.filter(|tab| fits(*tab)).unwrap_or_else(|| default_tab(row, prepared));
        title_ui(ui, text, |ui| {
            copy_button(ui, &format!("Copy as {}", tab.name()), tab.copied(), actions, || prepared.copy_text(tab, row));
            ui.add_space(theme::STEP);
            for of in tabs.iter().rev() {
                let label = egui::Button::selectable(*of == tab, prepared.tab_name(*of));
                let response = ui.add_enabled(fits(*of), label);
                let response = match &prepared.json {
                    Err(why) if *of == Tab::Json => response.on_disabled_hover_text(why),
                    Ok(_) | Err(_) => response,
                };
                if response.clicked() {
                    self.tab = Some(*of);
                }
            }
        });
        tab
    }

    /// What must be known before the bytes are read: what is missing, what is not UTF-8, what is compressed.
    fn remarks_ui(&mut self, ui: &mut Ui, row: &Row, prepared: &Prepared, is_whole: bool) {
        let palette = theme::palette(ui);
        let line = |ui: &mut Ui, text: String, colour| {
            ui.horizontal(|ui| {
                ui.add_space(2.0 * theme::STEP);
                ui.add(egui::Label::new(theme::tinted(text, colour)).wrap());
            });
        };
        if let RowBody::Frame(frame) = &row.body {
            let has = prepared.payload.len() as u64;
            let data_len = frame.inflated.map_or(frame.received, |inflated| inflated.len_bytes);
            if !is_whole && frame.received < frame.header.payload_len {
                let (came, all) = (units::size(frame.received), units::size(frame.header.payload_len));
                line(ui, format!("{came} of {all} have come so far."), palette.warn);
            } else if has < data_len && has >= MOST_SHOWN as u64 {
                let all = units::size(frame.data_len());
                line(ui, format!("The first {} of {all}.", units::size(has)), palette.warn);
            } else if has < data_len {
                line(ui, format!("The beginning; {} are being loaded.", units::size(data_len)), palette.muted);
            }
            if let Some(text) = compression_words(frame) {
                let is_trouble = frame.inflated.is_none_or(|inflated| !inflated.is_whole);
                line(ui, text, if is_trouble { palette.warn } else { palette.muted });
            }
        }
        if let Some((format, Some(other))) = prepared.packed {
            line(ui, format!("Read as {format}; the same bytes are {other} as well."), palette.muted);
        }
        let Some(first) = prepared.bad_utf8.first() else {
            return;
        };
        ui.horizontal(|ui| {
            ui.add_space(2.0 * theme::STEP);
            ui.label(theme::tinted(payload::bad_words(prepared), palette.bad));
            if ui.link("Show in hex").clicked() {
                self.tab = Some(Tab::Hex);
                let at = prepared.header_len + first.start;
                self.hex.select(at..at + first.len().max(1));
            }
        });
    }

    fn text_ui(&mut self, ui: &mut Ui, row: &Row, prepared: &Prepared) {
        let is_head = matches!(row.body, RowBody::Request { .. } | RowBody::Response { .. });
        if matches!(row.body, RowBody::Request { .. }) && prepared.has_tokens {
            ui.horizontal(|ui| {
                ui.add_space(2.0 * theme::STEP);
                ui.checkbox(&mut self.whole_tokens, "Whole tokens");
            });
        }
        if prepared.text.is_empty() {
            empty_payload_ui(ui);
            return;
        }
        self.text.show(ui, "Payload as text", &prepared.text, is_head);
    }

    fn hex_ui(&mut self, ui: &mut Ui, prepared: &Prepared, actions: &mut Actions) {
        let mut bytes = &prepared.wire;
        if let Some(masked) = &prepared.masked {
            ui.horizontal(|ui| {
                ui.add_space(2.0 * theme::STEP);
                ui.checkbox(&mut self.as_on_the_wire, "Masked, as on the wire")
                    .on_hover_text("The payload XOR the masking-key, which is how the bytes travelled (RFC 6455 §5.3)");
            });
            if self.as_on_the_wire {
                bytes = masked;
            }
        }
        let output = HexView::new("Bytes", bytes).fields(&prepared.fields).show(ui, &mut self.hex);
        if let Some(copied) = output.copied {
            actions.push(Action::Toast(format!("Copied {}", units::size(copied as u64))));
        }
    }
}

impl Tab {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Text => "Text",
            Self::Hex => "Hex",
            Self::Frame => "Frame",
            Self::Checks => "Checks",
        }
    }

    fn copied(self) -> &'static str {
        match self {
            Self::Json => "the JSON",
            Self::Text => "the text",
            Self::Hex => "the bytes in hexadecimal",
            Self::Frame => "the frame's header",
            Self::Checks => "the head",
        }
    }
}

/// What compression did to a frame's payload; `None` if it is not compressed.
fn compression_words(frame: &FrameRow) -> Option<String> {
    let wire = units::size(frame.header.payload_len);
    match frame.inflated {
        Some(inflated) if inflated.is_whole => {
            Some(format!("Inflated: {wire} on the wire, {} here.", units::size(inflated.len_bytes)))
        }
        Some(inflated) if frame.received >= frame.header.payload_len => {
            Some(format!("Inflated as far as it goes: {wire} on the wire, {} here.", units::size(inflated.len_bytes)))
        }
        None if frame.compressed => {
            Some("It cannot be inflated: these are the compressed bytes as they travelled.".to_owned())
        }
        None if frame.header.rsv1() => {
            Some("RSV1 is set although nothing was negotiated: these are the bytes as they travelled.".to_owned())
        }
        Some(_) | None => None,
    }
}

/// The payload of a frame as far as it can be had, and whether nothing more will come.
fn frame_payload(view: &View, frame: &FrameRow) -> (Bytes, bool) {
    let announced = frame.data_len();
    if frame.is_preview_whole() {
        return (frame.preview.clone(), true);
    }
    match view.source.payload(frame.direction, frame.offset, MOST_SHOWN) {
        Page::Ready(bytes) => {
            let is_whole = bytes.len() as u64 >= announced.min(MOST_SHOWN as u64) || view.story.finished.is_some();
            (bytes, is_whole)
        }
        Page::Pending => (frame.preview.clone(), false),
    }
}

fn default_tab(row: &Row, prepared: &Prepared) -> Tab {
    match &row.body {
        RowBody::Frame(frame) if frame.header.opcode().is_control() => Tab::Frame,
        RowBody::Frame(_) | RowBody::Body { .. } if prepared.is_tree() => Tab::Json,
        RowBody::Frame(frame) if frame.header.rsv1() && frame.inflated.is_none() => Tab::Hex,
        _ if prepared.is_text => Tab::Text,
        _ => Tab::Hex,
    }
}

/// One line: what the row is on the left, `right` on the right (from the right edge on).
fn title_ui(ui: &mut Ui, text: &RowText, right: impl FnOnce(&mut Ui)) {
    let palette = theme::palette(ui);
    Frame::NONE.fill(palette.panel).inner_margin(Margin::symmetric(8, 2)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                right(ui);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let title = title(text, palette);
                    ui.add(egui::Label::new(title).truncate());
                });
            });
        });
    });
}

fn title(text: &RowText, palette: &Palette) -> egui::text::LayoutJob {
    let mut job = egui::text::LayoutJob::default();
    let mut push = |text: &str, colour| {
        job.append(text, 0.0, egui::TextFormat::simple(theme::body_font(), colour));
    };
    push(text.arrow(), text.role.colour(palette));
    push(&format!(" {} {}", text.word(), text.kind), palette.text);
    let rest = [text.size.as_str(), text.flags.as_str()].into_iter().filter(|part| !part.is_empty());
    for part in rest {
        push(&format!(" · {part}"), palette.muted);
    }
    push(&format!(" · at {} s", text.time), palette.muted);
    job
}

fn empty_payload_ui(ui: &mut Ui) {
    let palette = theme::palette(ui);
    Frame::NONE.inner_margin(Margin::same(8)).show(ui, |ui| ui.label(theme::tinted("No payload", palette.muted)));
}

/// The words of a direction's sender.
fn sender(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "the client",
        Direction::ServerToClient => "the server",
    }
}

/// Bytes up to which a payload is read within a pass; the most that is shown of one.
const PREPARED_IN_A_PASS: usize = 64 * 1024;
const MOST_SHOWN: usize = 8 << 20;
const RETRY: std::time::Duration = std::time::Duration::from_millis(50);
