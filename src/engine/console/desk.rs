//! The desk of the attached consoles: their newest lines for the window, all their lines for the sessions that run.
//!
//! A lane (a file, a command, standard input) puts its lines here. A session that begins is told which consoles are
//! attached, and those of their earlier lines that still hold.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::diagnosis::console::{is_start, still_holding};
use crate::engine::clock::{instant, wall_clock_unix_millis};
use crate::engine::mailbox::Mailbox;
use crate::engine::sink::Sink;
use crate::observation::{ConnId, ConsoleKind, ExitStatus, Fact};

/// Names one console of this process; the face that attaches it makes it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsoleId(pub u32);

/// The newest lines of the attached consoles.
#[derive(Clone, Debug, Default)]
pub struct ConsoleTail {
    /// The number of the first entry that is still kept; all before it have been left out here.
    pub first: u64,
    /// The number that the next entry will get.
    pub next: u64,
    /// The entries that were asked for, in their order.
    pub entries: Vec<ConsoleEntry>,
    /// The consoles, in the order in which they were attached.
    pub consoles: Vec<ConsoleState>,
}

/// One line of a console, or what happened to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleEntry {
    /// Its number; the first line of this process is 0.
    pub number: u64,
    /// When it arrived, Unix milliseconds.
    pub at_unix_millis: i64,
    /// Which console.
    pub console: ConsoleId,
    /// What.
    pub what: ConsoleEvent,
}

/// What arrived on a console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleEvent {
    /// A line, with escape sequences as they came.
    Line(Arc<str>),
    /// It was attached; a command was started.
    Attached,
    /// Its process ended.
    Exited(ExitStatus),
    /// Something of ours, in words: what could not be read.
    Note(Arc<str>),
}

/// What is known of an attached console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleState {
    /// Its name.
    pub console: ConsoleId,
    /// What its lines are named after.
    pub source: Arc<str>,
    /// What it is.
    pub kind: ConsoleKind,
    /// How many lines it has given.
    pub lines: u64,
    /// How its process ended, if it has.
    pub exit: Option<ExitStatus>,
    /// Whether it has ended: no more lines will come.
    pub is_over: bool,
}

/// The desk.
pub(crate) struct Desk {
    mailbox: Arc<Mailbox>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    consoles: BTreeMap<ConsoleId, Known>,
    listening: BTreeMap<ConnId, Sink>,
    tail: VecDeque<ConsoleEntry>,
    tail_bytes: usize,
    next: u64,
}

struct Known {
    state: ConsoleState,
    /// The process that we have started, and when.
    pid: Option<u32>,
    since: Instant,
    /// What may still hold for the server's process, oldest first.
    recent: VecDeque<String>,
    /// Whether the server behind it is known to listen, or nobody wants to wait for it any more.
    is_ready: bool,
}

impl Desk {
    /// An empty desk that wakes the face through `mailbox`.
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Arc<Self> {
        Arc::new(Self { mailbox, inner: Mutex::default() })
    }

    /// The newest entries from this number on.
    pub(crate) fn tail(&self, from: u64) -> ConsoleTail {
        let inner = self.lock();
        let first = inner.tail.front().map_or(inner.next, |entry| entry.number);
        let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        ConsoleTail {
            first,
            next: inner.next,
            entries: inner.tail.iter().skip(skip).cloned().collect(),
            consoles: inner.consoles.values().map(|known| known.state.clone()).collect(),
        }
    }

    /// Takes a new console, `pid` being the process that we have started for it; sessions that run are told.
    pub(super) fn attach(&self, console: ConsoleId, source: &str, kind: ConsoleKind, pid: Option<u32>) {
        let mut inner = self.lock();
        let state = ConsoleState { console, source: source.into(), kind, lines: 0, exit: None, is_over: false };
        let known = Known { state, pid, since: instant(), recent: VecDeque::new(), is_ready: false };
        inner.consoles.insert(console, known);
        inner.tell(&Fact::ConsoleAttached { source: source.to_owned(), kind });
        inner.enter(console, ConsoleEvent::Attached);
        drop(inner);
        self.mailbox.wake();
    }

    /// Forgets a console.
    pub(super) fn detach(&self, console: ConsoleId) {
        self.lock().consoles.remove(&console);
        self.mailbox.wake();
    }

    /// Whether a console of this name is there.
    pub(super) fn has(&self, console: ConsoleId) -> bool {
        self.lock().consoles.contains_key(&console)
    }

