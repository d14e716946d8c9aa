//! The query of the log: what is typed, what it means, what is wrong with it, what was typed before.
//!
//! Its language is [`crate::store::filter`]; looking for rows is the engine's. A query that cannot be read leaves the one
//! before in force.

use crate::store::{Filter, FilterError, Row};
use crate::token::find_tokens;
use crate::ui::panels::row_text::row_text;
use std::sync::Arc;

/// What the user wants to see.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// As it is typed.
    pub(super) text: String,
    /// What it means; of a query that cannot be read, what the last one that could meant.
    pub(super) filter: Arc<Filter>,
    /// What is wrong with it.
    pub(super) problem: Option<FilterError>,
    /// Earlier ones, the newest first.
    pub(super) recent: Vec<String>,
    /// Whether only the rows that fit are shown; else they are marked among all.
    pub(super) hides_others: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            text: String::new(),
            filter: Arc::new(Filter::open(describe)),
            problem: None,
            recent: Vec::new(),
            hides_others: true,
        }
    }
}

impl Query {
    /// Whether every row is wanted.
    pub(super) fn is_open(&self) -> bool {
        self.filter.is_open()
    }

    /// Whether rows are hidden by it.
    pub(super) fn hides(&self) -> bool {
        self.hides_others && !self.is_open()
    }

    /// Puts another text there.
    pub(super) fn set(&mut self, text: String) {
        self.text = text;
        self.typed();
    }

    /// Reads what was typed.
    pub(super) fn typed(&mut self) {
        match Filter::parse(&self.text, describe) {
            Ok(filter) => {
                self.problem = None;
                if filter != *self.filter {
                    self.filter = Arc::new(filter);
                }
            }
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// Keeps it for later, unless there is a token in it.
    pub(super) fn remember(&mut self) {
        let text = self.text.trim();
        if text.is_empty() || self.problem.is_some() || !find_tokens(text).is_empty() {
            return;
        }
        let text = text.to_owned();
        self.recent.retain(|of| *of != text);
        self.recent.insert(0, text);
        self.recent.truncate(MAX_RECENT);
    }

    /// Takes over what an earlier window remembered.
    pub(super) fn recall(&mut self, recent: Vec<String>) {
        self.recent = recent;
        self.recent.truncate(MAX_RECENT);
    }
}

/// What is searched of rows that are more than their bytes: the words that stand in the log.
fn describe(row: &Row) -> String {
    let text = row_text(row, None);
    format!("{} {}", text.kind, text.preview)
}

/// Queries that are kept.
const MAX_RECENT: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_cannot_be_read_leaves_the_last_one_in_force() {
        let mut query = Query::default();
        query.set("kind:ping".to_owned());
        query.set("kind:pin".to_owned());
        assert_eq!(query.filter.text(), "kind:ping");
        assert!(query.problem.is_some() && query.hides());
        query.set(String::new());
        assert!(query.is_open() && query.problem.is_none());
    }

    #[test]
    fn queries_are_remembered_once_and_never_with_a_token() {
        let mut query = Query::default();
        for text in ["a", "b", " a ", "", "kind:frob", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"] {
            query.set(text.to_owned());
            query.remember();
        }
        assert_eq!(query.recent, ["a", "b"]);
    }
}
