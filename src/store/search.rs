//! Looks for the rows that a filter wants, chunk by chunk, also while the session grows.
//!
//! Frames are found by their headers alone, and texts are looked for in the raw bytes of a whole chunk: a row is made only
//! if it is no data frame. Where the bytes are not plain sound frames (the handshake, a broken rule, compression), the
//! chunk's rows are made and asked one by one; the index tells by its row count whether that was needed. Start at
//! [`Search::advance`].

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::checkpoint::Position;
use super::chunk::{read_chunk, read_payload};
use super::filter::Filter;
use super::frames::{Found, Frames};
use super::matches::Matches;
use super::row::{FrameRow, Row, RowBody};
use super::session::Index;
use crate::journal::{RECORD_HEADER_LEN, ReadError};

/// How far a search has come, and what it found.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// The rows that the filter lets through, among those that were looked at.
    pub matches: Matches,
    /// How many rows were looked at, from the first on.
    pub looked_at: u64,
    /// Whether everything that was there has been looked at.
    pub is_done: bool,
}

/// A search through one session.
#[derive(Debug)]
pub struct Search {
    filter: Arc<Filter>,
    matches: Matches,
    looked_at: u64,
    chunk: usize,
    /// Up to where the chunk has been read; `None` before it was begun.
    position: Option<Position>,
    /// `None` where rows must be made.
    frames: Option<Frames>,
    /// The frames that were open where the chunk began.
    open_before: Vec<Row>,
    /// Frames to be asked for again: not everything had come.
    waiting: Vec<Row>,
    /// Chunks of made rows to be made again: not everything of some row had come.
    unsettled: BTreeSet<usize>,
    raw: Vec<u8>,
}

impl Search {
    /// A search that has looked at nothing yet.
    pub fn new(filter: Arc<Filter>) -> Self {
        Self {
            filter,
            matches: Matches::default(),
            looked_at: 0,
            chunk: 0,
            position: None,
            frames: None,
            open_before: Vec::new(),
            waiting: Vec::new(),
            unsettled: BTreeSet::new(),
            raw: Vec::new(),
        }
    }

    /// What it looks for.
    pub fn filter(&self) -> &Arc<Filter> {
        &self.filter
    }

    /// What it has found so far in the rows that `index` knows of.
    pub fn hits(&self, index: &Index) -> Hits {
        Hits {
            matches: self.matches.clone(),
            looked_at: self.looked_at.min(index.rows),
            is_done: self.looked_at >= index.rows,
        }
    }

    /// Whether `index` knows of bytes that were not looked at.
    pub fn has_more(&self, index: &Index) -> bool {
        self.chunk + 1 < index.checkpoints.len() || self.position.is_none_or(|position| position.offset < index.end)
    }

    /// Looks at the next chunk, or at what has come since; whether there is more to look at.
    pub fn advance<R: Read + Seek>(&mut self, journal: &mut R, index: &Index) -> Result<bool, ReadError> {
        let Some(checkpoint) = index.checkpoints.at(self.chunk) else {
            return Ok(false);
        };
        let next = index.checkpoints.at(self.chunk + 1);
        let until = next.map_or(Position { offset: index.end, skip: 0 }, |c| c.position);
        let rows = next.map_or(index.rows, |c| c.first_row);
        let from = if let Some(position) = self.position {
            position
        } else {
            let before = self.frames.take();
            self.open_before = before.as_ref().map(Frames::open_rows).unwrap_or_default();
            self.frames = Frames::at(checkpoint, index.handshake, before);
            checkpoint.position
        };
        if from < until {
            if self.frames.is_some() {
                self.read_frames(journal, from, until)?;
            }
            let is_right = self.frames.as_ref().is_some_and(|frames| frames.row() == rows && frames.is_sound());
            if !is_right {
                self.frames = None;
                self.waiting.append(&mut self.open_before);
                self.make_rows(journal, index, self.chunk)?;
            }
            self.position = Some(until);
            self.looked_at = rows;
        }
        if next.is_none() {
            self.look_again(journal, index)?;
            return Ok(false);
        }
        self.chunk += 1;
        self.position = None;
        Ok(true)
    }

    /// Goes on behind a chunk that cannot be read; its rows are taken for unwanted.
    pub fn pass_over(&mut self, index: &Index) {
        let next = index.checkpoints.at(self.chunk + 1);
        self.frames = None;
        self.looked_at = next.map_or(index.rows, |c| c.first_row);
        if next.is_some() {
            self.chunk += 1;
            self.position = None;
        } else {
            self.position = Some(Position { offset: index.end, skip: 0 });
        }
    }

