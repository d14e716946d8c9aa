//! What happened, step by step, in words: the waterfall that every report for people begins with.

use super::check_json::{browser_code, response_outcome};
use super::{tls, words};
use crate::observation::{Direction, Moment, ReadEnd, TcpQueues};
use crate::store::{AttemptOutcome, ServerClock, Story};

/// One step. Its words may hold secrets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Whether it went well; `None` where that cannot be said.
    pub(crate) ok: Option<bool>,
    /// Its name; empty for more words on the step before.
    pub(crate) name: &'static str,
    /// When it began.
    pub(crate) at: Option<Moment>,
    /// How long it took, or how long after the opening it happened.
    pub(crate) ms: Option<f64>,
    /// What it came to.
    pub(crate) what: String,
    /// How many characters of the words are worth showing, once their secrets are gone.
    pub(crate) max_chars: usize,
}

/// Every step of a connection, in order.
pub(crate) fn steps(story: &Story) -> Vec<Step> {
    let mut steps = Steps(Vec::new());
    steps.before_the_handshake(story);
    steps.handshake(story);
    steps.session(story);
    steps.0
}

struct Steps(Vec<Step>);

impl Steps {
    fn push(&mut self, ok: Option<bool>, name: &'static str, at: Option<Moment>, ms: Option<f64>, what: String) {
        self.0.push(Step { ok, name, at, ms, what, max_chars: WHAT_CHARS });
    }

    fn before_the_handshake(&mut self, story: &Story) {
        if let Some((at, problem)) = &story.not_attempted {
            let what = match &problem.suggestion {
                Some(url) => format!("{}; did you mean {url}", problem.message),
                None => problem.message.clone(),
            };
            self.push(Some(false), "URL", Some(*at), None, what);
        }
        if let Some(resolve) = &story.resolve {
            let all: Vec<String> = resolve
                .addresses
                .iter()
                .map(ToString::to_string)
                .chain(resolve.added.iter().map(|a| format!("{a} (added)")))
                .collect();
            let what = resolve.failure.as_ref().map_or_else(|| all.join(", "), |failure| failure.text.clone());
            let ms = resolve.ended.map(|ended| ended.millis_since(resolve.started));
            let ok = resolve.ended.map(|_| resolve.failure.is_none());
            self.push(ok, "resolve", Some(resolve.started), ms, format!("{}: {what}", resolve.host));
        }
        for attempt in &story.attempts {
            let (ok, outcome) = match &attempt.outcome {
                AttemptOutcome::Pending => (None, "no answer yet".to_owned()),
                AttemptOutcome::Connected => (Some(true), "connected".to_owned()),
                AttemptOutcome::Failed(failure) => (Some(false), words::failure(failure)),
                AttemptOutcome::Abandoned => (None, "given up, another address was faster".to_owned()),
            };
            let ms = attempt.ended.map(|ended| ended.millis_since(attempt.started));
            self.push(ok, "TCP", Some(attempt.started), ms, format!("{} {outcome}", attempt.address));
        }
        if let Some((at, path, failure)) = &story.socket {
            let what = failure.as_ref().map_or_else(|| "connected".to_owned(), words::failure);
            self.push(Some(failure.is_none()), "Unix socket", Some(*at), None, format!("{path} {what}"));
        }
        if let Some(tunnel) = &story.tunnel {
            let answer = tunnel.response.lines().next().unwrap_or_default();
            let what = tunnel.failure.as_ref().map_or(answer, |failure| failure.text.as_str());
            let ms = tunnel.ended.map(|ended| ended.millis_since(tunnel.started));
            let asked = tunnel.request.lines().next().unwrap_or_default();
            let ok = tunnel.ended.map(|_| tunnel.failure.is_none());
            self.push(ok, "proxy", Some(tunnel.started), ms, format!("{asked}: {what}"));
        }
        if let Some(tls) = &story.tls {
            let what = match (&tls.info, &tls.failure) {
                (Some(info), _) => {
                    let group = info.group.as_ref().map_or_else(String::new, |group| format!(", {group}"));
                    let alpn = info.alpn.as_ref().map_or_else(String::new, |alpn| format!(", ALPN {alpn}"));
                    format!("{} {}{group}{alpn}", info.version, info.cipher)
                }
                (None, Some(failure)) => words::tls_failure(failure),
                (None, None) => "no answer yet".to_owned(),
            };
            let ms = tls.ended.map(|ended| ended.millis_since(tls.started));
            self.push(tls.ended.map(|_| tls.failure.is_none()), "TLS", Some(tls.started), ms, what);
            for line in tls::lines(tls) {
                self.push(None, "", None, None, line);
            }
        }
    }

