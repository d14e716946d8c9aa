//! Finds many needles in a text in one pass: short ones whole, long ones also in part.
//!
//! A preview cuts a secret, a server logs its first half: of a long secret any sixteen bytes in a row count.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// What is looked for.
#[derive(Clone, Debug)]
pub(super) struct Needles {
    all: Vec<Needle>,
    known: HashSet<Vec<u8>>,
    short: HashMap<[u8; SHORT], Vec<u32>>,
    blocks: HashMap<[u8; BLOCK], Vec<(u32, u32)>>,
    /// Which pairs of bytes begin something; most of a text is passed over by it.
    first: Vec<bool>,
    len_bytes: usize,
}

#[derive(Clone, Debug)]
struct Needle {
    bytes: Vec<u8>,
    owner: usize,
    min_run: usize,
}

/// Something that was found, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    /// Where.
    pub(super) range: Range<usize>,
    /// To which secret it belongs.
    pub(super) owner: usize,
}

impl Default for Needles {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            known: HashSet::new(),
            short: HashMap::new(),
            blocks: HashMap::new(),
            first: vec![false; 1 << 16],
            len_bytes: 0,
        }
    }
}

impl Needles {
    /// The length of the shortest needle, in bytes; shorter ones would be found by chance.
    pub(super) const MIN_LEN: usize = SHORT;

    /// Adds a needle, unless it is known; a run of its bytes counts as well: of 16 with `in_part`, else of 32, so that no search is quadratic.
    pub(super) fn add(&mut self, bytes: Vec<u8>, owner: usize, in_part: bool) {
        let len = bytes.len();
        let Some(&head) = bytes.first_chunk::<SHORT>().filter(|_| !self.known.contains(&bytes)) else { return };
        self.known.insert(bytes.clone());
        let index = self.all.len() as u32;
        if len < PARTIAL {
            self.short.entry(head).or_default().push(index);
            self.mark(head[0], head[1]);
        } else {
            for (nth, block) in bytes.chunks_exact(BLOCK).take(MAX_BLOCKS).enumerate() {
                let Some(&key) = block.first_chunk::<BLOCK>() else { continue };
                let places = self.blocks.entry(key).or_default();
                if places.len() < PLACES {
                    places.push((index, (nth * BLOCK) as u32));
                }
                self.mark(key[0], key[1]);
            }
        }
        self.len_bytes += len;
        self.all.push(Needle { bytes, owner, min_run: len.min(if in_part { PARTIAL } else { HALF }) });
    }

