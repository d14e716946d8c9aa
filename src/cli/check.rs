//! `sockeye check`: connects, watches, diagnoses, prints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use serde_json::{Value, json};

use super::args::CheckArgs;
use super::failure::Failure;
use super::print::{self, Progress};
use super::runner::{Outcome, Runner, state_words};
use super::{clock, connect, idle_lab};
use crate::diagnosis::catalogue;
use crate::engine::practice::fault;
use crate::engine::{ConnectOptions, ExportJob, JournalPlace};
use crate::export::check_json::check_json;
use crate::export::text::{Line, Tone, report};
use crate::export::visible::visible;
use crate::export::{EXPORTERS, Exporter, Redactor, exporter_for_extension};

/// Runs the check; gives the exit status.
pub(super) fn run(args: &CheckArgs) -> Result<u8, Failure> {
    let saving = args.save.as_deref().map(Saving::new).transpose()?;
    let consoles = connect::consoles(&args.connect)?;
    let mut runner = Runner::start()?;
    runner.attach(consoles)?;
    if let Some(limit) = args.idle_lab {
        let exercise = connect::exercise(&args.connect.url, &mut runner)?;
        let options = connect::options(&args.connect, exercise.as_ref())?;
        return idle_lab::measure(&mut runner, options, limit, idle_lab::PING_EVERY, args.json);
    }
    let runs = args.repeat.unwrap_or(1);
    rehearse(args, &mut runner)?;
    let mut results: Vec<Value> = Vec::new();
    let mut tally: BTreeMap<String, u32> = BTreeMap::new();
    let mut is_healthy = true;
    let mut first_bad = None;
    let mut unsaved = None;
    for nth in 1..=runs {
        let exercise = connect::exercise(&args.connect.url, &mut runner)?;
        let mut options = connect::options(&args.connect, exercise.as_ref())?;
        options.watch = Some(args.watch.or(options.watch).unwrap_or(WATCH));
        if let Some(close) = &args.close {
            options.close.clone_from(close);
        }
        let path = saving.as_ref().map(|saving| saving.path_of(args.repeat.map(|_| nth)));
        options.journal = match journal(saving.as_ref(), path.as_deref()) {
            // Which of several connections is the last is known at the end alone.
            JournalPlace::File(_) if options.reconnect.is_some() => JournalPlace::Unnamed,
            place => place,
        };
        let mut redactor = (!args.no_redact).then(|| redactor(&options));
        let is_direct = matches!(options.journal, JournalPlace::File(_));
        let mut outcome = watch(&mut runner, options, (nth, runs), args.json)?;
        while let Some(next) = runner.reconnect(&outcome)? {
            runner.forget(outcome.conn)?;
            outcome = watch(&mut runner, next, (nth, runs), args.json)?;
        }
        is_healthy &= outcome.is_healthy();
        if let Some(verdict) = &outcome.story().verdict {
            *tally.entry(verdict.cause.clone()).or_default() += 1;
        }
        if let (Some(saving), Some(path)) = (&saving, &path) {
            // What was found is printed in any case.
            unsaved = saving.save(&mut runner, &outcome, path, is_direct, redactor.as_ref()).err().or(unsaved);
        }
        if args.json {
            results.push(check_json(outcome.story(), &outcome.checklist, redactor.as_mut()));
        } else if args.repeat.is_none() {
            print::lines(&report(outcome.story(), &outcome.checklist, redactor.as_mut()))?;
        } else {
            print::lines(&[run_line(nth, runs, &outcome, redactor.as_mut())])?;
            if !outcome.is_healthy() && first_bad.is_none() {
                first_bad = Some(report(outcome.story(), &outcome.checklist, redactor.as_mut()));
            }
        }
        if let Some(trouble) = &outcome.view.trouble {
            print::note(&format!("note: {trouble}"));
        }
        runner.forget(outcome.conn)?;
        if runner.is_interrupted() {
            break;
        }
    }
    if args.json {
        print_json(results, args.repeat.is_some().then_some(&tally))?;
    } else if args.repeat.is_some() {
        print_tally(&tally, first_bad)?;
    }
    unsaved.map_or(Ok(u8::from(!is_healthy)), Err)
}

/// Connects to an exercise as often as its lesson needs before the run that counts.
fn rehearse(args: &CheckArgs, runner: &mut Runner) -> Result<(), Failure> {
    let needs_more = connect::practice(&args.connect.url).and_then(fault).is_some_and(|fault| fault.terms.times > 1);
    let Some(exercise) = (if needs_more { connect::exercise(&args.connect.url, runner)? } else { None }) else {
        return Ok(());
    };
    for nth in 1..exercise.times {
        let mut options = connect::options(&args.connect, Some(&exercise))?;
        options.watch = Some(args.watch.or(options.watch).unwrap_or(WATCH));
        options.journal = JournalPlace::Memory;
        let outcome = watch(runner, options, (nth, exercise.times), args.json)?;
        runner.forget(outcome.conn)?;
    }
    Ok(())
}

/// Connects once, with a progress line.
fn watch(
    runner: &mut Runner,
    options: ConnectOptions,
    (nth, runs): (u32, u32),
    json: bool,
) -> Result<Outcome, Failure> {
    let mut progress = Progress::new(!json);
    let since = clock::now();
    runner.connect(options, &mut |view| {
        let secs = since.elapsed().as_secs_f64();
        let run = if runs > 1 { format!("run {nth} of {runs}, ") } else { String::new() };
        progress.show(&format!("{run}{} … {secs:.1} s", state_words(view.story.state())));
    })
}

/// Knows what the user gave, wherever it turns up.
pub(super) fn redactor(options: &ConnectOptions) -> Redactor {
    let mut redactor = Redactor::new();
    if let Some(token) = &options.token {
        redactor.learn_token(token);
    }
    for secret in &options.secrets {
        redactor.learn_secret(secret.bytes());
    }
    redactor
}

