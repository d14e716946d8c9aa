//! Where the bytes of one journal are: a file, memory, or a file and then memory.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::journal::Header;

/// The bytes of one journal, for all who read them; offsets are the same wherever they are.
#[derive(Debug)]
pub(super) struct Storage {
    header: Header,
    path: Option<PathBuf>,
    is_unnamed: bool,
    file: Option<Mutex<File>>,
    memory: Mutex<Memory>,
}

/// The newest bytes, where there is no file to take them.
#[derive(Debug, Default)]
struct Memory {
    began: Option<u64>,
    segments: VecDeque<Segment>,
    end: u64,
    held: usize,
    lost: u64,
}

/// Whole records.
#[derive(Debug)]
struct Segment {
    offset: u64,
    bytes: Vec<u8>,
}

impl Storage {
    /// So much is kept in memory; the oldest falls out.
    pub(super) const MEMORY_BYTES: usize = 64 * 1024 * 1024;

    /// A journal in a file, of which `file` is a handle to read by.
    pub(super) fn in_file(header: Header, path: PathBuf, is_unnamed: bool, file: File) -> Self {
        let file = Some(Mutex::new(file));
        Self { header, path: Some(path), is_unnamed, file, memory: Mutex::default() }
    }

    /// A journal in memory.
    pub(super) fn in_memory(header: Header) -> Self {
        let storage = Self { header, path: None, is_unnamed: false, file: None, memory: Mutex::default() };
        storage.begin_memory(0);
        let header = storage.header.to_bytes();
        let mut memory = storage.lock();
        memory.segments.push_back(Segment { offset: 0, bytes: header.to_vec() });
        memory.held = header.len();
        memory.end = header.len() as u64;
        drop(memory);
        storage
    }

    /// The journal's header.
    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    /// The file, if there is one.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Whether there should be a file, and there is none in its place.
    pub(super) fn is_file_gone(&self) -> bool {
        self.path.as_deref().is_some_and(|path| matches!(path.try_exists(), Ok(false)))
    }

    /// Removes the file, if nobody gave it a name.
    pub(super) fn discard(&self) {
        if self.is_unnamed
            && let Some(path) = &self.path
            && let Err(error) = std::fs::remove_file(path)
        {
            tracing::warn!(%error, "an unnamed journal could not be removed");
        }
    }

    /// From `offset` on everything goes to memory.
    pub(super) fn begin_memory(&self, offset: u64) {
        let mut memory = self.lock();
        memory.began.get_or_insert(offset);
        memory.end = memory.end.max(offset);
    }

    /// Keeps whole records in memory, which `write` appends to a buffer; gives where they begin and end.
    ///
    /// After an error the buffer must be as it was.
    pub(super) fn append(&self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<Range<u64>> {
        self.lock().append(write)
    }

    /// How many bytes have fallen out of memory.
    pub(super) fn lost_bytes(&self) -> u64 {
        self.lock().lost
    }

    /// Where the bytes end that fell out, if any did, and where they began.
    pub(super) fn gap(&self) -> Option<(u64, u64)> {
        let memory = self.lock();
        let began = memory.began?;
        (memory.lost > 0).then(|| (began, memory.first()))
    }

    /// A reader of its own, at the journal's beginning.
    pub(super) fn reader(self: &Arc<Self>) -> StorageReader {
        StorageReader { storage: Arc::clone(self), position: 0 }
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let in_file = {
            let memory = self.lock();
            match memory.began {
                Some(began) if position >= began => return memory.read_at(position, buffer),
                Some(began) => began - position,
                None => u64::MAX,
            }
        };
        let Some(file) = &self.file else {
            return Ok(0);
        };
        let len = usize::try_from(in_file).map_or(buffer.len(), |left| left.min(buffer.len()));
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(position))?;
        file.read(&mut buffer[..len])
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    fn first(&self) -> u64 {
        self.segments.front().map_or(self.end, |s| s.offset)
    }

    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<Range<u64>> {
        let start = self.end;
        if self.segments.back().is_none_or(|s| s.bytes.len() >= SEGMENT_BYTES) {
            let bytes = self.drop_oldest().unwrap_or_default();
            self.segments.push_back(Segment { offset: start, bytes });
        }
        if let Some(Segment { bytes, .. }) = self.segments.back_mut() {
            let before = bytes.len();
            write(bytes)?;
            let len = bytes.len() - before;
            self.held += len;
            self.end += len as u64;
        }
        Ok(start..self.end)
    }

    /// Makes room for a segment if need be; gives the buffer of the last one dropped, empty.
    fn drop_oldest(&mut self) -> Option<Vec<u8>> {
        let mut free = None;
        while self.held + SEGMENT_BYTES > Storage::MEMORY_BYTES
            && let Some(mut oldest) = self.segments.pop_front()
        {
            self.held -= oldest.bytes.len();
            self.lost += oldest.bytes.len() as u64;
            oldest.bytes.clear();
            free = Some(oldest.bytes);
        }
        free
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if position < self.first() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "these bytes have fallen out of memory"));
        }
        let number = self.segments.partition_point(|s| s.offset <= position).saturating_sub(1);
        let Some(segment) = self.segments.get(number) else {
            return Ok(0);
        };
        let bytes = usize::try_from(position - segment.offset).ok().and_then(|at| segment.bytes.get(at..));
        let bytes = bytes.unwrap_or_default();
        let len = bytes.len().min(buffer.len());
        buffer[..len].copy_from_slice(&bytes[..len]);
        Ok(len)
    }
}

/// Reads a journal wherever it is.
#[derive(Debug)]
pub(super) struct StorageReader {
    storage: Arc<Storage>,
    position: u64,
}

impl Read for StorageReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.storage.read_at(self.position, buffer)?;
        self.position += len as u64;
        Ok(len)
    }
}

impl Seek for StorageReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(_) => None,
        };
        self.position = to.ok_or(io::ErrorKind::Unsupported)?;
        Ok(self.position)
    }
}

/// A segment ends with the record in which it gets so long.
const SEGMENT_BYTES: usize = 1024 * 1024;
