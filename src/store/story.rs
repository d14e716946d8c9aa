//! One connection, folded: everything that diagnosis and the faces ask about it, without its payloads.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use super::round_trips::RoundTrips;
use super::tally::Tally;
use crate::diagnosis::Verdict;
use crate::observation::{
    CloseOrigin, ConsoleKind, Deadline, Direction, ExitStatus, Inflated, IoFailure, LabMeasure, Limit, Listener,
    Moment, PastEnd, PastedConsole, Plan, Probe, ProbeOutcome, ReadEnd, ResolveFailure, TcpQueues, TlsFailure, TlsInfo,
    TunnelFailure,
};
use crate::token::TokenReport;
use crate::wire::{
    Check, CloseInfo, Cut, Deflate, ProxyKind, RequestHead, ResponseHead, UrlProblem, Violation, decoded_content,
};

/// One connection, folded from its observations.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// What the user asked for.
    pub plan: Option<Arc<Plan>>,
    /// The token as it was judged when the connection was planned.
    pub token: Option<Arc<TokenReport>>,
    /// The wall clock it was judged by, Unix seconds.
    pub token_now_unix: i64,
    /// Why nothing was sent.
    pub not_attempted: Option<(Moment, UrlProblem)>,
    /// Name resolution.
    pub resolve: Option<Resolve>,
    /// Every TCP attempt, in the order in which they began.
    pub attempts: Vec<Attempt>,
    /// The Unix socket that was connected to, or how that failed: its path, and the failure.
    pub socket: Option<(Moment, String, Option<IoFailure>)>,
    /// The way through a proxy.
    pub tunnel: Option<Tunnel>,
    /// The TLS handshake.
    pub tls: Option<Tls>,
    /// The request as it went out.
    pub request: Option<Arc<SeenRequest>>,
    /// The answer to it.
    pub answer: Answer,
    /// When the opening handshake had passed our checks.
    pub opened: Option<Moment>,
    /// The confirmation, met or not.
    pub confirmation: Option<Confirmation>,
    /// What we sent after the handshake.
    pub sent: Tally,
    /// What the server sent after the handshake.
    pub received: Tally,
    /// The first Close frame from the server.
    pub close_received: Option<CloseSeen>,
    /// The first Close frame from us.
    pub close_sent: Option<CloseSeen>,
    /// The first broken rules, at most [`Story::MAX_VIOLATIONS`].
    pub violations: Vec<(Moment, Violation)>,
    /// How many rules were broken in all.
    pub violation_count: u64,
    /// Where the server's bytes ended, if not between two messages.
    pub cut: Option<(Moment, Cut)>,
    /// The beginning of the server's bytes that are no frames.
    pub opaque: Vec<u8>,
    /// What permessage-deflate was accepted with, if it was.
    pub deflate: Option<Deflate>,
    /// How far each direction was inflated or compressed when that was noted last; without windows.
    pub inflated: [Option<Inflated>; 2],
    /// The first data message from the server: when it began, and its beginning, inflated.
    pub first_message: Option<(Moment, Vec<u8>)>,
    /// The beginning of the first data message on the wire, while it is compressed.
    pub first_compressed: Vec<u8>,
    /// When and why we began to close.
    pub close_begun: Option<(Moment, CloseOrigin)>,
    /// Every time limit of ours that ran out, with its milliseconds.
    pub timed_out: Vec<(Moment, Deadline, u64)>,
    /// The size limit of ours that was passed: limit and actual size in bytes.
    pub limit_passed: Option<(Moment, Limit, u64, u64)>,
    /// What the WebSocket library reported.
    pub endpoint_error: Option<String>,
    /// The times from our pings to their pongs.
    pub round_trips: RoundTrips,
    /// How many pings of the server were left unanswered because the user wants it so.
    pub pongs_withheld: u64,
    /// What TCP held when it was looked at last; `None` inside where the system does not tell.
    pub queues: Option<(Moment, Option<TcpQueues>)>,
    /// That the connection is to be made again: the number of the next one, and the pause before it in milliseconds.
    pub reconnect: Option<(Moment, u32, u64)>,
    /// How long we did not read although bytes may have waited, in nanoseconds.
    pub paused_nanos: u64,
    /// Since when we do not read.
    pub paused_since: Option<Moment>,
    /// How reading ended.
    pub read_end: Option<(Moment, ReadEnd)>,
    /// How TCP below TLS ended after `close_notify`.
    pub transport_end: Option<(Moment, ReadEnd)>,
    /// How writing failed.
    pub write_failed: Option<(Moment, IoFailure)>,
    /// Whether a RST came after the FIN.
    pub reset_after_fin: bool,
    /// When we closed our side of TCP.
    pub we_closed_tcp: Option<Moment>,
    /// How the client that we stand between ended its side of TCP.
    pub client_end: Option<(Moment, ReadEnd)>,
    /// Who listened on the target's port of this machine while we connected.
    pub listeners: Option<(Moment, Vec<Listener>)>,
    /// What was noted in words of ours, at most [`Story::MAX_NOTES`].
    pub notes: Vec<String>,
    /// How earlier connections to the same target ended, the newest last.
    pub earlier: Vec<PastEnd>,
    /// What the idle lab measured with this connection.
    pub lab: Option<(Moment, LabMeasure)>,
    /// The last frame of ours that broke a silence of at least [`Story::LONG_SILENCE_NANOS`]: when, and the silence.
    pub silence_broken: Option<(Moment, u64)>,
    /// Follow-up probes in the order in which they began.
    pub probes: Vec<ProbeSeen>,
    /// The consoles of the server that were attached.
    pub consoles: Vec<ConsoleAttached>,
    /// The newest lines of the server's console, at most [`Story::MAX_CONSOLE_LINES`].
    pub console: VecDeque<ConsoleSeen>,
    /// How many lines came in all.
    pub console_lines: u64,
    /// How the server's process ended, if we had started it; at most [`Story::MAX_EXITS`].
    pub exits: Vec<ServerExit>,
    /// Parts of consoles that the user pasted, the newest last, at most [`Story::MAX_PASTES`].
    pub pasted: Vec<Pasted>,
    /// The verdict given last.
    pub verdict: Option<Arc<Verdict>>,
    /// When nothing more was to come.
    pub finished: Option<Moment>,
    /// The moment of the last observation.
    pub last_at: Moment,
}

