//! Where an endless list stands: a whole first row and the points of it that are hidden above, never one number for both.
//!
//! A scroll offset in `f32` points loses half a point at 420 000 rows and sixteen at ten million. Here rows are `u64` and
//! only the part inside one row is a fraction, so that every row of 10^12 can be reached, and a step of one point stays
//! one point. Pure state without pixels of its own; [`super::row_list`] draws it.

use std::ops::Range;

/// A movement of the selection by keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// One row back.
    Up,
    /// One row on.
    Down,
    /// A view's height back.
    PageUp,
    /// A view's height on.
    PageDown,
    /// The first row.
    Home,
    /// The last row; a list that can follow does from here on.
    End,
}

/// Where a row that was asked for comes to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Scrolls only as far as needed to show the whole row.
    Nearest,
    /// A third of the view above it, for context.
    InSight,
    /// At the top of the view.
    Top,
}

/// Position, selection and following of one list.
///
/// Invariant after [`RowScroll::lay_out`]: the offset is less than one row, and no empty space shows below the last row
/// unless all rows fit.
#[derive(Clone, Debug, Default)]
pub struct RowScroll {
    first_row: u64,
    offset: f64,
    total: u64,
    row_height: f64,
    view_height: f64,
    follows_end: bool,
    following: bool,
    seen_to: u64,
    selected: Option<u64>,
}

impl RowScroll {
    /// Returns a list that starts at its first row and stays where it is put.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a list that shows its newest rows as long as it stands at its end.
    pub fn following_end() -> Self {
        Self { follows_end: true, following: true, ..Self::default() }
    }

    /// Takes this pass's measures in points: call before anything is drawn. Follows the end if it does.
    pub fn lay_out(&mut self, total: u64, row_height: f32, view_height: f32) {
        self.total = total;
        self.row_height = f64::from(row_height.max(1.0));
        self.view_height = f64::from(view_height.max(0.0));
        self.selected = self.selected.filter(|&row| row < total);
        if self.following {
            (self.first_row, self.offset) = self.end();
        }
        self.clamp();
        let shown_to = self.visible().end;
        self.seen_to = self.seen_to.max(shown_to).min(total);
    }

    /// Returns the first row in the view, and how many points of it are hidden above.
    pub fn position(&self) -> (u64, f64) {
        (self.first_row, self.offset)
    }

    /// Returns the rows of which at least a part is in the view.
    pub fn visible(&self) -> Range<u64> {
        if self.row_height <= 0.0 {
            return 0..0;
        }
        let rows = ((self.view_height + self.offset) / self.row_height).ceil() as u64;
        self.first_row..self.first_row.saturating_add(rows).min(self.total)
    }

    /// Returns how many rows came after the last one that was ever in the view.
    pub fn unseen(&self) -> u64 {
        self.total.saturating_sub(self.seen_to)
    }

    /// Whether the view moves along with new rows.
    pub fn is_following(&self) -> bool {
        self.following
    }

    /// Whether the view would move along with new rows once it stands at the end.
    pub fn can_follow(&self) -> bool {
        self.follows_end
    }

    /// Stops following, and stays where the view is.
    pub fn pause(&mut self) {
        self.following = false;
    }

    /// Shows the last row; a list that can follow does from here on.
    pub fn to_end(&mut self) {
        (self.first_row, self.offset) = self.end();
        self.following = self.follows_end;
    }

    /// Returns the selected row.
    pub fn selected(&self) -> Option<u64> {
        self.selected
    }

    /// Selects `row` where it is, or nothing. A row that is not the last one stops following: it is being read.
    pub fn select(&mut self, row: Option<u64>) {
        self.selected = row;
        if row.is_some_and(|row| row.saturating_add(1) < self.total) {
            self.following = false;
        }
    }

    /// Scrolls to `row`, or to the last one if there are fewer. Exact for every `u64`.
    pub fn scroll_to(&mut self, row: u64, place: Place) {
        let row = row.min(self.total.saturating_sub(1));
        let rows_in_view = (self.view_height / self.row_height.max(1.0)).floor() as u64;
        let shown = self.visible();
        // The last of the visible rows may be cut: measure the rows that are in the view whole.
        let whole = self.first_row + u64::from(self.offset > 0.0)..shown.start + rows_in_view;
        match place {
            Place::Nearest | Place::InSight if whole.contains(&row) => return,
            Place::Nearest if row < whole.start => (self.first_row, self.offset) = (row, 0.0),
            Place::Nearest => {
                // The row's lower edge on the view's lower edge.
                let above = self.view_height - self.row_height;
                let rows_above = (above / self.row_height).ceil().max(0.0);
                self.first_row = row.saturating_sub(rows_above as u64);
                self.offset =
                    if row >= rows_above as u64 { rows_above.mul_add(self.row_height, -above).max(0.0) } else { 0.0 };
            }
            Place::InSight => {
                (self.first_row, self.offset) = (row.saturating_sub(rows_in_view / 3), 0.0);
            }
            Place::Top => (self.first_row, self.offset) = (row, 0.0),
        }
        self.settle();
    }

