//! `token matrix`: connects with every variant of a token, and tabulates how the server answers.

use serde_json::json;

use super::args::MatrixArgs;
use super::make::no_secret;
use crate::cli::failure::Failure;
use crate::cli::print::{self, Progress};
use crate::cli::runner::Runner;
use crate::cli::{check, clock, connect, secrets};
use crate::diagnosis::{Reception, reception};
use crate::engine::{ConnectOptions, JournalPlace};
use crate::export::text::{Line, Tone};
use crate::export::visible::visible;
use crate::observation::TokenPlace;
use crate::token::{Secret, Variant, mint, place, variants};

/// Tries every variant; gives the exit status: 0 if no answer is a wrong one.
pub(super) fn run(args: &MatrixArgs) -> Result<u8, Failure> {
    let consoles = connect::consoles(&args.connect)?;
    let mut runner = Runner::start()?;
    runner.attach(consoles)?;
    let exercise = connect::exercise(&args.connect.url, &mut runner)?;
    let first = connect::options(&args.connect, exercise.as_ref())?;
    let secret = secret(args, &first)?;
    let token = token(args, &first, &secret)?;
    let all = chosen(variants(&token, &secret, clock::unix_secs())?, &args.only)?;
    let mut progress = Progress::new(!args.json);
    let mut rows = Vec::new();
    for (nth, variant) in all.iter().enumerate() {
        let (count, name) = (all.len(), variant.name.as_str());
        let mut connect_args = args.connect.clone();
        connect_args.token = Some(variant.token.clone());
        (connect_args.token_file, connect_args.token_env) = (None, None);
        let exercise = connect::exercise(&args.connect.url, &mut runner)?;
        let mut options = connect::options(&connect_args, exercise.as_ref())?;
        options.watch = Some(args.watch);
        options.journal = JournalPlace::Memory;
        options.probes = false;
        let mut redactor = check::redactor(&options);
        let outcome = runner.connect(options, &mut |_| progress.show(&format!("{} of {count}, {name} …", nth + 1)))?;
        let mut told = reception(outcome.story());
        told.words = redactor.text(&told.words);
        runner.forget(outcome.conn)?;
        rows.push((variant, told));
        if runner.is_interrupted() {
            break;
        }
    }
    drop(progress);
    let is_well = rows.iter().all(|(variant, told)| !contradicts(variant, told));
    if args.json {
        let rows: Vec<_> = rows.iter().map(|(variant, told)| row_json(variant, told)).collect();
        let text = serde_json::to_string_pretty(&json!({"schema": 1, "rows": rows}))
            .map_err(|error| Failure::Engine(error.to_string()))?;
        print::out(&format!("{text}\n"))?;
    } else {
        print::lines(&table(&rows))?;
    }
    Ok(u8::from(!is_well))
}

/// The secret that signs: the one that is given, else that of the practice server.
fn secret(args: &MatrixArgs, options: &ConnectOptions) -> Result<Secret, Failure> {
    if let Some(secret) = &args.secret {
        return Ok(Secret::new("--secret", secret.as_bytes()));
    }
    if let Some(name) = &args.secret_env {
        return Ok(Secret::new(format!("${name}"), secrets::variable("the secret", name)?.into_bytes()));
    }
    options.secrets.first().cloned().ok_or_else(no_secret)
}

/// The token to begin with: the given one, that of the URL, or one that is made of the claims.
fn token(args: &MatrixArgs, options: &ConnectOptions, secret: &Secret) -> Result<String, Failure> {
    if let Some(claims) = &args.claims {
        return Ok(mint(claims, "HS256", secret.bytes())?);
    }
    let in_url = || match options.token_place.as_ref()? {
        TokenPlace::Query { name } => {
            let value = place::in_query(&options.url, name).into_iter().next()?;
            Some(place::percent_decode(value.raw))
        }
        TokenPlace::Bearer
        | TokenPlace::Header { .. }
        | TokenPlace::Cookie { .. }
        | TokenPlace::Subprotocol
        | TokenPlace::FirstMessage { .. } => None,
    };
    let found = options.token.clone().or_else(in_url).filter(|token| !token.is_empty());
    found.ok_or_else(|| Failure::Usage("give a token to begin with: --token, or --claims to make one".to_owned()))
}