    /// Hands a line to the window and to every session.
    pub(super) fn line(&self, console: ConsoleId, text: String) {
        let mut inner = self.lock();
        let Some(known) = inner.consoles.get_mut(&console) else {
            return;
        };
        known.state.lines += 1;
        known.is_ready = known.is_ready || is_start(&text);
        if known.recent.len() >= RECENT_LINES {
            known.recent.pop_front();
        }
        known.recent.push_back(beginning(&text, RECENT_BYTES).to_owned());
        let source = Arc::clone(&known.state.source);
        let shown = beginning(&text, SHOWN_BYTES);
        let shown = if shown.len() < text.len() {
            format!("{shown} … [the log has the whole line]").into()
        } else {
            Arc::from(shown)
        };
        inner.enter(console, ConsoleEvent::Line(shown));
        inner.tell(&Fact::ConsoleLine { source: source.to_string(), text });
        drop(inner);
        self.mailbox.wake();
    }

    /// Says what could not be observed.
    pub(super) fn note(&self, console: ConsoleId, text: String) {
        let mut inner = self.lock();
        inner.enter(console, ConsoleEvent::Note(text.as_str().into()));
        inner.tell(&Fact::Note { text });
        drop(inner);
        self.mailbox.wake();
    }

    /// The console's process ended.
    pub(super) fn exited(&self, console: ConsoleId, status: ExitStatus) {
        let mut inner = self.lock();
        let Some(known) = inner.consoles.get_mut(&console) else {
            return;
        };
        known.state.exit = Some(status);
        let source = known.state.source.to_string();
        inner.enter(console, ConsoleEvent::Exited(status));
        inner.tell(&Fact::ServerExited { source, status });
        drop(inner);
        self.mailbox.wake();
    }

    /// No more lines will come.
    pub(super) fn over(&self, console: ConsoleId) {
        if let Some(known) = self.lock().consoles.get_mut(&console) {
            known.state.is_over = true;
        }
        self.mailbox.wake();
    }

    /// Whether no more lines will come.
    pub(super) fn is_over(&self, console: ConsoleId) -> bool {
        self.lock().consoles.get(&console).is_none_or(|known| known.state.is_over)
    }

    /// Hands the lines to a session until the value is dropped; what still holds comes first.
    pub(super) fn listen(self: &Arc<Self>, conn: ConnId, sink: &Sink) -> Listening {
        let mut inner = self.lock();
        for known in inner.consoles.values() {
            let source = known.state.source.to_string();
            sink.push(Fact::ConsoleAttached { source: source.clone(), kind: known.state.kind });
            let recent: Vec<String> = known.recent.iter().cloned().collect();
            for text in still_holding(&recent) {
                sink.push(Fact::ConsoleLine { source: source.clone(), text: text.to_owned() });
            }
            if let Some(status) = known.state.exit {
                sink.push(Fact::ServerExited { source, status });
            }
        }
        inner.listening.insert(conn, sink.clone());
        drop(inner);
        Listening { desk: Arc::clone(self), conn }
    }

    /// A session that takes lines, to ask how much room there is.
    pub(super) fn any_session(&self) -> Option<Sink> {
        self.lock().listening.values().next().cloned()
    }

    /// Consoles of servers that may still be starting, `limit` being how long that may take, and what we have started.
    ///
    /// A command's lines may end before its process does: only the process tells that it is over.
    pub(super) fn starting(&self, limit: Duration) -> Vec<(ConsoleId, Option<u32>)> {
        let inner = self.lock();
        let now = instant();
        let is_starting = |known: &&Known| {
            !known.is_ready
                && now.saturating_duration_since(known.since) < limit
                && match known.state.kind {
                    ConsoleKind::Command => known.state.exit.is_none(),
                    ConsoleKind::StandardInput => !known.state.is_over,
                    ConsoleKind::File => false,
                }
        };
        inner.consoles.values().filter(is_starting).map(|known| (known.state.console, known.pid)).collect()
    }

