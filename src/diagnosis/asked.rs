//! What the follow-up probes answered, and who listened before and after, as rules ask for it.

use std::net::SocketAddr;

use super::Case;
use super::words::{count, long_span};
use crate::observation::{Change, Handshaken, IoKind, Listener, Moment, Probe, ProbeOutcome, Process};
use crate::store::ProbeSeen;

/// What the two looks at the list of listeners tell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Restart {
    /// When the second look was taken.
    pub(super) at: Moment,
    /// The process before; `None` if that look is missing.
    pub(super) before: Option<Process>,
    /// The process after.
    pub(super) after: Process,
}

impl Restart {
    /// Whether another program than before has the port.
    pub(super) fn is_other_program(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.name != self.after.name)
    }
}

impl<'a> Case<'a> {
    fn answered(&self) -> impl Iterator<Item = (&'a Probe, Moment, &'a ProbeOutcome)> + use<'a> {
        let ended =
            |seen: &'a ProbeSeen| Some((&seen.probe, seen.ended.unwrap_or(seen.started), seen.outcome.as_ref()?));
        self.story.probes.iter().filter_map(ended)
    }

    /// What a new TCP connection to the same address met after the end.
    pub(super) fn tcp_after(&self) -> Option<(Moment, &'a ProbeOutcome)> {
        let address = self.address()?;
        self.answered().find_map(|(probe, at, outcome)| {
            matches!(probe, Probe::Tcp { address: probed } if *probed == address).then_some((at, outcome))
        })
    }

    /// When the port was seen to refuse after the end, and not to come back.
    pub(super) fn port_refuses(&self) -> Option<Moment> {
        let (at, outcome) = self.tcp_after()?;
        (is_refusal(outcome) && self.came_back().is_none()).then_some(at)
    }

    /// When the port accepted again after it had refused.
    pub(super) fn came_back(&self) -> Option<Moment> {
        self.answered().find_map(|(probe, at, outcome)| {
            let is_back = matches!(outcome, ProbeOutcome::Accepted | ProbeOutcome::Listening { .. });
            (matches!(probe, Probe::ComesBack { .. }) && is_back).then_some(at)
        })
    }

    /// When the port was seen to accept after the end.
    pub(super) fn port_accepts(&self) -> Option<Moment> {
        let (at, outcome) = self.tcp_after()?;
        (!matches!(outcome, ProbeOutcome::Failed(_))).then_some(at)
    }

    /// What a plain GET of the target's own path met.
    pub(super) fn plain_get(&self) -> Option<(Moment, &'a ProbeOutcome)> {
        self.plain_get_of(self.target()?.path())
    }

    /// What a plain GET of this path met.
    pub(super) fn plain_get_of(&self, wanted: &str) -> Option<(Moment, &'a ProbeOutcome)> {
        self.answered().find_map(|(probe, at, outcome)| {
            matches!(probe, Probe::PlainGet { path, .. } if path == wanted).then_some((at, outcome))
        })
    }

    /// The answer to a poll that shows a Socket.IO server for certain: Engine.IO's opening packet, or an error of its own.
    pub(super) fn polls_as_engineio(&self) -> Option<(Moment, &'static str)> {
        self.answered().find_map(|(probe, at, outcome)| match (probe, outcome) {
            (Probe::PlainGet { path, .. }, ProbeOutcome::Answered { preview, .. })
                if path.starts_with("/socket.io/") =>
            {
                let body = preview.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                let error = body.find('{').and_then(|from| body.get(from..=body.rfind('}')?));
                if preview.contains("0{\"sid\"") {
                    Some((at, "its opening packet, 0{\"sid\"…"))
                } else {
                    error.filter(|json| is_engineio_error(json)).map(|_| (at, "an error of Engine.IO"))
                }
            }
            _ => None,
        })
    }

    /// The `Date` field in the answer to a plain GET, where the answer to the opening handshake had none.
    pub(super) fn date_of_a_probe(&self) -> Option<(Moment, &'a str)> {
        self.answered().find_map(|(probe, at, outcome)| match (probe, outcome) {
            (Probe::PlainGet { .. }, ProbeOutcome::Answered { preview, .. }) => {
                let mut fields = preview.lines().take_while(|line| !line.is_empty());
                let date = fields.find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("date").then(|| value.trim())
                })?;
                Some((at, date))
            }
            _ => None,
        })
    }

    /// Whether a `ClientHello` was sent to the port and something came of it.
    pub(super) fn asked_for_tls(&self) -> bool {
        self.answered().any(|(probe, _, _)| matches!(probe, Probe::TlsHello { .. }))
    }

    /// When a `ClientHello` was answered with a TLS record.
    pub(super) fn tls_answered(&self) -> Option<Moment> {
        self.answered().find_map(|(probe, at, outcome)| match (probe, outcome) {
            (Probe::TlsHello { .. }, ProbeOutcome::Answered { tls: true, .. }) => Some(at),
            _ => None,
        })
    }

    /// The loopback address of the other family that accepts although this one refuses, from a probe.
    pub(super) fn other_family_accepts(&self) -> Option<(Moment, SocketAddr)> {
        let tried = |address: SocketAddr| self.story.attempts.iter().any(|attempt| attempt.address == address);
        self.answered().find_map(|(probe, at, outcome)| match (probe, outcome) {
            (Probe::Tcp { address }, ProbeOutcome::Accepted) if !tried(*address) => Some((at, *address)),
            _ => None,
        })
    }

    /// What the same opening handshake with this change led to.
    pub(super) fn handshaken(&self, wanted: &Change, wanted_token: bool) -> Option<(Moment, &'a Handshaken)> {
        self.handshakes().find_map(|(change, with_token, at, found)| {
            (change == wanted && with_token == wanted_token).then_some((at, found))
        })
    }

    /// Every opening handshake of a probe that was answered: what was changed, whether the token went along.
    pub(super) fn handshakes(&self) -> impl Iterator<Item = (&'a Change, bool, Moment, &'a Handshaken)> + use<'a> {
        self.answered().filter_map(|(probe, at, outcome)| match (probe, outcome) {
            (Probe::Handshake { change, with_token, .. }, ProbeOutcome::Handshaken(found)) => {
                Some((change, *with_token, at, &**found))
            }
            _ => None,
        })
    }

    /// Whether an opening handshake of a probe failed as this connection did: same status, same Close, same kind of end.
    pub(super) fn failed_alike(&self, other: &Handshaken) -> bool {
        let own_close = self.server_close().map(|close| close.info.code.unwrap_or(1005));
        if self.is_open() {
            let has_bare_end = self.tcp_end().is_some() && own_close.is_none();
            other.opened && other.close == own_close && other.end.is_some() == has_bare_end
        } else {
            !other.opened && other.status == self.story.answer.status()
        }
    }

    /// Who listened on the target's port after the end.
    pub(super) fn listeners_after(&self) -> Option<(Moment, &'a [Listener])> {
        let looks = self.answered().filter_map(|(_, at, outcome)| match outcome {
            ProbeOutcome::Listening { listeners } => Some((at, listeners.as_slice())),
            _ => None,
        });
        // The last look counts: a server may have come back between two.
        looks.last()
    }

    /// The listener that took, or would take, our connection: as it was after the end, or else before.
    pub(super) fn listener(&self) -> Option<&'a Listener> {
        let address = self.address()?;
        let after = self.listeners_after().and_then(|(_, all)| taking(all, address));
        after.or_else(|| taking(self.listeners_before()?, address))
    }

    /// Who listened on the target's port before the end; a look that was done after it is none.
    pub(super) fn listeners_before(&self) -> Option<&'a [Listener]> {
        let (at, listeners) = self.story.listeners.as_ref()?;
        let is_late = self.tcp_end().is_some_and(|(end, _)| end <= *at);
        (!is_late).then_some(listeners)
    }

    /// Processes of which none had the port before have it after the end, and one of them is not older than our connection.
    pub(super) fn restart(&self) -> Option<Restart> {
        let address = self.address()?;
        let (at, after) = self.listeners_after()?;
        let after = holders(after, address);
        let before = self.listeners_before().map(|all| holders(all, address)).unwrap_or_default();
        if after.iter().any(|after| before.iter().any(|before| is_one_process(before, after))) {
            return None;
        }
        let connected = self.story.connected().and_then(|attempt| self.unix_at(attempt.ended?));
        let ended = self.tcp_end().and_then(|(end, _)| self.unix_at(end));
        // A program that had listened elsewhere all the time may take over an address; it was not started for that.
        let is_younger = |process: &Process| match (process.started_unix, connected, ended) {
            (Some(started), _, Some(ended)) if before.is_empty() => started as f64 >= ended,
            (Some(started), Some(connected), _) => started as f64 >= connected.floor() - START_ROUNDING_SECS,
            (Some(_), None, _) => false,
            (None, _, _) => !before.is_empty(),
        };
        let after = after.into_iter().find(|process| is_younger(process))?.clone();
        Some(Restart { at, before: before.first().map(|&process| process.clone()), after })
    }

    /// A process that had the port before, still there after the end.
    pub(super) fn same_process(&self) -> Option<(Moment, Process)> {
        let address = self.address()?;
        let (at, after) = self.listeners_after()?;
        let before = holders(self.listeners_before()?, address);
        let is_known = |after: &&Process| before.iter().any(|before| is_one_process(before, after));
        Some((at, holders(after, address).into_iter().find(is_known)?.clone()))
    }

    /// Nobody listens on the port any more, by the system's own list, which shows every listener.
    pub(super) fn nobody_listens(&self) -> Option<Moment> {
        let (at, listeners) = self.listeners_after()?;
        listeners.is_empty().then_some(at)
    }
}

