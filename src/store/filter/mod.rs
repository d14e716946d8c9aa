//! Which rows are wanted: a small query language, read once and asked of every row.
//!
//! | query | rows |
//! | --- | --- |
//! | `token expired` | in which both words stand, in any case |
//! | `"token expired"` | in which this text stands, in any case |
//! | `exact:"Token"` | in which it stands exactly like this |
//! | `/user_\d+/`, `/…/i` | in which this regular expression matches; it takes linear time |
//! | `dir:sent`, `dir:received` | that went this way |
//! | `kind:ping,close` | of one of these kinds: see [`Kind`] |
//! | `size:>1k`, `size:10..200` | frames with a payload of so many bytes |
//! | `time:>1.5s`, `time:2:05..3:00` | so long after the session began |
//! | `code:1008`, `code:4000..4999` | Close frames with this code |
//! | `json:/user/id=7`, `json:/type~err`, `json:/error` | JSON payloads: equal, containing, having |
//! | `-kind:ping`, `a OR b` | not; one or the other |
//!
//! Not here: reading rows ([`super::Search`]). Start at [`Filter::parse`].

mod complete;
mod json;
mod kind;
mod needle;
mod parse;

use std::ops::Range;

use super::row::{Row, RowBody};
use crate::observation::{Direction, Moment};
use crate::wire::{FrameHeader, Opcode};

pub use complete::{Completion, complete, set_term, term};
pub use json::JsonTest;
pub use kind::{Kind, Kinds};
pub(super) use needle::Needle;

/// What a row says to people, in one line; the face decides on the words.
pub type Describe = fn(&Row) -> String;

/// Which rows are wanted.
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    /// One of these must hold; each holds if all its terms do. Empty: every row.
    any: Vec<Vec<Term>>,
    needles: Vec<Needle>,
    describe: Describe,
}

/// What cannot be understood about a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct FilterError {
    /// Which bytes of the query.
    pub at: Range<usize>,
    /// What is wrong, and what would be right.
    pub what: String,
}

#[derive(Clone, Debug)]
struct Term {
    is_negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Direction(Direction),
    Kinds(Kinds),
    /// Payload bytes, both ends included.
    Size(u64, u64),
    /// Both ends included.
    Time(Moment, Moment),
    Code(u16, u16),
    /// The needle of this number.
    Text(usize),
    Json(Box<JsonTest>),
}

/// A row as the tests see it, whether it was made or not.
pub(super) struct Subject<'a> {
    pub(super) at: Moment,
    pub(super) direction: Option<Direction>,
    pub(super) kinds: Kinds,
    /// The frame's header.
    pub(super) header: Option<&'a FrameHeader>,
    /// The payload, or what else came over the wire.
    pub(super) bytes: &'a [u8],
    /// What it says beside its bytes; data frames say nothing else.
    pub(super) words: Option<&'a dyn Fn() -> String>,
}

impl Filter {
    /// The filter that lets every row through.
    pub fn open(describe: Describe) -> Self {
        Self { text: String::new(), any: Vec::new(), needles: Vec::new(), describe }
    }

    /// Whether every row is wanted.
    pub fn is_open(&self) -> bool {
        self.any.is_empty()
    }

    /// The query.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a row is wanted; `payload` is the whole payload of a frame, as far as it has come.
    pub fn takes(&self, row: &Row, payload: &[u8]) -> bool {
        let words = || (self.describe)(row);
        let is_data = matches!(&row.body, RowBody::Frame(frame) if !frame.header.opcode().is_control());
        let header = match &row.body {
            RowBody::Frame(frame) => Some(&frame.header),
            RowBody::Fact(_)
            | RowBody::Request { .. }
            | RowBody::Response { .. }
            | RowBody::Opaque { .. }
            | RowBody::Body { .. }
            | RowBody::Violation(_)
            | RowBody::Cut(_) => None,
        };
        let subject = Subject {
            at: row.at,
            direction: direction_of(row),
            kinds: Kinds::of_row(row),
            header,
            bytes: payload,
            words: (!is_data).then_some(&words),
        };
        self.holds(&subject, &mut |needle| self.needle_is_in(needle, payload))
    }

