//! An index as it is kept in the journal itself, in parts, so that a long session can be looked at before it was folded.
//!
//! It comes from a file: what is not plausible is refused, and what was folded replaces it.

use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoint, Checkpoints};
use super::session::{Index, Session, Window};
use crate::wire::Deflate;

/// One part.
#[derive(Serialize, Deserialize)]
struct Part {
    checkpoints: Vec<Checkpoint>,
    total: Option<Total>,
}

/// What the last part tells beside its checkpoints.
#[derive(Serialize, Deserialize)]
struct Total {
    rows: u64,
    end: u64,
    stream: [u64; 2],
    handshake: [u64; 2],
    deflate: Option<Deflate>,
    windows: [Vec<Window>; 2],
    limit_bytes: u64,
}

impl Session {
    /// The next part of the index, once enough has come for one, or if it is the last and there were others.
    pub fn index_part(&mut self, is_last: bool) -> Option<Vec<u8>> {
        let (from, to) = (self.kept_checkpoints, self.checkpoints.len());
        let is_due = if is_last { from > 0 } else { to - from >= PART_CHECKPOINTS };
        if !is_due {
            return None;
        }
        let index = self.index();
        let checkpoints = (from..to).filter_map(|number| index.checkpoints.at(number).cloned()).collect();
        let total = is_last.then(|| Total {
            rows: index.rows,
            end: index.end,
            stream: index.stream,
            handshake: index.handshake,
            deflate: index.deflate,
            windows: index.windows.map(|windows| windows.to_vec()),
            limit_bytes: index.limit_bytes,
        });
        self.kept_checkpoints = to;
        serde_json::to_vec(&Part { checkpoints, total }).ok()
    }
}

impl Index {
    /// The index that stands in parts in a journal, the oldest first; `None` if it cannot be right.
    pub fn from_parts(parts: &[Vec<u8>]) -> Option<Self> {
        let mut checkpoints: Option<Checkpoints> = None;
        let mut last: Option<Checkpoint> = None;
        let mut total = None;
        for part in parts {
            let part: Part = serde_json::from_slice(part).ok()?;
            total = part.total;
            for checkpoint in part.checkpoints {
                if !checkpoint.is_plausible() || !last.as_ref().is_none_or(|last| last.is_followed_by(&checkpoint)) {
                    return None;
                }
                last = Some(checkpoint.clone());
                match &mut checkpoints {
                    Some(checkpoints) => checkpoints.push(checkpoint),
                    None if checkpoint.first_row == 0 => checkpoints = Some(Checkpoints::new(checkpoint)),
                    None => return None,
                }
            }
        }
        let (total, checkpoints, last) = (total?, checkpoints?, last?);
        let Total { rows, end, stream, handshake, deflate, windows, limit_bytes } = total;
        let is_plausible = rows >= last.first_row
            && rows - last.first_row <= MAX_CHUNK_ROWS
            && end >= last.position.offset
            && (0..2).all(|side| stream[side] >= last.stream[side] && stream[side] <= end && handshake[side] <= end)
            && windows.iter().flatten().all(|window| window.record <= end && window.offset <= end);
        let windows = windows.map(Into::into);
        is_plausible.then_some(Self { checkpoints, rows, end, stream, handshake, deflate, windows, limit_bytes })
    }

    /// Whether it leads to the same rows as one that was folded, which may have a chunk without rows at its end.
    pub fn is_like(&self, folded: &Self) -> bool {
        let facts = |index: &Self| (index.rows, index.stream, index.handshake, index.deflate);
        facts(self) == facts(folded)
            && self.windows == folded.windows
            && self.checkpoints.len() <= folded.checkpoints.len()
            && (0..folded.checkpoints.len()).all(|number| {
                let (kept, folded) = (self.checkpoints.at(number), folded.checkpoints.at(number));
                kept == folded || kept.is_none() && folded.is_some_and(|folded| folded.first_row >= self.rows)
            })
    }
}

impl Checkpoint {
    fn is_plausible(&self) -> bool {
        let numbers = [self.position.offset, self.position.skip, self.first_row, self.stream[0], self.stream[1]];
        numbers.iter().all(|number| *number <= MAX_NUMBER) && self.decoder.is_plausible() && self.rules.is_plausible()
    }

    fn is_followed_by(&self, next: &Self) -> bool {
        self.position < next.position
            && self.first_row <= next.first_row
            && next.first_row - self.first_row <= MAX_CHUNK_ROWS
            && (0..2).all(|side| self.stream[side] <= next.stream[side])
    }
}

