//! Errors of the operating system as facts.

use std::io;

use crate::observation::{IoFailure, IoKind, ReadEnd};

/// Keeps what rules and people need of an I/O error.
pub(crate) fn io_failure(error: &io::Error) -> IoFailure {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => IoKind::Refused,
        io::ErrorKind::ConnectionReset => IoKind::Reset,
        io::ErrorKind::ConnectionAborted => IoKind::Aborted,
        io::ErrorKind::BrokenPipe => IoKind::BrokenPipe,
        io::ErrorKind::TimedOut => IoKind::TimedOut,
        io::ErrorKind::HostUnreachable => IoKind::HostUnreachable,
        io::ErrorKind::NetworkUnreachable => IoKind::NetworkUnreachable,
        io::ErrorKind::AddrNotAvailable => IoKind::AddressNotAvailable,
        io::ErrorKind::PermissionDenied => IoKind::PermissionDenied,
        io::ErrorKind::UnexpectedEof => IoKind::UnexpectedEof,
        _ => IoKind::Other,
    };
    IoFailure { kind, code: error.raw_os_error(), text: words(error) }
}

/// A time-out of ours as a failure of the same kind.
pub(crate) fn timed_out(millis: u64) -> IoFailure {
    IoFailure { kind: IoKind::TimedOut, code: None, text: format!("no answer within {millis} ms") }
}

/// How reading ended, from the result of a read.
pub(crate) fn read_end(error: &io::Error) -> ReadEnd {
    match error.kind() {
        io::ErrorKind::ConnectionReset => ReadEnd::Reset,
        _ => ReadEnd::Failed(io_failure(error)),
    }
}

/// The system's words without the number, lower case, as people know them.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().collect::<String>() + chars.as_str())
}
