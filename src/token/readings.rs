//! The other ways in which a secret is read by mistake: with its line end, with its quotes, as base64 or as text.
//!
//! Each is a phrase that completes "verifies with NAME …", and the bytes.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::secret::Secret;

/// Another reading of a secret.
#[derive(Clone)]
pub(super) struct Reading {
    /// How it is read: `without its line end`.
    pub(super) phrase: String,
    /// What comes out.
    pub(super) bytes: Vec<u8>,
}

/// All readings of `secret` that differ from its own bytes and from each other, the likeliest first.
pub(super) fn of(secret: &Secret) -> Vec<Reading> {
    let raw = secret.bytes();
    let mut readings = Readings { raw, found: Vec::new() };
    let no_line_end = strip_line_end(raw);
    readings.add("without its line end", no_line_end.to_vec());
    readings.add("without the white space around it", raw.trim_ascii().to_vec());
    let no_bom = raw.strip_prefix(BOM).unwrap_or(raw);
    readings.add("without its byte order mark", no_bom.to_vec());
    readings.add("without its byte order mark and its line end", strip_line_end(no_bom).to_vec());
    let trimmed = no_bom.trim_ascii();
    let core = unquoted(trimmed);
    readings.add("without its quotes", core.to_vec());
    for (phrase, bytes) in secret.others() {
        readings.add(phrase, bytes.clone());
    }
    if let Some(text) = from_utf16(raw) {
        readings.add("read as UTF-16, as PowerShell writes files", text.trim().as_bytes().to_vec());
    }
    if let Some(bytes) = from_base64(core, &STANDARD) {
        readings.add("decoded from base64", bytes);
    }
    if let Some(bytes) = from_base64(core, &URL_SAFE) {
        readings.add("decoded from base64url", bytes);
    }
    if let Some(bytes) = from_hex(core) {
        readings.add("decoded from hex", bytes);
    }
    readings.add("with a line end added", with(raw, b"\n"));
    readings.add("with a line end (CR LF) added", with(raw, b"\r\n"));
    readings.add("with its line end as LF alone", with(strip_line_end(raw), b"\n"));
    readings.add("with quotes around it", quoted(core, b'"'));
    readings.add("with single quotes around it", quoted(core, b'\''));
    if let Ok(text) = std::str::from_utf8(core) {
        readings.add("with its `\\n` read as line ends", text.replace("\\n", "\n").into_bytes());
    }
    readings.found
}

struct Readings<'s> {
    raw: &'s [u8],
    found: Vec<Reading>,
}

impl Readings<'_> {
    fn add(&mut self, phrase: &str, bytes: Vec<u8>) {
        let is_new = !bytes.is_empty() && bytes != self.raw && self.found.iter().all(|reading| reading.bytes != bytes);
        if is_new {
            self.found.push(Reading { phrase: phrase.to_owned(), bytes });
        }
    }
}

fn strip_line_end(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes;
    while let [start @ .., b'\n' | b'\r'] = rest {
        rest = start;
    }
    rest
}

fn unquoted(bytes: &[u8]) -> &[u8] {
    match bytes {
        [open @ (b'"' | b'\'' | b'`'), inner @ .., close] if open == close => inner,
        _ => bytes,
    }
}

fn with(bytes: &[u8], end: &[u8]) -> Vec<u8> {
    [bytes, end].concat()
}

fn quoted(bytes: &[u8], quote: u8) -> Vec<u8> {
    [&[quote], bytes, &[quote]].concat()
}

fn from_utf16(bytes: &[u8]) -> Option<String> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() || pairs.is_empty() {
        return None;
    }
    let is_little = match pairs.first()? {
        [0xfe, 0xff] => false,
        [0xff, 0xfe] | [_, 0] => true,
        _ => return None,
    };
    let units: Vec<u16> =
        pairs.iter().map(|&pair| if is_little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }).collect();
    let text = String::from_utf16(&units).ok()?;
    Some(text.trim_start_matches('\u{feff}').to_owned())
}

/// What base64 of either alphabet stands for, forgiving its padding.
pub(super) fn from_any_base64(bytes: &[u8]) -> Option<Vec<u8>> {
    from_base64(bytes, &STANDARD).or_else(|| from_base64(bytes, &URL_SAFE))
}

fn from_base64(bytes: &[u8], engine: &GeneralPurpose) -> Option<Vec<u8>> {
    engine.decode(bytes).ok()
}

/// What pairs of hexadecimal digits stand for.
pub(super) fn from_hex(bytes: &[u8]) -> Option<Vec<u8>> {
    let digits = bytes.strip_prefix(b"0x").unwrap_or(bytes);
    let (pairs, odd) = digits.as_chunks::<2>();
    if !odd.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|&[high, low]| u8::try_from(digit(high)? * 16 + digit(low)?).ok()).collect()
}

const BOM: &[u8] = b"\xef\xbb\xbf";

const FORGIVING: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, FORGIVING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, FORGIVING);

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(secret: &[u8], phrase: &str) -> Option<Vec<u8>> {
        of(&Secret::new("s", secret))
            .into_iter()
            .find(|reading| reading.phrase.contains(phrase))
            .map(|reading| reading.bytes)
    }

    #[test]
    fn each_slip_has_its_reading() {
        let cases: [(&[u8], &str, &[u8]); 14] = [
            (b"abc\n", "without its line end", b"abc"),
            (b"abc\r\n", "without its line end", b"abc"),
            (b" abc ", "white space", b"abc"),
            (b"\"abc\"", "without its quotes", b"abc"),
            (b"'abc'\n", "without its quotes", b"abc"),
            (b"\xef\xbb\xbfabc", "byte order mark", b"abc"),
            (b"\xef\xbb\xbfabc\r\n", "mark and its line end", b"abc"),
            (b"\xff\xfea\0b\0\r\0\n\0", "UTF-16", b"ab"),
            (b"aGVsbG8/", "from base64", b"hello?"),
            (b"aGVsbG8_", "from base64url", b"hello?"),
            (b"616263", "from hex", b"abc"),
            (b"abc", "with a line end added", b"abc\n"),
            (b"abc", "with quotes", b"\"abc\""),
            (b"a\\nb", "`\\n`", b"a\nb"),
        ];
        for (secret, phrase, bytes) in cases {
            assert_eq!(reading(secret, phrase).as_deref(), Some(bytes), "{phrase}");
        }
    }

    #[test]
    fn readings_differ_from_the_secret_and_from_each_other() {
        for secret in [b"".as_slice(), b"a", b"\n", b"\"\"", b"abcd", b"\0\0"] {
            let readings = of(&Secret::new("s", secret));
            for (nth, reading) in readings.iter().enumerate() {
                assert_ne!(reading.bytes, secret);
                assert!(readings[..nth].iter().all(|earlier| earlier.bytes != reading.bytes));
            }
        }
    }
}
