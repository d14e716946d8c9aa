//! A row of the log in words, for reports.

use super::lines::Line;
use super::redact::Redactor;
use super::visible::{shortened, visible};
use super::{row_json, words};
use crate::diagnosis::console::without_escapes;
use crate::observation::{Direction, Fact, ReadEnd};
use crate::store::{FrameRow, RowBody};
use crate::wire::{Cut, Opcode};

/// A row in words, free of secrets and of anything that a reader would obey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RowWords {
    /// An arrow for its direction, `!` for what broke a rule, `·` for everything else.
    pub(super) sign: &'static str,
    /// What it is.
    pub(super) what: String,
    /// The beginning of what it says.
    pub(super) content: String,
}

/// A row in words.
pub(super) fn row_words(line: &Line, redactor: Option<&mut Redactor>) -> RowWords {
    let (sign, what, content) = match &line.row.body {
        RowBody::Frame(frame) => (arrow(frame.direction), frame_words(frame), payload(frame, &line.bytes)),
        RowBody::Request { .. } => ("→", "request".to_owned(), line.bytes.clone()),
        RowBody::Response { .. } => ("←", "response".to_owned(), line.bytes.clone()),
        RowBody::Opaque { direction, .. } => {
            (arrow(*direction), "bytes that are no frames".to_owned(), line.bytes.clone())
        }
        RowBody::Body { .. } => ("←", "body".to_owned(), line.bytes.clone()),
        RowBody::Violation(violation) => {
            ("!", format!("{} ({})", violation.kind.rule(), violation.kind.section()), Vec::new())
        }
        RowBody::Cut(cut) => ("!", cut_words(cut), Vec::new()),
        RowBody::Fact(fact) => {
            let (what, content) = fact_words(fact);
            let content = match redactor {
                Some(redactor) => redactor.bytes(content.as_bytes()),
                None => content.into_bytes(),
            };
            ("·", what, content)
        }
    };
    let beginning = content.get(..content.len().min(CONTENT_CHARS * 4)).unwrap_or_default();
    let content = visible(&shortened(&String::from_utf8_lossy(beginning), CONTENT_CHARS));
    RowWords { sign, what, content }
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::ClientToServer => "→",
        Direction::ServerToClient => "←",
    }
}

fn frame_words(frame: &FrameRow) -> String {
    let header = &frame.header;
    let opcode = match header.opcode() {
        Opcode::Reserved(bits) => format!("reserved 0x{bits:X}"),
        opcode => opcode.word().to_owned(),
    };
    let fin = if header.fin() { "" } else { ", not final" };
    let rsv = if header.rsv() == 0 { String::new() } else { format!(", RSV {:03b}", header.rsv()) };
    let inflated = frame.inflated.map_or_else(String::new, |part| format!(" ({} inflated)", part.len_bytes));
    format!("{opcode}, {} bytes{inflated}{fin}{rsv}", header.payload_len)
}

fn payload(frame: &FrameRow, bytes: &[u8]) -> Vec<u8> {
    match (frame.header.opcode(), frame.message) {
        (Opcode::Close, _) => match bytes.split_first_chunk::<2>() {
            Some((code, reason)) => [u16::from_be_bytes(*code).to_string().as_bytes(), b" ", reason].concat(),
            None => bytes.to_vec(),
        },
        (_, Opcode::Binary) => {
            bytes.iter().take(BINARY_BYTES).flat_map(|byte| format!("{byte:02x} ").into_bytes()).collect()
        }
        _ => bytes.to_vec(),
    }
}

fn cut_words(cut: &Cut) -> String {
    match cut {
        Cut::Header { received, .. } => format!("the bytes end in a frame's header, after {received} of its bytes"),
        Cut::Payload { declared, received, .. } => {
            format!("the bytes end in a frame's payload: {received} of {declared} came")
        }
        Cut::Fragment { frames, .. } => format!("the bytes end in a message, after {frames} fragments"),
    }
}

/// The name of a fact and what it says.
fn fact_words(fact: &Fact) -> (String, String) {
    match fact {
        Fact::ConsoleLine { source, text } => (format!("console {source}"), without_escapes(text)),
        Fact::ServerExited { source, status } => (format!("{source} ended"), status.to_string()),
        Fact::Pasted { console, text } => (format!("pasted from the {}'s console", console.word()), text.clone()),
        Fact::Note { text } => ("note".to_owned(), text.clone()),
        Fact::ReadEnded(ReadEnd::CloseNotify) => ("end of TLS".to_owned(), words::read_end(&ReadEnd::CloseNotify)),
        Fact::ReadEnded(end) | Fact::TransportEnded(end) => ("end of TCP".to_owned(), words::read_end(end)),
        Fact::TcpFailed { address, failure } => {
            ("tcp failed".to_owned(), format!("{address} {}", words::failure(failure)))
        }
        Fact::ProbeStarted(probe) => ("probe".to_owned(), words::probe(probe)),
        Fact::ProbeEnded { probe, outcome } => {
            ("probe".to_owned(), format!("{}: {}", words::probe(probe), words::outcome(Some(outcome))))
        }
        Fact::ListenersSeen { port, listeners } => {
            (format!("port {port}"), format!("who listens: {}", words::listeners(listeners)))
        }
        Fact::Concluded(verdict) => ("verdict".to_owned(), format!("{}: {}", verdict.cause, verdict.summary)),
        other => {
            let (name, members) = row_json::fact_members(other);
            let members = members.into_iter().filter(|(_, value)| !value.is_null() && !value.is_object());
            let texts: Vec<String> = members
                .map(|(name, value)| match value {
                    serde_json::Value::String(text) => format!("{name} {text}"),
                    value => format!("{name} {value}"),
                })
                .collect();
            (name.replace('_', " "), texts.join(", "))
        }
    }
}

const CONTENT_CHARS: usize = 2_000;
const BINARY_BYTES: usize = 64;
