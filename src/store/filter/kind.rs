//! Kinds of rows: what `kind:` names.

use crate::observation::Fact;
use crate::store::row::{Row, RowBody};
use crate::wire::Opcode;

/// A family of rows; a row may be of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Frames of text messages.
    Text,
    /// Frames of binary messages, and continuation frames of nothing.
    Binary,
    /// Frames that go on with a message.
    Continuation,
    /// Text and binary.
    Data,
    /// Pings.
    Ping,
    /// Pongs.
    Pong,
    /// Close frames.
    Close,
    /// Control frames, and how TCP ended.
    Control,
    /// Name, TCP, TLS, request and response.
    Handshake,
    /// Console lines and notes.
    Console,
    /// Broken rules, failures, time limits.
    Problem,
    /// Everything that is no frame.
    Event,
}

impl Kind {
    /// Every kind, in the order of the menu.
    pub const ALL: [Self; 12] = [
        Self::Text,
        Self::Binary,
        Self::Continuation,
        Self::Data,
        Self::Ping,
        Self::Pong,
        Self::Close,
        Self::Control,
        Self::Handshake,
        Self::Console,
        Self::Problem,
        Self::Event,
    ];

    /// Its name in a query.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Continuation => "continuation",
            Self::Data => "data",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Close => "close",
            Self::Control => "control",
            Self::Handshake => "handshake",
            Self::Console => "console",
            Self::Problem => "problem",
            Self::Event => "event",
        }
    }

    /// The kind of this name, also in the plural.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| word.strip_suffix('s').unwrap_or(&word) == kind.word() || word == kind.word())
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds(u16);

impl From<Kind> for Kinds {
    fn from(kind: Kind) -> Self {
        Self(1 << kind as u16)
    }
}

impl Kinds {
    /// This set with another kind.
    #[must_use]
    pub fn with(self, kind: Kind) -> Self {
        Self(self.0 | Self::from(kind).0)
    }

    /// Whether the two have a kind in common.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it has this kind.
    pub fn has(self, kind: Kind) -> bool {
        self.meets(kind.into())
    }

    /// The kinds of a frame, which belongs to a message of an opcode.
    pub fn of_frame(opcode: Opcode, message: Opcode) -> Self {
        let kinds = match message {
            Opcode::Text => Self::from(Kind::Text).with(Kind::Data),
            Opcode::Binary | Opcode::Continuation => Self::from(Kind::Binary).with(Kind::Data),
            Opcode::Ping => Self::from(Kind::Ping).with(Kind::Control),
            Opcode::Pong => Self::from(Kind::Pong).with(Kind::Control),
            Opcode::Close => Self::from(Kind::Close).with(Kind::Control),
            Opcode::Reserved(_) => Self::from(Kind::Control),
        };
        if opcode == Opcode::Continuation { kinds.with(Kind::Continuation) } else { kinds }
    }

    /// The kinds of a row; a close frame that breaks a rule is of one, its violation of another.
    pub fn of_row(row: &Row) -> Self {
        match &row.body {
            RowBody::Frame(frame) => Self::of_frame(frame.header.opcode(), frame.message),
            RowBody::Violation(_) | RowBody::Cut(_) | RowBody::Opaque { .. } => {
                Self::from(Kind::Problem).with(Kind::Event)
            }
            RowBody::Request { .. } | RowBody::Response { .. } | RowBody::Body { .. } => {
                Self::from(Kind::Handshake).with(Kind::Event)
            }
            RowBody::Fact(fact) => of_fact(fact).with(Kind::Event),
        }
    }
}

fn of_fact(fact: &Fact) -> Kinds {
    let is_handshake = matches!(
        fact,
        Fact::Planned(_)
            | Fact::TokenExamined { .. }
            | Fact::NotAttempted { .. }
            | Fact::ResolveStarted { .. }
            | Fact::Resolved { .. }
            | Fact::ResolveFailed(_)
            | Fact::TcpStarted { .. }
            | Fact::TcpConnected { .. }
            | Fact::TcpFailed { .. }
            | Fact::TcpAbandoned { .. }
            | Fact::SocketConnected { .. }
            | Fact::SocketFailed { .. }
            | Fact::TunnelStarted { .. }
            | Fact::TunnelOpened { .. }
            | Fact::TunnelFailed(_)
            | Fact::TlsStarted { .. }
            | Fact::TlsEstablished(_)
            | Fact::TlsFailed(_)
            | Fact::Opened
            | Fact::Confirmed { .. }
            | Fact::ConfirmationFailed { .. }
    );
    let is_problem = matches!(
        fact,
        Fact::NotAttempted { .. }
            | Fact::ResolveFailed(_)
            | Fact::TcpFailed { .. }
            | Fact::SocketFailed { .. }
            | Fact::TunnelFailed(_)
            | Fact::TlsFailed(_)
            | Fact::ConfirmationFailed { .. }
            | Fact::TimedOut { .. }
            | Fact::LimitPassed { .. }
            | Fact::EndpointError { .. }
            | Fact::WriteFailed(_)
            | Fact::ResetAfterFin
    );
    let is_control = matches!(
        fact,
        Fact::ReadEnded(_)
            | Fact::TransportEnded(_)
            | Fact::ResetAfterFin
            | Fact::WeClosedTcp
            | Fact::ClientEnded(_)
            | Fact::ClientTold { .. }
            | Fact::CloseBegun { .. }
    );
    let is_console = matches!(
        fact,
        Fact::ConsoleLine { .. }
            | Fact::ConsoleAttached { .. }
            | Fact::ServerExited { .. }
            | Fact::Pasted { .. }
            | Fact::Note { .. }
    );
    let kinds = [
        (is_handshake, Kind::Handshake),
        (is_problem, Kind::Problem),
        (is_control, Kind::Control),
        (is_console, Kind::Console),
    ];
    kinds.into_iter().filter(|(is_one, _)| *is_one).fold(Kinds::default(), |all, (_, kind)| all.with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_word(kind.word()), Some(kind));
            assert_eq!(Kind::from_word(&format!("{}s", kind.word().to_uppercase())), Some(kind));
        }
        assert_eq!(Kind::from_word("frob"), None);
    }
}
