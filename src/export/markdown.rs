//! Markdown for a ticket: the verdict, what shows it, what to do, and the rows around the end.
//!
//! GitHub's dialect, which GitLab and most trackers read. Foreign text never becomes markup, a link or a mention.

use std::collections::VecDeque;
use std::io::{self, Write};

use super::Material;
use super::html::title;
use super::lines::{Payloads, each};
use super::redact::Redactor;
use super::steps::steps;
use super::text::log_line;
use super::visible::{is_hidden, shortened, visible};
use super::words;
use crate::diagnosis::{CheckItem, Evidence, Remedy, Verdict, catalogue};
use crate::store::Story;

/// Writes the ticket.
pub(super) fn write(
    material: &Material<'_>,
    mut redactor: Option<&mut Redactor>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut ticket = Ticket { text: String::new(), redactor: redactor.as_deref_mut() };
    let story = material.story;
    ticket.head(story);
    if let Some(verdict) = story.verdict.as_deref() {
        ticket.verdict(verdict);
    }
    ticket.steps(story);
    ticket.checklist(material.checklist);
    ticket.handshake(story);
    ticket.line("### Log\n");
    out.write_all(ticket.text.as_bytes())?;
    log(material, redactor, out)?;
    let system: Vec<String> = material.system.iter().map(|(name, value)| format!("{name} {value}")).collect();
    writeln!(out, "\nWritten by Sockeye {}. {}", env!("CARGO_PKG_VERSION"), plain(&system.join(", ")))
}

/// The first rows and the last ones, in a fence.
fn log(material: &Material<'_>, redactor: Option<&mut Redactor>, out: &mut dyn Write) -> io::Result<()> {
    let mut first = String::new();
    let mut last: VecDeque<String> = VecDeque::new();
    let (mut shown, mut left_out) = (0, 0_u64);
    each(material, Payloads::Beginning, redactor, &mut |line, redactor| {
        let line = shortened(&log_line(&line, redactor), LINE_CHARS);
        if shown < FIRST {
            shown += 1;
            first.extend([line.as_str(), "\n"]);
        } else {
            last.push_back(line);
            if last.len() > LAST {
                last.pop_front();
                left_out += 1;
            }
        }
        Ok(())
    })?;
    if left_out > 0 {
        first.extend(["               … ", &left_out.to_string(), " rows left out …\n"]);
    }
    first.extend(last.iter().flat_map(|line| [line.as_str(), "\n"]));
    out.write_all(fenced(&first).as_bytes())
}

struct Ticket<'a> {
    text: String,
    redactor: Option<&'a mut Redactor>,
}

