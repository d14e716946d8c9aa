//! A row's bytes made ready to be shown: as JSON, as lines, with the places that are not UTF-8, with the header's fields.
//!
//! Pure, and linear in the number of bytes; long payloads are prepared on a thread of their own.

use super::{Tab, frame, packed};
use crate::store::{FrameRow, Row, RowBody};
use crate::ui::hex_view::HexField;
use crate::ui::panels::lines::Lines;
use crate::ui::panels::short_token::short_tokens_in;
use crate::ui::units;
use crate::wire::Opcode;
use bytes::Bytes;
use serde_json::Value;
use std::ops::Range;

/// What is to be prepared.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) bytes: Bytes,
    /// The frame whose payload it is.
    pub(super) frame: Option<FrameRow>,
    /// Whether tokens in the text are shortened.
    pub(super) hide_tokens: bool,
}

/// A row's bytes in every shape.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) payload: Bytes,
    /// What the text tab shows; differs from the payload where tokens are shortened.
    pub(super) text: Bytes,
    /// The text's lines, where it is too long to be cut in a pass.
    pub(super) lines: Lines,
    pub(super) json: Result<Value, String>,
    /// The format of a payload that is no JSON and is shown as such, and the other one that it could be as well.
    pub(super) packed: Option<(&'static str, Option<&'static str>)>,
    /// Bytes of the payload that are not UTF-8, where it should be; at most [`MOST_BAD`].
    pub(super) bad_utf8: Vec<Range<usize>>,
    /// Whether the last of them may go on in the next frame.
    pub(super) is_split: bool,
    /// Whether people can read it as text.
    pub(super) is_text: bool,
    pub(super) has_tokens: bool,
    /// Bytes of the frame's header in `wire`; 0 without a frame.
    pub(super) header_len: usize,
    /// Header and payload, unmasked and inflated.
    pub(super) wire: Vec<u8>,
    /// The same as it travelled, if it was masked and not compressed.
    pub(super) masked: Option<Vec<u8>>,
    pub(super) fields: Vec<HexField>,
}

impl Prepared {
    /// Whether the JSON is worth a tree: an object or an array.
    pub(super) fn is_tree(&self) -> bool {
        matches!(self.json, Ok(Value::Object(_) | Value::Array(_)))
    }

    /// The name of a tab for this payload.
    pub(super) fn tab_name(&self, tab: Tab) -> &'static str {
        match self.packed {
            Some((format, _)) if tab == Tab::Json => format,
            Some(_) | None => tab.name(),
        }
    }

    /// The payload as a tab shows it, for the clipboard.
    pub(super) fn copy_text(&self, tab: Tab, row: &Row) -> String {
        let plain = || String::from_utf8_lossy(&self.payload).into_owned();
        match (tab, &self.json) {
            (Tab::Json, Ok(value)) if self.payload.len() <= PRETTY_BYTES || self.packed.is_some() => {
                serde_json::to_string_pretty(value).unwrap_or_else(|_| plain())
            }
            (Tab::Json | Tab::Text | Tab::Checks, _) => plain(),
            (Tab::Hex, _) => hex(&self.wire),
            (Tab::Frame, _) => match &row.body {
                RowBody::Frame(frame) => {
                    let lines = frame::header_fields(frame).into_iter().map(|(name, value)| format!("{name}\t{value}"));
                    lines.collect::<Vec<_>>().join("\n")
                }
                RowBody::Fact(_)
                | RowBody::Request { .. }
                | RowBody::Response { .. }
                | RowBody::Opaque { .. }
                | RowBody::Body { .. }
                | RowBody::Violation(_)
                | RowBody::Cut(_) => plain(),
            },
        }
    }
}

/// Prepares a row's bytes.
pub(super) fn prepare(source: Source) -> Prepared {
    let Source { bytes: payload, frame, hide_tokens } = source;
    let is_inflated = frame.as_ref().is_some_and(|frame| frame.inflated.is_some());
    let is_compressed = !is_inflated && frame.as_ref().is_some_and(|frame| frame.compressed || frame.header.rsv1());
    let is_text_message = frame.as_ref().is_some_and(|frame| frame.message == Opcode::Text);
    let is_binary = frame.as_ref().is_some_and(|frame| frame.message == Opcode::Binary);
    let shortened = frame.is_none().then(|| short_tokens_in(&payload)).filter(|short| **short != *payload);
    let has_tokens = shortened.is_some();
    let text = shortened.filter(|_| hide_tokens).map_or_else(|| payload.clone(), Bytes::from);
    let bad = bad_utf8(&payload);
    let is_text = !is_compressed && !payload.contains(&0) && if is_binary { bad.is_empty() } else { bad.len() < 16 };
    let is_split = bad.last().is_some_and(|bad| bad.end == payload.len() && is_cut_character(&payload, bad));
    let is_last = frame.as_ref().is_none_or(|frame| frame.header.fin());
    let is_first = frame.as_ref().is_none_or(|frame| frame.header.opcode() != Opcode::Continuation);
    let mut shown_bad = if is_text_message && !is_compressed { bad } else { Vec::new() };
    // What looks wrong at the seam of two fragments may be one character in two pieces.
    if !is_first {
        shown_bad.retain(|bad| bad.start > 3);
    }
    if !is_last && is_split {
        shown_bad.pop();
    }
    let header = frame.as_ref().map(|frame| frame::header_bytes(&frame.header)).unwrap_or_default();
    let wire = [header.as_slice(), &payload].concat();
    let masked = frame.as_ref().filter(|frame| frame.header.masked() && !is_inflated).map(|frame| {
        let key = frame.header.masking_key.iter().cycle();
        let body = payload.iter().zip(key).map(|(byte, key)| byte ^ key);
        header.iter().copied().chain(body).collect()
    });
    let mut json = if is_compressed { Err("compressed".to_owned()) } else { json(&payload) };
    // A fragment is no whole item.
    let may_be_packed = json.is_err() && is_binary && !is_compressed && is_first && is_last;
    let packed = Some(&payload).filter(|_| may_be_packed).and_then(|payload| packed::read(payload));
    let packed = packed.map(|packed| {
        json = Ok(packed.value);
        (packed.format, packed.or)
    });
    Prepared {
        lines: Lines::of(&text, LONG_COLUMNS),
        json,
        packed,
        bad_utf8: shown_bad,
        is_split: is_split && is_last,
        is_text,
        has_tokens,
        header_len: header.len(),
        fields: frame.as_ref().map(|frame| frame::hex_fields(frame, payload.len())).unwrap_or_default(),
        payload,
        text,
        wire,
        masked,
    }
}

