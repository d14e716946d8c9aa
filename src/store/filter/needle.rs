//! Texts and regular expressions, looked for in payloads one by one or in the raw bytes of many.

use std::ops::Range;

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

/// Something to be found in bytes.
#[derive(Clone, Debug)]
pub(in crate::store) struct Needle {
    kind: Kind,
    /// Whether what it finds depends on its bytes alone, and not on what stands around them.
    is_free: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Literal(Box<Finder<'static>>),
    AnyCase(Box<AnyCase>),
    Regex(Regex),
}

/// An ASCII text in any case, found by a part of it that has no case.
#[derive(Clone, Debug)]
struct AnyCase {
    text: Box<[u8]>,
    /// Where the part stands in the text.
    part_at: usize,
    part: Finder<'static>,
    /// The text in any case, with the characters beyond ASCII that are a K or an S in another case.
    regex: Regex,
}

impl Needle {
    /// This text, exactly.
    pub(super) fn exact(text: &str) -> Self {
        Self { kind: Kind::Literal(Box::new(Finder::new(text).into_owned())), is_free: true }
    }

    /// This text in any case.
    pub(super) fn text(text: &str) -> Result<Self, String> {
        if !text.chars().any(char::is_alphabetic) {
            return Ok(Self::exact(text));
        }
        let needle = Self::regex(&regex::escape(text), true)?;
        let (Kind::Regex(regex), Some(part)) = (&needle.kind, caseless_part(text)) else {
            return Ok(needle);
        };
        let part_at = part.start;
        let part = Finder::new(&text.as_bytes()[part]).into_owned();
        let any_case = AnyCase { text: text.as_bytes().into(), part_at, part, regex: regex.clone() };
        Ok(Self { kind: Kind::AnyCase(Box::new(any_case)), is_free: needle.is_free })
    }

    /// A regular expression; the error is a sentence for people.
    pub(super) fn regex(pattern: &str, is_any_case: bool) -> Result<Self, String> {
        let mut builder = RegexBuilder::new(pattern);
        let built = builder.case_insensitive(is_any_case).size_limit(MAX_REGEX_BYTES).build();
        let regex = built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "this regular expression is too big".to_owned(),
            // The last line of a picture says what is wrong; the others point into the pattern.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default().trim();
                format!("no regular expression: {}", last.strip_prefix("error: ").unwrap_or(last))
            }
        })?;
        let parsed = regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern);
        let is_free = parsed.is_ok_and(|hir| hir.properties().look_set().is_empty());
        Ok(Self { kind: Kind::Regex(regex), is_free })
    }

    /// Whether it is somewhere in these bytes.
    pub(in crate::store) fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.kind {
            Kind::Literal(finder) => finder.find(bytes).is_some(),
            Kind::AnyCase(any_case) => any_case.find(bytes).is_some(),
            Kind::Regex(regex) => regex.is_match(bytes),
        }
    }

    /// Whether many payloads may be looked through in one piece: what is found in one is found there, too.
    pub(in crate::store) fn is_free(&self) -> bool {
        self.is_free
    }

    /// The first place from `from` on, its beginning and its end.
    pub(in crate::store) fn find_from(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        let rest = bytes.get(from..)?;
        match &self.kind {
            Kind::Literal(finder) => finder.find(rest).map(|at| (from + at, from + at + finder.needle().len())),
            Kind::AnyCase(any_case) => any_case.find(rest).map(|found| (from + found.start, from + found.end)),
            Kind::Regex(regex) => regex.find(rest).map(|found| (from + found.start(), from + found.end())),
        }
    }
}

impl AnyCase {
    /// The first place.
    fn find(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let mut at = 0;
        loop {
            let part = at + self.part.find(bytes.get(at..)?)?;
            let exact = part.checked_sub(self.part_at).map(|start| start..start + self.text.len());
            if let Some(exact) = exact
                && bytes.get(exact.clone()).is_some_and(|found| found.eq_ignore_ascii_case(&self.text))
            {
                return Some(exact);
            }
            let start = part.saturating_sub(self.part_at * MAX_CHAR_BYTES);
            let end = part + (self.text.len() - self.part_at) * MAX_CHAR_BYTES;
            let around = bytes.get(start..end.min(bytes.len())).unwrap_or_default();
            if !around.is_ascii()
                && let Some(found) = self.regex.find(around)
            {
                return Some(start + found.start()..start + found.end());
            }
            at = part + 1;
        }
    }
}

/// The longest part of an ASCII text without letters, if it is worth looking for.
fn caseless_part(text: &str) -> Option<Range<usize>> {
    let mut longest = 0..0;
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte.is_ascii_alphabetic() {
            start = at + 1;
        } else if at + 1 - start > longest.len() {
            longest = start..at + 1;
        }
    }
    (text.is_ascii() && longest.len() >= LEAST_PART).then_some(longest)
}

/// No character has more bytes.
const MAX_CHAR_BYTES: usize = 4;
/// A shorter part may be everywhere.
const LEAST_PART: usize = 4;
/// A pattern's automaton takes no more.
const MAX_REGEX_BYTES: usize = 2 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_around_is_not_free() {
        for (pattern, is_free) in [("a.c", true), ("^a", false), ("a$", false), (r"\bword", false), ("(a|b)+?", true)] {
            assert_eq!(Needle::regex(pattern, false).unwrap().is_free(), is_free, "{pattern}");
        }
        assert!(Needle::text("Grüße").unwrap().is_free());
    }

    #[test]
    fn errors_are_one_sentence() {
        assert_eq!(Needle::regex("(a", false).unwrap_err(), "no regular expression: unclosed group");
        assert!(Needle::regex(r"(\w{500}){500}", false).unwrap_err().contains("too big"));
    }

    #[test]
    fn any_case_finds_what_its_regular_expression_finds() {
        let pieces =
            ["task", "TASK", "ta\u{17F}\u{212A}", "\":000", ":000", "7,", "Kk", "\u{212A}", "x", "é", "\"", "key"];
        let texts = ["task\":0007,kk", "\":000", "key\":000task", "k:000", "Kk\":0007,"];
        let mut state = 1_u64;
        for text in texts {
            let needle = Needle::text(text).unwrap();
            let plain = Needle::regex(&regex::escape(text), true).unwrap();
            for round in 0..2_000 {
                let mut bytes = Vec::new();
                for _ in 0..12 {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    bytes.extend_from_slice(pieces[(state >> 40) as usize % pieces.len()].as_bytes());
                }
                if round % 2 == 0 {
                    bytes.extend_from_slice(text.to_uppercase().as_bytes());
                }
                for from in 0..bytes.len() {
                    assert_eq!(needle.find_from(&bytes, from), plain.find_from(&bytes, from), "{text} in {bytes:?}");
                }
            }
        }
        assert!(matches!(Needle::text("key\":000task").unwrap().kind, Kind::AnyCase(_)));
        assert!(matches!(Needle::text("Grüße 0000").unwrap().kind, Kind::Regex(_)));
    }

    #[test]
    fn places_are_counted_from_the_beginning() {
        assert_eq!(Needle::exact("bc").find_from(b"abcabc", 2), Some((4, 6)));
        assert_eq!(Needle::text("BC").unwrap().find_from(b"abcabc", 2), Some((4, 6)));
        assert_eq!(Needle::exact("bc").find_from(b"abc", 9), None);
    }
}
