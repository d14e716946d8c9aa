//! Frames found by their headers alone, many at a time, each judged by a filter.
//!
//! Right only for sound, uncompressed frames: whoever uses it compares [`Frames::row`] with the index. Nothing is allocated
//! for a frame; masked payloads are unmasked in the piece's own copy. Frames that a [`Gate`] passes over are counted and no
//! more.

use std::sync::Arc;

use bytes::Bytes;

use super::checkpoint::Checkpoint;
use super::chunk::unmask;
use super::filter::{Filter, Kinds, Subject};
use super::gate::{Gate, Next, is_between};
use super::row::{FrameRow, Row, RowBody};
use super::search::MAX_PAYLOAD_BYTES;
use crate::journal::{RawRecord, RawRecords};
use crate::observation::{Direction, Fact, Moment};
use crate::wire::{FrameHeader, Opcode};

/// What was found.
pub(super) enum Found<'a> {
    /// A frame's row, and whether it is wanted.
    Frame(u64, bool),
    /// A row that is no frame, to be asked for.
    Row(&'a Row),
}

/// Where both directions stand.
#[derive(Debug)]
pub(super) struct Frames {
    sides: [Side; 2],
    row: u64,
    is_sound: bool,
    parts: Vec<Part>,
    spots: Vec<Spot>,
    /// Frames that began in an earlier piece and are whole.
    finished: Vec<Open>,
}

/// What a record of this piece of the journal is.
#[derive(Debug)]
enum Part {
    /// Bytes of a direction, up to here in those of the side.
    Bytes { at: Moment, direction: Direction, end: usize },
    /// A row that is no frame.
    Row { at: Moment, fact: Arc<Fact> },
}

#[derive(Debug, Default)]
struct Side {
    /// The bytes of this piece of the journal, beginning with those of a header that was not whole.
    bytes: Vec<u8>,
    /// Where these bytes begin in the direction's bytes after the handshake.
    offset: u64,
    /// Up to where they were read as frames.
    read: usize,
    /// How many bytes of a payload are still to come.
    left: u64,
    message: Option<Opcode>,
    /// The frame whose payload goes on in this piece.
    open: Option<Open>,
}

/// A frame's row, before it is one.
#[derive(Clone, Copy, Debug)]
struct Head {
    row: u64,
    at: Moment,
    direction: Direction,
    /// Offset of its first byte in the direction's bytes after the handshake.
    offset: u64,
    header: FrameHeader,
    message: Opcode,
}

/// A frame that begins in this piece.
#[derive(Clone, Copy, Debug)]
struct Spot {
    head: Head,
    /// Where its payload begins.
    start: usize,
}

/// A frame of which a part has come in earlier pieces.
#[derive(Debug)]
struct Open {
    head: Head,
    /// The beginning of the payload, unmasked.
    payload: Vec<u8>,
    received: u64,
    /// How much had been received when it was judged last; more than any if never.
    judged: u64,
}

impl Frames {
    /// The state at a checkpoint, where so many bytes of each direction were the handshake; what `before` has of open frames
    /// is taken over. `None` where rows must be made.
    pub(super) fn at(checkpoint: &Checkpoint, handshake: [u64; 2], before: Option<Self>) -> Option<Self> {
        let (mut sides, parts, spots): ([Side; 2], _, _) =
            before.map_or_else(Default::default, |before| (before.sides, before.parts, before.spots));
        for (side, direction) in sides.iter_mut().zip(DIRECTIONS) {
            let state = checkpoint.decoder.frame_state(direction)?;
            side.bytes.clear();
            side.bytes.extend_from_slice(&state.pending[..usize::from(state.pending_len)]);
            side.read = 0;
            let index = direction.index();
            let after_handshake = checkpoint.stream[index].saturating_sub(handshake[index]);
            side.offset = after_handshake.saturating_sub(u64::from(state.pending_len));
            side.message = checkpoint.rules.open_message(direction);
            side.left = state.left;
            side.open = side.open.take().filter(|open| open.left() == state.left);
        }
        Some(Self { sides, row: checkpoint.first_row, is_sound: true, parts, spots, finished: Vec::new() })
    }

    /// The rows of the frames of which only a part has come.
    pub(super) fn open_rows(&self) -> Vec<Row> {
        let open = self.sides.iter().filter_map(|side| side.open.as_ref());
        open.map(|open| open.head.row(&[])).collect()
    }

    /// The number of the next row.
    pub(super) fn row(&self) -> u64 {
        self.row
    }

    /// Whether nothing was seen that ordinary frames do not have.
    pub(super) fn is_sound(&self) -> bool {
        self.is_sound
    }

