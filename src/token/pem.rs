//! PEM texts (RFC 7468): as OpenSSL takes them, and as people paste and store them.
//!
//! A server that is given a PEM text which only a forgiving reader can read takes it for a shared secret; so the two are
//! kept apart, and each forgiving reading has a phrase that says what it forgives.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// One block of a PEM text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// What it says that it is: `PUBLIC KEY`.
    pub(super) label: String,
    /// Its contents.
    pub(super) der: Vec<u8>,
}

/// The blocks that OpenSSL reads: `BEGIN` and `END` at the beginning of lines of their own.
pub(super) fn strict(text: &str) -> Vec<Block> {
    let text = text.trim_start_matches('\u{feff}');
    let mut blocks = Vec::new();
    let mut open: Option<(String, String)> = None;
    for line in text.split('\n').map(str::trim_end) {
        if let Some(label) = marker(line, "-----BEGIN ") {
            open = Some((label.to_owned(), String::new()));
        } else if let Some(label) = marker(line, "-----END ") {
            blocks
                .extend(open.take().filter(|(begun, _)| begun == label).and_then(|(label, body)| block(label, &body)));
        } else if let Some((_, body)) = open.as_mut().filter(|_| !line.starts_with([' ', '\t'])) {
            body.push_str(line);
        } else {
            open = None;
        }
    }
    blocks
}

/// The blocks of a text in which line ends are lost, added or escaped, and what had to be forgiven.
pub(super) fn forgiving(text: &str) -> Option<(&'static str, Vec<Block>)> {
    let unescaped = text.replace("\\r", "").replace("\\n", "\n");
    let phrase = if text.contains("\\n") {
        "with its `\\n` read as line ends"
    } else if text.trim_start().starts_with(['"', '\'', '`']) {
        "without its quotes"
    } else if text.contains('\n') && text.lines().any(|line| line.starts_with([' ', '\t'])) {
        "without the white space before its lines"
    } else {
        "with its line ends put back"
    };
    let mut blocks = Vec::new();
    let mut rest = unescaped.as_str();
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((label, after)) = after.split_once("-----") else {
            break;
        };
        let Some((body, after)) = after.split_once("-----END ") else {
            break;
        };
        blocks.extend(block(label.to_owned(), body));
        rest = after;
    }
    (!blocks.is_empty()).then_some((phrase, blocks))
}

/// The bytes of a key whose `BEGIN` and `END` lines are missing.
pub(super) fn bare(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.chars().filter(|char| !char.is_whitespace()).collect();
    let is_der_like = compact.starts_with("MI") || ["MC", "MF", "MH"].iter().any(|begin| compact.starts_with(begin));
    if !is_der_like || compact.len() < 40 {
        return None;
    }
    FORGIVING.decode(compact).ok()
}

/// Whether a text holds the beginning of a PEM block.
pub(super) fn is_pem(bytes: &[u8]) -> bool {
    bytes.windows(BEGIN.len()).take(LIMIT).any(|window| window == BEGIN)
}

fn marker<'l>(line: &'l str, begin: &str) -> Option<&'l str> {
    line.strip_prefix(begin)?.strip_suffix("-----")
}

fn block(label: String, body: &str) -> Option<Block> {
    // Headers as in RFC 1421 say that a key is encrypted; nobody can read that without its password.
    if body.contains(':') || body.len() > LIMIT {
        return None;
    }
    let compact: String = body.chars().filter(|char| !char.is_whitespace()).collect();
    Some(Block { label, der: FORGIVING.decode(compact).ok()? })
}

/// A text longer than this is no key.
pub(super) const LIMIT: usize = 64 << 10;
const BEGIN: &[u8] = b"-----BEGIN ";

const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v";

    fn pem() -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &BODY[..40], &BODY[40..])
    }

    #[test]
    fn what_openssl_takes_is_read_strictly() {
        let key = vec![Block { label: "PUBLIC KEY".to_owned(), der: (0..48).collect() }];
        let text = pem();
        for good in [
            text.clone(),
            text.replace('\n', "\r\n"),
            text.trim().to_owned(),
            format!("\u{feff}{text}"),
            format!("a key\n{text}"),
            text.replace('\n', "  \n"),
        ] {
            assert_eq!(strict(&good), key, "{good:?}");
        }
        assert_eq!(strict(&format!("{text}{text}")).len(), 2);
    }

    #[test]
    fn what_openssl_refuses_is_read_with_a_phrase() {
        let text = pem();
        for (bad, phrase) in [
            (text.trim().replace('\n', "\\n"), "`\\n`"),
            (format!("\"{text}\""), "quotes"),
            (text.replace('\n', "\n    ").replacen("-----BEGIN", "    -----BEGIN", 1), "white space before"),
            (text.replace('\n', " "), "line ends put back"),
            (text.replace('\n', ""), "line ends put back"),
        ] {
            assert!(strict(&bad).is_empty(), "{bad:?}");
            let (found, blocks) = forgiving(&bad).unwrap();
            assert!(found.contains(phrase), "{found} for {bad:?}");
            assert_eq!(blocks[0].der.len(), 48, "{bad:?}");
        }
        assert_eq!(forgiving("-----BEGIN X-----AA"), None);
        assert_eq!(forgiving("-----BEGIN X-----!-----END X-----"), None);
    }

    #[test]
    fn rubbish_is_no_key() {
        for text in ["", "-----BEGIN ", "-----BEGIN -----", "-----END X-----", "-----BEGIN A-----\n-----END B-----"] {
            assert!(strict(text).is_empty(), "{text:?}");
            forgiving(text);
            bare(text);
        }
    }
}
