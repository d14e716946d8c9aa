//! Rows of the log: what a person reads, made from observations when they are looked at.

use std::sync::Arc;

use bytes::Bytes;

use crate::observation::{Direction, Fact, Moment};
use crate::wire::{Cut, FrameHeader, Opcode, Violation};

/// One row of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its number in the session, from 0.
    pub number: u64,
    /// When it happened.
    pub at: Moment,
    /// What it is.
    pub body: RowBody,
}

/// What a row is.
#[derive(Clone, Debug, PartialEq)]
pub enum RowBody {
    /// A fact that is no bytes: a handshake phase, the end of TCP, a console line, a verdict …
    Fact(Arc<Fact>),
    /// The request, whole.
    Request {
        /// Its bytes.
        raw: Bytes,
    },
    /// A response head, whole (also a 1xx).
    Response {
        /// Its status.
        status: u16,
        /// Its bytes.
        raw: Bytes,
    },
    /// The first bytes of an answer that is not HTTP, or of bytes that are no frames.
    Opaque {
        /// Who sent them.
        direction: Direction,
        /// The beginning.
        raw: Bytes,
    },
    /// The first bytes of a refusal's body.
    Body {
        /// The beginning.
        raw: Bytes,
    },
    /// A frame.
    Frame(FrameRow),
    /// A broken rule.
    Violation(Violation),
    /// The bytes ended in the middle of something.
    Cut(Cut),
}

/// A frame as a row.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameRow {
    /// Who sent it.
    pub direction: Direction,
    /// Offset of its first byte in the direction's bytes after the handshake.
    pub offset: u64,
    /// Its header.
    pub header: FrameHeader,
    /// The opcode of the message it belongs to; its own for control frames.
    pub message: Opcode,
    /// Whether it is a part of a compressed message.
    pub compressed: bool,
    /// How much its payload inflates to; `None` if it is not compressed, or cannot be inflated at all.
    pub inflated: Option<InflatedPart>,
    /// The beginning of its payload, unmasked and inflated, at most [`FrameRow::PREVIEW_BYTES`].
    pub preview: Bytes,
    /// How much of its payload has come.
    pub received: u64,
}

/// What came out of a frame's payload when it was inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflatedPart {
    /// How many bytes.
    pub len_bytes: u64,
    /// Whether that is all; else the rest has not come, or does not inflate.
    pub is_whole: bool,
}

impl FrameRow {
    /// How much of a payload a row holds; the rest is read from the journal.
    pub const PREVIEW_BYTES: usize = 4096;

    /// The length of its payload, inflated where it could be, in bytes.
    pub fn data_len(&self) -> u64 {
        self.inflated.map_or(self.header.payload_len, |inflated| inflated.len_bytes)
    }

    /// Whether the preview is the whole payload.
    pub fn is_preview_whole(&self) -> bool {
        self.data_len() <= self.preview.len() as u64 && self.inflated.is_none_or(|inflated| inflated.is_whole)
    }

    /// Whether the payload is shown as it was on the wire although it is compressed.
    pub fn is_opaque(&self) -> bool {
        self.compressed && self.inflated.is_none()
    }
}
