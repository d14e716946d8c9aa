//! A dump of bytes: offset, hexadecimal, ASCII, with named fields; 64 MiB cost as much as 64 bytes.
//!
//! Fields are ranges with a label (FIN/RSV/opcode, MASK/length, masking-key, payload): a chip for each stands above the
//! dump, hovering a chip marks its bytes and hovering a byte marks its chip. Bytes are selected by dragging and copied
//! with Ctrl/⌘+C or from the menu.

mod grid;

use super::cells::job_ui;
use super::row_list::{RowList, RowSlot};
use super::row_scroll::{Place, RowScroll};
use super::theme::{self, Palette};
use egui::text::{LayoutJob, TextFormat};
use egui::{
    Align, Color32, CursorIcon, Event, Pos2, Rect, RectAlign, Response, Sense, Stroke, StrokeKind, Tooltip, Ui,
};
use grid::{GROUP, Grid};
use std::fmt::Write as _;
use std::ops::Range;

/// A named range of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexField {
    /// Which bytes, from the first one shown.
    pub range: Range<usize>,
    /// Its name: `masking-key`.
    pub label: String,
    /// What it says, for the hover text: `FIN, text (0x1)`. May be empty.
    pub meaning: String,
}

/// Scrolling, selection and what the pointer is over; one for each dump.
#[derive(Clone, Debug, Default)]
pub struct HexState {
    scroll: RowScroll,
    /// Where the selection was begun and where it ends, both included.
    selection: Option<(usize, usize)>,
    /// The field under the pointer, in the dump or in the chips, as it was in the last pass.
    hot: Option<usize>,
    columns: usize,
}

/// A dump to show: what it is called, its bytes and their fields.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct HexView<'a> {
    name: &'a str,
    bytes: &'a [u8],
    fields: &'a [HexField],
}

/// What happened to a dump in this pass.
#[derive(Debug, Default)]
pub struct HexOutput {
    /// The byte under the pointer.
    pub hovered: Option<usize>,
    /// The index of the field under the pointer, in the dump or in the chips.
    pub hovered_field: Option<usize>,
    /// How many bytes were copied to the clipboard.
    pub copied: Option<usize>,
}

impl HexState {
    /// Returns the selected bytes.
    pub fn selection(&self) -> Option<Range<usize>> {
        let (a, b) = self.selection?;
        Some(a.min(b)..a.max(b).saturating_add(1))
    }

    /// Selects `range` and scrolls its first byte into the view.
    pub fn select(&mut self, range: Range<usize>) {
        self.selection = (!range.is_empty()).then(|| (range.start, range.end - 1));
        let row = range.start / self.columns.max(1);
        self.scroll.scroll_to(row as u64, Place::InSight);
    }
}

impl<'a> HexView<'a> {
    /// Describes a dump of `bytes` that screen readers call `name`.
    pub fn new(name: &'a str, bytes: &'a [u8]) -> Self {
        Self { name, bytes, fields: &[] }
    }

    /// Names ranges of the bytes; where they overlap, the first one counts.
    pub fn fields(self, fields: &'a [HexField]) -> Self {
        Self { fields, ..self }
    }

    /// Shows the chips and the dump in all the room that `ui` has left.
    pub fn show(self, ui: &mut Ui, state: &mut HexState) -> HexOutput {
        let palette = theme::palette(ui);
        let mut output = HexOutput::default();
        let marked = state.hot;
        self.chips_ui(ui, state, &mut output, palette);
        if self.bytes.is_empty() {
            ui.label(theme::tinted("No bytes", palette.muted));
            state.hot = output.hovered_field;
            return output;
        }

        let grid = Grid::fit(ui, self.bytes.len());
        if state.columns != grid.columns {
            let first = state.scroll.position().0 * state.columns.max(1) as u64;
            state.scroll.scroll_to(first / grid.columns as u64, Place::Top);
            state.columns = grid.columns;
        }
        let selection = state.selection();
        let rows = self.bytes.len().div_ceil(grid.columns) as u64;
        let list = RowList::new(self.name, rows).show(ui, &mut state.scroll, |ui, slot| {
            self.row_ui(ui, slot, &grid, marked, selection.as_ref(), palette);
        });

        let over = ui.interact(list.view, list.response.id.with("bytes"), Sense::CLICK | Sense::DRAG);
        let (first, offset) = state.scroll.position();
        let byte_at = |at: Pos2| {
            let below = f64::from(at.y - list.view.top()) + offset;
            let row = first as usize + (below.max(0.0) / f64::from(theme::ROW_HEIGHT)) as usize;
            let byte = row * grid.columns + grid.column_at(at.x - list.view.left())?;
            (byte < self.bytes.len()).then_some(byte)
        };
        output.hovered = over.hover_pos().and_then(byte_at);
        if let Some(byte) = output.hovered {
            output.hovered_field = self.field_of(byte);
            ui.ctx().set_cursor_icon(CursorIcon::Text);
        }
        select_by_pointer(&over, &list.response, state, byte_at);
        let over = over.on_hover_ui_at_pointer(|ui| self.byte_tip_ui(ui, output.hovered));
        over.context_menu(|ui| self.menu_ui(ui, state, &mut output));
        if list.response.has_focus() && ui.input(|input| input.events.contains(&Event::Copy)) {
            let range = state.selection().or_else(|| {
                let start = state.scroll.selected()? as usize * grid.columns;
                Some(start..start + grid.columns)
            });
            output.copied = range.map(|range| self.copy(ui, range, hex_of));
        }
        if output.hovered_field != state.hot {
            state.hot = output.hovered_field;
            ui.ctx().request_repaint();
        }
        output
    }

