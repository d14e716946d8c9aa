//! Which names stand before a secret: query parameters, headers, cookies, JSON members, variables.
//!
//! [`Patterns`] finds their values in any text, however it came there.

use std::ops::Range;

use aho_corasick::AhoCorasick;
use memchr::memmem;
use regex::bytes::Regex;

use super::Kind;

/// Whether the value of a query parameter of this name is secret.
pub(super) fn is_secret_parameter(name: &str) -> bool {
    let plain = plain_name(name);
    QUERY_WORDS.contains(&plain.as_str()) || has_secret_word(&plain)
}

/// What the value of a header of this name is, if it is secret.
pub(super) fn secret_header(name: &str) -> Option<Kind> {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "authorization" | "proxy-authorization" => Some(Kind::Authorization),
        "cookie" | "set-cookie" => Some(Kind::Cookie),
        "www-authenticate" | "proxy-authenticate" => None,
        _ if lower.starts_with("sec-websocket-") => None,
        _ => {
            let plain = plain_name(name);
            let secret = has_secret_word(&plain) || ["session", "sid", "auth", "signature"].contains(&plain.as_str());
            secret.then_some(Kind::Secret)
        }
    }
}

/// Whether a value is a word that says something about a secret rather than being one: `undefined`, `null`, `expired`.
pub(super) fn is_telling(value: &str) -> bool {
    let lower = value.trim_matches(['"', '\'']).to_ascii_lowercase();
    lower.is_empty()
        || TELLING.contains(&lower.as_str())
        || lower.starts_with("[object ")
        || lower.chars().all(|c| matches!(c, '.' | '…' | '*' | 'x' | '-'))
        || is_mark(&lower)
}

/// Whether a value that a name points to is written where another is to be filled in: `${TOKEN}`, `YOUR_TOKEN`.
fn is_blank(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', ' ']);
    let lower = value.to_ascii_lowercase();
    let is_capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    is_variable(value)
        || ["your_", "your-", "<your", "${", "{{"].iter().any(|begin| lower.starts_with(begin))
        || value.contains('_') && value.chars().all(is_capital)
}

/// Whether a value is the name of a variable: `$`, as of `${TOKEN}`, `$TOKEN`, `process.env.TOKEN`.
fn is_variable(value: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    value.strip_prefix('$').is_some_and(is_name)
        || value.starts_with("process.env.")
        || value.starts_with("import.meta.")
}

/// Whether a value is one of our own marks.
fn is_mark(value: &str) -> bool {
    value.starts_with('<') && value.ends_with('>') && value.contains('#')
}

fn plain_name(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn has_secret_word(plain: &str) -> bool {
    SECRET_WORDS.iter().any(|word| plain.contains(word))
}

/// A value found by the name before it.
pub(super) struct Named {
    /// Where it stands.
    pub(super) range: Range<usize>,
    /// What it is.
    pub(super) kind: Kind,
}

/// Finds values by the names before them.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    words: Option<AhoCorasick>,
    member: Option<Regex>,
    header: Option<Regex>,
    bearer: Option<Regex>,
    userinfo: Option<Regex>,
    option: Option<Regex>,
    constant: Option<Regex>,
}

