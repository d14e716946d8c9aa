//! The state of a connection in words, with a shape and a tone: never colour alone.

use std::time::Duration;

use super::theme::Palette;
use super::units;
use crate::observation::{CloseOrigin, ReadEnd, TlsFailureKind};
use crate::store::{Answer, State, Story};

/// A state as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateWords {
    /// A shape: round while it lives, a cross when it failed.
    pub mark: &'static str,
    /// The words.
    pub text: String,
    /// What is added where there is room.
    pub note: &'static str,
    /// How long it took or lasts, if there is something to say.
    pub span: Option<String>,
    /// What the words mean for the user.
    pub tone: Tone,
}

/// What a state means for the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing happens.
    Quiet,
    /// Something is under way.
    Busy,
    /// All is well.
    Good,
    /// It ended otherwise than it should.
    Bad,
}

impl Tone {
    /// Its colour.
    pub fn colour(self, palette: &Palette) -> egui::Color32 {
        match self {
            Self::Quiet => palette.muted,
            Self::Busy => palette.warn,
            Self::Good => palette.ok,
            Self::Bad => palette.bad,
        }
    }
}

/// Returns the state of a story in words; `now_unix_millis` drives the clock of an open connection.
pub fn state_words(story: Option<&Story>, now_unix_millis: i64) -> StateWords {
    let Some(story) = story else {
        return words("○", "Not connected", Tone::Quiet);
    };
    match story.state() {
        State::NotConnected => words("○", "Not connected", Tone::Quiet),
        State::Resolving => words("◌", "Resolving", Tone::Busy),
        State::Connecting => words("◌", "Connecting", Tone::Busy),
        State::Tls => words("◌", "TLS", Tone::Busy),
        State::Upgrading => words("◌", "Upgrading", Tone::Busy),
        State::WaitingForConfirmation => words("◐", "Waiting for confirmation", Tone::Busy),
        State::Open(_) => StateWords { span: open_for(story, now_unix_millis), ..words("●", "Open", Tone::Good) },
        State::Closing => words("◐", "Closing", Tone::Busy),
        State::Closed(code) => closed(story, code),
        State::Failed => StateWords { span: ended_after(story), ..words("✗", &failed(story), Tone::Bad) },
    }
}

/// Whether nothing more happens on the connection.
pub fn is_over(story: &Story) -> bool {
    match story.state() {
        State::Closed(_) | State::Failed => true,
        State::NotConnected
        | State::Resolving
        | State::Connecting
        | State::Tls
        | State::Upgrading
        | State::WaitingForConfirmation
        | State::Open(_)
        | State::Closing => false,
    }
}

fn words(mark: &'static str, text: &str, tone: Tone) -> StateWords {
    StateWords { mark, text: text.to_owned(), note: "", span: None, tone }
}

fn closed(story: &Story, code: u16) -> StateWords {
    let note = match code {
        1006 if story.first_fatal_violation().is_some() => " (the server broke the protocol)",
        1006 if matches!(story.close_begun, Some((_, CloseOrigin::Abort))) => " (you aborted)",
        1006 if matches!(story.close_begun, Some((_, CloseOrigin::Client))) => " (the client dropped it)",
        1006 if story.close_received.is_none() => " (no Close frame)",
        1005 => " (Close without a code)",
        _ => "",
    };
    let tone = end_tone(story);
    let mark = match tone {
        Tone::Bad => "✗",
        Tone::Good => "✓",
        Tone::Quiet | Tone::Busy => "○",
    };
    StateWords { mark, text: format!("Closed {code}"), note, span: ended_after(story), tone }
}

fn failed(story: &Story) -> String {
    if story.not_attempted.is_some() {
        return "Nothing was sent".to_owned();
    }
    if matches!(story.close_begun, Some((_, CloseOrigin::Abort))) {
        return "Given up before it was open".to_owned();
    }
    if matches!(story.close_begun, Some((_, CloseOrigin::Client))) && story.answer.bytes_seen == 0 {
        return "The client went before it was open".to_owned();
    }
    if let Some(status) = story.answer.status() {
        return if status == 101 { "The 101 breaks the rules".to_owned() } else { format!("Refused: HTTP {status}") };
    }
    let Answer { not_http, bytes_seen, .. } = &story.answer;
    if not_http.is_some() {
        return "The answer is not HTTP".to_owned();
    }
    if story.request.is_some() {
        return if *bytes_seen > 0 {
            "The answer was cut off".to_owned()
        } else {
            "No answer to the upgrade".to_owned()
        };
    }
    if let Some(tls) = &story.tls {
        return match tls.failure.as_ref().map(|failure| failure.kind) {
            Some(TlsFailureKind::NotTls) => "The server does not speak TLS".to_owned(),
            _ => "TLS failed".to_owned(),
        };
    }
    if story.is_proxied() {
        let is_refused = story.tunnel.as_ref().is_some_and(|tunnel| tunnel.failure.is_some());
        return if is_refused { "The proxy gave no way" } else { "The proxy cannot be reached" }.to_owned();
    }
    if story.resolve.as_ref().is_some_and(|resolve| resolve.failure.is_some()) {
        return "Name not found".to_owned();
    }
    "No TCP connection".to_owned()
}