    fn chips_ui(self, ui: &mut Ui, state: &mut HexState, output: &mut HexOutput, palette: &Palette) {
        if self.fields.is_empty() {
            return;
        }
        ui.horizontal_wrapped(|ui| {
            for (index, field) in self.fields.iter().enumerate() {
                let is_hot = state.hot == Some(index);
                let text = egui::RichText::new(format!("■ {}", field.label))
                    .color(colour_of(index, palette))
                    .size(theme::SMALL_SIZE);
                let chip = ui.selectable_label(is_hot, text);
                if chip.hovered() {
                    output.hovered_field = Some(index);
                }
                if chip.clicked() {
                    state.select(field.range.clone());
                }
                // Above the chip: the bytes that it marks are below.
                let mut tip = Tooltip::for_enabled(&chip);
                tip.popup = tip.popup.align(RectAlign::TOP_START);
                tip.show(|ui| ui.label(describe(field)));
            }
        });
    }

    fn row_ui(
        self,
        ui: &Ui,
        slot: &RowSlot,
        grid: &Grid,
        marked: Option<usize>,
        selection: Option<&Range<usize>>,
        palette: &Palette,
    ) {
        let start = slot.row as usize * grid.columns;
        let end = self.bytes.len().min(start + grid.columns);
        let Some(bytes) = self.bytes.get(start..end) else {
            return;
        };
        let fill = |range: &Range<usize>, paint: &dyn Fn(Rect)| {
            let part = range.start.max(start)..range.end.min(end);
            if !part.is_empty() {
                let columns = part.start - start..part.end - start;
                for rect in grid.cells(slot.rect, &columns) {
                    paint(rect);
                }
            }
        };
        for (index, field) in self.fields.iter().enumerate().rev() {
            if field.range.len() > TINTED_BYTES {
                continue;
            }
            let colour = palette.tint(colour_of(index, palette));
            fill(&field.range, &|rect| {
                ui.painter().rect_filled(rect, 0.0, colour);
            });
        }
        if let Some(range) = selection {
            fill(range, &|rect| {
                ui.painter().rect_filled(rect, 0.0, palette.selection());
            });
        }
        if let Some((index, field)) = marked.and_then(|index| Some((index, self.fields.get(index)?))) {
            let stroke = Stroke::new(1.0, colour_of(index, palette));
            fill(&field.range, &|rect| {
                ui.painter().rect_stroke(rect, 0.0, stroke, StrokeKind::Inside);
            });
        }

        let at = |x: f32| slot.rect.with_min_x(slot.rect.left() + x);
        job_ui(
            ui,
            at(grid.margin),
            plain(&format!("{start:0width$X}", width = grid.offset_digits), palette.muted),
            Align::Min,
        );
        job_ui(ui, at(grid.hex), coloured(bytes, palette, hex_cell), Align::Min);
        job_ui(ui, at(grid.ascii), coloured(bytes, palette, ascii_cell), Align::Min);
        slot.name(|| format!("{start:X}: {}", hex_of(bytes)));
    }

    fn byte_tip_ui(self, ui: &mut Ui, hovered: Option<usize>) {
        let Some((at, byte)) = hovered.and_then(|at| Some((at, self.bytes.get(at)?))) else {
            return;
        };
        ui.label(theme::mono(format!("offset {at} (0x{at:X})   0x{byte:02X}   {byte:3}   {byte:08b}")));
        if let Some(field) = self.field_of(at).and_then(|index| self.fields.get(index)) {
            ui.label(describe(field));
        }
    }

