//! Facts in a few words, shared by every format.

use crate::diagnosis::{Certainty, Remedy};
use crate::observation::{
    Change, Direction, Handshaken, IoFailure, IoKind, Listener, Probe, ProbeOutcome, ReadEnd, TlsAlert, TlsFailure,
    TlsFailureKind,
};
use crate::store::Story;
use crate::token::{Signature, TokenReport, Validity};

/// An error of the system in the words that people know it by.
pub(super) fn failure(failure: &IoFailure) -> String {
    match failure.kind {
        IoKind::Refused => "connection refused",
        IoKind::Reset => "connection reset",
        IoKind::Aborted => "connection aborted",
        IoKind::BrokenPipe => "broken pipe",
        IoKind::TimedOut => "timed out",
        IoKind::HostUnreachable => "host unreachable",
        IoKind::NetworkUnreachable => "network unreachable",
        IoKind::AddressNotAvailable => "address not available",
        IoKind::PermissionDenied => "permission denied",
        IoKind::UnexpectedEof => "ended without close_notify",
        IoKind::Other => failure.text.as_str(),
    }
    .to_owned()
}

/// Why TLS failed; the library's words where there are no better ones.
pub(super) fn tls_failure(failure: &TlsFailure) -> String {
    match failure.kind {
        TlsFailureKind::BadCertificate | TlsFailureKind::Other => failure.text.clone(),
        kind => tls_kind(kind),
    }
}

/// A kind of TLS failure in words.
pub(super) fn tls_kind(kind: TlsFailureKind) -> String {
    match kind {
        TlsFailureKind::NotTls => "the answer is not TLS".to_owned(),
        TlsFailureKind::Expired => "the certificate has expired".to_owned(),
        TlsFailureKind::NotYetValid => "the certificate is not valid yet".to_owned(),
        TlsFailureKind::UnknownIssuer => "the issuer of the certificate is not known".to_owned(),
        TlsFailureKind::SelfSigned => "the certificate is signed by itself".to_owned(),
        TlsFailureKind::NameMismatch => "the certificate does not name this host".to_owned(),
        TlsFailureKind::Version => "no common version of TLS".to_owned(),
        TlsFailureKind::Fin => "FIN from the server during the TLS handshake".to_owned(),
        TlsFailureKind::Reset => "RST during the TLS handshake".to_owned(),
        TlsFailureKind::TimedOut => "no answer in time".to_owned(),
        TlsFailureKind::AlertReceived(code) => {
            let alert = TlsAlert { direction: Direction::ServerToClient, code };
            format!("the server sent TLS alert {} ({code})", alert.name())
        }
        TlsFailureKind::BadCertificate => "the certificate is broken".to_owned(),
        TlsFailureKind::Other => "TLS failed".to_owned(),
    }
}

/// How reading ended.
pub(super) fn read_end(end: &ReadEnd) -> String {
    match end {
        ReadEnd::Fin => "FIN from the server".to_owned(),
        ReadEnd::Reset => "RST".to_owned(),
        ReadEnd::CloseNotify => "close_notify from the server".to_owned(),
        ReadEnd::Failed(how) => failure(how),
    }
}

