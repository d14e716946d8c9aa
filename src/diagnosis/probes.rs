//! Follow-up questions to the target: which, and when; pure, the engine asks them.
//!
//! What needs no token comes first; what needs it comes last, and only if nothing else has told. Start at
//! [`next_probes`].

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::case::is_loopback;
use super::credential;
use super::ending::ending;
use super::{Case, Ending};
use crate::observation::{Change, Deadline, IoKind, Moment, Plan, Probe, ProbeOutcome, TlsFailureKind, TokenPlace};
use crate::wire::{Target, parse_url};

/// The probes that would help now and may run by themselves: against this machine, or where the user said so.
pub fn next_probes(case: &Case<'_>) -> Vec<Probe> {
    let Some(plan) = case.plan().filter(|plan| plan.probes) else {
        return Vec::new();
    };
    let attempts = &case.story.attempts;
    let is_here = !attempts.is_empty() && attempts.iter().all(|attempt| is_loopback(attempt.address.ip()));
    let mut probes = useful_probes(case);
    if !is_here && !plan.probes_elsewhere {
        // Who names a backend wants it asked.
        probes.retain(|probe| matches!(probe, Probe::Handshake { change: Change::Backend { .. }, .. }));
    }
    probes
}

/// The probes that would help now, whoever must allow them; none of them twice.
pub fn useful_probes(case: &Case<'_>) -> Vec<Probe> {
    let (Some(plan), Some(ending), Some(target)) = (case.plan(), ending(case), case.target()) else {
        return Vec::new();
    };
    // What is behind a proxy is not asked past it.
    if case.story.attempts.is_empty() || case.story.is_proxied() {
        return Vec::new();
    }
    let asking = Asking { case, plan, target, address: case.address() };
    let mut wanted = asking.wanted(ending);
    let asked = &case.story.probes;
    wanted.retain(|probe| !asked.iter().any(|seen| seen.probe == *probe));
    if !wanted.is_empty() || asked.iter().any(|seen| seen.outcome.is_none()) {
        return wanted;
    }
    let mut last = asking.with_token(ending);
    last.retain(|probe| !asked.iter().any(|seen| seen.probe == *probe));
    last
}

/// What a question needs to know of the connection.
struct Asking<'a, 'b> {
    case: &'b Case<'a>,
    plan: &'a Plan,
    target: &'a Target,
    address: Option<SocketAddr>,
}

impl Asking<'_, '_> {
    fn wanted(&self, ending: Ending) -> Vec<Probe> {
        let case = self.case;
        let has_ended = case.tcp_end().is_some();
        let probes: Vec<Option<Probe>> = match ending {
            Ending::ConnectFailed => vec![self.listeners(), self.other_family()],
            Ending::TlsFailed => self.after_tls_failed(),
            Ending::UpgradeCut => self.after_cut(),
            Ending::UpgradeInvalid => self.after_invalid(),
            Ending::UpgradeRefused => self.after_refusal(),
            Ending::UpgradeUnanswered => vec![self.get(self.target.path()), self.listeners()],
            Ending::ClosedUnclean if !has_ended => vec![self.get(self.target.path())],
            Ending::Closed => {
                let is_theirs = has_ended && case.server_close().is_some();
                let mut probes = if is_theirs { self.port() } else { Vec::new() };
                if is_theirs && self.is_alive() && self.is_about_access(ending) {
                    probes.push(self.handshake(Change::None));
                    let has_clock = case.head().is_some_and(|head| head.value("date").is_some());
                    probes.push(self.get(self.target.path()).filter(|_| !has_clock));
                }
                probes
            }
            Ending::Fin | Ending::Rst | Ending::ClosedUnclean => self.after_bare_end(),
            Ending::Unconfirmed => {
                let is_mute = case.story.ran_out(Deadline::Close).is_some();
                vec![self.get(self.target.path()).filter(|_| is_mute)]
            }
            Ending::NetworkTimeout => {
                let is_stuck = [Deadline::Write, Deadline::Pong].into_iter().any(|d| case.story.ran_out(d).is_some());
                vec![self.tcp().filter(|_| is_stuck), self.get(self.target.path()).filter(|_| is_stuck)]
            }
            Ending::ProtocolError => {
                let mut probes = if has_ended { self.port() } else { Vec::new() };
                if !self.refuses() && self.may_be_compression() {
                    probes
                        .push(self.handshake(Change::NoExtensions).filter(|_| self.offers("sec-websocket-extensions")));
                }
                probes
            }
            Ending::NotAttempted | Ending::ResolveFailed | Ending::Open | Ending::EndedByUs => Vec::new(),
        };
        probes.into_iter().flatten().collect()
    }

