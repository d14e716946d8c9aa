//! The frames of one direction, read and judged as their bytes come (RFC 6455 §5).

use serde::{Deserialize, Serialize};

use super::decoder::{CloseInfo, Cut, Item, MAX_NUMBER, MessageEnd};
use super::frame::{FrameHeader, Opcode, is_legal_close_code};
use super::sniff::looks_like_http_or_html;
use super::utf8::Utf8Checker;
use super::violation::{Violation, ViolationKind};
use crate::observation::Direction;

/// The frames of one direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own, all combinations occur")]
pub(super) struct FrameReader {
    direction: Direction,
    pub(super) deflate: bool,
    /// Whether the payload of the open frame is a part of a compressed message.
    compressed: bool,
    pending: [u8; 14],
    pending_len: u8,
    in_payload: bool,
    opaque: bool,
    close_seen: bool,
    offset: u64,
    header: FrameHeader,
    left: u64,
    whole_frames: u64,
    open: Option<OpenMessage>,
    control: Vec<u8>,
    #[serde(skip)]
    scratch: Vec<u8>,
}

/// Where a direction stands between two bytes.
#[derive(Clone, Copy, Debug)]
pub struct FrameState {
    /// The beginning of a header that is not whole.
    pub pending: [u8; 14],
    /// How many bytes of it came.
    pub pending_len: u8,
    /// How many bytes of the open frame's payload are still to come.
    pub left: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct OpenMessage {
    opcode: Opcode,
    rsv1: bool,
    frames: u64,
    len_bytes: u64,
    utf8: Utf8Checker,
}

impl FrameReader {
    pub(super) fn new(direction: Direction) -> Self {
        Self {
            direction,
            deflate: false,
            compressed: false,
            pending: [0; 14],
            pending_len: 0,
            in_payload: false,
            opaque: false,
            close_seen: false,
            offset: 0,
            header: FrameHeader::default(),
            left: 0,
            whole_frames: 0,
            open: None,
            control: Vec::new(),
            scratch: Vec::new(),
        }
    }

    /// Whether bytes of this direction can lead to this state, as far as it matters to those that follow.
    pub(super) fn is_plausible(&self, direction: Direction) -> bool {
        let left_of = if self.in_payload { self.header.payload_len } else { u64::MAX };
        let open = self.open.map_or([0; 2], |open| [open.frames, open.len_bytes]);
        let numbers = [self.offset, self.left, self.whole_frames, self.header.payload_len, open[0], open[1]];
        self.direction == direction
            && numbers.iter().all(|number| *number <= MAX_NUMBER)
            && usize::from(self.pending_len) < self.pending.len()
            && self.control.len() <= 125
            && self.header.header_len <= 14
            && self.left <= left_of
            && self.open.is_none_or(|open| open.utf8.is_plausible())
    }

    pub(super) fn state(&self) -> Option<FrameState> {
        let left = if self.in_payload { self.left } else { 0 };
        let state = FrameState { pending: self.pending, pending_len: self.pending_len, left };
        (!self.opaque && !self.deflate).then_some(state)
    }

    /// Stands between two messages, at this offset, with permessage-deflate.
    pub(super) fn go_on_at(&mut self, offset: u64) {
        self.offset = offset;
        self.deflate = true;
    }

    pub(super) fn push(&mut self, mut bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        while !bytes.is_empty() {
            if self.opaque {
                sink(Item::Opaque { direction: self.direction, data: bytes });
                return;
            }
            bytes = if self.in_payload { self.take_payload(bytes, sink) } else { self.take_header(bytes, sink) };
        }
    }

