//! The outside of a token: what people and programs wrap around it, put into it, or send in its place.
//!
//! Each step reports what it takes away and goes on with the rest, so that `"Bearer eyJ…"` is two problems and one token.

use super::mend::{Working, escape_at};
use super::problem::{Problem, ProblemKind};

/// What is left after the outside has been taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// Nothing.
    Empty,
    /// A word in a token's place.
    Placeholder,
    /// Something to be read.
    Text,
}

/// Takes off the outside and mends the inside of `working`, one problem for each thing.
pub(super) fn mend(working: &mut Working, problems: &mut Vec<Problem>) -> Inside {
    for _ in 0..ROUNDS {
        let trimmed = trim(working, problems);
        if is_placeholder(working.text()) {
            let message =
                format!("`{}` stands where the token should be", working.text().chars().take(40).collect::<String>());
            problems.push(working.problem(ProblemKind::Placeholder, 0..working.text().len(), message));
            return Inside::Placeholder;
        }
        let changed = trimmed | scheme(working, problems) | quotes(working, problems) | escapes(working, problems);
        if !changed {
            break;
        }
    }
    if working.text().is_empty() {
        problems.push(working.problem(ProblemKind::Empty, 0..0, "there is no token"));
        return Inside::Empty;
    }
    surroundings(working, problems);
    ellipsis(working, problems);
    if starts_like_header(working.text()) {
        inner_space(working, problems);
        standard_base64(working, problems);
    }
    Inside::Text
}

/// Whether `text` begins as the base64url of a JSON object does.
pub(super) fn starts_like_header(text: &str) -> bool {
    text.starts_with("ey") || text.starts_with("ew")
}

