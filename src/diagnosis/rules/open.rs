//! After a good 101, with no Close frame that says why: who ended TCP, and is the server still there.

use super::{Found, Rule, keep_alive};
use crate::diagnosis::asked::listeners_words;
use crate::diagnosis::case::TcpEnd;
use crate::diagnosis::console::near::{exit_near, exit_words};
use crate::diagnosis::credential;
use crate::diagnosis::words::{after_milestone, capital, count, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{Deadline, Direction, Expect, Moment, ProbeOutcome};
use crate::wire::Cut;

/// The listener is gone: the most telling fact after an end.
pub(super) const DIED: &[Rule] = &[
    Rule::new("server-process-died", died).implies(&[
        "connection-terminated",
        "connection-reset",
        "tcp-refused",
        "undetermined",
    ]),
    Rule::new("server-blocked", blocked).implies(&["upgrade-unanswered", "network-loss"]),
];

pub(super) const RULES: &[Rule] = &[
    Rule::new("frame-truncated", truncated).implies(&["connection-terminated", "connection-reset"]),
    Rule::new("fragment-unfinished", unfinished).implies(&["connection-terminated", "connection-reset"]),
    Rule::new("connection-terminated", ended),
    Rule::new("connection-reset", ended),
    Rule::new("network-loss", lost),
    Rule::new("confirmation-mismatch", mismatch),
    Rule::new("confirmation-missing", missing),
];

/// Whether TCP ended with no Close of the server before it.
fn is_bare_end(ending: Ending) -> bool {
    matches!(ending, Ending::Fin | Ending::Rst | Ending::UpgradeCut)
}

fn died(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, _) = case.tcp_end()?;
    let Some(probed) = case.port_refuses() else {
        return exited(case, ending, at);
    };
    let word = case.tcp_end_words();
    let port = case.port_words();
    let drops_on_our_close = ending == Ending::ClosedUnclean && case.story.close_received.is_none();
    let is_cause = is_bare_end(ending) || drops_on_our_close;
    let summary = if is_cause {
        let when = after_milestone(case, at);
        let how = match ending {
            Ending::UpgradeCut if case.story.answer.bytes_seen == 0 => "without a byte of an answer",
            Ending::UpgradeCut => "in the middle of its answer",
            Ending::ClosedUnclean => &*format!("in place of an answer to {} Close", case.our()),
            _ => "no Close frame",
        };
        format!("The server process died {when}: TCP ended with {word}, {how}, and {port} now refuses connections.")
    } else {
        format!("After the connection was over the server was gone too: {port} refuses connections.")
    };
    let mut found = Found::certain(summary)
        .seen(at, format!("TCP ended with {word}"))
        .seen(probed, format!("{port} refused a new connection {} later", span(probed.millis_since(at))));
    if let Some((at, cut)) = case.story.cut {
        found = found.seen(at, cut_words(cut));
    }
    if let (Some(before), Some(_)) = (case.listeners_before(), case.nobody_listens())
        && !before.is_empty()
    {
        found = found
            .seen(probed, format!("while we were connected, {} listened", listeners_words(before, case.unix_at(at))));
    }
    if let Some(exit) = exit_near(case, at) {
        found.summary = format!("{} {}.", found.summary, capital(&exit_words(case, exit)));
        found = found.seen(exit.at, exit_words(case, exit));
        let was_killed = exit.status.signal_number() == Some(9);
        found = found.or_if(was_killed, "out-of-memory", "ask the system whether it killed for memory: journalctl -k");
        let aborted = exit.status.signal_number() == Some(6);
        found = found.or_if(aborted, "out-of-memory", "look in the console for “heap out of memory”");
    }
    Some(found.cause_if(is_cause))
}

