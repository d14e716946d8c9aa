//! Every rule of RFC 6455 and RFC 7692 that a peer can break after the 101, with its section and what Chrome does.

use serde::{Deserialize, Serialize};

use crate::observation::Direction;

/// One broken rule at its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Who sent it.
    pub direction: Direction,
    /// Offset of the frame's first byte in that direction's bytes after the handshake.
    pub offset: u64,
    /// Which rule.
    pub kind: ViolationKind,
}

/// Which rule was broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum ViolationKind {
    /// A server masked a frame.
    MaskedByServer,
    /// A client did not mask a frame.
    UnmaskedByClient,
    /// RSV1 although permessage-deflate was not negotiated.
    Rsv1WithoutDeflate,
    /// RSV1 on a continuation or control frame, with permessage-deflate negotiated.
    Rsv1OnContinuation,
    /// A compressed message that does not inflate.
    DeflateCorrupt {
        /// How many bytes of it could be inflated.
        inflated_bytes: u64,
    },
    /// RSV2 or RSV3.
    Rsv2Or3 {
        /// The three reserved bits, RSV1 the highest.
        rsv: u8,
    },
    /// A reserved opcode.
    ReservedOpcode {
        /// Its four bits.
        opcode: u8,
    },
    /// A control frame without FIN.
    ControlFragmented,
    /// A ping or pong with more than 125 bytes.
    ControlTooLong {
        /// The announced length.
        len_bytes: u64,
    },
    /// A Close frame with more than 125 bytes.
    CloseTooLong {
        /// The announced length.
        len_bytes: u64,
    },
    /// A continuation frame with no message to continue.
    ContinuationWithoutStart,
    /// A new message before the last one was finished.
    InterleavedData,
    /// Text that is not UTF-8.
    BadUtf8 {
        /// Offset of the first wrong byte in the message.
        at: u64,
    },
    /// A length not written in its shortest form.
    NonMinimalLength {
        /// The length.
        len_bytes: u64,
    },
    /// A 64-bit length with the highest bit set; nothing after it can be read.
    LengthHighBit {
        /// The eight bytes as a number.
        len_bytes: u64,
    },
    /// A Close frame with a payload of one byte.
    CloseOneByte,
    /// A close reason that is not UTF-8.
    CloseBadUtf8 {
        /// The code beside it.
        code: u16,
    },
    /// A close code that may not stand on the wire.
    CloseIllegalCode {
        /// The code.
        code: u16,
    },
    /// A data frame after a Close frame.
    DataAfterClose,
    /// Bytes after a Close frame that are no frame.
    GarbageAfterClose {
        /// The beginning, lossy UTF-8.
        preview: String,
    },
    /// HTTP or HTML text where a frame should begin.
    TextAmongFrames {
        /// How many whole frames came before it.
        after_frames: u64,
        /// The beginning of the text, at most 64 bytes.
        preview: String,
    },
}

impl ViolationKind {
    /// The rule in one sentence, as the RFC means it.
    pub fn rule(&self) -> String {
        match self {
            Self::MaskedByServer => "a server must not mask any frame that it sends".to_owned(),
            Self::UnmaskedByClient => "a client must mask every frame that it sends".to_owned(),
            Self::Rsv1WithoutDeflate => "RSV1 must be 0 unless an extension that uses it was negotiated".to_owned(),
            Self::Rsv1OnContinuation => "RSV1 may be set only on the first frame of a compressed message".to_owned(),
            Self::DeflateCorrupt { inflated_bytes } => {
                format!("a compressed message must inflate, this one does not after {inflated_bytes} bytes")
            }
            Self::Rsv2Or3 { rsv } => format!("RSV2 and RSV3 must be 0, the bits are {rsv:03b}"),
            Self::ReservedOpcode { opcode } => format!("opcode 0x{opcode:X} is reserved"),
            Self::ControlFragmented => "a control frame must not be fragmented".to_owned(),
            Self::ControlTooLong { len_bytes } => {
                format!("a control frame must not carry more than 125 bytes, this one announces {len_bytes}")
            }
            Self::CloseTooLong { len_bytes } => {
                format!("a Close frame must not carry more than 125 bytes, this one announces {len_bytes}")
            }
            Self::ContinuationWithoutStart => "there is no message that this frame could continue".to_owned(),
            Self::InterleavedData => "a new message must not begin before the last one is finished".to_owned(),
            Self::BadUtf8 { at } => format!("text must be UTF-8, byte {at} of the message is not"),
            Self::NonMinimalLength { len_bytes } => {
                format!("the length {len_bytes} must be written in the fewest bytes possible")
            }
            Self::LengthHighBit { .. } => "the highest bit of a 64-bit length must be 0".to_owned(),
            Self::CloseOneByte => "the payload of a Close frame must be empty or begin with a two-byte code".to_owned(),
            Self::CloseBadUtf8 { .. } => "a close reason must be UTF-8".to_owned(),
            Self::CloseIllegalCode { code } => format!("close code {code} must not be sent in a Close frame"),
            Self::DataAfterClose => "no data frame may follow a Close frame".to_owned(),
            Self::GarbageAfterClose { .. } => "after a Close frame come bytes that are no frame".to_owned(),
            Self::TextAmongFrames { .. } => "HTTP or HTML text stands where a frame should begin".to_owned(),
        }
    }