/// A probe's question.
pub(super) fn probe(probe: &Probe) -> String {
    match probe {
        Probe::Tcp { address } => format!("TCP to {address}"),
        Probe::ComesBack { address } => format!("TCP to {address} again, for a while"),
        Probe::Listeners { port } => format!("the system's list of who listens on port {port}"),
        Probe::PlainGet { address, path, tls, .. } => {
            format!("plain GET {path} to {address}{}", if *tls { ", inside TLS" } else { "" })
        }
        Probe::TlsHello { address, server_name } if server_name.is_empty() => {
            format!("TLS ClientHello without a name to {address}")
        }
        Probe::TlsHello { address, .. } => format!("TLS ClientHello to {address}"),
        Probe::Handshake { address, change, with_token } => {
            let address = match change {
                Change::Backend { host, .. } => host.clone(),
                Change::None
                | Change::Origin { .. }
                | Change::NoExtensions
                | Change::NoSubprotocol
                | Change::Path { .. } => address.to_string(),
            };
            let what = match change {
                Change::None => String::new(),
                Change::Origin { origin: Some(origin) } => format!(" with Origin {origin}"),
                Change::Origin { origin: None } => " without Origin".to_owned(),
                Change::NoExtensions => " without extensions".to_owned(),
                Change::NoSubprotocol => " without subprotocols".to_owned(),
                Change::Path { path } => format!(" at {path}"),
                Change::Backend { .. } => ", the server behind the proxy,".to_owned(),
            };
            let token = if *with_token { "with the token" } else { "without the token" };
            format!("opening handshake to {address}{what} {token}")
        }
    }
}

/// Who listens, in a few words.
pub(super) fn listeners(listeners: &[Listener]) -> String {
    let words = |listener: &Listener| match &listener.process {
        Some(process) => format!("{} (pid {}) on {}", process.name, process.pid, listener.address),
        None => format!("a hidden process on {}", listener.address),
    };
    if listeners.is_empty() { "nobody".to_owned() } else { listeners.iter().map(words).collect::<Vec<_>>().join(", ") }
}

fn handshaken(found: &Handshaken) -> String {
    let words = match (found.opened, found.status) {
        (true, _) => "opened".to_owned(),
        (false, Some(status)) => format!("answered with HTTP status {status}"),
        (false, None) => format!("answered: {}", found.preview),
    };
    let then = match (found.close, &found.broken, &found.end) {
        (Some(code), _, _) => format!(", closed by the server with {code}"),
        (None, Some(broken), _) => format!(", {broken}"),
        (None, None, Some(end)) if found.opened => format!(", then {}", read_end(end)),
        (None, None, _) if found.message => ", and a message came".to_owned(),
        (None, None, _) => String::new(),
    };
    format!("{words}{then}")
}

/// A probe's answer.
pub(super) fn outcome(outcome: Option<&ProbeOutcome>) -> String {
    match outcome {
        None => "no result".to_owned(),
        Some(ProbeOutcome::Accepted) => "accepted".to_owned(),
        Some(ProbeOutcome::Failed(how)) => failure(how),
        Some(ProbeOutcome::Silent) => "accepted, but no answer".to_owned(),
        Some(ProbeOutcome::Ended(end)) => format!("accepted, then {} without an answer", read_end(end)),
        Some(ProbeOutcome::Answered { tls: true, .. }) => "answered with TLS".to_owned(),
        Some(ProbeOutcome::Answered { status: Some(status), .. }) => format!("answered with HTTP status {status}"),
        Some(ProbeOutcome::Answered { status: None, preview, .. }) => format!("answered: {preview}"),
        Some(ProbeOutcome::Listening { listeners: all }) => listeners(all),
        Some(ProbeOutcome::Handshaken(found)) => handshaken(found),
    }
}

/// A certainty as JSON has it.
pub(super) fn certainty(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Undetermined => "undetermined",
        Certainty::Possible => "possible",
        Certainty::Likely => "likely",
        Certainty::Certain => "certain",
    }
}

/// A fix in one text: what to do, and below it what to copy.
pub(super) fn remedy(remedy: &Remedy) -> String {
    match &remedy.command {
        Some(command) => format!("{}\n{command}", remedy.text),
        None => remedy.text.clone(),
    }
}

/// A signature check as JSON has it.
pub(super) fn signature(report: &TokenReport) -> &'static str {
    match report.signature {
        Signature::Valid => "valid",
        Signature::Invalid => "invalid",
        Signature::Unchecked => "unchecked",
    }
}

