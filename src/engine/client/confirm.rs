//! Whether a message confirms the connection (the rule that the user chose).

use regex::Regex;
use serde_json::Value;

use crate::observation::Expect;

/// A confirmation rule, ready to be asked.
pub(crate) enum Rule {
    /// The 101 is enough.
    None,
    /// Any first data message.
    First,
    /// Text that contains this.
    Contains(String),
    /// JSON whose value at the pointer is this.
    JsonPointer(String, Value),
    /// Text that matches this.
    Regex(Regex),
    /// A regular expression that cannot be compiled: nothing matches.
    Never,
}

impl Rule {
    /// Prepares a rule.
    pub(crate) fn new(expect: &Expect) -> Self {
        match expect {
            Expect::None => Self::None,
            Expect::First => Self::First,
            Expect::Contains { text } => Self::Contains(text.clone()),
            Expect::JsonPointer { pointer, value } => {
                let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.clone()));
                Self::JsonPointer(pointer.clone(), value)
            }
            Expect::Regex { pattern } => Regex::new(pattern).map_or(Self::Never, Self::Regex),
        }
    }

    /// Whether this message meets it.
    pub(crate) fn is_met_by(&self, payload: &[u8], is_text: bool) -> bool {
        let text = || std::str::from_utf8(payload).ok().filter(|_| is_text);
        match self {
            Self::None | Self::Never => false,
            Self::First => true,
            Self::Contains(part) => text().is_some_and(|t| t.contains(part.as_str())),
            Self::JsonPointer(pointer, wanted) => {
                serde_json::from_slice::<Value>(payload).is_ok_and(|json| json.pointer(pointer) == Some(wanted))
            }
            Self::Regex(regex) => text().is_some_and(|t| regex.is_match(t)),
        }
    }
}

/// The beginning of a message as a preview of at most 500 characters.
pub(crate) fn preview(payload: &[u8], is_text: bool) -> String {
    if is_text {
        String::from_utf8_lossy(&payload[..payload.len().min(2_000)]).chars().take(500).collect()
    } else {
        let hex: Vec<String> = payload.iter().take(32).map(|b| format!("{b:02x}")).collect();
        format!("{} bytes: {}", payload.len(), hex.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_knows_its_message() {
        let check = |expect: Expect, message: &str, met: bool| {
            assert_eq!(Rule::new(&expect).is_met_by(message.as_bytes(), true), met, "{expect:?} {message}");
        };
        check(Expect::First, "anything", true);
        check(Expect::Contains { text: "ready".into() }, "I am ready", true);
        check(Expect::Contains { text: "ready".into() }, "not yet", false);
        let pointer = |value: &str| Expect::JsonPointer { pointer: "/type".into(), value: value.into() };
        check(pointer("ready"), r#"{"type":"ready"}"#, true);
        check(pointer("\"ready\""), r#"{"type":"ready"}"#, true);
        check(pointer("1"), r#"{"type":1}"#, true);
        check(pointer("1"), r#"{"type":2}"#, false);
        check(pointer("1"), "no json", false);
        check(Expect::Regex { pattern: "^a+$".into() }, "aaa", true);
        check(Expect::Regex { pattern: "(".into() }, "(", false);
    }
}
