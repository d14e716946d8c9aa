//! Reads queries; every mistake is told with its place.

use std::ops::Range;
use std::str::FromStr as _;

use super::json::JsonTest;
use super::kind::{Kind, Kinds};
use super::needle::Needle;
use super::{Describe, Filter, FilterError, Term, Test};
use crate::observation::{Direction, Moment};

/// A longer query is a paste that went astray.
const MAX_BYTES: usize = 4096;

impl Filter {
    /// Reads a query; `describe` is what the face says of rows that are more than their bytes.
    pub fn parse(text: &str, describe: Describe) -> Result<Self, FilterError> {
        if text.len() > MAX_BYTES {
            let what = format!("a filter has at most {MAX_BYTES} bytes");
            return Err(FilterError { at: MAX_BYTES..text.len(), what });
        }
        let mut filter = Self { text: text.to_owned(), ..Self::open(describe) };
        let mut terms = Vec::new();
        let mut last_or = None;
        for word in words(text) {
            if word.is_plain && &text[word.at.clone()] == "OR" {
                if terms.is_empty() {
                    return Err(FilterError { at: word.at, what: "OR stands between two terms".to_owned() });
                }
                filter.any.push(std::mem::take(&mut terms));
                last_or = Some(word.at);
                continue;
            }
            let at = word.at.clone();
            let term = filter.term(&word).map_err(|what| FilterError { at, what })?;
            terms.push(term);
        }
        if !terms.is_empty() {
            filter.any.push(terms);
        } else if let Some(at) = last_or {
            return Err(FilterError { at, what: "OR stands between two terms".to_owned() });
        }
        Ok(filter)
    }

    fn term(&mut self, word: &Word<'_>) -> Result<Term, String> {
        let test = match word.key {
            None | Some("text") => self.text_test(Needle::text(&word.value)?),
            Some("exact") => self.text_test(Needle::exact(&word.value)),
            Some("regex") => self.text_test(Needle::regex(&word.value, word.is_any_case)?),
            Some("dir") => Test::Direction(direction(&word.value)?),
            Some("kind") => Test::Kinds(kinds(&word.value)?),
            Some("size") => {
                let (least, most) = span(&word.value, SIZES, size)?;
                Test::Size(least, most)
            }
            Some("time") => {
                let (first, last) = span(&word.value, TIMES, time)?;
                Test::Time(Moment(first), Moment(last))
            }
            Some("code") => {
                let wrong = || CODES.to_owned();
                let (first, last) = span(&word.value, CODES, |text| u64::from_str(text).ok())?;
                let first = u16::try_from(first).ok().ok_or_else(wrong)?;
                Test::Code(first, u16::try_from(last).unwrap_or(u16::MAX))
            }
            Some(_) => Test::Json(Box::new(json(&word.value)?)),
        };
        Ok(Term { is_negated: word.is_negated, test })
    }

    fn text_test(&mut self, needle: Needle) -> Test {
        self.needles.push(needle);
        Test::Text(self.needles.len() - 1)
    }
}

/// Names before a colon; `size>5` needs none.
const KEYS: [&str; 9] = ["text", "exact", "regex", "dir", "kind", "size", "time", "code", "json"];

/// One term as it stands in the query.
pub(super) struct Word<'a> {
    pub(super) at: Range<usize>,
    pub(super) is_negated: bool,
    pub(super) key: Option<&'a str>,
    pub(super) value: String,
    /// For a regular expression: `/…/i`.
    is_any_case: bool,
    /// Neither quoted nor keyed.
    is_plain: bool,
}

/// The terms of a query.
pub(super) struct Words<'a> {
    text: &'a str,
    at: usize,
}

/// The terms of a query, also of one that cannot be read.
pub(super) fn words(text: &str) -> Words<'_> {
    Words { text, at: 0 }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        let rest = self.text.get(self.at..)?;
        let start = self.at + rest.find(|c: char| !c.is_whitespace())?;
        let mut from = start;
        let next_is_some = |at: usize| self.text[at..].chars().nth(1).is_some_and(|c| !c.is_whitespace());
        let is_negated = self.text[from..].starts_with('-') && next_is_some(from);
        from += usize::from(is_negated);
        let rest = &self.text[from..];
        let word = |end: usize, key, value: String, is_plain| Word {
            at: start..end,
            is_negated,
            key,
            value,
            is_any_case: false,
            is_plain: is_plain && !is_negated,
        };
        let found = if let Some((pattern, len, is_any_case)) = slashed(rest) {
            Word { is_any_case, ..word(from + len, Some("regex"), pattern, false) }
        } else if let Some((key, skip)) = key_of(rest) {
            let value_from = from + skip;
            let (value, len) = value(&self.text[value_from..]);
            word(value_from + len, Some(key), value, false)
        } else {
            let (value, len) = value(rest);
            word(from + len, None, value, !rest.starts_with('"'))
        };
        self.at = found.at.end;
        Some(found)
    }
}

