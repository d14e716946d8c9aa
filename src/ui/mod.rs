//! The window.
//!
//! The foundation: [`theme`] and [`fonts`] (how everything looks), [`row_list`] over [`row_scroll`] (every list of rows),
//! [`visible`] (a peer's text on its way to the screen), [`hex_view`] and [`json_tree`] (payloads), [`big_text`] and
//! [`paste`] (input that may be huge), [`toasts`], [`units`]. The window itself: [`action`] (what a click means), [`context`]
//! (what panels may read) and the panels. Start with [`install`].

pub mod action;
pub mod big_text;
pub mod cells;
pub mod context;
pub mod control_pictures;
pub mod fonts;
pub mod hex_view;
pub mod json_tree;
pub mod panels;
pub mod paste;
pub mod row_list;
pub mod row_scroll;
pub mod theme;
pub mod toasts;
pub mod units;
pub mod visible;

/// Prepares `ctx` for everything in this folder: fonts, styles, the guard against big pastes. Call once, before the
/// first pass.
pub fn install(ctx: &egui::Context) {
    fonts::install(ctx);
    theme::apply(ctx);
    paste::install(ctx);
}
