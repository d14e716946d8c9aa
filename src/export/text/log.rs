//! A row of the log as one line of text.

use crate::diagnosis::console::without_escapes;
use crate::export::redact::Redactor;
use crate::export::visible::{shortened, visible};
use crate::export::{row_json, words};
use crate::observation::Fact;
use crate::store::{FrameRow, Row, RowBody};
use crate::wire::{Cut, Opcode};

/// The line of a row, without its line end.
pub(super) fn row_line(row: &Row, redactor: Option<&mut Redactor>) -> String {
    let (sign, what, content) = match &row.body {
        RowBody::Frame(frame) => (arrow(frame), frame_words(frame), payload(frame)),
        RowBody::Request { raw } => ("→", "request".to_owned(), raw.to_vec()),
        RowBody::Response { raw, .. } => ("←", "response".to_owned(), raw.to_vec()),
        RowBody::Opaque { raw, .. } => ("←", "bytes that are no frames".to_owned(), raw.to_vec()),
        RowBody::Body { raw } => ("←", "body".to_owned(), raw.to_vec()),
        RowBody::Violation(violation) => {
            ("!", format!("{} ({})", violation.kind.rule(), violation.kind.section()), Vec::new())
        }
        RowBody::Cut(cut) => ("!", cut_words(cut), Vec::new()),
        RowBody::Fact(fact) => {
            let (what, content) = fact_words(fact);
            ("·", what, content.into_bytes())
        }
    };
    let content = match redactor {
        Some(redactor) if matches!(row.body, RowBody::Request { .. } | RowBody::Response { .. }) => {
            redactor.head(&content)
        }
        Some(redactor) => redactor.bytes(&content),
        None => content,
    };
    let content = visible(&shortened(&String::from_utf8_lossy(&content), CONTENT_CHARS));
    let line = format!("{:>12.3} ms  {sign} {what}  {content}", row.at.as_millis());
    line.trim_end().to_owned()
}

fn arrow(frame: &FrameRow) -> &'static str {
    match frame.direction {
        crate::observation::Direction::ClientToServer => "→",
        crate::observation::Direction::ServerToClient => "←",
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
    format!("{opcode}, {} bytes{fin}{rsv}", header.payload_len)
}

fn payload(frame: &FrameRow) -> Vec<u8> {
    match (frame.header.opcode(), frame.message) {
        (Opcode::Close, _) => match frame.preview.split_first_chunk::<2>() {
            Some((code, reason)) => [u16::from_be_bytes(*code).to_string().as_bytes(), b" ", reason].concat(),
            None => frame.preview.to_vec(),
        },
        (_, Opcode::Binary) => {
            frame.preview.iter().take(BINARY_BYTES).flat_map(|byte| format!("{byte:02x} ").into_bytes()).collect()
        }
        _ => frame.preview.to_vec(),
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
        Fact::ReadEnded(end) => ("end of TCP".to_owned(), words::read_end(end)),
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
