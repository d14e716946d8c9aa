//! What we did ourselves: the user's wish, our limits, our pauses. None of it is laid on the server.

use super::{Found, Rule};
use crate::diagnosis::words::span;
use crate::diagnosis::{Case, Ending};
use crate::observation::{CloseOrigin, Deadline, Direction, Limit};

pub(super) const RULES: &[Rule] = &[
    Rule::new("frame-huge", frame_huge),
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
    (ending == Ending::EndedByUs && is_huge).then(|| {
        Found::certain(format!(
            "The server announced a frame of {actual} bytes, which no client will hold, so we ended the connection; \
             usually the two sides have lost step."
        ))
        .seen_at(at, Direction::ServerToClient, frames_before(case), format!("announced length: {actual} bytes"))
        .seen(at, format!("our limit: {limit_bytes} bytes"))
    })
}

/// Where the frame that passed the limit probably begins: the last byte that was counted.
fn frames_before(case: &Case<'_>) -> u64 {
    match case.story.cut {
        Some((_, crate::wire::Cut::Payload { offset, .. })) => offset,
        Some((_, crate::wire::Cut::Header { .. } | crate::wire::Cut::Fragment { .. })) | None => 0,
    }
}

fn our_size(case: &Case<'_>, ending: Ending) -> Option<Found> {
    let (at, limit, limit_bytes, actual) = case.story.limit_passed?;
    let what = match limit {
        Limit::Frame => "frame",
        Limit::Message => "message",
        Limit::ResponseHead | Limit::ResponseBody => return None,
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
        found = found.seen_at(close.at, Direction::ClientToServer, close.info.offset, "our Close frame");
    }
    Some(found)
}
