//! The witness: turns the bytes of both directions into handshake heads, frames and violations, whatever the cut.
//!
//! It never refuses. It does not keep payloads: they are handed through as they come. Its state between two frames is a
//! few hundred bytes, so that a checkpoint can hold it. Start at [`Decoder::push`].

use serde::{Deserialize, Serialize};

use super::MAX_HEAD_BYTES;
use super::extension::{Deflate, accepted_deflate};
use super::frame::{FrameHeader, Opcode};
use super::frame_reader::{FrameReader, FrameState};
use super::handshake::{HeadOutcome, RequestHead, ResponseHead, parse_request, parse_response};
use super::http_body::{Framing, framing};
use super::violation::Violation;
use crate::observation::Direction;

/// Something that the bytes turned out to be, in wire order.
#[derive(Debug)]
pub enum Item<'a> {
    /// Our request, whole.
    Request(&'a RequestHead, &'a [u8]),
    /// A 1xx response other than 101.
    Interim(&'a ResponseHead, &'a [u8]),
    /// The final response's head.
    Response(&'a ResponseHead, &'a [u8]),
    /// The answer is not HTTP; the bytes that showed it.
    NotHttp(&'a [u8]),
    /// The response's head has no end within [`MAX_HEAD_BYTES`].
    HeadTooBig(&'a [u8]),
    /// Bytes of a refusal's body, raw.
    Body(&'a [u8]),
    /// A frame's header is complete.
    Frame {
        /// Who sent it.
        direction: Direction,
        /// Offset of its first byte in the direction's bytes after the handshake.
        offset: u64,
        /// The header.
        header: &'a FrameHeader,
        /// Whether its payload is a part of a compressed message.
        compressed: bool,
    },
    /// Payload of the frame that is open in this direction, unmasked; still compressed if the frame is.
    Payload {
        /// Who sent it.
        direction: Direction,
        /// The next bytes.
        data: &'a [u8],
        /// Whether they are a part of a compressed message.
        compressed: bool,
    },
    /// The frame that was open in this direction is whole.
    FrameEnd {
        /// Who sent it.
        direction: Direction,
        /// Whether a compressed message ends with it.
        ends_compressed: bool,
        /// Where the next one begins, in bytes of this direction after the handshake.
        next: u64,
    },
    /// A message is whole; comes after its last frame's end.
    Message(MessageEnd),
    /// A Close frame is whole; comes after its end.
    Close(&'a CloseInfo),
    /// A rule was broken.
    Violation(Violation),
    /// Bytes that cannot be read as frames any more.
    Opaque {
        /// Who sent them.
        direction: Direction,
        /// The bytes.
        data: &'a [u8],
    },
    /// The bytes ended in the middle of something.
    Cut(Cut),
}

/// A whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageEnd {
    /// Who sent it.
    pub direction: Direction,
    /// Text or binary.
    pub opcode: Opcode,
    /// Of how many frames it was made.
    pub frames: u64,
    /// Payload bytes on the wire.
    pub len_bytes: u64,
    /// Whether RSV1 was set on its first frame.
    pub rsv1: bool,
}

/// What a Close frame said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseInfo {
    /// Who sent it.
    pub direction: Direction,
    /// Offset of its first byte in the direction's bytes after the handshake.
    pub offset: u64,
    /// The close code, if there was one.
    pub code: Option<u16>,
    /// The close reason, lossy UTF-8.
    pub reason: String,
}

/// Where the bytes of a direction ended, if not between two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Inside a frame's header.
    Header {
        /// Offset of the frame.
        offset: u64,
        /// Bytes of the header that came.
        received: u8,
    },
    /// Inside a frame's payload.
    Payload {
        /// Offset of the frame.
        offset: u64,
        /// Announced payload length.
        declared: u64,
        /// Payload bytes that came.
        received: u64,
    },
    /// Between two fragments of a message.
    Fragment {
        /// Frames of the message that came.
        frames: u64,
        /// Payload bytes that came.
        received: u64,
    },
}

/// Both directions of one connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decoder {
    request: Vec<u8>,
    request_done: bool,
    response: Response,
    interim_heads: u32,
    deflate: Option<Deflate>,
    directions: [FrameReader; 2],
    wire_bytes: [u64; 2],
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            request: Vec::new(),
            request_done: false,
            response: Response::Head { bytes: Vec::new(), scanned: 0 },
            interim_heads: 0,
            deflate: None,
            directions: [FrameReader::new(Direction::ClientToServer), FrameReader::new(Direction::ServerToClient)],
            wire_bytes: [0; 2],
        }
    }
}

/// No offset and no count of a plausible state is larger, so that sums of a few of them fit.
pub(super) const MAX_NUMBER: u64 = 1 << 60;

