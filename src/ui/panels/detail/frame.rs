//! A frame's header, field by field (RFC 6455 §5.2), in the dump and in words; what a Close frame's code means.

use super::sender;
use crate::diagnosis::close_code::{close_code, convention};
use crate::observation::Direction;
use crate::store::{FrameRow, Row, RowBody, View};
use crate::ui::hex_view::HexField;
use crate::ui::panels::parts::{field_ui, section_ui, words_ui};
use crate::ui::panels::row_text::close_words;
use crate::ui::{theme, units, visible};
use crate::wire::{FrameHeader, Opcode};
use egui::{Grid, ScrollArea, Ui, vec2};
use std::ops::Range;

/// The header as it stood on the wire.
pub(super) fn header_bytes(header: &FrameHeader) -> Vec<u8> {
    let mut bytes = Vec::new();
    header.write_to(&mut bytes);
    bytes
}

/// The fields of a frame in a dump of its header and `payload_len` bytes of its payload.
pub(super) fn hex_fields(frame: &FrameRow, payload_len: usize) -> Vec<HexField> {
    let header = &frame.header;
    let header_len = header_bytes(header).len();
    let field =
        |range: Range<usize>, label: &str, meaning: String| HexField { range, label: label.to_owned(), meaning };
    let rsv = if header.rsv() == 0 { String::new() } else { format!(", RSV {:03b}", header.rsv()) };
    let fin = if header.fin() { "FIN" } else { "more frames follow" };
    let opcode = header.opcode();
    let mask = if header.masked() { "masked" } else { "not masked" };
    let short = match header.second & 0x7F {
        126 => "126: the length stands in the next 2 bytes".to_owned(),
        127 => "127: the length stands in the next 8 bytes".to_owned(),
        len => format!("{len} B"),
    };
    let mut fields = vec![
        field(0..1, "FIN, RSV, opcode", format!("{fin}{rsv}, {} (0x{:X})", opcode.word(), opcode.bits())),
        field(1..2, "MASK, length", format!("{mask}, {short}")),
    ];
    let key_at = if header.masked() { header_len - 4 } else { header_len };
    if key_at > 2 {
        fields.push(field(2..key_at, "extended length", format!("{} B", units::count(header.payload_len))));
    }
    if header.masked() {
        fields.push(field(key_at..header_len, "masking-key", key_words(header)));
    }
    let end = header_len + payload_len;
    if opcode == Opcode::Close && payload_len >= 2 {
        fields.push(field(header_len..header_len + 2, "close code", close_words(&frame.preview)));
        if payload_len > 2 {
            fields.push(field(header_len + 2..end, "close reason", "UTF-8 text".to_owned()));
        }
    } else if payload_len > 0 {
        let name = if frame.inflated.is_some() { "payload, inflated" } else { "payload" };
        fields.push(field(header_len..end, name, format!("{} B", units::count(payload_len as u64))));
    }
    fields
}

/// The header in names and values, in wire order.
pub(super) fn header_fields(frame: &FrameRow) -> Vec<(&'static str, String)> {
    let header = &frame.header;
    let opcode = header.opcode();
    let bit = |set: bool, yes: &str, no: &str| if set { format!("1, {yes}") } else { format!("0, {no}") };
    let mut fields =
        vec![("FIN", bit(header.fin(), "the last frame of its message", "more frames of this message follow"))];
    let rsv = header.rsv();
    let compressed = "compressed, where permessage-deflate was negotiated (RFC 7692 §6)";
    fields.push(("RSV1", bit(rsv & 4 != 0, compressed, "not compressed")));
    fields.push((
        "RSV2, RSV3",
        match rsv & 3 {
            0 => "0 0".to_owned(),
            bits => format!("{} {}, must be 0", bits >> 1, bits & 1),
        },
    ));
    let part_of = match opcode {
        Opcode::Continuation => format!(", goes on with a {} message", frame.message.word()),
        Opcode::Reserved(_) => ", must not be used".to_owned(),
        Opcode::Text | Opcode::Binary | Opcode::Close | Opcode::Ping | Opcode::Pong => String::new(),
    };
    fields.push(("Opcode", format!("0x{:X}, {}{part_of}", opcode.bits(), opcode.word())));
    fields.push((
        "MASK",
        match (header.masked(), frame.direction) {
            (true, Direction::ClientToServer) => "1, as a client must".to_owned(),
            (false, Direction::ServerToClient) => "0, as a server must".to_owned(),
            (true, Direction::ServerToClient) => "1, but a server must not mask".to_owned(),
            (false, Direction::ClientToServer) => "0, but a client must mask".to_owned(),
        },
    ));
    let bits = match header.second & 0x7F {
        126 => "16 bits",
        127 => "64 bits",
        _ => "7 bits",
    };
    let minimal = if header.has_minimal_length() { "" } else { ", not the shortest form" };
    fields.push(("Payload length", format!("{} B, written in {bits}{minimal}", units::count(header.payload_len))));
    if let Some(inflated) = frame.inflated {
        let so_far = if inflated.is_whole { "" } else { " so far" };
        fields.push(("Inflated length", format!("{} B{so_far}", units::count(inflated.len_bytes))));
    }
    if header.masked() {
        fields.push(("Masking-key", key_words(header)));
    }
    if frame.received < header.payload_len {
        fields.push(("Received", format!("{} B of it", units::count(frame.received))));
    }
    let whole = units::count(header.wire_len());
    fields.push(("On the wire", format!("{whole} B, {} B of them header", header.header_len)));
    let offset = units::count(frame.offset);
    fields.push(("Offset", format!("{offset} in what {} sent after the handshake", sender(frame.direction))));
    fields
}

