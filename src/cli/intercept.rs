//! `sockeye intercept`: stands between a browser and its server, and says of each connection why it ended.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::InterceptArgs;
use super::failure::Failure;
use super::runner::{Came, Outcome, Runner};
use super::{clock, connect, print, server};
use crate::engine::{ConnectOptions, InterceptOptions, JournalPlace};
use crate::export::Redactor;
use crate::export::check_json::check_json;
use crate::export::text::{Line, Tone, report};
use crate::wire::parse_url;

/// Relays until Ctrl-C is pressed or enough connections are over; gives the exit status.
pub(super) fn run(args: &InterceptArgs) -> Result<u8, Failure> {
    if let Some(folder) = args.save.as_deref().filter(|folder| !folder.is_dir()) {
        return Err(Failure::Usage(format!("{}: there is no such folder", folder.display())));
    }
    let consoles = server::consoles(&args.server)?;
    let mut runner = Runner::start()?;
    let options = options(args, &mut runner)?;
    let secrets = options.connect.secrets.clone();
    runner.attach(consoles)?;
    let target = options.connect.url.clone();
    let address = runner.listen(options)?;
    if args.json {
        print::note(&format!("listens on {}", own_url(address)));
    } else {
        print::lines(&greeting(args, &target, address))?;
    }
    let mut running = BTreeSet::new();
    let mut over = 0;
    let mut stopping = None;
    loop {
        match runner.intercepted()? {
            Some(Came::Begun(conn)) => {
                running.insert(conn);
            }
            Some(Came::Ignored { client, why }) => print::note(&format!("note: {client} was left alone: {why}")),
            Some(Came::Over(outcome)) if running.remove(&outcome.conn) => {
                over += 1;
                let mut redactor = (!args.no_redact).then(Redactor::new);
                if let Some(redactor) = &mut redactor {
                    for secret in &secrets {
                        redactor.learn_secret(secret.bytes());
                    }
                }
                tell(args, over, &outcome, redactor.as_mut())?;
                if let Some(folder) = &args.save {
                    let path = free_path(folder, over);
                    runner.save(outcome.conn, path.clone())?;
                    print::note(&format!("saved {}", path.display()));
                }
                runner.forget(outcome.conn)?;
            }
            Some(Came::Over(_)) | None => {}
        }
        let is_enough = args.count.is_some_and(|count| over >= count);
        if stopping.is_none() && (is_enough || runner.is_interrupted()) {
            runner.stop_listening(&running)?;
            stopping = Some(clock::now());
        }
        if stopping.is_some_and(|since| running.is_empty() || since.elapsed() >= PATIENCE) {
            return Ok(0);
        }
    }
}

/// What is listened for, and how the server is connected to.
fn options(args: &InterceptArgs, runner: &mut Runner) -> Result<InterceptOptions, Failure> {
    let exercise = connect::exercise(&args.target, runner)?;
    let mut connect = exercise.as_ref().map_or_else(
        || ConnectOptions::new(&*args.target),
        |exercise| {
            let mut practised = ConnectOptions::new(&*exercise.url);
            practised.secrets = ConnectOptions::for_exercise(exercise).secrets;
            practised
        },
    );
    let target = parse_url(&connect.url).map_err(|problem| Failure::Usage(format!("--target: {}", problem.message)))?;
    server::place(&args.server, &mut connect)?;
    connect.journal = if args.save.is_some() { JournalPlace::Unnamed } else { JournalPlace::Memory };
    if exercise.is_none() && target.path_and_query != "/" {
        print::note("note: the path of --target is not used: path and query are the page's own");
    }
    if !target.is_loopback() && !args.rename_host {
        let name = target.host_header();
        print::note(&format!("note: the server will see our address in Host; if it wants {name}, add --rename-host"));
    }
    if !args.listen.ip().is_loopback() {
        print::note("note: other machines can connect through this one while it listens");
    }
    Ok(InterceptOptions { listen: args.listen, connect, renames: args.rename_host, tells: args.tell_page })
}

fn greeting(args: &InterceptArgs, target: &str, address: SocketAddr) -> Vec<Line> {
    let shown = parse_url(target).map_or_else(|_| String::new(), |t| format!("{}://{}", t.scheme(), t.host_header()));
    let own = own_url(address);
    let told = if args.tell_page { ", and tells pages why they were refused or dropped" } else { "" };
    let mut lines = vec![
        Line::new()
            .plain("Listens on ")
            .add(Tone::Strong, &own)
            .plain(" and relays to ")
            .plain(&shown)
            .plain(told)
            .plain("."),
        Line::new().plain("Point your page there in place of its server, or open it there if the server delivers it:"),
        Line::new().add(Tone::Command, &format!("  new WebSocket('{own}/…')")).unwrapped(),
        Line::new().add(Tone::Command, &format!("  {}/", own.replacen("ws", "http", 1))).unwrapped(),
    ];
    if let Some(count) = args.count {
        let what = if count == 1 { "one connection".to_owned() } else { format!("{count} connections") };
        lines.push(Line::new().dim(&format!("Ends after {what}, or with Ctrl-C.")));
    } else {
        lines.push(Line::new().dim("Ctrl-C ends it."));
    }
    lines.push(Line::new());
    lines
}

/// What a page has to connect to, without path and query.
fn own_url(address: SocketAddr) -> String {
    if address.ip().is_loopback() { format!("ws://localhost:{}", address.port()) } else { format!("ws://{address}") }
}

/// Prints what became of one connection.
fn tell(args: &InterceptArgs, nth: u32, outcome: &Outcome, mut redactor: Option<&mut Redactor>) -> Result<(), Failure> {
    if args.json {
        let value = check_json(outcome.story(), &outcome.checklist, redactor.as_deref_mut());
        let text = serde_json::to_string(&value).map_err(|error| Failure::Engine(error.to_string()))?;
        return print::out(&format!("{text}\n"));
    }
    let from = outcome.story().plan.as_ref().and_then(|plan| plan.between).map(|between| between.client.to_string());
    let from = from.map_or_else(String::new, |client| format!(" from {client}"));
    let mut lines = vec![Line::new().add(Tone::Strong, &format!("── Connection {nth}{from}"))];
    lines.extend(report(outcome.story(), &outcome.checklist, redactor));
    lines.push(Line::new());
    print::lines(&lines)
}

/// A file of this folder that is not there yet.
fn free_path(folder: &Path, nth: u32) -> PathBuf {
    let name = |number: u32| folder.join(format!("intercepted-{number}.sockeye"));
    let is_free = |path: &PathBuf| !matches!(fs::exists(path), Ok(true));
    (nth..nth.saturating_add(MAX_FILES)).map(name).find(is_free).unwrap_or_else(|| name(nth))
}

/// So many files are there at most before the first free name.
const MAX_FILES: u32 = 100_000;
/// How long connections may take to end after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(5);
