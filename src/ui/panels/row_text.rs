//! A row of the log as text, cell by cell; drawn by the log, spoken by screen readers, copied as it is.
//!
//! Pure: no pixels. Everything in here is safe to draw.

use super::fact_words::fact_words;
use super::short_token::short_tokens;
use crate::diagnosis::close_code::close_code;
use crate::observation::{Direction, Moment};
use crate::store::{FrameRow, Row, RowBody};
use crate::ui::theme::Palette;
use crate::ui::{units, visible};
use crate::wire::{Cut, Opcode};
use egui::Color32;
use std::time::Duration;

/// What a row is for the eye; each is a colour of the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Data to the server.
    Sent,
    /// Data to the client.
    Received,
    /// Control frames and the end of TCP.
    Control,
    /// Phases, console lines, notes.
    Event,
    /// Something that worked out.
    Ok,
    /// Look at this.
    Warn,
    /// Broken or failed.
    Bad,
    /// Words that matter.
    Text,
    /// Of little weight.
    Muted,
}

impl Role {
    /// The colour of the role.
    pub fn colour(self, palette: &Palette) -> Color32 {
        match self {
            Self::Sent => palette.sent,
            Self::Received => palette.received,
            Self::Control => palette.control,
            Self::Event => palette.event,
            Self::Ok => palette.ok,
            Self::Warn => palette.warn,
            Self::Bad => palette.bad,
            Self::Text => palette.text,
            Self::Muted => palette.muted,
        }
    }
}

/// The cells of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowText {
    /// Seconds since the session began: `0.013`, `2:05.120`.
    pub time: String,
    /// Since the row above: `+4.10 ms`; empty for the first one.
    pub gap: String,
    /// Whether the gap is longer than a second.
    pub is_long_gap: bool,
    /// Which way it went, if it went anywhere.
    pub direction: Option<Direction>,
    /// What it is, in a word or two: `text`, `close`, `tcp`.
    pub kind: String,
    /// FIN, RSV1–3 and MASK of a frame: `FIN R1 M`.
    pub flags: String,
    /// With its unit: `61 B`; the status of a response.
    pub size: String,
    /// The beginning of what it says.
    pub preview: String,
    /// How it looks.
    pub role: Role,
}

impl RowText {
    /// The arrow of the direction; a dot for what went nowhere.
    pub fn arrow(&self) -> &'static str {
        match self.direction {
            Some(Direction::ClientToServer) => "▶",
            Some(Direction::ServerToClient) => "◀",
            None => "·",
        }
    }

    /// The word of the direction: `sent`, `received`, `event`.
    pub fn word(&self) -> &'static str {
        self.direction.map_or("event", Direction::word)
    }

    /// The row as a screen reader says it: `received text, 61 B, {"type":…}, at 0.013 s`.
    pub fn spoken(&self) -> String {
        let mut parts = vec![format!("{} {}", self.word(), self.kind)];
        parts.extend([&self.size, &self.preview].into_iter().filter(|part| !part.is_empty()).cloned());
        parts.push(format!("at {} s", self.time));
        if self.is_long_gap {
            parts.push(format!("{} after the row above", self.gap.trim_start_matches('+')));
        }
        parts.join(", ")
    }

    /// The row as a line of tab-separated text, to be copied.
    pub fn line(&self) -> String {
        [self.time.as_str(), &self.gap, self.word(), &self.kind, &self.flags, &self.size, &self.preview].join("\t")
    }
}