/// How many 1xx heads are read before what follows is bytes without a meaning.
const MAX_INTERIM_HEADS: u32 = 16;

/// Where the answer of the server stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Response {
    Head { bytes: Vec<u8>, scanned: usize },
    Body,
    Frames,
    Opaque,
}

impl Decoder {
    /// Takes the next bytes of one direction and reports what they turned out to be.
    pub fn push(&mut self, direction: Direction, bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        match direction {
            Direction::ClientToServer => self.push_request(bytes, sink),
            Direction::ServerToClient => self.push_response(bytes, sink),
        }
    }

    /// The bytes of a direction will not go on; reports a cut.
    pub fn end(&mut self, direction: Direction, sink: &mut impl FnMut(Item<'_>)) {
        if self.in_frames() {
            self.directions[direction.index()].end(sink);
        }
    }

    /// Whether the opening handshake is over and frames travel.
    pub fn in_frames(&self) -> bool {
        matches!(self.response, Response::Frames)
    }

    /// What permessage-deflate was accepted with, if it was.
    pub fn deflate(&self) -> Option<Deflate> {
        self.deflate
    }

    /// A decoder that stands between two messages of a direction, at this offset of its bytes after the handshake.
    pub fn between_messages(direction: Direction, offset: u64, deflate: Deflate) -> Self {
        let mut decoder =
            Self { request_done: true, response: Response::Frames, deflate: Some(deflate), ..Self::default() };
        decoder.directions[direction.index()].go_on_at(offset);
        decoder
    }

    /// Whether the state is small enough for a checkpoint: no head is being read.
    pub fn is_compact(&self) -> bool {
        self.request.is_empty()
            && match &self.response {
                Response::Head { bytes, .. } => bytes.is_empty(),
                Response::Body | Response::Frames | Response::Opaque => true,
            }
    }

    /// Whether this is a state that a checkpoint can hold; for one that was read from a file.
    pub fn is_plausible(&self) -> bool {
        let directions = [Direction::ClientToServer, Direction::ServerToClient];
        self.is_compact()
            && self.wire_bytes.iter().all(|bytes| *bytes <= MAX_NUMBER)
            && self.directions.iter().zip(directions).all(|(reader, direction)| reader.is_plausible(direction))
    }

    /// Where a direction stands; `None` unless its bytes are frames whose payloads stand in them as they are.
    pub fn frame_state(&self, direction: Direction) -> Option<FrameState> {
        if self.in_frames() { self.directions[direction.index()].state() } else { None }
    }

    /// How many bytes of a direction came after the opening handshake.
    pub fn wire_bytes(&self, direction: Direction) -> u64 {
        self.wire_bytes[direction.index()]
    }

    fn push_frames(&mut self, direction: Direction, bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        self.wire_bytes[direction.index()] += bytes.len() as u64;
        self.directions[direction.index()].push(bytes, sink);
    }

    fn push_request(&mut self, bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        if self.request_done {
            self.push_frames(Direction::ClientToServer, bytes, sink);
            return;
        }
        self.request.extend_from_slice(bytes);
        let Some(head) = parse_request(&self.request) else {
            return;
        };
        self.request_done = true;
        let buffer = std::mem::take(&mut self.request);
        let (raw, rest) = buffer.split_at(head.len_bytes);
        sink(Item::Request(&head, raw));
        if !rest.is_empty() {
            self.push_frames(Direction::ClientToServer, rest, sink);
        }
    }

    fn push_response(&mut self, bytes: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        match &mut self.response {
            Response::Frames => self.push_frames(Direction::ServerToClient, bytes, sink),
            Response::Body => sink(Item::Body(bytes)),
            Response::Opaque => sink(Item::Opaque { direction: Direction::ServerToClient, data: bytes }),
            Response::Head { bytes: buffer, scanned } => {
                buffer.extend_from_slice(bytes);
                if !head_may_be_whole(buffer, scanned) {
                    return;
                }
                let buffer = std::mem::take(buffer);
                self.read_response(&buffer, sink);
            }
        }
    }

    fn read_response(&mut self, buffer: &[u8], sink: &mut impl FnMut(Item<'_>)) {
        match parse_response(buffer) {
            HeadOutcome::Partial => {
                let scanned = buffer.len();
                self.response = Response::Head { bytes: buffer.to_vec(), scanned };
            }
            HeadOutcome::NotHttp => {
                self.response = Response::Opaque;
                sink(Item::NotHttp(buffer));
            }
            HeadOutcome::TooBig => {
                self.response = Response::Opaque;
                sink(Item::HeadTooBig(buffer));
            }
            HeadOutcome::Head(head) => {
                let (raw, rest) = buffer.split_at(head.len_bytes);
                if head.status == 101 {
                    self.response = Response::Frames;
                    self.set_deflate(&head);
                    sink(Item::Response(&head, raw));
                } else if (100..200).contains(&head.status) {
                    self.interim_heads += 1;
                    // An endless row of them says no more than the first few.
                    self.response = if self.interim_heads < MAX_INTERIM_HEADS {
                        Response::Head { bytes: Vec::new(), scanned: 0 }
                    } else {
                        Response::Opaque
                    };
                    sink(Item::Interim(&head, raw));
                } else {
                    self.response = match framing(&head) {
                        Framing::None => Response::Opaque,
                        Framing::Length(_) | Framing::Chunked | Framing::UntilEnd => Response::Body,
                    };
                    sink(Item::Response(&head, raw));
                }
                if !rest.is_empty() {
                    self.push_response(rest, sink);
                }
            }
        }
    }

    fn set_deflate(&mut self, head: &ResponseHead) {
        let accepted: Vec<&str> = head.values("sec-websocket-extensions").collect();
        self.deflate = accepted_deflate(&accepted.join(", "));
        for direction in &mut self.directions {
            direction.deflate = self.deflate.is_some();
        }
    }
}

/// Whether it is worth looking for the head again: linear however the bytes are cut.
fn head_may_be_whole(buffer: &[u8], scanned: &mut usize) -> bool {
    let from = scanned.saturating_sub(3);
    *scanned = buffer.len();
    let fresh = &buffer[from..];
    buffer.len() <= 16
        || from < 16
        || buffer.len() > MAX_HEAD_BYTES
        || fresh.windows(2).any(|w| w == b"\n\n")
        || fresh.windows(3).any(|w| w == b"\n\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::encode_frame;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    const ACCEPT: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

    /// What the server's bytes after the 101 turn out to be, in words, with payload pieces joined.
    fn items(frames: &[u8], cut: usize) -> Vec<String> {
        let mut decoder = Decoder::default();
        let mut out: Vec<String> = Vec::new();
        let mut payload = Vec::new();
        let mut opaque = 0;
        let mut sink = |item: Item<'_>| match item {
            Item::Payload { data, .. } => payload.extend_from_slice(data),
            Item::Opaque { data, .. } => opaque += data.len(),
            Item::FrameEnd { .. } => {
                out.push(format!("end {:?}", String::from_utf8_lossy(&std::mem::take(&mut payload))));
            }
            Item::Frame { offset, header, .. } => {
                out.push(format!("frame @{offset} {:02x} {}", header.first, header.payload_len));
            }
            // Previews hold as much as came at once.
            Item::Violation(v) => out.push(format!("violation @{} {}", v.offset, v.kind.cause_id())),
            other => out.push(format!("{other:?}")),
        };
        decoder.push(Direction::ClientToServer, REQUEST, &mut sink);
        let mut bytes = ACCEPT.to_vec();
        bytes.extend_from_slice(frames);
        for piece in bytes.chunks(cut) {
            decoder.push(Direction::ServerToClient, piece, &mut sink);
        }
        decoder.end(Direction::ServerToClient, &mut sink);
        out.push(format!("opaque {opaque}"));
        out.drain(..2);
        out
    }

    fn causes(frames: &[u8]) -> Vec<String> {
        let whole = items(frames, usize::MAX);
        for cut in [1, 2, 3, 5, 7, 11, 64] {
            assert_eq!(items(frames, cut), whole, "cut by {cut}: {frames:02x?}");
        }
        let violations = whole.iter().filter_map(|w| w.strip_prefix("violation @"));
        violations.filter_map(|w| w.split(' ').nth(1)).map(str::to_owned).collect()
    }

    #[test]
    fn fragmented_message_with_a_ping_inside_is_legal() {
        let frames = [&[0x01, 3, b'H', b'e', b'l'][..], &[0x89, 1, b'p'], &[0x80, 2, b'l', b'o']].concat();
        let expected = [
            "frame @0 01 3",
            "end \"Hel\"",
            "frame @5 89 1",
            "end \"p\"",
            "frame @8 80 2",
            "end \"lo\"",
            "Message(MessageEnd { direction: ServerToClient, opcode: Text, frames: 2, len_bytes: 5, rsv1: false })",
            "opaque 0",
        ];
        assert_eq!(items(&frames, usize::MAX), expected);
    }

    #[test]
    fn each_broken_rule_is_named() {
        let check = |frames: &[u8], expected: &[&str]| assert_eq!(causes(frames), expected, "{frames:02x?}");
        check(&encode_frame(0x81, Some([1, 2, 3, 4]), b"hi"), &["proto-masked-server"]);
        check(&[0xC1, 1, b'a'], &["proto-rsv1-no-deflate"]);
        check(&[0xB1, 1, b'a'], &["proto-rsv2-3"]);
        check(&[0x83, 1, b'a'], &["proto-bad-opcode"]);
        check(&[0x8B, 1, b'a'], &["proto-bad-opcode"]);
        check(&[0x09, 1, b'a'], &["proto-control-fragmented"]);
        check(&encode_frame(0x89, None, &[0; 126]), &["proto-control-too-long"]);
        check(&encode_frame(0x88, None, &[[3, 0xE8].as_slice(), &[b'a'; 124]].concat()), &["close-too-long"]);
        check(&[0x80, 1, b'a'], &["proto-continuation"]);
        check(&[0x01, 1, b'a', 0x81, 1, b'b'], &["proto-interleaved-data"]);
        check(&[0x81, 2, 0xC3, 0x28], &["proto-bad-utf8"]);
        check(&[0x81, 1, 0xC3], &["proto-bad-utf8"]);
        check(&[0x01, 1, 0xC3, 0x80, 1, 0xA9], &[]);
        check(&[0x81, 126, 0, 1, b'a'], &["proto-nonminimal-length"]);
        check(&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3], &["proto-length-highbit"]);
        check(&[0x88, 1, 3], &["close-1byte"]);
        check(&[0x88, 3, 3, 0xE8, 0xFF], &["close-bad-utf8"]);
        check(&[0x88, 2, 3, 0xED], &["close-illegal-code"]);
        check(&[0x88, 2, 3, 0xE8, 0x81, 1, b'a'], &["data-after-close"]);
        check(&[0x88, 2, 3, 0xE8, 0x89, 0], &[]);
        check(b"\x88\x02\x03\xe8<html>", &["garbage-after-close"]);
        check(b"\x88\x02\x03\xe8\xff\xff\xff\xff", &["garbage-after-close"]);
        check(b"HTTP/1.1 500 Internal Server Error\r\n\r\n", &["http-body-after-101"]);
        check(b"\x81\x01a<!DOCTYPE html>", &["two-writers-interleave"]);
        check(b"{\"error\":1}", &["http-body-after-101"]);
        check(b"<\x02ab", &["proto-rsv2-3", "proto-bad-opcode"]);
    }

    #[test]
    fn cuts_are_placed() {
        let last = |frames: &[u8]| items(frames, 1).iter().rev().nth(1).cloned().unwrap_or_default();
        assert_eq!(last(&[0x81]), "Cut(Header { offset: 0, received: 1 })");
        assert_eq!(last(&[0x81, 0, 0x82, 10, 1, 2]), "Cut(Payload { offset: 2, declared: 10, received: 2 })");
        assert_eq!(last(&[0x01, 1, b'a']), "Cut(Fragment { frames: 1, received: 1 })");
    }

    #[test]
    fn an_endless_row_of_interim_heads_is_cut() {
        let bytes = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000);
        let (mut interim, mut opaque) = (0, 0);
        Decoder::default().push(Direction::ServerToClient, &bytes, &mut |item| match item {
            Item::Interim(..) => interim += 1,
            Item::Opaque { data, .. } => opaque += data.len(),
            _ => {}
        });
        assert_eq!((interim, opaque), (16, bytes.len() - 16 * 28));
    }

