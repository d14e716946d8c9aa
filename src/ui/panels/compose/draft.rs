//! A message that is being written: what it will be, and why it cannot be sent yet.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bytes::Bytes;

use crate::engine::Outgoing;
use crate::ui::units;

/// What kind of thing is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A text message.
    #[default]
    Text,
    /// A text message that is checked to be JSON.
    Json,
    /// A binary message, written in hexadecimal digits.
    Hex,
    /// A binary message, written in base64.
    Base64,
    /// A binary message, the contents of a file.
    File,
    /// A ping.
    Ping,
    /// A pong.
    Pong,
    /// A Close frame.
    Close,
}

impl Kind {
    /// Every kind, in the order of the menu.
    pub const ALL: [Self; 8] =
        [Self::Text, Self::Json, Self::Hex, Self::Base64, Self::File, Self::Ping, Self::Pong, Self::Close];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Json => "JSON",
            Self::Hex => "Binary, hex",
            Self::Base64 => "Binary, base64",
            Self::File => "Binary, file",
            Self::Ping => "Ping",
            Self::Pong => "Pong",
            Self::Close => "Close",
        }
    }

    /// What the empty field says.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Text => "a text message",
            Self::Json => "{\"type\":\"ping\"}",
            Self::Hex => "48 65 6c 6c 6f",
            Self::Base64 => "SGVsbG8=",
            Self::File => "path of a file",
            Self::Ping | Self::Pong => "payload, at most 125 bytes",
            Self::Close => "",
        }
    }
}

/// A message that is being written.
#[derive(Debug, Default)]
pub struct Draft {
    /// What kind it is.
    pub kind: Kind,
    /// What is in the field.
    pub text: String,
    /// The close code as typed.
    pub code: String,
    /// The close reason.
    pub reason: String,
    /// The last text that was judged, by length and ends, and what was said: judging 10 MB at each pass would be felt.
    judged: std::cell::RefCell<Option<Judged>>,
}

#[derive(Debug)]
struct Judged {
    kind: Kind,
    text: String,
    problem: Option<String>,
}

impl Draft {
    /// Why it cannot be sent.
    pub fn problem(&self) -> Option<String> {
        if self.kind == Kind::Close {
            return self.close_problem();
        }
        let mut judged = self.judged.borrow_mut();
        if let Some(judged) = judged.as_ref()
            && judged.kind == self.kind
            && judged.text == self.text
        {
            return judged.problem.clone();
        }
        let problem = self.judge();
        *judged = Some(Judged { kind: self.kind, text: self.text.clone(), problem: problem.clone() });
        problem
    }

    /// The message, if it can be sent as one.
    pub fn message(&self) -> Option<Outgoing> {
        let control = || Bytes::from(self.text.clone().into_bytes());
        match self.kind {
            Kind::Text | Kind::Json => Some(Outgoing::Text(self.text.clone())),
            Kind::Hex => hex(&self.text).ok().map(Outgoing::Binary),
            Kind::Base64 => base64(&self.text).ok().map(Outgoing::Binary),
            Kind::Ping => Some(Outgoing::Ping(control())),
            Kind::Pong => Some(Outgoing::Pong(control())),
            Kind::File | Kind::Close => None,
        }
    }

    /// The close code and reason.
    pub fn close(&self) -> (Option<u16>, String) {
        (self.code.trim().parse().ok(), self.reason.clone())
    }

    fn judge(&self) -> Option<String> {
        match self.kind {
            Kind::Json => serde_json::from_str::<serde::de::IgnoredAny>(&self.text)
                .err()
                .map(|error| format!("this is not JSON yet: {error}")),
            Kind::Hex => hex(&self.text).err(),
            Kind::Base64 => base64(&self.text).err(),
            Kind::File if self.text.trim().is_empty() => Some("type or choose the path of a file".to_owned()),
            Kind::File if self.text.len() > 4096 || self.text.contains('\0') => Some("this is no path".to_owned()),
            Kind::Ping | Kind::Pong if self.text.len() > MAX_CONTROL => {
                let size = units::size(self.text.len() as u64);
                Some(format!("a control frame holds at most 125 bytes, and this is {size}"))
            }
            Kind::Text | Kind::File | Kind::Ping | Kind::Pong | Kind::Close => None,
        }
    }

