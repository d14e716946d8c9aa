//! An endless list: only the rows in the view are made, and any `u64` row can be reached exactly.
//!
//! [`RowList`] draws what [`RowScroll`] says: background, selection, its own scroll bar, wheel, keys while it has the
//! focus. The caller paints each row and names it for screen readers. egui's own `ScrollArea::show_rows` and tables count
//! points in `f32`; they are not used for rows.

use super::row_scroll::{Move, Place, RowScroll};
use super::theme::{self, Palette};
use super::units;
use egui::accesskit::Role;
use egui::emath::GuiRounding as _;
use egui::{
    Button, EventFilter, Id, Key, Modifiers, Rect, Response, Sense, Stroke, StrokeKind, Ui, UiBuilder, pos2, vec2,
};
use std::ops::Range;

/// A list to show: what it is called, and how many rows of what height it has.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct RowList<'a> {
    name: &'a str,
    total: u64,
    row_height: f32,
}

/// One row to paint.
#[derive(Debug)]
pub struct RowSlot {
    /// The row's number, from 0.
    pub row: u64,
    /// Where it stands; it may stick out of the view, whose clip rectangle is set.
    pub rect: Rect,
    /// Whether it is the selected row.
    pub is_selected: bool,
    /// Senses clicks; for a context menu or a hover text.
    pub response: Response,
    total: u64,
}

/// What happened to a list in this pass.
#[derive(Debug)]
pub struct RowListOutput {
    /// The list as a widget: its focus and its rectangle.
    pub response: Response,
    /// The row that was clicked.
    pub clicked: Option<u64>,
    /// The row that was double-clicked, or selected when Enter was pressed.
    pub activated: Option<u64>,
    /// Whether the selection is another one than before.
    pub selection_changed: bool,
    /// The rows that were painted.
    pub visible: Range<u64>,
    /// Where they were painted: the list without its scroll bar.
    pub view: Rect,
}

impl<'a> RowList<'a> {
    /// Describes a list that screen readers call `name`, with `total` rows of [`theme::ROW_HEIGHT`].
    pub fn new(name: &'a str, total: u64) -> Self {
        Self { name, total, row_height: theme::ROW_HEIGHT }
    }

    /// Sets the height of every row in points.
    pub fn row_height(self, row_height: f32) -> Self {
        Self { row_height, ..self }
    }

    /// Shows the list in all the room that `ui` has left, and calls `paint_row` for each row in the view.
    ///
    /// `paint_row` gets a `Ui` whose clip rectangle is the view; it must call [`RowSlot::name`].
    pub fn show(
        self,
        ui: &mut Ui,
        scroll: &mut RowScroll,
        mut paint_row: impl FnMut(&mut Ui, &RowSlot),
    ) -> RowListOutput {
        let palette = theme::palette(ui);
        let outer = ui.available_rect_before_wrap().round_ui();
        let id = ui.make_persistent_id(("row list", self.name));
        ui.advance_cursor_after_rect(outer);
        let response = ui.interact(outer, id, Sense::click());
        let view = outer.with_max_x((outer.right() - BAR_WIDTH).max(outer.left()));
        let before = scroll.selected();

        scroll.lay_out(self.total, self.row_height, view.height());
        wheel(ui, outer, scroll);
        bar_ui(ui, outer.with_min_x(view.right()), id, self.name, scroll, palette);
        let entered = keys(ui, &response, scroll);
        let mut output = RowListOutput {
            clicked: None,
            activated: entered.then(|| scroll.selected()).flatten(),
            selection_changed: false,
            visible: scroll.visible(),
            view,
            response,
        };
        self.rows_ui(ui, view, id, scroll, &mut output, &mut paint_row);
        newer_ui(ui, view, scroll, palette);

        output.selection_changed = scroll.selected() != before;
        self.describe(ui, id, scroll);
        if output.response.has_focus() {
            let stroke = Stroke::new(1.0, palette.accent);
            ui.painter().rect_stroke(outer, theme::CORNER, stroke, StrokeKind::Inside);
        }
        output
    }