    /// Reads records, of the first of which `skip` bytes are left out, and judges every row in them.
    pub(super) fn read(&mut self, records: &[u8], skip: u64, filter: &Filter, found: &mut dyn FnMut(Found<'_>)) {
        let mut skip = usize::try_from(skip).unwrap_or(usize::MAX);
        for record in RawRecords::new(records) {
            match record {
                RawRecord::Bytes { at, direction, data } => {
                    let bytes = &mut self.sides[direction.index()].bytes;
                    bytes.extend_from_slice(data.get(skip..).unwrap_or_default());
                    self.parts.push(Part::Bytes { at, direction, end: bytes.len() });
                }
                RawRecord::Fact { at, fact } if fact.is_row() => {
                    self.parts.push(Part::Row { at, fact: Arc::new(fact) });
                }
                RawRecord::Fact { .. } => {}
            }
            skip = 0;
        }
        let mut gate = Gate::new(filter);
        let mut parts = std::mem::take(&mut self.parts);
        for part in parts.drain(..) {
            match part {
                Part::Bytes { at, direction, end } => self.take(at, direction, end, &mut gate),
                Part::Row { at, fact } => {
                    found(Found::Row(&Row { number: self.row, at, body: RowBody::Fact(fact) }));
                    self.row += 1;
                }
            }
            if !self.is_sound {
                self.spots.clear();
                return;
            }
        }
        self.parts = parts;
        for open in self.finished.drain(..) {
            found(Found::Frame(open.head.row, open.is_wanted(filter)));
        }
        self.judge(filter, found);
        self.keep_open();
    }

    /// Judges what has come of the frames that are not whole.
    pub(super) fn judge_open(&mut self, filter: &Filter, found: &mut dyn FnMut(u64, bool)) {
        for open in self.sides.iter_mut().filter_map(|side| side.open.as_mut()) {
            if open.judged != open.received {
                open.judged = open.received;
                found(open.head.row, open.is_wanted(filter));
            }
        }
    }

    /// Finds the frames that begin in the bytes of a direction before `end`.
    fn take(&mut self, at: Moment, direction: Direction, end: usize, gate: &mut Gate<'_>) {
        let Self { sides, row, is_sound, spots, finished, .. } = self;
        let side = &mut sides[direction.index()];
        loop {
            side.skip_payload(end, finished);
            if side.left > 0 {
                return;
            }
            let Some(header) = FrameHeader::parse(&side.bytes[side.read..end]) else {
                return;
            };
            if !is_ordinary(&header, direction) {
                *is_sound = false;
                return;
            }
            let opcode = header.opcode();
            let message = match opcode {
                Opcode::Continuation => side.message.unwrap_or(opcode),
                Opcode::Text | Opcode::Binary | Opcode::Close | Opcode::Ping | Opcode::Pong | Opcode::Reserved(_) => {
                    opcode
                }
            };
            if !opcode.is_control() {
                side.message = (!header.fin()).then_some(message);
            }
            let offset = side.offset + side.read as u64;
            side.read += usize::from(header.header_len);
            side.left = header.payload_len;
            // Masked payloads cannot be looked through before they are unmasked.
            let is_passed_over = !opcode.is_control()
                && direction == Direction::ServerToClient
                && gate.passes_over(&side.bytes, side.read, header.payload_len);
            if !is_passed_over {
                spots.push(Spot { head: Head { row: *row, at, direction, offset, header, message }, start: side.read });
            }
            *row += 1;
        }
    }

    /// Judges every frame that is whole.
    fn judge(&mut self, filter: &Filter, found: &mut dyn FnMut(Found<'_>)) {
        let Self { sides, spots, .. } = self;
        for spot in spots.iter().filter(|spot| spot.head.header.masked()) {
            let side = &mut sides[spot.head.direction.index()];
            let end = spot.end(side.bytes.len());
            unmask(&spot.head.header, 0, &mut side.bytes[spot.start..end]);
        }
        let mut places = vec![[Next::Unknown; 2]; filter.needles().len()];
        let sent = Direction::ClientToServer.index();
        for (needle, places) in filter.needles().iter().zip(&mut places).filter(|(needle, _)| needle.is_free()) {
            places[sent] = Next::of(needle, &sides[sent].bytes, 0);
        }
        let is_nowhere = |places: &[Next; 2]| matches!(places[sent], Next::Nowhere);
        let skips_sent = !filter.can_hold(|needle| !places.get(needle).is_some_and(is_nowhere));
        for spot in spots.iter() {
            let index = spot.head.direction.index();
            if skips_sent && index == sent && !spot.head.header.opcode().is_control() {
                continue;
            }
            let bytes = &sides[index].bytes;
            let range = spot.start..spot.end(bytes.len());
            if (range.len() as u64) < spot.head.header.payload_len {
                continue;
            }
            let payload = &bytes[range.clone()];
            let mut has = |number: usize| match (filter.needles().get(number), places.get_mut(number)) {
                (Some(needle), Some(next)) if needle.is_free() => {
                    is_between(needle, bytes, range.start, range.end, &mut next[index])
                }
                (needle, _) => needle.is_some_and(|needle| needle.is_in(payload)),
            };
            if spot.head.is_wanted(filter, payload, &mut has) {
                found(Found::Frame(spot.head.row, true));
            }
        }
    }

    /// Keeps what goes on behind this piece, and forgets the rest.
    fn keep_open(&mut self) {
        for spot in self.spots.drain(..) {
            let side = &mut self.sides[spot.head.direction.index()];
            let payload = &side.bytes[spot.start..spot.end(side.bytes.len())];
            let received = payload.len() as u64;
            if received < spot.head.header.payload_len {
                let payload = payload[..payload.len().min(MAX_PAYLOAD_BYTES)].to_vec();
                side.open = Some(Open { head: spot.head, payload, received, judged: u64::MAX });
            }
        }
        for side in &mut self.sides {
            side.bytes.drain(..side.read);
            side.offset += side.read as u64;
            side.read = 0;
        }
    }
}

impl Side {
    /// Passes over the payload that has come before `end`; a frame from an earlier piece takes it.
    fn skip_payload(&mut self, end: usize, finished: &mut Vec<Open>) {
        let have = end.saturating_sub(self.read);
        let len = usize::try_from(self.left).map_or(have, |left| left.min(have));
        let piece = self.read..self.read + len;
        self.read += len;
        self.left -= len as u64;
        let Some(open) = &mut self.open else {
            return;
        };
        open.take(&self.bytes[piece]);
        if self.left == 0 {
            finished.extend(self.open.take());
        }
    }
}

impl Spot {
    /// Where its payload ends, as far as it has come.
    fn end(&self, len: usize) -> usize {
        let have = len.saturating_sub(self.start);
        self.start + usize::try_from(self.head.header.payload_len).map_or(have, |all| all.min(have))
    }
}

impl Open {
    fn left(&self) -> u64 {
        self.head.header.payload_len - self.received
    }

    fn take(&mut self, piece: &[u8]) {
        let from = self.payload.len();
        let room = MAX_PAYLOAD_BYTES.saturating_sub(from);
        self.payload.extend_from_slice(&piece[..piece.len().min(room)]);
        unmask(&self.head.header, from as u64, &mut self.payload[from..]);
        self.received += piece.len() as u64;
    }

    fn is_wanted(&self, filter: &Filter) -> bool {
        self.head.is_wanted(filter, &self.payload, &mut |needle| filter.needle_is_in(needle, &self.payload))
    }
}

impl Head {
    fn is_wanted(&self, filter: &Filter, payload: &[u8], has: &mut dyn FnMut(usize) -> bool) -> bool {
        let opcode = self.header.opcode();
        let words = || filter.describe(&self.row(payload));
        let subject = Subject {
            at: self.at,
            direction: Some(self.direction),
            kinds: Kinds::of_frame(opcode, self.message),
            header: Some(&self.header),
            bytes: payload,
            words: opcode.is_control().then_some(&words),
        };
        filter.holds(&subject, has)
    }

    /// The row, with this beginning of its payload.
    fn row(&self, payload: &[u8]) -> Row {
        let frame = FrameRow {
            direction: self.direction,
            offset: self.offset,
            header: self.header,
            message: self.message,
            compressed: false,
            inflated: None,
            preview: Bytes::copy_from_slice(payload),
            received: payload.len() as u64,
        };
        Row { number: self.row, at: self.at, body: RowBody::Frame(frame) }
    }
}

/// Whether a frame is as most are; for any other the rows must be made, since it may break a rule.
fn is_ordinary(header: &FrameHeader, direction: Direction) -> bool {
    let is_plain = match header.opcode() {
        Opcode::Text | Opcode::Binary | Opcode::Continuation => header.payload_len >> 63 == 0,
        Opcode::Close | Opcode::Ping | Opcode::Pong => header.fin() && header.payload_len <= 125,
        Opcode::Reserved(_) => false,
    };
    let is_masked_right = header.masked() == (direction == Direction::ClientToServer);
    is_plain && is_masked_right && header.rsv() == 0 && header.has_minimal_length()
}

const DIRECTIONS: [Direction; 2] = [Direction::ClientToServer, Direction::ServerToClient];