    fn handshake(&mut self, story: &Story) {
        let Some(request) = &story.request else { return };
        self.push(Some(true), "request", Some(request.at), None, format!("GET, {} bytes", request.raw.len()));
        let answered = story.answer.head.as_ref().map(|(at, _)| *at).or(story.answer.last_at);
        let ms = answered.map(|at| at.millis_since(request.at));
        let (ok, error) = response_outcome(story);
        let status = story.answer.head.as_ref().map(|(_, head)| format!("{} {}", head.status, head.reason));
        let refused = story.answer.status().is_some_and(|status| status != 101);
        let what = match (status, error) {
            (Some(status), Some(error)) if !refused => format!("{status}; {error}"),
            (Some(status), _) => status,
            (None, Some(error)) => error,
            (None, None) => "none yet".to_owned(),
        };
        self.push(ok, "response", Some(request.at), ms, what);
        if let Some(clock) = ServerClock::of(story) {
            self.push(None, "", None, None, format!("the server's clock {}", clock.words()));
        }
        let body = story.answer.body_text();
        if refused && !body.trim().is_empty() {
            self.push(None, "", None, None, body.trim().to_owned());
            if let Some(step) = self.0.last_mut() {
                step.max_chars = BODY_CHARS;
            }
        }
    }

    fn session(&mut self, story: &Story) {
        let Some(opened) = story.opened else { return };
        if let Some(confirmation) = &story.confirmation {
            let ms = Some(confirmation.at.millis_since(opened));
            let what = match (confirmation.ok, &confirmation.preview) {
                (true, Some(preview)) => preview.clone(),
                (true, None) => "the 101 is enough".to_owned(),
                (false, Some(preview)) => format!("does not match: {preview}"),
                (false, None) => "no message came in time".to_owned(),
            };
            self.push(Some(confirmation.ok), "confirmation", Some(opened), ms, what);
            if let Some(step) = self.0.last_mut() {
                step.max_chars = PREVIEW_CHARS;
            }
        }
        let tally = |direction: Direction| {
            let tally = story.tally(direction);
            format!("{} {} ({} bytes of data)", tally.frames, direction.word(), tally.data_bytes)
        };
        let frames = format!("{}, {}", tally(Direction::ClientToServer), tally(Direction::ServerToClient));
        self.push(None, "frames", None, None, frames);
        if let Some(mean) = story.round_trips.mean() {
            let millis = |micros: u64| micros as f64 / 1000.0;
            let trips = &story.round_trips;
            let (shortest, longest) = (millis(trips.shortest), millis(trips.longest));
            let what = format!("{} pings answered, {shortest:.2} to {longest:.2} ms", trips.count);
            self.push(Some(true), "round trip", None, Some(millis(mean)), what);
        }
        if let Some((at, queues)) = story.queues {
            let what = queues.map_or_else(|| "not known on this system".to_owned(), TcpQueues::words);
            self.push(None, "TCP holds", Some(at), Some(at.millis_since(opened)), what);
        }
        for (at, violation) in story.violations.iter().take(SHOWN_VIOLATIONS) {
            let what = format!("{} ({})", violation.kind.rule(), violation.kind.section());
            self.push(Some(false), "violation", Some(*at), Some(at.millis_since(opened)), what);
        }
        self.closing(story, opened);
    }

    fn closing(&mut self, story: &Story, opened: Moment) {
        let mut closes: Vec<_> = [&story.close_received, &story.close_sent].into_iter().flatten().collect();
        closes.sort_by_key(|close| close.at);
        for close in closes {
            let code = close.info.code.map_or_else(|| "without a code".to_owned(), |code| code.to_string());
            let reason = if close.info.reason.is_empty() {
                String::new()
            } else {
                format!(" \u{201c}{}\u{201d}", close.info.reason)
            };
            let what = format!("{} Close {code}{reason}", close.info.direction.word());
            self.push(None, "close", Some(close.at), Some(close.at.millis_since(opened)), what);
        }
        let end = match (&story.read_end, &story.we_closed_tcp) {
            (Some((at, ReadEnd::CloseNotify)), _) => {
                let below = match &story.transport_end {
                    Some((_, end)) => words::read_end(end),
                    None if story.we_closed_tcp.is_some() => "TCP left open".to_owned(),
                    None => "TCP still open".to_owned(),
                };
                Some((*at, format!("{}, then {below}", words::read_end(&ReadEnd::CloseNotify))))
            }
            (Some((at, end)), _) => Some((*at, words::read_end(end))),
            (None, Some(at)) => Some((*at, "closed by us".to_owned())),
            (None, None) => None,
        };
        if let Some((at, what)) = end {
            let ending = story.verdict.as_ref().map(|verdict| verdict.ending);
            let code = browser_code(story, ending).map_or_else(String::new, |code| format!("; a browser shows {code}"));
            let what = format!("{what}{code}");
            self.push(Some(story.is_clean()), "end of TCP", Some(at), Some(at.millis_since(opened)), what);
        }
    }
}

const PREVIEW_CHARS: usize = 300;
const BODY_CHARS: usize = 600;
const WHAT_CHARS: usize = 4_000;
const SHOWN_VIOLATIONS: usize = 5;
