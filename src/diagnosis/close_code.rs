//! Close codes: name, meaning, who may send them, and whether they may travel at all.
//!
//! RFC 6455 §7.4 and the IANA registry of WebSocket close codes. Start with [`close_code`].

use serde::Serialize;

/// What is known about one close code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CloseCode {
    /// The number, 0–65535.
    pub code: u16,
    /// Its short name: the registered one, or that of its range.
    pub name: &'static str,
    /// What it says, in a sentence or two.
    pub meaning: &'static str,
    /// Who may send it.
    pub sender: &'static str,
    /// Whether it may stand in a Close frame; 1005, 1006 and 1015 are only ever shown on the own side.
    pub on_wire: bool,
    /// Where that is laid down.
    pub reference: &'static str,
}

/// Returns what is known about `code`; every number has an answer.
pub fn close_code(code: u16) -> CloseCode {
    let (name, meaning, sender, reference) = words(code);
    CloseCode { code, name, meaning, sender, on_wire: is_legal_on_wire(code), reference }
}

/// Returns whether `code` may stand in a Close frame: 1000–1003, 1007–1014 and 3000–4999.
///
/// RFC 6455 §7.4.
pub const fn is_legal_on_wire(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// Returns the id of the cause that a Close frame with `code` stands for, as long as nothing more specific is known.
///
/// `code` is the number on the wire. A 1005 that a *browser* shows means a Close frame without a code: `close-empty`.
pub const fn cause_id(code: u16) -> &'static str {
    match code {
        1000 => "close-1000",
        1001 => "close-1001",
        1002 => "close-1002",
        1003 => "close-1003",
        1007 => "close-1007",
        1008 => "close-1008",
        1009 => "message-too-big-by-server",
        1010 => "close-1010",
        1011 => "close-1011",
        1012 => "close-1012",
        1013 => "close-1013",
        1014 => "close-1014",
        3000 => "close-3000",
        3003 => "close-3003",
        3001..=3002 | 3004..=4999 => "close-application",
        0..=999 | 1004..=1006 | 1015..=2999 | 5000.. => "close-illegal-code",
    }
}

/// Returns what a number that has no registered meaning is commonly used for.
///
/// Habits, not rules: codes that imitate HTTP, most of them laid down by the GraphQL protocol `graphql-transport-ws`.
pub const fn convention(code: u16) -> Option<&'static str> {
    match code {
        4400 => Some("bad request, after HTTP 400; GraphQL: a message that cannot be read"),
        4401 => Some("not logged in, after HTTP 401; GraphQL: a subscription before the connection was acknowledged"),
        4403 => Some("forbidden, after HTTP 403; GraphQL: the server refused the connection's parameters"),
        4404 => Some("not found, after HTTP 404"),
        4406 => Some("GraphQL: the subprotocol is not acceptable"),
        4408 => Some("time-out, after HTTP 408; GraphQL: the client did not introduce itself in time"),
        4409 => Some("conflict, after HTTP 409; GraphQL: the subscription's id is already in use"),
        4429 => Some("too many requests, after HTTP 429; GraphQL: the client introduced itself more than once"),
        4499 => Some("GraphQL: the other side terminated the connection"),
        4500 => Some("internal error, after HTTP 500; GraphQL: the server failed unexpectedly"),
        _ => None,
    }
}

