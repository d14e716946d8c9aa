//! Proxies, keep-alive and reconnecting in words: the phrases and the fields of their facts.

use super::row_text::Role;
use crate::observation::{KeepAlivePlan, TcpQueues, TunnelFailure};
use crate::ui::units;
use crate::wire::ProxyKind;
use std::time::Duration;

/// A row's word, its weight, its phrase.
type Words = (&'static str, Role, String);

pub(super) fn asks(kind: ProxyKind, request: &str) -> Words {
    ("proxy", Role::Event, format!("asks the {}: {}", kind.words(), first_line(request)))
}

pub(super) fn opened(response: &str) -> Words {
    ("proxy", Role::Ok, format!("gives a way: {}", first_line(response)))
}

pub(super) fn round_trip(micros: u64) -> Words {
    ("round trip", Role::Control, format!("{} from ping to pong", units::span(Duration::from_micros(micros))))
}

pub(super) fn queues(queues: Option<TcpQueues>) -> Words {
    let unknown = || "this system does not tell what TCP holds".to_owned();
    ("tcp", Role::Event, queues.map_or_else(unknown, TcpQueues::words))
}

pub(super) fn reconnect(number: u32, millis: u64) -> Words {
    let pause = units::span(Duration::from_millis(millis));
    ("reconnect", Role::Event, format!("connects again in {pause} (number {number})"))
}

/// The fields of a refusal of a proxy.
pub(super) fn refusal_fields(failure: &TunnelFailure) -> Vec<(&'static str, String)> {
    let mut fields = vec![("Failure", failure.text.clone())];
    if !failure.response.is_empty() {
        fields.push(("Answered", failure.response.trim_end().to_owned()));
    }
    fields
}

/// The fields of what TCP holds.
pub(super) fn queues_fields(queues: Option<TcpQueues>) -> Vec<(&'static str, String)> {
    let Some(queues) = queues else {
        return vec![("Queues", "not known: this system does not tell".to_owned())];
    };
    vec![
        ("Not acknowledged", units::size(queues.unacknowledged_bytes)),
        ("Sent again in vain", format!("{} times in a row", queues.retransmits)),
        ("Unread here", units::size(queues.unread_bytes)),
        ("Unread at the server", queues.peer_unread_bytes.map_or_else(|| "not known".to_owned(), units::size)),
        ("Its window", if queues.is_window_closed { "closed" } else { "open" }.to_owned()),
    ]
}

/// How a connection is kept alive, in a phrase.
pub(super) fn keep_alive_words(plan: &KeepAlivePlan) -> String {
    let span = |millis| units::span(Duration::from_millis(millis));
    let mut words = match plan.ping_millis {
        Some(ping) => format!("a ping each {}, its pong within {}", span(ping), span(plan.pong_millis)),
        None => "no pings".to_owned(),
    };
    if plan.withholds_pongs {
        words.push_str("; pings of the server are left unanswered");
    }
    if plan.reconnects > 0 {
        words = format!("{words}; connection number {} after the first", plan.reconnects);
    }
    words
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
