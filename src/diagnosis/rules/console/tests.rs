//! Lines near an event, lines far from it, and events that no line changes.

use bytes::Bytes;

use crate::diagnosis::{Case, Certainty, Ending, Verdict, checklist, diagnose};
use crate::observation::{
    CloseOrigin, ConsoleKind, Deadline, Direction, ExitStatus, Expect, Fact, Family, IoFailure, IoKind, KeepAlivePlan,
    Moment, PastedConsole, Plan, Probe, ProbeOutcome, ReadEnd, Route, TimeOuts, TokenPlace,
};
use crate::store::Story;
use crate::token::{Secret, examine, mint, place};
use crate::wire::{Decoder, encode_frame, parse_url};

const NOW: i64 = 1_800_000_000;
const ADDRESS: &str = "127.0.0.1:3001";
const FATAL: &str = "[WebSocket] ❌ Fatal error in connection handler: TypeError: x is undefined";
const TAKEN: &str = "Error: listen EADDRINUSE: address already in use :::3001";
const MEMORY: &str = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
const MODULE: &str = "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/app/a.js' imported from /app/server.js";
const UP: &str = "[WebSocket] Server listening on port 3001";

/// A session, told fact by fact: TCP is tried at 20 s, so that lines have room before it.
struct Told {
    story: Story,
    decoder: Decoder,
    at: u64,
}

impl Told {
    fn new(url: &str) -> Self {
        let plan = Plan {
            url: url.to_owned(),
            target: parse_url(url).ok(),
            began_unix_millis: NOW * 1000,
            token_place: Some(TokenPlace::Query { name: "token".to_owned() }),
            credentials: url.contains("token="),
            origin: None,
            subprotocols: Vec::new(),
            preset: crate::observation::Preset::Chrome,
            extensions: None,
            expect: Expect::First,
            time_outs: TimeOuts::default(),
            limit_bytes: 1 << 20,
            insecure: false,
            family: Family::Auto,
            probes: true,
            probes_elsewhere: false,
            backend: None,
            route: Route::Direct,
            keep_alive: KeepAlivePlan::default(),
            claims: crate::token::Expectations::default(),
            between: None,
        };
        let mut told = Self { story: Story::default(), decoder: Decoder::default(), at: 0 };
        told.fact(&Fact::Planned(Box::new(plan)));
        told
    }

    fn fact(&mut self, fact: &Fact) {
        let Self { story, decoder, at } = self;
        story.apply(decoder, Moment::from_millis(*at), fact, &mut |_| {});
        *at += 1;
    }

    #[expect(clippy::needless_pass_by_value, reason = "facts are made where they are told")]
    fn then(mut self, fact: Fact) -> Self {
        self.fact(&fact);
        self
    }

    fn at(mut self, millis: u64) -> Self {
        self.at = millis;
        self
    }

    fn line(self, text: &str) -> Self {
        self.then(Fact::ConsoleLine { source: "server.log".to_owned(), text: text.to_owned() })
    }

    fn exited(self, code: i32) -> Self {
        let status = ExitStatus { code: Some(code), signal: None };
        self.then(Fact::ServerExited { source: "server.log".to_owned(), status })
    }

    fn attached(self) -> Self {
        self.then(Fact::ConsoleAttached { source: "server.log".to_owned(), kind: ConsoleKind::Command })
    }

    fn server(self, bytes: impl Into<Bytes>) -> Self {
        self.then(Fact::Bytes { direction: Direction::ServerToClient, data: bytes.into() })
    }

    fn client(self, bytes: impl Into<Bytes>) -> Self {
        self.then(Fact::Bytes { direction: Direction::ClientToServer, data: bytes.into() })
    }

    /// TCP connected and the request sent, from 20 s on.
    fn asked(url: &str) -> Self {
        Self::new(url).ask()
    }

    fn ask(self) -> Self {
        let address = ADDRESS.parse().unwrap();
        let target = self.story.plan.as_ref().unwrap().target.as_ref().unwrap().path_and_query.clone();
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: {ADDRESS}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        self.at(20_000)
            .then(Fact::TcpStarted { address })
            .then(Fact::TcpConnected { address, local: None })
            .client(head)
    }

    fn open(self) -> Self {
        self.server(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        )
        .then(Fact::Opened)
        .server(encode_frame(0x81, None, b"hello"))
        .then(Fact::Confirmed { preview: Some("hello".to_owned()) })
    }

