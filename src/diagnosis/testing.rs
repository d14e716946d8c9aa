//! Builds stories from literal facts and bytes, for the tests of the rules.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::catalogue::Phase;
use super::tests::{FINDINGS, NEVER_CERTAIN, PAGES};
use super::{Case, Certainty, Ending, Evidence, Verdict, diagnose, next_probes};
use crate::observation::{
    Between, CertInfo, Change, CloseOrigin, Deadline, Direction, Expect, Fact, Family, Handshaken, IoFailure, IoKind,
    KeepAlivePlan, Limit, Listener, Moment, Plan, Probe, ProbeOutcome, Process, ReadEnd, Route, TimeOuts, TlsFailure,
    TlsFailureKind, TokenPlace,
};
use crate::store::Story;
use crate::token::{Secret, TokenReport, examine, mint};
use crate::wire::{Decoder, encode_frame, parse_url};

/// Unix seconds at which every scene begins.
pub(super) const NOW: i64 = 1_800_000_000;
/// The secret that tokens of scenes are signed with.
pub(super) const SECRET: &str = "practice-secret-practice-secret-practice";

/// A connection, told fact by fact.
#[derive(Clone)]
pub(super) struct Scene {
    facts: Vec<(Moment, Fact)>,
    plan: Plan,
    token: Option<TokenReport>,
    request_fields: String,
    now_millis: u64,
    pending: bool,
}

impl Scene {
    /// A connection to this URL; every further fact comes a millisecond after the one before it.
    pub(super) fn to(url: &str) -> Self {
        let plan = Plan {
            url: url.to_owned(),
            target: parse_url(url).ok(),
            began_unix_millis: NOW * 1000,
            token_place: None,
            credentials: false,
            origin: None,
            subprotocols: Vec::new(),
            preset: crate::observation::Preset::Chrome,
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
            claims: crate::token::Expectations::default(),
            between: None,
        };
        Self { facts: Vec::new(), plan, token: None, request_fields: String::new(), now_millis: 0, pending: false }
    }

    /// TCP connected and the request sent, to `ws://127.0.0.1:3001/`.
    pub(super) fn asked() -> Self {
        Self::to("ws://127.0.0.1:3001/").tcp().request()
    }

    /// Open, to `ws://127.0.0.1:3001/`.
    pub(super) fn open() -> Self {
        Self::asked().accept()
    }

    /// Open and confirmed, to `ws://127.0.0.1:3001/`.
    pub(super) fn confirmed() -> Self {
        Self::open().confirm()
    }

    /// Open, as a client with this token in its query.
    pub(super) fn with_token(token: &str) -> Self {
        Self::with_token_and(token, &[Secret::new("--secret-file", SECRET)])
    }

    /// Planned, with this token in the query and these secrets to check it with; nothing is sent yet.
    pub(super) fn with_token_and(token: &str, secrets: &[Secret]) -> Self {
        let mut scene = Self::to(&format!("ws://127.0.0.1:3001/?token={token}&agentId=a1"));
        scene.plan.token_place = Some(TokenPlace::Query { name: "token".to_owned() });
        scene.plan.credentials = !token.is_empty();
        scene.token = Some(examine(&crate::token::place::percent_decode(token), secrets, NOW));
        scene
    }

    pub(super) fn plan(mut self, change: impl FnOnce(&mut Plan)) -> Self {
        change(&mut self.plan);
        self
    }

