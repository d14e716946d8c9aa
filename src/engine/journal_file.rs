//! The file that a journal is written to: a long one takes room ahead, which makes appending to it cheaper.

use std::fs::File;
use std::io::{self, IoSlice, Write};

/// A file that only grows at its end.
///
/// Room that was taken ahead is not part of its length, and is given back when it is closed; what a killed process leaves
/// is given back when the file is removed or copied.
#[derive(Debug)]
pub(super) struct JournalFile {
    file: File,
    /// Where it ends.
    end: u64,
    /// Up to where there is room.
    room: u64,
    /// Whether room can be taken ahead, as far as is known.
    takes_room: bool,
}

impl JournalFile {
    /// An empty file.
    pub(super) fn new(file: File) -> Self {
        Self { file, end: 0, room: 0, takes_room: true }
    }

    fn has_grown(&mut self, len: usize) {
        self.end += len as u64;
        if self.takes_room && self.end >= LONG_BYTES && self.end + LEAST_ROOM_BYTES > self.room {
            let from = self.room.max(self.end);
            self.takes_room = take_room(&self.file, from, ROOM_BYTES);
            self.room = from + ROOM_BYTES;
        }
    }
}

impl Write for JournalFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let len = self.file.write(buffer)?;
        self.has_grown(len);
        Ok(len)
    }

    fn write_vectored(&mut self, buffers: &[IoSlice<'_>]) -> io::Result<usize> {
        let len = self.file.write_vectored(buffers)?;
        self.has_grown(len);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for JournalFile {
    fn drop(&mut self) {
        if self.room > self.end
            && let Ok(about) = self.file.metadata()
        {
            // A length that stays the same gives back what lies behind it; somebody else may have cut the file.
            if let Err(error) = self.file.set_len(about.len()) {
                tracing::debug!(%error, "the room behind a journal could not be given back");
            }
        }
    }
}

/// Takes room behind the end of a file; `false` where the file system cannot, or has none left.
#[cfg(target_os = "linux")]
fn take_room(file: &File, from: u64, len: u64) -> bool {
    use rustix::fs::{FallocateFlags, fallocate};
    let taken = fallocate(file, FallocateFlags::KEEP_SIZE, from, len);
    if let Err(error) = &taken {
        tracing::debug!(%error, "no room can be taken ahead for a journal");
    }
    taken.is_ok()
}

/// Takes no room: not known how.
#[cfg(not(target_os = "linux"))]
fn take_room(_file: &File, _from: u64, _len: u64) -> bool {
    false
}

/// Shorter files take no room ahead.
const LONG_BYTES: u64 = 4 * 1024 * 1024;
/// So much room is taken at a time …
const ROOM_BYTES: u64 = 32 * 1024 * 1024;
/// … when less than this is left.
const LEAST_ROOM_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn room_taken_ahead_is_no_part_of_the_file_and_is_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sockeye");
        let mut file = JournalFile::new(File::create(&path).unwrap());
        let block = vec![7; 1024 * 1024];
        for written in 1..=40 {
            file.write_all(&block).unwrap();
            assert_eq!(path.metadata().unwrap().len(), written * 1024 * 1024);
        }
        assert!(!file.takes_room || file.room >= file.end + LEAST_ROOM_BYTES);
        drop(file);
        let about = path.metadata().unwrap();
        assert_eq!(about.len(), 40 * 1024 * 1024);
        assert!(about.blocks() * 512 < about.len() + LEAST_ROOM_BYTES, "{} blocks", about.blocks());
        assert!(std::fs::read(&path).unwrap().iter().all(|byte| *byte == 7));
    }

    #[test]
    fn a_file_that_was_cut_is_not_made_longer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sockeye");
        let mut file = JournalFile::new(File::create(&path).unwrap());
        file.write_all(&vec![7; 5 * 1024 * 1024]).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(100).unwrap();
        drop(file);
        assert_eq!(path.metadata().unwrap().len(), 100);
    }
}
