//! What a journal is about, from its two ends: no matter how long it is, little of it is read.

use std::io::{Read, Seek, SeekFrom};

use super::format::{HEADER_LEN, Header, Kind, RECORD_HEADER_LEN, RecordHeader};
use super::reader::{ReadError, Reader, read_up_to};
use crate::diagnosis::Verdict;
use crate::observation::{ConnId, Fact, Plan};

/// What a journal is about.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Its header.
    pub header: Header,
    /// What the user asked for.
    pub plan: Option<Box<Plan>>,
    /// The verdict given last, if it stands near the end.
    pub verdict: Option<Box<Verdict>>,
    /// Whether the last record says that nothing more would come.
    pub is_ended: bool,
    /// Its length in bytes.
    pub len_bytes: u64,
}

/// Reads the beginning and the end of a journal.
pub fn summary<R: Read + Seek>(mut input: R) -> Result<Summary, ReadError> {
    let read = |offset| move |source| ReadError::Read { offset, source };
    let len_bytes = input.seek(SeekFrom::End(0)).map_err(read(0))?;
    input.seek(SeekFrom::Start(0)).map_err(read(0))?;
    let mut reader = Reader::open(input.by_ref().take(HEAD_BYTES), ConnId(0))?;
    let header = reader.header().clone();
    let mut plan = None;
    // A torn beginning has no plan, and that is all there is to say of it.
    while let Some(Ok((_, seen))) = reader.next() {
        if let Fact::Planned(found) = seen.fact {
            plan = Some(found);
            break;
        }
    }
    let start = len_bytes.saturating_sub(TAIL_BYTES).max(HEADER_LEN.min(len_bytes));
    input.seek(SeekFrom::Start(start)).map_err(read(start))?;
    let mut tail = vec![0; usize::try_from(len_bytes - start).unwrap_or(0)];
    let len = read_up_to(&mut input, &mut tail).map_err(read(start))?;
    tail.truncate(len);
    let is_ended = last_record(&tail) == Some(Fact::Finished);
    Ok(Summary { header, plan, verdict: last_verdict(&tail), is_ended, len_bytes })
}

/// The fact of the record that ends with the last byte, if it is a short one.
fn last_record(tail: &[u8]) -> Option<Fact> {
    let end = tail.len();
    (0..=SHORT_FACT_BYTES).find_map(|len| {
        let start = end.checked_sub(len + RECORD_HEADER_LEN)?;
        let (fact, fact_end) = fact_at(tail, start)?;
        (fact_end == end).then_some(fact)
    })
}

fn last_verdict(tail: &[u8]) -> Option<Box<Verdict>> {
    let mut end = tail.len();
    while let Some(at) = tail.get(..end)?.windows(CONCLUDED.len()).rposition(|window| window == CONCLUDED) {
        let fact = at.checked_sub(RECORD_HEADER_LEN).and_then(|start| fact_at(tail, start));
        if let Some((Fact::Concluded(verdict), _)) = fact {
            return Some(verdict);
        }
        end = at + CONCLUDED.len() - 1;
    }
    None
}

/// The whole fact whose record begins at `start`, and where it ends.
fn fact_at(bytes: &[u8], start: usize) -> Option<(Fact, usize)> {
    let header = RecordHeader { bytes: *bytes.get(start..)?.first_chunk::<RECORD_HEADER_LEN>()? };
    let from = start + RECORD_HEADER_LEN;
    let end = from.checked_add(usize::try_from(header.len()).ok()?)?;
    let payload = bytes.get(from..end)?;
    let is_fact = header.kind() == Some(Kind::Fact) && header.fits(payload);
    if is_fact { Some((serde_json::from_slice(payload).ok()?, end)) } else { None }
}

/// How a verdict's record begins.
const CONCLUDED: &[u8] = br#"{"fact":"concluded""#;
/// How much is read of the beginning and of the end.
const HEAD_BYTES: u64 = 1 << 20;
const TAIL_BYTES: u64 = 1 << 20;
/// The last fact of a journal is a short one.
const SHORT_FACT_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;

    use super::*;
    use crate::diagnosis::{Case, diagnose};
    use crate::journal::Writer;
    use crate::observation::{Direction, Moment};
    use crate::store::Story;

    fn journal(facts: &[Fact]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = Writer::create(&mut out, &Header::new(ConnId(1), 77)).unwrap();
        for fact in facts {
            writer.append(Moment(5), fact).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        out
    }

    fn concluded() -> Fact {
        Fact::Concluded(Box::new(diagnose(&Case { story: &Story::default(), probes_pending: false })))
    }

    fn traffic(len: usize) -> Fact {
        Fact::Bytes { direction: Direction::ServerToClient, data: Bytes::from(vec![b'{'; len]) }
    }

    #[test]
    fn both_ends_tell_whatever_is_between() {
        for len in [0, 10, 500_000, 3_000_000] {
            let bytes = journal(&[traffic(len), concluded(), traffic(1000), Fact::Finished]);
            let found = summary(Cursor::new(&bytes)).unwrap();
            assert!(found.is_ended && found.verdict.is_some(), "{len}");
            assert_eq!((found.len_bytes, found.header.began_unix_millis), (bytes.len() as u64, 77));
        }
        let killed = journal(&[concluded(), traffic(100)]);
        let found = summary(Cursor::new(&killed)).unwrap();
        assert!(!found.is_ended && found.verdict.is_some());
    }

    #[test]
    fn a_verdict_that_a_peer_sent_is_none() {
        let forged = Fact::Bytes {
            direction: Direction::ServerToClient,
            data: Bytes::from_static(br#"xxxxxxxxxxxxxxxxxxxxxxxx{"fact":"concluded","cause":"healthy"}"#),
        };
        let found = summary(Cursor::new(journal(&[forged]))).unwrap();
        assert_eq!((found.verdict, found.is_ended), (None, false));
    }

    #[test]
    fn any_cut_and_any_flip_is_read_as_far_as_it_is_good() {
        let bytes = journal(&[traffic(300), concluded(), Fact::Finished]);
        for len in 0..bytes.len() {
            let found = summary(Cursor::new(&bytes[..len]));
            assert_eq!(found.is_ok(), len >= HEADER_LEN as usize, "{len}");
            assert!(found.is_err() || !found.unwrap().is_ended, "{len}");
        }
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 0x10;
            assert_eq!(summary(Cursor::new(&bytes)).is_err(), at < 8, "{at}");
        }
    }
}
