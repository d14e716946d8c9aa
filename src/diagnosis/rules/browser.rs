//! What only a browser's console tells: most of it never reaches the wire.
//!
//! The user pastes what the browser said about the same URL. Where our own connection is well, that line says why the
//! page's was not; where ours failed, the wire has the word, and the line is a finding.

use super::{Found, Rule};
use crate::diagnosis::console::recognise_browser;
use crate::diagnosis::words::{capital, span};
use crate::diagnosis::{Case, Ending};
use crate::observation::{CloseOrigin, Direction, Moment, PastedConsole, ReadEnd};

pub(super) const RULES: &[Rule] = &[
    Rule::new("close-while-connecting", |case, ending, id| gave_up(case, ending).or_else(|| said(case, ending, id)))
        .implies(HEALTHY),
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
    Rule::new("page-navigation", |case, ending, id| left(case, ending).or_else(|| said(case, ending, id)))
        .implies(HEALTHY),
    Rule::new("browser-handshake-queue", queued),
];

const HEALTHY: &[&str] = &["healthy"];

/// Whether the page itself ended a connection that goes through us, in a way that has a cause of its own.
pub(super) fn is_the_pages(case: &Case<'_>, ending: Ending) -> bool {
    [gave_up(case, ending), left(case, ending)].into_iter().flatten().any(|found| !found.is_finding_only)
}

/// A client that we stand between went away while its connection was being made: what pages do that close a socket at once.
fn gave_up(case: &Case<'_>, ending: Ending) -> Option<Found> {
    let (at, end) = case.story.client_end.as_ref()?;
    let is_its_wish = ending == Ending::EndedByUs && case.begun_by(&[CloseOrigin::Client]);
    if !is_its_wish || case.story.close_sent.is_some() {
        return None;
    }
    let how = if matches!(end, ReadEnd::Reset) { "reset TCP" } else { "ended TCP" };
    let found = match case.opened_at() {
        None => Found::certain(format!(
            "The client {how} before the opening handshake was answered: the page closed its socket while it was connecting."
        )),
        Some(opened) if is_at_once(case, opened, *at) => Found::likely(format!(
            "The client {how} {} after the 101 without having sent a frame: the page closed its socket while it was connecting.",
            span(at.millis_since(opened))
        ))
        .seen(opened, "the server accepted"),
        Some(_) => return None,
    };
    Some(found.seen(*at, format!("the client {how}, no Close frame came from it")))
}

/// A browser that we stand between closed because its page goes.
fn left(case: &Case<'_>, ending: Ending) -> Option<Found> {
    let sent = case.story.close_sent.as_ref().filter(|sent| sent.info.code == Some(1001))?;
    if !case.is_between() || !case.begun_by(&[CloseOrigin::Client]) {
        return None;
    }
    let summary = "The browser closed with 1001: the page was left or reloaded, or its tab was closed.";
    let found = Found::certain(summary).seen_at(
        sent.at,
        Direction::ClientToServer,
        sent.info.offset,
        "the client's Close frame says 1001",
    );
    Some(found.cause_if(ending == Ending::EndedByUs))
}

/// Whether a client that goes had decided to before the 101 came: soon after it, and without a word from either side.
fn is_at_once(case: &Case<'_>, opened: Moment, at: Moment) -> bool {
    let said = case.story.first_message.as_ref().is_some_and(|(said, _)| at.millis_since(*said) > MILLIS_AFTER_MESSAGE);
    case.story.sent.frames == 0 && !said && at.millis_since(opened) < MILLIS_AFTER_OPEN
}

