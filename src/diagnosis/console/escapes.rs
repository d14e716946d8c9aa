//! Lines of a console without their escape sequences (ECMA-48), which are never obeyed.

/// A line without its escape sequences: colours, cursor moves, titles.
///
/// What begins like a sequence and does not end like one is no sequence: its text stays, so that nothing can hide behind it.
pub fn without_escapes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(['\u{1B}', '\u{9B}']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        rest = after_sequence(from);
    }
    out.push_str(rest);
    out
}

/// What follows the sequence at the beginning of a text; at least its first character is gone.
fn after_sequence(text: &str) -> &str {
    let mut chars = text.chars();
    let first = chars.next();
    let body = chars.as_str();
    if first == Some('\u{9B}') {
        return after_csi(body).unwrap_or(body);
    }
    match chars.next() {
        Some('[') => after_csi(chars.as_str()).unwrap_or(chars.as_str()),
        Some(']' | 'P' | '_' | '^' | 'X') => after_string(chars.as_str()).unwrap_or(chars.as_str()),
        // Intermediates such as the choice of a character set, then one final byte.
        Some(' '..='/') => {
            let end = chars.as_str().find(|c: char| !(' '..='/').contains(&c));
            end.and_then(|end| after_final(chars.as_str().get(end..)?, '0'..='~')).unwrap_or(chars.as_str())
        }
        Some('0'..='~') => chars.as_str(),
        Some(_) | None => body,
    }
}

/// Parameters, intermediates and one final byte.
fn after_csi(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(' '..='?').contains(&c))?;
    if end > CSI_BYTES {
        return None;
    }
    after_final(text.get(end..)?, '@'..='~')
}

fn after_final(text: &str, finals: std::ops::RangeInclusive<char>) -> Option<&str> {
    let mut chars = text.chars();
    chars.next().filter(|last| finals.contains(last))?;
    Some(chars.as_str())
}

/// Up to BEL, ST, or ESC `\`.
fn after_string(text: &str) -> Option<&str> {
    let end = text.find(['\u{7}', '\u{1B}', '\u{9C}']).filter(|end| *end <= STRING_BYTES)?;
    let from = text.get(end..)?;
    from.strip_prefix("\u{1B}\\").or_else(|| from.strip_prefix(['\u{7}', '\u{9C}']))
}

/// The longest control sequence that is taken for one.
const CSI_BYTES: usize = 64;
/// The longest title or link that is taken for one.
const STRING_BYTES: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_gone_and_words_stay() {
        for (line, plain) in [
            ("plain", "plain"),
            ("\u{1B}[31mred\u{1B}[0m end", "red end"),
            ("\u{1B}[1;38;5;9mbold", "bold"),
            ("\u{9B}1;2Hmoved", "moved"),
            ("\u{1B}[1;31mred\u{1B}[0m \u{1B}(Bplain", "red plain"),
            ("\u{1B}]0;title\u{7}after", "after"),
            ("\u{1B}]8;;http://a\u{1B}\\link\u{1B}]8;;\u{1B}\\", "link"),
            ("\u{1B}cfresh", "fresh"),
            ("\u{1B}[2K\u{1B}[1Gvite", "vite"),
        ] {
            assert_eq!(without_escapes(line), plain, "{line:?}");
        }
    }

    #[test]
    fn nothing_hides_behind_a_sequence_without_an_end() {
        for (line, plain) in [
            ("\u{1B}", ""),
            ("\u{1B}[", ""),
            ("a\u{1B}[31", "a31"),
            ("\u{1B}[31 jwt expired", "\u{1B}31 jwt expired"),
            ("\u{1B}]0;jwt expired", "0;jwt expired"),
            ("\u{1B}]0;title\u{1B}[31mjwt expired", "0;titlejwt expired"),
            ("\u{1B}\u{1B}[31mtwice", "twice"),
            ("\u{1B}❌ no", "❌ no"),
        ] {
            let wanted = plain.replace('\u{1B}', "");
            let seen = without_escapes(line);
            assert!(seen == wanted || seen.ends_with("wt expired"), "{line:?}: {seen:?}");
        }
        let long = format!("\u{1B}]0;{}\u{7}end", "x".repeat(STRING_BYTES + 1));
        assert!(without_escapes(&long).len() > STRING_BYTES);
        let long = format!("\u{1B}[{}m", "1;".repeat(CSI_BYTES));
        assert!(without_escapes(&long).len() > CSI_BYTES);
    }
}