/// Puts a row into text; `above` is the moment of the row above it, if there is one.
pub fn row_text(row: &Row, above: Option<Moment>) -> RowText {
    let gap = above.map(|above| Duration::from_nanos(row.at.0.saturating_sub(above.0)));
    let mut text = RowText {
        time: time(row.at),
        gap: gap.filter(|gap| !gap.is_zero()).map(|gap| format!("+{}", units::span(gap))).unwrap_or_default(),
        is_long_gap: gap.is_some_and(|gap| gap >= LONG_GAP),
        direction: None,
        kind: String::new(),
        flags: String::new(),
        size: String::new(),
        preview: String::new(),
        role: Role::Event,
    };
    match &row.body {
        RowBody::Fact(fact) => {
            let words = fact_words(fact);
            words.kind.clone_into(&mut text.kind);
            (text.direction, text.role) = (words.direction, words.role);
            text.preview = one_line(&words.text);
        }
        RowBody::Request { raw } => {
            text.direction = Some(Direction::ClientToServer);
            "request".clone_into(&mut text.kind);
            text.size = units::size(raw.len() as u64);
            text.preview = one_line(&short_tokens(&first_line(raw)));
        }
        RowBody::Response { status, raw } => {
            text.direction = Some(Direction::ServerToClient);
            "response".clone_into(&mut text.kind);
            text.size = units::size(raw.len() as u64);
            text.preview = one_line(&first_line(raw));
            text.role = match status {
                101 => Role::Ok,
                100..=199 => Role::Event,
                _ => Role::Bad,
            };
        }
        RowBody::Opaque { direction, raw } => {
            text.direction = Some(*direction);
            "no frames".clone_into(&mut text.kind);
            text.preview = visible::one_line_bytes(raw, PREVIEW_CHARS).text;
            text.role = Role::Bad;
        }
        RowBody::Body { raw } => {
            text.direction = Some(Direction::ServerToClient);
            "body".clone_into(&mut text.kind);
            text.preview = visible::one_line_bytes(raw, PREVIEW_CHARS).text;
            text.role = Role::Warn;
        }
        RowBody::Frame(frame) => frame_text(frame, &mut text),
        RowBody::Violation(violation) => {
            text.direction = Some(violation.direction);
            "violation".clone_into(&mut text.kind);
            text.preview = one_line(&format!("{} ({})", violation.kind.rule(), violation.kind.section()));
            text.role = Role::Bad;
        }
        RowBody::Cut(cut) => {
            text.direction = Some(Direction::ServerToClient);
            "cut off".clone_into(&mut text.kind);
            text.preview = cut_words(cut);
            text.role = Role::Bad;
        }
    }
    text
}

/// Where the bytes ended, in words: declared and received.
pub fn cut_words(cut: &Cut) -> String {
    match cut {
        Cut::Header { received, .. } => format!("the bytes end inside a frame's header, after {received} B of it"),
        Cut::Payload { declared, received, .. } => {
            format!("declared {}, received {}", bytes_words(*declared), bytes_words(*received))
        }
        Cut::Fragment { frames, received } => format!(
            "the message was never finished: {} {}, {} received",
            units::count(*frames),
            if *frames == 1 { "frame" } else { "frames" },
            bytes_words(*received)
        ),
    }
}

/// The code and the reason of a Close frame's payload: `1008 Policy Violation “token expired”`.
pub fn close_words(payload: &[u8]) -> String {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        return if payload.is_empty() { "no code (1005)".to_owned() } else { "one byte: no code".to_owned() };
    };
    let code = close_code(u16::from_be_bytes(*code));
    let reason = visible::one_line_bytes(reason, PREVIEW_CHARS).text;
    if reason.is_empty() {
        format!("{} {}", code.code, code.name)
    } else {
        format!("{} {} “{reason}”", code.code, code.name)
    }
}

/// The word for a frame's kind, with its place in a message of several frames.
pub fn kind_words(frame: &FrameRow) -> String {
    let opcode = frame.header.opcode();
    let message = frame.message.word();
    match (opcode, frame.header.fin()) {
        (Opcode::Continuation, true) => format!("{message} (last)"),
        (Opcode::Continuation, false) => format!("{message} (more)"),
        (Opcode::Text | Opcode::Binary, false) => format!("{} (first)", opcode.word()),
        (Opcode::Reserved(bits), _) => format!("opcode 0x{bits:X}"),
        (Opcode::Text | Opcode::Binary | Opcode::Close | Opcode::Ping | Opcode::Pong, _) => opcode.word().to_owned(),
    }
}

/// Seconds since the session began, with three decimals.
pub fn time(at: Moment) -> String {
    let millis = at.0 / 1_000_000;
    let (secs, rest) = (millis / 1000, millis % 1000);
    match secs {
        0..60 => format!("{secs}.{rest:03}"),
        60..3600 => format!("{}:{:02}.{rest:03}", secs / 60, secs % 60),
        _ => format!("{}:{:02}:{:02}.{rest:03}", secs / 3600, secs / 60 % 60, secs % 60),
    }
}