    /// The bytes of all needles together.
    pub(super) fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// Everything that is found, in order of its beginning; hits may overlap.
    pub(super) fn find(&self, text: &[u8]) -> Vec<Hit> {
        let mut hits = self.cut_at_the_ends(text);
        let mut done = 0;
        for (at, pair) in text.windows(2).enumerate() {
            let begins = self.first.get(usize::from(pair[0]) << 8 | usize::from(pair[1])).copied().unwrap_or_default();
            if !begins {
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            if let Some(key) = rest.first_chunk::<SHORT>()
                && let Some(candidates) = self.short.get(key)
            {
                for needle in candidates.iter().filter_map(|index| self.all.get(*index as usize)) {
                    if rest.starts_with(&needle.bytes) {
                        hits.push(Hit { range: at..at + needle.bytes.len(), owner: needle.owner });
                    }
                }
            }
            if at >= done
                && let Some(key) = rest.first_chunk::<BLOCK>()
                && let Some(places) = self.blocks.get(key)
            {
                for &(index, offset) in places {
                    let Some(needle) = self.all.get(index as usize) else { continue };
                    let run = run(text, at, &needle.bytes, offset as usize);
                    if run.len() >= needle.min_run {
                        done = done.max(run.end.saturating_sub(BLOCK - 1));
                        hits.push(Hit { range: run, owner: needle.owner });
                    }
                }
            }
        }
        hits.sort_by_key(|hit| hit.range.start);
        hits
    }

    /// What a cut left of a secret at the beginning or the end of a text.
    fn cut_at_the_ends(&self, text: &[u8]) -> Vec<Hit> {
        let end = text.strip_suffix("…".as_bytes()).or(text.strip_suffix(b"...")).unwrap_or(text).len();
        let whole = text.get(..end).unwrap_or_default();
        let mut hits = Vec::new();
        for needle in self.all.iter().filter(|needle| needle.bytes.len() >= PARTIAL && needle.min_run == PARTIAL) {
            for len in (CUT..PARTIAL).rev() {
                let (Some(head), Some(tail)) = (needle.bytes.get(..len), needle.bytes.get(needle.bytes.len() - len..))
                else {
                    continue;
                };
                if whole.ends_with(head) {
                    hits.push(Hit { range: end - len..end, owner: needle.owner });
                }
                if whole.starts_with(tail) {
                    hits.push(Hit { range: 0..len, owner: needle.owner });
                }
            }
        }
        hits
    }

    fn mark(&mut self, first: u8, second: u8) {
        if let Some(slot) = self.first.get_mut(usize::from(first) << 8 | usize::from(second)) {
            *slot = true;
        }
    }
}

/// The longest run around `at` in which the text equals the needle, whose byte `offset` stands at `at`.
fn run(text: &[u8], at: usize, needle: &[u8], offset: usize) -> Range<usize> {
    let (Some(before), Some(from)) = (text.get(..at), text.get(at..)) else { return at..at };
    let (Some(needle_before), Some(needle_from)) = (needle.get(..offset), needle.get(offset..)) else { return at..at };
    let left = before.iter().rev().zip(needle_before.iter().rev()).take_while(|(a, b)| a == b).count();
    let right = from.iter().zip(needle_from).take_while(|(a, b)| a == b).count();
    at - left..at + right
}

const SHORT: usize = 4;
const BLOCK: usize = 8;
/// From this length on a needle is also found in part: two blocks, so that any such run holds a whole one.
const PARTIAL: usize = 16;
/// A run that is no chance even where a secret may hold common words.
const HALF: usize = 32;
/// What is left of a cut secret counts from this length on.
const CUT: usize = 10;
/// Of a needle of many megabytes the first mebibyte is enough.
const MAX_BLOCKS: usize = 1 << 17;
/// The same eight bytes at more places than these are no secret's mark.
const PLACES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn found(needle: &str, in_part: bool, text: &str) -> Vec<String> {
        let mut needles = Needles::default();
        needles.add(needle.as_bytes().to_vec(), 0, in_part);
        needles.find(text.as_bytes()).into_iter().map(|hit| text[hit.range].to_owned()).collect()
    }

    #[test]
    fn short_needles_are_found_whole() {
        assert_eq!(found("hunter", true, "a hunter, hunte"), ["hunter"]);
        assert!(found("abc", true, "abc").is_empty());
    }

    #[test]
    fn long_needles_are_found_in_part() {
        let needle = "0123456789abcdefghijklmnopqrstuvwxyz";
        assert_eq!(found(needle, true, &format!("x{needle}y")), [needle]);
        for start in 0..20 {
            let part = &needle[start..start + 16];
            assert_eq!(found(needle, true, &format!("<{part}>")), [part], "{start}");
        }
        assert!(found(needle, true, "<3456789abcdefgh>").is_empty());
        assert!(found(needle, false, &needle[..30]).is_empty());
        assert_eq!(found(needle, false, &needle[1..34]), [&needle[1..34]]);
        assert_eq!(found(needle, true, "got 0123456789a…"), ["0123456789a"]);
        assert_eq!(found(needle, true, "qrstuvwxyz was the end"), ["qrstuvwxyz"]);
        assert!(found(needle, true, "got 0123456…").is_empty());
    }

    #[test]
    fn periodic_needles_and_texts_end_soon() {
        let needle = "ab".repeat(2000);
        let text = "ab".repeat(1 << 18);
        assert!(!found(&needle, true, &text).is_empty());
        assert!(!found(&format!("{needle}c"), false, &text).is_empty());
    }
}
