//! The line above the log: filter, pause, clear, columns; and the notices of what is not shown.

use super::columns::Column;
use super::log::{Log, Wanted, close_of};
use super::{Timeline, rows_words};
use crate::store::View;
use crate::store::filter::{Kind, complete, set_term, term};
use crate::ui::visible::one_line;
use crate::ui::{theme, units};
use egui::{Area, Button, ComboBox, Frame, Id, Margin, Order, Response, TextEdit, Ui, vec2};

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
            self.problem_ui(ui);
            self.progress_ui(ui, view, log);
            notices_ui(ui, view, log);
        });
    }

    fn filter_ui(&mut self, ui: &mut Ui) {
        let palette = theme::palette(ui);
        let id = Id::unique("log filter");
        let is_wrong = self.shows_problem();
        let edit = TextEdit::singleline(&mut self.query.text).id(id).hint_text("filter").desired_width(
            match ui.available_width() {
                width if width > VERY_WIDE => 260.0,
                width if width > WIDE => 136.0,
                _ => 96.0,
            },
        );
        let edit = if is_wrong { edit.text_color(palette.bad) } else { edit };
        let response = ui.add(edit).accessible_name("Filter by text");
        if std::mem::take(&mut self.wants_filter_focus) {
            response.request_focus();
        }
        if response.changed() {
            self.query.typed();
        }
        if response.lost_focus() {
            self.query.remember();
        }
        self.completions_ui(ui, &response);
        response.on_hover_ui(syntax_ui);
        ui.menu_button("▾", |ui| self.recent_ui(ui))
            .response
            .on_hover_text("Filters from before, and what can be typed");
        let was = term(&self.query.text, "dir");
        let mut now = was.clone();
        let shown = match was.as_deref() {
            Some("sent") => "▶ sent",
            Some("received") => "◀ received",
            Some(_) | None => "Both ways",
        };
        let combo = ComboBox::from_id_salt("direction").width(76.0).selected_text(shown).show_ui(ui, |ui| {
            ui.selectable_value(&mut now, None, "Both ways");
            ui.selectable_value(&mut now, Some("sent".to_owned()), "▶ sent");
            ui.selectable_value(&mut now, Some("received".to_owned()), "◀ received");
        });
        combo.response.on_hover_text("Filter by direction");
        if now != was {
            self.query.set(set_term(&self.query.text, "dir", now.as_deref()));
        }
        let was = term(&self.query.text, "kind");
        let mut now = was.clone();
        let shown = was.clone().unwrap_or_else(|| "All kinds".to_owned());
        let combo = ComboBox::from_id_salt("kind").width(76.0).selected_text(shown).show_ui(ui, |ui| {
            ui.selectable_value(&mut now, None, "All kinds");
            for kind in Kind::ALL {
                ui.selectable_value(&mut now, Some(kind.word().to_owned()), kind.word());
            }
        });
        combo.response.on_hover_text("Filter by kind");
        if now != was {
            self.query.set(set_term(&self.query.text, "kind", now.as_deref()));
        }
        if !self.query.text.is_empty() && ui.button("✕").on_hover_text("Take the filter away").clicked() {
            self.query.remember();
            self.query.set(String::new());
        }
    }

    /// What was typed before, and what can be typed.
    fn recent_ui(&mut self, ui: &mut Ui) {
        let palette = theme::palette(ui);
        let mut chosen = None;
        for text in self.query.recent.iter().take(8) {
            if ui.button(theme::mono(one_line(text, 60).text)).clicked() {
                chosen = Some(text.clone());
                ui.close();
            }
        }
        if !self.query.recent.is_empty() {
            ui.separator();
        }
        for (example, meaning) in EXAMPLES {
            ui.horizontal(|ui| {
                if ui.button(theme::mono(*example)).clicked() {
                    chosen = Some(format!("{} {example}", self.query.text.trim()).trim().to_owned());
                    ui.close();
                }
                ui.label(theme::tinted(*meaning, palette.muted));
            });
        }
        if let Some(text) = chosen {
            self.query.set(text);
            self.wants_filter_focus = true;
        }
    }

    /// Whether something is wrong with the query that what could be typed next does not mend.
    fn shows_problem(&self) -> bool {
        let Some(problem) = &self.query.problem else {
            return false;
        };
        let is_begun = self.completes && problem.at.end == self.query.text.len();
        !is_begun || complete(&self.query.text).is_empty()
    }

    /// Over what is below the field: what could stand next, while it is typed.
    fn completions_ui(&mut self, ui: &Ui, field: &Response) {
        let completions = complete(&self.query.text);
        self.completes = !completions.is_empty() && (field.has_focus() || (self.completes && self.is_over_completions));
        if !self.completes {
            self.is_over_completions = false;
            return;
        }
        let palette = theme::palette(ui);
        let mut chosen = None;
        let area = Area::new(Id::unique("filter completions")).order(Order::Foreground).movable(false);
        let area = area.fixed_pos(field.rect.left_bottom() + vec2(0.0, theme::STEP));
        let shown = area.show(ui, |ui| {
            Frame::popup(ui.style()).fill(palette.raised).inner_margin(Margin::same(4)).show(ui, |ui| {
                ui.set_max_width(360.0);
                ui.horizontal_wrapped(|ui| {
                    for completion in completions {
                        if ui.button(theme::mono(completion.label)).clicked() {
                            chosen = Some(completion.text);
                        }
                    }
                });
            });
        });
        // A press takes the focus from the field: the buttons must stay until it is released.
        self.is_over_completions =
            ui.input(|input| input.pointer.latest_pos()).is_some_and(|at| shown.response.rect.contains(at));
        if let Some(text) = chosen {
            self.query.set(text);
            self.wants_filter_focus = true;
        }
    }

    /// Below the field: what is wrong with it.
    fn problem_ui(&self, ui: &mut Ui) {
        if let Some(problem) = self.query.problem.as_ref().filter(|_| self.shows_problem()) {
            let part = self.query.text.get(problem.at.clone()).unwrap_or_default();
            let words = format!("{}: {}", one_line(part, 40).text, problem.what);
            ui.label(theme::tinted(words, theme::palette(ui).bad).size(theme::SMALL_SIZE));
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

    fn progress_ui(&mut self, ui: &mut Ui, view: &View, log: &Log) {
        if self.query.is_open() {
            return;
        }
        let palette = theme::palette(ui);
        let end = log.end(view);
        let found = log.hits.matches.rank(end);
        let looked_at = log.hits.looked_at.min(end);
        let text = if looked_at < end {
            let percent = looked_at * 100 / end.max(1);
            format!("{} found, looked at {percent} % of {}", units::count(found), rows_words(end))
        } else {
            format!("{} of {}", units::count(found), rows_words(end))
        };
        ui.horizontal_wrapped(|ui| {
            ui.label(theme::tinted(text, palette.muted).size(theme::SMALL_SIZE));
            if let Some(row) = log.selected.filter(|row| log.hits.matches.contains(*row)) {
                let nth = format!("hit {} is selected", units::count(log.hits.matches.rank(row) + 1));
                ui.label(theme::tinted(nth, palette.muted).size(theme::SMALL_SIZE));
            }
            let label = theme::tinted("Show only hits", palette.muted).size(theme::SMALL_SIZE);
            ui.checkbox(&mut self.query.hides_others, label).on_hover_text("Else they are marked among all rows");
            let words = |ui: &mut Ui, sign: &str, hint: &str| {
                ui.add_enabled(found > 0, Button::new(sign).small()).on_hover_text(hint.to_owned()).clicked()
            };
            let back = words(ui, "▲", "Previous hit (Shift+F3)");
            let on = words(ui, "▼", "Next hit (F3)");
            if back || on {
                self.wanted_hit = Some(back);
            }
        });
    }
}

/// What can be typed.
const EXAMPLES: &[(&str, &str)] = &[
    ("\"token expired\"", "this text, in any case"),
    ("exact:\"Token\"", "exactly this text"),
    ("/user_\\d+/i", "a regular expression"),
    ("kind:ping,close", "kinds of rows"),
    ("dir:received", "direction"),
    ("size:>1k", "payload size; also 10..200"),
    ("time:>1.5s", "time since the beginning; also 2:05..3:00"),
    ("code:4000..4999", "close codes"),
    ("json:/user/id=7", "JSON at a pointer; ~ for containing"),
    ("-kind:ping", "not these"),
    ("error OR warning", "one or the other"),
];

fn syntax_ui(ui: &mut Ui) {
    ui.label("All terms must hold.");
    egui::Grid::new("filter syntax").num_columns(2).show(ui, |ui| {
        let palette = theme::palette(ui);
        for (example, meaning) in EXAMPLES {
            ui.label(theme::mono(*example));
            ui.label(theme::tinted(*meaning, palette.muted));
            ui.end_row();
        }
    });
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
        let text = one_line(trouble, 400).text;
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

/// Points of width from which on every button has its own place, and from which on the field is long.
const WIDE: f32 = 660.0;
const VERY_WIDE: f32 = 840.0;
