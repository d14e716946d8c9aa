//! Which rows of a session are wanted.

use std::ops::Range;
use std::sync::Arc;

use crate::store::Matches;

/// Which rows of a session are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Selection {
    /// All of them.
    #[default]
    All,
    /// Those whose numbers lie in one of these ranges, which are in order and do not overlap.
    Rows(Arc<[Range<u64>]>),
    /// Those that a filter let through, however many.
    Found(Matches),
}

impl Selection {
    /// The rows of these numbers, whatever their order.
    pub fn of_rows(numbers: impl IntoIterator<Item = u64>) -> Self {
        let mut numbers: Vec<u64> = numbers.into_iter().collect();
        numbers.sort_unstable();
        Self::of_ranges(numbers.into_iter().map(|number| number..number.saturating_add(1)))
    }

    /// The rows of these ranges, whatever their order.
    pub fn of_ranges(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut ranges: Vec<Range<u64>> = ranges.into_iter().filter(|range| !range.is_empty()).collect();
        ranges.sort_unstable_by_key(|range| range.start);
        let mut joined: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        Self::Rows(joined.into())
    }

    /// Those of the rows that a filter let through that are wanted as well.
    #[must_use]
    pub fn among(&self, found: Matches) -> Self {
        match self {
            Self::All => Self::Found(found),
            Self::Rows(_) | Self::Found(_) => Self::Found(found.rows().filter(|row| self.has(*row)).collect()),
        }
    }

    /// Whether a row is wanted.
    pub fn has(&self, row: u64) -> bool {
        self.touches(&(row..row.saturating_add(1)))
    }

    /// Whether any row of a range is wanted.
    pub fn touches(&self, rows: &Range<u64>) -> bool {
        match self {
            Self::All => !rows.is_empty(),
            Self::Rows(ranges) => {
                let next = ranges.partition_point(|range| range.end <= rows.start);
                !rows.is_empty() && ranges.get(next).is_some_and(|range| range.start < rows.end)
            }
            Self::Found(found) => found.rank(rows.start) < found.rank(rows.end),
        }
    }

    /// How many of so many rows are wanted.
    pub fn count(&self, rows: u64) -> u64 {
        match self {
            Self::All => rows,
            Self::Rows(ranges) => {
                ranges.iter().map(|range| range.end.min(rows).saturating_sub(range.start.min(rows))).sum()
            }
            Self::Found(found) => found.rank(rows),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_ranges() {
        let some = Selection::of_rows([7, 3, 4, 4, 5, 100]);
        assert_eq!(some, Selection::Rows([3..6, 7..8, 100..101].into()));
        let has: Vec<u64> = (0..200).filter(|row| some.has(*row)).collect();
        assert_eq!(has, [3, 4, 5, 7, 100]);
        assert!(some.touches(&(0..4)) && !some.touches(&(8..100)) && !some.touches(&(5..5)));
        assert_eq!((some.count(1000), some.count(5), some.count(0)), (5, 2, 0));
        assert_eq!((Selection::All.count(9), Selection::All.has(9)), (9, true));
        assert_eq!(Selection::of_ranges([5..9, 0..2, 1..3, 4..4]), Selection::Rows([0..3, 5..9].into()));
        assert!(!Selection::of_rows([]).has(0));
    }

    #[test]
    fn rows_that_a_filter_let_through_are_chosen_among_others() {
        let found: Matches = [3, 4, 5, 70_000, 100_000].into_iter().collect();
        let some = Selection::All.among(found.clone());
        let has: Vec<u64> = (0..200_000).filter(|row| some.has(*row)).collect();
        assert_eq!(has, [3, 4, 5, 70_000, 100_000]);
        assert!(some.touches(&(5..9)) && !some.touches(&(6..70_000)) && !some.touches(&(4..4)));
        assert!(!some.touches(&(100_001..u64::MAX)));
        assert_eq!((some.count(5), some.count(u64::MAX), some.count(0)), (2, 5, 0));
        let fewer = Selection::of_ranges([4..6, 90_000..100_001]).among(found);
        assert_eq!(fewer, Selection::Found([4, 5, 100_000].into_iter().collect()));
        assert_eq!(Selection::of_rows([]).among([1].into_iter().collect()).count(9), 0);
    }
}
