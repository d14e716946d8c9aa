//! The client over real sockets: what it sends, what it records, and that both ends agree.

use std::io::Write as _;
use std::net::Shutdown;
use std::time::Duration;

use sockeye::engine::{Command, Outgoing};
use sockeye::observation::{CloseOrigin, ConnId, Deadline, Direction, Limit, ReadEnd, TokenPlace};
use sockeye::store::{AttemptOutcome, State};
use sockeye::wire::{FrameHeader, encode_frame};

use crate::peer::{
    accept, engine, opened, options, read_head, read_to_end, run, serve, silent_server, wait_for_end, wait_until,
};
use crate::tls_peer::Peer;

#[test]
fn request_is_sent_exactly_as_it_is_shown() {
    let (address, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        head
    });
    let mut options = options(&format!("ws://{address}/A/../b?Token=eyJ%2E&x=%7e&x="));
    options.headers = vec![("x-ODD-case".to_owned(), "  kept ".to_owned())];
    options.origin = Some("http://localhost:3000".to_owned());
    options.subprotocols = vec!["a".to_owned(), "b".to_owned()];
    options.token = Some("abc".to_owned());
    options.token_place = Some(TokenPlace::Bearer);
    let story = run(options);
    let head = peer.join().unwrap();
    let text = String::from_utf8(head.clone()).unwrap();
    assert_eq!(story.request.as_ref().unwrap().raw, head);
    assert!(text.starts_with("GET /A/../b?Token=eyJ%2E&x=%7e&x= HTTP/1.1\r\n"), "{text}");
    for line in ["x-ODD-case:   kept \r\n", "Sec-WebSocket-Protocol: a, b\r\n", "Authorization: Bearer abc\r\n"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn refusal_keeps_its_whole_body_however_slowly_it_comes() {
    let (address, peer) = serve(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        for piece in ["6\r\ncome b", "\r\n8\r\nack late", "\r\n1\r\nr\r\n0\r\n\r\n"] {
            std::thread::park_timeout(Duration::from_millis(40));
            stream.write_all(piece.as_bytes()).unwrap();
        }
        read_to_end(&mut stream);
    });
    let story = run(options(&format!("ws://{address}/")));
    peer.join().unwrap();
    assert_eq!(story.answer.status(), Some(503));
    assert_eq!(story.answer.body_text(), "come back later");
}

#[test]
fn both_addresses_of_localhost_are_reported_apart() {
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
        read_to_end(&mut stream);
    });
    let story = run(options(&format!("ws://localhost:{}/", address.port())));
    peer.join().unwrap();
    assert_eq!(story.connected().unwrap().address, address);
    let resolve = story.resolve.as_ref().unwrap();
    let all: Vec<_> = resolve.addresses.iter().chain(&resolve.added).collect();
    assert!(all.iter().any(|ip| ip.is_ipv6()) && all.iter().any(|ip| ip.is_ipv4()), "{all:?}");
    assert!(story.attempts.iter().all(|a| a.outcome != AttemptOutcome::Pending), "{:?}", story.attempts);
}

#[test]
fn both_ends_agree_on_what_travelled() {
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"welcome")).unwrap();
        stream.write_all(&encode_frame(0x89, None, b"are you there")).unwrap();
        read_to_end(&mut stream)
    });
    let engine = engine();
    let conn = ConnId(1);
    let mut options = options(&format!("ws://{address}/"));
    options.watch = None;
    options.time_outs.close_millis = 300;
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    wait_until(&engine, conn, |story| story.sent.pongs == 1);
    let view = engine.view(conn).unwrap();
    assert!(matches!(view.story.state(), State::Open(_)), "{:?}", view.story.state());
    engine.send(Command::Send { conn, message: Outgoing::Text("to you".to_owned()) }).unwrap();
    engine.send(Command::Send { conn, message: Outgoing::Binary(vec![0; 70_000].into()) }).unwrap();
    engine.send(Command::Close { conn, code: Some(4001), reason: "done".to_owned() }).unwrap();
    wait_for_end(&engine);
    let story = engine.view(conn).unwrap().story.clone();
    let seen = peer.join().unwrap();
    assert_eq!(seen.len() as u64, story.sent.wire_bytes);
    assert_eq!((story.sent.frames, story.sent.messages, story.received.frames), (4, 2, 2));
    let close = story.close_sent.as_ref().unwrap();
    assert_eq!((close.info.code, close.info.reason.as_str()), (Some(4001), "done"));
    assert!(story.ran_out(Deadline::Close).is_some());
    let first = FrameHeader::parse(&seen).unwrap();
    assert!(first.masked() && first.first == 0x8A, "{first:?}");
}

#[test]
fn abort_sends_no_close_frame() {
    let (options, peer) = silent_server();
    let (engine, conn) = opened(options);
    engine.send(Command::Abort { conn }).unwrap();
    wait_for_end(&engine);
    let story = engine.view(conn).unwrap().story.clone();
    assert!(peer.join().unwrap().is_empty());
    assert_eq!(story.close_begun.map(|(_, by)| by), Some(CloseOrigin::Abort));
    assert!(story.close_sent.is_none() && story.verdict.is_some());
}

#[test]
fn dropping_the_engine_says_going_away() {
    let (options, peer) = silent_server();
    let (engine, _) = opened(options);
    drop(engine);
    let seen = peer.join().unwrap();
    let header = FrameHeader::parse(&seen).unwrap();
    let code: Vec<u8> = seen[6..8].iter().zip(header.masking_key).map(|(b, k)| b ^ k).collect();
    assert_eq!((header.first, code), (0x88, 1001_u16.to_be_bytes().to_vec()));
}

