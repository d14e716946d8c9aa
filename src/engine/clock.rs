//! The two clocks of the machine, read here and handed on as moments.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::observation::Moment;

/// The clock of one session: monotonic, with moment 0 where it was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    began: Instant,
}

impl Clock {
    /// A clock whose moment 0 is now.
    pub(crate) fn start() -> Self {
        Self { began: instant() }
    }

    /// The moment that it is.
    pub(crate) fn now(&self) -> Moment {
        Moment(u64::try_from(instant().saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX))
    }
}

/// The wall clock, Unix milliseconds.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock for sessions")]
pub(crate) fn wall_clock_unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The monotonic clock, for time limits.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock for sessions")]
pub(crate) fn instant() -> Instant {
    Instant::now()
}
