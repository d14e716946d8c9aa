//! The query of a URL as rows, bound both ways: what is typed in one stands in the other.
//!
//! Names and values stay as they are typed, percent escapes included; order and duplicates are kept. A row that is switched
//! off is remembered at its place and not in the URL. Start at [`QueryTable::follow`] and [`QueryTable::write`].

use serde::{Deserialize, Serialize};

use super::paste::BIG;
use crate::token::place::{decode_form, percent_decode, percent_encode};

/// One pair of the query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryRow {
    /// Whether it stands in the URL.
    pub is_on: bool,
    /// Its name as it stands in the URL.
    pub name: String,
    /// Its value as it stands in the URL.
    pub value: String,
    /// Whether there is no `=`.
    is_bare: bool,
    /// Whether it was added by hand: it stays out of the URL while it is empty.
    #[serde(default)]
    is_draft: bool,
}

/// The rows of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryTable {
    /// The rows, in the order of the URL.
    pub rows: Vec<QueryRow>,
    /// Whether the query is too long to be shown as rows.
    pub is_too_long: bool,
}

impl QueryRow {
    /// A row that is switched on.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { is_on: true, name: name.into(), value: value.into(), is_bare: false, is_draft: false }
    }

    /// A row that was added by hand and has nothing in it yet; it stays out of the URL.
    pub fn draft() -> Self {
        Self { is_on: true, is_bare: true, is_draft: true, ..Self::default() }
    }

    fn is_written(&self) -> bool {
        self.is_on && !(self.is_draft && self.name.is_empty() && self.value.is_empty())
    }

    fn write(&self, to: &mut String) {
        push_escaped(to, &self.name, |c| matches!(c, '&' | '#' | '='));
        if !self.is_bare || !self.value.is_empty() {
            to.push('=');
            push_escaped(to, &self.value, |c| matches!(c, '&' | '#'));
        }
    }
}

impl QueryTable {
    /// How many rows are shown; a longer query is edited in the URL.
    pub const MAX_ROWS: usize = 200;

    /// Takes the rows from a URL that was typed; rows that are switched off stay at their places.
    pub fn follow(&mut self, url: &str) {
        let aside: Vec<_> = self.rows.drain(..).enumerate().filter(|(_, row)| !row.is_written()).collect();
        let query = split(url).query.unwrap_or_default();
        self.is_too_long = url.len() > BIG || query.matches('&').take(Self::MAX_ROWS).count() >= Self::MAX_ROWS;
        if !self.is_too_long && !query.is_empty() {
            self.rows.extend(query.split('&').map(|pair| match pair.split_once('=') {
                Some((name, value)) => QueryRow::new(name, value),
                None => QueryRow { is_bare: true, ..QueryRow::new(pair, "") },
            }));
        }
        for (at, row) in aside {
            self.rows.insert(at.min(self.rows.len()), row);
        }
    }

    /// Returns `url` with the rows that are switched on as its query.
    pub fn write(&self, url: &str) -> String {
        if self.is_too_long {
            return url.to_owned();
        }
        let parts = split(url);
        let mut written = parts.base.to_owned();
        for (nth, row) in self.rows.iter().filter(|row| row.is_written()).enumerate() {
            written.push(if nth == 0 { '?' } else { '&' });
            row.write(&mut written);
        }
        written.push_str(parts.fragment);
        written
    }

    /// The first row of this name that is switched on; names are compared decoded.
    pub fn on(&self, name: &str) -> Option<&QueryRow> {
        self.rows.iter().find(|row| row.is_on && is_named(row, name))
    }

    /// Sets the value of the first row of this name, switching it on, or adds a row; `value` is percent-encoded.
    pub fn set(&mut self, name: &str, value: &str) {
        let value = percent_encode(value);
        let on = self.rows.iter().position(|row| row.is_on && is_named(row, name));
        let found = on.or_else(|| self.rows.iter().position(|row| is_named(row, name)));
        if let Some(row) = found.and_then(|at| self.rows.get_mut(at)) {
            row.is_on = true;
            row.is_bare = false;
            row.value = value;
        } else {
            let name = percent_encode(name);
            self.rows.insert(0, QueryRow::new(name, value));
        }
    }

