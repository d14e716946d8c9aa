//! The one input alphabet: everything the core ever learns is an [`Observation`].
//!
//! Live traffic, a probe's result, an opened journal and a test are the same thing: a list of observations. Answers that
//! matter to one window alone are not here; they are events of the engine. Start at [`Fact`].

mod console;
mod end;
mod failure;
mod inflated;
mod keep_alive;
mod listener;
mod past;
mod plan;
mod probe;
mod tunnel;

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::diagnosis::Verdict;
use crate::token::TokenReport;
use crate::wire::{ProxyKind, UrlProblem, Violation};

pub use console::{ConsoleKind, ExitStatus, PastedConsole};
pub use end::{CloseOrigin, Deadline, Limit, ReadEnd};
pub use failure::{
    CertInfo, ClientCertificateUse, IoFailure, IoKind, ResolveFailure, ResolveKind, TlsAlert, TlsFailure,
    TlsFailureKind, TlsInfo,
};
pub use inflated::Inflated;
pub use keep_alive::TcpQueues;
pub use listener::{Listener, Process};
pub use past::{LabMeasure, LabRun, PastEnd};
pub use plan::{Between, Expect, Family, KeepAlivePlan, Plan, Preset, TimeOuts, TokenPlace};
pub use probe::{Change, Handshaken, Probe, ProbeOutcome};
pub use tunnel::{Route, TunnelFailure, TunnelFailureKind};

/// Names one connection of this process; the face that asks for the connection makes it up, below
/// [`ConnId::INTERCEPTED`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnId(pub u32);

impl ConnId {
    /// From here on the engine names connections that clients of others begin.
    pub const INTERCEPTED: u32 = 1 << 31;
}

/// The direction in which bytes travel, wherever one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client to the server.
    ClientToServer,
    /// From the server to the client.
    ServerToClient,
}

impl Direction {
    /// The index of this direction in a pair: 0 to the server, 1 to the client.
    pub fn index(self) -> usize {
        match self {
            Self::ClientToServer => 0,
            Self::ServerToClient => 1,
        }
    }

    /// The word for it, seen from the client: `sent` or `received`.
    pub fn word(self) -> &'static str {
        match self {
            Self::ClientToServer => "sent",
            Self::ServerToClient => "received",
        }
    }
}

/// A moment of a session: nanoseconds since the session began, by a clock that never jumps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment so many nanoseconds after the session began.
    pub fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The moment so many milliseconds after the session began.
    pub fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Milliseconds since the session began.
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Milliseconds from `earlier` to here; 0 if `earlier` is later.
    pub fn millis_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / 1e6
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3} ms", self.as_millis())
    }
}

/// At this moment, on this connection, this fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The connection it belongs to.
    pub conn: ConnId,
    /// When it was seen.
    pub at: Moment,
    /// What was seen.
    pub fact: Fact,
}

