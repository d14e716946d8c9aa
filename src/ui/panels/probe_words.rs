//! Follow-up questions and their answers, who listens, and the idle lab, in words.

use super::fact_words::{io_words, read_end_words};
use crate::diagnosis::{LabFinding, lab_finding};
use crate::observation::{Change, Handshaken, LabMeasure, Listener, Probe, ProbeOutcome};
use crate::ui::units;

/// The question of a probe.
pub fn probe_words(probe: &Probe) -> String {
    match probe {
        Probe::Tcp { address } => format!("does {address} accept TCP?"),
        Probe::ComesBack { address } => format!("does {address} come back soon?"),
        Probe::Listeners { port } => format!("who listens on port {port}?"),
        Probe::PlainGet { address, path, .. } => format!("what does GET {path} get at {address}?"),
        Probe::TlsHello { address, server_name } if server_name.is_empty() => {
            format!("does {address} speak TLS if no name is given?")
        }
        Probe::TlsHello { address, .. } => format!("does {address} speak TLS?"),
        Probe::Handshake { change, with_token, .. } => {
            let what = match change {
                Change::None if *with_token => String::new(),
                Change::None => " without the token".to_owned(),
                Change::Origin { origin: Some(origin) } => format!(" with Origin {origin}"),
                Change::Origin { origin: None } => " without an Origin".to_owned(),
                Change::NoExtensions => " without offering extensions".to_owned(),
                Change::NoSubprotocol => " without offering a subprotocol".to_owned(),
                Change::Path { path } => format!(" at {path}"),
                Change::Backend { host, .. } => format!(" at {host}, behind the proxy"),
            };
            let token = if *with_token { ", with your token" } else { "" };
            format!("what does the same opening handshake get{what}{token}?")
        }
    }
}

/// The answer to a probe.
pub fn outcome_words(outcome: &ProbeOutcome) -> String {
    match outcome {
        ProbeOutcome::Accepted => "accepted".to_owned(),
        ProbeOutcome::Failed(failure) => io_words(failure),
        ProbeOutcome::Answered { tls: true, .. } => "answered with TLS".to_owned(),
        ProbeOutcome::Answered { status: Some(status), .. } => format!("answered with HTTP {status}"),
        ProbeOutcome::Answered { status: None, preview, .. } => format!("answered, but not with HTTP: {preview}"),
        ProbeOutcome::Silent => "accepted, then no answer in time".to_owned(),
        ProbeOutcome::Ended(end) => format!("accepted, then {}", read_end_words(end)),
        ProbeOutcome::Listening { listeners } => listeners_words(listeners),
        ProbeOutcome::Handshaken(found) => handshaken_words(found),
    }
}

/// Who listens: `node (pid 4711) on 127.0.0.1:3001`.
pub fn listeners_words(listeners: &[Listener]) -> String {
    let words = |listener: &Listener| match &listener.process {
        Some(process) => format!("{} (pid {}) on {}", process.name, process.pid, listener.address),
        None => format!("a process that the system hides, on {}", listener.address),
    };
    if listeners.is_empty() { "nobody".to_owned() } else { listeners.iter().map(words).collect::<Vec<_>>().join(", ") }
}

fn handshaken_words(found: &Handshaken) -> String {
    let begin = match (found.opened, found.status) {
        (true, _) => "it opened".to_owned(),
        (false, Some(status)) => format!("answered with HTTP {status}"),
        (false, None) => "answered, but not with HTTP".to_owned(),
    };
    match (found.close, &found.broken, &found.end) {
        (Some(code), _, _) => format!("{begin}, and the server closed with {code}"),
        (None, Some(broken), _) => format!("{begin}, and the server broke a rule ({broken})"),
        (None, None, Some(end)) if found.opened => format!("{begin}, then {}", read_end_words(end)),
        (None, None, _) if found.message => format!("{begin}, and a message came"),
        (None, None, _) => begin,
    }
}

/// What the idle lab measured, in a sentence.
pub fn lab_words(measure: &LabMeasure) -> String {
    let span = |millis: f64| units::span(std::time::Duration::from_secs_f64(millis.max(0.0) / 1e3));
    match lab_finding(measure) {
        LabFinding::IdleLimit { millis } => format!("silence of {} ends a connection here", span(millis)),
        LabFinding::Lifetime { millis } => format!("connections end at the age of {}", span(millis)),
        LabFinding::Sweep { .. } => "the server ends its connections together".to_owned(),
        LabFinding::Survived { millis } => format!("silence of {} harms nobody here", span(millis)),
        LabFinding::Unclear => "the two connections do not tell silence from age".to_owned(),
    }
}