/// Name resolution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolve {
    /// The name asked for.
    pub host: String,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// What getaddrinfo gave.
    pub addresses: Vec<IpAddr>,
    /// What we tried beside it.
    pub added: Vec<IpAddr>,
    /// Why it failed.
    pub failure: Option<ResolveFailure>,
}

/// One TCP attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// To where.
    pub address: SocketAddr,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// How it ended.
    pub outcome: AttemptOutcome,
}

/// How a TCP attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It has not ended.
    Pending,
    /// It succeeded.
    Connected,
    /// It failed.
    Failed(IoFailure),
    /// Another address answered first.
    Abandoned,
}

/// The way through a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// What the proxy speaks.
    pub kind: ProxyKind,
    /// When it was asked.
    pub started: Moment,
    /// When it answered.
    pub ended: Option<Moment>,
    /// What it was asked, without the password.
    pub request: String,
    /// What it answered.
    pub response: String,
    /// Why it gave no way.
    pub failure: Option<TunnelFailure>,
}

/// The TLS handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// The name sent as SNI.
    pub server_name: String,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// What was agreed on.
    pub info: Option<TlsInfo>,
    /// Why it failed.
    pub failure: Option<TlsFailure>,
    /// The first bytes from the server, at most 512.
    pub first_bytes: Vec<u8>,
}

/// The request as it went out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRequest {
    /// When it was whole.
    pub at: Moment,
    /// Its head, read.
    pub head: RequestHead,
    /// Its bytes.
    pub raw: Bytes,
}

