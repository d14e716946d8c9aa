//! Passes over frames that a filter cannot want, by the places of its needles in the bytes of many frames.

use super::filter::{Filter, Needle};

/// Tells of each data frame, in order, whether it can be left out.
pub(super) struct Gate<'a> {
    filter: &'a Filter,
    places: Vec<Next>,
    /// No data frame that ends up to here is wanted.
    clear: usize,
    is_on: bool,
    frames: u64,
    let_through: u64,
}

/// The next place of a needle in the bytes of a direction.
#[derive(Clone, Copy)]
pub(super) enum Next {
    Unknown,
    At(usize, usize),
    Nowhere,
}

impl<'a> Gate<'a> {
    /// A gate at the beginning of a direction's bytes.
    pub(super) fn new(filter: &'a Filter) -> Self {
        let needles = filter.needles().len();
        let places = vec![Next::Unknown; needles];
        Self { filter, places, clear: 0, is_on: needles > 0, frames: 0, let_through: 0 }
    }

    /// Whether the data frame whose payload begins at `start` is surely not wanted.
    pub(super) fn passes_over(&mut self, bytes: &[u8], start: usize, payload_len: u64) -> bool {
        // An empty payload has no place of its own, and one that is not whole is kept for later.
        let end = usize::try_from(payload_len).ok().and_then(|len| start.checked_add(len));
        let Some(end) = end.filter(|end| self.is_on && start < *end && *end <= bytes.len()) else {
            return false;
        };
        self.frames += 1;
        if self.clear < start {
            self.clear = self.next_possible(bytes, start);
        }
        if end <= self.clear {
            return true;
        }
        self.let_through += 1;
        // Where many are let through, looking twice costs more than it spares.
        self.is_on = self.let_through < LET_THROUGH || self.let_through < self.frames / 8;
        false
    }

    /// The first place from `start` on that a frame must reach to be wanted.
    fn next_possible(&mut self, bytes: &[u8], start: usize) -> usize {
        let Self { filter, places, .. } = self;
        filter.first_possible(|number| {
            let (Some(needle), Some(next)) = (filter.needles().get(number), places.get_mut(number)) else {
                return 0;
            };
            if !needle.is_free() {
                return 0;
            }
            if matches!(*next, Next::Unknown) || matches!(*next, Next::At(from, _) if from < start) {
                *next = Next::of(needle, bytes, start);
            }
            match *next {
                Next::At(from, _) => from,
                Next::Unknown | Next::Nowhere => usize::MAX,
            }
        })
    }
}

impl Next {
    /// The first place from `from` on.
    pub(super) fn of(needle: &Needle, bytes: &[u8], from: usize) -> Self {
        needle.find_from(bytes, from).map_or(Self::Nowhere, |(from, to)| Self::At(from, to))
    }
}

/// Whether a needle is between two places; `next` is where it was found last, and never goes back.
pub(super) fn is_between(needle: &Needle, bytes: &[u8], start: usize, end: usize, next: &mut Next) -> bool {
    if start == end {
        return needle.is_in(&[]);
    }
    loop {
        match *next {
            Next::Nowhere => return false,
            Next::At(from, _) if from >= end => return false,
            Next::At(from, to) if from >= start => {
                // One that goes on behind the end may hide a shorter one.
                return to <= end || needle.is_in(&bytes[start..end]);
            }
            Next::At(..) | Next::Unknown => {
                *next = Next::of(needle, bytes, start);
            }
        }
    }
}

/// So many frames may be let through before it is asked whether the gate is of use.
const LET_THROUGH: u64 = 64;
