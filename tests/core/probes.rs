//! Follow-up probes, who listens, history and the idle lab, over real sockets on loopback.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command as Process, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sockeye::diagnosis::{Certainty, LabFinding, Verdict, lab_finding};
use sockeye::engine::{Command, ConnectOptions, EngineHandle, Event};
use sockeye::observation::{Change, ConnId, LabMeasure, Preset, Probe, ProbeOutcome, TokenPlace};
use sockeye::store::{ProbeSeen, Story};
use sockeye::wire::{accept_for, encode_frame, parse_request};

use crate::peer::{LIMIT, engine, options, read_head, run, wait_for_end, wait_until};

/// Serves every connection of a free loopback port, each with what `answer` makes of its head.
fn serve_all(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    let serve = move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let head = String::from_utf8_lossy(&read_head(&mut stream)).into_owned();
            if !head.is_empty() {
                seen.lock().unwrap().push(head.clone());
                answer(&head, &mut stream);
            }
            stream.shutdown(Shutdown::Write).ok();
        }
    };
    std::thread::Builder::new().name("peer".to_owned()).spawn(serve).unwrap();
    (address, heads)
}

fn respond(stream: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    // A client that has gone needs no answer.
    stream.write_all(text.as_bytes()).ok();
}

fn open(head: &str, stream: &mut TcpStream) -> bool {
    let request = parse_request(head.as_bytes());
    let Some(key) = request.as_ref().and_then(|request| request.values("sec-websocket-key").next()) else {
        respond(stream, "426 Upgrade Required", "");
        return false;
    };
    let accept = accept_for(key);
    let text = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(text.as_bytes()).is_ok()
}

fn verdict(story: &Story) -> &Verdict {
    story.verdict.as_ref().unwrap()
}

