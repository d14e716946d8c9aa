//! How a connection ended, as its story tells.

use super::Story;
use crate::observation::{Direction, Moment, ReadEnd};
use crate::wire::Violation;

impl Story {
    /// How the server's side of TCP ended, as far as it was seen.
    ///
    /// `close_notify` ends TLS and says nothing of TCP: after it, this is what the ciphertext below showed.
    pub fn tcp_end(&self) -> Option<&ReadEnd> {
        let (_, end) = self.read_end.as_ref()?;
        match end {
            ReadEnd::CloseNotify => self.transport_end.as_ref().map(|(_, end)| end),
            ReadEnd::Fin | ReadEnd::Reset | ReadEnd::Failed(_) => Some(end),
        }
    }

    /// Whether the server ended TLS with `close_notify`; `None` where there was no TLS, or where it has not ended.
    pub fn ended_with_close_notify(&self) -> Option<bool> {
        self.tls.as_ref()?.info.as_ref()?;
        self.read_end.as_ref().map(|(_, end)| matches!(end, ReadEnd::CloseNotify))
    }

    /// The code that a browser's `CloseEvent` would carry for this end.
    ///
    /// 1005 for an empty Close, 1006 where no acceptable Close came (also where the server broke the protocol). A browser
    /// reports the code of the Close that it received; if it received none, 1006, whatever was on the wire.
    pub fn browser_code(&self) -> u16 {
        if self.first_fatal_violation().is_some_and(|(_, v)| !v.kind.is_accepted_by_chrome()) {
            return 1006;
        }
        match &self.close_received {
            Some(close) => close.info.code.unwrap_or(1005),
            None => 1006,
        }
    }

    /// Whether the closing handshake was completed (RFC 6455 §7.1.4).
    pub fn is_clean(&self) -> bool {
        self.close_received.is_some()
            && self.close_sent.is_some()
            && self.write_failed.is_none()
            && self.first_fatal_violation().is_none_or(|(_, v)| v.kind.is_accepted_by_chrome())
    }

    /// The first rule the server broke for which an endpoint fails the connection.
    pub fn first_fatal_violation(&self) -> Option<&(Moment, Violation)> {
        self.violations.iter().find(|(_, v)| v.direction == Direction::ServerToClient && v.kind.is_fatal())
    }
}
