//! The server's console on its way into a session: the practice server's lines, and a log file that is followed.
//!
//! Every line becomes a [`crate::observation::Fact::ConsoleLine`] at the moment of its arrival. What a line means is not
//! decided here; the diagnosis does. Start at [`FileLane`] and [`PracticeConsole`].

mod follow;
mod lines;
mod practice;

pub(crate) use follow::FileLane;
pub(crate) use practice::PracticeConsole;
