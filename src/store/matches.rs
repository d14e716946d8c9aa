//! Row numbers that a filter let through, as bitmaps: two bytes a row at most, a bit a row when they are many.

use std::sync::Arc;

use roaring::RoaringBitmap;

/// Row numbers in order; cheap to clone, however many there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// One for each 65 536 rows.
    blocks: Vec<Block>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Block {
    /// How many matches stand before it.
    before: u64,
    /// Numbers within the block.
    rows: Arc<RoaringBitmap>,
}

impl Matches {
    /// How many there are.
    pub fn len(&self) -> u64 {
        self.blocks.last().map_or(0, |block| block.before + block.rows.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether this row is one of them.
    pub fn contains(&self, row: u64) -> bool {
        let (block, within) = split(row);
        self.blocks.get(block).is_some_and(|block| block.rows.contains(within))
    }

    /// How many rows before this one are among them.
    pub fn rank(&self, row: u64) -> u64 {
        let (number, within) = split(row);
        let Some(block) = self.blocks.get(number) else {
            return self.len();
        };
        block.before + within.checked_sub(1).map_or(0, |last| block.rows.rank(last))
    }

    /// The one of this index, counted from 0.
    pub fn at(&self, index: u64) -> Option<u64> {
        let number = self.blocks.partition_point(|block| block.before <= index).checked_sub(1)?;
        let block = self.blocks.get(number)?;
        let within = block.rows.select(u32::try_from(index - block.before).ok()?)?;
        Some(((number as u64) << BLOCK_BITS) + u64::from(within))
    }

    /// The first one after a row.
    pub fn after(&self, row: u64) -> Option<u64> {
        self.at(self.rank(row.saturating_add(1)))
    }

    /// The last one before a row.
    pub fn before(&self, row: u64) -> Option<u64> {
        self.at(self.rank(row).checked_sub(1)?)
    }

    /// All of them.
    pub fn rows(&self) -> impl Iterator<Item = u64> {
        let blocks = self.blocks.iter().zip(0_u64..);
        blocks.flat_map(|(block, number)| block.rows.iter().map(move |row| (number << BLOCK_BITS) + u64::from(row)))
    }

    /// Adds a row or takes it away; cheapest at the end.
    pub(super) fn set(&mut self, row: u64, is_one: bool) {
        let (number, within) = split(row);
        if is_one {
            while self.blocks.len() <= number {
                self.blocks.push(Block { before: self.len(), rows: Arc::default() });
            }
        }
        let Some(block) = self.blocks.get_mut(number) else {
            return;
        };
        if block.rows.contains(within) == is_one {
            return;
        }
        let rows = Arc::make_mut(&mut block.rows);
        if is_one {
            rows.insert(within)
        } else {
            rows.remove(within)
        };
        for later in self.blocks.iter_mut().skip(number + 1) {
            later.before = if is_one { later.before + 1 } else { later.before - 1 };
        }
    }
}

impl FromIterator<u64> for Matches {
    fn from_iter<I: IntoIterator<Item = u64>>(rows: I) -> Self {
        let mut matches = Self::default();
        for row in rows {
            matches.set(row, true);
        }
        matches
    }
}

fn split(row: u64) -> (usize, u32) {
    (usize::try_from(row >> BLOCK_BITS).unwrap_or(usize::MAX), (row & ((1 << BLOCK_BITS) - 1)) as u32)
}

/// A block is what one container of a bitmap holds.
const BLOCK_BITS: u32 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_index_and_by_number() {
        let rows = [0, 1, 65_535, 65_536, 65_540, 400_000, 10_000_000];
        let mut matches = Matches::default();
        assert_eq!((matches.len(), matches.at(0), matches.after(0), matches.before(9)), (0, None, None, None));
        for row in rows {
            matches.set(row, true);
            matches.set(row, true);
        }
        assert_eq!(matches.rows().collect::<Vec<_>>(), rows);
        for (row, index) in rows.into_iter().zip(0..) {
            assert!(matches.contains(row));
            assert_eq!((matches.at(index), matches.rank(row), matches.rank(row + 1)), (Some(row), index, index + 1));
        }
        assert_eq!((matches.len(), matches.at(7)), (7, None));
        assert_eq!((matches.after(1), matches.before(65_535)), (Some(65_535), Some(1)));
        assert_eq!((matches.after(10_000_000), matches.before(0)), (None, None));
        assert_eq!(matches.after(u64::MAX), None);
    }

    #[test]
    fn late_rows_and_rows_taken_away_move_the_others() {
        let mut matches = Matches::default();
        for row in [5, 70_000, 140_000] {
            matches.set(row, true);
        }
        matches.set(6, true);
        assert_eq!((matches.at(1), matches.at(2), matches.at(3)), (Some(6), Some(70_000), Some(140_000)));
        matches.set(5, false);
        matches.set(99, false);
        matches.set(9_000_000, false);
        assert_eq!(matches.rows().collect::<Vec<_>>(), [6, 70_000, 140_000]);
        assert_eq!((matches.at(0), matches.at(2), matches.len()), (Some(6), Some(140_000), 3));
    }

    #[test]
    fn a_snapshot_stays_as_it_was() {
        let mut matches = Matches::default();
        matches.set(1, true);
        let snapshot = matches.clone();
        matches.set(2, true);
        assert_eq!((snapshot.len(), matches.len()), (1, 2));
    }
}
