//! The share bundle: one zip with everything that somebody else needs to see why a WebSocket closed.
//!
//! Every file in it goes through one redactor, so that a secret has one mark throughout. The zip itself is in `package`.

mod package;

use std::io::{self, Write};

use super::check_json::check_json;
use super::lines::{Payloads, each};
use super::preview::PreviewFile;
use super::redact::Redactor;
use super::visible::visible;
use super::{Material, html, json_lines, markdown, words};
use crate::observation::Fact;
use crate::store::RowBody;
use package::Package;

/// The format's name.
pub(super) const ID: &str = "bundle";
/// How often a bundle goes through the rows.
pub(super) const PASSES: u64 = 4;

/// Writes the zip.
pub(super) fn write(material: &Material<'_>, redactor: Option<&mut Redactor>, out: &mut dyn Write) -> io::Result<()> {
    let mut package = Package::zip(out, began(material));
    fill(material, redactor, &mut package)?;
    package.finish().map(drop)
}

/// The files that a bundle would hold; reads every row, writes nothing.
pub(super) fn files(material: &Material<'_>, redactor: Option<&mut Redactor>) -> io::Result<Vec<PreviewFile>> {
    let mut package = Package::preview();
    fill(material, redactor, &mut package)?;
    package.finish()
}

fn began(material: &Material<'_>) -> i64 {
    material.story.plan.as_ref().map_or(0, |plan| plan.began_unix_millis)
}

fn fill(material: &Material<'_>, mut redactor: Option<&mut Redactor>, package: &mut Package<'_>) -> io::Result<()> {
    package.begin("report.html", "the verdict, what shows it, and the log, to be opened in a browser")?;
    html::write(material, redactor.as_deref_mut(), package)?;
    package.begin("ticket.md", "the same in short, to be pasted into a ticket")?;
    markdown::write(material, redactor.as_deref_mut(), package)?;
    package.begin("session.jsonl", "every row of the log, one JSON object a line")?;
    json_lines::write(material, redactor.as_deref_mut(), package)?;
    package.begin("check.json", "the object that `sockeye check --json` prints")?;
    let value = check_json(material.story, material.checklist, redactor.as_deref_mut());
    serde_json::to_writer_pretty(&mut *package, &value)?;
    package.write_all(b"\n")?;
    handshake(material, redactor.as_deref_mut(), package)?;
    console(material, redactor.as_deref_mut(), package)?;
    checklist(material, redactor.as_deref_mut(), package)?;
    package.begin("system.txt", "the machine that Sockeye ran on")?;
    for (name, value) in material.system {
        writeln!(package, "{name}: {}", visible(value))?;
    }
    contents(redactor.as_deref(), package)
}

fn handshake(material: &Material<'_>, redactor: Option<&mut Redactor>, package: &mut Package<'_>) -> io::Result<()> {
    let Some(request) = &material.story.request else { return Ok(()) };
    package.begin("handshake.txt", "the opening handshake, byte for byte")?;
    let answer = &material.story.answer.raw;
    if let Some(redactor) = redactor {
        package.write_all(&redactor.head(&request.raw))?;
        package.write_all(&redactor.head(answer))
    } else {
        package.write_all(&request.raw)?;
        package.write_all(answer)
    }
}

fn console(material: &Material<'_>, redactor: Option<&mut Redactor>, package: &mut Package<'_>) -> io::Result<()> {
    if material.story.console.is_empty() {
        return Ok(());
    }
    package.begin("console.txt", "the lines of the server's console, at the moments at which they came")?;
    each(material, Payloads::Beginning, redactor, &mut |line, redactor| {
        if let RowBody::Fact(fact) = &line.row.body
            && let Fact::ConsoleLine { source, text } = &**fact
        {
            let text = format!("{source}  {text}");
            let text = redactor.map_or_else(|| text.clone(), |redactor| redactor.text(&text));
            writeln!(package, "{:>12.3} ms  {}", line.row.at.as_millis(), visible(&text))?;
        }
        Ok(())
    })
}

fn checklist(
    material: &Material<'_>,
    mut redactor: Option<&mut Redactor>,
    package: &mut Package<'_>,
) -> io::Result<()> {
    package.begin("checklist.txt", "what was checked, and what came of it")?;
    for item in material.checklist {
        let detail =
            redactor.as_deref_mut().map_or_else(|| item.detail.clone(), |redactor| redactor.text(&item.detail));
        let word = match item.ok {
            Some(true) => "passed",
            Some(false) => "FAILED",
            None => "?",
        };
        writeln!(package, "{word:<7} {:<24} {}", item.item, visible(&detail))?;
    }
    Ok(())
}

/// What is in the bundle, and what was taken out of it.
fn contents(redactor: Option<&Redactor>, package: &mut Package<'_>) -> io::Result<()> {
    let files: Vec<(String, &str)> = package.files().iter().map(|file| (file.name.clone(), file.about)).collect();
    package.begin("README.txt", "this list")?;
    writeln!(package, "A session of Sockeye {}, which tells why a WebSocket closed.\n", env!("CARGO_PKG_VERSION"))?;
    for (name, about) in files {
        writeln!(package, "{name:<16} {about}")?;
    }
    match redactor.map(Redactor::marks) {
        None => writeln!(package, "\nSecrets were NOT replaced: tokens and cookies stand here as they were sent."),
        Some(marks) if marks.is_empty() => writeln!(package, "\nNo secret was found."),
        Some(marks) => {
            writeln!(package, "\nSecrets were replaced, each by one mark wherever it stood:")?;
            for mark in marks {
                let times = words::times(mark.times);
                writeln!(package, "{:<20} {times}", mark.words)?;
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests;
