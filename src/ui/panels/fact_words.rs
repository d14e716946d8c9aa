//! Facts in words: a kind, a sentence and the fields behind it.
//!
//! Nothing here is drawn, and nothing here is safe to draw: texts of the peer come out as they are and go through
//! [`visible`](super::super::visible) on their way to the screen.

use super::dates;
use super::net_words::{self, keep_alive_words};
use super::probe_words::{lab_words, listeners_words, outcome_words, probe_words};
use super::row_text::Role;
use super::short_token::short_tokens;
use crate::diagnosis::Certainty;
use crate::diagnosis::console::without_escapes;
use crate::observation::{
    CloseOrigin, Deadline, Direction, Fact, Inflated, IoFailure, IoKind, Limit, ProbeOutcome, ReadEnd, ResolveKind,
    TlsAlert, TlsFailureKind,
};
use crate::token::{Signature, TokenReport, Validity};
use crate::ui::units;
use std::net::IpAddr;

/// A fact as a row says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactWords {
    /// The word in the column for kinds.
    pub kind: &'static str,
    /// Which way it went, where that makes sense.
    pub direction: Option<Direction>,
    /// One sentence or phrase.
    pub text: String,
    /// How it looks.
    pub role: Role,
}

/// Puts a fact into a phrase.
pub fn fact_words(fact: &Fact) -> FactWords {
    let (kind, role, text) = match fact {
        Fact::Planned(plan) => match plan.between {
            Some(between) => ("page", Role::Event, format!("{} asks for {}", between.client, short_tokens(&plan.url))),
            None => ("plan", Role::Event, short_tokens(&plan.url)),
        },
        Fact::TokenExamined { report, .. } => ("token", token_role(report), token_words(report)),
        Fact::NotAttempted { problem } => ("not sent", Role::Bad, problem.message.clone()),
        Fact::ResolveStarted { host } => ("resolve", Role::Event, format!("asks for {host}")),
        Fact::Resolved { addresses, added } => ("resolve", Role::Ok, resolved(addresses, added)),
        Fact::ResolveFailed(failure) => {
            ("resolve", Role::Bad, format!("{}: {}", resolve_words(failure.kind), failure.text))
        }
        Fact::TcpStarted { address } => ("tcp", Role::Event, format!("connects to {address}")),
        Fact::TcpConnected { address, local } => (
            "tcp",
            Role::Ok,
            match local {
                Some(local) => format!("connected to {address} from {local}"),
                None => format!("connected to {address}"),
            },
        ),
        Fact::TcpFailed { address, failure } => ("tcp", Role::Bad, format!("{address}: {}", io_words(failure))),
        Fact::TcpAbandoned { address } => ("tcp", Role::Muted, format!("{address}: given up, another one was faster")),
        Fact::TlsStarted { server_name } => ("tls", Role::Event, format!("begins for {server_name}")),
        Fact::TlsEstablished(info) => ("tls", if info.defects.is_empty() { Role::Ok } else { Role::Warn }, {
            let defects =
                if info.defects.is_empty() { String::new() } else { format!(", {}", info.defects.join(", ")) };
            format!("{} {}{defects}", info.version, info.cipher)
        }),
        Fact::TlsFailed(failure) => ("tls", Role::Bad, format!("{}: {}", tls_words(failure.kind), failure.text)),
        Fact::CipherBytes { data, .. } => ("bytes", Role::Muted, format!("{} B of TLS records", data.len())),
        Fact::Bytes { data, .. } => ("bytes", Role::Muted, format!("{} B", data.len())),
        Fact::Inflated(inflated) => ("inflated", Role::Muted, inflated_words(inflated)),
        Fact::Violated(violation) => ("violation", Role::Bad, violation.kind.rule()),
        Fact::Opened => ("open", Role::Ok, "the opening handshake passed every check that matters".to_owned()),
        Fact::Confirmed { preview } => ("confirmed", Role::Ok, preview.clone().unwrap_or_default()),
        Fact::ConfirmationFailed { mismatch } => (
            "confirmed",
            Role::Bad,
            match mismatch {
                Some(text) => format!("not confirmed, the first message was {text}"),
                None => "not confirmed: no message came in time".to_owned(),
            },
        ),
        Fact::CloseBegun { by } => ("closing", Role::Control, close_words(*by).to_owned()),
        Fact::TimedOut { deadline, millis } => {
            ("time-out", Role::Warn, format!("{}: nothing for {millis} ms", deadline_words(*deadline)))
        }
        Fact::LimitPassed { limit, limit_bytes, actual_bytes } => {
            ("limit", Role::Warn, format!("{} of {actual_bytes} B, we take {limit_bytes} B", limit_words(*limit)))
        }
        Fact::EndpointError { text } => ("library", Role::Warn, text.clone()),
        Fact::ReadPaused => {
            ("paused", Role::Warn, "we stopped reading: the recorder, or the page, is behind".to_owned())
        }
        Fact::ReadResumed => ("resumed", Role::Event, "we read again".to_owned()),
        Fact::ReadEnded(end) | Fact::TransportEnded(end) => {
            (read_end_kind(end), read_end_role(end), read_end_words(end))
        }
        Fact::WriteFailed(failure) => ("write", Role::Bad, io_words(failure)),
        Fact::ResetAfterFin => ("RST", Role::Warn, "a RST came after the FIN".to_owned()),
        Fact::WeClosedTcp => ("tcp", Role::Event, "we closed our side of TCP".to_owned()),
        Fact::ClientEnded(end) => (read_end_kind(end), Role::Control, client_end_words(end)),
        Fact::ClientTold { code, reason } => ("told", Role::Event, format!("the client was told {code}: {reason}")),
        Fact::ProbeStarted(probe) => ("probe", Role::Event, probe_words(probe)),
        Fact::ProbeEnded { probe, outcome } => {
            ("probe", Role::Event, format!("{}: {}", probe_words(probe), outcome_words(outcome)))
        }
        Fact::ListenersSeen { port, listeners } => {
            ("listens", Role::Event, format!("on port {port}: {}", listeners_words(listeners)))
        }
        Fact::EarlierEnds { ends } => {
            ("earlier", Role::Muted, format!("{} of this target ended of themselves before", ends.len()))
        }
        Fact::LabMeasured(measure) => ("idle lab", Role::Event, lab_words(measure)),
        Fact::ConsoleLine { text, .. } => ("console", Role::Event, without_escapes(text)),
        Fact::ConsoleAttached { source, .. } => ("console", Role::Muted, format!("{source} is attached")),
        Fact::ServerExited { source, status } => {
            ("exited", Role::Bad, format!("{source}: the server's process ended with {status}"))
        }
        Fact::Pasted { console, text } => {
            ("pasted", Role::Event, format!("{} lines of the {}'s console", text.lines().count(), console.word()))
        }
        Fact::Note { text } => ("note", Role::Event, text.clone()),
        Fact::Concluded(verdict) => ("verdict", Role::Text, verdict.summary.clone()),
        Fact::Finished => ("finished", Role::Muted, "nothing more will come".to_owned()),
        Fact::SocketConnected { path } => ("socket", Role::Ok, format!("connected to {path}")),
        Fact::SocketFailed { path, failure } => ("socket", Role::Bad, format!("{path}: {}", io_words(failure))),
        Fact::TunnelStarted { kind, request } => net_words::asks(*kind, request),
        Fact::TunnelOpened { response } => net_words::opened(response),
        Fact::TunnelFailed(failure) => ("proxy", Role::Bad, failure.text.clone()),
        Fact::RoundTrip { micros } => net_words::round_trip(*micros),
        Fact::PongWithheld => ("no pong", Role::Warn, "the ping is left unanswered, as you asked".to_owned()),
        Fact::TcpQueues { queues } => net_words::queues(*queues),
        Fact::ReconnectPlanned { number, millis } => net_words::reconnect(*number, *millis),
    };
    FactWords { kind, direction: fact.direction(), text, role }
}

