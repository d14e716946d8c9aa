//! Everything that touches a socket, a file, a process or the clock: tokio lives here and nowhere else.
//!
//! A face starts the engine, gives it commands, takes its events and reads views; it never waits for it.


mod command;
mod event;
pub mod practice;

pub use command::{Command, ConnectOptions, JournalPlace, Outgoing};
pub use event::Event;
