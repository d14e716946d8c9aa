//! The body of an answer that is not a 101: where it ends and what it says (RFC 9112 §6).

use std::io::Read as _;

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

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

/// The body without its transfer and content codings, as far as it came; codings other than gzip and deflate stay.
pub fn decoded_content(head: &ResponseHead, raw: &[u8]) -> Vec<u8> {
    let body = decoded_body(framing(head), raw);
    let coding = head.value("content-encoding").unwrap_or("").trim().to_ascii_lowercase();
    let mut out = Vec::new();
    let limit = MAX_CONTENT_BYTES as u64;
    // A body that was cut, or is something else: what could be read is shown.
    let _cut = match coding.as_str() {
        "gzip" | "x-gzip" => MultiGzDecoder::new(body.as_slice()).take(limit).read_to_end(&mut out),
        "deflate" if body.first().is_some_and(|byte| byte & 0x0F == 8) => {
            ZlibDecoder::new(body.as_slice()).take(limit).read_to_end(&mut out)
        }
        "deflate" => DeflateDecoder::new(body.as_slice()).take(limit).read_to_end(&mut out),
        _ => return body,
    };
    if out.is_empty() { body } else { out }
}

/// How much of a compressed body is shown.
const MAX_CONTENT_BYTES: usize = 1024 * 1024;

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

    #[test]
    fn content_codings_are_taken_off() {
        use crate::wire::{HeadOutcome, parse_response};
        let text = b"Unauthorized: token expired. ".repeat(20);
        let level = flate2::Compression::default();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), level);
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), level);
        for encoder in [&mut gzip as &mut dyn std::io::Write, &mut zlib, &mut raw] {
            encoder.write_all(&text).unwrap();
        }
        let gzip = gzip.finish().unwrap();
        let check = |coding: &str, body: &[u8], expected: &[u8]| {
            let head = format!("HTTP/1.1 401 Unauthorized\r\nContent-Encoding: {coding}\r\n\r\n");
            let HeadOutcome::Head(head) = parse_response(head.as_bytes()) else { panic!("{head}") };
            assert_eq!(decoded_content(&head, body), expected, "{coding}");
        };
        check("gzip", &gzip, &text);
        check("deflate", &zlib.finish().unwrap(), &text);
        check("deflate", &raw.finish().unwrap(), &text);
        check("gzip", b"not gzip", b"not gzip");
        check("br", b"\x8b\x01", b"\x8b\x01");
        check("identity", &text, &text);
    }
}
