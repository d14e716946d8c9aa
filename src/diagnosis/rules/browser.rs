//! What only a browser's console tells: most of it never reaches the wire.
//!
//! The user pastes what the browser said about the same URL. Where our own connection is well, that line says why the
//! page's was not; where ours failed, the wire has the word, and the line is a finding.

use super::{Found, Rule};
use crate::diagnosis::console::recognise_browser;
use crate::diagnosis::words::capital;
use crate::diagnosis::{Case, Ending};
use crate::observation::PastedConsole;

pub(super) const RULES: &[Rule] = &[
    Rule::new("close-while-connecting", said).implies(HEALTHY),
    Rule::new("mixed-content", said).implies(HEALTHY),
    Rule::new("csp-connect-src", said).implies(HEALTHY),
    Rule::new("browser-connection-limit", said).implies(HEALTHY),
    Rule::new("extension-blocked", said).implies(HEALTHY),
    Rule::new("private-network-access", said).implies(HEALTHY),
    Rule::new("browser-offline", said).implies(HEALTHY),
    Rule::new("network-change", said).implies(HEALTHY),
    Rule::new("background-tab-throttle", said).implies(HEALTHY),
    Rule::new("send-before-open", said).implies(HEALTHY),
    Rule::new("close-code-api", said).implies(HEALTHY),
    Rule::new("page-navigation", said).implies(HEALTHY),
    Rule::new("browser-handshake-queue", queued),
];

const HEALTHY: &[&str] = &["healthy"];

/// The first line of a pasted browser console that tells of this cause.
fn said(case: &Case<'_>, ending: Ending, id: &'static str) -> Option<Found> {
    let pasted = case.story.pasted.iter().filter(|pasted| pasted.console == PastedConsole::Browser);
    let (at, line) =
        pasted.flat_map(|pasted| pasted.text.lines().map(|line| (pasted.at, line))).find_map(|(at, line)| {
            let seen = recognise_browser(line).filter(|seen| seen.cause == Some(id))?;
            Some((at, seen))
        })?;
    let quote = case.quote(&line.quote, 160);
    let ours = if ending == Ending::Open { ", while our own connection to the same URL is well" } else { "" };
    let found =
        Found::likely(format!("{}: the browser's console says \u{201c}{quote}\u{201d}{ours}.", capital(&line.meaning)))
            .seen(at, format!("the browser's console says \u{201c}{quote}\u{201d}"));
    let found = match case.opened_at().filter(|_| ending == Ending::Open) {
        Some(opened) => found.seen(opened, "the same URL opens from here"),
        None => found,
    };
    Some(found.cause_if(ending == Ending::Open))
}

/// A handshake of ours that hangs blocks those of a browser to the same address, which print nothing at all.
fn queued(case: &Case<'_>, ending: Ending, _: &'static str) -> Option<Found> {
    let has_paste = case.story.pasted.iter().any(|pasted| pasted.console == PastedConsole::Browser);
    if ending != Ending::UpgradeUnanswered || !has_paste {
        return None;
    }
    let at = case.story.request.as_ref()?.at;
    let summary =
        "As long as this handshake gets no answer, a browser begins no other one to the same address and port.";
    Some(Found::possible(summary).seen(at, "our request was not answered").finding())
}

#[cfg(test)]
mod tests {
    use crate::diagnosis::testing::{Scene, finds};
    use crate::observation::{CloseOrigin, Fact, PastedConsole};

    const MIXED: &str = "Uncaught SecurityError: Failed to construct 'WebSocket': An insecure WebSocket connection may not be \
        initiated from a page loaded over HTTPS.";

    fn pasted(text: &str) -> Fact {
        Fact::pasted(PastedConsole::Browser, text)
    }

    fn healthy(scene: Scene) -> Scene {
        scene.we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin()
    }

    #[test]
    fn what_the_browser_says_decides_where_our_own_connection_is_well() {
        let paste = pasted(&format!("[HMR] connected\n{MIXED}"));
        let verdict = healthy(Scene::confirmed().fact(paste)).likely("open", "mixed-content");
        assert!(verdict.evidence[0].text.contains("may not be initiated"), "{verdict:#?}");
        healthy(Scene::confirmed().fact(pasted("[HMR] connected"))).certain("open", "healthy");
        healthy(Scene::confirmed().fact(Fact::pasted(PastedConsole::Server, MIXED))).certain("open", "healthy");
    }

    #[test]
    fn the_wire_has_the_word_where_our_own_connection_failed() {
        let verdict = Scene::confirmed().fact(pasted(MIXED)).closed_by_server(1011, "").verdict();
        assert_eq!(verdict.cause, "close-1011");
        assert!(finds(&verdict, "mixed-content"), "{verdict:#?}");
    }
}
