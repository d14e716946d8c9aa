//! What we did ourselves: the user's wish, our limits, our pauses. None of it is laid on the server.

use super::{Found, Rule, browser};
use crate::diagnosis::words::span;
use crate::diagnosis::{Case, Ending};
use crate::observation::{CloseOrigin, Deadline, Direction, Limit, Moment, ReadEnd};
use crate::wire::Cut;

pub(super) const RULES: &[Rule] = &[
    Rule::new("frame-huge", frame_huge),
    Rule::new("decompression-bomb", decompression_bomb),
    Rule::new("our-limit", |case, ending, _| our_size(case, ending).or_else(|| our_pause(case, ending))).implies(&[
        "confirmation-missing",
        "peer-never-answers-close",
        "upgrade-unanswered",
        "upgrade-trickle",
        "server-blocked",
        "network-loss",
    ]),
    Rule::new("ended-by-user", ended_by_user),
];

/// From here on an announced length is absurd, whatever the limit.
const HUGE_BYTES: u64 = 1 << 31;

fn frame_huge(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, limit, limit_bytes, actual) = case.story.limit_passed?;
    let is_huge = matches!(limit, Limit::Frame | Limit::Message) && actual >= HUGE_BYTES;
    if ending != Ending::EndedByUs || !is_huge {
        return None;
    }
    let found = Found::certain(format!(
        "The server announced a frame of {actual} bytes, which no client will hold, so we ended the connection; usually the \
         two sides have lost step."
    ));
    let announced = format!("announced length: {actual} bytes");
    let found = match case.story.cut {
        Some((_, Cut::Payload { offset, .. })) => found.seen_at(at, Direction::ServerToClient, offset, announced),
        Some((_, Cut::Header { .. } | Cut::Fragment { .. })) | None => found.seen(at, announced),
    };
    Some(found.seen(at, format!("our limit: {limit_bytes} bytes")))
}

/// Whether inflating blew a message up as no real data does.
fn is_bomb(wire_bytes: u64, inflated_bytes: u64) -> bool {
    inflated_bytes >= wire_bytes.saturating_mul(100)
}

fn decompression_bomb(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, limit, limit_bytes, actual) = case.story.limit_passed?;
    let Limit::Inflated { wire_bytes } = limit else { return None };
    (ending == Ending::EndedByUs && is_bomb(wire_bytes, actual)).then(|| {
        let times = actual / wire_bytes.max(1);
        Found::certain(format!(
            "A compressed message of the server inflates to more than {times} times its size and passed our limit of \
             {limit_bytes} bytes, so we ended the connection: a decompression bomb."
        ))
        .seen(at, format!("{wire_bytes} bytes on the wire had become {actual}"))
        .seen(at, format!("our limit: {limit_bytes} bytes"))
    })
}

fn our_size(case: &Case<'_>, ending: Ending) -> Option<Found> {
    let (at, limit, limit_bytes, actual) = case.story.limit_passed?;
    let what = match limit {
        Limit::Frame => "frame",
        Limit::Message => "message",
        Limit::Inflated { wire_bytes } if !is_bomb(wire_bytes, actual) => "message (inflated)",
        Limit::Inflated { .. } | Limit::ResponseHead | Limit::ResponseBody => return None,
    };
    (ending == Ending::EndedByUs && actual < HUGE_BYTES).then(|| {
        Found::certain(format!(
            "We ended the connection: a {what} of {actual} bytes is longer than our limit of {limit_bytes} bytes; \
             the server did nothing wrong."
        ))
        .seen(at, format!("a {what} of {actual} bytes passed our limit of {limit_bytes}"))
    })
}

fn our_pause(case: &Case<'_>, ending: Ending) -> Option<Found> {
    let rests_on_silence = matches!(
        ending,
        Ending::Unconfirmed | Ending::ClosedUnclean | Ending::UpgradeUnanswered | Ending::NetworkTimeout
    );
    let since = case.story.paused_since?;
    let waited = [Deadline::Confirm, Deadline::Close, Deadline::Upgrade, Deadline::Write];
    let (at, _) = waited.into_iter().filter_map(|deadline| case.story.ran_out(deadline)).max()?;
    (rests_on_silence && case.was_deaf() && since <= at).then(|| {
        Found::certain(format!(
            "We were not reading for {} when our time limit ran out, so an answer may have waited unread; the server is \
             not to blame.",
            span(at.millis_since(since))
        ))
        .seen(since, "reading was paused by us")
        .seen(at, "our time limit ran out")
    })
}

