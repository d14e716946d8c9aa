//! permessage-deflate over real sockets: both ends hold the same messages, and the journal can give every one again.

use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::Range;
use std::sync::Arc;

use sockeye::engine::{Command, EngineHandle, JournalPlace, Outgoing, replay};
use sockeye::observation::{ConnId, Direction, Expect};
use sockeye::store::{FrameRow, Page, RowBody, Story, View};
use sockeye::wire::{Decoder, Deflater, Inflater, Item, Opcode, encode_frame};

use crate::peer::{accept_with, engine, options, read_head, read_to_end, run, serve, wait_for_end, wait_until};

const AGREED: &str = "Sec-WebSocket-Extensions: permessage-deflate\r\n";

/// Messages that compress a little, never the same.
fn messages(sizes: Range<usize>, count: usize) -> Vec<Vec<u8>> {
    let mut state = 0x9E37_79B9_u64;
    let mut next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as usize
    };
    let mut message = |number: usize| {
        let len = sizes.start + next() % sizes.len();
        let mut text = format!("{{\"number\":{number},\"noise\":\"");
        while text.len() < len {
            write!(text, "{:x}", next()).unwrap();
        }
        text.push_str("\"}");
        text.into_bytes()
    };
    (0..count).map(&mut message).collect()
}

/// The messages in the client's bytes after the handshake, inflated.
fn received(bytes: &[u8], takeover: bool) -> Vec<Vec<u8>> {
    let mut decoder = Decoder::between_messages(
        Direction::ClientToServer,
        0,
        sockeye::wire::negotiate("permessage-deflate", "permessage-deflate").unwrap().unwrap(),
    );
    let mut inflater = Inflater::new(takeover);
    let (mut all, mut open) = (Vec::new(), Vec::new());
    let inflate = |inflater: &mut Inflater, mut wire: &[u8], out: &mut Vec<u8>| {
        while {
            let step = inflater.step(&mut wire).unwrap();
            out.extend_from_slice(step.data);
            step.goes_on
        } {}
    };
    decoder.push(Direction::ClientToServer, bytes, &mut |item| match item {
        Item::Payload { data, compressed: true, .. } => inflate(&mut inflater, data, &mut open),
        Item::FrameEnd { ends_compressed: true, .. } => {
            let tail = inflater.tail();
            inflate(&mut inflater, tail, &mut open);
            inflater.end_message();
            all.push(std::mem::take(&mut open));
        }
        Item::Violation(violation) => panic!("{violation:?}"),
        _ => {}
    });
    all
}

fn frames(view: &View) -> Vec<FrameRow> {
    let mut out = Vec::new();
    let mut next = 0;
    while next < view.rows {
        let Page::Ready(rows) = view.page(next..view.rows) else {
            std::thread::park_timeout(std::time::Duration::from_millis(2));
            continue;
        };
        next += rows.len() as u64;
        out.extend(rows.into_iter().filter_map(|row| match row.body {
            RowBody::Frame(frame) => Some(frame),
            _ => None,
        }));
    }
    out
}

fn payload(view: &View, frame: &FrameRow) -> Vec<u8> {
    loop {
        if let Page::Ready(bytes) = view.source.payload(frame.direction, frame.offset, usize::MAX) {
            return bytes.to_vec();
        }
        std::thread::park_timeout(std::time::Duration::from_millis(2));
    }
}

#[test]
fn every_parameter_lets_both_ends_understand_each_other() {
    for parameters in [
        "",
        "; server_no_context_takeover",
        "; client_no_context_takeover",
        "; server_no_context_takeover; client_no_context_takeover",
        "; client_max_window_bits=9",
        "; server_max_window_bits=9; client_max_window_bits=12",
        "; server_max_window_bits=8; client_max_window_bits=8",
    ] {
        let server_takeover = !parameters.contains("server_no");
        let bits = if parameters.contains("server_max") { 9 } else { 15 };
        let sent = messages(0..3_000, 30);
        let theirs = sent.clone();
        let field = format!("Sec-WebSocket-Extensions: permessage-deflate{parameters}\r\n");
        let (address, peer) = serve(move |mut stream| {
            accept_with(&mut stream, &field);
            let mut deflater = Deflater::new(bits, server_takeover).unwrap();
            for (number, message) in theirs.iter().enumerate() {
                let mut compress = || deflater.message(message).unwrap();
                let bytes = match number % 4 {
                    0 => {
                        let wire = compress();
                        let (one, two) = wire.split_at(wire.len() / 2);
                        let ping = encode_frame(0x89, None, b"between");
                        [encode_frame(0x41, None, one), ping, encode_frame(0x80, None, two)].concat()
                    }
                    1 => encode_frame(0x81, None, message),
                    _ => encode_frame(0xC1, None, &compress()),
                };
                stream.write_all(&bytes).unwrap();
            }
            stream.write_all(&[0x88, 2, 3, 0xE8]).unwrap();
            read_to_end(&mut stream)
        });
        let engine = engine();
        let conn = ConnId(1);
        let mut options = options(&format!("ws://{address}/"));
        options.send = vec!["first".to_owned(), "x".repeat(5_000), String::new()];
        options.expect = Expect::None;
        engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
        wait_for_end(&engine);
        let view = engine.view(conn).unwrap();
        let story = &view.story;
        assert!(story.violations.is_empty(), "{parameters}: {:?} {:?}", story.violations, story.endpoint_error);
        assert_eq!(story.received.messages, 30, "{parameters}: {:?}", story.endpoint_error);
        assert_eq!(story.first_message.as_ref().unwrap().1, sent[0][..sent[0].len().min(4096)]);
        let mut found = Vec::new();
        for frame in frames(&view).iter().filter(|f| f.direction == Direction::ServerToClient) {
            match frame.header.opcode() {
                Opcode::Text => found.push(payload(&view, frame)),
                Opcode::Continuation => found.last_mut().unwrap().extend(payload(&view, frame)),
                _ => {}
            }
        }
        assert_eq!(found, sent, "{parameters}");
        let inflated = story.inflated[1].as_ref().unwrap();
        let plain: usize = sent.iter().enumerate().filter(|(n, _)| n % 4 != 1).map(|(_, m)| m.len()).sum();
        assert_eq!((inflated.messages, inflated.inflated_bytes), (22, plain as u64), "{parameters}");
        let bytes = peer.join().unwrap();
        let sees = received(&bytes, !parameters.contains("client_no"));
        let expected: Vec<Vec<u8>> = if parameters.contains("client_max_window_bits=8") {
            Vec::new()
        } else {
            let sent = story.inflated[0].as_ref().map_or(0, |inflated| inflated.messages);
            [b"first".to_vec(), vec![b'x'; 5_000], Vec::new()].into_iter().take(sent as usize).collect()
        };
        assert_eq!(sees, expected, "{parameters}");
    }
}

