//! The promises of the fuzz targets, kept for a fixed row of mutations of good bytes: a part of every `cargo test`.

#[path = "../../fuzz/fuzz_targets/promises.rs"]
mod promises;

use sockeye::journal::{Header, Writer};
use sockeye::observation::{ConnId, Direction, Fact, Moment, ReadEnd};

/// Frames as the RFCs show them, and what was found to be worth a look.
const FRAMES: &[&[u8]] = &[
    // RFC 6455 §5.7
    b"\x81\x05Hello",
    b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58",
    b"\x01\x03Hel\x80\x02lo",
    b"\x89\x05Hello\x8A\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58",
    // RFC 7692 §7.2.3
    b"\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00",
    b"\x41\x03\xF2\x48\xCD\x80\x04\xC9\xC9\x07\x00",
    b"\xC1\x07\xF2\x48\xCD\xC9\xC9\x07\x00\xC1\x05\xF2\x00\x11\x00\x00",
    b"\xC1\x0B\x00\x05\x00\xFA\xFFHello\x00",
    b"\xC1\x08\xF3\x48\xCD\xC9\xC9\x07\x00\x00",
    b"\xC1\x0D\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00",
    // Closes, and what may follow them
    b"\x88\x02\x03\xE8",
    b"\x88\x0A\x03\xF0policy \xE2\x82\xAC\x81\x04late",
    b"\x01\x03Hel\x89\x00\x88\x02\x03\xE9<html>",
    b"\x82\x7E\x01\x00HTTP/1.1 200 OK\r\n\r\n{\"error\":1}",
    b"\x81\x02ok<!DOCTYPE html><p>502</p>",
    b"{\"type\":\"connection\",\"token\":\"eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.\"}",
];

const HANDSHAKES: &[&[u8]] = &[
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ncome b\r\n0\r\n\r\n",
    b"HTTP/1.0 403 Forbidden\nContent-Length: 8\n\nno entry",
    b"HTTP/1.1 401 No\r\nContent-Encoding: zstd\r\n\r\n\x28\xb5\x2f\xfd\x60\x44\x01\x2d\x01\x00\xe8Unauthorized: token expired. \x01\x00\x91\x00\x95\x72\x02",
    b"HTTP/1.1 401 No\r\nContent-Encoding: br\r\n\r\n\x9b\x7f\xff\x7f\xe0\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x0f",
    "ws://user:pass@[::1%25lo]:3001/a/../b?token=eyJ%2E&agentId=é#x".as_bytes(),
    b"wss://xn--mnchen-3ya.example:443/%zz",
];

const TEXTS: &[&str] = &[
    "[WebSocket] \u{1b}[31m❌ Token verification failed: jwt expired\u{1b}[0m",
    "Error: listen EADDRINUSE: address already in use :::3001\n    at Server.setupListenHandle (node:net:1817:16)",
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl",
    "ws://h/?token=aaaa.bbbb.cccc&x=\"a secret of some length\"",
    "JWT_SECRET='s3cret' # comment\nOTHER=\"a\\nb\"",
];

/// Numbers from a fixed seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }

    /// One to four changes: a byte flipped, put in or taken out, a part doubled, the rest cut off, another seed behind.
    fn mutate(&mut self, seeds: &[&[u8]]) -> Vec<u8> {
        const BYTES: [u8; 12] = [0, 1, 0x7E, 0x7F, 0x80, 0x81, 0x88, 0xC1, 0xFE, 0xFF, b'\r', b'\n'];
        let mut bytes = seeds[self.below(seeds.len())].to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(6) {
                0 => bytes.insert(at, BYTES[self.below(BYTES.len())]),
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 if at < bytes.len() => {
                    bytes.remove(at);
                }
                3 => bytes.extend_from_within(..at),
                4 => bytes.truncate(at),
                _ => bytes.extend_from_slice(seeds[self.below(seeds.len())]),
            }
        }
        bytes
    }
}

const ROUNDS: usize = 3_000;

#[test]
fn frames_are_the_same_however_they_are_cut() {
    let mut chance = Chance(0x6455);
    for round in 0..ROUNDS {
        let bytes = chance.mutate(FRAMES);
        promises::decoder(1 + chance.below(9), round % 2 == 0, &bytes);
    }
}

#[test]
fn sessions_are_the_same_however_they_are_cut() {
    let mut chance = Chance(0x7692);
    for round in 0..ROUNDS / 25 {
        let bytes = chance.mutate(FRAMES);
        promises::session(1 + chance.below(9), round % 2 == 0, &bytes);
    }
}

#[test]
fn handshakes_and_urls_are_read_whatever_they_are() {
    let mut chance = Chance(0x2616);
    for _ in 0..ROUNDS {
        promises::handshake(&chance.mutate(HANDSHAKES));
    }
}

#[test]
fn journals_are_read_whatever_they_are() {
    let mut journal = Writer::create(Vec::new(), &Header::new(ConnId(0), 0)).unwrap();
    let bytes = |direction, data: &[u8]| Fact::Bytes { direction, data: data.to_vec().into() };
    for fact in [
        bytes(Direction::ClientToServer, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
        bytes(Direction::ServerToClient, HANDSHAKES[0]),
        Fact::Opened,
        bytes(Direction::ServerToClient, b"\x81\x05Hello\x88\x02\x03\xE8"),
        Fact::ReadEnded(ReadEnd::Fin),
        Fact::Finished,
    ] {
        journal.append(Moment::from_millis(1), &fact).unwrap();
    }
    journal.flush().unwrap();
    let (whole, ..) = journal.into_unwritten();
    let mut chance = Chance(0x1234);
    for _ in 0..ROUNDS {
        promises::journal(&chance.mutate(&[&whole]));
    }
}

#[test]
fn texts_are_read_whatever_they_are() {
    let seeds: Vec<&[u8]> = TEXTS.iter().map(|text| text.as_bytes()).collect();
    let mut chance = Chance(0x7519);
    for _ in 0..ROUNDS / 3 {
        let bytes = chance.mutate(&seeds);
        let text = String::from_utf8_lossy(&bytes);
        promises::console(&text);
    }
}