/// The listener that takes connections to an address; an exact match comes before one for all addresses.
fn taking(all: &[Listener], address: SocketAddr) -> Option<&Listener> {
    let exact = all.iter().find(|listener| listener.address == address);
    exact.or_else(|| all.iter().find(|listener| listener.takes(address)))
}

/// The processes that share the socket which takes connections to an address: a server and its workers.
fn holders(all: &[Listener], address: SocketAddr) -> Vec<&Process> {
    let bound = taking(all, address).map(|listener| listener.address);
    let sharing = all.iter().filter(|listener| Some(listener.address) == bound);
    sharing.filter_map(|listener| listener.process.as_ref()).collect()
}

/// Whether two looks met one process: ids are used again.
fn is_one_process(before: &Process, after: &Process) -> bool {
    let is_of_one_time = match (before.started_unix, after.started_unix) {
        (Some(before), Some(after)) => before.abs_diff(after) as f64 <= START_ROUNDING_SECS,
        (Some(_) | None, _) => true,
    };
    before.pid == after.pid && is_of_one_time
}

/// How much earlier than in truth a process may seem to have started: the system adds up two times of whole seconds.
const START_ROUNDING_SECS: f64 = 2.0;

/// Whether a text is an error of Engine.IO: `{"code":4,"message":"Forbidden"}`.
pub(super) fn is_engineio_error(text: &str) -> bool {
    let json: Option<serde_json::Value> = serde_json::from_str(text.trim()).ok();
    json.is_some_and(|json| {
        json.get("code").and_then(serde_json::Value::as_u64).is_some_and(|code| code <= 5)
            && json.get("message").is_some_and(serde_json::Value::is_string)
    })
}