/// So many checkpoints make a part.
const PART_CHECKPOINTS: usize = 64;
/// A chunk has no more rows: a record of the handshake may be decoded at once, with a row each two bytes.
const MAX_CHUNK_ROWS: u64 = 1024 * 1024;
/// No offset and no count is larger, so that sums of a few of them fit.
const MAX_NUMBER: u64 = 1 << 60;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;

    use super::*;
    use crate::journal::{HEADER_LEN, Header, Reader, Writer, index_parts};
    use crate::observation::{ConnId, Direction, Fact, Moment};
    use crate::store::read_chunk;
    use crate::wire::encode_frame;

    /// A long session as it is recorded, and what was folded until its end.
    fn recorded() -> (Vec<u8>, Session) {
        let mut writer = Writer::create(Vec::new(), &Header::new(ConnId(1), 0)).unwrap();
        let mut session = Session::new(HEADER_LEN);
        let mut record = |at: u64, fact: Fact| {
            let is_last = fact == Fact::Finished;
            if is_last && let Some(part) = session.index_part(true) {
                writer.append_index(Moment(at), part).unwrap();
            }
            let offset = writer.append(Moment(at), &fact).unwrap();
            session.apply(offset, writer.end(), Moment(at), &fact);
            if !is_last && let Some(part) = session.index_part(false) {
                writer.append_index(Moment(at), part).unwrap();
            }
        };
        let bytes = |direction, data| Fact::Bytes { direction, data };
        let (ours, theirs) = (Direction::ClientToServer, Direction::ServerToClient);
        record(0, bytes(ours, Bytes::from_static(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")));
        record(1, bytes(theirs, Bytes::from_static(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")));
        let frames = (0..900_000_u32).flat_map(|number| encode_frame(0x81, None, format!("{number:08}é").as_bytes()));
        let frames = Bytes::from(frames.collect::<Vec<u8>>());
        for (number, start) in (0..frames.len()).step_by(9_001).enumerate() {
            record(2 + number as u64, bytes(theirs, frames.slice(start..frames.len().min(start + 9_001))));
        }
        record(u64::MAX >> 8, Fact::Finished);
        writer.flush().unwrap();
        (writer.into_unwritten().0, session)
    }

    #[test]
    fn kept_index_leads_to_the_rows_of_the_folded_one() {
        let (journal, session) = recorded();
        let (parts, _) = index_parts(&mut Cursor::new(&journal)).unwrap();
        assert!(parts.len() > 2, "{} parts", parts.len());
        let (kept, folded) = (Index::from_parts(&parts).unwrap(), session.index());
        assert!(kept.is_like(&folded));
        let read = Session::read(&mut Reader::open(journal.as_slice(), ConnId(1)).unwrap()).unwrap();
        assert!(read.index().is_like(&folded));
        for number in [0, 1, kept.checkpoints.len() / 2, kept.checkpoints.len() - 1] {
            let chunk = |index| read_chunk(&mut Cursor::new(&journal), index, number).unwrap();
            assert!(!chunk(&kept).rows.is_empty());
            assert_eq!(chunk(&kept).rows, chunk(&folded).rows, "chunk {number}");
        }
    }

    #[test]
    fn an_index_that_lies_is_refused_or_leads_to_some_rows() {
        let (journal, _) = recorded();
        let (parts, _) = index_parts(&mut Cursor::new(&journal)).unwrap();
        assert!(Index::from_parts(&[]).is_none());
        assert!(Index::from_parts(&parts[..1]).is_none(), "the total is missing");
        assert!(Index::from_parts(&parts[1..]).is_none(), "the first checkpoint is missing");
        let text = String::from_utf8(parts.last().unwrap().clone()).unwrap();
        for (name, value) in [
            ("rows", "18446744073709551615"),
            ("first_row", "18446744073709551615"),
            ("first_row", "0"),
            ("offset", "1"),
            ("pending_len", "255"),
            ("pending_len", "14"),
            ("left", "18446744073709551615"),
            ("stream", "[0,0]"),
            ("control", "[1,2,3]"),
            ("header_len", "255"),
            ("in_payload", "true"),
        ] {
            let Some(at) = text.rfind(&format!("\"{name}\":")) else { panic!("{name}: {text}") };
            let from = at + name.len() + 3;
            let to = from + text[from..].find(if value.starts_with('[') { ']' } else { ',' }).unwrap();
            let to = to + usize::from(value.starts_with('['));
            let mut lying = parts.clone();
            *lying.last_mut().unwrap() = format!("{}{value}{}", &text[..from], &text[to..]).into_bytes();
            let Some(index) = Index::from_parts(&lying) else { continue };
            for number in 0..index.checkpoints.len() {
                let chunk = read_chunk(&mut Cursor::new(&journal), &index, number);
                assert!(chunk.is_err() || chunk.unwrap().rows.len() < 2_000_000, "{name}");
            }
        }
    }
}
