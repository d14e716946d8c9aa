//! What must hold for any bytes: shared by the fuzz targets and by the seeded run in `tests/core`.

#![allow(dead_code, reason = "each fuzz target uses one promise")]

use std::io::{self, Cursor};

use bytes::Bytes;
use sockeye::diagnosis::catalogue::cause;
use sockeye::diagnosis::console::{
    explain_lines, good_sign, is_start, recognise, recognise_browser, still_holding, without_escapes,
};
use sockeye::diagnosis::{Case, checklist, diagnose};
use sockeye::export::visible::visible;
use sockeye::export::{Facts, Material, Redactor, Rows, Selection, Source, exporter};
use sockeye::journal::{Header, Reader, Writer};
use sockeye::observation::{ConnId, Direction, Fact, Moment, ReadEnd};
use sockeye::store::{Index, Row, RowBody, Session, Story, read_chunk, read_payload};
use sockeye::wire::{
    Decoder, HeadOutcome, Item, ViolationKind, checks, decoded_content, parse_request, parse_response, parse_url,
};

const REQUEST: &[u8] = b"GET /?token=a.b.c HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
const PLAIN: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
const DEFLATED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

/// The head of a right answer.
fn answer(deflated: bool) -> &'static [u8] {
    if deflated { DEFLATED } else { PLAIN }
}

/// Frames of both directions: the same items however the bytes are cut.
pub(crate) fn decoder(cut: usize, deflated: bool, bytes: &[u8]) {
    assert_eq!(items(cut.max(1), deflated, bytes), items(usize::MAX, deflated, bytes));
}

fn items(cut: usize, deflated: bool, bytes: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::default();
    let mut seen = Vec::new();
    let mut sink = |item: Item<'_>| match item {
        // How much comes at once differs.
        Item::Payload { .. } | Item::Opaque { .. } | Item::Body(_) => {}
        Item::Violation(violation) => {
            seen.push(format!("{:?} {} {}", violation.direction, violation.offset, rule(&violation.kind)));
        }
        other => seen.push(format!("{other:?}")),
    };
    decoder.push(Direction::ClientToServer, REQUEST, &mut sink);
    decoder.push(Direction::ServerToClient, answer(deflated), &mut sink);
    for direction in [Direction::ServerToClient, Direction::ClientToServer] {
        for piece in bytes.chunks(cut) {
            decoder.push(direction, piece, &mut sink);
        }
        decoder.end(direction, &mut sink);
    }
    seen
}

