//! Rows on their way into a file: each with its payload, secrets replaced.
//!
//! Fragments of a message are held back until it is whole, so that a secret cut into fragments is found.

use std::io;

use bytes::Bytes;

use super::redact::Redactor;
use super::{Material, Selection, Source};
use crate::observation::Direction;
use crate::store::{Row, RowBody};

/// A row with the payload of its frame, or with the bytes of another row that has some, without secrets.
pub(super) struct Line {
    /// The row as it was recorded: its bytes still hold secrets.
    pub(super) row: Row,
    /// The bytes that may be written.
    pub(super) bytes: Vec<u8>,
    /// Whether these are all the bytes that the frame announced.
    pub(super) is_whole: bool,
}

/// How much of a payload is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Payloads {
    /// All of it.
    Whole,
    /// What the row itself holds.
    Beginning,
}

/// What takes lines, one after the other.
pub(super) type Take<'a> = dyn FnMut(Line, Option<&mut Redactor>) -> io::Result<()> + 'a;

/// Gives every wanted row to `take`, in order.
pub(super) fn each(
    material: &Material<'_>,
    payloads: Payloads,
    mut redactor: Option<&mut Redactor>,
    take: &mut Take<'_>,
) -> io::Result<()> {
    let mut held = Held::default();
    for row in material.rows() {
        let row = row?;
        if let Some(redactor) = redactor.as_deref_mut() {
            redactor.learn_row(&row);
        }
        held.push(Waiting::new(row, payloads, material.source)?);
        if !held.is_open() || redactor.is_none() {
            held.give(redactor.as_deref_mut(), take)?;
        }
    }
    held.give(redactor, take)
}

/// Learns every secret that any row tells of, wanted or not: what one row names may stand bare in another one.
pub(super) fn learn(material: &Material<'_>, redactor: &mut Redactor) -> io::Result<()> {
    let mut held = Held::default();
    for row in material.source.rows(&Selection::All) {
        let row = row?;
        redactor.learn_row(&row);
        held.push(Waiting::new(row, Payloads::Whole, material.source)?);
        if !held.is_open() {
            held.learn(redactor);
        }
    }
    held.learn(redactor);
    Ok(())
}

/// A row before its secrets are replaced.
struct Waiting {
    row: Row,
    payload: Bytes,
    is_whole: bool,
}

impl Waiting {
    fn new(row: Row, payloads: Payloads, source: &dyn Source) -> io::Result<Self> {
        let frame = match &row.body {
            RowBody::Frame(frame) => frame,
            RowBody::Request { raw }
            | RowBody::Response { raw, .. }
            | RowBody::Opaque { raw, .. }
            | RowBody::Body { raw } => {
                let payload = raw.clone();
                return Ok(Self { row, payload, is_whole: true });
            }
            RowBody::Fact(_) | RowBody::Violation(_) | RowBody::Cut(_) => {
                return Ok(Self { row, payload: Bytes::new(), is_whole: true });
            }
        };
        let mut payload = frame.preview.clone();
        if payloads == Payloads::Whole
            && !frame.is_preview_whole()
            && let Some(whole) = source.payload(frame.direction, frame.offset)?
        {
            payload = whole;
        }
        let is_whole =
            payload.len() as u64 >= frame.data_len() && frame.inflated.is_none_or(|inflated| inflated.is_whole);
        Ok(Self { row, payload, is_whole })
    }

    /// The direction of the data frame that it is, and whether that ends its message.
    fn data_direction(&self) -> Option<(Direction, bool)> {
        match &self.row.body {
            RowBody::Frame(frame) if !frame.header.opcode().is_control() => Some((frame.direction, frame.header.fin())),
            _ => None,
        }
    }

    fn redacted(&self, redactor: &mut Redactor) -> Vec<u8> {
        match &self.row.body {
            RowBody::Request { .. } | RowBody::Response { .. } => redactor.head(&self.payload),
            RowBody::Frame(_) | RowBody::Opaque { .. } | RowBody::Body { .. } => redactor.bytes(&self.payload),
            RowBody::Fact(_) | RowBody::Violation(_) | RowBody::Cut(_) => Vec::new(),
        }
    }
}

/// Rows that wait for the end of a message.
#[derive(Default)]
struct Held {
    rows: Vec<Waiting>,
    bytes: usize,
    open: [bool; 2],
}

impl Held {
    fn push(&mut self, row: Waiting) {
        if let Some((direction, fin)) = row.data_direction()
            && let Some(open) = self.open.get_mut(direction.index())
        {
            *open = !fin;
        }
        self.bytes += row.payload.len();
        self.rows.push(row);
    }

    /// Whether a message is unfinished, and there is room to wait for its end.
    fn is_open(&self) -> bool {
        self.open.contains(&true) && self.bytes < MAX_BYTES && self.rows.len() < MAX_ROWS
    }

    /// The data frames of a direction: their places here, and their payloads.
    fn of_direction(&self, direction: Direction) -> (Vec<usize>, Vec<&[u8]>) {
        let is_of = |row: &Waiting| row.data_direction().is_some_and(|(own, _)| own == direction);
        let found = self.rows.iter().enumerate().filter(|(_, row)| is_of(row));
        found.map(|(index, row)| (index, row.payload.as_ref())).unzip()
    }

    fn learn(&mut self, redactor: &mut Redactor) {
        for direction in [Direction::ClientToServer, Direction::ServerToClient] {
            match self.of_direction(direction).1.as_slice() {
                [] => {}
                [one] => redactor.learn_bytes(one),
                pieces => redactor.learn_bytes(&pieces.concat()),
            }
        }
        for row in self.rows.iter().filter(|row| row.data_direction().is_none()) {
            match &row.row.body {
                RowBody::Fact(fact) => redactor.learn_fact(fact),
                RowBody::Request { .. }
                | RowBody::Response { .. }
                | RowBody::Opaque { .. }
                | RowBody::Body { .. }
                | RowBody::Frame(_) => redactor.learn_bytes(&row.payload),
                RowBody::Violation(_) | RowBody::Cut(_) => {}
            }
        }
        self.rows.clear();
        self.bytes = 0;
    }

    fn give(&mut self, mut redactor: Option<&mut Redactor>, take: &mut Take<'_>) -> io::Result<()> {
        let mut payloads: Vec<Option<Vec<u8>>> = vec![None; self.rows.len()];
        if let Some(redactor) = redactor.as_deref_mut() {
            for direction in [Direction::ClientToServer, Direction::ServerToClient] {
                let (places, pieces) = self.of_direction(direction);
                if pieces.is_empty() {
                    continue;
                }
                for (place, redacted) in places.into_iter().zip(redactor.pieces(&pieces)) {
                    if let Some(payload) = payloads.get_mut(place) {
                        *payload = Some(redacted);
                    }
                }
            }
            for (row, payload) in self.rows.iter().zip(&mut payloads) {
                payload.get_or_insert_with(|| row.redacted(redactor));
            }
        }
        for (waiting, payload) in self.rows.drain(..).zip(payloads) {
            let bytes = payload.unwrap_or_else(|| waiting.payload.to_vec());
            let line = Line { row: waiting.row, bytes, is_whole: waiting.is_whole };
            take(line, redactor.as_deref_mut())?;
        }
        self.bytes = 0;
        Ok(())
    }
}

/// How much of an unfinished message is held back.
const MAX_BYTES: usize = 16 << 20;
const MAX_ROWS: usize = 100_000;
