//! Texts and regular expressions, looked for in payloads one by one or in the raw bytes of many.

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
    Regex(Regex),
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
        Self::regex(&regex::escape(text), true)
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
            Kind::Regex(regex) => regex.find(rest).map(|found| (from + found.start(), from + found.end())),
        }
    }
}

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
    fn places_are_counted_from_the_beginning() {
        assert_eq!(Needle::exact("bc").find_from(b"abcabc", 2), Some((4, 6)));
        assert_eq!(Needle::text("BC").unwrap().find_from(b"abcabc", 2), Some((4, 6)));
        assert_eq!(Needle::exact("bc").find_from(b"abc", 9), None);
    }
}
