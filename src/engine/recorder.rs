//! The thread that owns every journal and every session: writes each fact, folds it, publishes views.
//!
//! Whoever observes something pushes it into a [`Sink`]; whoever shows something reads [`Recorder::view`]. A fact that can
//! be seen in a view was written before.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::clock::{Clock, instant, wall_clock_unix_millis};
use super::command::JournalPlace;
use super::pages::{Loader, Pages};
use super::private_file::{create_or_take_empty, create_unnamed, sessions_folder};
use super::recording::{Output, Recording};
use super::saved::{self, OpenFileError, SaveError};
use super::sink::{Message, Queue, Sink};
use super::storage::Storage;
use crate::journal::{Header, Writer};
use crate::observation::ConnId;
use crate::store::{Story, View};

/// Called from any thread when there is something new to look at.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Why the engine could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The runtime could not be built.
    #[error("the runtime could not be built")]
    Runtime(#[source] std::io::Error),
    /// A thread could not be started.
    #[error("the thread {name} could not be started")]
    Thread {
        /// Its name.
        name: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Why recording could not begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The name of the connection is in use.
    #[error("connection {} exists already", conn.0)]
    Taken {
        /// The connection.
        conn: ConnId,
    },
    /// The journal's file could not be created; it must not exist yet or be empty.
    #[error("the journal could not be created: {}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Records all connections.
pub struct Recorder {
    queue: Arc<Queue>,
    shelf: Arc<Shelf>,
    loader: Arc<Loader>,
    folder: PathBuf,
    thread: Option<JoinHandle<()>>,
}

/// What the recorder is told beside facts.
pub(super) enum Control {
    /// A connection begins.
    Begin(Box<Recording>, ConnId),
    /// Publish, then tell the story.
    Settle(ConnId, oneshot::Sender<Arc<Story>>),
    /// Write everything, then answer.
    Flush(SyncSender<()>),
    /// A connection is forgotten.
    Forget(ConnId),
    /// Flush and end.
    Stop,
}

impl Recorder {
    /// Starts the threads; `wake` is called after each publication and whenever rows were loaded.
    pub fn start(wake: Wake) -> Result<Self, StartError> {
        Self::start_in(wake, sessions_folder())
    }

    /// The same, with a folder for the journals that have no name.
    pub fn start_in(wake: Wake, folder: PathBuf) -> Result<Self, StartError> {
        let queue = Arc::new(Queue::default());
        let shelf = Arc::new(Shelf::default());
        let loader = Arc::new(Loader::start(Arc::clone(&wake))?);
        let mut worker = Worker {
            queue: Arc::clone(&queue),
            shelf: Arc::clone(&shelf),
            loader: Arc::clone(&loader),
            wake,
            recordings: BTreeMap::new(),
        };
        let name = "recorder";
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || worker.run())
            .map_err(|source| StartError::Thread { name, source })?;
        Ok(Self { queue, shelf, loader, folder, thread: Some(thread) })
    }

    /// Begins to record a connection; moment 0 is now.
    ///
    /// A journal without a name for which no file can be created goes to memory, and the view says so.
    pub fn open(&self, conn: ConnId, place: &JournalPlace) -> Result<Sink, OpenError> {
        let header = Header::new(conn, wall_clock_unix_millis());
        match place {
            JournalPlace::Memory => self.begin(conn, Storage::in_memory(header), None, None),
            JournalPlace::File(path) => {
                let failed = |source| OpenError::Create { path: path.clone(), source };
                let file = create_or_take_empty(path).map_err(failed)?;
                let (storage, output) = in_file(header, path.clone(), false, file).map_err(failed)?;
                self.begin(conn, storage, Some(output), None)
            }
            JournalPlace::Unnamed => {
                let began = header.began_unix_millis;
                let created = create_unnamed(&self.folder, began)
                    .or_else(|_| create_unnamed(&std::env::temp_dir().join("sockeye"), began))
                    .and_then(|(path, file)| in_file(header.clone(), path, true, file));
                match created {
                    Ok((storage, output)) => self.begin(conn, storage, Some(output), None),
                    Err(error) => {
                        let failure = format!("no file can be created for the journal: {error}");
                        self.begin(conn, Storage::in_memory(header), None, Some(failure))
                    }
                }
            }
        }
    }

    pub(super) fn begin(
        &self,
        conn: ConnId,
        storage: Storage,
        output: Option<Output>,
        failure: Option<String>,
    ) -> Result<Sink, OpenError> {
        let storage = Arc::new(storage);
        let mut recording = Recording::new(conn, Arc::clone(&storage), output, failure);
        let view = Arc::new(recording.view(&self.loader));
        if !self.shelf.add(conn, view, &storage) {
            storage.discard();
            return Err(OpenError::Taken { conn });
        }
        self.queue.push_control(Control::Begin(Box::new(recording), conn));
        Ok(Sink::new(conn, Clock::start(), Arc::clone(&self.queue)))
    }

    /// The newest picture of a connection.
    pub fn view(&self, conn: ConnId) -> Option<Arc<View>> {
        self.shelf.lock().get(&conn).map(|kept| Arc::clone(&kept.view))
    }

    /// The newest picture of every connection, by name.
    pub fn views(&self) -> Vec<Arc<View>> {
        self.shelf.lock().values().map(|kept| Arc::clone(&kept.view)).collect()
    }

    /// The story, after everything that was pushed before is written, folded and published.
    pub async fn settle(&self, conn: ConnId) -> Option<Arc<Story>> {
        let (sender, receiver) = oneshot::channel();
        self.queue.push_control(Control::Settle(conn, sender));
        match receiver.await {
            Ok(story) => Some(story),
            // It is not being recorded, but may have been opened from a file.
            Err(_) => self.view(conn).map(|view| Arc::clone(&view.story)),
        }
    }

    /// The file that a connection's journal is in.
    pub fn journal_path(&self, conn: ConnId) -> Option<PathBuf> {
        self.shelf.storage(conn)?.path().map(Path::to_owned)
    }

    /// Writes the journal as it is to another file, readable by its owner alone; gives its length in bytes. Blocks.
    ///
    /// Where bytes have fallen out of memory, the facts after them are kept, and a note says what is missing.
    pub fn save_copy(&self, conn: ConnId, to: &Path) -> Result<u64, SaveError> {
        self.flush();
        let storage = self.shelf.storage(conn).ok_or(SaveError::Unknown { conn })?;
        saved::save_copy(&storage, to)
    }

    /// Opens a saved session as a connection that is over; gives what is wrong with the file. Blocks.
    pub fn open_file(&self, conn: ConnId, path: &Path) -> Result<Vec<String>, OpenFileError> {
        let opened = saved::open(conn, path)?;
        let storage = Arc::new(opened.storage);
        let source = Arc::new(Pages::new(&self.loader, conn, Arc::clone(&storage), opened.session.index()));
        let (story, rows) = (opened.session.story(), opened.session.rows());
        let view = Arc::new(View { conn, story, rows, trouble: None, source });
        if self.shelf.add(conn, view, &storage) { Ok(opened.remarks) } else { Err(OpenFileError::Taken { conn }) }
    }

    /// Forgets a connection, and removes its journal unless somebody gave it a name.
    pub fn forget(&self, conn: ConnId) {
        self.queue.push_control(Control::Forget(conn));
    }

    fn flush(&self) {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.queue.push_control(Control::Flush(sender));
        // An error means that the recorder has ended, which flushed everything.
        receiver.recv().ok();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.queue.push_control(Control::Stop);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the recorder had panicked");
        }
    }
}

