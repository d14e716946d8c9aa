//! Events on their way to the face: a queue that the engine never waits for.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::{Event, Wake};

/// How many events may wait before console lines of the practice server are left out.
const ROOM: usize = 1024;

/// The queue.
pub(crate) struct Mailbox {
    queue: Mutex<VecDeque<Event>>,
    filled: Condvar,
    wake: Wake,
}

impl Mailbox {
    /// An empty queue that calls `wake` for each event.
    pub(crate) fn new(wake: Wake) -> Self {
        Self { queue: Mutex::new(VecDeque::new()), filled: Condvar::new(), wake }
    }

    /// Adds an event. Every event answers one command, but for console lines: these are left out when nobody reads.
    pub(crate) fn put(&self, event: Event) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= ROOM && matches!(event, Event::PracticeLine { .. }) {
            return;
        }
        queue.push_back(event);
        drop(queue);
        self.wake();
    }

    /// Wakes a waiting face although there is no event.
    pub(crate) fn wake(&self) {
        self.filled.notify_all();
        (self.wake)();
    }

    /// Takes the oldest event, waiting at most `limit`.
    pub(crate) fn take(&self, limit: Duration) -> Option<Event> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.is_empty() && !limit.is_zero() {
            // A condition variable may wake for nothing: only an event or the limit ends the wait.
            let waited = self.filled.wait_timeout_while(queue, limit, |queue| queue.is_empty());
            queue = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        queue.pop_front()
    }
}
