//! A text with its encodings undone, and where each byte of it stood.
//!
//! Percent escapes (however often applied), JSON and HTML escapes and the `+` of forms are undone in one pass, so that a
//! secret is found in whatever form it travelled. Nothing here knows what a secret is.

use std::ops::Range;

/// Bytes with their encodings undone.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// The original offset of every byte and of the end; `None` if nothing was undone.
    origin: Option<Vec<usize>>,
}

impl Plain {
    /// Undoes the encodings of `source`.
    pub(super) fn new(source: &[u8]) -> Self {
        if !has_encodings(source) {
            return Self { bytes: source.to_vec(), origin: None };
        }
        let mut bytes = Vec::with_capacity(source.len());
        let mut origin = Vec::with_capacity(source.len() + 1);
        let mut at = 0;
        while let Some(&byte) = source.get(at) {
            let (decoded, len) = match byte {
                b'%' => percent(source, at),
                b'\\' => backslash(source, at),
                b'&' => entity(source, at),
                b'+' => Some((' ', 1)),
                _ => None,
            }
            .unwrap_or(('\0', 0));
            if len == 0 {
                bytes.push(byte);
                origin.push(at);
                at += 1;
                continue;
            }
            match u8::try_from(u32::from(decoded)) {
                // A percent escape stands for one byte, also above 0x7F.
                Ok(value) if value.is_ascii() || byte == b'%' => bytes.push(value),
                Ok(_) | Err(_) => bytes.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            origin.resize(bytes.len(), at);
            at += len;
        }
        origin.push(source.len());
        Self { bytes, origin: Some(origin) }
    }

    /// The source itself, then what it is with one more layer of encodings undone each time.
    pub(super) fn layers(source: &[u8]) -> Vec<Self> {
        let mut layers = vec![Self { bytes: source.to_vec(), origin: None }];
        while layers.len() < MAX_LAYERS
            && let Some(last) = layers.last()
            && has_encodings(&last.bytes)
        {
            let mut next = Self::new(&last.bytes);
            let Some(origin) = next.origin.take() else { break };
            if next.bytes == last.bytes {
                break;
            }
            next.origin = Some(origin.into_iter().map(|at| last.place(at)).collect());
            layers.push(next);
        }
        layers
    }

    /// Where the bytes of a range stood in the source.
    pub(super) fn original(&self, range: &Range<usize>) -> Range<usize> {
        self.place(range.start)..self.place(range.end)
    }

    fn place(&self, at: usize) -> usize {
        self.origin.as_ref().map_or(at, |origin| origin.get(at).or(origin.last()).copied().unwrap_or(at))
    }

    /// The bytes as a text of the same length: what is not ASCII becomes a character that no token has.
    pub(super) fn ascii(&self) -> String {
        let ascii = self.bytes.iter().map(|byte| if byte.is_ascii() { *byte } else { 1 }).collect();
        String::from_utf8(ascii).unwrap_or_default()
    }
}

/// Whether something may be undone.
fn has_encodings(source: &[u8]) -> bool {
    source.iter().any(|byte| matches!(byte, b'%' | b'\\' | b'&' | b'+'))
}

/// A secret in every form in which it may stand in a text whose encodings are undone.
pub(super) fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = Plain::layers(secret).into_iter().map(|layer| layer.bytes).collect();
    if secret.len() >= ENCODED_MIN_LEN {
        for base64 in base64s(secret) {
            forms.push(Plain::new(base64.as_bytes()).bytes);
        }
        let digit = |bits: u8| char::from_digit(u32::from(bits), 16);
        let hex: String = secret.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0F)]).flatten().collect();
        forms.push(hex.to_ascii_uppercase().into_bytes());
        forms.push(hex.into_bytes());
    }
    forms.sort();
    forms.dedup();
    forms
}

/// The base64 of a secret wherever it stands in what was encoded: the characters that depend on nothing else.
fn base64s(secret: &[u8]) -> Vec<String> {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
    let mut texts = Vec::new();
    for before in 0..3_usize {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret);
        // Eight bits each: the characters that hold bits of neighbours are left out.
        let first = (before * 8).div_ceil(6);
        let end = bytes.len() * 8 / 6;
        for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            texts.extend(text.get(first..end).map(str::to_owned));
        }
    }
    texts
}

