//! Follow-up questions to the target: which, and when; pure, the engine asks them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::case::is_loopback;
use super::ending::ending;
use super::{Case, Ending};
use crate::observation::{Deadline, IoKind, Probe, ProbeOutcome, TlsFailureKind};
use crate::wire::Target;

/// The probes that would help now; none of them twice, and none to another machine.
pub fn next_probes(case: &Case<'_>) -> Vec<Probe> {
    let story = case.story;
    let is_allowed = case.plan().is_some_and(|plan| plan.probes)
        && !story.is_proxied()
        && !story.attempts.is_empty()
        && story.attempts.iter().all(|attempt| is_loopback(attempt.address.ip()));
    let (true, Some(ending), Some(target)) = (is_allowed, ending(case), case.target()) else {
        return Vec::new();
    };
    let mut wanted = wanted(case, ending, target);
    wanted.retain(|probe| !story.probes.iter().any(|seen| seen.probe == *probe));
    wanted
}

fn wanted(case: &Case<'_>, ending: Ending, target: &Target) -> Vec<Probe> {
    let address = case.address();
    let tcp = || address.map(|address| Probe::Tcp { address });
    let get = || {
        address.map(|address| Probe::PlainGet { address, host: target.host_header(), path: target.path().to_owned() })
    };
    let hello = || {
        address.filter(|_| !target.secure).map(|address| Probe::TlsHello { address, server_name: target.host.clone() })
    };
    let has_ended = case.tcp_end().is_some();
    let probes: Vec<Option<Probe>> = match ending {
        Ending::ConnectFailed => vec![other_family(case)],
        Ending::TlsFailed => {
            let kind = case.story.tls.as_ref().and_then(|tls| tls.failure.as_ref()).map(|failure| failure.kind);
            let speaks_no_tls = matches!(
                kind,
                Some(TlsFailureKind::NotTls | TlsFailureKind::TimedOut | TlsFailureKind::Fin | TlsFailureKind::Reset)
            ) || case.story.ran_out(Deadline::Tls).is_some();
            vec![get().filter(|_| speaks_no_tls)]
        }
        Ending::UpgradeCut => {
            let is_mute = case.story.answer.bytes_seen == 0;
            let is_alive = !refused(case);
            vec![tcp(), hello().filter(|_| is_mute && is_alive)]
        }
        Ending::UpgradeInvalid => {
            let raw = &case.story.answer.raw;
            let is_record = case.story.answer.not_http.is_some() && matches!(raw.as_slice(), [0x14..=0x17, 3, ..]);
            vec![hello().filter(|_| is_record)]
        }
        Ending::Closed => vec![tcp().filter(|_| has_ended && case.server_close().is_some())],
        Ending::UpgradeUnanswered => vec![get()],
        Ending::ClosedUnclean if !has_ended => vec![get()],
        Ending::Fin | Ending::Rst | Ending::ClosedUnclean => vec![tcp()],
        Ending::Unconfirmed => {
            let is_mute = case.story.ran_out(Deadline::Close).is_some();
            vec![get().filter(|_| is_mute)]
        }
        Ending::NetworkTimeout => {
            let is_stuck = [Deadline::Write, Deadline::Pong].into_iter().any(|d| case.story.ran_out(d).is_some());
            vec![tcp().filter(|_| is_stuck), get().filter(|_| is_stuck)]
        }
        Ending::ProtocolError => vec![tcp().filter(|_| has_ended)],
        Ending::NotAttempted | Ending::ResolveFailed | Ending::UpgradeRefused | Ending::Open | Ending::EndedByUs => {
            Vec::new()
        }
    };
    probes.into_iter().flatten().collect()
}

fn refused(case: &Case<'_>) -> bool {
    matches!(case.tcp_after(), Some((_, ProbeOutcome::Failed(failure))) if failure.kind == IoKind::Refused)
}

/// The loopback address of the other family, if all that were tried refused and it was not tried.
fn other_family(case: &Case<'_>) -> Option<Probe> {
    let refused = case.failed_attempts(&[IoKind::Refused]);
    let (first, _) = refused.first()?;
    if refused.len() != case.story.attempts.len() {
        return None;
    }
    let ip = match first.ip() {
        IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let other = SocketAddr::new(ip, first.port());
    let was_tried = case.story.attempts.iter().any(|attempt| attempt.address.ip() == ip);
    (!was_tried).then_some(Probe::Tcp { address: other })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::testing::Scene;
    use crate::observation::{CloseOrigin, IoKind, ReadEnd};

    #[test]
    fn each_probe_runs_once_and_on_loopback_only() {
        let fin = Scene::confirmed().fin();
        let address: SocketAddr = "127.0.0.1:3001".parse().unwrap();
        assert_eq!(fin.next_probes(), [Probe::Tcp { address }]);
        assert!(fin.clone().accepts().next_probes().is_empty());
        assert!(fin.plan(|plan| plan.probes = false).next_probes().is_empty());
        let remote = Scene::to("ws://192.0.2.1:3001/").tcp().request().accept().fin();
        assert!(remote.next_probes().is_empty());
        let elsewhere = Scene::to("ws://localhost:3001/")
            .tcp_failed("192.0.2.1:3001", IoKind::Refused)
            .tcp_connected("127.0.0.1:3001");
        assert!(elsewhere.request().accept().fin().next_probes().is_empty());
    }

    #[test]
    fn the_token_is_not_probed_with() {
        let scene = Scene::with_token(&crate::diagnosis::testing::token(60)).tcp().request();
        let probes = scene.ran_out(Deadline::Upgrade, 100).next_probes();
        let [Probe::PlainGet { path, host, .. }] = probes.as_slice() else { panic!("{probes:?}") };
        assert_eq!((path.as_str(), host.as_str()), ("/", "127.0.0.1:3001"));
    }

    #[test]
    fn nothing_is_asked_after_a_good_end() {
        let healthy = Scene::confirmed().we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin();
        assert!(healthy.next_probes().is_empty());
        assert!(Scene::confirmed().we_close(CloseOrigin::User).server_close(1000, "").fin().next_probes().is_empty());
        assert!(Scene::asked().answer("404 Not Found", "", "").next_probes().is_empty());
        assert_eq!(Scene::confirmed().closed_by_server(1009, "").next_probes().len(), 1);
    }

    #[test]
    fn a_reset_is_followed_by_a_client_hello_unless_the_port_refuses() {
        assert_eq!(Scene::asked().rst().accepts().next_probes().len(), 1);
        assert!(Scene::asked().rst().refuses().next_probes().is_empty());
        let ended = ProbeOutcome::Ended(ReadEnd::Fin);
        let address: SocketAddr = "127.0.0.1:3001".parse().unwrap();
        let hello = Probe::TlsHello { address, server_name: "127.0.0.1".to_owned() };
        assert!(Scene::asked().rst().accepts().probe(hello, ended).next_probes().is_empty());
    }
}
