//! The way and the keep-alive over real sockets: proxies, Unix sockets, pings, a half-dead peer, connecting again.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use sockeye::engine::{Command, Event, KeepAliveOptions, Outgoing, ProxyChoice, Reconnect};
use sockeye::export::Redactor;
use sockeye::export::check_json::check_json;
use sockeye::observation::{ConnId, Deadline, Expect, ResolveKind};
use sockeye::wire::{FrameHeader, encode_frame};

use crate::peer::{
    LIMIT, accept, engine, opened, options, read_head, read_to_end, run, serve, silent_server, wait_for_end, wait_until,
};
use crate::tls_peer::{Peer, over_tls};

const CLOSE_1000: &[u8] = &[0x88, 2, 0x03, 0xE8];

/// Waits for the client's Close and answers it.
fn close_well(stream: &mut (impl Read + Write)) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|read| read == 1) {
        seen.push(byte[0]);
        if seen.len() >= 2 && seen[seen.len() - 2] == 0x88 {
            break;
        }
    }
    stream.write_all(CLOSE_1000).unwrap();
}

/// A short session of which nothing is wrong.
fn say_hello(stream: &mut (impl Read + Write)) {
    accept(stream);
    stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
    close_well(stream);
}

#[test]
fn connect_carries_the_login_and_the_journal_does_not() {
    let (address, peer) = serve(|mut stream| {
        let asked = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nVia: test\r\n\r\n").unwrap();
        accept(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
        close_well(&mut stream);
        asked
    });
    let mut options = options("ws://server.invalid:8123/path");
    options.proxy = ProxyChoice::Url(format!("http://us%40er:hunter2@{address}"));
    let story = run(options);
    let asked = String::from_utf8(peer.join().unwrap()).unwrap();
    assert!(asked.starts_with("CONNECT server.invalid:8123 HTTP/1.1\r\nHost: server.invalid:8123\r\n"), "{asked}");
    assert!(asked.contains("Proxy-Authorization: Basic dXNAZXI6aHVudGVyMg==\r\n"), "{asked}");
    let verdict = story.verdict.as_ref().unwrap();
    assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("open", "healthy"), "{verdict:#?}");
    let tunnel = story.tunnel.as_ref().unwrap();
    assert!(tunnel.response.starts_with("HTTP/1.1 200 OK") && tunnel.failure.is_none(), "{tunnel:?}");
    assert!(!format!("{story:?}").contains("hunter2") && !format!("{story:?}").contains("dXNAZXI6"));
    assert_eq!(story.received.data_frames, 1);
    let json = check_json(&story, &[], Some(&mut Redactor::for_story(&story)));
    crate::cli::assert_fits_schema(&json);
    assert!(json["phases"].as_array().unwrap().iter().any(|phase| phase["phase"] == "proxy" && phase["ok"] == true));
}

#[test]
fn a_proxy_may_be_spoken_to_by_tls() {
    for scheme in ["ws", "wss"] {
        let (address, peer) = serve(move |stream| {
            let mut proxy = Peer::tls(stream);
            let asked = read_head(&mut proxy);
            proxy.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            if scheme == "wss" {
                say_hello(&mut over_tls(proxy));
            } else {
                say_hello(&mut proxy);
            }
            asked
        });
        let mut options = options(&format!("{scheme}://server.invalid:8123/path"));
        options.insecure = true;
        options.proxy = ProxyChoice::Url(format!("https://user:hunter2@{address}"));
        let story = run(options);
        let asked = String::from_utf8(peer.join().unwrap()).unwrap();
        assert!(asked.starts_with("CONNECT server.invalid:8123 HTTP/1.1\r\n"), "{asked}");
        assert!(asked.contains("Proxy-Authorization: Basic "), "{asked}");
        let verdict = story.verdict.as_ref().unwrap();
        assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("open", "healthy"), "{scheme}: {verdict:#?}");
        assert_eq!(story.tls.is_some(), scheme == "wss", "TLS to the proxy is not that of the server");
        assert!(!format!("{story:?}").contains("hunter2"));
    }
    let (address, peer) = serve(|stream| read_head(&mut Peer::tls(stream)));
    let mut options = options("ws://server.invalid:8123/path");
    options.proxy = ProxyChoice::Url(format!("https://{address}"));
    let story = run(options);
    assert!(peer.join().unwrap().is_empty(), "nothing is asked of a proxy that is not trusted");
    let verdict = story.verdict.as_ref().unwrap();
    assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("connect-failed", "proxy-refused"), "{verdict:#?}");
    assert!(verdict.summary.contains("TLS to the proxy"), "{verdict:#?}");
}

