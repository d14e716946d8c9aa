//! The server's console: three ways to attach it, its lines as they come, and what they mean; a browser's lines, pasted.
//!
//! The lines of the shown session carry its time; without one, the lines come as they arrive. The attached consoles and the
//! forms to attach one are in `attach`, pasted text is in `paste`.

mod attach;
mod paste;

use std::collections::BTreeMap;

use egui::{Align, Panel, Ui, vec2};

use super::fact_words::fact_words;
use super::parts::{copy_button, teach_ui, words_ui};
use super::row_text;
use crate::diagnosis::catalogue;
use crate::diagnosis::console::{good_sign, recognise, without_escapes};
use crate::engine::{ConsoleEntry, ConsoleEvent};
use crate::observation::{Fact, Moment};
use crate::store::{ConsoleSeen, Story};
use crate::ui::action::{Action, Tab};
use crate::ui::cells::cell_ui;
use crate::ui::context::{Actions, Context};
use crate::ui::row_list::{RowList, RowSlot};
use crate::ui::row_scroll::{Place, RowScroll};
use crate::ui::theme::{self, Palette};
use crate::ui::visible;
use attach::AttachForm;
use paste::PasteForm;

/// The console's region.
#[derive(Debug)]
pub struct ConsolePanel {
    /// The form to attach a console.
    pub attach: AttachForm,
    paste: PasteForm,
    open: Option<Form>,
    /// The first field of the form that was opened has yet to be given the focus.
    wants_focus: bool,
    wants_live: bool,
    scroll: RowScroll,
    shown: Shown,
    known: BTreeMap<u64, Meaning>,
}

/// Which form is open above the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Attach,
    Paste,
}

/// Whose lines are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Shown {
    #[default]
    Live,
    Session(crate::observation::ConnId),
}

/// What a line means.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    Nothing,
    Good(&'static str),
    Cause { id: &'static str, words: &'static str },
}

/// A line as a row.
struct Row<'a> {
    number: u64,
    time: String,
    at: Option<Moment>,
    text: &'a str,
    /// Words of ours in place of a line of the server.
    is_ours: bool,
    is_bad: bool,
}

impl Default for ConsolePanel {
    fn default() -> Self {
        Self {
            attach: AttachForm::default(),
            paste: PasteForm::default(),
            open: None,
            wants_focus: false,
            wants_live: false,
            scroll: RowScroll::following_end(),
            shown: Shown::default(),
            known: BTreeMap::new(),
        }
    }
}

impl ConsolePanel {
    /// Opens the form to attach a console.
    pub fn open_attach(&mut self) {
        self.open = Some(Form::Attach);
        self.wants_focus = true;
    }

