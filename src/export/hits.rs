//! Rows that a search has found, for whoever asked: a line for each, or an array of objects for scripts.
//!
//! Not formats of a file: they are no rows of [`EXPORTERS`](super::EXPORTERS).

use std::io::{self, Write};

use super::lines::{Line, Payloads, each};
use super::redact::Redactor;
use super::row_json::row_json;
use super::row_words::row_words;
use super::visible::shortened;
use super::{Exporter, Material};
use crate::store::{Filter, Row};

/// A line for each row: its number, its time, which way it went, what it is, the beginning of what it says.
pub const HITS: Exporter =
    Exporter { id: "hits", title: "rows, a line each", extensions: &[], passes: 1, export: lines };

/// An array of the objects that JSON Lines have.
pub const HITS_JSON: Exporter =
    Exporter { id: "hits-json", title: "rows, an object each", extensions: &[], passes: 1, export: objects };

/// What is searched of a row beside its bytes: the words with which reports show it.
pub fn row_says(row: &Row) -> String {
    let bytes = Filter::bytes_of(row).to_vec();
    let words = row_words(&Line { row: row.clone(), bytes, is_whole: true }, None);
    format!("{} {}", words.what, words.content)
}

fn lines(material: &Material<'_>, redactor: Option<&mut Redactor>, out: &mut dyn Write) -> io::Result<()> {
    each(material, Payloads::Beginning, redactor, &mut |line, redactor| {
        let words = row_words(&line, redactor);
        let content = shortened(&words.content, CONTENT_CHARS);
        let (number, millis) = (line.row.number, line.row.at.as_millis());
        let text = format!("{number:>8} {millis:>12.3} ms  {} {}  {content}", words.sign, words.what);
        writeln!(out, "{}", text.trim_end())
    })
}

fn objects(material: &Material<'_>, redactor: Option<&mut Redactor>, out: &mut dyn Write) -> io::Result<()> {
    let mut before = "[\n";
    each(material, Payloads::Whole, redactor, &mut |line, redactor| {
        out.write_all(before.as_bytes())?;
        before = ",\n";
        Ok(serde_json::to_writer(&mut *out, &row_json(&line, redactor))?)
    })?;
    out.write_all(if before == ",\n" { b"\n]" } else { b"[]" })
}

const CONTENT_CHARS: usize = 300;
