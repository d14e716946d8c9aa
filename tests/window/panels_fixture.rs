//! Connections made of literal facts, for the panels: a story by the fold, rows in a `Vec`, views over them.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what every test here starts with")]

use crate::support::themed;
use bytes::Bytes;
use egui::{Theme, Ui, Vec2};
use egui_kittest::Harness;
use sockeye::diagnosis::{Alternative, Certainty, Ending, Evidence, Finding, Place, Remedy, Verdict};
use sockeye::observation::{
    ConnId, Direction, Expect, Fact, Family, IoFailure, IoKind, KeepAlivePlan, Moment, Plan, Probe, ProbeOutcome,
    ReadEnd, Route, TimeOuts, TokenPlace,
};
use sockeye::store::{Filter, FrameRow, Hits, Page, PageSource, Row, RowBody, Series, Story, View};
use sockeye::token::{Secret, examine, mint};
use sockeye::ui::action::Action;
use sockeye::ui::console_lane::ConsoleLane;
use sockeye::ui::context::{Actions, Context};
use sockeye::ui::intercept::Interception;
use sockeye::wire::{Decoder, FrameHeader, Item, Opcode, accept_for, encode_frame, parse_url};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// 2025-06-01 12:00:00 UTC: when every session of these tests begins.
pub(crate) const BEGAN_UNIX: i64 = 1_748_779_200;
pub(crate) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// A panel in a window, with the view that it reads and the actions that it pushed.
pub(crate) struct Stage<P> {
    pub(crate) panel: Rc<RefCell<P>>,
    pub(crate) view: Rc<RefCell<Option<Arc<View>>>>,
    pub(crate) actions: Rc<RefCell<Actions>>,
    pub(crate) lane: Rc<RefCell<ConsoleLane>>,
}

impl<P> Stage<P> {
    /// The actions since the last call, as text.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.actions.borrow_mut().drain(..).map(|action| format!("{action:?}")).collect()
    }

    /// Takes the only copied text.
    pub(crate) fn copied(&self) -> Option<String> {
        self.actions.borrow_mut().drain(..).find_map(|action| match action {
            Action::Copy { text, .. } => Some(text),
            _ => None,
        })
    }
}

/// Shows a panel over a view, an hour after the session began.
pub(crate) fn stage<P: 'static>(
    theme: Theme,
    size: impl Into<Vec2>,
    view: Option<View>,
    panel: P,
    show: impl Fn(&mut P, &mut Ui, &Context<'_>, &mut Actions) + 'static,
) -> (Harness<'static>, Stage<P>) {
    let stage = Stage {
        panel: Rc::new(RefCell::new(panel)),
        view: Rc::new(RefCell::new(view.map(Arc::new))),
        actions: Rc::new(RefCell::new(Vec::new())),
        lane: Rc::default(),
    };
    let lane = Rc::clone(&stage.lane);
    let (panel, view, actions) = (Rc::clone(&stage.panel), Rc::clone(&stage.view), Rc::clone(&stage.actions));
    let mut harness = themed(theme, size, move |ui| {
        let view = view.borrow().clone();
        let views: Vec<Arc<View>> = view.iter().cloned().collect();
        let intercept = Interception::default();
        let ctx = Context {
            intercept: &intercept,
            view: view.as_ref(),
            views: &views,
            is_live: false,
            locks_form: false,
            now_unix_millis: (BEGAN_UNIX + 3600) * 1000,
            is_from_file: false,
            practice_lines: &[],
            lane: &lane.borrow(),
        };
        show(&mut panel.borrow_mut(), ui, &ctx, &mut actions.borrow_mut());
    });
    harness.run_steps(3);
    (harness, stage)
}

/// Runs passes until `found`, for what a thread prepares.
#[expect(clippy::disallowed_methods, reason = "a test that hangs must end")]
pub(crate) fn wait(harness: &mut Harness<'_>, found: impl Fn(&Harness<'_>) -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !found(harness) {
        assert!(Instant::now() < end, "it did not come");
        harness.run_steps(1);
        std::thread::yield_now();
    }
}

/// Rows and payloads in memory; can pretend that they are still being loaded.
pub(crate) struct Rows {
    pub(crate) all: Vec<Row>,
    pub(crate) payloads: Vec<(Direction, u64, Bytes)>,
    pub(crate) is_pending: Arc<AtomicBool>,
    pub(crate) is_payload_pending: Arc<AtomicBool>,
}

