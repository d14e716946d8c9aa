//! Appends observations to a journal.

use std::io::{self, IoSlice, Write};

use super::format::{HEADER_LEN, Header, Kind, MAX_RECORD_BYTES, RECORD_HEADER_LEN, RecordHeader};
use crate::observation::{Direction, Fact, Moment};

/// Payloads from here on are written from where they are; smaller ones are gathered first.
const GATHER_BELOW: usize = 16 * 1024;
/// So much is gathered at most.
const GATHERED_BYTES: usize = 64 * 1024;

/// Appends records.
///
/// Small records are gathered and large ones take them along, so that one call of `write` serves many of them under load;
/// [`Writer::flush`] leaves nothing behind. After an error nothing more may be appended: [`Writer::into_unwritten`]
/// gives back what was not written.
#[derive(Debug)]
pub struct Writer<W> {
    output: W,
    gathered: Vec<u8>,
    written: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a journal: writes its header.
    pub fn create(mut output: W, header: &Header) -> io::Result<Self> {
        output.write_all(&header.to_bytes())?;
        Ok(Self { output, gathered: Vec::new(), written: HEADER_LEN })
    }

    /// Where the next record will begin.
    pub fn end(&self) -> u64 {
        self.written + self.gathered.len() as u64
    }

    /// Appends one fact; gives the offset of its record.
    ///
    /// An error may be that of an earlier record. This one then counts as not appended, not even in part.
    pub fn append(&mut self, at: Moment, fact: &Fact) -> io::Result<u64> {
        let offset = self.end();
        if let Some((kind, direction, data)) = raw(fact)
            && data.len() >= GATHER_BELOW
        {
            let header = RecordHeader::new(kind, direction, at, checked(data)?);
            let gathered = self.gathered.as_slice();
            let slices = &mut [IoSlice::new(gathered), IoSlice::new(&header.bytes), IoSlice::new(data)][..];
            write_all_vectored(&mut self.output, slices)?;
            self.written = offset + (RECORD_HEADER_LEN + data.len()) as u64;
            self.gathered.clear();
            return Ok(offset);
        }
        if self.gathered.len() >= GATHERED_BYTES {
            self.flush()?;
        }
        encode_record(at, fact, &mut self.gathered)?;
        Ok(offset)
    }

    /// Writes what was gathered.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        self.output.write_all(&self.gathered)?;
        self.written += self.gathered.len() as u64;
        self.gathered.clear();
        Ok(())
    }

    /// Gives up: the output, the offset up to which whole records were surely written, and the records after it.
    pub fn into_unwritten(self) -> (W, u64, Vec<u8>) {
        (self.output, self.written, self.gathered)
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
fn raw(fact: &Fact) -> Option<(Kind, Direction, &[u8])> {
    if let Fact::Bytes { direction, data } = fact {
        Some((Kind::Bytes, *direction, data))
    } else if let Fact::CipherBytes { direction, data } = fact {
        Some((Kind::CipherBytes, *direction, data))
    } else {
        None
    }
}

fn checked(data: &[u8]) -> io::Result<&[u8]> {
    if data.len() > MAX_RECORD_BYTES as usize {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "bytes are too long for one record"));
    }
    Ok(data)
}

fn write_all_vectored(output: &mut impl Write, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match output.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(len) => IoSlice::advance_slices(&mut slices, len),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

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
        for room in [100, 300, 5_000, 40_000, 100_000] {
            let mut writer = Writer::create(Full(Vec::new(), room), &Header::new(ConnId(1), 0)).unwrap();
            let mut whole = Header::new(ConnId(1), 0).to_bytes().to_vec();
            for number in 0..200 {
                let data = Bytes::from(vec![number as u8; if number % 7 == 0 { 20_000 } else { 100 }]);
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