    /// Nobody needs to wait for this console's server again.
    pub(super) fn ready(&self, console: ConsoleId) {
        if let Some(known) = self.lock().consoles.get_mut(&console) {
            known.is_ready = true;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell(&self, fact: &Fact) {
        for sink in self.listening.values() {
            sink.push(fact.clone());
        }
    }

    fn enter(&mut self, console: ConsoleId, what: ConsoleEvent) {
        let entry = ConsoleEntry { number: self.next, at_unix_millis: wall_clock_unix_millis(), console, what };
        self.next += 1;
        self.tail_bytes += entry_bytes(&entry);
        self.tail.push_back(entry);
        while self.tail.len() > TAIL_LINES || self.tail_bytes > TAIL_BYTES {
            let Some(old) = self.tail.pop_front() else {
                return;
            };
            self.tail_bytes -= entry_bytes(&old);
        }
    }
}

/// At most so many bytes of a text, up to a whole character.
fn beginning(text: &str, max_bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(max_bytes)).unwrap_or(text)
}

fn entry_bytes(entry: &ConsoleEntry) -> usize {
    match &entry.what {
        ConsoleEvent::Line(text) | ConsoleEvent::Note(text) => text.len(),
        ConsoleEvent::Attached | ConsoleEvent::Exited(_) => 0,
    }
}

/// A session that is handed the lines.
pub(crate) struct Listening {
    desk: Arc<Desk>,
    conn: ConnId,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.desk.lock().listening.remove(&self.conn);
    }
}

/// How many lines of each console are looked through for those that still hold.
const RECENT_LINES: usize = 500;
/// How much of each.
const RECENT_BYTES: usize = 1_000;
/// How many lines the window can look back, …
const TAIL_LINES: usize = 10_000;
/// … and how many bytes of them are kept.
const TAIL_BYTES: usize = 8 * 1024 * 1024;
/// How much of a line the window is given.
const SHOWN_BYTES: usize = 4_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Arc<Desk> {
        Desk::new(Arc::new(Mailbox::new(Arc::new(|| {}))))
    }

    #[test]
    fn the_tail_is_bounded_and_says_what_has_left_it() {
        let desk = desk();
        let console = ConsoleId(1);
        desk.attach(console, "server.log", ConsoleKind::File, None);
        for number in 0..TAIL_LINES {
            desk.line(console, format!("line {number}"));
        }
        let tail = desk.tail(0);
        assert_eq!((tail.first, tail.next, tail.entries.len()), (1, TAIL_LINES as u64 + 1, TAIL_LINES));
        assert_eq!(tail.consoles[0].lines, TAIL_LINES as u64);
        assert_eq!(desk.tail(tail.next - 1).entries.len(), 1);
        assert!(desk.tail(tail.next).entries.is_empty());
        for _ in 0..3_000 {
            desk.line(console, "x".repeat(100_000));
        }
        let tail = desk.tail(0);
        let bytes: usize = tail.entries.iter().map(entry_bytes).sum();
        assert!(bytes <= TAIL_BYTES, "{bytes}");
        let ConsoleEvent::Line(last) = &tail.entries.last().unwrap().what else { panic!() };
        assert!(last.ends_with("[the log has the whole line]"));
    }

    #[test]
    fn a_console_is_waited_for_until_it_says_that_the_server_listens() {
        let desk = desk();
        let starting = || desk.starting(Duration::from_mins(1));
        desk.attach(ConsoleId(1), "npm run dev", ConsoleKind::Command, Some(7));
        desk.attach(ConsoleId(2), "server.log", ConsoleKind::File, None);
        desk.line(ConsoleId(1), "> node server.js".to_owned());
        assert_eq!(starting(), [(ConsoleId(1), Some(7))]);
        assert!(desk.starting(Duration::ZERO).is_empty(), "nobody waits longer than that");
        desk.line(ConsoleId(1), "[WebSocket] Server listening on port 3001".to_owned());
        assert!(starting().is_empty());
        desk.attach(ConsoleId(3), "node broken.js", ConsoleKind::Command, Some(7));
        // Its pipe ends a moment before its status is known.
        desk.over(ConsoleId(3));
        assert_eq!(starting(), [(ConsoleId(3), Some(7))]);
        desk.exited(ConsoleId(3), ExitStatus { code: Some(1), signal: None });
        assert!(starting().is_empty());
        desk.attach(ConsoleId(4), "standard input", ConsoleKind::StandardInput, None);
        assert_eq!(starting(), [(ConsoleId(4), None)]);
        desk.over(ConsoleId(4));
        assert!(starting().is_empty());
        desk.detach(ConsoleId(1));
        desk.line(ConsoleId(1), "after".to_owned());
        assert_eq!(desk.tail(0).consoles.len(), 3);
    }
}
