//! The report for people: what happened step by step, then why, and what to do.
//!
//! [`report`] gives lines of marked words; [`render`] wraps them to a width and colours them if asked. What the peer said is
//! shown with its control characters as codes, never raw.

mod layout;

use std::io::{self, Write};

use super::lines::{Payloads, each};
use super::redact::Redactor;
use super::row_words::row_words;
use super::steps::steps;
use super::visible::{shortened, visible};
use super::{Material, words};
use crate::diagnosis::catalogue;
use crate::diagnosis::{Alternative, Case, CheckItem, Evidence, Finding, Remedy, Verdict, useful_probes};
use crate::observation::Route;
use crate::store::Story;
use crate::wire::Target;

pub use layout::{Line, Tone, render};

/// Writes the report, then the log, a line for each row.
pub(super) fn write(
    material: &Material<'_>,
    mut redactor: Option<&mut Redactor>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = report(material.story, material.checklist, redactor.as_deref_mut());
    out.write_all(render(&lines, None, false).as_bytes())?;
    out.write_all(b"\nLog\n")?;
    each(material, Payloads::Beginning, redactor, &mut |line, redactor| writeln!(out, "{}", log_line(&line, redactor)))
}

/// A row of the log as one line of text, without its line end.
pub(super) fn log_line(line: &super::lines::Line, redactor: Option<&mut Redactor>) -> String {
    let words = row_words(line, redactor);
    let text = format!("{:>12.3} ms  {} {}  {}", line.row.at.as_millis(), words.sign, words.what, words.content);
    text.trim_end().to_owned()
}

/// The whole report on one connection; without a redactor secrets are shown.
pub fn report(story: &Story, checklist: &[CheckItem], redactor: Option<&mut Redactor>) -> Vec<Line> {
    let mut report = Report { lines: Vec::new(), redactor };
    if let Some(redactor) = report.redactor.as_deref_mut() {
        redactor.learn_story(story);
    }
    report.waterfall(story);
    if let Some(verdict) = story.verdict.as_deref() {
        report.verdict(verdict);
        report.probes(story);
    }
    report.checklist(checklist);
    report.lines
}

struct Report<'a> {
    lines: Vec<Line>,
    redactor: Option<&'a mut Redactor>,
}

