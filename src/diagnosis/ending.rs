//! Which ending: what happened, apart from why. The first in time wins; a broken rule outranks all that follows it.

use super::case::TcpEnd;
use super::{Case, Ending};
use crate::observation::{CloseOrigin, Deadline, Limit, Moment, ReadEnd};
use crate::store::AttemptOutcome;
use crate::wire::{Framing, framing, is_complete};

/// What happened; `None` while the connection is not over.
pub(super) fn ending(case: &Case<'_>) -> Option<Ending> {
    if case.story.not_attempted.is_some() {
        return Some(Ending::NotAttempted);
    }
    if case.is_open() { after_open(case) } else { before_open(case) }
}

fn before_open(case: &Case<'_>) -> Option<Ending> {
    let story = case.story;
    let wished = || case.begun_by(&[CloseOrigin::User, CloseOrigin::Client, CloseOrigin::Abort, CloseOrigin::Shutdown]);
    let ours = |at: Moment| wished() && case.we_ended_before(at);
    if let Some(resolve) = &story.resolve
        && !story.is_proxied()
        && (resolve.failure.is_some() || story.ran_out(Deadline::Resolve).is_some())
        && !ours(resolve.ended.unwrap_or(story.last_at))
    {
        return Some(Ending::ResolveFailed);
    }
    if case.refused_by_proxy().is_some_and(|at| !ours(at)) {
        return Some(Ending::ConnectFailed);
    }
    if !story.has_connected() {
        let failed = case
            .socket_failed()
            .map(|(at, _, _)| at)
            .or_else(|| case.all_attempts_failed())
            .or_else(|| story.ran_out(Deadline::Connect).map(|(at, _)| at));
        return match failed {
            Some(at) if !ours(at) => Some(Ending::ConnectFailed),
            Some(_) | None if wished() => Some(Ending::EndedByUs),
            Some(_) | None => None,
        };
    }
    if let Some(ending) = answered(case) {
        return Some(ending);
    }
    if let Some(at) = tls_failed_at(case)
        && !ours(at)
    {
        return Some(Ending::TlsFailed);
    }
    let end = case.tcp_end().map(|(at, _)| at);
    let time_out = story.ran_out(Deadline::Upgrade).map(|(at, _)| at);
    let wish = story.close_begun.map(|(at, _)| at).filter(|_| wished());
    let first = [end, time_out, wish].into_iter().flatten().min()?;
    if end == Some(first) {
        Some(match case.tcp_end() {
            Some((_, TcpEnd::Silence)) => Ending::NetworkTimeout,
            Some((_, TcpEnd::Fin | TcpEnd::Rst)) | None => Ending::UpgradeCut,
        })
    } else if time_out == Some(first) {
        Some(Ending::UpgradeUnanswered)
    } else {
        Some(Ending::EndedByUs)
    }
}

/// The ending that the answer's own bytes give, once they are enough.
fn answered(case: &Case<'_>) -> Option<Ending> {
    let answer = &case.story.answer;
    if answer.not_http.is_some() || answer.head_too_big.is_some() || passed(case, Limit::ResponseHead).is_some() {
        return Some(Ending::UpgradeInvalid);
    }
    let Some(head) = case.head() else {
        return (!answer.interim.is_empty()).then_some(Ending::UpgradeInvalid);
    };
    if head.status == 101 {
        return Some(Ending::UpgradeInvalid);
    }
    let framing = framing(head);
    let is_cut = matches!(framing, Framing::Length(_) | Framing::Chunked)
        && case.tcp_end().is_some()
        && !is_complete(framing, &answer.body);
    Some(if is_cut { Ending::UpgradeCut } else { Ending::UpgradeRefused })
}

fn tls_failed_at(case: &Case<'_>) -> Option<Moment> {
    let tls = case.story.tls.as_ref()?;
    if case.story.answer.bytes_seen > 0 {
        return None;
    }
    if tls.failure.is_some() {
        return Some(tls.ended.unwrap_or(tls.started));
    }
    if let Some((at, _)) = case.story.ran_out(Deadline::Tls) {
        return Some(at);
    }
    let (at, end) = case.story.read_end.as_ref()?;
    let is_alert = matches!(end, ReadEnd::Failed(failure) if failure.text.contains("fatal alert"));
    (tls.info.is_none() || is_alert).then_some(*at)
}

