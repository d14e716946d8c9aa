//! How soon after the end of a connection its verdicts stand: the provisional one and the last.
//!
//! A server of our own on loopback accepts, confirms and ends TCP, again and again; the moments are those of the session's
//! own clock. Beside them stands the time that a bare TCP connection to the same port takes, as a measure of the machine.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench ends by panicking and prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sockeye::engine::{Command, ConnectOptions, Engine, EngineHandle, Event, JournalPlace};
use sockeye::observation::{ConnId, Fact, Moment};
use sockeye::store::{Page, RowBody, View};
use sockeye::wire::{accept_for, encode_frame, parse_request};

/// What the server does after the confirmation.
#[derive(Clone, Copy)]
enum Play {
    /// FIN, and the port goes on.
    Fin,
    /// FIN, and nobody listens any more.
    Die,
    /// A Close with 1011, then FIN.
    Close,
    /// 403 in place of a 101.
    Refuse,
}

fn main() {
    let engine = Engine::start(Arc::new(|| {})).unwrap();
    println!("{RUNS} runs each; milliseconds after the end was latched: median, worst");
    println!("{:<26}{:>16}{:>16}{:>14}", "", "provisional", "last", "bare connect");
    let plays = [
        ("FIN, port alive", Play::Fin),
        ("FIN, port refuses", Play::Die),
        ("Close 1011", Play::Close),
        ("403", Play::Refuse),
    ];
    let mut next = 1;
    for (name, play) in plays {
        let (mut first, mut last, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let address = serve(play);
            bare.push(connect(address));
            let (provisional, conclusion) = run(&engine, ConnId(next), address);
            next += 1;
            first.push(provisional);
            last.push(conclusion);
        }
        println!("{name:<26}{}{}{:>14.2}", pair(&mut first), pair(&mut last), median(&mut bare));
        assert!(worst(&first) < 50.0, "a provisional verdict is due within 50 ms");
        assert!(worst(&last) < 2_500.0, "the last verdict is due within 2.5 s");
    }
}

/// Connects once and tells when the verdicts came after the end, in milliseconds.
fn run(engine: &EngineHandle, conn: ConnId, address: SocketAddr) -> (f64, f64) {
    let mut options = ConnectOptions::new(format!("ws://{address}/"));
    options.journal = JournalPlace::Memory;
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    while !matches!(engine.event_timeout(LIMIT).unwrap(), Event::Ended { .. }) {}
    let view = engine.view(conn).unwrap();
    let story = &view.story;
    let refused = story.answer.last_at.filter(|_| story.opened.is_none());
    let end = refused.or(story.read_end.as_ref().map(|(at, _)| *at)).unwrap();
    let verdicts = verdicts(&view);
    let first = verdicts.first().unwrap().millis_since(end);
    let last = verdicts.last().unwrap().millis_since(end);
    engine.send(Command::Forget { conn }).unwrap();
    (first, last)
}

/// The moments of every verdict that was recorded.
fn verdicts(view: &View) -> Vec<Moment> {
    let rows = loop {
        if let Page::Ready(rows) = view.page(0..view.rows) {
            break rows;
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let is_verdict = |body: &RowBody| matches!(body, RowBody::Fact(fact) if matches!(&**fact, Fact::Concluded(_)));
    rows.iter().filter(|row| is_verdict(&row.body)).map(|row| row.at).collect()
}

/// A server for one play; the first connection may be the bare one.
fn serve(play: Play) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = move || {
        for stream in listener.incoming().take(MOST_CONNECTIONS) {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                head.push(byte[0]);
            }
            let Some(key) = parse_request(&head).and_then(|r| r.values("sec-websocket-key").next().map(str::to_owned))
            else {
                continue;
            };
            if matches!(play, Play::Refuse) {
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").ok();
                continue;
            }
            let accept = accept_for(&key);
            let head = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&encode_frame(0x81, None, b"ready")).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            match play {
                Play::Die => return,
                Play::Close => stream.write_all(&encode_frame(0x88, None, &1011_u16.to_be_bytes())).unwrap(),
                Play::Fin | Play::Refuse => {}
            }
            stream.shutdown(Shutdown::Write).ok();
            stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            while stream.read(&mut byte).is_ok_and(|read| read == 1) {}
        }
    };
    std::thread::Builder::new().name("server".to_owned()).spawn(server).unwrap();
    address
}

fn connect(address: SocketAddr) -> f64 {
    let began = Instant::now();
    drop(TcpStream::connect(address).unwrap());
    began.elapsed().as_secs_f64() * 1e3
}

fn pair(values: &mut [f64]) -> String {
    let middle = median(values);
    format!("{middle:>8.2}{:>8.1}", worst(values))
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn worst(values: &[f64]) -> f64 {
    values.iter().copied().fold(0.0, f64::max)
}

const RUNS: usize = 15;
const MOST_CONNECTIONS: usize = 16;
const LIMIT: Duration = Duration::from_secs(30);
