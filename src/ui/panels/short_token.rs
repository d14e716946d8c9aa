//! Tokens inside other text, shortened in the middle: everywhere but in the token panel.

use crate::token::find_tokens;
use crate::ui::visible;

/// Returns `text` with every token in it shortened: `GET /?token=eyJhbGciO…Qssw5c&agentId=a1`.
///
/// Linear in the length of `text`; the rest is left as it is.
pub(super) fn short_tokens(text: &str) -> String {
    let mut short = String::with_capacity(text.len());
    let mut at = 0;
    for range in find_tokens(text) {
        short.push_str(text.get(at..range.start).unwrap_or_default());
        let token = text.get(range.clone()).unwrap_or_default();
        short.push_str(&visible::middle_ellipsis(token, SHOWN_CHARS));
        at = range.end;
    }
    short.push_str(text.get(at..).unwrap_or_default());
    short
}

/// The same for bytes, which stay as they are where they hold no token or are not UTF-8.
pub(super) fn short_tokens_in(bytes: &[u8]) -> Vec<u8> {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.to_vec(), |text| short_tokens(text).into_bytes())
}

const SHOWN_CHARS: usize = 17;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_shortened_and_the_rest_stays() {
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhIn0.Et9HFtf9R3GEMA0IICOfFMVXY7kkTX1wr4qCyhIf58U";
        let url = format!("ws://localhost:3001/?token={token}&agentId=a1");
        assert_eq!(short_tokens(&url), "ws://localhost:3001/?token=eyJhbGci…CyhIf58U&agentId=a1");
        assert_eq!(short_tokens("ws://example.com/a.b.c"), "ws://example.com/a.b.c");
        assert_eq!(short_tokens_in(b"\xFFabc"), b"\xFFabc");
    }
}
