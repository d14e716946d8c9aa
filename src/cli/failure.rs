//! What keeps a command from its work, and the exit status for it.

use std::io;
use std::path::PathBuf;

use crate::engine::{Busy, StartError};
use crate::token::MintError;

/// Why a command could not do its work.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// What was typed cannot work.
    #[error("{0}")]
    Usage(String),
    /// A file that the user named could not be read.
    #[error("read {what} {}", path.display())]
    Read {
        /// What it should hold.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A token cannot be made of this.
    #[error("make the token")]
    Mint(#[from] MintError),
    /// The engine did not start.
    #[error("start the engine")]
    Start(#[from] StartError),
    /// The engine took no command.
    #[error("give the engine a command")]
    Busy(#[from] Busy),
    /// The engine could not do it.
    #[error("{0}")]
    Engine(String),
    /// A file or standard output could not be written.
    #[error("write {}", path.display())]
    Write {
        /// The file, or `standard output`.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl Failure {
    /// The exit status for it: 2 for usage, 3 where Sockeye itself failed.
    pub(super) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Read { .. } | Self::Mint(_) => 2,
            Self::Start(_) | Self::Busy(_) | Self::Engine(_) | Self::Write { .. } => 3,
        }
    }

    /// Whether nobody reads our output any more, which needs no words.
    pub(super) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Write { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
