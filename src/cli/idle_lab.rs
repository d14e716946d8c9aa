//! `sockeye idle-lab`: measures what silence does to connections to a target.

use std::time::Duration;

use serde_json::json;

use super::args::IdleLabArgs;
use super::check::redactor;
use super::failure::Failure;
use super::print::{self, Progress};
use super::runner::{Outcome, Runner};
use super::{clock, connect};
use crate::diagnosis::{LabFinding, is_repeated, lab_finding};
use crate::engine::{ConnectOptions, JournalPlace};
use crate::export::Redactor;
use crate::export::check_json::check_json;
use crate::export::text::{Line, Tone, report};
use crate::observation::{LabMeasure, LabRun};

/// Runs the measurement; gives the exit status: 0 if silence harmed nobody, else 1.
pub(super) fn run(args: &IdleLabArgs) -> Result<u8, Failure> {
    let consoles = connect::consoles(&args.connect)?;
    let mut runner = Runner::start()?;
    runner.attach(consoles)?;
    let exercise = connect::exercise(&args.connect.url, &mut runner)?;
    let options = connect::options(&args.connect, exercise.as_ref())?;
    measure(&mut runner, options, args.max.unwrap_or(LIMIT), args.ping_every.unwrap_or(PING_EVERY), args.json)
}

/// Measures with these options, and prints what came of it.
pub(super) fn measure(
    runner: &mut Runner,
    mut options: ConnectOptions,
    limit: Duration,
    ping_every: Duration,
    json: bool,
) -> Result<u8, Failure> {
    options.journal = JournalPlace::Memory;
    let mut redactor = redactor(&options);
    let mut progress = Progress::new(!json);
    let since = clock::now();
    let (outcome, measure) = runner.lab(options, limit, ping_every, &mut |words| {
        progress.show(&format!("{words} … {:.0} s", since.elapsed().as_secs_f64()));
    })?;
    drop(progress);
    let finding = lab_finding(&measure);
    if json {
        print_json(&outcome, &measure, &mut redactor)?;
    } else {
        print::lines(&lines(&measure))?;
        if !matches!(finding, LabFinding::Survived { .. }) {
            print::lines(&[Line::new(), Line::new().add(Tone::Strong, "The silent connection")])?;
            print::lines(&report(outcome.story(), &outcome.checklist, Some(&mut redactor)))?;
        }
    }
    Ok(u8::from(!matches!(finding, LabFinding::Survived { .. })))
}

fn print_json(outcome: &Outcome, measure: &LabMeasure, redactor: &mut Redactor) -> Result<(), Failure> {
    let run = |run: &LabRun| {
        json!({
            "opened_at_ms": run.opened_at_millis,
            "ended_after_ms": run.ended_after_millis,
            "watched_ms": run.watched_millis,
        })
    };
    let value = json!({
        "schema": 1,
        "finding": finding_id(lab_finding(measure)),
        "repeated": is_repeated(measure),
        "ping_every_ms": measure.ping_every_millis,
        "silent": run(&measure.silent),
        "pinging": run(&measure.pinging),
        "silent_again": measure.again.as_ref().map(run),
        "silent_run": check_json(outcome.story(), &outcome.checklist, Some(redactor)),
    });
    let text = serde_json::to_string_pretty(&value).map_err(|error| Failure::Engine(error.to_string()))?;
    print::out(&format!("{text}\n"))
}

fn finding_id(finding: LabFinding) -> &'static str {
    match finding {
        LabFinding::IdleLimit { .. } => "idle-limit",
        LabFinding::Lifetime { .. } => "lifetime",
        LabFinding::Sweep { .. } => "sweep",
        LabFinding::Survived { .. } => "survived",
        LabFinding::Unclear => "unclear",
    }
}

fn lines(measure: &LabMeasure) -> Vec<Line> {
    let (tone, headline, what) = match lab_finding(measure) {
        LabFinding::IdleLimit { millis } => (
            Tone::Bad,
            format!("Silence of {} ends a connection here", secs(millis)),
            format!("Send something, a ping for instance, at least every {}.", secs(millis / 2.0)),
        ),
        LabFinding::Lifetime { millis } => (
            Tone::Bad,
            format!("Connections end at the age of {} here, whatever travels", secs(millis)),
            "Pings do not help: reconnect, and fetch what was missed.".to_owned(),
        ),
        LabFinding::Sweep { .. } => (
            Tone::Bad,
            "The server ends its connections together, old and young".to_owned(),
            "Look in its code for a loop over all clients that terminates those it takes for dead.".to_owned(),
        ),
        LabFinding::Survived { millis } => (
            Tone::Good,
            format!("Silence of {} harmed nobody", secs(millis)),
            "Measure for longer with --max SECONDS.".to_owned(),
        ),
        LabFinding::Unclear => (
            Tone::Warn,
            "The two connections do not tell silence from age".to_owned(),
            "Look at the verdict of the silent one, and measure again.".to_owned(),
        ),
    };
    let mut lines = vec![Line::new().add(tone, &headline), Line::new().plain(&what), Line::new()];
    let mut row = |name: &str, run: &LabRun| {
        let fate = match (run.opened_at_millis, run.ended_after_millis) {
            (None, _) => "did not open".to_owned(),
            (Some(_), Some(age)) => format!("was ended after {}", secs(age)),
            (Some(_), None) => format!("still lived after {}", secs(run.watched_millis)),
        };
        lines.push(Line::new().dim(&format!("  {name:<24}")).plain(&fate));
    };
    row("silent", &measure.silent);
    row(&format!("pings every {}", secs(measure.ping_every_millis)), &measure.pinging);
    if let Some(again) = &measure.again {
        row("silent again", again);
    }
    lines
}

fn secs(millis: f64) -> String {
    format!("{:.1} s", millis / 1e3)
}

/// How long the silent connection is watched unless told otherwise: beyond the limits of most proxies.
pub(super) const LIMIT: Duration = Duration::from_secs(150);
/// How often the other one pings unless told otherwise.
pub(super) const PING_EVERY: Duration = Duration::from_millis(500);
