//! What we send, compressed where the 101 agreed on it (RFC 7692 §7.2.1).

use bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::observation::{Direction, Inflated};
use crate::wire::{Deflate, Deflater};

/// Compresses data messages and counts them; without an agreement they go out as they are.
pub(crate) struct Sending {
    deflater: Option<Deflater>,
    messages: u64,
    wire_bytes: u64,
    plain_bytes: u64,
    noted: (u64, u64),
}

/// After so many payload bytes on the wire, or so many before compression, the window is put into the journal.
const WINDOW_AFTER: (u64, u64) = (1024 * 1024, 16 * 1024 * 1024);

impl Sending {
    pub(crate) fn new(deflate: Option<Deflate>) -> Self {
        let deflater = deflate.and_then(|d| Deflater::new(d.client_max_window_bits, !d.client_no_context_takeover));
        Self { deflater, messages: 0, wire_bytes: 0, plain_bytes: 0, noted: (0, 0) }
    }

    /// The message as it goes out.
    pub(crate) fn prepare(&mut self, message: Message) -> Message {
        let Some(deflater) = &mut self.deflater else { return message };
        let (data, plain) = match &message {
            Message::Text(text) => (Data::Text, text.as_bytes()),
            Message::Binary(bytes) => (Data::Binary, bytes.as_ref()),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => return message,
        };
        let Some(wire) = deflater.message(plain) else { return message };
        self.messages += 1;
        self.wire_bytes += wire.len() as u64;
        self.plain_bytes += plain.len() as u64;
        let mut frame = Frame::message(wire, OpCode::Data(data), true);
        frame.header_mut().rsv1 = true;
        Message::Frame(frame)
    }

    /// What is to be noted after everything so far went out, `written` bytes after the handshake: a window every few MiB.
    pub(crate) fn due(&mut self, written: u64) -> Option<Inflated> {
        let since = (self.wire_bytes - self.noted.0, self.plain_bytes - self.noted.1);
        if since.0 < WINDOW_AFTER.0 && since.1 < WINDOW_AFTER.1 {
            return None;
        }
        self.noted = (self.wire_bytes, self.plain_bytes);
        let window = self.deflater.as_ref().map(|deflater| Bytes::copy_from_slice(deflater.window()));
        Some(self.inflated(written, window))
    }

    /// What was compressed in all, if anything was.
    pub(crate) fn total(&self, written: u64) -> Option<Inflated> {
        (self.messages > 0).then(|| self.inflated(written, None))
    }

    fn inflated(&self, offset: u64, window: Option<Bytes>) -> Inflated {
        Inflated {
            direction: Direction::ClientToServer,
            offset,
            messages: self.messages,
            wire_bytes: self.wire_bytes,
            inflated_bytes: self.plain_bytes,
            window,
        }
    }
}