/// Runs a session of many MiB with both sides sending, recorded in a file.
fn long_session(folder: &std::path::Path, ours: &[Vec<u8>], theirs: &[Vec<u8>]) -> (EngineHandle, Arc<Story>) {
    let sent = theirs.to_vec();
    let expected = ours.len() as u64;
    let (address, peer) = serve(move |mut stream| {
        accept_with(&mut stream, AGREED);
        let mut deflater = Deflater::new(15, true).unwrap();
        for message in &sent {
            stream.write_all(&encode_frame(0xC1, None, &deflater.message(message).unwrap())).unwrap();
        }
        received(&read_to_end(&mut stream), true)
    });
    let engine = engine();
    let conn = ConnId(1);
    let mut options = options(&format!("ws://{address}/"));
    options.journal = JournalPlace::File(folder.join("long.sockeye"));
    options.watch = None;
    options.time_outs.close_millis = 200;
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    let count = theirs.len() as u64;
    wait_until(&engine, conn, |story| story.received.messages == count);
    for (number, message) in (0_u64..).zip(ours) {
        let message = Outgoing::Text(String::from_utf8(message.clone()).unwrap());
        engine.send(Command::Send { conn, message }).unwrap();
        wait_until(&engine, conn, |story| story.sent.messages > number);
    }
    assert_eq!(engine.view(conn).unwrap().story.sent.messages, expected);
    engine.send(Command::Close { conn, code: Some(1000), reason: String::new() }).unwrap();
    wait_for_end(&engine);
    assert_eq!(peer.join().unwrap(), ours);
    let story = Arc::clone(&engine.view(conn).unwrap().story);
    (engine, story)
}

#[test]
fn any_row_of_a_long_compressed_session_is_inflated_again() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = messages(1..40_000, 500);
    let ours = messages(10..120_000, 60);
    let (engine, story) = long_session(folder.path(), &ours, &theirs);
    assert!(story.violations.is_empty(), "{:?}", story.violations);
    let wire = story.inflated.clone().map(|inflated| inflated.unwrap().wire_bytes);
    assert!(wire[0] > 1 << 20 && wire[1] > 4 << 20, "{wire:?} bytes: too few for windows to matter");
    let view = engine.view(ConnId(1)).unwrap();
    let expected = |direction: Direction| if direction == Direction::ServerToClient { &theirs } else { &ours };
    let is_data = |frame: &FrameRow| !frame.header.opcode().is_control();
    let all = frames(&view);
    let of = |direction: Direction| -> Vec<&FrameRow> {
        all.iter().filter(|frame| frame.direction == direction && is_data(frame)).collect()
    };
    for direction in [Direction::ServerToClient, Direction::ClientToServer] {
        let rows = of(direction);
        assert_eq!(rows.len(), expected(direction).len());
        for (number, (frame, message)) in rows.iter().zip(expected(direction)).enumerate() {
            let part = frame.inflated.unwrap();
            assert_eq!((part.len_bytes, part.is_whole), (message.len() as u64, true), "{direction:?} {number}");
            assert_eq!(frame.preview, message[..message.len().min(FrameRow::PREVIEW_BYTES)], "{direction:?} {number}");
        }
        // From the end to the beginning, as somebody who looks around does.
        for (frame, message) in rows.iter().zip(expected(direction)).rev().step_by(17) {
            assert_eq!(&payload(&view, frame), message);
        }
    }
    // The file alone gives the same rows.
    let path = engine.journal_path(ConnId(1)).unwrap();
    let again: Vec<FrameRow> = replay(&path)
        .unwrap()
        .filter_map(|row| match row.unwrap().body {
            RowBody::Frame(frame) => Some(frame),
            _ => None,
        })
        .collect();
    assert_eq!(again, all);
}

#[test]
fn nothing_is_offered_where_nothing_is_wanted() {
    let (address, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8(head).unwrap()
    });
    let mut options = options(&format!("ws://{address}/"));
    options.extensions = None;
    run(options);
    assert!(!peer.join().unwrap().to_ascii_lowercase().contains("extensions"));
}
