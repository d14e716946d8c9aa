//! A pasted console, line by line: what each line means, whichever program printed it.

use std::collections::BTreeSet;

use super::{Scope, good_sign, recognise, recognise_browser};

/// A line that means something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Its number in the text, from 1 on.
    pub line: usize,
    /// The line, short and without tokens.
    pub quote: String,
    /// The id in the catalogue of what it tells of; `None` for a good sign, and where the line tells no cause.
    pub cause: Option<&'static str>,
    /// What it says, as a clause.
    pub meaning: String,
    /// Whether all is well so far by this line.
    pub is_good: bool,
    /// Whether it holds for the server's process rather than for one connection.
    pub is_about_process: bool,
}

/// What the lines of a console mean; lines that mean nothing are left out, a cause that repeats is told once more only
/// where its line differs.
///
/// At most 20 000 lines are looked at.
pub fn explain_lines(text: &str) -> Vec<Explained> {
    let mut lines = ExplainedLines::default();
    for line in text.lines().take(MAX_LINES) {
        lines.push(line);
    }
    lines.explained
}

/// The same for a console of any length, line by line.
#[derive(Debug, Default)]
pub struct ExplainedLines {
    /// What was found so far, at most [`ExplainedLines::MOST`].
    pub explained: Vec<Explained>,
    quotes: BTreeSet<String>,
    line: usize,
}

impl ExplainedLines {
    /// How much is kept.
    pub const MOST: usize = 10_000;

    /// Reads the next line, without its line end.
    pub fn push(&mut self, text: &str) {
        self.line += 1;
        let found = explain_line(self.line, text).filter(|_| self.explained.len() < Self::MOST);
        if let Some(found) = found
            && self.quotes.insert(found.quote.clone())
        {
            self.explained.push(found);
        }
    }
}

fn explain_line(line: usize, text: &str) -> Option<Explained> {
    let server = recognise(text);
    // Rows of the server's table that go by the shape of a line alone, as a client's exceptions have it too.
    let is_sure =
        server.as_ref().is_some_and(|seen| !["handler-exception", "boot-crash", "close-1002"].contains(&seen.cause));
    if let Some(seen) = recognise_browser(text).filter(|_| !is_sure) {
        let is_good = seen.cause == Some("healthy");
        let cause = seen.cause.filter(|_| !is_good);
        return Some(Explained {
            line,
            quote: seen.quote,
            cause,
            meaning: seen.meaning,
            is_good,
            is_about_process: false,
        });
    }
    if let Some(seen) = server {
        let is_about_process = seen.scope == Scope::Process;
        let (cause, meaning) = (Some(seen.cause), seen.meaning.to_owned());
        return Some(Explained { line, quote: seen.quote, cause, meaning, is_good: false, is_about_process });
    }
    let meaning = good_sign(text)?.to_owned();
    let quote = super::quote(text);
    Some(Explained { line, quote, cause: None, meaning, is_good: true, is_about_process: false })
}

/// How many lines of a pasted console are looked at.
const MAX_LINES: usize = 20_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_sides_are_explained() {
        let text = "noise\n\
            [WebSocket] Attempting to connect to ws://localhost:3001\n\
            WebSocket connection to 'ws://localhost:3001/' failed: Error in connection establishment: net::ERR_CONNECTION_REFUSED\n\
            WebSocket connection to 'ws://localhost:3001/' failed: Error in connection establishment: net::ERR_CONNECTION_REFUSED\n\
            [WebSocket] Server listening on port 3001\n\
            Error: listen EADDRINUSE: address already in use :::3001\n";
        let seen = explain_lines(text);
        let causes: Vec<_> = seen.iter().map(|line| (line.line, line.cause, line.is_good)).collect();
        let wanted =
            [(2, None, false), (3, Some("tcp-refused"), false), (5, None, true), (6, Some("address-in-use"), false)];
        assert_eq!(causes, wanted, "{seen:#?}");
        assert!(seen[3].is_about_process);
    }

    #[test]
    fn any_text_is_read_without_harm() {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        let pieces = [
            "WebSocket connection to '",
            "' failed: ",
            "Unexpected response code: ",
            "code: ",
            "\u{1B}[",
            "\u{1B}]",
            "m",
            "é❌",
            "1006",
            "99999",
            "403",
            "jwt expired",
            "Error: ",
            "\n",
            "\r",
            "\0",
            "eyJhbGciOiJIUzI1NiJ9.e30.",
            "reserved1 = ",
        ];
        for _ in 0..2_000 {
            let mut text = String::new();
            for _ in 0..12 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            for line in explain_lines(&text) {
                assert!(line.cause.is_none_or(|id| crate::diagnosis::catalogue::cause(id).is_some()), "{line:?}");
                assert!(!line.quote.contains('\u{1B}') && !line.quote.contains('\0'), "{line:?}");
            }
        }
    }
}
