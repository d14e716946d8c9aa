//! A session as a file for others: JSON Lines, the object of `check --json`, a text for people.
//!
//! Pure: a story and its rows go in, bytes come out through any [`Write`]. Secrets are replaced by marks unless the caller
//! gives no [`Redactor`]. Not here: the journal itself, which is the session as it is. Start at [`EXPORTERS`].

pub mod check_json;
mod json_lines;
pub mod redact;
mod row_json;
pub mod text;
mod tls;
pub mod visible;
mod words;

use std::io::{self, Write};

use bytes::Bytes;

use crate::diagnosis::CheckItem;
use crate::observation::Direction;
use crate::store::{Row, Story};

pub use redact::Redactor;

/// A session, as an exporter needs it.
pub struct Material<'a> {
    /// The connection.
    pub story: &'a Story,
    /// The status checklist.
    pub checklist: &'a [CheckItem],
    /// Its rows, in order.
    pub rows: &'a mut dyn Iterator<Item = io::Result<Row>>,
    /// Gives the whole payload of the frame at an offset, or `None` if it is gone.
    pub payload: &'a mut dyn FnMut(Direction, u64) -> io::Result<Option<Bytes>>,
}

/// Writes a session; without a redactor secrets are written as they are.
pub type Export = fn(&mut Material<'_>, Option<&mut Redactor>, &mut dyn Write) -> io::Result<()>;

/// One format.
#[derive(Clone, Copy, Debug)]
pub struct Exporter {
    /// The format's name on the command line.
    pub id: &'static str,
    /// A few words for a menu.
    pub title: &'static str,
    /// The extensions by which a file name asks for it, the usual one first.
    pub extensions: &'static [&'static str],
    /// Writes it.
    pub export: Export,
}

/// Every format, the most useful first.
pub const EXPORTERS: &[Exporter] = &[
    Exporter {
        id: "jsonl",
        title: "JSON Lines, one object a row",
        extensions: &["jsonl", "ndjson"],
        export: json_lines::write,
    },
    Exporter {
        id: "json",
        title: "the object of `check --json`",
        extensions: &["json"],
        export: |material, redactor, out| {
            let value = check_json::check_json(material.story, material.checklist, redactor);
            serde_json::to_writer_pretty(&mut *out, &value)?;
            out.write_all(b"\n")
        },
    },
    Exporter { id: "text", title: "a report for people", extensions: &["txt", "text"], export: text::write },
];

/// The exporter of this name.
pub fn exporter(id: &str) -> Option<&'static Exporter> {
    EXPORTERS.iter().find(|exporter| exporter.id == id)
}

/// The exporter that a file extension asks for, without its dot and in any case.
pub fn exporter_for_extension(extension: &str) -> Option<&'static Exporter> {
    EXPORTERS.iter().find(|exporter| exporter.extensions.iter().any(|own| own.eq_ignore_ascii_case(extension)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_extensions_are_unique() {
        let mut names: Vec<&str> = EXPORTERS.iter().map(|e| e.id).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), EXPORTERS.len());
        let mut extensions: Vec<&str> = EXPORTERS.iter().flat_map(|e| e.extensions).copied().collect();
        let all = extensions.len();
        extensions.sort_unstable();
        extensions.dedup();
        assert_eq!(extensions.len(), all);
        assert_eq!(exporter_for_extension("TXT").map(|e| e.id), Some("text"));
        assert!(exporter("jsonl").is_some() && exporter("sockeye").is_none());
    }
}
