//! Follows a server's log file: from its end on, through rotation, truncation and late appearance.

use std::fs::Metadata;
use std::io::{ErrorKind, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::lines::{Encoding, Lines};
use super::outlet::Outlet;
use crate::diagnosis::console::still_holding;

/// How often the file is looked at.
const POLL: Duration = Duration::from_millis(100);
/// How much of what was written before is read for lines that still hold.
const EARLIER_BYTES: u64 = 64 * 1024;
/// How much is read at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many of the last bytes are remembered, to notice that a file was truncated and written anew.
const LAST_BYTES: usize = 64;
/// How long opening the file may hold up the connection: a pipe waits for its writer.
const OPEN_LIMIT: Duration = Duration::from_millis(500);
/// How long lines may take from the server to the file after a connection has ended.
pub(super) const LATE: Duration = Duration::from_millis(250);
/// How long the last look may take.
pub(super) const LAST_LIMIT: Duration = Duration::from_millis(300);

/// A log file whose lines go into a session; dropping it ends that.
pub(crate) struct FileLane {
    /// Asks for a last look and the line that has not ended; closed to stop.
    asks: mpsc::Sender<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl FileLane {
    /// Begins to follow; earlier lines that still hold are pushed before this returns.
    pub(crate) async fn start(path: PathBuf, outlet: Outlet) -> Self {
        let mut follower = Follower::new(path, outlet);
        // What could not be opened in time is opened by the first look.
        timeout(OPEN_LIMIT, follower.begin()).await.ok();
        let (asks, inbox) = mpsc::channel(1);
        Self { asks, task: tokio::spawn(follower.run(inbox)) }
    }

    /// Waits until what the server wrote at the end has had time to arrive, and is told.
    pub(crate) async fn settle(&self) {
        sleep(LATE).await;
        self.catch_up().await;
    }

    /// Takes a last look and ends.
    pub(crate) async fn finish(self) {
        self.catch_up().await;
    }

    /// Takes a last look, and tells the line that has not ended.
    pub(super) async fn catch_up(&self) {
        let (done, told) = oneshot::channel();
        let asked = async {
            if self.asks.send(done).await.is_ok() {
                // The lane has gone if nobody answers.
                told.await.ok();
            }
        };
        // A file that is written faster than it can be read must not hold up the verdict.
        timeout(LAST_LIMIT * 2, asked).await.ok();
    }
}

impl Drop for FileLane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Follower {
    path: PathBuf,
    outlet: Outlet,
    open: Option<Open>,
    /// The file that stood there before: a server may write on into it for a while.
    moved_away: Option<Open>,
    /// Whether it is known what was there before: a file that appears later is read from its first byte.
    begun: bool,
    /// The trouble that was told last, so that it is told once.
    told: Option<ErrorKind>,
}

/// The file as it was opened.
struct Open {
    file: File,
    identity: Identity,
    is_regular: bool,
    read_to: u64,
    /// The last bytes before that: if others stand there, the file was truncated and written anew.
    last: Vec<u8>,
    /// When it was written last, as far as the system tells.
    modified: Option<SystemTime>,
    lines: Lines,
}

impl Open {
    /// Remembers where reading stands, and what was read last.
    fn has_read(&mut self, bytes: &[u8]) {
        self.read_to += bytes.len() as u64;
        self.last.extend_from_slice(bytes.get(bytes.len().saturating_sub(LAST_BYTES)..).unwrap_or(bytes));
        let excess = self.last.len().saturating_sub(LAST_BYTES);
        self.last.drain(..excess);
    }
}

impl Follower {
    fn new(path: PathBuf, outlet: Outlet) -> Self {
        Self { path, outlet, open: None, moved_away: None, begun: false, told: None }
    }

    async fn run(mut self, mut asks: mpsc::Receiver<oneshot::Sender<()>>) {
        loop {
            let done = tokio::select! {
                biased;
                ask = asks.recv() => match ask {
                    Some(done) => done,
                    None => return,
                },
                () = async { self.look().await; sleep(POLL).await; } => continue,
            };
            let is_behind = timeout(LAST_LIMIT, self.look()).await.is_err();
            if is_behind && self.open.as_ref().is_some_and(|open| open.is_regular) {
                self.note("is written faster than it can be read; its newest lines are missing here");
            }
            self.end_line();
            // Who asked may have given up waiting.
            done.send(()).ok();
        }
    }

    /// Goes to the end of what is there, and tells which of the last lines still hold.
    async fn begin(&mut self) {
        let mut open = match self.open_at_start().await {
            Ok(open) => open,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.begun = true;
                return;
            }
            Err(error) => return self.trouble(&error),
        };
        if open.is_regular
            && let Err(error) = self.skip_to_end(&mut open).await
        {
            return self.trouble(&error);
        }
        self.begun = true;
        self.open = Some(open);
    }

    async fn skip_to_end(&self, open: &mut Open) -> std::io::Result<()> {
        let len = open.file.metadata().await?.len();
        let from = len.saturating_sub(EARLIER_BYTES) & !1;
        open.file.seek(SeekFrom::Start(from)).await?;
        let mut bytes = Vec::new();
        (&mut open.file).take(len - from).read_to_end(&mut bytes).await?;
        open.read_to = from;
        open.has_read(&bytes);
        let mut earlier = Vec::new();
        open.lines.push(&bytes, &mut |line| earlier.push(line));
        let earlier = if from > 0 { earlier.get(1..).unwrap_or(&[]) } else { &earlier };
        for text in still_holding(earlier) {
            self.outlet.line(text.to_owned());
        }
        Ok(())
    }

    async fn open_at_start(&self) -> std::io::Result<Open> {
        let mut file = File::open(&self.path).await?;
        let metadata = file.metadata().await?;
        if metadata.is_dir() {
            return Err(ErrorKind::IsADirectory.into());
        }
        let is_regular = metadata.is_file();
        let mut encoding = Encoding::default();
        if is_regular {
            let mut mark = Vec::new();
            (&mut file).take(2).read_to_end(&mut mark).await?;
            encoding = Encoding::of(&mark);
            file.seek(SeekFrom::Start(0)).await?;
        }
        let lines = Lines::new(encoding);
        Ok(Open {
            file,
            identity: Identity::of(&metadata),
            is_regular,
            read_to: 0,
            last: Vec::new(),
            modified: None,
            lines,
        })
    }

    /// Reads what is new, in the file that is open and in the one that has taken its place.
    async fn look(&mut self) {
        if !self.begun {
            return self.begin().await;
        }
        if let Err(error) = read_on(&self.outlet, &mut self.moved_away).await {
            self.trouble(&error);
            self.moved_away = None;
        }
        match self.was_written_anew().await {
            Ok(true) => self.begin_anew().await,
            Ok(false) => self.read_on().await,
            Err(error) => self.trouble(&error),
        }
        if self.open.as_ref().is_some_and(|open| !open.is_regular) {
            return;
        }
        let metadata = match fs::metadata(&self.path).await {
            Ok(metadata) => metadata,
            // Not written yet, or moved away: what is open is read on.
            Err(error) if error.kind() == ErrorKind::NotFound => return,
            Err(error) => return self.trouble(&error),
        };
        let is_same = self.open.as_ref().is_some_and(|open| open.identity == Identity::of(&metadata));
        if is_same {
            return;
        }
        match self.open_at_start().await {
            Ok(open) => {
                end_line(&self.outlet, &mut self.moved_away);
                self.moved_away = self.open.replace(open);
                self.told = None;
                self.read_on().await;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.trouble(&error),
        }
    }

    /// Whether the open file was truncated since the last look, even if it has grown beyond its old length again.
    async fn was_written_anew(&mut self) -> std::io::Result<bool> {
        let Some(open) = self.open.as_mut().filter(|open| open.is_regular) else {
            return Ok(false);
        };
        let metadata = open.file.metadata().await?;
        let modified = metadata.modified().ok();
        let is_untouched = metadata.len() == open.read_to && modified.is_some() && modified == open.modified;
        if metadata.len() < open.read_to || is_untouched {
            return Ok(!is_untouched);
        }
        open.modified = modified;
        open.file.seek(SeekFrom::Start(open.read_to - open.last.len() as u64)).await?;
        let mut seen = vec![0; open.last.len()];
        match open.file.read_exact(&mut seen).await {
            Ok(_) => Ok(seen != open.last),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Reads a file that was truncated from its beginning.
    async fn begin_anew(&mut self) {
        end_line(&self.outlet, &mut self.open);
        self.open = None;
        self.note("was truncated; it is read from its beginning");
        match self.open_at_start().await {
            Ok(open) => {
                self.open = Some(open);
                self.read_on().await;
            }
            // It was moved away in the meantime; the next look finds what has taken its place.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => self.trouble(&error),
        }
    }

    async fn read_on(&mut self) {
        if let Err(error) = read_on(&self.outlet, &mut self.open).await {
            self.trouble(&error);
        }
    }

    fn end_line(&mut self) {
        end_line(&self.outlet, &mut self.moved_away);
        end_line(&self.outlet, &mut self.open);
    }

    fn trouble(&mut self, error: &std::io::Error) {
        if self.told.replace(error.kind()) != Some(error.kind()) {
            self.note(&format!("cannot be read: {error}"));
        }
    }

    fn note(&self, what: &str) {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy();
        self.outlet.note(format!("The server's log {name} {what}"));
    }
}

/// Reads an open file to its end, as far as there is room.
async fn read_on(outlet: &Outlet, open: &mut Option<Open>) -> std::io::Result<()> {
    let Some(open) = open else {
        return Ok(());
    };
    if open.is_regular {
        // A look that was cut short may have left the file anywhere.
        open.file.seek(SeekFrom::Start(open.read_to)).await?;
    }
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        outlet.room().await;
        let read = open.file.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let bytes = buffer.get(..read).unwrap_or(&[]);
        open.has_read(bytes);
        open.lines.push(bytes, &mut |text| outlet.line(text));
    }
}

fn end_line(outlet: &Outlet, open: &mut Option<Open>) {
    if let Some(open) = open {
        open.lines.finish(&mut |text| outlet.line(text));
    }
}

/// What tells a file from another that has taken its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
    #[cfg(not(unix))]
    created: Option<std::time::SystemTime>,
}

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self { device_and_inode: (metadata.dev(), metadata.ino()) }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        Self { created: metadata.created().ok() }
    }
}
