//! Inflates the messages of one direction (RFC 7692 §7.2.2), in constant memory and in steps of the caller's choice.

use flate2::{Decompress, DecompressError, FlushDecompress, Status};

/// Inflates the messages of one direction, one after the other.
///
/// Every window size is understood. A message is fed with [`Inflater::step`], then [`Inflater::tail`] is fed the same
/// way, then [`Inflater::end_message`] is called.
#[derive(Debug)]
pub struct Inflater {
    raw: Decompress,
    takeover: bool,
    /// What was inflated last; the window is its end.
    recent: Box<[u8]>,
    begin: usize,
    end: usize,
    at_block_start: bool,
    restarts: u8,
}

/// What one step inflated.
#[derive(Debug)]
pub struct Step<'a> {
    /// The next bytes.
    pub data: &'a [u8],
    /// Whether there is more to come of what was fed.
    pub goes_on: bool,
}

/// The payload is no DEFLATE data.
#[derive(Debug, thiserror::Error)]
#[error("the payload of a compressed message cannot be inflated")]
pub struct InflateError {
    #[source]
    source: Option<DecompressError>,
}

/// The longest distance that DEFLATE can look back, in bytes.
pub const WINDOW_BYTES: usize = 32 * 1024;

/// The longest piece that one step gives, in bytes.
const ROOM_BYTES: usize = 64 * 1024;
/// What is fed after a message (RFC 7692 §7.2.2).
const TAIL: &[u8] = &[0, 0, 0xFF, 0xFF];
/// So often in one message the window is kept over a final block: each time costs as much as 32 KiB of data.
const MAX_RESTARTS: u8 = 8;

impl Inflater {
    /// An inflater for the first message; with `takeover` each message may look back into the ones before.
    pub fn new(takeover: bool) -> Self {
        Self {
            raw: Decompress::new(false),
            takeover,
            recent: vec![0; WINDOW_BYTES + ROOM_BYTES].into_boxed_slice(),
            begin: 0,
            end: 0,
            at_block_start: true,
            restarts: 0,
        }
    }

    /// An inflater that stands where another one stood after a message, given its [`Inflater::window`].
    pub fn with_window(takeover: bool, window: &[u8]) -> Result<Self, InflateError> {
        let mut inflater = Self::new(takeover);
        let window = &window[window.len().saturating_sub(WINDOW_BYTES)..];
        inflater.recent[..window.len()].copy_from_slice(window);
        inflater.end = window.len();
        inflater.prime()?;
        Ok(inflater)
    }

    /// Feeds the next bytes of a message and takes off `wire` what was used; gives at most 64 KiB.
    ///
    /// After an error nothing more of this direction can be inflated.
    pub fn step(&mut self, wire: &mut &[u8]) -> Result<Step<'_>, InflateError> {
        if self.recent.len() - self.end < ROOM_BYTES / 2 {
            self.make_room();
        }
        let from = self.end;
        let (taken, made, status) = decompress(&mut self.raw, wire, &mut self.recent[from..])?;
        *wire = wire.get(taken..).unwrap_or(&[]);
        self.end += made;
        let ended = status == Status::StreamEnd;
        if ended {
            self.restart()?;
        } else if taken == 0 && made == 0 && !wire.is_empty() {
            return Err(InflateError { source: None });
        }
        if taken > 0 {
            self.at_block_start = ended;
        }
        let goes_on = !wire.is_empty() || self.end == self.recent.len();
        Ok(Step { data: &self.recent[from..self.end], goes_on })
    }

    /// What is to be fed after the last byte of a message.
    ///
    /// Nothing where the message was empty or ended with a final block: there the four bytes would begin a new one.
    pub fn tail(&self) -> &'static [u8] {
        if self.at_block_start { &[] } else { TAIL }
    }

    /// The message is whole.
    pub fn end_message(&mut self) {
        self.at_block_start = true;
        self.restarts = 0;
        if !self.takeover {
            self.raw.reset(false);
            self.begin = self.end;
        }
    }

    /// Between two messages: forgets what the last one left open, so that nothing counts from here on but the window.
    ///
    /// A lawful message leaves nothing open. Where reading may begin from a window it has to rest there always, else what
    /// follows a broken one depends on where it began.
    pub fn rest(&mut self) -> Result<(), InflateError> {
        self.raw.reset(false);
        self.prime()
    }

    /// What later messages may look back into, at most [`WINDOW_BYTES`].
    pub fn window(&self) -> &[u8] {
        &self.recent[self.begin.max(self.end.saturating_sub(WINDOW_BYTES))..self.end]
    }

    fn make_room(&mut self) {
        let from = self.begin.max(self.end.saturating_sub(WINDOW_BYTES));
        self.recent.copy_within(from..self.end, 0);
        self.begin = 0;
        self.end -= from;
    }

    /// After a block with BFINAL set: the next block goes on in the same window (RFC 7692 §7.2.3.5).
    fn restart(&mut self) -> Result<(), InflateError> {
        self.raw.reset(false);
        if self.restarts >= MAX_RESTARTS {
            return Ok(());
        }
        self.restarts += 1;
        self.prime()
    }

    /// Puts the window into the decompressor, as a stored block.
    fn prime(&mut self) -> Result<(), InflateError> {
        let window = self.window();
        if window.is_empty() {
            return Ok(());
        }
        let len = u16::try_from(window.len()).unwrap_or(u16::MAX);
        let ([low, high], [not_low, not_high]) = (len.to_le_bytes(), (!len).to_le_bytes());
        let mut block = Vec::with_capacity(window.len() + 5);
        block.extend_from_slice(&[0, low, high, not_low, not_high]);
        block.extend_from_slice(window);
        let mut out = vec![0; WINDOW_BYTES + 1];
        let mut rest = block.as_slice();
        while !rest.is_empty() {
            let (taken, made, _) = decompress(&mut self.raw, rest, &mut out)?;
            if taken == 0 && made == 0 {
                return Err(InflateError { source: None });
            }
            rest = rest.get(taken..).unwrap_or(&[]);
        }
        Ok(())
    }
}

