//! Finds tokens inside any text: a URL, a log line, JSON, a command.
//!
//! A token is recognised by a JOSE header that decodes, so that host names and version numbers are left alone. One pass;
//! no byte is read more than a few times.

use std::ops::Range;

use super::alg;
use super::mend::Working;
use super::surface;

/// Whether `text`, once unwrapped, starts with a JOSE header that decodes.
///
/// For deciding whether something pasted is a token. Linear in the length of `text`.
pub fn looks_like_token(text: &str) -> bool {
    let mut working = Working::new(text);
    if surface::mend(&mut working, &mut Vec::new()) != surface::Inside::Text {
        return false;
    }
    let header = working.text().split('.').next().unwrap_or_default();
    header_gist(header).is_some()
}

/// The byte ranges of all tokens in `text`, in order and apart from each other.
///
/// Finds JWS and JWE in compact serialization, also with `%2E` for the dots, with standard base64, and cut off within or
/// after the claims. Linear in the length of `text`.
pub fn find_tokens(text: &str) -> Vec<Range<usize>> {
    scan(text, |_| true).into_iter().map(|found| found.range).collect()
}

/// The first token in `text` that has all its parts at their full length.
pub(super) fn first_complete(text: &str) -> Option<Range<usize>> {
    scan(text, |found| found.is_complete).into_iter().find(|found| found.is_complete).map(|found| found.range)
}

struct Found {
    range: Range<usize>,
    is_complete: bool,
}

fn scan(text: &str, wanted: impl Fn(&Found) -> bool) -> Vec<Found> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let end = run(bytes, at, false);
        if end == at {
            at += 1;
            continue;
        }
        match token_in(text, at, end) {
            Some(found) => {
                at = found.range.end.max(end);
                if wanted(&found) {
                    tokens.push(found);
                }
            }
            None => at = end,
        }
    }
    tokens
}

/// A token whose header lies in the run `start..end`.
fn token_in(text: &str, start: usize, end: usize) -> Option<Found> {
    let bytes = text.as_bytes();
    let padded = padding(bytes, end);
    let payload_at = padded + separator(bytes, padded)?;
    let (header_at, gist) = header_in(text.get(start..end)?)?;
    let range_start = start + header_at;

    let narrow_end = run(bytes, payload_at, false);
    let payload_end = run(bytes, payload_at, true);
    let Some(dot) = separator(bytes, payload_end) else {
        let is_claims = surface::starts_like_header(text.get(payload_at..narrow_end)?);
        return is_claims.then_some(Found { range: range_start..narrow_end, is_complete: false });
    };
    let signature_at = payload_end + dot;
    let usual = gist.alg.as_deref().and_then(alg::signature_len);
    let mut signature_end = run(bytes, signature_at, false);
    let is_full = |end: usize| alg::is_full_signature(gist.alg.as_deref(), end - signature_at);
    if !is_full(signature_end) && usual.is_some() {
        let wide = run(bytes, signature_at, true);
        let len = bytes.get(signature_at..wide).map_or(0, |part| part.iter().filter(|&&byte| byte != b'=').count());
        if usual == Some(len) || bytes.get(signature_at..wide).is_some_and(|part| part.contains(&b'%')) {
            signature_end = wide;
        }
    }
    let is_complete = is_full(signature_end) || usual.is_some_and(|usual| signature_end - signature_at >= usual);
    if !gist.is_encrypted {
        return Some(Found { range: range_start..signature_end, is_complete });
    }
    let mut end = signature_end;
    let mut parts = 3;
    while parts < 5 {
        let Some(dot) = separator(bytes, end) else {
            break;
        };
        end = run(bytes, end + dot, false);
        parts += 1;
    }
    Some(Found { range: range_start..end, is_complete: parts == 5 })
}

/// What a JOSE header says about the rest, for those who look for tokens.
#[derive(Clone, Debug)]
struct HeaderGist {
    /// `alg`, if it is a string.
    alg: Option<String>,
    /// Whether there is an `enc`, so that five parts follow.
    is_encrypted: bool,
}

/// The gist of a part that is a JOSE header: an object with an `alg`, `enc` or `typ`.
fn header_gist(part: &str) -> Option<HeaderGist> {
    let json = super::parts::lenient_text(part)?;
    let (members, fault) = super::members::read(&json);
    let last = |name: &str| members.iter().rev().find(|member| member.name == name);
    let is_jose = fault.is_none() && ["alg", "enc", "typ"].iter().any(|name| last(name).is_some());
    is_jose.then(|| HeaderGist {
        alg: last("alg").and_then(|member| super::members::as_string(&member.raw)),
        is_encrypted: last("enc").is_some(),
    })
}

