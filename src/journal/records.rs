//! Records read in place, for those who look through many of them and trust their checksums.

use super::format::{Kind, MAX_RECORD_BYTES, RECORD_HEADER_LEN, RecordHeader};
use crate::observation::{Direction, Fact, Moment};

/// One record, its bytes where they are.
#[derive(Debug)]
pub enum RawRecord<'a> {
    /// Plaintext bytes of a direction; of the last record perhaps only the beginning.
    Bytes {
        /// When they came or went.
        at: Moment,
        /// Which way.
        direction: Direction,
        /// The bytes.
        data: &'a [u8],
    },
    /// Another fact.
    Fact {
        /// When it was seen.
        at: Moment,
        /// The fact.
        fact: Fact,
    },
}

/// The records that stand in `bytes`, which begin with one; ends where they are cut. Checks no checksum.
#[derive(Debug)]
pub struct RawRecords<'a> {
    bytes: &'a [u8],
}

impl<'a> RawRecords<'a> {
    /// The records in these bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }
}

impl<'a> Iterator for RawRecords<'a> {
    type Item = RawRecord<'a>;

    fn next(&mut self) -> Option<RawRecord<'a>> {
        loop {
            let (header, rest) = self.bytes.split_first_chunk::<RECORD_HEADER_LEN>()?;
            let header = RecordHeader { bytes: *header };
            let len = header.len().min(MAX_RECORD_BYTES) as usize;
            let is_whole = rest.len() >= len;
            let (payload, rest) = rest.split_at(len.min(rest.len()));
            self.bytes = rest;
            let at = header.at();
            match header.kind() {
                Some(Kind::Bytes) => {
                    if let Some(direction) = header.direction() {
                        return Some(RawRecord::Bytes { at, direction, data: payload });
                    }
                }
                Some(Kind::Fact) if is_whole => {
                    if let Ok(fact) = serde_json::from_slice(payload) {
                        return Some(RawRecord::Fact { at, fact });
                    }
                }
                // Ciphertext is shown nowhere; what a later version wrote is unknown.
                Some(Kind::Fact | Kind::CipherBytes | Kind::Index) | None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::journal::encode_record;

    fn words(bytes: &[u8]) -> Vec<String> {
        let word = |record| match record {
            RawRecord::Bytes { at, direction, data } => format!("{} {} {}", at.0, direction.word(), data.len()),
            RawRecord::Fact { at, fact } => format!("{} {fact:?}", at.0),
        };
        RawRecords::new(bytes).map(word).collect()
    }

    #[test]
    fn records_are_read_in_place_and_may_be_cut_anywhere() {
        let mut bytes = Vec::new();
        let data = Bytes::from_static(b"hello");
        let direction = Direction::ServerToClient;
        encode_record(Moment(1), &Fact::Bytes { direction, data: data.clone() }, &mut bytes).unwrap();
        encode_record(Moment(2), &Fact::CipherBytes { direction, data: data.clone() }, &mut bytes).unwrap();
        encode_record(Moment(3), &Fact::Opened, &mut bytes).unwrap();
        encode_record(Moment(4), &Fact::Bytes { direction, data }, &mut bytes).unwrap();
        assert_eq!(words(&bytes), ["1 received 5", "3 Opened", "4 received 5"]);
        for len in 0..bytes.len() {
            assert!(words(&bytes[..len]).len() <= 3);
        }
        assert_eq!(words(&bytes[..bytes.len() - 2])[2], "4 received 3");
    }

    #[test]
    fn garbage_ends() {
        for byte in [0, 1, 3, 0xFF] {
            words(&vec![byte; 10_000]);
        }
    }
}
