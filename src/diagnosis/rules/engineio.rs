//! Engine.IO, the protocol below Socket.IO, met by a client that speaks only RFC 6455.

use serde_json::Value;

use super::{Found, Rule};
use crate::diagnosis::words::{count, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{Direction, Moment};

pub(super) const RULES: &[Rule] =
    &[Rule::new("engineio-ping-timeout", unanswered).implies(&["close-empty", "connection-terminated"])];

/// The opening packet of Engine.IO, protocol revision 4: `0{"sid":…,"pingInterval":…,"pingTimeout":…}`.
struct Opening {
    at: Moment,
    len_bytes: u64,
    ping_interval_millis: f64,
    ping_timeout_millis: f64,
}

fn opening(case: &Case<'_>) -> Option<Opening> {
    let (at, message) = case.story.first_message.as_ref()?;
    let json: Value = serde_json::from_slice(message.strip_prefix(b"0")?).ok()?;
    json.get("sid")?.as_str()?;
    let millis = |name: &str, default: f64| json.get(name).and_then(Value::as_f64).unwrap_or(default);
    Some(Opening {
        at: *at,
        len_bytes: message.len() as u64,
        ping_interval_millis: millis("pingInterval", 25_000.0),
        ping_timeout_millis: millis("pingTimeout", 20_000.0),
    })
}

fn unanswered(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let opening = opening(case)?;
    let (end, how) = match ending {
        Ending::Closed | Ending::ClosedUnclean => {
            let close = case.server_close().filter(|close| close.info.code.is_none())?;
            (close.at, "it closed with an empty Close frame")
        }
        Ending::Fin => (case.tcp_end()?.0, "it ended TCP"),
        _ => return None,
    };
    let age = end.millis_since(opening.at);
    let due = opening.ping_interval_millis + opening.ping_timeout_millis;
    let received = &case.story.received;
    let pings = received.messages.saturating_sub(1);
    // A ping is the text message `2`: one byte each, and nothing else came after the opening packet.
    let only_pings = pings > 0 && case.story.plain_bytes(Direction::ServerToClient) == opening.len_bytes + pings;
    let is_due = age + TIMER_MILLIS >= due;
    let is_mute = case.story.sent.data_frames == 0;
    let found = if is_mute && is_due {
        let summary = format!(
            "The server speaks Engine.IO (Socket.IO): it pings with the text message 2 every {}, got no 3 within {}, and {how} \
             {} after its opening packet.",
            span(opening.ping_interval_millis),
            span(opening.ping_timeout_millis),
            span(age)
        );
        if only_pings { Found::certain(summary) } else { Found::likely(summary) }
    } else if !is_mute && ending != Ending::Fin {
        Found::likely(format!(
            "The server speaks Engine.IO (Socket.IO), and what {} sent is not that: {how} {} after its opening packet.",
            case.we(),
            span(age)
        ))
        .or("close-empty", "see in the server's code who closes without a code")
    } else {
        return None;
    };
    let mut found = found.seen_at(
        opening.at,
        Direction::ServerToClient,
        0,
        format!(
            "the first message is Engine.IO's opening packet: pingInterval {}, pingTimeout {}",
            span(opening.ping_interval_millis),
            span(opening.ping_timeout_millis)
        ),
    );
    if is_mute {
        found = found.seen(end, format!("{} followed it, and {} sent none", count(pings, "message"), case.we()));
    }
    Some(match case.server_close() {
        Some(close) => found.seen_at(close.at, Direction::ServerToClient, close.info.offset, "the empty Close frame"),
        None => found.seen(end, "TCP ended without a Close frame"),
    })
}

/// How much earlier than announced a timer may seem to fire.
const TIMER_MILLIS: f64 = 100.0;