/// One fact about a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// What the user asked for; always the first fact of a connection.
    Planned(Box<Plan>),
    /// The token was read and checked when the connection was planned; holds no secret.
    TokenExamined {
        /// What was found.
        report: Box<TokenReport>,
        /// By which wall clock it was judged, Unix seconds.
        now_unix: i64,
    },
    /// Nothing left the machine: the URL or the options cannot work.
    NotAttempted {
        /// What is wrong with the URL or the options.
        problem: UrlProblem,
    },
    /// Name resolution began.
    ResolveStarted {
        /// The name asked for.
        host: String,
    },
    /// Name resolution ended well.
    Resolved {
        /// What getaddrinfo gave, in its order.
        addresses: Vec<IpAddr>,
        /// What we tried beside it (the other loopback address for `localhost`).
        added: Vec<IpAddr>,
    },
    /// Name resolution failed.
    ResolveFailed(ResolveFailure),
    /// A TCP connection attempt began.
    TcpStarted {
        /// To where.
        address: SocketAddr,
    },
    /// A TCP connection attempt succeeded.
    TcpConnected {
        /// To where.
        address: SocketAddr,
        /// Our end.
        local: Option<SocketAddr>,
    },
    /// A TCP connection attempt failed.
    TcpFailed {
        /// To where.
        address: SocketAddr,
        /// How.
        failure: IoFailure,
    },
    /// A TCP connection attempt was given up because another address answered first.
    TcpAbandoned {
        /// To where.
        address: SocketAddr,
    },
    /// The Unix socket was connected to.
    SocketConnected {
        /// Its path.
        path: String,
    },
    /// The Unix socket could not be connected to.
    SocketFailed {
        /// Its path.
        path: String,
        /// How.
        failure: IoFailure,
    },
    /// The proxy was asked for a way to the server.
    TunnelStarted {
        /// What the proxy speaks.
        kind: ProxyKind,
        /// What it was asked, without the password.
        request: String,
    },
    /// The proxy gave a way to the server.
    TunnelOpened {
        /// What it answered.
        response: String,
    },
    /// The proxy gave none.
    TunnelFailed(Box<TunnelFailure>),
    /// The TLS handshake began.
    TlsStarted {
        /// The name checked against the certificate, and sent as SNI unless it is an address.
        server_name: String,
    },
    /// The TLS handshake succeeded.
    TlsEstablished(Box<TlsInfo>),
    /// The TLS handshake failed.
    TlsFailed(Box<TlsFailure>),
    /// Bytes of the TLS record layer; only the first kilobytes of each direction are kept.
    CipherBytes {
        /// Which way they went.
        direction: Direction,
        /// The bytes.
        #[serde(with = "base64_bytes")]
        data: Bytes,
    },
    /// Plaintext bytes as they were read or accepted by the operating system: HTTP first, then frames.
    Bytes {
        /// Which way they went.
        direction: Direction,
        /// The bytes of one read or write.
        #[serde(with = "base64_bytes")]
        data: Bytes,
    },
    /// How far a direction was inflated, or compressed.
    Inflated(Box<Inflated>),
    /// A rule was broken that only shows when a compressed message is inflated.
    Violated(Violation),
    /// The opening handshake succeeded by our checks; frames may be sent.
    Opened,
    /// The confirmation rule was met.
    Confirmed {
        /// The beginning of the message that met it, if one was asked for.
        preview: Option<String>,
    },
    /// The confirmation rule was not met in time.
    ConfirmationFailed {
        /// The beginning of the first message that came but did not match.
        mismatch: Option<String>,
    },
    /// We began the closing handshake, or will not wait any longer.
    CloseBegun {
        /// Whose wish it was.
        by: CloseOrigin,
    },
    /// A time limit of ours ran out.
    TimedOut {
        /// Which one.
        deadline: Deadline,
        /// Its length.
        millis: u64,
    },
    /// A size limit of ours was passed, and we failed the connection.
    LimitPassed {
        /// Which one.
        limit: Limit,
        /// The limit in bytes.
        limit_bytes: u64,
        /// What the peer announced or sent, in bytes.
        actual_bytes: u64,
    },
    /// The WebSocket library reported an error; kept to be compared with what the witness saw.
    EndpointError {
        /// Its own words.
        text: String,
    },
    /// A ping of ours was answered.
    RoundTrip {
        /// The time from ping to pong, in microseconds.
        micros: u64,
    },
    /// A ping of the server was not answered, because the user wants it so.
    PongWithheld,
    /// What the system's TCP holds of this connection.
    TcpQueues {
        /// The queues; `None` where this system does not tell.
        queues: Option<TcpQueues>,
    },
    /// The connection is to be made again.
    ReconnectPlanned {
        /// The how-manieth connection in a row the next one is after the first.
        number: u32,
        /// How long is waited before.
        millis: u64,
    },
    /// We stopped reading because the recorder was behind.
    ReadPaused,
    /// We read again.
    ReadResumed,
    /// Reading ended; only the first end is kept.
    ReadEnded(ReadEnd),
    /// Writing failed.
    WriteFailed(IoFailure),
    /// How TCP below TLS ended, once `close_notify` had ended reading.
    TransportEnded(ReadEnd),
    /// A RST came after the FIN.
    ResetAfterFin,
    /// We closed our side of TCP.
    WeClosedTcp,
    /// The client that we stand between ended its side of TCP.
    ClientEnded(ReadEnd),
    /// The client that we stand between was told why its connection failed, by a Close frame that the server did not send.
    ClientTold {
        /// The close code.
        code: u16,
        /// The close reason.
        reason: String,
    },
    /// A follow-up probe is about to run.
    ProbeStarted(Probe),
    /// A follow-up probe ended.
    ProbeEnded {
        /// Which one.
        probe: Probe,
        /// What it found.
        outcome: ProbeOutcome,
    },
    /// Who listened on the target's port of this machine while we connected.
    ListenersSeen {
        /// The port.
        port: u16,
        /// Every listening socket of it.
        listeners: Vec<Listener>,
    },
    /// How earlier connections to the same target ended, the newest last.
    EarlierEnds {
        /// At most eight of them.
        ends: Vec<PastEnd>,
    },
    /// What the idle lab measured with this connection and its twin.
    LabMeasured(Box<LabMeasure>),
    /// A console of the server was attached: its lines are seen from here on, and that none comes is a fact as well.
    ConsoleAttached {
        /// What its lines are named after, e.g. the file's name.
        source: String,
        /// What it is.
        kind: ConsoleKind,
    },
    /// The server's process, which we had started, ended.
    ServerExited {
        /// The console that it wrote to.
        source: String,
        /// How.
        status: ExitStatus,
    },
    /// The user pasted a part of a console; nobody knows when its lines were printed.
    Pasted {
        /// Which console it is from.
        console: PastedConsole,
        /// The lines, at most [`Fact::PASTED_BYTES`].
        text: String,
    },
    /// A line of the server's console arrived.
    ConsoleLine {
        /// Where it comes from, e.g. the file's name.
        source: String,
        /// The line, with escape sequences as they came.
        text: String,
    },
    /// A note by the user, or of ours on what could not be observed.
    Note {
        /// What was noted.
        text: String,
    },
    /// The verdict as it was given at this moment.
    Concluded(Box<Verdict>),
    /// Nothing more will be observed on this connection.
    Finished,
}

