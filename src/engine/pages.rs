//! Rows and payloads for whoever looks: a small cache, and a thread that reads from journals what is not in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;

use super::recorder::{StartError, Wake};
use super::search::{Board, Searcher};
use super::session_reader::SessionReader;
use super::storage::Storage;
use crate::journal::{ReadError, Reader};
use crate::observation::{ConnId, Direction, Fact, Moment};
use crate::store::{
    Chunk, Filter, FrameRow, Hits, Index, Page, PageSource, Replay, Row, RowBody, Session, View, read_chunk,
    read_payload,
};

/// All rows of a journal file, in order, in flat memory; blocks.
pub fn replay(path: &Path) -> Result<impl Iterator<Item = Result<Row, ReadError>>, ReadError> {
    let open = || std::fs::File::open(path).map_err(|source| ReadError::Read { offset: 0, source });
    let session = Session::read(&mut Reader::open(std::io::BufReader::new(open()?), ConnId(0))?)?;
    Ok(Replay::new(open()?, session.index()))
}

/// The rows of one published picture.
pub(super) struct Pages {
    shared: Arc<Shared>,
    board: Arc<Board>,
    conn: ConnId,
    storage: Arc<Storage>,
    index: Index,
}

impl Pages {
    pub(super) fn new(loader: &Loader, conn: ConnId, storage: Arc<Storage>, index: Index) -> Self {
        let board = Arc::clone(&loader.searcher.board);
        Self { shared: Arc::clone(&loader.shared), board, conn, storage, index }
    }

    /// The picture, to be read without the cache.
    pub(super) fn session(&self, view: Arc<View>) -> SessionReader {
        SessionReader::new(view, Arc::clone(&self.storage), self.index.clone())
    }

    fn rows_of(&self, chunk: usize) -> Range<u64> {
        rows_of(&self.index, chunk)
    }

    /// A chunk, if it is there as `is_usable` wants it; else it is being loaded.
    fn chunk(&self, cache: &mut Cache, number: usize, is_usable: impl Fn(&Chunk) -> bool) -> Option<Arc<Chunk>> {
        let key = (self.conn, What::Chunk(number));
        if let Some((end, Loaded::Chunk(chunk))) = cache.touch(&key)
            && (end >= self.index.end || is_usable(&chunk))
        {
            return Some(chunk);
        }
        self.shared.want(cache, self.job(key));
        None
    }

    /// Loads the chunk `next` if somebody seems to go through one after the other.
    fn read_ahead(&self, cache: &mut Cache, next: usize) {
        let is_there = |number: usize| cache.entries.contains_key(&(self.conn, What::Chunk(number)));
        let goes_on = next >= 2 && is_there(next - 1) && is_there(next - 2);
        if goes_on && next < self.index.checkpoints.len() && !is_there(next) && cache.jobs.is_empty() {
            self.shared.want(cache, self.job((self.conn, What::Chunk(next))));
        }
    }

    fn job(&self, key: Key) -> Job {
        Job { key, storage: Arc::clone(&self.storage), index: self.index.clone() }
    }

    /// The first row for which `holds`, among the chunks from `first` on, at most two of which have rows.
    fn find(&self, first: usize, holds: impl Fn(&Row) -> bool) -> Page<Option<u64>> {
        let mut cache = self.shared.lock();
        let mut number = first;
        let mut left = 2;
        while number < self.index.checkpoints.len() && left > 0 {
            let rows = self.rows_of(number);
            let len = (rows.end - rows.start) as usize;
            if len > 0 {
                let Some(chunk) = self.chunk(&mut cache, number, |chunk| chunk.rows.len() >= len) else {
                    return Page::Pending;
                };
                if let Some(row) = chunk.rows.iter().take(len).find(|row| holds(row)) {
                    return Page::Ready(Some(row.number));
                }
                left -= 1;
            }
            number += 1;
        }
        Page::Ready(None)
    }
}

impl PageSource for Pages {
    fn page(&self, range: Range<u64>) -> Page<Vec<Row>> {
        let end = range.end.min(self.index.rows).min(range.start.saturating_add(View::PAGE_ROWS));
        let mut parts = Vec::new();
        let mut is_whole = true;
        let mut cache = self.shared.lock();
        let mut number = self.index.checkpoints.chunk_of_row(range.start);
        let last = self.index.checkpoints.len() - 1;
        while number <= last {
            let rows = self.rows_of(number);
            if rows.start >= end {
                break;
            }
            let first = rows.start;
            let part = (range.start.max(first) - first) as usize..(rows.end.min(end) - first) as usize;
            if !part.is_empty() {
                if number == last {
                    cache.tail_asked.insert(self.conn);
                }
                match self.chunk(&mut cache, number, |chunk| part.end <= chunk.settled) {
                    Some(chunk) => parts.push((chunk, part)),
                    None => is_whole = false,
                }
            }
            number += 1;
        }
        if is_whole {
            self.read_ahead(&mut cache, number);
        }
        drop(cache);
        if !is_whole {
            return Page::Pending;
        }
        let rows = parts.iter().filter_map(|(chunk, part)| chunk.rows.get(part.clone())).flatten();
        Page::Ready(rows.cloned().collect())
    }

