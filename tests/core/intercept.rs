//! Standing between a client and its server, over real sockets: bytes in are bytes out, and every end is passed on and laid
//! on whoever made it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use sockeye::engine::{ConnectOptions, EngineHandle, Event, InterceptOptions, JournalPlace, TOLD_CODE};
use sockeye::export::{Selection, Source as _};
use sockeye::observation::{CloseOrigin, ConnId, Fact, ReadEnd};
use sockeye::store::{RowBody, Story};
use sockeye::token::Secret;
use sockeye::wire::{FrameHeader, encode_frame};

use crate::cli::{assert_fits_schema, program};
use crate::peer::{engine, read_head, read_to_end, serve};

/// An engine that relays to this server.
struct Between {
    engine: EngineHandle,
    address: SocketAddr,
}

impl Between {
    fn to(url: &str, change: impl FnOnce(&mut InterceptOptions)) -> Self {
        let engine = engine();
        let mut connect = ConnectOptions::new(url);
        connect.journal = JournalPlace::Memory;
        connect.probes = false;
        connect.time_outs.grace_millis = 500;
        let mut options =
            InterceptOptions { listen: "127.0.0.1:0".parse().unwrap(), connect, renames: false, tells: false };
        change(&mut options);
        engine.send(sockeye::engine::Command::StartIntercept { options: Box::new(options) }).unwrap();
        match event(&engine) {
            Event::InterceptStarted { address } => Self { engine, address },
            other => panic!("{other:?}"),
        }
    }

    fn plain(server: SocketAddr) -> Self {
        Self::to(&format!("ws://{server}/not/this/path"), |_| {})
    }

