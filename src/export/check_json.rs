//! The object that `check --json` prints; its JSON Schema is `assets/check.schema.json`.
//!
//! Every name is always there; what is not known is null.

use serde_json::{Value, json};

use super::redact::Redactor;
use super::{tls, words};
use crate::diagnosis::{CheckItem, Ending, Evidence, Finding, Remedy, Verdict};
use crate::observation::{Deadline, Moment};
use crate::store::{AttemptOutcome, CloseSeen, RoundTrips, ServerClock, Story};

/// The JSON Schema (2020-12) of the object, and of that of `--repeat`.
pub const SCHEMA: &str = include_str!("../../assets/check.schema.json");

/// Builds the object; without a redactor secrets stay as they are.
pub fn check_json(story: &Story, checklist: &[CheckItem], redactor: Option<&mut Redactor>) -> Value {
    let mut value = json!({
        "schema": 1,
        "url": story.plan.as_ref().map(|plan| plan.url.as_str()),
        "client": story.plan.as_ref().and_then(|plan| plan.between).map(|between| between.client.to_string()),
        "phases": phases(story),
        "upgrade": null,
        "confirmation": confirmation(story),
        "frames": {
            "sent": story.sent.frames,
            "received": story.received.frames,
            "round_trip_ms": round_trips(&story.round_trips),
        },
        "close": close(story),
        "token": token(story),
        "verdict": story.verdict.as_deref().map(verdict),
        "checklist": checklist.iter().map(|c| json!({"item": c.item, "ok": c.ok, "detail": c.detail})).collect::<Vec<_>>(),
        "probes": story.probes.iter().map(|p| json!({
            "probe": words::probe(&p.probe),
            "result": words::outcome(p.outcome.as_ref()),
        })).collect::<Vec<_>>(),
    });
    match redactor {
        Some(redactor) => {
            redactor.learn_story(story);
            value["upgrade"] = upgrade(story, &mut |name, value| redactor.header(name, value));
            redactor.value(&mut value, &CLOSED);
        }
        None => value["upgrade"] = upgrade(story, &mut |_, value| value.to_owned()),
    }
    value
}

/// The names whose texts are words of the schema, never the peer's.
const CLOSED: [&str; 11] =
    ["phase", "check", "tcp_end", "ended_by", "signature", "validity", "ending", "cause", "certainty", "id", "item"];

fn phases(story: &Story) -> Vec<Value> {
    let mut phases = Vec::new();
    let mut phase = |name: &str,
                     address: Option<String>,
                     ok: Option<bool>,
                     ms: Option<f64>,
                     error: Option<String>,
                     detail: Value| {
        phases.push(json!({
            "phase": name, "address": address, "ok": ok, "ms": ms.map(rounded), "error": error, "detail": detail,
        }));
    };
    if let Some(resolve) = &story.resolve {
        phase(
            "resolve",
            None,
            resolve.ended.map(|_| resolve.failure.is_none()),
            resolve.ended.map(|ended| ended.millis_since(resolve.started)),
            resolve.failure.as_ref().map(|failure| failure.text.clone()),
            json!({
                "host": resolve.host,
                "addresses": resolve.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "added": resolve.added.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }),
        );
    }
    for attempt in &story.attempts {
        let (ok, error, outcome) = match &attempt.outcome {
            AttemptOutcome::Pending => (None, None, "pending"),
            AttemptOutcome::Connected => (Some(true), None, "connected"),
            AttemptOutcome::Failed(failure) => (Some(false), Some(words::failure(failure)), "failed"),
            AttemptOutcome::Abandoned => (None, None, "abandoned"),
        };
        let ms = attempt.ended.map(|ended| ended.millis_since(attempt.started));
        phase("tcp", Some(attempt.address.to_string()), ok, ms, error, json!({"outcome": outcome}));
    }
    if let Some((_, path, failure)) = &story.socket {
        let error = failure.as_ref().map(words::failure);
        phase("tcp", Some(path.clone()), Some(failure.is_none()), None, error, json!({"outcome": "unix socket"}));
    }
    if let Some(tunnel) = &story.tunnel {
        let ok = tunnel.ended.map(|_| tunnel.failure.is_none());
        let ms = tunnel.ended.map(|ended| ended.millis_since(tunnel.started));
        let detail = json!({"kind": tunnel.kind, "request": tunnel.request, "response": tunnel.response});
        let address = story.connected().map(|attempt| attempt.address.to_string());
        phase("proxy", address, ok, ms, tunnel.failure.as_ref().map(|failure| failure.text.clone()), detail);
    }
    if let Some(tls) = &story.tls {
        let ok = tls.ended.map(|_| tls.failure.is_none());
        let ms = tls.ended.map(|ended| ended.millis_since(tls.started));
        phase(
            "tls",
            None,
            ok,
            ms,
            tls.failure.as_ref().map(words::tls_failure),
            tls::detail(tls, story.ended_with_close_notify()),
        );
    }
    if let Some(request) = &story.request {
        phase("request", None, Some(true), None, None, json!({"bytes": request.raw.len()}));
        let (ok, error) = response_outcome(story);
        let answered = story.answer.head.as_ref().map(|(at, _)| *at).or(story.answer.last_at);
        let ms = answered.map(|at| at.millis_since(request.at));
        let clock = ServerClock::of(story);
        let detail = json!({
            "status": story.answer.status(),
            "bytes": story.answer.bytes_seen,
            "server_clock_ahead_secs": clock.map(|clock| [rounded(clock.least_secs), rounded(clock.most_secs)]),
        });
        phase("response", None, ok, ms, error, detail);
    }
    if let (Some(opened), Some(confirmation)) = (story.opened, &story.confirmation) {
        let error = (!confirmation.ok).then(|| "not confirmed in time".to_owned());
        let ms = Some(confirmation.at.millis_since(opened));
        phase("confirmation", None, Some(confirmation.ok), ms, error, Value::Null);
    }
    phases
}

