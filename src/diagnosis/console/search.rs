//! All needles of a table in one pass over a line (Aho–Corasick), so that a chatty console costs little however many rows
//! there are.

use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::table::Needle;

/// The rows of some tables, made ready to be searched for.
pub(super) struct Search {
    /// Every part that a row asks for, once, in lower case.
    parts: Vec<&'static str>,
    /// Finds the parts; `None` if it could not be built, then they are looked for one by one.
    automaton: Option<AhoCorasick>,
    rows: Vec<Wanted>,
    /// For each part, the rows that ask for it.
    rows_of: Vec<Vec<usize>>,
    /// The rows that look at the line themselves.
    checks: Vec<usize>,
}

/// What a row asks for; numbers are those of parts.
enum Wanted {
    /// One of each of these.
    Groups(Vec<Vec<usize>>),
    /// One of these as a word of its own.
    Word(Vec<usize>),
    /// What this says.
    Check(fn(&str) -> bool),
}

/// The parts that are in a line.
pub(super) struct Hits<'a> {
    line: &'a str,
    /// Their numbers, ascending.
    parts: Vec<usize>,
}

impl Search {
    /// Makes rows ready; they are numbered in their order.
    pub(super) fn new(needles: impl Iterator<Item = Needle>) -> Self {
        let mut search =
            Self { parts: Vec::new(), automaton: None, rows: Vec::new(), rows_of: Vec::new(), checks: Vec::new() };
        for needle in needles {
            search.add(needle);
        }
        let mut builder = AhoCorasick::builder();
        builder.ascii_case_insensitive(true).match_kind(MatchKind::Standard);
        search.automaton = builder.build(&search.parts).ok();
        debug_assert!(search.automaton.is_some(), "constants of this size always fit");
        search
    }

    fn add(&mut self, needle: Needle) {
        let row = self.rows.len();
        let mut numbers = |parts: &'static [&'static str]| -> Vec<usize> {
            parts.iter().map(|part| self.number(part, row)).collect()
        };
        let wanted = match needle {
            Needle::All(parts) => Wanted::Groups(numbers(parts).into_iter().map(|part| vec![part]).collect()),
            Needle::Any(parts) => Wanted::Groups(vec![numbers(parts)]),
            Needle::Both(first, second) => Wanted::Groups(vec![numbers(first), numbers(second)]),
            Needle::Word(words) => Wanted::Word(numbers(words)),
            Needle::Is(check) => {
                self.checks.push(row);
                Wanted::Check(check)
            }
        };
        self.rows.push(wanted);
    }

    /// The number of a part that this row asks for.
    fn number(&mut self, part: &'static str, row: usize) -> usize {
        let number = self.parts.iter().position(|known| *known == part).unwrap_or_else(|| {
            self.parts.push(part);
            self.rows_of.push(Vec::new());
            self.parts.len() - 1
        });
        if let Some(rows) = self.rows_of.get_mut(number) {
            rows.push(row);
        }
        number
    }

    /// Finds the parts in a line, whatever its letters' case.
    pub(super) fn hits<'a>(&self, line: &'a str) -> Hits<'a> {
        let mut parts: Vec<usize> = if let Some(automaton) = &self.automaton {
            automaton.find_overlapping_iter(line).map(|hit| hit.pattern().as_usize()).collect()
        } else {
            let lower = line.to_ascii_lowercase();
            let is_in = |part: &&str| lower.contains(*part);
            self.parts.iter().enumerate().filter(|(_, part)| is_in(part)).map(|(number, _)| number).collect()
        };
        parts.sort_unstable();
        parts.dedup();
        Hits { line, parts }
    }

    /// The first of these rows that a line belongs to.
    pub(super) fn first(&self, hits: &Hits<'_>, among: Range<usize>) -> Option<usize> {
        let asking = hits.parts.iter().filter_map(|part| self.rows_of.get(*part)).flatten();
        let mut rows: Vec<usize> = asking.chain(&self.checks).copied().filter(|row| among.contains(row)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter().find(|row| self.rows.get(*row).is_some_and(|wanted| self.is_met(wanted, hits)))
    }

    /// Whether a line belongs to one of these rows.
    pub(super) fn any(&self, hits: &Hits<'_>, among: Range<usize>) -> bool {
        self.first(hits, among).is_some()
    }

    fn is_met(&self, wanted: &Wanted, hits: &Hits<'_>) -> bool {
        let is_hit = |part: &usize| hits.parts.binary_search(part).is_ok();
        match wanted {
            Wanted::Groups(groups) => groups.iter().all(|group| group.iter().any(is_hit)),
            Wanted::Word(words) => {
                let lower = hits.line.to_ascii_lowercase();
                let hit = words.iter().filter(|word| is_hit(word)).filter_map(|word| self.parts.get(*word));
                hit.into_iter().any(|word| has_word(&lower, word))
            }
            Wanted::Check(check) => check(hits.line),
        }
    }
}

/// Whether a word stands in a line with no letter, digit or underscore beside it.
fn has_word(lower: &str, word: &str) -> bool {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    lower.match_indices(word).any(|(at, _)| {
        let before = lower.get(..at).and_then(|text| text.chars().next_back());
        let after = lower.get(at + word.len()..).and_then(|text| text.chars().next());
        !is_part(before) && !is_part(after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDLES: &[Needle] = &[
        Needle::All(&["jwt", "expired"]),
        Needle::Any(&["expired", "not active"]),
        Needle::Both(&["port", "socket"], &["in use", "taken"]),
        Needle::Word(&["p100", "p1001"]),
        Needle::Is(|line| line.ends_with('!')),
        Needle::Any(&["aab", "ab", "b"]),
    ];

    /// The same, one part after the other.
    fn is_in(needle: Needle, line: &str) -> bool {
        let lower = line.to_ascii_lowercase();
        let any = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
        match needle {
            Needle::All(parts) => parts.iter().all(|part| lower.contains(part)),
            Needle::Any(parts) => any(parts),
            Needle::Both(first, second) => any(first) && any(second),
            Needle::Word(words) => words.iter().any(|word| has_word(&lower, word)),
            Needle::Is(check) => check(line),
        }
    }

    #[track_caller]
    fn agrees(search: &Search, line: &str) {
        let hits = search.hits(line);
        for begin in 0..NEEDLES.len() {
            let wanted = (begin..NEEDLES.len()).find(|row| is_in(NEEDLES[*row], line));
            assert_eq!(search.first(&hits, begin..NEEDLES.len()), wanted, "{line:?} from {begin}");
        }
    }

    #[test]
    fn one_pass_finds_what_many_searches_find() {
        let mut search = Search::new(NEEDLES.iter().copied());
        let pieces = [
            "jwt",
            "JWT ",
            "Expired",
            "not active",
            "port",
            " in use",
            "taken",
            "p1001",
            "p100",
            "_",
            "1",
            "é",
            "❌",
            "!",
            "aab",
            " ",
            "",
        ];
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        for round in 0..4_000 {
            let mut line = String::new();
            for _ in 0..6 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                line.push_str(pieces[(state >> 33) as usize % pieces.len()]);
            }
            if round == 2_000 {
                search.automaton = None;
            }
            agrees(&search, &line);
        }
        agrees(&search, &"b".repeat(10_000));
    }
}
