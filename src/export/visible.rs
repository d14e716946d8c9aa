//! Foreign text made harmless: what a terminal or a reader would obey is shown as a code.

/// Whether a character is shown as a code: controls, bidi controls, invisible and private ones.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..
        )
}

/// A text with every hidden character as a code: `\n`, `\t`, `\u{202e}`.
pub fn visible(text: &str) -> String {
    if !text.chars().any(is_hidden) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// How many columns of a terminal a character takes: 2 for wide East Asian ones and emoji, 0 for marks that combine.
pub fn columns(c: char) -> usize {
    match u32::from(c) {
        0x0300..=0x036F | 0x1AB0..=0x1AFF | 0x20D0..=0x20FF | 0xFE00..=0xFE0F | 0xFE20..=0xFE2F => 0,
        0x1100..=0x115F
        | 0x2E80..=0x303E
        | 0x3041..=0x33FF
        | 0x3400..=0x4DBF
        | 0x4E00..=0x9FFF
        | 0xA000..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1F64F
        | 0x1F680..=0x1F6FF
        | 0x1F900..=0x1F9FF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// How many columns of a terminal a text takes.
pub fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// At most `max` characters of a text, with an ellipsis if it was longer.
pub fn shortened(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hidden_is_obeyed() {
        assert_eq!(visible("a\u{1b}[31mb\u{202e}c\r\n\té漢"), "a\\u{1b}[31mb\\u{202e}c\\r\\n\\té漢");
        assert_eq!(visible("plain ✓"), "plain ✓");
        assert!(!visible(&(0..0x3000_u32).filter_map(char::from_u32).collect::<String>()).chars().any(is_hidden));
    }

    #[test]
    fn columns_of_wide_text() {
        assert_eq!(width("ab漢字"), 6);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(shortened("abcdef", 3), "abc…");
        assert_eq!(shortened("abc", 3), "abc");
    }
}
