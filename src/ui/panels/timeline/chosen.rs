//! Rows that the user has chosen, by the filter or by marks, for whoever writes them to a file.

use super::Timeline;
use crate::export::Selection;

/// A way to choose rows of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// All of them.
    All,
    /// Those that the filter lets through, as far as it has looked.
    Filtered,
    /// Those that the user has marked.
    Marked,
}

impl Chosen {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::All, Self::Filtered, Self::Marked];

    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Filtered => "Filtered",
            Self::Marked => "Marked",
        }
    }
}

impl Timeline {
    /// The rows of the shown connection that were chosen in one way.
    pub fn chosen(&self, chosen: Chosen) -> Selection {
        let log = self.shown.and_then(|conn| self.logs.get(&conn));
        match (chosen, log) {
            (Chosen::All, _) => Selection::All,
            (Chosen::Filtered, Some(_)) if self.query.is_open() => Selection::All,
            (Chosen::Filtered, Some(log)) => Selection::Found(log.hits.matches.clone()),
            (Chosen::Marked, Some(log)) => Selection::of_rows(log.marks.iter().copied()),
            (Chosen::Filtered | Chosen::Marked, None) => Selection::of_rows([]),
        }
    }

    /// How many of so many rows were chosen in one way.
    pub fn chosen_count(&self, chosen: Chosen, rows: u64) -> u64 {
        let log = self.shown.and_then(|conn| self.logs.get(&conn));
        match (chosen, log) {
            (Chosen::All, _) => rows,
            (Chosen::Filtered, Some(_)) if self.query.is_open() => rows,
            (Chosen::Filtered, Some(log)) => log.hits.matches.len(),
            (Chosen::Marked, Some(log)) => log.marks.len() as u64,
            (Chosen::Filtered | Chosen::Marked, None) => 0,
        }
    }
}
