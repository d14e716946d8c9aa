//! Lines of a server's and of a browser's console: which of them say why a connection ends.
//!
//! The table for servers is in `table.rs`, that for browsers and other clients in `browser.rs`, a row for each thing that is
//! known. What a line means for one connection (was it near the event, does the wire fit) is not here: that is the work
//! of `rules/console.rs` and `rules/browser.rs`. Start at [`recognise`] and [`explain_lines`].

mod browser;
mod escapes;
mod exits;
pub(super) mod near;
mod pasted;
mod search;
mod table;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use super::words::masked;
pub use browser::{BrowserLine, recognise_browser};
pub use escapes::without_escapes;
pub(super) use exits::exit_meaning;
pub use pasted::{Explained, ExplainedLines, explain_lines};
use search::Search;
use table::{CONSEQUENCES, Needle, ROWS, SIGNS, STARTS};

/// How much of a line is looked at, in bytes.
pub const LOOKED_AT_BYTES: usize = 4096;
/// How much of a line is quoted, in characters.
const QUOTE_CHARS: usize = 240;

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The id in the catalogue of what it tells of.
    pub cause: &'static str,
    /// What it says, as a clause: `the database is not reached`.
    pub meaning: &'static str,
    /// How long it holds.
    pub scope: Scope,
    /// The line on one row, without escape sequences and tokens, and not too long.
    pub quote: String,
}

/// How long a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It is about one connection, and holds for what happens within two seconds of it.
    Connection,
    /// It is about the server's process, and holds until another start.
    Process,
}

/// Says what a line tells, if anything; only its first [`LOOKED_AT_BYTES`] are looked at.
pub fn recognise(line: &str) -> Option<Recognised> {
    recognised(row_of(line)?, line)
}

/// The number of the row of the table that a line belongs to.
fn row_of(line: &str) -> Option<u16> {
    read(line).1
}

/// Whether a line is a start, and the number of its row; in one pass.
fn read(line: &str) -> (bool, Option<u16>) {
    let plain = plain(line);
    let hits = TABLES.hits(&plain);
    let row = TABLES.first(&hits, IN_ROWS).and_then(|row| u16::try_from(row).ok());
    (TABLES.any(&hits, IN_STARTS), row)
}

/// What a line tells that belongs to this row.
fn recognised(row: u16, line: &str) -> Option<Recognised> {
    let row = ROWS.get(usize::from(row))?;
    Some(Recognised { cause: row.cause, meaning: row.meaning, scope: row.scope, quote: quote(line) })
}

/// A line as it is quoted: on one row, without escape sequences and tokens, and not too long.
fn quote(line: &str) -> String {
    masked(&plain(line), None, QUOTE_CHARS)
}

/// A kind of line that is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The id in the catalogue of what it tells of.
    pub cause: &'static str,
    /// What it says, as a clause.
    pub meaning: &'static str,
    /// A line of this kind.
    pub sample: &'static str,
}

/// Every kind of line that is recognised, for those who want to see what is looked for.
pub fn known() -> impl Iterator<Item = Known> {
    ROWS.iter().map(|row| Known { cause: row.cause, meaning: row.meaning, sample: row.sample })
}

/// Whether a line says that the server has begun to listen: what was wrong with an earlier process no longer holds.
pub fn is_start(line: &str) -> bool {
    is_among(line, IN_STARTS)
}

/// What a line says that tells of no trouble: the server has begun to listen, or a step of a connection went well.
pub fn good_sign(line: &str) -> Option<&'static str> {
    let plain = plain(line);
    let hits = TABLES.hits(&plain);
    if TABLES.any(&hits, IN_STARTS) {
        return Some("the server listens");
    }
    // The guide's server says so of a request without one.
    if plain.ends_with("token received, length: 0") {
        return None;
    }
    let (_, meaning, _) = SIGNS.get(TABLES.first(&hits, IN_SIGNS)? - IN_SIGNS.start)?;
    Some(meaning)
}

/// The lines of an earlier time that still hold for the server's process, in their order.
pub fn still_holding(lines: &[String]) -> Vec<&str> {
    let mut holding: Vec<(&str, Option<&'static str>)> = Vec::new();
    for line in lines {
        if is_start(line) {
            // Settings stay as they were said before the process listened; its troubles are over.
            holding.retain(|(_, cause)| *cause == Some("jwt-secret-missing"));
            holding.push((line, None));
        } else if let Some(known) = recognise(line).filter(|known| known.scope == Scope::Process) {
            holding.retain(|(_, cause)| *cause != Some(known.cause));
            holding.push((line, Some(known.cause)));
        } else if is_secret_known(line) {
            holding.retain(|(_, cause)| *cause != Some("jwt-secret-missing"));
        }
    }
    holding.into_iter().map(|(line, _)| line).collect()
}

/// Whether a line says, as the guide's server does, that the secret is there.
pub(super) fn is_secret_known(line: &str) -> bool {
    is_among(line, IN_SECRET_KNOWN)
}

/// Whether an exception is what a server meets when its client is gone, or when a probe looks in.
pub(super) fn is_consequence(line: &str) -> bool {
    is_among(line, IN_CONSEQUENCES)
}

fn is_among(line: &str, rows: Range<usize>) -> bool {
    let plain = plain(line);
    TABLES.any(&TABLES.hits(&plain), rows)
}

/// The beginning of a line without escape sequences.
pub(super) fn plain(line: &str) -> Cow<'_, str> {
    let mut end = line.len().min(LOOKED_AT_BYTES);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let begin = line.get(..end).unwrap_or_default();
    if begin.contains(['\u{1B}', '\u{9B}']) { without_escapes(begin).into() } else { begin.into() }
}

