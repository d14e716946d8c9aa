//! The columns of the log: which are shown, how wide they are, and how a row is painted into them.

use crate::ui::cells::{cell_ui, job_ui};
use crate::ui::panels::row_text::{Role, RowText};
use crate::ui::row_list::RowSlot;
use crate::ui::theme::{self, Palette};
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{Align, Rect, Ui, pos2, vec2};

/// A column that can be shown or hidden; the preview always stands at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Time,
    Gap,
    Direction,
    Kind,
    Flags,
    Size,
}

impl Column {
    pub(super) const ALL: [Self; 6] = [Self::Time, Self::Gap, Self::Direction, Self::Kind, Self::Flags, Self::Size];

    /// Its heading, and what it means.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Time => ("time", "seconds since the session began"),
            Self::Gap => ("gap", "time since the row above; more than a second stands out"),
            Self::Direction => ("dir", "▶ sent by the client, ◀ received from the server, · an event"),
            Self::Kind => ("kind", "the frame's opcode, or what kind of event"),
            Self::Flags => ("flags", "FIN: the last frame of its message; R1–R3: reserved bits; M: masked"),
            Self::Size => ("size", "payload bytes as announced in the frame's header"),
        }
    }

    fn width(self) -> f32 {
        match self {
            Self::Time | Self::Gap => 64.0,
            Self::Direction => 16.0,
            Self::Kind => 92.0,
            Self::Flags => 72.0,
            Self::Size => 66.0,
        }
    }

    fn align(self) -> Align {
        match self {
            Self::Time | Self::Gap | Self::Size => Align::Max,
            Self::Direction => Align::Center,
            Self::Kind | Self::Flags => Align::Min,
        }
    }
}

/// Which columns the user wants.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) shown: Vec<Column>,
}

impl Default for Columns {
    fn default() -> Self {
        Self { shown: Column::ALL.into_iter().filter(|column| *column != Column::Flags).collect() }
    }
}

impl Columns {
    pub(super) fn toggle(&mut self, column: Column) {
        if self.shown.contains(&column) {
            self.shown.retain(|shown| *shown != column);
        } else {
            self.shown.push(column);
            self.shown.sort_by_key(|shown| Column::ALL.iter().position(|of| of == shown));
        }
    }

    /// The wanted columns that leave the preview some room, with the left edge of each; then that of the preview.
    pub(super) fn lay_out(&self, row: Rect) -> (Vec<(Column, Rect)>, Rect) {
        let mut shown = self.shown.clone();
        let needed = |shown: &[Column]| shown.iter().map(|column| column.width() + SPACE).sum::<f32>();
        for column in FIRST_TO_GO {
            if needed(&shown) + GUTTER + LEAST_PREVIEW > row.width() {
                shown.retain(|of| *of != column);
            }
        }
        let mut left = row.left() + GUTTER;
        let cells = shown.into_iter().map(|column| {
            let rect = Rect::from_min_size(pos2(left, row.top()), vec2(column.width(), row.height()));
            left += column.width() + SPACE;
            (column, rect)
        });
        let cells = cells.collect();
        (cells, row.with_min_x(left).with_max_x(row.right() - SPACE))
    }

    /// Paints the headings.
    pub(super) fn heading_ui(&self, ui: &mut Ui) {
        let palette = theme::palette(ui);
        let size = vec2(ui.available_width(), theme::ROW_HEIGHT);
        let (row, _) = ui.allocate_exact_size(size, egui::Sense::hover());
        let (cells, preview) = self.lay_out(row);
        let font = egui::TextStyle::Small.resolve(ui.style());
        for (column, rect) in cells {
            let (name, meaning) = column.words();
            cell_ui(ui, rect, name, font.clone(), palette.muted, column.align());
            let id = ui.make_persistent_id(("log column", name));
            ui.interact(rect, id, egui::Sense::hover()).on_hover_text(meaning);
        }
        cell_ui(ui, preview, "preview", font, palette.muted, Align::Min);
        let line = egui::Stroke::new(1.0, palette.line);
        ui.painter().hline(row.x_range(), row.bottom(), line);
    }

