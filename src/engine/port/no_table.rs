//! Where there is no `/proc/net`, only processes that the system shows are known.

use std::net::SocketAddr;

/// Listening sockets whose owner is hidden: none that could be seen here.
pub(super) fn listening(_port: u16) -> Vec<(SocketAddr, u32)> {
    Vec::new()
}