    fn payload(&self, direction: Direction, offset: u64, max: usize) -> Page<Bytes> {
        let key = (self.conn, What::Payload(direction, offset, max));
        let mut cache = self.shared.lock();
        if let Some((end, Loaded::Payload { data, is_whole })) = cache.touch(&key)
            && (is_whole || end >= self.index.end)
        {
            return Page::Ready(data);
        }
        self.shared.want(&mut cache, self.job(key));
        Page::Pending
    }

    fn row_at(&self, at: Moment) -> Page<u64> {
        let first = self.index.checkpoints.chunk_of_moment(at);
        match self.find(first, |row| row.at >= at) {
            Page::Ready(row) => Page::Ready(row.unwrap_or(self.index.rows)),
            Page::Pending => Page::Pending,
        }
    }

    /// The frame that begins there or holds that byte, else the broken rule there, else the next row.
    fn row_of(&self, direction: Direction, offset: u64) -> Page<u64> {
        let position = self.index.handshake[direction.index()].saturating_add(offset);
        let first = self.index.checkpoints.chunk_of_byte(direction, position);
        let is_there = |row: &Row| match &row.body {
            RowBody::Frame(frame) => frame.direction == direction && offset < end_of(frame) && offset >= frame.offset,
            RowBody::Violation(violation) => violation.direction == direction && violation.offset == offset,
            RowBody::Fact(_)
            | RowBody::Request { .. }
            | RowBody::Response { .. }
            | RowBody::Opaque { .. }
            | RowBody::Body { .. }
            | RowBody::Cut(_) => false,
        };
        match self.find(first, is_there) {
            Page::Ready(Some(row)) => Page::Ready(row),
            Page::Ready(None) => Page::Ready(self.rows_of(first).start.min(self.index.rows.saturating_sub(1))),
            Page::Pending => Page::Pending,
        }
    }

    fn search(&self, filter: &Arc<Filter>) -> Hits {
        self.board.ask(self.conn, &self.storage, &self.index, filter)
    }
}

fn end_of(frame: &FrameRow) -> u64 {
    frame.offset.saturating_add(frame.header.wire_len())
}

/// The thread that reads, and its cache; beside it the one that searches.
pub(super) struct Loader {
    shared: Arc<Shared>,
    searcher: Searcher,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    cache: Mutex<Cache>,
    wanted: Condvar,
}

type Key = (ConnId, What);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Chunk(usize),
    Payload(Direction, u64, usize),
}

#[derive(Clone)]
enum Loaded {
    Chunk(Arc<Chunk>),
    Payload { data: Bytes, is_whole: bool },
}

struct Entry {
    loaded: Loaded,
    /// How much of the journal was there when it was loaded.
    end: u64,
    len_bytes: usize,
    used: u64,
}

struct Job {
    key: Key,
    storage: Arc<Storage>,
    index: Index,
}

#[derive(Default)]
struct Cache {
    entries: BTreeMap<Key, Entry>,
    len_bytes: usize,
    uses: u64,
    jobs: Vec<Job>,
    loading: Option<(Key, u64)>,
    /// Connections whose newest chunk somebody looked at since the last publication.
    tail_asked: BTreeSet<ConnId>,
    is_stopped: bool,
}

impl Loader {
    /// Starts the thread, which does something `first`.
    pub(super) fn start(wake: Wake, first: impl FnOnce() + Send + 'static) -> Result<Self, StartError> {
        let shared = Arc::new(Shared { cache: Mutex::default(), wanted: Condvar::new() });
        let searcher = Searcher::start(Arc::clone(&wake))?;
        let theirs = Arc::clone(&shared);
        let name = "job-pages";
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                first();
                theirs.run(&wake);
            })
            .map_err(|source| StartError::Thread { name, source })?;
        Ok(Self { shared, searcher, thread: Some(thread) })
    }

    /// Loads the newest chunk of a picture about to be published, if somebody looks at it.
    pub(super) fn prefetch(&self, pages: &Pages) {
        let mut cache = self.shared.lock();
        if cache.tail_asked.remove(&pages.conn) {
            let newest = pages.index.checkpoints.len() - 1;
            self.shared.want(&mut cache, pages.job((pages.conn, What::Chunk(newest))));
        }
    }

    /// Drops everything of a connection.
    pub(super) fn forget(&self, conn: ConnId) {
        self.searcher.forget(conn);
        let mut cache = self.shared.lock();
        cache.jobs.retain(|job| job.key.0 != conn);
        cache.tail_asked.remove(&conn);
        let keys: Vec<Key> = cache.entries.keys().filter(|key| key.0 == conn).copied().collect();
        for key in keys {
            cache.remove(&key);
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.shared.lock().is_stopped = true;
        self.shared.wanted.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that loads pages had panicked");
        }
    }
}

