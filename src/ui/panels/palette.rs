//! Every action by name: type a few letters, press Enter.

use egui::{Align, Frame, Id, Key, Modal, Modifiers, Response, ScrollArea, Ui, vec2};

use crate::ui::big_text::BigText;
use crate::ui::cells::cell_ui;
use crate::ui::context::Actions;
use crate::ui::menu::{ACTIONS, Entry, Situation};
use crate::ui::theme;

/// The palette while it is open.
#[derive(Debug, Default)]
pub struct ActionPalette {
    search: String,
    selected: usize,
    has_begun: bool,
}

impl ActionPalette {
    /// Shows the palette over everything; returns whether it stays open.
    pub fn show(&mut self, ui: &mut Ui, situation: Situation, actions: &mut Actions) -> bool {
        let frame = Frame::popup(ui.style()).inner_margin(3.0 * theme::STEP);
        let modal = Modal::new(Id::unique("action palette")).frame(frame).show(ui, |ui| {
            ui.set_width(420.0);
            let (down, up, entered) = ui.input_mut(|input| {
                (
                    input.count_and_consume_key(Modifiers::NONE, Key::ArrowDown),
                    input.count_and_consume_key(Modifiers::NONE, Key::ArrowUp),
                    input.consume_key(Modifiers::NONE, Key::Enter),
                )
            });
            if !ui.memory(|memory| memory.has_focus(field_id())) {
                // A fast hand types before the field has the focus: nothing of it is lost.
                self.search.push_str(&typed(ui));
            }
            let field = BigText::new("Search the actions").id(field_id()).hint("what to do");
            let response = field.show(ui, &mut self.search).response;
            // In the pass in which a modal takes its measures, nothing in it can have the focus.
            if !self.has_begun {
                self.has_begun = response.has_focus();
                response.request_focus();
            }
            if response.changed() {
                self.selected = 0;
            }
            let found = found(&self.search, situation);
            self.selected = (self.selected + down).saturating_sub(up).min(found.len().saturating_sub(1));
            let mut chosen = found.get(self.selected).copied().filter(|_| entered);
            let most = (ui.ctx().content_rect().height() - AROUND).clamp(ROW, MAX_ROWS * ROW);
            ScrollArea::vertical().max_height(most).show(ui, |ui| {
                for (nth, entry) in found.iter().enumerate() {
                    let row = row_ui(ui, entry, nth == self.selected);
                    if nth == self.selected && (down, up) != (0, 0) {
                        row.scroll_to_me(None);
                    }
                    if row.clicked() {
                        chosen = Some(entry);
                    }
                }
            });
            if found.is_empty() {
                ui.label(theme::tinted("No action is called so", theme::palette(ui).muted));
            }
            if let Some(entry) = chosen {
                actions.push((entry.action)());
            }
            chosen.is_some()
        });
        !modal.inner && !modal.should_close()
    }
}

/// Takes what was typed in this pass from the input.
fn typed(ui: &Ui) -> String {
    let mut typed = String::new();
    ui.input_mut(|input| {
        input.events.retain(|event| match event {
            egui::Event::Text(text) => {
                typed.push_str(text);
                false
            }
            _ => true,
        });
    });
    typed
}

fn row_ui(ui: &mut Ui, entry: &Entry, is_selected: bool) -> Response {
    let palette = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), egui::Sense::CLICK);
    if is_selected {
        ui.painter().rect_filled(rect, theme::CORNER, palette.selection());
    } else if response.hovered() {
        ui.painter().rect_filled(rect, theme::CORNER, palette.hover());
    }
    let inner = rect.shrink2(vec2(8.0, 0.0));
    cell_ui(ui, inner, entry.name, theme::body_font(), palette.text, Align::Min);
    if let Some(key) = entry.key {
        cell_ui(ui, inner, ui.format_shortcut(&key), theme::body_font(), palette.muted, Align::Max);
    }
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::ListBoxOption, true, is_selected, entry.name));
    response
}

fn found(search: &str, situation: Situation) -> Vec<&'static Entry> {
    let search = crate::ui::visible::one_line(search, 100).text.to_lowercase();
    let words: Vec<_> = search.split_whitespace().collect();
    let is_hit = |entry: &&Entry| {
        let name = format!("{} {}", entry.group.words(), entry.name).to_lowercase();
        (entry.is_possible)(situation) && words.iter().all(|word| name.contains(word))
    };
    let mut hits: Vec<_> = ACTIONS.iter().filter(is_hit).collect();
    // What is called just so, or begins so, is what was meant; the order of the menu decides among equals.
    hits.sort_by_key(|entry| {
        let name = entry.name.to_lowercase();
        (name != search.trim(), !name.starts_with(search.trim()))
    });
    hits
}

fn field_id() -> Id {
    Id::unique("action palette field")
}

const ROW: f32 = 26.0;
/// More of them are scrolled to.
const MAX_ROWS: f32 = 14.0;
/// Points of the window that the field, the frame and some room need.
const AROUND: f32 = 160.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_found_by_part_of_their_name() {
        let names =
            |search: &str| -> Vec<_> { found(search, Situation::default()).iter().map(|entry| entry.name).collect() };
        assert_eq!(names("open"), ["Open…"]);
        assert_eq!(names("log").first(), Some(&"Log"));
        assert_eq!(names("console").first(), Some(&"Console"));
        assert_eq!(names("idle").first(), Some(&"Idle lab: stop"));
        let possible = |entry: &&Entry| (entry.is_possible)(Situation::default());
        assert_eq!(names("").len(), ACTIONS.iter().filter(possible).count());
        assert!(names("abort").is_empty());
    }
}
