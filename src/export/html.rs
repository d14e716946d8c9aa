//! The HTML report: one file that asks for nothing, in the colours of the window, light and dark.
//!
//! The verdict first, then what happened, the handshake, the token, the console, the log. Of a long log the beginning and
//! the end are shown, and the gap says how much it leaves out. `page` writes elements, `log` the table of rows.

mod log;
mod page;

use std::io::{self, Write};

use super::Material;
use super::redact::Redactor;
use super::steps::{Step, steps};
use super::words;
use crate::diagnosis::{Evidence, Remedy, Verdict, catalogue};
use crate::store::Story;
use crate::token::TokenReport;
use page::{Page, escaped};

/// Writes the file.
pub(super) fn write(material: &Material<'_>, redactor: Option<&mut Redactor>, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { out, redactor };
    let story = material.story;
    let title = story.verdict.as_deref().map_or("A WebSocket session", title);
    page.raw(HEAD)?;
    page.raw(&format!("<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n", escaped(title)))?;
    header(&mut page, story)?;
    page.raw("<main>\n")?;
    if let Some(verdict) = story.verdict.as_deref() {
        answer(&mut page, verdict)?;
    }
    waterfall(&mut page, story)?;
    checklist(&mut page, material)?;
    handshake(&mut page, story)?;
    if let Some(report) = story.token.as_deref().filter(|report| report.present) {
        token(&mut page, report)?;
    }
    probes(&mut page, story)?;
    log::write(&mut page, material)?;
    page.raw("</main>\n")?;
    footer(&mut page, material)?;
    page.raw("</body>\n</html>\n")
}

/// The heading of a verdict.
pub(super) fn title(verdict: &Verdict) -> &str {
    catalogue::cause(&verdict.cause).map_or(verdict.cause.as_str(), |cause| cause.title)
}

fn header(page: &mut Page<'_>, story: &Story) -> io::Result<()> {
    page.raw("<header><p class=\"brand\">Sockeye <span>why the WebSocket closed</span></p>\n")?;
    if let Some(plan) = &story.plan {
        let url = page.url(&plan.url);
        let when = words::wall_clock(plan.began_unix_millis);
        page.raw(&format!("<p class=\"url\">{url}</p>\n<p class=\"when\">{when}</p>\n"))?;
    }
    page.raw("</header>\n")
}

fn answer(page: &mut Page<'_>, verdict: &Verdict) -> io::Result<()> {
    let class = if verdict.cause == "healthy" { "ok" } else { "bad" };
    let certainty = words::certainty(verdict.certainty);
    let (summary, shows) = (page.foreign(&verdict.summary), page.foreign(&verdict.browser_shows));
    page.raw(&format!("<section class=\"verdict {class}\">\n<h1>{}</h1>\n", escaped(title(verdict))))?;
    page.raw(&format!("<p class=\"summary\">{summary}</p>\n"))?;
    page.raw(&format!("<p class=\"facts\"><code>{}</code> · {certainty}", escaped(&verdict.cause)))?;
    if let Some(ending) = catalogue::ending(verdict.ending.id()).filter(|_| verdict.cause != "healthy") {
        page.raw(&format!(" · {}", escaped(ending.what)))?;
    }
    page.raw("</p>\n")?;
    evidence(page, &verdict.evidence)?;
    fixes(page, &verdict.fixes)?;
    if !shows.is_empty() {
        page.raw(&format!("<h2>A browser shows</h2>\n<p>{shows}</p>\n"))?;
    }
    if !verdict.findings.is_empty() {
        page.raw("<h2>Also found</h2>\n")?;
    }
    for finding in &verdict.findings {
        let summary = page.foreign(&finding.summary);
        let (id, certainty) = (escaped(&finding.id), words::certainty(finding.certainty));
        page.raw(&format!("<details open><summary><code>{id}</code> {summary} <i>{certainty}</i></summary>\n"))?;
        evidence(page, &finding.evidence)?;
        fixes(page, &finding.fixes)?;
        page.raw("</details>\n")?;
    }
    if !verdict.alternatives.is_empty() {
        page.raw("<h2>Also possible</h2>\n<dl>\n")?;
        for other in &verdict.alternatives {
            let decide = page.foreign(&other.decide_by);
            let (cause, certainty) = (escaped(&other.cause), words::certainty(other.certainty));
            page.raw(&format!("<dt><code>{cause}</code> <i>{certainty}</i></dt><dd>{decide}</dd>\n"))?;
        }
        page.raw("</dl>\n")?;
    }
    page.raw("</section>\n")
}

