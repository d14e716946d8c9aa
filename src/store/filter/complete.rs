//! Queries edited from outside: terms put in by buttons, and what could stand next.

use super::kind::Kind;
use super::parse::words;

/// What a query could become: how the button is called, and the whole query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The term.
    pub label: String,
    /// The query with it.
    pub text: String,
}

/// The value of the first term with this key that is not negated, such as `sent` for `dir`.
pub fn term(query: &str, key: &str) -> Option<String> {
    words(query).find(|word| word.key == Some(key) && !word.is_negated).map(|word| word.value)
}

/// The query with one term of this key, or with none.
pub fn set_term(query: &str, key: &str, value: Option<&str>) -> String {
    let mut parts = Vec::new();
    for word in words(query) {
        if word.key != Some(key) || word.is_negated {
            parts.push(query.get(word.at).unwrap_or_default().to_owned());
        }
    }
    parts.extend(value.map(|value| format!("{key}:{value}")));
    parts.join(" ")
}

/// What the last term of a query could become, at most eight.
pub fn complete(query: &str) -> Vec<Completion> {
    let begun = query.rfind(char::is_whitespace).map_or(query, |at| query.get(at + 1..).unwrap_or_default());
    let before = query.strip_suffix(begun).unwrap_or_default();
    let sign = if begun.starts_with('-') { "-" } else { "" };
    let begun = begun.strip_prefix('-').unwrap_or(begun);
    let all = TERMS.iter().map(|term| (*term).to_owned()).chain(Kind::ALL.map(|kind| format!("kind:{}", kind.word())));
    let fits = all.filter(|term| {
        let is_key = begun.is_empty() && FIRST.contains(&term.as_str());
        is_key || (!begun.is_empty() && term.len() > begun.len() && term.starts_with(&begun.to_lowercase()))
    });
    let whole = |term: String| Completion { text: format!("{before}{sign}{term}"), label: format!("{sign}{term}") };
    fits.map(whole).take(8).collect()
}

/// What can be begun with.
const TERMS: [&str; 9] =
    ["dir:sent", "dir:received", "kind:", "size:>", "time:>", "code:", "json:/", "exact:\"", "regex:\""];
/// What is offered before anything is typed.
const FIRST: [&str; 8] =
    ["dir:sent", "dir:received", "kind:text", "kind:control", "kind:problem", "size:>", "json:/", "exact:\""];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_set_replaced_and_taken_away() {
        let query = set_term("error \"a b\" dir:sent -dir:received", "dir", Some("received"));
        assert_eq!(query, "error \"a b\" -dir:received dir:received");
        assert_eq!(term(&query, "dir").as_deref(), Some("received"));
        assert_eq!(set_term(&query, "dir", None), "error \"a b\" -dir:received");
        assert_eq!(set_term("", "kind", Some("ping")), "kind:ping");
    }

    #[test]
    fn what_could_stand_next_fits_what_was_begun() {
        let labels = |query| complete(query).into_iter().map(|of| of.label).collect::<Vec<_>>();
        assert_eq!(labels("kind:p"), ["kind:ping", "kind:pong", "kind:problem"]);
        assert_eq!(labels("x -di"), ["-dir:sent", "-dir:received"]);
        assert_eq!(complete("x -di")[0].text, "x -dir:sent");
        assert_eq!(labels("").len(), 8);
        assert!(labels("nothing like it").is_empty());
        assert!(labels("kind:ping").is_empty());
    }
}
