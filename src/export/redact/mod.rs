//! Replaces secrets by stable marks, wherever and in whatever form they stand.
//!
//! A secret is known because the user gave it, because of where it stood (an `Authorization` header, a cookie, a query
//! parameter called `token`), or because it looks like a JWT. Each distinct one has one mark, such as `<token#1>`, for the
//! life of a [`Redactor`]. Words that stand in a secret's place, such as `undefined`, are not secret: they are the fault.

mod names;
mod places;
mod plain;
mod search;

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::Value;

use crate::observation::{Fact, TokenPlace};
use crate::store::Story;
use crate::token::find_tokens;

use names::{Patterns, is_telling};
use plain::{Plain, base64_inside, forms};
use search::{Hit, Needles};

/// What kind of secret it is, as its mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A token: of the query, a bearer token, or any JWT.
    Token,
    /// The value of a cookie.
    Cookie,
    /// Other credentials of an `Authorization` header.
    Authorization,
    /// Anything else.
    Secret,
}

impl Kind {
    /// The word in the mark.
    pub fn word(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Cookie => "cookie",
            Self::Authorization => "authorization",
            Self::Secret => "secret",
        }
    }

    fn of_name(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        if lower.contains("secret") || lower.contains("password") {
            Self::Secret
        } else if lower.contains("token") || lower.contains("jwt") || lower.contains("bearer") {
            Self::Token
        } else if lower.contains("cookie") {
            Self::Cookie
        } else {
            Self::Secret
        }
    }
}

/// Knows secrets and replaces them.
///
/// `Debug` shows no secret.
#[derive(Clone, Default)]
pub struct Redactor {
    marks: Vec<Mark>,
    owners: BTreeMap<Vec<u8>, usize>,
    counts: BTreeMap<Kind, usize>,
    needles: Needles,
    patterns: Patterns,
    place: Option<TokenPlace>,
}

/// What stands in the place of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its words, such as `<token#1>`.
    pub words: String,
    /// How often it was put in the place of its secret.
    pub times: u64,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redactor").field("marks", &self.marks).finish_non_exhaustive()
    }
}

impl Redactor {
    /// A redactor that knows no secret yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A redactor that knows every secret of a story: of its URL, its headers, its answer and its console lines.
    pub fn for_story(story: &Story) -> Self {
        let mut redactor = Self::new();
        redactor.learn_story(story);
        redactor
    }

    /// Learns the token as the user gave it.
    pub fn learn_token(&mut self, token: &str) {
        self.learn(Kind::Token, token.as_bytes());
    }

