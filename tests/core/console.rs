//! The server's console beside a connection: a log file that is followed, and the practice server's own lines.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sockeye::engine::{Command, ConnectOptions, Event, JournalPlace};
use sockeye::observation::ConnId;
use sockeye::store::Story;
use sockeye::wire::encode_frame;

use crate::peer::{LIMIT, accept, engine, options, read_to_end, run, serve, wait_until};

const FATAL: &str = "[WebSocket] ❌ Fatal error in connection handler: Error: no such call";

fn append(path: &Path, text: &str) {
    fs::OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
}

fn hello(stream: &mut TcpStream) {
    accept(stream);
    stream.write_all(&encode_frame(0x81, None, b"hello")).unwrap();
}

fn close(stream: &mut TcpStream, code: u16) {
    stream.write_all(&encode_frame(0x88, None, &code.to_be_bytes())).unwrap();
    // The client ends TCP after its grace time, or the echo is read before.
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    read_to_end(stream);
}

fn with_log(url: &str, log: &Path) -> ConnectOptions {
    let mut options = options(url);
    options.server_log = Some(log.to_owned());
    options.watch = Some(LIMIT);
    options
}

fn lines(story: &Story) -> Vec<&str> {
    story.console.iter().map(|line| line.text.as_str()).collect()
}

#[test]
fn log_is_followed_from_its_end_with_the_lines_that_still_hold() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("server.log");
    let old = format!("Error: JWT_SECRET is not set\n[WebSocket] Server listening on port 3001\n{FATAL}\n");
    append(&log, &old);
    let written = log.clone();
    let (address, peer) = serve(move |mut stream| {
        hello(&mut stream);
        append(&written, "\u{1B}[32mnew line\u{1B}[0m\r\n");
        append(&written, FATAL);
        close(&mut stream, 1011);
    });
    let story = run(with_log(&format!("ws://{address}/"), &log));
    peer.join().unwrap();
    let wanted = [
        "Error: JWT_SECRET is not set",
        "[WebSocket] Server listening on port 3001",
        "\u{1B}[32mnew line\u{1B}[0m",
        FATAL,
    ];
    assert_eq!(lines(&story), wanted);
    assert!(story.console.iter().all(|line| line.source == "server.log"));
    let verdict = story.verdict.as_ref().unwrap();
    assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("closed", "handler-exception"), "{verdict:#?}");
}

#[test]
fn log_that_is_rotated_truncated_or_late_is_followed_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("server.log");
    let (address, peer) = serve(|mut stream| {
        hello(&mut stream);
        read_to_end(&mut stream);
    });
    let engine = engine();
    let conn = ConnId(1);
    let options = Box::new(with_log(&format!("ws://{address}/"), &log));
    engine.send(Command::Connect { conn, options }).unwrap();
    wait_until(&engine, conn, |story| story.opened.is_some());
    let wait_for = |line: &str| wait_until(&engine, conn, |story| lines(story).contains(&line));
    append(&log, "late\n");
    wait_for("late");
    append(&log, "before rotation\n");
    fs::rename(&log, folder.path().join("server.log.1")).unwrap();
    append(&log, "after rotation\n");
    wait_for("after rotation");
    fs::write(&log, "cut\n").unwrap();
    wait_for("cut");
    append(&log, "half");
    engine.send(Command::Close { conn, code: Some(1000), reason: String::new() }).unwrap();
    while !matches!(engine.event_timeout(LIMIT), Some(Event::Ended { .. })) {}
    peer.join().unwrap();
    let story = Arc::clone(&engine.view(conn).unwrap().story);
    assert_eq!(lines(&story), ["late", "before rotation", "after rotation", "cut", "half"]);
}

#[test]
fn log_that_cannot_be_read_does_not_hold_up_the_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (address, peer) = serve(|mut stream| {
        hello(&mut stream);
        read_to_end(&mut stream);
    });
    let mut options = with_log(&format!("ws://{address}/"), folder.path());
    options.watch = Some(Duration::from_millis(50));
    let story = run(options);
    peer.join().unwrap();
    assert!(story.confirmation.as_ref().is_some_and(|c| c.ok) && story.console.is_empty());
}

#[test]
fn practice_lines_reach_the_sessions_that_talk_to_it_alone() {
    let engine = engine();
    engine.send(Command::StartPractice { port: 0 }).unwrap();
    engine.send(Command::PrepareExercise { fault: None }).unwrap();
    let exercise = loop {
        if let Event::ExerciseReady { exercise, .. } = engine.event_timeout(LIMIT).unwrap() {
            break exercise;
        }
    };
    let (address, peer) = serve(|mut stream| {
        hello(&mut stream);
        read_to_end(&mut stream);
    });
    let mut healthy = ConnectOptions::for_exercise(&exercise);
    healthy.journal = JournalPlace::Memory;
    healthy.watch = Some(Duration::from_millis(100));
    let mut other = options(&format!("ws://{address}/"));
    other.watch = Some(Duration::from_millis(600));
    for (conn, options) in [(ConnId(1), other), (ConnId(2), healthy)] {
        engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    }
    let mut ended = 0;
    while ended < 2 {
        ended += usize::from(matches!(engine.event_timeout(LIMIT).unwrap(), Event::Ended { .. }));
    }
    peer.join().unwrap();
    let story = Arc::clone(&engine.view(ConnId(2)).unwrap().story);
    assert!(lines(&story).contains(&"[WebSocket] ✅ Connection confirmed message sent"), "{:?}", story.console);
    assert!(story.console.iter().all(|line| line.source == "practice server" && !line.text.contains("eyJ")));
    assert_eq!(story.verdict.as_ref().unwrap().cause, "healthy");
    assert!(engine.view(ConnId(1)).unwrap().story.console.is_empty());
}
