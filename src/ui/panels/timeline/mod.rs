//! The log: every frame, phase, violation and line on one timeline.
//!
//! Rows are asked of the view page by page; what is not there yet is a quiet placeholder. The view follows only at its
//! end. Pausing, clearing and filtering change what is shown, never what is recorded. `columns` paints, `filter` looks
//! for rows, `log` is what is kept for each connection, `toolbar` the line above.

mod chosen;
mod columns;
mod filter;
mod log;
mod toolbar;

use crate::diagnosis::Place;
use crate::observation::{ConnId, Moment};
use crate::store::filter::{Kind, Kinds, set_term};
use crate::store::{Hits, Matches, Page, Row, RowBody, View};
use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::panels::parts::teach_ui;
use crate::ui::panels::row_text::row_text;
use crate::ui::row_list::{RowList, RowListOutput, RowSlot};
use crate::ui::row_scroll::Place as ScrollPlace;
use crate::ui::{theme, units};
pub use chosen::Chosen;
use columns::{Columns, placeholder_ui};
use egui::{Event, Key, Modifiers, Ui};
use filter::Query;
use log::{Copying, Log, Wanted, clipboard_text, is_whole};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The log of the shown connection, and where the logs of the others stand.
#[derive(Debug, Default)]
pub struct Timeline {
    logs: BTreeMap<ConnId, Log>,
    shown: Option<ConnId>,
    query: Query,
    columns: Columns,
    wants_filter_focus: bool,
    /// Whether completions are shown, and whether the pointer is over them.
    completes: bool,
    is_over_completions: bool,
    /// The next hit was asked for by a button, or the one before.
    wanted_hit: Option<bool>,
}

impl Timeline {
    /// Shows the log in all the room that `ui` has left.
    pub fn show(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let Some(view) = ctx.view else {
            self.shown = None;
            empty_ui(ui, actions);
            return;
        };
        self.shown = Some(view.conn);
        let is_known = |conn: &ConnId| *conn == view.conn || ctx.views.iter().any(|known| known.conn == *conn);
        self.logs.retain(|conn, _| is_known(conn));
        let mut log = self.logs.remove(&view.conn).unwrap_or_default();
        // One picture for the whole pass, however many rows are found meanwhile.
        log.hits = if self.query.is_open() { Hits::default() } else { view.source.search(&self.query.filter) };
        if let Some(payload) = log.copied(view) {
            actions.push(Action::Copy { text: clipboard_text(&payload), what: "the payload".to_owned() });
        }
        if let Some(row) = log.find_wanted(view) {
            self.uncover(&mut log, view, row, actions);
        }
        if let Some(row) = log.find_rest(view) {
            let rows = Rows::of(&log, view, self.query.hides());
            log.scroll.lay_out(rows.total, theme::ROW_HEIGHT, log.view_height);
            if let Some(index) = rows.index(&log, row) {
                log.scroll.scroll_to(index, ScrollPlace::InSight);
                log.scroll.pause();
            }
        }
        if log.wanted.is_some() || log.copying.is_some() {
            ui.ctx().request_repaint_after(RETRY);
        }
        self.toolbar_ui(ui, view, &mut log);
        self.rows_ui(ui, view, &mut log, actions);
        self.logs.insert(view.conn, log);
        if let Some(backwards) = self.wanted_hit.take() {
            self.next_match(backwards);
            ui.ctx().request_repaint();
        }
    }

    /// Selects a row of the shown connection and brings it into view, in the next pass.
    pub fn select_row(&mut self, row: u64) {
        if let Some(conn) = self.shown {
            self.want(conn, Wanted::Row(row));
        }
    }

    /// Selects the row at a place and brings it into view, as soon as it is loaded.
    pub fn go_to_place(&mut self, view: &View, place: Place) {
        self.want(view.conn, Wanted::Place(place));
    }

    /// Selects the first row at or after a moment and brings it into view, as soon as it is loaded.
    pub fn go_to_moment(&mut self, view: &View, at: Moment) {
        self.want(view.conn, Wanted::Moment(at));
    }

    /// Selects the row where the connection closed, if it did.
    pub fn go_to_close(&mut self, view: &View) {
        if let Some(wanted) = log::close_of(&view.story) {
            self.want(view.conn, wanted);
        }
    }

    /// The selected row of the shown connection, for the detail below.
    pub fn selected_row(&self) -> Option<u64> {
        self.logs.get(&self.shown?)?.selected
    }

