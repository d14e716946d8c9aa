//! The body of an answer that is not a 101: where it ends and what it says (RFC 9112 §6).

use std::io::Read as _;

use brotli_decompressor::Decompressor as BrotliDecoder;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::StreamingDecoder;

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
    if (100..200).contains(&head.status) || head.status == 204 || head.status == 304 {
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

/// The body without its transfer and content codings, as far as it came; codings that browsers do not know stay.
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
        "br" => BrotliDecoder::new(body.as_slice(), BROTLI_BUFFER_BYTES).take(limit).read_to_end(&mut out),
        "zstd" => Ok(unzstd(&body, &mut out)),
        _ => return body,
    };
    if out.is_empty() { body } else { out }
}

/// Appends what the frames of `body` hold, up to our limit or the first thing that is no frame; returns how much that is.
fn unzstd(mut body: &[u8], out: &mut Vec<u8>) -> usize {
    while !body.is_empty() && out.len() < MAX_CONTENT_BYTES {
        let Ok(frame) = StreamingDecoder::new_with_max_window_size(&mut body, MAX_ZSTD_WINDOW_BYTES) else { break };
        let room = (MAX_CONTENT_BYTES - out.len()) as u64;
        if frame.take(room).read_to_end(out).is_err() {
            break;
        }
    }
    out.len()
}

/// How much of a compressed body is shown.
const MAX_CONTENT_BYTES: usize = 1024 * 1024;
/// What is read of a brotli stream at a time.
const BROTLI_BUFFER_BYTES: usize = 4096;
/// The largest window that HTTP allows for zstd (RFC 9659 §3).
const MAX_ZSTD_WINDOW_BYTES: u64 = 8 * 1024 * 1024;

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
        check("br", BROTLI, &text);
        check("br", b"\xff\xff\xff", b"\xff\xff\xff");
        check("zstd", ZSTD, &text);
        check("ZSTD", &[ZSTD, ZSTD].concat(), &[text.as_slice(), &text].concat());
        check("zstd", b"\x28\xB5\x2F\xFD\x00\xF8", b"\x28\xB5\x2F\xFD\x00\xF8");
        check("compress", b"\x1F\x9D\x90", b"\x1F\x9D\x90");
        check("identity", &text, &text);
    }

    /// The same text as brotli of Node and zstd of its own tool write it.
    const BROTLI: &[u8] =
        b"\x1b\x43\x02\xf8\x8d\x54\xb5\xbf\x06\xa9\x22\x73\x53\x2e\x3a\x5d\xc8\x22\xd0\x70\xa6\x59\xd0\
        \x65\x9d\x92\xc4\x35\xf7\x61\x01\x0e\x0f\x00";
    const ZSTD: &[u8] =
        b"\x28\xb5\x2f\xfd\x64\x44\x01\x2d\x01\x00\xe8Unauthorized: token expired. \x01\x00\x91\x00\x95\x72\
        \x02\x4f\x00\x6b\x23";

    fn content(coding: &str, body: &[u8]) -> Vec<u8> {
        use crate::wire::{HeadOutcome, parse_response};
        let head = format!("HTTP/1.1 403 Forbidden\r\nContent-Encoding: {coding}\r\n\r\n");
        let HeadOutcome::Head(head) = parse_response(head.as_bytes()) else { panic!("{head}") };
        decoded_content(&head, body)
    }

    #[test]
    fn cut_and_hostile_bodies_end_within_the_limit() {
        for (coding, whole) in [("br", BROTLI), ("zstd", ZSTD)] {
            for len in 0..whole.len() {
                assert!(content(coding, &whole[..len]).len() <= 580, "{coding} {len}");
            }
            for at in 0..whole.len() {
                for bit in 0..8 {
                    let mut wrong = whole.to_vec();
                    wrong[at] ^= 1 << bit;
                    assert!(content(coding, &wrong).len() <= MAX_CONTENT_BYTES, "{coding} {at} {bit}");
                }
            }
        }
        // 64 MiB of zeros in 512 blocks of zstd, each one byte repeated.
        let mut bomb = b"\x28\xB5\x2F\xFD\x00\x38".to_vec();
        bomb.extend(b"\x02\x00\x10\x00".repeat(512));
        assert_eq!(content("zstd", &bomb).len(), MAX_CONTENT_BYTES);
        // 8 MiB of zeros.
        assert_eq!(content("br", b"\x9b\xff\xff\x7f\xf8\x27\x00\xe2\xb1\x40\x20\xf7\xfe\x0f").len(), MAX_CONTENT_BYTES);
        let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::copy(&mut std::io::repeat(0).take(64 << 20), &mut bomb).unwrap();
        assert_eq!(content("gzip", &bomb.finish().unwrap()).len(), MAX_CONTENT_BYTES);
    }
}