/// The process that we had started ended with the connection, and no probe has said whether the port still accepts.
fn exited(case: &Case<'_>, ending: Ending, at: Moment) -> Option<Found> {
    let exit = exit_near(case, at).filter(|_| is_bare_end(ending) && case.port_accepts().is_none())?;
    let (how, word) = (exit_words(case, exit), case.tcp_end_words());
    let when = after_milestone(case, at);
    let summary = format!("The server process died {when}: {how}, and TCP ended with {word}, no Close frame.");
    Some(Found::certain(summary).seen(exit.at, how).seen(at, format!("TCP ended with {word}")))
}

fn blocked(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if ending == Ending::NetworkTimeout {
        return keep_alive::blocked(case, ending);
    }
    let (probed, outcome) = case.plain_get()?;
    if *outcome != ProbeOutcome::Silent {
        return None;
    }
    let waits = [Deadline::Upgrade, Deadline::Close];
    let (at, millis) = waits.into_iter().find_map(|deadline| case.story.ran_out(deadline))?;
    let what = match ending {
        Ending::UpgradeUnanswered if case.story.answer.bytes_seen == 0 => &*format!("{} request", case.our()),
        Ending::ClosedUnclean if case.story.close_received.is_none() => &*format!("{} Close frame", case.our()),
        Ending::Unconfirmed => "anything",
        _ => return None,
    };
    Some(
        Found::likely(format!(
            "The whole server hangs: it did not answer {what} within {}, and a plain GET on {} hangs as well; its process is \
             blocked, stopped or stands at a breakpoint.",
            span(millis as f64),
            case.port_words()
        ))
        .seen(at, format!("our time limit of {} ran out", span(millis as f64)))
        .seen(probed, "a plain GET was accepted and not answered")
        .or_if(ending == Ending::UpgradeUnanswered, "upgrade-unanswered", "look at the process: does it use the CPU, does it read?"),
    )
}

/// `1024 bytes were announced, 10 came`.
fn cut_words(cut: Cut) -> String {
    match cut {
        Cut::Header { received, .. } => {
            format!("a frame's header was cut off after {}", count(received.into(), "byte"))
        }
        Cut::Payload { declared, received, .. } => {
            format!("a frame announced {} and {received} came", count(declared, "byte"))
        }
        Cut::Fragment { frames, received } => {
            format!(
                "a message was begun in {} ({}) and not finished",
                count(frames, "fragment"),
                count(received, "byte")
            )
        }
    }
}

/// Whether the port is alive, as a clause, with what shows it.
fn port_clause(case: &Case<'_>) -> &'static str {
    if case.port_accepts().is_some() { ", while the port still accepts connections" } else { "" }
}

fn truncated(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, cut) = case.story.cut?;
    let (Cut::Payload { offset, .. } | Cut::Header { offset, .. }) = cut else {
        return None;
    };
    if case.we_ended_before(at) {
        return None;
    }
    let found = Found::certain(format!(
        "TCP ended with {} in the middle of a frame, {}: {}{}.",
        case.tcp_end_words(),
        after_milestone(case, at),
        cut_words(cut),
        port_clause(case)
    ))
    .seen_at(at, Direction::ServerToClient, offset, cut_words(cut));
    Some(who_cut(case, found, at).cause_if(is_bare_end(ending)))
}

fn unfinished(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, cut) = case.story.cut?;
    let (Cut::Fragment { .. }, false) = (cut, case.we_ended_before(at)) else {
        return None;
    };
    let found = Found::certain(format!(
        "TCP ended with {} in the middle of a fragmented message, {}: {}{}.",
        case.tcp_end_words(),
        after_milestone(case, at),
        cut_words(cut),
        port_clause(case)
    ))
    .seen(at, cut_words(cut));
    Some(who_cut(case, found, at).cause_if(is_bare_end(ending)))
}

/// What the probe showed, and who else may have ended the connection.
fn who_cut(case: &Case<'_>, mut found: Found, at: Moment) -> Found {
    found = found.seen(at, format!("TCP ended with {}", case.tcp_end_words()));
    if let Some(probed) = case.port_accepts() {
        found = found.seen(probed, format!("{} still accepts connections", case.port_words()));
    }
    found
        .or_if(case.tcp_after().is_none(), "server-process-died", "connect again and see whether the port refuses")
        .or("handler-exception", "attach the server's console and repeat")
}

