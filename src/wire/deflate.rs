//! Compresses the messages that we send (RFC 7692 §7.2.1).

use flate2::{Compress, Compression, FlushCompress};

use super::inflate::WINDOW_BYTES;

/// Compresses messages, one after the other.
#[derive(Debug)]
pub struct Deflater {
    raw: Compress,
    takeover: bool,
    /// The end of what was compressed.
    recent: Vec<u8>,
    is_broken: bool,
}

impl Deflater {
    /// A compressor whose window has so many bits.
    ///
    /// `None` for 8 bits, which the library cannot do: such messages are sent as they are, as RFC 7692 §6 allows.
    pub fn new(window_bits: u8, takeover: bool) -> Option<Self> {
        (9..=15).contains(&window_bits).then(|| Self {
            raw: Compress::new_with_window_bits(Compression::default(), false, window_bits),
            takeover,
            recent: Vec::new(),
            is_broken: false,
        })
    }

    /// Compresses a whole message; `None` if it has to be sent as it is.
    pub fn message(&mut self, payload: &[u8]) -> Option<Vec<u8>> {
        if self.is_broken {
            return None;
        }
        let mut out = Vec::with_capacity(payload.len() / 2 + 64);
        let mut rest = payload;
        loop {
            if out.capacity() - out.len() < 64 {
                out.reserve(4096);
            }
            let before = self.raw.total_in();
            if self.raw.compress_vec(rest, &mut out, FlushCompress::Sync).is_err() {
                debug_assert!(false, "the compressor is used as it should be");
                self.is_broken = true;
                return None;
            }
            rest = rest.get((self.raw.total_in() - before) as usize..).unwrap_or(&[]);
            // Room is left: everything has been flushed.
            if rest.is_empty() && out.len() < out.capacity() {
                break;
            }
        }
        if out.ends_with(&[0, 0, 0xFF, 0xFF]) {
            out.truncate(out.len() - 4);
        }
        if out.is_empty() {
            out.push(0);
        }
        self.remember(payload);
        Some(out)
    }

    /// What later messages may look back into, at most [`WINDOW_BYTES`].
    pub fn window(&self) -> &[u8] {
        &self.recent[self.recent.len().saturating_sub(WINDOW_BYTES)..]
    }

    fn remember(&mut self, payload: &[u8]) {
        if !self.takeover {
            self.raw.reset();
            return;
        }
        self.recent.extend_from_slice(&payload[payload.len().saturating_sub(WINDOW_BYTES)..]);
        if self.recent.len() > 4 * WINDOW_BYTES {
            self.recent.drain(..self.recent.len() - WINDOW_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7692 §7.2.3.1 and §7.2.3.2.
    #[test]
    fn examples_of_the_rfc() {
        let first = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        let mut with_takeover = Deflater::new(15, true).unwrap();
        assert_eq!(with_takeover.message(b"Hello").unwrap(), first);
        assert_eq!(with_takeover.message(b"Hello").unwrap(), [0xf2, 0x00, 0x11, 0x00, 0x00]);
        let mut without = Deflater::new(15, false).unwrap();
        assert_eq!([without.message(b"Hello").unwrap(), without.message(b"Hello").unwrap()], [first, first]);
        assert!(without.window().is_empty());
        assert_eq!(with_takeover.message(b"").unwrap(), [0x00]);
    }

    #[test]
    fn a_window_of_8_bits_is_not_promised() {
        assert!(Deflater::new(8, true).is_none());
        assert!(Deflater::new(16, true).is_none());
    }
}