/// A rule with its numbers; a preview holds as much as came at once.
fn rule(kind: &ViolationKind) -> String {
    match kind {
        ViolationKind::TextAmongFrames { after_frames, .. } => format!("text after {after_frames} frames"),
        ViolationKind::GarbageAfterClose { .. } => "garbage after close".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A whole session, from the journal to the exports: the same rows and payloads however the bytes are cut.
pub(crate) fn session(cut: usize, deflated: bool, bytes: &[u8]) {
    let whole = recorded(usize::MAX, deflated, bytes);
    let pieces = recorded(cut.max(1), deflated, bytes);
    assert_eq!(whole.shown, pieces.shown);
    assert_eq!(whole.payloads, pieces.payloads);
    judge(&whole.story);
    for redacted in [false, true] {
        for id in ["jsonl", "json", "text"] {
            export(id, redacted, &whole);
        }
    }
}

struct Recorded {
    story: Story,
    rows: Vec<Row>,
    shown: Vec<String>,
    payloads: Vec<Bytes>,
}

fn recorded(cut: usize, deflated: bool, bytes: &[u8]) -> Recorded {
    let mut journal = Writer::create(Vec::new(), &Header::new(ConnId(0), 0)).expect("memory takes all");
    let mut put = |fact: &Fact| journal.append(Moment::default(), fact).expect("memory takes all");
    let of = |direction, data: &[u8]| Fact::Bytes { direction, data: Bytes::copy_from_slice(data) };
    put(&of(Direction::ClientToServer, REQUEST));
    put(&of(Direction::ServerToClient, answer(deflated)));
    put(&Fact::Opened);
    for piece in bytes.chunks(cut) {
        put(&of(Direction::ServerToClient, piece));
    }
    put(&Fact::ReadEnded(ReadEnd::Fin));
    put(&Fact::WeClosedTcp);
    put(&Fact::Finished);
    journal.flush().expect("memory takes all");
    let (journal, ..) = journal.into_unwritten();
    let mut reader = Reader::open(Cursor::new(&journal), ConnId(0)).expect("it has just been written");
    let session = Session::read(&mut reader).expect("it has just been written");
    let index = session.index();
    let mut rows: Vec<Row> = Vec::new();
    let mut number = 0;
    while (rows.len() as u64) < session.rows() {
        let chunk = read_chunk(&mut Cursor::new(&journal), &index, number).expect("it has just been written");
        assert!(!chunk.rows.is_empty(), "{} rows of {}", rows.len(), session.rows());
        rows.extend(chunk.rows);
        number += 1;
    }
    let payloads = payloads(&journal, &index, &rows);
    let shown = rows.iter().map(shown).collect();
    Recorded { story: (*session.story()).clone(), rows, shown, payloads }
}

fn payloads(journal: &[u8], index: &Index, rows: &[Row]) -> Vec<Bytes> {
    let frames = rows.iter().filter_map(|row| match &row.body {
        RowBody::Frame(frame) => Some(frame),
        _ => None,
    });
    frames
        .take(64)
        .map(|frame| {
            let read = read_payload(&mut Cursor::new(journal), index, frame.direction, frame.offset, 1 << 20);
            let (payload, _) = read.expect("it has just been written");
            // What inflates only in part is read again only in part.
            let is_broken = frame.inflated.as_ref().is_some_and(|part| !part.is_whole);
            assert!(is_broken || payload.starts_with(&frame.preview) || payload.len() == 1 << 20, "{frame:?}");
            payload
        })
        .collect()
}

/// A row without what depends on how much came at once.
fn shown(row: &Row) -> String {
    match &row.body {
        RowBody::Violation(violation) => format!("{} {} {}", row.number, violation.offset, rule(&violation.kind)),
        RowBody::Opaque { direction, .. } => format!("{} opaque {direction:?}", row.number),
        RowBody::Body { .. } => format!("{} body", row.number),
        other => format!("{} {other:?}", row.number),
    }
}

fn judge(story: &Story) {
    for probes_pending in [false, true] {
        let case = Case { story, probes_pending };
        diagnose(&case);
        checklist(&case);
    }
}

fn export(id: &str, redacted: bool, session: &Recorded) {
    let exporter = exporter(id).expect("the format is there");
    let selection = Selection::default();
    let material =
        Material { story: &session.story, checklist: &[], source: session, selection: &selection, system: &[] };
    let mut redactor = redacted.then(|| Redactor::for_story(&session.story));
    let mut out = Vec::new();
    exporter.write(&material, redactor.as_mut(), &mut out).expect("memory takes all");
    let is_text = !matches!(id, "zip" | "bundle" | "pcapng");
    assert!(!is_text || std::str::from_utf8(&out).is_ok(), "an export is text");
}

impl Source for Recorded {
    fn rows(&self, _: &Selection) -> Rows<'_> {
        Box::new(self.rows.iter().cloned().map(Ok))
    }

    fn payload(&self, _: Direction, _: u64) -> io::Result<Option<Bytes>> {
        Ok(None)
    }

    fn facts(&self) -> Option<Facts<'_>> {
        None
    }
}

/// URLs as typed and answers as received: places lie within the text.
pub(crate) fn handshake(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Err(problem) = parse_url(text)
    {
        assert!(text.get(problem.at..problem.at + problem.len).is_some(), "{text:?} {problem:?}");
    }
    if let HeadOutcome::Head(head) = parse_response(bytes) {
        if let Some(request) = parse_request(REQUEST) {
            checks(&request, &head);
        }
        assert!(decoded_content(&head, &bytes[head.len_bytes..]).len() <= bytes.len().max(1 << 20));
    }
}

/// Any bytes as a journal: reading ends.
pub(crate) fn journal(bytes: &[u8]) {
    let Ok(mut reader) = Reader::open(Cursor::new(bytes), ConnId(0)) else {
        return;
    };
    let Ok(session) = Session::read(&mut reader) else {
        return;
    };
    judge(&session.story());
    for number in 0.. {
        match read_chunk(&mut Cursor::new(bytes), &session.index(), number) {
            Ok(chunk) if !chunk.rows.is_empty() => {}
            _ => return,
        }
    }
}

/// Any text as lines of a server's console, as a pasted console, on a screen, and through the redaction.
pub(crate) fn console(text: &str) {
    assert!(without_escapes(text).len() <= text.len());
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for line in &lines {
        is_start(line);
        good_sign(line);
        if let Some(known) = recognise(line) {
            assert!(cause(known.cause).is_some() && !known.quote.contains('\u{1b}'));
        }
        if let Some(known) = recognise_browser(line) {
            assert!(known.cause.is_none_or(|id| cause(id).is_some()) && !known.quote.contains('\u{1b}'));
        }
    }
    assert!(still_holding(&lines).len() <= lines.len());
    for line in explain_lines(text) {
        assert!(line.line <= lines.len() && line.quote.chars().count() <= 300);
    }
    assert!(!visible(text).contains('\u{1b}'), "escape sequences are shown, not obeyed");
    let mut redactor = Redactor::new();
    redactor.learn_token("aaaa.bbbb.cccc");
    redactor.learn_secret(b"a secret of some length");
    assert!(!redactor.text(text).contains("aaaa.bbbb.cccc"));
    redactor.url(text);
    redactor.head(text.as_bytes());
}
