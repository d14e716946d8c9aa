//! Secrets: bytes with a name, which never show.
//!
//! Where one text can be read in several ways, the other readings go with it, so that the difference can be named when it is
//! the other one that verifies.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::readings::from_hex;

/// A secret or key, and where it came from.
#[derive(Clone)]
pub struct Secret {
    /// Where it came from, as it is shown: `--secret-file`, `.env JWT_SECRET`.
    pub name: String,
    bytes: Vec<u8>,
    others: Vec<(String, Vec<u8>)>,
    is_decisive: bool,
}

/// How a secret is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SecretForm {
    /// The characters are the secret.
    #[default]
    Text,
    /// Base64 with `+` and `/`.
    Base64,
    /// Base64 with `-` and `_`.
    Base64Url,
    /// Pairs of hexadecimal digits.
    Hex,
}

impl SecretForm {
    /// Every form, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Text, Self::Base64, Self::Base64Url, Self::Hex];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::Base64Url => "base64url",
            Self::Hex => "hex",
        }
    }

    fn read(self, text: &str) -> Option<Vec<u8>> {
        let trimmed = text.trim();
        match self {
            Self::Text => Some(text.as_bytes().to_vec()),
            Self::Base64 => STANDARD.decode(trimmed).or_else(|_| STANDARD_NO_PAD.decode(trimmed)).ok(),
            Self::Base64Url => URL_SAFE_NO_PAD.decode(trimmed).or_else(|_| URL_SAFE.decode(trimmed)).ok(),
            Self::Hex => from_hex(trimmed.as_bytes()),
        }
    }
}

impl Secret {
    /// A secret with its bytes exactly as they were read.
    pub fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), others: Vec::new(), is_decisive: false }
    }

    /// A secret that is written in `form`; `None` if it is not written so.
    pub fn written(name: impl Into<String>, text: &str, form: SecretForm) -> Option<Self> {
        let secret = Self::new(name, form.read(text)?);
        Some(match form {
            SecretForm::Text => secret,
            SecretForm::Base64 | SecretForm::Base64Url | SecretForm::Hex => {
                secret.with_other("taken as text, not decoded", text.trim().as_bytes())
            }
        })
    }

    /// Whether `text` holds this secret as text; see [`holds_secret`].
    pub fn is_in(&self, text: &str) -> bool {
        std::str::from_utf8(&self.bytes).is_ok_and(|secret| holds_secret(text, secret))
    }

    /// The same as the one that the server is expected to use; others only explain.
    #[must_use]
    pub fn decisive(mut self) -> Self {
        self.is_decisive = true;
        self
    }

    /// Whether the server is expected to use this one.
    pub(super) fn is_decisive(&self) -> bool {
        self.is_decisive
    }

    /// The same with what another reader takes for it: a phrase that completes "verifies with NAME", and the bytes.
    pub(super) fn with_other(mut self, phrase: &str, bytes: &[u8]) -> Self {
        self.others.push((phrase.to_owned(), bytes.to_vec()));
        self
    }

    /// The bytes themselves, for those who check with them or blot them out; never to be shown or stored.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What other readers of the same file take for the secret: how they read it, and the bytes.
    pub(super) fn others(&self) -> &[(String, Vec<u8>)] {
        &self.others
    }
}

/// Whether `text` holds `secret`, the blanks around it aside.
///
/// Fewer than four bytes stand in many a text by chance, and are not looked for.
pub fn holds_secret(text: &str, secret: &str) -> bool {
    let secret = secret.trim();
    secret.len() >= 4 && text.contains(secret)
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Secret").field("name", &self.name).field("bytes", &"[redacted]").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_bytes() {
        let shown = format!("{:?}", Secret::new("--secret", "hunter2").with_other("x", b"hunter2"));
        assert!(shown.contains("--secret") && !shown.contains("hunter2"));
        assert!(!shown.contains("104"));
    }

    #[test]
    fn a_secret_is_known_without_the_line_end_that_a_file_gave_it() {
        let secret = Secret::new("a file", "hunter2\n");
        assert!(secret.is_in("JWT_SECRET=hunter2") && !secret.is_in("hunter3"));
        assert!(!Secret::new("a file", "\n\n\n\n").is_in("any text"));
        assert!(!Secret::new("a file", "abc").is_in("abc stands in many texts"));
        assert!(!Secret::new("a file", vec![0xFF; 8]).is_in("no text"));
    }

    #[test]
    fn a_secret_is_written_in_four_forms() {
        let bytes = |text: &str, form| Secret::written("s", text, form).map(|secret| secret.bytes().to_vec());
        assert_eq!(bytes(" a ", SecretForm::Text), Some(b" a ".to_vec()));
        for text in ["c2VjcmV0IQ==", "c2VjcmV0IQ", " c2VjcmV0IQ==\n"] {
            assert_eq!(bytes(text, SecretForm::Base64), Some(b"secret!".to_vec()), "{text}");
            assert_eq!(bytes(text, SecretForm::Base64Url), Some(b"secret!".to_vec()), "{text}");
        }
        assert_eq!(bytes("+/8=", SecretForm::Base64), Some(vec![0xFB, 0xFF]));
        assert_eq!(bytes("-_8", SecretForm::Base64Url), Some(vec![0xFB, 0xFF]));
        assert_eq!(bytes("-_8", SecretForm::Base64), None);
        assert_eq!(bytes("0aFF", SecretForm::Hex), Some(vec![10, 255]));
        assert_eq!((bytes("0aF", SecretForm::Hex), bytes("é!", SecretForm::Base64)), (None, None));
    }
}
