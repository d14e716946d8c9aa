//! The server's console beside a connection: a log file that is followed, and the practice server's own lines.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sockeye::engine::{Command, ConnectOptions, Event, JournalPlace};
use sockeye::observation::{ConnId, PastedConsole};
use sockeye::store::Story;
use sockeye::wire::encode_frame;

use crate::peer::{LIMIT, accept, engine, opened, options, read_to_end, run, serve, wait_until};

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
    story.console.iter().map(|line| &*line.text).collect()
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
    assert!(story.console.iter().all(|line| &*line.source == "server.log"));
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
    let (engine, conn) = opened(with_log(&format!("ws://{address}/"), &log));
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
    assert!(story.console.iter().all(|line| &*line.source == "practice server" && !line.text.contains("eyJ")));
    assert_eq!(story.verdict.as_ref().unwrap().cause, "healthy");
    assert!(engine.view(ConnId(1)).unwrap().story.console.is_empty());
}

/// The URL of a port on which nobody listens.
fn nowhere() -> String {
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("ws://{address}/")
}

#[cfg(unix)]
mod commands {
    use sockeye::engine::{ConsoleEvent, ConsoleId, ConsoleSource, EngineHandle};
    use sockeye::observation::ConsoleKind;

    use super::*;

    fn attach(engine: &EngineHandle, command: &str) -> ConsoleId {
        let console = ConsoleId(1);
        engine.send(Command::AttachConsole { console, source: ConsoleSource::Command(command.to_owned()) }).unwrap();
        console
    }

    fn connect(engine: &EngineHandle, options: ConnectOptions) -> Arc<Story> {
        let conn = ConnId(1);
        engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
        crate::peer::wait_for_end(engine);
        Arc::clone(&engine.view(conn).unwrap().story)
    }

    fn is_line(event: &ConsoleEvent, wanted: &str) -> bool {
        matches!(event, ConsoleEvent::Line(text) if &**text == wanted)
    }

    /// Whether a process runs; one that has ended and that nobody has asked for does not.
    fn lives(pid: &str) -> bool {
        match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'),
            Err(_) if Path::new("/proc/self").exists() => false,
            Err(_) => std::process::Command::new("kill").args(["-0", pid]).output().unwrap().status.success(),
        }
    }

    /// Waits until the lane holds.
    fn wait_for_lane(engine: &EngineHandle, holds: impl Fn(&[ConsoleEvent]) -> bool) {
        for _ in 0..4_000 {
            let events: Vec<_> = engine.console_tail(0).entries.into_iter().map(|entry| entry.what).collect();
            if holds(&events) {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        panic!("the lane never came to it: {:?}", engine.console_tail(0).entries);
    }

    #[test]
    fn command_that_ends_before_it_listens_explains_the_refusal() {
        // The second one's lines end before it does.
        for until in ["", "exec >&- 2>&-; sleep 0.3;"] {
            let engine = engine();
            attach(&engine, &format!("echo to standard error >&2; echo 'Error: no DATABASE_URL'; {until} exit 3"));
            let story = connect(&engine, options(&nowhere()));
            assert_eq!((story.exits[0].status.code, story.consoles[0].kind), (Some(3), ConsoleKind::Command));
            let verdict = story.verdict.as_ref().unwrap();
            assert_eq!((verdict.ending.id(), verdict.cause.as_str()), ("connect-failed", "boot-crash"), "{verdict:#?}");
            assert!(verdict.summary.contains("exit code 3"), "{}", verdict.summary);
            wait_for_lane(&engine, |events| events.iter().any(|event| is_line(event, "to standard error")));
        }
    }

    #[test]
    fn command_is_waited_for_and_its_lines_stand_between_the_frames() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let peer = std::thread::Builder::new().name("peer".to_owned()).spawn(move || {
            // Whoever looks whether the port accepts says nothing.
            let speaks = |stream: &TcpStream| stream.peek(&mut [0]).is_ok_and(|read| read > 0);
            let mut stream = listener.incoming().map(Result::unwrap).find(speaks).unwrap();
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            hello(&mut stream);
            close(&mut stream, 1011);
        });
        let peer = peer.unwrap();
        let engine = engine();
        // The peer listens already; the line that says so is what is waited for.
        attach(&engine, "echo starting; sleep 0.3; echo Server listening on port 1; printf 'TypeError: x'; sleep 60");
        let story = connect(&engine, options(&format!("ws://{address}/")));
        peer.join().unwrap();
        assert!(lines(&story).contains(&"Server listening on port 1"), "{:?}", story.console);
        assert!(lines(&story).contains(&"TypeError: x"), "a line without an end is told as well: {:?}", story.console);
        assert!(story.exits.is_empty());
    }

    #[test]
    fn mute_command_that_listens_already_is_not_waited_for() {
        let url = nowhere();
        let address = url.trim_start_matches("ws://").trim_end_matches('/').to_owned();
        let port = address.rsplit(':').next().unwrap();
        let engine = engine();
        attach(&engine, &format!("'{}' practice --port {port} >/dev/null 2>&1; true", env!("CARGO_BIN_EXE_sockeye")));
        wait_for_lane(&engine, |_| TcpStream::connect(&address).is_ok());
        let mut options = options(&url);
        options.server_wait = LIMIT * 10;
        assert!(connect(&engine, options).answer.status().is_some());
    }

    #[test]
    fn command_is_ended_with_everything_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let engine = engine();
        // `set -m` gives each job a group of its own.
        for apart in ["", "set -m;"] {
            let command = format!("{apart} sleep 300 & echo $! > '{}'; echo 'ready{apart}'; wait", file.display());
            let console = attach(&engine, &command);
            let ready = format!("ready{apart}");
            wait_for_lane(&engine, |events| events.iter().any(|event| is_line(event, &ready)));
            let child = fs::read_to_string(&file).unwrap().trim().to_owned();
            assert!(lives(&child));
            engine.send(Command::DetachConsole { console }).unwrap();
            wait_for_lane(&engine, |events| !events.is_empty() && engine.console_tail(0).consoles.is_empty());
            assert!(!lives(&child), "its child lives on");
        }
    }

    #[test]
    fn command_is_ended_with_the_engine() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let engine = engine();
        attach(
            &engine,
            &format!("echo $$ > '{}'; trap '' TERM; echo ready; while :; do sleep 1; done", file.display()),
        );
        wait_for_lane(&engine, |events| events.iter().any(|event| is_line(event, "ready")));
        let pid = fs::read_to_string(&file).unwrap().trim().to_owned();
        drop(engine);
        assert!(!lives(&pid), "a command that does not want to end lives on");
    }
}