    /// Opens the form for a pasted console.
    pub fn open_paste(&mut self) {
        self.open = Some(Form::Paste);
        self.wants_focus = true;
    }

    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let story = ctx.view.map(|view| &*view.story);
        let has_session_lines = story.is_some_and(|story| !story.console.is_empty() || !story.consoles.is_empty());
        let has_live = !ctx.lane.entries.is_empty();
        let shown = match ctx.view {
            Some(view) if has_session_lines && !(self.wants_live && has_live) => Shown::Session(view.conn),
            _ => Shown::Live,
        };
        if shown != self.shown {
            self.shown = shown;
            self.known.clear();
            self.scroll = RowScroll::following_end();
        }
        let palette = theme::palette(ui);
        Panel::top("console head").frame(theme::region(palette)).show(ui, |ui| {
            self.head_ui(ui, ctx, has_session_lines && has_live, actions);
        });
        if self.open == Some(Form::Paste) && self.paste.is_explained() {
            theme::region(palette).show(ui, |ui| self.paste.explained_ui(ui));
            return;
        }
        match shown {
            Shown::Session(_) => {
                if let Some(story) = story {
                    self.session_ui(ui, story, actions);
                }
            }
            Shown::Live if has_live => self.live_ui(ui, ctx, actions),
            Shown::Live => {
                let words = [
                    "Attach the server's console, and its lines stand between the frames, with what they mean. There are \
                     three ways: follow a log file, let Sockeye start the server, or paste what it printed.",
                    "What the browser's console says can be pasted as well: it knows reasons that never reach the wire.",
                ];
                teach_ui(ui, "Console", &words);
            }
        }
    }

    fn head_ui(&mut self, ui: &mut Ui, ctx: &Context<'_>, has_both: bool, actions: &mut Actions) {
        ui.horizontal_wrapped(|ui| {
            let mut toggle = |ui: &mut Ui, form: Form, words: &str| {
                let is_open = self.open == Some(form);
                if ui.add(egui::Button::selectable(is_open, words)).clicked() {
                    self.open = if is_open { None } else { Some(form) };
                    self.wants_focus = !is_open;
                }
            };
            toggle(ui, Form::Attach, "Attach the server's console");
            toggle(ui, Form::Paste, "Paste a console");
            if has_both {
                ui.separator();
                ui.selectable_value(&mut self.wants_live, false, "This session");
                ui.selectable_value(&mut self.wants_live, true, "All lines");
            }
        });
        attach::attached_ui(ui, &ctx.lane.consoles, actions);
        let wants_focus = std::mem::take(&mut self.wants_focus);
        match self.open {
            Some(Form::Attach) => {
                let is_asked = self.attach.show(ui, wants_focus, actions);
                self.open = self.open.filter(|_| !is_asked);
            }
            Some(Form::Paste) => self.paste.show(ui, wants_focus, ctx, actions),
            None => {}
        }
    }

    /// The lines of a session.
    fn session_ui(&mut self, ui: &mut Ui, story: &Story, actions: &mut Actions) {
        let palette = theme::palette(ui);
        let first = story.console_lines - story.console.len() as u64;
        let row_at = |row: u64| -> Option<Row<'_>> {
            let index = usize::try_from(row).ok()?;
            let ConsoleSeen { at, text, is_pasted, .. } = story.console.get(index)?;
            let time = if *is_pasted { "pasted".to_owned() } else { row_text::time(*at) };
            Some(Row { number: first + row, time, at: Some(*at), text, is_ours: false, is_bad: false })
        };
        let note = if story.console.is_empty() {
            let names: Vec<_> =
                story.consoles.iter().map(|console| visible::one_line(&console.source, 60).text).collect();
            Some(format!(
                "No line came from {} while this session lasted. Either the server prints nothing, or the connection did not \
                 reach it: look at host, port and firewall, and at which process listens.",
                names.join(", ")
            ))
        } else if first > 0 {
            Some(format!("{first} older lines are in the log."))
        } else {
            None
        };
        if let Some(words) = note {
            theme::region(palette).show(ui, |ui| words_ui(ui, words, palette.muted));
        }
        for exit in &story.exits {
            let source = visible::one_line(&exit.source, 60).text;
            let is_earlier = story.attempts.first().is_none_or(|attempt| exit.at < attempt.started);
            let when = if is_earlier {
                "before the connection was tried".to_owned()
            } else {
                format!("{} s after the beginning", row_text::time(exit.at))
            };
            let words = format!("✗ {source} ended with {}, {when}.", exit.status);
            let colour = if exit.status.is_success() { palette.muted } else { palette.bad };
            theme::region(palette).show(ui, |ui| words_ui(ui, words, colour));
        }
        let cause = story.verdict.as_ref().map(|verdict| verdict.cause.clone());
        self.rows_ui(ui, story.console.len() as u64, &row_at, cause.as_deref(), actions);
    }

    /// The lines as they come.
    fn live_ui(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let lane = ctx.lane;
        if lane.left_out > 0 {
            let palette = theme::palette(ui);
            let words = format!("{} older lines are not shown here; sessions that ran have theirs.", lane.left_out);
            theme::region(palette).show(ui, |ui| words_ui(ui, words, palette.muted));
        }
        // Lines are borrowed; words of ours are few, and made here.
        let is_ours = |entry: &ConsoleEntry| !matches!(entry.what, ConsoleEvent::Line(_));
        let ours = (0..).zip(&lane.entries).filter(|(_, entry)| is_ours(entry));
        let own: BTreeMap<u64, String> = ours.map(|(row, entry)| (row, event_words(entry))).collect();
        let as_row = |row: u64| -> Option<Row<'_>> {
            let entry = lane.entries.get(usize::try_from(row).ok()?)?;
            let (text, is_ours) = match &entry.what {
                ConsoleEvent::Line(text) => (&**text, false),
                ConsoleEvent::Attached | ConsoleEvent::Exited(_) | ConsoleEvent::Note(_) => {
                    (own.get(&row).map_or("", String::as_str), true)
                }
            };
            let is_bad = matches!(entry.what, ConsoleEvent::Exited(status) if !status.is_success());
            Some(Row { number: entry.number, time: clock(entry.at_unix_millis), at: None, text, is_ours, is_bad })
        };
        self.rows_ui(ui, lane.entries.len() as u64, &as_row, None, actions);
    }

    fn rows_ui<'a>(
        &mut self,
        ui: &mut Ui,
        total: u64,
        row_at: &impl Fn(u64) -> Option<Row<'a>>,
        cause: Option<&str>,
        actions: &mut Actions,
    ) {
        let palette = theme::palette(ui);
        if self.known.len() > MOST_KNOWN {
            self.known.clear();
        }
        let selected = self.scroll.selected().and_then(row_at);
        if let Some(row) = selected {
            let meaning = self.known.entry(row.number).or_insert_with(|| meaning(&row)).clone();
            Panel::bottom("console line").frame(theme::region(palette)).show(ui, |ui| {
                line_ui(ui, &row, &meaning, cause, actions);
            });
        }
        let (known, scroll) = (&mut self.known, &mut self.scroll);
        let output = RowList::new("Console lines", total).show(ui, scroll, |ui, slot| {
            if let Some(row) = row_at(slot.row) {
                let meaning = known.entry(row.number).or_insert_with(|| meaning(&row));
                row_ui(ui, slot, &row, meaning, palette);
            }
        });
        if output.selection_changed
            && let Some(row) = scroll.selected()
        {
            scroll.scroll_to(row, Place::Nearest);
        }
        if let Some(row) = output.activated.and_then(row_at) {
            actions.extend(row.at.map(Action::GoToMoment));
        }
    }
}

