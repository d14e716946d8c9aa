//! The line above the log: filter, pause, clear, columns; and the notices of what is not shown.

use super::columns::Column;
use super::filter::{Filter, Kind, SEARCHED_BYTES};
use super::log::{Log, Wanted, close_of};
use super::{Timeline, rows_words};
use crate::observation::Direction;
use crate::store::View;
use crate::ui::{theme, units};
use egui::{Button, ComboBox, Frame, Margin, TextEdit, Ui};

impl Timeline {
    pub(super) fn toolbar_ui(&mut self, ui: &mut Ui, view: &View, log: &mut Log) {
        let palette = theme::palette(ui);
        Frame::NONE.fill(palette.panel).inner_margin(Margin::symmetric(8, 4)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let is_wide = ui.available_width() > WIDE;
            ui.horizontal_wrapped(|ui| {
                self.filter_ui(ui);
                self.buttons_ui(ui, view, log, is_wide);
            });
            self.progress_ui(ui, view, log);
            notices_ui(ui, view, log);
        });
    }

    fn filter_ui(&mut self, ui: &mut Ui) {
        let edit = TextEdit::singleline(&mut self.filter.text)
            .hint_text("filter")
            .desired_width(if ui.available_width() > WIDE { 150.0 } else { 104.0 });
        let response = ui.add(edit).accessible_name("Filter by text");
        if std::mem::take(&mut self.wants_filter_focus) {
            response.request_focus();
        }
        response.on_hover_text(format!(
            "Text in any row, in any case; looks into the first {} of each payload",
            units::size(SEARCHED_BYTES as u64)
        ));
        let direction = match self.filter.direction {
            None => "Both ways",
            Some(Direction::ClientToServer) => "▶ sent",
            Some(Direction::ServerToClient) => "◀ received",
        };
        let combo = ComboBox::from_id_salt("direction").width(84.0).selected_text(direction);
        let combo = combo.show_ui(ui, |ui| {
            ui.selectable_value(&mut self.filter.direction, None, "Both ways");
            ui.selectable_value(&mut self.filter.direction, Some(Direction::ClientToServer), "▶ sent");
            ui.selectable_value(&mut self.filter.direction, Some(Direction::ServerToClient), "◀ received");
        });
        combo.response.on_hover_text("Filter by direction");
        let kind = self.filter.kind.map_or("All kinds", Kind::words);
        let combo = ComboBox::from_id_salt("kind").width(84.0).selected_text(kind).show_ui(ui, |ui| {
            ui.selectable_value(&mut self.filter.kind, None, "All kinds");
            for kind in Kind::ALL {
                ui.selectable_value(&mut self.filter.kind, Some(kind), kind.words());
            }
        });
        combo.response.on_hover_text("Filter by kind");
        if !self.filter.is_open() && ui.button("✕").on_hover_text("Take the filter away").clicked() {
            self.filter = Filter::default();
        }
    }

    fn buttons_ui(&mut self, ui: &mut Ui, view: &View, log: &mut Log, is_wide: bool) {
        let pause = if log.paused_at.is_some() { "Go on" } else { "Pause" };
        if ui.button(pause).on_hover_text("Pauses the view, never the recording (Space)").clicked() {
            log.toggle_pause(view);
        }
        let has_rows = log.end(view) > log.hidden;
        if ui.add_enabled(has_rows, Button::new("Clear")).on_hover_text("Hides the rows; they are kept").clicked() {
            log.clear(view);
        }
        if is_wide {
            go_ui(ui, view, log);
            ui.menu_button("Columns", |ui| self.columns_ui(ui));
        } else {
            ui.menu_button("More", |ui| {
                go_ui(ui, view, log);
                ui.menu_button("Columns", |ui| self.columns_ui(ui));
            });
        }
    }

    fn columns_ui(&mut self, ui: &mut Ui) {
        for column in Column::ALL {
            let mut is_shown = self.columns.shown.contains(&column);
            let (name, meaning) = column.words();
            if ui.checkbox(&mut is_shown, name).on_hover_text(meaning).changed() {
                self.columns.toggle(column);
            }
        }
    }

    fn progress_ui(&self, ui: &mut Ui, view: &View, log: &Log) {
        if self.filter.is_open() {
            return;
        }
        let palette = theme::palette(ui);
        let end = log.end(view);
        let found = units::count(log.scan.matches.len() as u64);
        // A filter that was just changed has not been looked for yet.
        let looked_at = log.scan.looked_at().min(end);
        let text = if looked_at < end {
            let percent = looked_at * 100 / end.max(1);
            format!("{found} found, looked at {percent} % of {}", rows_words(end))
        } else {
            format!("{found} of {}", rows_words(end))
        };
        ui.label(theme::tinted(text, palette.muted).size(theme::SMALL_SIZE));
    }
}

/// Buttons that go to a row.
fn go_ui(ui: &mut Ui, view: &View, log: &mut Log) {
    let close = close_of(&view.story);
    let to_close = ui.add_enabled(close.is_some(), Button::new("To close"));
    if to_close.on_hover_text("Goes to the row where the connection closed").clicked() {
        log.wanted = close;
    }
    if !log.marks.is_empty() {
        let next = next_mark(log);
        if ui.button("● Next mark").on_hover_text("Goes to the next marked row").clicked() {
            log.wanted = next.map(Wanted::Row);
        }
    }
}

fn notices_ui(ui: &mut Ui, view: &View, log: &mut Log) {
    let palette = theme::palette(ui);
    if let Some(trouble) = &view.trouble {
        let text = crate::ui::visible::one_line(trouble, 400).text;
        ui.label(theme::tinted(format!("⚠ {text}"), palette.bad));
    }
    if log.hidden > 0 {
        let hidden = log.hidden.min(view.rows);
        ui.horizontal(|ui| {
            if ui.link(format!("Show {} hidden {}", units::count(hidden), plural(hidden))).clicked() {
                log.hidden = 0;
            }
        });
    }
    if let Some(at) = log.paused_at {
        let newer = view.rows.saturating_sub(at);
        ui.horizontal(|ui| {
            ui.label(theme::tinted("❚❚ The view is paused.", palette.warn));
            let text = match newer {
                0 => "Nothing new so far; recording goes on.".to_owned(),
                1 => "1 new row is recorded.".to_owned(),
                more => format!("{} new rows are recorded.", units::count(more)),
            };
            ui.label(theme::tinted(text, palette.muted));
        });
    }
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "row" } else { "rows" }
}

/// The next marked row after the selected one, or the first.
fn next_mark(log: &Log) -> Option<u64> {
    let after = log.selected.map_or(0, |row| row + 1);
    log.marks.range(after..).next().or_else(|| log.marks.first()).copied()
}

/// Points of width from which on every button has its own place.
const WIDE: f32 = 660.0;
