//! Where offset, bytes and characters of a dump stand.

use crate::ui::theme;
use egui::{Color32, Rect, Ui, pos2};
use std::ops::Range;

/// Where the columns stand, in points from the left edge of the view.
pub(super) struct Grid {
    pub(super) columns: usize,
    pub(super) offset_digits: usize,
    char_width: f32,
    pub(super) margin: f32,
    pub(super) hex: f32,
    pub(super) ascii: f32,
}

impl Grid {
    /// Sixteen columns, or eight, or four, as the width allows.
    pub(super) fn fit(ui: &Ui, len: usize) -> Self {
        let galley = ui.painter().layout_no_wrap("0".repeat(64), theme::mono_font(), Color32::PLACEHOLDER);
        let char_width = galley.size().x / 64.0;
        let digits = if len > 0xFFFF_FFFF { 12 } else { 8 };
        let of = |columns: usize| {
            let hex_chars = columns * 3 + columns.saturating_sub(1) / GROUP;
            let margin = 2.0 * theme::STEP;
            let hex = margin + (digits + 2) as f32 * char_width;
            Self {
                columns,
                offset_digits: digits,
                char_width,
                margin,
                hex,
                ascii: hex + (hex_chars + 1) as f32 * char_width,
            }
        };
        let room = ui.available_width() - 4.0 * theme::STEP;
        let fits = |grid: &Self| grid.ascii + grid.columns as f32 * char_width <= room;
        [16, 8].map(of).into_iter().find(fits).unwrap_or_else(|| of(4))
    }

    pub(super) fn hex_x(&self, column: usize) -> f32 {
        self.hex + (column * 3 + column / GROUP) as f32 * self.char_width
    }

    /// The rectangles behind a run of columns of one row, in both halves.
    pub(super) fn cells(&self, row: Rect, columns: &Range<usize>) -> [Rect; 2] {
        let last = columns.end.saturating_sub(1);
        let span = |from: f32, to: f32| {
            Rect::from_min_max(pos2(row.left() + from, row.top()), pos2(row.left() + to, row.bottom()))
        };
        let half = self.char_width / 2.0;
        [
            span(self.hex_x(columns.start) - half, self.hex_x(last) + 5.0 * half),
            span(
                self.ascii + columns.start as f32 * self.char_width,
                self.ascii + columns.end as f32 * self.char_width,
            ),
        ]
    }

    pub(super) fn column_at(&self, x: f32) -> Option<usize> {
        let half = self.char_width / 2.0;
        (0..self.columns).find(|&column| {
            let hex = self.hex_x(column);
            let ascii = self.ascii + column as f32 * self.char_width;
            (hex - half..hex + 5.0 * half).contains(&x) || (ascii..ascii + self.char_width).contains(&x)
        })
    }
}

/// Bytes between wider gaps.
pub(super) const GROUP: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_finds_its_column_in_either_half() {
        let grid = Grid { columns: 16, offset_digits: 8, char_width: 8.0, margin: 8.0, hex: 88.0, ascii: 488.0 };
        for column in 0..16 {
            assert_eq!(grid.column_at(grid.hex_x(column) + 8.0), Some(column));
            let ascii = grid.ascii + (column as f32 + 0.5) * 8.0;
            assert_eq!(grid.column_at(ascii), Some(column));
        }
        assert_eq!(grid.column_at(0.0), None);
        assert_eq!(grid.column_at(700.0), None);
    }
}
