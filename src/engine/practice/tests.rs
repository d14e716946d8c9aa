//! The practice server against a plain TCP client: each row does on the wire what it promises.

use std::io;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use super::*;

/// How TCP ended on its own, before the client did anything about it.
#[derive(Debug, PartialEq)]
enum End {
    Fin,
    Rst,
    Quiet,
}

fn lines() -> (Arc<Mutex<Vec<String>>>, ConsoleSink) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    (lines, Arc::new(move |line: &str| sink.lock().unwrap().push(line.to_owned())))
}

async fn start() -> Practice {
    Practice::start(PracticeOptions { port: 0, secret: None, console: lines().1 }).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the server validates against the real clock")]
fn now_unix() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// Address and request target of a `ws` URL.
fn parts(url: &str) -> (String, String) {
    let rest = url.split_once("://").unwrap().1;
    let slash = rest.find('/').unwrap();
    (rest[..slash].to_owned(), rest[slash..].to_owned())
}

async fn upgrade(stream: &mut TcpStream, authority: &str, target: &str) {
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
}

/// Connects to `url` as a client that only listens, and returns what came until the end or a pause.
async fn meet(url: &str) -> (Vec<u8>, End) {
    let (authority, target) = parts(url);
    let mut stream = TcpStream::connect(&authority).await.unwrap();
    upgrade(&mut stream, &authority, &target).await;
    listen_to(&mut stream).await
}

async fn listen_to(stream: &mut TcpStream) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    loop {
        match timeout(Duration::from_millis(700), stream.read_buf(&mut bytes)).await {
            Ok(Ok(0)) => return (bytes, End::Fin),
            Ok(Ok(_)) => {}
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
                return (bytes, End::Rst);
            }
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => return (bytes, End::Quiet),
        }
    }
}

#[tokio::test]
async fn guide_confirms_and_echoes_and_prints_no_token() {
    let (seen, console) = lines();
    let practice = Practice::start(PracticeOptions { port: 0, secret: None, console }).await.unwrap();
    let exercise = practice.exercise(None, now_unix()).await.unwrap();
    let stream = TcpStream::connect(practice.address()).await.unwrap();
    let (mut socket, response) = client_async(&exercise.url, stream).await.unwrap();
    assert_eq!(response.status(), 101);
    let first = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert_eq!(
        first.as_str(),
        r#"{"type":"ready","message":"WebSocket connection established","agentId":"practice-agent"}"#
    );
    for message in [Message::text("hello"), Message::binary(vec![1, 2, 3])] {
        socket.send(message.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), message);
    }
    socket.send(Message::Ping("p".into())).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("p".into()));
    socket.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.next().await {}

    let token = exercise.token.unwrap();
    let seen = seen.lock().unwrap().clone();
    assert!(seen.iter().all(|line| !line.contains(&token) && !line.contains("eyJ")));
    for line in [
        format!("[WebSocket] Server listening on port {}", practice.address().port()),
        "[WebSocket] New connection attempt from: 127.0.0.1".to_owned(),
        "[WebSocket] Request URL: /?token=...&agentId=...".to_owned(),
        format!("[WebSocket] Token received, length: {}", token.len()),
        "[WebSocket] ✅ Token verified successfully for user: practice-user tenant: practice-tenant".to_owned(),
        "[WebSocket] ✅ Connection confirmed message sent".to_owned(),
    ] {
        assert!(seen.contains(&line), "{line} is not in {seen:?}");
    }
}

#[tokio::test]
async fn refused_tokens_are_closed_with_1008_and_the_reason() {
    let practice = start().await;
    let refusals = [
        ("token-missing", "Invalid token: jwt must be provided"),
        ("token-placeholder", "Invalid token: jwt malformed"),
        ("token-whitespace", "Invalid token: invalid token"),
        ("jwt-expired", "Invalid token: jwt expired"),
        ("jwt-not-active", "Invalid token: jwt not active"),
        ("jwt-wrong-secret", "Invalid token: invalid signature"),
        ("jwt-alg-none", "Invalid token: jwt signature is required"),
        ("jwt-alg-mismatch", "Invalid token: invalid algorithm"),
        ("jwt-secret-missing", "Invalid token: secret or public key must be provided"),
        ("jwt-audience", "Invalid token: jwt audience invalid. expected: voice-service"),
        ("jwt-clock-skew", "Invalid token: jwt expired"),
        ("close-1008-agent", "agentId is required"),
    ];
    join_all(refusals.map(|(id, reason)| check_close(&practice, id, 1008, reason))).await;
    check_close(&practice, "close-1002-url", 1002, "Failed to parse URL").await;
}

async fn check_close(practice: &Practice, id: &str, code: u16, reason: &str) {
    let exercise = practice.exercise(Some(id), now_unix()).await.unwrap();
    let (bytes, _) = meet(&exercise.url).await;
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let frames = &bytes[head_end..];
    assert_eq!(frames[0], 0x88, "{id}");
    assert_eq!(u16::from_be_bytes([frames[2], frames[3]]), code, "{id}");
    assert_eq!(String::from_utf8_lossy(&frames[4..]), reason, "{id}");
}

