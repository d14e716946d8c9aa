//! Every connection of this window with its state and cause, the sessions on disk, and *repeat N* with its tally.
//!
//! The sessions on disk are in `saved`.

mod saved;

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Align, Ui, vec2};

use crate::diagnosis::catalogue;
use crate::engine::{SavedSession, UnnamedRoom};
use crate::observation::ConnId;
use crate::store::View;
use crate::ui::action::{Action, Tab};
use crate::ui::big_text::BigText;
use crate::ui::cells::cell_ui;
use crate::ui::context::{Actions, Context};
use crate::ui::fields::{explain_ui, problem_ui};
use crate::ui::repeat::Repeat;
use crate::ui::row_list::RowList;
use crate::ui::row_scroll::RowScroll;
use crate::ui::state_words::{is_over, state_words};
use crate::ui::theme::{self, Palette};
use crate::ui::visible;
use saved::SavedList;

/// The list of connections.
#[derive(Debug)]
pub struct SessionsPanel {
    scroll: RowScroll,
    times: String,
    saved: SavedList,
}

/// What the panel shows beside the connections themselves.
#[derive(Debug)]
pub struct SessionsMore<'a> {
    /// The names of the files that were opened.
    pub files: &'a BTreeMap<ConnId, String>,
    /// The sessions on disk, the newest first; `None` before they were looked for.
    pub saved: Option<&'a [SavedSession]>,
    /// How much the sessions without a name take and may take, if it is known.
    pub unnamed: Option<UnnamedRoom>,
    /// The repetition, under way or done.
    pub repeat: Option<&'a Repeat>,
    /// Why nobody can connect at the moment.
    pub obstacle: Option<&'a str>,
}

impl Default for SessionsPanel {
    fn default() -> Self {
        Self { scroll: RowScroll::default(), times: "20".to_owned(), saved: SavedList::default() }
    }
}

impl SessionsPanel {
    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, more: &SessionsMore<'_>, ctx: &Context<'_>, actions: &mut Actions) {
        let is_repeating = more.repeat.is_some_and(Repeat::is_running);
        let repeat = egui::CollapsingHeader::new(theme::strong("Repeat the connection"))
            .id_salt("repeat")
            .default_open(is_repeating);
        repeat.show(ui, |ui| self.repeat_ui(ui, more.repeat, more.obstacle, actions));
        ui.add_space(theme::STEP);
        ui.label(theme::heading("In this window"));
        if ctx.views.is_empty() {
            explain_ui(ui, "Every connection of this window will stand here, with its state and its cause.");
        } else {
            buttons_ui(ui, ctx, actions);
            let wanted = ctx.views.len() as f32 * ROW;
            let height = wanted.min((ui.available_height() * OWN_SHARE).max(2.0 * ROW));
            ui.allocate_ui(vec2(ui.available_width(), height), |ui| {
                ui.set_min_height(height);
                self.list_ui(ui, more.files, ctx, actions);
            });
        }
        ui.add_space(2.0 * theme::STEP);
        self.saved.show(ui, more.saved, more.unnamed, actions);
    }

    fn repeat_ui(&mut self, ui: &mut Ui, repeat: Option<&Repeat>, obstacle: Option<&str>, actions: &mut Actions) {
        explain_ui(ui, "For the failure that comes one time in twenty.");
        let is_running = repeat.is_some_and(Repeat::is_running);
        let times = times(&self.times);
        ui.horizontal(|ui| {
            ui.allocate_ui(vec2(64.0, theme::CONTROL_HEIGHT), |ui| {
                ui.add_enabled_ui(!is_running, |ui| BigText::new("How many times").show(ui, &mut self.times));
            });
            ui.label("times");
            if is_running {
                if ui.button("Stop").clicked() {
                    actions.push(Action::StopRepeat);
                }
            } else {
                let reason = times.as_ref().err().cloned().or_else(|| obstacle.map(str::to_owned));
                let button = ui.add_enabled(reason.is_none(), egui::Button::new("Repeat"));
                let button = button.on_hover_text("Connects so many times, one after the other");
                if button.on_disabled_hover_text(reason.unwrap_or_default()).clicked()
                    && let Ok(times) = times
                {
                    actions.push(Action::Repeat(times));
                }
            }
        });
        if let Err(problem) = &times {
            problem_ui(ui, problem);
        }
        if let Some(repeat) = repeat {
            tally_ui(ui, repeat);
        }
    }

    fn list_ui(&mut self, ui: &mut Ui, files: &BTreeMap<ConnId, String>, ctx: &Context<'_>, actions: &mut Actions) {
        let newest_first = |row: u64| -> Option<&Arc<View>> {
            let at = ctx.views.len().checked_sub(1 + usize::try_from(row).ok()?)?;
            ctx.views.get(at)
        };
        let shown = ctx.views.iter().rev().position(|view| Some(view.conn) == ctx.conn()).map(|row| row as u64);
        if self.scroll.selected() != shown {
            self.scroll.select(shown);
        }
        let list = RowList::new("Connections of this window", ctx.views.len() as u64).row_height(ROW);
        let output = list.show(ui, &mut self.scroll, |ui, slot| {
            if let Some(view) = newest_first(slot.row) {
                let (state, about) = row_ui(ui, slot.rect, view, files.get(&view.conn), ctx.now_unix_millis);
                slot.name(|| format!("{state}, {about}"));
            }
        });
        if output.selection_changed
            && let Some(view) = self.scroll.selected().and_then(newest_first)
        {
            actions.push(Action::Show(view.conn));
        }
    }
}

