//! Appends observations to a journal.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};

use bytes::Bytes;

use super::format::{HEADER_LEN, Header, Kind, MAX_RECORD_BYTES, RECORD_HEADER_LEN, RecordHeader};
use super::index::index_payload;
use crate::observation::{Direction, Fact, Moment};

/// Payloads from here on are written from where they are; smaller ones are gathered first.
const GATHER_BELOW: usize = 16 * 1024;
/// So much is gathered at most.
const GATHERED_BYTES: usize = 64 * 1024;
/// So much waits before it is written.
const WAITING_BYTES: u64 = 512 * 1024;
/// Writes end at a multiple of this: systems take whole pages, and many at once, far more cheaply than parts of them.
const ALIGNED_BYTES: u64 = 128 * 1024;
/// So many pieces go out in one call; systems take no more than 1024.
const SLICES: usize = 64;

/// Appends records.
///
/// Records wait until many of them can be written at once; [`Writer::flush`] leaves nothing behind. After an error nothing
/// more may be appended: [`Writer::into_unwritten`] gives back what was not written.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    /// Whole records, the first of which may be written in part.
    waiting: VecDeque<Piece>,
    /// Where the first of them begins.
    begins: u64,
    /// Up to where everything is written.
    written: u64,
    /// Where the last of them ends.
    end: u64,
    /// A buffer to be used again.
    spare: Vec<u8>,
    /// Where the last part of an index stands; 0 if there is none.
    last_index: u64,
}

/// Whole records on their way.
#[derive(Debug)]
enum Piece {
    /// Small ones.
    Gathered(Vec<u8>),
    /// A large one, its bytes from where they are.
    Large { header: [u8; RECORD_HEADER_LEN], data: Bytes },
}

impl<W: Write> Writer<W> {
    /// Begins a journal: writes its header.
    pub fn create(mut output: W, header: &Header) -> io::Result<Self> {
        output.write_all(&header.to_bytes())?;
        let (waiting, spare) = (VecDeque::new(), Vec::new());
        Ok(Self { output, waiting, begins: HEADER_LEN, written: HEADER_LEN, end: HEADER_LEN, spare, last_index: 0 })
    }

    /// Where the next record will begin.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Appends one fact; gives the offset of its record.
    ///
    /// An error may be that of an earlier record. This one then counts as not appended, not even in part.
    pub fn append(&mut self, at: Moment, fact: &Fact) -> io::Result<u64> {
        self.make_room()?;
        let offset = self.end;
        if let Some((kind, direction, data)) = raw(fact)
            && data.len() >= GATHER_BELOW
        {
            let header = RecordHeader::new(kind, direction, at, checked(data)?).bytes;
            self.waiting.push_back(Piece::Large { header, data: data.clone() });
            self.end += (RECORD_HEADER_LEN + data.len()) as u64;
            return Ok(offset);
        }
        let mut gathered = match self.waiting.pop_back() {
            Some(Piece::Gathered(records)) if records.len() < GATHERED_BYTES => records,
            other => {
                self.waiting.extend(other);
                std::mem::take(&mut self.spare)
            }
        };
        let before = gathered.len();
        let encoded = encode_record(at, fact, &mut gathered);
        self.end += (gathered.len() - before) as u64;
        if !gathered.is_empty() {
            self.waiting.push_back(Piece::Gathered(gathered));
        }
        encoded.map(|()| offset)
    }

    /// Appends a part of an index, which is no fact; the same holds for errors as with [`Writer::append`].
    pub fn append_index(&mut self, at: Moment, content: Vec<u8>) -> io::Result<()> {
        self.make_room()?;
        let data = Bytes::from(index_payload(content, self.last_index, self.end));
        let header = RecordHeader::new(Kind::Index, Direction::ClientToServer, at, checked(&data)?).bytes;
        self.last_index = self.end;
        self.end += (RECORD_HEADER_LEN + data.len()) as u64;
        self.waiting.push_back(Piece::Large { header, data });
        Ok(())
    }