impl Default for Patterns {
    fn default() -> Self {
        let regex = |pattern: &str| Regex::new(pattern).ok();
        let bare = SECRET_WORDS.iter().chain(&HEADER_WORDS).map(|word| (*word).to_owned());
        let members = MEMBER_WORDS.iter().flat_map(|word| [format!("{word}\""), format!("{word}'")]);
        let words = bare.chain(members).chain(QUERY_WORDS.iter().map(|word| format!("{word}=")));
        Self {
            words: AhoCorasick::new(words).ok(),
            member: regex(r#"(?-u)["']([A-Za-z0-9_-]{2,40})["']\s*:\s*["']((?:[^"'\\]|\\.)*)["']"#),
            header: regex(
                r"(?i-u)(?:^|[\r\n]|\b)((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)\s*:[ \t]*([^\r\n]+)",
            ),
            bearer: regex(r"(?i-u)\bbearer(?: |\+|%20)+([A-Za-z0-9._~+/=%-]{6,})"),
            userinfo: regex(r"(?-u)://[^/\s:@?#]*:([^@/\s?#]+)@"),
            // `--secret abc` of a command line, `JWT_SECRET: abc` of a list of variables.
            option: regex(r#"(?-u)(?:^|\s)--([A-Za-z][A-Za-z0-9-]{1,40})[ \t]+["']?([^\s"'-][^\s"']*)"#),
            constant: regex(r#"(?-u)\b([A-Z][A-Z0-9_]{2,40}):[ \t]+["']?([^\s"',]+)"#),
        }
    }
}

impl Patterns {
    /// Whether every pattern could be built.
    #[cfg(test)]
    pub(super) fn is_complete(&self) -> bool {
        let all = [&self.member, &self.header, &self.bearer, &self.userinfo, &self.option, &self.constant];
        self.words.is_some() && all.iter().all(|p| p.is_some())
    }

    /// Whether some name that tells of a secret may stand in `text`: most texts have none, and this is seen quickly.
    fn may_name(&self, text: &[u8]) -> bool {
        let plain: Vec<u8> = text
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric() || b"\"'=".contains(byte))
            .map(u8::to_ascii_lowercase)
            .collect();
        self.words.as_ref().is_none_or(|words| words.is_match(&plain))
    }

    /// The values in `text`, in no particular order.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Named> {
        let mut found = Vec::new();
        let mut add = |text: &[u8], range: Range<usize>, kind: Kind| {
            let value = String::from_utf8_lossy(text.get(range.clone()).unwrap_or_default()).into_owned();
            if !is_telling(&value) && !is_blank(&value) {
                found.push(Named { range, kind });
            }
        };
        let pairs = |regex: &Option<Regex>| -> Vec<(String, Range<usize>)> {
            let Some(regex) = regex else { return Vec::new() };
            let captures = regex.captures_iter(text);
            let pairs = captures.filter_map(|c| {
                let (name, value) = (c.get(1)?, c.get(2)?);
                Some((String::from_utf8_lossy(name.as_bytes()).into_owned(), value.range()))
            });
            pairs.collect()
        };
        if memmem::find(text, b"://").is_some() && text.contains(&b'@') {
            for captures in self.userinfo.iter().flat_map(|regex| regex.captures_iter(text)) {
                if let Some(password) = captures.get(1) {
                    add(text, password.range(), Kind::Secret);
                }
            }
        }
        if !self.may_name(text) {
            return found;
        }
        for (name, range) in assignments(text) {
            // A short name such as `key` means something in a query only.
            let at = range.start - 1 - name.len();
            let in_query = at.checked_sub(1).is_none_or(|at| text.get(at).is_some_and(|byte| b"?&".contains(byte)));
            if has_secret_word(&plain_name(&name)) || in_query && is_secret_parameter(&name) {
                add(text, range, Kind::of_name(&name));
            }
        }
        if text.windows(2).any(|pair| pair == b"--") {
            for (name, range) in pairs(&self.option) {
                let is_about =
                    ["file", "env", "in", "path", "name"].iter().any(|end| name.ends_with(&format!("-{end}")));
                if has_secret_word(&plain_name(&name)) && !is_about {
                    add(text, range, Kind::of_name(&name));
                }
            }
        }
        if text.contains(&b':') {
            for (name, range) in pairs(&self.constant) {
                if has_secret_word(&plain_name(&name)) {
                    add(text, range, Kind::of_name(&name));
                }
            }
            for (name, range) in pairs(&self.member) {
                let plain = plain_name(&name);
                if has_secret_word(&plain) || MEMBER_WORDS.contains(&plain.as_str()) {
                    add(text, range, Kind::of_name(&name));
                }
            }
            for (name, range) in pairs(&self.header) {
                let value = String::from_utf8_lossy(text.get(range.clone()).unwrap_or_default()).into_owned();
                for (kind, part) in header_secrets(&name, &value) {
                    add(text, range.start + part.start..(range.start + part.end).min(range.end), kind);
                }
            }
        }
        for captures in self.bearer.iter().flat_map(|regex| regex.captures_iter(text)) {
            if let Some(value) =
                captures.get(1).filter(|v| v.len() >= 16 || v.as_bytes().iter().any(u8::is_ascii_digit))
            {
                add(text, value.range(), Kind::Token);
            }
        }
        found
    }
}

/// Every `name=value`, as it stands in queries, `.env` files and logs.
fn assignments(text: &[u8]) -> Vec<(String, Range<usize>)> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.%[]-".contains(byte);
    let is_value =
        |byte: &u8| !byte.is_ascii_whitespace() && !byte.is_ascii_control() && !b"&;,#?=\"'<>\\{}()`".contains(byte);
    let mut found = Vec::new();
    for (at, _) in text.iter().enumerate().filter(|(_, byte)| **byte == b'=') {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
        let name_len = before.iter().rev().take(MAX_NAME_LEN).take_while(|byte| is_name(byte)).count();
        let value_len = after.iter().take_while(|byte| is_value(byte)).count();
        if name_len < 2 || value_len == 0 {
            continue;
        }
        // The padding of base64.
        let padding = after.iter().skip(value_len).take_while(|byte| **byte == b'=').take(2).count();
        let name = String::from_utf8_lossy(before.get(at - name_len..).unwrap_or_default()).into_owned();
        found.push((name, at + 1..at + 1 + value_len + padding));
    }
    found
}

