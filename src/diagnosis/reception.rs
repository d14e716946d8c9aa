//! How a server answered one token, in a line: for a table of many.

use super::{Case, Ending};
use crate::store::{State, Story};

/// What a server did with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reception {
    /// Whether it took the token; `None` if it was never asked, or one cannot tell.
    pub accepted: Option<bool>,
    /// What it did: `closed 1008 “jwt expired”`, `HTTP 401 “Unauthorized”`.
    pub words: String,
    /// The cause that the diagnosis gives.
    pub cause: String,
}

/// Reads the answer out of a connection that is over.
pub fn reception(story: &Story) -> Reception {
    let case = Case { story, probes_pending: false };
    let verdict = story.verdict.as_ref();
    let cause = verdict.map_or_else(String::new, |verdict| verdict.cause.clone());
    let (accepted, words) = match verdict.map(|verdict| verdict.ending) {
        Some(ending) => by_ending(&case, ending),
        None => (None, "there is no verdict".to_owned()),
    };
    Reception { accepted, words, cause }
}

fn by_ending(case: &Case<'_>, ending: Ending) -> (Option<bool>, String) {
    let story = case.story;
    let took = story.confirmation.as_ref().zip(story.opened).map(|(found, opened)| found.at.millis_since(opened));
    match ending {
        Ending::Open => match took {
            Some(millis) if case.is_confirmed() => (Some(true), format!("accepted, confirmed after {millis:.0} ms")),
            Some(_) | None => (Some(true), "accepted: it stayed open".to_owned()),
        },
        Ending::Unconfirmed => (None, "it opened, and no confirmation came".to_owned()),
        Ending::Closed | Ending::ClosedUnclean => match case.server_close() {
            Some(close) => {
                let code = close.info.code.map_or_else(|| "without a code".to_owned(), |code| code.to_string());
                let reason = case.quote(&close.info.reason, REASON_CHARS);
                let reason = if reason.is_empty() { String::new() } else { format!(" \u{201c}{reason}\u{201d}") };
                (Some(false), format!("closed {code}{reason}"))
            }
            None => (Some(true), "accepted: it stayed open until we closed it".to_owned()),
        },
        Ending::UpgradeRefused => {
            let status = story.answer.status().unwrap_or_default();
            let body = case.quote(case.body_beginning().trim(), REASON_CHARS);
            let body = if body.is_empty() { String::new() } else { format!(" \u{201c}{body}\u{201d}") };
            (Some(false), format!("HTTP {status}{body}"))
        }
        Ending::Fin | Ending::Rst => {
            (Some(false), format!("it opened, and TCP ended with {} and without a word", case.tcp_end_words()))
        }
        Ending::UpgradeCut => (Some(false), format!("TCP ended with {} in place of a response", case.tcp_end_words())),
        Ending::UpgradeUnanswered => (None, "no response came in time".to_owned()),
        Ending::NotAttempted | Ending::ResolveFailed | Ending::ConnectFailed | Ending::TlsFailed => {
            (None, "the server was not reached".to_owned())
        }
        Ending::UpgradeInvalid | Ending::ProtocolError => (None, "its answer breaks the protocol".to_owned()),
        Ending::NetworkTimeout => (None, "the network gave up".to_owned()),
        Ending::EndedByUs => {
            let words = if matches!(story.state(), State::Failed) { "it was given up" } else { "we ended it" };
            (None, words.to_owned())
        }
    }
}

/// Characters of a reason or a body.
const REASON_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::testing::{Scene, token};
    use super::*;

    fn told(scene: &Scene) -> (Option<bool>, String) {
        let mut story = scene.story();
        story.verdict = Some(Arc::new(scene.verdict()));
        let found = reception(&story);
        assert!(!found.cause.is_empty());
        (found.accepted, found.words)
    }

    #[test]
    fn what_a_server_did_with_a_token_is_told_in_a_line() {
        let asked = || Scene::with_token(&token(3600)).tcp().request();
        let cases = [
            (
                asked().accept().closed_by_server(1008, "jwt expired"),
                Some(false),
                "closed 1008 \u{201c}jwt expired\u{201d}",
            ),
            (asked().accept().closed_by_server(4401, ""), Some(false), "closed 4401"),
            (asked().answer("401 Unauthorized", "", "no token"), Some(false), "HTTP 401 \u{201c}no token\u{201d}"),
            (asked().accept().confirm().wait(10).fin(), Some(false), "it opened, and TCP ended with FIN"),
            (asked().fin(), Some(false), "TCP ended with FIN in place of a response"),
        ];
        for (scene, accepted, words) in cases {
            let found = told(&scene);
            assert!(found.0 == accepted && found.1.starts_with(words), "{found:?} for {words}");
        }
    }
}
