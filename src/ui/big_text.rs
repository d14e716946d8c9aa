//! A text field for text of any size: a `TextEdit` up to 64 KiB, a summary beside the untouched text above.

use super::paste::{BIG, take_big_paste_for};
use super::theme;
use super::{units, visible};
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{Frame, Id, Margin, Response, Stroke, TextEdit, TextStyle, Ui};

/// A field to show: what it is called, and how it looks while the text is small.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct BigText<'a> {
    name: &'a str,
    hint: &'a str,
    rows: usize,
    id: Option<Id>,
    shortened: Option<usize>,
    is_secret: bool,
}

/// What happened to a field in this pass.
#[derive(Debug)]
pub struct BigTextOutput {
    /// The field, or the frame of the summary; `changed()` is set by typing, pasting and clearing.
    pub response: Response,
    /// Whether the text is shown as a summary.
    pub is_big: bool,
}

impl<'a> BigText<'a> {
    /// Describes a field of one line that screen readers call `name`; `name` is unique within its parent.
    pub fn new(name: &'a str) -> Self {
        Self { name, hint: "", rows: 1, id: None, shortened: None, is_secret: false }
    }

    /// Sets the identity of the field, so that a key can give it the focus.
    pub fn id(self, id: Id) -> Self {
        Self { id: Some(id), ..self }
    }

    /// Shows at most `limit` characters, with `…` in the middle, while the field has no focus: for tokens and URLs.
    pub fn shortened(self, limit: usize) -> Self {
        Self { shortened: Some(limit), ..self }
    }

    /// Shows dots.
    pub fn secret(self, is_secret: bool) -> Self {
        Self { is_secret, ..self }
    }

    /// Sets the words shown while the field is empty.
    pub fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    /// Sets the height in lines; more than one makes the field a block of lines.
    pub fn rows(self, rows: usize) -> Self {
        Self { rows, ..self }
    }

    /// Shows the field in the width that `ui` has left.
    ///
    /// A big paste into it stands in `text` in the same pass, at the cursor, unseen by any widget.
    pub fn show(self, ui: &mut Ui, text: &mut String) -> BigTextOutput {
        let id = self.id.unwrap_or_else(|| ui.make_persistent_id(("big text", self.name)));
        let pasted = take_big_paste_for(ui.ctx(), id);
        let has_pasted = pasted.is_some();
        if let Some(pasted) = pasted {
            insert_at_cursor(ui, id, text, pasted);
        }
        let is_big = text.len() > BIG;
        let mut response = if is_big { self.summary_ui(ui, id, text) } else { self.edit_ui(ui, id, text) };
        if has_pasted {
            response.mark_changed();
        }
        BigTextOutput { response, is_big }
    }

    fn edit_ui(self, ui: &mut Ui, id: Id, text: &mut String) -> Response {
        let has_focus = ui.memory(|memory| memory.has_focus(id));
        let shortened = self.shortened.filter(|_| !has_focus && !self.is_secret);
        // The same field over other letters: a click gives it the focus, and then it holds the text itself.
        let short = shortened.map(|limit| visible::middle_ellipsis(text, limit));
        let mut short = short.as_deref();
        let text: &mut dyn egui::TextBuffer = match &mut short {
            Some(short) => short,
            None => text,
        };
        let edit =
            if self.rows > 1 { TextEdit::multiline(text).desired_rows(self.rows) } else { TextEdit::singleline(text) };
        let edit = edit.password(self.is_secret).background_color(theme::palette(ui).background);
        ui.add(edit.id(id).hint_text(self.hint).font(TextStyle::Monospace).desired_width(f32::INFINITY))
            .accessible_name(self.name)
    }

    fn summary_ui(self, ui: &mut Ui, id: Id, text: &mut String) -> Response {
        let palette = theme::palette(ui);
        let mut clear = false;
        let size = format!("{} of text", units::size(text.len() as u64));
        let framed = Frame::NONE
            .fill(palette.background)
            .stroke(Stroke::new(1.0, palette.line))
            .corner_radius(theme::CORNER)
            .inner_margin(Margin::symmetric(8, 4))
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.horizontal(|ui| {
                    ui.label(theme::strong(size.as_str()));
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        clear = ui.button("Clear").clicked();
                        let first = theme::mono(first_line(text)).color(palette.muted);
                        ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                            ui.add(egui::Label::new(first).truncate());
                        });
                    });
                });
            });
        let mut response = framed.response;
        let name = format!("{}: {size}", self.name);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Group, true, name.as_str()));
        if clear {
            text.clear();
            ui.memory_mut(|memory| memory.request_focus(id));
            response.mark_changed();
        }
        response
    }
}

/// Puts `pasted` where the cursor of the field stands, in place of what is selected.
fn insert_at_cursor(ui: &Ui, id: Id, text: &mut String, pasted: String) {
    let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let chars = state.cursor.char_range().map(|range| range.as_sorted_char_range());
    let byte_at = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    let range = chars.map_or(text.len()..text.len(), |chars| byte_at(chars.start.0)..byte_at(chars.end.0));
    if range == (0..text.len()) {
        *text = pasted;
    } else {
        // `replace_range` would go byte by byte.
        let behind = text.split_off(range.end);
        text.truncate(range.start);
        text.reserve(pasted.len() + behind.len());
        text.push_str(&pasted);
        text.push_str(&behind);
    }
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::default())));
    state.clear_undoer();
    state.store(ui.ctx(), id);
}

/// Puts a piece where the cursor of the field stands, in place of what is selected, and the cursor behind it.
pub fn insert(ui: &Ui, id: Id, text: &mut String, piece: &str) {
    let state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    let end = text.chars().count();
    let start = state.cursor.char_range().map_or(end, |range| range.as_sorted_char_range().start.0.min(end));
    insert_at_cursor(ui, id, text, piece.to_owned());
    place_cursor(ui, id, start + piece.chars().count());
}

/// Puts the cursor of the field before the character of this number; nothing is selected any more.
pub fn place_cursor(ui: &Ui, id: Id, at: usize) {
    let mut state = TextEditState::load(ui.ctx(), id).unwrap_or_default();
    state.cursor.set_char_range(Some(CCursorRange::one(CCursor::new(at))));
    state.store(ui.ctx(), id);
}

fn first_line(text: &str) -> String {
    let end = text.char_indices().take(FIRST_LINE_CHARS + 1).find(|&(_, c)| c == '\n').map(|(at, _)| at);
    match end {
        Some(end) => visible::one_line(text.get(..end).unwrap_or_default(), FIRST_LINE_CHARS).text,
        None => visible::one_line(text, FIRST_LINE_CHARS).text,
    }
}

const FIRST_LINE_CHARS: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_short_and_safe() {
        assert_eq!(first_line("one\ntwo"), "one");
        assert_eq!(first_line("\u{202E}x"), "⟨U+202E⟩x");
        let long = first_line(&"y".repeat(10 << 20));
        assert_eq!(long.chars().count(), FIRST_LINE_CHARS + 1);
    }
}
