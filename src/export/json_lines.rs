//! JSON Lines: one object a row, in order, UTF-8, each line ended by LF.
//!
//! Fragments of a message are held back until it is whole, so that a secret cut into fragments is found.

use std::io::{self, Write};

use bytes::Bytes;

use super::Material;
use super::redact::Redactor;
use super::row_json::row_json;
use crate::observation::Direction;
use crate::store::{FrameRow, Row, RowBody};

/// Writes every row.
pub(super) fn write(
    material: &mut Material<'_>,
    mut redactor: Option<&mut Redactor>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if let Some(redactor) = redactor.as_deref_mut() {
        redactor.learn_story(material.story);
    }
    let mut held = Held::default();
    for row in &mut *material.rows {
        let row = row?;
        if let Some(redactor) = redactor.as_deref_mut() {
            redactor.learn_row(&row);
        }
        let line = Line::new(row, material.payload)?;
        held.push(line);
        if !held.is_open() || redactor.is_none() {
            held.write(redactor.as_deref_mut(), out)?;
        }
    }
    held.write(redactor, out)?;
    out.flush()
}

/// A row with the payload of its frame.
struct Line {
    row: Row,
    payload: Bytes,
    is_whole: bool,
}

impl Line {
    fn new(row: Row, payload: &mut dyn FnMut(Direction, u64) -> io::Result<Option<Bytes>>) -> io::Result<Self> {
        let RowBody::Frame(frame) = &row.body else {
            return Ok(Self { row, payload: Bytes::new(), is_whole: true });
        };
        let mut bytes = frame.preview.clone();
        // A full preview may be the beginning of more, also where few bytes inflate to many.
        if ((bytes.len() as u64) < frame.received || bytes.len() >= FrameRow::PREVIEW_BYTES)
            && let Some(whole) = payload(frame.direction, frame.offset)?
        {
            bytes = whole;
        }
        let is_whole = bytes.len() as u64 >= frame.header.payload_len;
        Ok(Self { row, payload: bytes, is_whole })
    }

    /// The direction of the data frame that it is.
    fn data_direction(&self) -> Option<(Direction, bool)> {
        match &self.row.body {
            RowBody::Frame(frame) if !frame.header.opcode().is_control() => Some((frame.direction, frame.header.fin())),
            _ => None,
        }
    }
}

/// Rows that wait for the end of a message.
#[derive(Default)]
struct Held {
    lines: Vec<Line>,
    bytes: usize,
    open: [bool; 2],
}

impl Held {
    fn push(&mut self, line: Line) {
        if let Some((direction, fin)) = line.data_direction()
            && let Some(open) = self.open.get_mut(direction.index())
        {
            *open = !fin;
        }
        self.bytes += line.payload.len();
        self.lines.push(line);
    }

    /// Whether a message is unfinished, and there is room to wait for its end.
    fn is_open(&self) -> bool {
        self.open.contains(&true) && self.bytes < MAX_BYTES && self.lines.len() < MAX_ROWS
    }

    fn write(&mut self, mut redactor: Option<&mut Redactor>, out: &mut dyn Write) -> io::Result<()> {
        let mut payloads: Vec<Vec<u8>> = self.lines.iter().map(|line| line.payload.to_vec()).collect();
        if let Some(redactor) = redactor.as_deref_mut() {
            for direction in [Direction::ClientToServer, Direction::ServerToClient] {
                let of_direction = |line: &Line| line.data_direction().is_some_and(|(own, _)| own == direction);
                let indices: Vec<usize> =
                    (0..self.lines.len()).filter(|i| self.lines.get(*i).is_some_and(of_direction)).collect();
                let pieces: Vec<&[u8]> =
                    indices.iter().filter_map(|i| self.lines.get(*i)).map(|line| line.payload.as_ref()).collect();
                for (index, redacted) in indices.iter().zip(redactor.pieces(&pieces)) {
                    if let Some(payload) = payloads.get_mut(*index) {
                        *payload = redacted;
                    }
                }
            }
            for (line, payload) in self.lines.iter().zip(&mut payloads) {
                if matches!(line.row.body, RowBody::Frame(_)) && line.data_direction().is_none() {
                    *payload = redactor.bytes(payload);
                }
            }
        }
        for (line, payload) in self.lines.drain(..).zip(payloads) {
            let value = row_json(&line.row, &payload, line.is_whole, redactor.as_deref_mut());
            serde_json::to_writer(&mut *out, &value)?;
            out.write_all(b"\n")?;
        }
        self.bytes = 0;
        Ok(())
    }
}

/// How much of an unfinished message is held back.
const MAX_BYTES: usize = 16 << 20;
const MAX_ROWS: usize = 100_000;
