//! The entry of the opening handshake.

use serde_json::{Value, json};

use crate::export::check_json::check_json;
use crate::export::redact::Redactor;
use crate::observation::Moment;
use crate::store::Story;

/// Wall clock at moment 0, Unix milliseconds.
pub(super) fn began_unix_millis(story: &Story) -> i64 {
    story.plan.as_ref().map_or(0, |plan| plan.began_unix_millis)
}

/// The entry, without its messages.
pub(super) fn entry(story: &Story, mut redactor: Option<&mut Redactor>) -> Value {
    let timings = timings(story);
    let total: f64 = timings.iter().filter(|(name, ms)| *name != "ssl" && *ms > 0.0).map(|(_, ms)| ms).sum();
    let mut entry = json!({
        "startedDateTime": date(began_unix_millis(story)),
        "time": total,
        "request": request(story, redactor.as_deref_mut()),
        "response": response(story, redactor.as_deref_mut()),
        "cache": {},
        "timings": timings.iter().map(|(name, ms)| ((*name).to_owned(), json!(ms))).collect::<serde_json::Map<_, _>>(),
    });
    if let Some(connected) = story.connected() {
        entry["serverIPAddress"] = json!(connected.address.ip().to_string());
        entry["connection"] = json!(connected.address.port().to_string());
    }
    let told = check_json(story, &[], redactor);
    if let Some(verdict) = told.get("verdict").filter(|verdict| !verdict.is_null()) {
        entry["comment"] = verdict.get("summary").cloned().unwrap_or_default();
        entry["_verdict"] = verdict.clone();
    }
    entry["_close"] = told.get("close").cloned().unwrap_or_default();
    entry["_resourceType"] = json!("websocket");
    entry
}

fn request(story: &Story, mut redactor: Option<&mut Redactor>) -> Value {
    let url = story.plan.as_ref().map_or("", |plan| plan.url.as_str());
    let url = redactor.as_deref_mut().map_or_else(|| url.to_owned(), |redactor| redactor.url(url));
    let seen = story.request.as_ref();
    let pairs = seen.map(|request| request.head.headers.as_slice()).unwrap_or_default();
    let headers = headers(pairs, redactor);
    json!({
        "method": "GET",
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": cookies(&headers, "cookie"),
        "headers": named(&headers),
        "queryString": query(&url),
        "headersSize": seen.map_or(-1, |request| i64::try_from(request.raw.len()).unwrap_or(i64::MAX)),
        "bodySize": 0,
    })
}

fn response(story: &Story, mut redactor: Option<&mut Redactor>) -> Value {
    let Some((_, head)) = &story.answer.head else {
        return json!({
            "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
            "content": {"size": 0, "mimeType": "x-unknown"},
            "redirectURL": "", "headersSize": -1, "bodySize": -1,
        });
    };
    let headers = headers(&head.headers, redactor.as_deref_mut());
    let of =
        |name: &str| headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone());
    let body = if head.status == 101 { String::new() } else { story.answer.body_text() };
    let body = redactor.map_or_else(|| body.clone(), |redactor| redactor.text(&body));
    json!({
        "status": head.status,
        "statusText": head.reason,
        "httpVersion": "HTTP/1.1",
        "cookies": cookies(&headers, "set-cookie"),
        "headers": named(&headers),
        "content": {
            "size": body.len(),
            "mimeType": of("content-type").unwrap_or_else(|| "x-unknown".to_owned()),
            "text": body,
        },
        "redirectURL": of("location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": if head.status == 101 { 0 } else { i64::try_from(story.answer.body.len()).unwrap_or(i64::MAX) },
    })
}

fn headers(pairs: &[(String, String)], mut redactor: Option<&mut Redactor>) -> Vec<(String, String)> {
    let redacted = |(name, value): &(String, String)| {
        let value = redactor.as_deref_mut().map_or_else(|| value.clone(), |redactor| redactor.header(name, value));
        (name.clone(), value)
    };
    pairs.iter().map(redacted).collect()
}

fn named(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// The cookies of headers whose secrets are gone already.
fn cookies(headers: &[(String, String)], name: &str) -> Vec<Value> {
    let values = headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    let first_only = name == "set-cookie";
    let pairs = values.flat_map(|value| value.split(';').take(if first_only { 1 } else { usize::MAX }));
    let cookie = |pair: &str| {
        let (name, value) = pair.trim().split_once('=').unwrap_or((pair.trim(), ""));
        json!({"name": name, "value": value})
    };
    pairs.filter(|pair| !pair.trim().is_empty()).map(cookie).collect()
}

/// The parameters of a URL; a mark may hold a `#`, which a WebSocket URL never does.
fn query(url: &str) -> Vec<Value> {
    let Some((_, query)) = url.split_once('?') else { return Vec::new() };
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        json!({"name": decoded(name), "value": decoded(value)})
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

/// Milliseconds of each phase, −1 where there was none; `connect` includes `ssl`, as HAR wants it.
fn timings(story: &Story) -> [(&'static str, f64); 7] {
    let span = |from: Option<Moment>, to: Option<Moment>| match (from, to) {
        (Some(from), Some(to)) => to.millis_since(from),
        _ => -1.0,
    };
    let resolve = story.resolve.as_ref();
    let tcp = story.connected();
    let tls = story.tls.as_ref();
    let connected = tls.and_then(|tls| tls.ended).or(tcp.and_then(|tcp| tcp.ended));
    let request = story.request.as_ref().map(|request| request.at);
    let last = story.answer.head.as_ref().map(|(at, _)| *at).max(story.answer.last_at);
    [
        ("blocked", -1.0),
        ("dns", span(resolve.map(|resolve| resolve.started), resolve.and_then(|resolve| resolve.ended))),
        ("connect", span(tcp.map(|tcp| tcp.started), connected)),
        ("ssl", span(tls.map(|tls| tls.started), tls.and_then(|tls| tls.ended))),
        ("send", span(connected, request).max(0.0)),
        ("wait", span(request, story.answer.first_at).max(0.0)),
        ("receive", span(story.answer.first_at, last).max(0.0)),
    ]
}

/// A moment of the wall clock as ISO 8601 with milliseconds.
fn date(unix_millis: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_millis)
        .map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
        .unwrap_or_default()
}
