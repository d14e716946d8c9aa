//! A peer for tests: a plain listener whose one connection is served by a closure with literal bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use sockeye::engine::{Command, ConnectOptions, Engine, EngineHandle, Event, JournalPlace};
use sockeye::observation::{ConnId, Expect};
use sockeye::store::Story;
use sockeye::wire::{accept_for, parse_request};

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// Serves one connection on a free loopback port.
pub(crate) fn serve<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (SocketAddr, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::Builder::new().name("peer".to_owned()).spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        // The port goes on listening while the connection lives, as a server's does.
        let out = serve(stream);
        drop(listener);
        out
    });
    (address, thread.unwrap())
}

/// Reads the request's head.
pub(crate) fn read_head(stream: &mut impl Read) -> Vec<u8> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    head
}

/// Reads the request and answers it with a right 101.
pub(crate) fn accept(stream: &mut (impl Read + Write)) -> Vec<u8> {
    accept_with(stream, "")
}

/// The same with further fields in the 101, each with its line end.
pub(crate) fn accept_with(stream: &mut (impl Read + Write), fields: &str) -> Vec<u8> {
    let head = read_head(stream);
    let request = parse_request(&head).unwrap();
    let accept = accept_for(request.values("sec-websocket-key").next().unwrap());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n{fields}\r\n"
    );
    stream.write_all(answer.as_bytes()).unwrap();
    head
}

/// Reads until the client ends TCP.
pub(crate) fn read_to_end(mut stream: impl Read) -> Vec<u8> {
    let mut out = Vec::new();
    // A reset ends it as well.
    stream.read_to_end(&mut out).ok();
    out
}

/// An engine that nobody wakes.
pub(crate) fn engine() -> EngineHandle {
    Engine::start(Arc::new(|| {})).unwrap()
}

/// Options for a short session in memory.
pub(crate) fn options(url: &str) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.journal = JournalPlace::Memory;
    options.watch = Some(Duration::from_millis(200));
    options
}

/// Connects and waits for the end.
pub(crate) fn run(options: ConnectOptions) -> Arc<Story> {
    let engine = engine();
    let conn = ConnId(7);
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    wait_for_end(&engine);
    Arc::clone(&engine.view(conn).unwrap().story)
}

/// An engine with a connection that is open.
pub(crate) fn opened(options: ConnectOptions) -> (EngineHandle, ConnId) {
    let engine = engine();
    let conn = ConnId(1);
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    wait_until(&engine, conn, |story| story.opened.is_some());
    (engine, conn)
}

/// A server that says nothing, and options to stay with it until somebody closes.
pub(crate) fn silent_server() -> (ConnectOptions, JoinHandle<Vec<u8>>) {
    let (address, peer) = serve(|mut stream| {
        accept(&mut stream);
        read_to_end(&mut stream)
    });
    let mut options = options(&format!("ws://{address}/"));
    (options.expect, options.watch) = (Expect::None, None);
    (options, peer)
}

/// Waits until the connection is over.
pub(crate) fn wait_for_end(engine: &EngineHandle) {
    loop {
        match engine.event_timeout(LIMIT).unwrap() {
            Event::Ended { .. } => return,
            Event::Refused { why, .. } => panic!("{why}"),
            _ => {}
        }
    }
}

/// Waits until a story holds.
pub(crate) fn wait_until(engine: &EngineHandle, conn: ConnId, holds: impl Fn(&Story) -> bool) {
    let mut tries = 0;
    while !engine.view(conn).is_some_and(|view| holds(&view.story)) {
        std::thread::park_timeout(Duration::from_millis(5));
        tries += 1;
        assert!(tries < 4_000, "the story never came to it");
    }
}