    fn close_problem(&self) -> Option<String> {
        let code = self.code.trim();
        if code.is_empty() {
            let without = !self.reason.is_empty();
            return without.then(|| "a reason needs a code: type one, such as 1000".to_owned());
        }
        match code.parse::<u16>().ok().filter(|_| code.len() <= 5) {
            Some(1005 | 1006 | 1015) => {
                Some(format!("{code} never travels in a frame: it is what an API shows when none came"))
            }
            Some(1000..=4999) => (self.reason.len() > MAX_REASON)
                .then(|| format!("the reason has {} bytes, and at most 123 fit", self.reason.len())),
            _ => Some("a close code is a number from 1000 to 4999".to_owned()),
        }
    }
}

fn hex(text: &str) -> Result<Bytes, String> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    let text = text.trim();
    let digits = text.strip_prefix("0x").unwrap_or(text);
    for c in digits.chars() {
        if c.is_ascii_whitespace() || matches!(c, ':' | '-' | ',' | '_') {
            continue;
        }
        let Some(digit) = c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) else {
            let shown = crate::ui::visible::one_line(&c.to_string(), 4).text;
            return Err(format!("\u{201c}{shown}\u{201d} is no hexadecimal digit"));
        };
        match high.take() {
            Some(high) => bytes.push(high << 4 | digit),
            None => high = Some(digit),
        }
    }
    if high.is_some() { Err("one digit is missing: bytes have two each".to_owned()) } else { Ok(bytes.into()) }
}

fn base64(text: &str) -> Result<Bytes, String> {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let mut last = String::new();
    for engine in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
        match engine.decode(&compact) {
            Ok(bytes) => return Ok(bytes.into()),
            Err(error) => last = error.to_string(),
        }
    }
    Err(format!("this is no base64: {last}"))
}

const MAX_CONTROL: usize = 125;
const MAX_REASON: usize = 123;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, text: &str, says: Option<&str>) {
        let draft = Draft { kind, text: text.to_owned(), ..Draft::default() };
        let problem = draft.problem();
        match says {
            None => assert_eq!(problem, None, "{kind:?} {text:?}"),
            Some(says) => assert!(problem.as_deref().unwrap_or("").contains(says), "{kind:?} {text:?}: {problem:?}"),
        }
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        check(Kind::Text, "", None);
        check(Kind::Json, "{\"a\":1}", None);
        check(Kind::Json, "{\"a\":}", Some("not JSON yet"));
        check(Kind::Hex, "0x48:65 6C-6c 6f", None);
        check(Kind::Hex, "486", Some("one digit is missing"));
        check(Kind::Hex, "4\u{202E}", Some("no hexadecimal digit"));
        check(Kind::Base64, "SGVsbG8", None);
        check(Kind::Base64, "S\0", Some("no base64"));
        check(Kind::Ping, &"x".repeat(126), Some("at most 125 bytes"));
        check(Kind::File, " ", Some("path of a file"));
    }

    #[test]
    fn close_codes_are_judged() {
        let close = |code: &str, reason: &str| {
            let draft = Draft { kind: Kind::Close, code: code.into(), reason: reason.into(), ..Draft::default() };
            draft.problem().unwrap_or_default()
        };
        assert_eq!(close("", ""), "");
        assert_eq!(close("1000", "bye"), "");
        assert!(close("", "bye").contains("needs a code"));
        assert!(close("1006", "").contains("never travels"));
        assert!(close("1e9", "").contains("from 1000 to 4999"));
        assert!(close("4000", &"x".repeat(124)).contains("124 bytes"));
    }

    #[test]
    fn bytes_are_read_as_written() {
        assert_eq!(hex("48656c6c6f").unwrap(), Bytes::from_static(b"Hello"));
        assert_eq!(base64("SGVs\nbG8=").unwrap(), Bytes::from_static(b"Hello"));
    }
}