fn open_for(story: &Story, now_unix_millis: i64) -> Option<String> {
    let began = story.plan.as_ref()?.began_unix_millis;
    let opened = story.opened?.as_millis() as i64;
    let millis = now_unix_millis.saturating_sub(began).saturating_sub(opened);
    let secs = u64::try_from(millis).unwrap_or(0) / 1000;
    Some(if secs < 3600 {
        format!("{:02}:{:02}", secs / 60, secs % 60)
    } else {
        format!("{}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
    })
}

/// How long the connection lasted, from the beginning to the end of TCP.
fn ended_after(story: &Story) -> Option<String> {
    let end = story.read_end.as_ref().map(|(at, _)| *at).or(story.we_closed_tcp).unwrap_or(story.last_at);
    (end.0 > 0).then(|| format!("after {}", units::span(Duration::from_nanos(end.0))))
}

/// What the end of a connection that had been open means for the user.
pub fn end_tone(story: &Story) -> Tone {
    if story.verdict.as_ref().is_some_and(|verdict| verdict.cause == "healthy") {
        return Tone::Good;
    }
    let is_by_us = matches!(
        story.close_begun,
        Some((
            _,
            CloseOrigin::User
                | CloseOrigin::Client
                | CloseOrigin::WatchEnded
                | CloseOrigin::Abort
                | CloseOrigin::Shutdown
        ))
    );
    let is_by_us = is_by_us && story.first_fatal_violation().is_none();
    if is_by_us || (story.is_clean() && story.browser_code() == 1000) { Tone::Quiet } else { Tone::Bad }
}

/// How TCP ended, in a word.
pub fn tcp_end(end: &ReadEnd) -> &'static str {
    match end {
        ReadEnd::Fin => "FIN",
        ReadEnd::Reset => "RST",
        ReadEnd::Failed(_) => "TCP failed",
        ReadEnd::CloseNotify => "close_notify",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Moment, Plan};
    use std::sync::Arc;

    #[test]
    fn without_a_connection_it_says_so() {
        assert_eq!(state_words(None, 0).text, "Not connected");
        assert_eq!(state_words(Some(&Story::default()), 0).text, "Not connected");
    }

    #[test]
    fn the_clock_of_an_open_connection_runs() {
        let plan: Plan = serde_json::from_value(serde_json::json!({
            "url": "ws://h", "target": null, "began_unix_millis": 1_000_000, "token_place": null, "credentials": false,
            "origin": null, "subprotocols": [], "expect": {"rule": "first"}, "limit_bytes": 1, "insecure": false,
            "time_outs": {"connect_millis": 1, "upgrade_millis": 1, "confirm_millis": 1, "close_millis": 1, "grace_millis": 1},
            "family": "auto", "probes": false,
        }))
        .unwrap();
        let story = Story { plan: Some(Arc::new(plan)), opened: Some(Moment::from_millis(1000)), ..Story::default() };
        assert_eq!(open_for(&story, 1_000_000 + 1000 + 12_700).as_deref(), Some("00:12"));
        assert_eq!(open_for(&story, 0).as_deref(), Some("00:00"));
    }

    #[test]
    fn an_end_without_a_close_frame_says_so() {
        let story = Story {
            opened: Some(Moment::from_millis(1)),
            read_end: Some((Moment::from_millis(312), ReadEnd::Fin)),
            we_closed_tcp: Some(Moment::from_millis(313)),
            ..Story::default()
        };
        let words = state_words(Some(&story), 0);
        assert_eq!(format!("{}{}", words.text, words.note), "Closed 1006 (no Close frame)");
        assert_eq!(words.span.as_deref(), Some("after 312 ms"));
        assert_eq!(words.tone, Tone::Bad);
    }
}