fn row_ui(ui: &mut Ui, slot: &RowSlot, row: &Row<'_>, meaning: &Meaning, palette: &Palette) {
    let text = visible::one_line(&without_escapes(row.text), ROW_CHARS).text;
    let (sign, colour, words) = match meaning {
        Meaning::Nothing if row.is_bad => ("✗", palette.bad, ""),
        Meaning::Nothing if row.is_ours => ("·", palette.event, ""),
        Meaning::Nothing => ("", palette.text, ""),
        Meaning::Good(words) => ("✓", palette.ok, *words),
        Meaning::Cause { words, .. } => ("✗", palette.bad, *words),
    };
    let rect = slot.rect.shrink2(vec2(8.0, 0.0));
    let time = rect.with_max_x(rect.left() + TIME);
    cell_ui(ui, time, row.time.as_str(), theme::mono_font(), palette.muted, Align::Max);
    let mark = rect.with_min_x(time.right() + 8.0).with_max_x(time.right() + 24.0);
    cell_ui(ui, mark, sign, theme::body_font(), colour, Align::Min);
    let rest = rect.with_min_x(mark.right());
    let share = if words.is_empty() || rest.width() < WIDE { 1.0 } else { LINE_SHARE };
    let line = rest.with_max_x(rest.left() + rest.width() * share);
    let text_colour = if row.is_ours { colour } else { palette.text };
    cell_ui(ui, line, text.as_str(), theme::mono_font(), text_colour, Align::Min);
    if share < 1.0 {
        cell_ui(ui, rest.with_min_x(line.right() + 12.0), words, theme::body_font(), colour, Align::Min);
    }
    slot.response.clone().on_hover_text(if words.is_empty() { text.as_str() } else { words });
    slot.name(|| if words.is_empty() { text.clone() } else { format!("{text}: {words}") });
}

/// The selected line in full, what it means, and where to go from it.
fn line_ui(ui: &mut Ui, row: &Row<'_>, meaning: &Meaning, cause: Option<&str>, actions: &mut Actions) {
    let palette = theme::palette(ui);
    let text = without_escapes(row.text);
    ui.add(egui::Label::new(theme::mono(visible::one_line(&text, LINE_CHARS).text)).wrap().selectable(true));
    match meaning {
        Meaning::Nothing => {}
        Meaning::Good(words) => words_ui(ui, format!("✓ A good sign: {words}"), palette.ok),
        Meaning::Cause { id, words } => {
            let title = catalogue::cause(id).map_or(*id, |cause| cause.title);
            words_ui(ui, format!("✗ {title}: {words}"), palette.bad);
            if let Some(fix) = catalogue::cause(id).and_then(|cause| cause.fixes.first()) {
                words_ui(ui, format!("Mend it: {}", fix.text_for(&catalogue::Target::example())), palette.muted);
            }
        }
    }
    ui.horizontal(|ui| {
        if let Some(at) = row.at
            && ui.button("Go to its row in the log").clicked()
        {
            actions.push(Action::GoToMoment(at));
        }
        let is_cause = matches!(meaning, Meaning::Cause { id, .. } if cause == Some(*id));
        if cause.is_some() && matches!(meaning, Meaning::Cause { .. }) {
            let words = if is_cause { "It decides the verdict" } else { "See the verdict" };
            if ui.button(words).clicked() {
                actions.push(Action::Tab(Tab::Verdict));
            }
        }
        copy_button(ui, "Copy the line", "the line", actions, || text.clone());
    });
}

fn meaning(row: &Row<'_>) -> Meaning {
    if row.is_ours {
        return Meaning::Nothing;
    }
    match recognise(row.text) {
        Some(known) => Meaning::Cause { id: known.cause, words: known.meaning },
        None => good_sign(row.text).map_or(Meaning::Nothing, Meaning::Good),
    }
}

/// What happened to a console, as a row says it.
fn event_words(entry: &ConsoleEntry) -> String {
    match &entry.what {
        ConsoleEvent::Line(text) | ConsoleEvent::Note(text) => text.to_string(),
        ConsoleEvent::Attached => "The console is attached".to_owned(),
        ConsoleEvent::Exited(status) => {
            fact_words(&Fact::ServerExited { source: "The command".to_owned(), status: *status }).text
        }
    }
}

/// The local time of day.
fn clock(unix_millis: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(unix_millis).ok();
    at.map_or_else(String::new, |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S").to_string())
}

const TIME: f32 = 76.0;
const WIDE: f32 = 420.0;
const LINE_SHARE: f32 = 0.62;
const ROW_CHARS: usize = 400;
const LINE_CHARS: usize = 2_000;
const MOST_KNOWN: usize = 4_000;
