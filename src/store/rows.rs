//! Makes the rows of a chunk from its observations.

use std::sync::Arc;

use bytes::Bytes;

use super::checkpoint::Checkpoint;
use super::inflation::Inflation;
use super::row::{FrameRow, InflatedPart, Row, RowBody};
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
    inflations: [Inflation; 2],
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
    /// Whether it is a frame of a compressed message.
    pub(super) compressed: bool,
    /// What came out of it.
    pub(super) inflated: Option<InflatedPart>,
}

impl RowMaker {
    /// Makes rows from a checkpoint on, where the directions inflate as these do.
    pub(super) fn new(checkpoint: &Checkpoint, inflations: [Inflation; 2]) -> Self {
        Self {
            decoder: checkpoint.decoder.clone(),
            made: Made {
                rules: checkpoint.rules,
                number: checkpoint.first_row,
                rows: Vec::new(),
                open: [None, None],
                inflations,
            },
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
        if let Fact::Violated(violation) = fact {
            made.push(at, RowBody::Violation(violation));
        } else if fact.is_row() {
            made.push(at, RowBody::Fact(Arc::new(fact)));
        }
        if read_ended && !std::mem::replace(&mut made.rules.read_ended, true) {
            decoder.end(Direction::ServerToClient, &mut |item| made.take(at, &item));
        }
    }

    /// The rows, and those of them whose bytes have not all come.
    pub(super) fn finish(self) -> (Vec<Row>, impl Iterator<Item = (OpenRow, Inflation)>) {
        let open = self.made.open.into_iter().zip(self.made.inflations);
        (self.made.rows, open.filter_map(|(row, inflation)| Some((row?, inflation))))
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
            Item::Frame { direction, offset, header, compressed } => {
                self.begin_frame(at, *direction, *offset, header, *compressed);
            }
            Item::Payload { direction, data, compressed: true } => {
                let inflation = &mut self.inflations[direction.index()];
                match &mut self.open[direction.index()] {
                    Some(open) => open.add_compressed(data, inflation),
                    None => inflation.push(data, &mut |_| {}),
                }
            }
            Item::Payload { direction, data, compressed: false } => self.add(*direction, data),
            Item::FrameEnd { direction, ends_compressed, next } => {
                let inflation = &mut self.inflations[direction.index()];
                match &mut self.open[direction.index()] {
                    Some(open) if open.compressed => {
                        open.end_compressed(ends_compressed.then_some(*next), inflation);
                    }
                    _ if *ends_compressed => inflation.end_message(*next, &mut |_| {}),
                    _ => {}
                }
                if let Some(open) = self.open[direction.index()].take() {
                    open.write_to(&mut self.rows);
                }
            }
            Item::Message(_) | Item::Close(_) => {}
            Item::Violation(violation) => self.push(at, RowBody::Violation(violation.clone())),
            Item::Cut(cut) => self.push(at, RowBody::Cut(*cut)),
        }
    }

    fn begin_frame(&mut self, at: Moment, direction: Direction, offset: u64, header: &FrameHeader, compressed: bool) {
        let message = self.rules.message_of(direction, header.opcode());
        let row = FrameRow {
            direction,
            offset,
            header: *header,
            message,
            compressed,
            inflated: None,
            preview: Bytes::new(),
            received: 0,
        };
        self.push(at, RowBody::Frame(row));
        // No payload can follow an impossible length.
        if header.payload_len >> 63 == 0 {
            let start = self.rules.handshake[direction.index()] + offset + u64::from(header.header_len);
            self.open(direction, start, Some(*header));
            if compressed && let Some(open) = &mut self.open[direction.index()] {
                open.compressed = true;
                let is_alive = self.inflations[direction.index()].is_alive();
                open.inflated = is_alive.then_some(InflatedPart { len_bytes: 0, is_whole: false });
            }
        }
    }

    fn open(&mut self, direction: Direction, start: u64, header: Option<FrameHeader>) {
        let row = self.rows.len() - 1;
        self.open[direction.index()] = Some(OpenRow {
            row,
            direction,
            start,
            header,
            preview: Vec::new(),
            received: 0,
            compressed: false,
            inflated: None,
        });
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
    /// Takes payload of a compressed message.
    pub(super) fn add_compressed(&mut self, wire: &[u8], inflation: &mut Inflation) {
        self.received += wire.len() as u64;
        let Some(part) = &mut self.inflated else {
            let missing = FrameRow::PREVIEW_BYTES.saturating_sub(self.preview.len());
            self.preview.extend_from_slice(&wire[..wire.len().min(missing)]);
            return;
        };
        inflation.push(wire, &mut |data| take_inflated(part, &mut self.preview, data));
        if inflation.is_corrupt() {
            part.len_bytes = 0;
            self.preview.clear();
        }
    }

    /// The frame is whole; its message as well if it is told where the next one begins.
    pub(super) fn end_compressed(&mut self, next: Option<u64>, inflation: &mut Inflation) {
        let Some(part) = &mut self.inflated else { return };
        if let Some(next) = next {
            inflation.end_message(next, &mut |data| take_inflated(part, &mut self.preview, data));
        }
        if inflation.is_corrupt() {
            part.len_bytes = 0;
            self.preview.clear();
        }
        part.is_whole = inflation.is_alive();
    }

    /// How many bytes of the preview are missing.
    pub(super) fn missing(&self) -> usize {
        let wanted = FrameRow::PREVIEW_BYTES.saturating_sub(self.preview.len());
        let in_frame = self.header.map_or(u64::MAX, |h| h.payload_len.saturating_sub(self.preview.len() as u64));
        usize::try_from(in_frame).map_or(wanted, |left| left.min(wanted))
    }

    /// Whether later bytes change nothing about the row.
    pub(super) fn is_settled(&self) -> bool {
        let has_preview = self.compressed || self.missing() == 0;
        has_preview && self.header.is_none_or(|h| self.received >= h.payload_len)
    }

    /// Puts what has come into its row.
    pub(super) fn write_to(self, rows: &mut [Row]) {
        let preview = Bytes::from(self.preview);
        match rows.get_mut(self.row).map(|row| &mut row.body) {
            Some(RowBody::Frame(frame)) => {
                frame.preview = preview;
                frame.received = self.received;
                frame.inflated = self.inflated;
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

fn take_inflated(part: &mut InflatedPart, preview: &mut Vec<u8>, data: &[u8]) {
    part.len_bytes += data.len() as u64;
    let room = FrameRow::PREVIEW_BYTES.saturating_sub(preview.len());
    preview.extend_from_slice(&data[..data.len().min(room)]);
}