    /// Scrolls by `points`; more than nothing means towards the end.
    pub fn scroll_points(&mut self, points: f64) {
        if self.row_height <= 0.0 || points == 0.0 {
            return;
        }
        let offset = self.offset + points;
        let rows = (offset / self.row_height).floor();
        let rest = rows.mul_add(-self.row_height, offset).max(0.0);
        if rows >= 0.0 {
            self.first_row = self.first_row.saturating_add(rows as u64);
            self.offset = rest;
        } else if let Some(row) = self.first_row.checked_sub((-rows) as u64) {
            (self.first_row, self.offset) = (row, rest);
        } else {
            (self.first_row, self.offset) = (0, 0.0);
        }
        self.settle();
    }

    /// Moves the selection and scrolls it into the view; returns the selected row.
    pub fn go(&mut self, step: Move) -> Option<u64> {
        let last = self.total.checked_sub(1)?;
        let page = ((self.view_height / self.row_height.max(1.0)).floor() as u64).saturating_sub(1).max(1);
        let shown = self.visible();
        let row = match (step, self.selected) {
            (Move::Home, _) => 0,
            (Move::End, _) => last,
            (Move::Up, Some(row)) => row.saturating_sub(1),
            (Move::Down, Some(row)) => row.saturating_add(1).min(last),
            (Move::PageUp, Some(row)) => row.saturating_sub(page),
            (Move::PageDown, Some(row)) => row.saturating_add(page).min(last),
            (Move::Up | Move::PageUp, None) => shown.end.saturating_sub(1),
            (Move::Down | Move::PageDown, None) => shown.start,
        };
        self.selected = Some(row);
        if step == Move::End {
            self.to_end();
        } else {
            self.following = self.following && row == last;
            self.scroll_to(row, Place::Nearest);
        }
        Some(row)
    }

    /// Returns how far down the view is, from 0 to 1.
    pub fn fraction(&self) -> f64 {
        let (row, offset) = self.end();
        let end = (row as f64).mul_add(self.row_height, offset);
        if end <= 0.0 {
            return 0.0;
        }
        ((self.first_row as f64).mul_add(self.row_height, self.offset) / end).clamp(0.0, 1.0)
    }

    /// Puts the view at a share of the way, from 0 to 1: what dragging the scroll bar does.
    pub fn set_fraction(&mut self, fraction: f64) {
        let (last, offset) = self.end();
        let rows = (last as f64 + offset / self.row_height.max(1.0)) * fraction.clamp(0.0, 1.0);
        self.first_row = rows.floor() as u64;
        self.offset = rows.fract() * self.row_height;
        if fraction >= 1.0 {
            (self.first_row, self.offset) = (last, offset);
        }
        self.settle();
    }

    /// Returns the share of all rows that fits into the view, from 0 to 1.
    pub fn shown_share(&self) -> f64 {
        let height = self.total as f64 * self.row_height;
        if height <= self.view_height { 1.0 } else { self.view_height / height }
    }

    /// The position at which the last row's lower edge is on the view's lower edge.
    fn end(&self) -> (u64, f64) {
        if self.row_height <= 0.0 {
            return (0, 0.0);
        }
        let rows = (self.view_height / self.row_height).ceil();
        match self.total.checked_sub(rows as u64) {
            None => (0, 0.0),
            Some(row) => (row, rows.mul_add(self.row_height, -self.view_height).max(0.0)),
        }
    }

    fn clamp(&mut self) {
        let end = self.end();
        if self.first_row > end.0 || (self.first_row == end.0 && self.offset > end.1) {
            (self.first_row, self.offset) = end;
        }
    }