/// What the dates say, as JSON has it; `None` where there is nothing to judge.
pub(super) fn validity(report: &TokenReport) -> Option<&'static str> {
    if !report.present {
        return None;
    }
    Some(match report.validity {
        Validity::Valid => "valid",
        Validity::Expired => "expired",
        Validity::NotYetValid => "not_yet_valid",
        Validity::NoExpiry => "no_expiry",
        Validity::Unknown => "unknown",
    })
}

/// How TCP ended, as JSON has it.
pub(super) fn tcp_end(story: &Story) -> &'static str {
    if !story.has_connected() {
        return "none";
    }
    match tls_failure_kind(story) {
        Some(TlsFailureKind::Fin) => return "fin",
        Some(TlsFailureKind::Reset) => return "rst",
        _ => {}
    }
    let we_were_first = match (&story.we_closed_tcp, &story.read_end) {
        (Some(ours), Some((theirs, _))) => ours < theirs || story.tcp_end().is_none(),
        (Some(_), None) => true,
        (None, _) => false,
    };
    if we_were_first {
        return "local";
    }
    match story.tcp_end() {
        Some(ReadEnd::Fin) => "fin",
        Some(ReadEnd::Reset) => "rst",
        Some(ReadEnd::Failed(failure)) => match failure.kind {
            IoKind::TimedOut | IoKind::HostUnreachable | IoKind::NetworkUnreachable => "timeout",
            IoKind::Reset | IoKind::Aborted | IoKind::BrokenPipe => "rst",
            IoKind::UnexpectedEof => "fin",
            IoKind::Refused | IoKind::AddressNotAvailable | IoKind::PermissionDenied | IoKind::Other => "local",
        },
        Some(ReadEnd::CloseNotify) | None => "none",
    }
}

/// Why TLS failed, if it did.
fn tls_failure_kind(story: &Story) -> Option<TlsFailureKind> {
    story.tls.as_ref()?.failure.as_ref().map(|failure| failure.kind)
}

/// Who ended the connection, as JSON has it.
pub(super) fn ended_by(story: &Story) -> &'static str {
    if story.not_attempted.is_some() {
        return "client";
    }
    let connected = story.connected();
    if !story.has_connected() {
        let is_refused = story
            .attempts
            .iter()
            .any(|a| matches!(&a.outcome, crate::store::AttemptOutcome::Failed(f) if f.kind == IoKind::Refused));
        return if story.close_begun.is_some() {
            "client"
        } else if is_refused {
            "server"
        } else {
            "network"
        };
    }
    match tls_failure_kind(story) {
        Some(TlsFailureKind::AlertReceived(_) | TlsFailureKind::Fin | TlsFailureKind::Reset) => return "server",
        Some(_) => return "client",
        None => {}
    }
    let server = [
        story.close_received.as_ref().map(|close| close.at),
        story.read_end.as_ref().map(|(at, _)| *at),
        story.answer.head.as_ref().filter(|(_, head)| head.status != 101).map(|(at, _)| *at),
    ];
    let client =
        [story.close_begun.map(|(at, _)| at), story.close_sent.as_ref().map(|close| close.at), story.we_closed_tcp];
    let first = |moments: &[Option<crate::observation::Moment>]| moments.iter().flatten().min().copied();
    match (first(&server), first(&client)) {
        (Some(server), Some(client)) if client < server => "client",
        (None, Some(_)) => "client",
        (Some(_), _) => match &story.read_end {
            Some((at, _)) if Some(*at) == first(&server) => match tcp_end(story) {
                "timeout" => "network",
                "rst" if connected.is_some_and(|connected| !connected.address.ip().is_loopback()) => "unknown",
                _ => "server",
            },
            _ => "server",
        },
        (None, None) => "unknown",
    }
}

/// A moment of the wall clock for people, in UTC.
pub(super) fn wall_clock(unix_millis: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_millis)
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S%.3f UTC").to_string())
        .unwrap_or_default()
}

/// How often something happened.
pub(super) fn times(times: u64) -> String {
    match times {
        1 => "once".to_owned(),
        more => format!("{more} times"),
    }
}
