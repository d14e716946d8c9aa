//! Carries out commands: owns the connections' tasks and the practice server, and closes each case with a verdict.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::client::{self, Wish};
use super::clock::wall_clock_unix_millis;
use super::console::{Consoles, Desk, FileLane, Outlet, PracticeConsole};
use super::mailbox::Mailbox;
use super::practice::{Practice, PracticeOptions};
use super::reconnect::{Reconnect, chance};
use super::recorder::Recorder;
use super::save::save;
use super::sink::Sink;
use super::{Command, ConnectOptions, Event, probe};
use crate::diagnosis::{Case, diagnose, next_probes};
use crate::observation::{ConnId, ConsoleKind, Fact};

/// How many wishes of the user may wait for a connection.
const WISHES: usize = 256;
/// How often probes may lead to further probes.
const PROBE_ROUNDS: usize = 3;
/// How long connections may take to end when the program ends.
const FAREWELL: Duration = Duration::from_secs(1);

/// Runs until the face is gone.
pub(crate) async fn run(
    mut inbox: mpsc::Receiver<Command>,
    recorder: Arc<Recorder>,
    mailbox: Arc<Mailbox>,
    desk: Arc<Desk>,
) {
    let console = PracticeConsole::new(Arc::clone(&mailbox));
    let consoles = Consoles::new(desk);
    let connections = BTreeMap::new();
    let mut supervisor = Supervisor { recorder, mailbox, console, consoles, connections, practice: None };
    while let Some(command) = inbox.recv().await {
        supervisor.carry_out(command).await;
    }
    supervisor.farewell().await;
}

struct Supervisor {
    recorder: Arc<Recorder>,
    mailbox: Arc<Mailbox>,
    console: Arc<PracticeConsole>,
    consoles: Arc<Consoles>,
    connections: BTreeMap<ConnId, Running>,
    practice: Option<Practice>,
}

struct Running {
    wishes: mpsc::Sender<Wish>,
    sink: Sink,
    task: JoinHandle<()>,
}

impl Supervisor {
    async fn carry_out(&mut self, command: Command) {
        match command {
            Command::Connect { conn, options } => self.connect(conn, *options),
            Command::Send { conn, message } => self.wish(conn, Wish::Send(message)),
            Command::Close { conn, code, reason } => self.wish(conn, Wish::Close { code, reason }),
            Command::Abort { conn } => self.wish(conn, Wish::Abort),
            Command::StartPractice { port } => self.start_practice(port).await,
            Command::PrepareExercise { fault } => self.prepare(fault).await,
            Command::AttachConsole { console, source } => {
                if let Err(error) = self.consoles.attach(console, source).await {
                    self.mailbox.put(Event::ConsoleFailed { console, why: error_chain(&error) });
                }
            }
            Command::DetachConsole { console } => {
                let consoles = Arc::clone(&self.consoles);
                tokio::spawn(async move { consoles.detach(console).await });
            }
            Command::Paste { conn, console, text } => self.paste(conn, Fact::pasted(console, &text)),
            Command::Save { conn, path, redact } => self.save(conn, path, redact),
            Command::OpenFile { conn, path } => self.open_file(conn, path),
            Command::Forget { conn } => {
                if self.connections.get(&conn).is_some_and(|running| !running.task.is_finished()) {
                    self.refuse(conn, "this connection is not over yet");
                } else {
                    self.connections.remove(&conn);
                    self.recorder.forget(conn);
                }
            }
        }
    }