    /// Paints a row's cells.
    pub(super) fn row_ui(&self, ui: &Ui, slot: &RowSlot, text: &RowText, is_marked: bool, is_hit: bool) {
        let palette = theme::palette(ui);
        let colour = text.role.colour(palette);
        let font = theme::mono_font();
        if matches!(text.role, Role::Bad) && !slot.is_selected {
            ui.painter().rect_filled(slot.rect.with_max_x(slot.rect.left() + 2.0), 0.0, palette.bad);
        }
        if is_hit {
            ui.painter().rect_filled(slot.rect, 0.0, palette.tint(palette.warn).gamma_multiply(0.5));
        }
        if is_marked {
            let at = pos2(slot.rect.left() + 8.0, slot.rect.center().y);
            ui.painter().circle_filled(at, 3.5, palette.warn);
        }
        let (cells, preview) = self.lay_out(slot.rect);
        for (column, rect) in cells {
            let (words, colour) = match column {
                Column::Time => (text.time.as_str(), palette.muted),
                Column::Gap => (text.gap.as_str(), if text.is_long_gap { palette.warn } else { palette.muted }),
                Column::Direction => (text.arrow(), colour),
                Column::Kind => (text.kind.as_str(), colour),
                Column::Flags => (text.flags.as_str(), palette.muted),
                Column::Size => (text.size.as_str(), palette.muted),
            };
            cell_ui(ui, rect, words, font.clone(), colour, column.align());
        }
        let colour = preview_colour(text.role, palette);
        let mut job = LayoutJob::default();
        job.append(&text.preview, 0.0, TextFormat::simple(font, colour));
        job.break_on_newline = false;
        job.wrap = TextWrapping::truncate_at_width(preview.width().max(0.0));
        job_ui(ui, preview, job, Align::Min);
    }
}

/// Paints a row that is still being loaded.
pub(super) fn placeholder_ui(ui: &Ui, slot: &RowSlot, columns: &Columns) {
    let palette = theme::palette(ui);
    let (cells, preview) = columns.lay_out(slot.rect);
    let bar = |rect: Rect| {
        let bar = Rect::from_center_size(rect.center(), vec2(rect.width(), 8.0));
        ui.painter().rect_filled(bar, theme::CORNER, palette.raised);
    };
    for (column, rect) in cells {
        if matches!(column, Column::Time | Column::Kind) {
            bar(rect);
        }
    }
    // Lengths that differ look like text, and stay the same for each row.
    let share = 0.3 + (slot.row % 7) as f32 * 0.08;
    bar(preview.with_max_x(preview.left() + preview.width() * share));
}

/// Data speaks in the colour of text; everything else keeps its role.
fn preview_colour(role: Role, palette: &Palette) -> egui::Color32 {
    match role {
        Role::Sent | Role::Received | Role::Text | Role::Ok | Role::Event => palette.text,
        Role::Control => palette.control,
        Role::Warn => palette.warn,
        Role::Bad => palette.bad,
        Role::Muted => palette.muted,
    }
}

/// Points left of the first column, between two columns, and the least that the preview wants.
const GUTTER: f32 = 16.0;
const SPACE: f32 = 8.0;
const LEAST_PREVIEW: f32 = 180.0;
const FIRST_TO_GO: [Column; 4] = [Column::Flags, Column::Gap, Column::Size, Column::Time];

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: &Columns, width: f32) -> Vec<&'static str> {
        let row = Rect::from_min_size(pos2(0.0, 0.0), vec2(width, 20.0));
        columns.lay_out(row).0.into_iter().map(|(column, _)| column.words().0).collect()
    }

    #[test]
    fn columns_are_chosen_and_give_way_to_the_preview() {
        let mut columns = Columns::default();
        assert_eq!(names(&columns, 800.0), ["time", "gap", "dir", "kind", "size"]);
        columns.toggle(Column::Flags);
        assert_eq!(names(&columns, 800.0), ["time", "gap", "dir", "kind", "flags", "size"]);
        columns.toggle(Column::Time);
        assert_eq!(names(&columns, 800.0), ["gap", "dir", "kind", "flags", "size"]);
        assert_eq!(names(&columns, 320.0), ["dir", "kind"]);
    }
}
