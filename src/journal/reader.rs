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
            if header.kind() == Some(Kind::Index) {
                continue;
            }
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
        Kind::Index => None,
    }
}

/// Fills the buffer as far as there is something to read.
pub(super) fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Writer, encode_record};
    use crate::observation::*;
    use crate::wire::{ProxyKind, Violation, ViolationKind};

    fn bytes(direction: Direction, len: usize) -> Fact {
        Fact::Bytes { direction, data: Bytes::from(vec![len as u8; len]) }
    }

    fn io_failure() -> IoFailure {
        IoFailure { kind: IoKind::Reset, code: Some(104), text: "reset".to_owned() }
    }

    fn inflated(window: Option<Bytes>) -> Inflated {
        let direction = Direction::ServerToClient;
        Inflated { direction, offset: 70, messages: 2, wire_bytes: 50, inflated_bytes: 500, window }
    }

    /// One of every shape that serde must bring back.
    fn facts() -> Vec<Fact> {
        let address = "[::1]:8080".parse().unwrap();
        let plan = Plan {
            url: "ws://[::1]:8080/ws?token=a.b.c".to_owned(),
            target: None,
            began_unix_millis: 1_763_800_000_123,
            token_place: Some(TokenPlace::Query { name: "token".to_owned() }),
            credentials: true,
            origin: None,
            subprotocols: vec!["a".to_owned()],
            preset: Preset::Chrome,
            extensions: None,
            expect: Expect::JsonPointer { pointer: "/a".to_owned(), value: "1".to_owned() },
            time_outs: TimeOuts::default(),
            limit_bytes: u64::MAX,
            insecure: false,
            family: Family::Auto,
            probes: true,
            probes_elsewhere: false,
            backend: None,
            route: Route::Proxy { kind: ProxyKind::Http, place: "p:1".to_owned(), source: "HTTP_PROXY".to_owned() },
            keep_alive: KeepAlivePlan::default(),
            claims: crate::token::Expectations::default(),
            between: None,
        };
        let failure = TlsFailure {
            kind: TlsFailureKind::AlertReceived(42),
            text: "alert".to_owned(),
            chain: Vec::new(),
            defects: vec![TlsFailureKind::Expired, TlsFailureKind::AlertReceived(1)],
            client_cert_requested: true,
            alert: Some(TlsAlert { direction: Direction::ServerToClient, code: 42 }),
            ..TlsFailure::default()
        };
        let probe = Probe::PlainGet { address, host: "h".to_owned(), path: "/".to_owned(), tls: false };
        let change = Change::Origin { origin: Some("http://a".to_owned()) };
        let handshake = Probe::Handshake { address, change, with_token: true };
        let process = Process { pid: 1, name: "node".to_owned(), command: "node a".to_owned(), started_unix: Some(9) };
        let listeners = vec![Listener { address, process: Some(process), waiting: Some(2) }];
        let run = LabRun { opened_at_millis: Some(0.5), ended_after_millis: None, watched_millis: 1e9 };
        let measure = LabMeasure { ping_every_millis: 500.0, silent: run, pinging: run, again: Some(run) };
        let past = PastEnd {
            began_unix_millis: -1,
            ending: "fin".to_owned(),
            cause: "idle-timeout".to_owned(),
            age_millis: 60_000.25,
            silence_millis: 0.0,
            close_code: Some(1001),
        };
        vec![
            Fact::Planned(Box::new(plan)),
            Fact::ResolveFailed(ResolveFailure { kind: ResolveKind::NoSuchName, code: Some(-2), text: "x".to_owned() }),
            Fact::Resolved { addresses: vec!["127.0.0.1".parse().unwrap()], added: vec!["::1".parse().unwrap()] },
            Fact::TcpStarted { address },
            Fact::TcpFailed { address, failure: io_failure() },
            Fact::TcpConnected { address, local: None },
            Fact::SocketConnected { path: "/run/a.sock".to_owned() },
            Fact::SocketFailed { path: "/run/a.sock".to_owned(), failure: io_failure() },
            Fact::TunnelStarted { kind: ProxyKind::Socks5, request: "SOCKS5 CONNECT h:1".to_owned() },
            Fact::TunnelOpened { response: "HTTP/1.1 200 OK\r\n\r\n".to_owned() },
            Fact::TunnelFailed(Box::new(TunnelFailure {
                kind: TunnelFailureKind::Reply(5),
                text: "refused".to_owned(),
                response: String::new(),
            })),
            Fact::TlsFailed(Box::new(failure)),
            Fact::RoundTrip { micros: 81 },
            Fact::PongWithheld,
            Fact::TcpQueues { queues: Some(TcpQueues { peer_unread_bytes: Some(7), ..TcpQueues::default() }) },
            Fact::TcpQueues { queues: None },
            Fact::ReconnectPlanned { number: 3, millis: 1500 },
            Fact::CipherBytes { direction: Direction::ServerToClient, data: Bytes::from_static(b"\x16\x03") },
            bytes(Direction::ClientToServer, 3),
            bytes(Direction::ServerToClient, 0),
            bytes(Direction::ServerToClient, 70_000),
            Fact::Opened,
            Fact::Confirmed { preview: Some("\u{0}\u{1F600}".to_owned()) },
            Fact::CloseBegun { by: CloseOrigin::User },
            Fact::TimedOut { deadline: Deadline::TcpEnd, millis: 2_500 },
            Fact::LimitPassed { limit: Limit::Frame, limit_bytes: 1, actual_bytes: u64::MAX },
            Fact::LimitPassed { limit: Limit::Inflated { wire_bytes: 7 }, limit_bytes: 1, actual_bytes: 700 },
            Fact::Inflated(Box::new(inflated(Some(Bytes::from_static(b"\0window\xFF"))))),
            Fact::Inflated(Box::new(inflated(None))),
            Fact::Violated(Violation {
                direction: Direction::ServerToClient,
                offset: 9,
                kind: ViolationKind::DeflateCorrupt { inflated_bytes: 3 },
            }),
            Fact::ReadPaused,
            Fact::ReadEnded(ReadEnd::Fin),
            Fact::ReadEnded(ReadEnd::Failed(io_failure())),
            Fact::WriteFailed(io_failure()),
            Fact::ProbeStarted(probe.clone()),
            Fact::ProbeEnded { probe: probe.clone(), outcome: ProbeOutcome::Failed(io_failure()) },
            Fact::ProbeEnded { probe: probe.clone(), outcome: ProbeOutcome::Ended(ReadEnd::Failed(io_failure())) },
            Fact::ProbeEnded { probe, outcome: ProbeOutcome::Silent },
            Fact::ProbeStarted(handshake.clone()),
            Fact::ProbeEnded { probe: handshake, outcome: ProbeOutcome::Handshaken(Box::default()) },
            Fact::ProbeEnded {
                probe: Probe::Listeners { port: 1 },
                outcome: ProbeOutcome::Listening { listeners: listeners.clone() },
            },
            Fact::ListenersSeen { port: 1, listeners },
            Fact::EarlierEnds { ends: vec![past] },
            Fact::LabMeasured(Box::new(measure)),
            Fact::ConsoleLine { source: "server.log".to_owned(), text: "\u{1b}[31mError".to_owned() },
            Fact::Finished,
        ]
    }

    fn journal(facts: &[Fact]) -> (Vec<u8>, Vec<u64>) {
        let mut writer = Writer::create(Vec::new(), &Header::new(ConnId(9), 5)).unwrap();
        let offsets = (0..).zip(facts).map(|(n, fact)| writer.append(Moment(n), fact).unwrap()).collect();
        writer.flush().unwrap();
        (writer.into_unwritten().0, offsets)
    }

    fn read(journal: &[u8]) -> (Vec<Fact>, Ended) {
        let mut reader = Reader::open(journal, ConnId(1)).unwrap();
        let facts = reader.by_ref().map(|found| found.unwrap().1.fact).collect();
        (facts, reader.ended().unwrap().clone())
    }

    #[test]
    fn every_fact_comes_back_in_order() {
        let facts = facts();
        let (journal, offsets) = journal(&facts);
        let mut reader = Reader::open(journal.as_slice(), ConnId(1)).unwrap();
        assert_eq!((reader.header().conn, reader.header().began_unix_millis), (ConnId(9), 5));
        for (number, (fact, offset)) in (0..).zip(facts.iter().zip(&offsets)) {
            let expected = Observation { conn: ConnId(1), at: Moment(number), fact: fact.clone() };
            assert_eq!(reader.next().unwrap().unwrap(), (*offset, expected));
        }
        assert!(reader.next().is_none());
        assert_eq!((reader.ended(), reader.unknown_records()), (Some(&Ended::Clean), 0));
        assert_eq!(reader.offset(), journal.len() as u64);
    }

    #[test]
    fn journal_cut_anywhere_in_its_last_records_opens_and_says_so() {
        let facts = facts();
        let (journal, offsets) = journal(&facts);
        let from = offsets[offsets.len() - 3] as usize;
        for len in from..journal.len() {
            let (found, ended) = read(&journal[..len]);
            let whole =
                offsets.iter().filter(|o| **o < len as u64).count() - usize::from(!offsets.contains(&(len as u64)));
            assert_eq!(found, facts[..whole], "cut at {len}");
            if offsets.contains(&(len as u64)) {
                assert_eq!(ended, Ended::Unfinished, "cut at {len}");
            } else {
                assert_eq!(ended, Ended::Torn { at: offsets[whole], why: TornWhy::Cut }, "cut at {len}");
            }
        }
    }

    #[test]
    fn any_flipped_bit_is_found() {
        let facts = facts();
        let (whole, offsets) = journal(&facts);
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..2_000 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = HEADER_LEN as usize + (state >> 8) as usize % (whole.len() - HEADER_LEN as usize);
            let mut journal = whole.clone();
            journal[at] ^= 1 << (state % 8);
            let hit = offsets.partition_point(|o| *o <= at as u64) - 1;
            let (found, ended) = read(&journal);
            assert_eq!(found, facts[..hit], "bit of byte {at}");
            assert!(matches!(ended, Ended::Torn { at, .. } if at == offsets[hit]), "{ended:?}");
        }
    }

    #[test]
    fn lying_length_is_not_believed() {
        let (mut journal, offsets) = journal(&[bytes(Direction::ClientToServer, 10)]);
        let at = offsets[0] as usize;
        journal[at..at + 4].copy_from_slice(&MAX_RECORD_BYTES.to_le_bytes());
        assert_eq!(read(&journal).1, Ended::Torn { at: HEADER_LEN, why: TornWhy::Cut });
        journal[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(read(&journal).1, Ended::Torn { at: HEADER_LEN, why: TornWhy::TooLong });
    }

    #[test]
    fn records_of_a_later_version_are_skipped_and_counted() {
        let (mut journal, _) = journal(&[Fact::Opened]);
        let mut record = [0; RECORD_HEADER_LEN];
        record[4] = 77;
        let crc = crc32fast::hash(&record[..16]);
        record[16..].copy_from_slice(&crc.to_le_bytes());
        journal.extend_from_slice(&record);
        encode_record(Moment(3), &Fact::Finished, &mut journal).unwrap();
        let mut reader = Reader::open(journal.as_slice(), ConnId(1)).unwrap();
        let facts: Vec<Fact> = reader.by_ref().map(|found| found.unwrap().1.fact).collect();
        assert_eq!(facts, [Fact::Opened, Fact::Finished]);
        assert_eq!((reader.ended(), reader.unknown_records()), (Some(&Ended::Clean), 1));
    }

    #[test]
    fn other_files_and_other_formats_are_refused() {
        assert!(matches!(Reader::open(b"".as_slice(), ConnId(1)), Err(ReadError::NotAJournal)));
        assert!(matches!(Reader::open([b'{'; 500].as_slice(), ConnId(1)), Err(ReadError::NotAJournal)));
        let mut header = Header::new(ConnId(9), 5);
        header.format = 2;
        assert_eq!(read(&header.to_bytes()).1, Ended::OtherVersion { format: 2 });
    }
}
