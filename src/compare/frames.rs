//! Messages of two sessions, direction by direction: changed, missing, more.
//!
//! Read side by side in flat memory. Where two differ, a few of the next ones are looked at, so that one message more does
//! not make all that follow it differ.

use std::collections::VecDeque;
use std::io;

use serde_json::Value;

use super::json::{Place, places};
use super::volatile::Shapes;
use super::{Comparison, Difference, Part};
use crate::export::{Redactor, Selection, Source};
use crate::observation::Direction;
use crate::store::{Row, RowBody};
use crate::wire::Opcode;

/// Compares the messages of both directions.
pub(super) fn messages(
    one: &dyn Source,
    other: &dyn Source,
    redactor: &mut Redactor,
    found: &mut Comparison,
) -> io::Result<()> {
    let first = found.differences.len();
    for direction in [Direction::ClientToServer, Direction::ServerToClient] {
        let all = Selection::All;
        let mut sides = [Side::new(one, direction, &all), Side::new(other, direction, &all)];
        Walk { direction, shapes: Shapes::new(), redactor, found }.run(&mut sides)?;
    }
    // Both directions together in the order of the first session.
    let of_row = |difference: &Difference| difference.rows[0].or(difference.rows[1]).unwrap_or(u64::MAX);
    if let Some(own) = found.differences.get_mut(first..) {
        own.sort_by_key(of_row);
    }
    Ok(())
}

struct Message {
    row: u64,
    opcode: Opcode,
    data: Vec<u8>,
    number: u64,
}

impl Message {
    fn json(&self) -> Option<Value> {
        let looks_so = matches!(self.data.trim_ascii_start().first(), Some(b'{' | b'['));
        if looks_so && self.data.len() <= MAX_JSON_BYTES { serde_json::from_slice(&self.data).ok() } else { None }
    }

    fn shown(&self) -> String {
        match self.opcode {
            Opcode::Binary => format!("{} bytes", self.data.len()),
            _ => String::from_utf8_lossy(self.data.get(..self.data.len().min(SHOWN_BYTES)).unwrap_or_default())
                .into_owned(),
        }
    }
}

/// The messages of one session in one direction, with a few of the next ones at hand.
struct Side<'a> {
    rows: Box<dyn Iterator<Item = io::Result<Row>> + 'a>,
    source: &'a dyn Source,
    direction: Direction,
    next: VecDeque<Message>,
    count: u64,
}

impl<'a> Side<'a> {
    fn new(source: &'a dyn Source, direction: Direction, all: &Selection) -> Self {
        Self { rows: source.rows(all), source, direction, next: VecDeque::new(), count: 0 }
    }

    /// Has so many of the next messages at hand, as far as there are any.
    fn fill(&mut self, redactor: &mut Redactor) -> io::Result<()> {
        while self.next.len() < AHEAD
            && let Some(message) = self.read()?
        {
            redactor.learn_bytes(&message.data);
            self.next.push_back(message);
        }
        Ok(())
    }

    /// The next whole message; what is unfinished at the end counts as it is.
    fn read(&mut self) -> io::Result<Option<Message>> {
        let mut open: Option<Message> = None;
        for row in self.rows.by_ref() {
            let row = row?;
            let RowBody::Frame(frame) = &row.body else { continue };
            if frame.direction != self.direction || frame.header.opcode().is_control() {
                continue;
            }
            let mut data = frame.preview.clone();
            if (data.len() as u64) < frame.received {
                data = self.source.payload(frame.direction, frame.offset)?.unwrap_or(data);
            }
            if let Some(message) = &mut open {
                message.data.extend_from_slice(&data);
            } else {
                let number = self.count;
                self.count += 1;
                open = Some(Message { row: row.number, opcode: frame.message, data: data.to_vec(), number });
            }
            if frame.header.fin() {
                break;
            }
        }
        Ok(open)
    }
}

struct Walk<'a> {
    direction: Direction,
    shapes: Shapes,
    redactor: &'a mut Redactor,
    found: &'a mut Comparison,
}

