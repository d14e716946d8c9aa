//! The server's clock, as the `Date` of its answer tells it, against ours (RFC 9110 §6.6.1).

use std::time::UNIX_EPOCH;

use super::Story;

/// How far the server's clock is ahead of ours, in seconds: somewhere between two bounds.
///
/// `Date` has whole seconds, and was written at some moment between our request and its answer: the bounds are a second and
/// that span apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServerClock {
    /// At least; negative where it may be behind.
    pub least_secs: f64,
    /// At most.
    pub most_secs: f64,
}

impl ServerClock {
    /// Reads it from a story; `None` if there is no readable `Date`, or the session's beginning is not known.
    pub fn of(story: &Story) -> Option<Self> {
        let (answered, head) = story.answer.head.as_ref()?;
        let date = httpdate::parse_http_date(head.value("date")?).ok()?;
        let date = date.duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
        let began = story.plan.as_ref().map(|plan| plan.began_unix_millis).filter(|began| *began > 0)?;
        let ours = |at: crate::observation::Moment| began as f64 / 1e3 + at.as_millis() / 1e3;
        let asked = story.request.as_ref().map_or(*answered, |request| request.at);
        Some(Self { least_secs: date - ours(*answered), most_secs: date + 1.0 - ours(asked) })
    }

    /// The middle of the bounds.
    pub fn middle_secs(self) -> f64 {
        self.least_secs.midpoint(self.most_secs)
    }

    /// How far the truth can be from the middle.
    pub fn uncertainty_secs(self) -> f64 {
        (self.most_secs - self.least_secs) / 2.0
    }

    /// Whether the two clocks may well show the same.
    pub fn may_agree(self) -> bool {
        self.least_secs <= 0.0 && self.most_secs >= 0.0
    }

    /// The difference in words: `agrees with ours (±0.5 s)`, `is 3601.2 s ahead of ours (±0.5 s)`.
    pub fn words(self) -> String {
        let uncertainty = self.uncertainty_secs().max(0.05);
        if self.may_agree() {
            return format!("agrees with ours (±{uncertainty:.1} s)");
        }
        let middle = self.middle_secs();
        let way = if middle > 0.0 { "ahead of" } else { "behind" };
        format!("is {:.1} s {way} ours (±{uncertainty:.1} s)", middle.abs())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::observation::{Direction, Fact, Moment};
    use crate::wire::Decoder;

    fn story(date: &str, asked: u64, answered: u64) -> Story {
        let mut story = Story::default();
        let mut decoder = Decoder::default();
        let mut push = |at: u64, direction, text: &str| {
            let data = bytes::Bytes::copy_from_slice(text.as_bytes());
            story.apply(&mut decoder, Moment::from_millis(at), &Fact::Bytes { direction, data }, &mut |_| {});
        };
        push(asked, Direction::ClientToServer, "GET / HTTP/1.1\r\nHost: h\r\n\r\n");
        push(answered, Direction::ServerToClient, &format!("HTTP/1.1 404 x\r\nDate: {date}\r\n\r\n"));
        // 2026-11-27 06:00:00.250 UTC.
        let plan = serde_json::json!({
            "url": "ws://h/", "target": null, "began_unix_millis": 1_795_759_200_250_i64, "token_place": null,
            "credentials": false, "origin": null, "subprotocols": [], "expect": {"rule": "none"},
            "time_outs": {"connect_millis": 1, "upgrade_millis": 1, "confirm_millis": 1, "close_millis": 1, "grace_millis": 1},
            "limit_bytes": 1, "insecure": false, "family": "auto", "probes": false,
        });
        story.plan = Some(Arc::new(serde_json::from_value(plan).unwrap()));
        story
    }

    #[test]
    fn the_bounds_hold_the_second_and_the_way() {
        let clock = ServerClock::of(&story("Fri, 27 Nov 2026 06:00:00 GMT", 100, 300)).unwrap();
        assert!((clock.least_secs + 0.55).abs() < 1e-6 && (clock.most_secs - 0.65).abs() < 1e-6, "{clock:?}");
        assert!(clock.may_agree());
        assert_eq!(clock.words(), "agrees with ours (±0.6 s)");
        let ahead = ServerClock::of(&story("Fri, 27 Nov 2026 07:00:00 GMT", 100, 300)).unwrap();
        assert!(ahead.words().starts_with("is 3600.1 s ahead of ours"), "{}", ahead.words());
        let behind = ServerClock::of(&story("Fri, 27 Nov 2026 05:59:00 GMT", 0, 0)).unwrap();
        assert!(behind.words().contains("behind ours") && !behind.may_agree(), "{}", behind.words());
    }

    #[test]
    fn what_is_no_date_is_not_known() {
        assert_eq!(ServerClock::of(&story("yesterday", 1, 2)), None);
        assert_eq!(ServerClock::of(&Story::default()), None);
    }
}
