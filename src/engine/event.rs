//! What the engine answers a face; facts about connections go through the view instead.

use std::net::SocketAddr;
use std::path::PathBuf;

#[cfg(doc)]
use super::Command;
use super::ConnectOptions;
use super::console::ConsoleId;
use super::practice::Exercise;
use super::{Profile, SavedSession, UnnamedRoom};
use crate::observation::{ConnId, LabMeasure};

/// An answer of the engine.
#[derive(Debug)]
pub enum Event {
    /// A connection is over: its last view, with the final verdict, is published.
    Ended {
        /// Which connection.
        conn: ConnId,
    },
    /// The idle lab has measured; the silent connection's verdict is published.
    LabEnded {
        /// The silent connection.
        silent: ConnId,
        /// What was measured.
        measure: Box<LabMeasure>,
    },
    /// The pause after a connection that is to be made again is over; it is asked for with [`Command::Connect`].
    ReconnectDue {
        /// Which connection is over.
        conn: ConnId,
        /// What to connect with.
        options: Box<ConnectOptions>,
    },
    /// A command could not be carried out.
    Refused {
        /// Which connection it was about.
        conn: ConnId,
        /// Why, in words for the user.
        why: String,
    },
    /// The practice server runs.
    PracticeStarted {
        /// Where.
        address: SocketAddr,
    },
    /// A line of the practice server's console.
    PracticeLine {
        /// The line.
        text: String,
    },
    /// Connections of others are listened for.
    InterceptStarted {
        /// Where.
        address: SocketAddr,
    },
    /// Nothing is intercepted.
    InterceptFailed {
        /// Why, in words for the user.
        why: String,
    },
    /// A client of somebody else connects through us; its session is one like any other.
    Intercepted {
        /// The name that the engine gave it.
        conn: ConnId,
    },
    /// A client asked our port for something else than a WebSocket: it is relayed, and makes no session.
    InterceptPassed,
    /// A client connected to our port and asked for nothing that could be relayed.
    InterceptIgnored {
        /// From where.
        client: SocketAddr,
        /// Why, in words for the user.
        why: String,
    },
    /// A console could not be attached.
    ConsoleFailed {
        /// Which one.
        console: ConsoleId,
        /// Why, in words for the user.
        why: String,
    },
    /// A connection to the practice server is prepared.
    ExerciseReady {
        /// The fault asked for.
        fault: Option<String>,
        /// What to connect with.
        exercise: Box<Exercise>,
    },
    /// The practice server could not be started or does not know the fault.
    PracticeFailed {
        /// Why, in words for the user.
        why: String,
    },
    /// A session was saved.
    Saved {
        /// Which connection.
        conn: ConnId,
        /// Where to.
        path: PathBuf,
    },
    /// The sessions on disk, the newest first.
    Sessions {
        /// All of them.
        sessions: Vec<SavedSession>,
        /// How much those without a name take and may take.
        unnamed: UnnamedRoom,
    },
    /// The profiles, by name.
    Profiles {
        /// All of them.
        profiles: Vec<Profile>,
    },
    /// Profiles could not be read or changed.
    ProfilesFailed {
        /// Why, in words for the user.
        why: String,
    },
    /// Something about a session on disk could not be done.
    SessionFailed {
        /// Its file.
        path: PathBuf,
        /// Why, in words for the user.
        why: String,
    },
    /// An export was stopped; nothing was written.
    ExportStopped {
        /// Which connection.
        conn: ConnId,
        /// Where it would have gone.
        path: PathBuf,
    },
    /// A saved session is open; its view is published.
    Opened {
        /// Its name.
        conn: ConnId,
        /// From where.
        path: PathBuf,
        /// What is wrong with the file, e.g. that it is torn.
        remarks: Vec<String>,
    },
    /// A file could not be read or written.
    FileFailed {
        /// Which connection it was about.
        conn: ConnId,
        /// The file.
        path: PathBuf,
        /// Why, in words for the user.
        why: String,
    },
}