/// The tables of the server's console as they are searched: constants, built when the first line comes.
static TABLES: LazyLock<Search> = LazyLock::new(|| {
    let rows = ROWS.iter().map(|row| row.needle);
    let starts = STARTS.iter().map(|(needle, _)| *needle);
    let signs = SIGNS.iter().map(|(needle, ..)| *needle);
    let others = [Needle::Any(CONSEQUENCES), Needle::All(&["jwt_secret configured: yes"])];
    Search::new(rows.chain(starts).chain(signs).chain(others))
});
const IN_ROWS: Range<usize> = 0..ROWS.len();
const IN_STARTS: Range<usize> = IN_ROWS.end..IN_ROWS.end + STARTS.len();
const IN_SIGNS: Range<usize> = IN_STARTS.end..IN_STARTS.end + SIGNS.len();
const IN_CONSEQUENCES: Range<usize> = IN_SIGNS.end..IN_SIGNS.end + 1;
const IN_SECRET_KNOWN: Range<usize> = IN_CONSEQUENCES.end..IN_CONSEQUENCES.end + 1;

/// Whether a line is what a shell or Node prints when a process ends against its will.
fn is_end_of_process(line: &str) -> bool {
    let line = line.trim();
    let is_version = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    matches!(line, "Killed" | "Aborted" | "Segmentation fault" | "Terminated")
        || line.strip_prefix("Node.js v").is_some_and(is_version)
}

/// Whether a line is the message of a Perl or Ruby program that raised: `… at FILE line 12.`, `FILE:12:in 'm': … (SomeError)`.
fn is_death_of_script(line: &str) -> bool {
    let line = line.trim_end();
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let is_perl = line.strip_suffix('.').and_then(|line| line.rsplit_once(" line ")).is_some_and(|(before, number)| {
        is_number(number) && before.rsplit_once(" at ").is_some_and(|(_, file)| !file.is_empty() && !file.contains(' '))
    });
    let is_ruby = line.contains(":in ") && (line.ends_with("Error)") || line.ends_with("Exception)"));
    (is_perl || is_ruby) && !is_consequence(line)
}

/// Whether a line is an exception as loggers print it that write JSON: with its stack in a field.
fn is_logged_exception(line: &str) -> bool {
    let names = ["\"stack\":\"", "\"stacktrace\":\"", "\"stack_trace\":\"", "\"exc_info\":\"", "\"exception\":\""];
    let stack = names.iter().find_map(|name| Some(line.split_once(name)?.1));
    let is_exception = |stack: &str| stack.contains("Error") || stack.contains("Exception");
    line.trim_start().starts_with('{') && stack.is_some_and(is_exception) && !is_consequence(line)
}