/// What can be done with the shown connection.
fn buttons_ui(ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
    ui.horizontal_wrapped(|ui| {
        if ui.button("New").on_hover_text("Leave this one, and make the form ready for another").clicked() {
            actions.push(Action::NewConnection);
        }
        if ui.add_enabled(ctx.view.is_some(), egui::Button::new("Save…")).clicked() {
            actions.push(Action::Save(None));
        }
        let share = ui.add_enabled(ctx.view.is_some(), egui::Button::new("Share…"));
        if share.on_hover_text("Look at what would leave, then write a report or a bundle").clicked() {
            actions.push(Action::Share);
        }
        let compare = ui.add_enabled(ctx.views.len() > 1, egui::Button::new("Compare"));
        let compare = compare.on_hover_text("Puts the shown connection beside another one");
        if compare.on_disabled_hover_text("Comparing needs two connections, or files that are open").clicked() {
            actions.push(Action::Tab(Tab::Compare));
        }
        let over = ctx.view.filter(|view| is_over(&view.story)).map(|view| view.conn);
        let forget = ui.add_enabled(over.is_some(), egui::Button::new("Forget"));
        let forget = forget.on_hover_text("Forgets the shown connection and its journal");
        if forget.on_disabled_hover_text("Only a connection that is over can be forgotten").clicked()
            && let Some(conn) = over
        {
            actions.push(Action::Forget(conn));
        }
    });
}

fn row_ui(ui: &Ui, rect: egui::Rect, view: &View, file: Option<&String>, now_unix_millis: i64) -> (String, String) {
    let palette: &Palette = theme::palette(ui);
    let story = &view.story;
    let state = state_words(Some(story), now_unix_millis);
    let rect = rect.shrink2(vec2(8.0, 2.0));
    let (upper, lower) = rect.split_top_bottom_at_fraction(0.5);
    let words = story.verdict.as_ref().map_or_else(|| state.text.clone(), |verdict| title(&verdict.cause));
    let line = format!("{} {words}", state.mark);
    cell_ui(ui, upper, line, theme::body_font(), state.tone.colour(palette), Align::Min);
    let plan = story.plan.as_ref();
    let target = plan.and_then(|plan| plan.target.as_ref());
    let host = target.map_or_else(|| "no host".to_owned(), |target| visible::one_line(&target.host_header(), 60).text);
    let began = plan.map_or_else(String::new, |plan| local_time(plan.began_unix_millis));
    let mut about = if story.verdict.is_some() { format!("{} · {host}", state.text) } else { host };
    for more in [Some(began.as_str()), state.span.as_deref(), file.map(String::as_str)].into_iter().flatten() {
        about.push_str(" · ");
        about.push_str(more);
    }
    cell_ui(ui, lower, about.as_str(), small_font(), palette.muted, Align::Min);
    (words, about)
}

fn tally_ui(ui: &mut Ui, repeat: &Repeat) {
    let palette = theme::palette(ui);
    ui.label(theme::tinted(format!("{} of {} done", repeat.done, repeat.total), palette.muted));
    let share = repeat.done as f32 / repeat.total.max(1) as f32;
    if repeat.is_running() {
        ui.add(egui::ProgressBar::new(share).desired_height(6.0));
    }
    for (cause, count) in &repeat.tally {
        let colour = if cause == "healthy" { palette.ok } else { palette.bad };
        ui.horizontal(|ui| {
            ui.label(theme::mono(format!("{count:>4} ×")));
            ui.label(theme::tinted(title(cause), colour)).on_hover_text(cause);
        });
    }
}

/// The heading of a cause; its id where there is none.
fn title(cause: &str) -> String {
    catalogue::cause(cause).map_or_else(|| visible::one_line(cause, 80).text, |cause| cause.title.to_owned())
}

fn times(typed: &str) -> Result<u32, String> {
    let typed = typed.trim();
    let number = typed.parse::<u32>().ok().filter(|_| typed.len() <= 8);
    number.filter(|times| (1..=1000).contains(times)).ok_or_else(|| "a number from 1 to 1000".to_owned())
}

fn local_time(unix_millis: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_millis)
        .map(|at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string())
        .unwrap_or_default()
}

fn small_font() -> egui::FontId {
    egui::FontId::proportional(theme::SMALL_SIZE)
}

const ROW: f32 = 44.0;
/// How much of the panel the connections of this window take at most.
const OWN_SHARE: f32 = 0.45;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sensible_numbers_of_times_are_taken() {
        assert_eq!(times(" 20 "), Ok(20));
        for bad in ["", "0", "1e9", "-1", "1001", "x\0", "99999999999999999999"] {
            assert!(times(bad).is_err(), "{bad}");
        }
    }
}
