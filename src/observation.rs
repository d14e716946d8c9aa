//! The one input alphabet: everything the core ever learns is an [`Observation`].
//!
//! Live traffic, a probe's result, an opened journal and a test are the same thing: a list of observations. Answers that
//! matter to one window alone are not here; they are events of the engine. Start at [`Fact`].

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::diagnosis::Verdict;
use crate::token::TokenReport;
use crate::wire::{Target, UrlProblem};

/// Names one connection of this process; the face that asks for the connection makes it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConnId(pub u32);

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
    /// The TLS handshake began.
    TlsStarted {
        /// The name sent as SNI and checked against the certificate.
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
    /// We stopped reading because the recorder was behind.
    ReadPaused,
    /// We read again.
    ReadResumed,
    /// Reading ended; only the first end is kept.
    ReadEnded(ReadEnd),
    /// Writing failed.
    WriteFailed(IoFailure),
    /// A RST came after the FIN.
    ResetAfterFin,
    /// We closed our side of TCP.
    WeClosedTcp,
    /// A follow-up probe is about to run.
    ProbeStarted(Probe),
    /// A follow-up probe ended.
    ProbeEnded {
        /// Which one.
        probe: Probe,
        /// What it found.
        outcome: ProbeOutcome,
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
    /// Whether this fact is a row of the log by itself (bytes become rows through the decoder).
    pub fn is_row(&self) -> bool {
        !matches!(self, Self::Bytes { .. } | Self::CipherBytes { .. } | Self::Finished)
    }
}

/// What the user asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The URL exactly as typed, with the token where it was put.
    pub url: String,
    /// The URL taken apart; `None` if it cannot be.
    pub target: Option<Target>,
    /// Wall clock at the session's beginning, Unix milliseconds.
    pub began_unix_millis: i64,
    /// Where the token was put, if there is one.
    pub token_place: Option<TokenPlace>,
    /// Whether any credential is sent (token, `Authorization`, cookie).
    pub credentials: bool,
    /// The `Origin` header, if one is sent.
    pub origin: Option<String>,
    /// The subprotocols offered, in order.
    pub subprotocols: Vec<String>,
    /// When the connection counts as confirmed.
    pub expect: Expect,
    /// Time-outs in milliseconds.
    pub time_outs: TimeOuts,
    /// The largest message and frame taken, in bytes.
    pub limit_bytes: u64,
    /// Whether certificates are accepted although invalid.
    pub insecure: bool,
    /// Which address families are tried.
    pub family: Family,
    /// Whether follow-up probes may run by themselves.
    pub probes: bool,
}

/// Where the token goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum TokenPlace {
    /// A query parameter.
    Query {
        /// Its name.
        name: String,
    },
    /// `Authorization: Bearer …`.
    Bearer,
    /// A header of its own.
    Header {
        /// Its name.
        name: String,
    },
    /// A cookie.
    Cookie {
        /// Its name.
        name: String,
    },
    /// A value of `Sec-WebSocket-Protocol`.
    Subprotocol,
    /// The first message, with `{{token}}` replaced.
    FirstMessage {
        /// The message's text.
        template: String,
    },
}

/// When a connection counts as confirmed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "snake_case")]
pub enum Expect {
    /// The first data message, whatever it says.
    #[default]
    First,
    /// The 101 is enough.
    None,
    /// A text message that contains this.
    Contains {
        /// What it must contain.
        text: String,
    },
    /// A JSON message whose value at the pointer equals this.
    JsonPointer {
        /// An RFC 6901 pointer.
        pointer: String,
        /// The value: JSON, or else a plain string.
        value: String,
    },
    /// A text message that matches this regular expression.
    Regex {
        /// The expression.
        pattern: String,
    },
}

/// Time limits of a connection, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOuts {
    /// For resolving and TCP, each attempt.
    pub connect_millis: u64,
    /// For the whole response to the opening handshake.
    pub upgrade_millis: u64,
    /// For the confirmation, from the 101 on.
    pub confirm_millis: u64,
    /// For the peer's Close after ours.
    pub close_millis: u64,
    /// For the end of TCP after both Close frames, a violation or a refusal.
    pub grace_millis: u64,
}

impl Default for TimeOuts {
    fn default() -> Self {
        Self {
            connect_millis: 10_000,
            upgrade_millis: 10_000,
            confirm_millis: 5_000,
            close_millis: 4_000,
            grace_millis: 2_500,
        }
    }
}

/// Which address families are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Both.
    #[default]
    Auto,
    /// IPv4 alone.
    Ipv4,
    /// IPv6 alone.
    Ipv6,
}

/// An error of the operating system, kept so that rules need not read its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IoFailure {
    /// What kind.
    pub kind: IoKind,
    /// The number the system gave, if any.
    pub code: Option<i32>,
    /// The system's words.
    pub text: String,
}

/// The kinds of I/O failure that rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IoKind {
    /// `ECONNREFUSED`.
    Refused,
    /// `ECONNRESET`.
    Reset,
    /// `ECONNABORTED`.
    Aborted,
    /// `EPIPE`.
    BrokenPipe,
    /// `ETIMEDOUT`, or a time limit of ours.
    TimedOut,
    /// `EHOSTUNREACH`.
    HostUnreachable,
    /// `ENETUNREACH`.
    NetworkUnreachable,
    /// `EADDRNOTAVAIL`.
    AddressNotAvailable,
    /// `EACCES`, `EPERM`.
    PermissionDenied,
    /// TLS ended without `close_notify`.
    UnexpectedEof,
    /// Anything else.
    Other,
}