impl Fact {
    /// How much of a pasted console is kept.
    pub const PASTED_BYTES: usize = 256 * 1024;

    /// A pasted text as a fact: cut where it is too long, and saying so.
    pub fn pasted(console: PastedConsole, text: &str) -> Self {
        let mut end = text.len().min(Self::PASTED_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let kept = text.get(..end).unwrap_or_default();
        let text = match text.len() - end {
            0 => kept.to_owned(),
            more => format!("{kept}\n… [{more} more bytes were left out]"),
        };
        Self::Pasted { console, text }
    }

    /// Whether this fact is a row of the log by itself (bytes become rows through the decoder).
    pub fn is_row(&self) -> bool {
        !matches!(self, Self::Bytes { .. } | Self::CipherBytes { .. } | Self::Inflated(_) | Self::Finished)
    }

    /// Which way it went, if it went anywhere: what the server did came from there, what we did went there.
    pub fn direction(&self) -> Option<Direction> {
        if let Self::CipherBytes { direction, .. } | Self::Bytes { direction, .. } = self {
            return Some(*direction);
        }
        if matches!(self, Self::ReadEnded(_) | Self::TransportEnded(_) | Self::ResetAfterFin) {
            return Some(Direction::ServerToClient);
        }
        if matches!(self, Self::ClientTold { .. }) {
            return Some(Direction::ServerToClient);
        }
        matches!(self, Self::WeClosedTcp | Self::WriteFailed(_) | Self::ClientEnded(_))
            .then_some(Direction::ClientToServer)
    }
}

mod base64_bytes {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use bytes::Bytes;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map(Bytes::from).map_err(D::Error::custom)
    }
}
