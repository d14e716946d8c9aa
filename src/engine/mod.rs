//! Everything that touches a socket, a file, a process or the clock: tokio lives here and nowhere else.
//!
//! A face starts the engine, gives it commands, takes its events and reads views; it never waits for it.

mod clock;
mod command;
mod event;
mod pages;
pub mod practice;
mod private_file;
mod recorder;
mod recording;
mod saved;
mod sink;
mod storage;

pub use clock::{Clock, wall_clock_unix_millis};
pub use command::{Command, ConnectOptions, JournalPlace, Outgoing};
pub use event::Event;
pub use pages::replay;
pub use recorder::{OpenError, Recorder, StartError, Wake};
pub use saved::{OpenFileError, SaveError};
pub use sink::Sink;
