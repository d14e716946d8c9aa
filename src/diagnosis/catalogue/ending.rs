//! The words of every ending: what happened, apart from why.

use serde::Serialize;

/// The words of one ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EndingText {
    /// The stable id, as `verdict.ending` prints it.
    pub id: &'static str,
    /// A short heading.
    pub title: &'static str,
    /// One or two sentences.
    pub what: &'static str,
}

/// Returns every ending, in the order in which a connection can meet them.
pub fn endings() -> impl Iterator<Item = &'static EndingText> {
    ENDINGS.iter()
}

/// Returns the words of the ending `id`.
pub fn ending(id: &str) -> Option<&'static EndingText> {
    ENDINGS.iter().find(|ending| ending.id == id)
}

const fn text(id: &'static str, title: &'static str, what: &'static str) -> EndingText {
    EndingText { id, title, what }
}

const ENDINGS: &[EndingText] = &[
    text("not-attempted", "Nothing was sent", "The URL or the options cannot work, so no connection was tried."),
    text(
        "resolve-failed",
        "The host name was not resolved",
        "No address was found for the host, so there was nothing to connect to.",
    ),
    text(
        "connect-failed",
        "No TCP connection",
        "No address of the host took the connection, or the proxy on the way did not let us through.",
    ),
    text(
        "tls-failed",
        "Encryption failed",
        "The TCP connection stood, but client and server did not agree on TLS. No HTTP was answered.",
    ),
    text(
        "upgrade-cut",
        "The connection ended during the opening handshake",
        "TCP ended, in an orderly way or by a reset, before a whole response had arrived.",
    ),
    text(
        "upgrade-unanswered",
        "The opening handshake was not answered in time",
        "The request was sent, and our time limit passed before a whole response came.",
    ),
    text(
        "upgrade-refused",
        "The server refused the upgrade",
        "A whole HTTP response came, with a status other than 101.",
    ),
    text(
        "upgrade-invalid",
        "The answer to the upgrade was invalid",
        "What came was no HTTP at all, or a 101 that breaks the rules of the opening handshake.",
    ),
    text(
        "protocol-error",
        "The server broke the protocol",
        "After the 101 the server sent something that RFC 6455 or RFC 7692 forbids, and the connection was failed.",
    ),
    text("closed", "Closed cleanly", "Both sides sent their Close frame; the closing handshake is complete."),
    text(
        "closed-unclean",
        "Closed, but not cleanly",
        "A Close frame travelled in one direction only: theirs could not be answered any more, or ours never was.",
    ),
    text(
        "fin",
        "The connection ended without a Close frame",
        "The other side ended TCP in an orderly way (FIN), and no Close frame had travelled. A browser calls that 1006.",
    ),
    text(
        "rst",
        "The connection was reset without a Close frame",
        "TCP was torn down (RST), and no Close frame had travelled. A browser calls that 1006.",
    ),
    text(
        "network-timeout",
        "The network went silent",
        "No sign of life came in time: keep-alive, the wait for a pong, or TCP itself gave up.",
    ),
    text(
        "unconfirmed",
        "Open, but not confirmed",
        "The connection is open, and the message that should confirm it did not come or was another one.",
    ),
    text(
        "open",
        "Open and well",
        "The connection was open and well when the watch ended; we then closed it, and the server answered.",
    ),
    text(
        "ended-by-us",
        "Ended on this side",
        "This side ended the connection: the user, the page, a limit of ours or the end of the program.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_found_once_by_its_id() {
        let ids = [
            "not-attempted",
            "resolve-failed",
            "connect-failed",
            "tls-failed",
            "upgrade-cut",
            "upgrade-unanswered",
            "upgrade-refused",
            "upgrade-invalid",
            "protocol-error",
            "closed",
            "closed-unclean",
            "fin",
            "rst",
            "network-timeout",
            "unconfirmed",
            "open",
            "ended-by-us",
        ];
        assert_eq!(endings().map(|ending| ending.id).collect::<Vec<_>>(), ids);
        for id in ids {
            let text = ending(id).unwrap();
            assert!(!text.title.is_empty() && text.title.len() <= 60 && text.what.ends_with('.'), "{id}");
        }
        assert!(ending("crashed").is_none());
    }
}
