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
        let mut words = format!(
            "{} B not acknowledged, {} retransmits, {} B unread here",
            self.unacknowledged_bytes, self.retransmits, self.unread_bytes
        );
        if let Some(bytes) = self.peer_unread_bytes {
            words.push_str(&format!(", {bytes} B wait for the server to read them"));
        }
        if self.is_window_closed {
            words.push_str(", the server's window is closed");
        }
        words
    }
}
