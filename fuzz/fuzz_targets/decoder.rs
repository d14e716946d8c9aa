//! Bytes of both directions: no panic, and the same items however they are cut.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye::observation::Direction;
use sockeye::wire::{Decoder, Item};

fuzz_target!(|input: (u8, Vec<u8>)| {
    let (cut, bytes) = input;
    let run = |cut: usize| {
        let mut decoder = Decoder::default();
        let mut seen = Vec::new();
        let mut sink = |item: Item<'_>| match item {
            Item::Payload { .. } | Item::Opaque { .. } | Item::Body(_) => {}
            Item::Violation(v) => seen.push(v.kind.cause_id().to_owned()),
            other => seen.push(format!("{other:?}")),
        };
        decoder.push(Direction::ClientToServer, b"GET / HTTP/1.1\r\n\r\n", &mut sink);
        decoder.push(Direction::ServerToClient, b"HTTP/1.1 101 Switching Protocols\r\n\r\n", &mut sink);
        for piece in bytes.chunks(cut) {
            decoder.push(Direction::ServerToClient, piece, &mut sink);
        }
        decoder.end(Direction::ServerToClient, &mut sink);
        seen
    };
    assert_eq!(run(usize::from(cut).max(1)), run(usize::MAX));
});