    fn opened() -> Self {
        Self::asked("ws://127.0.0.1:3001/").open()
    }

    fn close(self, code: u16, reason: &str) -> Self {
        let payload = [&code.to_be_bytes(), reason.as_bytes()].concat();
        self.server(encode_frame(0x88, None, &payload))
            .client(encode_frame(0x88, Some([1, 2, 3, 4]), &code.to_be_bytes()))
            .fin()
    }

    fn fin(self) -> Self {
        self.then(Fact::ReadEnded(ReadEnd::Fin))
    }

    fn after(self, outcome: ProbeOutcome) -> Self {
        let probe = Probe::Tcp { address: ADDRESS.parse().unwrap() };
        self.then(Fact::ProbeStarted(probe.clone())).then(Fact::ProbeEnded { probe, outcome })
    }

    fn accepts(self) -> Self {
        self.after(ProbeOutcome::Accepted)
    }

    fn refuses(self) -> Self {
        self.after(ProbeOutcome::Failed(refused()))
    }

    /// Nobody listens.
    fn refused(self) -> Self {
        let address = ADDRESS.parse().unwrap();
        self.at(20_000).then(Fact::TcpStarted { address }).then(Fact::TcpFailed { address, failure: refused() })
    }

    fn verdict(&self) -> Verdict {
        diagnose(&Case { story: &self.story, probes_pending: false })
    }

    #[track_caller]
    fn gives(&self, ending: &str, cause: &str) -> Verdict {
        let verdict = self.verdict();
        assert_eq!((verdict.ending.id(), verdict.cause.as_str()), (ending, cause), "{verdict:#?}");
        assert!(verdict.summary.ends_with('.') && !verdict.summary.contains("  "), "{}", verdict.summary);
        verdict
    }

    /// The cause, likely, and with the line among the evidence.
    #[track_caller]
    fn likely(&self, ending: &str, cause: &str) -> Verdict {
        let verdict = self.gives(ending, cause);
        assert_eq!(verdict.certainty, Certainty::Likely, "{verdict:#?}");
        assert!(verdict.evidence.iter().any(|e| e.text.starts_with("the console (server.log)")), "{verdict:#?}");
        verdict
    }
}

fn refused() -> IoFailure {
    IoFailure { kind: IoKind::Refused, code: Some(111), text: "Connection refused".to_owned() }
}

fn finds(verdict: &Verdict, id: &str) -> bool {
    verdict.findings.iter().any(|finding| finding.id == id)
}

#[test]
fn exception_near_the_end_is_the_reason() {
    let verdict = Told::opened().at(25_000).line(FATAL).close(1011, "Internal server error").accepts();
    let verdict = verdict.likely("closed", "handler-exception");
    assert!(!finds(&verdict, "close-1011"), "{verdict:#?}");
    assert_eq!(
        verdict.summary,
        "The connection handler met an error: the server's console said \u{201c}[WebSocket] ❌ Fatal error in connection \
         handler: TypeError: x is undefined\u{201d}, 1 ms before the server closed with 1011 (Internal Error) and the \
         reason \u{201c}Internal server error\u{201d}."
    );
    Told::opened().at(25_000).line(FATAL).at(26_900).fin().accepts().likely("fin", "handler-exception");
    Told::opened().at(25_000).fin().at(25_050).line(FATAL).accepts().likely("fin", "handler-exception");
    Told::opened().at(25_000).fin().at(25_300).line("TypeError: f is no function").likely("fin", "handler-exception");
}

#[test]
fn the_same_line_ten_seconds_away_does_not_count() {
    Told::opened().at(25_000).line(FATAL).at(35_000).close(1011, "").accepts().gives("closed", "close-1011");
    Told::opened().at(25_000).line(FATAL).at(35_000).fin().accepts().gives("fin", "connection-terminated");
    Told::opened().at(25_000).fin().at(35_000).line(FATAL).gives("fin", "connection-terminated");
    let memory = Told::opened().at(25_000).line(MEMORY).at(35_000).fin().refuses();
    memory.gives("fin", "server-process-died");
    let files = Told::asked("ws://127.0.0.1:3001/").line("EMFILE: too many open files");
    files.at(30_100).then(Fact::ReadEnded(ReadEnd::Reset)).accepts().gives("upgrade-cut", "upgrade-rst-nobytes");
}