/// Why a name was not resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResolveFailure {
    /// What kind.
    pub kind: ResolveKind,
    /// The `EAI_…` number, if any.
    pub code: Option<i32>,
    /// The system's words.
    pub text: String,
}

/// The kinds of resolver failure that rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolveKind {
    /// The name does not exist (`EAI_NONAME`, `EAI_NODATA`).
    NoSuchName,
    /// The resolver could not be asked (`EAI_AGAIN`), or our time-out.
    TryAgain,
    /// Anything else.
    Other,
}

/// What TLS agreed on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsInfo {
    /// The protocol version, e.g. `TLSv1.3`.
    pub version: String,
    /// The cipher suite.
    pub cipher: String,
    /// The application protocol, if one was chosen.
    pub alpn: Option<String>,
    /// The certificates that the server sent, leaf first.
    pub chain: Vec<CertInfo>,
    /// What was wrong with the certificate although we went on.
    pub defects: Vec<String>,
}

/// A certificate in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertInfo {
    /// Its subject.
    pub subject: String,
    /// Its issuer.
    pub issuer: String,
    /// The names and addresses it is valid for.
    pub names: Vec<String>,
    /// Unix seconds from which it is valid.
    pub not_before: i64,
    /// Unix seconds until which it is valid.
    pub not_after: i64,
    /// Whether it names an address where its issuer's certificate can be fetched.
    pub has_ca_issuers: bool,
}

/// Why TLS failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFailure {
    /// What kind.
    pub kind: TlsFailureKind,
    /// The library's words.
    pub text: String,
    /// The certificates seen, leaf first.
    pub chain: Vec<CertInfo>,
    /// Every defect of the certificate that was found.
    pub defects: Vec<TlsFailureKind>,
    /// Whether the server asked for a client certificate.
    pub client_cert_requested: bool,
}

/// The kinds of TLS failure that rules tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "alert")]
pub enum TlsFailureKind {
    /// The first bytes from the server are no TLS record.
    NotTls,
    /// A certificate has expired.
    Expired,
    /// A certificate is not valid yet.
    NotYetValid,
    /// The issuer is not known.
    UnknownIssuer,
    /// The leaf signed itself.
    SelfSigned,
    /// The certificate does not name this host.
    NameMismatch,
    /// Another fault of the certificate.
    BadCertificate,
    /// The server sent this alert (RFC 8446 §6).
    AlertReceived(u8),
    /// No common protocol version.
    Version,
    /// TCP ended with FIN.
    Fin,
    /// TCP ended with RST.
    Reset,
    /// Our time-out ran out.
    TimedOut,
    /// Anything else.
    Other,
}

/// Whose wish a close was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseOrigin {
    /// The user asked for the closing handshake.
    User,
    /// The user dropped the connection without one.
    Abort,
    /// The watch of `check` ended.
    WatchEnded,
    /// We fail the connection because the server broke a rule.
    Violation,
    /// A limit of ours.
    Limit,
    /// The confirmation did not come.
    Unconfirmed,
    /// The program ends.
    Shutdown,
}

/// Our time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deadline {
    /// Resolving the name.
    Resolve,
    /// TCP.
    Connect,
    /// TLS.
    Tls,
    /// The response to the opening handshake.
    Upgrade,
    /// The body of a refusal.
    Body,
    /// The confirmation.
    Confirm,
    /// The peer's Close after ours.
    Close,
    /// The end of TCP after both Close frames, a violation or a refusal.
    TcpEnd,
    /// A write that does not get through.
    Write,
}

/// Our size limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The head of the response.
    ResponseHead,
    /// The body of a refusal: cut, not failed.
    ResponseBody,
    /// One frame's payload.
    Frame,
    /// One message.
    Message,
}

/// How reading ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum ReadEnd {
    /// The peer sent FIN.
    Fin,
    /// The peer (or somebody between) sent RST.
    Reset,
    /// The system gave up or failed otherwise.
    Failed(IoFailure),
    /// TLS ended with `close_notify`.
    CloseNotify,
}

/// A follow-up question to the target, asked after the connection is dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "snake_case")]
pub enum Probe {
    /// Does this address accept TCP?
    Tcp {
        /// Where.
        address: SocketAddr,
    },
    /// What does a plain `GET` get?
    PlainGet {
        /// Where.
        address: SocketAddr,
        /// The `Host` header.
        host: String,
        /// The path, without the token.
        path: String,
    },
    /// Does this address answer a TLS `ClientHello`?
    TlsHello {
        /// Where.
        address: SocketAddr,
        /// The name for SNI.
        server_name: String,
    },
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum ProbeOutcome {
    /// TCP was accepted.
    Accepted,
    /// TCP failed.
    Failed(IoFailure),
    /// Something answered.
    Answered {
        /// The HTTP status, if it was HTTP.
        status: Option<u16>,
        /// The beginning of the answer, lossy UTF-8, at most 256 bytes.
        preview: String,
        /// Whether it was a TLS record.
        tls: bool,
    },
    /// TCP was accepted, but no answer came in time.
    Silent,
    /// TCP was accepted, then ended without an answer.
    Ended(ReadEnd),
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
