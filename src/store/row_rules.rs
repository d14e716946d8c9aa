//! Which of the decoder's items are rows: asked when rows are counted and when they are made, so that both agree.

use serde::{Deserialize, Serialize};

use crate::observation::Direction;
use crate::wire::{FrameHeader, Item, Opcode};

/// The state that decides it; a few bytes, kept in every checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct RowRules {
    body_seen: bool,
    opaque_seen: [bool; 2],
    message: [Option<Opcode>; 2],
    frames_end: [u64; 2],
    /// Bytes of each direction before its first frame.
    pub(super) handshake: [u64; 2],
    /// Whether the server's bytes have ended.
    pub(super) read_ended: bool,
}

impl RowRules {
    /// Takes the next item in; whether it is a row.
    pub(super) fn is_row(&mut self, item: &Item<'_>) -> bool {
        match item {
            Item::Frame { direction, offset, header, .. } => {
                let index = direction.index();
                let opcode = header.opcode();
                if !opcode.is_control() && opcode != Opcode::Continuation {
                    self.message[index] = Some(opcode);
                }
                self.frames_end[index] = offset.saturating_add(wire_len(header));
                true
            }
            Item::Payload { .. } | Item::FrameEnd { .. } | Item::Close(_) => false,
            Item::Message(end) => {
                self.message[end.direction.index()] = None;
                false
            }
            Item::Violation(_) | Item::Cut(_) => true,
            Item::Request(_, raw) => {
                self.handshake[0] += raw.len() as u64;
                true
            }
            Item::Interim(_, raw) | Item::Response(_, raw) => {
                self.handshake[1] += raw.len() as u64;
                true
            }
            Item::NotHttp(_) | Item::HeadTooBig(_) => {
                self.opaque_seen[1] = true;
                true
            }
            Item::Body(_) => !std::mem::replace(&mut self.body_seen, true),
            Item::Opaque { direction, .. } => !std::mem::replace(&mut self.opaque_seen[direction.index()], true),
        }
    }

    /// Whether its offsets are such that sums of a few of them fit; for one that was read from a file.
    pub(super) fn is_plausible(&self) -> bool {
        self.frames_end.iter().chain(&self.handshake).all(|number| *number <= 1 << 60)
    }

    /// The opcode of the message that a frame just seen belongs to; its own for control frames.
    pub(super) fn message_of(&self, direction: Direction, opcode: Opcode) -> Opcode {
        match opcode {
            Opcode::Continuation => self.message[direction.index()].unwrap_or(opcode),
            Opcode::Text | Opcode::Binary | Opcode::Close | Opcode::Ping | Opcode::Pong | Opcode::Reserved(_) => opcode,
        }
    }

    /// The opcode of the message of which more frames are to come.
    pub(super) fn open_message(&self, direction: Direction) -> Option<Opcode> {
        self.message[direction.index()]
    }

    /// Where the bytes that follow the frames of a direction begin, the handshake counted.
    pub(super) fn position_after_frames(&self, direction: Direction) -> u64 {
        self.handshake[direction.index()].saturating_add(self.frames_end[direction.index()])
    }
}

/// Bytes that a frame takes up; one with an impossible length has no payload.
fn wire_len(header: &FrameHeader) -> u64 {
    if header.payload_len >> 63 == 0 { header.wire_len() } else { u64::from(header.header_len) }
}