fn frame_text(frame: &FrameRow, text: &mut RowText) {
    let header = &frame.header;
    let opcode = header.opcode();
    text.direction = Some(frame.direction);
    text.kind = kind_words(frame);
    text.flags = flags(frame);
    text.size = match frame.inflated {
        Some(inflated) => {
            let mark = if inflated.is_whole { "" } else { "+" };
            format!("{} → {}{mark}", units::size(header.payload_len), units::size(inflated.len_bytes))
        }
        None => units::size(header.payload_len),
    };
    text.role = match (opcode, frame.direction) {
        (Opcode::Reserved(_), _) => Role::Bad,
        (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => Role::Control,
        (_, Direction::ClientToServer) => Role::Sent,
        (_, Direction::ServerToClient) => Role::Received,
    };
    text.preview = match opcode {
        Opcode::Close => close_words(&frame.preview),
        _ if is_opaque(frame) && !frame.preview.is_empty() => {
            format!("compressed: {}", hex(&frame.preview))
        }
        Opcode::Text => visible::one_line_bytes(&frame.preview, PREVIEW_CHARS).text,
        Opcode::Continuation if frame.message == Opcode::Text => {
            visible::one_line_bytes(&frame.preview, PREVIEW_CHARS).text
        }
        _ if is_readable(&frame.preview) => visible::one_line_bytes(&frame.preview, PREVIEW_CHARS).text,
        _ => hex(&frame.preview),
    };
    if frame.received < header.payload_len {
        text.preview = format!("{} of it came · {}", units::size(frame.received), text.preview);
    }
}

/// Whether the payload is shown compressed, as it travelled.
fn is_opaque(frame: &FrameRow) -> bool {
    frame.is_opaque() || (frame.header.rsv1() && !frame.compressed)
}

fn flags(frame: &FrameRow) -> String {
    let header = &frame.header;
    let mut flags = if header.fin() { "FIN" } else { "···" }.to_owned();
    for (bit, name) in [(4, " R1"), (2, " R2"), (1, " R3")] {
        if header.rsv() & bit != 0 {
            flags.push_str(name);
        }
    }
    if header.masked() {
        flags.push_str(" M");
    }
    flags
}

fn hex(bytes: &[u8]) -> String {
    let shown: Vec<String> = bytes.iter().take(HEX_BYTES).map(|byte| format!("{byte:02x}")).collect();
    let more = if bytes.len() > HEX_BYTES { " …" } else { "" };
    format!("{}{more}", shown.join(" "))
}

fn is_readable(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes.get(..bytes.len().min(64)).unwrap_or_default())
        .is_ok_and(|text| !text.is_empty() && !text.chars().any(visible::is_hidden))
}

fn bytes_words(bytes: u64) -> String {
    if bytes < 10_240 { format!("{} B", units::count(bytes)) } else { units::size(bytes) }
}

fn first_line(raw: &[u8]) -> String {
    let end = raw.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(raw.len()).min(FIRST_LINE_BYTES);
    String::from_utf8_lossy(raw.get(..end).unwrap_or_default()).into_owned()
}

fn one_line(text: &str) -> String {
    visible::one_line(text, PREVIEW_CHARS).text
}