/// The answer to the opening handshake.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// When its first byte came.
    pub first_at: Option<Moment>,
    /// When its last byte came, before frames.
    pub last_at: Option<Moment>,
    /// Bytes that came before frames.
    pub bytes_seen: u64,
    /// Reads in which they came.
    pub reads: u64,
    /// The bytes that came before frames, at most [`Answer::MAX_RAW_BYTES`].
    pub raw: Vec<u8>,
    /// 1xx heads before the final one.
    pub interim: Vec<(Moment, ResponseHead)>,
    /// The final head.
    pub head: Option<(Moment, Arc<ResponseHead>)>,
    /// The checks of RFC 6455 §4.1, once the final head is there.
    pub checks: Vec<Check>,
    /// The bytes after the head of a refusal, raw, at most [`Answer::MAX_RAW_BYTES`].
    pub body: Vec<u8>,
    /// When the answer turned out not to be HTTP.
    pub not_http: Option<Moment>,
    /// When the head turned out to have no end.
    pub head_too_big: Option<Moment>,
}

impl Answer {
    /// How much of an answer is kept.
    pub const MAX_RAW_BYTES: usize = 1024 * 1024;

    /// The status of the final head.
    pub fn status(&self) -> Option<u16> {
        self.head.as_ref().map(|(_, head)| head.status)
    }

    /// The beginning of [`Answer::body_text`], at most so many bytes of it: words that tell something stand early.
    pub fn body_beginning(&self, max_bytes: usize) -> String {
        self.head.as_ref().map_or_else(String::new, |(_, head)| {
            let content = decoded_content(head, &self.body);
            String::from_utf8_lossy(content.get(..max_bytes).unwrap_or(&content)).into_owned()
        })
    }

    /// The body of a refusal without its transfer and content codings, lossy UTF-8.
    pub fn body_text(&self) -> String {
        self.head.as_ref().map_or_else(String::new, |(_, head)| {
            String::from_utf8_lossy(&decoded_content(head, &self.body)).into_owned()
        })
    }
}

/// The confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// When it was met or given up.
    pub at: Moment,
    /// Whether it was met.
    pub ok: bool,
    /// The beginning of the message that met it, or of the first that did not match.
    pub preview: Option<String>,
}

/// A Close frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseSeen {
    /// When it was whole.
    pub at: Moment,
    /// What it said.
    pub info: CloseInfo,
}

/// A follow-up probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSeen {
    /// The question.
    pub probe: Probe,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
    /// The answer.
    pub outcome: Option<ProbeOutcome>,
}

/// A console of the server that is attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleAttached {
    /// Since when its lines are seen.
    pub at: Moment,
    /// What its lines are named after.
    pub source: Arc<str>,
    /// What it is.
    pub kind: ConsoleKind,
}

/// A line of the server's console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleSeen {
    /// When it arrived.
    pub at: Moment,
    /// Where it comes from.
    pub source: Arc<str>,
    /// The line, at most [`ConsoleSeen::MAX_BYTES`] of it; the log's row has all of it.
    pub text: Arc<str>,
    /// Whether the user pasted it: then nobody knows when it was printed.
    pub is_pasted: bool,
    /// What a reader found out about the line, so that it is read once; whether it is a start, and a row of a table.
    pub read: OnceLock<(bool, Option<u16>)>,
}

impl ConsoleSeen {
    /// How much of a line is kept.
    pub const MAX_BYTES: usize = 4096;
}

/// The end of the server's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerExit {
    /// When it was told.
    pub at: Moment,
    /// The console that it wrote to.
    pub source: Arc<str>,
    /// How.
    pub status: ExitStatus,
}

/// A part of a console that the user pasted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pasted {
    /// When it was pasted.
    pub at: Moment,
    /// Which console it is from.
    pub console: PastedConsole,
    /// The lines.
    pub text: Arc<str>,
}

/// Where a connection stands, in the words that the window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing was asked for.
    NotConnected,
    /// The name is being resolved.
    Resolving,
    /// TCP attempts run.
    Connecting,
    /// The TLS handshake runs.
    Tls,
    /// The request is out.
    Upgrading,
    /// Open, but not confirmed.
    WaitingForConfirmation,
    /// Open since this moment.
    Open(Moment),
    /// A Close frame travelled, or we are about to end.
    Closing,
    /// Over after it had been open; the code that a browser would show.
    Closed(u16),
    /// Over before it was open.
    Failed,
}