fn is_refusal(outcome: &ProbeOutcome) -> bool {
    matches!(outcome, ProbeOutcome::Failed(failure) if failure.kind == IoKind::Refused)
}

/// `node (pid 4711, node server.js)`.
pub(super) fn process_words(process: &Process) -> String {
    let command = process.command.trim();
    if command.is_empty() || command == process.name {
        format!("{} (pid {})", process.name, process.pid)
    } else {
        format!("{} (pid {}, {command})", process.name, process.pid)
    }
}

/// `node (pid 4711) on 127.0.0.1:3001 and [::]:3001`, or `nobody`.
pub(super) fn listeners_words(listeners: &[Listener], now_unix: Option<f64>) -> String {
    let mut words: Vec<(String, Vec<String>)> = Vec::new();
    for listener in listeners {
        let who = match &listener.process {
            Some(process) => {
                let age = match (process.started_unix, now_unix) {
                    (Some(started), Some(now)) if now >= started as f64 => {
                        format!(", up for {}", long_span(now - started as f64))
                    }
                    _ => String::new(),
                };
                format!("{}{age}", process_words(process))
            }
            None => "a process that the system does not name (it is gone by now, or another user's)".to_owned(),
        };
        let on = listener.address.to_string();
        match words.iter_mut().find(|(known, _)| *known == who) {
            Some((_, addresses)) => addresses.push(on),
            None => words.push((who, vec![on])),
        }
    }
    if words.is_empty() {
        return "nobody".to_owned();
    }
    let parts = words.into_iter().map(|(who, on)| format!("{who} on {}", on.join(" and ")));
    parts.collect::<Vec<_>>().join("; ")
}

/// `3 connections wait there to be accepted`, or nothing.
pub(super) fn waiting_words(listener: &Listener) -> String {
    match listener.waiting {
        Some(waiting) if waiting > 0 => {
            let verb = if waiting == 1 { "waits" } else { "wait" };
            format!("{} {verb} there to be accepted", count(waiting.into(), "connection"))
        }
        Some(_) | None => String::new(),
    }
}
