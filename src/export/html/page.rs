//! The page that is being written: foreign text becomes harmless here, and nowhere else.

use std::io::{self, Write};

use crate::export::redact::Redactor;
use crate::export::visible::{is_hidden, shortened, visible};

/// The page that is being written.
pub(super) struct Page<'a> {
    pub(super) out: &'a mut dyn Write,
    pub(super) redactor: Option<&'a mut Redactor>,
}

impl Page<'_> {
    /// Writes our own markup.
    pub(super) fn raw(&mut self, markup: &str) -> io::Result<()> {
        self.out.write_all(markup.as_bytes())
    }

    /// Foreign text in one line: no secret, no markup, nothing that is obeyed.
    pub(super) fn foreign(&mut self, text: &str) -> String {
        escaped(&visible(&self.redacted(text)))
    }

    /// At most so many characters of foreign text.
    pub(super) fn shortened(&mut self, text: &str, max: usize) -> String {
        escaped(&visible(&shortened(&self.redacted(text), max)))
    }

    /// Foreign text that keeps its lines.
    pub(super) fn block(&mut self, text: &str) -> String {
        block(&self.redacted(text))
    }

    /// A URL.
    pub(super) fn url(&mut self, url: &str) -> String {
        let url = self.redactor.as_deref_mut().map_or_else(|| url.to_owned(), |redactor| redactor.url(url));
        escaped(&visible(&url))
    }

    /// A request or a response with its lines.
    pub(super) fn head(&mut self, bytes: &[u8]) -> String {
        let bytes = self.redactor.as_deref_mut().map_or_else(|| bytes.to_vec(), |redactor| redactor.head(bytes));
        block(&String::from_utf8_lossy(&bytes))
    }

    fn redacted(&mut self, text: &str) -> String {
        self.redactor.as_deref_mut().map_or_else(|| text.to_owned(), |redactor| redactor.text(text))
    }
}

/// A text without markup.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn block(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("\r\n", "\n").chars() {
        if c == '\n' || !is_hidden(c) { out.push(c) } else { out.extend(c.escape_default()) }
    }
    escaped(&out)
}
