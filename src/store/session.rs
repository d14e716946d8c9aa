//! A session as it grows: story, row count and checkpoints, folded from observations and where they stand in the journal.

use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::checkpoint::{Checkpoint, Checkpoints, Position};
use super::row_rules::RowRules;
use super::series::Series;
use super::story::Story;
use crate::journal::{ReadError, Reader};
use crate::observation::{Fact, Moment};
use crate::wire::{Decoder, Deflate};

/// A session as it grows; the same observations always give the same session.
#[derive(Debug)]
pub struct Session {
    story: Arc<Story>,
    series: Arc<Series>,
    decoder: Decoder,
    rules: RowRules,
    rows: u64,
    stream: [u64; 2],
    end: u64,
    chunk_began: u64,
    chunk_first_row: u64,
    chunk_rows: u64,
    chunk_bytes: u64,
    pub(super) checkpoints: Checkpoints,
    windows: [Arc<Vec<Window>>; 2],
    /// How many checkpoints are kept in the journal already.
    pub(super) kept_checkpoints: usize,
}

/// A place from which a compressed direction can be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Offset of the first byte that comes after it, in the direction's bytes after the handshake.
    pub offset: u64,
    /// Where its record begins in the journal.
    pub record: u64,
}

/// Where to find the rows of a session; an immutable picture, cheap to clone.
#[derive(Clone, Debug)]
pub struct Index {
    /// The chunks.
    pub checkpoints: Checkpoints,
    /// How many rows there are.
    pub rows: u64,
    /// How many bytes of the journal they were made from.
    pub end: u64,
    /// How many bytes of each direction came, the handshake included.
    pub stream: [u64; 2],
    /// How many of them came before the first frame.
    pub handshake: [u64; 2],
    /// What permessage-deflate was accepted with, if it was.
    pub deflate: Option<Deflate>,
    /// Where each direction can be inflated from, in order.
    pub windows: [Arc<Vec<Window>>; 2],
    /// The longest message that is inflated, in bytes.
    pub limit_bytes: u64,
}

impl Session {
    /// A chunk ends with the piece of bytes in which it gets so many rows …
    pub const CHUNK_ROWS: u64 = 4096;
    /// … or so many bytes of the journal; …
    pub const CHUNK_BYTES: u64 = 256 * 1024;
    /// … without a row, so many times as many.
    const CHUNKS_WITHOUT_ROWS: u64 = 8;

    /// A session whose first record will begin at this offset of the journal.
    pub fn new(offset: u64) -> Self {
        Self::with_chunks(offset, Self::CHUNK_ROWS, Self::CHUNK_BYTES)
    }

    fn with_chunks(offset: u64, chunk_rows: u64, chunk_bytes: u64) -> Self {
        let first = Checkpoint {
            position: Position { offset, skip: 0 },
            first_row: 0,
            first_at: Moment::default(),
            stream: [0; 2],
            decoder: Decoder::default(),
            rules: RowRules::default(),
        };
        Self {
            story: Arc::default(),
            series: Arc::default(),
            decoder: Decoder::default(),
            rules: RowRules::default(),
            rows: 0,
            stream: [0; 2],
            end: offset,
            chunk_began: offset,
            chunk_first_row: 0,
            chunk_rows,
            chunk_bytes,
            checkpoints: Checkpoints::new(first),
            windows: Default::default(),
            kept_checkpoints: 0,
        }
    }

    /// Folds a whole journal.
    pub fn read<R: Read>(reader: &mut Reader<R>) -> Result<Self, ReadError> {
        let mut session = Self::new(reader.offset());
        while let Some(read) = reader.next() {
            let (offset, observation) = read?;
            session.apply(offset, reader.offset(), observation.at, &observation.fact);
        }
        Ok(session)
    }

    /// Ends a session that was not ended, at the moment of its last observation.
    pub fn end_if_open(&mut self) {
        if self.story.finished.is_none() {
            let story = Arc::make_mut(&mut self.story);
            story.finished = Some(story.last_at);
        }
    }