    fn take_payload<'b>(&mut self, bytes: &'b [u8], sink: &mut impl FnMut(Item<'_>)) -> &'b [u8] {
        let take = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
        let (piece, rest) = bytes.split_at(take);
        if self.header.masked() {
            let done = self.header.payload_len - self.left;
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.clear();
            let key = self.header.masking_key;
            scratch.extend(piece.iter().enumerate().map(|(i, b)| b ^ key[((done + i as u64) & 3) as usize]));
            self.judge_payload(&scratch, sink);
            sink(Item::Payload { direction: self.direction, data: &scratch, compressed: self.compressed });
            if scratch.capacity() <= 64 * 1024 {
                scratch.clear();
                self.scratch = scratch;
            }
        } else {
            self.judge_payload(piece, sink);
            sink(Item::Payload { direction: self.direction, data: piece, compressed: self.compressed });
        }
        self.left -= take as u64;
        if self.left == 0 {
            self.end_frame(sink);
        }
        rest
    }

    fn take_header<'b>(&mut self, bytes: &'b [u8], sink: &mut impl FnMut(Item<'_>)) -> &'b [u8] {
        let have = usize::from(self.pending_len);
        let suspicious = self.direction == Direction::ServerToClient
            && matches!(if have > 0 { self.pending[0] } else { bytes[0] }, b'H' | b'<' | b'{');
        if have == 0
            && !suspicious
            && let Some(header) = FrameHeader::parse(bytes)
        {
            let rest = &bytes[usize::from(header.header_len)..];
            return if self.begin_frame(header, bytes, sink) { rest } else { bytes };
        }
        // Byte by byte: the header is cut, or may turn out to be text.
        self.pending[have] = bytes[0];
        self.pending_len += 1;
        let rest = &bytes[1..];
        let len = have + 1;
        let pending = self.pending;
        let seen = &pending[..len];
        if suspicious {
            match looks_like_http_or_html(seen) {
                Some(true) => {
                    self.pending_len = 0;
                    let mut preview = seen.to_vec();
                    preview.extend_from_slice(&rest[..rest.len().min(64)]);
                    self.found_text(&preview, sink);
                    sink(Item::Opaque { direction: self.direction, data: seen });
                    return rest;
                }
                None => return rest,
                Some(false) => {}
            }
        }
        let Some(header) = FrameHeader::parse(seen) else {
            if self.close_seen && self.is_no_frame(seen[0], seen.get(1).copied()) {
                self.pending_len = 0;
                self.found_garbage(seen, sink);
                sink(Item::Opaque { direction: self.direction, data: seen });
            }
            return rest;
        };
        self.pending_len = 0;
        if !self.begin_frame(header, seen, sink) {
            sink(Item::Opaque { direction: self.direction, data: seen });
            return rest;
        }
        // Looking for text may have taken bytes that belong to the payload.
        let extra = &seen[usize::from(header.header_len)..];
        if !extra.is_empty() {
            self.push(extra, sink);
        }
        rest
    }

    fn found_text(&mut self, preview: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let preview = String::from_utf8_lossy(&preview[..preview.len().min(64)]).into_owned();
        let kind = if self.close_seen {
            ViolationKind::GarbageAfterClose { preview }
        } else {
            ViolationKind::TextAmongFrames { after_frames: self.whole_frames, preview }
        };
        self.violation(kind, sink);
        self.opaque = true;
    }

    fn violation(&self, kind: ViolationKind, sink: &mut impl FnMut(Item<'_>)) {
        sink(Item::Violation(Violation { direction: self.direction, offset: self.offset, kind }));
    }

    /// Whether these two bytes can begin no frame of this direction.
    fn is_no_frame(&self, first: u8, second: Option<u8>) -> bool {
        let from_server = self.direction == Direction::ServerToClient;
        matches!(Opcode::from_bits(first), Opcode::Reserved(_))
            || first & 0x30 != 0
            || second.is_some_and(|second| (second & 0x80 != 0) == from_server)
    }

    fn found_garbage(&mut self, seen: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let preview = String::from_utf8_lossy(&seen[..seen.len().min(64)]).into_owned();
        self.violation(ViolationKind::GarbageAfterClose { preview }, sink);
        self.opaque = true;
    }

    /// Begins a frame; `false` if the bytes are no frame and nothing was taken.
    fn begin_frame(&mut self, header: FrameHeader, seen: &[u8], sink: &mut impl FnMut(Item<'_>)) -> bool {
        let from_server = self.direction == Direction::ServerToClient;
        let opcode = header.opcode();
        if self.close_seen && self.is_no_frame(header.first, Some(header.second)) {
            self.found_garbage(seen, sink);
            return false;
        }
        self.header = header;
        self.compressed = self.deflate
            && match opcode {
                Opcode::Text | Opcode::Binary => header.rsv1(),
                Opcode::Continuation => self.open.is_some_and(|open| open.rsv1),
                Opcode::Close | Opcode::Ping | Opcode::Pong | Opcode::Reserved(_) => false,
            };
        let (direction, offset, compressed) = (self.direction, self.offset, self.compressed);
        sink(Item::Frame { direction, offset, header: &header, compressed });
        if header.first & 0x70 != 0 || header.masked() == from_server || !matches!(header.second & 0x7F, 0..=125) {
            self.judge_bits(&header, sink);
        }
        if opcode.is_control() {
            self.judge_control(&header, sink);
        } else {
            self.judge_data(&header, sink);
        }
        if header.payload_len >> 63 != 0 {
            self.violation(ViolationKind::LengthHighBit { len_bytes: header.payload_len }, sink);
            self.opaque = true;
            return true;
        }
        self.left = header.payload_len;
        self.in_payload = true;
        if self.left == 0 {
            self.end_frame(sink);
        }
        true
    }

    /// Mask, reserved bits and the form of the length.
    fn judge_bits(&self, header: &FrameHeader, sink: &mut impl FnMut(Item<'_>)) {
        match (self.direction, header.masked()) {
            (Direction::ServerToClient, true) => self.violation(ViolationKind::MaskedByServer, sink),
            (Direction::ClientToServer, false) => self.violation(ViolationKind::UnmaskedByClient, sink),
            _ => {}
        }
        if header.rsv() & 3 != 0 {
            self.violation(ViolationKind::Rsv2Or3 { rsv: header.rsv() }, sink);
        } else if header.rsv1() {
            if !self.deflate {
                self.violation(ViolationKind::Rsv1WithoutDeflate, sink);
            } else if header.opcode().is_control() || header.opcode() == Opcode::Continuation {
                self.violation(ViolationKind::Rsv1OnContinuation, sink);
            }
        }
        if !header.has_minimal_length() {
            self.violation(ViolationKind::NonMinimalLength { len_bytes: header.payload_len }, sink);
        }
    }

    fn judge_control(&mut self, header: &FrameHeader, sink: &mut impl FnMut(Item<'_>)) {
        self.control.clear();
        if let Opcode::Reserved(opcode) = header.opcode() {
            self.violation(ViolationKind::ReservedOpcode { opcode }, sink);
            return;
        }
        if !header.fin() {
            self.violation(ViolationKind::ControlFragmented, sink);
        }
        if header.payload_len > 125 {
            let len_bytes = header.payload_len;
            let kind = if header.opcode() == Opcode::Close {
                ViolationKind::CloseTooLong { len_bytes }
            } else {
                ViolationKind::ControlTooLong { len_bytes }
            };
            self.violation(kind, sink);
        }
    }

    fn judge_data(&mut self, header: &FrameHeader, sink: &mut impl FnMut(Item<'_>)) {
        if self.close_seen {
            self.violation(ViolationKind::DataAfterClose, sink);
        }
        match header.opcode() {
            Opcode::Reserved(opcode) => self.violation(ViolationKind::ReservedOpcode { opcode }, sink),
            Opcode::Continuation => match &mut self.open {
                Some(open) => {
                    open.frames += 1;
                    open.len_bytes = open.len_bytes.saturating_add(header.payload_len);
                }
                None => self.violation(ViolationKind::ContinuationWithoutStart, sink),
            },
            opcode => {
                if self.open.is_some() {
                    self.violation(ViolationKind::InterleavedData, sink);
                }
                self.open = Some(OpenMessage {
                    opcode,
                    rsv1: header.rsv1(),
                    frames: 1,
                    len_bytes: header.payload_len,
                    utf8: Utf8Checker::default(),
                });
            }
        }
    }

    fn judge_payload(&mut self, piece: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        let opcode = self.header.opcode();
        if opcode.is_control() {
            let room = 125_usize.saturating_sub(self.control.len());
            self.control.extend_from_slice(&piece[..piece.len().min(room)]);
            return;
        }
        if matches!(opcode, Opcode::Reserved(_)) {
            return;
        }
        let Some(open) = &mut self.open else {
            return;
        };
        if open.opcode == Opcode::Text
            && !open.rsv1
            && let Some(at) = open.utf8.push(piece)
        {
            self.violation(ViolationKind::BadUtf8 { at }, sink);
        }
    }

    fn end_frame(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        let header = self.header;
        let frame_offset = self.offset;
        let ends_compressed = self.compressed && header.fin();
        let next = frame_offset + header.wire_len();
        sink(Item::FrameEnd { direction: self.direction, ends_compressed, next });
        match header.opcode() {
            Opcode::Close => self.end_close(frame_offset, sink),
            Opcode::Text | Opcode::Binary | Opcode::Continuation if header.fin() => self.end_message(sink),
            _ => {}
        }
        self.in_payload = false;
        self.whole_frames += 1;
        self.offset = next;
    }

    fn end_message(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        let Some(mut open) = self.open.take() else {
            return;
        };
        if open.opcode == Opcode::Text
            && !open.rsv1
            && let Some(at) = open.utf8.finish()
        {
            self.violation(ViolationKind::BadUtf8 { at }, sink);
        }
        sink(Item::Message(MessageEnd {
            direction: self.direction,
            opcode: open.opcode,
            frames: open.frames,
            len_bytes: open.len_bytes,
            rsv1: open.rsv1,
        }));
    }

    fn end_close(&mut self, offset: u64, sink: &mut impl FnMut(Item<'_>)) {
        let payload = std::mem::take(&mut self.control);
        let code = payload.first_chunk().map(|two| u16::from_be_bytes(*two));
        let reason_bytes = payload.get(2..).unwrap_or(&[]);
        let info = CloseInfo {
            direction: self.direction,
            offset,
            code,
            reason: String::from_utf8_lossy(reason_bytes).into_owned(),
        };
        if payload.len() == 1 {
            self.violation(ViolationKind::CloseOneByte, sink);
        }
        if let Some(code) = code {
            if !is_legal_close_code(code) {
                self.violation(ViolationKind::CloseIllegalCode { code }, sink);
            }
            if std::str::from_utf8(reason_bytes).is_err() && self.header.payload_len <= 125 {
                self.violation(ViolationKind::CloseBadUtf8 { code }, sink);
            }
        }
        self.close_seen = true;
        sink(Item::Close(&info));
    }

    pub(super) fn end(&mut self, sink: &mut impl FnMut(Item<'_>)) {
        if self.opaque {
            return;
        }
        if self.close_seen && self.pending_len > 0 {
            let preview = String::from_utf8_lossy(&self.pending[..usize::from(self.pending_len)]).into_owned();
            self.violation(ViolationKind::GarbageAfterClose { preview }, sink);
            return;
        }
        let cut = if self.in_payload {
            Cut::Payload {
                offset: self.offset,
                declared: self.header.payload_len,
                received: self.header.payload_len - self.left,
            }
        } else if self.pending_len > 0 {
            Cut::Header { offset: self.offset, received: self.pending_len }
        } else if let Some(open) = self.open.filter(|_| !self.close_seen) {
            Cut::Fragment { frames: open.frames, received: open.len_bytes }
        } else {
            return;
        };
        sink(Item::Cut(cut));
    }
}
