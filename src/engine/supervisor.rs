//! Carries out commands: owns the connections' tasks and the practice server, and closes each case with a verdict.

mod disk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use super::client::{self, Wish};
use super::clock::wall_clock_unix_millis;
use super::console::{Consoles, Desk, FileLane, Outlet, PracticeConsole};
use super::file_manager::reveal;
use super::history::{History, timed_end};
use super::inquiry::{Consent, Inquiry, conclude};
use super::intercept::{Guest, Intercept};
use super::lab::{self, LabOrder, LabWish};
use super::library::Library;
use super::mailbox::Mailbox;
use super::practice::{Practice, PracticeOptions};
use super::recorder::Recorder;
use super::sink::Sink;
use super::{Command, ConnectOptions, Event, port};
use crate::observation::{ConnId, ConsoleKind, Fact, LabMeasure, PastEnd};
use crate::wire::Target;

/// How many wishes of the user may wait for a connection.
const WISHES: usize = 256;
/// How many ends of connections may wait to be remembered, and wishes of the idle lab to be carried out.
const INTERNAL: usize = 64;
/// How long a task may take to end after it has told so.
const ENDING: Duration = Duration::from_millis(100);
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
    let history = History::read(recorder.folder());
    let (ends, mut ended) = mpsc::channel(INTERNAL);
    let (lab_wishes, mut lab_inbox) = mpsc::channel(INTERNAL);
    let (guests, mut guest_inbox) = mpsc::channel(INTERNAL);
    let mut supervisor = Supervisor {
        recorder,
        mailbox,
        console,
        consoles,
        connections: BTreeMap::new(),
        practice: None,
        history,
        profiles: Arc::default(),
        ends,
        lab_wishes,
        lab: None,
        guests,
        intercept: None,
        intercepted: 0,
    };
    loop {
        tokio::select! {
            biased;
            // Before the next command: a repetition has to know how the last connection ended.
            Some((target, end)) = ended.recv() => supervisor.history.add(&target, end),
            Some(wish) = lab_inbox.recv() => supervisor.lab_wish(wish).await,
            Some((guest, options)) = guest_inbox.recv() => supervisor.take_in(guest, options),
            command = inbox.recv() => match command {
                Some(command) => supervisor.carry_out(command).await,
                None => break,
            },
        }
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
    history: History,
    /// Held while the profiles are read and changed: two changes at a time would lose one.
    profiles: Arc<Mutex<()>>,
    /// Where connections tell how they ended.
    ends: mpsc::Sender<(Target, PastEnd)>,
    /// Where the idle lab asks for what it needs.
    lab_wishes: mpsc::Sender<LabWish>,
    /// Stops the idle lab that runs.
    lab: Option<watch::Sender<bool>>,
    /// Where clients of others come in.
    guests: mpsc::Sender<(Guest, ConnectOptions)>,
    /// What listens for them.
    intercept: Option<Intercept>,
    /// How many have come.
    intercepted: u32,
}

struct Running {
    wishes: mpsc::Sender<Wish>,
    task: JoinHandle<()>,
    sink: Sink,
    options: Arc<ConnectOptions>,
    /// Whether somebody else is the client.
    is_between: bool,
}

