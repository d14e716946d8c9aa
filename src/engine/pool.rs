//! Buffers for bytes on their way to the recorder, used again and again: fresh ones would cost a page fault each 4 KiB.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// Buffers that nobody uses at the moment.
#[derive(Default)]
pub(super) struct Pool {
    free: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// A copy of these bytes; its buffer comes back here when its last handle is dropped.
    pub(super) fn copy(self: &Arc<Self>, bytes: &[u8]) -> Bytes {
        if !(LONG_BYTES..=BUFFER_BYTES).contains(&bytes.len()) {
            return Bytes::copy_from_slice(bytes);
        }
        let mut buffer = self.buffer();
        if let Some(room) = buffer.room().get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
        }
        buffer.into_bytes(bytes.len())
    }

    /// A buffer to read into.
    pub(super) fn buffer(self: &Arc<Self>) -> Buffer {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Buffer { bytes: free.unwrap_or_else(|| vec![0; BUFFER_BYTES]), len: 0, pool: Arc::clone(self) }
    }
}

/// A buffer of a pool, to which it goes back.
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    len: usize,
    pool: Arc<Pool>,
}

impl Buffer {
    /// All its room, with whatever was there before.
    pub(crate) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// Its first `len` bytes, without a copy unless they are few: those must not hold a whole buffer.
    pub(crate) fn into_bytes(mut self, len: usize) -> Bytes {
        self.len = len.min(self.bytes.len());
        if self.len < LONG_BYTES { Bytes::copy_from_slice(self.as_ref()) } else { Bytes::from_owner(self) }
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < FREE_BUFFERS {
            free.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// What is read at a time.
const BUFFER_BYTES: usize = 128 * 1024;
/// Shorter bytes are cheap to allocate.
const LONG_BYTES: usize = BUFFER_BYTES / 2;
/// So many are kept: 4 MiB.
const FREE_BUFFERS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_and_are_used_again() {
        let pool = Arc::new(Pool::default());
        let one = pool.copy(&vec![1; 70_000]);
        let slice = one.slice(10..20);
        drop(one);
        assert!(pool.free.lock().unwrap().is_empty());
        let place = slice.as_ptr() as usize - 10;
        drop(slice);
        let other = pool.copy(&vec![2; 69_000]);
        assert_eq!((other.as_ptr() as usize, &other[..]), (place, vec![2; 69_000].as_slice()));
        drop((0..100).map(|_| pool.copy(&vec![3; 100_000])).collect::<Vec<_>>());
        assert_eq!(pool.free.lock().unwrap().len(), FREE_BUFFERS);
    }

    #[test]
    fn few_bytes_hold_no_buffer() {
        let pool = Arc::new(Pool::default());
        let mut buffer = pool.buffer();
        buffer.room()[..3].copy_from_slice(b"abc");
        let few = buffer.into_bytes(3);
        assert_eq!((&few[..], pool.free.lock().unwrap().len()), (b"abc".as_slice(), 1));
        assert_eq!(pool.copy(&vec![5; 200_000]).len(), 200_000);
    }
}