    /// The bytes of a row that are searched, without the rest of a long payload.
    pub fn bytes_of(row: &Row) -> &[u8] {
        match &row.body {
            RowBody::Frame(frame) => &frame.preview,
            RowBody::Request { raw }
            | RowBody::Response { raw, .. }
            | RowBody::Opaque { raw, .. }
            | RowBody::Body { raw } => raw,
            RowBody::Fact(_) | RowBody::Violation(_) | RowBody::Cut(_) => &[],
        }
    }

    /// What faces say of a row.
    pub(super) fn describe(&self, row: &Row) -> String {
        (self.describe)(row)
    }

    /// Whether a data frame can be wanted where the needles for which `maybe` is false are not.
    pub(super) fn can_hold(&self, maybe: impl Fn(usize) -> bool) -> bool {
        let is_possible = |term: &Term| match term.test {
            Test::Text(needle) => term.is_negated || maybe(needle),
            Test::Direction(_) | Test::Kinds(_) | Test::Size(..) | Test::Time(..) | Test::Code(..) | Test::Json(_) => {
                true
            }
        };
        self.any.is_empty() || self.any.iter().any(|terms| terms.iter().all(is_possible))
    }

    /// The first place that a data frame must reach to be wanted, where `next` gives the next place of a needle.
    pub(super) fn first_possible(&self, mut next: impl FnMut(usize) -> usize) -> usize {
        let mut of_term = |term: &Term| match term.test {
            Test::Text(needle) if !term.is_negated => next(needle),
            Test::Text(_)
            | Test::Direction(_)
            | Test::Kinds(_)
            | Test::Size(..)
            | Test::Time(..)
            | Test::Code(..)
            | Test::Json(_) => 0,
        };
        // All terms of one must hold: the last of their places counts.
        let places = self.any.iter().map(|terms| terms.iter().map(&mut of_term).max().unwrap_or(0));
        places.min().unwrap_or(0)
    }

    /// Whether any test looks at payloads.
    pub(super) fn needs_payload(&self) -> bool {
        let looks = |term: &Term| match term.test {
            Test::Text(_) | Test::Json(_) | Test::Code(..) => true,
            Test::Direction(_) | Test::Kinds(_) | Test::Size(..) | Test::Time(..) => false,
        };
        self.any.iter().flatten().any(looks)
    }

    pub(super) fn needles(&self) -> &[Needle] {
        &self.needles
    }

    pub(super) fn needle_is_in(&self, needle: usize, bytes: &[u8]) -> bool {
        self.needles.get(needle).is_some_and(|needle| needle.is_in(bytes))
    }

    /// Whether a row is wanted; `has` tells whether the needle of a number is in its bytes.
    pub(super) fn holds(&self, subject: &Subject<'_>, has: &mut dyn FnMut(usize) -> bool) -> bool {
        let mut holds = |term: &Term| term.is_negated != self.test(&term.test, subject, has);
        self.any.is_empty() || self.any.iter().any(|terms| terms.iter().all(&mut holds))
    }

    fn test(&self, test: &Test, subject: &Subject<'_>, has: &mut dyn FnMut(usize) -> bool) -> bool {
        match test {
            Test::Direction(direction) => subject.direction == Some(*direction),
            Test::Kinds(kinds) => subject.kinds.meets(*kinds),
            Test::Size(least, most) => {
                subject.header.is_some_and(|header| (*least..=*most).contains(&header.payload_len))
            }
            Test::Time(first, last) => (*first..=*last).contains(&subject.at),
            Test::Code(first, last) => {
                let is_close = subject.header.is_some_and(|header| header.opcode() == Opcode::Close);
                let code = subject.bytes.first_chunk::<2>().map(|code| u16::from_be_bytes(*code));
                is_close && code.is_some_and(|code| (*first..=*last).contains(&code))
            }
            Test::Text(needle) => {
                has(*needle) || subject.words.is_some_and(|words| self.needle_is_in(*needle, words().as_bytes()))
            }
            Test::Json(test) => subject.kinds.meets(Kinds::from(Kind::Data)) && test.holds(subject.bytes),
        }
    }
}

