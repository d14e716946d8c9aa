//! The body of an answer that is not a 101: where it ends and what it says (RFC 9112 §6).

use super::handshake::ResponseHead;

/// How the end of a body is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// There is none (1xx, 204, 304).
    None,
    /// So many bytes.
    Length(u64),
    /// Chunked transfer coding.
    Chunked,
    /// Until TCP ends.
    UntilEnd,
}

/// Tells how the body after this head ends.
pub fn framing(head: &ResponseHead) -> Framing {
    if head.status < 200 || head.status == 204 || head.status == 304 {
        return Framing::None;
    }
    if head.values("transfer-encoding").any(|v| v.to_ascii_lowercase().contains("chunked")) {
        return Framing::Chunked;
    }
    head.values("content-length").next().and_then(|v| v.trim().parse().ok()).map_or(Framing::UntilEnd, Framing::Length)
}

/// Whether `raw`, the bytes after the head, holds the whole body.
pub fn is_complete(framing: Framing, raw: &[u8]) -> bool {
    match framing {
        Framing::None => true,
        Framing::Length(len) => raw.len() as u64 >= len,
        Framing::Chunked => dechunk(raw).1,
        Framing::UntilEnd => false,
    }
}

/// The body without its transfer coding, as far as it came.
pub fn decoded_body(framing: Framing, raw: &[u8]) -> Vec<u8> {
    match framing {
        Framing::None => Vec::new(),
        Framing::Length(len) => raw[..raw.len().min(usize::try_from(len).unwrap_or(usize::MAX))].to_vec(),
        Framing::Chunked => dechunk(raw).0,
        Framing::UntilEnd => raw.to_vec(),
    }
}

/// Takes chunked coding apart; gives what could be read and whether the last chunk was there.
fn dechunk(mut raw: &[u8]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    loop {
        let Some(line_end) = raw.iter().position(|b| *b == b'\n') else {
            return (out, false);
        };
        let line = String::from_utf8_lossy(&raw[..line_end]);
        let digits = line.split(';').next().unwrap_or("").trim();
        let Ok(len) = usize::from_str_radix(digits, 16) else {
            out.extend_from_slice(raw);
            return (out, true);
        };
        raw = &raw[line_end + 1..];
        if len == 0 {
            return (out, true);
        }
        let take = len.min(raw.len());
        out.extend_from_slice(&raw[..take]);
        raw = &raw[take..];
        if take < len {
            return (out, false);
        }
        raw = raw.strip_prefix(b"\r\n").or_else(|| raw.strip_prefix(b"\n")).unwrap_or(raw);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunked_bodies_are_joined() {
        let raw = b"4\r\nWiki\r\n5;x=1\r\npedia\r\n0\r\n\r\n";
        assert_eq!(decoded_body(Framing::Chunked, raw), b"Wikipedia");
        assert!(is_complete(Framing::Chunked, raw));
        for cut in 0..raw.len() - 4 {
            assert!(!is_complete(Framing::Chunked, &raw[..cut]), "{cut}");
        }
        assert_eq!(decoded_body(Framing::Chunked, b"not chunked\r\nat all"), b"not chunked\r\nat all");
        assert!(!is_complete(Framing::Chunked, b"ffffffffffffffff\r\nx"));
    }
}