impl Walk<'_> {
    fn run(mut self, sides: &mut [Side<'_>; 2]) -> io::Result<()> {
        loop {
            for side in sides.iter_mut() {
                side.fill(self.redactor)?;
            }
            let [one, other] = &mut *sides;
            let (Some(ours), Some(theirs)) = (one.next.front(), other.next.front()) else { break };
            if self.are_alike(ours, theirs) {
                self.volatile(ours, theirs);
            } else if let Some((side, more)) = self.resume(&one.next, &other.next) {
                let longer = if side == 0 { one } else { other };
                for message in longer.next.drain(..more) {
                    self.extra(side, &message);
                }
                continue;
            } else {
                self.changed(ours, theirs);
            }
            one.next.pop_front();
            other.next.pop_front();
        }
        for (number, side) in sides.iter_mut().enumerate() {
            while let Some(message) = side.next.pop_front() {
                self.extra(number, &message);
                side.fill(self.redactor)?;
            }
            if let Some(count) = self.found.messages.get_mut(number) {
                *count += side.count;
            }
        }
        Ok(())
    }

    /// Which of the two has messages more, and how many, before both go on with the same.
    fn resume(&self, one: &VecDeque<Message>, other: &VecDeque<Message>) -> Option<(usize, usize)> {
        let (ours, theirs) = (one.front()?, other.front()?);
        (1..AHEAD).find_map(|more| {
            if one.get(more).is_some_and(|later| self.are_alike(later, theirs)) {
                Some((0, more))
            } else if other.get(more).is_some_and(|later| self.are_alike(ours, later)) {
                Some((1, more))
            } else {
                None
            }
        })
    }

    /// Whether two messages are the same but for what is new every time.
    fn are_alike(&self, one: &Message, other: &Message) -> bool {
        if one.opcode != other.opcode {
            return false;
        }
        if one.data == other.data {
            return true;
        }
        if one.opcode == Opcode::Binary {
            return false;
        }
        if let (Some(ours), Some(theirs)) = (one.json(), other.json()) {
            let places = places(&ours, &theirs, MAX_PLACES);
            return places.iter().all(|place| self.is_volatile(place));
        }
        self.shapes.are_alike(&String::from_utf8_lossy(&one.data), &String::from_utf8_lossy(&other.data))
    }

    fn is_volatile(&self, place: &Place<'_>) -> bool {
        match place.values {
            [Some(one), Some(other)] => self.shapes.are_alike_values(&place.name, one, other),
            _ => false,
        }
    }

    /// Lists what is new every time in two messages that are alike.
    fn volatile(&mut self, one: &Message, other: &Message) {
        if one.data == other.data {
            return;
        }
        match (one.json(), other.json()) {
            (Some(ours), Some(theirs)) => self.json(one, other, &ours, &theirs),
            _ => {
                self.push(self.what(one, ""), [Some(one), Some(other)], [Some(one.shown()), Some(other.shown())], true);
            }
        }
    }

    fn changed(&mut self, one: &Message, other: &Message) {
        let rows = [Some(one), Some(other)];
        if one.opcode != other.opcode {
            let words = [one, other].map(|message| Some(message.opcode.word().to_owned()));
            return self.push(self.what(one, ", its opcode"), rows, words, false);
        }
        if let (Some(ours), Some(theirs)) = (one.json(), other.json()) {
            return self.json(one, other, &ours, &theirs);
        }
        let same = one.data.iter().zip(&other.data).take_while(|(ours, theirs)| ours == theirs).count();
        let what = self.what(one, &format!(", from byte {same} on"));
        let from = if one.opcode == Opcode::Binary { None } else { Some(same) };
        let shown = [one, other].map(|message| Some(around(message, from)));
        self.push(what, rows, shown, false);
    }

    fn json(&mut self, one: &Message, other: &Message, ours: &Value, theirs: &Value) {
        for place in places(ours, theirs, MAX_PLACES) {
            let what =
                self.what(one, &format!(", {}", if place.pointer.is_empty() { "as a whole" } else { &place.pointer }));
            let is_volatile = self.is_volatile(&place);
            let values = place.values.map(|value| value.map(Value::to_string));
            self.push(what, [Some(one), Some(other)], values, is_volatile);
        }
    }

    /// A message that one of the two has and the other has not.
    fn extra(&mut self, side: usize, message: &Message) {
        let what = self.what(message, "");
        let shown = Some(message.shown());
        let (rows, values) =
            if side == 0 { ([Some(message), None], [shown, None]) } else { ([None, Some(message)], [None, shown]) };
        self.push(what, rows, values, false);
    }

    fn what(&self, message: &Message, more: &str) -> String {
        format!("message {} {}{more}", message.number + 1, self.direction.word())
    }

    fn push(&mut self, what: String, messages: [Option<&Message>; 2], values: [Option<String>; 2], is_volatile: bool) {
        let of_kind = |d: &&Difference| d.part == Part::Frames && d.is_volatile == is_volatile;
        if self.found.differences.iter().filter(of_kind).count() >= MAX_LISTED {
            self.found.more += u64::from(!is_volatile);
            return;
        }
        let rows = messages.map(|message| message.map(|message| message.row));
        self.found.differences.push(Difference { part: Part::Frames, what, values, rows, is_volatile });
    }
}

/// A text from a little before the place where it differs.
fn around(message: &Message, from: Option<usize>) -> String {
    let Some(from) = from else { return message.shown() };
    let start = from.saturating_sub(CONTEXT_BYTES);
    let end = message.data.len().min(from + SHOWN_BYTES);
    let text = String::from_utf8_lossy(message.data.get(start..end).unwrap_or_default()).into_owned();
    if start > 0 { format!("…{text}") } else { text }
}

/// So many messages are looked at ahead.
const AHEAD: usize = 16;
/// So many places are looked at in one message, and so many differences are listed of each kind.
const MAX_PLACES: usize = 50;
const MAX_LISTED: usize = 200;
const MAX_JSON_BYTES: usize = 4 << 20;
const SHOWN_BYTES: usize = 300;
const CONTEXT_BYTES: usize = 24;