    /// The same questions with the token, where the answers without it tell nothing.
    fn with_token(&self, ending: Ending) -> Vec<Probe> {
        let is_sent = self.has_token() && !matches!(self.plan.token_place, Some(TokenPlace::FirstMessage { .. }));
        if !is_sent {
            return Vec::new();
        }
        let inconclusive = |change: &Change| {
            let answer = self.case.handshaken(change, false);
            answer.is_some_and(|(_, answer)| !answer.opened)
        };
        let changes = match ending {
            Ending::UpgradeRefused => self.refusal_changes(),
            Ending::UpgradeInvalid if self.offers("sec-websocket-protocol") => vec![Change::NoSubprotocol],
            Ending::ProtocolError if self.may_be_compression() => vec![Change::NoExtensions],
            Ending::NotAttempted
            | Ending::ResolveFailed
            | Ending::ConnectFailed
            | Ending::TlsFailed
            | Ending::UpgradeCut
            | Ending::UpgradeUnanswered
            | Ending::UpgradeInvalid
            | Ending::ProtocolError
            | Ending::Closed
            | Ending::ClosedUnclean
            | Ending::Fin
            | Ending::Rst
            | Ending::NetworkTimeout
            | Ending::Unconfirmed
            | Ending::Open
            | Ending::EndedByUs => Vec::new(),
        };
        let changes = changes.into_iter().filter(|change| *change != Change::None && inconclusive(change));
        changes.filter_map(|change| self.ask(change, true)).collect()
    }

    fn after_tls_failed(&self) -> Vec<Option<Probe>> {
        let failure = self.case.story.tls.as_ref().and_then(|tls| tls.failure.as_ref());
        let kind = failure.map(|failure| failure.kind);
        let is_cut = matches!(kind, Some(TlsFailureKind::Fin | TlsFailureKind::Reset));
        let speaks_no_tls = is_cut
            || matches!(kind, Some(TlsFailureKind::NotTls | TlsFailureKind::TimedOut))
            || self.case.story.ran_out(Deadline::Tls).is_some();
        let plain = self.address.map(|address| Probe::PlainGet {
            address,
            host: self.target.host_header(),
            path: self.target.path().to_owned(),
            tls: false,
        });
        // By the Date of an answer a wrong clock of ours can be told from a certificate that is out of date.
        let is_about_dates = matches!(kind, Some(TlsFailureKind::Expired | TlsFailureKind::NotYetValid));
        let date = self.get(self.target.path()).filter(|_| is_about_dates);
        let nameless = self.address.map(|address| Probe::TlsHello { address, server_name: String::new() });
        let has_name = self.target.host.parse::<IpAddr>().is_err();
        vec![plain.filter(|_| speaks_no_tls), date, nameless.filter(|_| is_cut && has_name), self.listeners()]
    }

    fn after_cut(&self) -> Vec<Option<Probe>> {
        let is_mute = self.case.story.answer.bytes_seen == 0;
        let mut probes = self.port();
        if self.refuses() {
            probes.push(self.comes_back());
            return probes;
        }
        if is_mute {
            probes.push(self.hello());
        }
        if is_mute && self.is_alive() && self.case.tls_answered().is_none() {
            probes.extend([self.get(self.target.path()), self.polling()]);
        }
        probes
    }

