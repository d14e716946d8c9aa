//! A peer's text, made safe to draw: what cannot be seen is written as its code, and nothing is obeyed.
//!
//! Control characters become control pictures (`␀`, `␊`), zero-width, bidirectional, private-use and tag characters become
//! `⟨U+202E⟩`. Emoji keep the joiners and variation selectors that belong to them. Each function reads no further than
//! its limit, and says how many bytes it left out. Every text that did not come from us passes through here on its way
//! to the screen.

use super::units;
use std::fmt::Write as _;

/// A text that is safe to draw, perhaps the front of a longer one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// What to draw; ends in `…` if something was left out.
    pub text: String,
    /// How many bytes of the original are not in `text`.
    pub cut_bytes: usize,
}

impl Visible {
    /// Returns the text, followed by how much was left out, if anything was: `{"a":1,… (9.9 MiB more)`.
    pub fn with_note(self) -> String {
        if self.cut_bytes == 0 {
            return self.text;
        }
        let more = units::size(self.cut_bytes as u64);
        format!("{} ({more} more)", self.text)
    }
}

/// Returns at most `limit` characters of `text` for one line: line ends and tabs are pictures too.
pub fn one_line(text: &str, limit: usize) -> Visible {
    convert(text, limit, false)
}

/// Returns at most `limit` characters of `text` for a block of lines: `\n` and tabs stay what they are.
pub fn many_lines(text: &str, limit: usize) -> Visible {
    convert(text, limit, true)
}

/// Returns `bytes` as text for one line, at most `limit` characters; what is not UTF-8 is written as `⟨0xFF⟩`.
pub fn one_line_bytes(bytes: &[u8], limit: usize) -> Visible {
    let mut visible = Visible::default();
    let mut room = limit;
    let mut rest = bytes;
    for chunk in bytes.utf8_chunks() {
        let part = one_line(chunk.valid(), room);
        visible.text.push_str(&part.text);
        rest = rest.get(chunk.valid().len() - part.cut_bytes..).unwrap_or_default();
        if part.cut_bytes > 0 {
            visible.cut_bytes = rest.len();
            return visible;
        }
        room = room.saturating_sub(part.text.chars().count());
        for byte in chunk.invalid() {
            if room == 0 {
                visible.text.push('…');
                visible.cut_bytes = rest.len();
                return visible;
            }
            write!(visible.text, "⟨0x{byte:02X}⟩").ok(); // writing to a string cannot fail
            room -= 1;
            rest = rest.get(1..).unwrap_or_default();
        }
    }
    visible
}

/// Returns `text` in at most `limit` characters, for one line, with `…` in the middle where something was left out.
///
/// For tokens and paths, whose ends tell them apart. A limit below 5 is taken as 5.
pub fn middle_ellipsis(text: &str, limit: usize) -> String {
    let limit = limit.max(5);
    if text.char_indices().nth(limit).is_none() {
        return one_line(text, limit).text;
    }
    let back = (limit - 1) / 2;
    let front = limit - 1 - back;
    let front_end = nth_from_front(text, front);
    let back_start = nth_from_back(text, back).max(front_end);
    let (head, tail) = (text.get(..front_end).unwrap_or_default(), text.get(back_start..).unwrap_or_default());
    format!("{}…{}", one_line(head, front).text, one_line(tail, back).text)
}

/// Whether `c` is drawn as its code, and not as itself, wherever it stands.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1F}' | '\u{7F}'..='\u{9F}'          // C0, DEL, C1
        | '\u{AD}' | '\u{34F}' | '\u{61C}'             // soft hyphen, grapheme joiner, Arabic letter mark
        | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' // Hangul fillers
        | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'                      // zero-width space and joiners, LRM, RLM
        | '\u{2028}'..='\u{202E}'                      // line and paragraph separators, embeddings, overrides
        | '\u{2060}'..='\u{206F}'                      // word joiner, invisible operators, isolates
        | '\u{2800}'                                   // blank Braille pattern
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'         // variation selectors, byte order mark
        | '\u{FFF0}'..='\u{FFFB}'                      // interlinear annotation and its neighbours
        | '\u{E000}'..='\u{F8FF}'                      // private use: icons live there
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{10FFFF}' // tags, more selectors, private planes
    )
}

fn convert(text: &str, limit: usize, keep_lines: bool) -> Visible {
    let mut visible = Visible { text: String::with_capacity(text.len().min(limit.saturating_add(16))), cut_bytes: 0 };
    let mut before = None;
    let mut chars = text.char_indices().peekable();
    let mut taken = 0;
    while let Some((at, c)) = chars.next() {
        if taken == limit {
            visible.text.push('…');
            visible.cut_bytes = text.len() - at;
            break;
        }
        taken += 1;
        let after = chars.peek().map(|&(_, next)| next);
        if (keep_lines && matches!(c, '\n' | '\t')) || joins_emoji(before, c, after) {
            visible.text.push(c);
        } else {
            push_seen(&mut visible.text, c);
        }
        before = Some(c);
    }
    visible
}

fn push_seen(text: &mut String, c: char) {
    match c {
        '\0'..='\u{1F}' => {
            text.push(char::from_u32(CONTROL_PICTURES + u32::from(c)).unwrap_or('␀'));
        }
        '\u{7F}' => text.push('␡'),
        _ if is_hidden(c) => {
            write!(text, "⟨U+{:04X}⟩", u32::from(c)).ok(); // writing to a string cannot fail
        }
        _ => text.push(c),
    }
}