    /// The same with somebody else as the client, whose connection goes through us.
    pub(super) fn between(self) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 9001));
        self.plan(|plan| {
            plan.between = Some(Between { client: address, listens: address, renames: false, tells: false });
        })
    }

    /// That client ended its side of TCP of its own accord.
    pub(super) fn client_goes(self, end: ReadEnd) -> Self {
        self.between().fact(Fact::CloseBegun { by: CloseOrigin::Client }).fact(Fact::ClientEnded(end))
    }

    /// That client began the closing handshake.
    pub(super) fn client_begins_close(self, code: u16) -> Self {
        self.between().fact(Fact::CloseBegun { by: CloseOrigin::Client }).client_close(code)
    }

    pub(super) fn wait(mut self, millis: u64) -> Self {
        self.now_millis += millis;
        self
    }

    pub(super) fn fact(mut self, fact: Fact) -> Self {
        self.now_millis += 1;
        self.facts.push((Moment::from_millis(self.now_millis), fact));
        self
    }

    /// Further fields of the request, with their line ends; before [`Scene::request`].
    pub(super) fn fields(mut self, fields: &str) -> Self {
        self.request_fields = fields.to_owned();
        self
    }

    pub(super) fn address(&self) -> SocketAddr {
        let target = self.plan.target.as_ref().unwrap();
        let ip = target.host.parse().unwrap_or_else(|_| IpAddr::from([127, 0, 0, 1]));
        SocketAddr::new(ip, target.port)
    }

    pub(super) fn tcp(self) -> Self {
        let address = self.address();
        self.fact(Fact::TcpStarted { address }).fact(Fact::TcpConnected { address, local: None })
    }

    /// An attempt that failed in this way.
    pub(super) fn tcp_failed(self, address: &str, kind: IoKind) -> Self {
        let address = address.parse().unwrap();
        self.fact(Fact::TcpStarted { address }).fact(Fact::TcpFailed { address, failure: failure(kind) })
    }

    pub(super) fn tcp_connected(self, address: &str) -> Self {
        let address = address.parse().unwrap();
        self.fact(Fact::TcpStarted { address }).fact(Fact::TcpConnected { address, local: None })
    }

    pub(super) fn request(self) -> Self {
        let target = self.plan.target.as_ref().unwrap();
        let head = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{}\r\n",
            target.path_and_query,
            target.host_header(),
            self.request_fields
        );
        self.client(head.as_bytes())
    }

    pub(super) fn client(self, bytes: &[u8]) -> Self {
        self.fact(Fact::Bytes { direction: Direction::ClientToServer, data: Bytes::copy_from_slice(bytes) })
    }

    pub(super) fn server(self, bytes: impl AsRef<[u8]>) -> Self {
        self.fact(Fact::Bytes { direction: Direction::ServerToClient, data: Bytes::copy_from_slice(bytes.as_ref()) })
    }

    pub(super) fn accept(self) -> Self {
        self.accept_with("")
    }

    /// A right 101 with further fields.
    pub(super) fn accept_with(self, fields: &str) -> Self {
        self.server(format!("{GOOD}{fields}\r\n")).fact(Fact::Opened)
    }

    /// A whole response with this status line, these fields and this body, then FIN.
    pub(super) fn answer(self, status: &str, fields: &str, body: &str) -> Self {
        let length =
            if status.starts_with("204") { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        self.server(format!("HTTP/1.1 {status}\r\n{fields}{length}\r\n{body}")).fin()
    }

    pub(super) fn confirm(self) -> Self {
        self.server(encode_frame(0x81, None, b"{\"type\":\"ready\"}"))
            .fact(Fact::Confirmed { preview: Some("{\"type\":\"ready\"}".to_owned()) })
    }

    pub(super) fn server_close(self, code: u16, reason: &str) -> Self {
        self.server(encode_frame(0x88, None, &[&code.to_be_bytes(), reason.as_bytes()].concat()))
    }

    pub(super) fn client_close(self, code: u16) -> Self {
        self.client(&encode_frame(0x88, Some([1, 2, 3, 4]), &code.to_be_bytes()))
    }

    /// The server closes, we answer, TCP ends.
    pub(super) fn closed_by_server(self, code: u16, reason: &str) -> Self {
        self.server_close(code, reason).client_close(code).fin()
    }

    /// We begin to close with 1000.
    pub(super) fn we_close(self, by: CloseOrigin) -> Self {
        self.fact(Fact::CloseBegun { by }).client_close(1000)
    }

    pub(super) fn fin(self) -> Self {
        self.fact(Fact::ReadEnded(ReadEnd::Fin))
    }

    pub(super) fn rst(self) -> Self {
        self.fact(Fact::ReadEnded(ReadEnd::Reset))
    }

    pub(super) fn ran_out(self, deadline: Deadline, millis: u64) -> Self {
        self.wait(millis).fact(Fact::TimedOut { deadline, millis })
    }

    pub(super) fn limit(self, limit: Limit, actual_bytes: u64) -> Self {
        self.fact(Fact::LimitPassed { limit, limit_bytes: 64 << 20, actual_bytes })
            .fact(Fact::CloseBegun { by: CloseOrigin::Limit })
    }

    pub(super) fn probe(self, probe: Probe, outcome: ProbeOutcome) -> Self {
        self.fact(Fact::ProbeStarted(probe.clone())).fact(Fact::ProbeEnded { probe, outcome })
    }

    /// A new connection to the same address is refused.
    pub(super) fn refuses(self) -> Self {
        let address = self.address();
        self.probe(Probe::Tcp { address }, ProbeOutcome::Failed(failure(IoKind::Refused)))
    }

    /// A new connection to the same address is accepted.
    pub(super) fn accepts(self) -> Self {
        let address = self.address();
        self.probe(Probe::Tcp { address }, ProbeOutcome::Accepted)
    }

    /// A plain GET meets this.
    pub(super) fn plain_get(self, outcome: ProbeOutcome) -> Self {
        let path = self.plan.target.as_ref().unwrap().path().to_owned();
        self.get(&path, outcome)
    }

    /// A plain GET of this path meets this.
    pub(super) fn get(self, path: &str, outcome: ProbeOutcome) -> Self {
        let target = self.plan.target.clone().unwrap();
        let (host, path) = (target.host_header(), path.to_owned());
        self.clone().probe(Probe::PlainGet { address: self.address(), host, path, tls: target.secure }, outcome)
    }

    /// The same opening handshake with a change leads to this.
    pub(super) fn handshake(self, change: Change, with_token: bool, found: Handshaken) -> Self {
        let probe = Probe::Handshake { address: self.address(), change, with_token };
        self.probe(probe, ProbeOutcome::Handshaken(Box::new(found)))
    }

    /// A process listens, before the end or after it.
    pub(super) fn listens(self, pid: u32, name: &str, is_after: bool) -> Self {
        let address = self.address();
        let process = Process { pid, name: name.to_owned(), command: format!("{name} server.js"), started_unix: None };
        let listeners = vec![Listener { address, process: Some(process), waiting: Some(0) }];
        self.listening(listeners, is_after)
    }

    /// These listen, before the end or after it.
    pub(super) fn listening(self, listeners: Vec<Listener>, is_after: bool) -> Self {
        let port = self.address().port();
        if is_after {
            self.probe(Probe::Listeners { port }, ProbeOutcome::Listening { listeners })
        } else {
            self.fact(Fact::ListenersSeen { port, listeners })
        }
    }

    /// A port that refused accepts again, or still refuses.
    pub(super) fn comes_back(self, does: bool) -> Self {
        let address = self.address();
        let outcome = if does { ProbeOutcome::Accepted } else { ProbeOutcome::Failed(failure(IoKind::Refused)) };
        self.probe(Probe::ComesBack { address }, outcome)
    }

    /// A line of the server's console.
    pub(super) fn line(self, text: &str) -> Self {
        self.fact(Fact::ConsoleLine { source: "server.log".to_owned(), text: text.to_owned() })
    }

    /// A `ClientHello` is answered with a TLS record.
    pub(super) fn answers_tls(self) -> Self {
        let probe = Probe::TlsHello { address: self.address(), server_name: "h".to_owned() };
        self.probe(probe, ProbeOutcome::Answered { status: None, preview: String::new(), tls: true })
    }

    /// The TLS handshake fails in this way after these first bytes.
    pub(super) fn tls_failed(self, kind: TlsFailureKind, first_bytes: &[u8]) -> Self {
        self.tls_failed_with(kind, first_bytes, Vec::new(), Vec::new())
    }

    pub(super) fn tls_failed_with(
        self,
        kind: TlsFailureKind,
        first_bytes: &[u8],
        chain: Vec<CertInfo>,
        defects: Vec<TlsFailureKind>,
    ) -> Self {
        let server_name = self.plan.target.as_ref().unwrap().host.clone();
        let data = Bytes::copy_from_slice(first_bytes);
        let mut scene = self.fact(Fact::TlsStarted { server_name });
        if !first_bytes.is_empty() {
            scene = scene.fact(Fact::CipherBytes { direction: Direction::ServerToClient, data });
        }
        let failure = TlsFailure { kind, text: format!("{kind:?}"), chain, defects, ..TlsFailure::default() };
        scene.fact(Fact::TlsFailed(Box::new(failure)))
    }

    pub(super) fn pending(mut self) -> Self {
        self.pending = true;
        self
    }

    pub(super) fn story(&self) -> Story {
        let mut story = Story::default();
        let mut decoder = Decoder::default();
        let mut apply = |at: Moment, fact: &Fact| story.apply(&mut decoder, at, fact, &mut |_| {});
        apply(Moment::default(), &Fact::Planned(Box::new(self.plan.clone())));
        if let Some(report) = &self.token {
            let report = Box::new(report.clone());
            apply(Moment::default(), &Fact::TokenExamined { report, now_unix: NOW });
        }
        for (at, fact) in &self.facts {
            apply(*at, fact);
        }
        story
    }

    pub(super) fn verdict(&self) -> Verdict {
        diagnose(&Case { story: &self.story(), probes_pending: self.pending })
    }

    pub(super) fn next_probes(&self) -> Vec<Probe> {
        next_probes(&Case { story: &self.story(), probes_pending: false })
    }

    /// Checks ending, cause and certainty, and that the verdict reads well.
    #[track_caller]
    pub(super) fn gives(&self, ending: &str, cause: &str, certainty: Certainty) -> Verdict {
        let verdict = self.verdict();
        assert_eq!(
            (verdict.ending.id(), verdict.cause.as_str(), verdict.certainty),
            (ending, cause, certainty),
            "{verdict:#?}"
        );
        reads_well(&verdict);
        is_of_the_client(&self.clone().between().verdict());
        verdict
    }

    #[track_caller]
    pub(super) fn certain(&self, ending: &str, cause: &str) -> Verdict {
        self.gives(ending, cause, Certainty::Certain)
    }

    #[track_caller]
    pub(super) fn likely(&self, ending: &str, cause: &str) -> Verdict {
        self.gives(ending, cause, Certainty::Likely)
    }

    /// Checks that the cause is another one.
    #[track_caller]
    pub(super) fn is_not(&self, cause: &str) -> Verdict {
        let verdict = self.verdict();
        assert_ne!(verdict.cause, cause, "{verdict:#?}");
        reads_well(&verdict);
        verdict
    }
}