fn in_file(header: Header, path: PathBuf, is_unnamed: bool, file: File) -> std::io::Result<(Storage, Output)> {
    let reading = File::open(&path)?;
    let output: Box<dyn Write + Send> = Box::new(file);
    let output = Writer::create(output, &header)?;
    Ok((Storage::in_file(header, path, is_unnamed, reading), output))
}

/// What everybody may look at.
#[derive(Default)]
struct Shelf {
    kept: Mutex<BTreeMap<ConnId, Kept>>,
}

struct Kept {
    view: Arc<View>,
    storage: Arc<Storage>,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a new connection there; `false` if its name is taken.
    fn add(&self, conn: ConnId, view: Arc<View>, storage: &Arc<Storage>) -> bool {
        let mut kept = self.lock();
        if kept.contains_key(&conn) {
            return false;
        }
        kept.insert(conn, Kept { view, storage: Arc::clone(storage) });
        true
    }

    fn storage(&self, conn: ConnId) -> Option<Arc<Storage>> {
        self.lock().get(&conn).map(|kept| Arc::clone(&kept.storage))
    }

    fn publish(&self, conn: ConnId, view: Arc<View>) {
        let old = self.lock().get_mut(&conn).map(|kept| std::mem::replace(&mut kept.view, view));
        // Freed without the lock.
        drop(old);
    }
}

