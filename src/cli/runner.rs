//! Drives the engine for one command: connects, waits, shows what is being waited for, hands over rows.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::clock;
use super::failure::Failure;
use super::print::{self, Progress};
use crate::diagnosis::{Case, CheckItem, checklist};
use crate::engine::practice::Exercise;
use crate::engine::{
    Command, ConnectOptions, ConsoleId, ConsoleSource, Engine, EngineHandle, Event, ExportJob, InterceptOptions,
    SessionReader, Watch,
};
use crate::export::{Preview, Redactor};
use crate::observation::{ConnId, LabMeasure};
use crate::store::{Filter, Matches, State, Story, View};

/// The engine, for one command.
pub(super) struct Runner {
    engine: EngineHandle,
    interrupted: Arc<AtomicBool>,
    next: u32,
    practice_runs: bool,
    /// What became of clients of others while something else was waited for.
    later: VecDeque<Event>,
}

/// What became of a client of somebody else.
pub(super) enum Came {
    /// Its connection goes through us.
    Begun(ConnId),
    /// It asked for nothing that could be relayed.
    Ignored {
        /// From where it came.
        client: SocketAddr,
        /// Why.
        why: String,
    },
    /// Its connection is over and judged.
    Over(Outcome),
}

/// A connection that is over.
pub(super) struct Outcome {
    /// Its name.
    pub(super) conn: ConnId,
    /// Its last view.
    pub(super) view: Arc<View>,
    /// The status checklist.
    pub(super) checklist: Vec<CheckItem>,
}

impl Runner {
    /// Starts the engine; Ctrl-C closes the connection from here on.
    pub(super) fn start() -> Result<Self, Failure> {
        let engine = Engine::start(Arc::new(|| {}))?;
        let interrupted = engine.watch_interrupts();
        Ok(Self { engine, interrupted, next: 1, practice_runs: false, later: VecDeque::new() })
    }

