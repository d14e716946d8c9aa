//! Ends that a clock brings about: silence, age, unanswered pings. A number alone never accuses anybody.
//!
//! Silence of two seconds is the least, and then a known limit, a repetition or the idle lab has to agree. Start at
//! [`RULES`]; the known limits are in [`LIMITS`].

use super::{Found, Rule};
use crate::diagnosis::console::near::nearest;
use crate::diagnosis::ending::ending;
use crate::diagnosis::lab::{LabFinding, is_repeated, lab_finding};
use crate::diagnosis::words::{after, count, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{Direction, Moment, PastEnd};
use crate::wire::Target;

pub(super) const RULES: &[Rule] = &[
    Rule::new("ping-timeout-1011", ping_timeout).implies(&["close-1011", "handler-exception"]),
    Rule::new("heartbeat-terminate", heartbeat).implies(HEARTBEATS),
    Rule::new("lifetime-limit", lifetime).implies(ENDS),
    Rule::new("idle-timeout", idle).implies(ENDS),
    Rule::new("nat-state-lost", nat).implies(&["connection-reset"]),
];

const ENDS: &[&str] = &["connection-terminated", "connection-reset", "close-1001"];
const HEARTBEATS: &[&str] = &[
    "connection-terminated",
    "connection-reset",
    "close-1000",
    "close-1001",
    "close-1002",
    "close-1008",
    "close-application",
];

/// Less silence, or a lower age, than this says nothing, in milliseconds.
const LEAST_MILLIS: f64 = 2_000.0;

/// Limits below this are too common among programs of all kinds to tell anything by their number.
const TELLING_SECS: f64 = 50.0;

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    /// Silence in both directions.
    Silence,
    /// The age of the connection, whatever travels.
    Age,
}

/// A limit that is known from somewhere.
struct Known {
    secs: f64,
    counts: Counts,
    /// Who has it, for the evidence where the response names it.
    who: &'static str,
    /// Words of `Server`, `Via` or a field's name that show who answered.
    marks: &'static [&'static str],
}