fn after_open(case: &Case<'_>) -> Option<Ending> {
    let story = case.story;
    let violated = story.first_fatal_violation().map(|(at, _)| *at);
    let limited = story.limit_passed.and_then(|(at, limit, _, _)| match limit {
        Limit::Frame | Limit::Message | Limit::Inflated { .. } => Some(at),
        Limit::ResponseHead | Limit::ResponseBody => None,
    });
    match (violated, limited) {
        (Some(violated), Some(limited)) if limited < violated => return Some(Ending::EndedByUs),
        (Some(_), _) => return Some(Ending::ProtocolError),
        (None, Some(_)) => return Some(Ending::EndedByUs),
        (None, None) => {}
    }
    if case.client_went_first() {
        return Some(Ending::EndedByUs);
    }
    if let Some(received) = &story.close_received {
        let we_failed = case.begun_by(&[CloseOrigin::Violation]) && case.we_ended_before(received.at);
        return if we_failed { Some(Ending::ProtocolError) } else { received_close(case) };
    }
    let end = case.tcp_end();
    let Some((begun, by)) = story.close_begun.filter(|(begun, _)| end.is_none_or(|(at, _)| *begun <= at)) else {
        return end.map(|(_, end)| by_tcp(end)).or_else(|| given_up(case));
    };
    let is_unanswered = end.is_some() || story.ran_out(Deadline::Close).is_some_and(|(at, _)| at >= begun);
    match by {
        CloseOrigin::Abort | CloseOrigin::Shutdown | CloseOrigin::Limit => Some(Ending::EndedByUs),
        CloseOrigin::Violation => Some(Ending::ProtocolError),
        CloseOrigin::Client if story.close_sent.is_none() => Some(Ending::EndedByUs),
        CloseOrigin::User | CloseOrigin::Client | CloseOrigin::WatchEnded | CloseOrigin::Unconfirmed => {
            if story.close_sent.is_none() {
                return end.map(|(_, end)| by_tcp(end)).or_else(|| given_up(case));
            }
            if !is_unanswered {
                let is_over = story.finished.is_some() || by == CloseOrigin::Client && story.we_closed_tcp.is_some();
                return given_up(case).or_else(|| is_over.then_some(Ending::EndedByUs));
            }
            let is_ours = matches!(by, CloseOrigin::WatchEnded | CloseOrigin::Unconfirmed);
            let is_unconfirmed = is_ours && !case.is_confirmed();
            Some(if is_unconfirmed { Ending::Unconfirmed } else { Ending::ClosedUnclean })
        }
    }
}

/// The server's Close came, first or as the answer.
fn received_close(case: &Case<'_>) -> Option<Ending> {
    let story = case.story;
    if case.server_close().is_some() {
        if story.close_sent.is_some() {
            return Some(Ending::Closed);
        }
        let is_over = case.tcp_end().is_some() || story.finished.is_some() || story.we_closed_tcp.is_some();
        return is_over.then_some(Ending::ClosedUnclean);
    }
    let by = story.close_begun.map_or(CloseOrigin::User, |(_, by)| by);
    Some(match by {
        CloseOrigin::User | CloseOrigin::Client | CloseOrigin::Abort | CloseOrigin::Shutdown | CloseOrigin::Limit => {
            Ending::EndedByUs
        }
        CloseOrigin::Violation => Ending::ProtocolError,
        CloseOrigin::WatchEnded | CloseOrigin::Unconfirmed if case.is_confirmed() => Ending::Open,
        CloseOrigin::WatchEnded | CloseOrigin::Unconfirmed => Ending::Unconfirmed,
    })
}

fn by_tcp(end: TcpEnd) -> Ending {
    match end {
        TcpEnd::Fin => Ending::Fin,
        TcpEnd::Rst => Ending::Rst,
        TcpEnd::Silence => Ending::NetworkTimeout,
    }
}

/// Nothing got through, or nothing came back.
fn given_up(case: &Case<'_>) -> Option<Ending> {
    let ran_out = case.story.ran_out(Deadline::Write).or_else(|| case.story.ran_out(Deadline::Pong));
    ran_out.map(|_| Ending::NetworkTimeout)
}

fn passed(case: &Case<'_>, wanted: Limit) -> Option<Moment> {
    case.story.limit_passed.filter(|(_, limit, _, _)| *limit == wanted).map(|(at, _, _, _)| at)
}

/// Whether TCP attempts are still running.
pub(super) fn is_connecting(case: &Case<'_>) -> bool {
    case.story.attempts.iter().any(|attempt| attempt.outcome == AttemptOutcome::Pending)
}