/// Whether a line is the head of a stack trace or its end: `TypeError: …`, `java.lang.IllegalStateException: …`.
fn is_exception_head(line: &str) -> bool {
    let line = line.trim();
    let line = line.strip_prefix("Uncaught ").unwrap_or(line);
    let (name, rest) = line.split_once(':').unwrap_or((line, ""));
    let name = name.split_once([' ']).filter(|(_, more)| more.starts_with(['[', '('])).map_or(name, |(name, _)| name);
    let is_path = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '$'));
    let last = name.rsplit('.').next().unwrap_or(name);
    is_path
        && last.starts_with(|c: char| c.is_ascii_uppercase())
        && (last.ends_with("Error") || last.ends_with("Exception"))
        && (rest.is_empty() || rest.starts_with(' '))
        && !is_consequence(line)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::table::Row;
    use super::*;
    use crate::diagnosis::catalogue::cause;

    #[test]
    fn each_row_recognises_its_own_sample() {
        for Row { needle, cause: id, meaning, scope, sample } in ROWS {
            let seen = recognise(sample).unwrap_or_else(|| panic!("{sample}"));
            assert_eq!((seen.cause, seen.meaning, seen.scope), (*id, *meaning, *scope), "{sample}");
            assert!(cause(id).is_some(), "{id}");
            assert!(!meaning.ends_with('.') && meaning.len() > 10, "{meaning}");
            assert!(!is_start(sample), "{sample}");
            let coloured = format!("\u{1B}[31m2026-11-22T10:00:00Z \u{1B}]0;title\u{7}{sample}\u{1B}[0m");
            if !matches!(needle, Needle::Is(_)) && !is_exception_head(sample) {
                assert_eq!(recognise(&coloured).map(|seen| seen.cause), Some(*id), "{coloured}");
            }
        }
        for (nth, (_, sample)) in STARTS.iter().enumerate() {
            let row = IN_STARTS.start + nth;
            assert!(TABLES.any(&TABLES.hits(sample), row..row + 1) && is_start(sample), "{sample}");
        }
        for (_, meaning, sample) in SIGNS {
            assert_eq!(good_sign(sample), Some(*meaning), "{sample}");
            assert_eq!(recognise(sample), None, "{sample}");
        }
        let samples: BTreeSet<_> = ROWS.iter().map(|row| row.sample).collect();
        assert_eq!(samples.len(), ROWS.len());
    }

    #[test]
    fn everyday_lines_mean_nothing() {
        for line in [
            "",
            "[WebSocket] ========================================",
            "[WebSocket] New connection attempt from: ::1",
            "[WebSocket] Request URL: /?token=...&agentId=...",
            "[WebSocket] Token received, length: 256",
            "[WebSocket] ✅ Token verified successfully for user: u tenant: t",
            "[WebSocket] ✅ Connection confirmed message sent",
            "[WebSocket] JWT_SECRET configured: Yes (custom secret)",
            "[WebSocket] Server listening on port 3001",
            "INFO:     127.0.0.1:52114 - \"WebSocket /ws\" [accepted]",
            "INFO:     connection open",
            "GET /errors 200 in 12ms",
            "no error: 0 errors found",
            "Error handling is enabled",
            "SKIP10012 order P10012",
            "websockets.exceptions.ConnectionClosedError: no close frame received or sent",
            "Error: read ECONNRESET",
            "Killed connection 12",
            "Node.js v20 is required",
            "worker process 12 started",
            "GET /missing: not found",
            "{\"level\":30,\"msg\":\"no Error\",\"stack\":\"none\"}",
            "{\"err\":{\"stack\":\"Error: read ECONNRESET\\n    at TCP.onStreamRead\"}}",
            "the field \"stack\":\"Error: x\" is not set",
            "See the comment at the top, line 12.",
            "listening at /srv/app line 12",
            "Completed 200 OK in 12ms (Views: 3.1ms)",
        ] {
            assert_eq!(recognise(line), None, "{line}");
        }
    }

    #[test]
    fn the_more_particular_row_wins() {
        let check = |line: &str, id: &str| assert_eq!(recognise(line).map(|seen| seen.cause), Some(id), "{line}");
        check("[WebSocket] ❌ Fatal error in connection handler: JsonWebTokenError: jwt malformed", "jwt-malformed");
        check("[WebSocket] ? Token verification failed: jwt expired", "jwt-expired");
        check("[WebSocket] ❌ Token verification failed: secret or public key must be provided", "jwt-secret-missing");
        check("Error: listen EADDRINUSE: address already in use :::3001", "address-in-use");
        check("Error: connect ECONNREFUSED 127.0.0.1:5432", "db-unreachable");
        check("Error: connect ECONNREFUSED 127.0.0.1:8080", "handler-exception");
        check("Uncaught TypeError: x is not a function", "handler-exception");
        check("NameError (undefined local variable or method 'tenant'):", "handler-exception");
        check("app.rb:12:in 'Voice#call': tenant is missing (RuntimeError)", "handler-exception");
        check("thread 'tokio-rt-worker' (4711) panicked at src/main.rs:3:5:", "handler-exception");
        check("SyntaxError: Unexpected token '<'", "boot-crash");
    }

    #[test]
    fn a_quote_is_short_and_without_secrets() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let line = format!("\u{1B}[31mjwt expired\u{1B}[0m {token} {}", "é".repeat(100_000));
        let quote = recognise(&line).unwrap().quote;
        assert!(quote.starts_with("jwt expired <token> é") && quote.chars().count() <= QUOTE_CHARS + 1, "{quote}");
        assert!(recognise(&format!("{}jwt expired", "x".repeat(5_000))).is_none());
    }

    #[test]
    fn earlier_lines_hold_until_the_next_start() {
        let check = |lines: &[&str], wanted: &[&str]| {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(still_holding(&lines), wanted);
        };
        let up = "[WebSocket] Server listening on port 3001";
        let no_secret = "[WebSocket] JWT_SECRET configured: No";
        let taken = "Error: listen EADDRINUSE: address already in use :::3001";
        let memory = "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory";
        let expired = "[WebSocket] ❌ Token verification failed: jwt expired";
        check(&[memory, up, expired], &[up]);
        check(&[no_secret, up], &[no_secret, up]);
        check(&[no_secret, up, "[WebSocket] JWT_SECRET configured: Yes (custom secret)", up], &[up]);
        check(&[up, expired, taken], &[up, taken]);
        check(&[expired], &[]);
    }
}
