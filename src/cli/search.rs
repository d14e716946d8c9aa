//! `sockeye search`: finds rows of a saved session, as the field above the log does.

use std::io::Write as _;

use serde_json::json;

use super::args::SearchArgs;
use super::failure::Failure;
use super::print;
use super::runner::Runner;
use crate::engine::ExportJob;
use crate::export::{HITS, HITS_JSON, Redactor, Selection, row_says};
use crate::store::Filter;

/// Searches; gives the exit status: 0 if rows were found, 1 if none.
pub(super) fn run(args: &SearchArgs) -> Result<u8, Failure> {
    let filter = filter("the query", &args.query)?;
    let mut runner = Runner::start()?;
    let outcome = runner.open(&args.file)?;
    let matches = runner.find(outcome.conn, filter)?;
    let (found, rows) = (matches.len(), outcome.view.rows);
    let status = u8::from(found == 0);
    if args.count {
        print::out(&format!("{found}\n"))?;
        return Ok(status);
    }
    let mut redactor = (!args.no_redact).then(Redactor::new);
    let mut out = print::writer();
    let failed = |source| Failure::Write { path: "standard output".into(), source };
    if args.json {
        let query = redactor.as_mut().map_or_else(|| args.query.clone(), |redactor| redactor.text(&args.query));
        let (query, rows) = (json!(query), json!(rows));
        write!(out, "{{\"schema\": 1, \"query\": {query}, \"rows\": {rows}, \"found\": {found}, \"hits\": ")
            .map_err(failed)?;
    }
    let exporter = if args.json { &HITS_JSON } else { &HITS };
    runner.export_to(outcome.conn, ExportJob { exporter, redactor, selection: Selection::Found(matches) }, &mut out)?;
    if args.json {
        out.write_all(b"}\n").map_err(failed)?;
    }
    out.flush().map_err(failed)?;
    drop(out);
    if !args.json {
        print::note(&format!("{found} of {rows} rows"));
    }
    Ok(status)
}

/// Reads a query.
pub(super) fn filter(what: &str, query: &str) -> Result<Filter, Failure> {
    Filter::parse(query, row_says).map_err(|problem| {
        let before = query.get(..problem.at.start).unwrap_or(query);
        Failure::Usage(format!("{what}: {problem} (character {})", before.chars().count() + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_cannot_be_read_is_usage_and_says_where() {
        let failure = filter("--filter", "grüße kind:pin").unwrap_err();
        assert_eq!(failure.status(), 2);
        let words = failure.to_string();
        assert!(words.starts_with("--filter: ") && words.ends_with("(character 7)"), "{words}");
        assert!(filter("--filter", "-kind:ping /a+/i").is_ok());
    }
}
