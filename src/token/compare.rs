//! Compares two texts character by character, such as a token that was pasted and the one that was sent.

use std::ops::Range;

/// A place where two texts differ, as byte ranges of each; one of them may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What the first text has there.
    pub left: Range<usize>,
    /// What the second text has there.
    pub right: Range<usize>,
}

/// The fewest differences between two texts, in order; none if they are the same.
///
/// Texts that differ in very many characters are told as one difference between their common ends.
pub fn differences(left: &str, right: &str) -> Vec<Difference> {
    if left == right {
        return Vec::new();
    }
    let front = left.floor_char_boundary(same_front(left.as_bytes(), right.as_bytes()));
    let (left_rest, right_rest) = (left.get(front..).unwrap_or_default(), right.get(front..).unwrap_or_default());
    let mut back = same_back(left_rest.as_bytes(), right_rest.as_bytes());
    while !left_rest.is_char_boundary(left_rest.len() - back) {
        back -= 1;
    }
    let left_middle = left_rest.get(..left_rest.len() - back).unwrap_or_default();
    let right_middle = right_rest.get(..right_rest.len() - back).unwrap_or_default();
    let whole = Difference { left: front..front + left_middle.len(), right: front..front + right_middle.len() };
    if left_middle.len().max(right_middle.len()) > LONGEST {
        return vec![whole];
    }
    let left_chars: Vec<(usize, char)> = left_middle.char_indices().collect();
    let right_chars: Vec<(usize, char)> = right_middle.char_indices().collect();
    let Some(steps) = shortest_edit(&left_chars, &right_chars) else {
        return vec![whole];
    };
    let at = |chars: &[(usize, char)], nth: usize, len: usize| front + chars.get(nth).map_or(len, |(at, _)| *at);
    merge(&steps)
        .into_iter()
        .map(|(x, y)| Difference {
            left: at(&left_chars, x.start, left_middle.len())..at(&left_chars, x.end, left_middle.len()),
            right: at(&right_chars, y.start, right_middle.len())..at(&right_chars, y.end, right_middle.len()),
        })
        .collect()
}

/// How many bytes two texts begin with together; whole chunks are compared at once, since texts may have megabytes.
fn same_front(left: &[u8], right: &[u8]) -> usize {
    let mut front = 0;
    for (a, b) in left.chunks(CHUNK).zip(right.chunks(CHUNK)) {
        if a != b {
            return front + a.iter().zip(b).take_while(|(a, b)| a == b).count();
        }
        front += a.len();
    }
    front
}

/// How many bytes two texts end with together.
fn same_back(left: &[u8], right: &[u8]) -> usize {
    let mut back = 0;
    for (a, b) in left.rchunks(CHUNK).zip(right.rchunks(CHUNK)) {
        if a != b {
            return back + a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
        }
        back += a.len();
    }
    back
}

/// One character that one of the texts has and the other has not: the position in both before it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Left(usize, usize),
    Right(usize, usize),
}

/// The shortest way from one text to the other (Myers 1986), or `None` if it takes too many steps.
///
/// A diagonal is the position in the left text less that in the right one.
fn shortest_edit(left: &[(usize, char)], right: &[(usize, char)]) -> Option<Vec<Step>> {
    let ends = (isize::try_from(left.len()).ok()?, isize::try_from(right.len()).ok()?);
    let most = (ends.0 + ends.1).min(MOST_STEPS);
    let mut reach = Reach { offset: most + 1, furthest: vec![0; usize::try_from(2 * most + 3).unwrap_or_default()] };
    let mut trace: Vec<Reach> = Vec::new();
    for steps in 0..=most {
        trace.push(reach.clone());
        for diagonal in (-steps..=steps).step_by(2) {
            let mut at = reach.next(diagonal, steps).0;
            while is_same(left, right, at, at - diagonal) {
                at += 1;
            }
            reach.set(diagonal, at);
            if at >= ends.0 && at - diagonal >= ends.1 {
                return Some(walk_back(&trace, ends));
            }
        }
    }
    None
}

/// How far in the left text each diagonal has come.
#[derive(Clone)]
struct Reach {
    offset: isize,
    furthest: Vec<isize>,
}

impl Reach {
    fn get(&self, diagonal: isize) -> isize {
        let slot = usize::try_from(diagonal + self.offset).ok();
        slot.and_then(|slot| self.furthest.get(slot)).copied().unwrap_or_default()
    }