impl PageSource for Rows {
    fn page(&self, range: Range<u64>) -> Page<Vec<Row>> {
        if self.is_pending.load(Ordering::Relaxed) {
            return Page::Pending;
        }
        Page::Ready(self.all[range.start as usize..range.end as usize].to_vec())
    }

    fn payload(&self, direction: Direction, offset: u64, max: usize) -> Page<Bytes> {
        if self.is_pending.load(Ordering::Relaxed) || self.is_payload_pending.load(Ordering::Relaxed) {
            return Page::Pending;
        }
        let found = self.payloads.iter().find(|(of, at, _)| (*of, *at) == (direction, offset));
        Page::Ready(found.map(|(_, _, bytes)| bytes.slice(..bytes.len().min(max))).unwrap_or_default())
    }

    fn row_at(&self, at: Moment) -> Page<u64> {
        if self.is_pending.load(Ordering::Relaxed) {
            return Page::Pending;
        }
        Page::Ready(self.all.partition_point(|row| row.at < at) as u64)
    }

    fn row_of(&self, direction: Direction, offset: u64) -> Page<u64> {
        if self.is_pending.load(Ordering::Relaxed) {
            return Page::Pending;
        }
        let found = self.all.iter().position(|row| match &row.body {
            RowBody::Frame(frame) => (frame.direction, frame.offset) == (direction, offset),
            _ => false,
        });
        Page::Ready(found.unwrap_or_default() as u64)
    }

    fn search(&self, filter: &Arc<Filter>) -> Hits {
        let wanted = self.all.iter().filter(|row| filter.takes(row, Filter::bytes_of(row)));
        let matches = wanted.map(|row| row.number).collect();
        Hits { matches, looked_at: self.all.len() as u64, is_done: true }
    }
}

/// Any number of rows that nobody has to keep: text frames, a millisecond apart.
#[derive(Default)]
pub(crate) struct Endless {
    /// How often rows were looked for: each time a part more is found.
    searches: AtomicU64,
}

impl PageSource for Endless {
    fn page(&self, range: Range<u64>) -> Page<Vec<Row>> {
        assert!(range.end - range.start <= 1024, "a page of {range:?}");
        Page::Ready(
            range.map(|number| text_row(number, Moment::from_millis(number), &format!("row {number}"))).collect(),
        )
    }

    fn payload(&self, _: Direction, _: u64, _: usize) -> Page<Bytes> {
        Page::Pending
    }

    fn row_at(&self, at: Moment) -> Page<u64> {
        Page::Ready(at.0 / 1_000_000)
    }

    fn row_of(&self, _: Direction, offset: u64) -> Page<u64> {
        Page::Ready(offset)
    }

    fn search(&self, filter: &Arc<Filter>) -> Hits {
        let looked_at = 10_000 * self.searches.fetch_add(1, Ordering::Relaxed);
        let row = |number| text_row(number, Moment::from_millis(number), &format!("row {number}"));
        let is_wanted = |number: &u64| filter.takes(&row(*number), Filter::bytes_of(&row(*number)));
        Hits { matches: (0..looked_at).filter(is_wanted).collect(), looked_at, is_done: false }
    }
}

pub(crate) fn endless(rows: u64) -> View {
    View {
        conn: ConnId(9),
        story: Arc::default(),
        rows,
        series: Arc::default(),
        trouble: None,
        source: Arc::new(Endless::default()),
    }
}

fn text_row(number: u64, at: Moment, text: &str) -> Row {
    let header = FrameHeader::parse(&encode_frame(0x81, None, text.as_bytes())).unwrap();
    let frame = FrameRow {
        direction: Direction::ServerToClient,
        offset: number,
        header,
        message: Opcode::Text,
        compressed: false,
        inflated: None,
        preview: Bytes::copy_from_slice(text.as_bytes()),
        received: text.len() as u64,
    };
    Row { number, at, body: RowBody::Frame(frame) }
}

/// A connection as it is told, fact by fact.
#[derive(Default)]
pub(crate) struct Recording {
    story: Story,
    series: Series,
    decoder: Decoder,
    rows: Vec<Row>,
    payloads: Vec<(Direction, u64, Bytes)>,
    /// Makes payloads alone seem to be loading.
    pub(crate) is_payload_pending: Arc<AtomicBool>,
}

