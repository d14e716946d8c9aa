//! Our ping was not answered, or nothing that we write gets through: is the network gone, or does the server not read?

use super::Found;
use crate::diagnosis::words::{count, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{Deadline, Moment, ProbeOutcome, TcpQueues};

/// What we waited for in vain, until when, and for how long.
fn waited(case: &Case<'_>, ending: Ending) -> Option<(&'static str, Moment, u64)> {
    if ending != Ending::NetworkTimeout {
        return None;
    }
    let ran_out = |deadline| case.story.ran_out(deadline);
    let pong = ran_out(Deadline::Pong).map(|(at, millis)| ("our ping was not answered", at, millis));
    pong.or_else(|| ran_out(Deadline::Write).map(|(at, millis)| ("what we wrote did not get through", at, millis)))
}

/// What TCP held when we gave up.
fn held(case: &Case<'_>) -> Option<(Moment, TcpQueues)> {
    let (at, queues) = case.story.queues?;
    Some((at, queues?))
}

/// The other end's system takes what we send, and its program does not react.
pub(super) fn blocked(case: &Case<'_>, ending: Ending) -> Option<Found> {
    let (what, at, millis) = waited(case, ending)?;
    let queues = held(case);
    let is_taken = queues.is_some_and(|(_, queues)| queues.unacknowledged_bytes == 0 || queues.is_window_closed);
    let is_unread = queues.is_some_and(|(_, queues)| queues.peer_unread_bytes.is_some_and(|bytes| bytes > 0));
    let hangs = case.plain_get().filter(|(_, outcome)| **outcome == ProbeOutcome::Silent).map(|(at, _)| at);
    let answers = case.plain_get().filter(|(_, outcome)| matches!(outcome, ProbeOutcome::Answered { .. }));
    if hangs.is_none() && !is_taken && !is_unread {
        return None;
    }
    let lasted = span(millis as f64);
    let mut found = if hangs.is_some() {
        Found::likely(format!(
            "The whole server hangs: {what} within {lasted}, and a plain GET on {} hangs as well; its process is blocked, \
             stopped or stands at a breakpoint.",
            case.port_words()
        ))
    } else if answers.is_some() {
        Found::possible(format!(
            "The server does not look at this connection any more: {what} within {lasted}, although its system took \
             everything and {} answers others.",
            case.port_words()
        ))
    } else if is_unread {
        Found::likely(format!(
            "The server's program does not read: {what} within {lasted}, although its system took everything that was sent."
        ))
    } else {
        Found::possible(format!(
            "Somebody still takes what we send, but {what} within {lasted}: the server's program is blocked, or something \
             on the way answers for it."
        ))
    };
    found = found.seen(at, format!("{what} within {lasted}"));
    if let Some((at, queues)) = queues {
        found = found.seen(at, format!("TCP holds {}", queues.words()));
    }
    if let Some(at) = hangs {
        found = found.seen(at, "a plain GET was accepted and not answered");
    }
    if let Some((at, _)) = answers {
        found = found.seen(at, "a plain GET was answered");
    }
    Some(found.or_if(hangs.is_none() && !is_unread, "network-loss", "see whether the server's machine answers at all"))
}

/// What we send is acknowledged no more.
pub(super) fn lost(case: &Case<'_>, ending: Ending) -> Option<Found> {
    let (what, at, millis) = waited(case, ending)?;
    let lasted = span(millis as f64);
    let blocked = "send a plain GET to the same port: does it hang as well?";
    let Some((seen, queues)) = held(case) else {
        return Some(
            Found::possible(format!(
                "Nothing comes back: {what} within {lasted}; the other end takes nothing in, or the network is gone. What \
                 TCP holds is not known on this system."
            ))
            .seen(at, format!("our time limit of {lasted} ran out"))
            .or("server-blocked", blocked),
        );
    };
    if queues.is_window_closed || queues.unacknowledged_bytes == 0 {
        return None;
    }
    let bytes = count(queues.unacknowledged_bytes, "byte");
    let again = if queues.retransmits > 0 {
        format!(", although they were sent again {}", count(queues.retransmits.into(), "time"))
    } else {
        String::new()
    };
    Some(
        Found::likely(format!(
            "The network between us is gone: {what} within {lasted}, and {bytes} of ours were never acknowledged{again}; \
             neither FIN nor RST came."
        ))
        .seen(at, format!("{what} within {lasted}"))
        .seen(seen, format!("TCP holds {}", queues.words()))
        .or("nat-state-lost", "connect again: if that works at once, something on the way had forgotten this connection"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Certainty;
    use crate::diagnosis::testing::{Scene, rivals};
    use crate::observation::Fact;

    fn unanswered(queues: impl Into<Option<TcpQueues>>) -> Scene {
        let queues = queues.into();
        let scene = Scene::confirmed().wait(5_000).client(&crate::wire::encode_frame(0x89, Some([1; 4]), b"sockeye 1"));
        scene
            .wait(10_000)
            .fact(Fact::TcpQueues { queues })
            .fact(Fact::TimedOut { deadline: Deadline::Pong, millis: 10_000 })
    }

    fn queues(unacknowledged_bytes: u64, retransmits: u32, peer_unread_bytes: Option<u64>) -> TcpQueues {
        TcpQueues { unacknowledged_bytes, retransmits, peer_unread_bytes, ..TcpQueues::default() }
    }

    #[test]
    fn retransmits_tell_a_dead_network_from_a_blocked_server() {
        let verdict = unanswered(queues(17, 5, None)).likely("network-timeout", "network-loss");
        assert!(verdict.summary.contains("sent again 5 times"), "{}", verdict.summary);
        assert!(rivals(&verdict).contains(&"nat-state-lost"));
        unanswered(queues(0, 0, Some(17))).likely("network-timeout", "server-blocked");
        unanswered(queues(0, 0, None)).gives("network-timeout", "server-blocked", Certainty::Possible);
        unanswered(None::<TcpQueues>).gives("network-timeout", "network-loss", Certainty::Possible);
    }

    #[test]
    fn a_plain_get_decides() {
        let hangs = unanswered(queues(0, 0, Some(17))).plain_get(ProbeOutcome::Silent);
        let verdict = hangs.likely("network-timeout", "server-blocked");
        assert!(verdict.summary.starts_with("The whole server hangs"), "{}", verdict.summary);
        let answered = ProbeOutcome::Answered { status: Some(426), preview: String::new(), tls: false };
        let alone = unanswered(queues(0, 0, Some(17))).plain_get(answered);
        alone.gives("network-timeout", "server-blocked", Certainty::Possible);
    }

    #[test]
    fn a_write_that_is_stuck_is_told_likewise() {
        let stuck = |queues| Scene::confirmed().fact(Fact::TcpQueues { queues }).ran_out(Deadline::Write, 10_000);
        stuck(Some(queues(9_000, 6, None))).likely("network-timeout", "network-loss");
        let closed = TcpQueues { unacknowledged_bytes: 9_000, is_window_closed: true, ..TcpQueues::default() };
        stuck(Some(closed)).gives("network-timeout", "server-blocked", Certainty::Possible);
    }

    #[test]
    fn our_pong_deadline_is_no_fault_of_the_server_while_it_talks() {
        let verdict = Scene::confirmed().fact(Fact::RoundTrip { micros: 80 }).verdict();
        assert_ne!(verdict.cause, "network-loss");
    }
}