/// The recorder's thread.
struct Worker {
    queue: Arc<Queue>,
    shelf: Arc<Shelf>,
    loader: Arc<Loader>,
    wake: Wake,
    recordings: BTreeMap<ConnId, Recording>,
}

impl Worker {
    fn run(&mut self) {
        let mut batch = Vec::new();
        let mut published = instant();
        let mut goes_on = true;
        while goes_on {
            let is_dirty = self.recordings.values().any(|r| r.is_dirty);
            self.queue.take(&mut batch, is_dirty.then(|| published + PUBLISH_EVERY));
            for message in batch.drain(..) {
                let len_bytes = message.len_bytes();
                goes_on &= self.take(message);
                self.queue.release(len_bytes);
                if instant() >= published + PUBLISH_EVERY {
                    published = instant();
                    self.publish(|_| true);
                }
            }
            for recording in self.recordings.values_mut().filter(|r| r.is_dirty) {
                recording.flush();
            }
            if instant() >= published + PUBLISH_EVERY {
                published = instant();
                self.publish(|_| true);
            } else {
                self.publish(|recording| recording.is_urgent);
            }
        }
        self.publish(|_| true);
        self.queue.close();
    }

    /// `false` if this was the last message.
    fn take(&mut self, message: Message) -> bool {
        match message {
            Message::Fact { conn, at, fact } => {
                if let Some(recording) = self.recordings.get_mut(&conn) {
                    recording.record(at, &fact);
                }
            }
            Message::Control(Control::Begin(recording, conn)) => {
                self.recordings.insert(conn, *recording);
            }
            Message::Control(Control::Settle(conn, reply)) => {
                if let Some(recording) = self.recordings.get_mut(&conn) {
                    recording.is_urgent = true;
                    let story = recording.story();
                    self.publish(|recording| recording.is_urgent);
                    // Whoever asked may be gone.
                    reply.send(story).ok();
                }
            }
            Message::Control(Control::Flush(reply)) => {
                self.recordings.values_mut().for_each(Recording::flush);
                // Whoever asked may be gone.
                reply.send(()).ok();
            }
            Message::Control(Control::Forget(conn)) => {
                self.recordings.remove(&conn);
                self.loader.forget(conn);
                let kept = self.shelf.lock().remove(&conn);
                if let Some(kept) = kept {
                    kept.storage.discard();
                }
            }
            Message::Control(Control::Stop) => return false,
        }
        true
    }

    fn publish(&mut self, which: impl Fn(&Recording) -> bool) {
        let mut any = false;
        for (conn, recording) in &mut self.recordings {
            if recording.is_dirty && which(recording) {
                let view = recording.view(&self.loader);
                self.shelf.publish(*conn, Arc::new(view));
                any = true;
            }
        }
        if any {
            (self.wake)();
        }
    }
}

/// Between two publications.
const PUBLISH_EVERY: Duration = Duration::from_millis(33);
