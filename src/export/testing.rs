//! A session in memory for the tests of exporters: told in facts, read back as the engine reads it.

use std::io::{self, Cursor};

use bytes::Bytes;

use super::{Facts, Material, Redactor, Rows, Selection, Source, exporter};
use crate::diagnosis::{Case, checklist, diagnose};
use crate::journal::{Header, Reader, Writer};
use crate::observation::{ConnId, Direction, Fact, Moment, Plan, ReadEnd};
use crate::store::{Index, Replay, Session, Story, read_payload};
use crate::wire::encode_frame;

/// A token whose signature nobody can check.
pub(crate) const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// A session in memory.
pub(crate) struct Told {
    journal: Vec<u8>,
    index: Index,
    pub(crate) story: Story,
}

impl Told {
    /// A session of these facts, a millisecond apart, and with the verdict on them.
    pub(crate) fn new(facts: impl IntoIterator<Item = Fact>) -> Self {
        let facts: Vec<Fact> = facts.into_iter().collect();
        let story = Self::read(&facts).story;
        let verdict = diagnose(&Case { story: &story, probes_pending: false });
        Self::read(&[facts, vec![Fact::Concluded(Box::new(verdict)), Fact::Finished]].concat())
    }

    fn read(facts: &[Fact]) -> Self {
        let mut journal = Vec::new();
        let mut writer = Writer::create(&mut journal, &Header::new(ConnId(1), BEGAN)).unwrap();
        for (nth, fact) in facts.iter().enumerate() {
            writer.append(Moment::from_millis(nth as u64), fact).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        let session = Session::read(&mut Reader::open(journal.as_slice(), ConnId(1)).unwrap()).unwrap();
        Self { index: session.index(), story: (*session.story()).clone(), journal }
    }

    /// What this session is in a format.
    pub(crate) fn export(&self, id: &str, redactor: Option<&mut Redactor>) -> Vec<u8> {
        self.export_some(id, redactor, &Selection::All)
    }

    /// What some rows of this session are in a format.
    pub(crate) fn export_some(&self, id: &str, redactor: Option<&mut Redactor>, selection: &Selection) -> Vec<u8> {
        let checklist = checklist(&Case { story: &self.story, probes_pending: false });
        let system = [("system".to_owned(), "test".to_owned())];
        let material = Material { story: &self.story, checklist: &checklist, source: self, selection, system: &system };
        let mut out = Vec::new();
        exporter(id).unwrap().write(&material, redactor, &mut out).unwrap();
        out
    }

    /// The same as a text.
    pub(crate) fn text(&self, id: &str, redactor: Option<&mut Redactor>) -> String {
        String::from_utf8(self.export(id, redactor)).unwrap()
    }
}

impl Source for Told {
    fn rows(&self, selection: &Selection) -> Rows<'_> {
        let selection = selection.clone();
        let rows = Replay::new(Cursor::new(&self.journal), self.index.clone()).map(|row| row.map_err(io::Error::other));
        Box::new(rows.filter(move |row| row.as_ref().map_or(true, |row| selection.has(row.number))))
    }

    fn payload(&self, direction: Direction, offset: u64) -> io::Result<Option<Bytes>> {
        let read = read_payload(&mut Cursor::new(&self.journal), &self.index, direction, offset, usize::MAX);
        read.map(|(payload, _)| Some(payload)).map_err(io::Error::other)
    }

    fn facts(&self) -> Option<Facts<'_>> {
        let reader = Reader::open(self.journal.as_slice(), ConnId(1)).unwrap();
        Some(Box::new(reader.map(|found| found.map(|(_, seen)| (seen.at, seen.fact)).map_err(io::Error::other))))
    }
}

/// Bytes from the server.
pub(crate) fn received(bytes: impl Into<Vec<u8>>) -> Fact {
    Fact::Bytes { direction: Direction::ServerToClient, data: Bytes::from(bytes.into()) }
}

/// Bytes from us.
pub(crate) fn sent(bytes: impl Into<Vec<u8>>) -> Fact {
    Fact::Bytes { direction: Direction::ClientToServer, data: Bytes::from(bytes.into()) }
}

/// The facts of an opening handshake over TCP, the token in the URL and a cookie beside it.
pub(crate) fn opening() -> Vec<Fact> {
    let address = "127.0.0.1:3001".parse().unwrap();
    let plan = Plan {
        url: format!("ws://localhost:3001/?token={TOKEN}&agentId=a1"),
        target: None,
        began_unix_millis: BEGAN,
        token_place: Some(crate::observation::TokenPlace::Query { name: "token".to_owned() }),
        credentials: true,
        origin: None,
        subprotocols: Vec::new(),
        expect: crate::observation::Expect::First,
        time_outs: crate::observation::TimeOuts::default(),
        limit_bytes: 1 << 20,
        insecure: false,
        family: crate::observation::Family::Auto,
        probes: true,
        preset: crate::observation::Preset::Chrome,
        extensions: None,
        probes_elsewhere: false,
        backend: None,
        route: crate::observation::Route::Direct,
        keep_alive: crate::observation::KeepAlivePlan::default(),
        claims: crate::token::Expectations::default(),
        between: None,
    };
    let request = format!(
        "GET /?token={TOKEN}&agentId=a1 HTTP/1.1\r\nHost: localhost:3001\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Cookie: sid=cookie-value-1; theme=dark-theme-2\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    vec![
        Fact::Planned(Box::new(plan)),
        Fact::TcpStarted { address },
        Fact::TcpConnected { address, local: Some("127.0.0.1:50123".parse().unwrap()) },
        sent(request),
        received(answer),
        Fact::Opened,
    ]
}

/// A short session: texts both ways, one of them in fragments, bytes, a ping, and a closing handshake.
pub(crate) fn chat() -> Vec<Fact> {
    let key = Some([0x37, 0xFA, 0x21, 0x3D]);
    let mut facts = opening();
    facts.extend([
        received(encode_frame(0x81, None, br#"{"type":"ready","n":1}"#)),
        Fact::Confirmed { preview: Some(r#"{"type":"ready","n":1}"#.to_owned()) },
        sent(encode_frame(0x81, key, "hello <b>\u{202E}é".as_bytes())),
        received([encode_frame(0x01, None, b"one "), encode_frame(0x89, None, b"beat")].concat()),
        received(encode_frame(0x80, None, b"two")),
        received(encode_frame(0x82, None, &[0, 1, 2, 255])),
        Fact::ConsoleLine { source: "server.log".to_owned(), text: "client a1 connected".to_owned() },
        received(encode_frame(0x88, None, b"\x03\xE8bye")),
        sent(encode_frame(0x88, key, b"\x03\xE8")),
        Fact::ReadEnded(ReadEnd::Fin),
        Fact::WeClosedTcp,
    ]);
    facts
}

/// Wall clock of the first fact: 2025-11-22T08:26:40.123Z.
const BEGAN: i64 = 1_763_800_000_123;
