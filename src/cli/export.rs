//! `sockeye export`: turns a saved session into another format.

use std::fs;
use std::io::Write as _;

use super::args::ExportArgs;
use super::failure::Failure;
use super::print;
use super::runner::Runner;
use super::search;
use crate::engine::ExportJob;
use crate::export::text::{Line, Tone};
use crate::export::visible::visible;
use crate::export::{EXPORTERS, Exporter, Preview, Redactor, exporter, exporter_for_extension};

/// Exports; gives the exit status.
pub(super) fn run(args: &ExportArgs) -> Result<u8, Failure> {
    let exporter = format(args)?;
    let filter = args.filter.as_deref().map(|query| search::filter("--filter", query)).transpose()?;
    if let Some(output) = &args.output
        && let (Ok(from), Ok(to)) = (fs::canonicalize(&args.file), fs::canonicalize(output))
        && from == to
    {
        return Err(Failure::Usage(format!("{}: that is the session itself", output.display())));
    }
    let mut runner = Runner::start()?;
    let outcome = runner.open(&args.file)?;
    let mut selection = args.rows.clone().unwrap_or_default();
    if let Some(filter) = filter {
        selection = selection.among(runner.find(outcome.conn, filter)?);
        if selection.count(outcome.view.rows) == 0 {
            print::note("note: no row fits the filter");
        }
    }
    let job = ExportJob { exporter, redactor: (!args.no_redact).then(Redactor::new), selection };
    if args.preview {
        let redacts = job.redactor.is_some();
        print::lines(&preview_lines(&runner.preview(outcome.conn, job)?, redacts))?;
        return Ok(0);
    }
    if let Some(path) = &args.output {
        runner.export(outcome.conn, path.clone(), job)?;
        return Ok(0);
    }
    let mut out = print::writer();
    runner.export_to(outcome.conn, job, &mut out)?;
    out.flush().map_err(|source| Failure::Write { path: "standard output".into(), source })?;
    Ok(0)
}

/// What would be written, and what stands in the place of secrets.
fn preview_lines(preview: &Preview, redacts: bool) -> Vec<Line> {
    let mut lines = vec![Line::new().add(Tone::Strong, "Would be written")];
    for file in &preview.files {
        let line = Line::new().plain(&format!("{:>12} bytes  {:<16} ", file.len_bytes, file.name));
        lines.push(line.dim(file.about).hang(37));
    }
    lines.push(Line::new());
    if !redacts {
        lines.push(Line::new().add(Tone::Warn, "Secrets would stay as they are."));
        return lines;
    }
    lines.push(Line::new().add(Tone::Strong, "Secrets would be replaced"));
    for mark in &preview.marks {
        lines.push(Line::new().plain(&format!("{:>12} ×  {}", mark.times, visible(&mark.words))));
    }
    if preview.marks.is_empty() {
        lines.push(Line::new().dim("  none was found"));
    }
    lines
}

/// The format that was asked for, by its name or by the output's extension.
fn format(args: &ExportArgs) -> Result<&'static Exporter, Failure> {
    let ids = || EXPORTERS.iter().map(|exporter| exporter.id).collect::<Vec<_>>().join(", ");
    if let Some(to) = &args.to {
        let named = exporter(to).or_else(|| exporter_for_extension(to));
        return named.ok_or_else(|| Failure::Usage(format!("there is no format {to:?}; there are {}", ids())));
    }
    let extension = args.output.as_ref().and_then(|path| path.extension()?.to_str()).unwrap_or_default();
    exporter_for_extension(extension)
        .ok_or_else(|| Failure::Usage(format!("no format ends in {extension:?}: say --to and one of {}", ids())))
}