fn told(verdict: &Verdict) -> String {
    verdict.evidence.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn another_origin_makes_the_difference_and_the_token_stays_at_home() {
    let (address, heads) = serve_all(|head, stream| {
        if head.contains("Origin: http://127.0.0.1") {
            open(head, stream);
        } else {
            respond(stream, "403 Forbidden", "{\"error\":\"no\"}");
        }
    });
    let mut options = options(&format!("ws://{address}/ws?token=abcdefghijkl&agentId=1"));
    options.token_place = Some(TokenPlace::Query { name: "token".to_owned() });
    // A client that sends no Origin, as scripts do.
    options.preset = Preset::Bare;
    let story = run(options);
    let verdict = verdict(&story);
    assert_eq!((verdict.cause.as_str(), verdict.certainty), ("http-403-origin", Certainty::Certain), "{verdict:#?}");
    let heads = heads.lock().unwrap();
    let with_token = heads.iter().filter(|head| head.contains("abcdefghijkl")).count();
    assert_eq!(with_token, 1, "the token went along with a probe that needed none: {heads:#?}");
    assert!(heads.iter().any(|head| head.contains("GET /ws?agentId=1 ")), "{heads:#?}");
    let keys = heads.iter().filter_map(|head| head.lines().find(|line| line.starts_with("Sec-WebSocket-Key")));
    let keys: Vec<_> = keys.collect();
    assert!(keys.iter().enumerate().all(|(nth, key)| !keys[..nth].contains(key)), "a key was used twice");
}

#[test]
fn the_server_behind_the_proxy_is_asked_if_it_is_named() {
    let (backend, _) = serve_all(|head, stream| {
        open(head, stream);
    });
    let (proxy, _) = serve_all(|_, stream| respond(stream, "404 Not Found", "not here"));
    let mut options = options(&format!("ws://{proxy}/"));
    options.backend = Some(format!("ws://{backend}/"));
    let story = run(options);
    let verdict = verdict(&story);
    assert_eq!(
        (verdict.cause.as_str(), verdict.certainty),
        ("http-upgrade-stripped", Certainty::Certain),
        "{verdict:#?}"
    );
}

#[test]
fn the_same_process_before_and_after_is_said() {
    let (address, _) = serve_all(|head, stream| {
        if open(head, stream) {
            stream.write_all(&encode_frame(0x81, None, b"ready")).unwrap();
            // The look at the list of listeners takes its time beside the connection.
            std::thread::park_timeout(Duration::from_millis(600));
        }
    });
    let mut options = options(&format!("ws://{address}/"));
    options.watch = None;
    let story = run(options);
    let (_, before) = story.listeners.as_ref().unwrap();
    assert_eq!(before[0].process.as_ref().unwrap().pid, std::process::id());
    let verdict = verdict(&story);
    assert_eq!(verdict.cause, "connection-terminated");
    assert!(told(verdict).contains("the same process as before"), "{}", told(verdict));
    assert!(!verdict.alternatives.iter().any(|rival| rival.cause == "server-restarted"), "{verdict:#?}");
}

/// The practice server as a process of its own.
struct Server(Child);

impl Server {
    fn start(port: u16) -> Self {
        let mut child = Process::new(env!("CARGO_BIN_EXE_sockeye"))
            .args(["practice", "--port", &port.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("listening on port")), "the practice server did not start");
        // A server whose console nobody reads would end.
        std::thread::Builder::new().name("console".to_owned()).spawn(move || lines.for_each(drop)).unwrap();
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Connects to a server that is then killed; another may take its place at once.
fn against_a_server_that_dies(comes_back: bool) -> Arc<Story> {
    let port = free_port();
    let first = Server::start(port);
    let engine = engine();
    let conn = ConnId(1);
    let mut options = options(&format!("ws://127.0.0.1:{port}/fault/lifetime-limit"));
    options.watch = None;
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    wait_until(&engine, conn, |story| story.confirmation.is_some() && story.listeners.is_some());
    drop(first);
    let _second = comes_back.then(|| Server::start(port));
    wait_for_end(&engine);
    Arc::clone(&engine.view(conn).unwrap().story)
}

#[test]
fn a_server_that_dies_is_told_from_one_that_is_restarted() {
    let died = against_a_server_that_dies(false);
    assert_eq!(verdict(&died).cause, "server-process-died", "{:#?}", verdict(&died));
    let back = against_a_server_that_dies(true);
    let verdict = verdict(&back);
    let told = (verdict.cause.as_str(), verdict.certainty);
    // On a machine that is too slow the second process comes after the last question.
    let is_back = |seen: &ProbeSeen| {
        let is_listed = matches!(&seen.outcome, Some(ProbeOutcome::Listening { listeners }) if !listeners.is_empty());
        is_listed || seen.outcome == Some(ProbeOutcome::Accepted)
    };
    let wanted = if back.probes.iter().any(is_back) { "server-restarted" } else { "server-process-died" };
    assert_eq!(told, (wanted, Certainty::Certain), "{verdict:#?}");
}

#[test]
fn what_another_machine_would_be_asked_is_asked_on_consent() {
    let (address, heads) = serve_all(|_, stream| respond(stream, "404 Not Found", "no"));
    let engine = engine();
    let conn = ConnId(1);
    let mut options = options(&format!("ws://{address}/ws"));
    options.probes = false;
    engine.send(Command::Connect { conn, options: Box::new(options) }).unwrap();
    wait_for_end(&engine);
    assert!(engine.view(conn).unwrap().story.probes.is_empty());
    assert_eq!(heads.lock().unwrap().len(), 1);
    engine.send(Command::AskFurther { conn }).unwrap();
    wait_for_end(&engine);
    let story = Arc::clone(&engine.view(conn).unwrap().story);
    let changed_path = |probe: &Probe| matches!(probe, Probe::Handshake { change: Change::Path { path }, with_token: false, .. } if path == "/ws/");
    assert!(story.probes.iter().any(|seen| changed_path(&seen.probe)), "{:#?}", story.probes);
    assert!(story.probes.iter().all(|seen| seen.outcome.is_some()));
    assert!(!verdict(&story).provisional && told(verdict(&story)).contains("at /ws/: 404, as before"));
    engine.send(Command::AskFurther { conn: ConnId(9) }).unwrap();
    assert!(matches!(engine.event_timeout(LIMIT).unwrap(), Event::Refused { .. }));
}

#[test]
fn a_verdict_stands_at_once_and_is_revised() {
    let (address, _) = serve_all(|head, stream| {
        if open(head, stream) {
            stream.write_all(&encode_frame(0x81, None, b"ready")).unwrap();
        }
    });
    let mut options = options(&format!("ws://{address}/"));
    options.watch = None;
    let story = run(options);
    assert!(!verdict(&story).provisional);
    let asked = |wanted: &dyn Fn(&Probe) -> bool| story.probes.iter().filter(|seen| wanted(&seen.probe)).count();
    assert_eq!(asked(&|probe| matches!(probe, Probe::Tcp { .. })), 1);
    assert_eq!(asked(&|probe| matches!(probe, Probe::Listeners { .. })), 1);
    let accepted = story.probes.iter().any(|seen| seen.outcome == Some(ProbeOutcome::Accepted));
    assert!(accepted, "{:#?}", story.probes);
}

/// Measures a practice fault in the idle lab.
fn measure(engine: &EngineHandle, fault: &str, first: u32) -> (LabMeasure, Arc<Story>) {
    engine.send(Command::StartPractice { port: 0 }).unwrap();
    engine.send(Command::PrepareExercise { fault: Some(fault.to_owned()) }).unwrap();
    let exercise = loop {
        if let Event::ExerciseReady { exercise, .. } = engine.event_timeout(LIMIT).unwrap() {
            break exercise;
        }
    };
    let mut options = ConnectOptions::for_exercise(&exercise);
    options.journal = sockeye::engine::JournalPlace::Memory;
    let conns = [ConnId(first), ConnId(first + 1), ConnId(first + 2)];
    let (limit, ping_every) = (Duration::from_secs(20), Duration::from_millis(500));
    engine.send(Command::StartLab { conns, options: Box::new(options), limit, ping_every }).unwrap();
    loop {
        if let Event::LabEnded { silent, measure } = engine.event_timeout(LIMIT).unwrap() {
            assert_eq!(silent, conns[0]);
            return (*measure, Arc::clone(&engine.view(silent).unwrap().story));
        }
    }
}

#[test]
fn the_idle_lab_measures_a_limit_on_silence() {
    let (measure, story) = measure(&engine(), "idle-timeout", 1);
    let LabFinding::IdleLimit { millis } = lab_finding(&measure) else { panic!("{measure:?}") };
    assert!((2_400.0..3_200.0).contains(&millis), "{measure:?}");
    let verdict = verdict(&story);
    assert_eq!((verdict.cause.as_str(), verdict.certainty), ("idle-timeout", Certainty::Certain), "{verdict:#?}");
}

#[test]
fn the_idle_lab_measures_a_greatest_age() {
    let (measure, story) = measure(&engine(), "lifetime-limit", 1);
    assert!(matches!(lab_finding(&measure), LabFinding::Lifetime { .. }), "{measure:?}");
    assert_eq!(verdict(&story).cause, "lifetime-limit", "{:#?}", verdict(&story));
}

#[test]
fn the_idle_lab_can_be_stopped() {
    let engine = engine();
    let (address, _) = serve_all(|head, stream| {
        if open(head, stream) {
            crate::peer::read_to_end(stream);
        }
    });
    let conns = [ConnId(1), ConnId(2), ConnId(3)];
    let options = Box::new(options(&format!("ws://{address}/")));
    let (limit, ping_every) = (Duration::from_mins(10), Duration::from_millis(500));
    engine.send(Command::StartLab { conns, options, limit, ping_every }).unwrap();
    wait_until(&engine, conns[0], |story| story.opened.is_some());
    engine.send(Command::StopLab).unwrap();
    loop {
        if let Event::LabEnded { measure, .. } = engine.event_timeout(LIMIT).unwrap() {
            assert!(measure.silent.ended_after_millis.is_none(), "{measure:?}");
            assert!(!matches!(lab_finding(&measure), LabFinding::IdleLimit { .. }), "{measure:?}");
            break;
        }
    }
}
