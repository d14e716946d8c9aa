//! The bytes of a journal's header and of a record's header.

use crate::observation::{ConnId, Direction, Moment};

/// The version of the journal's format that is written here.
pub const FORMAT_VERSION: u16 = 1;
/// The version of the decoder; raised whenever the same bytes give other rows.
pub const DECODER_VERSION: u16 = 1;
/// Bytes of a journal's header; the first record begins behind it.
pub const HEADER_LEN: u64 = 64;
/// Bytes of a record before its payload.
pub const RECORD_HEADER_LEN: usize = 20;
/// The longest payload of a record; more is never written, and a reader takes it for damage.
pub const MAX_RECORD_BYTES: u32 = 64 * 1024 * 1024;

/// The first bytes of every journal; the first of them is not ASCII, so that no text begins like this.
pub(super) const MAGIC: [u8; 8] = *b"\x89sockeye";

const SOCKEYE_BYTES: usize = 32;

/// What stands at the beginning of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The format's version.
    pub format: u16,
    /// The version of the decoder that the session was shown with.
    pub decoder: u16,
    /// What the connection was called when it was recorded.
    pub conn: ConnId,
    /// Wall clock at moment 0, Unix milliseconds.
    pub began_unix_millis: i64,
    /// The version of Sockeye that wrote it, at most 32 bytes.
    pub sockeye: String,
    /// Whether the header's checksum is right; records have their own.
    pub is_intact: bool,
}

impl Header {
    /// The header of a journal that begins at this wall clock.
    pub fn new(conn: ConnId, began_unix_millis: i64) -> Self {
        Self {
            format: FORMAT_VERSION,
            decoder: DECODER_VERSION,
            conn,
            began_unix_millis,
            sockeye: env!("CARGO_PKG_VERSION").to_owned(),
            is_intact: true,
        }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN as usize] {
        let mut out = [0; HEADER_LEN as usize];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&self.format.to_le_bytes());
        out[10..12].copy_from_slice(&self.decoder.to_le_bytes());
        out[12..16].copy_from_slice(&self.conn.0.to_le_bytes());
        out[16..24].copy_from_slice(&self.began_unix_millis.to_le_bytes());
        let version = self.sockeye.as_bytes();
        let len = version.len().min(SOCKEYE_BYTES);
        out[24..24 + len].copy_from_slice(&version[..len]);
        let crc = crc32fast::hash(&out[..60]);
        out[60..].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a header; `None` if these bytes begin no journal.
    pub fn parse(bytes: &[u8; HEADER_LEN as usize]) -> Option<Self> {
        if bytes[..8] != MAGIC {
            return None;
        }
        let version = &bytes[24..24 + SOCKEYE_BYTES];
        let len = version.iter().position(|b| *b == 0).unwrap_or(SOCKEYE_BYTES);
        Some(Self {
            format: u16::from_le_bytes([bytes[8], bytes[9]]),
            decoder: u16::from_le_bytes([bytes[10], bytes[11]]),
            conn: ConnId(u32_at(bytes, 12)),
            began_unix_millis: i64::from_le_bytes(eight_at(bytes, 16)),
            sockeye: String::from_utf8_lossy(&version[..len]).into_owned(),
            is_intact: crc32fast::hash(&bytes[..60]) == u32_at(bytes, 60),
        })
    }
}

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `Fact::Bytes`, raw.
    Bytes,
    /// `Fact::CipherBytes`, raw.
    CipherBytes,
    /// Any other fact, as JSON.
    Fact,
    /// A part of an index: no fact.
    Index,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Bytes => 1,
            Self::CipherBytes => 2,
            Self::Fact => 3,
            Self::Index => 4,
        }
    }
}

/// The 20 bytes before a record's payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordHeader {
    pub(super) bytes: [u8; RECORD_HEADER_LEN],
}

impl RecordHeader {
    /// The header of a record with this payload; its length must be at most [`MAX_RECORD_BYTES`].
    pub(super) fn new(kind: Kind, direction: Direction, at: Moment, payload: &[u8]) -> Self {
        let mut bytes = [0; RECORD_HEADER_LEN];
        bytes[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        bytes[4] = kind.byte();
        bytes[5] = direction.index() as u8;
        bytes[8..16].copy_from_slice(&at.0.to_le_bytes());
        let crc = checksum(&bytes, payload);
        bytes[16..].copy_from_slice(&crc.to_le_bytes());
        Self { bytes }
    }

    pub(super) fn len(&self) -> u32 {
        u32_at(&self.bytes, 0)
    }

    /// What the payload is; `None` if a later version knows.
    pub(super) fn kind(&self) -> Option<Kind> {
        match self.bytes[4] {
            1 => Some(Kind::Bytes),
            2 => Some(Kind::CipherBytes),
            3 => Some(Kind::Fact),
            4 => Some(Kind::Index),
            _ => None,
        }
    }

    pub(super) fn direction(&self) -> Option<Direction> {
        match self.bytes[5] {
            0 => Some(Direction::ClientToServer),
            1 => Some(Direction::ServerToClient),
            _ => None,
        }
    }

    pub(super) fn at(&self) -> Moment {
        Moment(u64::from_le_bytes(eight_at(&self.bytes, 8)))
    }

    pub(super) fn fits(&self, payload: &[u8]) -> bool {
        checksum(&self.bytes, payload) == u32_at(&self.bytes, 16)
    }
}

fn checksum(header: &[u8; RECORD_HEADER_LEN], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..16]);
    hasher.update(payload);
    hasher.finalize()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut four = [0; 4];
    four.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(four)
}

fn eight_at(bytes: &[u8], at: usize) -> [u8; 8] {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    eight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_comes_back() {
        let header = Header::new(ConnId(7), -5);
        assert_eq!(Header::parse(&header.to_bytes()), Some(header));
    }

    #[test]
    fn damaged_header_is_read_and_says_so() {
        let mut bytes = Header::new(ConnId(7), 5).to_bytes();
        bytes[30] ^= 1;
        assert!(!Header::parse(&bytes).unwrap().is_intact);
        bytes[0] = b'H';
        assert_eq!(Header::parse(&bytes), None);
    }
}