#[test]
fn message_over_our_limit_is_our_limit() {
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
        stream.write_all(&encode_frame(0x82, None, &[0; 2_000])).unwrap();
        read_to_end(&mut stream)
    });
    let mut options = options(&format!("ws://{address}/"));
    options.limit_bytes = 1_000;
    let story = run(options);
    let seen = peer.join().unwrap();
    assert!(matches!(story.limit_passed, Some((_, Limit::Message, 1_000, 2_000))), "{:?}", story.limit_passed);
    assert_eq!(story.close_sent.as_ref().and_then(|c| c.info.code), Some(1009));
    assert_eq!(FrameHeader::parse(&seen).unwrap().first, 0x88);
}

#[test]
fn a_million_fragments_of_one_byte_are_all_seen() {
    const FRAGMENTS: u64 = 1_000_000;
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        stream.write_all(&[0x01, 1, b'a']).unwrap();
        let block = [0x00, 1, b'a'].repeat(10_000);
        for _ in 0..FRAGMENTS / 10_000 {
            stream.write_all(&block).unwrap();
        }
        stream.write_all(&[0x80, 0]).unwrap();
        read_to_end(&mut stream);
    });
    let story = run(options(&format!("ws://{address}/")));
    peer.join().unwrap();
    assert_eq!((story.received.frames, story.received.messages), (FRAGMENTS + 2, 1));
    assert_eq!(story.received.data_bytes, FRAGMENTS + 1);
    assert!(story.confirmation.as_ref().is_some_and(|c| c.ok) && story.violations.is_empty());
}

#[test]
fn bytes_glued_behind_the_101_are_frames() {
    let (address, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        let request = sockeye::wire::parse_request(&head).unwrap();
        let accept = sockeye::wire::accept_for(request.values("sec-websocket-key").next().unwrap());
        let mut answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .into_bytes();
        answer.extend(encode_frame(0x81, None, b"glued"));
        stream.write_all(&answer).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        read_to_end(&mut stream)
    });
    let story = run(options(&format!("ws://{address}/")));
    peer.join().unwrap();
    assert_eq!(story.first_message.as_ref().map(|(_, m)| m.as_slice()), Some(&b"glued"[..]));
    assert!(matches!(story.read_end, Some((_, ReadEnd::Fin))), "{:?}", story.read_end);
    assert_eq!(story.confirmation.as_ref().and_then(|c| c.preview.as_deref()), Some("glued"));
    assert_eq!(story.tally(Direction::ServerToClient).wire_bytes, 7);
}

#[test]
fn rst_after_the_fin_is_seen() {
    for scheme in ["ws", "wss"] {
        let peer = move |stream| if scheme == "wss" { Peer::tls(stream) } else { Peer::Plain(stream) };
        let run = |address| {
            let mut options = options(&format!("{scheme}://{address}/"));
            options.insecure = true;
            run(options)
        };
        let closed_at_once = || {
            let (address, thread) = serve(move |stream| {
                let mut peer = peer(stream);
                accept(&mut peer);
                // Our Close meets a socket that is gone.
                peer.write_all(&[0x88, 2, 3, 0xE8]).unwrap();
                peer.close_notify();
            });
            let story = run(address);
            thread.join().unwrap();
            story
        };
        // Where our Close is there before the socket is closed, the system resets it with that Close unread: another end.
        let mut stories = std::iter::repeat_with(closed_at_once).take(20);
        let story = stories.find(|story| story.tcp_end() == Some(&ReadEnd::Fin)).unwrap_or_else(|| panic!("{scheme}"));
        assert_eq!(story.ended_with_close_notify(), (scheme == "wss").then_some(true));
        assert!(story.close_sent.is_some(), "{scheme}: our Close was not sent");
        assert!(story.reset_after_fin, "{scheme}: no RST was seen");
        let (address, thread) = serve(move |stream| {
            let mut peer = peer(stream);
            accept(&mut peer);
            peer.write_all(&[0x88, 2, 3, 0xE8]).unwrap();
            peer.close_notify();
            peer.fin();
        });
        let story = run(address);
        thread.join().unwrap();
        assert!(story.tcp_end() == Some(&ReadEnd::Fin) && !story.reset_after_fin, "{scheme}");
    }
}

#[test]
fn with_echo_every_message_goes_back_as_it_came() {
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        for frame in [
            encode_frame(0x01, None, "gr".as_bytes()),
            encode_frame(0x89, None, b"p"),
            encode_frame(0x80, None, "üße".as_bytes()),
            encode_frame(0x82, None, &[0, 0xFF, 0x80]),
            encode_frame(0x81, None, b""),
            encode_frame(0x88, None, &1000_u16.to_be_bytes()),
        ] {
            stream.write_all(&frame).unwrap();
        }
        read_to_end(&mut stream)
    });
    let mut options = options(&format!("ws://{address}/"));
    options.echo = true;
    options.watch = None;
    options.time_outs.grace_millis = 300;
    let story = run(options);
    let seen = peer.join().unwrap();
    let mut rest = seen.as_slice();
    let mut frames = Vec::new();
    while let Some(header) = FrameHeader::parse(rest) {
        let (payload, behind) = rest[usize::from(header.header_len)..].split_at(header.payload_len as usize);
        let key = header.masking_key.iter().cycle();
        frames.push((header.first, payload.iter().zip(key).map(|(b, k)| b ^ k).collect::<Vec<u8>>()));
        rest = behind;
    }
    let messages: Vec<_> = frames.iter().filter(|(first, _)| first & 0x08 == 0).cloned().collect();
    let wanted = [(0x81, "grüße".as_bytes().to_vec()), (0x82, vec![0, 0xFF, 0x80]), (0x81, Vec::new())];
    assert_eq!(messages, wanted);
    assert_eq!((story.sent.messages, story.received.messages), (3, 3));
}
