//! The table of rows: all of a short log, the beginning and the end of a long one.

use std::collections::VecDeque;
use std::io;

use super::page::{Page, escaped};
use crate::export::Material;
use crate::export::lines::{Payloads, each};
use crate::export::row_words::{RowWords, row_words};
use crate::observation::{Direction, Fact, Moment};
use crate::store::{Row, RowBody};
use crate::wire::Opcode;

/// Writes the table.
pub(super) fn write(page: &mut Page<'_>, material: &Material<'_>) -> io::Result<()> {
    page.raw("<section>\n<h2>Log</h2>\n<table class=\"log\">\n")?;
    page.raw("<tr><th>ms</th><th></th><th>what</th><th>content</th></tr>\n")?;
    let mut first = 0;
    let mut last: VecDeque<Shown> = VecDeque::new();
    let mut left_out = 0_u64;
    let mut seen = None;
    let out = &mut *page.out;
    each(material, Payloads::Beginning, page.redactor.as_deref_mut(), &mut |line, redactor| {
        let shown = Shown::new(&line.row, row_words(&line, redactor), &mut seen);
        if first < FIRST {
            first += 1;
            return out.write_all(shown.markup().as_bytes());
        }
        last.push_back(shown);
        if last.len() > LAST {
            last.pop_front();
            left_out += 1;
        }
        Ok(())
    })?;
    if left_out > 0 {
        page.raw(&format!(
            "<tr class=\"gap\"><td></td><td></td><td colspan=\"2\">{left_out} rows are left out here; JSON Lines has them all</td></tr>\n"
        ))?;
    }
    for shown in last {
        page.raw(&shown.markup())?;
    }
    page.raw("</table>\n</section>\n")
}

struct Shown {
    at: Moment,
    /// Whether it is the first row of its moment, to which evidence leads.
    is_first: bool,
    class: &'static str,
    words: RowWords,
}

impl Shown {
    fn new(row: &Row, words: RowWords, seen: &mut Option<Moment>) -> Self {
        let is_first = *seen != Some(row.at);
        *seen = Some(row.at);
        Self { at: row.at, is_first, class: class(row), words }
    }

    fn markup(&self) -> String {
        let id = if self.is_first { format!(" id=\"t{}\"", self.at.0) } else { String::new() };
        let (what, content) = (escaped(&self.words.what), &self.words.content);
        let content = match content.char_indices().nth(FOLDED_CHARS) {
            Some((end, _)) => {
                let beginning = escaped(content.get(..end).unwrap_or_default());
                format!("<details><summary>{beginning}…</summary>{}</details>", escaped(content))
            }
            None => escaped(content),
        };
        let (class, sign, ms) = (self.class, self.words.sign, self.at.as_millis());
        format!("<tr{id} class=\"{class}\"><td>{ms:.3}</td><td>{sign}</td><td>{what}</td><td>{content}</td></tr>\n")
    }
}

fn class(row: &Row) -> &'static str {
    let of = |direction: Direction| match direction {
        Direction::ClientToServer => "sent",
        Direction::ServerToClient => "received",
    };
    match &row.body {
        RowBody::Frame(frame) => match frame.message {
            Opcode::Text | Opcode::Binary | Opcode::Continuation => of(frame.direction),
            Opcode::Close | Opcode::Ping | Opcode::Pong | Opcode::Reserved(_) => "control",
        },
        RowBody::Request { .. } => "sent",
        RowBody::Response { .. } | RowBody::Body { .. } => "received",
        RowBody::Opaque { .. } | RowBody::Violation(_) | RowBody::Cut(_) => "bad",
        RowBody::Fact(fact) if matches!(**fact, Fact::ConsoleLine { .. }) => "console",
        RowBody::Fact(_) => "event",
    }
}

/// So many rows are shown from the beginning and from the end.
const FIRST: usize = 2_000;
const LAST: usize = 3_000;
const FOLDED_CHARS: usize = 240;
