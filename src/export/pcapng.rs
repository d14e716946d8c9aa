//! pcapng, decrypted: the session as packets that Wireshark reads as TCP, HTTP and WebSocket.
//!
//! The bytes are those of the session; the TCP segments around them are made up, one for each read or write, with right
//! sequence numbers and checksums, and SYN, FIN and RST where the session saw them. With secrets replaced, or of a part of
//! the rows, frames are written anew. The blocks of the file are in `block`, the packets in `packet`.

mod block;
mod flow;
mod packet;

use std::io::{self, Write};
use std::net::SocketAddr;

use super::lines::{Line, Payloads, each};
use super::redact::Redactor;
use super::{Material, Selection, words};
use crate::observation::{Direction, Fact, IoKind, Moment, ReadEnd};
use crate::store::{FrameRow, RowBody, Story};
use crate::wire::encode_frame;
use block::Blocks;
use flow::Flow;
use packet::{ACK, FIN, PSH, RST, SYN};

/// Writes the file.
pub(super) fn write(
    material: &Material<'_>,
    mut redactor: Option<&mut Redactor>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let story = material.story;
    let told = redactor.as_deref_mut().map_or_else(|| summary(story), |redactor| redactor.text(&summary(story)));
    let mut capture = Capture {
        began_nanos: story.plan.as_ref().map_or(0, |plan| plan.began_unix_millis).saturating_mul(1_000_000),
        blocks: Blocks::begin(out, &told, interface(story))?,
        flows: Vec::new(),
        local: local(material)?,
        main: None,
        is_rewritten: redactor.is_some(),
    };
    let facts =
        if redactor.is_none() && *material.selection == Selection::All { material.source.facts() } else { None };
    if let Some(facts) = facts {
        for fact in facts {
            let (at, fact) = fact?;
            capture.fact(story, at, &fact)?;
        }
        return Ok(());
    }
    let body = story.answer.body.as_slice();
    let body = redactor.as_deref_mut().map_or_else(|| body.to_vec(), |redactor| redactor.bytes(body));
    each(material, Payloads::Whole, redactor, &mut |line, _| capture.line(story, &line, &body))
}

/// What the file says of itself: the verdict.
fn summary(story: &Story) -> String {
    story.verdict.as_ref().map_or_else(
        || "no verdict".to_owned(),
        |verdict| format!("{} ({}): {}", verdict.cause, words::certainty(verdict.certainty), verdict.summary),
    )
}

fn interface(story: &Story) -> &'static str {
    match (&story.tls, story.connected()) {
        (Some(_), Some(tcp)) if tcp.address.port() == HTTPS => {
            "decrypted by Sockeye; port 443 is written as 80, where Wireshark expects no TLS"
        }
        (Some(_), _) => "decrypted by Sockeye",
        (None, _) => "recorded by Sockeye",
    }
}

/// Our end of the connection, as far as the session knows it.
fn local(material: &Material<'_>) -> io::Result<Option<SocketAddr>> {
    for row in material.source.rows(&Selection::of_ranges(std::iter::once(0..FIRST_ROWS))) {
        if let RowBody::Fact(fact) = row?.body
            && let Fact::TcpConnected { local: Some(local), .. } = &*fact
        {
            return Ok(Some(*local));
        }
    }
    Ok(None)
}

struct Capture<'a> {
    began_nanos: i64,
    blocks: Blocks<'a>,
    flows: Vec<Flow>,
    local: Option<SocketAddr>,
    /// The flow that the session goes through.
    main: Option<usize>,
    is_rewritten: bool,
}

