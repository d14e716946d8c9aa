//! Questions that rules ask of a case: who ended first, how long it was silent, what the server said about itself.

use std::net::{IpAddr, SocketAddr};

use super::words::masked;
use super::{Case, Ending};
use crate::observation::{
    CloseOrigin, Deadline, Direction, Expect, IoFailure, IoKind, Moment, Plan, ReadEnd, TokenPlace,
};
use crate::store::{AttemptOutcome, CloseSeen};
use crate::token::place;
use crate::wire::{ResponseHead, Target};

/// How the peer's side of TCP ended, in the three ways that endings tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TcpEnd {
    /// FIN, or `close_notify`.
    Fin,
    /// RST, or an end that was not orderly.
    Rst,
    /// Nobody answered any more.
    Silence,
}

impl<'a> Case<'a> {
    pub(super) fn plan(&self) -> Option<&'a Plan> {
        self.story.plan.as_deref()
    }

    pub(super) fn target(&self) -> Option<&'a Target> {
        self.plan()?.target.as_ref()
    }

    /// As much of a refusal's body as rules look at.
    pub(super) fn body_beginning(&self) -> String {
        self.story.answer.body_beginning(16 * 1024)
    }

    pub(super) fn is_secure(&self) -> bool {
        self.target().is_some_and(|target| target.secure)
    }

    /// Who talks to the server: we, or the client that we stand between.
    pub(super) fn we(&self) -> &'static str {
        if self.is_between() { "the client" } else { "we" }
    }

    /// Whose what went to the server is: ours, or that of the client that we stand between.
    pub(super) fn our(&self) -> &'static str {
        if self.is_between() { "the client's" } else { "our" }
    }

    /// The `Host` of a client that we stand between, if it is not the server's own and may be why the server refused.
    pub(super) fn foreign_host(&self, ending: Ending, id: &str) -> Option<&'a str> {
        let target = self.target().filter(|_| self.is_between())?;
        let host = self.story.request.as_ref()?.head.values("host").next()?;
        let is_refused = matches!(ending, Ending::UpgradeRefused | Ending::UpgradeCut) && id.starts_with("http-");
        // Servers of this machine rarely look at the name, but some compare the origin with it.
        let may_matter = !target.is_loopback() || matches!(id, "http-403" | "http-403-origin");
        (is_refused && may_matter && !host.eq_ignore_ascii_case(&target.host_header())).then_some(host)
    }

    /// Whether we stand between the server and a client of somebody else.
    pub(super) fn is_between(&self) -> bool {
        self.plan().is_some_and(|plan| plan.between.is_some())
    }

    /// The server's address that we connected to; not known behind a proxy.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.story.connected().filter(|_| !self.story.is_proxied()).map(|attempt| attempt.address)
    }

    /// When and how the Unix socket could not be connected to, with its path.
    pub(super) fn socket_failed(&self) -> Option<(Moment, &'a str, &'a IoFailure)> {
        let (at, path, failure) = self.story.socket.as_ref()?;
        Some((*at, path, failure.as_ref()?))
    }

    /// When the proxy could not be reached or gave no way.
    pub(super) fn refused_by_proxy(&self) -> Option<Moment> {
        let story = self.story;
        if !story.is_proxied() {
            return None;
        }
        let unresolved = story.resolve.as_ref().filter(|resolve| resolve.failure.is_some());
        let refused = story.tunnel.as_ref().filter(|tunnel| tunnel.failure.is_some());
        let at = unresolved.map(|resolve| resolve.ended.unwrap_or(resolve.started));
        at.or_else(|| refused.map(|tunnel| tunnel.ended.unwrap_or(tunnel.started)))
            .or_else(|| self.all_attempts_failed())
    }

    /// `port 3001`, for sentences.
    pub(super) fn port_words(&self) -> String {
        if let Some((_, path, _)) = &self.story.socket {
            return format!("the socket {}", self.quote(path, 80));
        }
        let port = self.address().map(|a| a.port()).or_else(|| self.target().map(|t| t.port));
        port.map_or_else(|| "the port".to_owned(), |port| format!("port {port}"))
    }

    /// Whether the server is this machine, by the address that was connected or else by the host's name.
    pub(super) fn is_loopback(&self) -> bool {
        match self.address() {
            Some(address) => is_loopback(address.ip()),
            None => self.target().is_some_and(Target::is_loopback),
        }
    }

    /// The final head of the answer.
    pub(super) fn head(&self) -> Option<&'a ResponseHead> {
        self.story.answer.head.as_ref().map(|(_, head)| head.as_ref())
    }

    /// When the final head was whole.
    pub(super) fn head_at(&self) -> Moment {
        self.story.answer.head.as_ref().map_or(self.story.last_at, |(at, _)| *at)
    }

    /// Whether a 101 came that passes every check, with nothing before it.
    pub(super) fn is_open(&self) -> bool {
        let answer = &self.story.answer;
        self.story.opened.is_some()
            || answer.status() == Some(101)
                && answer.interim.is_empty()
                && !answer.checks.is_empty()
                && !answer.checks.iter().any(|check| check.fatal)
    }

    /// When the connection was open.
    pub(super) fn opened_at(&self) -> Option<Moment> {
        self.is_open().then(|| self.story.opened.unwrap_or_else(|| self.head_at()))
    }

    /// How and when the peer's side of TCP ended.
    pub(super) fn tcp_end(&self) -> Option<(Moment, TcpEnd)> {
        if let Some((at, end)) = &self.story.read_end {
            let end = match self.story.tcp_end().unwrap_or(end) {
                // Until TCP ends, all that is known is that the server will send no more.
                ReadEnd::Fin | ReadEnd::CloseNotify => TcpEnd::Fin,
                ReadEnd::Reset => TcpEnd::Rst,
                ReadEnd::Failed(failure) => end_by_kind(failure.kind),
            };
            return Some((*at, end));
        }
        let (at, failure) = self.story.write_failed.as_ref()?;
        Some((*at, end_by_kind(failure.kind)))
    }

    /// What the end of TCP is called in a sentence.
    pub(super) fn tcp_end_words(&self) -> &'static str {
        if self.story.read_end.is_some() && self.story.tcp_end().is_none() {
            return "close_notify";
        }
        match self.tcp_end() {
            Some((_, TcpEnd::Fin)) => "FIN",
            Some((_, TcpEnd::Rst)) => "RST",
            Some((_, TcpEnd::Silence)) => "a time-out",
            None => "nothing",
        }
    }

    /// Whether a wish of ours to end came before `at`.
    pub(super) fn we_ended_before(&self, at: Moment) -> bool {
        self.story.close_begun.is_some_and(|(begun, _)| begun < at)
    }

    /// Whether we began to end the connection by this wish.
    pub(super) fn begun_by(&self, wanted: &[CloseOrigin]) -> bool {
        self.story.close_begun.is_some_and(|(_, by)| wanted.contains(&by))
    }

    /// Whether our Close was the first.
    pub(super) fn we_closed_first(&self) -> bool {
        let Some(received) = &self.story.close_received else {
            return self.story.close_sent.is_some();
        };
        self.story.close_begun.is_some_and(|(at, _)| at <= received.at)
            || self.story.close_sent.as_ref().is_some_and(|sent| sent.at < received.at)
    }

    /// Whether the server's Close reads as the answer to ours: the same code, or one that says nothing of its own.
    pub(super) fn is_answered(&self) -> bool {
        let (Some(sent), Some(received)) = (&self.story.close_sent, &self.story.close_received) else {
            return false;
        };
        self.we_closed_first()
            && (received.info.code == sent.info.code
                || received.info.code.is_none()
                || matches!(received.info.code, Some(1000 | 1001)))
    }

    /// The Close that the server sent of its own accord.
    pub(super) fn server_close(&self) -> Option<&'a CloseSeen> {
        let received = self.story.close_received.as_ref()?;
        (!self.is_answered()).then_some(received)
    }

    /// Whether the client that we stand between wished to end, and ended TCP before the server ended or answered anything.
    pub(super) fn client_went_first(&self) -> bool {
        let Some((went, _)) = self.story.client_end.as_ref().filter(|_| self.begun_by(&[CloseOrigin::Client])) else {
            return false;
        };
        let close = self.story.close_received.as_ref().map(|close| close.at);
        // A client that waited long enough for an answer may go.
        let waited = self.story.ran_out(Deadline::Close).map(|(at, _)| at);
        let server = [self.tcp_end().map(|(at, _)| at), close, waited];
        server.into_iter().flatten().all(|at| *went < at)
    }

    /// Whether the confirmation was met or none was asked for.
    pub(super) fn is_confirmed(&self) -> bool {
        match &self.story.confirmation {
            Some(confirmation) => confirmation.ok,
            None => self.plan().is_none_or(|plan| plan.expect == Expect::None),
        }
    }

    /// Whether silence of the server cannot be told from our own pause: we were not reading when time ran out.
    pub(super) fn was_deaf(&self) -> bool {
        self.story.paused_since.is_some()
    }

    /// Silence between the last byte of a frame in either direction (or the 101) and `until`, in milliseconds.
    pub(super) fn silence_before(&self, until: Moment) -> f64 {
        let last = [self.story.sent.last_at, self.story.received.last_at, self.opened_at()];
        let last = last.into_iter().flatten().filter(|at| *at <= until).max();
        last.map_or(0.0, |last| until.millis_since(last))
    }

    /// Unix seconds at a moment, by our clock; `None` if the plan does not say when the session began.
    pub(super) fn unix_at(&self, at: Moment) -> Option<f64> {
        let began = self.plan()?.began_unix_millis;
        (began > 0).then(|| began as f64 / 1e3 + at.as_millis() / 1e3)
    }

    /// How far the server's clock is ahead of ours by its `Date` field, in seconds.
    pub(super) fn clock_skew_secs(&self) -> Option<f64> {
        let own = self.story.answer.head.as_ref().and_then(|(at, head)| Some((*at, head.value("date")?)));
        let (at, date) = own.or_else(|| self.date_of_a_probe())?;
        let date = httpdate::parse_http_date(date).ok()?;
        let theirs = date.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs_f64();
        Some(theirs - self.unix_at(at)?)
    }

    /// The token's raw value as it stands in the query that was sent.
    pub(super) fn raw_query_token(&self) -> Option<&'a str> {
        let Some(TokenPlace::Query { name }) = &self.plan()?.token_place else {
            return None;
        };
        let sent = match &self.story.request {
            Some(request) => request.head.target.as_str(),
            None => self.plan()?.url.as_str(),
        };
        place::in_query(sent, name).first().map(|value| value.raw)
    }

    /// Foreign text for a sentence: one line, short, and without the token.
    pub(super) fn quote(&self, text: &str, max_chars: usize) -> String {
        masked(text, self.raw_query_token(), max_chars)
    }

    /// The close reason in a sentence, or nothing.
    pub(super) fn reason_words(&self, close: &CloseSeen) -> String {
        if close.info.reason.is_empty() {
            "and no reason".to_owned()
        } else {
            format!("and the reason \u{201c}{}\u{201d}", self.quote(&close.info.reason, 123))
        }
    }

    /// The server's `Server` or `Via` field, in words: ` (Server: nginx)`.
    pub(super) fn server_words(&self) -> String {
        let Some(head) = self.head() else {
            return String::new();
        };
        let found = ["server", "via", "x-powered-by"].into_iter().find_map(|name| Some((name, head.value(name)?)));
        found.map_or_else(String::new, |(name, value)| format!(" ({name}: {})", self.quote(value, 40)))
    }

    /// Whether every attempt failed, with at least one; and when the last did.
    pub(super) fn all_attempts_failed(&self) -> Option<Moment> {
        let attempts = &self.story.attempts;
        let elsewhere = self.story.connected_elsewhere().map(|attempt| attempt.address);
        let all = attempts
            .iter()
            .all(|attempt| matches!(attempt.outcome, AttemptOutcome::Failed(_)) || elsewhere == Some(attempt.address));
        (all && !attempts.is_empty()).then(|| attempts.iter().filter_map(|attempt| attempt.ended).max())?
    }

    /// Attempts that failed in this way.
    pub(super) fn failed_attempts(&self, kinds: &[IoKind]) -> Vec<(SocketAddr, Moment)> {
        let failed = self.story.attempts.iter().filter_map(|attempt| match &attempt.outcome {
            AttemptOutcome::Failed(failure) if kinds.contains(&failure.kind) => {
                Some((attempt.address, attempt.ended.unwrap_or(attempt.started)))
            }
            AttemptOutcome::Failed(_)
            | AttemptOutcome::Pending
            | AttemptOutcome::Connected
            | AttemptOutcome::Abandoned => None,
        });
        failed.collect()
    }

    /// The last Pong from the server since `from`.
    pub(super) fn pong_since(&self, from: Moment) -> bool {
        self.story.tally(Direction::ServerToClient).last_pong_at.is_some_and(|at| at >= from)
    }
}

/// Whether an address can only be this machine.
pub(super) fn is_loopback(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
    }
}

fn end_by_kind(kind: IoKind) -> TcpEnd {
    match kind {
        IoKind::TimedOut | IoKind::HostUnreachable | IoKind::NetworkUnreachable => TcpEnd::Silence,
        IoKind::UnexpectedEof => TcpEnd::Fin,
        IoKind::Reset
        | IoKind::Aborted
        | IoKind::BrokenPipe
        | IoKind::Refused
        | IoKind::AddressNotAvailable
        | IoKind::PermissionDenied
        | IoKind::Other => TcpEnd::Rst,
    }
}
