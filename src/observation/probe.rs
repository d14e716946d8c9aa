//! Follow-up questions to the target, and their answers.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{IoFailure, ReadEnd};

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
