//! `sockeye export`: turns a saved session into another format.

use std::fs;
use std::io::Write as _;

use super::args::ExportArgs;
use super::check::write_file;
use super::failure::Failure;
use super::print;
use super::runner::Runner;
use crate::export::{EXPORTERS, Redactor, exporter};

/// Exports; gives the exit status.
pub(super) fn run(args: &ExportArgs) -> Result<u8, Failure> {
    let Some(exporter) = exporter(&args.to) else {
        let ids: Vec<&str> = EXPORTERS.iter().map(|exporter| exporter.id).collect();
        return Err(Failure::Usage(format!("there is no format {:?}; there are {}", args.to, ids.join(", "))));
    };
    if let Some(output) = &args.output
        && let (Ok(from), Ok(to)) = (fs::canonicalize(&args.file), fs::canonicalize(output))
        && from == to
    {
        return Err(Failure::Usage(format!("{}: that is the session itself", output.display())));
    }
    let mut runner = Runner::start()?;
    let outcome = runner.open(&args.file)?;
    let mut redactor = (!args.no_redact).then(|| Redactor::for_story(outcome.story()));
    if let Some(path) = &args.output {
        write_file(path, |out| outcome.export(exporter.export, redactor.as_mut(), out))?;
    } else {
        let mut out = print::writer();
        let written = outcome.export(exporter.export, redactor.as_mut(), &mut out).and_then(|()| out.flush());
        written.map_err(|source| Failure::Write { path: "standard output".into(), source })?;
    }
    Ok(0)
}