    /// Learns a secret that the user gave, also without its line end or quotes.
    pub fn learn_secret(&mut self, secret: &[u8]) {
        let trimmed = secret.trim_ascii();
        let unquoted = match trimmed {
            [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
            other => other,
        };
        self.learn(Kind::Secret, unquoted);
        if let Ok(decoded) = base64::engine::general_purpose::STANDARD.decode(unquoted)
            && decoded.len() >= 8
            && let Some(owner) = self.owner_of(unquoted)
        {
            self.add_needles(owner, &decoded);
        }
    }

    /// Learns the secrets that a text or a payload tells of, also those inside of base64 in it.
    pub fn learn_bytes(&mut self, bytes: &[u8]) {
        self.learn_from_text(bytes);
        for decoded in base64_inside(bytes) {
            self.learn_from_text(&decoded);
        }
    }

    /// Learns the secrets that the texts of a fact tell of.
    pub fn learn_fact(&mut self, fact: &Fact) {
        match fact {
            Fact::ConsoleLine { text, .. }
            | Fact::Pasted { text, .. }
            | Fact::Note { text }
            | Fact::EndpointError { text } => {
                self.learn_bytes(text.as_bytes());
            }
            Fact::Bytes { .. } | Fact::CipherBytes { .. } => {}
            other => {
                if let Ok(value) = serde_json::to_value(other) {
                    self.learn_value(&value);
                }
            }
        }
    }

    /// The marks that were put in the place of secrets, the first secret first.
    pub fn marks(&self) -> Vec<Mark> {
        self.marks.iter().filter(|mark| mark.times > 0).cloned().collect()
    }

    /// Forgets how often each mark was written, not what it stands for.
    pub fn recount(&mut self) {
        self.marks.iter_mut().for_each(|mark| mark.times = 0);
    }

    /// A text with every secret replaced by its mark.
    pub fn text(&mut self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text.as_bytes())).into_owned()
    }

    /// Bytes with every secret replaced by its mark.
    pub fn bytes(&mut self, bytes: &[u8]) -> Vec<u8> {
        let hits = self.hits(bytes);
        self.replace(bytes, hits)
    }

    /// Pieces of one whole, such as the fragments of a message, with every secret replaced also where it is cut in two.
    ///
    /// A mark stands in the piece in which its secret begins.
    pub fn pieces(&mut self, pieces: &[&[u8]]) -> Vec<Vec<u8>> {
        let whole = pieces.concat();
        let hits = merged(self.hits(&whole));
        let mut start = 0;
        let mut redacted = Vec::with_capacity(pieces.len());
        for piece in pieces {
            let end = start + piece.len();
            let mut out = Vec::with_capacity(piece.len());
            let mut at = start;
            for hit in hits.iter().filter(|hit| hit.range.start < end && hit.range.end > start) {
                out.extend_from_slice(whole.get(at..hit.range.start.max(at)).unwrap_or_default());
                if hit.range.start >= start {
                    self.write_mark(hit.owner, &mut out);
                }
                at = hit.range.end.min(end);
            }
            out.extend_from_slice(whole.get(at..end).unwrap_or_default());
            redacted.push(out);
            start = end;
        }
        redacted
    }

    /// The value of a header with every secret replaced by its mark.
    pub fn header(&mut self, name: &str, value: &str) -> String {
        let (lead, value) = value.split_at(value.len() - value.trim_start().len());
        let mut hits: Vec<Hit> = Vec::new();
        for (kind, range) in self.header_parts(name, value) {
            let part = value.get(range.clone()).unwrap_or_default();
            hits.extend(self.named(kind, part, range.start));
        }
        hits.extend(self.hits(value.as_bytes()));
        format!("{lead}{}", String::from_utf8_lossy(&self.replace(value.as_bytes(), hits)))
    }

    /// A request or response, or its beginning, with every secret replaced: the headers line by line.
    pub fn head(&mut self, bytes: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(bytes) else { return self.bytes(bytes) };
        let end = text.find("\r\n\r\n").or_else(|| text.find("\n\n")).unwrap_or(text.len());
        let (head, body) = (text.get(..end).unwrap_or_default(), text.get(end..).unwrap_or_default());
        let mut out = String::with_capacity(text.len());
        for (nth, line) in head.split_inclusive('\n').enumerate() {
            let (content, line_end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
            match content.split_once(':') {
                Some((name, value)) if nth > 0 => {
                    let value = self.header(name, value);
                    out.extend([name, ":", &value]);
                }
                _ => {
                    let mut words = content.split(' ').map(|word| self.url(word));
                    out.push_str(&words.next().unwrap_or_default());
                    words.for_each(|word| out.extend([" ", &word]));
                }
            }
            out.push_str(line_end);
        }
        out.push_str(&self.text(body));
        out.into_bytes()
    }

    /// A URL with every secret replaced by its mark.
    pub fn url(&mut self, url: &str) -> String {
        self.learn_url(url);
        let mut hits: Vec<Hit> = Vec::new();
        for (kind, range) in self.url_parts(url) {
            let part = url.get(range.clone()).unwrap_or_default();
            hits.extend(self.named(kind, part, range.start));
        }
        hits.extend(self.hits(url.as_bytes()));
        String::from_utf8_lossy(&self.replace(url.as_bytes(), hits)).into_owned()
    }

    /// Replaces every secret in the texts of a JSON value, save the closed words under `fixed` names.
    pub fn value(&mut self, value: &mut Value, fixed: &[&str]) {
        self.learn_value(value);
        self.replace_value(value, fixed);
    }

    fn learn_value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.learn_from_text(text.as_bytes()),
            Value::Array(items) => items.iter().for_each(|item| self.learn_value(item)),
            Value::Object(members) => members.values().for_each(|member| self.learn_value(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn replace_value(&mut self, value: &mut Value, fixed: &[&str]) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace_value(item, fixed)),
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::String(_) if fixed.contains(&name.as_str()) => {}
                        Value::String(url) if name == "url" => *url = self.url(url),
                        other => self.replace_value(other, fixed),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn learn_from_text(&mut self, text: &[u8]) {
        for layer in Plain::layers(text) {
            for range in find_tokens(&layer.ascii()) {
                self.learn(Kind::Token, layer.bytes.get(range).unwrap_or_default());
            }
            for named in self.patterns.find(&layer.bytes) {
                self.learn(named.kind, layer.bytes.get(named.range).unwrap_or_default());
            }
        }
    }

    /// Learns a secret; a JWT inside of it counts instead of what is wrapped around it.
    fn learn(&mut self, kind: Kind, value: &[u8]) {
        let plain = canonical(value);
        let ascii = Plain::new(&plain).ascii();
        let tokens = find_tokens(&ascii);
        if tokens.is_empty() {
            if !is_telling(&String::from_utf8_lossy(&plain)) {
                let owner = self.owner(kind, &plain);
                if is_findable(&plain) {
                    self.add_needles(owner, value);
                    self.add_needles(owner, &plain);
                }
            }
            return;
        }
        for range in tokens {
            let token = ascii.as_bytes().get(range).unwrap_or_default().to_vec();
            let is_new = self.owner_of(&token).is_none();
            let owner = self.owner(Kind::Token, &token);
            if is_new {
                self.add_needles(owner, &token);
                for part in token.split(|byte| *byte == b'.') {
                    self.add_needles(owner, part);
                }
            }
        }
    }

    fn add_needles(&mut self, owner: usize, value: &[u8]) {
        if self.needles.len_bytes() > MAX_NEEDLE_BYTES || value.len() < Needles::MIN_LEN {
            return;
        }
        // A cookie may hold the page's address; half of it is no secret.
        let in_part = !self.mark(owner).starts_with("<cookie");
        for form in forms(value) {
            self.needles.add(form, owner, in_part);
        }
    }

    fn owner_of(&self, value: &[u8]) -> Option<usize> {
        self.owners.get(&canonical(value)).copied()
    }

    /// The index of a secret's mark; a new one if the secret is new.
    fn owner(&mut self, kind: Kind, value: &[u8]) -> usize {
        let value = canonical(value);
        if let Some(owner) = self.owners.get(&value) {
            return *owner;
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        self.marks.push(Mark { words: format!("<{}#{count}>", kind.word()), times: 0 });
        let owner = self.marks.len() - 1;
        if self.owners.len() < MAX_SECRETS {
            self.owners.insert(value, owner);
        }
        owner
    }

    fn mark(&self, owner: usize) -> &str {
        self.marks.get(owner).map_or("<secret>", |mark| mark.words.as_str())
    }

    fn write_mark(&mut self, owner: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.mark(owner).as_bytes());
        if let Some(mark) = self.marks.get_mut(owner) {
            mark.times += 1;
        }
    }

    /// Hits for a value that is secret because of where it stands.
    fn named(&mut self, kind: Kind, value: &str, start: usize) -> Vec<Hit> {
        let plain = canonical(value.as_bytes());
        // The tokens inside are found by themselves, and what is wrapped around them is worth seeing.
        if is_telling(&String::from_utf8_lossy(&plain)) || !find_tokens(&Plain::new(&plain).ascii()).is_empty() {
            return Vec::new();
        }
        let owner = self.owner(kind, &plain);
        vec![Hit { range: start..start + value.len(), owner }]
    }

    /// Everything secret in `bytes`; what is new is learnt.
    fn hits(&mut self, bytes: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        let layers = Plain::layers(bytes);
        for layer in &layers {
            for range in find_tokens(&layer.ascii()) {
                let token = layer.bytes.get(range.clone()).unwrap_or_default();
                self.learn(Kind::Token, token);
                hits.push(Hit { range: layer.original(&range), owner: self.owner(Kind::Token, token) });
            }
            for named in self.patterns.find(&layer.bytes) {
                let value = layer.bytes.get(named.range.clone()).unwrap_or_default();
                self.learn(named.kind, value);
                for hit in self.named(named.kind, &String::from_utf8_lossy(value), 0) {
                    hits.push(Hit { range: layer.original(&named.range), owner: hit.owner });
                }
            }
        }
        for layer in &layers {
            let found = self.needles.find(&layer.bytes).into_iter();
            hits.extend(found.map(|hit| Hit { range: layer.original(&hit.range), owner: hit.owner }));
        }
        hits
    }

    fn replace(&mut self, bytes: &[u8], hits: Vec<Hit>) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        let mut at = 0;
        for hit in merged(hits) {
            out.extend_from_slice(bytes.get(at..hit.range.start).unwrap_or_default());
            self.write_mark(hit.owner, &mut out);
            at = hit.range.end;
        }
        out.extend_from_slice(bytes.get(at..).unwrap_or_default());
        out
    }
}