    /// The section that the rule stands in.
    pub fn section(&self) -> &'static str {
        match self {
            Self::MaskedByServer | Self::UnmaskedByClient => "RFC 6455 §5.1",
            Self::Rsv1WithoutDeflate
            | Self::Rsv2Or3 { .. }
            | Self::ReservedOpcode { .. }
            | Self::NonMinimalLength { .. }
            | Self::LengthHighBit { .. }
            | Self::TextAmongFrames { .. } => "RFC 6455 §5.2",
            Self::Rsv1OnContinuation => "RFC 7692 §6.1",
            Self::DeflateCorrupt { .. } => "RFC 7692 §7.2.2",
            Self::ControlFragmented | Self::ControlTooLong { .. } | Self::CloseTooLong { .. } => "RFC 6455 §5.5",
            Self::ContinuationWithoutStart | Self::InterleavedData => "RFC 6455 §5.4",
            Self::BadUtf8 { .. } => "RFC 6455 §8.1",
            Self::CloseOneByte | Self::CloseBadUtf8 { .. } | Self::DataAfterClose | Self::GarbageAfterClose { .. } => {
                "RFC 6455 §5.5.1"
            }
            Self::CloseIllegalCode { .. } => "RFC 6455 §7.4",
        }
    }

    /// The id in the catalogue of causes.
    pub fn cause_id(&self) -> &'static str {
        match self {
            Self::MaskedByServer | Self::UnmaskedByClient => "proto-masked-server",
            Self::Rsv1WithoutDeflate => "proto-rsv1-no-deflate",
            Self::Rsv1OnContinuation => "proto-rsv1-on-continuation",
            Self::DeflateCorrupt { .. } => "proto-deflate-corrupt",
            Self::Rsv2Or3 { .. } => "proto-rsv2-3",
            Self::ReservedOpcode { .. } => "proto-bad-opcode",
            Self::ControlFragmented => "proto-control-fragmented",
            Self::ControlTooLong { .. } => "proto-control-too-long",
            Self::CloseTooLong { .. } => "close-too-long",
            Self::ContinuationWithoutStart => "proto-continuation",
            Self::InterleavedData => "proto-interleaved-data",
            Self::BadUtf8 { .. } => "proto-bad-utf8",
            Self::NonMinimalLength { .. } => "proto-nonminimal-length",
            Self::LengthHighBit { .. } => "proto-length-highbit",
            Self::CloseOneByte => "close-1byte",
            Self::CloseBadUtf8 { .. } => "close-bad-utf8",
            Self::CloseIllegalCode { .. } => "close-illegal-code",
            Self::DataAfterClose => "data-after-close",
            Self::GarbageAfterClose { .. } => "garbage-after-close",
            Self::TextAmongFrames { after_frames: 0, .. } => "http-body-after-101",
            Self::TextAmongFrames { .. } => "two-writers-interleave",
        }
    }

    /// Whether Chrome goes on as if nothing were wrong: illegal codes other than 1005, 1006 and 1015.
    pub fn is_accepted_by_chrome(&self) -> bool {
        match self {
            Self::CloseIllegalCode { code } => !matches!(code, 1005 | 1006 | 1015),
            Self::GarbageAfterClose { .. } => true,
            _ => false,
        }
    }

    /// Whether an endpoint fails the connection for it; the others are worth a remark only.
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::GarbageAfterClose { .. })
    }
}