/// The key that a term begins with, and where its value begins.
fn key_of(rest: &str) -> Option<(&'static str, usize)> {
    let len = rest.find([':', '<', '>', '='])?;
    let key = KEYS.into_iter().find(|key| rest[..len].eq_ignore_ascii_case(key))?;
    if rest[len..].starts_with(':') {
        return Some((key, len + 1));
    }
    // `size>5`: the sign belongs to the value.
    matches!(key, "size" | "time" | "code").then_some((key, len))
}

/// `/pattern/` or `/pattern/i` at the front: the pattern and the length of all.
fn slashed(rest: &str) -> Option<(String, usize, bool)> {
    let inner = rest.strip_prefix('/')?;
    let mut is_escaped = false;
    for (at, c) in inner.char_indices() {
        if c == '/' && !is_escaped {
            let after = &inner[at + 1..];
            let flags = after.find(char::is_whitespace).map_or(after, |end| &after[..end]);
            let is_any_case = flags == "i";
            // `/api/users` is a path and no expression.
            if at == 0 || !(is_any_case || flags.is_empty()) {
                return None;
            }
            return Some((inner[..at].replace("\\/", "/"), at + 2 + flags.len(), is_any_case));
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    None
}

/// A value up to the next space, or in quotes; a quote that begins inside goes on to its end. Gives its length, too.
fn value(rest: &str) -> (String, usize) {
    let mut out = String::new();
    let mut quoted = false;
    let mut previous = None;
    let mut chars = rest.char_indices().peekable();
    let is_all_quoted = rest.starts_with('"');
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if quoted && chars.peek().is_some_and(|(_, next)| matches!(next, '"' | '\\')) => {
                out.extend(chars.next().map(|(_, next)| next));
            }
            '"' if quoted => {
                if is_all_quoted {
                    return (out, at + 1);
                }
                out.push(c);
                quoted = false;
            }
            '"' if matches!(previous, None | Some('=' | '~')) => {
                quoted = true;
                if !is_all_quoted {
                    out.push(c);
                }
            }
            c if c.is_whitespace() && !quoted => return (out, at),
            c => out.push(c),
        }
        previous = Some(c);
    }
    (out, rest.len())
}

fn direction(value: &str) -> Result<Direction, String> {
    match value.to_ascii_lowercase().as_str() {
        "sent" => Ok(Direction::ClientToServer),
        "received" => Ok(Direction::ServerToClient),
        _ => Err("after dir: stands sent or received".to_owned()),
    }
}

fn kinds(value: &str) -> Result<Kinds, String> {
    let mut kinds = Kinds::default();
    for word in value.split(',').filter(|word| !word.is_empty()) {
        let kind = Kind::from_word(word).ok_or_else(|| {
            let all: Vec<&str> = Kind::ALL.into_iter().map(Kind::word).collect();
            format!("there is no kind {word:?}; there are {}", all.join(", "))
        })?;
        kinds = kinds.with(kind);
    }
    if kinds == Kinds::default() {
        Err("after kind: stands one of text, ping, close, …".to_owned())
    } else {
        Ok(kinds)
    }
}

/// The ends of a span that begins or ends at a number.
type Ends = fn(u64) -> (u64, u64);

/// A number, or `>5`, `<=5`, `5..9`, `5..`; both ends included.
fn span(value: &str, wrong: &str, read: impl Fn(&str) -> Option<u64>) -> Result<(u64, u64), String> {
    let number = |text: &str| read(text.trim()).ok_or_else(|| wrong.to_owned());
    if let Some((first, last)) = value.split_once("..") {
        let first = if first.is_empty() { 0 } else { number(first)? };
        let last = if last.is_empty() { u64::MAX } else { number(last)? };
        return if first <= last {
            Ok((first, last))
        } else {
            Err("the first number is larger than the second".to_owned())
        };
    }
    let signs: [(&str, Ends); 5] = [
        (">=", |n| (n, u64::MAX)),
        ("<=", |n| (0, n)),
        (">", |n| (n.saturating_add(1), u64::MAX)),
        ("<", |n| (0, n.saturating_sub(1))),
        ("=", |n| (n, n)),
    ];
    for (sign, range) in signs {
        if let Some(rest) = value.strip_prefix(sign) {
            return Ok(range(number(rest)?));
        }
    }
    number(value).map(|n| (n, n))
}

const SIZES: &str = "after size: stands a number of bytes, such as >1k, <=64KiB or 10..200";
const TIMES: &str = "after time: stands a time since the beginning, such as >1.5s, <200ms or 2:05..3:00";
const CODES: &str = "after code: stands a close code, such as 1008 or 4000..4999";

/// Bytes, with `k` or `M` for 1024 and its square, as the log writes sizes.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text);
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1024,
        "m" | "mb" | "mib" => 1024 * 1024,
        "g" | "gb" | "gib" => 1024 * 1024 * 1024,
        _ => return None,
    };
    if let Ok(whole) = u64::from_str(number) {
        return whole.checked_mul(factor);
    }
    decimal(number).map(|number| (number * factor as f64) as u64)
}