    fn client(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// The story of the next connection that is over.
    fn story(&self) -> Arc<Story> {
        self.ended().1
    }

    fn ended(&self) -> (ConnId, Arc<Story>) {
        loop {
            match event(&self.engine) {
                Event::Ended { conn } => return (conn, Arc::clone(&self.engine.view(conn).unwrap().story)),
                Event::Intercepted { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

fn event(engine: &EngineHandle) -> Event {
    engine.event_timeout(Duration::from_secs(20)).expect("an answer of the engine")
}

/// The request of a browser, as odd as requests are.
const REQUEST: &str = "GET /a/../b?token=x%2Ey&q=1 HTTP/1.1\r\nhost:   localhost:9001\r\nX-Odd-CASE:  kept \r\n\
    Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nOrigin: http://localhost:5173\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat, v2\r\n\r\n";
const KEY: [u8; 4] = [1, 2, 3, 4];

fn verdict(story: &Story) -> (&'static str, String, String) {
    let verdict = story.verdict.as_ref().unwrap();
    (verdict.ending.id(), verdict.cause.clone(), verdict.summary.clone())
}

/// Reads until this many bytes have come.
fn read_exactly(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// Reads a request like [`REQUEST`] and accepts it.
fn agree(stream: &mut TcpStream) {
    read_head(stream);
    stream.write_all(ANSWER).unwrap();
}

/// Does something on a thread of its own.
fn aside(act: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new().name("aside".to_owned()).spawn(act).unwrap()
}

#[test]
fn every_byte_goes_through_as_it_is() {
    let to_client: Vec<u8> = [
        encode_frame(0x01, None, b"two "),
        encode_frame(0x89, None, b"ping"),
        encode_frame(0x80, None, b"frames"),
        encode_frame(0x82, None, &(0..200_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>()),
    ]
    .concat();
    let close = encode_frame(0x88, None, &[&1000_u16.to_be_bytes()[..], b"bye"].concat());
    let to_server: Vec<u8> = [
        encode_frame(0x81, Some(KEY), "größe".as_bytes()),
        encode_frame(0x8A, Some(KEY), b"ping"),
        encode_frame(0x02, Some(KEY), &vec![7; 300_000]),
        encode_frame(0x80, Some(KEY), b""),
        encode_frame(0x88, Some(KEY), &1000_u16.to_be_bytes()),
    ]
    .concat();
    let (sent, answer, expected) = (to_client.clone(), close.clone(), to_server.len());
    let (server, peer) = serve(move |mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(ANSWER).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let writing = aside(move || writer.write_all(&sent).unwrap());
        let got = read_exactly(&mut stream, expected);
        writing.join().unwrap();
        stream.write_all(&answer).unwrap();
        (head, got)
    });
    let between = Between::plain(server);
    let mut client = between.client();
    // The head comes in pieces, and a frame right behind it.
    let (begin, rest) = REQUEST.split_at(70);
    client.write_all(begin.as_bytes()).unwrap();
    client.flush().unwrap();
    std::thread::park_timeout(Duration::from_millis(30));
    client.write_all(&[rest.as_bytes(), &to_server[..5]].concat()).unwrap();
    let mut writer = client.try_clone().unwrap();
    let left = to_server[5..].to_vec();
    let writing = aside(move || writer.write_all(&left).unwrap());
    let got = read_to_end(&mut client);
    writing.join().unwrap();
    drop(client);
    let (head, from_client) = peer.join().unwrap();
    assert_eq!(String::from_utf8(head).unwrap(), REQUEST);
    assert!(from_client == to_server, "what the server got is not what the client sent");
    let to_client = [to_client, close].concat();
    assert!(got == [ANSWER, &to_client].concat(), "what the client got is not what the server sent");
    let story = between.story();
    let plan = story.plan.as_ref().unwrap();
    assert_eq!(plan.url, format!("ws://{server}/a/../b?token=x%2Ey&q=1"));
    assert_eq!(plan.between.unwrap().listens.port(), between.address.port());
    assert_eq!(plan.subprotocols, ["chat", "v2"]);
    assert_eq!(story.request.as_ref().unwrap().raw, REQUEST.as_bytes());
    assert_eq!((story.sent.wire_bytes, story.received.wire_bytes), (to_server.len() as u64, to_client.len() as u64));
    assert_eq!((story.sent.messages, story.received.messages), (2, 2));
    assert_eq!(verdict(&story).1, "ended-by-user", "{:?}", verdict(&story));
}

const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: v2\r\n\r\n";

#[test]
fn only_the_host_is_renamed_and_only_if_asked() {
    let (server, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno").unwrap();
        read_to_end(&mut stream);
        head
    });
    let between = Between::to(&format!("ws://{server}/"), |options| options.renames = true);
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    let answer = read_exactly(&mut client, 47);
    assert!(answer.ends_with(b"\r\n\r\nno"), "{}", String::from_utf8_lossy(&answer));
    drop(client);
    let head = String::from_utf8(peer.join().unwrap()).unwrap();
    assert_eq!(head, REQUEST.replace("  localhost:9001", &server.to_string()));
    let story = between.story();
    assert_eq!(verdict(&story).0, "upgrade-refused", "{:?}", verdict(&story));
    assert_eq!(story.answer.body_text(), "no");
}

/// Opens through an engine, lets both sides do something, and gives the story.
fn opened_between(
    server: impl FnOnce(&mut TcpStream) + Send + 'static,
    client: impl FnOnce(&mut TcpStream),
) -> Arc<Story> {
    let (address, peer) = serve(move |mut stream| {
        agree(&mut stream);
        server(&mut stream);
    });
    let between = Between::plain(address);
    let mut stream = between.client();
    stream.write_all(REQUEST.as_bytes()).unwrap();
    assert_eq!(read_exactly(&mut stream, ANSWER.len()), ANSWER);
    client(&mut stream);
    drop(stream);
    peer.join().unwrap();
    between.story()
}

#[test]
fn what_the_client_does_is_the_clients() {
    let wait = |stream: &mut TcpStream| drop(read_to_end(stream));
    // It leaves its page.
    let story = opened_between(
        |stream| {
            let mut close = [0; 8];
            stream.read_exact(&mut close).unwrap();
            stream.write_all(&encode_frame(0x88, None, &1001_u16.to_be_bytes())).unwrap();
        },
        |stream| {
            stream.write_all(&encode_frame(0x88, Some(KEY), &1001_u16.to_be_bytes())).unwrap();
            read_to_end(stream);
        },
    );
    assert_eq!((verdict(&story).0, verdict(&story).1.as_str()), ("ended-by-us", "page-navigation"), "{story:?}");
    // It closes in good order.
    let story = opened_between(
        |stream| {
            let mut close = [0; 8];
            stream.read_exact(&mut close).unwrap();
            stream.write_all(&encode_frame(0x88, None, &1000_u16.to_be_bytes())).unwrap();
        },
        |stream| {
            stream.write_all(&encode_frame(0x88, Some(KEY), &1000_u16.to_be_bytes())).unwrap();
            read_to_end(stream);
        },
    );
    assert_eq!((verdict(&story).0, verdict(&story).1.as_str()), ("ended-by-us", "ended-by-user"));
    assert!(verdict(&story).2.contains("client closed the connection with 1000"), "{:?}", verdict(&story));
    // It drops TCP after it has talked.
    let story = opened_between(wait, |stream| {
        stream.write_all(&encode_frame(0x81, Some(KEY), b"hi")).unwrap();
        std::thread::park_timeout(Duration::from_millis(50));
    });
    assert_eq!(verdict(&story).1, "ended-by-user", "{:?}", verdict(&story));
    assert!(matches!(story.client_end, Some((_, ReadEnd::Fin))), "{:?}", story.client_end);
    assert_eq!(story.close_begun.map(|(_, by)| by), Some(CloseOrigin::Client));
    // It resets TCP, and so does what stands between.
    let story = opened_between(
        |stream| {
            let error = std::io::copy(stream, &mut std::io::sink()).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
        },
        |stream| {
            stream.write_all(&encode_frame(0x81, Some(KEY), b"hi")).unwrap();
            std::thread::park_timeout(Duration::from_millis(50));
            socket2::SockRef::from(&*stream).set_linger(Some(Duration::ZERO)).unwrap();
        },
    );
    assert!(matches!(story.client_end, Some((_, ReadEnd::Reset))), "{:?}", story.client_end);
    assert_eq!(verdict(&story).1, "ended-by-user", "{:?}", verdict(&story));
    // It closes its socket while it connects: a page that is rendered twice.
    let story = opened_between(wait, |_| {});
    assert_eq!(verdict(&story).1, "close-while-connecting", "{:?}", verdict(&story));
}

#[test]
fn a_client_that_goes_before_the_answer_closed_while_connecting() {
    let (address, peer) = serve(|mut stream| {
        read_head(&mut stream);
        read_to_end(&mut stream)
    });
    let between = Between::plain(address);
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    std::thread::park_timeout(Duration::from_millis(50));
    drop(client);
    assert!(peer.join().unwrap().is_empty());
    let story = between.story();
    assert_eq!((verdict(&story).0, verdict(&story).1.as_str()), ("ended-by-us", "close-while-connecting"));
}

#[test]
fn what_the_server_does_is_the_servers_and_is_passed_on() {
    // FIN without a Close.
    let (address, peer) = serve(|mut stream| {
        agree(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
    });
    let between = Between::plain(address);
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    assert!(read_to_end(&mut client).ends_with(b"hello"));
    drop(client);
    peer.join().unwrap();
    let story = between.story();
    assert_eq!(verdict(&story).0, "fin", "{:?}", verdict(&story));
    assert!(story.close_begun.is_none(), "{:?}", story.close_begun);
    // RST, in the midst of a frame.
    let (address, peer) = serve(|mut stream| {
        agree(&mut stream);
        stream.write_all(&encode_frame(0x82, None, &[1; 100])[..50]).unwrap();
        std::thread::park_timeout(Duration::from_millis(50));
        socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let between = Between::plain(address);
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    let error = std::io::copy(&mut client, &mut std::io::sink()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    peer.join().unwrap();
    let story = between.story();
    assert_eq!(verdict(&story).0, "rst", "{:?}", verdict(&story));
    // No server.
    let (address, peer) = serve(drop);
    drop(TcpStream::connect(address));
    peer.join().unwrap();
    let between = Between::plain(address);
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    assert!(read_to_end(&mut client).is_empty());
    let story = between.story();
    assert_eq!(verdict(&story).1, "tcp-refused", "{:?}", verdict(&story));
}

/// What a client reads to the end, as the answer's head and the Close frame behind it.
fn told(client: &mut TcpStream) -> (String, u16, String) {
    let bytes = read_to_end(client);
    let head_len = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (head, frames) = bytes.split_at(head_len);
    let mut rest = frames;
    loop {
        let header = FrameHeader::parse(rest).unwrap_or_else(|| panic!("no Close frame in {frames:?}"));
        let begin = usize::from(header.header_len);
        let payload = &rest[begin..begin + usize::try_from(header.payload_len).unwrap()];
        if header.first == 0x88 {
            let (code, reason) = payload.split_at(2);
            let code = u16::from_be_bytes([code[0], code[1]]);
            return (String::from_utf8_lossy(head).into_owned(), code, String::from_utf8(reason.to_vec()).unwrap());
        }
        rest = &rest[begin + payload.len()..];
    }
}

#[test]
fn a_page_is_told_why_if_asked() {
    let tells = |url: String| Between::to(&url, |options| options.tells = true);
    // The server refuses.
    let (address, peer) = serve(|mut stream| {
        read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nno n").unwrap();
        std::thread::park_timeout(Duration::from_millis(30));
        stream.write_all(b"\r\n3\r\no n\r\n0\r\n\r\n").unwrap();
        read_to_end(&mut stream);
    });
    let between = tells(format!("ws://{address}/"));
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    let (head, code, reason) = told(&mut client);
    assert!(head.starts_with("HTTP/1.1 101 ") && head.contains("Sec-WebSocket-Protocol: chat\r\n"), "{head}");
    assert_eq!(code, TOLD_CODE);
    drop(client);
    peer.join().unwrap();
    let (conn, story) = between.ended();
    assert_eq!(verdict(&story).0, "upgrade-refused");
    assert!(reason.starts_with(&verdict(&story).1), "{reason}");
    assert_eq!(story.answer.body_text(), "no no n");
    let is_told = |body: &RowBody| matches!(body, RowBody::Fact(fact) if matches!(&**fact, Fact::ClientTold { .. }));
    let session = between.engine.session(conn).unwrap();
    let mut rows = session.rows(&Selection::default());
    assert!(rows.any(|row| is_told(&row.unwrap().body)));
    // The server goes without a word, after whole frames.
    let (address, peer) = serve(|mut stream| {
        agree(&mut stream);
        stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
    });
    let between = tells(format!("ws://{address}/"));
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    let (head, code, reason) = told(&mut client);
    assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
    drop(client);
    peer.join().unwrap();
    let story = between.story();
    assert_eq!(code, TOLD_CODE);
    assert!(reason.starts_with(&verdict(&story).1), "{reason}");
    // Within a frame there is no place for a word.
    for begun in [&encode_frame(0x81, None, b"hello")[..1], &encode_frame(0x81, None, b"hello")[..4]] {
        let begun = begun.to_vec();
        let (address, peer) = serve(move |mut stream| {
            agree(&mut stream);
            stream.write_all(&begun).unwrap();
            begun
        });
        let between = tells(format!("ws://{address}/"));
        let mut client = between.client();
        client.write_all(REQUEST.as_bytes()).unwrap();
        let read = read_to_end(&mut client);
        drop(client);
        assert_eq!(read, [ANSWER, &peer.join().unwrap()].concat());
        assert_eq!(verdict(&between.story()).0, "fin");
    }
    // Between two fragments there is.
    let (address, peer) = serve(|mut stream| {
        agree(&mut stream);
        stream.write_all(&encode_frame(0x01, None, b"hel")).unwrap();
    });
    let between = tells(format!("ws://{address}/"));
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    assert_eq!(told(&mut client).1, TOLD_CODE);
    drop(client);
    peer.join().unwrap();
    between.story();
    // Nobody is there.
    let between = tells("ws://127.0.0.1:1/".to_owned());
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    assert!(told(&mut client).2.starts_with("tcp-refused: "));
}

#[test]
fn who_asks_for_no_websocket_goes_through_and_makes_no_session() {
    let (address, peer) = serve(|mut stream| {
        let head = read_head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n").unwrap();
        // The answer has no end, and is seen before it has one.
        (head, read_to_end(&mut stream))
    });
    let between = Between::to(&format!("ws://{address}/"), |options| options.tells = true);
    let mut client = between.client();
    let request = b"POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody";
    client.write_all(request).unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"data: 1\n\n") {
        read.extend(read_exactly(&mut client, 1));
    }
    drop(client);
    let (head, rest) = peer.join().unwrap();
    assert_eq!([head, rest].concat(), request);
    assert!(matches!(event(&between.engine), Event::InterceptPassed));
    assert!(between.engine.event_timeout(Duration::from_millis(300)).is_none());
    assert!(between.engine.view(ConnId(ConnId::INTERCEPTED)).is_none());
}

#[test]
fn the_clients_token_is_read_and_checked() {
    let claims = r#"{"sub": "a", "exp": 4000000000}"#;
    let token = sockeye::token::mint(claims, "HS256", b"the-secret-of-this-test-is-long-enough").unwrap();
    let (address, peer) = serve(|mut stream| {
        agree(&mut stream);
        stream.write_all(&encode_frame(0x88, None, &1008_u16.to_be_bytes())).unwrap();
        read_to_end(&mut stream);
    });
    let between = Between::to(&format!("ws://{address}/"), |options| {
        options.connect.secrets = vec![Secret::new("mine", "another-secret-that-is-long-enough-too")];
    });
    let mut client = between.client();
    client.write_all(REQUEST.replace("x%2Ey", &token).as_bytes()).unwrap();
    read_exactly(&mut client, ANSWER.len() + 4);
    drop(client);
    peer.join().unwrap();
    let story = between.story();
    assert_eq!(verdict(&story).1, "jwt-wrong-secret", "{:?}", verdict(&story));
}

#[test]
fn who_asks_for_nothing_is_left_alone() {
    let (address, peer) = serve(drop);
    let between = Between::plain(address);
    // Browsers connect ahead of time.
    drop(between.client());
    let mut client = between.client();
    client.write_all(b"\x16\x03\x01\x02\x00\x01\x00").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    match event(&between.engine) {
        Event::InterceptIgnored { why, .. } => assert!(why.contains("TLS"), "{why}"),
        other => panic!("{other:?}"),
    }
    // Nobody had connected to the server for that.
    drop(TcpStream::connect(address));
    peer.join().unwrap();
}

#[test]
fn a_port_that_is_taken_is_said() {
    let (address, peer) = serve(drop);
    let engine = engine();
    let options = InterceptOptions {
        listen: address,
        connect: ConnectOptions::new("ws://localhost:1/"),
        renames: false,
        tells: false,
    };
    let itself = format!("ws://localhost:{}/", address.port());
    for (change, expected) in [
        (None, "listen on 127.0.0.1"),
        (Some("nonsense"), "cannot be connected to"),
        (Some("ws+unix:/run/app.sock:/"), "Unix socket"),
        (Some(itself.as_str()), "would relay to itself"),
    ] {
        let mut options = options.clone();
        if let Some(url) = change {
            options.connect.url = url.to_owned();
        }
        engine.send(sockeye::engine::Command::StartIntercept { options: Box::new(options) }).unwrap();
        match event(&engine) {
            Event::InterceptFailed { why } => assert!(why.contains(expected), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    drop(TcpStream::connect(address));
    peer.join().unwrap();
}

/// Opens with this answer, lets the client send a frame or not, and gives the verdict.
fn answered(answer: &'static [u8], frame: Option<&[u8]>, tells: bool) -> (Vec<u8>, Arc<Story>) {
    let (address, peer) = serve(move |mut stream| {
        read_head(&mut stream);
        stream.write_all(answer).unwrap();
        read_to_end(&mut stream)
    });
    let between = Between::to(&format!("ws://{address}/"), |options| options.tells = tells);
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    assert_eq!(read_exactly(&mut client, answer.len()), answer);
    if let Some(frame) = frame {
        client.write_all(frame).unwrap();
        std::thread::park_timeout(Duration::from_millis(50));
    }
    drop(client);
    (peer.join().unwrap(), between.story())
}

#[test]
fn a_101_that_some_clients_take_is_theirs_to_judge() {
    const UNANSWERED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    for tells in [false, true] {
        // One goes on as if a subprotocol had been chosen …
        let frame = encode_frame(0x81, Some(KEY), b"hi");
        let (got, story) = answered(UNANSWERED, Some(&frame), tells);
        assert_eq!(got, frame);
        assert!(story.opened.is_some(), "{:?}", verdict(&story));
        assert_eq!(verdict(&story).0, "ended-by-us", "{:?}", verdict(&story));
        // … and has no second answer if the server goes.
        let (address, peer) = serve(|mut stream| {
            read_head(&mut stream);
            stream.write_all(UNANSWERED).unwrap();
        });
        let between = Between::to(&format!("ws://{address}/"), |options| options.tells = tells);
        let mut client = between.client();
        client.write_all(REQUEST.as_bytes()).unwrap();
        assert_eq!(read_to_end(&mut client), UNANSWERED);
        drop(client);
        peer.join().unwrap();
        between.story();
        // Another, as Chrome, does not go on.
        let (_, story) = answered(UNANSWERED, None, tells);
        assert_eq!(verdict(&story).1, "subprotocol-unanswered", "{:?}", verdict(&story));
    }
}

#[test]
fn a_client_that_leaves_a_server_that_does_not_read_is_seen() {
    let (stop, stopped) = std::sync::mpsc::sync_channel::<()>(1);
    let (address, peer) = serve(move |mut stream| {
        agree(&mut stream);
        stopped.recv().ok();
    });
    let between = Between::plain(address);
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    read_exactly(&mut client, ANSWER.len());
    client.write_all(&encode_frame(0x88, Some(KEY), &1001_u16.to_be_bytes())).unwrap();
    drop(client);
    let story = between.story();
    assert_eq!(verdict(&story).1, "page-navigation", "{:?}", verdict(&story));
    drop(stop);
    peer.join().unwrap();
}

#[test]
fn the_program_prints_and_saves_each_session() {
    let folder = tempfile::tempdir().unwrap();
    let (address, peer) = serve(|mut stream| {
        agree(&mut stream);
        stream.write_all(&encode_frame(0x88, None, &[&1008_u16.to_be_bytes()[..], b"Invalid token"].concat())).unwrap();
        read_to_end(&mut stream);
    });
    let mut program = program(&["intercept", "--listen", "0", "--count", "1", "--no-probes", "--json", "--save"])
        .arg(folder.path())
        .args(["--target", &format!("ws://{address}/unused")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut notes = BufReader::new(program.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(notes.next().unwrap().contains("path of --target is not used"));
    let port: u16 = notes.next().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    let mut client = TcpStream::connect(("localhost", port)).unwrap();
    client.write_all(REQUEST.as_bytes()).unwrap();
    read_exactly(&mut client, ANSWER.len() + 17);
    client.write_all(&encode_frame(0x88, Some(KEY), &1008_u16.to_be_bytes())).unwrap();
    let own_address = client.local_addr().unwrap().to_string();
    drop(client);
    peer.join().unwrap();
    let printed = program.wait_with_output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    let printed = String::from_utf8(printed.stdout).unwrap();
    let value: serde_json::Value = serde_json::from_str(printed.trim_end()).unwrap();
    assert_fits_schema(&value);
    assert_eq!((&value["close"]["received"]["code"], &value["client"]), (&1008.into(), &own_address.into()));
    assert!(!printed.contains("x%2Ey") && !printed.contains("x.y"), "{printed}");
    let saved = folder.path().join("intercepted-1.sockeye");
    assert!(saved.exists());
    assert!(notes.next().unwrap().ends_with("intercepted-1.sockeye"));
    let shown = crate::cli::run(&["export", saved.to_str().unwrap(), "--to", "text"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("1008"));
}

#[test]
fn a_server_that_pauses_gets_every_byte_of_a_silent_client() {
    let (address, peer) = serve(|mut stream| {
        agree(&mut stream);
        std::thread::park_timeout(Duration::from_millis(2_500));
        let sent = read_exactly(&mut stream, 14 + 12_000_000);
        stream.write_all(&encode_frame(0x81, None, b"got it")).unwrap();
        sent.len()
    });
    let between = Between::plain(address);
    let mut client = between.client();
    client.write_all(REQUEST.as_bytes()).unwrap();
    read_exactly(&mut client, ANSWER.len());
    client.write_all(&encode_frame(0x82, Some(KEY), &vec![7; 12_000_000])).unwrap();
    // It says nothing more, and waits.
    assert!(read_exactly(&mut client, 8).ends_with(b"got it"));
    drop(client);
    assert_eq!(peer.join().unwrap(), 12_000_014);
}