#[test]
fn a_proxy_that_answers_slowly_or_never_is_told() {
    let (address, peer) = serve(|mut stream| {
        read_head(&mut stream);
        for byte in b"HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nsorry" {
            stream.write_all(&[*byte]).unwrap();
            std::thread::park_timeout(Duration::from_millis(1));
        }
        read_to_end(&mut stream);
    });
    let mut slow = options("ws://server.invalid/");
    slow.proxy = ProxyChoice::Url(address.to_string());
    let story = run(slow);
    peer.join().unwrap();
    assert!(story.tunnel.as_ref().unwrap().response.ends_with("sorry"));
    assert_eq!(story.verdict.as_ref().unwrap().cause, "proxy-refused");
    let (address, peer) = serve(|mut stream| read_to_end(&mut stream));
    let mut never = options("ws://server.invalid/");
    never.proxy = ProxyChoice::Url(address.to_string());
    never.time_outs.connect_millis = 300;
    let story = run(never);
    assert!(peer.join().unwrap().starts_with(b"CONNECT server.invalid:80 "));
    assert!(story.ran_out(Deadline::Tunnel).is_some());
    assert_eq!(story.verdict.as_ref().unwrap().cause, "proxy-refused");
}

#[test]
fn an_endless_answer_to_connect_is_cut() {
    let (address, peer) = serve(|mut stream| {
        read_head(&mut stream);
        let mut sent = 0;
        let line = format!("X-Filler: {}\r\n", "a".repeat(1000));
        stream.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
        while stream.write_all(line.as_bytes()).is_ok() && sent < 64 << 20 {
            sent += line.len();
        }
        sent
    });
    let mut options = options("ws://server.invalid/");
    options.proxy = ProxyChoice::Url(address.to_string());
    let story = run(options);
    assert!(peer.join().unwrap() < 64 << 20);
    assert_eq!(story.verdict.as_ref().unwrap().cause, "proxy-refused");
}

#[test]
fn socks_asks_for_the_name_and_logs_in() {
    let (address, peer) = serve(|mut stream| {
        let mut read = |len: usize| {
            let mut bytes = vec![0; len];
            stream.read_exact(&mut bytes).unwrap();
            bytes
        };
        let greeting = read(2);
        let methods = read(greeting[1].into());
        assert!(methods.contains(&2), "{methods:?}");
        stream.write_all(&[5, 2]).unwrap();
        let mut read = |len: usize| {
            let mut bytes = vec![0; len];
            stream.read_exact(&mut bytes).unwrap();
            bytes
        };
        let user_len = read(2)[1];
        let user = read(user_len.into());
        let password_len = read(1)[0];
        let password = read(password_len.into());
        stream.write_all(&[1, 0]).unwrap();
        let mut head = [0; 5];
        stream.read_exact(&mut head).unwrap();
        let mut name = vec![0; usize::from(head[4]) + 2];
        stream.read_exact(&mut name).unwrap();
        stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).unwrap();
        accept(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
        close_well(&mut stream);
        (user, password, head, name)
    });
    let mut options = options("ws://server.invalid:8123/");
    options.proxy = ProxyChoice::Url(format!("socks5://me:hunter2@{address}"));
    let story = run(options);
    let (user, password, head, name) = peer.join().unwrap();
    assert_eq!((user.as_slice(), password.as_slice()), (&b"me"[..], &b"hunter2"[..]));
    assert_eq!((head, &name[..14]), ([5, 1, 0, 3, 14], &b"server.invalid"[..]));
    assert_eq!(story.verdict.as_ref().unwrap().cause, "healthy");
    assert!(!format!("{story:?}").contains("hunter2"));
}