impl Story {
    /// How many violations are kept.
    pub const MAX_VIOLATIONS: usize = 32;
    /// How many console lines are kept.
    pub const MAX_CONSOLE_LINES: usize = 1_000;
    /// From here on a silence is long: ten seconds.
    pub const LONG_SILENCE_NANOS: u64 = 10_000_000_000;
    /// How many ends of the server's process are kept.
    pub const MAX_EXITS: usize = 16;
    /// How many notes are kept; the log has all of them.
    pub const MAX_NOTES: usize = 8;
    /// How many pasted texts are kept.
    pub const MAX_PASTES: usize = 4;

    /// Where the connection stands.
    pub fn state(&self) -> State {
        let over = self.finished.is_some() || self.we_closed_tcp.is_some() || self.not_attempted.is_some();
        if over {
            return if self.opened.is_some() { State::Closed(self.browser_code()) } else { State::Failed };
        }
        if let Some(opened) = self.opened {
            if self.is_closing() {
                return State::Closing;
            }
            return match &self.confirmation {
                Some(confirmation) if confirmation.ok => State::Open(opened),
                _ => State::WaitingForConfirmation,
            };
        }
        if self.close_begun.is_some() || self.read_end.is_some() {
            State::Closing
        } else if self.request.is_some() {
            State::Upgrading
        } else if self.tls.is_some() {
            State::Tls
        } else if !self.attempts.is_empty() {
            State::Connecting
        } else if self.resolve.is_some() || self.plan.is_some() {
            State::Resolving
        } else {
            State::NotConnected
        }
    }

    fn is_closing(&self) -> bool {
        self.close_begun.is_some()
            || self.close_received.is_some()
            || self.close_sent.is_some()
            || self.read_end.is_some()
    }

    /// The tally of a direction.
    pub fn tally(&self, direction: Direction) -> &Tally {
        match direction {
            Direction::ClientToServer => &self.sent,
            Direction::ServerToClient => &self.received,
        }
    }

    /// Payload bytes of a direction's data frames, inflated as far as that was noted.
    pub fn plain_bytes(&self, direction: Direction) -> u64 {
        let data_bytes = self.tally(direction).data_bytes;
        self.inflated[direction.index()].as_ref().map_or(data_bytes, |inflated| {
            data_bytes.saturating_sub(inflated.wire_bytes).saturating_add(inflated.inflated_bytes)
        })
    }

    /// Whether a proxy stands between us and the server, so that TCP attempts are attempts to reach the proxy.
    pub fn is_proxied(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.route.is_proxied())
    }

    /// The attempt that the session goes through.
    pub fn connected(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|a| a.outcome == AttemptOutcome::Connected && !self.was_added(a.address.ip()))
    }

    /// The attempt that connected to an address which the resolver had not given: it shows what listens, no more.
    pub fn connected_elsewhere(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|a| a.outcome == AttemptOutcome::Connected && self.was_added(a.address.ip()))
    }

    /// Whether there was a connection to the server or the proxy, by TCP or by a Unix socket.
    pub fn has_connected(&self) -> bool {
        self.connected().is_some() || matches!(self.socket, Some((_, _, None)))
    }

    fn was_added(&self, ip: IpAddr) -> bool {
        self.resolve.as_ref().is_some_and(|resolve| resolve.added.contains(&ip))
    }

    /// Whether a time limit of ours ran out.
    pub fn ran_out(&self, deadline: Deadline) -> Option<(Moment, u64)> {
        self.timed_out.iter().find(|(_, d, _)| *d == deadline).map(|(at, _, millis)| (*at, *millis))
    }

    /// The results of a kind of probe.
    pub fn probe_outcomes(&self) -> impl Iterator<Item = (&Probe, &ProbeOutcome)> {
        self.probes.iter().filter_map(|p| p.outcome.as_ref().map(|o| (&p.probe, o)))
    }
}
