//! Words painted into a rectangle: the cells of a row.
//!
//! A cell is one line, never wraps, ends in `…` when it does not fit, and is never a widget: a log row of six cells costs
//! six layouts that egui remembers.

use egui::text::{LayoutJob, TextWrapping};
use egui::{Align, Color32, FontId, Rect, Ui, pos2};

/// Paints `text` into `rect`, centred vertically; returns where the words are.
///
/// `text` must be safe to draw (see [`super::visible`]) and short: a few hundred characters.
pub fn cell_ui(ui: &Ui, rect: Rect, text: impl Into<String>, font: FontId, colour: Color32, align: Align) -> Rect {
    let mut job = LayoutJob::simple_singleline(text.into(), font, colour);
    job.wrap = TextWrapping::truncate_at_width(rect.width().max(0.0));
    job_ui(ui, rect, job, align)
}

/// Paints a line of several colours into `rect`, centred vertically; returns where the words are.
///
/// Give `job` a [`TextWrapping::truncate_at_width`], else it is clipped.
pub fn job_ui(ui: &Ui, rect: Rect, job: LayoutJob, align: Align) -> Rect {
    let galley = ui.painter().layout_job(job);
    let size = galley.size();
    let x = match align {
        Align::Min => rect.left(),
        Align::Center => rect.center().x - size.x / 2.0,
        Align::Max => rect.right() - size.x,
    };
    let at = pos2(x, rect.center().y - size.y / 2.0);
    let clip = rect.intersect(ui.clip_rect());
    ui.painter().with_clip_rect(clip).galley(at, galley, Color32::PLACEHOLDER);
    Rect::from_min_size(at, size)
}
