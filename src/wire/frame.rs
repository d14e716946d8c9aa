//! One frame's header, read and written (RFC 6455 §5.2).

use serde::{Deserialize, Serialize};

/// The opcode of a frame, also when it is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opcode {
    /// 0x0: goes on with a message.
    Continuation,
    /// 0x1: begins a message of UTF-8 text.
    Text,
    /// 0x2: begins a message of bytes.
    Binary,
    /// 0x8: closes.
    Close,
    /// 0x9.
    Ping,
    /// 0xA.
    Pong,
    /// 0x3–0x7 and 0xB–0xF.
    Reserved(u8),
}

impl Opcode {
    /// The opcode of these four bits.
    pub fn from_bits(bits: u8) -> Self {
        match bits & 0x0F {
            0x0 => Self::Continuation,
            0x1 => Self::Text,
            0x2 => Self::Binary,
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            other => Self::Reserved(other),
        }
    }

    /// Its four bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Text => 0x1,
            Self::Binary => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
            Self::Reserved(bits) => bits & 0x0F,
        }
    }

    /// Whether it is a control opcode (0x8–0xF).
    pub fn is_control(self) -> bool {
        self.bits() & 0x08 != 0
    }

    /// The word for it, as the log shows it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Continuation => "continuation",
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Reserved(_) => "reserved",
        }
    }
}

/// A frame's header as it stood on the wire; nothing in it is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameHeader {
    /// FIN, RSV1–3 and the opcode.
    pub first: u8,
    /// MASK and the 7-bit length.
    pub second: u8,
    /// The masking-key, all zero without the mask bit.
    pub masking_key: [u8; 4],
    /// Bytes of the header itself, 2–14.
    pub header_len: u8,
    /// The announced length of the payload data, with the highest bit if it was set.
    pub payload_len: u64,
}

impl FrameHeader {
    /// Reads a header from the front of `bytes`.
    ///
    /// Returns `None` until it is complete (2–14 bytes). Reserved bits and opcodes are reported, not refused. RFC 6455 §5.2.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (&first, &second) = (bytes.first()?, bytes.get(1)?);
        let (payload_len, at) = match second & 0x7F {
            126 => (u64::from(u16::from_be_bytes(*bytes.get(2..)?.first_chunk()?)), 4),
            127 => (u64::from_be_bytes(*bytes.get(2..)?.first_chunk()?), 10),
            short => (u64::from(short), 2),
        };
        let (masking_key, header_len) =
            if second & 0x80 == 0 { ([0; 4], at) } else { (*bytes.get(at..)?.first_chunk()?, at + 4) };
        Some(Self { first, second, masking_key, header_len: header_len as u8, payload_len })
    }

    /// A header without a mask, its length in the shortest form.
    pub fn unmasked(first: u8, payload_len: u64) -> Self {
        let (second, header_len) = match payload_len {
            0..=125 => (payload_len as u8, 2),
            126..=0xFFFF => (126, 4),
            _ => (127, 10),
        };
        Self { first, second, masking_key: [0; 4], header_len, payload_len }
    }

    /// Writes it as it stood on the wire.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.first, self.second]);
        match self.second & 0x7F {
            126 => out.extend_from_slice(&(self.payload_len as u16).to_be_bytes()),
            127 => out.extend_from_slice(&self.payload_len.to_be_bytes()),
            _ => {}
        }
        if self.masked() {
            out.extend_from_slice(&self.masking_key);
        }
    }

    /// How many bytes the header has, judged by its first two bytes.
    pub fn len_from_second(second: u8) -> usize {
        let extended = match second & 0x7F {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        2 + extended + if second & 0x80 == 0 { 0 } else { 4 }
    }

    /// Whether this is the last frame of its message.
    pub fn fin(&self) -> bool {
        self.first & 0x80 != 0
    }

    /// RSV1: "compressed" where permessage-deflate was negotiated (RFC 7692 §6).
    pub fn rsv1(&self) -> bool {
        self.first & 0x40 != 0
    }

    /// The three reserved bits, RSV1 the highest.
    pub fn rsv(&self) -> u8 {
        self.first >> 4 & 0x07
    }

    /// The opcode.
    pub fn opcode(&self) -> Opcode {
        Opcode::from_bits(self.first)
    }

    /// The mask bit.
    pub fn masked(&self) -> bool {
        self.second & 0x80 != 0
    }

    /// Whether the length is written in its shortest form, as RFC 6455 §5.2 demands.
    pub fn has_minimal_length(&self) -> bool {
        match self.second & 0x7F {
            126 => self.payload_len > 125,
            127 => self.payload_len > 0xFFFF,
            _ => true,
        }
    }

    /// Bytes of header and payload together.
    pub fn wire_len(&self) -> u64 {
        self.payload_len.saturating_add(u64::from(self.header_len))
    }
}

/// Whether a close code may stand in a Close frame (RFC 6455 §7.4 and the IANA registry).
pub fn is_legal_close_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Writes one whole frame; with a masking-key the payload is masked.
pub fn encode_frame(first: u8, masking_key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + 14);
    let mut header = FrameHeader::unmasked(first, payload.len() as u64);
    if let Some(key) = masking_key {
        header.second |= 0x80;
        header.masking_key = key;
    }
    header.write_to(&mut out);
    if let Some(key) = masking_key {
        out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    } else {
        out.extend_from_slice(payload);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6455 §5.7.
    #[test]
    fn examples_of_the_rfc() {
        assert_eq!(encode_frame(0x81, None, b"Hello"), [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        assert_eq!(
            encode_frame(0x81, Some([0x37, 0xfa, 0x21, 0x3d]), b"Hello"),
            [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]
        );
        let medium = FrameHeader::parse(&encode_frame(0x82, None, &[0; 256])).unwrap();
        assert_eq!((medium.header_len, medium.payload_len, medium.opcode()), (4, 256, Opcode::Binary));
        let long = FrameHeader::parse(&encode_frame(0x82, None, &vec![0; 65_536])).unwrap();
        assert_eq!((long.header_len, long.payload_len), (10, 65_536));
        assert!(long.has_minimal_length());
    }

    #[test]
    fn header_is_none_until_complete() {
        let whole = encode_frame(0x82, Some([1, 2, 3, 4]), &vec![0; 70_000]);
        for cut in 0..14 {
            assert_eq!(FrameHeader::parse(&whole[..cut]), None, "{cut}");
        }
        let header = FrameHeader::parse(&whole).unwrap();
        assert_eq!(usize::from(header.header_len), FrameHeader::len_from_second(whole[1]));
    }

    #[test]
    fn header_is_written_as_it_stood() {
        for head in [
            &[0x81, 0x05][..],
            &[0x81, 126, 0, 5],
            &[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF],
            &[0xF3, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 1, 9, 8, 7, 6],
        ] {
            let mut out = Vec::new();
            FrameHeader::parse(head).unwrap().write_to(&mut out);
            assert_eq!(out, head);
        }
    }

    #[test]
    fn non_minimal_lengths_are_seen() {
        assert!(!FrameHeader::parse(&[0x81, 126, 0, 5]).unwrap().has_minimal_length());
        assert!(!FrameHeader::parse(&[0x81, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]).unwrap().has_minimal_length());
    }
}
