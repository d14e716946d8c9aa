//! The only clock of the window.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds by the wall clock.
#[expect(clippy::disallowed_methods, reason = "the window's one reading of the wall clock")]
pub(crate) fn unix_millis() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}