impl Capture<'_> {
    fn line(&mut self, story: &Story, line: &Line, body: &[u8]) -> io::Result<()> {
        let at = line.row.at;
        match &line.row.body {
            RowBody::Fact(fact) => self.fact(story, at, fact),
            RowBody::Request { .. } => self.data(story, at, Direction::ClientToServer, &line.bytes),
            RowBody::Response { .. } => self.data(story, at, Direction::ServerToClient, &line.bytes),
            RowBody::Opaque { direction, .. } => self.data(story, at, *direction, &line.bytes),
            RowBody::Body { .. } => self.data(story, at, Direction::ServerToClient, body),
            RowBody::Frame(frame) => {
                let bytes = frame_bytes(frame, &line.bytes, line.is_whole, self.is_rewritten);
                self.data(story, at, frame.direction, &bytes)
            }
            RowBody::Violation(_) | RowBody::Cut(_) => Ok(()),
        }
    }

    fn fact(&mut self, story: &Story, at: Moment, fact: &Fact) -> io::Result<()> {
        let (server, client) = (Direction::ServerToClient, Direction::ClientToServer);
        if let Fact::Bytes { direction, data } = fact {
            return self.data(story, at, *direction, data);
        }
        if let Fact::TcpStarted { address } = fact {
            return self.start(story, at, *address);
        }
        if let Fact::TcpConnected { address, .. } = fact
            && let Some(number) = self.number(*address)
        {
            self.packet(number, at, server, SYN | ACK, &[])?;
            return self.packet(number, at, client, ACK, &[]);
        }
        if let Fact::TcpFailed { address, failure } = fact
            && matches!(failure.kind, IoKind::Refused | IoKind::Reset)
            && let Some(number) = self.number(*address)
        {
            return self.packet(number, at, server, RST | ACK, &[]);
        }
        let (from, flags) = match fact {
            Fact::ReadEnded(end) | Fact::TransportEnded(end) => (server, end_flags(end)),
            Fact::ResetAfterFin => (server, Some(RST)),
            Fact::WeClosedTcp => (client, Some(FIN | ACK)),
            _not_seen_on_the_wire => return Ok(()),
        };
        let (Some(number), Some(flags)) = (self.main, flags) else { return Ok(()) };
        self.packet(number, at, from, flags, &[])
    }

    fn start(&mut self, story: &Story, at: Moment, address: SocketAddr) -> io::Result<()> {
        let is_main = story.connected().is_some_and(|tcp| tcp.address == address);
        let number = self.flows.len();
        let port = if story.tls.is_some() && address.port() == HTTPS { HTTP } else { address.port() };
        self.flows.push(Flow::new(number, address, port, self.local.filter(|_| is_main), self.local));
        if is_main {
            self.main = Some(number);
        }
        self.packet(number, at, Direction::ClientToServer, SYN, &[])
    }

    fn number(&self, address: SocketAddr) -> Option<usize> {
        self.flows.iter().rposition(|flow| flow.address == address)
    }

    fn data(&mut self, story: &Story, at: Moment, direction: Direction, bytes: &[u8]) -> io::Result<()> {
        if self.main.is_none() {
            // A part of the rows may begin behind the SYN.
            let Some(tcp) = story.connected() else { return Ok(()) };
            self.fact(story, tcp.started, &Fact::TcpStarted { address: tcp.address })?;
            let connected = Fact::TcpConnected { address: tcp.address, local: self.local };
            self.fact(story, tcp.ended.unwrap_or(tcp.started), &connected)?;
        }
        let Some(number) = self.main else { return Ok(()) };
        for segment in bytes.chunks(SEGMENT_BYTES) {
            self.packet(number, at, direction, PSH | ACK, segment)?;
        }
        Ok(())
    }

    fn packet(&mut self, flow: usize, at: Moment, from: Direction, flags: u8, data: &[u8]) -> io::Result<()> {
        let Some(flow) = self.flows.get_mut(flow) else { return Ok(()) };
        let packet = flow.packet(from, flags, data);
        let nanos = self.began_nanos.saturating_add(i64::try_from(at.0).unwrap_or(i64::MAX));
        self.blocks.packet(u64::try_from(nanos).unwrap_or(0), &packet)
    }
}

/// The flags of the packet that ended reading, if the end was one.
fn end_flags(end: &ReadEnd) -> Option<u8> {
    match end {
        ReadEnd::Fin => Some(FIN | ACK),
        ReadEnd::Reset => Some(RST),
        ReadEnd::Failed(failure) => match failure.kind {
            IoKind::Reset | IoKind::Aborted | IoKind::BrokenPipe => Some(RST),
            IoKind::UnexpectedEof => Some(FIN | ACK),
            IoKind::Refused
            | IoKind::TimedOut
            | IoKind::HostUnreachable
            | IoKind::NetworkUnreachable
            | IoKind::AddressNotAvailable
            | IoKind::PermissionDenied
            | IoKind::Other => None,
        },
        // How TCP ended comes behind it.
        ReadEnd::CloseNotify => None,
    }
}

/// A frame as it stood on the wire; with another payload, as it would have stood.
fn frame_bytes(frame: &FrameRow, payload: &[u8], is_whole: bool, is_rewritten: bool) -> Vec<u8> {
    let header = &frame.header;
    let key = header.masked().then_some(header.masking_key);
    if frame.inflated.is_some() {
        // Inflated, it would have stood there without RSV1.
        return encode_frame(header.first & !0x40, key, payload);
    }
    let is_same_length = payload.len() as u64 == header.payload_len;
    if is_whole && (is_rewritten && !is_same_length || header.has_minimal_length()) {
        return encode_frame(header.first, key, payload);
    }
    let mut out = vec![header.first, header.second];
    match header.second & 0x7F {
        126 => out.extend_from_slice(&(header.payload_len as u16).to_be_bytes()),
        127 => out.extend_from_slice(&header.payload_len.to_be_bytes()),
        _ => {}
    }
    match key {
        Some(key) => {
            out.extend_from_slice(&key);
            out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
        }
        None => out.extend_from_slice(payload),
    }
    out
}

/// The ports that browsers leave out.
const HTTP: u16 = 80;
const HTTPS: u16 = 443;
/// An IP packet holds at most 65,535 bytes.
const SEGMENT_BYTES: usize = 60_000;
/// Our own address is told in one of the first rows.
const FIRST_ROWS: u64 = 256;