impl Recording {
    pub(crate) fn fact(mut self, millis: f64, fact: Fact) -> Self {
        let at = Moment::from_nanos((millis * 1e6) as u64);
        let mut made: Vec<RowBody> = Vec::new();
        let (rows, payloads, series) = (&mut self.rows, &mut self.payloads, &mut self.series);
        self.story.apply(&mut self.decoder, at, &fact, &mut |item| {
            series.take(at, item);
            match item {
                Item::Request(_, raw) => made.push(RowBody::Request { raw: Bytes::copy_from_slice(raw) }),
                Item::Interim(head, raw) | Item::Response(head, raw) => {
                    made.push(RowBody::Response { status: head.status, raw: Bytes::copy_from_slice(raw) });
                }
                Item::Body(data) => made.push(RowBody::Body { raw: Bytes::copy_from_slice(data) }),
                Item::NotHttp(data) => {
                    let raw = Bytes::copy_from_slice(data);
                    made.push(RowBody::Opaque { direction: Direction::ServerToClient, raw });
                }
                Item::Frame { direction, offset, header, compressed } => {
                    let message = match header.opcode() {
                        Opcode::Continuation => Opcode::Text,
                        own => own,
                    };
                    payloads.push((*direction, *offset, Bytes::new()));
                    made.push(RowBody::Frame(FrameRow {
                        direction: *direction,
                        offset: *offset,
                        header: **header,
                        message,
                        compressed: *compressed,
                        inflated: None,
                        preview: Bytes::new(),
                        received: 0,
                    }));
                }
                Item::Payload { direction, data, .. } => {
                    let all = rows.iter_mut().map(|row: &mut Row| &mut row.body).chain(made.iter_mut()).rev();
                    let mut frames = all.filter_map(|body| match body {
                        RowBody::Frame(frame) if frame.direction == *direction => Some(frame),
                        _ => None,
                    });
                    let frame = frames.next().expect("a frame before its payload");
                    let (_, _, payload) = payloads.iter_mut().rev().find(|of| of.0 == *direction).expect("a payload");
                    *payload = Bytes::from([&payload[..], data].concat());
                    frame.preview = payload.slice(..payload.len().min(FrameRow::PREVIEW_BYTES));
                    frame.received = payload.len() as u64;
                }
                Item::Violation(violation) => made.push(RowBody::Violation(violation.clone())),
                Item::Cut(cut) => made.push(RowBody::Cut(*cut)),
                Item::Opaque { .. }
                | Item::HeadTooBig(_)
                | Item::FrameEnd { .. }
                | Item::Message(_)
                | Item::Close(_) => {}
            }
        });
        if fact.is_row() {
            made.push(RowBody::Fact(Arc::new(fact)));
        }
        for body in made {
            self.rows.push(Row { number: self.rows.len() as u64, at, body });
        }
        self
    }

    pub(crate) fn server(self, millis: f64, data: &[u8]) -> Self {
        let data = Bytes::copy_from_slice(data);
        self.fact(millis, Fact::Bytes { direction: Direction::ServerToClient, data })
    }

    pub(crate) fn client(self, millis: f64, data: &[u8]) -> Self {
        let data = Bytes::copy_from_slice(data);
        self.fact(millis, Fact::Bytes { direction: Direction::ClientToServer, data })
    }

    pub(crate) fn view(self) -> View {
        self.pending_view().0
    }

    /// The view, and the switch that makes its rows seem to be loading.
    pub(crate) fn pending_view(self) -> (View, Arc<AtomicBool>) {
        let is_pending = Arc::new(AtomicBool::new(false));
        let rows = self.rows.len() as u64;
        let source = Rows {
            all: self.rows,
            payloads: self.payloads,
            is_pending: Arc::clone(&is_pending),
            is_payload_pending: Arc::clone(&self.is_payload_pending),
        };
        let view = View {
            conn: ConnId(1),
            story: Arc::new(self.story),
            rows,
            series: Arc::new(self.series),
            trouble: None,
            source: Arc::new(source),
        };
        (view, is_pending)
    }
}

pub(crate) fn token() -> String {
    let claims = format!(
        r#"{{"sub":"user-7","tenant":"acme","iat":{},"exp":{},"aud":"voice"}}"#,
        BEGAN_UNIX - 60,
        BEGAN_UNIX + 1800
    );
    mint(&claims, "HS256", b"practice-secret").unwrap()
}

