//! Two sessions of this window side by side: the first difference, then all of them, then what is new every time.

use std::io;

use egui::{Align, ComboBox, Frame, Margin, Panel, ScrollArea, Ui, vec2};

use super::job::{Job, Outcome};
use super::parts::{first_upper, section_ui, teach_ui};
use crate::compare::{Comparison, Difference, Part, Side, compare};
use crate::engine::SessionReader;
use crate::export::Redactor;
use crate::observation::ConnId;
use crate::store::View;
use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::fields::{explain_ui, problem_ui};
use crate::ui::state_words::state_words;
use crate::ui::theme::{self, Palette};
use crate::ui::{units, visible};

/// The panel.
#[derive(Debug, Default)]
pub struct ComparePanel {
    chosen: [Option<ConnId>; 2],
    work: Option<Work>,
}

#[derive(Debug)]
struct Work {
    pair: [ConnId; 2],
    rows: [u64; 2],
    job: Job<io::Result<Comparison>>,
    found: Option<Result<Comparison, String>>,
}

impl ComparePanel {
    /// Shows the panel; `session` gives the session of a connection to be read.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        session: &dyn Fn(ConnId) -> Option<SessionReader>,
        ctx: &Context<'_>,
        actions: &mut Actions,
    ) {
        if ctx.views.len() < 2 {
            teach_ui(
                ui,
                "Two sessions side by side",
                &[
                    "Connect twice, or open saved sessions: the one that works and the one that does not.",
                    "Here stands then where they first differ: in the handshake, the token, the messages, the end.",
                ],
            );
            return;
        }
        self.choose(ctx);
        let palette = theme::palette(ui);
        Panel::top("compare which").frame(theme::region(palette)).show(ui, |ui| self.choice_ui(ui, ctx));
        let [Some(one), Some(other)] = self.chosen else { return };
        if one == other {
            room(palette).show(ui, |ui| explain_ui(ui, "Choose two different sessions"));
            return;
        }
        self.begin_if_due(ui, [one, other], ctx, session);
        let Some(work) = &mut self.work else { return };
        if work.found.is_none() {
            work.found = match work.job.poll() {
                Outcome::Running => None,
                Outcome::Done(Ok(found)) => Some(Ok(found)),
                Outcome::Done(Err(error)) => Some(Err(error.to_string())),
                Outcome::Lost => Some(Err("the sessions could not be compared".to_owned())),
            };
        }
        match &work.found {
            None => {
                room(palette).show(ui, |ui| {
                    ui.horizontal(|ui| {
                        ui.spinner();
                        ui.label("Comparing");
                    });
                });
            }
            Some(Err(why)) => {
                room(palette).show(ui, |ui| problem_ui(ui, why));
            }
            Some(Ok(found)) => {
                let grown = work.rows != rows_of(ctx, [one, other]);
                if grown {
                    room(palette).show(ui, |ui| {
                        ui.horizontal(|ui| {
                            explain_ui(ui, "Rows have come since");
                            if ui.button("Compare again").clicked() {
                                work.rows = [u64::MAX; 2];
                            }
                        });
                    });
                }
                found_ui(ui, found, [one, other], actions);
            }
        }
        if self.work.as_ref().is_some_and(|work| work.rows == [u64::MAX; 2]) {
            self.work = None;
        }
    }

    /// Chooses the shown connection and the one before it, unless the user chose.
    fn choose(&mut self, ctx: &Context<'_>) {
        let is_there = |conn: ConnId| ctx.views.iter().any(|view| view.conn == conn);
        for chosen in &mut self.chosen {
            *chosen = chosen.filter(|conn| is_there(*conn));
        }
        let newest = ctx.conn().or(ctx.views.last().map(|view| view.conn));
        let other = self.chosen[1].or(newest);
        let before = ctx.views.iter().rev().map(|view| view.conn).find(|conn| Some(*conn) != other);
        self.chosen = [self.chosen[0].or(before), other];
    }

    fn choice_ui(&mut self, ui: &mut Ui, ctx: &Context<'_>) {
        let palette = theme::palette(ui);
        ui.horizontal_wrapped(|ui| {
            let [one, other] = &mut self.chosen;
            for (name, sign, colour, chosen) in
                [("One session", "−", palette.bad, one), ("Other session", "+", palette.ok, other)]
            {
                ui.label(theme::tinted(sign, colour));
                let shown = ctx.views.iter().find(|view| Some(view.conn) == *chosen);
                let shown = shown.map_or_else(String::new, |view| name_of(view, ctx.now_unix_millis));
                let combo = ComboBox::from_id_salt(name).width(250.0).selected_text(shown);
                let response = combo.show_ui(ui, |ui| {
                    for view in ctx.views.iter().rev() {
                        ui.selectable_value(chosen, Some(view.conn), name_of(view, ctx.now_unix_millis));
                    }
                });
                response.response.accessible_name(name);
            }
            if ui.button("Swap").clicked() {
                self.chosen.swap(0, 1);
            }
        });
    }

    fn begin_if_due(
        &mut self,
        ui: &Ui,
        pair: [ConnId; 2],
        ctx: &Context<'_>,
        session: &dyn Fn(ConnId) -> Option<SessionReader>,
    ) {
        if self.work.as_ref().is_some_and(|work| work.pair == pair) {
            return;
        }
        let [Some(ours), Some(theirs)] = pair.map(session) else { return };
        let job = Job::start("compare", ui.ctx(), move || compared(&ours, &theirs));
        self.work = Some(Work { pair, rows: rows_of(ctx, pair), job, found: None });
    }
}