fn is_space(char: char) -> bool {
    char.is_whitespace() || char.is_control() || matches!(char, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

fn trim(working: &mut Working, problems: &mut Vec<Problem>) -> bool {
    let text = working.text();
    let start = text.len() - text.trim_start_matches(is_space).len();
    let end = text.trim_end_matches(is_space).len().max(start);
    let whole = text.len();
    if start == 0 && end == whole {
        return false;
    }
    let before = text.get(..start).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    let mut found = Vec::new();
    if start > 0 && end > start {
        let message = format!("{} before the token", name_space(before));
        found.push(working.problem(ProblemKind::Whitespace, 0..start, message));
    }
    if end < whole {
        let message = format!("{} after the token", name_space(after));
        found.push(working.problem(ProblemKind::Whitespace, end..whole, message));
    }
    if end == start {
        found.clear();
        let message = "white space and nothing else";
        found.push(working.problem(ProblemKind::Whitespace, 0..whole, message));
    }
    problems.append(&mut found);
    working.keep(start..end);
    true
}

fn name_space(space: &str) -> &'static str {
    if space.contains('\u{feff}') {
        "a byte order mark"
    } else if space.contains(['\n', '\r']) {
        "a line end"
    } else if space.contains(char::is_control) && !space.contains('\t') {
        "a control character"
    } else {
        "white space"
    }
}

fn scheme(working: &mut Working, problems: &mut Vec<Problem>) -> bool {
    let Some(len) = scheme_len(working.text()) else {
        return false;
    };
    let word = working.text().get(..len).unwrap_or_default().trim_end();
    let message = format!("`{}` belongs in an Authorization header, not in the token", word.trim_end_matches('+'));
    problems.push(working.problem(ProblemKind::BearerPrefix, 0..len, message));
    working.keep(len..working.text().len());
    true
}

/// The length of a leading `Bearer ` or its like.
fn scheme_len(text: &str) -> Option<usize> {
    let starts = |rest: &str, word: &str| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    let mut rest = text;
    if starts(rest, "authorization:") {
        rest = rest.get("authorization:".len()..)?.trim_start();
    }
    let had_name = rest.len() < text.len();
    for word in ["bearer", "jwt", "token"] {
        if !starts(rest, word) {
            continue;
        }
        let after = rest.get(word.len()..)?;
        let bare = after.trim_start_matches([' ', '\t', '+', ':', '=']);
        let bare = bare.strip_prefix("%20").unwrap_or(bare);
        let separated = bare.len() < after.len();
        let glued = word == "bearer" && (after.is_empty() || starts_like_header(after));
        if separated || glued {
            return Some(text.len() - bare.len());
        }
    }
    had_name.then_some(text.len() - rest.len())
}

fn quotes(working: &mut Working, problems: &mut Vec<Problem>) -> bool {
    let mut changed = false;
    let text = working.text();
    if let Some(len) = QUOTES.iter().find_map(|quote| text.strip_prefix(quote).map(|_| quote.len())) {
        problems.push(working.problem(ProblemKind::Quoted, 0..len, "a quote before the token"));
        working.keep(len..working.text().len());
        changed = true;
    }
    let text = working.text();
    let closed = text.trim_end_matches([',', ';']);
    if closed.len() < text.len() && (changed || starts_like_header(text)) {
        let range = closed.len()..text.len();
        let end = closed.len();
        problems.push(working.problem(ProblemKind::SurroundingText, range, "punctuation after the token"));
        working.keep(0..end);
        changed = true;
    }
    let text = working.text();
    if let Some(end) = QUOTES.iter().find_map(|quote| text.strip_suffix(quote).map(str::len)) {
        let whole = text.len();
        problems.push(working.problem(ProblemKind::Quoted, end..whole, "a quote after the token"));
        working.keep(0..end);
        changed = true;
    }
    changed
}

fn escapes(working: &mut Working, problems: &mut Vec<Problem>) -> bool {
    let bytes = working.text().as_bytes();
    let mut places = (0..bytes.len()).filter(|&at| escape_at(bytes, at).is_some());
    let Some(first) = places.next() else {
        return false;
    };
    let count = 1 + places.count();
    let escape = working.text().get(first..first + 3).unwrap_or_default();
    let message = if count == 1 {
        format!("the escape `{escape}` is left in the token: percent-encoded once too often")
    } else {
        format!("the escape `{escape}` and {} more are left in the token: percent-encoded once too often", count - 1)
    };
    problems.push(working.problem(ProblemKind::DoubleEncoded, first..first + 3, message));
    working.percent_decode();
    true
}

/// Cuts out a whole token that stands inside other text.
fn surroundings(working: &mut Working, problems: &mut Vec<Problem>) {
    let text = working.text();
    let is_of_base64 =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'=');
    if text.bytes().all(is_of_base64) {
        return;
    }
    let Some(range) = super::find::first_complete(text) else {
        return;
    };
    let (before, after) = (0..range.start, range.end..text.len());
    if !before.is_empty() {
        problems.push(working.problem(ProblemKind::SurroundingText, before, "other text before the token"));
    }
    if !after.is_empty() {
        problems.push(working.problem(ProblemKind::SurroundingText, after, "other text after the token"));
    }
    working.keep(range);
}

/// Cuts at the dots with which a view shortens a token.
fn ellipsis(working: &mut Working, problems: &mut Vec<Problem>) {
    let text = working.text();
    if !starts_like_header(text) {
        return;
    }
    let Some(at) = ["…", "..."].iter().filter_map(|dots| text.find(dots)).min() else {
        return;
    };
    let message = "shortened with dots: copied from a view that does not show the whole token";
    problems.push(working.problem(ProblemKind::Truncated, at..text.len(), message));
    working.keep(0..at);
}

fn inner_space(working: &mut Working, problems: &mut Vec<Problem>) {
    let text = working.text();
    let mut places = text.char_indices().filter(|&(_, char)| is_space(char));
    let Some((first, char)) = places.next() else {
        return;
    };
    let count = 1 + places.count();
    let was_plus = spaces_were_plus(text);
    let what = name_space(char.encode_utf8(&mut [0; 4]));
    let message = match (was_plus, count) {
        (true, _) => "a space inside the token, where `+` was: form decoding turns `+` into a space".to_owned(),
        (false, 1) => format!("{what} inside the token"),
        (false, _) => format!("{what} inside the token, in {count} places"),
    };
    problems.push(working.problem(ProblemKind::Whitespace, first..first + char.len_utf8(), message));
    working.edit(|_, char| match char {
        ' ' if was_plus => Some('-'),
        char if is_space(char) => None,
        char => Some(char),
    });
}

