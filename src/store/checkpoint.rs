//! Places from which rows can be made again, one for each few thousand rows.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::row_rules::RowRules;
use crate::observation::{Direction, Moment};
use crate::wire::Decoder;

/// A place in a journal: a record, and how much of its bytes is already behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// Offset of the record.
    pub offset: u64,
    /// How many bytes of its payload belong to the chunk before.
    pub skip: u64,
}

/// Everything that is needed to make the rows of a chunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Where the chunk begins.
    pub position: Position,
    /// The number of its first row.
    pub first_row: u64,
    /// The moment of its first observation.
    pub first_at: Moment,
    /// How many bytes of each direction came before, the handshake included.
    pub stream: [u64; 2],
    pub(super) decoder: Decoder,
    pub(super) rules: RowRules,
}

/// The checkpoints of a session, oldest first; cheap to clone, however many there are.
#[derive(Clone, Debug)]
pub struct Checkpoints {
    groups: Arc<Vec<Arc<[Checkpoint]>>>,
    newest: Arc<Vec<Checkpoint>>,
}

impl Checkpoints {
    pub(super) fn new(first: Checkpoint) -> Self {
        Self { groups: Arc::default(), newest: Arc::new(vec![first]) }
    }

    pub(super) fn push(&mut self, checkpoint: Checkpoint) {
        if self.newest.len() == GROUP {
            let full = std::mem::take(Arc::make_mut(&mut self.newest));
            Arc::make_mut(&mut self.groups).push(full.into());
        }
        Arc::make_mut(&mut self.newest).push(checkpoint);
    }

    /// How many there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.groups.len() * GROUP + self.newest.len()
    }

    /// The checkpoint of a chunk.
    pub fn at(&self, number: usize) -> Option<&Checkpoint> {
        match self.groups.get(number / GROUP) {
            Some(group) => group.get(number % GROUP),
            None => self.newest.get(number.checked_sub(self.groups.len() * GROUP)?),
        }
    }

    /// The chunk that holds a row.
    pub fn chunk_of_row(&self, row: u64) -> usize {
        self.last_where(|c| c.first_row <= row)
    }

    /// The chunk that holds the first row at or after a moment, or the one before that chunk.
    pub fn chunk_of_moment(&self, at: Moment) -> usize {
        self.last_where(|c| c.first_at < at)
    }

    /// The chunk in which a byte of a direction came; `position` counts the handshake, too.
    pub fn chunk_of_byte(&self, direction: Direction, position: u64) -> usize {
        self.last_where(|c| c.stream[direction.index()] <= position)
    }

    /// The last chunk for which `holds`, which must be true up to some chunk and false from there on; the first if none.
    fn last_where(&self, holds: impl Fn(&Checkpoint) -> bool) -> usize {
        let groups = self.groups.partition_point(|g| g.first().is_some_and(&holds));
        let in_newest = self.newest.partition_point(&holds);
        if in_newest > 0 {
            return self.groups.len() * GROUP + in_newest - 1;
        }
        let Some(group) = groups.checked_sub(1).and_then(|g| self.groups.get(g)) else {
            return 0;
        };
        (groups - 1) * GROUP + group.partition_point(&holds).saturating_sub(1)
    }
}

/// So many checkpoints share one allocation; at most so many are copied when one is added after a publication.
const GROUP: usize = 64;
