//! What a server can do wrong, byte by byte over real sockets, and exactly what must be recorded of it: its frames, our
//! frames, broken rules, limits, time-outs, and how reading ended.
//!
//! The rows stand in [`framing`], [`closing`], [`opening`], [`deflate`] and [`tls_ends`]. Each is run three times: its bytes in
//! one write, glued behind the 101; byte by byte; and over TLS. The transcript must be the same, but for the `close_notify`
//! before a FIN.

mod closing;
mod deflate;
mod framing;
mod opening;
mod tls_ends;

use std::io::{Read as _, Write as _};
use std::time::Duration;

use sockeye::engine::{Command, ConnectOptions, EngineHandle};
use sockeye::observation::{ConnId, Direction, Expect, Fact, ReadEnd};
use sockeye::store::{FrameRow, Page, Row, RowBody, Story, View};
use sockeye::wire::{Cut, Opcode, ViolationKind, accept_for, parse_request};

use crate::peer::{engine, options, read_head, read_to_end, serve, wait_for_end};
use crate::tls_peer::Peer;

/// How many run at a time.
const AT_A_TIME: usize = 12;
/// Longer misbehaviours are not sent byte by byte.
const MAX_DRIBBLE_BYTES: usize = 600;
/// Our patience with a server that does not end TCP, or does not answer our Close.
const PATIENCE_MILLIS: u64 = 400;

/// One misbehaviour and what must be recorded of it.
#[derive(Clone)]
pub(crate) struct Misbehaviour {
    /// What the server does.
    pub(crate) name: &'static str,
    /// The head of its answer; `{accept}` stands for the value that belongs to the key.
    pub(crate) head: String,
    /// The bytes behind it.
    pub(crate) bytes: Vec<u8>,
    /// How it goes on.
    pub(crate) then: Then,
    /// What differs from the usual options.
    pub(crate) options: fn(&mut ConnectOptions),
    /// What is recorded of its bytes: `first-byte length payload`, `!offset rule`, heads, cuts.
    pub(crate) theirs: Vec<&'static str>,
    /// What is recorded of ours.
    pub(crate) ours: Vec<&'static str>,
    /// What else is recorded, in order.
    pub(crate) facts: Vec<&'static str>,
}

/// How a server goes on once its bytes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// FIN.
    Fin,
    /// FIN once we said something.
    FinWhenTold,
    /// RST.
    Reset,
    /// RST once we said something.
    ResetWhenTold,
    /// Leaves what we said unread and closes, which makes a RST.
    LeaveUnread,
    /// Keeps TCP open until we end it.
    Stay,
    /// FIN without `close_notify`.
    FinAlone,
    /// `close_notify`, then RST.
    NotifyAndReset,
    /// `close_notify`; FIN when ours has come.
    NotifyAndWait,
    /// `close_notify`; keeps TCP open until we end it.
    NotifyAndStay,
    /// The bytes in a TLS record of which one half comes, then FIN.
    CutRecord,
}

impl Then {
    /// Whether it makes sense over TLS alone.
    fn is_about_tls(self) -> bool {
        match self {
            Self::Fin | Self::FinWhenTold | Self::Reset | Self::ResetWhenTold | Self::LeaveUnread | Self::Stay => false,
            Self::FinAlone | Self::NotifyAndReset | Self::NotifyAndWait | Self::NotifyAndStay | Self::CutRecord => true,
        }
    }
}

/// The head of a right answer.
pub(crate) const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                               Sec-WebSocket-Accept: {accept}\r\n\r\n";

/// The server ended TCP; nobody failed the connection.
pub(crate) const ENDED: &[&str] = &["opened", "end fin", "we closed"];
/// The server reset TCP; nobody failed the connection.
pub(crate) const RESET: &[&str] = &["opened", "end reset", "we closed"];
/// We failed the connection for a violation, then the server ended TCP.
pub(crate) const FAILED: &[&str] = &["opened", "begun violation", "end fin", "we closed"];