/// Whether the spaces in `text` are the `+` of standard base64, seen through form decoding.
fn spaces_were_plus(text: &str) -> bool {
    if text.contains(|char| char != ' ' && is_space(char)) {
        return false;
    }
    text.split('.').enumerate().take(3).filter(|(_, part)| part.contains(' ')).any(|(nth, part)| {
        let without = part.replace(' ', "");
        if nth == 2 {
            let is_usual = |len: usize| SIGNATURE_LENGTHS.contains(&len);
            return is_usual(part.trim_end_matches('=').len()) && !is_usual(without.len());
        }
        !super::parts::is_json_part(&without)
            && super::parts::is_json_part(&part.replace([' ', '+'], "-").replace('/', "_"))
    })
}

fn standard_base64(working: &mut Working, problems: &mut Vec<Problem>) {
    let text = working.text();
    let mut places = text.char_indices().filter(|&(_, char)| matches!(char, '+' | '/' | '='));
    let Some((first, char)) = places.next() else {
        return;
    };
    let message = format!(
        "`{char}` is of standard base64: a token is base64url without padding (RFC 7515 §2), and `+` in a query can \
         arrive as a space"
    );
    problems.push(working.problem(ProblemKind::Plus, first..first + 1, message));
    working.edit(|_, char| match char {
        '+' => Some('-'),
        '/' => Some('_'),
        '=' => None,
        char => Some(char),
    });
}

