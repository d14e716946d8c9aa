//! Everything that touches a socket, a file, a process or the clock: tokio lives here and nowhere else.
//!
//! A face starts the engine, gives it commands, takes its events and reads views; it never waits for it. Facts about
//! connections go to the recorder, answers to a face go through the mailbox. Start at [`Engine::start`].

mod client;
mod clock;
mod command;
mod console;
mod event;
mod exporting;
mod file_manager;
mod history;
mod inquiry;
mod intercept;
mod journal_file;
mod lab;
mod library;
mod mailbox;
mod pages;
mod pool;
mod port;
pub mod practice;
mod private_file;
mod probe;
mod profiles;
mod reconnect;
mod recorder;
mod recording;
mod saved;
mod search;
mod session_reader;
mod sink;
mod storage;
mod supervisor;
mod system;
mod tcp_queues;
mod unsaved;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc;

pub use client::{ClientCertificate, ClientCertificateError};
pub use command::{Command, ConnectOptions, JournalPlace, KeepAliveOptions, Outgoing, ProxyChoice};
pub use console::{ConsoleEntry, ConsoleEvent, ConsoleId, ConsoleSource, ConsoleState, ConsoleTail};
pub use event::Event;
pub use exporting::{ExportError, ExportJob};
pub use intercept::{InterceptError, InterceptOptions, TOLD_CODE};
pub use library::{SavedSession, UnnamedRoom};
pub use pages::replay;
pub use profiles::Profile;
pub use reconnect::Reconnect;
pub use recorder::{OpenError, Recorder, StartError, Wake};
pub use saved::{OpenFileError, SaveError};
pub use session_reader::{Finding, SessionReader, Stopped, Watch};
pub use sink::Sink;
pub use supervisor::error_chain;

use crate::observation::ConnId;
use crate::store::View;
use console::Desk;
use mailbox::Mailbox;

/// How many commands may wait.
const COMMANDS: usize = 256;

/// The engine; see [`Engine::start`].
pub struct Engine;

/// The engine is too busy to take another command, or has ended.
#[derive(Debug, thiserror::Error)]
#[error("the engine takes no more commands at the moment")]
pub struct Busy;

impl Engine {
    /// Starts the runtime, the recorder and their threads; `wake` is called when a view or an event is new.
    pub fn start(wake: Wake) -> Result<EngineHandle, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("engine")
            .enable_all()
            .build()
            .map_err(StartError::Runtime)?;
        let recorder = Arc::new(Recorder::start(Arc::clone(&wake))?);
        let mailbox = Arc::new(Mailbox::new(wake));
        let desk = Desk::new(Arc::clone(&mailbox));
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let interrupted = Arc::new(AtomicBool::new(false));
        let thread = {
            let (recorder, mailbox, desk) = (Arc::clone(&recorder), Arc::clone(&mailbox), Arc::clone(&desk));
            let runner = move || {
                runtime.block_on(supervisor::run(inbox, recorder, mailbox, desk));
                // A resolver that still waits must not hold the program.
                runtime.shutdown_timeout(Duration::from_millis(100));
            };
            let thread = std::thread::Builder::new().name("supervisor".to_owned()).spawn(runner);
            thread.map_err(|source| StartError::Thread { name: "supervisor", source })?
        };
        Ok(EngineHandle { commands: Some(commands), mailbox, desk, recorder, interrupted, thread: Some(thread) })
    }
}

/// A face's end of the engine. Dropping it closes every connection (1001) and ends the engine.
pub struct EngineHandle {
    commands: Option<mpsc::Sender<Command>>,
    mailbox: Arc<Mailbox>,
    desk: Arc<Desk>,
    recorder: Arc<Recorder>,
    interrupted: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EngineHandle {
    /// Gives a command; never blocks.
    pub fn send(&self, command: Command) -> Result<(), Busy> {
        let commands = self.commands.as_ref().ok_or(Busy)?;
        commands.try_send(command).or(Err(Busy))
    }

    /// Takes the next event, if there is one.
    pub fn try_event(&self) -> Option<Event> {
        self.mailbox.take(Duration::ZERO)
    }

    /// Takes the next event, waiting for it at most so long.
    pub fn event_timeout(&self, limit: Duration) -> Option<Event> {
        self.mailbox.take(limit)
    }

    /// The newest view of a connection.
    pub fn view(&self, conn: ConnId) -> Option<Arc<View>> {
        self.recorder.view(conn)
    }

    /// The newest picture of a connection, to be read from beginning to end; for exports and comparisons.
    pub fn session(&self, conn: ConnId) -> Option<SessionReader> {
        self.recorder.session(conn)
    }

    /// The newest lines of the attached consoles, from this number on.
    pub fn console_tail(&self, from: u64) -> ConsoleTail {
        self.desk.tail(from)
    }

    /// Where the journal of a connection lies, if it lies in a file.
    pub fn journal_path(&self, conn: ConnId) -> Option<PathBuf> {
        self.recorder.journal_path(conn)
    }

    /// A flag that is set once the user presses Ctrl-C or the system asks the program to end; without this call both end
    /// the program at once.
    pub fn watch_interrupts(&self) -> Arc<AtomicBool> {
        let flag = Arc::clone(&self.interrupted);
        let mailbox = Arc::clone(&self.mailbox);
        let setter = Arc::clone(&flag);
        let watch = move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
                return;
            };
            if runtime.block_on(asked_to_end()).is_ok() {
                setter.store(true, Ordering::Relaxed);
                mailbox.wake();
            }
        };
        // Without the thread Ctrl-C keeps its usual meaning.
        std::thread::Builder::new().name("interrupts".to_owned()).spawn(watch).ok();
        flag
    }
}

/// Waits for Ctrl-C, a request to end, or the end of the terminal.
#[cfg(unix)]
async fn asked_to_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut ends = signal(SignalKind::terminate())?;
    let mut hangs_up = signal(SignalKind::hangup())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = ends.recv() => Ok(()),
        _ = hangs_up.recv() => Ok(()),
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
async fn asked_to_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}

impl Drop for EngineHandle {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the supervisor was reported by its own thread.
            thread.join().ok();
        }
    }
}