/// A client that goes so soon after the 101 had decided to before it came, …
const MILLIS_AFTER_OPEN: f64 = 1_000.0;
/// … unless it had so long to read a message.
const MILLIS_AFTER_MESSAGE: f64 = 50.0;

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
    use crate::observation::{CloseOrigin, Deadline, Fact, PastedConsole, ReadEnd};

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

    #[test]
    fn a_page_that_goes_while_connecting_is_told_from_one_that_goes_later() {
        for end in [ReadEnd::Fin, ReadEnd::Reset] {
            let goes = |scene: Scene| scene.client_goes(end.clone()).fin();
            goes(Scene::asked()).certain("ended-by-us", "close-while-connecting");
            goes(Scene::confirmed()).likely("ended-by-us", "close-while-connecting");
            goes(Scene::confirmed().wait(2_000)).certain("ended-by-us", "ended-by-user");
            goes(Scene::confirmed().wait(200)).certain("ended-by-us", "ended-by-user");
            goes(Scene::open().wait(200)).likely("ended-by-us", "close-while-connecting");
            let talked = Scene::confirmed().client(b"\x81\x80\x00\x00\x00\x00");
            goes(talked).certain("ended-by-us", "ended-by-user");
        }
        // The server had its time, and the page only drew the conclusion.
        let late = Scene::asked().ran_out(Deadline::Upgrade, 10_000).client_goes(ReadEnd::Fin).fin();
        assert_eq!(late.verdict().ending.id(), "upgrade-unanswered");
    }

    #[test]
    fn a_page_that_is_left_closes_with_1001() {
        let closes = |code| Scene::confirmed().client_begins_close(code);
        closes(1001).server_close(1001, "").fin().certain("ended-by-us", "page-navigation");
        let verdict = closes(1000).server_close(1000, "").fin().certain("ended-by-us", "ended-by-user");
        assert!(verdict.summary.starts_with("The client closed"), "{}", verdict.summary);
        let mute = closes(1001).ran_out(Deadline::Close, 4_000).certain("closed-unclean", "peer-never-answers-close");
        assert!(mute.summary.starts_with("The client closed") && finds(&mute, "page-navigation"), "{mute:#?}");
        // What we send ourselves says nothing of a page.
        let ours = Scene::confirmed().fact(Fact::CloseBegun { by: CloseOrigin::User }).client_close(1001);
        ours.server_close(1001, "").fin().certain("ended-by-us", "ended-by-user");
    }

    #[test]
    fn who_hung_up_first_is_not_laid_on_the_server() {
        let closes = |code| Scene::confirmed().client_begins_close(code);
        let gone = |scene: Scene| scene.fact(Fact::ClientEnded(ReadEnd::Fin));
        // A tab that is closed sends both at once; the server drops on the end of TCP.
        let verdict = gone(closes(1001)).fin().certain("ended-by-us", "page-navigation");
        assert!(!finds(&verdict, "peer-drops-tcp-on-our-close"), "{verdict:#?}");
        gone(closes(1001)).certain("ended-by-us", "page-navigation");
        gone(closes(1001)).ran_out(Deadline::Close, 4_000).certain("ended-by-us", "page-navigation");
        // It waited long enough for an answer.
        let patient = gone(closes(1000).ran_out(Deadline::Close, 4_000).wait(26_000));
        patient.certain("closed-unclean", "peer-never-answers-close");
        // The server winds down what the client has left.
        let left = Scene::confirmed().client(b"\x81\x80\x00\x00\x00\x00").client_goes(ReadEnd::Fin);
        left.server_close(1011, "internal error").fin().certain("ended-by-us", "ended-by-user");
        // Without its end the server has to answer.
        closes(1000).fin().certain("closed-unclean", "peer-drops-tcp-on-our-close");
        // A reload in the midst of data, and the program's end after the client's Close.
        closes(1001)
            .fact(Fact::ClientEnded(ReadEnd::Reset))
            .fact(Fact::WeClosedTcp)
            .certain("ended-by-us", "page-navigation");
        let dropped = closes(1000).fact(Fact::WeClosedTcp).certain("ended-by-us", "ended-by-user");
        assert!(dropped.summary.starts_with("The client closed"), "{}", dropped.summary);
        // What a client complains of may well be the server's.
        closes(1007).server_close(1007, "").fin().likely("ended-by-us", "ended-by-user");
    }

    #[test]
    fn a_name_that_is_ours_is_not_laid_on_the_server() {
        let refused = |url: &str, status: &str| Scene::to(url).tcp().request().between().answer(status, "", "no");
        let same = refused("ws://voice.example/", "404 Not Found").verdict();
        assert!(!same.summary.contains("--rename-host"), "{}", same.summary);
        let other = |url: &str, status: &str| {
            let scene = Scene::to(url).plan(|plan| {
                let target = plan.target.as_mut().unwrap();
                target.host = "localhost".to_owned();
                target.port = 9001;
                plan.credentials = true;
            });
            let scene = scene.tcp().request().plan(|plan| plan.target = crate::wire::parse_url(&plan.url).ok());
            scene.between().answer(status, "", "no").verdict()
        };
        let verdict = other("ws://voice.example/", "404 Not Found");
        assert!(verdict.summary.contains("asked as Host localhost:9001"), "{}", verdict.summary);
        assert_ne!(verdict.certainty, crate::diagnosis::Certainty::Certain);
        // A server of this machine rarely looks at it.
        assert!(!other("ws://127.0.0.1:3001/", "404 Not Found").summary.contains("--rename-host"));
        assert!(other("ws://127.0.0.1:3001/", "403 Forbidden").summary.contains("--rename-host"));
    }
}
