//! Reads a journal back, however damaged.

use std::fmt;
use std::io::{self, Read};

use bytes::Bytes;

use super::format::{FORMAT_VERSION, HEADER_LEN, Header, Kind, MAX_RECORD_BYTES, RECORD_HEADER_LEN, RecordHeader};
use crate::observation::{ConnId, Fact, Observation};

/// Why a journal could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The first bytes are not those of a journal.
    #[error("this is no session saved by sockeye")]
    NotAJournal,
    /// Reading failed.
    #[error("reading the journal failed at byte {offset}")]
    Read {
        /// Where, in bytes from the journal's beginning.
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
}

/// How a journal ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The last record says that nothing more would come.
    Clean,
    /// Its records are whole, but it was not ended: the program was killed, or still writes.
    Unfinished,
    /// A record is cut or damaged; everything before it was read.
    Torn {
        /// Where that record begins, in bytes from the journal's beginning.
        at: u64,
        /// What is wrong with it.
        why: TornWhy,
    },
    /// Written in a format that is not known here; nothing was read.
    OtherVersion {
        /// Which.
        format: u16,
    },
}

/// What is wrong with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TornWhy {
    /// The file ends inside the record.
    Cut,
    /// It announces more than any record may have.
    TooLong,
    /// Its checksum is wrong.
    Checksum,
}

impl fmt::Display for TornWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "the file ends inside a record",
            Self::TooLong => "a record announces an impossible length",
            Self::Checksum => "the checksum of a record is wrong",
        })
    }
}

/// Reads records, each with its offset, up to the first that is damaged.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    header: Header,
    conn: ConnId,
    offset: u64,
    ended: Option<Ended>,
    unknown_records: u64,
    finished: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the header; observations will belong to `conn`.
    pub fn open(mut input: R, conn: ConnId) -> Result<Self, ReadError> {
        let mut bytes = [0; HEADER_LEN as usize];
        let len = read_up_to(&mut input, &mut bytes).map_err(|source| ReadError::Read { offset: 0, source })?;
        let header = if len == bytes.len() { Header::parse(&bytes) } else { None };
        let header = header.ok_or(ReadError::NotAJournal)?;
        let ended = (header.is_intact && header.format != FORMAT_VERSION)
            .then_some(Ended::OtherVersion { format: header.format });
        Ok(Self { input, header, conn, offset: HEADER_LEN, ended, unknown_records: 0, finished: false })
    }

    /// Reads on from a record's beginning; `input` must stand there.
    pub fn resume(input: R, conn: ConnId, offset: u64) -> Self {
        let header = Header::new(conn, 0);
        Self { input, header, conn, offset, ended: None, unknown_records: 0, finished: false }
    }

    /// The header; that of a fresh journal if reading was resumed.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where the next record begins, or where reading ended.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// How the journal ended; `None` while more may come.
    pub fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// How many whole records held something that is not known here.
    pub fn unknown_records(&self) -> u64 {
        self.unknown_records
    }

    /// The next known record.
    fn next_known(&mut self) -> io::Result<Option<(u64, Observation)>> {
        while self.ended.is_none() {
            let offset = self.offset;
            let Some((header, payload)) = self.next_record()? else {
                return Ok(None);
            };
            self.finished = false;
            let Some(fact) = read_fact(&header, payload) else {
                self.unknown_records += 1;
                continue;
            };
            self.finished = fact == Fact::Finished;
            return Ok(Some((offset, Observation { conn: self.conn, at: header.at(), fact })));
        }
        Ok(None)
    }

    fn next_record(&mut self) -> io::Result<Option<(RecordHeader, Bytes)>> {
        let mut bytes = [0; RECORD_HEADER_LEN];
        let len = read_up_to(&mut self.input, &mut bytes)?;
        if len == 0 {
            self.ended = Some(if self.finished { Ended::Clean } else { Ended::Unfinished });
            return Ok(None);
        }
        if len < bytes.len() {
            return Ok(self.torn(TornWhy::Cut));
        }
        let header = RecordHeader { bytes };
        if header.len() > MAX_RECORD_BYTES {
            return Ok(self.torn(TornWhy::TooLong));
        }
        let len = header.len() as usize;
        let mut payload = Vec::with_capacity(len.min(TRUSTED_BYTES));
        self.input.by_ref().take(len as u64).read_to_end(&mut payload)?;
        if payload.len() < len {
            return Ok(self.torn(TornWhy::Cut));
        }
        if !header.fits(&payload) {
            return Ok(self.torn(TornWhy::Checksum));
        }
        self.offset += (RECORD_HEADER_LEN + len) as u64;
        Ok(Some((header, Bytes::from(payload))))
    }

    fn torn<T>(&mut self, why: TornWhy) -> Option<T> {
        self.ended = Some(Ended::Torn { at: self.offset, why });
        None
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<(u64, Observation), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.offset;
        match self.next_known() {
            Ok(found) => found.map(Ok),
            Err(source) => {
                self.ended = Some(Ended::Torn { at: offset, why: TornWhy::Cut });
                Some(Err(ReadError::Read { offset, source }))
            }
        }
    }
}

/// A payload's buffer begins with no more than this, whatever its length field says.
const TRUSTED_BYTES: usize = 256 * 1024;

fn read_fact(header: &RecordHeader, payload: Bytes) -> Option<Fact> {
    match header.kind()? {
        Kind::Bytes => Some(Fact::Bytes { direction: header.direction()?, data: payload }),
        Kind::CipherBytes => Some(Fact::CipherBytes { direction: header.direction()?, data: payload }),
        Kind::Fact => serde_json::from_slice(&payload).ok(),
    }
}

fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match input.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}