/// Nothing that a client of somebody else sends is called ours.
#[track_caller]
fn is_of_the_client(verdict: &Verdict) {
    let finding =
        verdict.findings.iter().flat_map(|finding| [&finding.summary].into_iter().chain(texts(&finding.evidence)));
    for sentence in [&verdict.summary].into_iter().chain(texts(&verdict.evidence)).chain(finding) {
        let sentence = sentence.to_lowercase();
        for ours in [
            "our request",
            "our close",
            "our first",
            "our origin",
            "we sent",
            "we had sent",
            "we offered",
            "we did send",
        ] {
            assert!(!sentence.contains(ours), "{sentence:?}");
        }
    }
}

fn texts(evidence: &[Evidence]) -> impl Iterator<Item = &String> {
    evidence.iter().map(|evidence| &evidence.text)
}

/// What holds for every verdict, whatever its cause.
#[track_caller]
fn reads_well(verdict: &Verdict) {
    let mut sentences = vec![&verdict.summary];
    sentences.extend(verdict.findings.iter().map(|finding| &finding.summary));
    for sentence in sentences {
        let begins = sentence.chars().next().is_some_and(|c| !c.is_lowercase());
        assert!(begins && sentence.ends_with('.') && !sentence.contains("  "), "{sentence:?}");
        assert!(!sentence.contains(" ,") && !sentence.contains(" .") && !sentence.contains("eyJ"), "{sentence:?}");
        assert!(!sentence.contains("1006 was sent") && !sentence.to_lowercase().contains("crash"), "{sentence:?}");
    }
    let is_browsers = super::catalogue::cause(&verdict.cause).is_some_and(|cause| cause.phase == Phase::Browser);
    let is_on_the_wire = PAGES.contains(&verdict.cause.as_str());
    let is_doubtful = is_browsers && !is_on_the_wire || NEVER_CERTAIN.contains(&verdict.cause.as_str());
    assert!(!is_doubtful || verdict.certainty != Certainty::Certain, "{verdict:#?}");
    assert!(!FINDINGS.contains(&verdict.cause.as_str()), "{verdict:#?}");
    assert!(verdict.alternatives.len() <= 3, "{verdict:#?}");
    assert!(
        verdict.alternatives.iter().all(|rival| rival.cause != verdict.cause && !rival.decide_by.is_empty()),
        "{verdict:#?}"
    );
    assert!(verdict.findings.iter().all(|finding| finding.id != verdict.cause), "{verdict:#?}");
    let ids = verdict.findings.iter().map(|f| &f.id).chain(verdict.alternatives.iter().map(|a| &a.cause));
    for id in ids.chain([&verdict.cause]) {
        assert!(super::catalogue::cause(id).is_some(), "{id} is not in the catalogue");
    }
    if verdict.cause == "undetermined" {
        assert_eq!(verdict.certainty, Certainty::Undetermined);
    } else {
        let empty = [verdict.evidence.is_empty(), verdict.fixes.is_empty(), verdict.browser_shows.is_empty()];
        assert_eq!(empty, [false; 3], "{verdict:#?}");
    }
    assert!(verdict.ending != Ending::Open || !verdict.browser_shows.contains("1006"), "{verdict:#?}");
}