/// Nanoseconds: seconds without a unit, `200ms`, `3m`, `1h`, `2:05.5`, `1:02:05`.
fn time(text: &str) -> Option<u64> {
    if text.contains(':') {
        let mut secs = 0.0;
        for part in text.split(':') {
            secs = secs * 60.0 + decimal(part)?;
        }
        return Some((secs * 1e9) as u64);
    }
    let (number, unit) = number_and_unit(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "" | "s" => 1e9,
        "m" | "min" => 60e9,
        "h" => 3600e9,
        _ => return None,
    };
    Some((decimal(number)? * factor) as u64)
}

fn number_and_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len()))
}

fn decimal(text: &str) -> Option<f64> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    is_number.then(|| f64::from_str(text).ok()).flatten()
}

fn json(value: &str) -> Result<JsonTest, String> {
    if !value.is_empty() && !value.starts_with('/') && !value.starts_with(['=', '~']) {
        return Err("after json: stands a pointer that begins with /, such as json:/user/id=7".to_owned());
    }
    if value.is_empty() {
        return Err("after json: stands a pointer, such as json:/user/id=7".to_owned());
    }
    // `~0` and `~1` belong to the pointer.
    let sign = value.char_indices().find(|(at, c)| match c {
        '=' => true,
        '~' => !matches!(value.as_bytes().get(at + 1), Some(b'0' | b'1')),
        _ => false,
    });
    let Some((at, sign)) = sign else {
        return Ok(JsonTest::has(value));
    };
    let (pointer, wanted) = (&value[..at], &value[at + 1..]);
    Ok(if sign == '=' {
        JsonTest::equals(pointer, wanted)
    } else {
        let unquoted = wanted.strip_prefix('"').map(|inner| inner.strip_suffix('"').unwrap_or(inner));
        JsonTest::contains(pointer, unquoted.unwrap_or(wanted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Filter, FilterError> {
        Filter::parse(text, |_| String::new())
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        for (query, at, says) in [
            ("abc kind:frob", 4..13, "no kind \"frob\""),
            ("dir:up", 0..6, "sent or received"),
            ("-size:many x", 0..10, "number of bytes"),
            ("size:9..3", 0..9, "larger than the second"),
            ("time:soon", 0..9, "since the beginning"),
            ("code:70000", 0..10, "close code"),
            ("json:user", 0..9, "begins with /"),
            ("/(a/", 0..4, "unclosed group"),
            ("OR a", 0..2, "between two terms"),
            ("a OR", 2..4, "between two terms"),
        ] {
            let error = parse(query).expect_err(query);
            assert_eq!(error.at, at, "{query}");
            assert!(error.what.contains(says), "{query}: {}", error.what);
        }
    }

    #[test]
    fn words_are_split_at_spaces_and_quotes() {
        let words = |text| words(text).map(|word| (word.key, word.value)).collect::<Vec<_>>();
        let owned = |words: &[(Option<&'static str>, &str)]| {
            words.iter().map(|(key, value)| (*key, (*value).to_owned())).collect::<Vec<_>>()
        };
        for (text, wanted) in [
            ("  a  b ", owned(&[(None, "a"), (None, "b")])),
            ("\"a b\" c", owned(&[(None, "a b"), (None, "c")])),
            ("\"a \\\"b\\\" \\x", owned(&[(None, "a \"b\" \\x")])),
            ("{\"type\":\"x\"} y", owned(&[(None, "{\"type\":\"x\"}"), (None, "y")])),
            ("text:\"a b\"", owned(&[(Some("text"), "a b")])),
            ("json:/a=\"b c\" d", owned(&[(Some("json"), "/a=\"b c\""), (None, "d")])),
            ("size>=5 SIZE:5", owned(&[(Some("size"), ">=5"), (Some("size"), "5")])),
            ("http://x/y k:v /api/users", owned(&[(None, "http://x/y"), (None, "k:v"), (None, "/api/users")])),
            ("/a b/ /c\\/d/i", owned(&[(Some("regex"), "a b"), (Some("regex"), "c/d")])),
            ("- -x", owned(&[(None, "-"), (None, "x")])),
        ] {
            assert_eq!(words(text), wanted, "{text}");
        }
    }

    #[test]
    fn numbers_have_units() {
        for (text, bytes) in
            [("5", Some(5)), ("1k", Some(1024)), ("1.5KiB", Some(1536)), ("2M", Some(2 << 20)), ("k", None)]
        {
            assert_eq!(size(text), bytes, "{text}");
        }
        for (text, millis) in
            [("5", Some(5000)), ("200ms", Some(200)), ("2:05.5", Some(125_500)), ("1h", Some(3_600_000)), ("-1", None)]
        {
            assert_eq!(time(text), millis.map(|millis: u64| millis * 1_000_000), "{text}");
        }
    }

    #[test]
    fn no_query_panics() {
        for text in [
            "-",
            "\"",
            "\\",
            "json:",
            "json:/a~",
            "json:=",
            "size:..",
            "//",
            "/",
            "-\"",
            "kind:,",
            "ü:ß",
            "size:99999999999999999999G",
        ] {
            for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
                parse(&text[..end]).ok();
            }
        }
        assert!(parse(&"x ".repeat(3000)).is_err());
        assert!(parse(" ").unwrap().is_open());
    }
}
