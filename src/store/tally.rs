//! Counts of one direction.

use crate::observation::Moment;
use crate::wire::{FrameHeader, Opcode};

/// What travelled in one direction after the handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Frames whose header was complete.
    pub frames: u64,
    /// Whole messages.
    pub messages: u64,
    /// Payload bytes of data frames, as announced.
    pub data_bytes: u64,
    /// All bytes after the handshake.
    pub wire_bytes: u64,
    /// Text, binary and continuation frames.
    pub data_frames: u64,
    /// Pings.
    pub pings: u64,
    /// Pongs.
    pub pongs: u64,
    /// Moment of the first frame.
    pub first_at: Option<Moment>,
    /// Moment of the last frame.
    pub last_at: Option<Moment>,
    /// Moment of the last ping.
    pub last_ping_at: Option<Moment>,
    /// Moment of the last pong.
    pub last_pong_at: Option<Moment>,
}

impl Tally {
    /// Counts a frame.
    pub fn count(&mut self, at: Moment, header: &FrameHeader) {
        self.frames += 1;
        self.first_at.get_or_insert(at);
        self.last_at = Some(at);
        match header.opcode() {
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                self.data_frames += 1;
                self.data_bytes = self.data_bytes.saturating_add(header.payload_len);
            }
            Opcode::Ping => {
                self.pings += 1;
                self.last_ping_at = Some(at);
            }
            Opcode::Pong => {
                self.pongs += 1;
                self.last_pong_at = Some(at);
            }
            Opcode::Close | Opcode::Reserved(_) => {}
        }
    }
}