fn round_trips(trips: &RoundTrips) -> Value {
    let millis = |micros: u64| micros as f64 / 1000.0;
    trips.mean().map_or(Value::Null, |mean| {
        json!({
            "count": trips.count,
            "shortest": millis(trips.shortest),
            "mean": millis(mean),
            "longest": millis(trips.longest),
        })
    })
}

/// Whether the answer opened the connection, and if not, why.
pub(super) fn response_outcome(story: &Story) -> (Option<bool>, Option<String>) {
    let answer = &story.answer;
    if story.opened.is_some() {
        return (Some(true), None);
    }
    let error = if let Some((_, head)) = answer.head.as_ref().filter(|(_, head)| head.status != 101) {
        format!("status {} {}", head.status, head.reason).trim_end().to_owned()
    } else if let Some(check) = answer.checks.iter().find(|check| check.fatal) {
        format!("{}: expected {}, got {}", check.check.words(), check.expected, check.got)
    } else if answer.not_http.is_some() {
        "the answer is not HTTP".to_owned()
    } else if answer.head_too_big.is_some() {
        "the head of the response has no end".to_owned()
    } else if let Some((_, millis)) = story.ran_out(Deadline::Upgrade) {
        format!("no whole response within {millis} ms")
    } else if let Some((_, end)) = &story.read_end {
        format!("{} before a whole response", words::read_end(end))
    } else if story.answer.interim.is_empty() {
        return (None, None);
    } else {
        "an interim response came first".to_owned()
    };
    (Some(false), Some(error))
}

fn upgrade(story: &Story, header: &mut dyn FnMut(&str, &str) -> String) -> Value {
    let answer = &story.answer;
    if answer.bytes_seen == 0 {
        return Value::Null;
    }
    let Some((_, head)) = &answer.head else {
        let body = String::from_utf8_lossy(&answer.raw);
        let body = header("", &body);
        return json!({"status": null, "headers": [], "body": body, "checks": []});
    };
    let headers: Vec<Value> = head.headers.iter().map(|(name, value)| json!([name, header(name, value)])).collect();
    let body = (head.status != 101).then(|| answer.body_text()).map(|body| header("", &body));
    let checks: Vec<Value> = answer.checks.iter().map(|c| json!({"check": c.check, "ok": c.ok})).collect();
    json!({"status": head.status, "headers": headers, "body": body, "checks": checks})
}

fn confirmation(story: &Story) -> Value {
    let Some(confirmation) = &story.confirmation else {
        return json!({"ok": null, "ms": null, "preview": null});
    };
    let ms = story.opened.map(|opened| rounded(confirmation.at.millis_since(opened)));
    json!({"ok": confirmation.ok, "ms": ms, "preview": confirmation.preview})
}

fn close(story: &Story) -> Value {
    let frame = |close: &Option<CloseSeen>| {
        close.as_ref().map(|close| json!({"code": close.info.code, "reason": close.info.reason}))
    };
    let ending = story.verdict.as_ref().map(|verdict| verdict.ending);
    json!({
        "browser_code": browser_code(story, ending),
        "received": frame(&story.close_received),
        "sent": frame(&story.close_sent),
        "clean": story.is_clean(),
        "tcp_end": words::tcp_end(story),
        "ended_by": words::ended_by(story),
    })
}

/// The code that a browser would show; `None` where it would throw before there is a `CloseEvent`.
pub(super) fn browser_code(story: &Story, ending: Option<Ending>) -> Option<u16> {
    if story.not_attempted.is_some() {
        return None;
    }
    let own = story.close_sent.as_ref().and_then(|close| close.info.code);
    Some(own.filter(|_| ending == Some(Ending::Open)).unwrap_or_else(|| story.browser_code()))
}

fn token(story: &Story) -> Value {
    match story.token.as_deref() {
        Some(report) => json!({
            "present": report.present,
            "alg": report.alg,
            "signature": words::signature(report),
            "validity": words::validity(report),
            "notes": report.notes,
        }),
        None => json!({"present": false, "alg": null, "signature": "unchecked", "validity": null, "notes": []}),
    }
}

fn verdict(verdict: &Verdict) -> Value {
    json!({
        "ending": verdict.ending.id(),
        "cause": verdict.cause,
        "certainty": words::certainty(verdict.certainty),
        "summary": verdict.summary,
        "browser_shows": verdict.browser_shows,
        "evidence": evidence(&verdict.evidence),
        "fixes": fixes(&verdict.fixes),
        "findings": verdict.findings.iter().map(finding).collect::<Vec<_>>(),
        "alternatives": verdict.alternatives.iter().map(|a| json!({
            "cause": a.cause, "certainty": words::certainty(a.certainty), "decide_by": a.decide_by,
        })).collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding) -> Value {
    json!({
        "id": finding.id,
        "certainty": words::certainty(finding.certainty),
        "summary": finding.summary,
        "evidence": evidence(&finding.evidence),
        "fixes": fixes(&finding.fixes),
    })
}

fn evidence(evidence: &[Evidence]) -> Vec<Value> {
    evidence.iter().map(|e| json!({"at_ms": at_ms(e.at), "text": e.text})).collect()
}

fn fixes(fixes: &[Remedy]) -> Vec<String> {
    fixes.iter().map(words::remedy).collect()
}

/// Milliseconds to the microsecond.
pub(super) fn at_ms(at: Moment) -> f64 {
    rounded(at.as_millis())
}

fn rounded(millis: f64) -> f64 {
    (millis * 1000.0).round() / 1000.0
}
