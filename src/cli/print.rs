//! The one place that writes to the terminal: plain lines, reports, and a progress line that leaves no trace.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use super::failure::Failure;
use crate::engine::error_chain;
use crate::export::text::{Line, render};
use crate::export::visible::visible;

/// Writes text to standard output as it is.
pub(super) fn out(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|source| Failure::Write { path: PathBuf::from("standard output"), source })
}

/// Standard output as a place for an export.
pub(super) fn writer() -> impl io::Write {
    io::BufWriter::new(io::stdout().lock())
}

/// Writes lines to standard output, wrapped and coloured if it is a terminal.
pub(super) fn lines(lines: &[Line]) -> Result<(), Failure> {
    let stdout = io::stdout();
    let is_terminal = stdout.is_terminal();
    out(&render(lines, is_terminal.then(columns), is_terminal && wants_colour()))
}

/// Writes a line to standard error, its control characters as codes.
pub(super) fn note(text: &str) {
    let mut stderr = io::stderr().lock();
    // Nobody can be told that standard error is gone.
    writeln!(stderr, "{}", visible(text)).ok();
}

/// Writes a failure to standard error.
pub(super) fn failure(failure: &Failure) {
    if !failure.is_broken_pipe() {
        note(&format!("error: {}", error_chain(failure)));
    }
}

/// A line on standard error that shows what is being waited for; nothing unless that is a terminal.
pub(super) struct Progress {
    is_shown: bool,
    last: String,
}

impl Progress {
    /// A progress line, if `wanted` and standard error is a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self { is_shown: wanted && !is_dumb && io::stderr().is_terminal(), last: String::new() }
    }

    /// Shows a text instead of the last one.
    pub(super) fn show(&mut self, text: &str) {
        if !self.is_shown || self.last == text {
            return;
        }
        text.clone_into(&mut self.last);
        let text: String = visible(text).chars().take(columns().saturating_sub(1)).collect();
        let mut stderr = io::stderr().lock();
        write!(stderr, "\r\u{1b}[K{text}").and_then(|()| stderr.flush()).ok();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if !self.last.is_empty() {
            let mut stderr = io::stderr().lock();
            write!(stderr, "\r\u{1b}[K").and_then(|()| stderr.flush()).ok();
        }
    }
}

/// Whether colours are welcome: not with `NO_COLOR` set (no-color.org), nor on a dumb terminal.
fn wants_colour() -> bool {
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The columns of the terminal, as far as the environment tells.
fn columns() -> usize {
    let told = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.filter(|columns| (40..=400).contains(columns)).unwrap_or(100)
}

/// Writes our own trace to standard error, if `SOCKEYE_LOG` asks for one (`debug`, or `sockeye=trace`).
pub(super) fn start_trace() {
    let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("SOCKEYE_LOG") else {
        return;
    };
    // One that is there already stays.
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).try_init().ok();
}