fn ended(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let (at, end) = case.tcp_end()?;
    let own = match (ending, end) {
        (Ending::Fin, TcpEnd::Fin) => "connection-terminated",
        (Ending::Rst, TcpEnd::Rst) => "connection-reset",
        _ => return None,
    };
    if own != id || case.port_refuses().is_some() {
        return None;
    }
    let when = after_milestone(case, at);
    let port = case.port_words();
    let word = case.tcp_end_words();
    let verb = if end == TcpEnd::Fin { "ended" } else { "reset" };
    let mut found = match case.port_accepts() {
        Some(probed) => Found::likely(format!(
            "This connection alone was {verb} {when}: TCP ended with {word}, no Close frame, and {port} still accepts \
             connections."
        ))
        .seen(at, format!("{word}, with no Close frame in either direction"))
        .seen(probed, format!("{port} still accepts connections")),
        None => Found::possible(format!(
            "The connection was {verb} {when}: TCP ended with {word} and no Close frame; whether the server is still there \
             was not asked."
        ))
        .seen(at, format!("{word}, with no Close frame in either direction")),
    };
    if let Some((failed, failure)) = &case.story.write_failed {
        found = found.seen(*failed, format!("writing failed: {}", failure.text));
    }
    let silence = case.silence_before(at);
    let opened = case.opened_at().unwrap_or(at);
    let is_early = at.millis_since(opened) <= 1_000.0;
    let fault = credential::faults(case, at).into_iter().next();
    let fault = fault.filter(|fault| is_early || fault.id == "jwt-expired-mid-session");
    if let Some(fault) = &fault {
        // The same end without any token does not excuse the token: a server that wants one cuts both.
        found = found.or(fault.id, "repeat with a good token, and look at the server's console");
    }
    if case.tcp_after().is_none() {
        found = found.or("server-process-died", "connect again and see whether the port refuses");
    }
    found = found.or("handler-exception", "attach the server's console and repeat");
    if silence >= SILENCE_MILLIS {
        found = found.seen(at, format!("nothing had travelled for {} before", span(silence)));
        if id == "connection-terminated" {
            found = found
                .or(
                    "idle-timeout",
                    format!("run the idle lab: does a connection that pings outlive {}?", span(silence)),
                )
                .or("heartbeat-terminate", "repeat, and compare the age at which it ends");
        } else {
            found = found.or("nat-state-lost", "repeat with --ping 20 and see whether it lasts");
        }
    }
    let is_same = case.same_process().is_some();
    Some(found.or_if(!is_same, "server-restarted", "compare the process id of the server before and after"))
}

/// From this much silence on, time-outs are worth a thought.
const SILENCE_MILLIS: f64 = 2_000.0;

fn lost(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if ending != Ending::NetworkTimeout {
        return None;
    }
    if let Some((at, TcpEnd::Silence)) = case.tcp_end() {
        return Some(
            Found::likely(
                "Nobody acknowledged what was sent until TCP gave up: the network between here and the server is gone.",
            )
            .seen(at, "TCP gave up waiting for the other end")
            .or("server-blocked", "see whether the server's machine answers at all"),
        );
    }
    keep_alive::lost(case, ending)
}

fn expected(case: &Case<'_>) -> String {
    match case.plan().map(|plan| &plan.expect) {
        Some(Expect::Contains { text }) => format!("a text that contains \u{201c}{}\u{201d}", case.quote(text, 80)),
        Some(Expect::JsonPointer { pointer, value }) => {
            format!("JSON with {} at {}", case.quote(value, 80), case.quote(pointer, 80))
        }
        Some(Expect::Regex { pattern }) => format!("a text that matches /{}/", case.quote(pattern, 80)),
        Some(Expect::First | Expect::None) | None => "a first message".to_owned(),
    }
}

