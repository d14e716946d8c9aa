//! The way of facts to the recorder: stamped with their moment, queued, bounded in bytes.
//!
//! Nothing here blocks a task: [`Sink::push`] takes a short lock, and who reads a socket asks [`Sink::poll_room`] before
//! it reads on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::clock::{Clock, instant};
use super::pool::{Buffer, Pool};
use super::recorder::Control;
use crate::observation::{ConnId, Direction, Fact, Moment};

/// Takes the facts of one connection; clones feed the same queue.
#[derive(Clone)]
pub struct Sink {
    conn: ConnId,
    clock: Clock,
    queue: Arc<Queue>,
}

impl Sink {
    /// So many bytes may wait for the recorder, of all connections together, before readers are to pause.
    pub const BOUND_BYTES: usize = 16 * 1024 * 1024;

    pub(super) fn new(conn: ConnId, clock: Clock, queue: Arc<Queue>) -> Self {
        Self { conn, clock, queue }
    }

    /// Whose facts these are.
    pub fn conn(&self) -> ConnId {
        self.conn
    }

    /// The moment that a fact pushed right now would get.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Stamps a fact and hands it to the recorder; never waits for it.
    pub fn push(&self, fact: Fact) {
        self.queue.push_fact(self.conn, &self.clock, fact);
    }

    /// Pushes plaintext bytes that were read or written; copies them into a buffer that is used again and again.
    pub fn push_bytes(&self, direction: Direction, bytes: &[u8]) {
        self.push(Fact::Bytes { direction, data: self.queue.pool.copy(bytes) });
    }

    /// A buffer to read into, whose bytes can be pushed without a copy.
    pub(super) fn buffer(&self) -> Buffer {
        self.queue.pool.buffer()
    }

    /// Ready while less than [`Sink::BOUND_BYTES`] wait for the recorder; else wakes the task when half of it is gone.
    pub fn poll_room(&self, context: &mut Context<'_>) -> Poll<()> {
        self.queue.poll_room(context.waker())
    }
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("conn", &self.conn).finish_non_exhaustive()
    }
}

/// What the recorder is told.
pub(super) enum Message {
    /// A fact of a connection.
    Fact {
        conn: ConnId,
        at: Moment,
        fact: Fact,
    },
    Control(Control),
}

impl Message {
    /// How many bytes it counts for.
    pub(super) fn len_bytes(&self) -> usize {
        match self {
            Self::Fact { fact, .. } => FACT_BYTES + fact_bytes(fact),
            Self::Control(_) => 0,
        }
    }
}

/// The queue itself.
#[derive(Default)]
pub(super) struct Queue {
    inner: Mutex<Inner>,
    arrived: Condvar,
    queued_bytes: AtomicUsize,
    has_waiting: AtomicBool,
    pool: Arc<Pool>,
}

#[derive(Default)]
struct Inner {
    messages: Vec<Message>,
    waiting: Vec<Waker>,
    recorder_sleeps: bool,
    closed: bool,
}

impl Queue {
    pub(super) fn push_control(&self, control: Control) {
        let mut inner = self.lock();
        self.enqueue(&mut inner, Message::Control(control));
    }

    fn push_fact(&self, conn: ConnId, clock: &Clock, fact: Fact) {
        let mut inner = self.lock();
        // Under the lock, so that the order of the queue is the order of the moments.
        let at = clock.now();
        for fact in split(fact) {
            self.enqueue(&mut inner, Message::Fact { conn, at, fact });
        }
    }

    fn enqueue(&self, inner: &mut Inner, message: Message) {
        if inner.closed {
            return;
        }
        self.queued_bytes.fetch_add(message.len_bytes(), Ordering::SeqCst);
        inner.messages.push(message);
        if std::mem::take(&mut inner.recorder_sleeps) {
            self.arrived.notify_one();
        }
    }

    fn poll_room(&self, waker: &Waker) -> Poll<()> {
        if self.has_room() {
            return Poll::Ready(());
        }
        let mut inner = self.lock();
        if inner.closed {
            return Poll::Ready(());
        }
        if !inner.waiting.iter().any(|w| w.will_wake(waker)) {
            inner.waiting.push(waker.clone());
        }
        self.has_waiting.store(true, Ordering::SeqCst);
        // The recorder may have drained the queue before it could see that somebody waits.
        if self.has_room() { Poll::Ready(()) } else { Poll::Pending }
    }

    fn has_room(&self) -> bool {
        self.queued_bytes.load(Ordering::SeqCst) < Sink::BOUND_BYTES
    }

    /// Takes all messages into `batch`, which must be empty; waits for one, but not beyond `until`.
    pub(super) fn take(&self, batch: &mut Vec<Message>, until: Option<Instant>) {
        let mut inner = self.lock();
        while inner.messages.is_empty() {
            let left = until.map(|until| until.saturating_duration_since(instant()));
            if left == Some(Duration::ZERO) {
                return;
            }
            inner.recorder_sleeps = true;
            inner = match left {
                Some(left) => self.arrived.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.arrived.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
            inner.recorder_sleeps = false;
        }
        std::mem::swap(&mut inner.messages, batch);
    }

    /// So many bytes have been recorded.
    pub(super) fn release(&self, len_bytes: usize) {
        let before = self.queued_bytes.fetch_sub(len_bytes, Ordering::SeqCst);
        if before.saturating_sub(len_bytes) <= Sink::BOUND_BYTES / 2 && self.has_waiting.load(Ordering::SeqCst) {
            self.wake_waiting();
        }
    }

    /// Nothing is recorded any more; what is pushed from here on is dropped.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.messages.clear();
        drop(inner);
        self.wake_waiting();
    }

    fn wake_waiting(&self) {
        let waiting = {
            let mut inner = self.lock();
            self.has_waiting.store(false, Ordering::SeqCst);
            std::mem::take(&mut inner.waiting)
        };
        for waker in waiting {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts bytes that are too long for one record.
fn split(fact: Fact) -> impl Iterator<Item = Fact> {
    let (whole, mut rest) = match fact {
        Fact::Bytes { direction, data } if data.len() > RECORD_BYTES => (None, Some((direction, data))),
        other => (Some(other), None),
    };
    let pieces = std::iter::from_fn(move || {
        let (direction, data) = rest.as_mut().filter(|(_, data)| !data.is_empty())?;
        let data = data.split_to(data.len().min(RECORD_BYTES));
        Some(Fact::Bytes { direction: *direction, data })
    });
    whole.into_iter().chain(pieces)
}

fn fact_bytes(fact: &Fact) -> usize {
    match fact {
        Fact::Bytes { data, .. } | Fact::CipherBytes { data, .. } => data.len(),
        Fact::ConsoleLine { text, .. } | Fact::Pasted { text, .. } | Fact::Note { text } => text.len(),
        Fact::TunnelOpened { response } => response.len(),
        Fact::TunnelFailed(failure) => failure.response.len(),
        _ => 0,
    }
}

/// What a queued fact takes beside its bytes, roughly.
const FACT_BYTES: usize = 256;
/// The longest piece of bytes that becomes one record.
const RECORD_BYTES: usize = 1024 * 1024;