    fn connect(&mut self, conn: ConnId, options: ConnectOptions) {
        if self.connections.contains_key(&conn) {
            return self.refuse(conn, "this connection exists already");
        }
        let sink = match self.recorder.open(conn, &options.journal) {
            Ok(sink) => sink,
            Err(error) => return self.refuse(conn, &error_chain(&error)),
        };
        tracing::debug!(conn = conn.0, "a connection begins");
        let (wishes, mut wishes_inbox) = mpsc::channel(WISHES);
        let (recorder, mailbox) = (Arc::clone(&self.recorder), Arc::clone(&self.mailbox));
        let console = Arc::clone(&self.console);
        let consoles = Arc::clone(&self.consoles);
        let theirs = sink.clone();
        let task = tokio::spawn(async move {
            let mut lane = None;
            let mut listening = None;
            let mut attached = None;
            if let Some(planned) = client::plan(&options, &sink) {
                listening = console.listen(conn, &planned.target, &sink);
                if let Some(path) = options.server_log.clone() {
                    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                    let outlet = Outlet::session(sink.clone(), name, ConsoleKind::File);
                    lane = Some(FileLane::start(path, outlet).await);
                }
                consoles.ready(&planned.target, options.server_wait).await;
                attached = Some(consoles.listen(conn, &sink));
                for (console, text) in &options.pasted {
                    sink.push(Fact::pasted(*console, text));
                }
                client::run(&planned, &options, &sink, &mut wishes_inbox).await;
            }
            ask_further(conn, &recorder, &sink, lane.as_ref(), &consoles).await;
            drop(listening);
            consoles.catch_up().await;
            drop(attached);
            if let Some(lane) = lane {
                lane.finish().await;
            }
            let next = conclude(conn, options.reconnect, &recorder, &sink).await;
            tracing::debug!(conn = conn.0, "a connection is over");
            mailbox.put(Event::Ended { conn });
            if let Some((reconnect, pause)) = next
                && is_awaited(pause, &mut wishes_inbox).await
            {
                let options = Box::new(ConnectOptions { reconnect: Some(reconnect), ..options });
                mailbox.put(Event::ReconnectDue { conn, options });
            }
        });
        self.connections.insert(conn, Running { wishes, sink: theirs, task });
    }

    fn wish(&self, conn: ConnId, wish: Wish) {
        let sent = match self.connections.get(&conn) {
            Some(running) => running.wishes.try_send(wish),
            None => return self.refuse(conn, "there is no such connection"),
        };
        match sent {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.refuse(conn, "the connection does not keep up with sending");
            }
            Err(mpsc::error::TrySendError::Closed(_)) => self.refuse(conn, "the connection is over"),
        }
    }

    /// Adds what the user pasted to a session; one that is over is judged again.
    fn paste(&self, conn: ConnId, pasted: Fact) {
        let Some(running) = self.connections.get(&conn) else {
            return self.refuse(conn, "nothing can be added to a session that was opened from a file");
        };
        running.sink.push(pasted);
        if running.task.is_finished() {
            let (recorder, sink) = (Arc::clone(&self.recorder), running.sink.clone());
            tokio::spawn(async move { conclude(conn, None, &recorder, &sink).await });
        }
    }

    fn refuse(&self, conn: ConnId, why: &str) {
        self.mailbox.put(Event::Refused { conn, why: why.to_owned() });
    }

    async fn start_practice(&mut self, port: u16) {
        if let Some(practice) = &self.practice {
            return self.mailbox.put(Event::PracticeStarted { address: practice.address() });
        }
        match Practice::start(PracticeOptions { port, secret: None, console: self.console.sink() }).await {
            Ok(practice) => {
                self.mailbox.put(Event::PracticeStarted { address: practice.address() });
                self.practice = Some(practice);
            }
            Err(error) => self.mailbox.put(Event::PracticeFailed { why: error_chain(&error) }),
        }
    }

    async fn prepare(&self, fault: Option<String>) {
        let Some(practice) = &self.practice else {
            return self.mailbox.put(Event::PracticeFailed { why: "the practice server does not run".to_owned() });
        };
        self.console.begin_exercise();
        let exercise = practice.exercise(fault.as_deref(), wall_clock_unix_millis().div_euclid(1000)).await;
        self.console.end_exercise(exercise.as_ref().ok().map(|exercise| exercise.url.as_str()));
        match exercise {
            Ok(exercise) => self.mailbox.put(Event::ExerciseReady { fault, exercise: Box::new(exercise) }),
            Err(error) => self.mailbox.put(Event::PracticeFailed { why: error_chain(&error) }),
        }
    }

    /// Saves off the runtime's threads: a long session takes its time.
    fn save(&self, conn: ConnId, path: PathBuf, redact: bool) {
        let (recorder, mailbox) = (Arc::clone(&self.recorder), Arc::clone(&self.mailbox));
        tokio::task::spawn_blocking(move || match save(&recorder, conn, &path, redact) {
            Ok(()) => mailbox.put(Event::Saved { conn, path }),
            Err(error) => mailbox.put(Event::FileFailed { conn, path, why: error_chain(&error) }),
        });
    }

    /// Opens a saved session off the runtime's threads.
    fn open_file(&self, conn: ConnId, path: PathBuf) {
        let (recorder, mailbox) = (Arc::clone(&self.recorder), Arc::clone(&self.mailbox));
        tokio::task::spawn_blocking(move || match recorder.open_file(conn, &path) {
            Ok(remarks) => mailbox.put(Event::Opened { conn, path, remarks }),
            Err(error) => mailbox.put(Event::FileFailed { conn, path, why: error_chain(&error) }),
        });
    }

    async fn farewell(self) {
        for running in self.connections.values() {
            // A connection that is over takes no wishes.
            running.wishes.try_send(Wish::Shutdown).ok();
        }
        let tasks = self.connections.into_values().map(|running| running.task);
        // What has not ended by then ends with the runtime; its journal says that it is unfinished.
        timeout(FAREWELL, join_all(tasks)).await.ok();
        self.consoles.end().await;
    }
}

