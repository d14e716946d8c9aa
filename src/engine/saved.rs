//! Sessions in files: the journal copied as it is, and a saved one opened.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::private_file::{create_new, is_in_use};
use super::storage::Storage;
use crate::journal::{DECODER_VERSION, Ended, Header, OtherFile, ReadError, Reader, encode_record, index_parts};
use crate::observation::{ConnId, Fact, Moment, Observation};
use crate::store::{Index, Session};

/// Why a session could not be saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// There is no such connection.
    #[error("connection {} is not known", conn.0)]
    Unknown {
        /// The connection.
        conn: ConnId,
    },
    /// The journal could not be read.
    #[error("the journal could not be read")]
    Read(#[source] ReadError),
    /// The file could not be written.
    #[error("the session could not be saved: {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Why a saved session could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenFileError {
    /// The name of the connection is in use.
    #[error("connection {} exists already", conn.0)]
    Taken {
        /// The connection.
        conn: ConnId,
    },
    /// The file could not be opened.
    #[error("the file could not be opened: {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be read, or is no journal.
    #[error("the session could not be read: {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ReadError,
    },
    /// The file is no journal.
    #[error("{what}")]
    OtherFile {
        /// What it is.
        what: OtherFile,
    },
    /// The file is written in another format.
    #[error("the session was saved in format {format} by another version of sockeye: {}", path.display())]
    OtherVersion {
        /// The file.
        path: PathBuf,
        /// The format.
        format: u16,
    },
}

/// A saved session, read.
pub(super) struct Opened {
    pub(super) storage: Arc<Storage>,
    pub(super) session: Session,
    /// The index that was kept in it.
    pub(super) kept: Option<Index>,
    pub(super) remarks: Vec<String>,
}

/// Sees a session as far as it is read, and where its rows are; may refuse it.
pub(super) type Watch<'a> = dyn FnMut(&Session, Index, &Arc<Storage>) -> Result<(), OpenFileError> + 'a;

/// Reads a saved session; `watch` sees it as far as it is read, again and again.
pub(super) fn open(conn: ConnId, path: &Path, watch: &mut Watch<'_>) -> Result<Opened, OpenFileError> {
    let failed = |source| OpenFileError::Open { path: path.to_owned(), source };
    let unreadable = |source| OpenFileError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let reader = match Reader::open(BufReader::with_capacity(READ_BYTES, file), conn) {
        Ok(reader) => reader,
        Err(ReadError::NotAJournal) => return Err(OpenFileError::OtherFile { what: other_file(path) }),
        Err(error) => return Err(unreadable(error)),
    };
    let header = reader.header().clone();
    // A handle of its own: the other one goes on reading.
    let shown = File::open(path).map_err(failed)?;
    let storage = Arc::new(Storage::in_file(header.clone(), path.to_owned(), false, shown));
    let kept = kept_index(&header, path);
    let mut session = Session::new(reader.offset());
    let mut show_at = reader.offset() + FIRST_SHOWN_BYTES;
    let reader = read_ahead(path, reader, &mut |records| {
        for Record { offset, end, seen } in records {
            session.apply(offset, end, seen.at, &seen.fact);
        }
        if session.end() >= show_at {
            show_at = session.end() + SHOWN_BYTES;
            watch(&session, kept.clone().unwrap_or_else(|| session.index()), &storage)?;
        }
        Ok(())
    })?;
    if let Some(Ended::OtherVersion { format }) = reader.ended() {
        return Err(OpenFileError::OtherVersion { path: path.to_owned(), format: *format });
    }
    session.end_if_open();
    let remarks = remarks(&header, reader.ended(), reader.unknown_records(), is_in_use(path));
    Ok(Opened { storage, session, kept, remarks })
}

/// The index that is kept in a journal, if it is there and can be right.
fn kept_index(header: &Header, path: &Path) -> Option<Index> {
    let mut file = File::open(path).ok().filter(|_| header.is_intact && header.decoder == DECODER_VERSION)?;
    let (parts, at) = index_parts(&mut file)?;
    Index::from_parts(&parts).filter(|index| index.end <= at)
}

/// A record of a journal.
struct Record {
    offset: u64,
    end: u64,
    seen: Observation,
}

/// Reads all records on a thread of its own, while `take` takes those that were read; gives the reader back.
fn read_ahead<R: Read + Send>(
    path: &Path,
    mut reader: Reader<R>,
    take: &mut dyn FnMut(Vec<Record>) -> Result<(), OpenFileError>,
) -> Result<Reader<R>, OpenFileError> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BATCHES);
        let reading = move || {
            loop {
                let batch = read_batch(&mut reader)?;
                // Nobody takes them any more: what was found out so far ends it.
                if batch.is_empty() || sender.send(batch).is_err() {
                    return Ok(reader);
                }
            }
        };
        let thread = std::thread::Builder::new().name("job-read".to_owned()).spawn_scoped(scope, reading);
        let thread = thread.map_err(|source| OpenFileError::Open { path: path.to_owned(), source })?;
        for batch in receiver {
            take(batch)?;
        }
        let read = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        read.map_err(|source| OpenFileError::Read { path: path.to_owned(), source })
    })
}

/// The next records; none at the end.
fn read_batch<R: Read>(reader: &mut Reader<R>) -> Result<Vec<Record>, ReadError> {
    let mut batch = Vec::new();
    let began = reader.offset();
    while reader.offset() - began < READ_BYTES as u64
        && let Some(read) = reader.next()
    {
        let (offset, seen) = read?;
        batch.push(Record { offset, end: reader.offset(), seen });
    }
    Ok(batch)
}

