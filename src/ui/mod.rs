//! The window.
//!
//! [`run`] opens it; [`App`] is all of it. What a click means is an [`action`], what panels may read the [`context`]; they
//! are in [`panels`], arranged by [`regions`]. Below them the foundation: [`theme`] and [`fonts`] (how everything looks),
//! [`row_list`] over [`row_scroll`] (every list of rows), [`visible`] (a peer's text on its way to the screen),
//! [`hex_view`] and [`json_tree`] (payloads), [`big_text`] and [`paste`] (input that may be huge). Names, keys and the menu
//! are one table, [`menu`]; the connection form is [`form`]; [`repeat`] and [`matrix`] open connections one after the other. Start with [`App`].

pub mod action;
mod app;
pub mod big_text;
pub mod cells;
mod clipboard;
mod clock;
pub mod connections;
pub mod console_lane;
pub mod context;
pub mod control_pictures;
pub mod fields;
pub mod files;
mod focus;
pub mod fonts;
pub mod form;
pub mod hex_view;
pub mod intercept;
pub mod json_tree;
pub mod kept;
pub mod lab;
pub mod matrix;
pub mod menu;
pub mod panels;
pub mod paste;
pub mod profiles;
pub mod query;
pub mod regions;
pub mod repeat;
pub mod row_list;
pub mod row_scroll;
mod run;
pub mod state_words;
pub mod theme;
pub mod toasts;
pub mod units;
pub mod visible;

pub use app::App;
pub use run::{RunError, run};

/// Prepares `ctx` for everything in this folder: fonts, styles, the guard against big pastes. Call once, before the
/// first pass.
pub fn install(ctx: &egui::Context) {
    fonts::install(ctx);
    theme::apply(ctx);
    paste::install(ctx);
}
