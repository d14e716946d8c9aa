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
        if !POOLED_BYTES.contains(&bytes.len()) {
            return Bytes::copy_from_slice(bytes);
        }
        let mut buffer = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
        buffer.extend_from_slice(bytes);
        Bytes::from_owner(Pooled { buffer, pool: Arc::clone(self) })
    }
}

struct Pooled {
    buffer: Vec<u8>,
    pool: Arc<Pool>,
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < FREE_BUFFERS {
            self.buffer.clear();
            free.push(std::mem::take(&mut self.buffer));
        }
    }
}

/// Shorter bytes are cheap to allocate, longer ones are rare.
const POOLED_BYTES: std::ops::RangeInclusive<usize> = 8 * 1024..=256 * 1024;
/// So many are kept; with the usual reads of 128 KiB that is 4 MiB.
const FREE_BUFFERS: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_and_are_used_again() {
        let pool = Arc::new(Pool::default());
        let one = pool.copy(&vec![1; 20_000]);
        let slice = one.slice(10..20);
        drop(one);
        assert!(pool.free.lock().unwrap().is_empty());
        let place = slice.as_ptr() as usize - 10;
        drop(slice);
        let other = pool.copy(&[2; 9_000]);
        assert_eq!((other.as_ptr() as usize, &other[..]), (place, [2; 9_000].as_slice()));
        drop((0..100).map(|_| pool.copy(&[3; 10_000])).collect::<Vec<_>>());
        assert_eq!(pool.free.lock().unwrap().len(), FREE_BUFFERS);
    }
}
