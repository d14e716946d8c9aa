//! `sockeye explain`: a close code, an HTTP status, a cause, or the lines of a console in words.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use super::failure::Failure;
use super::print;
use super::server::is_standard_input;
use crate::diagnosis::catalogue::{self, Cause, Platform, Target};
use crate::diagnosis::close_code::{self, close_code};
use crate::diagnosis::console::{Explained, ExplainedLines};
use crate::export::text::{Line, Tone};
use crate::export::visible::visible;

/// Explains; gives the exit status.
pub(super) fn run(what: Option<&str>, console: Option<&Path>) -> Result<u8, Failure> {
    match (what, console) {
        (Some(what), _) => print::lines(&explain(what.trim())?)?,
        (None, Some(path)) => print::lines(&explain_console(&read_console(path)?))?,
        (None, None) => return Err(Failure::Usage("say what to explain".to_owned())),
    }
    Ok(0)
}

/// Reads a console of any length, a line at a time; the rest of an endless line is passed over.
fn read_console(path: &Path) -> Result<Vec<Explained>, Failure> {
    let failed = |source| Failure::Read { what: "the console", path: path.to_owned(), source };
    let mut reader: Box<dyn BufRead> = if is_standard_input(path) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(failed)?))
    };
    let mut lines = ExplainedLines::default();
    let mut line = Vec::new();
    let mut is_rest = false;
    while reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(failed)? > 0 {
        let has_end = line.ends_with(b"\n");
        if !std::mem::replace(&mut is_rest, !has_end) {
            lines.push(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
        }
        line.clear();
    }
    Ok(lines.explained)
}

/// How much of a line is read, in bytes.
const LONGEST_LINE: u64 = 64 * 1024;

/// What the lines of a console mean, and what to do about each cause that they name.
fn explain_console(explained: &[Explained]) -> Vec<Line> {
    if explained.is_empty() {
        let what = "No line says anything of a WebSocket, as far as Sockeye knows.";
        return vec![Line::new().plain(what)];
    }
    let mut lines = Vec::new();
    let mut named: Vec<&str> = Vec::new();
    for seen in explained {
        let (sign, tone) = match seen.cause {
            Some(_) => ("✗", Tone::Bad),
            None if seen.is_good => ("✓", Tone::Good),
            None => ("·", Tone::Plain),
        };
        lines.push(Line::new().dim(&format!("{:>5}  ", seen.line)).plain(&visible(&seen.quote)).hang(7));
        let id = seen.cause.map_or_else(String::new, |id| format!("  {id}"));
        lines.push(Line::new().plain("       ").add(tone, sign).plain(" ").plain(&seen.meaning).dim(&id).hang(9));
        named.extend(seen.cause.filter(|id| !named.contains(id)));
    }
    for cause in named.iter().filter_map(|id| catalogue::cause(id)) {
        lines.push(Line::new());
        lines.extend(of_cause(cause));
    }
    lines
}

fn explain(what: &str) -> Result<Vec<Line>, Failure> {
    if let Ok(number) = what.parse::<u16>() {
        let status = catalogue::cause(&format!("http-{number}"));
        return match status {
            Some(cause) if (100..600).contains(&number) => Ok(of_cause(cause)),
            _ if (100..600).contains(&number) => Ok(of_other_status(number)),
            _ => Ok(of_code(number)),
        };
    }
    if let Some(cause) = catalogue::cause(what) {
        return Ok(of_cause(cause));
    }
    if let Some(ending) = catalogue::ending(what) {
        return Ok(vec![Line::new().add(Tone::Strong, ending.title), Line::new().plain(ending.what)]);
    }
    let near = catalogue::nearest(what).map_or_else(String::new, |id| format!("; did you mean {id}?"));
    Err(Failure::Usage(format!("{what:?} is neither a code nor a cause{near}")))
}

fn of_code(code: u16) -> Vec<Line> {
    let known = close_code(code);
    let wire = if known.on_wire { "may stand in a Close frame" } else { "never stands in a Close frame" };
    let mut lines = vec![
        Line::new().add(Tone::Strong, &format!("{code}  {}", known.name)),
        Line::new().plain(known.meaning),
        Line::new(),
        Line::new().dim("sent by    ").plain(known.sender).hang(11),
        Line::new().dim("on wire    ").plain(wire).hang(11),
        Line::new().dim("reference  ").plain(known.reference).hang(11),
    ];
    if code == 1006 {
        lines.push(Line::new());
        let how =
            "No server sends 1006: the browser shows it whenever it has no Close frame to show. To learn why, run:";
        lines.push(Line::new().plain(how));
        lines.push(
            Line::new().add(Tone::Command, "  sockeye check 'ws://localhost:3001/' --token YOUR_TOKEN").unwrapped(),
        );
        return lines;
    }
    if let Some(cause) = catalogue::cause(close_code::cause_id(code)).filter(|_| known.on_wire || code > 1015) {
        lines.push(Line::new());
        lines.extend(of_cause(cause));
    }
    lines
}

fn of_other_status(status: u16) -> Vec<Line> {
    let what = format!("HTTP status {status} in answer to the opening handshake");
    let mut lines = vec![Line::new().add(Tone::Strong, &what), Line::new()];
    let id = if (300..400).contains(&status) { "http-redirect" } else { "http-other" };
    lines.extend(catalogue::cause(id).map(of_cause).unwrap_or_default());
    lines
}

