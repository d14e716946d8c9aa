//! Bytes of a log into lines: UTF-8 (lossy) or the UTF-16 that Windows PowerShell writes, at most 64 KiB each.

/// The longest line kept, in bytes; what follows is left out, and the line says so.
pub(super) const LINE_BYTES: usize = 64 * 1024;
/// How a line that was cut ends.
const CUT: &str = " … [line cut at 64 KiB]";

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    encoding: Encoding,
    /// The line that has not ended, in UTF-8 as it came.
    partial: Vec<u8>,
    /// Whether the rest of the line is left out.
    skips: bool,
    /// The first byte of a UTF-16 unit whose second has not come.
    half: Option<u8>,
    /// The first unit of a pair of surrogates whose second has not come.
    lead: Option<u16>,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// UTF-8, or what passes for it.
    #[default]
    Utf8,
    /// UTF-16, little-endian.
    Utf16,
}

impl Encoding {
    /// Reads the byte order mark.
    pub(super) fn of(first_bytes: &[u8]) -> Self {
        if first_bytes.starts_with(&[0xFF, 0xFE]) { Self::Utf16 } else { Self::Utf8 }
    }
}

impl Lines {
    /// Lines of a log in this encoding.
    pub(super) fn new(encoding: Encoding) -> Self {
        Self { encoding, ..Self::default() }
    }

    /// Takes more bytes and gives every line that they end.
    pub(super) fn push(&mut self, bytes: &[u8], emit: &mut impl FnMut(String)) {
        match self.encoding {
            Encoding::Utf8 => self.push_utf8(bytes, emit),
            Encoding::Utf16 => {
                let text = self.decode_utf16_units(bytes);
                self.push_utf8(text.as_bytes(), emit);
            }
        }
    }

    /// Gives the line that never ended, if there is one.
    pub(super) fn finish(&mut self, emit: &mut impl FnMut(String)) {
        if !self.partial.is_empty() {
            self.end_line(emit);
        }
    }

    fn push_utf8(&mut self, bytes: &[u8], emit: &mut impl FnMut(String)) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if !self.skips {
                let room = LINE_BYTES.saturating_sub(self.partial.len());
                let is_too_long = text.len() > room;
                self.partial.extend_from_slice(text.get(..room).unwrap_or(text));
                if is_too_long {
                    self.skips = true;
                    let mut line = self.take();
                    line.push_str(CUT);
                    emit(line);
                }
            }
            if ends {
                if self.skips {
                    self.skips = false;
                } else {
                    self.end_line(emit);
                }
            }
        }
    }

    fn end_line(&mut self, emit: &mut impl FnMut(String)) {
        let line = self.take();
        let line = line.trim_end_matches('\r').trim_start_matches('\u{FEFF}');
        if !line.trim().is_empty() {
            emit(line.to_owned());
        }
    }

    fn take(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned()
    }

    fn decode_utf16_units(&mut self, bytes: &[u8]) -> String {
        let mut units: Vec<u16> = self.lead.take().into_iter().collect();
        for byte in bytes {
            match self.half.take() {
                Some(low) => units.push(u16::from_le_bytes([low, *byte])),
                None => self.half = Some(*byte),
            }
        }
        if let Some(last) = units.pop_if(|last| (0xD800..0xDC00).contains(last)) {
            self.lead = Some(last);
        }
        char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(encoding: Encoding, bytes: &[u8], wanted: &[&str]) {
        for cut in 1..=bytes.len().min(9) {
            let mut lines = Lines::new(encoding);
            let mut seen = Vec::new();
            for piece in bytes.chunks(cut) {
                lines.push(piece, &mut |line| seen.push(line));
            }
            lines.finish(&mut |line| seen.push(line));
            assert_eq!(seen, wanted, "cut at {cut}");
        }
    }

    #[test]
    fn any_cut_of_the_bytes_gives_the_same_lines() {
        check(Encoding::Utf8, "a ❌\r\n\n  \nb\nno end".as_bytes(), &["a ❌", "b", "no end"]);
        check(Encoding::Utf8, b"\xEF\xBB\xBFfirst\nbad \xFF byte\n", &["first", "bad \u{FFFD} byte"]);
        let wide: Vec<u8> = "\u{FEFF}one ❌🦀\r\ntwo\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(Encoding::of(&wide), Encoding::Utf16);
        check(Encoding::Utf16, &wide, &["one ❌🦀", "two"]);
    }

    #[test]
    fn endless_line_is_cut_and_says_so() {
        let mut seen = Vec::new();
        let mut lines = Lines::default();
        for _ in 0..300 {
            lines.push(&[b'x'; 1000], &mut |line| seen.push(line));
        }
        lines.push(b"\nnext\n", &mut |line| seen.push(line));
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0], format!("{}{CUT}", "x".repeat(LINE_BYTES)));
        assert_eq!(seen[1], "next");
        let exact = [vec![b'y'; LINE_BYTES], b"\n".to_vec()].concat();
        lines.push(&exact, &mut |line| seen.push(line));
        assert_eq!(seen[2].len(), LINE_BYTES);
    }
}
