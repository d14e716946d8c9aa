//! Text of any size as lines: cut where the width ends, and only those in the view are made.

use crate::ui::cells::job_ui;
use crate::ui::row_list::RowList;
use crate::ui::row_scroll::RowScroll;
use crate::ui::{theme, visible};
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align, Ui, vec2};
use std::ops::Range;

/// Where the lines of a text begin and end, for a width in columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lines {
    columns: usize,
    ranges: Vec<Range<usize>>,
}

/// A text as lines, with its scrolling.
#[derive(Clone, Debug, Default)]
pub(super) struct LinesView {
    lines: Lines,
    scroll: RowScroll,
}

impl Lines {
    /// Cuts `bytes` after each line feed and after `columns` bytes, never inside a character.
    pub(super) fn of(bytes: &[u8], columns: usize) -> Self {
        let columns = columns.max(8);
        let mut ranges = Vec::new();
        let mut at = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let end = at + line.len();
            while end - at > columns {
                let cut = boundary(bytes, at, at + columns);
                // A line feed alone needs no line of its own.
                if is_line_end(bytes.get(cut..end).unwrap_or_default()) {
                    break;
                }
                ranges.push(at..cut);
                at = cut;
            }
            ranges.push(at..end);
            at = end;
        }
        Self { columns, ranges }
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.ranges.len()
    }
}

impl LinesView {
    /// Takes lines that were cut elsewhere, for a text too long to cut in a pass.
    pub(super) fn with_lines(lines: Lines) -> Self {
        Self { lines, scroll: RowScroll::new() }
    }

    /// Forgets where the lines end: the text is another one.
    pub(super) fn cut_again(&mut self) {
        self.lines = Lines::default();
    }

    /// Shows `bytes` in all the room that `ui` has left; screen readers call the list `name`.
    ///
    /// With `with_ends`, CR and LF are drawn; without, only a CR that is not before a LF.
    pub(super) fn show(&mut self, ui: &mut Ui, name: &str, bytes: &[u8], with_ends: bool) {
        let columns = columns_in(ui);
        if self.lines.columns != columns && (bytes.len() <= CUT_IN_A_PASS || self.lines.len() == 0) {
            self.lines = Lines::of(bytes, columns);
        }
        let lines = &self.lines;
        RowList::new(name, lines.len() as u64).row_height(LINE).show(ui, &mut self.scroll, |ui, slot| {
            let range = lines.ranges.get(slot.row as usize).cloned().unwrap_or_default();
            let line = bytes.get(range).unwrap_or_default();
            let rect = slot.rect.shrink2(vec2(2.0 * theme::STEP, 0.0));
            let mut job = line_job(ui, line, with_ends);
            job.wrap = TextWrapping::truncate_at_width(rect.width().max(0.0));
            job_ui(ui, rect, job, Align::Min);
            slot.response.context_menu(|ui| {
                if ui.button("Copy line").clicked() {
                    ui.ctx().copy_text(String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned());
                    ui.close();
                }
            });
            slot.name(|| match without_end(line) {
                [] => "empty line".to_owned(),
                line => visible::one_line_bytes(line, 400).text,
            });
        });
    }
}

/// Shows a short text as labels that can be selected, one a line, in the room they need.
pub(super) fn short_lines_ui(ui: &mut Ui, bytes: &[u8], with_ends: bool) {
    ui.spacing_mut().item_spacing.y = 0.0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let mut job = line_job(ui, line, with_ends);
        job.wrap.max_width = ui.available_width();
        job.wrap.break_anywhere = true;
        ui.add(egui::Label::new(job).selectable(true).wrap());
    }
}

/// Returns how many monospace columns fit into the width that `ui` has left.
pub(super) fn columns_in(ui: &Ui) -> usize {
    let width = ui.ctx().fonts_mut(|fonts| fonts.glyph_width(&theme::mono_font(), '0')).max(1.0);
    (((ui.available_width() - 8.0 * theme::STEP) / width) as usize).max(8)
}

fn line_job(ui: &Ui, line: &[u8], with_ends: bool) -> LayoutJob {
    let palette = theme::palette(ui);
    let mut job = LayoutJob { break_on_newline: false, ..LayoutJob::default() };
    let body = without_end(line);
    let end = line.get(body.len()..).unwrap_or_default();
    let text = visible::one_line_bytes(body, LINE_CHARS).text.replace('␉', "    ");
    job.append(&text, 0.0, TextFormat::simple(theme::mono_font(), palette.text));
    let end = if with_ends { end } else { &[] };
    job.append(&visible::one_line_bytes(end, 4).text, 0.0, TextFormat::simple(theme::mono_font(), palette.muted));
    job
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_line_end(bytes: &[u8]) -> bool {
    matches!(bytes, b"\n" | b"\r\n")
}

/// The last character boundary in `from + 1..=to`, or `to` where the bytes are no UTF-8.
fn boundary(bytes: &[u8], from: usize, to: usize) -> usize {
    let is_inside = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let back = (to.saturating_sub(3).max(from + 1)..=to).rev().find(|at| !is_inside(*at));
    back.unwrap_or(to)
}

/// Points of a line, and the most characters that are drawn of one.
const LINE: f32 = 18.0;
const LINE_CHARS: usize = 1000;
/// Bytes up to which a text is cut anew when the width changes.
pub(super) const CUT_IN_A_PASS: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str, columns: usize) -> Vec<&str> {
        Lines::of(text.as_bytes(), columns).ranges.into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn lines_end_at_line_feeds_and_at_the_width() {
        assert_eq!(cut("", 10), Vec::<&str>::new());
        assert_eq!(cut("one\ntwo", 10), ["one\n", "two"]);
        assert_eq!(cut("0123456789abc", 10), ["0123456789", "abc"]);
        assert_eq!(cut("0123456789\r\n\n", 10), ["0123456789\r\n", "\n"]);
    }

    #[test]
    fn characters_stay_whole() {
        assert_eq!(cut("aaaaaaa日本語", 8), ["aaaaaaa", "日本", "語"]);
        let broken = [0x80_u8; 20];
        let lines = Lines::of(&broken, 8);
        assert_eq!(lines.ranges.iter().map(Range::len).sum::<usize>(), 20);
    }
}
