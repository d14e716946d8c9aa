//! How numbers are written in the window: sizes, counts and spans of time, always with their unit.

use std::time::Duration;

/// Returns `bytes` with the unit that keeps it short: `512 B`, `64.0 KiB`, `10.0 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would be written as 1024.0.
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or("PiB");
    format!("{value:.1} {name}")
}

/// Returns `number` with its digits in groups of three, parted by narrow no-break spaces: `1 204`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(GROUP);
        }
        text.push(digit);
    }
    text
}

/// Returns a span of time: `0.312 ms` and `999 ms` with three digits, `1.50 s`, `02:05`, `1:02:05`.
pub fn span(span: Duration) -> String {
    let millis = span.as_secs_f64() * 1000.0;
    let secs = span.as_secs();
    match millis {
        _ if millis < 9.995 => format!("{millis:.2} ms"),
        _ if millis < 99.95 => format!("{millis:.1} ms"),
        _ if millis < 999.5 => format!("{millis:.0} ms"),
        _ if secs < 60 => format!("{:.2} s", millis / 1000.0),
        _ if secs < 3600 => format!("{:02}:{:02}", secs / 60, secs % 60),
        _ => format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60),
    }
}

/// Narrow no-break space.
const GROUP: char = '\u{202F}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_their_unit() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (65_536, "64.0 KiB"),
            (1_048_575, "1.0 MiB"),
            (10 << 20, "10.0 MiB"),
            (u64::MAX, "16384.0 PiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn counts_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1204, "1\u{202F}204")] {
            assert_eq!(count(number), text);
        }
        assert_eq!(count(1_000_000_000_000).matches(GROUP).count(), 4);
    }

    #[test]
    fn spans_have_three_digits_until_they_are_seconds() {
        for (micros, text) in [
            (312, "0.31 ms"),
            (4_100, "4.10 ms"),
            (12_340, "12.3 ms"),
            (312_000, "312 ms"),
            (999_600, "1.00 s"),
            (1_500_000, "1.50 s"),
            (125_000_000, "02:05"),
            (3_725_000_000, "1:02:05"),
        ] {
            assert_eq!(span(Duration::from_micros(micros)), text);
        }
    }
}
