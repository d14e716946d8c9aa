//! Follow-up questions to the target, and their answers.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{IoFailure, Listener, ReadEnd};

/// A follow-up question to the target, asked after the connection is dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "probe", rename_all = "snake_case")]
pub enum Probe {
    /// Does this address accept TCP?
    Tcp {
        /// Where.
        address: SocketAddr,
    },
    /// Does this address, which refused a moment ago, accept TCP again soon? On this machine: who listens then?
    ComesBack {
        /// Where.
        address: SocketAddr,
    },
    /// Who listens on this port of this machine?
    Listeners {
        /// The port.
        port: u16,
    },
    /// What does a plain `GET` get?
    PlainGet {
        /// Where.
        address: SocketAddr,
        /// The `Host` header.
        host: String,
        /// The path, without the token.
        path: String,
        /// Whether it is asked inside TLS.
        #[serde(default)]
        tls: bool,
    },
    /// Does this address answer a TLS `ClientHello`?
    TlsHello {
        /// Where.
        address: SocketAddr,
        /// The name for SNI; empty for none.
        server_name: String,
    },
    /// What does the same opening handshake get, with one thing changed?
    Handshake {
        /// Where; the unspecified address stands for whatever the backend's name resolves to.
        address: SocketAddr,
        /// What is changed.
        change: Change,
        /// Whether the token goes along.
        with_token: bool,
    },
}

/// The one thing that differs from the opening handshake that was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// The token alone is left out.
    None,
    /// Another `Origin`, or none.
    Origin {
        /// The origin; `None` leaves the field out.
        origin: Option<String>,
    },
    /// No extension is offered.
    NoExtensions,
    /// No subprotocol is offered.
    NoSubprotocol,
    /// Another path.
    Path {
        /// The path, without a query.
        path: String,
    },
    /// The server behind the proxy, as the user named it.
    Backend {
        /// Its authority, as the `Host` field names it.
        host: String,
        /// Whether it speaks TLS.
        tls: bool,
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
        /// The beginning of the answer, lossy UTF-8, at most 1024 bytes.
        preview: String,
        /// Whether it was a TLS record.
        tls: bool,
    },
    /// TCP was accepted, but no answer came in time.
    Silent,
    /// TCP was accepted, then ended without an answer.
    Ended(ReadEnd),
    /// These listen.
    Listening {
        /// Every listening socket of the port.
        listeners: Vec<Listener>,
    },
    /// What the opening handshake led to.
    Handshaken(Box<Handshaken>),
}

/// What an opening handshake of a probe led to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handshaken {
    /// The status of the final response, if one came.
    pub status: Option<u16>,
    /// The beginning of the answer, lossy UTF-8, at most 1024 bytes.
    pub preview: String,
    /// Whether a 101 came that passed every check.
    pub opened: bool,
    /// The id of the first rule that the server broke, in its 101 or in a frame.
    pub broken: Option<String>,
    /// The server's Close frame: its code, or 1005 for none.
    pub close: Option<u16>,
    /// Whether a data message began to come.
    pub message: bool,
    /// How TCP ended, if it did while we looked on.
    pub end: Option<ReadEnd>,
    /// How long we looked on after the answer, in milliseconds.
    pub watched_millis: u64,
}