/// The secret parts of a header's value.
pub(super) fn header_secrets(name: &str, value: &str) -> Vec<(Kind, Range<usize>)> {
    let Some(kind) = secret_header(name) else { return Vec::new() };
    let lead = value.len() - value.trim_start().len();
    let trimmed = value.trim();
    match kind {
        Kind::Authorization => {
            let (scheme, credentials) = trimmed.split_once([' ', '\t']).unwrap_or(("", trimmed));
            let kind = if scheme.eq_ignore_ascii_case("bearer") { Kind::Token } else { kind };
            let credentials = credentials.trim_start();
            let end = lead + trimmed.len();
            vec![(kind, end - credentials.len()..end)]
        }
        Kind::Cookie => {
            let pairs = if name.to_ascii_lowercase().starts_with("set-") { 1 } else { usize::MAX };
            let mut at = 0;
            let mut parts = Vec::new();
            for pair in value.split(';').take(pairs) {
                let from = pair.find('=').map_or_else(|| pair.len() - pair.trim_start().len(), |equals| equals + 1);
                let raw = pair.get(from..).unwrap_or_default();
                let start = at + from + (raw.len() - raw.trim_start().len());
                parts.push((kind, start..start + raw.trim().len()));
                at += pair.len() + 1;
            }
            parts
        }
        Kind::Token | Kind::Secret => vec![(kind, lead..lead + trimmed.len())],
    }
}

const MAX_NAME_LEN: usize = 40;

const QUERY_WORDS: [&str; 17] = [
    "auth",
    "authorization",
    "jwt",
    "key",
    "sig",
    "signature",
    "session",
    "sessionid",
    "sid",
    "ticket",
    "credential",
    "credentials",
    "pass",
    "pwd",
    "bearer",
    "otp",
    "hmac",
];

const MEMBER_WORDS: [&str; 10] =
    ["auth", "authorization", "jwt", "session", "sessionid", "sid", "cookie", "pwd", "credential", "credentials"];

/// What the names of headers that are looked for in texts have in common, and the word before a token.
const HEADER_WORDS: [&str; 5] = ["authorization", "cookie", "xapikey", "xauthtoken", "bearer"];

const SECRET_WORDS: [&str; 9] =
    ["token", "secret", "password", "passwd", "passphrase", "apikey", "privatekey", "jwt", "accesskey"];

const TELLING: &[&str] = &[
    "value",
    "undefined",
    "null",
    "nil",
    "none",
    "nan",
    "true",
    "false",
    "token",
    "jwt",
    "secret",
    "password",
    "ok",
    "yes",
    "no",
    "valid",
    "invalid",
    "expired",
    "missing",
    "required",
    "malformed",
    "absent",
    "empty",
    "failed",
    "failure",
    "success",
    "accepted",
    "rejected",
    "denied",
    "unauthorized",
    "forbidden",
    "bearer",
    "basic",
    "query",
    "header",
    "cookie",
    "unknown",
    "verified",
    "unchecked",
    "not_yet_valid",
    "no_expiry",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What is passed over quickly holds nothing that a look at the whole text would find.
    #[test]
    fn no_name_is_passed_over() {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut below = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 20) as usize % bound
        };
        let quick = Patterns::default();
        let thorough = Patterns { words: None, ..Patterns::default() };
        let words: Vec<&str> = [SECRET_WORDS.as_slice(), &MEMBER_WORDS, &QUERY_WORDS, &HEADER_WORDS].concat();
        let pieces = [
            "\"",
            "'",
            "\":\"",
            "' : '",
            "=",
            ": ",
            "\r\n",
            " ",
            "--",
            "_",
            "-",
            "%5B",
            ".",
            "ä",
            "://u:",
            "@h",
            "&",
            "?",
            "x9",
            "X-",
            "set-",
            "MY_",
            "abcdef0123456789",
            "}",
        ];
        let (mut named, mut quiet) = (0, 0);
        for _ in 0..60_000 {
            let mut text = String::new();
            for _ in 0..below(9) {
                let piece = if below(3) == 0 { words[below(words.len())] } else { pieces[below(pieces.len())] };
                // A word may be cut by a sign that names may hold, and written in any case.
                let cut = below(piece.len() + 1);
                let (one, two) = piece.split_at_checked(cut).unwrap_or((piece, ""));
                text.push_str(&if below(3) == 0 { one.to_uppercase() } else { one.to_owned() });
                text.push_str(["", "", "", "_", "-"][below(5)]);
                text.push_str(two);
            }
            let ranges = |patterns: &Patterns| {
                let mut ranges: Vec<_> = patterns.find(text.as_bytes()).into_iter().map(|named| named.range).collect();
                ranges.sort_by_key(|range| (range.start, range.end));
                ranges
            };
            let found = ranges(&thorough);
            assert_eq!(ranges(&quick), found, "{text:?}");
            named += usize::from(!found.is_empty());
            quiet += usize::from(!quick.may_name(text.as_bytes()));
        }
        assert!(named > 500 && quiet > 10_000, "{named} with names, {quiet} without");
    }
}
