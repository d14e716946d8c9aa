//! What a file is that is no journal, judged by how it begins: who drops the wrong one is told what it is.

use std::fmt;

/// What a file is that is no journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherFile {
    /// Nothing is in it.
    Empty,
    /// A journal cut inside its first 64 bytes.
    CutJournal,
    /// A HAR, as browsers and `sockeye export --to har` write it.
    Har,
    /// JSON Lines of `sockeye export`.
    JsonLines,
    /// Other JSON.
    Json,
    /// A capture of Wireshark.
    Capture,
    /// A zip, such as a share bundle.
    Zip,
    /// A web page, such as an HTML report.
    Html,
    /// A token.
    Token,
    /// Variables, as in a `.env`.
    Env,
    /// Another text.
    Text,
    /// Other bytes.
    Binary,
}

impl OtherFile {
    /// How much of a file is looked at.
    pub const HEAD_BYTES: usize = 4096;

    /// What a file is that begins like this; at most [`OtherFile::HEAD_BYTES`] are looked at.
    pub fn of(head: &[u8]) -> Self {
        let head = head.get(..head.len().min(Self::HEAD_BYTES)).unwrap_or_default();
        if head.is_empty() {
            return Self::Empty;
        }
        if super::format::MAGIC.starts_with(head.get(..head.len().min(8)).unwrap_or_default()) {
            return Self::CutJournal;
        }
        for (magic, kind) in MAGICS {
            if head.starts_with(magic) {
                return *kind;
            }
        }
        let text = String::from_utf8_lossy(head);
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let is_text = !head.contains(&0) && text.matches('\u{fffd}').count() <= 1;
        if !is_text {
            return Self::Binary;
        }
        if text.starts_with('{') {
            return of_json(text);
        }
        if text.starts_with('[') {
            return Self::Json;
        }
        let lower = text.get(..text.len().min(64)).unwrap_or_default().to_ascii_lowercase();
        if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
            return Self::Html;
        }
        let first = text.lines().next().unwrap_or_default().trim();
        if first.starts_with("eyJ") && first.matches('.').count() >= 2 {
            return Self::Token;
        }
        let is_variable = |line: &str| line.split_once('=').is_some_and(|(name, _)| is_name(name.trim()));
        let mut lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
        if lines.peek().is_some() && lines.take(3).all(is_variable) { Self::Env } else { Self::Text }
    }
}

impl fmt::Display for OtherFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the file is empty",
            Self::CutJournal => "the file ends inside the first bytes of a session",
            Self::Har => "this is a HAR; the Network tab of a browser's developer tools imports it",
            Self::JsonLines => "these are the rows of a session as JSON Lines; the session itself ends in .sockeye",
            Self::Json => "this is JSON, no session",
            Self::Capture => "this is a capture; Wireshark opens it",
            Self::Zip => "this is a zip, as a share bundle is one; unpack it, and open its report.html in a browser",
            Self::Html => "this is a web page; open it in a browser",
            Self::Token => "this is a token; paste it into the token panel",
            Self::Env => "these are variables, as in a .env; choose the file as the secret of the form",
            Self::Text => "this is a text, no session",
            Self::Binary => "this is no session saved by sockeye",
        })
    }
}

fn of_json(text: &str) -> OtherFile {
    let begins = |name: &str| text.get(1..).is_some_and(|rest| rest.trim_start().starts_with(name));
    if begins("\"log\"") {
        OtherFile::Har
    } else if begins("\"row\"") {
        OtherFile::JsonLines
    } else {
        OtherFile::Json
    }
}

fn is_name(name: &str) -> bool {
    let name = name.strip_prefix("export ").unwrap_or(name);
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// How other files begin.
const MAGICS: &[(&[u8], OtherFile)] = &[
    (b"\x0a\x0d\x0d\x0a", OtherFile::Capture),
    (b"\xd4\xc3\xb2\xa1", OtherFile::Capture),
    (b"\xa1\xb2\xc3\xd4", OtherFile::Capture),
    (b"\x4d\x3c\xb2\xa1", OtherFile::Capture),
    (b"PK\x03\x04", OtherFile::Zip),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_how_they_begin() {
        for (head, wanted) in [
            (&b""[..], OtherFile::Empty),
            (b"\x89sock", OtherFile::CutJournal),
            (b"{\"log\":{\"version\":\"1.2\"", OtherFile::Har),
            (b"\xef\xbb\xbf{ \n \"log\" : {", OtherFile::Har),
            (b"{\"row\":0,\"at_ms\":0.0", OtherFile::JsonLines),
            (b"{\"a\":1}", OtherFile::Json),
            (b"\x0a\x0d\x0d\x0a\x80\0\0\0", OtherFile::Capture),
            (b"PK\x03\x04", OtherFile::Zip),
            (b"<!DOCTYPE html><html>", OtherFile::Html),
            (b"eyJhbGciOiJIUzI1NiJ9.e30.abc\n", OtherFile::Token),
            (b"# secrets\nJWT_SECRET=abc\nPORT=3001\n", OtherFile::Env),
            (b"hello = world\nand so on", OtherFile::Text),
            (b"\x7fELF\0\0\0", OtherFile::Binary),
        ] {
            assert_eq!(OtherFile::of(head), wanted, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn any_bytes_are_something() {
        let mut state = 7_u64;
        for _ in 0..2_000 {
            let bytes: Vec<u8> = (0..40)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 33) as u8
                })
                .collect();
            assert!(!OtherFile::of(&bytes).to_string().is_empty());
        }
    }
}