/// Where in the run a JOSE header begins: at its start, or at one of the first places that look like one.
fn header_in(run: &str) -> Option<(usize, HeaderGist)> {
    run.match_indices('e')
        .filter(|&(at, _)| run.get(at..).is_some_and(surface::starts_like_header))
        .take(CANDIDATES)
        .find_map(|(at, _)| Some((at, header_gist(run.get(at..)?)?)))
}

/// The end of the characters of base64url from `at` on, or of standard base64 and its escapes if `wide`.
fn run(bytes: &[u8], mut at: usize, wide: bool) -> usize {
    loop {
        match bytes.get(at) {
            Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') => at += 1,
            Some(b'+' | b'/' | b'=') if wide => at += 1,
            Some(b'%') if wide && is_base64_escape(bytes, at) => at += 3,
            _ => return at,
        }
    }
}

fn is_base64_escape(bytes: &[u8], at: usize) -> bool {
    matches!(super::mend::escape_at(bytes, at), Some(b'+' | b'/' | b'='))
}

fn padding(bytes: &[u8], mut at: usize) -> usize {
    for _ in 0..2 {
        if bytes.get(at) == Some(&b'=') {
            at += 1;
        } else if super::mend::escape_at(bytes, at) == Some(b'=') {
            at += 3;
        }
    }
    at
}

/// The length of the dot at `at`, however it is escaped.
fn separator(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    if rest.starts_with(b".") {
        return Some(1);
    }
    if super::mend::escape_at(bytes, at) == Some(b'.') {
        return Some(3);
    }
    let doubled = rest.starts_with(b"%25") && rest.get(3..5)?.eq_ignore_ascii_case(b"2e");
    doubled.then_some(5)
}

const CANDIDATES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    #[test]
    fn tokens_are_found_wherever_they_stand() {
        let short = &TOKEN[..TOKEN.len() - 20];
        let escaped = TOKEN.replace('.', "%2E");
        let twice = TOKEN.replace('.', "%252e");
        for token in [TOKEN, short, &escaped, &twice] {
            for (before, after) in [
                ("ws://h/?token=", "&agentId=1"),
                ("Authorization: Bearer ", "\r\n"),
                ("{\"token\":\"", "\"}"),
                ("{\"a\":\"\\n", "\\n\"}"),
                ("token=%22", "%22"),
                ("token=Bearer%20", ""),
                ("é", "é"),
                ("session_", " "),
                ("/ws/", "/stream"),
            ] {
                let text = format!("{before}{token}{after}");
                let found: Vec<_> = find_tokens(&text).into_iter().map(|range| text[range].to_owned()).collect();
                assert_eq!(found, [token], "{text}");
            }
        }
    }

    #[test]
    fn several_tokens_and_cut_ones_are_found_apart() {
        let text =
            format!("{TOKEN} {TOKEN}, eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJh and eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.");
        let found = find_tokens(&text);
        assert_eq!(found.len(), 4);
        assert_eq!(&text[found[2].clone()], "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJh");
    }

    #[test]
    fn standard_base64_belongs_to_the_token() {
        let signature = "dBjftJeZ4CVP+mB92K27uhbUJU1p1r/wW1gFWFOEjXk=";
        let text = format!("t=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0=.{signature}&x=1");
        let found = find_tokens(&text);
        assert_eq!(found.len(), 1);
        assert!(text[found[0].clone()].ends_with(signature));
    }

    #[test]
    fn other_dotted_texts_are_left_alone() {
        for text in ["www.example.com", "1.2.3", "eyJ.eyJ.eyJ", "key.eyes.ewe", "", "....", "eyJhbGciOiJIUzI1NiJ9."] {
            assert!(find_tokens(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_token_is_recognised_by_its_header() {
        assert!(looks_like_token(TOKEN));
        assert!(looks_like_token(&format!("\"Bearer {TOKEN}\"\n")));
        assert!(looks_like_token(&TOKEN[..60]));
        for text in ["", "undefined", "a.b.c", "eyJ.a.b", "hello world", "ws://localhost/"] {
            assert!(!looks_like_token(text), "{text}");
        }
    }

    #[test]
    fn a_mebibyte_of_anything_takes_linear_time() {
        for unit in [
            "eyJ",
            "eyJ.",
            "eyJhbGciOiJIUzI1NiJ9.",
            "eyJhbGciOiJIUzI1NiJ9./",
            "%2E",
            "e+",
            ".",
            "eyJhbGciOiJIUzI1NiJ9.a%2F",
        ] {
            let text = unit.repeat((1 << 20) / unit.len());
            find_tokens(&text);
            looks_like_token(&text);
        }
    }
}