const fn known(secs: f64, counts: Counts, who: &'static str, marks: &'static [&'static str]) -> Known {
    Known { secs, counts, who, marks }
}

/// Table 5b of the catalogue.
const LIMITS: &[Known] = &[
    known(60.0, Counts::Silence, "nginx's proxy_read_timeout", &["nginx", "openresty", "tengine"]),
    known(60.0, Counts::Silence, "the idle timeout of AWS's balancers", &["awselb"]),
    known(60.0, Counts::Silence, "Traefik's readTimeout", &["traefik"]),
    known(60.0, Counts::Silence, "Phoenix's transport timeout", &["cowboy", "bandit"]),
    known(180.0, Counts::Silence, "Traefik's idleTimeout", &["traefik"]),
    known(600.0, Counts::Silence, "AWS API Gateway's idle limit", &["x-amzn-requestid", "x-amz-apigw-id"]),
    known(600.0, Counts::Silence, "CloudFront's idle limit", &["cloudfront", "x-amz-cf-id"]),
    known(100.0, Counts::Silence, "Cloudflare's idle limit", &["cloudflare", "cf-ray"]),
    known(55.0, Counts::Silence, "Heroku's router (H15)", &["heroku", "vegur"]),
    known(240.0, Counts::Silence, "Azure's balancer", &["azure", "microsoft-azure"]),
    known(120.0, Counts::Silence, "the idleTimeout of Bun and uWebSockets", &["uwebsockets", "bun"]),
    known(30.0, Counts::Silence, "Deno's idleTimeout", &["deno"]),
    known(300.0, Counts::Silence, "Envoy's stream_idle_timeout", &["envoy", "istio"]),
    known(30.0, Counts::Age, "the timeout of Google Cloud's backend service", &["google", "gws"]),
    known(7_200.0, Counts::Age, "AWS API Gateway's greatest age", &["x-amzn-requestid", "x-amz-apigw-id"]),
];

/// How an open connection was ended by the other side.
struct End {
    at: Moment,
    /// From the 101 on, in milliseconds.
    age: f64,
    /// Silence before it, in milliseconds.
    silence: f64,
    /// The end in a sentence: `TCP ended with FIN and no Close frame`.
    words: String,
}

/// A bare end, or a Close that says no more than goodbye, while the port is not known to refuse.
fn end(case: &Case<'_>, ending: Ending) -> Option<End> {
    let opened = case.opened_at()?;
    let (at, words) = match ending {
        Ending::Fin | Ending::Rst => {
            let (at, _) = case.tcp_end()?;
            (at, format!("TCP ended with {} and no Close frame", case.tcp_end_words()))
        }
        Ending::Closed | Ending::ClosedUnclean => {
            let close = case.server_close().filter(|close| close.info.code == Some(1001))?;
            (close.at, "the server closed with 1001".to_owned())
        }
        _ => return None,
    };
    if case.port_refuses().is_some() || case.came_back().is_some() || case.restart().is_some() {
        return None;
    }
    let before = Moment(at.0.saturating_sub(1));
    let silence = if ending == Ending::Fin || ending == Ending::Rst {
        case.silence_before(at)
    } else {
        at.millis_since(before) + case.silence_before(before)
    };
    Some(End { at, age: at.millis_since(opened), silence, words })
}

/// The end of a connection that a clock may have brought about, for the history of its target.
///
/// `None` for one that is too young, that we ended, or whose server is known to have died.
pub(in crate::diagnosis) fn end_of(case: &Case<'_>) -> Option<PastEnd> {
    let ending = ending(case)?;
    let end = end(case, ending).filter(|end| end.age >= LEAST_MILLIS)?;
    Some(PastEnd {
        began_unix_millis: case.plan()?.began_unix_millis,
        ending: ending.id().to_owned(),
        cause: case.story.verdict.as_ref().map_or_else(String::new, |verdict| verdict.cause.clone()),
        age_millis: end.age,
        silence_millis: end.silence,
        close_code: case.server_close().map(|close| close.info.code.unwrap_or(1005)),
    })
}

fn is_near(one: f64, other: f64, least: f64) -> bool {
    (one - other).abs() <= (one.max(other) * 0.01).max(least)
}

/// Two ends of the same timer: within 1 %, and a little more for a busy machine.
fn repeats(one: f64, other: f64) -> bool {
    one >= LEAST_MILLIS && other >= LEAST_MILLIS && is_near(one, other, 150.0)
}

/// Earlier connections that ended of themselves in the same way: bare, or with the same goodbye.
fn earlier<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a PastEnd> + use<'a> {
    let is_alike = |past: &&PastEnd| matches!(past.close_code, None | Some(1001)) && past.age_millis > 0.0;
    case.story.earlier.iter().filter(is_alike)
}

/// The limits that this much of what they count fits, and whether the response names one of their owners.
fn fitting(case: &Case<'_>, counts: Counts, millis: f64) -> (Vec<&'static Known>, Option<&'static Known>) {
    let near = LIMITS.iter().filter(|known| known.counts == counts && is_near(millis, known.secs * 1e3, 500.0));
    let fits: Vec<&Known> = near.filter(|known| known.secs >= TELLING_SECS || is_named(case, known)).collect();
    let named = fits.iter().copied().find(|known| is_named(case, known));
    (fits, named)
}

fn is_named(case: &Case<'_>, known: &Known) -> bool {
    let Some(head) = case.head() else { return false };
    let values = ["server", "via", "x-powered-by"].into_iter().filter_map(|name| head.value(name));
    let values: Vec<String> = values.map(str::to_ascii_lowercase).collect();
    known.marks.iter().any(|mark| values.iter().any(|value| value.contains(mark)) || head.value(mark).is_some())
}

