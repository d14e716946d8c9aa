//! `sockeye record`: writes a journal until the connection closes or Ctrl-C is pressed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::RecordArgs;
use super::check::redactor;
use super::failure::Failure;
use super::runner::Runner;
use super::{clock, connect, print};
use crate::engine::{ConnectOptions, JournalPlace};
use crate::export::exporter_for_extension;
use crate::export::text::report;
use crate::observation::Expect;
use crate::store::{Story, View};

/// Records; gives the exit status: 0 if the connection was open, 1 if it never was.
pub(super) fn run(args: &RecordArgs) -> Result<u8, Failure> {
    let path = &args.output;
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if exporter_for_extension(extension).is_some() {
        let what = format!("{}: record writes .sockeye; `sockeye export` makes other formats of it", path.display());
        return Err(Failure::Usage(what));
    }
    if fs::metadata(path).is_ok_and(|there| there.len() > 0) {
        return Err(Failure::Usage(format!("{}: the file exists already", path.display())));
    }
    let consoles = connect::consoles(&args.connect)?;
    let mut runner = Runner::start()?;
    runner.attach(consoles)?;
    let exercise = connect::exercise(&args.connect.url, &mut runner)?;
    let mut options = connect::options(&args.connect, exercise.as_ref())?;
    if args.connect.expect.is_none() && exercise.is_none() {
        options.expect = Expect::None;
    }
    options.watch = None;
    options.journal = JournalPlace::File(path.clone());
    let mut redactor = redactor(&options);
    let mut told = clock::now();
    let mut path = path.clone();
    let mut tell = |view: &View| {
        if told.elapsed() >= EVERY {
            told = clock::now();
            print::note(&format!("recorded {} frames", frames(&view.story)));
        }
    };
    loop {
        let outcome = runner.connect(options, &mut tell)?;
        let story = outcome.story();
        print::note(&format!("recorded {} frames in {}", frames(story), path.display()));
        if let Some(trouble) = &outcome.view.trouble {
            print::note(&format!("note: {trouble}"));
            // What was recorded is still there, but only until this process ends.
            let saved = runner.rescue(outcome.conn)?;
            print::note(&format!("note: the session was saved to {}", saved.display()));
        }
        print::lines(&report(story, &outcome.checklist, Some(&mut redactor)))?;
        let Some(next) = runner.reconnect(&outcome)? else {
            return Ok(u8::from(story.opened.is_none()));
        };
        let number = next.reconnect.map_or(2, |reconnect| reconnect.made.saturating_add(1));
        path = numbered(&args.output, number);
        options = ConnectOptions { journal: JournalPlace::File(path.clone()), ..next };
    }
}

/// The file of a further connection: its number stands before the extension.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map_or_else(String::new, |e| format!(".{}", e.to_string_lossy()));
    path.with_file_name(format!("{stem}-{number}{extension}"))
}

fn frames(story: &Story) -> u64 {
    story.sent.frames + story.received.frames
}

/// How often the count is told.
const EVERY: Duration = Duration::from_secs(1);
