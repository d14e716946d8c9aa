//! What single values of the command line mean.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use regex::Regex;

use crate::export::Selection;
use crate::observation::{Expect, Preset, TokenPlace};
use crate::wire::is_legal_close_code;

/// Seconds, with or without a fraction.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let secs: f64 = text.parse().map_err(|error| format!("{error}; write seconds such as 2 or 0.5"))?;
    if secs > MAX_SECS {
        return Err("that is longer than a year".to_owned());
    }
    Duration::try_from_secs_f64(secs).map_err(|error| error.to_string())
}

/// A port of this machine, or an address and a port.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.trim_start_matches(':').parse() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    text.parse().map_err(|_no_address| "write a port such as 9001, or an address such as 127.0.0.1:9001".to_owned())
}

/// Seconds since 1970-01-01Z, or a moment such as 2026-11-27T08:00:00Z.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    if let Ok(secs) = text.parse() {
        return Ok(secs);
    }
    let moment: jiff::Timestamp = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    Ok(moment.as_second())
}

/// `query:NAME`, `bearer`, `header:NAME`, `cookie:NAME`, `protocol`, `message:TEMPLATE`.
pub(super) fn token_place(text: &str) -> Result<TokenPlace, String> {
    let (place, rest) = text.split_once(':').map_or((text, None), |(place, rest)| (place, Some(rest)));
    let named = |what: &str| match rest {
        Some(name) if is_field_name(name) => Ok(name.to_owned()),
        Some(_) => Err(format!("this is no name of a {what}")),
        None => Err(format!("name the {what}: {place}:NAME")),
    };
    match place {
        "query" => match rest {
            Some("") => Err("name the parameter: query:NAME".to_owned()),
            name => Ok(TokenPlace::Query { name: name.unwrap_or("token").to_owned() }),
        },
        "bearer" if rest.is_none() => Ok(TokenPlace::Bearer),
        "header" => Ok(TokenPlace::Header { name: named("header")? }),
        "cookie" => Ok(TokenPlace::Cookie { name: named("cookie")? }),
        "protocol" if rest.is_none() => Ok(TokenPlace::Subprotocol),
        "message" => match rest {
            Some(template) if template.contains("{{token}}") => {
                Ok(TokenPlace::FirstMessage { template: template.to_owned() })
            }
            _ => Err("the template must hold {{token}}".to_owned()),
        },
        _ => Err("use query:NAME, bearer, header:NAME, cookie:NAME, protocol or message:TEMPLATE".to_owned()),
    }
}

/// `first`, `none`, `contains:TEXT`, `json:/POINTER=VALUE`, `regex:PATTERN`.
pub(super) fn expect(text: &str) -> Result<Expect, String> {
    match text.split_once(':') {
        None if text == "first" => Ok(Expect::First),
        None if text == "none" => Ok(Expect::None),
        Some(("contains", text)) => Ok(Expect::Contains { text: text.to_owned() }),
        Some(("json", rest)) => {
            let (pointer, value) = rest.split_once('=').ok_or("write json:/POINTER=VALUE")?;
            if !pointer.is_empty() && !pointer.starts_with('/') {
                return Err("a JSON pointer begins with /".to_owned());
            }
            Ok(Expect::JsonPointer { pointer: pointer.to_owned(), value: value.to_owned() })
        }
        Some(("regex", pattern)) => match Regex::new(pattern) {
            Ok(_) => Ok(Expect::Regex { pattern: pattern.to_owned() }),
            Err(error) => Err(error.to_string()),
        },
        _ => Err("use first, none, contains:TEXT, json:/POINTER=VALUE or regex:PATTERN".to_owned()),
    }
}

/// `CODE` or `CODE:REASON`.
pub(super) fn close(text: &str) -> Result<(u16, String), String> {
    let (code, reason) = text.split_once(':').unwrap_or((text, ""));
    let code: u16 = code.parse().map_err(|error| format!("{error}; write a code such as 1000"))?;
    if !is_legal_close_code(code) {
        return Err(format!("{code} may not stand in a Close frame (RFC 6455 §7.4)"));
    }
    if reason.len() > MAX_REASON_BYTES {
        return Err(format!("the reason has {} bytes, at most {MAX_REASON_BYTES} fit", reason.len()));
    }
    Ok((code, reason.to_owned()))
}

