//! The rules: a file per family of causes, a rule per id, in order of precedence.
//!
//! A rule says what it found; which of the findings is the cause is decided here alone. Start at [`rules`].

mod asked;
mod auth;
mod browser;
mod close;
mod console;
mod dns_tcp;
mod engineio;
mod healthy;
mod invalid;
mod keep_alive;
mod open;
mod ours;
mod protocol;
mod proxy;
mod refused;
mod timing;
mod tls;
mod token;
mod url;

use super::catalogue::cause;
use super::console::near::silence;
use super::ending::{ending, is_connecting};
use super::remedy::remedies;
use super::{Alternative, Case, Certainty, Ending, Evidence, Finding, Place, Verdict};
use crate::observation::{Direction, Moment};

pub(super) use close::code_id;
pub(super) use refused::{is_403_fingerprint, status_id};
pub(super) use timing::end_of;

/// How one cause is recognised.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its id in the catalogue.
    pub id: &'static str,
    /// The more general ids that it explains, which are then not listed; a last `*` stands for any end.
    pub implies: &'static [&'static str],
    /// Looks for it; the last argument is the rule's own id, for rows that share a check.
    pub check: fn(&Case<'_>, Ending, &'static str) -> Option<Found>,
}

impl Rule {
    /// A rule that explains nothing but itself.
    const fn new(id: &'static str, check: fn(&Case<'_>, Ending, &'static str) -> Option<Found>) -> Self {
        Self { id, implies: &[], check }
    }

    /// The same rule, explaining these more general ids.
    const fn implies(mut self, ids: &'static [&'static str]) -> Self {
        self.implies = ids;
        self
    }

    fn explains(&self, id: &str) -> bool {
        self.implies.iter().any(|general| match general.strip_suffix('*') {
            Some(begin) => id.starts_with(begin),
            None => *general == id,
        })
    }
}

/// What a rule found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// How sure it is.
    pub certainty: Certainty,
    /// One sentence about this case.
    pub summary: String,
    /// What shows it, in order of weight.
    pub evidence: Vec<Evidence>,
    /// Rivals that it could not exclude.
    pub alternatives: Vec<Alternative>,
    /// Whether it is worth saying but never the cause.
    pub is_finding_only: bool,
}

impl Found {
    fn new(certainty: Certainty, summary: impl Into<String>) -> Self {
        Self {
            certainty,
            summary: summary.into(),
            evidence: Vec::new(),
            alternatives: Vec::new(),
            is_finding_only: false,
        }
    }

    fn certain(summary: impl Into<String>) -> Self {
        Self::new(Certainty::Certain, summary)
    }

    fn likely(summary: impl Into<String>) -> Self {
        Self::new(Certainty::Likely, summary)
    }

    fn possible(summary: impl Into<String>) -> Self {
        Self::new(Certainty::Possible, summary)
    }

    /// The same, shown by this.
    fn seen(mut self, at: Moment, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence { at, text: text.into(), place: None });
        self
    }

    /// The same, shown by the bytes at this place.
    fn seen_at(mut self, at: Moment, direction: Direction, offset: u64, text: impl Into<String>) -> Self {
        self.evidence.push(Evidence { at, text: text.into(), place: Some(Place { direction, offset }) });
        self
    }

    /// The same, with more that shows it.
    fn with(mut self, evidence: Vec<Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// The same, with a rival and the act that would decide.
    fn or(mut self, cause: &str, decide_by: impl Into<String>) -> Self {
        self.alternatives.push(Alternative {
            cause: cause.to_owned(),
            certainty: Certainty::Possible,
            decide_by: decide_by.into(),
        });
        self
    }

    /// The same, with a rival if there is reason for it.
    fn or_if(self, condition: bool, cause: &str, decide_by: impl Into<String>) -> Self {
        if condition { self.or(cause, decide_by) } else { self }
    }

    /// The same, worth saying but never the cause.
    fn finding(mut self) -> Self {
        self.is_finding_only = true;
        self
    }

    /// The same, a mere finding unless this holds.
    fn cause_if(mut self, condition: bool) -> Self {
        self.is_finding_only |= !condition;
        self
    }
}

/// Every rule, in order of precedence: what ends sooner or is more specific comes first.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

