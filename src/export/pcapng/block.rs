//! The blocks of a pcapng file (draft-ietf-opsawg-pcapng).

use std::io::{self, Write};

/// Writes blocks.
pub(super) struct Blocks<'a> {
    out: &'a mut dyn Write,
    buffer: Vec<u8>,
}

impl<'a> Blocks<'a> {
    /// Begins the file: its section header with a comment, and one interface that gives IP packets.
    pub(super) fn begin(out: &'a mut dyn Write, comment: &str, interface: &str) -> io::Result<Self> {
        let mut blocks = Self { out, buffer: Vec::new() };
        let mut section = Vec::new();
        section.extend_from_slice(&BYTE_ORDER.to_le_bytes());
        section.extend_from_slice(&1_u16.to_le_bytes());
        section.extend_from_slice(&0_u16.to_le_bytes());
        // The length of the section is not said.
        section.extend_from_slice(&u64::MAX.to_le_bytes());
        option(&mut section, 1, comment.as_bytes());
        option(&mut section, 4, concat!("Sockeye ", env!("CARGO_PKG_VERSION")).as_bytes());
        option(&mut section, 0, &[]);
        blocks.write(SECTION_HEADER, &section)?;
        let mut about = Vec::new();
        about.extend_from_slice(&LINKTYPE_RAW.to_le_bytes());
        about.extend_from_slice(&[0; 2]);
        about.extend_from_slice(&0_u32.to_le_bytes());
        option(&mut about, 2, b"sockeye");
        option(&mut about, 3, interface.as_bytes());
        // Times are in nanoseconds.
        option(&mut about, 9, &[9]);
        option(&mut about, 0, &[]);
        blocks.write(INTERFACE_DESCRIPTION, &about)?;
        Ok(blocks)
    }

    /// Adds a packet; `nanos` since 1970-01-01Z.
    pub(super) fn packet(&mut self, nanos: u64, packet: &[u8]) -> io::Result<()> {
        let mut body = Vec::with_capacity(packet.len() + 24);
        body.extend_from_slice(&0_u32.to_le_bytes());
        body.extend_from_slice(&((nanos >> 32) as u32).to_le_bytes());
        body.extend_from_slice(&(nanos as u32).to_le_bytes());
        let len = (packet.len() as u32).to_le_bytes();
        body.extend_from_slice(&len);
        body.extend_from_slice(&len);
        body.extend_from_slice(packet);
        pad(&mut body);
        self.write(ENHANCED_PACKET, &body)
    }

    fn write(&mut self, kind: u32, body: &[u8]) -> io::Result<()> {
        let len = (body.len() as u32 + 12).to_le_bytes();
        self.buffer.clear();
        self.buffer.extend_from_slice(&kind.to_le_bytes());
        self.buffer.extend_from_slice(&len);
        self.buffer.extend_from_slice(body);
        self.buffer.extend_from_slice(&len);
        self.out.write_all(&self.buffer)
    }
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = value.get(..value.len().min(OPTION_BYTES)).unwrap_or_default();
    out.extend_from_slice(&code.to_le_bytes());
    out.extend_from_slice(&(value.len() as u16).to_le_bytes());
    out.extend_from_slice(value);
    pad(out);
}

/// Everything begins at a multiple of four bytes.
fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().next_multiple_of(4), 0);
}

const SECTION_HEADER: u32 = 0x0A0D_0D0A;
const INTERFACE_DESCRIPTION: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
const BYTE_ORDER: u32 = 0x1A2B_3C4D;
/// Packets begin with the IP header, version 4 or 6.
const LINKTYPE_RAW: u16 = 101;
const OPTION_BYTES: usize = 32_000;