impl Ticket<'_> {
    fn line(&mut self, line: &str) {
        self.text.extend([line, "\n"]);
    }

    fn redacted(&mut self, text: &str) -> String {
        self.redactor.as_deref_mut().map_or_else(|| text.to_owned(), |redactor| redactor.text(text))
    }

    /// Foreign text in a sentence.
    fn foreign(&mut self, text: &str) -> String {
        plain(&self.redacted(text))
    }

    /// Foreign text as code.
    fn code(&mut self, text: &str, max: usize) -> String {
        code(&shortened(&self.redacted(text), max))
    }

    fn head(&mut self, story: &Story) {
        let title = story.verdict.as_deref().map_or("A WebSocket session", title);
        self.line(&format!("## {}\n", plain(title)));
        let summary = story.verdict.as_ref().map(|verdict| verdict.summary.clone()).unwrap_or_default();
        if !summary.is_empty() {
            let summary = self.foreign(&summary);
            self.line(&format!("{summary}\n"));
        }
        if let Some(plan) = &story.plan {
            let url = self.redactor.as_deref_mut().map_or_else(|| plan.url.clone(), |redactor| redactor.url(&plan.url));
            self.line(&format!("- **URL** {}", code(&url)));
            self.line(&format!("- **When** {}", words::wall_clock(plan.began_unix_millis)));
        }
        if let Some(verdict) = story.verdict.as_deref() {
            let certainty = words::certainty(verdict.certainty);
            self.line(&format!("- **Cause** {}, {certainty}", code(&verdict.cause)));
            if let Some(ending) = catalogue::ending(verdict.ending.id()).filter(|_| verdict.cause != "healthy") {
                self.line(&format!("- **What happened** {}", plain(ending.what)));
            }
            let shows = self.foreign(&verdict.browser_shows);
            if !shows.is_empty() {
                self.line(&format!("- **A browser shows** {shows}"));
            }
        }
        if let Some(report) = story.token.as_deref().filter(|report| report.present) {
            let alg = self.code(report.alg.as_deref().unwrap_or("no alg"), 40);
            let dates = words::validity(report).unwrap_or("unknown").replace('_', " ");
            self.line(&format!("- **Token** {alg}, dates {dates}, signature {}", words::signature(report)));
        }
        self.line("");
    }

    fn verdict(&mut self, verdict: &Verdict) {
        self.evidence("### Because", &verdict.evidence);
        self.fixes("### What to do", &verdict.fixes);
        if !verdict.findings.is_empty() {
            self.line("### Also found\n");
            for finding in &verdict.findings {
                let summary = self.foreign(&finding.summary);
                self.line(&format!("- {} {summary}", code(&finding.id)));
                for fix in &finding.fixes {
                    let text = self.foreign(&fix.text);
                    self.line(&format!("  - {text}"));
                }
            }
            self.line("");
        }
        if !verdict.alternatives.is_empty() {
            self.line("### Also possible\n");
            for other in &verdict.alternatives {
                let decide = self.foreign(&other.decide_by);
                self.line(&format!("- {} ({}): {decide}", code(&other.cause), words::certainty(other.certainty)));
            }
            self.line("");
        }
    }

    fn evidence(&mut self, heading: &str, evidence: &[Evidence]) {
        if evidence.is_empty() {
            return;
        }
        self.line(&format!("{heading}\n"));
        for item in evidence {
            let text = self.foreign(&item.text);
            self.line(&format!("- {:.3} ms: {text}", item.at.as_millis()));
        }
        self.line("");
    }

    fn fixes(&mut self, heading: &str, fixes: &[Remedy]) {
        if fixes.is_empty() {
            return;
        }
        self.line(&format!("{heading}\n"));
        for fix in fixes {
            let text = self.foreign(&fix.text);
            self.line(&format!("1. {text}"));
            if let Some(command) = &fix.command {
                let command = fenced(&format!("{}\n", lines(&self.redacted(command))));
                for line in command.lines() {
                    self.text.extend(["   ", line, "\n"]);
                }
            }
        }
        self.line("");
    }

    fn steps(&mut self, story: &Story) {
        self.line("### Step by step\n\n| | step | took | what |\n| --- | --- | ---: | --- |");
        for step in steps(story) {
            let sign = match step.ok {
                Some(true) => "✓",
                Some(false) => "✗",
                None => "",
            };
            let ms = step.ms.map_or_else(String::new, |ms| format!("{ms:.1} ms"));
            let what = self.code(&step.what, step.max_chars).replace('|', "\\|");
            self.line(&format!("| {sign} | {} | {ms} | {what} |", step.name));
        }
        self.line("");
    }

    fn checklist(&mut self, checklist: &[CheckItem]) {
        if checklist.is_empty() {
            return;
        }
        self.line("### Checklist\n");
        for item in checklist {
            let sign = match item.ok {
                Some(true) => "[x]",
                Some(false) => "[ ] ✗",
                None => "[ ] ?",
            };
            let detail = self.foreign(&item.detail);
            self.line(&format!("- {sign} {}: {detail}", plain(&item.item)));
        }
        self.line("");
    }

    fn handshake(&mut self, story: &Story) {
        let Some(request) = &story.request else { return };
        let mut raw = request.raw.to_vec();
        let mut head = |bytes: &[u8]| match self.redactor.as_deref_mut() {
            Some(redactor) => redactor.head(bytes),
            None => bytes.to_vec(),
        };
        raw = head(&raw);
        raw.extend_from_slice(&head(
            story.answer.raw.get(..story.answer.raw.len().min(ANSWER_BYTES)).unwrap_or_default(),
        ));
        let raw = lines(&String::from_utf8_lossy(&raw));
        self.line("<details><summary>Opening handshake</summary>\n");
        self.text.push_str(&fenced(&format!("{}\n", raw.trim_end())));
        self.line("\n</details>\n");
    }
}

/// Foreign text that keeps its lines, everything else that is hidden as a code.
fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        if c == '\n' || !is_hidden(c) { out.push(c) } else { out.extend(c.escape_default()) }
    }
    out
}

/// Text as a span of code, whatever is in it.
fn code(text: &str) -> String {
    let text = visible(text);
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // A back-tick at either end needs a space beside the fence.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Lines as a block of code, whatever is in them.
fn fenced(text: &str) -> String {
    let fence = "`".repeat((longest_run(text, '`') + 1).max(3));
    format!("{fence}text\n{text}{fence}\n")
}

fn longest_run(text: &str, of: char) -> usize {
    text.split(|c| c != of).map(str::len).max().unwrap_or(0)
}

/// Text that is nothing but text.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let shown = visible(text);
    let mut chars = shown.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '!' | '|' | '~' | '$' => {
                out.extend(['\\', c]);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // Neither a mention, nor a link, nor a picture by name.
            '@' => out.push_str("&#64;"),
            ':' if chars.peek().is_some_and(|next| !next.is_whitespace()) => out.push_str("&#58;"),
            other => out.push(other),
        }
    }
    out
}

/// So many rows are shown from the beginning and from the end.
const FIRST: usize = 20;
const LAST: usize = 40;
const LINE_CHARS: usize = 240;
const ANSWER_BYTES: usize = 8 * 1024;