/// The tab that explains the frame.
pub(super) fn frame_ui(ui: &mut Ui, view: &View, row: &Row) {
    let RowBody::Frame(frame) = &row.body else {
        return;
    };
    let palette = theme::palette(ui);
    ScrollArea::vertical().id_salt("frame").auto_shrink(false).show(ui, |ui| {
        egui::Frame::NONE.inner_margin(egui::Margin::symmetric(8, 4)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            if frame.header.opcode() == Opcode::Close {
                close_ui(ui, frame);
            }
            for (_, violation) in view
                .story
                .violations
                .iter()
                .filter(|(_, of)| of.direction == frame.direction && of.offset == frame.offset)
            {
                let rule =
                    format!("✗ {} ({})", visible::one_line(&violation.kind.rule(), 400).text, violation.kind.section());
                words_ui(ui, rule, palette.bad);
            }
            let width = (ui.available_width() - 140.0).max(120.0);
            Grid::new("frame fields")
                .num_columns(2)
                .min_row_height(18.0)
                .spacing(vec2(12.0, 2.0))
                .max_col_width(width)
                .show(ui, |ui| {
                    for (name, value) in header_fields(frame) {
                        field_ui(ui, name, &value);
                    }
                });
        });
    });
}

fn close_ui(ui: &mut Ui, frame: &FrameRow) {
    let palette = theme::palette(ui);
    ui.label(theme::strong(close_words(&frame.preview)));
    let code = frame.preview.first_chunk::<2>().map_or(1005, |code| u16::from_be_bytes(*code));
    let code = close_code(code);
    words_ui(ui, code.meaning, palette.text);
    if let Some(habit) = convention(code.code) {
        words_ui(ui, format!("Often used for: {habit}."), palette.text);
    }
    let travels = if code.on_wire || frame.preview.is_empty() { "" } else { " It must not stand in a Close frame." };
    words_ui(ui, format!("Sent by {}. {}.{travels}", code.sender, code.reference), palette.muted);
    section_ui(ui, "Header");
}

fn key_words(header: &FrameHeader) -> String {
    let [a, b, c, d] = header.masking_key;
    format!("{a:02X} {b:02X} {c:02X} {d:02X}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::encode_frame;
    use bytes::Bytes;

    fn frame(wire: &[u8], payload: &[u8]) -> FrameRow {
        let header = FrameHeader::parse(wire).unwrap();
        FrameRow {
            direction: Direction::ServerToClient,
            offset: 7,
            message: header.opcode(),
            header,
            compressed: false,
            inflated: None,
            preview: Bytes::copy_from_slice(payload),
            received: payload.len() as u64,
        }
    }

    #[test]
    fn headers_are_rebuilt_in_every_length() {
        for len in [0, 125, 126, 65_535, 65_536] {
            for key in [None, Some([1, 2, 3, 4])] {
                let wire = encode_frame(0x82, key, &vec![7; len]);
                let header = FrameHeader::parse(&wire).unwrap();
                let bytes = header_bytes(&header);
                assert_eq!(bytes, wire[..bytes.len()]);
                assert_eq!(bytes.len(), usize::from(header.header_len));
            }
        }
    }

    #[test]
    fn fields_cover_header_and_payload_in_order() {
        let wire = encode_frame(0x81, Some([1, 2, 3, 4]), &[b'x'; 200]);
        let fields = hex_fields(&frame(&wire, &[b'x'; 200]), 200);
        let labels: Vec<&str> = fields.iter().map(|field| field.label.as_str()).collect();
        assert_eq!(labels, ["FIN, RSV, opcode", "MASK, length", "extended length", "masking-key", "payload"]);
        let mut at = 0;
        for field in &fields {
            assert_eq!(field.range.start, at);
            at = field.range.end;
        }
        assert_eq!(at, wire.len());
    }

    #[test]
    fn a_close_frame_has_code_and_reason() {
        let wire = encode_frame(0x88, None, b"\x03\xf0bye");
        let fields = hex_fields(&frame(&wire, b"\x03\xf0bye"), 5);
        assert_eq!(fields[2].label, "close code");
        assert_eq!((fields[2].range.clone(), fields[3].range.clone()), (2..4, 4..7));
        assert!(fields[2].meaning.starts_with("1008 Policy Violation"));
    }
}
