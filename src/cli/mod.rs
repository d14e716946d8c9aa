//! The command line: a face of the engine without a window.
//!
//! Options are read in `args` and `values`, turned into a connection in `connect`; `runner` drives the engine; each command
//! has its file; `print` alone writes to the terminal. Start at [`run`].

mod args;
mod check;
mod clock;
mod connect;
mod diff;
mod explain;
mod export;
mod failure;
mod idle_lab;
mod intercept;
mod network;
mod practice;
mod print;
mod record;
mod runner;
mod search;
mod secrets;
mod server;
mod token;
mod values;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use crate::engine::error_chain;
use crate::ui::{self, RunError};
use args::{Arguments, Command};
use failure::Failure;

/// Runs the program with these arguments, the first being its own name.
///
/// The exit status is that of `check`: 0 healthy, 1 any other cause, 2 usage, 3 Sockeye itself failed.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nobody can be told that the terminal is gone.
            error.print().ok();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    print::start_trace();
    let status = match &arguments.command {
        Some(Command::Check(args)) => check::run(args),
        Some(Command::IdleLab(args)) => idle_lab::run(args),
        Some(Command::Record(args)) => record::run(args),
        Some(Command::Token(args)) => token::run(args),
        Some(Command::Explain { what, console }) => explain::run(what.as_deref(), console.as_deref()),
        Some(Command::Practice(args)) => practice::run(args),
        Some(Command::Intercept(args)) => intercept::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Search(args)) => search::run(args),
        Some(Command::Open { file }) => window(Some(file.as_path())),
        Some(Command::Diff(args)) => diff::run(args),
        None => window(arguments.file.as_deref()),
    };
    match status {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            print::failure(&failure);
            ExitCode::from(failure.status())
        }
    }
}

/// Opens the window; where that cannot be, the session or the practice check is shown in the terminal.
fn window(file: Option<&Path>) -> Result<u8, Failure> {
    if let Some(file) = file {
        let is_session = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sockeye"));
        if !is_session && !file.exists() {
            let what = format!("{} is neither a command nor a saved session; try sockeye --help", file.display());
            return Err(Failure::Usage(what));
        }
    }
    let why = match ui::run(file.map(Path::to_owned)) {
        Ok(()) => return Ok(0),
        Err(RunError::NoDisplay) => "There is no display here".to_owned(),
        Err(error @ (RunError::Window(_) | RunError::Library { .. })) => error_chain(&error),
    };
    if let Some(file) = file {
        print::note(&format!("{why}, so the session is shown as text instead of in the window."));
        let (file, to) = (file.to_owned(), Some("text".to_owned()));
        return export::run(&args::ExportArgs {
            file,
            to,
            output: None,
            preview: false,
            rows: None,
            filter: None,
            no_redact: false,
        });
    }
    print::note(&format!("{why}, so the practice check runs in the terminal instead of the window."));
    match Arguments::try_parse_from(["sockeye", "check", "practice"]).map(|arguments| arguments.command) {
        Ok(Some(Command::Check(args))) => check::run(&args),
        Ok(_) | Err(_) => Ok(2),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_options_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }
}