static FAMILIES: [&[Rule]; 22] = [
    ours::RULES,
    url::NOT_ATTEMPTED,
    console::RULES,
    proxy::RULES,
    dns_tcp::RULES,
    tls::RULES,
    protocol::RULES,
    invalid::RULES,
    asked::RULES,
    open::DIED,
    engineio::RULES,
    timing::RULES,
    close::BY_REASON,
    token::RULES,
    auth::RULES,
    url::ATTEMPTED,
    refused::RULES,
    invalid::CUT,
    open::RULES,
    close::RULES,
    browser::RULES,
    healthy::RULES,
];

/// Runs every rule and puts the verdict together.
pub(super) fn verdict(case: &Case<'_>) -> Verdict {
    let Some(ending) = ending(case) else {
        return unfinished(case);
    };
    let mut matched: Vec<(&Rule, Found)> =
        rules().filter_map(|rule| Some((rule, (rule.check)(case, ending, rule.id)?))).collect();
    let decided = matched.iter().position(|(_, found)| !found.is_finding_only);
    let (rule, found) = match decided {
        Some(at) => matched.remove(at),
        None => (&UNDETERMINED, undetermined(case, ending)),
    };
    let mut findings: Vec<Finding> = Vec::new();
    for (other, found) in matched {
        if other.id == rule.id || rule.explains(other.id) || findings.iter().any(|f| f.id == other.id) {
            continue;
        }
        findings.push(Finding {
            id: other.id.to_owned(),
            certainty: found.certainty,
            summary: found.summary,
            evidence: found.evidence,
            fixes: remedies(case, other.id),
        });
    }
    let mut alternatives: Vec<Alternative> = Vec::new();
    for rival in found.alternatives {
        if rival.cause != rule.id && !alternatives.iter().any(|a| a.cause == rival.cause) {
            alternatives.push(rival);
        }
    }
    alternatives.truncate(MOST_ALTERNATIVES);
    let silence = silence(case).filter(|_| ending != Ending::Open);
    if silence.is_some() {
        for rival in alternatives.iter_mut().filter(|rival| rival.cause == "handler-exception") {
            "the attached console said nothing: let the server print its exceptions, and repeat"
                .clone_into(&mut rival.decide_by);
        }
    }
    let mut evidence = found.evidence;
    evidence.extend(silence);
    if rule.id != "healthy" {
        for more in asked::evidence(case, ending) {
            if !evidence.iter().any(|known| known.text == more.text) {
                evidence.push(more);
            }
        }
    }
    let (mut certainty, mut summary) = (found.certainty, found.summary);
    if let Some(host) = case.foreign_host(ending, rule.id) {
        certainty = certainty.min(Certainty::Likely);
        let host = case.quote(host, 80);
        summary = format!(
            "{summary} It was asked as Host {host}, the address of this side: see whether it refuses its own name \
             (--rename-host) as well."
        );
    }
    Verdict {
        ending,
        cause: rule.id.to_owned(),
        certainty,
        summary,
        browser_shows: browser_shows(case, ending, rule.id),
        evidence,
        fixes: remedies(case, rule.id),
        findings,
        alternatives,
        provisional: case.probes_pending,
    }
}

/// The verdict while the connection is not over, or where the facts simply stop.
fn unfinished(case: &Case<'_>) -> Verdict {
    let summary = if case.story.finished.is_some() {
        "The facts stop before the connection was over, so its end is not known.".to_owned()
    } else if case.is_open() {
        "The connection is open; nothing is wrong with it so far.".to_owned()
    } else if is_connecting(case) {
        "TCP is being connected.".to_owned()
    } else {
        "The connection is not over yet.".to_owned()
    };
    Verdict {
        ending: if case.is_open() && case.story.finished.is_none() { Ending::Open } else { Ending::EndedByUs },
        cause: UNDETERMINED.id.to_owned(),
        certainty: Certainty::Undetermined,
        summary,
        browser_shows: "Nothing yet.".to_owned(),
        evidence: Vec::new(),
        fixes: Vec::new(),
        findings: Vec::new(),
        alternatives: Vec::new(),
        provisional: case.story.finished.is_none(),
    }
}