const fn words(code: u16) -> (&'static str, &'static str, &'static str, &'static str) {
    match code {
        0..=999 => (
            "Not used",
            "Numbers below 1000 are never close codes. An exit status or an HTTP status was probably put here.",
            NOBODY,
            RFC,
        ),
        1000 => ("Normal Closure", "The purpose of the connection is fulfilled; nothing went wrong.", EITHER, RFC),
        1001 => ("Going Away", "An endpoint leaves: a server shuts down, or a browser leaves the page.", EITHER, RFC),
        1002 => {
            ("Protocol Error", "The sender saw a violation of the WebSocket protocol in what it received.", EITHER, RFC)
        }
        1003 => (
            "Unsupported Data",
            "The sender received a kind of data that it cannot take, such as binary where it expects text.",
            EITHER,
            RFC,
        ),
        1004 => ("Reserved", "Kept for a meaning that was never defined.", NOBODY, RFC),
        1005 => (
            "No Status Received",
            "Shown on the own side when a Close frame came without a code. It never travels.",
            LOCAL,
            RFC,
        ),
        1006 => (
            "Abnormal Closure",
            "Shown on the own side when the connection ended without a Close frame, or never opened. It never travels, \
             so nobody sent it, and it says nothing about the reason.",
            LOCAL,
            RFC,
        ),
        1007 => (
            "Invalid Frame Payload Data",
            "The sender received a message whose content does not fit its kind, such as text that is not UTF-8.",
            EITHER,
            RFC,
        ),
        1008 => (
            "Policy Violation",
            "The sender refuses to go on because of a rule of its own. The general code, often used for a token that \
             was not accepted.",
            EITHER,
            RFC,
        ),
        1009 => ("Message Too Big", "The sender received a message larger than it is willing to process.", EITHER, RFC),
        1010 => (
            "Mandatory Extension",
            "The client needs an extension that the server did not agree to.",
            "the client",
            RFC,
        ),
        1011 => (
            "Internal Error",
            "The server met an unexpected condition that keeps it from going on. Its console has the details.",
            "the server; clients use it as well",
            RFC,
        ),
        1012 => {
            ("Service Restart", "The service is restarting; clients may come back after a random pause.", SERVER, IANA)
        }
        1013 => (
            "Try Again Later",
            "The service is overloaded or unable for the moment; clients should come back later.",
            SERVER,
            IANA,
        ),
        1014 => (
            "Bad Gateway",
            "A gateway or proxy got an invalid response from the server behind it, like HTTP 502.",
            "a gateway or proxy",
            IANA,
        ),
        1015 => (
            "TLS Handshake",
            "Shown on the own side when TLS could not be established, for instance because of the certificate. \
             It never travels.",
            LOCAL,
            RFC,
        ),
        1016..=2999 => {
            ("Unassigned", "Kept for the protocol and its extensions; nothing is defined for this number.", NOBODY, RFC)
        }
        3000 => ("Unauthorized", "Credentials are missing or were not accepted, like HTTP 401.", SERVER, IANA),
        3003 => ("Forbidden", "The client is known and not allowed, like HTTP 403.", SERVER, IANA),
        3008 => ("Timeout", "Something took longer than the sender was willing to wait, like HTTP 408.", EITHER, IANA),
        3001..=3002 | 3004..=3007 | 3009..=3999 => (
            "Library or framework",
            "For libraries and frameworks, registered with IANA; this number is not. Look it up where the server's \
             library is described.",
            EITHER,
            IANA,
        ),
        4000..=4999 => (
            "Application",
            "For private use: the application gives it its meaning. Look for the number in the server's source.",
            EITHER,
            RFC,
        ),
        5000.. => ("Out of range", "Numbers from 5000 on are not close codes.", NOBODY, RFC),
    }
}

const EITHER: &str = "either side";
const SERVER: &str = "the server";
const NOBODY: &str = "nobody";
const LOCAL: &str = "nobody; each side shows it to its own program";
const RFC: &str = "RFC 6455 §7.4";
const IANA: &str = "IANA WebSocket Close Code Number Registry";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::catalogue::cause;

    #[test]
    fn every_number_has_words_and_a_cause() {
        for code in 0..=u16::MAX {
            let info = close_code(code);
            assert_eq!(info.code, code);
            assert!(!info.name.is_empty() && info.meaning.ends_with('.') && !info.sender.is_empty());
            assert_eq!(info.on_wire, is_legal_on_wire(code));
            assert_eq!(cause_id(code) == "close-illegal-code", !info.on_wire, "{code}");
        }
    }

    #[test]
    fn every_cause_id_is_in_the_catalogue() {
        for code in (1000..=1015).chain([0, 3000, 3001, 3003, 3008, 4000, 5000]) {
            assert!(cause(cause_id(code)).is_some(), "{code}");
        }
    }

    #[test]
    fn ranges_end_where_the_rfc_ends_them() {
        let legal = |range: std::ops::RangeInclusive<u16>| range.into_iter().all(is_legal_on_wire);
        assert!(legal(1000..=1003) && legal(1007..=1014) && legal(3000..=4999));
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert!(!is_legal_on_wire(code), "{code}");
        }
    }

    #[test]
    fn codes_map_to_their_causes() {
        for (code, id) in [
            (1000, "close-1000"),
            (1009, "message-too-big-by-server"),
            (1005, "close-illegal-code"),
            (3000, "close-3000"),
            (3003, "close-3003"),
            (3008, "close-application"),
            (4401, "close-application"),
            (5000, "close-illegal-code"),
        ] {
            assert_eq!(cause_id(code), id, "{code}");
        }
    }

    #[test]
    fn local_codes_never_travel() {
        for code in [1005, 1006, 1015] {
            let info = close_code(code);
            assert!(!info.on_wire && info.meaning.contains("It never travels"), "{code}");
        }
        assert_eq!(close_code(1006).name, "Abnormal Closure");
    }

    #[test]
    fn conventions_are_for_codes_of_applications() {
        for code in (0..=u16::MAX).filter(|code| convention(*code).is_some()) {
            assert_eq!(cause_id(code), "close-application");
        }
    }
}