#[cfg(unix)]
#[test]
fn a_unix_socket_is_a_way_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let url = format!("ws+unix:{}:/chat?x=1", path.display());
    let peer = std::thread::Builder::new().name("peer".to_owned()).spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
            head.push(byte[0]);
        }
        let request = sockeye::wire::parse_request(&head).unwrap();
        let accept = sockeye::wire::accept_for(request.values("sec-websocket-key").next().unwrap());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
        let mut rest = [0; 8];
        stream.read_exact(&mut rest).unwrap();
        stream.write_all(CLOSE_1000).unwrap();
        String::from_utf8(head).unwrap()
    });
    let story = run(options(&url));
    let head = peer.unwrap().join().unwrap();
    assert!(head.starts_with("GET /chat?x=1 HTTP/1.1\r\nHost: localhost\r\n"), "{head}");
    assert_eq!(story.verdict.as_ref().unwrap().cause, "healthy");
    std::fs::remove_file(&path).unwrap();
    let story = run(options(&url));
    let verdict = story.verdict.as_ref().unwrap();
    assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("connect-failed", "tcp-refused"), "{verdict:#?}");
}

#[test]
fn pings_of_the_timer_and_of_the_user_are_measured() {
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
        read_to_end(&mut stream)
    });
    let engine = engine();
    let conn = ConnId(1);
    let mut options = options(&format!("ws://{address}/"));
    options.watch = None;
    options.keep_alive = KeepAliveOptions { ping: Some(Duration::from_millis(20)), ..KeepAliveOptions::default() };
    options.time_outs.close_millis = 50;
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    wait_until(&engine, conn, |story| story.sent.pings >= 3);
    engine.send(Command::Send { conn, message: Outgoing::Ping(b"mine".as_slice().into()) }).unwrap();
    wait_until(&engine, conn, |story| story.sent.pings >= 5);
    engine.send(Command::Abort { conn }).unwrap();
    wait_for_end(&engine);
    let seen = peer.join().unwrap();
    let first = FrameHeader::parse(&seen).unwrap();
    let payload: Vec<u8> = seen[6..15].iter().zip(first.masking_key.iter().cycle()).map(|(b, k)| b ^ k).collect();
    assert_eq!((first.first, payload.as_slice()), (0x89, &b"sockeye 1"[..]));
    assert_eq!(engine.view(conn).unwrap().story.round_trips.count, 0);
}

#[test]
fn each_pong_gives_a_round_trip() {
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
        let mut frame = [0; 15];
        for _ in 0..3 {
            stream.read_exact(&mut frame).unwrap();
            let key = [frame[2], frame[3], frame[4], frame[5]];
            let payload: Vec<u8> = frame[6..].iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k).collect();
            stream.write_all(&encode_frame(0x8A, None, &payload)).unwrap();
        }
        read_to_end(&mut stream);
    });
    let engine = engine();
    let conn = ConnId(1);
    let mut options = options(&format!("ws://{address}/"));
    options.watch = None;
    options.keep_alive.ping = Some(Duration::from_millis(20));
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    wait_until(&engine, conn, |story| story.round_trips.count == 3);
    engine.send(Command::Abort { conn }).unwrap();
    wait_for_end(&engine);
    peer.join().unwrap();
    let trips = engine.view(conn).unwrap().story.round_trips;
    assert!(trips.shortest > 0 && trips.shortest <= trips.mean().unwrap() && trips.longest < 40_000_000, "{trips:?}");
}

#[test]
fn a_peer_that_stops_reading_is_noticed_and_named() {
    let (done, wait) = std::sync::mpsc::sync_channel::<()>(0);
    let (address, peer) = serve(move |mut stream| {
        accept(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
        // Reads nothing for as long as the test lasts.
        wait.recv().ok();
    });
    let mut options = options(&format!("ws://{address}/"));
    options.watch = None;
    options.keep_alive.ping = Some(Duration::from_millis(100));
    options.keep_alive.pong_limit = Duration::from_millis(300);
    let story = run(options);
    drop(done);
    peer.join().unwrap();
    assert!(story.ran_out(Deadline::Pong).is_some() && story.we_closed_tcp.is_some());
    let verdict = story.verdict.as_ref().unwrap();
    assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("network-timeout", "server-blocked"), "{verdict:#?}");
    if cfg!(target_os = "linux") {
        let queues = story.queues.unwrap().1.unwrap();
        assert!(
            queues.unacknowledged_bytes == 0 && queues.peer_unread_bytes.is_some_and(|bytes| bytes > 0),
            "{queues:?}"
        );
    }
}