fn idle(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let is_bare = matches!(ending, Ending::Fin | Ending::Rst);
    let end = end(case, ending).filter(|end| is_bare && end.silence >= LEAST_MILLIS)?;
    if unanswered_ping(case, end.at).is_some() {
        return None;
    }
    let silence = span(end.silence);
    let when = after(end.age, "after the 101");
    if let Some((measured, LabFinding::IdleLimit { millis })) = lab(case) {
        return Some(
            Found::certain(format!(
                "Silence ends connections here: the silent one was cut after {}, while its twin that pinged lived on.",
                span(millis)
            ))
            .seen(end.at, format!("{}, after {silence} of silence", end.words))
            .seen(measured, lab_words(case)),
        );
    }
    let (fits, named) = fitting(case, Counts::Silence, end.silence);
    let same: Vec<&PastEnd> = earlier(case).filter(|past| repeats(past.silence_millis, end.silence)).collect();
    let by_age = earlier(case).any(|past| repeats(past.age_millis, end.age));
    if fits.is_empty() && same.is_empty() || by_age && same.is_empty() {
        return None;
    }
    let summary = format!(
        "The connection was cut {when}, after {silence} in which nothing travelled in either direction: {} and {}.",
        end.words,
        if same.is_empty() { "silence of that length is a common limit" } else { "it was so before" }
    );
    let mut found = match (named, same.is_empty()) {
        (Some(_), false) => Found::certain(summary),
        (Some(_), true) | (None, false) => Found::likely(summary),
        (None, true) => Found::possible(summary),
    };
    found = found.seen(end.at, format!("{silence} of silence, then {}", end.words));
    found = found.with(past_evidence(case, end.at, &same));
    if let Some(known) = named {
        found = found.seen(
            case.head_at(),
            format!("{} is {}, and the response names it{}", span(known.secs * 1e3), known.who, case.server_words()),
        );
    } else if let Some(known) = fits.first() {
        found = found.seen(end.at, format!("{} is a limit that several proxies have", span(known.secs * 1e3)));
    }
    Some(
        found
            .or("heartbeat-terminate", lab_advice(case))
            .or("lifetime-limit", lab_advice(case))
            .or("handler-exception", "attach the server's console and repeat"),
    )
}

fn lifetime(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let end = end(case, ending).filter(|end| end.age >= LEAST_MILLIS)?;
    let age = span(end.age);
    if let Some((measured, LabFinding::Lifetime { millis })) = lab(case) {
        let repeated = case.story.lab.as_ref().is_some_and(|(_, measure)| is_repeated(measure));
        let summary = format!(
            "Connections here end at the age of {}, whatever travels: the one that pinged died as old as the silent one.",
            span(millis)
        );
        let found = if repeated { Found::certain(summary) } else { Found::likely(summary) };
        return Some(
            found
                .seen(end.at, end.words)
                .seen(measured, lab_words(case))
                .or("heartbeat-terminate", "see whether the server sends pings, and attach its console"),
        );
    }
    let (_, named) = fitting(case, Counts::Age, end.age);
    let same: Vec<&PastEnd> = earlier(case).filter(|past| repeats(past.age_millis, end.age)).collect();
    let silence_repeats = earlier(case).any(|past| repeats(past.silence_millis, end.silence));
    let by_silence = end.silence >= LEAST_MILLIS && (silence_repeats || same.is_empty());
    if named.is_none() && (same.is_empty() || by_silence) {
        return None;
    }
    let summary = format!(
        "The connection was ended at the age of {age}, {}: {}{}.",
        if end.silence < LEAST_MILLIS { "in the midst of traffic" } else { "whatever travelled" },
        end.words,
        if same.is_empty() { "" } else { ", and it was so before" }
    );
    let mut found = match (named, same.is_empty()) {
        (Some(_), false) => Found::certain(summary),
        (Some(_), true) | (None, _) => Found::likely(summary),
    };
    found = found.seen(end.at, format!("{} at the age of {age}, after {} of silence", end.words, span(end.silence)));
    found = found.with(past_evidence(case, end.at, &same));
    if let Some(known) = named {
        found =
            found.seen(case.head_at(), format!("{} is {}{}", span(known.secs * 1e3), known.who, case.server_words()));
    }
    Some(
        found
            .or("heartbeat-terminate", lab_advice(case))
            .or_if(end.silence >= LEAST_MILLIS, "idle-timeout", lab_advice(case))
            .or("handler-exception", "attach the server's console and repeat"),
    )
}