    /// The filters that were typed, the newest first, for the next start.
    pub fn recent_filters(&self) -> &[String] {
        &self.query.recent
    }

    /// Takes over the filters of an earlier window.
    pub fn recall_filters(&mut self, recent: Vec<String>) {
        self.query.recall(recent);
    }

    /// Puts the cursor into the filter, in the next pass.
    pub fn focus_filter(&mut self) {
        self.wants_filter_focus = true;
    }

    /// Selects the next row that the filter lets through, or the one before.
    pub fn next_match(&mut self, backwards: bool) {
        let Some(log) = self.shown.and_then(|conn| self.logs.get_mut(&conn)) else {
            return;
        };
        let matches = &log.hits.matches;
        let found = match (log.selected, backwards) {
            (None, false) => matches.at(0),
            (None, true) => matches.before(u64::MAX),
            (Some(row), false) => matches.after(row).or_else(|| matches.at(0)),
            (Some(row), true) => matches.before(row).or_else(|| matches.before(u64::MAX)),
        };
        if let Some(row) = found {
            log.wanted = Some(Wanted::Row(row));
        }
    }

    /// Stops the view, or lets it go on; recording never stops.
    pub fn toggle_pause(&mut self, view: &View) {
        self.logs.entry(view.conn).or_default().toggle_pause(view);
    }

    /// Hides every row there is; they are kept.
    pub fn clear(&mut self, view: &View) {
        self.logs.entry(view.conn).or_default().clear(view);
    }

    fn want(&mut self, conn: ConnId, wanted: Wanted) {
        self.logs.entry(conn).or_default().wanted = Some(wanted);
    }

    /// Selects a row, and lifts whatever hides it.
    fn uncover(&mut self, log: &mut Log, view: &View, row: u64, actions: &mut Actions) {
        log.selected = Some(row);
        if row < log.hidden {
            log.hidden = 0;
        }
        if log.paused_at.is_some_and(|at| row >= at) {
            log.paused_at = None;
        }
        let is_filtered_out = self.query.hides() && !log.hits.matches.contains(row);
        if is_filtered_out {
            self.query.remember();
            self.query.set(String::new());
            actions.push(Action::Toast("Took the filter away to show the row".to_owned()));
        }
        let rows = Rows::of(log, view, self.query.hides());
        // The list measures itself again; here only the number of rows has to be right.
        log.scroll.lay_out(rows.total, theme::ROW_HEIGHT, log.view_height);
        if let Some(index) = rows.index(log, row) {
            log.scroll.select(Some(index));
            log.scroll.scroll_to(index, ScrollPlace::InSight);
        }
        log.was_filtered = self.query.hides();
    }

    fn rows_ui(&mut self, ui: &mut Ui, view: &Arc<View>, log: &mut Log, actions: &mut Actions) {
        let is_filtered = self.query.hides();
        if !self.query.is_open() && !log.hits.is_done {
            // The engine wakes the window when it has found more; this is for the case that it cannot.
            ui.ctx().request_repaint_after(RETRY);
        }
        let rows = Rows::of(log, view, is_filtered);
        if rows.total == 0 {
            self.nothing_ui(ui, view, log);
            return;
        }
        self.columns.heading_ui(ui);
        log.view_height = ui.available_height();
        let index = log.selected.and_then(|row| rows.index(log, row));
        if log.was_filtered != is_filtered {
            log.was_filtered = is_filtered;
            log.scroll.lay_out(rows.total, theme::ROW_HEIGHT, log.view_height);
            if let Some(index) = index {
                log.scroll.scroll_to(index, ScrollPlace::InSight);
            }
        }
        if log.scroll.selected() != index {
            log.scroll.select(index);
        }

        let in_view = (ui.available_height() / theme::ROW_HEIGHT) as u64 + 2;
        let seen = std::mem::take(&mut log.seen);
        let mut pages = Pages { view, in_view, is_filtered, seen, rows: BTreeMap::new(), asked: 0..0 };
        let marks_hits = !is_filtered && !self.query.is_open();
        let mut request = None;
        let mut scroll = std::mem::take(&mut log.scroll);
        let output = RowList::new("Log", rows.total).show(ui, &mut scroll, |ui, slot| {
            let Some(number) = rows.number(log, slot.row) else {
                return;
            };
            let above = slot.row.checked_sub(1).and_then(|index| rows.number(log, index));
            let above = above.and_then(|number| pages.get(number)).map(|row| row.at);
            let Some(row) = pages.get(number) else {
                placeholder_ui(ui, slot, &self.columns);
                slot.name(|| format!("row {number} is being loaded"));
                return;
            };
            let text = row_text(row, above);
            let is_hit = marks_hits && log.hits.matches.contains(number);
            self.columns.row_ui(ui, slot, &text, log.marks.contains(&number), is_hit);
            slot.name(
                || if log.marks.contains(&number) { format!("marked, {}", text.spoken()) } else { text.spoken() },
            );
            row_menu(slot, number, row, &text.line(), log.marks.contains(&number), &mut request);
        });
        log.scroll = scroll;
        log.seen = pages.rows;
        if output.selection_changed {
            log.selected = log.scroll.selected().and_then(|index| rows.number(log, index));
        }
        keys(ui, view, log, &output, &mut request);
        if let Some(request) = request {
            self.carry_out(log, request, actions);
        }
    }

