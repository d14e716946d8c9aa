//! From options of the command line to a connection: the token's place, the query, the headers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::args::ConnectArgs;
use super::failure::Failure;
use super::runner::Runner;
use super::{network, print, secrets, server, values};
use crate::engine::practice::Exercise;
use crate::engine::{ConnectOptions, ConsoleSource};
use crate::observation::{Fact, Family, PastedConsole, Preset, TokenPlace};
use crate::token::{fill, fill_url, variables_from_env};
use crate::wire::{parse_url, place_in_query};

/// Stages what a practice URL asks for; `None` for any other URL.
pub(super) fn exercise(url: &str, runner: &mut Runner) -> Result<Option<Exercise>, Failure> {
    match practice(url) {
        Some("") => runner.exercise(None).map(Some),
        Some(fault) => runner.exercise(Some(fault)).map(Some),
        None => Ok(None),
    }
}

/// The fault that a practice URL names, empty for none; `None` if it is no practice URL.
pub(super) fn practice(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("practice")?;
    if rest.is_empty() { Some("") } else { rest.strip_prefix('/').map(|fault| fault.trim_end_matches('/')) }
}

/// All about the connection; what the options say wins over what an exercise proposes.
pub(super) fn options(args: &ConnectArgs, exercise: Option<&Exercise>) -> Result<ConnectOptions, Failure> {
    let mut options = exercise.map_or_else(|| ConnectOptions::new(args.url.clone()), ConnectOptions::for_exercise);
    let mut variables = Variables::read(args)?;
    options.url = variables.fill_url(&options.url);
    for header in &args.header {
        options.headers.push(values::header(&variables.fill(header)).map_err(Failure::Usage)?);
    }
    place_token(args, &mut variables, &mut options)?;
    place_parameters(args, &mut variables, &mut options.url);
    server::place(&args.server, &mut options)?;
    if let Some(origin) = &args.origin {
        let origin = variables.fill(origin);
        if !values::is_field_value(&origin) {
            return Err(Failure::Usage("the origin holds a control character, which no header can carry".to_owned()));
        }
        options.origin = Some(origin);
    }
    if !args.subprotocol.is_empty() {
        options.subprotocols.clone_from(&args.subprotocol);
    }
    options.preset = args.preset;
    if args.no_compress || args.preset == Preset::Bare {
        options.extensions = None;
    }
    if let Some(expect) = &args.expect {
        options.expect = expect.clone();
    }
    if !args.send.is_empty() {
        options.send = args.send.iter().map(|text| variables.fill(text)).collect();
    }
    options.send_delay = args.send_delay.unwrap_or(options.send_delay);
    options.echo = args.echo;
    options.limit_bytes = args.max_message.unwrap_or(options.limit_bytes);
    let limits = &mut options.time_outs;
    limits.connect_millis = args.connect_timeout.map_or(limits.connect_millis, millis);
    limits.upgrade_millis = args.upgrade_timeout.map_or(limits.upgrade_millis, millis);
    limits.confirm_millis = args.confirm_timeout.map_or(limits.confirm_millis, millis);
    network::place(args, &mut options)?;
    options.family = match (args.ipv4, args.ipv6) {
        (true, _) => Family::Ipv4,
        (false, true) => Family::Ipv6,
        (false, false) => Family::Auto,
    };
    if let Some(backend) = &args.backend {
        parse_url(backend).map_err(|problem| Failure::Usage(format!("--backend: {}", problem.message)))?;
        options.backend = Some(backend.clone());
    }
    if let Some(path) = &args.browser_console {
        let text = console_text(path)?;
        options.pasted.push((PastedConsole::Browser, text));
    }
    variables.tell_unknown();
    Ok(options)
}

/// The variables of the `.env` file, and the names that were asked for and are none.
struct Variables {
    known: BTreeMap<String, String>,
    unknown: BTreeSet<String>,
}

impl Variables {
    fn read(args: &ConnectArgs) -> Result<Self, Failure> {
        let known = match &args.server.env_file {
            Some(path) => variables_from_env(&secrets::read_text("the .env file", path)?),
            None => BTreeMap::new(),
        };
        Ok(Self { known, unknown: BTreeSet::new() })
    }