impl Supervisor {
    async fn carry_out(&mut self, command: Command) {
        match command {
            Command::Connect { conn, options } => self.begin(conn, *options, None),
            Command::Send { conn, message } => self.wish(conn, Wish::Send(message)),
            Command::Close { conn, code, reason } => self.wish(conn, Wish::Close { code, reason }),
            Command::Abort { conn } => self.wish(conn, Wish::Abort),
            Command::StartPractice { port } => self.start_practice(port).await,
            Command::PrepareExercise { fault } => self.prepare(fault).await,
            Command::StartIntercept { options } => {
                // The port may be the same.
                self.intercept = None;
                match Intercept::start(*options, self.guests.clone(), Arc::clone(&self.mailbox)).await {
                    Ok(intercept) => {
                        self.mailbox.put(Event::InterceptStarted { address: intercept.address() });
                        self.intercept = Some(intercept);
                    }
                    Err(error) => self.mailbox.put(Event::InterceptFailed { why: error_chain(&error) }),
                }
            }
            Command::StopIntercept => self.intercept = None,
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
            Command::Save { conn, path } => self.save(conn, path),
            Command::Rescue { conn } => self.rescue(conn),
            Command::Export { conn, path, job, watch } => self.export(conn, path, *job, watch),
            Command::OpenFile { conn, path } => self.open_file(conn, path),
            Command::AskFurther { conn } => {
                self.let_end(conn).await;
                self.ask_further(conn, None);
            }
            Command::StartLab { conns, options, limit, ping_every } => {
                self.start_lab(LabOrder { conns, options: *options, limit, ping_every });
            }
            Command::StopLab => {
                if let Some(stop) = &self.lab {
                    // An error means that it has stopped already.
                    stop.send(true).ok();
                }
            }
            Command::ListSessions => self.on_sessions(None, |_, _| Ok(())),
            Command::RememberSession { path } => self.on_sessions(Some(path), Library::remember),
            Command::RenameSession { path, name } => {
                self.on_sessions(Some(path), move |library, path| library.rename(path, &name).map(drop));
            }
            Command::DeleteSession { path } => self.on_sessions(Some(path), Library::delete),
            Command::LimitUnnamed { limit_bytes } => {
                let folder = self.recorder.folder().to_owned();
                self.on_sessions(Some(folder), move |library, _| library.limit_unnamed(limit_bytes));
            }
            Command::ListProfiles => self.on_profiles(|_| Ok(())),
            Command::SaveProfile { name, form } => self.on_profiles(move |profiles| profiles.save(&name, form)),
            Command::DeleteProfile { name } => self.on_profiles(move |profiles| profiles.delete(&name)),
            Command::RevealFile { path } => {
                if let Err(error) = reveal(&path) {
                    self.mailbox.put(Event::SessionFailed { path, why: error.to_string() });
                }
            }
            Command::PutAside { conn } => {
                if self.let_go(conn).await {
                    self.recorder.put_aside(conn);
                }
            }
            Command::Forget { conn } => {
                if self.let_go(conn).await {
                    self.recorder.forget(conn);
                }
            }
        }
    }

    /// Lets a connection go if it is over; `false` if it is not, which is said.
    async fn let_go(&mut self, conn: ConnId) -> bool {
        self.let_end(conn).await;
        if self.connections.get(&conn).is_some_and(|running| !running.task.is_finished()) {
            self.refuse(conn, "this connection is not over yet");
            return false;
        }
        self.connections.remove(&conn);
        true
    }

    /// Begins the session of a client of somebody else.
    fn take_in(&mut self, guest: Guest, options: ConnectOptions) {
        if !guest.asks_for_websocket() {
            self.mailbox.put(Event::InterceptPassed);
            return self.pass_through(guest, options);
        }
        let conn = ConnId(ConnId::INTERCEPTED + self.intercepted);
        // The last name is that of connections that are recorded nowhere.
        self.intercepted = (self.intercepted + 1) % (ConnId::INTERCEPTED - 1);
        // Before its end can be told.
        self.mailbox.put(Event::Intercepted { conn });
        self.begin(conn, options, Some(guest));
    }

    /// Relays a client that asks for something else, the page itself say: that is no session.
    fn pass_through(&self, mut guest: Guest, options: ConnectOptions) {
        let sink = self.recorder.nowhere();
        tokio::spawn(async move {
            // Nobody wishes anything of it; it ends with its client, its server or the program.
            let (_wishes, mut inbox) = mpsc::channel(1);
            if let Some(planned) = client::plan(&options, Some(guest.between), &sink) {
                client::run(&planned, &options, &sink, &mut inbox, Some(&mut guest)).await;
            }
        });
    }

