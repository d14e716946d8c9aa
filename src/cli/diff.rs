//! `sockeye diff`: two saved sessions side by side.

use super::args::DiffArgs;
use super::failure::Failure;
use super::print;
use super::runner::Runner;
use crate::compare::{Side, as_json, compare, report};
use crate::export::Redactor;

/// Compares; gives the exit status: 0 the same, 1 different.
pub(super) fn run(args: &DiffArgs) -> Result<u8, Failure> {
    let mut runner = Runner::start()?;
    let (one, other) = (runner.open(&args.one)?, runner.open(&args.other)?);
    let (ours, theirs) = (runner.session(one.conn)?, runner.session(other.conn)?);
    let mut redactor = Redactor::new();
    let one = Side { story: one.story(), source: &ours };
    let other = Side { story: other.story(), source: &theirs };
    let found = compare(one, other, &mut redactor).map_err(|error| Failure::Engine(error.to_string()))?;
    let mut redactor = (!args.no_redact).then_some(redactor);
    if args.json {
        let text = serde_json::to_string_pretty(&as_json(&found, redactor.as_mut()));
        print::out(&format!("{}\n", text.map_err(|error| Failure::Engine(error.to_string()))?))?;
    } else {
        let [one, other] = [&args.one, &args.other].map(|path| path.display().to_string());
        print::lines(&report(&found, [&one, &other], redactor.as_mut()))?;
    }
    Ok(u8::from(!found.is_same(args.strict)))
}