/// The server cuts who does not answer its pings, or it sweeps its connections at moments of its own.
fn heartbeat(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    if matches!(ending, Ending::Closed | Ending::ClosedUnclean) {
        return closed_for_want_of_pongs(case);
    }
    let end = end(case, ending).filter(|_| matches!(ending, Ending::Fin | Ending::Rst))?;
    if let Some((measured, LabFinding::Sweep { .. })) = lab(case) {
        return Some(
            Found::likely(
                "The server ends its connections together, whatever their age and traffic: a heartbeat that takes its \
                 clients for dead.",
            )
            .seen(end.at, end.words)
            .seen(measured, lab_words(case))
            .or("server-restarted", "compare the process id of the server before and after"),
        );
    }
    let pinged = unanswered_ping(case, end.at)?;
    let waited = end.at.millis_since(pinged);
    (waited >= 1_000.0).then(|| {
        Found::likely(format!(
            "The server pinged, no pong went back{}, and {} later it cut the connection: {}.",
            withheld(case),
            span(waited),
            end.words
        ))
        .seen(pinged, format!("its last ping, of {} in all", count(case.story.received.pings, "ping")))
        .seen(end.at, end.words)
        .or("idle-timeout", lab_advice(case))
    })
}

/// That pongs were held back because the user wanted to see what the server does then.
fn withheld(case: &Case<'_>) -> &'static str {
    if case.plan().is_some_and(|plan| plan.keep_alive.withholds_pongs) {
        " (they are withheld, as you asked)"
    } else {
        ""
    }
}

/// The server says in the reason of its Close that its heartbeat was not answered.
fn closed_for_want_of_pongs(case: &Case<'_>) -> Option<Found> {
    let close = case.server_close().filter(|close| close.info.code != Some(1011))?;
    let reason = close.info.reason.to_ascii_lowercase();
    let words =
        ["ping timed out", "ping timeout", "pong timeout", "pong timed out", "no pong", "missed pong", "heartbeat"];
    if !words.iter().any(|word| reason.contains(word)) {
        return None;
    }
    let code = close.info.code.map_or_else(|| "no code".to_owned(), |code| code.to_string());
    let said = case.reason_words(close);
    let pinged = unanswered_ping(case, close.at);
    let because = match pinged {
        Some(pinged) => {
            let after = span(close.at.millis_since(pinged));
            format!(", {after} after a ping that no pong answered{}", withheld(case))
        }
        None => String::new(),
    };
    let summary = format!(
        "By its own words the server's heartbeat took this side for dead: it closed with {code} {said}{because}."
    );
    let found = Found::likely(summary).seen_at(
        close.at,
        Direction::ServerToClient,
        close.info.offset,
        format!("the server's Close: {code} {said}"),
    );
    let found = match pinged {
        Some(pinged) => found.seen(pinged, "its last ping; no pong followed"),
        None => found,
    };
    Some(found.or("network-loss", "see on both sides whether ping and pong arrive"))
}

fn ping_timeout(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let close = case.server_close().filter(|_| matches!(ending, Ending::Closed | Ending::ClosedUnclean))?;
    if close.info.code != Some(1011) {
        return None;
    }
    let reason = close.info.reason.to_ascii_lowercase();
    let says = reason.contains("ping timeout") || reason.contains("keepalive");
    let pinged = unanswered_ping(case, close.at);
    let line = nearest(case, (close.at, close.at), |_, known| known.cause == "ping-timeout-1011");
    let waited = pinged.map(|pinged| close.at.millis_since(pinged));
    let is_late = waited.is_some_and(|waited| waited >= 1_000.0);
    if !says && line.is_none() && !is_late {
        return None;
    }
    let because = match (waited, says) {
        (Some(waited), _) if is_late => format!("its ping had not been answered for {}", span(waited)),
        (_, true) => "by its own words a ping was not answered in time".to_owned(),
        (_, false) => "its console says that a ping was not answered in time".to_owned(),
    };
    let summary = format!("The server closed with 1011 {}: {because}.", case.reason_words(close));
    let mut found = if says && is_late { Found::certain(summary) } else { Found::likely(summary) };
    found = found.seen_at(close.at, Direction::ServerToClient, close.info.offset, "the server's Close: 1011");
    if let Some(pinged) = pinged {
        found = found.seen(pinged, "its last ping; no pong followed");
    }
    if let Some(line) = line {
        found.evidence.push(line.evidence(case));
    }
    Some(found.or_if(!is_late, "network-loss", "see on both sides whether ping and pong arrive"))
}

/// A translator between the two ends had forgotten the connection when we spoke again.
fn nat(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let (at, _) = case.tcp_end().filter(|_| ending == Ending::Rst && !case.is_loopback())?;
    let (sent, silence_nanos) = case.story.silence_broken?;
    let answered = case.story.received.last_at.is_some_and(|last| last >= sent);
    if answered || at < sent || at.millis_since(sent) > 2_000.0 {
        return None;
    }
    let silence = silence_nanos as f64 / 1e6;
    let summary = format!(
        "After {} of silence the first thing {} sent was answered with RST {} later: something on the way had forgotten the \
         connection.",
        span(silence),
        case.we(),
        span(at.millis_since(sent))
    );
    let found = if silence >= 60_000.0 { Found::likely(summary) } else { Found::possible(summary) };
    Some(
        found
            .seen(sent, format!("{} first frame after {} of silence", case.our(), span(silence)))
            .seen(at, "RST, and nothing else, in answer")
            .or("connection-reset", "repeat with a ping every 20 seconds and see whether it lasts")
            .or("server-restarted", "compare the process id of the server before and after"),
    )
}

/// The server's last ping, if no pong of ours followed it.
fn unanswered_ping(case: &Case<'_>, until: Moment) -> Option<Moment> {
    let pinged = case.story.received.last_ping_at.filter(|at| *at <= until)?;
    case.story.sent.last_pong_at.is_none_or(|pong| pong < pinged).then_some(pinged)
}

fn lab(case: &Case<'_>) -> Option<(Moment, LabFinding)> {
    case.story.lab.as_ref().map(|(at, measure)| (*at, lab_finding(measure)))
}

/// The idle lab's measurement as evidence.
fn lab_words(case: &Case<'_>) -> String {
    let Some((_, measure)) = &case.story.lab else { return String::new() };
    let fate = |ended: Option<f64>, watched: f64| match ended {
        Some(age) => format!("ended after {}", span(age)),
        None => format!("lived for {} and more", span(watched)),
    };
    let again = measure.again.and_then(|run| run.ended_after_millis);
    let again = again.map_or_else(String::new, |age| format!(", another silent one after {}", span(age)));
    format!(
        "idle lab: the silent connection {}{again}; the one that pinged every {} {}",
        fate(measure.silent.ended_after_millis, measure.silent.watched_millis),
        span(measure.ping_every_millis),
        fate(measure.pinging.ended_after_millis, measure.pinging.watched_millis)
    )
}

fn lab_advice(case: &Case<'_>) -> String {
    let host = case.target().map_or_else(|| "the server".to_owned(), Target::host_header);
    format!("run the idle lab against {}: it tells silence from age", case.quote(&host, 60))
}

fn past_evidence(case: &Case<'_>, at: Moment, same: &[&PastEnd]) -> Vec<crate::diagnosis::Evidence> {
    let now = case.unix_at(at).map(|secs| secs * 1e3);
    let words = |past: &&PastEnd| {
        let ago = now.map_or_else(String::new, |now| {
            format!(" {} before", crate::diagnosis::words::long_span((now - past.began_unix_millis as f64) / 1e3))
        });
        format!(
            "a connection begun{ago} ended at the age of {}, after {} of silence",
            span(past.age_millis),
            span(past.silence_millis)
        )
    };
    same.iter().take(3).map(|past| crate::diagnosis::Evidence { at, text: words(past), place: None }).collect()
}

#[cfg(test)]
mod tests;