/// Two filters are the same if their queries are.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Which way a row went, if it went anywhere.
fn direction_of(row: &Row) -> Option<Direction> {
    match &row.body {
        RowBody::Frame(frame) => Some(frame.direction),
        RowBody::Request { .. } => Some(Direction::ClientToServer),
        RowBody::Response { .. } | RowBody::Body { .. } | RowBody::Cut(_) => Some(Direction::ServerToClient),
        RowBody::Opaque { direction, .. } => Some(*direction),
        RowBody::Violation(violation) => Some(violation.direction),
        RowBody::Fact(fact) => fact.direction(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::observation::{Fact, ReadEnd};
    use crate::store::FrameRow;

    fn frame(direction: Direction, first: u8, payload: &[u8]) -> Row {
        let header =
            FrameHeader { first, second: 0, masking_key: [0; 4], header_len: 2, payload_len: payload.len() as u64 };
        let preview = Bytes::copy_from_slice(payload);
        let received = payload.len() as u64;
        let (message, compressed) = (header.opcode(), false);
        let inflated = None;
        let body =
            RowBody::Frame(FrameRow { direction, offset: 0, header, message, compressed, inflated, preview, received });
        Row { number: 7, at: Moment::from_millis(1_500), body }
    }

    fn received(text: &str) -> Row {
        frame(Direction::ServerToClient, 0x81, text.as_bytes())
    }

    fn takes(query: &str, row: &Row) -> bool {
        let filter = Filter::parse(query, |row| format!("words of {}", row.number)).unwrap();
        filter.takes(row, Filter::bytes_of(row))
    }

    #[test]
    fn rows_are_wanted_as_the_query_says() {
        let tick = received("{\"type\":\"Tick\",\"user\":{\"id\":7,\"name\":\"Grüße\"},\"list\":[1,\"two\"]}");
        let ping = frame(Direction::ClientToServer, 0x89, b"beat");
        let close = frame(Direction::ServerToClient, 0x88, b"\x03\xF0token expired");
        let fact = Row { number: 7, at: Moment(5), body: RowBody::Fact(Arc::new(Fact::ReadEnded(ReadEnd::Fin))) };
        let rows = [("tick", &tick), ("ping", &ping), ("close", &close), ("fact", &fact)];
        for (query, wanted) in [
            ("", "tick ping close fact"),
            ("tick", "tick"),
            ("TICK GRÜSSE", ""),
            ("TICK grüße", "tick"),
            ("exact:tick", ""),
            ("exact:Tick", "tick"),
            ("\"token expired\"", "close"),
            ("expired token", "close"),
            ("/t[io]c?k/i", "tick close"),
            ("/^beat$/", "ping"),
            ("words", "ping close fact"),
            ("-words", "tick"),
            ("dir:sent", "ping"),
            ("dir:received", "tick close fact"),
            ("-dir:received", "ping"),
            ("kind:control", "ping close fact"),
            ("kind:text", "tick"),
            ("kind:ping,text", "tick ping"),
            ("-kind:ping,text", "close fact"),
            ("size:4", "ping"),
            ("size:>4", "tick close"),
            ("size:3..20", "ping close"),
            ("time:<1s", "fact"),
            ("time:1s..2s kind:ping", "ping"),
            ("code:1008", "close"),
            ("code:4000..4999", ""),
            ("json:/type", "tick"),
            ("json:/type=Tick", "tick"),
            ("json:/type=\"Tick\"", "tick"),
            ("json:/type~ick", "tick"),
            ("json:/user/id=7", "tick"),
            ("json:/user/id=8", ""),
            ("json:/list/1=two", "tick"),
            ("json:/user~\"grüße\"", "tick"),
            ("tick OR kind:ping", "tick ping"),
            ("kind:ping OR kind:close expired", "ping close"),
        ] {
            let found: Vec<&str> = rows.iter().filter(|(_, row)| takes(query, row)).map(|(name, _)| *name).collect();
            assert_eq!(found.join(" "), wanted, "{query}");
        }
    }
}
