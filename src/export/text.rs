//! The report for people: what happened step by step, then why, and what to do.
//!
//! [`report`] gives lines of marked words; [`render`] wraps them to a width and colours them if asked. What the peer said is
//! shown with its control characters as codes, never raw.

mod layout;
mod log;

use std::io::{self, Write};

use super::check_json::{browser_code, response_outcome};
use super::redact::Redactor;
use super::visible::{shortened, visible};
use super::{Material, tls, words};
use crate::diagnosis::catalogue;
use crate::diagnosis::{Alternative, Case, CheckItem, Evidence, Finding, Remedy, Verdict, useful_probes};
use crate::observation::{Direction, Moment, Route, TcpQueues};
use crate::store::{AttemptOutcome, ServerClock, Story};

pub use layout::{Line, Tone, render};

/// Writes the report, then the log, a line for each row.
pub(super) fn write(
    material: &mut Material<'_>,
    mut redactor: Option<&mut Redactor>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = report(material.story, material.checklist, redactor.as_deref_mut());
    out.write_all(render(&lines, None, false).as_bytes())?;
    out.write_all(b"\nLog\n")?;
    for row in &mut *material.rows {
        let row = row?;
        if let Some(redactor) = redactor.as_deref_mut() {
            redactor.learn_row(&row);
        }
        writeln!(out, "{}", log::row_line(&row, redactor.as_deref_mut()))?;
    }
    out.flush()
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

    /// One step: a sign, its name, its time, and what it came to.
    fn step(&mut self, ok: Option<bool>, name: &str, ms: Option<f64>, what: &str) {
        let (sign, tone) = sign(ok);
        let time = ms.map_or_else(String::new, |ms| format!("{ms:.1} ms"));
        let what = self.foreign(what);
        let line = Line::new().add(tone, sign).add(Tone::Strong, &format!(" {name:<13}")).dim(&format!("{time:>11}  "));
        self.push(line.plain(&what).hang(29));
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
        if let Some((_, problem)) = &story.not_attempted {
            let what = match &problem.suggestion {
                Some(url) => format!("{}; did you mean {url}", problem.message),
                None => problem.message.clone(),
            };
            self.step(Some(false), "URL", None, &what);
        }
        if let Some(resolve) = &story.resolve {
            let all: Vec<String> = resolve
                .addresses
                .iter()
                .map(ToString::to_string)
                .chain(resolve.added.iter().map(|a| format!("{a} (added)")))
                .collect();
            let what = resolve.failure.as_ref().map_or_else(|| all.join(", "), |failure| failure.text.clone());
            let ms = resolve.ended.map(|ended| ended.millis_since(resolve.started));
            self.step(
                resolve.ended.map(|_| resolve.failure.is_none()),
                "resolve",
                ms,
                &format!("{}: {what}", resolve.host),
            );
        }
        for attempt in &story.attempts {
            let (ok, outcome) = match &attempt.outcome {
                AttemptOutcome::Pending => (None, "no answer yet".to_owned()),
                AttemptOutcome::Connected => (Some(true), "connected".to_owned()),
                AttemptOutcome::Failed(failure) => (Some(false), words::failure(failure)),
                AttemptOutcome::Abandoned => (None, "given up, another address was faster".to_owned()),
            };
            let ms = attempt.ended.map(|ended| ended.millis_since(attempt.started));
            self.step(ok, "TCP", ms, &format!("{} {outcome}", attempt.address));
        }
        if let Some((_, path, failure)) = &story.socket {
            let what = failure.as_ref().map_or_else(|| "connected".to_owned(), words::failure);
            self.step(Some(failure.is_none()), "Unix socket", None, &format!("{path} {what}"));
        }
        if let Some(tunnel) = &story.tunnel {
            let answer = tunnel.response.lines().next().unwrap_or_default();
            let what = tunnel.failure.as_ref().map_or(answer, |failure| failure.text.as_str());
            let ms = tunnel.ended.map(|ended| ended.millis_since(tunnel.started));
            let asked = tunnel.request.lines().next().unwrap_or_default();
            self.step(tunnel.ended.map(|_| tunnel.failure.is_none()), "proxy", ms, &format!("{asked}: {what}"));
        }
        if let Some(tls) = &story.tls {
            let what = match (&tls.info, &tls.failure) {
                (Some(info), _) => {
                    let group = info.group.as_ref().map_or_else(String::new, |group| format!(", {group}"));
                    let alpn = info.alpn.as_ref().map_or_else(String::new, |alpn| format!(", ALPN {alpn}"));
                    format!("{} {}{group}{alpn}", info.version, info.cipher)
                }
                (None, Some(failure)) => words::tls_failure(failure),
                (None, None) => "no answer yet".to_owned(),
            };
            let ms = tls.ended.map(|ended| ended.millis_since(tls.started));
            self.step(tls.ended.map(|_| tls.failure.is_none()), "TLS", ms, &what);
            for line in tls::lines(tls) {
                let line = self.foreign(&line);
                self.push(Line::new().dim(&format!("{:29}", "")).dim(&line).hang(31));
            }
        }
        self.handshake(story);
        self.session(story);
    }

    fn handshake(&mut self, story: &Story) {
        let Some(request) = &story.request else { return };
        self.step(Some(true), "request", None, &format!("GET, {} bytes", request.raw.len()));
        let answered = story.answer.head.as_ref().map(|(at, _)| *at).or(story.answer.last_at);
        let ms = answered.map(|at| at.millis_since(request.at));
        let (ok, error) = response_outcome(story);
        let status = story.answer.head.as_ref().map(|(_, head)| format!("{} {}", head.status, head.reason));
        let refused = story.answer.status().is_some_and(|status| status != 101);
        let what = match (status, error) {
            (Some(status), Some(error)) if !refused => format!("{status}; {error}"),
            (Some(status), _) => status,
            (None, Some(error)) => error,
            (None, None) => "none yet".to_owned(),
        };
        self.step(ok, "response", ms, &what);
        if let Some(clock) = ServerClock::of(story) {
            let tone = if clock.may_agree() { Tone::Dim } else { Tone::Warn };
            let words = format!("the server's clock {}", clock.words());
            self.push(Line::new().dim(&format!("{:29}", "")).add(tone, &words).hang(31));
        }
        let body = story.answer.body_text();
        if refused && !body.trim().is_empty() {
            let body = self.brief(body.trim(), BODY_CHARS);
            self.push(Line::new().dim(&format!("{:29}", "")).plain(&body).hang(29));
        }
    }

    fn session(&mut self, story: &Story) {
        let Some(opened) = story.opened else { return };
        if let Some(confirmation) = &story.confirmation {
            let ms = Some(confirmation.at.millis_since(opened));
            let preview = confirmation.preview.as_deref().map(|preview| self.brief(preview, PREVIEW_CHARS));
            let what = match (confirmation.ok, preview) {
                (true, Some(preview)) => preview,
                (true, None) => "the 101 is enough".to_owned(),
                (false, Some(preview)) => format!("does not match: {preview}"),
                (false, None) => "no message came in time".to_owned(),
            };
            self.step(Some(confirmation.ok), "confirmation", ms, &what);
        }
        let tally = |direction: Direction| {
            let tally = story.tally(direction);
            format!("{} {} ({} bytes of data)", tally.frames, direction.word(), tally.data_bytes)
        };
        let frames = format!("{}, {}", tally(Direction::ClientToServer), tally(Direction::ServerToClient));
        self.step(None, "frames", None, &frames);
        if let Some(mean) = story.round_trips.mean() {
            let millis = |micros: u64| micros as f64 / 1000.0;
            let trips = &story.round_trips;
            let what = format!(
                "{} pings answered, {:.2} to {:.2} ms",
                trips.count,
                millis(trips.shortest),
                millis(trips.longest)
            );
            self.step(Some(true), "round trip", Some(millis(mean)), &what);
        }
        if let Some((at, queues)) = story.queues {
            let what = queues.map_or_else(|| "not known on this system".to_owned(), TcpQueues::words);
            self.step(None, "TCP holds", Some(at.millis_since(opened)), &what);
        }
        for (at, violation) in story.violations.iter().take(SHOWN_VIOLATIONS) {
            let what = format!("{} ({})", violation.kind.rule(), violation.kind.section());
            self.step(Some(false), "violation", Some(at.millis_since(opened)), &what);
        }
        self.closing(story, opened);
    }

    fn closing(&mut self, story: &Story, opened: Moment) {
        let mut closes: Vec<_> = [&story.close_received, &story.close_sent].into_iter().flatten().collect();
        closes.sort_by_key(|close| close.at);
        for close in closes {
            let code = close.info.code.map_or_else(|| "without a code".to_owned(), |code| code.to_string());
            let reason = if close.info.reason.is_empty() {
                String::new()
            } else {
                format!(" \u{201c}{}\u{201d}", close.info.reason)
            };
            let what = format!("{} Close {code}{reason}", close.info.direction.word());
            self.step(None, "close", Some(close.at.millis_since(opened)), &what);
        }
        let end = match (&story.read_end, &story.we_closed_tcp) {
            (Some((at, end)), _) => Some((*at, words::read_end(end))),
            (None, Some(at)) => Some((*at, "closed by us".to_owned())),
            (None, None) => None,
        };
        if let Some((at, what)) = end {
            let ending = story.verdict.as_ref().map(|verdict| verdict.ending);
            let code = browser_code(story, ending).map_or_else(String::new, |code| format!("; a browser shows {code}"));
            let ok = if story.is_clean() { Some(true) } else { Some(false) };
            self.step(ok, "end of TCP", Some(at.millis_since(opened)), &format!("{what}{code}"));
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
        self.heading("Not asked, because it is another machine (--probes asks)");
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
const BODY_CHARS: usize = 600;
const SHOWN_VIOLATIONS: usize = 5;

#[cfg(test)]
mod tests;
