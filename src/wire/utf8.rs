//! UTF-8 judged piece by piece, so that a message need not be kept to be judged (RFC 6455 §8.1).

use serde::{Deserialize, Serialize};

use super::decoder::MAX_NUMBER;

/// Judges UTF-8 over any cut of the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Utf8Checker {
    pending: [u8; 4],
    pending_len: u8,
    seen: u64,
    bad: bool,
}

impl Utf8Checker {
    /// Takes the next piece; gives the offset of the first wrong byte, once.
    pub fn push(&mut self, mut piece: &[u8]) -> Option<u64> {
        if self.bad {
            return None;
        }
        while self.pending_len > 0 {
            let &byte = piece.first()?;
            let len = usize::from(self.pending_len);
            self.pending[len] = byte;
            match std::str::from_utf8(&self.pending[..=len]) {
                Ok(_) => {
                    self.pending_len = 0;
                    self.seen += len as u64 + 1;
                    piece = &piece[1..];
                }
                Err(error) if error.error_len().is_none() && len < 3 => {
                    self.pending_len += 1;
                    piece = &piece[1..];
                }
                Err(_) => return Some(self.fail()),
            }
        }
        // Most text is, and to see that takes a fraction of the time.
        if is_ascii(piece) {
            self.seen += piece.len() as u64;
            return None;
        }
        match std::str::from_utf8(piece) {
            Ok(_) => {
                self.seen += piece.len() as u64;
                None
            }
            Err(error) => {
                let good = error.valid_up_to();
                self.seen += good as u64;
                let rest = &piece[good..];
                if error.error_len().is_some() || rest.len() > 3 {
                    return Some(self.fail());
                }
                self.pending[..rest.len()].copy_from_slice(rest);
                self.pending_len = rest.len() as u8;
                None
            }
        }
    }

    /// Whether some text leads to this state; for one that was read from a file.
    pub(super) fn is_plausible(&self) -> bool {
        self.pending_len <= 3 && self.seen <= MAX_NUMBER
    }

    /// Ends the text; gives the offset of a character that was cut off.
    pub fn finish(&mut self) -> Option<u64> {
        if self.bad || self.pending_len == 0 {
            return None;
        }
        Some(self.fail())
    }

    fn fail(&mut self) -> u64 {
        self.bad = true;
        self.seen
    }
}

/// Whether all bytes are ASCII; for pieces of a hundred bytes several times faster than the standard library.
fn is_ascii(piece: &[u8]) -> bool {
    let Some(last) = piece.last_chunk::<16>() else {
        return piece.iter().fold(0, |all, byte| all | byte) < 0x80;
    };
    // The last chunk overlaps with the one before it.
    let (chunks, _) = piece.as_chunks::<16>();
    let all = chunks.iter().fold(u128::from_ne_bytes(*last), |all, chunk| all | u128::from_ne_bytes(*chunk));
    all & u128::from_ne_bytes([0x80; 16]) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Option<u64>) {
        for cut in 1..=bytes.len().max(1) {
            let mut checker = Utf8Checker::default();
            let mut found = None;
            for piece in bytes.chunks(cut) {
                found = found.or(checker.push(piece));
            }
            found = found.or(checker.finish());
            assert_eq!(found, expected, "{bytes:02x?} cut by {cut}");
        }
    }

    #[test]
    fn one_byte_beyond_ascii_is_seen_wherever_it_is() {
        for len in 0..70 {
            let mut piece = vec![0x7F; len];
            assert!(is_ascii(&piece));
            for at in 0..len {
                piece[at] = 0x80;
                assert!(!is_ascii(&piece), "{at} of {len}");
                piece[at] = b'a';
            }
        }
    }

    #[test]
    fn any_cut_gives_the_same_answer() {
        check("κόσμε €😀 plain".as_bytes(), None);
        check(b"", None);
        check(b"ab\xff", Some(2));
        check(b"ab\xed\xa0\x80", Some(2));
        check(b"\xf0\x9f\x98", Some(0));
        check(b"ok \xce", Some(3));
        check(b"\xf4\x90\x80\x80", Some(0));
        check(b"\xc0\xaf", Some(0));
        check(b"\xce\xbaa\x80", Some(3));
    }
}