/// The beginning of the first message of a direction, at most so many bytes, as far as it inflates.
pub fn inflate_beginning(mut wire: &[u8], max_bytes: usize) -> Vec<u8> {
    let mut inflater = Inflater::new(false);
    let mut out = Vec::new();
    while let Ok(step) = inflater.step(&mut wire) {
        out.extend_from_slice(&step.data[..step.data.len().min(max_bytes - out.len())]);
        if !step.goes_on || out.len() == max_bytes {
            break;
        }
    }
    out
}

/// One call of the decompressor: bytes taken, bytes made, and what it says.
fn decompress(raw: &mut Decompress, wire: &[u8], out: &mut [u8]) -> Result<(usize, usize, Status), InflateError> {
    let (before_in, before_out) = (raw.total_in(), raw.total_out());
    let status =
        raw.decompress(wire, out, FlushDecompress::None).map_err(|source| InflateError { source: Some(source) })?;
    Ok(((raw.total_in() - before_in) as usize, (raw.total_out() - before_out) as usize, status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Deflater;

    /// Feeds one message in pieces; `None` if it cannot be inflated.
    fn inflate(inflater: &mut Inflater, wire: &[u8], cut: usize) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        let mut feed = |inflater: &mut Inflater, mut piece: &[u8]| {
            while {
                let step = inflater.step(&mut piece).ok()?;
                out.extend_from_slice(step.data);
                step.goes_on
            } {}
            Some(())
        };
        for piece in wire.chunks(cut) {
            feed(inflater, piece)?;
        }
        let tail = inflater.tail();
        feed(inflater, tail)?;
        inflater.end_message();
        Some(out)
    }

    fn text(wire: &[&[u8]], takeover: bool) -> Vec<Option<String>> {
        let all = |cut| {
            let mut inflater = Inflater::new(takeover);
            wire.iter()
                .map(|w| inflate(&mut inflater, w, cut).map(|b| String::from_utf8(b).unwrap()))
                .collect::<Vec<_>>()
        };
        let whole = all(usize::MAX);
        assert_eq!(all(1), whole);
        assert_eq!(all(3), whole);
        whole
    }

    /// RFC 7692 §7.2.3.1–6.
    #[test]
    fn examples_of_the_rfc() {
        let hello = || Some("Hello".to_owned());
        let first: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(text(&[first, &[0xf2, 0x00, 0x11, 0x00, 0x00]], true), [hello(), hello()]);
        assert_eq!(text(&[first, first], false), [hello(), hello()]);
        let stored: &[u8] = &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00];
        assert_eq!(text(&[stored], true), [hello()]);
        let is_final: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        assert_eq!(text(&[is_final], true), [hello()]);
        let two_blocks: &[u8] = &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(text(&[two_blocks], true), [hello()]);
        assert_eq!(text(&[&[0x00], &[], first], true), [Some(String::new()), Some(String::new()), hello()]);
    }

    #[test]
    fn window_outlives_a_final_block() {
        let is_final: &[u8] = &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00];
        let without_the_last_byte = &is_final[..7];
        let looks_back: &[u8] = &[0xf2, 0x00, 0x11, 0x00, 0x00];
        let hello = || Some("Hello".to_owned());
        assert_eq!(text(&[is_final, looks_back], true), [hello(), hello()]);
        assert_eq!(text(&[without_the_last_byte, looks_back], true), [hello(), hello()]);
        assert_eq!(text(&[is_final, looks_back], false)[1], None);
    }

    #[test]
    fn what_is_no_deflate_data_is_an_error() {
        for wire in [&[0x07][..], &[0xff; 9], &[0x00, 0x05, 0x00, 0x00, 0x00], &[0xf2, 0x00, 0x11, 0x00, 0x00]] {
            assert_eq!(text(&[wire], true), [None], "{wire:02x?}");
        }
    }

    #[test]
    fn window_restores_an_inflater() {
        let messages: Vec<Vec<u8>> =
            (0..400_u32).map(|n| (0..n * 7).flat_map(|k| (k * n % 251).to_le_bytes()).collect()).collect();
        for bits in [9, 12, 15] {
            let mut deflater = Deflater::new(bits, true).unwrap();
            let wire: Vec<Vec<u8>> = messages.iter().map(|m| deflater.message(m).unwrap()).collect();
            let mut inflater = Inflater::new(true);
            for (number, (message, wire)) in messages.iter().zip(&wire).enumerate() {
                if number % 50 == 7 {
                    inflater = Inflater::with_window(true, inflater.window()).unwrap();
                }
                assert_eq!(
                    inflate(&mut inflater, wire, 1_000).as_ref(),
                    Some(message),
                    "{bits} bits, message {number}"
                );
            }
            assert_eq!(inflater.window(), deflater.window());
        }
    }

    #[test]
    fn what_a_broken_message_leaves_open_does_not_outlive_a_rest() {
        // A stored block of seven bytes, of which one comes: the tail and the next message are taken for the others.
        let broken: &[u8] = &[0x00, 0x07, 0x00, 0xf8, 0xff, b'a'];
        let next: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        for rests in [false, true] {
            let mut inflater = Inflater::new(true);
            assert_eq!(inflate(&mut inflater, broken, 2), Some(b"a\0\0\xff\xff".to_vec()));
            if rests {
                inflater.rest().unwrap();
            }
            let mut restored = Inflater::with_window(true, inflater.window()).unwrap();
            assert_eq!(inflate(&mut restored, next, 3), Some(b"Hello".to_vec()));
            assert_eq!(inflate(&mut inflater, next, 3) == Some(b"Hello".to_vec()), rests);
        }
    }

    #[test]
    fn a_bomb_comes_in_small_steps() {
        let mut deflater = Deflater::new(15, true).unwrap();
        let bomb = deflater.message(&vec![0; 8 << 20]).unwrap();
        let mut inflater = Inflater::new(true);
        let (mut rest, mut total) = (bomb.as_slice(), 0);
        loop {
            let step = inflater.step(&mut rest).unwrap();
            assert!(step.data.len() <= WINDOW_BYTES + ROOM_BYTES);
            total += step.data.len();
            if !step.goes_on {
                break;
            }
        }
        assert!(total > 8_000_000 && bomb.len() < 10_000, "{total} from {}", bomb.len());
    }

    /// Any bytes: an end comes, and the cut does not matter.
    #[test]
    fn seeded_bytes_give_the_same_however_they_are_cut() {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state >> 20
        };
        let mut deflater = Deflater::new(15, true).unwrap();
        for _ in 0..2_000 {
            let plain: Vec<u8> = (0..next() % 200).map(|_| (next() % 7) as u8).collect();
            let mut wire = deflater.message(&plain).unwrap();
            for _ in 0..next() % 3 {
                let len = wire.len() as u64;
                wire[(next() % len) as usize] ^= 1 << (next() % 8);
            }
            let whole = inflate(&mut Inflater::new(true), &wire, usize::MAX);
            for cut in [1, 2, 3, 7] {
                assert_eq!(inflate(&mut Inflater::new(true), &wire, cut), whole, "{wire:02x?} cut by {cut}");
            }
        }
    }
}
