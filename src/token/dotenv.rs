//! `.env` texts: the secrets in them, and their variables.
//!
//! Read as the `dotenv` package for Node reads them. Where other readers see another value, that value is kept beside it,
//! so that the difference can be named when it is the one that verifies.

use std::collections::BTreeMap;

use super::secret::Secret;

/// The secrets of a text that is called `.env`; see [`secrets_from_env_file`].
pub fn secrets_from_env(text: &str) -> Vec<Secret> {
    secrets_from_env_file(text, ".env")
}

/// Every variable of a `.env` text by name, the last of a name winning.
pub fn variables_from_env(text: &str) -> BTreeMap<String, String> {
    entries(text).into_iter().map(|entry| (entry.name.to_owned(), entry.value)).collect()
}

/// Whether a file of this name holds variables.
pub fn is_env_file(name: &str) -> bool {
    name == ".env" || name.starts_with(".env.") || name.strip_suffix(".env").is_some()
}

/// The names of the files that may stand beside the `.env` file `name` and that frameworks read as well.
pub fn env_file_kin(name: &str) -> impl Iterator<Item = &'static str> {
    KIN.into_iter().filter(move |kin| *kin != name)
}

/// The order is that in which Vite and Next.js let one override the other, the strongest first.
const KIN: [&str; 8] = [
    ".env.local",
    ".env.development.local",
    ".env.production.local",
    ".env.development",
    ".env.production",
    ".env.test",
    ".env",
    ".env.example",
];

/// The variables of a `.env` text whose names smell of a secret, `JWT_SECRET` first.
///
/// The names begin with that of the file: `.env JWT_SECRET`. Empty values are left out, save that of `JWT_SECRET`: that it is empty is a finding.
pub fn secrets_from_env_file(text: &str, file: &str) -> Vec<Secret> {
    let entries = entries(text);
    let mut values = BTreeMap::new();
    for entry in &entries {
        values.insert(entry.name, entry.value.as_str());
    }
    let mut secrets: Vec<(u8, Secret)> = Vec::new();
    for (nth, entry) in entries.iter().enumerate() {
        let is_last = entries.iter().skip(nth + 1).all(|later| later.name != entry.name);
        let Some(rank) = rank(entry.name).filter(|_| is_last) else {
            continue;
        };
        if entry.value.is_empty() && rank > 0 {
            continue;
        }
        let mut secret = Secret::new(format!("{file} {}", entry.name), entry.value.as_bytes());
        if let Some(longer) = &entry.uncut {
            let phrase = "with the text after its `#`, which dotenv takes for a comment";
            secret = secret.with_other(phrase, longer.as_bytes());
        }
        if entry.is_expandable && entry.value.contains('$') {
            let expanded = expand(&entry.value, &values);
            secret = secret.with_other("with its `$` expanded, as Next.js reads it", expanded.as_bytes());
        }
        for earlier in entries.iter().take(nth).filter(|earlier| earlier.name == entry.name) {
            let phrase = "in an earlier line of the file, which a later one overrides";
            secret = secret.with_other(phrase, earlier.value.as_bytes());
        }
        secrets.push((rank, secret));
    }
    secrets.sort_by_key(|&(rank, _)| rank);
    secrets.into_iter().map(|(_, secret)| secret).collect()
}

/// How likely a variable of this name holds the secret, 0 first; `None` if not at all.
fn rank(name: &str) -> Option<u8> {
    let upper = name.to_ascii_uppercase();
    let has = |word: &str| upper.contains(word);
    if upper == "JWT_SECRET" {
        Some(0)
    } else if has("JWT") && (has("SECRET") || has("KEY")) {
        Some(1)
    } else if has("JWT") {
        Some(2)
    } else if has("SECRET") {
        Some(3)
    } else if ["KEY", "TOKEN", "AUTH", "SIGN", "HMAC", "PRIVATE", "SALT", "PASS"].iter().any(|word| has(word)) {
        Some(4)
    } else {
        None
    }
}

struct Entry<'t> {
    name: &'t str,
    value: String,
    /// The whole line's value, where a `#` cut it short.
    uncut: Option<String>,
    /// Whether `$NAME` means something in it.
    is_expandable: bool,
}

fn entries(text: &str) -> Vec<Entry<'_>> {
    let mut rest = text.trim_start_matches('\u{feff}');
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let line_end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, after) = rest.split_at(line_end);
        rest = after.trim_start_matches(['\n', '\r']);
        let Some((name, value)) = assignment(line) else {
            continue;
        };
        let quote = value.chars().next().filter(|char| matches!(char, '"' | '\'' | '`'));
        let tail = text_from(text, value);
        if let Some(quote) = quote
            && let Some(end) = closing_quote(tail, quote)
        {
            let inner = tail.get(1..end).unwrap_or_default();
            entries.push(Entry {
                name,
                value: if quote == '"' { unescape(inner) } else { inner.to_owned() },
                uncut: None,
                is_expandable: quote != '\'',
            });
            let after = tail.get(end + 1..).unwrap_or_default();
            let line_end = after.find(['\n', '\r']).unwrap_or(after.len());
            rest = after.get(line_end..).unwrap_or_default().trim_start_matches(['\n', '\r']);
            continue;
        }
        let (before, has_comment) = value.split_once('#').map_or((value, false), |(before, _)| (before, true));
        entries.push(Entry {
            name,
            value: before.trim().to_owned(),
            uncut: (has_comment && !before.ends_with([' ', '\t'])).then(|| value.trim().to_owned()),
            is_expandable: true,
        });
    }
    entries
}