/// Whether `text` is a word that stands in a token's place.
fn is_placeholder(text: &str) -> bool {
    if text.is_empty() || text.len() > 200 {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let wrapped = |open: &str, close: &str| {
        lower
            .strip_prefix(open)
            .and_then(|rest| rest.strip_suffix(close))
            .is_some_and(|inner| !inner.contains(['<', '{', '"']))
    };
    if WORDS.contains(&lower.as_str())
        || wrapped("<", ">")
        || wrapped("${", "}")
        || wrapped("{{", "}}")
        || wrapped("[object ", "]")
        || wrapped("{", "}")
        || wrapped("[", "]")
        || wrapped("%", "%")
        || lower.starts_with("process.env.")
        || lower.starts_with("import.meta.env.")
    {
        return true;
    }
    let is_word = lower
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ' | b'$' | b':'));
    if !is_word {
        return false;
    }
    let bare = lower.trim_start_matches(['$', ':']);
    let plain: String = bare.chars().map(|char| if matches!(char, '-' | '.' | ' ') { '_' } else { char }).collect();
    let names_a_token = ["token", "jwt"].iter().any(|word| plain.contains(word));
    let sigil = bare.len() < lower.len() && names_a_token;
    let starts = |words: &[&str]| words.iter().any(|word| plain.starts_with(word));
    let has_digit = plain.bytes().any(|byte| byte.is_ascii_digit());
    let says_your = names_a_token
        && (starts(&["your_", "insert_", "paste_", "put_", "replace_"])
            || (!has_digit && starts(&["my_", "the_", "some_"])));
    let says_here = plain.ends_with("_here") && names_a_token;
    let filler = plain.len() >= 3 && plain.bytes().all(|byte| byte == b'x');
    sigil || says_your || says_here || filler
}

const ROUNDS: usize = 8;

/// Lengths of usual signatures in base64url: HMAC, ECDSA, Ed25519, Ed448, RSA of 1024 to 4096 bits.
const SIGNATURE_LENGTHS: [usize; 10] = [43, 64, 86, 128, 152, 171, 256, 342, 512, 683];

const QUOTES: [&str; 12] = ["\\\"", "\\'", "\"", "'", "`", "“", "”", "„", "‘", "’", "«", "»"];

const WORDS: [&str; 27] = [
    "undefined",
    "null",
    "nil",
    "none",
    "nan",
    "true",
    "false",
    "token",
    "jwt",
    "jwt_token",
    "jwt-token",
    "jwttoken",
    "access_token",
    "accesstoken",
    "auth_token",
    "authtoken",
    "id_token",
    "yourtoken",
    "mytoken",
    "placeholder",
    "changeme",
    "todo",
    "object object",
    "...",
    "…",
    "-",
    "%s",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> (Inside, String, Vec<ProblemKind>) {
        let mut working = Working::new(text);
        let mut problems = Vec::new();
        let inside = mend(&mut working, &mut problems);
        for problem in &problems {
            assert!(problem.at + problem.len <= text.len(), "{text:?} {problem:?}");
        }
        let kinds = problems.iter().map(|problem| problem.kind).collect();
        (inside, working.into_text(), kinds)
    }

    #[test]
    fn words_in_a_tokens_place_are_placeholders() {
        for text in [
            "undefined",
            "null",
            "NaN",
            "[object Object]",
            "[object Promise]",
            "YOUR_TOKEN_HERE",
            "your.jwt.token",
            "<token>",
            "<token#1>",
            "<your token>",
            "${TOKEN}",
            "{{token}}",
            "\"undefined\"",
            "Bearer null",
            "%7B%7Btoken%7D%7D",
            "$TOKEN",
            ":token",
            "process.env.TOKEN",
            " undefined\n",
            "xxx",
            "YOUR_JWT",
            "{token}",
            "...",
        ] {
            assert_eq!(mended(text).0, Inside::Placeholder, "{text}");
        }
        for text in ["abc123", "my-session-9", "my-token-17", "eyJ.a.b", "tokenize", "deadbeef", "your-key"] {
            assert_eq!(mended(text).0, Inside::Text, "{text}");
        }
    }

    #[test]
    fn wrapping_is_taken_off_in_any_order() {
        use ProblemKind::{BearerPrefix, DoubleEncoded, Quoted, SurroundingText, Whitespace};
        let cases: [(&str, &[ProblemKind]); 12] = [
            ("Bearer eyJ.b.c", &[BearerPrefix]),
            ("bearer  eyJ.b.c", &[BearerPrefix]),
            ("Bearer+eyJ.b.c", &[BearerPrefix]),
            ("Bearer%20eyJ.b.c", &[BearerPrefix]),
            ("BearereyJ.b.c", &[BearerPrefix]),
            ("Authorization: Bearer eyJ.b.c", &[BearerPrefix]),
            ("\"eyJ.b.c\"", &[Quoted, Quoted]),
            ("\"Bearer eyJ.b.c\"", &[Quoted, Quoted, BearerPrefix]),
            ("'eyJ.b.c',", &[Quoted, SurroundingText, Quoted]),
            ("eyJ.b.c\r\n", &[Whitespace]),
            ("\u{feff}eyJ%2Eb%2Ec", &[Whitespace, DoubleEncoded]),
            ("eyJ.b\n.c", &[Whitespace]),
        ];
        for (text, kinds) in cases {
            let (inside, rest, found) = mended(text);
            assert_eq!((inside, rest.as_str(), found.as_slice()), (Inside::Text, "eyJ.b.c", kinds), "{text}");
        }
    }

    #[test]
    fn nothing_is_empty() {
        for text in ["", " ", "\"\"", "Bearer ", "Bearer", "%20"] {
            assert_eq!(mended(text).0, Inside::Empty, "{text:?}");
        }
    }

    #[test]
    fn opaque_values_keep_their_signs() {
        let (inside, rest, kinds) = mended("c2VjcmV0+/=");
        assert_eq!((inside, rest.as_str(), kinds.len()), (Inside::Text, "c2VjcmV0+/=", 0));
    }
}
