//! A text that is being mended, and where each of its bytes stood in the original.
//!
//! Trimming the ends costs nothing; the first edit inside builds a map of offsets, four bytes for each byte of text.

use std::ops::Range;

use super::problem::{Problem, ProblemKind};

/// A text on its way from what was given to what would be right.
#[derive(Clone, Debug)]
pub(super) struct Working {
    text: String,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    /// Every byte stands this many bytes further on in the original.
    Offset(usize),
    /// The original offset of every byte, and of the end.
    Map(Vec<u32>),
}

impl Working {
    /// Starts from the text as it was given.
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), origin: Origin::Offset(0) }
    }

    /// The text as mended so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The text itself, at the end of the work.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The original offset of the byte at `at`, or of the end.
    pub(super) fn original(&self, at: usize) -> usize {
        match &self.origin {
            Origin::Offset(offset) => at + offset,
            Origin::Map(map) => map.get(at).or_else(|| map.last()).map_or(at, |&original| original as usize),
        }
    }

    /// The original range of the bytes `range`.
    pub(super) fn original_range(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.original(range.start);
        if range.is_empty() {
            return start..start;
        }
        start..self.original(range.end - 1) + 1
    }

    /// A problem at `range` of the present text, told in original offsets.
    pub(super) fn problem(&self, kind: ProblemKind, range: Range<usize>, message: impl Into<String>) -> Problem {
        let range = self.original_range(&range);
        Problem::new(kind, range.start, range.len(), message)
    }

    /// Keeps only `range`, whose ends are character boundaries.
    pub(super) fn keep(&mut self, range: Range<usize>) {
        self.text.truncate(range.end);
        self.text.drain(..range.start);
        match &mut self.origin {
            Origin::Offset(offset) => *offset += range.start,
            Origin::Map(map) => {
                map.truncate(range.end + 1);
                map.drain(..range.start);
            }
        }
    }

    /// Replaces each character by what `edit` says of it and its offset: another one, or none.
    pub(super) fn edit(&mut self, mut edit: impl FnMut(usize, char) -> Option<char>) {
        let mut text = String::with_capacity(self.text.len());
        let mut map = Vec::with_capacity(self.text.len() + 1);
        for (at, char) in self.text.char_indices() {
            if let Some(char) = edit(at, char) {
                text.push(char);
                let origin = narrow(self.original(at));
                map.extend((0..char.len_utf8()).map(|step| origin.saturating_add(step as u32)));
            }
        }
        map.push(narrow(self.original(self.text.len())));
        self.text = text;
        self.origin = Origin::Map(map);
    }

    /// Decodes every well-formed percent escape once; bytes that are not UTF-8 become U+FFFD.
    pub(super) fn percent_decode(&mut self) {
        let bytes = self.text.as_bytes();
        let mut decoded = Vec::with_capacity(bytes.len());
        let mut from = Vec::with_capacity(bytes.len() + 1);
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            from.push(narrow(self.original(at)));
            if let Some(value) = escape_at(bytes, at) {
                decoded.push(value);
                at += 3;
            } else {
                decoded.push(byte);
                at += 1;
            }
        }
        let end = narrow(self.original(bytes.len()));
        let mut text = String::with_capacity(decoded.len());
        let mut map = Vec::with_capacity(decoded.len() + 1);
        let mut read = 0;
        for chunk in decoded.utf8_chunks() {
            text.push_str(chunk.valid());
            map.extend(from.iter().skip(read).take(chunk.valid().len()));
            read += chunk.valid().len();
            if !chunk.invalid().is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
                let origin = from.get(read).copied().unwrap_or(end);
                map.extend([origin; char::REPLACEMENT_CHARACTER.len_utf8()]);
                read += chunk.invalid().len();
            }
        }
        map.push(end);
        self.text = text;
        self.origin = Origin::Map(map);
    }
}

/// The byte that the escape at `at` stands for, if one stands there.
pub(super) fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    let escape = bytes.get(at..at + 3)?;
    let &[b'%', high, low] = escape else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_survive_slices_and_edits() {
        let mut working = Working::new("  a b%2Ec ");
        working.keep(2..9);
        assert_eq!(working.text(), "a b%2Ec");
        working.percent_decode();
        assert_eq!(working.text(), "a b.c");
        assert_eq!(working.original(3), 5);
        assert_eq!(working.original(4), 8);
        working.edit(|_, char| (char != ' ').then_some(char));
        assert_eq!(working.text(), "ab.c");
        assert_eq!(working.original_range(&(1..4)), 4..9);
        working.keep(1..3);
        assert_eq!(working.original(0), 4);
        assert_eq!(working.original(2), 8);
    }

    #[test]
    fn escapes_that_are_not_utf8_become_the_replacement_character() {
        let mut working = Working::new("a%ff%C3%A9%zz");
        working.percent_decode();
        assert_eq!(working.text(), "a\u{fffd}é%zz");
        assert_eq!(working.original(4), 4);
    }
}
