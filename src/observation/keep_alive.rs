//! What tells a quiet connection from a dead one.

use serde::{Deserialize, Serialize};

/// What the system's TCP holds of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpQueues {
    /// Bytes that we wrote and the other end's system has not acknowledged.
    pub unacknowledged_bytes: u64,
    /// Bytes that came and we have not read.
    pub unread_bytes: u64,
    /// How often in a row the oldest of the unacknowledged bytes was sent again in vain.
    pub retransmits: u32,
    /// Whether the other end's system said that it has no room left (a zero window is being probed).
    pub is_window_closed: bool,
    /// Bytes that wait at the other end for its program, if the other end is on this machine.
    pub peer_unread_bytes: Option<u64>,
}

impl TcpQueues {
    /// The queues in words.
    pub fn words(self) -> String {
        let there = self
            .peer_unread_bytes
            .map_or_else(String::new, |bytes| format!(", {bytes} B wait for the server to read them"));
        let window = if self.is_window_closed { ", the server's window is closed" } else { "" };
        format!(
            "{} B not acknowledged, {} retransmits, {} B unread here{there}{window}",
            self.unacknowledged_bytes, self.retransmits, self.unread_bytes
        )
    }
}