fn evidence(page: &mut Page<'_>, evidence: &[Evidence]) -> io::Result<()> {
    if evidence.is_empty() {
        return Ok(());
    }
    page.raw("<h2>Because</h2>\n<ul class=\"evidence\">\n")?;
    for item in evidence {
        let text = page.foreign(&item.text);
        page.raw(&format!("<li><a href=\"#t{}\">{:.3} ms</a> {text}</li>\n", item.at.0, item.at.as_millis()))?;
    }
    page.raw("</ul>\n")
}

fn fixes(page: &mut Page<'_>, fixes: &[Remedy]) -> io::Result<()> {
    if fixes.is_empty() {
        return Ok(());
    }
    page.raw("<h2>What to do</h2>\n<ol>\n")?;
    for fix in fixes {
        let text = page.foreign(&fix.text);
        page.raw(&format!("<li>{text}"))?;
        if let Some(command) = &fix.command {
            let command = page.block(command);
            page.raw(&format!("<pre>{command}</pre>"))?;
        }
        page.raw("</li>\n")?;
    }
    page.raw("</ol>\n")
}

fn waterfall(page: &mut Page<'_>, story: &Story) -> io::Result<()> {
    let steps = steps(story);
    let is_timed =
        |step: &&Step| !matches!(step.name, "violation" | "close" | "end of TCP" | "TCP holds" | "round trip");
    let end = |step: &Step| step.at.map_or(0.0, |at| at.as_millis() + step.ms.unwrap_or_default());
    let total = steps.iter().filter(is_timed).map(end).fold(0.001, f64::max);
    page.raw("<section>\n<h2>What happened</h2>\n<table class=\"steps\">\n")?;
    for step in &steps {
        let what = page.shortened(&step.what, step.max_chars);
        let (class, sign, word) = mark(step.ok);
        let sign = if step.name.is_empty() { String::new() } else { format!("<b title=\"{word}\">{sign}</b>") };
        let ms = step.ms.map_or_else(String::new, |ms| format!("{ms:.1} ms"));
        let bar = match (step.at, step.ms) {
            (Some(at), Some(ms)) if is_timed(&step) => {
                let (left, width) = (at.as_millis() / total * 100.0, (ms / total * 100.0).max(0.6));
                let left = left.min(99.4);
                format!("<span class=\"bar\" style=\"left:{left:.2}%;width:{:.2}%\"></span>", width.min(100.0 - left))
            }
            _ => String::new(),
        };
        page.raw(&format!(
            "<tr class=\"{class}\"><td>{sign}</td><th>{}</th><td class=\"track\">{bar}</td><td class=\"num\">{ms}</td><td>{what}</td></tr>\n",
            step.name
        ))?;
    }
    page.raw("</table>\n</section>\n")
}

fn checklist(page: &mut Page<'_>, material: &Material<'_>) -> io::Result<()> {
    if material.checklist.is_empty() {
        return Ok(());
    }
    page.raw("<section>\n<h2>Checklist</h2>\n<table class=\"checks\">\n")?;
    for item in material.checklist {
        let (class, sign, word) = mark(item.ok);
        let detail = page.foreign(&item.detail);
        let name = escaped(&item.item);
        page.raw(&format!(
            "<tr class=\"{class}\"><td><b title=\"{word}\">{sign}</b></td><th>{name}</th><td>{detail}</td></tr>\n"
        ))?;
    }
    page.raw("</table>\n</section>\n")
}