fn print_json(mut results: Vec<Value>, tally: Option<&BTreeMap<String, u32>>) -> Result<(), Failure> {
    let value = match tally {
        Some(tally) => json!({"schema": 1, "runs": results, "tally": tally}),
        None => results.pop().unwrap_or(Value::Null),
    };
    let text = serde_json::to_string_pretty(&value).map_err(|error| Failure::Engine(error.to_string()))?;
    print::out(&format!("{text}\n"))
}

/// One run of many in one line.
fn run_line(nth: u32, runs: u32, outcome: &Outcome, redactor: Option<&mut Redactor>) -> Line {
    let width = runs.to_string().len();
    let line = Line::new().dim(&format!("run {nth:>width$}/{runs}  "));
    let Some(verdict) = &outcome.story().verdict else { return line.plain("no verdict") };
    let (sign, tone) = if outcome.is_healthy() { ("✓ ", Tone::Good) } else { ("✗ ", Tone::Bad) };
    let summary = redactor.map_or_else(|| verdict.summary.clone(), |redactor| redactor.text(&verdict.summary));
    line.add(tone, sign).add(tone, &verdict.cause).plain("  ").dim(&visible(&summary)).hang(4)
}

fn print_tally(tally: &BTreeMap<String, u32>, first_bad: Option<Vec<Line>>) -> Result<(), Failure> {
    let mut rows: Vec<(&String, &u32)> = tally.iter().collect();
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut lines = vec![Line::new(), Line::new().add(Tone::Strong, "Tally")];
    for (cause, count) in rows {
        let tone = if cause == "healthy" { Tone::Good } else { Tone::Bad };
        let title = catalogue::cause(cause).map_or("", |cause| cause.title);
        lines.push(Line::new().plain(&format!("{count:>7}  ")).add(tone, cause).dim(&format!("  {title}")).hang(9));
    }
    if let Some(report) = first_bad {
        lines.push(Line::new());
        lines.push(Line::new().add(Tone::Strong, "The first run that was not healthy"));
        lines.extend(report);
    }
    print::lines(&lines)
}

/// Where and how a session is saved.
struct Saving {
    path: PathBuf,
    exporter: Option<&'static Exporter>,
}

impl Saving {
    /// Chooses the format by the extension.
    fn new(path: &Path) -> Result<Self, Failure> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let exporter = exporter_for_extension(extension);
        if exporter.is_none() && !extension.eq_ignore_ascii_case("sockeye") {
            let all: Vec<String> =
                EXPORTERS.iter().filter_map(|e| e.extensions.first()).map(|e| format!(".{e}")).collect();
            let what = format!("{}: use the extension .sockeye, {}", path.display(), all.join(", "));
            return Err(Failure::Usage(what));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Failure::Usage(format!("{}: there is no such folder", path.display())));
        }
        Ok(Self { path: path.to_owned(), exporter })
    }

    /// The file of one run of many: its number stands before the extension.
    fn path_of(&self, nth: Option<u32>) -> PathBuf {
        let Some(nth) = nth else { return self.path.clone() };
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
        let extension = self.path.extension().unwrap_or_default().to_string_lossy();
        self.path.with_file_name(format!("{stem}-{nth}.{extension}"))
    }

    fn save(
        &self,
        runner: &mut Runner,
        outcome: &Outcome,
        path: &Path,
        is_direct: bool,
        redactor: Option<&Redactor>,
    ) -> Result<(), Failure> {
        match self.exporter {
            Some(exporter) => {
                let job = ExportJob { redactor: redactor.cloned(), ..ExportJob::redacted(exporter) };
                runner.export(outcome.conn, path.to_owned(), job)
            }
            None if is_direct => match &outcome.view.trouble {
                None => Ok(()),
                Some(trouble) => {
                    let saved = runner.rescue(outcome.conn)?;
                    print::note(&format!("note: the session was saved to {}", saved.display()));
                    Err(Failure::Write { path: path.to_owned(), source: io::Error::other(trouble.to_string()) })
                }
            },
            None => runner.save(outcome.conn, path.to_owned()),
        }
    }
}

/// A journal that is to be kept is written to its place while the session runs; others need no file of their own.
fn journal(saving: Option<&Saving>, path: Option<&Path>) -> JournalPlace {
    match (saving, path) {
        (None, _) | (_, None) => JournalPlace::Memory,
        (Some(saving), Some(path)) if saving.exporter.is_none() => match fs::metadata(path) {
            Ok(there) if there.len() > 0 => JournalPlace::Unnamed,
            Ok(_) | Err(_) => JournalPlace::File(path.to_owned()),
        },
        (Some(_), Some(_)) => JournalPlace::Unnamed,
    }
}

/// How long to stay after the confirmation, unless told otherwise.
const WATCH: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_the_format() {
        let format = |path: &str| Saving::new(Path::new(path)).ok().map(|s| s.exporter.map_or("sockeye", |e| e.id));
        assert_eq!(format("a.sockeye"), Some("sockeye"));
        assert_eq!(format("a.b.JSONL"), Some("jsonl"));
        assert_eq!(format("src/a.json"), Some("json"));
        assert_eq!(format("no-such-folder/a.json"), None);
        assert_eq!(format("a.txt"), Some("text"));
        assert_eq!(format("a"), None);
        assert_eq!(format("a.har"), Some("har"));
        assert_eq!(format("a.xyz"), None);
        let saving = Saving::new(Path::new("src/a.txt")).unwrap();
        assert_eq!(saving.path_of(Some(3)), Path::new("src/a-3.txt"));
        assert_eq!(saving.path_of(None), Path::new("src/a.txt"));
    }
}