/// What a file is that is no journal.
fn other_file(path: &Path) -> OtherFile {
    let mut head = Vec::new();
    // What cannot be read a second time is not looked into.
    if let Ok(file) = File::open(path) {
        file.take(OtherFile::HEAD_BYTES as u64).read_to_end(&mut head).ok();
    }
    OtherFile::of(&head)
}

/// Bytes that are read at a time.
const READ_BYTES: usize = 256 * 1024;
/// So often they are read ahead.
const BATCHES: usize = 8;
/// After so many bytes the beginning of a session is shown …
const FIRST_SHOWN_BYTES: u64 = 512 * 1024;
/// … and again after each so many.
const SHOWN_BYTES: u64 = 64 * 1024 * 1024;

/// What a user should know about a file that was opened.
fn remarks(header: &Header, ended: Option<&Ended>, unknown_records: u64, is_in_use: bool) -> Vec<String> {
    let mut out = Vec::new();
    match ended {
        Some(Ended::Unfinished) if is_in_use => {
            out.push("the session is unfinished: it is being recorded; what came until now is here".to_owned());
        }
        Some(Ended::Clean | Ended::OtherVersion { .. }) | None => {}
        Some(Ended::Unfinished) => {
            out.push("the session is unfinished: sockeye ended while it recorded".to_owned());
        }
        Some(Ended::Torn { at, why }) => {
            out.push(format!("from byte {at} on the file cannot be read: {why}; everything before it is here"));
        }
    }
    if !header.is_intact {
        out.push("the beginning of the file is damaged; dates and versions may be wrong".to_owned());
    }
    if header.decoder != DECODER_VERSION {
        out.push(format!("recorded with sockeye {}, which may have counted rows otherwise", header.sockeye));
    }
    if unknown_records > 0 {
        out.push(format!("{unknown_records} records of another version of sockeye are left out"));
    }
    out
}

/// Copies a journal up to `end` to a file that only its owner may read, which replaces another once it is whole.
pub(super) fn save_copy(storage: &Arc<Storage>, end: u64, to: &Path) -> Result<u64, SaveError> {
    if storage.path().is_some_and(|path| is_same(path, to)) {
        let len = std::fs::metadata(to).map(|m| m.len());
        return len.map_err(|source| SaveError::Write { path: to.to_owned(), source });
    }
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let part = to.with_file_name(name);
    let failed = |source| SaveError::Write { path: to.to_owned(), source };
    let mut file = create_new(&part).map_err(failed)?;
    let copied = copy(storage, end, &mut file).and_then(|len| {
        file.sync_all().and_then(|()| std::fs::rename(&part, to)).map_err(failed)?;
        Ok(len)
    });
    if copied.is_err() {
        // Nothing more can be done about it.
        std::fs::remove_file(&part).ok();
    }
    copied.map_err(|error| match error {
        SaveError::Write { source, .. } => failed(source),
        SaveError::Unknown { .. } | SaveError::Read(_) => error,
    })
}

fn copy(storage: &Arc<Storage>, end: u64, file: &mut File) -> Result<u64, SaveError> {
    let Some((gap, gap_end)) = storage.gap() else {
        return copy_bytes(&mut storage.reader().take(end), file);
    };
    // A journal that was in memory alone has lost its header, too.
    let mut len = if gap == 0 {
        let header = storage.header().to_bytes();
        write(file, &header)?;
        header.len() as u64
    } else {
        copy_bytes(&mut storage.reader().take(gap), file)?
    };
    let missing = gap_end.saturating_sub(gap);
    let text =
        format!("{missing} bytes of the journal were lost here; bytes after them are left out, other facts are not");
    let mut record = Vec::new();
    let mut reader = storage.reader();
    reader.seek(SeekFrom::Start(gap_end)).map_err(|source| unread(gap_end, source))?;
    let mut rest =
        Reader::resume(BufReader::new(reader.take(end.saturating_sub(gap_end))), ConnId(0), gap_end).peekable();
    let at = match rest.peek() {
        Some(Ok((_, first))) => first.at,
        Some(Err(_)) | None => Moment::default(),
    };
    let note = Observation { conn: ConnId(0), at, fact: Fact::Note { text } };
    for found in std::iter::once(Ok((gap_end, note))).chain(rest) {
        let (_, Observation { at, fact, .. }) = found.map_err(SaveError::Read)?;
        if fact.is_row() || fact == Fact::Finished {
            record.clear();
            encode_record(at, &fact, &mut record).map_err(unwritten)?;
            write(file, &record)?;
            len += record.len() as u64;
        }
    }
    Ok(len)
}

fn copy_bytes(reader: &mut impl Read, file: &mut File) -> Result<u64, SaveError> {
    let mut buffer = vec![0; 1024 * 1024];
    let mut len = 0;
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(len),
            Ok(more) => {
                write(file, &buffer[..more])?;
                len += more as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(source) => return Err(unread(len, source)),
        }
    }
}

fn write(file: &mut File, bytes: &[u8]) -> Result<(), SaveError> {
    file.write_all(bytes).map_err(unwritten)
}

fn unwritten(source: io::Error) -> SaveError {
    SaveError::Write { path: PathBuf::new(), source }
}

fn unread(offset: u64, source: io::Error) -> SaveError {
    SaveError::Read(ReadError::Read { offset, source })
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
