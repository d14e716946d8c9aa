//! A session as it grows: story, row count and checkpoints, folded from observations and where they stand in the journal.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use super::checkpoint::{Checkpoint, Checkpoints, Position};
use super::row_rules::RowRules;
use super::story::Story;
use crate::journal::{ReadError, Reader};
use crate::observation::{Fact, Moment};
use crate::wire::Decoder;

/// A session as it grows; the same observations always give the same session.
#[derive(Debug)]
pub struct Session {
    story: Arc<Story>,
    decoder: Decoder,
    rules: RowRules,
    rows: u64,
    stream: [u64; 2],
    end: u64,
    chunk_began: u64,
    chunk_first_row: u64,
    checkpoints: Checkpoints,
}

/// Where to find the rows of a session; an immutable picture, cheap to clone.
#[derive(Clone, Debug)]
pub struct Index {
    /// The chunks.
    pub checkpoints: Checkpoints,
    /// How many rows there are.
    pub rows: u64,
    /// How many bytes of the journal they were made from.
    pub end: u64,
    /// How many bytes of each direction came, the handshake included.
    pub stream: [u64; 2],
    /// How many of them came before the first frame.
    pub handshake: [u64; 2],
}

impl Session {
    /// A chunk ends with the piece of bytes in which it gets so many rows …
    pub const CHUNK_ROWS: u64 = 4096;
    /// … or so many bytes of the journal.
    pub const CHUNK_BYTES: u64 = 256 * 1024;

    /// A session whose first record will begin at this offset of the journal.
    pub fn new(offset: u64) -> Self {
        let first = Checkpoint {
            position: Position { offset, skip: 0 },
            first_row: 0,
            first_at: Moment::default(),
            stream: [0; 2],
            decoder: Decoder::default(),
            rules: RowRules::default(),
        };
        Self {
            story: Arc::default(),
            decoder: Decoder::default(),
            rules: RowRules::default(),
            rows: 0,
            stream: [0; 2],
            end: offset,
            chunk_began: offset,
            chunk_first_row: 0,
            checkpoints: Checkpoints::new(first),
        }
    }

    /// Folds a whole journal.
    pub fn read<R: Read>(reader: &mut Reader<R>) -> Result<Self, ReadError> {
        let mut session = Self::new(reader.offset());
        while let Some(read) = reader.next() {
            let (offset, observation) = read?;
            session.apply(offset, reader.offset(), observation.at, &observation.fact);
        }
        Ok(session)
    }

    /// Ends a session that was not ended, at the moment of its last observation.
    pub fn end_if_open(&mut self) {
        if self.story.finished.is_none() {
            let story = Arc::make_mut(&mut self.story);
            story.finished = Some(story.last_at);
        }
    }

    /// Takes an observation in, whose record begins at `offset` of the journal and ends before `end`.
    pub fn apply(&mut self, offset: u64, end: u64, at: Moment, fact: &Fact) {
        if let Fact::Bytes { direction, data } = fact {
            for piece in pieces(data.len(), self.decoder.in_frames()) {
                self.begin_chunk_if_due(Position { offset, skip: piece.start as u64 }, at);
                self.stream[direction.index()] += piece.len() as u64;
                let data = data.slice(piece);
                self.fold(at, &Fact::Bytes { direction: *direction, data });
            }
        } else {
            self.begin_chunk_if_due(Position { offset, skip: 0 }, at);
            self.rows += u64::from(fact.is_row());
            self.fold(at, fact);
        }
        self.end = end;
    }

    /// The story so far.
    pub fn story(&self) -> Arc<Story> {
        Arc::clone(&self.story)
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Where to find the rows.
    pub fn index(&self) -> Index {
        Index {
            checkpoints: self.checkpoints.clone(),
            rows: self.rows,
            end: self.end,
            stream: self.stream,
            handshake: self.rules.handshake,
        }
    }

    fn fold(&mut self, at: Moment, fact: &Fact) {
        let Self { story, decoder, rules, rows, .. } = self;
        Arc::make_mut(story).apply(decoder, at, fact, &mut |item| *rows += u64::from(rules.is_row(item)));
        rules.read_ended |= matches!(fact, Fact::ReadEnded(_));
    }

    fn begin_chunk_if_due(&mut self, position: Position, at: Moment) {
        let place = position.offset + position.skip;
        let is_due = self.rows - self.chunk_first_row >= Self::CHUNK_ROWS
            || place.saturating_sub(self.chunk_began) >= Self::CHUNK_BYTES;
        if !is_due || !self.decoder.is_compact() {
            return;
        }
        self.chunk_began = place;
        self.chunk_first_row = self.rows;
        self.checkpoints.push(Checkpoint {
            position,
            first_row: self.rows,
            first_at: at,
            stream: self.stream,
            decoder: self.decoder.clone(),
            rules: self.rules,
        });
    }
}

/// The pieces in which the bytes of one record are decoded: a read full of tiny frames must not make a huge chunk.
///
/// Counting and making rows go through here both, since a preview of a violation depends on the cut.
pub(super) fn pieces(len: usize, in_frames: bool) -> impl Iterator<Item = Range<usize>> {
    let step = if in_frames { PIECE_BYTES } else { len.max(1) };
    (0..len).step_by(step).map(move |start| start..len.min(start + step))
}

const PIECE_BYTES: usize = 8 * 1024;