fn ended_by_user(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if ending != Ending::EndedByUs {
        return None;
    }
    let (at, by) = case.story.close_begun?;
    let summary = match by {
        CloseOrigin::Client if browser::is_the_pages(case, ending) => return None,
        CloseOrigin::Client => return client_ended(case, at),
        CloseOrigin::Abort => "You dropped the connection without a Close frame.",
        CloseOrigin::Shutdown => "The program was ended and took the connection with it.",
        CloseOrigin::User | CloseOrigin::WatchEnded | CloseOrigin::Unconfirmed
            if case.story.close_received.is_some() =>
        {
            "You closed the connection, and the server answered."
        }
        CloseOrigin::User | CloseOrigin::WatchEnded | CloseOrigin::Unconfirmed => "You ended the connection.",
        CloseOrigin::Limit | CloseOrigin::Violation => return None,
    };
    let mut found = Found::certain(summary).seen(at, "we began to end the connection");
    if let Some(close) = &case.story.close_sent {
        found = found.seen_at(
            close.at,
            Direction::ClientToServer,
            close.info.offset,
            format!("{} Close frame", case.our()),
        );
    }
    Some(found)
}

/// The client that we stand between ended the connection of its own accord.
fn client_ended(case: &Case<'_>, at: Moment) -> Option<Found> {
    let story = case.story;
    if let Some(close) = &story.close_sent {
        let code = close.info.code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
        let reason = case.reason_words(close);
        let answered = if story.close_received.is_some() { ", and the server answered" } else { "" };
        let is_complaint = matches!(close.info.code, Some(1002 | 1003 | 1007 | 1009 | 1010 | 1011));
        let found = if is_complaint {
            Found::likely(format!(
                "The client failed the connection with {code} {reason}: it did not take what the server sent, or missed \
                 something from it."
            ))
        } else {
            Found::certain(format!("The client closed the connection with {code} {reason}{answered}."))
        };
        return Some(found.seen_at(close.at, Direction::ClientToServer, close.info.offset, "the client's Close frame"));
    }
    let (ended, end) = story.client_end.as_ref()?;
    let how = match end {
        ReadEnd::Fin | ReadEnd::CloseNotify => "ended TCP (FIN)",
        ReadEnd::Reset => "reset TCP (RST)",
        ReadEnd::Failed(_) => "went away",
    };
    let found = Found::certain(format!(
        "The client {how} without a Close frame; the server did nothing wrong, and sees 1006 for it."
    ));
    Some(found.seen((*ended).max(at), format!("the client {how}")))
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::testing::Scene;
    use crate::observation::{CloseOrigin, Deadline, Fact, Limit};

    #[test]
    fn our_limits_are_ours_unless_the_length_is_absurd() {
        Scene::confirmed().limit(Limit::Message, 65 << 20).client_close(1009).fin().certain("ended-by-us", "our-limit");
        let announced = Scene::confirmed().server(b"\x82\x7f\x00\x00\x00\x01\x00\x00\x00\x00begin");
        announced.limit(Limit::Message, 1 << 32).client_close(1009).fin().certain("ended-by-us", "frame-huge");
        Scene::confirmed().limit(Limit::Frame, (1 << 31) - 1).certain("ended-by-us", "our-limit");
        let inflated =
            |wire_bytes| Scene::confirmed().limit(Limit::Inflated { wire_bytes }, 65 << 20).client_close(1009);
        inflated(65 << 20 >> 6).certain("ended-by-us", "our-limit");
        inflated((65 << 20) / 100).certain("ended-by-us", "decompression-bomb");
    }

    #[test]
    fn abort_shutdown_and_close_are_the_users() {
        let by = |by| Scene::confirmed().fact(Fact::CloseBegun { by });
        by(CloseOrigin::Abort).certain("ended-by-us", "ended-by-user");
        by(CloseOrigin::Abort).fin().refuses().certain("ended-by-us", "ended-by-user");
        by(CloseOrigin::Shutdown).client_close(1001).certain("ended-by-us", "ended-by-user");
        let waiting = Scene::asked().fact(Fact::CloseBegun { by: CloseOrigin::Abort });
        waiting.certain("ended-by-us", "ended-by-user");
        let connecting = Scene::to("ws://127.0.0.1:3001/")
            .fact(Fact::TcpStarted { address: "127.0.0.1:3001".parse().unwrap() })
            .fact(Fact::CloseBegun { by: CloseOrigin::User });
        connecting.certain("ended-by-us", "ended-by-user");
        Scene::confirmed().fin().fact(Fact::CloseBegun { by: CloseOrigin::Abort }).is_not("ended-by-user");
    }

    #[test]
    fn silence_while_we_did_not_read_is_not_the_servers() {
        let closing = Scene::confirmed().fact(Fact::ReadPaused).we_close(CloseOrigin::WatchEnded);
        closing.ran_out(Deadline::Close, 4_000).certain("closed-unclean", "our-limit");
        let resumed =
            Scene::confirmed().fact(Fact::ReadPaused).fact(Fact::ReadResumed).we_close(CloseOrigin::WatchEnded);
        resumed.ran_out(Deadline::Close, 4_000).certain("closed-unclean", "peer-never-answers-close");
    }
}
