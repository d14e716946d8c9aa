//! Tests of JSON payloads by a pointer (RFC 6901).

use memchr::memmem::Finder;
use serde_json::Value;

/// What must be at a place of a JSON payload.
#[derive(Clone, Debug)]
pub struct JsonTest {
    pointer: String,
    wanted: Wanted,
    /// The last name of the pointer as it stands in most JSON texts: a payload without it needs no parser.
    name: Option<Finder<'static>>,
}

#[derive(Clone, Debug)]
enum Wanted {
    /// Something, also `null`.
    Any,
    /// This text, or the value that this text writes.
    Equal(String, Option<Value>),
    /// This text somewhere in the value, in any case.
    Containing(String),
}

impl JsonTest {
    /// There must be a value.
    pub fn has(pointer: &str) -> Self {
        Self::new(pointer, Wanted::Any)
    }

    /// The value must be this one: as text, or as JSON.
    pub fn equals(pointer: &str, value: &str) -> Self {
        Self::new(pointer, Wanted::Equal(value.to_owned(), serde_json::from_str(value).ok()))
    }

    /// The value must contain this text, in any case.
    pub fn contains(pointer: &str, text: &str) -> Self {
        Self::new(pointer, Wanted::Containing(text.to_lowercase()))
    }

    fn new(pointer: &str, wanted: Wanted) -> Self {
        let last = pointer.rsplit('/').next().unwrap_or_default().replace("~1", "/").replace("~0", "~");
        // A number may be the index of an array, which no text shows.
        let is_index = last.bytes().all(|byte| byte.is_ascii_digit());
        let name = (!is_index && !last.contains(['"', '\\'])).then(|| Finder::new(&format!("\"{last}\"")).into_owned());
        Self { pointer: pointer.to_owned(), wanted, name }
    }

    /// Whether a payload is JSON and has it.
    pub fn holds(&self, payload: &[u8]) -> bool {
        if payload.len() > MAX_BYTES {
            return false;
        }
        if let Some(name) = &self.name
            && name.find(payload).is_none()
            && memchr::memchr(b'\\', payload).is_none()
        {
            return false;
        }
        let Ok(value) = serde_json::from_slice::<Value>(payload) else {
            return false;
        };
        let Some(value) = value.pointer(&self.pointer) else {
            return false;
        };
        match &self.wanted {
            Wanted::Any => true,
            Wanted::Equal(text, json) => value.as_str() == Some(text) || json.as_ref() == Some(value),
            Wanted::Containing(text) => match value {
                Value::String(value) => value.to_lowercase().contains(text),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    value.to_string().to_lowercase().contains(text)
                }
            },
        }
    }
}

/// A longer payload is not parsed.
const MAX_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_names_and_odd_pointers_are_found() {
        assert!(JsonTest::has("/a~1b").holds(br#"{"a/b":null}"#));
        assert!(JsonTest::equals("/name", "x").holds(br#"{"n\u0061me":"x"}"#));
        assert!(JsonTest::equals("", "[1]").holds(b"[1]"));
        assert!(JsonTest::has("/0").holds(b"[null]"));
        assert!(!JsonTest::has("/1").holds(b"[null]"));
    }

    #[test]
    fn values_compare_as_text_or_as_json() {
        let payload = br#"{"n":7,"s":"7","b":true,"o":{"k":[1, 2]}}"#;
        for (pointer, value, is_equal) in [
            ("/n", "7", true),
            ("/s", "7", true),
            ("/s", "\"7\"", true),
            ("/n", "\"7\"", false),
            ("/b", "true", true),
            ("/o", "{\"k\":[1,2]}", true),
            ("/o", "{}", false),
        ] {
            assert_eq!(JsonTest::equals(pointer, value).holds(payload), is_equal, "{pointer} {value}");
        }
        assert!(JsonTest::contains("/o", "[1,2").holds(payload));
    }

    #[test]
    fn what_is_no_json_has_nothing() {
        let deep = vec![b'['; 100_000];
        for payload in [b"".as_slice(), b"{\"a\":", b"\xFF\"a\"", &deep] {
            assert!(!JsonTest::has("/a").holds(payload));
        }
    }
}
