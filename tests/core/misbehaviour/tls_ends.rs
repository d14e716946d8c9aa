//! The ways in which TLS and the TCP below it end: with `close_notify` or not, and what comes after it.

use super::{ENDED, Misbehaviour, Then, after_101};

/// A text, and an end.
fn hi(name: &'static str, then: Then, facts: &[&'static str]) -> Misbehaviour {
    after_101(name, *b"\x81\x02hi", then, &["81 2 hi"], &[], facts)
}

pub(super) fn rows() -> Vec<Misbehaviour> {
    vec![
        hi("FIN without close_notify", Then::FinAlone, ENDED),
        hi(
            "close_notify, then RST",
            Then::NotifyAndReset,
            &["opened", "end close-notify", "transport reset", "we closed"],
        ),
        hi(
            "close_notify, FIN when ours has come",
            Then::NotifyAndWait,
            &["opened", "end close-notify", "transport fin", "we closed"],
        ),
        hi(
            "close_notify, and TCP left open",
            Then::NotifyAndStay,
            &["opened", "end close-notify", "time-out tcp-end", "we closed"],
        ),
        after_101(
            "close_notify amid a payload, FIN when ours has come",
            *b"\x81\x05he",
            Then::NotifyAndWait,
            &["81 5 he", "cut payload @0, 2 of 5"],
            &[],
            &["opened", "end close-notify", "transport fin", "we closed"],
        ),
        after_101(
            "a TLS record cut in half",
            *b"\x81\x7E\x01\x00and two hundred and fifty-six bytes were to come",
            Then::CutRecord,
            &[],
            &[],
            ENDED,
        ),
        after_101(
            "a Close, and FIN without close_notify",
            *b"\x88\x02\x03\xE8",
            Then::FinAlone,
            &["88 2 1000"],
            &["88 2 1000"],
            ENDED,
        ),
        after_101(
            "a Close and close_notify, and TCP left open",
            *b"\x88\x02\x03\xE8",
            Then::NotifyAndStay,
            &["88 2 1000"],
            &["88 2 1000"],
            &["opened", "end close-notify", "time-out tcp-end", "we closed"],
        ),
    ]
}
