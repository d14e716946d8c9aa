//! The practice server: a healthy session at a click, and every fault with its lesson.

use std::net::SocketAddr;

use egui::{Align, ScrollArea, Ui};

use crate::engine::practice::{FAULTS, Fault};
use crate::ui::action::Action;
use crate::ui::big_text::BigText;
use crate::ui::cells::cell_ui;
use crate::ui::context::{Actions, Context};
use crate::ui::fields::explain_ui;
use crate::ui::row_list::RowList;
use crate::ui::row_scroll::{Place, RowScroll};
use crate::ui::theme;
use crate::ui::visible;

/// The list of faults.
#[derive(Debug, Default)]
pub struct PracticePanel {
    search: String,
    found: Option<(String, Vec<usize>)>,
    scroll: RowScroll,
}

impl PracticePanel {
    /// Shows the panel; `address` is where the practice server listens, if it runs.
    pub fn show(&mut self, ui: &mut Ui, address: Option<SocketAddr>, ctx: &Context<'_>, actions: &mut Actions) {
        let palette = theme::palette(ui);
        ui.label(theme::heading("Practice server"));
        let words = match address {
            Some(address) => {
                format!(
                    "Listens on {address}, on this machine only. It plays a small voice server: a token in the query, a confirmation first."
                )
            }
            None => "Starts on this machine when it is first needed.".to_owned(),
        };
        explain_ui(ui, &words);
        if ui.button("Show me a healthy session").clicked() {
            actions.push(Action::Practice(None));
        }
        ui.add_space(theme::STEP);
        ui.label(theme::heading("Show me a failure"));
        let field = BigText::new("Search the faults").hint("1006, token, refused …");
        let changed = field.show(ui, &mut self.search).response.changed();
        let found = self.found().to_vec();
        if changed {
            self.scroll = RowScroll::new();
        }
        let all = FAULTS.iter().filter(|fault| is_failure(fault)).count();
        let count =
            if found.len() == all { format!("{all} faults") } else { format!("{} of {all} faults", found.len()) };
        ui.label(theme::tinted(count, palette.muted));
        let selected = self.scroll.selected().and_then(|row| fault(&found, row));
        let lesson_height = selected.map_or(HINT, |_| LESSON.min(ui.available_height() * 0.5));
        let rows = ((ui.available_height() - lesson_height) / theme::ROW_HEIGHT).floor().max(3.0);
        let list_height = rows * theme::ROW_HEIGHT;
        let size = egui::vec2(ui.available_width(), list_height);
        ui.allocate_ui(size, |ui| self.list_ui(ui, &found, actions));
        ui.separator();
        let selected = self.scroll.selected().and_then(|row| fault(&found, row));
        ScrollArea::vertical().id_salt("lesson").auto_shrink(false).show(ui, |ui| match selected {
            Some(fault) => lesson_ui(ui, fault, ctx, actions),
            None => {
                explain_ui(ui, "Choose a failure to read what it teaches. The practice server then stages it for you.");
            }
        });
    }

    fn list_ui(&mut self, ui: &mut Ui, found: &[usize], actions: &mut Actions) {
        let output = RowList::new("Faults", found.len() as u64).show(ui, &mut self.scroll, |ui, slot| {
            let Some(fault) = fault(found, slot.row) else {
                return;
            };
            let palette = theme::palette(ui);
            let rect = slot.rect.shrink2(egui::vec2(8.0, 0.0));
            cell_ui(ui, rect, fault.title, theme::body_font(), palette.text, Align::Min);
            slot.response.clone().on_hover_text(fault.id);
            slot.name(|| format!("{} ({})", fault.title, fault.id));
        });
        if let Some(fault) = output.activated.and_then(|row| fault(found, row)) {
            actions.push(Action::Practice(Some(fault.id.to_owned())));
        }
        if output.selection_changed
            && let Some(row) = self.scroll.selected()
        {
            self.scroll.scroll_to(row, Place::Nearest);
        }
    }

    /// The faults that the search finds, by number.
    fn found(&mut self) -> &[usize] {
        let is_stale = self.found.as_ref().is_none_or(|(search, _)| *search != self.search);
        if is_stale {
            let search = visible::one_line(&self.search, MAX_SEARCH).text.to_lowercase();
            let words: Vec<_> = search.split_whitespace().collect();
            let is_hit = |fault: &Fault| {
                words.iter().all(|word| {
                    [fault.id, fault.title, fault.lesson, fault.cause, fault.ending]
                        .iter()
                        .any(|text| text.to_lowercase().contains(word))
                })
            };
            let hits = FAULTS.iter().enumerate().filter(|(_, fault)| is_failure(fault) && is_hit(fault));
            let hits = hits.map(|(nth, _)| nth).collect();
            self.found = Some((self.search.clone(), hits));
        }
        self.found.as_ref().map_or(&[], |(_, found)| found)
    }
}

/// The healthy session has a button of its own.
fn is_failure(fault: &Fault) -> bool {
    fault.id != "healthy"
}

fn fault(found: &[usize], row: u64) -> Option<&'static Fault> {
    FAULTS.get(*found.get(usize::try_from(row).ok()?)?)
}

fn lesson_ui(ui: &mut Ui, fault: &Fault, ctx: &Context<'_>, actions: &mut Actions) {
    let palette = theme::palette(ui);
    ui.add_space(theme::STEP);
    ui.add(egui::Label::new(theme::strong(fault.title)).wrap());
    ui.add(egui::Label::new(fault.lesson).wrap());
    ui.label(theme::mono(fault.id).color(palette.muted));
    let button = ui.add_enabled(!ctx.is_live, theme::primary_button_if(ui, !ctx.is_live, "Show me this failure"));
    if button.on_disabled_hover_text("Disconnect first").clicked() {
        actions.push(Action::Practice(Some(fault.id.to_owned())));
    }
}

/// Points for the lesson below the list, and for the words in its place.
const LESSON: f32 = 200.0;
const HINT: f32 = 64.0;
const MAX_SEARCH: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_found_by_words_in_any_order() {
        let mut panel = PracticePanel::default();
        assert!(panel.found().len() > 200);
        assert!(panel.found().iter().all(|nth| FAULTS[*nth].id != "healthy"));
        panel.search = "EXPIRED token".to_owned();
        let found = panel.found().to_vec();
        assert!(!found.is_empty() && found.len() < FAULTS.len() / 4);
        panel.search = "no such thing \u{202E}".to_owned();
        assert!(panel.found().is_empty());
    }
}
