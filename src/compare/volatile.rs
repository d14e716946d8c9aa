//! What is new in every session, so that it decides nothing: by its name, or by what it looks like.

use regex::Regex;
use serde_json::Value;

/// Whether a header is new in every session.
pub(super) fn is_volatile_header(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(
        name.as_str(),
        "sec-websocket-key"
            | "sec-websocket-accept"
            | "date"
            | "age"
            | "set-cookie"
            | "cookie"
            | "cf-ray"
            | "etag"
            | "expires"
            | "last-modified"
            | "report-to"
            | "traceparent"
            | "tracestate"
            | "server-timing"
            | "content-length"
    ) || ["request-id", "requestid", "trace-id", "correlation-id", "amzn-trace", "amz-cf-id", "runtime", "ratelimit"]
        .iter()
        .any(|part| name.contains(part))
}

/// Whether the name of a member or a claim says that its value is new in every session.
pub(super) fn is_volatile_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.contains(&plain.as_str())
        || [
            "timestamp",
            "requestid",
            "messageid",
            "traceid",
            "correlationid",
            "sessionid",
            "connectionid",
            "socketid",
            "nonce",
        ]
        .iter()
        .any(|end| plain.ends_with(end))
        || name.ends_with("At") && name.len() > 2
}

const NAMES: [&str; 26] = [
    "ts",
    "time",
    "date",
    "now",
    "iat",
    "exp",
    "nbf",
    "jti",
    "uptime",
    "latency",
    "rtt",
    "elapsed",
    "duration",
    "uuid",
    "guid",
    "sid",
    "cid",
    "clientid",
    "token",
    "jwt",
    "accesstoken",
    "signature",
    "etag",
    "hash",
    "pid",
    "port",
];

/// Knows values that are new in every session by what they look like.
pub(super) struct Shapes {
    all: Option<Regex>,
}

impl Shapes {
    pub(super) fn new() -> Self {
        let parts = [
            // A date with a time.
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
            r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT",
            r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b",
            // An UUID, a long number in hexadecimal, a JWT.
            r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b",
            r"\b[0-9a-fA-F]{16,}\b",
            r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
            // Seconds, milliseconds … of this century.
            r"\b1[0-9]{9}(?:\d{3}){0,3}(?:\.\d+)?\b",
            r"\b\d+(?:\.\d+)? ?ms\b",
        ];
        Self { all: Regex::new(&parts.join("|")).ok() }
    }

    /// Whether two texts are the same but for what is new in every session.
    pub(super) fn are_alike(&self, one: &str, other: &str) -> bool {
        let Some(all) = &self.all else { return false };
        if one.len() > MAX_BYTES || other.len() > MAX_BYTES {
            return false;
        }
        all.is_match(one) && all.replace_all(one, "\u{0}") == all.replace_all(other, "\u{0}")
    }

    /// Whether two values of this name differ only by what is new in every session.
    pub(super) fn are_alike_values(&self, name: &str, one: &Value, other: &Value) -> bool {
        if is_volatile_name(name) && is_plain(one) && is_plain(other) {
            return true;
        }
        match (one, other) {
            (Value::String(one), Value::String(other)) => self.are_alike(one, other),
            (Value::Number(one), Value::Number(other)) => self.are_alike(&one.to_string(), &other.to_string()),
            _ => false,
        }
    }
}

fn is_plain(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Number(_))
}

const MAX_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_every_time_is_known() {
        let shapes = Shapes::new();
        assert!(shapes.all.is_some());
        for (one, other) in [
            ("at 2026-11-27T06:12:34.567Z ok", "at 2025-01-02T03:04:05Z ok"),
            ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174111"),
            ("1763800000123", "1763800004567"),
            ("took 12.5 ms", "took 3 ms"),
            ("eyJhbGciOiJIUzI1NiJ9.e30.abc", "eyJhbGciOiJIUzI1NiJ9.e31.abd"),
        ] {
            assert!(shapes.are_alike(one, other), "{one}");
        }
        for (one, other) in
            [("ready", "error"), ("12", "13"), ("at 2026-11-27T06:12:34Z ok", "at 2026-11-27T06:12:34Z no")]
        {
            assert!(!shapes.are_alike(one, other), "{one}");
        }
        for name in ["ts", "createdAt", "request_id", "iat", "serverTimestamp"] {
            assert!(is_volatile_name(name), "{name}");
        }
        for name in ["type", "At", "userId", "format", "state"] {
            assert!(!is_volatile_name(name), "{name}");
        }
    }
}
