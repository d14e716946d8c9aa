//! The ping timer: when to ask whether the other end lives, how long its answers took, and when it counts as gone.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::engine::KeepAliveOptions;

/// How many pings may be unanswered at a time and still be known.
const MAX_WAITING: usize = 64;

/// Pings and their pongs.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    options: KeepAliveOptions,
    next: Option<Instant>,
    number: u64,
    waiting: VecDeque<Waiting>,
}

/// A ping that was not answered yet.
#[derive(Debug)]
struct Waiting {
    payload: Bytes,
    since: Instant,
    /// When its pong is overdue; `None` for a ping of the user.
    until: Option<Instant>,
    /// How many bytes the other end had sent by then.
    heard: u64,
}

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// Send a ping with this payload.
    Ping(Bytes),
    /// The other end does not answer.
    PongMissing,
}

impl KeepAlive {
    /// The timer of a connection that opens now.
    pub(crate) fn new(options: KeepAliveOptions, now: Instant) -> Self {
        let next = options.ping.map(|every| now + every);
        Self { options, next, number: 0, waiting: VecDeque::new() }
    }

    /// How long a pong may take.
    pub(crate) fn pong_limit(&self) -> Duration {
        self.options.pong_limit
    }

    /// No pings from here on; the closing handshake has a time limit of its own.
    pub(crate) fn stop(&mut self) {
        self.next = None;
        for waiting in &mut self.waiting {
            waiting.until = None;
        }
    }

    /// When [`KeepAlive::act`] is to be asked next.
    pub(crate) fn due(&self) -> Option<Instant> {
        let overdue = self.waiting.iter().find_map(|waiting| waiting.until);
        [self.next, overdue].into_iter().flatten().min()
    }

    /// What is to be done at this moment, with `heard` bytes of the other end so far.
    ///
    /// While we do not read, no pong can be missed; and who sends something lives, though its pong may wait behind that.
    pub(crate) fn act(&mut self, now: Instant, is_deaf: bool, heard: u64) -> Due {
        let limit = self.options.pong_limit;
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.until.is_some_and(|until| until <= now)) {
            if !is_deaf && waiting.heard == heard {
                return Due::PongMissing;
            }
            (waiting.until, waiting.heard) = (Some(now + limit), heard);
        }
        match (self.next, self.options.ping) {
            (Some(next), Some(every)) if next <= now => {
                self.next = Some(now + every);
                self.number += 1;
                Due::Ping(Bytes::from(format!("sockeye {}", self.number)))
            }
            _ => Due::Nothing,
        }
    }

    /// A ping went out; `is_ours` if the timer sent it.
    pub(crate) fn sent(&mut self, payload: Bytes, now: Instant, heard: u64, is_ours: bool) {
        if self.waiting.len() >= MAX_WAITING {
            self.waiting.pop_front();
        }
        let until = is_ours.then(|| now + self.options.pong_limit);
        self.waiting.push_back(Waiting { payload, since: now, until, heard });
    }

    /// A pong came: how long it took, if it answers a ping of ours.
    ///
    /// It answers the pings before that one as well (RFC 6455 §5.5.3).
    pub(crate) fn pong(&mut self, payload: &[u8], now: Instant) -> Option<Duration> {
        let at = self.waiting.iter().position(|waiting| waiting.payload == payload)?;
        let answered = self.waiting.drain(..=at).next_back()?;
        Some(now.saturating_duration_since(answered.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn timer(ping: Option<Duration>, now: Instant) -> KeepAlive {
        KeepAlive::new(KeepAliveOptions { ping, ..KeepAliveOptions::default() }, now)
    }

    #[test]
    fn pings_go_out_in_time_and_their_pongs_are_measured() {
        let start = Instant::now();
        let mut timer = timer(Some(2 * SECOND), start);
        assert_eq!(timer.act(start + SECOND, false, 0), Due::Nothing);
        assert_eq!(timer.due(), Some(start + 2 * SECOND));
        let Due::Ping(first) = timer.act(start + 2 * SECOND, false, 0) else { panic!("no ping") };
        timer.sent(first.clone(), start + 2 * SECOND, 0, true);
        let Due::Ping(second) = timer.act(start + 4 * SECOND, false, 0) else { panic!("no ping") };
        timer.sent(second.clone(), start + 4 * SECOND, 0, true);
        assert_eq!(timer.pong(b"another", start + 5 * SECOND), None);
        assert_eq!(timer.pong(&second, start + 5 * SECOND), Some(SECOND));
        assert_eq!(timer.pong(&first, start + 5 * SECOND), None);
    }

    #[test]
    fn a_missing_pong_counts_only_while_we_listen() {
        let start = Instant::now();
        let mut timer = timer(Some(20 * SECOND), start);
        let Due::Ping(ping) = timer.act(start + 20 * SECOND, false, 7) else { panic!("no ping") };
        timer.sent(ping, start + 20 * SECOND, 7, true);
        assert_eq!(timer.due(), Some(start + 30 * SECOND));
        assert_eq!(timer.act(start + 30 * SECOND, true, 7), Due::Nothing);
        timer.next = None;
        assert_eq!(timer.due(), Some(start + 40 * SECOND));
        assert_eq!(timer.act(start + 40 * SECOND, false, 8), Due::Nothing);
        assert_eq!(timer.act(start + 50 * SECOND, false, 8), Due::PongMissing);
        timer.stop();
        assert_eq!((timer.due(), timer.act(start + 99 * SECOND, false, 8)), (None, Due::Nothing));
    }

    #[test]
    fn pings_of_the_user_are_measured_and_never_missed() {
        let start = Instant::now();
        let mut timer = timer(None, start);
        assert_eq!(timer.due(), None);
        for nth in 0..100_u8 {
            timer.sent(Bytes::copy_from_slice(&[nth]), start, 0, false);
        }
        assert_eq!((timer.due(), timer.act(start + 99 * SECOND, false, 0)), (None, Due::Nothing));
        assert_eq!(timer.pong(&[99], start + SECOND), Some(SECOND));
        assert_eq!(timer.pong(&[0], start + SECOND), None);
    }
}