    fn menu_ui(self, ui: &mut Ui, state: &HexState, output: &mut HexOutput) {
        let range = state.selection().unwrap_or(0..self.bytes.len());
        let what = if state.selection().is_some() { "selection" } else { "all" };
        for (form, format) in [
            ("hex", hex_of as fn(&[u8]) -> String),
            ("text", |bytes| String::from_utf8_lossy(bytes).into_owned()),
            ("C array", c_array_of),
        ] {
            if ui.button(format!("Copy {what} as {form}")).clicked() {
                output.copied = Some(self.copy(ui, range.clone(), format));
                ui.close();
            }
        }
    }

    fn copy(self, ui: &Ui, range: Range<usize>, format: fn(&[u8]) -> String) -> usize {
        let range = range.start.min(self.bytes.len())..range.end.min(self.bytes.len());
        let bytes = self.bytes.get(range).unwrap_or_default();
        ui.ctx().copy_text(format(bytes));
        bytes.len()
    }

    fn field_of(self, byte: usize) -> Option<usize> {
        self.fields.iter().position(|field| field.range.contains(&byte))
    }
}

fn select_by_pointer(over: &Response, list: &Response, state: &mut HexState, byte_at: impl Fn(Pos2) -> Option<usize>) {
    let Some(at) = over.interact_pointer_pos().and_then(byte_at) else {
        if over.clicked() {
            state.selection = None;
        }
        return;
    };
    let extends = over.ctx.input(|input| input.modifiers.shift);
    let begin = match state.selection {
        Some((begin, _)) if over.dragged() && !over.drag_started() || extends => begin,
        _ => at,
    };
    if over.clicked() || over.dragged() {
        state.selection = Some((begin, at));
        list.request_focus();
    }
}

fn coloured(bytes: &[u8], palette: &Palette, cell: fn(&mut String, usize, u8)) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut run = String::new();
    let mut run_colour = palette.text;
    for (index, &byte) in bytes.iter().enumerate() {
        let colour = if byte.is_ascii_graphic() { palette.text } else { palette.muted };
        if colour != run_colour {
            push_run(&mut job, &mut run, run_colour);
            run_colour = colour;
        }
        cell(&mut run, index, byte);
    }
    push_run(&mut job, &mut run, run_colour);
    job
}

fn plain(text: &str, colour: Color32) -> LayoutJob {
    LayoutJob::simple_singleline(text.to_owned(), theme::mono_font(), colour)
}

fn push_run(job: &mut LayoutJob, run: &mut String, colour: Color32) {
    job.append(run, 0.0, TextFormat::simple(theme::mono_font(), colour));
    run.clear();
}

fn hex_cell(text: &mut String, index: usize, byte: u8) {
    if index > 0 && index.is_multiple_of(GROUP) {
        text.push(' ');
    }
    write!(text, "{byte:02X} ").ok(); // writing to a string cannot fail
}

fn ascii_cell(text: &mut String, _: usize, byte: u8) {
    let seen = byte.is_ascii_graphic() || byte == b' ';
    text.push(if seen { char::from(byte) } else { '·' });
}

fn hex_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        write!(text, "{byte:02x} ").ok(); // writing to a string cannot fail
    }
    text.pop();
    text
}

fn c_array_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 6 + 4);
    text.push_str("{ ");
    for byte in bytes {
        write!(text, "0x{byte:02X}, ").ok(); // writing to a string cannot fail
    }
    text.push('}');
    text
}

fn describe(field: &HexField) -> String {
    let Range { start, end } = field.range;
    let bytes = match end.saturating_sub(start) {
        1 => format!("byte {start}"),
        _ => format!("bytes {start}–{}", end.saturating_sub(1)),
    };
    if field.meaning.is_empty() {
        format!("{}, {bytes}", field.label)
    } else {
        format!("{}, {bytes}: {}", field.label, field.meaning)
    }
}

fn colour_of(index: usize, palette: &Palette) -> Color32 {
    let colours = [palette.sent, palette.event, palette.received, palette.control, palette.ok];
    colours[index % colours.len()]
}

/// The longest field that has a fill of its own: a coloured payload would shout down the header.
const TINTED_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_in_each_form() {
        assert_eq!(hex_of(&[0x81, 0x05, 0x48]), "81 05 48");
        assert_eq!(hex_of(&[]), "");
        assert_eq!(c_array_of(&[1, 255]), "{ 0x01, 0xFF, }");
    }

    #[test]
    fn a_selection_counts_both_ends_in_either_direction() {
        let state = HexState { selection: Some((7, 3)), ..HexState::default() };
        assert_eq!(state.selection(), Some(3..8));
    }

    #[test]
    fn a_field_says_where_it_is() {
        let field = HexField { range: 2..6, label: "masking-key".to_owned(), meaning: "0x37FA213D".to_owned() };
        assert_eq!(describe(&field), "masking-key, bytes 2–5: 0x37FA213D");
    }
}