pub(crate) fn url() -> String {
    format!("ws://localhost:3001/?token={}&agentId=a1", token())
}

pub(crate) fn request(token: &str) -> Vec<u8> {
    format!(
        "GET /?token={token}&agentId=a1 HTTP/1.1\r\nHost: localhost:3001\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Origin: http://localhost:3000\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
    )
    .into_bytes()
}

pub(crate) fn switching() -> Vec<u8> {
    let accept = accept_for(KEY);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\
         Date: Sun, 01 Jun 2025 12:00:07 GMT\r\n\r\n"
    )
    .into_bytes()
}

pub(crate) fn plan() -> Plan {
    Plan {
        url: url(),
        target: parse_url(&url()).ok(),
        began_unix_millis: BEGAN_UNIX * 1000,
        token_place: Some(TokenPlace::Query { name: "token".to_owned() }),
        credentials: true,
        origin: Some("http://localhost:3000".to_owned()),
        subprotocols: Vec::new(),
        preset: sockeye::observation::Preset::Chrome,
        extensions: None,
        expect: Expect::First,
        time_outs: TimeOuts::default(),
        limit_bytes: 64 << 20,
        insecure: false,
        family: Family::Auto,
        probes: true,
        probes_elsewhere: false,
        backend: None,
        route: Route::Direct,
        keep_alive: KeepAlivePlan::default(),
        claims: sockeye::token::Expectations::default(),
        between: None,
    }
}

/// Planned, resolved, `::1` refused, connected, the request sent.
pub(crate) fn requested() -> Recording {
    let report = examine(&token(), &[Secret::new(".env JWT_SECRET", "practice-secret")], BEGAN_UNIX);
    let refused = IoFailure { kind: IoKind::Refused, code: Some(111), text: "Connection refused".to_owned() };
    let (v6, v4) = ("[::1]:3001".parse().unwrap(), "127.0.0.1:3001".parse().unwrap());
    Recording::default()
        .fact(0.0, Fact::Planned(Box::new(plan())))
        .fact(0.1, Fact::TokenExamined { report: Box::new(report), now_unix: BEGAN_UNIX })
        .fact(0.2, Fact::ResolveStarted { host: "localhost".to_owned() })
        .fact(
            0.5,
            Fact::Resolved { addresses: vec!["::1".parse().unwrap(), "127.0.0.1".parse().unwrap()], added: vec![] },
        )
        .fact(0.6, Fact::TcpStarted { address: v6 })
        .fact(0.7, Fact::TcpFailed { address: v6, failure: refused })
        .fact(0.8, Fact::TcpStarted { address: v4 })
        .fact(1.0, Fact::TcpConnected { address: v4, local: "127.0.0.1:50112".parse().ok() })
        .client(1.2, &request(&token()))
}

pub(crate) fn opened() -> Recording {
    requested().server(4.1, &switching()).fact(4.3, Fact::Opened)
}

pub(crate) const READY: &[u8] =
    br#"{"type":"ready","message":"WebSocket connection established","user":{"id":7,"roles":["admin","tester"]}}"#;

