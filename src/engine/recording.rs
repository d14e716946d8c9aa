//! One connection on the recorder's thread: its journal, its session, and what is to be published.

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::clock::instant;
use super::pages::{Loader, Pages};
use super::storage::Storage;
use crate::journal::{Writer, encode_record};
use crate::observation::{ConnId, Fact, Moment};
use crate::store::{Index, Session, Story, View};

/// Where a journal is written to.
pub(super) type Output = Writer<Box<dyn Write + Send>>;

/// One connection being recorded.
pub(super) struct Recording {
    conn: ConnId,
    storage: Arc<Storage>,
    /// `None` where memory takes everything.
    output: Option<Output>,
    session: Session,
    /// Why memory takes everything although a file should.
    failure: Option<String>,
    /// Whether the file was deleted or moved while it is written; the open file still takes everything.
    is_file_gone: bool,
    looked_at: Instant,
    pub(super) is_dirty: bool,
    /// To be published without waiting: the first facts, the last one.
    pub(super) is_urgent: bool,
}

/// A view, and where its rows come from.
pub(super) struct Picture {
    pub(super) view: Arc<View>,
    pub(super) pages: Arc<Pages>,
}

impl Picture {
    /// A picture of what was folded, with the rows of an index, which may know of more.
    pub(super) fn new(
        loader: &Loader,
        conn: ConnId,
        session: &Session,
        index: Index,
        storage: &Arc<Storage>,
        trouble: Option<Arc<str>>,
    ) -> Self {
        let rows = index.rows;
        let pages = Arc::new(Pages::new(loader, conn, Arc::clone(storage), index));
        let source = Arc::<Pages>::clone(&pages);
        let (story, series) = (session.story(), session.series());
        let view = View { conn, story, rows, series, trouble, source };
        Self { view: Arc::new(view), pages }
    }
}

impl Recording {
    pub(super) fn new(conn: ConnId, storage: Arc<Storage>, output: Option<Output>, failure: Option<String>) -> Self {
        Self {
            conn,
            storage,
            output,
            session: Session::new(crate::journal::HEADER_LEN),
            failure,
            is_file_gone: false,
            looked_at: instant(),
            is_dirty: true,
            is_urgent: true,
        }
    }

    /// Writes a fact, then folds it.
    pub(super) fn record(&mut self, at: Moment, fact: &Fact) {
        self.is_urgent |= self.session.rows() < FIRST_ROWS || matches!(fact, Fact::Finished | Fact::Concluded(_));
        self.is_dirty = true;
        let is_last = *fact == Fact::Finished;
        if is_last {
            self.keep_index(at, true);
        }
        let record = self.append(at, fact);
        self.session.apply(record.start, record.end, at, fact);
        if !is_last {
            self.keep_index(at, false);
        }
    }

    /// Leaves nothing unwritten.
    pub(super) fn flush(&mut self) {
        if let Some(output) = &mut self.output
            && let Err(error) = output.flush()
        {
            self.go_on_in_memory(&error);
        }
    }

    /// The story so far.
    pub(super) fn story(&self) -> Arc<Story> {
        self.session.story()
    }

    /// Where its journal ends.
    pub(super) fn end(&self) -> u64 {
        self.session.end()
    }

    /// The picture to be published; everything in it is written.
    pub(super) fn picture(&mut self, loader: &Loader) -> Picture {
        self.flush();
        self.look_at_file();
        self.is_dirty = false;
        self.is_urgent = false;
        tracing::trace!(conn = self.conn.0, rows = self.session.rows(), frames = self.frames(), "published");
        let picture =
            Picture::new(loader, self.conn, &self.session, self.session.index(), &self.storage, self.trouble());
        loader.prefetch(&picture.pages);
        picture
    }

    /// Puts the next part of the index into the file, if one is due: then the session can be looked at before it was read.
    fn keep_index(&mut self, at: Moment, is_last: bool) {
        if let Some(output) = &mut self.output
            && let Some(part) = self.session.index_part(is_last)
            && let Err(error) = output.append_index(at, part)
        {
            self.go_on_in_memory(&error);
        }
    }

    fn append(&mut self, at: Moment, fact: &Fact) -> Range<u64> {
        if let Some(output) = &mut self.output {
            match output.append(at, fact) {
                Ok(offset) => return offset..output.end(),
                Err(error) => self.go_on_in_memory(&error),
            }
        }
        let appended = self.storage.append(|out| encode_record(at, fact, out));
        match appended {
            Ok(record) => record,
            Err(error) => {
                self.failure.get_or_insert_with(|| format!("a fact could not be recorded: {error}"));
                let end = self.session.end();
                end..end
            }
        }
    }

    fn go_on_in_memory(&mut self, error: &io::Error) {
        let Some(output) = self.output.take() else {
            return;
        };
        tracing::error!(conn = self.conn.0, %error, "the journal cannot be written");
        let (_, written, unwritten) = output.into_unwritten();
        self.storage.begin_memory(written);
        let kept = self.storage.append(|out| {
            out.extend_from_slice(&unwritten);
            Ok(())
        });
        debug_assert!(kept.is_ok(), "memory takes everything");
        self.failure = Some(format!("the journal cannot be written: {error}"));
        self.is_urgent = true;
    }

    fn frames(&self) -> u64 {
        let story = self.session.story();
        story.sent.frames + story.received.frames
    }

    /// Sees once a second, and at the end, whether the file is still in its place.
    fn look_at_file(&mut self) {
        let now = instant();
        if self.output.is_some() && (self.is_urgent || now.duration_since(self.looked_at) >= LOOK_EVERY) {
            self.looked_at = now;
            self.is_file_gone = self.storage.is_file_gone();
        }
    }

    fn trouble(&self) -> Option<Arc<str>> {
        if self.is_file_gone {
            let text =
                "the journal's file was deleted or moved away; everything is still here until Sockeye ends: save it";
            return Some(text.into());
        }
        let lost = self.storage.lost_bytes();
        let kept = Storage::MEMORY_BYTES / (1024 * 1024);
        let fallen_out = format!("{:.1} MiB have fallen out", lost as f64 / (1024.0 * 1024.0));
        let text = match &self.failure {
            None if lost == 0 => return None,
            None => format!("this session is kept in memory, the newest {kept} MiB of it; {fallen_out}"),
            Some(failure) if lost == 0 => format!("{failure}; the newest {kept} MiB are kept in memory"),
            Some(failure) => format!("{failure}; the newest {kept} MiB are kept in memory, {fallen_out}"),
        };
        Some(text.into())
    }
}

/// Between two looks at the journal's place.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// So many rows are published as they come.
const FIRST_ROWS: u64 = 16;