fn handshake(page: &mut Page<'_>, story: &Story) -> io::Result<()> {
    let Some(request) = &story.request else { return Ok(()) };
    page.raw("<section>\n<h2>Opening handshake</h2>\n<div class=\"columns\">\n")?;
    let raw = page.head(&request.raw);
    page.raw(&format!("<div><h3>Request</h3><pre>{raw}</pre></div>\n"))?;
    if !story.answer.raw.is_empty() {
        let raw = story.answer.raw.get(..story.answer.raw.len().min(ANSWER_BYTES)).unwrap_or_default();
        let raw = page.head(raw);
        page.raw(&format!("<div><h3>Response</h3><pre>{raw}</pre></div>\n"))?;
    }
    page.raw("</div>\n")?;
    if !story.answer.checks.is_empty() {
        page.raw("<table class=\"checks\">\n")?;
        for check in &story.answer.checks {
            let (class, sign, word) = mark(Some(check.ok));
            let detail = if check.ok {
                String::new()
            } else {
                format!("expected {}, got {} ({})", check.expected, check.got, check.check.section())
            };
            let (name, detail) = (escaped(check.check.words()), page.foreign(&detail));
            page.raw(&format!(
                "<tr class=\"{class}\"><td><b title=\"{word}\">{sign}</b></td><th>{name}</th><td>{detail}</td></tr>\n"
            ))?;
        }
        page.raw("</table>\n")?;
    }
    page.raw("</section>\n")
}

fn token(page: &mut Page<'_>, report: &TokenReport) -> io::Result<()> {
    let alg = page.foreign(report.alg.as_deref().unwrap_or("no alg"));
    let dates = words::validity(report).unwrap_or("unknown").replace('_', " ");
    let signature = words::signature(report);
    page.raw("<section>\n<h2>Token</h2>\n")?;
    page.raw(&format!(
        "<p><code>{alg}</code> · dates: {dates} · signature: {signature}</p>\n<table class=\"checks\">\n"
    ))?;
    for claim in &report.claims {
        let (name, value) = (page.foreign(&claim.name), page.shortened(&claim.raw, CLAIM_CHARS));
        page.raw(&format!("<tr><td></td><th>{name}</th><td><code>{value}</code></td></tr>\n"))?;
    }
    page.raw("</table>\n")?;
    for note in &report.notes {
        let note = page.foreign(note);
        page.raw(&format!("<p>{note}</p>\n"))?;
    }
    page.raw("</section>\n")
}

fn probes(page: &mut Page<'_>, story: &Story) -> io::Result<()> {
    if story.probes.is_empty() {
        return Ok(());
    }
    page.raw("<section>\n<h2>Asked afterwards</h2>\n<table class=\"checks\">\n")?;
    for probe in &story.probes {
        let (question, result) =
            (page.foreign(&words::probe(&probe.probe)), page.foreign(&words::outcome(probe.outcome.as_ref())));
        page.raw(&format!("<tr><td></td><th>{question}</th><td>{result}</td></tr>\n"))?;
    }
    page.raw("</table>\n</section>\n")
}

fn footer(page: &mut Page<'_>, material: &Material<'_>) -> io::Result<()> {
    page.raw("<footer>\n")?;
    let marks = page.redactor.as_deref().map(Redactor::marks);
    match marks {
        None => page.raw("<p>Secrets stand here as they are: this file is for you alone.</p>\n")?,
        Some(marks) if marks.is_empty() => page.raw("<p>No secret was found.</p>\n")?,
        Some(marks) => {
            let all: Vec<String> = marks.iter().map(|mark| format!("<code>{}</code>", escaped(&mark.words))).collect();
            page.raw(&format!("<p>Secrets are replaced, each by one mark: {}</p>\n", all.join(" ")))?;
        }
    }
    let system: Vec<String> = material.system.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let version = env!("CARGO_PKG_VERSION");
    page.raw(&format!("<p>Written by Sockeye {version}. {}</p>\n</footer>\n", escaped(&system.join(" · "))))
}

/// The class, the sign and the word for passed, failed and not known.
fn mark(ok: Option<bool>) -> (&'static str, &'static str, &'static str) {
    match ok {
        Some(true) => ("ok", "✓", "passed"),
        Some(false) => ("bad", "✗", "failed"),
        None => ("", "·", "not known"),
    }
}

const STYLE: &str = include_str!("../../assets/report.css");
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
    <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n";
const ANSWER_BYTES: usize = 64 * 1024;
const CLAIM_CHARS: usize = 400;
