//! The practice server's console: to the face as it is printed, and into the sessions that talk to the server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::mailbox::Mailbox;
use crate::engine::sink::Sink;
use crate::engine::{Event, practice::ConsoleSink};
use crate::observation::{ConnId, Fact};
use crate::wire::{Target, parse_url};

/// How the lines are named in a session.
const SOURCE: &str = "practice server";
/// How many lines of one preparation are kept.
const PREPARED_LINES: usize = 200;

/// Hands the practice server's lines on.
pub(crate) struct PracticeConsole {
    mailbox: Arc<Mailbox>,
    lanes: Mutex<Lanes>,
}

#[derive(Default)]
struct Lanes {
    /// The ports of the practice server, each with the lines that were printed when its exercise was prepared.
    ports: BTreeMap<u16, Vec<String>>,
    /// What has been printed since the preparation of an exercise began, while it lasts.
    preparing: Option<Vec<String>>,
    /// The sessions that talk to the practice server.
    listening: BTreeMap<ConnId, Sink>,
}

impl PracticeConsole {
    /// A console that tells the face through `mailbox`.
    pub(crate) fn new(mailbox: Arc<Mailbox>) -> Arc<Self> {
        Arc::new(Self { mailbox, lanes: Mutex::default() })
    }

    /// What the practice server prints to.
    pub(crate) fn sink(self: &Arc<Self>) -> ConsoleSink {
        let console = Arc::clone(self);
        Arc::new(move |line: &str| console.print(line))
    }

    /// An exercise is about to be prepared: what is printed from here on belongs to it.
    pub(crate) fn begin_exercise(&self) {
        self.lock().preparing = Some(Vec::new());
    }

    /// The exercise is ready at this URL, or there is none.
    pub(crate) fn end_exercise(&self, url: Option<&str>) {
        let mut lanes = self.lock();
        let lines = lanes.preparing.take().unwrap_or_default();
        if let Some(target) = url.and_then(|url| parse_url(url).ok()).filter(Target::is_loopback) {
            lanes.ports.insert(target.port, lines);
        }
    }

    /// Hands the lines to a session until the value is dropped, if its target is the practice server's.
    ///
    /// What was printed when the exercise was prepared comes first.
    pub(crate) fn listen(self: &Arc<Self>, conn: ConnId, target: &Target, sink: &Sink) -> Option<Listening> {
        let earlier = {
            let mut lanes = self.lock();
            let earlier = lanes.ports.get(&target.port).filter(|_| target.is_loopback())?.clone();
            lanes.listening.insert(conn, sink.clone());
            earlier
        };
        for text in earlier {
            sink.push(Fact::ConsoleLine { source: SOURCE.to_owned(), text });
        }
        Some(Listening { console: Arc::clone(self), conn })
    }

    fn print(&self, line: &str) {
        let listening: Vec<Sink> = {
            let mut lanes = self.lock();
            if let Some(lines) = lanes.preparing.as_mut().filter(|lines| lines.len() < PREPARED_LINES) {
                lines.push(line.to_owned());
            }
            lanes.listening.values().cloned().collect()
        };
        for sink in listening {
            sink.push(Fact::ConsoleLine { source: SOURCE.to_owned(), text: line.to_owned() });
        }
        self.mailbox.put(Event::PracticeLine { text: line.to_owned() });
    }

    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A session that is handed the lines.
pub(crate) struct Listening {
    console: Arc<PracticeConsole>,
    conn: ConnId,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.console.lock().listening.remove(&self.conn);
    }
}