    fn set(&mut self, diagonal: isize, at: isize) {
        let slot = usize::try_from(diagonal + self.offset).ok();
        if let Some(place) = slot.and_then(|slot| self.furthest.get_mut(slot)) {
            *place = at;
        }
    }

    /// Where a diagonal begins after so many steps, and from which diagonal it is reached.
    fn next(&self, diagonal: isize, steps: isize) -> (isize, isize) {
        let is_insertion = diagonal == -steps || (diagonal != steps && self.get(diagonal - 1) < self.get(diagonal + 1));
        if is_insertion { (self.get(diagonal + 1), diagonal + 1) } else { (self.get(diagonal - 1) + 1, diagonal - 1) }
    }
}

fn is_same(left: &[(usize, char)], right: &[(usize, char)], at: isize, beside: isize) -> bool {
    let char_at = |chars: &[(usize, char)], at: isize| {
        usize::try_from(at).ok().and_then(|at| chars.get(at)).map(|(_, char)| *char)
    };
    char_at(left, at).is_some() && char_at(left, at) == char_at(right, beside)
}

fn walk_back(trace: &[Reach], ends: (isize, isize)) -> Vec<Step> {
    let mut here = ends;
    let mut found = Vec::new();
    let place = |at: isize| usize::try_from(at).unwrap_or_default();
    for (steps, reach) in trace.iter().enumerate().skip(1).rev() {
        let diagonal = here.0 - here.1;
        let from = reach.next(diagonal, isize::try_from(steps).unwrap_or(isize::MAX)).1;
        let before = (reach.get(from), reach.get(from) - from);
        let is_insertion = from > diagonal;
        found.push(if is_insertion {
            Step::Right(place(before.0), place(before.1))
        } else {
            Step::Left(place(before.0), place(before.1))
        });
        here = before;
    }
    found.reverse();
    found
}

/// Steps that follow each other without a common character between them, as one.
fn merge(steps: &[Step]) -> Vec<(Range<usize>, Range<usize>)> {
    let mut merged: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for step in steps {
        let (x, y) = match *step {
            Step::Left(x, y) => (x..x + 1, y..y),
            Step::Right(x, y) => (x..x, y..y + 1),
        };
        match merged.last_mut() {
            Some((left, right)) if left.end == x.start && right.end == y.start => {
                left.end = x.end;
                right.end = y.end;
            }
            Some(_) | None => merged.push((x, y)),
        }
    }
    merged
}

/// Bytes compared at once; of the longest texts that are compared character by character; the most steps that are tried.
const CHUNK: usize = 4096;
const LONGEST: usize = 64 << 10;
const MOST_STEPS: isize = 400;

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(left: &str, right: &str) -> Vec<(String, String)> {
        differences(left, right)
            .into_iter()
            .map(|one| (left[one.left].to_owned(), right[one.right].to_owned()))
            .collect()
    }

    #[test]
    fn each_differing_character_is_told_apart() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(shown("abc", "abc"), []);
        assert_eq!(shown("abXcd", "abYZcd"), [pair("X", "YZ")]);
        assert_eq!(shown("abc", "abc\n"), [pair("", "\n")]);
        assert_eq!(shown("aa", "aaa").len(), 1);
        assert_eq!(shown("é", "è"), [pair("é", "è")]);
        assert_eq!(shown("a+b+c", "a b c"), [pair("+", " "), pair("+", " ")]);
        assert_eq!(shown("eyJ.a.b", "eyJ%2Ea%2Eb"), [pair(".", "%2E"), pair(".", "%2E")]);
        assert_eq!(shown("", "x"), [pair("", "x")]);
    }

    #[test]
    fn putting_the_differences_in_makes_the_other_text() {
        let mut state: u64 = 7;
        let mut random = move |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % below as u64).unwrap()
        };
        for _ in 0..500 {
            let mut make = |len: usize| (0..len).map(|_| ['a', 'b', 'é', '.'][random(4)]).collect::<String>();
            let (left, right) = (make(12), make(15));
            let mut made = String::new();
            let mut at = 0;
            for one in differences(&left, &right) {
                made += &left[at..one.left.start];
                made += &right[one.right];
                at = one.left.end;
            }
            assert_eq!(made + &left[at..], right);
        }
    }

    #[test]
    fn texts_that_have_little_in_common_differ_once() {
        let (left, right) = ("ab".repeat(4000), "cd".repeat(4000));
        assert_eq!(differences(&left, &right), [Difference { left: 0..8000, right: 0..8000 }]);
        let long = "x".repeat(10 << 20);
        assert_eq!(differences(&long, &format!("{long}y")).len(), 1);
    }
}
