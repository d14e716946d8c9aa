//! The quick filter: by direction, kind and text, over the rows that can be had, a bounded piece a pass.

use crate::observation::{Direction, Fact};
use crate::store::{Page, Row, RowBody, View};
use crate::ui::panels::row_text::row_text;
use crate::wire::Opcode;
use regex::bytes::{Regex, RegexBuilder};

/// What the user wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) direction: Option<Direction>,
    pub(super) kind: Option<Kind>,
    pub(super) text: String,
}

/// A family of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Binary,
    Control,
    Handshake,
    Console,
    Problems,
}

impl Kind {
    pub(super) const ALL: [Self; 6] =
        [Self::Text, Self::Binary, Self::Control, Self::Handshake, Self::Console, Self::Problems];

    /// Its name in the menu.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Binary => "Binary",
            Self::Control => "Control frames",
            Self::Handshake => "Handshake",
            Self::Console => "Console, notes",
            Self::Problems => "Problems",
        }
    }

    /// The families of a row; a close frame that breaks a rule is in one, its violation in another.
    pub(super) fn takes(self, row: &Row) -> bool {
        match &row.body {
            RowBody::Frame(frame) => match frame.message {
                Opcode::Text => self == Self::Text,
                Opcode::Binary | Opcode::Continuation => self == Self::Binary,
                Opcode::Close | Opcode::Ping | Opcode::Pong | Opcode::Reserved(_) => self == Self::Control,
            },
            RowBody::Violation(_) | RowBody::Cut(_) | RowBody::Opaque { .. } => self == Self::Problems,
            RowBody::Request { .. } | RowBody::Response { .. } | RowBody::Body { .. } => self == Self::Handshake,
            RowBody::Fact(fact) => match self {
                Self::Handshake => is_handshake(fact),
                Self::Console => matches!(
                    **fact,
                    Fact::ConsoleLine { .. }
                        | Fact::ConsoleAttached { .. }
                        | Fact::ServerExited { .. }
                        | Fact::Pasted { .. }
                        | Fact::Note { .. }
                ),
                Self::Control => matches!(
                    **fact,
                    Fact::ReadEnded(_) | Fact::ResetAfterFin | Fact::WeClosedTcp | Fact::CloseBegun { .. }
                ),
                Self::Problems => matches!(
                    **fact,
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
                ),
                Self::Text | Self::Binary => false,
            },
        }
    }
}

impl Filter {
    /// Whether it lets everything through.
    pub(super) fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

/// How far one log was looked through, and what was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    filter: Filter,
    needle: Option<Regex>,
    /// The next row to look at.
    next: u64,
    /// The rows that were let through, in order.
    pub(super) matches: Vec<u64>,
}

impl Scan {
    /// Begins anew if the filter is another one, then looks at the next piece before `end`.
    ///
    /// Returns whether there is more to look at. A piece is bounded in rows and in bytes, so that it takes one or two
    /// milliseconds whatever the payloads are.
    pub(super) fn advance(&mut self, filter: &Filter, view: &View, end: u64) -> bool {
        if self.filter != *filter {
            *self = Self { filter: filter.clone(), needle: needle(&filter.text), ..Self::default() };
        }
        let mut room = BYTES_A_PASS;
        while self.next < end && room > 0 {
            let until = end.min(self.next + ROWS_A_PAGE);
            let Page::Ready(rows) = view.page(self.next..until) else {
                return true;
            };
            if rows.is_empty() {
                break;
            }
            for (row, number) in rows.iter().zip(self.next..) {
                if self.takes(row) {
                    self.matches.push(number);
                }
                room = room.saturating_sub(ROW_COST + weight(row));
            }
            self.next += rows.len() as u64;
        }
        self.next < end
    }

    /// How many rows were looked at.
    pub(super) fn looked_at(&self) -> u64 {
        self.next
    }

    /// Where a row stands among the matches, or where the next one does.
    pub(super) fn position(&self, row: u64) -> Result<usize, usize> {
        self.matches.binary_search(&row)
    }

    fn takes(&self, row: &Row) -> bool {
        if self.filter.kind.is_some_and(|kind| !kind.takes(row)) {
            return false;
        }
        if let Some(direction) = self.filter.direction
            && direction_of(row) != Some(direction)
        {
            return false;
        }
        let Some(needle) = &self.needle else {
            return true;
        };
        let bytes: &[u8] = match &row.body {
            RowBody::Frame(frame) => &frame.preview,
            RowBody::Request { raw }
            | RowBody::Response { raw, .. }
            | RowBody::Opaque { raw, .. }
            | RowBody::Body { raw } => raw,
            RowBody::Fact(_) | RowBody::Violation(_) | RowBody::Cut(_) => &[],
        };
        if !bytes.is_empty() && needle.is_match(bytes.get(..bytes.len().min(SEARCHED_BYTES)).unwrap_or_default()) {
            return true;
        }
        let is_plain_data = matches!(&row.body, RowBody::Frame(frame) if !frame.header.opcode().is_control());
        if is_plain_data {
            return false;
        }
        let text = row_text(row, None);
        needle.is_match(text.preview.as_bytes()) || needle.is_match(text.kind.as_bytes())
    }
}

fn is_handshake(fact: &Fact) -> bool {
    matches!(
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
    )
}

fn direction_of(row: &Row) -> Option<Direction> {
    match &row.body {
        RowBody::Frame(frame) => Some(frame.direction),
        RowBody::Request { .. } => Some(Direction::ClientToServer),
        RowBody::Response { .. } | RowBody::Body { .. } | RowBody::Cut(_) => Some(Direction::ServerToClient),
        RowBody::Opaque { direction, .. } => Some(*direction),
        RowBody::Violation(violation) => Some(violation.direction),
        RowBody::Fact(_) => row_text(row, None).direction,
    }
}

fn weight(row: &Row) -> usize {
    match &row.body {
        RowBody::Frame(frame) => frame.preview.len(),
        RowBody::Request { raw }
        | RowBody::Response { raw, .. }
        | RowBody::Opaque { raw, .. }
        | RowBody::Body { raw } => raw.len().min(SEARCHED_BYTES),
        RowBody::Fact(_) | RowBody::Violation(_) | RowBody::Cut(_) => 256,
    }
}

fn needle(text: &str) -> Option<Regex> {
    if text.is_empty() {
        return None;
    }
    // A text too long for an expression finds nothing rather than everything.
    let escaped = regex::escape(text);
    RegexBuilder::new(&escaped).case_insensitive(true).build().or_else(|_| Regex::new(r"[^\s\S]")).ok()
}

/// Rows that are asked for at a time; the cost of a row beside its bytes; the cost of a pass.
const ROWS_A_PAGE: u64 = 256;
const ROW_COST: usize = 128;
const BYTES_A_PASS: usize = 512 * 1024;
/// How far into each row the text is looked for.
pub(super) const SEARCHED_BYTES: usize = 4096;