impl Shared {
    fn run(&self, wake: &Wake) {
        let mut cache = self.lock();
        while !cache.is_stopped {
            let Some(job) = cache.jobs.pop() else {
                cache = self.wanted.wait(cache).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            cache.loading = Some((job.key, job.index.end));
            drop(cache);
            let loaded = job.load();
            cache = self.lock();
            cache.loading = None;
            cache.insert(job.key, job.index.end, loaded);
            drop(cache);
            wake();
            cache = self.lock();
        }
    }

    /// Queues a job, the newest first; what was asked for longest ago is asked for again if it is still wanted.
    fn want(&self, cache: &mut Cache, job: Job) {
        if cache.is_stopped || cache.loading.is_some_and(|(key, end)| key == job.key && end >= job.index.end) {
            return;
        }
        cache.jobs.retain(|other| other.key != job.key);
        if cache.jobs.len() >= MAX_JOBS {
            cache.jobs.remove(0);
        }
        cache.jobs.push(job);
        self.wanted.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cache {
    fn touch(&mut self, key: &Key) -> Option<(u64, Loaded)> {
        self.uses += 1;
        let entry = self.entries.get_mut(key)?;
        entry.used = self.uses;
        Some((entry.end, entry.loaded.clone()))
    }

    fn insert(&mut self, key: Key, end: u64, loaded: Loaded) {
        self.remove(&key);
        self.uses += 1;
        let len_bytes = loaded.len_bytes();
        self.len_bytes += len_bytes;
        self.entries.insert(key, Entry { loaded, end, len_bytes, used: self.uses });
        // Two stay whatever they take: a page may reach over the border of two huge chunks.
        while self.len_bytes > CACHE_BYTES && self.entries.len() > 2 {
            let Some(oldest) = self.entries.iter().min_by_key(|(_, e)| e.used).map(|(key, _)| *key) else {
                break;
            };
            self.remove(&oldest);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.len_bytes -= entry.len_bytes;
        }
    }
}

impl Loaded {
    fn len_bytes(&self) -> usize {
        match self {
            Self::Chunk(chunk) => chunk.rows.iter().map(row_bytes).sum(),
            Self::Payload { data, .. } => data.len(),
        }
    }
}

impl Job {
    fn load(&self) -> Loaded {
        match self.key.1 {
            What::Chunk(number) => Loaded::Chunk(Arc::new(load_chunk(&self.storage, &self.index, number))),
            What::Payload(direction, offset, max) => {
                let mut journal = self.storage.reader();
                let read = read_payload(&mut journal, &self.index, direction, offset, max);
                let (data, is_whole) = read.unwrap_or_else(|error| {
                    tracing::warn!(%error, "a payload could not be read from the journal");
                    (Bytes::new(), false)
                });
                Loaded::Payload { data, is_whole }
            }
        }
    }
}

/// The number of a chunk's first row, and of the first one after it.
fn rows_of(index: &Index, chunk: usize) -> Range<u64> {
    let first = |number| index.checkpoints.at(number).map_or(index.rows, |c| c.first_row);
    first(chunk)..first(chunk + 1)
}

/// The rows of a chunk, read from the journal; a row that cannot be read any more says so.
pub(super) fn load_chunk(storage: &Arc<Storage>, index: &Index, number: usize) -> Chunk {
    let mut chunk = read_chunk(&mut storage.reader(), index, number).unwrap_or_else(|error| {
        tracing::warn!(%error, "a chunk of the journal could not be read");
        Chunk::default()
    });
    fill_up(&mut chunk, rows_of(index, number));
    chunk
}

/// Says in the place of every row that cannot be read that it cannot be read.
fn fill_up(chunk: &mut Chunk, expected: Range<u64>) {
    let len = usize::try_from(expected.end - expected.start).unwrap_or(usize::MAX);
    chunk.rows.truncate(len);
    if chunk.rows.len() == len {
        return;
    }
    let at = chunk.rows.last().map_or(Moment::default(), |row| row.at);
    let lost = Arc::new(Fact::Note { text: "lost: this row cannot be read from the journal any more".to_owned() });
    let from = expected.start + chunk.rows.len() as u64;
    chunk.rows.extend((from..expected.end).map(|number| Row { number, at, body: RowBody::Fact(Arc::clone(&lost)) }));
}

fn row_bytes(row: &Row) -> usize {
    let held = match &row.body {
        RowBody::Request { raw }
        | RowBody::Response { raw, .. }
        | RowBody::Opaque { raw, .. }
        | RowBody::Body { raw } => raw.len(),
        RowBody::Frame(frame) => frame.preview.len(),
        RowBody::Fact(_) => size_of::<Fact>(),
        RowBody::Violation(_) => 64,
        RowBody::Cut(_) => 0,
    };
    size_of::<Row>() + held
}

const CACHE_BYTES: usize = 8 * 1024 * 1024;
const MAX_JOBS: usize = 64;