    fn after_invalid(&self) -> Vec<Option<Probe>> {
        let answer = &self.case.story.answer;
        let is_record = answer.not_http.is_some() && matches!(answer.raw.as_slice(), [0x14..=0x17, 3, ..]);
        let about = |word: &str| {
            let failed = answer.checks.iter().filter(|check| check.fatal).filter_map(|check| check.cause_id.as_deref());
            failed.into_iter().any(|id| id.starts_with(word))
        };
        vec![
            self.hello().filter(|_| is_record),
            self.listeners().filter(|_| answer.not_http.is_some()),
            self.handshake(Change::NoExtensions)
                .filter(|_| about("extension") && self.offers("sec-websocket-extensions")),
            self.handshake(Change::NoSubprotocol)
                .filter(|_| about("subprotocol") && self.offers("sec-websocket-protocol")),
        ]
    }

    fn after_refusal(&self) -> Vec<Option<Probe>> {
        let Some(status) = self.case.story.answer.status().filter(|status| *status != 407) else {
            return Vec::new();
        };
        let mut probes = vec![self.get(self.target.path())];
        if self.target.path() != "/" {
            probes.push(self.get("/"));
        }
        if status == 400 {
            probes.push(self.polling());
        }
        probes.extend(self.refusal_changes().into_iter().map(|change| self.handshake(change)));
        probes
    }

    /// What may make the difference for a refusal.
    fn refusal_changes(&self) -> Vec<Change> {
        let Some(head) = self.case.head() else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        if self.has_token() && (400..500).contains(&head.status) {
            changes.push(Change::None);
        }
        if matches!(head.status, 403 | 404) {
            let page = format!("{}://{}", if self.target.secure { "https" } else { "http" }, self.target.host_header());
            let origin = if self.plan.origin.is_some() { None } else { Some(page) };
            changes.push(Change::Origin { origin });
        }
        if head.status == 400 && self.offers("sec-websocket-protocol") {
            changes.push(Change::NoSubprotocol);
        }
        changes.extend(self.other_path(head.status, head.value("location")).map(|path| Change::Path { path }));
        if head.status >= 400 {
            changes.extend(self.backend());
        }
        changes
    }

