//! The only clocks of the engine.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Unix milliseconds by the wall clock.
#[expect(clippy::disallowed_methods, reason = "the engine's one reading of the wall clock")]
pub(crate) fn unix_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// The clock that never jumps.
#[expect(clippy::disallowed_methods, reason = "the engine's one reading of the monotonic clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