fn of_cause(cause: &Cause) -> Vec<Line> {
    let target = Target::example();
    let mut lines = vec![
        Line::new().add(Tone::Strong, cause.title).dim(&format!("  {}, {}", cause.id, cause.phase.title())),
        Line::new().plain(cause.what),
        Line::new(),
        Line::new().add(Tone::Strong, "A browser shows"),
        Line::new().plain("  ").plain(cause.browser).hang(2),
    ];
    if !cause.fixes.is_empty() {
        lines.extend([Line::new(), Line::new().add(Tone::Strong, "What to do")]);
    }
    for (nth, fix) in cause.fixes.iter().enumerate() {
        lines.push(Line::new().plain(&format!("  {}. {}", nth + 1, fix.text_for(&target))).hang(5));
        let command = fix.command_for(&target, Platform::current()).unwrap_or_default();
        for line in command.lines() {
            lines.push(Line::new().add(Tone::Command, &format!("       {line}")).unwrapped());
        }
    }
    let mut list = |heading: &str, items: &[&str]| {
        if !items.is_empty() {
            lines.extend([Line::new(), Line::new().add(Tone::Strong, heading)]);
            lines.extend(items.iter().map(|item| Line::new().plain("  ").plain(item).hang(4)));
        }
    };
    list("Seen with", cause.seen_with);
    list("See also", cause.see_also);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::console::explain_lines;

    #[test]
    fn a_console_of_any_length_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        let endless = "x".repeat(200_000);
        let taken = "Error: listen EADDRINUSE: address already in use :::3001";
        std::fs::write(&path, "2026-11-27 INFO ok\n".repeat(100_000) + &endless + "\r\n" + taken + "\r\n").unwrap();
        let found = read_console(&path).unwrap_or_else(|failure| panic!("{failure}"));
        assert_eq!((found.len(), found[0].line, found[0].cause), (1, 100_002, Some("address-in-use")));
    }

    fn words(what: &str) -> String {
        let lines = explain(what).unwrap_or_else(|failure| panic!("{what}: {failure}"));
        lines.iter().map(|line| line.text() + "\n").collect()
    }

    #[test]
    fn every_cause_and_ending_is_explained() {
        for cause in catalogue::causes() {
            let text = words(cause.id);
            assert!(text.contains(cause.title) && !text.contains("{host}"), "{text}");
        }
        for ending in catalogue::endings() {
            assert!(!words(ending.id).is_empty());
        }
    }

    /// The words of a command as every shell reads them: blanks part words, double quotes hold them together.
    fn shell_words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for c in line.chars() {
            match c {
                '"' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                _ => words.last_mut().unwrap().push(c),
            }
        }
        words
    }

    #[test]
    fn commands_of_ours_are_understood() {
        use clap::Parser as _;
        let target = Target::example();
        let fixes = catalogue::causes().flat_map(|cause| cause.fixes.iter().map(move |fix| (cause.id, fix)));
        let mut known = 0;
        for (id, fix) in fixes {
            let command = fix.command_for(&target, Platform::Unix).unwrap_or_default();
            for line in command.lines().filter(|line| line.starts_with("sockeye ")) {
                known += 1;
                let parsed = crate::cli::args::Arguments::try_parse_from(shell_words(line));
                assert!(parsed.is_ok(), "{id}: {line}: {}", parsed.err().map_or_else(String::new, |e| e.to_string()));
            }
        }
        assert!(known > 30, "{known}");
    }

    #[test]
    fn every_close_code_is_explained_in_the_words_of_the_window() {
        for code in (0..=u16::MAX).step_by(7).chain([1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009]) {
            if (100..600).contains(&code) {
                continue;
            }
            let (text, known) = (words(&code.to_string()), close_code(code));
            for part in [known.name, known.meaning, known.sender, known.reference] {
                assert!(text.contains(part), "{code}: {part:?} is missing in {text}");
            }
        }
    }

    #[test]
    fn codes_and_statuses_are_explained() {
        assert!(words("1006").contains("sockeye check"));
        assert!(words("1008").contains("close-1008"));
        assert!(words("403").contains("http-403"));
        assert!(words("418").contains("http-other"));
        assert!(words("4001").contains("close-application"));
        assert!(words("0").contains("never stands"));
    }

    #[test]
    fn lines_of_a_console_are_explained_with_what_to_do() {
        let refused = "WebSocket connection to 'ws://localhost:3001/?token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' \
            failed: Error in connection establishment: net::ERR_CONNECTION_REFUSED";
        let text = |console: &str| {
            explain_console(&explain_lines(console)).iter().map(|line| line.text() + "\n").collect::<String>()
        };
        let told = text(&format!("[HMR] ok\n{refused}\n[WebSocket] Server listening on port 3001\n"));
        assert!(
            told.contains("tcp-refused") && told.contains("What to do") && told.contains("the server listens"),
            "{told}"
        );
        assert!(!told.contains("eyJ") && told.contains("    2  "), "{told}");
        assert!(text("nothing of note").contains("No line says anything"));
    }

    #[test]
    fn a_slip_is_answered_with_a_suggestion() {
        let failure = explain("jwt_expird").err().map(|failure| (failure.status(), failure.to_string()));
        assert!(failure.is_some_and(|(status, text)| status == 2 && text.contains("jwt-expired")));
    }
}
