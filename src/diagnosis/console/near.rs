//! Which lines count for one connection: near the event, or about the process and still holding.

use super::{Recognised, Scope, exit_meaning, recognised};
use crate::diagnosis::{Case, Evidence};
use crate::observation::{Moment, Probe};
use crate::store::{ConsoleSeen, ServerExit};

/// How far a line about a connection may be from what happens on the wire.
const NEAR_NANOS: u64 = 2_000_000_000;
/// How long after its beginning a TCP probe reaches the server: the engine lets a dying process end first.
const PROBE_PAUSE_NANOS: u64 = 100_000_000;

/// A line that counts.
#[derive(Clone, Debug)]
pub(in crate::diagnosis) struct Line<'a> {
    /// The line.
    pub(in crate::diagnosis) seen: &'a ConsoleSeen,
    /// What it says.
    pub(in crate::diagnosis) known: Recognised,
}

impl Line<'_> {
    /// The line as evidence.
    pub(in crate::diagnosis) fn evidence(&self, case: &Case<'_>) -> Evidence {
        let source = case.quote(&self.seen.source, 60);
        let text = format!("the console ({source}) said \u{201c}{}\u{201d}", case.quote(&self.known.quote, 200));
        Evidence { at: self.seen.at, text, place: None }
    }
}

/// The line nearest to an event that lasted from `from` until `to`, among those that `wanted` takes.
///
/// A line from before our first attempt to connect is about somebody else, one from after our first probe may be about
/// the probe.
pub(in crate::diagnosis) fn nearest<'a>(
    case: &Case<'a>,
    (from, to): (Moment, Moment),
    wanted: impl Fn(&ConsoleSeen, &Recognised) -> bool,
) -> Option<Line<'a>> {
    let began = case.story.attempts.first().map_or(from, |attempt| attempt.started);
    let earliest = Moment(from.0.saturating_sub(NEAR_NANOS)).max(began);
    let latest = Moment(to.0.saturating_add(NEAR_NANOS)).min(probed(case));
    let near = case.story.console.iter().rev();
    let near = near.filter(|line| line.is_pasted || (earliest..=latest).contains(&line.at));
    near.filter_map(|seen| {
        let known = known(seen).filter(|known| wanted(seen, known))?;
        Some(Line { seen, known })
    })
    .min_by_key(|line| {
        // Nobody knows when a pasted line was printed: those that we saw come first.
        let gap = from.0.saturating_sub(line.seen.at.0) + line.seen.at.0.saturating_sub(to.0);
        (line.seen.is_pasted, if line.seen.is_pasted { 0 } else { gap })
    })
}

/// The last line about the process with this cause, if no later line says that the server has started again.
pub(in crate::diagnosis) fn standing<'a>(case: &Case<'a>, until: Moment, cause: &str) -> Option<Line<'a>> {
    let latest = Moment(until.0.saturating_add(NEAR_NANOS));
    let mut standing = None;
    for seen in case.story.console.iter().filter(|seen| seen.is_pasted || seen.at <= latest) {
        // Whoever had ended before we connected is not whom we talked to; that it found the port taken says who was.
        if !seen.is_pasted && cause != "address-in-use" && had_ended(case, &seen.source) {
            continue;
        }
        if read(seen).0 {
            standing = None;
        } else if let Some(known) = known(seen).filter(|k| k.cause == cause && k.scope == Scope::Process) {
            standing = Some(Line { seen, known });
        }
    }
    standing
}

/// Evidence that an attached console printed nothing while we were connected: that is a fact as well.
pub(in crate::diagnosis) fn silence(case: &Case<'_>) -> Option<Evidence> {
    let story = case.story;
    let connected = story.connected()?.ended?;
    let silent = story.consoles.first().filter(|_| story.consoles.len() == 1)?;
    let until = Moment(story.last_at.0);
    if story.console.iter().any(|line| line.is_pasted || (connected..=until).contains(&line.at)) {
        return None;
    }
    let source = case.quote(&silent.source, 60);
    let text = format!(
        "the attached console ({source}) printed no line from our connection on: it prints nothing, or it is not the \
         console of the process that answered us"
    );
    Some(Evidence { at: connected, text, place: None })
}

