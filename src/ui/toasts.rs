//! Short words about what was done (saved, copied), for three seconds; never for what must be read.

use super::theme;
use super::visible;
use egui::accesskit::{Live, Role};
use egui::{Id, Ui, vec2};
use egui_notify::{Anchor, Toast, ToastLevel};
use std::time::Duration;

/// The toasts on screen; the window keeps one.
pub struct Toasts {
    shown: egui_notify::Toasts,
    waiting: Vec<String>,
    newest: String,
}

impl Default for Toasts {
    fn default() -> Self {
        Self {
            shown: egui_notify::Toasts::new()
                .with_anchor(Anchor::BottomRight)
                .with_margin(vec2(16.0, 16.0))
                .with_padding(vec2(12.0, 8.0))
                .with_shadow(theme::shadow(false)),
            waiting: Vec::new(),
            newest: String::new(),
        }
    }
}

impl std::fmt::Debug for Toasts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Toasts")
            .field("shown", &self.shown.len())
            .field("waiting", &self.waiting)
            .finish_non_exhaustive()
    }
}

impl Toasts {
    /// Says that something was done: `Copied the value`. Shown from the next [`Toasts::show`] on.
    pub fn done(&mut self, text: impl Into<String>) {
        self.waiting.push(text.into());
    }

    /// Returns how many toasts are on screen or wait for it.
    pub fn len(&self) -> usize {
        self.shown.len() + self.waiting.len()
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Draws the toasts over everything else; call last in a pass. Screen readers are told of each.
    pub fn show(&mut self, ui: &Ui) {
        let palette = theme::palette(ui);
        for text in self.waiting.drain(..) {
            let text = visible::one_line(&text, MAX_CHARS).text;
            let mark = ToastLevel::Custom("✓".to_owned(), palette.ok);
            let mut toast = Toast::custom(text.as_str(), mark);
            toast.duration(Some(SHOWN_FOR)).closable(false).show_progress_bar(false);
            self.shown.add(toast);
            self.newest = text;
        }
        if self.shown.is_empty() {
            return;
        }
        self.shown.show(ui.ctx());
        ui.ctx().accesskit_node_builder(Id::unique("toasts"), |node| {
            node.set_role(Role::Status);
            node.set_live(Live::Polite);
            node.set_label(self.newest.as_str());
        });
    }
}

const SHOWN_FOR: Duration = Duration::from_secs(3);
const MAX_CHARS: usize = 80;
