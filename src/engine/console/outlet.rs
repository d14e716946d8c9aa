//! Where a lane's lines go: into one session, or to the desk that hands them to the window and to every session.

use std::future::poll_fn;
use std::sync::Arc;

use super::desk::{ConsoleId, Desk};
use crate::engine::sink::Sink;
use crate::observation::{ConsoleKind, Fact};

/// Takes the lines of one console.
#[derive(Clone)]
pub(crate) enum Outlet {
    /// One session.
    Session {
        /// Its facts.
        sink: Sink,
        /// What the lines are named after.
        source: String,
    },
    /// Whoever wants them.
    Desk {
        /// The desk.
        desk: Arc<Desk>,
        /// Which console this is.
        console: ConsoleId,
    },
}

impl Outlet {
    /// A session, which is told that the console is attached.
    pub(crate) fn session(sink: Sink, source: String, kind: ConsoleKind) -> Self {
        sink.push(Fact::ConsoleAttached { source: source.clone(), kind });
        Self::Session { sink, source }
    }

    /// Hands on a line.
    pub(super) fn line(&self, text: String) {
        match self {
            Self::Session { sink, source } => sink.push(Fact::ConsoleLine { source: source.clone(), text }),
            Self::Desk { desk, console } => desk.line(*console, text),
        }
    }

    /// Says what could not be observed.
    pub(super) fn note(&self, text: String) {
        match self {
            Self::Session { sink, .. } => sink.push(Fact::Note { text }),
            Self::Desk { desk, console } => desk.note(*console, text),
        }
    }

    /// Waits until the recorder has room for more.
    pub(super) async fn room(&self) {
        match self {
            Self::Session { sink, .. } => poll_fn(|context| sink.poll_room(context)).await,
            Self::Desk { desk, .. } => {
                if let Some(sink) = desk.any_session() {
                    poll_fn(|context| sink.poll_room(context)).await;
                }
            }
        }
    }
}