    /// Takes an observation in, whose record begins at `offset` of the journal and ends before `end`.
    pub fn apply(&mut self, offset: u64, end: u64, at: Moment, fact: &Fact) {
        if let Fact::Bytes { direction, data } = fact {
            for piece in pieces(data.len(), self.decoder.in_frames()) {
                self.begin_chunk_if_due(Position { offset, skip: piece.start as u64 }, at);
                self.stream[direction.index()] += piece.len() as u64;
                let data = data.slice(piece);
                self.fold(at, &Fact::Bytes { direction: *direction, data });
            }
        } else {
            self.begin_chunk_if_due(Position { offset, skip: 0 }, at);
            self.rows += u64::from(fact.is_row());
            if let Fact::Inflated(inflated) = fact
                && inflated.window.is_some()
            {
                let window = Window { offset: inflated.offset, record: offset };
                Arc::make_mut(&mut self.windows[inflated.direction.index()]).push(window);
            }
            self.fold(at, fact);
        }
        self.end = end;
    }

    /// The story so far.
    pub fn story(&self) -> Arc<Story> {
        Arc::clone(&self.story)
    }

    /// What travelled over time so far.
    pub fn series(&self) -> Arc<Series> {
        Arc::clone(&self.series)
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Where its journal ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Where to find the rows.
    pub fn index(&self) -> Index {
        Index {
            checkpoints: self.checkpoints.clone(),
            rows: self.rows,
            end: self.end,
            stream: self.stream,
            handshake: self.rules.handshake,
            deflate: self.decoder.deflate(),
            windows: self.windows.clone(),
            limit_bytes: self.story.plan.as_ref().map_or(DEFAULT_LIMIT_BYTES, |plan| plan.limit_bytes),
        }
    }

    fn fold(&mut self, at: Moment, fact: &Fact) {
        let Self { story, series, decoder, rules, rows, .. } = self;
        let series = Arc::make_mut(series);
        Arc::make_mut(story).apply(decoder, at, fact, &mut |item| {
            *rows += u64::from(rules.is_row(item));
            series.take(at, item);
        });
        rules.read_ended |= matches!(fact, Fact::ReadEnded(_));
    }

    fn begin_chunk_if_due(&mut self, position: Position, at: Moment) {
        let place = position.offset + position.skip;
        let (rows, len) = (self.rows - self.chunk_first_row, place.saturating_sub(self.chunk_began));
        let is_due = rows >= self.chunk_rows
            || len >= self.chunk_bytes && (rows > 0 || len / Self::CHUNKS_WITHOUT_ROWS >= self.chunk_bytes);
        if !is_due || !self.decoder.is_compact() {
            return;
        }
        self.chunk_began = place;
        self.chunk_first_row = self.rows;
        self.checkpoints.push(Checkpoint {
            position,
            first_row: self.rows,
            first_at: at,
            stream: self.stream,
            decoder: self.decoder.clone(),
            rules: self.rules,
        });
    }
}

/// The pieces in which the bytes of one record are decoded: a read full of tiny frames must not make a huge chunk.
///
/// Counting and making rows go through here both, since a preview of a violation depends on the cut.
pub(super) fn pieces(len: usize, in_frames: bool) -> impl Iterator<Item = Range<usize>> {
    let step = if in_frames { PIECE_BYTES } else { len.max(1) };
    (0..len).step_by(step).map(move |start| start..len.min(start + step))
}

const PIECE_BYTES: usize = 8 * 1024;
/// The longest message that is inflated where no plan says otherwise.
const DEFAULT_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;

