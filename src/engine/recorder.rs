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
use super::journal_file::JournalFile;
use super::library::Library;
use super::pages::{Loader, Pages};
use super::private_file::{create_folder, create_or_take_empty, mark_in_use};
use super::recording::{Output, Picture, Recording};
use super::saved::{self, OpenFileError, SaveError};
use super::session_reader::SessionReader;
use super::sink::{Message, Queue, Sink};
use super::storage::Storage;
use super::unsaved::{self, sessions_folder};
use crate::journal::{Header, Writer};
use crate::observation::ConnId;
use crate::store::{Index, Session, Story, View};

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
    wake: Wake,
    folder: PathBuf,
    thread: Option<JoinHandle<()>>,
}

/// What the recorder is told beside facts.
pub(super) enum Control {
    /// A connection begins.
    Begin(Box<Recording>, ConnId),
    /// Publish, then tell the story.
    Settle(ConnId, oneshot::Sender<Arc<Story>>),
    /// Write everything, then tell where the journal of this connection ends, if it is being recorded.
    Flush(ConnId, SyncSender<Option<u64>>),
    /// A connection is forgotten, and what becomes of a journal without a name.
    Forget(ConnId, Journal),
    /// Flush and end.
    Stop,
}

/// What becomes of a journal without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Journal {
    Goes,
    Stays,
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
        let library = Library::new(folder.clone());
        let loader = Loader::start(Arc::clone(&wake), move || {
            library.sweep();
        })?;
        let loader = Arc::new(loader);
        let mut worker = Worker {
            queue: Arc::clone(&queue),
            shelf: Arc::clone(&shelf),
            loader: Arc::clone(&loader),
            wake: Arc::clone(&wake),
            recordings: BTreeMap::new(),
        };
        let name = "recorder";
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || worker.run())
            .map_err(|source| StartError::Thread { name, source })?;
        Ok(Self { queue, shelf, loader, wake, folder, thread: Some(thread) })
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
                mark_in_use(&file);
                let (storage, output) = in_file(header, path.clone(), false, file).map_err(failed)?;
                self.begin(conn, storage, Some(output), None)
            }
            JournalPlace::Unnamed => {
                let began = header.began_unix_millis;
                let created = unsaved::create(&self.folder, began)
                    .or_else(|_| unsaved::create(&unsaved::last_resort(), began))
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
        if !self.shelf.add(conn, recording.picture(&self.loader), &storage) {
            storage.discard();
            return Err(OpenError::Taken { conn });
        }
        self.queue.push_control(Control::Begin(Box::new(recording), conn));
        Ok(Sink::new(conn, Clock::start(), Arc::clone(&self.queue)))
    }

    /// A sink whose facts are recorded nowhere.
    pub(super) fn nowhere(&self) -> Sink {
        Sink::new(ConnId(u32::MAX), Clock::start(), Arc::clone(&self.queue))
    }

    /// Where journals without a name go, and what is remembered beside them.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
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

    /// The newest picture of a connection, to be read from beginning to end.
    pub fn session(&self, conn: ConnId) -> Option<SessionReader> {
        self.shelf.lock().get(&conn).map(|kept| kept.pages.session(Arc::clone(&kept.view)))
    }

    /// The sessions on disk.
    pub(super) fn library(&self) -> Library {
        Library::new(self.folder.clone())
    }

    /// The file that a connection's journal is in.
    pub fn journal_path(&self, conn: ConnId) -> Option<PathBuf> {
        self.shelf.storage(conn)?.path().map(Path::to_owned)
    }

    /// Writes the journal as it is to another file, readable by its owner alone; gives its length in bytes. Blocks.
    ///
    /// Where bytes have fallen out of memory, the facts after them are kept, and a note says what is missing.
    pub fn save_copy(&self, conn: ConnId, to: &Path) -> Result<u64, SaveError> {
        let end = self.flush(conn);
        let storage = self.shelf.storage(conn).ok_or(SaveError::Unknown { conn })?;
        saved::save_copy(&storage, end.unwrap_or(u64::MAX), to)
    }

    /// Saves a session whose own file is in trouble: where sessions without a name go, else with the temporary files.
    pub(super) fn rescue(&self, conn: ConnId) -> Result<PathBuf, SaveError> {
        let name = format!("rescued-{}-{}.sockeye", wall_clock_unix_millis(), std::process::id());
        let folders = [self.folder.clone(), unsaved::last_resort()];
        let mut failed = SaveError::Unknown { conn };
        for folder in folders {
            let path = folder.join(&name);
            // Where the folder cannot be made, the copy says so.
            create_folder(&folder).ok();
            match self.save_copy(conn, &path) {
                Ok(_) => return Ok(path),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Opens a saved session as a connection that is over; gives what is wrong with the file. Blocks.
    ///
    /// A long one is shown while it is being read: all its rows if it has an index, else those at its beginning.
    pub fn open_file(&self, conn: ConnId, path: &Path) -> Result<Vec<String>, OpenFileError> {
        let mut is_shown = false;
        let mut show = |session: &Session, index: Index, storage: &Arc<Storage>| {
            let picture = Picture::new(&self.loader, conn, session, index, storage, None);
            if is_shown {
                self.shelf.publish(conn, picture);
            } else if !self.shelf.add(conn, picture, storage) {
                return Err(OpenFileError::Taken { conn });
            }
            is_shown = true;
            (self.wake)();
            Ok(())
        };
        let opened = saved::open(conn, path, &mut show);
        let opened = opened.and_then(|opened| {
            let index = opened.session.index();
            if opened.kept.is_some_and(|kept| !kept.is_like(&index)) {
                // What it led to is no row of this session.
                self.loader.forget(conn);
            }
            show(&opened.session, index, &opened.storage).map(|()| opened.remarks)
        });
        if opened.is_err() && is_shown {
            self.shelf.lock().remove(&conn);
        }
        opened
    }

    /// Forgets a connection, and removes its journal unless somebody gave it a name.
    pub fn forget(&self, conn: ConnId) {
        self.queue.push_control(Control::Forget(conn, Journal::Goes));
    }

    /// Forgets a connection; its journal stays on disk, if it is there.
    pub fn put_aside(&self, conn: ConnId) {
        self.queue.push_control(Control::Forget(conn, Journal::Stays));
    }

    /// Waits until everything is written; gives where the journal ends, if it is being recorded.
    fn flush(&self, conn: ConnId) -> Option<u64> {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.queue.push_control(Control::Flush(conn, sender));
        // An error means that the recorder has ended, which flushed everything.
        receiver.recv().ok().flatten()
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
    let output: Box<dyn Write + Send> = Box::new(JournalFile::new(file));
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
    pages: Arc<Pages>,
    storage: Arc<Storage>,
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<ConnId, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a new connection there; `false` if its name is taken.
    fn add(&self, conn: ConnId, Picture { view, pages }: Picture, storage: &Arc<Storage>) -> bool {
        let mut kept = self.lock();
        if kept.contains_key(&conn) {
            return false;
        }
        kept.insert(conn, Kept { view, pages, storage: Arc::clone(storage) });
        true
    }

    fn storage(&self, conn: ConnId) -> Option<Arc<Storage>> {
        self.lock().get(&conn).map(|kept| Arc::clone(&kept.storage))
    }

    fn publish(&self, conn: ConnId, Picture { view, pages }: Picture) {
        let replace =
            |kept: &mut Kept| (std::mem::replace(&mut kept.view, view), std::mem::replace(&mut kept.pages, pages));
        let old = self.lock().get_mut(&conn).map(replace);
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
            Message::Control(Control::Flush(conn, reply)) => {
                let end = self.recordings.get_mut(&conn).map(|recording| {
                    recording.flush();
                    recording.end()
                });
                // Whoever asked may be gone.
                reply.send(end).ok();
            }
            Message::Control(Control::Forget(conn, journal)) => {
                self.recordings.remove(&conn);
                self.loader.forget(conn);
                let kept = self.shelf.lock().remove(&conn);
                if let Some(kept) = kept
                    && journal == Journal::Goes
                {
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
                self.shelf.publish(*conn, recording.picture(&self.loader));
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

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    use std::io;
    use std::ops::Range;
    use std::sync::Condvar;
    use std::task::{Context, Waker};

    use bytes::Bytes;

    use super::*;
    use crate::export::{Selection, Source as _};
    use crate::observation::{Direction, Fact, Moment};
    use crate::store::{Page, Row, RowBody};
    use crate::wire::encode_frame;

    const CONN: ConnId = ConnId(3);

    /// Counts what it is woken by.
    #[derive(Default)]
    struct Bell {
        rung: Mutex<u64>,
        ringing: Condvar,
    }

    impl Bell {
        fn ring(&self) {
            *self.rung.lock().unwrap() += 1;
            self.ringing.notify_all();
        }

        fn wait_beyond(&self, heard: u64) {
            let rung = self.rung.lock().unwrap();
            let waited = self.ringing.wait_timeout_while(rung, Duration::from_mins(1), |n| *n <= heard).unwrap();
            assert!(!waited.1.timed_out(), "nobody woke us");
        }

        fn until<T>(&self, mut ask: impl FnMut() -> Option<T>) -> T {
            loop {
                let heard = *self.rung.lock().unwrap();
                if let Some(found) = ask() {
                    return found;
                }
                self.wait_beyond(heard);
            }
        }
    }

    impl std::task::Wake for Bell {
        fn wake(self: Arc<Self>) {
            self.ring();
        }
    }

    struct Stage {
        recorder: Recorder,
        bell: Arc<Bell>,
        folder: tempfile::TempDir,
    }

    impl Stage {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let bell = Arc::new(Bell::default());
            let theirs = Arc::clone(&bell);
            let recorder = Recorder::start_in(Arc::new(move || theirs.ring()), folder.path().join("sessions")).unwrap();
            Self { recorder, bell, folder }
        }

        fn settle(&self, conn: ConnId) -> Arc<Story> {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(self.recorder.settle(conn)).unwrap()
        }

        fn page(&self, conn: ConnId, range: Range<u64>) -> Vec<Row> {
            self.bell.until(|| match self.recorder.view(conn).unwrap().page(range.clone()) {
                Page::Ready(rows) => Some(rows),
                Page::Pending => None,
            })
        }

        fn all_rows(&self, conn: ConnId) -> Vec<Row> {
            let rows = self.recorder.view(conn).unwrap().rows;
            let pages = (0..rows).step_by(View::PAGE_ROWS as usize);
            pages.flat_map(|from| self.page(conn, from..from + View::PAGE_ROWS)).collect()
        }
    }

    impl Stage {
        /// Every row, as exports read them.
        fn read(&self, conn: ConnId) -> Vec<Row> {
            self.recorder.session(conn).unwrap().rows(&Selection::All).map(Result::unwrap).collect()
        }
    }

    fn handshake(sink: &Sink) {
        let bytes = |direction, data: &'static [u8]| Fact::Bytes { direction, data: Bytes::from_static(data) };
        sink.push(Fact::ResolveStarted { host: "h".to_owned() });
        sink.push(bytes(Direction::ClientToServer, b"GET /ws HTTP/1.1\r\nHost: h\r\n\r\n"));
        sink.push(bytes(Direction::ServerToClient, b"HTTP/1.1 101 Switching Protocols\r\n\r\n"));
        sink.push(Fact::Opened);
    }

    fn push_frames(sink: &Sink, from: u64, count: u64) {
        let mut data = Vec::new();
        for number in from..from + count {
            data.extend(encode_frame(0x82, None, &number.to_be_bytes().repeat(15)));
        }
        let mut data = Bytes::from(data);
        while !data.is_empty() {
            let read = data.split_to(data.len().min(100_000));
            sink.push(Fact::Bytes { direction: Direction::ServerToClient, data: read });
        }
    }

    fn ready<T>(page: Page<T>) -> Option<T> {
        if let Page::Ready(found) = page { Some(found) } else { None }
    }

    fn hash<'a>(payloads: impl Iterator<Item = &'a [u8]>) -> u64 {
        let mut hasher = DefaultHasher::new();
        for payload in payloads {
            payload.hash(&mut hasher);
        }
        hasher.finish()
    }

    fn payloads(rows: &[Row]) -> impl Iterator<Item = &[u8]> {
        rows.iter().filter_map(|row| if let RowBody::Frame(frame) = &row.body { Some(&*frame.preview) } else { None })
    }

    fn without_wall_clock(rows: &[Row]) -> Vec<String> {
        rows.iter().map(|row| format!("{row:?}")).collect()
    }

    #[test]
    fn frames_come_back_in_order_and_whole_wherever_they_are_kept() {
        for place in [JournalPlace::Unnamed, JournalPlace::Memory] {
            let stage = Stage::new();
            let sink = stage.recorder.open(CONN, &place).unwrap();
            handshake(&sink);
            push_frames(&sink, 0, 100_000);
            sink.push(Fact::Finished);
            let story = stage.settle(CONN);
            assert_eq!((story.received.frames, story.received.messages), (100_000, 100_000));
            let rows = stage.all_rows(CONN);
            assert_eq!(rows.len(), 100_004);
            assert!((0..).zip(&rows).all(|(number, row)| row.number == number), "{place:?}");
            assert!(rows.is_sorted_by_key(|row| row.at));
            let sent: Vec<Vec<u8>> = (0..100_000_u64).map(|n| n.to_be_bytes().repeat(15)).collect();
            assert_eq!(hash(payloads(&rows)), hash(sent.iter().map(Vec::as_slice)));
            assert_eq!(stage.read(CONN), rows);
            assert!(stage.recorder.view(CONN).unwrap().trouble.is_none());
        }
    }

    #[test]
    fn places_and_payloads_are_found() {
        let stage = Stage::new();
        let sink = stage.recorder.open(CONN, &JournalPlace::Memory).unwrap();
        handshake(&sink);
        push_frames(&sink, 0, 10_000);
        stage.settle(CONN);
        let view = stage.recorder.view(CONN).unwrap();
        let rows = stage.page(CONN, 7_000..7_001);
        let RowBody::Frame(frame) = &rows[0].body else { panic!("{rows:?}") };
        for offset in [frame.offset, frame.offset + 50] {
            assert_eq!(stage.bell.until(|| ready(view.source.row_of(Direction::ServerToClient, offset))), 7_000);
        }
        let first_then = stage.bell.until(|| ready(view.source.row_at(rows[0].at)));
        assert!(first_then <= 7_000 && stage.page(CONN, first_then..first_then + 1)[0].at == rows[0].at);
        assert_eq!(stage.bell.until(|| ready(view.source.row_at(Moment(u64::MAX)))), view.rows);
        let payload = stage.bell.until(|| ready(view.source.payload(Direction::ServerToClient, frame.offset, 20)));
        assert_eq!(payload, frame.preview[..20]);
        assert_eq!(view.page(view.rows..view.rows + 5), Page::Ready(Vec::new()));
    }

    #[test]
    fn frame_that_still_comes_grows_in_its_row() {
        let stage = Stage::new();
        let sink = stage.recorder.open(CONN, &JournalPlace::Memory).unwrap();
        handshake(&sink);
        let mut frame = Bytes::from(encode_frame(0x82, None, &[7; 1_000]));
        for (len, received) in [(104, 100), (300, 400), (600, 1_000)] {
            sink.push(Fact::Bytes { direction: Direction::ServerToClient, data: frame.split_to(len) });
            stage.settle(CONN);
            let rows = stage.page(CONN, 4..5);
            assert!(
                matches!(&rows[0].body, RowBody::Frame(f) if f.received == received && f.preview.len() == received as usize)
            );
        }
    }

    #[test]
    fn saved_session_opens_with_the_same_rows_and_story() {
        for place in [JournalPlace::Unnamed, JournalPlace::Memory] {
            let stage = Stage::new();
            let sink = stage.recorder.open(CONN, &place).unwrap();
            handshake(&sink);
            push_frames(&sink, 0, 5_000);
            sink.push(Fact::Finished);
            let story = stage.settle(CONN);
            let to = stage.folder.path().join("saved.sockeye");
            let len = stage.recorder.save_copy(CONN, &to).unwrap();
            assert_eq!(len, to.metadata().unwrap().len());
            assert_private(&to);
            assert_eq!(stage.recorder.open_file(ConnId(4), &to).unwrap(), Vec::<String>::new());
            assert_eq!(format!("{story:?}"), format!("{:?}", stage.settle(ConnId(4))));
            let rows = stage.all_rows(CONN);
            assert_eq!(without_wall_clock(&rows), without_wall_clock(&stage.all_rows(ConnId(4))));
            let replayed: Vec<Row> = super::super::pages::replay(&to).unwrap().map(Result::unwrap).collect();
            assert_eq!(rows, replayed);
            // Saved over itself it stays what it is.
            assert_eq!(stage.recorder.save_copy(ConnId(4), &to).unwrap(), len);
        }
    }

    #[test]
    fn torn_file_opens_with_a_remark() {
        let stage = Stage::new();
        let path = stage.folder.path().join("a.sockeye");
        let sink = stage.recorder.open(CONN, &JournalPlace::File(path.clone())).unwrap();
        handshake(&sink);
        push_frames(&sink, 0, 1_000);
        stage.settle(CONN);
        let len = path.metadata().unwrap().len();
        File::options().write(true).open(&path).unwrap().set_len(len - 5).unwrap();
        let remarks = stage.recorder.open_file(ConnId(4), &path).unwrap();
        assert!(remarks[0].contains("the file ends inside a record"), "{remarks:?}");
        let view = stage.recorder.view(ConnId(4)).unwrap();
        assert!(view.rows > 4 && view.story.finished.is_some());
        assert!(matches!(stage.recorder.open_file(ConnId(4), &path), Err(OpenFileError::Taken { .. })));
    }

    #[test]
    fn journals_are_private_and_forgotten_ones_are_removed() {
        let stage = Stage::new();
        let named = stage.folder.path().join("named.sockeye");
        stage.recorder.open(CONN, &JournalPlace::File(named.clone())).unwrap();
        stage.recorder.open(ConnId(4), &JournalPlace::Unnamed).unwrap();
        let unnamed = stage.recorder.journal_path(ConnId(4)).unwrap();
        assert!(unnamed.starts_with(stage.folder.path()));
        assert_private(&named);
        assert_private(&unnamed);
        stage.recorder.open(ConnId(5), &JournalPlace::Unnamed).unwrap();
        let aside = stage.recorder.journal_path(ConnId(5)).unwrap();
        stage.recorder.forget(CONN);
        stage.recorder.forget(ConnId(4));
        stage.recorder.put_aside(ConnId(5));
        stage.recorder.flush(CONN);
        assert!(named.exists() && !unnamed.exists() && stage.recorder.views().is_empty());
        assert!(aside.exists(), "what is put aside stays on disk");
    }

    #[test]
    fn existing_files_are_not_overwritten() {
        let stage = Stage::new();
        let path = stage.folder.path().join("there.sockeye");
        std::fs::write(&path, "precious").unwrap();
        let refused = stage.recorder.open(CONN, &JournalPlace::File(path.clone()));
        assert!(matches!(refused, Err(OpenError::Create { .. })));
        std::fs::write(&path, "").unwrap();
        stage.recorder.open(CONN, &JournalPlace::File(path.clone())).unwrap();
        assert_private(&path);
        assert!(matches!(stage.recorder.open(CONN, &JournalPlace::Memory), Err(OpenError::Taken { .. })));
    }

    #[test]
    fn everything_in_a_view_is_in_the_file() {
        let stage = Stage::new();
        let path = stage.folder.path().join("live.sockeye");
        let sink = stage.recorder.open(CONN, &JournalPlace::File(path.clone())).unwrap();
        handshake(&sink);
        for round in 0..200 {
            push_frames(&sink, round * 50, 50);
            let seen = stage.recorder.view(CONN).unwrap().rows;
            let written = super::super::pages::replay(&path).unwrap().count() as u64;
            assert!(written >= seen, "{written} rows are written, {seen} were shown");
        }
    }

    /// Fails once it has taken so many bytes.
    struct Full {
        file: File,
        room: usize,
    }

    impl Write for Full {
        fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
            if self.room == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let len = buffer.len().min(self.room);
            self.room -= len;
            self.file.write(&buffer[..len])
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn open_on_full_disk(stage: &Stage, room: usize) -> Sink {
        let path = stage.folder.path().join("full.sockeye");
        let header = Header::new(CONN, 0);
        let file = super::super::private_file::create_new(&path).unwrap();
        let reading = File::open(&path).unwrap();
        let output: Box<dyn Write + Send> = Box::new(Full { file, room });
        let output = Writer::create(output, &header).unwrap();
        stage.recorder.begin(CONN, Storage::in_file(header, path, false, reading), Some(output), None).unwrap()
    }

    #[test]
    fn full_disk_loses_nothing_that_memory_can_take() {
        for room in [64, 700, 50_000, 1_000_000] {
            let stage = Stage::new();
            let sink = open_on_full_disk(&stage, room);
            handshake(&sink);
            push_frames(&sink, 0, 20_000);
            sink.push(Fact::Finished);
            stage.settle(CONN);
            let trouble = stage.recorder.view(CONN).unwrap().trouble.clone().unwrap();
            assert!(trouble.contains("cannot be written") && trouble.contains("64 MiB"), "{trouble}");
            let rows = stage.all_rows(CONN);
            let sent: Vec<Vec<u8>> = (0..20_000_u64).map(|n| n.to_be_bytes().repeat(15)).collect();
            assert_eq!(hash(payloads(&rows)), hash(sent.iter().map(Vec::as_slice)), "room for {room}");
            let to = stage.folder.path().join("copy.sockeye");
            stage.recorder.save_copy(CONN, &to).unwrap();
            assert_eq!(stage.recorder.open_file(ConnId(4), &to).unwrap(), Vec::<String>::new());
            assert_eq!(rows, stage.all_rows(ConnId(4)));
        }
    }

    #[test]
    fn what_falls_out_of_memory_is_counted_and_said() {
        let stage = Stage::new();
        let sink = open_on_full_disk(&stage, 2_000_000);
        handshake(&sink);
        let payload = Bytes::from(encode_frame(0x82, None, &vec![1; 1_000_000]));
        for _ in 0..80 {
            sink.push(Fact::Bytes { direction: Direction::ServerToClient, data: payload.clone() });
        }
        sink.push(Fact::Note { text: "last".to_owned() });
        sink.push(Fact::Finished);
        stage.settle(CONN);
        let view = stage.recorder.view(CONN).unwrap();
        assert!(view.trouble.as_deref().is_some_and(|t| t.contains("have fallen out")), "{:?}", view.trouble);
        let rows = stage.all_rows(CONN);
        assert_eq!((rows.len() as u64, view.rows), (85, 85));
        assert_eq!(stage.read(CONN), rows);
        let is_lost = |row: &&Row| format!("{row:?}").contains("cannot be read from the journal");
        let lost = rows.iter().filter(is_lost).count();
        assert!((10..20).contains(&lost), "{lost} rows are lost");
        let to = stage.folder.path().join("copy.sockeye");
        stage.recorder.save_copy(CONN, &to).unwrap();
        assert_eq!(stage.recorder.open_file(ConnId(4), &to).unwrap(), Vec::<String>::new());
        let saved = format!("{:?}", stage.all_rows(ConnId(4)));
        assert!(saved.contains("bytes of the journal were lost here") && saved.contains("last"), "{saved}");
    }

    #[cfg(unix)]
    #[test]
    fn a_deleted_file_is_said_and_nothing_is_lost() {
        let stage = Stage::new();
        let folder = stage.folder.path().join("doomed");
        std::fs::create_dir(&folder).unwrap();
        let sink = stage.recorder.open(CONN, &JournalPlace::File(folder.join("a.sockeye"))).unwrap();
        handshake(&sink);
        push_frames(&sink, 0, 1_000);
        stage.settle(CONN);
        assert!(stage.recorder.view(CONN).unwrap().trouble.is_none());
        std::fs::remove_dir_all(&folder).unwrap();
        push_frames(&sink, 1_000, 1_000);
        sink.push(Fact::Finished);
        stage.settle(CONN);
        let trouble = stage.recorder.view(CONN).unwrap().trouble.clone().unwrap();
        assert!(trouble.contains("deleted or moved away"), "{trouble}");
        let rows = stage.all_rows(CONN);
        assert_eq!(rows.len(), 2_004);
        let saved = stage.recorder.rescue(CONN).unwrap();
        assert!(saved.starts_with(stage.folder.path()));
        assert_private(&saved);
        assert_eq!(stage.recorder.open_file(ConnId(4), &saved).unwrap(), Vec::<String>::new());
        assert_eq!(rows, stage.all_rows(ConnId(4)));
    }

    #[test]
    fn readers_wait_while_the_recorder_is_behind() {
        let stage = Stage::new();
        let sink = stage.recorder.open(CONN, &JournalPlace::Memory).unwrap();
        handshake(&sink);
        let task = Arc::new(Bell::default());
        let waker = Waker::from(Arc::clone(&task));
        let endless = Bytes::from_static(&[0x82, 0x7F, 0, 0, 1, 0, 0, 0, 0, 0]);
        sink.push(Fact::Bytes { direction: Direction::ServerToClient, data: endless });
        let data = Bytes::from(vec![0; 1024 * 1024]);
        for _ in 0..3 {
            while sink.poll_room(&mut Context::from_waker(&waker)).is_ready() {
                sink.push(Fact::Bytes { direction: Direction::ServerToClient, data: data.clone() });
            }
            task.until(|| sink.poll_room(&mut Context::from_waker(&waker)).is_ready().then_some(()));
        }
        sink.push(Fact::Finished);
        assert!(stage.settle(CONN).received.wire_bytes > 3 * Sink::BOUND_BYTES as u64 / 2);
    }

    #[cfg(unix)]
    fn assert_private(path: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[cfg(not(unix))]
    fn assert_private(_path: &Path) {}
}