    fn fill(&mut self, text: &str) -> String {
        let filled = fill(text, &self.known);
        self.unknown.extend(filled.unknown);
        filled.text
    }

    fn fill_url(&mut self, url: &str) -> String {
        let filled = fill_url(url, &self.known);
        self.unknown.extend(filled.unknown);
        filled.text
    }

    /// Names on standard error what is sent as it was typed.
    fn tell_unknown(&self) {
        for name in &self.unknown {
            print::note(&format!("note: there is no variable {name}, so {{{{{name}}}}} is sent as it is"));
        }
    }
}

/// The consoles of the server that stay attached for all runs of a command.
pub(super) fn consoles(args: &ConnectArgs) -> Result<Vec<ConsoleSource>, Failure> {
    if server::reads_standard_input(&args.server)
        && args.browser_console.as_deref().is_some_and(server::is_standard_input)
    {
        let what = "only one of --server-log and --browser-console can be read from standard input";
        return Err(Failure::Usage(what.to_owned()));
    }
    server::consoles(&args.server)
}

/// The beginning of a console's text, from a file or from standard input; as much as a session keeps.
pub(super) fn console_text(path: &Path) -> Result<String, Failure> {
    let failed = |source| Failure::Read { what: "the console", path: path.to_owned(), source };
    let limit = Fact::PASTED_BYTES as u64 * 4;
    let mut bytes = Vec::new();
    if server::is_standard_input(path) {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Puts the token where it goes, exactly as it was given.
fn place_token(args: &ConnectArgs, variables: &mut Variables, options: &mut ConnectOptions) -> Result<(), Failure> {
    let given = match (&args.token, &args.token_file, &args.token_env) {
        (Some(token), _, _) => Some(token.clone()),
        (None, Some(path), _) => Some(secrets::read_text("the token", path)?),
        (None, None, Some(name)) => Some(secrets::variable("the token", name)?),
        (None, None, None) => None,
    };
    let given = given.map(|token| variables.fill(&token));
    let is_given = given.is_some();
    options.token = given.or(options.token.take());
    if !is_given && args.token_in.is_none() && take_bearer(options) {
        return Ok(());
    }
    let mut place = args.token_in.clone().unwrap_or_else(|| TokenPlace::Query { name: "token".to_owned() });
    if let TokenPlace::FirstMessage { template } = &mut place {
        *template = variables.fill(template);
    }
    let token = options.token.as_deref();
    match (&place, token) {
        (TokenPlace::Query { name }, Some(token)) if is_given || args.token_in.is_some() => {
            options.url = place_in_query(&options.url, name, token, 0);
        }
        (TokenPlace::Bearer | TokenPlace::Header { .. } | TokenPlace::Cookie { .. }, Some(token))
            if !values::is_field_value(token) =>
        {
            let what = "the token holds a line end or another control character, which no header can carry";
            return Err(Failure::Usage(what.to_owned()));
        }
        (
            TokenPlace::Bearer
            | TokenPlace::Header { .. }
            | TokenPlace::Cookie { .. }
            | TokenPlace::Subprotocol
            | TokenPlace::FirstMessage { .. },
            None,
        ) => return Err(Failure::Usage("--token-in says where the token goes, but there is no token".to_owned())),
        (TokenPlace::Query { .. }, None) | (_, Some(_)) => {}
    }
    options.token_place = Some(place);
    Ok(())
}

/// Takes a bearer token that was typed as a header for what it is, so that it is read and checked.
fn take_bearer(options: &mut ConnectOptions) -> bool {
    let bearer = |value: &str| value.strip_prefix("Bearer ").map(str::to_owned);
    let found = options.headers.iter().position(|(name, value)| name == "Authorization" && bearer(value).is_some());
    let Some(index) = found.filter(|_| options.token.is_none()) else { return false };
    let (_, value) = options.headers.remove(index);
    options.token = bearer(&value);
    options.token_place = Some(TokenPlace::Bearer);
    true
}

/// Puts `agentId` and the other parameters into the query; the second of a name replaces the second that was typed.
fn place_parameters(args: &ConnectArgs, variables: &mut Variables, url: &mut String) {
    if let Some(agent) = &args.agent_id {
        *url = place_in_query(url, "agentId", agent, 0);
    }
    for (index, (name, value)) in args.query.iter().enumerate() {
        let nth = args.query.iter().take(index).filter(|(earlier, _)| earlier == name).count();
        *url = place_in_query(url, name, &variables.fill(value), nth);
    }
}

fn millis(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Arguments, Command};
    use super::*;

    fn args(words: &[&str]) -> ConnectArgs {
        let all = ["sockeye", "check"].iter().chain(words);
        match Arguments::try_parse_from(all).unwrap().command {
            Some(Command::Check(check)) => check.connect,
            other => panic!("{other:?}"),
        }
    }

    fn made(words: &[&str]) -> ConnectOptions {
        options(&args(words), None).unwrap_or_else(|failure| panic!("{failure}"))
    }

    #[test]
    fn practice_urls_are_known() {
        assert_eq!(practice("practice"), Some(""));
        assert_eq!(practice("practice/"), Some(""));
        assert_eq!(practice("practice/http-403"), Some("http-403"));
        assert_eq!(practice("practices"), None);
        assert_eq!(practice("ws://practice/"), None);
    }

    #[test]
    fn the_token_goes_where_it_is_told() {
        let made_url = |words: &[&str]| made(words).url;
        assert_eq!(made_url(&["ws://h/?token=old&x=1", "--token", "n.e.w"]), "ws://h/?token=n.e.w&x=1");
        assert_eq!(
            made_url(&["ws://h/", "--token", "t", "--agent-id", "a 1", "--query", "a=1", "--query", "a=2"]),
            "ws://h/?token=t&agentId=a%201&a=1&a=2"
        );
        assert_eq!(made_url(&["ws://h/?a", "--token", "t", "--token-in", "query:jwt"]), "ws://h/?a&jwt=t");
        let bearer = made(&["ws://h/", "--token", "t", "--token-in", "bearer"]);
        assert_eq!((bearer.url.as_str(), bearer.token_place), ("ws://h/", Some(TokenPlace::Bearer)));
        let typed = made(&["ws://h/", "--header", "Authorization: Bearer abc", "--header", "X: y"]);
        assert_eq!((typed.token.as_deref(), typed.headers.len()), (Some("abc"), 1));
        assert_eq!(typed.token_place, Some(TokenPlace::Bearer));
        let url = made(&["ws://h/?token=x"]);
        assert_eq!((url.token, url.token_place), (None, Some(TokenPlace::Query { name: "token".to_owned() })));
    }

    #[test]
    fn what_cannot_work_is_refused_without_repeating_it() {
        for words in [
            &["ws://h/", "--token", "se\ncret", "--token-in", "bearer"][..],
            &["ws://h/", "--token-in", "cookie:sid"],
            &["ws://h/", "--header", "secret"],
            &["ws://h/", "--ca", "/nowhere/secret.pem"],
            &["ws://h/", "--token-env", "SOCKEYE_NO_SUCH_VARIABLE"],
        ] {
            let failure = options(&args(words), None).err().unwrap_or_else(|| panic!("{words:?}"));
            assert_eq!(failure.status(), 2, "{words:?}");
            assert!(!failure.to_string().contains("se\ncret"), "{failure}");
        }
    }

    #[test]
    fn numbers_reach_the_engine() {
        let made = made(&[
            "ws://h/",
            "--confirm-timeout",
            "0.5",
            "--connect-timeout",
            "2",
            "--upgrade-timeout",
            "0",
            "--max-message",
            "1024",
            "--ipv6",
            "--no-probes",
            "--no-compress",
            "--insecure",
            "--send",
            "-a",
            "--send",
            "b",
            "--send-delay",
            "0.1",
        ]);
        let limits = made.time_outs;
        assert_eq!((limits.confirm_millis, limits.connect_millis, limits.upgrade_millis), (500, 2000, 1));
        assert_eq!(made.extensions, None);
        assert_eq!((made.limit_bytes, made.family, made.probes, made.insecure), (1024, Family::Ipv6, false, true));
        assert_eq!((made.send, made.send_delay), (vec!["-a".to_owned(), "b".to_owned()], Duration::from_millis(100)));
    }
}