    #[test]
    fn refusals_and_interim_answers_are_told_apart() {
        let words = |bytes: &[u8]| {
            let mut out = Vec::new();
            Decoder::default().push(Direction::ServerToClient, bytes, &mut |item| {
                out.push(format!("{item:?}").split(['(', ' ']).next().unwrap_or("").to_owned());
            });
            out
        };
        assert_eq!(words(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno"), ["Response", "Body"]);
        let early = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 X\r\n\r\n\x89\0";
        assert_eq!(words(early), ["Interim", "Response", "Frame", "FrameEnd"]);
        assert_eq!(words(b"HTTP/1.1 000 What\r\nContent-Length: 2\r\n\r\nno"), ["Response", "Body"]);
        assert_eq!(words(b"SSH-2.0-x\r\n"), ["NotHttp"]);
    }

    #[test]
    fn random_bytes_never_panic_and_any_cut_is_equal() {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        for _ in 0..3_000 {
            let mut bytes: Vec<u8> = (0..next() % 60).map(|_| next() as u8).collect();
            for at in (0..bytes.len()).step_by(3) {
                if next() % 2 == 0 {
                    bytes[at] = [0x81, 0x01, 0x80, 0x88, 2, 3, b'H', b'<', 126][next() as usize % 9];
                }
            }
            let _: Vec<String> = causes(&bytes);
        }
    }
}