fn inflated_words(inflated: &Inflated) -> String {
    let sizes = format!("{} B on the wire are {} B", inflated.wire_bytes, inflated.inflated_bytes);
    format!("{} compressed messages {}: {sizes}", inflated.messages, inflated.direction.word())
}

/// An error of the operating system: `connection refused (os error 111)`.
pub fn io_words(failure: &IoFailure) -> String {
    let word = match failure.kind {
        IoKind::Refused => "connection refused",
        IoKind::Reset => "reset by the peer",
        IoKind::Aborted => "aborted",
        IoKind::BrokenPipe => "the other side is gone (broken pipe)",
        IoKind::TimedOut => "timed out",
        IoKind::HostUnreachable => "host unreachable",
        IoKind::NetworkUnreachable => "network unreachable",
        IoKind::AddressNotAvailable => "address not available",
        IoKind::PermissionDenied => "not permitted",
        IoKind::UnexpectedEof => "TLS ended without close_notify",
        IoKind::Other => return failure.text.clone(),
    };
    failure.code.map_or_else(|| word.to_owned(), |code| format!("{word} (os error {code})"))
}

/// Why TLS failed, in a few words.
pub fn tls_words(kind: TlsFailureKind) -> String {
    match kind {
        TlsFailureKind::NotTls => "the answer is not TLS",
        TlsFailureKind::Expired => "a certificate has expired",
        TlsFailureKind::NotYetValid => "a certificate is not valid yet",
        TlsFailureKind::UnknownIssuer => "the certificate's issuer is not known",
        TlsFailureKind::SelfSigned => "the certificate signed itself",
        TlsFailureKind::NameMismatch => "the certificate is for another name",
        TlsFailureKind::BadCertificate => "the certificate is broken",
        TlsFailureKind::AlertReceived(code) => {
            let alert = TlsAlert { direction: Direction::ServerToClient, code };
            return format!("the server sent alert {} ({code})", alert.name());
        }
        TlsFailureKind::Version => "no common TLS version",
        TlsFailureKind::Fin => "TCP ended with FIN",
        TlsFailureKind::Reset => "TCP ended with RST",
        TlsFailureKind::TimedOut => "no answer in time",
        TlsFailureKind::Other => "failed",
    }
    .to_owned()
}

