//! Puts a value into the query of a URL as it was typed, byte for byte; nothing else of the URL is touched.

use std::ops::Range;

use percent_encoding::percent_decode_str;

/// Gives the `nth` parameter (from 0) called `name` this value, or appends one if there are not so many.
///
/// The value goes in exactly as given, percent escapes and `+` included; only what cannot stand in a query value is
/// percent-encoded: white space, control characters, quotes, angle brackets, `&`, `#` and what is not ASCII. Names are
/// compared decoded. A fragment, which no WebSocket URL may have, stays behind the query.
pub fn place_in_query(url: &str, name: &str, value: &str, nth: usize) -> String {
    let value = encoded(value);
    if let Some(range) = values(url, name).into_iter().nth(nth) {
        let (before, after) = (url.get(..range.start).unwrap_or_default(), url.get(range.end..).unwrap_or_default());
        // A parameter that was typed without its `=` gets one.
        let equals = if before.ends_with('=') { "" } else { "=" };
        return format!("{before}{equals}{value}{after}");
    }
    let end = query_end(url);
    let (before, fragment) = (url.get(..end).unwrap_or(url), url.get(end..).unwrap_or_default());
    let joint = match before.find('?') {
        None => "?",
        Some(_) if before.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    format!("{before}{joint}{}={value}{fragment}", encoded(name).replace('=', "%3D"))
}

/// Where the values of a parameter stand, in order; an empty range behind the name if it has no `=`.
fn values(url: &str, name: &str) -> Vec<Range<usize>> {
    let end = query_end(url);
    let Some(question) = url.get(..end).and_then(|before| before.find('?')) else { return Vec::new() };
    let mut at = question + 1;
    let mut ranges = Vec::new();
    for pair in url.get(at..end).unwrap_or_default().split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = percent_decode_str(&key.replace('+', " ")).decode_utf8_lossy().into_owned();
        if !pair.is_empty() && (key == name || decoded == name) {
            ranges.push(at + pair.len() - value.len()..at + pair.len());
        }
        at += pair.len() + 1;
    }
    ranges
}

fn query_end(url: &str) -> usize {
    url.find('#').unwrap_or(url.len())
}

fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        if c.is_ascii_graphic() && !"\"<>&#".contains(c) {
            out.push(c);
            continue;
        }
        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
            out.push('%');
            for digit in [byte >> 4, byte & 0x0F] {
                out.extend(char::from_digit(u32::from(digit), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, name: &str, value: &str, wanted: &str) {
        assert_eq!(place_in_query(url, name, value, 0), wanted, "{url}");
    }

    #[test]
    fn the_first_parameter_of_the_name_is_replaced() {
        check("ws://h/?token=old&x=1", "token", "new", "ws://h/?token=new&x=1");
        check("ws://H/%41?x=%2f&token=&token=b#f", "token", "n", "ws://H/%41?x=%2f&token=n&token=b#f");
        check("ws://h/?token", "token", "n", "ws://h/?token=n");
        check("ws://h/?%74oken=a&Token=b", "token", "n", "ws://h/?%74oken=n&Token=b");
        assert_eq!(place_in_query("ws://h/?a=1&a=2", "a", "3", 1), "ws://h/?a=1&a=3");
        assert_eq!(place_in_query("ws://h/?a=1", "a", "3", 1), "ws://h/?a=1&a=3");
    }

    #[test]
    fn a_missing_parameter_is_appended() {
        check("ws://h", "token", "t", "ws://h?token=t");
        check("ws://h/p", "token", "t", "ws://h/p?token=t");
        check("ws://h/?", "token", "t", "ws://h/?token=t");
        check("ws://h/?a=1&", "token", "t", "ws://h/?a=1&token=t");
        check("ws://h/?a=1#f", "token", "t", "ws://h/?a=1&token=t#f");
        check("ws://h/#f?token=1", "token", "t", "ws://h/?token=t#f?token=1");
    }

    #[test]
    fn the_value_goes_in_as_given() {
        check("ws://h/?t=", "t", "a+b/c=%2E%252", "ws://h/?t=a+b/c=%2E%252");
        check("ws://h/?t=", "t", "Bearer \"é&x#\n", "ws://h/?t=Bearer%20%22%C3%A9%26x%23%0A");
    }
}