#[test]
fn a_line_from_before_our_connection_is_about_somebody_else() {
    let before = Told::new("ws://127.0.0.1:3001/").at(19_500).line(FATAL).line(MEMORY).ask().open();
    before.at(20_300).fin().accepts().gives("fin", "connection-terminated");
}

#[test]
fn what_our_own_probe_provokes_is_no_reason() {
    let python = ["Traceback (most recent call last):", "  File \"a.py\", line 1", "ValueError: no HTTP"];
    let mut told = Told::opened().at(25_000).fin().accepts().at(25_200);
    for line in python {
        told = told.line(line);
    }
    told.gives("fin", "connection-terminated");
}

#[test]
fn python_traceback_is_quoted_by_its_last_line() {
    let trace = |last: &str| {
        let told = Told::opened().at(25_000).line("Traceback (most recent call last):");
        told.line("  File \"server.py\", line 7, in handler").line("    data[\"tenant\"]").line(last)
    };
    let verdict = trace("KeyError: 'tenant'").close(1011, "").likely("closed", "handler-exception");
    assert!(verdict.summary.contains("\u{201c}KeyError: 'tenant'\u{201d}"), "{}", verdict.summary);
    let told = Told::opened().at(25_000).line("ERROR:    Exception in ASGI application");
    let told =
        told.line("Traceback (most recent call last):").line("  File \"a.py\"").line("WebSocketDisconnect: (1006, '')");
    told.fin().accepts().gives("fin", "connection-terminated");
    trace("websockets.exceptions.ConnectionClosedError: gone").fin().accepts().gives("fin", "connection-terminated");
}

#[test]
fn exception_may_end_the_process() {
    let verdict = Told::opened().at(25_000).line("[WebSocket] Unhandled Rejection at: Promise").fin().refuses();
    let verdict = verdict.likely("fin", "handler-exception");
    assert!(finds(&verdict, "server-process-died"), "{verdict:#?}");
}

#[test]
fn database_explains_many_ends() {
    let line = "PrismaClientInitializationError: Can't reach database server at `db:5432`";
    Told::opened().at(25_000).line(line).close(1011, "").likely("closed", "db-unreachable");
    Told::opened().at(25_000).line(line).fin().accepts().likely("fin", "db-unreachable");
    let asked = || Told::asked("ws://127.0.0.1:3001/").line(line);
    asked().server("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n").fin().likely("upgrade-refused", "db-unreachable");
    asked()
        .at(30_000)
        .then(Fact::TimedOut { deadline: Deadline::Upgrade, millis: 10_000 })
        .likely("upgrade-unanswered", "db-unreachable");
    asked().server("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n").fin().gives("upgrade-refused", "http-404");
}

#[test]
fn process_lines_hold_until_the_next_start() {
    let refused = |lines: &[&str]| {
        let told = Told::new("ws://127.0.0.1:3001/");
        lines.iter().fold(told, |told, line| told.line(line)).refused()
    };
    let verdict = refused(&[UP, MODULE]).likely("connect-failed", "boot-crash");
    assert!(!finds(&verdict, "tcp-refused"), "{verdict:#?}");
    refused(&[MODULE, UP]).gives("connect-failed", "tcp-refused");
    refused(&[UP, MEMORY]).likely("connect-failed", "out-of-memory");
    refused(&[TAKEN]).likely("connect-failed", "address-in-use");
    refused(&["Error: listen EADDRINUSE: address already in use :::3000"]).gives("connect-failed", "tcp-refused");
    refused(&[FATAL]).gives("connect-failed", "tcp-refused");
}

#[test]
fn server_that_listens_elsewhere_is_told_by_its_console() {
    let refused = |line: &str| Told::new("ws://127.0.0.1:3001/").attached().line(line).refused();
    for line in [
        "[WebSocket] Server listening on port 4150",
        "2026-11-27 12:30:45 listening on 4150",
        "Server listening at http://127.0.0.1:4150",
        "INFO:     Uvicorn running on http://[::1]:4150 (Press CTRL+C to quit)",
    ] {
        let verdict = refused(line).gives("connect-failed", "tcp-refused");
        assert!(verdict.summary.contains("listens on port 4150, as its console says"), "{line}: {}", verdict.summary);
        assert!(verdict.evidence.iter().any(|evidence| evidence.text.contains("4150")), "{verdict:#?}");
    }
    for line in [UP, "listening on http://localhost:4150 and ws://localhost:3001", "12:30 application startup complete"]
    {
        let verdict = refused(line).gives("connect-failed", "tcp-refused");
        assert!(!verdict.summary.contains("another port"), "{line}: {}", verdict.summary);
    }
}

