//! Two sessions side by side: where they first differ, and what differs every time.
//!
//! Pure: two stories and their rows go in, a list of differences comes out, in the order in which a session goes. What is
//! new in every session (keys, dates, ids, durations) is kept apart: it is *volatile*. `handshake`, `frames` and `outcome`
//! find differences, `json` looks into messages, `volatile` knows what changes by itself, `report` puts it into words.

mod frames;
mod handshake;
mod json;
mod outcome;
mod report;
mod volatile;

use std::io;

use crate::export::{Redactor, Source};
use crate::store::Story;

pub use report::{as_json, report};

/// One of the two sessions.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// Its story.
    pub story: &'a Story,
    /// Its rows.
    pub source: &'a dyn Source,
}

/// Which part of a session a difference is in, in the order in which a session goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Resolving, TCP and TLS.
    Connection,
    /// The request.
    Request,
    /// The answer to it.
    Response,
    /// The token that was sent.
    Token,
    /// The messages.
    Frames,
    /// How it closed.
    Close,
    /// How long things took.
    Timing,
    /// Why it closed.
    Verdict,
}

impl Part {
    /// Every part, in order.
    pub const ALL: [Self; 8] = [
        Self::Connection,
        Self::Request,
        Self::Response,
        Self::Token,
        Self::Frames,
        Self::Close,
        Self::Timing,
        Self::Verdict,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Request => "request",
            Self::Response => "response",
            Self::Token => "token",
            Self::Frames => "frames",
            Self::Close => "close",
            Self::Timing => "timing",
            Self::Verdict => "verdict",
        }
    }
}

/// One difference. Its texts come from peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// In which part.
    pub part: Part,
    /// What differs.
    pub what: String,
    /// What it is in each of the two; `None` where it is missing.
    pub values: [Option<String>; 2],
    /// The row that shows it in each of the two.
    pub rows: [Option<u64>; 2],
    /// Whether it differs in every session, and so decides nothing.
    pub is_volatile: bool,
}

/// What two sessions have in common, and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The differences, in the order in which a session goes.
    pub differences: Vec<Difference>,
    /// How many further differences between messages were counted, but are not listed.
    pub more: u64,
    /// How many messages each of the two has, both directions together.
    pub messages: [u64; 2],
}

impl Comparison {
    /// The first difference that does not come by itself.
    pub fn first(&self) -> Option<&Difference> {
        self.differences.iter().find(|difference| !difference.is_volatile)
    }

    /// Whether nothing differs but what differs every time; with `strict` that counts, too.
    pub fn is_same(&self, strict: bool) -> bool {
        self.more == 0 && if strict { self.differences.is_empty() } else { self.first().is_none() }
    }

    /// The differences in one part.
    pub fn of(&self, part: Part) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(move |difference| difference.part == part)
    }

    fn add(&mut self, part: Part, what: impl Into<String>, one: Option<String>, other: Option<String>) {
        self.push(part, what, one, other, false);
    }

    fn push(
        &mut self,
        part: Part,
        what: impl Into<String>,
        one: Option<String>,
        other: Option<String>,
        is_volatile: bool,
    ) {
        if one != other {
            self.differences.push(Difference {
                part,
                what: what.into(),
                values: [one, other],
                rows: [None, None],
                is_volatile,
            });
        }
    }
}

/// Compares two sessions; the redactor learns the secrets of both on the way.
pub fn compare(one: Side<'_>, other: Side<'_>, redactor: &mut Redactor) -> io::Result<Comparison> {
    redactor.learn_story(other.story);
    redactor.learn_story(one.story);
    let mut found = Comparison::default();
    handshake::connection(one.story, other.story, &mut found);
    handshake::request(one.story, other.story, &mut found);
    handshake::response(one.story, other.story, &mut found);
    handshake::token(one.story, other.story, &mut found);
    frames::messages(one.source, other.source, redactor, &mut found)?;
    outcome::close(one.story, other.story, &mut found);
    outcome::timing(one.story, other.story, &mut found);
    outcome::verdict(one.story, other.story, &mut found);
    Ok(found)
}

#[cfg(test)]
mod tests;