/// A misbehaviour behind a right 101.
pub(crate) fn after_101(
    name: &'static str,
    bytes: impl Into<Vec<u8>>,
    then: Then,
    theirs: &[&'static str],
    ours: &[&'static str],
    facts: &[&'static str],
) -> Misbehaviour {
    Misbehaviour {
        name,
        head: GOOD.to_owned(),
        bytes: bytes.into(),
        then,
        options: |_| {},
        theirs: [&["101"], theirs].concat(),
        ours: ours.to_vec(),
        facts: facts.to_vec(),
    }
}

impl Misbehaviour {
    /// With other options.
    pub(crate) fn with(self, options: fn(&mut ConnectOptions)) -> Self {
        Self { options, ..self }
    }

    /// With another head.
    pub(crate) fn head(self, head: impl Into<String>) -> Self {
        Self { head: head.into(), ..self }
    }
}

/// How the bytes of a misbehaviour travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// In one write, glued behind the 101.
    InOneWrite,
    /// Byte by byte.
    ByteByByte,
    /// In one write, over TLS.
    OverTls,
}

/// Plays the server.
fn play(mut peer: Peer, head: &str, bytes: &[u8], then: Then, how: How) {
    peer.tcp().set_nodelay(true).unwrap();
    let request = parse_request(&read_head(&mut peer)).unwrap();
    let accept = accept_for(request.values("sec-websocket-key").next().unwrap());
    let mut first = head.replace("{accept}", &accept).into_bytes();
    let pieces: Vec<&[u8]> = if how == How::ByteByByte { bytes.chunks(1).collect() } else { Vec::new() };
    if how != How::ByteByByte && then != Then::CutRecord {
        first.extend_from_slice(bytes);
    }
    // The client may have had enough before all is written.
    let _written = peer.write_all(&first).and_then(|()| pieces.iter().try_for_each(|piece| peer.write_all(piece)));
    let mut told = [0; 1];
    match then {
        Then::FinWhenTold | Then::ResetWhenTold | Then::LeaveUnread => {
            // Where the client is gone already there is nothing to wait for.
            peer.tcp().peek(&mut told).ok();
        }
        Then::Fin
        | Then::Reset
        | Then::Stay
        | Then::FinAlone
        | Then::NotifyAndReset
        | Then::NotifyAndWait
        | Then::NotifyAndStay
        | Then::CutRecord => {}
    }
    match then {
        Then::Reset | Then::ResetWhenTold => peer.reset(),
        Then::LeaveUnread => {}
        Then::Fin | Then::FinWhenTold => {
            peer.close_notify();
            peer.fin();
        }
        Then::FinAlone => peer.fin(),
        Then::NotifyAndReset => {
            peer.close_notify();
            peer.reset();
        }
        Then::NotifyAndWait => {
            peer.close_notify();
            // It ends with the client's close_notify, and with an error where TCP ends before that.
            let ended = peer.read_to_end(&mut Vec::new());
            assert!(ended.is_ok(), "the client did not answer close_notify: {ended:?}");
            peer.fin();
        }
        Then::NotifyAndStay => {
            peer.close_notify();
            read_to_end(peer.tcp());
        }
        Then::CutRecord => {
            peer.write_half_a_record(bytes);
            peer.fin();
        }
        Then::Stay => {
            read_to_end(peer.tcp());
        }
    }
}

/// Runs one; `Err` tells what differs.
fn check(case: &Misbehaviour, how: How) -> Result<(), String> {
    let (head, bytes, then) = (case.head.clone(), case.bytes.clone(), case.then);
    let (address, peer) = serve(move |stream| {
        let peer = if how == How::OverTls { Peer::tls(stream) } else { Peer::Plain(stream) };
        play(peer, &head, &bytes, then, how);
    });
    let scheme = if how == How::OverTls { "wss" } else { "ws" };
    let mut options = options(&format!("{scheme}://{address}/"));
    options.insecure = true;
    options.expect = Expect::None;
    options.watch = None;
    options.probes = false;
    options.time_outs.close_millis = PATIENCE_MILLIS;
    options.time_outs.grace_millis = PATIENCE_MILLIS;
    (case.options)(&mut options);
    let engine = engine();
    let conn = ConnId(1);
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    wait_for_end(&engine);
    let view = engine.view(conn).unwrap();
    let seen = Transcript::new(&view.story, &rows(&engine, &view));
    peer.join().unwrap();
    let wanted = Transcript {
        theirs: case.theirs.iter().map(|&line| line.to_owned()).collect(),
        ours: case.ours.iter().map(|&line| line.to_owned()).collect(),
        facts: case.facts.iter().flat_map(|&line| end_of(line, how, then)).map(str::to_owned).collect(),
    };
    if seen == wanted {
        return Ok(());
    }
    Err(format!("{} ({how:?})\n   wanted {wanted:?}\n   seen   {seen:?}", case.name))
}

/// A server that ends TCP well ends TLS before.
fn end_of(line: &'static str, how: How, then: Then) -> Vec<&'static str> {
    if how == How::OverTls && !then.is_about_tls() && line == "end fin" {
        vec!["end close-notify", "transport fin"]
    } else {
        vec![line]
    }
}

/// Every row of a view.
fn rows(engine: &EngineHandle, view: &View) -> Vec<Row> {
    let mut all = Vec::new();
    while (all.len() as u64) < view.rows {
        match view.page(all.len() as u64..view.rows) {
            Page::Ready(rows) => all.extend(rows),
            Page::Pending => drop(engine.event_timeout(Duration::from_millis(1))),
        }
    }
    all
}

/// What was recorded, in short lines.
#[derive(Debug, Default, PartialEq, Eq)]
struct Transcript {
    theirs: Vec<String>,
    ours: Vec<String>,
    facts: Vec<String>,
}

impl Transcript {
    fn new(story: &Story, rows: &[Row]) -> Self {
        let mut out = Self::default();
        for row in rows {
            match &row.body {
                RowBody::Frame(frame) if frame.direction == Direction::ClientToServer => {
                    assert!(frame.header.masked() && frame.header.rsv() == 0, "{frame:?}");
                    out.ours.push(frame_line(frame));
                }
                RowBody::Frame(frame) => out.theirs.push(frame_line(frame)),
                RowBody::Violation(violation) => {
                    assert_eq!(violation.direction, Direction::ServerToClient, "we break no rule: {violation:?}");
                    out.theirs.push(format!("!{} {}", violation.offset, rule(&violation.kind)));
                }
                RowBody::Cut(cut) => out.theirs.push(cut_line(cut)),
                RowBody::Response { status, .. } => out.theirs.push(status.to_string()),
                RowBody::Opaque { raw, .. } => out.theirs.push(format!("opaque {}", shown(raw))),
                RowBody::Body { raw } => out.theirs.push(format!("body {}", shown(raw))),
                RowBody::Request { .. } => {}
                RowBody::Fact(fact) => out.facts.extend(fact_line(fact)),
            }
        }
        if story.answer.status() == Some(101) {
            let failed = story.answer.checks.iter().filter_map(|check| check.cause_id.as_ref());
            out.facts.splice(0..0, failed.map(|cause| format!("check {cause}")).collect::<Vec<_>>());
        }
        out
    }
}

fn frame_line(frame: &FrameRow) -> String {
    let payload = match (frame.header.opcode(), frame.preview.as_ref()) {
        (Opcode::Close, [high, low, reason @ ..]) => {
            format!(" {} {}", u16::from_be_bytes([*high, *low]), shown(reason)).trim_end().to_owned()
        }
        (_, []) => String::new(),
        (_, bytes) => format!(" {}", shown(bytes)),
    };
    let masked = if frame.direction == Direction::ServerToClient && frame.header.masked() { " masked" } else { "" };
    format!("{:02x} {}{masked}{payload}", frame.header.first, frame.header.payload_len)
}

/// The beginning of bytes, legible.
fn shown(bytes: &[u8]) -> String {
    let more = if bytes.len() > 12 { "…" } else { "" };
    format!("{}{more}", bytes[..bytes.len().min(12)].escape_ascii())
}

/// A rule with its numbers, without previews: these hold as much as came at once.
fn rule(kind: &ViolationKind) -> String {
    match kind {
        ViolationKind::TextAmongFrames { after_frames, .. } => format!("TextAmongFrames after {after_frames}"),
        ViolationKind::GarbageAfterClose { .. } => "GarbageAfterClose".to_owned(),
        kind => {
            let text = format!("{kind:?}");
            let (name, numbers) = text.split_once(" { ").unwrap_or((&text, ""));
            let values: Vec<&str> =
                numbers.trim_end_matches(" }").split(", ").filter_map(|pair| pair.split(": ").nth(1)).collect();
            [&[name], values.as_slice()].concat().join(" ")
        }
    }
}

fn cut_line(cut: &Cut) -> String {
    match cut {
        Cut::Header { offset, received } => format!("cut header @{offset}, {received} came"),
        Cut::Payload { offset, declared, received } => format!("cut payload @{offset}, {received} of {declared}"),
        Cut::Fragment { frames, received } => format!("cut message, {frames} frames, {received} came"),
    }
}

fn fact_line(fact: &Fact) -> Option<String> {
    let word = |value: &dyn std::fmt::Debug| {
        let mut out = String::new();
        for letter in format!("{value:?}").chars() {
            if letter.is_uppercase() && !out.is_empty() {
                out.push('-');
            }
            out.extend(letter.to_lowercase());
        }
        out
    };
    Some(match fact {
        Fact::Opened => "opened".to_owned(),
        Fact::CloseBegun { by } => format!("begun {}", word(by)),
        Fact::TimedOut { deadline, .. } => format!("time-out {}", word(deadline)),
        Fact::LimitPassed { limit, limit_bytes, actual_bytes } => {
            format!("limit {} {limit_bytes} {actual_bytes}", word(limit))
        }
        Fact::ReadEnded(ReadEnd::Failed(failure)) => format!("end failed {}", word(&failure.kind)),
        Fact::ReadEnded(end) => format!("end {}", word(end)),
        Fact::TransportEnded(end) => format!("transport {}", word(end)),
        Fact::ResetAfterFin => "reset after fin".to_owned(),
        Fact::WeClosedTcp => "we closed".to_owned(),
        _ => return None,
    })
}

#[test]
fn each_misbehaviour_is_recorded_exactly() {
    let only = std::env::var("MISBEHAVIOUR").unwrap_or_default();
    let all: Vec<Misbehaviour> =
        [framing::rows(), closing::rows(), opening::rows(), deflate::rows(), tls_ends::rows()].concat();
    let names: std::collections::BTreeSet<&str> = all.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), all.len(), "two misbehaviours have the same name");
    assert!(all.len() >= 90, "{} misbehaviours", all.len());
    let runs: Vec<(&Misbehaviour, How)> = all
        .iter()
        .filter(|case| case.name.contains(&only))
        .flat_map(|case| [(case, How::InOneWrite), (case, How::ByteByByte), (case, How::OverTls)])
        .filter(|(case, how)| match how {
            How::InOneWrite => !case.then.is_about_tls(),
            How::ByteByByte => !case.then.is_about_tls() && (2..=MAX_DRIBBLE_BYTES).contains(&case.bytes.len()),
            How::OverTls => true,
        })
        .collect();
    let mut wrong = Vec::new();
    for group in runs.chunks(AT_A_TIME) {
        std::thread::scope(|scope| {
            let running: Vec<_> = group.iter().map(|(case, how)| scope.spawn(move || check(case, *how))).collect();
            wrong.extend(running.into_iter().filter_map(|thread| thread.join().unwrap().err()));
        });
    }
    println!("{} misbehaviours, {} runs", all.len(), runs.len());
    assert!(wrong.is_empty(), "{} of {} runs:\n{}", wrong.len(), runs.len(), wrong.join("\n"));
}
