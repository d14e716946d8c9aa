//! `sockeye token`: reads a token, checks its signature and its claims, makes others, and tries them on a server.
//!
//! The options are in `args`, what is shown in `panel`, making in `make`, the table of answers in `matrix`.

pub(super) mod args;
mod make;
mod matrix;
mod panel;

use std::io::{self, IsTerminal as _, Read as _};

use serde_json::json;

use super::failure::Failure;
use super::{clock, print, secrets};
use crate::export::text::{Line, Tone};
use crate::export::visible::visible;
use crate::token::{
    Candidate, Expectations, Secret, Shape, Signature, TokenReport, Validity, candidates, examine, node_refusal,
    node_words, validate,
};
use args::{TokenArgs, TokenCommand};

/// Reads or makes a token; gives the exit status: 0 if nothing is wrong with it, else 1.
pub(super) fn run(args: &TokenArgs) -> Result<u8, Failure> {
    match &args.command {
        Some(TokenCommand::Mint(args)) => return make::mint_one(args),
        Some(TokenCommand::Variants(args)) => return make::variants_of_one(args),
        Some(TokenCommand::Matrix(args)) => return matrix::run(args),
        None => {}
    }
    let text = match args.token.as_deref() {
        Some("-") => standard_input()?,
        None if !io::stdin().is_terminal() => standard_input()?,
        Some(token) => token.to_owned(),
        None => return Err(Failure::Usage("give a token, or - to read it from standard input".to_owned())),
    };
    let several = candidates(&text);
    let text = picked(args.pick, &several, text)?;
    let secrets = secrets::from_args(&args.secrets)?;
    let now = args.at.unwrap_or_else(clock::unix_secs);
    let expected = args.claims.expectations();
    let reading = Reading::of(&text, &secrets, now, &expected);
    if args.json {
        let object = json!({
            "schema": 1,
            "report": reading.report,
            "objections": reading.objections.iter()
                .map(|one| json!({"cause": one.cause, "message": one.message})).collect::<Vec<_>>(),
            "jsonwebtoken": reading.library,
            "candidates": several.iter().map(|one| &one.about).collect::<Vec<_>>(),
        });
        let text = serde_json::to_string_pretty(&object).map_err(|error| Failure::Engine(error.to_string()))?;
        print::out(&format!("{text}\n"))?;
    } else {
        let mut lines = choice(&several, args.pick);
        lines.extend(panel::panel(&text, &reading, now));
        print::lines(&lines)?;
    }
    Ok(u8::from(!reading.is_well()))
}

/// All that is known about a token at a moment.
struct Reading {
    report: TokenReport,
    objections: Vec<crate::token::Objection>,
    /// What the library says with the first secret; nothing where there is none.
    library: Option<String>,
    library_words: Option<String>,
}

impl Reading {
    fn of(text: &str, secrets: &[Secret], now: i64, expected: &Expectations) -> Self {
        let report = examine(text, secrets, now);
        Self {
            objections: validate(&report, now as f64, expected),
            library: node_refusal(text, secrets.first(), now, expected),
            library_words: node_words(text, secrets.first(), now, expected),
            report,
        }
    }

    fn is_well(&self) -> bool {
        let report = &self.report;
        let is_dated = match report.validity {
            // With a leeway the dates are for `validate` to judge.
            Validity::Valid | Validity::NoExpiry | Validity::Expired | Validity::NotYetValid => true,
            Validity::Unknown => false,
        };
        matches!(report.shape, Shape::Jws)
            && report.problems.is_empty()
            && report.signature != Signature::Invalid
            && is_dated
            && self.objections.is_empty()
    }
}

/// A token, as typed or from standard input.
fn given(token: &str) -> Result<String, Failure> {
    if token == "-" { standard_input() } else { Ok(token.to_owned()) }
}

fn standard_input() -> Result<String, Failure> {
    let mut text = String::new();
    let read = io::stdin().lock().read_to_string(&mut text);
    read.map_err(|source| Failure::Read { what: "the token from", path: "standard input".into(), source })?;
    // A pipe ends in a line end that is nobody's fault.
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

fn picked(pick: Option<usize>, several: &[Candidate], text: String) -> Result<String, Failure> {
    match (pick, several) {
        (None | Some(1), []) => Ok(text),
        (None, [first, ..]) => Ok(first.text.clone()),
        (Some(nth), several) => {
            let found = nth.checked_sub(1).and_then(|nth| several.get(nth));
            let count = several.len().max(1);
            let none = || Failure::Usage(format!("--pick {nth}: there is a choice of {count} in this text"));
            found.map(|one| one.text.clone()).ok_or_else(none)
        }
    }
}

fn choice(several: &[Candidate], pick: Option<usize>) -> Vec<Line> {
    if several.is_empty() {
        return Vec::new();
    }
    let title = format!("{} tokens in this text", several.len());
    let mut lines = vec![Line::new().add(Tone::Strong, &title).dim("  --pick N reads another one")];
    for (nth, one) in several.iter().enumerate() {
        let is_read = nth + 1 == pick.unwrap_or(1);
        let line = Line::new().plain(if is_read { "  → " } else { "    " }).plain(&format!("{} ", nth + 1));
        lines.push(line.plain(&visible(&one.about)).hang(6));
    }
    lines.push(Line::new());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::mint;

    #[test]
    fn one_of_several_tokens_is_picked() {
        let (a, b) = (mint("{}", "HS256", b"s").unwrap(), mint("{}", "HS512", b"s").unwrap());
        let text = format!("{a} {b}");
        let several = candidates(&text);
        let take = |pick| picked(pick, &several, text.clone()).ok();
        assert_eq!((take(None), take(Some(2)), take(Some(3)), take(Some(0))), (Some(a), Some(b), None, None));
        assert_eq!(choice(&several, Some(2)).len(), 4);
        assert_eq!(picked(None, &[], "x".to_owned()).ok().as_deref(), Some("x"));
    }

    #[test]
    fn a_leeway_forgives_what_the_dates_alone_would_not() {
        let token = mint(r#"{"exp":1000,"aud":"x"}"#, "HS256", b"s").unwrap();
        let secrets = [Secret::new("s", "s")];
        let read = |leeway_secs: f64, audience: Option<&str>| {
            let expected = Expectations { leeway_secs, audience: audience.map(str::to_owned), issuer: None };
            Reading::of(&token, &secrets, 1010, &expected)
        };
        assert!(!read(0.0, None).is_well());
        assert!(read(30.0, Some("x")).is_well());
        assert_eq!(read(30.0, Some("y")).library.as_deref(), Some("jwt audience invalid. expected: y"));
    }
}