    fn begin(&mut self, conn: ConnId, options: ConnectOptions, mut guest: Option<Guest>) {
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
        let (console, ends) = (Arc::clone(&self.console), self.ends.clone());
        let consoles = Arc::clone(&self.consoles);
        let options = Arc::new(options);
        let running = (sink.clone(), Arc::clone(&options));
        let between = guest.as_ref().map(|guest| guest.between);
        let planned = client::plan(&options, between, &sink);
        let mut look = None;
        if let Some(planned) = &planned {
            look = look_who_listens(&planned.target, &sink);
            let earlier = self.history.of(&planned.target);
            if !earlier.is_empty() {
                sink.push(Fact::EarlierEnds { ends: earlier });
            }
        }
        let task = tokio::spawn(async move {
            let mut lane = None;
            let mut listening = None;
            let mut attached = None;
            if let Some(planned) = planned {
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
                client::run(&planned, &options, &sink, &mut wishes_inbox, guest.as_mut()).await;
            }
            if let Some(guest) = &mut guest {
                guest.part();
            }
            let began = Instant::now();
            let inquiry = Inquiry { conn, recorder: &recorder, sink: &sink, options: &options, began };
            let has_lane = lane.is_some() || consoles.is_any();
            inquiry.first_verdict(has_lane).await;
            if has_lane {
                // Lines that came by themselves stand before those that our probes provoke.
                let lane = async {
                    if let Some(lane) = &lane {
                        lane.settle().await;
                    }
                };
                tokio::join!(lane, consoles.settle());
            }
            inquiry.ask(Consent::AsPlanned).await;
            if let Some(guest) = guest.filter(Guest::waits) {
                inquiry.tell(guest).await;
            }
            drop(listening);
            consoles.catch_up().await;
            drop(attached);
            if let Some(lane) = lane {
                lane.finish().await;
            }
            // Nothing comes after the last word, and a busy machine may take long to look.
            if let Some(look) = look {
                look.await.ok();
            }
            let (story, next) = inquiry.conclude().await;
            if let Some(end) = story.and_then(|story| timed_end(&story)) {
                // Nobody is left to remember it only when the program ends.
                ends.send(end).await.ok();
            }
            tracing::debug!(conn = conn.0, "a connection is over");
            mailbox.put(Event::Ended { conn });
            if let Some((reconnect, pause)) = next
                && is_awaited(pause, &mut wishes_inbox).await
            {
                let options =
                    Box::new(ConnectOptions { reconnect: Some(reconnect), ..ConnectOptions::clone(&options) });
                mailbox.put(Event::ReconnectDue { conn, options });
            }
        });
        let (sink, options) = running;
        self.connections.insert(conn, Running { wishes, task, sink, options, is_between: between.is_some() });
    }

    /// Waits a moment for the task of a connection: it tells its end just before it ends itself.
    async fn let_end(&self, conn: ConnId) {
        let until = Instant::now() + ENDING;
        while self.connections.get(&conn).is_some_and(|running| !running.task.is_finished()) && Instant::now() < until {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Asks about a connection that is over what the user agreed to, or adds a measurement to it, and judges it again.
    fn ask_further(&mut self, conn: ConnId, measure: Option<Box<LabMeasure>>) {
        let Some(running) = self.connections.get_mut(&conn).filter(|running| running.task.is_finished()) else {
            return self.refuse(conn, "only a connection that is over can be asked about");
        };
        let (recorder, mailbox) = (Arc::clone(&self.recorder), Arc::clone(&self.mailbox));
        let (sink, options) = (running.sink.clone(), Arc::clone(&running.options));
        running.task = tokio::spawn(async move {
            let began = Instant::now();
            let inquiry = Inquiry { conn, recorder: &recorder, sink: &sink, options: &options, began };
            if let Some(measure) = measure {
                sink.push(Fact::LabMeasured(measure.clone()));
                inquiry.conclude().await;
                return mailbox.put(Event::LabEnded { silent: conn, measure });
            }
            inquiry.ask(Consent::Given).await;
            inquiry.conclude().await;
            mailbox.put(Event::Ended { conn });
        });
    }

    fn start_lab(&mut self, order: LabOrder) {
        let runs = self.lab.as_ref().is_some_and(|stop| !stop.is_closed());
        if let Some(conn) = order.conns.iter().find(|conn| runs || self.connections.contains_key(conn)) {
            let why = if runs { "the idle lab runs already" } else { "this connection exists already" };
            return self.refuse(*conn, why);
        }
        let (stop, stops) = watch::channel(false);
        self.lab = Some(stop);
        tokio::spawn(lab::run(order, Arc::clone(&self.recorder), self.lab_wishes.clone(), stops));
    }

    async fn lab_wish(&mut self, wish: LabWish) {
        match wish {
            LabWish::Command(command) => Box::pin(self.carry_out(command)).await,
            LabWish::Measured { conn, measure } => {
                if self.connections.get(&conn).is_some_and(|running| running.task.is_finished()) {
                    self.ask_further(conn, Some(measure));
                } else {
                    self.mailbox.put(Event::LabEnded { silent: conn, measure });
                }
            }
        }
    }

    fn wish(&self, conn: ConnId, wish: Wish) {
        let sent = match self.connections.get(&conn) {
            Some(running) if running.is_between && matches!(wish, Wish::Send(_)) => {
                return self.refuse(conn, "the client sends its own messages: nothing can be sent in its place");
            }
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
            tokio::spawn(async move { drop(conclude(conn, None, &recorder, &sink).await) });
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

/// Looks who listens on a port of this machine, beside the connection that begins.
fn look_who_listens(target: &Target, sink: &Sink) -> Option<JoinHandle<()>> {
    let (port, sink) = (target.is_loopback().then_some(target.port)?, sink.clone());
    Some(tokio::task::spawn_blocking(move || {
        let listeners = port::listeners(port);
        sink.push(Fact::ListenersSeen { port, listeners });
    }))
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
