//! Spans of time, addresses and foreign text, as sentences say them.

use std::net::SocketAddr;

use super::Case;
use crate::observation::Moment;
use crate::token::find_tokens;

/// A span of time as a person says it: `0.4 ms`, `12 ms`, `1.5 s`, `2 min`.
pub(super) fn span(millis: f64) -> String {
    if millis < 0.95 {
        format!("{:.1} ms", millis.max(0.0))
    } else if millis < 999.5 {
        format!("{millis:.0} ms")
    } else if millis < 59_950.0 {
        let secs = format!("{:.1}", millis / 1e3);
        format!("{} s", secs.strip_suffix(".0").unwrap_or(&secs))
    } else {
        let secs = (millis / 1e3).round();
        let (minutes, rest) = ((secs / 60.0).floor(), secs % 60.0);
        if rest == 0.0 { format!("{minutes:.0} min") } else { format!("{minutes:.0} min {rest:.0} s") }
    }
}

/// `12 ms after the 101`, or `right after the 101`.
pub(super) fn after(millis: f64, words: &str) -> String {
    if millis < 0.05 { format!("right {words}") } else { format!("{} {words}", span(millis)) }
}

/// A span of whole seconds as a person says it, also of days.
pub(super) fn long_span(secs: f64) -> String {
    let secs = secs.abs();
    if secs < 120.0 {
        return span(secs * 1e3);
    }
    let (unit, length) = match secs {
        s if s < 7_200.0 => ("minutes", 60.0),
        s if s < 172_800.0 => ("hours", 3_600.0),
        _ => ("days", 86_400.0),
    };
    format!("{:.0} {unit}", secs / length)
}

/// `1 frame`, `3 frames`.
pub(super) fn count(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Addresses in a list: `[::1]:3001 and 127.0.0.1:3001`.
pub(super) fn addresses(list: &[SocketAddr]) -> String {
    let words: Vec<String> = list.iter().map(ToString::to_string).collect();
    match words.as_slice() {
        [] => "no address".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The first letter in upper case.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Foreign text on one line of at most `max_chars`, its tokens and `secret` replaced, control characters dropped.
pub(super) fn masked(text: &str, secret: Option<&str>, max_chars: usize) -> String {
    let mut clear = String::with_capacity(text.len().min(4 * max_chars + 4096));
    let text = text.get(..text.len().min(64 * 1024)).unwrap_or_else(|| {
        let end = (0..=64 * 1024).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        text.get(..end).unwrap_or("")
    });
    let mut from = 0;
    for range in find_tokens(text) {
        clear.push_str(text.get(from..range.start).unwrap_or(""));
        clear.push_str("<token>");
        from = range.end;
    }
    clear.push_str(text.get(from..).unwrap_or(""));
    if let Some(secret) = secret.filter(|secret| secret.len() >= 8) {
        clear = clear.replace(secret, "<token>");
    }
    let mut line = String::new();
    for (nth, word) in clear.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).enumerate()
    {
        if nth > 0 {
            line.push(' ');
        }
        line.push_str(word);
    }
    if line.chars().count() > max_chars {
        line = line.chars().take(max_chars).collect();
        line.push('…');
    }
    line
}

/// How long `at` came after the last milestone of the connection: `12 ms after it confirmed the connection`.
pub(super) fn after_milestone(case: &Case<'_>, at: Moment) -> String {
    let story = case.story;
    // What was read together has one moment, and its confirmation is noted a little later.
    let confirmed = story.confirmation.as_ref().filter(|c| c.ok && c.preview.is_some()).map(|c| c.at);
    let confirming = story.first_message.as_ref().filter(|_| confirmed.is_some()).map(|(at, _)| *at);
    let asked = format!("after {} request", case.our());
    let milestones = [
        (confirmed, "after it confirmed the connection"),
        (confirming, "after it confirmed the connection"),
        (case.is_open().then(|| case.head_at()), "after the 101"),
        (story.request.as_ref().map(|request| request.at), asked.as_str()),
        (story.connected().and_then(|attempt| attempt.ended), "after TCP was connected"),
    ];
    milestones
        .into_iter()
        .find_map(|(milestone, words)| {
            let milestone = milestone.filter(|milestone| *milestone <= at)?;
            Some(after(at.millis_since(milestone), words))
        })
        .unwrap_or_else(|| format!("at {at}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_well() {
        let cases = [
            (0.0, "0.0 ms"),
            (0.44, "0.4 ms"),
            (0.99, "1 ms"),
            (12.3, "12 ms"),
            (999.9, "1 s"),
            (1_540.0, "1.5 s"),
            (60_000.0, "1 min"),
            (61_400.0, "1 min 1 s"),
        ];
        for (millis, words) in cases {
            assert_eq!(span(millis), words);
        }
        assert_eq!(long_span(3_600.0), "60 minutes");
        assert_eq!(long_span(-259_200.0), "3 days");
        assert_eq!((count(1, "frame"), count(2, "frame")), ("1 frame".into(), "2 frames".into()));
    }

    #[test]
    fn foreign_text_is_one_short_line_without_tokens() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(masked(&format!("Cannot GET\r\n /?token={token}&a"), None, 80), "Cannot GET /?token=<token>&a");
        assert_eq!(masked("a opaque-secret b", Some("opaque-secret"), 80), "a <token> b");
        assert_eq!(masked("\u{1b}[31mred", None, 80), "[31mred");
        assert_eq!(masked("éééé", None, 2), "éé…");
        assert_eq!(masked(&"é".repeat(64 * 1024), None, 1), "é…");
    }
}