/// What the longer runs of base64 in a text stand for; the parts of a JWT are left out, which is a secret as a whole.
pub(super) fn base64_inside(text: &[u8]) -> Vec<Vec<u8>> {
    use base64::Engine as _;
    use base64::alphabet;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text.get(at..).and_then(|rest| rest.iter().position(is_digit)).map(|next| at + next) {
        let run = text.get(start..).unwrap_or_default();
        let run = run.get(..run.iter().take_while(|byte| is_digit(byte)).count()).unwrap_or_default();
        at = start + run.len();
        let is_part =
            text.get(at) == Some(&b'.') || start.checked_sub(1).and_then(|before| text.get(before)) == Some(&b'.');
        if run.len() < RUN_MIN_LEN || run.len() > RUN_MAX_LEN || is_part {
            continue;
        }
        let is_url_safe = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
        let alphabet = if is_url_safe { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
        // One digit more than a whole number of bytes is noise at the end.
        let whole = if run.len() % 4 == 1 { run.len() - 1 } else { run.len() };
        if let Ok(decoded) = GeneralPurpose::new(alphabet, config).decode(run.get(..whole).unwrap_or_default()) {
            found.push(decoded);
        }
    }
    found
}

/// `%41`, `%2541`, `%252541` …
fn percent(source: &[u8], at: usize) -> Option<(char, usize)> {
    let mut digits = at + 1;
    let mut value = hex_pair(source, digits)?;
    while value == b'%'
        && let Some(inner) = hex_pair(source, digits + 2)
    {
        value = inner;
        digits += 2;
    }
    Some((char::from(value), digits + 2 - at))
}

fn hex_pair(source: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| source.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    u8::try_from(digit(at)? * 16 + digit(at + 1)?).ok()
}

/// The escapes of JSON (RFC 8259 §7), and `\x41`.
fn backslash(source: &[u8], at: usize) -> Option<(char, usize)> {
    let simple = match source.get(at + 1)? {
        b'"' => '"',
        b'\'' => '\'',
        b'\\' => '\\',
        b'/' => '/',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'x' => return Some((char::from(hex_pair(source, at + 2)?), 4)),
        b'u' => {
            let (high, low) = (hex_pair(source, at + 2)?, hex_pair(source, at + 4)?);
            return Some((char::from_u32(u32::from(high) << 8 | u32::from(low))?, 6));
        }
        _ => return None,
    };
    Some((simple, 2))
}

/// The HTML entities that escaping functions write.
fn entity(source: &[u8], at: usize) -> Option<(char, usize)> {
    let rest = source.get(at + 1..source.len().min(at + 12))?;
    let end = rest.iter().position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(rest.get(..end)?).ok()?;
    let char = match name {
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "lt" => '<',
        "gt" => '>',
        _ => {
            let number = name.strip_prefix('#')?;
            let value = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(value)?
        }
    };
    Some((char, end + 2))
}

/// How long a run of base64 must be to be looked into, and how long it may be.
const RUN_MIN_LEN: usize = 16;
const RUN_MAX_LEN: usize = 16 << 20;
/// How often encodings are undone.
const MAX_LAYERS: usize = 4;
/// Shorter secrets are not looked for in base64 and hex, where they would be found by chance.
const ENCODED_MIN_LEN: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_is_undone_with_its_place() {
        for (encoded, plain) in [
            ("a%41b", "aAb"),
            ("a%2541b", "aAb"),
            ("a%25%", "a%%"),
            ("a%252525zz", "a%zz"),
            ("\\u0041\\/\\n", "A/\n"),
            ("&quot;&#x2F;&#47;&amp;&nope;", "\"//&&nope;"),
            ("a+b", "a b"),
            ("%C3%A9\\u00e9", "éé"),
            ("%zz\\q&", "%zz\\q&"),
        ] {
            assert_eq!(Plain::new(encoded.as_bytes()).bytes, plain.as_bytes(), "{encoded}");
        }
        let plain = Plain::new(b"x%2541yz");
        assert_eq!(plain.original(&(1..2)), 1..6);
        assert_eq!(plain.original(&(2..4)), 6..8);
    }

    #[test]
    fn base64_is_looked_into() {
        let inside = |text: &str| base64_inside(text.as_bytes());
        assert_eq!(inside("data: eyJwYXNzd29yZCI6Imh1bnRlcjIifQ== end"), [b"{\"password\":\"hunter2\"}"]);
        assert_eq!(inside("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0aaaaaaaa.dBjftJeZ4CVPmB92K27uh"), Vec::<Vec<u8>>::new());
        assert_eq!(inside("short words only, nothing here"), Vec::<Vec<u8>>::new());
        assert_eq!(inside("c2VjcmV0LXNlY3JldC1zZWNyZXQ_"), [b"secret-secret-secret?"]);
        assert_eq!(inside("\u{ff}\0=====").len(), 0);
    }

    #[test]
    fn base64_is_found_at_every_alignment() {
        use base64::Engine as _;
        let found = base64s(b"hunter2-hunter3");
        for before in ["", "a", "ab", "abc", "abcd"] {
            let text = format!("{before}hunter2-hunter3 and more");
            let text = base64::engine::general_purpose::STANDARD.encode(text);
            assert!(found.iter().any(|form| text.contains(form)), "{text}");
        }
    }
}