/// From here on a gap stands out.
const LONG_GAP: Duration = Duration::from_secs(1);
/// Characters of a preview, bytes of one in hexadecimal, bytes of a first line that are looked at.
const PREVIEW_CHARS: usize = 240;
const HEX_BYTES: usize = 32;
const FIRST_LINE_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Fact, ReadEnd};
    use crate::store::InflatedPart;
    use crate::wire::{FrameHeader, Violation, ViolationKind, encode_frame};
    use bytes::Bytes;
    use std::sync::Arc;

    fn frame(first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> FrameRow {
        let header = FrameHeader::parse(&encode_frame(first, key, payload)).unwrap();
        let direction = if key.is_some() { Direction::ClientToServer } else { Direction::ServerToClient };
        FrameRow {
            direction,
            offset: 0,
            header,
            message: header.opcode(),
            compressed: false,
            inflated: None,
            preview: Bytes::copy_from_slice(payload),
            received: payload.len() as u64,
        }
    }

    fn text_of(body: RowBody) -> RowText {
        row_text(&Row { number: 0, at: Moment::from_millis(13), body }, Some(Moment::from_millis(4)))
    }

    #[test]
    fn a_text_frame_has_all_its_cells() {
        let text = text_of(RowBody::Frame(frame(0x81, None, b"{\"type\":\"ready\"}")));
        assert_eq!((text.time.as_str(), text.gap.as_str()), ("0.013", "+9.00 ms"));
        assert_eq!((text.arrow(), text.word(), text.kind.as_str()), ("◀", "received", "text"));
        assert_eq!((text.flags.as_str(), text.size.as_str()), ("FIN", "16 B"));
        assert_eq!(text.spoken(), "received text, 16 B, {\"type\":\"ready\"}, at 0.013 s");
        assert_eq!(text.role, Role::Received);
    }

    #[test]
    fn flags_fragments_and_control_frames() {
        let text = text_of(RowBody::Frame(frame(0x41, Some([1, 2, 3, 4]), b"xyz")));
        assert_eq!((text.flags.as_str(), text.kind.as_str()), ("··· R1 M", "text (first)"));
        assert!(text.preview.starts_with("compressed: 78"));
        let mut inflated = frame(0xC1, None, b"{\"a\":1}");
        inflated.header.payload_len = 5;
        inflated.compressed = true;
        inflated.inflated = Some(InflatedPart { len_bytes: 7, is_whole: true });
        let text = text_of(RowBody::Frame(inflated));
        assert_eq!((text.size.as_str(), text.preview.as_str()), ("5 B → 7 B", "{\"a\":1}"));
        let mut last = frame(0x80, None, b"end");
        last.message = Opcode::Text;
        assert_eq!(text_of(RowBody::Frame(last)).kind, "text (last)");
        assert_eq!(text_of(RowBody::Frame(frame(0x83, None, b""))).kind, "opcode 0x3");
        assert_eq!(text_of(RowBody::Frame(frame(0x82, None, b"\0\x01"))).preview, "00 01");
    }

    #[test]
    fn a_close_frame_says_code_and_reason() {
        for (payload, words) in [
            (&b"\x03\xf0token expired"[..], "1008 Policy Violation “token expired”"),
            (b"\x03\xe8", "1000 Normal Closure"),
            (b"", "no code (1005)"),
            (b"\x03", "one byte: no code"),
            (b"\x03\xe8\xe2\x80\xae", "1000 Normal Closure “⟨U+202E⟩”"),
        ] {
            assert_eq!(text_of(RowBody::Frame(frame(0x88, None, payload))).preview, words);
        }
    }

    #[test]
    fn cuts_and_violations_stand_in_the_same_list() {
        let text = text_of(RowBody::Cut(Cut::Payload { offset: 0, declared: 100, received: 20 }));
        assert_eq!((text.preview.as_str(), text.role), ("declared 100 B, received 20 B", Role::Bad));
        let kind = ViolationKind::MaskedByServer;
        let text = text_of(RowBody::Violation(Violation { direction: Direction::ServerToClient, offset: 0, kind }));
        assert!(text.preview.ends_with("(RFC 6455 §5.1)"));
    }

    #[test]
    fn gaps_over_a_second_stand_out() {
        let row = Row {
            number: 1,
            at: Moment::from_millis(61_250),
            body: RowBody::Fact(Arc::new(Fact::ReadEnded(ReadEnd::Fin))),
        };
        let text = row_text(&row, Some(Moment::from_millis(60_000)));
        assert!(text.is_long_gap);
        assert_eq!((text.time.as_str(), text.gap.as_str(), text.kind.as_str()), ("1:01.250", "+1.25 s", "FIN"));
        assert!(!row_text(&row, Some(Moment::from_millis(60_500))).is_long_gap);
        assert_eq!(row_text(&row, None).gap, "");
    }
}