#[tokio::test]
async fn every_path_does_on_the_wire_what_its_ending_says() {
    let practice = start().await;
    let rows = FAULTS.iter().filter(|row| matches!(row.setting, Setting::Path(_) | Setting::Dies(_)));
    // What a clock brings about takes longer than is waited for here.
    let rows = rows.filter(|row| row.terms.times == 1 && !row.terms.withholds_pongs);
    join_all(rows.map(|row| check_wire(&practice, row))).await;
}

async fn check_wire(practice: &Practice, row: &Fault) {
    let id = row.id;
    let exercise = practice.exercise(Some(id), now_unix()).await.unwrap();
    let (bytes, end) = meet(&exercise.url).await;
    let text = String::from_utf8_lossy(&bytes);
    let is_101 = text.starts_with("HTTP/1.1 101 ") && text.contains("\r\n\r\n");
    match row.ending {
        "upgrade-refused" => {
            assert!(text.starts_with("HTTP/1.1 ") && text.contains("\r\n\r\n") && !is_101, "{id}");
            assert_eq!(end, End::Fin, "{id}");
        }
        "upgrade-cut" => {
            assert!(!text.contains("\r\n\r\n"), "{id}");
            assert_ne!(end, End::Quiet, "{id}");
        }
        "upgrade-unanswered" => {
            assert!(!text.contains("\r\n\r\n"), "{id}");
            assert_eq!(end, End::Quiet, "{id}");
        }
        "fin" => assert!(is_101 && end == End::Fin, "{id} {end:?}"),
        "rst" => assert!(is_101 && end == End::Rst, "{id} {end:?}"),
        "upgrade-invalid" => assert_eq!(end, End::Quiet, "{id}"),
        _ => assert!(is_101 && end == End::Quiet, "{id} {end:?}"),
    }
}

