//! Where a token stands in a request, and what is wrong with it exactly as it was sent.
//!
//! Nothing is normalised on the way: duplicates, order and percent escapes stay visible.

use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::jws;
use super::mend::Working;
use super::problem::{Problem, ProblemKind};

/// A raw value and where it stands in the text that was searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueSpan<'a> {
    /// The value as it stands, percent escapes included.
    pub raw: &'a str,
    /// Its byte range.
    pub range: Range<usize>,
}

/// Every value of the query parameter `name`, in order.
///
/// Takes a whole URL, a request target (`/?token=…`), or a query with or without its `?`. Names are compared decoded.
pub fn in_query<'a>(query_or_url: &'a str, name: &str) -> Vec<ValueSpan<'a>> {
    let end = query_or_url.find('#').unwrap_or(query_or_url.len());
    let whole = query_or_url.get(..end).unwrap_or_default();
    let first_sign = whole.find(['?', '=', '&']);
    let is_target =
        whole.starts_with('/') || whole.find("://").is_some_and(|scheme| first_sign.is_none_or(|sign| scheme < sign));
    let mut at = match whole.find('?') {
        Some(question) if is_target || first_sign == Some(question) => question + 1,
        _ if is_target => return Vec::new(),
        _ => 0,
    };
    let mut values = Vec::new();
    for pair in whole.get(at..).unwrap_or_default().split('&') {
        let (key, raw) = pair.split_once('=').unwrap_or((pair, ""));
        if !pair.is_empty() && (key == name || decode_form(key) == name) {
            let start = at + pair.len() - raw.len();
            values.push(ValueSpan { raw, range: start..start + raw.len() });
        }
        at += pair.len() + 1;
    }
    values
}

/// Decodes percent escapes once, and leaves `+` alone, as `decodeURIComponent` does.
pub fn percent_decode(raw: &str) -> String {
    percent_decode_str(raw).decode_utf8_lossy().into_owned()
}

/// Encodes what may not stand bare in a name or a value of a query, as `encodeURIComponent` does.
pub fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, COMPONENT).to_string()
}

/// Decodes percent escapes once, and `+` to a space, as `URLSearchParams` does.
pub fn decode_form(raw: &str) -> String {
    percent_decode(&raw.replace('+', " "))
}

/// The credentials in the value of an `Authorization` header, if its scheme is Bearer (RFC 6750 §2.1).
pub fn bearer(header_value: &str) -> Option<&str> {
    let value = header_value.trim_start_matches([' ', '\t']);
    let (scheme, rest) = value.split_once([' ', '\t'])?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim_matches([' ', '\t']))
}

/// The raw value of the first cookie `name` in the value of a `Cookie` header (RFC 6265 §4.2.1).
pub fn cookie<'a>(header_value: &'a str, name: &str) -> Option<&'a str> {
    header_value.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// What is wrong with a value exactly as it stands in the query, with offsets into `raw_value`.
///
/// One layer of percent-encoding belongs there; what is left after it does not. Only faults of the sending are told here:
/// whether the token itself can be read is for [`decode`](super::decode) to say.
pub fn lint_sent(raw_value: &str) -> Vec<Problem> {
    let mut working = Working::new(raw_value);
    if raw_value.contains('%') {
        working.percent_decode();
    }
    let mut problems = jws::decode_working(raw_value, working).problems;
    problems.retain(|problem| match problem.kind {
        ProblemKind::Empty
        | ProblemKind::Placeholder
        | ProblemKind::BearerPrefix
        | ProblemKind::Quoted
        | ProblemKind::Whitespace
        | ProblemKind::DoubleEncoded
        | ProblemKind::SurroundingText
        | ProblemKind::Truncated => true,
        ProblemKind::Plus
        | ProblemKind::PartCount
        | ProblemKind::BadBase64
        | ProblemKind::BadJson
        | ProblemKind::NotAnObject
        | ProblemKind::DuplicateClaim
        | ProblemKind::MissingAlg
        | ProblemKind::UnknownAlg
        | ProblemKind::AlgNone
        | ProblemKind::EmptySignature
        | ProblemKind::SignatureLength
        | ProblemKind::NonStringKid
        | ProblemKind::NonNumericDate
        | ProblemKind::MillisecondsDate
        | ProblemKind::HugeNumber => false,
    });
    let is_prefixed = |at: usize| {
        problems.iter().any(|problem| {
            problem.kind == ProblemKind::BearerPrefix && (problem.at..problem.at + problem.len).contains(&at)
        })
    };
    let mut pluses = raw_value.match_indices('+').map(|(at, _)| at).filter(|&at| !is_prefixed(at));
    if let Some(at) = pluses.next() {
        let count = 1 + pluses.count();
        let message = format!(
            "`+` in a query value ({count} of them) is a space for URLSearchParams and querystring, and no sign of base64url"
        );
        problems.push(Problem::new(ProblemKind::Plus, at, 1, message));
    }
    problems.sort_by_key(|problem| problem.at);
    problems
}

