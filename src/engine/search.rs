//! The thread that looks for rows: a slice of the newest question at a time, for as long as somebody goes on asking.
//!
//! Who asks gets what has been found so far and is woken after each slice; who stops asking has cancelled. The answer grows
//! with the session.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock::instant;
use super::recorder::{StartError, Wake};
use super::storage::Storage;
use crate::observation::ConnId;
use crate::store::{Filter, Hits, Index, Search};

/// The thread.
pub(super) struct Searcher {
    pub(super) board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

/// Questions and answers.
pub(super) struct Board {
    inner: Mutex<Inner>,
    asked: Condvar,
}

#[derive(Default)]
struct Inner {
    questions: Vec<Question>,
    uses: u64,
    is_stopped: bool,
}

/// What somebody looks for in a connection.
struct Question {
    conn: ConnId,
    storage: Arc<Storage>,
    index: Index,
    filter: Arc<Filter>,
    hits: Hits,
    /// `None` while the thread works on it.
    search: Option<Search>,
    used: u64,
    /// Whether somebody asked after the last slice.
    is_wanted: bool,
}

impl Searcher {
    /// Starts the thread; `wake` is called after each slice.
    pub(super) fn start(wake: Wake) -> Result<Self, StartError> {
        let board = Arc::new(Board { inner: Mutex::default(), asked: Condvar::new() });
        let theirs = Arc::clone(&board);
        let name = "job-search";
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || theirs.run(&wake))
            .map_err(|source| StartError::Thread { name, source })?;
        Ok(Self { board, thread: Some(thread) })
    }

    /// Drops every question about a connection.
    pub(super) fn forget(&self, conn: ConnId) {
        self.board.lock().questions.retain(|question| question.conn != conn);
    }
}

impl Drop for Searcher {
    fn drop(&mut self) {
        self.board.lock().is_stopped = true;
        self.board.asked.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that searches had panicked");
        }
    }
}

impl Board {
    /// What has been found so far; what `index` knows beyond it is looked at next.
    pub(super) fn ask(&self, conn: ConnId, storage: &Arc<Storage>, index: &Index, filter: &Arc<Filter>) -> Hits {
        let mut inner = self.lock();
        inner.uses += 1;
        let used = inner.uses;
        let is_this = |question: &Question| question.conn == conn && question.filter == *filter;
        if !inner.questions.iter().any(is_this) {
            if inner.questions.len() >= MAX_QUESTIONS {
                let oldest = inner.questions.iter().enumerate().min_by_key(|(_, question)| question.used);
                if let Some(at) = oldest.map(|(at, _)| at) {
                    inner.questions.swap_remove(at);
                }
            }
            inner.questions.push(Question {
                conn,
                storage: Arc::clone(storage),
                index: index.clone(),
                filter: Arc::clone(filter),
                hits: Hits::default(),
                search: Some(Search::new(Arc::clone(filter))),
                used,
                is_wanted: true,
            });
        }
        let Some(question) = inner.questions.iter_mut().find(|question| is_this(question)) else {
            return Hits::default();
        };
        question.used = used;
        question.is_wanted = true;
        if index.end > question.index.end {
            question.index = index.clone();
        }
        let mut hits = question.hits.clone();
        hits.is_done = hits.looked_at >= index.rows;
        if question.has_work() {
            self.asked.notify_one();
        }
        hits
    }

    fn run(&self, wake: &Wake) {
        let mut inner = self.lock();
        while !inner.is_stopped {
            let newest = inner.questions.iter_mut().filter(|question| question.has_work());
            let Some(question) = newest.max_by_key(|question| question.used) else {
                inner = self.asked.wait(inner).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let Some(mut search) = question.search.take() else {
                continue;
            };
            question.is_wanted = false;
            let (conn, index, storage) = (question.conn, question.index.clone(), Arc::clone(&question.storage));
            drop(inner);
            slice(&mut search, &storage, &index);
            let hits = search.hits(&index);
            inner = self.lock();
            let of = inner.questions.iter_mut().find(|of| of.conn == conn && of.filter == *search.filter());
            // Nobody may want to know any more.
            if let Some(question) = of {
                question.hits = hits;
                question.search = Some(search);
            }
            drop(inner);
            wake();
            inner = self.lock();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Question {
    fn has_work(&self) -> bool {
        self.is_wanted && self.search.as_ref().is_some_and(|search| search.has_more(&self.index))
    }
}

/// Looks for a while, or up to the end.
fn slice(search: &mut Search, storage: &Arc<Storage>, index: &Index) {
    let mut journal = storage.reader();
    let until = instant() + SLICE;
    loop {
        match search.advance(&mut journal, index) {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(%error, "a part of the journal cannot be searched");
                search.pass_over(index);
                if !search.has_more(index) {
                    return;
                }
            }
        }
        if instant() >= until {
            return;
        }
    }
}

/// Between two answers.
const SLICE: Duration = Duration::from_millis(30);
/// Questions that are kept, so that going back and forth between filters does not begin anew.
const MAX_QUESTIONS: usize = 8;
