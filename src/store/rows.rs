//! Makes the rows of a chunk from its observations.

use std::sync::Arc;

use bytes::Bytes;

use super::checkpoint::Checkpoint;
use super::row::{FrameRow, Row, RowBody};
use super::row_rules::RowRules;
use super::session::pieces;
use crate::observation::{Direction, Fact, Moment};
use crate::wire::{Decoder, FrameHeader, Item};

/// Makes rows, numbered as [`super::Session`] counts them.
#[derive(Debug)]
pub(super) struct RowMaker {
    decoder: Decoder,
    made: Made,
}

/// Rows made so far, and those whose bytes still come.
#[derive(Debug)]
struct Made {
    rules: RowRules,
    number: u64,
    rows: Vec<Row>,
    open: [Option<OpenRow>; 2],
}

/// A row whose bytes still come.
#[derive(Debug)]
pub(super) struct OpenRow {
    /// Its index in the chunk.
    pub(super) row: usize,
    /// Who sends its bytes.
    pub(super) direction: Direction,
    /// Where they begin in that direction's bytes, the handshake counted.
    pub(super) start: u64,
    /// The frame's header; `None` for bytes that are no frame's payload.
    pub(super) header: Option<FrameHeader>,
    /// The beginning, as far as it has come.
    pub(super) preview: Vec<u8>,
    /// How much has come.
    pub(super) received: u64,
}

impl RowMaker {
    pub(super) fn new(checkpoint: &Checkpoint) -> Self {
        Self {
            decoder: checkpoint.decoder.clone(),
            made: Made { rules: checkpoint.rules, number: checkpoint.first_row, rows: Vec::new(), open: [None, None] },
        }
    }

    /// Takes the next observation in.
    pub(super) fn take(&mut self, at: Moment, fact: Fact) {
        let Self { decoder, made } = self;
        if let Fact::Bytes { direction, data } = &fact {
            for piece in pieces(data.len(), decoder.in_frames()) {
                decoder.push(*direction, &data[piece], &mut |item| made.take(at, &item));
            }
            return;
        }
        let read_ended = matches!(fact, Fact::ReadEnded(_));
        if fact.is_row() {
            made.push(at, RowBody::Fact(Arc::new(fact)));
        }
        if read_ended && !std::mem::replace(&mut made.rules.read_ended, true) {
            decoder.end(Direction::ServerToClient, &mut |item| made.take(at, &item));
        }
    }

    /// The rows, and those of them whose bytes have not all come.
    pub(super) fn finish(self) -> (Vec<Row>, impl Iterator<Item = OpenRow>) {
        (self.made.rows, self.made.open.into_iter().flatten())
    }
}

impl Made {
    fn push(&mut self, at: Moment, body: RowBody) {
        self.rows.push(Row { number: self.number, at, body });
        self.number += 1;
    }

    fn take(&mut self, at: Moment, item: &Item<'_>) {
        let is_row = self.rules.is_row(item);
        match item {
            Item::Request(_, raw) => self.push(at, RowBody::Request { raw: Bytes::copy_from_slice(raw) }),
            Item::Interim(head, raw) | Item::Response(head, raw) => {
                self.push(at, RowBody::Response { status: head.status, raw: Bytes::copy_from_slice(raw) });
            }
            Item::NotHttp(raw) | Item::HeadTooBig(raw) => {
                let direction = Direction::ServerToClient;
                let start = self.rules.handshake[direction.index()];
                self.push(at, RowBody::Opaque { direction, raw: Bytes::new() });
                self.open(direction, start, None);
                self.add(direction, raw);
            }
            Item::Body(data) => {
                let direction = Direction::ServerToClient;
                if is_row {
                    let start = self.rules.handshake[direction.index()];
                    self.push(at, RowBody::Body { raw: Bytes::new() });
                    self.open(direction, start, None);
                }
                self.add(direction, data);
            }
            Item::Opaque { direction, data } => {
                if is_row {
                    let start = self.rules.position_after_frames(*direction);
                    self.push(at, RowBody::Opaque { direction: *direction, raw: Bytes::new() });
                    self.open(*direction, start, None);
                }
                self.add(*direction, data);
            }
            Item::Frame { direction, offset, header } => self.begin_frame(at, *direction, *offset, header),
            Item::Payload { direction, data } => self.add(*direction, data),
            Item::FrameEnd { direction } => {
                if let Some(open) = self.open[direction.index()].take() {
                    open.write_to(&mut self.rows);
                }
            }
            Item::Message(_) | Item::Close(_) => {}
            Item::Violation(violation) => self.push(at, RowBody::Violation(violation.clone())),
            Item::Cut(cut) => self.push(at, RowBody::Cut(*cut)),
        }
    }

    fn begin_frame(&mut self, at: Moment, direction: Direction, offset: u64, header: &FrameHeader) {
        let message = self.rules.message_of(direction, header.opcode());
        let row = FrameRow { direction, offset, header: *header, message, preview: Bytes::new(), received: 0 };
        self.push(at, RowBody::Frame(row));
        // No payload can follow an impossible length.
        if header.payload_len >> 63 == 0 {
            let start = self.rules.handshake[direction.index()] + offset + u64::from(header.header_len);
            self.open(direction, start, Some(*header));
        }
    }

    fn open(&mut self, direction: Direction, start: u64, header: Option<FrameHeader>) {
        let row = self.rows.len() - 1;
        self.open[direction.index()] =
            Some(OpenRow { row, direction, start, header, preview: Vec::new(), received: 0 });
    }

    fn add(&mut self, direction: Direction, data: &[u8]) {
        let Some(open) = &mut self.open[direction.index()] else {
            return;
        };
        open.received += data.len() as u64;
        let missing = open.missing();
        open.preview.extend_from_slice(&data[..data.len().min(missing)]);
        if open.header.is_none()
            && open.is_settled()
            && let Some(open) = self.open[direction.index()].take()
        {
            open.write_to(&mut self.rows);
        }
    }
}

impl OpenRow {
    /// How many bytes of the preview are missing.
    pub(super) fn missing(&self) -> usize {
        let wanted = FrameRow::PREVIEW_BYTES.saturating_sub(self.preview.len());
        let in_frame = self.header.map_or(u64::MAX, |h| h.payload_len.saturating_sub(self.preview.len() as u64));
        usize::try_from(in_frame).map_or(wanted, |left| left.min(wanted))
    }

    /// Whether later bytes change nothing about the row.
    pub(super) fn is_settled(&self) -> bool {
        self.missing() == 0 && self.header.is_none_or(|h| self.received >= h.payload_len)
    }

    /// Puts what has come into its row.
    pub(super) fn write_to(self, rows: &mut [Row]) {
        let preview = Bytes::from(self.preview);
        match rows.get_mut(self.row).map(|row| &mut row.body) {
            Some(RowBody::Frame(frame)) => {
                frame.preview = preview;
                frame.received = self.received;
            }
            Some(RowBody::Opaque { raw, .. } | RowBody::Body { raw }) => *raw = preview,
            Some(
                RowBody::Fact(_)
                | RowBody::Request { .. }
                | RowBody::Response { .. }
                | RowBody::Violation(_)
                | RowBody::Cut(_),
            )
            | None => debug_assert!(false, "only these rows are open"),
        }
    }
}