#[test]
fn out_of_memory_ends_the_process() {
    let verdict = Told::opened().at(25_000).line(MEMORY).at(25_900).fin().refuses().likely("fin", "out-of-memory");
    assert!(finds(&verdict, "server-process-died"), "{verdict:#?}");
    Told::opened().at(25_000).line(MEMORY).close(1000, "").gives("closed", "close-1000");
}

#[test]
fn restart_is_named_by_its_watcher() {
    let line = "[nodemon] restarting due to changes...";
    Told::opened().at(25_000).line(line).fin().refuses().likely("fin", "server-restarted");
    Told::opened().at(25_000).line(line).close(1012, "").likely("closed", "server-restarted");
    let verdict = Told::opened().at(25_000).line(line).fin().at(25_040).line(MODULE).refuses();
    assert!(finds(&verdict.likely("fin", "server-restarted"), "boot-crash"));
}

#[test]
fn old_process_that_answers_is_a_finding() {
    let told = Told::new("ws://127.0.0.1:3001/").line(TAKEN).ask().open().at(25_000).close(1011, "");
    let verdict = told.gives("closed", "close-1011");
    assert!(finds(&verdict, "address-in-use"), "{verdict:#?}");
    let other = "Error: listen EADDRINUSE: address already in use :::3000";
    let told = Told::new("ws://127.0.0.1:3001/").line(other).ask().open().at(25_000).close(1011, "");
    assert!(!finds(&told.verdict(), "address-in-use"));
}

#[test]
fn origin_is_named_by_the_console() {
    let told = Told::asked("ws://127.0.0.1:3001/").line("Request origin not allowed: http://localhost:3000");
    told.server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        .fin()
        .likely("upgrade-refused", "http-403-origin");
}

#[test]
fn verification_line_says_what_the_wire_does_not() {
    let said = |rest: &str| format!("[WebSocket] ❌ Token verification failed: {rest}");
    let check = |url: &str, rest: &str, cause: &str, certainty: Certainty| {
        let verdict = Told::asked(url).open().at(25_000).line(&said(rest)).close(1008, "").gives("closed", cause);
        assert_eq!(verdict.certainty, certainty, "{verdict:#?}");
        assert!(verdict.evidence.iter().any(|e| e.text.contains("Token verification failed")), "{verdict:#?}");
    };
    let token = mint(&format!("{{\"exp\":{}}}", NOW + 9_000), "HS256", b"secret").unwrap();
    let url = format!("ws://127.0.0.1:3001/?token={token}");
    check(&url, "invalid signature", "jwt-wrong-secret", Certainty::Likely);
    check(&url, "jwt expired", "jwt-expired", Certainty::Likely);
    check(&url, "jwt audience invalid. expected: x", "jwt-audience", Certainty::Likely);
    check(&url, "secret or public key must be provided", "jwt-secret-missing", Certainty::Certain);
    let fin = Told::asked(&url).open().at(25_000).line(&said("jwt expired")).fin().accepts();
    let verdict = fin.likely("fin", "jwt-expired");
    assert!(!finds(&verdict, "connection-terminated"), "{verdict:#?}");
    let late = Told::asked(&url).open().at(25_000).line(&said("jwt expired")).at(35_000).fin().accepts();
    late.gives("fin", "connection-terminated");
    Told::asked(&url).open().at(25_000).line(&said("jwt expired")).close(1001, "").gives("closed", "close-1001");
}