/// Confirmed, a few frames, a long silence, then a FIN without a Close frame; the verdict is given.
pub(crate) fn died() -> Recording {
    let mask = Some([0x37, 0xFA, 0x21, 0x3D]);
    opened()
        .server(13.2, &encode_frame(0x81, None, READY))
        .fact(13.4, Fact::Confirmed { preview: Some(r#"{"type":"ready""#.to_owned()) })
        .client(21.0, &encode_frame(0x81, mask, br#"{"hello":1,"file":"gnp\u202Eexe"}"#))
        .client(30.0, &encode_frame(0x89, mask, b"1"))
        .server(30.4, &encode_frame(0x8A, None, b"1"))
        .server(31.0, &encode_frame(0x82, None, &(0..=255).collect::<Vec<u8>>()))
        .fact(
            31.5,
            Fact::ConsoleLine {
                source: "npm run dev:websocket".to_owned(),
                text: "\u{1B}[31m[WebSocket] \u{202E}❌ Fatal error in connection handler: Prisma\u{1B}[0m".to_owned(),
            },
        )
        .fact(2312.0, Fact::ReadEnded(ReadEnd::Fin))
        .fact(2312.2, Fact::WeClosedTcp)
        .fact(2313.0, Fact::ProbeStarted(Probe::Tcp { address: "127.0.0.1:3001".parse().unwrap() }))
        .fact(
            2314.0,
            Fact::ProbeEnded {
                probe: Probe::Tcp { address: "127.0.0.1:3001".parse().unwrap() },
                outcome: ProbeOutcome::Failed(IoFailure {
                    kind: IoKind::Refused,
                    code: Some(111),
                    text: "Connection refused".to_owned(),
                }),
            },
        )
        .fact(2315.0, Fact::Concluded(Box::new(verdict())))
        .fact(2315.0, Fact::Finished)
}

pub(crate) fn verdict() -> Verdict {
    let evidence = |millis: u64, text: &str, offset: Option<u64>| Evidence {
        at: Moment::from_millis(millis),
        text: text.to_owned(),
        place: offset.map(|offset| Place { direction: Direction::ServerToClient, offset }),
    };
    Verdict {
        ending: Ending::Fin,
        cause: "server-process-died".to_owned(),
        certainty: Certainty::Certain,
        summary: "The server process died 2.3 s after it had confirmed the connection.".to_owned(),
        browser_shows: "CloseEvent code 1006, reason \"\", wasClean false".to_owned(),
        evidence: vec![
            evidence(13, "The server sent its confirmation", Some(0)),
            evidence(2312, "TCP ended with FIN, and no Close frame had come", None),
            evidence(2314, "Nobody listens on 127.0.0.1:3001 any more", None),
        ],
        fixes: vec![
            Remedy {
                text: "Read the last lines of the server's console: the stack trace names the line that threw."
                    .to_owned(),
                command: Some("npm run dev:websocket 2>&1 | tee server.log".to_owned()),
            },
            Remedy { text: "Catch errors in the connection handler and close with 1011.".to_owned(), command: None },
        ],
        findings: vec![Finding {
            id: "localhost-family-mismatch".to_owned(),
            certainty: Certainty::Certain,
            summary: "localhost resolves to ::1 first, where nobody listens.".to_owned(),
            evidence: vec![evidence(1, "[::1]:3001 refused", None)],
            fixes: vec![],
        }],
        alternatives: vec![Alternative {
            cause: "server-restarted".to_owned(),
            certainty: Certainty::Possible,
            decide_by: "look whether the watcher started the process again".to_owned(),
        }],
        provisional: false,
    }
}

/// Refused with 401 and a JSON body.
pub(crate) fn refused() -> Recording {
    requested()
        .server(
            5.0,
            b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: 42\r\n\
              Date: Sun, 01 Jun 2025 11:48:00 GMT\r\n\r\n{\"error\":\"jwt expired\",\"hint\":\"\xE2\x80\xAElog in\"}",
        )
        .fact(6.0, Fact::ReadEnded(ReadEnd::Fin))
        .fact(6.1, Fact::WeClosedTcp)
        .fact(6.2, Fact::Finished)
}

/// A masked frame and a Close from the server, text that is not UTF-8, and a payload that breaks off.
pub(crate) fn broken() -> Recording {
    opened()
        .server(10.0, &encode_frame(0x81, Some([1, 2, 3, 4]), b"masked"))
        .server(11.0, &encode_frame(0x81, None, b"ab\xFFcd"))
        .server(12.0, &encode_frame(0x88, None, b"\x03\xf0token expired"))
        .client(12.5, &encode_frame(0x88, Some([9, 9, 9, 9]), b"\x03\xf0"))
        .fact(13.0, Fact::ReadEnded(ReadEnd::Reset))
        .fact(13.1, Fact::Finished)
}

/// A frame of 100 KiB, of which the row holds the beginning, then a cut.
pub(crate) fn long() -> Recording {
    let items: Vec<String> = (0..9000).map(|n| format!("\"item {n}\"")).collect();
    let json = format!("[{}]", items.join(","));
    let mut cut = encode_frame(0x82, None, &[7; 5000]);
    cut.truncate(1200);
    opened()
        .server(10.0, &encode_frame(0x81, None, json.as_bytes()))
        .server(11.0, &cut)
        .fact(12.0, Fact::ReadEnded(ReadEnd::Reset))
        .fact(12.5, Fact::Finished)
}
