//! Lines of marked words: wrapped to a width, coloured for a terminal.

use crate::export::visible::{columns, width};

/// What a word is, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Ordinary text.
    Plain,
    /// Less important.
    Dim,
    /// More important.
    Strong,
    /// All well.
    Good,
    /// Not well.
    Bad,
    /// Worth a look.
    Warn,
    /// Something to copy.
    Command,
}

impl Tone {
    /// The SGR parameters (ECMA-48 §8.3.117) of the sixteen colours that every terminal has.
    fn sgr(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "2",
            Self::Strong => "1",
            Self::Good => "1;32",
            Self::Bad => "1;31",
            Self::Warn => "33",
            Self::Command => "36",
        }
    }
}

/// A line before it is wrapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    spans: Vec<(Tone, String)>,
    hang: usize,
    is_unwrapped: bool,
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds words of a tone.
    #[must_use]
    pub fn add(mut self, tone: Tone, text: &str) -> Self {
        self.spans.push((tone, text.to_owned()));
        self
    }

    /// Adds ordinary words.
    #[must_use]
    pub fn plain(self, text: &str) -> Self {
        self.add(Tone::Plain, text)
    }

    /// Adds less important words.
    #[must_use]
    pub fn dim(self, text: &str) -> Self {
        self.add(Tone::Dim, text)
    }

    /// Indents what does not fit into the first line by so many columns.
    #[must_use]
    pub fn hang(mut self, columns: usize) -> Self {
        self.hang = columns;
        self
    }

    /// Never breaks this line: it is to be copied.
    #[must_use]
    pub fn unwrapped(mut self) -> Self {
        self.is_unwrapped = true;
        self
    }

    /// Its words without their tones.
    pub fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// Lines as one text, each ended by LF, wrapped to `max` columns and coloured if asked.
pub fn render(lines: &[Line], max: Option<usize>, colour: bool) -> String {
    let mut out = String::new();
    for line in lines {
        let wrapped = max.filter(|_| !line.is_unwrapped).map(|max| max.max(line.hang + NARROWEST));
        render_line(line, wrapped, colour, &mut out);
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
    out
}

fn render_line(line: &Line, max: Option<usize>, colour: bool, out: &mut String) {
    let mut column = 0;
    for (tone, text) in &line.spans {
        let sgr = tone.sgr();
        let is_coloured = colour && !sgr.is_empty() && !text.trim().is_empty();
        if is_coloured {
            out.extend(["\u{1b}[", sgr, "m"]);
        }
        for word in text.split_inclusive(' ') {
            let len = width(word.trim_end());
            if let Some(max) = max
                && column > line.hang
                && column + len > max
            {
                column = break_line(line.hang, out);
            }
            for c in word.chars() {
                if let Some(max) = max
                    && c != ' '
                    && column + columns(c) > max
                {
                    column = break_line(line.hang, out);
                }
                out.push(c);
                column += columns(c);
            }
        }
        if is_coloured {
            out.push_str("\u{1b}[0m");
        }
    }
}

fn break_line(hang: usize, out: &mut String) -> usize {
    while out.ends_with(' ') {
        out.pop();
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', hang));
    hang
}

/// However narrow the terminal, so many columns are used beside the indent.
const NARROWEST: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_hang() {
        let line = Line::new().add(Tone::Good, "✓").plain(" one two three four five six seven").hang(2);
        assert_eq!(render(std::slice::from_ref(&line), Some(24), false), "✓ one two three four\n  five six seven\n");
        assert_eq!(render(&[line], None, false), "✓ one two three four five six seven\n");
    }

    #[test]
    fn long_words_and_wide_characters_break_too() {
        let line = Line::new().plain(&"漢".repeat(15));
        assert_eq!(render(&[line], Some(20), false), format!("{}\n{}\n", "漢".repeat(10), "漢".repeat(5)));
    }

    #[test]
    fn colours_are_only_written_when_asked() {
        let line = Line::new().add(Tone::Bad, "no").plain(" x");
        assert_eq!(render(std::slice::from_ref(&line), None, true), "\u{1b}[1;31mno\u{1b}[0m x\n");
        assert_eq!(render(std::slice::from_ref(&line), None, false), "no x\n");
        let copied = Line::new().add(Tone::Command, &"a ".repeat(40)).unwrapped();
        assert_eq!(render(&[copied], Some(20), false).lines().count(), 1);
    }
}
