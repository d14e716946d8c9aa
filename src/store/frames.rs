//! Frames found by their headers alone, many at a time, each judged by a filter.
//!
//! Right only for sound, uncompressed frames: whoever uses it compares [`Frames::row`] with the index. Nothing is allocated
//! for a frame; masked payloads are unmasked in the piece's own copy.

use std::sync::Arc;

use bytes::Bytes;

use super::checkpoint::Checkpoint;
use super::chunk::unmask;
use super::filter::{Filter, Kinds, Needle, Subject};
use super::row::{FrameRow, Row, RowBody};
use super::search::MAX_PAYLOAD_BYTES;
use crate::journal::{RawRecord, RawRecords};
use crate::observation::{Direction, Moment};
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
    spots: Vec<Spot>,
    /// Frames that began in an earlier piece and are whole.
    finished: Vec<Open>,
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

/// The next place of a needle in the bytes of a direction.
#[derive(Clone, Copy)]
enum Next {
    Unknown,
    At(usize, usize),
    Nowhere,
}

impl Next {
    fn of(needle: &Needle, bytes: &[u8], from: usize) -> Self {
        needle.find_from(bytes, from).map_or(Self::Nowhere, |(from, to)| Self::At(from, to))
    }
}

impl Frames {
    /// The state at a checkpoint, where so many bytes of each direction were the handshake; what `before` has of open frames
    /// is taken over. `None` where rows must be made.
    pub(super) fn at(checkpoint: &Checkpoint, handshake: [u64; 2], before: Option<Self>) -> Option<Self> {
        let (mut sides, spots): ([Side; 2], _) =
            before.map_or_else(Default::default, |before| (before.sides, before.spots));
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
        Some(Self { sides, row: checkpoint.first_row, is_sound: true, spots, finished: Vec::new() })
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
                    self.take(at, direction, data.get(skip..).unwrap_or_default());
                }
                RawRecord::Fact { at, fact } if fact.is_row() => {
                    found(Found::Row(&Row { number: self.row, at, body: RowBody::Fact(Arc::new(fact)) }));
                    self.row += 1;
                }
                RawRecord::Fact { .. } => {}
            }
            skip = 0;
            if !self.is_sound {
                self.spots.clear();
                return;
            }
        }
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

    fn take(&mut self, at: Moment, direction: Direction, data: &[u8]) {
        let Self { sides, row, is_sound, spots, finished } = self;
        let side = &mut sides[direction.index()];
        side.bytes.extend_from_slice(data);
        loop {
            side.skip_payload(finished);
            if side.left > 0 {
                return;
            }
            let Some(header) = FrameHeader::parse(&side.bytes[side.read..]) else {
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
            spots.push(Spot { head: Head { row: *row, at, direction, offset, header, message }, start: side.read });
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
        for (needle, places) in filter.needles().iter().zip(&mut places).filter(|(needle, _)| needle.is_free()) {
            for (side, place) in sides.iter().zip(places) {
                *place = Next::of(needle, &side.bytes, 0);
            }
        }
        let is_nowhere = |places: &[Next; 2]| places.iter().all(|place| matches!(place, Next::Nowhere));
        let skips_data = !filter.can_hold(|needle| !places.get(needle).is_some_and(is_nowhere));
        for spot in spots.iter() {
            if skips_data && !spot.head.header.opcode().is_control() {
                continue;
            }
            let index = spot.head.direction.index();
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
    /// Passes over the payload that has come; a frame from an earlier piece takes it.
    fn skip_payload(&mut self, finished: &mut Vec<Open>) {
        let have = self.bytes.len() - self.read;
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

/// Whether a needle is between two places; `next` is where it was found last, and never goes back.
fn is_between(needle: &Needle, bytes: &[u8], start: usize, end: usize, next: &mut Next) -> bool {
    if start == end {
        return needle.is_in(&[]);
    }
    loop {
        match *next {
            Next::Nowhere => return false,
            Next::At(from, _) if from >= end => return false,
            Next::At(from, to) if from >= start => {
                // One that goes on behind the end may hide a shorter one.
                return to <= end || needle.is_in(&bytes[start..end]);
            }
            Next::At(..) | Next::Unknown => {
                *next = Next::of(needle, bytes, start);
            }
        }
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