    use super::*;
    use crate::journal::{HEADER_LEN, Header, Writer};
    use crate::observation::{ConnId, Direction, Inflated, ReadEnd};
    use crate::store::{Filter, FrameRow, Replay, Row, RowBody, Search, read_chunk, read_payload};
    use crate::wire::{Deflater, encode_frame};

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            (self.0 >> 11) % bound
        }

        fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
            things[self.below(things.len() as u64) as usize]
        }

        fn bytes(&mut self, len: u64) -> Vec<u8> {
            (0..len).map(|_| self.below(256) as u8).collect()
        }

        fn frames(&mut self, masked: bool) -> Vec<u8> {
            let mut out = Vec::new();
            for _ in 0..self.below(25) {
                let len = self.one_of(&[0, 0, 1, 5, 5, 120, 126, 500, 500, 4_097, 9_000]);
                let first = self.one_of(&[0x81, 0x82, 0x82, 0x02, 0x80, 0x00, 0x89, 0x8A, 0xC2, 0x83]);
                let key = (masked != (self.below(40) == 0)).then(|| [1, 2, 3, self.below(256) as u8]);
                let payload = self.bytes(len);
                out.extend_from_slice(&encode_frame(first, key, &payload));
            }
            out
        }

        /// Compressed messages, some in fragments with a ping between them.
        fn compressed(&mut self) -> Vec<u8> {
            let mut deflater = Deflater::new(15, true).unwrap();
            let mut out = Vec::new();
            for _ in 0..self.below(6) {
                let len = self.one_of(&[0, 1, 5, 120, 500, 2_000]);
                let plain: Vec<u8> = self.bytes(len).iter().map(|byte| byte & 0x1F).collect();
                let wire = deflater.message(&plain).unwrap();
                let (one, two) = wire.split_at(self.below(wire.len() as u64 + 1) as usize);
                out.extend_from_slice(&encode_frame(if two.is_empty() { 0xC1 } else { 0x41 }, None, one));
                if !two.is_empty() {
                    out.extend_from_slice(&encode_frame(0x89, None, b"ping"));
                    out.extend_from_slice(&encode_frame(0x80, None, two));
                }
            }
            out
        }

        /// What one direction sends: a handshake or not, frames, and any kind of end.
        fn answer(&mut self) -> Vec<u8> {
            let heads: [&[u8]; 9] = [
                DEFLATED,
                b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
                b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
                b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
                b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 X\r\n\r\n",
                b"HTTP/1.1 403 Forbidden\r\n\r\n",
                b"HTTP/1.1 204 No Content\r\n\r\n",
                b"SSH-2.0-OpenSSH_9.2\r\n",
                b"HTTP/1.1 101 without an end: ",
            ];
            let head = self.one_of(&heads);
            let mut out = head.to_vec();
            if head == DEFLATED {
                out.extend(self.compressed());
            }
            out.extend(self.frames(false));
            let long_text = [b"<html>".as_slice(), &[b'x'; 9_000]].concat();
            let ends: [&[u8]; 6] = [
                b"",
                b"\x88\x02\x03\xe8",
                b"\x82\x7f\x80\0\0\0\0\0\0\x01rest",
                &long_text,
                b"\x82\x7e\xff",
                b"\x82\x64abc",
            ];
            let end = self.one_of(&ends);
            out.extend_from_slice(end);
            let rest = self.below(3) * 4_000;
            out.extend(self.bytes(rest));
            out
        }

        fn facts(&mut self) -> Vec<Fact> {
            let mut request = b"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n".to_vec();
            request.extend(self.frames(true));
            let mut left = [Bytes::from(request), Bytes::from(self.answer())];
            let longest = self.one_of(&[30, 300, 5_000, 20_000, 100_000]);
            let mut out = vec![Fact::ResolveStarted { host: "h".to_owned() }];
            while left.iter().any(|l| !l.is_empty()) {
                let direction = self.one_of(&[Direction::ClientToServer, Direction::ServerToClient]);
                let bytes = &mut left[direction.index()];
                let data = bytes.split_to(bytes.len().min(1 + self.below(longest) as usize));
                out.push(Fact::Bytes { direction, data });
                if self.below(10) == 0 {
                    out.push(Fact::Note { text: "n".to_owned() });
                }
            }
            out.extend([Fact::ReadEnded(ReadEnd::Fin), Fact::ReadEnded(ReadEnd::Reset), Fact::Finished]);
            out
        }
    }

    const DEFLATED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

    fn journal(facts: &[Fact]) -> Cursor<Vec<u8>> {
        let mut writer = Writer::create(Vec::new(), &Header::new(ConnId(1), 0)).unwrap();
        for (number, fact) in (0..).zip(facts) {
            writer.append(Moment(number), fact).unwrap();
        }
        writer.flush().unwrap();
        Cursor::new(writer.into_unwritten().0)
    }

    fn session(journal: &Cursor<Vec<u8>>, chunk_rows: u64, chunk_bytes: u64) -> Session {
        let mut reader = Reader::open(journal.get_ref().as_slice(), ConnId(1)).unwrap();
        let mut session = Session::with_chunks(HEADER_LEN, chunk_rows, chunk_bytes);
        while let Some(found) = reader.next() {
            let (offset, observation) = found.unwrap();
            session.apply(offset, reader.offset(), observation.at, &observation.fact);
        }
        session
    }

    fn rows(journal: &Cursor<Vec<u8>>, index: Index) -> Vec<Row> {
        Replay::new(journal.clone(), index).map(Result::unwrap).collect()
    }

    #[test]
    fn rows_of_all_chunks_are_the_rows_of_the_whole() {
        for seed in 1..=60 {
            let mut random = Random(0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed));
            let journal = journal(&random.facts());
            let whole = session(&journal, u64::MAX, u64::MAX);
            let expected = rows(&journal, whole.index());
            assert_eq!(expected.len() as u64, whole.rows(), "seed {seed}");
            assert!((0..).zip(&expected).all(|(number, row)| row.number == number));
            for (chunk_rows, chunk_bytes) in [(1, 100), (7, u64::MAX), (u64::MAX, 5_000)] {
                let chunked = session(&journal, chunk_rows, chunk_bytes);
                let index = chunked.index();
                let found = rows(&journal, index.clone());
                let difference = expected.iter().zip(&found).find(|(one, other)| one != other);
                assert_eq!(difference, None, "seed {seed}, chunks of {chunk_rows} rows or {chunk_bytes} bytes");
                assert_eq!((found.len(), chunked.rows()), (expected.len(), whole.rows()), "seed {seed}");
            }
        }
    }

    #[test]
    fn settled_rows_stay_as_they_are() {
        for seed in 1..=20 {
            let mut random = Random(0xD134_2543_DE82_EF95_u64.wrapping_mul(seed));
            let facts = random.facts();
            let journal = journal(&facts);
            let last = rows(&journal, session(&journal, 50, 5_000).index());
            let mut reader = Reader::open(journal.get_ref().as_slice(), ConnId(1)).unwrap();
            let mut session = Session::with_chunks(HEADER_LEN, 50, 5_000);
            let mut number = 0;
            while let Some(found) = reader.next() {
                let (offset, observation) = found.unwrap();
                session.apply(offset, reader.offset(), observation.at, &observation.fact);
                number += 1;
                if number % 16 != 0 {
                    continue;
                }
                let index = session.index();
                for chunk in index.checkpoints.len().saturating_sub(2)..index.checkpoints.len() {
                    let chunk = read_chunk(&mut journal.clone(), &index, chunk).unwrap();
                    for row in &chunk.rows[..chunk.settled] {
                        assert_eq!(row, &last[row.number as usize], "seed {seed}");
                    }
                }
            }
        }
    }

    /// The numbers of the rows that a filter wants, each row made and asked.
    fn wanted(journal: &Cursor<Vec<u8>>, index: &Index, filter: &Filter) -> Vec<u64> {
        let is_wanted = |row: &Row| match &row.body {
            RowBody::Frame(frame) => {
                let max = usize::MAX;
                let read = read_payload(&mut journal.clone(), index, frame.direction, frame.offset, max);
                filter.takes(row, &read.unwrap().0)
            }
            _ => filter.takes(row, Filter::bytes_of(row)),
        };
        rows(journal, index.clone()).iter().filter(|row| is_wanted(row)).map(|row| row.number).collect()
    }

    fn search_all(search: &mut Search, journal: &Cursor<Vec<u8>>, index: &Index) -> Vec<u64> {
        while search.advance(&mut journal.clone(), index).unwrap() {}
        let hits = search.hits(index);
        assert!(hits.is_done && !search.has_more(index));
        assert_eq!(hits.looked_at, index.rows);
        hits.matches.rows().collect()
    }

    const QUERIES: [&str; 14] = [
        "exact:\u{1}",
        "exact:ab",
        "A",
        "/[a-c][^a]/",
        "/^b/",
        "/(?-u:\\xff)/",
        "-exact:a",
        "kind:text",
        "kind:problem,handshake,control",
        "dir:sent size:>100",
        "size:<=5 -kind:ping",
        "note OR kind:continuation",
        "q exact:x",
        "json:/0",
    ];

    #[test]
    fn searches_find_what_the_rows_hold_also_while_the_session_grows() {
        for seed in 1..=4 {
            let mut random = Random(0xA076_1D64_78BD_642F_u64.wrapping_mul(seed));
            let journal = journal(&random.facts());
            let whole = session(&journal, u64::MAX, u64::MAX).index();
            let (chunk_rows, chunk_bytes) = random.one_of(&[(1, 100), (7, u64::MAX), (50, 5_000), (u64::MAX, 40_000)]);
            for query in QUERIES {
                let filter = Arc::new(Filter::parse(query, |row| format!("{:?}", row.body)).unwrap());
                let expected = wanted(&journal, &whole, &filter);
                let index = session(&journal, chunk_rows, chunk_bytes).index();
                let found = search_all(&mut Search::new(Arc::clone(&filter)), &journal, &index);
                assert_eq!(found, expected, "seed {seed}, {query}");
                let mut reader = Reader::open(journal.get_ref().as_slice(), ConnId(1)).unwrap();
                let mut growing = Session::with_chunks(HEADER_LEN, chunk_rows, chunk_bytes);
                let mut search = Search::new(Arc::clone(&filter));
                let mut facts = 0;
                while let Some(found) = reader.next() {
                    let (offset, observation) = found.unwrap();
                    growing.apply(offset, reader.offset(), observation.at, &observation.fact);
                    facts += 1;
                    if facts % 61 == 0 {
                        let index = growing.index();
                        let so_far = search_all(&mut search, &journal, &index);
                        assert_eq!(so_far, wanted(&journal, &index, &filter), "seed {seed}, {query}, growing");
                    }
                }
                let found = search_all(&mut search, &journal, &growing.index());
                assert_eq!(found, expected, "seed {seed}, {query}, grown");
            }
        }
    }

    #[test]
    fn sound_frames_are_found_by_their_headers_and_across_every_border() {
        let request = Bytes::from_static(b"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n");
        let mut facts = vec![Fact::Bytes { direction: Direction::ClientToServer, data: request }];
        let mut ours = Vec::new();
        let mut theirs = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
        let mut expected = Vec::new();
        let mut random = Random(5);
        for number in 0..400_u64 {
            let len = random.one_of(&[0, 3, 40, 130, 700, 9_000]);
            let mut payload: Vec<u8> = (0..len).map(|_| b'a' + random.below(12) as u8).collect();
            if number.is_multiple_of(7) && payload.len() >= 40 {
                let at = random.below(payload.len() as u64 - 6) as usize;
                payload[at..at + 6].copy_from_slice(b"Needle");
            }
            if payload.windows(6).any(|w| w == b"Needle") {
                expected.push(number);
            }
            if number.is_multiple_of(3) {
                ours.extend(encode_frame(0x81, Some([3, 1, 4, random.below(256) as u8]), &payload));
            } else {
                theirs.extend(encode_frame(0x81, None, &payload));
            }
        }
        let mut left = [Bytes::from(ours), Bytes::from(theirs)];
        for direction in [Direction::ServerToClient, Direction::ClientToServer].into_iter().cycle().take(100_000) {
            let bytes = &mut left[direction.index()];
            let data = bytes.split_to(bytes.len().min(random.below(5_000) as usize));
            facts.push(Fact::Bytes { direction, data });
        }
        assert!(left.iter().all(Bytes::is_empty));
        let journal = journal(&facts);
        let index = session(&journal, 100, 30_000).index();
        for query in
            ["exact:Needle", "needle", "/N(e+)dle/", "exact:zz OR needle", "-(needle) needle kind:text -kind:ping"]
        {
            let filter = Arc::new(Filter::parse(query, |_| String::new()).unwrap());
            let found = search_all(&mut Search::new(Arc::clone(&filter)), &journal, &index);
            assert_eq!(found.len(), expected.len(), "{query}");
            assert_eq!(found, wanted(&journal, &index, &filter), "{query}");
        }
    }

    #[test]
    fn payloads_are_what_was_sent() {
        let mut random = Random(77);
        let payloads: Vec<Vec<u8>> = (0..300).map(|n| random.bytes([0, 5, 130, 4_100, 70_000][n % 5])).collect();
        let mut facts = vec![Fact::Bytes {
            direction: Direction::ClientToServer,
            data: Bytes::from_static(b"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n"),
        }];
        let mut answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
        let mut ours = Vec::new();
        for payload in &payloads {
            answer.extend(encode_frame(0x82, None, payload));
            ours.extend(encode_frame(0x82, Some([9, 8, 7, 6]), payload));
        }
        let mut left = [Bytes::from(ours), Bytes::from(answer)];
        for direction in [Direction::ServerToClient, Direction::ClientToServer].into_iter().cycle().take(10_000) {
            let bytes = &mut left[direction.index()];
            let data = bytes.split_to(bytes.len().min(random.below(3_000) as usize));
            facts.push(Fact::Bytes { direction, data });
        }
        let mut journal = journal(&facts);
        let index = session(&journal, 30, 50_000).index();
        let mut seen = [0, 0];
        for row in rows(&journal, index.clone()) {
            let RowBody::Frame(FrameRow { direction, offset, header, preview, received, .. }) = row.body else {
                continue;
            };
            let expected = &payloads[seen[direction.index()]];
            seen[direction.index()] += 1;
            assert_eq!((header.payload_len, received), (expected.len() as u64, expected.len() as u64));
            assert_eq!(preview, expected[..expected.len().min(FrameRow::PREVIEW_BYTES)]);
            for max in [usize::MAX, 1_000] {
                let (payload, is_whole) = read_payload(&mut journal, &index, direction, offset, max).unwrap();
                assert!(is_whole && payload == expected[..expected.len().min(max)], "frame at {offset}");
            }
        }
        assert_eq!(seen, [300, 300]);
    }

    #[test]
    fn read_full_of_tiny_frames_makes_chunks_of_bounded_size() {
        let mut data = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
        data.extend_from_slice(&[0x82, 0].repeat(500_000));
        let request = Bytes::from_static(b"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n");
        let mut facts = vec![Fact::Bytes { direction: Direction::ClientToServer, data: request }];
        let mut data = Bytes::from(data);
        while !data.is_empty() {
            let data = data.split_to(data.len().min(128 * 1024));
            facts.push(Fact::Bytes { direction: Direction::ServerToClient, data });
        }
        let journal = journal(&facts);
        let session = session(&journal, Session::CHUNK_ROWS, Session::CHUNK_BYTES);
        assert_eq!(session.rows(), 500_002);
        let checkpoints = session.index().checkpoints;
        // The read with the handshake is decoded at once.
        for number in 2..checkpoints.len() {
            let rows = checkpoints.at(number).unwrap().first_row - checkpoints.at(number - 1).unwrap().first_row;
            assert!(rows <= 2 * Session::CHUNK_ROWS, "chunk {number} has {rows} rows");
        }
        assert_eq!(rows(&journal, session.index()).len(), 500_002);
    }

    #[test]
    fn long_frame_takes_few_chunks_and_is_read_whole() {
        let payload: Vec<u8> = (0..1_500_000_u32).flat_map(u32::to_be_bytes).collect();
        let head = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
        let mut data = Bytes::from([head, encode_frame(0x82, None, &payload), encode_frame(0x89, None, b"p")].concat());
        let mut facts = Vec::new();
        while !data.is_empty() {
            let data = data.split_to(data.len().min(128 * 1024));
            facts.push(Fact::Bytes { direction: Direction::ServerToClient, data });
        }
        let journal = journal(&facts);
        let session = session(&journal, Session::CHUNK_ROWS, Session::CHUNK_BYTES);
        let index = session.index();
        assert!((3..6).contains(&index.checkpoints.len()), "{} chunks", index.checkpoints.len());
        let frames: Vec<_> = rows(&journal, index.clone())
            .into_iter()
            .filter_map(|row| if let RowBody::Frame(frame) = row.body { Some(frame) } else { None })
            .collect();
        let sent: [&[u8]; 2] = [&payload, b"p"];
        assert_eq!(frames.len(), sent.len());
        for (frame, sent) in frames.iter().zip(sent) {
            let max = sent.len();
            let read = read_payload(&mut journal.clone(), &index, Direction::ServerToClient, frame.offset, max);
            assert!(read.unwrap() == (Bytes::copy_from_slice(sent), true));
        }
    }

    #[test]
    fn what_follows_a_broken_message_does_not_depend_on_where_reading_begins() {
        // A stored block of seven bytes, of which one comes; then a sound message, a window between them.
        let broken = encode_frame(0xC1, None, &[0x00, 0x07, 0x00, 0xf8, 0xff, b'a']);
        let sound = encode_frame(0xC1, None, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
        let offset = broken.len() as u64;
        let bytes = |data: Vec<u8>| Fact::Bytes { direction: Direction::ServerToClient, data: data.into() };
        let window = Some(Bytes::from_static(b"a\0\0\xff\xff"));
        let inflated = Inflated {
            direction: Direction::ServerToClient,
            offset,
            messages: 1,
            wire_bytes: 6,
            inflated_bytes: 5,
            window,
        };
        let facts = [bytes([DEFLATED, &broken].concat()), Fact::Inflated(Box::new(inflated)), bytes(sound)];
        let journal = journal(&facts);
        let index = session(&journal, Session::CHUNK_ROWS, Session::CHUNK_BYTES).index();
        let from_the_window =
            read_payload(&mut journal.clone(), &index, Direction::ServerToClient, offset, 100).unwrap();
        assert_eq!(from_the_window, (Bytes::from_static(b"Hello"), true));
        let from_the_beginning = rows(&journal, index).into_iter().find_map(|row| match row.body {
            RowBody::Frame(frame) if frame.offset == offset => Some(frame.preview),
            _ => None,
        });
        assert_eq!(from_the_beginning, Some(Bytes::from_static(b"Hello")));
    }

    #[test]
    fn checkpoints_are_small() {
        assert!(size_of::<Checkpoint>() <= 560, "{}", size_of::<Checkpoint>());
    }
}