/// Where the text is not UTF-8, in words.
pub(super) fn bad_words(prepared: &Prepared) -> String {
    let Some(first) = prepared.bad_utf8.first() else {
        return String::new();
    };
    let bytes = prepared.payload.get(first.clone()).unwrap_or_default();
    let shown: Vec<String> = bytes.iter().take(4).map(|byte| format!("0x{byte:02X}")).collect();
    let at = units::count(first.start as u64);
    let why = if prepared.is_split && prepared.bad_utf8.len() == 1 { ": a character is cut off" } else { "" };
    let more = match prepared.bad_utf8.len() - 1 {
        0 => String::new(),
        more if more + 1 >= MOST_BAD => format!(", and at {more} more places or more"),
        1 => ", and at 1 more place".to_owned(),
        more => format!(", and at {more} more places"),
    };
    format!("Not UTF-8 at byte {at} ({}){why}{more}", shown.join(" "))
}

fn json(payload: &[u8]) -> Result<Value, String> {
    match payload.trim_ascii_start().first() {
        None => Err("There is no payload".to_owned()),
        Some(b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => {
            serde_json::from_slice(payload).map_err(|error| format!("Not JSON: {error}"))
        }
        Some(_) => Err("Not JSON: it begins with another character than JSON can".to_owned()),
    }
}

fn bad_utf8(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut at = 0;
    let places = bytes.utf8_chunks().filter_map(|chunk| {
        let start = at + chunk.valid().len();
        at = start + chunk.invalid().len();
        (!chunk.invalid().is_empty()).then_some(start..at)
    });
    places.take(MOST_BAD).collect()
}

/// Whether the bytes begin a character and end before its end.
fn is_cut_character(payload: &[u8], bad: &Range<usize>) -> bool {
    let bytes = payload.get(bad.clone()).unwrap_or_default();
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend([byte >> 4, byte & 0x0F].map(|digit| DIGITS[usize::from(digit)]));
    }
    text
}

/// Columns of a text too long to be cut anew for each width; places that are listed; bytes up to which JSON is indented.
const LONG_COLUMNS: usize = 80;
const MOST_BAD: usize = 100;
const PRETTY_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Direction;
    use crate::wire::{FrameHeader, encode_frame};

    fn prepared(first: u8, message: Opcode, key: Option<[u8; 4]>, payload: &[u8]) -> Prepared {
        let wire = encode_frame(first, key, payload);
        let header = FrameHeader::parse(&wire).unwrap();
        let direction = Direction::ClientToServer;
        let bytes = Bytes::copy_from_slice(payload);
        let received = payload.len() as u64;
        let (compressed, preview) = (false, bytes.clone());
        let frame = FrameRow { direction, offset: 0, header, message, compressed, inflated: None, preview, received };
        prepare(Source { bytes, frame: Some(frame), hide_tokens: false })
    }

    #[test]
    fn a_masked_frame_is_rebuilt_byte_for_byte() {
        let key = Some([0x37, 0xFA, 0x21, 0x3D]);
        let payload = vec![b'x'; 300];
        let prepared = prepared(0x81, Opcode::Text, key, &payload);
        assert_eq!(prepared.masked.unwrap(), encode_frame(0x81, key, &payload));
        assert_eq!(prepared.header_len, 8);
        assert_eq!(prepared.wire.len(), 308);
    }

    #[test]
    fn utf8_errors_are_placed() {
        let bad = prepared(0x81, Opcode::Text, None, b"ab\xFFcd\xC3");
        assert_eq!(bad.bad_utf8, [2..3, 5..6]);
        assert_eq!(bad_words(&bad), "Not UTF-8 at byte 2 (0xFF), and at 1 more place");
        let cut = prepared(0x81, Opcode::Text, None, b"ab\xC3");
        assert_eq!(bad_words(&cut), "Not UTF-8 at byte 2 (0xC3): a character is cut off");
        let first = prepared(0x01, Opcode::Text, None, b"ab\xC3");
        assert!(first.bad_utf8.is_empty());
        let last = prepared(0x80, Opcode::Text, None, b"\xBCber");
        assert!(last.bad_utf8.is_empty());
        assert!(prepared(0x82, Opcode::Binary, None, b"\xFF").bad_utf8.is_empty());
    }

    #[test]
    fn json_is_a_tree_or_says_why_not() {
        assert!(prepared(0x81, Opcode::Text, None, b" {\"a\":1}").is_tree());
        let number = prepared(0x81, Opcode::Text, None, b"42");
        assert!(number.json.is_ok() && !number.is_tree());
        let broken = prepared(0x81, Opcode::Text, None, b"{\"a\":}");
        assert!(broken.json.unwrap_err().contains("line 1 column 6"));
        assert!(prepared(0xC1, Opcode::Text, None, b"{}").json.is_err());
    }
}
