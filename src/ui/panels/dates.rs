//! Dates as people read them: local, UTC, and from now.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The local time of a NumericDate, with its offset: `2026-03-01 14:05:09 +01:00`.
pub(super) fn local(unix_secs: f64) -> Option<String> {
    Some(timestamp(unix_secs)?.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string())
}

/// The same moment in UTC: `2026-03-01 13:05:09 UTC`.
pub(super) fn utc(unix_secs: f64) -> Option<String> {
    Some(timestamp(unix_secs)?.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// The day of a moment in UTC: `2026-03-01`.
pub(super) fn day(unix_secs: f64) -> Option<String> {
    Some(timestamp(unix_secs)?.strftime("%Y-%m-%d").to_string())
}

/// A moment seen from `now`: `in 3 min`, `2 h ago`, `now`.
pub(super) fn relative(unix_secs: f64, now_secs: f64) -> String {
    let ahead = unix_secs - now_secs;
    if ahead.abs() < 1.0 {
        return "now".to_owned();
    }
    let length = length(ahead.abs());
    if ahead > 0.0 { format!("in {length}") } else { format!("{length} ago") }
}

/// A length of time in its two largest units: `45 s`, `3 min 20 s`, `2 h 5 min`, `12 days`.
pub(super) fn length(secs: f64) -> String {
    let secs = secs.max(0.0);
    if secs >= 730.0 * DAY {
        return format!("{:.1} years", secs / (365.25 * DAY));
    }
    let whole = secs as u64;
    let two = |large: u64, large_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{large} {large_unit}"),
        _ => format!("{large} {large_unit} {small} {small_unit}"),
    };
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => two(whole / 60, "min", whole % 60, "s"),
        3600..172_800 => two(whole / 3600, "h", whole / 60 % 60, "min"),
        _ => format!("{} days", whole / 86_400),
    }
}

const DAY: f64 = 86_400.0;

fn timestamp(unix_secs: f64) -> Option<Timestamp> {
    if !unix_secs.is_finite() || unix_secs.abs() > MAX_SECS {
        return None;
    }
    Timestamp::from_second(unix_secs.floor() as i64).ok()
}

/// About the year 9999, where dates stop being written with four digits.
const MAX_SECS: f64 = 253_402_207_200.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_or_refused() {
        assert_eq!(utc(1_700_000_000.9).as_deref(), Some("2023-11-14 22:13:20 UTC"));
        assert_eq!(day(0.0).as_deref(), Some("1970-01-01"));
        assert!(local(1_700_000_000.0).is_some());
        for odd in [f64::NAN, f64::INFINITY, 1e18, -1e18] {
            assert_eq!(utc(odd), None);
        }
    }

    #[test]
    fn moments_are_seen_from_now() {
        for (at, text) in [
            (0.4, "now"),
            (45.0, "in 45 s"),
            (-200.0, "3 min 20 s ago"),
            (3600.0, "in 1 h"),
            (7500.0, "in 2 h 5 min"),
            (-86_400.0 * 12.0, "12 days ago"),
            (1e9, "in 31.7 years"),
        ] {
            assert_eq!(relative(1e9 + at, 1e9), text);
        }
    }
}