fn chosen(all: Vec<Variant>, only: &[String]) -> Result<Vec<Variant>, Failure> {
    if let Some(name) = only.iter().find(|name| all.iter().all(|variant| variant.name != **name)) {
        let names: Vec<&str> = all.iter().map(|variant| variant.name.as_str()).collect();
        return Err(Failure::Usage(format!("there is no variant called {name}, but {}", names.join(", "))));
    }
    Ok(all.into_iter().filter(|variant| only.is_empty() || only.contains(&variant.name)).collect())
}

/// Whether the server did what a careful one would not do.
fn contradicts(variant: &Variant, told: &Reception) -> bool {
    variant.should_pass.is_some() && told.accepted.is_some() && variant.should_pass != told.accepted
}

fn row_json(variant: &Variant, told: &Reception) -> serde_json::Value {
    json!({
        "variant": variant.name,
        "about": variant.about,
        "should_pass": variant.should_pass,
        "accepted": told.accepted,
        "answer": told.words,
        "cause": told.cause,
        "contradicts": contradicts(variant, told),
    })
}

fn table(rows: &[(&Variant, Reception)]) -> Vec<Line> {
    let width = rows.iter().map(|(variant, _)| variant.name.chars().count()).max().unwrap_or(0).clamp(8, 28);
    let mut lines = Vec::new();
    for (variant, told) in rows {
        let is_wrong = contradicts(variant, told);
        let (sign, tone) = match (is_wrong, told.accepted) {
            (true, _) => ("✗", Tone::Bad),
            (false, Some(true)) => ("+", Tone::Good),
            (false, Some(false)) => ("−", Tone::Plain),
            (false, None) => ("?", Tone::Warn),
        };
        let line = Line::new()
            .add(tone, &format!("{sign} "))
            .add(Tone::Command, &format!("{:<width$}", visible(&variant.name)));
        let line = line.plain("  ").add(if is_wrong { Tone::Bad } else { Tone::Plain }, &visible(&told.words));
        lines.push(line.dim(&format!("  {}", visible(&variant.about))).hang(width + 4));
    }
    lines.push(Line::new());
    let accepted = rows.iter().filter(|(_, told)| told.accepted == Some(true)).count();
    let refused = rows.iter().filter(|(_, told)| told.accepted == Some(false)).count();
    lines.push(Line::new().plain(&format!("+ accepted {accepted}, − refused {refused}, of {} variants", rows.len())));
    for (variant, told) in rows.iter().filter(|(variant, told)| contradicts(variant, told)) {
        let what = if told.accepted == Some(true) {
            "is accepted, although a careful server refuses it"
        } else {
            "is refused, although it is valid: the server does not know this secret, or wants other claims"
        };
        lines.push(Line::new().add(Tone::Bad, "✗ ").plain(&format!("{} {what}", visible(&variant.name))).hang(2));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(should_pass: Option<bool>, accepted: Option<bool>) -> (Variant, Reception) {
        let variant =
            Variant { name: "v".to_owned(), about: "a".to_owned(), token: "secret-token".to_owned(), should_pass };
        (variant, Reception { accepted, words: "closed 1008".to_owned(), cause: "close-1008".to_owned() })
    }

    #[test]
    fn only_a_wrong_answer_contradicts() {
        for (should_pass, accepted, wrong) in [
            (Some(true), Some(true), false),
            (Some(true), Some(false), true),
            (Some(false), Some(true), true),
            (Some(false), Some(false), false),
            (Some(false), None, false),
            (None, Some(true), false),
        ] {
            let (variant, told) = row(should_pass, accepted);
            assert_eq!(contradicts(&variant, &told), wrong, "{should_pass:?} {accepted:?}");
            let text: String = table(&[(&variant, told)]).iter().map(Line::text).collect();
            assert_eq!(text.contains('✗'), wrong, "{text}");
            assert!(!text.contains("secret-token"));
        }
    }

    #[test]
    fn unknown_names_are_refused_with_those_that_there_are() {
        let all = || vec![row(None, None).0];
        assert!(chosen(all(), &[]).is_ok_and(|all| all.len() == 1));
        assert!(chosen(all(), &["x".to_owned()]).is_err_and(|failure| failure.to_string().contains("but v")));
    }
}