/// What `encodeURIComponent` encodes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn query_values_are_found_raw_with_all_duplicates() {
        let cases: [(&str, &[&str]); 14] = [
            ("ws://h:1/p?token=a%2Eb&x=1&token=c", &["a%2Eb", "c"]),
            ("/?token=a&agentId=b#token=c", &["a"]),
            ("?token=a", &["a"]),
            ("token=a", &["a"]),
            ("x=1&tok%65n=a", &["a"]),
            ("token", &[""]),
            ("token=", &[""]),
            ("token=a=b?c", &["a=b?c"]),
            ("x=http://h/?token=a", &[]),
            ("ws://h/token=a", &[]),
            ("/p", &[]),
            ("", &[]),
            ("?&&", &[]),
            ("/?TOKEN=a", &[]),
        ];
        for (text, expected) in cases {
            let found = in_query(text, "token");
            let raw: Vec<_> = found.iter().map(|value| value.raw).collect();
            assert_eq!(raw, expected, "{text}");
            for value in found {
                assert_eq!(&text[value.range.clone()], value.raw);
            }
        }
    }

    #[test]
    fn headers_give_their_tokens() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer"), None);
        assert_eq!(cookie("a=1; token=x=y; token=z", "token"), Some("x=y"));
        assert_eq!(cookie("a=1; mytoken=2", "token"), None);
        assert_eq!(percent_decode("a%20b+c%zz"), "a b+c%zz");
        assert_eq!(decode_form("a%20b+c%2B"), "a b c+");
    }

    #[test]
    fn slips_of_sending_are_told_where_they_stand() {
        use ProblemKind::{BearerPrefix, DoubleEncoded, Empty, Placeholder, Plus, Quoted, Truncated, Whitespace};
        let cases: [(String, &[(ProblemKind, usize)]); 16] = [
            (TOKEN.to_owned(), &[]),
            (TOKEN.replace('.', "%2E"), &[]),
            (format!("Bearer%20{TOKEN}"), &[(BearerPrefix, 0)]),
            (format!("Bearer+{TOKEN}"), &[(BearerPrefix, 0)]),
            (format!("Bearer {TOKEN}"), &[(BearerPrefix, 0)]),
            (format!("%22{TOKEN}%22"), &[(Quoted, 0), (Quoted, 3 + TOKEN.len())]),
            (format!("{TOKEN}%0A"), &[(Whitespace, TOKEN.len())]),
            (format!("%20{TOKEN}"), &[(Whitespace, 0)]),
            (TOKEN.replace('.', "%252E"), &[(DoubleEncoded, 20)]),
            ("undefined".to_owned(), &[(Placeholder, 0)]),
            ("%5Bobject%20Object%5D".to_owned(), &[(Placeholder, 0)]),
            (String::new(), &[(Empty, 0)]),
            (TOKEN[..60].to_owned(), &[(Truncated, 60)]),
            (TOKEN[..30].to_owned(), &[(Truncated, 30)]),
            (TOKEN.replace('-', "+"), &[(Plus, TOKEN.find('-').unwrap())]),
            ("abc+def".to_owned(), &[(Plus, 3)]),
        ];
        for (raw, expected) in cases {
            let found: Vec<_> = lint_sent(&raw).iter().map(|problem| (problem.kind, problem.at)).collect();
            assert_eq!(found, expected, "{raw}");
        }
    }
}
