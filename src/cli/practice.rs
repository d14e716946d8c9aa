//! `sockeye practice`: the practice server until Ctrl-C, its console on standard output.

use super::args::PracticeArgs;
use super::failure::Failure;
use super::print;
use super::runner::Runner;
use crate::engine::practice::FAULTS;
use crate::export::Redactor;
use crate::export::text::{Line, Tone};
use crate::export::visible::visible;

/// Serves; gives the exit status.
pub(super) fn run(args: &PracticeArgs) -> Result<u8, Failure> {
    if args.list {
        let line = |fault: &crate::engine::practice::Fault| {
            Line::new()
                .add(Tone::Command, &format!("practice/{:<36}", fault.id))
                .plain("  ")
                .plain(fault.title)
                .hang(47)
        };
        print::lines(&FAULTS.iter().map(line).collect::<Vec<_>>())?;
        return Ok(0);
    }
    let mut runner = Runner::start()?;
    let mut redactor = Redactor::new();
    let mut console = |line: &str| print::out(&format!("{}\n", visible(&redactor.text(line))));
    let started = runner.start_practice(args.port, &mut console);
    let address = started.map_err(|failure| match failure {
        Failure::Engine(why) => {
            Failure::Engine(format!("{why}\nchoose another port: sockeye practice --port 0 takes any free one"))
        }
        other => other,
    })?;
    let exercise = runner.exercise(None)?;
    let port = address.port();
    print::lines(&[
        Line::new(),
        Line::new().plain("Connect with a fresh token:"),
        Line::new().add(Tone::Command, &format!("  sockeye check '{}'", exercise.url)).unwrapped(),
        Line::new().plain("or show a fault, by its path (sockeye practice --list names them):"),
        Line::new().add(Tone::Command, &format!("  ws://localhost:{port}/fault/close-1008")).unwrapped(),
        Line::new().dim("Ctrl-C ends the server."),
        Line::new(),
    ])?;
    runner.serve(&mut console)?;
    Ok(0)
}