fn mismatch(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let confirmation = case.story.confirmation.as_ref().filter(|c| !c.ok && ending == Ending::Unconfirmed)?;
    let came = confirmation.preview.as_ref()?;
    let wanted = expected(case);
    let at = case.story.first_message.as_ref().map_or(confirmation.at, |(at, _)| *at);
    Some(
        Found::certain(format!(
            "The first message is not the confirmation that was expected: \u{201c}{}\u{201d} came, {wanted} was wanted.",
            case.quote(came, 120)
        ))
        .seen_at(at, Direction::ServerToClient, 0, format!("what came: {}", case.quote(came, 240)))
        .seen(confirmation.at, format!("what was expected: {wanted}")),
    )
}

fn missing(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if ending != Ending::Unconfirmed || case.story.confirmation.as_ref().is_some_and(|c| c.preview.is_some()) {
        return None;
    }
    let opened = case.opened_at()?;
    let at = case.story.confirmation.as_ref().map_or(case.story.last_at, |confirmation| confirmation.at);
    let answered = case.pong_since(opened);
    let alive = if answered { " and the server answers pings" } else { "" };
    let came = case.story.received.data_frames;
    let nothing = if came == 0 { "no message came" } else { "no message that matches came" };
    let mut found = Found::certain(format!(
        "The connection is open{alive}, but {nothing} within {} of the 101.",
        span(at.millis_since(opened))
    ))
    .seen(opened, "the 101 passed every check")
    .seen(at, format!("{} had come; expected: {}", count(came, "data frame"), expected(case)));
    if let Some(pong) = case.story.received.last_pong_at {
        found = found.seen(pong, "a ping was answered");
    }
    let fault = credential::faults(case, at).into_iter().next();
    if let Some(fault) = fault {
        // The same end without any token does not excuse the token: a server that wants one cuts both.
        found = found.or(fault.id, "repeat with a good token, and look at the server's console");
    }
    Some(found.or("handler-exception", "attach the server's console and repeat").or_if(
        !answered,
        "server-blocked",
        "send a plain GET to the same port: does it hang as well?",
    ))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::Certainty;
    use crate::diagnosis::testing::{Scene, failure, finds, rivals};
    use crate::observation::{CloseOrigin, Deadline, Expect, Fact, IoKind, ProbeOutcome, ReadEnd};

    #[test]
    fn the_port_tells_a_dead_process_from_a_cut_connection() {
        let fin = Scene::confirmed().wait(11).fin();
        let verdict = fin.clone().refuses().certain("fin", "server-process-died");
        assert_eq!(
            verdict.summary,
            "The server process died 12 ms after it confirmed the connection: TCP ended with FIN, no Close frame, and port \
             3001 now refuses connections."
        );
        let verdict = fin.clone().accepts().likely("fin", "connection-terminated");
        assert!(rivals(&verdict).contains(&"handler-exception") && !rivals(&verdict).contains(&"server-process-died"));
        let verdict = fin.gives("fin", "connection-terminated", Certainty::Possible);
        assert!(rivals(&verdict).contains(&"server-process-died"), "{verdict:#?}");
    }

    #[test]
    fn rst_is_told_likewise() {
        let rst = Scene::open().rst();
        rst.clone().refuses().certain("rst", "server-process-died");
        rst.clone().accepts().likely("rst", "connection-reset");
        rst.gives("rst", "connection-reset", Certainty::Possible);
        let aborted = Fact::ReadEnded(ReadEnd::Failed(failure(IoKind::Aborted)));
        Scene::open().fact(aborted).accepts().likely("rst", "connection-reset");
    }

    #[test]
    fn nothing_says_crash_by_fin_or_rst_alone() {
        for scene in [Scene::open().fin(), Scene::open().rst(), Scene::confirmed().fin(), Scene::asked().fin()] {
            let verdict = scene.is_not("server-process-died");
            assert!(!verdict.summary.contains("died"), "{}", verdict.summary);
        }
    }

    #[test]
    fn silence_before_fin_makes_time_outs_rivals_only() {
        let verdict = Scene::confirmed().wait(45_000).fin().accepts().likely("fin", "connection-terminated");
        assert!(rivals(&verdict).contains(&"idle-timeout"), "{verdict:#?}");
        let verdict = Scene::confirmed().wait(500).fin().accepts().verdict();
        assert!(!rivals(&verdict).contains(&"idle-timeout"), "{verdict:#?}");
    }

    #[test]
    fn an_end_within_a_frame_or_a_message() {
        let half = Scene::confirmed().server(b"\x82\x7e\x04\x00half of it").fin();
        half.clone().accepts().certain("fin", "frame-truncated");
        let verdict = half.clone().refuses().certain("fin", "server-process-died");
        assert!(finds(&verdict, "frame-truncated"), "{verdict:#?}");
        let header = Scene::confirmed().server(b"\x82").fin().accepts().certain("fin", "frame-truncated");
        assert!(!finds(&header, "connection-terminated"), "{header:#?}");
        let begun = Scene::confirmed().server(b"\x01\x05Hello").fin();
        begun.clone().accepts().certain("fin", "fragment-unfinished");
        let verdict = begun.refuses().certain("fin", "server-process-died");
        assert!(finds(&verdict, "fragment-unfinished"), "{verdict:#?}");
        Scene::confirmed().server(b"\x82\x02ab").fin().accepts().is_not("frame-truncated");
    }

    #[test]
    fn the_network_gives_up() {
        let gone = Fact::ReadEnded(ReadEnd::Failed(failure(IoKind::TimedOut)));
        Scene::confirmed().fact(gone).likely("network-timeout", "network-loss");
        let stuck = Scene::confirmed().ran_out(Deadline::Write, 10_000);
        stuck.gives("network-timeout", "network-loss", Certainty::Possible);
        stuck.plain_get(ProbeOutcome::Silent).likely("network-timeout", "server-blocked");
    }

    fn unconfirmed(expect: Expect, mismatch: Option<&str>) -> Scene {
        Scene::open()
            .plan(|plan| plan.expect = expect)
            .ran_out(Deadline::Confirm, 1_000)
            .fact(Fact::ConfirmationFailed { mismatch: mismatch.map(str::to_owned) })
    }

    #[test]
    fn confirmation_missing_or_another() {
        let mute = unconfirmed(Expect::First, None).server(b"\x8a\x00");
        let closed = mute.clone().we_close(CloseOrigin::Unconfirmed).server_close(1000, "").fin();
        let verdict = closed.certain("unconfirmed", "confirmation-missing");
        assert!(verdict.summary.contains("answers pings"), "{}", verdict.summary);
        let wanted = Expect::Contains { text: "ready".to_owned() };
        let other = unconfirmed(wanted, Some("Agent not found"));
        let closed = other.we_close(CloseOrigin::Unconfirmed).server_close(1000, "");
        let verdict = closed.certain("unconfirmed", "confirmation-mismatch");
        assert!(
            verdict.summary.contains("Agent not found") && verdict.summary.contains("ready"),
            "{}",
            verdict.summary
        );
        mute.clone().closed_by_server(1011, "").certain("closed", "close-1011");
        mute.fin().accepts().likely("fin", "connection-terminated");
    }

    #[test]
    fn a_blocked_server_answers_neither_close_nor_get() {
        let mute = unconfirmed(Expect::First, None).we_close(CloseOrigin::Unconfirmed).ran_out(Deadline::Close, 1_000);
        assert_eq!(mute.next_probes().len(), 1);
        mute.clone().plain_get(ProbeOutcome::Silent).likely("unconfirmed", "server-blocked");
        let answered = ProbeOutcome::Answered { status: Some(426), preview: String::new(), tls: false };
        let verdict = mute.plain_get(answered).certain("unconfirmed", "confirmation-missing");
        assert!(finds(&verdict, "peer-never-answers-close"), "{verdict:#?}");
    }
}