/// Overlapping hits made one; the longest of them gives its mark.
fn merged(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.retain(|hit| !hit.range.is_empty());
    hits.sort_by_key(|hit| (hit.range.start, std::cmp::Reverse(hit.range.end)));
    let mut merged: Vec<Hit> = Vec::new();
    let mut longest = 0;
    for hit in hits {
        match merged.last_mut() {
            Some(last) if hit.range.start < last.range.end => {
                if hit.range.len() > longest {
                    longest = hit.range.len();
                    last.owner = hit.owner;
                }
                last.range.end = last.range.end.max(hit.range.end);
            }
            _ => {
                longest = hit.range.len();
                merged.push(hit);
            }
        }
    }
    merged
}

/// What two forms of one secret have in common: no encoding, nothing around it.
fn canonical(value: &[u8]) -> Vec<u8> {
    let innermost = Plain::layers(value).pop().map_or_else(Vec::new, |layer| layer.bytes);
    innermost.trim_ascii().to_vec()
}

/// Whether a value is distinct enough to be looked for everywhere, not only where it was said to be.
fn is_findable(value: &[u8]) -> bool {
    let is_mixed = || value.iter().any(|byte| !byte.is_ascii_alphabetic()) && value.iter().any(u8::is_ascii_alphabetic);
    value.len() >= 6 || value.len() >= Needles::MIN_LEN && is_mixed()
}

/// How many secrets have a mark of their own.
const MAX_SECRETS: usize = 10_000;
/// How much is looked for, all forms together.
const MAX_NEEDLE_BYTES: usize = 64 << 20;

#[cfg(test)]
mod tests;
