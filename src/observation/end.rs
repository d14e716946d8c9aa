//! How a connection ends: whose wish, which limit, and what reading said.

use serde::{Deserialize, Serialize};

use super::IoFailure;

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
    /// The client that we stand between wished it: it sent the first Close, or ended its side of TCP.
    Client,
}

/// Our time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deadline {
    /// Resolving the name.
    Resolve,
    /// TCP.
    Connect,
    /// The proxy's answer.
    Tunnel,
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
    /// The pong to a ping of the keep-alive timer.
    Pong,
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
    /// One message, inflated.
    Inflated {
        /// Its payload bytes on the wire until then.
        wire_bytes: u64,
    },
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
    /// TLS ended with `close_notify`; how TCP ended is a fact of its own, `TransportEnded`.
    CloseNotify,
}