#[test]
fn what_is_proven_of_the_token_is_kept_where_it_fits_the_line() {
    let told = |line: &str| {
        let url = "ws://127.0.0.1:3001/?token=undefined";
        let report = examine(&place::percent_decode("undefined"), &[Secret::new("--secret-file", "s")], NOW);
        let told = Told::new(url).then(Fact::TokenExamined { report: Box::new(report), now_unix: NOW });
        told.ask().open().at(25_000).line(line).close(1008, "").verdict()
    };
    let verdict = told("[WebSocket] ❌ Token verification failed: jwt malformed");
    assert_eq!((verdict.cause.as_str(), verdict.certainty), ("token-placeholder", Certainty::Certain), "{verdict:#?}");
    let verdict = told("[WebSocket] ❌ Token verification failed: secret or public key must be provided");
    assert_eq!(verdict.cause, "jwt-secret-missing", "{verdict:#?}");
}

#[test]
fn server_started_without_a_secret_is_remembered() {
    let url = "ws://127.0.0.1:3001/?token=opaque";
    let told = |lines: &[&str]| {
        let report = examine("a.b.c", &[], NOW);
        let told = Told::new(url).then(Fact::TokenExamined { report: Box::new(report), now_unix: NOW });
        lines.iter().fold(told, |told, line| told.line(line)).ask().open().at(25_000).close(1008, "")
    };
    let no = "[WebSocket] JWT_SECRET configured: No";
    told(&[no]).likely("closed", "jwt-secret-missing");
    let later = told(&[no, UP, "[WebSocket] JWT_SECRET configured: Yes (custom secret)", UP]);
    assert_ne!(later.verdict().cause, "jwt-secret-missing");
}

#[test]
fn no_line_changes_what_happened() {
    let lines = [FATAL, MEMORY, TAKEN, MODULE, "EMFILE", "P1001", "[nodemon] restarting due to changes", "jwt expired"];
    let scenes: Vec<(fn() -> Told, Ending)> = vec![
        (|| Told::opened().at(25_000).fin(), Ending::Fin),
        (|| Told::opened().at(25_000).then(Fact::ReadEnded(ReadEnd::Reset)), Ending::Rst),
        (|| Told::opened().at(25_000).close(1008, "no"), Ending::Closed),
        (|| Told::opened().at(25_000).server(vec![0xC1, 0]), Ending::ProtocolError),
        (|| Told::new("ws://127.0.0.1:3001/").refused(), Ending::ConnectFailed),
        (|| Told::asked("ws://127.0.0.1:3001/").fin(), Ending::UpgradeCut),
        (|| Told::opened().then(Fact::CloseBegun { by: CloseOrigin::WatchEnded }).close(1000, ""), Ending::Open),
    ];
    for (scene, ending) in scenes {
        for line in lines {
            let verdict = scene().line(line).verdict();
            assert_eq!(verdict.ending, ending, "{line}");
            if matches!(ending, Ending::ProtocolError | Ending::Open) {
                assert_eq!(verdict.cause, scene().verdict().cause, "{line}");
            }
        }
    }
}

#[test]
fn engineio_ping_is_told_by_the_traffic() {
    let opening = "0{\"sid\":\"a\",\"upgrades\":[],\"pingInterval\":300,\"pingTimeout\":200}";
    let engineio = |ping: &[u8]| {
        let told = Told::asked("ws://127.0.0.1:3001/").server(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        );
        let told = told.then(Fact::Opened).at(20_010).server(encode_frame(0x81, None, opening.as_bytes()));
        told.at(20_310).server(encode_frame(0x81, None, ping)).at(20_511)
    };
    let empty = || encode_frame(0x88, None, b"");
    let answer = || encode_frame(0x88, Some([1, 2, 3, 4]), b"");
    let verdict = engineio(b"2").server(empty()).client(answer()).fin().gives("closed", "engineio-ping-timeout");
    assert_eq!(verdict.certainty, Certainty::Certain, "{verdict:#?}");
    assert!(!finds(&verdict, "close-empty"), "{verdict:#?}");
    let verdict = engineio(b"42[1]").server(empty()).client(answer()).fin().gives("closed", "engineio-ping-timeout");
    assert_eq!(verdict.certainty, Certainty::Likely, "{verdict:#?}");
    let garbage = engineio(b"2").at(20_320).client(encode_frame(0x81, Some([1, 2, 3, 4]), b"hi"));
    garbage.server(empty()).client(answer()).fin().gives("closed", "engineio-ping-timeout");
    engineio(b"2").at(20_320).server(empty()).client(answer()).fin().gives("closed", "close-empty");
    engineio(b"2").close(1000, "").gives("closed", "close-1000");
}

