//! Inflates compressed payloads again when rows are made, from the windows that stand in the journal.

use std::io::{Read, Seek};
use std::sync::Arc;

use bytes::Bytes;

use super::chunk::{read_fact, read_stream};
use super::session::{Index, Window};
use crate::journal::ReadError;
use crate::observation::{Direction, Fact};
use crate::wire::{Decoder, Deflate, Inflater, Item};

/// The inflater of one direction as rows use it: after bytes that do not inflate it gives nothing more.
#[derive(Debug, Default)]
pub(super) struct Inflation {
    inflater: Option<Inflater>,
    /// Where it can be begun, and therefore rests wherever it was begun.
    windows: Arc<Vec<Window>>,
    limit_bytes: u64,
    message_bytes: u64,
    /// What may still be inflated; for ways that lead to a row, not the row itself.
    budget_bytes: u64,
    is_corrupt: bool,
}

impl Inflation {
    fn new(inflater: Inflater, windows: Arc<Vec<Window>>, limit_bytes: u64) -> Self {
        let (message_bytes, budget_bytes) = (0, u64::MAX);
        Self { inflater: Some(inflater), windows, limit_bytes, message_bytes, budget_bytes, is_corrupt: false }
    }

    /// Whether what comes can be inflated.
    pub(super) fn is_alive(&self) -> bool {
        self.inflater.is_some()
    }

    /// Whether bytes came that do not inflate.
    ///
    /// How much came out before them depends on how they were cut, so rows do not show it.
    pub(super) fn is_corrupt(&self) -> bool {
        self.is_corrupt
    }

    /// Inflates the next payload bytes of a compressed message.
    pub(super) fn push(&mut self, mut wire: &[u8], out: &mut impl FnMut(&[u8])) {
        let Some(inflater) = &mut self.inflater else { return };
        loop {
            let Ok(step) = inflater.step(&mut wire) else {
                self.inflater = None;
                self.is_corrupt = true;
                return;
            };
            let made = step.data.len() as u64;
            self.message_bytes += made;
            self.budget_bytes = self.budget_bytes.saturating_sub(made);
            out(step.data);
            let goes_on = step.goes_on;
            if self.message_bytes > self.limit_bytes || self.budget_bytes == 0 {
                self.inflater = None;
                return;
            }
            if !goes_on {
                return;
            }
        }
    }

    /// The message is whole, what follows begins at `next` in its direction: its last bytes.
    pub(super) fn end_message(&mut self, next: u64, out: &mut impl FnMut(&[u8])) {
        let Some(tail) = self.inflater.as_ref().map(Inflater::tail) else { return };
        self.push(tail, out);
        self.message_bytes = 0;
        let rests = self.windows.binary_search_by_key(&next, |window| window.offset).is_ok();
        if let Some(inflater) = &mut self.inflater {
            inflater.end_message();
            if rests && inflater.rest().is_err() {
                self.inflater = None;
            }
        }
    }
}

/// A direction at some place of its bytes.
pub(super) struct Place {
    pub(super) decoder: Decoder,
    pub(super) inflation: Inflation,
}

/// The inflation of a direction as it stands before the byte at `offset` of its bytes after the handshake.
///
/// Without compression, or where the way to that byte is lost, it gives nothing.
pub(super) fn inflation_at<R: Read + Seek>(
    journal: &mut R,
    index: &Index,
    direction: Direction,
    offset: u64,
) -> Inflation {
    match place_at(journal, index, direction, offset) {
        Some(Ok(place)) => place.inflation,
        None | Some(Err(_)) => Inflation::default(),
    }
}

/// A direction before the byte at `offset`, framing and all; `None` without compression.
pub(super) fn place_at<R: Read + Seek>(
    journal: &mut R,
    index: &Index,
    direction: Direction,
    offset: u64,
) -> Option<Result<Place, ReadError>> {
    let deflate = index.deflate?;
    Some(walk_to(journal, index, direction, offset, deflate))
}

fn walk_to<R: Read + Seek>(
    journal: &mut R,
    index: &Index,
    direction: Direction,
    offset: u64,
    deflate: Deflate,
) -> Result<Place, ReadError> {
    let takeover = match direction {
        Direction::ClientToServer => !deflate.client_no_context_takeover,
        Direction::ServerToClient => !deflate.server_no_context_takeover,
    };
    let windows = &index.windows[direction.index()];
    let (from, inflater) = match windows.partition_point(|w| w.offset <= offset).checked_sub(1).map(|at| &windows[at]) {
        Some(window) => {
            let fact = read_fact(journal, window.record)?;
            let bytes = match fact {
                Some(Fact::Inflated(inflated)) => inflated.window.unwrap_or_default(),
                _ => Bytes::new(),
            };
            (window.offset, Inflater::with_window(takeover, &bytes).ok())
        }
        None => (0, Some(Inflater::new(takeover))),
    };
    let mut place = Place {
        decoder: Decoder::between_messages(direction, from, deflate),
        inflation: inflater.map_or_else(Inflation::default, |inflater| {
            Inflation::new(inflater, Arc::clone(windows), index.limit_bytes)
        }),
    };
    place.inflation.budget_bytes = index.limit_bytes.saturating_add(WAY_BYTES);
    let handshake = index.handshake[direction.index()];
    let mut next = from;
    while next < offset && place.inflation.is_alive() {
        let end = offset.min(next + STEP_BYTES);
        let bytes = read_stream(journal, index, direction, handshake + next..handshake + end)?;
        if bytes.is_empty() {
            break;
        }
        next += bytes.len() as u64;
        let Place { decoder, inflation } = &mut place;
        decoder.push(direction, &bytes, &mut |item| match item {
            Item::Payload { data, compressed: true, .. } => inflation.push(data, &mut |_| {}),
            Item::FrameEnd { ends_compressed: true, next, .. } => inflation.end_message(next, &mut |_| {}),
            _ => {}
        });
    }
    place.inflation.budget_bytes = u64::MAX;
    Ok(place)
}

/// So much may be inflated on the way from a window to a row, beside one message.
const WAY_BYTES: u64 = 64 * 1024 * 1024;
/// So much is read at a time.
pub(super) const STEP_BYTES: u64 = 256 * 1024;
