//! The members of a JSON object with their raw texts, in order, duplicates and all.
//!
//! A `serde_json::Value` keeps the last of two equal names and turns long integers into floats; a token panel must show
//! both. What stands before a syntax error is kept.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The name, unescaped.
    pub(super) name: String,
    /// The value's text as it stands.
    pub(super) raw: String,
    /// Byte offset of the value in the JSON text.
    pub(super) at: usize,
}

/// Why the text is not an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Valid JSON of another type.
    NotAnObject,
    /// A syntax error at this byte offset.
    Syntax {
        /// Byte offset in the JSON text.
        at: usize,
        /// What the parser says.
        message: String,
    },
}

/// Reads the members of the object in `json`, as far as it is one.
pub(super) fn read(json: &str) -> (Vec<Member>, Option<Fault>) {
    let mut members = Vec::new();
    let starts_as_object = json.trim_start().starts_with('{');
    if !starts_as_object {
        let fault = match serde_json::from_str::<&RawValue>(json) {
            Ok(_) => Fault::NotAnObject,
            Err(error) => syntax(json, &error),
        };
        return (members, Some(fault));
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let seed = Members { json, members: &mut members };
    let outcome = seed.deserialize(&mut deserializer).and_then(|()| deserializer.end());
    let fault = outcome.err().map(|error| syntax(json, &error));
    (members, fault)
}

fn syntax(json: &str, error: &serde_json::Error) -> Fault {
    let line_start = if error.line() <= 1 {
        0
    } else {
        json.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').nth(error.line() - 2).map_or(0, |(at, _)| at + 1)
    };
    let at = (line_start + error.column().saturating_sub(1)).min(json.len());
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(said, _)| said).to_owned();
    Fault::Syntax { at, message }
}

/// Collects into a vector of the caller's, so that an error loses nothing that came before it.
struct Members<'j, 'm> {
    json: &'j str,
    members: &'m mut Vec<Member>,
}

impl<'j> DeserializeSeed<'j> for Members<'j, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'j>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'j> Visitor<'j> for Members<'j, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value::<&'j RawValue>()?;
            let raw = value.get();
            let at = (raw.as_ptr() as usize).saturating_sub(self.json.as_ptr() as usize);
            self.members.push(Member { name, raw: raw.to_owned(), at });
        }
        Ok(())
    }
}

/// The text of a JSON string, or `None` where `raw` is not one.
pub(super) fn as_string(raw: &str) -> Option<String> {
    serde_json::from_str(raw).ok()
}

/// The value of a JSON number, or `None` where `raw` is not one.
pub(super) fn as_number(raw: &str) -> Option<f64> {
    serde_json::from_str(raw).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_and_long_numbers_are_kept() {
        let json = r#"{"a": 12345678901234567890123, "b": {"x": [1]}, "a": "\u0041"}"#;
        let (members, fault) = read(json);
        assert_eq!(fault, None);
        let names: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "a"]);
        assert_eq!(members[0].raw, "12345678901234567890123");
        for member in &members {
            assert!(json[member.at..].starts_with(&member.raw));
        }
        assert_eq!(as_string(&members[2].raw).as_deref(), Some("A"));
    }

    #[test]
    fn what_stands_before_an_error_is_kept() {
        let (members, fault) = read("{\"a\":1,\n\"b\":tru}");
        assert_eq!(members.len(), 1);
        assert!(matches!(fault, Some(Fault::Syntax { at, .. }) if (12..=16).contains(&at)));
    }

    #[test]
    fn other_types_and_rubbish_are_told_apart() {
        assert_eq!(read("[1]").1, Some(Fault::NotAnObject));
        assert_eq!(read("\"text\"").1, Some(Fault::NotAnObject));
        assert!(matches!(read("").1, Some(Fault::Syntax { at: 0, .. })));
        assert!(matches!(read("{} x").1, Some(Fault::Syntax { at: 3, .. })));
        assert!(matches!(read(&"{\"a\":".repeat(100_000)).1, Some(Fault::Syntax { .. })));
    }
}
