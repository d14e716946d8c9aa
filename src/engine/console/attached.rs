//! The consoles that are attached for as long as the face wants them: files, commands, standard input.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::command::CommandLane;
use super::desk::{ConsoleId, Desk, Listening};
use super::follow::{FileLane, LATE};
use super::outlet::Outlet;
use super::pipe::PipeLane;
use crate::engine::port::is_listened_by;
use crate::engine::sink::Sink;
use crate::observation::{ConnId, ConsoleKind};
use crate::wire::Target;

/// Where the lines of a console come from.
#[derive(Clone, PartialEq, Eq)]
pub enum ConsoleSource {
    /// A log file that is followed: from its end on, through rotation, truncation and late appearance.
    File(PathBuf),
    /// A command line for the platform's shell, started with its own process group and ended with the engine.
    Command(String),
    /// Our standard input.
    StandardInput,
}

impl std::fmt::Debug for ConsoleSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A path or a command line may hold a secret.
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Command(_) => "Command",
            Self::StandardInput => "StandardInput",
        })
    }
}

/// Why a console could not be attached.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttachError {
    /// Its name is in use.
    #[error("this console is attached already")]
    Taken,
    /// The command could not be started.
    #[error("the command could not be started")]
    Start(#[source] std::io::Error),
    /// The pipe could not be read.
    #[error("the console's pipe could not be read")]
    Pipe(#[source] std::io::Error),
}

enum Lane {
    File(FileLane),
    Pipe(PipeLane),
    Command(CommandLane),
}

/// The attached consoles and what keeps them going.
pub(crate) struct Consoles {
    desk: Arc<Desk>,
    lanes: Mutex<BTreeMap<ConsoleId, Arc<Lane>>>,
}

impl Consoles {
    /// No consoles, with this desk for their lines.
    pub(crate) fn new(desk: Arc<Desk>) -> Arc<Self> {
        Arc::new(Self { desk, lanes: Mutex::default() })
    }

    /// Attaches a console.
    pub(crate) async fn attach(&self, console: ConsoleId, source: ConsoleSource) -> Result<(), AttachError> {
        if self.desk.has(console) {
            return Err(AttachError::Taken);
        }
        let desk = Arc::clone(&self.desk);
        let lane = match source {
            ConsoleSource::File(path) => {
                let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                self.desk.attach(console, &name, ConsoleKind::File, None);
                Lane::File(FileLane::start(path, Outlet::Desk { desk, console }).await)
            }
            ConsoleSource::StandardInput => {
                self.desk.attach(console, "standard input", ConsoleKind::StandardInput, None);
                Lane::Pipe(PipeLane::start(std::io::stdin(), desk, console).map_err(AttachError::Pipe)?)
            }
            ConsoleSource::Command(command) => Lane::Command(CommandLane::start(&command, desk, console)?),
        };
        self.lanes().insert(console, Arc::new(lane));
        Ok(())
    }

    /// Lets a console go; a command is ended with everything that it has started.
    pub(crate) async fn detach(&self, console: ConsoleId) {
        // It stays in the list until it has ended, so that the end of the program ends it too.
        let lane = self.lanes().get(&console).cloned();
        if let Some(lane) = lane {
            lane.end().await;
        }
        self.lanes().remove(&console);
        self.desk.detach(console);
    }

    fn lanes(&self) -> MutexGuard<'_, BTreeMap<ConsoleId, Arc<Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all of them go.
    pub(crate) async fn end(&self) {
        let lanes = std::mem::take(&mut *self.lanes());
        join_all(lanes.values().map(|lane| lane.end())).await;
    }

    /// Hands every line to a session from here on.
    pub(crate) fn listen(&self, conn: ConnId, sink: &Sink) -> Listening {
        self.desk.listen(conn, sink)
    }

    /// Whether any console is attached.
    pub(crate) fn is_any(&self) -> bool {
        !self.lanes().is_empty()
    }

    /// Waits until what the server wrote at the end has had time to arrive, and is told.
    pub(crate) async fn settle(&self) {
        if self.is_any() {
            sleep(LATE).await;
            self.catch_up().await;
        }
    }

    /// Takes a last look at every console.
    pub(crate) async fn catch_up(&self) {
        let lanes: Vec<_> = self.lanes().values().cloned().collect();
        join_all(lanes.iter().map(|lane| lane.catch_up())).await;
    }

    /// Waits until servers that are being started listen, at most so long from their start on: they say so, end, or the
    /// target's port accepts.
    ///
    /// A port that accepts from the first look on may be another process's: it counts where what we have started holds it.
    pub(crate) async fn ready(&self, target: &Target, limit: Duration) {
        if self.desk.starting(limit).is_empty() {
            return;
        }
        let was_taken = accepts(target).await;
        loop {
            let starting = self.desk.starting(limit);
            if starting.is_empty() {
                return;
            }
            let listens = if was_taken { is_held_by(&starting, target.port).await } else { accepts(target).await };
            if listens {
                for (console, _) in starting {
                    self.desk.ready(console);
                }
                return;
            }
            sleep(READY_POLL).await;
        }
    }
}

impl Lane {
    async fn catch_up(&self) {
        match self {
            Self::File(lane) => lane.catch_up().await,
            Self::Pipe(lane) => lane.catch_up().await,
            Self::Command(lane) => lane.catch_up().await,
        }
    }

    async fn end(&self) {
        match self {
            Self::File(_) | Self::Pipe(_) => {}
            Self::Command(lane) => lane.end().await,
        }
    }
}

/// Whether the target's port on this machine accepts a TCP connection; other machines are not asked.
async fn accepts(target: &Target) -> bool {
    if !target.is_loopback() {
        return false;
    }
    let addresses: Vec<IpAddr> = match target.host.trim_matches(['[', ']']).parse() {
        Ok(ip) => vec![ip],
        Err(_) => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
    };
    let tries =
        addresses.into_iter().map(|ip| timeout(READY_CONNECT, TcpStream::connect(SocketAddr::new(ip, target.port))));
    join_all(tries).await.into_iter().any(|tried| matches!(tried, Ok(Ok(_))))
}

/// Whether what we have started listens on a port of this machine.
async fn is_held_by(starting: &[(ConsoleId, Option<u32>)], port: u16) -> bool {
    let pids: Vec<u32> = starting.iter().filter_map(|(_, pid)| *pid).collect();
    // Nobody is known to hold it where the system does not tell.
    !pids.is_empty() && spawn_blocking(move || is_listened_by(port, &pids)).await.unwrap_or_default()
}

/// How often a server that is being started is looked at.
const READY_POLL: Duration = Duration::from_millis(100);
/// How long the look may take.
const READY_CONNECT: Duration = Duration::from_millis(200);