    /// Writes all that waits.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write_up_to(self.end)
    }

    /// Gives up: the output, the offset up to which whole records were surely written, and the records after it.
    pub fn into_unwritten(self) -> (W, u64, Vec<u8>) {
        let unwritten = self.waiting.iter().flat_map(Piece::slices).flatten().copied().collect();
        (self.output, self.begins, unwritten)
    }

    /// Writes most of what waits if it is much.
    fn make_room(&mut self) -> io::Result<()> {
        if self.end - self.written < WAITING_BYTES {
            return Ok(());
        }
        self.write_up_to(self.end - self.end % ALIGNED_BYTES)
    }

    fn write_up_to(&mut self, target: u64) -> io::Result<()> {
        while self.written < target {
            let mut skip = usize::try_from(self.written - self.begins).unwrap_or(usize::MAX);
            let mut room = usize::try_from(target - self.written).unwrap_or(usize::MAX);
            let mut slices = Vec::with_capacity(SLICES);
            for bytes in self.waiting.iter().flat_map(Piece::slices) {
                let left = bytes.get(skip..).unwrap_or_default();
                skip = skip.saturating_sub(bytes.len());
                let taken = left.get(..room).unwrap_or(left);
                room -= taken.len();
                if !taken.is_empty() {
                    slices.push(IoSlice::new(taken));
                }
                if room == 0 || slices.len() == SLICES {
                    break;
                }
            }
            match self.output.write_vectored(&slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => self.has_written(len as u64),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn has_written(&mut self, len: u64) {
        self.written += len;
        while let Some(first) = self.waiting.front()
            && self.begins + first.len() <= self.written
        {
            self.begins += first.len();
            if let Some(Piece::Gathered(mut records)) = self.waiting.pop_front() {
                records.clear();
                self.spare = records;
            }
        }
    }
}

impl Piece {
    fn slices(&self) -> [&[u8]; 2] {
        match self {
            Self::Gathered(records) => [records, &[]],
            Self::Large { header, data } => [header, data],
        }
    }

    fn len(&self) -> u64 {
        self.slices().iter().map(|bytes| bytes.len() as u64).sum()
    }
}

/// Appends one fact's record to `out`; leaves it as it was in case of an error.
///
/// Bytes longer than [`MAX_RECORD_BYTES`] are refused; another fact so long is replaced by a note that says so.
pub fn encode_record(at: Moment, fact: &Fact, out: &mut Vec<u8>) -> io::Result<()> {
    if let Some((kind, direction, data)) = raw(fact) {
        let header = RecordHeader::new(kind, direction, at, checked(data)?);
        out.extend_from_slice(&header.bytes);
        out.extend_from_slice(data);
        return Ok(());
    }
    let start = out.len();
    out.extend_from_slice(&[0; RECORD_HEADER_LEN]);
    if let Err(error) = serde_json::to_writer(&mut *out, fact) {
        out.truncate(start);
        return Err(error.into());
    }
    let (_, record) = out.split_at_mut(start);
    let (header, payload) = record.split_at_mut(RECORD_HEADER_LEN);
    if payload.len() > MAX_RECORD_BYTES as usize {
        let text = format!("a fact of {} bytes is too long for the journal and was left out", payload.len());
        out.truncate(start);
        return encode_record(at, &Fact::Note { text }, out);
    }
    header.copy_from_slice(&RecordHeader::new(Kind::Fact, Direction::ClientToServer, at, payload).bytes);
    Ok(())
}

/// The bytes of a fact that is stored raw.
fn raw(fact: &Fact) -> Option<(Kind, Direction, &Bytes)> {
    if let Fact::Bytes { direction, data } = fact {
        Some((Kind::Bytes, *direction, data))
    } else if let Fact::CipherBytes { direction, data } = fact {
        Some((Kind::CipherBytes, *direction, data))
    } else {
        None
    }
}

fn checked(data: &Bytes) -> io::Result<&Bytes> {
    if data.len() > MAX_RECORD_BYTES as usize {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "bytes are too long for one record"));
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Reader;
    use crate::observation::ConnId;

    /// Takes so many bytes, a few at a time, then fails.
    struct Full(Vec<u8>, usize);

    impl Write for Full {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            let room = self.1.saturating_sub(self.0.len());
            if room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let len = buffer.len().min(room).min(777);
            self.0.extend_from_slice(&buffer[..len]);
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn full_disk_gives_back_what_was_not_written() {
        for room in [100, 300, 5_000, 40_000, 100_000, 131_072, 600_000] {
            let mut writer = Writer::create(Full(Vec::new(), room), &Header::new(ConnId(1), 0)).unwrap();
            let mut whole = Header::new(ConnId(1), 0).to_bytes().to_vec();
            for number in 0..200 {
                let data = Bytes::from(vec![number as u8; if number % 7 == 0 { 40_000 } else { 100 }]);
                let fact = Fact::Bytes { direction: Direction::ServerToClient, data };
                if writer.append(Moment(number), &fact).is_err() {
                    break;
                }
                encode_record(Moment(number), &fact, &mut whole).unwrap();
            }
            let (output, written, unwritten) = writer.into_unwritten();
            let mut rescued = output.0[..written as usize].to_vec();
            rescued.extend_from_slice(&unwritten);
            assert!(rescued == whole, "room for {room}");
            let mut reader = Reader::open(rescued.as_slice(), ConnId(1)).unwrap();
            assert!(reader.by_ref().all(|found| found.is_ok()));
            assert_eq!(reader.offset(), rescued.len() as u64);
        }
    }
}