    /// After a movement by hand: keep inside, and follow exactly when the end is reached.
    fn settle(&mut self) {
        self.clamp();
        self.following = self.follows_end && (self.first_row, self.offset) == self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: u64 = 1_000_000_000_000;

    fn list(total: u64) -> RowScroll {
        let mut list = RowScroll::new();
        list.lay_out(total, 20.0, 110.0); // five and a half rows
        list
    }

    #[test]
    fn every_row_of_a_trillion_can_be_reached() {
        let mut list = list(MANY);
        for row in [0, 1, 419_999, 123_456_789_012, MANY - 8, MANY - 7] {
            list.scroll_to(row, Place::Top);
            assert_eq!(list.position(), (row, 0.0));
        }
        list.scroll_to(u64::MAX, Place::Top);
        assert_eq!(list.position(), (MANY - 6, 10.0));
        assert_eq!(list.visible(), MANY - 6..MANY);
    }

    #[test]
    fn a_point_stays_a_point_at_a_trillion() {
        let mut list = list(MANY);
        list.scroll_to(MANY / 2, Place::Top);
        for _ in 0..40 {
            list.scroll_points(0.5);
        }
        assert_eq!(list.position(), (MANY / 2 + 1, 0.0));
        for _ in 0..41 {
            list.scroll_points(-0.5);
        }
        assert_eq!(list.position(), (MANY / 2 - 1, 19.5));
    }

    #[test]
    fn scrolling_stops_at_both_ends() {
        let mut list = list(10);
        list.scroll_points(-1e9);
        assert_eq!(list.position(), (0, 0.0));
        list.scroll_points(1e12);
        assert_eq!(list.position(), (4, 10.0));
        list.lay_out(3, 20.0, 110.0);
        assert_eq!(list.position(), (0, 0.0));
        assert_eq!(list.visible(), 0..3);
    }

    #[test]
    fn it_follows_only_at_the_end_and_counts_what_was_not_seen() {
        let mut list = RowScroll::following_end();
        list.lay_out(100, 20.0, 100.0);
        assert_eq!(list.visible(), 95..100);
        list.lay_out(200, 20.0, 100.0);
        assert_eq!((list.visible(), list.unseen()), (195..200, 0));
        list.scroll_points(-1.0);
        assert!(!list.is_following());
        list.lay_out(1404, 20.0, 100.0);
        assert_eq!((list.visible().start, list.unseen()), (194, 1204));
        list.go(Move::End);
        assert!(list.is_following());
        list.lay_out(1405, 20.0, 100.0);
        assert_eq!((list.visible().end, list.unseen()), (1405, 0));
        list.select(Some(1402));
        assert!(!list.is_following());
    }

    #[test]
    fn a_list_that_fits_goes_on_following() {
        let mut list = RowScroll::following_end();
        list.lay_out(2, 20.0, 100.0);
        list.scroll_points(-30.0);
        assert!(list.is_following());
    }

    #[test]
    fn keys_move_the_selection_and_keep_it_in_view() {
        let mut list = list(100);
        assert_eq!(list.go(Move::Down), Some(0));
        assert_eq!(list.go(Move::PageDown), Some(4));
        assert_eq!(list.position(), (0, 0.0));
        assert_eq!(list.go(Move::Down), Some(5));
        assert_eq!(list.position(), (0, 10.0));
        assert_eq!(list.go(Move::Up), Some(4));
        assert_eq!(list.position(), (0, 10.0));
        assert_eq!(list.go(Move::End), Some(99));
        assert_eq!(list.visible(), 94..100);
        assert_eq!(list.go(Move::PageUp), Some(95));
        assert_eq!(list.go(Move::Up), Some(94));
        assert_eq!(list.position(), (94, 0.0));
        assert_eq!(list.go(Move::Home), Some(0));
        assert_eq!(list.go(Move::Up), Some(0));
    }

    #[test]
    fn an_empty_list_does_nothing() {
        let mut list = list(0);
        assert_eq!(list.go(Move::Down), None);
        list.scroll_to(5, Place::InSight);
        list.set_fraction(0.5);
        assert_eq!((list.position(), list.visible()), ((0, 0.0), 0..0));
    }

    #[test]
    fn a_row_in_sight_does_not_move_the_view() {
        let mut list = list(100);
        list.scroll_to(4, Place::InSight);
        assert_eq!(list.position(), (0, 0.0));
        list.scroll_to(5, Place::InSight); // half of it is cut
        assert_eq!(list.position(), (4, 0.0));
        list.scroll_to(50, Place::InSight);
        assert_eq!(list.position(), (49, 0.0));
    }

    #[test]
    fn the_scroll_bar_reaches_both_ends_exactly() {
        let mut list = list(MANY);
        list.set_fraction(1.0);
        assert_eq!(list.visible().end, MANY);
        assert!((list.fraction() - 1.0).abs() < 1e-9);
        list.set_fraction(0.5);
        assert!((list.fraction() - 0.5).abs() < 1e-9);
        list.set_fraction(0.0);
        assert_eq!(list.position(), (0, 0.0));
    }
}