/// `KEY=VALUE`.
pub(super) fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// `Name: value`; the message never repeats the value.
pub(super) fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written as 'Name: value'")?;
    if !is_field_name(name) {
        return Err("the name of a header holds letters, digits and hyphens only".to_owned());
    }
    let value = value.trim_matches([' ', '\t']);
    if !is_field_value(value) {
        return Err(format!("the header {name} holds a control character, which no header can carry"));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Whether a text can be the name of a header or a cookie (RFC 9110 §5.6.2).
fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether a text can be the value of a header (RFC 9110 §5.5).
pub(super) fn is_field_value(value: &str) -> bool {
    !value.chars().any(|c| c.is_control() && c != '\t')
}

const MAX_SECS: f64 = 366.0 * 24.0 * 3600.0;
const MAX_REASON_BYTES: usize = 123;

/// Reads numbers and ranges of rows: `3-20,55,100-`.
pub(super) fn rows(text: &str) -> Result<Selection, String> {
    let number = |text: &str| text.trim().parse::<u64>().map_err(|error| format!("{text:?}: {error}"));
    let range = |part: &str| match part.split_once('-') {
        Some((from, "")) => Ok(number(from)?..u64::MAX),
        Some((from, to)) => Ok(number(from)?..number(to)?.saturating_add(1)),
        None => number(part).map(|row| row..row.saturating_add(1)),
    };
    text.split(',').map(range).collect::<Result<Vec<_>, String>>().map(Selection::of_ranges)
}

/// Reads the name of a preset.
pub(super) fn preset(text: &str) -> Result<Preset, String> {
    match text {
        "chrome" => Ok(Preset::Chrome),
        "node" => Ok(Preset::NodeWs),
        "bare" => Ok(Preset::Bare),
        _ => Err("one of chrome, node and bare".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_may_have_a_fraction() {
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        assert_eq!(seconds("2"), Ok(Duration::from_secs(2)));
        for bad in ["", "-1", "x", "nan", "inf", "1e300"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn token_places_are_read() {
        assert_eq!(token_place("query"), Ok(TokenPlace::Query { name: "token".to_owned() }));
        assert_eq!(token_place("query:jwt"), Ok(TokenPlace::Query { name: "jwt".to_owned() }));
        assert_eq!(token_place("bearer"), Ok(TokenPlace::Bearer));
        assert_eq!(token_place("header:X-Token"), Ok(TokenPlace::Header { name: "X-Token".to_owned() }));
        assert_eq!(token_place("protocol"), Ok(TokenPlace::Subprotocol));
        let template = r#"{"a":"{{token}}:"}"#.to_owned();
        assert_eq!(token_place(&format!("message:{template}")), Ok(TokenPlace::FirstMessage { template }));
        for bad in ["", "query:", "bearer:x", "header", "header:a b", "cookie:", "message:none", "body"] {
            assert!(token_place(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn expectations_are_read() {
        assert_eq!(expect("first"), Ok(Expect::First));
        assert_eq!(expect("contains:a:b"), Ok(Expect::Contains { text: "a:b".to_owned() }));
        let json = Expect::JsonPointer { pointer: "/type".to_owned(), value: "a=b".to_owned() };
        assert_eq!(expect("json:/type=a=b"), Ok(json));
        for bad in ["", "second", "json:type=1", "json:/a", "regex:("] {
            assert!(expect(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn closes_and_headers_are_read() {
        assert_eq!(close("1000"), Ok((1000, String::new())));
        assert_eq!(close("4001:bye: now"), Ok((4001, "bye: now".to_owned())));
        assert_eq!(header("X-A:  b:c "), Ok(("X-A".to_owned(), "b:c".to_owned())));
        for bad in ["1006", "99999", "x", "1005"] {
            assert!(close(bad).is_err(), "{bad}");
        }
        for bad in ["secret-value", "a b: c", ": x", "X: a\nb"] {
            assert!(header(bad).is_err_and(|error| !error.contains("secret-value")), "{bad}");
        }
    }

    #[test]
    fn rows_are_numbers_and_ranges() {
        assert_eq!(rows("7, 1-2,5-5"), Ok(Selection::of_rows([1, 2, 5, 7])));
        assert_eq!(rows("3-"), Ok(Selection::of_ranges(std::iter::once(3..u64::MAX))));
        for bad in ["", "a", "-3", "1-x", "1,,2"] {
            assert!(rows(bad).is_err(), "{bad}");
        }
    }
}