    fn carry_out(&mut self, log: &mut Log, request: Request, actions: &mut Actions) {
        match request {
            Request::Copy { text, what } => actions.push(Action::Copy { text, what: what.to_owned() }),
            Request::Payload(copying) => log.copying = Some(copying),
            Request::Mark(row) => log.toggle_mark(row),
            Request::Hide(row) => log.hidden = row,
            Request::Term(key, value) => {
                let text = set_term(&self.query.text, key, Some(value));
                self.query.set(text);
            }
        }
    }

    fn nothing_ui(&mut self, ui: &mut Ui, view: &View, log: &mut Log) {
        let is_filtered = self.query.hides() && log.end(view) > log.hidden;
        if is_filtered && log.hits.looked_at >= log.end(view) {
            teach_ui(ui, "No row fits the filter", &["The rows are all kept; only the view is filtered."]);
            ui.horizontal(|ui| {
                ui.add_space(4.0 * theme::STEP);
                if ui.button("Show all rows").clicked() {
                    self.query.remember();
                    self.query.set(String::new());
                }
            });
        } else if is_filtered {
            teach_ui(ui, "Looking…", &["No row fits so far."]);
        } else if log.hidden > 0 {
            teach_ui(ui, "The log was cleared", &["New rows will appear here. The rows from before are kept."]);
        } else {
            teach_ui(ui, "Nothing has happened yet", &["The first step, resolving the host name, will appear here."]);
        }
    }
}

/// Which rows the list shows, and in which order.
struct Rows {
    total: u64,
    first: u64,
    is_filtered: bool,
}

impl Rows {
    fn of(log: &Log, view: &View, is_filtered: bool) -> Self {
        let end = log.end(view);
        if !is_filtered {
            return Self { total: end.saturating_sub(log.hidden), first: log.hidden, is_filtered };
        }
        let matches: &Matches = &log.hits.matches;
        let first = matches.rank(log.hidden);
        Self { total: matches.rank(end).saturating_sub(first), first, is_filtered }
    }

    /// The number of the row that stands at an index of the list.
    fn number(&self, log: &Log, index: u64) -> Option<u64> {
        if index >= self.total {
            return None;
        }
        let at = self.first + index;
        if self.is_filtered { log.hits.matches.at(at) } else { Some(at) }
    }

    /// The index at which a row stands, if it is shown.
    fn index(&self, log: &Log, row: u64) -> Option<u64> {
        let matches = &log.hits.matches;
        let at = if self.is_filtered { matches.contains(row).then(|| matches.rank(row))? } else { row };
        at.checked_sub(self.first).filter(|index| *index < self.total)
    }
}

/// The rows of one pass, asked for in as few pages as possible.
struct Pages<'a> {
    view: &'a View,
    in_view: u64,
    is_filtered: bool,
    /// What the last pass had.
    seen: BTreeMap<u64, Row>,
    rows: BTreeMap<u64, Row>,
    asked: Range<u64>,
}

impl Pages<'_> {
    fn get(&mut self, number: u64) -> Option<&Row> {
        // Rows that a filter picked come from as many chunks, more than any cache holds: those that were seen are kept.
        if self.is_filtered
            && let Some(row) = self.seen.remove(&number)
        {
            if is_settled(&row) {
                self.rows.insert(number, row);
            } else {
                self.seen.insert(number, row);
            }
        }
        if !self.rows.contains_key(&number) && !self.asked.contains(&number) {
            // Rows that a filter picked stand apart: each is its own page.
            let range = if self.is_filtered { number..number + 1 } else { number..number + self.in_view };
            if let Page::Ready(rows) = self.view.page(range.clone()) {
                self.rows.extend((range.start..).zip(rows));
            }
            self.asked = range;
        }
        if !self.rows.contains_key(&number)
            && let Some(row) = self.seen.remove(&number)
        {
            self.rows.insert(number, row);
        }
        self.rows.get(&number)
    }
}

