//! Where two JSON values differ, by RFC 6901 pointers.

use std::collections::BTreeSet;

use serde_json::Value;

/// One place where two values differ.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place<'a> {
    /// The pointer; empty for the whole value.
    pub(super) pointer: String,
    /// The name of the member, or of the nearest one around it.
    pub(super) name: String,
    /// The two values; `None` where one is missing.
    pub(super) values: [Option<&'a Value>; 2],
}

/// The places where two values differ, in document order, at most `max`.
pub(super) fn places<'a>(one: &'a Value, other: &'a Value, max: usize) -> Vec<Place<'a>> {
    let mut found = Vec::new();
    walk(String::new(), "", Some(one), Some(other), max, 0, &mut found);
    found
}

fn walk<'a>(
    pointer: String,
    name: &str,
    one: Option<&'a Value>,
    other: Option<&'a Value>,
    max: usize,
    depth: usize,
    found: &mut Vec<Place<'a>>,
) {
    if one == other || found.len() >= max {
        return;
    }
    match (one, other) {
        (Some(Value::Object(ours)), Some(Value::Object(theirs))) if depth < MAX_DEPTH => {
            let mut seen = BTreeSet::new();
            for key in ours.keys().chain(theirs.keys()).filter(|key| seen.insert(key.as_str())) {
                let inner = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                walk(inner, key, ours.get(key), theirs.get(key), max, depth + 1, found);
            }
        }
        (Some(Value::Array(ours)), Some(Value::Array(theirs))) if depth < MAX_DEPTH => {
            for index in 0..ours.len().max(theirs.len()) {
                walk(format!("{pointer}/{index}"), name, ours.get(index), theirs.get(index), max, depth + 1, found);
            }
        }
        (one, other) => found.push(Place { pointer, name: name.to_owned(), values: [one, other] }),
    }
}

const MAX_DEPTH: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_have_pointers() {
        let one = json!({"a": 1, "b": {"c/d": [1, 2, 3]}, "gone": null});
        let other = json!({"b": {"c/d": [1, 5]}, "a": 1, "new": true});
        let found: Vec<String> = places(&one, &other, 10).into_iter().map(|place| place.pointer).collect();
        assert_eq!(found, ["/b/c~1d/1", "/b/c~1d/2", "/gone", "/new"]);
        assert_eq!(places(&one, &other, 2).len(), 2);
        assert_eq!(places(&one, &one, 10), []);
        assert_eq!(places(&json!(1), &json!("1"), 10)[0].pointer, "");
    }
}