/// The comparison without secrets.
fn compared(ours: &SessionReader, theirs: &SessionReader) -> io::Result<Comparison> {
    let mut redactor = Redactor::new();
    let side = |session| Side { story: &SessionReader::view(session).story, source: session };
    let mut found = compare(side(ours), side(theirs), &mut redactor)?;
    for difference in &mut found.differences {
        for value in difference.values.iter_mut().flatten() {
            *value = redactor.text(value);
        }
    }
    Ok(found)
}

fn rows_of(ctx: &Context<'_>, pair: [ConnId; 2]) -> [u64; 2] {
    pair.map(|conn| ctx.views.iter().find(|view| view.conn == conn).map_or(0, |view| view.rows))
}

/// What a session is called in the choice: its state, its host, when it began.
fn name_of(view: &View, now_unix_millis: i64) -> String {
    let state = state_words(Some(&view.story), now_unix_millis);
    let plan = view.story.plan.as_ref();
    let target = plan.and_then(|plan| plan.target.as_ref());
    let host = target.map_or_else(|| "no host".to_owned(), |target| visible::one_line(&target.host_header(), 40).text);
    let began = plan.and_then(|plan| jiff::Timestamp::from_millisecond(plan.began_unix_millis).ok());
    let began = began
        .map_or_else(String::new, |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime(" · %H:%M:%S").to_string());
    format!("{}. {} · {host}{began}", view.conn.0, state.text)
}

fn found_ui(ui: &mut Ui, found: &Comparison, pair: [ConnId; 2], actions: &mut Actions) {
    let palette = theme::palette(ui);
    ScrollArea::vertical().id_salt("differences").auto_shrink(false).show(ui, |ui| {
        room(palette).show(ui, |ui| {
            ui.set_width(ui.available_width());
            if let Some(first) = found.first() {
                ui.label(theme::heading("The first difference"));
                ui.label(theme::tinted(format!("In the {}", first.part.word()), palette.muted));
                difference_ui(ui, first, pair, actions);
            } else {
                ui.label(theme::heading("No difference"));
                explain_ui(ui, "But for what is new in every session, both are the same.");
            }
            let decisive = |part: Part| found.of(part).filter(|difference| !difference.is_volatile);
            for part in Part::ALL.into_iter().filter(|part| decisive(*part).next().is_some()) {
                section_ui(ui, &first_upper(part.word()));
                let all = decisive(part).count();
                for difference in decisive(part).take(SHOWN) {
                    difference_ui(ui, difference, pair, actions);
                }
                let more = (all.saturating_sub(SHOWN)) as u64 + if part == Part::Frames { found.more } else { 0 };
                if more > 0 {
                    explain_ui(ui, &format!("… and {} more", units::count(more)));
                }
            }
            let volatile: Vec<&Difference> = found.differences.iter().filter(|d| d.is_volatile).collect();
            if !volatile.is_empty() {
                ui.add_space(2.0 * theme::STEP);
                let title = format!("New in every session ({})", volatile.len());
                egui::CollapsingHeader::new(theme::strong(title)).id_salt("volatile").show(ui, |ui| {
                    for difference in volatile.iter().take(SHOWN) {
                        difference_ui(ui, difference, pair, actions);
                    }
                });
            }
            let [ours, theirs] = found.messages.map(units::count);
            ui.add_space(2.0 * theme::STEP);
            explain_ui(ui, &format!("{ours} and {theirs} messages were compared."));
        });
    });
}

/// The frame of what stands below the choice.
fn room(palette: &Palette) -> Frame {
    theme::content(palette).inner_margin(Margin::symmetric(12, 8))
}

fn difference_ui(ui: &mut Ui, difference: &Difference, pair: [ConnId; 2], actions: &mut Actions) {
    let palette = theme::palette(ui);
    ui.add_space(theme::STEP);
    ui.label(visible::one_line(&first_upper(&difference.what), 200).text);
    let sides = [("−", palette.bad), ("+", palette.ok)];
    for (((sign, colour), value), (row, conn)) in
        sides.into_iter().zip(&difference.values).zip(difference.rows.into_iter().zip(pair))
    {
        ui.with_layout(egui::Layout::left_to_right(Align::Min), |ui| {
            ui.add_space(2.0 * theme::STEP);
            ui.label(theme::mono(sign).color(colour));
            let room = (ui.available_width() - ROW_LINK).max(80.0);
            ui.allocate_ui(vec2(room, 0.0), |ui| {
                ui.set_width(room);
                match value {
                    Some(value) => {
                        let text = visible::one_line(value, VALUE_CHARS).text;
                        ui.add(egui::Label::new(theme::mono(text)).wrap().selectable(true));
                    }
                    None => {
                        ui.label(theme::tinted("missing", palette.muted));
                    }
                }
            });
            if let Some(row) = row
                && ui.link(format!("Row {row}")).on_hover_text("Goes to this row of its log").clicked()
            {
                actions.push(Action::Show(conn));
                actions.push(Action::GoToRow(row));
            }
        });
    }
}

/// So many differences of each part are shown.
const SHOWN: usize = 60;
const VALUE_CHARS: usize = 400;
/// Points for the link to a row.
const ROW_LINK: f32 = 80.0;