/// The last line that says where the server listens, and the port that it names, if that is not the one that was asked.
pub(in crate::diagnosis) fn listens_elsewhere<'a>(case: &Case<'a>) -> Option<(&'a ConsoleSeen, u16)> {
    let asked = case.target()?.port;
    let line = case.story.console.iter().rev().find(|seen| read(seen).0)?;
    let named = ports(&line.text);
    // A server may listen on several.
    let other = named.first().copied().filter(|_| !named.contains(&asked))?;
    Some((line, other))
}

/// Numbers that stand where a line names a port: `port 3001`, `on 3001`, `localhost:3001`.
fn ports(line: &str) -> Vec<u16> {
    // Such a line is short.
    let line = line.get(..line.floor_char_boundary(1_000)).unwrap_or(line);
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(begins) = line.get(from..).and_then(|rest| rest.find(|c: char| c.is_ascii_digit())) {
        let (before, rest) = line.split_at(from + begins);
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let before = before.to_ascii_lowercase();
        let is_named = [":", "port ", "port: ", "port=", " on "].iter().any(|word| before.ends_with(word));
        // Parts of addresses, dates and times go on like this.
        let goes_on = after.starts_with(['.', '-', ':'])
            && after.get(1..2).is_some_and(|next| next.as_bytes()[0].is_ascii_digit());
        found.extend(number.parse::<u16>().ok().filter(|port| is_named && !goes_on && *port >= LEAST_PORT));
        from += begins + digits;
    }
    found
}

/// Smaller numbers behind a colon are minutes.
const LEAST_PORT: u16 = 80;

/// The end of the server's process near an event, if we had started it; one from before we connected is another's.
pub(in crate::diagnosis) fn exit_near<'a>(case: &Case<'a>, at: Moment) -> Option<&'a ServerExit> {
    let connected = case.story.connected().and_then(|attempt| attempt.ended);
    let earliest = Moment(at.0.saturating_sub(NEAR_NANOS)).max(connected.unwrap_or_default());
    let latest = Moment(at.0.saturating_add(NEAR_NANOS));
    case.story.exits.iter().find(|exit| (earliest..=latest).contains(&exit.at))
}

/// Whether the process behind a console had ended before somebody took our connection.
pub(in crate::diagnosis) fn had_ended(case: &Case<'_>, source: &str) -> bool {
    let connected = case.story.connected().and_then(|attempt| attempt.ended);
    case.story.exits.iter().any(|exit| &*exit.source == source && connected.is_some_and(|at| exit.at < at))
}

/// The last end of the server's process before this moment, and whether it had said that it listens.
pub(in crate::diagnosis) fn exit_before<'a>(case: &Case<'a>, until: Moment) -> Option<(&'a ServerExit, bool)> {
    let exit = case.story.exits.iter().rev().find(|exit| exit.at <= until)?;
    let mut lines = case.story.console.iter().filter(|line| line.source == exit.source && line.at <= exit.at);
    Some((exit, lines.any(|line| read(line).0)))
}

/// The end of a process in a sentence: `“npm run dev” ended with exit code 1 (an exception that nobody caught, or exit(1))`.
pub(in crate::diagnosis) fn exit_words(case: &Case<'_>, exit: &ServerExit) -> String {
    let meaning = exit_meaning(exit.status).map_or_else(String::new, |meaning| format!(", that is: {meaning}"));
    format!("\u{201c}{}\u{201d} ended with {}{meaning}", case.quote(&exit.source, 60), exit.status)
}

/// Reads a line, once for all rules: many ask, and a console may be chatty.
fn read(seen: &ConsoleSeen) -> (bool, Option<u16>) {
    *seen.read.get_or_init(|| super::read(&seen.text))
}

/// What a line tells, if anything.
fn known(seen: &ConsoleSeen) -> Option<Recognised> {
    recognised(read(seen).1?, &seen.text)
}

/// When our first probe can have reached the server.
fn probed(case: &Case<'_>) -> Moment {
    let reached = case.story.probes.iter().filter_map(|seen| match seen.probe {
        Probe::Tcp { .. } | Probe::ComesBack { .. } => Some(Moment(seen.started.0.saturating_add(PROBE_PAUSE_NANOS))),
        Probe::PlainGet { .. } | Probe::TlsHello { .. } | Probe::Handshake { .. } => Some(seen.started),
        Probe::Listeners { .. } => None,
    });
    reached.min().unwrap_or(Moment(u64::MAX))
}