    fn rows_ui(
        self,
        ui: &mut Ui,
        view: Rect,
        id: Id,
        scroll: &mut RowScroll,
        output: &mut RowListOutput,
        paint_row: &mut impl FnMut(&mut Ui, &RowSlot),
    ) {
        let palette = theme::palette(ui);
        let mut rows = ui.new_child(UiBuilder::new().scope_id(id.with("rows")).max_rect(view).accessibility_parent(id));
        rows.set_clip_rect(view.intersect(ui.clip_rect()));
        let (first, offset) = scroll.position();
        for row in output.visible.clone() {
            let below = (row - first) as f32 * self.row_height - offset as f32;
            let rect = Rect::from_min_size(
                pos2(view.left(), view.top() + below).round_ui(),
                vec2(view.width(), self.row_height),
            );
            // `Sense::CLICK` and not `click()`: the list is one stop for the Tab key, not one for each row.
            let response = rows.interact(rect, id.with(row), Sense::CLICK);
            if response.clicked() || response.secondary_clicked() {
                scroll.select(Some(row));
                output.response.request_focus();
            }
            if response.clicked() {
                output.clicked = Some(row);
            }
            if response.double_clicked() {
                output.activated = Some(row);
            }
            let is_selected = scroll.selected() == Some(row);
            if is_selected {
                rows.painter().rect_filled(rect, 0.0, palette.selection());
                let edge = rect.with_max_x(rect.left() + 2.0);
                rows.painter().rect_filled(edge, 0.0, palette.accent);
            } else if response.hovered() {
                rows.painter().rect_filled(rect, 0.0, palette.hover());
            }
            let slot = RowSlot { row, rect, is_selected, response, total: self.total };
            paint_row(&mut rows, &slot);
        }
    }

    fn describe(self, ui: &Ui, id: Id, scroll: &RowScroll) {
        let active = scroll.selected().map(|row| id.with(row)).filter(|&row| ui.ctx().has_accesskit_node(row));
        ui.ctx().accesskit_node_builder(id, |node| {
            node.set_role(Role::ListBox);
            node.set_label(self.name);
            node.set_size_of_set(usize::try_from(self.total).unwrap_or(usize::MAX));
            if let Some(row) = active {
                node.set_active_descendant(row.accesskit_id());
            }
        });
    }
}

impl RowSlot {
    /// Names the row for screen readers; `text` is only made while one listens.
    pub fn name(&self, text: impl FnOnce() -> String) {
        self.response.ctx.accesskit_node_builder(self.response.id, |node| {
            node.set_role(Role::ListBoxOption);
            node.set_label(text());
            node.set_selected(self.is_selected);
            node.set_position_in_set(usize::try_from(self.row).unwrap_or(usize::MAX));
            node.set_size_of_set(usize::try_from(self.total).unwrap_or(usize::MAX));
            node.add_action(egui::accesskit::Action::Click);
            node.set_bounds(bounds(self.rect));
        });
    }
}

/// Returns the movement that `key` stands for in a list.
pub fn move_of_key(key: Key) -> Option<Move> {
    KEYS.iter().find(|(of, _)| *of == key).map(|&(_, step)| step)
}

fn wheel(ui: &Ui, outer: Rect, scroll: &mut RowScroll) {
    if !ui.rect_contains_pointer(outer) {
        return;
    }
    let points = ui.input_mut(|input| std::mem::take(&mut input.smooth_scroll_delta.y));
    scroll.scroll_points(-f64::from(points));
}