#[test]
fn exit_code_tells_how_the_process_died() {
    let verdict = Told::opened().at(25_000).fin().exited(137).refuses().gives("fin", "server-process-died");
    assert!(verdict.summary.contains("exit code 137 (SIGKILL)"), "{}", verdict.summary);
    assert!(verdict.alternatives.iter().any(|rival| rival.cause == "out-of-memory"), "{verdict:#?}");
    assert_eq!(verdict.certainty, Certainty::Certain);
    let verdict = Told::opened().at(25_000).fin().exited(1).gives("fin", "server-process-died");
    assert!(verdict.summary.contains("nobody caught"), "{}", verdict.summary);
    // A command that ends while its port goes on is not the server.
    Told::opened().at(25_000).fin().exited(0).accepts().gives("fin", "connection-terminated");
    Told::opened().at(25_000).fin().at(36_000).exited(1).gives("fin", "connection-terminated");
    // One that had ended before is another one, and so are its lines.
    let dead = Told::new("ws://127.0.0.1:3001/").attached().at(19_500).line(MODULE).exited(1);
    let told = dead.ask().open().at(20_300).fin();
    told.gives("fin", "connection-terminated");
    let list = checklist(&Case { story: &told.story, probes_pending: false });
    let console = list.iter().find(|item| item.item == "server console").unwrap();
    assert!(console.ok.is_none() && console.detail.contains("had ended before"), "{console:?}");
    let verdict = told.refuses().gives("fin", "server-process-died");
    assert!(!format!("{verdict:?}").contains("exit code 1"), "{verdict:#?}");
    // A line says more than an exit code.
    let told = Told::opened().at(25_000).line(FATAL).fin().exited(1).refuses().likely("fin", "handler-exception");
    assert!(finds(&told, "server-process-died"), "{told:#?}");
}

#[test]
fn process_that_ended_before_explains_the_refusal() {
    let new = || Told::new("ws://127.0.0.1:3001/").attached();
    let verdict = new().exited(127).refused().gives("connect-failed", "boot-crash");
    assert!(verdict.summary.contains("the shell does not find the program"), "{}", verdict.summary);
    new().line(UP).exited(1).refused().gives("connect-failed", "server-process-died");
    new().line(MODULE).exited(1).refused().likely("connect-failed", "boot-crash");
    new().line(UP).refused().gives("connect-failed", "tcp-refused");
}

#[test]
fn pasted_lines_count_whenever_they_were_pasted() {
    let pasted = |console, text: &str| Fact::pasted(console, text);
    let closed = || Told::opened().at(25_000).close(1011, "").at(900_000);
    closed().gives("closed", "close-1011");
    closed().then(pasted(PastedConsole::Server, FATAL)).gives("closed", "handler-exception");
    closed().then(pasted(PastedConsole::Browser, FATAL)).gives("closed", "close-1011");
    let taken = Told::new("ws://127.0.0.1:3001/").refused().at(900_000).then(pasted(PastedConsole::Server, TAKEN));
    taken.gives("connect-failed", "address-in-use");
    // What we saw ourselves comes first.
    let database = "PrismaClientInitializationError: Can't reach database server at `db:5432`";
    let seen =
        Told::opened().at(25_000).line(FATAL).close(1011, "").then(pasted(PastedConsole::Server, "TypeError: y"));
    let verdict = seen.likely("closed", "handler-exception");
    assert!(verdict.summary.contains("x is undefined"), "{}", verdict.summary);
    closed().then(pasted(PastedConsole::Server, database)).gives("closed", "db-unreachable");
}

#[test]
fn console_that_prints_nothing_is_evidence() {
    let verdict = Told::new("ws://127.0.0.1:3001/").attached().ask().open().at(25_000).fin().accepts();
    let verdict = verdict.gives("fin", "connection-terminated");
    assert!(verdict.evidence.iter().any(|seen| seen.text.contains("printed no line")), "{verdict:#?}");
    let rival = verdict.alternatives.iter().find(|rival| rival.cause == "handler-exception").unwrap();
    assert!(rival.decide_by.contains("said nothing"), "{rival:?}");
    let told = Told::new("ws://127.0.0.1:3001/").attached().ask().open().line("hello").at(25_000).fin().accepts();
    assert!(told.verdict().evidence.iter().all(|seen| !seen.text.contains("printed no line")));
}