    /// Finds the frames between two places of the journal, and asks for each.
    fn read_frames<R: Read + Seek>(
        &mut self,
        journal: &mut R,
        from: Position,
        until: Position,
    ) -> Result<(), ReadError> {
        let Self { frames: Some(frames), filter, matches, raw, .. } = self else {
            return Ok(());
        };
        let end = if until.skip == 0 { 0 } else { until.skip + RECORD_HEADER_LEN as u64 };
        let len = (until.offset + end).saturating_sub(from.offset);
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(MAX_PIECE_BYTES);
        if raw.len() < len {
            raw.resize(len, 0);
        }
        let failed = |source| ReadError::Read { offset: from.offset, source };
        journal.seek(SeekFrom::Start(from.offset)).map_err(failed)?;
        let mut have = 0;
        while have < len {
            match journal.read(&mut raw[have..len]) {
                Ok(0) => break,
                Ok(more) => have += more,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => return Err(failed(source)),
            }
        }
        frames.read(&raw[..have], from.skip, filter, &mut |found| match found {
            Found::Frame(row, is_wanted) => matches.set(row, is_wanted),
            Found::Row(row) => matches.set(row.number, filter.takes(row, Filter::bytes_of(row))),
        });
        Ok(())
    }

    /// Makes the rows of a chunk from its beginning, and asks for each.
    fn make_rows<R: Read + Seek>(&mut self, journal: &mut R, index: &Index, number: usize) -> Result<(), ReadError> {
        let chunk = read_chunk(journal, index, number)?;
        let end = index.checkpoints.at(number + 1).map_or(index.rows, |next| next.first_row);
        let mut is_settled = chunk.settled >= chunk.rows.len();
        for row in chunk.rows.into_iter().take_while(|row| row.number < end) {
            let is_wanted = match &row.body {
                RowBody::Frame(frame) if frame.header.payload_len > frame.preview.len() as u64 => {
                    let (is_wanted, is_whole) = self.ask_long(journal, index, frame, &row)?;
                    is_settled &= is_whole;
                    is_wanted
                }
                RowBody::Frame(_)
                | RowBody::Fact(_)
                | RowBody::Request { .. }
                | RowBody::Response { .. }
                | RowBody::Opaque { .. }
                | RowBody::Body { .. }
                | RowBody::Violation(_)
                | RowBody::Cut(_) => self.filter.takes(&row, Filter::bytes_of(&row)),
            };
            self.matches.set(row.number, is_wanted);
        }
        if is_settled {
            self.unsettled.remove(&number);
        } else {
            self.unsettled.insert(number);
        }
        Ok(())
    }

    /// Asks again for rows of which more has come.
    fn look_again<R: Read + Seek>(&mut self, journal: &mut R, index: &Index) -> Result<(), ReadError> {
        let before: Vec<usize> = self.unsettled.range(..self.chunk).copied().collect();
        for number in before {
            self.make_rows(journal, index, number)?;
        }
        for row in std::mem::take(&mut self.waiting) {
            let RowBody::Frame(frame) = &row.body else {
                continue;
            };
            let (is_wanted, is_whole) = self.ask_long(journal, index, frame, &row)?;
            self.matches.set(row.number, is_wanted);
            if !is_whole {
                self.waiting.push(row);
            }
        }
        let Self { frames, filter, matches, .. } = self;
        if let Some(frames) = frames {
            frames.judge_open(filter, &mut |row, is_wanted| matches.set(row, is_wanted));
        }
        Ok(())
    }

    /// Asks for a frame whose payload is longer than its preview; also whether all of it was there.
    fn ask_long<R: Read + Seek>(
        &self,
        journal: &mut R,
        index: &Index,
        frame: &FrameRow,
        row: &Row,
    ) -> Result<(bool, bool), ReadError> {
        if !self.filter.needs_payload() {
            return Ok((self.filter.takes(row, &frame.preview), true));
        }
        let (payload, is_whole) = read_payload(journal, index, frame.direction, frame.offset, MAX_PAYLOAD_BYTES)?;
        Ok((self.filter.takes(row, &payload), is_whole))
    }
}

/// A piece of the journal between two checkpoints is shorter than this; more would be made row by row.
const MAX_PIECE_BYTES: usize = 128 * 1024 * 1024;
/// So far into a payload texts are looked for.
pub(super) const MAX_PAYLOAD_BYTES: usize = 16 * 1024 * 1024;