#[test]
fn pasted_lines_give_a_session_that_is_over_another_verdict() {
    let (address, peer) = serve(|mut stream| {
        hello(&mut stream);
        close(&mut stream, 1011);
    });
    let engine = engine();
    let conn = ConnId(1);
    engine.send(Command::Connect { conn, options: Box::new(options(&format!("ws://{address}/"))) }).unwrap();
    crate::peer::wait_for_end(&engine);
    peer.join().unwrap();
    assert_eq!(engine.view(conn).unwrap().story.verdict.as_ref().unwrap().cause, "close-1011");
    let text = format!("[WebSocket] New connection attempt from: ::1\n{FATAL}\n");
    engine.send(Command::Paste { conn, console: PastedConsole::Server, text }).unwrap();
    wait_until(&engine, conn, |story| {
        story.verdict.as_ref().is_some_and(|verdict| verdict.cause == "handler-exception")
    });
    let story = Arc::clone(&engine.view(conn).unwrap().story);
    assert!(story.console.iter().all(|line| line.is_pasted) && story.finished.is_some());
}

#[test]
fn a_silent_console_is_a_fact() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("server.log");
    append(&log, "[WebSocket] Server listening on port 3001\n");
    let (address, peer) = serve(|mut stream| {
        hello(&mut stream);
        close(&mut stream, 1011);
    });
    let story = run(with_log(&format!("ws://{address}/"), &log));
    peer.join().unwrap();
    let verdict = story.verdict.as_ref().unwrap();
    assert!(verdict.evidence.iter().any(|seen| seen.text.contains("(server.log) printed no line")), "{verdict:#?}");
    assert!(
        verdict.alternatives.iter().all(|rival| !rival.decide_by.contains("attach the server's console")),
        "{verdict:#?}"
    );
}

#[test]
fn lines_written_into_a_log_that_was_moved_away_are_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("server.log");
    append(&log, "old\n");
    let (address, peer) = serve(|mut stream| {
        hello(&mut stream);
        read_to_end(&mut stream);
    });
    let (engine, conn) = opened(with_log(&format!("ws://{address}/"), &log));
    let moved = folder.path().join("server.log.1");
    fs::rename(&log, &moved).unwrap();
    append(&log, "new file\n");
    wait_until(&engine, conn, |story| lines(story).contains(&"new file"));
    append(&moved, "late in the old file\n");
    wait_until(&engine, conn, |story| lines(story).contains(&"late in the old file"));
    engine.send(Command::Abort { conn }).unwrap();
    crate::peer::wait_for_end(&engine);
    peer.join().unwrap();
}
