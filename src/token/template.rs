//! Variables in what is sent: `{{NAME}}` stands for the value of `NAME` in a `.env` file.

use std::collections::BTreeMap;

use super::place::percent_encode;

/// A text with its variables put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// The text.
    pub text: String,
    /// Names that are no variables; they stay as they are.
    pub unknown: Vec<String>,
}

/// Puts the variables into a text; `{{token}}` is left to whoever places the token.
pub fn fill(text: &str, variables: &BTreeMap<String, String>) -> Filled {
    fill_with(text, variables, str::to_owned)
}

/// The same for a URL: in its query the values are percent-encoded, before it they stand as they are.
pub fn fill_url(url: &str, variables: &BTreeMap<String, String>) -> Filled {
    let at = url.find('?').unwrap_or(url.len());
    let (front, query) = url.split_at(at);
    let mut filled = fill(front, variables);
    let open = query.replace("%7B%7B", "{{").replace("%7b%7b", "{{");
    let open = open.replace("%7D%7D", "}}").replace("%7d%7d", "}}");
    let query = if open == query { query } else { &open };
    let rest = fill_with(query, variables, percent_encode);
    filled.text.push_str(&rest.text);
    filled.unknown.extend(rest.unknown);
    filled
}

fn fill_with(text: &str, variables: &BTreeMap<String, String>, write: impl Fn(&str) -> String) -> Filled {
    let mut filled = Filled::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.text.push_str(before);
        let Some((name, next)) = after.split_once("}}").filter(|(name, _)| is_name(name)) else {
            filled.text.push_str("{{");
            rest = after;
            continue;
        };
        let is_token = name.trim() == "token";
        if let Some(value) = variables.get(name.trim()).filter(|_| !is_token) {
            filled.text.push_str(&write(value));
        } else {
            filled.text.extend(["{{", name, "}}"]);
            filled.unknown.extend(Some(name.trim().to_owned()).filter(|_| !is_token));
        }
        rest = next;
    }
    filled.text.push_str(rest);
    filled
}

fn is_name(name: &str) -> bool {
    let name = name.trim();
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !name.is_empty() && name.len() <= 100 && name.bytes().all(is_of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables() -> BTreeMap<String, String> {
        [("PORT", "3001"), ("TOKEN", "a+b&c"), ("EMPTY", "")].map(|(name, value)| (name.into(), value.into())).into()
    }

    #[test]
    fn names_are_replaced_and_unknown_ones_told() {
        let cases = [
            ("{{PORT}}", "3001", &[][..]),
            ("a {{ PORT }}{{EMPTY}} b", "a 3001 b", &[]),
            ("{{GONE}} {{token}}", "{{GONE}} {{token}}", &["GONE"]),
            ("{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}", &[]),
            ("{{{{PORT}}", "{{3001", &[]),
            ("{{", "{{", &[]),
            ("{{é}}", "{{é}}", &[]),
        ];
        for (text, filled, unknown) in cases {
            let found = fill(text, &variables());
            assert_eq!(
                (found.text.as_str(), found.unknown.as_slice()),
                (filled, &unknown.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..]),
                "{text}"
            );
        }
    }

    #[test]
    fn a_query_gets_its_values_encoded() {
        let filled = |url: &str| fill_url(url, &variables()).text;
        assert_eq!(filled("ws://h:{{PORT}}/{{EMPTY}}?t={{TOKEN}}"), "ws://h:3001/?t=a%2Bb%26c");
        assert_eq!(filled("ws://h/?t=%7B%7BTOKEN%7D%7D"), "ws://h/?t=a%2Bb%26c");
        assert_eq!(filled("ws://h/?t=%7Bx%7D"), "ws://h/?t=%7Bx%7D");
    }
}
