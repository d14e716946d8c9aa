//! *Repeat N*: the same connection over and over, one after the other, with a tally of what became of each.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::ConnectOptions;
use crate::observation::ConnId;
use crate::store::Story;

/// A repetition, under way or done.
#[derive(Debug)]
pub struct Repeat {
    /// How many connections were asked for.
    pub total: u32,
    /// How many are over.
    pub done: u32,
    /// How often each cause was found.
    pub tally: BTreeMap<String, u32>,
    /// The connection that is under way.
    pub current: Option<ConnId>,
    is_stopped: bool,
    options: ConnectOptions,
}

impl Repeat {
    /// A repetition of `total` connections; each is left alone for two seconds unless something else is asked for.
    pub fn new(total: u32, mut options: ConnectOptions) -> Self {
        options.watch.get_or_insert(WATCH);
        let total = total.clamp(1, MAX);
        Self { total, done: 0, tally: BTreeMap::new(), current: None, is_stopped: false, options }
    }

    /// What to connect with next, if anything is left to do.
    pub fn next(&self) -> Option<ConnectOptions> {
        (self.current.is_none() && !self.is_stopped && self.done < self.total).then(|| self.options.clone())
    }

    /// A connection is over; counts it if it belongs here.
    pub fn ended(&mut self, conn: ConnId, story: Option<&Story>) {
        if self.current != Some(conn) {
            return;
        }
        self.current = None;
        self.done += 1;
        let cause = story.and_then(|story| story.verdict.as_ref()).map_or("no verdict", |verdict| &verdict.cause);
        *self.tally.entry(cause.to_owned()).or_default() += 1;
    }

    /// Opens no further connection.
    pub fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Whether more is to come.
    pub fn is_running(&self) -> bool {
        self.current.is_some() || (!self.is_stopped && self.done < self.total)
    }
}

/// How long a repeated connection is left alone after its confirmation.
const WATCH: Duration = Duration::from_secs(2);
/// How often at most.
const MAX: u32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_come_one_after_the_other_and_are_counted() {
        let mut repeat = Repeat::new(2, ConnectOptions::new("ws://h"));
        for conn in [ConnId(1), ConnId(2)] {
            assert_eq!(repeat.next().unwrap().watch, Some(WATCH));
            repeat.current = Some(conn);
            assert!(repeat.next().is_none());
            repeat.ended(ConnId(99), None);
            repeat.ended(conn, None);
        }
        assert!(repeat.next().is_none() && !repeat.is_running());
        assert_eq!(repeat.tally.values().sum::<u32>(), 2);
    }

    #[test]
    fn a_repetition_that_is_stopped_begins_nothing_more() {
        let mut repeat = Repeat::new(5, ConnectOptions::new("ws://h"));
        repeat.current = Some(ConnId(1));
        repeat.stop();
        assert!(repeat.is_running());
        repeat.ended(ConnId(1), None);
        assert!(!repeat.is_running() && repeat.next().is_none());
    }
}