    /// The path that a redirect names on the same host, or the same path with or without its last slash.
    fn other_path(&self, status: u16, location: Option<&str>) -> Option<String> {
        let own = self.target.path();
        match status {
            301..=303 | 307 | 308 => {
                let location = location?.split('#').next()?;
                let path = match parse_url(location) {
                    Ok(there) if there.host.eq_ignore_ascii_case(&self.target.host) => there.path().to_owned(),
                    Err(_) if location.starts_with('/') && !location.starts_with("//") => {
                        location.split('?').next()?.to_owned()
                    }
                    Ok(_) | Err(_) => return None,
                };
                let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic());
                (path != own && is_plain).then_some(path)
            }
            404 if own != "/" => Some(own.strip_suffix('/').map_or_else(|| format!("{own}/"), ToOwned::to_owned)),
            _ => None,
        }
    }

    fn after_bare_end(&self) -> Vec<Option<Probe>> {
        let mut probes = self.port();
        if self.refuses() {
            probes.push(self.comes_back());
        }
        let ended = self.case.tcp_end().map(|(at, _)| at);
        let is_early = ended.is_some_and(|at| self.is_early(at));
        if self.is_alive() && is_early && self.case.server_close().is_none() {
            probes.push(self.handshake(Change::None).filter(|_| self.has_token()));
            probes.push(self.handshake(Change::NoSubprotocol).filter(|_| self.offers("sec-websocket-protocol")));
        }
        probes
    }

    /// Whether an end came within a second of the 101, before anybody can have spoken.
    fn is_early(&self, at: Moment) -> bool {
        self.case.opened_at().is_some_and(|opened| at.millis_since(opened) <= 1_000.0)
    }

    /// Whether a close of the server is about who may come in, and a token was sent.
    fn is_about_access(&self, ending: Ending) -> bool {
        self.has_token() && credential::refusal(self.case, ending).is_some()
    }

    fn may_be_compression(&self) -> bool {
        let first = self.case.story.first_fatal_violation().map(|(_, violation)| violation.kind.cause_id());
        match first {
            Some(id) => id.starts_with("proto-rsv") || id.contains("deflate") || id == "proto-bad-opcode",
            None => true,
        }
    }

    fn offers(&self, field: &str) -> bool {
        self.case.story.request.as_ref().is_some_and(|request| request.head.values(field).next().is_some())
    }

    fn has_token(&self) -> bool {
        !credential::is_absent(self.case)
    }

    fn is_alive(&self) -> bool {
        self.case.port_accepts().is_some()
    }

    fn refuses(&self) -> bool {
        matches!(self.case.tcp_after(), Some((_, ProbeOutcome::Failed(failure))) if failure.kind == IoKind::Refused)
    }

    fn tcp(&self) -> Option<Probe> {
        self.address.map(|address| Probe::Tcp { address })
    }

    /// Whether the port accepts and, once that is known, who listens: a look in the meantime would miss a process that is
    /// just taking the place of another.
    fn port(&self) -> Vec<Option<Probe>> {
        let mut probes = vec![self.tcp()];
        if self.case.tcp_after().is_some() {
            probes.push(self.listeners());
        }
        probes
    }

    fn comes_back(&self) -> Option<Probe> {
        self.address.map(|address| Probe::ComesBack { address })
    }

    fn get(&self, path: &str) -> Option<Probe> {
        let (host, path) = (self.target.host_header(), path.to_owned());
        self.address.map(|address| Probe::PlainGet { address, host, path, tls: self.target.secure })
    }

    /// The address at which every Socket.IO server answers.
    fn polling(&self) -> Option<Probe> {
        self.get("/socket.io/?EIO=4&transport=polling")
    }

    fn hello(&self) -> Option<Probe> {
        let address = self.address.filter(|_| !self.target.secure)?;
        Some(Probe::TlsHello { address, server_name: self.target.host.clone() })
    }

    /// Who listens on the port, if it is one of this machine.
    fn listeners(&self) -> Option<Probe> {
        let is_here = match self.address {
            Some(address) => is_loopback(address.ip()),
            None => self.case.story.attempts.iter().all(|attempt| is_loopback(attempt.address.ip())),
        };
        is_here.then_some(Probe::Listeners { port: self.target.port })
    }

    fn handshake(&self, change: Change) -> Option<Probe> {
        self.ask(change, false)
    }

    fn ask(&self, change: Change, with_token: bool) -> Option<Probe> {
        let address = match &change {
            Change::Backend { host, tls } => backend_address(host, *tls)?,
            Change::None
            | Change::Origin { .. }
            | Change::NoExtensions
            | Change::NoSubprotocol
            | Change::Path { .. } => self.address?,
        };
        Some(Probe::Handshake { address, change, with_token })
    }

    fn backend(&self) -> Option<Change> {
        let backend = parse_url(self.plan.backend.as_deref()?).ok()?;
        Some(Change::Backend { host: backend.host_header(), tls: backend.secure })
    }

    /// The loopback address of the other family, if all that were tried refused and it was not tried.
    fn other_family(&self) -> Option<Probe> {
        let refused = self.case.failed_attempts(&[IoKind::Refused]);
        let (first, _) = refused.first()?;
        let attempts = &self.case.story.attempts;
        let is_here = refused.iter().all(|(address, _)| is_loopback(address.ip()));
        if refused.len() != attempts.len() || !is_here {
            return None;
        }
        let ip = match first.ip() {
            IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let was_tried = attempts.iter().any(|attempt| attempt.address.ip() == ip);
        (!was_tried).then_some(Probe::Tcp { address: SocketAddr::new(ip, first.port()) })
    }
}

/// The address of an authority, or the unspecified one where its name must be resolved first.
fn backend_address(host: &str, tls: bool) -> Option<SocketAddr> {
    let target = parse_url(&format!("{}://{host}/", if tls { "wss" } else { "ws" })).ok()?;
    let ip = if target.host.eq_ignore_ascii_case("localhost") {
        IpAddr::V4(Ipv4Addr::LOCALHOST)
    } else {
        target.host.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    };
    Some(SocketAddr::new(ip, target.port))
}

#[cfg(test)]
mod tests;