    /// Switches off every row of this name; returns the decoded value of the first that was on.
    pub fn switch_off(&mut self, name: &str) -> Option<String> {
        let mut first = None;
        for row in self.rows.iter_mut().filter(|row| row.is_on && is_named(row, name)) {
            row.is_on = false;
            first.get_or_insert_with(|| percent_decode(&row.value));
        }
        first
    }
}

/// Appends `text`, with the ASCII characters that would end it in a URL percent-encoded.
fn push_escaped(to: &mut String, text: &str, ends_it: impl Fn(char) -> bool) {
    let mut rest = text;
    while let Some(at) = memchr::memchr3(b'&', b'#', b'=', rest.as_bytes()) {
        let (plain, from) = rest.split_at(at);
        let (found, behind) = from.split_at(1);
        to.push_str(plain);
        to.push_str(match found {
            "&" if ends_it('&') => "%26",
            "#" if ends_it('#') => "%23",
            "=" if ends_it('=') => "%3D",
            _ => found,
        });
        rest = behind;
    }
    to.push_str(rest);
}

/// A URL in three pieces: before the query, the query without its question mark, the fragment with its sign.
struct Parts<'a> {
    base: &'a str,
    query: Option<&'a str>,
    fragment: &'a str,
}

fn split(url: &str) -> Parts<'_> {
    let (front, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    match front.split_once('?') {
        Some((base, query)) => Parts { base, query: Some(query), fragment },
        None => Parts { base: front, query: None, fragment },
    }
}

fn is_named(row: &QueryRow, name: &str) -> bool {
    // Three characters at most stand for one byte.
    let may_be = row.name.len() <= 3 * name.len() && row.name.contains(['%', '+']);
    row.name == name || (may_be && decode_form(&row.name) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(url: &str) -> QueryTable {
        let mut table = QueryTable::default();
        table.follow(url);
        table
    }

    #[test]
    fn a_url_comes_back_as_it_was_typed() {
        for url in [
            "ws://h/?token=a%2Eb&agentId=x&token=c",
            "ws://h/p?flag&empty=&a=b=c?d&&z",
            "ws://h/?q=%zz+\u{202E}\0#frag?x=1",
            "ws://h/",
            "?a=1",
            "",
        ] {
            assert_eq!(table(url).write(url), url);
        }
    }

    #[test]
    fn a_row_that_is_off_leaves_the_url_and_comes_back_to_its_place() {
        let mut rows = table("ws://h/?a=1&b=2&c=3");
        rows.rows[1].is_on = false;
        let url = rows.write("ws://h/?a=1&b=2&c=3");
        assert_eq!(url, "ws://h/?a=1&c=3");
        rows.follow("ws://h/x?a=1&c=4");
        assert_eq!(rows.rows[1].name, "b");
        rows.rows[1].is_on = true;
        assert_eq!(rows.write("ws://h/x"), "ws://h/x?a=1&b=2&c=4");
    }

    #[test]
    fn signs_that_would_split_a_row_are_escaped() {
        let mut rows = QueryTable::default();
        rows.rows.push(QueryRow::new("a=b", "c&d#e=f"));
        rows.rows.push(QueryRow::draft());
        assert_eq!(rows.write("ws://h"), "ws://h?a%3Db=c%26d%23e=f");
    }

    #[test]
    fn a_value_is_set_encoded_as_a_script_would() {
        let mut rows = table("ws://h/?agentId=a&tok%65n=old&token=two");
        rows.set("token", "Bearer a+b/c");
        assert_eq!(rows.write("ws://h/"), "ws://h/?agentId=a&tok%65n=Bearer%20a%2Bb%2Fc&token=two");
        assert_eq!(rows.switch_off("token").as_deref(), Some("Bearer a+b/c"));
        assert_eq!(rows.write("ws://h/"), "ws://h/?agentId=a");
        rows.set("token", "new");
        assert_eq!(rows.write("ws://h/"), "ws://h/?agentId=a&tok%65n=new");
    }

    #[test]
    fn a_query_of_megabytes_is_left_to_the_url() {
        let url = format!("ws://h/?{}", "a=1&".repeat(1_000_000));
        let rows = table(&url);
        assert!(rows.is_too_long && rows.rows.is_empty());
        assert_eq!(rows.write(&url), url);
    }
}