/// How reading ended, as a phrase.
pub fn read_end_words(end: &ReadEnd) -> String {
    match end {
        ReadEnd::Fin => "the server ended TCP (FIN)".to_owned(),
        ReadEnd::Reset => "TCP was reset (RST): the process died, or somebody on the way cut it".to_owned(),
        ReadEnd::Failed(failure) => io_words(failure),
        ReadEnd::CloseNotify => "the server ended TLS with close_notify".to_owned(),
    }
}

/// How the client that we stand between ended its side, as a phrase.
fn client_end_words(end: &ReadEnd) -> String {
    match end {
        ReadEnd::Fin | ReadEnd::CloseNotify => "the client ended TCP (FIN)".to_owned(),
        ReadEnd::Reset => "the client reset TCP (RST)".to_owned(),
        ReadEnd::Failed(failure) => format!("the client is gone: {}", io_words(failure)),
    }
}

fn read_end_kind(end: &ReadEnd) -> &'static str {
    match end {
        ReadEnd::Fin => "FIN",
        ReadEnd::Reset => "RST",
        ReadEnd::Failed(_) => "lost",
        ReadEnd::CloseNotify => "TLS end",
    }
}

fn read_end_role(end: &ReadEnd) -> Role {
    match end {
        ReadEnd::Fin | ReadEnd::CloseNotify => Role::Control,
        ReadEnd::Reset | ReadEnd::Failed(_) => Role::Bad,
    }
}

/// Whose wish a close was.
pub fn close_words(by: CloseOrigin) -> &'static str {
    match by {
        CloseOrigin::User => "you asked for the closing handshake",
        CloseOrigin::Abort => "you dropped the connection",
        CloseOrigin::WatchEnded => "the watch ended, we close",
        CloseOrigin::Violation => "we fail the connection: the server broke the protocol",
        CloseOrigin::Limit => "we fail the connection: a limit of ours",
        CloseOrigin::Unconfirmed => "we close: the confirmation did not come",
        CloseOrigin::Shutdown => "we close: Sockeye ends",
        CloseOrigin::Client => "the client ends the connection",
    }
}

/// Which of our time limits.
pub fn deadline_words(deadline: Deadline) -> &'static str {
    match deadline {
        Deadline::Resolve => "resolving the name",
        Deadline::Connect => "TCP connect",
        Deadline::Tunnel => "answer of the proxy",
        Deadline::Tls => "TLS handshake",
        Deadline::Upgrade => "response to the opening handshake",
        Deadline::Body => "body of the refusal",
        Deadline::Confirm => "confirmation",
        Deadline::Close => "Close frame of the server",
        Deadline::TcpEnd => "end of TCP",
        Deadline::Write => "write",
        Deadline::Pong => "pong to our ping",
    }
}

