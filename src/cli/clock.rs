//! The command line's two looks at a clock: how long it has waited, and what time it is.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01Z.
#[expect(clippy::disallowed_methods, reason = "a token on the command line is judged by the wall clock")]
pub(super) fn unix_secs() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// The moment from which a wait is measured.
#[expect(clippy::disallowed_methods, reason = "progress is shown once a second")]
pub(super) fn now() -> Instant {
    Instant::now()
}
