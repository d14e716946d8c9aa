//! The words of a shell command, as POSIX shells and Windows' `cmd` write them.

/// Parts a command into words; quotes and backslashes are taken off. An open quote ends with the text.
///
/// A backslash before white space is a line that goes on, also where a field of one line has made a space of its line end.
pub(super) fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => word.get_or_insert_default().extend(chars.by_ref().take_while(|c| *c != '\'')),
            '$' if chars.peek() == Some(&'\'') => {
                chars.next();
                ansi_c(&mut chars, word.get_or_insert_default());
            }
            '"' => double(&mut chars, word.get_or_insert_default()),
            '\\' => match chars.next() {
                Some(c) if !c.is_whitespace() => word.get_or_insert_default().push(c),
                _ => words.extend(word.take()),
            },
            c if c.is_whitespace() => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// The inside of `"…"`: a backslash takes the meaning from a quote, a dollar, a backtick and itself.
fn double(chars: &mut impl Iterator<Item = char>, word: &mut String) {
    while let Some(c) = chars.next() {
        match c {
            '"' => return,
            '\\' => match chars.next() {
                Some(c @ ('"' | '\\' | '$' | '`')) => word.push(c),
                Some('\n') | None => {}
                Some(c) => word.extend(['\\', c]),
            },
            c => word.push(c),
        }
    }
}

/// The inside of `$'…'`, in which Chrome writes what has a quote in it.
fn ansi_c(chars: &mut impl Iterator<Item = char>, word: &mut String) {
    while let Some(c) = chars.next() {
        match c {
            '\'' => return,
            '\\' => match chars.next() {
                Some('n') => word.push('\n'),
                Some('r') => word.push('\r'),
                Some('t') => word.push('\t'),
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    word.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                Some(c) => word.push(c),
                None => {}
            },
            c => word.push(c),
        }
    }
}

/// Takes the carets of Windows' `cmd` off, if the text is written with them: before a quote, or at the end of a line.
pub(super) fn without_carets(text: &str) -> Option<String> {
    let is_cmd = text.contains("^\"") || text.contains("^\n") || text.contains("^\r\n") || text.contains("\" ^ ");
    if !is_cmd {
        return None;
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '^' {
            plain.extend(chars.next());
        } else {
            plain.push(c);
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_are_taken_off() {
        for (text, words) in [
            ("a b", vec!["a", "b"]),
            ("a 'b c' \"d \\\" \\x\" e\\ f", vec!["a", "b c", "d \" \\x", "e", "f"]),
            ("a'b'\"c\" ''", vec!["abc", ""]),
            ("$'it\\'s\\u0021\\n' x", vec!["it's!\n", "x"]),
            ("a \\\n b", vec!["a", "b"]),
            ("'open", vec!["open"]),
            ("\\", vec![]),
        ] {
            assert_eq!(shell_words(text), words, "{text:?}");
        }
    }
}