fn limit_words(limit: Limit) -> &'static str {
    match limit {
        Limit::ResponseHead => "response head",
        Limit::ResponseBody => "response body",
        Limit::Frame => "frame",
        Limit::Message => "message",
        Limit::Inflated { .. } => "inflated message",
    }
}

fn resolve_words(kind: ResolveKind) -> &'static str {
    match kind {
        ResolveKind::NoSuchName => "no such name",
        ResolveKind::TryAgain => "the resolver did not answer",
        ResolveKind::Other => "failed",
    }
}

fn resolved(addresses: &[IpAddr], added: &[IpAddr]) -> String {
    let join = |list: &[IpAddr]| list.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if added.is_empty() { join(addresses) } else { format!("{}, and tried beside it {}", join(addresses), join(added)) }
}

fn token_words(report: &TokenReport) -> String {
    if !report.present {
        return "no token".to_owned();
    }
    let signature = match report.signature {
        Signature::Valid => "signature valid",
        Signature::Invalid => "signature invalid",
        Signature::Unchecked => "signature not checked",
    };
    let alg = report.alg.as_deref().unwrap_or("no alg");
    let problem = report.problems.first().map(|problem| format!(", {}", problem.message)).unwrap_or_default();
    format!("{alg}, {signature}, {}{problem}", validity_words(report.validity))
}

fn token_role(report: &TokenReport) -> Role {
    let is_bad =
        report.signature == Signature::Invalid || matches!(report.validity, Validity::Expired | Validity::NotYetValid);
    match (is_bad, report.problems.is_empty()) {
        (true, _) => Role::Bad,
        (false, false) => Role::Warn,
        (false, true) => Role::Event,
    }
}

/// What the dates of a token say, in a word or two.
pub fn validity_words(validity: Validity) -> &'static str {
    match validity {
        Validity::Valid => "dates valid",
        Validity::Expired => "expired",
        Validity::NotYetValid => "not yet valid",
        Validity::NoExpiry => "never expires",
        Validity::Unknown => "dates unreadable",
    }
}

/// How sure something is, as a word.
pub fn certainty_word(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Undetermined => "not known",
        Certainty::Possible => "possible",
        Certainty::Likely => "likely",
        Certainty::Certain => "certain",
    }
}

