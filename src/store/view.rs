//! What the faces read: an immutable picture of one session, published by the recorder at most 30 times a second.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::filter::Filter;
use super::row::Row;
use super::search::Hits;
use super::series::Series;
use super::story::Story;
use crate::observation::{ConnId, Direction, Moment};

/// A picture of one session.
#[derive(Clone)]
pub struct View {
    /// The connection.
    pub conn: ConnId,
    /// Its story so far.
    pub story: Arc<Story>,
    /// How many rows there are.
    pub rows: u64,
    /// What travelled over time.
    pub series: Arc<Series>,
    /// What went wrong with recording, in words for a banner; `None` while all is well.
    pub trouble: Option<Arc<str>>,
    /// Where rows come from.
    pub source: Arc<dyn PageSource>,
}

/// Rows that were asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Page<T> {
    /// Here they are.
    Ready(T),
    /// They are being loaded; the engine wakes the face when they are there.
    Pending,
}

/// Where rows and payloads come from; never blocks.
pub trait PageSource: Send + Sync {
    /// The rows of a range; of a range longer than [`View::PAGE_ROWS`] its beginning.
    fn page(&self, range: Range<u64>) -> Page<Vec<Row>>;
    /// The whole payload of the frame that begins at `offset` in a direction's bytes, unmasked, at most `max` bytes.
    fn payload(&self, direction: Direction, offset: u64, max: usize) -> Page<Bytes>;
    /// The number of the first row at or after a moment.
    fn row_at(&self, at: Moment) -> Page<u64>;
    /// The number of the row of the frame or violation at an offset.
    fn row_of(&self, direction: Direction, offset: u64) -> Page<u64>;
    /// The rows that a filter wants, as far as they have been found; looked for as long as somebody goes on asking.
    fn search(&self, filter: &Arc<Filter>) -> Hits;
}

impl View {
    /// So many rows can be asked for at once.
    pub const PAGE_ROWS: u64 = 1024;

    /// The rows of a range, at most [`View::PAGE_ROWS`] of them; what lies behind the end is left out.
    pub fn page(&self, range: Range<u64>) -> Page<Vec<Row>> {
        let end = range.end.min(self.rows).min(range.start.saturating_add(Self::PAGE_ROWS));
        if range.start >= end {
            return Page::Ready(Vec::new());
        }
        self.source.page(range.start..end)
    }
}

impl std::fmt::Debug for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("View").field("conn", &self.conn).field("rows", &self.rows).finish_non_exhaustive()
    }
}