/// The rest of `text` from where its slice `part` starts.
fn text_from<'t>(text: &'t str, part: &'t str) -> &'t str {
    let at = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    text.get(at..).unwrap_or(part)
}

/// `export NAME = value` or `NAME: value`, the value trimmed.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).map_or(line, str::trim_start);
    let line = line.strip_prefix("$env:").unwrap_or(line);
    let name_end = line.find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '-')))?;
    let (name, rest) = line.split_at(name_end);
    if name.is_empty() {
        return None;
    }
    let spaced = rest.trim_start();
    let value = spaced.strip_prefix('=').or_else(|| rest.strip_prefix(": "))?;
    Some((name, value.trim()))
}

/// The offset of the quote that closes the one at the start of `text`.
fn closing_quote(text: &str, quote: char) -> Option<usize> {
    let mut was_backslash = false;
    for (at, char) in text.char_indices().skip(1) {
        if char == quote && !was_backslash {
            return Some(at);
        }
        was_backslash = char == '\\' && !was_backslash;
    }
    None
}

fn unescape(value: &str) -> String {
    value.replace("\\n", "\n").replace("\\r", "\r")
}

/// `$NAME` and `${NAME}` replaced by the file's own values, or by nothing; `\$` is a dollar sign.
fn expand(value: &str, values: &BTreeMap<&str, &str>) -> String {
    let mut expanded = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at);
        let after = after.get(1..).unwrap_or_default();
        if let Some(escaped) = before.strip_suffix('\\') {
            expanded.push_str(escaped);
            expanded.push('$');
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let (name, next) = braced.unwrap_or_else(|| {
            let end = after.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_')).unwrap_or(after.len());
            after.split_at(end)
        });
        if name.is_empty() {
            expanded.push('$');
        } else {
            let (name, fallback) = name.split_once(":-").unwrap_or((name, ""));
            expanded.push_str(values.get(name).copied().unwrap_or(fallback));
        }
        rest = next;
    }
    expanded.push_str(rest);
    expanded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<(String, String)> {
        secrets_from_env(text)
            .into_iter()
            .map(|secret| (secret.name.clone(), String::from_utf8_lossy(secret.bytes()).into_owned()))
            .collect()
    }

    #[test]
    fn each_way_of_writing_a_value_is_read() {
        let cases = [
            ("JWT_SECRET=abc", "abc"),
            ("JWT_SECRET = abc \r\nPORT=1", "abc"),
            ("\u{feff}JWT_SECRET=abc", "abc"),
            ("export JWT_SECRET=abc # why", "abc"),
            ("# JWT_SECRET=no\nJWT_SECRET='a # b'", "a # b"),
            ("JWT_SECRET=\"a\\nb\"", "a\nb"),
            ("JWT_SECRET=\"two\nlines\"\nX=1", "two\nlines"),
            ("JWT_SECRET=`a'b\"c` # x", "a'b\"c"),
            ("JWT_SECRET='a\\nb'", "a\\nb"),
            ("JWT_SECRET: abc", "abc"),
            ("JWT_SECRET=a=b==", "a=b=="),
            ("JWT_SECRET=one\nJWT_SECRET=two", "two"),
            ("JWT_SECRET=", ""),
            ("JWT_SECRET=\"open", "\"open"),
            ("$env:JWT_SECRET=\"abc\"", "abc"),
        ];
        for (text, value) in cases {
            assert_eq!(values(text), [(".env JWT_SECRET".to_owned(), value.to_owned())], "{text:?}");
        }
    }

    #[test]
    fn only_what_smells_of_a_secret_is_taken_and_jwt_secret_comes_first() {
        let text = "PORT=3001\nSESSION_SECRET=s\nAPI_KEY=k\nJWT_REFRESH_SECRET=r\nEMPTY_KEY=\nJWT_SECRET=j\nHOST=h\nNEXTAUTH_SECRET=n\n";
        let names: Vec<_> = values(text).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                ".env JWT_SECRET",
                ".env JWT_REFRESH_SECRET",
                ".env SESSION_SECRET",
                ".env NEXTAUTH_SECRET",
                ".env API_KEY"
            ]
        );
    }

    #[test]
    fn what_other_readers_see_is_kept_beside_it() {
        let secrets = secrets_from_env("A=x\nJWT_SECRET=old\nJWT_SECRET=p$A-${B}#q\n");
        assert_eq!(secrets[0].bytes(), b"p$A-${B}");
        let others: Vec<_> = secrets[0].others().iter().map(|(_, bytes)| bytes.as_slice()).collect();
        assert_eq!(others, [b"p$A-${B}#q".as_slice(), b"px-", b"old"]);
    }

    #[test]
    fn every_variable_is_there_for_templates() {
        let found = variables_from_env("A=1\nexport B='two words'\nA=3\nEMPTY=\n");
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("A", "3"), ("B", "two words"), ("EMPTY", "")]);
    }

    #[test]
    fn the_files_that_override_each_other_are_named() {
        assert!(is_env_file(".env") && is_env_file(".env.local") && is_env_file("prod.env"));
        assert!(!is_env_file("environment") && !is_env_file("secret.txt"));
        let others: Vec<_> = env_file_kin(".env.local").collect();
        assert!(others.contains(&".env") && !others.contains(&".env.local"));
    }

    #[test]
    fn rubbish_is_no_trouble() {
        for text in ["", "=", "==\n==", "\"", "SECRET", "SECRET_KEY=\"", "\0", "export", "é=é\nKEY=é$", "KEY=${"] {
            secrets_from_env(text);
        }
    }
}
