//! Reads chunks back from a journal: rows, payloads, and the whole session row by row.

use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;

use super::checkpoint::Position;
use super::inflation::{Inflation, Place, STEP_BYTES, inflation_at, place_at};
use super::row::Row;
use super::rows::{OpenRow, RowMaker};
use super::session::Index;
use crate::journal::{ReadError, Reader};
use crate::observation::{ConnId, Direction, Fact, Moment, Observation};
use crate::wire::{FrameHeader, Item};

/// The rows of a chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chunk {
    /// The rows.
    pub rows: Vec<Row>,
    /// So many of them, from the first on, will not change whatever comes after them.
    pub settled: usize,
}

/// Makes the rows of one chunk.
///
/// A payload that goes on behind the chunk's end is followed as far as its row shows it.
pub fn read_chunk<R: Read + Seek>(journal: &mut R, index: &Index, number: usize) -> Result<Chunk, ReadError> {
    let Some(checkpoint) = index.checkpoints.at(number) else {
        return Ok(Chunk::default());
    };
    let inflations = [Direction::ClientToServer, Direction::ServerToClient].map(|direction| {
        let side = direction.index();
        let offset = checkpoint.stream[side].saturating_sub(index.handshake[side]);
        inflation_at(journal, index, direction, offset)
    });
    let mut maker = RowMaker::new(checkpoint, inflations);
    for record in Records::of_chunk(journal, index, number)? {
        let (at, fact) = record?;
        maker.take(at, fact);
    }
    let (mut rows, open) = maker.finish();
    let mut settled = rows.len();
    for (mut row, mut inflation) in open {
        if row.compressed {
            complete_compressed(&mut row, &mut inflation, journal, index)?;
        } else {
            complete(&mut row, journal, index)?;
        }
        if !row.is_settled() {
            settled = settled.min(row.row);
        }
        row.write_to(&mut rows);
    }
    Ok(Chunk { rows, settled })
}

/// The payload of the frame that begins at `offset` of a direction's bytes after the handshake, unmasked and inflated.
///
/// Gives at most `max` bytes, and whether these will stay all that can be given.
pub fn read_payload<R: Read + Seek>(
    journal: &mut R,
    index: &Index,
    direction: Direction,
    offset: u64,
    max: usize,
) -> Result<(Bytes, bool), ReadError> {
    let frame = index.handshake[direction.index()].saturating_add(offset);
    let head = read_stream(journal, index, direction, frame..frame.saturating_add(14))?;
    let Some(header) = FrameHeader::parse(&head) else {
        return Ok((Bytes::new(), false));
    };
    if !header.opcode().is_control()
        && let Some(found) = read_inflated(journal, index, direction, offset, max)
    {
        return found;
    }
    let wanted = header.payload_len.min(max as u64);
    let start = frame.saturating_add(u64::from(header.header_len));
    let mut payload = read_stream(journal, index, direction, start..start.saturating_add(wanted))?;
    unmask(&header, 0, &mut payload);
    let is_whole = payload.len() as u64 == wanted;
    Ok((Bytes::from(payload), is_whole))
}

/// The payload of a frame if it is compressed and can be inflated.
fn read_inflated<R: Read + Seek>(
    journal: &mut R,
    index: &Index,
    direction: Direction,
    offset: u64,
    max: usize,
) -> Option<Result<(Bytes, bool), ReadError>> {
    let Place { mut decoder, mut inflation } = place_at(journal, index, direction, offset)?.ok()?;
    let (mut out, mut is_whole, mut is_compressed) = (Vec::new(), false, inflation.is_alive());
    let mut next = index.handshake[direction.index()].saturating_add(offset);
    while is_compressed && !is_whole {
        let bytes = match read_stream(journal, index, direction, next..next.saturating_add(STEP_BYTES)) {
            Ok(bytes) if bytes.is_empty() => break,
            Ok(bytes) => bytes,
            Err(error) => return Some(Err(error)),
        };
        next += bytes.len() as u64;
        let add = |out: &mut Vec<u8>, data: &[u8]| {
            let room = max.saturating_sub(out.len());
            out.extend_from_slice(&data[..data.len().min(room)]);
        };
        decoder.push(direction, &bytes, &mut |item| match item {
            Item::Frame { compressed, .. } if !is_whole => is_compressed = compressed,
            Item::Payload { data, compressed: true, .. } if !is_whole => {
                inflation.push(data, &mut |data| add(&mut out, data));
                is_whole |= out.len() >= max || !inflation.is_alive();
            }
            Item::FrameEnd { ends_compressed, next, .. } if !is_whole => {
                if ends_compressed {
                    inflation.end_message(next, &mut |data| add(&mut out, data));
                }
                is_whole = true;
            }
            _ => {}
        });
    }
    is_compressed.then(|| Ok((Bytes::from(out), is_whole)))
}

/// All rows of a journal, in order; memory stays flat.
#[derive(Debug)]
pub struct Replay<R> {
    journal: R,
    index: Index,
    next_chunk: usize,
    rows: std::vec::IntoIter<Row>,
}

impl<R: Read + Seek> Replay<R> {
    /// The rows that `index` knows of, read from its journal.
    pub fn new(journal: R, index: Index) -> Self {
        Self { journal, index, next_chunk: 0, rows: Vec::new().into_iter() }
    }
}

impl<R: Read + Seek> Iterator for Replay<R> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.rows.next() {
                return Some(Ok(row));
            }
            if self.next_chunk >= self.index.checkpoints.len() {
                return None;
            }
            match read_chunk(&mut self.journal, &self.index, self.next_chunk) {
                Ok(chunk) => {
                    self.next_chunk += 1;
                    self.rows = chunk.rows.into_iter();
                }
                Err(error) => {
                    self.next_chunk = usize::MAX;
                    return Some(Err(error));
                }
            }
        }
    }
}