/// Whether a row stays as it is, whatever comes.
fn is_settled(row: &Row) -> bool {
    match &row.body {
        RowBody::Frame(frame) => frame.received >= frame.header.payload_len,
        RowBody::Opaque { .. } | RowBody::Body { .. } => false,
        RowBody::Fact(_)
        | RowBody::Request { .. }
        | RowBody::Response { .. }
        | RowBody::Violation(_)
        | RowBody::Cut(_) => true,
    }
}

/// What a row's menu asks for.
enum Request {
    Copy {
        text: String,
        what: &'static str,
    },
    Payload(Copying),
    Mark(u64),
    Hide(u64),
    /// A term of the filter: its key and its value.
    Term(&'static str, &'static str),
}

fn row_menu(slot: &RowSlot, number: u64, row: &Row, line: &str, is_marked: bool, request: &mut Option<Request>) {
    slot.response.context_menu(|ui| {
        let mut item = |ui: &mut Ui, label: &str, of: &mut dyn FnMut() -> Request| {
            if ui.button(label).clicked() {
                *request = Some(of());
                ui.close();
            }
        };
        item(ui, "Copy row", &mut || Request::Copy { text: line.to_owned(), what: "the row" });
        match &row.body {
            RowBody::Frame(frame) if is_whole(frame) => item(ui, "Copy payload", &mut || Request::Copy {
                text: clipboard_text(&frame.preview),
                what: "the payload",
            }),
            RowBody::Frame(frame) => item(ui, "Copy payload", &mut || {
                Request::Payload(Copying { direction: frame.direction, offset: frame.offset })
            }),
            RowBody::Request { raw }
            | RowBody::Response { raw, .. }
            | RowBody::Opaque { raw, .. }
            | RowBody::Body { raw } => {
                item(ui, "Copy bytes", &mut || Request::Copy { text: clipboard_text(raw), what: "the bytes" });
            }
            RowBody::Fact(_) | RowBody::Violation(_) | RowBody::Cut(_) => {}
        }
        ui.separator();
        item(ui, if is_marked { "Take the mark away (M)" } else { "Mark (M)" }, &mut || Request::Mark(number));
        item(ui, "Hide the rows above", &mut || Request::Hide(number));
        ui.separator();
        if let Some(direction) = row_text(row, None).direction {
            item(ui, &format!("Show only {}", direction.word()), &mut || Request::Term("dir", direction.word()));
        }
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| Kinds::of_row(row).has(*kind)) {
            item(ui, &format!("Show only: {}", kind.word()), &mut || Request::Term("kind", kind.word()));
        }
    });
}

fn keys(ui: &Ui, view: &View, log: &mut Log, output: &RowListOutput, request: &mut Option<Request>) {
    if !output.response.has_focus() {
        return;
    }
    if ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Space)) {
        log.toggle_pause(view);
        ui.ctx().request_repaint();
    }
    if let (true, Some(row)) = (ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::M)), log.selected) {
        log.toggle_mark(row);
    }
    let is_copy = ui.input(|input| input.events.contains(&Event::Copy));
    if let (true, Some(number)) = (is_copy, log.selected)
        && let Page::Ready(rows) = view.page(number..number.saturating_add(1))
        && let Some(row) = rows.first()
    {
        *request = Some(Request::Copy { text: row_text(row, None).line(), what: "the row" });
    }
}

fn empty_ui(ui: &mut Ui, actions: &mut Actions) {
    teach_ui(
        ui,
        "The log",
        &[
            "Connect, and every step stands here as it happens: resolving the name, each TCP attempt, the opening \
         handshake, every frame with its flags, the close code, and how TCP ended.",
            "Nothing to connect to? The practice server answers on this machine, and can fail in every way there is.",
        ],
    );
    ui.horizontal(|ui| {
        ui.add_space(4.0 * theme::STEP);
        if ui.button("Connect to the practice server").clicked() {
            actions.push(Action::Practice(None));
        }
    });
}

fn rows_words(count: u64) -> String {
    format!("{} {}", units::count(count), if count == 1 { "row" } else { "rows" })
}

/// How long until a row that is being loaded is asked for again, if nobody wakes the window before.
const RETRY: std::time::Duration = std::time::Duration::from_millis(50);
