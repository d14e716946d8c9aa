//! The parts of an index that stand among a journal's records, so that a long one can be looked at before it was read.
//!
//! Each part tells where the one before it stands; the last stands before the record that ends the journal. What a part
//! holds is for who writes it; readers of facts pass over it.

use std::io::{Read, Seek, SeekFrom};

use super::format::{Kind, RECORD_HEADER_LEN, RecordHeader};
use super::reader::read_up_to;
use crate::observation::Fact;

/// The payload of a part that will stand at `at`, after one at `previous`, which is 0 for the first.
pub(super) fn index_payload(mut content: Vec<u8>, previous: u64, at: u64) -> Vec<u8> {
    content.extend_from_slice(&previous.to_le_bytes());
    content.extend_from_slice(&at.to_le_bytes());
    content.extend_from_slice(&MARK);
    content
}

/// The contents of all parts of a journal that was ended, the oldest first, and where the last of them stands.
///
/// `None` where there is no index, or any part of it is damaged.
pub fn index_parts<R: Read + Seek>(input: &mut R) -> Option<(Vec<Vec<u8>>, u64)> {
    let len = input.seek(SeekFrom::End(0)).ok()?;
    let end = len.checked_sub((RECORD_HEADER_LEN + FINISHED.len()) as u64)?;
    let (header, finished) = record_at(input, end)?;
    if header.kind() != Some(Kind::Fact) || serde_json::from_slice::<Fact>(&finished).ok()? != Fact::Finished {
        return None;
    }
    let trailer = bytes_at(input, end.checked_sub(TRAILER_BYTES as u64)?, TRAILER_BYTES)?;
    let last = Trailer::parse(&trailer)?.at;
    let mut parts = Vec::new();
    let mut at = last;
    let mut follows = end;
    loop {
        let (header, mut content) = record_at(input, at)?;
        let part_end = at.checked_add((RECORD_HEADER_LEN + content.len()) as u64)?;
        let trailer = Trailer::parse(content.get(content.len().checked_sub(TRAILER_BYTES)?..)?)?;
        let is_in_place = if parts.is_empty() { part_end == follows } else { part_end <= follows };
        if header.kind() != Some(Kind::Index) || trailer.at != at || !is_in_place || parts.len() >= MAX_PARTS {
            return None;
        }
        content.truncate(content.len() - TRAILER_BYTES);
        parts.push(content);
        if trailer.previous == 0 {
            parts.reverse();
            return Some((parts, last));
        }
        follows = at;
        at = trailer.previous;
    }
}

/// What stands behind the content of a part.
struct Trailer {
    previous: u64,
    at: u64,
}

impl Trailer {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (previous, rest) = bytes.split_first_chunk::<8>()?;
        let (at, mark) = rest.split_first_chunk::<8>()?;
        (mark == MARK).then(|| Self { previous: u64::from_le_bytes(*previous), at: u64::from_le_bytes(*at) })
    }
}

/// The whole record at this place.
fn record_at<R: Read + Seek>(input: &mut R, at: u64) -> Option<(RecordHeader, Vec<u8>)> {
    let header = RecordHeader { bytes: *bytes_at(input, at, RECORD_HEADER_LEN)?.first_chunk()? };
    let len = usize::try_from(header.len()).ok().filter(|len| *len <= MAX_PART_BYTES)?;
    let payload = bytes_at(input, at.checked_add(RECORD_HEADER_LEN as u64)?, len)?;
    header.fits(&payload).then_some((header, payload))
}

fn bytes_at<R: Read + Seek>(input: &mut R, at: u64, len: usize) -> Option<Vec<u8>> {
    input.seek(SeekFrom::Start(at)).ok()?;
    let mut bytes = vec![0; len];
    (read_up_to(input, &mut bytes).ok()? == len).then_some(bytes)
}

/// How a journal's last fact is written.
const FINISHED: &[u8] = br#"{"fact":"finished"}"#;
const MARK: [u8; 8] = *b"\x89index\r\n";
const TRAILER_BYTES: usize = 24;
/// A part is never longer.
const MAX_PART_BYTES: usize = 4 * 1024 * 1024;
/// There are never more: those of a journal of a terabyte.
const MAX_PARTS: usize = 65_536;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;

    use super::*;
    use crate::journal::{Ended, Header, Reader, Writer};
    use crate::observation::{ConnId, Direction, Moment};

    fn journal(parts: usize) -> Vec<u8> {
        let mut writer = Writer::create(Vec::new(), &Header::new(ConnId(1), 0)).unwrap();
        let data = Bytes::from_static(&[7; 500]);
        for number in 0..parts {
            writer
                .append(Moment(1), &Fact::Bytes { direction: Direction::ServerToClient, data: data.clone() })
                .unwrap();
            writer.append_index(Moment(2), format!("part {number}").into_bytes()).unwrap();
        }
        writer.append(Moment(3), &Fact::Finished).unwrap();
        writer.flush().unwrap();
        writer.into_unwritten().0
    }

    fn read(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        index_parts(&mut Cursor::new(bytes)).map(|(parts, _)| parts)
    }

    #[test]
    fn parts_come_back_in_order_and_facts_pass_over_them() {
        let bytes = journal(5);
        let expected: Vec<Vec<u8>> = (0..5).map(|number| format!("part {number}").into_bytes()).collect();
        assert_eq!(read(&bytes), Some(expected));
        assert_eq!(read(&journal(0)), None);
        let mut reader = Reader::open(bytes.as_slice(), ConnId(1)).unwrap();
        assert_eq!(reader.by_ref().map(Result::unwrap).count(), 6);
        assert_eq!((reader.ended(), reader.unknown_records()), (Some(&Ended::Clean), 0));
    }

    #[test]
    fn any_cut_and_any_flip_is_no_index_or_the_same() {
        let bytes = journal(3);
        let whole = read(&bytes).unwrap();
        for len in 0..bytes.len() {
            assert_eq!(read(&bytes[..len]), None, "{len}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            assert!(read(&bytes).is_none_or(|found| found == whole), "{at}");
        }
    }

    #[test]
    fn parts_that_lead_in_circles_end() {
        let mut bytes = journal(1);
        let end = bytes.len() - RECORD_HEADER_LEN - FINISHED.len();
        let at = u64::from_le_bytes(bytes[end - 16..end - 8].try_into().unwrap());
        bytes[end - 24..end - 16].copy_from_slice(&at.to_le_bytes());
        let start = at as usize;
        let payload = bytes[start + RECORD_HEADER_LEN..end].to_vec();
        let header = RecordHeader::new(Kind::Index, Direction::ClientToServer, Moment(2), &payload);
        bytes[start..start + RECORD_HEADER_LEN].copy_from_slice(&header.bytes);
        assert_eq!(read(&bytes), None);
    }
}
