//! The server's console on its way into a session: a file that is followed, a command that we start, standard input, and
//! the practice server's lines.
//!
//! Every line becomes a [`crate::observation::Fact::ConsoleLine`] at the moment of its arrival. What a line means is not
//! decided here; the diagnosis does. Start at [`Consoles`]; [`FileLane`] is a file that one session alone follows.

mod attached;
mod command;
mod desk;
mod follow;
mod lines;
mod outlet;
mod pipe;
mod practice;
mod process_group;

pub use attached::ConsoleSource;
pub use desk::{ConsoleEntry, ConsoleEvent, ConsoleId, ConsoleState, ConsoleTail};

pub(crate) use attached::Consoles;
pub(crate) use desk::Desk;
pub(crate) use follow::FileLane;
pub(crate) use outlet::Outlet;
pub(crate) use practice::PracticeConsole;