/// Asks what may still be asked, with a first verdict before that.
async fn ask_further(conn: ConnId, recorder: &Recorder, sink: &Sink, lane: Option<&FileLane>, consoles: &Consoles) {
    if lane.is_some() || consoles.is_any() {
        // The last lines may be on their way; the first verdict does not wait for them.
        if let Some(story) = recorder.settle(conn).await {
            let verdict = diagnose(&Case { story: &story, probes_pending: true });
            sink.push(Fact::Concluded(Box::new(verdict)));
        }
        // Lines that came by themselves stand before those that our probes provoke.
        let lane = async {
            if let Some(lane) = lane {
                lane.settle().await;
            }
        };
        tokio::join!(lane, consoles.settle());
    }
    for _ in 0..PROBE_ROUNDS {
        let Some(story) = recorder.settle(conn).await else {
            return;
        };
        let probes = next_probes(&Case { story: &story, probes_pending: true });
        if probes.is_empty() {
            break;
        }
        if story.verdict.is_none() {
            let verdict = diagnose(&Case { story: &story, probes_pending: true });
            sink.push(Fact::Concluded(Box::new(verdict)));
        }
        join_all(probes.into_iter().map(|probe| async move {
            sink.push(Fact::ProbeStarted(probe.clone()));
            let outcome = probe::run(&probe).await;
            sink.push(Fact::ProbeEnded { probe, outcome });
        }))
        .await;
    }
}

/// Gives the last verdict; returns how the connection is to be made again and when, if it is.
async fn conclude(
    conn: ConnId,
    reconnect: Option<Reconnect>,
    recorder: &Recorder,
    sink: &Sink,
) -> Option<(Reconnect, Duration)> {
    let story = recorder.settle(conn).await?;
    sink.push(Fact::Concluded(Box::new(diagnose(&Case { story: &story, probes_pending: false }))));
    let next = reconnect.and_then(|reconnect| reconnect.after(&story)).map(|next| (next, next.pause(chance())));
    if let Some((next, pause)) = next {
        let millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        sink.push(Fact::ReconnectPlanned { number: next.made, millis });
    }
    sink.push(Fact::Finished);
    recorder.settle(conn).await;
    next
}

/// Waits before a connection is made again; a wish to end or the end of the program stops it.
async fn is_awaited(pause: Duration, wishes: &mut mpsc::Receiver<Wish>) -> bool {
    let stopped = async {
        loop {
            match wishes.recv().await {
                Some(Wish::Send(_)) => {}
                Some(Wish::Close { .. } | Wish::Abort | Wish::Shutdown) | None => return,
            }
        }
    };
    timeout(pause, stopped).await.is_err()
}

/// An error with its sources, in one line.
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
