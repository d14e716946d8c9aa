//! Who listens on a port of this machine, as the system tells it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A listening socket and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listener {
    /// The address that it is bound to.
    pub address: SocketAddr,
    /// The process; `None` where the system hides it, as for other users' processes.
    pub process: Option<Process>,
    /// Connections that wait to be accepted, where the system tells (Linux).
    pub waiting: Option<u32>,
}

/// A process that listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its short name.
    pub name: String,
    /// Its command line, arguments that may be secret replaced, at most 200 characters; empty where it is hidden.
    pub command: String,
    /// When it was started, Unix seconds; `None` where it is hidden.
    pub started_unix: Option<i64>,
}

impl Listener {
    /// Whether a connection to `address` would reach this socket.
    pub fn takes(&self, address: SocketAddr) -> bool {
        let ip = self.address.ip();
        self.address.port() == address.port()
            && (ip == address.ip() || ip.is_unspecified() && (ip.is_ipv6() || address.is_ipv4()))
    }
}