/// What is left to say where no rule found a cause: what happened, and what was excluded.
fn undetermined(case: &Case<'_>, ending: Ending) -> Found {
    let what = super::catalogue::ending(ending.id()).map_or("The connection ended.", |text| text.what);
    let mut found = Found::new(Certainty::Undetermined, format!("{what} Why is not known."));
    if let Some(text) = &case.story.endpoint_error {
        let text = format!("the WebSocket library reported: {}", case.quote(text, 160));
        found = found.seen(case.story.last_at, text);
    }
    if let Some((at, _)) = case.tcp_end() {
        found = found.seen(at, format!("TCP ended with {}", case.tcp_end_words()));
    }
    if let Some(at) = case.port_accepts() {
        found = found.seen(at, format!("{} still accepts connections, so the process is alive", case.port_words()));
    }
    found.or("handler-exception", "attach the server's console and repeat")
}

fn browser_shows(case: &Case<'_>, ending: Ending, id: &str) -> String {
    let words = cause(id).map_or("", |cause| cause.browser);
    let code = match ending {
        Ending::Open => case.story.close_sent.as_ref().map_or(1000, |close| close.info.code.unwrap_or(1005)),
        Ending::ProtocolError | Ending::Closed | Ending::Fin | Ending::Rst => case.story.browser_code(),
        Ending::ClosedUnclean if case.story.close_received.is_some() => case.story.browser_code(),
        Ending::NotAttempted
        | Ending::ResolveFailed
        | Ending::ConnectFailed
        | Ending::TlsFailed
        | Ending::UpgradeCut
        | Ending::UpgradeUnanswered
        | Ending::UpgradeRefused
        | Ending::UpgradeInvalid
        | Ending::ClosedUnclean
        | Ending::NetworkTimeout
        | Ending::Unconfirmed
        | Ending::EndedByUs => return words.to_owned(),
    };
    if words.contains(&code.to_string()) {
        return words.to_owned();
    }
    let clean = if case.story.is_clean() { "true" } else { "false" };
    format!("CloseEvent {code}, wasClean {clean}. {words}").trim_end().to_owned()
}

const UNDETERMINED: Rule = Rule::new("undetermined", |_, _, _| None);
const MOST_ALTERNATIVES: usize = 3;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::diagnosis::testing::Scene;
    use crate::observation::{CloseOrigin, Fact};

    #[test]
    fn every_rule_has_its_words_and_its_own_id() {
        let mut seen = BTreeSet::new();
        for rule in rules() {
            assert!(cause(rule.id).is_some(), "{} is not in the catalogue", rule.id);
            // An origin is refused by a response or by a close reason, a process dies before or after we connect, and a
            // restart or Engine.IO is told by a line, an answer or a probe: two families, one id.
            let stands_twice = ["http-403-origin", "server-process-died", "server-restarted", "engineio-error"];
            assert!(seen.insert(rule.id) || stands_twice.contains(&rule.id), "{} stands twice", rule.id);
            for general in rule.implies {
                assert!(general.ends_with('*') || cause(general).is_some(), "{}: no {general}", rule.id);
            }
        }
    }

    #[test]
    fn a_verdict_of_a_running_connection_accuses_nobody() {
        for scene in [Scene::asked(), Scene::open(), Scene::confirmed(), Scene::to("ws://127.0.0.1/")] {
            let verdict = scene.verdict();
            assert_eq!((verdict.cause.as_str(), verdict.provisional), ("undetermined", true));
            assert!(scene.next_probes().is_empty());
        }
        let verdict = Scene::confirmed().fact(Fact::Finished).verdict();
        assert_eq!((verdict.cause.as_str(), verdict.provisional), ("undetermined", false));
    }

    #[test]
    fn a_verdict_is_provisional_while_probes_are_to_come() {
        assert!(Scene::confirmed().fin().pending().verdict().provisional);
        assert!(!Scene::confirmed().fin().verdict().provisional);
    }

    #[test]
    fn healthy_needs_the_confirmation() {
        let closed = |scene: Scene| scene.we_close(CloseOrigin::WatchEnded).server_close(1000, "").fin();
        closed(Scene::confirmed()).certain("open", "healthy");
        closed(Scene::open()).certain("unconfirmed", "confirmation-missing");
        let none = Scene::open().plan(|plan| plan.expect = crate::observation::Expect::None);
        closed(none.fact(Fact::Confirmed { preview: None })).certain("open", "healthy");
    }
}