/// The facts of one chunk, bytes clipped at its ends.
struct Records<R> {
    reader: Reader<BufReader<R>>,
    from: Position,
    until: Position,
}

impl<'a, R: Read + Seek> Records<&'a mut R> {
    fn of_chunk(journal: &'a mut R, index: &Index, number: usize) -> Result<Self, ReadError> {
        let end = Position { offset: index.end, skip: 0 };
        let from = index.checkpoints.at(number).map_or(end, |c| c.position);
        let until = index.checkpoints.at(number + 1).map_or(end, |c| c.position);
        let offset = from.offset;
        journal.seek(SeekFrom::Start(offset)).map_err(|source| ReadError::Read { offset, source })?;
        let reader = Reader::resume(BufReader::with_capacity(32 * 1024, journal), ConnId(0), offset);
        Ok(Self { reader, from, until })
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = Result<(Moment, Fact), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if (Position { offset: self.reader.offset(), skip: 0 }) >= self.until {
            return None;
        }
        let (offset, Observation { at, mut fact, .. }) = match self.reader.next()? {
            Ok(found) => found,
            Err(error) => return Some(Err(error)),
        };
        if (Position { offset, skip: 0 }) >= self.until {
            return None;
        }
        if let Fact::Bytes { data, .. } = &mut fact {
            if offset == self.until.offset {
                data.truncate(usize::try_from(self.until.skip).unwrap_or(usize::MAX));
            }
            if offset == self.from.offset {
                let skip = usize::try_from(self.from.skip).unwrap_or(usize::MAX);
                *data = data.slice(skip.min(data.len())..);
            }
        }
        Some(Ok((at, fact)))
    }
}

/// The fact whose record begins there.
pub(super) fn read_fact<R: Read + Seek>(journal: &mut R, offset: u64) -> Result<Option<Fact>, ReadError> {
    journal.seek(SeekFrom::Start(offset)).map_err(|source| ReadError::Read { offset, source })?;
    let mut reader = Reader::resume(BufReader::with_capacity(64 * 1024, journal), ConnId(0), offset);
    reader.next().map(|found| found.map(|(_, observation)| observation.fact)).transpose()
}

/// Bytes of one direction, the handshake counted; what has not come is left out.
pub(super) fn read_stream<R: Read + Seek>(
    journal: &mut R,
    index: &Index,
    direction: Direction,
    range: Range<u64>,
) -> Result<Vec<u8>, ReadError> {
    let end = range.end.min(index.stream[direction.index()]);
    let mut out = Vec::new();
    let mut next = range.start;
    while next < end {
        let number = index.checkpoints.chunk_of_byte(direction, next);
        let mut position = index.checkpoints.at(number).map_or(0, |c| c.stream[direction.index()]);
        let before = next;
        for record in Records::of_chunk(journal, index, number)? {
            let Fact::Bytes { direction: from, data } = record?.1 else {
                continue;
            };
            if from != direction {
                continue;
            }
            let ends_at = position + data.len() as u64;
            if ends_at > next {
                let part = (next - position) as usize..(ends_at.min(end) - position) as usize;
                out.extend_from_slice(&data[part]);
                next = ends_at.min(end);
            }
            position = ends_at;
            if next >= end {
                break;
            }
        }
        if next == before {
            break;
        }
    }
    Ok(out)
}

fn complete<R: Read + Seek>(row: &mut OpenRow, journal: &mut R, index: &Index) -> Result<(), ReadError> {
    let have = row.preview.len() as u64;
    let from = row.start.saturating_add(have);
    let to = from.saturating_add(row.missing() as u64);
    let mut more = read_stream(journal, index, row.direction, from..to)?;
    if let Some(header) = &row.header {
        unmask(header, have, &mut more);
        row.received = index.stream[row.direction.index()].saturating_sub(row.start).min(header.payload_len);
    }
    row.preview.extend_from_slice(&more);
    Ok(())
}

/// Follows a compressed frame to its end: its inflated length is known there alone.
fn complete_compressed<R: Read + Seek>(
    row: &mut OpenRow,
    inflation: &mut Inflation,
    journal: &mut R,
    index: &Index,
) -> Result<(), ReadError> {
    let Some(header) = row.header else { return Ok(()) };
    let end = row.start.saturating_add(header.payload_len);
    while row.received < header.payload_len {
        let from = row.start.saturating_add(row.received);
        if row.inflated.is_some() && !inflation.is_alive() {
            row.received = index.stream[row.direction.index()].min(end).saturating_sub(row.start);
            break;
        }
        let mut more = read_stream(journal, index, row.direction, from..end.min(from.saturating_add(STEP_BYTES)))?;
        if more.is_empty() {
            break;
        }
        unmask(&header, row.received, &mut more);
        row.add_compressed(&more, inflation);
    }
    if row.received >= header.payload_len {
        let next = end.saturating_sub(index.handshake[row.direction.index()]);
        row.end_compressed(header.fin().then_some(next), inflation);
    }
    Ok(())
}

/// Unmasks a part of a payload that begins `from` bytes into it; one that was not masked stays as it is.
pub(super) fn unmask(header: &FrameHeader, from: u64, payload: &mut [u8]) {
    if header.masked() {
        for (byte, at) in payload.iter_mut().zip(from..) {
            *byte ^= header.masking_key[(at & 3) as usize];
        }
    }
}