/// Takes the list's keys while it has the focus; returns whether Enter was pressed.
fn keys(ui: &Ui, response: &Response, scroll: &mut RowScroll) -> bool {
    if !response.has_focus() {
        return false;
    }
    let filter = EventFilter { vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let (steps, entered) = ui.input_mut(|input| {
        let steps: Vec<_> = KEYS
            .iter()
            .flat_map(|&(key, step)| {
                let times = input.count_and_consume_key(Modifiers::NONE, key);
                std::iter::repeat_n(step, times)
            })
            .collect();
        (steps, input.consume_key(Modifiers::NONE, Key::Enter))
    });
    for step in steps {
        scroll.go(step);
    }
    if let (true, Some(row)) = (entered, scroll.selected()) {
        scroll.scroll_to(row, Place::Nearest);
    }
    entered
}

fn bar_ui(ui: &Ui, bar: Rect, list: Id, name: &str, scroll: &mut RowScroll, palette: &Palette) {
    if scroll.shown_share() >= 1.0 || bar.height() < MIN_HANDLE {
        return;
    }
    let response = ui.interact(bar, list.with("scroll bar"), Sense::CLICK | Sense::DRAG);
    let length = ((scroll.shown_share() as f32) * bar.height()).clamp(MIN_HANDLE, bar.height());
    let travel = bar.height() - length;
    let top = |scroll: &RowScroll| bar.top() + travel * scroll.fraction() as f32;

    if let Some(pointer) = response.interact_pointer_pos() {
        let grab_id = list.with("grab");
        // Where in the handle it was taken; beside the handle, its middle jumps to the pointer.
        let grab = ui.data_mut(|data| {
            *data.get_temp_mut_or_insert_with(grab_id, || {
                let inside = pointer.y - top(scroll);
                if (0.0..=length).contains(&inside) { inside } else { length / 2.0 }
            })
        });
        let share = (pointer.y - grab - bar.top()) / travel.max(1.0);
        scroll.set_fraction(share.into());
    } else {
        ui.data_mut(|data| data.remove::<f32>(list.with("grab")));
    }

    let held = response.hovered() || response.dragged();
    let handle = Rect::from_min_size(pos2(bar.left() + 2.0, top(scroll)), vec2(bar.width() - 4.0, length));
    let colour = if held { palette.muted } else { palette.line };
    ui.painter().rect_filled(handle, theme::CORNER, colour);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::ScrollBar);
        node.set_bounds(bounds(bar));
        node.set_label(format!("{name}, scroll bar"));
        node.set_numeric_value((scroll.fraction() * 100.0).round());
        node.set_min_numeric_value(0.0);
        node.set_max_numeric_value(100.0);
    });
}

/// Says how many rows came below the view of a list that does not follow at the moment; a click goes there.
fn newer_ui(ui: &mut Ui, view: Rect, scroll: &mut RowScroll, palette: &Palette) {
    let unseen = scroll.unseen();
    if unseen == 0 || scroll.is_following() || !scroll.can_follow() {
        return;
    }
    // In the corner, where rows have ended.
    let size = vec2(112.0, theme::CONTROL_HEIGHT);
    let at = view.right_bottom() - vec2(0.5 * size.x + 4.0 * theme::STEP, theme::CONTROL_HEIGHT);
    let text = theme::strong(format!("↓ {} new", units::count(unseen))).color(palette.accent);
    let button = Button::new(text).fill(palette.raised);
    if ui.put(Rect::from_center_size(at, size), button).clicked() {
        scroll.to_end();
        ui.ctx().request_repaint();
    }
}

fn bounds(rect: Rect) -> egui::accesskit::Rect {
    egui::accesskit::Rect {
        x0: rect.left().into(),
        y0: rect.top().into(),
        x1: rect.right().into(),
        y1: rect.bottom().into(),
    }
}

const KEYS: [(Key, Move); 6] = [
    (Key::ArrowUp, Move::Up),
    (Key::ArrowDown, Move::Down),
    (Key::PageUp, Move::PageUp),
    (Key::PageDown, Move::PageDown),
    (Key::Home, Move::Home),
    (Key::End, Move::End),
];
/// Points of the scroll bar's width and of its handle's least length.
const BAR_WIDTH: f32 = 10.0;
const MIN_HANDLE: f32 = 20.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_key_has_its_movement() {
        assert_eq!(move_of_key(Key::End), Some(Move::End));
        assert_eq!(move_of_key(Key::ArrowUp), Some(Move::Up));
        assert_eq!(move_of_key(Key::Space), None);
    }
}