#[tokio::test]
async fn literal_bytes_arrive_as_the_script_says() {
    let practice = start().await;
    for (id, tail) in [
        ("proto-nonminimal-length", &b"\x81\x7e\x00\x05Hello"[..]),
        ("proto-rsv1-no-deflate", b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"),
        ("close-illegal-code", b"\x88\x02\x03\xed"),
        ("data-after-close", b"\x88\x02\x03\xe8\x81\x04late"),
        ("close-1013", b"\x88\x11\x03\xf5Try again later"),
        ("frame-truncated", b"\x82\x7e\x04\x00half of it"),
    ] {
        let exercise = practice.exercise(Some(id), now_unix()).await.unwrap();
        let (bytes, _) = meet(&exercise.url).await;
        assert!(bytes.ends_with(tail), "{id}: {bytes:02x?}");
        assert!(bytes.windows(17).any(|part| part == b"\"practice-agent\"}"), "{id} was not confirmed");
    }
    let huge = practice.exercise(Some("upgrade-headers-too-big"), now_unix()).await.unwrap();
    assert!(meet(&huge.url).await.0.len() > 256 * 1024);
}

#[tokio::test]
async fn accept_key_is_that_of_the_rfc() {
    let practice = start().await;
    let exercise = practice.exercise(Some("close-1000"), now_unix()).await.unwrap();
    let (bytes, _) = meet(&exercise.url).await;
    assert!(String::from_utf8_lossy(&bytes).contains("\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
}

#[tokio::test]
async fn our_close_is_dropped_answered_or_ignored() {
    let practice = start().await;
    for (id, answer, end) in [
        ("peer-drops-tcp-on-our-close", &b""[..], End::Fin),
        ("peer-never-closes-tcp", b"\x88\x02\x03\xe8", End::Quiet),
        ("peer-never-answers-close", b"", End::Quiet),
    ] {
        let exercise = practice.exercise(Some(id), now_unix()).await.unwrap();
        let (authority, target) = parts(&exercise.url);
        let mut stream = TcpStream::connect(&authority).await.unwrap();
        upgrade(&mut stream, &authority, &target).await;
        let (before, quiet) = listen_to(&mut stream).await;
        assert!(before.ends_with(b"}") && quiet == End::Quiet, "{id}");
        stream.write_all(b"\x88\x82\x00\x00\x00\x00\x03\xe8").await.unwrap();
        assert_eq!(listen_to(&mut stream).await, (answer.to_vec(), end), "{id}");
    }
}

#[tokio::test]
async fn our_long_message_is_answered_with_1009() {
    let practice = start().await;
    let exercise = practice.exercise(Some("message-too-big-then-died"), now_unix()).await.unwrap();
    let stream = TcpStream::connect(parts(&exercise.url).0).await.unwrap();
    let (mut socket, _) = client_async(&exercise.url, stream).await.unwrap();
    socket.next().await.unwrap().unwrap();
    socket.send(Message::text(exercise.send[0].clone())).await.unwrap();
    let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else { panic!("no close") };
    assert_eq!(u16::from(frame.code), 1009);
    while let Some(Ok(_)) = socket.next().await {}
    let error = TcpStream::connect(parts(&exercise.url).0).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn port_of_a_dead_process_refuses_and_that_of_a_live_one_accepts() {
    let practice = start().await;
    let died = practice.exercise(Some("server-process-died"), now_unix()).await.unwrap();
    let terminated = practice.exercise(Some("connection-terminated"), now_unix()).await.unwrap();
    assert_eq!(meet(&died.url).await.1, End::Fin);
    assert_eq!(meet(&terminated.url).await.1, End::Fin);
    let refused = TcpStream::connect(parts(&died.url).0).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert!(TcpStream::connect(parts(&terminated.url).0).await.is_ok());
}

#[tokio::test]
async fn plain_requests_get_help() {
    let practice = start().await;
    for (target, status, said) in [
        ("/", "426 ", "practice server"),
        ("/fault/upgrade-unanswered", "426 ", "practice server"),
        ("/fault/http-502", "502 ", "Bad Gateway"),
        ("/nowhere", "404 ", "/fault/http-404  404"),
        ("/fault/tcp-refused", "404 ", "practice/tcp-refused"),
    ] {
        let mut stream = TcpStream::connect(practice.address()).await.unwrap();
        stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let (bytes, end) = listen_to(&mut stream).await;
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.starts_with(&format!("HTTP/1.1 {status}")) && text.contains(said), "{target}: {text}");
        assert_eq!(end, End::Fin);
    }
}

#[tokio::test]
async fn long_request_head_is_answered_with_431() {
    let practice = start().await;
    let exercise = practice.exercise(Some("url-too-long"), now_unix()).await.unwrap();
    let (bytes, end) = meet(&exercise.url).await;
    assert!(bytes.starts_with(b"HTTP/1.1 431 "));
    assert_eq!(end, End::Fin);
}

#[tokio::test]
async fn ports_refuse_hang_and_banner_as_told() {
    let practice = start().await;
    let refused = practice.exercise(Some("boot-crash"), now_unix()).await.unwrap();
    let error = TcpStream::connect(parts(&refused.url).0).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);

    let ssh = practice.exercise(Some("port-not-http"), now_unix()).await.unwrap();
    assert!(meet(&ssh.url).await.0.starts_with(b"SSH-2.0-"));
    let alert = practice.exercise(Some("tls-version"), now_unix()).await.unwrap();
    assert_eq!(meet(&alert.url).await, (b"\x15\x03\x01\x00\x02\x02\x46".to_vec(), End::Fin));
    let reset = practice.exercise(Some("tls-reset-after-hello"), now_unix()).await.unwrap();
    assert_eq!(meet(&reset.url).await, (Vec::new(), End::Rst));
    let blocked = practice.exercise(Some("server-blocked"), now_unix()).await.unwrap();
    assert_eq!(meet(&blocked.url).await, (Vec::new(), End::Quiet));

    match practice.exercise(Some("tcp-backlog-full"), now_unix()).await {
        Ok(full) => {
            let connecting = TcpStream::connect(parts(&full.url).0);
            assert!(timeout(Duration::from_millis(700), connecting).await.is_err());
        }
        Err(PracticeError::CannotStage { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    match practice.exercise(Some("localhost-family-mismatch"), now_unix()).await {
        Ok(mismatch) => assert!(TcpStream::connect(parts(&mismatch.url).0).await.is_err()),
        Err(PracticeError::CannotStage { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    match practice.exercise(Some("url-unsafe-port"), now_unix()).await {
        Ok(port) => assert!(meet(&port.url).await.0.starts_with(b"HTTP/1.1 101 ")),
        Err(PracticeError::CannotStage { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn taken_port_and_unknown_fault_are_named() {
    let practice = start().await;
    let port = practice.address().port();
    let second = Practice::start(PracticeOptions { port, secret: None, console: lines().1 }).await;
    assert!(matches!(second, Err(PracticeError::PortTaken { port: taken, .. }) if taken == port));
    let unknown = practice.exercise(Some("close-108"), now_unix()).await;
    assert!(matches!(unknown, Err(PracticeError::UnknownFault { nearest: "close-1008", .. })));
}

#[tokio::test]
async fn dropping_the_practice_frees_its_port() {
    let practice = start().await;
    let address = practice.address();
    let exercise = practice.exercise(None, now_unix()).await.unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    upgrade(&mut stream, "x", &parts(&exercise.url).1).await;
    assert_eq!(listen_to(&mut stream).await.1, End::Quiet);
    drop(practice);
    assert_ne!(listen_to(&mut stream).await.1, End::Quiet);
    assert!(TcpStream::connect(address).await.is_err());
}