/// The fields of a fact, for its detail.
pub fn fact_fields(fact: &Fact) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
    match fact {
        Fact::Planned(plan) => {
            add("URL", short_tokens(&plan.url));
            match plan.between {
                Some(between) => {
                    add("Client", between.client.to_string());
                    add("Came to", between.listens.to_string());
                    add("Host", if between.renames { "the server's name" } else { "as the client sent it" }.to_owned());
                }
                None => add("Request", plan.preset.words().to_owned()),
            }
            add("Origin", plan.origin.clone().unwrap_or_else(|| "none".to_owned()));
            add(
                "Subprotocols",
                if plan.subprotocols.is_empty() { "none".to_owned() } else { plan.subprotocols.join(", ") },
            );
            add("Extensions", plan.extensions.clone().unwrap_or_else(|| "none".to_owned()));
            add("Began", dates::local(plan.began_unix_millis as f64 / 1000.0).unwrap_or_default());
            let times = plan.time_outs;
            let millis = |millis| units::span(std::time::Duration::from_millis(millis));
            add(
                "Time-outs",
                format!(
                    "connect {}, upgrade {}, confirmation {}, close {}",
                    millis(times.connect_millis),
                    millis(times.upgrade_millis),
                    millis(times.confirm_millis),
                    millis(times.close_millis)
                ),
            );
            add("Largest message", units::size(plan.limit_bytes));
            add("Certificates", if plan.insecure { "taken as they are" } else { "checked" }.to_owned());
            add("Probes", if plan.probes { "may run" } else { "off" }.to_owned());
            add("Way", plan.route.words());
            add("Keep-alive", keep_alive_words(&plan.keep_alive));
        }
        Fact::TokenExamined { report, now_unix } => {
            add("Token", token_words(report));
            add("Length", format!("{} B", report.length_bytes));
            add("Judged at", dates::local(*now_unix as f64).unwrap_or_default());
            for note in &report.notes {
                add("Note", note.clone());
            }
        }
        Fact::NotAttempted { problem } => {
            add("Problem", problem.message.clone());
            add("At byte", problem.at.to_string());
            if let Some(suggestion) = &problem.suggestion {
                add("Meant", short_tokens(suggestion));
            }
        }
        Fact::TlsEstablished(info) => {
            add("Version", info.version.clone());
            add("Cipher suite", info.cipher.clone());
            add("Key exchange", info.group.clone().unwrap_or_else(|| "not known".to_owned()));
            add("ALPN", info.alpn.clone().unwrap_or_else(|| "none".to_owned()));
            add("Certificates", info.chain.iter().map(|c| c.subject.clone()).collect::<Vec<_>>().join("\n"));
            for defect in &info.defects {
                add("Defect", defect.clone());
            }
        }
        Fact::TlsFailed(failure) => {
            add("Failure", tls_words(failure.kind));
            add("Library says", failure.text.clone());
            for defect in &failure.defects {
                add("Defect", tls_words(*defect));
            }
            if let Some(alert) = failure.alert {
                add("Alert", alert.words());
            }
        }
        Fact::ProbeEnded { probe, outcome } => {
            add("Question", probe_words(probe));
            add("Answer", outcome_words(outcome));
            if let ProbeOutcome::Answered { preview, .. } = outcome {
                add("Begins with", preview.clone());
            }
        }
        Fact::ConsoleLine { source, text } => {
            add("Source", source.clone());
            add("Line", text.clone());
        }
        Fact::Pasted { console, text } => {
            add("From", format!("the {}'s console", console.word()));
            add("Text", text.clone());
        }
        Fact::Concluded(verdict) => {
            add("Ending", verdict.ending.id().to_owned());
            add("Cause", verdict.cause.clone());
            add("Certainty", certainty_word(verdict.certainty).to_owned());
            add("Summary", verdict.summary.clone());
            add("A browser shows", verdict.browser_shows.clone());
        }
        Fact::ResolveStarted { .. }
        | Fact::Resolved { .. }
        | Fact::ResolveFailed(_)
        | Fact::TcpStarted { .. }
        | Fact::TcpConnected { .. }
        | Fact::TcpFailed { .. }
        | Fact::TcpAbandoned { .. }
        | Fact::TlsStarted { .. }
        | Fact::CipherBytes { .. }
        | Fact::Bytes { .. }
        | Fact::Inflated(_)
        | Fact::Violated(_)
        | Fact::Opened
        | Fact::Confirmed { .. }
        | Fact::ConfirmationFailed { .. }
        | Fact::CloseBegun { .. }
        | Fact::TimedOut { .. }
        | Fact::LimitPassed { .. }
        | Fact::EndpointError { .. }
        | Fact::ReadPaused
        | Fact::ReadResumed
        | Fact::ReadEnded(_)
        | Fact::TransportEnded(_)
        | Fact::WriteFailed(_)
        | Fact::ResetAfterFin
        | Fact::WeClosedTcp
        | Fact::ClientEnded(_)
        | Fact::ClientTold { .. }
        | Fact::ProbeStarted(_)
        | Fact::ListenersSeen { .. }
        | Fact::EarlierEnds { .. }
        | Fact::LabMeasured(_)
        | Fact::ConsoleAttached { .. }
        | Fact::ServerExited { .. }
        | Fact::Note { .. }
        | Fact::SocketConnected { .. }
        | Fact::SocketFailed { .. }
        | Fact::RoundTrip { .. }
        | Fact::PongWithheld
        | Fact::ReconnectPlanned { .. }
        | Fact::Finished => add("What", fact_words(fact).text),
        Fact::TunnelStarted { request, .. } => add("Asked", request.trim_end().to_owned()),
        Fact::TunnelOpened { response } => add("Answered", response.trim_end().to_owned()),
        Fact::TunnelFailed(failure) => {
            for (name, value) in net_words::refusal_fields(failure) {
                add(name, value);
            }
        }
        Fact::TcpQueues { queues } => {
            for (name, value) in net_words::queues_fields(*queues) {
                add(name, value);
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_said_in_words_with_their_number() {
        let failure = IoFailure { kind: IoKind::Refused, code: Some(111), text: "x".to_owned() };
        assert_eq!(io_words(&failure), "connection refused (os error 111)");
        let words = fact_words(&Fact::TcpFailed { address: "127.0.0.1:1".parse().unwrap(), failure });
        assert_eq!((words.kind, words.role), ("tcp", Role::Bad));
        assert!(words.text.starts_with("127.0.0.1:1: connection refused"));
    }
}