/// Whether `c` is a joiner or selector between or after emoji, where it is part of what people see.
fn joins_emoji(before: Option<char>, c: char, after: Option<char>) -> bool {
    let emoji = |c: Option<char>| c.is_some_and(|c| EMOJI_BLOCKS.iter().any(|block| block.contains(&c)));
    match c {
        '\u{FE0F}' => emoji(before) || (before.is_some_and(is_keycap) && after == Some('\u{20E3}')),
        '\u{200D}' => emoji(after) && (emoji(before) || before == Some('\u{FE0F}')),
        _ => false,
    }
}

fn is_keycap(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '#' | '*')
}

fn nth_from_front(text: &str, count: usize) -> usize {
    text.char_indices().nth(count).map_or(text.len(), |(at, _)| at)
}

fn nth_from_back(text: &str, count: usize) -> usize {
    match count.checked_sub(1) {
        None => text.len(),
        Some(skip) => text.char_indices().rev().nth(skip).map_or(0, |(at, _)| at),
    }
}

/// U+2400, the picture of NUL; the others follow in the order of the control characters.
const CONTROL_PICTURES: u32 = 0x2400;
/// Where emoji stand: arrows to symbols, and the supplementary pictographs (with skin tones).
const EMOJI_BLOCKS: [std::ops::RangeInclusive<char>; 3] =
    ['\u{2190}'..='\u{27BF}', '\u{2900}'..='\u{2BFF}', '\u{1F000}'..='\u{1FAFF}'];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, drawn: &str) {
        assert_eq!(one_line(text, 1000).text, drawn, "{text:?}");
    }

    #[test]
    fn hidden_characters_are_written_as_their_code() {
        check("a\0b", "a␀b");
        check("one\r\ntwo\tthree", "one␍␊two␉three");
        check("\u{1B}[31mred", "␛[31mred");
        check("\u{7F}\u{85}", "␡⟨U+0085⟩");
        check("gnp\u{202E}exe.png", "gnp⟨U+202E⟩exe.png");
        check("zero\u{200B}width\u{FEFF}", "zero⟨U+200B⟩width⟨U+FEFF⟩");
        check("\u{2066}isolate\u{2069}", "⟨U+2066⟩isolate⟨U+2069⟩");
        check("\u{E5CA}", "⟨U+E5CA⟩");
        check("\u{E0041}", "⟨U+E0041⟩");
    }

    #[test]
    fn what_people_read_stays() {
        for text in
            ["grüße", "日本語", "مرحبا", "שלום", "✅ ❌ → ● ✓", "👩\u{200D}💻", "❤\u{FE0F}", "1\u{FE0F}\u{20E3}"]
        {
            check(text, text);
        }
    }

    #[test]
    fn a_joiner_beside_letters_is_shown() {
        check("a\u{200D}b", "a⟨U+200D⟩b");
        check("a\u{FE0F}", "a⟨U+FE0F⟩");
        check("\u{200D}💻", "⟨U+200D⟩💻");
    }

    #[test]
    fn lines_stay_in_a_block_but_carriage_returns_show() {
        assert_eq!(many_lines("a\r\n\tb\u{202E}", 99).text, "a␍\n\tb⟨U+202E⟩");
    }

    #[test]
    fn a_long_text_is_cut_and_says_how_much() {
        let cut = one_line("añb", 2);
        assert_eq!((cut.text.as_str(), cut.cut_bytes), ("añ…", 1));
        assert_eq!(one_line("ab", 2).cut_bytes, 0);
        let long = "x".repeat(10 << 20);
        let cut = one_line(&long, 100);
        assert_eq!(cut.text.chars().count(), 101);
        assert_eq!(cut.cut_bytes, (10 << 20) - 100);
        assert!(cut.with_note().ends_with("x… (10.0 MiB more)"));
        assert!(one_line(&long, 100).text.capacity() < 1000);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_as_bytes() {
        let drawn = one_line_bytes(b"ok\xFF\xC3end", 99);
        assert_eq!(drawn.text, "ok⟨0xFF⟩⟨0xC3⟩end");
        assert_eq!(drawn.cut_bytes, 0);
        let cut = one_line_bytes(b"ok\xFF\xC3end", 3);
        assert_eq!((cut.text.as_str(), cut.cut_bytes), ("ok⟨0xFF⟩…", 4));
        let cut = one_line_bytes(b"okay\xFF", 2);
        assert_eq!((cut.text.as_str(), cut.cut_bytes), ("ok…", 3));
    }

    #[test]
    fn a_token_is_shortened_in_the_middle() {
        assert_eq!(middle_ellipsis("abcdef", 6), "abcdef");
        assert_eq!(middle_ellipsis("abcdefg", 6), "abc…fg");
        assert_eq!(middle_ellipsis("abcdefg", 0), "ab…fg");
        assert_eq!(middle_ellipsis("\u{202E}bcdefghi", 5), "⟨U+202E⟩b…hi");
        assert_eq!(middle_ellipsis("日本語日本語日本語", 5), "日本…本語");
    }
}