#[test]
fn the_resolver_speaks_for_itself() {
    // A label may have 63 characters: it is refused before anybody is asked.
    let story = run(options(&format!("ws://{}.test:1/", "a".repeat(64))));
    let failure = story.resolve.as_ref().unwrap().failure.as_ref().unwrap();
    assert_eq!(failure.kind, ResolveKind::NoSuchName, "{failure:?}");
    let number = failure.code.unwrap();
    assert!(failure.text.ends_with(&format!("(EAI_NONAME {number})")), "{failure:?}");
    assert!(failure.text.len() > 20 && story.attempts.is_empty(), "{failure:?}");
    let verdict = story.verdict.as_ref().unwrap();
    assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("resolve-failed", "dns-nxdomain"));
    assert!(verdict.evidence.iter().any(|line| line.text.contains("EAI_NONAME")), "{verdict:#?}");
}

#[test]
fn withheld_pongs_are_shown_and_not_sent() {
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        let mut both = encode_frame(0x89, None, b"one");
        both.extend(encode_frame(0x81, None, b"hello"));
        stream.write_all(&both).unwrap();
        stream.write_all(&encode_frame(0x89, None, b"two")).unwrap();
        let mut frame = [0; 8];
        stream.read_exact(&mut frame).unwrap();
        stream.write_all(CLOSE_1000).unwrap();
        frame[0]
    });
    let mut options = options(&format!("ws://{address}/"));
    options.keep_alive.withhold_pongs = true;
    let story = run(options);
    assert_eq!(peer.join().unwrap(), 0x88, "the first frame of the client is its Close");
    assert_eq!((story.received.pings, story.sent.pongs, story.pongs_withheld), (2, 0, 2));
    assert_eq!(story.verdict.as_ref().unwrap().cause, "healthy");
}

#[test]
fn a_connection_is_made_again_with_pauses_until_it_is_stopped() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = held.local_addr().unwrap();
    drop(held);
    let engine = engine();
    let mut options = options(&format!("ws://{address}/"));
    options.expect = Expect::None;
    options.reconnect = Some(Reconnect { first: Duration::from_millis(20), at_most: Some(2), ..Reconnect::default() });
    let mut conn = ConnId(1);
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    let mut numbers = Vec::new();
    loop {
        match engine.event_timeout(LIMIT).unwrap() {
            Event::ReconnectDue { conn: ended, options } => {
                assert_eq!(ended, conn);
                numbers.push(options.reconnect.unwrap().made);
                conn = ConnId(conn.0 + 1);
                engine.send(Command::Connect { conn, options }).unwrap();
            }
            Event::Ended { conn: ended } if ended.0 == 3 => break,
            _ => {}
        }
    }
    assert_eq!(numbers, [1, 2]);
    let story = |conn| engine.view(ConnId(conn)).unwrap().story.clone();
    assert!(story(1).reconnect.is_some_and(|(_, number, millis)| number == 1 && (10..=20).contains(&millis)));
    assert!(story(2).reconnect.is_some_and(|(_, number, millis)| number == 2 && (20..=40).contains(&millis)));
    assert!(story(3).reconnect.is_none());
    assert_eq!(story(3).plan.as_ref().unwrap().keep_alive.reconnects, 2);
}

#[test]
fn what_the_user_stops_is_not_made_again() {
    let (mut options, peer) = silent_server();
    options.reconnect = Some(Reconnect::default());
    let (engine, conn) = opened(options);
    engine.send(Command::Abort { conn }).unwrap();
    wait_for_end(&engine);
    peer.join().unwrap();
    assert!(engine.view(conn).unwrap().story.reconnect.is_none());
}