    /// Whether the user pressed Ctrl-C.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Starts the practice server; gives its address, and each console line to `console`.
    pub(super) fn start_practice(
        &mut self,
        port: u16,
        console: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<SocketAddr, Failure> {
        self.engine.send(Command::StartPractice { port })?;
        loop {
            match self.next_event()? {
                Event::PracticeStarted { address } => {
                    self.practice_runs = true;
                    return Ok(address);
                }
                Event::PracticeFailed { why } => return Err(Failure::Engine(why)),
                Event::PracticeLine { text } => console(&text)?,
                _ => {}
            }
        }
    }

    /// Asks the practice server for something to connect to.
    pub(super) fn exercise(&mut self, fault: Option<&str>) -> Result<Exercise, Failure> {
        if !self.practice_runs {
            self.start_practice(0, &mut |_| Ok(()))?;
        }
        self.engine.send(Command::PrepareExercise { fault: fault.map(str::to_owned) })?;
        loop {
            match self.next_event()? {
                Event::ExerciseReady { exercise, .. } => return Ok(*exercise),
                Event::PracticeFailed { why } => return Err(Failure::Usage(why)),
                _ => {}
            }
        }
    }

    /// Attaches consoles of the server for everything that follows.
    pub(super) fn attach(&mut self, consoles: Vec<ConsoleSource>) -> Result<(), Failure> {
        for (nth, source) in (1..).zip(consoles) {
            self.engine.send(Command::AttachConsole { console: ConsoleId(nth), source })?;
        }
        Ok(())
    }

    /// Gives each console line of the practice server to `console` until Ctrl-C is pressed.
    pub(super) fn serve(&mut self, console: &mut dyn FnMut(&str) -> Result<(), Failure>) -> Result<(), Failure> {
        while !self.is_interrupted() {
            if let Some(Event::PracticeLine { text }) = self.engine.event_timeout(TICK) {
                console(&text)?;
            }
        }
        Ok(())
    }

    /// The options for the next connection, once the pause is over; `None` if the connection is not to be made again.
    pub(super) fn reconnect(&mut self, outcome: &Outcome) -> Result<Option<ConnectOptions>, Failure> {
        let Some((_, number, millis)) = outcome.story().reconnect else { return Ok(None) };
        let cause = outcome.story().verdict.as_ref().map_or("", |verdict| verdict.cause.as_str());
        let secs = millis as f64 / 1000.0;
        print::note(&format!("{cause}; connects again in {secs:.1} s (number {number})"));
        loop {
            match self.engine.event_timeout(TICK) {
                Some(Event::ReconnectDue { conn, options }) if conn == outcome.conn => return Ok(Some(*options)),
                None if self.is_interrupted() => {
                    self.engine.send(Command::Abort { conn: outcome.conn })?;
                    return Ok(None);
                }
                Some(_) | None => {}
            }
        }
    }

    /// Connects and waits until the connection is over and judged; `tick` is called some ten times a second.
    pub(super) fn connect(&mut self, options: ConnectOptions, tick: &mut dyn FnMut(&View)) -> Result<Outcome, Failure> {
        let conn = ConnId(self.next);
        self.next += 1;
        self.engine.send(Command::Connect { conn, options: Box::new(options) })?;
        let mut interrupted_at = None;
        loop {
            match self.engine.event_timeout(TICK) {
                Some(Event::Ended { conn: ended }) if ended == conn => break,
                Some(Event::ConsoleFailed { why, .. }) => return Err(Failure::Engine(why)),
                Some(Event::Refused { conn: refused, why }) if refused == conn => return Err(Failure::Engine(why)),
                Some(_) | None => {}
            }
            if let Some(view) = self.engine.view(conn) {
                tick(&view);
            }
            if self.is_interrupted() {
                let since = interrupted_at.get_or_insert_with(|| (clock::now(), 0));
                let stage = if since.0.elapsed() < PATIENCE { 1 } else { 2 };
                if stage > since.1 {
                    since.1 = stage;
                    let wish = if stage == 1 {
                        Command::Close { conn, code: Some(1000), reason: String::new() }
                    } else {
                        Command::Abort { conn }
                    };
                    self.engine.send(wish)?;
                }
            }
        }
        let view = self.engine.view(conn).ok_or_else(|| Failure::Engine("the session is lost".to_owned()))?;
        Ok(Outcome::new(conn, view))
    }

    /// Measures what silence does to connections; gives the silent one and the measurement. Ctrl-C stops the measuring.
    pub(super) fn lab(
        &mut self,
        options: ConnectOptions,
        limit: Duration,
        ping_every: Duration,
        tick: &mut dyn FnMut(&str),
    ) -> Result<(Outcome, LabMeasure), Failure> {
        let conns = [ConnId(self.next), ConnId(self.next + 1), ConnId(self.next + 2)];
        self.next += 3;
        self.engine.send(Command::StartLab { conns, options: Box::new(options), limit, ping_every })?;
        let mut is_stopped = false;
        let measure = loop {
            match self.engine.event_timeout(TICK) {
                Some(Event::LabEnded { measure, .. }) => break *measure,
                Some(Event::Refused { conn, why }) if conns.contains(&conn) => return Err(Failure::Engine(why)),
                Some(_) | None => {}
            }
            let state = |conn| self.engine.view(conn).map_or("not begun", |view| state_words(view.story.state()));
            let [silent, pinging, again] = conns.map(state);
            let again = if again == "not begun" { String::new() } else { format!(" · silent again: {again}") };
            tick(&format!("silent: {silent} · pinging: {pinging}{again}"));
            if self.is_interrupted() && !std::mem::replace(&mut is_stopped, true) {
                self.engine.send(Command::StopLab)?;
            }
        };
        let view = self.engine.view(conns[0]).ok_or_else(|| Failure::Engine("the session is lost".to_owned()))?;
        Ok((Outcome::new(conns[0], view), measure))
    }

    /// Listens for clients of others; gives where.
    pub(super) fn listen(&mut self, options: InterceptOptions) -> Result<SocketAddr, Failure> {
        self.engine.send(Command::StartIntercept { options: Box::new(options) })?;
        loop {
            match self.next_event()? {
                Event::InterceptStarted { address } => return Ok(address),
                Event::InterceptFailed { why } => return Err(Failure::Usage(why)),
                Event::ConsoleFailed { why, .. } => return Err(Failure::Engine(why)),
                _ => {}
            }
        }
    }

    /// Listens no more, and drops every connection of these that still goes through.
    pub(super) fn stop_listening(&self, running: &BTreeSet<ConnId>) -> Result<(), Failure> {
        self.engine.send(Command::StopIntercept)?;
        for conn in running {
            self.engine.send(Command::Abort { conn: *conn })?;
        }
        Ok(())
    }

    /// What became of clients of others, if anything did within a tick.
    pub(super) fn intercepted(&mut self) -> Result<Option<Came>, Failure> {
        Ok(match self.later.pop_front().or_else(|| self.engine.event_timeout(TICK)) {
            Some(Event::Intercepted { conn }) => Some(Came::Begun(conn)),
            Some(Event::InterceptIgnored { client, why }) => Some(Came::Ignored { client, why }),
            Some(Event::ConsoleFailed { why, .. }) => return Err(Failure::Engine(why)),
            Some(Event::Ended { conn }) => match self.engine.view(conn) {
                Some(view) => Some(Came::Over(Outcome::new(conn, view))),
                None => return Err(Failure::Engine("the session is lost".to_owned())),
            },
            Some(_) | None => None,
        })
    }

    /// Opens a saved session; remarks about the file go to standard error.
    pub(super) fn open(&mut self, path: &Path) -> Result<Outcome, Failure> {
        let conn = ConnId(self.next);
        self.next += 1;
        self.engine.send(Command::OpenFile { conn, path: path.to_owned() })?;
        loop {
            match self.next_event()? {
                Event::Opened { remarks, .. } => {
                    for remark in remarks {
                        print::note(&format!("note: {}: {remark}", path.display()));
                    }
                    break;
                }
                Event::FileFailed { why, path, .. } => {
                    return Err(Failure::Usage(format!("open {}: {why}", path.display())));
                }
                _ => {}
            }
        }
        let view = self.engine.view(conn).ok_or_else(|| Failure::Engine("the session is lost".to_owned()))?;
        Ok(Outcome::new(conn, view))
    }

    /// Saves the session as it is.
    pub(super) fn save(&mut self, conn: ConnId, path: PathBuf) -> Result<(), Failure> {
        self.engine.send(Command::Save { conn, path })?;
        loop {
            match self.next_event()? {
                Event::Saved { .. } => return Ok(()),
                Event::FileFailed { why, path, .. } => {
                    return Err(Failure::Write { path, source: io::Error::other(why) });
                }
                event @ (Event::Intercepted { .. } | Event::InterceptIgnored { .. } | Event::Ended { .. }) => {
                    self.later.push_back(event);
                }
                _ => {}
            }
        }
    }

    /// Saves a session whose own file is in trouble where there is room; gives where.
    pub(super) fn rescue(&mut self, conn: ConnId) -> Result<PathBuf, Failure> {
        self.engine.send(Command::Rescue { conn })?;
        loop {
            match self.next_event()? {
                Event::Saved { path, .. } => return Ok(path),
                Event::FileFailed { why, .. } => return Err(Failure::Engine(why)),
                _ => {}
            }
        }
    }

    /// Writes the session to a file in another format, with a progress line; Ctrl-C stops it.
    pub(super) fn export(&mut self, conn: ConnId, path: PathBuf, job: ExportJob) -> Result<(), Failure> {
        let watch = Arc::new(Watch::stopped_by(Arc::clone(&self.interrupted)));
        self.engine.send(Command::Export { conn, path, job: Box::new(job), watch: Arc::clone(&watch) })?;
        let mut progress = Progress::new(true);
        loop {
            match self.engine.event_timeout(TICK) {
                Some(Event::Saved { .. }) => return Ok(()),
                Some(Event::ExportStopped { path, .. }) => {
                    return Err(Failure::Engine(format!("stopped, nothing was written to {}", path.display())));
                }
                Some(Event::FileFailed { why, .. } | Event::Refused { why, .. }) => return Err(Failure::Engine(why)),
                Some(_) | None => {}
            }
            if let Some(share) = watch.share() {
                progress.show(&format!("writing … {:.0} %", share * 100.0));
            }
        }
    }

    /// Writes the session to standard output; gives what has replaced secrets.
    pub(super) fn export_to(
        &self,
        conn: ConnId,
        job: ExportJob,
        out: &mut dyn io::Write,
    ) -> Result<Option<Redactor>, Failure> {
        let watch = Arc::new(Watch::stopped_by(Arc::clone(&self.interrupted)));
        let written = job.write(self.session(conn)?, &watch, out);
        written.map_err(|source| Failure::Write { path: "standard output".into(), source })
    }

    /// Tells what an export would write.
    pub(super) fn preview(&self, conn: ConnId, job: ExportJob) -> Result<Preview, Failure> {
        let watch = Arc::new(Watch::stopped_by(Arc::clone(&self.interrupted)));
        job.preview(self.session(conn)?, &watch).map_err(|error| Failure::Engine(error.to_string()))
    }

    /// The rows that a filter lets through, with a progress line; Ctrl-C stops it. What cannot be read is said.
    pub(super) fn find(&self, conn: ConnId, filter: Filter) -> Result<Matches, Failure> {
        let session = self.session(conn)?.watched(Arc::new(Watch::stopped_by(Arc::clone(&self.interrupted))));
        let mut progress = Progress::new(true);
        let found = session.find(filter, &mut |share| progress.show(&format!("searching … {:.0} %", share * 100.0)));
        drop(progress);
        let found = found.map_err(|stopped| Failure::Engine(format!("search the session: {stopped}")))?;
        if found.unread_parts > 0 {
            let parts = found.unread_parts;
            print::note(&format!("note: {parts} parts of the session cannot be read and were not searched"));
        }
        Ok(found.matches)
    }

    /// The session of a connection, to be read from beginning to end.
    pub(super) fn session(&self, conn: ConnId) -> Result<SessionReader, Failure> {
        self.engine.session(conn).ok_or_else(|| Failure::Engine("the session is lost".to_owned()))
    }

    /// Forgets a connection that is over.
    pub(super) fn forget(&self, conn: ConnId) -> Result<(), Failure> {
        Ok(self.engine.send(Command::Forget { conn })?)
    }

    fn next_event(&self) -> Result<Event, Failure> {
        self.engine.event_timeout(ANSWER).ok_or_else(|| Failure::Engine("the engine does not answer".to_owned()))
    }
}

impl Outcome {
    fn new(conn: ConnId, view: Arc<View>) -> Self {
        let checklist = checklist(&Case { story: &view.story, probes_pending: false });
        Self { conn, view, checklist }
    }

    /// The story.
    pub(super) fn story(&self) -> &Story {
        &self.view.story
    }

    /// Whether the cause is `healthy`.
    pub(super) fn is_healthy(&self) -> bool {
        self.story().verdict.as_ref().is_some_and(|verdict| verdict.cause == "healthy")
    }
}

/// A state in words, for the progress line.
pub(super) fn state_words(state: State) -> &'static str {
    match state {
        State::NotConnected => "not connected",
        State::Resolving => "resolving the name",
        State::Connecting => "connecting",
        State::Tls => "TLS handshake",
        State::Upgrading => "waiting for the response",
        State::WaitingForConfirmation => "open, waiting for the confirmation",
        State::Open(_) => "open, watching",
        State::Closing => "closing",
        State::Closed(_) | State::Failed => "asking why",
    }
}

const TICK: Duration = Duration::from_millis(100);
/// How long the engine may take for an answer that needs no network.
const ANSWER: Duration = Duration::from_secs(30);
/// How long a closing handshake may take after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(5);