/// Whether a verdict has a finding with this id.
pub(super) fn finds(verdict: &Verdict, id: &str) -> bool {
    verdict.findings.iter().any(|finding| finding.id == id)
}

/// The ids of the rivals.
pub(super) fn rivals(verdict: &Verdict) -> Vec<&str> {
    verdict.alternatives.iter().map(|rival| rival.cause.as_str()).collect()
}

pub(super) fn failure(kind: IoKind) -> IoFailure {
    IoFailure { kind, code: None, text: format!("{kind:?}").to_lowercase() }
}

/// A token whose `exp` is so many seconds from [`NOW`].
pub(super) fn token(expires_in: i64) -> String {
    signed(SECRET, &format!("{{\"sub\":\"u1\",\"iat\":{},\"exp\":{}}}", NOW - 7200, NOW + expires_in))
}

pub(super) fn signed(secret: &str, claims: &str) -> String {
    mint(claims, "HS256", secret.as_bytes()).unwrap()
}

pub(super) fn certificate(issuer: &str, from: i64, until: i64) -> CertInfo {
    CertInfo {
        subject: "CN=h".to_owned(),
        issuer: issuer.to_owned(),
        names: vec!["example.test".to_owned()],
        not_before: from,
        not_after: until,
        ..CertInfo::default()
    }
}

/// A right 101 without its empty line.
pub(super) const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
