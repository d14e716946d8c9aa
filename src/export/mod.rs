//! A session as a file for others: for tools (JSON Lines, HAR, pcapng) and for people (text, HTML, Markdown).
//!
//! Pure: a story and its rows go in, bytes come out through any [`Write`]. Secrets are replaced by marks unless the caller
//! gives no [`Redactor`]. Not here: the journal itself, which is the session as it is. Start at [`EXPORTERS`].

mod bundle;
pub mod check_json;
mod har;
mod hits;
mod html;
mod json_lines;
mod lines;
mod markdown;
mod pcapng;
mod preview;
pub mod redact;
mod row_json;
mod row_words;
mod selection;
mod steps;
pub mod text;
mod tls;
pub mod visible;
mod words;

use std::io::{self, Write};

use bytes::Bytes;

use crate::diagnosis::CheckItem;
use crate::observation::{Direction, Fact, Moment};
use crate::store::{Row, Story};

pub use hits::{HITS, HITS_JSON, row_says};
pub use preview::{Preview, PreviewFile};
pub use redact::Redactor;
pub use selection::Selection;

/// A session, as an exporter needs it.
pub struct Material<'a> {
    /// The connection.
    pub story: &'a Story,
    /// The status checklist.
    pub checklist: &'a [CheckItem],
    /// Where its rows come from.
    pub source: &'a dyn Source,
    /// Which of them are wanted.
    pub selection: &'a Selection,
    /// What the machine is: names and values, in order.
    pub system: &'a [(String, String)],
}

/// Rows, oldest first, or why they cannot be read.
pub type Rows<'a> = Box<dyn Iterator<Item = io::Result<Row>> + 'a>;
/// Facts with their moments, oldest first, or why they cannot be read.
pub type Facts<'a> = Box<dyn Iterator<Item = io::Result<(Moment, Fact)>> + 'a>;

/// Where the rows of a session come from; may be asked again, and blocks while it reads.
pub trait Source {
    /// The rows that are wanted.
    fn rows(&self, selection: &Selection) -> Rows<'_>;
    /// The whole payload of the frame at an offset, unmasked, or `None` if it is gone.
    fn payload(&self, direction: Direction, offset: u64) -> io::Result<Option<Bytes>>;
    /// Every observation as it was recorded; `None` where some of them are gone.
    fn facts(&self) -> Option<Facts<'_>>;
}

impl<'a> Material<'a> {
    /// The rows that are wanted.
    pub fn rows(&self) -> Rows<'a> {
        self.source.rows(self.selection)
    }
}

/// Writes a session; without a redactor secrets are written as they are.
pub type Export = fn(&Material<'_>, Option<&mut Redactor>, &mut dyn Write) -> io::Result<()>;

/// One format.
#[derive(Clone, Copy, Debug)]
pub struct Exporter {
    /// The format's name on the command line.
    pub id: &'static str,
    /// A few words for a menu.
    pub title: &'static str,
    /// The extensions by which a file name asks for it, the usual one first.
    pub extensions: &'static [&'static str],
    /// How often it goes through the wanted rows.
    pub passes: u64,
    export: Export,
}

impl Exporter {
    /// Writes a session; without a redactor secrets are written as they are.
    ///
    /// With one every row is read before the first is written: a secret may be told by its name only at the end.
    pub fn write(
        &self,
        material: &Material<'_>,
        mut redactor: Option<&mut Redactor>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if let Some(redactor) = redactor.as_deref_mut() {
            redactor.learn_story(material.story);
            lines::learn(material, redactor)?;
        }
        (self.export)(material, redactor, out)?;
        out.flush()
    }
}

/// Every format, the most useful first.
pub const EXPORTERS: &[Exporter] = &[
    Exporter {
        id: "html",
        title: "HTML report, one file",
        extensions: &["html", "htm"],
        passes: 1,
        export: html::write,
    },
    Exporter {
        id: bundle::ID,
        title: "share bundle, one zip for somebody else",
        extensions: &["zip"],
        passes: bundle::PASSES,
        export: bundle::write,
    },
    Exporter {
        id: "md",
        title: "Markdown for a ticket",
        extensions: &["md", "markdown"],
        passes: 1,
        export: markdown::write,
    },
    Exporter {
        id: "text",
        title: "text, the report and the log",
        extensions: &["txt", "text"],
        passes: 1,
        export: text::write,
    },
    Exporter {
        id: "jsonl",
        title: "JSON Lines, one object a row",
        extensions: &["jsonl", "ndjson"],
        passes: 1,
        export: json_lines::write,
    },
    Exporter {
        id: "har",
        title: "HAR 1.2, for the browser's developer tools",
        extensions: &["har"],
        passes: 1,
        export: har::write,
    },
    Exporter {
        id: "pcapng",
        title: "pcapng, decrypted, for Wireshark",
        extensions: &["pcapng"],
        passes: 1,
        export: pcapng::write,
    },
    Exporter {
        id: "json",
        title: "the object of `check --json`",
        extensions: &["json"],
        passes: 0,
        export: |material, redactor, out| {
            let value = check_json::check_json(material.story, material.checklist, redactor);
            serde_json::to_writer_pretty(&mut *out, &value)?;
            out.write_all(b"\n")
        },
    },
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
pub(crate) mod testing;
#[cfg(test)]
mod tests;
