//! A session to be read from beginning to end: for exports and comparisons. Blocks; never on the window's thread.

use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;

use super::pages::load_chunk;
use super::storage::Storage;
use crate::export::{Facts, Rows, Selection, Source};
use crate::journal::{HEADER_LEN, Reader};
use crate::observation::{ConnId, Direction};
use crate::store::{Filter, Index, Matches, Row, Search, View, read_payload};

/// A picture of one session that can be read from beginning to end, again and again.
#[derive(Clone)]
pub struct SessionReader {
    view: Arc<View>,
    storage: Arc<Storage>,
    index: Index,
    watch: Arc<Watch>,
}

/// How far long work has come, and whether it is to stop; shared by who does it and who waits for it.
#[derive(Debug, Default)]
pub struct Watch {
    done: AtomicU64,
    total: AtomicU64,
    stopped: Arc<AtomicBool>,
}

/// What a filter let through.
#[derive(Debug, Default)]
pub struct Finding {
    /// The rows.
    pub matches: Matches,
    /// How many parts of the journal could not be read, and were not looked at.
    pub unread_parts: u64,
}

/// The reader was told to stop.
#[derive(Debug, thiserror::Error)]
#[error("it was stopped")]
pub struct Stopped;

impl Watch {
    /// Work that stops as soon as a flag is set, which others may look at too.
    pub fn stopped_by(flag: Arc<AtomicBool>) -> Self {
        Self { stopped: flag, ..Self::default() }
    }

    /// The share that is done, from 0 to 1; `None` before the work has begun.
    pub fn share(&self) -> Option<f32> {
        let total = self.total.load(Ordering::Relaxed);
        (total > 0).then(|| (self.done.load(Ordering::Relaxed) as f32 / total as f32).min(1.0))
    }

    /// Makes the work stop at its next row.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether it was told to stop.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Work on so many rows begins.
    pub(super) fn begin(&self, rows: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(rows.max(1), Ordering::Relaxed);
    }

    fn count(&self) -> io::Result<()> {
        self.done.fetch_add(1, Ordering::Relaxed);
        if self.is_stopped() { Err(io::Error::other(Stopped)) } else { Ok(()) }
    }
}

impl SessionReader {
    pub(super) fn new(view: Arc<View>, storage: Arc<Storage>, index: Index) -> Self {
        Self { view, storage, index, watch: Arc::default() }
    }

    /// The same, counted and stopped by `watch`.
    #[must_use]
    pub fn watched(mut self, watch: Arc<Watch>) -> Self {
        self.watch = watch;
        self
    }

    /// The picture that it reads.
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    /// Looks for rows from the first to the last; `tick` hears the share that was looked at, after each chunk.
    pub fn find(&self, filter: Filter, tick: &mut dyn FnMut(f32)) -> Result<Finding, Stopped> {
        let mut search = Search::new(Arc::new(filter));
        let mut journal = self.storage.reader();
        let mut unread_parts = 0;
        loop {
            if self.watch.is_stopped() {
                return Err(Stopped);
            }
            let has_more = search.advance(&mut journal, &self.index).unwrap_or_else(|error| {
                tracing::warn!(%error, "a part of the journal cannot be searched");
                unread_parts += 1;
                search.pass_over(&self.index);
                search.has_more(&self.index)
            });
            let hits = search.hits(&self.index);
            if !has_more {
                return Ok(Finding { matches: hits.matches, unread_parts });
            }
            tick(hits.looked_at as f32 / self.index.rows.max(1) as f32);
        }
    }

    fn rows_of(&self, chunk: usize) -> Range<u64> {
        let first = |number| self.index.checkpoints.at(number).map_or(self.index.rows, |c| c.first_row);
        first(chunk)..first(chunk + 1)
    }
}

impl Source for SessionReader {
    fn rows(&self, selection: &Selection) -> Rows<'_> {
        let selection = selection.clone();
        let of_chunk = selection.clone();
        let chunks = (0..self.index.checkpoints.len()).filter(move |chunk| of_chunk.touches(&self.rows_of(*chunk)));
        let rows = chunks.flat_map(|chunk| load_chunk(&self.storage, &self.index, chunk).rows);
        let wanted = rows.filter(move |row| selection.has(row.number));
        Box::new(wanted.map(|row: Row| self.watch.count().map(|()| row)))
    }

    fn payload(&self, direction: Direction, offset: u64) -> io::Result<Option<Bytes>> {
        let mut journal = self.storage.reader();
        let read = read_payload(&mut journal, &self.index, direction, offset, MAX_PAYLOAD_BYTES);
        // What has fallen out of memory is gone; the row itself says so.
        Ok(read.ok().map(|(payload, _)| payload))
    }

    fn facts(&self) -> Option<Facts<'_>> {
        if self.storage.gap().is_some() {
            return None;
        }
        let mut journal = self.storage.reader();
        journal.seek(SeekFrom::Start(HEADER_LEN)).ok()?;
        let rest = BufReader::with_capacity(256 * 1024, journal.take(self.index.end.saturating_sub(HEADER_LEN)));
        let facts = Reader::resume(rest, ConnId(0), HEADER_LEN);
        Some(Box::new(facts.map(|found| {
            let (_, seen) = found.map_err(io::Error::other)?;
            if self.watch.is_stopped() { Err(io::Error::other(Stopped)) } else { Ok((seen.at, seen.fact)) }
        })))
    }
}

/// Bytes of a payload that an export holds at a time.
const MAX_PAYLOAD_BYTES: usize = 256 << 20;