impl Report<'_> {
    /// Foreign text, made harmless and free of secrets.
    fn foreign(&mut self, text: &str) -> String {
        match self.redactor.as_deref_mut() {
            Some(redactor) => visible(&redactor.text(text)),
            None => visible(text),
        }
    }

    /// Foreign text, cut after its secrets are gone.
    fn brief(&mut self, text: &str, max: usize) -> String {
        shortened(&self.foreign(text), max)
    }

    fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    fn waterfall(&mut self, story: &Story) {
        if let Some(plan) = &story.plan {
            let url = match self.redactor.as_deref_mut() {
                Some(redactor) => visible(&redactor.url(&plan.url)),
                None => visible(&plan.url),
            };
            self.push(Line::new().add(Tone::Strong, &url));
            if plan.route != Route::Direct {
                let words = self.foreign(&plan.route.words());
                self.push(Line::new().dim("  ").dim(&words).hang(2));
            }
        }
        for note in &story.notes {
            let note = self.brief(note, PREVIEW_CHARS);
            self.push(Line::new().dim("  ").add(Tone::Warn, "note: ").plain(&note).hang(8));
        }
        for step in steps(story) {
            let what = self.brief(&step.what, step.max_chars);
            if step.name.is_empty() {
                self.push(Line::new().dim(&format!("{:29}", "")).plain(&what).hang(29));
                continue;
            }
            let (sign, tone) = sign(step.ok);
            let time = step.ms.map_or_else(String::new, |ms| format!("{ms:.1} ms"));
            let name = format!(" {:<13}", step.name);
            let line = Line::new().add(tone, sign).add(Tone::Strong, &name).dim(&format!("{time:>11}  "));
            self.push(line.plain(&what).hang(29));
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        let tone = if verdict.cause == "healthy" { Tone::Good } else { Tone::Bad };
        let cause = catalogue::cause(&verdict.cause);
        let title = cause.map_or(verdict.cause.as_str(), |cause| cause.title);
        self.push(Line::new());
        let summary = self.foreign(&verdict.summary);
        let heading =
            Line::new().add(tone, title).dim(&format!("  {}, {}", verdict.cause, words::certainty(verdict.certainty)));
        self.push(heading);
        if !summary.is_empty() {
            self.push(Line::new().plain(&summary));
        }
        let ending = catalogue::ending(verdict.ending.id());
        if let Some(ending) = ending.filter(|_| verdict.cause != "healthy") {
            self.push(Line::new().dim(ending.what));
        }
        self.evidence(&verdict.evidence, 2);
        self.fixes(&verdict.fixes, 2);
        if !verdict.browser_shows.is_empty() {
            let shows = self.foreign(&verdict.browser_shows);
            self.heading("A browser shows");
            self.push(Line::new().plain(&format!("  {shows}")).hang(2));
        }
        if !verdict.findings.is_empty() {
            self.heading("Also true");
        }
        for finding in &verdict.findings {
            self.finding(finding);
        }
        if !verdict.alternatives.is_empty() {
            self.heading("Not excluded");
        }
        for alternative in &verdict.alternatives {
            self.alternative(alternative);
        }
    }

    fn heading(&mut self, text: &str) {
        self.push(Line::new());
        self.push(Line::new().add(Tone::Strong, text));
    }

    fn evidence(&mut self, evidence: &[Evidence], indent: usize) {
        if indent == 2 && !evidence.is_empty() {
            self.heading("Evidence");
        }
        for item in evidence {
            let text = self.foreign(&item.text);
            let at = format!("{:indent$}{:>9.1} ms  ", "", item.at.as_millis());
            self.push(Line::new().dim(&at).plain(&text).hang(indent + 14));
        }
    }

    fn fixes(&mut self, fixes: &[Remedy], indent: usize) {
        if indent == 2 && !fixes.is_empty() {
            self.heading("What to do");
        }
        for (nth, fix) in fixes.iter().enumerate() {
            let text = self.foreign(&fix.text);
            let number = format!("{:indent$}{}. ", "", nth + 1);
            self.push(Line::new().plain(&number).plain(&text).hang(indent + 3));
            for line in fix.command.iter().flat_map(|command| command.lines()) {
                let line = self.foreign(line);
                self.push(Line::new().add(Tone::Command, &format!("{:1$}{line}", "", indent + 7)).unwrapped());
            }
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let summary = self.foreign(&finding.summary);
        let id = format!("  {} ", finding.id);
        let line = Line::new().add(Tone::Warn, &id).dim(&format!("({}) ", words::certainty(finding.certainty)));
        self.push(line.plain(&summary).hang(4));
        self.evidence(&finding.evidence, 4);
        self.fixes(&finding.fixes, 4);
    }

    fn alternative(&mut self, alternative: &Alternative) {
        let decide = self.foreign(&alternative.decide_by);
        let id = format!("  {} ", alternative.cause);
        let line = Line::new().add(Tone::Warn, &id).dim(&format!("({}) ", words::certainty(alternative.certainty)));
        self.push(line.plain(&decide).hang(4));
    }

    fn probes(&mut self, story: &Story) {
        if !story.probes.is_empty() {
            self.heading("Asked afterwards");
        }
        for probe in &story.probes {
            let text = format!("  {}: {}", words::probe(&probe.probe), words::outcome(probe.outcome.as_ref()));
            let text = self.brief(&text, PREVIEW_CHARS);
            self.push(Line::new().plain(&text).hang(4));
        }
        self.unasked(story);
    }

    /// What would be asked of another machine, if somebody agreed.
    fn unasked(&mut self, story: &Story) {
        let may_ask = story.finished.is_some() && story.plan.as_ref().is_some_and(|plan| plan.probes);
        let probes = if may_ask { useful_probes(&Case { story, probes_pending: false }) } else { Vec::new() };
        if probes.is_empty() {
            return;
        }
        let is_here = story.plan.as_ref().and_then(|plan| plan.target.as_ref()).is_some_and(Target::is_loopback);
        self.heading(if is_here {
            "Not asked any more: the time was up, or it was stopped"
        } else {
            "Not asked, because it is another machine (--probes asks)"
        });
        for probe in probes {
            let text = self.brief(&format!("  {}", words::probe(&probe)), PREVIEW_CHARS);
            self.push(Line::new().dim(&text).hang(4));
        }
    }

    fn checklist(&mut self, checklist: &[CheckItem]) {
        if !checklist.is_empty() {
            self.heading("Checklist");
        }
        for item in checklist {
            let (sign, tone) = sign(item.ok);
            let detail = self.foreign(&item.detail);
            let line = Line::new().plain("  ").add(tone, sign).plain(&format!(" {:<24}", item.item));
            self.push(line.dim(&detail).hang(28));
        }
    }
}

fn sign(ok: Option<bool>) -> (&'static str, Tone) {
    match ok {
        Some(true) => ("✓", Tone::Good),
        Some(false) => ("✗", Tone::Bad),
        None => ("·", Tone::Dim),
    }
}

const PREVIEW_CHARS: usize = 300;

#[cfg(test)]
mod tests;
